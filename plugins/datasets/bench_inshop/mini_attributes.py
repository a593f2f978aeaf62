"""Attributes of drawn garments, in the manner of the published ones: read off, never invented."""

from __future__ import annotations

from collections.abc import Mapping

from bench_atelier.garments import Bottom, Garment, Outfit, Top

_TOP: Mapping[str, Mapping[str, str]] = {
    "neckline": {
        "v-neck": "v-neck",
        "scoop": "scoop neck",
        "boat": "boat neck",
        "square": "square neck",
        "straps": "spaghetti straps",
    },
    "collar": {
        "shirt": "collared",
        "stand": "stand collar",
        "turtleneck": "turtleneck",
        "lapel": "lapels",
        "hood": "hooded",
    },
    "sleeve_length": {
        "sleeveless": "sleeveless",
        "cap": "cap sleeve",
        "short": "short sleeve",
        "elbow": "elbow sleeve",
        "long": "long sleeve",
    },
    "fastening": {
        "buttons": "button-front",
        "half-buttons": "henley placket",
        "zip": "zip-front",
        "double-breasted": "double-breasted",
    },
    "pockets": {"chest": "chest pocket", "patch": "patch pocket", "welt": "welt pocket"},
    "hem": {"curved": "curved hem", "ribbed": "ribbed hem", "ruffle": "ruffle hem"},
}
_BOTTOM: Mapping[str, Mapping[str, str]] = {
    "kind": {
        "pencil": "pencil",
        "a-line": "a-line",
        "pleated": "pleated",
        "tiered": "tiered",
        "jeans": "jeans",
        "chinos": "chinos",
        "joggers": "joggers",
        "wide-leg": "wide leg",
        "flared": "flared leg",
        "leggings": "leggings",
    },
    "detail": {
        "side-stripe": "side stripe",
        "ripped": "ripped",
        "cargo": "cargo",
        "slit": "slit",
        "crease": "pressed crease",
        "button-front": "button-front",
    },
    "closure": {"drawstring": "drawstring"},
}
_PATTERN = {
    "plain": "solid",
    "graphic": "graphic print",
    "stripes-horizontal": "striped",
    "stripes-vertical": "vertical stripe",
    "stripes-diagonal": "diagonal stripe",
    "checks": "checked",
    "plaid": "plaid",
    "polka-dots": "polka dot",
    "floral": "floral print",
    "leopard": "leopard print",
    "camouflage": "camo",
    "motifs": "motif print",
    "chevron": "chevron",
    "herringbone": "herringbone",
    "argyle": "argyle",
}
_TEXTURE = {
    "knit": "knit",
    "cable-knit": "cable knit",
    "denim": "denim",
    "corduroy": "corduroy",
    "leather": "faux leather",
    "quilted": "quilted",
}
_MINI, _MIDI, _MAXI = "mini", "midi", "maxi"
_LENGTHS = {"dress": (212, 238), "skirt": (118, 175)}  # up to which it is mini, and midi
_SHAPES = {12: "a-line", 26: "fit and flare"}  # from which flare of a seamed waist on
_TABLES = (*_TOP.values(), *_BOTTOM.values(), _PATTERN, _TEXTURE)
NAMES = tuple(
    sorted({name for table in _TABLES for name in table.values()}
           | {_MINI, _MIDI, _MAXI, *_SHAPES.values()})
)  # fmt: skip


def attributes_of(garment: Garment) -> frozenset[str]:
    """Return those of `NAMES` that a garment has."""
    if isinstance(garment, Outfit):
        return _of_part(garment.top) | _of_part(garment.bottom) | _of_cloth(garment)
    return _of_part(garment) | _of_cloth(garment) | _of_shape(garment)


def _of_part(part: Garment) -> frozenset[str]:
    tables = _TOP if isinstance(part, Top) else _BOTTOM if isinstance(part, Bottom) else {}
    found = (table.get(getattr(part, field)) for field, table in tables.items())
    return frozenset(name for name in found if name)


def _of_cloth(garment: Garment) -> frozenset[str]:
    fabric = garment.fabric
    found = _PATTERN.get(fabric.pattern.name), _TEXTURE.get(fabric.texture)
    return frozenset(name for name in found if name)


def _of_shape(garment: Garment) -> frozenset[str]:
    """Return how long a dress or a skirt is, and how a dress widens below the waist."""
    if not isinstance(garment, Top | Bottom) or garment.category not in _LENGTHS:
        return frozenset()
    mini, midi = _LENGTHS[garment.category]
    length = garment.length
    found = {_MINI if length <= mini else _MIDI if length <= midi else _MAXI}
    if isinstance(garment, Top) and garment.waist:
        shapes = [name for flare, name in _SHAPES.items() if garment.flare >= flare]
        found.update(shapes[-1:])
    return frozenset(found)
