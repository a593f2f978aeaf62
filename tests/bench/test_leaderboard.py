from __future__ import annotations

import csv
import json
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from run_folders import write_run

from bench import leaderboard, records
from bench.errors import RecordError
from bench.leaderboard import MINI_WARNING, frames, parts, site
from bench.leaderboard.papers import Papers
from bench.leaderboard.tables import escaped
from bench.records import Record
from bench.reported import Reported
from bench.storage import write_text

NOTHING = Papers(None)  # no method here has a paper
MakeRecord = Callable[..., Record]
Add = Callable[..., Path]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "leaderboards"


@pytest.fixture
def add(folder: Path, tmp_path: Path, make_record: MakeRecord) -> Add:
    """Return a function that finishes a run with a record and adds it; returns its place."""

    def finish_and_add(*, replace: bool = False, **changes: Any) -> Path:
        record = make_record(**({"tasks": metrics(**{"hit@1": 0.5, "map@r": 0.25})} | changes))
        run = finish(tmp_path / "runs" / record.digest, record)
        return leaderboard.add(folder, run, replace=replace)

    return finish_and_add


def finish(run: Path, record: Record) -> Path:
    """Write a finished run in which every query has the task's mean; return its folder."""
    records.finish(run, record)
    values = [
        pd.DataFrame({"task": task.task, "query": [f"q{n}" for n in range(task.queries)],
                      "target": ""} | {name: v.mean for name, v in task.metrics.items()})
        for task in record.tasks
    ]  # fmt: skip
    pd.concat(values).to_parquet(run / "per_query.parquet")
    return run


def write(folder: Path) -> dict[str, bytes]:
    """Build and write the tables; return the bytes of every file by its name below `folder`."""
    for path, text in leaderboard.build(folder, NOTHING).items():
        write_text(path, text)
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def check(folder: Path) -> list[str]:
    return leaderboard.check(folder, NOTHING, lambda _: None)


def metrics(**means: float) -> list[dict[str, Any]]:
    values = {name: {"mean": m, "low": m, "high": m} for name, m in means.items()}
    return [{"task": "all", "queries": 1372, "gallery": 3068, "uncounted": 0,
             "relevant_per_query": 306.75, "metrics": values}]  # fmt: skip


OTHER = {"backbone": {"name": "timm:vgg16", "weights": "9" * 32}}


def test_the_table_shows_each_record_best_first(add: Add, folder: Path) -> None:
    add(tasks=metrics(**{"hit@1": 0.25, "map@r": 0.75}))
    add(tasks=metrics(**{"hit@1": 0.5, "map@r": 0.125}), variant="wide", **OTHER)
    text = write(folder)["clothing@full/test-vs-train.md"].decode()
    assert text.startswith(
        "# clothing@full: test-vs-train\n\n1,372 queries, 3,068 gallery images, "
    )
    assert "Protocol fingerprint `22222222`." in text
    header, _, first, second = [line for line in text.splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in (header, first, second)]
    assert cells == [
        ["rank", "method", "backbone", "weights", "hit@1", "map@r", "dimension", "parameters (M)",
         "GFLOP/image", "images/s", "seed"],
        ["1", "pretrained wide", "timm:vgg16", "pretrained", "**0.500** [0.500, 0.500]",
         "0.125 [0.125, 0.125]", "2,048", "25.0", "4.10", "170 (openvino fp32, cpu)", "0"],
        ["2", "pretrained", "timm:resnet50", "pretrained", "0.250 [0.250, 0.250]",
         "**0.750** [0.750, 0.750]", "2,048", "25.0", "4.10", "170 (openvino fp32, cpu)", "0"],
    ]  # fmt: skip


def test_a_substitute_and_a_budget_are_named(add: Add, folder: Path) -> None:
    add(budget="mini", backbone={"substitute_for": "vgg16"})
    files = write(folder)
    text = files["clothing@full/test-vs-train.md"].decode()
    assert "pretrained (budget mini) | timm:resnet50 (substitute for vgg16) |" in text
    [row] = csv.DictReader(files["records.csv"].decode().splitlines())
    assert (row["budget"], row["substitute_for"]) == ("mini", "vgg16")


