"""What is worn before the eyes and on the head: glasses, sunglasses, caps and hats."""

from __future__ import annotations

from collections.abc import Mapping

from bench_atelier.colours import luminance, shade
from bench_atelier.face_parts import SIDES
from bench_atelier.head import PUPIL, Head, Place, across, mirror, mix
from bench_atelier.outline import disc, filled, line

# half width and half height of a lens, thickness of the frame
_FRAMES: Mapping[str, tuple[float, float, float]] = {
    "rectangular": (15.5, 9.5, 2.4),
    "round": (14, 13, 1.9),
    "browline": (15, 11, 1.5),
    "sunglasses": (16.5, 12.5, 2.2),
}


def draw_glasses(head: Head) -> str:
    """Return spectacles or sunglasses before the eyes."""
    face = head.face
    kind = face.glasses
    if kind == "none":
        return ""
    dark = kind == "sunglasses"
    half, tall, thick = _FRAMES[kind]
    frame = face.frame_colour
    square = 0.72 if kind == "round" else 0.92
    markup = ""
    for side in SIDES:

        def at(x: float, y: float, side: int = side) -> Place:
            """Return a place before the eye, by its distance outwards and down."""
            return side * (PUPIL + 0.5 + x), 1.5 + y, 9 - 0.012 * (PUPIL + x) ** 2

        low = 1.12 if dark or kind == "browline" else 1.0
        lens = [
            at(0, -tall),
            at(half * square, -tall * square),
            at(half, -tall * 0.1),
            at(half * square * 0.9, tall * square),
            at(0, tall * low),
            at(-half * square * 0.9, tall * square * 0.95),
            at(-half, -tall * 0.15),
            at(-half * square, -tall * square),
        ]
        data = head.curve(lens, closed=True)
        glass = (mix("#121216", frame, 0.2), 0.93) if dark else ("#dfeaf2", 0.16)
        markup += filled(data, glass[0], opacity=glass[1]) + line(data, frame, thick)
        if kind == "browline":
            markup += line(head.curve([lens[6], lens[7], lens[0], lens[1], lens[2]]), frame, 4.2)
        arm: list[Place] = [at(half, -tall * 0.4), (side * (face.width + 2), -4, -24)]
        markup += line(head.curve(arm), frame, thick)
        glint = head.curve([at(-half * 0.45, -tall * 0.55), at(-half * 0.05, -tall * 0.75)])
        streak = head.curve([at(-half * 0.5, tall * 0.2), at(half * 0.3, -tall * 0.6)])
        markup += line(glint, "#ffffff", 1.4, opacity=0.5)
        markup += line(streak, "#ffffff", 3.2, opacity=0.12)
        if not dark:
            below = head.curve([at(-half * 0.9, tall + 1.5), at(half * 0.5, tall + 2)])
            markup += line(below, head.shadow, 1.6, opacity=0.35)
    bridge = across([(0, -4, 12), (PUPIL - half + 0.5, -1.5, 9)])
    return markup + line(head.curve(bridge), frame, thick + 0.3)


def draw_hat(head: Head) -> str:
    """Return the hat, with its shadow on the brow."""
    if head.face.hat == "none":
        return ""
    shadow = head.soft((0, -28, 0), head.face.width, 12, "dark", 0.55)
    hats = {"cap": _cap, "beanie": _beanie, "fedora": _fedora, "sun-hat": _sun_hat}
    return shadow + hats[head.face.hat](head)


def _cap(head: Head) -> str:
    colour, width = head.face.accent_colour, head.face.width + 7
    dark = shade(colour, 0.55)
    crown: list[Place] = [
        (0, -90, -18),
        (26, -86, -18),
        (width - 6, -66, -20),
        (width, -30, -22),
        (30, -34, 0),
        (0, -37, 8),
    ]
    markup = filled(head.both(crown), colour)
    markup += head.soft((head.pose.light * 14, -68, -6), 26, 16, "gloss", 0.12)
    for side in SIDES:
        seam: list[Place] = [(0, -89, -16), (side * 16, -70, -4), (side * 19, -38, 6)]
        markup += line(head.curve(seam), dark, 1.2, opacity=0.7)
        rim: list[Place] = [
            (side * 20, -86, -18),
            (side * (width - 8), -64, -20),
            (side * width, -32, -22),
        ]
        markup += line(head.curve(rim), dark, 5, opacity=0.25)
    bill: list[Place] = [
        (0, -43, 8),
        (24, -42, 4),
        (37, -34, -2),
        (34, -25, 24),
        (18, -22, 40),
        (0, -21, 44),
    ]
    markup += filled(head.both(bill), shade(colour, 0.78))
    joint = across([(0, -45, 8), (18, -44, 6), (37, -34, -2)])
    markup += line(head.curve(joint), dark, 1.4)
    for drop in (0, 4):
        arc = across([(0, -25 - drop, 40), (29 - drop, -29 - drop, 24)])
        markup += line(head.curve(arc), dark, 0.8, opacity=0.6)
    return markup + disc(head.place((0, -89, -18)), 2.6, dark)


