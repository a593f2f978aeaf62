"""Layers of a picture put together: what is behind a garment, the garment, what covers it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageFilter

from bench_atelier.outline import PARTS
from bench_atelier.photograph import folds
from bench_atelier.render import render_svg
from bench_atelier.worn import Box, Worn

# height of the frame in which layers are placed, in units; its width follows the picture's shape
FRAME_HEIGHT = 320.0


PixelBox = tuple[int, int, int, int]


@dataclass(frozen=True)
class Photograph:
    """A picture (H, W, 3) uint8 and the box of the visible garment in it.

    The box is x1, y1, x2, y2 in pixels, x2 and y2 exclusive; it is never empty and never leaves
    the picture. `parts` has such boxes of those of `PARTS` that are seen, if asked for.
    """

    pixels: NDArray[np.uint8]
    box: PixelBox
    parts: Mapping[str, PixelBox] = field(default_factory=dict)


@dataclass(frozen=True)
class Placement:
    """Where the origin of a figure lies in the frame, its scale, its lean in degrees."""

    x: float
    y: float
    scale: float
    lean: float = 0
    across: float = 1  # beside the scale: narrower below 1, mirrored below 0

    def bounds(self, box: Box) -> Box:
        """Return the upright box in the frame that holds a box of the figure, with a margin."""
        radians = math.radians(self.lean)
        cosine, sine = math.cos(radians) * self.scale, math.sin(radians) * self.scale
        corners = [(x * self.across, y) for x in (box[0], box[2]) for y in (box[1], box[3])]
        xs = [self.x + cosine * x - sine * y for x, y in corners]
        ys = [self.y + sine * x + cosine * y for x, y in corners]
        margin = 4 + 0.06 * max(max(xs) - min(xs), max(ys) - min(ys))
        return min(xs) - margin, min(ys) - margin, max(xs) + margin, max(ys) + margin

    def with_whole_tiles(self, worn: Worn, size: tuple[int, int]) -> Placement:
        """Return the place at the next smaller scale at which a pattern's tiles are whole pixels.

        The rasteriser rounds tiles to whole pixels; what is missing at their edges would turn
        stripes into checks. The upper edge of the frame stays where it is.
        """
        across, down = worn.repeat
        tile = (across * abs(self.across) + down) * self.scale * size[1] / FRAME_HEIGHT
        if tile < 2:
            return self
        smaller = math.floor(tile) / tile
        middle = frame_width(size) / 2
        return replace(
            self,
            x=middle + (self.x - middle) * smaller,
            y=self.y * smaller,
            scale=self.scale * smaller,
        )

    def wrap(self, markup: str) -> str:
        """Return the markup moved to its place."""
        return (
            f'<g transform="translate({self.x:.2f} {self.y:.2f}) rotate({self.lean:.2f}) '
            f'scale({self.scale * self.across:.4f} {self.scale:.4f})">{markup}</g>'
        )


@dataclass(frozen=True)
class Layers:
    """Images of one size: behind, garment and front are RGBA, visible is the garment's L mask."""

    behind: Image.Image
    garment: Image.Image
    front: Image.Image
    visible: Image.Image


def frame_width(size: tuple[int, int]) -> float:
    """Return the width of the frame of a picture of `size` (width, height), in units."""
    return FRAME_HEIGHT * size[0] / size[1]


def place_in(box: Box, size: tuple[int, int], *, share: float) -> Placement:
    """Return where a figure goes so that the box takes a share of the frame, in its middle."""
    across = frame_width(size)
    scale = share * min(across / (box[2] - box[0]), FRAME_HEIGHT / (box[3] - box[1]))
    return Placement(
        x=across / 2 - scale * (box[0] + box[2]) / 2,
        y=FRAME_HEIGHT / 2 - scale * (box[1] + box[3]) / 2,
        scale=scale,
    )


def render_layer(
    markup: str, size: tuple[int, int], *, detail: float = 1, within: Box | None = None
) -> Image.Image:
    """Return markup in the frame as an RGBA image of `size`.

    Less `detail` (0 to 1) is quicker, and so is a box of the frame `within` which all of it lies.
    """
    layer = Image.new("RGBA", size)
    unit = size[1] / FRAME_HEIGHT  # pixels
    left, top, right, bottom = 0, 0, size[0], size[1]
    if within is not None:
        left, top = max(0, math.floor(within[0] * unit)), max(0, math.floor(within[1] * unit))
        right = min(right, math.ceil(within[2] * unit))
        bottom = min(bottom, math.ceil(within[3] * unit))
    width, height = right - left, bottom - top
    if not markup or width <= 0 or height <= 0:
        return layer
    drawn = max(1, round(width * detail)), max(1, round(height * detail))
    image = Image.fromarray(
        render_svg(
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{drawn[0]}" height="{drawn[1]}" '
            f'viewBox="{left / unit:.3f} {top / unit:.3f} {width / unit:.3f} {height / unit:.3f}" '
            f'preserveAspectRatio="none">{markup}</svg>'
        )
    )
    if drawn != (width, height):
        image = image.resize((width, height), Image.Resampling.BILINEAR)
    layer.paste(image, (left, top))
    return layer


