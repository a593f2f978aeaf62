"""The split files of ADDE: image lists, one-hot labels, and queries with one changed value.

Lines of 0 and 1 hold the values of all attributes end to end; an attribute whose values are all 0
is missing. The triplets for training are not read: methods draw their own.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bench.annotations import Line, read_lines, read_text
from bench.errors import DataError
from bench_shopping100k.attributes import read_names
from bench_shopping100k.vocabulary import SCHEMA, SIZES

FOLDERS = ("splits/Shopping100k", "splits", "")
CATALOG_FILES = (
    "attr_num.txt",
    "imgs_train.txt",
    "imgs_test.txt",
    "labels_train.txt",
    "labels_test.txt",
)
QUERY_FILES = ("ref_test.txt", "indfull_test.txt", "gt_test.txt")

Labels = npt.NDArray[np.int64]
OneHot = npt.NDArray[np.int8]


@dataclass(frozen=True)
class LabelledImages:
    """Image paths below the root (N,) and their labels (N, A), -1 for missing."""

    paths: list[str]
    labels: Labels


@dataclass(frozen=True)
class Manipulations:
    """The queries: a test image each, which attribute changes, to which value, into which labels.

    `images` (Q,) are positions among the test images, `attributes` and `targets` (Q,) count from 0,
    `wanted` (Q, A) are labels, -1 for missing.
    """

    images: Labels
    attributes: Labels
    targets: Labels
    wanted: Labels


def find_adde(root: Path) -> Path | None:
    """Return the folder that holds all the files, if there is one."""
    names = (*CATALOG_FILES, *QUERY_FILES)
    folders = (root / folder for folder in FOLDERS)
    return next((f for f in folders if all((f / name).is_file() for name in names)), None)


def read_images(folder: Path, split: str) -> LabelledImages:
    """Return the images of split "train" or "test"."""
    paths = read_names(folder / f"imgs_{split}.txt")
    file = folder / f"labels_{split}.txt"
    labels = read_labels(file)
    if len(labels) != len(paths):
        raise _miscounted(file, len(labels), len(paths), f"imgs_{split}.txt")
    return LabelledImages(paths, labels)


def read_manipulations(folder: Path, test: LabelledImages) -> Manipulations:
    """Return the queries among the test images.

    Raises:
        DataError: a malformed line, files of different lengths, an image that is not there, more
            or less than one added value, or one that the wanted labels do not have.

    """
    lines = read_lines(folder / "ref_test.txt")
    most = len(test.paths) - 1
    images = [line.integer(line.text.strip(), "test image", 0, most) for line in lines]
    changes_file, wanted_file = (folder / name for name in QUERY_FILES[1:])
    changes = _read_vectors(changes_file, ("0", "1", "-1"))
    wanted = read_labels(wanted_file)
    for file, found in ((changes_file, changes), (wanted_file, wanted)):
        if len(found) != len(images):
            raise _miscounted(file, len(found), len(images), QUERY_FILES[0])
    attributes, targets = _added_values(changes_file, changes)
    unlike = np.flatnonzero(wanted[np.arange(len(wanted)), attributes] != targets)
    if len(unlike):
        row = int(unlike[0])
        attribute = SCHEMA.attributes[attributes[row]]
        expected = f"{attribute.name} {attribute.values[targets[row]]}, which {changes_file} adds"
        raise Line(wanted_file, row + 1, "").error(f"another {attribute.name} or none", expected)
    return Manipulations(np.array(images, np.int64), attributes, targets, wanted)


def _added_values(file: Path, changes: OneHot) -> tuple[Labels, Labels]:
    """Return each query's changed attribute and the value it becomes, (Q,), counted from 0."""
    starts = np.cumsum((0, *SIZES))
    attribute_of = np.repeat(np.arange(len(SIZES)), SIZES)
    value = (changes == 1).argmax(axis=1)
    attributes = attribute_of[value]
    elsewhere = (changes != 0) & (attribute_of != attributes[:, None])
    added = (changes == 1).sum(axis=1)
    bad = np.flatnonzero((added != 1) | elsewhere.any(axis=1))
    if len(bad):
        row = int(bad[0])
        found = f"{added[row]} values added, {(changes[row] == -1).sum()} removed"
        expected = "one value added, and what is removed of the same attribute"
        raise Line(file, row + 1, "").error(found, expected)
    return attributes, value - starts[attributes]


def require_known_sizes(folder: Path) -> None:
    """Refuse files of other attributes: `attr_num.txt` says how many values each one has."""
    lines = read_lines(folder / "attr_num.txt")
    sizes = tuple(line.integer(line.text.strip(), "number of values", 1, 10**6) for line in lines)
    if sizes != SIZES:
        raise lines[0].error(f"the numbers {sizes}", f"{SIZES}, the values of each attribute")


def read_labels(file: Path) -> Labels:
    """Return the labels (N, A) of a file of 0-1 vectors; -1 where an attribute is missing."""
    vectors = _read_digits(file)
    if vectors is None:
        vectors = _read_vectors(file, ("0", "1"))
    labels = np.empty((len(vectors), len(SIZES)), np.int64)
    for number, attribute in enumerate(SCHEMA.attributes):
        block = vectors[:, SCHEMA.columns(attribute.name)]
        count = block.sum(axis=1, dtype=np.int64)
        several = np.flatnonzero(count > 1)
        if len(several):
            found = f"{count[several[0]]} values of {attribute.name}"
            raise Line(file, int(several[0]) + 1, "").error(found, "one at most")
        labels[:, number] = np.where(count, block.argmax(axis=1), -1)
    return labels


def _read_vectors(file: Path, values: tuple[str, ...]) -> OneHot:
    """Return the vectors (N, V) of a file, a line each, made of these values."""
    lines = read_lines(file)
    number_of = {value: int(value) for value in values}
    vectors = np.empty((len(lines), SCHEMA.width), np.int8)
    for place, line in enumerate(lines):
        fields = line.fields(SCHEMA.width, expected=f"{SCHEMA.width} values, of all attributes")
        try:
            vectors[place] = [number_of[field] for field in fields]
        except KeyError as error:
            raise line.error(f"value {error}", " or ".join(values)) from None
    return vectors


def _read_digits(file: Path) -> OneHot | None:
    """Return the vectors of a file of one digit and one blank each, or None if it is another.

    The published ones have that size, and it is far faster to read than by splitting lines.
    """
    text = read_text(file).rstrip() + "\n"
    width = 2 * SCHEMA.width
    if not text.isascii() or len(text) % width:
        return None
    table = np.frombuffer(text.encode(), np.uint8).reshape(-1, width)
    digits, blanks = table[:, ::2] - np.uint8(ord("0")), table[:, 1::2]
    expected = np.frombuffer(b" " * (SCHEMA.width - 1) + b"\n", np.uint8)
    return digits.astype(np.int8) if (digits <= 1).all() and (blanks == expected).all() else None


def _miscounted(file: Path, count: int, expected: int, other: str) -> DataError:
    return Line(file, count, "").error(f"{count:,} lines", f"{expected:,}, as {other} has")
