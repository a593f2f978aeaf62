"""From records to tables: the same bytes each time, on every machine.

    leaderboards/
      records/<dataset>@<edition>/<protocol>/<method>--<variant>--<backbone>--seed<n>-….json
                                             … .parquet     the values of each query
                                             … .facts.json  what its folder told of claims
      records/ledger.csv              every record there has been, and why one was taken away
      <dataset>@<edition>/<protocol>.md and .csv      made from the records of that folder
      <dataset>@<edition>/README.md                   its protocols side by side
      records.csv                     what the rows of the other .csv files have in common
      reported.md and .csv            every number of a paper, beside what was measured here
      claims.md and .csv              what papers claim, and what the records say of it
      README.md                       the list of tables

Nothing but `build` writes a table. Records of two protocol fingerprints never share one.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq

from bench import claim_facts
from bench.entries import Run, same_queries
from bench.errors import RecordError
from bench.leaderboard import frames, ledger, tables
from bench.leaderboard.papers import Papers
from bench.leaderboard.parts import Measured, read_parts
from bench.leaderboard.rows import setting
from bench.leaderboard.stored import Stored, stored_below, stored_in
from bench.leaderboard.tables import MINI_WARNING
from bench.records import Record, as_folder
from bench.storage import replacing, write_text

__all__ = ["MINI_WARNING", "add", "build", "check", "record_place", "remove", "runs_below",
           "stored_below", "tables_below"]  # fmt: skip


def record_place(folder: Path, record: Record) -> Path:
    """Return where a record stands below `folder`, by its content alone."""
    parts = (record.method, record.variant, record.backbone.name, f"seed{record.seed}")
    name = as_folder("--".join(parts)) + f"-{record.digest[:8]}.json"
    return folder / "records" / as_folder(record.edition_name) / as_folder(record.protocol) / name


def runs_below(source: Path) -> list[Path]:
    """Return the folders of the finished runs at or below one, or of the run of a record.json."""
    if source.name == "record.json":
        return [source.parent]
    if not source.is_dir() or (source / "record.json").is_file():
        return [source]
    found = sorted(done.parent for done in source.rglob("DONE") if done.with_name("record.json")
                   .is_file())  # fmt: skip
    if not found:
        raise RecordError(f"{source} holds no finished run; expected one that `bench run` has made")
    return found


def add(folder: Path, source: Path, *, replace: bool) -> Path:
    """Copy the record of a run and its queries' values below `folder`; return the record's place.

    `source` is the run's folder or its record.json. Raises `RecordError` for a record that was
    altered, that has another protocol fingerprint than those it would stand beside, or whose
    setting has a record already (unless `replace`).
    """
    run = Run.read(source)
    record, place = run.record, record_place(folder, run.record)
    superseded = []
    for other in stored_in(place.parent):
        if other.record.protocol_fingerprint != record.protocol_fingerprint:
            raise RecordError(
                f"{source} has protocol fingerprint {record.protocol_fingerprint[:8]}, "
                f"{other.place.name} has {other.record.protocol_fingerprint[:8]}: other queries, "
                "gallery or relevance under one name; they cannot share a table"
            )
        if other.values.is_file() and not same_queries(run.table, other.values):
            raise RecordError(
                f"{source} asks other queries than {other.place.name}, or in another order"
            )
        same = (setting(other.record), other.record.seed) == (setting(record), record.seed)
        if same and other.place != place:
            superseded.append(other)
    if superseded and not replace:
        raise RecordError(
            f"{superseded[0].place} is a record of the same setting; put this one in its place "
            "with --replace"
        )
    with replacing(place.with_suffix(".parquet")) as temporary:
        # one group of rows: a third of the size of a run's file, which is written in parts
        pq.write_table(run.table, temporary, compression="zstd", row_group_size=len(run.table))
    write_text(place, record.to_json())
    ledger.note(folder, place, "")
    for other in superseded:
        _take_away(folder, other, f"replaced by {place.name} of the same setting")
    return place


def remove(folder: Path, place: Path, why: str) -> None:
    """Take a record away; `why` is written in the ledger, for everyone to read.

    Raises `RecordError` for a file that is no record below `folder`, or without a reason.
    """
    if not why.strip():
        raise RecordError("--why is empty; expected the reason, for those who had seen the record")
    records = folder / "records"
    if not place.resolve().is_relative_to(records.resolve()):
        raise RecordError(f"{place} is not below {records}; expected a record of it")
    place = records / place.resolve().relative_to(records.resolve())
    _take_away(folder, Stored(place, Record.read(place)), " ".join(why.split()))


def _take_away(folder: Path, stored: Stored, why: str) -> None:
    ledger.note(folder, stored.place, why)
    stored.place.unlink()
    for suffix in (".parquet", claim_facts.SUFFIX):
        stored.place.with_suffix(suffix).unlink(missing_ok=True)


def build(folder: Path, papers: Papers) -> dict[Path, str]:
    """Return the text of every file that the records below `folder` determine.

    `papers` has what the methods' papers report and claim.
    """
    found: dict[Path, str] = {}
    records: list[list[object]] = []
    listed: list[list[object]] = []
    measured: Measured = {}
    for part in read_parts(folder, papers.reported):
        found |= part.files
        records += part.records
        listed += part.index
        measured |= part.measured
    about = papers.pages(stored_below(folder, papers.methods), measured)
    found |= {folder / name: text for name, text in about.items()}
    found[folder / "records.csv"] = frames.records(records)
    names = [name for name in ("reported", "claims") if f"{name}.md" in about]
    found[folder / "README.md"] = tables.index(listed, names)
    return found


def check(folder: Path, papers: Papers, notice: Callable[[str], None]) -> list[str]:
    """Return what does not hold between values, records and tables; nothing if all does.

    `papers` is as for `build`; `notice` is told how much could be checked.
    """
    from bench.leaderboard.numbers import contradictions

    problems, without = [], 0
    every = stored_below(folder)
    for one in every:
        place = record_place(folder, one.record)
        if one.place != place:
            problems.append(f"{one.place}: its content belongs at {place}; was it edited?")
        without += not one.values.is_file()
        problems += [f"{one.place}: {text}" for text in contradictions(one)]
    problems += ledger.problems(folder, [one.place for one in every])
    if without:
        notice(f"{without} of {len(every)} records stand without the values of each query; their "
               "numbers were checked against each other alone")  # fmt: skip
    expected = build(folder, papers)
    for path, text in expected.items():
        if not path.is_file():
            problems.append(f"{path}: missing; run `bench leaderboard build`")
        elif path.read_bytes() != text.encode():
            problems.append(f"{path}: differs from its records; run `bench leaderboard build`")
    problems += [
        f"{path}: no record stands behind this table"
        for path in sorted(tables_below(folder) - {*expected})
    ]
    return problems


def tables_below(folder: Path) -> set[Path]:
    """Return the tables that lie below `folder`."""
    return {
        path
        for pattern in ("*@*/*", "*.md", "*.csv")
        for path in folder.glob(pattern)
        if path.suffix in {".md", ".csv"} and path.is_file()
    }
