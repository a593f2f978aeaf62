"""The answers that a run's page shows: some queries, what was found, and why it is right or not.

The queries are the first in the order of their hashes: nobody has chosen them, and they are the
same for every method.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from PIL import Image

from bench.catalog import BOX, Catalog
from bench.errors import DamagedImageError
from bench.images import decode_inside
from bench.interfaces import FeatureExtractor
from bench.panel import Shown, painted
from bench.pictures import hash_order
from bench.regions import where_seen

QUERIES, ANSWERS = 12, 7
SIDE = 112  # pixels of the longer side of a picture


@dataclass(frozen=True)
class Picture:
    """A picture with what stands below it; `relevant` is None for a query's own.

    `values` are those of attributes, and whether each is as it should be.
    """

    name: str
    data: str  # of a JPEG, base64; "" where it cannot be read
    relevant: bool | None = None
    values: Sequence[tuple[str, bool]] = field(default=())


@dataclass(frozen=True)
class Example:
    """A query, where the method sees its attributes, and what was found first."""

    asked: str
    query: Picture
    seen: list[Picture]
    found: list[Picture]


def examples(folder: Path, catalog: Catalog, extractor: FeatureExtractor) -> list[Example]:
    """Return the examples of a run's folder, which has its rankings; none where values are ranked.

    Below an image that was found for a changed or compared attribute stand the values that count.
    """
    rows = {str(name): row for row, name in enumerate(catalog.images["id"])}
    table = pq.read_table(folder / "rankings.parquet", filters=[("rank", "<=", ANSWERS)])
    answers = table.to_pandas()
    asked = answers[["task", "query", "target"]].drop_duplicates()
    known = asked["query"].isin(rows) & asked["task"].isin(
        answers["task"][answers["gallery"].isin(rows)]  # where values are ranked there are none
    )
    asked = asked[known]
    names = [f"{task} {query} {target}" for task, query, target in asked.itertuples(index=False)]
    chosen = asked.iloc[hash_order(names)[:QUERIES]]
    found = []
    for task, query, target in chosen.itertuples(index=False):
        same = (answers["task"] == task) & (answers["query"] == query)
        same &= (answers["target"] == target) | (answers["target"].isna() & (target is None))
        wanted = _wanted(catalog, rows[query], task, target)
        found.append(
            Example(
                f"{query}, but with {task} {target}" if target else str(query),
                Picture(str(query), _thumbnail(catalog, rows[query])),
                _seen(catalog, rows[query], extractor),
                [_answer(catalog, rows, line, wanted) for line in _in_order(answers[same])],
            )
        )
    return found


def _in_order(answers: pd.DataFrame) -> list[tuple[str, bool]]:
    ranked = answers.sort_values("rank")
    return list(zip(ranked["gallery"].astype(str), ranked["relevant"].astype(bool), strict=True))


def _wanted(catalog: Catalog, row: int, task: str, target: str | None) -> Mapping[str, str]:
    """Return the values that an answer needs: all of a changed query, or the one compared."""
    own = catalog.values_of(row)
    if target:
        return {**own, task: target}
    return {task: own[task]} if task in own else {}


def _answer(
    catalog: Catalog, rows: Mapping[str, int], answer: tuple[str, bool], wanted: Mapping[str, str]
) -> Picture:
    name, relevant = answer
    has = catalog.values_of(rows[name])
    values = [
        (f"{attribute} {has.get(attribute, 'unknown')}", has.get(attribute) == value)
        for attribute, value in wanted.items()
    ]
    # a value that the query does not have either must be missing
    if len(wanted) > 1:
        values += [(f"{name} {value}", False) for name, value in has.items() if name not in wanted]
    return Picture(name, _thumbnail(catalog, rows[name]), relevant, values)


def _seen(catalog: Catalog, row: int, extractor: FeatureExtractor) -> list[Picture]:
    facts = catalog.images.iloc[row]
    try:
        seen = where_seen(
            extractor, catalog.root / facts["path"], facts[list(BOX)].to_numpy(np.float32)
        )
    except (DamagedImageError, OSError):
        return []
    if seen is None:
        return []
    return [
        Picture(name, _encoded(painted(Shown(seen.picture, [], heat, box))))
        for name, (heat, box) in seen.of_each.items()
    ]


def _thumbnail(catalog: Catalog, row: int) -> str:
    """Return a small picture of a row, cut to its box, as base64; "" where it cannot be read."""
    facts = catalog.images.iloc[row]
    try:
        image = decode_inside(catalog.root / facts["path"], facts[list(BOX)].to_numpy(np.float32))
    except (DamagedImageError, OSError):
        return ""
    return _encoded(painted(Shown(image, [])))


def _encoded(picture: Image.Image) -> str:
    picture.thumbnail((SIDE, SIDE))
    with io.BytesIO() as encoded:
        picture.save(encoded, format="JPEG", quality=80)
        return base64.b64encode(encoded.getvalue()).decode()