def test_settings_in_which_runs_of_one_variant_differ_are_named(add: Add, folder: Path) -> None:
    add(recipe={"margin": 0.0, "loss": {"weight": 1}, "layers": [1]}, run_key="1" * 32)
    add(recipe={"margin": 0.3, "loss": {"weight": 2}, "layers": [1, 2]}, run_key="2" * 32)
    add(recipe={"margin": 0.3}, variant="wide")
    files = write(folder)
    text = files["clothing@full/test-vs-train.md"].decode()
    assert "| pretrained (layers=1, loss.weight=1, margin=0.0) " in text
    assert "| pretrained (layers=1+2, loss.weight=2, margin=0.3) " in text
    assert "| pretrained wide " in text
    rows = csv.DictReader(files["clothing@full/test-vs-train.csv"].decode().splitlines())
    assert {(row["variant"], row["settings"]) for row in rows} == {
        ("default", "layers=1, loss.weight=1, margin=0.0"),
        ("default", "layers=1+2, loss.weight=2, margin=0.3"),
        ("wide", ""),
    }


def test_the_csv_has_a_row_per_record_task_and_metric_in_full(add: Add, folder: Path) -> None:
    place = add(tasks=metrics(**{"hit@1": 1 / 3, "map@r": 0.75}))
    add(**OTHER)
    text = write(folder)["clothing@full/test-vs-train.csv"].decode()
    rows = list(csv.DictReader(text.splitlines()))
    assert len(rows) == 4
    assert list(rows[0]) == frames.VALUES
    [row] = [r for r in rows if r["backbone"] == "timm:resnet50" and r["metric"] == "hit@1"]
    assert float(row["mean"]) == 1 / 3
    assert row["record"] == place.stem
    of_records = csv.DictReader(write(folder)["records.csv"].decode().splitlines())
    [facts] = [facts for facts in of_records if facts["record"] == place.stem]
    assert facts["images_per_second"] == "170.2"


def test_the_index_links_every_table(add: Add, folder: Path) -> None:
    add()
    add(**OTHER)
    add(dataset={"edition": "mini"}, protocol="dress/all")
    lines = write(folder)["README.md"].decode().splitlines()
    tables = [
        [cell.strip() for cell in line.split("|")[1:-1]] for line in lines if line.startswith("| [")
    ]
    assert tables == [
        ["[clothing@full](clothing@full/README.md)",
         "[test-vs-train](clothing@full/test-vs-train.md)",
         "[csv](clothing@full/test-vs-train.csv)", "2"],
        ["[clothing@mini](clothing@mini/README.md)", "[dress/all](clothing@mini/dress--all.md)",
         "[csv](clothing@mini/dress--all.csv)", "1"],
    ]  # fmt: skip


def test_the_same_records_make_the_same_bytes_in_whatever_order_they_came(
    make_record: MakeRecord, tmp_path: Path
) -> None:
    made = [
        make_record(
            seed=seed,
            backbone={"name": f"timm:{name}", "weights": name},
            tasks=metrics(**{"hit@1": 0.5}),
        )
        for seed in (0, 1)
        for name in ("a", "b", "c")
    ]
    written = []
    for number, order in enumerate((made, made[::-1])):
        folder = tmp_path / f"{number}"
        for record in order:
            leaderboard.add(folder, finish(tmp_path / "run", record), replace=False)
        written.append(write(folder))
        assert write(folder) == written[-1]
        assert check(folder) == []
    assert written[0] == written[1]
    assert len(written[0]) == 6 + 6 + 1 + 5  # records, values, ledger, tables
    for name, content in written[0].items():
        assert name.endswith(".parquet") or b"\r" not in content


def test_a_record_may_be_added_by_its_file_and_twice(
    folder: Path, tmp_path: Path, make_record: MakeRecord
) -> None:
    finish(tmp_path / "run", make_record())
    places = [
        leaderboard.add(folder, source, replace=False)
        for source in (tmp_path / "run", tmp_path / "run" / "record.json")
    ]
    assert places[0] == places[1] == leaderboard.record_place(folder, make_record())
    assert Record.read(places[0]) == make_record()
    assert len(list(folder.rglob("*.json"))) == 1


def test_an_unfinished_or_altered_run_is_not_added(
    folder: Path, tmp_path: Path, make_record: MakeRecord
) -> None:
    run = tmp_path / "run"
    with pytest.raises(RecordError, match="is not a finished run; expected a folder with"):
        leaderboard.add(folder, run, replace=False)
    records.finish(run, make_record())
    write_text(run / "record.json", make_record(seed=5).to_json())
    with pytest.raises(RecordError, match="was altered after the run"):
        leaderboard.add(folder, run, replace=True)
    assert not folder.exists()


@pytest.mark.parametrize("replace", [False, True])
def test_two_protocol_fingerprints_never_share_a_table(
    replace: bool, add: Add, folder: Path
) -> None:
    add()
    before = write(folder)
    with pytest.raises(RecordError, match=r"has protocol fingerprint 77777777, .* has 22222222"):
        add(protocol_fingerprint="7" * 32, replace=replace, **OTHER)
    assert write(folder) == before


