"""Dresses, shirts, sweaters and coats: body, sleeves, hem, fastening, pockets."""

from __future__ import annotations

import math
from dataclasses import dataclass

from bench_atelier.collars import draw_hood, draw_neck
from bench_atelier.colours import luminance, shade
from bench_atelier.fabric import band, button, cloth, fabric_definitions, ribs
from bench_atelier.garments import Drawing, Pose, Top
from bench_atelier.motifs import graphic
from bench_atelier.outline import (
    Point,
    Segment,
    between,
    both_sides,
    closed_path,
    filled,
    line,
    open_path,
    symmetric_path,
)
from bench_atelier.top_lines import TopLines

_SLEEVE_LENGTHS = {"cap": 22.0, "short": 40.0, "elbow": 66.0, "long": 118.0}


def draw_top(top: Top, pose: Pose) -> Drawing:
    """Return the drawing of a garment for the upper body; its shoulders are at y = 0."""
    lines = TopLines(top)
    left, right = pose.arms
    turns = {"body": 0.0, "left": left - 90, "right": right - 90}
    markup = f"<defs>{fabric_definitions(top.fabric, turns)}</defs>"
    if pose.hanging:
        markup += _hanger(lines)
    markup += draw_hood(top, lines) if top.collar == "hood" else ""
    markup += _inside(top, lines)
    if top.sleeve_length != "sleeveless":
        arms = (("left", left, pose.bends[0]), ("right", right, pose.bends[1]))
        for part, angle, bend in arms:
            sleeve = _sleeve(top, lines, part=part, angle=angle, bend=bend)
            markup += sleeve if part == "right" else f'<g transform="scale(-1 1)">{sleeve}</g>'
    markup += cloth(top.fabric, symmetric_path(lines.neck_low, lines.body))
    markup += _body_details(top, lines) + _fastening(top, lines) + _pockets(top, lines)
    markup += draw_neck(top, lines)
    headroom = {"hood": 29.0, "turtleneck": 17.0, "stand": 14.0}.get(top.collar, 6.0)
    half_width, bottom = max(lines.hem[0], lines.armpit[0]) + 3, lines.hem_y + 8
    if top.sleeve_length != "sleeveless":
        for angle in pose.arms:
            for x, y in _arm(top, lines, angle).ends:
                half_width, bottom = max(half_width, x + 3), max(bottom, y + 3)
    return Drawing(
        markup,
        half_width=half_width,
        top=lines.y - (28 if pose.hanging else headroom),
        bottom=bottom,
    )


def _hanger(lines: TopLines) -> str:
    y = lines.y
    hook = f"M0 {y + 2:.0f}V{y - 8:.0f}Q0 {y - 13:.0f} 5 {y - 16:.0f}Q9 {y - 22:.0f} 2 {y - 25:.0f}"
    hook += f"Q-5 {y - 26:.0f} -6 {y - 19:.0f}"
    arms = symmetric_path((0, y + 1), [((lines.shoulder[0] - 3, lines.shoulder[1] + 4),)])
    return line(hook, "#54555a", 2.2) + line(arms, "#2c2a2b", 5)


def _inside(top: Top, lines: TopLines) -> str:
    """Return the inside of the back, seen through the neckline, with the label."""
    if lines.strapped:
        strap = open_path(
            (lines.neck_side[0] + 1, lines.neck_side[1] + 3),
            [((lines.neck_side[0] + 2, lines.y + 12), (lines.neck_side[0] - 7, lines.y - 4))],
        )
        rear = symmetric_path((0, lines.neck_low[1] + 6), [(lines.neck_side,)])
        tone = shade(top.fabric.pattern.ground, 0.72)
        return both_sides(line(strap, tone, 3.4)) + filled(rear, tone)
    if top.collar == "turtleneck":
        return ""
    back: list[Segment] = [((lines.neck_side[0] * 0.6, lines.y + 6), lines.neck_side)]
    front = [*back, (lines.shoulder,), ((0, lines.neck_low[1] + 8),)]
    inside = filled(symmetric_path((0, lines.y + 5), front), shade(top.fabric.dark, 0.85))
    label = f'<rect x="-5" y="{lines.y + 6:.1f}" width="10" height="6" fill="#e9e6df"/>'
    return inside + (label if top.neck_depth > 12 else "")


@dataclass(frozen=True)
class _Arm:
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


