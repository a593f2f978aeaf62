"""What checking bundles found, as a comment on a pull request, with how tables would change.

All that a bundle says of itself is escaped to the last sign, inside `<code>`: as text of a comment
it could link, show a picture from elsewhere, or call somebody by name.
"""

from __future__ import annotations

import csv
import io
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tabulate import tabulate

from bench import leaderboard, records
from bench.bundles import Checked
from bench.errors import RecordError
from bench.records import MetricValue, Record
from bench.reproduction import MEAN

_LONGEST = 300  # characters of what a bundle says
_MARKS = {"holds": "✅", "does not hold": "❌", "not re-scored": "⚠️"}


@dataclass(frozen=True)
class Standing:
    """One row of a table: its ranks before and after, None where it is not in it."""

    name: str
    value: str
    before: int | None
    after: int | None


def comment(found: Sequence[Checked], leaderboards: Path) -> str:
    """Return the Markdown; `leaderboards` is the folder of records and tables, left as it is."""
    parts = ["# Submissions", ""]
    for checked in found:
        parts += [
            f"## {_MARKS[checked.outcome]} {_safe(checked.bundle.name)}: {checked.outcome}",
            "",
        ]
        parts += [f"- {_safe(text)}" for text in [*checked.problems, *checked.unchecked]]
        parts += ["", *_numbers(checked)]
        if checked.record is not None and not checked.problems:
            parts += _change(checked.record, leaderboards)
    return "\n".join(parts) + "\n"


def _safe(text: str) -> str:
    """Return text that is nothing but text, wherever it stands in Markdown."""
    text = text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
    kept = (c if c.isascii() and (c.isalnum() or c == " ") else f"&#{ord(c)};" for c in text)
    return f"<code>{''.join(kept)}</code>"


def _numbers(checked: Checked) -> list[str]:
    """Return the table of what leads and of what differs, and which metrics nobody could score."""
    if not checked.values:
        return []
    rows = [
        [_safe(value.task), _safe(value.metric), _cell(value.recorded),
         _cell(value.now) if value.now else "unknown", "" if value.agrees else "**differs**"]
        for value in checked.leading
    ]  # fmt: skip
    unknown = {value.metric: value.why_not for value in checked.values if value.now is None}
    return [
        _table(rows, ["task", "metric", "recorded", "re-scored", ""]), "",
        *(f"- {_safe(name)} is not re-scored: it {_safe(why)}" for name, why in unknown.items()),
        "",
    ]  # fmt: skip


def _change(record: Record, leaderboards: Path) -> list[str]:
    """Return how the table of a record would change, by its headline."""
    task = MEAN if len(record.tasks) > 1 else record.tasks[0].task
    lines = [f"### {_safe(record.edition_name)}, {_safe(record.protocol)}: "
             f"{_safe(record.headline)} of {_safe(task)}", ""]  # fmt: skip
    if record.dataset.edition == "mini":
        lines += [leaderboard.MINI_WARNING, ""]
    try:
        standings = _standings(record, leaderboards)
    except RecordError as error:
        return [*lines, f"It cannot join its table: {_safe(str(error))}", ""]
    rows = [
        [row.before or "new", row.after or "replaced", row.name, row.value] for row in standings
    ]
    return [*lines, _table(rows, ["before", "after", "method", "mean"]), ""]


def _standings(record: Record, leaderboards: Path) -> list[Standing]:
    """Return the rows of a record's table with that record in it, the best first."""
    kept = leaderboard.record_place(leaderboards, record).parent
    with tempfile.TemporaryDirectory() as name:
        folder, run = Path(name, "leaderboards"), Path(name, "run")
        copy = folder / kept.relative_to(leaderboards)
        copy.mkdir(parents=True)
        for path in kept.glob("*.json"):
            shutil.copy(path, copy)
        before = _rows(folder)
        records.finish(run, record)
        leaderboard.add(folder, run, replace=True)
        after = _rows(folder)
    old, new = list(before), list(after)
    return [
        Standing(
            *(before | after)[digest],
            old.index(digest) + 1 if digest in old else None,
            new.index(digest) + 1 if digest in new else None,
        )
        for digest in [*new, *(digest for digest in old if digest not in after)]
    ]


def _rows(folder: Path) -> dict[str, tuple[str, str]]:
    """Return (name, mean with its interval) of each row of the one table, by digest, in order."""
    tables = leaderboard.build(folder, lambda _: ())
    headlines = {r.digest: r.headline for r in map(Record.read, folder.rglob("*.json"))}
    rows: dict[str, tuple[str, str]] = {}
    for path, text in tables.items():
        if path.suffix != ".csv":
            continue
        for line in csv.DictReader(io.StringIO(text)):
            # the first lines of a record are of what leads it
            if line["digest"] not in rows and line["metric"] == headlines[line["digest"]]:
                said = [
                    line.get(n, "") for n in ("method", "variant", "budget", "settings", "backbone")
                ]
                name = ", ".join([*filter(None, said), f"seed {line['seed']}"])
                mean, low, high = (float(line[n]) for n in ("mean", "low", "high"))
                rows[line["digest"]] = (_safe(name), f"{mean:.4f} [{low:.4f}, {high:.4f}]")
    return rows


def _cell(value: MetricValue) -> str:
    return f"{value.mean:.4f} [{value.low:.4f}, {value.high:.4f}]"


def _table(rows: Sequence[Sequence[object]], header: Sequence[str]) -> str:
    return tabulate(rows, header, tablefmt="github", disable_numparse=True)
