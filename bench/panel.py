"""A picture of a question and its answers: what asked, what was found, which attributes fit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont, ImageOps
from torch import Tensor

from bench.storage import replacing

CELL, MARGIN, LINE = 176, 12, 15  # pixels: a picture's side, around it, a line of text
COLUMNS = 6
RIGHT, WRONG, PLAIN = (26, 127, 55), (180, 35, 24), (70, 70, 70)


@dataclass(frozen=True)
class Shown:
    """A picture, uint8 (3, H, W), and lines below it: text, and whether it is right, if known.

    `heat` (h, w) is laid over it, `box` (left, top, right, bottom, as shares) drawn on it.
    """

    picture: Tensor
    lines: Sequence[tuple[str, bool | None]]
    heat: npt.NDArray[np.float32] | None = None
    box: npt.NDArray[np.float32] | None = None
    frame: bool | None = field(default=None)


def write_panel(path: Path, rows: Mapping[str, Sequence[Shown]]) -> None:
    """Write a PNG with a heading for each row of pictures; long rows are broken."""
    font = ImageFont.load_default(12)
    width = COLUMNS * (CELL + MARGIN) + MARGIN
    blocks = []
    for heading, pictures in rows.items():
        for start in range(0, len(pictures), COLUMNS):
            part = pictures[start : start + COLUMNS]
            blocks.append(_row(heading if start == 0 else "", part, width, font))
    sheet = Image.new("RGB", (width, sum(block.height for block in blocks) + MARGIN), "white")
    top = MARGIN
    for block in blocks:
        sheet.paste(block, (0, top))
        top += block.height
    with replacing(path) as temporary:
        sheet.save(temporary, format="PNG")


def _row(
    heading: str, pictures: Sequence[Shown], width: int, font: ImageFont.ImageFont | (
        ImageFont.FreeTypeFont)
) -> Image.Image:  # fmt: skip
    lines = max((len(shown.lines) for shown in pictures), default=0)
    head = 2 * LINE if heading else 0
    block = Image.new("RGB", (width, head + CELL + MARGIN + lines * LINE), "white")
    draw = ImageDraw.Draw(block)
    if heading:
        draw.text((MARGIN, LINE // 2), heading, "black", font)
    for place, shown in enumerate(pictures):
        left = MARGIN + place * (CELL + MARGIN)
        picture = _drawn(shown)
        block.paste(picture, (left, head))
        for number, (text, right) in enumerate(shown.lines):
            colour = PLAIN if right is None else RIGHT if right else WRONG
            mark = "" if right is None else "+ " if right else "- "
            at = (left, head + CELL + 2 + number * LINE)
            draw.text(at, _fitting(mark + text, font), colour, font)
    return block


def painted(shown: Shown) -> Image.Image:
    """Return a picture with its heat and box."""
    picture = Image.fromarray(shown.picture.permute(1, 2, 0).numpy())
    if shown.heat is not None:
        heat = np.clip(shown.heat / max(float(shown.heat.max()), 1e-9), 0, 1)
        mask = Image.fromarray((heat * 150).astype(np.uint8)).resize(picture.size)
        picture.paste(Image.new("RGB", picture.size, (255, 60, 0)), mask=mask)
    if shown.box is not None:
        corners = shown.box * np.array([picture.width, picture.height] * 2)
        stroke = max(1, round(max(picture.size) / 90))
        ImageDraw.Draw(picture).rectangle(tuple(corners.tolist()), outline="yellow", width=stroke)
    return picture


def _drawn(shown: Shown) -> Image.Image:
    """Return a picture in its square, with heat, box and frame."""
    picture = ImageOps.contain(painted(shown), (CELL, CELL))
    cell = Image.new("RGB", (CELL, CELL), "white")
    cell.paste(picture, ((CELL - picture.width) // 2, (CELL - picture.height) // 2))
    if shown.frame is not None:
        ImageDraw.Draw(cell).rectangle(
            (0, 0, CELL - 1, CELL - 1), outline=RIGHT if shown.frame else (200, 200, 200), width=3
        )
    return cell


def _fitting(text: str, font: ImageFont.ImageFont | ImageFont.FreeTypeFont) -> str:
    """Return a text that is no wider than a picture."""
    if font.getlength(text) <= CELL:
        return text
    while text and font.getlength(text + "…") > CELL:
        text = text[:-1]
    return text + "…"
