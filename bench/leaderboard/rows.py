"""The rows of a table: runs that differ in nothing but the seed, and which rows tie."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import inf, isnan

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from bench.entries import QUERY, numbered
from bench.errors import RecordError
from bench.leaderboard.stored import Stored
from bench.records import MetricValue, Record
from bench.statistics import Floats, told_apart


@dataclass(frozen=True)
class Value:
    """A metric of a row: the means over its seeds of the mean and of the ends of its interval.

    `deviation` is the standard deviation of the seeds' means (divisor S - 1), None for one seed.
    """

    mean: float
    low: float
    high: float
    deviation: float | None
    higher_is_better: bool

    @classmethod
    def over(cls, values: Sequence[MetricValue]) -> Value:
        """Return the value of a row from those of its seeds."""
        # plain Python: a table has thousands of these, each of one to three numbers
        first, count = values[0], len(values)
        if count == 1:
            return cls(first.mean, first.low, first.high, None, first.higher_is_better)
        means = [value.mean for value in values]
        mean = math.fsum(means) / count
        low = math.fsum([value.low for value in values]) / count
        high = math.fsum([value.high for value in values]) / count
        squares = math.fsum([(one - mean) ** 2 for one in means])
        deviation = math.sqrt(squares / (count - 1))
        return cls(mean, low, high, deviation, first.higher_is_better)

    @property
    def score(self) -> float:
        """The mean such that higher is better; no number is worst."""
        if isnan(self.mean):
            return -inf
        return self.mean if self.higher_is_better else -self.mean


@dataclass(frozen=True)
class Row:
    """Runs that differ in nothing but the seed, in the order of the seeds.

    `rank` are the best and the worst place that the row can have: the first is 1 and the number of
    rows that are better beyond chance, the last leaves out those that are worse beyond chance. None
    where the values of its queries are not kept.
    """

    stored: list[Stored]
    rank: tuple[int, int] | None = None

    @property
    def first(self) -> Record:
        """The record of the first seed, which has all that the others share."""
        return self.stored[0].record

    @property
    def seeds(self) -> list[int]:
        """The seeds, ascending."""
        return [stored.record.seed for stored in self.stored]

    @property
    def leading(self) -> Value | None:
        """The headline's value: of the only task, or the plain mean over several."""
        return self.metrics.get(self.first.headline)

    @cached_property
    def metrics(self) -> dict[str, Value]:
        """Each metric that all seeds have: of the only task, or the plain mean over several."""
        return _over_seeds(
            [
                of.record.mean if len(of.record.tasks) > 1 else of.record.tasks[0].metrics
                for of in self.stored
            ]
        )

    def of_task(self, number: int, metric: str) -> Value | None:
        """Return one metric of one task; None where not all seeds have it."""
        of_each = [of.record.tasks[number].metrics.get(metric) for of in self.stored]
        known = [value for value in of_each if value is not None]
        return Value.over(known) if len(known) == len(of_each) else None


def _over_seeds(of_each: Sequence[Mapping[str, MetricValue]]) -> dict[str, Value]:
    return {
        name: Value.over([metrics[name] for metrics in of_each])
        for name in of_each[0]
        if all(name in metrics for metrics in of_each)
    }


def setting(record: Record) -> tuple[object, ...]:
    """Return what makes two records results of one experiment, the seed aside."""
    made = record.provenance
    recipe = repr(sorted(record.recipe.items()))
    options = repr(sorted(record.dataset.options.items()))
    weights = record.backbone.weights
    if record.origin == "run":  # weights that are drawn are drawn from the seed
        weights = weights.removesuffix(f", seed {record.seed}")
    return (record.origin, record.method, record.variant, record.budget, recipe,
            record.backbone.name, weights, options, made.engine, made.precision,
            made.device)  # fmt: skip


def rows_of(stored: Sequence[Stored]) -> list[Row]:
    """Return the rows of one protocol's records, best first.

    Raises `RecordError` where values of queries cannot be read or are of other queries.
    """
    of_setting: dict[tuple[object, ...], list[Stored]] = {}
    for one in sorted(stored, key=lambda one: (one.record.seed, one.name)):
        of_setting.setdefault(setting(one.record), []).append(one)
    return _ranked(sorted((Row(same) for same in of_setting.values()), key=_order))


def _order(row: Row) -> tuple[object, ...]:
    leading = row.leading
    return (-leading.score if leading else inf, row.stored[0].name)


def _ranked(rows: list[Row]) -> list[Row]:
    """Return the rows with their ranks, where the values of two or more are kept."""
    kept = [n for n, row in enumerate(rows) if row.leading and not isnan(row.leading.mean)
            and all(one.values.is_file() for one in row.stored)]  # fmt: skip
    if not kept:
        return rows
    headline = rows[kept[0]].first.headline
    queries = _read(rows[kept[0]].stored[0], QUERY)
    values = np.column_stack([_headline(rows[n], headline, len(queries)) for n in kept])
    clusters, tasks = (numbered(queries[name])[0] for name in ("query", "task"))
    differ = told_apart(values, clusters=clusters, tasks=tasks)
    found = list(rows)
    for place, n in enumerate(kept):  # best first: the better ones stand before
        rank = 1 + int(differ[place, :place].sum()), len(kept) - int(differ[place, place:].sum())
        found[n] = replace(rows[n], rank=rank)
    return found


def _headline(row: Row, headline: str, queries: int) -> Floats:
    """Return the headline's value of each query, (Q,), averaged over the seeds."""
    of_each = [_read(one, [headline])[headline].to_numpy() for one in row.stored]
    if {len(values) for values in of_each} != {queries}:
        raise RecordError(
            f"{row.stored[0].values} has other queries than the records beside it; run again"
        )
    return np.asarray(np.mean(of_each, axis=0))


def _read(stored: Stored, columns: Sequence[str]) -> pa.Table:
    try:
        # some ten KB: read at once, which is quicker than mapping
        file = pa.BufferReader(stored.values.read_bytes())
        found = pq.ParquetFile(file).read(columns=list(columns), use_threads=False)
    except (OSError, pa.ArrowException) as error:
        raise RecordError(
            f"{stored.values} cannot be read ({error}); expected the values of each query"
        ) from None
    if found.num_columns < len(columns):
        raise RecordError(f"{stored.values} lacks {' or '.join(columns)}; add the run again")
    return found
