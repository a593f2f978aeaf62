"""Tasks: what one query set is asked under one condition, and what is right.

Three kinds, all of which end in a ranking that metrics see: retrieval (rank a gallery), triplets
(rank a positive and a negative image), recognition (rank the values of an attribute).

Relevance is equality of integer codes: one code per query and one per gallery image, and an image
is relevant where the two are equal (a negative code equals nothing). Truth has three values:
relevant, ignored (the query's own image, by its row, wherever it stands), and other.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt

from bench import fingerprints
from bench.catalog import Catalog
from bench.errors import IncompatibleError

Rows = npt.NDArray[np.int64]
Kind = Literal["retrieval", "triplets", "recognition"]


@dataclass(frozen=True, eq=False)
class Condition:
    """What a task asks for: "similar in `attribute`" or, with targets, "the same, changed".

    `targets` (Q,) gives for each query the value that `attribute` becomes, counted from 0 within
    the attribute's values.
    """

    attribute: str
    targets: Rows | None = None

    def of(self, queries: slice) -> Condition:
        """Return the condition of a block of the queries."""
        return self if self.targets is None else replace(self, targets=self.targets[queries])


class AnyTask(Protocol):
    """What the harness asks of a task of any kind."""

    @property
    def kind(self) -> Kind:
        """The kind, which decides how it is ranked and which metrics it may have."""

    @property
    def name(self) -> str:
        """The task's name within its protocol."""

    @property
    def queries(self) -> Rows:
        """The catalog row of each query, (Q,)."""

    @property
    def condition(self) -> Condition | None:
        """What the task asks for, if not plain likeness."""

    def candidates(self) -> int:
        """Return how many candidates each query ranks: gallery images, values, or two."""

    def rows(self) -> Rows:
        """Return every catalog row whose features the task needs."""

    def relevant_counts(self) -> Rows:
        """Return how many candidates are relevant to each query, its own image left out, (Q,)."""

    def without(self, rows: Rows) -> AnyTask:
        """Return the task with these catalog rows left out."""

    def content(self, catalog: Catalog) -> str:
        """Return the hash of ids, relevance and condition, free of how a reader numbers things."""


@dataclass(frozen=True)
class Task:
    """Retrieval: one query set against one gallery under one condition.

    `queries` (Q,) and `gallery` (G,) are rows of the catalog, the codes (Q,) and (G,) say what is
    relevant. Gallery rows must not repeat: an image that stands twice would count twice. Each query
    ignores its own row, or that of `ignored` (Q,) where its picture stands under another one.
    """

    name: str
    queries: Rows
    gallery: Rows
    query_codes: Rows
    gallery_codes: Rows
    condition: Condition | None = None
    ignored: Rows | None = None
    kind: Kind = field(default="retrieval", init=False)

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

    def candidates(self) -> int:
        """Return the number of gallery images."""
        return len(self.gallery)

    def rows(self) -> Rows:
        """Return every catalog row that the task needs, ascending."""
        return np.unique(np.r_[self.queries, self.gallery])

    def own(self) -> Rows:
        """Return the gallery position that each query ignores, (Q,); -1 where it has none."""
        ignored = self.queries if self.ignored is None else self.ignored
        order = np.argsort(self.gallery)
        at = np.minimum(np.searchsorted(self.gallery, ignored, sorter=order), len(order) - 1)
        found = order[at]
        return np.where(self.gallery[found] == ignored, found, -1)

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
            condition=_of(self.condition, queries),
            ignored=None if self.ignored is None else self.ignored[queries],
        )

    def content(self, catalog: Catalog) -> str:
        """Return the hash of query ids, gallery ids, relevance, what is ignored, condition."""
        codes = np.r_[self.query_codes, self.gallery_codes]
        _, first, inverse = np.unique(codes, return_index=True, return_inverse=True)
        canonical = np.where(codes < 0, -1, first[inverse]).astype("<i8")
        return fingerprints.of_bytes(
            _described(self.name, self.condition, catalog),
            *_ids(catalog, self.queries, self.gallery),
            canonical.tobytes(),
            b"" if self.ignored is None else self.own().astype("<i8").tobytes(),
        )


