"""Trousers, shorts and skirts: legs, waistband, fly, pockets, pleats, hems."""

from __future__ import annotations

from bench_atelier.bottom_details import draw_closure, draw_pockets
from bench_atelier.colours import shade
from bench_atelier.fabric import Fabric, band, button, cloth, fabric_definitions, ribs
from bench_atelier.garments import Bottom, Drawing, Pose
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


def draw_bottom(bottom: Bottom, pose: Pose) -> Drawing:
    """Return the drawing of trousers, shorts or a skirt; its waist is at y = 0."""
    top_y = 0.0
    skirt = bottom.category == "skirt"
    markup = f"<defs>{fabric_definitions(bottom.fabric, {'body': 0.0})}</defs>"
    if pose.hanging:
        markup += _clip_hanger(bottom, top_y)
    inside = symmetric_path((0, top_y - 4), [((bottom.waist - 1, top_y - 2),), ((0, top_y + 6),)])
    markup += filled(inside, shade(bottom.fabric.dark, 0.8))
    if bottom.kind == "brief":
        markup += _brief(bottom, top_y)
    else:
        markup += _skirt(bottom, top_y) if skirt else _legs(bottom, top_y)
    markup += _waistband(bottom, top_y) + _print(bottom, top_y)
    markup += draw_pockets(bottom, top_y) + draw_closure(bottom, top_y)
    return Drawing(
        markup,
        half_width=max(bottom.hip, bottom.hem_width + bottom.spread) + 4,
        top=-30.0 if pose.hanging else -6.0,
        bottom=bottom.length + 9,
    )


def _clip_hanger(bottom: Bottom, y: float) -> str:
    hook = f"M0 {y - 10:.0f}V{y - 16:.0f}Q9 {y - 24:.0f} 1 {y - 28:.0f}Q-6 {y - 28:.0f} -5"
    hook += f" {y - 22:.0f}"
    half = bottom.waist * 0.7
    clips = "".join(
        f'<rect x="{x - 3:.0f}" y="{y - 12:.0f}" width="6" height="16" rx="1" fill="#2d2b2d"/>'
        for x in (-half, half)
    )
    bar = open_path((-half - 6, y - 10), [((half + 6, y - 10),)])
    return line(hook, "#6a6b70", 2) + line(bar, "#55565a", 2.6) + clips


def _waistband(bottom: Bottom, y: float) -> str:
    fabric, waist = bottom.fabric, bottom.waist
    low_half = waist + 1.2 + (bottom.band - 9) * 0.4  # a high waist widens towards the hip
    data = symmetric_path(
        (0, y + 3),
        [
            ((waist * 0.6, y + 3), (waist, y)),
            ((low_half, y + bottom.band),),
            ((waist * 0.6, y + bottom.band + 3), (0, y + bottom.band + 3)),
        ],
    )
    markup = cloth(fabric, data)
    if bottom.closure == "drawstring":
        edges = (
            ((-waist, y + 1), (waist, y + 1)),
            ((-low_half, y + bottom.band), (low_half, y + bottom.band)),
        )
        cord = shade(fabric.pattern.ground, 1.7)
        knot = f"M-3 {y + 9:.1f}q-7 12 -4 26M3 {y + 9:.1f}q8 10 5 22"
        loops = f"M0 {y + 9:.1f}q-10 -3 -8 4q4 3 8 -4q10 -3 8 4q-4 3 -8 -4"
        return markup + ribs(*edges, 30) + line(knot + loops, cord, 1.7)
    if bottom.closure == "fly":
        loops = "".join(
            f'<rect x="{x * waist - 1.3:.1f}" y="{y + 0.5:.1f}" width="2.6" height="11" '
            f'fill="{fabric.pattern.ground}" stroke="{fabric.dark}" stroke-width="0.6"/>'
            for x in (-0.75, -0.35, 0.35, 0.75)
        )
        metal = "#b89a5e" if fabric.texture == "denim" else shade(fabric.pattern.ground, 0.5)
        return markup + loops + button((0, y + 7.5), 2.5, metal)
    return markup


def _print(bottom: Bottom, y: float) -> str:
    pattern = bottom.fabric.pattern
    if pattern.name != "graphic":
        return ""
    if bottom.category == "skirt":
        place, size = (0.0, y + bottom.length * 0.6), bottom.hip * 0.38
    else:
        place, size = (bottom.hip * 0.56, y + min(88.0, bottom.length * 0.72)), 11.0
    figure = graphic(pattern.style, size, pattern.second, pattern.third, choice=pattern.arrangement)
    return f'<g transform="translate({place[0]:.1f} {place[1]:.1f})">{figure}</g>'


