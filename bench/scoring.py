"""From rankings to numbers: apply the metrics, keep rankings, per-query values and breakdowns."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from bench import ranking
from bench.catalog import Catalog
from bench.errors import IncompatibleError
from bench.interfaces import WHOLE_GALLERY, MetricSpec
from bench.metrics import Ranking
from bench.protocols import Protocol as Evaluation
from bench.records import MetricValue, TaskResult
from bench.search import Blocks
from bench.statistics import bootstrap_intervals, means
from bench.storage import replacing
from bench.tasks import AnyTask, Rows, Task

KEPT = 100  # ranks of each query that rankings.parquet holds
CURVE = 50  # cut-offs of a curve

Metrics = Mapping[str, tuple[MetricSpec, int]]
Values = npt.NDArray[np.float64]
Names = npt.NDArray[np.object_]


class Rank(Protocol):
    """Where the rankings of a task come from: a model's features, or a file."""

    def __call__(self, task: AnyTask, *, depth: int, first_relevant: bool) -> Blocks:
        """Yield the ranking of each block of queries, `depth` deep; see `bench.ranking.rank`."""


# a query is a photograph and, where attributes are manipulated, the value that one becomes
_QUERY = [("task", pa.string()), ("query", pa.string()), ("target", pa.string())]
_RANKINGS = pa.schema(
    [*_QUERY, ("rank", pa.int32()), ("gallery", pa.string()), ("relevant", pa.bool_())]
)


@dataclass(frozen=True)
class Scores:
    """The result of each task and, where there are several, two means over them.

    `mean` is the plain mean over tasks, each task counting the same; `pooled` the mean over all
    queries of all tasks, each query counting the same.
    """

    tasks: list[TaskResult]
    mean: dict[str, MetricValue]
    pooled: dict[str, MetricValue]


def require_measurable(protocol: Evaluation, metrics: Metrics, catalog: Catalog) -> None:
    """Refuse a task of which no query can count, and metrics of attributes that no query has."""
    of_attributes = [name for name in protocol.metrics if metrics[name][0].needs_overlap]
    for task in protocol.tasks:
        if not (task.relevant_counts() > 0).any():
            raise IncompatibleError(
                f"{protocol.name}, task {task.name}: none of {len(task.queries):,} queries has a "
                f"relevant image among {task.candidates():,} gallery images"
            )
        if of_attributes and not catalog.present[task.queries].any():
            raise IncompatibleError(
                f"{of_attributes[0]} compares attributes; {protocol.name}, task {task.name}: none "
                f"of {len(task.queries):,} queries of {catalog.dataset} has any; choose other "
                "metrics"
            )


def score(
    protocol: Evaluation,
    metrics: Metrics,
    rank: Rank,
    *,
    catalog: Catalog,
    folder: Path,
) -> Scores:
    """Return what the protocol's metrics say; write rankings, per-query values and breakdown.

    `rank` gives the rankings of a task. `rankings.parquet` has one row per query and rank (the
    first 100), `per_query.parquet` one per query with a column per metric, `breakdown.csv` one per
    task and category of the queries with the mean of each metric.
    """
    require_measurable(protocol, metrics, catalog)
    chosen = {name: metrics[name] for name in protocol.metrics}
    ids = catalog.images["id"].to_numpy(dtype=object)
    categories = catalog.images["category"].to_numpy(dtype=object)
    schema = _per_query_schema(protocol)
    scored = []
    with (
        replacing(folder / "rankings.parquet") as rankings_path,
        replacing(folder / "per_query.parquet") as values_path,
        pq.ParquetWriter(rankings_path, _RANKINGS, compression="zstd") as rankings,
        pq.ParquetWriter(values_path, schema, compression="zstd") as values_writer,
    ):
        for task in protocol.tasks:
            names = _query_columns(task, catalog, ids)
            candidate = ranking.candidate_names(task, ids)
            curves = {
                spec.name.replace("@k", ""): _Curve(spec.curve)
                for spec, _ in chosen.values()
                if spec.curve is not None
            }
            of_task = []
            for rows, ranked in _rank(task, chosen, rank, catalog):
                found = np.stack([m.function(ranked, k) for m, k in chosen.values()], axis=1)
                of_task.append(found)
                for curve in curves.values():
                    curve.add(ranked)
                queries = {column: names[column][rows] for column in names}
                rankings.write_table(_ranking_table(ranked, rows, queries, candidate))
                table = queries | {"category": categories[task.queries[rows]]}
                table |= {name: found[:, i] for i, name in enumerate(chosen)}
                values_writer.write_table(pa.table(table, schema=schema))
            scored.append(
                _Scored(
                    task.queries,
                    pd.DataFrame(np.concatenate(of_task), columns=[*chosen]),
                    categories[task.queries],
                    {name: curve.mean() for name, curve in curves.items()},
                )
            )
    _write_breakdown(folder / "breakdown.csv", protocol, scored)
    results = [
        _result(task, chosen, found) for task, found in zip(protocol.tasks, scored, strict=True)
    ]
    if len(results) == 1:
        return Scores(results, {}, {})
    return Scores(results, _mean_over_tasks(chosen, scored), _mean_over_queries(chosen, scored))


