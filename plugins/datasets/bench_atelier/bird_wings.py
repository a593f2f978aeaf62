"""Wings of birds, folded on the body or open, with coverts, secondaries and primaries."""

from __future__ import annotations

import math

from bench_atelier.bird_colours import Tint, dye, paint
from bench_atelier.bird_parts import crossbars, feather
from bench_atelier.bird_shapes import Body
from bench_atelier.birds import Bird
from bench_atelier.colours import shade
from bench_atelier.outline import Point, between, closed_path, disc, filled, line, open_path

# of each wing shape: length, breadth, and how much of the tip the outermost feathers take
_WING_FORMS = {
    "rounded-wings": (0.95, 1.1, 0.35),
    "pointed-wings": (1.12, 0.88, 1.0),
    "broad-wings": (1.08, 1.3, 0.5),
    "tapered-wings": (1.08, 0.74, 0.8),
    "long-wings": (1.36, 0.98, 0.9),
}


def draw_folded_wing(bird: Bird, body: Body, tint: Tint) -> tuple[str, Point]:
    """Return a folded wing and the point in its middle.

    The shoulder is at the origin, the tip lies along the x axis, the back above, the belly below.
    """
    long, broad, point = _WING_FORMS[bird.wing_shape]
    length, height = body.wing[0] * long, body.wing[1] * broad
    fill, tone = paint(bird.wing, tint), dye(bird.wing, tint)
    mark, edge = dye(bird.upper_mark, tint), shade(tone, 0.5)
    vane = shade(tone, 0.8) if bird.wing != "iridescent" else "#3b3a44"
    patched = bird.wing_pattern == "multi-colored"
    primaries = secondaries = ""
    bars: list[tuple[Point, Point]] = []
    for index in range(6):  # the long feathers of the hand; the uppermost is the longest
        share = index / 5
        tip = (length * (1 - share * (0.1 + 0.16 * point)), height * (-0.12 + 0.1 * share))
        root = (length * 0.38, height * (0.3 - 0.06 * share))
        thick = height * (0.3 - 0.14 * point)
        primaries = feather(root, tip, thick, shade(vane, 0.86), edge) + primaries
        bars.append((root, tip))
    for index in range(7):  # of the arm: the lowest is the shortest
        share = index / 6
        root = (length * (0.2 + 0.02 * index), height * (-0.24 + 0.74 * share))
        tip = (length * (0.8 - 0.2 * share * share), height * (-0.22 + 0.66 * share))
        colour = mark if patched and 2 <= index <= 5 else (fill if index < 2 else vane)
        secondaries = feather(root, tip, height * 0.3, colour, edge) + secondaries
        bars.append((root, tip))
    markup = primaries + secondaries
    if bird.wing_pattern == "striped":
        markup += "".join(crossbars(root, tip, height * 0.15, mark) for root, tip in bars[6:])
    greater = _covert_row(length * 0.3, length * 0.52, height, 7, fill, edge)
    median = _covert_row(length * 0.14, length * 0.34, height, 6, fill, edge)
    cap = closed_path(
        (-length * 0.05, height * 0.02),
        [
            ((length * 0.0, -height * 0.33), (length * 0.22, -height * 0.35)),
            ((length * 0.3, height * 0.1), (length * 0.22, height * 0.46)),
            ((length * 0.0, height * 0.48), (-length * 0.05, height * 0.02)),
        ],
    )
    markup += greater
    if bird.wing_pattern == "striped":
        markup += _wing_bar(length * 0.5, height, mark)
    markup += median
    if bird.wing_pattern == "striped":
        markup += _wing_bar(length * 0.325, height, mark)
    markup += filled(cap, mark if patched else fill) + _scallops(length, height)
    if bird.wing_pattern == "spotted":
        for row, reach in enumerate((0.12, 0.28, 0.46, 0.62)):
            for index in range(5):
                y = height * (-0.24 + 0.16 * index + 0.05 * (row % 2))
                markup += disc((length * (reach - 0.015 * index), y), height * 0.052, mark)
    return markup, (length * 0.4, 0)


def _covert_row(start: float, end: float, height: float, count: int, fill: str, edge: str) -> str:
    markup = ""
    for index in range(count):
        share = index / (count - 1)
        y = height * (-0.3 + 0.76 * share)
        bulge = end - (end - start) * 0.35 * share * share
        row = feather((start, y * 0.95), (bulge, y), height * 1.3 / count, fill, edge)
        markup = row + markup
    return markup


