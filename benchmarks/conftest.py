"""What benchmarks of several files share: a call's memory, and its time in turn with a peer's."""

from __future__ import annotations

import ctypes
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

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


def in_turn(
    benchmark: BenchmarkFixture,
    run: Callable[[], Any],
    peer: Callable[[], object] | None,
    rounds: int,
) -> Any:
    """Time `run`, and the peer before each round; note the median of the rounds' ratios.

    Whatever else the machine does falls on both, and where its speed drifts, a round is held
    against the one beside it.
    """
    seconds: list[float] = []

    def take_turn() -> None:
        if peer is not None:
            clock = time.perf_counter()
            peer()
            seconds.append(time.perf_counter() - clock)

    take_turn()  # warms up
    seconds.clear()
    result = benchmark.pedantic(run, setup=take_turn, rounds=rounds)
    if seconds and benchmark.stats is not None:  # None with --benchmark-disable
        ratios = [
            own / other for own, other in zip(benchmark.stats.stats.data, seconds, strict=True)
        ]
        benchmark.extra_info["of the peer's time, in turn"] = round(median(ratios), 3)
        benchmark.extra_info["rounds' ratios"] = [round(ratio, 3) for ratio in ratios]
    return result


@pytest.fixture(name="in_turn")
def _in_turn() -> Callable[..., Any]:
    return in_turn
