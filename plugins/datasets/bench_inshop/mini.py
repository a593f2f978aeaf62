"""The mini edition of In-shop: drawn garments from several sides, in the published layout."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from bench_atelier.attributes import fix_fabric
from bench_atelier.colours import PALETTE
from bench_atelier.composition import Photograph, PixelBox, tight_box
from bench_atelier.edition import write_described_edition
from bench_atelier.garments import HEIGHT, WIDTH, Garment, Outfit, Pose, draw_garment
from bench_atelier.render import render_svg
from bench_atelier.shop import take_shop_photograph
from bench_atelier.wardrobe import sample_garment, vary_garment
from PIL import Image

from bench_inshop.resolution import SIDE

ITEMS = 1200
# category folder → what is drawn, and its share of the items
CATEGORIES: Mapping[str, tuple[str, float]] = {
    "WOMEN/Dresses": ("dress", 0.6),
    "WOMEN/Tees_Tanks": ("t-shirt", 0.08),
    "WOMEN/Blouses_Shirts": ("shirt", 0.08),
    "WOMEN/Sweaters": ("longsleeve", 0.05),
    "WOMEN/Skirts": ("skirt", 0.05),
    "WOMEN/Jackets_Coats": ("outwear", 0.05),
    "WOMEN/Rompers_Jumpsuits": ("jumpsuit", 0.05),
    "MEN/Pants": ("pants", 0.04),
}
# name of the published view → view of the shop; the flat one shows the garment alone
VIEWS = {"1_front": "front", "2_side": "side", "3_back": "back", "4_full": "full",
         "6_flat": "flat", "7_additional": "detail"}  # fmt: skip
SOMETIMES = {"4_full": 0.52, "6_flat": 0.1}  # the other views there always are
COLOURS = {"train": 1, "test": 2}  # of each garment
TEST = 1 / 12  # share of the items; most are for training, since attributes are learnt from many
TRAINING_VIEWS = 2  # of each of those
QUERIES = 0.53  # share of a test item's pictures that are queries
_PLAN, _GARMENT, _COPY, _DYE, _PICTURE = range(5)  # keep the generators of one seed apart


@dataclass(frozen=True)
class MiniItem:
    """One garment; it is a near copy of item `original`, where that is not itself."""

    number: int
    original: int
    category: str
    split: str  # train or test
    colours: tuple[str, ...]  # one for each series of pictures

    @property
    def name(self) -> str:
        """The item id."""
        return f"id_{self.number:08}"


@dataclass(frozen=True)
class MiniImage:
    """One picture to draw."""

    item: MiniItem
    series: int  # from 0
    view: str
    split: str  # train, query or gallery
    seed: int

    @property
    def name(self) -> str:
        """The path that the annotation files have."""
        return f"img/{self.item.category}/{self.item.name}/{self.series + 1:02}_{self.view}.jpg"


def plan_mini(*, seed: int, items: int = ITEMS) -> list[MiniImage]:
    """Return the pictures of `items` garments, by name; most of each category are for training."""
    generator = np.random.default_rng([seed, _PLAN])
    numbers = iter((generator.permutation(items) + 1).tolist())
    images = []
    for category, count in _items_by_category(items).items():
        previous: MiniItem | None = None
        tests = max(2, math.ceil(count * TEST))  # one would have no other to be told from
        for place in range(count):
            split = "test" if place < tests else "train"
            copies = split == "test" and place % 8 == 7
            colours = generator.choice(list(PALETTE), COLOURS[split], replace=False)
            number = next(numbers)
            item = MiniItem(number, number, category, split, tuple(colours.tolist()))
            if copies and previous:  # two test items that are easily confused
                item = replace(item, original=previous.number, colours=previous.colours)
            previous = item
            images += _plan_images(generator, item, seed)
    return sorted(images, key=lambda image: image.name)


def _items_by_category(items: int) -> dict[str, int]:
    """Return how many items each category has; they sum to `items`."""
    counts = {name: math.floor(share * items) for name, (_, share) in CATEGORIES.items()}
    for name in list(CATEGORIES)[: items - sum(counts.values())]:
        counts[name] += 1
    return counts


def _plan_images(generator: np.random.Generator, item: MiniItem, seed: int) -> list[MiniImage]:
    images = [
        MiniImage(item, series, view, "train", seed)
        for series in range(len(item.colours))
        for view in VIEWS
        if generator.random() < SOMETIMES.get(view, 1)
    ]
    if item.split == "train":
        kept = np.sort(generator.permutation(len(images))[:TRAINING_VIEWS])
        return [images[place] for place in kept]
    # The first colour asks for the second, so that colour alone does not find a garment.
    order = sorted(generator.permutation(len(images)).tolist(), key=lambda at: images[at].series)
    queries = set(order[: round(QUERIES * len(images))])
    return [
        replace(image, split="query" if place in queries else "gallery")
        for place, image in enumerate(images)
    ]


def make_garment(item: MiniItem, series: int, *, seed: int) -> Garment:
    """Return the garment in the colour of a series; the cut is that of the item."""
    kind, _ = CATEGORIES[item.category]
    garment = sample_garment(np.random.default_rng([seed, _GARMENT, item.original]), kind)
    if item.original != item.number:
        garment = vary_garment(garment, np.random.default_rng([seed, _COPY, item.number]))
    generator = np.random.default_rng([seed, _DYE, item.number, series])
    cloth = garment.fabric
    dyed = fix_fabric(cloth, {"colour": item.colours[series]}, generator).pattern
    colours = replace(cloth.pattern, ground=dyed.ground, second=dyed.second, third=dyed.third)
    fabric = replace(cloth, pattern=colours)
    if isinstance(garment, Outfit):
        top, bottom = replace(garment.top, fabric=fabric), replace(garment.bottom, fabric=fabric)
        return replace(garment, top=top, bottom=bottom)
    return replace(garment, fabric=fabric)


def draw_image(image: MiniImage) -> tuple[bytes, PixelBox]:
    """Return the JPEG file of a picture, 256 x 256 with white beside it, and the garment's box.

    They depend on nothing but the image.
    """
    number = list(VIEWS).index(image.view)
    seeds = [image.seed, _PICTURE, image.item.number, image.series, number]
    generator = np.random.default_rng(seeds)
    garment = make_garment(image.item, image.series, seed=image.seed)
    view = VIEWS[image.view]
    if view == "flat":
        photograph = _cut_out(garment)
    else:
        photograph = take_shop_photograph(garment, generator, view=view)
    scale = SIDE / HEIGHT
    width = round(WIDTH * scale)
    margin = (SIDE - width) // 2
    picture = Image.new("RGB", (SIDE, SIDE), "white")
    shrunk = Image.fromarray(photograph.pixels).resize((width, SIDE), Image.Resampling.LANCZOS)
    picture.paste(shrunk, (margin, 0))
    buffer = io.BytesIO()
    picture.save(buffer, format="JPEG", quality=int(generator.integers(85, 95)))
    x1, y1, x2, y2 = (corner * scale for corner in photograph.box)
    box = margin + math.floor(x1), math.floor(y1), margin + math.ceil(x2), math.ceil(y2)
    return buffer.getvalue(), box


def _cut_out(garment: Garment) -> Photograph:
    """Return a picture of the garment alone on white, as shops cut it out of a photograph."""
    drawing = render_svg(draw_garment(garment, Pose(hanging=False, arms=(72, 72)), fill=0.9))
    layer = Image.fromarray(drawing)
    picture = Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer)
    return Photograph(np.array(picture.convert("RGB")), tight_box(layer.getchannel("A")))


def draw_mini(root: Path, *, seed: int, items: int = ITEMS) -> None:
    """Write the mini edition below root: Anno, Eval and Img/img.

    Raises:
        UserError: root is a file or a folder that holds something.

    """
    from bench_inshop.mini_files import annotation_files

    images = plan_mini(seed=seed, items=items)

    def describe(boxes: Mapping[str, PixelBox]) -> Mapping[str, str]:
        return annotation_files(images, list(boxes.values()))

    pictures = {f"Img/{image.name}": image for image in images}
    write_described_edition(root, pictures, draw_image, describe)
