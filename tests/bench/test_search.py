from __future__ import annotations

import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import threadpoolctl
from hypothesis import given, settings
from hypothesis import strategies as st
from slow_search import (
    CODINGS,
    DISTANCES,
    HARD,
    PRODUCTS,
    Features,
    by,
    dense_blocks,
    documented_scores,
    each_distance,
    each_way,
    hard,
    photographs_like,
    set_to,
    slow_search,
    tiles,
)

from bench import metrics, search
from bench.errors import UserError
from bench.interfaces import Distance
from bench.protocols import Task
from bench.search import coded, dense, exact, scan
from bench.search import device as by_torch

small = st.integers(-3, 3)
powers = st.sampled_from([2.0**-60, 1.0, 1.0, 1.0, 2.0**60])


@st.composite
def cases(draw: st.DrawFn) -> dict[str, Any]:
    """Draw small whole numbers times powers of two, with many ties."""
    width = draw(st.integers(1, 4))
    number = st.lists(small, min_size=width, max_size=width)
    row = st.tuples(number, powers).map(lambda pair: [value * pair[1] for value in pair[0]])
    gallery = np.array(draw(st.lists(row, min_size=1, max_size=30)), np.float32)
    queries = np.array(draw(st.lists(row, min_size=1, max_size=6)), np.float32)
    own = st.lists(st.integers(-1, len(gallery) - 1), min_size=len(queries), max_size=len(queries))
    return {
        "queries": queries,
        "gallery": gallery,
        "distance": draw(st.sampled_from(DISTANCES)),
        "depth": draw(st.integers(1, 12)),
        "own": np.array(draw(own), np.int64),
    }


@given(cases(), st.integers(1, 31), st.integers(1, 200), st.integers(1, 3), st.integers(0, 2))
@settings(max_examples=50)
def test_the_order_is_by_score_then_position_whatever_the_blocks_and_the_way(
    case: dict[str, Any], block: int, held: int, spare: int, digits: int
) -> None:
    expected = slow_search(**case)
    np.testing.assert_array_equal(search.search(**case), expected)
    with dense_blocks(block, held, spare):
        np.testing.assert_array_equal(search.search(**case), expected)
    with by(0 if case["distance"] == "intersection" else digits):
        for way in ("cpu", "cpu:0"):
            np.testing.assert_array_equal(search.search(**case, device=way), expected)


@each_way
def test_hard_features_are_ranked_as_by_the_slow_search(
    distance: Distance, digits: int | None, device: str
) -> None:
    arguments: dict[str, Any] = {"distance": distance, "depth": 9}
    for name in HARD:
        queries, gallery = hard(name)
        own = np.where(np.arange(len(queries)) < 4, np.arange(len(queries)) % len(gallery), -1)
        with by(digits):
            found = search.search(queries, gallery, own=own, device=device, **arguments)
        expected = slow_search(queries, gallery, own=own, **arguments)
        np.testing.assert_array_equal(found, expected, err_msg=name)


@each_way
def test_a_deeper_ranking_begins_with_the_shallower_one(
    distance: Distance, digits: int | None, device: str
) -> None:
    gallery, queries = photographs_like(400, 20, seed=4), photographs_like(30, 20, seed=4)
    with by(digits):
        deep, *others = (
            search.search(queries, gallery, distance=distance, depth=depth, device=device)
            for depth in (400, 1, 5, 50, 399)
        )
    for shallow in others:
        np.testing.assert_array_equal(shallow, deep[:, : shallow.shape[1]])
    assert (np.sort(deep, axis=1) == np.arange(400)).all()


@each_way
def test_permuting_the_gallery_permutes_the_ranking(
    distance: Distance, digits: int | None, device: str
) -> None:
    generator = np.random.default_rng(14)
    gallery = generator.standard_normal((300, 24)).astype(np.float32)
    queries = generator.standard_normal((20, 24)).astype(np.float32)
    order = generator.permutation(300)
    with by(digits):
        found, permuted = (
            search.search(queries, rows, distance=distance, depth=30, device=device)
            for rows in (gallery, gallery[order])
        )
    np.testing.assert_array_equal(order[permuted], found)


@each_distance
def test_equal_features_stand_in_gallery_order(distance: Distance) -> None:
    row = np.random.default_rng(5).standard_normal(50).astype(np.float32)
    gallery = np.tile(row, (3000, 1))
    for digits in (None, 0):
        with dense_blocks(100, 1000, 4), by(digits):
            result = search.search(gallery[:9], gallery, distance=distance, depth=60)
        assert (result == np.arange(60)).all()


