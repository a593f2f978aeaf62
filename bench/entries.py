"""What can be compared: runs that answered the same queries, gathered by seed.

A run is a folder that `bench run` has finished, or a record of a leaderboards folder with the
values that stand beside it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from bench.errors import RecordError
from bench.records import Record, finished
from bench.statistics import Codes, Floats, Seeds, bootstrap_intervals, means, over_seeds

QUERY = ["task", "query", "target"]  # the columns that name a query
CATEGORY = "category"  # of the query; older runs lack it


@dataclass(frozen=True)
class Run:
    """A run: its record and its queries' values; metrics → is higher better.

    `folder` is that of a finished run, or the file of a record in a leaderboards folder.
    """

    folder: Path
    record: Record
    table: pa.Table
    metrics: dict[str, bool]

    @classmethod
    def read(cls, source: Path) -> Run:
        """Return the run of a folder, its record.json, or a record of a leaderboards folder.

        Raises `RecordError` for what is none of these, and for values that are not the record's.
        """
        if source.suffix == ".json" and source.name != "record.json":
            return cls.stored(source, Record.read(source))
        folder = source.parent if source.name == "record.json" else source
        record = finished(folder)
        if record is None:
            raise RecordError(
                f"{source} is not a finished run; expected a folder with record.json and DONE"
            )
        return cls._of(folder, record, folder / "per_query.parquet")

    @classmethod
    def stored(cls, place: Path, record: Record) -> Run:
        """Return the run of a record that stands at `place` in a leaderboards folder."""
        values = place.with_suffix(".parquet")
        if not values.is_file():
            raise RecordError(f"the values of each query of {place.stem} are not kept")
        return cls._of(place, record, values)

    @classmethod
    def _of(cls, folder: Path, record: Record, values: Path) -> Run:
        metrics = {n: value.higher_is_better for n, value in record.tasks[0].metrics.items()}
        run = cls(folder, record, _read_table(values, metrics), metrics)
        run._require_agreement(values)
        return run

    def values(self, names: Sequence[str]) -> Floats:
        """Return the metrics' values, (Q, M) float64."""
        return np.column_stack([self.table[name].to_numpy() for name in names])

    def _require_agreement(self, file: Path) -> None:
        """Refuse values of which the record does not have the counts and the means."""
        of_row = self.table["task"].to_numpy()
        values = self.values([*self.metrics])
        if len(of_row) != sum(task.queries for task in self.record.tasks):
            raise _disagreement(file, "every task")
        for task in self.record.tasks:
            rows = of_row == task.task
            stated = [task.metrics[name].mean for name in self.metrics]
            if rows.sum() != task.queries or not np.allclose(
                means(values[rows]), stated, rtol=0, atol=1e-9, equal_nan=True
            ):
                raise _disagreement(file, f"task {task.task}")


def _disagreement(file: Path, where: str) -> RecordError:
    return RecordError(
        f"{file} does not hold the queries and means that the record beside it states for {where}; "
        "run again"
    )


def _read_table(file: Path, metrics: Iterable[str]) -> pa.Table:
    """Return the columns that name queries, their category where there is one, and the metrics."""
    try:
        table = pq.read_table(file)
        text = [*QUERY, *({CATEGORY} & {*table.column_names})]
        schema = pa.schema([(n, pa.string()) for n in text] + [(n, pa.float64()) for n in metrics])
        return table.select(schema.names).cast(schema)
    except (OSError, pa.ArrowException, KeyError) as error:
        raise RecordError(
            f"{file} cannot be read ({error}); expected the values of each query; run again"
        ) from None


def require_comparable(runs: Sequence[Run]) -> None:
    """Refuse runs that do not answer the same queries under the same protocol."""
    if len(runs) < 2:
        raise RecordError(f"{len(runs)} run given; expected two or more to compare")
    first = runs[0]
    for number, run in enumerate(runs):
        if run.folder.resolve() in {before.folder.resolve() for before in runs[:number]}:
            raise RecordError(f"{run.folder} is given twice; expected different runs")
        if run.record.protocol_fingerprint != first.record.protocol_fingerprint:
            shown = [
                f"{r.folder} has {r.record.edition_name} {r.record.protocol}, fingerprint "
                f"{r.record.protocol_fingerprint[:8]}"
                for r in (first, run)
            ]
            raise RecordError(
                f"{', '.join(shown)}: other queries, gallery or relevance; only runs of one "
                "fingerprint can be compared"
            )
        if not run.table.select(QUERY).equals(first.table.select(QUERY)):
            raise RecordError(
                f"the values of {run.folder} are of other queries than those of {first.folder}, "
                "or in another order; run both again"
            )


