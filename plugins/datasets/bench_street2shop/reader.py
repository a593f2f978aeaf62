"""Reads photos.txt, three JSON files per category and what there is of the photographs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import cast

import numpy as np
import pandas as pd

from bench.annotations import find_below
from bench.catalog import BOX, Catalog
from bench.errors import DataError, IncompatibleError
from bench.gallery_sizes import nested_galleries
from bench.protocols import Protocol, Rows, Task, by_code
from bench.recipes import Recipe
from bench_street2shop import CATEGORIES, FOLDERS, PROTOCOLS
from bench_street2shop.options import Street2ShopOptions
from bench_street2shop.photographs import (
    attribute_matrices,
    canonical,
    find_images,
    read_attributes,
)
from bench_street2shop.records import read_photos, read_shop, read_street

PHOTOS = "photos/photos.txt"
ANNOTATIONS = ("meta/json", "meta/meta/json", "json")  # where the archive may have been unpacked
ATTRIBUTES = "meta/attributes.csv"
KINDS = {"test_pairs": "query", "train_pairs": "train", "retrieval": "gallery"}  # of files → split
METRICS = ("hit@1", "hit@5", "hit@10", "hit@20", "hit@50", "map@r", "mrr")
OF_ATTRIBUTES = ("ndcg@20[attributes]",)  # where the queries of every category have some


class Street2Shop:
    """The reader of both editions, which have one layout."""

    def __init__(self, name: str, options: Recipe) -> None:
        self.name = name
        self.attributes = cast(Street2ShopOptions, options).attributes

    def find(self, data_root: Path) -> Path | None:
        """Return the folder that holds `photos` and `meta`: below `data_root`, or itself."""
        for root in (*(data_root / folder for folder in FOLDERS), data_root):
            if (root / PHOTOS).is_file() or _annotations(root)[0].is_file():
                return root
        return None

    def sources(self, root: Path) -> Sequence[Path]:
        """Return the annotation files that are there, and the folder of images if it is."""
        files = [root / PHOTOS, *_annotations(root), root / "images", *self._attributes(root)]
        return [file for file in files if file.exists()]

    def _attributes(self, root: Path) -> list[Path]:
        """Return the file of attributes, if there is one: the one asked for, or that of the data.

        Raises `DataError` where the one asked for is not there.
        """
        if not self.attributes:
            return [root / ATTRIBUTES] if (root / ATTRIBUTES).is_file() else []
        if not Path(self.attributes).is_file():
            raise DataError(
                f"attributes {self.attributes}: no such file; expected a CSV file that begins with "
                "photo,ATTRIBUTE,…"
            )
        return [Path(self.attributes)]

    def load(self, root: Path) -> Catalog:
        """Return the catalog: one row per box in a street photograph, one per shop photograph."""
        photos = read_photos(root / PHOTOS)
        rows, notes = _without_errata(_read_rows(root, photos))
        if (root / "images").is_dir():
            images = find_images(root, photos)
            rows["path"] = [images.paths.get(photo) for photo in rows["photo"].tolist()]
            notes += _coverage(rows)
            if images.others:
                notes.append(f"{images.others:,} files in images are of no photo in photos.txt")
            rows = rows[rows["path"].notna()]
            if rows.empty:
                raise DataError(
                    f"{root / 'images'} holds none of the {len(photos):,} photos; "
                    f"expected images named by their ids, as {canonical(int(photos[0]))}"
                )
        else:
            rows["path"] = [canonical(photo) for photo in rows["photo"].tolist()]
            notes.append(
                f"there is no folder images: all {len(rows):,} rows are listed, under the names "
                "that their images should have"
            )
        shop = rows["split"] == "gallery"
        labels = np.where(shop, rows["photo"], rows["number"]).tolist()
        columns = {
            "id": [f"{file}/{label}" for file, label in zip(rows["file"], labels, strict=True)],
            "item": [
                f"{category}/{product}"
                for category, product in zip(
                    rows["category"], rows["product"].tolist(), strict=True
                )
            ],
            "domain": np.where(shop, "shop", "street"),
        }
        columns |= {name: rows[name].to_numpy() for name in ("path", "category", "split", *BOX)}
        schema = present = known = None
        for file in self._attributes(root):
            values = read_attributes(file, photos)
            schema, present, known = attribute_matrices(values, rows["photo"].to_numpy())
        return Catalog.from_columns(
            self.name, root, columns, schema=schema, present=present, known=known, notes=notes
        )

    def protocols(self, catalog: Catalog) -> Sequence[Protocol]:
        """Return `street-to-shop`, a task per category, `…/all`, one task, and nested galleries."""
        codes = catalog.codes("item")
        queries, gallery = catalog.rows(split="query"), catalog.rows(split="gallery")
        if not np.isin(codes[queries], codes[gallery]).any():
            raise IncompatibleError(
                f"{catalog.dataset}: none of {len(queries):,} street photographs here shows a "
                f"product of the {len(gallery):,} shop photographs here; fetch more photographs"
            )
        tasks: list[Task] = []
        for category in CATEGORIES:
            asked = catalog.rows(split="query", category=category)
            offered = catalog.rows(split="gallery", category=category)
            if np.isin(codes[asked], codes[offered]).any():
                tasks.append(by_code(category, codes, asked, offered))
        everything = (by_code("all", codes, queries, gallery),)
        training = _training(catalog, codes, queries, gallery)
        described = all(catalog.present[task.queries].any() for task in tasks)
        metrics = METRICS + (OF_ATTRIBUTES if described else ())
        by_category, together, sizes = PROTOCOLS
        return [
            *(
                Protocol(name, PROTOCOLS[name], chosen, metrics, "hit@20", training)
                for name, chosen in ((by_category, tuple(tasks)), (together, everything))
            ),
            nested_galleries(
                sizes,
                PROTOCOLS[sizes],
                catalog,
                codes,
                queries=queries,
                gallery=gallery,
                training=training,
            ),
        ]

    def draw_mini(self, root: Path, *, seed: int, items: int | None = None) -> None:
        """Draw the mini edition; `items` is the number of products per large category."""
        from bench_street2shop.mini import PRODUCTS, draw_mini

        draw_mini(root, seed=seed, products=PRODUCTS if items is None else items)


def _annotations(root: Path) -> list[Path]:
    """Return the paths of the 33 JSON files."""
    folder = find_below(root, *ANNOTATIONS)
    return [folder / f"{kind}_{category}.json" for kind in KINDS for category in CATEGORIES]


def _read_rows(root: Path, photos: Rows) -> pd.DataFrame:
    """Return the rows of all JSON files, with their file's name, category and split."""
    frames = []
    for file in _annotations(root):
        kind, _, category = file.stem.rpartition("_")
        frame = (read_shop if kind == "retrieval" else read_street)(file, photos)
        frames.append(frame.assign(file=file.stem, category=category, split=KINDS[kind]))
    return pd.concat(frames, ignore_index=True)


