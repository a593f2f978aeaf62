"""The published training images divided into query, gallery, training and noisy ones.

The split of FashionSearchNet-v2 (2,000 queries, 18,000 gallery images, the rest of a cleaned subset
for training) was not published, so it is drawn by hashes of the image ids, or read from two files.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from bench.annotations import read_lines
from bench.pictures import hash_order

QUERIES, GALLERY = 2_000, 18_000
FILES = {"query": "splits/query.txt", "gallery": "splits/gallery.txt"}
_FEWEST = 40_000  # with fewer eligible images, 1/20 of them query and 9/20 are the gallery
_KNOWN = 2  # attributes that an eligible image has at least

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


def has_split_files(root: Path) -> bool:
    """Return whether a division was published beside the annotations."""
    return any((root / name).exists() for name in FILES.values())


def eligible_images(value_counts: Ints) -> Flags:
    """Return which images may take part, (N,), given how many values of each attribute they have.

    At most one of each, and of two attributes at least; `value_counts` is (N, A).
    """
    known: Flags = np.count_nonzero(value_counts, axis=1) >= _KNOWN
    return known & _single(value_counts)


def _single(value_counts: Ints) -> Flags:
    """Return which images have one value at most of each attribute, (N,)."""
    return np.asarray(value_counts.max(axis=1, initial=0) <= 1)


def divide(root: Path, ids: Ints, value_counts: Ints) -> npt.NDArray[np.object_]:
    """Return the split of each published training image, (N,): from the files, or by hash.

    It is computed for all annotated images, so that absent photographs change no other's split.
    """
    eligible = eligible_images(value_counts)
    splits = np.where(eligible, "train", "noisy").astype(object)  # any name fits
    if has_split_files(root):
        for split, listed in _read_split_files(root, ids, value_counts).items():
            splits[listed] = split
        return splits
    rows = np.flatnonzero(eligible)
    rows = rows[hash_order([str(i) for i in ids[rows]])]
    queries, gallery = QUERIES, GALLERY
    if len(rows) < _FEWEST:
        queries, gallery = len(rows) // 20, len(rows) * 9 // 20
    splits[rows[:queries]] = "query"
    splits[rows[queries : queries + gallery]] = "gallery"
    return splits


def _read_split_files(root: Path, ids: Ints, value_counts: Ints) -> dict[str, list[int]]:
    """Return the rows of each split file; every id once, of an image with single values."""
    row_of = {int(image): row for row, image in enumerate(ids)}
    single = _single(value_counts)
    taken: set[int] = set()
    rows: dict[str, list[int]] = {}
    for split, name in FILES.items():
        rows[split] = []
        for line in read_lines(root / name):
            image = line.integer(line.text.strip(), "image id", 0, 10**9)
            row = row_of.get(image)
            if row is None:
                raise line.error(f"image id {image}", "the id of a training image")
            if row in taken:
                raise line.error(f"image id {image} again", "each image once, in one of the splits")
            if not single[row]:
                raise line.error(f"image {image} with several values of one attribute", "one each")
            taken.add(row)
            rows[split].append(row)
    return rows
