"""Sleeves of every length and shape, their cuffs, flounces and turned-up ends."""

from __future__ import annotations

import math
from dataclasses import dataclass

from bench_atelier.colours import shade
from bench_atelier.fabric import band, button, cloth, gathers, ribs, wavy_strip
from bench_atelier.garments import Top
from bench_atelier.outline import (
    Point,
    Segment,
    between,
    closed_path,
    filled,
    line,
    open_path,
)
from bench_atelier.top_lines import TopLines

# along the arm, in drawing units; the hand begins at 118
SLEEVE_LENGTHS = {
    "cap": 22.0,
    "short": 40.0,
    "elbow": 66.0,
    "three-quarter": 88.0,
    "wrist": 104.0,
    "long": 118.0,
    "extra-long": 146.0,
}
# those that cover the elbow, so that the arm shows its bend
LONG_SLEEVES = ("three-quarter", "wrist", "long", "extra-long")
# the width of the end over that of the armhole
_TAPERS = {"cap": 0.72, "short": 0.7, "elbow": 0.56, "three-quarter": 0.5}
_FULL_LENGTH_TAPER = 0.42


@dataclass(frozen=True)
class Arm:
    """The middle line of a sleeve: from the middle of the armhole, in one direction."""

    start: Point
    along: Point
    armhole: float
    length: float
    end_width: float

    def place(self, distance: float, across: float) -> Point:
        """Return the point so far along the arm and so far outwards of its middle line."""
        return (
            self.start[0] + self.along[0] * distance + self.along[1] * across,
            self.start[1] + self.along[1] * distance - self.along[0] * across,
        )

    @property
    def ends(self) -> tuple[Point, Point]:
        """Return the outer and the inner end of the cuff."""
        half = self.end_width / 2
        return self.place(self.length, half), self.place(self.length, -half)


def find_arm(top: Top, lines: TopLines, angle: float) -> Arm:
    """Return the arm of a top that has sleeves; the angle is in degrees from the horizontal."""
    armhole = math.dist(lines.sleeve_top, lines.armpit)
    taper = _TAPERS.get(top.sleeve_length, _FULL_LENGTH_TAPER)
    if top.sleeve_shape == "bell":
        taper = 1.35 if top.sleeve_length in LONG_SLEEVES else 1.15
    elif top.sleeve_shape == "puff":
        taper = min(taper, 0.52)
    return Arm(
        start=between(lines.sleeve_top, lines.armpit, 0.5),
        along=(math.cos(math.radians(angle)), math.sin(math.radians(angle))),
        armhole=armhole,
        length=SLEEVE_LENGTHS[top.sleeve_length],
        end_width=armhole * taper,
    )


def sleeve_reach(top: Top, lines: TopLines, angle: float) -> list[Point]:
    """Return the outermost points of a sleeve: what has to fit into the picture."""
    arm = find_arm(top, lines, angle)
    points = list(arm.ends)
    if top.sleeve_shape == "puff":
        points += [arm.place(arm.length * 0.5, side * arm.armhole * 0.85) for side in (1, -1)]
    elif top.sleeve_shape in ("ruffled", "bell", "rolled"):
        half = max(arm.armhole * 0.55, arm.end_width * 0.8)
        points += [arm.place(arm.length + 10, side * half) for side in (1, -1)]
    return points


def draw_sleeve(top: Top, lines: TopLines, *, part: str, angle: float, bend: float) -> str:
    """Return the right sleeve; `part` names the cloth, `bend` moves the elbow outwards."""
    arm = find_arm(top, lines, angle)
    drawers = {"puff": _puff, "bell": _bell, "batwing": _batwing}
    drawer = drawers.get(top.sleeve_shape, _plain)
    markup = drawer(top, lines, arm, part, bend)
    if top.pockets == "sleeve":
        markup += _pocket(top, arm, part, bend)
    return markup


def _tube(top: Top, lines: TopLines, arm: Arm, part: str, bends: tuple[Point, Point]) -> str:
    """Return a sleeve whose two edges bend through one point each."""
    upper, lower = arm.ends
    # the cloth reaches under the body so that no gap opens at steep angles
    root: Point = (lines.armpit[0] - 8, lines.armpit[1] + 4)
    segments: list[Segment] = [(bends[0], upper), (lower,), (bends[1], lines.armpit), (root,)]
    return cloth(top.fabric, closed_path(lines.sleeve_top, segments), part=part)


