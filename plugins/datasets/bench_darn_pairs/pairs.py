"""The pair files: which street photograph shows which item of a shop, and the tags of both."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from bench.annotations import Line, read_lines, shown
from bench.errors import DataError
from bench_darn_pairs.vocabulary import PAIR_SIZES, Flags, Images, Labels, Texts

PAIR_FILES = ("train_pair.txt", "validation_pair.txt")
SHOP_FILES = ("train_shop.txt", "validation_shop.txt")
FILES = (*PAIR_FILES, *SHOP_FILES)

_TAGS = len(PAIR_SIZES)
# what `Line.path` may refuse: all other names stay below their folder
_ODD_NAME = re.compile(r"^[./\\]|^.:|[/\\]\.")


@dataclass(frozen=True)
class Mentions:
    """Each mention of an image in one file, (M,): a row of a pair file mentions two.

    `rows` count from 0; `tags` (M, A) are -1 where missing.
    """

    file: Path
    rows: Labels
    names: list[str]
    domains: Texts
    items: Texts
    tags: Labels

    def line(self, mention: int) -> Line:
        """Return the line of a mention, for messages."""
        return Line(self.file, int(self.rows[mention]) + 1, "")

    def describe(self, mention: int) -> str:
        """Return what a mention says of its image."""
        tags = " ".join(map(str, self.tags[mention]))
        return f"a {self.domains[mention]} image of item {shown(self.items[mention])}, tags {tags}"


def has_pairs(root: Path) -> bool:
    """Return whether one of the two files that make the pairs is there."""
    return any((root / name).is_file() for name in PAIR_FILES)


def read_mentions(file: Path) -> Mentions:
    """Return what a file of pairs, or one of shop images, says of its images.

    Raises:
        DataError: a line with more or fewer fields, a path that leaves the folder, a tag that is no
            number of its attribute's values.

    """
    domains = ("street", "shop") if file.name in PAIR_FILES else ("shop",)
    expected = f"{' '.join(f'{d.upper()}-IMAGE' for d in domains)} ITEM and {_TAGS} tags"
    width = len(domains) + 1 + _TAGS
    lines = read_lines(file)
    fields = [line.text.split() for line in lines]
    for line, found in zip(lines, fields, strict=True):
        if len(found) != width:
            line.fields(width, expected=expected)
    columns = list(zip(*fields, strict=True))
    names = [name for column in columns[: len(domains)] for name in column]
    for place, name in enumerate(names):
        if _ODD_NAME.search(name):
            lines[place % len(lines)].path(name)
    tags = [
        _read_tags(lines, column, what, size)
        for column, (what, size) in zip(columns[-_TAGS:], PAIR_SIZES.items(), strict=True)
    ]
    repeats = len(domains)
    return Mentions(
        file,
        np.tile(np.arange(len(lines)), repeats),
        names,
        np.repeat(np.array(domains, dtype=object), len(lines)),
        np.tile(np.array(columns[repeats], dtype=object), repeats),
        np.tile(np.stack(tags, axis=1), (repeats, 1)),
    )


def _read_tags(lines: Sequence[Line], column: Sequence[str], what: str, size: int) -> Labels:
    """Return the tags of one attribute, (n,)."""
    common = {str(value): value for value in range(-1, size)}
    tags = np.fromiter((common.get(text, -2) for text in column), np.int64, len(column))
    for row in np.flatnonzero(tags == -2).tolist():  # written otherwise, as 007, or wrong
        tags[row] = lines[row].integer(column[row], f"tag {what}", -1, size - 1)
    return tags


def read_pairs(root: Path) -> Images:
    """Return the images of the four files; an image that several rows mention is one image.

    Street images of the validation pairs have split "query", shop images of the validation files
    "gallery", all others "train".

    Raises:
        DataError: as `read_mentions`, and for an image with two items, domains or lists of tags.

    """
    files = [read_mentions(root / name) for name in FILES]
    names = [name for mentions in files for name in mentions.names]
    images, unique = pd.factorize(np.array(names, dtype=object))
    first = np.unique(images, return_index=True)[1]
    domains = np.concatenate([mentions.domains for mentions in files])
    items = np.concatenate([mentions.items for mentions in files])
    tags = np.concatenate([mentions.tags for mentions in files])
    unlike = (
        (domains != domains[first[images]])
        | (items != items[first[images]])
        | (tags != tags[first[images]]).any(axis=1)
    )
    if unlike.any():
        again = int(unlike.argmax())
        raise _contradiction(files, again, int(first[images[again]]), names[again])
    validation = np.concatenate(
        [np.full(len(m.names), m.file.name.startswith("validation")) for m in files]
    )
    evaluated, trained = (
        np.bincount(images[part], minlength=len(unique)) > 0 for part in (validation, ~validation)
    )
    street = domains[first] == "street"
    splits = np.where(evaluated, np.where(street, "query", "gallery"), "train").astype(object)
    return Images(
        list(unique),
        PAIR_SIZES,
        tags[first],
        items[first],
        domains[first],
        splits,
        _notes(len(names), items[first], evaluated, trained, splits),
    )


def _contradiction(files: Sequence[Mentions], again: int, first: int, name: str) -> DataError:
    """Return the error of two mentions, numbered through all files, that contradict each other."""
    starts = np.cumsum([0, *(len(mentions.names) for mentions in files)])
    places = []
    for mention in (again, first):
        number = int(np.searchsorted(starts, mention, side="right")) - 1
        place = int(mention - starts[number])
        places.append((files[number].line(place), files[number].describe(place)))
    (line, found), (earlier, expected) = places
    return line.error(
        f"{shown(name)} is {found}", f"{expected}, as {earlier.file}:{earlier.number} has it"
    )


def _notes(
    mentions: int, items: Texts, evaluated: Flags, trained: Flags, splits: Texts
) -> list[str]:
    notes = [f"{mentions:,} mentions in the four files are of {len(items):,} images"]
    both = int((evaluated & trained).sum())
    if both:
        notes.append(
            f"{both:,} images are in files of validation and of train; they are evaluated, and "
            "nothing learns from them"
        )
    shared = set(items[splits == "query"]) & set(items[splits == "train"])
    if shared:
        notes.append(f"{len(shared):,} items of validation pairs have images in the training too")
    return notes
