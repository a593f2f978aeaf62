"""Hashes of all that determines a result: data, images, code and settings.

Every cache in `bench` is addressed by these and never by a name, so that nothing stale is reused.
All are SHA-256, shortened to 128 bits as 32 hexadecimal digits.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
from collections.abc import Iterable, Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

_LENGTH = 32


def of_bytes(*parts: bytes) -> str:
    """Return the hash of byte strings, one after another."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    return digest.hexdigest()[:_LENGTH]


def of_json(value: Any) -> str:
    """Return the hash of a value made of dicts, lists, strings, numbers, booleans and None."""
    return of_bytes(json.dumps(value, sort_keys=True, separators=(",", ":")).encode())


def of_file(path: Path) -> str:
    """Return the hash of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:_LENGTH]


def of_sources(sources: Iterable[Path]) -> str:
    """Return the hash of annotation files by content, and of folders by their listing.

    A listing is the sorted relative names and sizes of all files below the folder.
    """
    digest = hashlib.sha256()
    for source in sources:
        if source.is_dir():
            digest.update(json.dumps([source.name, sorted(_listing(source, ""))]).encode())
        else:
            digest.update(f"{source.name}\0{of_file(source)}".encode())
    return digest.hexdigest()[:_LENGTH]


def _listing(folder: Path, prefix: str) -> Iterator[tuple[str, int]]:
    """Yield relative name and size of each file below a folder; there may be a million."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):  # a link may lead back up
                yield from _listing(Path(entry.path), f"{prefix}{entry.name}/")
            elif entry.is_file():
                yield prefix + entry.name, entry.stat().st_size


def of_code(*modules: str) -> str:
    """Return the hash of the sources of modules, found without importing them.

    A package counts with every module in it.
    """
    digest = hashlib.sha256()
    for name in sorted(set(modules)):
        spec = importlib.util.find_spec(name)
        file = Path(spec.origin if spec and spec.origin else "")
        files = sorted(file.parent.rglob("*.py")) if file.name == "__init__.py" else [file]
        for source in files:
            digest.update(f"{name}/{source.name}\0".encode() + source.read_bytes())
    return digest.hexdigest()[:_LENGTH]


def versions(*distributions: str) -> dict[str, str]:
    """Return the installed version of each distribution, leaving out those not installed."""
    found = {}
    for name in distributions:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found
