"""What lies within and around a neckline: the inside of the back, straps, folds, plackets."""

from __future__ import annotations

from bench_atelier.colours import shade
from bench_atelier.fabric import button, cloth, gathers, wavy_strip
from bench_atelier.garments import Top
from bench_atelier.outline import (
    Segment,
    both_sides,
    filled,
    line,
    open_path,
    symmetric_path,
)
from bench_atelier.top_lines import TopLines


def draw_inside(top: Top, lines: TopLines) -> str:
    """Return what is seen through the neckline: the inside of the back with its label, straps."""
    drawers = {
        "straps": _thin_straps,
        "straight": _wide_straps,
        "halter": _neckband,
        "backless": _crossed_straps,
        "one-shoulder": _slanting_back,
    }
    if top.neckline in drawers:
        return drawers[top.neckline](top, lines)
    if lines.bare:
        return _low_back(top, lines)
    if top.collar == "turtleneck":
        return ""
    back: list[Segment] = [((lines.neck_side[0] * 0.6, lines.y + 6), lines.neck_side)]
    front = [*back, (lines.shoulder,), ((0, lines.neck_low[1] + 8),)]
    inside = filled(symmetric_path((0, lines.y + 5), front), shade(top.fabric.dark, 0.85))
    if top.fastening == "back":
        return inside + _back_zip(lines)
    label = f'<rect x="-5" y="{lines.y + 6:.1f}" width="10" height="6" fill="#e9e6df"/>'
    return inside + (label if top.neck_depth > 12 else "")


def _lining(top: Top) -> str:
    return shade(top.fabric.pattern.ground, 0.72)


def _low_back(top: Top, lines: TopLines) -> str:
    rear = symmetric_path((0, lines.neck_low[1] + 9), [(lines.neck_side,)])
    return filled(rear, _lining(top))


def _thin_straps(top: Top, lines: TopLines) -> str:
    strap = open_path(
        (lines.neck_side[0] + 1, lines.neck_side[1] + 3),
        [((lines.neck_side[0] + 2, lines.y + 12), (lines.neck_side[0] - 7, lines.y - 4))],
    )
    rear = symmetric_path((0, lines.neck_low[1] + 6), [(lines.neck_side,)])
    return both_sides(line(strap, _lining(top), 3.4)) + filled(rear, _lining(top))


def _neckband(top: Top, lines: TopLines) -> str:
    y, tone = lines.y, _lining(top)
    band = symmetric_path((0, y - 15), [((10, y - 14), (11.5, y - 2))])
    opening = symmetric_path((0, y - 10), [((6, y - 10), (9, y - 3))])
    rear = symmetric_path(
        (0, lines.armpit[1] - 4), [((lines.armpit[0] - 4, lines.armpit[1]),), ((0, 70),)]
    )
    return filled(band, tone) + filled(opening, shade(tone, 0.5)) + filled(rear, tone)


def _crossed_straps(top: Top, lines: TopLines) -> str:
    """Return straps that cross where the back is cut away."""
    crossing = open_path((-lines.neck_side[0], lines.y + 1), [((11, lines.neck_low[1] + 6),)])
    return both_sides(line(crossing, _lining(top), 3.6))


def _slanting_back(top: Top, lines: TopLines) -> str:
    rear = open_path(
        (-lines.armpit[0], lines.armpit[1]),
        [((-4, lines.y + 26), lines.neck_side), ((0, lines.armpit[1] + 10),)],
    )
    return filled(rear, _lining(top))


def _wide_straps(top: Top, lines: TopLines) -> str:
    x, y = lines.neck_side[0] - 7, lines.neck_side[1] + 5
    strap = f"M{x - 5:.1f} {y:.1f}L{x - 9:.1f} {lines.y - 1:.1f}h9L{x + 6:.1f} {y:.1f}Z"
    return _low_back(top, lines) + both_sides(cloth(top.fabric, strap))


def _back_zip(lines: TopLines) -> str:
    """Return the upper end of a zip in the middle of the back, seen through the neckline."""
    y = lines.y + 4
    tape = open_path((0, y), [((0, lines.neck_low[1] + 2),)])
    pull = f'<rect x="-1.7" y="{y + 1:.1f}" width="3.4" height="6" rx="1" fill="#dcdcdf"/>'
    return line(tape, "#e9e6df", 3.6) + line(tape, "#77777b", 1.2, dashes="1 1") + pull


