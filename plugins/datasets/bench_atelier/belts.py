"""Belts: a strap along a course (coiled, hung double, closed), its buckle, holes, studs, plaits."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

from bench_atelier.carried import Belt
from bench_atelier.colours import shade
from bench_atelier.fabric import fabric_definitions
from bench_atelier.garments import Drawing
from bench_atelier.outline import Point, disc, filled, line

_STEP = 3.0  # distance between the points of a course, drawing units


@dataclass(frozen=True)
class _Run:
    """A stretch of the belt that is seen at once: evenly spaced points and what is across them.

    `across` is the unit vector from the middle line to the upper edge at each point; `inner` runs
    show the lining. `start` is the distance from the buckle to the first point along the belt.
    """

    points: tuple[Point, ...]
    across: tuple[Point, ...]
    inner: bool
    start: float

    @property
    def length(self) -> float:
        return _STEP * (len(self.points) - 1)

    def place(self, distance: float, offset: float) -> Point:
        """Return the point so far along the run and so far towards the upper edge."""
        share = max(0.0, min(distance / _STEP, len(self.points) - 1.001))
        index = int(share)
        rest = share - index
        (x, y), (next_x, next_y) = self.points[index], self.points[index + 1]
        across_x, across_y = self.across[index]
        return (
            x + (next_x - x) * rest + across_x * offset,
            y + (next_y - y) * rest + across_y * offset,
        )

    def direction(self, distance: float) -> float:
        """Return the angle of the run at a distance, in degrees clockwise from the x axis."""
        before, after = self.place(distance - 2, 0), self.place(distance + 2, 0)
        return math.degrees(math.atan2(after[1] - before[1], after[0] - before[0]))

    def edge(self, offset: float, *, backwards: bool = False) -> str:
        """Return path data along the run at a constant offset from its middle line."""
        nodes = [
            (x + across_x * offset, y + across_y * offset)
            for (x, y), (across_x, across_y) in zip(self.points, self.across, strict=True)
        ]
        if backwards:
            nodes.reverse()
        return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in nodes)

    def strip(self, low: float, high: float) -> str:
        """Return closed path data of the part of the run between two offsets."""
        return f"{self.edge(high)}L{self.edge(low, backwards=True)[1:]}Z"


def draw_belt(belt: Belt, *, variant: int = 0) -> Drawing:
    """Return the drawing of a belt: by `variant` modulo 3 coiled, hung double or closed."""
    layouts = (_coiled, _doubled, _closed)
    runs, buckle_at = layouts[variant % 3](belt)
    markup = f"<defs>{fabric_definitions(belt.fabric, {'body': 0.0})}</defs>"
    draw_run = _chain_run if belt.kind == "chain" else _strap_run
    whole = max(run.start + run.length for run in runs)
    for run in runs:
        markup += draw_run(belt, run, whole)
    markup += _buckle(belt, *buckle_at)
    margin = belt.width * 0.5 + 4
    reach = belt.width * max(1.0, belt.buckle_size) * 1.2 + 4
    xs = [abs(x) + margin for run in runs for x, _ in run.points]
    ys = [y for run in runs for _, y in run.points]
    (x, y), _ = buckle_at
    return Drawing(
        markup,
        half_width=max([*xs, abs(x) + reach]),
        top=min(min(ys) - margin, y - reach),
        bottom=max(max(ys) + margin, y + reach),
    )


_Layout = tuple[list[_Run], tuple[Point, float]]


def _evenly(curve: Callable[[float], Point], samples: int) -> list[Point]:
    """Return points at equal distances along a curve of a parameter from 0 to 1."""
    rough = [curve(index / samples) for index in range(samples + 1)]
    even, left = [rough[0]], _STEP
    for first, second in pairwise(rough):
        gap, gone = math.dist(first, second), 0.0
        while gap - gone >= left > 0:
            gone += left
            share = gone / gap
            even.append(
                (
                    first[0] + (second[0] - first[0]) * share,
                    first[1] + (second[1] - first[1]) * share,
                )
            )
            left = _STEP
        left -= gap - gone
    return even


def _spiral(turns: float, outer: float, inner: float, flatness: float) -> list[_Run]:
    """Return the runs of a belt that stands on its edge, wound inwards from the front, rear first.

    The strap starts in front at the bottom of the outermost turn; half turns in the rear show the
    lining and are hidden by those in front.
    """
    front: list[_Run] = []
    rear: list[_Run] = []
    gone, halves = 0.0, math.ceil(2 * turns + 0.5)
    for half in range(halves):
        # angles from the very front, in half turns: -0.5 to 0.5 is the front
        begin, end = max(half - 0.5, 0.0), min(half + 0.5, 2 * turns)
        if end - begin < 0.05:
            continue

        def curve(share: float, begin: float = begin, end: float = end) -> Point:
            at = begin + (end - begin) * share
            radius = outer + (inner - outer) * at / (2 * turns)
            angle = math.pi * at
            return radius * math.sin(angle), radius * flatness * math.cos(angle)

        points = tuple(_evenly(curve, 160))
        if len(points) < 3:
            continue
        upright: Point = (0.0, -1.0)
        run = _Run(points, (upright,) * len(points), inner=half % 2 == 1, start=gone)
        gone += run.length
        (rear if run.inner else front).append(run)
    return [*rear, *reversed(front)]


def _coiled(belt: Belt) -> _Layout:
    runs = _spiral(1.9 if belt.kind == "chain" else 2.9, 72, 34, 0.52)
    outermost = _spiral_opening(72)
    return [*runs, outermost], (outermost.points[-1], 0.0)


def _spiral_opening(radius: float) -> _Run:
    """Return the buckle's end of a coil: the last stretch in front, to the left of the start."""
    angle = 0.9

    def curve(share: float) -> Point:
        at = angle * (1 - share)
        return -radius * math.sin(at) * 1.02, radius * 0.52 * math.cos(at)

    points = tuple(_evenly(curve, 60))
    return _Run(points, ((0.0, -1.0),) * len(points), inner=False, start=0)


