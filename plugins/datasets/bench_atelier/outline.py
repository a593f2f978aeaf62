"""Path data of SVG from points: symmetric outlines, tapered strips and closed shapes."""

from __future__ import annotations

from collections.abc import Sequence

Point = tuple[float, float]
# one point: a line to it; two: a quadratic curve; three: a cubic curve (the last is the end)
Segment = tuple[Point, ...]

PARTS = ("neck", "sleeves", "hem")  # of garments for the upper body: neckline and collar are one

_COMMANDS = {1: "L", 2: "Q", 3: "C"}


def _segment(points: Sequence[Point]) -> str:
    coordinates = " ".join(f"{x:.1f} {y:.1f}" for x, y in points)
    return f"{_COMMANDS[len(points)]}{coordinates}"


def open_path(start: Point, segments: Sequence[Segment]) -> str:
    """Return path data from the start through the segments, not closed."""
    return f"M{start[0]:.1f} {start[1]:.1f}" + "".join(_segment(points) for points in segments)


def closed_path(start: Point, segments: Sequence[Segment]) -> str:
    """Return path data from the start through the segments and back to the start."""
    return open_path(start, segments) + "Z"


def symmetric_path(start: Point, segments: Sequence[Segment], *, closed: bool = True) -> str:
    """Return path data of a right half and its mirror image at the axis x = 0.

    A closed outline runs from the start down the right side and back up the left one; an open
    one (a hem, a neckline) runs from the left end to the right end.
    """
    nodes = [start, *(points[-1] for points in segments)]
    backwards: list[Segment] = []
    for index in range(len(segments) - 1, -1, -1):
        turned = [*reversed(segments[index][:-1]), nodes[index]]
        backwards.append(tuple((-x, y) for x, y in turned))
    if closed:
        across: Segment = ((-nodes[-1][0], nodes[-1][1]),)
        return closed_path(start, [*segments, across, *backwards])
    return open_path((-nodes[-1][0], nodes[-1][1]), [*backwards, *segments])


def between(first: Point, second: Point, share: float) -> Point:
    """Return the point that lies a share (0 to 1) of the way from the first to the second."""
    return first[0] + (second[0] - first[0]) * share, first[1] + (second[1] - first[1]) * share


def both_sides(markup: str) -> str:
    """Return the markup and its mirror image at the axis x = 0."""
    return f'{markup}<g transform="scale(-1 1)">{markup}</g>'


def line(
    data: str,
    colour: str,
    width: float,
    *,
    opacity: float = 1,
    dashes: str = "",
    cap: str = "round",
) -> str:
    """Return markup of an unfilled path: a seam, a crease or, with dashes, a row of stitches.

    `cap` is the form of its ends: round, butt or square.
    """
    dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
    return (
        f'<path d="{data}" fill="none" stroke="{colour}" stroke-width="{width:.2f}" '
        f'stroke-opacity="{opacity:.2f}" stroke-linecap="{cap}"{dashed}/>'
    )


def filled(data: str, fill: str, *, opacity: float = 1) -> str:
    """Return markup of a filled path without a line around it."""
    return f'<path d="{data}" fill="{fill}" fill-opacity="{opacity:.2f}"/>'


def disc(centre: Point, radius: float, fill: str) -> str:
    """Return markup of a filled circle: a button, a dot, an eyelet."""
    return f'<circle cx="{centre[0]:.1f}" cy="{centre[1]:.1f}" r="{radius:.2f}" fill="{fill}"/>'


def part(name: str, markup: str) -> str:
    """Return markup marked as one of `PARTS`, whose place in a picture can then be told."""
    return f'<g class="{name}">{markup}</g>' if markup else ""
