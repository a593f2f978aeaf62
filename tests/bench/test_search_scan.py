from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from slow_search import (
    CODINGS,
    HARD,
    Features,
    documented_scores,
    each_coding,
    hard,
    photographs_like,
    slow_search,
)

from bench.interfaces import Distance
from bench.search import exact, products, scan
from bench.search.coded import CodedGallery
from bench.search.codes import Asking, Coding, encode, gallery_sides
from bench.search.gallery import Gallery

each_device = pytest.mark.parametrize("device", ["cpu", "cpu:0"])
POSITIONS, UPPER, ABOUT = 0, 1, 2


def coded_gallery(
    gallery: Features, distance: Distance, digits: int, *, capacity: int = 0, device: str = "cpu"
) -> CodedGallery:
    rows = exact.prepare(gallery, distance)
    mean = np.zeros(rows.shape[1]) if distance == "intersection" else rows.mean(axis=0)
    longest = float(np.abs(rows - mean).sum(axis=1).max())
    unit = float(2.0 ** np.ceil(np.log2(longest))) if longest else 1.0
    coding = Coding(distance, digits, mean, unit)
    return CodedGallery(Gallery(gallery), coding, capacity or 2 * len(gallery) + 8, device)


def nobody(queries: Features) -> exact.Positions:
    return np.full(len(queries), -1)


@each_device
@each_coding
def test_what_is_proven_is_the_slow_ranking(distance: Distance, digits: int, device: str) -> None:
    for name in HARD:
        queries, gallery = hard(name)
        own = np.arange(len(queries)) % len(gallery)
        depth = min(7, len(gallery))
        found, left = coded_gallery(gallery, distance, digits, device=device).search(
            queries, own, depth
        )
        expected = slow_search(queries, gallery, distance=distance, depth=depth, own=own)
        np.testing.assert_array_equal(found[~left], expected[~left], err_msg=name)
        if name in ("half steps", "duplicates", "65 columns"):  # few guesses are too high here
            assert left.mean() < 1 / 2, name


@each_device
@each_coding
def test_few_rows_are_kept_where_the_codes_tell_them_apart(
    distance: Distance, digits: int, device: str
) -> None:
    rows = np.abs(np.random.default_rng(31).standard_normal((3000, 32))).astype(np.float32)
    queries, gallery = rows[:20], rows[20:]
    kept_rows = coded_gallery(gallery, distance, digits, device=device).undecided(queries, 10)
    assert 10 <= kept_rows <= (10.5 if digits != 1 else 200)


@each_coding
def test_no_row_is_dropped_that_is_among_the_best(distance: Distance, digits: int) -> None:
    rows = photographs_like(300, 20, 32)
    queries, gallery = rows[:15], rows[15:]
    searched = coded_gallery(gallery, distance, digits)
    kept = searched._scan(queries, nobody(queries), 5)
    kept.drop(5)
    for query in range(15):
        scores = documented_scores(queries[query], gallery, distance)
        at_least = np.sort(scores)[-5]
        here = kept.positions[query, : kept.count[query]]
        assert np.isin(np.flatnonzero(scores >= at_least), here).all()
        assert (np.diff(here) > 0).all()


@each_coding
def test_every_row_whose_own_bound_reaches_the_bar_is_kept(distance: Distance, digits: int) -> None:
    # in two lengths, so that the largest error of all rows is not that of each
    rows = np.abs(np.random.default_rng(5).standard_normal((600, 24))).astype(np.float32)
    rows[::3] *= 4
    queries, gallery = rows[:9], rows[9:]
    searched = coded_gallery(gallery, distance, digits)
    kept = scan.Kept.room(len(queries), len(gallery))
    kept.begin(5)
    kept.limit[:] = len(gallery) + 1  # nothing is dropped, so that guesses stay
    (slab,) = searched._slabs()
    asking = Asking.of(searched.coding, queries)
    tilt, along, off = (side[:, None] for side in (asking.tilt, asking.along, asking.off))
    middles, uppers, sizes = [], [], []
    multiply = products.Products(searched.coding, [slab.codes.values[tile] for tile in slab.tiles])
    found = multiply.each(asking.codes.values)
    for (first, mixed), sides in zip(found, slab.sides, strict=True):
        low = 0.0 if first is mixed else float(scan.LOW)
        product = (first.astype(float) + low * mixed)[: len(queries), : sides.shape[1]]
        middles.append(product * sides[0] + tilt * sides[1])
        sizes.append(np.abs(product) * sides[0] + np.abs(tilt * sides[1]))
        uppers.append(middles[-1] + along * sides[2] + off * sides[3])
    middle, upper = np.concatenate(middles, axis=1), np.concatenate(uppers, axis=1)
    rounding = 2.0**-20 * (np.concatenate(sizes, axis=1) + upper - middle)  # of float32
    # the row that is known least well reaches the guess by its error alone, and just so
    known_least = np.arange(len(queries)), (upper - middle).argmax(axis=1)
    kept.guess[:] = (upper - 2 * rounding)[known_least]
    searched._take(kept, asking, slab, nobody(queries), 5)
    reaching = upper - rounding > kept.guess[:, None]
    assert reaching[known_least].all()
    for query in range(len(queries)):
        here = kept.positions[query, : kept.count[query]]
        assert np.isin(np.flatnonzero(reaching[query]), here).all()


