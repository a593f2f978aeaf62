"""Sampling of garments and poses: which cuts and details a category has, and how often."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from bench_atelier.colours import sample_contrasting, sample_shade, shade
from bench_atelier.garments import Bottom, Garment, Hat, Pose, Shoes, Top
from bench_atelier.stock import (
    COAT_PATTERNS,
    HAT_PATTERNS,
    KNIT_PATTERNS,
    PLAIN_OFTEN,
    SHIRT_PATTERNS,
    SHOE_PATTERNS,
    TEE_PATTERNS,
    TROUSER_PATTERNS,
    Weights,
    choose,
    sample_fabric,
)


def _between(generator: np.random.Generator, low: float, high: float) -> float:
    return round(float(generator.uniform(low, high)), 1)


def _t_shirt(generator: np.random.Generator, pattern: str | None) -> Top:
    fabric = sample_fabric(generator, TEE_PATTERNS, {"smooth": 6, "knit": 1}, pattern=pattern)
    polo = generator.random() < 0.12
    necklines = {"crew": 5, "v-neck": 2.5, "scoop": 2, "boat": 1}
    neckline = "crew" if polo else choose(generator, necklines)
    depths = {"crew": 12, "v-neck": 27, "scoop": 24, "boat": 8}
    chest = _between(generator, 44, 58)
    return Top(
        category="t-shirt",
        fabric=fabric,
        neckline=neckline,
        collar="shirt" if polo else "none",
        sleeve_length=choose(generator, {"short": 8, "cap": 2, "elbow": 1, "sleeveless": 0.8}),
        fastening="half-buttons" if polo else "none",
        pockets=choose(generator, {"none": 8, "chest": 1}),
        hem=choose(generator, {"straight": 8, "curved": 2}),
        chest=chest,
        shoulder=chest - _between(generator, 2, 6),
        neck_width=_between(generator, 18, 23) + (8 if neckline == "boat" else 0),
        neck_depth=depths[neckline] + _between(generator, -2, 5),
        sleeve_width=_between(generator, 27, 36),
        length=_between(generator, 122, 172),
        waist=0,
        waist_width=chest - _between(generator, -1, 6),
        flare=_between(generator, -3, 6),
    )


def _longsleeve(generator: np.random.Generator, pattern: str | None) -> Top:
    textures = {"smooth": 4, "knit": 3, "cable-knit": 1.3}
    fabric = sample_fabric(generator, KNIT_PATTERNS, textures, pattern=pattern)
    collar = choose(generator, {"none": 8, "turtleneck": 1.6})
    neckline = choose(generator, {"crew": 5, "v-neck": 2.5, "scoop": 1.5, "boat": 1})
    cardigan = collar == "none" and generator.random() < 0.16
    if cardigan:
        neckline = "v-neck"
    depths = {"crew": 12, "v-neck": 30, "scoop": 22, "boat": 8}
    chest = _between(generator, 44, 58)
    return Top(
        category="longsleeve",
        fabric=fabric,
        neckline="crew" if collar == "turtleneck" else neckline,
        collar=collar,
        sleeve_length="long",
        fastening="buttons" if cardigan else "none",
        pockets="none",
        hem=choose(generator, {"ribbed": 6, "straight": 4, "curved": 0.5}),
        chest=chest,
        shoulder=chest - _between(generator, 2, 7),
        neck_width=_between(generator, 17, 22) + (8 if neckline == "boat" else 0),
        neck_depth=depths[neckline] + _between(generator, -2, 5) + (16 if cardigan else 0),
        sleeve_width=_between(generator, 26, 34),
        length=_between(generator, 118, 168),
        waist=0,
        waist_width=chest - _between(generator, -1, 6),
        flare=_between(generator, -5, 4),
    )


def _shirt(generator: np.random.Generator, pattern: str | None) -> Top:
    textures = {"smooth": 8, "denim": 1, "corduroy": 0.4}
    fabric = sample_fabric(generator, SHIRT_PATTERNS, textures, pattern=pattern)
    chest = _between(generator, 44, 56)
    return Top(
        category="shirt",
        fabric=fabric,
        neckline="crew",
        collar=choose(generator, {"shirt": 9, "stand": 0.8}),
        sleeve_length=choose(generator, {"long": 6, "short": 4, "elbow": 1}),
        fastening="buttons",
        pockets=choose(generator, {"none": 5, "chest": 5}),
        hem=choose(generator, {"curved": 6, "straight": 4}),
        chest=chest,
        shoulder=chest - _between(generator, 2, 6),
        neck_width=_between(generator, 17, 21),
        neck_depth=_between(generator, 16, 22),
        sleeve_width=_between(generator, 28, 36),
        length=_between(generator, 132, 176),
        waist=0,
        waist_width=chest - _between(generator, 0, 8),
        flare=_between(generator, -2, 5),
    )


def _outwear(generator: np.random.Generator, pattern: str | None) -> Top:
    kind = choose(generator, {"puffer": 4, "coat": 3, "jacket": 4, "parka": 2})
    textures: dict[str, Weights] = {
        "puffer": {"quilted": 1},
        "coat": {"smooth": 3, "knit": 0.6},
        "jacket": {"leather": 2, "denim": 2, "smooth": 2, "corduroy": 1},
        "parka": {"smooth": 1},
    }
    collars: dict[str, Weights] = {
        "puffer": {"stand": 3, "hood": 2},
        "coat": {"lapel": 5, "stand": 1},
        "jacket": {"shirt": 3, "stand": 3, "lapel": 1},
        "parka": {"hood": 1},
    }
    fastenings: dict[str, Weights] = {
        "puffer": {"zip": 1},
        "coat": {"buttons": 2, "double-breasted": 3},
        "jacket": {"zip": 3, "buttons": 2},
        "parka": {"zip": 2, "buttons": 1},
    }
    fabric = sample_fabric(generator, COAT_PATTERNS, textures[kind], pattern=pattern)
    chest = _between(generator, 50, 60)
    long = kind in ("coat", "parka")
    vest = kind == "puffer" and generator.random() < 0.3
    return Top(
        category="outwear",
        fabric=fabric,
        neckline="v-neck",
        collar=choose(generator, collars[kind]),
        sleeve_length="sleeveless" if vest else "long",
        fastening=choose(generator, fastenings[kind]),
        pockets=choose(generator, {"welt": 5, "patch": 3}),
        hem=choose(generator, {"straight": 3, "ribbed": 0 if long else 2}),
        chest=chest,
        shoulder=chest - _between(generator, 2, 6) - (6 if vest else 0),
        neck_width=_between(generator, 18, 22),
        neck_depth=_between(generator, 18, 26) + (26 if kind == "coat" else 0),
        sleeve_width=_between(generator, 36, 42),
        length=_between(generator, 176, 236) if long else _between(generator, 128, 172),
        waist=0,
        waist_width=chest - _between(generator, 0, 7),
        flare=_between(generator, 0, 12) if long else _between(generator, -4, 3),
    )


def _dress(generator: np.random.Generator, pattern: str | None) -> Top:
    textures = {"smooth": 8, "knit": 1, "denim": 0.5, "corduroy": 0.3}
    patterns = {**PLAIN_OFTEN, "graphic": 0.2, "floral": 3, "polka-dots": 2}
    fabric = sample_fabric(generator, patterns, textures, pattern=pattern)
    shirt_dress = generator.random() < 0.13
    weights = {"crew": 3, "scoop": 3, "v-neck": 3, "boat": 1, "square": 1.5, "straps": 2.5}
    neckline = "crew" if shirt_dress else choose(generator, weights)
    sleeves = {"sleeveless": 5, "cap": 2, "short": 3, "elbow": 1.5, "long": 2}
    depths = {"crew": 13, "scoop": 26, "v-neck": 34, "boat": 9, "square": 27, "straps": 12}
    chest = _between(generator, 35, 45)
    shape = choose(generator, {"sheath": 3, "flared": 4, "a-line": 3})
    flares = {"sheath": (-2, 8), "flared": (26, 50), "a-line": (12, 28)}
    return Top(
        category="dress",
        fabric=fabric,
        neckline=neckline,
        collar="shirt" if shirt_dress else "none",
        sleeve_length="sleeveless" if neckline == "straps" else choose(generator, sleeves),
        fastening="buttons" if shirt_dress else "none",
        pockets="none",
        hem=choose(generator, {"straight": 4, "ruffle": 0 if shape == "sheath" else 1.4}),
        chest=chest,
        shoulder=chest - _between(generator, 2, 7),
        neck_width=_between(generator, 17, 22) + (6 if neckline == "boat" else 0),
        neck_depth=depths[neckline] + _between(generator, -2, 5),
        sleeve_width=_between(generator, 24, 31),
        length=_between(generator, 190, 262),
        waist=0 if shape == "sheath" else _between(generator, 70, 92),
        waist_width=chest - _between(generator, 3, 9),
        flare=_between(generator, *flares[shape]),
    )


def _pants(generator: np.random.Generator, pattern: str | None) -> Bottom:
    kind = choose(
        generator, {"jeans": 5, "chinos": 3, "joggers": 2.5, "wide-leg": 1.5, "leggings": 1.5}
    )
    textures: Weights = {"jeans": {"denim": 1}, "chinos": {"smooth": 3, "corduroy": 1}}.get(
        kind, {"smooth": 3, "knit": 1}
    )
    details: dict[str, Weights] = {
        "jeans": {"none": 4, "ripped": 1.5},
        "chinos": {"none": 2, "crease": 3, "cargo": 1.4},
        "joggers": {"none": 2, "side-stripe": 3, "cargo": 1},
        "wide-leg": {"none": 2, "crease": 1},
        "leggings": {"none": 2, "side-stripe": 1},
    }
    hems = {"jeans": (11, 17), "chinos": (12, 17), "joggers": (9, 12), "leggings": (7, 9)}
    hem_width = _between(generator, *hems.get(kind, (22, 36)))
    drawn = kind in ("joggers", "leggings")
    waist = _between(generator, 35, 43)
    return Bottom(
        category="pants",
        fabric=sample_fabric(generator, TROUSER_PATTERNS, textures, pattern=pattern),
        kind=kind,
        waist=waist,
        hip=waist + _between(generator, 4, 10),
        length=_between(generator, 222, 266),
        hem_width=hem_width,
        spread=max(hem_width + 3, _between(generator, 20, 42)),
        closure="drawstring" if drawn else "fly",
        detail=choose(generator, details[kind]),
    )


def _shorts(generator: np.random.Generator, pattern: str | None) -> Bottom:
    kind = choose(generator, {"jeans": 3, "chinos": 3, "wide-leg": 3})
    sporty = kind == "wide-leg"
    textures: Weights = {"denim": 1} if kind == "jeans" else {"smooth": 4, "corduroy": 0.4}
    patterns: Weights = {**PLAIN_OFTEN, "graphic": 1.5, "floral": 2} if sporty else TROUSER_PATTERNS
    details: Weights = {"none": 3, "side-stripe": 2} if sporty else {"none": 3, "cargo": 1.4}
    waist, hem_width = _between(generator, 44, 56), _between(generator, 26, 36)
    return Bottom(
        category="shorts",
        fabric=sample_fabric(generator, patterns, textures, pattern=pattern),
        kind=kind,
        waist=waist,
        hip=waist + _between(generator, 6, 14),
        length=_between(generator, 88, 150),
        hem_width=hem_width,
        spread=hem_width + _between(generator, 3, 13),
        closure="drawstring" if sporty else "fly",
        detail=choose(generator, details),
    )


def _skirt(generator: np.random.Generator, pattern: str | None) -> Bottom:
    kind = choose(generator, {"pencil": 3, "a-line": 3, "pleated": 2.5, "tiered": 1.5, "denim": 2})
    textures: Weights = (
        {"denim": 1} if kind == "denim" else {"smooth": 5, "knit": 1, "corduroy": 0.5}
    )
    waist = _between(generator, 36, 46)
    hip = waist + _between(generator, 8, 15)
    flares = {"pencil": (-8, 2), "a-line": (12, 38), "pleated": (14, 40), "tiered": (14, 36)}
    lengths = {"pencil": (112, 190), "a-line": (100, 230), "denim": (84, 120)}
    details: dict[str, Weights] = {
        "pencil": {"none": 3, "slit": 2},
        "a-line": {"none": 3, "button-front": 1.5},
        "denim": {"none": 2, "button-front": 0.8},
    }
    return Bottom(
        category="skirt",
        fabric=sample_fabric(generator, {**PLAIN_OFTEN, "graphic": 0.2}, textures, pattern=pattern),
        kind=kind,
        waist=waist,
        hip=hip,
        length=_between(generator, *lengths.get(kind, (96, 220))),
        hem_width=hip + _between(generator, *flares.get(kind, (2, 12))),
        spread=0,
        closure="fly" if kind == "denim" else "side-zip",
        detail=choose(generator, details.get(kind, {"none": 1})),
    )


def _shoes(generator: np.random.Generator, pattern: str | None) -> Shoes:
    kinds = {
        "sneaker": 4,
        "high-top": 1.5,
        "boot": 3,
        "pump": 2.5,
        "oxford": 2,
        "ballerina": 1.5,
        "flip-flop": 1,
        "sandal": 1.3,
    }
    fabric = sample_fabric(generator, SHOE_PATTERNS, {"leather": 3, "smooth": 1}, pattern=pattern)
    ground = fabric.pattern.ground
    kind = choose(generator, kinds)
    soles: tuple[str, ...] = ("white", "cream", "black", "beige", "brown")
    accent = sample_contrasting(generator, ground)
    if kind in ("oxford", "boot"):
        soles, accent = ("black", "brown", "beige"), shade(ground, 0.6)
    return Shoes(
        category="shoes",
        fabric=fabric,
        kind=kind,
        accent=accent,
        sole=sample_shade(generator, soles[int(generator.integers(len(soles)))]),
        shape=_between(generator, 0, 1),
    )


def _hat(generator: np.random.Generator, pattern: str | None) -> Hat:
    kind = choose(generator, {"cap": 4, "cap-side": 2, "beanie": 3, "brimmed": 2.5, "bucket": 2})
    textures: dict[str, Weights] = {
        "beanie": {"knit": 2, "cable-knit": 1.4},
        "brimmed": {"smooth": 1, "knit": 1},
    }
    fabric = sample_fabric(
        generator,
        HAT_PATTERNS,
        textures.get(kind, {"smooth": 5, "denim": 1, "corduroy": 0.7}),
        pattern=pattern,
    )
    ground = fabric.pattern.ground
    tone = shade(ground, 0.7) if generator.random() < 0.4 else sample_contrasting(generator, ground)
    return Hat(
        category="hat",
        fabric=fabric,
        kind=kind,
        accent=tone,
        shape=_between(generator, 0, 1),
        brim=_between(generator, 0, 1),
    )


_SAMPLERS: Mapping[str, Callable[[np.random.Generator, str | None], Garment]] = {
    "dress": _dress,
    "hat": _hat,
    "longsleeve": _longsleeve,
    "outwear": _outwear,
    "pants": _pants,
    "shirt": _shirt,
    "shoes": _shoes,
    "shorts": _shorts,
    "skirt": _skirt,
    "t-shirt": _t_shirt,
}
CATEGORIES = tuple(_SAMPLERS)


def sample_garment(
    generator: np.random.Generator, category: str, *, pattern: str | None = None
) -> Garment:
    """Return a garment of the category; its pattern is the named one, or drawn like the rest."""
    return _SAMPLERS[category](generator, pattern)


def sample_pose(generator: np.random.Generator, garment: Garment) -> Pose:
    """Return how the garment lies or hangs; hats and shoes never hang."""
    if isinstance(garment, Hat | Shoes):
        return Pose(hanging=False, turned=_between(generator, 0, 14))
    hanging = bool(generator.random() < 0.3)
    if isinstance(garment, Bottom):
        return Pose(hanging=hanging)
    long = garment.sleeve_length == "long"
    steepness = (68, 80) if hanging else ((50, 80) if long else (24, 58))
    left, right = (_between(generator, *steepness) for _ in range(2))
    bends = (_between(generator, -9, 12), _between(generator, -9, 12)) if long else (0.0, 0.0)
    return Pose(hanging=hanging, arms=(left, right), bends=bends)
