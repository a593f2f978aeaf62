"""Fastenings of garments for the upper body."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from bench_atelier.colours import luminance, shade
from bench_atelier.fabric import Fabric, band, button, cloth
from bench_atelier.garments import Top
from bench_atelier.outline import (
    closed_path,
    disc,
    filled,
    line,
    open_path,
    symmetric_path,
)
from bench_atelier.top_lines import TopLines


def draw_fastening(top: Top, lines: TopLines) -> str:
    """Return what closes the front of a top, from the neckline to the hem."""
    fabric = top.fabric
    first, last = lines.neck_low[1] + 2, lines.hem_y + lines.hem_dip
    if top.fastening in ("none", "back"):
        return ""
    if top.fastening in _DRAWERS:
        return _DRAWERS[top.fastening](top, lines)
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
    size = 3.4 if top.bold else 2.6 if top.category == "outwear" else 1.8
    if top.fastening == "half-buttons":
        last = first + 38
    edge = open_path((-4.5, first - 2), [((-4.5, last),)])
    edge += open_path((4.5, first - 1), [((4.5, last),)])
    if top.fastening == "half-buttons":
        edge += open_path((-4.5, last), [((4.5, last),)])
    markup = line(edge, fabric.dark, 1.8 if top.bold else 1, opacity=0.8)
    step, y = (12.5 if top.fastening == "half-buttons" else 18.0), first + 5
    while y < last - 5:
        markup += button((0, y), size, knob)
        y += step
    return markup


def draw_hooks(y: float, last: float, fabric: Fabric) -> str:
    """Return a row of metal hooks and eyes on both sides of the middle."""
    gap = line(f"M0 {y - 2:.1f}V{last:.1f}", shade(fabric.dark, 0.7), 2)
    hooks = eyes = ""
    while y < last - 4:
        hooks += f"M-6.5 {y:.1f}H4"
        eyes += f"M4 {y - 2.2:.1f}a2.2 2.2 0 1 1 0 4.4"
        y += 11.5
    rim = line(hooks + eyes, "#4a4a4f", 3.6)
    return gap + rim + line(hooks + eyes, "#d6d6da", 1.9)


def draw_laces(y: float, last: float, fabric: Fabric) -> str:
    """Return crossed laces over an open slit, with eyelets and a bow at the lower end."""
    slit = closed_path((-4, y), [((4, y),), ((2.5, last),), ((-2.5, last),)])
    lace = shade(fabric.pattern.ground, 1.85) if fabric.is_dark else shade(fabric.dark, 0.6)
    cross, eyelets, step = "", "", (last - y) / 5
    for index in range(5):
        level = y + index * step
        cross += f"M-9 {level:.1f}L9 {level + step:.1f}M9 {level:.1f}L-9 {level + step:.1f}"
        eyelets += disc((-9, level), 2, shade(fabric.dark, 0.6))
        eyelets += disc((9, level), 2, shade(fabric.dark, 0.6))
    bow = f"M0 {last:.1f}q-14 -8 -14 1q2 7 14 -1q14 -8 14 1q-2 7 -14 -1q-5 9 -7 19M0 {last:.1f}"
    return (
        filled(slit, shade(fabric.dark, 0.6)) + eyelets + line(cross + bow + "q6 9 6 19", lace, 2)
    )


def draw_belt(half: float, y: float, sag: float, fabric: Fabric) -> str:
    """Return a belt across the waist with its buckle and the end that hangs past it."""
    data = symmetric_path(
        (0, y - 5 + sag),
        [
            ((half * 0.6, y - 5 + sag), (half + 1, y - 5)),
            ((half + 1, y + 5),),
            ((half * 0.6, y + 5 + sag), (0, y + 5 + sag)),
        ],
    )
    tone = "#d8c7a4" if luminance(fabric.pattern.ground) < 0.25 else "#3a271d"
    y += sag
    tail = f"M10 {y - 4:.1f}q9 9 6 32h-7q2 -18 -6 -25Z"
    buckle = f"M-8 {y - 7:.1f}h16v14h-16Z"
    return (
        band(tail, shade(tone, 0.85))
        + band(data, tone)
        + line(buckle, "#5d4a1f", 4.2)
        + line(buckle, "#d9b45b", 2.8)
        + line(f"M0 {y:.1f}H8", "#d9b45b", 2)
    )


def _hooks(top: Top, lines: TopLines) -> str:
    return draw_hooks(lines.neck_low[1] + 8, lines.hem_y + lines.hem_dip, top.fabric)


def _laces(top: Top, lines: TopLines) -> str:
    first = lines.neck_low[1] + 1
    return draw_laces(first, min(first + 58, lines.hem_y - 12), top.fabric)


def _belt(top: Top, lines: TopLines) -> str:
    front = ""
    if top.category == "outwear":
        data = open_path((-5, lines.neck_low[1]), [((-5, lines.hem_y + lines.hem_dip),)])
        front = line(data, top.fabric.dark, 1.3)
    y = min(lines.waist[1], lines.hem_y - 10)
    return front + draw_belt(lines.width_at(y), y, 2, top.fabric)


def _covered_placket(top: Top, lines: TopLines) -> str:
    """Return the plain band that hides the buttons, stitched down along one edge."""
    first, last = lines.neck_low[1] + 1, lines.hem_y + lines.hem_dip
    placket = f"M-8 {first:.1f}H8V{last:.1f}H-8Z"
    edge, stitches = f"M8 {first:.1f}V{last:.1f}", f"M-6 {first:.1f}V{last:.1f}"
    light = "#ffffff" if top.fabric.is_dark else "#000000"
    return (
        cloth(top.fabric, placket)
        + filled(placket, light, opacity=0.1)
        + line(edge, top.fabric.dark, 2.2)
        + line(stitches, top.fabric.thread, 1.2, dashes="2.4 1.6")
    )


_DRAWERS: Mapping[str, Callable[[Top, TopLines], str]] = {
    "hooks": _hooks,
    "laces": _laces,
    "belt": _belt,
    "covered": _covered_placket,
}
