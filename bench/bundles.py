"""A finished run as one file that somebody else can check: what `bench submit` does.

    <dataset>@<edition>--<protocol>--<method>--<variant>--seed<n>-<digest8>.zip
      per_query.parquet  rankings.parquet  record.json

A bundle holds numbers and the ids of images, and nothing of pictures. It comes from anybody: three
names are read and no other, never by a path of its own, never more than was said it would be. What
its rankings score to under the protocol, on the data here, must be what its record states.
"""

from __future__ import annotations

import json
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from math import isclose, isnan
from pathlib import Path
from typing import Any, Literal, get_origin

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from bench import records, scoring
from bench.annotations import shown
from bench.data import read_data
from bench.entries import CATEGORY, QUERY, Run, numbered
from bench.errors import DataError, IncompatibleError, RecordError, UserError
from bench.given_rankings import read_rankings
from bench.plugins import Registry
from bench.ranking_files import RankingFile
from bench.records import MetricValue, Record
from bench.reproduction import MEAN, POOLED, data_request, means_of
from bench.statistics import means
from bench.storage import replacing
from bench.submissions import score_given, too_shallow

NAMES = ("per_query.parquet", "rankings.parquet", "record.json")
LARGEST = 100 * 2**20  # bytes of a bundle: what GitHub takes in one file
TOLERANCE = 1e-9  # the same numbers, summed in another order
_LARGEST_RECORD = 8 * 2**20  # bytes
_MOST_QUERIES = 1_000_000
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time that a zip can say

Notice = Callable[[str], None]


def bundle_name(record: Record) -> str:
    """Return the name of a record's bundle, by its content alone."""
    parts = (record.edition_name, record.protocol, record.method, record.variant)
    stem = "--".join([*parts, f"seed{record.seed}-{record.digest[:8]}"])
    return f"{records.as_folder(stem)}.zip"


def write_bundle(run: Path, folder: Path) -> Path:
    """Write the bundle of a finished run into `folder` and return it: the same bytes each time.

    Raises `RecordError` for what is no finished run, was altered, or is too large.
    """
    found = Run.read(run)
    files = [found.folder / name for name in NAMES]
    for file in files:
        if not file.is_file():
            raise RecordError(f"{file} is not there; a bundle needs it; run again")
    size = sum(file.stat().st_size for file in files)
    if size > LARGEST:
        raise RecordError(f"{run}: {size:,} bytes; a bundle holds {LARGEST:,} at most")
    bundle = folder / bundle_name(found.record)
    with replacing(bundle) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        for file in files:
            entry = zipfile.ZipInfo(file.name, _EPOCH)
            entry.create_system, entry.external_attr = 3, 0o644 << 16  # on every system as on Unix
            archive.writestr(entry, file.read_bytes())  # stored: Parquet is compressed by itself
    return bundle


@dataclass(frozen=True)
class Rescored:
    """A value of a record and what the rankings score to; None, and why, where that is unknown."""

    task: str
    metric: str
    recorded: MetricValue
    now: MetricValue | None
    why_not: str = ""

    @property
    def agrees(self) -> bool:
        """Whether mean, interval and mean over categories are those recorded, where known."""
        if self.now is None:
            return True
        here, there = self.now.model_dump(), self.recorded.model_dump()
        return all(_same(here[name], there[name]) for name in here)


