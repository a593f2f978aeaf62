"""Protocols: which images query, which form the gallery, and what counts as relevant.

Relevance is equality of integer codes: each task gives one code per query and one per gallery
image, and an image is relevant where the two are equal (a negative code equals nothing). Truth has
three values: relevant, ignored (the query's own image, by its id, wherever it stands), and other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from bench import fingerprints
from bench.catalog import Catalog
from bench.errors import IncompatibleError, UnknownNameError
from bench.interfaces import MethodSpec

Rows = npt.NDArray[np.int64]

# Part of every fingerprint: a protocol that ignores or orders otherwise is another protocol.
RULES = "the query's own image is ignored by id; equal scores stand in gallery order"


@dataclass(frozen=True)
class Condition:
    """What a task asks for: "similar in `attribute`", or with a value "it becomes `value`"."""

    attribute: str
    value: str | None = None


@dataclass(frozen=True)
class Task:
    """One query set against one gallery under one condition.

    `queries` (Q,) and `gallery` (G,) are rows of the catalog, the codes (Q,) and (G,) say what is
    relevant. Gallery rows must not repeat: an image that stands twice would count twice.
    """

    name: str
    queries: Rows
    gallery: Rows
    query_codes: Rows
    gallery_codes: Rows
    condition: Condition | None = None

    def __post_init__(self) -> None:
        if len(self.queries) != len(self.query_codes) or len(self.gallery) != len(
            self.gallery_codes
        ):
            raise ValueError(f"task {self.name!r}: one code per query and per gallery image")
        if len(np.unique(self.gallery)) != len(self.gallery):
            raise ValueError(f"task {self.name!r}: a gallery row stands twice")
        if not len(self.queries) or not len(self.gallery):
            raise IncompatibleError(
                f"task {self.name!r} has {len(self.queries):,} queries and {len(self.gallery):,} "
                "gallery images; both must be more than none"
            )

    def own(self) -> Rows:
        """Return each query's own position in the gallery, (Q,); -1 where it has none."""
        order = np.argsort(self.gallery)
        at = np.minimum(np.searchsorted(self.gallery, self.queries, sorter=order), len(order) - 1)
        found = order[at]
        return np.where(self.gallery[found] == self.queries, found, -1)

    def relevant_counts(self) -> Rows:
        """Return how many gallery images are relevant to each query, its own left out, (Q,)."""
        values, counts = np.unique(self.gallery_codes, return_counts=True)
        at = np.minimum(np.searchsorted(values, self.query_codes), len(values) - 1)
        found = np.where((values[at] == self.query_codes) & (self.query_codes >= 0), counts[at], 0)
        own = self.own()
        matches = (own >= 0) & (self.query_codes >= 0)
        matches &= self.gallery_codes[own] == self.query_codes
        return found - matches

    def without(self, rows: Rows) -> Task:
        """Return the task with these rows left out of queries and gallery."""
        queries, gallery = ~np.isin(self.queries, rows), ~np.isin(self.gallery, rows)
        return replace(
            self,
            queries=self.queries[queries],
            query_codes=self.query_codes[queries],
            gallery=self.gallery[gallery],
            gallery_codes=self.gallery_codes[gallery],
        )


@dataclass(frozen=True)
class Protocol:
    """A named evaluation: one task or several, its metrics, and the one that leads a table."""

    name: str
    summary: str
    tasks: tuple[Task, ...]
    metrics: tuple[str, ...]
    headline: str

    def rows(self) -> Rows:
        """Return every catalog row that some task needs, ascending."""
        return np.unique(np.concatenate([np.r_[t.queries, t.gallery] for t in self.tasks]))

    def without(self, rows: Rows) -> Protocol:
        """Return the protocol with these rows left out of every task."""
        return replace(self, tasks=tuple(task.without(rows) for task in self.tasks))

    def with_metrics(self, names: Sequence[str]) -> Protocol:
        """Return the protocol with these metrics after its own."""
        return replace(self, metrics=tuple(dict.fromkeys([*self.metrics, *names])))

    def fingerprint(self, catalog: Catalog) -> str:
        """Return the hash of query ids, gallery ids, relevance and rules.

        It names images by id and relevance by the partition that the codes make, so that the same
        protocol has the same fingerprint whatever the order in which a reader numbers its classes.
        """
        ids = catalog.images["id"].to_numpy(dtype=object)
        parts = [self.name.encode(), RULES.encode()]
        for task in self.tasks:
            codes = np.r_[task.query_codes, task.gallery_codes]
            _, first, inverse = np.unique(codes, return_index=True, return_inverse=True)
            canonical = np.where(codes < 0, -1, first[inverse]).astype("<i8")
            parts += [
                f"{task.name}\0{task.condition}".encode(),
                "\0".join(ids[task.queries]).encode(),
                "\0".join(ids[task.gallery]).encode(),
                canonical.tobytes(),
            ]
        return fingerprints.of_bytes(*(fingerprints.of_bytes(part).encode() for part in parts))


def by_code(name: str, codes: Rows, queries: Rows, gallery: Rows) -> Task:
    """Return the task in which images with equal `codes` (one per catalog row) are relevant."""
    return Task(name, queries, gallery, codes[queries], codes[gallery])


def select(protocols: Sequence[Protocol], names: Sequence[str], dataset: str) -> list[Protocol]:
    """Return the protocols with these names, in the dataset's order; all of them for no names."""
    known = [protocol.name for protocol in protocols]
    for name in names:
        if name not in known:
            raise UnknownNameError(f"protocol of {dataset}", name, known)
    return [protocol for protocol in protocols if not names or protocol.name in names]


def require_compatible(method: MethodSpec, catalog: Catalog) -> None:
    """Refuse, in one line that says what is missing, a method that cannot run on a catalog."""
    missing = [need for need in method.needs if not catalog.has(need)]
    if missing:
        raise IncompatibleError(
            f"{method.name} needs {' and '.join(missing)}; {catalog.dataset} has none"
        )