@pytest.mark.parametrize("value", [0.0, 1.0, -3.0, 5e-9, 7e12])
def test_bounds_are_widened_by_a_rounding_of_float32(value: float) -> None:
    rounded = np.float32(value)
    room = 2**-22 * abs(float(rounded))
    assert float(scan._more(rounded)) - float(rounded) == pytest.approx(room, rel=0.3)
    assert float(rounded) - float(scan._less(rounded)) == pytest.approx(room, rel=0.3)


@pytest.mark.slow
def test_no_kernel_leaves_its_arrays() -> None:
    cases = ["test_what_is_proven_is_the_slow_ranking",
             "test_every_row_whose_own_bound_reaches_the_bar_is_kept"]  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider",
         *(f"{__file__}::{case}" for case in cases)],
        env=os.environ | {"NUMBA_BOUNDSCHECK": "1"}, capture_output=True, text=True,
        timeout=600, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    assert " passed" in done.stdout


def raise_guesses(patch: pytest.MonkeyPatch, by: float) -> None:
    """Have each guess stand higher than it should before the exact scores are looked at."""
    best = scan.best

    def misled(kept: scan.Kept, *arguments: Any, **options: Any) -> Any:
        kept.guess[:] += np.float32(by) * np.abs(kept.guess) + np.float32(by)
        return best(kept, *arguments, **options)

    patch.setattr(scan, "best", misled)


