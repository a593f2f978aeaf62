"""Where people are photographed: streets, parks, beaches, rooms, shops, cafés, beside cars.

A scene is markup in a frame of 240 x 320 units, rendered at half the size and enlarged: what is
far lies out of focus, and it costs a quarter.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from PIL import Image

from bench_atelier.backgrounds import Floats, Shape, carpet, noise, sheet, tiles, wood
from bench_atelier.colours import parse_colour, sample_shade, shade
from bench_atelier.outline import disc, filled, line
from bench_atelier.render import render_svg

FRAME = (240, 320)  # width, height of a scene's coordinates


def rectangle(x: float, y: float, width: float, height: float, fill: str) -> str:
    """Return markup of a filled rectangle."""
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{fill}"/>'
    )


def _pick(generator: np.random.Generator, names: Sequence[str]) -> str:
    """Return one dye lot of one of the colours."""
    return sample_shade(generator, names[int(generator.integers(len(names)))])


def _between(generator: np.random.Generator, low: float, high: float) -> float:
    return round(float(generator.uniform(low, high)), 1)


def _sky(generator: np.random.Generator) -> str:
    return _pick(generator, ("#a9c8e6", "#d5dde3", "#c3d3df", "#e8dfd2", "#8fb4dd"))


def _figure(x: float, y: float, height: float, colours: tuple[str, str], skin: str) -> str:
    """Return a passer-by far away, standing at (x, y)."""
    coat, trousers = colours
    markup = line(f"M{x - height * 0.05:.1f} {y:.1f}V{y - height * 0.45:.1f}", trousers, 5)
    markup += line(f"M{x + height * 0.06:.1f} {y:.1f}V{y - height * 0.45:.1f}", trousers, 5)
    markup += line(f"M{x:.1f} {y - height * 0.45:.1f}V{y - height * 0.75:.1f}", coat, height * 0.2)
    return markup + disc((x, y - height * 0.92), height * 0.08, skin)


def _passers_by(generator: np.random.Generator, ground: float) -> str:
    markup = ""
    for _ in range(int(generator.integers(0, 4))):
        height = _between(generator, 36, 70)
        colours = (
            _pick(generator, ("black", "navy", "red", "beige", "grey", "olive", "white")),
            _pick(generator, ("black", "navy", "denim", "charcoal")),
        )
        skin = _pick(generator, ("#d9b08c", "#8d5b3d", "#eac7a8"))
        x = _between(generator, 5, 235)
        markup += _figure(x, ground + height * 0.25, height, colours, skin)
    return markup


def _windows(generator: np.random.Generator, area: tuple[float, float, float, float]) -> str:
    """Return rows of windows in a house front: x, y, width, height of the area."""
    x, y, width, height = area
    glass = _pick(generator, ("#4d5b6b", "#7f93a5", "#39434d", "#a9bac6"))
    frame = _pick(generator, ("white", "brown", "grey", "cream"))
    across, down = _between(generator, 20, 30), _between(generator, 32, 46)
    markup = ""
    for row in range(int(height // down)):
        for column in range(max(1, int(width // across))):
            left, top = x + column * across + across * 0.2, y + row * down + 8
            markup += rectangle(left - 1.5, top - 1.5, across * 0.6 + 3, down * 0.62 + 3, frame)
            markup += rectangle(left, top, across * 0.6, down * 0.62, glass)
            markup += rectangle(left, top + down * 0.3, across * 0.6, 1, frame)
    return markup


def _street(generator: np.random.Generator) -> str:
    """Return houses in a row, shop windows, a kerb and the pavement."""
    ground = _between(generator, 196, 250)
    markup = rectangle(0, 0, 240, 320, _sky(generator))
    x = -_between(generator, 0, 50)
    while x < 240:
        width, top = _between(generator, 55, 110), _between(generator, -40, 70)
        front = ("#b5674a", "#c9b79a", "#d8d3c8", "#8e8a86", "#a5836a", "#c88f78", "#7d8c93")
        wall = _pick(generator, front)
        markup += rectangle(x, top, width, ground - top, wall)
        markup += _windows(generator, (x + 4, top + 4, width - 8, ground - top - 66))
        shop = _pick(generator, ("charcoal", "green", "burgundy", "navy", "cream", "brown"))
        markup += rectangle(x + 4, ground - 60, width - 8, 60, shop)
        glass = _pick(generator, ("#5c6b76", "#2d3338", "#b8b19c"))
        markup += rectangle(x + 9, ground - 46, width * 0.5, 38, glass)
        markup += rectangle(x + width * 0.68, ground - 48, width * 0.2, 48, shade(shop, 0.6))
        if generator.random() < 0.5:
            awning = _pick(generator, ("red", "white", "green", "navy", "mustard"))
            markup += filled(
                f"M{x + 4:.1f} {ground - 62:.1f}h{width - 8:.1f}l6 14h{-width - 4:.1f}Z", awning
            )
        x += width
    pavement = _pick(generator, ("#9b9993", "#b3aea4", "#7f7e7d", "#a89c8c"))
    markup += rectangle(0, ground, 240, 320 - ground, pavement)
    vanishing = _between(generator, 40, 200)
    joints = "".join(
        f"M{vanishing + (foot - vanishing) * 0.25:.1f} {ground:.1f}L{foot:.1f} 320"
        for foot in range(-180, 440, 56)
    )
    joints += "".join(f"M0 {ground + reach:.1f}H240" for reach in (7, 20, 40, 70))
    markup += line(joints, shade(pavement, 0.78), 1.2)
    return markup + _passers_by(generator, ground)


def _tree(generator: np.random.Generator, x: float, ground: float) -> str:
    trunk, leaf = _pick(generator, ("brown", "#5b4636")), _pick(generator, ("green", "olive"))
    height = _between(generator, 70, 150)
    markup = line(f"M{x:.1f} {ground:.1f}V{ground - height:.1f}", trunk, _between(generator, 5, 11))
    for index in range(9):
        radius = _between(generator, 20, 36)
        place = (x + _between(generator, -34, 34), ground - height - _between(generator, -28, 40))
        markup += disc(place, radius, shade(leaf, 0.75 + 0.08 * (index % 5)))
    return markup


def _park(generator: np.random.Generator) -> str:
    """Return a meadow with a path, hedges, trees and at times a bench."""
    ground = _between(generator, 168, 214)
    meadow = _pick(generator, ("#6d8f47", "#7ca257", "#8f9a4c", "#557a3d"))
    markup = rectangle(0, 0, 240, 320, _sky(generator))
    for index in range(9):
        place = (index * 30, ground - _between(generator, 0, 26))
        markup += disc(place, 34, shade(meadow, 0.55 + 0.04 * (index % 3)))
    markup += rectangle(0, ground, 240, 320 - ground, meadow)
    foot = _between(generator, 20, 220)
    path = _pick(generator, ("#c3b496", "#a9a59c", "#d2c6ae"))
    markup += filled(
        f"M{foot * 0.5 + 55:.1f} {ground:.1f}h14L{foot + 90:.1f} 320H{foot - 70:.1f}Z", path
    )
    for _ in range(int(generator.integers(1, 4))):
        markup += _tree(
            generator, _between(generator, -5, 245), ground + _between(generator, 2, 20)
        )
    if generator.random() < 0.4:
        x, wood_tone = _between(generator, 0, 160), _pick(generator, ("brown", "#7b5b3b", "green"))
        planks = "".join(f"M{x:.1f} {ground + row:.1f}h70" for row in (2, 9, 22))
        legs = f"M{x + 6:.1f} {ground + 2:.1f}v40M{x + 64:.1f} {ground + 2:.1f}v40"
        markup += line(legs, "#3a3a3c", 4) + line(planks, wood_tone, 5)
    return markup + _passers_by(generator, ground)


def _beach(generator: np.random.Generator) -> str:
    """Return sky, sea with foam, and sand with parasols."""
    horizon, shore = _between(generator, 96, 140), _between(generator, 176, 226)
    sea = _pick(generator, ("teal", "#3f86ad", "#5aa3b8", "#2f6c8f"))
    sand = _pick(generator, ("#dcc79c", "#cdb382", "#e6d8b8"))
    markup = rectangle(0, 0, 240, 320, _sky(generator))
    for _ in range(3):
        x, y = _between(generator, 0, 240), _between(generator, 10, horizon - 30)
        cloud = f"M{x - 30:.1f} {y:.1f}q14 -16 26 -4q14 -14 26 4Z"
        markup += filled(cloud, "#f4f4f2", opacity=0.8)
    markup += rectangle(0, horizon, 240, 320 - horizon, sea)
    waves = "".join(
        f"M{_between(generator, -20, 200):.1f} {horizon + 8 + row * 9:.1f}q16 -4 34 0"
        for row in range(int((shore - horizon) // 9))
    )
    markup += line(waves, "#ffffff", 1.6, opacity=0.5)
    bend = _between(generator, -14, 14)
    edge = f"M0 {shore:.1f}Q80 {shore + bend:.1f} 150 {shore:.1f}T240 {shore - 4:.1f}"
    markup += filled(f"{edge}V320H0Z", sand) + line(edge, "#f5f3ee", 5, opacity=0.8)
    for _ in range(int(generator.integers(0, 3))):
        x, y = _between(generator, 0, 240), shore + _between(generator, 0, 24)
        cloth = _pick(generator, ("red", "white", "yellow", "sky", "green"))
        markup += line(f"M{x:.1f} {y:.1f}V{y - 52:.1f}", "#e8e4da", 2)
        markup += filled(f"M{x - 34:.1f} {y - 42:.1f}q34 -34 68 0Z", cloth)
    return markup + _passers_by(generator, shore)


def _room(generator: np.random.Generator) -> str:
    """Return a bedroom corner: wall, skirting, floor, a mirror's frame, furniture, a lamp."""
    ground = _between(generator, 216, 262)
    wall = _pick(generator, ("#dcd6cb", "#c9d2d4", "#e6ddd0", "#b9c1b4", "#d9c6bf", "#8b98a5"))
    floor = _pick(generator, ("#a97f52", "#8a6a4d", "#c9b494", "#a8a29a"))
    markup = rectangle(0, 0, 240, 320, wall) + rectangle(0, ground, 240, 320 - ground, floor)
    boards = "".join(
        f"M{120 + (x - 120) * 0.6:.1f} {ground:.1f}L{x} 320" for x in range(-80, 340, 36)
    )
    markup += line(boards, shade(floor, 0.75), 1) + rectangle(0, ground - 7, 240, 7, "#ecebe6")
    if generator.random() < 0.6:  # a door
        x, tone = _between(generator, -20, 190), _pick(generator, ("white", "#b08d63", "grey"))
        markup += rectangle(x, 30, 66, ground - 30, shade(tone, 0.85))
        markup += rectangle(x + 4, 34, 58, ground - 34, tone)
        panel = f"M{x + 12:.1f} 46h42v70h-42ZM{x + 12:.1f} 130h42v{ground - 150:.1f}h-42Z"
        markup += line(panel, shade(tone, 0.75), 1.6) + disc((x + 55, 130), 3, "#bfa76a")
    if generator.random() < 0.6:  # a bed or a sofa
        x, tone = _between(generator, -40, 150), _pick(generator, ("navy", "grey", "white", "pink"))
        markup += rectangle(x, ground - 52, 120, 30, shade(tone, 0.8))
        markup += rectangle(x - 4, ground - 28, 130, 40, tone)
        markup += rectangle(x + 10, ground - 42, 40, 20, _pick(generator, ("cream", "teal", "red")))
    if generator.random() < 0.6:  # a picture
        x, y = _between(generator, 10, 180), _between(generator, 20, 70)
        markup += rectangle(x, y, 44, 34, "#3b342d")
        markup += rectangle(x + 3, y + 3, 38, 28, _pick(generator, ("sky", "mustard", "cream")))
    if generator.random() < 0.5:  # the frame of a mirror
        tone, inset = (
            _pick(generator, ("brown", "black", "white", "#b39a5c")),
            _between(generator, 2, 12),
        )
        markup += line(f"M{inset} 330V{inset}H{240 - inset}V330", tone, 9)
        markup += line(f"M{inset + 4} 330V{inset + 4}H{236 - inset}V330", shade(tone, 1.4), 1.5)
    return markup


