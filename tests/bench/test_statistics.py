from __future__ import annotations

import numpy as np
import pytest

from bench.statistics import bootstrap_intervals


def test_about_95_of_100_intervals_cover_the_true_mean() -> None:
    generator = np.random.default_rng(1)
    trials, queries, chance = 400, 120, 0.3
    # the columns of one call share their draws, so each trial is a call of its own
    covered = 0
    for trial in range(trials):
        hits = (generator.random((queries, 1)) < chance).astype(np.float64)
        [(low, high)] = bootstrap_intervals(hits, resamples=400, seed=trial)
        covered += low <= chance <= high
    # three standard deviations of the binomial: 0.95 ± 0.033
    assert 0.91 <= covered / trials <= 0.985


def test_intervals_agree_with_scipy() -> None:
    from scipy.stats import bootstrap

    values = np.random.default_rng(2).beta(0.5, 0.8, 300)
    theirs = bootstrap(
        (values,), np.mean, method="percentile", n_resamples=20_000, rng=np.random.default_rng(3)
    ).confidence_interval
    [ours] = bootstrap_intervals(values[:, None], resamples=20_000)
    assert ours == pytest.approx([theirs.low, theirs.high], abs=0.002)
    assert ours[0] < values.mean() < ours[1]


def test_intervals_are_those_of_plain_resampling_though_made_in_chunks() -> None:
    # 2,000 resamples of 5,000 queries are drawn in several chunks
    values = np.random.default_rng(4).random((5000, 2))
    drawn = np.random.default_rng(7).integers(5000, size=(2000, 5000), dtype=np.int32)
    expected = np.stack(
        [np.quantile(column[drawn].mean(axis=1), [0.025, 0.975]) for column in values.T]
    )
    np.testing.assert_allclose(bootstrap_intervals(values, seed=7), expected, rtol=1e-12)


def test_nan_does_not_count() -> None:
    generator = np.random.default_rng(5)
    # among 600 queries, 300 that count; as 300 alone, up to what the draws differ by
    alone = generator.random((300, 1))
    among = np.full((600, 1), np.nan)
    among[::2] = alone
    expected, ours = bootstrap_intervals(alone), bootstrap_intervals(among)
    assert ours == pytest.approx(expected, abs=0.006)
    assert ours[0, 0] < alone.mean() < ours[0, 1]


def test_a_column_of_nan_alone_gives_nan_beside_one_that_counts() -> None:
    values = np.column_stack([np.full(20, np.nan), np.linspace(0, 1, 20)])
    intervals = bootstrap_intervals(values)
    assert np.isnan(intervals[0]).all()
    assert 0.3 < intervals[1, 0] < 0.5 < intervals[1, 1] < 0.7


def test_one_query_of_many_that_counts_is_its_own_interval() -> None:
    # a resample misses it more often than not: such a resample has no mean and must not count
    values = np.full((50, 1), np.nan)
    values[13] = 0.25
    assert bootstrap_intervals(values).tolist() == [[0.25, 0.25]]


def test_a_constant_column_has_an_interval_of_no_width() -> None:
    assert bootstrap_intervals(np.ones((37, 1))).tolist() == [[1.0, 1.0]]


def test_one_query_has_an_interval_of_no_width() -> None:
    assert bootstrap_intervals(np.array([[0.5, 1.0]])).tolist() == [[0.5, 0.5], [1.0, 1.0]]


def test_one_seed_gives_the_same_numbers_and_another_others() -> None:
    values = np.random.default_rng(6).random((80, 3))
    once = bootstrap_intervals(values, seed=11)
    assert (once == bootstrap_intervals(values, seed=11)).all()
    assert (once != bootstrap_intervals(values, seed=12)).any()


def test_equal_columns_have_equal_intervals() -> None:
    column = np.random.default_rng(8).random(90)
    first, second = bootstrap_intervals(np.column_stack([column, column]))
    assert (first == second).all()


def test_more_queries_give_a_narrower_interval() -> None:
    values = np.random.default_rng(9).random((1600, 1))
    [few], [many] = bootstrap_intervals(values[:100]), bootstrap_intervals(values)
    assert few[1] - few[0] == pytest.approx(4 * (many[1] - many[0]), rel=0.25)
