"""The protocols: each image of a part of the data against all others of that part."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bench.catalog import Catalog
from bench.protocols import Protocol
from bench.tasks import Rows, by_code
from bench_cub200 import PROTOCOLS
from bench_cub200.families import family_of, last_word

METRICS = ("hit@1", "hit@5", "hit@10", "precision@1", "precision@5", "precision@10", "map@r")
OF_ATTRIBUTES = ("iou@1", "iou@5", "iou@10")  # where the files of attributes are there


def make_protocols(catalog: Catalog) -> Sequence[Protocol]:
    """Return the protocols that have images here; a query's own image is never its answer."""
    species = list(catalog.images["category"])
    first_half, second_half = halves(catalog)
    test, train = catalog.rows(split="test"), catalog.rows(split="train")

    def protocol(
        name: str, labels: Sequence[str], rows: Rows, training: Rows, headline: str = "precision@1"
    ) -> Protocol:
        codes = np.unique(labels, return_inverse=True)[1].astype(np.int64)
        task = by_code(name, codes, rows, rows)
        metrics = METRICS + (OF_ATTRIBUTES if catalog.schema.width else ())
        return Protocol(name, PROTOCOLS[name], (task,), metrics, headline, training)

    found = [protocol("unseen-classes", species, second_half, first_half, "hit@1")]
    if not len(test):
        return found
    return [
        protocol("fine", species, test, train),
        protocol("coarse", [last_word(name) for name in species], test, train),
        protocol("coarse/families", [family_of(name) for name in species], test, train),
        *found,
    ]


def halves(catalog: Catalog) -> tuple[Rows, Rows]:
    """Return the rows of the first half of the classes, by their numbers, and of the second.

    Of an odd number of classes, the second half has the one more.
    """
    numbers = catalog.images["id"].str.partition(".")[0].astype(np.int64)
    classes, codes = np.unique(numbers, return_inverse=True)
    first = codes < len(classes) // 2
    return np.flatnonzero(first).astype(np.int64), np.flatnonzero(~first).astype(np.int64)
