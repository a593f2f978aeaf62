"""Samplers, held against loops over all groups that are allowed, on sets of images small enough."""

from __future__ import annotations

import sys
import tracemalloc
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import product
from types import FrameType
from typing import Any, Protocol

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from bench.errors import DataError
from bench.training.samplers import (
    AcrossDomains,
    AttributeTriplets,
    Balanced,
    Codes,
    Groups,
    Members,
    Pairs,
    Plain,
    Sampler,
    Triplets,
    hold_out,
)

Group = tuple[int, ...]  # catalog rows, and last the attribute where there is one
MANY = 800  # epochs, where what is drawn is counted


class Reference(Protocol):
    """What a sampler may draw, said by loops."""

    def __call__(self, sampler: Any) -> set[Group]: ...


def of_plain(sampler: Plain) -> set[Group]:
    return {(row,) for row in sampler.images.tolist()}


def of_balanced(sampler: Balanced) -> set[Group]:
    return {(row,) for row, code in zip(sampler.images.tolist(), sampler.codes, strict=True)
            if code >= 0}  # fmt: skip


def of_pairs(sampler: Pairs) -> set[Group]:
    images = list(zip(sampler.images.tolist(), sampler.codes.tolist(), strict=True))
    return {
        (anchor, positive)
        for (anchor, code), (positive, other) in product(images, repeat=2)
        if code >= 0 and code == other and anchor != positive
    }


def of_triplets(sampler: Triplets) -> set[Group]:
    images = list(zip(sampler.images.tolist(), sampler.codes.tolist(), strict=True))
    return {
        (*pair, negative)
        for pair in of_pairs(Pairs(sampler.images, sampler.codes))
        for negative, code in images
        if code >= 0 and code != dict(images)[pair[0]]
    }


def of_domains(sampler: AcrossDomains) -> set[Group]:
    street = zip(sampler.street.tolist(), sampler.street_items.tolist(), strict=True)
    shop = list(zip(sampler.shop.tolist(), sampler.shop_items.tolist(), strict=True))
    return {
        (anchor, positive, negative)
        for (anchor, item), (positive, same), (negative, other) in product(street, shop, shop)
        if item >= 0 and same == item and other >= 0 and other != item
    }


def of_attributes(sampler: AttributeTriplets) -> set[Group]:
    columns = sampler.attributes
    return {
        (*group, column)
        for column in (range(sampler.labels.shape[1]) if columns is None else columns)
        for group in of_triplets(Triplets(sampler.images, sampler.labels[:, column]))
    }


REFERENCES: dict[type, Reference] = {
    Plain: of_plain,
    Balanced: of_balanced,
    Pairs: of_pairs,
    Triplets: of_triplets,
    AcrossDomains: of_domains,
    AttributeTriplets: of_attributes,
}
ANCHOR_ONCE = {Plain, Pairs, Triplets, AcrossDomains}
KINDS = pytest.mark.parametrize("kind", REFERENCES)


def rows_of(draw: st.DrawFn, count: int) -> Codes:
    numbers = st.integers(0, 10**9)
    return np.array(draw(st.lists(numbers, min_size=count, max_size=count, unique=True)), np.int64)


def codes_of(draw: st.DrawFn, *shape: int) -> Codes:
    """Return few codes, far apart, some of them -1."""
    code = st.sampled_from([-1, 0, 3, 70, 2**40])
    count = int(np.prod(shape))
    return np.array(draw(st.lists(code, min_size=count, max_size=count)), np.int64).reshape(shape)


@st.composite
def samplers(draw: st.DrawFn, kind: type) -> Any:
    """Return a sampler of at most eight images, many of them with nothing to draw."""
    count = draw(st.integers(0, 8))
    images = rows_of(draw, count)
    if kind is Plain:
        return Plain(images)
    if kind is AcrossDomains:
        cut = draw(st.integers(0, count))
        items = codes_of(draw, count)
        return AcrossDomains(images[:cut], items[:cut], images[cut:], items[cut:])
    if kind is AttributeTriplets:
        width = draw(st.integers(0, 3))
        chosen = st.none() | st.lists(st.sampled_from(range(width)), unique=True) if width else None
        return AttributeTriplets(
            images, codes_of(draw, count, width), None if chosen is None else draw(chosen)
        )
    return kind(images, codes_of(draw, count))