@each_distance
def test_equal_features_of_many_dimensions_stand_in_gallery_order(distance: Distance) -> None:
    # the last block of the gallery is one row, longer than what numpy adds up at one go
    generator = np.random.default_rng(6)
    gallery = np.tile(generator.standard_normal(9001).astype(np.float32), (5, 1))
    queries = generator.standard_normal((20, 9001)).astype(np.float32)
    with dense_blocks(4, 18, 1):
        result = search.search(queries, gallery, distance=distance, depth=2)
    assert (result == [0, 1]).all()


@pytest.mark.parametrize("digits", [None, 0, 1, 2])
@pytest.mark.parametrize(
    ("distance", "query"),
    [("inner-product", [1, -(2.0**-25)]), ("euclidean", [0, 0]), ("cosine", [1, 0])],
)
def test_differences_in_the_last_bits_decide_the_order(
    distance: Distance, query: list[float], digits: int | None
) -> None:
    # scores 1 - j 2⁻⁵⁰, -(1 + j² 2⁻⁵⁰) and 1 / √(1 + j² 2⁻⁵⁰): all different in float64
    steps = np.random.default_rng(7).permutation(100)
    gallery = np.column_stack([np.ones(100), steps * 2.0**-25]).astype(np.float32)
    queries = np.array([query], np.float32)
    for sizes in ((1, 1, 16), (30, 100, 16), (4096, 1 << 23, 16)):
        with dense_blocks(*sizes), by(digits):
            [result] = search.search(queries, gallery, distance=distance, depth=20)
        assert steps[result].tolist() == list(range(20))


def test_zero_vectors_have_cosine_zero_between_positive_and_negative() -> None:
    gallery = np.array([[0, 0], [-2, 0], [3, 0], [0, 0], [0, 5]], np.float32)
    queries = np.array([[1, 0], [0, 0]], np.float32)
    result = search.search(queries, gallery, distance="cosine", depth=5)
    assert result.tolist() == [[2, 0, 3, 4, 1], [0, 1, 2, 3, 4]]


@pytest.mark.parametrize("digits", [None, 0, 1, 2])
def test_the_largest_and_smallest_float32_neither_overflow_nor_vanish(digits: int | None) -> None:
    huge, tiny = np.finfo(np.float32).max, np.finfo(np.float32).smallest_subnormal
    gallery = np.array([[-huge, 0], [0, tiny], [2 * tiny, 0], [huge, 0], [0, 0]], np.float32)
    queries = np.array([[tiny, 0], [huge, 0]], np.float32)
    with by(digits):
        by_product, by_cosine, by_distance = (
            search.search(queries, gallery, distance=distance, depth=5).tolist()
            for distance in ("inner-product", "cosine", "euclidean")
        )
    assert by_product == [[3, 2, 1, 4, 0]] * 2
    assert by_cosine == [[2, 3, 1, 4, 0]] * 2
    # 2 t and 0 are as far from t, the root of 2 farther is (0, t)
    assert by_distance == [[2, 4, 1, 0, 3], [3, 1, 2, 4, 0]]


def test_negative_inner_products_are_ranked_like_others() -> None:
    gallery = np.array([[-3], [-1], [-2]], np.float32)
    queries = np.array([[1]], np.float32)
    result = search.search(queries, gallery, distance="inner-product", depth=3)
    assert result.tolist() == [[1, 2, 0]]


def test_histogram_intersections_worked_by_hand() -> None:
    gallery = np.array([[5, 0, 0], [1, 1, 1], [2, 2, 0], [0, 0, 3]], np.float32)
    queries = np.array([[2, 1, 0], [0, 0, 2]], np.float32)  # 2 2 3 0 and 0 1 0 2
    result = search.search(queries, gallery, distance="intersection", depth=4)
    assert result.tolist() == [[2, 0, 1, 3], [3, 1, 0, 2]]


@each_way
def test_the_own_image_is_left_out_and_its_twin_is_not(
    distance: Distance, digits: int | None, device: str
) -> None:
    gallery = np.array([[1, 0], [1, 0], [0, 1]], np.float32)
    own = np.array([0, 1, -1])
    with by(digits):
        result = search.search(gallery[[0, 0, 0]], gallery, distance=distance, depth=3, own=own,
                               device=device)  # fmt: skip
    assert result.tolist() == [[1, 2, -1], [0, 2, -1], [0, 1, 2]]


