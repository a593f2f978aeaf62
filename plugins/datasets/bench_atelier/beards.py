"""Hair in the face: stubble, sideburns, goatees and moustaches."""

from __future__ import annotations

import math

import numpy as np

from bench_atelier.colours import shade
from bench_atelier.face_parts import SIDES, brow_colour, outline
from bench_atelier.hair import Guide
from bench_atelier.head import Head, mix
from bench_atelier.outline import filled, line


def draw_beard(head: Head) -> str:
    """Return the beard that lies under the lips: stubble, sideburns, the hair of the chin."""
    draw = {"stubble": (_stubble,), "sideburns": (_sideburns,), "goatee": (_goatee,),
            "circle": (_goatee, _circle)}  # fmt: skip
    generator = np.random.default_rng(head.face.strands + 1)
    return "".join(
        part(head, side, generator) for part in draw.get(head.face.beard, ()) for side in SIDES
    )


def _sideburns(head: Head, side: int, generator: np.random.Generator) -> str:
    heights, widths = (-16, 8, 27, 44), (10, 12, 16, 18)
    edge = [place[0] for place in outline(head)[3:7]]
    outer: Guide = [(side * x, y, -20) for x, y in zip(edge, heights, strict=True)]
    inner: Guide = [
        (side * (x - width), y - 2, -11) for x, y, width in zip(edge, heights, widths, strict=True)
    ]
    return _bristles(head, inner, outer, generator, count=60, length=4.5)


def _goatee(head: Head, side: int, generator: np.random.Generator) -> str:
    low, chin = head.face.mouth_height + 8.5, head.face.length
    middle = (low + chin) / 2
    inner: Guide = [(0, low, 3), (0, middle, 4), (0, chin + 8, 2)]
    outer: Guide = [(side * 8, low - 1, 2), (side * 17, middle, 0), (side * 11, chin + 5, 0)]
    return _bristles(head, inner, outer, generator, count=60, length=6)


def _circle(head: Head, side: int, generator: np.random.Generator) -> str:
    """Return the hair that joins goatee and moustache beside the mouth."""
    y, half = head.face.mouth_height, head.face.mouth_width
    inner: Guide = [
        (side * (half + 1), y - 5, 0), (side * (half + 1), y + 7, 0), (side * 7, y + 17, 1)
    ]  # fmt: skip
    outer: Guide = [
        (side * (half + 6), y - 2, -3), (side * (half + 6.5), y + 9, -3), (side * 13, y + 24, -2)
    ]  # fmt: skip
    return _bristles(head, inner, outer, generator, count=40, length=4.5)


def draw_mustache(head: Head) -> str:
    """Return the hair over the upper lip, which hangs a little over it."""
    face = head.face
    if face.beard not in ("mustache", "circle"):
        return ""
    generator = np.random.default_rng(face.strands + 2)
    top, lip, half = face.nose_length + 4, face.mouth_height, face.mouth_width
    droop = 5.0 if face.beard == "mustache" else 1.0
    markup = ""
    for side in SIDES:
        inner: Guide = [
            (0, top + 0.5, 8), (side * 7, top - 0.4, 7), (side * (half * 0.75), lip - 8, 3),
            (side * (half + 4), lip - 3.5 + droop * 0.6, -2),
        ]  # fmt: skip
        outer: Guide = [
            (0, lip - 2.0, 6), (side * 7, lip + 0.2, 5), (side * (half * 0.8), lip + 1.2, 2),
            (side * (half + 6.5), lip + droop, -2),
        ]  # fmt: skip
        markup += _bristles(head, inner, outer, generator, count=60, length=5)
    return markup


def _bristles(
    head: Head,
    inner: Guide,
    outer: Guide,
    generator: np.random.Generator,
    *,
    count: int,
    length: float,
) -> str:
    """Return a dense patch of short hair between two guides, growing along them."""
    colour = shade(brow_colour(head), 0.72)
    patch = head.curve([*inner, *reversed(outer)], closed=True)
    markup = filled(patch, colour, opacity=0.92) + line(patch, colour, 1.6, opacity=0.4)
    for factor, opacity in ((0.5, 0.6), (1.14, 0.5)):
        data = ""
        for _ in range(count):
            along, share, turn = (round(float(value), 4) for value in generator.random(3))
            first = _between(inner, outer, along * 0.92, share * 1.1 - 0.05)
            step = min(1.0, along * 0.92 + 0.08)
            second = _between(inner, outer, step, share * 1.16 - 0.08 + (turn - 0.5) * 0.1)
            run = max(1e-6, math.dist(first[:2], second[:2]))
            tip = [a + (b - a) * length / run for a, b in zip(first, second, strict=True)]
            data += head.curve([first, (round(tip[0], 3), round(tip[1], 3), first[2])])
        markup += line(data, shade(colour, factor), 0.7, opacity=opacity)
    return markup


def _stubble(head: Head, side: int, generator: np.random.Generator) -> str:
    face = head.face
    width, lip = face.width, face.mouth_height
    colour = mix(shade(face.hair_tone, 0.6), "#2a2a30", 0.5)
    outer: Guide = [(x * side, y, z) for x, y, z in outline(head)[4:]]
    inner: Guide = [
        (side * width * 0.88, 4, -14), (side * width * 0.82, 20, -12), (side * 25, 33, -6),
        (side * 13, lip - 10, 2), (side * 5, lip - 11, 5), (0, lip - 11, 6),
    ]  # fmt: skip
    edge = head.curve([*inner, *reversed(outer)], closed=True)
    data = ""
    for _ in range(260):
        along, share = (round(float(value), 4) for value in generator.random(2))
        x, y, z = _between(inner, outer, along, share)
        data += head.curve([(x, y, z), (x * 0.99, y + 1.5, z)])
    return (
        filled(edge, colour, opacity=0.3)
        + line(edge, colour, 4, opacity=0.12)
        + line(data, colour, 0.75, opacity=0.62)
    )


def _between(inner: Guide, outer: Guide, along: float, share: float) -> tuple[float, float, float]:
    """Return the place `along` (0 to 1) from root to tip, `share` of the way between the guides."""
    place = along * (len(inner) - 1)
    knot = min(int(place), len(inner) - 2)
    part = place - knot
    ends = []
    for guide in (inner, outer):
        one, two = guide[knot], guide[knot + 1]
        ends.append([a + (b - a) * part for a, b in zip(one, two, strict=True)])
    x, y, z = (a + (b - a) * share for a, b in zip(*ends, strict=True))
    return x, y, z
