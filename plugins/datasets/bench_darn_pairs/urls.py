"""The form that ASEN uses: a list of addresses, and labels without items and without domains.

A split has its images, one a line, in `filenames_SPLIT.txt`; labels count these lines from 0, the
attributes in the order of `ASEN_SIZES`, and the values of an attribute from 0.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np
import pandas as pd

from bench.annotations import Line, duplicates, read_lines, shown
from bench.errors import DataError
from bench_darn_pairs.vocabulary import ASEN_SIZES, Images, Labels, Texts

URLS = "darn_url.txt"
FOLDER = "pic"
SPLITS = {"train": "train", "valid": "validation", "test": "test"}  # ASEN's name → the catalog's
LABEL_FILES = {
    "train": ("label_train.txt",),
    "valid": ("query_valid.txt", "candidate_valid.txt"),
    "test": ("query_test.txt", "candidate_test.txt"),
}
FILES = (
    URLS,
    *(f"filenames_{split}.txt" for split in SPLITS),
    *(name for names in LABEL_FILES.values() for name in names),
)
_ADDRESS = re.compile(r"https?://\S+")


@dataclass(frozen=True)
class LabelRows:
    """The labels of one file, (L,) each: line (from 0), line of the image's name, attribute, value.

    All count from 0.
    """

    file: Path
    rows: Labels
    images: Labels
    attributes: Labels
    values: Labels


def read_urls(file: Path) -> list[str]:
    """Return the names of the images that `darn_url.txt` gives an address for.

    Raises `DataError` for a malformed line and for an image that stands twice.
    """
    lines = read_lines(file)
    names = []
    for line in lines:
        name, address = line.fields(2, expected="FOLDER/NAME ADDRESS")
        if not _ADDRESS.fullmatch(address):
            raise line.error(f"address {shown(address)}", "an address that begins with http")
        names.append(plain_name(line.path(name)))
    _require_unique(lines, names)
    return names


def read_names(file: Path) -> list[str]:
    """Return the names of one split's images, in order; each stands once."""
    lines = read_lines(file)
    names = []
    for line in lines:
        [name] = line.fields(1, expected="one image path")
        names.append(plain_name(line.path(name)))
    _require_unique(lines, names)
    return names


def plain_name(name: str) -> str:
    """Return the name of an image without the folder of all photographs."""
    return name.removeprefix(f"{FOLDER}/")


def _require_unique(lines: list[Line], names: list[str]) -> None:
    for again, first in duplicates(names):
        raise lines[again].error(
            f"image {shown(names[again])} again, first on line {first + 1}", "each image once"
        )


