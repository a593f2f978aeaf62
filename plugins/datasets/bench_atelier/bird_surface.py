"""The side of a bird's body: a bent tube, on whose surface plumage is laid.

Every place has two coordinates: `along`, 0 at the bill, 1 at the forehead, 2 at the hind crown, 3
at the neck, 4 at the breast, 5 at the belly, 6 at the vent and 7 at the tail, and `across`, 0 on
the upper contour and 1 on the lower one.
"""

from __future__ import annotations

import math

from bench_atelier.bird_shapes import Body
from bench_atelier.outline import Point, between

_SAMPLES = 5  # points of a contour between two nodes; at 240 pixels no corner shows
_DENSITY = 20  # samples of a contour between two nodes


def turned(point: Point, centre: Point, degrees: float) -> Point:
    """Return the point turned about the centre, counter-clockwise as seen."""
    radians = math.radians(degrees)
    x, y = point[0] - centre[0], point[1] - centre[1]
    return (
        centre[0] + x * math.cos(radians) + y * math.sin(radians),
        centre[1] - x * math.sin(radians) + y * math.cos(radians),
    )


class Surface:
    """The side of a bent body: the places between its upper and its lower contour."""

    def __init__(self, body: Body, *, pitch: float = 0, nod: float = 0) -> None:
        """Bend the body: `pitch` raises the whole of it, `nod` the head alone, in degrees."""
        nodes = [turned((x, y), (0, 0), pitch) for x, y, _, _ in body.spine]
        neck = nodes[3]
        nodes = [turned(node, neck, nod) if index < 3 else node for index, node in enumerate(nodes)]
        self._upper: list[Point] = []
        self._lower: list[Point] = []
        for index, (x, y) in enumerate(nodes):
            before, after = nodes[max(index - 1, 0)], nodes[min(index + 1, len(nodes) - 1)]
            length = math.dist(before, after)
            along_x, along_y = (after[0] - before[0]) / length, (after[1] - before[1]) / length
            _, _, up, low = body.spine[index]
            self._upper.append((x - along_y * up, y + along_x * up))
            self._lower.append((x + along_y * low, y - along_x * low))
        # hundreds of places are asked for, so the curves are sampled once
        places = [index / _DENSITY for index in range(_DENSITY * (len(nodes) - 1) + 1)]
        self._upper = [_curve(self._upper, place) for place in places]
        self._lower = [_curve(self._lower, place) for place in places]

    def at(self, along: float, across: float) -> Point:
        """Return the point of a place; 0 and 1 across are the contours."""
        last = len(self._upper) - 1
        position = min(max(along * _DENSITY, 0), last)
        index = min(int(position), last - 1)
        share = position - index
        upper = between(self._upper[index], self._upper[index + 1], share)
        lower = between(self._lower[index], self._lower[index + 1], share)
        return between(upper, lower, across)

    def direction(self, along: float, across: float) -> float:
        """Return the angle towards the tail at a place, in degrees, clockwise from the right."""
        first, second = self.at(along - 0.1, across), self.at(along + 0.1, across)
        return math.degrees(math.atan2(second[1] - first[1], second[0] - first[0]))

    def patch(
        self,
        along: tuple[float, float],
        across: tuple[float, float] = (0, 1),
        *,
        slant: float = 0,
    ) -> str:
        """Return path data of a patch of plumage between two places, with feathery inner edges.

        `slant` moves the far end of the inner edges across, so that a patch narrows or widens.
        """
        (start, end), (first, second) = along, across
        steps = max(2, round((end - start) * _SAMPLES))
        upper, lower = [], []
        for step in range(steps + 1):
            share = step / steps
            place = start + (end - start) * share
            # every other point is drawn back: the tips of feathers
            tip = 0.025 if step % 2 else -0.025
            high = first if first <= 0 else first + slant * share + tip
            low = second if second >= 1 else second + slant * share + tip
            upper.append(self.at(place, max(high, 0)))
            lower.append(self.at(place, min(low, 1)))
        ends = []
        ripples = 6
        for step in range(1, ripples):
            push = (0.09 if step % 2 else -0.03) if 0 < end < 7 else 0
            high = first if first <= 0 else first + slant
            low = second if second >= 1 else second + slant
            ends.append(self.at(end + push, high + (low - high) * step / ripples))
        points = [*upper, *ends, *reversed(lower)]
        return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points) + "Z"


def _curve(points: list[Point], place: float) -> Point:
    """Return the point of a smooth curve (Catmull-Rom) through the points, 0 at the first."""
    last = len(points) - 1
    place = min(max(place, 0), last)
    index = min(int(place), last - 1)
    share = place - index
    second, third = points[index], points[index + 1]
    first = points[index - 1] if index else second
    fourth = points[index + 2] if index + 2 <= last else third
    weights = (
        ((2 - share) * share - 1) * share / 2,
        ((3 * share - 5) * share * share + 2) / 2,
        ((4 - 3 * share) * share + 1) * share / 2,
        (share - 1) * share * share / 2,
    )
    nodes = (first, second, third, fourth)
    x = sum(weight * node[0] for weight, node in zip(weights, nodes, strict=True))
    y = sum(weight * node[1] for weight, node in zip(weights, nodes, strict=True))
    return x, y
