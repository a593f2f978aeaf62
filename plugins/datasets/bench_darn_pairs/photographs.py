"""Which photographs are there: the data are published as addresses, and many of them are dead."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from bench.errors import DataError
from bench_darn_pairs.vocabulary import Flags


def find_photographs(root: Path, folder: str, names: Sequence[str]) -> tuple[str, Flags | None]:
    """Return where the photographs are, as a prefix of their names, and which are there, (N,).

    They are looked for in `folder` and in `root` itself. Where there is neither the folder nor a
    photograph, nothing is said of which are there: None.

    Raises:
        DataError: a folder that cannot be read, or that holds none of the photographs.

    """
    heads = {name.partition("/")[0] for name in names}
    for prefix in (f"{folder}/", ""):
        if (root / prefix).is_dir() and not heads.isdisjoint(_listing(root / prefix)):
            base = f"{os.fspath(root)}/{prefix}"
            here = np.fromiter(
                (os.path.isfile(base + name) for name in names),  # noqa: PTH113 (400,000 of them)
                np.bool_,
                len(names),
            )
            if here.any():
                return prefix, here
    if (root / folder).is_dir():
        raise DataError(
            f"{root / folder} holds none of the {len(names):,} photographs; expected files named "
            f"as {names[0]}"
        )
    return f"{folder}/", None


def _listing(folder: Path) -> list[str]:
    try:
        return os.listdir(folder)  # noqa: PTH208 (names are all that is asked for)
    except OSError as error:
        raise DataError(f"{folder}: {error.strerror}; expected a readable folder") from None
