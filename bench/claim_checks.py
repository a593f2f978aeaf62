"""How each kind of check is decided on the runs of one setting.

Queries of one protocol are compared one by one, with the paired bootstrap of `bench compare`;
quantities of two protocols by independent resamples. What holds by construction is counted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from typing import Any, Literal, cast

import numpy as np
import numpy.typing as npt

from bench import claim_facts
from bench.claim_files import (
    Better,
    Check,
    Close,
    Curve,
    EveryQuery,
    Fact,
    Growth,
    Larger,
    NotCheckable,
    Quantity,
    Ratio,
    RunFact,
    Side,
    place,
)
from bench.claim_runs import Evidence, Measured, require_same_queries
from bench.entries import QUERY, Queries, Run
from bench.errors import RecordError, UserError
from bench.statistics import LEVEL, RESAMPLES, Floats, bootstrap_intervals, means

Verdict = Literal["reversed", "not checkable", "undecided", "held"]
_EQUAL = 1e-12  # means of the same numbers in another order differ by rounding
_BLOCK = 100  # resamples drawn at once


@dataclass(frozen=True)
class Comparison:
    """One comparison: `value` with its 95 % interval, and the `threshold` it has to exceed.

    What is counted exactly has no interval; there `value` is how often the claim fails. `found`
    says it in words, or why nothing could be compared. `queries` are those that count, of both
    places where there are two. `runs` are folders.
    """

    what: str
    verdict: Verdict
    found: str
    value: float | None = None
    low: float | None = None
    high: float | None = None
    threshold: float | None = None
    queries: int | None = None
    runs: list[str] = field(default_factory=list)


def compare(check: Check, evidence: Evidence) -> list[Comparison]:
    """Return all comparisons of a check."""
    match check:
        case NotCheckable():
            return [Comparison("", "not checkable", check.why)]
        case Fact():
            verdict, text = check.load()()
            return [Comparison("", verdict, text)]
        case RunFact():
            of_each = [_tried(_of_runs, check, this, evidence) for this in check.these]
        case Larger():
            return _tried(_larger, check, evidence)
        case EveryQuery():
            of_each = [_tried(_every_query, check, this, evidence) for this in check.these]
        case Curve(than=()):
            of_each = [_tried(_monotone, check, this, evidence) for this in check.these]
        case Curve():
            of_each = [_tried(_leads, check, *pair, evidence) for pair in _pairs(check)]
        case Better():
            of_each = [_tried(_better, check, *pair, evidence) for pair in _pairs(check)]
        case Ratio():
            of_each = [_tried(_ratio, check, *pair, evidence) for pair in _pairs(check)]
        case Close():
            of_each = [_tried(_close, check, *pair, evidence) for pair in _pairs(check)]
        case Growth():
            of_each = [_tried(_growth, check, *pair, evidence) for pair in _pairs(check)]
    return [found for of_one in of_each for found in of_one]


def _tried(of_one: Callable[..., list[Comparison]], *arguments: Any) -> list[Comparison]:
    """Return what `of_one` finds; where its runs are lacking, one comparison that says so."""
    try:
        return of_one(*arguments)
    except UserError as error:
        return [Comparison("", "not checkable", str(error))]


def _of_runs(check: RunFact, this: Side, evidence: Evidence) -> list[Comparison]:
    found = []
    for run in evidence.of(this, check).runs:
        verdict, text = _told(check, run)
        what = f"{this}, seed {run.record.seed}"
        found.append(Comparison(what, verdict, text, runs=[str(run.folder)]))
    return found


def _told(check: RunFact, run: Run) -> tuple[Verdict, str]:
    """Return what a function says of a run; of a stored record, what it said of its run."""
    if run.folder.is_dir():
        verdict, text = check.load()(run.folder, run.record)
        return verdict, text
    verdict, text = claim_facts.kept(run.folder, check.function)
    if verdict == "not checkable":
        raise RecordError(text)
    if verdict not in {"held", "reversed"}:
        raise RecordError(f"{run.folder.stem}: {verdict} is no verdict")
    return cast("Verdict", verdict), text


def _pairs(check: Better | Ratio | Close | Growth | Curve) -> Iterable[tuple[Side, Side]]:
    return product(check.these, check.than)


def _better(check: Better, this: Side, than: Side, evidence: Evidence) -> list[Comparison]:
    first, second = (evidence.of(side, check, check.metrics) for side in (this, than))
    require_same_queries([*first.runs, *second.runs])
    gains = (first.values - second.values) * _signs(check.metrics, evidence)
    intervals = bootstrap_intervals(gains, clusters=first.asked.clusters, tasks=first.asked.tasks)
    return _with_intervals(
        [f"{name} in {check.protocol}: {this} − {than}" for name in check.metrics],
        means(gains, first.asked.tasks), intervals, _counted(gains),
        first.folders + second.folders, or_equal=check.at_least_equal,
    )  # fmt: skip


def _ratio(check: Ratio, this: Side, than: Side, evidence: Evidence) -> list[Comparison]:
    first, second = (evidence.of(side, check, check.metrics) for side in (this, than))
    require_same_queries([*first.runs, *second.runs])
    both = np.isnan(first.values + second.values)
    of_two = np.hstack([np.where(both, np.nan, side.values) for side in (first, second)])
    above, below = np.split(means(of_two, first.asked.tasks), 2)
    drawn_above, drawn_below = np.split(_resampled_means(of_two, first.asked, seed=0), 2, axis=1)
    if (drawn_below <= 0).any():
        raise RecordError(f"the mean of {than} is 0 or near it: nothing to divide by")
    return _with_intervals(
        [f"{name} in {check.protocol}: {this} / {than}" for name in check.metrics],
        above / below, _intervals(drawn_above / drawn_below), _counted(of_two)[: len(above)],
        first.folders + second.folders, threshold=check.at_least,
    )  # fmt: skip


def _close(check: Close, this: Side, than: Side, evidence: Evidence) -> list[Comparison]:
    first, second = (evidence.of(side, check, check.metrics) for side in (this, than))
    require_same_queries([*first.runs, *second.runs])
    differences = first.values - second.values
    asked = first.asked
    return _with_intervals(
        [f"{name} in {check.protocol}: {this} − {than}" for name in check.metrics],
        means(differences, asked.tasks),
        bootstrap_intervals(differences, clusters=asked.clusters, tasks=asked.tasks),
        _counted(differences), first.folders + second.folders, within=check.within,
    )  # fmt: skip


def _growth(check: Growth, this: Side, than: Side, evidence: Evidence) -> list[Comparison]:
    sides = [evidence.of(side, check, check.metrics) for side in (than, this)]
    require_same_queries([run for side in sides for run in side.runs])
    small, large = _ends(sides[0])
    # a column for each side, task and metric
    rows = np.hstack([side.values[at] for side in sides for at in (small, large)])
    asked = replace(sides[0].asked, clusters=sides[0].asked.clusters[small], tasks=0 * small)

    def gained(found: Floats) -> Floats:
        first, last, of_this, last_of_this = np.split(found, 4, axis=-1)
        if (last <= 0).any() or (last_of_this <= 0).any():
            raise RecordError(f"the mean of {this} or {than} on the last task is 0 or near it")
        return np.asarray(first / last - of_this / last_of_this)

    values = gained(means(rows, asked.tasks))
    return _with_intervals(
        [f"growth of {name} in {check.protocol}: {than} − {this}" for name in check.metrics],
        values, _intervals(gained(_resampled_means(rows, asked, seed=0))),
        _counted(rows)[: len(values)], sides[1].folders + sides[0].folders, within=check.within,
    )  # fmt: skip


def _ends(found: Measured) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return the rows of the first and of the last task, which must ask the same, in one order."""
    asked = found.asked
    first, last = (np.flatnonzero(asked.tasks == at) for at in (0, asked.tasks.max()))
    if not asked.tasks.any() or asked.clusters[first].tolist() != asked.clusters[last].tolist():
        raise RecordError(
            f"the first and the last task of {found.folders[0]} do not ask the same queries; "
            "expected a protocol with several galleries for one set of queries"
        )
    return first, last


