"""Hair on the head: masses between two guide lines, filled with strands, and the fringe."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from bench_atelier.colours import shade
from bench_atelier.face_parts import SIDES
from bench_atelier.head import Head, Place, mix, smooth
from bench_atelier.outline import Point, filled, line, open_path

# hair grows between two of them, an inner one (towards the face) and an outer one, both from root
# to tip and with equally many places
Guide = Sequence[Place]


def draw_back_hair(head: Head) -> str:
    """Return the hair behind neck and shoulders; nothing of short hair."""
    face = head.face
    if face.hair_length == "short":
        return ""
    low = 62 if face.hair_length == "medium" else 112
    places: list[Place] = [
        (0, -66, -24), (34, -56, -28), (50, -24, -30), (54, 20, -32), (53, low - 12, -32),
        (40, low, -32), (0, low + 2, -32),
    ]  # fmt: skip
    return filled(head.both(places), shade(face.hair_tone, 0.5))


def draw_front_hair(head: Head) -> str:
    """Return the hair that frames the face, over ears and shoulders, and the fringe."""
    face = head.face
    generator = np.random.default_rng(face.strands)
    markup = ""
    for side in SIDES:
        markup += _mass(head, *_guides(head, side), generator)
    if face.hairline == "bald":
        return markup + head.soft((head.pose.light * 10, -50), 19, 9, "light", 0.9)
    for side in SIDES:
        height = -50 if face.hairline == "receding" else -56
        markup += head.soft((side * 24 + head.pose.light * 8, height, -14), 16, 7, "gloss", 0.3)
    if face.bangs:
        markup += _bangs(head, generator)
    return markup


def _sheen(head: Head) -> str:
    """Return the colour of strands that catch the light."""
    face = head.face
    towards = {"black": "#8c9ab8", "blond": "#fff3cf", "brown": "#d79a62", "gray": "#ffffff"}
    share = 0.3 if face.hair_colour in ("black", "brown") else 0.45
    return mix(face.hair_tone, towards.get(face.hair_colour, "#ffc79a"), share)


def _guides(head: Head, side: int) -> tuple[Guide, Guide]:
    """Return the inner and the outer guide of one side's hair."""
    face = head.face
    width, start = face.width, face.parting
    rise = -5.0 if face.hat != "none" else 3 + 6 * face.volume
    puff = 4.0 if face.hair_type == "wavy" else 0.0
    if face.hairline == "bald":
        return (
            [(side * (width - back), y, -18) for back, y in ((4, -24), (2, -10), (0, 2))],
            [(side * (width + out), y, -27) for out, y in ((1, -27), (4, -11), (3, 3))],
        )
    inner: list[tuple[float, float]] = [
        (start, -44), (side * 18, -43), (side * 31, -37), (side * (width - 5), -25),
        (side * (width - 3), -14), (side * (width - 3), -6), (side * (width - 1), 5),
    ]  # fmt: skip
    crown = -66 - rise - puff
    outer = [
        (start, crown),
        (side * 18, crown + 2),
        (side * (36 + puff), -57 - rise * 0.5),
        (side * (width + 2 + puff), -38),
        (side * (width + 4 + puff), -20),
        (side * (width + 3 + puff * 0.5), -8),
        (side * (width + 1), 5),
    ]
    if face.hairline == "receding":
        inner[:4] = [(0, -53), (side * 10, -53), (side * 25, -62), (side * (width - 4), -36)]
        outer[0] = (0, crown)
    if face.hair_length != "short":
        low = 54.0 if face.hair_length == "medium" else 110.0
        reach = width + 9 + puff * 1.5 + 5 * face.volume
        inner = [
            (start, -45), (side * 17, -42), (side * 31, -31), (side * (width - 3), -10),
            (side * (width - 1), 16), (side * (width - 3), low * 0.6),
            (side * (width - (7 if low > 60 else 1)), low),
        ]  # fmt: skip
        outer = [
            (start, crown - 1), (side * 19, crown + 1), (side * (37 + puff), crown + 13),
            (side * (reach - 3), -30), (side * reach, 10), (side * (reach + 3), low * 0.6),
            (side * (reach - (4 if low > 60 else 7)), low + 4),
        ]  # fmt: skip
    depths = (-10, -11, -14, -18, -19, -20, -20)
    return (
        [(x, y, z) for (x, y), z in zip(inner, depths, strict=True)],
        [(x, y, z - 6) for (x, y), z in zip(outer, depths, strict=True)],
    )


