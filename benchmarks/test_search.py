"""Ranking a gallery: ours, exact, against libraries that rank by float32 and settle no ties.

Every way starts from the same float32 features and ends in the positions of the best, in order.
What a library makes of the gallery first, a copy or an index, is part of its time. The README
beside this file says what the cases are and what each peer does.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numba
import numpy as np
import numpy.typing as npt
import pytest
import torch
from pytest_benchmark.fixture import BenchmarkFixture

from bench.search import search

THREADS = os.cpu_count() or 1
QUERY_BLOCK = 1024  # of torch's products; a block of scores of the large case takes 0.8 GB

Features = npt.NDArray[np.float32]
Found = npt.NDArray[np.integer]
Way = Callable[[Features, Features, int], Found]
Measure = Callable[..., None]


@dataclass(frozen=True)
class Case:
    name: str
    queries: int
    gallery: int
    dimension: int
    depth: int

    def __str__(self) -> str:
        shape = f"{self.queries:,} x {self.gallery:,} x {self.dimension:,}"
        return f"{self.name}: {shape}, top {self.depth}, {THREADS} threads"


IN_SHOP = Case("in-shop", 14_218, 12_612, 512, 50)
LARGE = Case("large, memory-mapped", 1_717, 200_000, 4_096, 50)
HISTOGRAMS = Case("histogram intersection", 1_901, 26_830, 336, 50)
DEEP = Case("deep", 3_781, 3_781, 1_280, 928)


@pytest.fixture(autouse=True)
def equal_threads() -> None:
    torch.set_num_threads(THREADS)
    numba.set_num_threads(THREADS)
    try:
        import faiss
    except ImportError:
        return
    faiss.omp_set_num_threads(THREADS)


# The data


@cache
def basis(dimension: int) -> Features:
    """Return a random orthonormal basis, (D, D)."""
    drawn = np.random.default_rng(0).standard_normal((dimension, dimension))
    return np.linalg.qr(drawn)[0].astype(np.float32)


def draw(kind: str, count: int, dimension: int, seed: int) -> Features:
    """Return rows of one kind, (count, D).

    decaying  variances fall as 1/i along a random orthonormal basis, as those of features of
              photographs do
    noise     independent normal numbers, without any structure: the hardest for bounds
    peaked    Dirichlet's distribution with α = 0.3: rows that sum to one, most of it in few places
    flat      even numbers from 0 to 1, divided by their sum
    """
    generator = np.random.default_rng(seed)
    shape = count, dimension
    if kind in {"peaked", "flat"}:
        drawn = generator.gamma(0.3, size=shape) if kind == "peaked" else generator.random(shape)
        return (drawn / drawn.sum(axis=1, keepdims=True)).astype(np.float32)
    drawn = generator.standard_normal(shape, dtype=np.float32)
    if kind == "noise":
        return drawn
    return drawn / np.sqrt(np.arange(1, dimension + 1, dtype=np.float32)) @ basis(dimension)


@dataclass(frozen=True)
class Drawn:
    kind: str
    queries: Features
    gallery: Features

    @classmethod
    def of(cls, kind: str, case: Case) -> Drawn:
        queries = draw(kind, case.queries, case.dimension, 1)
        return cls(kind, queries, draw(kind, case.gallery, case.dimension, 2))


@pytest.fixture(scope="module", params=["decaying", "noise"])
def in_shop(request: pytest.FixtureRequest) -> Drawn:
    return Drawn.of(request.param, IN_SHOP)


@pytest.fixture(scope="module", params=["peaked", "flat"])
def histograms(request: pytest.FixtureRequest) -> Drawn:
    return Drawn.of(request.param, HISTOGRAMS)


@pytest.fixture(scope="module", params=["decaying", "noise"])
def deep(request: pytest.FixtureRequest) -> Drawn:
    return Drawn.of(request.param, DEEP)


@pytest.fixture(scope="module", params=["decaying", "noise"])
def large(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Drawn]:
    """Write the gallery's file part by part, and remove it after the last test that reads it."""
    if "BENCH_LARGE" not in os.environ:
        pytest.skip("writes a file of 3.3 GB and takes minutes; set BENCH_LARGE=1 to run it")
    file: Path = tmp_path_factory.mktemp("large") / "gallery.npy"
    shape, step = (LARGE.gallery, LARGE.dimension), 10_000
    written = np.lib.format.open_memmap(file, "w+", np.float32, shape)
    for at in range(0, LARGE.gallery, step):
        rows = slice(at, min(at + step, LARGE.gallery))
        written[rows] = draw(request.param, rows.stop - at, LARGE.dimension, 2 + at)
    written.flush()
    del written
    queries = draw(request.param, LARGE.queries, LARGE.dimension, 1)
    # "c", though nothing is written: torch warns of arrays that it must not write to. A plain view
    # of the map: faiss takes no subclass of an array once it has met torch.
    yield Drawn(request.param, queries, np.asarray(np.load(file, mmap_mode="c")))
    file.unlink()