@each_coding
def test_a_query_whose_guess_was_too_high_is_not_proven(
    distance: Distance, digits: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = np.random.default_rng(33).standard_normal((200, 96)).astype(np.float32)
    queries, gallery = rows[:10], rows[10:]
    arguments = queries, nobody(queries), 5
    found, left = coded_gallery(gallery, distance, digits).search(*arguments)
    expected = slow_search(queries, gallery, distance=distance, depth=5)
    np.testing.assert_array_equal(found[~left], expected[~left])
    assert left.mean() < 1 / 2
    raise_guesses(monkeypatch, 1e9)
    _, left = coded_gallery(gallery, distance, digits).search(*arguments)
    assert left.all()


@each_device
@each_coding
@pytest.mark.parametrize("capacity", [1, 6, 40])
def test_a_buffer_that_is_too_small_gives_its_query_up(
    distance: Distance, digits: int, device: str, capacity: int
) -> None:
    gallery = np.abs(photographs_like(300, 12, 34))
    queries = gallery[:8]
    found, left = coded_gallery(gallery, distance, digits, capacity=capacity, device=device).search(
        queries, nobody(queries), 5
    )
    expected = slow_search(queries, gallery, distance=distance, depth=5)
    np.testing.assert_array_equal(found[~left], expected[~left])
    if capacity == 1:
        assert left.all()


def test_a_gallery_of_equal_rows_fills_every_buffer() -> None:
    gallery = np.tile(photographs_like(1, 12, 35), (400, 1))
    queries = photographs_like(4, 12, 36)
    _, left = coded_gallery(gallery, "euclidean", 1, capacity=200).search(
        queries, nobody(queries), 5
    )
    assert left.all()


@each_device
def test_a_depth_beyond_the_gallery_keeps_everything(device: str) -> None:
    gallery = photographs_like(30, 9, 37)
    queries, own = gallery[:3], np.array([0, -1, 2])
    found, left = coded_gallery(gallery, "cosine", 1, device=device).search(queries, own, 40)
    assert not left.any()
    expected = slow_search(queries, gallery, distance="cosine", depth=40, own=own)
    np.testing.assert_array_equal(found, expected)


def buffers(rows: list[tuple[int, float, float]], *, capacity: int = 16) -> scan.Kept:
    """Return the buffers of one query that hold (position, upper, about)."""
    kept = scan.Kept.room(1, capacity)
    kept.begin(2)
    for place, row in enumerate(rows):
        kept.positions[0, place], kept.upper[0, place], kept.about[0, place] = row
    kept.count[0] = len(rows)
    return kept


def test_rows_below_the_bar_are_dropped_and_those_that_reach_it_stay() -> None:
    kept = buffers([(3, 5.0, 4.0), (5, 3.0, 1.0), (8, 2.5, 2.0), (9, 9.0, 3.0)])
    kept.drop(2)  # the second best of about is 3
    assert 2.99 < kept.guess[0] <= 3
    assert kept.count[0] == 3
    assert kept.positions[0, :3].tolist() == [3, 5, 9]
    assert kept.upper[0, :3].tolist() == [5, 3, 9]
    assert kept.about[0, :3].tolist() == [4, 1, 3]
    kept.drop(2)
    assert kept.count[0] == 3


def test_what_bounds_may_be_off_by_lowers_the_bar_twice() -> None:
    kept = buffers([(3, 5.0, 4.0), (5, 3.0, 1.0), (8, 2.5, 2.0), (9, 9.0, 3.0)])
    kept.slack[0] = 0.25  # 3 − 2 · 0.25 = 2.5 is reached
    kept.drop(2)
    assert kept.positions[0, :4].tolist() == [3, 5, 8, 9]
    assert kept.count[0] == 4
    kept.slack[0] = 0.125
    kept.drop(2)
    assert kept.count[0] == 3


def test_a_guess_never_falls() -> None:
    kept = buffers([(3, 5.0, 4.0), (5, 3.0, 1.0)])
    kept.guess[0] = 4.5
    kept.drop(2)
    assert kept.guess[0] == 4.5
    assert kept.positions[0, : kept.count[0]].tolist() == [3]


def test_a_query_that_was_given_up_is_left_alone() -> None:
    kept = buffers([(3, 5.0, 4.0)])
    kept.count[0] = -1
    kept.drop(1)
    kept.add(np.zeros(1, int), np.array([4]), np.ones(1, np.float32), np.ones(1, np.float32), 1)
    assert kept.count[0] == -1
    assert kept.positions[0, 0] == 3


def test_rows_whose_bounds_are_not_numbers_are_kept() -> None:
    kept = buffers([])
    kept.guess[0] = 2
    upper = np.array([1, np.nan, np.inf, -np.inf, 3], np.float32)
    kept.add(np.zeros(5, int), np.arange(5), upper, upper - 1, 2)
    assert kept.positions[0, : kept.count[0]].tolist() == [1, 2, 4]
    assert kept.upper[0, :3].tolist() == [np.inf, np.inf, 3]
    assert kept.about[0, :3].tolist() == [-np.inf, -np.inf, 2]


def test_rows_are_added_to_the_queries_they_belong_to() -> None:
    kept = scan.Kept.room(4, 8)
    kept.begin(2)
    kept.count[2] = -1
    values = np.arange(6, dtype=np.float32)
    kept.add(np.array([0, 0, 2, 2, 3, 3]), np.array([1, 7, 2, 3, 0, 5]), values, values, 2)
    assert kept.count.tolist() == [2, 0, -1, 2]
    assert kept.positions[0, :2].tolist() == [1, 7]
    assert kept.positions[3, :2].tolist() == [0, 5]


def test_full_buffers_are_looked_through_and_room_is_made() -> None:
    kept = buffers([], capacity=200)
    assert kept.limit[0] == scan.FEW + 8
    values = np.arange(1000, dtype=np.float32)
    kept.add(np.zeros(1000, int), np.arange(1000), values + 0.5, values, 2)
    assert kept.count[0] <= kept.limit[0] <= 200
    kept.drop(2)
    assert kept.positions[0, : kept.count[0]].tolist() in ([998, 999], [997, 998, 999])


def test_a_query_without_bounds_is_given_up_and_slack_only_grows() -> None:
    gallery = photographs_like(30, 8, 38)
    queries = np.vstack([gallery[:1], np.full((1, 8), 3e38)]).astype(np.float32)
    searched = coded_gallery(gallery, "euclidean", 1)
    asking = Asking.of(searched.coding, queries)
    kept = searched._scan(queries, nobody(queries), 3)
    assert kept.count[0] >= 3
    assert kept.count[1] == -1
    before = kept.slack.copy()
    kept.loosen(asking, before / 2)
    np.testing.assert_array_equal(kept.slack, before)
    kept.loosen(asking, before * 2)
    np.testing.assert_array_equal(kept.slack, before * 2)


singles = st.floats(width=32, allow_nan=False)


@given(st.lists(singles, min_size=1, max_size=40), st.integers(1, 40))
@settings(max_examples=200)
def test_so_many_values_reach_the_number_that_is_said_to_be_reached(
    drawn: list[float], depth: int
) -> None:
    values = np.array(drawn, np.float32)
    reached = scan._reached(values, depth)
    if depth > len(values):
        assert reached == -np.inf
        return
    assert (values >= reached).sum() >= depth
    true, spread = np.sort(values)[-depth], float(values.max()) - float(values.min())
    if np.abs(values).max() < 1e38:  # and near the largest such number
        assert true - reached <= max(spread, abs(float(true)) * 2.0**-9, 2.0**-99) * 2.0**-10 * 4


@given(st.lists(singles, min_size=1, max_size=8), st.floats(0, 2.0**60, width=32))
@settings(max_examples=100)
def test_a_bar_is_never_above_the_guess_less_twice_the_slack(
    guesses: list[float], slack: float
) -> None:
    kept = scan.Kept.room(len(guesses), 1)
    kept.guess[:], kept.slack[:] = guesses, slack
    with np.errstate(all="ignore"):
        bars = kept.bars().astype(np.float64)
        wanted = np.array(guesses, np.float64) - 2 * slack
        finite = np.isfinite(guesses)
        assert (bars <= wanted)[finite].all()
        near = wanted - 2.0**-20 * np.abs(wanted) - 1e-44
        assert (bars >= near)[finite & (np.abs(wanted) < 1e38)].all()


@pytest.mark.parametrize("cached", [1, 4 * 20 * 7, 1 << 21])
def test_rows_are_scored_in_parts_of_any_size(cached: int, monkeypatch: pytest.MonkeyPatch) -> None:
    # the compiler has taken the constant in; plain Python is asked for another one
    monkeypatch.setattr(scan, "CACHED", cached)
    gallery = photographs_like(50, 20, 39)
    queries = gallery[:4]
    score_kept = getattr(scan._score_kept, "py_func", scan._score_kept)
    positions = np.array([[0, 5, 49, 3], [1, 2, 3, 4], [48, 49, 0, 0], [7, 0, 0, 0]], np.int32)
    count = np.array([3, 4, 2, -1])
    found = np.full((4, 4), np.nan)
    order = np.random.default_rng(40).permutation(50)
    prepared, kind = exact.prepare(queries, "euclidean"), exact.KIND["euclidean"]
    score_kept(positions, count, prepared, exact.frozen(gallery), order, kind, found)
    for query in range(4):
        rows = gallery[order[positions[query, : max(count[query], 0)]]]
        expected = documented_scores(queries[query], rows, "euclidean")
        np.testing.assert_array_equal(found[query, : len(rows)], expected)
        assert np.isnan(found[query, len(rows) :]).all()


def test_there_is_a_coding_for_every_distance() -> None:
    assert {distance for distance, _ in CODINGS} == set(exact.KIND)


def chosen(
    scores: list[float], *, guess: float, depth: int, constant: float, per_unit: float
) -> tuple[list[int], int]:
    """Return the rows that are chosen of rows 10, 11, … with these scores, and their count."""
    count, result = np.array([len(scores)]), np.full((1, depth), -1, np.int32)
    scan._choose(
        10 + np.arange(8, dtype=np.int32)[None], count, np.array([guess], np.float32),
        np.array([scores + [0.0] * (8 - len(scores))]), np.array([constant]),
        np.array([per_unit]), result,
    )  # fmt: skip
    return result[0].tolist(), int(count[0])


@pytest.mark.parametrize(("guess", "proven"), [(1.0, True), (1.25, False), (0.5, True)])
def test_what_is_chosen_is_proven_by_its_last_score_in_units_of_the_query(
    guess: float, proven: bool
) -> None:
    # (5 - 3) · 0.5 = 1
    found, count = chosen([5, 9, 5, 1], guess=guess, depth=2, constant=3, per_unit=0.5)
    assert found == [11, 10]
    assert count == (4 if proven else -1)


@given(st.lists(st.integers(-2, 2), min_size=1, max_size=8), st.integers(1, 8))
@settings(max_examples=100)
def test_rows_are_chosen_by_score_then_position(scores: list[int], depth: int) -> None:
    depth = min(depth, len(scores))
    found, count = chosen(
        [float(score) for score in scores], guess=-9, depth=depth, constant=0, per_unit=1
    )
    best = sorted(range(len(scores)), key=lambda place: (-scores[place], place))[:depth]
    assert found == [10 + place for place in best]
    assert count == len(scores)


def test_too_few_rows_prove_nothing_unless_there_are_no_others() -> None:
    few: dict[str, Any] = {"depth": 3, "constant": 0, "per_unit": 1}
    assert chosen([5, 9], guess=-np.inf, **few) == ([11, 10, -1], 2)
    assert chosen([5, 9], guess=-1e30, **few)[1] == -1
    assert chosen([], guess=-np.inf, **few) == ([-1, -1, -1], 0)
    assert chosen([], guess=-1e30, **few)[1] == -1


def test_a_first_guess_is_what_codes_say_less_a_part_of_the_error() -> None:
    sides = np.array([[1, 1], [0, 0], [2, 0], [0, 4]], np.float32)
    upper, about = np.array([10, 20], np.float32), np.empty(2, np.float32)
    scan._abouts(upper, sides, np.float32(3), np.float32(0.5), about)
    assert about.tolist() == [10 - 1.125 * 6, 20 - 1.125 * 2]
    scan._uppers(np.array([[5, 7]]), np.array([[254, 0]]), scan.LOW, sides, 0, np.float32(1),
                 np.float32(3), np.float32(0.5), upper)  # fmt: skip
    assert upper.tolist() == [6 + 6, 7 + 2]


@pytest.mark.parametrize("low", [0, scan.LOW])
def test_marked_are_the_rows_whose_codes_reach_the_bar(low: float) -> None:
    sides = np.array([[1, 2, 1, 1, np.inf], [0, 1, 1, 1, 0], [9] * 5, [9] * 5], np.float32)
    first, mixed = np.array([[9, 3, 9, 1, 0]]), np.array([[0, 0, 0, 254 * 6, 0]])
    marks = np.zeros(5, np.uint8)
    scan._mark(first, mixed, np.float32(low), sides, 0, np.float32(2), np.float32(8), marks)
    # 9, 3 · 2 + 2, 9 + 2, 1 + 2 (and 6 of the second digits), 0 · ∞
    assert marks.tolist() == [1, 1, 1, int(low > 0), 1]
    scan._mark(first, mixed, np.float32(low), sides, 0, np.float32(2), np.float32(np.nan), marks)
    assert marks.all(), "nothing is below what is not a number"


def test_the_largest_of_values_that_are_not_all_numbers_is_infinite() -> None:
    assert scan._largest(np.array([1, 7, 3], np.float32)) == 7
    assert scan._largest(np.array([1, np.nan, 3], np.float32)) == np.inf
    assert scan._largest(np.array([np.inf, 2], np.float32)) == np.inf
    assert scan._largest(np.array([], np.float32)) == 0


@pytest.mark.parametrize(("left", "given_up"), [(6, False), (7, True)])
def test_a_buffer_that_is_three_quarters_full_after_it_was_looked_through_is_given_up(
    left: int, given_up: bool
) -> None:
    kept = buffers([], capacity=8)
    assert kept.limit[0] == 8
    upper = np.array([1.0] * (8 - left) + [9.0] * left, np.float32)
    about = np.array([0.5] * (8 - left) + [8.0] * left, np.float32)
    kept.add(np.zeros(8, int), np.arange(8), upper, about, 2)
    assert kept.count[0] == (-1 if given_up else left)


@each_device
def test_a_guess_is_there_from_the_first_rows_on(device: str) -> None:
    rows = np.random.default_rng(43).standard_normal((60, 16)).astype(np.float32)
    queries = rows[:4]
    searched = coded_gallery(rows, "euclidean", 2, device=device)
    kept = searched._scan(queries, np.arange(4), 5)
    assert np.isfinite(kept.guess).all()
    assert (kept.count < 12).all()


@each_device
@each_coding
def test_buffers_hold_upper_bounds_and_what_codes_say_less_a_part_of_the_error(
    distance: Distance, digits: int, device: str
) -> None:
    rows = np.abs(np.random.default_rng(44).standard_normal((50, 16))).astype(np.float32)
    searched = coded_gallery(rows, distance, digits, device=device)
    asking = Asking.of(searched.coding, rows[:4])
    kept = searched._scan(rows[:4], np.arange(4), 5)
    others = encode(searched.coding, exact.frozen(rows), np.arange(50), of_queries=False)
    sides = gallery_sides(searched.coding, others)
    for query in range(4):
        here = slice(0, int(kept.count[query]))
        at = kept.positions[query, here]
        assert query not in at
        reach = sides[2, at] * asking.along[query] + sides[3, at] * asking.off[query]
        apart = kept.upper[query, here] - kept.about[query, here]
        rounding = 2.0**-22 * np.abs(kept.upper[query, here])
        assert (np.abs(apart - 1.125 * reach) <= rounding + 1e-3 * reach).all()
