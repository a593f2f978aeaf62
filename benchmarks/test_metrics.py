"""All metrics of 60,000 queries x 100 ranks: ours, against a loop over queries, and against ranx.

Ours starts from arrays, as the search leaves them, in its blocks: each ranking is checked and
attribute values are compared as well. The loop is plain Python; it is timed on its first queries
alone, a hundredth of all. ranx is given its own arrays, made beforehand, and is compiled before it
is timed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import log2
from pathlib import Path

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from bench.catalog import Attribute, AttributeSchema, Catalog
from bench.metrics import Ranking, reciprocal_rank
from bench.overlap import Sets
from bench.plugins import Registry
from bench.tasks import Task

QUERIES, DEPTH, CUT, CURVE = 60_000, 100, 100, 50
GALLERY, VALUES = 30_000, 179
BLOCK = 1024
LOOPED = 600  # queries of the loop
CASE = f"{QUERIES} queries x {DEPTH} ranks"
SPECS = {
    name: spec for name, spec in Registry.load().all("metrics").items() if spec.kind == "retrieval"
}


@dataclass(frozen=True)
class Case:
    """What a search leaves, and the catalog and task that it searched."""

    catalog: Catalog
    task: Task
    positions: np.ndarray
    relevant: np.ndarray

    def rankings(self, sets: Sets | None, block: int = BLOCK) -> Iterator[Ranking]:
        """Yield the checked ranking of each block of queries; all that is relevant stands in it."""
        for at in range(0, QUERIES, block):
            rows = slice(at, at + block)
            positions, relevant = self.positions[rows], self.relevant[rows]
            first = np.where(relevant.any(axis=1), relevant.argmax(axis=1) + 1, 0)
            overlap = sets.overlap(rows, positions) if sets else None
            yield Ranking(positions, relevant, relevant.sum(axis=1), first, overlap)


@pytest.fixture(scope="module")
def case() -> Case:
    generator = np.random.default_rng(0)
    count = QUERIES + GALLERY
    present = (generator.random((count, VALUES), dtype=np.float32) < 0.04).astype(np.uint8)
    schema = AttributeSchema((Attribute("all", tuple(map(str, range(VALUES))), multiple=True),))
    columns = {"path": [str(number) for number in range(count)]}
    catalog = Catalog.from_columns("drawn", Path(), columns, schema=schema, present=present)
    queries, gallery = np.arange(QUERIES), np.arange(QUERIES, count)
    task = Task("all", queries, gallery, np.zeros_like(queries), np.zeros_like(gallery))
    steps = generator.integers(1, GALLERY // DEPTH, (QUERIES, DEPTH))  # no position twice
    positions = generator.permuted(np.cumsum(steps, axis=1), axis=1).astype(np.int32)
    # relevant images are few, and more of them stand at the top
    relevant = generator.random((QUERIES, DEPTH)) < 0.5 / np.arange(1, DEPTH + 1)
    return Case(catalog, task, positions, relevant)


def of_one_query(relevant: list[bool], query: set[int], images: list[set[int]]) -> list[float]:
    """Return all metrics of one query but those of the gallery's ideal, one loop over ranks each.

    In the order of `LOOPED_NAMES`; what does not count is 0.
    """
    total = sum(relevant)
    ranks = range(1, CUT + 1)
    top = relevant[:CUT]
    found = sum(top)

    def average(depth: int, divisor: int) -> float:
        so_far, summed = 0, 0.0
        for rank, right in enumerate(relevant[:depth], start=1):
            if right:
                so_far += 1
                summed += so_far / rank
        return summed / max(divisor, 1)

    def gained(gains: list[float]) -> float:
        return sum(gain / log2(rank + 1) for rank, gain in enumerate(gains, start=1))

    gains = [2 ** (len(query & image) / max(len(query), 1)) - 1 for image in images[:CUT]]
    ideal = gained(sorted(gains, reverse=True))
    likeness = [len(query & image) / max(len(query | image), 1) for image in images[:CUT]]
    return [
        float(found > 0),
        found / CUT,
        found / max(total, 1),
        average(CUT, min(CUT, total)),
        average(DEPTH, total),
        average(total, total),
        1 / (relevant.index(True) + 1) if total else 0,
        gained([float(right) for right in top]) / gained([1.0] * max(min(CUT, total), 1)),
        gained(gains) / gained([1.0 for _ in ranks]),
        gained(gains) / ideal if ideal else 0,
        sum(likeness) / CUT,
    ]


LOOPED_NAMES = ("hit@k precision@k recall@k map@k map map@r mrr ndcg@k[relevance] "
                "ndcg@k[attributes] ndcg@k[attributes:list-ideal] iou@k").split()  # fmt: skip


def test_the_loop_and_ours_agree(case: Case) -> None:
    ranking = next(case.rankings(Sets(case.task, case.catalog)))
    looped = np.array(loop_over(case, 200)())
    for column, name in enumerate(LOOPED_NAMES):
        ours = np.nan_to_num(SPECS[name].function(ranking, CUT)[:200])
        np.testing.assert_allclose(ours, looped[:, column], rtol=1e-12, err_msg=name)


def loop_over(case: Case, count: int) -> Callable[[], list[list[float]]]:
    """Return a function that loops over the first queries, given Python's own sets and lists."""
    present = [set(np.flatnonzero(row).tolist()) for row in case.catalog.present]
    gallery = present[QUERIES:]
    relevant = case.relevant[:count].tolist()
    ranked = [[gallery[p] for p in row] for row in case.positions[:count].tolist()]
    return lambda: [of_one_query(relevant[q], present[q], ranked[q]) for q in range(count)]


