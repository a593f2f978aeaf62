"""The protocols: street to shop as the paper evaluates it, and those about attributes."""

from __future__ import annotations

from fractions import Fraction
from math import ceil

import numpy as np
import pandas as pd

from bench.attribute_protocols import ATTRIBUTE_METRICS, manipulation
from bench.catalog import Catalog
from bench.errors import IncompatibleError
from bench.pictures import hash_order
from bench.protocols import Protocol, Rows, Task, by_code
from bench.splits import divide
from bench.tasks import Condition
from bench_darn_pairs import ASEN_PROTOCOLS, PROTOCOLS
from bench_darn_pairs.urls import FILES, read_test

METRICS = ("hit@1", "hit@5", "hit@10", "hit@20", "hit@50", "map@r", "mrr")
SIZE_METRICS = ("hit@1", "hit@20")
GALLERY_SIZES = ("1/40", "1/20", "1/10", "1/4", "1/2", "1")  # of the whole gallery


def street_to_shop(catalog: Catalog) -> Protocol:
    """Return `street-to-shop`: one task, counterparts and distractors in one gallery."""
    codes, queries, gallery = _asked_and_offered(catalog)
    tasks = (by_code("all", codes, queries, gallery),)
    training = catalog.rows(split="train")
    name = "street-to-shop"
    return Protocol(name, PROTOCOLS[name], tasks, METRICS, "hit@20", training)


def gallery_sizes(catalog: Catalog) -> Protocol:
    """Return `street-to-shop/gallery-sizes`: a task for each share of the gallery.

    Each gallery has the counterparts of all queries, and those distractors that come first in the
    order of the hashes of their ids: a smaller gallery is part of every larger one. A share that
    makes no larger gallery than the one before is left out.
    """
    codes, queries, gallery = _asked_and_offered(catalog)
    wanted = np.isin(codes[gallery], codes[queries])
    counterparts, distractors = gallery[wanted], gallery[~wanted]
    distractors = distractors[_hash_order(catalog, distractors)]
    tasks: list[Task] = []
    for share in GALLERY_SIZES:
        size = max(ceil(Fraction(share) * len(gallery)), len(counterparts))
        if not tasks or size > tasks[-1].candidates():
            offered = np.sort(np.r_[counterparts, distractors[: size - len(counterparts)]])
            tasks.append(by_code(share, codes, queries, offered))
    training = catalog.rows(split="train")
    name = "street-to-shop/gallery-sizes"
    return Protocol(name, PROTOCOLS[name], tuple(tasks), SIZE_METRICS, "hit@20", training)


def _asked_and_offered(catalog: Catalog) -> tuple[Rows, Rows, Rows]:
    """Return one code per row, equal for one item, and the rows of queries and gallery."""
    codes = catalog.codes("item")
    queries, gallery = catalog.rows(split="query"), catalog.rows(split="gallery")
    if not np.isin(codes[queries], codes[gallery]).any():
        raise IncompatibleError(
            f"{catalog.dataset}: none of {len(queries):,} street photographs here shows an item of "
            f"the {len(gallery):,} shop photographs here; fetch more photographs"
        )
    return codes, queries, gallery


def _hash_order(catalog: Catalog, rows: Rows) -> Rows:
    """Return the positions of `rows` in the order of the hashes of their ids."""
    return hash_order(catalog.images["id"].iloc[rows].tolist())


def manipulation_protocol(catalog: Catalog) -> Protocol:
    """Return `manipulation`, among the labelled shop images, divided by `bench.splits`."""
    labelled = np.flatnonzero(catalog.known.any(axis=1))
    rows = np.setdiff1d(labelled, catalog.rows(domain="street"))
    splits = divide(catalog.root, catalog.images["id"].iloc[rows].tolist())
    return manipulation(
        "manipulation",
        PROTOCOLS["manipulation"],
        catalog,
        queries=rows[splits == "query"],
        gallery=rows[splits == "gallery"],
        training=rows[splits == "train"],
    )


def attribute_protocol(catalog: Catalog) -> Protocol:
    """Return `attribute`: a task per attribute, as ASEN's files of the test split have it.

    The gallery of an attribute are the candidates that are labelled in it. Images that are not in
    the catalog take no part.
    """
    [(name, summary)] = ASEN_PROTOCOLS.items()
    parts = read_test(catalog.root)
    if parts is None:
        raise IncompatibleError(f"{catalog.dataset}: protocol {name} needs {', '.join(FILES[-2:])}")
    row_of = pd.Index(catalog.images["id"])
    for part in parts:
        part["row"] = row_of.get_indexer(pd.Index(part["name"]))
    tasks: list[Task] = []
    for number, attribute in enumerate(catalog.schema.attributes):
        (asked, wanted), (offered, values) = (
            chosen[["row", "value"]].to_numpy(np.int64).T
            for chosen in (part[(part["attribute"] == number) & (part["row"] >= 0)]
                           for part in parts)
        )  # fmt: skip
        if len(asked) and len(offered):
            condition = Condition(attribute.name)
            tasks.append(Task(attribute.name, asked, offered, wanted, values, condition))
    if not tasks:
        raise IncompatibleError(f"{catalog.dataset}: no image of protocol {name} is here")
    training = catalog.rows(split="train")
    return Protocol(name, summary, tuple(tasks), ATTRIBUTE_METRICS, "hit@5", training)
