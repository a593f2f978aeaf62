"""The mini edition of `street2shop`: drawn products in the published layout."""

from __future__ import annotations

import csv
import io
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from bench_atelier.composition import Photograph
from bench_atelier.edition import write_described_edition
from bench_atelier.photograph import encode_jpeg
from bench_atelier.shop import take_shop_photograph
from bench_atelier.stock import choose
from bench_atelier.street import StreetCamera, take_street_photograph

from bench.errors import UserError
from bench_street2shop import CATEGORIES
from bench_street2shop.goods import ATTRIBUTES, Product, describe, sample_product
from bench_street2shop.photographs import canonical

Box = tuple[int, int, int, int]  # left, top, right, bottom in pixels, the last two exclusive

PRODUCTS = 30  # of each of the large categories
LARGE = ("dresses", "outerwear", "pants", "skirts", "tops")
SMALL_SHARE = 0.55  # of the products of a large category
TEST_SHARE = 0.47  # of the products; the others are in train_pairs
STREET_SIZE, SHOP_SIZE = (240, 320), (210, 280)  # width, height
STREET_ROWS = {"test": {1: 9, 2: 8, 3: 3}, "train": {1: 6, 2: 8, 3: 6}}  # per product: weights
SHOP_PHOTOS = {1: 16, 2: 3, 3: 1}  # per product: weights
# near copies per product of the test, each with one shop photograph: in large and small categories
COPIES_LARGE, COPIES_SMALL = {3: 1, 4: 1}, {6: 1}
VIEWS = {"front": 5, "side": 2, "back": 2, "full": 2, "detail": 1}  # weights
PAIRED = 0.2  # share of street rows whose photograph shows two products
BOXED_TWICE = 0.06  # share of the other street rows whose product is boxed a second time
SLACK = (0.12, 0.25)  # by which the first and the second box may be too large on each side

# set once, by one measurement before any method was tuned: see the README
CAMERA = StreetCamera(
    rotation=16,
    tilt=0.16,
    wobble=7,
    distance=0.68,
    closeness=0.1,
    shift=0.2,
    occlusion=0.9,
    shadow=0.65,
    motion=0.5,
    lighting=0.7,
    blur=2.4,
    noise=15,
)


@dataclass(frozen=True)
class Picture:
    """One photograph to draw: of one product or, in the street, of two side by side.

    `view` is that of a shop photograph, "" in the street, where one product may have two `boxes`.
    """

    photo: int
    products: tuple[Product, ...]
    view: str
    boxes: int = 1


@dataclass(frozen=True)
class Shot:
    """A drawn picture: a JPEG file, its boxes with the product in each, attributes if of one."""

    jpeg: bytes
    boxes: tuple[tuple[Product, Box], ...]
    attributes: Mapping[str, str]


@dataclass(frozen=True)
class Plan:
    """The pictures of an edition: those of test_pairs, of train_pairs and of the shops."""

    test: Sequence[Picture]
    train: Sequence[Picture]
    shop: Sequence[Picture]


def plan_mini(*, seed: int = 0, products: int = PRODUCTS) -> Plan:
    """Return what to draw, for a number of products per large category.

    Raises:
        UserError: there are fewer than 4 products.

    """
    if products < 4:
        raise UserError(f"{products} products per large category; expected at least 4")
    generator = np.random.default_rng([seed, 0])
    rows: dict[str, list[Product]] = {"test": [], "train": []}
    shown: list[tuple[Product, str]] = []
    for category in CATEGORIES:
        count = products if category in LARGE else round(products * SMALL_SHARE)
        tested = round(count * TEST_SHARE)
        weights = COPIES_LARGE if category in LARGE else COPIES_SMALL
        copies = [_count(generator, weights) for _ in range(tested)] + [0] * (count - tested)
        numbers = iter((generator.permutation(count + sum(copies)) + 1).tolist())
        for place in range(count):
            number = next(numbers)
            product = Product(category, number, number)
            split = "test" if place < tested else "train"
            rows[split] += [product] * _count(generator, STREET_ROWS[split])
            offered = [product] * _count(generator, SHOP_PHOTOS)
            offered += [Product(category, next(numbers), number) for _ in range(copies[place])]
            shown += [(product, choose(generator, VIEWS)) for product in offered]
    test, train = (_arrange(generator, rows[split]) for split in ("test", "train"))
    total = len(test) + len(train) + len(shown)
    photos = iter((generator.permutation(total) + 1).tolist())
    return Plan(
        test=[Picture(next(photos), of, "", boxes) for of, boxes in test],
        train=[Picture(next(photos), of, "", boxes) for of, boxes in train],
        shop=[Picture(next(photos), (product,), view) for product, view in shown],
    )


