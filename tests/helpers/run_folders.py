"""Finished run folders with the values that a test chooses."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bench import records
from bench.statistics import bootstrap_intervals, means

Columns = Mapping[str, Sequence[float] | np.ndarray]


def write_run(
    make_record: Callable[..., records.Record],
    folder: Path,
    values: Columns,
    *,
    lower_is_better: Sequence[str] = (),
    names: Mapping[str, Sequence[str]] | None = None,
    **changes: Any,
) -> Path:
    """Write a run with these metrics' values, one per query, and return its folder.

    `names` are columns that name the queries: task, query, target, category. `changes` are those of
    the record, which states the means of the values.
    """
    metrics = pd.DataFrame(values, dtype=float)
    queries = {
        "task": ["all"] * len(metrics),
        "query": [f"q{number}" for number in range(len(metrics))],
        "target": [""] * len(metrics),
        **(names or {}),
    }
    tasks, task_names = pd.factorize(np.array(queries["task"]))
    clusters, _ = pd.factorize(np.array(queries["query"]))

    def stated(rows: np.ndarray, of_task: np.ndarray | None = None) -> dict[str, Any]:
        chosen = metrics.to_numpy()[rows]
        intervals = bootstrap_intervals(chosen, clusters=clusters[rows], tasks=of_task)
        return {
            name: {"mean": mean, "low": low, "high": high,
                   "higher_is_better": name not in lower_is_better}
            for name, mean, (low, high) in zip(
                metrics, means(chosen, of_task), intervals, strict=True
            )
        }  # fmt: skip

    several = len(task_names) > 1
    record = make_record(
        **{
            "origin": "run",
            "headline": next(iter(metrics)),
            "mean": stated(np.arange(len(metrics)), tasks) if several else {},
            "tasks": [
                {"task": name, "queries": int((tasks == number).sum()), "gallery": 9,
                 "uncounted": 0, "relevant_per_query": 1.0,
                 "metrics": stated(np.flatnonzero(tasks == number))}
                for number, name in enumerate(task_names)
            ],
        }
        | changes
    )  # fmt: skip
    records.finish(folder, record)
    pd.DataFrame(queries | dict(metrics)).to_parquet(folder / "per_query.parquet")
    return folder
