"""People: bodies, hair, faces, arms and feet, as markup in units of half a centimetre.

The shoulders of a body are at y = 0, its feet at `FLOOR`, its axis is x = 0. What a person wears
lies between what `draw_behind` and `draw_front` return: see `worn`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from bench_atelier.colours import sample_shade, shade
from bench_atelier.outline import (
    Point,
    Segment,
    both_sides,
    closed_path,
    disc,
    filled,
    line,
    open_path,
    symmetric_path,
)

FLOOR, WAIST, CHIN, CROWN = 285.0, 84.0, -22.0, -68.0

_SKINS = ("#f0cfb4", "#e3b48f", "#d19a70", "#a9714b", "#7c4c31", "#54331f")
_HAIRS = ("#1d1715", "#3a261b", "#5b3a22", "#8a5a30", "#c79a5a", "#d9bd85", "#8e3f22", "#9b9895")
_SHOES = ("black", "white", "brown", "navy", "grey", "beige", "red")
# where the free forearms may go; "down" follows the upper arm
GESTURES = ("down", "hip", "phone", "crossed")


@dataclass(frozen=True)
class Person:
    """How a person looks; colours are '#rrggbb'."""

    skin: str
    hair: str
    hairstyle: str  # short, long, bun, bald
    shoes: str


@dataclass(frozen=True)
class Stance:
    """How a person stands.

    `arms` are the angles of the left and the right arm from the horizontal as seen, in degrees,
    `gestures` what their forearms do (one of `GESTURES`), `facing` is front or back.
    """

    arms: tuple[float, float] = (76, 76)
    gestures: tuple[str, str] = ("down", "down")
    facing: str = "front"


@dataclass(frozen=True)
class Build:
    """The measures of a body that follow its clothes: half widths, and where an arm begins.

    Of arms in long sleeves only the lower ends are drawn; their wrists are `cuff` along the arm.
    """

    shoulder: float = 43
    hip: float = 40
    arm: Point = (39, 20)
    cuff: float = 0


def sample_person(generator: np.random.Generator) -> Person:
    """Return a person with random colours and hair."""
    styles = ("short", "short", "long", "long", "bun", "bald")
    return Person(
        skin=sample_shade(generator, _SKINS[int(generator.integers(len(_SKINS)))]),
        hair=sample_shade(generator, _HAIRS[int(generator.integers(len(_HAIRS)))]),
        hairstyle=styles[int(generator.integers(len(styles)))],
        shoes=sample_shade(generator, _SHOES[int(generator.integers(len(_SHOES)))]),
    )


def draw_behind(person: Person, build: Build, stance: Stance) -> str:
    """Return what the clothes cover: hair that falls behind, legs, torso, neck, arms."""
    markup = ""
    if person.hairstyle == "long" and stance.facing == "front":
        fall = symmetric_path((0, -66), [((24, -66), (22, -36)), ((24, 0), (15, 22)), ((0, 24),)])
        markup += filled(fall, shade(person.hair, 0.75))
    markup += both_sides(_leg(person, build)) + _torso(person, build)
    for side, angle, gesture in zip((-1, 1), stance.arms, stance.gestures, strict=True):
        if build.cuff:
            forearm = reach(build.arm, angle, 70), reach(build.arm, angle, build.cuff)
            drawn = _hand(person, *forearm) + _limb(forearm, 12, person.skin)
        else:
            drawn = _arm(person, build, angle, lifted=gesture != "down")
        markup += drawn if side > 0 else f'<g transform="scale(-1 1)">{drawn}</g>'
    return markup


def draw_front(person: Person, build: Build, stance: Stance) -> str:
    """Return what covers the clothes: the head, and the forearms that are lifted."""
    markup = ""
    for side, angle, gesture in zip((-1, 1), stance.arms, stance.gestures, strict=True):
        if gesture == "down":
            continue
        elbow = reach(build.arm, angle, 58)
        hands = {
            "hip": (build.hip * 0.72, 92.0),
            "phone": (build.arm[0] * 0.5, 8.0),
            "crossed": (-build.shoulder * 0.5, 62.0),
        }
        drawn = _forearm(person, elbow, hands[gesture])
        if gesture == "phone":
            drawn += _phone(hands[gesture])
        markup += drawn if side > 0 else f'<g transform="scale(-1 1)">{drawn}</g>'
    return markup


def reach(start: Point, angle: float, distance: float) -> Point:
    """Return the point at some distance from the start, at an angle from the horizontal."""
    radians = math.radians(angle)
    return (
        round(start[0] + math.cos(radians) * distance, 2),
        round(start[1] + math.sin(radians) * distance, 2),
    )


def _limb(points: tuple[Point, Point], width: float, skin: str) -> str:
    data = open_path(points[0], [(points[1],)])
    return line(data, shade(skin, 0.8), width) + line(data, skin, width - 2)


def _arm(person: Person, build: Build, angle: float, *, lifted: bool) -> str:
    """Return an arm that hangs, or the upper arm of a lifted one."""
    shoulder, elbow = (build.shoulder - 10, 17.0), reach(build.arm, angle, 58)
    upper, edge = open_path(shoulder, [(elbow,)]), shade(person.skin, 0.84)
    if lifted:
        return line(upper, edge, 19) + line(upper, person.skin, 17.4)
    wrist = reach(build.arm, angle, 108)
    lower = open_path(elbow, [(wrist,)])
    markup = _hand(person, elbow, wrist) + line(upper, edge, 18) + line(lower, edge, 15)
    return markup + line(upper, person.skin, 16.4) + line(lower, person.skin, 13.4)


def _forearm(person: Person, elbow: Point, wrist: Point) -> str:
    return _hand(person, elbow, wrist) + _limb((elbow, wrist), 15, person.skin)


def _hand(person: Person, elbow: Point, wrist: Point) -> str:
    """Return the hand of an arm that points from the elbow to the wrist, the thumb inwards."""
    away = math.dist(elbow, wrist)
    along = ((wrist[0] - elbow[0]) / away, (wrist[1] - elbow[1]) / away)

    def place(forth: float, inwards: float) -> Point:
        return (
            wrist[0] + along[0] * forth - along[1] * inwards,
            wrist[1] + along[1] * forth + along[0] * inwards,
        )

    palm = closed_path(
        place(-6, -5.5),
        [
            (place(6, -8), place(14, -6)),
            (place(22, -5), place(24, 0)),
            (place(20, 4), place(13, 5)),
            (place(4, 6), place(-6, 5.5)),
        ],
    )
    edge = shade(person.skin, 0.84)
    thumb = open_path(place(2, 4), [(place(9, 9), place(14, 8))])
    markup = line(thumb, edge, 5.4) + line(thumb, person.skin, 4.2)
    fingers = open_path(place(14, -2), [(place(22, -1),)]) + open_path(
        place(14, 2), [(place(21, 2),)]
    )
    markup += filled(palm, person.skin) + line(palm, edge, 0.9)
    return markup + line(fingers, edge, 0.9)


def draw_fist(person: Person, place: Point) -> str:
    """Return the fingers of a hand that closes round what it carries."""
    x, y = place
    edge, markup = shade(person.skin, 0.8), ""
    for step in range(4):
        finger = f"M{x - 5.4 + step * 3.6:.1f} {y - 4:.1f}v7"
        markup += line(finger, edge, 4.6) + line(finger, person.skin, 3.8)
    return markup


def _phone(hand: Point) -> str:
    x, y = hand[0] - 11, hand[1] - 24
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="19" height="36" rx="3" fill="#17181b" '
        'stroke="#55575c" stroke-width="1"/>' + disc((x + 5, y + 6), 2.2, "#4a5568")
    )


def _torso(person: Person, build: Build) -> str:
    shoulder, hip = build.shoulder, build.hip
    sides: list[Segment] = [
        ((9, -8),),
        ((11, 3), (shoulder - 8, 7)),
        ((shoulder, 10), (shoulder, 22)),
        ((shoulder - 6, 34), (shoulder - 7, 48)),
        ((hip * 0.78, 74), (hip * 0.8, WAIST)),
        ((hip, 104), (hip, 122)),
        ((hip * 0.8, 142), (0, 144)),
    ]
    data = symmetric_path((0, -30), [((9, -30),), *sides])
    bones = "M-6 12Q-22 8 -32 13M6 12Q22 8 32 13"
    markup = filled(data, person.skin) + line(data, shade(person.skin, 0.8), 1)
    return markup + line(bones, shade(person.skin, 0.82), 1.3)


def _leg(person: Person, build: Build) -> str:
    hip = build.hip
    data = closed_path(
        (1, 130),
        [
            ((hip, 116),),
            ((hip + 1, 160), (hip * 0.66, 205)),
            ((hip * 0.7, 240), (hip * 0.48, FLOOR - 12)),
            ((hip * 0.26, FLOOR - 12),),
            ((hip * 0.16, 236), (hip * 0.24, 205)),
            ((hip * 0.12, 170), (1, 142)),
        ],
    )
    x = hip * 0.4
    shoe = f"M{x - 9:.1f} {FLOOR - 16:.1f}h14q9 12 9 17q0 7 -12 7h-5q-10 0 -10 -8q0 -6 4 -16Z"
    knee = f"M{hip * 0.32:.1f} 208q6 4 12 -1"
    markup = filled(data, person.skin) + line(data, shade(person.skin, 0.8), 1)
    markup += line(knee, shade(person.skin, 0.8), 1.4)
    markup += filled(shoe, person.shoes) + line(shoe, shade(person.shoes, 0.5), 1)
    sole = f"M{x - 10:.1f} {FLOOR + 4:.1f}q12 8 24 0"
    return markup + line(sole, "#d9d6cf", 2.4)


def draw_head(person: Person, *, facing: str, hairline: float = -56) -> str:
    """Return the head with face and hair, `facing` front, back or side (to the right).

    Hair ends at the `hairline` at the top when a hat covers it.
    """
    if facing == "side":
        return _profile(person)
    skin, dark = person.skin, shade(person.skin, 0.72)
    outline = symmetric_path(
        (0, CHIN), [((10, CHIN), (14, -32)), ((17.5, -42), (17, -52)), ((15, -66), (0, -66))]
    )
    ears = both_sides(disc((17, -43), 3.6, shade(skin, 0.9)))
    if facing == "back":
        if person.hairstyle == "bald":
            return ears + filled(outline, skin)
        low = {"long": 26, "bun": -22, "short": -20}[person.hairstyle]
        fall = symmetric_path(
            (0, CROWN - 2), [((20, CROWN - 2), (20, -44)), ((21, low - 12), (14, low)), ((0, low),)]
        )
        bun = disc((0, -64), 10, shade(person.hair, 1.15)) if person.hairstyle == "bun" else ""
        strands = "M-8 -62Q-12 -40 -8 -26M8 -62Q12 -40 8 -26M0 -64V-28"
        waves = line(strands, shade(person.hair, 1.2), 1.2, opacity=0.6)
        return ears + filled(outline, skin) + filled(fall, person.hair) + waves + bun
    markup = ears + filled(outline, skin)
    shadow = closed_path((-13, -33), [((0, -14), (13, -33)), ((0, -26), (-13, -33))])
    markup += filled(shadow, dark, opacity=0.25)
    eyes = both_sides(
        filled("M4 -44q3.4 -3 7 0q-3.4 2.4 -7 0Z", "#f6f3ee")
        + disc((7.5, -44), 1.7, "#2d2320")
        + line("M3.6 -44.4q3.6 -3 7.6 0", shade(dark, 0.5), 0.9)
        + line("M3.4 -48.4q4 -2.4 8 -0.2", shade(person.hair, 0.8), 1.6)
    )
    nose = line("M0.5 -43L2.4 -36.4Q0 -35 -2 -36.2", dark, 1.1)
    mouth = filled("M-5.4 -29.8Q0 -32 5.4 -29.8Q0 -25.8 -5.4 -29.8Z", "#a9524b", opacity=0.9)
    return markup + eyes + nose + mouth + _hair(person, hairline)


def _hair(person: Person, hairline: float) -> str:
    if person.hairstyle == "bald":
        return ""
    low = {"long": -26, "bun": -46, "short": -42}[person.hairstyle]
    cap = closed_path(
        (-18.5, low),
        [
            ((-23, CROWN - 3), (0, CROWN - 3)),
            ((23, CROWN - 3), (18.5, low)),
            ((16, -50), (13, hairline)),
            ((2, hairline + 1), (-6, hairline - 4)),
            ((-14, -52), (-18.5, low)),
        ],
    )
    shine = line("M-10 -63Q0 -69 10 -63", shade(person.hair, 1.3), 2, opacity=0.5)
    markup = filled(cap, person.hair) + shine
    if person.hairstyle == "bun":
        markup = disc((0, CROWN - 7), 9, shade(person.hair, 0.85)) + markup
    return markup


def _profile(person: Person) -> str:
    """Return a head from the side, the face to the right."""
    face = (
        "M-6 -66C-24 -66 -24 -40 -14 -34L-12 -14H6L6 -22Q14 -21 15 -27L16 -31L18 -34L16.5 -36"
        "L21 -39L17 -46Q18 -54 15 -60Q8 -67 -6 -66Z"
    )
    markup = filled(face, person.skin) + line(face, shade(person.skin, 0.8), 0.8)
    markup += filled("M11 -46q3 -2.4 5 0q-2.4 2 -5 0Z", "#2d2320")
    markup += line("M10 -50q4 -2 6.4 0", shade(person.hair, 0.8), 1.5)
    markup += line("M12 -30.4h5", "#a9524b", 1.6)
    if person.hairstyle != "bald":
        low = {"long": 6, "bun": -34, "short": -32}[person.hairstyle]
        hair = f"M12 -62Q0 -74 -16 -66Q-30 -54 -22 {low}H-10Q-4 -36 -4 -46Q6 -48 12 -62Z"
        markup += filled(hair, person.hair)
    return markup + disc((-3, -41), 3.4, shade(person.skin, 0.88))


def draw_long_strands(person: Person) -> str:
    """Return hair that falls over the chest on both sides."""
    strand = "M15 -50Q24 -20 20 20Q22 44 15 58Q8 40 10 10Q12 -20 15 -50Z"
    waves = "M17 -30Q18 10 15 48"
    drawn = filled(strand, person.hair) + line(waves, shade(person.hair, 1.25), 1, opacity=0.7)
    return both_sides(drawn)
