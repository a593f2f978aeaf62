from __future__ import annotations

from decimal import Decimal, localcontext
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from slow_search import CODINGS, HARD, PRODUCTS, Features, each_coding, hard, photographs_like

from bench.interfaces import Distance
from bench.search import codes, exact, scan
from bench.search.codes import Asking, Coding, encode, gallery_sides
from bench.search.products import Products


def coding_of(gallery: Features, distance: Distance, digits: int, unit: float = 0) -> Coding:
    """Return a coding as `coded.choose` would make it of the whole gallery."""
    rows = exact.prepare(gallery, distance)
    mean = np.zeros(rows.shape[1]) if distance == "intersection" else rows.mean(axis=0)
    longest = float(np.abs(rows - mean).sum(axis=1).max())
    return Coding(
        distance, digits, mean, unit or (2.0 ** np.ceil(np.log2(longest)) if longest else 1.0)
    )


def true_scores(query: Features, gallery: Features, distance: Distance) -> list[Decimal]:
    """Return the scores with as many digits as the context has."""
    asked = [Decimal(float(value)) for value in query]

    def score(row: Features) -> Decimal:
        pairs = list(zip(asked, [Decimal(float(value)) for value in row], strict=True))
        if distance == "euclidean":
            return -sum(((a - b) ** 2 for a, b in pairs), Decimal(0))
        if distance == "intersection":
            return sum((min(a, b) for a, b in pairs), Decimal(0))
        product = sum((a * b for a, b in pairs), Decimal(0))
        if distance == "inner-product":
            return product
        squares = (
            sum((a * a for a, _ in pairs), Decimal(0)),
            sum((b * b for _, b in pairs), Decimal(0)),
        )
        return product / (squares[0] * squares[1]).sqrt() if all(squares) else Decimal(0)

    return [score(row) for row in gallery]


def check_bounds(queries: Features, gallery: Features, coding: Coding) -> int:
    """Check each pair's bounds against its true score, and return how many pairs there were.

    In units of the query, as the scan has it: what the codes say is off by at most the error's
    bound and the slack, and so is the exact score in float64, which is compared with it.
    """
    prepared = exact.prepare(queries, coding.distance)
    asking = Asking.of(coding, queries)
    of_gallery = encode(coding, exact.frozen(gallery), np.arange(len(gallery)), of_queries=False)
    sides = gallery_sides(coding, of_gallery)
    ((first, mixed),) = Products(coding, [of_gallery.values]).each(asking.codes.values)
    slack = asking.slack(float(of_gallery.length.max()))
    low = codes.LOW if coding.digits == 2 else np.float32(0)
    rows = np.tile(np.arange(len(gallery)), (len(queries), 1))
    in_float64 = exact.scores(prepared, exact.frozen(gallery), rows, coding.distance)
    upper, checked = np.empty(len(gallery), np.float32), 0
    for query in np.flatnonzero(asking.measurable(slack)):
        along, off = asking.along[query], asking.off[query]
        tilt = asking.tilt[query]
        scan._uppers(first, mixed, low, sides, query, tilt, along, off, upper)
        bar = scan._bar(np.float32(np.median(upper)), slack[query])
        marks = np.zeros(len(upper), np.uint8)
        most = scan._largest(sides[2]) * along + scan._largest(sides[3]) * off
        scan._mark(first, mixed, low, sides, query, tilt, scan._lower(bar, most), marks)
        assert marks[~(upper < bar)].all(), "what reaches the bar is marked"
        reach = (sides[2] * along + sides[3] * off).astype(np.float64)
        known = np.isfinite(upper) & np.isfinite(reach)
        about, allowed = upper - reach, (1 + 2**-20) * reach + slack[query]
        constant, per_unit = asking.constant[query], asking.per_unit[query]
        of_float64 = (in_float64[query] - constant) * per_unit
        assert (np.abs(of_float64 - about) <= allowed)[known].all()
        assert (of_float64 <= upper.astype(np.float64) + slack[query])[known].all()
        with localcontext() as context:
            context.prec = 150
            scores = true_scores(queries[query], gallery, coding.distance)
            units = [
                (score - Decimal(float(constant))) * Decimal(float(per_unit)) for score in scores
            ]
            for row in np.flatnonzero(known):
                error = abs(units[row] - Decimal(float(about[row])))
                assert error <= Decimal(float(allowed[row]))
        checked += int(known.sum())
    return checked


