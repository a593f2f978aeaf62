"""Somebody's rankings become a record like a run's; what they cannot tell is left out by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from bench import records
from bench.errors import DataError, IncompatibleError, UserError
from bench.given_rankings import targets
from bench.plugins import Registry
from bench.ranking_files import RankingFile
from bench.records import Record
from bench.run import Outcome
from bench.submissions import Submission, score
from bench.tasks import TripletTask

REGISTRY = Registry.load([Path(__file__).parents[1] / "helpers" / "toy_dataset.py"])
TOY = REGISTRY.dataset("toy").build("toy")
CATALOG = TOY.load(Path("nowhere"))
PROTOCOLS = {protocol.name: protocol for protocol in TOY.protocols(CATALOG)}
IDS = CATALOG.images["id"].to_numpy(dtype=object)


def rankings(depth: int, seed: int = 0) -> pd.DataFrame:
    """Return a random ranking of leave-one-out, `depth` deep."""
    generator = np.random.default_rng(seed)
    rows = []
    for query, name in enumerate(IDS):
        others = generator.permutation(np.delete(np.arange(len(IDS)), query))[:depth]
        rows += [(name, IDS[row], rank) for rank, row in enumerate(others, start=1)]
    return pd.DataFrame(rows, columns=["query", "gallery", "rank"])


def submit(file: Path, notices: list[str] | None = None, **changes: Any) -> Outcome:
    request = {
        "file": RankingFile(file), "method": "theirs", "dataset": "toy",
        "protocols": ["leave-one-out"], "data_root": file.parent, "runs": file.parent / "runs",
    } | changes  # fmt: skip
    notice = [].append if notices is None else notices.append
    return score(Submission(**request), REGISTRY, notice)


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    file = tmp_path / "whole.csv"
    rankings(len(IDS)).to_csv(file, index=False)
    return file


def test_the_record_says_what_was_stated_and_that_no_model_ran(whole: Path) -> None:
    notices: list[str] = []
    outcome = submit(whole, notices, backbone="ViT-B/16", variant="large", seed=3,
                     trained_on="a private set", metrics=["hit@3"])  # fmt: skip
    record = outcome.record
    assert notices == []
    assert not outcome.was_finished
    assert (record.origin, record.method, record.variant) == ("ranking", "theirs", "large")
    assert (record.backbone.name, record.backbone.trained_on) == ("ViT-B/16", "a private set")
    assert (record.backbone.source, record.provenance.engine) == ("not stated", "ranking file")
    assert (record.parameters, record.flops_per_image, record.dimension) == (0, 0, 0)
    assert (record.seed, record.recipe) == (3, {"ranks": 24})
    assert list(record.tasks[0].metrics)[-1] == "hit@3"
    assert records.finished(outcome.folder) == record
    names = {path.name for path in outcome.folder.iterdir()}
    assert names >= {"record.json", "rankings.parquet", "per_query.parquet", "DONE"}
    kept = pq.read_table(outcome.folder / "rankings.parquet").to_pandas()
    expected = rankings(len(IDS))
    assert kept[["query", "gallery", "rank"]].values.tolist() == expected.values.tolist()
    frame = pq.read_table(outcome.folder / "per_query.parquet").to_pandas()
    first = expected[expected["rank"] == 1].set_index("query")["gallery"]
    item = dict(zip(IDS, CATALOG.images["item"], strict=True))
    right = [float(item[query] == item[first[query]]) for query in frame["query"]]
    assert frame["hit@1"].tolist() == right


def test_the_same_file_is_answered_from_its_folder_and_another_is_not(whole: Path) -> None:
    first = submit(whole)
    renamed = whole.with_name("renamed.csv")
    renamed.write_bytes(whole.read_bytes())
    again = submit(renamed)
    assert again.was_finished
    assert again.folder == first.folder
    assert again.record == first.record
    rankings(24, seed=1).to_csv(whole, index=False)
    assert submit(whole).folder != first.folder
    assert submit(renamed, backbone="named now").folder != first.folder


def test_a_run_s_own_rankings_score_as_they_did(whole: Path) -> None:
    first = submit(whole)
    second = submit(first.folder / "rankings.parquet", runs=whole.parent / "again")
    assert second.record.tasks == first.record.tasks
    for name in ("rankings.parquet", "per_query.parquet"):
        expected = pq.read_table(first.folder / name)
        assert pq.read_table(second.folder / name).equals(expected)


def test_metrics_that_need_deeper_ranks_are_left_out_and_named(tmp_path: Path) -> None:
    file, notices = tmp_path / "four.csv", []
    rankings(4).to_csv(file, index=False)
    record = submit(file, notices).record
    assert list(record.tasks[0].metrics) == ["hit@1", "map@r"]  # three are relevant to each
    assert record.recipe == {"ranks": 4}
    left_out = [notice.partition(" is left out: ") for notice in notices]
    assert [head.rpartition(" ")[2] for head, _, _ in left_out] == [
        "hit@50", "precision@5", "recall@5", "mrr"]  # fmt: skip
    assert left_out[0][2] == "it needs 23 ranks of a query for which 4 are known"
    deep = tmp_path / "whole.csv"
    rankings(24).to_csv(deep, index=False)
    expected = submit(deep).record.tasks[0]
    assert record.tasks[0].metrics["map@r"].mean == expected.metrics["map@r"].mean


def test_curves_end_where_the_ranks_do(tmp_path: Path) -> None:
    file = tmp_path / "four.csv"
    rankings(4).to_csv(file, index=False)
    whole = tmp_path / "whole.csv"
    rankings(24).to_csv(whole, index=False)
    curve = submit(file).record.tasks[0].curves["hit"]
    assert curve == submit(whole).record.tasks[0].curves["hit"][:4]


def test_a_metric_asked_for_and_the_headline_are_never_left_out(tmp_path: Path) -> None:
    file = tmp_path / "one.csv"
    rankings(1).to_csv(file, index=False)
    with pytest.raises(IncompatibleError, match=r"hit@3 was asked for and needs 3 ranks .* 1 are"):
        submit(file, metrics=["hit@3"])
    assert not (tmp_path / "runs").exists()
    parts = [
        pd.DataFrame({
            "task": task.name, "query": IDS[task.queries], "target": targets(task, CATALOG),
            "gallery": IDS[0], "rank": 1,
        })
        for task in PROTOCOLS["manipulation"].tasks
    ]  # fmt: skip
    pd.concat(parts).to_csv(file, index=False)
    with pytest.raises(IncompatibleError, match="hit@20 leads the protocol and needs 18 ranks"):
        submit(file, protocols=["manipulation"])


@pytest.mark.parametrize("name", ["triplets", "recognition"])
def test_rankings_of_two_images_and_of_values_are_scored(name: str, tmp_path: Path) -> None:
    rows: list[tuple[str, str, str, int]] = []
    expected: dict[str, list[bool]] = {}
    for number, task in enumerate(PROTOCOLS[name].tasks):
        for place, query in enumerate(task.queries):
            right = (place + number) % 3 > 0
            if isinstance(task, TripletTask):
                own, others = IDS[task.positives[place]], [IDS[task.negatives[place]]]
            else:
                own = task.values[task.labels[place]]
                others = [value for value in task.values if value != own]
            ranked = [own, *others] if right else [*others, own]
            rows += [(task.name, IDS[query], value, rank)
                     for rank, value in enumerate(ranked, start=1)]  # fmt: skip
            expected.setdefault(task.name, []).append(right)
    file = tmp_path / "a.parquet"
    pd.DataFrame(rows, columns=["task", "query", "gallery", "rank"]).to_parquet(file)
    record = submit(file, protocols=[name]).record
    for task in record.tasks:
        assert task.metrics[record.headline].mean == np.mean(expected[task.task])
    assert set(record.pooled) == set(record.mean) == {record.headline}


def test_one_protocol_is_scored_and_the_file_must_answer_it(whole: Path) -> None:
    with pytest.raises(UserError, match="--protocol leave-one-out or manipulation or triplets"):
        submit(whole, protocols=[])
    with pytest.raises(DataError, match="unknown task ''; expected collar, colour/hue"):
        submit(whole, protocols=["manipulation"])
    with pytest.raises(UserError, match="--method is empty"):
        submit(whole, method=" ")


def test_a_record_of_rankings_is_read_back(whole: Path) -> None:
    outcome = submit(whole)
    assert Record.read(outcome.folder / "record.json") == outcome.record
