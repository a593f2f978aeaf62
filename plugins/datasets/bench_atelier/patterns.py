"""Patterns of cloth as SVG tiles, each with parameters of its own."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from bench_atelier.colours import luminance, sample_contrasting, sample_shade, shade
from bench_atelier.motifs import blob, flower, landscape, motif_shape, paisley


@dataclass(frozen=True)
class Pattern:
    """What is woven or printed; two garments of one pattern differ in its parameters.

    `size` is the repeat in drawing units (a garment is about 120 units wide), `weight` the share
    of the repeat that the second colour takes (0 to 1), `angle` is in degrees, `arrangement`
    decides where irregular motifs fall, `style` picks among the forms a pattern has.
    """

    name: str
    ground: str
    second: str
    third: str
    size: float
    weight: float
    angle: float
    arrangement: int
    style: int


def _tile_size(pattern: Pattern) -> tuple[float, float]:
    """Return width and height of the tile that repeats: larger than the repeat when it slants."""
    if pattern.angle not in (0, 90):
        radians = math.radians(abs(pattern.angle))
        return pattern.size / math.sin(radians), pattern.size / math.cos(radians)
    return pattern.size, pattern.size * PATTERNS[pattern.name].stretch


def _rectangle(
    x: float, y: float, width: float, height: float, fill: str, *, opacity: float = 1
) -> str:
    return (
        f'<rect x="{x:.2f}" y="{y:.2f}" width="{width:.2f}" height="{height:.2f}" '
        f'fill="{fill}" fill-opacity="{opacity:.2f}"/>'
    )


def _stripes(pattern: Pattern) -> str:
    """Return bands at the pattern's angle; the tile repeats them without being turned itself."""
    size, band = pattern.size, pattern.size * pattern.weight
    bands = [(0.0, band, pattern.second)]
    if pattern.style == 1:  # a thin third line in the gap
        bands.append((band + (size - band) * 0.4, size * 0.1, pattern.third))
    elif pattern.style == 2:  # a wide band beside a narrow one
        bands.append((band * 1.4, band * 0.3, pattern.second))
    width, height = _tile_size(pattern)
    if pattern.angle == 0:
        return "".join(_rectangle(0, at, width, thick, fill) for at, thick, fill in bands)
    if pattern.angle == 90:
        return "".join(_rectangle(at, 0, thick, height, fill) for at, thick, fill in bands)
    markup, run = "", width if pattern.angle > 0 else -width
    for at, thick, fill in bands:
        # along the upright edges of the tile a band is as much taller as the tile is
        low, high = at / size * height, (at + thick) / size * height
        for shift in (-2 * height, -height, 0.0, height, 2 * height):
            markup += (
                f'<path d="M{-run:.2f} {low + shift - height:.2f}L{2 * run:.2f} '
                f"{low + shift + 2 * height:.2f}V{high + shift + 2 * height:.2f}"
                f'L{-run:.2f} {high + shift - height:.2f}Z" fill="{fill}"/>'
            )
    return markup


def _checks(pattern: Pattern) -> str:
    size, half = pattern.size, pattern.size / 2
    return _rectangle(0, 0, size, half, pattern.second, opacity=0.5) + _rectangle(
        0, 0, half, size, pattern.second, opacity=0.5
    )


def _plaid(pattern: Pattern) -> str:
    size, band = pattern.size, pattern.size * pattern.weight
    markup = ""
    for start, width, colour, opacity in (
        (0.0, band, pattern.second, 0.55),
        (band + size * 0.12, size * 0.06, pattern.third, 0.8),
        (size * 0.8, size * 0.1, shade(pattern.ground, 0.55), 0.5),
        (band * 0.45, size * 0.04, pattern.third, 0.7),
    ):
        markup += _rectangle(start, 0, width, size, colour, opacity=opacity)
        markup += _rectangle(0, start, size, width, colour, opacity=opacity)
    return markup


def _polka_dots(pattern: Pattern) -> str:
    size, radius = pattern.size, pattern.size * (0.14 + 0.2 * pattern.weight)
    places = [(0.25, 0.25), (0.75, 0.75)]
    if pattern.style == 1:
        places += [(0.75, 0.25), (0.25, 0.75)]
        radius *= 0.6
    colours = (pattern.second, pattern.third if pattern.style == 2 else pattern.second)
    return "".join(
        f'<circle cx="{x * size:.2f}" cy="{y * size:.2f}" r="{radius:.2f}" '
        f'fill="{colours[index % 2]}"/>'
        for index, (x, y) in enumerate(places)
    )


