"""Parts that bags share: straps and chains, zips, clasps, pockets, quilting, charms."""

from __future__ import annotations

import math

from bench_atelier.carried import Bag
from bench_atelier.colours import contrast_of, shade
from bench_atelier.fabric import band, cloth, fabric_definitions
from bench_atelier.outline import Point, disc, filled, line, symmetric_path


def half_top(bag: Bag) -> float:
    """Return half the width of the body's upper edge."""
    return bag.width + bag.taper


def definitions(bag: Bag) -> str:
    """Return the `<defs>` content: cloth, light on a rounded body, the quilted diamonds."""
    markup = fabric_definitions(bag.fabric, {"body": 0.0})
    markup += (
        '<linearGradient id="volume" x1="0" y1="0" x2="0.35" y2="1">'
        '<stop offset="0" stop-color="#ffffff" stop-opacity="0.2"/>'
        '<stop offset="0.35" stop-color="#ffffff" stop-opacity="0"/>'
        '<stop offset="0.7" stop-color="#000000" stop-opacity="0"/>'
        '<stop offset="1" stop-color="#000000" stop-opacity="0.24"/></linearGradient>'
    )
    if bag.quilting:
        size, half = bag.quilting, bag.quilting / 2
        cross = f"M0 0L{size:.2f} {size:.2f}M{size:.2f} 0L0 {size:.2f}"
        lit = (
            f"M{half - size * 0.2:.2f} {half - size * 0.16:.2f}l{size * 0.2:.2f} {-size * 0.18:.2f}"
        )
        markup += (
            f'<pattern id="quilting" width="{size:.2f}" height="{size:.2f}" '
            f'patternUnits="userSpaceOnUse">{line(cross, bag.fabric.dark, 1.3)}'
            f"{line(lit, '#ffffff', 1.8, opacity=0.3)}</pattern>"
        )
    return markup


def piece(bag: Bag, data: str) -> str:
    """Return a piece of the body: cloth with the light on it."""
    return cloth(bag.fabric, data) + filled(data, "url(#volume)")


def quilting(bag: Bag, data: str) -> str:
    """Return the stitched diamonds on a piece, where the bag is quilted."""
    return filled(data, "url(#quilting)") if bag.quilting else ""


def arch(start: Point, end: Point, rise: float, lean: float) -> str:
    """Return path data of a handle from one end to the other, `rise` above the axis y = 0.

    A negative rise hangs down; `lean` moves its crest to the right.
    """
    first, second = _controls(start, end, rise, lean)
    return (
        f"M{start[0]:.1f} {start[1]:.1f}C{first[0]:.1f} {first[1]:.1f} "
        f"{second[0]:.1f} {second[1]:.1f} {end[0]:.1f} {end[1]:.1f}"
    )


def _controls(start: Point, end: Point, rise: float, lean: float) -> tuple[Point, Point]:
    # a cubic reaches three quarters of the way to its control points
    y = -rise / 0.75
    return (start[0] + lean, y), (end[0] + lean, y)


def arch_box(start: Point, end: Point, rise: float, lean: float) -> tuple[float, float]:
    """Return how far a handle reaches from the axis x = 0, and the y of its crest."""
    first, second = _controls(start, end, rise, lean)
    reach, top = 0.0, 0.0
    for step in range(17):
        share = step / 16
        rest = 1 - share
        weights = (rest**3, 3 * rest**2 * share, 3 * rest * share**2, share**3)
        nodes = (start, first, second, end)
        x = sum(weight * node[0] for weight, node in zip(weights, nodes, strict=True))
        y = sum(weight * node[1] for weight, node in zip(weights, nodes, strict=True))
        reach, top = max(reach, abs(x)), min(top, y)
    return reach, top


def carrier(bag: Bag, data: str) -> str:
    """Return a handle or strap along path data: flat, rolled or a chain."""
    if bag.carrier == "chain":
        links = line(data, shade(bag.metal, 0.45), bag.strap) + line(
            data, bag.metal, bag.strap * 0.62, dashes=f"{bag.strap * 0.9:.1f} {bag.strap * 0.9:.1f}"
        )
        return links + line(data, shade(bag.metal, 1.4), bag.strap * 0.2, dashes="1.5 4")
    edge = shade(bag.trim, 0.5)
    markup = line(data, edge, bag.strap + 1.8) + line(data, bag.trim, bag.strap)
    if bag.carrier == "rolled":
        return markup + line(data, "#ffffff", bag.strap * 0.3, opacity=0.3)
    if bag.stitching and bag.strap > 4:
        markup += line(data, contrast_of(bag.trim), bag.strap * 0.7, opacity=0.35)
        markup += line(data, bag.trim, bag.strap * 0.5)
    return markup


