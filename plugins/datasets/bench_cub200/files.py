"""Parsers of the published annotation files, which are numbered lists: `ID REST`, ids from 1."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bench.annotations import Line, duplicates, read_lines, shown
from bench.catalog import Attribute
from bench_cub200.vocabulary import CERTAINTIES

LARGEST = 100_000  # pixels that a side of a photograph may have
_CLASS = re.compile(r"(\d+)\.([^\s/\\]+)", re.ASCII)
_ATTRIBUTE = re.compile(r"(?:has_)?(\S+?)::(\S+)")

Row = tuple[Line, str]


def read_numbered(file: Path, *, count: int | None = None, of: str = "") -> list[Row]:
    """Return line and rest of each row, in the order of the ids, which are 1 … their number.

    Raises `DataError` for an id that is out of range or stands twice, and unless there are `count`
    rows, one for each `of`.
    """
    lines = read_lines(file)
    if count is not None and len(lines) != count:
        raise lines[-1].error(f"{len(lines):,} rows", f"{count:,}, one per {of}")
    rows: list[Row | None] = [None] * len(lines)
    for line in lines:
        fields = line.text.split(maxsplit=1)
        if len(fields) != 2:
            raise line.error(f"{len(fields)} fields in {shown(line.text)}", "an id and its entry")
        place = line.integer(fields[0], "id", 1, len(lines)) - 1
        earlier = rows[place]
        if earlier:
            raise line.error(f"id {place + 1} again, as in line {earlier[0].number}", "it once")
        rows[place] = (line, fields[1].rstrip())
    return [row for row in rows if row]  # none is empty: as many places as ids, and no id twice


def read_classes(file: Path) -> list[str]:
    """Return the names of the classes in the order of their ids, as in 001.Laysan_Albatross."""
    rows = read_numbered(file)
    names = [name for _, name in rows]
    birds = []
    for number, (line, name) in enumerate(rows, start=1):
        found = _CLASS.fullmatch(name)
        if not found or line.integer(found[1], "number of a class", 0, 10**6) != number:
            raise line.error(f"class {shown(name)}", f"{number:03d}.NAME without blanks")
        birds.append(found[2])
    for position, earlier in duplicates(birds):
        raise rows[position][0].error(
            f"class {birds[position]} again, as class {earlier + 1}", "each name once"
        )
    return names


def read_images(file: Path) -> list[str]:
    """Return the path of each image below the folder of images, as in 001.FOLDER/NAME.jpg."""
    rows = read_numbered(file)
    paths = [line.path(rest) for line, rest in rows]
    for position, earlier in duplicates(paths):
        line, path = rows[position]
        raise line.error(f"{shown(path)} again, as image {earlier + 1}", "each path once")
    return paths


def read_class_labels(
    file: Path, paths: Sequence[str], classes: Sequence[str]
) -> npt.NDArray[np.int64]:
    """Return the class of each image, (N,), counted from 0: the one that its folder names."""
    labels = np.empty(len(paths), np.int64)
    rows = read_numbered(file, count=len(paths), of="image")
    for place, ((line, rest), path) in enumerate(zip(rows, paths, strict=True)):
        label = line.integer(rest, "class id", 1, len(classes)) - 1
        folder, _, name = path.rpartition("/")
        if folder != classes[label] or not name:
            found = f"class {classes[label]} of {shown(path)}"
            raise line.error(found, "the class that its folder names")
        labels[place] = label
    return labels


def read_splits(file: Path, *, images: int) -> list[str]:
    """Return "train" or "test" for each image."""
    rows = read_numbered(file, count=images, of="image")
    return [
        ("test", "train")[line.integer(rest, "whether it is a training image", 0, 1)]
        for line, rest in rows
    ]


def read_boxes(file: Path, *, images: int) -> npt.NDArray[np.float64]:
    """Return the box of each image, (N, 4) x1 y1 x2 y2 in pixels; the file has x y width height."""
    boxes = np.empty((images, 4))
    for place, (line, rest) in enumerate(read_numbered(file, count=images, of="image")):
        texts = rest.split()
        if len(texts) != 4:
            raise line.error(f"{len(texts)} numbers in {shown(rest)}", "x y width height")
        x, y, width, height = (line.real(text, "side of a box") for text in texts)
        if not (0 < width <= LARGEST and 0 < height <= LARGEST and max(abs(x), abs(y)) <= LARGEST):
            raise line.error(f"box {shown(rest)}", "x y width height in pixels, with an area")
        boxes[place] = x, y, x + width, y + height
    return boxes


def read_attributes(file: Path) -> tuple[Attribute, ...]:
    """Return the attributes, whose values laid end to end are the file's rows.

    has_GROUP::VALUE is value VALUE of the attribute GROUP; the rows of a group stand together.
    """
    groups: dict[str, list[str]] = {}
    last = ""
    for line, name in read_numbered(file):
        found = _ATTRIBUTE.fullmatch(name)
        if not found:
            raise line.error(f"attribute {shown(name)}", "has_GROUP::VALUE without blanks")
        group, value = found[1], found[2]
        if group in groups and group != last:
            raise line.error(f"group {shown(group)} after {shown(last)}", "its rows in one place")
        if value in groups.setdefault(group, []):
            raise line.error(f"{shown(name)} again", "each attribute once")
        groups[group].append(value)
        last = group
    return tuple(Attribute(group, tuple(values), multiple=True) for group, values in groups.items())


def check_certainties(file: Path) -> None:
    """Refuse a file whose certainties are not the published ones, in their order."""
    for (line, name), expected in zip(
        read_numbered(file, count=len(CERTAINTIES), of="certainty"), CERTAINTIES, strict=True
    ):
        if name != expected:
            raise line.error(f"certainty {shown(name)}", expected)
