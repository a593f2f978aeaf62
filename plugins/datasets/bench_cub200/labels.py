"""image_attribute_labels.txt: which attributes each image shows, and how sure the labeller was.

A row is `IMAGE ATTRIBUTE PRESENT CERTAINTY TIME`, 3,677,856 of them in the published file. In 606
of those a needless 0 stands before the time.
"""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from bench.annotations import Line, read_text, shown

# a file of other characters has something that the fast parser could read and should not
_ALPHABET = b"0123456789. \n-"
_COLUMNS = ("image", "attribute", "present", "certainty", "time", "sixth")


@dataclass(frozen=True)
class Labels:
    """Labels of N images in V attributes; certainties are 1 "not visible" to 4 "definitely"."""

    present: npt.NDArray[np.bool_]  # (N, V)
    certainty: npt.NDArray[np.uint8]  # (N, V)
    surplus: int  # rows that have a sixth field


def read_labels(file: Path, *, images: int, attributes: int) -> Labels:
    """Return the labels; the file must have each pair of image and attribute once."""
    text = read_text(file).replace(" \n", "\n").rstrip()
    labels = _read_quickly(text, images, attributes)
    return labels or _read_slowly(file, text, images, attributes)


def _read_quickly(text: str, images: int, attributes: int) -> Labels | None:
    """Return the labels of a file without fault, with one blank between fields; None of others."""
    content = text.encode()
    if content.translate(None, _ALPHABET):
        return None
    try:
        table = pd.read_csv(
            BytesIO(content),
            sep=" ",
            header=None,
            names=list(_COLUMNS),
            # the others' type is left open: told to, pandas would read 1.0 as an integer
            dtype=dict.fromkeys(_COLUMNS[4:], np.float64),
            skip_blank_lines=False,
            low_memory=False,
        )
    except ValueError:  # a time that is no number, a row that is too long
        return None
    # another index is made of the first column where every row has a seventh field
    regular = isinstance(table.index, pd.RangeIndex)
    if not regular or not (table.dtypes[list(_COLUMNS[:4])] == np.int64).all():
        return None
    image, attribute, present, certainty, time, sixth = (table[c].to_numpy() for c in _COLUMNS)
    surplus = ~np.isnan(sixth)
    if len(table) != images * attributes or not (
        ((image >= 1) & (image <= images)).all()
        and ((attribute >= 1) & (attribute <= attributes)).all()
        and ((present >= 0) & (present <= 1)).all()
        and ((certainty >= 1) & (certainty <= 4)).all()
        and np.isfinite(time).all()
        and np.isfinite(sixth[surplus]).all()
        and (time[surplus] == 0).all()
    ):
        return None
    places = (image - 1) * attributes + attribute - 1
    certainties = np.zeros(images * attributes, np.uint8)
    certainties[places] = certainty
    if not certainties.all():  # a pair is missing, so another one stands twice
        return None
    shows = np.zeros(images * attributes, np.bool_)
    shows[places] = present.astype(np.bool_)
    shape = (images, attributes)
    return Labels(shows.reshape(shape), certainties.reshape(shape), int(surplus.sum()))


def _read_slowly(file: Path, text: str, images: int, attributes: int) -> Labels:
    present = np.zeros((images, attributes), np.bool_)
    certainty = np.zeros((images, attributes), np.uint8)
    surplus = 0
    texts = text.split("\n")
    for number, row in enumerate(texts, start=1):
        line = Line(file, number, row)
        fields = line.fields(5, 6, expected="IMAGE ATTRIBUTE PRESENT CERTAINTY TIME")
        place = (
            line.integer(fields[0], "image id", 1, images) - 1,
            line.integer(fields[1], "attribute id", 1, attributes) - 1,
        )
        if certainty[place]:
            raise line.error(f"image {fields[0]}, attribute {fields[1]} again", "each pair once")
        present[place] = line.integer(fields[2], "whether it is present", 0, 1)
        certainty[place] = line.integer(fields[3], "certainty", 1, 4)
        if len(fields) == 6:
            if line.real(fields[4], "fifth of six fields") != 0:
                raise line.error(f"fifth of six fields {shown(fields[4])}", "0")
            surplus += 1
        line.real(fields[-1], "time")
    if not certainty.all():
        raise Line(file, len(texts), "").error(
            f"{len(texts):,} rows",
            f"{images * attributes:,}, one for each of {images:,} images and {attributes} "
            "attributes",
        )
    return Labels(present, certainty, surplus)
