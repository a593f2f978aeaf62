"""What clothes are photographed on: floors, tiles, carpets, bed sheets, walls and doors."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bench_atelier.colours import parse_colour, sample_shade
from bench_atelier.patterns import pattern_definition, sample_pattern
from bench_atelier.render import render_svg

Floats = NDArray[np.float32]
Shape = tuple[int, int]  # height, width in pixels


def noise(generator: np.random.Generator, shape: Shape, cells: Shape) -> Floats:
    """Return a smooth random field (H, W) float32 in about -1..1 with the given cells."""
    grid = generator.integers(0, 256, size=cells, dtype=np.uint8)
    # eight bits on purpose: Pillow resizes them in integers, so every machine agrees
    image = Image.fromarray(grid).resize((shape[1], shape[0]), Image.Resampling.BICUBIC)
    return np.asarray(image, dtype=np.float32) / np.float32(127.5) - np.float32(1)


def relief(height_field: Floats) -> Floats:
    """Return the light on a surface (H, W) lit from the upper left, 0 where it is flat."""
    shading = np.zeros_like(height_field)
    shading[2:, 2:] = height_field[2:, 2:] - height_field[:-2, :-2]
    return shading


def _colour(code: str) -> Floats:
    """Return a colour as (3, 1, 1): pictures are channels first here, which numpy adds faster."""
    colour: Floats = np.array(parse_colour(code), dtype=np.float32)
    return colour[:, None, None]


def _coordinates(shape: Shape) -> tuple[Floats, Floats]:
    rows, columns = np.mgrid[0 : shape[0], 0 : shape[1]]
    return rows.astype(np.float32), columns.astype(np.float32)


def wood(generator: np.random.Generator, shape: Shape) -> Floats:
    """Return floor boards with grain and joints, (3, H, W) float32 in 0..255."""
    tones = ("#b98a52", "#c9a06a", "#8a5a36", "#a9a39b", "#6f4a33", "#d8b67c", "#8f8780")
    tone = _colour(tones[int(generator.integers(len(tones)))])
    across = bool(generator.random() < 0.4)
    height, width = shape[::-1] if across else shape
    board = int(generator.integers(26, 52))
    rows, columns = _coordinates((height, width))
    slant = np.float32(generator.uniform(-0.2, 0.2))
    # in integers, whose division is much the quicker
    across_boards = (columns + rows * slant + 200).astype(np.int32)
    board_of = across_boards // board
    joints = generator.integers(0, 260, size=64, dtype=np.int32)
    along_boards = rows.astype(np.int32) + joints[board_of]
    rank_of = along_boards // 230
    tones_of_board = generator.integers(-16, 17, size=128).astype(np.float32)
    value = tones_of_board[(board_of * 7 + rank_of) & 127]
    value += noise(generator, (height, width), (height // 24, width // 2)) * 11
    value += noise(generator, (height, width), (5, width // 8)) * 7
    edge = (across_boards == board_of * board) | (along_boards == rank_of * 230)
    value[edge] -= 42
    return np.asarray(tone + (value.T if across else value), dtype=np.float32)


def tiles(generator: np.random.Generator, shape: Shape) -> Floats:
    """Return floor tiles with grout, straight or diagonal, (3, H, W) float32 in 0..255."""
    tones = ("#d8d2c6", "#c8c3ba", "#cbb99c", "#e2e0da", "#a7a59f")
    tone = _colour(tones[int(generator.integers(len(tones)))])
    rows, columns = _coordinates(shape)
    turn = np.float32(generator.uniform(0.7, 1.3) if generator.random() < 0.6 else 0.06)
    size = int(generator.integers(80, 150))
    first, second = columns + rows * turn + 400, columns * turn - rows + 700
    grout = (first % size < 3) | (second % size < 3)
    value = noise(generator, shape, (12, 9)) * 7 + noise(generator, shape, (80, 60)) * 4
    value[grout] -= 46
    return tone + value


def carpet(generator: np.random.Generator, shape: Shape) -> Floats:
    """Return a shaggy carpet in one colour, (3, H, W) float32 in 0..255."""
    names = ("cream", "grey", "beige", "charcoal", "brown", "silver", "burgundy", "teal")
    tone = _colour(sample_shade(generator, names[int(generator.integers(len(names)))]))
    pile = int(generator.integers(2, 5))
    value = noise(generator, shape, (shape[0] // pile, shape[1] // pile)) * 22
    value += noise(generator, shape, (14, 10)) * 9
    return tone + value


def rug(generator: np.random.Generator, shape: Shape) -> Floats:
    """Return a patterned rug or bedspread, (3, H, W) float32 in 0..255."""
    names = ("floral", "argyle", "plaid", "chevron", "motifs", "checks", "polka-dots")
    colours = ("burgundy", "beige", "cream", "teal", "brown", "silver", "navy", "pink")
    ground = sample_shade(generator, colours[int(generator.integers(len(colours)))])
    pattern = sample_pattern(generator, names[int(generator.integers(len(names)))], ground=ground)
    definition = pattern_definition(pattern, "rug", turn=float(generator.uniform(-25, 25)))
    scale = float(generator.uniform(1.3, 2.4))
    height, width = shape
    # at half the size: a rug lies a little out of focus, and it is quicker
    drawing = render_svg(
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width // 2}" height="{height // 2}" '
        f'viewBox="0 0 {width / scale:.1f} {height / scale:.1f}"><defs>{definition}</defs>'
        '<rect width="100%" height="100%" fill="url(#rug)"/></svg>'
    )
    enlarged = Image.fromarray(drawing).convert("RGB").resize((width, height))
    picture = np.asarray(enlarged).transpose(2, 0, 1).astype(np.float32, order="C")
    # faded towards its ground, or it would outshine the garment
    faded = picture * np.float32(0.5) + _colour(ground) * np.float32(0.5)
    pile = noise(generator, shape, (shape[0] // 2, shape[1] // 2)) * 12
    return np.asarray(faded + pile, dtype=np.float32)


def sheet(generator: np.random.Generator, shape: Shape) -> Floats:
    """Return a creased cloth: bed linen or satin, (3, H, W) float32 in 0..255."""
    names = ("white", "red", "cream", "silver", "magenta", "sky", "pink", "charcoal", "brown")
    tone = _colour(sample_shade(generator, names[int(generator.integers(len(names)))]))
    cells = (int(generator.integers(3, 6)), int(generator.integers(4, 9)))
    folds = noise(generator, shape, cells) + noise(generator, shape, (13, 10)) * np.float32(0.16)
    ridges = np.abs(folds)
    depth = np.float32(generator.uniform(0.5, 1.9))
    light = np.clip(relief(ridges) * depth, -0.2, 0.16) + folds * np.float32(0.06)
    weave = noise(generator, shape, (shape[0] // 2, shape[1] // 2)) * np.float32(0.02)
    return np.asarray(tone * (1 + light + weave), dtype=np.float32)


def wall(generator: np.random.Generator, shape: Shape) -> Floats:
    """Return a painted wall or a panelled door, (3, H, W) float32 in 0..255."""
    tones = ("#d9d7d1", "#c3c6c8", "#e4dccb", "#b9c4c4", "#a9a39a", "#cfc3b4", "#8f6b4c", "#d7cfa8")
    tone = _colour(tones[int(generator.integers(len(tones)))])
    value = noise(generator, shape, (40, 30)) * np.float32(2.5)
    columns = _coordinates(shape)[1]
    if generator.random() < 0.5:  # the edge of a door or cupboard, and what stands behind it
        edge = int(generator.integers(8, 58))
        if generator.random() < 0.5:
            columns = shape[1] - columns
        beyond = columns < edge
        value[beyond] -= np.float32(generator.integers(15, 70))
        value[(columns >= edge) & (columns < edge + 3)] -= 34
        inner = (columns > edge + 26) & (columns < edge + 29)
        value[inner] -= 14
    if generator.random() < 0.35:  # a skirting board over the floor
        low = int(shape[0] * generator.uniform(0.86, 0.96))
        value[low:] -= 48
        value[low - 12 : low] += 14
    return tone + value


_FLOORS: Mapping[str, Callable[[np.random.Generator, Shape], Floats]] = {
    "wood": wood,
    "tiles": tiles,
    "carpet": carpet,
    "rug": rug,
    "sheet": sheet,
    "wall": wall,
}
BACKGROUNDS = tuple(_FLOORS)


def sample_background(generator: np.random.Generator, shape: Shape, *, hanging: bool) -> Floats:
    """Return a background (3, H, W) float32 in 0..255; behind what hangs, mostly a wall."""
    shares = (0.08, 0.0, 0.0, 0.0, 0.1, 0.82) if hanging else (0.27, 0.12, 0.15, 0.13, 0.25, 0.08)
    place = int(np.searchsorted(np.cumsum(shares), generator.random(), side="right"))
    return _FLOORS[BACKGROUNDS[min(place, len(BACKGROUNDS) - 1)]](generator, shape)