def _fold(top: Top, arm: Arm, bend: float) -> str:
    start, end = (
        arm.place(arm.length * 0.3, bend * 0.6 - 4),
        arm.place(arm.length * 0.55, bend + 5),
    )
    return line(open_path(start, [(end,)]), top.fabric.dark, 1.6, opacity=0.3)


def _plain(top: Top, lines: TopLines, arm: Arm, part: str, bend: float) -> str:
    middle_width = arm.armhole * 0.4 + arm.end_width * 0.32
    bends = (
        arm.place(arm.length * 0.5, bend + middle_width * 0.56),
        arm.place(arm.length * 0.5, bend - middle_width * 0.5),
    )
    markup = _tube(top, lines, arm, part, bends) + _fold(top, arm, bend)
    if top.sleeve_shape == "ruffled":
        return markup + _flounces(top, arm, part)
    if top.sleeve_shape == "rolled":
        return markup + _rolled_end(top, arm)
    if top.sleeve_length == "extra-long":  # too much cloth lies in folds above the hand
        for step in (0.66, 0.74, 0.82, 0.9):
            half = arm.end_width * 0.62
            crease = open_path(
                arm.place(arm.length * step, half * 0.9),
                [(arm.place(arm.length * (step + 0.03), 0), arm.place(arm.length * step, -half))],
            )
            markup += line(crease, top.fabric.dark, 1.5, opacity=0.45)
    return markup + _cuff(top, arm, bends)


def _cuff(top: Top, arm: Arm, bends: tuple[Point, Point]) -> str:
    upper, lower = arm.ends
    long = top.sleeve_length in LONG_SLEEVES
    share = (9 if long else 4) / (arm.length * 0.5)
    inner_upper, inner_lower = between(upper, bends[0], share), between(lower, bends[1], share)
    data = closed_path(inner_upper, [(upper,), (lower,), (inner_lower,)])
    if top.hem == "ribbed" and long:
        return band(data, top.fabric.trim) + ribs((inner_upper, inner_lower), (upper, lower), 7)
    if long and top.collar in ("shirt", "lapel"):
        knob = between(inner_lower, upper, 0.35)
        ground = top.fabric.pattern.ground
        return line(data, top.fabric.dark, 1.1) + button(knob, 1.5, shade(ground, 1.5))
    stitches = open_path(inner_upper, [(inner_lower,)])
    return line(stitches, top.fabric.thread, 0.8, dashes="2 1.4", opacity=0.9)


def _puff(top: Top, lines: TopLines, arm: Arm, part: str, bend: float) -> str:
    place, length, wide = arm.place, arm.length, arm.armhole * 0.88
    upper, lower = place(length - 6, arm.end_width / 2), place(length - 6, -arm.end_width / 2)
    root: Point = (lines.armpit[0] - 8, lines.armpit[1] + 4)
    data = closed_path(
        lines.sleeve_top,
        [
            (place(-length * 0.02, wide), place(length * 0.8, wide + bend), upper),
            (lower,),
            (place(length * 0.85, -wide * 0.95 + bend), place(length * 0.3, -wide * 0.7), root),
        ],
    )
    folds = ""
    for across in (-0.5, -0.2, 0.1, 0.4):
        folds += open_path(
            place(2, across * wide * 0.8 + 4),
            [
                (
                    place(length * 0.2, across * wide * 1.3 + 4),
                    place(length * 0.4, across * wide * 1.5),
                ),
            ],
        )
        folds += open_path(
            place(length - 7, across * arm.end_width),
            [
                (
                    place(length * 0.8, across * wide),
                    place(length * 0.62, across * wide * 1.4 + bend),
                )
            ],
        )
    outer, inner = arm.ends
    cuff = closed_path(upper, [(outer,), (inner,), (lower,)])
    return (
        cloth(top.fabric, data, part=part)
        + line(folds, top.fabric.dark, 1.4, opacity=0.5)
        + band(cuff, top.fabric.trim)
    )


def _bell(top: Top, lines: TopLines, arm: Arm, part: str, bend: float) -> str:
    place, length = arm.place, arm.length
    narrow = arm.armhole * 0.3
    bends = (place(length * 0.62, bend + narrow), place(length * 0.62, bend - narrow))
    upper, lower = arm.ends
    mouth = open_path(upper, [(place(length + 12, 0), lower), (place(length - 9, 0), upper)])
    folds = "".join(
        open_path(place(length * 0.6, share * narrow * 1.2 + bend), [(place(length, end),)])
        for share, end in ((-0.4, -arm.end_width * 0.22), (0.4, arm.end_width * 0.22))
    )
    return (
        filled(mouth, shade(top.fabric.dark, 0.7))
        + _tube(top, lines, arm, part, bends)
        + filled(mouth, shade(top.fabric.dark, 0.75))
        + line(folds, top.fabric.dark, 1.5, opacity=0.45)
    )