@each_way
def test_a_gallery_of_the_own_image_alone_leaves_every_rank_empty(
    distance: Distance, digits: int | None, device: str
) -> None:
    gallery = np.ones((1, 3), np.float32)
    with by(digits):
        result = search.search(gallery, gallery, distance=distance, depth=2, own=np.array([0]),
                               device=device)  # fmt: skip
    assert result.tolist() == [[-1, -1]]


@each_way
def test_features_that_are_not_finite_are_refused_and_it_is_said_whose(
    distance: Distance, digits: int | None, device: str
) -> None:
    sound = photographs_like(40, 9, seed=15)
    for wrong in (np.nan, np.inf, -np.inf):
        broken = sound.copy()
        broken[23, 4] = wrong
        for queries, gallery, whose in ((sound[:3], broken, "gallery"), (broken, sound, "queries")):
            with (
                by(digits), np.errstate(invalid="ignore"),
                pytest.raises(UserError, match=f"the features of the {whose} are not finite"),
            ):  # fmt: skip
                search.search(queries, gallery, distance=distance, depth=3, device=device)


@each_way
def test_layout_memory_map_and_chosen_rows_change_nothing(
    distance: Distance, digits: int | None, device: str, tmp_path: Path
) -> None:
    gallery, queries = photographs_like(300, 40, seed=8), photographs_like(20, 40, seed=9)
    # the same numbers in other columns: only rounding tells them apart, and must do so alike
    gallery[100:200] = np.random.default_rng(8).permuted(gallery[100:101].repeat(100, 0), axis=1)
    queries[:5] = np.linspace(0.1, 0.9, 5, dtype=np.float32)[:, None]
    arguments: dict[str, Any] = {"distance": distance, "depth": 30, "device": device}
    expected = slow_search(queries, gallery, distance=distance, depth=30)
    np.save(tmp_path / "gallery.npy", gallery)
    mapped = np.load(tmp_path / "gallery.npy", mmap_mode="r")
    wide = np.empty((300, 80), np.float32)
    wide[:, ::2] = gallery
    order = np.random.default_rng(16).permutation(500)[:300]
    among_others = np.zeros((500, 40), np.float32)
    among_others[order] = gallery
    chosen = search.Gallery(among_others, order)
    with dense_blocks(77, 700, 16), by(digits):
        for other in (gallery, mapped, np.asfortranarray(gallery), wide[:, ::2], chosen):
            found = search.search(np.asfortranarray(queries), other, **arguments)
            np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(("distance", "digits"), CODINGS)
def test_tiles_slabs_blocks_and_buffers_change_nothing(distance: Distance, digits: int) -> None:
    gallery, queries = photographs_like(400, 33, seed=3), photographs_like(110, 33, seed=3)
    arguments: dict[str, Any] = {"distance": distance, "depth": 15}
    own = np.arange(110)
    expected = search.search(queries, gallery, own=own, **arguments)
    np.testing.assert_array_equal(
        expected[:9], slow_search(queries[:9], gallery, own=own[:9], **arguments)
    )
    for change in (
        [(coded, "TILES", tiles(7, 64))],
        [(coded, "TILES", tiles(5, 32) | {"sums": (5, 4)}), (coded, "SLAB_BYTES", 1)],
        [(coded, "SLAB_BYTES", 1), (coded, "TILES", tiles(64, 256)), (coded, "HELD_BYTES", 0)],
        [(coded, "KEPT_BYTES", 0)],
        [(search, "BLOCK_BYTES", 0), (by_torch, "TILE", 1)],
        [(coded, "CAPACITY", (1, 1 << 20)), (scan, "FEW", 1)],
    ):
        for way in ("cpu", "cpu:0"):
            with set_to(*change), by(digits):
                found = search.search(queries, gallery, own=own, device=way, **arguments)
            np.testing.assert_array_equal(found, expected)


@each_way
def test_threads_change_nothing(distance: Distance, digits: int | None, device: str) -> None:
    rows = photographs_like(300, 48, seed=10)
    found = []
    for count in (1, 2, 5):
        threads: list[tuple[Any, str, Any]] = [(exact, "threads", lambda count=count: count),
                                               (exact, "_pool", [])]  # fmt: skip
        with set_to(*threads), threadpoolctl.threadpool_limits(count), by(digits):
            found.append(search.search(rows[:70], rows, distance=distance, depth=40, device=device))
    np.testing.assert_array_equal(found[0], found[1])
    np.testing.assert_array_equal(found[0], found[2])