def _brief(bottom: Bottom, y: float) -> str:
    """Return swimming briefs, cut high or low at the leg by their length."""
    crotch_half, low_y = 9.0, y + bottom.length
    hip: Point = (bottom.hip, y + bottom.length * 0.42)
    leg: Segment = ((bottom.hip * 0.42, low_y - bottom.length * 0.28), (crotch_half, low_y - 1))
    segments: list[Segment] = [
        ((bottom.waist * 0.6, y + 3), (bottom.waist, y)),
        ((bottom.waist + 3, y + bottom.length * 0.2), hip),
        leg,
        ((crotch_half * 0.5, low_y + 1), (0, low_y + 1)),
    ]
    edge = both_sides(line(open_path(hip, [leg]), bottom.fabric.thread, 1.4))
    return cloth(bottom.fabric, symmetric_path((0, y + 3), segments)) + edge


def _legs(bottom: Bottom, y: float) -> str:
    """Return both legs, each drawn as the right one and mirrored."""
    rise = min(bottom.rise, bottom.length * 0.62)
    hip: Point = (bottom.hip, y + rise * 0.7)
    crotch: Point = (0, y + rise)
    hem_y = y + bottom.length
    outer: Point = (bottom.spread + bottom.hem_width, hem_y - bottom.spread * 0.05)
    inner: Point = (max(1.5, bottom.spread - bottom.hem_width), hem_y)
    knee_y = y + rise + (bottom.length - rise) * 0.45
    knee_share = 0.52 if bottom.kind in ("leggings", "joggers") else 0.62
    knee = hip[0] + (outer[0] - hip[0]) * knee_share
    outside: list[Segment] = [((knee, knee_y), outer)]
    inside: list[Segment] = [((inner[0] * 0.55 + 2, knee_y), crotch)]
    if bottom.kind == "flared":  # close at the knee, where the flare begins
        middle, half = bottom.spread * 0.8, min(13.0, bottom.hem_width * 0.5)
        turning_y = y + rise + (bottom.length - rise) * 0.42
        outside = [
            ((hip[0], crotch[1] + 8), (middle + half, turning_y)),
            ((middle + half + 3, (turning_y + hem_y) / 2), outer),
        ]
        inside = [
            ((middle - half - 1, (turning_y + hem_y) / 2), (middle - half, turning_y)),
            ((4, crotch[1] + 16), crotch),
        ]
    elif bottom.kind == "tapered":  # wide at the thigh
        outside = [((hip[0] + 9, knee_y - 4), outer)]
    segments: list[Segment] = [
        ((bottom.waist, y),),
        ((bottom.waist + 5, y + 18), hip),
        *outside,
        (((outer[0] + inner[0]) / 2, hem_y + 2), inner),
        *inside,
    ]
    leg = cloth(bottom.fabric, closed_path((0, y + 2), segments))
    fabric = bottom.fabric
    details = _leg_hem(bottom, outer, inner, (knee, knee_y))
    details += _leg_details(bottom, hip, outer, (knee, knee_y))
    # creases that radiate from the crotch make two tubes of a flat shape
    creases = open_path((4, crotch[1] + 3), [((bottom.hip * 0.4, crotch[1] - 4),)])
    creases += open_path((3, crotch[1] + 8), [((bottom.hip * 0.36, crotch[1] + 9),)])
    details += line(creases, fabric.dark, 1.6, opacity=0.4)
    centre = line(open_path((0, y + 4), [(crotch,)]), fabric.dark, 1.2)
    return both_sides(leg + details) + centre + _front(bottom, y, crotch)


def _leg_hem(bottom: Bottom, outer: Point, inner: Point, knee: Point) -> str:
    fabric = bottom.fabric
    cuffed = bottom.kind == "joggers"
    share = (11 if cuffed else 5) / max(20.0, outer[1] - knee[1])
    upper_outer = between(outer, knee, share)
    upper_inner = between(inner, (inner[0] * 0.55 + 2, knee[1]), share)
    if cuffed:
        data = closed_path(upper_outer, [(outer,), (inner,), (upper_inner,)])
        return band(data, fabric.trim) + ribs((upper_inner, upper_outer), (inner, outer), 8)
    stitches = open_path(upper_outer, [(upper_inner,)])
    return line(stitches, fabric.thread, 0.9, dashes="2 1.4", opacity=0.9)


