"""Which photographs are there, and what is said of them: `images/` and `meta/attributes.csv`."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from bench.annotations import Line, read_csv, shown
from bench.catalog import Attribute, AttributeSchema
from bench.errors import DataError
from bench.protocols import Rows
from bench_street2shop.records import are_among

_IMAGE = re.compile(r"([0-9]{1,9})\.(?:jpe?g|png|gif|webp|bmp|tiff?)", re.IGNORECASE)
ATTRIBUTE_ROW = "PHOTO,VALUE,… with one value or nothing per attribute"


@dataclass(frozen=True)
class Images:
    """The files of the folder of images: paths by photo id, and how many are of no photograph."""

    paths: dict[int, str]
    others: int


def canonical(photo: int) -> str:
    """Return the path that an image of a photograph has where nothing else is known."""
    return f"images/{photo:09d}.jpg"


def find_images(root: Path, photos: Rows) -> Images:
    """Return the images in `images/` and its sub-folders, by the whole numbers they are called.

    Whatever the leading zeros and the ending. `photos` are the ids that exist, ascending. Raises
    `DataError` where two files are of one photograph.
    """
    known = set(photos.tolist())
    paths: dict[int, str] = {}
    others = 0
    for path in sorted(_listing(root, "images", depth=1)):
        name = _IMAGE.fullmatch(path.rpartition("/")[2])
        photo = int(name[1]) if name else None
        if photo is None or photo not in known:
            others += 1
            continue
        earlier = paths.setdefault(photo, path)
        if earlier != path:
            raise DataError(
                f"{root / earlier} and {root / path} are both of photo {photo}; "
                "expected one image of it"
            )
    return Images(paths, others)


def _listing(root: Path, folder: str, depth: int) -> Iterator[str]:
    """Yield the paths of the files in a folder and, to a depth, its sub-folders; no hidden ones."""
    try:
        with os.scandir(root / folder) as entries:
            for entry in entries:
                if entry.name.startswith("."):
                    continue
                path = f"{folder}/{entry.name}"
                if not entry.is_dir():
                    yield path
                elif depth:
                    yield from _listing(root, path, depth - 1)
    except OSError as error:
        raise DataError(f"{root / folder}: {error.strerror}; expected a readable folder") from None


def read_attributes(file: Path, photos: Rows) -> pd.DataFrame:
    """Return the values of `attributes.csv`, a column per attribute, by photo id; "" is missing.

    `photos` are the ids that exist, ascending. Raises `DataError` for a malformed record, a photo
    that does not exist or stands twice.
    """
    records = read_csv(file)
    head, names = next(records, (Line(file, 1, ""), []))
    if names[:1] != ["photo"] or len(names) < 2 or "" in names or len(set(names)) != len(names):
        raise head.error(shown(head.text), "photo,ATTRIBUTE,… with names that differ")
    values: dict[int, list[str]] = {}
    for line, fields in records:
        if len(fields) != len(names):
            raise line.error(f"{len(fields)} fields in {shown(line.text)}", ATTRIBUTE_ROW)
        photo = line.integer(fields[0], "photo", 0, 999_999_999)
        if photo in values:
            raise line.error(f"photo {photo} again", "each photo once")
        if not are_among(np.array([photo]), photos)[0]:
            raise line.error(f"photo {photo}", "an id that photos.txt lists")
        values[photo] = [value.strip() for value in fields[1:]]
    return pd.DataFrame.from_dict(values, orient="index", columns=names[1:], dtype="str")


def attribute_matrices(
    values: pd.DataFrame, photos: Rows
) -> tuple[AttributeSchema, npt.NDArray[np.uint8], npt.NDArray[np.bool_]]:
    """Return the attributes, their values ascending, with present (N, V) and known (N, A).

    `values` is what `read_attributes` returns, `photos` (N,) the photograph of each image.
    """
    attributes, columns, known = [], [], []
    for name in values.columns:
        found = values[name].reindex(photos).fillna("").astype("str").to_numpy(object)
        kinds = sorted(set(values[name]) - {""})
        attributes.append(Attribute(str(name), tuple(kinds)))
        columns.append(found[:, None] == np.array(kinds, object)[None, :])
        known.append(found != "")
    present = np.concatenate(columns, axis=1).astype(np.uint8)
    return AttributeSchema(tuple(attributes)), present, np.stack(known, axis=1)
