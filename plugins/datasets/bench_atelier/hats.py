"""Hats that are drawn when asked for by kind: crowns, brims, ribbons, ribs and pompoms."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from bench_atelier.colours import contrast_of, shade
from bench_atelier.fabric import band, cloth, ribs
from bench_atelier.garments import Drawing, Hat
from bench_atelier.motifs import graphic
from bench_atelier.outline import both_sides, disc, filled, line, symmetric_path


def _print(hat: Hat, y: float) -> str:
    pattern = hat.fabric.pattern
    if pattern.name != "graphic":
        return ""
    figure = graphic(pattern.style, 19, pattern.second, pattern.third, choice=pattern.arrangement)
    return f'<g transform="translate(0 {y:.0f})">{figure}</g>'


def _fedora(hat: Hat) -> Drawing:
    """Return a felt hat turned a little: a pinched crown, a ribbon, one side of the brim up."""
    fabric, high = hat.fabric, round(78 + 22 * hat.shape)
    half = round(96 + 18 * hat.brim)
    brim = (
        f"M{-half} 12C{-half + 10} -4 -74 8 -56 12L56 16C78 12 {half - 8} 24 {half} 34"
        f"C{half - 22} 50 40 56 0 54C-50 52 {-half + 10} 40 {-half} 12Z"
    )
    crown = (
        f"M-58 28C-60 -10 -54 {-high + 14} -34 {-high + 4}Q-20 {-high - 4} -4 {-high + 12}"
        f"Q16 {-high - 6} 32 {-high + 8}C52 {-high + 20} 56 -10 58 28Q0 44 -58 28Z"
    )
    ribbon = "M-58.5 26L-57 0Q0 18 57 0L58.5 26Q0 44 -58.5 26Z"
    markup = cloth(fabric, brim) + cloth(fabric, crown)
    pinches = f"M-4 {-high + 12}Q-8 {-high + 30} -2 {-high + 46}"
    pinches += f"M-40 {-high + 26}Q-30 {-high + 38} -32 -16"
    pinches += f"M40 {-high + 28}Q28 {-high + 40} 32 -16"
    markup += line(pinches, fabric.dark, 5, opacity=0.3)
    edge = f"M{-half + 4} 14C-84 34 -40 48 0 50S{half - 26} 44 {half - 4} 34"
    markup += line(edge, fabric.dark, 1.2)
    markup += filled("M-58 30Q0 46 58 30L66 36Q0 56 -66 34Z", "#000000", opacity=0.2)
    markup += band(ribbon, hat.accent)
    if fabric.pattern.arrangement % 2:
        feather = "M-48 16C-62 -14 -58 -40 -44 -60C-36 -36 -34 -10 -42 16Z"
        markup += band(feather, fabric.pattern.third) + line(
            "M-45 14Q-50 -20 -44 -52", "#ffffff", 1
        )
    else:
        markup += band("M-54 4l-8 22l16 6l4 -24Z", shade(hat.accent, 0.8))
    return Drawing(markup, half_width=half + 3, top=-high - 6, bottom=60)


def _snapback(hat: Hat) -> Drawing:
    """Return a cap from the side: a steep front, a flat peak, a snap strap, at times of mesh."""
    fabric, high = hat.fabric, round(88 + 18 * hat.shape)
    reach = round(104 + 16 * hat.brim)
    behind = f"M-76 28C-86 {-high * 0.6:.0f} -60 {-high} -16 {-high}"
    front = f"M4 {-high}H6C44 {-high} 66 -48 60 18Q34 25 8 28Q20 -40 4 {-high}Z"
    markup = cloth(fabric, f"{behind}H6C44 {-high} 66 -48 60 18Q-6 34 -76 28Z")
    if fabric.pattern.arrangement % 2:  # mesh behind the front: a trucker's cap
        mesh = "".join(f"M-72 {y}Q-30 {y + 7} 10 {y + 4}" for y in range(-44, 24, 8))
        mesh += "".join(
            f"M{x} 28Q{x * 1.05:.0f} -30 {x * 0.75 - 4:.0f} {-high + 14}" for x in range(-64, 4, 11)
        )
        markup += band(f"{behind}H4Q20 -40 8 28Q-30 32 -76 28Z", hat.accent)
        markup += line(mesh, shade(hat.accent, 0.75), 1.3)
    markup += cloth(fabric, front)
    seam = f"M4 {-high}Q20 -40 8 28"
    markup += line(seam, fabric.dark, 1.4) + line(seam, fabric.thread, 0.8, dashes="2.4 1.6")
    if fabric.pattern.name == "graphic":
        markup += f'<g transform="translate(32 0) scale(0.7 1)">{_print(hat, -30)}</g>'
    else:
        patch = f"M22 {-high * 0.62:.0f}h28l5 30h-30Z"
        rows = f"M30 {-high * 0.62 + 11:.0f}h16M31 {-high * 0.62 + 20:.0f}h11"
        markup += band(patch, hat.accent) + line(rows, fabric.pattern.ground, 3.6)
    gap = "M-79 28Q-82 4 -62 -4Q-46 4 -48 30Z"
    markup += filled(gap, shade(fabric.dark, 0.5)) + line("M-76 24H-50", "#2f2f33", 7)
    markup += line("M-74 24H-50", "#8b8b90", 2, dashes="0.1 5")
    peak = f"M24 27Q40 10 60 11L{reach - 4} 12Q{reach + 6} 15 {reach} 21L64 27Q44 34 24 27Z"
    stitches = f"M40 24Q52 18 64 18H{reach - 6}"
    markup += band(peak, hat.accent)
    markup += line(stitches, contrast_of(hat.accent), 1, dashes="2.4 1.6")
    markup += disc((-6, -high), 5, hat.accent)
    # the peak reaches further to the right than the crown to the left
    middle = (reach - 78) / 2
    moved = f'<g transform="translate({-middle:.1f} 0)">{markup}</g>'
    return Drawing(moved, half_width=reach - middle + 8, top=-high - 7, bottom=40)


def _visor(hat: Hat) -> Drawing:
    """Return a sun visor: a band without a crown, and a curved peak."""
    fabric, reach = hat.fabric, round(46 + 30 * hat.brim)
    high = round(26 + 14 * hat.shape)
    upper = f"M-74 {-high + 14}Q0 {-high - 22} 74 {-high + 14}"
    inside = f"{upper}Q0 {-high - 52} -74 {-high + 14}Z"
    peak = (
        f"M-78 20Q0 -16 78 20Q88 {reach * 0.7:.0f} 56 {reach}Q0 {reach + 22} -56 {reach}"
        f"Q-88 {reach * 0.7:.0f} -78 20Z"
    )
    markup = filled(inside, shade(hat.accent, 0.5)) + cloth(fabric, f"{upper}L77 22Q0 -14 -77 22Z")
    markup += _print(hat, -high * 0.5) + band(peak, hat.accent)
    stitches = f"M-73 {-high + 18}Q0 {-high - 18} 73 {-high + 18}M-75 16Q0 -20 75 16"
    markup += line(stitches, fabric.thread, 0.9, dashes="2.4 1.6")
    rows = ""
    for inset in (8, 16, 24):
        x, y, low = 70 - inset * 0.6, 26 + inset * 0.2, reach - inset * 0.7
        rows += f"M{-x:.0f} {y:.0f}Q{inset - 62} {low:.0f} 0 {reach + 10 - inset}"
        rows += f"Q{62 - inset} {low:.0f} {x:.0f} {y:.0f}"
    markup += line(rows, contrast_of(hat.accent), 0.9, dashes="2.4 1.6", opacity=0.8)
    return Drawing(markup, half_width=84, top=-high - 22, bottom=reach + 16)


def _beret(hat: Hat) -> Drawing:
    """Return a beret: a soft disc fallen to a side, a stalk, a narrow band."""
    fabric, wide = hat.fabric, round(92 + 12 * hat.brim)
    high = round(60 + 20 * hat.shape)
    felt = (
        f"M-58 20C-80 16 {-wide} -6 {-wide + 8} -26C{-wide + 24} {-high + 8} -20 {-high - 14} "
        f"30 {-high}C{wide - 18} {-high + 10} {wide + 10} -16 {wide - 8} 4"
        f"C{wide - 20} 24 76 24 58 22Q0 34 -58 20Z"
    )
    rim = "M-60 18Q0 34 60 20L57 34Q0 48 -57 32Z"
    markup = line(f"M4 {-high - 4}q2 -8 6 -11", shade(fabric.dark, 0.8), 5) + cloth(fabric, felt)
    folds = "M-52 14Q-74 0 -78 -18M-26 20Q-44 4 -46 -12M52 16Q74 6 80 -8M24 22Q40 8 44 -6"
    markup += line(folds, fabric.dark, 3, opacity=0.3)
    markup += line(f"M-62 -28Q-30 {-high + 6} 20 {-high + 12}", "#ffffff", 6, opacity=0.16)
    leather = fabric.pattern.arrangement % 2
    markup += band(rim, hat.accent if leather else shade(fabric.pattern.ground, 0.8))
    if fabric.pattern.arrangement % 3 == 0:  # a brooch
        markup += disc((-38, 6), 7, "#c7ad6a") + disc((-38, 6), 4, fabric.pattern.third)
    return Drawing(markup, half_width=wide + 6, top=-high - 20, bottom=50)


def _straw(hat: Hat) -> Drawing:
    """Return a straw boater: braid in rings, a flat crown and brim, a ribbon."""
    fabric, high = hat.fabric, round(48 + 22 * hat.shape)
    half, deep = 98 + 20 * hat.brim, 26 + 6 * hat.brim
    brim = (
        f"M{-half:.0f} 20A{half:.0f} {deep:.0f} 0 0 0 {half:.0f} 20"
        f"A{half:.0f} {deep * 0.7:.0f} 0 0 0 {-half:.0f} 20Z"
    )
    crown = f"M-58 20L-54 {-high}Q0 {-high - 16} 54 {-high}L58 20Q0 38 -58 20Z"
    lid = f"M-54 {-high}Q0 {-high - 18} 54 {-high}Q0 {-high + 18} -54 {-high}Z"
    rings = ""
    for share in (0.66, 0.74, 0.82, 0.9, 0.97):
        x, y = half * share, deep * share
        rings += f"M{-x:.0f} 20A{x:.0f} {y:.0f} 0 0 0 {x:.0f} 20"
    rows = "".join(f"M-56 {y}Q0 {y + 17} 56 {y}" for y in range(-high + 8, 14, 7))
    circles = ""
    for share in (0.3, 0.55, 0.8):
        x, y = 54 * share, 9 * share
        circles += f"M{-x:.0f} {-high}a{x:.0f} {y:.0f} 0 1 0 {2 * x:.0f} 0"
        circles += f"a{x:.0f} {y:.0f} 0 1 0 {-2 * x:.0f} 0"
    markup = cloth(fabric, brim) + line(rings, fabric.dark, 1.2, opacity=0.55)
    markup += line(rings, "#ffffff", 0.8, opacity=0.5, dashes="2 3")
    markup += cloth(fabric, crown) + line(rows, fabric.dark, 1, opacity=0.55)
    markup += line(rows, "#ffffff", 0.8, opacity=0.5, dashes="2 3")
    markup += cloth(fabric, lid) + line(circles, fabric.dark, 1, opacity=0.55)
    markup += band("M-58 20L-56 -4Q0 14 56 -4L58 20Q0 38 -58 20Z", hat.accent)
    if fabric.pattern.arrangement % 2:
        markup += line("M-56 8Q0 26 56 8", fabric.pattern.third, 4)
    else:
        markup += band("M46 4l16 -9l-3 14l8 16l-14 -7Z", hat.accent)
    return Drawing(markup, half_width=half + 3, top=-high - 14, bottom=24 + deep)


def _bobble(hat: Hat) -> Drawing:
    """Return a knitted cap with a large pompom, coloured rows and, when wide, ear flaps."""
    fabric, accent, high = hat.fabric, hat.accent, round(88 + 18 * hat.shape)
    crown = (
        f"M-70 32C-78 {-high * 0.65:.0f} -46 {-high} 0 {-high}"
        f"C46 {-high} 78 {-high * 0.65:.0f} 70 32Z"
    )
    radius, middle = 24 + 7 * hat.brim, -high - 12
    fluff = ""
    for index in range(22):
        angle = index * math.tau / 22
        inner, outer = radius * (0.3 + 0.2 * (index % 3)), radius + 2 + 3 * (index % 2)
        fluff += f"M{inner * math.cos(angle):.1f} {middle + inner * math.sin(angle):.1f}"
        fluff += f"L{outer * math.cos(angle):.1f} {middle + outer * math.sin(angle):.1f}"
    markup, flaps = "", hat.brim > 0.5
    if flaps:
        flap = "M-72 30L-34 44Q-38 74 -52 84Q-68 70 -72 30Z"
        markup += both_sides(cloth(fabric, flap) + line("M-52 82q-4 16 2 28", accent, 5))
    markup += disc((0, middle), radius, accent) + line(fluff, shade(accent, 0.8), 3.2)
    markup += line(fluff, shade(accent, 1.25), 1.1) + cloth(fabric, crown)
    if fabric.pattern.name == "plain":
        peaks = [((x, -18 if x % 20 else -30),) for x in range(10, 61, 10)]
        zigzag = symmetric_path((0, -30), peaks, closed=False)
        markup += line(zigzag, accent, 5) + line("M-72 -8Q0 6 72 -8", fabric.pattern.third, 5)
        markup += line("M-64 -50Q0 -38 64 -50", fabric.pattern.third, 4)
    wales = "".join(
        f"M{x} 10Q{x * 1.06:.0f} {-high * 0.6:.0f} {x * 0.25:.0f} {-high + 4}"
        for x in (-52, -34, -17, 0, 17, 34, 52)
    )
    markup += line(wales, fabric.dark, 1.4, opacity=0.35) + _print(hat, -34)
    cuff = "M-73 12Q0 0 73 12L75 48Q0 62 -75 48Z"
    markup += band(cuff, accent if fabric.pattern.arrangement % 2 else fabric.trim)
    markup += ribs(((-73, 12), (73, 12)), ((-75, 50), (75, 50)), 24)
    return Drawing(markup, half_width=80, top=middle - radius - 8, bottom=116 if flaps else 60)


# the drawing of a hat without the definitions of its cloth
HATS: Mapping[str, Callable[[Hat], Drawing]] = {
    "fedora": _fedora,
    "snapback": _snapback,
    "visor": _visor,
    "beret": _beret,
    "straw": _straw,
    "bobble": _bobble,
}