@each_coding
def test_bounds_hold_for_features_that_are_hard(distance: Distance, digits: int) -> None:
    for name in HARD:
        queries, gallery = hard(name)
        checked = check_bounds(queries, gallery[-12:], coding_of(gallery, distance, digits))
        if name not in ("huge and tiny", "an outlier", "constant"):  # some of which have no bounds
            assert checked == len(queries) * len(gallery[-12:]), name


sizes = st.sampled_from([0.0, 1e-45, 1e-30, 1e-3, 1.0, 1.0, 1.0, 7.0, 1e20, 3e38])


@st.composite
def codings(draw: st.DrawFn) -> tuple[Features, Features, Coding]:
    """Draw rows of any sizes, and a coding around their mean, that of others, or nothing."""
    distance, digits = draw(st.sampled_from(CODINGS))
    width, seed = draw(st.integers(1, 40)), draw(st.integers(0, 1 << 30))
    generator = np.random.default_rng(seed)
    rows = generator.uniform(-1, 1, (14, width))
    rows *= np.array(draw(st.lists(sizes, min_size=14, max_size=14)))[:, None]
    rows[generator.integers(0, 14, 3)] = rows[0]
    rows = rows.astype(np.float32)
    queries, gallery = rows[:5], rows[3:]
    unit = draw(st.sampled_from([0.0, 0.0, 0.0, 2.0**-40, 1.0, 2.0**100]))
    return queries, gallery, coding_of(gallery[draw(st.integers(0, 10)) :], distance, digits, unit)


@given(codings())
@settings(max_examples=60)
def test_bounds_hold_for_rows_of_any_size_around_any_mean(
    drawn: tuple[Features, Features, Coding],
) -> None:
    check_bounds(*drawn)


def decoded(coded: codes.Codes, digits: int, width: int, *, of_queries: bool) -> exact.Matrix:
    """Return what codes say, (n, D), in float64."""
    values = coded.values[: len(coded)].astype(np.float64)
    half = values.shape[1] // 2
    if digits < 2:
        return values[:, :width] * coded.scale[:, None]
    high, low = values[:, :half], values[:, half:]
    if not of_queries:
        high, low = low, high
    return (high + low / 254)[:, :width] * coded.scale[:, None]


@pytest.mark.parametrize("width", [1, 40, 64, 70])
@pytest.mark.parametrize("digits", [0, 1, 2])
def test_a_code_says_its_row_but_for_the_residual(digits: int, width: int) -> None:
    for distance in PRODUCTS:
        for of_queries in (False, True):
            check_code(distance, digits, width, of_queries=of_queries)


def check_code(distance: Distance, digits: int, width: int, *, of_queries: bool) -> None:
    rows = np.vstack([photographs_like(50, width, 5), np.zeros((1, width))]).astype(np.float32)
    coding = coding_of(rows[:30], distance, digits)
    coded = encode(coding, exact.frozen(rows), np.arange(51)[::-1], of_queries=of_queries)
    x = exact.prepare(rows[::-1], distance) - coding.mean
    lengths = np.linalg.norm(x, axis=1)
    np.testing.assert_allclose(coded.length, lengths, rtol=1e-13)
    np.testing.assert_allclose(
        coded.tilt, x @ coding.mean, atol=1e-13 * lengths.max() * np.linalg.norm(coding.mean)
    )
    apart = np.linalg.norm(x - decoded(coded, digits, width, of_queries=of_queries), axis=1)
    assert (np.abs(coded.residual - apart) <= 1e-14 * lengths).all()
    # half a step of the last digit in each column
    step = {0: 2.0**-23, 1: 1 / 127, 2: 1 / 127 / 254}[digits]
    peaks = lengths if digits == 0 else np.abs(x).max(axis=1)
    assert (coded.residual <= 1.001 * step / 2 * peaks * np.sqrt(width)).all()


