"""Parts of birds that stand off the body: eye, legs and tail, and what feathers are made of."""

from __future__ import annotations

import math

from bench_atelier.bird_colours import Tint, dye, paint
from bench_atelier.bird_shapes import Body
from bench_atelier.bird_surface import turned
from bench_atelier.birds import Bird
from bench_atelier.colours import luminance, shade
from bench_atelier.outline import (
    Point,
    between,
    closed_path,
    disc,
    line,
    open_path,
)


def place(markup: str, at: Point, degrees: float, *, flip: bool = False) -> str:
    """Return the markup moved to a point and turned, clockwise as seen; `flip` mirrors it first."""
    mirrored = " scale(1 -1)" if flip else ""
    return (
        f'<g transform="translate({at[0]:.1f} {at[1]:.1f}) rotate({degrees:.1f}){mirrored}">'
        f"{markup}</g>"
    )


def feather(root: Point, tip: Point, width: float, fill: str, edge: str) -> str:
    """Return one feather: a vane with a round tip, its edge and its shaft."""
    length = max(math.dist(root, tip), 0.1)
    across = (-(tip[1] - root[1]) / length * width / 2, (tip[0] - root[0]) / length * width / 2)

    def side(share: float, sign: float) -> Point:
        x, y = between(root, tip, share)
        return x + across[0] * sign, y + across[1] * sign

    data = closed_path(
        side(0, 0.55),
        [
            (side(0.3, 1.15), side(0.7, 1.1), side(0.88, 0.85)),
            (side(0.99, 0.55), tip),
            (side(0.99, -0.55), side(0.88, -0.85)),
            (side(0.7, -1.1), side(0.3, -1.15), side(0, -0.55)),
        ],
    )
    return (
        f'<path d="{data}" fill="{fill}" stroke="{edge}" stroke-width="0.5" stroke-opacity="0.7"/>'
    )


def draw_eye(bird: Bird, centre: Point, radius: float, tint: Tint) -> str:
    """Return an eye with its lid, iris, pupil and the light in it."""
    iris = dye(bird.eye, tint)
    x, y = centre
    pupil = disc(centre, radius * 0.55, "#0b0b0d") if luminance(iris) > 0.16 else ""
    return (
        disc(centre, radius * 1.22, "#17161a")
        + disc(centre, radius, iris)
        + pupil
        + disc((x + radius * 0.32, y - radius * 0.36), radius * 0.27, "#ffffff")
    )


def draw_leg(bird: Bird, body: Body, hip: Point, foot: Point, tint: Tint, *, grip: bool) -> str:
    """Return a leg from hip to foot, feathered above and scaly below, with toes or a web.

    `grip` bends the toes around a branch.
    """
    colour, width = dye(bird.leg, tint), body.leg_width
    dark = shade(colour, 0.55)
    ankle = between(hip, foot, 0.42)
    heel = (ankle[0] - math.dist(hip, foot) * 0.16, ankle[1])
    shank = open_path(hip, [(heel,), (foot,)])
    x, y = foot
    reach = 4.5 + width * 1.5
    toes = ((reach, 0.6), (reach * 0.85, 2.6), (reach * 0.45, 4), (-reach * 0.6, 1.2))
    toe = 0.7 + width * 0.45
    markup = line(shank, dark, width + 0.7) + line(shank, colour, width)
    rings = between(heel, foot, 0.5)
    markup += line(open_path(heel, [(rings,)]), "#ffffff", width * 0.3, opacity=0.2)
    if grip:
        data = "".join(
            open_path((x, y), [((x + shift, y - 0.6), (x + shift, y + 4.2))])
            for shift in (reach * 0.62, reach * 0.28, -reach * 0.3)
        )
        return markup + line(data, dark, toe + 0.7) + line(data, colour, toe)
    if body.feet == "webs":
        web = closed_path(
            (x - 1, y),
            [
                ((x + reach * 1.25, y + 0.6),),
                ((x + reach * 0.9, y + 1.8), (x + reach * 0.85, y + 3)),
                ((x + reach * 0.5, y + 2.6), (x + reach * 0.2, y + 4)),
            ],
        )
        markup += f'<path d="{web}" fill="{colour}" stroke="{dark}" stroke-width="0.6"/>'
    data = "".join(open_path((x, y), [((x + dx, y + dy),)]) for dx, dy in toes)
    return markup + line(data, dark, toe + 0.6) + line(data, colour, toe)


def draw_tail(bird: Bird, body: Body, spread: float, tint: Tint) -> tuple[str, Point]:
    """Return a tail that points along the x axis from the origin, and the point in its middle.

    `spread` opens it (0 folded, 1 fanned).
    """
    length, width = body.tail
    fill, tone = paint(bird.upper_tail, tint), dye(bird.upper_tail, tint)
    mark, edge = dye(bird.upper_mark, tint), shade(tone, 0.55)
    fanned = bird.tail_shape == "fan-shaped_tail"
    half = width * (0.5 + 0.5 * spread) * (1.75 if fanned else 1)
    count = 4  # pairs of feathers; the middle pair lies on top
    markup = ""
    tips: list[tuple[Point, Point]] = []
    for index in range(count, -1, -1):
        share = index / count  # 1 at the outermost
        reach = (
            length
            * {
                "forked_tail": 0.62 + 0.68 * share * share,
                "notched_tail": 0.86 + 0.16 * share,
                "rounded_tail": 1.0 - 0.24 * share * share,
                "pointed_tail": 1.3 - 0.62 * share,
                "fan-shaped_tail": 1.0 - 0.12 * share * share,
                "squared_tail": 0.95,
            }[bird.tail_shape]
        )
        for sign in (1, -1) if index else (1,):
            root, tip = (0.0, sign * share * 2.2), (reach, sign * share * half)
            outer = bird.tail_pattern == "multi-colored" and share > 0.6
            vane = mark if outer else fill
            thick = width * 0.3 + half * 0.26
            markup += feather(root, tip, thick, vane, edge)
            tips.append((root, tip))
    for root, tip in tips:
        if bird.tail_pattern == "striped":
            markup += crossbars(root, tip, width * 0.26, mark)
        elif bird.tail_pattern == "spotted":
            for share in (0.45, 0.66, 0.88):
                markup += disc(between(root, tip, share), width * 0.085, mark)
    shafts = "".join(open_path(root, [(between(root, tip, 0.95),)]) for root, tip in tips)
    return markup + line(shafts, edge, 0.4, opacity=0.5), (length * 0.6, 0)


def crossbars(root: Point, tip: Point, width: float, colour: str) -> str:
    """Return the bars across one feather."""
    length = math.dist(root, tip)
    x, y = -(tip[1] - root[1]) / length * width / 2, (tip[0] - root[0]) / length * width / 2
    data = ""
    for share in (0.3, 0.47, 0.64, 0.81, 0.95):
        at = between(root, tip, share)
        data += open_path((at[0] - x, at[1] - y), [((at[0] + x, at[1] + y),)])
    return line(data, colour, max(1.5, length * 0.055), opacity=0.95)


def offset(at: Point, degrees: float, local: Point) -> Point:
    """Return the point of a part's own coordinates once `place` has moved and turned it."""
    return turned((at[0] + local[0], at[1] + local[1]), at, -degrees)
