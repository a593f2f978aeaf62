"""From features to numbers: search, metrics, curves and intervals, against faiss's search alone.

The data are as large as In-shop's test division: 14,218 queries and 12,612 gallery images of 3,985
items, with 463 attribute values. Features have variances that fall as 1/i, as those of photographs
do, and images of an item share a part of them, so that the item stands among the first 50 for nine
queries of ten.

`map` is left out: it needs a ranking of the whole gallery, another search than the first 50.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numba
import numpy as np
import numpy.typing as npt
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from bench.catalog import Attribute, AttributeSchema, Catalog
from bench.metrics import Ranking
from bench.overlap import Sets
from bench.plugins import Registry
from bench.search import Gallery, rank, search
from bench.statistics import bootstrap_intervals, means
from bench.tasks import Task

THREADS = os.cpu_count() or 1
QUERIES, GALLERY, DIMENSION, DEPTH = 14_218, 12_612, 512, 50
ITEMS, VALUES, SHARED = 3_985, 463, 0.6  # SHARED: of the variance, by images of an item
METRICS = {
    name: spec
    for name, spec in Registry.load().all("metrics").items()
    if spec.kind == "retrieval" and name != "map"
}
# these look below the first 50: at the rank of the first relevant image, at the best overlaps
OF_THE_GALLERY = {
    name for name, spec in METRICS.items() if spec.needs_first_relevant or spec.needs_best_overlap
}
OF_RANX = ["hit_rate@50", "precision@50", "recall@50", "map@50", "mrr@50", "ndcg@50"]


@dataclass(frozen=True)
class Drawn:
    queries: npt.NDArray[np.float32]
    gallery: npt.NDArray[np.float32]
    task: Task
    catalog: Catalog

    def rankings(self, *, whole: bool) -> Iterator[Ranking]:
        """Yield the ranking of each block of queries; `whole`: and what lies below, if needed."""
        sets = Sets(self.task, self.catalog)
        blocks = rank(
            self.task, self.queries.__getitem__, Gallery(self.gallery),
            distance="inner-product", depth=DEPTH, first_relevant=whole,
        )  # fmt: skip
        for rows, ranked in blocks:
            yield replace(ranked, overlap=sets.overlap(rows, ranked.positions, best=whole))


@pytest.fixture(scope="module")
def drawn() -> Drawn:
    generator = np.random.default_rng(0)
    basis = np.linalg.qr(generator.standard_normal((DIMENSION, DIMENSION)))[0].astype(np.float32)
    count = QUERIES + GALLERY
    codes = generator.integers(ITEMS, size=count)
    of_items = generator.standard_normal((ITEMS, DIMENSION), dtype=np.float32)
    of_images = generator.standard_normal((count, DIMENSION), dtype=np.float32)
    features = SHARED**0.5 * of_items[codes] + (1 - SHARED) ** 0.5 * of_images
    features = features / np.sqrt(np.arange(1, DIMENSION + 1, dtype=np.float32)) @ basis
    present = (generator.random((count, VALUES)) < 0.03).astype(np.uint8)
    schema = AttributeSchema((Attribute("all", tuple(map(str, range(VALUES))), multiple=True),))
    columns = {"path": [str(number) for number in range(count)]}
    catalog = Catalog.from_columns("drawn", Path(), columns, schema=schema, present=present)
    rows = np.arange(count)
    task = Task("all", rows[:QUERIES], rows[QUERIES:], codes[:QUERIES], codes[QUERIES:])
    return Drawn(features[:QUERIES], features[QUERIES:], task, catalog)


def search_alone(drawn: Drawn) -> npt.NDArray[np.int32]:
    return search(drawn.queries, drawn.gallery, distance="inner-product", depth=DEPTH)


def search_and_scoring(drawn: Drawn, *, whole: bool) -> dict[str, tuple[float, float, float]]:
    """Return mean and interval of each metric; curves are made and summed as well."""
    chosen = [spec for name, spec in METRICS.items() if whole or name not in OF_THE_GALLERY]
    curves = [spec.curve for spec in chosen if spec.curve]
    values, summed = [], np.zeros((len(curves), DEPTH))
    for ranking in drawn.rankings(whole=whole):
        values.append(np.stack([spec.function(ranking, DEPTH) for spec in chosen], axis=1))
        summed += [np.nansum(curve(ranking, DEPTH), axis=0) for curve in curves]
    of_all = np.concatenate(values)
    intervals = bootstrap_intervals(of_all)
    return {
        spec.name: (mean, low, high)
        for spec, mean, (low, high) in zip(chosen, means(of_all), intervals, strict=True)
    }


def faiss_alone(drawn: Drawn) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
    faiss = pytest.importorskip("faiss", reason="pip install faiss-cpu")
    faiss.omp_set_num_threads(THREADS)
    index = faiss.IndexFlatIP(DIMENSION)
    index.add(drawn.gallery)
    return index.search(drawn.queries, DEPTH)


def judged(task: Task) -> npt.NDArray[np.float64]:
    """Return the relevant images of each query as ranx takes them, (Q, R, 2).

    Queries with fewer than R have rows of grade 0, with an image that stands nowhere.
    """
    order = np.argsort(task.gallery_codes, kind="stable")
    codes = task.gallery_codes[order]
    first = np.searchsorted(codes, task.query_codes)
    most = int(task.relevant_counts().max())
    at = np.minimum(first[:, None] + np.arange(most), len(order) - 1)
    right = codes[at] == task.query_codes[:, None]
    return np.stack([np.where(right, order[at], -1.0), right.astype(np.float64)], axis=2)


def faiss_and_ranx(drawn: Drawn, truth: npt.NDArray[np.float64]) -> dict[str, float]:
    """Return six means: ranx has neither attributes, curves nor intervals."""
    ranx = pytest.importorskip("ranx", reason="pip install ranx")
    scores, positions = faiss_alone(drawn)
    found = np.stack([positions, scores], axis=2).astype(np.float64)
    return ranx.evaluate(truth, found, OF_RANX)


@pytest.mark.parametrize(
    "way",
    [
        "ours, search alone",
        "ours, all that the first 50 tell",
        "ours, and mrr and the gallery's ideal",
        "faiss, search alone",
        "faiss, six means by ranx",
    ],
)
def test_search_and_scoring(
    benchmark: BenchmarkFixture, in_turn: Callable[..., Any], drawn: Drawn, way: str
) -> None:
    numba.set_num_threads(THREADS)
    ways = {
        "ours, search alone": partial(search_alone, drawn),
        "ours, all that the first 50 tell": partial(search_and_scoring, drawn, whole=False),
        "ours, and mrr and the gallery's ideal": partial(search_and_scoring, drawn, whole=True),
        "faiss, search alone": partial(faiss_alone, drawn),
        "faiss, six means by ranx": partial(faiss_and_ranx, drawn, judged(drawn.task)),
    }
    shape = f"{QUERIES:,} x {GALLERY:,} x {DIMENSION}, top {DEPTH}"
    benchmark.group = f"search and scoring, in-shop: {shape}, {THREADS} threads"
    ways[way]()  # warms up
    peer = ways["faiss, search alone"] if way.startswith("ours") and find_spec("faiss") else None
    in_turn(benchmark, ways[way], peer, rounds=3 if peer is None else 9)


def test_ours_and_ranx_find_the_same_means(drawn: Drawn) -> None:
    """ranx counts a query with nothing relevant as 0, ours leaves it out."""
    ours = search_and_scoring(drawn, whole=False)
    theirs = faiss_and_ranx(drawn, judged(drawn.task))
    counted = float((drawn.task.relevant_counts() > 0).mean())
    names = ["hit@k", "precision@k", "recall@k", "map@k", "ndcg@k[relevance]"]
    of_ranx = ["hit_rate@50", "precision@50", "recall@50", "map@50", "ndcg@50"]
    for name, other in zip(names, of_ranx, strict=True):
        mean, low, high = ours[name]
        assert low < mean < high
        assert mean * counted == pytest.approx(theirs[other], abs=1e-4), name
    assert 0.85 < ours["hit@k"][0] < 0.95