def _larger(check: Larger, evidence: Evidence) -> list[Comparison]:
    first, second = (_measured(of, check.metrics, evidence) for of in (check.this, check.than))
    if place(check.this) == place(check.than):
        require_same_queries([*first.runs, *second.runs])
        rows = first.values - second.values
        found = means(rows, first.asked.tasks)
        intervals = bootstrap_intervals(
            rows, clusters=first.asked.clusters, tasks=first.asked.tasks
        )
        counted = _counted(rows)
    else:
        found = means(first.values, first.asked.tasks) - means(second.values, second.asked.tasks)
        drawn = [_resampled_means(of.values, of.asked, seed) for seed, of in
                 enumerate((first, second))]  # fmt: skip
        intervals = _intervals(drawn[0] - drawn[1])
        counts = np.stack([_counted(first.values), _counted(second.values)])
        counted = np.where(counts.all(axis=0), counts.sum(axis=0), 0)
    what = f"{_named(check.this)} against {_named(check.than)}"
    return _with_intervals(
        [f"{name}: {what}" for name in check.metrics], found, intervals, counted,
        first.folders + second.folders,
    )  # fmt: skip


def _measured(quantity: Quantity, metrics: Sequence[str], evidence: Evidence) -> Measured:
    """Return a quantity's value for each query: a side's or, with `over`, how much better it is."""
    found = evidence.of(quantity.of, quantity, metrics)
    if quantity.over is None:
        return found
    other = evidence.of(quantity.over, quantity, metrics)
    require_same_queries([*found.runs, *other.runs])
    gains = (found.values - other.values) * _signs(metrics, evidence)
    return Measured([*found.runs, *other.runs], gains, found.asked)


