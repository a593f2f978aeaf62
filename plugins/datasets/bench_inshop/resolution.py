"""Boxes from the padded 256 x 256 pictures to the pictures they were made from."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import ExifTags, Image

from bench.errors import DamagedImageError, DataError

SIDE = 256  # pixels of the small pictures: the longer side shrunk to it, the shorter one padded
_TURNED = {5, 6, 7, 8}  # EXIF orientations that exchange width and height


def picture_sizes(root: Path, paths: Sequence[str]) -> npt.NDArray[np.int64]:
    """Return width and height of each picture as it is shown, (N, 2), from the files' headers."""
    with ThreadPoolExecutor() as pool:
        return np.array(list(pool.map(_size, [root / path for path in paths])), np.int64)


def _size(file: Path) -> tuple[int, int]:
    try:
        with Image.open(file) as image:
            width, height = image.size
            turned = image.getexif().get(ExifTags.Base.Orientation) in _TURNED
    except FileNotFoundError:
        raise DataError(
            f"{file}: no such picture; expected it, since its size says where its box is "
            "(unpack img_highres.zip, or read the small pictures with resolution=low)"
        ) from None
    except Exception as error:
        reason = " ".join(str(error).split())[:120]
        raise DamagedImageError(f"{file} is not a readable image: {reason}") from None
    return (height, width) if turned else (width, height)


def enlarge(
    boxes: npt.NDArray[np.float64], sizes: npt.NDArray[np.int64]
) -> npt.NDArray[np.float64]:
    """Return boxes (N, 4) of small pictures in pixels of the large ones of `sizes` (N, 2).

    The small picture shows the large one shrunk to `SIDE` on its longer side and centred.
    """
    scale = sizes.max(axis=1, keepdims=True) / SIDE
    margins = (SIDE - sizes / scale) / 2
    enlarged: npt.NDArray[np.float64] = (boxes - np.tile(margins, 2)) * scale
    return enlarged


def clip(
    boxes: npt.NDArray[np.float64], sizes: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.float64], int]:
    """Return boxes cut at the edges of pictures of `sizes`, and how many have no area there.

    Those are NaN, which takes the whole picture.
    """
    clipped = np.clip(boxes, 0, np.tile(sizes, 2))
    empty = (clipped[:, 0] >= clipped[:, 2]) | (clipped[:, 1] >= clipped[:, 3])
    clipped[empty] = np.nan
    return clipped, int(empty.sum())
