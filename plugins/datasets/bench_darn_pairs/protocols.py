"""The protocols: street to shop as the paper evaluates it, and those about attributes."""

from __future__ import annotations

import numpy as np
import pandas as pd

from bench.attribute_protocols import ATTRIBUTE_METRICS, manipulation
from bench.catalog import Catalog
from bench.errors import IncompatibleError
from bench.gallery_sizes import nested_galleries
from bench.protocols import Protocol, Rows, Task, by_code
from bench.splits import divide
from bench.tasks import Condition
from bench_darn_pairs import ASEN_PROTOCOLS, PROTOCOLS
from bench_darn_pairs.urls import FILES, read_test

METRICS = ("hit@1", "hit@5", "hit@10", "hit@20", "hit@50", "map@r", "mrr")
OF_ATTRIBUTES = ("ndcg@20[attributes]",)  # where queries have some


def street_to_shop(catalog: Catalog) -> Protocol:
    """Return `street-to-shop`: one task, counterparts and distractors in one gallery."""
    codes, queries, gallery = _asked_and_offered(catalog)
    tasks = (by_code("all", codes, queries, gallery),)
    training = catalog.rows(split="train")
    metrics = METRICS + (OF_ATTRIBUTES if catalog.present[queries].any() else ())
    name = "street-to-shop"
    return Protocol(name, PROTOCOLS[name], tasks, metrics, "hit@20", training)


def gallery_sizes(catalog: Catalog) -> Protocol:
    """Return `street-to-shop/gallery-sizes`: a task for each share of the gallery."""
    codes, queries, gallery = _asked_and_offered(catalog)
    name = "street-to-shop/gallery-sizes"
    return nested_galleries(
        name,
        PROTOCOLS[name],
        catalog,
        codes,
        queries=queries,
        gallery=gallery,
        training=catalog.rows(split="train"),
    )


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