def draw_picture(picture: Picture, *, seed: int) -> Shot:
    """Return one photograph; it depends on nothing but the picture and the seed."""
    generator = np.random.default_rng([seed, 3, picture.photo])
    items = [sample_product(product, seed=seed) for product in picture.products]
    if picture.view:
        shots = [take_shop_photograph(items[0], generator, size=SHOP_SIZE, view=picture.view)]
    else:
        shots = [
            take_street_photograph(item, generator, size=STREET_SIZE, camera=CAMERA)
            for item in items
        ]
    boxes = []
    for place, (product, shot) in enumerate(zip(picture.products, shots, strict=True)):
        for slack in SLACK[: picture.boxes]:
            boxes.append((product, _mark(shot, generator, slack, across=place * STREET_SIZE[0])))
    pixels = np.concatenate([shot.pixels for shot in shots], axis=1)
    jpeg = encode_jpeg(pixels, quality=int(generator.integers(78, 93)))
    return Shot(jpeg, tuple(boxes), describe(items[0]) if len(items) == 1 else {})


def draw_mini(root: Path, *, seed: int = 0, products: int = PRODUCTS) -> None:
    """Write the mini edition below root: photos, meta, images.

    Raises:
        UserError: root holds something, or there are fewer than 4 products.

    """
    plan = plan_mini(seed=seed, products=products)
    pictures = {
        canonical(picture.photo): picture for picture in (*plan.test, *plan.train, *plan.shop)
    }

    def describe_all(shots: Mapping[str, Shot]) -> Mapping[str, str]:
        photos = [picture.photo for picture in pictures.values()]
        return annotate(plan, dict(zip(photos, shots.values(), strict=True)))

    write_described_edition(root, pictures, partial(_draw, seed=seed), describe_all)


def _draw(picture: Picture, *, seed: int) -> tuple[bytes, Shot]:
    shot = draw_picture(picture, seed=seed)
    return shot.jpeg, shot


def annotate(plan: Plan, shots: Mapping[int, Shot]) -> dict[str, str]:
    """Return photos.txt, the 33 JSON files and attributes.csv by their paths below the root."""
    rows: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for kind, pictures in (("test", plan.test), ("train", plan.train)):
        for picture in sorted(pictures, key=lambda picture: picture.photo):
            for product, (left, top, right, bottom) in shots[picture.photo].boxes:
                rows[f"{kind}_pairs_{product.category}"].append(
                    {
                        "photo": picture.photo,
                        "product": product.number,
                        "bbox": {
                            "width": right - left,
                            "top": top,
                            "left": left,
                            "height": bottom - top,
                        },
                    }
                )
    for picture in sorted(plan.shop, key=lambda picture: picture.photo):
        [product] = picture.products
        row = {"photo": picture.photo, "product": product.number}
        rows[f"retrieval_{product.category}"].append(row)
    files = {
        f"meta/json/{kind}_{category}.json": json.dumps(rows[f"{kind}_{category}"])
        for kind in ("test_pairs", "train_pairs", "retrieval")
        for category in CATEGORIES
    }
    photos = sorted(shots)
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(("photo", *ATTRIBUTES))
    for photo in photos:
        if shots[photo].attributes:
            writer.writerow((photo, *(shots[photo].attributes[name] for name in ATTRIBUTES)))
    addresses = (f"{photo:09d},http://example.invalid/{photo:09d}.jpg\n" for photo in photos)
    return {
        "photos/photos.txt": "".join(addresses),
        "meta/attributes.csv": table.getvalue(),
        **files,
    }


def _count(generator: np.random.Generator, weights: Mapping[int, int]) -> int:
    return int(choose(generator, {str(count): weight for count, weight in weights.items()}))


def _arrange(
    generator: np.random.Generator, rows: Sequence[Product]
) -> list[tuple[tuple[Product, ...], int]]:
    """Return the products and the number of boxes of each street photograph that rows make."""
    order = [rows[place] for place in generator.permutation(len(rows))]
    paired = 2 * round(len(rows) * PAIRED / 2)
    photographs: list[tuple[tuple[Product, ...], int]] = []
    for one, other in zip(order[:paired:2], order[1:paired:2], strict=True):
        together = ((one, other),) if one != other else ((one,), (other,))
        photographs += [(products, 1) for products in together]
    for product in order[paired:]:
        photographs.append(((product,), 2 if generator.random() < BOXED_TWICE else 1))
    return photographs


def _mark(shot: Photograph, generator: np.random.Generator, slack: float, *, across: int) -> Box:
    """Return the box as a person marks it: each side a little off, up to `slack` too large.

    The photograph begins `across` pixels from the left of the picture.
    """
    left, top, right, bottom = shot.box
    height, width = shot.pixels.shape[:2]
    off = generator.uniform(-slack / 2, slack, size=4)
    wide, high = right - left, bottom - top
    return (
        across + max(0, round(left - float(off[0]) * wide)),
        max(0, round(top - float(off[1]) * high)),
        across + min(width, round(right + float(off[2]) * wide)),
        min(height, round(bottom + float(off[3]) * high)),
    )