def read_labels(file: Path, count: int) -> LabelRows:
    """Return the labels of a file about a split of `count` images.

    Raises:
        DataError: a line that is not an image with one attribute and its value, or in
            `label_train.txt` with several, or a number that is too high.

    """
    several = file.name in LABEL_FILES["train"]
    expected = "IMAGE ATTRIBUTE VALUE" + (" ATTRIBUTE VALUE…" if several else "")
    lines = read_lines(file)
    fields = [line.text.split() for line in lines]
    sizes = np.fromiter(map(len, fields), np.int64, len(lines))
    wrong = (sizes < 3) | (sizes % 2 == 0) if several else sizes != 3
    for row in np.flatnonzero(wrong):
        raise lines[row].error(f"{sizes[row]} fields in {shown(lines[row].text)}", expected)
    texts = list(chain.from_iterable(fields))
    rows = np.repeat(np.arange(len(lines)), sizes)
    place = np.arange(len(texts)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    common = {str(number): number for number in range(max(count, *ASEN_SIZES.values()))}
    numbers = np.fromiter((common.get(text, -1) for text in texts), np.int64, len(texts))
    for at in np.flatnonzero(numbers < 0):  # written otherwise, as 007, or wrong
        numbers[at] = lines[rows[at]].integer(texts[at], "number", 0, 10**9)
    images, attributes = np.flatnonzero(place == 0), np.flatnonzero(place % 2 == 1)
    highest = np.full(len(texts), count - 1)
    highest[attributes] = len(ASEN_SIZES) - 1
    most = np.array(list(ASEN_SIZES.values())) - 1
    highest[attributes + 1] = most[np.minimum(numbers[attributes], len(most) - 1)]
    for at in np.flatnonzero(numbers > highest)[:1].tolist():
        what = "image" if place[at] == 0 else ("value", "attribute")[place[at] % 2]
        lines[rows[at]].integer(texts[at], what, 0, int(highest[at]))
    of_rows = rows[attributes]
    return LabelRows(
        file, of_rows, numbers[images][of_rows], numbers[attributes], numbers[attributes + 1]
    )


def read_images(root: Path) -> Images:
    """Return the images of the list of addresses and of the splits, with the labels of all splits.

    Raises:
        DataError: as the readers of the files; also where there are no labels at all, where an
            image is in two splits, or has two values of an attribute.

    """
    listed = read_urls(root / URLS)
    splits = {split: read_names(root / f"filenames_{split}.txt") for split in _splits_here(root)}
    if not splits:
        raise DataError(
            f"{root / URLS} has images without labels; expected the files of ASEN beside it that "
            f"carry these: {', '.join(FILES[1:])}"
        )
    row_of = {name: row for row, name in enumerate(listed)}
    split_of: dict[str, tuple[str, int]] = {}
    for split, names in splits.items():
        for number, name in enumerate(names, start=1):
            row_of.setdefault(name, len(row_of))
            other, earlier = split_of.setdefault(name, (split, number))
            if other != split:
                line = Line(root / f"filenames_{split}.txt", number, "")
                first = f"{root / f'filenames_{other}.txt'}:{earlier}"
                raise line.error(f"image {shown(name)}, which {first} has", "one split an image")
    rows = {split: np.array([row_of[name] for name in names]) for split, names in splits.items()}
    names = list(row_of)
    of_split = np.full(len(names), "", dtype=object)
    for split, chosen in rows.items():
        of_split[chosen] = SPLITS[split]
    nothing = np.full(len(names), "", dtype=object)
    notes = ["the labels of ASEN tell neither street from shop nor one item from another"]
    unlisted, unlabelled = len(names) - len(listed), int((of_split == "").sum())
    if unlisted:
        notes.append(f"{unlisted:,} images of the splits are not in {URLS}")
    if unlabelled:
        notes.append(f"{unlabelled:,} images of {URLS} are in no split and have no labels")
    labels = _joined_labels(root, rows, len(names))
    return Images(names, ASEN_SIZES, labels, nothing, nothing, of_split, notes)


def _splits_here(root: Path) -> list[str]:
    """Return the splits that one file at least is there of; the others must be there too."""
    return [
        split
        for split, names in LABEL_FILES.items()
        if any((root / name).is_file() for name in (f"filenames_{split}.txt", *names))
    ]


def _joined_labels(root: Path, rows: Mapping[str, Labels], count: int) -> Labels:
    """Return the labels of all files as (N, A); `rows` are the images of each split's lines."""
    files = [
        (read_labels(root / name, len(rows[split])), rows[split])
        for split in rows
        for name in LABEL_FILES[split]
    ]
    wide = len(ASEN_SIZES)
    keys = np.concatenate([of[part.images] * wide + part.attributes for part, of in files])
    values = np.concatenate([part.values for part, _ in files])
    unique, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
    for again in np.flatnonzero(values != values[first[inverse]])[:1]:
        starts = np.cumsum([0, *(len(part.values) for part, _ in files)])
        places = []
        for label in (again, first[inverse[again]]):
            number = int(np.searchsorted(starts, label, side="right")) - 1
            part = files[number][0]
            row = int(part.rows[label - starts[number]]) + 1
            places.append((Line(part.file, row, ""), int(values[label])))
        (line, value), (earlier, expected) = places
        attribute = list(ASEN_SIZES)[keys[again] % wide]
        raise line.error(
            f"value {value} of {attribute}",
            f"{expected}, as {earlier.file}:{earlier.number} has it for the same image",
        )
    labels = np.full(count * wide, -1, np.int64)
    labels[unique] = values[first]
    return labels.reshape(count, wide)


def read_test(root: Path) -> tuple[pd.DataFrame, pd.DataFrame] | None:
    """Return the queries and the candidates of ASEN's test split, or None where it is not there.

    Columns name, attribute, value (the last two from 0); each name stands once per attribute.
    """
    if "test" not in _splits_here(root):
        return None
    names = np.array(read_names(root / "filenames_test.txt"), dtype=object)
    queries, candidates = (read_labels(root / file, len(names)) for file in LABEL_FILES["test"])
    return _as_frame(queries, names), _as_frame(candidates, names)


def _as_frame(labels: LabelRows, names: Texts) -> pd.DataFrame:
    columns = {
        "name": names[labels.images],
        "attribute": labels.attributes,
        "value": labels.values,
    }
    return pd.DataFrame(columns).drop_duplicates(["name", "attribute"])
