"""Reads the annotation files of DeepFashion In-shop into a catalog."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bench.annotations import find_below
from bench.catalog import BOX, AttributeSchema, Catalog
from bench.protocols import Protocol
from bench_inshop import FOLDERS
from bench_inshop.files import read_boxes, read_partition
from bench_inshop.labels import OPTIONAL, read_labels
from bench_inshop.options import InshopOptions
from bench_inshop.protocols import make_protocols
from bench_inshop.resolution import SIDE, clip, enlarge, picture_sizes
from bench_inshop.vocabulary import ATTRIBUTE, dress_vocabulary

PARTITION = "Eval/list_eval_partition.txt"
BOXES = "Anno/list_bbox_inshop.txt"
PICTURES = {
    "low": ("Img/img", "img"),
    "high": ("Img/img_highres/img_highres", "Img/img_highres", "img_highres"),
}


class Inshop:
    """The reader of both editions, which have one layout."""

    def __init__(self, name: str, options: InshopOptions) -> None:
        self.name = name
        self.resolution = options.resolution
        self.colour = options.colour

    def find(self, data_root: Path) -> Path | None:
        """Return the folder with Eval and Anno: below `data_root`, or itself.

        Other parts of DeepFashion have a partition file of the same name; a file of this one's own
        tells them apart.
        """
        candidates = [*(data_root / folder for folder in FOLDERS), data_root]
        for root in candidates:
            if (root / PARTITION).is_file() and any(root.glob("Anno/list_*_inshop.*")):
                return root
        return None

    def sources(self, root: Path) -> Sequence[Path]:
        """Return the annotation files that are there, and the pictures where these matter.

        They do where boxes depend on their sizes, and where they are not in their usual place.
        """
        names = [[PARTITION], [BOXES], *OPTIONAL]
        files = [file for kind in names if (file := find_below(root, *kind)).is_file()]
        usual, pictures = root / PICTURES["low"][0], self._pictures(root)
        return [*files, pictures] if pictures != usual and pictures.is_dir() else files

    def load(self, root: Path) -> Catalog:
        """Return the catalog; its ids are the names of the annotation files."""
        partition = read_partition(root / PARTITION)
        boxes = read_boxes(root / BOXES, partition.names)
        folder = self._pictures(root).relative_to(root).as_posix()
        paths = [f"{folder}/{name.removeprefix('img/')}" for name in partition.names]
        boxes, unusable = self._place_boxes(root, boxes, paths)
        labels, notes = read_labels(root, partition, colour=self.colour)
        if unusable:
            notes.append(
                f"{unusable:,} boxes have no area inside their picture, which is taken whole"
            )
        columns = {
            "id": partition.names,
            "path": paths,
            "item": partition.items,
            "category": partition.categories,
            "split": partition.splits,
        }
        catalog = Catalog.from_columns(
            self.name,
            root,
            columns | dict(zip(BOX, boxes.T, strict=True)),
            schema=AttributeSchema(tuple(label.attribute for label in labels)),
            present=np.concatenate([label.present for label in labels], axis=1) if labels else None,
            known=np.stack([label.known for label in labels], axis=1) if labels else None,
        )
        for label in labels:
            if label.attribute.name == ATTRIBUTE:
                number, all_ = len(dress_vocabulary(catalog)), len(label.attribute.values)
                notes.append(f"{number:,} of {all_:,} attributes occur on dresses")
        return replace(catalog, notes=tuple(notes))

    def protocols(self, catalog: Catalog) -> Sequence[Protocol]:
        """Return the protocols that this catalog has queries and gallery images for."""
        return make_protocols(catalog)

    def draw_mini(self, root: Path, *, seed: int, items: int | None = None) -> None:
        """Draw the mini edition as the new folder `root`; `items` asks for so many garments."""
        from bench_inshop.mini import ITEMS, draw_mini

        draw_mini(root, seed=seed, items=ITEMS if items is None else items)

    def _pictures(self, root: Path) -> Path:
        return find_below(root, *PICTURES[self.resolution])

    def _place_boxes(
        self, root: Path, boxes: npt.NDArray[np.float64], paths: Sequence[str]
    ) -> tuple[npt.NDArray[np.float64], int]:
        """Return the boxes in the pictures of this resolution, and how many are unusable."""
        if self.resolution == "low":
            return clip(boxes, np.full((len(boxes), 2), SIDE))
        sizes = picture_sizes(root, paths)
        return clip(enlarge(boxes, sizes), sizes)
