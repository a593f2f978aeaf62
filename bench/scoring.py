"""From features to numbers: rank, apply the metrics, keep rankings and per-query values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from bench import ranking
from bench.catalog import Catalog
from bench.errors import IncompatibleError
from bench.interfaces import MetricSpec
from bench.metrics import Ranking
from bench.protocols import Protocol as Evaluation
from bench.records import MetricValue, TaskResult
from bench.search import Blocks
from bench.statistics import bootstrap_intervals
from bench.storage import replacing
from bench.tasks import AnyTask

KEPT = 100  # ranks of each query that rankings.parquet holds

Metrics = Mapping[str, tuple[MetricSpec, int]]
Values = npt.NDArray[np.float64]


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
    """The result of each task and, where there are several, the plain mean over them."""

    tasks: list[TaskResult]
    mean: dict[str, MetricValue]


def score(
    protocol: Evaluation,
    metrics: Metrics,
    rank: Rank,
    *,
    catalog: Catalog,
    folder: Path,
) -> Scores:
    """Return what the protocol's metrics say; write `rankings.parquet` and `per_query.parquet`.

    `rank` gives the rankings of a task. `rankings.parquet` has one row per query and rank (the
    first 100), `per_query.parquet` one per query with a column per metric.
    """
    for task in protocol.tasks:
        if not (task.relevant_counts() > 0).any():
            raise IncompatibleError(
                f"{protocol.name}, task {task.name}: none of {len(task.queries):,} queries has a "
                f"relevant image among {task.candidates():,} gallery images"
            )
    chosen = {name: metrics[name] for name in protocol.metrics}
    ids = catalog.images["id"].to_numpy(dtype=object)
    values = []
    with (
        replacing(folder / "rankings.parquet") as rankings_path,
        replacing(folder / "per_query.parquet") as values_path,
        pq.ParquetWriter(rankings_path, _RANKINGS, compression="zstd") as rankings,
        pq.ParquetWriter(
            values_path, _per_query_schema(protocol), compression="zstd"
        ) as values_writer,
    ):
        for task in protocol.tasks:
            names = _query_columns(task, catalog, ids)
            candidate = ranking.candidate_names(task, ids)
            of_task = []
            for rows, ranked in _rank(task, chosen, rank):
                found = np.stack([m.function(ranked, k) for m, k in chosen.values()], axis=1)
                of_task.append(found)
                queries = {column: names[column][rows] for column in names}
                rankings.write_table(_ranking_table(ranked, rows, queries, candidate))
                table = queries | {name: found[:, i] for i, name in enumerate(chosen)}
                values_writer.write_table(pa.table(table, schema=_per_query_schema(protocol)))
            values.append(np.concatenate(of_task))
    results = [
        _result(task, chosen, found) for task, found in zip(protocol.tasks, values, strict=True)
    ]
    several = len(results) > 1
    return Scores(results, _mean(protocol.tasks, chosen, values) if several else {})


def _per_query_schema(protocol: Evaluation) -> pa.Schema:
    return pa.schema([*_QUERY, *((name, pa.float64()) for name in protocol.metrics)])


def _rank(task: AnyTask, metrics: Metrics, rank: Rank) -> Blocks:
    most = int(task.relevant_counts().max(initial=0))
    return rank(
        task,
        depth=max([KEPT, *(metric.depth(k, most) for metric, k in metrics.values())]),
        first_relevant=any(metric.needs_first_relevant for metric, _ in metrics.values()),
    )


def _query_columns(
    task: AnyTask, catalog: Catalog, ids: npt.NDArray[np.object_]
) -> dict[str, npt.NDArray[np.object_]]:
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
    queries: Mapping[str, npt.NDArray[np.object_]],
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


def _result(task: AnyTask, metrics: Metrics, values: Values) -> TaskResult:
    counted = ~np.isnan(values).all(axis=1)
    return TaskResult(
        task=task.name,
        queries=len(values),
        gallery=task.candidates(),
        uncounted=int((~counted).sum()),
        relevant_per_query=float(task.relevant_counts().mean()),
        metrics=_summarise(
            metrics,
            [float(np.nanmean(column)) for column in values.T],
            bootstrap_intervals(values, clusters=task.queries),
        ),
    )


def _mean(
    tasks: tuple[AnyTask, ...], metrics: Metrics, values: list[Values]
) -> dict[str, MetricValue]:
    """Return the plain mean over tasks: each counts the same, however many queries it has."""
    means = np.mean([np.nanmean(of_task, axis=0) for of_task in values], axis=0)
    intervals = bootstrap_intervals(
        np.concatenate(values),
        clusters=np.concatenate([task.queries for task in tasks]),
        tasks=np.repeat(np.arange(len(tasks)), [len(of_task) for of_task in values]),
    )
    return _summarise(metrics, means.tolist(), intervals)


def _summarise(metrics: Metrics, means: list[float], intervals: Values) -> dict[str, MetricValue]:
    return {
        name: MetricValue(mean=mean, low=low, high=high, higher_is_better=spec.higher_is_better)
        for (name, (spec, _)), mean, (low, high) in zip(
            metrics.items(), means, intervals.tolist(), strict=True
        )
    }
