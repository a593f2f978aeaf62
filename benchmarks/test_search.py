"""Ranking a gallery: ours, exact in float64, against float32 libraries that settle no ties."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from pytest_benchmark.fixture import BenchmarkFixture

from bench.search import search

CASES = {"clothing": (3781, 3781, 1280, 928), "in-shop": (14218, 12612, 512, 50)}  # Q, G, D, depth


@pytest.mark.parametrize("way", ["ours", "faiss", "torch"])
@pytest.mark.parametrize("case", CASES)
def test_search(benchmark: BenchmarkFixture, case: str, way: str) -> None:
    count, gallery_count, dimension, depth = CASES[case]
    generator = np.random.default_rng(0)
    gallery = generator.standard_normal((gallery_count, dimension), dtype=np.float32)
    queries = generator.standard_normal((count, dimension), dtype=np.float32)

    if way == "ours":

        def run() -> np.ndarray:
            return search(queries, gallery, distance="inner-product", depth=depth)

    elif way == "faiss":
        faiss = pytest.importorskip("faiss", reason="pip install faiss-cpu")

        def run() -> np.ndarray:
            return faiss.knn(queries, gallery, depth, metric=faiss.METRIC_INNER_PRODUCT)[1]

    else:
        left, right = torch.from_numpy(queries), torch.from_numpy(gallery)

        def run() -> np.ndarray:
            blocks = [(block @ right.T).topk(depth).indices for block in left.split(1024)]
            return torch.cat(blocks).numpy()

    benchmark.group = f"search, {case}: {count} x {gallery_count} x {dimension}, depth {depth}"
    assert benchmark.pedantic(run, rounds=3, warmup_rounds=1).shape == (count, depth)
