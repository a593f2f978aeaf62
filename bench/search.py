"""Exact ranking of a gallery for each query, block by block, in bounded memory.

The order is by score in float64, best first, then by gallery position, and does not depend on block
size, threads or device. A matrix product alone cannot promise that: its rounding differs with the
place of a row in its block, so two equal images may get scores that differ in the last bits. Hence
two steps. A float64 product gives scores whose error is at most `tolerance` (below) and keeps
the best `depth` and some spare; where neighbours in that order are closer than the errors can tell
apart, their scores are computed again, each by the same sequence of operations (`_scores`), and
they are ordered by these and then by position. If such a group reaches the end of what was kept,
the query is scored against the whole gallery in that way.

Scores: inner product; cosine similarity (a vector of zeros has similarity 0 to all); for the
Euclidean distance, minus its square.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bench.interfaces import Distance
from bench.metrics import Ranking
from bench.tasks import Task

Features = npt.NDArray[np.float32]
Matrix = npt.NDArray[np.float64]
Positions = npt.NDArray[np.int64]
Blocks = Iterator[tuple[slice, Ranking]]

QUERY_BLOCK = 1024
GALLERY_BLOCK = 4096
SPARE = 16  # kept beyond the depth, so that a small group of ties at the end needs no second pass


def search(
    queries: Features,
    gallery: Features,
    *,
    distance: Distance,
    depth: int,
    own: Positions | None = None,
    device: str = "cpu",
) -> npt.NDArray[np.int32]:
    """Return the `depth` best gallery positions of each query, (Q, depth) int32, best first.

    `queries` (Q, D) and `gallery` (G, D) are float32; the gallery may be a memory map. `own` (Q,)
    is each query's own position in the gallery, which is left out, or -1. Ranks that the gallery
    cannot fill are -1. Memory beyond the inputs: about 150 MB at D = 1,280, whatever Q and G.
    """
    result = np.full((len(queries), depth), -1, np.int32)
    own = np.full(len(queries), -1) if own is None else own
    for start in range(0, len(queries), QUERY_BLOCK):
        rows = slice(start, start + QUERY_BLOCK)
        block = _Block(prepare(queries[rows], distance), own[rows], distance, device)
        positions = _best_of_block(block, gallery, depth)
        result[rows, : positions.shape[1]] = positions
    return result


def rank(
    task: Task,
    queries: Callable[[slice], Features],
    gallery: Features,
    *,
    distance: Distance,
    depth: int,
    first_relevant: bool,
    device: str = "cpu",
) -> Blocks:
    """Yield the ranking of one block of queries after another, with the rows it covers.

    `queries` returns the features of a slice of `task.queries`, and `gallery` are those of
    `task.gallery`. With `first_relevant`, the rank of the first relevant image is found even
    where it stands below `depth`.
    """
    own, counts = task.own(), task.relevant_counts()
    for start in range(0, len(task.queries), QUERY_BLOCK):
        rows = slice(start, min(start + QUERY_BLOCK, len(task.queries)))
        asking = queries(rows)
        positions = search(
            asking, gallery, distance=distance, depth=depth, own=own[rows], device=device
        )
        codes = task.query_codes[rows]
        relevant = task.gallery_codes[positions] == codes[:, None]
        relevant &= (codes >= 0)[:, None] & (positions >= 0)
        first = None
        if first_relevant:
            first = np.where(relevant.any(axis=1), relevant.argmax(axis=1) + 1, 0)
            deeper = np.flatnonzero((first == 0) & (counts[rows] > 0))
            if len(deeper):
                at = start + deeper
                first[deeper] = _first_relevant(asking[deeper], gallery, distance, task, at)
        yield rows, Ranking(positions, relevant, counts[rows], first)


def pair_scores(queries: Features, others: Features, distance: Distance) -> Matrix:
    """Return the score of each query (Q, D) and its one other image (Q, D), (Q,) float64."""
    first, second = prepare(queries, distance), prepare(others, distance)
    return -_squares(first - second) if distance == "euclidean" else _products(first, second)


def prepare(rows: Features, distance: Distance) -> Matrix:
    """Return the rows in float64, of length one for the cosine."""
    matrix = rows.astype(np.float64, order="C")
    if distance == "cosine":
        length = np.sqrt(_squares(matrix))
        matrix /= np.where(length > 0, length, 1)[:, None]
    return matrix


def _scores(query: Matrix, rows: Matrix, distance: Distance) -> Matrix:
    """Return the score of each row (n, D) for one query (D,); equal rows get equal scores."""
    if distance == "euclidean":
        return -_squares(rows - query)
    return _products(rows, query)


@dataclass(frozen=True)
class _Block:
    """A block of prepared queries (q, D), and where each query's own image stands, (q,) or -1."""

    queries: Matrix
    own: Positions
    distance: Distance
    device: str

    def scores(self, part: Matrix) -> Matrix:
        """Return the scores of gallery rows (g, D) by a matrix product, (q, g)."""
        if self.device == "cpu":
            scores = self.queries @ part.T
        else:
            import torch

            # the product is what a GPU is for; selection and ties stay with the one code below
            queries, rows = (torch.from_numpy(m).to(self.device) for m in (self.queries, part))
            scores = (queries @ rows.T).cpu().numpy()
        if self.distance == "euclidean":
            scores = 2 * scores - _squares(part) - _squares(self.queries)[:, None]
        return scores


