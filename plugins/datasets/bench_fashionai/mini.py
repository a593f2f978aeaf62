"""The mini edition of `fashionai`: drawn clothes in the published layout, with ASEN's files."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from bench_atelier.edition import write_edition
from bench_atelier.photograph import encode_jpeg

from bench.pictures import hash_order
from bench_fashionai.asen import PARTS
from bench_fashionai.looks import Scene, draw_scene, sleeve_value
from bench_fashionai.vocabulary import DIMENSIONS, SUFFIX

ITEMS = 18  # pictures of each value
MAYBE = 0.12  # chance that a neighbouring value is marked m
TWICE = 12  # every so manieth picture of a neckline is labelled by its sleeves as well
# of ten images of a dimension, in the order of their hashes
_ASEN_PARTS = ("query_valid", "candidate_valid", "query_test", *["candidate_test"] * 3,
               *["label_train"] * 4)  # fmt: skip


@dataclass(frozen=True)
class MiniImage:
    """A label row: a picture, the dimension it is labelled in, and its value there."""

    scene: Scene
    dimension: str
    value: int

    @property
    def name(self) -> str:
        """Return the path that label files have; it does not tell the value."""
        text = f"{self.scene}/{self.dimension}"
        digits = hashlib.sha256(text.encode()).hexdigest()[:32]
        return f"Images/{self.dimension}{SUFFIX}/{digits}.jpg"


def plan_mini(*, seed: int = 0, items: int = ITEMS) -> list[MiniImage]:
    """Return the images by name: `items` of each value, and some in a second dimension."""
    images = [
        MiniImage(Scene(dimension, value, number, seed), dimension, value)
        for dimension, values in DIMENSIONS.items()
        for value in range(len(values))
        for number in range(items)
    ]
    necklines = [image for image in images if image.dimension == "neckline_design"]
    for image in necklines[::TWICE]:
        sleeves = sleeve_value(image.scene)
        if sleeves is not None:
            images.append(MiniImage(image.scene, "sleeve_length", sleeves))
    return sorted(images, key=lambda image: image.name)


def draw_image(image: MiniImage) -> bytes:
    """Return the JPEG file of an image; it depends on nothing but its scene."""
    return encode_jpeg(draw_scene(image.scene), quality=90)


def letters(image: MiniImage) -> str:
    """Return the letters of an image: y its value, m perhaps the ones beside it."""
    place = list(DIMENSIONS).index(image.dimension)
    seeds = [image.scene.seed, 100 + place, image.scene.value, image.scene.number]
    generator = np.random.default_rng(seeds)
    marks = ["n"] * len(DIMENSIONS[image.dimension])
    for neighbour in (image.value - 1, image.value + 1):
        if 0 < neighbour < len(marks) and image.value > 0 and generator.random() < MAYBE:
            marks[neighbour] = "m"
    marks[image.value] = "y"
    return "".join(marks)


def draw_mini(root: Path, *, seed: int = 0, items: int = ITEMS) -> None:
    """Write the mini edition below root: base, and ASEN's files in data.

    Raises:
        UserError: root is a file or a folder that holds something.

    """
    images = plan_mini(seed=seed, items=items)
    rows = (f"{image.name},{image.dimension}{SUFFIX},{letters(image)}\n" for image in images)
    files = {"base/Annotations/label.csv": "".join(rows), **_asen_files(images)}
    write_edition(root, {f"base/{image.name}": image for image in images}, draw_image, files)


def _asen_files(images: Sequence[MiniImage]) -> dict[str, str]:
    """Return the split files of ASEN by their paths, and meta.json."""
    dimensions = list(DIMENSIONS)
    parts: dict[str, list[MiniImage]] = {part: [] for part in PARTS}
    for dimension in dimensions:
        labelled = [image for image in images if image.dimension == dimension]
        order = hash_order([image.name for image in labelled], salt="asen")
        for place, position in enumerate(order):
            parts[_ASEN_PARTS[place % len(_ASEN_PARTS)]].append(labelled[position])
    files = {}
    for split in dict.fromkeys(PARTS.values()):
        names = sorted(
            image.name for part in parts if PARTS[part] == split for image in parts[part]
        )
        files[f"filenames_{split}.txt"] = "".join(f"{name}\n" for name in names)
        number_of = {name: number for number, name in enumerate(names)}
        for part in (part for part in parts if PARTS[part] == split):
            files[f"{part}.txt"] = "".join(
                f"{number_of[image.name]} {dimensions.index(image.dimension)} {image.value}\n"
                for image in parts[part]
            )
    sizes = {name: len(values) for name, values in DIMENSIONS.items()}
    meta = {"FashionAI": {"ATTRIBUTES": dimensions, "ATTRIBUTES_NUM": sizes}}
    return {
        **{f"data/FashionAI/{name}": text for name, text in files.items()},
        "data/meta.json": json.dumps(meta, indent=1) + "\n",
    }
