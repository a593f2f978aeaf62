"""Pockets of garments for the upper body, and the forms of pocket that trousers share."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from bench_atelier.colours import shade
from bench_atelier.fabric import Fabric, button, cloth
from bench_atelier.garments import Top
from bench_atelier.outline import Point, both_sides, line, open_path, symmetric_path
from bench_atelier.top_lines import TopLines


def draw_pockets(top: Top, lines: TopLines) -> str:
    """Return the pockets on the body of a top; one on a sleeve is drawn with the sleeve."""
    drawer = _DRAWERS.get(top.pockets)
    return drawer(top, lines) if drawer else ""


def _chest(top: Top, lines: TopLines) -> str:
    x, y, width = top.chest * 0.26, lines.armpit[1] - 8, top.chest * 0.4
    data = f"M{x:.1f} {y:.1f}h{width:.1f}v{width * 0.85:.1f}l{-width / 2:.1f} "
    data += f"{width * 0.2:.1f}l{-width / 2:.1f} {-width * 0.2:.1f}Z"
    if not top.bold:
        return cloth(top.fabric, data)
    edge = f"M{x:.1f} {y + 2:.1f}h{width:.1f}"
    return (
        cloth(top.fabric, data)
        + line(data, top.fabric.dark, 2.2)
        + line(edge, top.fabric.dark, 4.5, cap="butt")
    )


def _patch(top: Top, lines: TopLines) -> str:
    x, width, low = top.chest * 0.24, top.chest * 0.52, _hip(top, lines)
    data = f"M{x:.1f} {low:.1f}h{width:.1f}v{width:.1f}h{-width:.1f}Z"
    flap = f"M{x:.1f} {low:.1f}h{width:.1f}v7h{-width:.1f}Z"
    return both_sides(cloth(top.fabric, data) + line(flap, top.fabric.dark, 1.2))


def _flap(top: Top, lines: TopLines) -> str:
    return both_sides(draw_flap((top.chest * 0.5, _hip(top, lines)), top.chest * 0.54, top.fabric))


def _welt(top: Top, lines: TopLines) -> str:
    low = _hip(top, lines)
    data = open_path((top.chest * 0.36, low + 14), [((top.chest * 0.72, low - 8),)])
    return both_sides(line(data, top.fabric.dark, 4) + line(data, top.fabric.thread, 0.8))


def _cargo(top: Top, lines: TopLines) -> str:
    """Return bellows pockets at the hips and, where there is room, on the chest."""
    low, middle = _hip(top, lines), top.chest * 0.5
    markup = draw_cargo((middle, low - 4), top.chest * 0.58, top.fabric)
    if low - lines.armpit[1] > 30:
        markup += draw_cargo((middle, lines.armpit[1] - 8), top.chest * 0.46, top.fabric)
    return both_sides(markup)


def _kangaroo(top: Top, lines: TopLines) -> str:
    low, half = _hip(top, lines), top.chest * 0.62
    deep = min(44.0, lines.hem_y - low - 2)
    corner: Point = (half, low + deep * 0.72)
    data = symmetric_path((0, low), [((half * 0.6, low),), (corner,), ((half, low + deep),)])
    hand = line(open_path((half * 0.6, low), [(corner,)]), top.fabric.dark, 3.4)
    return cloth(top.fabric, data) + line(data, top.fabric.dark, 1.4) + both_sides(hand)


def _zip(top: Top, lines: TopLines) -> str:
    low = _hip(top, lines)
    return both_sides(draw_zip((top.chest * 0.34, low + 14), (top.chest * 0.74, low - 10)))


_DRAWERS: Mapping[str, Callable[[Top, TopLines], str]] = {
    "chest": _chest,
    "patch": _patch,
    "flap": _flap,
    "welt": _welt,
    "cargo": _cargo,
    "kangaroo": _kangaroo,
    "zip": _zip,
}


def _hip(top: Top, lines: TopLines) -> float:
    """Return the height of the pockets at the hips: within reach of the hand and above the hem."""
    if top.category == "dress":
        return min(lines.waist[1] + 28, lines.hem_y - top.chest * 0.6)
    return lines.y + min(top.length * 0.66, 156.0, top.length - top.chest * 0.52 - 7)


def draw_flap(middle: Point, width: float, fabric: Fabric) -> str:
    """Return a flap with pointed lower edge under a welt; `middle` is that of the upper edge."""
    x, y, half = *middle, width / 2
    data = f"M{x - half:.1f} {y:.1f}h{width:.1f}l-1 9l{1 - half:.1f} 5l{1 - half:.1f} -5Z"
    shadow = (
        f"M{x - half + 2:.1f} {y + 12:.1f}L{x:.1f} {y + 16:.1f}L{x + half - 2:.1f} {y + 12:.1f}"
    )
    tone = shade(fabric.pattern.ground, 1.6 if fabric.is_dark else 0.4)
    return (
        line(shadow, "#000000", 2.4, opacity=0.25)
        + cloth(fabric, data)
        + line(data, fabric.dark, 1.7)
        + button((x, y + 7.5), 2.1, tone)
    )


def draw_cargo(middle: Point, width: float, fabric: Fabric) -> str:
    """Return a pocket with a pleat and a buttoned flap, standing off the cloth."""
    x, y, half, deep = *middle, width / 2, width * 1.05
    data = f"M{x - half:.1f} {y:.1f}h{width:.1f}v{deep:.1f}h{-width:.1f}Z"
    side = f"M{x + half + 2:.1f} {y + 4:.1f}v{deep - 2:.1f}h{-width:.1f}"
    pleat = f"M{x - 2:.1f} {y + 9:.1f}v{deep - 9:.1f}M{x + 2:.1f} {y + 9:.1f}v{deep - 9:.1f}"
    return (
        line(side, shade(fabric.dark, 0.6), 3.4)
        + cloth(fabric, data)
        + line(data, fabric.dark, 1.5)
        + line(pleat, fabric.dark, 1.1)
        + f'<g transform="translate(0 -3)">{draw_flap((x, y), width + 3, fabric)}</g>'
    )


def draw_zip(start: Point, end: Point) -> str:
    """Return the metal zip of a pocket with its pull at the upper end."""
    data = open_path(start, [(end,)])
    pull = line(open_path(end, [((end[0] - 2, end[1] + 8),)]), "#e4e4e7", 2.6)
    teeth = line(data, "#e4e4e7", 2.4, dashes="1.2 2.2")
    return line(data, "#2c2c30", 5) + teeth + pull
