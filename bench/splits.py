"""The division that papers on attribute manipulation use, for datasets that publish none.

2,000 images query, 18,000 are the gallery, the rest is for training (Ak et al.,
FashionSearchNet-v2). Their index files were not published, so the division here follows from the
hashes of the images' names and is the same for every copy of a dataset; whoever has index files
puts them beside the annotations.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bench.annotations import Line, read_lines, shown
from bench.pictures import hash_order

QUERIES, GALLERY = 2_000, 18_000
SMALL = 40_000  # of fewer images, an eighth query and three eighths are the gallery
FILES = {"query": "splits/query.txt", "gallery": "splits/gallery.txt"}


def has_split_files(root: Path) -> bool:
    """Return whether index files stand beside the annotations."""
    return any((root / name).exists() for name in FILES.values())


def stripped(line: Line) -> str:
    """Return the line's text without blanks around it."""
    return line.text.strip()


def divide(
    root: Path, names: Sequence[str], *, named: Callable[[Line], str] = stripped
) -> npt.NDArray[np.object_]:
    """Return "query", "gallery" or "train" for each name, (N,).

    By `splits/query.txt` and `splits/gallery.txt` below `root`, a name a line, where these are; by
    the order of the names' hashes otherwise. `named` makes a name of a line. Raises `DataError`
    for a line that names no image, or one that stands in the files already.
    """
    splits = np.full(len(names), "train", dtype=object)
    if has_split_files(root):
        _read_files(root, names, splits, named)
        return splits
    order = hash_order(names)
    queries, gallery = QUERIES, GALLERY
    if len(names) < SMALL:
        queries, gallery = len(names) // 8, 3 * len(names) // 8
    splits[order[:queries]] = "query"
    splits[order[queries : queries + gallery]] = "gallery"
    return splits


def files_of(names: Sequence[str]) -> dict[str, str]:
    """Return the content of index files by path: an eighth queries, five eighths are the gallery.

    For drawn editions: little to learn from, and a gallery in which a rank of 20 means something.
    """
    ordered = [names[place] for place in hash_order(names)]
    queries, gallery = len(names) // 8, 5 * len(names) // 8
    parts = {"query": ordered[:queries], "gallery": ordered[queries : queries + gallery]}
    return {FILES[split]: "".join(f"{name}\n" for name in part) for split, part in parts.items()}


def _read_files(
    root: Path,
    names: Sequence[str],
    splits: npt.NDArray[np.object_],
    named: Callable[[Line], str],
) -> None:
    row_of = {name: row for row, name in enumerate(names)}
    for split, file in FILES.items():
        for line in read_lines(root / file):
            name = named(line)
            row = row_of.get(name)
            if row is None:
                raise line.error(f"image {shown(name)}", "an image that may take part")
            if splits[row] != "train":
                raise line.error(f"image {shown(name)} again", "each image once, in one split")
            splits[row] = split
