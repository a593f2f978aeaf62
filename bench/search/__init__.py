"""Exact ranking of a gallery for each query, in bounded memory, at the speed of small integers.

The order is by exact score (`bench.search.exact`), best first, then by gallery position. It does
not depend on block sizes, threads, device, or on which of the two ways led to it: codes with proven
bounds, quick where the depth is a small part of the gallery (`bench.search.coded`), or products in
float64, at any depth (`bench.search.dense`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

from bench.interfaces import Distance
from bench.metrics import Ranking
from bench.search import coded, dense
from bench.search.exact import Features, Positions, pair_scores, prepare, scores_of_pairs
from bench.search.gallery import Gallery, require_finite
from bench.tasks import Task

__all__ = ["Blocks", "Features", "Gallery", "Search", "block_of", "pair_scores", "prepare", "rank",
           "search"]  # fmt: skip

Blocks = Iterator[tuple[slice, Ranking]]

BLOCK_BYTES = 64 << 20  # of a block of queries, in float64
DEEP = 8  # from an eighth of the gallery on, nearly all rows would be kept
MOST_WAITING = 0.5  # where codes leave more than this to the other way, it alone goes on
PAIRS = 1 << 20  # of queries and relevant images that are scored together
SMALL = 1 << 28  # products and sums; below, coding costs more than it saves


class Search:
    """The search of one gallery to one depth, for `count` queries that come in blocks."""

    def __init__(
        self, gallery: Features | Gallery, *, distance: Distance, depth: int, count: int,
        device: str = "cpu",
    ) -> None:  # fmt: skip
        self.gallery = gallery if isinstance(gallery, Gallery) else Gallery(gallery)
        self.distance, self.depth, self.device = distance, depth, device
        work = count * len(self.gallery) * self.gallery.dimension
        self._codes = depth * DEEP <= len(self.gallery) and work >= SMALL
        self._coded: coded.CodedGallery | None = None

    def __call__(self, queries: Features, own: Positions) -> npt.NDArray[np.int32]:
        """Return the best gallery positions of queries (q, D), (q, depth), -1 where none is left.

        `own` (q,) is each query's own position, which is left out, or -1.
        """
        result = np.full((len(queries), self.depth), -1, np.int32)
        waiting = np.ones(len(queries), np.bool_)
        if self._codes and self._coded is None:
            self._coded = coded.choose(
                queries, self.gallery, distance=self.distance, depth=self.depth, device=self.device
            )
            self._codes = self._coded is not None
        if self._codes and self._coded is not None:
            for at in range(0, len(queries), self._coded.block):
                rows = slice(at, at + self._coded.block)
                result[rows], waiting[rows] = self._coded.search(
                    queries[rows], own[rows], self.depth
                )
            self._codes = waiting.mean() < MOST_WAITING
        if waiting.any():
            left = queries[waiting]
            require_finite(left, "the queries")
            found = dense.search(
                prepare(left, self.distance), self.gallery, distance=self.distance,
                depth=self.depth, own=own[waiting], device=self.device,
            )  # fmt: skip
            result[waiting, : found.shape[1]] = found
        return result


def search(
    queries: Features, gallery: Features | Gallery, *, distance: Distance, depth: int,
    own: Positions | None = None, device: str = "cpu",
) -> npt.NDArray[np.int32]:  # fmt: skip
    """Return the `depth` best gallery positions of each query, (Q, depth) int32, best first.

    `queries` (Q, D) and `gallery` (G, D) are float32; the gallery may be a memory map, which is
    read in parts and never copied whole. `own` (Q,) is each query's own position in the gallery,
    which is left out, or -1. Ranks that the gallery cannot fill are -1. Raises `UserError` for
    features that are not finite.
    """
    own = np.full(len(queries), -1) if own is None else own
    result = np.empty((len(queries), depth), np.int32)
    find = Search(gallery, distance=distance, depth=depth, count=len(queries), device=device)
    step = block_of(queries.shape[1])
    for start in range(0, len(queries), step):
        rows = slice(start, start + step)
        result[rows] = find(np.ascontiguousarray(queries[rows]), own[rows])
    return result


def block_of(dimension: int) -> int:
    """Return how many queries of D numbers make a block."""
    return max(256, min(4096, BLOCK_BYTES // (8 * max(dimension, 1))))


def rank(
    task: Task, queries: Callable[[slice], Features], gallery: Gallery, *, distance: Distance,
    depth: int, first_relevant: bool, device: str = "cpu",
) -> Blocks:  # fmt: skip
    """Yield the ranking of one block of queries after another, with the rows it covers.

    `queries` returns the features of a slice of `task.queries`, and `gallery` are those of
    `task.gallery`. With `first_relevant`, the rank of the first relevant image is found even
    where it stands below `depth`.
    """
    own, counts = task.own(), task.relevant_counts()
    total = len(task.queries)
    find = Search(gallery, distance=distance, depth=depth, count=total, device=device)
    step = min(block_of(gallery.dimension), max(16, BLOCK_BYTES // (16 * depth)))
    for start in range(0, total, step):
        rows = slice(start, min(start + step, total))
        asking = np.ascontiguousarray(queries(rows), dtype=np.float32)
        positions = find(asking, own[rows])
        codes = task.query_codes[rows]
        relevant = task.gallery_codes[positions] == codes[:, None]
        relevant &= (codes >= 0)[:, None] & (positions >= 0)
        first = None
        if first_relevant:
            first = np.where(relevant.any(axis=1), relevant.argmax(axis=1) + 1, 0)
            deeper = np.flatnonzero((first == 0) & (counts[rows] > 0))
            if len(deeper):
                first[deeper] = _first_relevant(
                    asking[deeper], gallery, task, start + deeper, distance, device
                )
        yield rows, Ranking(positions, relevant, counts[rows], first)


def _first_relevant(
    queries: Features, gallery: Gallery, task: Task, at: Positions, distance: Distance, device: str
) -> Positions:
    """Return the rank of the first relevant image of the task's queries `at`, however deep."""
    exact, own = prepare(queries, distance), task.own()[at]
    order = np.argsort(task.gallery_codes, kind="stable")
    codes = task.gallery_codes[order]
    start, end = (np.searchsorted(codes, task.query_codes[at], side) for side in ("left", "right"))
    targets = np.empty(len(at), np.int64)
    ends = np.cumsum(end - start)
    first = 0
    while first < len(at):  # as many queries as have PAIRS relevant images together, or one
        before = ends[first - 1] if first else 0
        last = max(first + 1, int(np.searchsorted(ends, before + PAIRS, "right")))
        count = (end - start)[first:last]
        asked = np.repeat(np.arange(first, last), count)
        place = np.arange(len(asked)) - np.repeat(np.cumsum(count) - count, count)
        relevant = order[np.repeat(start[first:last], count) + place]
        others = relevant != own[asked]
        asked, relevant = asked[others], relevant[others]
        found = scores_of_pairs(exact, asked, gallery.features, gallery.rows[relevant], distance)
        best = np.lexsort((relevant, -found, asked))
        heads = np.unique(asked, return_index=True)[1]  # each has one: its relevant count is not 0
        targets[first:last] = relevant[best[heads]]
        first = last
    return dense.ranks(exact, gallery, targets, distance=distance, own=own, device=device)
