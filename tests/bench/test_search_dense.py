from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from slow_search import (
    DISTANCES,
    HARD,
    Features,
    dense_blocks,
    documented_scores,
    each_distance,
    hard,
    photographs_like,
    slow_search,
)

from bench.errors import UserError
from bench.interfaces import Distance
from bench.search import dense, exact
from bench.search.gallery import Gallery

each_device = pytest.mark.parametrize("device", ["cpu", "cpu:0"])
nobody = np.array([-1])


def found_densely(
    queries: Features, gallery: Features, distance: Distance, depth: int, *,
    own: exact.Positions | None = None, device: str = "cpu",
) -> exact.Positions:  # fmt: skip
    return dense.search(
        exact.prepare(queries, distance), Gallery(gallery), distance=distance, depth=depth,
        own=np.full(len(queries), -1) if own is None else own, device=device,
    )  # fmt: skip


@each_device
@each_distance
def test_hard_features_are_ranked_as_by_the_slow_search(distance: Distance, device: str) -> None:
    for name in HARD:
        queries, gallery = hard(name)
        own = np.arange(len(queries)) % len(gallery)
        depth = min(7, len(gallery))
        expected = slow_search(queries, gallery, distance=distance, depth=depth, own=own)
        for sizes in ((4096, 1 << 23, 16), (11, 100, 1), (5, 1, 2)):
            with dense_blocks(*sizes):
                found = found_densely(queries, gallery, distance, depth, own=own, device=device)
            np.testing.assert_array_equal(found, expected, err_msg=name)


def test_a_depth_beyond_the_gallery_ends_with_it() -> None:
    gallery = photographs_like(5, 3, 1)
    assert found_densely(gallery[:2], gallery, "euclidean", 9).shape == (2, 5)


def ranks_of_all(gallery: Features, queries: Features, own: int, distance: Distance) -> None:
    """Check the rank of every position against the slow search."""
    owns = np.full(len(queries), own)
    order = slow_search(
        queries, gallery, distance=distance, depth=len(gallery), own=owns
    )  # fmt: skip
    for target in range(len(gallery)):
        if target == own:
            continue
        found = dense.ranks(
            exact.prepare(queries, distance), Gallery(gallery), np.full(len(queries), target),
            distance=distance, own=owns, device="cpu",
        )  # fmt: skip
        assert found.tolist() == [row.tolist().index(target) + 1 for row in order]


@each_distance
@pytest.mark.parametrize(
    "name", ["near-ties", "constant", "zeros", "huge and tiny", "duplicates", "collapsed"]
)
def test_ranks_are_right_at_any_depth(distance: Distance, name: str) -> None:
    queries, gallery = hard(name)
    with dense_blocks(13, 26, 1):
        for own in (-1, 3):
            ranks_of_all(gallery[:30], queries[:8:3], own, distance)


@given(
    st.lists(st.tuples(st.integers(-2, 2), st.integers(-2, 2)), min_size=2, max_size=15),
    st.integers(-1, 14),
    st.integers(1, 5),
    st.sampled_from(DISTANCES),
)
@settings(max_examples=50)
def test_ranks_count_ties_by_position_whatever_the_blocks(
    rows: list[tuple[int, int]], own: int, block: int, distance: Distance
) -> None:
    gallery = np.array(rows, np.float32)
    with dense_blocks(block, 2 * block, 1):
        ranks_of_all(gallery, gallery[:3], own if own < len(rows) else -1, distance)


@each_device
def test_ranks_by_torch_are_the_same(device: str) -> None:
    rows = photographs_like(60, 9, 2)
    found = dense.ranks(
        exact.prepare(rows[:20], "cosine"), Gallery(rows), np.arange(20, 40), distance="cosine",
        own=np.arange(20), device=device,
    )  # fmt: skip
    order = slow_search(rows[:20], rows, distance="cosine", depth=60, own=np.arange(20))
    assert found.tolist() == [order[q].tolist().index(q + 20) + 1 for q in range(20)]


def test_ranks_in_a_gallery_of_equal_rows_need_no_room_for_all_pairs() -> None:
    rows = np.ones((2000, 64), np.float32)
    prepared = exact.prepare(rows[:1000], "euclidean")
    tracemalloc.start()
    try:
        found = dense.ranks(
            prepared, Gallery(rows), np.arange(1000, 2000), distance="euclidean",
            own=np.full(1000, -1), device="cpu",
        )  # fmt: skip
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert found.tolist() == list(range(1001, 2001))
    assert peak < 100e6 < 1000 * 2000 * 64 * 8 / 10


@each_distance
def test_all_scores_are_the_exact_ones_and_the_own_is_last(distance: Distance) -> None:
    gallery = photographs_like(20, 7, 3)
    query = exact.prepare(gallery[:1], distance)[0]
    expected = documented_scores(gallery[0], gallery, distance)
    found = dense.all_scores(query, -1, Gallery(gallery), distance)
    np.testing.assert_array_equal(found, expected)
    found = dense.all_scores(query, 4, Gallery(gallery), distance)
    assert found[4] == -np.inf
    np.testing.assert_array_equal(np.delete(found, 4), np.delete(expected, 4))


@each_distance
def test_products_are_within_half_the_tolerance_of_exact_scores(distance: Distance) -> None:
    for name in HARD:
        queries, gallery = hard(name)
        prepared = exact.prepare(queries, distance)
        block = dense._Block(prepared, np.full(len(queries), -1), distance, "cpu")
        found, longest = block.scores(Gallery(gallery), 0)
        expected = np.array([documented_scores(query, gallery, distance) for query in queries])
        error = np.abs(found - expected).max(axis=1)
        assert (error <= block.tolerance(longest) / 2).all(), name


@each_distance
def test_tolerance_is_as_small_as_its_formula(distance: Distance) -> None:
    queries = exact.prepare(np.array([[3, 4], [0, 1]], np.float32), distance)
    block = dense._Block(queries, np.array([-1, -1]), distance, "cpu")
    lengths = {"cosine": [2, 2], "euclidean": [49, 9], "inner-product": [10, 2],
               "intersection": [0, 0]}  # fmt: skip
    expected = np.array(lengths[distance]) * 8 * 6 * 2.0**-53
    np.testing.assert_allclose(block.tolerance(2.0), expected, rtol=1e-12)


@each_distance
@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_a_gallery_that_is_not_finite_is_refused(distance: Distance, wrong: float) -> None:
    gallery = photographs_like(30, 5, 4)
    gallery[17, 3] = wrong
    with (
        np.errstate(invalid="ignore"),
        pytest.raises(UserError, match=r"features of the gallery are not finite"),
    ):
        found_densely(gallery[:2], gallery, distance, 3)