@pytest.mark.parametrize("distance", PRODUCTS)
@pytest.mark.parametrize(("digits", "bound_mb"), [(None, 150), (1, 40)])
def test_memory_follows_the_blocks_and_not_queries_times_gallery(
    distance: Distance, digits: int | None, bound_mb: int
) -> None:
    rows = np.random.default_rng(11).standard_normal((6000, 16)).astype(np.float32)
    smaller = [(dense, "HELD", 1 << 20), (coded, "KEPT_BYTES", 4 << 20),
               (coded, "TILES", tiles(256, 1024)), (coded, "HELD_BYTES", 0)]  # fmt: skip
    with set_to(*smaller), by(digits):
        search.search(rows[:10], rows, distance=distance, depth=10)
        tracemalloc.start()
        try:
            search.search(rows, rows, distance=distance, depth=10)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert peak < bound_mb * 1e6 <= 6000 * 6000 * 8


@pytest.mark.gpu
@pytest.mark.parametrize(("distance", "digits"), CODINGS)
def test_a_gpu_finds_the_same_positions(distance: Distance, digits: int) -> None:
    torch = pytest.importorskip("torch")
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    gallery, queries = photographs_like(5000, 96, seed=12), photographs_like(300, 96, seed=12)
    arguments: dict[str, Any] = {"distance": distance, "depth": 50}
    expected = search.search(queries, gallery, **arguments)
    for way in (None, digits):
        with by(way):
            found = search.search(queries, gallery, device="cuda", **arguments)
        np.testing.assert_array_equal(found, expected)


def watched(patch: pytest.MonkeyPatch, module: Any, name: str) -> list[int]:
    """Have each call of a function noted, with the number of its queries."""
    calls, function = [], getattr(module, name)

    def noted(first: Any, *arguments: Any, **options: Any) -> Any:
        calls.append(len(first))
        return function(first, *arguments, **options)

    patch.setattr(module, name, noted)
    return calls