def zipper(bag: Bag, start: Point, end: Point, *, sag: float = 0) -> str:
    """Return a zip between two points with its slider and pull at the right end."""
    middle = (start[0] + end[0]) / 2
    low = (start[1] + end[1]) / 2 + 2 * sag
    data = f"M{start[0]:.1f} {start[1]:.1f}Q{middle:.1f} {low:.1f} {end[0]:.1f} {end[1]:.1f}"
    x, y = end
    pull = f"M{x - 4:.1f} {y - 2.5:.1f}h5v5h-5ZM{x - 2.5:.1f} {y + 2:.1f}h2l1.4 11h-4.8Z"
    return (
        line(data, shade(bag.fabric.dark, 0.6), 5)
        + line(data, bag.metal, 2.2, dashes="1.2 1.3")
        + filled(pull, bag.metal)
        + line(pull, shade(bag.metal, 0.45), 0.8)
    )


def flap(bag: Bag, *, pointed: bool = False) -> str:
    """Return the flap over the front with its shadow and its clasp."""
    half = half_top(bag) + 1
    low = bag.height * bag.flap
    slant = -bag.taper * bag.flap
    if pointed:
        data = symmetric_path(
            (0, -2), [((half - 4, -2),), ((half, -2), (half, 4)), ((6, low - 2),), ((0, low + 2),)]
        )
    else:
        corner = 8 + bag.corner
        data = symmetric_path(
            (0, -2),
            [
                ((half - 5, -2),),
                ((half, -2), (half, 5)),
                ((half + slant, low - corner),),
                ((half + slant, low), (half + slant - corner, low)),
                ((0, low),),
            ],
        )
    shadow = f'<g transform="translate(0 3)">{filled(data, "#000000", opacity=0.3)}</g>'
    markup = shadow + piece(bag, data) + quilting(bag, data) + line(data, bag.fabric.dark, 1.4)
    if bag.stitching:
        shrunk = '<g transform="translate(0 1.6) scale(0.95 0.93)">'
        markup += f"{shrunk}{line(data, bag.fabric.thread, 1, dashes='3 2')}</g>"
    return markup


def clasp(bag: Bag, centre: Point) -> str:
    """Return a metal lock: round, a bar or a turning one, as the height of the bag has it."""
    x, y = centre
    dark, light = shade(bag.metal, 0.45), shade(bag.metal, 1.5)
    form = bag.fabric.pattern.arrangement % 3
    if form == 0:
        return disc(centre, 7, dark) + disc(centre, 6, bag.metal) + disc((x - 2, y - 2), 2, light)
    if form == 1:
        bar = f"M{x - 13:.1f} {y - 4:.1f}h26v8h-26Z"
        shine = line(f"M{x - 10:.1f} {y - 1.5:.1f}h18", light, 1.4)
        return filled(bar, bag.metal) + line(bar, dark, 1.2) + shine
    plate = f"M{x - 9:.1f} {y - 7:.1f}h18v14h-18Z"
    turn = line(f"M{x:.1f} {y - 4:.1f}v8", dark, 5.4) + line(f"M{x:.1f} {y - 4:.1f}v8", light, 3.4)
    return filled(plate, bag.metal) + line(plate, dark, 1.2) + turn


def buckle_strap(bag: Bag, x: float, top: float, bottom: float) -> str:
    """Return an upright closing strap with a frame buckle near its lower end."""
    half = 5.5
    strap = f"M{x - half:.1f} {top:.1f}h{2 * half:.1f}V{bottom - 6:.1f}L{x:.1f} {bottom:.1f}"
    strap += f"L{x - half:.1f} {bottom - 6:.1f}Z"
    y = bottom - 20
    frame = f"M{x - half - 2.5:.1f} {y:.1f}h{2 * half + 5:.1f}v10h{-2 * half - 5:.1f}Z"
    markup = band(strap, bag.trim)
    if bag.stitching:
        rows = f"M{x - 3:.1f} {top + 2:.1f}V{y - 2:.1f}M{x + 3:.1f} {top + 2:.1f}V{y - 2:.1f}"
        markup += line(rows, contrast_of(bag.trim), 0.9, dashes="2.4 1.8")
    markup += line(frame, shade(bag.metal, 0.45), 3.4) + line(frame, bag.metal, 2.2)
    return markup + line(f"M{x:.1f} {y:.1f}v8", bag.metal, 1.6)


