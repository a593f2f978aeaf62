"""Where birds are seen: what lies behind them, out of focus, what they sit on, what hides them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np
from PIL import Image, ImageFilter

from bench_atelier.backgrounds import Floats, Shape, noise
from bench_atelier.colours import parse_colour, shade
from bench_atelier.outline import Point, closed_path, line


def _tone(generator: np.random.Generator, *codes: str) -> Floats:
    """Return one of the colours, a little off, as (3, 1, 1)."""
    channels = np.array(parse_colour(codes[int(generator.integers(len(codes)))]), dtype=np.float32)
    channels += generator.integers(-12, 13, size=3).astype(np.float32)
    return channels[:, None, None]


def _heights(shape: Shape) -> Floats:
    """Return how far down each row lies, (H, 1) in 0..1."""
    return np.linspace(0, 1, shape[0], dtype=np.float32)[:, None]


def _between(first: Floats, second: Floats, share: Floats) -> Floats:
    return np.asarray(first + (second - first) * np.clip(share, 0, 1), dtype=np.float32)


def sky(generator: np.random.Generator, shape: Shape) -> Floats:
    """Return a clear or clouded sky, (3, H, W) float32 in 0..255."""
    high = _tone(generator, "#5d92cf", "#7fb0de", "#a9c3da", "#c9cfd4", "#8494a6")
    low = _tone(generator, "#cfe0ee", "#dde3e6", "#e9dfcf", "#b9d3ea")
    clear = _between(high, low, _heights(shape) + np.zeros(shape, dtype=np.float32))
    clouds = noise(generator, shape, (4, 5)) + noise(generator, shape, (9, 12)) * np.float32(0.4)
    cover = (clouds - np.float32(generator.uniform(-0.2, 1.0))) * np.float32(0.8)
    return _between(clear, _tone(generator, "#f2f2f2", "#d7dade"), cover)


def foliage(generator: np.random.Generator, shape: Shape) -> Floats:
    """Return leaves far out of focus, (3, H, W) float32 in 0..255."""
    dark = _tone(generator, "#24331c", "#2f4526", "#3a3a22", "#1f2b22", "#4a3a24")
    light = _tone(generator, "#7d9a4b", "#9bb06a", "#a8a05a", "#6f8f63", "#b98a4a")
    cells = (int(generator.integers(4, 8)), int(generator.integers(5, 10)))
    broad = noise(generator, shape, cells) * np.float32(0.45) + np.float32(0.45)
    fine = noise(generator, shape, (cells[0] * 3, cells[1] * 3)) * np.float32(0.2)
    picture = _between(dark, light, broad + fine)
    glints = noise(generator, shape, (cells[0] * 2, cells[1] * 2)) - np.float32(0.62)
    return _between(picture, _tone(generator, "#dfe8c8", "#e9ecd9"), glints * np.float32(1.6))


def water(generator: np.random.Generator, shape: Shape) -> Floats:
    """Return the rippled surface of a lake or the sea, (3, H, W) float32 in 0..255."""
    far = _tone(generator, "#8fa9b8", "#9fb6b0", "#b7bec2", "#6d8fae", "#7d8a6c")
    near = _tone(generator, "#3d5d72", "#4a6a68", "#5d6f7c", "#2e4f7a", "#4c5636")
    picture = _between(far, near, _heights(shape) + np.zeros(shape, dtype=np.float32))
    ripples = noise(generator, shape, (shape[0] // 5, 9)) * np.float32(16)
    swell = noise(generator, shape, (12, 4)) * np.float32(13)
    # ripples are larger where they are nearer
    return np.asarray(picture + (ripples + swell) * (_heights(shape) * 0.8 + 0.4), dtype=np.float32)


def grass(generator: np.random.Generator, shape: Shape) -> Floats:
    """Return a meadow out of focus, (3, H, W) float32 in 0..255."""
    far = _tone(generator, "#8ea05e", "#a9ab72", "#6d8a58", "#b9a873")
    near = _tone(generator, "#5f7d36", "#7d8f43", "#8f8a48", "#4e6d35")
    picture = _between(far, near, _heights(shape) + np.zeros(shape, dtype=np.float32))
    blades = noise(generator, shape, (7, shape[1] // 5)) * np.float32(17)
    patches = noise(generator, shape, (6, 7)) * np.float32(16)
    return np.asarray(picture + blades + patches, dtype=np.float32)


def snow(generator: np.random.Generator, shape: Shape) -> Floats:
    """Return a snowy slope before a dim wood, (3, H, W) float32 in 0..255."""
    wood = _tone(generator, "#6f7a80", "#8d9aa3", "#5d6258", "#a9b4bd")
    bank = _tone(generator, "#e6ebf1", "#dfe6f0", "#efeeee")
    edge = np.float32(generator.uniform(0.15, 0.5))
    drift = noise(generator, shape, (3, 5)) * np.float32(0.08)
    picture = _between(wood, bank, (_heights(shape) - edge + drift) * np.float32(8))
    return np.asarray(picture + noise(generator, shape, (10, 14)) * np.float32(9), dtype=np.float32)


def reeds(generator: np.random.Generator, shape: Shape) -> Floats:
    """Return reeds out of focus, (3, H, W) float32 in 0..255."""
    dark = _tone(generator, "#4d4a2c", "#3f4a2c", "#5d4f35")
    light = _tone(generator, "#c2ad72", "#a3a561", "#d0bd8d")
    stalks = noise(generator, shape, (3, int(generator.integers(22, 40)))) * np.float32(0.6)
    broad = noise(generator, shape, (3, 6)) * np.float32(0.35)
    return _between(dark, light, stalks + broad + np.float32(0.45))


BACKDROPS: Mapping[str, Callable[[np.random.Generator, Shape], Floats]] = {
    "sky": sky,
    "foliage": foliage,
    "water": water,
    "grass": grass,
    "snow": snow,
    "reeds": reeds,
}

_GROUNDS: Mapping[str, tuple[str, ...]] = {
    "grass": ("#66803c", "#7d8a48", "#56703a"),
    "snow": ("#e9edf2", "#dde4ee"),
    "foliage": ("#6f5a3e", "#5d5236", "#7d6a4a"),
    "reeds": ("#7a6a48", "#6a6242", "#4f4a38"),
    "water": ("#c9b48a", "#a9a08d", "#8d8576"),
    "sky": ("#9a9184", "#b3aa9a", "#7f776c"),
}


def lay_ground(picture: Floats, generator: np.random.Generator, backdrop: str, top: float) -> None:
    """Cover the picture (3, H, W) below the row `top` with ground that suits the backdrop."""
    shape: Shape = (picture.shape[1], picture.shape[2])
    ground = _tone(generator, *_GROUNDS[backdrop])
    rough = noise(generator, shape, (shape[0] // 3, shape[1] // 5)) * np.float32(15)
    broad = noise(generator, shape, (9, 12)) * np.float32(12)
    rows = np.arange(shape[0], dtype=np.float32)[:, None]
    edge = np.float32(top) + noise(generator, shape, (2, 9)) * np.float32(3)
    # the ground is sharp at the feet and fades into the distance
    share = np.clip((rows - edge) * np.float32(0.09), 0, 1)
    picture += (ground + rough + broad - picture) * share


def soften(picture: Floats, radius: int) -> Floats:
    """Return the picture (3, H, W) out of focus by so many pixels."""
    pixels = np.clip(picture, 0, 255).transpose(1, 2, 0).astype(np.uint8, order="C")
    blurred = Image.fromarray(pixels).filter(ImageFilter.BoxBlur(radius))
    return np.asarray(blurred).transpose(2, 0, 1).astype(np.float32, order="C")


_BARKS = ("#5d4a3a", "#7a6650", "#8d8478", "#4a3d33", "#6f6a5d", "#93795a")
_LEAVES = ("#4f7a35", "#6d9140", "#88a04a", "#39602f", "#b0852f", "#9c5a2c")


def leaf(generator: np.random.Generator, at: Point, length: float, colour: str) -> str:
    """Return one leaf with its midrib, at a random angle."""
    x, y = at
    angle = math.radians(float(generator.uniform(0, 360)))
    along = (math.cos(angle) * length, math.sin(angle) * length)
    side = (-along[1] * 0.36, along[0] * 0.36)
    tip: Point = (x + along[0], y + along[1])
    middle: Point = (x + along[0] * 0.45, y + along[1] * 0.45)
    data = closed_path(
        at,
        [
            ((middle[0] + side[0], middle[1] + side[1]), tip),
            ((middle[0] - side[0], middle[1] - side[1]), at),
        ],
    )
    rib = f"M{x:.1f} {y:.1f}L{x + along[0] * 0.85:.1f} {y + along[1] * 0.85:.1f}"
    tone = shade(colour, float(generator.uniform(0.75, 1.15)))
    return (
        f'<path d="{data}" fill="{tone}" stroke="{shade(tone, 0.6)}" stroke-width="0.6"/>'
        + line(rib, shade(tone, 0.7), 0.6)
    )


def draw_branch(
    generator: np.random.Generator, through: Point, width: float, thick: float, scale: float
) -> str:
    """Return a branch across a picture `width` wide, its upper edge through a point.

    `thick` is its diameter in pixels, `scale` the pixels that one unit of the bird takes.
    """
    x, y = through
    slope = float(generator.uniform(-0.2, 0.2))
    bark = _BARKS[int(generator.integers(len(_BARKS)))]
    green = _LEAVES[int(generator.integers(len(_LEAVES)))]

    def top(at: float) -> float:
        return y + (at - x) * slope + 0.0006 * (at - x) ** 2

    ends = (-20.0, width + 20)
    upper = [(at, top(at) + float(generator.uniform(-0.8, 0.8))) for at in _steps(ends)]
    lower = [(at, top(at) + thick * float(generator.uniform(0.9, 1.1))) for at in _steps(ends)]
    data = "M" + "L".join(f"{px:.1f} {py:.1f}" for px, py in [*upper, *reversed(lower)]) + "Z"
    markup = f'<path d="{data}" fill="{bark}"/>'
    low = "M" + "L".join(f"{px:.1f} {py - thick * 0.2:.1f}" for px, py in lower)
    high = "M" + "L".join(f"{px:.1f} {py + thick * 0.2:.1f}" for px, py in upper)
    markup += line(low, shade(bark, 0.55), thick * 0.4, opacity=0.7)
    markup += line(high, "#ffffff", thick * 0.2, opacity=0.25)
    for _ in range(int(generator.integers(0, 9))):
        at = float(generator.uniform(0, width))
        reach = float(generator.uniform(8, 26)) * (1 if generator.random() < 0.5 else -1)
        twig: Point = (at + reach * 0.7, top(at) + thick / 2 + reach)
        stalk = f"M{at:.1f} {top(at) + thick / 2:.1f}L{twig[0]:.1f} {twig[1]:.1f}"
        markup += line(stalk, shade(bark, 0.8), 1.4)
        markup += leaf(generator, twig, 14 * scale + 5, green)
        markup += leaf(generator, twig, 11 * scale + 5, green)
    return markup


def _steps(ends: tuple[float, float]) -> list[float]:
    return [ends[0] + (ends[1] - ends[0]) * index / 12 for index in range(13)]


def draw_trunk(generator: np.random.Generator, edge: float, sign: int, size: Point) -> str:
    """Return a trunk from the column `edge` to the right (`sign` 1) or to the left (-1)."""
    width, height = size
    bark = _BARKS[int(generator.integers(len(_BARKS)))]
    thick = float(generator.uniform(0.25, 0.6)) * width
    rows = [height * index / 9 for index in range(-1, 12)]
    near = [(edge + float(generator.uniform(-1.5, 1.5)), row) for row in rows]
    far = [(edge + sign * thick, row) for row in reversed(rows)]
    data = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in [*near, *far]) + "Z"
    markup = f'<path d="{data}" fill="{bark}"/>'
    dark = light = ""
    for _ in range(55):
        x = edge + sign * thick * float(generator.uniform(0.02, 1))
        y, run = float(generator.uniform(-10, height)), float(generator.uniform(8, 30))
        bend = float(generator.uniform(-4, 4))
        groove = f"M{x:.1f} {y:.1f}Q{x + bend:.1f} {y + run / 2:.1f} {x:.1f} {y + run:.1f}"
        if generator.random() < 0.65:
            dark += groove
        else:
            light += groove
    return (
        markup
        + line(dark, shade(bark, 0.55), 1.8, opacity=0.8)
        + line(light, shade(bark, 1.25), 1.2, opacity=0.7)
    )


def draw_cover(generator: np.random.Generator, at: Point, reach: float) -> str:
    """Return a spray of leaves that comes in at a point and hides what is behind it."""
    green = _LEAVES[int(generator.integers(len(_LEAVES)))]
    markup = ""
    for _ in range(int(generator.integers(3, 8))):
        dx, dy = generator.uniform(-1, 1, size=2) * reach
        markup += leaf(generator, (at[0] + float(dx), at[1] + float(dy)), reach * 0.9, green)
    return markup


def draw_blades(generator: np.random.Generator, width: float, foot: float, tall: float) -> str:
    """Return blades of grass that stand before a bird, from the row `foot` upwards."""
    greens = ("#5f7d36", "#8a9a4e", "#a89a58", "#4b6a2f")
    markup = ""
    for _ in range(int(generator.integers(14, 40))):
        x, lean = float(generator.uniform(0, width)), float(generator.uniform(-9, 9))
        base = foot + float(generator.uniform(0.1, 1.2)) * tall
        top = base - tall * float(generator.uniform(0.6, 1.5))
        blade = f"M{x:.1f} {base:.1f}Q{x:.1f} {(base + top) / 2:.1f} {x + lean:.1f} {top:.1f}"
        colour = greens[int(generator.integers(len(greens)))]
        markup += line(blade, colour, float(generator.uniform(0.9, 1.9)))
    return markup
