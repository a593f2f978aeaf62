from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from bench.catalog import Attribute, AttributeSchema, Catalog
from bench.metrics import Overlap
from bench.overlap import Sets, pack, query_values
from bench.tasks import Condition, Task


def catalog_of(present: npt.NDArray[np.uint8]) -> Catalog:
    """Return a catalog of images with these values, in two attributes."""
    width = present.shape[1]
    schema = AttributeSchema(
        (
            Attribute("first", tuple(map(str, range(width // 2))), multiple=True),
            Attribute("second", tuple(map(str, range(width // 2, width))), multiple=True),
        )
    )
    columns = {"path": [f"{i}.jpg" for i in range(len(present))]}
    return Catalog.from_columns("sets", Path(), columns, schema=schema, present=present)


def task_of(queries: list[int], gallery: list[int], condition: Condition | None = None) -> Task:
    asked, shown = np.array(queries), np.array(gallery)
    return Task("all", asked, shown, np.zeros_like(asked), np.zeros_like(shown), condition)


def overlap_of(present: npt.NDArray[np.uint8], task: Task, depth: int) -> Overlap:
    """Return the overlap of all queries with the gallery in its own order, `depth` ranks."""
    ranks = np.arange(depth)
    positions = np.where(ranks < len(task.gallery), ranks, -1).astype(np.int32)
    positions = np.tile(positions, (len(task.queries), 1))
    return Sets(task, catalog_of(present)).overlap(slice(None), positions, best=True)


def test_overlaps_are_those_counted_by_hand() -> None:
    present = np.array([[1, 1, 1, 0], [1, 0, 0, 1], [0, 0, 0, 0], [1, 1, 0, 0]], np.uint8)
    # image 0 asks among all images, its own included; image 2 has nothing to ask about
    found = overlap_of(present, task_of([0, 2], [0, 1, 2, 3]), 5)
    assert found.query_size.tolist() == [3, 0]
    assert found.shared.tolist() == [[3, 1, 0, 2, 0], [0] * 5]
    assert found.size.tolist() == [[3, 2, 0, 2, 0]] * 2
    assert found.best is not None
    assert found.best.tolist() == [[2, 1, 0, 0, 0], [0] * 5]  # without its own image


widths = st.sampled_from([1, 7, 8, 63, 64, 65, 130])
matrices = st.tuples(st.integers(1, 8), widths).flatmap(
    lambda shape: arrays(np.uint8, shape, elements=st.integers(0, 1))
)


@given(matrices, st.data())
@settings(max_examples=50)
def test_overlaps_agree_with_sets(present: npt.NDArray[np.uint8], data: st.DataObject) -> None:
    rows = st.integers(0, len(present) - 1)
    queries = data.draw(st.lists(rows, min_size=1, max_size=6))
    gallery = data.draw(st.lists(rows, min_size=1, max_size=8, unique=True))
    depth = data.draw(st.integers(1, len(gallery) + 2))
    found = overlap_of(present, task_of(queries, gallery), depth)
    sets = [set(np.flatnonzero(row).tolist()) for row in present]
    empty = [0] * max(depth - len(gallery), 0)
    assert found.best is not None
    for query, row in enumerate(queries):
        shared = [len(sets[row] & sets[image]) for image in gallery]
        assert found.query_size[query] == len(sets[row])
        assert found.shared[query].tolist() == (shared + empty)[:depth]
        sizes = [len(sets[image]) for image in gallery]
        assert found.size[query].tolist() == (sizes + empty)[:depth]
        others = [count for image, count in zip(gallery, shared, strict=True) if image != row]
        assert found.best[query].tolist() == (sorted(others, reverse=True) + [0] * depth)[:depth]


@pytest.mark.parametrize("width", [1, 8, 64, 65, 200])
def test_sets_are_packed_into_as_many_words_as_they_need(width: int) -> None:
    full = pack(np.ones((2, width), np.uint8))
    assert (full.shape, full.dtype) == ((2, -(-width // 64)), np.uint64)
    assert np.bitwise_count(full).sum(axis=1).tolist() == [width, width]


def test_a_block_of_queries_is_its_part_of_all() -> None:
    present = np.random.default_rng(0).integers(0, 2, (20, 70), dtype=np.uint8)
    sets = Sets(task_of([*range(9)], [*range(20)]), catalog_of(present))
    positions = np.stack([np.random.default_rng(q).permutation(20)[:7] for q in range(9)])
    positions = positions.astype(np.int32)
    whole = sets.overlap(slice(0, 9), positions, best=True)
    part = sets.overlap(slice(4, 6), positions[4:6], best=True)
    for name in ("query_size", "shared", "size", "best"):
        np.testing.assert_array_equal(getattr(part, name), getattr(whole, name)[4:6])
        assert getattr(part, name).dtype == np.uint16
    assert sets.overlap(slice(4, 6), positions[4:6]).best is None


def test_a_manipulated_attribute_is_replaced_in_the_query() -> None:
    present = np.array([[1, 0, 1, 0], [0, 1, 0, 1]], np.uint8)
    catalog = catalog_of(present)
    task = task_of([0, 0, 1], [0, 1], Condition("second", np.array([1, 0, 0])))
    asked = query_values(task, catalog)
    assert asked.tolist() == [[1, 0, 0, 1], [1, 0, 1, 0], [0, 1, 1, 0]]
    assert catalog.present.tolist() == present.tolist(), "the catalog keeps what it had"
    # whose values stand from column 3 on: 0, 1 and 2 of them are the columns 3, 4 and 5
    wide = catalog_of(np.zeros((1, 6), np.uint8))
    task = task_of([0, 0, 0], [0], Condition("second", np.array([0, 1, 2])))
    assert query_values(task, wide).tolist() == np.eye(6)[3:].tolist()
    similar = task_of([0], [1], Condition("second"))
    assert query_values(similar, catalog).tolist() == [[1, 0, 1, 0]]
