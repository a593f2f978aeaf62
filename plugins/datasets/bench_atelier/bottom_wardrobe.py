"""Sampling of trousers, shorts and skirts: their cuts, lengths and details, and how often."""

from __future__ import annotations

import numpy as np

from bench_atelier.garments import Bottom
from bench_atelier.stock import (
    PLAIN_OFTEN,
    TROUSER_PATTERNS,
    Weights,
    choose,
    draw_between,
    sample_fabric,
)


def sample_pants(generator: np.random.Generator, pattern: str | None) -> Bottom:
    """Return long trousers of the named pattern, or of a sampled one."""
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
    hem_width = draw_between(generator, *hems.get(kind, (22, 36)))
    drawn = kind in ("joggers", "leggings")
    waist = draw_between(generator, 35, 43)
    return Bottom(
        category="pants",
        fabric=sample_fabric(generator, TROUSER_PATTERNS, textures, pattern=pattern),
        kind=kind,
        waist=waist,
        hip=waist + draw_between(generator, 4, 10),
        length=draw_between(generator, 222, 266),
        hem_width=hem_width,
        spread=max(hem_width + 3, draw_between(generator, 20, 42)),
        closure="drawstring" if drawn else "fly",
        detail=choose(generator, details[kind]),
    )


def sample_shorts(generator: np.random.Generator, pattern: str | None) -> Bottom:
    """Return shorts of the named pattern, or of a sampled one."""
    kind = choose(generator, {"jeans": 3, "chinos": 3, "wide-leg": 3})
    sporty = kind == "wide-leg"
    textures: Weights = {"denim": 1} if kind == "jeans" else {"smooth": 4, "corduroy": 0.4}
    patterns: Weights = {**PLAIN_OFTEN, "graphic": 1.5, "floral": 2} if sporty else TROUSER_PATTERNS
    details: Weights = {"none": 3, "side-stripe": 2} if sporty else {"none": 3, "cargo": 1.4}
    waist, hem_width = draw_between(generator, 44, 56), draw_between(generator, 26, 36)
    return Bottom(
        category="shorts",
        fabric=sample_fabric(generator, patterns, textures, pattern=pattern),
        kind=kind,
        waist=waist,
        hip=waist + draw_between(generator, 6, 14),
        length=draw_between(generator, 88, 150),
        hem_width=hem_width,
        spread=hem_width + draw_between(generator, 3, 13),
        closure="drawstring" if sporty else "fly",
        detail=choose(generator, details),
    )


def sample_skirt(generator: np.random.Generator, pattern: str | None) -> Bottom:
    """Return a skirt of the named pattern, or of a sampled one."""
    kind = choose(generator, {"pencil": 3, "a-line": 3, "pleated": 2.5, "tiered": 1.5, "denim": 2})
    textures: Weights = (
        {"denim": 1} if kind == "denim" else {"smooth": 5, "knit": 1, "corduroy": 0.5}
    )
    waist = draw_between(generator, 36, 46)
    hip = waist + draw_between(generator, 8, 15)
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
        length=draw_between(generator, *lengths.get(kind, (96, 220))),
        hem_width=hip + draw_between(generator, *flares.get(kind, (2, 12))),
        spread=0,
        closure="fly" if kind == "denim" else "side-zip",
        detail=choose(generator, details.get(kind, {"none": 1})),
    )