def test_a_record_of_another_fingerprint_put_there_by_hand_is_not_built(
    add: Add, folder: Path, make_record: MakeRecord
) -> None:
    place = add()
    record = make_record(protocol_fingerprint="7" * 32)
    write_text(place.with_name("by-hand.json"), record.to_json())
    with pytest.raises(RecordError, match="several protocol fingerprints"):
        leaderboard.build(folder, NOTHING)


def test_many_records_are_shared_out_over_processes_and_give_the_same(
    add: Add, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("clothing", "inshop", "zalando"):
        add(dataset={"name": name})
        add(dataset={"name": name}, protocol="leave-one-out", seed=1)
    alone = leaderboard.build(folder, NOTHING)
    monkeypatch.setattr(parts, "RECORDS_FOR_A_PROCESS", 3)
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    started, pool = [], parts.ProcessPoolExecutor

    def start(processes: int, **options: Any) -> Any:
        started.append(processes)
        return pool(processes, **options)

    monkeypatch.setattr(parts, "ProcessPoolExecutor", start)
    assert [*leaderboard.build(folder, NOTHING).items()] == [*alone.items()]
    assert started == [2]


def test_another_fingerprint_may_stand_beside_under_another_edition_or_protocol(add: Add) -> None:
    places = [
        add(),
        add(protocol_fingerprint="7" * 32, dataset={"edition": "mini"}),
        add(protocol_fingerprint="7" * 32, protocol="leave-one-out"),
    ]
    assert len({place.parent for place in places}) == 3


CHANGED = {"tasks": metrics(**{"hit@1": 0.625, "map@r": 0.25})}


def test_a_second_record_of_one_setting_needs_replace(add: Add, folder: Path) -> None:
    first = add()
    with pytest.raises(RecordError, match=r"is a record of the same setting; .* with --replace"):
        add(**CHANGED)
    assert list(folder.rglob("*.json")) == [first]
    second = add(**CHANGED, replace=True)
    assert second != first
    assert list(folder.rglob("*.json")) == [second]


@pytest.mark.parametrize(
    "changes",
    [
        {"seed": 1},
        {"variant": "wide"},
        {"recipe": {"stage": "blocks.5"}},
        {"backbone": {"weights": "8" * 32}},
        {"provenance": {"engine": "torch"}},
        {"provenance": {"precision": "bf16"}},
        {"provenance": {"device": "cuda"}},
    ],
)
def test_a_record_of_another_setting_stands_beside(
    changes: dict[str, Any], add: Add, folder: Path
) -> None:
    add()
    add(**changes)
    assert len(list(folder.rglob("*.json"))) == 2


def test_check_has_nothing_to_say_of_what_was_built(add: Add, folder: Path) -> None:
    add()
    write(folder)
    assert check(folder) == []


@pytest.mark.parametrize(
    "name", ["clothing@full/test-vs-train.md", "clothing@full/test-vs-train.csv", "README.md"]
)
def test_check_finds_an_edited_and_a_missing_table(name: str, add: Add, folder: Path) -> None:
    add()
    write(folder)
    file = folder / name
    content = file.read_bytes()
    for edited in (content + b"\n", content.replace(b"\n", b"\r\n")):
        file.write_bytes(edited)
        assert check(folder) == [f"{file}: differs from its records; run `bench leaderboard build`"]
    file.unlink()
    assert check(folder) == [f"{file}: missing; run `bench leaderboard build`"]


def test_check_finds_an_edited_record_though_the_tables_were_built_of_it(
    add: Add, folder: Path
) -> None:
    place = add()
    place.write_text(place.read_text().replace('"mean": 0.5', '"mean": 0.9'))
    write(folder)
    moved, contradicted, _ = check(folder)
    assert moved.startswith(f"{place}: its content belongs at {place.parent}")
    assert moved.endswith("; was it edited?")
    assert contradicted == f"{place}: task all, hit@1 0.9 is not in its interval [0.5, 0.5]"


def test_check_finds_a_moved_record(add: Add, folder: Path) -> None:
    place = add()
    moved = place.parents[1] / "leave-one-out" / place.name
    moved.parent.mkdir()
    shutil.move(place, moved)
    write(folder)
    assert f"{moved}: its content belongs at {place}; was it edited?" in check(folder)


def test_check_finds_a_table_whose_records_are_gone(add: Add, folder: Path) -> None:
    place = add()
    write(folder)
    place.unlink()
    problems = check(folder)
    for ending in (".csv", ".md"):
        table = folder / "clothing@full" / f"test-vs-train{ending}"
        assert f"{table}: no record stands behind this table" in problems


def test_check_refuses_a_file_that_is_no_record(add: Add, folder: Path) -> None:
    place = add()
    place.write_text("{}")
    with pytest.raises(RecordError, match="is not a record of schema 4"):
        check(folder)


def test_without_records_there_is_an_empty_index(folder: Path) -> None:
    folder.mkdir()
    assert list(write(folder)) == ["README.md", "records.csv"]
    assert check(folder) == []


def test_only_tables_of_a_mini_edition_warn_of_drawn_pictures(add: Add, folder: Path) -> None:
    add()
    add(dataset={"edition": "mini"})
    files = write(folder)
    warned = [name for name, content in files.items() if MINI_WARNING.encode() in content]
    assert warned == ["clothing@mini/README.md", "clothing@mini/test-vs-train.md"]
    for name in warned:
        text = files[name].decode()
        assert text.index(MINI_WARNING) < text.index("| method")


def test_names_can_neither_make_html_nor_columns(add: Add, folder: Path) -> None:
    evil = "a|b<script>&"
    [one] = metrics(**{"hit@1": 0.5})
    tasks = [one | {"task": evil}, one | {"task": evil + evil}]
    names = {"variant": evil, "protocol": evil, "dataset": {"name": evil}}
    mean = {"mean": tasks[0]["metrics"]}
    add(backbone={"name": evil, "source": evil}, tasks=tasks, **mean, **names)
    files = write(folder)
    for name, content in files.items():
        if name.endswith(".md"):
            assert b"<script>" not in content
            assert rb"a\|b&lt;script&gt;&amp;" in content
    text = files["a-b-script--@full/a-b-script--.md"].decode()
    rows = [line.replace("\\|", "") for line in text.splitlines()]
    of_metrics, _ = [row for row in rows if "| pretrained" in row[:24]]
    assert of_metrics.count("|") == 1 + 10  # ten columns with a bar around each
    [of_tasks] = [row for row in rows if row.startswith("| method")]
    assert of_tasks.count("ab&lt;script&gt;&amp;") == 3
    assert of_tasks.count("|") == 1 + 5
    tables = files["a-b-script--@full/a-b-script--.csv"].decode()
    assert next(csv.DictReader(tables.splitlines()))["variant"] == evil
    assert escaped("a\n\n# b\r\n| c") == "a # b \\| c", "and no lines"


def test_a_metric_that_only_newer_records_have_leaves_a_gap(add: Add, folder: Path) -> None:
    add(tasks=metrics(**{"hit@1": 0.5}))
    add(tasks=metrics(**{"hit@1": 0.25, "mrr": 0.5}), **OTHER)
    text = write(folder)["clothing@full/test-vs-train.md"].decode()
    assert "| hit@1 " in text
    assert "| mrr " in text
    [older] = [line for line in text.splitlines() if "timm:resnet50" in line]
    assert "| not measured " in older
    assert "**0.500** [0.500, 0.500]" in older


def test_a_mean_that_is_no_number_is_last_and_never_best(add: Add, folder: Path) -> None:
    add(tasks=metrics(**{"hit@1": float("nan")}))
    add(tasks=metrics(**{"hit@1": 0.25}), **OTHER)
    text = write(folder)["clothing@full/test-vs-train.md"].decode()
    first, last = [line for line in text.splitlines() if "| pretrained" in line[:24]]
    assert "**0.250** [0.250, 0.250]" in first
    assert "nan [nan, nan]" in last
    assert "**nan**" not in last


def test_equal_best_means_are_both_bold(add: Add, folder: Path) -> None:
    add()
    add(**OTHER)
    text = write(folder)["clothing@full/test-vs-train.md"].decode()
    assert text.count("**0.500**") == 2


def test_where_lower_is_better_the_lowest_is_first_and_bold(add: Add, folder: Path) -> None:
    for mean, other in ((0.5, {}), (0.25, OTHER)):
        tasks = metrics(**{"miss@5": mean})
        tasks[0]["metrics"]["miss@5"]["higher_is_better"] = False
        add(tasks=tasks, headline="miss@5", **other)
    text = write(folder)["clothing@full/test-vs-train.md"].decode()
    first, last = [line for line in text.splitlines() if "| pretrained" in line[:24]]
    assert "**0.250**" in first
    assert "0.500" in last
    assert "**0.500**" not in last


def value(mean: float) -> dict[str, float]:
    return {"mean": mean, "low": mean, "high": mean}


def several(colour: float, shape: float, mean: float) -> dict[str, Any]:
    """Return what a record of two tasks and their mean holds, the headline given of each."""
    tasks = [
        {"task": name, "queries": queries, "gallery": 60, "uncounted": 0,
         "relevant_per_query": 2.5, "metrics": {"hit@1": value(headline), "mrr": value(0.25)}}
        for name, queries, headline in (("colour", 1200, colour), ("shape", 40, shape))
    ]  # fmt: skip
    return {"tasks": tasks, "mean": {"hit@1": value(mean), "mrr": value(0.25)}}


def cells(text: str) -> list[list[str]]:
    """Return the cells of every row of every table in a Markdown text, rules left out."""
    rows = [line for line in text.splitlines() if line.startswith("|") and "---" not in line]
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in rows]