def _strand(head: Head, inner: Guide, outer: Guide, share: float, shift: float = 0) -> list[Point]:
    """Return the pixels of one strand, `share` of the way from the inner to the outer guide.

    Wavy hair leaves the line; `shift` moves the waves of one strand along it.
    """
    face = head.face
    wavy = face.hair_type == "wavy" and face.hairline != "bald"
    samples = 18 if wavy else 10
    middle = [
        [one + (two - one) * share for one, two in zip(first, second, strict=True)]
        for first, second in zip(inner, outer, strict=True)
    ]
    length = sum(math.dist(one[:2], two[:2]) for one, two in pairwise(middle))
    long = face.hair_length != "short"
    turns = length / (27 if long else 15) * math.tau
    height = 3.6 if long else 2.3
    points = []
    for index in range(samples + 1):
        along = index / samples
        place = along * (len(middle) - 1)
        knot = min(int(place), len(middle) - 2)
        part = place - knot
        one, two = middle[knot], middle[knot + 1]
        x, y, z = (a + (b - a) * part for a, b in zip(one, two, strict=True))
        if wavy:
            across = math.sin(along * turns + shift) * height * min(1.0, 0.35 + 2 * along)
            run = max(1e-6, math.dist(one[:2], two[:2]))
            x += across * (two[1] - one[1]) / run
            y -= across * (two[0] - one[0]) / run
        points.append(head.place((round(x, 3), round(y, 3), z)))
    return points


def _mass(head: Head, inner: Guide, outer: Guide, generator: np.random.Generator) -> str:
    """Return the hair between two guides: its ground, then dark, light and shining strands."""
    tone = head.face.hair_tone
    edge = [*_strand(head, inner, outer, 0), *_strand(head, inner, outer, 1)[::-1]]
    markup = filled(smooth(edge, closed=True), tone)
    locks = "".join(smooth(_strand(head, inner, outer, share)) for share in (0.05, 0.95, 1.02))
    markup += line(locks, tone, 3.0)
    # shadow lies close to the face
    shadow = "".join(smooth(_strand(head, inner, outer, share)) for share in (0.02, 0.09))
    markup += line(shadow, shade(tone, 0.5), 3.0, opacity=0.35)
    strokes = (
        (shade(tone, 0.5), 1.2, 0.55, 20),
        (shade(tone, 0.74), 2.0, 0.45, 10),
        (_sheen(head), 0.9, 0.55, 13),
    )
    for colour, thick, opacity, number in strokes:
        data = ""
        for _ in range(number):
            share, shift = (round(float(value), 4) for value in generator.random(2))
            first, *others = _strand(head, inner, outer, share * 1.12 - 0.06, shift * 0.9)
            # straight pieces, which the rasteriser draws faster than curves, are short enough
            data += open_path(first, [(point,) for point in others])
        markup += line(data, colour, thick, opacity=opacity)
    return markup


def _bangs(head: Head, generator: np.random.Generator) -> str:
    face = head.face
    reach, low = face.width - 3, -face.brow_height - 3.5
    root = -60 if face.hat == "none" else -48

    def fall(share: float, drop: float) -> list[Place]:
        """Return a strand by its place from left (-1) to right (1)."""
        bend = 2.5 if face.hair_type == "wavy" else 0
        x = share * reach
        return [
            (x * 0.45 + face.parting * 0.4, root, -12),
            (x * 0.78 + bend, (root + low) / 2 - 5 + abs(share) * 3, -3 - 11 * share * share),
            (x * 0.95 - bend, low - 8 + abs(share) * 5, -2 - 16 * share * share),
            (x + bend * 1.5, low + drop + abs(share) * 6, -2 - 18 * share * share),
        ]

    tips = [fall(index / 8 - 1, (index % 2) * 2.6)[3] for index in range(1, 16)]
    tone = face.hair_tone
    markup = filled(head.curve([*fall(-1, 0), *tips, *reversed(fall(1, 0))], closed=True), tone)
    for colour, opacity, number in ((shade(tone, 0.55), 0.5, 26), (_sheen(head), 0.55, 16)):
        data = ""
        for _ in range(number):
            share, drop = (round(float(value), 4) for value in generator.random(2))
            data += head.curve(fall(share * 2 - 1, drop * 4 - 1))
        markup += line(data, colour, 1.1, opacity=opacity)
    return markup
