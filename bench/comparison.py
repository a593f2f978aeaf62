"""Comparing runs: the same queries, answered by several methods.

Run folders → what differs, how sure that is, and where. Runs that differ in nothing but the seed
are one entry (`bench.entries`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from bench.entries import (
    CATEGORY,
    QUERY,
    Entry,
    Queries,
    Run,
    by_setting,
    numbered,
    require_comparable,
)
from bench.errors import RecordError, UnknownNameError
from bench.statistics import PERMUTATIONS, holm, letters, paired, tie_groups

SIGNIFICANT = 0.05  # of p after Holm's correction
_EQUAL = 1e-12  # means of the same numbers in another order differ by rounding

Outcome = Literal["better", "worse", "equal"]


@dataclass(frozen=True)
class SeedSpread:
    """How an entry's mean varies over its seeds: it says nothing about queries."""

    means: list[float]  # in the order of the entry's seeds
    deviation: float  # standard deviation, divisor S - 1
    lowest: float
    highest: float


@dataclass(frozen=True)
class Score:
    """An entry's mean, its 95 % bootstrap interval over queries, and its spread over seeds.

    `groups` are the letters of the groups that the entry belongs to: two entries share a letter if
    and only if their difference is not significant (0.05, after Holm).
    """

    mean: float
    low: float
    high: float
    groups: str
    seeds: SeedSpread | None


@dataclass(frozen=True)
class EntryScores:
    """One method in one setting: one run, or several that differ only by the seed."""

    name: str
    runs: list[str]
    seeds: list[int]
    scores: dict[str, Score]


@dataclass(frozen=True)
class Difference:
    """A metric of two entries, `second` minus `first`; `p_holm` is p after Holm's correction.

    `queries` are those that count in both.
    """

    first: str
    second: str
    metric: str
    queries: int
    difference: float
    low: float
    high: float
    p: float
    p_holm: float


@dataclass(frozen=True)
class Part:
    """The means of two entries over some of the queries: a category or a task.

    `second_is` says whether the second entry is better, by the direction of the metric.
    """

    name: str
    queries: int
    first: float
    second: float
    second_is: Outcome


@dataclass(frozen=True)
class Changed:
    """A query and the leading metric's value for it with two entries."""

    task: str
    query: str
    target: str
    first: float
    second: float


@dataclass(frozen=True)
class Changes:
    """Where two entries differ in the leading metric; the largest differences first.

    `categories` is empty where the data have none, `tasks` where there is only one.
    """

    first: str
    second: str
    categories: list[Part]
    tasks: list[Part]
    queries: list[Changed]


@dataclass(frozen=True)
class Comparison:
    """All that `bench compare` knows.

    `higher_is_better` has the compared metrics, the leading one first. `left_out` are those that
    not all runs have. `changes` are those of each later entry against the first.
    """

    edition: str
    protocol: str
    protocol_fingerprint: str
    queries: int
    higher_is_better: dict[str, bool]
    left_out: list[str]
    entries: list[EntryScores]
    differences: list[Difference]
    changes: list[Changes]

    @property
    def leading(self) -> str:
        """The metric that leads: the protocol's headline, or the first that was asked for."""
        return next(iter(self.higher_is_better))

    def worse(self, metrics: Sequence[str], threshold: float) -> list[Difference]:
        """Return where a later entry is worse than the first by more than `threshold`.

        What counts is the difference itself and not its p: a run that lost 0.05 has lost it,
        whether or not so few queries can prove it. A difference that is NaN is among them.
        """
        first = self.entries[0].name
        lost = []
        for found in self.differences:
            if found.first == first and found.metric in metrics:
                sign = 1 if self.higher_is_better[found.metric] else -1
                if not sign * found.difference >= -threshold - _EQUAL:
                    lost.append(found)
        return lost


def compare(
    folders: Sequence[Path], *, metrics: Sequence[str] = (), queries: int = 10
) -> Comparison:
    """Return the comparison of finished runs, given by their folders or `record.json`.

    `metrics` are those to compare, all that the runs have in common if empty; `queries` says how
    many of those that changed most are named.

    Raises `RecordError` for what is no finished run, was altered, stands twice or is of another
    protocol fingerprint, and `UnknownNameError` for a metric that not all have.
    """
    runs = [Run.read(folder) for folder in folders]
    require_comparable(runs)
    first = runs[0]
    common = [name for name in first.metrics if all(name in run.metrics for run in runs)]
    for name in metrics:
        if name not in common:
            raise UnknownNameError("metric of all these runs", name, common)
    every = dict.fromkeys(name for run in runs for name in run.metrics)
    if not common:
        raise RecordError(
            f"the runs have none of {', '.join(every)} in common; run each with the same --metric"
        )
    headline = [first.record.headline] if first.record.headline in common else []
    names = list(dict.fromkeys(metrics or [*headline, *common]))
    higher = {name: first.metrics[name] for name in names}

    asked = Queries.of(first)
    entries = [Entry.of(name, of_one, names, asked) for name, of_one in by_setting(runs).items()]
    differences = _differences(entries, names, asked)
    scores: dict[str, dict[str, Score]] = {entry.name: {} for entry in entries}
    for column, name in enumerate(names):
        of_metric = [found for found in differences if found.metric == name]
        groups = _groups(entries, of_metric, column, higher_is_better=higher[name])
        for entry in entries:
            scores[entry.name][name] = _score(entry, column, groups[entry.name])
    return Comparison(
        edition=first.record.edition_name,
        protocol=first.record.protocol,
        protocol_fingerprint=first.record.protocol_fingerprint,
        queries=len(asked.clusters),
        higher_is_better=higher,
        left_out=[name for name in every if name not in common],
        entries=[
            EntryScores(
                name=entry.name,
                runs=[str(run.folder) for run in entry.runs],
                seeds=[run.record.seed for run in entry.runs],
                scores=scores[entry.name],
            )
            for entry in entries
        ],
        differences=differences,
        changes=[
            _changes(entries[0], later, asked, queries, higher_is_better=higher[names[0]])
            for later in entries[1:]
        ],
    )


