"""Fixing of named attributes: what each value of the vocabulary does to the numbers of a garment.

What is not fixed stays as it was sampled, unless it contradicts what is: a dress on straps that is
asked for long sleeves gets a scoop neck.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from bench_atelier.colours import sample_shade
from bench_atelier.fabric import Fabric
from bench_atelier.garments import Bottom, Outfit, Top
from bench_atelier.patterns import sample_pattern
from bench_atelier.stock import choose, draw_between
from bench_atelier.top_lines import BODICES
from bench_atelier.vocabulary import (
    BOTTOM_POCKETS,
    BUTTONED_COLLARS,
    COLLAR_DEPTHS,
    LAPELS,
    LENGTHS,
    NECK_SIZES,
    SLEEVELESS_NECKLINES,
    WHOLE_FRONTS,
    Fixed,
    Range,
)


def fix_fabric(fabric: Fabric, fixed: Fixed, generator: np.random.Generator) -> Fabric:
    """Return the cloth in the fixed colour and texture; the pattern's other colours suit it."""
    pattern = fabric.pattern
    if "colour" in fixed:
        ground = sample_shade(generator, fixed["colour"])
        pattern = replace(sample_pattern(generator, pattern.name, ground=ground), ground=ground)
    return Fabric(
        pattern=pattern, texture=fixed.get("texture", fabric.texture), coarse="texture" in fixed
    )


def fix_top(top: Top, fixed: Fixed, generator: np.random.Generator) -> Top:
    """Return the top with the fixed attributes and with the numbers that follow from them."""
    if "fit" in fixed:
        top = _fit_top(top, fixed["fit"], generator)
    if "length" in fixed:
        top = replace(top, length=draw_between(generator, *LENGTHS[top.category][fixed["length"]]))
    if "collar" in fixed:
        top = _fix_collar(top, fixed["collar"], generator)
    if "neckline" in fixed:
        top = _fix_neckline(top, fixed["neckline"], generator, collared="collar" in fixed)
    top = _fix_sleeves(top, fixed, generator)
    if fixed.get("fastening") == "back" and "collar" not in fixed:
        top = replace(top, collar="none")
        if "neckline" not in fixed and (top.neckline in BODICES or top.neck_depth < 13):
            top = _size_neck(top, "scoop", generator)
    return replace(
        top,
        fastening=fixed.get("fastening", top.fastening),
        pockets=fixed.get("pockets", top.pockets),
        hem=fixed.get("hem", top.hem),
        bold="fastening" in fixed or "pockets" in fixed,
    )


def _fit_top(top: Top, fit: str, generator: np.random.Generator) -> Top:
    """Return the top cut closer or wider; a flared one gets a seam at the waist."""
    widths = {"slim": 0.86, "regular": 1.0, "loose": 1.2, "flared": 0.92}
    sleeves = {"slim": 0.84, "loose": 1.15}
    chest = round(top.chest * widths[fit], 1)
    waists = {"slim": (-9.0, -6.0), "regular": (-3.0, -1.0), "loose": (1, 4), "flared": (-9, -6)}
    dress = top.category == "dress"
    flares = {
        "slim": (-5, -2),
        "regular": (1, 5),
        "loose": (6, 12),
        "flared": (44, 54) if dress else (20, 30),
    }
    hem = "straight" if fit == "flared" and top.hem == "ribbed" else top.hem
    if fit == "slim" and hem == "ruffle":
        hem = "straight"
    return replace(
        top,
        chest=chest,
        shoulder=round(chest - (top.chest - top.shoulder) * (0.4 if fit == "loose" else 1), 1),
        sleeve_width=round(top.sleeve_width * sleeves.get(fit, 1.0), 1),
        waist=draw_between(generator, 74, 86) if fit == "flared" else 0,
        waist_width=round(chest + draw_between(generator, *waists[fit]), 1),
        flare=draw_between(generator, *flares[fit]),
        hem=hem,
    )