def test_several_tasks_make_a_table_of_their_mean_and_one_of_each(add: Add, folder: Path) -> None:
    add(**several(0.75, 0.25, 0.5))
    add(**several(0.5, 0.3, 0.4), variant="wide", **OTHER)
    text = write(folder)["clothing@full/test-vs-train.md"].decode()
    assert "2 tasks, 1,240 queries in all; each value is the plain mean over the tasks. " in text
    assert "## hit@1 of each task" in text
    header, first, second, tasks, queries, candidates, one, two = cells(text)
    assert header[4:6] == ["hit@1", "mrr"]
    assert first[:5] == ["1", "pretrained", "timm:resnet50", "pretrained",
                         "**0.500** [0.500, 0.500]"]  # fmt: skip
    assert second[:2] == ["2", "pretrained wide"]
    assert second[4:6] == ["0.400 [0.400, 0.400]", "**0.250** [0.250, 0.250]"]
    assert tasks == ["method", "backbone", "colour", "shape", "plain mean"]
    assert queries == ["queries", "", "1,200", "40", ""]
    assert candidates == ["candidates", "", "60", "60", ""]
    assert one == ["pretrained", "timm:resnet50, pretrained", "**0.750** [0.750, 0.750]",
                   "0.250 [0.250, 0.250]", "**0.500** [0.500, 0.500]"]  # fmt: skip
    assert two == ["pretrained wide", "timm:vgg16, pretrained", "0.500 [0.500, 0.500]",
                   "**0.300** [0.300, 0.300]", "0.400 [0.400, 0.400]"]  # fmt: skip


