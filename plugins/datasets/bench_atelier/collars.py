"""Collars, hoods and neck edges of garments for the upper body."""

from __future__ import annotations

from bench_atelier.colours import contrast_of, shade
from bench_atelier.fabric import cloth, ribs
from bench_atelier.garments import Top
from bench_atelier.outline import (
    Segment,
    both_sides,
    closed_path,
    filled,
    line,
    open_path,
    symmetric_path,
)
from bench_atelier.top_lines import TopLines


def draw_neck(top: Top, lines: TopLines) -> str:
    """Return the markup of what edges the neckline: a collar, a rib or a binding."""
    drawers = {
        "shirt": _shirt_collar,
        "stand": _stand_collar,
        "turtleneck": _turtleneck,
        "lapel": _lapel,
    }
    if top.collar in drawers:
        return drawers[top.collar](top, lines)
    if top.collar == "hood":
        cords = "".join(
            line(f"M{x} {lines.neck_low[1] - 3:.1f}q{x / 5:.1f} 14 0 30", "#e4e1da", 1.5)
            for x in (-7, 8)
        )
        return cords if top.fastening == "none" else ""
    edge = symmetric_path(lines.neck_low, lines.neckline, closed=False)
    if lines.strapped:
        return line(edge, top.fabric.thread, 1)
    if top.hem == "ribbed" or top.category == "t-shirt":
        return line(edge, shade(top.fabric.trim, 0.75), 5) + line(edge, top.fabric.trim, 3.8)
    return line(edge, contrast_of(top.fabric.pattern.ground), 1.6)


def _shirt_collar(top: Top, lines: TopLines) -> str:
    width, y, low = top.neck_width, lines.y, lines.neck_low[1]
    stand = symmetric_path((0, y + 2), [((width * 0.6, y - 5), (width, y)), ((0, low),)])
    inner = filled(stand, shade(top.fabric.dark, 0.8))
    point = width * 0.8 + 4
    wing = closed_path(
        (0.5, low),
        [
            ((width * 0.35, y + 10), (width - 2, y - 3)),
            ((width + 4, y + 3),),
            ((point, low + 11),),
        ],
    )
    back = open_path((-width + 2, y - 3), [((0, y - 8), (width - 2, y - 3))])
    return line(back, top.fabric.dark, 3.5) + inner + both_sides(cloth(top.fabric, wing))


def _stand_collar(top: Top, lines: TopLines) -> str:
    width, y, low = top.neck_width, lines.y, lines.neck_low[1]
    inside = symmetric_path(
        (0, y - 14), [((width * 0.7, y - 14), (width - 3, y - 12)), ((3, low),)]
    )
    half = closed_path(
        (1, low),
        [((width * 0.4, y + 6), (width - 3, y - 13)), ((width + 3, y - 2), (width + 2, y + 3))],
    )
    return (
        cloth(top.fabric, inside)
        + filled(inside, "#000000", opacity=0.45)
        + both_sides(cloth(top.fabric, half))
    )


def _turtleneck(top: Top, lines: TopLines) -> str:
    width, y = top.neck_width, lines.y
    sides: list[Segment] = [((width - 1, y - 16),), ((width, y - 4), (width + 2, y + 3))]
    sides.append(((width * 0.5, lines.neck_low[1] + 3), (0, lines.neck_low[1] + 3)))
    data = symmetric_path((0, y - 15), sides)
    edges = ((-width, y - 15), (width, y - 15)), ((-width, y + 6), (width, y + 6))
    return cloth(top.fabric, data) + ribs(*edges, 14)


def _lapel(top: Top, lines: TopLines) -> str:
    width, y, low = top.neck_width, lines.y, lines.neck_low[1]
    lapel = closed_path(
        (0, low + 4),
        [
            ((width * 0.5, y + 12), (width - 1, y - 4)),
            ((width + 7, y + 4),),
            ((width + 3, y + 16),),
            ((width + 13, y + 19),),
        ],
    )
    notch = open_path((width * 0.5, y + 14), [((width + 3, y + 16),)])
    back = symmetric_path((0, y - 7), [((width * 0.7, y - 7), (width - 1, y - 4)), ((0, y + 7),)])
    return cloth(top.fabric, back) + both_sides(
        cloth(top.fabric, lapel) + line(notch, top.fabric.dark, 1.2)
    )


def draw_hood(top: Top, lines: TopLines) -> str:
    """Return the markup of a hood; it lies behind the body and is drawn before it."""
    width, y = top.neck_width, lines.y
    outer = symmetric_path(
        (0, y - 27), [((width + 16, y - 28), (width + 15, y + 2), (width + 6, y + 12))]
    )
    opening = symmetric_path(
        (0, y - 19), [((width + 4, y - 18), (width + 2, y), (width - 4, y + 12))]
    )
    return cloth(top.fabric, outer) + filled(opening, shade(top.fabric.dark, 0.7))