# The ways: by inner product, (queries, gallery, depth) → positions


def by_faiss(queries: Features, gallery: Features, depth: int) -> Found:
    """Use the flat index, which holds a copy of the gallery."""
    faiss = pytest.importorskip("faiss", reason="pip install faiss-cpu")
    index = faiss.IndexFlatIP(gallery.shape[1])
    index.add(gallery)
    return index.search(queries, depth)[1]


def by_torch(queries: Features, gallery: Features, depth: int) -> Found:
    right = torch.from_numpy(gallery).T
    blocks = torch.from_numpy(queries).split(QUERY_BLOCK)
    return torch.cat([(block @ right).topk(depth).indices for block in blocks]).numpy()


def by_scikit_learn(queries: Features, gallery: Features, depth: int) -> Found:
    """Use the Euclidean distance, another order: brute force knows no inner product."""
    neighbors = pytest.importorskip("sklearn.neighbors", reason="pip install scikit-learn")
    found = neighbors.NearestNeighbors(n_neighbors=depth, algorithm="brute", metric="euclidean")
    return found.fit(gallery).kneighbors(queries, return_distance=False)


def by_metric_learning(queries: Features, gallery: Features, depth: int) -> Found:
    """Ask for precision at 1 of items of four images, and keep the ranking that it is made of."""
    pytest.importorskip("faiss", reason="pip install faiss-cpu")
    pytest.importorskip("pytorch_metric_learning", reason="pip install pytorch-metric-learning")
    import faiss
    from pytorch_metric_learning.utils.accuracy_calculator import AccuracyCalculator
    from pytorch_metric_learning.utils.inference import FaissKNN

    knn = FaissKNN(index_init_fn=faiss.IndexFlatIP)
    kept: list[Found] = []

    def ranking(*arguments: object) -> tuple[torch.Tensor, torch.Tensor]:
        distances, positions = knn(*arguments)
        kept.append(positions.numpy())
        return distances, positions

    calculator = AccuracyCalculator(
        include=("precision_at_1",), k=depth, device=torch.device("cpu"), knn_func=ranking
    )
    query_labels, gallery_labels = (torch.arange(len(rows)) // 4 for rows in (queries, gallery))
    calculator.get_accuracy(
        torch.from_numpy(queries), query_labels, torch.from_numpy(gallery), gallery_labels
    )
    return kept[0]


def ours(queries: Features, gallery: Features, depth: int) -> Found:
    return search(queries, gallery, distance="inner-product", depth=depth)


WAYS: dict[str, Way] = {
    "ours": ours,
    "faiss": by_faiss,
    "torch": by_torch,
    "scikit-learn": by_scikit_learn,
    "pytorch-metric-learning": by_metric_learning,
}


# The same for histogram intersection


def ours_of_histograms(queries: Features, gallery: Features, depth: int) -> Found:
    return search(queries, gallery, distance="intersection", depth=depth)


def faiss_of_histograms(queries: Features, gallery: Features, depth: int) -> Found:
    """Rank by |a − b|₁: rows sum to one, so it is 2 − 2 Σ min(a, b)."""
    faiss = pytest.importorskip("faiss", reason="pip install faiss-cpu")
    index = faiss.IndexFlat(gallery.shape[1], faiss.METRIC_L1)
    index.add(gallery)
    return index.search(queries, depth)[1]


def numpy_of_histograms(queries: Features, gallery: Features, depth: int) -> Found:
    """Take one query after another, as one would write it first."""
    sums = (np.minimum(gallery, query).sum(axis=1) for query in queries)
    return np.stack([np.argsort(-found, kind="stable")[:depth] for found in sums])


def torch_of_histograms(queries: Features, gallery: Features, depth: int) -> Found:
    right = torch.from_numpy(gallery)
    blocks = torch.from_numpy(queries).split(QUERY_BLOCK)
    distances = (torch.cdist(block, right, p=1) for block in blocks)
    return torch.cat([d.topk(depth, largest=False).indices for d in distances]).numpy()


@numba.njit(parallel=True, fastmath=True)
def smaller_sums(queries: Features, gallery: Features, sums: Features) -> None:
    """Loop over 64 rows of the gallery at a time, which stay in a core's cache."""
    for part in numba.prange((len(gallery) + 63) // 64):
        for query in range(len(queries)):
            for row in range(64 * part, min(64 * part + 64, len(gallery))):
                total = np.float32(0)
                for place in range(gallery.shape[1]):
                    total += min(queries[query, place], gallery[row, place])
                sums[query, row] = total


def numba_of_histograms(queries: Features, gallery: Features, depth: int) -> Found:
    """Loop in numba; torch then selects, since its selection is the quickest."""
    found = []
    for at in range(0, len(queries), QUERY_BLOCK):
        block = queries[at : at + QUERY_BLOCK]
        sums = np.empty((len(block), len(gallery)), np.float32)
        smaller_sums(block, gallery, sums)
        found.append(torch.from_numpy(sums).topk(depth).indices)
    return torch.cat(found).numpy()


BY_NUMPY = 20  # queries
WAYS_OF_HISTOGRAMS: dict[str, Way] = {
    "ours": ours_of_histograms,
    "faiss METRIC_L1": faiss_of_histograms,
    f"NumPy, {BY_NUMPY} queries": numpy_of_histograms,
    "torch cdist": torch_of_histograms,
    "numba loops": numba_of_histograms,
}


# What is timed


@pytest.fixture
def measure(
    benchmark: BenchmarkFixture, peak_growth: Callable[..., int | None], in_turn: Callable[..., Any]
) -> Measure:
    """Return what times a way, in turn with a peer where one is named.

    It notes how much memory its first whole run took beyond the features.
    """

    def measured(
        way: Way, drawn: Drawn, case: Case, *, peer: Way | None = None, rounds: int = 3
    ) -> None:
        benchmark.group = f"search, {drawn.kind}, {case}"
        # loads and compiles what the way needs, so that this counts neither as time nor as memory
        way(drawn.queries[:256], drawn.gallery[:8192], min(case.depth, len(drawn.gallery[:8192])))
        asked = drawn.queries, drawn.gallery, case.depth
        grown = peak_growth(partial(way, *asked))  # and warms up
        if grown is not None:
            benchmark.extra_info["MB beyond the features"] = round(grown / 1e6)
        found = in_turn(
            benchmark, partial(way, *asked), partial(peer, *asked) if peer else None, rounds
        )
        assert found.shape == (len(drawn.queries), case.depth)

    return measured


def faiss_beside(way: str, peer: Way) -> Way | None:
    """Return the peer of ours, where faiss is there."""
    return peer if way == "ours" and find_spec("faiss") is not None else None


@pytest.mark.parametrize("way", WAYS)
def test_in_shop(measure: Measure, in_shop: Drawn, way: str) -> None:
    peer = faiss_beside(way, by_faiss)
    rounds = 3 if peer is None else 15
    measure(WAYS[way], in_shop, IN_SHOP, peer=peer, rounds=rounds)


@pytest.mark.parametrize("way", WAYS)
def test_large(measure: Measure, large: Drawn, way: str) -> None:
    peer = faiss_beside(way, by_faiss)
    measure(WAYS[way], large, LARGE, peer=peer)


@pytest.mark.parametrize("way", ["ours", "faiss", "torch"])
def test_deep(measure: Measure, deep: Drawn, way: str) -> None:
    measure(WAYS[way], deep, DEEP)


@pytest.mark.parametrize("way", WAYS_OF_HISTOGRAMS)
def test_histogram_intersection(
    benchmark: BenchmarkFixture, measure: Measure, histograms: Drawn, way: str
) -> None:
    count = BY_NUMPY if way.startswith("NumPy") else HISTOGRAMS.queries
    part = Drawn(histograms.kind, histograms.queries[:count], histograms.gallery)
    peer = faiss_beside(way, faiss_of_histograms)
    measure(WAYS_OF_HISTOGRAMS[way], part, HISTOGRAMS, peer=peer)
    if benchmark.stats is None:  # --benchmark-disable
        return
    seconds = benchmark.stats.stats.median
    elements = count * histograms.gallery.size
    benchmark.extra_info["thousand million elements a second"] = round(elements / seconds / 1e9, 1)
    if count < HISTOGRAMS.queries:
        all_queries = seconds * HISTOGRAMS.queries / count
        benchmark.extra_info["seconds for all queries, extrapolated"] = round(all_queries, 1)


# What is timed ends in the same order


def same_as(theirs: Found, ours: Found, drawn: Drawn, score: Callable[..., npt.NDArray]) -> float:
    """Return how many ranks hold the same row; the others must be too close for float32 to tell.

    `score` gives scores in float64, (q, n), of queries (q, 1, D) and rows (q, n, D). A sum of D
    terms in float32 is off by at most D · 2⁻²⁴ times the sum of their sizes (Higham, Accuracy and
    Stability, section 3.1); two such sums by twice as much.
    """
    queries, gallery = drawn.queries.astype(np.float64), drawn.gallery.astype(np.float64)
    unit = gallery.shape[1] * 2.0**-24
    for at in range(0, len(queries), 128):
        rows = slice(at, at + 128)
        asks = queries[rows, None]
        mine, other = (score(asks, gallery[found[rows]]) for found in (ours, theirs))
        sizes = score(np.abs(asks), np.abs(gallery[ours[rows]])).max(axis=1, keepdims=True)
        assert (np.diff(mine, axis=1) <= 1e-12 * sizes).all(), "ours is not in order"
        near = np.abs(mine - other) <= 2 * unit * sizes
        assert (near | (ours[rows] == theirs[rows])).all()
    return float((ours == theirs).mean())


def inner_products(queries: npt.NDArray, rows: npt.NDArray) -> npt.NDArray:
    return np.matmul(rows, queries.transpose(0, 2, 1))[..., 0]


def intersections(queries: npt.NDArray, rows: npt.NDArray) -> npt.NDArray:
    return np.minimum(queries, rows).sum(axis=2)


def test_the_order_is_that_of_faiss_where_float32_can_tell(in_shop: Drawn) -> None:
    found = [way(in_shop.queries, in_shop.gallery, IN_SHOP.depth) for way in (by_faiss, ours)]
    assert same_as(*found, in_shop, inner_products) > 0.999


def test_the_order_of_histograms_is_that_of_numpy(histograms: Drawn) -> None:
    part = Drawn(histograms.kind, histograms.queries[:BY_NUMPY], histograms.gallery)
    ways = numpy_of_histograms, ours_of_histograms
    found = [way(part.queries, part.gallery, HISTOGRAMS.depth) for way in ways]
    assert same_as(*found, part, intersections) > 0.99
