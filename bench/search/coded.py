"""The quick way to the same ranking: scan codes, keep what can be among the best, score these.

It pays where the depth is a small part of the gallery. Which codes pay is measured: how many rows
of a sample of the gallery the bounds of a sample of the queries cannot tell from the best.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import numpy as np
from threadpoolctl import ThreadpoolController

from bench.interfaces import Distance
from bench.search import device, products, scan
from bench.search.codes import LARGEST_SUM, Asking, Codes, Coding, Single, encode, gallery_sides
from bench.search.exact import Features, Positions, in_threads, prepare, shares
from bench.search.gallery import Gallery, require_finite

SAMPLED_ROWS, SAMPLED_QUERIES = 1000, 32
SAMPLE_BYTES = 16 << 20
MOST = 1 / 16  # of the gallery may be left for exact scores, for a code to pay
MOST_ONE_DIGIT = 1 / 80  # besides the best: beyond, two more products cost less (D = 64 to 4,096)
CAPACITY = 1024, 8192  # rows that a query's buffer holds, at least and at most
KEPT_BYTES = 48 << 20  # of the buffers of a block of queries
SLAB_BYTES = 32 << 20  # of codes that are made at once
HELD_BYTES = 64 << 20  # a gallery whose codes are no larger is coded once
# Queries and gallery rows of one product: few enough that it stays near a core, and enough that
# threads seldom meet at the interpreter's lock
TILES = {"integers": (1024, 1024), "singles": (1024, 2048), "sums": (512, 256)}


@dataclass(frozen=True)
class Slab:
    """Codes of gallery rows from `first` on, and the sides of one tile's rows after another."""

    first: int
    codes: Codes
    tiles: list[slice]
    sides: list[Single]


@dataclass
class CodedGallery:
    """A gallery with the coding that pays for it, and buffers that hold `capacity` rows a query."""

    gallery: Gallery
    coding: Coding
    capacity: int
    device: str
    _held: list[Slab] | None = None
    _room: scan.Kept | None = None

    @property
    def tile(self) -> tuple[int, int]:
        """Return how many queries and gallery rows are multiplied at once."""
        if self.coding.distance == "intersection":
            return TILES["sums"]
        return TILES["integers" if self.coding.digits else "singles"]

    @property
    def block(self) -> int:
        """Return for how many queries buffers are made at once."""
        return max(64, KEPT_BYTES // (12 * self.capacity))

    def undecided(self, queries: Features, depth: int) -> float:
        """Return how many rows a query the bounds cannot tell from the best, on average."""
        kept = self._scan(queries, np.full(len(queries), -1), depth)
        kept.drop(depth)
        return float(np.where(kept.count < 0, len(self.gallery), kept.count).mean())

    def search(self, queries: Features, own: Positions, depth: int) -> Any:
        """Return (q, depth) positions, and which queries had more rows than buffers hold, (q,)."""
        found = np.empty((len(queries), depth), np.int32)
        kept = self._scan(queries, own, depth, found)
        return found, kept.count < 0

    def _scan(self, queries: Features, own: Positions, depth: int, found: Any = None) -> scan.Kept:
        """Scan the gallery, slab by slab, and write the best positions where `found` is given.

        A thread does all that its part of the queries needs before it takes the next.
        """
        if self._room is None or len(self._room.count) < len(queries):
            self._room = scan.Kept.room(len(queries), self.capacity)
        kept = self._room.part(slice(len(queries)))
        kept.begin(depth)
        whole = [slice(0, len(queries))]  # what a device has room for, it sets itself
        parts = shares(len(queries), most=self.tile[0]) if self.device == "cpu" else whole
        asking: list[Any] = [None] * len(parts)

        def work(slab: Slab, number: int) -> None:
            rows, buffers = parts[number], kept.part(parts[number])
            if slab.first == 0:
                asking[number] = Asking.of(self.coding, queries[rows])
            self._take(buffers, asking[number], slab, own[rows], depth)
            if found is not None and slab.first + len(slab.codes) == len(self.gallery):
                found[rows] = scan.best(
                    buffers, asking[number], self.gallery, distance=self.coding.distance,
                    depth=depth,
                )  # fmt: skip

        with _libraries("torch" in sys.modules).limit(limits=1, user_api="blas"):
            for slab in self._slabs():
                in_threads(partial(work, slab), range(len(parts)))
        return kept

    def _slabs(self) -> Iterator[Slab]:
        """Yield the gallery's codes in order."""
        if self._held is not None:
            yield from self._held
            return
        held, width = [], self.gallery.dimension * (self.coding.digits or 4)
        tile = self.tile[1]
        step = max(tile, SLAB_BYTES // width // tile * tile)
        for start in range(0, len(self.gallery), step):
            rows = self.gallery.rows[start : start + step]
            codes = encode(self.coding, self.gallery.features, rows, of_queries=False)
            require_finite(codes.length, "the gallery")
            sides = gallery_sides(self.coding, codes)
            tiles = [slice(at, at + tile) for at in range(0, len(codes), tile)]
            slab = Slab(start, codes, tiles, [np.ascontiguousarray(sides[:, t]) for t in tiles])
            if width * len(self.gallery) <= HELD_BYTES:
                held.append(slab)
            yield slab
        self._held = held or None

    def _take(
        self, kept: scan.Kept, asking: Asking, slab: Slab, own: Positions, depth: int
    ) -> None:
        """Scan a slab for some of the queries."""
        kept.loosen(asking, asking.slack(float(slab.codes.length.max())))
        if self.device != "cpu":
            device.scan(
                kept, asking, slab.codes, self.device, first=slab.first, own=own, depth=depth
            )
            return
        multiply = products.Products(self.coding, [slab.codes.values[tile] for tile in slab.tiles])
        # Libraries that would part a small product among threads of their own, and have these wait
        # for each other, are held to one: OpenMP for the thread that asks, BLAS for the process.
        with _libraries("torch" in sys.modules).limit(limits=1, user_api="openmp"):
            found = multiply.each(asking.codes.values)
            for tile, sides, of_tile in zip(slab.tiles, slab.sides, found, strict=True):
                scan.scan(
                    kept, asking, of_tile, sides, first=slab.first + tile.start, own=own,
                    depth=depth,
                )  # fmt: skip


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
        left = trial.undecided(asked, among) / count
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