def _arm(top: Top, lines: TopLines, angle: float) -> _Arm:
    armhole = math.dist(lines.shoulder, lines.armpit)
    taper = {"cap": 0.72, "short": 0.7, "elbow": 0.56, "long": 0.42}[top.sleeve_length]
    return _Arm(
        start=between(lines.shoulder, lines.armpit, 0.5),
        along=(math.cos(math.radians(angle)), math.sin(math.radians(angle))),
        armhole=armhole,
        length=_SLEEVE_LENGTHS[top.sleeve_length],
        end_width=armhole * taper,
    )


def _sleeve(top: Top, lines: TopLines, *, part: str, angle: float, bend: float) -> str:
    arm = _arm(top, lines, angle)
    place, length = arm.place, arm.length
    middle_width = arm.armhole * 0.4 + arm.end_width * 0.32
    upper, lower = arm.ends
    upper_bend = place(length * 0.5, bend + middle_width * 0.56)
    lower_bend = place(length * 0.5, bend - middle_width * 0.5)
    # the cloth reaches under the body so that no gap opens at steep angles
    root: Point = (lines.armpit[0] - 8, lines.armpit[1] + 4)
    data = closed_path(
        lines.shoulder,
        [(upper_bend, upper), (lower,), (lower_bend, lines.armpit), (root,)],
    )
    markup = cloth(top.fabric, data, part=part)
    fold = open_path(place(length * 0.3, bend * 0.6 - 4), [(place(length * 0.55, bend + 5),)])
    markup += line(fold, top.fabric.dark, 1.6, opacity=0.3)
    return markup + _cuff(top, upper, lower, (upper_bend, lower_bend), length)


def _cuff(top: Top, upper: Point, lower: Point, bends: tuple[Point, Point], length: float) -> str:
    long = top.sleeve_length == "long"
    share = (9 if long else 4) / (length * 0.5)
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


def _body_details(top: Top, lines: TopLines) -> str:
    fabric, hem_y = top.fabric, lines.hem_y
    markup = ""
    if fabric.texture == "quilted":
        markup += _quilting(top, lines)
    if top.waist:
        seam_half = lines.waist[0]
        seam = symmetric_path(
            (0, lines.waist[1] + 2), [((seam_half, lines.waist[1]),)], closed=False
        )
        markup += line(seam, fabric.dark, 1.2)
        gathers = ""
        for index in range(-4, 5):
            x = index * seam_half / 4.6
            foot = x * lines.hem[0] / seam_half
            reach = lines.waist[1] + (hem_y - lines.waist[1]) * (0.5 + 0.12 * (index % 3))
            share = (reach - lines.waist[1]) / (hem_y - lines.waist[1])
            gathers += open_path((x, lines.waist[1] + 3), [((x + (foot - x) * share, reach),)])
        markup += line(gathers, fabric.dark, 1.3, opacity=0.35)
    if fabric.pattern.name == "graphic":
        place = lines.armpit[1] + top.length * 0.06
        colours = (fabric.pattern.second, fabric.pattern.third)
        size = top.chest * (0.4 + 0.3 * fabric.pattern.weight)
        figure = graphic(fabric.pattern.style, size, *colours, choice=fabric.pattern.arrangement)
        markup += f'<g transform="translate(0 {place:.1f})">{figure}</g>'
    return markup + _hem(top, lines)


def _quilting(top: Top, lines: TopLines) -> str:
    seams = lights = ""
    step = 13 + 10 * top.fabric.pattern.weight
    y = lines.armpit[1] - 24
    while y < lines.hem_y - 8:
        half = lines.width_at(max(y, lines.armpit[1])) - 1
        seam: Segment = ((half * 0.6, y + 3), (half, y))
        light: Segment = ((half * 0.5, y + 8), (half * 0.85, y + 6))
        seams += symmetric_path((0, y + 3), [seam], closed=False)
        lights += symmetric_path((0, y + 8), [light], closed=False)
        y += step
    dark = line(seams, top.fabric.dark, 1.6, opacity=0.75)
    return dark + line(lights, "#ffffff", 3.2, opacity=0.16)