def _closed(_: Belt) -> _Layout:
    # a little more than one turn: the free end lies over the start and beyond the buckle
    return _spiral(1.16, 92, 90, 0.42), ((0.0, 92 * 0.42), 0.0)


def _doubled(belt: Belt) -> _Layout:
    """Return a belt hung over a hook in its middle: two legs, the buckle at the left one's end."""
    apart, top, low = belt.width * 0.62 + 5, -84.0, 76.0
    bend = math.pi * apart
    left, right = low - top, low - top + 20
    whole = left + bend + right

    def curve(share: float) -> Point:
        at = share * whole
        if at < left:
            return -apart - 14 * (1 - at / left) ** 2, low - at
        if at < left + bend:
            angle = (at - left) / apart
            return -apart * math.cos(angle), top - apart * math.sin(angle)
        gone = at - left - bend
        return apart + 16 * (gone / right) ** 2, top + gone

    points = _evenly(curve, 400)
    across = []
    for index in range(len(points)):
        before, after = points[max(index - 1, 0)], points[min(index + 1, len(points) - 1)]
        length = math.dist(before, after)
        across.append(((after[1] - before[1]) / length, -(after[0] - before[0]) / length))
    run = _Run(tuple(points), tuple(across), inner=False, start=0)
    return [run], (points[0], 90.0)


def _strap_run(belt: Belt, run: _Run, whole: float) -> str:
    fabric, half = belt.fabric, belt.width / 2
    outline = run.strip(-half, half)
    if run.inner:
        lining = filled(outline, shade(fabric.pattern.ground, 0.5))
        return lining + line(outline, shade(fabric.dark, 0.5), 0.8)
    plain = fabric.pattern.name == "plain"
    markup = filled(outline, fabric.pattern.ground if plain else "url(#cloth-body)")
    if belt.kind == "braided":
        markup += _plaits(belt, run)
    else:
        markup += filled(run.strip(half * 0.2, half * 0.7), "#ffffff", opacity=0.13)
        markup += filled(run.strip(-half, -half * 0.35), "#000000", opacity=0.13)
        for offset in (half - 0.9, -half + 0.9):
            markup += line(run.edge(offset), belt.trim, 1.6)
    if belt.stitching and belt.kind != "braided":
        for offset in (half - 2.6, -half + 2.6):
            markup += line(run.edge(offset), fabric.thread, 0.9, dashes="3 2")
    if belt.kind == "wide":
        for offset in (half * 0.4, -half * 0.4):
            markup += line(run.edge(offset), fabric.dark, 1, opacity=0.7)
    if belt.kind == "studded":
        markup += _studs(belt, run)
    markup += line(outline, fabric.dark, 0.9)
    if belt.kind != "braided":
        markup += _holes(belt, run, whole)
    return markup


def _repeats(run: _Run, spacing: float) -> list[float]:
    """Return distances within the run at which a motif of the belt's repeat falls."""
    first = -run.start % spacing
    count = int((run.length - first) / spacing) + 1
    return [first + index * spacing for index in range(max(count, 0))]


def _plaits(belt: Belt, run: _Run) -> str:
    """Return strands that run from either edge to the middle, over and under each other."""
    half, spacing, data = belt.width / 2, belt.spacing * 0.7, ""
    for distance in _repeats(run, spacing):
        for side, shift in ((-0.8, 0.0), (0.8, spacing / 2)):
            outer = run.place(distance + shift, side * half)
            inner = run.place(distance + shift + spacing * 0.9, -side * half * 0.15)
            data += f"M{outer[0]:.1f} {outer[1]:.1f}L{inner[0]:.1f} {inner[1]:.1f}"
    ground = belt.fabric.pattern.ground
    return (
        filled(run.strip(-half, half), shade(ground, 0.45))
        + line(data, shade(ground, 0.4), spacing * 0.62)
        + line(data, shade(ground, 1.12), spacing * 0.4)
    )


