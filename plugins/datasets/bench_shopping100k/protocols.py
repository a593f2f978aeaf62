"""The protocols: manipulation as FashionSearchNet-v2 evaluates it, and as ADDE does."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from bench.annotations import Line
from bench.attribute_protocols import manipulation
from bench.catalog import Catalog
from bench.protocols import Condition, Protocol, Rows, Task
from bench_shopping100k import PROTOCOLS
from bench_shopping100k.adde import LabelledImages, read_images, read_manipulations
from bench_shopping100k.vocabulary import SCHEMA

ADDE_METRICS = ("hit@1", "hit@10", "hit@20", "hit@30", "hit@50")


def manipulation_protocol(catalog: Catalog) -> Protocol:
    """Return `manipulation`, on the splits query and gallery."""
    return manipulation(
        "manipulation",
        PROTOCOLS["manipulation"],
        catalog,
        queries=catalog.rows(split="query"),
        gallery=catalog.rows(split="gallery"),
        training=catalog.rows(split="train"),
    )


def adde_protocol(catalog: Catalog, folder: Path) -> Protocol:
    """Return `manipulation/adde`, one task per changed attribute, from the files in `folder`.

    Relevant is an image with all the labels that the files want, as the files label it.
    """
    train, test = (read_images(folder, split) for split in ("train", "test"))
    rows = catalog_rows(catalog.images["path"].tolist(), folder, "test", test)
    training = catalog_rows(catalog.images["path"].tolist(), folder, "train", train)
    queries = read_manipulations(folder, test)
    vectors = np.r_[test.labels, queries.wanted]
    codes = np.unique(vectors, axis=0, return_inverse=True)[1].reshape(-1).astype(np.int64)
    gallery_codes, wanted = codes[: len(rows)], codes[len(rows) :]
    tasks = []
    for number, attribute in enumerate(SCHEMA.attributes):
        asked = np.flatnonzero(queries.attributes == number)
        if len(asked):
            condition = Condition(attribute.name, queries.targets[asked])
            images = rows[queries.images[asked]]
            task = Task(attribute.name, images, rows, wanted[asked], gallery_codes, condition)
            tasks.append(task)
    name = "manipulation/adde"
    return Protocol(name, PROTOCOLS[name], tuple(tasks), ADDE_METRICS, "hit@30", training)


def catalog_rows(paths: Sequence[str], folder: Path, split: str, images: LabelledImages) -> Rows:
    """Return the catalog row of each image of a split of ADDE; the catalog must have them all."""
    rows = pd.Index(paths).get_indexer(pd.Index(images.paths)).astype(np.int64)
    absent = np.flatnonzero(rows < 0)
    if len(absent):
        line = Line(folder / f"imgs_{split}.txt", int(absent[0]) + 1, "")
        found = f"image {images.paths[absent[0]]}"
        raise line.error(found, "an image that the files in Attributes have")
    return rows
