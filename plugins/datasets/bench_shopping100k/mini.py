"""The mini edition of Shopping100k: drawn garments in the layout of the published files."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
from bench_atelier.edition import Parts, regions_file, write_described_edition
from bench_atelier.products import Family, Product, draw_stock, photograph_product

from bench.pictures import split_by_share
from bench.splits import files_of
from bench_shopping100k.vocabulary import FILES, SCHEMA, SIZES

COUNT = 1800
ADDE_SHARES = {"train": 0.6, "test": 0.4}

Labels = npt.NDArray[np.int64]

_COLORS = {
    "black": {"colour": "black"},
    "beige": {"colour": "beige"},
    "blue": {"colour": "blue"},
    "gray": {"colour": "grey"},
    "green": {"colour": "green"},
    "purple": {"colour": "purple"},
    "red": {"colour": "red"},
    "yellow": {"colour": "yellow"},
}
# where the drawing kit knows an attribute to be
_REGIONS = {"collar": "neck", "neckline": "neck", "sleeve length": "sleeves"}
_PLAIN = {"plain": {"pattern": "plain"}}
# what a family does not name is missing in all of it, as a collar is of a t-shirt
FAMILIES: tuple[Family, ...] = (
    {
        "category": {
            "t-shirt": {"category": "t-shirt"},
            "jumper": {"category": "longsleeve", "texture": "knit"},
            "dress": {"category": "dress", "length": "knee"},
        },
        "color": _COLORS,
        "neckline": {"round": {"neckline": "crew"}, "v-neck": {"neckline": "v-neck"}},
        "pattern": _PLAIN | {"striped": {"pattern": "stripes-horizontal"}},
        "sleeve length": {
            "short": {"sleeve_length": "short"},
            "long": {"sleeve_length": "long"},
        },
    },
    {
        "category": {
            "shirt": {"category": "shirt", "length": "regular"},
            "jacket": {"category": "outwear", "length": "regular"},
            "coat": {"category": "outwear", "length": "knee"},
        },
        "collar": {"shirt": {"collar": "shirt"}, "hood": {"collar": "hood"}},
        "color": _COLORS,
        "fastening": {"button": {"fastening": "buttons"}, "zip": {"fastening": "zip"}},
        "pattern": _PLAIN,
    },
    {
        "category": {
            "trouser": {"category": "pants", "length": "full"},
            "shorts": {"category": "shorts", "length": "short"},
            "skirt": {"category": "skirt", "length": "knee"},
        },
        "color": _COLORS,
        "fit": {"slim": {"fit": "slim"}, "loose": {"fit": "loose"}},
        "pattern": _PLAIN,
        "pocket": {"cargo": {"pockets": "cargo"}, "side": {"pockets": "side"}},
    },
)


@dataclass(frozen=True)
class MiniImage:
    """One image to draw: the product, and a random-looking name of hexadecimal digits."""

    product: Product
    name: str

    @property
    def path(self) -> str:
        """Return the path below `Images/`, in folders named as the published ones are."""
        category = self.product.labels["category"]
        number = SCHEMA.attribute("category").values.index(category)
        return f"{self.name[0]}/{number}_{category.title()}/{self.name}.jpg"


def plan_mini(*, seed: int, count: int | None = None) -> list[MiniImage]:
    """Return the images of the mini edition, in the order of their names."""
    stock = draw_stock(FAMILIES, count or COUNT, np.random.default_rng(seed))
    images = [
        MiniImage(product, hashlib.sha256(f"{seed}/{number}".encode()).hexdigest()[:12])
        for number, product in enumerate(stock)
    ]
    return sorted(images, key=lambda image: image.name)


def draw_image(image: MiniImage, *, seed: int) -> tuple[bytes, Parts]:
    """Return the JPEG file of one image and the boxes of its parts, by image and seed alone."""
    return photograph_product(image.product, (seed, int(image.name, 16)))


def draw_mini(root: Path, *, seed: int, count: int | None = None) -> None:
    """Write the mini edition of Shopping100k below root, with split files as ADDE has them.

    Raises:
        UserError: root is a file or a folder that holds something.

    """
    images = plan_mini(seed=seed, count=count)
    pictures = {f"Images/{image.path}": image for image in images}
    files = annotation_files(images, seed=seed)
    write_described_edition(
        root, pictures, partial(draw_image, seed=seed),
        lambda parts: files | regions_file(parts, _REGIONS),
    )  # fmt: skip


def annotation_files(images: Sequence[MiniImage], *, seed: int) -> dict[str, str]:
    """Return the content of attribute files, index files and ADDE's, by path below the root."""
    paths = [image.path for image in images]
    labels = _labels(images)
    files = {
        file: "".join(f"{path} {label}\n" for path, label in zip(paths, column, strict=True))
        for file, column in zip(FILES.values(), labels.T.tolist(), strict=True)
    }
    return files | files_of(paths) | _adde_files(paths, labels, np.random.default_rng([seed, 1]))


def _labels(images: Sequence[MiniImage]) -> Labels:
    """Return the labels (N, A), -1 for missing."""
    labels = np.full((len(images), len(SCHEMA.attributes)), -1, np.int64)
    for row, image in enumerate(images):
        for number, attribute in enumerate(SCHEMA.attributes):
            if attribute.name in image.product.labels:
                value = image.product.labels[attribute.name]
                labels[row, number] = attribute.values.index(value)
    return labels


def _adde_files(
    paths: Sequence[str], labels: Labels, generator: np.random.Generator
) -> dict[str, str]:
    """Return the split files: each test image asks for one change that the gallery can answer."""
    parts = split_by_share(paths, ADDE_SHARES)
    rows = {split: np.flatnonzero(parts == split) for split in ADDE_SHARES}
    test = [tuple(row) for row in labels[rows["test"]].tolist()]
    references, wanted = [], []
    for place, own in enumerate(test):
        possible = [other for other in dict.fromkeys(test) if _is_one_change(own, other)]
        if possible:
            references.append(place)
            wanted.append(possible[int(generator.integers(len(possible)))])
    if not references:  # too few images for any change
        return {}
    after = _one_hot(np.array(wanted))
    before = _one_hot(labels[rows["test"][references]])
    content: dict[str, Sequence[object]] = {
        "attr_num": SIZES,
        "ref_test": references,
        "gt_test": _as_lines(after),
        "indfull_test": _as_lines(after - before),
    }
    for split, chosen in rows.items():
        content[f"imgs_{split}"] = [paths[row] for row in chosen.tolist()]
        content[f"labels_{split}"] = _as_lines(_one_hot(labels[chosen]))
    return {
        f"splits/Shopping100k/{name}.txt": "".join(f"{line}\n" for line in lines)
        for name, lines in content.items()
    }


def _is_one_change(own: Sequence[int], other: Sequence[int]) -> bool:
    """Return whether one attribute that both have differs, and no other one."""
    unlike = [(a, b) for a, b in zip(own, other, strict=True) if a != b]
    return len(unlike) == 1 and min(unlike[0]) >= 0


def _one_hot(labels: Labels) -> Labels:
    starts = np.cumsum((0, *SIZES))
    vectors = np.zeros((len(labels), starts[-1]), np.int64)
    rows, numbers = np.nonzero(labels >= 0)
    vectors[rows, starts[numbers] + labels[rows, numbers]] = 1
    return vectors


def _as_lines(vectors: Labels) -> list[str]:
    return [" ".join(map(str, row)) for row in vectors.tolist()]