def _squares(matrix: Matrix) -> Matrix:
    return _products(matrix, matrix)


def _products(rows: Matrix, others: Matrix) -> Matrix:
    """Return the inner product of each row (n, D) with its other, or with the one other (D,)."""
    lone = len(rows) == 1
    if lone:  # einsum adds up a lone row of more than 8,192 numbers in an order of its own
        rows = np.repeat(rows, 2, axis=0)
    products = np.asarray(np.einsum("nd,nd->n", rows, np.broadcast_to(others, rows.shape)))
    return products[:1] if lone else products


def _top(scores: Matrix, positions: Positions, keep: int) -> tuple[Matrix, Positions]:
    """Return the `keep` best of each row, in no order."""
    if scores.shape[1] <= keep:
        return scores, positions
    chosen = np.argpartition(-scores, keep - 1, axis=1)[:, :keep]
    return np.take_along_axis(scores, chosen, axis=1), np.take_along_axis(positions, chosen, axis=1)


def _best_of_block(block: _Block, gallery: Features, depth: int) -> Positions:
    """Return the best positions of one block of queries, (q, min(depth, G)), -1 for none."""
    keep = min(depth + SPARE, len(gallery))
    scores = np.full((len(block.queries), 0), -np.inf)
    positions = np.zeros((len(block.queries), 0), np.int64)
    longest = 0.0
    for first in range(0, len(gallery), GALLERY_BLOCK):
        part = prepare(gallery[first : first + GALLERY_BLOCK], block.distance)
        longest = max(longest, float(np.sqrt(_squares(part).max())))
        found = block.scores(part)
        here = np.flatnonzero((block.own >= first) & (block.own < first + len(part)))
        found[here, block.own[here] - first] = -np.inf
        at = np.broadcast_to(np.arange(first, first + len(part)), found.shape)
        best, at = _top(found, at, keep)
        scores, positions = _top(np.hstack([scores, best]), np.hstack([positions, at]), keep)
    order = np.lexsort((positions, -scores), axis=1)
    scores = np.take_along_axis(scores, order, axis=1)
    positions = np.take_along_axis(positions, order, axis=1)
    _settle(block, gallery, scores, positions, depth=min(depth, keep), longest=longest)
    return np.where(np.isneginf(scores), -1, positions)[:, :depth]


def _settle(
    block: _Block,
    gallery: Features,
    scores: Matrix,
    positions: Positions,
    *,
    depth: int,
    longest: float,
) -> None:
    """Order, in place, what rounding cannot tell apart: by `_scores`, then by position.

    A product of length D in float64 is off by at most D · 2⁻⁵³ · |q| · |g| (Higham, Accuracy and
    Stability, section 3.1), the squared distance by that much of (|q| + |g|)²; `tolerance` is four
    times the larger of the two, for a difference of two scores computed in two ways. `longest` is
    the largest |g|.
    """
    lengths = np.sqrt(_squares(block.queries))
    reach = (lengths + longest) ** 2 if block.distance == "euclidean" else lengths * longest
    tolerance = 4 * (block.queries.shape[1] + 4) * 2.0**-53 * reach
    with np.errstate(invalid="ignore"):  # -inf minus -inf, where only ignored images are left
        close = scores[:, :-1] - scores[:, 1:] <= tolerance[:, None]
    for row in np.flatnonzero(close[:, :depth].any(axis=1)):
        query, own = block.queries[row], block.own[row]
        if len(gallery) > scores.shape[1] and close[row, depth - 1 :].all():
            exact = _all_scores(query, own, gallery, block.distance)
            order = np.lexsort((np.arange(len(gallery)), -exact))[: scores.shape[1]]
            positions[row], scores[row] = order, exact[order]
            continue
        in_group = np.r_[close[row], False] | np.r_[False, close[row]]
        group = np.cumsum(np.r_[True, ~close[row]])[in_group]
        members = positions[row, in_group]
        exact = _scores(query, prepare(gallery[members], block.distance), block.distance)
        positions[row, in_group] = members[np.lexsort((members, -exact, group))]


def _all_scores(query: Matrix, own: int, gallery: Features, distance: Distance) -> Matrix:
    """Return the score of every gallery row for one prepared query, (G,); -inf for its own."""
    parts = (gallery[at : at + GALLERY_BLOCK] for at in range(0, len(gallery), GALLERY_BLOCK))
    scores = np.concatenate([_scores(query, prepare(part, distance), distance) for part in parts])
    if own >= 0:
        scores[own] = -np.inf
    return scores


def _first_relevant(
    queries: Features, gallery: Features, distance: Distance, task: Task, at: Positions
) -> Positions:
    """Return the rank of the first relevant image of the task's queries `at`, each in full."""
    ranks = np.empty(len(at), np.int64)
    own = task.own()[at]
    for index, query in enumerate(prepare(queries, distance)):
        scores = _all_scores(query, int(own[index]), gallery, distance)
        relevant = np.flatnonzero(task.gallery_codes == task.query_codes[at[index]])
        best = relevant[scores[relevant].argmax()]
        ranks[index] = 1 + (scores > scores[best]).sum() + (scores[:best] == scores[best]).sum()
    return ranks
