"""Cloth: a pattern woven or printed on a texture, cut into the parts of a garment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bench_atelier.colours import contrast_of, shade
from bench_atelier.outline import Point, line
from bench_atelier.patterns import Pattern, pattern_definition, shows_turning

TEXTURES = ("smooth", "knit", "cable-knit", "denim", "corduroy", "leather", "quilted")

# width, height, then strokes as (path data, colour, opacity); fine enough to read as cloth
_Tile = tuple[float, float, tuple[tuple[str, str, float], ...]]
_TEXTURE_TILES: Mapping[str, _Tile] = {
    "knit": (3.0, 2.4, (("M0 0L1.5 1.6L3 0", "#000000", 0.16),)),
    "cable-knit": (
        13.0,
        9.0,
        (
            ("M2 0Q8 2.2 8 4.5Q8 6.8 2 9M8 0Q2 2.2 2 4.5Q2 6.8 8 9", "#000000", 0.2),
            ("M11 0V9M12.4 0V9", "#000000", 0.12),
            ("M3 0Q9 2.2 9 4.5Q9 6.8 3 9", "#ffffff", 0.14),
        ),
    ),
    "denim": (2.6, 2.6, (("M0 2.6L2.6 0", "#ffffff", 0.2), ("M0 0L2.6 2.6", "#000000", 0.1))),
    "corduroy": (2.8, 8.0, (("M0.7 0V8", "#000000", 0.22), ("M2 0V8", "#ffffff", 0.12))),
}

# a turned tile takes the rasteriser five times as long, so only those whose direction shows
_TURNED_TEXTURES = ("cable-knit", "corduroy")


@dataclass(frozen=True)
class Fabric:
    """The pattern of a cloth and the name of its texture (one of `TEXTURES`)."""

    pattern: Pattern
    texture: str

    @property
    def dark(self) -> str:
        """Return the colour of seams and outlines on this cloth."""
        return shade(self.pattern.ground, 0.5)

    @property
    def thread(self) -> str:
        """Return the colour of visible stitches: orange on denim, tone in tone elsewhere."""
        return "#c98f4a" if self.texture == "denim" else contrast_of(self.pattern.ground)

    @property
    def trim(self) -> str:
        """Return the colour of ribs, bindings and bands: a darker tone or the second colour."""
        if self.pattern.name == "plain" or self.pattern.arrangement % 3:
            return shade(self.pattern.ground, 0.8)
        return self.pattern.second


def fabric_definitions(fabric: Fabric, turns: Mapping[str, float]) -> str:
    """Return the `<defs>` content of a garment: per part, the cloth turned by some degrees.

    Sleeves are cut along the thread, so stripes run across an arm wherever it points; the first
    part is the body, which is never turned.
    """
    texture, tile = fabric.texture, _TEXTURE_TILES.get(fabric.texture)
    markup = ""
    for part, turn in turns.items():
        if part == "body" or shows_turning(fabric.pattern):
            markup += pattern_definition(fabric.pattern, f"cloth-{part}", turn=turn)
        else:
            markup += f'<pattern id="cloth-{part}" href="#cloth-body"/>'
        if tile is None:
            continue
        if part == "body" or texture in _TURNED_TEXTURES:
            markup += _texture_definition(tile, f"texture-{part}", turn)
        else:
            markup += f'<pattern id="texture-{part}" href="#texture-body"/>'
    return markup


def _texture_definition(tile: _Tile, identifier: str, turn: float) -> str:
    width, height, strokes = tile
    paths = "".join(
        f'<path d="{data}" fill="none" stroke="{colour}" stroke-opacity="{opacity}" '
        'stroke-width="0.8"/>'
        for data, colour, opacity in strokes
    )
    turned = f' patternTransform="rotate({turn:.1f})"' if turn else ""
    return (
        f'<pattern id="{identifier}" width="{width}" height="{height}" '
        f'patternUnits="userSpaceOnUse"{turned}>{paths}</pattern>'
    )


def cloth(fabric: Fabric, data: str, *, part: str = "body") -> str:
    """Return markup of one piece of cloth: path data filled with pattern and texture, outlined."""
    if fabric.pattern.name in ("plain", "graphic"):
        fill = fabric.pattern.ground
    else:
        fill = f"url(#cloth-{part})"
    markup = f'<path d="{data}" fill="{fill}"/>'
    if fabric.texture in _TEXTURE_TILES:
        markup += f'<path d="{data}" fill="url(#texture-{part})"/>'
    return markup + line(data, fabric.dark, 0.9, opacity=0.75)


def band(data: str, colour: str) -> str:
    """Return markup of a piece in one plain colour: a cuff, a collar, a waistband."""
    return (
        f'<path d="{data}" fill="{colour}" stroke="{shade(colour, 0.55)}" stroke-width="0.9" '
        'stroke-linejoin="round"/>'
    )


def ribs(first: tuple[Point, Point], second: tuple[Point, Point], count: int) -> str:
    """Return the fine lines of a rib knit between two edges, each given by its end points."""
    data = ""
    for index in range(1, count):
        share = index / count
        start_x = first[0][0] + (first[1][0] - first[0][0]) * share
        start_y = first[0][1] + (first[1][1] - first[0][1]) * share
        end_x = second[0][0] + (second[1][0] - second[0][0]) * share
        end_y = second[0][1] + (second[1][1] - second[0][1]) * share
        data += f"M{start_x:.1f} {start_y:.1f}L{end_x:.1f} {end_y:.1f}"
    return line(data, "#000000", 0.7, opacity=0.22)


def button(centre: Point, radius: float, colour: str) -> str:
    """Return markup of a button with its rim and two holes."""
    x, y = centre
    hole = shade(colour, 0.45)
    return (
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}" fill="{colour}" stroke="{hole}" '
        f'stroke-width="{radius * 0.25:.2f}"/>'
        f'<path d="M{x - radius * 0.3:.2f} {y:.1f}h0.01M{x + radius * 0.3:.2f} {y:.1f}h0.01" '
        f'stroke="{hole}" stroke-width="{radius * 0.35:.2f}" stroke-linecap="round"/>'
    )
