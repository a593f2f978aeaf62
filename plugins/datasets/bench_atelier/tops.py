"""Dresses, shirts, sweaters and coats: the body, its seams and hem, and the parts around it."""

from __future__ import annotations

from bench_atelier.collars import COLLAR_HEIGHTS, draw_hood, draw_neck
from bench_atelier.fabric import band, cloth, fabric_definitions, ribs
from bench_atelier.fastenings import draw_fastening
from bench_atelier.garments import Drawing, Pose, Top
from bench_atelier.motifs import graphic
from bench_atelier.necklines import draw_inside, draw_neckline_details
from bench_atelier.outline import (
    Point,
    Segment,
    both_sides,
    line,
    open_path,
    part,
    symmetric_path,
)
from bench_atelier.pockets import draw_pockets
from bench_atelier.sleeves import draw_sleeve, sleeve_reach
from bench_atelier.top_lines import TopLines


def draw_top(top: Top, pose: Pose) -> Drawing:
    """Return the drawing of a garment for the upper body; its shoulders are at y = 0."""
    lines = TopLines(top)
    left, right = pose.arms
    turns = {"body": 0.0, "left": left - 90, "right": right - 90}
    markup = f"<defs>{fabric_definitions(top.fabric, turns)}</defs>"
    if pose.hanging:
        markup += _hanger(lines)
    hood = draw_hood(top, lines) if top.collar == "hood" else ""
    markup += part("neck", hood + draw_inside(top, lines))
    if top.sleeve_length != "sleeveless":
        arms = [("left", left, pose.bends[0]), ("right", right, pose.bends[1])]
        for side, angle, bend in arms[1:] if lines.one_shoulder else arms:
            sleeve = draw_sleeve(top, lines, part=side, angle=angle, bend=bend)
            turned = sleeve if side == "right" else f'<g transform="scale(-1 1)">{sleeve}</g>'
            markup += part("sleeves", turned)
    markup += cloth(top.fabric, lines.body)
    markup += _body_details(top, lines) + draw_fastening(top, lines) + draw_pockets(top, lines)
    markup += part("neck", draw_neckline_details(top, lines) + draw_neck(top, lines))
    headroom = COLLAR_HEIGHTS.get(top.collar, 16.0 if top.neckline == "halter" else 6.0)
    half_width, bottom = max(lines.hem[0], lines.armpit[0]) + 3, lines.hem_y + 8
    if top.neckline == "off-shoulder":
        half_width = max(half_width, lines.neck_side[0] + 7)
    if top.sleeve_length != "sleeveless":
        for angle in pose.arms:
            for x, y in sleeve_reach(top, lines, angle):
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
    loops = ""
    if lines.bare and not lines.strapped:  # ribbons carry what has no shoulders
        ribbon = open_path((lines.shoulder[0] * 0.72, y + 6), [(lines.neck_side,)])
        loops = both_sides(line(ribbon, "#e9e6df", 1.6))
    return line(hook, "#54555a", 2.2) + line(arms, "#2c2a2b", 5) + loops


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
        room = (hem_y - lines.armpit[1]) * 0.8
        size = min(top.chest * (0.4 + 0.3 * fabric.pattern.weight), room)
        figure = graphic(fabric.pattern.style, size, *colours, choice=fabric.pattern.arrangement)
        markup += f'<g transform="translate(0 {place:.1f})">{figure}</g>'
    return markup + part("hem", _hem(top, lines))


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
