from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from slow_search import Features, by, each_coding, photographs_like, set_to, slow_search, tiles

from bench.errors import UserError
from bench.interfaces import Distance
from bench.search import coded, exact, products
from bench.search.codes import LARGEST_SUM
from bench.search.gallery import Gallery


def spread(count: int, width: int, seed: int = 1) -> Features:
    return np.random.default_rng(seed).standard_normal((count, width)).astype(np.float32)


def chosen(
    queries: Features, gallery: Features, distance: Distance, depth: int = 5
) -> coded.CodedGallery | None:
    return coded.choose(queries, Gallery(gallery), distance=distance, depth=depth, device="cpu")


def test_digits_are_integers_where_they_pay_and_their_sums_fit() -> None:
    pays: Any = lambda *_: True  # noqa: E731
    with set_to((products, "integers_pay", pays)):
        assert coded._digits("cosine", 512, "cpu") == (1, 2)
        assert coded._digits("euclidean", LARGEST_SUM, "cpu") == (1, 2)
        assert coded._digits("euclidean", LARGEST_SUM + 1, "cpu") == (0,)
        assert coded._digits("intersection", 512, "cpu") == (0,)
    with set_to((products, "integers_pay", lambda *_: False)):
        assert coded._digits("cosine", 512, "cpu") == (0,)


def test_features_wider_than_integer_sums_are_ranked_by_float32() -> None:
    rows = spread(40, LARGEST_SUM + 1)
    with set_to((coded, "MOST", np.inf)):
        found = chosen(rows[:3], rows, "inner-product", 2)
    assert found is not None
    assert found.coding.digits == 0
    positions, left = found.search(rows[:3], np.full(3, -1), 2)
    expected = slow_search(rows[:3], rows, distance="inner-product", depth=2)
    np.testing.assert_array_equal(positions[~left], expected[~left])
    assert not left.any()


@each_coding
def test_a_coding_is_chosen_where_few_rows_are_left_undecided(
    distance: Distance, digits: int
) -> None:
    rows = np.abs(spread(4000, 32))
    with set_to((coded, "_digits", lambda *_: (digits,))):
        found = chosen(rows[:20], rows, distance)
        assert (found is None) == (digits == 1 and found is None)
        near = (1 + 1e-7 * spread(4000, 32)).astype(np.float32)
        assert chosen(near[:20], np.tile(near[:1], (4000, 1)), distance) is None
    if digits != 1:
        assert found is not None
        assert found.capacity == coded.CAPACITY[0]
        assert found.coding.distance == distance


