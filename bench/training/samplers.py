"""Samplers: which images stand in which group of a training epoch, and in which order.

A sampler turns an epoch's generator into groups of catalog rows: single images, pairs or triplets.
It draws with vectorised index arithmetic, in memory proportional to the groups, and its order
depends on nothing but the generator: neither on workers, device, nor number of processes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
import numpy.typing as npt

from bench.errors import DataError
from bench.tasks import Rows

Codes = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Groups:
    """The groups of an epoch in order: catalog rows (n, g), and the attribute of each, (n,).

    `attribute` is None where groups are not about one attribute.
    """

    rows: Rows
    attribute: Codes | None = None

    def __len__(self) -> int:
        return len(self.rows)

    def without(self, rows: Rows) -> Groups:
        """Return the groups that hold none of these rows, in order."""
        return self[np.flatnonzero(~np.isin(self.rows, rows).any(axis=1))] if len(rows) else self

    def __getitem__(self, part: slice | Codes) -> Groups:
        return Groups(self.rows[part], None if self.attribute is None else self.attribute[part])


def hold_out(rows: Rows, share: float, seed: int) -> tuple[Rows, Rows]:
    """Return rows to learn from and rows to validate on, each at least one, both ascending.

    Raises `DataError` for fewer than two rows.
    """
    _require(len(rows) > 1, "image beside one that is held out for validation")
    count = min(max(1, round(share * len(rows))), len(rows) - 1)
    chosen = np.random.default_rng([seed, len(rows)]).permutation(rows)
    return np.sort(chosen[count:]), np.sort(chosen[:count])


class Sampler(Protocol):
    """What draws the groups of an epoch."""

    @property
    def rows(self) -> Rows:
        """Every catalog row that a group can hold, ascending."""

    def epoch(self, generator: np.random.Generator) -> Groups:
        """Return the groups of an epoch, at least one."""


@dataclass(frozen=True, eq=False)
class Plain:
    """Each image once, in random order; groups of one."""

    images: Rows

    @cached_property
    def rows(self) -> Rows:
        """The rows of all images."""
        return np.sort(self.images)

    def epoch(self, generator: np.random.Generator) -> Groups:
        """Return (n, 1) groups."""
        _require(len(self.images), "image")
        return Groups(generator.permutation(self.images)[:, None])


@dataclass(frozen=True, eq=False)
class Balanced:
    """Images so that each code comes up equally often; groups of one.

    In every run of C groups, C being the number of codes, each code stands once. An epoch has as
    many groups as images, rounded up to whole runs: images of a rare code come several times, all
    equally often within one, and of a frequent one only some. `codes` is (n,); images with the code
    -1 (unknown) are left out.
    """

    images: Rows
    codes: Codes

    @cached_property
    def rows(self) -> Rows:
        """The rows that have a code."""
        return np.sort(self.images[self.codes >= 0])

    def epoch(self, generator: np.random.Generator) -> Groups:
        """Return (n, 1) groups."""
        known = generator.permutation(np.flatnonzero(self.codes >= 0))
        _require(len(known), "image with a known value")
        members = Members.of(self.codes[known])
        runs = -(-len(known) // len(members.count))
        code = generator.random((runs, len(members.count))).argsort(axis=1)
        place = members.start[code] + np.arange(runs)[:, None] % members.count[code]
        return Groups(self.images[known[members.order[place]]].reshape(-1, 1))


@dataclass(frozen=True, eq=False)
class Pairs:
    """Anchor and another image of its code; groups of two.

    Every image whose code another one shares is the anchor once; `codes` (n,) are -1 for none.
    """

    images: Rows
    codes: Codes

    @cached_property
    def rows(self) -> Rows:
        """The rows that stand in some pair."""
        return np.sort(self.images[Members.of(self.codes).shared])

    def epoch(self, generator: np.random.Generator) -> Groups:
        """Return (n, 2) groups."""
        members = Members.of(self.codes)
        anchor = generator.permutation(np.flatnonzero(members.shared))
        _require(len(anchor), "two images of one identity")
        return Groups(self.images[np.stack([anchor, members.same(anchor, generator)], axis=1)])


@dataclass(frozen=True, eq=False)
class Triplets:
    """Anchor, another image of its code, an image of another code; groups of three.

    Every image whose code another one shares is the anchor once; `codes` (n,) are -1 for none, and
    such images stand in no triplet.
    """

    images: Rows
    codes: Codes

    @cached_property
    def rows(self) -> Rows:
        """The rows that stand in some triplet."""
        return np.sort(self.images[self.codes >= 0])

    def epoch(self, generator: np.random.Generator) -> Groups:
        """Return (n, 3) groups."""
        known = np.flatnonzero(self.codes >= 0)
        triplets = _triplets(self.codes[known], generator)
        _require(len(triplets), "two images of one identity beside one of another")
        return Groups(self.images[known[triplets]])


@dataclass(frozen=True, eq=False)
class AcrossDomains:
    """Street image, shop image of its item, shop image of another item; groups of three.

    Every street image whose item has a shop image is the anchor once. `street_items` (n,) and
    `shop_items` (m,) are one numbering of items; -1 stands for none.
    """

    street: Rows
    street_items: Codes
    shop: Rows
    shop_items: Codes

    @cached_property
    def rows(self) -> Rows:
        """The rows that stand in some triplet."""
        street = self.street[self._anchors()]
        return np.unique(np.concatenate([street, self.shop[self.shop_items >= 0]]))

    def _anchors(self) -> Codes:
        return np.flatnonzero((self.street_items >= 0) & np.isin(self.street_items,
                                                                 self.shop_items))  # fmt: skip

    def epoch(self, generator: np.random.Generator) -> Groups:
        """Return (n, 3) groups."""
        shop, items = self.shop[self.shop_items >= 0], self.shop_items[self.shop_items >= 0]
        anchor, members = generator.permutation(self._anchors()), Members.of(items)
        _require(len(anchor) and len(members.codes) > 1,
                 "street image with shop images of its item and of another")  # fmt: skip
        code = np.searchsorted(members.codes, self.street_items[anchor])
        same = members.start[code] + _below(members.count[code], generator)
        other = members.other(code, generator)
        of_shop = shop[members.order[np.stack([same, other], axis=1)]]
        return Groups(np.concatenate([self.street[anchor, None], of_shop], axis=1))


@dataclass(frozen=True, eq=False)
class AttributeTriplets:
    """Triplets about one attribute each: anchor, an image with its value, one with another value.

    Every attribute comes up equally often: in every run of A groups each stands once. An epoch has
    as many groups as there are anchors of all attributes, rounded up to whole runs; those of an
    attribute with few are drawn again as often as it takes. `labels` is (n, A), -1 for unknown.
    `attributes` are those of the columns that triplets are drawn for, all if None.
    """

    images: Rows
    labels: Codes
    attributes: Sequence[int] | None = None

    @cached_property
    def rows(self) -> Rows:
        """The rows with a known value of an attribute that triplets can be drawn for."""
        return np.sort(self.images[(self.labels[:, list(self._anchors)] >= 0).any(axis=1)])

    @cached_property
    def _anchors(self) -> dict[int, int]:
        """How many anchors each column has, where triplets can be drawn for it."""
        anchors = {}
        for column in range(self.labels.shape[1]) if self.attributes is None else self.attributes:
            labels = self.labels[:, column]
            members = Members.of(labels[labels >= 0])
            count = int(members.shared.sum())
            if count and len(members.codes) > 1:
                anchors[column] = count
        return anchors

    def epoch(self, generator: np.random.Generator) -> Groups:
        """Return (n, 3) groups with their attributes, numbers of columns of `labels`."""
        columns = np.array(list(self._anchors), np.int64)
        _require(len(columns), "attribute of which two images share a value and one has another")
        runs = -(-sum(self._anchors.values()) // len(columns))
        drawn = np.empty((len(columns), runs, 3), np.int64)
        for place, column in enumerate(columns):
            known = np.flatnonzero(self.labels[:, column] >= 0)
            drawn[place] = known[_triplets(self.labels[known, column], generator, runs)]
        order = generator.random((runs, len(columns))).argsort(axis=1)
        rows = drawn[order, np.arange(runs)[:, None]].reshape(-1, 3)
        return Groups(self.images[rows], columns[order].reshape(-1))


@dataclass(frozen=True, eq=False)
class Manipulations:
    """Triplets: an image, one that has all its values but one, and any other.

    `labels` (n, A) are -1 where a value is not known, which is a state of its own: it must be
    unknown in both. What changes is known in both. Every image that another one differs from in one
    attribute alone comes up once, with one such attribute and one such image drawn at random.
    """

    images: Rows
    labels: Codes

    @cached_property
    def rows(self) -> Rows:
        """Every image, since any may be the third of a triplet."""
        return np.sort(self.images)

    @cached_property
    def _others(self) -> list[tuple[Codes, Codes, Codes]]:
        """Return for each attribute the images that are alike in all others: order, start, count.

        Only groups in which the attribute has two values count; others are of count 0. `start` and
        `count` (n,) are those of the group of each image.
        """
        found = []
        for attribute in range(self.labels.shape[1]):
            value = self.labels[:, attribute]
            rest = np.delete(self.labels, attribute, axis=1)
            rest = np.concatenate([rest, (value < 0)[:, None]], axis=1)
            _, group = np.unique(rest, axis=0, return_inverse=True)
            group = group.reshape(-1)
            order = np.lexsort((value, group))
            sizes = np.bincount(group)
            starts = np.cumsum(sizes) - sizes
            differ = value[order][starts] != value[order][starts + sizes - 1]
            count = np.where((value >= 0) & differ[group], sizes[group], 0)
            found.append((order, starts[group], count))
        return found

    def epoch(self, generator: np.random.Generator) -> Groups:
        """Return (n, 3) groups with the attribute that changes from the first to the second."""
        possible = np.stack([count > 0 for _, _, count in self._others], axis=1)
        asked = generator.permutation(np.flatnonzero(possible.any(axis=1)))
        if not len(asked):
            raise DataError(
                "no two training images differ in one attribute alone; there is no manipulation "
                "to learn from"
            )
        draws = generator.random(possible[asked].shape) * possible[asked]
        attribute = draws.argmax(axis=1)
        changed = np.empty(len(asked), np.int64)
        for number, (order, start, count) in enumerate(self._others):
            left = np.flatnonzero(attribute == number)
            while len(left):  # at worst all but one of a group have the image's own value
                own = asked[left]
                place = start[own] + (generator.random(len(left)) * count[own]).astype(np.int64)
                changed[left] = order[place]
                values = self.labels[:, number]
                left = left[values[changed[left]] == values[own]]
        other = generator.integers(len(self.images), size=len(asked))
        while len(same := np.flatnonzero(
            (self.labels[other] == self.labels[changed]).all(axis=1)
        )):  # fmt: skip
            other[same] = generator.integers(len(self.images), size=len(same))
        return Groups(self.images[np.stack([asked, changed, other], axis=1)], attribute)


@dataclass(frozen=True)
class Members:
    """Images by code: `order` (n,) has those of each code together.

    codes  (C,) the codes, ascending          start  (C,) where each begins in `order`
    code   (n,) each image's, as a number     count  (C,) how many images it has
           of `codes`                         place  (n,) where each image stands in `order`
    """

    codes: Codes
    code: Codes
    order: Codes
    start: Codes
    count: Codes
    place: Codes

    @classmethod
    def of(cls, codes: Codes) -> Members:
        """Return the members of each code."""
        order = np.argsort(codes, kind="stable")
        ordered = codes[order]
        start = np.flatnonzero(np.diff(ordered, prepend=ordered[:1] - 1))
        count = np.diff(start, append=len(codes))
        code, place = np.empty_like(order), np.empty_like(order)
        code[order] = np.repeat(np.arange(len(start)), count)
        place[order] = np.arange(len(codes))
        return cls(ordered[start], code, order, start, count, place)

    @property
    def shared(self) -> npt.NDArray[np.bool_]:
        """Which images have a code, other than -1, that another one has, (n,)."""
        return ((self.codes >= 0) & (self.count > 1))[self.code]

    def same(self, images: Codes, generator: np.random.Generator) -> Codes:
        """Return for each of the images another one of its code, (n,); there must be one."""
        code = self.code[images]
        start, count = self.start[code], self.count[code]
        further = 1 + _below(count - 1, generator)
        return self.order[start + (self.place[images] - start + further) % count]

    def other(self, code: Codes, generator: np.random.Generator) -> Codes:
        """Return for each code a place in `order` that is of another code; there must be one."""
        start, count = self.start[code], self.count[code]
        place = _below(len(self.order) - count, generator)
        return np.where(place < start, place, place + count)


def _triplets(codes: Codes, generator: np.random.Generator, count: int | None = None) -> Codes:
    """Return `count` triplets, (count, 3); none where there is one code, or each is of one image.

    Each image whose code another one shares is the anchor once before any is again: all of them
    once if `count` is None. Within a round their order is random.
    """
    members = Members.of(codes)
    anchors = np.flatnonzero(members.shared)
    if len(members.codes) < 2 or not len(anchors):
        return np.zeros((0, 3), np.int64)
    rounds = 1 if count is None else -(-count // len(anchors))
    anchor = generator.permuted(np.tile(anchors, (rounds, 1)), axis=1).reshape(-1)[:count]
    other = members.order[members.other(members.code[anchor], generator)]
    return np.stack([anchor, members.same(anchor, generator), other], axis=1)


def _below(bounds: Codes, generator: np.random.Generator) -> Codes:
    """Return for each bound a random integer from 0 to below it."""
    return generator.integers(0, bounds)


def _require(enough: int | bool, what: str) -> None:
    if not enough:
        raise DataError(f"training has nothing to draw from: no {what} among the training images")