def test_codes_are_taken_where_the_work_is_large_and_the_depth_is_small(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    chosen = watched(monkeypatch, coded, "choose")
    densely = watched(monkeypatch, dense, "search")
    rows = np.random.default_rng(17).standard_normal((2000, 64)).astype(np.float32)
    arguments: dict[str, Any] = {"distance": "euclidean", "depth": 250}
    monkeypatch.setattr(search, "SMALL", 100 * 2000 * 64 + 1)
    search.search(rows[:100], rows, **arguments)
    assert (chosen, densely) == ([], [100])
    monkeypatch.setattr(search, "SMALL", 100 * 2000 * 64)
    monkeypatch.setattr(coded, "_digits", lambda *_: (2,))
    arguments["depth"] = 251  # an eighth is 250
    search.search(rows[:100], rows, **arguments)
    assert (chosen, densely) == ([], [100, 100])
    arguments["depth"] = 250
    search.search(rows[:100], rows, **arguments)
    assert chosen == [100]


def test_what_codes_leave_is_found_by_products_and_where_they_leave_much_they_are_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rows = np.random.default_rng(18).standard_normal((500, 96)).astype(np.float32)
    expected = slow_search(rows[:64], rows, distance="cosine", depth=5)
    densely = watched(monkeypatch, dense, "search")
    by_codes: list[int] = []
    by_code = coded.CodedGallery.search

    def leaving(left: int) -> Any:
        def leave(*arguments: Any) -> Any:
            found, waiting = by_code(*arguments)
            by_codes.append(left)
            found[:left], waiting[:left] = -7, True
            return found, waiting

        return leave

    for left, expected_calls in ((30, [30, 30]), (32, [32, 64])):
        densely.clear()
        by_codes.clear()
        with by(2), set_to((coded.CodedGallery, "search", leaving(left))):
            find = search.Search(rows, distance="cosine", depth=5, count=128)
            for _ in range(2):
                np.testing.assert_array_equal(find(rows[:64], np.full(64, -1)), expected)
        assert densely == expected_calls
        assert by_codes == ([30, 30] if left == 30 else [32])


def test_where_no_coding_pays_products_go_on_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = photographs_like(300, 12, seed=19)
    chosen = watched(monkeypatch, coded, "choose")
    with by(1), set_to((coded, "MOST", -1.0), (coded, "MOST_ONE_DIGIT", -1.0)):
        find = search.Search(rows, distance="cosine", depth=5, count=20)
        for _ in range(2):
            found = find(rows[:10], np.full(10, -1))
            np.testing.assert_array_equal(
                found, slow_search(rows[:10], rows, distance="cosine", depth=5)
            )
    assert chosen == [10]


def test_a_block_of_queries_is_64_mib_in_float64_within_limits() -> None:
    assert search.block_of(4096) == 2048
    assert search.block_of(16) == 4096
    assert search.block_of(1 << 20) == 256
    assert search.block_of(0) == 4096


def test_pair_scores_are_those_of_the_search() -> None:
    rows = photographs_like(20, 7, seed=13)
    for distance in DISTANCES:
        expected = [documented_scores(rows[i], rows[i + 10 : i + 11], distance)[0]
                    for i in range(10)]  # fmt: skip
        assert search.pair_scores(rows[:10], rows[10:], distance).tolist() == expected


def leave_one_out(codes: list[int]) -> Task:
    rows, values = np.arange(len(codes)), np.array(codes, np.int64)
    return Task("all", rows, rows, values, values)


def ranked(
    task: Task, features: Features, depth: int, *, first: bool = True,
    distance: Distance = "euclidean", device: str = "cpu",
) -> metrics.Ranking:  # fmt: skip
    """Return the blocks of `rank` as one ranking."""
    found = list(
        search.rank(task, lambda rows: features[task.queries[rows]],
                    search.Gallery(features, task.gallery), distance=distance, depth=depth,
                    first_relevant=first, device=device)
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
    st.sampled_from(DISTANCES),
    st.sampled_from(["cpu", "cpu:0"]),
)
@settings(max_examples=60)
def test_first_relevant_is_right_at_any_depth(
    images: list[tuple[int, int]], depth: int, block: int, distance: Distance, device: str
) -> None:
    features = np.array([[feature] for feature, _ in images], np.float32)
    task = leave_one_out([code for _, code in images])
    full = slow_search(features, features, distance=distance, depth=len(images), own=task.own())
    expected = []
    for query, positions in enumerate(full):
        code = task.query_codes[query]
        right = [code >= 0 and p >= 0 and task.gallery_codes[p] == code for p in positions]
        expected.append(right.index(True) + 1 if any(right) else 0)
    with dense_blocks(block + 2, block * (block + 2), 1), set_to((search, "PAIRS", block)):
        first = ranked(task, features, depth, distance=distance, device=device).first_relevant
    assert first is not None
    assert first.tolist() == expected


def test_first_relevant_is_left_out_where_it_is_not_asked_for() -> None:
    features = np.array([[0], [1]], np.float32)
    assert ranked(leave_one_out([0, 0]), features, 1, first=False).first_relevant is None


@pytest.mark.parametrize("digits", [None, 0, 1, 2])
def test_rank_comes_in_blocks_of_queries_and_is_the_same_by_codes(digits: int | None) -> None:
    rows = photographs_like(130, 10, seed=41)
    task = leave_one_out((np.arange(130) % 9).tolist())
    expected = slow_search(rows, rows, distance="euclidean", depth=6, own=task.own())
    relevant = task.gallery_codes[expected] == task.query_codes[:, None]
    with by(digits), set_to((search, "BLOCK_BYTES", 16 * 6 * 50)):
        blocks = list(
            search.rank(task, lambda part: rows[part], search.Gallery(rows),
                        distance="euclidean", depth=6, first_relevant=True)
        )  # fmt: skip
        assert [part for part, _ in blocks] == [slice(0, 50), slice(50, 100), slice(100, 130)]
        whole = ranked(task, rows, 6)
    np.testing.assert_array_equal(whole.positions, expected)
    np.testing.assert_array_equal(whole.relevant, relevant)
    full = slow_search(rows, rows, distance="euclidean", depth=129, own=task.own())
    right = task.gallery_codes[full] == task.query_codes[:, None]
    np.testing.assert_array_equal(whole.first_relevant, right.argmax(axis=1) + 1)


def test_rank_reads_queries_block_by_block_as_float32() -> None:
    rows = np.asfortranarray(photographs_like(40, 6, seed=42).astype(np.float64))
    task = leave_one_out([0] * 40)
    asked: list[slice] = []

    def queries(part: slice) -> Any:
        asked.append(part)
        return rows[part]

    with set_to((search, "BLOCK_BYTES", 0)):
        [*_] = search.rank(
            task, queries, search.Gallery(rows.astype(np.float32)), distance="cosine", depth=3,
            first_relevant=False,
        )  # fmt: skip
    assert asked == [slice(0, 16), slice(16, 32), slice(32, 40)]