@dataclass(frozen=True)
class _Scored:
    """The values of one task: a row per query and a column per metric, and what they belong to."""

    queries: Rows
    values: pd.DataFrame
    categories: Names
    curves: dict[str, list[float]] = field(default_factory=dict)

    def by_category(self) -> pd.DataFrame:
        """Return the mean of each metric for each category of the queries, and the counted."""
        means_of = self.values.groupby(self.categories).mean()
        counted = self.values.notna().any(axis=1).groupby(self.categories).sum()
        means_of.insert(0, "queries", counted)
        return means_of


class _Curve:
    """The mean curve of a metric over all queries that count, summed block by block."""

    def __init__(self, curve: Callable[[Ranking, int], Values]) -> None:
        self._curve = curve
        self._total = np.zeros((1, CURVE))
        self._counted = 0

    def add(self, ranked: Ranking) -> None:
        """Add one block of queries, one after another: the sum does not depend on the blocks."""
        values = self._curve(ranked, CURVE)
        values = values[~np.isnan(values).any(axis=1)]
        self._total = np.cumsum(np.concatenate([self._total, values]), axis=0)[-1:]
        self._counted += len(values)

    def mean(self) -> list[float]:
        """Return the mean at each cut-off; NaN where no query counts."""
        if not self._counted:
            return [float("nan")] * CURVE
        return [float(total) for total in self._total[0] / self._counted]


def _per_query_schema(protocol: Evaluation) -> pa.Schema:
    values = [(name, pa.float64()) for name in protocol.metrics]
    return pa.schema([*_QUERY, ("category", pa.string()), *values])


def _rank(task: AnyTask, metrics: Metrics, rank: Rank, catalog: Catalog) -> Blocks:
    most = int(task.relevant_counts().max(initial=0))
    depths = [metric.depth(k, most) for metric, k in metrics.values()]
    blocks = rank(
        task,
        depth=max([KEPT, *(task.candidates() if d == WHOLE_GALLERY else d for d in depths)]),
        first_relevant=any(metric.needs_first_relevant for metric, _ in metrics.values()),
    )
    compared = [metric for metric, _ in metrics.values() if metric.needs_overlap]
    if not compared or not isinstance(task, Task):
        yield from blocks
        return
    from bench.overlap import Sets

    sets = Sets(task, catalog)
    depth = max([CURVE, *(metric.depth(k, most) for metric, k in metrics.values()
                          if metric.needs_overlap)])  # fmt: skip
    best = any(metric.needs_best_overlap for metric in compared)
    for rows, ranked in blocks:
        overlap = sets.overlap(rows, ranked.positions[:, :depth], best=best)
        yield rows, replace(ranked, overlap=overlap)


