"""Glasses and sunglasses: frames, lenses with tint and reflection, temples open or folded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bench_atelier.carried import Eyewear
from bench_atelier.colours import luminance, shade
from bench_atelier.fabric import fabric_definitions
from bench_atelier.garments import Drawing
from bench_atelier.outline import Point, Segment, closed_path, disc, filled, line, open_path

# the right lens (the nose on its left) within -1 to 1 both ways; the first segment is the brow
_Shape = tuple[Point, tuple[Segment, ...]]
_LENS_SHAPES: Mapping[str, _Shape] = {
    "aviator": (
        (-0.9, -0.62),
        (
            ((-0.7, -0.98), (0.55, -1.0), (0.85, -0.8)),
            ((1.14, -0.55), (1.0, 0.35), (0.6, 0.8)),
            ((0.3, 1.1), (-0.35, 1.05), (-0.65, 0.5)),
            ((-0.85, 0.15), (-1.05, -0.3), (-0.9, -0.62)),
        ),
    ),
    "wayfarer": (
        (-0.88, -0.9),
        (
            ((-0.4, -1.0), (0.7, -1.04), (0.98, -0.92)),
            ((1.06, -0.6), (0.92, 0.3), (0.74, 0.72)),
            ((0.55, 1.08), (-0.48, 1.08), (-0.7, 0.7)),
            ((-0.9, 0.3), (-1.0, -0.6), (-0.88, -0.9)),
        ),
    ),
    "round": (
        (-0.75, -0.66),
        (
            ((-0.38, -1.11), (0.38, -1.11), (0.75, -0.66)),
            ((1.13, -0.2), (1.06, 0.45), (0.6, 0.8)),
            ((0.25, 1.07), (-0.25, 1.07), (-0.6, 0.8)),
            ((-1.06, 0.45), (-1.13, -0.2), (-0.75, -0.66)),
        ),
    ),
    "cat-eye": (
        (-0.92, -0.42),
        (
            ((-0.5, -0.8), (0.45, -0.72), (1.06, -1.0)),
            ((1.1, -0.35), (0.95, 0.5), (0.45, 0.85)),
            ((0.0, 1.08), (-0.62, 0.98), (-0.82, 0.45)),
            ((-0.94, 0.15), (-1.0, -0.2), (-0.92, -0.42)),
        ),
    ),
    "rectangular": (
        (-0.92, -0.86),
        (
            ((-0.5, -0.98), (0.5, -1.0), (0.93, -0.9)),
            ((1.04, -0.8), (1.02, 0.5), (0.93, 0.78)),
            ((0.8, 1.02), (-0.6, 1.02), (-0.82, 0.82)),
            ((-0.98, 0.6), (-1.02, -0.7), (-0.92, -0.86)),
        ),
    ),
    "oversized": (
        (-0.86, -0.76),
        (
            ((-0.5, -1.04), (0.6, -1.06), (0.9, -0.84)),
            ((1.12, -0.5), (1.02, 0.55), (0.72, 0.82)),
            ((0.4, 1.08), (-0.5, 1.08), (-0.76, 0.72)),
            ((-1.02, 0.35), (-1.06, -0.5), (-0.86, -0.76)),
        ),
    ),
    "half-rim": (
        (-0.93, -0.7),
        (
            ((-0.55, -0.98), (0.55, -1.02), (0.95, -0.82)),
            ((1.04, -0.4), (0.98, 0.5), (0.76, 0.8)),
            ((0.5, 1.06), (-0.5, 1.06), (-0.74, 0.74)),
            ((-0.98, 0.4), (-1.02, -0.4), (-0.93, -0.7)),
        ),
    ),
    "sport": (
        (-1.16, -0.72),
        (
            ((-0.5, -1.0), (0.5, -1.02), (1.04, -0.6)),
            ((1.12, -0.2), (0.9, 0.45), (0.5, 0.72)),
            ((0.1, 1.04), (-0.5, 1.1), (-0.78, 0.5)),
            ((-0.9, 0.2), (-1.0, 0.1), (-1.16, 0.05)),
        ),
    ),
}
_WIRE = ("aviator", "half-rim")  # nose pads on wires instead of a moulded bridge


def draw_eyewear(eyewear: Eyewear, *, variant: int = 0) -> Drawing:
    """Return the drawing of glasses, their middle at the origin.

    By `variant` modulo 3 the temples are open and seen from above, folded behind the lenses, or
    the glasses are turned so that one temple shows its whole length.
    """
    front = _front(eyewear)
    definitions = fabric_definitions(eyewear.fabric, {"body": 0.0}) + _lens_definition(eyewear)
    markup = f"<defs>{definitions}</defs>"
    hinge_x, hinge_y = _hinge(eyewear)
    edge, deep = hinge_x + 10 + eyewear.rim, eyewear.height + eyewear.rim + 4
    high = deep + 4
    if variant % 3 == 0:
        return Drawing(
            markup + _open_temples(eyewear) + front,
            half_width=edge + 2 + eyewear.temple,
            top=min(-high, hinge_y - 74),
            bottom=deep,
        )
    if variant % 3 == 1:
        return Drawing(
            markup + _folded_temples(eyewear) + front, half_width=edge, top=-high, bottom=deep + 4
        )
    # turned: the front is narrower, and the long temple on its right balances it
    turned = f'<g transform="translate(-38 0) skewY(4) scale(0.7 1)">{front}</g>'
    return Drawing(
        markup + _side_temple(eyewear) + turned,
        half_width=edge * 0.7 + 46,
        top=-high - 10,
        bottom=deep + 10,
    )


def _centre(eyewear: Eyewear) -> float:
    """Return the distance of a lens's middle from the axis."""
    if eyewear.kind == "sport":  # one shield, its halves meet on the nose
        return eyewear.width * 1.12
    return eyewear.bridge / 2 + eyewear.rim + eyewear.width


