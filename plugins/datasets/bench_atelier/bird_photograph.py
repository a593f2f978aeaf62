"""Photographs of birds: what they do, where, from which side, in which light, and what is seen."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from bench_atelier.backgrounds import Floats, Shape, noise
from bench_atelier.bird_drawing import BirdDrawing, BirdPose, draw_bird
from bench_atelier.bird_scenes import (
    BACKDROPS,
    draw_blades,
    draw_branch,
    draw_cover,
    draw_trunk,
    lay_ground,
    soften,
)
from bench_atelier.bird_shapes import BODIES
from bench_atelier.bird_traits import LARGE, MEDIUM, SMALL, VERY_LARGE, VERY_SMALL
from bench_atelier.birds import Bird
from bench_atelier.outline import Point
from bench_atelier.render import render_svg
from bench_atelier.stock import Weights, choose

Box = tuple[int, int, int, int]  # x, y, width, height in pixels
Parts = dict[str, Point | None]

PART_NAMES = (
    *("back", "beak", "belly", "breast", "crown", "forehead", "nape", "tail", "throat"),
    *("left eye", "right eye", "left leg", "right leg", "left wing", "right wing"),
)

_GROUND_ACTIONS: Weights = {"standing": 7, "perched": 1.5, "flying": 1.5}
_ACTIONS: Mapping[str, Weights] = {
    "upright-perching_water-like": {"perched": 4, "standing": 2, "swimming": 2.5, "flying": 1.5},
    "chicken-like-marsh": {"standing": 9, "flying": 0.7},
    "long-legged-like": {"standing": 8, "flying": 2},
    "duck-like": {"swimming": 6, "standing": 2.5, "flying": 1.5},
    "owl-like": {"perched": 9, "flying": 1},
    "gull-like": {"standing": 4, "flying": 4, "swimming": 2},
    "hummingbird-like": {"flying": 5, "perched": 5},
    "pigeon-like": {"perched": 5, "standing": 4, "flying": 1},
    "tree-clinging-like": {"perched": 8.5, "flying": 1.5},
    "hawk-like": {"perched": 6, "flying": 4},
    "sandpiper-like": _GROUND_ACTIONS,
    "upland-ground-like": _GROUND_ACTIONS,
    "swallow-like": {"perched": 5, "flying": 5},
    "perching-like": {"perched": 7.5, "standing": 1.5, "flying": 1},
}
_BACKDROPS_OF: Mapping[str, Weights] = {
    "perched": {"foliage": 5, "sky": 2.5, "snow": 1, "reeds": 1, "grass": 1.5},
    "standing": {"grass": 4, "water": 2.5, "snow": 1, "reeds": 1, "foliage": 1.5, "sky": 0.6},
    "swimming": {"water": 1},
    "flying": {"sky": 5, "foliage": 1.5, "water": 1.5, "grass": 1, "snow": 0.5},
}
# the share of the picture that a bird takes: small ones are seen from nearer, but not so much
_FILL: Mapping[str, tuple[float, float]] = {
    VERY_SMALL: (0.5, 0.74),
    SMALL: (0.56, 0.84),
    MEDIUM: (0.62, 0.92),
    LARGE: (0.7, 1.0),
    VERY_LARGE: (0.74, 1.04),
}
# pixels of a branch: the same branch is thin below a large bird
_BRANCHES: Mapping[str, float] = {VERY_SMALL: 6, SMALL: 8, MEDIUM: 10, LARGE: 13, VERY_LARGE: 13}


@dataclass(frozen=True)
class _Placement:
    """Where a drawing lies in a picture: mirrored, turned, scaled, moved."""

    middle: Point  # of the drawing
    centre: Point  # in the picture
    degrees: float
    across: float  # pixels of one unit; negative where mirrored
    down: float

    def at(self, point: Point) -> Point:
        """Return where a point of the drawing lies in the picture, in pixels."""
        x, y = (point[0] - self.middle[0]) * self.across, (point[1] - self.middle[1]) * self.down
        radians = math.radians(self.degrees)
        return (
            round(self.centre[0] + x * math.cos(radians) - y * math.sin(radians), 2),
            round(self.centre[1] + x * math.sin(radians) + y * math.cos(radians), 2),
        )

    def markup(self, drawing: str) -> str:
        """Return the drawing in its place."""
        return (
            f'<g transform="translate({self.centre[0]:.2f} {self.centre[1]:.2f}) '
            f"rotate({self.degrees:.2f}) scale({self.across:.4f} {self.down:.4f}) "
            f'translate({-self.middle[0]:.2f} {-self.middle[1]:.2f})">{drawing}</g>'
        )


def sample_bird_pose(generator: np.random.Generator, bird: Bird) -> BirdPose:
    """Return what an individual of the species does, and how its colours differ."""
    action = choose(generator, _ACTIONS[bird.shape])
    body = BODIES[bird.shape]
    pitch, nod = float(generator.uniform(-9, 9)), float(generator.uniform(-14, 14))
    slender = bird.shape == "hummingbird-like"  # they hover upright
    if action in ("flying", "swimming") and not slender and not body.frontal:
        hip, breast = body.spine[6], body.spine[4]
        level = math.degrees(math.atan2(hip[1] - breast[1], breast[0] - hip[0]))
        share = 0.9 if action == "flying" else 0.6
        pitch, nod = pitch - level * share, nod * 0.6 + level * share * 0.6
    raised = slender or generator.random() < 0.6
    flap = generator.uniform(118, 158) if slender else generator.uniform(70, 118)
    brightness = int(generator.integers(-13, 14))
    tint = [brightness + int(shift) for shift in generator.integers(-7, 8, size=3)]
    return BirdPose(
        action=action,
        pitch=round(pitch, 2),
        nod=round(nod, 2),
        flap=round(float(flap) * (1 if raised else -1), 2),
        spread=round(float(generator.uniform(0, 0.9 if action == "flying" else 0.35)), 2),
        tint=(tint[0], tint[1], tint[2]),
        arrangement=int(generator.integers(1 << 31)),
    )


def take_bird_photograph(
    bird: Bird, generator: np.random.Generator, *, size: tuple[int, int] = (240, 180)
) -> tuple[NDArray[np.uint8], Box, Parts]:
    """Return a photograph of an individual of the species, where it is, and where its parts are.

    Args:
        bird: The species.
        generator: Decides on pose, place and light.
        size: Width and height of the picture in pixels.

    Returns:
        The pixels (H, W, 3) uint8; the box of the bird; by name of `PART_NAMES` the point of each
        part in pixels, or None if it does not show.

    """
    width, height = size
    shape: Shape = (height, width)
    pose = sample_bird_pose(generator, bird)
    drawing = draw_bird(bird, pose)
    placement = _place(bird, drawing, generator, pose, size)
    backdrop = choose(generator, _BACKDROPS_OF[pose.action])
    picture = soften(BACKDROPS[backdrop](generator, shape), int(generator.integers(0, 4)))
    foot = placement.at(drawing.foot)
    behind = _perch(bird, generator, pose, placement, foot, size)
    if pose.action == "standing":
        lay_ground(picture, generator, backdrop, foot[1] - float(generator.uniform(4, 40)))
    if behind:
        _blend(picture, _render(behind, size))
    layer = _render(placement.markup(drawing.markup), size)
    waterline = float(height)
    if pose.action == "swimming":
        waterline = foot[1] + placement.down * 9
        _float(picture, layer, generator, round(waterline))
    _blend(picture, layer)
    front = _front(generator, pose, placement, drawing, foot, size)
    hidden = np.zeros(shape, dtype=np.bool_)
    if front:
        cover = _render(front, size)
        hidden = cover[3] > 150
        _blend(picture, cover)
    parts: Parts = dict.fromkeys(PART_NAMES)
    for name, point in drawing.parts.items():
        x, y = placement.at(point)
        inside = 0 <= x < width and 0 <= y < min(height, waterline)
        if inside and not hidden[int(y), int(x)]:
            parts[_sided(name, mirrored=placement.across < 0)] = (x, y)
    return _develop(picture, generator), _box_of(layer[3]), parts


def _place(
    bird: Bird,
    drawing: BirdDrawing,
    generator: np.random.Generator,
    pose: BirdPose,
    size: tuple[int, int],
) -> _Placement:
    left, top, right, bottom = drawing.extent
    fill = float(generator.uniform(*_FILL[bird.size]))
    scale = fill * min(size[0] / (right - left), size[1] / (bottom - top))
    narrowed = float(generator.uniform(0.82, 1))  # seen a little from the front or from behind
    mirrored = generator.random() < 0.5
    turn = 24 if pose.action == "flying" else 3 if pose.action == "swimming" else 7
    slack = (size[0] - (right - left) * scale, size[1] - (bottom - top) * scale)
    shift = generator.uniform(-0.42, 0.42, size=2)
    return _Placement(
        middle=((left + right) / 2, (top + bottom) / 2),
        centre=(size[0] / 2 + float(shift[0]) * slack[0], size[1] / 2 + float(shift[1]) * slack[1]),
        degrees=float(generator.uniform(-turn, turn)),
        across=scale * narrowed * (-1 if mirrored else 1),
        down=scale,
    )


def _perch(
    bird: Bird,
    generator: np.random.Generator,
    pose: BirdPose,
    placement: _Placement,
    foot: Point,
    size: tuple[int, int],
) -> str:
    """Return what the bird sits on or stands in the shadow of."""
    if pose.action == "standing":
        x, y = foot
        reach = 34 * abs(placement.across)
        return (
            f'<ellipse cx="{x:.1f}" cy="{y + 2:.1f}" rx="{reach:.1f}" ry="{reach * 0.13:.1f}" '
            'fill="#000000" fill-opacity="0.22"/>'
        )
    if pose.action != "perched":
        return ""
    if bird.shape == "tree-clinging-like":
        sign = 1 if placement.across > 0 else -1
        return draw_trunk(generator, foot[0] - 2 * sign * placement.down, sign, size)
    thick = _BRANCHES[bird.size] * float(generator.uniform(0.8, 1.4))
    return draw_branch(generator, foot, size[0], thick, placement.down)


def _front(
    generator: np.random.Generator,
    pose: BirdPose,
    placement: _Placement,
    drawing: BirdDrawing,
    foot: Point,
    size: tuple[int, int],
) -> str:
    """Return what hides a part of the bird, mostly nothing."""
    markup = ""
    if pose.action == "standing" and generator.random() < 0.4:
        tall = float(generator.uniform(4, 14))
        markup += draw_blades(generator, size[0], foot[1] + 2, tall)
    if pose.action in ("perched", "standing") and generator.random() < 0.28:
        names = sorted(drawing.parts)
        at = placement.at(drawing.parts[names[int(generator.integers(len(names)))]])
        markup += draw_cover(generator, at, float(generator.uniform(7, 16)))
    return markup


def _render(markup: str, size: tuple[int, int]) -> Floats:
    """Return markup drawn in pixels of the picture, (4, H, W) float32 in 0..255."""
    width, height = size
    drawn = render_svg(
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}">{markup}</svg>'
    )
    return drawn.transpose(2, 0, 1).astype(np.float32, order="C")


def _blend(picture: Floats, layer: Floats, opacity: float = 1) -> None:
    """Lay a layer (4, H, W) over the picture (3, H, W)."""
    alpha = layer[3] * np.float32(opacity / 255)
    picture += (layer[:3] - picture) * alpha


def _float(picture: Floats, layer: Floats, generator: np.random.Generator, row: int) -> None:
    """Sink the layer (4, H, W) into the water below a row, and mirror it there."""
    height, width = layer.shape[1:]
    row = min(max(row, 1), height)
    depth = min(row, height - row)
    waves = noise(generator, (height, width), (height // 6, 8)) * np.float32(2.5)
    if depth > 0:
        mirrored = np.zeros_like(layer)
        mirrored[:, row : row + depth] = layer[:, row - depth : row][:, ::-1]
        shaken = mirrored.copy()
        for index in range(row, row + depth):  # every ripple moves its line of the image
            shaken[:, index] = np.roll(mirrored[:, index], round(float(waves[index, 0])), axis=1)
        _blend(picture, shaken, 0.4)
    edge = row + waves[min(row, height - 1)] * np.float32(0.6)
    layer[3][np.arange(height, dtype=np.float32)[:, None] >= edge[None, :]] = 0


def _box_of(alpha: Floats) -> Box:
    """Return the box about what is opaque in a layer (H, W); one pixel if nothing is."""
    rows, columns = np.flatnonzero((alpha > 60).any(1)), np.flatnonzero((alpha > 60).any(0))
    if len(rows) == 0:
        return 0, 0, 1, 1
    left, top = int(columns[0]), int(rows[0])
    return left, top, int(columns[-1]) - left + 1, int(rows[-1]) - top + 1


def _sided(name: str, *, mirrored: bool) -> str:
    """Return the name of a part on its own side: a mirrored bird shows its left one."""
    if not mirrored or " " not in name:
        return name
    side, part = name.split()
    return f"{'left' if side == 'right' else 'right'} {part}"


def _develop(picture: Floats, generator: np.random.Generator) -> NDArray[np.uint8]:
    """Return the picture (H, W, 3) uint8 as it is saved: lit, tinted, blurred, noisy."""
    height, width = picture.shape[1:]
    rows = np.linspace(-0.5, 0.5, height, dtype=np.float32)[:, None]
    columns = np.linspace(-0.5, 0.5, width, dtype=np.float32)[None, :]
    slope_y, slope_x = generator.uniform(-0.22, 0.22, size=2).astype(np.float32)
    exposure = np.float32(generator.uniform(0.78, 1.14))
    warmth = generator.uniform(-0.08, 0.11)
    tint = np.array((1 + warmth * 0.6, 1, 1 - warmth), dtype=np.float32)
    picture *= exposure + rows * slope_y + columns * slope_x
    picture *= tint[:, None, None]
    np.clip(picture, 0, 255, out=picture)
    image = Image.fromarray(picture.transpose(1, 2, 0).astype(np.uint8, order="C"))
    blurred = image.filter(ImageFilter.BoxBlur(float(generator.uniform(0, 0.75))))
    grain = int(generator.integers(1, 8))
    speckle = generator.integers(-grain, grain + 1, size=(height, width), dtype=np.int16)
    noisy = np.asarray(blurred) + speckle[:, :, None]
    np.clip(noisy, 0, 255, out=noisy)
    return noisy.astype(np.uint8)
