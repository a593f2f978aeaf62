"""Bundles: the same bytes each time; what is edited is found, what is hostile is refused."""

from __future__ import annotations

import io
import json
import math
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from run_folders import write_run
from toy_rankings import REGISTRY, score_random

from bench import bundles, scoring
from bench.bundle_comment import comment
from bench.bundles import NAMES, Checked, Rescored, bundle_name, write_bundle
from bench.errors import RecordError, UserError
from bench.records import MetricValue, Record, finish


def made(folder: Path, protocol: str = "leave-one-out", method: str = "theirs") -> Path:
    """Return the run folder of random rankings that were scored."""
    return score_random(folder, protocol, method=method).folder


def check(bundle: Path) -> Checked:
    return bundles.check(bundle, REGISTRY, data_root=bundle.parent, notice=[].append)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(tmp_path_factory.mktemp("run"))


@pytest.fixture
def copy(run: Path, tmp_path: Path) -> Path:
    """A copy of the run, to be edited."""
    return shutil.copytree(run, tmp_path / "copy")


def bundled(folder: Path, record: Record) -> Path:
    """Write a bundle of files as they are, under the name that the record asks for."""
    finish(folder, record)
    bundle = folder / bundle_name(record)
    with zipfile.ZipFile(bundle, "w") as archive:
        for name in NAMES:
            archive.write(folder / name, name)
    return bundle


def edited(record: Record, **changes: float) -> Record:
    """Return the record with these changes of its headline's value."""
    content = record.model_dump(mode="json")
    content["tasks"][0]["metrics"][record.headline] |= changes
    return Record.model_validate(content)


def test_a_bundle_is_the_same_bytes_each_time_and_holds(run: Path, tmp_path: Path) -> None:
    bundle = write_bundle(run, tmp_path)
    record = Record.read(run / "record.json")
    assert bundle.name == f"toy@full--leave-one-out--theirs--default--seed0-{record.digest[:8]}.zip"
    content = bundle.read_bytes()
    again = write_bundle(run / "record.json", tmp_path / "again")
    assert again.read_bytes() == content
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == [bundle.name]
    with zipfile.ZipFile(bundle) as archive:
        assert archive.namelist() == sorted(NAMES)
        assert all(archive.read(name) == (run / name).read_bytes() for name in NAMES)
    found = check(bundle)
    assert (found.outcome, found.problems, found.unchecked) == ("holds", [], [])
    assert [value.metric for value in found.values] == [*record.tasks[0].metrics]
    assert all(value.now == value.recorded for value in found.values)
    json.dumps(found.to_json(), allow_nan=False)


@pytest.mark.parametrize("protocol", ["manipulation", "recognition", "triplets"])
def test_several_tasks_hold_with_the_means_over_them(protocol: str, tmp_path: Path) -> None:
    folder = made(tmp_path, protocol)
    found = check(write_bundle(folder, tmp_path))
    assert found.problems == []
    record = Record.read(folder / "record.json")
    assert len({value.task for value in found.values}) == 2 + len(record.tasks)
    content = record.model_dump(mode="json")
    content["mean"][record.headline]["mean"] += 0.01
    wrong = check(bundled(folder, Record.model_validate(content)))
    (problem,) = wrong.problems
    assert f"{record.headline} of plain mean over tasks is" in problem


def test_what_deeper_ranks_would_tell_is_not_made_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scoring, "KEPT", 4)
    monkeypatch.setattr(scoring, "CURVE", 4)
    found = check(write_bundle(made(tmp_path), tmp_path))
    unknown = {value.metric for value in found.values if value.now is None}
    assert unknown == {"hit@50", "precision@5", "recall@5", "mrr"}
    assert (found.outcome, found.problems) == ("holds", [])
    assert all("needs" in value.why_not for value in found.values if value.metric in unknown)


@pytest.mark.parametrize("change", [{"mean": 0.99}, {"low": 0.3}, {"category_mean": 0.9}])
def test_an_edited_record_is_found_though_its_name_fits(
    copy: Path, change: dict[str, float]
) -> None:
    record = edited(Record.read(copy / "record.json"), **change)
    found = check(bundled(copy, record))
    assert found.outcome == "does not hold"
    expected = "states for task all" if "mean" in change else "the first is hit@1 of all"
    assert expected in found.problems[0]