def _hinge(eyewear: Eyewear) -> Point:
    _, segments = _LENS_SHAPES[eyewear.kind]
    x, y = segments[0][-1]
    return _centre(eyewear) + x * eyewear.width, y * eyewear.height


def _placed(points: Sequence[Point], eyewear: Eyewear, *, grown: float = 0) -> tuple[Point, ...]:
    """Return points of the unit shape in drawing units, the lens grown by so much all around."""
    across, down = eyewear.width + grown, eyewear.height + grown
    return tuple((_centre(eyewear) + x * across, y * down) for x, y in points)


def _lens_path(eyewear: Eyewear, *, grown: float = 0) -> str:
    start, segments = _LENS_SHAPES[eyewear.kind]
    placed = [_placed(segment, eyewear, grown=grown) for segment in segments]
    return closed_path(_placed((start,), eyewear, grown=grown)[0], placed)


def _brow_path(eyewear: Eyewear, *, grown: float = 0) -> str:
    start, segments = _LENS_SHAPES[eyewear.kind]
    placed = _placed((start, *segments[0]), eyewear, grown=grown)
    return open_path(placed[0], [placed[1:]])


def _lens_definition(eyewear: Eyewear) -> str:
    """Return the gradient of the lens: its tint, paler and clearer towards the lower edge."""
    tint, low = eyewear.tint, 1 + 0.5 * eyewear.gradient
    faded = eyewear.opacity * (1 - 0.75 * eyewear.gradient)
    return (
        '<linearGradient id="lens" x1="0" y1="0" x2="0" y2="1">'
        f'<stop offset="0.1" stop-color="{tint}" stop-opacity="{eyewear.opacity:.2f}"/>'
        f'<stop offset="1" stop-color="{shade(tint, low)}" stop-opacity="{faded:.2f}"/>'
        "</linearGradient>"
    )


def _frame_fill(eyewear: Eyewear) -> str:
    pattern = eyewear.fabric.pattern
    return pattern.ground if pattern.name == "plain" else "url(#cloth-body)"


def _bar(data: str, fill: str, edge: str, width: float) -> str:
    """Return a thick line with an edge: a temple, a brow, a bridge."""
    return line(data, edge, width + 1.4) + line(data, fill, width)


def _front(eyewear: Eyewear) -> str:
    """Return lenses, frame and bridge."""
    ground, fill = eyewear.fabric.pattern.ground, _frame_fill(eyewear)
    edge = shade(ground, 0.5) if luminance(ground) > 0.2 else "#000000"
    lens = _lens_path(eyewear)
    half = filled(lens, "#eef2f4", opacity=0.3) + filled(lens, "url(#lens)")
    thick = eyewear.rim
    brow = _brow_path(eyewear, grown=thick / 2)
    if eyewear.kind == "half-rim":
        half += line(lens, shade(eyewear.metal, 0.8), 0.9)
        half += _bar(brow, fill, edge, thick)
    elif eyewear.kind == "sport":
        half += line(lens, edge, 1.4) + _bar(brow, fill, edge, thick)
    else:
        rim = _lens_path(eyewear, grown=thick / 2)
        half += line(rim, edge, thick + 1.4) + line(rim, fill, thick)
        if eyewear.kind in ("wayfarer", "cat-eye"):  # the heavy upper edge that names them
            half += line(brow, edge, thick * 1.7 + 1.4) + line(brow, fill, thick * 1.7)
        half += line(_brow_path(eyewear, grown=thick * 0.7), "#ffffff", 1, opacity=0.4)
    hinge_x, hinge_y = _hinge(eyewear)
    if eyewear.kind == "cat-eye":
        wing = (
            f"M{hinge_x - 16:.1f} {hinge_y - 2:.1f}L{hinge_x + 9:.1f} {hinge_y - 9:.1f}"
            f"L{hinge_x + 4:.1f} {hinge_y + 12:.1f}Z"
        )
        half += filled(wing, fill) + line(wing, edge, 0.7)
    rivet = f"M{hinge_x - 2:.1f} {hinge_y + 1:.1f}h4"
    half += line(rivet, eyewear.metal, 2.2)
    mirrored = f'<g transform="scale(-1 1)">{half}</g>'
    return mirrored + half + _bridge(eyewear, fill, edge) + _reflections(eyewear)


