"""Where `bench` keeps things, and how it writes them: to a temporary name, then renamed.

A reader therefore never meets half a file, whenever the writer was killed. What takes minutes is
made by one process at a time (`only_one`), so that two runs never do the same work.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import uuid
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import platformdirs
from filelock import FileLock, Timeout


def cache_folder() -> Path:
    """Return the folder of what can be made again: `BENCH_CACHE`, or the user's cache folder."""
    return Path(os.environ.get("BENCH_CACHE") or platformdirs.user_cache_dir("fashion-bench"))


def default_data_root() -> Path:
    """Return the folder of datasets: `BENCH_DATA`, or the user's data folder."""
    return Path(os.environ.get("BENCH_DATA") or platformdirs.user_data_dir("fashion-bench"))


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path` which takes its place when the block ends well."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}")
    try:
        yield temporary
        if temporary.is_file():
            with temporary.open("r+b") as file:
                os.fsync(file.fileno())  # the rename must not reach the disk before the content
        temporary.replace(path)
    finally:
        if temporary.is_dir():
            shutil.rmtree(temporary, ignore_errors=True)
        else:
            temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def only_one(lock_file: Path, waiting: Callable[[], None]) -> Iterator[None]:
    """Run the block in one process at a time; `waiting` is called where another has to end first.

    The system releases the lock of a process that is killed.
    """
    lock_file.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(lock_file)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        waiting()
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text with Unix line ends, whole or not at all."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def write_texts(files: Mapping[Path, str]) -> None:
    """Write many files as `write_text` does, but those that hold their text already."""

    def write(path: Path, text: str) -> None:
        if not path.is_file() or path.read_bytes() != text.encode():
            write_text(path, text)

    with ThreadPoolExecutor() as pool:  # each waits for the disk, not for a processor
        list(pool.map(write, files, files.values()))
