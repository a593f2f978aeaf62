"""The mini edition of `clothing`: drawn garments in the layout of the published photographs."""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from bench_atelier.edition import write_edition
from bench_atelier.garments import draw_garment
from bench_atelier.photograph import Camera, encode_jpeg, take_photograph
from bench_atelier.render import render_svg
from bench_atelier.wardrobe import sample_garment, sample_pose

from bench_clothing import CLASSES

IMAGES_PER_CLASS = {"train": 24, "validation": 4, "test": 8}

# set once, by one measurement before any method was tuned: see the README of bench_atelier
CAMERA = Camera()


@dataclass(frozen=True)
class MiniImage:
    """One image to draw: its split, its class and its name, a uuid that tells neither."""

    split: str
    category: str
    name: uuid.UUID

    @property
    def path(self) -> Path:
        """Return the path below the root."""
        return Path(self.split, self.category, f"{self.name}.jpg")


def plan_mini(*, seed: int = 0, items: int | None = None) -> list[MiniImage]:
    """Return the images of the mini edition, in the order of their names.

    With `items` test images a class, the other splits keep their proportion to it.
    """
    counts = IMAGES_PER_CLASS
    if items is not None:
        counts = {split: -(-count * items // counts["test"]) for split, count in counts.items()}
    images = [
        MiniImage(split, category, _name(f"{seed}/{split}/{category}/{index}"))
        for split, count in counts.items()
        for category in CLASSES
        for index in range(count)
    ]
    return sorted(images, key=lambda image: image.name)


def draw_image(image: MiniImage, *, seed: int = 0) -> bytes:
    """Return the JPEG file of one image, 240 x 320; it depends on nothing but image and seed."""
    generator = np.random.default_rng([seed, image.name.int])
    garment = sample_garment(generator, image.category)
    pose = sample_pose(generator, garment)
    fill = float(generator.uniform(*CAMERA.fill))
    drawing = render_svg(draw_garment(garment, pose, fill=fill))
    picture = take_photograph(drawing, generator, hanging=pose.hanging, camera=CAMERA)
    return encode_jpeg(picture, quality=int(generator.integers(78, 93)))


def draw_mini(root: Path, *, seed: int = 0, items: int | None = None) -> None:
    """Write the mini edition of clothing below root, as SPLIT/CLASS/UUID.jpg.

    Raises:
        UserError: root is a file or a folder that holds something.

    """
    images = plan_mini(seed=seed, items=items)
    write_edition(
        root, {image.path.as_posix(): image for image in images}, partial(draw_image, seed=seed)
    )


def _name(text: str) -> uuid.UUID:
    """Return a random-looking uuid that is the same for the same text everywhere."""
    return uuid.UUID(bytes=hashlib.sha256(text.encode()).digest()[:16], version=4)
