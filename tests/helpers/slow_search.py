"""The search as it is documented, slow and plain, and features that are hard to rank."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from bench import search
from bench.interfaces import Distance
from bench.search import coded, dense

Features = npt.NDArray[np.float32]
Scores = npt.NDArray[np.float64]

PRODUCTS: tuple[Distance, ...] = ("euclidean", "cosine", "inner-product")
DISTANCES: tuple[Distance, ...] = (*PRODUCTS, "intersection")

# What can lead to a ranking: products in float64, or codes of so many digits; on a CPU, or as torch
# does it on a GPU ("cpu:0" takes that way where there is none).
# The codes of the histogram intersection are float32 alone.
CODINGS: list[tuple[Distance, int]] = [
    *((distance, digits) for distance in PRODUCTS for digits in (0, 1, 2)),
    ("intersection", 0),
]
WAYS: list[tuple[Distance, int | None, str]] = [
    (distance, digits, device)
    for distance, digits in [*((distance, None) for distance in DISTANCES), *CODINGS]
    for device in ("cpu", "cpu:0")
]
each_distance = pytest.mark.parametrize("distance", DISTANCES)
each_coding = pytest.mark.parametrize(("distance", "digits"), CODINGS)
each_way = pytest.mark.parametrize(("distance", "digits", "device"), WAYS)


def lane_sums(terms: Scores) -> Scores:
    """Return the sums over the last axis in the documented order: 32 lanes, then a tree."""
    short = -terms.shape[-1] % 32
    padded = np.concatenate([terms, np.zeros((*terms.shape[:-1], short))], axis=-1)
    lanes = np.zeros((*terms.shape[:-1], 32))
    for start in range(0, padded.shape[-1], 32):
        lanes = lanes + padded[..., start : start + 32]
    for half in (16, 8, 4, 2, 1):
        lanes = lanes[..., :half] + lanes[..., half : 2 * half]
    return np.asarray(lanes[..., 0])


def documented_scores(query: Features, rows: Features, distance: Distance) -> Scores:
    """Return the scores of a query (D,) and rows (G, D), (G,), as `bench.search.exact` says."""
    asked, others = query.astype(np.float64), rows.astype(np.float64)
    if distance == "euclidean":
        return -lane_sums((asked - others) ** 2)
    if distance == "intersection":
        return lane_sums(np.minimum(asked, others))
    if distance == "inner-product":
        return lane_sums(asked * others)
    own, lengths = np.sqrt(lane_sums(asked * asked)), np.sqrt(lane_sums(others * others))
    found = lane_sums(asked / (own if own > 0 else 1) * others)
    return np.where(lengths > 0, found / np.where(lengths > 0, lengths, 1), 0.0)


def slow_search(
    queries: Features,
    gallery: Features,
    *,
    distance: Distance,
    depth: int,
    own: npt.NDArray[np.int64] | None = None,
) -> npt.NDArray[np.int32]:
    """Return what `search` should, by sorting (score, position)."""
    result = np.full((len(queries), depth), -1, np.int32)
    for number, query in enumerate(queries):
        scores = documented_scores(query, gallery, distance).tolist()
        order = sorted(range(len(gallery)), key=lambda place: (-scores[place], place))
        kept = [place for place in order if own is None or place != own[number]][:depth]
        result[number, : len(kept)] = kept
    return result


@contextlib.contextmanager
def set_to(*settings: tuple[Any, str, Any]) -> Iterator[None]:
    """Have modules' constants other values for a while."""
    with pytest.MonkeyPatch.context() as patch:
        for module, name, value in settings:
            patch.setattr(module, name, value)
        yield


def dense_blocks(gallery: int, held: int, spare: int) -> Any:
    """Have products made of so many gallery rows, and of queries for so many scores."""
    return set_to((dense, "GALLERY_BLOCK", gallery), (dense, "HELD", held), (dense, "SPARE", spare))


