"""Bags, belts and eyewear as frozen attribute values: sampling, near doubles, drawing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from bench_atelier.fabric import Fabric
from bench_atelier.garments import Drawing

KINDS: Mapping[str, tuple[str, ...]] = {
    "bag": (
        "tote",
        "shoulder",
        "backpack",
        "clutch",
        "satchel",
        "bucket",
        "cross-body",
        "duffel",
    ),
    "belt": ("plain", "braided", "studded", "chain", "wide"),
    "eyewear": (
        "aviator",
        "wayfarer",
        "round",
        "cat-eye",
        "rectangular",
        "oversized",
        "half-rim",
        "sport",
    ),
}


@dataclass(frozen=True)
class Bag:
    """A bag; lengths are in drawing units, `width` is half the width of the bottom.

    `taper` is what the top is wider than the bottom on either side, `drop` how far the handles or
    the strap rise above the body, `flap` the share of the height (0 to 1) that a flap covers, and
    `quilting` the diagonal of the quilted diamonds, 0 for none.
    """

    category: str
    fabric: Fabric
    kind: str  # one of KINDS["bag"]
    trim: str  # '#rrggbb' of handles, straps and binding
    metal: str  # '#rrggbb' of clasps, rings and zips
    fastening: str  # open, zip, flap, envelope, buckles, frame, drawstring
    carrier: str  # strap, rolled, chain
    pocket: str  # none, patch, zip
    charm: str  # none, tassel, pompom, tag
    stitching: bool
    width: float
    height: float
    taper: float
    corner: float
    drop: float
    strap: float
    flap: float
    quilting: float


@dataclass(frozen=True)
class Belt:
    """A belt; `width` is its whole width and `spacing` the repeat of holes, studs, plaits or links.

    Both are in drawing units.
    """

    category: str
    fabric: Fabric
    kind: str  # one of KINDS["belt"]
    buckle: str  # frame, plate, double-ring
    metal: str  # '#rrggbb' of buckle, studs and links
    trim: str  # '#rrggbb' of the keeper loop and the edges
    holes: int
    stitching: bool
    width: float
    spacing: float
    buckle_size: float  # half width of the buckle over the width of the belt


@dataclass(frozen=True)
class Eyewear:
    """Glasses or sunglasses; `width` and `height` are half those of one lens, in drawing units.

    `gradient` (0 to 1) is how much paler the lens is at its lower edge, `opacity` (0 to 1) how
    little one sees through it, `reflection` (-1 to 1) where across the lens light is mirrored.
    """

    category: str
    fabric: Fabric  # of the frame
    kind: str  # one of KINDS["eyewear"]
    metal: str  # '#rrggbb' of hinges, bridge and nose pads
    tint: str  # '#rrggbb' of the lenses
    width: float
    height: float
    bridge: float
    rim: float
    temple: float
    gradient: float
    opacity: float
    reflection: float


Carried = Bag | Belt | Eyewear


def draw_carried(thing: Carried, *, variant: int = 0) -> Drawing:
    """Return the drawing of a bag, a belt or eyewear.

    `variant` shows the same item another way, counted modulo 3: a strap stands, has fallen to the
    right or to the left; a belt is coiled, hung double or closed to a loop; glasses are open,
    folded or seen from the side.
    """
    # imported here since the drawings need the classes above
    from bench_atelier.bags import draw_bag
    from bench_atelier.belts import draw_belt
    from bench_atelier.eyewear import draw_eyewear

    if isinstance(thing, Bag):
        return draw_bag(thing, variant=variant)
    if isinstance(thing, Belt):
        return draw_belt(thing, variant=variant)
    return draw_eyewear(thing, variant=variant)


def sample_carried(
    generator: np.random.Generator, category: str, *, kind: str | None = None
) -> Carried:
    """Return an item of the category; its kind is the named one, or drawn evenly.

    Raises:
        ValueError: the category is not in `KINDS`, or the kind is not one of the category's.

    """
    from bench_atelier.carried_stock import sample_bag, sample_belt, sample_eyewear

    kinds = KINDS.get(category)
    if kinds is None:
        raise ValueError(f"category {category!r} is unknown; expected one of {', '.join(KINDS)}")
    if kind is None:
        kind = kinds[int(generator.integers(len(kinds)))]
    if kind not in kinds:
        raise ValueError(
            f"kind {kind!r} is unknown for {category!r}; expected one of {', '.join(kinds)}"
        )
    if category == "bag":
        return sample_bag(generator, kind)
    if category == "belt":
        return sample_belt(generator, kind)
    return sample_eyewear(generator, kind)


def vary_carried(thing: Carried, generator: np.random.Generator) -> Carried:
    """Return another item that is easily confused: the same kind, cloth and trimmings near alike.

    The dye, the proportions and one detail differ.
    """
    from bench_atelier.carried_stock import vary_bag, vary_belt, vary_eyewear

    if isinstance(thing, Bag):
        return vary_bag(thing, generator)
    if isinstance(thing, Belt):
        return vary_belt(thing, generator)
    return vary_eyewear(thing, generator)
