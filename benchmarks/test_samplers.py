"""Drawing the groups of a training epoch: ours, against a plain Python loop over the images.

Items have one to nine images each, drawn evenly. The epoch of a million images has no peer here: it
shows what drawing costs where a loop would take the longest.
"""

from __future__ import annotations

import random

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from bench.training.samplers import (
    AcrossDomains,
    AttributeTriplets,
    Balanced,
    Pairs,
    Plain,
    Sampler,
    Triplets,
)

IMAGES, MANY = 100_000, 1_000_000
ATTRIBUTES, VALUES = 12, 15


def items(count: int) -> np.ndarray:
    """Return the item of each image, in no order."""
    generator = np.random.default_rng(0)
    sizes = generator.integers(1, 10, count)
    return generator.permutation(np.repeat(np.arange(count), sizes)[:count])


def loop(codes: list[int]) -> list[tuple[int, int, int]]:
    """Return the triplets of an epoch: what one would write first."""
    members: dict[int, list[int]] = {}
    for image, code in enumerate(codes):
        members.setdefault(code, []).append(image)
    anchors = [image for image, code in enumerate(codes) if len(members[code]) > 1]
    random.shuffle(anchors)
    triplets = []
    for anchor in anchors:
        positive = anchor
        while positive == anchor:
            positive = random.choice(members[codes[anchor]])
        negative = anchor
        while codes[negative] == codes[anchor]:
            negative = random.randrange(len(codes))
        triplets.append((anchor, positive, negative))
    return triplets


@pytest.mark.parametrize("way", ["ours", "loop"])
def test_triplets(benchmark: BenchmarkFixture, way: str) -> None:
    codes = items(IMAGES)
    listed = codes.tolist()
    sampler = Triplets(np.arange(IMAGES), codes)
    generator = np.random.default_rng(0)
    benchmark.group = f"triplets of {IMAGES:,} images"
    drawn = benchmark.pedantic(
        lambda: sampler.epoch(generator).rows if way == "ours" else np.array(loop(listed)),
        rounds=5, warmup_rounds=1,
    )  # fmt: skip
    anchor, positive, negative = codes[drawn].T
    assert len(drawn) == (np.bincount(codes)[codes] > 1).sum()
    assert (anchor == positive).all()
    assert (anchor != negative).all()


def samplers() -> dict[str, Sampler]:
    """Return samplers of a million images each; attributes have twelve columns of 83,333 each."""
    rows, codes = np.arange(MANY), items(MANY)
    generator = np.random.default_rng(1)
    few = MANY // ATTRIBUTES
    values = generator.integers(-1, VALUES, (few, ATTRIBUTES))
    half = MANY // 2
    return {
        "plain": Plain(rows),
        "balanced": Balanced(rows, codes % 1000),
        "pairs": Pairs(rows, codes),
        "triplets": Triplets(rows, codes),
        "across domains": AcrossDomains(rows[:half], codes[:half], rows[half:], codes[half:]),
        "attribute triplets": AttributeTriplets(rows[:few], values),
    }


@pytest.mark.parametrize("name", samplers())
def test_a_million(benchmark: BenchmarkFixture, name: str) -> None:
    sampler = samplers()[name]
    generator = np.random.default_rng(0)
    benchmark.group = f"an epoch of {MANY:,} images"
    groups = benchmark.pedantic(lambda: sampler.epoch(generator), rounds=3, warmup_rounds=1)
    benchmark.extra_info["groups"] = len(groups)
