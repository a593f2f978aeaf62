from __future__ import annotations

import contextlib
import math
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench import metrics, search
from bench.interfaces import Distance
from bench.protocols import Task

Features = npt.NDArray[np.float32]
DISTANCES: tuple[Distance, ...] = ("euclidean", "cosine", "inner-product")
each_distance = pytest.mark.parametrize("distance", DISTANCES)


def unit(row: list[float]) -> list[float]:
    length = math.sqrt(math.fsum(value * value for value in row))
    return [value / length for value in row] if length else row


def slow_score(query: Features, row: Features, distance: Distance) -> float:
    a, b = [float(value) for value in query], [float(value) for value in row]
    if distance == "euclidean":
        return -math.fsum((x - y) ** 2 for x, y in zip(a, b, strict=True))
    if distance == "cosine":
        a, b = unit(a), unit(b)
    return math.fsum(x * y for x, y in zip(a, b, strict=True))


def slow_search(
    queries: Features,
    gallery: Features,
    *,
    distance: Distance,
    depth: int,
    own: npt.NDArray[np.int64] | None = None,
) -> npt.NDArray[np.int32]:
    """Return what `search` should, by sorting (score, position) in plain Python."""
    result = np.full((len(queries), depth), -1, np.int32)
    for number, query in enumerate(queries):
        scores = [slow_score(query, row, distance) for row in gallery]
        order = sorted(range(len(gallery)), key=lambda place: (-scores[place], place))
        kept = [place for place in order if own is None or place != own[number]][:depth]
        result[number, : len(kept)] = kept
    return result


