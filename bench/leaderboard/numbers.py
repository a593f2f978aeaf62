"""What must hold of a record's numbers: with each other, and with the values of its queries."""

from __future__ import annotations

from collections.abc import Iterator
from math import isclose, isnan

import numpy as np

from bench.entries import CATEGORY, Queries, Run
from bench.errors import RecordError
from bench.leaderboard.stored import Stored
from bench.records import MetricValue, Record, TaskResult
from bench.statistics import Floats, bootstrap_intervals, means

ROUNDING = 1e-9
# a record's 2,000 resamples hang on the order of the queries in the catalog and cannot be drawn
# again; a fifth of them is enough to know its intervals: an end moves by 4 % of the width (standard
# deviation) and, where queries are few, by what one of them adds to the mean
RESAMPLES = 400
DRAWN = 0.25
ONE = 2.0
ZERO_OR_ONE = ("hit@", "triplet-accuracy", "attribute-accuracy")  # for each query


def contradictions(stored: Stored) -> list[str]:
    """Return what cannot be of a record's numbers, in words; nothing for a sound record."""
    record = stored.record
    found = [text for task in record.tasks for text in _of_task(task)]
    found += _of_means(record)
    if stored.values.is_file() and not found:
        try:
            found += _of_values(Run.stored(stored.place, record))
        except RecordError as error:
            found.append(str(error))
    return found


def _of_task(task: TaskResult) -> Iterator[str]:
    """Yield what a task's numbers contradict of each other."""
    counted = task.queries - task.uncounted
    if not counted >= 0:
        yield f"task {task.task}: {task.uncounted} of {task.queries} queries do not count"
    for name, value in task.metrics.items():
        if isnan(value.mean):
            continue
        where = f"task {task.task}, {name} {value.mean:.6g}"
        if not value.low - ROUNDING <= value.mean <= value.high + ROUNDING:
            yield f"{where} is not in its interval [{value.low:.6g}, {value.high:.6g}]"
        right = value.mean * counted
        if name.startswith(ZERO_OR_ONE) and not isclose(right, round(right), abs_tol=1e-6):
            yield f"{where} is no mean of {counted} zeros and ones"
        metric, _, rest = name.partition("@")
        cut, bracket, of = rest.partition("[")
        curve = task.curves.get(metric + bracket + of, [])
        if cut.isdigit() and int(cut) <= len(curve) and not isclose(
            curve[int(cut) - 1], value.mean, abs_tol=ROUNDING
        ):  # fmt: skip
            yield f"{where}, but its curve has {curve[int(cut) - 1]:.6g} there"


def _of_means(record: Record) -> Iterator[str]:
    """Yield where a mean over tasks is none."""
    for name, value in record.mean.items():
        of_tasks = [task.metrics[name].mean for task in record.tasks if name in task.metrics]
        known = [mean for mean in of_tasks if not isnan(mean)]
        if known and not isclose(float(np.mean(known)), value.mean, abs_tol=ROUNDING):
            yield f"{name} {value.mean:.6g} is not the plain mean over its tasks"


def _of_values(run: Run) -> Iterator[str]:
    """Yield what does not follow from the values of the queries; means are known to."""
    record, asked = run.record, Queries.of(run)
    values = run.values([*run.metrics])
    category = run.table[CATEGORY].to_numpy() if CATEGORY in run.table.column_names else None
    of_row = run.table["task"].to_numpy()
    for task in record.tasks:
        rows = of_row == task.task
        intervals = bootstrap_intervals(
            values[rows], clusters=asked.clusters[rows], resamples=RESAMPLES
        )
        stated = [task.metrics[name] for name in run.metrics]
        step = ONE / len(np.unique(asked.clusters[rows]))
        yield from _intervals(f"task {task.task}", [*run.metrics], stated, intervals, step)
        if category is not None:
            yield from _categories(task, [*run.metrics], values[rows], category[rows])
    for where, over, tasks in (
        ("plain mean", record.mean, asked.tasks), ("mean over all queries", record.pooled, None)
    ):  # fmt: skip
        if not over:
            continue
        names = [name for name in run.metrics if name in over]
        columns = run.values(names)
        stated = [over[name] for name in names]
        for name, value, mean in zip(names, stated, means(columns, tasks), strict=True):
            if not isclose(value.mean, mean, abs_tol=ROUNDING) and not isnan(mean):
                yield f"{where}, {name} {value.mean:.6g}: its queries have {mean:.6g}"
        intervals = bootstrap_intervals(
            columns, clusters=asked.clusters, tasks=tasks, resamples=RESAMPLES
        )
        yield from _intervals(where, names, stated, intervals, ONE / (1 + asked.clusters.max()))


def _intervals(
    where: str, names: list[str], stated: list[MetricValue], intervals: Floats, step: float
) -> Iterator[str]:
    """Yield which intervals are not those of resamples; `step` is what one query can move them."""
    for name, value, (low, high) in zip(names, stated, intervals, strict=True):
        slack = ROUNDING + DRAWN * (high - low) + (step if high > low else 0)
        if max(abs(value.low - low), abs(value.high - high)) > slack:
            yield (
                f"{where}, {name}: interval [{value.low:.6g}, {value.high:.6g}], its queries have "
                f"[{low:.6g}, {high:.6g}]"
            )


def _categories(
    task: TaskResult,
    names: list[str],
    values: Floats,
    category: np.ndarray[tuple[int], np.dtype[np.object_]],
) -> Iterator[str]:
    named = [category == name for name in np.unique(category[category != ""])]
    of_each = [means(values[rows]) for rows in named]
    for name, column in zip(names, np.transpose(of_each) if of_each else [], strict=False):
        stated = task.metrics[name].category_mean
        if stated is not None and not isclose(stated, float(np.nanmean(column)), abs_tol=ROUNDING):
            yield f"task {task.task}, {name}: mean over categories {stated:.6g} is another one"
