"""Pages about papers: claims decided on stored records, reported numbers beside measured ones."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from claim_plugin import write_plugin, write_toy_run

from bench import claim_facts, leaderboard
from bench.claim_files import claims_of
from bench.claim_runs import in_folder
from bench.claims import evaluate
from bench.leaderboard.papers import Papers
from bench.plugins import Registry
from bench.records import Record

IN_SHOP = {"dataset": "inshop", "protocol": "dress/dress-gallery"}
BETTER = {"kind": "better", **IN_SHOP, "these": ["good"], "than": ["base"], "metrics": ["hit@1"]}
EVEN = {"kind": "run-fact", **IN_SHOP, "these": ["good"],
        "function": "bench_plugin_toy_claims:seed_is_even"}  # fmt: skip
MIXED = np.arange(40) % 2.0
Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path, make_record: Callable[..., Record]) -> Write:
    """Return a function that makes a run with these values."""

    def write_below(values: Mapping[str, Any], **changes: Any) -> Path:
        return write_toy_run(make_record, tmp_path / "runs", values, **changes)

    return write_below


def registry_of(folder: Path, *claims: Sequence[Mapping[str, Any]]) -> Registry:
    return Registry.load([write_plugin(folder / "plugin", *claims)])


def add(folder: Path, run: Path, registry: Registry) -> Path:
    """Add a run to the leaderboards as the command does."""
    place = leaderboard.add(folder / "leaderboards", run, replace=False)
    claim_facts.keep(place, claim_facts.ask(run, Record.read(place), registry))
    return place


def built(folder: Path, registry: Registry) -> dict[str, str]:
    """Return the pages and CSV files by their names."""
    files = leaderboard.build(folder / "leaderboards", Papers(registry))
    return {path.relative_to(folder / "leaderboards").as_posix(): files[path] for path in files}


def lines(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_records_say_of_claims_what_their_runs_say(write: Write, tmp_path: Path) -> None:
    reverse = BETTER | {"these": ["base"], "than": ["good"]}
    registry = registry_of(tmp_path, [BETTER], [reverse], [EVEN])
    runs = [write({"hit@1": np.ones(40)}, variant="good"), write({"hit@1": MIXED})]
    for run in runs:
        add(tmp_path, run, registry)
    method = registry.method("toy")
    source = in_folder(tmp_path / "runs")
    [of_runs] = evaluate(method, claims_of(registry, method), registry, source)
    files = built(tmp_path, registry)
    found = [line for line in lines(files["claims.csv"]) if line["method"] == "toy"]
    assert [(line["claim"], line["verdict"]) for line in found] == [
        (decision.claim, decision.verdict) for decision in of_runs.decisions
    ]
    assert [line["verdict"] for line in found] == ["held", "reversed", "held"]
    assert found[2]["found"] == "good, seed 0: seed 0"
    page = files["claims.md"]
    assert "## toy: full editions, budget full, fp32" in page
    assert "2 records on timm:resnet50: 2 held, 0 undecided, 0 not checkable, 1 reversed." in page
    assert str(tmp_path) not in page


def test_what_leaderboards_do_not_have_is_not_checkable(write: Write, tmp_path: Path) -> None:
    registry = registry_of(tmp_path, [BETTER], [EVEN])
    good, base = write({"hit@1": np.ones(40)}, variant="good"), write({"hit@1": MIXED})
    place = add(tmp_path, good, registry)
    add(tmp_path, base, registry)
    place.with_suffix(claim_facts.SUFFIX).unlink()
    held, unknown = lines(built(tmp_path, registry)["claims.csv"])
    assert held["verdict"] == "held"
    assert (unknown["verdict"], unknown["found"]) == (
        "not checkable",
        f"{place.stem}: what seed_is_even needs of the run's folder was not there when its record "
        "was added",
    )
    place.with_suffix(".parquet").unlink()
    unknown, _ = lines(built(tmp_path, registry)["claims.csv"])
    assert (unknown["verdict"], unknown["found"]) == (
        "not checkable", f"the values of each query of {place.stem} are not kept"
    )  # fmt: skip


def test_of_a_changed_recipe_the_page_has_what_runs_decide(write: Write, tmp_path: Path) -> None:
    figure = {"kind": "not-checkable", "why": "a figure without values"}
    registry = registry_of(tmp_path, [BETTER], [figure])
    for variant, hits in (("good", np.ones(40)), ("base", MIXED)):
        recipe = {"stage": "early", "distance": "euclidean" if variant == "good" else "cosine",
                  "inner": {"epochs": 14}}  # fmt: skip
        add(tmp_path, write({"hit@1": hits}, variant=variant, recipe=recipe), registry)
    [line] = lines(built(tmp_path, registry)["claims.csv"])
    assert (line["claim"], line["verdict"], line["recipe"]) == ("C-1", "held", "stage=early")


def test_a_setting_is_not_asked_about_data_that_it_has_no_run_of(
    write: Write, tmp_path: Path
) -> None:
    elsewhere = BETTER | {"dataset": "cub200", "protocol": "fine"}
    figure = {"kind": "not-checkable", "why": "a figure without values"}
    registry = registry_of(tmp_path, [BETTER], [elsewhere], [figure])
    add(tmp_path, write({"hit@1": MIXED}), registry)
    found = lines(built(tmp_path, registry)["claims.csv"])
    assert [(line["claim"], line["verdict"]) for line in found] == [
        ("C-1", "not checkable"), ("C-3", "not checkable")
    ]  # fmt: skip
    assert found[0]["found"].startswith("no run of variant good on ")


def test_reported_numbers_stand_beside_those_of_the_same_data_alone(
    write: Write, tmp_path: Path
) -> None:
    plugin = write_plugin(tmp_path / "plugin", [BETTER])
    start, rival = plugin.read_text().split(', MethodSpec("rival"')  # whose file it would be, too
    plugin.write_text(start + "]" + rival.partition(")]")[2])
    registry = Registry.load([plugin])
    head = "variant,dataset,protocol,task,metric,value,queries,gallery,source"
    rows = [
        "good,inshop,dress/dress-gallery,,hit@1,0.25,100,200,Table <I>",
        "good,inshop,dress/dress-gallery,,dimension,2048,,,Table <I>",
        "wide,inshop,dress/dress-gallery,,hit@1,0.75,,,Table II",
        "base,inshop,dress/dress-gallery,,hit@1,0.5,,,Table II",
    ]
    (tmp_path / "plugin" / "reported.csv").write_text("\n".join([head, *rows, ""]))
    add(tmp_path, write({"hit@1": MIXED}, variant="good"), registry)
    mini = {"edition": "mini", "budget": "mini"}
    add(tmp_path, write({"hit@1": MIXED}, **mini), registry)
    files = built(tmp_path, registry)
    found = [line for line in lines(files["reported.csv"]) if line["method"] == "toy"]
    assert [(line["measured"], line["difference"], line["why_not"]) for line in found] == [
        ("0.5", "0.25", ""),
        ("2048", "0.0", ""),
        ("", "", "no record of this variant on inshop@full"),
        ("", "", "no record of this variant on inshop@full; there is one of drawn pictures"),
    ]
    assert "2 of 4 numbers were measured." in files["reported.md"]
    assert "Table &lt;I&gt;" in files["reported.md"]
    assert "0.250 (+0.250 here)" in files["inshop@full/dress--dress-gallery.md"]
