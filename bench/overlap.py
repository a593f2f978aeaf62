"""Which attribute values a query shares with gallery images, counted on packed sets.

A set of V values is V bits in ⌈V/64⌉ words, so that a pair of images costs one AND and one count
of bits per word. Compiled by numba (for 60,000 queries, 100 ranks and 256 values 0.02 s, where
`numpy.bitwise_count` takes 0.2 s); import this module where it is needed, since numba takes longer
to import than `bench list` may take.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from bench.catalog import Catalog
from bench.compiled import compiled, inner
from bench.metrics import Overlap, Sizes
from bench.tasks import Task

Words = npt.NDArray[np.uint64]
Present = npt.NDArray[np.uint8]


class Sets:
    """The attribute sets of a task's queries and gallery."""

    def __init__(self, task: Task, catalog: Catalog) -> None:
        queries = query_values(task, catalog)
        gallery = catalog.present[task.gallery]
        self._own = task.own()
        self._queries, self._query_sizes = pack(queries), _sizes(queries)
        self._gallery, self._gallery_sizes = pack(gallery), _sizes(gallery)

    def overlap(
        self, rows: slice, positions: npt.NDArray[np.int32], *, best: bool = False
    ) -> Overlap:
        """Return the overlap of a block of queries with their ranked images.

        `positions` (q, K) are those of the queries `rows`, -1 for an empty rank. With `best`, the
        largest overlaps in the whole gallery are found as well, the query's own image left out:
        each query meets each gallery image, and no more is kept than a count per size of overlap.
        """
        words, sizes = self._queries[rows], self._query_sizes[rows]
        ranked = _compared(
            words, self._gallery, self._gallery_sizes, np.ascontiguousarray(positions)
        )
        if not best:
            return Overlap(sizes, *ranked)
        depth = positions.shape[1]
        return Overlap(sizes, *ranked, _best(words, sizes, self._gallery, self._own[rows], depth))


def query_values(task: Task, catalog: Catalog) -> Present:
    """Return the attribute values that each query asks for, (Q, V).

    They are the query image's own; where an attribute is manipulated, with this one's values
    replaced by the target.
    """
    values = catalog.present[task.queries]
    if task.condition is not None and task.condition.targets is not None:
        columns = catalog.schema.columns(task.condition.attribute)
        values[:, columns] = 0
        values[np.arange(len(values)), columns.start + task.condition.targets] = 1
    return values


def pack(present: Present) -> Words:
    """Return the sets (n, V) as words (n, ⌈V/64⌉), one bit a value."""
    count, width = present.shape
    octets = np.zeros((count, -(-width // 64) * 8), np.uint8)
    packed = np.packbits(present.astype(np.bool_), axis=1)
    octets[:, : packed.shape[1]] = packed
    return octets.view(np.uint64)


def _sizes(present: Present) -> Sizes:
    return np.asarray(np.count_nonzero(present, axis=1), np.uint16)


# uint64 constants: numba makes a float of a uint64 and a plain integer
_ONES, _PAIRS = np.uint64(0x5555555555555555), np.uint64(0x3333333333333333)
_FOURS, _BYTES = np.uint64(0x0F0F0F0F0F0F0F0F), np.uint64(0x0101010101010101)
_1, _2, _4, _56 = np.uint64(1), np.uint64(2), np.uint64(4), np.uint64(56)


@inner
def _bits_in_common(first: Words, second: Words) -> np.uint64:
    """Return the number of bits that two sets (W,) share, counted side by side in each word."""
    total = np.uint64(0)
    for word in range(len(first)):
        bits = first[word] & second[word]
        bits -= (bits >> _1) & _ONES
        bits = (bits & _PAIRS) + ((bits >> _2) & _PAIRS)
        bits = (bits + (bits >> _4)) & _FOURS
        total += (bits * _BYTES) >> _56
    return total


@compiled
def _compared(
    queries: Words, gallery: Words, sizes: Sizes, positions: npt.NDArray[np.int32]
) -> tuple[Sizes, Sizes]:
    """Return |A_q ∩ A_g| of each query (q, W) and its ranked images (q, K), and |A_g|.

    `sizes` (G,) are those of the gallery's sets. Both are 0 at position -1.
    """
    shared, size = np.zeros(positions.shape, np.uint16), np.zeros(positions.shape, np.uint16)
    for query in range(positions.shape[0]):
        for rank in range(positions.shape[1]):
            place = positions[query, rank]
            if place >= 0:
                shared[query, rank] = _bits_in_common(queries[query], gallery[place])
                size[query, rank] = sizes[place]
    return shared, size


@compiled
def _best(
    queries: Words, sizes: Sizes, gallery: Words, own: npt.NDArray[np.int64], depth: int
) -> Sizes:
    """Return the `depth` largest |A_q ∩ A_g| over the gallery, descending, (q, depth)."""
    best = np.zeros((len(queries), depth), np.uint16)
    for query in range(len(queries)):
        images = np.zeros(np.int64(sizes[query]) + 1, np.int64)  # by how many values they share
        for place in range(len(gallery)):
            if place != own[query]:
                images[_bits_in_common(queries[query], gallery[place])] += 1
        rank = 0
        for shared in range(np.int64(sizes[query]), 0, -1):
            end = min(depth, rank + images[shared])
            best[query, rank:end] = shared
            rank = end
    return best
