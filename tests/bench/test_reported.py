from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from claim_plugin import PLUGIN

from bench.errors import UserError
from bench.plugins import Registry
from bench.records import Record
from bench.reported import Reported, beside, reported_of

HEAD = "variant,dataset,protocol,task,metric,value,queries,gallery,source"
LINE = "good,inshop,dress/dress-gallery,,precision@1,0.74,1901,,Table I"


def read(folder: Path, *lines: str, head: str = HEAD) -> tuple[Reported, ...]:
    (folder / "toy.py").write_text(PLUGIN, encoding="utf-8")
    (folder / "reported.csv").write_text("\n".join([head, *lines]) + "\n", encoding="utf-8")
    registry = Registry.load([folder / "toy.py"])
    return reported_of(registry, registry.method("toy"))


def test_a_line_is_a_number_with_its_place(tmp_path: Path) -> None:
    [number] = read(tmp_path, LINE)
    assert (number.variant, number.metric, number.value) == ("good", "precision@1", 0.74)
    assert (number.queries, number.gallery, number.source) == (1901, None, "Table I")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("good", "better"), "unknown variant of toy 'better'"),
        (("inshop", "inshops"), "unknown dataset 'inshops'"),
        (("dress/dress-gallery", "dress"), "unknown protocol of inshop 'dress'"),
        (("precision@1", "precison@1"), "unknown metric"),
        (("0.74", "nan"), "value: Input should be a finite number"),
        (("0.74", "much"), "value: Input should be a valid number"),
        (("1901", "many"), "queries: Input should be a valid integer"),
        (("Table I", ""), "source: String should have at least 1 character"),
        ((",Table I", ""), "source: "),
        (("Table I", "Table I,more"), "more: Extra inputs are not permitted"),
    ],
)
def test_a_wrong_line_is_named(tmp_path: Path, change: tuple[str, str], message: str) -> None:
    with pytest.raises(UserError) as error:
        read(tmp_path, LINE, LINE.replace(*change))
    assert str(error.value).startswith(f"{tmp_path / 'reported.csv'}:3: {message}")


def test_a_method_without_a_file_reports_nothing() -> None:
    registry = Registry.load()
    assert reported_of(registry, registry.method("pretrained")) == ()


def test_the_numbers_of_every_method_are_those_of_its_paper() -> None:
    registry = Registry.load()
    found = {n: reported_of(registry, spec) for n, spec in registry.all("methods").items()}
    assert {name: len(numbers) for name, numbers in found.items() if numbers} == {
        "amnet": 41, "darn": 7, "dsift-fv": 2, "fashionsearchnet": 246, "mtl-csn": 1,
        "multiattrib": 68,
    }  # fmt: skip
    by_name = {(n.variant, n.metric): n.value for n in found["darn"]}
    assert by_name["conv4-5", "hit@20"] == 0.57
    assert by_name["arn", "ndcg@20[attributes]"] == 0.442


def test_what_stands_beside_a_record_is_of_its_data_or_of_others(
    tmp_path: Path, make_record: Callable[..., Record]
) -> None:
    other = LINE.replace("inshop,dress/dress-gallery", "cub200,fine").replace("@1", "@5")
    numbers = read(tmp_path, LINE, other, LINE.replace("good", "base"), LINE.replace("@1", "@9"))

    def record(dataset: str, protocol: str, metric: str = "precision@1") -> Record:
        made = make_record(method="toy", variant="good", dataset={"name": dataset},
                           protocol=protocol)  # fmt: skip
        task = made.tasks[0].model_dump()
        task["metrics"] = {metric: task["metrics"]["hit@1"]}
        return made.model_copy(update={"tasks": [type(made.tasks[0]).model_validate(task)]})

    assert beside(numbers, record("inshop", "dress/dress-gallery")) == {"inshop": [numbers[0]]}
    # the same protocol of other photographs: the paper's own stand there under their name
    assert beside(numbers, record("mine", "fine", "precision@5")) == {"cub200": [numbers[1]]}
    assert beside(numbers, record("mine", "fine/all", "precision@5")) == {"cub200": [numbers[1]]}
    assert beside(numbers, record("inshop", "dress/all-gallery")) == {}
    assert beside(numbers, record("inshop", "category")) == {}
    assert beside(numbers, record("inshop", "dress/dress-gallery", "map@r")) == {}
