"""Colours of plumage, bills, legs and eyes by the names that bird guides use."""

from __future__ import annotations

from collections.abc import Mapping

from bench_atelier.colours import format_colour, luminance, parse_colour

PLUMAGE: Mapping[str, str] = {
    "blue": "#3a6cb8",
    "brown": "#6f4e33",
    "iridescent": "#1f7f74",  # where it cannot shimmer: in edges and shadows
    "purple": "#6d3f8c",
    "rufous": "#a8542b",
    "grey": "#8b8f94",
    "yellow": "#e8c22e",
    "olive": "#77793f",
    "green": "#468c3e",
    "pink": "#e294aa",
    "orange": "#e27c28",
    "black": "#26262a",
    "white": "#efeee9",
    "red": "#c32b2d",
    "buff": "#d6b88c",
}
COLOURS = tuple(PLUMAGE)

Tint = tuple[int, int, int]  # what an individual's red, green and blue differ by from its kind's

IRIDESCENCE = (
    '<linearGradient id="iridescent" gradientUnits="userSpaceOnUse" x1="0" y1="0" x2="9" y2="16" '
    'spreadMethod="reflect"><stop offset="0" stop-color="#0f6f57"/><stop offset="0.35" '
    'stop-color="#27a08a"/><stop offset="0.65" stop-color="#2c5fa8"/><stop offset="1" '
    'stop-color="#6a3b92"/></linearGradient>'
)


def dye(name: str, tint: Tint) -> str:
    """Return the '#rrggbb' of a plumage colour on one individual."""
    channels = parse_colour(PLUMAGE[name])
    return format_colour(*(channel + shift for channel, shift in zip(channels, tint, strict=True)))


def paint(name: str, tint: Tint) -> str:
    """Return the fill of plumage: a colour, or the shimmer of an iridescent one."""
    return "url(#iridescent)" if name == "iridescent" else dye(name, tint)


def stands_out(first: str, second: str) -> bool:
    """Return whether two plumage colours can be told apart at once, side by side."""
    channels = zip(parse_colour(PLUMAGE[first]), parse_colour(PLUMAGE[second]), strict=True)
    difference = sum(abs(one - other) for one, other in channels)
    lighter = abs(luminance(PLUMAGE[first]) - luminance(PLUMAGE[second]))
    return difference > 150 and lighter > 0.16
