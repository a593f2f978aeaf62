"""Reads the annotation files of CUB-200-2011 into a catalog."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import cast

import numpy as np
import numpy.typing as npt

from bench.catalog import BOX, AttributeSchema, Catalog
from bench.protocols import Protocol
from bench.recipes import Recipe
from bench_cub200 import FOLDERS
from bench_cub200.files import (
    check_certainties,
    read_attributes,
    read_boxes,
    read_class_labels,
    read_classes,
    read_images,
    read_splits,
)
from bench_cub200.labels import Labels, read_labels
from bench_cub200.options import Cub200Options
from bench_cub200.protocols import make_protocols
from bench_cub200.vocabulary import CERTAINTIES

LISTS = (
    "images.txt",
    "classes.txt",
    "image_class_labels.txt",
    "train_test_split.txt",
    "bounding_boxes.txt",
)
CERTAINTY_NAMES = "attributes/certainties.txt"
LABELS = "attributes/image_attribute_labels.txt"


class Cub200:
    """The reader of both editions, which have one layout."""

    def __init__(self, name: str, options: Recipe) -> None:
        self.name = name
        self.options = cast(Cub200Options, options)

    def find(self, data_root: Path) -> Path | None:
        """Return the folder that holds CUB_200_2011, or is it: below `data_root`, or itself."""
        candidates = [*(data_root / folder for folder in FOLDERS), data_root]
        for root in candidates:
            if all((_base(root) / name).is_file() for name in LISTS[:3]):
                return root
        return None

    def sources(self, root: Path) -> Sequence[Path]:
        """Return the annotation files that are there."""
        base = _base(root)
        files = [base / name for name in (*LISTS, CERTAINTY_NAMES, LABELS)]
        return [file for file in (*files, _attribute_names(base)) if file.is_file()]

    def load(self, root: Path) -> Catalog:
        """Return the catalog: one row per image, in the order of the image ids."""
        base = _base(root)
        classes = read_classes(base / "classes.txt")
        images = read_images(base / "images.txt")
        labels = read_class_labels(base / "image_class_labels.txt", images, classes)
        count = len(images)
        splits = read_splits(base / "train_test_split.txt", images=count)
        boxes = read_boxes(base / "bounding_boxes.txt", images=count)
        schema = AttributeSchema(read_attributes(_attribute_names(base)))
        check_certainties(base / CERTAINTY_NAMES)
        attributes = read_labels(base / LABELS, images=count, attributes=schema.width)
        present, known, notes = _judge(attributes, schema, self.options.certainty)
        folder = (base / "images").relative_to(root).as_posix()
        species = np.array([name.partition(".")[2] for name in classes], dtype=object)
        columns = {
            "id": images,  # wherever the folder lies
            "path": [f"{folder}/{image}" for image in images],
            "category": species[labels],
            "split": splits,
        }
        if self.options.crop == "box":
            columns |= dict(zip(BOX, boxes.T, strict=True))
        return Catalog.from_columns(
            self.name, root, columns, schema=schema, present=present, known=known, notes=notes
        )

    def protocols(self, catalog: Catalog) -> Sequence[Protocol]:
        """Return the protocols that this catalog has images for."""
        return make_protocols(catalog)

    def draw_mini(self, root: Path, *, seed: int, items: int | None = None) -> None:
        """Draw the mini edition as the new folder `root`; `items` asks for so many species."""
        from bench_cub200.mini import draw_mini

        draw_mini(root, seed=seed, items=items)


def _base(root: Path) -> Path:
    """Return the folder with the lists: CUB_200_2011 below `root`, or `root` itself."""
    inner = root / "CUB_200_2011"
    return inner if inner.is_dir() else root


def _attribute_names(base: Path) -> Path:
    """Return attributes.txt: its documentation says the first place, the archive has the last."""
    places = [base / "attributes", base, base.absolute().parent]
    files = [place / "attributes.txt" for place in places]
    return next((file for file in files if file.is_file()), files[-1])


def _judge(
    labels: Labels, schema: AttributeSchema, certainty: int
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.bool_], list[str]]:
    """Return which values are present, (N, V), which attributes are known, (N, A), and notes.

    An attribute is unknown in an image where all its values are "not visible" and none counts as
    present.
    """
    present = labels.present & (labels.certainty >= certainty)
    starts = [schema.columns(attribute.name).start for attribute in schema.attributes]
    judged = present | (labels.certainty > 1)
    known = np.logical_or.reduceat(judged, starts, axis=1)
    notes = []
    if labels.surplus:
        notes.append(
            f"{labels.surplus:,} attribute labels have a needless 0 before the time, which is "
            "passed over"
        )
    unseen = int((~known).sum())
    if unseen:
        notes.append(f"{unseen:,} of {known.size:,} attributes of images are not visible")
    doubtful = int((labels.present & ~present).sum())
    if doubtful:
        notes.append(
            f"{doubtful:,} of {int(labels.present.sum()):,} labels that say present are less sure "
            f"than {CERTAINTIES[certainty - 1]!r} and left out"
        )
    return present.astype(np.uint8), known, notes
