"""The nine attributes of DARN: the names of their values are not published, so these are numbered.

The pair files and ASEN count the values of an attribute differently, and order them differently.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from bench.catalog import Attribute, AttributeSchema

Labels = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Texts = npt.NDArray[np.object_]

# in the order of the tags in a line; 179 values
PAIR_SIZES = {
    "category": 20,
    "color": 56,
    "shape": 10,
    "collar shape": 25,
    "pattern": 27,
    "sleeve shape": 16,
    "sleeve length": 7,
    "button": 12,
    "length": 6,
}
# in the order of ASEN's attribute ids; 185 values
ASEN_SIZES = {
    "category": 20,
    "button": 13,
    "color": 55,
    "length": 7,
    "pattern": 28,
    "shape": 11,
    "collar shape": 26,
    "sleeve length": 8,
    "sleeve shape": 17,
}


@dataclass(frozen=True)
class Images:
    """What the annotation files of either form say of N images.

    `names` are those in the files, which do not say where the photographs are. `labels` (N, A) are
    -1 where missing; items, domains and splits (N,) are "" where there are none.
    """

    names: list[str]
    sizes: Mapping[str, int]
    labels: Labels
    items: Texts
    domains: Texts
    splits: Texts
    notes: list[str] = field(default_factory=list)


def numbered_schema(sizes: Mapping[str, int]) -> AttributeSchema:
    """Return the attributes with as many values as `sizes` says, as in "color-0"."""
    return AttributeSchema(
        tuple(
            Attribute(name, tuple(f"{name}-{number}" for number in range(size)))
            for name, size in sizes.items()
        )
    )


def present_values(labels: Labels, sizes: Mapping[str, int]) -> npt.NDArray[np.uint8]:
    """Return labels (N, A), -1 for missing, as a matrix of present values, (N, V)."""
    starts = np.cumsum([0, *sizes.values()])
    present = np.zeros((len(labels), starts[-1]), np.uint8)
    rows, attributes = np.nonzero(labels >= 0)
    present[rows, starts[attributes] + labels[rows, attributes]] = 1
    return present