def _scattered(
    pattern: Pattern, count: int, draw: Callable[[np.random.Generator, int], str], reach: float
) -> str:
    """Return motifs on a jittered grid of the tile; those over an edge return on the other side."""
    generator = np.random.default_rng(pattern.arrangement)
    size, cell = pattern.size, pattern.size / count
    markup = ""
    for index in range(count * count):
        row, column = divmod(index, count)
        jitter_x, jitter_y = generator.uniform(0.2, 0.8, size=2)
        x, y = (column + jitter_x) * cell, (row + jitter_y) * cell
        shape, turn = draw(generator, index), int(generator.integers(360))
        for shift_x in (-size, 0.0, size):
            for shift_y in (-size, 0.0, size):
                at_x, at_y = x + shift_x, y + shift_y
                if -reach < at_x < size + reach and -reach < at_y < size + reach:
                    place = f"translate({at_x:.1f} {at_y:.1f}) rotate({turn})"
                    markup += f'<g transform="{place}">{shape}</g>'
    return markup


def _floral(pattern: Pattern) -> str:
    radius = pattern.size * (0.1 + 0.07 * pattern.weight)
    colours = (pattern.second, pattern.third)

    def draw(generator: np.random.Generator, index: int) -> str:
        grown = radius * generator.uniform(0.7, 1.3)
        return flower(grown, colours[index % 2], petals=5 + pattern.style)

    return _scattered(pattern, 3, draw, radius * 2)


def _leopard(pattern: Pattern) -> str:
    radius = pattern.size * 0.1
    dark = shade(pattern.ground, 0.3)

    def draw(generator: np.random.Generator, index: int) -> str:
        ring = blob(generator, radius, dark)
        return ring + blob(generator, radius * 0.55, shade(pattern.ground, 0.75))

    return _scattered(pattern, 4, draw, radius * 1.6)


def _camouflage(pattern: Pattern) -> str:
    colours = (pattern.second, pattern.third, shade(pattern.ground, 0.5))
    radius = pattern.size * 0.165

    def draw(generator: np.random.Generator, index: int) -> str:
        return blob(generator, radius, colours[index % 3], stretch=1.5)

    return _scattered(pattern, 4, draw, radius * 2)


def _motifs(pattern: Pattern) -> str:
    radius = pattern.size * (0.1 + 0.06 * pattern.weight)

    def draw(generator: np.random.Generator, index: int) -> str:
        return motif_shape(pattern.style, radius, (pattern.second, pattern.third)[index % 2])

    return _scattered(pattern, 2, draw, radius * 1.5)


def _zigzag(pattern: Pattern) -> str:
    size, width = pattern.size, pattern.size * (0.15 + 0.3 * pattern.weight)
    markup = ""
    for shift in (-size, 0.0, size):
        markup += (
            f'<path d="M{-size:.2f} {shift:.2f}L{-size / 2:.2f} {shift + size / 2:.2f}'
            f"L0 {shift:.2f}L{size / 2:.2f} {shift + size / 2:.2f}L{size:.2f} {shift:.2f}"
            f'L{size * 1.5:.2f} {shift + size / 2:.2f}" fill="none" stroke="{pattern.second}" '
            f'stroke-width="{width:.2f}"/>'
        )
    return markup


def _herringbone(pattern: Pattern) -> str:
    size, width = pattern.size, pattern.size * (0.07 + 0.06 * pattern.weight)
    half, step = size / 2, size / 4
    data = ""
    for index in range(-3, 6):
        y = index * step
        data += f"M0 {y:.2f}L{half:.2f} {y + half:.2f}M{half:.2f} {y + half:.2f}L{size:.2f} {y:.2f}"
    return (
        f'<path d="{data}" fill="none" stroke="{pattern.second}" stroke-width="{width:.2f}"/>'
        f'<path d="M0 0V{size:.2f}M{half:.2f} 0V{size:.2f}" stroke="{pattern.ground}" '
        f'stroke-width="{width * 0.8:.2f}"/>'
    )


def _argyle(pattern: Pattern) -> str:
    size, half = pattern.size, pattern.size / 2
    diamond = f"M{half:.2f} 0L{size:.2f} {half:.2f}L{half:.2f} {size:.2f}L0 {half:.2f}Z"
    crossing = f"M0 0L{size:.2f} {size:.2f}M{size:.2f} 0L0 {size:.2f}"
    return (
        f'<path d="{diamond}" fill="{pattern.second}"/>'
        f'<path d="{crossing}" stroke="{pattern.third}" stroke-width="{size * 0.05:.2f}" '
        'stroke-dasharray="2 1.2"/>'
    )