def _bridge(eyewear: Eyewear, fill: str, edge: str) -> str:
    """Return what joins the lenses, and the nose pads of a wire frame."""
    half = eyewear.bridge / 2 + eyewear.rim * 0.6 + eyewear.width * 0.08
    high = -eyewear.height * {"aviator": 0.5, "round": 0.3, "cat-eye": 0.3}.get(eyewear.kind, 0.55)
    markup = ""
    if eyewear.kind == "sport":
        return _bar(f"M-4 {high - 4:.1f}Q0 {high - 5:.1f} 4 {high - 4:.1f}", fill, edge, 3)
    if eyewear.kind in _WIRE:
        for side in (-1, 1):
            x = side * (eyewear.bridge / 2 - 1)
            markup += line(f"M{x:.1f} {high + 5:.1f}q{-2 * side} 6 {-side} 10", eyewear.metal, 1)
            markup += disc((x - side, high + 16), 3, "#dedbd2")
    thick = max(eyewear.rim, 2.2)
    arch = f"M{-half:.1f} {high:.1f}Q0 {high - 9:.1f} {half:.1f} {high:.1f}"
    markup += _bar(arch, fill, edge, thick)
    if eyewear.kind == "aviator":
        bar_y = -eyewear.height * 0.86
        wide = eyewear.bridge / 2 + eyewear.width * 0.5
        markup += _bar(f"M{-wide:.1f} {bar_y:.1f}H{wide:.1f}", fill, edge, thick * 0.9)
    return markup


def _reflections(eyewear: Eyewear) -> str:
    """Return two slanting streaks on each lens, at the same place of both."""
    markup, strength = "", 0.22 if eyewear.opacity > 0.5 else 0.4
    for side in (-1, 1):
        x = side * _centre(eyewear) + eyewear.reflection * eyewear.width * 0.6
        for shift, wide in ((-2.0, 9.0), (13.0, 3.5)):
            reach, low = eyewear.height * 0.52, eyewear.height * 0.3
            left = x + shift
            streak = (
                f"M{left:.1f} {-reach:.1f}h{wide:.1f}l{-low * 0.9:.1f} {reach + low:.1f}"
                f"h{-wide:.1f}Z"
            )
            markup += filled(streak, "#ffffff", opacity=strength)
    return markup


def _temple_fill(eyewear: Eyewear) -> tuple[str, str]:
    """Return fill and edge of a temple: wire for thin frames, the frame's own stuff else."""
    if eyewear.kind == "aviator":
        return eyewear.metal, shade(eyewear.metal, 0.5)
    return _frame_fill(eyewear), shade(eyewear.fabric.dark, 0.8)


def _temple_width(eyewear: Eyewear) -> float:
    """Return the width of a temple, thin where it is of wire."""
    return eyewear.temple * 0.5 if eyewear.kind == "aviator" else eyewear.temple


def _open_temples(eyewear: Eyewear) -> str:
    """Return both temples reaching back, seen from above, with their bent ends."""
    x, y = _hinge(eyewear)
    fill, edge = _temple_fill(eyewear)
    data = f"M{x + 2:.1f} {y + 1:.1f}Q{x + 7:.1f} {y - 8:.1f} {x + 1:.1f} {y - 22:.1f}"
    data += f"L{x - 7:.1f} {y - 52:.1f}Q{x - 10:.1f} {y - 64:.1f} {x - 18:.1f} {y - 66:.1f}"
    right = _bar(data, fill, edge, _temple_width(eyewear))
    return right + f'<g transform="scale(-1 1)">{right}</g>'


def _folded_temples(eyewear: Eyewear) -> str:
    """Return the temples folded behind the lenses, one a little lower than the other."""
    x, y = _hinge(eyewear)
    fill, edge = _temple_fill(eyewear)
    markup = ""
    for side, fallen in ((1, 7.0), (-1, 14.0)):
        data = (
            f"M{side * x:.1f} {y + 4:.1f}L{-side * x * 0.45:.1f} {y + 4 + fallen:.1f}"
            f"Q{-side * x * 0.75:.1f} {y + 6 + fallen:.1f} {-side * x * 0.84:.1f} "
            f"{y + 20 + fallen:.1f}"
        )
        markup += _bar(data, fill, edge, _temple_width(eyewear))
    return markup


def _side_temple(eyewear: Eyewear) -> str:
    """Return the near temple of turned glasses, running to the right and bent at its end."""
    x, y = _hinge(eyewear)
    fill, edge = _temple_fill(eyewear)
    near, far = x * 0.7 - 36, x * 0.7 + 30
    y += (near + 36) * 0.07
    data = f"M{near:.1f} {y + 2:.1f}L{far - 14:.1f} {y - 4:.1f}Q{far + 2:.1f} {y - 4:.1f} "
    data += f"{far + 6:.1f} {y + 16:.1f}"
    return _bar(data, fill, edge, _temple_width(eyewear))