@contextlib.contextmanager
def blocks(queries: int, gallery: int, spare: int = search.SPARE) -> Iterator[None]:
    """Have `search` work in blocks of these sizes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(search, "QUERY_BLOCK", queries)
        patch.setattr(search, "GALLERY_BLOCK", gallery)
        patch.setattr(search, "SPARE", spare)
        yield


def photographs_like(count: int, width: int, seed: int) -> Features:
    """Return features with twins, near-twins, negative values and norms of all sizes."""
    generator = np.random.default_rng(seed)
    rows = generator.standard_normal((count, width)).astype(np.float32)
    rows *= np.exp(generator.normal(0, 2, (count, 1))).astype(np.float32)
    rows[generator.integers(count, size=count // 4)] = rows[0]
    near = generator.integers(count, size=count // 8)
    rows[near] = rows[1]
    rows[near, 0] = np.nextafter(rows[near, 0], np.float32(9))
    return rows


small = st.integers(-3, 3)
powers = st.sampled_from([2.0**-60, 1.0, 1.0, 1.0, 2.0**60])


@st.composite
def cases(draw: st.DrawFn) -> dict[str, Any]:
    """Draw small whole numbers times powers of two: float64 makes no error, ties are exact."""
    distance = draw(st.sampled_from(DISTANCES))
    width = draw(st.integers(1, 4))
    number = st.lists(small, min_size=width, max_size=width)
    if distance == "cosine":  # along one axis, so that lengths are exact
        axes = st.tuples(st.integers(0, width - 1), small)
        number = axes.map(lambda pair: [pair[1] * (i == pair[0]) for i in range(width)])
    row = st.tuples(number, powers).map(lambda pair: [value * pair[1] for value in pair[0]])
    gallery = np.array(draw(st.lists(row, min_size=1, max_size=30)), np.float32)
    queries = np.array(draw(st.lists(row, min_size=1, max_size=6)), np.float32)
    own = st.lists(st.integers(-1, len(gallery) - 1), min_size=len(queries), max_size=len(queries))
    return {
        "queries": queries,
        "gallery": gallery,
        "distance": distance,
        "depth": draw(st.integers(1, 12)),
        "own": np.array(draw(own), np.int64),
    }


@given(cases(), st.integers(1, 7), st.integers(1, 31), st.integers(1, 3))
@settings(max_examples=300)
def test_the_order_is_by_score_then_position_whatever_the_blocks(
    case: dict[str, Any], query_block: int, gallery_block: int, spare: int
) -> None:
    expected = slow_search(**case)
    np.testing.assert_array_equal(search.search(**case), expected)
    with blocks(query_block, gallery_block, spare):
        np.testing.assert_array_equal(search.search(**case), expected)


@each_distance
def test_real_features_are_ordered_as_by_the_slow_search(distance: Distance) -> None:
    gallery = photographs_like(120, 24, seed=1)
    queries = np.vstack([gallery[:6], -gallery[6:9], photographs_like(4, 24, seed=2)])
    arguments: dict[str, Any] = {"distance": distance, "depth": 40}
    result = search.search(queries, gallery, **arguments)
    for query, positions in zip(queries, result, strict=True):
        scores = np.array([slow_score(query, row, distance) for row in gallery])
        slack = 1e-13 * np.abs(scores).max()
        np.testing.assert_allclose(scores[positions], np.sort(scores)[::-1][:40], atol=slack)
        twins = [p for p in positions if (gallery[p] == gallery[0]).all()]
        all_twins = np.flatnonzero((gallery == gallery[0]).all(axis=1))
        assert twins == all_twins[: len(twins)].tolist()


@each_distance
def test_block_sizes_change_nothing(distance: Distance) -> None:
    gallery, queries = photographs_like(700, 33, seed=3), photographs_like(40, 33, seed=3)
    arguments: dict[str, Any] = {"distance": distance, "depth": 15}
    whole = search.search(queries, gallery, **arguments)
    for sizes in ((1, 1), (7, 64), (40, 699), (3, 701)):
        with blocks(*sizes):
            np.testing.assert_array_equal(search.search(queries, gallery, **arguments), whole)


@each_distance
def test_a_deeper_ranking_begins_with_the_shallower_one(distance: Distance) -> None:
    gallery, queries = photographs_like(400, 20, seed=4), photographs_like(30, 20, seed=4)
    deep = search.search(queries, gallery, distance=distance, depth=400)
    for depth in (1, 5, 50, 399):
        shallow = search.search(queries, gallery, distance=distance, depth=depth)
        np.testing.assert_array_equal(shallow, deep[:, :depth])
    assert (np.sort(deep, axis=1) == np.arange(400)).all()


@each_distance
def test_equal_features_stand_in_gallery_order(distance: Distance) -> None:
    row = np.random.default_rng(5).standard_normal(50).astype(np.float32)
    gallery = np.tile(row, (3000, 1))
    with blocks(8, 100):
        result = search.search(gallery[:9], gallery, distance=distance, depth=60)
    assert (result == np.arange(60)).all()


@each_distance
def test_equal_features_of_many_dimensions_stand_in_gallery_order(distance: Distance) -> None:
    # the last block of the gallery is one row, longer than what numpy adds up at one go
    generator = np.random.default_rng(6)
    gallery = np.tile(generator.standard_normal(9001).astype(np.float32), (5, 1))
    queries = generator.standard_normal((20, 9001)).astype(np.float32)
    with blocks(3, 4, spare=1):
        result = search.search(queries, gallery, distance=distance, depth=2)
    assert (result == [0, 1]).all()


@pytest.mark.parametrize(
    ("distance", "query"),
    [("inner-product", [1, -(2.0**-25)]), ("euclidean", [0, 0]), ("cosine", [1, 0])],
)
def test_differences_in_the_last_bits_decide_the_order(
    distance: Distance, query: list[float]
) -> None:
    # scores 1 - j 2⁻⁵⁰, -(1 + j² 2⁻⁵⁰) and 1 / √(1 + j² 2⁻⁵⁰): all different in float64
    steps = np.random.default_rng(7).permutation(100)
    gallery = np.column_stack([np.ones(100), steps * 2.0**-25]).astype(np.float32)
    queries = np.array([query], np.float32)
    for sizes in ((1, 1), (5, 30), (1024, 4096)):
        with blocks(*sizes):
            [result] = search.search(queries, gallery, distance=distance, depth=20)
        assert steps[result].tolist() == list(range(20))


def test_zero_vectors_have_cosine_zero_between_positive_and_negative() -> None:
    gallery = np.array([[0, 0], [-2, 0], [3, 0], [0, 0], [0, 5]], np.float32)
    queries = np.array([[1, 0], [0, 0]], np.float32)
    result = search.search(queries, gallery, distance="cosine", depth=5)
    assert result.tolist() == [[2, 0, 3, 4, 1], [0, 1, 2, 3, 4]]


def test_the_largest_and_smallest_float32_neither_overflow_nor_vanish() -> None:
    huge, tiny = np.finfo(np.float32).max, np.finfo(np.float32).smallest_subnormal
    gallery = np.array([[-huge, 0], [0, tiny], [2 * tiny, 0], [huge, 0], [0, 0]], np.float32)
    queries = np.array([[tiny, 0], [huge, 0]], np.float32)
    by_product = search.search(queries, gallery, distance="inner-product", depth=5)
    assert by_product.tolist() == [[3, 2, 1, 4, 0]] * 2
    assert (
        search.search(queries, gallery, distance="cosine", depth=5).tolist()
        == [[2, 3, 1, 4, 0]] * 2
    )
    # 2 t and 0 are as far from t, the root of 2 farther is (0, t)
    by_distance = search.search(queries, gallery, distance="euclidean", depth=5).tolist()
    assert by_distance == [[2, 4, 1, 0, 3], [3, 1, 2, 4, 0]]


def test_negative_inner_products_are_ranked_like_others() -> None:
    gallery = np.array([[-3], [-1], [-2]], np.float32)
    queries = np.array([[1]], np.float32)
    result = search.search(queries, gallery, distance="inner-product", depth=3)
    assert result.tolist() == [[1, 2, 0]]


@each_distance
def test_the_own_image_is_left_out_and_its_twin_is_not(distance: Distance) -> None:
    gallery = np.array([[1, 0], [1, 0], [0, 1]], np.float32)
    own = np.array([0, 1, -1])
    result = search.search(gallery[[0, 0, 0]], gallery, distance=distance, depth=3, own=own)
    assert result.tolist() == [[1, 2, -1], [0, 2, -1], [0, 1, 2]]


@each_distance
def test_a_gallery_of_the_own_image_alone_leaves_every_rank_empty(distance: Distance) -> None:
    gallery = np.ones((1, 3), np.float32)
    result = search.search(gallery, gallery, distance=distance, depth=2, own=np.array([0]))
    assert result.tolist() == [[-1, -1]]


@each_distance
def test_layout_and_memory_map_change_nothing(distance: Distance, tmp_path: Path) -> None:
    gallery, queries = photographs_like(300, 40, seed=8), photographs_like(20, 40, seed=9)
    # the same numbers in other columns: only rounding tells them apart, and must do so alike
    gallery[100:200] = np.random.default_rng(8).permuted(gallery[100:101].repeat(100, 0), axis=1)
    queries[:5] = np.linspace(0.1, 0.9, 5, dtype=np.float32)[:, None]
    arguments: dict[str, Any] = {"distance": distance, "depth": 30}
    expected = search.search(queries, gallery, **arguments)
    np.save(tmp_path / "gallery.npy", gallery)
    mapped = np.load(tmp_path / "gallery.npy", mmap_mode="r")
    wide = np.empty((300, 80), np.float32)
    wide[:, ::2] = gallery
    with blocks(6, 77):
        for other in (mapped, np.asfortranarray(gallery), wide[:, ::2]):
            found = search.search(np.asfortranarray(queries), other, **arguments)
            np.testing.assert_array_equal(found, expected)


@each_distance
def test_threads_change_nothing(distance: Distance) -> None:
    threadpoolctl = pytest.importorskip("threadpoolctl")
    gallery, queries = photographs_like(2000, 64, seed=10), photographs_like(100, 64, seed=10)
    found = []
    for threads in (1, 2, 4):
        with threadpoolctl.threadpool_limits(threads):
            found.append(search.search(queries, gallery, distance=distance, depth=50))
    np.testing.assert_array_equal(found[0], found[1])
    np.testing.assert_array_equal(found[0], found[2])


@pytest.mark.parametrize(
    ("sizes", "bound_mb"), [((search.QUERY_BLOCK, search.GALLERY_BLOCK), 144), ((128, 512), 16)]
)
def test_memory_follows_the_blocks_and_not_queries_times_gallery(
    sizes: tuple[int, int], bound_mb: int
) -> None:
    rows = np.random.default_rng(11).standard_normal((6000, 16)).astype(np.float32)
    with blocks(*sizes):
        tracemalloc.start()
        try:
            search.search(rows, rows, distance="cosine", depth=10)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert peak < bound_mb * 1e6 <= 6000 * 6000 * 8 / 2


# "cpu:0" takes the way of a GPU where there is none
@pytest.mark.parametrize("device", ["cpu:0", pytest.param("cuda", marks=pytest.mark.gpu)])
@each_distance
def test_a_product_by_torch_finds_the_same_positions(distance: Distance, device: str) -> None:
    torch = pytest.importorskip("torch")
    if device == "cuda" and not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    gallery, queries = photographs_like(5000, 96, seed=12), photographs_like(300, 96, seed=12)
    arguments: dict[str, Any] = {"distance": distance, "depth": 50}
    by_torch = search.search(queries, gallery, device=device, **arguments)
    np.testing.assert_array_equal(by_torch, search.search(queries, gallery, **arguments))


def leave_one_out(codes: list[int]) -> Task:
    rows, values = np.arange(len(codes)), np.array(codes, np.int64)
    return Task("all", rows, rows, values, values)


def ranked(task: Task, features: Features, depth: int, *, first: bool = True) -> metrics.Ranking:
    """Return the blocks of `rank` as one ranking."""
    found = list(
        search.rank(task, lambda rows: features[task.queries[rows]], features[task.gallery],
                    distance="euclidean", depth=depth, first_relevant=first)
    )  # fmt: skip
    assert np.array_equal(
        np.concatenate([np.arange(len(task.queries))[rows] for rows, _ in found]),
        np.arange(len(task.queries)),
    )
    parts = [ranking for _, ranking in found]
    return metrics.Ranking(
        np.concatenate([part.positions for part in parts]),
        np.concatenate([part.relevant for part in parts]),
        np.concatenate([part.relevant_count for part in parts]),
        np.concatenate([np.asarray(part.first_relevant) for part in parts]) if first else None,
    )


def test_rank_marks_equal_codes_and_neither_own_nor_negative_ones() -> None:
    features = np.array([[0], [1], [2], [4]], np.float32)
    ranking = ranked(leave_one_out([5, 5, -1, -1]), features, 4)
    assert ranking.positions.tolist() == [
        [1, 2, 3, -1],
        [0, 2, 3, -1],
        [1, 0, 3, -1],
        [2, 1, 0, -1],
    ]
    assert ranking.relevant.astype(int).tolist() == [[1, 0, 0, 0], [1, 0, 0, 0], [0] * 4, [0] * 4]
    assert ranking.relevant_count.tolist() == [1, 1, 0, 0]
    assert ranking.first_relevant is not None
    assert ranking.first_relevant.tolist() == [1, 1, 0, 0]


def test_a_gallery_smaller_than_k_can_be_cut_at_k() -> None:
    ranking = ranked(leave_one_out([0, 1, 0]), np.array([[0], [1], [2]], np.float32), 20)
    assert ranking.positions.shape == (3, 20)
    assert metrics.precision(ranking, 20)[0] == 1 / 20
    assert metrics.hit(ranking, 20)[0] == 1
    assert np.isnan(metrics.hit(ranking, 20)[1])


@given(
    st.lists(st.tuples(small, st.integers(-1, 4)), min_size=1, max_size=40),
    st.integers(1, 5),
    st.integers(1, 9),
)
@settings(max_examples=100)
def test_first_relevant_is_right_at_any_depth(
    images: list[tuple[int, int]], depth: int, block: int
) -> None:
    features = np.array([[feature] for feature, _ in images], np.float32)
    task = leave_one_out([code for _, code in images])
    full = slow_search(features, features, distance="euclidean", depth=len(images), own=task.own())
    expected = []
    for query, positions in enumerate(full):
        code = task.query_codes[query]
        right = [code >= 0 and p >= 0 and task.gallery_codes[p] == code for p in positions]
        expected.append(right.index(True) + 1 if any(right) else 0)
    with blocks(block, block + 2, spare=1):
        first = ranked(task, features, depth).first_relevant
    assert first is not None
    assert first.tolist() == expected


def test_first_relevant_is_left_out_where_it_is_not_asked_for() -> None:
    features = np.array([[0], [1]], np.float32)
    assert ranked(leave_one_out([0, 0]), features, 1, first=False).first_relevant is None
