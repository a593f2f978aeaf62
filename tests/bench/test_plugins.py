from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from bench import fingerprints, hookimpl
from bench.errors import UnknownNameError, UserError
from bench.interfaces import HeadSpec, LossSpec, MetricSpec
from bench.plugins import KINDS, Plugin, Registry

HEAD = """
from bench import hookimpl
from bench.interfaces import HeadSpec

@hookimpl
def register_heads():
    return [HeadSpec({name!r}, "a head for tests", lambda stages: None)]
"""


@pytest.fixture(scope="module")
def registry() -> Registry:
    return Registry.load()


def module(**functions: Callable[[], Any]) -> ModuleType:
    made = ModuleType("made")
    vars(made).update(functions)
    return made


def head(name: str) -> HeadSpec:
    return HeadSpec(name, "a head for tests", lambda stages: None)


def added(made: ModuleType, name: str = "made") -> tuple[Registry, Plugin]:
    registry = Registry.load()
    plugin = Plugin(name, "somewhere 1.0")
    registry.add(plugin, made)
    return registry, plugin


def test_a_plugin_registers_what_its_hooks_return() -> None:
    made = module(
        register_heads=hookimpl(lambda: [head("first"), head("second")]),
        register_losses=hookimpl(lambda: [LossSpec("none", "a loss for tests", lambda: None)]),
    )
    made.register_heads.__name__ = "register_heads"
    registry, plugin = added(made)
    assert plugin.error == ""
    assert plugin.registered == {"heads": ["first", "second"], "losses": ["none"]}
    assert {"first", "second"} <= set(registry.all("heads"))
    assert registry.owner("heads", "second") == (plugin, made)


def test_a_hook_may_be_a_generator() -> None:
    @hookimpl
    def register_heads() -> Any:
        yield head("first")

    assert added(module(register_heads=register_heads))[1].registered == {"heads": ["first"]}


def _raises() -> Any:
    raise RuntimeError("first line\nsecond line")


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        pytest.param(
            module(register_headz=hookimpl(lambda: [])), "register_headz", id="a misspelt hook"
        ),
        pytest.param(
            module(register_heads=hookimpl(lambda: ["a name"])),
            "register_heads returned 'a name'; expected a HeadSpec",
            id="a wrong type",
        ),
        pytest.param(
            module(register_heads=hookimpl(lambda: None)),
            "register_heads returned None; expected a list of HeadSpec",
            id="nothing returned",
        ),
        pytest.param(
            module(register_heads=hookimpl(lambda: [LossSpec("a", "b", lambda: None)])),
            "expected a HeadSpec",
            id="a spec of another kind",
        ),
        pytest.param(
            module(register_heads=hookimpl(lambda: [head("flatten")])),
            "registers the head 'flatten', which plugin 'builtins' of fashion-retrieval-bench",
            id="a name that is taken",
        ),
        pytest.param(
            module(register_heads=hookimpl(lambda: [head("same"), head("same")])),
            "registers the head 'same' twice",
            id="a name twice",
        ),
        pytest.param(
            module(register_heads=lambda: [head("unmarked")]),
            "register_heads is not marked @bench.hookimpl",
            id="an unmarked function",
        ),
        pytest.param(
            module(
                register_heads=lambda: [head("unmarked")],
                register_losses=hookimpl(lambda: [LossSpec("a", "b", lambda: None)]),
            ),
            "register_heads is not marked @bench.hookimpl",
            id="an unmarked function beside a marked one",
        ),
        pytest.param(module(), "registers nothing", id="nothing registered"),
        pytest.param(
            module(register_heads=hookimpl(_raises)), "first line second line", id="a hook raises"
        ),
        pytest.param(
            module(register_heads=hookimpl(lambda surplus: [])), "surplus", id="a surplus argument"
        ),
    ],
)
def test_a_broken_plugin_is_set_aside_whole_and_in_one_line(
    made: ModuleType, expected: str
) -> None:
    before = {kind: set(Registry.load().all(kind)) for kind in KINDS}
    registry, plugin = added(made)
    assert expected in plugin.error
    assert "\n" not in plugin.error
    assert registry.errors == [plugin]
    assert {kind: set(registry.all(kind)) for kind in KINDS} == before
    later = Plugin("later", "elsewhere 1.0")  # and it does not stand in the way of the next one
    registry.add(later, module(register_heads=hookimpl(lambda: [head("later")])))
    assert later.error == ""
    assert "later" in registry.all("heads")


