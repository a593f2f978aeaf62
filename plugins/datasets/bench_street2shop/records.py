"""Reads photos.txt and the JSON files: ids of photographs, products, boxes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal

import msgspec
import numpy as np
import numpy.typing as npt
import pandas as pd

from bench.annotations import Line, duplicates, read_json, read_lines, read_text, shown
from bench.catalog import BOX
from bench.errors import DataError
from bench.protocols import Rows

PHOTO_ROW = "ID,ADDRESS with an id of one to nine digits"
_PHOTO = re.compile(r"^([0-9]{1,9}),[^\S\n]*\S", re.MULTILINE)

# a whole number, however it is written: 7 or 7.0
Number = Annotated[float, msgspec.Meta(ge=0, le=999_999_999, multiple_of=1)]
Pixels = float | Literal[""] | None  # photograph 8288 is said to have a box without size


class Box(msgspec.Struct, gc=False):
    """A box in pixels of the photograph as its makers had it."""

    left: Pixels = None
    top: Pixels = None
    width: Pixels = None
    height: Pixels = None


class StreetRow(msgspec.Struct, gc=False):
    """One row of a file of pairs: what a box in a street photograph shows."""

    photo: Number
    product: Number
    bbox: Box | None = None


class ShopRow(msgspec.Struct, gc=False):
    """One row of a retrieval file: what a shop photograph shows."""

    photo: Number
    product: Number


def read_photos(file: Path) -> Rows:
    """Return the ids that `photos.txt` lists, (P,), ascending.

    Raises `DataError` for a line that is not `PHOTO_ROW`, and for an id that stands twice.
    """
    text = read_text(file).rstrip()
    texts = _PHOTO.findall(text)
    if not text or len(texts) != text.count("\n") + 1:
        for line in read_lines(file):
            if not _PHOTO.match(line.text):
                raise line.error(shown(line.text), PHOTO_ROW)
    ids = np.fromiter(map(int, texts), np.int64, len(texts))
    unique = np.unique(ids)
    if len(unique) != len(ids):
        row, first = next(duplicates(ids.tolist()))
        line = Line(file, row + 1, texts[row])
        raise line.error(f"photo {ids[row]} again, first on line {first + 1}", "each photo once")
    return unique


def read_street(file: Path, photos: Rows) -> pd.DataFrame:
    """Return the rows of a file of pairs: number (from 0), photo, product, x1, y1, x2, y2.

    A box without an area is NaN. `photos` are the ids that exist, ascending; raises `DataError` for
    another one.
    """
    rows = read_json(file, list[StreetRow])
    frame = _frame(file, rows, photos)
    boxes = np.array([_corners(row.bbox) for row in rows], np.float64).reshape(-1, 4)
    with np.errstate(over="ignore", invalid="ignore"):
        boxes[:, 2:] += boxes[:, :2]
        corners = boxes.astype(np.float32)  # as the catalog holds them: its rounding decides
    area = (corners[:, :2] < corners[:, 2:]).all(axis=1) & (corners[:, 2:] > 0).all(axis=1)
    corners[~(area & np.isfinite(corners).all(axis=1))] = np.nan
    frame[list(BOX)] = corners
    return frame


def read_shop(file: Path, photos: Rows) -> pd.DataFrame:
    """Return the rows of a retrieval file: number (from 0), photo, product, NaN as a box.

    Raises `DataError` for a photo that does not exist or that shows two products.
    """
    frame = _frame(file, read_json(file, list[ShopRow]), photos)
    products = frame.groupby("photo")["product"].transform("first")
    other = np.flatnonzero(products != frame["product"])
    if len(other):
        photo, product = frame.loc[other[0], ["photo", "product"]]
        raise row_error(
            file, int(other[0]), f"photo {photo} of product {product}",
            f"product {products[other[0]]}, of which a row before has it",
        )  # fmt: skip
    frame[list(BOX)] = np.float32(np.nan)
    return frame


def row_error(file: Path, row: int, found: str, expected: str) -> DataError:
    """Return the error of one element of a JSON array, with the line that it begins on."""
    text, at = read_text(file), 0
    for element in msgspec.json.decode(text, type=list[msgspec.Raw])[: row + 1]:
        content = bytes(element).decode()
        start = text.index(content, at)
        at = start + len(content)
    line = 1 + text.count("\n", 0, start)
    return DataError(f"{file}:{line}: $[{row}]: {found}; expected {expected}")


def _frame(file: Path, rows: list[StreetRow] | list[ShopRow], photos: Rows) -> pd.DataFrame:
    numbers = np.array([(row.photo, row.product) for row in rows], np.int64).reshape(-1, 2)
    unknown = np.flatnonzero(~are_among(numbers[:, 0], photos))
    if len(unknown):
        photo = numbers[unknown[0], 0]
        raise row_error(file, int(unknown[0]), f"photo {photo}", "an id that photos.txt lists")
    return pd.DataFrame(
        {"number": np.arange(len(rows)), "photo": numbers[:, 0], "product": numbers[:, 1]}
    )


def are_among(numbers: Rows, ascending: Rows) -> npt.NDArray[np.bool_]:
    """Return whether each number is one of several, which are ascending and at least one."""
    places = np.minimum(np.searchsorted(ascending, numbers), len(ascending) - 1)
    return np.asarray(ascending[places] == numbers, np.bool_)


def _corners(box: Box | None) -> tuple[float, ...]:
    """Return left, top, width, height; NaN for what the box does not have."""
    sides = (box.left, box.top, box.width, box.height) if box else (None,) * 4
    return tuple(side if isinstance(side, float) else np.nan for side in sides)
