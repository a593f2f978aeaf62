"""Products of codes: the part of a search that takes the time, by the quickest unit at hand."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cache
from typing import Any

import numba
import numpy as np
import numpy.typing as npt
from threadpoolctl import ThreadpoolController

from bench.search.codes import Coding
from bench.search.exact import frozen


class Products:
    """Room for the products of at most `queries` x `gallery` rows, and what fills it, on a CPU.

    For one thread; each has its own.
    """

    def __init__(self, coding: Coding, queries: int, gallery: int) -> None:
        self.coding = coding
        kind = np.int32 if coding.digits else np.float32
        self._room = np.empty((max(coding.digits, 1), queries * gallery), kind)

    def __call__(self, queries: Any, gallery: Any) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
        """Return the products of codes (q', W) and (g', W): of the first digits, and the mixed.

        The second is the first itself where there is no second digit. Both are overwritten by the
        next call.
        """
        shape = (len(queries), len(gallery))
        places = [room[: shape[0] * shape[1]].reshape(shape) for room in self._room]
        first = places[0]
        if self.coding.digits:
            import torch

            integer_products(
                torch.from_numpy(queries), torch.from_numpy(gallery),
                [torch.from_numpy(place) for place in places],
            )  # fmt: skip
        elif self.coding.distance == "intersection":
            _sums_of_smaller(frozen(queries), frozen(gallery), first)
        else:  # NumPy's product: float32 throughout, whatever torch has been told to do
            np.matmul(queries, gallery.T, out=first)
        return first, places[-1]


def integer_products(queries: Any, gallery: Any, out: Any) -> None:
    """Fill one int32 tensor (q', g') with the products of int8 tensors, or two for two digits."""
    import torch

    if len(out) == 1:
        torch._int_mm(queries, gallery.T, out=out[0])
        return
    half = queries.shape[1] // 2
    high = queries[:, :half].contiguous(), gallery[:, half:].contiguous()
    torch._int_mm(high[0], high[1].T, out=out[0])
    torch._int_mm(queries, gallery.T, out=out[1])


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