def test_a_second_digit_is_taken_where_the_first_leaves_too_much(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(coded, "_digits", lambda *_: (1, 2))
    left = {1: 0.0, 2: 0.0}

    def undecided(self: coded.CodedGallery, *_: Any) -> float:
        return left[self.coding.digits] * len(self.gallery)

    monkeypatch.setattr(coded.CodedGallery, "undecided", undecided)
    rows = spread(2000, 512)
    best = 4 / 1000  # of the sample: 2.5 of 5 in 2,000 rows, and the query's own
    for one, two, expected in (
        (best + 1 / 80, 0.0, 1), (best + 1.1 / 80, 1 / 16, 2), (1.0, 0.07, None), (0.0, 1.0, 1),
    ):  # fmt: skip
        left |= {1: one, 2: two}
        found = chosen(rows[:5], rows, "cosine")
        assert (found.coding.digits if found else None) == expected


@pytest.mark.parametrize(
    ("share", "depth", "capacity"),
    [(0.0, 5, 1024), (0.02, 200, 1024), (0.05, 300, 2048), (0.06, 1000, 8192), (0.06, 2000, None)],
)
def test_buffers_hold_twice_the_rows_that_are_left_and_some(
    share: float, depth: int, capacity: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(coded, "_digits", lambda *_: (2,))
    monkeypatch.setattr(coded.CodedGallery, "undecided", lambda self, *_: share * len(self.gallery))
    rows = spread(5000, 8)
    found = chosen(rows[:5], rows, "euclidean", depth)
    assert (found.capacity if found else None) == capacity


def test_what_is_measured_is_a_sample_over_the_whole_gallery(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[Any] = []

    def undecided(self: coded.CodedGallery, queries: Features, depth: int) -> float:
        seen.append((self.gallery.features, queries, depth, self.capacity))
        return 0.0

    monkeypatch.setattr(coded.CodedGallery, "undecided", undecided)
    monkeypatch.setattr(coded, "SAMPLED_ROWS", 300)
    rows = spread(3000, 4)
    order = np.random.default_rng(2).permutation(3000)
    with by(2):
        coded.choose(rows[:100], Gallery(rows, order), distance="euclidean", depth=15, device="cpu")
        monkeypatch.setattr(coded, "SAMPLE_BYTES", 0)
        chosen(rows[:7], rows, "euclidean", 2999)
        chosen(rows[:7], rows[:50], "euclidean", 50)
        monkeypatch.setattr(coded, "SAMPLE_BYTES", 4 * 4 * 280)
        chosen(rows[:7], rows, "euclidean", 1)
    (sample, asked, depth, capacity), (least, few, deep, _), (all_of_it, _, whole, _), last = seen
    assert len(last[0]) == 280
    at = np.linspace(0, 2999, 300).astype(int)
    np.testing.assert_array_equal(sample, rows[order[at]])
    np.testing.assert_array_equal(asked, rows[np.linspace(0, 99, 32).astype(int)])
    assert (depth, capacity) == (3, 301)  # 15 · 300 / 3000 rounded up, and the own image
    assert len(least) == 256
    np.testing.assert_array_equal(few, rows[:7])
    assert deep == 256
    np.testing.assert_array_equal(all_of_it, rows[:50])
    assert whole == 50


def test_the_mean_and_the_unit_are_those_of_the_sample() -> None:
    rows = spread(100, 6)
    with by(1):
        found = chosen(rows[:5], rows, "cosine")
        flat = chosen(rows[:5], np.abs(rows), "intersection")
        zero = chosen(rows[:5], np.zeros((50, 6), np.float32), "euclidean")
    assert found is not None
    prepared = exact.prepare(rows, "cosine")
    np.testing.assert_allclose(found.coding.mean, prepared.mean(axis=0), rtol=1e-12)
    longest = np.abs(prepared - prepared.mean(axis=0)).sum(axis=1).max()
    assert longest <= found.coding.unit < 2 * longest
    assert np.log2(found.coding.unit) % 1 == 0
    assert flat is not None
    assert not flat.coding.mean.any()
    assert zero is not None
    assert zero.coding.unit == 1


@each_coding
def test_a_small_gallery_is_coded_once_and_a_large_one_each_time(
    distance: Distance, digits: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = np.abs(photographs_like(200, 16, 3))
    nobody = np.full(6, -1)
    coded_rows: list[int] = []
    encode = coded.encode

    def noted(coding: Any, features: Any, at: Any, **options: Any) -> Any:
        coded_rows.append(len(at))
        return encode(coding, features, at, **options)

    monkeypatch.setattr(coded, "TILES", tiles(64, 64))
    monkeypatch.setattr(coded, "SLAB_BYTES", 1)
    with by(digits):
        found = chosen(rows[:6], rows, distance)
    assert found is not None
    monkeypatch.setattr(coded, "encode", noted)
    size = 200 * 16 * (digits or 4)
    for held, expected in ((size, [64, 64, 64, 8]), (size - 1, [64, 64, 64, 8] * 2)):
        monkeypatch.setattr(coded, "HELD_BYTES", held)
        coded_rows.clear()
        one = coded.CodedGallery(found.gallery, found.coding, found.capacity, "cpu")
        for _ in range(2):
            positions, left = one.search(rows[:6], nobody, 5)
            expected_rows = slow_search(rows[:6], rows, distance=distance, depth=5)
            np.testing.assert_array_equal(positions[~left], expected_rows[~left])
        assert coded_rows == expected


def test_a_slab_is_whole_tiles_of_about_its_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = spread(3000, 16)
    monkeypatch.setattr(coded, "TILES", tiles(64, 100))
    monkeypatch.setattr(coded, "SLAB_BYTES", 1199 * 32)
    with by(2):
        found = chosen(rows[:6], rows, "euclidean")
    assert found is not None
    assert [slab.first for slab in found._slabs()] == [0, 1100, 2200]
    assert [len(slab.codes) for slab in found._slabs()] == [1100, 1100, 800]


def test_blocks_of_queries_follow_from_the_bytes_of_buffers() -> None:
    with by(1):
        found = chosen(spread(5, 6), spread(100, 6), "cosine")
    assert found is not None
    assert found.block == (48 << 20) // (12 * 1024)
    found.capacity = 1 << 30
    assert found.block == 64
    assert found.tile == coded.TILES["integers"]
    with by(0):
        sums = chosen(spread(5, 6), np.abs(spread(100, 6)), "intersection")
    assert sums is not None
    assert sums.tile == coded.TILES["sums"]


def test_buffers_are_used_again_by_blocks_that_are_no_larger() -> None:
    rows = spread(100, 6)
    with by(1):
        found = chosen(rows, rows, "cosine")
    assert found is not None
    for count in (10, 4, 30):
        asked = rows[:count]
        positions, left = found.search(asked, np.arange(count), 3)
        expected = slow_search(asked, rows, distance="cosine", depth=3, own=np.arange(count))
        np.testing.assert_array_equal(positions[~left], expected[~left])
        assert found._room is not None
        assert len(found._room.count) == max(count, 10)


def test_a_gallery_that_is_not_finite_is_refused_though_its_sample_is() -> None:
    rows = spread(6000, 4)
    rows[4321, 2] = np.nan
    assert 4321 not in np.linspace(0, 5999, coded.SAMPLED_ROWS).astype(int)
    with by(2):
        found = chosen(rows[:3], rows, "euclidean")
        assert found is not None
        with pytest.raises(UserError, match="the gallery"):
            found.search(rows[:3], np.full(3, -1), 2)
