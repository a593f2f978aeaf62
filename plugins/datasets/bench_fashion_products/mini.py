"""The mini edition of `fashion-products`: a drawn catalogue in the published layout."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from bench_atelier.carried import Carried
from bench_atelier.edition import write_edition
from bench_atelier.garments import Garment
from bench_atelier.photograph import encode_jpeg
from bench_atelier.shop import take_shop_photograph

from bench_fashion_products.assortment import (
    COLOURS,
    LINES,
    PARENTS,
    sample_colour,
    sample_item,
    season_of,
)
from bench_fashion_products.styles import HEADER

ITEMS = 23  # products of a line whose share is 1
SIZE = (180, 240)  # width, height
COPIES = 0.02  # share of the products that have the picture of another one
ABSENT = 2  # products without a picture, as the published catalogue has some
MISSING = 0.03  # share of the fields colour, season and usage that are NA
COMMAS = 0.06  # share of the names with a comma
BRANDS = ("Halyard", "Mirabelle", "Tamarack", "Nordwind", "Ostrava", "Petrel")
_FIRST_NUMBER = 10_000
_PLAN, _ITEM, _PICTURE, _TEXT = range(4)  # keep the generators of one seed apart


@dataclass(frozen=True)
class MiniProduct:
    """A product: its id, its place in `LINES`, its colour, and the id whose picture it has."""

    number: int
    line: int
    colour: str
    original: int

    @property
    def path(self) -> str:
        """Return the path of its picture below the root."""
        return f"images/{self.number}.jpg"


def plan_mini(*, seed: int = 0, items: int = ITEMS) -> list[MiniProduct]:
    """Return the products in the order of their ids."""
    generator = np.random.default_rng([seed, _PLAN])
    lines = [
        place for place, line in enumerate(LINES) for _ in range(max(1, round(line.share * items)))
    ]
    numbers = (generator.permutation(len(lines)) + _FIRST_NUMBER).tolist()
    products: list[MiniProduct] = []
    for number, place in zip(numbers, lines, strict=True):
        product = MiniProduct(number, place, sample_colour(generator, LINES[place]), number)
        before = products[-1] if products else product
        if generator.random() < COPIES and before.line == place:
            product = MiniProduct(number, place, before.colour, before.original)
        products.append(product)
    return sorted(products, key=lambda product: product.number)


def make_item(product: MiniProduct, *, seed: int) -> Garment | Carried:
    """Return what the product's picture shows."""
    generator = np.random.default_rng([seed, _ITEM, product.original])
    return sample_item(generator, LINES[product.line], product.colour)


def draw_picture(product: MiniProduct, *, seed: int) -> bytes:
    """Return the JPEG file of a product; it depends on nothing but product and seed."""
    generator = np.random.default_rng([seed, _PICTURE, product.original])
    photograph = take_shop_photograph(make_item(product, seed=seed), generator, size=SIZE)
    return encode_jpeg(photograph.pixels, quality=int(generator.integers(85, 95)))


def describe(product: MiniProduct, *, seed: int) -> str:
    """Return the product's line of `styles.csv`; some fields are missing or, of copies, differ."""
    generator = np.random.default_rng([seed, _TEXT, product.number])
    line, colour = LINES[product.line], COLOURS[product.colour]
    if product.original != product.number and generator.random() < 0.2:
        colour = "Multi"  # another person's word for the same picture
    brand = BRANDS[int(generator.integers(len(BRANDS)))]
    name = f"{brand} {line.gender} {colour} {line.article}"
    if generator.random() < COMMAS:
        name += ", Pack of 1"
    season = season_of(make_item(product, seed=seed), line)
    colour, season, usage = (
        "NA" if generator.random() < MISSING else text for text in (colour, season, line.usage)
    )
    year = int(generator.integers(2011, 2014))
    fields = (product.number, line.gender, *PARENTS[line.article], line.article, colour, season,
              year, usage, name)  # fmt: skip
    return ",".join(map(str, fields))


def draw_mini(root: Path, *, seed: int = 0, items: int = ITEMS) -> None:
    """Write the mini edition below root: styles.csv and images.

    Raises:
        UserError: root is a file or a folder that holds something.

    """
    products = plan_mini(seed=seed, items=items)
    styles = "\n".join([HEADER, *(describe(product, seed=seed) for product in products), ""])
    alone = [product for product in products if product.original == product.number]
    copied = {product.original for product in products if product.original != product.number}
    absent = [product for product in alone if product.number not in copied][:ABSENT]
    pictures = {product.path: product for product in products if product not in absent}
    write_edition(root, pictures, partial(draw_picture, seed=seed), {"styles.csv": styles})
