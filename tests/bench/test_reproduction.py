"""A record is made again from itself alone; what may differ, and what is refused."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from toy_training import PLUGIN, Toy, draw

from bench import engines, features, leaderboard
from bench.errors import IncompatibleError, RecordError, UnknownNameError
from bench.plugins import Registry
from bench.records import MetricValue, Record
from bench.reproduction import (
    OtherQuestionsError,
    Reproduction,
    Value,
    beside,
    data_request,
    pairs,
    reproduce,
    request_of,
    tolerance_of,
)
from bench.run import Listener, Outcome

REGISTRY = Registry.load([PLUGIN])
STAGE = {"name": "a", "key": "0", "epochs": 1, "steps": 1, "parameters": 1, "selection": "last",
         "chosen_epoch": 1, "losses": {}, "validation_loss": None, "damaged": 0}  # fmt: skip


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Toy:
    """Return a finished training of a toy, with its own threads."""
    folder = tmp_path_factory.mktemp("toy")
    toy = Toy(folder, draw(folder), REGISTRY)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BENCH_CACHE", str(folder / "cache"))
        before = torch.get_num_threads()
        torch.set_num_threads(1)
        toy.outcomes(protocols=["query-vs-gallery"], metrics=["hit@3"], variant="early")
        torch.set_num_threads(before)
    return toy


@pytest.fixture
def record(toy: Toy, tmp_path: Path) -> Path:
    """Return the record of that training, alone in a folder."""
    (found,) = toy.folder.glob("runs/*/*/*/record.json")
    (tmp_path / "a.json").write_bytes(found.read_bytes())
    return tmp_path / "a.json"


def again(record: Path, notices: list[str] | None = None, **changes: Any) -> Reproduction:
    notice = [].append if notices is None else notices.append
    options = {"data_root": None, "runs": None, "tolerance": None, "command": "here"} | changes
    return reproduce(record, REGISTRY, listener=Listener(notice, lambda *_: None), **options)


def edit(record: Path, **changes: Any) -> Path:
    content = json.loads(record.read_text())
    for name, change in changes.items():
        content[name] = content[name] | change if isinstance(change, dict) else change
    record.write_text(json.dumps(content))
    return record


def test_a_training_is_made_again_bit_for_bit_with_the_threads_of_the_record(
    toy: Toy, record: Path, tmp_path: Path
) -> None:
    torch.set_num_threads(2)
    found = again(record)
    assert torch.get_num_threads() == 2
    assert (found.identical, found.same_environment, found.changed) == (True, True, {})
    assert found.outcome.record.digest == found.recorded.digest == Record.read(record).digest
    assert found.outcome.record.provenance.command == "here"
    assert {value.difference for value in found.values} == {0.0}
    assert "hit@3" in {value.metric for value in found.values}
    assert not found.outcome.folder.exists()
    assert len(list(toy.folder.glob("runs/*/*/*/record.json"))) == 1


def test_it_is_trained_and_extracted_again_and_kept_where_asked(
    record: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Path | None] = []
    extract = features.extract

    def watched(plan: Any, *arguments: Any, **options: Any) -> Any:
        seen.append(plan.stores)
        assert not list(plan.stores.iterdir())
        return extract(plan, *arguments, **options)

    monkeypatch.setattr(features, "extract", watched)
    runs = tmp_path / "kept"
    found = again(record, runs=runs)
    digest = Record.read(record).digest[:8]
    assert found.outcome.folder.is_relative_to(runs / f"reproduction-{digest}")
    assert (found.outcome.folder / "DONE").is_file()
    assert list(runs.rglob("training/*/log.jsonl"))
    assert seen
    assert not list(runs.rglob("features*"))
    with pytest.raises(RecordError, match="finished before; remove it, or name another folder"):
        again(record, runs=runs)


def test_what_differs_is_measured_against_its_tolerance(record: Path) -> None:
    tasks = json.loads(record.read_text())["tasks"]
    value = tasks[0]["metrics"]["hit@1"]
    few = 2 / tasks[0]["queries"]
    value["mean"] -= max(0.02, few, (value["high"] - value["low"]) / 2) + 0.001
    tasks[0]["metrics"]["map@r"]["mean"] += 0.001
    edit(record, tasks=tasks, provenance={"machine": "an abacus", "git_commit": "0" * 40})
    found = again(record)
    assert [value.metric for value in found.beyond] == ["hit@1"]
    assert found.farthest.metric == "hit@1"
    assert not found.identical
    assert found.changed["machine"][0] == "an abacus"
    assert not found.same_environment
    assert again(record, tolerance=2.0).beyond == []
    assert {v.metric for v in again(record, tolerance=0.0).beyond} == {"hit@1", "map@r"}


def test_other_data_or_another_protocol_is_no_reproduction(record: Path) -> None:
    edit(record, protocol_fingerprint="2" * 32)
    with pytest.raises(OtherQuestionsError, match="has protocol fingerprint 22222222, the data"):
        again(record)
    edit(record, dataset={"annotations": "1" * 32})
    with pytest.raises(OtherQuestionsError, match="has annotations 11111111, the data here have"):
        again(record)


def test_what_cannot_be_made_again_is_said_in_one_line(record: Path) -> None:
    with pytest.raises(RecordError, match=r"was made of rankings.* `bench score`"):
        again(edit(record, origin="ranking"))
    with pytest.raises(UnknownNameError, match="unknown method 'toy-nett'; did you mean toy-net"):
        again(edit(record, origin="run", method="toy-nett"))
    with pytest.raises(RecordError, match="No such file"):
        again(record.with_name("absent.json"))


def test_another_device_is_taken_where_that_of_the_record_is_absent(
    record: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "_cuda_is_available", lambda: False)
    notices: list[str] = []
    found = again(edit(record, provenance={"device": "cuda", "device_name": "H200"}), notices)
    assert "the record was made on cuda, which is not here; running on cpu" in notices
    assert found.changed["device"] == ("cuda, H200", "cpu, cpu")
    assert not found.same_environment
    assert len(notices) == len({*notices})


def test_what_is_trained_may_differ_as_seeds_do(make_record: Callable[..., Record]) -> None:
    wide, narrow = (
        MetricValue(mean=0.5, low=0.4, high=0.6),
        MetricValue(mean=0.5, low=0.5, high=0.5),
    )
    unknown = MetricValue(mean=math.nan, low=math.nan, high=math.nan)
    learnt, fixed = make_record(training=[STAGE]), make_record()
    assert tolerance_of(learnt, wide, 1000) == pytest.approx(0.1)
    assert tolerance_of(learnt, narrow, 1000) == tolerance_of(learnt, unknown, 1000) == 0.02
    assert {tolerance_of(fixed, value, 1000) for value in (wide, narrow, unknown)} == {0.002}
    assert (tolerance_of(learnt, narrow, 16), tolerance_of(fixed, narrow, 16)) == (2 / 16, 1 / 16)


def test_a_finished_run_stands_beside_the_record_of_its_experiment(
    toy: Toy, tmp_path: Path
) -> None:
    (run,) = [path.parent for path in toy.folder.glob("runs/*/*/*/record.json")]
    place = leaderboard.add(tmp_path, run, replace=False)
    assert pairs(tmp_path, toy.folder / "runs") == [(place, run)]
    found = beside(place, run, None)
    assert found.identical
    assert found.same_environment
    edit(place, seed=5)
    with pytest.raises(RecordError, match="has a record of the same experiment below"):
        pairs(tmp_path, toy.folder / "runs")
    with pytest.raises(RecordError, match="is no finished run of the experiment"):
        beside(place, run, None)


def test_a_difference_of_exactly_the_tolerance_is_within_and_nan_is_no_number(
    make_record: Callable[..., Record],
) -> None:
    assert Value("all", "hit@1", 0.5, 0.502, 0.002).within
    assert not Value("all", "hit@1", 0.5, 0.50201, 0.002).within
    assert Value("all", "hit@1", math.nan, math.nan, 0.0).within
    lost = Value("all", "hit@1", 0.5, math.nan, 1.0)
    assert not lost.within
    near = Value("all", "map@r", 0.5, 0.4, 1.0)
    record = make_record()
    found = Reproduction(record, Outcome(record, Path(), False), [near, lost], {})
    assert (found.beyond, found.farthest) == ([lost], lost)


@pytest.mark.parametrize(
    ("dataset", "options", "crop", "asked"),
    [
        ("clothing", {"crop": "full"}, "full", {}),
        ("clothing", {}, "box", {}),
        # an option of the data themselves
        ("cub200", {"certainty": 1, "crop": "box"}, "box", {"certainty": 1, "crop": "box"}),
        ("cub200", {"certainty": 1, "crop": "full"}, "box", {"certainty": 1, "crop": "full"}),
    ],
)
def test_a_request_has_the_crop_and_the_options_of_the_record(
    dataset: str, options: dict[str, Any], crop: str, asked: dict[str, Any],
    make_record: Callable[..., Record],
) -> None:  # fmt: skip
    record = make_record(dataset={"name": dataset, "options": options, "damaged": 1})
    request = request_of(record, Path("a"), REGISTRY, data_root=None, runs=Path("runs"))
    assert (request.crop, request.options, request.skip_damaged) == (crop, asked, True)
    assert data_request(record, REGISTRY, data_root=None).options == asked
    made = record.provenance
    execution = request.execution
    assert (execution.engine, execution.batch_size) == (made.engine, made.batch_size)


def test_boxes_of_a_detector_are_not_in_a_record(make_record: Callable[..., Record]) -> None:
    record = make_record(dataset={"options": {"crop": "detector darn-proposals a 0123"}})
    with pytest.raises(IncompatibleError, match="boxes of a detector darn-proposals a 0123"):
        request_of(record, Path("a"), REGISTRY, data_root=None, runs=Path("runs"))