def render_layers(
    worn: Worn, placement: Placement, size: tuple[int, int], *, over: str = "", detail: float = 1
) -> Layers:
    """Return the layers of a figure; `over` is what passes before it, in the frame.

    The garment is drawn in full detail, the person with `detail`.
    """
    front = (placement.wrap(worn.front) if worn.front else "") + over
    behind = placement.wrap(worn.behind) if worn.behind else ""
    garment = render_layer(placement.wrap(worn.garment), size, within=placement.bounds(worn.box))
    covering = render_layer(front, size, detail=detail)
    _close_seams(garment)
    free = ImageChops.invert(covering.getchannel("A"))
    return Layers(
        behind=render_layer(behind, size, detail=detail),
        garment=garment,
        front=covering,
        visible=ImageChops.multiply(garment.getchannel("A"), free),
    )


def visible_parts(
    worn: Worn, placement: Placement, size: tuple[int, int], front: Image.Image
) -> dict[str, Image.Image]:
    """Return the L mask of each of `PARTS` that the garment has, where `front` does not cover it.

    They are drawn by themselves, so of two parts that lie on each other both are whole.
    """
    free = ImageChops.invert(front.getchannel("A"))
    masks = {}
    for name in PARTS:
        if f'class="{name}"' in worn.garment:
            # patterns of cloth stand in definitions
            shown = f"defs *,.{name},.{name} *{{visibility:visible}}"
            drawn = f"<style>*{{visibility:hidden}}{shown}</style>{placement.wrap(worn.garment)}"
            layer = render_layer(drawn, size, within=placement.bounds(worn.box))
            masks[name] = ImageChops.multiply(layer.getchannel("A"), free)
    return masks


def part_boxes(masks: Mapping[str, Image.Image]) -> dict[str, PixelBox]:
    """Return the box of each mask that shows more than traces."""
    shown = {
        name: mask.point([255 * (value >= 32) for value in range(256)]).getbbox()
        for name, mask in masks.items()
    }
    return {name: box for name, box in shown.items() if box}


def _close_seams(garment: Image.Image) -> None:
    """Make the cloth (RGBA) opaque where the tiles of a pattern meet, in place.

    The rasteriser rounds tiles to whole pixels, whose last row and column are then half
    transparent: over a body stripes would turn into checks. Their colour is right, so closing the
    mask is enough.
    """
    alpha = garment.getchannel("A")
    closed = ImageChops.invert(_dilated(ImageChops.invert(_dilated(alpha))))
    seams = alpha.point([255 * (64 <= value < 255) for value in range(256)])
    alpha.paste(closed, (0, 0), seams)
    garment.putalpha(alpha)


def _dilated(mask: Image.Image) -> Image.Image:
    """Return the mask (L), each pixel as bright as the brightest of the nine around it."""
    for x, y in ((1, 0), (0, 1)):
        sides = ImageChops.lighter(shifted(mask, x, y), shifted(mask, -x, -y))
        mask = ImageChops.lighter(mask, sides)
    return mask


def _shade_cloth(
    garment: Image.Image, generator: np.random.Generator, *, hanging: bool, depth: float
) -> Image.Image:
    """Return the garment (RGBA) with the light and shade of its folds."""
    box = garment.getbbox()
    if box is None:
        return garment
    part = garment.crop(box)
    softened = part.getchannel("A").filter(ImageFilter.BoxBlur(max(1, part.height // 40)))
    light = 1 + (folds(softened, generator, hanging=hanging) - 1) * np.float32(depth)
    colours = np.asarray(part.convert("RGB"), dtype=np.float32) * light[:, :, None]
    np.clip(colours, 0, 255, out=colours)
    shaded = Image.fromarray(colours.astype(np.uint8))
    shaded.putalpha(part.getchannel("A"))
    result = garment.copy()
    result.paste(shaded, box)
    return result


def paste_layers(
    picture: Image.Image,
    layers: Layers,
    generator: np.random.Generator,
    *,
    hanging: bool,
    depth: float,
) -> None:
    """Paste the layers into the picture (RGB): the garment has folds and shades the body.

    Folds of what hangs are upright; `depth` is 1 for folds of worn cloth, less for flatter ones.
    """
    picture.paste(layers.behind, (0, 0), layers.behind)
    reach = max(1, picture.height // 150)
    fallen = layers.garment.getchannel("A").filter(ImageFilter.BoxBlur(reach))
    body = layers.behind.getchannel("A")
    darken(picture, ImageChops.multiply(shifted(fallen, 0, 2 * reach), body), 0.35)
    cloth = _shade_cloth(layers.garment, generator, hanging=hanging, depth=depth)
    picture.paste(cloth, (0, 0), cloth)
    picture.paste(layers.front, (0, 0), layers.front)


def darken(picture: Image.Image, mask: Image.Image, share: float) -> None:
    """Take a share of the light from the picture where the mask (L) is white, in place."""
    dark = Image.new("RGB", picture.size)
    picture.paste(dark, (0, 0), mask.point([int(value * share) for value in range(256)]))


def shifted(mask: Image.Image, x: int, y: int) -> Image.Image:
    """Return the mask moved by some pixels; what comes in is black."""
    moved = Image.new("L", mask.size)
    moved.paste(mask, (x, y))
    return moved


def tight_box(visible: Image.Image) -> tuple[int, int, int, int]:
    """Return the box of a mask: of its solid part where it has one, of its traces otherwise.

    Raises:
        ValueError: the mask is empty.

    """
    solid = visible.point([255 * (value >= 128) for value in range(256)]).getbbox()
    box = solid or visible.getbbox()
    if box is None:
        msg = "no part of the garment is visible"
        raise ValueError(msg)
    return box