def _studs(belt: Belt, run: _Run) -> str:
    size, markup = min(belt.width * 0.2, belt.spacing * 0.36), ""
    for distance in _repeats(run, belt.spacing):
        for offset in (-0.22, 0.22) if belt.width > 17 else (0.0,):
            x, y = run.place(distance, offset * belt.width)
            markup += disc((x, y), size, shade(belt.metal, 0.55))
            markup += disc((x - 0.2, y - 0.4), size * 0.82, belt.metal)
            markup += disc((x - size * 0.3, y - size * 0.35), size * 0.3, "#ffffff")
    return markup


def _holes(belt: Belt, run: _Run, whole: float) -> str:
    """Return the punched holes before the free end."""
    markup = ""
    for index in range(belt.holes):
        distance = whole - 20 - index * belt.spacing - run.start
        if 0 < distance < run.length:
            place = run.place(distance, 0)
            markup += disc(place, 2.1, shade(belt.fabric.dark, 0.5))
            markup += disc(place, 1.3, "#15130f")
    return markup


def _chain_run(belt: Belt, run: _Run, whole: float) -> str:
    """Return oval links, every other one seen on its edge; the last ones hang free."""
    long, high = belt.spacing * 0.66, belt.width * 0.36
    dark = shade(belt.metal, 0.5)
    markup = ""
    for index, distance in enumerate(_repeats(run, belt.spacing * 0.5)):
        x, y = run.place(distance, 0)
        flat = index % 2
        place = f"translate({x:.1f} {y:.1f}) rotate({run.direction(distance):.0f})"
        across = high if flat else high * 0.3
        tone = belt.metal if not run.inner else shade(belt.metal, 0.72)
        for colour, width in ((dark, 3.4), (tone, 2.2)):
            markup += (
                f'<ellipse rx="{long / 2:.1f}" ry="{across:.1f}" fill="none" stroke="{colour}" '
                f'stroke-width="{width}" transform="{place}"/>'
            )
    return markup


def _buckle(belt: Belt, place: Point, turn: float) -> str:
    """Return the buckle, its strap's middle at the place, turned by some degrees."""
    high = belt.width * belt.buckle_size * (0.8 if belt.kind == "wide" else 1)
    long = max(high * 0.86, 9.0)
    dark, light = shade(belt.metal, 0.5), shade(belt.metal, 1.45)
    if belt.kind == "chain":
        hook = disc((0, 0), high * 0.72 + 1, dark) + disc((0, 0), high * 0.72, belt.metal)
        hook += disc((-high * 0.2, -high * 0.2), high * 0.24, light)
        return f'<g transform="translate({place[0]:.1f} {place[1]:.1f})">{hook}</g>'
    half = belt.width / 2
    markup = ""
    if belt.buckle == "plate":
        plate = f"M{-long:.1f} {-high:.1f}H{long:.1f}V{high:.1f}H{-long:.1f}Z"
        markup = line(plate, dark, 2) + filled(plate, belt.metal)
        inner = f"M{-long + 3:.1f} {-high + 3:.1f}H{long - 3:.1f}V{high - 3:.1f}H{-long + 3:.1f}Z"
        markup += line(inner, dark, 0.8) + line(
            f"M{-long * 0.6:.1f} {high * 0.6:.1f}L{long * 0.2:.1f} {-high * 0.7:.1f}", light, 3
        )
        markup += disc((0, 0), high * 0.25, dark)
    elif belt.buckle == "double-ring":
        for x in (-long * 0.35, long * 0.35):
            for colour, width in ((dark, 5.0), (belt.metal, 3.6)):
                markup += (
                    f'<circle cx="{x:.1f}" cy="0" r="{high * 0.95:.1f}" fill="none" '
                    f'stroke="{colour}" stroke-width="{width}"/>'
                )
    else:
        frame = (
            f"M{-long + 3:.1f} {-high:.1f}H{long - 3:.1f}q3 0 3 3V{high - 3:.1f}q0 3 -3 3"
            f"H{-long + 3:.1f}q-3 0 -3 -3V{-high + 3:.1f}q0 -3 3 -3Z"
        )
        markup = line(frame, dark, 5.4) + line(frame, belt.metal, 4)
        markup += line(f"M{-long + 2:.1f} {-high:.1f}H{long - 4:.1f}", light, 1.4)
        markup += line(f"M{-long:.1f} 0H{long + 2:.1f}", dark, 4) + line(
            f"M{-long:.1f} 0H{long + 2:.1f}", belt.metal, 2.8
        )
        keeper = f"M{-long - 9:.1f} {-half - 1.5:.1f}h6v{belt.width + 3:.1f}h-6Z"
        markup += filled(keeper, belt.trim) + line(keeper, belt.fabric.dark, 0.9)
    placed = f"translate({place[0]:.1f} {place[1]:.1f}) rotate({turn:.0f})"
    return f'<g transform="{placed}">{markup}</g>'