def _shop(generator: np.random.Generator) -> str:
    """Return a shop from the inside: shelves, rails of clothes, lamps, a shiny floor."""
    ground = _between(generator, 214, 256)
    wall = _pick(generator, ("#efece6", "#cfc9c0", "#494846", "#d8cdbb"))
    floor = _pick(generator, ("#c4beb4", "#8e8a85", "#b39872", "#dad7d0"))
    markup = rectangle(0, 0, 240, 320, wall) + rectangle(0, ground, 240, 320 - ground, floor)
    for lamp in range(14, 240, 52):
        markup += disc((lamp, 12 + lamp % 3), 6, "#fffbe9")
    stock = ("black", "white", "navy", "red", "beige", "pink", "olive", "denim", "grey", "mustard")
    for row in range(2):
        y = 66 + row * _between(generator, 74, 84)
        rail = line(f"M0 {y:.1f}H240", "#6a6a6c", 2.4)
        x = _between(generator, 0, 8)
        while x < 240:
            width, length = _between(generator, 5, 12), _between(generator, 40, 62)
            if generator.random() < 0.86:
                top = f"M{x:.1f} {y + 6:.1f}l{width / 2:.1f} -5l{width / 2:.1f} 5v{length:.1f}"
                rail += filled(f"{top}h{-width:.1f}Z", _pick(generator, stock))
            x += width + 1
        markup += rail
    if generator.random() < 0.6:  # a table with folded clothes
        x, y = _between(generator, -30, 170), ground - 26
        markup += rectangle(x, y, 96, 8, "#7a5c3e") + rectangle(x + 6, y, 6, 60, "#5f4830")
        for index in range(6):
            place = (x + 8 + 28 * (index % 3), y - 8 - 8 * (index // 3))
            markup += rectangle(*place, 24, 7, _pick(generator, stock))
    return markup


def _cafe(generator: np.random.Generator) -> str:
    """Return a café: a wall of wood or bricks, a window, chairs, a round table with cups."""
    ground = _between(generator, 210, 250)
    wall = _pick(generator, ("#7f4f37", "#8d7a62", "#3f4b45", "#b8a48a", "#5b4b42"))
    markup = rectangle(0, 0, 240, 320, wall)
    bricks = "".join(
        f"M0 {y}H240" + "".join(f"M{x + (y // 9 % 2) * 11} {y}v9" for x in range(0, 240, 22))
        for y in range(0, int(ground), 9)
    )
    if generator.random() < 0.6:
        markup += line(bricks, shade(wall, 1.25), 0.9, opacity=0.6)
    left = _between(generator, -20, 130)
    markup += rectangle(left - 4, 36, 108, 104, "#2f2a26")
    markup += rectangle(left, 40, 100, 96, _pick(generator, ("#cfdbe0", "#e8e2c9", "#9fb3ba")))
    markup += line(f"M{left + 50:.1f} 40v96M{left:.1f} 86h100", "#2f2a26", 3)
    floor = _pick(generator, ("#6f5a49", "#9c968e", "#b59a78"))
    markup += rectangle(0, ground, 240, 320 - ground, floor)
    for _ in range(2):
        x = _between(generator, 0, 210)
        tone = _pick(generator, ("black", "brown", "red", "cream"))
        chair = f"M{x:.1f} {ground + 40:.1f}v-78h34v78M{x:.1f} {ground - 2:.1f}h34"
        markup += line(chair, tone, 4) + rectangle(x, ground - 4, 36, 6, tone)
    for _ in range(2):
        x, y = _between(generator, 10, 230), _between(generator, 20, 60)
        markup += line(f"M{x:.1f} 0V{y:.1f}", "#1f1c1a", 1.2) + disc((x, y + 5), 8, "#ffe9b0")
    x = _between(generator, 10, 230)
    markup += line(f"M{x:.1f} {ground + 4:.1f}v56", "#2a2726", 5)
    markup += rectangle(x - 34, ground - 2, 68, 7, _pick(generator, ("white", "brown", "black")))
    return markup + rectangle(x - 10, ground - 12, 11, 10, "#f2efe8")


def _car(generator: np.random.Generator) -> str:
    """Return a car from the side on a road, before a wall or a hedge."""
    ground = _between(generator, 226, 262)
    behind = _pick(generator, ("#a7a29a", "#7a8a55", "#b9805f", "#8b949b", "#d6cfc0"))
    markup = rectangle(0, 0, 240, 320, _sky(generator)) + rectangle(0, 50, 240, 240, behind)
    if generator.random() < 0.5:
        markup += _windows(generator, (6, 50, 228, 110))
    markup += rectangle(0, ground, 240, 320 - ground, _pick(generator, ("#6a6a6d", "#87857f")))
    paint = _pick(generator, ("red", "black", "white", "silver", "navy", "blue", "mustard", "teal"))
    x = _between(generator, -70, 10)
    body = (
        f"M{x:.1f} {ground + 16:.1f}v-48q0 -14 20 -18l44 -8q34 -48 70 -48h50q34 0 58 50"
        "l34 10q16 4 16 22v40Z"
    )
    glass = f"M{x + 76:.1f} {ground - 60:.1f}q26 -36 54 -36h14v36ZM{x + 150:.1f} {ground - 96:.1f}"
    glass += "h32q26 0 46 36h-78Z"
    markup += filled(body, paint) + filled(glass, "#39434c")
    door = f"M{x + 147:.1f} {ground - 58:.1f}v62M{x + 4:.1f} {ground - 18:.1f}h280"
    markup += line(door, shade(paint, 0.65), 1.6)
    markup += line(f"M{x + 16:.1f} {ground - 46:.1f}h260", "#ffffff", 3, opacity=0.35)
    for wheel in (x + 58, x + 236):
        markup += disc((wheel, ground + 14), 25, "#1f1f21") + disc(
            (wheel, ground + 14), 13, "#a9abae"
        )
    return markup


_SCENES: Mapping[str, Callable[[np.random.Generator], str]] = {
    "street": _street,
    "park": _park,
    "beach": _beach,
    "room": _room,
    "shop": _shop,
    "cafe": _cafe,
    "car": _car,
}
SCENES = tuple(_SCENES)


def draw_scene(generator: np.random.Generator, name: str, size: tuple[int, int]) -> Image.Image:
    """Return one of `SCENES` with random layout and colours, an RGB image of (width, height)."""
    width, height = size
    drawing = render_svg(
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{max(1, width // 2)}" '
        f'height="{max(1, height // 2)}" viewBox="0 0 {FRAME[0]} {FRAME[1]}" '
        f'preserveAspectRatio="xMidYMid slice">{_SCENES[name](generator)}</svg>'
    )
    return Image.fromarray(drawing).convert("RGB").resize(size, Image.Resampling.BICUBIC)


def _asphalt(generator: np.random.Generator, shape: Shape) -> Floats:
    """Return asphalt or sand from above, (3, H, W) float32 in 0..255."""
    tone = np.array(
        parse_colour(_pick(generator, ("#77777a", "#8f8c86", "#5f6064", "#d3bd92", "#b7ad9c"))),
        dtype=np.float32,
    )
    grain = noise(generator, shape, (max(1, shape[0] // 2), max(1, shape[1] // 2))) * 18
    return np.asarray(tone[:, None, None] + grain + noise(generator, shape, (6, 5)) * 10)


_GROUNDS: Mapping[str, Callable[[np.random.Generator, Shape], Floats]] = {
    "asphalt": _asphalt,
    "wood": wood,
    "tiles": tiles,
    "carpet": carpet,
    "sheet": sheet,
}
GROUNDS = tuple(_GROUNDS)


def draw_ground(generator: np.random.Generator, name: str, size: tuple[int, int]) -> Image.Image:
    """Return one of `GROUNDS` as one looks down at it, an RGB image of (width, height)."""
    # drawn at the size that the boards and tiles are meant for
    floor = np.clip(_GROUNDS[name](generator, (FRAME[1], FRAME[0])), 0, 255)
    image = Image.fromarray(floor.transpose(1, 2, 0).astype(np.uint8, order="C"))
    return image if size == FRAME else image.resize(size, Image.Resampling.BICUBIC)