def _beanie(head: Head) -> str:
    colour, width = head.face.accent_colour, head.face.width + 7
    dark = shade(colour, 0.6) if luminance(colour) > 0.2 else shade(colour, 1.3)
    dome: list[Place] = [
        (0, -92, -18),
        (24, -87, -20),
        (width - 5, -66, -22),
        (width, -40, -22),
        (0, -48, 4),
    ]
    markup = filled(head.both(dome), colour)
    knit = ""
    for index in range(-6, 7):
        x = index * (width / 6.6)
        knit += head.curve(
            [
                (x * 0.3, -90 + abs(index), -18),
                (x * 0.86, -68, -8 - abs(index) * 2),
                (x, -45, -abs(index) * 3),
            ]
        )
    markup += line(knit, dark, 1.5, opacity=0.5)
    cuff: list[Place] = [
        (0, -54, 6),
        (28, -52, -2),
        (width + 1, -46, -22),
        (width + 1, -25, -22),
        (28, -31, 0),
        (0, -33, 8),
    ]
    markup += filled(head.both(cuff), shade(colour, 1.1))
    ribs = ""
    for index in range(-14, 15):
        x = index * (width / 14.4)
        bend = (x / width) ** 2
        ribs += head.curve([(x, -53 + 7 * bend, 6 - 28 * bend), (x, -34 + 8 * bend, 8 - 30 * bend)])
    markup += line(ribs, dark, 1.3, opacity=0.6)
    edge = across([(0, -54, 6), (28, -52, -2), (width + 1, -46, -22)])
    return markup + line(head.curve(edge), shade(colour, 0.5), 1.6, opacity=0.7)


def _brimmed(head: Head, *, brim: float, crown: list[Place], band: str) -> str:
    colour, width = head.face.accent_colour, head.face.width
    dark = shade(colour, 0.55)
    under: list[Place] = [
        (0, -46, -30),
        (width * 0.8, -48, -24),
        (brim, -46, -14),
        (width * 0.85, -31, 14),
        (0, -26, 26),
    ]
    markup = filled(head.both(crown), colour)
    for rim in (crown[1:4], [mirror(place) for place in crown[1:4]]):
        markup += line(head.curve(rim), dark, 5, opacity=0.25)
    ribbon: list[Place] = [
        (0, -57, 8),
        (width * 0.6, -58, -4),
        (width + 3, -61, -20),
        (width + 4, -45, -20),
        (width * 0.6, -43, -2),
        (0, -40, 10),
    ]
    markup += filled(head.both(ribbon), band)
    markup += filled(head.both(under), shade(colour, 1.06))
    edge = across([(0, -26, 26), (width * 0.85, -31, 14), (brim, -46, -14)])
    markup += line(head.curve(edge), dark, 2.2, opacity=0.8)
    inner = across([(0, -39, 10), (width * 0.6, -42, -2), (width + 3, -45, -20)])
    return markup + line(head.curve(inner), dark, 1.6, opacity=0.6)


def _fedora(head: Head) -> str:
    width = head.face.width
    crown: list[Place] = [
        (0, -86, -6),
        (18, -92, -14),
        (width - 8, -84, -18),
        (width + 3, -46, -20),
        (0, -38, 10),
    ]
    pinch = across([(0, -72, 5), (3, -74, 4), (12, -88, -8)])
    markup = _brimmed(head, brim=68, crown=crown, band=shade(head.face.accent_colour, 0.38))
    return markup + line(head.curve(pinch), shade(head.face.accent_colour, 0.55), 2, opacity=0.6)


def _sun_hat(head: Head) -> str:
    width = head.face.width
    crown: list[Place] = [
        (0, -92, -18),
        (22, -90, -18),
        (width - 4, -74, -20),
        (width + 4, -46, -20),
        (0, -38, 10),
    ]
    markup = _brimmed(head, brim=86, crown=crown, band=shade(head.face.clothing_colour, 0.7))
    rings = [across([(0, -35 + i / 2.4, 16), (72 - i, -43 + i / 6, -6)]) for i in (0, 6, 12)]
    weave = "".join(head.curve(ring) for ring in rings)
    return markup + line(weave, shade(head.face.accent_colour, 0.6), 0.9, opacity=0.5)
