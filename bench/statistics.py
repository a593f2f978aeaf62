"""How sure a mean is: bootstrap intervals over queries."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

RESAMPLES = 2000
LEVEL = 0.95


def bootstrap_intervals(
    values: npt.NDArray[np.float64],
    *,
    clusters: npt.NDArray[np.int64] | None = None,
    tasks: npt.NDArray[np.int64] | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> npt.NDArray[np.float64]:
    """Return the 95 % percentile bootstrap interval of each column's mean, (M, 2) float64.

    `values` is (Q, M), one row per query; NaN does not count. Queries are drawn with replacement,
    `resamples` times; the same draws serve all columns. A column with nothing but NaN gives NaN.

    Rows with equal `clusters` (Q,) are drawn together: queries of one photograph are not
    independent. With `tasks` (Q,), the mean is the plain mean of the tasks' means, over those tasks
    that a draw leaves a query in.
    """
    queries, metrics = values.shape
    _, cluster = np.unique(
        np.arange(queries) if clusters is None else clusters, return_inverse=True
    )
    _, task = np.unique(np.zeros(queries) if tasks is None else tasks, return_inverse=True)
    sums, counts = (
        _per_cluster(cluster, task, matrix)
        for matrix in (np.nan_to_num(values), (~np.isnan(values)).astype(np.float64))
    )
    drawable = len(sums)
    generator = np.random.default_rng(seed)
    means = np.empty((resamples, metrics))
    step = max(1, 4_000_000 // max(drawable, 1))  # keeps the drawn counts below 32 MB
    for start in range(0, resamples, step):
        size = min(step, resamples - start)
        drawn = generator.integers(drawable, size=(size, drawable), dtype=np.int32)
        drawn += (np.arange(size, dtype=np.int32) * drawable)[:, None]
        times = np.bincount(drawn.ravel(), minlength=size * drawable).reshape(size, drawable)
        weights = times.astype(np.float64)
        with np.errstate(invalid="ignore"):
            of_tasks = (weights @ sums) / (weights @ counts)
        means[start : start + size] = _plain_mean(of_tasks.reshape(size, -1, metrics))
    outer = (1 - LEVEL) / 2
    intervals = np.full((metrics, 2), np.nan)
    for column in np.flatnonzero(~np.isnan(values).all(axis=0)):
        # a resample of a small set can hold no query that counts: it has no mean
        intervals[column] = np.nanquantile(means[:, column], [outer, 1 - outer])
    return intervals


def _per_cluster(
    cluster: npt.NDArray[np.int64], task: npt.NDArray[np.int64], values: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Return the sums of values (Q, M) per cluster and task, (C, T * M)."""
    tasks = int(task.max()) + 1
    sums = np.zeros(((int(cluster.max()) + 1) * tasks, values.shape[1]))
    np.add.at(sums, cluster * tasks + task, values)
    return sums.reshape(-1, tasks * values.shape[1])


def _plain_mean(of_tasks: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the mean over tasks (R, T, M) → (R, M), NaN left out; NaN where there is none."""
    known = ~np.isnan(of_tasks)
    with np.errstate(invalid="ignore"):
        return np.nan_to_num(of_tasks).sum(axis=1) / known.sum(axis=1)  # type: ignore[no-any-return]
