"""Intervals and paired tests of all metrics of a run, against scipy on the same values."""

from __future__ import annotations

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from bench.statistics import bootstrap_intervals, paired

QUERIES, METRICS, RESAMPLES, PERMUTATIONS = 14218, 12, 2000, 9999  # In-shop's queries


def values(seed: int) -> np.ndarray:
    """Return hits, which are 0 or 1, beside metrics of any value in between."""
    generator = np.random.default_rng(seed)
    drawn = generator.random((QUERIES, METRICS))
    drawn[:, : METRICS // 2] = drawn[:, : METRICS // 2] < 0.6
    return drawn


@pytest.mark.parametrize("way", ["ours", "scipy"])
def test_intervals(benchmark: BenchmarkFixture, way: str) -> None:
    measured = values(0)

    def run() -> np.ndarray:
        if way == "ours":
            return bootstrap_intervals(measured, resamples=RESAMPLES)
        from scipy.stats import bootstrap

        found = bootstrap(
            (measured,), np.mean, axis=0, method="percentile", n_resamples=RESAMPLES, batch=50,
            rng=np.random.default_rng(0),
        ).confidence_interval  # fmt: skip
        return np.stack([found.low, found.high], axis=1)

    benchmark.group = f"intervals: {QUERIES} queries x {METRICS} metrics, {RESAMPLES} resamples"
    rounds = 7 if way == "ours" else 1
    low, high = benchmark.pedantic(run, rounds=rounds, warmup_rounds=rounds // 7).T
    assert ((low < measured.mean(axis=0)) & (measured.mean(axis=0) < high)).all()


@pytest.mark.parametrize("way", ["ours", "scipy"])
def test_paired(benchmark: BenchmarkFixture, way: str) -> None:
    first, second = values(1), values(2)

    def run() -> np.ndarray:
        if way == "ours":
            return paired(first, second, resamples=1, permutations=PERMUTATIONS).p
        from scipy.stats import permutation_test

        return permutation_test(
            (second, first), lambda a, b, axis: (a - b).mean(axis=axis), axis=0, vectorized=True,
            permutation_type="samples", n_resamples=PERMUTATIONS, batch=20,
            rng=np.random.default_rng(0),
        ).pvalue  # fmt: skip

    benchmark.group = f"permutation test: {QUERIES} queries x {METRICS} metrics, {PERMUTATIONS}"
    assert (benchmark.pedantic(run, rounds=3 if way == "ours" else 1) > 0.0001).any()
