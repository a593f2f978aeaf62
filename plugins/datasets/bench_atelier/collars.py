"""Collars, hoods and neck edges of garments for the upper body."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from bench_atelier.colours import contrast_of, shade
from bench_atelier.fabric import band, button, cloth, gathers, ribs, wavy_strip
from bench_atelier.garments import Top
from bench_atelier.outline import (
    Point,
    Segment,
    both_sides,
    closed_path,
    filled,
    line,
    open_path,
    symmetric_path,
)
from bench_atelier.top_lines import TopLines

# how far collars rise over the shoulders; the others stay within the margin of every drawing
COLLAR_HEIGHTS = {
    "hood": 29.0,
    "turtleneck": 17.0,
    "stand": 14.0,
    "high": 27.0,
    "ruffle": 19.0,
    "low-turtleneck": 10.0,
    "shawl-wide": 14.0,
    "shirt": 6.0,
    "button-down": 10.0,
    "polo": 10.0,
    "shawl": 10.0,
    "notched-lapel": 11.0,
}


def draw_neck(top: Top, lines: TopLines) -> str:
    """Return the markup of what edges the neckline: a collar, a rib or a binding."""
    drawer = _DRAWERS.get(top.collar)
    if drawer:
        return drawer(top, lines)
    if top.collar == "hood":
        cords = "".join(
            line(f"M{x} {lines.neck_low[1] - 3:.1f}q{x / 5:.1f} 14 0 30", "#e4e1da", 1.5)
            for x in (-7, 8)
        )
        return cords if top.fastening == "none" else ""
    edge = lines.neck_edge
    if lines.bare:
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


def _button_down(top: Top, lines: TopLines) -> str:
    tip = (lines.neck_side[0] * 0.8 + 1.5, lines.neck_low[1] + 6.5)
    knob = shade(top.fabric.pattern.ground, 1.8 if top.fabric.is_dark else 0.3)
    return _shirt_collar(top, lines) + both_sides(button(tip, 2.3, knob))


def _polo(top: Top, lines: TopLines) -> str:
    """Return a soft collar knitted in the trim colour, with two thin stripes along its edge."""
    width, y, low = top.neck_width, lines.y, lines.neck_low[1]
    tone = shade(top.fabric.pattern.ground, 1.5 if top.fabric.is_dark else 0.62)
    stand = symmetric_path((0, y + 2), [((width * 0.6, y - 5), (width, y)), ((0, low),)])
    outer: list[Segment] = [((width + 7, y + 2),), ((width + 3, low + 5), (width * 0.7, low + 9))]
    wing = closed_path((0.5, low), [((width * 0.3, y + 8), (width - 2, y - 4)), *outer])
    edge = open_path((width + 4, y + 3), [((width, low + 3), (width * 0.66, low + 5.5))])
    back = open_path((-width + 2, y - 4), [((0, y - 9), (width - 2, y - 4))])
    stripe = shade(tone, 0.4 if top.fabric.is_dark else 1.7)
    return (
        line(back, tone, 4)
        + filled(stand, shade(top.fabric.dark, 0.8))
        + both_sides(band(wing, tone) + line(edge, stripe, 1.2))
    )


def _flat_collar(top: Top, lines: TopLines, *, reach: float, drop: float) -> str:
    """Return two rounded halves that lie flat on the shoulders, mostly pale on darker cloth."""
    width, y, low = lines.neck_side[0], lines.y, lines.neck_low[1]
    tone = shade(top.fabric.pattern.ground, 0.55) if not top.fabric.is_dark else "#ebe7de"
    half = closed_path(
        (0.4, low),
        [
            ((width * 0.62, low), (width - 1, low - (low - y) * 0.4), (width, y - 1)),
            ((width + reach * 0.7, y + reach * 0.2),),
            (
                (width + reach * 1.15, low + drop * 0.75),
                (width * 0.75, low + drop * 1.35),
                (width * 0.25 + reach * 0.1, low + drop),
            ),
            ((2, low + drop * 0.7), (0.4, low)),
        ],
    )
    return both_sides(band(half, tone))


def _peter_pan(top: Top, lines: TopLines) -> str:
    return _flat_collar(top, lines, reach=13, drop=13)


def _puritan(top: Top, lines: TopLines) -> str:
    """Return a wide flat collar that covers the shoulders and ends in two corners."""
    width, y, low = lines.neck_side[0], lines.y, lines.neck_low[1]
    tone = shade(top.fabric.pattern.ground, 0.55) if not top.fabric.is_dark else "#ebe7de"
    half = closed_path(
        (0.4, low),
        [
            ((width * 0.62, low), (width - 1, low - (low - y) * 0.4), (width, y - 1)),
            ((lines.shoulder[0] - 2, y + 7),),
            ((lines.shoulder[0] + 1, y + 22), (lines.shoulder[0] - 7, low + 25)),
            ((width * 0.6, low + 36), (5, low + 31)),
        ],
    )
    return both_sides(band(half, tone))


def _rib_collar(top: Top, lines: TopLines) -> str:
    edge, tone = lines.neck_edge, shade(top.fabric.pattern.ground, 0.72)
    return (
        line(edge, shade(tone, 0.55), 12, cap="butt")
        + line(edge, tone, 10.4, cap="butt")
        + line(edge, shade(tone, 0.6), 10.4, dashes="0.9 2.6", cap="butt")
    )


def _v_collar(top: Top, lines: TopLines) -> str:
    """Return the ribbed edge of a V with the two stripes of a tennis sweater."""
    edge, ground = lines.neck_edge, top.fabric.pattern.ground
    contrast = shade(ground, 1.75) if top.fabric.is_dark else shade(ground, 0.35)
    widths = ((12.0, top.fabric.dark), (10.6, contrast), (6.4, ground), (2.6, contrast))
    return "".join(line(edge, tone, width, cap="butt") for width, tone in widths)


def _collarless(top: Top, lines: TopLines) -> str:
    """Return braid around a collarless neck and down the front edges to the hem."""
    contrast = shade(top.fabric.pattern.ground, 1.7 if top.fabric.is_dark else 0.35)
    braid = lines.neck_edge + f"M0 {lines.neck_low[1]:.1f}V{lines.hem_y + lines.hem_dip - 1:.1f}"
    return (
        line(braid, contrast, 8)
        + line(braid, top.fabric.dark, 4)
        + line(braid, contrast, 2.4, dashes="2.2 3")
    )


def _ruffle(top: Top, lines: TopLines) -> str:
    """Return a frill that stands around the neck."""
    width, y, low = lines.neck_side[0], lines.y, lines.neck_low[1]
    foot: list[Point] = [(width, y + 3), (width * 0.55, low), (-width * 0.55, low), (-width, y + 3)]
    back: list[Point] = [(width, y + 1), (0, y - 3), (-width, y + 1)]
    back_edge: list[Point] = [(width + 7, y - 15), (0, y - 14), (-width - 7, y - 15)]
    edge: list[Point] = [
        (width + 7, y - 13),
        (width * 0.7, low - 15),
        (-width * 0.7, low - 15),
        (-width - 7, y - 13),
    ]
    dark = top.fabric.dark
    rear = wavy_strip(back, back_edge, waves=5)
    front = wavy_strip(foot, edge, waves=4)
    return (
        cloth(top.fabric, rear)
        + filled(rear, "#000000", opacity=0.35)
        + cloth(top.fabric, front)
        + gathers(foot, edge, dark, count=7)
        + line(open_path(foot[0], [(point,) for point in foot[1:]]), dark, 2)
    )


def _volant(top: Top, lines: TopLines) -> str:
    """Return a broad flounce that falls from the edge of the neck over the chest."""
    width, y, low = lines.neck_side[0], lines.y, lines.neck_low[1]
    upper: list[Point] = [(-width, y), (-width * 0.6, low), (width * 0.6, low), (width, y)]
    reach = lines.shoulder[0] - 1
    lower: list[Point] = [
        (-reach, y + 17),
        (-width * 0.95, low + 32),
        (width * 0.95, low + 32),
        (reach, y + 17),
    ]
    flounce = wavy_strip(upper, lower, waves=3)
    return (
        cloth(top.fabric, flounce)
        + filled(flounce, "#ffffff" if top.fabric.is_dark else "#000000", opacity=0.16)
        + gathers(upper, lower, top.fabric.dark, count=6)
        + line(flounce, top.fabric.dark, 1.5)
    )


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


def _low_turtleneck(top: Top, lines: TopLines) -> str:
    width, y, low = top.neck_width, lines.y, lines.neck_low[1]
    rim: Point = (width - 1, y - 7)
    sides: list[Segment] = [((width * 0.8, y - 2), rim), ((width + 2, y + 4),)]
    sides.append(((width * 0.5, low + 3), (0, low + 3)))
    inside = symmetric_path((0, y - 9), [((width * 0.8, y - 9), rim), ((0, y + 2),)])
    edges = ((-width + 1, y - 5), (width - 1, y - 5)), ((-width, y + 8), (width, y + 8))
    return (
        filled(inside, shade(top.fabric.dark, 0.7))
        + cloth(top.fabric, symmetric_path((0, y - 1), sides))
        + ribs(*edges, 14)
    )


def _funnel(top: Top, lines: TopLines) -> str:
    """Return a high collar that stands away from the neck, open at the top."""
    width, y, low = top.neck_width, lines.y, lines.neck_low[1]
    rim: Point = (width + 4, y - 22)
    data = symmetric_path(
        (0, y - 16),
        [((width * 0.7, y - 16), rim), ((width + 1, y - 7), (width + 5, y + 5)), ((0, low + 6),)],
    )
    opening = symmetric_path(
        (0, y - 16), [((width * 0.7, y - 16), rim), ((0, y - 29), (0, y - 26))]
    )
    fold = symmetric_path((0, y - 5), [((width * 0.7, y - 6), (width, y - 11))], closed=False)
    seam = symmetric_path((0, low + 6), [((width + 5, y + 5),)], closed=False)
    return (
        filled(opening, shade(top.fabric.dark, 0.6))
        + cloth(top.fabric, data)
        + line(fold, top.fabric.dark, 1.6, opacity=0.5)
        + line(seam, top.fabric.dark, 1.4)
    )


def _back_of_neck(top: Top, lines: TopLines) -> str:
    """Return the lining between the back of the collar and the inside of the back."""
    width, y = top.neck_width, lines.y
    lining = symmetric_path((0, y - 6), [((width - 1, y - 4),), ((width, y + 4),), ((0, y + 6),)])
    return filled(lining, shade(top.fabric.dark, 0.7))


def _lapel_back(top: Top, lines: TopLines) -> str:
    width, y = top.neck_width, lines.y
    back = symmetric_path((0, y - 7), [((width * 0.7, y - 7), (width - 1, y - 4)), ((0, y + 7),)])
    return cloth(top.fabric, back)


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
    return _lapel_back(top, lines) + both_sides(
        cloth(top.fabric, lapel) + line(notch, top.fabric.dark, 1.2)
    )


def _notched_lapel(top: Top, lines: TopLines) -> str:
    """Return the lapel of a blazer: a collar above, a deep step, a broad lapel below."""
    width, y, low = top.neck_width, lines.y, lines.neck_low[1]
    lapel = closed_path(
        (0, low + 4),
        [
            ((width * 0.55, y + 20), (width * 0.72, y + 8)),
            ((width + 6, y + 24),),
            ((width + 19, y + 20),),
            ((width + 10, y + 30 + (low - y) * 0.2), (0, low + 4)),
        ],
    )
    collar = closed_path(
        (width * 0.6, y + 14),
        [
            ((width * 0.85, y), (width - 2, y - 6)),
            ((width + 5, y - 1), (width + 14, y + 12)),
            ((width + 5, y + 21),),
        ],
    )
    return (
        _back_of_neck(top, lines)
        + _lapel_back(top, lines)
        + both_sides(
            cloth(top.fabric, lapel)
            + line(lapel, top.fabric.dark, 1.4)
            + cloth(top.fabric, collar)
            + line(collar, top.fabric.dark, 1.4)
        )
    )


def _rolled_lapel(top: Top, lines: TopLines, *, reach: float) -> str:
    """Return a shawl collar: one smooth band from the back of the neck to the fastening."""
    width, y, low = top.neck_width, lines.y, lines.neck_low[1]
    rise = 5 + reach * 0.25
    back = symmetric_path(
        (0, y - rise - 3),
        [((width * 0.7, y - rise - 3), (width + 2, y - rise + 2)), ((0, y + 7),)],
    )
    shawl = closed_path(
        (0, low + 5),
        [
            ((width * 0.5, y + 14), (width - 2, y - rise + 1)),
            ((width + reach * 0.6, y - rise + 2), (width + reach, y + 14)),
            ((width + reach * 1.1, y + (low - y) * 0.6), (0, low + 5)),
        ],
    )
    tone = shade(top.fabric.pattern.ground, 0.75)
    return (
        _back_of_neck(top, lines)
        + band(back, tone)
        + both_sides(
            cloth(top.fabric, shawl)
            + filled(shawl, "#000000", opacity=0.2)
            + line(shawl, top.fabric.dark, 1.6)
        )
    )


def _shawl(top: Top, lines: TopLines) -> str:
    return _rolled_lapel(top, lines, reach=10)


def _wide_shawl(top: Top, lines: TopLines) -> str:
    return _rolled_lapel(top, lines, reach=lines.shoulder[0] - top.neck_width + 2)


_DRAWERS: Mapping[str, Callable[[Top, TopLines], str]] = {
    "shirt": _shirt_collar,
    "button-down": _button_down,
    "polo": _polo,
    "peter-pan": _peter_pan,
    "puritan": _puritan,
    "rib": _rib_collar,
    "v-collar": _v_collar,
    "collarless": _collarless,
    "ruffle": _ruffle,
    "volant": _volant,
    "stand": _stand_collar,
    "turtleneck": _turtleneck,
    "low-turtleneck": _low_turtleneck,
    "high": _funnel,
    "lapel": _lapel,
    "notched-lapel": _notched_lapel,
    "shawl": _shawl,
    "shawl-wide": _wide_shawl,
}


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
