"""The mini edition of `clothing`: drawn garments in the layout of the published photographs."""

from __future__ import annotations

import hashlib
import multiprocessing
import shutil
import tempfile
import uuid
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
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


def plan_mini(*, seed: int = 0) -> list[MiniImage]:
    """Return the images of the mini edition, in the order of their names."""
    images = [
        MiniImage(split, category, _name(f"{seed}/{split}/{category}/{index}"))
        for split, count in IMAGES_PER_CLASS.items()
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


def draw_mini(root: Path, *, seed: int = 0) -> None:
    """Write the mini edition of clothing below root, as SPLIT/CLASS/UUID.jpg.

    The root must not exist or be an empty folder. Images are written to a temporary folder
    beside it that is renamed at the end, so a drawing that is stopped leaves no half edition.

    Raises:
        UserError: root is a file or a folder that holds something.

    """
    from bench.errors import UserError

    if root.exists() and not root.is_dir():
        raise UserError(f"{root} is a file; give a folder that is empty or does not exist yet")
    if root.is_dir() and any(root.iterdir()):
        raise UserError(f"{root} is not empty; give an empty or new folder, or remove its content")
    root.parent.mkdir(parents=True, exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(prefix=f".{root.name}-", dir=root.parent))
    try:
        images = plan_mini(seed=seed)
        # spawned, not forked: the caller may have threads, and a fork would copy their locks
        with ProcessPoolExecutor(mp_context=multiprocessing.get_context("spawn")) as pool:
            files = pool.map(partial(draw_image, seed=seed), images, chunksize=20)
            for image, data in zip(images, files, strict=True):
                path = unfinished / image.path
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data)
        unfinished.chmod(0o755)  # a temporary folder is private, a dataset is not
        if root.exists():  # not every system renames onto an empty folder
            root.rmdir()
        unfinished.rename(root)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _name(text: str) -> uuid.UUID:
    """Return a random-looking uuid that is the same for the same text everywhere."""
    return uuid.UUID(bytes=hashlib.sha256(text.encode()).digest()[:16], version=4)