REPORTED = [
    Reported(variant="default", dataset="clothing", protocol="test-vs-train", task=task,
             metric="hit@1", value=value, queries=2000, gallery=None, source="Table <1>")
    for task, value in (("shape", 0.125), ("fabric", 0.5), ("", 0.3125))
]  # fmt: skip


class OfPapers(Papers):
    """Papers that report what a test says."""

    def __init__(self, numbers: dict[str, list[Reported]]) -> None:
        super().__init__(None)
        self.reported = numbers


def test_what_a_paper_reports_stands_below_in_the_same_form(add: Add, folder: Path) -> None:
    add(**several(0.75, 0.25, 0.5))
    elsewhere = REPORTED[0].model_copy(update={"protocol": "leave-one-out"})
    other = REPORTED[0].model_copy(update={"metric": "mrr"})
    numbers = {"pretrained": [*REPORTED, elsewhere, other]}
    files = leaderboard.build(folder, OfPapers(numbers))
    text = files[folder / "clothing@full/test-vs-train.md"]
    assert "## hit@1 as papers report it" in text
    assert "2,000 queries, an unknown number of gallery images." in text
    assert cells(text)[-2:] == [
        ["method", "shape", "fabric", "plain mean", "source"],
        [
            "pretrained",
            "0.125 (+0.125 here)",
            "0.500 (not measured)",
            "0.312 (+0.188 here)",
            "Table &lt;1&gt;",
        ],
    ]
    assert "Other images" not in text


def test_reported_numbers_of_one_task_stand_by_metric_and_away_from_drawn_pictures(
    add: Add, folder: Path
) -> None:
    add(dataset={"edition": "mini"})
    mean = REPORTED[2]
    numbers = [mean, mean.model_copy(update={"metric": "ndcg@7[attributes]"})]
    text = leaderboard.build(folder, OfPapers({"pretrained": numbers}))[
        folder / "clothing@mini/test-vs-train.md"
    ]
    assert cells(text)[-2:] == [["method", "hit@1", "source"],
                                ["pretrained", "0.312", "Table &lt;1&gt;"]]  # fmt: skip
    assert "Other images than above, so these rows compare with each other alone." in text


def test_the_mean_of_several_tasks_leads_and_not_the_first_of_them(add: Add, folder: Path) -> None:
    add(**several(1.0, 0.0, 0.5))
    add(**several(0.5, 0.75, 0.625), **OTHER)
    files = write(folder)
    text = files["clothing@full/test-vs-train.md"].decode()
    assert [row[2] for row in cells(text)[1:3]] == ["timm:vgg16", "timm:resnet50"]
    rows = csv.DictReader(files["clothing@full/test-vs-train.csv"].decode().splitlines())
    assert next(rows)["backbone"] == "timm:vgg16"