def _batwing(top: Top, lines: TopLines, arm: Arm, part: str, bend: float) -> str:
    """Return a sleeve cut in one with the side of the body, from the waist to the cuff."""
    place, length = arm.place, arm.length
    upper, lower = arm.ends
    foot = (lines.waist[0], lines.waist[1] - 2)
    under = (lines.waist[0] + 4, (lower[1] + foot[1]) / 2 if lower[1] < foot[1] else foot[1] - 8)
    data = closed_path(
        lines.sleeve_top,
        [
            (place(length * 0.5, bend * 0.4 + arm.armhole * 0.42), upper),
            (lower,),
            (under, foot),
            ((lines.waist[0] - 12, foot[1]),),
            ((lines.armpit[0] - 12, lines.armpit[1]),),
        ],
    )
    start = (lines.sleeve_top[0] - 4, lines.sleeve_top[1] + 26)
    drapes = "".join(
        open_path((start[0], start[1] + drop), [(between(foot, lower, share),)])
        for drop, share in ((4, 0.25), (-4, 0.55))
    )
    bends = (between(lines.sleeve_top, upper, 0.5), between(lower, foot, 0.4))
    return (
        cloth(top.fabric, data, part=part)
        + line(drapes, top.fabric.dark, 1.6, opacity=0.4)
        + _cuff(top, arm, bends)
    )


def _flounces(top: Top, arm: Arm, part: str) -> str:
    """Return two tiers of flounces over the end of the sleeve."""
    markup = ""
    for step, reach in ((10, 22), (-4, 14)) if arm.length > 30 else ((-4, 12),):
        half = arm.end_width * 0.5 + 2
        upper = [arm.place(arm.length - step, -half), arm.place(arm.length - step, half)]
        wide = half * 1.5
        end = arm.length - step + reach
        lower = [arm.place(end, -wide), arm.place(end, wide)]
        markup += _flounce(top, upper, lower, part)
    return markup


def _flounce(top: Top, upper: list[Point], lower: list[Point], part: str) -> str:
    data = wavy_strip(upper, lower, waves=4)
    folds = gathers(upper, lower, top.fabric.dark, count=5)
    return cloth(top.fabric, data, part=part) + folds


def _rolled_end(top: Top, arm: Arm) -> str:
    """Return the end turned up: the inside of the cloth, a little wider than the sleeve."""
    half = arm.end_width / 2 + 2.6
    deep = min(15.0, arm.length * 0.36)
    corners = [
        arm.place(arm.length + 1, half),
        arm.place(arm.length + 1, -half),
        arm.place(arm.length - deep, -half - 1),
        arm.place(arm.length - deep, half + 1),
    ]
    inside = shade(top.fabric.pattern.ground, 1.45 if top.fabric.is_dark else 0.72)
    roll = band(closed_path(corners[0], [(corner,) for corner in corners[1:]]), inside)
    edge = open_path(
        between(corners[0], corners[3], 0.5), [(between(corners[1], corners[2], 0.5),)]
    )
    return roll + line(edge, top.fabric.dark, 1.2, opacity=0.7)


def _pocket(top: Top, arm: Arm, part: str, bend: float) -> str:
    """Return a small flapped pocket on the upper arm."""
    near, far = arm.length * 0.2 + 3, min(arm.length * 0.62, arm.length * 0.2 + 27)
    across = (bend * 0.5 + 9, bend * 0.5 - 8)
    corners = [arm.place(near, across[0]), arm.place(near, across[1])]
    corners += [arm.place(far, across[1]), arm.place(far, across[0])]
    flap = [between(corners[1], corners[2], 0.34), between(corners[0], corners[3], 0.34)]
    patch = closed_path(corners[0], [(corner,) for corner in corners[1:]])
    tone = shade(top.fabric.pattern.ground, 0.78)
    return (
        cloth(top.fabric, patch, part=part)
        + line(patch, top.fabric.dark, 1.6)
        + band(closed_path(corners[0], [(corners[1],), (flap[0],), (flap[1],)]), tone)
        + button(between(flap[0], flap[1], 0.5), 1.5, "#c9c9cc")
    )