@dataclass(frozen=True)
class Checked:
    """What became of a bundle: `problems` are against it, `unchecked` is what nobody knows here.

    `record` is None where the bundle could not be read.
    """

    bundle: Path
    record: Record | None = None
    values: list[Rescored] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    unchecked: list[str] = field(default_factory=list)

    @property
    def outcome(self) -> Literal["holds", "does not hold", "not re-scored"]:
        """What is to be said of it in a word or two."""
        if self.problems:
            return "does not hold"
        return "holds" if self.values else "not re-scored"

    @property
    def leading(self) -> list[Rescored]:
        """The values to show: of several tasks the plain mean over them, and whatever differs."""
        return [v for v in self.values if v.task == self.values[0].task or not v.agrees]

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON; numbers that are none are strings."""
        return {
            "bundle": self.bundle.name,
            "outcome": self.outcome,
            "digest": self.record.digest if self.record else None,
            "problems": self.problems,
            "unchecked": self.unchecked,
            "values": [
                {
                    "task": value.task, "metric": value.metric, "agrees": value.agrees,
                    "recorded": json.loads(value.recorded.model_dump_json()),
                    "rescored": json.loads(value.now.model_dump_json()) if value.now else None,
                    "why_not": value.why_not,
                }
                for value in self.values
            ],
        }  # fmt: skip


def check(bundle: Path, registry: Registry, *, data_root: Path | None, notice: Notice) -> Checked:
    """Return what holds of a bundle and what does not.

    Raises `UserError` where there is no such file; all else that is wrong is a problem of it.
    """
    if not bundle.is_file():
        raise UserError(f"{bundle}: no such file; expected a bundle of `bench submit`")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        try:
            record = unpack(bundle, folder)
        except RecordError as error:
            return Checked(bundle, problems=[str(error)])
        found = Checked(bundle, record)

        def tell(text: str) -> None:
            notice(text.replace(f"{folder}/", f"{bundle}: "))

        try:
            run = Run.read(folder)
            found.problems.extend(_against_means(run))
            unknown = _not_here(record, registry)
            if unknown:
                found.unchecked.append(f"not re-scored: {unknown}")
            elif not found.problems:
                _rescore(found, run, registry, data_root, tell)
        except UserError as error:  # named by our folder, where only the bundle means something
            text = str(error).replace(f"{folder}/", "").removesuffix("; run again")
            found.problems.append(text)
        except (UnicodeDecodeError, OSError, pa.ArrowException) as error:  # of Parquet's content
            found.problems.append(f"its Parquet files cannot be read: {shown(str(error))}")
    return found


def unpack(bundle: Path, folder: Path) -> Record:
    """Write what a bundle holds into `folder`, as a run folder, and return its record.

    Raises `RecordError`, naming the bundle, for anything but what `write_bundle` writes, and for a
    record that is not the one that the bundle's name speaks of.
    """
    for name, content in _contents(bundle):
        (folder / name).write_bytes(content)
    try:
        record = Record.read(folder / "record.json")
    except RecordError as error:
        raise RecordError(str(error).replace(f"{folder}/", f"{bundle}: ")) from None
    problem = _malformed(record)
    if problem:
        raise RecordError(f"{bundle}: record.json {problem}")
    if bundle.name != bundle_name(record):
        raise RecordError(
            f"{bundle}: its record belongs into {bundle_name(record)}; was it edited or renamed?"
        )
    queries = sum(task.queries for task in record.tasks)
    for name, most in (
        ("per_query.parquet", queries),
        ("rankings.parquet", queries * scoring.KEPT),
    ):
        try:
            rows = pq.ParquetFile(folder / name).metadata.num_rows
        except (OSError, pa.ArrowException) as error:
            reason = " ".join(str(error).split())
            raise RecordError(f"{bundle}: {name}: {shown(reason)}; expected Parquet") from None
        if rows > most:
            raise RecordError(f"{bundle}: {name} has {rows:,} rows; expected {most:,} at most")
    records.finish(folder, record)
    return record


def _contents(bundle: Path) -> Iterator[tuple[str, bytes]]:
    """Yield name and content of each file in a bundle, which may be anything."""
    expected = f"expected {', '.join(NAMES)}, stored, as `bench submit` writes them"
    try:
        if bundle.stat().st_size > LARGEST + 2**16:
            raise RecordError(f"{bundle}: larger than {LARGEST:,} bytes")
        with zipfile.ZipFile(bundle) as archive:
            entries = archive.infolist()
            names = sorted(entry.filename for entry in entries)
            if names != [*NAMES]:
                found = ", ".join(map(shown, names[:5])) or "nothing"
                raise RecordError(f"{bundle}: {len(names)} files, {found}; {expected}")
            for entry in entries:
                name = entry.filename
                most = _LARGEST_RECORD if name == "record.json" else LARGEST
                if entry.compress_type != zipfile.ZIP_STORED or entry.flag_bits & 1:
                    raise RecordError(f"{bundle}: {name} is compressed or encrypted; {expected}")
                if max(entry.file_size, entry.compress_size) > most:
                    raise RecordError(f"{bundle}: {name} is larger than {most:,} bytes")
                yield name, archive.read(entry)  # its checksum is tested
    except (zipfile.BadZipFile, EOFError, OSError, ValueError, NotImplementedError) as error:
        reason = " ".join(str(error).split()) or "ends too early"
        raise RecordError(f"{bundle}: {reason}; expected a whole zip file") from None


def _malformed(record: Record) -> str:
    """Return what a record cannot be that a run has made, or "": anybody may have written it."""
    if not record.tasks:
        return "has no task"
    if not 0 < sum(max(task.queries, 0) for task in record.tasks) <= _MOST_QUERIES:
        return f"has no query, or more than {_MOST_QUERIES:,}"
    names = list(record.tasks[0].metrics)
    several = len(record.tasks) > 1
    over = [record.mean, record.pooled] if several else []
    if any(list(of_one) != names for of_one in [*(t.metrics for t in record.tasks), *over]):
        return "has other metrics in one task than in another"
    if record.headline not in names or (not several and (record.mean or record.pooled)):
        return "lacks its headline, or has means over one task"
    said = [record.method, record.variant, record.dataset.name, record.protocol, *names,
            record.backbone.name, *(task.task for task in record.tasks)]  # fmt: skip
    wrong = [text for text in said if not text.isprintable() or not 0 < len(text) <= 200]
    return f"names something {shown(wrong[0])}; expected short printable text" if wrong else ""


def _against_means(run: Run) -> list[str]:
    """Return which means over several tasks are not those of per_query.parquet."""
    names = [*run.metrics]
    values, (tasks, _) = run.values(names), numbered(run.table["task"])
    over = {
        MEAN: (run.record.mean, means(values, tasks)),
        POOLED: (run.record.pooled, means(values)),
    }
    return [
        f"{name} of {where} is {stated[name].mean:.6f}; per_query.parquet has {value:.6f}"
        for where, (stated, found) in over.items()
        if stated
        for name, value in zip(names, found.tolist(), strict=True)
        if not _same(stated[name].mean, value)
    ]  # fmt: skip


def _not_here(record: Record, registry: Registry) -> str:
    """Return why the record's data cannot be read here, or must not be, or ""."""
    dataset = record.dataset
    spec = registry.dataset(dataset.name)
    if ":" in dataset.name:
        return f"{dataset.name} is data of the submitter's own"
    if dataset.damaged:
        return f"the run left {dataset.damaged:,} damaged images out and does not say which"
    options = spec.options().model_fields if spec.options else {}
    for name, value in dataset.options.items():
        free = name in options and options[name].annotation not in (bool, int, float)
        free = free and get_origin(options[name].annotation) is not Literal
        if free and value != options[name].get_default():
            return f"option {name} may name a file, and a bundle opens none"
    return ""


