"""Reads FashionAI's label files, and ASEN's split files where they are, into a catalog."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path, PurePosixPath
from typing import cast

import numpy as np
import numpy.typing as npt
import pandas as pd

from bench.attribute_protocols import recognition, similar_in_attribute, triplets
from bench.catalog import Catalog
from bench.errors import IncompatibleError
from bench.pictures import digests
from bench.protocols import Protocol
from bench.recipes import Recipe
from bench_fashionai import FOLDERS, PROTOCOLS
from bench_fashionai.asen import (
    added_ids,
    asen_files,
    asen_protocol,
    find_asen,
    picture_paths,
    read_asen,
    rows_of,
)
from bench_fashionai.options import FashionAIOptions
from bench_fashionai.rounds import COLUMNS, find_rounds, read_rounds
from bench_fashionai.rounds import FOLDERS as ROUNDS
from bench_fashionai.splits import divide
from bench_fashionai.vocabulary import SCHEMA, columns_of, numbers_of

ASEN = "asen"  # the split of images that only ASEN's files name


class FashionAI:
    """The reader of both editions, which have one layout."""

    def __init__(self, name: str, options: Recipe) -> None:
        self.name = name
        self.rounds = cast(FashionAIOptions, options).rounds

    def find(self, data_root: Path) -> Path | None:
        """Return the folder with round 1 or ASEN's files: below `data_root`, or itself."""
        for root in (*(data_root / folder for folder in FOLDERS), data_root):
            if find_rounds(root, "base") or find_asen(root):
                return root
        return None

    def sources(self, root: Path) -> Sequence[Path]:
        """Return the label files and, as copies are found in them, the folders of images."""
        rounds, asen = find_rounds(root, self.rounds), find_asen(root)
        folders = [each.folder / "Images" for each in rounds]
        files = [each.file for each in rounds]
        if asen:
            files += asen_files(root, asen)
            places = (root / name for names in ROUNDS.values() for name in names)
            folders += [place / "Images" for place in (asen, *places)]
        return [*files, *(folder for folder in dict.fromkeys(folders) if folder.is_dir())]

    def load(self, root: Path) -> Catalog:
        """Return the catalog: one row per labelled image and dimension."""
        rounds, asen = find_rounds(root, self.rounds), find_asen(root)
        if rounds or not asen:
            labels, notes = read_rounds(root, rounds)
            divided = len(labels)
            if asen:
                added, asen_notes = _beside_rounds(root, asen, labels)
                labels, notes = pd.concat([labels, added], ignore_index=True), [*notes, *asen_notes]
        else:
            labels = _as_rows(root, asen, read_asen(root, asen))
            notes = ["no label file of a round: images and labels are those of ASEN"]
            divided = len(labels)
        ids, paths = labels["id"].tolist(), labels["path"].tolist()
        pictures = [
            digest or PurePosixPath(path).stem
            for digest, path in zip(digests(root, paths), paths, strict=True)
        ]
        numbers = numbers_of(labels["dimension"].to_numpy(object))
        columns = columns_of(numbers, labels["value"].to_numpy(np.int64))
        splits = np.full(len(labels), ASEN, dtype=object)
        splits[:divided] = divide(ids[:divided], pictures[:divided], columns[:divided])
        present, known = _matrices(numbers, columns)
        return Catalog.from_columns(
            self.name,
            root,
            {
                "id": ids,
                "path": paths,
                "category": labels["dimension"],
                "split": splits,
                "picture": pictures,
            },
            schema=SCHEMA,
            present=present,
            known=known,
            notes=notes,
        )

    def protocols(self, catalog: Catalog) -> Sequence[Protocol]:
        """Return the protocols of the validation images, and ASEN's where its files are."""
        queries, training = catalog.rows(split="validation"), catalog.rows(split="train")
        similar = partial(similar_in_attribute, queries=queries, gallery=queries, training=training)
        builders = {
            "attribute": similar,
            "attribute/same-dimension": partial(similar, joint=False),
            "recognition": partial(recognition, queries=queries, training=training),
            "triplets": partial(triplets, queries=queries, training=training),
        }
        asen = find_asen(catalog.root)
        if asen:
            labels = read_asen(catalog.root, asen)
            builders["attribute/asen"] = partial(asen_protocol, labels=labels)
        protocols = []
        for name, build in builders.items():
            with suppress(IncompatibleError):  # an excerpt may have no image to ask about
                protocols.append(build(name, PROTOCOLS[name], catalog))
        return protocols

    def draw_mini(self, root: Path, *, seed: int, items: int | None = None) -> None:
        """Draw the mini edition as the new folder `root`; `items` counts pictures of a value."""
        from bench_fashionai.mini import ITEMS, draw_mini

        draw_mini(root, seed=seed, items=ITEMS if items is None else items)


def _as_rows(root: Path, folder: Path, asen: pd.DataFrame) -> pd.DataFrame:
    """Return a catalog row for each image and dimension of ASEN's labels."""
    once = asen.drop_duplicates(["image", "dimension"])
    paths = picture_paths(root, folder, once["path"].tolist())
    return once.assign(id=added_ids(once), path=paths)[list(COLUMNS)]


def _beside_rounds(
    root: Path, folder: Path, labels: pd.DataFrame
) -> tuple[pd.DataFrame, list[str]]:
    """Return rows for what ASEN labels and the rounds' `labels` do not have, and notes."""
    asen = read_asen(root, folder)
    rows = rows_of(pd.Index(labels["id"]), labels["dimension"].to_numpy(object), asen)
    added = _as_rows(root, folder, asen[rows < 0])
    notes = []
    if len(added):
        notes.append(f"{len(added):,} labels are of ASEN alone; their images are split {ASEN}")
    known = rows >= 0
    own = labels["value"].to_numpy(np.int64)[rows[known]]
    unlike = int((own != asen["value"].to_numpy(np.int64)[known]).sum())
    if unlike:
        notes.append(
            f"{unlike:,} labels of ASEN differ from those of the rounds; each protocol uses its own"
        )
    return added, notes


def _matrices(
    numbers: npt.NDArray[np.int64], columns: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.bool_]]:
    """Return `present` (N, V) and `known` (N, A) of rows with one label each."""
    rows = np.arange(len(numbers))
    present = np.zeros((len(rows), SCHEMA.width), np.uint8)
    known = np.zeros((len(rows), len(SCHEMA.attributes)), np.bool_)
    present[rows, columns] = 1
    known[rows, numbers] = True
    return present, known
