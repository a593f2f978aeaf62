"""The mini edition of `darn`: drawn garments in the layout of the pair files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from bench_atelier.edition import Parts, regions_file, write_described_edition
from bench_atelier.photograph import encode_jpeg
from bench_atelier.shop import take_shop_photograph
from bench_atelier.stock import choose
from bench_atelier.street import StreetCamera, take_street_photograph
from bench_atelier.wardrobe import vary_garment

from bench.errors import UserError
from bench_darn_pairs.mapping import sample_item, sample_look, tags_of

ITEMS = 60  # of the validation pairs
# the rest in proportion to these: items of the training pairs, further shop images of either split
TRAIN_ITEMS, TRAIN_OTHERS, VALIDATION_OTHERS = 11 / 6, 10 / 3, 5
COPIES = {1: 1, 2: 1}  # near copies per item of the validation pairs: weights
STREET_PHOTOGRAPHS = {1: 2, 2: 1}  # per item: weights
INCOMPLETE = 0.12  # share of the items that one or two tags are missing of
STREET_SIZE, SHOP_SIZE = (240, 320), (210, 280)  # width, height

_LOOK, _ITEM, _COPY, _STREET, _SHOP = range(1, 6)  # what a generator is for

# where the drawing kit knows an attribute to be
_REGIONS = {"collar shape": "neck", "sleeve length": "sleeves", "sleeve shape": "sleeves",
            "length": "hem"}  # fmt: skip

# the camera as it is: nothing was tuned to it
CAMERA = StreetCamera()


@dataclass(frozen=True)
class Item:
    """An item by its number; it nearly copies the item `model`, or has that number itself."""

    number: int
    model: int


@dataclass(frozen=True)
class Picture:
    """One photograph to draw: its path, its number among those of its domain, what it shows."""

    domain: str
    number: int
    item: Item

    @property
    def name(self) -> str:
        """Return the path below the folder of images."""
        return f"{self.domain}/{self.number:06d}.jpg"


@dataclass(frozen=True)
class Split:
    """The street photographs of one split, and its shop photographs, one of each item."""

    street: Sequence[Picture]
    shop: Sequence[Picture]


def plan_mini(*, seed: int = 0, items: int = ITEMS) -> Mapping[str, Split]:
    """Return the pictures of "train" and "validation", for a number of validation items.

    Raises:
        UserError: there are fewer than 4 items.

    """
    if items < 4:
        raise UserError(f"{items} items in pairs; expected at least 4")
    generator = np.random.default_rng([seed, 0])
    copies = np.repeat(np.arange(items), [_count(generator, COPIES) for _ in range(items)])
    copies = copies[: round(items * VALIDATION_OTHERS)]
    paired = {"train": round(items * TRAIN_ITEMS), "validation": items}
    others = {
        "train": round(items * TRAIN_OTHERS),
        "validation": round(items * VALIDATION_OTHERS) - len(copies),
    }
    total = sum(paired.values()) + sum(others.values()) + len(copies)
    numbers = iter((generator.permutation(total) + 1).tolist())
    asked, offered = {}, {}
    for split, count in paired.items():
        own = [Item(number, number) for number in (next(numbers) for _ in range(count))]
        asked[split] = [i for i in own for _ in range(_count(generator, STREET_PHOTOGRAPHS))]
        more = [Item(number, number) for number in (next(numbers) for _ in range(others[split]))]
        offered[split] = [*own, *more]
        if split == "validation":
            offered[split] += [Item(next(numbers), own[model].number) for model in copies]
    street, shop = (
        iter((generator.permutation(sum(map(len, of.values()))) + 1).tolist())
        for of in (asked, offered)
    )
    return {
        split: Split(
            sorted((Picture("street", next(street), item) for item in asked[split]), key=_number),
            sorted((Picture("shop", next(shop), item) for item in offered[split]), key=_number),
        )
        for split in paired
    }


def draw_picture(picture: Picture, *, seed: int) -> tuple[bytes, Parts]:
    """Return the JPEG file of one photograph, by picture and seed alone, and its parts' boxes."""
    item = picture.item
    look = sample_look(np.random.default_rng([seed, _LOOK, item.model]))
    garment = sample_item(look, np.random.default_rng([seed, _ITEM, item.model]))
    if item.number != item.model:
        garment = vary_garment(garment, np.random.default_rng([seed, _COPY, item.number]))
    kind = _STREET if picture.domain == "street" else _SHOP
    generator = np.random.default_rng([seed, kind, picture.number])
    if picture.domain == "street":
        shot = take_street_photograph(
            garment, generator, size=STREET_SIZE, camera=CAMERA, parts=True
        )
    else:
        shot = take_shop_photograph(garment, generator, size=SHOP_SIZE, parts=True)
    return encode_jpeg(shot.pixels, quality=int(generator.integers(78, 93))), shot.parts


def item_tags(item: Item, *, seed: int) -> tuple[int, ...]:
    """Return the tags of an item, some of them -1: its shop did not name these.

    A near copy has the look of its model, described by another shop.
    """
    tags = list(tags_of(sample_look(np.random.default_rng([seed, _LOOK, item.model]))))
    generator = np.random.default_rng([seed, _COPY, item.number, 1])
    if generator.random() < INCOMPLETE:
        # the category is always named
        for place in generator.integers(1, len(tags), size=2).tolist():
            tags[place] = -1
    return tuple(tags)


def annotate(plan: Mapping[str, Split], *, seed: int) -> dict[str, str]:
    """Return the four files by their names."""
    files = {}
    for split, pictures in plan.items():
        shop_of, rows = {}, []
        for picture in pictures.shop:
            tags = " ".join(map(str, item_tags(picture.item, seed=seed)))
            row = f"{picture.name} {picture.item.number} {tags}\n"
            shop_of[picture.item] = row
            rows.append(row)
        files[f"{split}_shop.txt"] = "".join(rows)
        pairs = (f"{picture.name} {shop_of[picture.item]}" for picture in pictures.street)
        files[f"{split}_pair.txt"] = "".join(pairs)
    return files


def draw_mini(root: Path, *, seed: int = 0, items: int = ITEMS) -> None:
    """Write the mini edition below root: the four files and `images`.

    Raises:
        UserError: root holds something, or there are fewer than 4 items.

    """
    plan = plan_mini(seed=seed, items=items)
    pictures = {
        f"images/{picture.name}": picture
        for split in plan.values()
        for picture in (*split.street, *split.shop)
    }
    files = annotate(plan, seed=seed)
    write_described_edition(
        root, pictures, partial(draw_picture, seed=seed),
        lambda parts: files | regions_file(parts, _REGIONS),
    )  # fmt: skip


def _number(picture: Picture) -> int:
    return picture.number


def _count(generator: np.random.Generator, weights: Mapping[int, int]) -> int:
    return int(choose(generator, {str(count): weight for count, weight in weights.items()}))