def _hem(top: Top, lines: TopLines) -> str:
    fabric, hem_y, half = top.fabric, lines.hem_y, lines.hem[0]
    if top.hem == "ribbed":
        depth = 11.0
        inner = lines.width_at(hem_y - depth)
        low = ((half * 0.5, hem_y + lines.hem_dip), (half, hem_y))
        data = symmetric_path((0, hem_y + lines.hem_dip), [low, ((inner, hem_y - depth),)])
        edges = ((-inner, hem_y - depth), (inner, hem_y - depth)), ((-half, hem_y), (half, hem_y))
        return band(data, fabric.trim) + ribs(*edges, 26)
    if top.hem == "ruffle":
        y, wave = hem_y - 15, ""
        inner = lines.width_at(y)
        for index in range(12):
            x = -inner + (index + 0.5) * inner / 6
            wave += f"M{x:.1f} {y:.1f}L{x * half / inner:.1f} {hem_y + 1:.1f}"
        seam = open_path((-inner, y), [((0, y + 5), (inner, y))])
        return line(wave, fabric.dark, 1.2, opacity=0.4) + line(seam, fabric.dark, 1.3)
    rise = 3.5
    if top.hem == "curved":
        start: Point = (0, hem_y + lines.hem_dip - rise)
        curve: Segment = ((half * 0.5, hem_y + lines.hem_dip - rise), (half - 1, hem_y - 14))
        stitches = symmetric_path((0, start[1]), [curve], closed=False)
    else:
        low_y = hem_y + lines.hem_dip - rise
        curve = ((half * 0.5, low_y), (half - 1, hem_y - rise))
        stitches = symmetric_path((0, low_y), [curve], closed=False)
    return line(stitches, fabric.thread, 0.8, dashes="2 1.4", opacity=0.9)


def _fastening(top: Top, lines: TopLines) -> str:
    fabric = top.fabric
    first, last = lines.neck_low[1] + 2, lines.hem_y + lines.hem_dip
    if top.fastening == "none":
        return ""
    if top.fastening == "zip":
        data = open_path((0, first - 3), [((0, last),)])
        pull = f'<rect x="-1.6" y="{first + 2:.1f}" width="3.2" height="7" rx="1" fill="#c9c9cc"/>'
        teeth = line(data, "#d0d0d3", 1.5, dashes="1.2 1.2")
        return line(data, shade(fabric.dark, 0.8), 4) + teeth + pull
    ground = fabric.pattern.ground
    dark_cloth = luminance(ground) < 0.5
    knob = shade(ground, 1.55) if dark_cloth or top.collar == "shirt" else shade(ground, 0.45)
    if top.fastening == "double-breasted":
        markup = line(open_path((-13, first), [((-13, last),)]), fabric.dark, 1.2)
        y = first + 14
        while y < first + 75:
            markup += button((-6, y), 2.8, knob) + button((14, y), 2.8, knob)
            y += 22
        return markup
    size = 2.6 if top.category == "outwear" else 1.8
    if top.fastening == "half-buttons":
        last = first + 38
    edge = open_path((-4.5, first - 2), [((-4.5, last),)])
    edge += open_path((4.5, first - 1), [((4.5, last),)])
    if top.fastening == "half-buttons":
        edge += open_path((-4.5, last), [((4.5, last),)])
    markup = line(edge, fabric.dark, 1, opacity=0.8)
    step, y = (12.5 if top.fastening == "half-buttons" else 18.0), first + 5
    while y < last - 5:
        markup += button((0, y), size, knob)
        y += step
    return markup


def _pockets(top: Top, lines: TopLines) -> str:
    fabric, chest = top.fabric, top.chest
    if top.pockets == "chest":
        x, y, width = chest * 0.26, lines.armpit[1] - 8, chest * 0.4
        data = f"M{x:.1f} {y:.1f}h{width:.1f}v{width * 0.85:.1f}l{-width / 2:.1f} "
        data += f"{width * 0.2:.1f}l{-width / 2:.1f} {-width * 0.2:.1f}Z"
        return cloth(fabric, data)
    low = lines.y + top.length * 0.66
    if top.pockets == "patch":
        x, width = chest * 0.24, chest * 0.52
        data = f"M{x:.1f} {low:.1f}h{width:.1f}v{width:.1f}h{-width:.1f}Z"
        flap = f"M{x:.1f} {low:.1f}h{width:.1f}v7h{-width:.1f}Z"
        return both_sides(cloth(fabric, data) + line(flap, fabric.dark, 1.2))
    if top.pockets == "welt":
        data = open_path((chest * 0.36, low + 14), [((chest * 0.72, low - 8),)])
        welt = line(data, fabric.dark, 4) + line(data, fabric.thread, 0.8)
        return both_sides(welt)
    return ""