def _leg_details(bottom: Bottom, hip: Point, outer: Point, knee: Point) -> str:
    fabric = bottom.fabric
    if bottom.detail == "side-stripe":
        run: list[Segment] = [((knee[0] - 3, knee[1]), (outer[0] - 3, outer[1]))]
        stripe = open_path(
            (hip[0] - 3, hip[1] - 28), [((hip[0] - 1, hip[1] - 12), (hip[0] - 3, hip[1])), *run]
        )
        return line(stripe, fabric.pattern.second, 4.5)
    if bottom.detail == "crease":
        crease = open_path((bottom.hip * 0.5, hip[1]), [((bottom.spread, outer[1] - 3),)])
        light = open_path(
            (bottom.hip * 0.5 + 1.5, hip[1]), [((bottom.spread + 1.5, outer[1] - 3),)]
        )
        return line(crease, fabric.dark, 1.2, opacity=0.7) + line(light, "#ffffff", 1, opacity=0.25)
    if bottom.detail == "ripped":
        x, y = bottom.spread * 0.95 + 4, knee[1] - 12
        tear = f"M{x - 8:.1f} {y:.1f}h15M{x - 6:.1f} {y + 4:.1f}h13M{x - 8:.1f} {y + 8:.1f}h14"
        return line(tear, "#dfe3e8", 1.6, opacity=0.9)
    if bottom.detail == "cargo":
        x, y = bottom.hip * 0.62, hip[1] + 24
        data = f"M{x:.1f} {y:.1f}h17v24h-17Z"
        return cloth(fabric, data) + line(f"M{x:.1f} {y + 7:.1f}h17", fabric.dark, 1.2)
    if fabric.texture == "denim" and bottom.category == "pants":  # worn pale along the thigh
        worn = f"M{bottom.hip * 0.52:.1f} {hip[1] + 8:.1f}L{bottom.spread:.1f} {knee[1]:.1f}"
        return "".join(line(worn, "#ffffff", width, opacity=0.06) for width in (18, 13, 8))
    return ""


def _front(bottom: Bottom, y: float, crotch: Point) -> str:
    fabric, waist = bottom.fabric, bottom.waist
    pocket = open_path((waist * 0.52, y + 11), [((waist * 0.62, y + 27), (waist + 4, y + 27))])
    cut = "none" if bottom.kind == "leggings" else "side"
    if (cut if bottom.pockets == "of-kind" else bottom.pockets) != "side":
        pocket = ""
    elif bottom.closure == "drawstring" or bottom.kind == "wide-leg":
        pocket = open_path((waist * 0.74, y + 13), [((waist + 4.5, y + 40),)])
    markup = ""
    if pocket:
        stitches = line(pocket, fabric.thread, 0.8, dashes="2 1.4")
        markup = both_sides(
            line(pocket, fabric.dark, 1.5) + f'<g transform="translate(0 2)">{stitches}</g>'
        )
    if bottom.closure != "fly":
        return markup
    end = y + (crotch[1] - y) * 0.72
    fly = open_path((7, y + 12), [((7, end - 4), (0, end))])
    markup += line(fly, fabric.thread, 1, dashes="2 1.4")
    if fabric.texture == "denim":
        markup += _rivets(fabric, waist, y)
    return markup


def _rivets(fabric: Fabric, waist: float, y: float) -> str:
    watch = f"M{waist * 0.62:.1f} {y + 17:.1f}h{waist * 0.24:.1f}"
    rivets = "".join(
        f'<circle cx="{x:.1f}" cy="{y + 13:.1f}" r="1.1" fill="#b89a5e"/>'
        for x in (waist * 0.55, -waist * 0.55)
    )
    return line(watch, fabric.thread, 0.9) + rivets


