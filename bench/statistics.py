"""How sure a mean is: bootstrap intervals over queries."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

RESAMPLES = 2000
LEVEL = 0.95


def bootstrap_intervals(
    values: npt.NDArray[np.float64], *, resamples: int = RESAMPLES, seed: int = 0
) -> npt.NDArray[np.float64]:
    """Return the 95 % percentile bootstrap interval of each column's mean, (M, 2) float64.

    `values` is (Q, M), one row per query; NaN does not count. Queries are drawn with replacement,
    `resamples` times; the same draws serve all columns. A column with nothing but NaN gives NaN.
    """
    counted = ~np.isnan(values)
    filled = np.where(counted, values, 0.0)
    generator = np.random.default_rng(seed)
    queries = len(values)
    means = np.empty((resamples, values.shape[1]))
    step = max(1, 4_000_000 // max(queries, 1))  # keeps the drawn counts below 32 MB
    for start in range(0, resamples, step):
        size = min(step, resamples - start)
        drawn = generator.integers(queries, size=(size, queries), dtype=np.int32)
        drawn += (np.arange(size, dtype=np.int32) * queries)[:, None]
        times = np.bincount(drawn.ravel(), minlength=size * queries).reshape(size, queries)
        weights = times.astype(np.float64)
        with np.errstate(invalid="ignore"):
            means[start : start + size] = (weights @ filled) / (weights @ counted)
    outer = (1 - LEVEL) / 2
    intervals = np.full((values.shape[1], 2), np.nan)
    for column in np.flatnonzero(counted.any(axis=0)):
        # a resample of a small set can hold no query that counts: it has no mean
        intervals[column] = np.nanquantile(means[:, column], [outer, 1 - outer])
    return intervals
