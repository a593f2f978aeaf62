"""Fastenings and pockets of trousers and skirts beyond those that every kind is cut with."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from bench_atelier.colours import shade
from bench_atelier.fabric import button, cloth
from bench_atelier.fastenings import draw_belt, draw_hooks, draw_laces
from bench_atelier.garments import Bottom
from bench_atelier.outline import both_sides, line, open_path
from bench_atelier.pockets import draw_cargo, draw_flap, draw_zip


def draw_closure(bottom: Bottom, y: float) -> str:
    """Return what closes the front below the waist at height y.

    A drawstring belongs to the waistband.
    """
    drawer = _CLOSURES.get(bottom.closure)
    return drawer(bottom, y) if drawer else ""


def _front_end(bottom: Bottom, y: float) -> float:
    """Return the lower end of the fastening: of trousers above the crotch, of skirts at the hem."""
    return y + (bottom.length - 4 if bottom.category == "skirt" else bottom.rise * 0.8)


def _elastic(bottom: Bottom, y: float) -> str:
    half, low = bottom.waist, y + bottom.band + 2
    folds = "".join(
        f"M{share * half:.1f} {y + 2:.1f}L{share * (half + 1):.1f} {low:.1f}"
        for share in (index / 9 for index in range(-8, 9))
    )
    return line(folds, bottom.fabric.dark, 1.8, opacity=0.75)


def _skirt_fly(bottom: Bottom, y: float) -> str:
    """Return the stitches of a fly; trousers and denim skirts have it drawn with their front."""
    if bottom.category != "skirt" or bottom.kind == "denim":
        return ""
    first, end = y + bottom.band + 3, y + 46
    fly = open_path((8, first), [((8, end - 6), (0, end))])
    edge = line(f"M0 {first:.1f}V{end:.1f}", bottom.fabric.dark, 1.6)
    return edge + line(fly, bottom.fabric.dark, 1.4, dashes="2.4 1.4")


def _buttons(bottom: Bottom, y: float) -> str:
    fabric, first, last = bottom.fabric, y + bottom.band + 3, _front_end(bottom, y)
    knob = shade(fabric.pattern.ground, 1.65 if fabric.is_dark else 0.4)
    placket = f"M-6 {first:.1f}V{last:.1f}M6 {first:.1f}V{last:.1f}"
    markup, level = line(placket, fabric.dark, 1.2), y + 6.5
    while level < last - 3:
        markup += button((0, level), 3, knob)
        level += 12.5
    return markup


def _zip(bottom: Bottom, y: float) -> str:
    return draw_zip((0, _front_end(bottom, y)), (0, y + 4))


def _side_zip(bottom: Bottom, y: float) -> str:
    """Return the zip at one side of trousers; that of a skirt is hidden in the seam."""
    if bottom.category == "skirt" or bottom.kind == "brief":
        return ""
    return draw_zip((bottom.waist + 1.5, y + bottom.band + 26), (bottom.waist - 4, y + 5))


def _hooks(bottom: Bottom, y: float) -> str:
    return draw_hooks(y + 5, _front_end(bottom, y), bottom.fabric)


def _laces(bottom: Bottom, y: float) -> str:
    return draw_laces(y + 4, y + 52, bottom.fabric)


def _belt(bottom: Bottom, y: float) -> str:
    return draw_belt(bottom.waist, y + bottom.band / 2 - 1, 2, bottom.fabric)


_CLOSURES: Mapping[str, Callable[[Bottom, float], str]] = {
    "none": _elastic,
    "fly": _skirt_fly,
    "buttons": _buttons,
    "zip": _zip,
    "side-zip": _side_zip,
    "hooks": _hooks,
    "laces": _laces,
    "belt": _belt,
}


def draw_pockets(bottom: Bottom, y: float) -> str:
    """Return the pockets on both sides of the front; trousers have slanting ones drawn with it."""
    fabric, half, low = bottom.fabric, bottom.hip, y + bottom.band + 16
    markup = ""
    if bottom.pockets == "side" and bottom.category == "skirt":
        slant = open_path((bottom.waist * 0.62, low - 10), [((half * 0.9, low + 20),)])
        stitches = line(slant, fabric.thread, 1, dashes="2 1.4")
        markup = line(slant, fabric.dark, 2.6)
        markup += f'<g transform="translate(-2.4 1)">{stitches}</g>'
    elif bottom.pockets == "patch":
        x, width = half * 0.34, half * 0.48
        data = f"M{x:.1f} {low:.1f}h{width:.1f}v{width:.1f}q0 8 -8 8h{16 - width:.1f}q-8 0 -8 -8Z"
        edge = f"M{x:.1f} {low + 6:.1f}h{width:.1f}"
        markup = cloth(fabric, data) + line(data, fabric.dark, 1.7) + line(edge, fabric.thread, 1.3)
    elif bottom.pockets == "flap":
        markup = draw_flap((half * 0.58, low), half * 0.54, fabric)
    elif bottom.pockets == "welt":
        data = open_path((half * 0.34, low + 3), [((half * 0.76, low - 5),)])
        markup = line(data, fabric.dark, 5.5) + line(data, fabric.thread, 1.6)
    elif bottom.pockets == "cargo":
        lower = y + min(bottom.rise + 26, bottom.length * 0.52)
        markup = draw_cargo((half * 0.72, lower), 23, fabric)
    elif bottom.pockets == "zip":
        markup = draw_zip((half * 0.9, low + 24), (half * 0.62, low - 4))
    return both_sides(markup) if markup else ""
