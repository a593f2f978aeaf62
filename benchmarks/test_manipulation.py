"""The protocol `manipulation` whole: 2,000 queries, all their manipulations, 18,000 gallery images.

Labels of 12 attributes and 151 values, as Shopping100k has them, are drawn so that there are many
answers: images are copies of a hundred products, half of them with one value changed. There are 341
numbers for each attribute, those of its value and besides, as large altogether, what varies between
images; its variances fall as 1/i, as those of learnt features do (see the README). From stored
representations on, all is done as `bench run` does it: pairs, rankings, metrics, curves, intervals,
files. `merged` compares 512 numbers, `unmerged` all 4,092.
The peer ranks alone: faiss's `IndexFlatL2` of the gallery, asked for the first 50.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from bench_fashionsearchnet.model import Representations
from bench_fashionsearchnet.networks import FashionSearchNet
from bench_fashionsearchnet.recipe import FashionSearchNetRecipe
from pytest_benchmark.fixture import BenchmarkFixture

from bench import ranking, scoring
from bench.attribute_protocols import manipulation
from bench.attributes import Attributes
from bench.catalog import Attribute, AttributeSchema, Catalog
from bench.plugins import Registry
from bench.tasks import Task

SIZES = (16, 17, 19, 14, 10, 15, 2, 11, 16, 7, 9, 15)
QUERIES, GALLERY, PRODUCTS, DIMENSION = 2_000, 18_000, 100, 341
THREADS = os.cpu_count() or 1
STARTS = np.cumsum([0, *SIZES[:-1]])


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    generator = np.random.default_rng(0)
    products = generator.integers(0, SIZES, (PRODUCTS, len(SIZES)))
    labels = products[generator.integers(PRODUCTS, size=QUERIES + GALLERY)]
    changed = np.flatnonzero(generator.random(len(labels)) < 0.5)
    attribute = generator.integers(len(SIZES), size=len(changed))
    labels[changed, attribute] = generator.integers(0, np.array(SIZES)[attribute])
    present = np.zeros((len(labels), sum(SIZES)), np.uint8)
    present[np.arange(len(labels))[:, None], STARTS + labels] = 1
    schema = AttributeSchema(
        tuple(
            Attribute(f"attribute {number}", tuple(map(str, range(size))))
            for number, size in enumerate(SIZES)
        )
    )
    return Catalog.from_columns(
        "drawn", Path("nowhere"), {"path": [f"{row}.jpg" for row in range(len(labels))]},
        schema=schema, present=present, known=np.ones_like(labels, bool),
    )  # fmt: skip


@pytest.fixture(scope="module")
def network() -> FashionSearchNet:
    registry = Registry.load()
    backbone = registry.backbone(registry.backbone_source("efficientnet-lite0", "none", 0))
    recipe = FashionSearchNetRecipe(stage="", fc=8)
    network = FashionSearchNet(recipe, backbone, SIZES)
    torch.manual_seed(0)
    with torch.no_grad():
        network.memory.normal_()
    return network


@pytest.fixture(scope="module")
def features(catalog: Catalog, network: FashionSearchNet) -> npt.NDArray[np.float32]:
    """Each representation is the memory's row and what varies between images, (20,000, 4,092)."""
    generator = np.random.default_rng(1)
    found = network.memory.detach().numpy()[STARTS + catalog.labels()]
    falling = 1 / np.sqrt(np.arange(1, DIMENSION + 1))
    falling *= np.sqrt(DIMENSION / np.square(falling).sum())
    for number in range(len(SIZES)):  # without a second matrix of that size
        basis = np.linalg.qr(generator.standard_normal((DIMENSION, DIMENSION)))[0]
        drawn = generator.standard_normal((len(found), DIMENSION), np.float32)
        found[:, number] += drawn @ (falling[:, None] * basis).astype(np.float32)
    return found.reshape(len(catalog), -1)


@pytest.mark.parametrize("merging", [True, False], ids=["merged", "unmerged"])
@pytest.mark.benchmark(group=f"2,000 queries, all manipulations, 18,000 images, {THREADS} threads")
def test_manipulation(
    benchmark: BenchmarkFixture,
    in_turn: Callable[..., Any],
    peak_growth: Callable[[Callable[[], object]], int | None],
    catalog: Catalog,
    network: FashionSearchNet,
    features: npt.NDArray[np.float32],
    tmp_path: Path,
    merging: bool,
) -> None:
    faiss = pytest.importorskip("faiss")
    faiss.omp_set_num_threads(THREADS)
    recipe = FashionSearchNetRecipe(merging=merging, updating=merging)
    attributes = Attributes(tuple(a.name for a in catalog.schema.attributes), SIZES,
                            catalog.labels())  # fmt: skip
    # all that comparing needs of a method
    method: Any = SimpleNamespace(recipe=recipe, attributes=attributes, model=network,
                                  backbone=SimpleNamespace(preprocessing=None))  # fmt: skip
    extractor = Representations(method)
    registry = Registry.load()
    rows = np.arange(len(catalog))

    def run() -> scoring.Scores:
        protocol = manipulation("manipulation", "", catalog, queries=rows[:QUERIES],
                                gallery=rows[QUERIES:], training=rows[:0])  # fmt: skip
        metrics = {name: registry.metric(name) for name in protocol.metrics}
        ranked = partial(ranking.rank, features=features, extractor=extractor, device="cpu")
        return scoring.score(protocol, metrics, ranked, catalog=catalog, folder=tmp_path)

    def peer() -> None:
        protocol = manipulation("manipulation", "", catalog, queries=rows[:QUERIES],
                                gallery=rows[QUERIES:], training=rows[:0])  # fmt: skip
        gallery = extractor.for_gallery(features[QUERIES:], protocol.tasks[0].condition)
        index = faiss.IndexFlatL2(gallery.shape[1])
        index.add(gallery)
        for task in protocol.tasks:
            assert isinstance(task, Task)
            assert task.condition is not None
            for at in range(0, len(task.queries), 1024):
                part = slice(at, at + 1024)
                asked = extractor.for_query(features[task.queries[part]], task.condition.of(part))
                index.search(asked, 50)

    grown = peak_growth(run)
    scores = in_turn(benchmark, run, peer, 1)
    pairs = sum(task.queries for task in scores.tasks)
    assert pairs > 50_000
    benchmark.extra_info["queries with a manipulation"] = pairs
    if grown is not None:
        benchmark.extra_info["megabytes at most beyond the representations"] = grown >> 20