def test_an_edited_record_under_the_old_name_is_found(run: Path, copy: Path) -> None:
    bundle = bundled(copy, edited(Record.read(copy / "record.json"), low=0.3))
    renamed = bundle.with_name(bundle_name(Record.read(run / "record.json")))
    bundle.rename(renamed)
    (problem,) = check(renamed).problems
    assert problem == f"{renamed}: its record belongs into {bundle.name}; was it edited or renamed?"


def test_values_and_record_edited_alike_are_found(copy: Path) -> None:
    table = pq.read_table(copy / "per_query.parquet")
    ones = pa.array(np.ones(len(table)))
    place = table.column_names.index("hit@1")
    pq.write_table(table.set_column(place, "hit@1", ones), copy / "per_query.parquet")
    found = check(bundled(copy, edited(Record.read(copy / "record.json"), mean=1.0)))
    assert "1 of 6 numbers are not what rankings.parquet scores to" in found.problems[0]
    assert "hit@1 of 19 of 24 queries" in found.problems[-1]
    assert [value.metric for value in found.values if not value.agrees] == ["hit@1"]


def test_edited_rankings_are_found(copy: Path) -> None:
    file = copy / "rankings.parquet"
    frame = pq.read_table(file).to_pandas()
    frame["rank"] = frame.groupby("query")["rank"].transform(lambda rank: len(rank) + 1 - rank)
    pq.write_table(pa.Table.from_pandas(frame, preserve_index=False), file)
    found = check(bundled(copy, Record.read(copy / "record.json")))
    assert found.outcome == "does not hold"
    assert not all(value.agrees for value in found.values)
    frame.loc[0, "gallery"] = "no such image"
    pq.write_table(pa.Table.from_pandas(frame, preserve_index=False), file)
    (problem,) = check(bundled(copy, Record.read(copy / "record.json"))).problems
    assert problem.startswith("rankings.parquet: row 1: 'no such image' in the gallery of task all")


def test_another_protocol_under_the_same_name_is_found(copy: Path) -> None:
    record = Record.read(copy / "record.json").model_copy(update={"protocol_fingerprint": "2" * 32})
    (problem,) = check(bundled(copy, record)).problems
    assert "has fingerprint 22222222 in the record and" in problem


def test_a_number_that_is_none_is_the_same_as_itself_and_text_in_json() -> None:
    unknown = MetricValue(mean=math.nan, low=math.nan, high=math.nan)
    value = Rescored("all", "hit@1", unknown, unknown.model_copy())
    assert value.agrees
    content = Checked(Path("a.zip"), values=[value]).to_json()
    assert json.loads(json.dumps(content, allow_nan=False))["values"][0]["rescored"]["low"] == "NaN"


def test_other_tasks_than_the_protocol_has_are_found(tmp_path: Path) -> None:
    folder = made(tmp_path, "recognition")
    text = (folder / "record.json").read_text()
    table = pq.read_table(folder / "per_query.parquet").to_pandas()
    table["task"] = table["task"].replace("collar", "cuffs")
    pq.write_table(pa.Table.from_pandas(table, preserve_index=False), folder / "per_query.parquet")
    record = Record.model_validate_json(text.replace('"task": "collar"', '"task": "cuffs"'))
    (problem,) = check(bundled(folder, record)).problems
    assert problem == "record.json has other tasks than its protocol"