def _rescore(
    found: Checked, run: Run, registry: Registry, data_root: Path | None, notice: Notice
) -> None:
    """Score the rankings of an unpacked bundle, and note where they say otherwise."""
    record, folder = run.record, run.folder
    request = data_request(record, registry, data_root=data_root)
    try:
        data = read_data(request, registry, notice)
    except DataError as error:
        if record.dataset.edition == "mini":
            raise
        found.unchecked.append(f"not re-scored: data not here: {error}")
        return
    protocol = replace(data.protocols[0], metrics=tuple(run.metrics))
    fingerprint = protocol.fingerprint(data.catalog)
    if fingerprint != record.protocol_fingerprint:
        found.problems.append(
            f"protocol {record.protocol} has fingerprint {record.protocol_fingerprint[:8]} in the "
            f"record and {fingerprint[:8]} on the data here: other queries, gallery or relevance"
        )
        return
    if [task.task for task in record.tasks] != [task.name for task in protocol.tasks]:
        found.problems.append("record.json has other tasks than its protocol")
        return
    if data.catalog.fingerprint != record.dataset.annotations:
        found.unchecked.append("the annotations here are others, though the protocol is the same")
    try:
        given = read_rankings(
            RankingFile(folder / "rankings.parquet"), protocol, data.catalog, notice
        )
    except IncompatibleError as error:  # of the protocol: it asks with one image several times
        found.unchecked.append(f"not re-scored: {error}".replace(f"{folder}/", ""))
        return
    reasons = too_shallow(protocol, data.metrics, given)
    if len(reasons) == len(run.metrics):
        found.unchecked.append(f"not re-scored: {record.headline} {reasons[record.headline]}")
        return
    protocol = replace(protocol, metrics=tuple(n for n in run.metrics if n not in reasons))
    again = folder / "again"
    scores = score_given(protocol, data, given, again)
    _compare(found, scores, reasons)
    found.problems.extend(_against_values(run, again, protocol.metrics))


