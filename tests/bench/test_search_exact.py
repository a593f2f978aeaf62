from __future__ import annotations

import math
import threading

import numpy as np
import pytest
from slow_search import DISTANCES, Features, documented_scores, each_distance, photographs_like

from bench.interfaces import Distance
from bench.search import exact


def sum_in_lanes(terms: list[float]) -> float:
    """Add numbers in the documented order, in plain Python."""
    lanes = [0.0] * 32
    for place, term in enumerate(terms):
        lanes[place % 32] += term
    while len(lanes) > 1:
        half = len(lanes) // 2
        lanes = [lanes[lane] + lanes[lane + half] for lane in range(half)]
    return lanes[0]


def score_in_python(query: Features, row: Features, distance: Distance) -> float:
    pairs = [(float(a), float(b)) for a, b in zip(query, row, strict=True)]
    if distance == "euclidean":
        return -sum_in_lanes([(a - b) * (a - b) for a, b in pairs])
    if distance == "intersection":
        return sum_in_lanes([min(a, b) for a, b in pairs])
    if distance == "inner-product":
        return sum_in_lanes([a * b for a, b in pairs])
    own = math.sqrt(sum_in_lanes([a * a for a, _ in pairs])) or 1.0
    length = math.sqrt(sum_in_lanes([b * b for _, b in pairs]))
    return sum_in_lanes([a / own * b for a, b in pairs]) / length if length else 0.0


def scores(queries: Features, gallery: Features, distance: Distance) -> exact.Matrix:
    rows = np.tile(np.arange(len(gallery)), (len(queries), 1))
    prepared = exact.prepare(queries, distance)
    return exact.scores(prepared, exact.frozen(gallery), rows, distance)


@each_distance
@pytest.mark.parametrize("width", [1, 31, 32, 33, 64, 100])
def test_a_score_is_the_documented_sum_to_the_last_bit(distance: Distance, width: int) -> None:
    gallery = np.vstack([photographs_like(12, width, width), np.zeros((1, width))])
    gallery = gallery.astype(np.float32)
    queries = np.vstack([photographs_like(3, width, 1), gallery[-2:]])
    expected = [[score_in_python(q, g, distance) for g in gallery] for q in queries]
    np.testing.assert_array_equal(scores(queries, gallery, distance), expected)
    for query, row in zip(queries, expected, strict=True):
        np.testing.assert_array_equal(documented_scores(query, gallery, distance), row)


@pytest.mark.parametrize(
    ("distance", "score"),
    [("euclidean", -13.0), ("cosine", 4.0 / math.sqrt(80)), ("inner-product", 4.0),
     ("intersection", -1.0)],
)  # fmt: skip
def test_scores_of_two_rows_worked_by_hand(distance: Distance, score: float) -> None:
    # (1, 2) and (4, 0) → 9 + 4, 1·4 + 2·0, 1 + 0; the last column of the intersection is −2 and 3
    query, row = np.array([[1, 2]], np.float32), np.array([[4, 0]], np.float32)
    if distance == "intersection":
        query, row = np.array([[1, 2, -2]], np.float32), np.array([[4, 0, 3]], np.float32)
    assert exact.pair_scores(query, row, distance).tolist() == pytest.approx([score], rel=1e-15)


@each_distance
def test_a_score_does_not_depend_on_where_a_row_stands(distance: Distance) -> None:
    gallery, queries = photographs_like(200, 47, 2), photographs_like(30, 47, 3)
    order = np.random.default_rng(4).permutation(200)
    whole = scores(queries, gallery, distance)
    np.testing.assert_array_equal(scores(queries, gallery[order], distance), whole[:, order])
    np.testing.assert_array_equal(scores(queries[7:8], gallery, distance), whole[7:8])
    np.testing.assert_array_equal(
        exact.pair_scores(queries, gallery[:30], distance), np.diagonal(whole)
    )


def test_a_zero_vector_has_cosine_zero_with_everything() -> None:
    rows = np.array([[0, 0], [3, 4]], np.float32)
    assert scores(rows, rows, "cosine").tolist() == [[0, 0], [0, 1]]


@pytest.mark.parametrize("distance", DISTANCES)
def test_only_the_cosine_changes_the_length_of_queries(distance: Distance) -> None:
    rows = np.array([[3, 4], [0, 0]], np.float32)
    prepared = exact.prepare(rows, distance)
    assert prepared.dtype == np.float64
    assert prepared.tolist() == ([[0.6, 0.8], [0, 0]] if distance == "cosine" else rows.tolist())


@pytest.mark.parametrize("count", [0, 1, 2, 7, 100])
def test_shares_cover_every_row_once(count: int) -> None:
    shares = exact.shares(count)
    assert len(shares) <= max(exact.threads(), 1)
    rows = [row for share in shares for row in range(count)[share]]
    assert rows == list(range(count))


def test_a_frozen_view_cannot_be_written_and_is_no_copy() -> None:
    rows = np.zeros((2, 2))
    view = exact.frozen(rows)
    assert np.shares_memory(view, rows)
    with pytest.raises(ValueError, match="read-only"):
        view[0, 0] = 1
    rows[0, 0] = 1
    assert view[0, 0] == 1


def test_an_error_in_a_thread_reaches_who_asked() -> None:
    def fail(part: slice) -> None:
        raise RuntimeError(f"part {part.start}")

    with pytest.raises(RuntimeError, match=r"part [01]"):
        exact.in_threads(fail, [slice(0, 1), slice(1, 2)])


def test_work_within_work_is_done_in_turn_by_the_thread_that_asks() -> None:
    seen: list[tuple[str, list[int]]] = []

    def outer(name: str) -> None:
        mine = threading.get_ident()
        order: list[int] = []

        def inner(part: int) -> None:
            assert threading.get_ident() == mine
            order.append(part)

        exact.in_threads(inner, range(5))
        seen.append((name, order))

    exact.in_threads(outer, "abc")
    assert sorted(seen) == [(name, [0, 1, 2, 3, 4]) for name in "abc"]
