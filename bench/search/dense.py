"""The ranking by float64 products: at any depth, for any features, in bounded memory.

A product gives scores whose error is at most `tolerance` (below) and keeps the best `depth` and
some spare; where neighbours in that order are closer than the errors can tell apart, they are
ordered by their exact scores and then by position. If such a group reaches the end of what was
kept, the query is scored exactly against the whole gallery.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from bench.interfaces import Distance
from bench.search.exact import Matrix, Positions, pair_sums, prepare, scores
from bench.search.gallery import Gallery, require_finite

GALLERY_BLOCK = 4096
SPARE = 16  # kept beyond the depth (1 at least): few ties at the end then need no second pass
HELD = 1 << 23  # scores that a block of queries holds, 64 MB


def search(
    queries: Matrix, gallery: Gallery, *, distance: Distance, depth: int, own: Positions,
    device: str,
) -> Positions:  # fmt: skip
    """Return the best positions of each prepared query (Q, D), (Q, min(depth, G)); -1 for none."""
    depth = min(depth, len(gallery))
    step = max(16, HELD // (depth + SPARE + max(GALLERY_BLOCK, depth)))
    found = [
        _best_of_block(_Block(queries[at : at + step], own[at : at + step], distance, device),
                       gallery, depth)
        for at in range(0, len(queries), step)
    ]  # fmt: skip
    return np.concatenate(found)


def all_scores(query: Matrix, own: int, gallery: Gallery, distance: Distance) -> Matrix:
    """Return the exact score of every gallery row for one prepared query (D,), (G,).

    Minus infinity for its own image.
    """
    found: Matrix = scores(query[None], gallery.features, gallery.rows[None], distance)[0]
    if own >= 0:
        found[own] = -np.inf
    return found


@dataclass(frozen=True)
class _Block:
    """A block of prepared queries (q, D), and where each query's own image stands, (q,) or -1."""

    queries: Matrix
    own: Positions
    distance: Distance
    device: str

    def scores(self, gallery: Gallery, first: int) -> tuple[Matrix, float]:
        """Return the scores of gallery rows from `first` on, (q, g), and the largest |g|."""
        rows = slice(first, min(first + GALLERY_BLOCK, len(gallery)))
        if self.distance == "intersection":  # not a product: exact from the start
            require_finite(gallery.block(rows), "the gallery")
            at = np.tile(gallery.rows[rows], (len(self.queries), 1))
            found = scores(self.queries, gallery.features, at, self.distance)
            return self._without_own(found, first), 0.0
        part = prepare(gallery.block(rows), self.distance)
        squares = pair_sums(part, part)
        require_finite(squares, "the gallery")
        if self.device == "cpu":
            found = self.queries @ part.T
        else:
            import torch

            queries, others = (torch.from_numpy(m).to(self.device) for m in (self.queries, part))
            found = (queries @ others.T).cpu().numpy()
        if self.distance == "euclidean":
            found = 2 * found - squares - self.lengths[:, None] ** 2
        return self._without_own(found, first), float(np.sqrt(squares.max()))

    def _without_own(self, found: Matrix, first: int) -> Matrix:
        here = np.flatnonzero((self.own >= first) & (self.own < first + found.shape[1]))
        found[here, self.own[here] - first] = -np.inf
        return found

    @cached_property
    def lengths(self) -> Matrix:
        """The length of each query, (q,)."""
        return np.sqrt(pair_sums(self.queries, self.queries))

    def tolerance(self, longest: float) -> Matrix:
        """Return how much two scores of a query can differ by rounding alone, (q,).

        A product of length D in float64 is off by at most D · 2⁻⁵³ · |q| · |g| (Higham, Accuracy
        and Stability, section 3.1), the squared distance by that much of (|q| + |g|)², and a cosine
        by half as much again for the lengths; this is for a difference of two scores, each of them
        computed in two ways. `longest` is the largest |g|.
        """
        if self.distance == "intersection":
            return np.zeros(len(self.queries))
        own = self.lengths
        reach = (own + longest) ** 2 if self.distance == "euclidean" else own * longest
        return np.asarray(8 * (self.queries.shape[1] + 4) * 2.0**-53 * reach)