def test_the_csv_has_the_means_of_several_tasks_before_them(add: Add, folder: Path) -> None:
    add(**several(0.75, 0.25, 0.5))
    text = write(folder)["clothing@full/test-vs-train.csv"].decode()
    rows = list(csv.DictReader(text.splitlines()))
    columns = ("task", "metric", "queries", "gallery", "uncounted", "mean", "low", "high")
    assert [[row[name] for name in columns] for row in rows if row["metric"] == "hit@1"] == [
        ["plain mean over tasks", "hit@1", "1240", "", "0", "0.5", "0.5", "0.5"],
        ["colour", "hit@1", "1200", "60", "0", "0.75", "0.75", "0.75"],
        ["shape", "hit@1", "40", "60", "0", "0.25", "0.25", "0.25"],
    ]
    over_all = ["plain mean over tasks"] * 2
    assert [row["task"] for row in rows] == over_all + ["colour"] * 2 + ["shape"] * 2


def test_one_task_has_no_mean_beside_it(add: Add, folder: Path) -> None:
    add()
    files = write(folder)
    rows = csv.DictReader(files["clothing@full/test-vs-train.csv"].decode().splitlines())
    assert {row["task"] for row in rows} == {"all"}
    assert b"of each task" not in files["clothing@full/test-vs-train.md"]


def test_tables_of_several_tasks_are_checked_like_others(add: Add, folder: Path) -> None:
    place = add(**several(0.75, 0.25, 0.5))
    write(folder)
    assert check(folder) == []
    table = folder / "clothing@full/test-vs-train.md"
    table.write_text(table.read_text().replace("| shape ", "| colour "))
    [problem] = check(folder)
    assert problem == f"{table}: differs from its records; run `bench leaderboard build`"
    assert Record.read(place).mean["hit@1"].mean == 0.5


def test_options_of_the_data_stand_above_the_table_or_where_they_differ_with_the_method(
    add: Add, folder: Path
) -> None:
    for crop in ("full", "box"):
        add(dataset={"options": {"certainty": 1, "crop": crop, "file": ""}})
    text = next(c for name, c in write(folder).items() if name.endswith("test-vs-train.md"))
    assert b"\nRead with certainty=1.\n" in text
    assert b"| pretrained (crop=full) " in text
    assert b"| pretrained (crop=box) " in text


def test_a_table_of_a_part_of_the_data_says_how_much_is_there(add: Add, folder: Path) -> None:
    add(dataset={"coverage": {"images": (9332, 44441), "test": (372, 372)}})
    text = next(c for name, c in write(folder).items() if name.endswith("test-vs-train.md"))
    assert b"\nNot all of the published data: 9,332 of 44,441 images.\n" in text


# from here on: seeds, ties, values, the ledger


def runs_of(
    make_record: MakeRecord, tmp_path: Path, folder: Path, values: dict[str, Any], **changes: Any
) -> Path:
    """Add a run with these values of each query; return the record's place."""
    run = write_run(make_record, tmp_path / "runs" / str(len(list(tmp_path.rglob("DONE")))),
                    values, **changes)  # fmt: skip
    return leaderboard.add(folder, run, replace=False)


def rows_below(folder: Path) -> list[list[str]]:
    text = write(folder)["clothing@full/test-vs-train.md"].decode()
    return [row for row in cells(text) if row[1].startswith("pretrained")]


def test_side_by_side_are_the_numbers_of_one_setting_each(add: Add, folder: Path) -> None:
    for protocol, mean in (("test-vs-train", 0.5), ("leave-one-out", 0.75)):
        for source, worse in (("pretrained", 0), ("none", 0.25)):
            add(protocol=protocol, tasks=metrics(**{"hit@1": mean - worse}),
                backbone={"source": source, "weights": source})  # fmt: skip
    bf16 = {"precision": "bf16"}
    add(protocol="test-vs-train", tasks=metrics(**{"hit@1": 0.375}), provenance=bf16)
    text = write(folder)["clothing@full/README.md"].decode()
    header, _, _, *rows = cells(text)
    assert [name.partition("]")[0] for name in header[3:]] == ["[leave-one-out", "[test-vs-train"]
    found = {(method, weights): re.findall(r"0\.\d{3}(?=\**\s\[)", " ".join(numbers))
             for method, _, weights, *numbers in rows}  # fmt: skip
    assert found == {
        ("pretrained", "pretrained"): ["0.750", "0.500"],
        ("pretrained", "none"): ["0.500", "0.250"],
        ("pretrained (bf16)", "pretrained"): ["0.375"],
    }


