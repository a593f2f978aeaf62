"""Writing a mini edition: pictures drawn on all cores, annotation files, one rename at the end."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import TypeVar

from bench.errors import UserError
from bench.region_files import HEADER, TRUTH
from bench_atelier.composition import PixelBox

Description = TypeVar("Description")
Drawn = TypeVar("Drawn")
Fact = TypeVar("Fact")
Files = Mapping[str, str | bytes]
# a process starts in the time in which another draws some twenty
PICTURES_FOR_A_PROCESS = 100
Parts = Mapping[str, PixelBox]  # of one picture, by the names of `outline.PARTS`


def write_edition(
    root: Path,
    pictures: Mapping[str, Description],
    draw: Callable[[Description], bytes],
    files: Files | None = None,
) -> None:
    """Write the pictures and the other files, each named by its path below `root`.

    `draw` makes an image file of one description; it runs in other processes, so both must be
    importable, and it must depend on nothing but the description. All is written to a temporary
    folder beside `root` that is renamed at the end: a drawing that is stopped leaves no half
    edition.

    Raises:
        UserError: root is a file or a folder that holds something.

    """
    with _new_folder(root) as folder:
        _write(folder, files or {})
        for name, content in zip(pictures, _drawn(pictures, draw), strict=True):
            _write(folder, {name: content})


def write_described_edition(
    root: Path,
    pictures: Mapping[str, Description],
    draw: Callable[[Description], tuple[bytes, Fact]],
    describe: Callable[[Mapping[str, Fact]], Files],
) -> None:
    """Write an edition whose annotations need what only the drawing tells, as the boxes.

    `draw` returns an image file and a fact about it; `describe` makes the other files of all facts,
    given by the paths of their pictures. All else is as in `write_edition`.
    """
    facts = {}
    with _new_folder(root) as folder:
        for name, (content, fact) in zip(pictures, _drawn(pictures, draw), strict=True):
            _write(folder, {name: content})
            facts[name] = fact
        _write(folder, describe(facts))


def regions_file(parts: Mapping[str, Parts], shows: Mapping[str, str]) -> dict[str, str]:
    """Return `regions.csv`, in which `bench regions` looks up where attributes are.

    `parts` are those of the pictures by path, `shows` names the part in which an attribute shows.
    """
    lines = [
        ",".join(map(str, (path, attribute, *of_one[part])))
        for path, of_one in parts.items()
        for attribute, part in shows.items()
        if part in of_one
    ]
    return {TRUTH: "\n".join([",".join(HEADER), *lines, ""])}


def _drawn(
    pictures: Mapping[str, Description], draw: Callable[[Description], Drawn]
) -> Iterator[Drawn]:
    processes = min(os.cpu_count() or 1, len(pictures) // PICTURES_FOR_A_PROCESS)
    if processes < 2:
        yield from map(draw, pictures.values())
        return
    # spawned, not forked: the caller may have threads, and a fork would copy their locks
    context = multiprocessing.get_context("spawn")
    chunk = min(20, len(pictures) // (4 * processes))
    with ProcessPoolExecutor(processes, mp_context=context) as pool:
        yield from pool.map(draw, pictures.values(), chunksize=chunk)


@contextlib.contextmanager
def _new_folder(root: Path) -> Iterator[Path]:
    """Yield a temporary folder that becomes `root` when the block ends well."""
    if root.exists() and not root.is_dir():
        raise UserError(f"{root} is a file; give a folder that is empty or does not exist yet")
    if root.is_dir() and any(root.iterdir()):
        raise UserError(f"{root} is not empty; give an empty or new folder, or remove its content")
    root.parent.mkdir(parents=True, exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(prefix=f".{root.name}-", dir=root.parent))
    try:
        yield unfinished
        unfinished.chmod(0o755)  # a temporary folder is private, a dataset is not
        if root.exists():  # not every system renames onto an empty folder
            root.rmdir()
        unfinished.rename(root)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _write(folder: Path, files: Files) -> None:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