def _skirt(bottom: Bottom, y: float) -> str:
    fabric, waist = bottom.fabric, bottom.waist
    hem_y, half = y + bottom.length, bottom.hem_width
    hip: Point = (bottom.hip, y + min(40.0, bottom.length * 0.4))
    dip = 2.0 if half < bottom.hip * 1.15 else 7.0
    straight = bottom.kind in ("pleated", "a-line", "tiered")
    side: Segment = (
        ((hip[0] + half) / 2, (hip[1] + hem_y) / 2) if straight else (hip[0] + 1, hem_y - 30),
        (half, hem_y),
    )
    segments: list[Segment] = [
        ((waist * 0.6, y + 3), (waist, y)),
        ((waist + (hip[0] - waist) * 0.7, y + 14), hip),
        side,
        ((half * 0.55, hem_y + dip), (0, hem_y + dip)),
    ]
    markup = cloth(fabric, symmetric_path((0, y + 3), segments))
    curve: Segment = ((half * 0.55, hem_y + dip - 4), (half - 1, hem_y - 4))
    hem = symmetric_path((0, hem_y + dip - 4), [curve], closed=False)
    markup += line(hem, fabric.thread, 0.9, dashes="2 1.4", opacity=0.9)
    if bottom.kind == "pleated":
        markup += _pleats(bottom, y, hem_y + dip - 1)
    elif bottom.kind == "tiered":
        markup += _tiers(bottom, hip, y, hem_y)
    elif bottom.kind == "a-line":
        folds = "".join(
            open_path((x * waist * 0.5, y + 30), [((x * half * 0.55, hem_y - 4),)])
            for x in (-1.1, -0.4, 0.35, 1.0)
        )
        markup += line(folds, fabric.dark, 2.2, opacity=0.28)
    elif bottom.kind == "denim":
        markup += _front(bottom, y, (0, y + 48))
        markup += line(f"M0 {y + 12:.1f}V{y + 46:.1f}", fabric.dark, 1.1)
        seam = open_path((0, y + 46), [((0, hem_y + dip),)])
        markup += line(seam, fabric.thread, 0.9, dashes="2 1.4")
    else:
        darts = open_path((waist * 0.45, y + 11), [((waist * 0.5, y + 34),)])
        markup += both_sides(line(darts, fabric.dark, 1.1))
    return markup + _skirt_detail(bottom, y, hem_y + dip)


def _pleats(bottom: Bottom, y: float, low_y: float) -> str:
    fabric = bottom.fabric
    count = 6 + round(4 * fabric.pattern.weight)
    folds = lights = ""
    for index in range(-count + 1, count):
        share = index / count
        top: Point = (share * bottom.waist, y + 11)
        foot: Point = (share * bottom.hem_width, low_y - 5 * share * share)
        folds += open_path(top, [(foot,)])
        lights += open_path((top[0] + 1.5, top[1]), [((foot[0] + 3, foot[1]),)])
    return line(folds, fabric.dark, 1.3, opacity=0.75) + line(lights, "#ffffff", 1.8, opacity=0.18)


def _tiers(bottom: Bottom, hip: Point, y: float, hem_y: float) -> str:
    fabric = bottom.fabric
    markup = ""
    for share in (0.36, 0.68):
        level = y + bottom.length * share
        half = between(
            hip, (bottom.hem_width, hem_y), max(0.0, (level - hip[1]) / (hem_y - hip[1]))
        )
        seam = symmetric_path(
            (0, level + 5), [((half[0] * 0.6, level + 5), (half[0], level))], closed=False
        )
        markup += line(seam, fabric.dark, 1.6)
        gathers = ""
        for index in range(-6, 7):
            x = index * half[0] / 6.6
            gathers += f"M{x:.1f} {level + 5:.1f}l{index * 0.5:.1f} {12 + 5 * (index % 3):.1f}"
        markup += line(gathers, fabric.dark, 1.2, opacity=0.45)
    return markup


def _skirt_detail(bottom: Bottom, y: float, low_y: float) -> str:
    fabric = bottom.fabric
    if bottom.detail == "button-front":
        markup = line(open_path((-5, y + 11), [((-5, low_y),)]), fabric.dark, 1)
        markup += line(open_path((5, y + 11), [((5, low_y),)]), fabric.dark, 1)
        level = y + 18
        while level < low_y - 6:
            markup += button((0, level), 2.3, shade(fabric.pattern.ground, 1.6))
            level += 15
        return markup
    if bottom.detail == "slit":
        x = bottom.hem_width * 0.45
        slit = closed_path(
            (x, low_y - bottom.length * 0.3), [((x + 7, low_y - 1),), ((x - 1, low_y),)]
        )
        return filled(slit, shade(fabric.dark, 0.6))
    return ""
