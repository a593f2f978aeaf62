"""Parsers of the published annotation files, one function each."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bench.annotations import Line, duplicates, read_counted, read_lines, shown
from bench.errors import DataError

SPLITS = ("train", "query", "gallery")
CORNERS = (-999, 999)  # three digits in the file
_IMAGE = re.compile(r"img/(\w+/\w+)/(id_\d+)/\w+\.jpg", re.ASCII)
_ITEM = re.compile(r"id_\d+", re.ASCII)
_PRESENT = {"1": 1, "-1": 0, "0": 0}  # 0 is "unknown"; the paper counts it as absent


@dataclass(frozen=True)
class Partition:
    """The images in the order of list_eval_partition.txt; all of one length."""

    names: list[str]  # as in all annotation files: img/WOMEN/Dresses/id_00000002/02_1_front.jpg
    categories: list[str]  # WOMEN/Dresses
    items: list[str]
    splits: list[str]


@dataclass(frozen=True)
class ItemAttributes:
    """The attributes of items: `present` (rows, V) uint8, and the row of each item."""

    names: tuple[str, ...]
    rows: Mapping[str, int]
    present: npt.NDArray[np.uint8]
    repeated: int  # rows of the file left out, since an equal row of the same item stood before


def read_partition(file: Path) -> Partition:
    """Return the images with category, item and split.

    Raises `DataError` for an image that stands twice, an item that is not that of the image's
    folder, and an item that is in `train` and in another split: the benchmark is one of unseen
    items.
    """
    _, lines = read_counted(file)
    partition = Partition([], [], [], [])
    for line in lines:
        name, item, split = line.fields(3, expected="an image, an item, train|query|gallery")
        found = _IMAGE.fullmatch(name)
        if not found:
            raise line.error(f"image {shown(name)}", "img/WOMEN/CATEGORY/ITEM/NAME.jpg")
        if found[2] != item:
            raise line.error(f"item {shown(item)} of {shown(name)}", "the item that its path names")
        partition.names.append(name)
        partition.categories.append(found[1])
        partition.items.append(item)
        partition.splits.append(line.choice(split, "evaluation status", SPLITS))
    if not lines:
        raise DataError(f"{file}:1: no images; expected one at least")
    _require_unique(lines, partition.names)
    training = {
        item
        for item, split in zip(partition.items, partition.splits, strict=True)
        if split == "train"
    }
    for line, item, split in zip(lines, partition.items, partition.splits, strict=True):
        if split != "train" and item in training:
            raise line.error(f"{item} in {split}, which is in train too", "an item of one side")
    return partition


def read_boxes(file: Path, names: Sequence[str]) -> npt.NDArray[np.float64]:
    """Return the box of each image, (N, 4) x1 y1 x2 y2 in pixels of the 256 x 256 picture.

    Raises `DataError` unless the file has one row for each of `names` and no other.
    """
    _, lines = read_counted(file)
    places = {name: place for place, name in enumerate(names)}
    boxes = np.zeros((len(names), 4))
    found = []
    for line in lines:
        name, clothes, pose, *corners = line.fields(
            7, expected="an image, clothes type, pose type, x1 y1 x2 y2"
        )
        line.integer(clothes, "clothes type", 1, 3)
        line.integer(pose, "pose type", 1, 6)
        boxes[_place(line, name, places)] = [
            line.integer(corner, "box corner", *CORNERS) for corner in corners
        ]
        found.append(name)
    _require_unique(lines, found)
    absent = places.keys() - set(found)
    if absent:
        raise DataError(
            f"{file}:{len(lines) + 2}: the end, and no box for {len(absent):,} images, the first "
            f"is {min(absent, key=places.__getitem__)}; expected a box for every image"
        )
    return boxes


def read_items(file: Path, partition: Partition) -> set[str]:
    """Return the item ids; raises `DataError` if an image is of an item that is not among them."""
    _, lines = read_counted(file, names=False)
    items = [line.text.strip() for line in lines]
    for line, item in zip(lines, items, strict=True):
        if not _ITEM.fullmatch(item):
            raise line.error(f"item {shown(item)}", "an id, as in id_00000001")
    _require_unique(lines, items)
    known = set(items)
    for name, item in zip(partition.names, partition.items, strict=True):
        if item not in known:
            raise DataError(
                f"{file}:1: {item} is not in the file; expected it, since it is the item of {name}"
            )
    return known


def read_attributes(names_file: Path, items_file: Path, items: Iterable[str]) -> ItemAttributes:
    """Return which of the named attributes each item has; `items` are the ids that there may be.

    The first line of the rows' file may count rows or items: an item's row may be repeated, as long
    as it is the same.
    """
    _, named = read_counted(names_file)
    names = tuple(line.text.strip() for line in named)
    for line, name in zip(named, names, strict=True):
        if not name:
            raise line.error("an empty line", "the name of an attribute")
    _require_unique(named, names)
    head, *lines = read_lines(items_file)
    count = head.integer(head.text.strip(), "number of items", 0, 10**9)
    accepted = set(items)
    rows: dict[str, tuple[Line, bytes]] = {}
    for line in lines[1:]:  # the first of them names the columns
        item, values = _attribute_row(line, len(names))
        if item not in accepted:
            raise line.error(f"item {shown(item)}", "an item of this dataset")
        first, earlier = rows.setdefault(item, (line, values))
        if earlier != values:
            raise line.error(f"{item} again, with other values", f"those of line {first.number}")
    found = max(0, len(lines) - 1)
    if count not in {found, len(rows)}:
        raise head.error(f"the number {count:,} but {found:,} rows", "as many rows as it says")
    present = np.frombuffer(b"".join(values for _, values in rows.values()), np.uint8)
    return ItemAttributes(
        names,
        {item: row for row, item in enumerate(rows)},
        present.reshape(len(rows), len(names)),
        repeated=found - len(rows),
    )


def read_colours(file: Path, names: Sequence[str]) -> list[str]:
    """Return the colour of each image, "" where the file has none; it may hold blanks."""
    _, lines = read_counted(file)
    places = {name: place for place, name in enumerate(names)}
    colours = [""] * len(names)
    found = []
    for line in lines:
        fields = line.text.split(maxsplit=1)
        if len(fields) != 2:
            raise line.error(shown(line.text), "an image and its colour")
        name, colour = fields
        colours[_place(line, name, places)] = " ".join(colour.split())
        found.append(name)
    _require_unique(lines, found)
    return colours


def _attribute_row(line: Line, width: int) -> tuple[str, bytes]:
    """Return the item and one byte, 0 or 1, for each of `width` attributes."""
    fields = line.fields(width + 1, expected=f"an item and {width:,} values 1|-1|0")
    try:
        return fields[0], bytes(map(_PRESENT.__getitem__, fields[1:]))
    except KeyError:
        wrong = next(field for field in fields[1:] if field not in _PRESENT)
        raise line.error(f"value {shown(wrong)} of {shown(fields[0])}", "1, -1 or 0") from None


def _place(line: Line, name: str, places: Mapping[str, int]) -> int:
    """Return where an image stands in the partition."""
    place = places.get(name)
    if place is None:
        raise line.error(f"image {shown(name)}", "an image of list_eval_partition.txt")
    return place


def _require_unique(lines: Sequence[Line], names: Sequence[str]) -> None:
    for position, earlier in duplicates(names):
        raise lines[position].error(
            f"{shown(names[position])} again, as in line {lines[earlier].number}", "it once"
        )