def _top(found: Matrix, positions: Positions, keep: int) -> tuple[Matrix, Positions]:
    """Return the `keep` best of each row, in no order."""
    if found.shape[1] <= keep:
        return found, positions
    chosen = np.argpartition(-found, keep - 1, axis=1)[:, :keep]
    return np.take_along_axis(found, chosen, axis=1), np.take_along_axis(positions, chosen, axis=1)


def _best_of_block(block: _Block, gallery: Gallery, depth: int) -> Positions:
    """Return the best positions of one block of queries, (q, depth), -1 for none."""
    keep = min(depth + SPARE, len(gallery))
    best = np.full((len(block.queries), 0), -np.inf)
    positions = np.zeros((len(block.queries), 0), np.int64)
    longest = 0.0
    for first in range(0, len(gallery), GALLERY_BLOCK):
        found, length = block.scores(gallery, first)
        longest = max(longest, length)
        at = np.broadcast_to(np.arange(first, first + found.shape[1]), found.shape)
        found, at = _top(found, at, keep)
        best, positions = _top(np.hstack([best, found]), np.hstack([positions, at]), keep)
    order = np.lexsort((positions, -best), axis=1)
    best = np.take_along_axis(best, order, axis=1)
    positions = np.take_along_axis(positions, order, axis=1)
    _settle(block, gallery, best, positions, depth=depth, tolerance=block.tolerance(longest))
    return np.where(np.isneginf(best), -1, positions)[:, :depth]


def _settle(
    block: _Block, gallery: Gallery, best: Matrix, positions: Positions,
    *, depth: int, tolerance: Matrix,
) -> None:  # fmt: skip
    """Order, in place, what rounding cannot tell apart: by exact scores, then by position."""
    with np.errstate(invalid="ignore"):  # -inf minus -inf, where only ignored images are left
        close = best[:, :-1] - best[:, 1:] <= tolerance[:, None]
    for row in np.flatnonzero(close[:, :depth].any(axis=1)):
        query = block.queries[row]
        if len(gallery) > best.shape[1] and close[row, depth - 1 :].all():
            exact = all_scores(query, block.own[row], gallery, block.distance)
            order = np.lexsort((np.arange(len(gallery)), -exact))[: best.shape[1]]
            positions[row], best[row] = order, exact[order]
            continue
        in_group = np.r_[close[row], False] | np.r_[False, close[row]]
        group = np.cumsum(np.r_[True, ~close[row]])[in_group]
        members = positions[row, in_group]
        rows = gallery.rows[members][None]
        exact = scores(query[None], gallery.features, rows, block.distance)[0]
        positions[row, in_group] = members[np.lexsort((members, -exact, group))]


def ranks(
    queries: Matrix, gallery: Gallery, targets: Positions, *, distance: Distance, own: Positions,
    device: str,
) -> Positions:  # fmt: skip
    """Return the rank, from 1, of one gallery position `targets` (Q,) for each prepared query."""
    result = np.ones(len(queries), np.int64)
    for start in range(0, len(queries), HELD // GALLERY_BLOCK):
        rows = slice(start, start + HELD // GALLERY_BLOCK)
        block = _Block(queries[rows], own[rows], distance, device)
        target = targets[rows]
        wanted = scores(block.queries, gallery.features, gallery.rows[target][:, None], distance)
        for first in range(0, len(gallery), GALLERY_BLOCK):
            found, longest = block.scores(gallery, first)
            apart = found - wanted
            tolerance = block.tolerance(longest)[:, None]
            result[rows] += (apart > tolerance).sum(axis=1)
            near = np.abs(apart) <= tolerance
            for query in np.flatnonzero(near.any(axis=1)):  # in a collapsed gallery, all are near
                at = first + np.flatnonzero(near[query])
                asked, others = block.queries[query : query + 1], gallery.rows[at][None]
                exact = scores(asked, gallery.features, others, distance)[0]
                before = exact > wanted[query]
                before |= (exact == wanted[query]) & (at < target[query])
                result[start + query] += before.sum()
    return result
