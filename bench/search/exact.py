"""The exact score of a query and a gallery image: what every ranking is ordered by.

A score is one sequence of float64 operations on the two rows and depends on nothing else: not on
block size, threads, device, the width of the processor's vectors or where a row stands. Sums run
in 32 lanes (element i goes to lane i mod 32) that are added in a fixed tree, so that a compiler can
use vectors without changing a bit; nothing is contracted or reordered.

    inner-product   Σ q·g
    cosine          Σ q·g / (|q| · |g|), and 0 where one of them is a vector of zeros
    euclidean       −Σ (q − g)²: minus the squared distance, so that higher is nearer
    intersection    Σ min(q, g), the histogram intersection (Swain and Ballard, Color Indexing,
                    1991, without their division by the size of the model's histogram)

Float32 features enter as they are; a product of two of them is exact in float64.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from itertools import pairwise
from typing import Any

import numba
import numpy as np
import numpy.typing as npt

from bench.compiled import compiled, inlined
from bench.interfaces import Distance

Features = npt.NDArray[np.float32]
Matrix = npt.NDArray[np.float64]
Positions = npt.NDArray[np.int64]

LANES = 32  # `_tree` is written out for so many
KIND: dict[Distance, int] = {"inner-product": 0, "cosine": 1, "euclidean": 2, "intersection": 3}
COSINE, EUCLIDEAN, INTERSECTION = 1, 2, 3


@inlined
def product_sum(first: Any, i: int, second: Any, j: int, lanes: Any) -> float:
    """Return the inner product of row i of one matrix and row j of another."""
    size = first.shape[1]
    whole = size - size % LANES
    for lane in range(LANES):
        lanes[lane] = 0.0
    for start in range(0, whole, LANES):
        for lane in range(LANES):
            value = np.float64(second[j, start + lane])
            lanes[lane] += np.float64(first[i, start + lane]) * value
    for lane in range(size - whole):
        value = np.float64(second[j, whole + lane])
        lanes[lane] += np.float64(first[i, whole + lane]) * value
    return _tree(lanes)


@inlined
def _squares_apart(first: Any, i: int, second: Any, j: int, lanes: Any) -> float:
    size = first.shape[1]
    whole = size - size % LANES
    for lane in range(LANES):
        lanes[lane] = 0.0
    for start in range(0, whole, LANES):
        for lane in range(LANES):
            apart = np.float64(first[i, start + lane]) - np.float64(second[j, start + lane])
            lanes[lane] += apart * apart
    for lane in range(size - whole):
        apart = np.float64(first[i, whole + lane]) - np.float64(second[j, whole + lane])
        lanes[lane] += apart * apart
    return _tree(lanes)


@inlined
def smaller_sum(first: Any, i: int, second: Any, j: int, lanes: Any) -> float:
    """Return the sum of the smaller elements of row i of one matrix and row j of another."""
    size = first.shape[1]
    whole = size - size % LANES
    for lane in range(LANES):
        lanes[lane] = 0.0
    for start in range(0, whole, LANES):
        for lane in range(LANES):
            value = np.float64(second[j, start + lane])
            lanes[lane] += min(np.float64(first[i, start + lane]), value)
    for lane in range(size - whole):
        value = np.float64(second[j, whole + lane])
        lanes[lane] += min(np.float64(first[i, whole + lane]), value)
    return _tree(lanes)


@inlined
def _tree(lanes: Any) -> float:
    for lane in range(16):
        lanes[lane] += lanes[lane + 16]
    for lane in range(8):
        lanes[lane] += lanes[lane + 8]
    for lane in range(4):
        lanes[lane] += lanes[lane + 4]
    total: float = (lanes[0] + lanes[2]) + (lanes[1] + lanes[3])
    return total


@inlined
def score(queries: Any, query: int, rows: Any, row: int, kind: int, lanes: Any) -> float:
    """Return the score of a query of (q, D) float64 and a row of (n, D); `lanes` is scratch.

    Rows are named by number, since a view of one costs more than the sum of a short one.
    """
    if kind == EUCLIDEAN:
        return -_squares_apart(queries, query, rows, row, lanes)
    if kind == INTERSECTION:
        return smaller_sum(queries, query, rows, row, lanes)
    if kind == COSINE:
        length = np.sqrt(product_sum(rows, row, rows, row, lanes))
        return product_sum(queries, query, rows, row, lanes) / length if length > 0 else 0.0
    return product_sum(queries, query, rows, row, lanes)


@compiled
def _fill(queries: Any, features: Any, rows: Any, kind: int, result: Any) -> None:
    lanes = np.zeros(LANES)
    for place in range(result.shape[0]):
        for column in range(result.shape[1]):
            row = rows[place, column]
            result[place, column] = score(queries, place, features, row, kind, lanes)


def prepare(rows: Features, distance: Distance) -> Matrix:
    """Return the rows in float64, of length one for the cosine."""
    matrix = np.empty(rows.shape)

    def widen(part: slice) -> None:
        matrix[part] = rows[part]

    in_threads(widen, shares(len(rows)))
    if distance == "cosine":
        length = np.sqrt(pair_sums(matrix, matrix))
        matrix /= np.where(length > 0, length, 1)[:, None]
    return matrix


@compiled
def _pair_sums(first: Any, second: Any, result: Any) -> None:
    lanes = np.zeros(LANES)
    for place in range(len(first)):
        result[place] = product_sum(first, place, second, place, lanes)


def pair_sums(first: Matrix, second: Matrix) -> Matrix:
    """Return the inner product of each row (n, D) with its other, (n,) float64."""
    result = np.empty(len(first))
    _pair_sums(frozen(first), frozen(second), result)
    return result


def scores(queries: Matrix, features: Features, rows: Positions, distance: Distance) -> Matrix:
    """Return the score of each prepared query (q, D) and each of its rows (q, n), float64."""
    result = np.empty(rows.shape)
    kind = KIND[distance]
    in_threads(
        lambda part: _fill(queries[part], features, rows[part], kind, result[part]),
        shares(len(queries)),
    )
    return result


@compiled
def _fill_pairs(queries: Any, at: Any, features: Any, rows: Any, kind: int, result: Any) -> None:
    lanes = np.zeros(LANES)
    for place in range(len(result)):
        result[place] = score(queries, at[place], features, rows[place], kind, lanes)


def scores_of_pairs(
    queries: Matrix, at: Positions, features: Features, rows: Positions, distance: Distance
) -> Matrix:
    """Return the scores of prepared queries, by number `at` (n,), and their rows (n,), float64."""
    result = np.empty(len(at))
    in_threads(
        lambda part: _fill_pairs(
            queries, at[part], frozen(features), rows[part], KIND[distance], result[part]
        ),
        shares(len(at)),
    )
    return result


def pair_scores(queries: Features, others: Features, distance: Distance) -> Matrix:
    """Return the score of each query (Q, D) and its one other image (Q, D), (Q,) float64."""
    rows = np.arange(len(others))[:, None]
    return scores(prepare(queries, distance), frozen(others), rows, distance)[:, 0]


def frozen(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return a read-only view without copying, of one type for the compiler, memory map or not."""
    view = np.asarray(array).view()
    view.flags.writeable = False
    return view


