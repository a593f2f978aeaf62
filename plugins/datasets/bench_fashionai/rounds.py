"""The rounds of the challenge and their label files: an image, its dimension, a letter per value.

`y` marks the value that an image has, `m` what it may be called too, `n` all others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pandas as pd

from bench.annotations import Line, duplicates, read_lines, shown
from bench.errors import DataError
from bench_fashionai.vocabulary import DIMENSIONS, SUFFIX

COLUMNS = ("id", "path", "dimension", "value")
# round → the folder's name in the first packing, and in the later one
FOLDERS = {
    "base": ("base", "fashionAI_attributes_train1"),
    "web": ("web",),
    "train": ("train", "fashionAI_attributes_train2"),
    "rank": ("rank", "round1_fashionAI_attributes_test_a"),
    "z_rank": ("z_rank", "round1_fashionAI_attributes_test_b"),
}
_LABELS = {"web": "Annotations/skirt_length_labels.csv"}
_ANSWERS = {"rank": "a", "z_rank": "b"}
_GRAMMAR = f"IMAGE,DIMENSION{SUFFIX},LETTERS"
_KEYS = {f"{name}{SUFFIX}": name for name in DIMENSIONS}


@dataclass(frozen=True)
class Round:
    """One round that is here: its name, the folder below which its images are, its labels."""

    name: str
    folder: Path
    file: Path

    @property
    def is_test(self) -> bool:
        """Return whether the labels are answers that were published after a test."""
        return self.name in _ANSWERS


def find_rounds(root: Path, rounds: Literal["base", "all"]) -> list[Round]:
    """Return the rounds with labels below `root`, round 1 first."""
    found = []
    for name, folders in FOLDERS.items():
        for folder in (root / folder for folder in folders):
            file = _label_file(root, folder, name)
            if file and file.is_file() and (name == "base" or rounds == "all"):
                found.append(Round(name, folder, file))
                break
    return found


def _label_file(root: Path, folder: Path, name: str) -> Path | None:
    if name not in _ANSWERS:
        return folder / _LABELS.get(name, "Annotations/label.csv")
    pattern = f"*fashionAI_attributes_answer_{_ANSWERS[name]}*.csv"
    places = (root, root / "Tests", folder / "Tests")
    return next((file for place in places for file in sorted(place.glob(pattern))), None)


def read_rounds(root: Path, rounds: Sequence[Round]) -> tuple[pd.DataFrame, list[str]]:
    """Return one row per labelled image, with `COLUMNS`, and notes.

    The id is the round's name and the path below its folder, `path` is below `root`, `value` counts
    from 0 within the dimension. Test images without one certain value are left out, and so are
    those of the second test that the first one had.

    Raises:
        DataError: no round, a malformed line, an image that stands twice in a file.

    """
    if not rounds:
        file = root / "base/Annotations/label.csv"
        raise DataError(f"{file}: no such file; the published data have it")
    tables, notes = [], list[str]()
    answered: set[str] = set()
    for each in rounds:
        labels = read_labels(each.file, test=each.is_test)
        if each.is_test:
            uncertain, known = labels["value"] < 0, labels["image"].isin(answered)
            answered.update(labels["image"])
            labels = labels[~uncertain & ~known]
            notes += [
                f"{each.name}: {count:,} test images {reason}; left out"
                for count, reason in (
                    (int((uncertain & ~known).sum()), "without one certain value"),
                    (int(known.sum()), "of the first test again"),
                )
                if count
            ]
        below = each.folder.relative_to(root).as_posix()
        ids, paths = f"{each.name}/" + labels["image"], f"{below}/" + labels["image"]
        tables.append(labels.assign(id=ids, path=paths)[list(COLUMNS)])
    if len(rounds) > 1:
        sizes = (f"{r.name} {len(table):,}" for r, table in zip(rounds, tables, strict=True))
        notes.insert(0, f"images of several rounds: {', '.join(sizes)}")
    return pd.concat(tables, ignore_index=True), notes


def read_labels(file: Path, *, test: bool = False) -> pd.DataFrame:
    """Return the columns image, dimension and value of a label file; a header is skipped.

    In the answers of a `test`, rows without exactly one `y` have the value -1.

    Raises:
        DataError: a malformed line, an image that stands twice, no line but a header.

    """
    lines = read_lines(file)
    if _is_header(lines[0]):
        lines = lines[1:]
    if not lines:
        raise Line(file, 1, "").error("no line after the header", _GRAMMAR)
    rows = [_label(line, test=test) for line in lines]
    for again, first in duplicates([image for image, _, _ in rows]):
        found = f"image {shown(rows[again][0])} again, after line {lines[first].number}"
        raise lines[again].error(found, "each image once")
    return pd.DataFrame(rows, columns=["image", "dimension", "value"])


def _is_header(line: Line) -> bool:
    """Return whether a line names three columns; an image would stand in a folder."""
    fields = line.text.split(",")
    return len(fields) == 3 and "/" not in fields[0] and fields[1].strip() not in _KEYS


def _label(line: Line, *, test: bool) -> tuple[str, str, int]:
    fields = line.fields(3, expected=_GRAMMAR, separator=",")
    image, key, letters = (field.strip() for field in fields)
    line.path(image)
    dimension = _KEYS.get(key)
    if dimension is None:
        raise line.error(f"dimension {shown(key)}", " or ".join(_KEYS))
    count = len(DIMENSIONS[dimension])
    if len(letters) != count or letters.strip("ymn"):
        expected = f"{count} letters y, m or n for the values of {dimension}"
        raise line.error(f"letters {shown(letters)}", expected)
    if letters.count("y") != 1:
        if test:
            return image, dimension, -1
        raise line.error(f"{letters.count('y')} letters y in {shown(letters)}", "exactly one")
    return image, dimension, letters.index("y")
