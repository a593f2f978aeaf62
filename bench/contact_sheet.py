"""A contact sheet: pictures of a catalog in rows of what belongs together."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageOps

from bench.catalog import BOX, Catalog
from bench.storage import replacing

CELL = 112  # pixels of one picture's square
ROWS, COLUMNS = 12, 10


def write_sheet(catalog: Catalog, path: Path) -> None:
    """Write a PNG of up to 12 rows of 10 pictures with their boxes.

    A row shows one item, or one category where there are no items. The rows are spread evenly over
    those of at least four pictures, or of the most that there are.
    """
    column = "item" if catalog.has("items") else "category"
    codes = catalog.codes(column)
    names, counts = np.unique(codes[codes >= 0], return_counts=True)
    full = names[counts >= min(4, int(counts.max(initial=1)))] if len(names) else np.array([-1])
    rows = [_spread(np.flatnonzero(codes == code), COLUMNS) for code in _spread(full, ROWS)]
    sheet = Image.new("RGB", (max(map(len, rows)) * CELL, len(rows) * CELL), "white")
    for row, images in enumerate(rows):
        for place, image in enumerate(images):
            sheet.paste(_cell(catalog, int(image)), (place * CELL, row * CELL))
    with replacing(path) as temporary:
        sheet.save(temporary, format="PNG")


def _spread(values: npt.NDArray[np.int64], most: int) -> npt.NDArray[np.int64]:
    """Return at most so many of the values, spread evenly over them."""
    places = np.linspace(0, len(values) - 1, min(most, len(values))).astype(np.int64)
    return np.asarray(values[places])


def _cell(catalog: Catalog, row: int) -> Image.Image:
    """Return one picture with its box, if it has one, in a square."""
    facts = catalog.images.iloc[row]
    with Image.open(catalog.root / facts["path"]) as opened:
        picture = ImageOps.exif_transpose(opened).convert("RGB")
    width = picture.width
    picture.thumbnail((CELL - 4, CELL - 4))
    box = [float(facts[name]) * picture.width / width for name in BOX]
    if not np.isnan(box).any():
        ImageDraw.Draw(picture).rectangle(box, outline="red", width=2)
    cell = Image.new("RGB", (CELL, CELL), "white")
    cell.paste(picture, ((CELL - picture.width) // 2, (CELL - picture.height) // 2))
    return cell
