"""Parsers of the published annotation files: rows of `PICTURE NUMBER…`, blanks between them.

Two hundred thousand rows are read at once; only a file with a fault is read line by line, to name
the line.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from bench.annotations import Line, duplicates, read_counted, read_lines, read_text, shown
from bench.errors import DataError
from bench_celeba.vocabulary import BINARY

PARTS = ("train", "validation", "test")  # 0, 1 and 2 in the file
_NAME = re.compile(r"[\w-]+\.\w+", re.ASCII)
_VALUES = {"1": True, "-1": False}
COMMAS = "the release as comma-separated tables is of another format"

Binary = npt.NDArray[np.bool_]


def read_attributes(file: Path) -> tuple[list[str], Binary]:
    """Return the file name of each picture (N,) and its attributes in the order of `BINARY`.

    The latter are (N, 40). The file may name the attributes in any order, but no others.
    """
    head, columns, rows = (*read_text(file).split("\n", 2), "", "")[:3]
    if "," in head:
        raise Line(file, 1, head).error(f"{shown(head)}: {COMMAS}", "the number of pictures")
    attributes = columns.split()
    if sorted(attributes) != sorted(BINARY):
        wrong = [name for name in attributes if name not in BINARY]
        found = f"attribute {shown(wrong[0])}" if wrong else f"{len(attributes)} names"
        expected = f"the {len(BINARY)} published attributes, each once"
        raise Line(file, 2, columns).error(found, expected)
    table = _read_quickly(rows, attributes)
    if table is not None and head.strip() == str(len(table)):
        names, signs = table["picture"].tolist(), table[list(BINARY)].to_numpy()
        if _are_names(names) and (np.abs(signs) == 1).all():
            return names, signs == 1
    names, binary = _read_attributes_slowly(file)
    return names, binary[:, [attributes.index(name) for name in BINARY]]


def read_identities(file: Path, names: Sequence[str]) -> list[str]:
    """Return the identity of each picture, "1" and up, for rows `PICTURE IDENTITY`."""
    return [str(number) for number in _read_numbers(file, names, "identity", 1, 10**9)]


def read_partition(file: Path, names: Sequence[str]) -> list[str]:
    """Return the published part of each picture, for rows `PICTURE 0|1|2`."""
    return [PARTS[number] for number in _read_numbers(file, names, "part", 0, 2)]


def _read_quickly(rows: str, columns: list[str]) -> pd.DataFrame | None:
    """Return the columns "picture" and int64 ones, or None if a row is not of that form.

    The type of the numbers is left open, since pandas would read 1.0 as an integer if told to.
    """
    try:
        table = pd.read_csv(
            BytesIO(rows.rstrip().encode()),
            sep=r"\s+",
            header=None,
            names=["picture", *columns],
            dtype={"picture": object},
            na_filter=False,
            quoting=csv.QUOTE_NONE,
            skip_blank_lines=False,
            low_memory=False,
        )
    except ValueError:  # no rows, or one that is too long
        return None
    # another index is made of the first column where every row has one field more
    regular = len(table) and isinstance(table.index, pd.RangeIndex)
    return table if regular and (table.dtypes[columns] == np.int64).all() else None


def _are_names(pictures: Sequence[str]) -> bool:
    return len(set(pictures)) == len(pictures) and all(map(_NAME.fullmatch, pictures))


def _read_attributes_slowly(file: Path) -> tuple[list[str], Binary]:
    """Return names and attributes, in the order of the file."""
    columns, lines = read_counted(file)
    if not lines:
        raise DataError(f"{file}:1: no pictures; expected one at least")
    names = []
    binary = np.empty((len(lines), len(columns)), np.bool_)
    for place, line in enumerate(lines):
        name, *texts = line.fields(
            len(columns) + 1, expected=f"a picture and {len(columns)} values 1|-1"
        )
        if not _NAME.fullmatch(name):
            raise line.error(f"picture {shown(name)}", "the name of a file, as in 000001.jpg")
        wrong = next((text for text in texts if text not in _VALUES), None)
        if wrong is not None:
            raise line.error(f"value {shown(wrong)} of {name}", "1 or -1")
        binary[place] = [_VALUES[text] for text in texts]
        names.append(name)
    for position, earlier in duplicates(names):
        raise lines[position].error(
            f"{names[position]} again, as in line {lines[earlier].number}", "each picture once"
        )
    return names, binary


def _read_numbers(
    file: Path, names: Sequence[str], what: str, low: int, high: int
) -> Sequence[int]:
    """Return the number, from `low` to `high`, that a file gives to each picture."""
    table = _read_quickly(read_text(file), ["number"])
    if table is not None and table["number"].between(low, high).all():
        numbers = dict(zip(table["picture"].tolist(), table["number"].tolist(), strict=True))
        if len(table) == len(names) and numbers.keys() == set(names):
            return [numbers[name] for name in names]
    return _read_numbers_slowly(file, names, what, low, high)


def _read_numbers_slowly(
    file: Path, names: Sequence[str], what: str, low: int, high: int
) -> Sequence[int]:
    known = set(names)
    numbers: dict[str, int] = {}
    lines = read_lines(file)
    for line in lines:
        name, text = line.fields(2, expected=f"PICTURE {what.upper()}")
        if name not in known:
            raise line.error(f"picture {shown(name)}", "a picture of list_attr_celeba.txt")
        if name in numbers:
            raise line.error(f"{name} again", "each picture once")
        numbers[name] = line.integer(text, what, low, high)
    absent = [name for name in names if name not in numbers]
    if absent:
        raise lines[-1].error(
            f"the end, and no {what} of {len(absent):,} pictures, the first is {absent[0]}",
            "a row for every picture",
        )
    return [numbers[name] for name in names]
