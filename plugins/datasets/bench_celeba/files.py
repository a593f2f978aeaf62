"""Parsers of the published annotation files, one function each."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bench.annotations import Line, duplicates, read_counted, read_lines, shown
from bench.errors import DataError
from bench_celeba.vocabulary import BINARY

PARTS = ("train", "validation", "test")  # 0, 1 and 2 in the file
_VALUES = {"1": 1, "-1": 0}
_COMMAS = "the release as comma-separated tables is of another format"


def read_attributes(file: Path) -> tuple[list[str], npt.NDArray[np.bool_]]:
    """Return the file name of each picture (N,) and its attributes in the order of `BINARY`.

    The latter are (N, 40). The file may name the attributes in any order, but no others.
    """
    refuse_commas(file)
    columns, lines = read_counted(file)
    if sorted(columns) != sorted(BINARY):
        head = Line(file, 2, "")
        wrong = [name for name in columns if name not in BINARY]
        found = (
            f"attribute {shown(wrong[0])}" if wrong else f"{len(set(columns))} of the attributes"
        )
        raise head.error(found, f"the {len(BINARY)} published names, each once")
    if not lines:
        raise DataError(f"{file}:1: no pictures; expected one at least")
    names = []
    values = bytearray()
    expected = f"a picture and {len(columns)} values 1|-1"
    for line in lines:
        name, *texts = line.fields(len(columns) + 1, expected=expected)
        try:
            values += bytes(map(_VALUES.__getitem__, texts))
        except KeyError as error:
            raise line.error(f"value {error} of {shown(name)}", "1 or -1") from None
        names.append(line.path(name))
    for position, earlier in duplicates(names):
        raise lines[position].error(
            f"{shown(names[position])} again, as in line {lines[earlier].number}", "it once"
        )
    table = np.frombuffer(bytes(values), np.bool_).reshape(len(names), len(columns))
    return names, table[:, [columns.index(name) for name in BINARY]]


def read_identities(file: Path, names: Sequence[str]) -> list[str]:
    """Return the identity of each picture, "1" and up, for rows `PICTURE IDENTITY`."""
    return [str(number) for number in _read_numbers(file, names, "identity", 1, 10**9)]


def read_partition(file: Path, names: Sequence[str]) -> list[str]:
    """Return the published part of each picture, for rows `PICTURE 0|1|2`."""
    return [PARTS[number] for number in _read_numbers(file, names, "part", 0, 2)]


def refuse_commas(file: Path) -> None:
    """Refuse the files of the other release: `.csv` for `.txt`, or one with its first line."""
    table = file.with_suffix(".csv")
    if not file.exists() and table.exists():
        raise DataError(f"{table}:1: {_COMMAS}; expected {file.name} of the published data")
    head = read_lines(file)[0]
    if "," in head.text:
        raise head.error(f"{shown(head.text)}: {_COMMAS}", "the number of pictures")


def _read_numbers(file: Path, names: Sequence[str], what: str, low: int, high: int) -> list[int]:
    """Return the number that a file without head gives to each picture."""
    places = {name: place for place, name in enumerate(names)}
    numbers = [-1] * len(names)
    lines = read_lines(file)
    for line in lines:
        name, text = line.fields(2, expected=f"PICTURE {what.upper()}")
        place = places.get(name)
        if place is None:
            raise line.error(f"picture {shown(name)}", "a picture of list_attr_celeba.txt")
        if numbers[place] >= 0:
            raise line.error(f"{shown(name)} again", "each picture once")
        numbers[place] = line.integer(text, what, low, high)
    if len(lines) != len(names):
        absent = names[numbers.index(-1)]
        raise lines[-1].error(
            f"the end, and no {what} of {len(names) - len(lines):,} pictures, the first is "
            f"{absent}",
            "a row for every picture",
        )
    return numbers
