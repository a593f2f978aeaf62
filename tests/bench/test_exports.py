"""Exports: what trec_eval makes of them is what the run says, and they read back as they were."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import pytrec_eval
from toy_rankings import IDS, PROTOCOLS, REGISTRY, score_random

from bench import records
from bench.errors import RecordError, UserError
from bench.exports import Exporter, FinishedRun
from bench.ranking_files import RankingFile, trec_name
from bench.records import Record
from bench.run import Listener, Outcome
from bench.submissions import Submission, score

OURS = {  # the metric and what trec_eval calls it; map_cut divides by R as our map@r with R = k
    "hit@1": "success_1", "hit@2": "success_2", "precision@5": "P_5", "recall@5": "recall_5",
    "mrr": "recip_rank", "map": "map", "ndcg@5[relevance]": "ndcg_cut_5", "map@3": "map_cut_3",
}  # fmt: skip


def exporter(folder: Path, **changes: Any) -> Exporter:
    listener = Listener(print, lambda *_: None)
    run = FinishedRun.open(folder)
    return Exporter(run, REGISTRY, listener, **{"data_root": folder.parents[3]} | changes)


def evaluated(run: Path, qrels: Path, *measures: str) -> dict[str, dict[str, float]]:
    with run.open() as file:
        ranked = pytrec_eval.parse_run(file)
    with qrels.open() as file:
        judged = pytrec_eval.parse_qrel(file)
    return dict(pytrec_eval.RelevanceEvaluator(judged, set(measures)).evaluate(ranked))


def test_trec_eval_finds_every_value_of_the_run(tmp_path: Path) -> None:
    outcome = score_random(tmp_path, "leave-one-out", metrics=tuple(OURS))
    run, qrels = exporter(outcome.folder).rankings(tmp_path / "out")
    assert (run.name, qrels.name) == ("all.run", "all.qrels")
    theirs = evaluated(run, qrels, *OURS.values())
    values = pq.read_table(outcome.folder / "per_query.parquet").to_pandas().set_index("query")
    assert len(theirs) == len(values) == len(IDS)
    for query, ours in values.iterrows():
        for name, measure in OURS.items():
            assert theirs[trec_name(query)][measure] == pytest.approx(ours[name]), (query, name)


@pytest.mark.parametrize("protocol", ["manipulation", "triplets", "recognition"])
def test_each_task_has_its_files_which_trec_eval_reads(protocol: str, tmp_path: Path) -> None:
    outcome = score_random(tmp_path, protocol)
    files = exporter(outcome.folder).rankings(tmp_path / "out")
    names = [f"{task}.{end}" for task in ("collar", "colour--hue") for end in ("run", "qrels")]
    assert [file.name for file in files] == names
    values = pq.read_table(outcome.folder / "per_query.parquet").to_pandas()
    headline = outcome.record.headline
    cut = 20 if headline == "hit@20" else 1
    for task, run, qrels in (("collar", *files[:2]), ("colour/hue", *files[2:])):
        theirs = evaluated(run, qrels, f"success.{cut}")
        ours = values[values["task"] == task]
        assert len(theirs) == len(ours)
        for query, target, value in ours[["query", "target", headline]].itertuples(index=False):
            name = trec_name(task, query, *([target] if target else []))
            assert theirs[name][f"success_{cut}"] == value


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_an_exported_run_scores_as_the_run_did(protocol: str, tmp_path: Path) -> None:
    outcome = score_random(tmp_path, protocol)
    files = exporter(outcome.folder).rankings(tmp_path / "out")
    together = tmp_path / "all.run"
    together.write_text("".join(file.read_text() for file in files if file.suffix == ".run"))
    again = score(
        Submission(file=RankingFile(together), method="again", dataset="toy",
                   protocols=[protocol], data_root=tmp_path, runs=tmp_path / "runs"),
        REGISTRY, print,
    )  # fmt: skip
    assert again.record.tasks == outcome.record.tasks
    assert (again.record.mean, again.record.pooled) == (outcome.record.mean, outcome.record.pooled)
    for name in ("rankings.parquet", "per_query.parquet"):
        expected = pq.read_table(outcome.folder / name)
        assert pq.read_table(again.folder / name).equals(expected)


def test_lines_have_six_and_four_fields_whatever_the_names(tmp_path: Path) -> None:
    outcome = score_random(tmp_path, "manipulation")
    for file in exporter(outcome.folder).rankings(tmp_path / "out"):
        lines = file.read_text().splitlines()
        assert lines
        assert {len(line.split()) for line in lines} == {6 if file.suffix == ".run" else 4}
    first = (tmp_path / "out" / "collar.run").read_text().splitlines()[0].split()
    assert first[0] == "collar;no%2018%3B%20round%20100%25;v%20neck"
    assert first[3:] == ["1", "100", "the%20method--default"]


def test_what_is_there_is_written_over_only_when_asked(tmp_path: Path) -> None:
    outcome = score_random(tmp_path, "leave-one-out")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "all.qrels").write_text("mine\n")
    with pytest.raises(UserError, match=r"all\.qrels is there already; write over it with --repl"):
        exporter(outcome.folder).rankings(tmp_path / "out")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["all.qrels"]
    exporter(outcome.folder, replace=True).rankings(tmp_path / "out")
    assert "mine" not in (tmp_path / "out" / "all.qrels").read_text()


def test_a_run_is_opened_by_its_folder_or_record_and_only_when_finished(tmp_path: Path) -> None:
    outcome = score_random(tmp_path, "leave-one-out")
    assert FinishedRun.open(outcome.folder).record == outcome.record
    assert FinishedRun.open(outcome.folder / "record.json").folder == outcome.folder
    with pytest.raises(RecordError, match="not a finished run; expected a folder with"):
        FinishedRun.open(tmp_path)


def changed(outcome: Outcome, **fields: Any) -> Path:
    """Return the run's folder with another record, finished as such."""
    record = Record.model_validate(outcome.record.model_dump() | fields)
    records.finish(outcome.folder, record)
    return outcome.folder


def test_other_data_than_the_run_s_are_refused(tmp_path: Path) -> None:
    folder = changed(score_random(tmp_path, "leave-one-out"), protocol_fingerprint="0" * 32)
    with pytest.raises(RecordError, match="has fingerprint 00000000 in the record and"):
        exporter(folder).rankings(tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_run_that_lost_its_rankings_is_named(tmp_path: Path) -> None:
    folder = score_random(tmp_path, "leave-one-out").folder
    for content in (b"no parquet", None):
        file = folder / "rankings.parquet"
        file.unlink() if content is None else file.write_bytes(content)
        with pytest.raises(RecordError, match=r"rankings\.parquet: .*; remove the run's folder"):
            exporter(folder, replace=True).rankings(tmp_path / "out")


def test_rankings_from_a_file_have_no_features(tmp_path: Path) -> None:
    outcome = score_random(tmp_path, "leave-one-out")
    with pytest.raises(RecordError, match="scored from a file of rankings; it has no features"):
        exporter(outcome.folder).features(tmp_path / "a.npy")
    with pytest.raises(UserError, match=r"expected a name that ends in \.parquet or \.npy"):
        exporter(outcome.folder).features(tmp_path / "a.h5")
