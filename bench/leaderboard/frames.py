"""The CSV files: tidy frames, for pandas or a spreadsheet.

A protocol's file has one row for each record, task and metric. What these rows would repeat, the
facts of a record, stands in `records.csv`, once; both name the `record`.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from functools import cache

from bench.leaderboard import row_names
from bench.leaderboard.stored import Stored
from bench.leaderboard.tables import Table
from bench.records import MetricValue, Record

VALUES = (
    "record method variant budget settings backbone weights seed rank_from rank_to task queries "
    "gallery uncounted metric mean low high category_mean"
).split()
RECORDS = (
    "record dataset edition protocol protocol_fingerprint headline origin method variant budget "
    "backbone substitute_for weights trained_on seed dimension parameters flops_per_image engine "
    "precision device threads images_per_second git_commit git_clean python torch finished"
).split()


def values(table: Table) -> str:
    """Return the CSV of a protocol."""
    settings = row_names.settings([row.first for row in table.rows])
    lines = [_line(VALUES)]
    line = cache(lambda *cells: _line(cells))  # tasks and metrics are those of all records
    for row, setting in zip(table.rows, settings, strict=True):
        for one in row.stored:
            record = one.record
            facts = _line(
                [one.name, record.method, record.variant, record.budget, setting,
                 record.backbone.name, record.backbone.source, record.seed,
                 *(row.rank or ("", ""))]
            )  # fmt: skip
            for of_task, metrics in _with_means(record):
                start = f"{facts},{line(*of_task)}"
                for name, v in metrics.items():
                    by_category = "" if v.category_mean is None else repr(v.category_mean)
                    lines.append(
                        f"{start},{line(name)},{v.mean!r},{v.low!r},{v.high!r},{by_category}"
                    )
    return "\n".join([*lines, ""])


def records(rows: Iterable[Sequence[object]]) -> str:
    """Return the CSV of all records, of the `facts` of each."""
    return written(RECORDS, rows)


def facts(stored: Stored) -> list[object]:
    """Return a record's row of the CSV of all records."""
    record, made = stored.record, stored.record.provenance
    cost: list[object] = [""] * 8
    if record.origin == "run":
        cost = [record.dimension, record.parameters, record.flops_per_image, made.engine,
                made.precision, made.device, made.threads,
                round(record.cost.images_per_second, 1)]  # fmt: skip
    return [
        stored.name, record.dataset.name, record.dataset.edition, record.protocol,
        record.protocol_fingerprint, record.headline, record.origin, record.method,
        record.variant, record.budget, record.backbone.name, record.backbone.substitute_for,
        record.backbone.source, record.backbone.trained_on, record.seed, *cost,
        made.git_commit, made.git_clean, made.python, made.versions.get("torch", ""),
        record.cost.finished,
    ]  # fmt: skip


def written(header: Sequence[object], rows: Iterable[Sequence[object]]) -> str:
    """Return a CSV file with Unix line ends."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return buffer.getvalue()


def _line(cells: Sequence[object]) -> str:
    """Return cells as they stand in a line of a CSV file."""
    return written(cells, []).removesuffix("\n")


def _with_means(record: Record) -> list[tuple[list[object], Mapping[str, MetricValue]]]:
    """Return name and counts of each task with its metrics; first, of several, two means."""
    found: list[tuple[list[object], Mapping[str, MetricValue]]] = [
        ([task.task, task.queries, task.gallery, task.uncounted], task.metrics)
        for task in record.tasks
    ]
    if len(found) == 1:
        return found
    queries, uncounted = (
        sum(getattr(task, count) for task in record.tasks) for count in ("queries", "uncounted")
    )
    means = {"plain mean over tasks": record.mean, "mean over all queries": record.pooled}
    return [([name, queries, "", uncounted], means[name]) for name in means] + found