def _paisley(pattern: Pattern) -> str:
    radius = pattern.size * (0.17 + 0.05 * pattern.weight)

    def draw(generator: np.random.Generator, index: int) -> str:
        colours = (pattern.second, pattern.third)
        return paisley(radius, colours[index % 2], colours[1 - index % 2])

    return _scattered(pattern, 2, draw, radius * 1.7)


def _marl(pattern: Pattern) -> str:
    """Return short threads of two other colours, spun into the yarn."""
    generator = np.random.default_rng(pattern.arrangement)
    size, count = pattern.size, round(70 + 90 * pattern.weight)
    threads = ["", ""]
    for index in range(count):
        x, y = generator.uniform(0, size, size=2)
        long = generator.uniform(1.2, 3.2)
        for shift in (-size, 0.0):  # a thread that leaves at the right enters at the left
            threads[index % 2] += f"M{x + shift:.1f} {y:.1f}l{long:.1f} {long * 0.3:.1f}"
    dark = luminance(pattern.ground) < 0.5
    tones = (shade(pattern.ground, 1.55 if dark else 0.5), shade(pattern.ground, 0.7))
    return "".join(
        f'<path d="{data}" fill="none" stroke="{tone}" stroke-width="0.9"/>'
        for data, tone in zip(threads, tones, strict=True)
    )


def _burnout(pattern: Pattern) -> str:
    """Return opaque flowers in the colour of the ground; the ground itself lets light through."""
    radius, tone = pattern.size * (0.13 + 0.06 * pattern.weight), shade(pattern.ground, 0.8)

    def draw(generator: np.random.Generator, index: int) -> str:
        if index % 2:
            return motif_shape(2, radius * 1.2, tone)
        return flower(radius, tone, petals=5 + pattern.style, leaves=tone)

    return _scattered(pattern, 3, draw, radius * 2)


def _photo(pattern: Pattern) -> str:
    generator = np.random.default_rng(pattern.arrangement)
    return landscape(generator, pattern.size, pattern.style, pattern.second)


def _bare(pattern: Pattern) -> str:
    return ""


@dataclass(frozen=True)
class PatternForm:
    """How a pattern is drawn and within which bounds its parameters are sampled."""

    tile: Callable[[Pattern], str]
    size: tuple[float, float] = (10, 20)
    weight: tuple[float, float] = (0.3, 0.6)
    angle: tuple[float, float] = (0, 0)
    stretch: float = 1  # height of the tile over its width
    styles: int = 1
    opacity: float = 1  # of the ground


PATTERNS = {
    "plain": PatternForm(_bare),
    "graphic": PatternForm(_bare, styles=6),
    "stripes-horizontal": PatternForm(_stripes, size=(7, 28), weight=(0.2, 0.65), styles=3),
    "stripes-vertical": PatternForm(
        _stripes, size=(6, 18), weight=(0.15, 0.55), angle=(90, 90), styles=3
    ),
    "stripes-diagonal": PatternForm(
        _stripes, size=(8, 22), weight=(0.25, 0.6), angle=(30, 60), styles=3
    ),
    "checks": PatternForm(_checks, size=(7, 16)),
    "plaid": PatternForm(_plaid, size=(20, 40), weight=(0.25, 0.5)),
    "polka-dots": PatternForm(_polka_dots, size=(8, 24), weight=(0, 0.8), styles=3),
    "floral": PatternForm(_floral, size=(34, 70), weight=(0, 1), styles=3),
    "leopard": PatternForm(_leopard, size=(30, 48)),
    "camouflage": PatternForm(_camouflage, size=(50, 80)),
    "motifs": PatternForm(_motifs, size=(22, 46), weight=(0, 1), styles=4),
    "chevron": PatternForm(_zigzag, size=(10, 22), weight=(0.1, 0.8)),
    "herringbone": PatternForm(_herringbone, size=(7, 13), weight=(0, 1)),
    "argyle": PatternForm(_argyle, size=(16, 28), stretch=1.5),
    "pinstripe": PatternForm(_stripes, size=(7, 12), weight=(0.09, 0.14), angle=(90, 90), styles=1),
    "gradient": PatternForm(_bare, size=(80, 170), weight=(0, 0.45), angle=(-25, 25)),
    "paisley": PatternForm(_paisley, size=(38, 62), weight=(0, 1)),
    "marl": PatternForm(_marl, size=(24, 34), weight=(0, 1)),
    "burnout": PatternForm(_burnout, size=(38, 62), weight=(0, 1), styles=3, opacity=0.5),
    "photo": PatternForm(_photo, size=(90, 130), stretch=1, styles=4),
}

