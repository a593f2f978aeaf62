"""Which gallery rows can still be among the best of a query: kept in buffers of bounded size.

While codes are scanned, each query has a guess of its depth-th best score: the depth-th best of
what the codes say, less a part of their error. A row is kept while its upper bound reaches the
guess. In the end the exact scores of the kept rows give the true depth-th best. If it is not below
the guess, then no row that was dropped can be among the best, and the result is proven; else the
query is left to the other way of searching.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from bench.compiled import compiled, inlined, inner
from bench.interfaces import Distance
from bench.search.codes import LOW, Asking, Single
from bench.search.exact import KIND, LANES, score
from bench.search.gallery import Gallery

CACHED = 1 << 22  # bytes of gallery rows that are scored exactly together
CAUTION = np.float32(0.125)  # the part of a bound that a code's error seldom reaches
HALVINGS = 12  # of the range of the values in a buffer: a guess need not be sharper
FEW = 64  # rows that a buffer holds at least before it is looked through


@dataclass(frozen=True)
class Kept:
    """What a scan has kept of q queries: up to `capacity` gallery rows each, ascending.

    positions  (q, capacity) rows
    upper      (q, capacity) upper bounds of their scores, in units of the query
    about      (q, capacity) what their codes say, less CAUTION times the error's bound
    count      (q,) how many rows; -1 where the buffer was too small or a bound is not finite
    limit      (q,) at how many rows those are dropped that can be dropped
    guess      (q,) the depth-th best of `about` so far
    slack      (q,) by how much any bound may be off besides
    """

    positions: npt.NDArray[np.int32]
    upper: Single
    about: Single
    count: npt.NDArray[np.int64]
    limit: npt.NDArray[np.int64]
    guess: Single
    slack: Single

    @classmethod
    def room(cls, queries: int, capacity: int) -> Kept:
        """Return buffers for so many queries; `begin` makes them empty."""
        shape = queries, capacity
        return cls(
            np.empty(shape, np.int32), np.empty(shape, np.float32), np.empty(shape, np.float32),
            np.empty(queries, np.int64), np.empty(queries, np.int64),
            np.empty(queries, np.float32), np.empty(queries, np.float32),
        )  # fmt: skip

    def begin(self, depth: int) -> None:
        """Keep nothing yet."""
        self.count[:] = self.slack[:] = 0
        self.limit[:] = min(self.positions.shape[1], FEW + 4 * depth)
        self.guess[:] = -np.inf

    def part(self, rows: slice) -> Kept:
        """Return the buffers of some of the queries, not copied."""
        return Kept(*(buffer[rows] for buffer in self._buffers))

    @property
    def _buffers(self) -> tuple[Any, Any, Any, Any, Any, Any, Any]:
        return (self.positions, self.upper, self.about, self.count, self.limit, self.guess,
                self.slack)  # fmt: skip

    def add(self, queries: Any, positions: Any, upper: Any, about: Any, depth: int) -> None:
        """Put rows into the buffers: for each query in turn, ascending; all arguments are (n,)."""
        _add(*self._buffers, queries, positions, upper, about, depth)

    def drop(self, depth: int) -> None:
        """Drop all rows that can no longer be among the best."""
        _drop_all(*self._buffers, depth)

    def bars(self) -> Single:
        """Return what an upper bound must reach to be kept, (q,)."""
        pairs = zip(self.guess, self.slack, strict=True)
        return np.array([_bar(guess, slack) for guess, slack in pairs], np.float32)

    def loosen(self, asking: Asking, slack: Single) -> None:
        """Note that bounds may be off by as much as this; give up queries that have no bounds."""
        np.maximum(self.slack, slack, out=self.slack)
        self.count[~asking.measurable(slack)] = -1


def scan(
    kept: Kept, asking: Asking, products: tuple[Any, Any], sides: Single,
    *, first: int, own: Any, depth: int,
) -> None:  # fmt: skip
    """Take in the gallery rows from `first` on, given their products (q', g') and sides (4, g)."""
    low = LOW if products[0] is not products[1] else np.float32(0)
    _scan(
        *kept._buffers, asking.tilt, asking.along, asking.off, own, *products, low, sides, first,
        depth,
    )  # fmt: skip


def best(
    kept: Kept, asking: Asking, gallery: Gallery, *, distance: Distance, depth: int
) -> npt.NDArray[np.int32]:
    """Return the exact ranking of each query, (q, depth), from what was kept; -1 for none.

    The count of a query whose ranking is not proven becomes -1.
    """
    result = np.full((len(kept.count), depth), -1, np.int32)
    kept.drop(depth)
    exact = np.empty((len(kept.count), max(int(kept.count.max(initial=0)), 1)))
    _score_kept(
        kept.positions, kept.count, asking.exact, gallery.features, gallery.rows, KIND[distance],
        exact,
    )  # fmt: skip
    _choose(kept.positions, kept.count, kept.guess, exact, asking.constant, asking.per_unit, result)
    return result


@inner
def _bar(guess: Any, slack: Any) -> Any:
    """Return what an upper bound must reach, rounded down."""
    return _less(np.float32(guess - 2 * slack))


@inlined
def _lower(bar: Any, reach: Any) -> Any:
    """Return what codes must reach for an upper bound, at most so much higher, to reach the bar."""
    return _less(np.float32(bar - _more(reach)))


@inlined
def _less(value: Any) -> Any:
    """Return a number that rounding cannot have made larger than what it stands for."""
    return np.float32(value - np.float32(2.0**-22) * abs(value))


@inlined
def _more(value: Any) -> Any:
    return np.float32(value + np.float32(2.0**-22) * abs(value))


@compiled
def _scan(
    positions: Any, upper: Any, about: Any, count: Any, limit: Any, guess: Any, slack: Any,
    tilt: Any, along: Any, off: Any, own: Any, products: Any, mixed: Any, low: Any, sides: Any,
    first: int, depth: int,
) -> None:  # fmt: skip
    width = sides.shape[1]
    high, middle = np.empty(width, np.float32), np.empty(width, np.float32)
    found = np.empty(width + 8, np.int32)
    marks = np.zeros(-(-width // 8) * 8, np.uint8)
    eights = marks.view(np.uint64)
    residual, length = _largest(sides[2]), _largest(sides[3])
    for query in range(len(count)):
        if count[query] < 0:
            continue
        tilted, along_here, off_here = tilt[query], along[query], off[query]
        if guess[query] == -np.inf:  # the first rows: all together they give a guess
            _uppers(products, mixed, low, sides, query, tilted, along_here, off_here, high)
            _abouts(high, sides, along_here, off_here, middle)
            guess[query] = _reached(middle, depth + 1)  # one of them may be the query's own
        reach = np.float32(residual * along_here + length * off_here)
        bar = _lower(_bar(guess[query], slack[query]), reach)
        _mark(products, mixed, low, sides, query, tilted, bar, marks)
        reaching: Any = 0
        for eight in range(len(eights)):
            if eights[eight]:
                for at in range(8 * eight, 8 * eight + 8):  # without a branch
                    found[reaching] = at
                    reaching += np.int64(marks[at])
        held = 0
        for place in range(reaching):
            at = found[place]
            if first + at != own[query]:
                reach = sides[2, at] * along_here + sides[3, at] * off_here
                high[held] = _upper(
                    products, mixed, low, sides, query, at, tilted, along_here, off_here
                )
                found[held], middle[held] = first + at, high[held] - (1 + CAUTION) * reach
                held += 1
        if held:
            _take(
                positions, upper, about, count, limit, guess, slack, query, found, high, middle, 0,
                held, depth,
            )  # fmt: skip


# Rows are named by number in what follows: a view of one costs as much as a hundred bounds.
@inlined
def _upper(
    products: Any, mixed: Any, low: Any, sides: Any, query: int, at: int, tilt: Any, along: Any,
    off: Any,
) -> Any:  # fmt: skip
    """Return the upper bound of one row."""
    middle = (np.float32(products[query, at]) + low * np.float32(mixed[query, at])) * sides[0, at]
    return middle + sides[1, at] * tilt + (sides[2, at] * along + sides[3, at] * off)


@inner
def _uppers(
    products: Any, mixed: Any, low: Any, sides: Any, query: int, tilt: Any, along: Any, off: Any,
    highs: Any,
) -> None:  # fmt: skip
    """Write the upper bound of each row."""
    for at in range(len(highs)):
        highs[at] = _upper(products, mixed, low, sides, query, at, tilt, along, off)


@inner
def _abouts(highs: Any, sides: Any, along: Any, off: Any, abouts: Any) -> None:
    """Write what the codes say of each row, less the cautious part of the error."""
    for at in range(len(abouts)):
        reach = sides[2, at] * along + sides[3, at] * off
        abouts[at] = highs[at] - (1 + CAUTION) * reach


@inner
def _mark(
    products: Any, mixed: Any, low: Any, sides: Any, query: int, tilt: Any, bar: Any, marks: Any
) -> None:
    """Mark the rows whose codes reach a bar that is lower by the largest error of all rows.

    That is half the work of their own bounds, which decide on the few that are marked. What is not
    a number is not below the bar.
    """
    if low == 0:
        for at in range(sides.shape[1]):
            middle = np.float32(products[query, at]) * sides[0, at]
            marks[at] = not (middle + sides[1, at] * tilt < bar)
    else:
        for at in range(sides.shape[1]):
            both = np.float32(products[query, at]) + low * np.float32(mixed[query, at])
            marks[at] = not (both * sides[0, at] + sides[1, at] * tilt < bar)


@inner
def _largest(values: Any) -> Any:
    """Return the largest value; infinity where one is not a number."""
    largest = np.float32(0)
    for value in values:
        if not value <= largest:
            largest = value if value > largest else np.float32(np.inf)
    return largest


@inner
def _take(
    positions: Any, upper: Any, about: Any, count: Any, limit: Any, guess: Any, slack: Any,
    query: int, found: Any, high: Any, middle: Any, start: int, end: int, depth: int,
) -> None:  # fmt: skip
    """Put the rows from `start` to `end` into a query's buffer; where it is full, look through."""
    held, bound, bar = count[query], limit[query], _bar(guess[query], slack[query])
    for at in range(start, end):
        if high[at] < bar:
            continue
        positions[query, held] = found[at]
        upper[query, held], about[query, held] = high[at], middle[at]
        if not abs(high[at]) < np.inf:  # too large for float32: nothing is known
            upper[query, held], about[query, held] = np.inf, -np.inf
        held += 1
        if held == bound:
            count[query] = held
            _drop(positions, upper, about, count, guess, slack, query, depth)
            held, capacity = count[query], positions.shape[1]
            if 4 * held > 3 * capacity:
                count[query] = -1
                return
            bound, bar = min(capacity, held + held // 2 + FEW), _bar(guess[query], slack[query])
    count[query], limit[query] = held, bound


@inner
def _drop(
    positions: Any, upper: Any, about: Any, count: Any, guess: Any, slack: Any, query: int,
    depth: int,
) -> None:  # fmt: skip
    """Raise the guess of a query, and drop rows that do not reach it."""
    held = count[query]
    guess[query] = max(guess[query], _reached(about[query, :held], depth))
    bar = _bar(guess[query], slack[query])
    left = 0
    for place in range(held):
        if not upper[query, place] < bar:
            positions[query, left] = positions[query, place]
            upper[query, left] = upper[query, place]
            about[query, left] = about[query, place]
            left += 1
    count[query] = left


@inner
def _reached(values: Any, depth: int) -> Any:
    """Return a number that `depth` of the values reach, near the largest such."""
    if len(values) < depth:
        return -np.inf
    least, most = values[0], values[0]  # of the first few, which all reach the least of them
    for place in range(depth):
        least, most = min(least, values[place]), max(most, values[place])
    step = max(most - least, abs(most) * 2.0**-10, 2.0**-100)
    while _count(values, most) >= depth and most < np.inf:
        least, most, step = most, values.dtype.type(most + step), 2 * step
    for _ in range(HALVINGS):
        middle = values.dtype.type((least + most) / 2)
        if _count(values, middle) >= depth:
            least = middle
        else:
            most = middle
    return least


@inner
def _count(values: Any, bar: Any) -> Any:
    """Return how many values reach the bar."""
    count = np.int32(0)
    for place in range(len(values)):
        count = np.int32(count + np.int32(values[place] >= bar))
    return count


@compiled
def _add(
    positions: Any, upper: Any, about: Any, count: Any, limit: Any, guess: Any, slack: Any,
    queries: Any, found: Any, high: Any, middle: Any, depth: int,
) -> None:  # fmt: skip
    start = 0
    for query in range(len(count)):
        end = start
        while end < len(queries) and queries[end] == query:
            end += 1
        if count[query] >= 0:
            _take(
                positions, upper, about, count, limit, guess, slack, query, found, high, middle,
                start, end, depth,
            )  # fmt: skip
        start = end


@compiled
def _drop_all(
    positions: Any, upper: Any, about: Any, count: Any, limit: Any, guess: Any, slack: Any,
    depth: int,
) -> None:  # fmt: skip
    for query in range(len(count)):
        if count[query] >= 0:
            _drop(positions, upper, about, count, guess, slack, query, depth)


@compiled
def _score_kept(
    positions: Any, count: Any, queries: Any, features: Any, rows: Any, kind: int, scores: Any
) -> None:
    """Score what is kept: a part of the gallery, which stays in the cache, for all queries."""
    lanes = np.zeros(LANES)
    following = np.zeros(len(count), np.int64)
    step = max(1, CACHED // (4 * features.shape[1]))
    for end in range(step, len(rows) + step, step):
        for query in range(len(count)):
            place = following[query]
            while place < count[query] and positions[query, place] < end:
                row = rows[positions[query, place]]
                scores[query, place] = score(queries, query, features, row, kind, lanes)
                place += 1
            following[query] = place


@compiled
def _choose(
    positions: Any, count: Any, guess: Any, scores: Any, constant: Any, per_unit: Any, result: Any
) -> None:
    """Write the best rows of each query; where they are not proven, make its count -1."""
    depth = result.shape[1]
    places = np.empty(scores.shape[1] + 1, np.int64)
    likely = np.empty(scores.shape[1] + 1)
    for query in range(len(count)):
        if count[query] < 0:
            continue
        bar = _reached(scores[query, : count[query]], depth)
        held: Any = 0
        for place in range(count[query]):  # without a branch
            places[held], likely[held] = place, scores[query, place]
            held += np.int64(scores[query, place] >= bar)
        last = -np.inf
        for at in range(held):
            rank = _rank(likely, held, at)
            if rank < depth:
                result[query, rank] = positions[query, places[at]]
            if rank == depth - 1:
                last = likely[at]
        proven = guess[query] == -np.inf
        if held >= depth:
            proven = (last - constant[query]) * per_unit[query] >= guess[query]
        if not proven:
            count[query] = -1


@inner
def _rank(scores: Any, held: int, at: int) -> Any:
    """Return how many of the scores held stand before one of them: higher, or equal and earlier."""
    rank = np.int32(0)
    for place in range(at):
        rank = np.int32(rank + np.int32(scores[place] >= scores[at]))
    for place in range(at + 1, held):
        rank = np.int32(rank + np.int32(scores[place] > scores[at]))
    return rank