def by(digits: int | None) -> Any:
    """Have the search take codes of so many digits, or none, whether or not that pays."""
    if digits is None:
        return set_to((search, "SMALL", 1 << 62))
    return set_to((search, "SMALL", 0), (search, "DEEP", 0), (coded, "MOST", np.inf),
                  (coded, "MOST_ONE_DIGIT", np.inf), (coded, "_digits", lambda *_: (digits,)),
                  )  # fmt: skip


def photographs_like(count: int, width: int, seed: int) -> Features:
    """Return features with twins, near-twins, negative values and norms of all sizes."""
    generator = np.random.default_rng(seed)
    rows = generator.standard_normal((count, width)).astype(np.float32)
    rows *= np.exp(generator.normal(0, 2, (count, 1))).astype(np.float32)
    rows[generator.integers(count, size=count // 4)] = rows[0]
    near = generator.integers(count, size=count // 8)
    rows[near] = rows[1 % count]
    rows[near, 0] = np.nextafter(rows[near, 0], np.float32(9))
    return rows


def _random(*shape: int, seed: int = 20) -> Features:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def _near_ties() -> Features:
    # one row and copies of it with a few elements moved by the last bits of a float32
    rows = np.tile(_random(1, 40), (120, 1))
    places = np.random.default_rng(21).integers(0, 40, (120, 2))
    for row, columns in zip(rows[20:], places, strict=False):
        row[columns] = np.nextafter(row[columns], np.float32(np.inf))
    return rows


def _shuffled() -> Features:
    # the same numbers in other columns: only rounding tells the sums apart
    return np.random.default_rng(22).permuted(np.tile(_random(1, 45), (90, 1)), axis=1)


def _huge_and_tiny() -> Features:
    rows = _random(90, 17, seed=23)
    rows = rows / np.abs(rows).max()
    sizes = np.array([3e38, 1.0, 1e-38, 3e-45, 1e19, 1e-20])
    return np.asarray(rows * sizes[np.arange(90) % 6, None], np.float32)


def _outlier() -> Features:
    rows = _random(80, 12, seed=24)
    rows[33] = 1e30
    return rows


def _duplicates() -> Features:
    return _random(7, 10, seed=25)[np.random.default_rng(26).integers(0, 7, 150)]


def _half_steps() -> Features:
    # between two steps of a first digit in every column, all to the same side
    steps = np.random.default_rng(30).integers(0, 100, (30, 64)) + 0.49
    steps[:, 0] = 127
    return np.vstack([steps, -steps]).astype(np.float32)


# name → gallery; its first rows, their negatives and others ask
HARD: dict[str, Callable[[], Features]] = {
    "near-ties": _near_ties,
    "the same numbers in other columns": _shuffled,
    "constant": lambda: np.tile(_random(1, 33), (70, 1)),
    "zeros": lambda: np.zeros((60, 5), np.float32),
    "huge and tiny": _huge_and_tiny,
    "an outlier": _outlier,
    "negative": lambda: -np.abs(_random(80, 20)) - 1,
    "duplicates": _duplicates,
    "half steps": _half_steps,
    "collapsed": lambda: (1e3 + 1e-4 * _random(100, 31)).astype(np.float32),
    "one column": lambda: _random(90, 1),
    "32 columns": lambda: photographs_like(64, 32, 27),
    "65 columns": lambda: photographs_like(64, 65, 28),
    "one row": lambda: _random(1, 9),
    "one image and noise": lambda: np.vstack([_random(1, 8), np.zeros((50, 8), np.float32)]),
}


def hard(name: str) -> tuple[Features, Features]:
    """Return queries and a gallery of this name."""
    gallery = HARD[name]()
    others = photographs_like(3, gallery.shape[1], 29)
    return np.vstack([gallery[:6], -gallery[-2:], others, np.zeros_like(others[:1])]), gallery


def tiles(queries: int, gallery: int) -> dict[str, tuple[int, int]]:
    """Return one size of tile for every kind of codes."""
    return dict.fromkeys(("integers", "singles", "sums"), (queries, gallery))
