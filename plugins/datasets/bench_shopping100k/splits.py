"""Queries, gallery and training images of protocol `manipulation`.

The split of FashionSearchNet-v2 (2,000 queries, 18,000 gallery images, the rest for training) was
not published, so it is drawn by hashes of the image paths, or read from two files.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bench.annotations import read_lines
from bench.pictures import hash_order
from bench_shopping100k.attributes import image_path

QUERIES, GALLERY = 2_000, 18_000
FILES = {"query": "splits/query.txt", "gallery": "splits/gallery.txt"}
_FEWEST = 40_000  # of fewer images, 1/20 query and 9/20 are the gallery


def has_split_files(root: Path) -> bool:
    """Return whether a division was put beside the annotations."""
    return any((root / name).exists() for name in FILES.values())


def divide(root: Path, paths: Sequence[str]) -> npt.NDArray[np.object_]:
    """Return the split of each image, (N,): from the two files, or by the hash of its path."""
    splits = np.full(len(paths), "train", dtype=object)
    if has_split_files(root):
        for split, rows in _read_split_files(root, paths).items():
            splits[rows] = split
        return splits
    order = hash_order(paths)
    queries, gallery = QUERIES, GALLERY
    if len(paths) < _FEWEST:
        queries, gallery = len(paths) // 20, len(paths) * 9 // 20
    splits[order[:queries]] = "query"
    splits[order[queries : queries + gallery]] = "gallery"
    return splits


def _read_split_files(root: Path, paths: Sequence[str]) -> dict[str, list[int]]:
    """Return the rows of each split; an image stands in one of the files, once."""
    row_of = {path: row for row, path in enumerate(paths)}
    taken: set[str] = set()
    rows: dict[str, list[int]] = {}
    for split, name in FILES.items():
        rows[split] = []
        for line in read_lines(root / name):
            path = image_path(line, line.text)
            if path not in row_of:
                raise line.error(f"image {path}", "an image that the annotations have")
            if path in taken:
                raise line.error(f"image {path} again", "each image once, in one of the splits")
            taken.add(path)
            rows[split].append(row_of[path])
    return rows