def _size_neck(top: Top, neckline: str, generator: np.random.Generator) -> Top:
    width, depth = NECK_SIZES[neckline]
    return replace(
        top,
        neckline=neckline,
        neck_width=min(draw_between(generator, *width), round(top.shoulder - 4, 1)),
        neck_depth=draw_between(generator, *depth),
    )


def _fix_collar(top: Top, collar: str, generator: np.random.Generator) -> Top:
    pointed = collar in (*LAPELS, "v-collar")
    if collar == "none" and top.collar == "none":
        return top
    top = _size_neck(top, "v-neck" if pointed else "crew", generator)
    fastening = top.fastening
    if collar == "polo":
        fastening = "half-buttons"
    elif collar in BUTTONED_COLLARS and fastening in ("none", "half-buttons"):
        fastening = "buttons"
    depth = draw_between(generator, *COLLAR_DEPTHS[collar])
    return replace(top, collar=collar, neck_depth=depth, fastening=fastening)


def _fix_neckline(
    top: Top, neckline: str, generator: np.random.Generator, *, collared: bool
) -> Top:
    top = _size_neck(top, neckline, generator)
    if not collared:
        top = replace(top, collar="none")
    if neckline in WHOLE_FRONTS or top.fastening == "half-buttons":
        top = replace(top, fastening="none")
    if neckline in WHOLE_FRONTS and top.pockets == "chest":
        top = replace(top, pockets="none")
    if neckline in SLEEVELESS_NECKLINES:
        top = replace(top, sleeve_length="sleeveless")
    return top


def _fix_sleeves(top: Top, fixed: Fixed, generator: np.random.Generator) -> Top:
    length, shape = fixed.get("sleeve_length"), fixed.get("sleeve_shape", "plain")
    if length is None:
        needs_arm = shape != "plain" or fixed.get("pockets") == "sleeve"
        if not needs_arm or top.sleeve_length != "sleeveless":
            return replace(top, sleeve_shape=shape)
        length = choose(generator, {"short": 1, "long": 1})
    if length == "sleeveless":
        return replace(top, sleeve_length=length, shoulder=round(top.shoulder - 6, 1))
    top = replace(top, sleeve_length=length, sleeve_shape=shape)
    if "neckline" not in fixed and top.neckline in SLEEVELESS_NECKLINES:
        top = _size_neck(top, "scoop", generator)
    return top


def fix_bottom(bottom: Bottom, fixed: Fixed, generator: np.random.Generator) -> Bottom:
    """Return the bottom with the fixed attributes and with the numbers that follow from them."""
    if "length" in fixed:
        lengths = LENGTHS[bottom.category][fixed["length"]]
        bottom = replace(bottom, length=draw_between(generator, *lengths))
        if bottom.category == "pants" and "fit" not in fixed:
            bottom = _open_legs(bottom)
    if "fit" in fixed:
        skirt = bottom.category == "skirt"
        bottom = (_fit_skirt if skirt else _fit_legs)(bottom, fixed["fit"], generator)
    if "pockets" in fixed:
        detail = "none" if bottom.detail == "cargo" else bottom.detail
        bottom = replace(bottom, pockets=fixed["pockets"], detail=detail)
    if "fastening" in fixed:
        detail = "none" if bottom.detail == "button-front" else bottom.detail
        bottom = replace(bottom, closure=fixed["fastening"], detail=detail)
    return bottom


def _raise_waist(bottom: Bottom, generator: np.random.Generator) -> Bottom:
    return replace(
        bottom,
        waist=round(bottom.waist * 0.86, 1),
        hip=round(bottom.hip + 2, 1),
        rise=draw_between(generator, 84, 92),
        band=draw_between(generator, 21, 26),
        length=round(bottom.length + 14, 1),
    )


