"""Coarse codes of features, whose products are quick and whose error has a proven bound.

The proof. Let q and g be a query and a gallery row (for the cosine: of length one), m any one
vector (here the mean of some gallery rows), x = q − m and y = g − m. Up to what is the same for all
rows of one query, the score is

    t(q, g) = α x·y + β(g)     inner product, cosine: α = 1, β(g) = m·y   (q·g = x·y + m·y + q·m)
                               Euclidean: α = 2, β(g) = −|y|²   (−|q−g|² = 2 x·y − |y|² − |x|²)

A code x̂ = σc is a row of small numbers c and a scale σ. Its residual is known: ρ = |x − x̂|. Since
x·y − x̂·ŷ = x̂·(y − ŷ) + (x − x̂)·y, the inequality of Cauchy and Schwarz gives

    |t − (α x̂·ŷ + β)| ≤ α (|x̂| ρ_g + ρ_q |y|)                                               (1)

and |x̂| ≤ |x| + ρ_q. So every pair has an upper bound of its score, and a row whose upper bound is
below the depth-th best score of its query is not in the result. `bench.search.scan` keeps the
others, and exact scores order these. Nothing is assumed of the features: where the bounds are too
wide to tell rows apart, more rows are kept, never fewer than needed.

The codes: `digits` = 1 is one int8 digit in steps of the row's largest element / 127; 2 adds a
second digit in steps 254 times finer, for three products instead of one; 0 is float32, scaled by a
power of two so that nothing overflows. The product of the second digits with each other is left
out. With l the part of x̂ that the second digit says, and l' that of ŷ, this adds l·l' to the
error, and by the same inequality, for any weight w,

    |x̂·(y − ŷ) + l·l'| ≤ |(x̂, l / w)| |(y − ŷ, w l')|                                       (2)

which takes the place of the first term of (1). Integer products are exact; a float32 product of D
numbers adds at most γ|x̂||ŷ| with γ = D·2⁻²⁴ / (1 − D·2⁻²⁴), in whatever order it is summed
(Higham, Accuracy and Stability of Numerical Algorithms, section 3.1).

For the histogram intersection the code is float32 and the product is Σ min(x, y) itself, off by
at most γ (|x|₁ + |y|₁).

What rounds besides, in units of one query, α σ_q U with U a power of two near the longest |y|:
bounds are evaluated in float32 with five roundings of numbers not larger than |x̂||y| + |β| + the
bound itself; `_RELATIVE` is eight times that. Rounding in float64, of x, y, β, the exact score and
its way into these units, is at most 8 (D + 16) 2⁻⁵² times the largest numbers that take part; it
is the same for all rows of a block and is called `slack`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from bench.compiled import compiled
from bench.interfaces import Distance
from bench.search.exact import (
    LANES,
    Features,
    Matrix,
    frozen,
    in_threads,
    prepare,
    product_sum,
    shares,
    smaller_sum,
)
from bench.search.gallery import require_finite

Single = npt.NDArray[np.float32]

ALIGNED = 64  # bytes; rows of codes are padded to a multiple, and their number to ROWS
ROWS = 32
LOW = np.float32(1 / 254)  # a step of the second digit, in steps of the first
LARGEST_SUM = 2**31 // (2 * 127 * 127)  # columns whose int8 products fit into int32
_WEIGHT = 1 / 180  # w in (2), where both sides are about equal for features as they are
_RELATIVE = 2.0**-20
_LARGEST = 2.0**60  # such sides times rows as long as 2⁶⁰ U stay within float32
_TINIEST = 2.0**-100  # more than float32 loses below its smallest normal number, in each factor


@dataclass(frozen=True)
class Coding:
    """How the features of one search are coded: which distance, which digits, around which mean."""

    distance: Distance
    digits: int  # 0 for float32
    mean: Matrix  # (D,) float64
    unit: float  # U, a power of two

    @property
    def alpha(self) -> float:
        """Return α of the module's text."""
        return 2.0 if self.distance == "euclidean" else 1.0

    @property
    def product_error(self) -> float:
        """Return γ of the module's text, with room for the sum of both factors' residuals."""
        return 0.0 if self.digits else 1.01 * (len(self.mean) + 8) * 2.0**-24


