from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from slow_search import Features, photographs_like, set_to

from bench.errors import UserError
from bench.search import gallery as module
from bench.search.gallery import Gallery, require_finite


def test_a_gallery_is_all_rows_or_those_it_is_given_in_any_order() -> None:
    rows = photographs_like(6, 3, 1)
    assert len(Gallery(rows)) == 6
    assert Gallery(rows).dimension == 3
    some = Gallery(rows, np.array([4, 1, 1]))
    assert len(some) == 3
    np.testing.assert_array_equal(some.block(slice(0, 3)), rows[[4, 1, 1]])
    np.testing.assert_array_equal(some.block(slice(1, 2)), rows[[1]])


@pytest.mark.parametrize("order", [[2, 3, 4, 5], [2, 4, 3, 5], [5, 4, 3, 2], [0, 2], [3], [2, 2, 4],
                                   [2, 5, 3, 4, 4, 7]])  # fmt: skip
def test_a_block_is_its_rows_and_neighbours_are_not_copied(order: list[int]) -> None:
    rows = photographs_like(8, 3, 2)
    block = Gallery(rows, np.array(order)).block(slice(0, len(order)))
    np.testing.assert_array_equal(block, rows[order])
    neighbours = order == list(range(order[0], order[0] + len(order)))
    assert np.shares_memory(block, rows) == neighbours


def test_an_empty_block_is_empty() -> None:
    assert Gallery(photographs_like(3, 2, 3)).block(slice(3, 9)).shape == (0, 2)


def test_features_are_not_copied_and_cannot_be_written_through_a_gallery(tmp_path: Path) -> None:
    rows = photographs_like(6, 3, 4)
    np.save(tmp_path / "rows.npy", rows)
    for features in (rows, np.load(tmp_path / "rows.npy", mmap_mode="r")):
        gallery = Gallery(features)
        assert np.shares_memory(gallery.features, features)
        assert not gallery.features.flags.writeable
    assert rows.flags.writeable


@pytest.mark.parametrize("wrong", [np.zeros((2, 2)), np.zeros(3, np.float32)])
def test_features_of_another_kind_are_refused(wrong: Any) -> None:
    with pytest.raises(ValueError, match="features are float32"):
        Gallery(wrong)


def test_a_transform_that_changes_nothing_copies_nothing() -> None:
    rows, order = photographs_like(6, 3, 5), np.array([5, 0, 2])
    gallery = Gallery.transformed(rows, order, lambda block: block)
    assert np.shares_memory(gallery.features, rows)
    assert gallery.rows.tolist() == [5, 0, 2]


@pytest.mark.parametrize("in_memory", [0, 4 * 9 * 2 - 1, 4 * 9 * 2, 1 << 20])
@pytest.mark.parametrize("block", [1, 24, 48, 1 << 20])
def test_a_transform_is_applied_to_each_block_once(in_memory: int, block: int) -> None:
    rows, order = photographs_like(20, 3, 6), np.random.default_rng(7).permutation(20)[:9]
    seen = []

    def doubled(part: Features) -> Features:
        seen.append(len(part))
        return 2 * part[:, :2]

    with set_to((module, "IN_MEMORY_BYTES", in_memory), (module, "BLOCK_BYTES", block)):
        gallery = Gallery.transformed(rows, order, doubled)
    assert sum(seen) == 9
    assert max(seen) == min(max(1, block // 12), 9)
    assert (gallery._file is not None) == (in_memory < 4 * 9 * 2)
    assert len(gallery) == 9
    assert gallery.dimension == 2
    np.testing.assert_array_equal(gallery.block(slice(0, 9)), 2 * rows[order][:, :2])


def test_a_transform_of_the_right_kind_but_a_copy_is_a_change() -> None:
    rows = photographs_like(4, 3, 8)
    gallery = Gallery.transformed(rows, np.array([3, 1]), lambda block: block.copy())
    assert not np.shares_memory(gallery.features, rows)
    assert gallery.rows.tolist() == [0, 1]
    np.testing.assert_array_equal(gallery.features, rows[[3, 1]])


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_features_that_are_not_finite_are_refused_in_one_line(wrong: float) -> None:
    require_finite(np.array([1.0, 3e38]), "the gallery")
    with pytest.raises(UserError, match=r"^the features of the gallery are not finite; .*ranked$"):
        require_finite(np.array([1.0, wrong]), "the gallery")