def test_the_second_of_two_plugins_of_one_name_is_set_aside_and_the_first_stays() -> None:
    registry, first = added(module(register_heads=hookimpl(lambda: [head("first")])), "twin")
    second = Plugin("twin", "elsewhere 2.0")
    registry.add(second, module(register_heads=hookimpl(lambda: [head("second")])))
    assert first.error == ""
    assert "loaded already, from somewhere 1.0" in second.error
    assert "first" in registry.all("heads")
    assert "second" not in registry.all("heads")


def test_a_plugin_may_have_the_name_of_one_that_did_not_load() -> None:
    registry, broken = added(module(), "twin")
    working = Plugin("twin", "elsewhere 2.0")
    registry.add(working, module(register_heads=hookimpl(lambda: [head("second")])))
    assert (bool(broken.error), working.error) == (True, "")
    assert "second" in registry.all("heads")


def test_a_file_is_a_plugin_named_after_it(tmp_path: Path) -> None:
    file = tmp_path / "idea.py"
    file.write_text(HEAD.format(name="idea"))
    registry = Registry.load([file])
    assert registry.errors == []
    plugin, owner = registry.owner("heads", "idea")
    assert (plugin.name, plugin.origin) == ("idea", str(file))
    assert owner.__file__ == str(file)


def test_the_code_of_a_file_is_its_content(tmp_path: Path) -> None:
    file = tmp_path / "idea.py"
    file.write_text(HEAD.format(name="idea"))
    first = Registry.load([file]).code("heads", ["idea"])
    assert Registry.load([file]).code("heads", ["idea"]) == first
    file.write_text(HEAD.format(name="idea") + "\n# changed\n")
    assert Registry.load([file]).code("heads", ["idea"]) != first


def test_two_files_of_one_name_do_not_mix(tmp_path: Path) -> None:
    files = []
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        file = tmp_path / name / "idea.py"
        file.write_text(HEAD.format(name=name))
        files.append(file)
    registry = Registry.load(files)
    (broken,) = registry.errors
    assert broken.origin == str(files[1])
    assert str(files[0]) in broken.error
    # the file that was set aside has not taken the place of the other one's module
    assert sys.modules["bench_plugin_idea"].__file__ == str(files[0])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("import a_module_that_is_not_there", "ModuleNotFoundError"),
        ("def broken(:", "SyntaxError"),
        ("raise SystemExit(3)", "SystemExit"),
        ("raise ValueError('first\\nsecond')", "first second"),
    ],
)
def test_a_file_that_cannot_be_imported_says_why_in_one_line(
    tmp_path: Path, text: str, expected: str
) -> None:
    file = tmp_path / "broken.py"
    file.write_text(text)
    (plugin,) = Registry.load([file]).errors
    assert "cannot be imported" in plugin.error
    assert expected in plugin.error
    assert "\n" not in plugin.error


def test_a_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"absent\.py: no such file"):
        Registry.load([tmp_path / "absent.py"])


def test_the_parts_of_the_harness_come_in_by_the_same_hooks(registry: Registry) -> None:
    assert registry.errors == []
    assert registry.plugins[0].name == "builtins"
    owners = {registry.owner(kind, name)[0].name for kind in KINDS for name in registry.all(kind)}
    assert {"builtins", "clothing", "manifest", "pretrained"} <= owners


@pytest.mark.parametrize(
    ("ask", "expected"),
    [
        (lambda r: r.method("pretraned"), "unknown method 'pretraned'; did you mean pretrained"),
        (lambda r: r.dataset("cloth"), "unknown dataset 'cloth'; did you mean clothing"),
        (lambda r: r.head("averag-pool", {}), "did you mean average-pool"),
        (lambda r: r.loss("triplets"), "did you mean triplet"),
        (lambda r: r.backbone_source("efficientnet", "none", 0), "did you mean efficientnet-lite0"),
        (lambda r: r.metric("hits@20"), "did you mean hit@20"),
    ],
)
def test_an_unknown_name_gets_the_nearest(
    registry: Registry, ask: Callable[[Registry], object], expected: str
) -> None:
    with pytest.raises(UnknownNameError) as caught:
        ask(registry)
    assert expected in str(caught.value)