@pytest.mark.parametrize("way", ["ours", "ours with curves", f"loop, {LOOPED} queries"])
def test_all_metrics(benchmark: BenchmarkFixture, case: Case, way: str) -> None:
    benchmark.group = f"all metrics, {CASE}"
    benchmark.extra_info["queries"] = LOOPED if way.startswith("loop") else QUERIES
    if way.startswith("loop"):
        benchmark.pedantic(loop_over(case, LOOPED), rounds=3, warmup_rounds=1)
        return

    curves = [spec.curve for spec in map(SPECS.get, LOOPED_NAMES) if spec and spec.curve]
    curves = curves if way == "ours with curves" else []

    def run() -> None:
        for ranking in case.rankings(Sets(case.task, case.catalog)):
            for name in LOOPED_NAMES:
                SPECS[name].function(ranking, CUT)
            for curve in curves:
                np.nansum(curve(ranking, CURVE), axis=0)

    benchmark.pedantic(run, rounds=3, warmup_rounds=1)


OF_RANX = {"hit@k": "hit_rate", "precision@k": "precision", "recall@k": "recall",
           "map": "average_precision", "mrr": "reciprocal_rank",
           "ndcg@k[relevance]": "ndcg"}  # fmt: skip


@pytest.mark.parametrize("way", ["ours", "ranx"])
def test_metrics_of_ranx(benchmark: BenchmarkFixture, case: Case, way: str) -> None:
    benchmark.group = f"the metrics of ranx, {CASE}"
    if way == "ours":

        def run() -> None:
            for ranking in case.rankings(None):
                for name in OF_RANX:
                    SPECS[name].function(ranking, CUT)

        benchmark.pedantic(run, rounds=3, warmup_rounds=1)
        return

    from ranx import metrics as ranx

    scores = np.broadcast_to(-np.arange(DEPTH, dtype=np.float64), case.positions.shape)
    run_of = np.stack([case.positions + 1.0, scores], axis=2)
    # the judged images: the relevant ones, in as many places as the query with most of them needs
    order = np.argsort(~case.relevant, axis=1, kind="stable")
    order = order[:, : int(case.relevant.sum(axis=1).max())]
    judged = np.stack(
        [np.take_along_axis(case.positions + 1.0, order, axis=1),
         np.take_along_axis(case.relevant, order, axis=1).astype(np.float64)], axis=2,
    )  # fmt: skip

    def run_ranx() -> list[np.ndarray]:
        cuts = {name: CUT if "@k" in name else 0 for name in OF_RANX}
        return [getattr(ranx, theirs)(judged, run_of, cuts[name], 1)
                for name, theirs in OF_RANX.items()]  # fmt: skip

    found = benchmark.pedantic(run_ranx, rounds=3, warmup_rounds=1)
    (ranking,) = case.rankings(None, QUERIES)
    for name, theirs in zip(OF_RANX, found, strict=True):
        ours = np.nan_to_num(SPECS[name].function(ranking, CUT))
        np.testing.assert_allclose(ours, theirs, rtol=1e-12, err_msg=name)
    assert np.isnan(reciprocal_rank(ranking, 0)).any(), "queries with nothing relevant as well"