def _compare(found: Checked, scores: scoring.Scores, reasons: Mapping[str, str]) -> None:
    """Note each value of the record beside what was scored, and counts that are others."""
    record = found.record
    assert record is not None  # noqa: S101 (it was read)
    of_task = {MEAN: scores.mean, POOLED: scores.pooled}
    of_task |= {task.task: task.metrics for task in scores.tasks}
    for task, values in means_of(record):
        found.values.extend(
            Rescored(task, name, value, of_task[task].get(name), reasons.get(name, ""))
            for name, value in values.items()
        )
    wrong = [value for value in found.values if not value.agrees]
    if wrong:
        found.problems.append(
            f"{len(wrong):,} of {len(found.values):,} numbers are not what rankings.parquet scores "
            f"to, the first is {wrong[0].metric} of {wrong[0].task}"
        )
    for stated, scored in zip(record.tasks, scores.tasks, strict=True):
        if any(not _same(getattr(stated, name), getattr(scored, name)) for name in _COUNTS):
            found.problems.append(f"task {stated.task} has other counts of queries or gallery")
        for name in stated.curves.keys() & scored.curves.keys():  # as deep as all ranks are known
            curve, now = stated.curves[name], scored.curves[name]
            if len(curve) > len(now) or not all(map(_same, curve, now)):
                found.problems.append(f"task {stated.task} has another curve of {name}")


_COUNTS = ("task", "queries", "gallery", "uncounted", "relevant_per_query")


def _against_values(run: Run, again: Path, metrics: tuple[str, ...]) -> list[str]:
    """Return where the values of queries, or the rankings, are not as scoring leaves them."""
    problems = []
    table = pq.read_table(again / "per_query.parquet")
    named = [name for name in (*QUERY, CATEGORY) if name in run.table.column_names]
    if not run.table.select(named).equals(table.select(named)):
        return ["per_query.parquet has other queries or categories, or in another order"]
    for name in metrics:
        stated, scored = run.table[name].to_numpy(), table[name].to_numpy()
        wrong = ~np.isclose(stated, scored, rtol=0, atol=TOLERANCE, equal_nan=True)
        if wrong.any():
            problems.append(
                f"per_query.parquet: {name} of {wrong.sum():,} of {len(wrong):,} queries is not "
                "what rankings.parquet scores to"
            )
    try:
        as_written = pq.read_table(run.folder / "rankings.parquet").equals(
            pq.read_table(again / "rankings.parquet")
        )
    except (OSError, pa.ArrowException):
        as_written = False
    if not as_written:
        problems.append("rankings.parquet: what is relevant, or the order of rows, is not a run's")
    return problems


def _same(here: Any, there: Any) -> bool:
    """Return whether two facts are equal, numbers up to rounding."""
    if not (isinstance(here, float) and isinstance(there, float)):
        return bool(here == there)
    return (isnan(here) and isnan(there)) or isclose(here, there, rel_tol=0, abs_tol=TOLERANCE)
