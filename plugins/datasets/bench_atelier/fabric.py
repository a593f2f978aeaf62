"""Cloth: a pattern woven or printed on a texture, cut into the parts of a garment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench_atelier.colours import contrast_of, luminance, shade
from bench_atelier.outline import Point, between, line
from bench_atelier.patterns import Pattern, pattern_definition, shows_turning

# width, height, then strokes as (path data, colour, opacity, width); fine enough to read as cloth
_Stroke = tuple[str, str, float, float]
_Tile = tuple[float, float, tuple[_Stroke, ...]]
_TEXTURE_TILES: Mapping[str, _Tile] = {
    "knit": (3.0, 2.4, (("M0 0L1.5 1.6L3 0", "#000000", 0.16, 0.8),)),
    "cable-knit": (
        13.0,
        9.0,
        (
            ("M2 0Q8 2.2 8 4.5Q8 6.8 2 9M8 0Q2 2.2 2 4.5Q2 6.8 8 9", "#000000", 0.2, 0.8),
            ("M11 0V9M12.4 0V9", "#000000", 0.12, 0.8),
            ("M3 0Q9 2.2 9 4.5Q9 6.8 3 9", "#ffffff", 0.14, 0.8),
        ),
    ),
    "denim": (
        2.6,
        2.6,
        (("M0 2.6L2.6 0", "#ffffff", 0.2, 0.8), ("M0 0L2.6 2.6", "#000000", 0.1, 0.8)),
    ),
    "corduroy": (
        2.8,
        8.0,
        (("M0.7 0V8", "#000000", 0.22, 0.8), ("M2 0V8", "#ffffff", 0.12, 0.8)),
    ),
    "rib": (
        6.0,
        8.0,
        (("M1.4 0V8", "#000000", 0.34, 1.9), ("M4.2 0V8", "#ffffff", 0.26, 1.6)),
    ),
    "crochet": (
        14.0,
        12.0,
        (
            ("M0 6A7 6 0 0 1 14 6M-7 12A7 6 0 0 1 7 12M7 12A7 6 0 0 1 21 12", "#000000", 0.5, 1.5),
            ("M7 6V1M7 6L3 2M7 6L11 2M0 12V7M14 12V7M0 12L4 8M14 12L10 8", "#000000", 0.4, 1.1),
            ("M7 6h0.01M0 12h0.01M14 12h0.01", "#000000", 0.6, 3.4),
        ),
    ),
    "lace": (
        22.0,
        22.0,
        (
            ("M0 0L22 22M22 0L0 22M11 0L22 11L11 22L0 11Z", "#000000", 0.2, 0.7),
            ("M11 11V4M11 11V18M11 11H4M11 11H18", "#ffffff", 0.8, 4.6),
            ("M0 0h0.01M22 0h0.01M0 22h0.01M22 22h0.01", "#ffffff", 0.75, 7.5),
            ("M11 11h0.01", "#000000", 0.5, 3.4),
            ("M0 11h0.01M11 0h0.01M22 11h0.01M11 22h0.01", "#000000", 0.45, 3.0),
        ),
    ),
    "mesh": (
        5.6,
        6.4,
        (("M1.4 1.6h0.01M4.2 4.8h0.01", "#000000", 0.62, 2.5),),
    ),
    "fleece": (
        17.0,
        15.0,
        (
            (
                "M2 3a2.4 2.4 0 1 1 3 2M10 1a2.2 2.2 0 1 0 3 3M6 9a2.4 2.4 0 1 1 -3 2"
                "M14 9a2.4 2.4 0 1 1 -3 2M9 13a2 2 0 1 0 2 -3",
                "#000000",
                0.3,
                1.1,
            ),
            ("M3 2h0.01M11 3h0.01M5 10h0.01M13 10h0.01M8 6h0.01", "#ffffff", 0.45, 3.2),
        ),
    ),
    "fur": (
        16.0,
        18.0,
        (
            (
                "M2 0q2 5 0 9M7 3q-2 5 1 9M12 1q2 4 0 8M4 10q2 4 -1 8M10 11q-2 4 1 7",
                "#000000",
                0.34,
                1.3,
            ),
            (
                "M4 1q2 4 0 8M9 5q-2 5 1 9M14 2q2 4 0 8M1 8q2 4 0 8M13 10q-2 4 1 8",
                "#ffffff",
                0.4,
                1.1,
            ),
        ),
    ),
    # light runs over it in broad, soft bands
    "satin": (
        74.0,
        96.0,
        tuple(
            ("M16 0C44 32 -12 64 16 96", "#ffffff", 0.13, width) for width in (20.0, 13.0, 7.0, 2.5)
        )
        + tuple(("M52 0C80 32 24 64 52 96", "#000000", 0.09, width) for width in (16.0, 8.0)),
    ),
}
# where a texture is what a picture is about: drawn coarser, and leather with its creases and shine
_COARSENESS: Mapping[str, float] = {"knit": 2.6, "cable-knit": 1.7, "denim": 2.0, "corduroy": 2.4}
_CREASED_LEATHER: _Tile = (
    58.0,
    70.0,
    (
        *(("M14 0C34 20 -6 50 14 70", "#ffffff", 0.08, width) for width in (13.0, 8.0, 3.5)),
        ("M43 0C55 24 31 46 43 70", "#ffffff", 0.1, 5.0),
        ("M20 14q9 5 17 1M24 44q8 -6 20 1M2 58q9 5 15 -2M46 20q5 4 9 1", "#000000", 0.45, 1.3),
        ("M30 28q7 4 14 -1M8 32q6 4 12 0M32 60q8 4 14 -1", "#000000", 0.35, 1.1),
    ),
)
TEXTURES = ("smooth", "leather", "quilted", *_TEXTURE_TILES)

# a turned tile takes the rasteriser five times as long, so only those whose direction shows
_TURNED_TEXTURES = ("cable-knit", "corduroy", "rib")


@dataclass(frozen=True)
class Fabric:
    """The pattern of a cloth and the name of its texture (one of `TEXTURES`).

    A `coarse` texture shows in a small picture too; the others are as fine as cloth is.
    """

    pattern: Pattern
    texture: str
    coarse: bool = False

    @property
    def dark(self) -> str:
        """Return the colour of seams and outlines on this cloth."""
        return shade(self.pattern.ground, 0.5)

    @property
    def is_dark(self) -> bool:
        """Return whether light details show better on this cloth than dark ones."""
        return luminance(self.pattern.ground) < 0.5

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
    texture, tile = fabric.texture, _texture_tile(fabric)
    scale = _COARSENESS.get(texture, 1.0) if fabric.coarse else 1.0
    all_black = tile is not None and all(stroke[1] == "#000000" for stroke in tile[2])
    pale = fabric.coarse and all_black and luminance(fabric.pattern.ground) < 0.22
    markup = ""
    for part, turn in turns.items():
        if part == "body" or shows_turning(fabric.pattern):
            markup += pattern_definition(fabric.pattern, f"cloth-{part}", turn=turn)
        else:
            markup += f'<pattern id="cloth-{part}" href="#cloth-body"/>'
        if tile is None:
            continue
        if part == "body" or texture in _TURNED_TEXTURES:
            markup += _texture_definition(tile, f"texture-{part}", turn, scale=scale, pale=pale)
        else:
            markup += f'<pattern id="texture-{part}" href="#texture-body"/>'
    return markup


_ROUND = ' stroke-linecap="round"'


def _texture_tile(fabric: Fabric) -> _Tile | None:
    if fabric.texture == "leather" and fabric.coarse:
        return _CREASED_LEATHER
    return _TEXTURE_TILES.get(fabric.texture)


def _texture_definition(
    tile: _Tile, identifier: str, turn: float, *, scale: float = 1, pale: bool = False
) -> str:
    """Return the `<pattern>` of a texture; a larger one is drawn more strongly as well.

    A `pale` one is drawn in white: black does not show on the darkest cloth.
    """
    width, height, strokes = tile
    paths = ""
    for data, colour, opacity, thick in strokes:
        tone = "#ffffff" if pale else colour
        strength = opacity if scale == 1 else round(min(0.6, opacity * scale), 2)
        paths += (
            f'<path d="{data}" fill="none" stroke="{tone}" stroke-opacity="{strength}" '
            f'stroke-width="{thick}"{_ROUND if thick > 0.8 else ""}/>'
        )
    if scale != 1:
        width, height = round(width * scale, 2), round(height * scale, 2)
        paths = f'<g transform="scale({scale})">{paths}</g>'
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
    if _texture_tile(fabric):
        markup += f'<path d="{data}" fill="url(#texture-{part})"/>'
    if fabric.texture in ("fur", "fleece"):  # hairs stand out over the edge
        markup += line(data, fabric.pattern.ground, 4.5, dashes="1.2 4.6")
        return markup + line(data, fabric.dark, 0.9, opacity=0.3)
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


def wavy_strip(upper: Sequence[Point], lower: Sequence[Point], *, waves: int) -> str:
    """Return path data of a flounce between two edges; each span of the lower one has waves.

    Both edges are runs of as many points, from left to right.
    """
    data = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in upper)
    data += f"L{lower[-1][0]:.1f} {lower[-1][1]:.1f}"
    for span in range(len(lower) - 1, 0, -1):
        first, last = lower[span], lower[span - 1]
        across = (last[0] - first[0], last[1] - first[1])
        for wave in range(waves):
            # waves swing to the outer side of the edge, at right angles to it
            middle = between(first, last, (wave + 0.5) / waves)
            end = between(first, last, (wave + 1) / waves)
            bulge = 0.6 / waves
            data += f"Q{middle[0] + across[1] * bulge:.1f} {middle[1] - across[0] * bulge:.1f}"
            data += f" {end[0]:.1f} {end[1]:.1f}"
    return data + "Z"


def gathers(upper: Sequence[Point], lower: Sequence[Point], colour: str, *, count: int) -> str:
    """Return the folds of a flounce: lines from the upper edge towards the lower one."""
    data = ""
    for span in range(len(upper) - 1):
        for index in range(count):
            share = (index + 0.5) / count
            start = between(upper[span], upper[span + 1], share)
            foot = between(lower[span], lower[span + 1], share)
            end = between(start, foot, 0.6 + 0.15 * (index % 3))
            data += f"M{start[0]:.1f} {start[1]:.1f}L{end[0]:.1f} {end[1]:.1f}"
    return line(data, colour, 1.2, opacity=0.5)
