"""The ledger: a line for every record that was ever added, and why one was taken away.

So a result cannot vanish unseen: `check` fails where a record of the ledger is not there and no
reason stands in its line. Lines are sorted, so that two branches that add records merge.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from pathlib import Path

from bench.errors import RecordError
from bench.storage import write_text

FILE = "records/ledger.csv"
COLUMNS = ["record", "taken away because"]


def note(folder: Path, place: Path, why: str) -> None:
    """Write a record's line; `why` is empty for one that stands there."""
    lines = read(folder) | {_named(folder, place): why}
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(sorted(lines.items()))
    write_text(folder / FILE, buffer.getvalue())


def read(folder: Path) -> dict[str, str]:
    """Return why each record of the ledger was taken away, "" for those that stand there."""
    file = folder / FILE
    if not file.is_file():
        return {}
    with file.open(encoding="utf-8", newline="") as lines:
        header, *rows = list(csv.reader(lines)) or [[]]
    if header != COLUMNS or any(len(row) != len(COLUMNS) for row in rows):
        raise RecordError(f"{file} is no ledger; expected the columns {' and '.join(COLUMNS)}")
    return {row[0]: row[1] for row in rows}


def problems(folder: Path, places: Iterable[Path]) -> list[str]:
    """Return where the ledger and the records that stand there differ."""
    lines, there = read(folder), {_named(folder, place) for place in places}
    found = [
        f"{folder / 'records' / name}: was taken away without a reason; put it back, or use "
        "`bench leaderboard remove --why`"
        for name, why in lines.items()
        if not why and name not in there
    ]
    found += [
        f"{folder / 'records' / name}: "
        + ("the ledger says that it was taken away" if name in lines else "is not in the ledger")
        + "; add it with `bench leaderboard add`"
        for name in sorted(there)
        if lines.get(name) != ""
    ]
    return found


def _named(folder: Path, place: Path) -> str:
    return place.relative_to(folder / "records").as_posix()