def _named(quantity: Quantity) -> str:
    side = f"{quantity.of} − {quantity.over}" if quantity.over else str(quantity.of)
    return f"{side} in {quantity.dataset} {quantity.protocol}"


def _every_query(check: EveryQuery, this: Side, evidence: Evidence) -> list[Comparison]:
    first = evidence.of(this, check, check.metrics)
    second = evidence.of(this, check.other, check.at_least)
    rows = _rows_of(first.runs[0], second.runs[0])
    by_seed = {run.record.seed: run for run in second.runs}
    pairs = [(run, by_seed[run.record.seed]) for run in first.runs if run.record.seed in by_seed]
    if not pairs:
        raise RecordError(
            f"runs of variant {this} have no seed in common in {check.protocol} and "
            f"{check.other.protocol}"
        )
    # a query has to comply with every seed
    differences = np.min(
        [run.values(check.metrics) - other.values(check.at_least)[rows] for run, other in pairs],
        axis=0,
    )
    runs = list(dict.fromkeys(str(run.folder) for pair in pairs for run in pair))
    where = f" in {check.in_protocol}" if check.in_protocol else ""
    found = []
    for name, least, column in zip(check.metrics, check.at_least, differences.T, strict=True):
        what = f"{name} in {check.protocol} ≥ {least}{where}: {this}"
        queries = int(np.count_nonzero(~np.isnan(column)))
        below = int(np.count_nonzero(column < -_EQUAL))
        verdict: Verdict = "reversed" if below else "held"
        text = f"below for {below:,} of {queries:,} queries"
        if not queries:
            found.append(_uncounted(what, runs))
        else:
            found.append(
                Comparison(
                    what, verdict, text if below else f"all {queries:,} queries", value=below,
                    queries=queries, runs=runs,
                )
            )  # fmt: skip
    return found


def _rows_of(first: Run, second: Run) -> npt.NDArray[np.int64]:
    """Return the row in `second` of each query of `first`; task names are a protocol's own."""
    columns = QUERY if first.record.protocol == second.record.protocol else QUERY[1:]
    keys, others = (
        list(zip(*(run.table[name].to_pylist() for name in columns), strict=True))
        for run in (first, second)
    )
    row = {key: number for number, key in enumerate(others)}
    if sorted(keys) != sorted(row) or len(row) != len(others):
        raise RecordError(
            f"{first.folder} and {second.folder} do not ask the same queries, each once; "
            "expected protocols that do"
        )
    return np.array([row[key] for key in keys], np.int64)


def _monotone(check: Curve, this: Side, evidence: Evidence) -> list[Comparison]:
    found = evidence.of(this, check)
    steps = np.diff(_curve(check, found, evidence)) * (1 if check.shape == "rises" else -1)
    where = np.flatnonzero(steps < -_EQUAL) + 2
    otherwise = "falls" if check.shape == "rises" else "rises"
    what = f"{check.metric} in {check.protocol} {check.shape} with k: {this}"
    return [_counted_curve(what, otherwise, where, len(steps), found.folders)]


def _leads(check: Curve, this: Side, than: Side, evidence: Evidence) -> list[Comparison]:
    first, second = (evidence.of(side, check) for side in (this, than))
    require_same_queries([*first.runs, *second.runs])
    ahead = _curve(check, first, evidence) - _curve(check, second, evidence)
    where = np.flatnonzero(ahead * _signs([check.metric], evidence) < -_EQUAL) + 1
    what = f"{check.metric} in {check.protocol}, every k: {this} − {than}"
    return [_counted_curve(what, "behind", where, len(ahead), first.folders + second.folders)]