def _without_errata(rows: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Return the rows without unusable boxes and without repeated shop photographs, and notes."""
    notes = []
    shop = rows["split"] == "gallery"
    unusable = ~shop & rows["x1"].isna()
    if unusable.any():
        first = rows[unusable].iloc[0]
        notes.append(
            f"{unusable.sum():,} street rows are left out, since their boxes have no area; the "
            f"first is {first['file']}/{first['number']}, of photo {first['photo']}"
        )
    repeated = shop & rows.duplicated(["file", "photo"])
    if repeated.any():
        notes.append(f"{repeated.sum():,} shop rows repeat an earlier one and are left out")
    rows = rows[~unusable & ~repeated].reset_index(drop=True)
    both = _shown_by_queries(rows["split"], rows["photo"])
    if both.any():
        notes.append(
            f"{both.sum():,} street rows of train_pairs show a photo of test_pairs, whichever "
            "product; no method may learn from them"
        )
    return rows, notes


def _coverage(rows: pd.DataFrame) -> list[str]:
    """Return one sentence per split: how many rows have their photograph here."""
    here = rows["path"].notna()
    return [
        f"{split}: the photographs of {here[rows['split'] == split].sum():,} of "
        f"{(rows['split'] == split).sum():,} annotated {what} are here"
        for split, what in zip(KINDS.values(), ("boxes", "boxes", "shop photos"), strict=True)
    ]


def _shown_by_queries(split: pd.Series, photograph: pd.Series) -> pd.Series:
    """Return which rows of split "train" have the photograph of a row of split "query"."""
    return (split == "train") & photograph.isin(photograph[split == "query"])


def _training(catalog: Catalog, codes: Rows, queries: Rows, gallery: Rows) -> Rows:
    """Return the rows to learn from: street rows of train_pairs, and shop rows of their products.

    Left out are street rows that show a photograph of test_pairs, and products of test_pairs.
    """
    images = catalog.images
    barred = _shown_by_queries(images["split"], images["path"]).to_numpy()
    street = catalog.rows(split="train")
    products = np.setdiff1d(codes[street], codes[queries])
    return np.sort(np.r_[street[~barred[street]], gallery[np.isin(codes[gallery], products)]])