def _fit_legs(bottom: Bottom, fit: str, generator: np.random.Generator) -> Bottom:
    """Return the trousers with legs of another cut; short legs end before they can narrow."""
    if fit == "high-waist":
        return _raise_waist(bottom, generator)
    hems: Mapping[str, Range] = {
        "slim": (7, 9),
        "regular": (15, 17),
        "loose": (27, 31),
        "flared": (29, 34),
        "tapered": (8, 10),
    }
    hips = {"slim": (3, 5), "regular": (6, 8), "loose": (14, 18), "flared": (4, 6)}
    thighs = {"slim": 0.9, "loose": 1.15, "flared": 1.5, "tapered": 0.85}
    kinds = {"slim": "leggings" if bottom.kind == "leggings" else "jeans", "loose": "wide-leg"}
    kind = kinds.get(fit, "chinos" if fit == "regular" else fit)
    if kind == "flared" and bottom.length < 160:
        kind = "wide-leg"
    cut = replace(
        bottom,
        kind=kind,
        hip=round(bottom.waist + draw_between(generator, *hips.get(fit, (15, 19))), 1),
        hem_width=draw_between(generator, *hems[fit]),
        spread=draw_between(generator, 25, 31),
    )
    return _open_legs(cut, thighs.get(fit, 1))


def _open_legs(bottom: Bottom, thigh: float = 1) -> Bottom:
    """Return legs that end above the ankle as wide as they are there; `thigh` widens them."""
    share = max(0.0, min(1.0, (214 - bottom.length) / 125))
    there = max(bottom.hem_width, bottom.hip * 0.47 * thigh)
    hem_width = bottom.hem_width + (there - bottom.hem_width) * share
    # the short legs of joggers have no cuff
    kind = "chinos" if bottom.kind == "joggers" and share > 0.3 else bottom.kind
    spread = max(bottom.spread, hem_width + 3)
    return replace(bottom, kind=kind, hem_width=round(hem_width, 1), spread=round(spread, 1))


def _fit_skirt(bottom: Bottom, fit: str, generator: np.random.Generator) -> Bottom:
    """Return the skirt narrower or wider at the hem, pleats and tiers only where it is wide."""
    if fit == "high-waist":
        return _raise_waist(bottom, generator)
    widths = {"slim": (-12, -8), "regular": (0, 3), "loose": (15, 20), "flared": (40, 52)}
    wide = fit in ("loose", "flared")
    kind = bottom.kind
    if wide and kind in ("pencil", "denim"):
        kind = "a-line"
    elif not wide and kind != "denim":
        kind = "pencil"
    hip = bottom.hip + (6 if fit == "loose" else 0)
    detail = "none" if bottom.detail == "slit" and wide else bottom.detail
    return replace(
        bottom,
        kind=kind,
        hip=round(hip, 1),
        hem_width=round(hip + draw_between(generator, *widths[fit]), 1),
        detail=detail,
    )


def fix_outfit(outfit: Outfit, fixed: Fixed, generator: np.random.Generator) -> Outfit:
    """Return the outfit, its upper and its lower part with the attributes that each of them has."""
    lower = {name: fixed[name] for name in ("length", "fit") if name in fixed}
    upper = {name: value for name, value in fixed.items() if name not in lower}
    if outfit.joined and fixed.get("pockets") in BOTTOM_POCKETS:
        # the upper part ends above the hips
        lower["pockets"], upper["pockets"] = fixed["pockets"], "none"
    return join_parts(
        replace(
            outfit,
            top=fix_top(outfit.top, upper, generator),
            bottom=fix_bottom(outfit.bottom, lower, generator),
        )
    )


def join_parts(outfit: Outfit) -> Outfit:
    """Return the outfit with the seam of a joined one as wide as the waist of its lower part."""
    if not outfit.joined:
        return outfit
    top, waist = outfit.top, outfit.bottom.waist
    seam = replace(top, waist_width=waist + 1, flare=round(waist + 1 - top.chest, 1))
    return replace(outfit, top=seam)
