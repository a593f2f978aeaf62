"""Annotation files of CUB-200-2011 at their published size; all but the class names is made up."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from bench_cub200.families import FAMILY_OF
from bench_cub200.vocabulary import ATTRIBUTES, CERTAINTIES

# images of each class: 5,864 in the first hundred classes, 5,924 in the second
SIZES = [59] * 64 + [58] * 36 + [60] * 24 + [59] * 76
# training images of each class: 5,994
TRAINING = [29] * 6 + [30] * 194
# the images whose labels have a sixth field from attribute 10 on
MALFORMED = (2275, 9364)


def write_published(root: Path) -> None:
    """Write attributes.txt and the files of CUB_200_2011 below `root`."""
    base = root / "CUB_200_2011"
    (base / "attributes").mkdir(parents=True)
    classes = [f"{number:03d}.{name}" for number, name in enumerate(FAMILY_OF, start=1)]
    images, class_of, splits = [], [], []
    for number, (name, size, training) in enumerate(zip(classes, SIZES, TRAINING, strict=True)):
        images += [f"{name}/{name[4:]}_{n:04d}_{number * 61 + n}.jpg" for n in range(size)]
        class_of += [number + 1] * size
        splits += [int(n < training) for n in range(size)]
    boxes = np.random.default_rng(0).integers(1, 250, size=(len(images), 4)).tolist()
    files: dict[str, Iterable[object]] = {
        "images.txt": images,
        "classes.txt": classes,
        "image_class_labels.txt": class_of,
        "train_test_split.txt": splits,
        "bounding_boxes.txt": (f"{x}.0 {y}.0 {w}.0 {h}.0" for x, y, w, h in boxes),
        "attributes/certainties.txt": CERTAINTIES,
        "../attributes.txt": ATTRIBUTES,
    }
    for name, rows in files.items():
        lines = (f"{number} {row}\n" for number, row in enumerate(rows, start=1))
        (base / name).write_text("".join(lines))
    labels = base / "attributes" / "image_attribute_labels.txt"
    labels.write_text("".join(_label_rows(class_of)))


def _label_rows(class_of: list[int]) -> Iterable[str]:
    """Yield the 312 rows of each image; those of a class have the same labels."""
    rows_of = {number: _rows(np.random.default_rng(number)) for number in set(class_of)}
    for image, number in enumerate(class_of, start=1):
        rows = rows_of[number]
        if image in MALFORMED:
            rows = [
                row if attribute < 10 else " 0 ".join(row.rsplit(" ", 1))
                for attribute, row in enumerate(rows, start=1)
            ]
        # all rows start with the image's id
        yield str(image).join(["", *rows])


def _rows(generator: np.random.Generator) -> list[str]:
    count = len(ATTRIBUTES)
    present = generator.random(count) < 0.1
    certainty = generator.choice([1, 2, 3, 4], count, p=[0.05, 0.1, 0.25, 0.6])
    times = generator.uniform(0.5, 40, count)
    rows = zip(range(1, count + 1), present.astype(int), certainty, times, strict=True)
    return [f" {attribute} {there} {sure} {time:.3f}\n" for attribute, there, sure, time in rows]
