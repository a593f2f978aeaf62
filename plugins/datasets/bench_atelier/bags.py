"""Bags: bodies, flaps and openings, handles and straps, pockets, quilting, charms."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from bench_atelier.bag_parts import (
    arch,
    arch_box,
    buckle_strap,
    carrier,
    charm,
    clasp,
    definitions,
    drawstring,
    flap,
    half_top,
    piece,
    pocket,
    quilting,
    zipper,
)
from bench_atelier.carried import Bag
from bench_atelier.colours import shade
from bench_atelier.fabric import band
from bench_atelier.garments import Drawing
from bench_atelier.outline import (
    Point,
    both_sides,
    closed_path,
    disc,
    filled,
    line,
    symmetric_path,
)

# where the strap of a bag starts on its right side, as shares of the half top width and height
_STRAP_ENDS: Mapping[str, Point] = {
    "tote": (0.5, 0.1),
    "shoulder": (0.94, 0.02),
    "clutch": (0.86, 0.06),
    "satchel": (0.97, 0.06),
    "bucket": (0.95, 0.1),
    "cross-body": (0.93, 0.1),
    "duffel": (0.42, 0.1),
}


def draw_bag(bag: Bag, *, variant: int = 0) -> Drawing:
    """Return the drawing of a bag; the upper edge of its body is near y = 0.

    By `variant` modulo 3 the strap stands or has fallen to the right or to the left.
    """
    side = (0, 1, -1)[variant % 3]
    markup = f"<defs>{definitions(bag)}</defs>{_BODIES[bag.kind](bag, side)}"
    x, high = bag.width + max(bag.taper, 0) + 8, 12.0
    if bag.kind == "backpack":
        x, high = x + 22, bag.drop + 16
    elif bag.kind == "clutch" and bag.carrier != "chain":
        x += 16
    elif bag.kind == "satchel" and side == 0:
        high = bag.drop + bag.strap + 6
    else:
        reach, top = arch_box(*_strap(bag, side))
        x, high = max(x, reach + bag.strap), max(high, bag.strap - top)
    return Drawing(markup, half_width=x, top=-high, bottom=bag.height + 16)


def _strap(bag: Bag, side: int) -> tuple[Point, Point, float, float]:
    """Return both ends of the strap, its rise and its lean to a side."""
    share, down = _STRAP_ENDS[bag.kind]
    x, y = half_top(bag) * share, bag.height * down
    rise = bag.drop * (1.9 if bag.kind == "satchel" else 1)
    # handles of a tote or a duffel are too short to lean far
    lean = {"tote": 16.0, "duffel": 20.0}.get(bag.kind, 42.0)
    fallen = {"tote": 0.86, "duffel": 0.8}.get(bag.kind, 0.5)
    return (-x, y), (x, y), rise * (fallen if side else 1), side * lean


def _box(bag: Bag, *, inset: float = 0, top: float = 0, soft: float = 0.4) -> str:
    """Return the outline of a body with rounded corners; `soft` rounds the upper ones less."""
    upper, lower = half_top(bag) - inset, bag.width - inset
    low, corner = bag.height - inset, max(bag.corner - inset, 1)
    y, round_top = top + inset, max(bag.corner * soft - inset, 1)
    return symmetric_path(
        (0, y),
        [
            ((upper - round_top, y),),
            ((upper, y), (upper, y + round_top)),
            ((lower, low - corner),),
            ((lower, low), (lower - corner, low)),
            ((0, low),),
        ],
    )


def _finish(bag: Bag, outline: str, inner: str) -> str:
    """Return binding along the outline and, inside of it, a row of stitches."""
    markup = line(outline, shade(bag.trim, 0.6), 3) + line(outline, bag.trim, 1.8)
    if bag.stitching:
        markup += line(inner, bag.fabric.thread, 1, dashes="3 2")
    return markup


def _body(bag: Bag, outline: str, inner: str) -> str:
    return piece(bag, outline) + quilting(bag, outline) + _finish(bag, outline, inner)


def _tote(bag: Bag, side: int) -> str:
    start, end, rise, lean = _strap(bag, side)
    half = half_top(bag)
    rear = carrier(bag, arch((start[0], 4), (end[0], 4), rise * 0.94, lean * 0.5 + 3))
    mouth = f"M{-half + 1:.1f} 2Q0 -9 {half - 1:.1f} 2Q0 12 {-half + 1:.1f} 2Z"
    markup = rear + filled(mouth, shade(bag.fabric.dark, 0.5))
    markup += _body(bag, _box(bag, soft=0.1), _box(bag, inset=5, soft=0.1))
    if bag.fastening == "zip":
        markup += zipper(bag, (-half * 0.8, 4), (half * 0.8, 4))
    hem = f"M{-half + 3:.1f} 13H{half - 3:.1f}"
    markup += line(hem, bag.fabric.dark, 1, opacity=0.6)
    markup += pocket(bag, bag.width * 0.62, bag.height * 0.42, bag.height * 0.34)
    # a fallen front handle lies on the body, a standing one rises before the rear one
    rise = -bag.drop * 0.78 if side else rise
    markup += carrier(bag, arch(start, end, rise, lean))
    for x, y in (start, end):
        wide = bag.strap * 0.9
        tab = f"M{x - wide:.1f} {y - 4:.1f}h{2 * wide:.1f}v13l{-wide:.1f} 6l{-wide:.1f} -6Z"
        markup += band(tab, bag.trim) + disc((x, y + 4), 1.8, bag.metal)
    return markup + charm(bag, (end[0], end[1] + 4))


def _shoulder(bag: Bag, side: int) -> str:
    half, low = half_top(bag), bag.height
    dip = low * 0.3
    outline = symmetric_path(
        (0, dip),
        [
            ((half * 0.5, dip), (half * 0.86, 0)),
            ((half, -6), (half + 1, 6)),
            ((half + 6, low * 0.6), (bag.width * 0.78, low), (bag.width * 0.3, low)),
            ((0, low),),
        ],
    )
    inner = symmetric_path(
        (0, dip + 6),
        [
            ((half * 0.5, dip + 6), (half * 0.88, 8)),
            ((half + 1, low * 0.6), (bag.width * 0.76, low - 5), (bag.width * 0.3, low - 5)),
        ],
        closed=False,
    )
    markup = carrier(bag, arch(*_strap(bag, side)))
    markup += _body(bag, outline, inner)
    folds = f"M{half * 0.55:.0f} {dip + 8:.0f}q-6 16 -20 26M{half * 0.75:.0f} {dip:.0f}q2 20 -8 34"
    markup += both_sides(line(folds, bag.fabric.dark, 2, opacity=0.3))
    if bag.fastening == "zip":
        markup += zipper(bag, (-half * 0.5, dip * 0.9), (half * 0.5, dip * 0.9), sag=dip * 0.25)
    if bag.pocket == "zip":
        markup += zipper(bag, (-half * 0.4, low * 0.62), (half * 0.4, low * 0.62))
    rings = disc((half * 0.93, 5), 5, shade(bag.metal, 0.5)) + disc((half * 0.93, 5), 4, bag.metal)
    markup += both_sides(rings + disc((half * 0.93, 5), 2.2, bag.trim))
    return markup + charm(bag, (-half * 0.8, 12))


def _backpack(bag: Bag, side: int) -> str:
    half, low = half_top(bag), bag.height
    straps = ""
    for hand in (-1, 1):
        # the strap on the fallen side hangs in a wider loop
        wide = 26 if hand == side else 16
        data = (
            f"M{hand * (half - 16):.1f} 8C{hand * (half + wide):.1f} {low * 0.2:.1f} "
            f"{hand * (bag.width + wide):.1f} {low * 0.8:.1f} {hand * (bag.width - 8):.1f} "
            f"{low * (0.97 if hand == side else 0.9):.1f}"
        )
        straps += carrier(bag, data)
    grab = carrier(bag, arch((-13, 4), (13, 4), bag.drop, side * 6.0))
    dome = bag.corner + 20
    outline = symmetric_path(
        (0, 0),
        [
            ((half - dome, 0),),
            ((half, 0), (half, dome)),
            ((bag.width, low - bag.corner),),
            ((bag.width, low), (bag.width - bag.corner, low)),
            ((0, low),),
        ],
    )
    inner = f"M{-half + 7:.1f} {dome:.1f}V{low - 8:.1f}M{half - 7:.1f} {dome:.1f}V{low - 8:.1f}"
    sides = band(f"M{bag.width - 4:.1f} {low * 0.6:.1f}h9q3 2 2 8l-3 {low * 0.3:.1f}h-8Z", bag.trim)
    markup = straps + grab + both_sides(sides) + _body(bag, outline, inner)
    if bag.fastening == "zip":
        arched = (
            f"M{-half + 9:.1f} {low * 0.42:.1f}V{dome:.1f}Q{-half + 9:.1f} 9 {-half + dome:.1f} 9"
        )
        arched += f"H{half - dome:.1f}Q{half - 9:.1f} 9 {half - 9:.1f} {dome:.1f}V{low * 0.42:.1f}"
        markup += line(arched, shade(bag.fabric.dark, 0.7), 3.6)
        markup += line(arched, bag.metal, 1.6, dashes="1.4 1.2")
        markup += band(f"M{-half + 7:.1f} {low * 0.42:.1f}h4v10h-4Z", bag.metal)
    label = f"M-11 {low * 0.26:.1f}h22v11h-22Z"
    front, deep = bag.width - 11, low * 0.4
    pocket_top = low - deep - 9
    front_pocket = closed_path(
        (-front, pocket_top + 8),
        [
            ((-front, pocket_top), (-front + 10, pocket_top)),
            ((front - 10, pocket_top),),
            ((front, pocket_top), (front, pocket_top + 8)),
            ((front - 2, low - 14),),
            ((front - 2, low - 8), (front - 10, low - 8)),
            ((-front + 10, low - 8),),
            ((-front + 2, low - 8), (-front + 2, low - 14)),
        ],
    )
    markup += filled(front_pocket, "#000000", opacity=0.25)
    markup += piece(bag, front_pocket) + line(front_pocket, bag.fabric.dark, 1.6)
    if bag.pocket == "zip":
        y = pocket_top + 10
        markup += zipper(bag, (-front + 6, y), (front - 6, y))
    else:
        cover = (
            f"M{-front:.1f} {pocket_top:.1f}H{front:.1f}v14q0 8 -9 8H{-front + 9:.1f}q-9 0 -9 -8Z"
        )
        markup += band(cover, bag.trim) + disc((0, pocket_top + 15), 3.4, bag.metal)
    if bag.fastening != "zip":
        markup += flap(bag)
        if bag.fastening == "buckles":
            for x in (-half * 0.45, half * 0.45):
                markup += buckle_strap(bag, x, low * bag.flap - 16, low * bag.flap + 26)
        else:
            markup += clasp(bag, (0, low * bag.flap - 6))
    markup += band(label, bag.trim) + line(f"M-6 {low * 0.26 + 5.5:.1f}h12", bag.metal, 1.6)
    return markup + charm(bag, (bag.width - 14, low * 0.6))


def _clutch(bag: Bag, side: int) -> str:
    half = half_top(bag)
    markup = carrier(bag, arch(*_strap(bag, side))) if bag.carrier == "chain" else ""
    if bag.carrier != "chain" and side:
        markup += carrier(bag, _wrist_loop(bag, side * (half - 4), side))
    markup += _body(bag, _box(bag), _box(bag, inset=5))
    if bag.fastening in ("flap", "envelope"):
        markup += flap(bag, pointed=bag.fastening == "envelope")
        markup += clasp(bag, (0, bag.height * bag.flap - 9))
    elif bag.fastening == "frame":
        bar = f"M{-half + 1:.1f} 14V4Q{-half + 1:.1f} 0 {-half + 8:.1f} 0H{half - 8:.1f}"
        bar += f"Q{half - 1:.1f} 0 {half - 1:.1f} 4V14"
        markup += line(bar, shade(bag.metal, 0.5), 6.4) + line(bar, bag.metal, 5)
        markup += line(bar, shade(bag.metal, 1.5), 1.2)
        for x in (-4.5, 4.5):
            markup += disc((x, -4), 5.6, shade(bag.metal, 0.5)) + disc((x, -4), 4.8, bag.metal)
            markup += disc((x - 1.4, -5.4), 1.4, "#ffffff")
        gathers = "".join(f"M{x} 6l{x * 0.04:.1f} 18" for x in range(-64, 65, 16))
        markup += line(gathers, bag.fabric.dark, 1.4, opacity=0.4)
    else:
        markup += zipper(bag, (-half + 8, 10), (half - 8, 10))
    if bag.carrier != "chain" and side == 0:  # the loop lies on the front
        markup += carrier(bag, _wrist_loop(bag, half - 8, -1))
    return markup + charm(bag, (-half + 8, 12))


def _wrist_loop(bag: Bag, x: float, side: int) -> str:
    """Return path data of a loop that hangs from a corner of a clutch, towards one side."""
    low = bag.height * 0.9
    return (
        f"M{x:.1f} 10C{x + side * 26:.1f} 14 {x + side * 16:.1f} {bag.height:.1f} "
        f"{x - side * 2:.1f} {low:.1f}C{x - side * 12:.1f} {bag.height * 0.8:.1f} "
        f"{x - side * 6:.1f} 30 {x:.1f} 10"
    )


def _satchel(bag: Bag, side: int) -> str:
    half, low = half_top(bag), bag.height
    # the long strap shows only where it has fallen beside the bag
    markup = carrier(bag, arch(*_strap(bag, side))) if side else ""
    rise = bag.drop * 0.5 if side else bag.drop
    markup += carrier(bag, arch((-half * 0.32, 2), (half * 0.32, 2), rise, 0))
    markup += _body(bag, _box(bag), _box(bag, inset=5))
    markup += pocket(bag, bag.width * 0.66, low * 0.56, low * 0.36)
    markup += flap(bag)
    for x in (-half * 0.32, half * 0.32):
        markup += band(f"M{x - 7:.1f} -3h14v8h-14Z", bag.trim) + disc((x, 1), 2.2, bag.metal)
    edge = low * bag.flap
    if bag.fastening == "buckles":
        for x in (-half * 0.52, half * 0.52):
            markup += buckle_strap(bag, x, edge * 0.35, min(edge + 18, low - 4))
    else:
        markup += clasp(bag, (0, edge - 9))
    return markup + charm(bag, (half * 0.32, 4))


def _bucket(bag: Bag, side: int) -> str:
    half, low = half_top(bag), bag.height
    sag = bag.width * 0.14
    outline = symmetric_path(
        (0, 4),
        [
            ((half * 0.6, 4), (half, 0)),
            ((bag.width, low - sag - 4),),
            ((bag.width, low), (bag.width * 0.5, low + sag * 0.3), (0, low + sag * 0.3)),
        ],
    )
    mouth = f"M{-half:.1f} 0Q0 -17 {half:.1f} 0Q0 15 {-half:.1f} 0Z"
    markup = carrier(bag, arch(*_strap(bag, side)))
    markup += band(mouth, shade(bag.fabric.dark, 0.6)) + piece(bag, outline)
    markup += quilting(bag, outline)
    base = low * 0.82
    trim = symmetric_path(
        (0, base + sag),
        [
            ((bag.width * 0.6, base + sag), (bag.width + 0.8, base - 2)),
            ((bag.width, low - sag),),
            ((bag.width, low), (bag.width * 0.5, low + sag * 0.3), (0, low + sag * 0.3)),
        ],
    )
    markup += band(trim, bag.trim) + _finish(bag, outline, "M0 0")
    if bag.stitching:
        x, y = bag.width, base - 5
        row = f"M{-x:.1f} {y:.1f}Q0 {y + sag * 2 - 3:.1f} {x:.1f} {y:.1f}"
        markup += line(row, bag.fabric.thread, 1, dashes="3 2")
    folds = "".join(
        f"M{x} 24Q{x * 0.9:.0f} {low * 0.4:.0f} {x * 0.96:.0f} {low * 0.62:.0f}"
        for x in (-34, -20, 22, 36)
    )
    markup += line(folds, bag.fabric.dark, 3, opacity=0.22)
    if bag.pocket == "zip":
        markup += zipper(bag, (-bag.width * 0.55, low * 0.52), (bag.width * 0.55, low * 0.52))
    return markup + drawstring(bag, half * 0.93, low * 0.14, side) + charm(bag, (half - 6, 16))


def _cross_body(bag: Bag, side: int) -> str:
    half, low = half_top(bag), bag.height
    markup = carrier(bag, arch(*_strap(bag, side)))
    markup += _body(bag, _box(bag, soft=1), _box(bag, inset=5, soft=1))
    if bag.fastening == "flap":
        markup += flap(bag) + clasp(bag, (0, low * bag.flap - 8))
    else:
        markup += zipper(bag, (-half + 9, 12), (half - 9, 12))
        markup += pocket(bag, bag.width * 0.74, low * 0.36, low * 0.48)
    x, y = _strap(bag, side)[1]
    ring = disc((x, y), 4.6, shade(bag.metal, 0.5)) + disc((x, y), 3.8, bag.metal)
    return markup + both_sides(ring + disc((x, y), 1.8, bag.trim)) + charm(bag, (-x, y + 2))


def _duffel(bag: Bag, side: int) -> str:
    half, low = half_top(bag), bag.height
    start, end, rise, lean = _strap(bag, side)
    rear = carrier(bag, arch((start[0], 2), (end[0], 2), rise * 0.92, lean * 0.4 + 4))
    markup = rear + _body(bag, _box(bag, soft=0.9), "M0 0")
    round_end = (
        f"M{bag.width * 0.74:.1f} {low - 1:.1f}Q{bag.width * 0.9:.1f} {low * 0.5:.1f} "
        f"{half * 0.74:.1f} 1"
    )
    seam = line(round_end, shade(bag.trim, 0.6), 3.4) + line(round_end, bag.trim, 2)
    tab = band(f"M{bag.width - 3:.1f} {low * 0.4:.1f}h8v12h-8Z", bag.trim)
    markup += both_sides(seam + tab)
    markup += zipper(bag, (-half * 0.7, 8), (half * 0.7, 8))
    markup += pocket(bag, half * 0.33, low * 0.44, low * 0.4)
    webs = ""
    for x, y in (start, end):
        webs += f"M{x:.1f} {y:.1f}L{x * 1.02:.1f} {low - 2:.1f}"
    markup += carrier(bag, webs)
    rise = -bag.drop * 0.72 if side else rise
    markup += carrier(bag, arch(start, end, rise, lean))
    if not side:
        peak = 0.75 * (rise / 0.75) - start[1]
        wrap = f"M-12 {-peak - bag.strap * 0.8:.1f}h24v{bag.strap * 1.6:.1f}h-24Z"
        markup += band(wrap, bag.trim)
    for x, y in (start, end):
        markup += disc((x, y + 4), 2, bag.metal) + disc((x * 1.02, low * 0.62), 2, bag.metal)
    return markup + charm(bag, (half * 0.84, 16))


_BODIES: Mapping[str, Callable[[Bag, int], str]] = {
    "tote": _tote,
    "shoulder": _shoulder,
    "backpack": _backpack,
    "clutch": _clutch,
    "satchel": _satchel,
    "bucket": _bucket,
    "cross-body": _cross_body,
    "duffel": _duffel,
}
