"""Sampling of bags, belts and eyewear: measures, materials and details, and near doubles."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from bench_atelier.carried import Bag, Belt, Eyewear
from bench_atelier.colours import sample_contrasting, sample_shade, shade
from bench_atelier.fabric import Fabric
from bench_atelier.stock import Weights, choose, sample_fabric

Interval = tuple[float, float]

METALS: Mapping[str, str] = {
    "gold": "#c8a650",
    "silver": "#c3c6cb",
    "gunmetal": "#56585f",
    "copper": "#c08a70",
}


@dataclass(frozen=True)
class _BagForm:
    """What a kind of bag is made of and within which bounds its measures are sampled."""

    fastenings: Weights
    pockets: Weights
    carriers: Weights
    width: Interval
    height: Interval
    taper: Interval
    corner: Interval
    drop: Interval
    strap: Interval
    flap: Interval = (0.45, 0.65)


_BAGS: Mapping[str, _BagForm] = {
    "tote": _BagForm(
        fastenings={"open": 3, "zip": 1},
        pockets={"none": 3, "patch": 1, "zip": 1},
        carriers={"strap": 3, "rolled": 2},
        width=(62, 80),
        height=(100, 150),
        taper=(-4, 22),
        corner=(4, 16),
        drop=(50, 85),
        strap=(5, 10),
    ),
    "shoulder": _BagForm(
        fastenings={"zip": 2, "open": 1},
        pockets={"none": 3, "zip": 1},
        carriers={"strap": 3, "chain": 1},
        width=(78, 98),
        height=(84, 124),
        taper=(0, 12),
        corner=(14, 34),
        drop=(60, 110),
        strap=(6, 13),
    ),
    "backpack": _BagForm(
        fastenings={"zip": 3, "flap": 1, "buckles": 1},
        pockets={"zip": 3, "patch": 1},
        carriers={"strap": 1},
        width=(58, 74),
        height=(140, 178),
        taper=(-10, 3),
        corner=(14, 28),
        drop=(14, 24),
        strap=(9, 14),
        flap=(0.4, 0.52),
    ),
    "clutch": _BagForm(
        fastenings={"envelope": 2, "flap": 2, "frame": 1.5, "zip": 1},
        pockets={"none": 1},
        carriers={"chain": 2, "strap": 1},
        width=(84, 108),
        height=(62, 88),
        taper=(-6, 4),
        corner=(3, 16),
        drop=(70, 110),
        strap=(3, 5),
        flap=(0.5, 0.82),
    ),
    "satchel": _BagForm(
        fastenings={"buckles": 3, "flap": 2},
        pockets={"none": 2, "patch": 1},
        carriers={"strap": 2, "rolled": 1},
        width=(72, 92),
        height=(88, 116),
        taper=(-10, 0),
        corner=(8, 20),
        drop=(24, 36),
        strap=(6, 9),
        flap=(0.48, 0.72),
    ),
    "bucket": _BagForm(
        fastenings={"drawstring": 1},
        pockets={"none": 3, "zip": 1},
        carriers={"strap": 3, "chain": 1, "rolled": 1},
        width=(48, 60),
        height=(104, 132),
        taper=(2, 18),
        corner=(10, 20),
        drop=(60, 96),
        strap=(4, 8),
    ),
    "cross-body": _BagForm(
        fastenings={"zip": 2, "flap": 2},
        pockets={"none": 1, "patch": 1, "zip": 1},
        carriers={"strap": 2, "chain": 1},
        width=(50, 66),
        height=(64, 88),
        taper=(-5, 4),
        corner=(10, 28),
        drop=(120, 150),
        strap=(3, 5),
        flap=(0.55, 0.8),
    ),
    "duffel": _BagForm(
        fastenings={"zip": 1},
        pockets={"none": 1, "zip": 1, "patch": 1},
        carriers={"strap": 3, "rolled": 1},
        width=(92, 110),
        height=(84, 108),
        taper=(-12, -2),
        corner=(28, 40),
        drop=(36, 54),
        strap=(6, 10),
    ),
}
_BAG_PATTERNS: Weights = {
    "plain": 16,
    "motifs": 1.2,
    "leopard": 1,
    "plaid": 1,
    "checks": 1,
    "floral": 1,
    "stripes-vertical": 0.8,
    "stripes-horizontal": 0.8,
    "herringbone": 0.6,
    "polka-dots": 0.6,
    "camouflage": 0.5,
    "chevron": 0.5,
    "argyle": 0.4,
}
_SPORTY: Weights = {"smooth": 4, "leather": 2, "denim": 1, "corduroy": 0.5}
_SMART: Weights = {"leather": 5, "smooth": 1.5, "quilted": 1.5, "knit": 0.3}
_LEATHERS = ("black", "brown", "beige", "burgundy", "cream", "charcoal")


def _between(generator: np.random.Generator, interval: Interval) -> float:
    return round(float(generator.uniform(*interval)), 1)


def _metal(generator: np.random.Generator) -> str:
    return METALS[choose(generator, {"gold": 4, "silver": 3, "gunmetal": 1.2, "copper": 0.8})]


def sample_bag(generator: np.random.Generator, kind: str) -> Bag:
    """Return a bag of the kind."""
    form = _BAGS[kind]
    textures = _SPORTY if kind in ("backpack", "duffel", "tote") else _SMART
    fabric = sample_fabric(generator, _BAG_PATTERNS, textures)
    ground = fabric.pattern.ground
    trims = {
        "same": ground,
        "darker": shade(ground, 0.72),
        "leather": sample_shade(generator, _LEATHERS[int(generator.integers(len(_LEATHERS)))]),
        "contrast": sample_contrasting(generator, ground),
    }
    trim = choose(generator, {"same": 3, "darker": 2, "leather": 3, "contrast": 1})
    return Bag(
        category="bag",
        fabric=fabric,
        kind=kind,
        trim=trims[trim],
        metal=_metal(generator),
        fastening=choose(generator, form.fastenings),
        carrier=choose(generator, form.carriers),
        pocket=choose(generator, form.pockets),
        charm=choose(generator, {"none": 6, "tassel": 1, "pompom": 0.7, "tag": 1}),
        stitching=bool(generator.random() < 0.5),
        width=_between(generator, form.width),
        height=_between(generator, form.height),
        taper=_between(generator, form.taper),
        corner=_between(generator, form.corner),
        drop=_between(generator, form.drop),
        strap=_between(generator, form.strap),
        flap=round(float(generator.uniform(*form.flap)), 2),
        quilting=_between(generator, (10, 22)) if fabric.texture == "quilted" else 0,
    )


def sample_belt(generator: np.random.Generator, kind: str) -> Belt:
    """Return a belt of the kind."""
    patterns: Weights = {"plain": 14, "leopard": 1, "stripes-horizontal": 1, "checks": 0.7}
    fabric = sample_fabric(generator, patterns, {"leather": 5, "smooth": 1, "denim": 0.5})
    if fabric.pattern.name == "plain" and generator.random() < 0.5:  # undyed leather
        tone = sample_shade(generator, _LEATHERS[int(generator.integers(len(_LEATHERS)))])
        fabric = _dyed(fabric, tone)
    buckles = {"frame": 5, "plate": 2, "double-ring": 1.5}
    widths = {"wide": (30, 42), "chain": (10, 17), "braided": (16, 23)}
    return Belt(
        category="belt",
        fabric=fabric,
        kind=kind,
        buckle=choose(generator, buckles),
        metal=_metal(generator),
        trim=shade(fabric.pattern.ground, 0.7),
        holes=int(generator.integers(3, 8)),
        stitching=bool(generator.random() < 0.5),
        width=_between(generator, widths.get(kind, (13, 24))),
        spacing=_between(generator, (9, 15)),
        buckle_size=round(float(generator.uniform(0.62, 0.95)), 2),
    )


_LENSES: Mapping[str, tuple[Interval, Interval, Interval]] = {
    # half width and half height of a lens, width of the frame around it
    "aviator": ((38, 44), (33, 40), (1.6, 3)),
    "wayfarer": ((36, 42), (26, 31), (5, 8)),
    "round": ((30, 37), (29, 36), (2, 6)),
    "cat-eye": ((36, 43), (25, 31), (4, 8)),
    "rectangular": ((36, 43), (18, 24), (3, 7)),
    "oversized": ((42, 49), (38, 45), (4, 8)),
    "half-rim": ((35, 42), (20, 26), (3, 6)),
    "sport": ((46, 52), (22, 28), (3, 5)),
}
_TINTS: Weights = {
    "charcoal": 5,
    "brown": 4,
    "olive": 2,
    "blue": 1.5,
    "sky": 1,
    "pink": 1,
    "mustard": 1,
    "purple": 0.7,
    "red": 0.7,
    "teal": 0.8,
}


def sample_eyewear(generator: np.random.Generator, kind: str) -> Eyewear:
    """Return eyewear of the kind."""
    width, height, rim = _LENSES[kind]
    # leopard in the colours of horn is tortoiseshell
    fabric = sample_fabric(generator, {"plain": 8, "leopard": 2.5}, {"smooth": 1})
    metal = _metal(generator)
    if kind == "aviator":
        fabric = _dyed(fabric, metal)
    clear = generator.random() < (0.4 if kind in ("rectangular", "half-rim", "round") else 0.08)
    lens_height = _between(generator, height)
    lens_width = _between(generator, width)
    if kind == "round":  # as high as wide, but for a hair
        lens_height = round(lens_width * float(generator.uniform(0.94, 1.0)), 1)
    return Eyewear(
        category="eyewear",
        fabric=fabric,
        kind=kind,
        metal=metal,
        tint=sample_shade(generator, "sky" if clear else choose(generator, _TINTS)),
        width=lens_width,
        height=lens_height,
        bridge=_between(generator, (14, 22)),
        rim=_between(generator, rim),
        temple=_between(generator, (3, 8)),
        gradient=round(float(generator.uniform(0, 0.9)), 2) if generator.random() < 0.6 else 0,
        opacity=0.16 if clear else round(float(generator.uniform(0.72, 0.96)), 2),
        reflection=round(float(generator.uniform(-0.5, 0.5)), 2),
    )


def _dyed(fabric: Fabric, ground: str) -> Fabric:
    return replace(fabric, pattern=replace(fabric.pattern, ground=ground))


def _redyed(fabric: Fabric, generator: np.random.Generator) -> Fabric:
    """Return the cloth of another lot: a near shade, the motifs fallen elsewhere."""
    pattern = fabric.pattern
    return replace(
        fabric,
        pattern=replace(
            pattern,
            ground=sample_shade(generator, pattern.ground),
            size=round(pattern.size * float(generator.uniform(0.85, 1.15)), 2),
            arrangement=int(generator.integers(1 << 31)),
        ),
    )


def _scaled(generator: np.random.Generator, measure: float) -> float:
    return round(measure * float(generator.uniform(0.9, 1.1)), 1)


def _another(generator: np.random.Generator, present: str, names: tuple[str, ...]) -> str:
    """Return one of the names other than the present one."""
    others = [name for name in names if name != present]
    return others[int(generator.integers(len(others)))]


def vary_bag(bag: Bag, generator: np.random.Generator) -> Bag:
    """Return a bag that is easily taken for the given one."""
    varied = replace(
        bag,
        fabric=_redyed(bag.fabric, generator),
        width=_scaled(generator, bag.width),
        height=_scaled(generator, bag.height),
        drop=_scaled(generator, bag.drop),
        strap=_scaled(generator, bag.strap),
        quilting=_scaled(generator, bag.quilting),
    )
    detail = choose(generator, {"metal": 1, "charm": 1, "trim": 1, "stitching": 1})
    if detail == "metal":
        return replace(varied, metal=_another(generator, bag.metal, tuple(METALS.values())))
    if detail == "charm":
        charms = ("none", "tassel", "pompom", "tag")
        return replace(varied, charm=_another(generator, bag.charm, charms))
    if detail == "trim":
        return replace(varied, trim=sample_shade(generator, shade(bag.trim, 0.8)))
    return replace(varied, stitching=not bag.stitching)


def vary_belt(belt: Belt, generator: np.random.Generator) -> Belt:
    """Return a belt that is easily taken for the given one."""
    varied = replace(
        belt,
        fabric=_redyed(belt.fabric, generator),
        width=_scaled(generator, belt.width),
        spacing=_scaled(generator, belt.spacing),
        holes=3 + (belt.holes - 2) % 5,
    )
    detail = choose(generator, {"metal": 1, "buckle": 1, "stitching": 1})
    if detail == "metal":
        return replace(varied, metal=_another(generator, belt.metal, tuple(METALS.values())))
    if detail == "buckle":
        buckles = ("frame", "plate", "double-ring")
        return replace(varied, buckle=_another(generator, belt.buckle, buckles))
    return replace(varied, stitching=not belt.stitching)


def vary_eyewear(eyewear: Eyewear, generator: np.random.Generator) -> Eyewear:
    """Return eyewear that is easily taken for the given one."""
    varied = replace(
        eyewear,
        fabric=_redyed(eyewear.fabric, generator),
        width=_scaled(generator, eyewear.width),
        height=_scaled(generator, eyewear.height),
        rim=_scaled(generator, eyewear.rim),
        temple=_scaled(generator, eyewear.temple),
    )
    detail = choose(generator, {"metal": 1, "tint": 1, "gradient": 1})
    if detail == "metal":
        return replace(varied, metal=_another(generator, eyewear.metal, tuple(METALS.values())))
    if detail == "tint":
        return replace(varied, tint=sample_shade(generator, shade(eyewear.tint, 0.8)))
    return replace(varied, gradient=0 if eyewear.gradient else 0.7)
