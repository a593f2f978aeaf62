"""The protocols: which queries against which part of the gallery."""

from __future__ import annotations

from collections.abc import Sequence

from bench.catalog import Catalog
from bench.protocols import Protocol
from bench.tasks import Rows, Task, by_code
from bench_inshop import PROTOCOLS
from bench_inshop.vocabulary import DRESSES

METRICS = ("hit@1", "hit@5", "hit@10", "hit@20", "hit@50", "precision@1", "precision@5",
           "precision@10", "map@r")  # fmt: skip
OF_ATTRIBUTES = ("iou@1", "iou@5", "iou@10")  # where the files of attributes are there


def make_protocols(catalog: Catalog) -> Sequence[Protocol]:
    """Return the protocols that have a query and a gallery image here; relevant = the same item."""
    items = catalog.codes("item")
    queries, gallery = catalog.rows(split="query"), catalog.rows(split="gallery")
    dresses = catalog.rows(split="query", category=DRESSES)
    dress_gallery = catalog.rows(split="gallery", category=DRESSES)
    training = catalog.rows(split="train")
    dress_training = catalog.rows(split="train", category=DRESSES)

    def tasks(name: str, asked: Rows, ranked: Rows) -> tuple[Task, ...]:
        return (by_code(name, items, asked, ranked),) if len(asked) and len(ranked) else ()

    def protocol(name: str, parts: tuple[Task, ...], headline: str, learnt: Rows) -> Protocol:
        metrics = METRICS + (OF_ATTRIBUTES if catalog.schema.width else ())
        return Protocol(name, PROTOCOLS[name], parts, metrics, headline, learnt)

    by_category = tuple(
        task
        for category in catalog.images["category"].cat.categories
        for task in tasks(
            category,
            catalog.rows(split="query", category=category),
            catalog.rows(split="gallery", category=category),
        )
    )
    found = [
        protocol(
            "dress/dress-gallery",
            tasks("dress", dresses, dress_gallery),
            "precision@1",
            dress_training,
        ),
        protocol(
            "dress/all-gallery", tasks("dress", dresses, gallery), "precision@1", dress_training
        ),
        protocol("all/all-gallery", tasks("all", queries, gallery), "hit@20", training),
        protocol("category", by_category, "hit@1", training),
    ]
    return [protocol for protocol in found if protocol.tasks]
