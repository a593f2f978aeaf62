"""From features to numbers: rank, apply the metrics, keep rankings and per-query values."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from bench import search
from bench.catalog import Catalog
from bench.errors import IncompatibleError
from bench.interfaces import FeatureExtractor, MetricSpec
from bench.metrics import Ranking
from bench.protocols import Protocol, Task
from bench.records import MetricValue, TaskResult
from bench.statistics import bootstrap_intervals
from bench.storage import replacing

KEPT = 100  # ranks of each query that rankings.parquet holds

_RANKINGS = pa.schema(
    [("task", pa.string()), ("query", pa.string()), ("rank", pa.int32()), ("gallery", pa.string()),
     ("relevant", pa.bool_())]
)  # fmt: skip


def score(
    protocol: Protocol,
    metrics: Mapping[str, tuple[MetricSpec, int]],
    features: npt.NDArray[np.float32],
    extractor: FeatureExtractor,
    *,
    catalog: Catalog,
    folder: Path,
    device: str,
) -> list[TaskResult]:
    """Return the result of each task; write `rankings.parquet` and `per_query.parquet`.

    `features` (N, D) has one row per image of the catalog. `rankings.parquet` has one row per query
    and rank (the first 100), `per_query.parquet` one per query with a column per metric.
    """
    for task in protocol.tasks:
        if not (task.relevant_counts() > 0).any():
            raise IncompatibleError(
                f"{protocol.name}, task {task.name}: none of {len(task.queries):,} queries has a "
                f"relevant image among {len(task.gallery):,} gallery images"
            )
    ids = catalog.images["id"].to_numpy(dtype=object)
    results = []
    names = list(protocol.metrics)
    columns = [("task", pa.string()), ("query", pa.string())] + [(n, pa.float64()) for n in names]
    per_query = pa.schema(columns)
    with (
        replacing(folder / "rankings.parquet") as rankings_path,
        replacing(folder / "per_query.parquet") as values_path,
        pq.ParquetWriter(rankings_path, _RANKINGS, compression="zstd") as rankings,
        pq.ParquetWriter(values_path, per_query, compression="zstd") as values_writer,
    ):
        for task in protocol.tasks:
            chosen = {name: metrics[name] for name in names}
            blocks = []
            for rows, ranking in _rank(task, chosen, features, extractor, device):
                values = np.stack([m.function(ranking, k) for m, k in chosen.values()], axis=1)
                blocks.append(values)
                queries = ids[task.queries[rows]]
                rankings.write_table(_ranking_table(task, ranking, queries, ids))
                table = {"task": [task.name] * len(queries), "query": queries}
                table |= {name: values[:, i] for i, name in enumerate(names)}
                values_writer.write_table(pa.table(table, schema=per_query))
            results.append(_summarise(task, chosen, np.concatenate(blocks)))
    return results


def _rank(
    task: Task,
    metrics: Mapping[str, tuple[MetricSpec, int]],
    features: npt.NDArray[np.float32],
    extractor: FeatureExtractor,
    device: str,
) -> search.Blocks:
    most = int(task.relevant_counts().max(initial=0))
    depth = max([KEPT, *(metric.depth(k, most) for metric, k in metrics.values())])
    return search.rank(
        task,
        extractor.for_query(features[task.queries], task.condition),
        extractor.for_gallery(features[task.gallery], task.condition),
        distance=extractor.distance,
        depth=depth,
        first_relevant=any(metric.needs_first_relevant for metric, _ in metrics.values()),
        device=device,
    )


def _ranking_table(
    task: Task, ranking: Ranking, queries: npt.NDArray[np.object_], ids: npt.NDArray[np.object_]
) -> pa.Table:
    positions = ranking.positions[:, :KEPT]
    filled = positions >= 0
    rows, ranks = np.nonzero(filled)
    return pa.table(
        {
            "task": [task.name] * len(rows),
            "query": queries[rows],
            "rank": (ranks + 1).astype(np.int32),
            "gallery": ids[task.gallery[positions[filled]]],
            "relevant": ranking.relevant[:, :KEPT][filled],
        },
        schema=_RANKINGS,
    )


def _summarise(
    task: Task, metrics: Mapping[str, tuple[MetricSpec, int]], values: npt.NDArray[np.float64]
) -> TaskResult:
    counted = ~np.isnan(values).all(axis=1)
    intervals = bootstrap_intervals(values)
    means = {}
    for column, (name, (spec, _)) in enumerate(metrics.items()):
        low, high = intervals[column].tolist()
        mean = float(np.nanmean(values[:, column]))
        better = spec.higher_is_better
        means[name] = MetricValue(mean=mean, low=low, high=high, higher_is_better=better)
    return TaskResult(
        task=task.name,
        queries=len(values),
        gallery=len(task.gallery),
        uncounted=int((~counted).sum()),
        relevant_per_query=float(task.relevant_counts().mean()),
        metrics=means,
    )
