"""What benchmarks of several files share: the memory that a call takes beyond what it is given."""

from __future__ import annotations

import ctypes
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

PAUSE = 0.002  # seconds between two readings


def _anonymous() -> int:
    """Return the bytes that this process holds; pages of memory-mapped files do not count."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("RssAnon"):
            return 1024 * int(line.split()[1])
    raise RuntimeError("no RssAnon in /proc/self/status")


def peak_growth(call: Callable[[], object]) -> int | None:
    """Call, and return by how many bytes the process grew meanwhile at most; None off Linux.

    What earlier calls freed is given back to the system first: it would be used again, and not
    seen.
    """
    if sys.platform != "linux":
        call()
        return None
    ctypes.CDLL(None).malloc_trim(0)
    before = peak = _anonymous()
    done = threading.Event()

    def watch() -> None:
        nonlocal peak
        while not done.wait(PAUSE):
            peak = max(peak, _anonymous())

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        result = call()
        peak = max(peak, _anonymous())  # the result still stands
        del result
    finally:
        done.set()
        watcher.join()
    return peak - before


@pytest.fixture(name="peak_growth")
def _peak_growth() -> Callable[[Callable[[], object]], int | None]:
    return peak_growth
