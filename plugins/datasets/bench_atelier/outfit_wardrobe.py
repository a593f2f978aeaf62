"""Sampling of outfits: jumpsuits, suits, tracksuits, pyjamas and swimwear."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from bench_atelier.attributes import join_parts
from bench_atelier.fabric import Fabric
from bench_atelier.garments import Bottom, Outfit, Top
from bench_atelier.stock import (
    PLAIN_OFTEN,
    Weights,
    choose,
    draw_between,
    sample_fabric,
)

_SUITING: Weights = {"plain": 8, "pinstripe": 3, "herringbone": 2, "checks": 1, "plaid": 1}
_SPORTING: Weights = {"plain": 12, "camouflage": 1, "gradient": 1, "marl": 2}


def _trousers(generator: np.random.Generator, fabric: Fabric, kind: str, closure: str) -> Bottom:
    """Return the lower part of an outfit, long enough for the ankle."""
    waist = draw_between(generator, 37, 41)
    hems = {"joggers": (10, 12), "chinos": (13, 17), "wide-leg": (22, 30), "flared": (28, 33)}
    hem_width = draw_between(generator, *hems[kind])
    details = {"joggers": "side-stripe", "chinos": "crease"}
    return Bottom(
        category="pants",
        fabric=fabric,
        kind=kind,
        waist=waist,
        hip=waist + draw_between(generator, 5, 9),
        length=draw_between(generator, 222, 246),
        hem_width=hem_width,
        spread=max(hem_width + 3, draw_between(generator, 24, 32)),
        closure=closure,
        detail=details.get(kind, "none"),
    )


def _upper(
    generator: np.random.Generator,
    fabric: Fabric,
    category: str,
    *,
    neckline: str,
    collar: str,
    sleeves: Weights,
    fastening: str,
    pockets: Weights,
    length: float,
    hem: str = "straight",
    chest_width: tuple[float, float] = (43, 49),
) -> Top:
    """Return the upper part of an outfit; its neck is as deep as neckline and collar need."""
    chest = draw_between(generator, *chest_width)
    lapels = collar in ("notched-lapel", "shawl")
    depths = {"crew": 13, "scoop": 27, "v-neck": 34, "straps": 12, "square": 27}
    return Top(
        category=category,
        fabric=fabric,
        neckline=neckline,
        collar=collar,
        sleeve_length=choose(generator, sleeves),
        fastening=fastening,
        pockets=choose(generator, pockets),
        hem=hem,
        chest=chest,
        shoulder=chest - draw_between(generator, 2, 5),
        neck_width=draw_between(generator, 18, 21),
        neck_depth=(58 if lapels else depths[neckline]) + draw_between(generator, -2, 4),
        sleeve_width=draw_between(generator, 28, 33),
        length=length,
        waist=0,
        waist_width=chest - draw_between(generator, 3, 6),
        flare=draw_between(generator, -1, 3),
    )


def _jumpsuit(generator: np.random.Generator, pattern: str | None) -> Outfit:
    textures = {"smooth": 6, "denim": 1, "knit": 0.6}
    fabric = sample_fabric(generator, PLAIN_OFTEN, textures, pattern=pattern)
    waist = draw_between(generator, 84, 92)
    collared = generator.random() < 0.25
    necklines = {"crew": 2, "scoop": 2, "v-neck": 3, "straps": 3, "square": 1}
    neckline = "crew" if collared else choose(generator, necklines)
    sleeves = {"sleeveless": 3, "short": 3, "long": 2}
    kind = choose(generator, {"chinos": 3, "wide-leg": 3, "flared": 1})
    top = _upper(
        generator,
        fabric,
        "dress",
        neckline=neckline,
        collar="shirt" if collared else "none",
        sleeves={"sleeveless": 1} if neckline == "straps" else sleeves,
        fastening="buttons" if collared else "none",
        pockets={"none": 4, "chest": 1 if collared else 0},
        length=waist + 10,
        chest_width=(40, 44),
    )
    bottom = _trousers(generator, fabric, kind, "side-zip")
    return join_parts(Outfit("jumpsuit", top, bottom, waist=waist, joined=True))


def _suit(generator: np.random.Generator, pattern: str | None) -> Outfit:
    fabric = sample_fabric(generator, _SUITING, {"smooth": 6, "corduroy": 0.5}, pattern=pattern)
    top = _upper(
        generator,
        fabric,
        "outwear",
        neckline="v-neck",
        collar=choose(generator, {"notched-lapel": 5, "shawl": 1}),
        sleeves={"long": 1},
        fastening=choose(generator, {"buttons": 3, "double-breasted": 1}),
        pockets={"flap": 3, "welt": 2},
        length=draw_between(generator, 136, 150),
    )
    bottom = _trousers(generator, fabric, "chinos", "fly")
    return Outfit("suit", top, bottom, waist=draw_between(generator, 94, 98), joined=False)


def _tracksuit(generator: np.random.Generator, pattern: str | None) -> Outfit:
    fabric = sample_fabric(generator, _SPORTING, {"smooth": 6, "fleece": 1}, pattern=pattern)
    top = _upper(
        generator,
        fabric,
        "outwear",
        neckline="crew",
        collar=choose(generator, {"stand": 3, "hood": 3}),
        sleeves={"long": 1},
        fastening="zip",
        pockets={"welt": 2, "zip": 1},
        length=draw_between(generator, 126, 138),
        hem="ribbed",
    )
    bottom = _trousers(generator, fabric, "joggers", "drawstring")
    return Outfit("tracksuit", top, bottom, waist=draw_between(generator, 94, 98), joined=False)


def _pyjamas(generator: np.random.Generator, pattern: str | None) -> Outfit:
    patterns: Weights = {**PLAIN_OFTEN, "plain": 3, "stripes-vertical": 3, "motifs": 3, "checks": 2}
    fabric = sample_fabric(generator, patterns, {"smooth": 3, "satin": 1}, pattern=pattern)
    top = _upper(
        generator,
        fabric,
        "shirt",
        neckline="crew",
        collar="shirt",
        sleeves={"long": 3, "short": 1},
        fastening="buttons",
        pockets={"chest": 3, "none": 1},
        length=draw_between(generator, 130, 146),
    )
    bottom = _trousers(generator, fabric, "wide-leg", "drawstring")
    return Outfit("pyjamas", top, bottom, waist=draw_between(generator, 94, 98), joined=False)


def _swimwear(generator: np.random.Generator, pattern: str | None, *, joined: bool) -> Outfit:
    fabric = sample_fabric(generator, PLAIN_OFTEN, {"smooth": 1}, pattern=pattern)
    body = draw_between(generator, 88, 94)
    top = _upper(
        generator,
        fabric,
        "dress",
        neckline="straps" if not joined else choose(generator, {"straps": 2, "scoop": 2}),
        collar="none",
        sleeves={"sleeveless": 1},
        fastening="none",
        pockets={"none": 1},
        length=body + 10 if joined else draw_between(generator, 66, 72),
        chest_width=(37, 41),
    )
    waist = draw_between(generator, 34, 38)
    bottom = Bottom(
        category="pants",
        fabric=fabric,
        kind="brief",
        waist=waist,
        hip=waist + draw_between(generator, 6, 9),
        length=draw_between(generator, 46, 60) + (14 if joined else 0),
        hem_width=9,
        spread=0,
        closure="side-zip",
        detail="none",
    )
    category = "swimsuit" if joined else "bikini"
    below = body if joined else body + 16  # the skin between the two pieces
    return join_parts(Outfit(category, top, bottom, waist=below, joined=joined))


def _swimsuit(generator: np.random.Generator, pattern: str | None) -> Outfit:
    return _swimwear(generator, pattern, joined=True)


def _bikini(generator: np.random.Generator, pattern: str | None) -> Outfit:
    return _swimwear(generator, pattern, joined=False)


OUTFIT_SAMPLERS: Mapping[str, Callable[[np.random.Generator, str | None], Outfit]] = {
    "bikini": _bikini,
    "jumpsuit": _jumpsuit,
    "pyjamas": _pyjamas,
    "suit": _suit,
    "swimsuit": _swimsuit,
    "tracksuit": _tracksuit,
}