def test_an_unknown_name_says_which_plugins_did_not_load() -> None:
    registry, _ = added(module(), "broken")
    with pytest.raises(UnknownNameError, match=r"not loaded: broken; see `bench plugins`"):
        registry.method("mine")


def test_a_family_is_found_by_its_stem_and_needs_an_argument(registry: Registry) -> None:
    assert registry.dataset("manifest:any/file.csv").name == "manifest"
    assert registry.owner("datasets", "manifest:any/file.csv")[0].name == "manifest"
    for name in ("manifest", "manifest:"):
        with pytest.raises(UserError, match="needs an argument"):
            registry.dataset(name)
    with pytest.raises(UnknownNameError):  # not a family
        registry.dataset("clothing:something")
    with pytest.raises(UnknownNameError, match="manifest:…"):
        registry.dataset("manifst")


@pytest.mark.parametrize(
    ("name", "stem", "cut"),
    [
        ("hit@20", "hit@k", 20),
        ("recall@1", "recall@k", 1),
        ("mrr", "mrr", 0),
        ("map@r", "map@r", 0),
        ("map", "map", 0),
        ("map@5", "map@k", 5),
        ("ndcg@20[relevance]", "ndcg@k[relevance]", 20),
        ("ndcg@3[attributes:list-ideal]", "ndcg@k[attributes:list-ideal]", 3),
    ],
)
def test_a_metric_is_found_by_name_and_cut_off(
    registry: Registry, name: str, stem: str, cut: int
) -> None:
    spec, found = registry.metric(name)
    assert isinstance(spec, MetricSpec)
    assert (spec.name, found) == (stem, cut)
    assert registry.owner("metrics", name)[0].name == "builtins"


@pytest.mark.parametrize("name", ["recall", "hit", "hit@", "hit@k", "hit@-1", "hit@1.5", "hit@²"])
def test_a_metric_without_its_cut_off_is_refused_with_advice(registry: Registry, name: str) -> None:
    with pytest.raises(UnknownNameError, match="as in hit@20 or recall@20"):
        registry.metric(name)


@pytest.mark.parametrize("name", ["hit@0", "hit@00", "hit@020"])
def test_a_cut_off_counts_from_1_and_has_one_spelling(registry: Registry, name: str) -> None:
    with pytest.raises(UserError, match="a cut-off counts from 1"):
        registry.metric(name)


def test_a_metric_with_several_readings_is_refused_without_one(registry: Registry) -> None:
    with pytest.raises(UserError, match="can be read in several ways") as caught:
        registry.metric("ndcg@5")
    readings = [name for name in registry.all("metrics") if name.startswith("ndcg@k[")]
    for name in readings:
        assert name.replace("@k", "@5") in str(caught.value)


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("ndcg@20[atributes]", "ndcg@20[attributes]"),
        ("ndcg[relevance]", "ndcg@20[relevance]"),
        ("ndcg@k[relevance]", "ndcg@20[relevance]"),
        ("hit@20[relevance]", "ndcg@20[relevance]"),
    ],
)
def test_an_unknown_reading_gets_the_nearest(registry: Registry, name: str, near: str) -> None:
    with pytest.raises(UnknownNameError, match=f"did you mean.* {re.escape(near)}"):
        registry.metric(name)


def test_a_metric_that_takes_no_cut_off_is_refused_one(registry: Registry) -> None:
    with pytest.raises(UnknownNameError):
        registry.metric("mrr@5")


def test_code_is_that_of_the_whole_package_of_the_owner_and_of_the_modules_named(
    registry: Registry,
) -> None:
    method = registry.code("methods", ["pretrained"])
    assert method == fingerprints.of_code("bench_pretrained")
    assert registry.code("backbones", ["timm:resnet18"]) == fingerprints.of_code("bench.builtins")
    assert registry.code("methods", ["pretrained"], "bench.images") != method
    assert registry.code("metrics", ["hit@1", "hit@5"]) == registry.code("metrics", ["mrr"])
