"""Products of which all combinations of a few attributes exist, for tasks that change one of them.

A family of products is written as `{attribute: {value: what it fixes of the drawing}}`; "category"
in what is fixed names the garment to draw, the rest are attributes of `wardrobe.VOCABULARY`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from bench_atelier.edition import Parts
from bench_atelier.photograph import encode_jpeg
from bench_atelier.shop import take_shop_photograph
from bench_atelier.wardrobe import sample_garment

Family = Mapping[str, Mapping[str, Mapping[str, str]]]


@dataclass(frozen=True)
class Product:
    """One combination: a dataset's label for each attribute, and what these fix of the drawing."""

    labels: Mapping[str, str]
    drawing: Mapping[str, str]


def all_combinations(families: Sequence[Family]) -> list[Product]:
    """Return every combination of the values of each family."""
    products = []
    for family in families:
        for values in product(*family.values()):
            labels = dict(zip(family, values, strict=True))
            fixed = [family[attribute][value] for attribute, value in labels.items()]
            products.append(Product(labels, {k: v for part in fixed for k, v in part.items()}))
    return products


def draw_stock(
    families: Sequence[Family], count: int, generator: np.random.Generator
) -> list[Product]:
    """Return `count` products in random order, each combination as often as the others."""
    products = all_combinations(families)
    order = generator.permutation(len(products))
    stock = [products[order[number % len(products)]] for number in range(count)]
    return [stock[place] for place in generator.permutation(count)]


def photograph_product(product: Product, numbers: Sequence[int]) -> tuple[bytes, Parts]:
    """Return a shop's photograph of a product: a JPEG file of at most 200 pixels a side, its parts.

    All that the product leaves open is drawn from the seed `numbers`.
    """
    generator = np.random.default_rng(list(numbers))
    fixed = dict(product.drawing)
    garment = sample_garment(generator, fixed.pop("category"), fixed=fixed)
    size = int(generator.integers(128, 161)), int(generator.integers(168, 201))
    photograph = take_shop_photograph(garment, generator, size=size, parts=True)
    quality = int(generator.integers(80, 93))
    return encode_jpeg(photograph.pixels, quality=quality), photograph.parts