def _curve(check: Curve, found: Measured, evidence: Evidence) -> Floats:
    """Return a metric's mean at the cut-offs from 1 to its own, over tasks and seeds, (k,)."""
    spec, k = evidence.registry.metric(check.metric)
    name = spec.name.replace("@k", "")
    curves = [task.curves.get(name, [])[:k] for run in found.runs for task in run.record.tasks]
    if min(map(len, curves)) < k or np.isnan(curves).any():
        raise RecordError(
            f"{found.folders[0]} has no curve of {name} from 1 to {k}; run again with "
            f"--metric {check.metric} (curves end at 50, and need a query that counts)"
        )
    return np.asarray(np.mean(curves, axis=0))


def _counted_curve(
    what: str, otherwise: str, where: npt.NDArray[np.int64], count: int, runs: list[str]
) -> Comparison:
    """Return a comparison of curves that fails `where` of `count` cut-offs."""
    verdict: Verdict = "undecided"
    if len(where) in {0, count}:
        verdict = "reversed" if len(where) else "held"
    shown = ", ".join(map(str, where[:5])) + (", …" if len(where) > 5 else "")
    text = f"{otherwise} at {len(where)} of {count} k: {shown}" if len(where) else f"all {count} k"
    return Comparison(what, verdict, text, value=len(where), runs=runs)


def _with_intervals(
    names: Sequence[str],
    values: Floats,
    intervals: Floats,
    queries: npt.NDArray[np.int64],
    runs: list[str],
    *,
    threshold: float = 0.0,
    or_equal: bool = False,
    within: float | None = None,
) -> list[Comparison]:
    """Return a comparison for each value (M,) that is to exceed a threshold; intervals (M, 2).

    With `within` the value is to lie between minus and plus that.
    """
    found = []
    for what, value, (low, high), count in zip(
        names, values.tolist(), intervals.tolist(), queries.tolist(), strict=True
    ):
        if not count:
            found.append(_uncounted(what, runs))
            continue
        verdict: Verdict = "undecided"
        shown = f"{value:+.4f} [{low:+.4f}, {high:+.4f}]"
        if within is not None:
            if max(-low, high) <= within:
                verdict = "held"
            elif low > within or high < -within:
                verdict = "reversed"
            shown += f", to lie within ±{within:g}"
        elif low > threshold + _EQUAL or (or_equal and low >= threshold - _EQUAL):
            verdict = "held"
        elif high < threshold - _EQUAL:
            verdict = "reversed"
        if threshold:
            shown = f"{value:.2f} [{low:.2f}, {high:.2f}], to exceed {threshold:g}"
        found.append(Comparison(what, verdict, shown, value, low, high, threshold, count, runs))
    return found


def _uncounted(what: str, runs: list[str]) -> Comparison:
    return Comparison(what, "not checkable", "no query counts in both", queries=0, runs=runs)


def _counted(values: Floats) -> npt.NDArray[np.int64]:
    return np.asarray(np.count_nonzero(~np.isnan(values), axis=0))


def _signs(metrics: Sequence[str], evidence: Evidence) -> npt.NDArray[np.int64]:
    """Return 1 for each metric where higher is better, else -1."""
    every = [evidence.registry.metric(name)[0].higher_is_better for name in metrics]
    return np.where(every, 1, -1)


def _resampled_means(values: Floats, asked: Queries, seed: int) -> Floats:
    """Return the means of resamples of the photographs, (R, M); rows as in `bootstrap_intervals`.

    All columns share the draws, so that a ratio of two is one of paired means.
    """
    generator = np.random.default_rng(seed)
    photographs, tasks = asked.clusters.max() + 1, asked.tasks.max() + 1
    sums, counts = np.zeros((2, tasks, photographs, values.shape[1]))
    np.add.at(sums, (asked.tasks, asked.clusters), np.nan_to_num(values))
    np.add.at(counts, (asked.tasks, asked.clusters), ~np.isnan(values))
    blocks = []
    for _ in range(RESAMPLES // _BLOCK):
        shares = np.full(photographs, 1 / photographs)
        drawn = generator.multinomial(photographs, shares, size=_BLOCK).astype(np.float64)
        with np.errstate(invalid="ignore"):
            of_tasks = (drawn @ sums) / (drawn @ counts)  # (T, R, M)
            known = ~np.isnan(of_tasks)
            blocks.append(np.where(known, of_tasks, 0).sum(axis=0) / known.sum(axis=0))
    return np.concatenate(blocks)


def _intervals(drawn: Floats) -> Floats:
    """Return the percentile interval of each column of resampled values (R, M), (M, 2)."""
    outer = (1 - LEVEL) / 2
    intervals = np.full((drawn.shape[1], 2), np.nan)
    for column in np.flatnonzero(~np.isnan(drawn).all(axis=0)):
        intervals[column] = np.nanquantile(drawn[:, column], [outer, 1 - outer])
    return intervals
