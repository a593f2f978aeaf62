"""The mini edition of iMaterialist: drawn garments in the layout of the published files."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from bench_atelier.edition import Parts, regions_file, write_described_edition
from bench_atelier.products import Family, Product, draw_stock, photograph_product

from bench.splits import files_of
from bench_imaterialist.labels import FILE as LABEL_MAP

COUNT = 1800
SHARES = {"validation": 0.1, "test": 0.04}  # of the images; those of the test have no labels
NOISY = 0.06  # share of the images that have a second label of one of these attributes
NOISY_ATTRIBUTES = ("category", "color", "pattern")
# attribute -> published number; nobody wears these garments, so gender and style have no labels
TASKS = {"category": 1, "color": 2, "material": 4, "neckline": 5, "pattern": 6, "sleeve": 8}
_COLORS = {
    "Black": {"colour": "black"},
    "Blue": {"colour": "blue"},
    "Gray": {"colour": "grey"},
    "Green": {"colour": "green"},
    "Red": {"colour": "red"},
    "Yellow": {"colour": "yellow"},
}
# where the drawing kit knows an attribute to be
_REGIONS = {"neckline": "neck", "sleeve": "sleeves"}
FAMILIES: tuple[Family, ...] = (
    {
        "category": {
            "T-Shirts": {"category": "t-shirt"},
            "Pullover Sweaters": {"category": "longsleeve"},
            "Casual Dresses": {"category": "dress", "length": "knee"},
        },
        "color": _COLORS,
        "material": {"Cotton": {"texture": "smooth"}},
        "neckline": {
            "Round Neck": {"neckline": "crew"},
            "V-Necks": {"neckline": "v-neck"},
        },
        "pattern": {
            "Floral": {"pattern": "floral"},
            "Stripes": {"pattern": "stripes-horizontal"},
        },
        "sleeve": {
            "Long Sleeved": {"sleeve_length": "long"},
            "Short Sleeves": {"sleeve_length": "short"},
        },
    },
    {
        "category": {
            "Casual Pants": {"category": "pants", "length": "full"},
            "Casual Shorts": {"category": "shorts", "length": "short"},
            "Skirts": {"category": "skirt", "length": "knee"},
        },
        "color": _COLORS,
        "material": {
            "Corduroy": {"texture": "corduroy"},
            "Cotton": {"texture": "smooth"},
            "Knit": {"texture": "cable-knit"},
        },
        "pattern": {
            "Plaid": {"pattern": "plaid"},
            "Polka Dot": {"pattern": "polka-dots"},
        },
    },
)


@dataclass(frozen=True)
class MiniImage:
    """One image to draw, with its labels by attribute."""

    split: str
    number: int  # its image id, from 1 in each split
    product: Product
    labels: Mapping[str, Sequence[str]]

    @property
    def path(self) -> str:
        """Return the path below the root."""
        return f"{self.split}/{self.number}.jpg"

    @property
    def noisy(self) -> bool:
        """Return whether it has two labels of one attribute."""
        return any(len(values) > 1 for values in self.labels.values())


def plan_mini(*, seed: int, count: int | None = None) -> list[MiniImage]:
    """Return the images of the mini edition, by split and image id."""
    generator = np.random.default_rng(seed)
    stock = draw_stock(FAMILIES, count or COUNT, generator)
    counts = {split: max(1, int(share * len(stock))) for split, share in SHARES.items()}
    counts = {"train": len(stock) - sum(counts.values()), **counts}
    places = [(split, number) for split in counts for number in range(1, counts[split] + 1)]
    images = []
    for (split, number), product in zip(places, stock, strict=True):
        labels = {name: [value] for name, value in product.labels.items()}
        if generator.random() < NOISY:
            _add_label(labels, generator)
        images.append(MiniImage(split, number, product, labels))
    return images


def draw_image(image: MiniImage, *, seed: int) -> tuple[bytes, Parts]:
    """Return the JPEG file of one image and the boxes of its parts, by image and seed alone."""
    split = ("train", *SHARES).index(image.split)
    return photograph_product(image.product, (seed, split, image.number))


def draw_mini(root: Path, *, seed: int, count: int | None = None) -> None:
    """Write the mini edition of iMaterialist below root, with a label map of what is drawn.

    Raises:
        UserError: root is a file or a folder that holds something.

    """
    images = plan_mini(seed=seed, count=count)
    pictures = {image.path: image for image in images}
    files = annotation_files(images)
    write_described_edition(
        root, pictures, partial(draw_image, seed=seed),
        lambda parts: files | regions_file(parts, _REGIONS),
    )  # fmt: skip


def annotation_files(images: Sequence[MiniImage]) -> dict[str, str]:
    """Return the content of label map, JSON files and index files, by path below the root."""
    names = {(value, task) for family in FAMILIES for task in family for value in family[task]}
    label_of = {name: str(number) for number, name in enumerate(sorted(names), start=1)}
    files = {LABEL_MAP: _label_map(label_of)}
    for split in ("train", *SHARES):
        part = [image for image in images if image.split == split]
        files[f"{split}.json"] = _annotations(part, label_of, labelled=split != "test")
    single = [str(image.number) for image in images if image.split == "train" and not image.noisy]
    return files | files_of(single)


def _add_label(labels: dict[str, list[str]], generator: np.random.Generator) -> None:
    """Add a second label of one attribute, as annotators did who could not decide."""
    name = NOISY_ATTRIBUTES[int(generator.integers(len(NOISY_ATTRIBUTES)))]
    known = {value for family in FAMILIES for value in family[name]}
    others = sorted(known - set(labels[name]))
    labels[name].append(others[int(generator.integers(len(others)))])


def _label_map(label_of: Mapping[tuple[str, str], str]) -> str:
    """Return the label map with Windows line ends, as published."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["labelId", "taskId", "labelName", "taskName"])
    for (value, task), label in label_of.items():
        writer.writerow([label, TASKS[task], value, task])
    return text.getvalue()


def _annotations(
    images: Sequence[MiniImage], label_of: Mapping[tuple[str, str], str], *, labelled: bool
) -> str:
    """Return one line of JSON with ids as strings, as Kaggle served the published ones."""
    content: dict[str, Any] = {
        "images": [
            {"url": f"https://example.com/{image.path}", "imageId": str(image.number)}
            for image in images
        ]
    }
    if labelled:
        content["annotations"] = [
            {
                "labelId": [
                    label_of[value, task] for task, values in image.labels.items()
                    for value in values
                ],
                "imageId": str(image.number),
            }
            for image in images
        ]  # fmt: skip
    return json.dumps(content)
