"""Sampling of garments and poses: which cuts and details a category has, and how often."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from bench_atelier.attributes import fix_bottom, fix_fabric, fix_outfit, fix_top
from bench_atelier.bottom_wardrobe import sample_pants, sample_shorts, sample_skirt
from bench_atelier.colours import sample_contrasting, sample_shade, shade
from bench_atelier.garments import Bottom, Garment, Hat, Outfit, Pose, Shoes, Top
from bench_atelier.outfit_wardrobe import OUTFIT_SAMPLERS
from bench_atelier.sleeves import LONG_SLEEVES
from bench_atelier.stock import (
    COAT_PATTERNS,
    HAT_PATTERNS,
    KNIT_PATTERNS,
    PLAIN_OFTEN,
    SHIRT_PATTERNS,
    SHOE_PATTERNS,
    TEE_PATTERNS,
    Weights,
    choose,
    draw_between,
    sample_fabric,
)
from bench_atelier.variation import vary_garment
from bench_atelier.vocabulary import VOCABULARY, Fixed, check_fixed

__all__ = ["CATEGORIES", "VOCABULARY", "sample_garment", "sample_pose", "vary_garment"]


def _t_shirt(generator: np.random.Generator, pattern: str | None) -> Top:
    fabric = sample_fabric(generator, TEE_PATTERNS, {"smooth": 6, "knit": 1}, pattern=pattern)
    polo = generator.random() < 0.12
    necklines = {"crew": 5, "v-neck": 2.5, "scoop": 2, "boat": 1}
    neckline = "crew" if polo else choose(generator, necklines)
    depths = {"crew": 12, "v-neck": 27, "scoop": 24, "boat": 8}
    chest = draw_between(generator, 44, 58)
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
        shoulder=chest - draw_between(generator, 2, 6),
        neck_width=draw_between(generator, 18, 23) + (8 if neckline == "boat" else 0),
        neck_depth=depths[neckline] + draw_between(generator, -2, 5),
        sleeve_width=draw_between(generator, 27, 36),
        length=draw_between(generator, 122, 172),
        waist=0,
        waist_width=chest - draw_between(generator, -1, 6),
        flare=draw_between(generator, -3, 6),
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
    chest = draw_between(generator, 44, 58)
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
        shoulder=chest - draw_between(generator, 2, 7),
        neck_width=draw_between(generator, 17, 22) + (8 if neckline == "boat" else 0),
        neck_depth=depths[neckline] + draw_between(generator, -2, 5) + (16 if cardigan else 0),
        sleeve_width=draw_between(generator, 26, 34),
        length=draw_between(generator, 118, 168),
        waist=0,
        waist_width=chest - draw_between(generator, -1, 6),
        flare=draw_between(generator, -5, 4),
    )


def _shirt(generator: np.random.Generator, pattern: str | None) -> Top:
    textures = {"smooth": 8, "denim": 1, "corduroy": 0.4}
    fabric = sample_fabric(generator, SHIRT_PATTERNS, textures, pattern=pattern)
    chest = draw_between(generator, 44, 56)
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
        shoulder=chest - draw_between(generator, 2, 6),
        neck_width=draw_between(generator, 17, 21),
        neck_depth=draw_between(generator, 16, 22),
        sleeve_width=draw_between(generator, 28, 36),
        length=draw_between(generator, 132, 176),
        waist=0,
        waist_width=chest - draw_between(generator, 0, 8),
        flare=draw_between(generator, -2, 5),
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
    chest = draw_between(generator, 50, 60)
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
        shoulder=chest - draw_between(generator, 2, 6) - (6 if vest else 0),
        neck_width=draw_between(generator, 18, 22),
        neck_depth=draw_between(generator, 18, 26) + (26 if kind == "coat" else 0),
        sleeve_width=draw_between(generator, 36, 42),
        length=draw_between(generator, 176, 236) if long else draw_between(generator, 128, 172),
        waist=0,
        waist_width=chest - draw_between(generator, 0, 7),
        flare=draw_between(generator, 0, 12) if long else draw_between(generator, -4, 3),
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
    chest = draw_between(generator, 35, 45)
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
        shoulder=chest - draw_between(generator, 2, 7),
        neck_width=draw_between(generator, 17, 22) + (6 if neckline == "boat" else 0),
        neck_depth=depths[neckline] + draw_between(generator, -2, 5),
        sleeve_width=draw_between(generator, 24, 31),
        length=draw_between(generator, 190, 262),
        waist=0 if shape == "sheath" else draw_between(generator, 70, 92),
        waist_width=chest - draw_between(generator, 3, 9),
        flare=draw_between(generator, *flares[shape]),
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
        shape=draw_between(generator, 0, 1),
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
        shape=draw_between(generator, 0, 1),
        brim=draw_between(generator, 0, 1),
    )


_SAMPLERS: Mapping[str, Callable[[np.random.Generator, str | None], Garment]] = {
    "dress": _dress,
    "hat": _hat,
    "longsleeve": _longsleeve,
    "outwear": _outwear,
    "pants": sample_pants,
    "shirt": _shirt,
    "shoes": _shoes,
    "shorts": sample_shorts,
    "skirt": sample_skirt,
    "t-shirt": _t_shirt,
    **OUTFIT_SAMPLERS,
}
CATEGORIES = tuple(_SAMPLERS)


def sample_garment(
    generator: np.random.Generator,
    category: str,
    *,
    pattern: str | None = None,
    fixed: Fixed | None = None,
) -> Garment:
    """Return a garment of the category; what `fixed` does not name is sampled.

    `fixed` maps attributes of `VOCABULARY` to values; `pattern` is short for its "pattern".

    Raises:
        ValueError: the category, an attribute or a value of it is unknown.

    """
    fixed = fixed or {}
    check_fixed(category, fixed)
    garment = _SAMPLERS[category](generator, fixed.get("pattern", pattern))
    if not fixed:
        return garment
    fabric = fix_fabric(garment.fabric, fixed, generator)
    if isinstance(garment, Top):
        return fix_top(replace(garment, fabric=fabric), fixed, generator)
    if isinstance(garment, Bottom):
        return fix_bottom(replace(garment, fabric=fabric), fixed, generator)
    if isinstance(garment, Outfit):
        top, bottom = replace(garment.top, fabric=fabric), replace(garment.bottom, fabric=fabric)
        return fix_outfit(replace(garment, top=top, bottom=bottom), fixed, generator)
    return replace(garment, fabric=fabric)


def sample_pose(generator: np.random.Generator, garment: Garment) -> Pose:
    """Return how the garment lies or hangs; hats and shoes never hang."""
    if isinstance(garment, Hat | Shoes):
        return Pose(hanging=False, turned=draw_between(generator, 0, 14))
    hanging = bool(generator.random() < 0.3)
    if isinstance(garment, Bottom):
        return Pose(hanging=hanging)
    top = garment.top if isinstance(garment, Outfit) else garment
    long = top.sleeve_length in LONG_SLEEVES
    steepness = (68, 80) if hanging else ((50, 80) if long else (24, 58))
    left, right = (draw_between(generator, *steepness) for _ in range(2))
    bends = (0.0, 0.0)
    if long:
        bends = (draw_between(generator, -9, 12), draw_between(generator, -9, 12))
    return Pose(hanging=hanging, arms=(left, right), bends=bends)
