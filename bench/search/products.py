"""Products of codes: the part of a search that takes the time, by the quickest unit at hand."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import Any

import numba
import numpy as np
import numpy.typing as npt
from threadpoolctl import ThreadpoolController

from bench.search.codes import Coding
from bench.search.exact import frozen


class Products:
    """The products of queries' codes with those of a gallery's tiles, by one thread, on a CPU."""

    def __init__(self, coding: Coding, tiles: Sequence[npt.NDArray[Any]]) -> None:
        self.coding = coding
        self._widths = [len(tile) for tile in tiles]
        self._tiles: list[Any] = list(tiles)
        if coding.digits:
            self._tiles = [_of_gallery(_tensor(tile), coding.digits) for tile in tiles]
        self._room = np.empty((max(coding.digits, 1), 0), np.int32 if coding.digits else np.float32)

    def each(self, queries: npt.NDArray[Any]) -> Iterator[tuple[Any, Any]]:
        """Yield the products of codes (q', W) with each tile's (g', W): first digits, and mixed.

        The second is the first itself where there is no second digit. Both are overwritten by what
        is yielded next.
        """
        digits, count = self.coding.digits, len(queries)
        if self._room.shape[1] < count * max(self._widths, default=0):
            self._room = np.empty((len(self._room), count * max(self._widths)), self._room.dtype)
        left: Any = _of_queries(_tensor(queries), digits) if digits else frozen(queries)
        for tile, width in zip(self._tiles, self._widths, strict=True):
            places = [room[: count * width].reshape(count, width) for room in self._room]
            if digits:
                _multiply(left, tile, [_tensor(place) for place in places])
            elif self.coding.distance == "intersection":
                _sums_of_smaller(left, frozen(tile), places[0])
            else:  # NumPy's product: float32 throughout, whatever torch has been told to do
                np.matmul(left, tile.T, out=places[0])
            yield places[0], places[-1]


def integer_products(queries: Any, gallery: Any, out: Sequence[Any]) -> None:
    """Fill one int32 tensor (q', g') with the products of int8 tensors, or two for two digits."""
    digits = len(out)
    _multiply(_of_queries(queries, digits), _of_gallery(gallery, digits), out)


def _tensor(array: npt.NDArray[Any]) -> Any:
    import torch

    return torch.from_numpy(array)


def _of_queries(codes: Any, digits: int) -> tuple[Any, ...]:
    """Return what is multiplied of queries: of two digits the first ones, then all."""
    return (codes,) if digits == 1 else (codes[:, : codes.shape[1] // 2].contiguous(), codes)


def _of_gallery(codes: Any, digits: int) -> tuple[Any, ...]:
    """Return what they are multiplied with; a gallery has its first digits last."""
    return (codes.T,) if digits == 1 else (codes[:, codes.shape[1] // 2 :].contiguous().T, codes.T)


def _multiply(queries: Sequence[Any], gallery: Sequence[Any], out: Sequence[Any]) -> None:
    import torch

    for left, right, place in zip(queries, gallery, out, strict=True):
        torch._int_mm(left, right, out=place)


# Sums may be taken in any order here: the bound of their error holds for all. Two queries and four
# rows at a time, so that what is read once serves eight sums.
@numba.njit(nogil=True, cache=True, fastmath={"reassoc", "nsz", "nnan", "ninf"})
def _sums_of_smaller(queries: Any, gallery: Any, sums: Any) -> None:
    zero = np.float32(0)
    for one in range(0, len(queries), 2):
        two = min(one + 1, len(queries) - 1)
        x, y = queries[one], queries[two]
        for at in range(0, len(gallery), 4):
            a, b, c, d = gallery[at], gallery[at + 1], gallery[at + 2], gallery[at + 3]
            xa, xb, xc, xd, ya, yb, yc, yd = zero, zero, zero, zero, zero, zero, zero, zero
            for column in range(len(x)):
                first, second = x[column], y[column]
                xa += min(first, a[column])
                xb += min(first, b[column])
                xc += min(first, c[column])
                xd += min(first, d[column])
                ya += min(second, a[column])
                yb += min(second, b[column])
                yc += min(second, c[column])
                yd += min(second, d[column])
            sums[one, at], sums[one, at + 1], sums[one, at + 2], sums[one, at + 3] = xa, xb, xc, xd
            sums[two, at], sums[two, at + 1], sums[two, at + 2], sums[two, at + 3] = ya, yb, yc, yd


@cache
def integers_pay(device: str) -> bool:
    """Return whether int8 products are quicker here than float32 ones, by trying both."""
    try:
        import torch

        codes = torch.ones((512, 1024), dtype=torch.int8, device=device)
        if device != "cpu":  # tensor cores: where the product exists, it is the quicker one
            torch._int_mm(codes, codes.T)
            return True
        singles = np.ones((512, 1024), np.float32)
        ways: list[Callable[[], Any]] = [
            lambda: torch._int_mm(codes, codes.T),
            lambda: singles @ singles.T,
        ]
        seconds = []
        with ThreadpoolController().limit(limits=1):  # as they are used
            for way in ways:
                tries = []
                for _ in range(10):  # the first one sets things up
                    clock = time.perf_counter()
                    way()
                    tries.append(time.perf_counter() - clock)
                seconds.append(min(tries))
    except (ImportError, AttributeError, RuntimeError):  # a torch without this product
        return False
    return seconds[0] < seconds[1] / 2