@dataclass(frozen=True)
class TripletTask:
    """Triplets: is the positive nearer to the anchor than the negative? All (Q,) catalog rows."""

    name: str
    queries: Rows  # the anchors
    positives: Rows
    negatives: Rows
    condition: Condition | None = None
    kind: Kind = field(default="triplets", init=False)

    def __post_init__(self) -> None:
        if not len(self.queries) == len(self.positives) == len(self.negatives):
            raise ValueError(f"task {self.name!r}: one positive and one negative per anchor")
        if not len(self.queries):
            raise IncompatibleError(f"task {self.name!r} has no triplets; it needs one at least")

    def candidates(self) -> int:
        """Return 2: the negative and the positive."""
        return 2

    def rows(self) -> Rows:
        """Return every catalog row that the task needs, ascending."""
        return np.unique(np.r_[self.queries, self.positives, self.negatives])

    def relevant_counts(self) -> Rows:
        """Return 1 for each triplet."""
        return np.ones(len(self.queries), np.int64)

    def without(self, rows: Rows) -> TripletTask:
        """Return the task without the triplets that hold one of these rows."""
        kept = ~(
            np.isin(self.queries, rows)
            | np.isin(self.positives, rows)
            | np.isin(self.negatives, rows)
        )
        return replace(
            self,
            queries=self.queries[kept],
            positives=self.positives[kept],
            negatives=self.negatives[kept],
            condition=_of(self.condition, kept),
        )

    def content(self, catalog: Catalog) -> str:
        """Return the hash of the ids of all triplets and of the condition."""
        return fingerprints.of_bytes(
            _described(self.name, self.condition, catalog),
            *_ids(catalog, self.queries, self.positives, self.negatives),
        )


@dataclass(frozen=True)
class RecognitionTask:
    """Recognition: which of its attribute's V values an image has.

    `labels` (Q,) and `training_labels` (T,) count from 0 within the values of the condition's
    attribute; the training images serve methods that have no classifier of their own.
    """

    name: str
    queries: Rows
    labels: Rows
    training: Rows
    training_labels: Rows
    values: tuple[str, ...]
    condition: Condition
    kind: Kind = field(default="recognition", init=False)

    def __post_init__(self) -> None:
        if len(self.queries) != len(self.labels) or len(self.training) != len(self.training_labels):
            raise ValueError(f"task {self.name!r}: one label per image")
        if not len(self.queries) or not len(self.training):
            raise IncompatibleError(
                f"task {self.name!r} has {len(self.queries):,} images to recognise and "
                f"{len(self.training):,} for training; both must be more than none"
            )

    def candidates(self) -> int:
        """Return the number of values."""
        return len(self.values)

    def rows(self) -> Rows:
        """Return every catalog row that the task needs, ascending."""
        return np.unique(np.r_[self.queries, self.training])

    def relevant_counts(self) -> Rows:
        """Return 1 for each image: its one value."""
        return np.ones(len(self.queries), np.int64)

    def without(self, rows: Rows) -> RecognitionTask:
        """Return the task with these rows left out."""
        kept, trained = ~np.isin(self.queries, rows), ~np.isin(self.training, rows)
        return replace(
            self,
            queries=self.queries[kept],
            labels=self.labels[kept],
            training=self.training[trained],
            training_labels=self.training_labels[trained],
        )

    def content(self, catalog: Catalog) -> str:
        """Return the hash of ids and labels; what was trained on is the method's affair."""
        names = "\0".join(self.values[label] for label in self.labels)
        return fingerprints.of_bytes(
            _described(self.name, self.condition, catalog),
            *_ids(catalog, self.queries),
            names.encode(),
            "\0".join(sorted(self.values)).encode(),
        )


def by_code(name: str, codes: Rows, queries: Rows, gallery: Rows) -> Task:
    """Return the task in which images with equal `codes` (one per catalog row) are relevant."""
    return Task(name, queries, gallery, codes[queries], codes[gallery])


def _of(condition: Condition | None, kept: npt.NDArray[np.bool_]) -> Condition | None:
    if condition is None or condition.targets is None:
        return condition
    return replace(condition, targets=condition.targets[kept])


def _described(name: str, condition: Condition | None, catalog: Catalog) -> bytes:
    if condition is None:
        return name.encode()
    targets = ""
    if condition.targets is not None:
        values = catalog.schema.attribute(condition.attribute).values
        targets = "\0".join(values[target] for target in condition.targets)
    return f"{name}\0{condition.attribute}\0{targets}".encode()


def _ids(catalog: Catalog, *rows: Rows) -> list[bytes]:
    ids = catalog.images["id"].to_numpy(dtype=object)
    # hashed one by one, so that no id can pass from one list into the next
    return [fingerprints.of_bytes("\0".join(ids[chosen]).encode()).encode() for chosen in rows]
