from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from bench.statistics import bootstrap_intervals

Matrix = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]


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


def reference(
    values: Matrix, clusters: Codes, tasks: Codes, *, resamples: int, seed: int
) -> list[list[float]]:
    """Return the intervals written out as loops: draw photographs, average tasks, average those."""
    names = np.unique(clusters)
    drawn = np.random.default_rng(seed).integers(
        len(names), size=(resamples, len(names)), dtype=np.int32
    )
    intervals = []
    for column in values.T:
        means = []
        for draw in drawn:
            rows = [row for name in names[draw] for row in np.flatnonzero(clusters == name)]
            known = [row for row in rows if not np.isnan(column[row])]
            of_tasks = [
                np.mean([column[row] for row in known if tasks[row] == task])
                for task in sorted({tasks[row] for row in known})
            ]
            if of_tasks:
                means.append(np.mean(of_tasks))
        intervals.append(np.quantile(means, [0.025, 0.975]).tolist())
    return intervals


def test_rows_that_are_their_own_clusters_and_one_task_change_no_bit() -> None:
    values = np.random.default_rng(10).random((200, 3))
    values[::7, 1] = np.nan
    plain = bootstrap_intervals(values)
    apart = bootstrap_intervals(values, clusters=np.arange(200) * 7 + 3)
    assert (apart == plain).all()
    assert (bootstrap_intervals(values, tasks=np.full(200, 5)) == plain).all()


def test_intervals_of_clusters_and_tasks_are_those_of_loops() -> None:
    generator = np.random.default_rng(11)
    values = generator.random((60, 3))
    values[generator.random((60, 3)) < 0.2] = np.nan
    values[:, 2] = np.where(np.arange(60) < 3, values[:, 2], np.nan)  # few of them count
    clusters, tasks = generator.integers(0, 14, 60) * 3, generator.integers(4, 8, 60)
    ours = bootstrap_intervals(values, clusters=clusters, tasks=tasks, resamples=300, seed=12)
    expected = reference(values, clusters, tasks, resamples=300, seed=12)
    np.testing.assert_allclose(ours, expected, rtol=1e-12)


def test_rows_that_are_copies_make_no_interval_narrower() -> None:
    # 40 photographs that each ask nine times are no more than 40 photographs
    once = np.random.default_rng(13).random((40, 1))
    copies, clusters = np.repeat(once, 9, axis=0), np.repeat(np.arange(40), 9)
    together = bootstrap_intervals(copies, clusters=clusters)
    np.testing.assert_allclose(together, bootstrap_intervals(once), rtol=1e-12)
    [apart], [(low, high)] = bootstrap_intervals(copies), together
    assert high - low == pytest.approx(3 * (apart[1] - apart[0]), rel=0.15)


def test_each_task_counts_the_same_however_many_queries_it_has() -> None:
    # 900 queries that score 0.2 and 100 that score 0.8
    generator = np.random.default_rng(14)
    tasks = np.repeat([0, 1], [900, 100])
    values = np.where(tasks, 0.8, 0.2)[:, None] + generator.normal(0, 0.05, (1000, 1))
    [(low, high)] = bootstrap_intervals(values, tasks=tasks)
    assert low < 0.5 < high
    assert high - low < 0.02
    [(_, plain)] = bootstrap_intervals(values)
    assert plain < 0.3


def test_a_task_of_constant_scores_adds_nothing_to_the_width() -> None:
    values = np.random.default_rng(15).random((400, 1))
    tasks = np.repeat([0, 1], [200, 200])
    values[tasks == 1] = 0.5
    [(low, high)] = bootstrap_intervals(values, tasks=tasks)
    [alone] = bootstrap_intervals(values[:200])
    assert high - low == pytest.approx((alone[1] - alone[0]) / 2, rel=0.15)


def test_rows_in_another_order_change_nothing_beyond_rounding() -> None:
    generator = np.random.default_rng(16)
    values = generator.random((300, 2))
    values[::5] = np.nan
    clusters, tasks = generator.integers(0, 90, 300), generator.integers(0, 6, 300)
    order = generator.permutation(300)
    before = bootstrap_intervals(values, clusters=clusters, tasks=tasks)
    after = bootstrap_intervals(values[order], clusters=clusters[order], tasks=tasks[order])
    np.testing.assert_allclose(after, before, rtol=1e-12)


def test_the_numbers_that_name_clusters_and_tasks_do_not_matter() -> None:
    generator = np.random.default_rng(17)
    values, clusters = generator.random((120, 1)), generator.integers(0, 30, 120)
    tasks = generator.integers(0, 3, 120)
    before = bootstrap_intervals(values, clusters=clusters, tasks=tasks)
    after = bootstrap_intervals(values, clusters=clusters * 1000 - 5, tasks=2 - tasks)
    np.testing.assert_allclose(after, before, rtol=1e-12)


def test_a_task_whose_queries_do_not_count_is_left_out_of_the_mean() -> None:
    values = np.random.default_rng(18).random((80, 1))
    tasks, clusters = np.repeat([0, 1], [60, 20]), np.arange(80) % 60
    values[tasks == 1] = np.nan
    ours = bootstrap_intervals(values, clusters=clusters, tasks=tasks)
    np.testing.assert_allclose(ours, bootstrap_intervals(values[:60]), rtol=1e-12)


def test_one_cluster_has_an_interval_of_no_width() -> None:
    values = np.array([[0.25], [0.75], [np.nan]])
    assert bootstrap_intervals(values, clusters=np.zeros(3, np.int64)).tolist() == [[0.5, 0.5]]
