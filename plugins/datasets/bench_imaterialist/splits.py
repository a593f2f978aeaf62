"""The published training images divided into query, gallery, training and noisy ones.

Only images with at most one value of each attribute take part in the division (`bench.splits`).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

import bench.splits
from bench.annotations import Line
from bench.splits import has_split_files

_KNOWN = 2  # attributes that an eligible image has at least

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


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
    given = has_split_files(root)
    rows = np.flatnonzero(_single(value_counts) if given else eligible)
    divided = bench.splits.divide(root, [str(i) for i in ids[rows]], named=_image_id)
    # index files may name images of which less is known than is asked of the others
    chosen = divided != "train"
    splits[rows[chosen]] = divided[chosen]
    return splits


def _image_id(line: Line) -> str:
    return str(line.integer(line.text.strip(), "image id", 0, 10**9))