@dataclass(frozen=True)
class Codes:
    """Codes of n rows.

    values    (n', W) int8 or float32; n' and W are n and D padded with zeros, and W is twice that
              for two digits
    scale     (n,) σ
    length    (n,) |x|, or |x|₁ for the histogram intersection
    residual  (n,) ρ
    tilt      (n,) m·x
    low       (n,) at least |l|, what the second digit says; 0 where there is none
    """

    values: npt.NDArray[Any]
    scale: Matrix
    length: Matrix
    residual: Matrix
    tilt: Matrix
    low: Matrix

    def __len__(self) -> int:
        return len(self.scale)

    def part(self, rows: slice) -> Codes:
        """Return some of the rows, not copied."""
        facts = (self.scale, self.length, self.residual, self.tilt, self.low)
        return Codes(self.values[rows], *(fact[rows] for fact in facts))


def encode(coding: Coding, features: Features, rows: Any, *, of_queries: bool) -> Codes:
    """Return the codes of `features[rows]`; queries and gallery have their two digits swapped.

    Then one product of whole rows is the sum of the two mixed products.
    """
    kind = np.dtype(np.int8 if coding.digits else np.float32)
    step = ALIGNED // kind.itemsize
    width = -(-features.shape[1] // step) * step
    padded = -(-max(len(rows), 1) // ROWS) * ROWS
    values = np.zeros((padded, width * max(coding.digits, 1)), kind)
    facts = np.empty((5, len(rows)))
    high = 0 if of_queries or coding.digits < 2 else width
    if coding.distance == "intersection":
        work = lambda part: _encode_sums(  # noqa: E731
            features, rows[part], 1 / coding.unit, values[part], facts[:, part]
        )
    else:
        work = lambda part: _encode(  # noqa: E731
            features, rows[part], coding.distance == "cosine", coding.mean, coding.digits, high,
            width - high, values[part], facts[:, part],
        )  # fmt: skip
    in_threads(work, shares(len(rows)))
    return Codes(values, *facts)


@compiled
def _encode(
    features: Any, rows: Any, cosine: bool, mean: Any, digits: int, high: int, low: int,
    values: Any, facts: Any,
) -> None:  # fmt: skip
    """Code rows around the mean; `high` and `low` are where the two digits' columns begin."""
    size = features.shape[1]
    lanes = np.zeros(LANES)
    x = np.empty((2, size))  # the row around the mean, and the mean
    x[1] = mean
    for place in range(rows.shape[0]):
        row = rows[place]
        factor = 1.0
        if cosine:
            length = np.sqrt(product_sum(features, row, features, row, lanes))
            factor = 1.0 / length if length > 0 else 0.0
        for column in range(size):
            x[0, column] = np.float64(features[row, column]) * factor - x[1, column]
        length = np.sqrt(product_sum(x, 0, x, 0, lanes))
        tilt = product_sum(x, 0, x, 1, lanes)
        scale, left = 1.0, 0.0
        if digits == 0:
            if length > 0:
                scale = 2.0 ** np.ceil(np.log2(length))
            for column in range(size):
                values[place, column] = x[0, column] / scale
            for column in range(size):
                x[0, column] -= np.float64(values[place, column]) * scale
        else:
            peak = _peak(x[0], lanes)
            if peak > 0:
                scale = peak / 127
            _take_digit(x[0], scale, values[place, high : high + size])
            if digits == 2:
                left = np.sqrt(product_sum(x, 0, x, 0, lanes))
                _take_digit(x[0], scale / 254, values[place, low : low + size])
        residual = np.sqrt(product_sum(x, 0, x, 0, lanes))
        facts[0, place] = scale
        facts[1, place] = length
        facts[2, place] = residual
        facts[3, place] = tilt
        facts[4, place] = left + residual if digits == 2 else 0.0


@compiled
def _take_digit(x: Any, step: float, code: Any) -> None:
    """Write x in steps as a code, and leave in x what the code does not say."""
    times = 1 / step
    for column in range(len(x)):
        code[column] = np.rint(x[column] * times)
    for column in range(len(x)):
        x[column] -= code[column] * step


@compiled
def _peak(x: Any, lanes: Any) -> float:
    """Return the largest |x|."""
    lanes[:] = 0.0
    whole = len(x) - len(x) % LANES
    for start in range(0, whole, LANES):
        for lane in range(LANES):
            value = abs(x[start + lane])
            lanes[lane] = value if value > lanes[lane] else lanes[lane]
    for lane in range(len(x) - whole):
        value = abs(x[whole + lane])
        lanes[lane] = value if value > lanes[lane] else lanes[lane]
    return float(lanes.max())


@compiled
def _encode_sums(features: Any, rows: Any, times: float, values: Any, facts: Any) -> None:
    """Code rows as they are, in units, for the sums of smaller elements."""
    lanes = np.zeros(LANES)
    x = np.empty((1, features.shape[1]))
    for place in range(rows.shape[0]):
        for column in range(x.shape[1]):
            value = np.float64(features[rows[place], column])
            x[0, column] = abs(value)
            values[place, column] = value * times
        facts[0, place] = 1 / times
        facts[1, place] = smaller_sum(x, 0, x, 0, lanes)
        facts[2:, place] = 0.0


def gallery_sides(coding: Coding, codes: Codes) -> Single:
    """Return σ, β, ρ and |y| of gallery codes as the bounds want them, (4, n) float32.

    ρ is here |(y − ŷ, w l')| of (2). All are in units U, β besides in units of `_tilt_unit`, so
    that it is not larger than |y|.
    """
    length, tilt = codes.length, codes.tilt / _tilt_unit(coding)
    if coding.distance == "euclidean":
        tilt = -(length**2) / coding.unit
        length = length * np.maximum(length / coding.unit, 1)
    residual = np.hypot(codes.residual, _WEIGHT * codes.low)
    sides = np.stack([codes.scale, tilt, residual, length]) / coding.unit
    with np.errstate(over="ignore"):  # a row without a finite bound is always kept
        return sides.astype(np.float32)


def _tilt_unit(coding: Coding) -> float:
    if coding.distance == "euclidean":
        return coding.unit
    return float(np.linalg.norm(coding.mean)) or 1.0


@dataclass(frozen=True)
class Asking:
    """A block of queries: exact, coded, and what each contributes to its bounds.

    With p the product of the codes and (σ, β, ρ, |y|) a column of `gallery_sides`, the bounds are
    pσ + β·tilt ± (ρ·along + |y|·off), off by `slack` more.
    """

    coding: Coding
    exact: Matrix  # (q, D), prepared
    codes: Codes
    per_unit: Matrix  # (q,) what a score is multiplied by to be in units of its query
    constant: Matrix  # (q,) the part of a score that is the same for all rows
    tilt: Single
    along: Single
    off: Single

    @classmethod
    def of(cls, coding: Coding, queries: Features) -> Asking:
        """Return queries (q, D) float32. Raises `UserError` for such as are not finite."""
        codes = encode(coding, frozen(queries), np.arange(len(queries)), of_queries=True)
        require_finite(codes.length, "the queries")
        exact = prepare(queries, coding.distance)
        tilt = _tilt_unit(coding) / (coding.alpha * codes.scale)
        along = np.hypot(codes.length + codes.residual, codes.low / _WEIGHT) / codes.scale
        off = codes.residual / codes.scale
        constant = codes.tilt + coding.mean @ coding.mean  # q·m
        per_unit = 1 / (coding.alpha * codes.scale * coding.unit)
        if coding.distance == "euclidean":
            constant = -(codes.length**2)
        elif coding.distance == "intersection":
            tilt, along, constant = np.zeros((3, len(exact)))
            off = np.full(len(exact), coding.product_error)
            per_unit = np.full(len(exact), 1 / coding.unit)
        room = _RELATIVE * (along + tilt) + coding.product_error * along
        with np.errstate(over="ignore"):  # such a query is told apart by `measurable`
            sides = [side.astype(np.float32) for side in (tilt, along * 1.001, off * 1.001 + room)]
        return cls(coding, exact, codes, per_unit, constant, *sides)

    def __len__(self) -> int:
        return len(self.exact)

    def part(self, rows: slice) -> Asking:
        """Return some of the queries, not copied."""
        return Asking(
            self.coding, self.exact[rows], self.codes.part(rows), self.per_unit[rows],
            self.constant[rows], self.tilt[rows], self.along[rows], self.off[rows],
        )  # fmt: skip

    def slack(self, longest: float) -> Single:
        """Return what rounding adds at most to a bound for rows no longer than this, (q,)."""
        coding = self.coding
        if coding.distance == "intersection":
            error = (coding.product_error + _RELATIVE) * self.codes.length
        else:
            far = 2 * float(np.linalg.norm(coding.mean))
            own, other = self.codes.length + far, longest + far
            error = (own + other) ** 2 if coding.distance == "euclidean" else own * other
            error = error * 8 * (len(coding.mean) + 16) * 2.0**-52
        sides = np.stack([self.tilt, self.along, self.off], dtype=np.float64).sum(axis=0)
        tiny = _TINIEST * (1 + sides) * max(1.0, longest / coding.unit)
        with np.errstate(over="ignore", invalid="ignore"):
            return np.asarray(1.001 * error * self.per_unit + tiny, np.float32)

    def measurable(self, slack: Single) -> npt.NDArray[np.bool_]:
        """Return which queries have bounds that float32 can hold, (q,)."""
        sides = np.stack([self.tilt, self.along, self.off, slack])
        return np.asarray((np.isfinite(sides) & (sides < _LARGEST)).all(axis=0))