def _score(entry: Entry, column: int, groups: str) -> Score:
    spread = None
    if entry.seeds is not None:
        of_each = entry.seeds.means[:, column].tolist()
        deviation = float(entry.seeds.deviation[column])
        spread = SeedSpread(of_each, deviation, min(of_each), max(of_each))
    low, high = entry.intervals[column].tolist()
    return Score(float(entry.means[column]), low, high, groups, spread)


def _differences(
    entries: Sequence[Entry], names: Sequence[str], asked: Queries
) -> list[Difference]:
    """Return the differences of all pairs and metrics, corrected together."""
    pairs = list(combinations(entries, 2))
    # the smallest p must stay far below 0.05 after Holm, however much is compared
    permutations = max(PERMUTATIONS, 200 * len(pairs) * len(names) - 1)
    found = [
        paired(
            first.values, second.values,
            clusters=asked.clusters, tasks=asked.tasks, permutations=permutations,
        )
        for first, second in pairs
    ]  # fmt: skip
    adjusted = holm(np.array([result.p for result in found]))
    return [
        Difference(
            first=first.name,
            second=second.name,
            metric=name,
            queries=int(np.count_nonzero(~np.isnan((second.values - first.values)[:, column]))),
            difference=float(result.difference[column]),
            low=float(result.low[column]),
            high=float(result.high[column]),
            p=float(result.p[column]),
            p_holm=float(of_pair[column]),
        )
        for (first, second), result, of_pair in zip(pairs, found, adjusted, strict=True)
        for column, name in enumerate(names)
    ]


def _groups(
    entries: Sequence[Entry],
    differences: Sequence[Difference],
    column: int,
    *,
    higher_is_better: bool,
) -> dict[str, str]:
    """Return each entry's letters in one metric; `a` is the group of the best."""
    sign = -1 if higher_is_better else 1
    ordered = sorted(entries, key=lambda entry: sign * np.nan_to_num(entry.means[column]))
    place = {entry.name: number for number, entry in enumerate(ordered)}
    different = np.zeros((len(place), len(place)), dtype=bool)
    for found in differences:
        pair = [place[found.first], place[found.second]]
        different[pair, pair[::-1]] = found.p_holm < SIGNIFICANT
    return dict(zip(place, letters(tie_groups(different), len(place)), strict=True))


def _outcome(gain: float) -> Outcome:
    return "equal" if abs(gain) <= _EQUAL else "better" if gain > 0 else "worse"


def _changes(
    first: Entry, second: Entry, asked: Queries, queries: int, *, higher_is_better: bool
) -> Changes:
    """Return where the leading metric, which is the first column, differs between two entries."""
    before, after = first.values[:, 0], second.values[:, 0]
    counts = ~np.isnan(after - before)

    def parts(names: Sequence[str], codes: npt.NDArray[np.int64]) -> list[Part]:
        found = []
        for code, name in enumerate(names):
            rows = counts & (codes == code)
            if name and rows.any():
                means = float(before[rows].mean()), float(after[rows].mean())
                gain = (means[1] - means[0]) * (1 if higher_is_better else -1)
                found.append(Part(name, int(rows.sum()), *means, _outcome(gain)))
        return sorted(found, key=lambda part: -abs(part.second - part.first))

    categories = []
    if CATEGORY in asked.table.column_names:
        codes, names = numbered(asked.table[CATEGORY].fill_null(""))
        categories = parts(names, codes)
    several = len(asked.task_names) > 1
    # queries that changed equally are ordered by what the other metrics say
    sizes = np.nan_to_num(np.abs(second.values - first.values)).round(12)  # less is rounding
    order = np.lexsort([-size for size in sizes.T[::-1]])
    changed = [int(row) for row in order[:queries] if sizes[row, 0] > 0]
    named = asked.table.select(QUERY).take(np.array(changed, np.int64)).to_pylist()
    return Changes(
        first=first.name,
        second=second.name,
        categories=categories,
        tasks=parts(asked.task_names, asked.tasks) if several else [],
        queries=[
            Changed(**names, first=float(before[row]), second=float(after[row]))
            for names, row in zip(named, changed, strict=True)
        ],
    )