@pytest.mark.parametrize("digits", [0, 1, 2])
def test_codes_are_small_numbers_and_their_padding_is_zeros(digits: int) -> None:
    rows = photographs_like(50, 70, 6)
    coded = encode(
        coding_of(rows, "euclidean", digits), exact.frozen(rows), np.arange(50), of_queries=False
    )
    assert len(coded) == 50
    assert coded.values.shape == (64, {0: 80, 1: 128, 2: 256}[digits])
    assert coded.values.dtype == (np.int8 if digits else np.float32)
    assert not coded.values[50:].any()
    for part in np.hsplit(coded.values, max(digits, 1)):
        assert not part[:, 70:].any()
    if digits:
        peaks = np.abs(coded.values[:50].astype(int)).reshape(50, digits, -1).max(axis=(1, 2))
        assert (peaks == 127).all()
    else:
        assert (np.abs(coded.values) <= 1).all()


def test_queries_and_gallery_have_their_two_digits_swapped() -> None:
    rows = photographs_like(5, 64, 7)
    coding = coding_of(rows, "euclidean", 2)
    both = [
        encode(coding, exact.frozen(rows), np.arange(5), of_queries=side).values
        for side in (True, False)
    ]
    np.testing.assert_array_equal(both[0][:, :64], both[1][:, 64:])
    np.testing.assert_array_equal(both[0][:, 64:], both[1][:, :64])


def test_the_codes_of_the_intersection_are_the_rows_in_units() -> None:
    rows = np.array([[1, -2, 3], [0, 0, 0]], np.float32)
    coding = Coding("intersection", 0, np.zeros(3), 4.0)
    coded = encode(coding, exact.frozen(rows), np.arange(2), of_queries=False)
    assert coded.values[:2, :3].tolist() == [[0.25, -0.5, 0.75], [0, 0, 0]]
    assert coded.length.tolist() == [6, 0]
    assert coded.scale.tolist() == [4, 4]
    assert not coded.residual.any()
    assert not coded.tilt.any()


def test_products_of_the_widest_codes_fit_into_their_integers() -> None:
    assert 2 * codes.LARGEST_SUM * 127 * 127 < 2**31
    assert 2 * (codes.LARGEST_SUM + 1) * 127 * 127 >= 2**31


def test_queries_whose_bounds_float32_cannot_hold_are_told_apart() -> None:
    gallery = photographs_like(30, 8, 8)
    queries = np.vstack([gallery[:2], np.full((1, 8), 3e38)]).astype(np.float32)
    coding = coding_of(gallery, "euclidean", 1)
    asking = Asking.of(coding, queries)
    assert asking.measurable(asking.slack(10.0)).tolist() == [True, True, False]
    assert not asking.measurable(asking.slack(1e36)).any()


def test_a_part_of_what_is_asked_is_a_view() -> None:
    rows = photographs_like(9, 8, 9)
    whole = Asking.of(coding_of(rows, "cosine", 1), rows)
    part = whole.part(slice(2, 5))
    assert len(part) == 3
    pairs: list[tuple[Any, Any]] = [(whole.exact, part.exact), (whole.tilt, part.tilt),
                                    (whole.codes.values, part.codes.values),
                                    (whole.codes.length, part.codes.length)]  # fmt: skip
    for all_of_it, some in pairs:
        assert np.shares_memory(all_of_it, some)
        np.testing.assert_array_equal(all_of_it[2:5], some)


def asked_and_sides(
    distance: Distance, digits: int, size: float
) -> tuple[Asking, codes.Codes, codes.Single]:
    rows = (size * photographs_like(30, 9, 10)).astype(np.float32)
    rows = np.abs(rows) if distance == "intersection" else rows
    mean = np.zeros(9) if distance == "intersection" else np.full(9, 0.25)
    coding = Coding(distance, digits, mean, 4.0)
    asking = Asking.of(coding, rows[:5])
    others = encode(coding, exact.frozen(rows), np.arange(30), of_queries=False)
    return asking, others, gallery_sides(coding, others)