def _scallops(length: float, height: float) -> str:
    """Return the edges of the small feathers on the shoulder."""
    dark = light = ""
    for row in range(4):
        for column in range(5):
            x = length * (0.02 + 0.05 * row)
            y = height * (-0.24 + 0.14 * column + 0.07 * (row % 2))
            end: Point = (x, y + height * 0.06)
            dark += open_path((x, y - height * 0.06), [((x + height * 0.1, y), end)])
            light += open_path((x - 1, y - 0.6), [((x - 0.2, y),)])
    return line(dark, "#000000", 0.6, opacity=0.3) + line(light, "#ffffff", 0.8, opacity=0.2)


def _wing_bar(x: float, height: float, colour: str) -> str:
    data = open_path(
        (x + 0.5, -height * 0.29), [((x + 1, height * 0.12), (x - height * 0.14, height * 0.45))]
    )
    return line(data, colour, height * 0.11)


def draw_spread_wing(bird: Bird, body: Body, tint: Tint, *, near: bool) -> tuple[str, Point]:
    """Return an open wing and the point in its middle.

    The shoulder is at the origin, the arm lies along the x axis and the feathers trail towards
    positive y. The wing that is farther away is darker.
    """
    long, broad, point = _WING_FORMS[bird.wing_shape]
    span, chord = body.wing[0] * long * 1.32, body.wing[1] * broad * 1.45
    light = 1.0 if near else 0.72
    tone = shade(dye(bird.wing, tint), light)
    iridescent = bird.wing == "iridescent"
    fill = paint(bird.wing, tint) if iridescent and near else tone
    vane = "#4a4852" if iridescent else shade(tone, 0.82)
    mark, edge = shade(dye(bird.upper_mark, tint), light), shade(tone, 0.5)
    patched = bird.wing_pattern == "multi-colored"
    wrist: Point = (span * 0.46, -chord * 0.1)
    feathers: list[tuple[Point, Point]] = []
    markup = ""
    for index in range(9):  # arm
        share = index / 8
        root = between((span * 0.02, 0), wrist, share)
        tip = (root[0] + chord * (0.05 + 0.12 * share), root[1] + chord * (0.98 + 0.1 * share))
        feathers.append((root, tip))
        markup += feather(root, tip, span * 0.085, mark if patched else vane, edge)
    for index in range(9):  # hand
        share = index / 8
        angle = math.radians(78 - 74 * share)
        inner = chord * 1.1 + (span * 0.54 - chord * 1.1) * share
        rounded = 1 - (1 - point) * max(0.0, share - 0.55) * 0.75
        reach = inner * rounded
        tip = (wrist[0] + reach * math.cos(angle), wrist[1] + reach * math.sin(angle))
        feathers.append((wrist, tip))
        thick = chord * (0.26 - 0.12 * point * share)
        markup += feather(wrist, tip, thick, shade(vane, 0.9), edge)
    if bird.wing_pattern == "striped":
        markup += "".join(crossbars(root, tip, span * 0.07, mark) for root, tip in feathers)
    elif bird.wing_pattern == "spotted":
        for root, tip in feathers:
            markup += disc(between(root, tip, 0.62), chord * 0.05, mark)
            markup += disc(between(root, tip, 0.85), chord * 0.05, mark)
    for depth in (0.58, 0.36):
        row = ""
        for (x, y), tip in feathers[:15]:  # the outermost feathers are bare
            start = (x, y - chord * 0.05)
            row += feather(start, between((x, y), tip, depth), span * 0.08, fill, edge)
        markup += row
    arm = closed_path(
        (-span * 0.03, chord * 0.22),
        [
            ((-span * 0.02, -chord * 0.16), (span * 0.2, -chord * 0.16)),
            ((span * 0.36, -chord * 0.28), (span * 0.48, -chord * 0.22)),
            ((span * 0.62, -chord * 0.1), (span * 0.7, chord * 0.02)),
            ((span * 0.5, chord * 0.14), (span * 0.42, chord * 0.16)),
        ],
    )
    return markup + filled(arm, fill), (span * 0.42, chord * 0.3)
