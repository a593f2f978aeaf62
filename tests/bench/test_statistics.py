from __future__ import annotations

from itertools import combinations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.statistics import (
    ENUMERATED,
    bootstrap_intervals,
    holm,
    letters,
    means,
    over_seeds,
    paired,
    tie_groups,
    told_apart,
)

# NaN is meant where it stands: nothing may warn of how it came about
pytestmark = pytest.mark.filterwarnings("error::RuntimeWarning")

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


def draws(clusters: int, resamples: int, seed: int) -> Codes:
    """Return what a resample draws, (R, C), made in blocks that each have their own stream."""
    size = max(1, 2**17 // clusters)
    return np.concatenate(
        [
            np.random.default_rng([seed, start]).integers(
                clusters, size=(min(size, resamples - start), clusters)
            )
            for start in range(0, resamples, size)
        ]
    )


def test_intervals_are_those_of_plain_resampling_though_made_in_blocks() -> None:
    # 300 resamples of 5,000 queries are drawn in a dozen blocks
    values = np.random.default_rng(4).random((5000, 2))
    drawn = draws(5000, 300, seed=7)
    expected = np.stack(
        [np.quantile(column[drawn].mean(axis=1), [0.025, 0.975]) for column in values.T]
    )
    ours = bootstrap_intervals(values, resamples=300, seed=7)
    np.testing.assert_allclose(ours, expected, rtol=1e-12)


def test_more_queries_than_a_block_of_draws_holds_are_drawn_one_resample_at_a_time() -> None:
    values = np.random.default_rng(28).random((2**17 + 1, 1))
    expected = np.quantile(values[draws(len(values), 3, seed=7), 0].mean(axis=1), [0.025, 0.975])
    [ours] = bootstrap_intervals(values, resamples=3, seed=7)
    np.testing.assert_allclose(ours, expected, rtol=1e-12)


def test_no_rows_have_no_mean_and_no_interval() -> None:
    nothing = np.zeros((0, 2))
    assert np.isnan(bootstrap_intervals(nothing)).all()
    assert np.isnan(means(nothing)).all()
    assert np.isnan(paired(nothing, nothing).p).all()


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


def test_what_is_drawn_where_nothing_is_asked_for() -> None:
    values = np.random.default_rng(30).normal(0.1, 1, (80, 1))
    plain = bootstrap_intervals(values)
    assert (plain == bootstrap_intervals(values, resamples=2000, seed=0)).all()
    found, asked = paired(0 * values, values), paired(0 * values, values, permutations=9999, seed=0)
    assert (found.low, found.high, found.p) == (asked.low, asked.high, asked.p)


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
    drawn = draws(len(names), resamples, seed)
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


def test_the_number_of_threads_changes_no_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(19).random((3000, 2))
    many = bootstrap_intervals(values), paired(values[:, :1], values[:, 1:]).p
    monkeypatch.setattr("os.cpu_count", lambda: 1)
    assert (bootstrap_intervals(values) == many[0]).all()
    assert paired(values[:, :1], values[:, 1:]).p == many[1]


def test_the_mean_is_the_plain_mean_of_tasks_by_hand() -> None:
    # task 0 has 1, 0, 0 and task 1 has 1: (1/3 + 1) / 2; without tasks 2/4
    values = np.array([[1.0], [0.0], [0.0], [1.0], [np.nan]])
    tasks = np.array([0, 0, 0, 1, 0])
    assert means(values, tasks) == pytest.approx([2 / 3])
    assert means(values) == pytest.approx([1 / 2])
    # a task in which nothing counts is left out, and nothing at all has no mean
    assert means(values, np.array([0, 0, 0, 0, 1])) == pytest.approx([1 / 2])
    assert np.isnan(means(np.full((3, 2), np.nan))).all()


# ---- two runs on the same queries


def test_a_permutation_test_by_hand() -> None:
    # three queries whose values differ by 1, 2 and 3: of the 8 sums ±1 ±2 ±3, only 6 and -6 are
    # as large as 6; by 1, 2 and -3 the sum is 0, and every sum is as large as that
    zero = np.zeros((3, 1))
    assert paired(zero, np.array([[1.0], [2.0], [3.0]])).p.tolist() == [2 / 8]
    assert paired(zero, np.array([[1.0], [2.0], [-3.0]])).p.tolist() == [1.0]
    # 3, 2, -1: the sums ≥ 4 are 6 and 4, so 4 of 8 with their opposites
    assert paired(zero, np.array([[3.0], [2.0], [-1.0]])).p.tolist() == [4 / 8]
    # these add up to 0, with a rounding error that is none of the other sums' business
    assert paired(zero, np.array([[0.7], [-0.8], [0.1]])).p.tolist() == [1.0]


def test_the_rows_of_a_photograph_flip_together_by_hand() -> None:
    # twelve rows that all differ by 1, of two photographs: ±6 ±6 is 12 or -12 in 2 of 4 cases
    zero, one = np.zeros((12, 1)), np.ones((12, 1))
    clusters = np.repeat([5, 9], 6)
    assert paired(zero, one, clusters=clusters).p.tolist() == [2 / 4]
    assert paired(zero, one).p.tolist() == [2 / 2**12]


def test_each_task_weighs_the_same_in_p_by_hand() -> None:
    # two queries of one task differ by 1 and the only one of another by -1/2; of a third none
    # counts. They add 1/4, 1/4 and -1/4 to the mean, so each of the 8 sums is as large as theirs
    first = [1.0, 1.0, -0.5, np.nan]
    # for another metric 3, 1 and -2 are a task each: all sums but 0, twice, are as large as 2
    second = [np.nan, 3.0, 1.0, -2.0]
    difference = np.column_stack([first, second])
    found = paired(np.zeros((4, 2)), difference, tasks=np.array([0, 0, 1, 2]))
    assert found.difference == pytest.approx([1 / 4, 2 / 3])
    assert found.p.tolist() == [1.0, 6 / 8]


def test_a_p_that_is_drawn_is_that_of_a_plain_loop_though_made_in_blocks() -> None:
    # 9,999 choices of 201 signs are drawn in two blocks, the bits of the second end within a byte
    count, permutations = 201, 9999
    values = np.random.default_rng(29).normal(0.1, 1, (count, 1))
    as_large, block = 0, 2**20 // count
    for start in range(0, permutations, block):
        rows = min(block, permutations - start)
        octets = np.random.default_rng([5, start]).bytes((rows * count + 7) // 8)
        bits = np.unpackbits(np.frombuffer(octets, np.uint8))[: rows * count].reshape(rows, count)
        sums = np.where(bits == 1, -1.0, 1.0) @ values[:, 0]
        as_large += int((np.abs(sums) >= abs(values.sum())).sum())
    found = paired(np.zeros_like(values), values, resamples=1, seed=5)
    assert found.p.tolist() == [(1 + as_large) / 10_000]
    assert 0.001 < found.p[0] < 0.999


def test_twelve_that_differ_are_enumerated_and_thirteen_are_drawn() -> None:
    for differ, exact in ((12, True), (13, False)):
        p = paired(np.zeros((differ, 1)), np.ones((differ, 1)), resamples=1).p[0]
        assert (p == 2 / 2**differ) == exact
        assert (p * 10_000 == pytest.approx(round(p * 10_000), abs=1e-9)) == (not exact)


def test_more_clusters_than_a_block_of_signs_holds_are_drawn_one_choice_at_a_time() -> None:
    one = np.ones((2**20 + 1, 1))
    assert paired(0 * one, one, resamples=1, permutations=3).p.tolist() == [1 / 4]


def test_queries_that_do_not_differ_change_no_p() -> None:
    first = np.zeros((1000, 1))
    second = first.copy()
    second[[3, 500, 900]] = [[1.0], [2.0], [3.0]]
    assert paired(first, second).p.tolist() == [2 / 8]


def test_equal_runs_do_not_differ() -> None:
    values = np.random.default_rng(20).random((30, 2))
    same = paired(values, values)
    assert (same.difference == 0).all()
    assert (same.low == 0).all()
    assert (same.high == 0).all()
    assert (same.p == 1).all()


@pytest.mark.parametrize("queries", [8, 60])
def test_p_agrees_with_scipy(queries: int) -> None:
    from scipy.stats import permutation_test

    generator = np.random.default_rng(21)
    first = generator.random(queries)
    second = first + generator.normal(0.04, 0.15, queries)
    theirs = permutation_test(
        (second, first), lambda a, b, axis: (a - b).mean(axis=axis), vectorized=True,
        permutation_type="samples", n_resamples=20_000, rng=np.random.default_rng(0),
    )  # fmt: skip
    ours = paired(first[:, None], second[:, None], permutations=20_000)
    # eight queries are enumerated here and there; of 60, 20,000 of the choices are drawn
    assert 0.01 < theirs.pvalue < 0.99
    assert ours.p[0] == pytest.approx(theirs.pvalue, abs=1e-12 if queries <= ENUMERATED else 0.015)
    assert ours.difference[0] == pytest.approx(theirs.statistic)


def test_the_interval_of_a_difference_agrees_with_scipys_paired_bootstrap() -> None:
    from scipy.stats import bootstrap

    generator = np.random.default_rng(22)
    first = generator.random(300)
    second = np.clip(first + generator.normal(0.02, 0.1, 300), 0, 1)
    theirs = bootstrap(
        (second, first), lambda a, b, axis: (a - b).mean(axis=axis), paired=True, vectorized=True,
        method="percentile", n_resamples=20_000, rng=np.random.default_rng(1),
    ).confidence_interval  # fmt: skip
    ours = paired(first[:, None], second[:, None], resamples=20_000)
    assert [ours.low[0], ours.high[0]] == pytest.approx([theirs.low, theirs.high], abs=0.0004)
    # paired: far narrower than two intervals that know nothing of one another
    [(low, high)] = bootstrap_intervals(first[:, None])
    assert ours.high[0] - ours.low[0] < 0.5 * (high - low)


def test_an_enumerated_and_a_drawn_p_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    differences = np.random.default_rng(23).normal(0.3, 1, (ENUMERATED, 1))
    zero = np.zeros_like(differences)
    exact = paired(zero, differences).p
    monkeypatch.setattr("bench.statistics.ENUMERATED", ENUMERATED - 1)
    assert paired(zero, differences).p == pytest.approx(exact, abs=0.02)
    assert paired(zero, differences).p != exact


def test_a_metrics_numbers_do_not_depend_on_what_else_is_compared() -> None:
    first, second = np.random.default_rng(27).random((2, 40, 3))
    second[5:, 2] = first[5:, 2]  # few queries differ in the last
    together = paired(first, second)
    for column in range(3):
        alone = paired(first[:, [column]], second[:, [column]])
        assert alone.p[0] == together.p[column]
        assert alone.low[0] == pytest.approx(together.low[column], rel=1e-12)


def test_about_5_of_100_comparisons_of_equal_methods_seem_significant() -> None:
    generator = np.random.default_rng(24)
    trials, photographs, rows = 400, 30, 3
    # rows of a photograph are alike: as rows of their own they would seem far surer than they are
    wrong = np.zeros(2)
    clusters = np.repeat(np.arange(photographs), rows)
    for trial in range(trials):
        effects = np.repeat(generator.normal(0, 1, photographs), rows)[:, None]
        values = effects + generator.normal(0, 0.3, (photographs * rows, 1))
        zero = np.zeros_like(values)
        chosen = {"resamples": 1, "permutations": 199, "seed": trial}
        together = paired(zero, values, clusters=clusters, **chosen).p[0]
        wrong += [together <= 0.05, paired(zero, values, **chosen).p[0] <= 0.05]
    # three standard deviations of the binomial: 0.05 ± 0.033
    assert 0.017 <= wrong[0] / trials <= 0.083
    assert wrong[1] / trials > 0.15


def test_one_test_for_tasks_that_count_the_same() -> None:
    # 900 queries that lose 0.1 and 100 that win 0.2: the plain mean of tasks wins, that of all not
    generator = np.random.default_rng(25)
    tasks = np.repeat([0, 1], [900, 100])
    first = generator.random((1000, 1))
    second = first + np.where(tasks == 0, -0.1, 0.2)[:, None] + generator.normal(0, 0.05, (1000, 1))
    found = paired(first, second, tasks=tasks)
    assert found.difference[0] == pytest.approx(0.05, abs=0.01)
    assert found.low[0] > 0.03
    assert found.p[0] == 1 / 10_000
    assert paired(first, second).difference[0] == pytest.approx(-0.07, abs=0.01)


def test_a_row_counts_where_it_counts_in_both_runs() -> None:
    first, second = np.array([[0.0], [np.nan], [0.0]]), np.array([[1.0], [1.0], [np.nan]])
    found = paired(first, second)
    assert (found.difference[0], found.p[0]) == (1.0, 1.0)
    nothing = paired(first, np.full((3, 1), np.nan))
    assert np.isnan([nothing.difference, nothing.low, nothing.high, nothing.p]).all()
    beside = paired(np.zeros((3, 2)), np.array([[1.0, np.nan]] * 3))
    np.testing.assert_array_equal(beside.p, [2 / 8, np.nan])


def test_the_interval_of_a_difference_is_that_of_the_rows_differences() -> None:
    generator = np.random.default_rng(31)
    first, second = generator.random((2, 60, 2))
    drawn = {"clusters": generator.integers(0, 20, 60), "tasks": generator.integers(0, 3, 60)}
    found = paired(first, second, **drawn, resamples=300, seed=4)
    expected = bootstrap_intervals(second - first, **drawn, resamples=300, seed=4)
    assert (np.column_stack([found.low, found.high]) == expected).all()


def test_the_unit_of_a_metric_changes_no_p() -> None:
    # of ten queries the choices of signs are enumerated, of thirty they are drawn
    for queries in (10, 30):
        differences = np.random.default_rng(32).normal(0.2, 1, (queries, 1))
        units = np.array([[2.0**-40, 1, 2.0**40]])
        in_units = paired(0 * differences * units, differences * units, resamples=1).p
        assert 0 < in_units[1] < 1
        assert (in_units == paired(0 * differences, differences, resamples=1).p).all()


def test_which_run_comes_first_turns_the_difference_and_keeps_p() -> None:
    generator = np.random.default_rng(26)
    first, second = generator.random((2, 50, 3))
    one, other = paired(first, second), paired(second, first)
    assert (one.p == other.p).all()
    np.testing.assert_allclose(one.difference, -other.difference, rtol=1e-12)
    np.testing.assert_allclose(one.low, -other.high, rtol=1e-9)


# ---- many comparisons


def test_holms_correction_by_hand() -> None:
    # ascending 0.01, 0.02, 0.03, 0.04 times 4, 3, 2, 1: 0.04, 0.06, 0.06, 0.04, never descending
    assert holm(np.array([0.03, 0.01, 0.04, 0.02])) == pytest.approx([0.06, 0.04, 0.06, 0.06])
    assert holm(np.array([0.5, 0.6])) == pytest.approx([1.0, 1.0])
    assert holm(np.array([0.7, 0.8])).tolist() == [1.0, 1.0]  # and no p is above 1
    # what is no comparison is not counted
    corrected = holm(np.array([[0.01, np.nan], [0.04, 0.02]]))
    assert corrected[0, 0] == pytest.approx(0.03)
    assert np.isnan(corrected[0, 1])
    assert corrected[1].tolist() == pytest.approx([0.04, 0.04])


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
@settings(max_examples=50)
def test_holm_rejects_step_by_step(p: list[float]) -> None:
    corrected = holm(np.array(p))
    # the procedure as Holm wrote it: reject the smallest while it is below 0.05 / (those left)
    rejected = set()
    for step, place in enumerate(np.argsort(p, kind="stable")):
        if not p[place] * (len(p) - step) < 0.05:
            break
        rejected.add(int(place))
    assert {place for place, value in enumerate(corrected) if value < 0.05} == rejected
    assert (corrected >= np.array(p)).all()


def test_groups_that_tie_by_hand() -> None:
    # of 0, 1, 2, 3 only neighbours cannot be told apart
    different = np.abs(np.subtract.outer(np.arange(4), np.arange(4))) > 1
    groups = tie_groups(different)
    assert groups == [(0, 1), (1, 2), (2, 3)]
    assert letters(groups, 4) == ["a", "ab", "bc", "c"]
    assert tie_groups(np.zeros((3, 3), dtype=bool)) == [(0, 1, 2)]
    assert tie_groups(~np.eye(3, dtype=bool)) == [(0,), (1,), (2,)]


@given(st.integers(1, 7), st.integers(0, 2**21 - 1))
@settings(max_examples=100)
def test_two_methods_share_a_letter_if_and_only_if_they_do_not_differ(n: int, bits: int) -> None:
    different = np.zeros((n, n), dtype=bool)
    upper = np.triu_indices(n, 1)
    different[upper] = [bits >> i & 1 for i in range(len(upper[0]))]
    different |= different.T
    groups = tie_groups(different)
    shown = letters(groups, n)
    for one, other in zip(*upper, strict=True):
        assert bool({*shown[one]} & {*shown[other]}) == (not different[one, other])
    assert all(shown)
    assert not any({*group} < {*larger} for group in groups for larger in groups)


def test_letters_do_not_end_with_z() -> None:
    shown = letters([(number,) for number in range(53)], 53)
    assert shown[25:28] == ["z", "a1", "b1"]
    assert shown[49:] == ["x1", "y1", "z1", "a2"]


# ---- seeds


def test_seeds_are_averaged_per_query_and_their_spread_stands_apart_by_hand() -> None:
    # two queries; the seeds' means are 0.5, 0.75 and 1
    values = np.array([[[0.0], [1.0]], [[0.5], [1.0]], [[1.0], [1.0]]])
    averaged, seeds = over_seeds(values)
    assert averaged.tolist() == [[0.5], [1.0]]
    assert seeds.means.tolist() == [[0.5], [0.75], [1.0]]
    assert seeds.deviation.tolist() == [0.25]
    # with a second task, in which another query has 0 with every seed: 0.25, 0.375 and 0.5
    more = np.concatenate([values, np.zeros((3, 1, 1))], axis=1)
    _, seeds = over_seeds(more, np.array([0, 0, 1]))
    assert seeds.means.tolist() == [[0.25], [0.375], [0.5]]


def test_a_query_counts_where_it_counts_with_every_seed() -> None:
    averaged, _ = over_seeds(np.array([[[0.0], [1.0]], [[np.nan], [0.0]]]))
    assert np.isnan(averaged[0, 0])
    assert averaged[1, 0] == 0.5


def test_told_apart_is_the_permutation_test_in_its_limit() -> None:
    generator = np.random.default_rng(3)
    clusters = generator.integers(0, 150, 400)
    tasks = generator.integers(0, 3, 400)
    shared = generator.random(400)
    values = np.column_stack(
        [
            (shared + 0.3 * generator.random(400) < bar).astype(float)
            for bar in (0.4, 0.405, 0.6, 0.8)
        ]
    )
    values[::17] = np.nan
    pairs = list(combinations(range(4), 2))
    p = np.array(
        [
            paired(values[:, [a]], values[:, [b]], clusters=clusters, tasks=tasks).p[0]
            for a, b in pairs
        ]
    )
    expected = holm(p) < 0.05
    found = told_apart(values, clusters=clusters, tasks=tasks)
    assert [found[pair] for pair in pairs] == expected.tolist()
    assert 0 < expected.sum() < len(pairs)
    assert (found == found.T).all()
    assert not found.diagonal().any()


def test_equal_columns_and_one_column_are_not_told_apart() -> None:
    column = np.arange(50) % 2.0
    assert not told_apart(np.column_stack([column, column])).any()
    assert told_apart(column[:, None]).shape == (1, 1)
    always = told_apart(np.column_stack([np.ones(50), np.zeros(50)]))
    assert always[0, 1]