def same_queries(table: pa.Table, values: Path) -> bool:
    """Return whether a file of values is of a table's queries, in the same order."""
    return bool(_read_table(values, []).select(QUERY).equals(table.select(QUERY)))


def numbered(column: pa.ChunkedArray) -> tuple[Codes, list[str]]:
    """Return each row's text as a number, (Q,) int64, and the texts in order of appearance."""
    encoded = column.combine_chunks().dictionary_encode()
    return encoded.indices.to_numpy().astype(np.int64), encoded.dictionary.to_pylist()


@dataclass(frozen=True)
class Queries:
    """The queries that all runs answered: (Q,) codes of photograph and task, and their names."""

    clusters: Codes
    tasks: Codes
    task_names: list[str]
    table: pa.Table

    @classmethod
    def of(cls, run: Run) -> Queries:
        """Return the queries of a run."""
        clusters, _ = numbered(run.table["query"])
        tasks, names = numbered(run.table["task"])
        return cls(clusters, tasks, names, run.table)


@dataclass(frozen=True)
class Entry:
    """One method in one setting: its queries' values (Q, M), averaged over its seeds.

    `means` (M,) and `intervals` (M, 2) are over queries, `seeds` is None for a single run.
    """

    name: str
    runs: list[Run]
    values: Floats
    means: Floats
    intervals: Floats
    seeds: Seeds | None

    @classmethod
    def of(cls, name: str, runs: list[Run], names: Sequence[str], asked: Queries) -> Entry:
        """Return the entry of runs that differ by seed, with the metrics of these names."""
        of_each = np.stack([run.values(names) for run in runs])
        if len(runs) > 1:
            values, seeds = over_seeds(of_each, asked.tasks)
            found = means(values, asked.tasks)
            intervals = bootstrap_intervals(values, clusters=asked.clusters, tasks=asked.tasks)
            return cls(name, runs, values, found, intervals, seeds)
        # the record's own numbers, so that no two pages show the same thing in two ways
        record = runs[0].record
        stated = record.mean if len(record.tasks) > 1 else record.tasks[0].metrics
        intervals = np.array([[stated[name].low, stated[name].high] for name in names])
        found = np.array([stated[name].mean for name in names])
        return cls(name, runs, of_each[0], found, intervals, None)


def by_setting(runs: Sequence[Run]) -> dict[str, list[Run]]:
    """Return the runs of each entry by its name, in the order given.

    A run joins the first entry that differs from it in nothing but the seed. The same seed again
    is another entry: a repetition, whose differences show what does not repeat.
    """
    entries: list[list[Run]] = []
    for run in runs:
        for entry in entries:
            seeds = {other.record.seed for other in entry}
            if _facts(entry[0]) == _facts(run) and run.record.seed not in seeds:
                entry.append(run)
                break
        else:
            entries.append([run])
    names = [entry[0].record.method for entry in entries]
    places = [{"run ": run.folder.name, "folder ": str(run.folder)} for run, *_ in entries]
    facts = [_facts(entry[0]) | place for entry, place in zip(entries, places, strict=True)]
    every = dict.fromkeys(fact for of_one in facts for fact in of_one)
    for fact in sorted(every, key=lambda fact: fact in places[0]):  # places are the last resort
        longer = [
            f"{name}, {fact}{of_one.get(fact, 'none')}"
            for name, of_one in zip(names, facts, strict=True)
        ]
        if len(set(longer)) > len(set(names)):  # what tells nothing apart is left out
            names = longer
    return dict(zip(names, entries, strict=True))


def _facts(run: Run) -> dict[str, str]:
    """Return what makes a run what it is, its seed aside; what tells methods apart comes first."""
    record, made = run.record, run.record.provenance
    return {
        "method ": record.method,
        "variant ": record.variant,
        "backbone ": record.backbone.name,
        "weights ": record.backbone.source,
        **{f"{name}=": str(value) for name, value in sorted(record.recipe.items())
           if name not in {"backbone", "weights"}},  # said above, by content and not by path
        **{f"option {name}=": str(v) for name, v in sorted(record.dataset.options.items())},
        "engine ": made.engine,
        "precision ": made.precision,
        "device ": made.device,
        # neither the seed of drawn weights nor a file of rankings makes another setting
        "digest of the weights ": record.backbone.weights.removesuffix(f", seed {record.seed}")
        if record.origin == "run" else "",
        "commit ": (made.git_commit[:8] or "unknown") + " with changes" * (made.git_clean is False),
        **{f"version of {name} ": version for name, version in sorted(made.versions.items())},
    }  # fmt: skip