@each_coding
@pytest.mark.parametrize("size", [1.0, 1e4])
def test_sides_are_those_of_the_text(distance: Distance, digits: int, size: float) -> None:
    asking, others, sides = asked_and_sides(distance, digits, size)
    alpha = 2.0 if distance == "euclidean" else 1.0
    mean_length = 0.75  # the root of 9 / 16
    tilt, length = others.tilt / mean_length, others.length
    if distance == "euclidean":
        tilt, length = -(others.length**2) / 4, length * np.maximum(length / 4, 1)
    elif distance == "intersection":
        tilt = np.zeros(30)
    residual = np.sqrt(others.residual**2 + (others.low / 180) ** 2)
    expected = np.array([others.scale, tilt, residual, length]) / 4
    np.testing.assert_allclose(sides, expected, rtol=1e-6)
    own = asking.codes
    if distance == "intersection":
        assert not asking.tilt.any()
        assert not asking.along.any()
        np.testing.assert_allclose(asking.per_unit, 1 / 4)
        np.testing.assert_allclose(asking.off, 1.001 * 1.01 * 17 * 2.0**-24, rtol=1e-6)
        return
    steepest = (4 if distance == "euclidean" else mean_length) / (alpha * own.scale)
    along = np.sqrt((own.length + own.residual) ** 2 + (180 * own.low) ** 2) / own.scale
    np.testing.assert_allclose(asking.tilt, steepest, rtol=1e-6)
    np.testing.assert_allclose(asking.along, 1.001 * along, rtol=1e-6)
    room = 2.0**-20 * (along + steepest) + (0 if digits else 1.01 * 17 * 2.0**-24 * along)
    np.testing.assert_allclose(asking.off, 1.001 * own.residual / own.scale + room, rtol=1e-5)
    np.testing.assert_allclose(asking.per_unit, 1 / (alpha * own.scale * 4))
    constant = -(own.length**2) if distance == "euclidean" else own.tilt + 0.75**2
    np.testing.assert_allclose(asking.constant, constant, rtol=1e-12)


@each_coding
def test_slack_is_rounding_in_float64_and_what_float32_loses(
    distance: Distance, digits: int
) -> None:
    asking, _, _ = asked_and_sides(distance, digits, 1.0)
    own = asking.codes.length
    if distance == "intersection":
        error = (1.01 * 17 * 2.0**-24 + 2.0**-20) * own
    else:
        sizes = own + 1.5, 8 + 1.5  # both with twice the mean
        error = (sizes[0] + sizes[1]) ** 2 if distance == "euclidean" else sizes[0] * sizes[1]
        error = error * 8 * 25 * 2.0**-52
    np.testing.assert_allclose(asking.slack(8.0), 1.001 * error * asking.per_unit, rtol=1e-6)
    # a query of zeros around zero has no error; what float32 loses is left, in all its factors
    around_zero = Coding(distance, digits, np.zeros(9), 4.0)
    nothing = Asking.of(around_zero, np.zeros((1, 9), np.float32))
    if distance != "euclidean":  # where the other row has one
        sides = 1.0 + float(nothing.tilt[0]) + float(nothing.along[0]) + float(nothing.off[0])
        assert sides == pytest.approx(1 if distance == "intersection" else 2, rel=1e-4)
        for longest, times in ((4.0, 1), (0.1, 1), (40.0, 10)):
            expected = times * 2.0**-100 * sides
            np.testing.assert_allclose(nothing.slack(longest), expected, rtol=1e-6)


@pytest.mark.parametrize("digits", [0, 1, 2])
def test_what_the_second_digit_says_is_known_and_nothing_where_there_is_none(digits: int) -> None:
    rows = photographs_like(20, 40, 11)
    coding = coding_of(rows, "euclidean", digits)
    coded = encode(coding, exact.frozen(rows), np.arange(20), of_queries=True)
    if digits < 2:
        assert not coded.low.any()
        return
    said = coded.values[:20, 64:104].astype(float) * coded.scale[:, None] / 254
    lengths = np.linalg.norm(said, axis=1)
    assert (coded.low >= lengths).all()
    assert (coded.low <= lengths + 2.001 * coded.residual).all()