def test_seeds_of_one_setting_make_one_row(
    make_record: MakeRecord, tmp_path: Path, folder: Path
) -> None:
    ones = np.arange(40) < 20
    for seed, hits in enumerate((ones, ones[::-1] | ones, ones)):
        weights = {"weights": f"random, seed {seed}"}
        runs_of(make_record, tmp_path, folder, {"hit@1": hits}, seed=seed, backbone=weights)
    [row] = rows_below(folder)
    deviation = np.std([0.5, 1, 0.5], ddof=1)
    assert row[4].startswith(f"**0.667** ± {deviation:.3f} [")
    assert row[-1] == "0, 1, 2"
    csv_rows = csv.DictReader((folder / "clothing@full/test-vs-train.csv").read_text().splitlines())
    assert sorted(row["seed"] for row in csv_rows) == ["0", "1", "2"]


def test_rows_tie_where_a_paired_test_cannot_tell_them_apart(
    make_record: MakeRecord, tmp_path: Path, folder: Path
) -> None:
    generator = np.random.default_rng(0)
    best = generator.random(400) < 0.8
    nearly = best.copy()
    nearly[np.flatnonzero(best)[:3]] = False
    for number, hits in enumerate((best, nearly, generator.random(400) < 0.3)):
        runs_of(make_record, tmp_path, folder, {"hit@1": hits}, variant=f"v{number}")
    first, second, third = rows_below(folder)
    assert [row[0] for row in (first, second, third)] == ["1–2", "1–2", "3"]
    assert [row[4].startswith("**") for row in (first, second, third)] == [True, True, False]


def test_a_record_without_values_has_no_rank_and_is_said_to(
    make_record: MakeRecord, tmp_path: Path, folder: Path
) -> None:
    hits = np.arange(40) < 20
    places = [
        runs_of(make_record, tmp_path, folder, {"hit@1": hits}, variant=variant)
        for variant in ("a", "b")
    ]
    places[0].with_suffix(".parquet").unlink()
    assert sorted(row[0] for row in rows_below(folder)) == ["1", "–"]
    said: list[str] = []
    assert leaderboard.check(folder, NOTHING, said.append) == []
    assert said == ["1 of 2 records stand without the values of each query; their numbers were "
                    "checked against each other alone"]  # fmt: skip


def test_values_of_other_queries_do_not_join(
    make_record: MakeRecord, tmp_path: Path, folder: Path
) -> None:
    hits = np.arange(40) < 20
    runs_of(make_record, tmp_path, folder, {"hit@1": hits})
    with pytest.raises(RecordError, match="asks other queries than pretrained--default"):
        runs_of(make_record, tmp_path, folder, {"hit@1": hits}, variant="b",
                names={"query": [f"other {n}" for n in range(40)]})  # fmt: skip


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        ({"mean": 0.575}, "hit@1 0.575 is no mean of 37 zeros and ones"),
        ({"mean": 0.9}, "hit@1 0.9 is not in its interval"),
        ({"low": 0.1}, "hit@1: interval [0.1, "),
        ({"category_mean": 0.25}, "hit@1: mean over categories 0.25 is another one"),
        ({"mean": 22 / 37}, "does not hold the queries and means"),
    ],
)
def test_a_number_that_its_queries_do_not_give_is_found(
    edit: dict[str, float], said: str, make_record: MakeRecord, tmp_path: Path, folder: Path
) -> None:
    hits = np.where(np.arange(40) < 37, np.arange(40) % 2, np.nan)
    names = {"category": ["dress", "coat"] * 20}
    place = runs_of(make_record, tmp_path, folder, {"hit@1": hits}, names=names)
    record = json.loads(place.read_text())
    record["tasks"][0]["uncounted"] = 3
    record["tasks"][0]["metrics"]["hit@1"] |= edit
    values = place.with_suffix(".parquet")
    edited = leaderboard.record_place(folder, Record.model_validate(record))
    values.rename(edited.with_suffix(".parquet"))
    place.unlink()
    edited.write_text(Record.model_validate(record).to_json())
    write(folder)
    assert said in "; ".join(check(folder))


def test_a_curve_and_a_mean_over_tasks_have_to_fit(add: Add, folder: Path) -> None:
    tasks = metrics(**{"hit@1": 0.5, "ndcg@2[attributes]": 0.25})
    tasks[0]["curves"] = {"hit": [0.5], "ndcg[attributes]": [0.1, 0.2]}
    add(tasks=tasks)
    found = several(0.75, 0.25, 0.5)
    found["mean"]["hit@1"]["mean"] = 0.625
    add(**found, protocol="leave-one-out")
    write(folder)
    mean, curve = [problem.partition(": ")[2] for problem in check(folder)]
    assert curve == "task all, ndcg@2[attributes] 0.25, but its curve has 0.2 there"
    assert mean == "hit@1 0.625 is not the plain mean over its tasks"