def threads() -> int:
    """Return how many threads the search uses (NUMBA_NUM_THREADS, else one for each core)."""
    return int(numba.get_num_threads())


def shares(count: int, most: int = sys.maxsize) -> list[slice]:
    """Return slices that part `count` rows among the threads, none of more than `most` rows.

    Of several a thread, each takes the next when it is done, so that none waits for a slow one.
    """
    parts = max(min(threads(), max(count, 1)), -(-count // most))
    edges = np.linspace(0, count, parts + 1).astype(int).tolist()
    return [slice(first, last) for first, last in pairwise(edges)]


_pool: list[ThreadPoolExecutor] = []
_here = threading.local()


def in_threads(work: Callable[[Any], None], parts: Sequence[Any]) -> None:
    """Do the work on all parts at once; compiled code gives the interpreter's lock free.

    The caller works too, and work within work takes its parts in turn: threads that wait for each
    other are slow to come back where the processor is shared.
    """
    if len(parts) == 1 or getattr(_here, "working", False):
        for part in parts:
            work(part)
        return
    if not _pool:
        _pool.append(ThreadPoolExecutor(threads()))
    left = iter(parts)

    def take() -> None:
        _here.working = True
        try:
            for part in left:
                work(part)
        finally:
            _here.working = False

    others = [_pool[0].submit(take) for _ in range(min(threads(), len(parts)) - 1)]
    try:
        take()
    finally:
        wait(others)
    for other in others:
        other.result()