def pocket(bag: Bag, half: float, top: float, deep: float) -> str:
    """Return the front pocket, `half` to either side and `deep` high, or an inner one's zip."""
    if bag.pocket == "none":
        return ""
    if bag.pocket == "zip":
        return zipper(bag, (-half, top + 4), (half, top + 4))
    data = f"M{-half:.1f} {top:.1f}H{half:.1f}V{top + deep - 9:.1f}q0 9 -9 9"
    data += f"H{-half + 9:.1f}q-9 0 -9 -9Z"
    hem = f"M{-half:.1f} {top:.1f}H{half:.1f}v9H{-half:.1f}Z"
    shadow = f'<g transform="translate(0 2)">{filled(data, "#000000", opacity=0.22)}</g>'
    stitches = line(data, bag.fabric.thread, 1, dashes="3 2")
    return shadow + piece(bag, data) + band(hem, bag.trim) + stitches


def drawstring(bag: Bag, half: float, y: float, side: int) -> str:
    """Return a cord through eyelets around a mouth, knotted in front, its ends hanging."""
    places = [-0.8, -0.5, -0.2, 0.2, 0.5, 0.8]
    nodes = [(half * share, y + 7 * math.sqrt(1 - share * share)) for share in places]
    markup = ""
    cord = shade(bag.trim, 0.8)
    for first, second in ((0, 1), (2, 3), (4, 5)):
        (x, low), (end_x, end_low) = nodes[first], nodes[second]
        data = f"M{x:.1f} {low:.1f}L{end_x:.1f} {end_low:.1f}"
        markup += line(data, shade(cord, 0.5), 4) + line(data, cord, 2.6)
    for node in nodes:
        markup += disc(node, 3.2, bag.metal) + disc(node, 1.5, shade(bag.fabric.dark, 0.5))
    low = y + 8
    ends = f"M0 {low:.1f}Q{-6 + 5 * side} {low + 20:.1f} {-9 + 8 * side} {low + 40:.1f}"
    ends += f"M0 {low:.1f}Q{6 + 5 * side} {low + 18:.1f} {8 + 8 * side} {low + 33:.1f}"
    markup += line(ends, shade(cord, 0.5), 4) + line(ends, cord, 2.6)
    for x, hung in ((-9 + 8 * side, low + 40), (8 + 8 * side, low + 33)):
        markup += band(f"M{x - 3:.1f} {hung:.1f}h6l1 10h-8Z", bag.trim)
    return markup + disc((0, low), 4.4, shade(cord, 0.5)) + disc((0, low), 3.6, cord)


def charm(bag: Bag, hook: Point) -> str:
    """Return what dangles from a point of the bag: a tassel, a pompom, a tag or nothing."""
    if bag.charm == "none":
        return ""
    x, y = hook
    colour = bag.fabric.pattern.third
    cord = line(f"M{x:.1f} {y:.1f}v11", bag.metal, 1.8) + disc(hook, 2.6, bag.metal)
    low = y + 11
    if bag.charm == "tassel":
        skirt = f"M{x - 3:.1f} {low + 6:.1f}h6l4 24h-14Z"
        threads = "".join(
            f"M{x + at * 0.5:.1f} {low + 8:.1f}L{x + at:.1f} {low + 29:.1f}"
            for at in (-4, -1, 2, 5)
        )
        head = band(f"M{x - 3.4:.1f} {low:.1f}h6.8v7h-6.8Z", bag.metal)
        return cord + band(skirt, colour) + line(threads, shade(colour, 0.6), 0.9) + head
    if bag.charm == "pompom":
        fluff = ""
        for index in range(12):
            angle = index * math.tau / 12
            fluff += f"M{x + 5 * math.cos(angle):.1f} {low + 11 + 5 * math.sin(angle):.1f}"
            fluff += f"L{x + 12 * math.cos(angle):.1f} {low + 11 + 12 * math.sin(angle):.1f}"
        ball = disc((x, low + 11), 11.5, colour)
        return cord + ball + line(fluff, shade(colour, 0.72), 2.2, opacity=0.8)
    tag = f"M{x:.1f} {low:.1f}l7 7v19h-14v-19Z"
    return cord + band(tag, bag.trim) + disc((x, low + 6), 1.6, bag.metal)