_WOVEN = ("checks", "plaid", "chevron", "herringbone", "argyle")
# the only cloths whose colours are bound to the pattern
_LEOPARD_GROUNDS = ("#c49a62", "#d8b98a", "#b5a08a", "#cfc7bd")
_CAMOUFLAGE_GROUNDS = (("olive", "khaki", "brown"), ("grey", "silver", "charcoal"))


def sample_pattern(generator: np.random.Generator, name: str, *, ground: str) -> Pattern:
    """Return a pattern of that name on the ground colour ('#rrggbb'), its parameters random."""
    form = PATTERNS[name]
    second, third = sample_contrasting(generator, ground), sample_contrasting(generator, ground)
    if name == "leopard":
        ground = _LEOPARD_GROUNDS[int(generator.integers(len(_LEOPARD_GROUNDS)))]
    if name == "camouflage":
        names = _CAMOUFLAGE_GROUNDS[int(generator.integers(len(_CAMOUFLAGE_GROUNDS)))]
        ground, second, third = (sample_shade(generator, colour) for colour in names)
    if name == "herringbone":
        second = shade(ground, 1.35) if luminance(ground) < 0.4 else shade(ground, 0.72)
    angle = float(generator.uniform(*form.angle))
    if name == "stripes-diagonal" and generator.random() < 0.5:
        angle = -angle
    return Pattern(
        name=name,
        ground=ground,
        second=second,
        third=third,
        size=round(float(generator.uniform(*form.size)), 2),
        weight=round(float(generator.uniform(*form.weight)), 3),
        angle=round(angle, 1),
        arrangement=int(generator.integers(1 << 31)),
        style=int(generator.integers(form.styles)),
    )


def shows_turning(pattern: Pattern) -> bool:
    """Return whether the pattern has a direction; scattered prints look alike at every angle."""
    return _is_striped(pattern) or pattern.name in (*_WOVEN, "gradient")


def _is_striped(pattern: Pattern) -> bool:
    return PATTERNS[pattern.name].tile is _stripes


def pattern_definition(pattern: Pattern, identifier: str, *, turn: float = 0) -> str:
    """Return a `<pattern>` element that tiles the pattern, turned by some degrees clockwise.

    A gradient of colour is a `<linearGradient>`, which runs down the whole garment.
    """
    if pattern.name == "gradient":
        return _gradient(pattern, identifier)
    if _is_striped(pattern):
        # slanting bands have a tile of their own: a turned tile takes five times as long to draw
        angle = (pattern.angle + turn + 90) % 180 - 90
        angle = 0 if abs(angle) < 4 else 90 if abs(angle) > 86 else angle
        pattern, turn = replace(pattern, angle=angle), 0
    width, height = _tile_size(pattern)
    content = PATTERNS[pattern.name].tile(pattern)
    stretch = PATTERNS[pattern.name].stretch
    if stretch != 1:
        content = f'<g transform="scale(1 {stretch})">{content}</g>'
    opacity = PATTERNS[pattern.name].opacity
    ground = _rectangle(0, 0, width, height, pattern.ground, opacity=opacity)
    turned = f' patternTransform="rotate({turn:.1f})"' if turn else ""
    return (
        f'<pattern id="{identifier}" width="{width:.2f}" height="{height:.2f}" '
        f'patternUnits="userSpaceOnUse"{turned}>{ground}{content}</pattern>'
    )


def _gradient(pattern: Pattern, identifier: str) -> str:
    across = pattern.size * math.tan(math.radians(pattern.angle))
    return (
        f'<linearGradient id="{identifier}" gradientUnits="userSpaceOnUse" x1="0" y1="20" '
        f'x2="{across:.1f}" y2="{20 + pattern.size:.1f}" spreadMethod="reflect">'
        f'<stop offset="{pattern.weight / 2:.3f}" stop-color="{pattern.ground}"/>'
        f'<stop offset="{1 - pattern.weight / 2:.3f}" stop-color="{pattern.second}"/>'
        "</linearGradient>"
    )
