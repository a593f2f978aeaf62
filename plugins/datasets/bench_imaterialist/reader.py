"""Reads the iMaterialist Fashion Attribute data: JSON files, a label map, photographs by id."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bench.annotations import find_below
from bench.attribute_protocols import manipulation
from bench.catalog import AttributeSchema, Catalog
from bench.protocols import Protocol
from bench.splits import FILES as SPLIT_FILES
from bench.splits import has_split_files
from bench_imaterialist import FOLDERS, PROTOCOLS
from bench_imaterialist.annotations import Annotations, read_annotations
from bench_imaterialist.labels import FILE as LABEL_MAP
from bench_imaterialist.labels import read_label_map
from bench_imaterialist.photographs import (
    default_path,
    list_photographs,
    photograph_folders,
)
from bench_imaterialist.splits import divide


class IMaterialist:
    """The reader of both editions, which have one layout."""

    def __init__(self, name: str) -> None:
        self.name = name

    def find(self, data_root: Path) -> Path | None:
        """Return the folder with `train.json` and the label map: below `data_root`, or itself."""
        candidates = [*(data_root / folder for folder in FOLDERS), data_root]
        for root in candidates:
            if (root / "train.json").is_file() and (root / LABEL_MAP).is_file():
                return root
        return None

    def sources(self, root: Path) -> Sequence[Path]:
        """Return the annotation files, and the image folders: absent photographs are left out."""
        splits = [root / name for name in SPLIT_FILES.values()]
        files = [root / LABEL_MAP, *_annotation_files(root).values(), *splits]
        here = [file for file in files if file.is_file()]
        return [*here, *photograph_folders(root).values()]

    def load(self, root: Path) -> Catalog:
        """Return the catalog: published training images divided, absent photographs left out."""
        label_map = read_label_map(root / LABEL_MAP)
        schema = label_map.schema
        files = _annotation_files(root)
        parts = {split: read_annotations(file, label_map) for split, file in files.items()}
        present = _present(list(parts.values()), schema.width)
        value_counts = np.stack(
            [
                present[:, schema.columns(attribute.name)].sum(axis=1, dtype=np.uint16)
                for attribute in schema.attributes
            ],
            axis=1,
        )
        schema = _with_multiple(schema, value_counts)
        train = parts["train"].ids
        divided = divide(root, train, value_counts[: len(train)])
        sizes = [len(part.ids) for part in parts.values()]
        splits = np.repeat(np.array(list(parts), dtype=object), sizes)
        splits[: len(train)] = divided
        notes = _notes(root, parts, divided)
        paths, rows, absent = _photographs(root, parts)
        categories = _single_categories(schema, present, value_counts)
        columns = {"path": paths, "split": splits[rows], "category": categories[rows]}
        return Catalog.from_columns(
            self.name,
            root,
            columns,
            schema=schema,
            present=present[rows],
            known=(value_counts > 0)[rows],
            notes=[*notes, *absent],
        )

    def protocols(self, catalog: Catalog) -> Sequence[Protocol]:
        """Return `manipulation`, among the images with one value at most of each attribute."""
        [(name, summary)] = PROTOCOLS.items()
        return [
            manipulation(
                name,
                summary,
                catalog,
                queries=catalog.rows(split="query"),
                gallery=catalog.rows(split="gallery"),
                training=catalog.rows(split="train"),
            )
        ]

    def draw_mini(self, root: Path, *, seed: int, items: int | None = None) -> None:
        """Draw the mini edition as the new folder `root`; `items` counts its pictures."""
        from bench_imaterialist.mini import draw_mini

        draw_mini(root, seed=seed, count=items)


def _annotation_files(root: Path) -> dict[str, Path]:
    """Return the annotation file of each split; that of the test images may be absent."""
    files = {
        "train": root / "train.json",
        "validation": find_below(root, "validation.json", "val.json"),
        "test": root / "test.json",
    }
    return {split: file for split, file in files.items() if split != "test" or file.is_file()}


def _present(parts: Sequence[Annotations], width: int) -> npt.NDArray[np.uint8]:
    """Return which values the images of all parts have, (N, V)."""
    present = np.zeros((sum(len(part.ids) for part in parts), width), np.uint8)
    start = 0
    for part in parts:
        present[start + part.owners, part.columns] = 1
        start += len(part.ids)
    return present


def _with_multiple(
    schema: AttributeSchema, value_counts: npt.NDArray[np.uint16]
) -> AttributeSchema:
    """Return the schema, its attributes multiple where some image has several of their values."""
    several = value_counts.max(axis=0) > 1
    pairs = zip(schema.attributes, several.tolist(), strict=True)
    return AttributeSchema(tuple(replace(a, multiple=many) for a, many in pairs))


def _single_categories(
    schema: AttributeSchema,
    present: npt.NDArray[np.uint8],
    value_counts: npt.NDArray[np.uint16],
) -> npt.NDArray[np.object_]:
    """Return the category of each image, (N,); "" where it has none or several."""
    attributes = [attribute.name for attribute in schema.attributes]
    if "category" not in attributes:
        return np.full(len(present), "", dtype=object)
    names = np.array([*schema.attribute("category").values, ""], dtype=object)
    first = present[:, schema.columns("category")].argmax(axis=1)
    single = value_counts[:, attributes.index("category")] == 1
    return names[np.where(single, first, -1)]


def _notes(
    root: Path, parts: Mapping[str, Annotations], divided: npt.NDArray[np.object_]
) -> list[str]:
    noisy = int((divided == "noisy").sum())
    origin = "split files" if has_split_files(root) else "the hash of their ids"
    notes = [
        f"{noisy:,} of {len(divided):,} published training images are split noisy: they have "
        "several values of one attribute, or values of fewer than two attributes",
        f"the other published training images are divided by {origin}",
    ]
    unlabelled = sum(part.unlabelled for split, part in parts.items() if split != "test")
    if unlabelled:
        notes.append(f"{unlabelled:,} images of train and validation have no annotation")
    return notes


def _photographs(
    root: Path, parts: Mapping[str, Annotations]
) -> tuple[list[str], npt.NDArray[np.int64], list[str]]:
    """Return paths and rows of the images that are there, (n,), and notes on those that are not.

    Without any image folder, all images are returned.
    """
    folders = photograph_folders(root)
    paths: list[str] = []
    rows, notes, start = [], [], 0
    for split, part in parts.items():
        ids: list[int] = part.ids.tolist()
        if folders:
            found = list_photographs(root, folders[split]) if split in folders else {}
            here = [place for place, image in enumerate(ids) if image in found]
            paths += [found[ids[place]] for place in here]
            strange = len(found) - len(here)
            if len(here) < len(ids):
                count = len(ids) - len(here)
                notes.append(f"{count:,} of {len(ids):,} {split} photographs are absent; left out")
            if strange:
                notes.append(f"{strange:,} {split} photographs are not annotated; left out")
        else:
            here = list(range(len(ids)))
            paths += [default_path(split, image) for image in ids]
        rows.append(start + np.array(here, np.int64))
        start += len(ids)
    return paths, np.concatenate(rows), notes
