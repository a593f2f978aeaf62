"""A contact sheet: pictures of a catalog in rows of what belongs together."""

from __future__ import annotations

from pathlib import Path

import numpy as np
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
    chosen = full[np.linspace(0, len(full) - 1, min(ROWS, len(full))).astype(int)]
    sheet = Image.new("RGB", (COLUMNS * CELL, len(chosen) * CELL), "white")
    for row, code in enumerate(chosen):
        members = np.flatnonzero(codes == code)
        spread = members[np.linspace(0, len(members) - 1, min(COLUMNS, len(members))).astype(int)]
        for place, image in enumerate(spread):
            sheet.paste(_cell(catalog, int(image)), (place * CELL, row * CELL))
    with replacing(path) as temporary:
        sheet.save(temporary, format="PNG")


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
