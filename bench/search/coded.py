"""The quick way to the same ranking: scan codes, keep what can be among the best, score these.

It pays where the depth is a small part of the gallery. Which codes pay is measured: how many rows
of a sample of the gallery the bounds of a sample of the queries cannot tell from the best.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from threadpoolctl import ThreadpoolController

from bench.interfaces import Distance
from bench.search import device, products, scan
from bench.search.codes import LARGEST_SUM, Asking, Codes, Coding, encode, gallery_sides
from bench.search.exact import Features, Matrix, Positions, in_threads, prepare, shares
from bench.search.gallery import Gallery, require_finite

SAMPLED_ROWS, SAMPLED_QUERIES = 1000, 32
SAMPLE_BYTES = 16 << 20
MOST = 1 / 16  # of the gallery may be left for exact scores, for a code to pay
MOST_ONE_DIGIT = 1 / 80  # besides the best: beyond, two more products cost less (D = 64 to 4,096)
CAPACITY = 1024, 8192  # rows that a query's buffer holds, at least and at most
KEPT_BYTES = 48 << 20  # of the buffers of a block of queries
SLAB_BYTES = 32 << 20  # of codes that are made at once
HELD_BYTES = 64 << 20  # a gallery whose codes are no larger is coded once
# Queries and gallery rows of one product, so that it and its factors stay in a core's caches; where
# rows are long, reading them takes more of the time than the product
TILES = {
    "integers": (512, 512), "long integers": (1024, 1024), "singles": (1024, 2048),
    "sums": (512, 256),
}  # fmt: skip
LONG = 1024


@dataclass
class CodedGallery:
    """A gallery with the coding that pays for it, and buffers that hold `capacity` rows a query."""

    gallery: Gallery
    coding: Coding
    capacity: int
    device: str
    _held: list[Codes] | None = None
    _room: scan.Kept | None = None

    @property
    def tile(self) -> tuple[int, int]:
        """Return how many queries and gallery rows are multiplied at once."""
        if self.coding.distance == "intersection":
            return TILES["sums"]
        if not self.coding.digits:
            return TILES["singles"]
        return TILES["long integers" if self.gallery.dimension > LONG else "integers"]

    @property
    def block(self) -> int:
        """Return for how many queries buffers are made at once."""
        return max(64, KEPT_BYTES // (12 * self.capacity))

    def _slabs(self) -> Any:
        """Yield the gallery's codes in order, with the row each begins at."""
        width = self.gallery.dimension * (self.coding.digits or 4)
        tile = self.tile[1]
        step = max(tile, SLAB_BYTES // width // tile * tile)
        starts = range(0, len(self.gallery), step)
        if self._held is not None:
            yield from zip(starts, self._held, strict=True)
            return
        held = []
        for start in starts:
            rows = self.gallery.rows[start : start + step]
            codes = encode(self.coding, self.gallery.features, rows, of_queries=False)
            require_finite(codes.length, "the gallery")
            if width * len(self.gallery) <= HELD_BYTES:
                held.append(codes)
            yield start, codes
        self._held = held or None

    def undecided(self, queries: Features, exact: Matrix, depth: int) -> float:
        """Return how many rows a query the bounds cannot tell from the best, on average."""
        _, kept = self._scan(queries, exact, np.full(len(queries), -1), depth)
        kept.drop(depth)
        return float(np.where(kept.count < 0, len(self.gallery), kept.count).mean())

    def search(self, queries: Features, exact: Matrix, own: Positions, depth: int) -> Any:
        """Return (q, depth) positions, and which queries had more rows than buffers hold, (q,)."""
        asking, kept = self._scan(queries, exact, own, depth)
        found = scan.best(kept, asking, self.gallery, distance=self.coding.distance, depth=depth)
        return found, kept.count < 0

    def _scan(self, queries: Features, exact: Matrix, own: Positions, depth: int) -> Any:
        asking = Asking.of(self.coding, queries, exact)
        if self._room is None or len(self._room.count) < len(queries):
            self._room = scan.Kept.room(len(queries), self.capacity)
        kept = self._room.part(slice(len(queries)))
        kept.begin(depth)
        for start, codes in self._slabs():
            kept.loosen(asking, asking.slack(float(codes.length.max())))
            self._take(kept, asking, codes, first=start, own=own, depth=depth)
        return asking, kept

    def _take(
        self, kept: scan.Kept, asking: Asking, codes: Codes, *, first: int, own: Positions,
        depth: int,
    ) -> None:  # fmt: skip
        """Scan a part of the gallery that begins at row `first`."""
        if self.device != "cpu":
            device.scan(kept, asking, codes, self.device, first=first, own=own, depth=depth)
            return
        sides = gallery_sides(self.coding, codes)
        tiles = [slice(at, at + self.tile[1]) for at in range(0, len(codes), self.tile[1])]
        of_tiles = [np.ascontiguousarray(sides[:, tile]) for tile in tiles]

        # A thread does all of its part. Libraries that would part a small product among threads of
        # their own, and have these wait for each other, are held to one: OpenMP for the thread that
        # asks, BLAS for the process.
        libraries = _libraries("torch" in sys.modules)

        def work(rows: slice) -> None:
            asks, buffers, mine = asking.part(rows), kept.part(rows), own[rows]
            multiply = products.Products(self.coding, [codes.values[tile] for tile in tiles])
            with libraries.limit(limits=1, user_api="openmp"):
                for found, here, tile in zip(
                    multiply.each(asks.codes.values), of_tiles, tiles, strict=True
                ):
                    scan.scan(
                        buffers, asks, found, here, first=first + tile.start, own=mine, depth=depth
                    )

        with libraries.limit(limits=1, user_api="blas"):
            in_threads(work, shares(len(asking), most=self.tile[0]))


@cache
def _libraries(torch_is_loaded: bool) -> ThreadpoolController:
    """Return the libraries that have threads of their own; torch brings some with it."""
    del torch_is_loaded
    return ThreadpoolController()


def choose(
    queries: Features, gallery: Gallery, *, distance: Distance, depth: int, device: str
) -> CodedGallery | None:
    """Return the gallery with the first coding that pays for these queries; None if none does."""
    count = min(len(gallery), max(256, min(SAMPLED_ROWS, SAMPLE_BYTES // (4 * gallery.dimension))))
    rows = gallery.rows[np.linspace(0, len(gallery) - 1, count).astype(np.int64)]
    sample = Gallery(gallery.features[rows])
    exact = prepare(sample.features, distance)
    mean = np.zeros(gallery.dimension) if distance == "intersection" else exact.mean(axis=0)
    longest = float(np.abs(exact - mean).sum(axis=1).max())
    unit = 2.0 ** np.ceil(np.log2(longest)) if 0 < longest < np.inf else 1.0
    among_queries = np.linspace(0, len(queries) - 1, min(len(queries), SAMPLED_QUERIES))
    asked = queries[among_queries.astype(np.int64)]
    among = min(-(-depth * count // len(gallery)) + 1, count)  # and the query's own image
    for digits in _digits(distance, gallery.dimension, device):
        coding = Coding(distance, digits, mean, unit)
        trial = CodedGallery(sample, coding, count + 1, device)
        left = trial.undecided(asked, prepare(asked, distance), among) / count
        needed = 2 * left * len(gallery) + 4 * depth
        most = min(MOST, MOST_ONE_DIGIT + among / count) if digits == 1 else MOST
        if left <= most and needed <= CAPACITY[1]:
            capacity = 2 ** int(np.ceil(np.log2(max(needed, CAPACITY[0]))))
            return CodedGallery(gallery, coding, capacity, device)
    return None


def _digits(distance: Distance, dimension: int, device: str) -> tuple[int, ...]:
    if distance == "intersection" or dimension > LARGEST_SUM:
        return (0,)
    return (1, 2) if products.integers_pay(device) else (0,)
