"""Loops compiled by numba, once for a machine; the machine code is kept beside the source.

Import this where it is needed: numba takes longer to import than `bench list` may take.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import numba

from bench import fingerprints

Function = TypeVar("Function", bound=Callable[..., Any])

# numba looks at a function's own file alone; what is compiled into it from another counts here
_SOURCES = fingerprints.of_code("bench.compiled", "bench.overlap", "bench.search")
# with NUMBA_BOUNDSCHECK=1 every index is checked, in other machine code
_KIND = "checked" if numba.config.BOUNDSCHECK else "kernels"  # type: ignore[attr-defined]
_FOLDER = Path(__file__).parent / "__pycache__" / f"{_KIND}-{_SOURCES}"


def compiled(function: Function) -> Function:
    """Compile a function that runs without the interpreter's lock."""
    return _compiled(function)


def inner(function: Function) -> Function:
    """Compile a function that compiled code calls often, and that makes no array.

    It does not count references to its arrays, whose owners wait for it: counting took a hundred
    nanoseconds a call, several times what such a function does.
    """
    return _compiled(function, _nrt=False)


def inlined(function: Function) -> Function:
    """Compile an inner function into its callers, where a call would cost more than its work."""
    return _compiled(function, _nrt=False, forceinline=True)


def _compiled(function: Function, **options: bool) -> Function:
    settings: Any = numba.config
    before = settings.CACHE_DIR
    settings.CACHE_DIR = str(_FOLDER)  # numba's own choice, where this cannot be written
    try:
        compiling: Any = numba.njit(nogil=True, cache=True, error_model="numpy", **options)  # type: ignore[call-overload]
        return cast(Function, compiling(function))
    finally:
        settings.CACHE_DIR = before
