"""What the merged representation learns from: images, and what they are with one value changed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from bench.errors import DataError
from bench.tasks import Rows
from bench.training.samplers import Codes, Groups


@dataclass(frozen=True, eq=False)
class Manipulations:
    """Triplets: an image, one that has all its values but one, and any other (section 3.5).

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
                "no two training images differ in one attribute alone; merging has nothing to "
                "learn from, take --variant rank-l"
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
