"""Queries, gallery and training pictures of protocol `manipulation`.

The split of FashionSearchNet-v2 (2,000 queries, 18,000 gallery images, the rest for training) was
not published, so it is drawn by hashes of the file names, or read from two files.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bench.annotations import read_lines, shown
from bench.pictures import hash_order

QUERIES, GALLERY = 2_000, 18_000
FILES = {"query": "splits/query.txt", "gallery": "splits/gallery.txt"}
_FEWEST = 40_000  # of fewer pictures, a tenth asks and four tenths are the gallery


def has_split_files(root: Path) -> bool:
    """Return whether a division was put beside the annotations."""
    return any((root / name).exists() for name in FILES.values())


def divide(root: Path, names: Sequence[str]) -> npt.NDArray[np.object_]:
    """Return the split of each picture, (N,): from the two files, or by the hash of its name."""
    splits = np.full(len(names), "train", dtype=object)
    if has_split_files(root):
        for split, rows in _read_split_files(root, names).items():
            splits[rows] = split
        return splits
    order = hash_order(names)
    queries, gallery = QUERIES, GALLERY
    if len(names) < _FEWEST:
        queries, gallery = len(names) // 10, len(names) * 4 // 10
    splits[order[:queries]] = "query"
    splits[order[queries : queries + gallery]] = "gallery"
    return splits


def _read_split_files(root: Path, names: Sequence[str]) -> dict[str, list[int]]:
    """Return the rows of each split; a picture stands in one of the files, once."""
    row_of = {name: row for row, name in enumerate(names)}
    taken: set[str] = set()
    rows: dict[str, list[int]] = {}
    for split, file in FILES.items():
        rows[split] = []
        for line in read_lines(root / file):
            name = line.text.strip()
            if name not in row_of:
                raise line.error(f"picture {shown(name)}", "a picture of list_attr_celeba.txt")
            if name in taken:
                raise line.error(f"{shown(name)} again", "each picture once, in one of the splits")
            taken.add(name)
            rows[split].append(row_of[name])
    return rows
