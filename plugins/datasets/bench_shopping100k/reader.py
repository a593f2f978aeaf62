"""Reads Shopping100k: a file of labels for each attribute, or the split files of ADDE alone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bench.annotations import Line
from bench.catalog import Catalog
from bench.protocols import Protocol
from bench.splits import FILES as SPLIT_FILES
from bench.splits import divide, has_split_files
from bench_shopping100k import FOLDERS
from bench_shopping100k.adde import (
    CATALOG_FILES,
    QUERY_FILES,
    LabelledImages,
    find_adde,
    read_images,
    require_known_sizes,
)
from bench_shopping100k.attributes import attribute_files, image_list, image_path, read_attributes
from bench_shopping100k.protocols import adde_protocol, catalog_rows, manipulation_protocol
from bench_shopping100k.vocabulary import FILES, SCHEMA


class Shopping100k:
    """The reader of both editions, which have one layout."""

    def __init__(self, name: str) -> None:
        self.name = name

    def find(self, data_root: Path) -> Path | None:
        """Return the folder with the attribute files or ADDE's: below `data_root`, or itself."""
        candidates = [*(data_root / folder for folder in FOLDERS), data_root]
        for root in candidates:
            if _has_attributes(root) or find_adde(root):
                return root
        return None

    def sources(self, root: Path) -> Sequence[Path]:
        """Return the annotation files, and the folder of images where its listing is needed."""
        sources = [root / name for name in SPLIT_FILES.values()]
        adde = find_adde(root)
        if adde:
            sources += [adde / name for name in (*CATALOG_FILES, *QUERY_FILES)]
        if _has_attributes(root):
            sources += [*attribute_files(root).values(), *image_list(root)]
        return [source for source in sources if source.exists()]

    def load(self, root: Path) -> Catalog:
        """Return the catalog: the labels of `Attributes/`, or of ADDE where that is not there."""
        adde = find_adde(root)
        images = _read_adde(adde) if adde else {}
        if _has_attributes(root):
            paths, labels, notes = read_attributes(root)
            if adde:
                notes += _compared(adde, paths, labels, images)
        else:
            paths = [path for part in images.values() for path in part.paths]
            labels = np.concatenate([part.labels for part in images.values()])
            notes = ["no Attributes: images and labels are those of the split files of ADDE"]
        origin = "split files" if has_split_files(root) else "the hash of their paths"
        notes.append(f"queries, gallery and training images are divided by {origin}")
        categories = np.array([*SCHEMA.attribute("category").values, ""], dtype=object)
        columns = {
            "path": paths,
            "split": divide(root, paths, named=lambda line: image_path(line, line.text)),
            "category": categories[labels[:, 0]],  # the last one for -1, a missing label
            "domain": "shop",
        }
        return Catalog.from_columns(
            self.name,
            root,
            columns,
            schema=SCHEMA,
            present=_present(labels),
            known=labels >= 0,
            notes=notes,
        )

    def protocols(self, catalog: Catalog) -> Sequence[Protocol]:
        """Return `manipulation`, and `manipulation/adde` where its files are."""
        protocols = [manipulation_protocol(catalog)]
        adde = find_adde(catalog.root)
        if adde:
            protocols.append(adde_protocol(catalog, adde))
        return protocols

    def draw_mini(self, root: Path, *, seed: int, items: int | None = None) -> None:
        """Draw the mini edition as the new folder `root`; `items` counts its pictures."""
        from bench_shopping100k.mini import draw_mini

        draw_mini(root, seed=seed, count=items)


def _has_attributes(root: Path) -> bool:
    return (root / FILES["category"]).is_file()


def _present(labels: npt.NDArray[np.int64]) -> npt.NDArray[np.uint8]:
    """Return labels (N, A) as a matrix of present values, (N, V)."""
    present = np.zeros((len(labels), SCHEMA.width), np.uint8)
    for number, attribute in enumerate(SCHEMA.attributes):
        rows = np.flatnonzero(labels[:, number] >= 0)
        present[rows, SCHEMA.columns(attribute.name).start + labels[rows, number]] = 1
    return present


def _read_adde(folder: Path) -> dict[str, LabelledImages]:
    """Return ADDE's images by split; no image is in both."""
    require_known_sizes(folder)
    images = {split: read_images(folder, split) for split in ("train", "test")}
    trained = set(images["train"].paths)
    for place, path in enumerate(images["test"].paths):
        if path in trained:
            line = Line(folder / "imgs_test.txt", place + 1, path)
            raise line.error(f"image {path} of imgs_train.txt", "images of one split only")
    return images


def _compared(
    folder: Path,
    paths: list[str],
    labels: npt.NDArray[np.int64],
    images: dict[str, LabelledImages],
) -> list[str]:
    """Return a note on images that ADDE labels otherwise than `Attributes/`, if there are any."""
    unlike = 0
    for split, part in images.items():
        rows = catalog_rows(paths, folder, split, part)
        unlike += int((labels[rows] != part.labels).any(axis=1).sum())
    if not unlike:
        return []
    return [
        f"{unlike:,} images have other labels in the files of ADDE than in Attributes; each "
        "protocol uses its own"
    ]
