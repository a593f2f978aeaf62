"""The records of a leaderboards folder, as they stand in its files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench import claim_facts
from bench.records import Record, as_folder


@dataclass(frozen=True)
class Stored:
    """A record and the file in which it stands."""

    place: Path
    record: Record

    @property
    def name(self) -> str:
        """The record's name in tables: that of its file."""
        return self.place.stem

    @property
    def values(self) -> Path:
        """The file of each query's values; older records have none."""
        return self.place.with_suffix(".parquet")


def protocols(folder: Path, edition: str = "*") -> list[Path]:
    """Return the folders of records below a leaderboards folder, in order; those with records.

    `edition` is the name of a dataset edition's folder.
    """
    found = sorted(path for path in (folder / "records").glob(f"{edition}/*") if path.is_dir())
    return [path for path in found if any(files(path))]


def stored_in(folder: Path, methods: Sequence[str] | None = None) -> Iterator[Stored]:
    """Yield the records of one protocol's folder, in the order of their files.

    With `methods`, only those whose files are named after one of these.
    """
    starts = "" if methods is None else tuple(f"{as_folder(method)}--" for method in methods)
    for path in files(folder):
        if path.name.startswith(starts):
            yield Stored(path, Record.read(path))


def stored_below(folder: Path, methods: Sequence[str] | None = None) -> Sequence[Stored]:
    """Return every record below a leaderboards folder, in the order of their files."""
    return [one for protocol in protocols(folder) for one in stored_in(protocol, methods)]


def files(folder: Path) -> list[Path]:
    """Return the files of the records of one protocol's folder, in order."""
    every = sorted(folder.glob("*.json"))
    return [path for path in every if not path.name.endswith(claim_facts.SUFFIX)]
