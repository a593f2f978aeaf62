"""Annotation files of DeepFashion In-shop at their published size; what they say is made up."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

# query, gallery and training images of each category folder
IMAGES = {
    "WOMEN/Tees_Tanks": (2955, 2704, 5983),
    "WOMEN/Blouses_Shirts": (2094, 1843, 4027),
    "WOMEN/Dresses": (1901, 1647, 3451),
    "WOMEN/Shorts": (988, 857, 1631),
    "MEN/Tees_Tanks": (842, 759, 1244),
    "WOMEN/Sweaters": (735, 659, 1642),
    "WOMEN/Skirts": (614, 545, 886),
    "WOMEN/Jackets_Coats": (545, 480, 870),
    "WOMEN/Pants": (505, 490, 809),
    "WOMEN/Rompers_Jumpsuits": (486, 406, 804),
    "WOMEN/Cardigans": (398, 354, 684),
    "WOMEN/Graphic_Tees": (365, 276, 656),
    "MEN/Pants": (310, 284, 423),
    "MEN/Shorts": (261, 229, 510),
    "WOMEN/Sweatshirts_Hoodies": (239, 203, 414),
    "MEN/Shirts_Polos": (218, 206, 298),
    "MEN/Sweatshirts_Hoodies": (202, 175, 398),
    "MEN/Sweaters": (197, 160, 248),
    "MEN/Denim": (109, 96, 206),
    "MEN/Jackets_Vests": (90, 81, 253),
    "WOMEN/Denim": (82, 86, 225),
    "WOMEN/Leggings": (68, 62, 205),
    "MEN/Suiting": (14, 10, 15),
}
TEST_ITEMS, TRAIN_ITEMS = 3985, 3997
DRESS_TEST_ITEMS = 624
IN_TWO_FOLDERS = 99  # items with images in two category folders
ATTRIBUTES, ON_DRESSES = 463, 336
COLOURS = ("Black", "Cream", "Heather grey", "Navy", "Off-white", "Red/black")
VIEWS = ("1_front", "2_side", "3_back", "4_full", "7_additional", "6_flat")


@dataclass(frozen=True)
class Image:
    """One row of the partition file."""

    category: str
    item: int
    number: int  # among the item's images in this folder
    split: str

    @property
    def name(self) -> str:
        """The path as the annotation files have it."""
        series, view = divmod(self.number, len(VIEWS))
        return f"img/{self.category}/id_{self.item:08}/{series + 1:02}_{VIEWS[view]}.jpg"


def write_published(root: Path) -> None:
    """Write Eval and Anno with 52,712 images of 7,982 items; there are no pictures."""
    images = make_images()
    _write(
        root / "Eval/list_eval_partition.txt",
        len(images),
        "image_name item_id evaluation_status",
        [f"{image.name:<71}id_{image.item:08} {image.split:<11}" for image in images],
    )
    _write(
        root / "Anno/list_bbox_inshop.txt",
        len(images),
        "image_name  clothes_type  pose_type  x_1  y_1  x_2  y_2",
        [
            f"{image.name:<71}3  {1 + image.number % 6}  "
            f"{40 + image.item % 40:03}  {image.item % 60:03}  233  {200 + image.item % 57:03}"
            for image in images
        ],
    )
    _write(
        root / "Anno/attributes/list_color_cloth.txt",
        len(images),
        "image_name  color",
        [
            f"{image.name:<71}{COLOURS[(image.item + image.number) % len(COLOURS)]}"
            for image in images
        ],
    )
    items = range(1, TEST_ITEMS + TRAIN_ITEMS + 1)
    _write(root / "Anno/list_item_inshop.txt", len(items), None, [f"id_{i:08}" for i in items])
    _write(
        root / "Anno/attributes/list_attr_cloth.txt",
        ATTRIBUTES,
        "attribute_name",
        [f"three-quarter cut {number}" for number in range(ATTRIBUTES)],
    )
    dresses = {image.item for image in images if image.category == "WOMEN/Dresses"}
    _write(
        root / "Anno/attributes/list_attr_items.txt",
        len(items),
        "item_id attribute_labels",
        _attribute_rows(items, dresses),
    )


def make_images() -> list[Image]:
    """Return all images; training and test items take turns in being numbered."""
    training = [counts[2] for counts in IMAGES.values()]
    test = [counts[:2] for counts in IMAGES.values()]
    boundaries = len(IMAGES) - 1
    shared = [IN_TWO_FOLDERS // (2 * boundaries)] * (2 * boundaries)
    for place in range(IN_TWO_FOLDERS - sum(shared)):
        shared[place] += 1
    train_items = _share_out(training, TRAIN_ITEMS + sum(shared[:boundaries]))
    galleries = [gallery for _, gallery in test]
    test_items = _share_out(galleries, TEST_ITEMS + sum(shared[boundaries:]), DRESS_TEST_ITEMS)
    images: list[Image] = []
    first_train, first_test = 1, TRAIN_ITEMS + 1
    for place, category in enumerate(IMAGES):
        for split, count, first, items in (
            ("train", training[place], first_train, train_items[place]),
            ("query", test[place][0], first_test, test_items[place]),
            ("gallery", test[place][1], first_test, test_items[place]),
        ):
            before = test[place][0] // items + 1 if split == "gallery" else 0
            images += [
                Image(category, first + number % items, before + number // items, split)
                for number in range(count)
            ]
        if place < boundaries:  # the last items of a folder are the first ones of the next
            first_train += train_items[place] - shared[place]
            first_test += test_items[place] - shared[boundaries + place]
    return images


def _share_out(images: list[int], items: int, dresses: int | None = None) -> list[int]:
    """Return how many items each category has, in proportion to its images; they sum to `items`."""
    shares = [count * items // sum(images) for count in images]
    if dresses is not None:
        shares[list(IMAGES).index("WOMEN/Dresses")] = dresses
    shares[0] += items - sum(shares)
    return shares


def _attribute_rows(items: range, dresses: set[int]) -> list[str]:
    """Return a row for each item; dresses have the first 336 attributes only, each of them."""
    generator = np.random.default_rng(0)
    has = generator.random((len(items), ATTRIBUTES)) < 0.01
    on_dress = np.array(sorted(dresses)) - 1
    has[on_dress, ON_DRESSES:] = False
    has[on_dress, np.arange(len(on_dress)) % ON_DRESSES] = True
    texts = np.where(has, b"  1", b" -1")
    return [f"id_{item:08}{texts[row].tobytes().decode()}" for row, item in enumerate(items)]


def _write(file: Path, count: int, names: str | None, rows: list[str]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    head = [str(count)] if names is None else [str(count), names]
    file.write_text("\n".join([*head, *rows, ""]), encoding="utf-8")
