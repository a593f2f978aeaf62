"""Reads styles.csv and images/<id>.jpg into a catalog."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import cast

import numpy as np
import numpy.typing as npt
import pandas as pd

from bench.attribute_protocols import manipulation, recognition, similar_in_attribute, triplets
from bench.catalog import Attribute, AttributeSchema, Catalog
from bench.errors import IncompatibleError
from bench.pictures import digests, split_by_share
from bench.protocols import Protocol
from bench.recipes import Recipe
from bench.tasks import Rows, by_code
from bench_fashion_products import FOLDERS, PROTOCOLS
from bench_fashion_products.options import FashionProductsOptions
from bench_fashion_products.styles import read_styles

STYLES, IMAGES = "styles.csv", "images"
ATTRIBUTES = ("gender", "articleType", "baseColour", "season", "usage")
RETRIEVAL = ("precision@1", "precision@5", "precision@10", "hit@1", "hit@10", "map@r", "iou@1",
             "iou@5", "iou@10")  # fmt: skip
SHARES = {"train": 0.5, "gallery": 0.4, "query": 0.1}

Labels = npt.NDArray[np.int64]


class FashionProducts:
    """The reader of both editions, which have one layout."""

    def __init__(self, name: str, options: Recipe) -> None:
        self.name = name
        self.minimum = cast(FashionProductsOptions, options).minimum

    def find(self, data_root: Path) -> Path | None:
        """Return the folder with `styles.csv`: below `data_root`, or itself."""
        candidates = [*(data_root / folder for folder in FOLDERS), data_root]
        return next((root for root in candidates if (root / STYLES).is_file()), None)

    def sources(self, root: Path) -> Sequence[Path]:
        """Return the annotations, and the images where there are any: copies are found in them."""
        images = root / IMAGES
        return [root / STYLES, *([images] if images.is_dir() else [])]

    def load(self, root: Path) -> Catalog:
        """Return the catalog; products without a photograph are left out if there is any folder."""
        styles = read_styles(root / STYLES)
        paths = [f"{IMAGES}/{number}.jpg" for number in styles["id"]]
        notes = []
        pictures = styles["id"]
        if (root / IMAGES).is_dir():
            found = pd.Series(digests(root, paths), dtype="object")
            here = found.notna()
            if not here.all():
                absent = int((~here).sum())
                notes.append(f"{absent:,} of {len(styles):,} products have no photograph; left out")
            styles, pictures = styles[here].reset_index(drop=True), found[here]
            paths = [path for path, there in zip(paths, here, strict=True) if there]
        pictures = pictures.reset_index(drop=True).astype("str")
        schema, labels, rare = _label(styles, self.minimum)
        columns = {
            "id": styles["id"],
            "path": paths,
            "category": styles["articleType"],
            "domain": "shop",
            "split": split_by_share(
                _first_ids(styles["id"], pictures), SHARES, salt="fashion-products"
            ),
            "picture": pictures,
        }
        return Catalog.from_columns(
            self.name,
            root,
            columns,
            schema=schema,
            present=_present(schema, labels),
            known=labels >= 0,
            notes=[*notes, *rare, *_copies(pictures)],
        )

    def protocols(self, catalog: Catalog) -> Sequence[Protocol]:
        """Return those of `PROTOCOLS` that some image has the attributes for."""
        queries, gallery = catalog.rows(split="query"), catalog.rows(split="gallery")
        held_out, training = catalog.rows(split=("query", "gallery")), catalog.rows(split="train")
        builders = {
            "type-and-colour": partial(_type_and_colour, queries=queries, gallery=gallery),
            "manipulation": partial(manipulation, queries=queries, gallery=gallery),
            "attribute": partial(similar_in_attribute, queries=held_out, gallery=held_out),
            "recognition": partial(recognition, queries=held_out),
            "triplets": partial(triplets, queries=held_out),
        }
        protocols = []
        for name, build in builders.items():
            with suppress(IncompatibleError):  # an excerpt may hold no pair to ask about
                protocols.append(build(name, PROTOCOLS[name], catalog, training=training))
        return protocols

    def draw_mini(self, root: Path, *, seed: int, items: int | None = None) -> None:
        """Draw the mini edition as the new folder `root`; `items` counts products of each type."""
        from bench_fashion_products.mini import ITEMS, draw_mini

        draw_mini(root, seed=seed, items=ITEMS if items is None else items)


def _type_and_colour(
    name: str, summary: str, catalog: Catalog, *, queries: Rows, gallery: Rows, training: Rows
) -> Protocol:
    """Return the protocol in which the same articleType and the same baseColour are relevant."""
    labels = catalog.labels()
    names = [attribute.name for attribute in catalog.schema.attributes]
    if not {"articleType", "baseColour"} <= set(names):
        raise IncompatibleError("no articleType or no baseColour has enough images")
    both = labels[:, [names.index("articleType"), names.index("baseColour")]]
    codes = np.unique(both, axis=0, return_inverse=True)[1].astype(np.int64)
    codes[(both < 0).any(axis=1)] = -1
    if not np.isin(codes[queries][codes[queries] >= 0], codes[gallery]).any():
        raise IncompatibleError("no query has a gallery image of its type and colour")
    task = by_code("all", codes, queries, gallery)
    return Protocol(name, summary, (task,), RETRIEVAL, "precision@1", training)


def _label(styles: pd.DataFrame, minimum: int) -> tuple[AttributeSchema, Labels, list[str]]:
    """Return the schema, labels (N, A) with -1 for missing, and notes on values that are too rare.

    An attribute none of whose values has `minimum` images is left out.
    """
    attributes, labels, notes = [], [], []
    for name in ATTRIBUTES:
        counts = styles[name][styles[name] != ""].value_counts()
        rare = counts[counts < minimum]
        if len(rare):
            notes.append(
                f"{name}: {len(rare):,} values have fewer than {minimum:,} images; they count as "
                f"missing in {rare.sum():,} images"
            )
        values = sorted(counts[counts >= minimum].index)
        if values:
            attributes.append(Attribute(name, tuple(values)))
            labels.append(pd.Index(values).get_indexer(styles[name]))
    table = np.stack(labels, axis=1) if labels else np.zeros((len(styles), 0))
    return AttributeSchema(tuple(attributes)), table.astype(np.int64), notes


def _present(schema: AttributeSchema, labels: Labels) -> npt.NDArray[np.uint8]:
    """Return labels (N, A) as a matrix of present values, (N, V)."""
    present = np.zeros((len(labels), schema.width), np.uint8)
    for number, attribute in enumerate(schema.attributes):
        rows = np.flatnonzero(labels[:, number] >= 0)
        present[rows, schema.columns(attribute.name).start + labels[rows, number]] = 1
    return present


def _first_ids(ids: pd.Series[str], pictures: pd.Series[str]) -> list[str]:
    """Return for each product the smallest id that its picture has, so that copies agree."""
    return ids.astype(int).groupby(pictures).transform("min").astype("str").tolist()


def _copies(pictures: pd.Series[str]) -> list[str]:
    """Return a note on pictures that stand under several ids, if there are any."""
    counts = pictures.value_counts()
    several = counts[counts > 1]
    if not len(several):
        return []
    return [
        f"{len(several):,} pictures stand under {several.sum():,} ids; the copies of one are on "
        "one side of the split"
    ]
