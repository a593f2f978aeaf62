"""A protocol of nested galleries: how a method stands up to more and more images to choose from."""

from __future__ import annotations

from fractions import Fraction
from math import ceil

import numpy as np

from bench.catalog import Catalog
from bench.pictures import hash_order
from bench.protocols import Protocol
from bench.tasks import Rows, Task, by_code

GALLERY_SIZES = ("1/40", "1/20", "1/10", "1/4", "1/2", "1")  # of the whole gallery
METRICS = ("hit@1", "hit@20")


def nested_galleries(
    name: str,
    summary: str,
    catalog: Catalog,
    codes: Rows,
    *,
    queries: Rows,
    gallery: Rows,
    training: Rows,
) -> Protocol:
    """Return a protocol with a task for each of `GALLERY_SIZES`; images of equal `codes` answer.

    Each gallery has the counterparts of all queries, and those distractors that come first in the
    order of the hashes of their ids: a smaller gallery is part of every larger one. A share that
    makes no larger gallery than the one before is left out. (Huang et al., DARN, section 5.5, which
    does not give its sizes.)
    """
    wanted = np.isin(codes[gallery], codes[queries])
    counterparts, distractors = gallery[wanted], gallery[~wanted]
    distractors = distractors[hash_order(catalog.images["id"].iloc[distractors].tolist())]
    tasks: list[Task] = []
    for share in GALLERY_SIZES:
        size = max(ceil(Fraction(share) * len(gallery)), len(counterparts))
        if not tasks or size > tasks[-1].candidates():
            offered = np.sort(np.r_[counterparts, distractors[: size - len(counterparts)]])
            tasks.append(by_code(share, codes, queries, offered))
    return Protocol(name, summary, tuple(tasks), METRICS, "hit@20", training)