def test_without_the_data_only_the_values_are_compared(
    make_record: Callable[..., Record], tmp_path: Path
) -> None:
    folder = write_run(make_record, tmp_path / "run", {"hit@1": [0.0, 1.0]})
    pq.write_table(pa.table({"query": ["q0"]}), folder / "rankings.parquet")
    found = check(write_bundle(folder, tmp_path))
    assert (found.outcome, found.problems) == ("not re-scored", [])
    assert "not re-scored: data not here: clothing is not below" in found.unchecked[0]
    wrong = check(bundled(folder, edited(Record.read(folder / "record.json"), mean=0.75)))
    assert "per_query.parquet does not hold" in wrong.problems[0]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({"name": "manifest:/etc/passwd"}, "is data of the submitter's own"),
        ({"name": "street2shop", "options": {"attributes": "/etc/passwd"}}, "may name a file"),
        ({"damaged": 2}, "left 2 damaged images out"),
    ],
)
def test_no_file_is_opened_on_the_word_of_a_bundle(
    data: dict[str, Any], expected: str, make_record: Callable[..., Record], tmp_path: Path
) -> None:
    folder = write_run(make_record, tmp_path / "run", {"hit@1": [0.0, 1.0]}, dataset=data)
    pq.write_table(pa.table({"query": ["q0"]}), folder / "rankings.parquet")
    found = check(write_bundle(folder, tmp_path))
    assert found.outcome == "not re-scored"
    assert expected in found.unchecked[0]