def test_a_record_is_taken_away_with_a_reason_alone(add: Add, folder: Path) -> None:
    place, other = add(), add(**OTHER)
    write(folder)
    with pytest.raises(RecordError, match="--why is empty"):
        leaderboard.remove(folder, place, " ")
    with pytest.raises(RecordError, match="is not below"):
        leaderboard.remove(folder, folder / "README.md", "x")
    leaderboard.remove(folder, place.resolve(), "the weights had seen\n the queries")
    assert not place.exists()
    assert not place.with_suffix(".parquet").exists()
    write(folder)
    assert check(folder) == []
    named = place.relative_to(folder / "records").as_posix()
    assert f"{named},the weights had seen the queries\n" in (
        folder / "records/ledger.csv"
    ).read_text()  # fmt: skip
    other.unlink()
    assert check(folder)[0] == (
        f"{other}: was taken away without a reason; put it back, or use "
        "`bench leaderboard remove --why`"
    )


def test_a_record_that_is_not_in_the_ledger_is_found(add: Add, folder: Path) -> None:
    place = add()
    write(folder)
    ledger = folder / "records/ledger.csv"
    ledger.write_text(ledger.read_text().splitlines()[0] + "\n")
    assert check(folder) == [f"{place}: is not in the ledger; add it with `bench leaderboard add`"]
    ledger.write_text("record\n")
    with pytest.raises(RecordError, match="is no ledger; expected the columns"):
        check(folder)


def test_a_replaced_record_has_its_reason_in_the_ledger(add: Add, folder: Path) -> None:
    first = add()
    second = add(tasks=metrics(**{"hit@1": 0.25}), replace=True)
    lines = (folder / "records/ledger.csv").read_text()
    assert f"{first.name},replaced by {second.name} of the same setting\n" in lines
    write(folder)
    assert check(folder) == []


def test_runs_are_found_below_a_folder(make_record: MakeRecord, tmp_path: Path) -> None:
    runs = [write_run(make_record, tmp_path / "runs/clothing@full/p" / n, {"hit@1": [1.0]})
            for n in ("a", "b")]  # fmt: skip
    assert leaderboard.runs_below(tmp_path / "runs") == runs
    assert leaderboard.runs_below(runs[0]) == [runs[0]]
    (tmp_path / "empty").mkdir()
    with pytest.raises(RecordError, match="holds no finished run"):
        leaderboard.runs_below(tmp_path / "empty")


# the site


def site_of(folder: Path, to: Path) -> Path:
    for name, text in site.pages(folder, leaderboard.build(folder, NOTHING)).items():
        write_text(to / name, text)
    return to


def test_a_site_has_every_page_and_leads_to_pages_of_its_own_alone(
    add: Add, folder: Path, tmp_path: Path
) -> None:
    add(variant="<b>|![x](http://evil.example)")
    to = site_of(folder, tmp_path / "site")
    names = {path.relative_to(to).as_posix() for path in to.rglob("*") if path.is_file()}
    assert names == {
        "index.html", "records.csv", "clothing@full/index.html",
        "clothing@full/test-vs-train.html", "clothing@full/test-vs-train.csv",
    }  # fmt: skip
    for page in to.rglob("*.html"):
        text = page.read_text()
        assert "<b>" not in text
        assert "<img" not in text
        for link in re.findall(r'href="([^"]*)"', text):
            assert (page.parent / link).is_file(), link


@pytest.mark.skipif(not shutil.which("chromium"), reason="no browser (chromium) is installed")
def test_a_click_sorts_a_column_in_a_browser(add: Add, folder: Path, tmp_path: Path) -> None:
    for variant, mean in (("a", 0.25), ("b", 0.5), ("c", 0.125)):
        add(variant=variant, tasks=metrics(**{"hit@1": mean, "map@r": 1 - mean}))
    page = site_of(folder, tmp_path / "site") / "clothing@full/test-vs-train.html"
    clicked = page.with_name("clicked.html")
    heads = "[...document.querySelectorAll('th')]"
    clicked.write_text(
        page.read_text().replace(
            "</body>",
            f"<script>{heads}.find(th => th.textContent.startsWith('map@r')).click();"
            "document.title = [...document.querySelectorAll('tbody tr')]"
            ".map(row => row.cells[1].textContent.split(' ')[1]).join('')</script></body>",
        )
    )
    done = subprocess.run(
        ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync",
         f"--user-data-dir={tmp_path / 'browser'}", "--dump-dom", clicked.as_uri()],
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    assert "<title>cab</title>" in done.stdout