def _query_columns(task: AnyTask, catalog: Catalog, ids: Names) -> dict[str, Names]:
    """Return the columns that name each query of a task, (Q,) each."""
    targets = np.full(len(task.queries), "", dtype=object)
    if task.condition and task.condition.targets is not None:
        values = catalog.schema.attribute(task.condition.attribute).values
        targets = np.array(values, dtype=object)[task.condition.targets]
    return {
        "task": np.full(len(targets), task.name, dtype=object),
        "query": ids[task.queries],
        "target": targets,
    }


def _ranking_table(
    ranked: Ranking,
    rows: slice,
    queries: Mapping[str, Names],
    candidate: ranking.CandidateNames,
) -> pa.Table:
    positions = ranked.positions[:, :KEPT]
    filled = positions >= 0
    query, place = np.nonzero(filled)
    return pa.table(
        {column: names[query] for column, names in queries.items()}
        | {
            "rank": (place + 1).astype(np.int32),
            "gallery": candidate(rows.start + query, positions[filled]),
            "relevant": ranked.relevant[:, :KEPT][filled],
        },
        schema=_RANKINGS,
    )


def _write_breakdown(path: Path, protocol: Evaluation, scored: Sequence[_Scored]) -> None:
    tables = []
    for task, found in zip(protocol.tasks, scored, strict=True):
        table = found.by_category().rename_axis("category").reset_index()
        table.insert(0, "task", task.name)
        tables.append(table)
    with replacing(path) as temporary:
        pd.concat(tables).to_csv(temporary, index=False, lineterminator="\n", encoding="utf-8")


def _result(task: AnyTask, metrics: Metrics, scored: _Scored) -> TaskResult:
    relevant = task.relevant_counts()
    return TaskResult(
        task=task.name,
        queries=len(scored.queries),
        gallery=task.candidates(),
        uncounted=int((relevant == 0).sum()),
        relevant_per_query=float(relevant.mean()),
        metrics=_mean_over_queries(metrics, [scored]),
        curves=scored.curves,
    )


def _mean_over_queries(metrics: Metrics, scored: Sequence[_Scored]) -> dict[str, MetricValue]:
    """Return the mean over all queries of these tasks: each query counts the same."""
    pooled = _Scored(
        np.concatenate([task.queries for task in scored]),
        pd.concat([task.values for task in scored], ignore_index=True),
        np.concatenate([task.categories for task in scored]),
    )
    values = pooled.values.to_numpy()
    intervals = bootstrap_intervals(values, clusters=pooled.queries)
    return _summarise(metrics, means(values), intervals, _mean_over_categories(pooled))


def _mean_over_tasks(metrics: Metrics, scored: Sequence[_Scored]) -> dict[str, MetricValue]:
    """Return the plain mean over tasks: each counts the same, however many queries it has."""
    values = np.concatenate([task.values.to_numpy() for task in scored])
    tasks = np.repeat(np.arange(len(scored)), [len(task.queries) for task in scored])
    clusters = np.concatenate([task.queries for task in scored])
    intervals = bootstrap_intervals(values, clusters=clusters, tasks=tasks)
    return _summarise(metrics, means(values, tasks), intervals, {})


def _mean_over_categories(scored: _Scored) -> dict[str, float]:
    """Return the plain mean over categories of each metric for which two or more count."""
    table = scored.by_category().drop(index="", columns="queries", errors="ignore")
    several = table.notna().sum() > 1
    return {name: float(table[name].mean()) for name in table.columns[several]}


def _summarise(
    metrics: Metrics, over: Values, intervals: Values, over_categories: Mapping[str, float]
) -> dict[str, MetricValue]:
    return {
        name: MetricValue(
            mean=mean, low=low, high=high, higher_is_better=spec.higher_is_better,
            category_mean=over_categories.get(name),
        )
        for (name, (spec, _)), mean, (low, high) in zip(
            metrics.items(), over.tolist(), intervals.tolist(), strict=True
        )
    }  # fmt: skip