def draw_neckline_details(top: Top, lines: TopLines) -> str:
    """Return the parts of the front that a neckline brings along: overlap, swags, a placket."""
    drawers = {
        "henley": _henley_placket,
        "wrap": _wrap,
        "draped": _swags,
        "off-shoulder": _off_shoulder_flounce,
        "halter": _halter_edge,
    }
    drawer = drawers.get(top.neckline)
    return drawer(top, lines) if drawer else ""


def _henley_placket(top: Top, lines: TopLines) -> str:
    low, ground = lines.neck_low[1], top.fabric.pattern.ground
    placket = f"M-5.5 {low - 1:.1f}h11v38h-11Z"
    knob = shade(ground, 1.7) if top.fabric.is_dark else shade(ground, 0.4)
    markup = cloth(top.fabric, placket) + line(placket, top.fabric.dark, 1.3)
    return markup + "".join(button((0, low + step), 2.2, knob) for step in (6, 17, 28))


def _wrap(top: Top, lines: TopLines) -> str:
    """Return the edge of the upper panel, from its shoulder past the neck to the tie at a side."""
    (waist_x, waist_y), low = lines.waist, lines.neck_low[1]
    start = (lines.neck_side[0], lines.neck_side[1])
    bend = (lines.neck_side[0] * 0.62, low * 0.5)
    foot = (-waist_x + 3, waist_y)
    edge = open_path(start, [(bend, (0, low)), ((-waist_x * 0.5, (low + waist_y) / 2 + 3), foot)])
    folds = "".join(
        open_path(foot, [((waist_x * 0.1, waist_y - rise * 0.4), (waist_x - 6, waist_y - rise))])
        for rise in (4, 17, 30)
    )
    sash = symmetric_path((0, waist_y + 3), [((waist_x * 0.6, waist_y + 3), (waist_x, waist_y))])
    x, y = foot[0] + 9, waist_y + 2
    bow = f"M{x:.1f} {y:.1f}q-14 -12 -15 -1q2 9 15 1q13 -13 15 -2q-2 9 -15 2"
    ends = f"M{x:.1f} {y:.1f}q-8 14 -5 31M{x:.1f} {y:.1f}q6 12 9 27"
    tone = top.fabric.dark
    return (
        line(folds, tone, 1.4, opacity=0.4)
        + line(edge, tone, 5)
        + line(edge, shade(top.fabric.pattern.ground, 0.85), 3.4)
        + line(sash, tone, 4)
        + line(bow + ends, tone, 5.4)
        + line(bow + ends, shade(top.fabric.pattern.ground, 0.85), 3.4)
    )


def _swags(top: Top, lines: TopLines) -> str:
    """Return the folds of a cowl, each hanging lower than the one above."""
    low, markup = lines.neck_low[1], ""
    for index in range(4):
        half = min(lines.neck_side[0] + 1 + index * 3.2, lines.shoulder[0] - 2)
        y, sag = lines.y + 4 + index * 5, low + 3 + index * 11
        swag = symmetric_path(
            (0, sag),
            [((half * 0.62, sag), (half - 1, sag - (sag - y) * 0.4), (half, y))],
            closed=False,
        )
        markup += line(swag, top.fabric.dark, 2.2, opacity=0.65)
        markup += f'<g transform="translate(0 -3)">{line(swag, "#ffffff", 2, opacity=0.3)}</g>'
    return markup


def _off_shoulder_flounce(top: Top, lines: TopLines) -> str:
    (x, y), low = lines.neck_side, lines.neck_low[1]
    upper = [(-x, y), (-x * 0.4, low), (x * 0.4, low), (x, y)]
    lower = [(-x - 4, y + 20), (-x * 0.45, low + 20), (x * 0.45, low + 20), (x + 4, y + 20)]
    flounce = wavy_strip(upper, lower, waves=4)
    return cloth(top.fabric, flounce) + gathers(upper, lower, top.fabric.dark, count=6)


def _halter_edge(top: Top, lines: TopLines) -> str:
    armhole = open_path(
        (14, lines.y - 3), [((17, lines.armpit[1] - 6), (lines.armpit[0] - 1, lines.armpit[1]))]
    )
    return both_sides(line(armhole, top.fabric.thread, 1.8))
