"""Protocols about attributes, for any dataset that has them.

    manipulation   "the same, but with a v-neck": every attribute as the query's, one changed
    attribute      "similar in collar": the same value of one attribute
    recognition    which value has the image?
    triplets       of two images, which one shares the query's value?

Each has one task per attribute; a record holds their plain mean beside them. Attributes must be
single-valued in the images that take part: at most one value each, none meaning missing.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from bench.catalog import Catalog
from bench.errors import DataError, IncompatibleError
from bench.protocols import Protocol
from bench.tasks import AnyTask, Condition, RecognitionTask, Rows, Task, TripletTask

MANIPULATION_METRICS = ("hit@1", "hit@5", "hit@10", "hit@20", "hit@50")
ATTRIBUTE_METRICS = ("hit@1", "hit@5", "hit@10", "hit@20", "precision@10")


def manipulation(
    name: str,
    summary: str,
    catalog: Catalog,
    *,
    queries: Rows,
    gallery: Rows,
    training: Rows,
    metrics: tuple[str, ...] = MANIPULATION_METRICS,
) -> Protocol:
    """Return retrieval with attribute manipulation, one task per attribute that is changed.

    A task has every (query, value) such that the query has another value of the attribute and some
    gallery image has exactly the query's attributes with this one changed to that value; these are
    the relevant ones. A missing attribute is a state of its own: it must be missing in both. (Ak et
    al., FashionSearchNet-v2, section on evaluation.)
    """
    labels = catalog.labels()
    _require_single(catalog, np.r_[queries, gallery])
    _, vectors = np.unique(labels[gallery], axis=0, return_inverse=True)
    vectors = vectors.reshape(-1).astype(np.int64)
    tasks = []
    for number, attribute in enumerate(catalog.schema.attributes):
        pairs = _changes(labels, number, queries, gallery, vectors)
        if len(pairs):
            targets = pairs["value"].to_numpy(np.int64)
            asked, wanted = pairs["query"].to_numpy(np.int64), pairs["vector"].to_numpy(np.int64)
            condition = Condition(attribute.name, targets)
            tasks.append(Task(attribute.name, asked, gallery, wanted, vectors, condition))
    return _protocol(name, summary, tasks, metrics, "hit@20", training)


def _changes(
    labels: Rows, changed: int, queries: Rows, gallery: Rows, vectors: Rows
) -> pd.DataFrame:
    """Return the columns query, value, vector: what each query can become, by changing one label.

    `labels` is (N, A); two images can become each other where all other columns are equal.
    """
    others = np.delete(np.r_[labels[queries], labels[gallery]], changed, axis=1)
    _, rest = np.unique(others, axis=0, return_inverse=True)
    rest = rest.reshape(-1)
    asked = pd.DataFrame(
        {
            "rest": rest[: len(queries)],
            "place": np.arange(len(queries)),
            "query": queries,
            "has": labels[queries, changed],
        }
    )
    offered = pd.DataFrame(
        {"rest": rest[len(queries) :], "value": labels[gallery, changed], "vector": vectors}
    ).drop_duplicates(["rest", "value"])
    pairs = asked[asked["has"] >= 0].merge(offered[offered["value"] >= 0], on="rest")
    return pairs[pairs["has"] != pairs["value"]].sort_values(["place", "value"])


def similar_in_attribute(
    name: str,
    summary: str,
    catalog: Catalog,
    *,
    queries: Rows,
    gallery: Rows,
    training: Rows,
    joint: bool = True,
    metrics: tuple[str, ...] = ATTRIBUTE_METRICS,
) -> Protocol:
    """Return retrieval under one attribute at a time; relevant is the same value of it.

    Every query that is labelled in the attribute asks. The gallery is all of `gallery`, also images
    that are not labelled in the attribute, or with `joint=False` only those that are. Copies of one
    picture (the catalog's column `picture`) stand in the gallery once, with the labels of all of
    them, and a query ignores its own picture under whatever name.
    """
    labels = catalog.labels()
    _require_single(catalog, np.r_[queries, gallery])
    pictures = _pictures(catalog)
    gallery = gallery[np.sort(np.unique(pictures[gallery], return_index=True)[1])]
    place = np.full(pictures.max() + 1, -1, np.int64)
    place[pictures[gallery]] = gallery  # the row under which a picture stands in the gallery
    ignored = np.where(place[pictures] >= 0, place[pictures], np.arange(len(catalog)))
    tasks = []
    for number, attribute in enumerate(catalog.schema.attributes):
        codes = labels[:, number]
        of_picture = np.full(pictures.max() + 1, -1, np.int64)
        labelled = np.flatnonzero(codes >= 0)
        of_picture[pictures[labelled]] = codes[labelled]
        asked = queries[codes[queries] >= 0]
        found = of_picture[pictures[gallery]]
        kept = gallery if joint else gallery[found >= 0]
        if len(asked) and len(kept):
            tasks.append(
                Task(
                    attribute.name,
                    asked,
                    kept,
                    codes[asked],
                    of_picture[pictures[kept]],
                    Condition(attribute.name),
                    ignored[asked],
                )
            )
    return _protocol(name, summary, tasks, metrics, "hit@5", training)


def recognition(
    name: str, summary: str, catalog: Catalog, *, queries: Rows, training: Rows
) -> Protocol:
    """Return the recognition of each attribute in the images that are labelled in it."""
    labels = catalog.labels()
    _require_single(catalog, np.r_[queries, training])
    tasks = []
    for number, attribute in enumerate(catalog.schema.attributes):
        codes = labels[:, number]
        asked, trained = queries[codes[queries] >= 0], training[codes[training] >= 0]
        if len(asked) and len(trained):
            tasks.append(
                RecognitionTask(
                    attribute.name,
                    asked,
                    codes[asked],
                    trained,
                    codes[trained],
                    attribute.values,
                    Condition(attribute.name),
                )
            )
    metrics = ("attribute-accuracy",)
    return _protocol(name, summary, tasks, metrics, metrics[0], training)


def triplets(
    name: str, summary: str, catalog: Catalog, *, queries: Rows, training: Rows, seed: int = 0
) -> Protocol:
    """Return the triplets of each attribute among `queries`; see `draw_triplets`."""
    labels = catalog.labels()
    _require_single(catalog, queries)
    tasks = []
    for number, attribute in enumerate(catalog.schema.attributes):
        drawn = draw_triplets(labels[queries, number], np.random.default_rng([seed, number]))
        if len(drawn):
            anchors, positives, negatives = queries[drawn].T
            condition = Condition(attribute.name)
            tasks.append(TripletTask(attribute.name, anchors, positives, negatives, condition))
    metrics = ("triplet-accuracy",)
    return _protocol(name, summary, tasks, metrics, metrics[0], training)


def draw_triplets(labels: Rows, generator: np.random.Generator) -> Rows:
    """Return triplets of positions (anchor, positive, negative), (T, 3), for labels (n,).

    Per value: its images leave the pool one by one in random order, each as an anchor whose
    positive is drawn from those still in the pool (for the last one, from all others), and whose
    negative is drawn without replacement from the images of all other values (which are drawn again
    once they are used up). Each labelled image is an anchor once, unless it is the only one of its
    value or nothing has another value. Negative labels are missing ones. (The multi-task paper's
    section on triplets.)
    """
    drawn = [np.zeros((0, 3), np.int64)]
    for value in np.unique(labels[labels >= 0]):
        pool = generator.permutation(np.flatnonzero(labels == value))
        others = np.flatnonzero((labels >= 0) & (labels != value))
        count = len(pool)
        if count < 2 or not len(others):
            continue
        remaining = np.arange(count - 1, 0, -1)  # images left in the pool after each anchor
        steps = 1 + np.floor(generator.random(count - 1) * remaining).astype(np.int64)
        positives = np.r_[np.arange(count - 1) + steps, generator.integers(count - 1)]
        rounds = [generator.permutation(others) for _ in range(-(-count // len(others)))]
        negatives = np.concatenate(rounds)[:count]
        drawn.append(np.stack([pool, pool[positives], negatives], axis=1))
    return np.concatenate(drawn)


def _protocol(
    name: str,
    summary: str,
    tasks: Sequence[AnyTask],
    metrics: tuple[str, ...],
    headline: str,
    training: Rows,
) -> Protocol:
    if not tasks:
        raise IncompatibleError(f"protocol {name}: no image has an attribute that it can ask about")
    return Protocol(name, summary, tuple(tasks), metrics, headline, training)


def _pictures(catalog: Catalog) -> Rows:
    """Return one code per row, equal for copies of one picture, (N,) from 0."""
    codes = catalog.codes("picture")
    alone = codes < 0
    codes[alone] = codes.max(initial=-1) + 1 + np.arange(alone.sum())
    return codes


def _require_single(catalog: Catalog, rows: Rows) -> None:
    for attribute in catalog.schema.attributes:
        columns = catalog.present[:, catalog.schema.columns(attribute.name)]
        several = rows[columns[rows].sum(axis=1) > 1]
        if len(several):
            image = catalog.images["id"].iloc[several[0]]
            raise DataError(
                f"{catalog.dataset}: image {image} has several values of {attribute.name}; "
                "this protocol expects one at most"
            )