def zipped(entries: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, content in entries.items():
            archive.writestr(zipfile.ZipInfo(name), content, compression)
    return buffer.getvalue()


def _oversized(files: dict[str, bytes]) -> bytes:
    return zipped(files | {"record.json": b" " * (9 * 2**20)})


def _without_rows(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(pa.table({"query": ["q"] * 100_000}), buffer)
    return zipped(files | {"per_query.parquet": buffer.getvalue()})


def _record(**changes: Any) -> Callable[[dict[str, bytes]], bytes]:
    def make(files: dict[str, bytes]) -> bytes:
        content = json.loads(files["record.json"]) | changes
        return zipped(files | {"record.json": json.dumps(content).encode()})

    return make


HOSTILE: dict[str, tuple[Callable[[dict[str, bytes]], bytes], str]] = {
    "a path out": (lambda f: zipped(f | {"../../evil": b""}), "4 files, '../../evil'"),
    "a path in place of a name": (
        lambda f: zipped({f"/tmp/{name}": content for name, content in f.items()}),  # noqa: S108
        "3 files, '/tmp/per_query.parquet'",
    ),
    "one more": (lambda f: zipped(f | {"weights.pickle": b""}), "4 files"),
    "one missing": (lambda f: zipped({"record.json": f["record.json"]}), "1 files"),
    "nothing": (lambda _: zipped({}), "0 files, nothing"),
    "compressed": (lambda f: zipped(f, zipfile.ZIP_DEFLATED), "is compressed or encrypted"),
    "oversized": (_oversized, "record.json is larger than 8,388,608 bytes"),
    "truncated": (lambda f: zipped(f)[:-200], "expected a whole zip file"),
    "cut in front": (lambda f: zipped(f)[500:], "expected a whole zip file"),
    "no zip": (lambda _: b"PK, or so it says", "expected a whole zip file"),
    "empty": (lambda _: b"", "expected a whole zip file"),
    "no record": (
        lambda f: zipped(f | {"record.json": b"[" * 10_000}),
        "is not a record of schema",
    ),
    "no Parquet": (lambda f: zipped(f | {"rankings.parquet": b"PAR1"}), "expected Parquet"),
    "more rows than queries": (_without_rows, "has 100,000 rows; expected 24 at most"),
    "no task": (_record(tasks=[]), "record.json has no task"),
    "a nameless method": (_record(method=""), "names something ''"),
    "no such headline": (_record(headline="hit@2"), "lacks its headline"),
    "a line break in a name": (_record(method="a\n::error::b"), "expected short printable text"),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_what_is_hostile_is_refused_in_one_line(kind: str, run: Path, tmp_path: Path) -> None:
    make, expected = HOSTILE[kind]
    record = Record.read(run / "record.json")
    content = make({name: (run / name).read_bytes() for name in NAMES})
    bundle = tmp_path / "bundles" / bundle_name(record)
    bundle.parent.mkdir()
    bundle.write_bytes(content)
    if expected.startswith(("record.json has", "lacks", "expected short", "names")):
        with zipfile.ZipFile(bundle) as archive:  # under the name that it asks for
            changed = Record.model_validate_json(archive.read("record.json"))
        bundle = bundle.rename(bundle.with_name(bundle_name(changed)))
    (problem,) = check(bundle).problems
    assert problem.startswith(f"{bundle}: ")
    assert expected in problem
    assert len(problem.splitlines()) == 1
    assert [path.name for path in tmp_path.rglob("*")] == ["bundles", bundle.name]


def test_a_bundle_with_any_byte_changed_is_a_problem_and_no_traceback(
    run: Path, tmp_path: Path
) -> None:
    bundle = write_bundle(run, tmp_path)
    content, generator = bundle.read_bytes(), np.random.default_rng(0)
    ends = generator.integers(len(content) - 400, len(content), 60)
    for place in [*ends, *generator.integers(0, len(content), 20)]:
        changed = bytearray(content)
        changed[place] ^= int(generator.integers(1, 256))
        bundle.write_bytes(changed)
        found = check(bundle)
        assert found.problems or found.values  # a byte may say nothing, as one of the time


def test_what_is_no_bundle_and_no_run_ends_in_one_line(run: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such file; expected a bundle"):
        check(tmp_path / "absent.zip")
    with pytest.raises(RecordError, match="is not a finished run"):
        write_bundle(tmp_path, tmp_path)
    copy = shutil.copytree(run, tmp_path / "copy")
    (copy / "rankings.parquet").unlink()
    with pytest.raises(RecordError, match=r"rankings\.parquet is not there"):
        write_bundle(copy, tmp_path)
    text = (copy / "record.json").read_text()
    (copy / "record.json").write_text(text.replace('"seed": 0', '"seed": 1'))
    with pytest.raises(RecordError, match="was altered after the run"):
        write_bundle(copy, tmp_path)


def test_a_comment_shows_how_the_table_changes_and_no_text_of_a_bundle_as_markdown(
    tmp_path: Path,
) -> None:
    method = "![x](http://evil.example)|<script>`@everyone` **"
    folder = made(tmp_path, method=method)
    record = Record.read(folder / "record.json")
    tables = tmp_path / "leaderboards"
    place = tables / "records" / "toy@full" / "leave-one-out"
    place.mkdir(parents=True)
    for name, changes in {"better": {"mean": 1.0}, "worse": {"mean": 0.0}}.items():
        other = edited(record, **changes).model_copy(update={"method": name})
        (place / f"{name}.json").write_text(other.to_json())
    before = {path: path.read_bytes() for path in tables.rglob("*.json")}
    text = comment([check(write_bundle(folder, tmp_path))], tables)
    assert {path: path.read_bytes() for path in tables.rglob("*") if path.is_file()} == before
    for sign in ("![", "](", "<script", "`", "@", "evil.example"):
        assert sign not in text
    rows = [line.split("|") for line in text[text.index("### ") :].splitlines() if "[" in line]
    assert [[cell.strip()[:3] for cell in row[1:3]] for row in rows] == [
        ["1: ", "1: "], ["new", "2: "], ["2: ", "3: "],
    ]  # fmt: skip
    assert "better" in rows[0][3]
    assert all(len(row) == 5 for row in rows)  # no cell is split by what it says


def test_a_comment_says_what_is_replaced_and_what_cannot_join(run: Path, tmp_path: Path) -> None:
    record = Record.read(run / "record.json")
    place = tmp_path / "leaderboards" / "records" / "toy@full" / "leave-one-out"
    place.mkdir(parents=True)
    (place / "a.json").write_text(edited(record, mean=0.0).to_json())
    found = [check(write_bundle(run, tmp_path))]
    [row] = [line for line in comment(found, tmp_path / "leaderboards").splitlines()
             if line.startswith("| 1: 0.0000")]  # fmt: skip
    assert row.split("|")[2].startswith(" 1: ")
    assert not row.split("|")[2].startswith(" 1: 0.0000")
    other = record.model_copy(update={"protocol_fingerprint": "2" * 32})
    (place / "a.json").write_text(other.to_json())
    assert "It cannot join its table" in comment(found, tmp_path / "leaderboards")
