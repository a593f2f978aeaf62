"""The eight dimensions and their values, in the order of the published letters."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from bench.catalog import Attribute, AttributeSchema

# "Sweat Heart" is how it was published
DIMENSIONS: Mapping[str, tuple[str, ...]] = {
    "skirt_length": ("Invisible", "Short Length", "Knee Length", "Midi Length", "Ankle Length",
                     "Floor Length"),
    "sleeve_length": ("Invisible", "Sleeveless", "Cup Sleeves", "Short Sleeves", "Elbow Sleeves",
                      "3/4 Sleeves", "Wrist Length", "Long Sleeves", "Extra Long Sleeves"),
    "coat_length": ("Invisible", "High Waist Length", "Regular Length", "Long Length",
                    "Micro Length", "Knee Length", "Midi Length", "Ankle&Floor Length"),
    "pant_length": ("Invisible", "Short Pant", "Mid Length", "3/4 Length", "Cropped Pant",
                    "Full Length"),
    "collar_design": ("Invisible", "Shirt Collar", "Peter Pan", "Puritan Collar", "Rib Collar"),
    "lapel_design": ("Invisible", "Notched", "Collarless", "Shawl Collar", "Plus Size Shawl"),
    "neckline_design": ("Invisible", "Strapless Neck", "Deep V Neckline", "Straight Neck",
                        "V Neckline", "Square Neckline", "Off Shoulder", "Round Neckline",
                        "Sweat Heart Neck", "One Shoulder Neckline"),
    "neck_design": ("Invisible", "Turtle Neck", "Ruffle Semi-High Collar", "Low Turtle Neck",
                    "Draped Collar"),
}  # fmt: skip
SUFFIX = "_labels"  # of a dimension's name in label files and folders
SCHEMA = AttributeSchema(tuple(Attribute(name, values) for name, values in DIMENSIONS.items()))
_STARTS = np.cumsum([0, *(len(values) for values in DIMENSIONS.values())])


def numbers_of(dimensions: npt.NDArray[np.object_]) -> npt.NDArray[np.int64]:
    """Return the place of each named dimension in `DIMENSIONS`, (N,)."""
    number_of = {name: number for number, name in enumerate(DIMENSIONS)}
    return np.array([number_of[name] for name in dimensions], np.int64)


def columns_of(
    numbers: npt.NDArray[np.int64], values: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """Return the column among all 54 of each value, counted from 0 within its dimension, (N,)."""
    return _STARTS[numbers] + values