def generator(*seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def listed(groups: Groups) -> list[Group]:
    """Return groups as the references have them, after what holds of all."""
    assert groups.rows.dtype == np.int64
    assert len(groups) == len(groups.rows) > 0
    if groups.attribute is None:
        return [tuple(group) for group in groups.rows.tolist()]
    assert groups.attribute.dtype == np.int64
    assert groups.attribute.shape == (len(groups),)
    return [(*group, attribute) for group, attribute in
            zip(groups.rows.tolist(), groups.attribute.tolist(), strict=True)]  # fmt: skip


def example(kind: type, scale: int = 1) -> Any:
    """Return a sampler with codes of 1, 2, 3, 4 and 5 images and some unknown, `scale` times."""
    codes = np.repeat([-1, 10, 11, 12, 13, 14], [2, 1, 2, 3, 4, 5])
    codes = np.concatenate([np.where(codes < 0, -1, codes + 10 * turn) for turn in range(scale)])
    images = np.random.default_rng(5).permutation(3 * len(codes))[: len(codes)]
    if kind is Plain:
        return Plain(images)
    if kind is AcrossDomains:
        return AcrossDomains(images[::2], codes[::2], images[1::2], codes[1::2])
    if kind is AttributeTriplets:
        rare = np.full(len(codes), -1)
        rare[[0, 5, 9]] = [4, 4, 2]
        return AttributeTriplets(images, np.stack([codes % 2, rare, codes % 5, codes * 0], axis=1))
    return kind(images, codes)


# What is drawn


@KINDS
@settings(max_examples=60)
@given(data=st.data(), seed=st.integers(0, 2**32))
def test_groups_are_those_that_are_allowed_with_each_anchor_once_and_rows_are_theirs(
    kind: type, data: st.DataObject, seed: int
) -> None:
    sampler: Sampler = data.draw(samplers(kind))
    allowed = REFERENCES[kind](sampler)
    grouped = -1 if kind is AttributeTriplets else None
    if not allowed:
        with pytest.raises(DataError) as refused:
            sampler.epoch(generator(seed))
        assert str(refused.value).startswith("training has nothing to draw from: no ")
        assert "\n" not in str(refused.value)
        return
    assert sampler.rows.dtype == np.int64
    assert sampler.rows.tolist() == sorted({row for group in allowed for row in group[:grouped]})
    seen: set[int] = set()
    for epoch in range(1000):
        groups = listed(sampler.epoch(generator(seed, epoch)))
        assert set(groups) <= allowed
        if kind in ANCHOR_ONCE:
            assert sorted(group[0] for group in groups) == sorted({group[0] for group in allowed})
        seen |= {row for group in groups for row in group[:grouped]}
        if seen == set(sampler.rows.tolist()):
            return
    raise AssertionError(f"{set(sampler.rows.tolist()) - seen} were never drawn")


@settings(max_examples=60)
@given(data=st.data(), seed=st.integers(0, 2**32))
def test_every_run_of_a_balanced_epoch_has_each_code_once(data: st.DataObject, seed: int) -> None:
    sampler: Balanced = data.draw(samplers(Balanced))
    known = sampler.codes[sampler.codes >= 0]
    assume(len(known))
    code_of = dict(zip(sampler.images.tolist(), sampler.codes.tolist(), strict=True))
    drawn = sampler.epoch(generator(seed)).rows[:, 0].tolist()
    codes = sorted(set(known.tolist()))
    assert len(known) <= len(drawn) < len(known) + len(codes)
    for start in range(0, len(drawn), len(codes)):
        assert sorted(code_of[row] for row in drawn[start : start + len(codes)]) == codes
    times = Counter(drawn)
    for code in codes:
        of_code = [times[row] for row in code_of if code_of[row] == code]
        assert max(of_code) - min(of_code) <= 1


@settings(max_examples=60)
@given(data=st.data(), seed=st.integers(0, 2**32))
def test_every_run_of_attribute_triplets_has_each_attribute_once(
    data: st.DataObject, seed: int
) -> None:
    sampler: AttributeTriplets = data.draw(samplers(AttributeTriplets))
    allowed = of_attributes(sampler)
    assume(allowed)
    groups = sampler.epoch(generator(seed))
    attributes = sorted({group[-1] for group in allowed})
    anchors = {(group[0], group[-1]) for group in allowed}
    assert len(anchors) <= len(groups) < len(anchors) + len(attributes)
    assert groups.attribute is not None
    for start in range(0, len(groups), len(attributes)):
        run = groups[start : start + len(attributes)]
        assert run.attribute is not None
        assert sorted(run.attribute.tolist()) == attributes
    times = Counter((group[0], group[-1]) for group in listed(groups))
    for attribute in attributes:
        of_attribute = [times[anchor] for anchor in anchors if anchor[1] == attribute]
        assert max(of_attribute) - min(of_attribute) <= 1


def test_rows_of_an_attribute_without_triplets_are_not_among_those_that_are_drawn() -> None:
    columns = [[0, 0, 1, -1, -1, -1], [-1, -1, -1, 4, 4, -1], [-1, -1, -1, 1, 2, 3]]
    sampler = AttributeTriplets(np.arange(10, 16), np.array(columns).T)
    assert sampler.rows.tolist() == [10, 11, 12]
    groups = sampler.epoch(generator(0))
    assert groups.attribute is not None
    assert groups.attribute.tolist() == [0, 0]


def test_an_attribute_with_few_anchors_draws_each_time_again() -> None:
    labels = np.array([[0, 0, 1, *[-1] * 300], [n % 50 for n in range(303)]]).T
    rows = np.arange(303)
    groups = AttributeTriplets(rows, labels).epoch(generator(0))
    of_rare = groups.rows[groups.attribute == 0]
    assert len(of_rare) == 153
    assert Counter(of_rare[:, 0].tolist()) in ({0: 77, 1: 76}, {0: 76, 1: 77})
    labels[3:, 0] = 1 + np.arange(300)
    groups = AttributeTriplets(rows, labels).epoch(generator(0))
    negatives = groups.rows[groups.attribute == 0][:, 2]
    assert len(set(negatives.tolist())) > 100, "another negative for each of them"


# Chance


def seems_uniform(counts: Any) -> bool:
    """Return whether counts, (k,) or (rows, k), are equal but for chance, by their chi-square.

    The limit is six standard deviations above its mean.
    """
    counts = np.atleast_2d(np.asarray(counts, np.float64))
    expected = counts.mean(axis=1, keepdims=True)
    degrees = counts.size - len(counts)
    found = ((counts - expected) ** 2 / expected).sum()
    return bool(found < degrees + 6 * np.sqrt(2 * degrees))


def epochs_of(kind: type) -> Iterator[list[Group]]:
    sampler = example(kind)
    drawn = generator(7)
    for _ in range(MANY):
        yield listed(sampler.epoch(drawn))


def test_the_measure_of_uniformity_tells_a_crooked_die() -> None:
    assert seems_uniform([1010, 990, 1030, 970])
    assert not seems_uniform([1150, 950, 950, 950])
    assert not seems_uniform([4000, 0, 0, 0])


@pytest.mark.parametrize("kind", [Pairs, Triplets, AcrossDomains, AttributeTriplets])
def test_partners_are_drawn_evenly(kind: type) -> None:
    allowed = REFERENCES[kind](example(kind))
    drawn = Counter(group for epoch in epochs_of(kind) for group in epoch)
    by: dict[int, Counter[Group]] = {1: Counter(), 2: Counter()}
    for group, count in drawn.items():
        asks = (group[0], *group[3:])  # the anchor, with its attribute
        for place in range(1, 2 if kind is Pairs else 3):
            by[place][(*asks, group[place])] += count
    for place in range(1, 2 if kind is Pairs else 3):
        partners: dict[Group, set[int]] = {}
        for group in allowed:
            partners.setdefault((group[0], *group[3:]), set()).add(group[place])
        several = {asks: found for asks, found in partners.items() if len(found) > 1}
        assert several
        for asks, found in several.items():
            assert seems_uniform([by[place][(*asks, partner)] for partner in found])


def test_positive_and_negative_are_drawn_apart() -> None:
    """All triplets of an anchor come equally often, not only its positives and its negatives."""
    allowed = of_triplets(example(Triplets))
    drawn = Counter(group for epoch in epochs_of(Triplets) for group in epoch)
    anchors = {group[0] for group in allowed}
    for anchor in anchors:
        assert seems_uniform([drawn[group] for group in allowed if group[0] == anchor])


@KINDS
def test_the_order_is_even(kind: type) -> None:
    """Each anchor comes first, and each comes last, equally often (or each attribute, or code)."""
    sampler = example(kind)
    ends: tuple[Counter[Any], Counter[Any]] = (Counter(), Counter())
    code_of = {}
    if kind is Balanced:
        code_of = dict(zip(sampler.images.tolist(), sampler.codes.tolist(), strict=True))
    for epoch in epochs_of(kind):
        for end, group in zip(ends, (epoch[0], epoch[-1]), strict=True):
            attribute = group[3] if kind is AttributeTriplets else None
            end[attribute if attribute is not None else code_of.get(group[0], group[0])] += 1
    allowed = REFERENCES[kind](sampler)
    possible = {
        group[3] if kind is AttributeTriplets else code_of.get(group[0], group[0])
        for group in allowed
    }
    for end in ends:
        assert set(end) == possible
        assert seems_uniform(list(end.values()))


def test_images_of_a_code_are_drawn_evenly_by_the_balanced_sampler() -> None:
    sampler = example(Balanced)
    drawn = Counter(group[0] for epoch in epochs_of(Balanced) for group in epoch)
    for code in range(11, 15):
        of_code = sampler.images[sampler.codes == code].tolist()
        assert seems_uniform([drawn[row] for row in of_code])


@KINDS
@pytest.mark.parametrize("scale", [1, 40])
def test_an_epoch_follows_from_its_generator_and_from_nothing_else(kind: type, scale: int) -> None:
    np.random.seed(1)  # noqa: NPY002 (what it must not hang on)
    first = listed(example(kind, scale).epoch(generator(3)))
    np.random.seed(2)  # noqa: NPY002
    sampler = example(kind, scale)
    assert listed(sampler.epoch(generator(3))) == first
    assert listed(sampler.epoch(generator(3))) == first, "a sampler remembers nothing"
    other = listed(sampler.epoch(generator(4)))
    assert other != first


# Size


def measured(sampler: Sampler) -> tuple[int, int]:
    """Return the lines of Python that an epoch runs, and the bytes it takes for each group."""
    lines = 0

    def count(frame: FrameType, event: str, _: object) -> Callable[..., Any]:
        nonlocal lines
        lines += event == "line" and frame.f_globals.get("__name__") == "bench.training.samplers"
        return count

    before = sys.gettrace()
    sys.settrace(count)
    try:
        groups = sampler.epoch(generator(0))
    finally:
        sys.settrace(before)
    tracemalloc.start()
    try:
        sampler.epoch(generator(0))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    return lines, peak // groups.rows.size


@KINDS
def test_no_loop_runs_over_images_and_memory_is_proportional_to_the_groups(kind: type) -> None:
    few, _ = measured(example(kind, 3))
    many, memory = measured(example(kind, 600))
    assert few == many > 0
    assert memory < 25 * 8, "bytes for each row of a group"


# Members, groups, and what is held out


@given(st.lists(st.sampled_from([-1, 0, 3, 70, 2**40]), min_size=1, max_size=20))
def test_members(listed_codes: list[int]) -> None:
    codes = np.array(listed_codes, np.int64)
    members = Members.of(codes)
    assert members.codes.tolist() == sorted(set(listed_codes))
    assert members.codes[members.code].tolist() == listed_codes
    assert members.count.tolist() == [listed_codes.count(code) for code in members.codes]
    assert members.order[members.place].tolist() == list(range(len(codes)))
    for number, (start, count) in enumerate(zip(members.start, members.count, strict=True)):
        found = members.order[start : start + count]
        assert found.tolist() == [p for p, c in enumerate(members.code.tolist()) if c == number]


def test_parts_of_groups() -> None:
    rows = np.arange(12).reshape(4, 3)
    groups = Groups(rows, np.array([7, 8, 7, 9]))
    for part in (slice(1, 3), np.array([3, 0])):
        found = groups[part]
        np.testing.assert_array_equal(found.rows, rows[part])
        assert found.attribute is not None
        np.testing.assert_array_equal(found.attribute, np.array([7, 8, 7, 9])[part])
    assert Groups(rows)[1:].attribute is None
    assert len(Groups(rows)[1:]) == 3


@given(
    st.lists(st.tuples(*[st.integers(0, 9)] * 3), min_size=1, max_size=8),
    st.lists(st.integers(0, 9), unique=True),
)
def test_groups_without_rows_hold_none_of_them(groups: list[Group], rows: list[int]) -> None:
    found = Groups(np.array(groups), np.arange(len(groups))).without(np.array(rows, np.int64))
    assert found.attribute is not None
    kept = [place for place, group in enumerate(groups) if not set(group) & set(rows)]
    assert list(zip(*found.rows.T.tolist(), found.attribute.tolist(), strict=True)) == [
        (*groups[place], place) for place in kept
    ]


@given(
    st.lists(st.integers(0, 10**9), min_size=2, max_size=60, unique=True),
    st.floats(0, 1, exclude_min=True, exclude_max=True),
    st.integers(0, 2**32),
)
def test_what_is_held_out_and_what_is_left_are_all_rows(
    listed_rows: list[int], share: float, seed: int
) -> None:
    learnt, held = hold_out(np.array(listed_rows), share, seed)
    assert sorted([*learnt.tolist(), *held.tolist()]) == sorted(listed_rows)
    assert learnt.tolist() == sorted(learnt.tolist())
    assert held.tolist() == sorted(held.tolist())
    assert len(learnt) >= 1
    assert len(held) >= 1
    assert len(held) == min(max(1, round(share * len(listed_rows))), len(listed_rows) - 1)


def test_what_is_held_out_hangs_on_the_seed() -> None:
    rows = np.arange(100)
    assert hold_out(rows, 0.1, 0)[1].tolist() == hold_out(rows, 0.1, 0)[1].tolist()
    assert hold_out(rows, 0.1, 0)[1].tolist() != hold_out(rows, 0.1, 1)[1].tolist()
    times = np.zeros(100)
    for seed in range(MANY):
        times[hold_out(rows, 0.1, seed)[1]] += 1
    assert seems_uniform(times)


@pytest.mark.parametrize("rows", [[], [3]])
def test_nothing_can_be_held_out_of_fewer_than_two_rows(rows: list[int]) -> None:
    with pytest.raises(DataError, match="held out for validation"):
        hold_out(np.array(rows, np.int64), 0.5, 0)


@pytest.mark.parametrize(
    ("sampler", "message"),
    [
        (Plain(np.zeros(0, np.int64)), "no image among"),
        (Balanced(np.array([1, 2]), np.array([-1, -1])), "no image with a known value among"),
        (Pairs(np.array([1, 2]), np.array([0, 1])), "no two images of one identity among"),
        (Pairs(np.array([1, 2]), np.array([-1, -1])), "no two images of one identity among"),
        (Triplets(np.array([1, 2]), np.array([0, 0])), "no two images of one identity beside one"),
        (Triplets(np.array([1, 2]), np.array([0, 1])), "no two images of one identity beside one"),
        (AcrossDomains(*map(np.array, ([1], [0], [2, 3], [0, 0]))), "no street image with shop"),
        (AcrossDomains(*map(np.array, ([1], [0], [2, 3], [1, 2]))), "no street image with shop"),
        (AttributeTriplets(np.array([1, 2, 3]), np.array([[0], [0], [-1]])), "no attribute of"),
        (AttributeTriplets(np.array([1, 2, 3]), np.array([[0], [0], [1]]), []), "no attribute of"),
    ],
)
def test_what_is_missing_is_said(sampler: Sampler, message: str) -> None:
    with pytest.raises(DataError, match=f"^training has nothing to draw from: {message}"):
        sampler.epoch(generator(0))
