"""Writing a mini edition: pictures drawn on all cores, annotation files, one rename at the end."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import TypeVar

from bench.errors import UserError

Description = TypeVar("Description")


def write_edition(
    root: Path,
    pictures: Mapping[str, Description],
    draw: Callable[[Description], bytes],
    files: Mapping[str, str | bytes] | None = None,
) -> None:
    """Write the pictures and the other files, each named by its path below `root`.

    `draw` makes an image file of one description; it runs in other processes, so both must be
    importable, and it must depend on nothing but the description. All is written to a temporary
    folder beside `root` that is renamed at the end: a drawing that is stopped leaves no half
    edition.

    Raises:
        UserError: root is a file or a folder that holds something.

    """
    if root.exists() and not root.is_dir():
        raise UserError(f"{root} is a file; give a folder that is empty or does not exist yet")
    if root.is_dir() and any(root.iterdir()):
        raise UserError(f"{root} is not empty; give an empty or new folder, or remove its content")
    root.parent.mkdir(parents=True, exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(prefix=f".{root.name}-", dir=root.parent))
    try:
        for name, content in (files or {}).items():
            _write(unfinished / name, content.encode() if isinstance(content, str) else content)
        # spawned, not forked: the caller may have threads, and a fork would copy their locks
        context = multiprocessing.get_context("spawn")
        chunk = max(1, min(20, len(pictures) // (4 * (os.cpu_count() or 1))))
        with ProcessPoolExecutor(mp_context=context) as pool:
            drawn = pool.map(draw, pictures.values(), chunksize=chunk)
            for name, content in zip(pictures, drawn, strict=True):
                _write(unfinished / name, content)
        unfinished.chmod(0o755)  # a temporary folder is private, a dataset is not
        if root.exists():  # not every system renames onto an empty folder
            root.rmdir()
        unfinished.rename(root)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
