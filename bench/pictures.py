"""Image files by content, and splits that do not depend on a file's order.

Both serve the same end: that no picture stands on both sides of a split, under whatever name.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from bench import fingerprints
from bench.storage import cache_folder, replacing


def digests(root: Path, paths: Sequence[str]) -> list[str | None]:
    """Return the content hash of each image file below `root`; None where there is no such file.

    Hashes are cached with the file's size and modification time, and only files that differ in
    these are read again.
    """
    given = pd.Index(paths)
    unique = given.unique()
    facts = [_facts(f"{os.fspath(root)}/{path}") for path in unique]
    now = pd.DataFrame(facts, columns=["size", "modified"], index=unique, dtype="Int64")
    store = cache_folder() / "images" / f"{fingerprints.of_bytes(bytes(root.resolve()))}.parquet"
    found = np.full(len(unique), None, dtype=object)
    here = now["size"].notna().to_numpy()
    stored = pd.read_parquet(store) if store.is_file() else None
    if stored is not None:
        known = stored.reindex(unique)
        same = (known["size"] == now["size"]) & (known["modified"] == now["modified"])
        reused = same.fillna(False).to_numpy(bool)
        found[reused] = known["digest"][reused]
    changed = np.flatnonzero(here & pd.isna(found))
    if len(changed):
        with ThreadPoolExecutor() as pool:
            files = [root / str(path) for path in unique[changed]]
            found[changed] = list(pool.map(fingerprints.of_file, files))
        known = now.assign(digest=found)[here]
        if stored is not None:
            known = pd.concat([stored.drop(unique, errors="ignore"), known])
        with replacing(store) as temporary:
            known.to_parquet(temporary)
    return list(found[unique.get_indexer(given)])


def _facts(path: str) -> tuple[int, int] | tuple[None, None]:
    """Return size and modification time of a regular file."""
    try:
        fact = os.stat(path)  # noqa: PTH116 (a million of them)
    except (OSError, ValueError):  # absent, or a name that no file can have
        return None, None
    return (fact.st_size, fact.st_mtime_ns) if stat.S_ISREG(fact.st_mode) else (None, None)


def hash_order(keys: Sequence[str], *, salt: str = "") -> npt.NDArray[np.int64]:
    """Return the positions of `keys` in the order of their hashes, (N,): random, and never other.

    It depends on the keys alone, so that every copy of a dataset is split in the same way.
    """
    return np.argsort(_hashes(keys, salt), kind="stable")


def split_by_share(
    keys: Sequence[str], shares: Mapping[str, float], *, salt: str = ""
) -> npt.NDArray[np.str_]:
    """Return a part's name for each key, (N,), in about the given shares, which sum to 1.

    Each key decides for itself: equal keys go together, and the split of a subset is the subset of
    the split.
    """
    ends = np.cumsum(list(shares.values()))
    fractions = _hashes(keys, salt) / 2.0**64
    part = np.minimum(np.searchsorted(ends, fractions, side="right"), len(ends) - 1)
    return np.array(list(shares))[part]


def _hashes(keys: Sequence[str], salt: str) -> npt.NDArray[np.uint64]:
    start = hashlib.sha256(salt.encode())
    values = np.empty(len(keys), np.uint64)
    for position, key in enumerate(keys):
        digest = start.copy()
        digest.update(key.encode("utf-8", "surrogateescape"))
        values[position] = int.from_bytes(digest.digest()[:8], "big")
    return values
