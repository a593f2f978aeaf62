"""A plugin with the dataset `toy`: 24 garments in words, without a single picture."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from bench import attribute_protocols, hookimpl
from bench.catalog import Attribute, AttributeSchema, Catalog
from bench.interfaces import DatasetSpec
from bench.protocols import Protocol, by_code

COLLARS, COLOURS = ("round", "v neck"), ("red", "green;blue", "50% grey")


class Toy:
    """Every collar in every colour, four of each; the last of each four asks."""

    def __init__(self, name: str) -> None:
        self.name = name

    def find(self, data_root: Path) -> Path | None:
        return data_root

    def sources(self, root: Path) -> Sequence[Path]:
        del root
        return []

    def load(self, root: Path) -> Catalog:
        kinds = [(c, d) for c in range(len(COLLARS)) for d in range(len(COLOURS))] * 4
        schema = AttributeSchema((Attribute("collar", COLLARS), Attribute("colour/hue", COLOURS)))
        present = np.zeros((len(kinds), schema.width), np.uint8)
        for row, (collar, colour) in enumerate(kinds):
            present[row, [collar, len(COLLARS) + colour]] = 1
        columns = {
            "path": [f"{row}.jpg" for row in range(len(kinds))],
            "id": [f"no {row}; {COLLARS[c]} 100%" for row, (c, _) in enumerate(kinds)],
            "item": [f"{c}{d}" for c, d in kinds],
            "category": [COLLARS[c] for c, _ in kinds],
            "split": ["query" if row >= 18 else "gallery" for row in range(len(kinds))],
        }
        known = np.ones((len(kinds), 2), np.bool_)
        return Catalog.from_columns(
            self.name, root, columns, schema=schema, present=present, known=known
        )

    def protocols(self, catalog: Catalog) -> Sequence[Protocol]:
        sides = {"queries": catalog.rows(split="query"), "gallery": catalog.rows(split="gallery")}
        every, none = catalog.rows(), np.zeros(0, np.int64)
        plain = by_code("all", catalog.codes("item"), every, every)
        metrics = ("hit@1", "hit@50", "precision@5", "recall@5", "map@r", "mrr")
        return [
            Protocol("leave-one-out", "", (plain,), metrics, "hit@1"),
            attribute_protocols.manipulation(
                "manipulation", "", catalog, **sides, training=none, metrics=("hit@20", "map@r")
            ),
            attribute_protocols.triplets("triplets", "", catalog, queries=every, training=none),
            attribute_protocols.recognition(
                "recognition", "", catalog, queries=sides["queries"], training=sides["gallery"]
            ),
        ]


@hookimpl
def register_datasets() -> Iterable[DatasetSpec]:
    return [DatasetSpec("toy", "garments in words", Toy, "CC0-1.0", "nothing", has_mini=False)]
