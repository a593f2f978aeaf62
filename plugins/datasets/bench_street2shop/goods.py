"""The products of the mini edition: what each one is, from its number, and its attributes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from bench_atelier.carried import Bag, Belt, Carried, Eyewear, sample_carried, vary_carried
from bench_atelier.colours import PALETTE, parse_colour
from bench_atelier.garments import Bottom, Garment, Top
from bench_atelier.stock import PLAIN_OFTEN, choose, draw_between, sample_fabric
from bench_atelier.vocabulary import LENGTHS
from bench_atelier.wardrobe import sample_garment, vary_garment

from bench_street2shop import CATEGORIES

# category → what the drawing kit calls it; where there are several, each is as frequent
DRAWN: Mapping[str, tuple[str, ...]] = {
    "bags": ("bag",),
    "belts": ("belt",),
    "dresses": ("dress",),
    "eyewear": ("eyewear",),
    "footwear": ("shoes",),
    "hats": ("hat",),
    "leggings": ("leggings",),
    "outerwear": ("outwear",),
    "pants": ("pants", "pants", "shorts"),
    "skirts": ("skirt",),
    "tops": ("t-shirt", "longsleeve", "shirt"),
}
# of these categories only some kinds are drawn, so that the kind alone does not tell a product
KINDS: Mapping[str, tuple[str, ...]] = {
    "bags": ("tote", "satchel"),
    "eyewear": ("wayfarer", "rectangular", "oversized"),
    "footwear": ("sneaker", "high-top"),
    "hats": ("brimmed", "bucket"),
}
ATTRIBUTES = ("category", "kind", "colour", "pattern", "texture", "neckline", "collar",
              "sleeve_length", "fastening", "length")  # fmt: skip
PLAIN = 0.35  # share of the garments that are plain beside those that are sampled as such
_ITEM, _COPY = 1, 2  # what a generator is for


@dataclass(frozen=True)
class Product:
    """A product by its number within its category.

    It nearly copies the product with the number `model`, or has that number itself.
    """

    category: str
    number: int
    model: int


def sample_product(product: Product, *, seed: int) -> Garment | Carried:
    """Return what the product is: always the same for one seed."""
    place = CATEGORIES.index(product.category)
    item = _sample(np.random.default_rng([seed, _ITEM, place, product.model]), product.category)
    if product.number == product.model:
        return item
    generator = np.random.default_rng([seed, _COPY, place, product.number])
    if isinstance(item, Bag | Belt | Eyewear):
        return vary_carried(item, generator)
    return vary_garment(item, generator)


def describe(item: Garment | Carried) -> dict[str, str]:
    """Return the item's value of each of `ATTRIBUTES`; "" for those that it does not have.

    Colours and lengths have the name of the nearest named one.
    """
    fabric = item.fabric
    values = {
        "category": item.category,
        "colour": _nearest_colour(fabric.pattern.ground),
        "pattern": fabric.pattern.name,
        "texture": fabric.texture,
    }
    if not isinstance(item, Top):
        values["kind"] = getattr(item, "kind", "")
    for name in ("neckline", "collar", "sleeve_length", "fastening"):
        if isinstance(item, Top):
            values[name] = getattr(item, name)
    if isinstance(item, Top | Bottom):
        lengths = LENGTHS["pants" if item.category == "leggings" else item.category]
        values["length"] = min(lengths, key=lambda name: abs(sum(lengths[name]) / 2 - item.length))
    return {name: values.get(name, "") for name in ATTRIBUTES}


def _sample(generator: np.random.Generator, category: str) -> Garment | Carried:
    kinds = DRAWN[category]
    name = kinds[int(generator.integers(len(kinds)))]
    allowed = KINDS.get(category)
    if name in ("bag", "belt", "eyewear"):
        kind = allowed[int(generator.integers(len(allowed)))] if allowed else None
        return sample_carried(generator, name, kind=kind)
    pattern = "plain" if generator.random() < PLAIN else None
    if name == "leggings":
        return _sample_leggings(generator, pattern)
    while True:
        item = sample_garment(generator, name, pattern=pattern)
        kind = getattr(item, "kind", "")
        # leggings are a category of their own
        if kind != "leggings" and (allowed is None or kind in allowed):
            return item


def _sample_leggings(generator: np.random.Generator, pattern: str | None) -> Bottom:
    trousers = sample_garment(generator, "pants")
    assert isinstance(trousers, Bottom)  # noqa: S101
    return replace(
        trousers,
        category="leggings",
        kind="leggings",
        fabric=sample_fabric(generator, PLAIN_OFTEN, {"smooth": 4, "knit": 1}, pattern=pattern),
        length=draw_between(generator, 172, 262),
        hem_width=draw_between(generator, 7, 9),
        closure="none",
        pockets="none",
        detail=choose(generator, {"none": 3, "side-stripe": 1}),
    )


def _nearest_colour(colour: str) -> str:
    """Return the name in the palette of the nearest colour, by squared distance in RGB."""
    channels = parse_colour(colour)
    return min(
        PALETTE,
        key=lambda name: sum(
            (one - other) ** 2 for one, other in zip(channels, parse_colour(name), strict=True)
        ),
    )
