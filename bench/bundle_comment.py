"""What checking bundles found, as a comment on a pull request, with how tables would change.

All that a bundle says of itself is escaped to the last sign, inside `<code>`: as text of a comment
it could link, show a picture from elsewhere, or call somebody by name.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from bench import leaderboard
from bench.bundles import Checked, unpack
from bench.errors import RecordError
from bench.leaderboard.rows import Value, rows_of, setting
from bench.leaderboard.tables import Table, markdown
from bench.records import MetricValue, Record
from bench.reproduction import MEAN

Rows = dict[tuple[object, ...], tuple[str, str]]

_LONGEST = 300  # characters of what a bundle says
_MARKS = {"holds": "✅", "does not hold": "❌", "not re-scored": "⚠️"}


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
            parts += _change(checked.bundle, checked.record, leaderboards)
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
        markdown(rows, ["task", "metric", "recorded", "re-scored", ""]), "",
        *(f"- {_safe(name)} is not re-scored: it {_safe(why)}" for name, why in unknown.items()),
        "",
    ]  # fmt: skip


def _change(bundle: Path, record: Record, leaderboards: Path) -> list[str]:
    """Return how the table of a record would change, by its headline."""
    task = MEAN if len(record.tasks) > 1 else record.tasks[0].task
    lines = [f"### {_safe(record.edition_name)}, {_safe(record.protocol)}: "
             f"{_safe(record.headline)} of {_safe(task)}", ""]  # fmt: skip
    if record.dataset.edition == "mini":
        lines += [leaderboard.MINI_WARNING, ""]
    try:
        before, after = _standings(bundle, record, leaderboards)
    except RecordError as error:
        return [*lines, f"It cannot join its table: {_safe(str(error))}", ""]
    rows = [[before[key][1] if key in before else "new", value, name]
            for key, (name, value) in after.items()]  # fmt: skip
    return [*lines, markdown(rows, ["before", "after", "method"]), ""]


def _standings(bundle: Path, record: Record, leaderboards: Path) -> tuple[Rows, Rows]:
    """Return the rows of a record's table, best first, without what a bundle holds and with it."""
    kept = leaderboard.record_place(leaderboards, record).parent
    with tempfile.TemporaryDirectory() as name:
        folder, run = Path(name, "leaderboards"), Path(name, "run")
        run.mkdir()
        unpack(bundle, run)
        copy = folder / kept.relative_to(leaderboards)
        copy.mkdir(parents=True)
        for path in kept.glob("*"):
            shutil.copy(path, copy)
        before = _rows(folder)
        leaderboard.add(folder, run, replace=True)
        return before, _rows(folder)


def _rows(folder: Path) -> Rows:
    """Return name, and place with the headline, of each row of the one table, by its setting."""
    stored = leaderboard.stored_below(folder)
    if not stored:
        return {}
    table = Table("", rows_of(stored))
    return {
        setting(row.first): (
            _safe(f"{name}, {row.first.backbone.name}, weights {row.first.backbone.source}, "
                  f"{row.first.provenance.engine} {row.first.provenance.precision}"),
            f"{place}: {_cell(row.leading)}",
        )
        for place, (name, row) in enumerate(zip(table.names, table.rows, strict=True), 1)
        if row.leading is not None
    }  # fmt: skip


def _cell(value: MetricValue | Value) -> str:
    return f"{value.mean:.4f} [{value.low:.4f}, {value.high:.4f}]"
