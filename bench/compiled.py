"""Loops compiled by numba, once for a machine; the machine code is kept beside the source.

Import this where it is needed: numba takes longer to import than `bench list` may take.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

Function = TypeVar("Function", bound=Callable[..., Any])


def compiled(function: Function) -> Function:
    """Compile a function that runs without the interpreter's lock."""
    return cast(Function, numba.njit(nogil=True, cache=True, error_model="numpy")(function))


def inlined(function: Function) -> Function:
    """Compile a function into its callers, where a call would cost more than its work."""
    return cast(
        Function,
        numba.njit(nogil=True, cache=True, error_model="numpy", forceinline=True)(function),
    )
