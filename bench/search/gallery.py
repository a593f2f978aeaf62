"""A gallery: rows of a feature matrix, in memory or memory-mapped, as one condition sees them."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from typing import Any

import numpy as np

from bench.errors import UserError
from bench.search.exact import Features, Positions, frozen, in_threads, shares

BLOCK_BYTES = 32 << 20  # of features that are copied at once
IN_MEMORY_BYTES = 512 << 20  # a transformed gallery larger than this lies in a temporary file


class Gallery:
    """The rows `rows` (G,) of `features` (N, D) float32, not copied; all rows if not given."""

    def __init__(self, features: Features, rows: Positions | None = None) -> None:
        if features.dtype != np.float32 or features.ndim != 2:
            raise ValueError(f"features are float32 (N, D), not {features.dtype} {features.shape}")
        self.features = frozen(np.ascontiguousarray(features))
        self.rows = np.arange(len(features)) if rows is None else np.asarray(rows, np.int64)
        self._file: Any = None

    @classmethod
    def transformed(
        cls, features: Features, rows: Positions, transform: Callable[[Features], Features]
    ) -> Gallery:
        """Return the gallery of what `transform` makes of the rows, block by block.

        A transform that returns the very array it was given changes nothing, and nothing is copied.
        """
        step = max(1, BLOCK_BYTES // max(4 * features.shape[1], 1))
        parts = [rows[at : at + step] for at in range(0, len(rows), step)]
        block = features[parts[0]]
        first = transform(block)
        if first is block:
            return cls(features, rows)
        shape = (len(rows), first.shape[1])
        file = None
        if 4 * shape[0] * shape[1] <= IN_MEMORY_BYTES:
            matrix = np.empty(shape, np.float32)
        else:
            file = tempfile.TemporaryFile()  # noqa: SIM115 (lives as long as the gallery)
            matrix = np.memmap(file, np.float32, "w+", shape=shape)
        at = 0
        for part in parts:
            matrix[at : at + len(part)] = first if at == 0 else transform(features[part])
            at += len(part)
        gallery = cls(matrix)
        gallery._file = file
        return gallery

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def dimension(self) -> int:
        """D, the length of a row."""
        return int(self.features.shape[1])

    def block(self, part: slice) -> Features:
        """Return a part of the gallery, (g, D) float32."""
        rows = self.rows[part]
        if len(rows) and rows[-1] - rows[0] == len(rows) - 1 and (np.diff(rows) == 1).all():
            return self.features[rows[0] : rows[-1] + 1]
        return self.features[rows]


def require_finite(values: Any, whose: str) -> None:
    """Refuse features that hold NaN or infinity: they have no place in an order."""
    finite: list[bool] = []
    in_threads(lambda part: finite.append(np.isfinite(values[part]).all()), shares(len(values)))
    if not all(finite):
        raise UserError(f"the features of {whose} are not finite; they cannot be ranked")
