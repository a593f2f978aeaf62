"""Named colours of cloth, and the few operations on them that drawings need."""

from __future__ import annotations

import numpy as np

PALETTE = {
    "black": "#1e1e22",
    "charcoal": "#3f4147",
    "grey": "#8d9096",
    "silver": "#c3c5c9",
    "white": "#f1f0ec",
    "cream": "#ece0c6",
    "beige": "#cdb894",
    "khaki": "#9a8c62",
    "brown": "#6b4a34",
    "navy": "#222c4e",
    "blue": "#2f5fae",
    "sky": "#8fb6dd",
    "denim": "#4d6a8f",
    "teal": "#24777b",
    "green": "#2f7a4b",
    "olive": "#585f38",
    "mint": "#a9d5bf",
    "yellow": "#e5bd3f",
    "mustard": "#bd8d26",
    "orange": "#d9702f",
    "red": "#b8282f",
    "burgundy": "#6e1f33",
    "pink": "#e29bb2",
    "magenta": "#b32f74",
    "purple": "#5f3f86",
    "lilac": "#b7a2d2",
}

NEUTRALS = ("black", "charcoal", "grey", "silver", "white", "cream", "beige", "brown", "navy")


def parse_colour(colour: str) -> tuple[int, int, int]:
    """Return red, green, blue in 0..255 of a palette name or of '#rrggbb'."""
    code = PALETTE.get(colour, colour)
    return int(code[1:3], 16), int(code[3:5], 16), int(code[5:7], 16)


def format_colour(red: float, green: float, blue: float) -> str:
    """Return '#rrggbb' of three channels, each clipped to 0..255."""
    channels = (min(255, max(0, round(channel))) for channel in (red, green, blue))
    return "#" + "".join(f"{channel:02x}" for channel in channels)


def shade(colour: str, factor: float) -> str:
    """Return the colour darkened (factor below 1) or moved towards white (factor above 1)."""
    channels = parse_colour(colour)
    if factor <= 1:
        return format_colour(*(channel * factor for channel in channels))
    towards_white = factor - 1
    return format_colour(*(channel + (255 - channel) * towards_white for channel in channels))


def luminance(colour: str) -> float:
    """Return the perceived brightness of a colour, 0 (black) to 1 (white)."""
    red, green, blue = parse_colour(colour)
    return (0.299 * red + 0.587 * green + 0.114 * blue) / 255


def contrast_of(colour: str) -> str:
    """Return a thread colour that shows on the colour: lighter on dark cloth, darker on light."""
    return shade(colour, 1.28) if luminance(colour) < 0.22 else shade(colour, 0.66)


def sample_shade(generator: np.random.Generator, name: str) -> str:
    """Return one dye lot of a palette colour: '#rrggbb' near the named one."""
    channels = np.array(parse_colour(name)) + generator.integers(-13, 14, size=3)
    brightness = int(generator.integers(-12, 13))
    return format_colour(*(int(channel) + brightness for channel in channels))


def sample_contrasting(generator: np.random.Generator, ground: str) -> str:
    """Return a palette colour, as '#rrggbb', that stands out from the ground colour.

    Mostly a neutral one: cloth of two bright colours is rare.
    """
    names = NEUTRALS if generator.random() < 0.6 else tuple(PALETTE)
    while True:
        colour = sample_shade(generator, names[int(generator.integers(len(names)))])
        difference = np.abs(np.subtract(parse_colour(colour), parse_colour(ground))).sum()
        if difference > 170:
            return colour
