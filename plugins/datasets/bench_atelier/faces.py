"""Faces as frozen trait values, and their sampling: persons, and photographs of one person."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from bench_atelier.colours import format_colour, parse_colour, sample_shade
from bench_atelier.stock import Weights, choose

# from the palest to the darkest
SKIN_TONES = ("#f3d9c8", "#ecc6a8", "#dfb08a", "#c99468", "#a97348", "#7f5233", "#5f3b27")
PALE = SKIN_TONES[0]
HAIR_TONES: Mapping[str, tuple[str, ...]] = {
    "black": ("#17141a", "#1f1a1b", "#131722"),
    "blond": ("#dcb873", "#e8cf96", "#c99f55"),
    "brown": ("#5a3722", "#6d452b", "#4b2d1c"),
    "gray": ("#a9abb0", "#c9cacd", "#8d9096"),
    "other": ("#b4481c", "#c25a26", "#9c2f1d", "#cf6a9c"),
}
EYE_TONES = ("#4a2f1d", "#5f4023", "#2f211b", "#4d7a99", "#5f8a62", "#7d8a94")
GLASSES = ("none", "rectangular", "round", "browline", "sunglasses")
HATS = ("none", "cap", "beanie", "fedora", "sun-hat")
BEARDS = ("none", "stubble", "sideburns", "mustache", "goatee", "circle")


@dataclass(frozen=True)
class Face:
    """What a face looks like in one photograph.

    Lengths are in units of which the pupils are 39 apart, measured from the middle between them:
    `width` is half that of the cheekbones, `length` reaches down to the chin, `nose_length` to the
    base of the nose, `mouth_height` to the line between the lips, `brow_height` up to the brows.
    """

    gender: str  # female, male
    age: str  # young, old
    skin: str
    face_shape: str  # oval, round, square
    chubby: bool
    double_chin: bool
    high_cheekbones: bool
    rosy_cheeks: bool
    hair_colour: str  # a key of HAIR_TONES; "other" for red and dyed hair, and where there is none
    hair_tone: str
    hair_type: str  # straight, wavy
    hair_length: str  # short, medium, long
    hairline: str  # full, receding, bald
    bangs: bool
    parting: float
    volume: float
    strands: int  # the seed of their places
    beard: str  # one of BEARDS; a circle beard is a goatee that meets a moustache
    arched_brows: bool
    bushy_brows: bool
    eye_colour: str
    narrow_eyes: bool
    eye_bags: bool
    nose: str  # plain, big, pointy
    big_lips: bool
    makeup: str  # none, lipstick, heavy
    smiling: bool
    mouth_open: bool
    glasses: str  # one of GLASSES
    frame_colour: str
    hat: str  # one of HATS
    accent_colour: str  # of hat and necktie
    earrings: str  # none, studs, hoops, drops
    necklace: bool
    clothing: str  # crew, v-neck, shirt, suit
    clothing_colour: str
    necktie: bool  # over a shirt or within a suit
    width: float
    length: float
    jaw: float  # its share of the width
    eye_size: float
    eye_slant: float
    brow_height: float
    nose_length: float
    nose_width: float
    mouth_width: float
    mouth_height: float


def sample_identity(generator: np.random.Generator) -> Face:
    """Return a person as on an ordinary day: bareheaded, with a straight face."""
    male = bool(generator.random() < 0.5)
    old = bool(generator.random() < 0.22)
    skin = choose(generator, dict(zip(SKIN_TONES, (3, 5, 4, 2.5, 2, 1.5, 1), strict=True)))
    hairline = choose(generator, _hairlines(male=male, old=old))
    colours: Weights = {"black": 3, "brown": 3, "blond": 2.2, "gray": 0.35, "other": 1}
    if old:
        colours = {"black": 1.2, "brown": 1.5, "blond": 1, "gray": 3.5, "other": 0.4}
    if skin in SKIN_TONES[4:]:
        colours = {**colours, "black": 6, "blond": 0.7, "other": 0.4}
    hair_colour = "other" if hairline == "bald" else choose(generator, colours)
    natural = "brown" if hairline == "bald" else hair_colour
    hair_type = choose(generator, {"straight": 1, "wavy": 1.1})
    lengths: Weights = {"short": 9, "medium": 1} if male else {"short": 1, "medium": 4, "long": 7}
    hair_length = "short" if hairline != "full" else choose(generator, lengths)
    beards: Weights = dict(zip(BEARDS, (6, 2.2, 0.8, 1.9, 0.9, 1.2), strict=True))
    heavy = not male and generator.random() < 0.35
    lipstick = not male and generator.random() < 0.4
    return Face(
        gender="male" if male else "female",
        age="old" if old else "young",
        skin=_near(generator, skin, 7),
        face_shape=choose(generator, {"oval": 4, "round": 2, "square": 3 if male else 1}),
        chubby=bool(generator.random() < 0.12),
        double_chin=bool(generator.random() < (0.25 if old else 0.06)),
        high_cheekbones=bool(generator.random() < 0.4),
        rosy_cheeks=bool(not male and generator.random() < 0.2),
        hair_colour=hair_colour,
        hair_tone=_near(generator, _one_of(generator, HAIR_TONES[natural]), 7),
        hair_type=hair_type,
        hair_length=hair_length,
        hairline=hairline,
        bangs=bool(hairline == "full" and generator.random() < (0.12 if male else 0.25)),
        parting=_between(generator, -18, 18),
        volume=_between(generator, 0, 1),
        strands=int(generator.integers(2**31)),
        beard=choose(generator, beards) if male else "none",
        arched_brows=bool(generator.random() < (0.1 if male else 0.5)),
        bushy_brows=bool(generator.random() < (0.3 if male else 0.04)),
        eye_colour=_one_of(generator, EYE_TONES[: 6 if skin in SKIN_TONES[:3] else 3]),
        narrow_eyes=bool(generator.random() < 0.15),
        eye_bags=bool(generator.random() < (0.7 if old else 0.1)),
        nose=choose(generator, {"plain": 4, "big": 2 if male else 0.7, "pointy": 1.5}),
        big_lips=bool(generator.random() < (0.15 if male else 0.35)),
        makeup="heavy" if heavy else "lipstick" if lipstick else "none",
        smiling=False,
        mouth_open=False,
        glasses=choose(generator, {"none": 8, "rectangular": 1, "round": 0.8, "browline": 0.8}),
        frame_colour=_one_of(generator, ("#1b1a1d", "#1f2430", "#4a2c1b", "#7a1f26", "#2b3d33")),
        hat="none",
        accent_colour=sample_shade(generator, "navy"),
        earrings="none",
        necklace=False,
        clothing="crew",
        clothing_colour=sample_shade(generator, "navy"),
        necktie=False,
        width=_between(generator, 40.5, 45.5),
        length=_between(generator, 67, 76),
        jaw=_between(generator, 0.72, 0.82),
        eye_size=_between(generator, 0.9, 1.14),
        eye_slant=_between(generator, -0.8, 2.2),
        brow_height=_between(generator, 12.5, 16.5),
        nose_length=_between(generator, 25, 31),
        nose_width=_between(generator, 8.5, 11.5),
        mouth_width=_between(generator, 13.5, 17.5),
        mouth_height=_between(generator, 40, 45),
    )


def vary_face(face: Face, generator: np.random.Generator) -> Face:
    """Return the same person on another day.

    Proportions, hair and beard stay; the expression, what is worn, and the place of each strand of
    hair change. Who wears glasses leaves them off now and then.
    """
    female = face.gender == "female"
    smiling = bool(generator.random() < 0.5)
    glasses = face.glasses if generator.random() < 0.85 else "none"
    if face.glasses == "none" and generator.random() < 0.06:
        glasses = "sunglasses"
    hats: Weights = dict(
        zip(HATS, (22, 1, 1, 0.9, 1.5) if female else (22, 1.8, 1.3, 1.3, 0), strict=True)
    )
    clothes: Weights = {"crew": 2, "v-neck": 4, "shirt": 1, "suit": 0.8}
    if not female:
        clothes = {"crew": 3, "v-neck": 0.7, "shirt": 2, "suit": 3}
    clothing = choose(generator, clothes)
    tied = {"suit": 0.7, "shirt": 0.25}.get(clothing, 0) * (0.1 if female else 1)
    earrings: Weights = {"none": 6, "studs": 1, "hoops": 1.5, "drops": 1.5}
    colours = ("black", "charcoal", "navy", "white", "red", "burgundy", "teal", "sky", "pink",
               "olive", "purple", "grey", "green", "mustard")  # fmt: skip
    return replace(
        face,
        smiling=smiling,
        mouth_open=bool(generator.random() < (0.7 if smiling else 0.2)),
        glasses=glasses,
        hat=choose(generator, hats),
        accent_colour=sample_shade(generator, _one_of(generator, colours)),
        earrings=choose(generator, earrings) if female else "none",
        necklace=bool(female and clothing in ("crew", "v-neck") and generator.random() < 0.3),
        clothing=clothing,
        clothing_colour=sample_shade(generator, _one_of(generator, colours)),
        necktie=bool(generator.random() < tied),
        strands=int(generator.integers(2**31)),
    )


def _hairlines(*, male: bool, old: bool) -> Weights:
    if not male:
        return {"full": 1}
    if old:
        return {"full": 6, "receding": 3, "bald": 1.5}
    return {"full": 14, "receding": 1.5, "bald": 0.5}


def _one_of(generator: np.random.Generator, names: tuple[str, ...]) -> str:
    return names[int(generator.integers(len(names)))]


def _between(generator: np.random.Generator, low: float, high: float) -> float:
    return round(float(generator.uniform(low, high)), 2)


def _near(generator: np.random.Generator, colour: str, reach: int) -> str:
    """Return a colour that is the given one but for a few levels, mostly of brightness."""
    brightness = int(generator.integers(-reach, reach + 1))
    moved = generator.integers(-3, 4, size=3) + brightness
    return format_colour(
        *(int(a) + int(b) for a, b in zip(parse_colour(colour), moved, strict=True))
    )
