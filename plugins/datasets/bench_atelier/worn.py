"""Garments as they are worn: the person behind and in front of them, in units of the body."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from bench_atelier.accessories import draw_hat, draw_shoes
from bench_atelier.bottoms import draw_bottom
from bench_atelier.carried import Carried, Eyewear, draw_carried
from bench_atelier.colours import sample_shade, shade
from bench_atelier.fabric import Fabric
from bench_atelier.garments import (
    Bottom,
    Drawing,
    Garment,
    Hat,
    Outfit,
    Pose,
    Shoes,
    Top,
    drawing_of,
)
from bench_atelier.outline import between, filled, line, symmetric_path
from bench_atelier.people import (
    CROWN,
    FLOOR,
    WAIST,
    Build,
    Person,
    Stance,
    draw_behind,
    draw_fist,
    draw_front,
    draw_head,
    reach,
)
from bench_atelier.top_lines import TopLines
from bench_atelier.tops import draw_top
from bench_atelier.wardrobe import sample_garment

Box = tuple[float, float, float, float]  # left, top, right, bottom

# sleeves that end above the elbow, below which the arm may bend
SHORT_SLEEVES = ("sleeveless", "cap", "short", "elbow")
_FROM_ABOVE = ("oxford", "ballerina", "flip-flop", "sandal")
_HIGH_COLLARS = ("turtleneck", "low-turtleneck", "high")
_LAPELS = ("lapel", "notched-lapel", "shawl", "shawl-wide")
# those that follow the neckline
_FLAT_COLLARS = ("none", "collarless", "rib", "ruffle", "volant", "peter-pan", "puritan", "hood")
_OPEN_SHOES = ("flip-flop", "sandal")


@dataclass(frozen=True)
class Worn:
    """A dressed figure: markup behind the garment, of it, and in front of it.

    Each has definitions of its own, so each is rendered by itself. `box` holds the garment,
    `figure` everything from head to feet. `from_above` tells that one looks down at a ground,
    `stiff` that the garment falls in no folds. `repeat` is the size of its pattern's tile across
    and down, 0 for a plain one and in the direction in which the pattern has no seams to show.
    """

    behind: str
    garment: str
    front: str
    box: Box
    figure: Box
    from_above: bool = False
    stiff: bool = False
    repeat: tuple[float, float] = (0, 0)


def can_bend_arms(garment: Garment | Carried) -> bool:
    """Return whether the forearms are bare, so that they may go where they like."""
    top = garment.top if isinstance(garment, Outfit) else garment
    return not isinstance(top, Top) or top.sleeve_length in SHORT_SLEEVES


def wear(
    garment: Garment | Carried, person: Person, stance: Stance, generator: np.random.Generator
) -> Worn:
    """Return the garment worn by the person, whose other clothes are random.

    Shoes are worn on legs seen from above or from the side; a bag or a belt hangs in a hand, or
    lies on a ground like sandals.
    """
    if isinstance(garment, Top):
        return _wear_top(garment, None, person, stance, generator)
    if isinstance(garment, Outfit):
        return _wear_top(garment.top, garment.bottom, person, stance, generator)
    if isinstance(garment, Bottom):
        return _wear_bottom(garment, person, stance, generator)
    if isinstance(garment, Shoes):
        worn = _wear_shoes(garment, person, generator)
    elif isinstance(garment, Hat):
        worn = _wear_hat(garment, person, stance, generator)
    else:
        worn = _carry(garment, person, stance, generator)
    return replace(worn, stiff=True)


def placed(markup: str, *, x: float = 0, y: float = 0, across: float = 1, down: float = 1) -> str:
    """Return the markup scaled and moved."""
    return f'<g transform="translate({x:.2f} {y:.2f}) scale({across:.4f} {down:.4f})">{markup}</g>'


def show_alone(garment: Garment | Carried, pose: Pose, *, variant: int = 0) -> Worn:
    """Return the garment without a person; `variant` is that of `draw_carried`."""
    if isinstance(garment, Carried):
        drawing = draw_carried(garment, variant=variant)
    else:
        drawing = drawing_of(garment, pose)
    box = _box(drawing, y=0, across=1, down=1)
    soft = isinstance(garment, Top | Bottom | Outfit)
    repeat = _repeat(garment.fabric, 1, 1)
    return Worn("", drawing.markup, "", box, box, stiff=not soft, repeat=repeat)


def _repeat(fabric: Fabric, across: float, down: float) -> tuple[float, float]:
    pattern = fabric.pattern
    if pattern.name in ("plain", "graphic"):
        return 0, 0
    return (0, pattern.size * down) if pattern.angle == 90 else (pattern.size * across, 0)


def _box(drawing: Drawing, *, y: float, across: float, down: float) -> Box:
    half = drawing.half_width * across
    return -half, y + drawing.top * down, half, y + drawing.bottom * down


def _around(box: Box, build: Build) -> Box:
    half = max(box[2], build.shoulder + 22)
    return -half, min(CROWN - 4, box[1]), half, max(FLOOR + 8, box[3])


def _place_bottom(bottom: Bottom) -> tuple[str, Box]:
    """Return a bottom at the waist of a body, and its box."""
    across = 43 / bottom.hip
    down = min(across, _longest(bottom))
    drawing = draw_bottom(bottom, Pose(hanging=False))
    markup = placed(drawing.markup, y=WAIST, across=across, down=down)
    return markup, _box(drawing, y=WAIST, across=across, down=down)


def _fill_waist(bottom: Bottom, colour: str) -> str:
    """Return what a waistband holds, in place of the inside that the flat garment shows."""
    inside = symmetric_path((0, -4.5), [((bottom.waist - 1, -2.5),), ((0, 3.6),)])
    size = 43 / bottom.hip
    return placed(filled(inside, colour), y=WAIST, across=size, down=size)


def _sample_bottom(generator: np.random.Generator) -> Bottom:
    names = ("pants", "pants", "skirt", "shorts")
    bottom = sample_garment(generator, names[int(generator.integers(len(names)))])
    assert isinstance(bottom, Bottom)  # noqa: S101
    return bottom


def _sample_top(generator: np.random.Generator) -> Top:
    names = ("t-shirt", "longsleeve", "shirt")
    top = sample_garment(generator, names[int(generator.integers(len(names)))])
    assert isinstance(top, Top)  # noqa: S101
    return top


def _plain(bottom: Bottom) -> Bottom:
    """Return it in plain cloth, which needs no definitions beside those of another garment."""
    pattern = replace(bottom.fabric.pattern, name="plain")
    return replace(bottom, fabric=Fabric(pattern=pattern, texture="smooth"))


def _scale_of(top: Top) -> float:
    """Return the scale at which a top fits: wide ones stay wider than narrow ones."""
    return round(0.92 * math.sqrt(46 / top.shoulder), 4)


def _build_of(top: Top, scale: float) -> Build:
    lines = TopLines(top)
    start = between(lines.shoulder, lines.armpit, 0.5)
    shoulder = min(45.0, max(37.0, top.shoulder * scale - 1))
    return Build(
        cuff=0 if can_bend_arms(top) else 114 * scale,
        shoulder=shoulder,
        hip=min(42.0, max(37.0, top.chest * scale - 3)),
        arm=(start[0] * scale, start[1] * scale),
    )


def _throat(top: Top, person: Person, scale: float, *, under: str) -> str:
    """Return the neck that fills the neckline, which the flat garment shows the inside of."""
    lines = TopLines(top)
    skin = person.skin
    column = symmetric_path((0, -34), [((9, -34),), ((9, -6), (12, 2)), ((0, 8),)])
    neck = filled(column, skin) + filled(
        "M-9 -28Q0 -16 9 -28V-20Q0 -8 -9 -20Z", "#000000", opacity=0.14
    )
    if top.collar in _HIGH_COLLARS:
        return filled("M-9 -34H9V-14H-9Z", skin)
    if lines.bare or top.neckline in ("one-shoulder", "halter"):
        return neck  # what crosses the bare skin lies on the body already
    side, low = lines.neck_side, lines.neck_low
    if top.collar in _FLAT_COLLARS:
        edge = list(lines.neckline)
        inset = 0.94
    else:
        edge, inset = [((side[0] * 0.42, low[1] * 0.45), (side[0] - 3, side[1] - 8))], 0.9
    opening = placed(
        filled(symmetric_path(low, [*edge, ((9 / scale, side[1] - 14),)]), skin)
        + line("M-3 16Q-14 9 -22 12M3 16Q14 9 22 12", shade(skin, 0.82), 1.2)
        * (top.collar in _FLAT_COLLARS and low[1] > 18),
        across=scale * inset,
        down=scale * 0.97,
        y=-1.5,
    )
    if top.collar in _LAPELS:  # something is worn below a coat
        chest = symmetric_path(
            (0, low[1]), [((side[0] * 0.42, low[1] * 0.5), (side[0] * 0.7, 6)), ((0, 16),)]
        )
        opening += placed(filled(chest, under), across=scale * inset, down=scale * 0.97)
    return opening + neck


def _wear_top(
    top: Top,
    legs: Bottom | None,
    person: Person,
    stance: Stance,
    generator: np.random.Generator,
) -> Worn:
    scale = _scale_of(top)
    build = _build_of(top, scale)
    drawing = draw_top(top, Pose(hanging=False, arms=stance.arms, bends=(2, 2)))
    markup = placed(drawing.markup, across=scale, down=scale)
    box = _box(drawing, y=0, across=scale, down=scale)
    under = sample_shade(generator, ("white", "black", "grey", "sky")[int(generator.integers(4))])
    other = _sample_bottom(generator)
    behind = draw_behind(person, build, stance)
    if legs is not None:
        below, lower = _place_bottom(legs)
        markup = below + markup
        box = min(box[0], lower[0]), box[1], max(box[2], lower[2]), max(box[3], lower[3])
    elif top.category != "dress" and box[3] < FLOOR - 20:
        behind += _place_bottom(other)[0]
    front = draw_head(person, facing=stance.facing) + draw_front(person, build, stance)
    if legs is not None and drawing.bottom * scale < WAIST:  # a bare waist
        front = _fill_waist(legs, person.skin) + front
    if stance.facing == "front":
        front = _throat(top, person, scale, under=under) + front
    repeat = _repeat(top.fabric, scale, scale)
    return Worn(behind, markup, front, box, _around(box, build), repeat=repeat)


def _wear_bottom(
    bottom: Bottom, person: Person, stance: Stance, generator: np.random.Generator
) -> Worn:
    top = _sample_top(generator)
    if not can_bend_arms(top):
        stance = replace(stance, gestures=("down", "down"))
    # tucked in: it ends below the waist, narrower than the hips
    tucked = replace(top, length=108.0, flare=-12.0, waist_width=38.0, hem="straight", chest=46.0)
    scale = _scale_of(tucked)
    build = replace(_build_of(tucked, scale), hip=40.0)
    shirt = draw_top(tucked, Pose(hanging=False, arms=stance.arms))
    markup, box = _place_bottom(bottom)
    behind = draw_behind(person, build, stance)
    behind += placed(shirt.markup, across=scale, down=scale)
    if stance.facing == "front":
        behind += _throat(tucked, person, scale, under="#e8e6e1")
    behind += draw_head(person, facing=stance.facing)
    front = _fill_waist(bottom, shade(top.fabric.pattern.ground, 0.86))
    front += draw_front(person, build, stance)
    across = 43 / bottom.hip
    repeat = _repeat(bottom.fabric, across, min(across, _longest(bottom)))
    return Worn(behind, markup, front, box, _around(box, build), repeat=repeat)


def _longest(bottom: Bottom) -> float:
    """Return the scale at which a bottom reaches the floor."""
    return (FLOOR - WAIST - 4) / bottom.length


def _wear_hat(hat: Hat, person: Person, stance: Stance, generator: np.random.Generator) -> Worn:
    top = _sample_top(generator)
    scale = _scale_of(top)
    build = _build_of(top, scale)
    shirt = draw_top(top, Pose(hanging=False, arms=stance.arms))
    size, y = {
        "cap": (0.25, -69.0),
        "cap-side": (0.27, -61.0),
        "beanie": (0.265, -65.0),
        "brimmed": (0.36, -68.0),
        "bucket": (0.335, -66.0),
    }.get(hat.kind, (0.27, -62.0))
    facing = "side" if hat.kind == "cap-side" else stance.facing
    behind = draw_behind(person, build, replace(stance, gestures=("down", "down")))
    behind += _place_bottom(_plain(_sample_bottom(generator)))[0]
    behind += placed(shirt.markup, across=scale, down=scale)
    behind += _throat(top, person, scale, under="#e8e6e1") if facing != "back" else ""
    behind += draw_head(person, facing=facing)
    drawing = draw_hat(hat)
    box = _box(drawing, y=y, across=size, down=size)
    markup = placed(drawing.markup, y=y, across=size, down=size)
    repeat = _repeat(hat.fabric, size, size)
    return Worn(behind, markup, "", box, _around(box, build), repeat=repeat)


def _wear_shoes(shoes: Shoes, person: Person, generator: np.random.Generator) -> Worn:
    """Return shoes on legs; sandals stand on the ground, since a foot would lie on their straps."""
    turned = round(float(generator.uniform(0, 6)), 1)
    drawing = draw_shoes(shoes, Pose(hanging=False, turned=turned))
    box = (-drawing.half_width, drawing.top, drawing.half_width, drawing.bottom)
    names = ("denim", "navy", "black", "beige", "grey", "olive")
    trousers = sample_shade(generator, names[int(generator.integers(len(names)))])
    bare = bool(generator.random() < 0.4) or shoes.kind in ("pump", "ballerina")
    leg = person.skin if bare else trousers
    figure = (box[0] - 40, box[1] - 150, box[2] + 40, box[3] + 40)
    if shoes.kind in _OPEN_SHOES:
        return Worn("", drawing.markup, "", box, figure, from_above=True)
    if shoes.kind in _FROM_ABOVE:
        front = ""
        for side in (-1, 1):
            x = 43 * side
            shin = f"M{x - 15} 44C{x - 20} 90 {x - 26} 180 {x - 34 + side * 8} 420"
            shin += f"H{x + 34 + side * 8}C{x + 26} 180 {x + 20} 90 {x + 15} 44"
            # of a foot in a low shoe the instep shows
            instep = -34 if shoes.kind == "ballerina" else 22
            shin += f"C{x + 21} {instep} {x - 21} {instep} {x - 15} 44Z"
            front += filled(shin, leg) + line(shin, shade(leg, 0.65), 1.6)
            if not bare:
                crease = f"M{x} 60Q{x + 5} 160 {x + side * 6} 400"
                front += line(crease, shade(leg, 0.75), 3, opacity=0.6)
        return Worn("", drawing.markup, front, box, (box[0], box[1], box[2], 330), from_above=True)
    height = {"boot": 40 + 70 * shoes.shape, "high-top": 54.0, "pump": 4.0}.get(shoes.kind, 26.0)
    heel = 16 - 36 * shoes.shape if shoes.kind == "pump" else 0.0
    behind_y = -66.0 if shoes.kind == "boot" else -76.0
    front = ""
    for heel_x, y, size in ((15 - 58 * 0.94, behind_y, 0.94), (-66.0, 0.0, 1.0)):
        ankle = y - (height - heel - 8) * size
        # a bare ankle fills the shoe, trousers hang over it
        half, low = (20 * size, ankle) if bare else (29 * size, ankle + 12)
        left, right = heel_x - half, heel_x + half
        data = f"M{left:.1f} {low:.1f}C{left - 2:.1f} {low - 70:.1f} {left - 12:.1f} "
        data += f"{low - 140:.1f} {left - 8:.1f} {low - 420:.1f}H{right + 10:.1f}C{right + 6:.1f} "
        data += f"{low - 140:.1f} {right:.1f} {low - 70:.1f} {right:.1f} {low:.1f}"
        data += f"Q{heel_x:.1f} {low + 7:.1f} {left:.1f} {low:.1f}Z"
        tone = leg if size == 1 else shade(leg, 0.85)
        front += filled(data, tone) + line(data, shade(leg, 0.6), 1.6)
    return Worn("", drawing.markup, front, box, figure, from_above=True)


def _carry(thing: Carried, person: Person, stance: Stance, generator: np.random.Generator) -> Worn:
    """Return a bag or belt in the hand of a dressed person, glasses on the nose, or it lies."""
    lies, variant = bool(generator.random() < 0.35), int(generator.integers(3))
    worn_as_glasses = isinstance(thing, Eyewear) and not lies
    drawing = draw_carried(thing, variant=1 if worn_as_glasses else variant)
    top, bottom = _sample_top(generator), _sample_bottom(generator)
    if lies:
        box = _box(drawing, y=0, across=1, down=1)
        return Worn("", drawing.markup, "", box, box, from_above=True)
    scale = _scale_of(top)
    build = _build_of(top, scale)
    down = replace(stance, gestures=("down", "down"), facing="front")
    shirt = draw_top(top, Pose(hanging=False, arms=stance.arms))
    behind = draw_behind(person, build, down) + _place_bottom(_plain(bottom))[0]
    behind += placed(shirt.markup, across=scale, down=scale)
    behind += _throat(top, person, scale, under="#e8e6e1") + draw_head(person, facing="front")
    if worn_as_glasses:
        size, x, y = 18.5 / drawing.half_width, 0.0, -43.5
    else:
        longest = max(2 * drawing.half_width, drawing.bottom - drawing.top)
        size = 76 / longest
        x, y = reach(build.arm, stance.arms[1], 114 * scale)
        y += 4 - drawing.top * size
    markup = placed(drawing.markup, x=x, y=y, across=size, down=size)
    left, upper, right, lower = _box(drawing, y=y, across=size, down=size)
    box = (left + x, upper, right + x, lower)
    fingers = "" if worn_as_glasses else draw_fist(person, (x, upper + 1))
    return Worn(behind, markup, fingers, box, _around(box, build))
