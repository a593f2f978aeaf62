"""How sure a mean and a difference are: bootstrap, permutation, Holm, groups that tie.

All of them draw *clusters*: rows of one photograph stand or fall together, since they are not
independent. Where there are several tasks, the mean is the plain mean of the tasks' means, as in a
record. Everything is drawn from fixed seeds, in blocks that depend on the data's size alone, so the
number of threads changes no draw.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

RESAMPLES = 2000
PERMUTATIONS = 9999
LEVEL = 0.95
ENUMERATED = 12  # of so many clusters or fewer, all 2^12 changes of sign are tried

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]


def bootstrap_intervals(
    values: Floats,
    *,
    clusters: Codes | None = None,
    tasks: Codes | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Floats:
    """Return the 95 % percentile bootstrap interval of each column's mean, (M, 2) float64.

    `values` is (Q, M), one row per query; NaN does not count. Queries are drawn with replacement,
    `resamples` times; the same draws serve all columns. A column with nothing but NaN gives NaN.

    Rows with equal `clusters` (Q,) are drawn together: queries of one photograph are not
    independent. With `tasks` (Q,), the mean is the plain mean of the tasks' means, over those tasks
    that a draw leaves a query in.

    A resample is counted, not gathered: how often each cluster was drawn, times the clusters' sums,
    is one matrix product for all columns. Efron and Tibshirani, An Introduction to the Bootstrap
    (1993), section 13.3.
    """
    cluster, drawable = _numbered(clusters, len(values))
    parts = _per_task(values, cluster, tasks)

    def means(generator: np.random.Generator, size: int) -> Floats:
        drawn = generator.integers(drawable, size=(size, drawable), dtype=np.int32)
        drawn += np.arange(size, dtype=np.int32)[:, None] * drawable  # numbered by their rows, too
        times = np.bincount(drawn.ravel(), minlength=drawn.size)
        weights = times.reshape(drawn.shape).astype(np.float64)
        return _plain_mean(np.stack([part.means(weights) for part in parts]))

    size = max(1, 2**17 // max(drawable, 1))  # 1 MB of draws, which stays in a core's cache
    found = _in_blocks(means, rows=resamples, size=size, seed=seed)
    outer = (1 - LEVEL) / 2
    intervals = np.full((values.shape[1], 2), np.nan)
    for column in np.flatnonzero(~np.isnan(values).all(axis=0)):
        # a resample of a small set can hold no query that counts: it has no mean
        intervals[column] = np.nanquantile(found[:, column], [outer, 1 - outer])
    return intervals


def means(values: Floats, tasks: Codes | None = None) -> Floats:
    """Return each column's mean, (M,): the plain mean of the tasks' means, NaN left out.

    `values` is (Q, M), `tasks` (Q,). A task in which no query counts is left out; a column with
    nothing but NaN gives NaN.
    """
    parts = _per_task(values, np.zeros(len(values), np.int64), tasks)
    return _plain_mean(np.stack([part.means(np.ones((1, 1))) for part in parts])).ravel()


@dataclass(frozen=True)
class Paired:
    """Two runs on the same queries, second minus first; one number per metric, (M,) each.

    `low` and `high` are the ends of the 95 % interval, `p` is two-sided. NaN where no query counts.
    """

    difference: Floats
    low: Floats
    high: Floats
    p: Floats


def paired(
    first: Floats,
    second: Floats,
    *,
    clusters: Codes | None = None,
    tasks: Codes | None = None,
    resamples: int = RESAMPLES,
    permutations: int = PERMUTATIONS,
    seed: int = 0,
) -> Paired:
    """Return how much the second run's means differ from the first's, and how sure that is.

    `first` and `second` are (Q, M), row by row of the same queries; a row counts for a metric where
    it is NaN in neither. The mean is that of `means`. The interval is the bootstrap interval of the
    rows' differences, which draws the same queries for both runs.

    The test asks how often a difference as large (in either direction) would come about if it were
    chance which run has which value: the signs of a cluster's differences flip together, each
    cluster's with probability 1/2. Where `ENUMERATED` or fewer clusters differ in a metric, every
    choice of signs is tried and p is exact; otherwise `permutations` choices are drawn and
    p = (1 + as large) / (1 + permutations), which never is 0. Good, Permutation, Parametric and
    Bootstrap Tests (2005), section 3.2; Phipson and Smyth (2010) for the p of drawn permutations.
    """
    differences = second - first
    low, high = bootstrap_intervals(
        differences, clusters=clusters, tasks=tasks, resamples=resamples, seed=seed
    ).T
    return Paired(
        difference=means(differences, tasks),
        low=low,
        high=high,
        p=_permutation_test(differences, clusters, tasks, permutations, seed),
    )


def _permutation_test(
    differences: Floats, clusters: Codes | None, tasks: Codes | None, permutations: int, seed: int
) -> Floats:
    """Return the two-sided p of each column's mean, (M,), by flipping the signs of clusters."""
    shares = _shares(differences, *_numbered(clusters, len(differences)), tasks)
    differ = shares != 0
    few = differ.sum(axis=0) <= ENUMERATED
    p = np.empty(shares.shape[1])
    for column in np.flatnonzero(few):
        own = shares[differ[:, column], column][:, None]  # the others' signs change nothing
        every = np.arange(2 ** len(own))[:, None] >> np.arange(len(own)) & 1
        p[column] = _as_large(own, every)[0] / 2 ** len(own)
    if not few.all():
        many, count = shares[:, ~few], len(shares)

        def drawn(generator: np.random.Generator, size: int) -> Floats:
            bits = np.frombuffer(generator.bytes(-(-size * count // 8)), np.uint8)
            flipped = np.unpackbits(bits, count=size * count).reshape(size, count)
            return _as_large(many, flipped)[None]

        size = max(1, 2**20 // count)  # 8 MB of signs as float64
        large = _in_blocks(drawn, rows=permutations, size=size, seed=seed).sum(axis=0)
        p[~few] = (1 + large) / (1 + permutations)
    p[np.isnan(differences).all(axis=0)] = np.nan
    return p


def _as_large(shares: Floats, flipped: npt.NDArray[np.integer]) -> Floats:
    """Return how many choices of signs (R, C), 1 for turned, make sums as large as the given, (M,).

    Sums of the same numbers in another order differ by rounding and count as equal.
    """
    sums = shares.sum(axis=0)
    enough = np.abs(sums) - 1e-9 * np.abs(shares).sum(axis=0)
    turned = sums - 2 * (flipped.astype(np.float64) @ shares)
    return np.asarray((np.abs(turned) >= enough).sum(axis=0, dtype=np.float64))


def _shares(differences: Floats, cluster: Codes, clusters: int, tasks: Codes | None) -> Floats:
    """Return what each cluster adds to the plain mean over tasks, (C, M): signs flip this."""
    shares = np.zeros((clusters, differences.shape[1]))
    parts = _per_task(differences, cluster, tasks)
    width = differences.shape[1]
    counted = [np.broadcast_to(part.counts.sum(axis=0), width) for part in parts]
    known = np.maximum(np.count_nonzero(counted, axis=0), 1)  # tasks in which a query counts
    for part, count in zip(parts, counted, strict=True):
        shares[part.members] += part.sums / (np.maximum(count, 1) * known)
    return shares


def holm(p: Floats) -> Floats:
    """Return p-values adjusted for being looked at together, of the shape given.

    With m of them in ascending order, the i-th becomes the largest of (m - j + 1) · p_j over j ≤ i,
    at most 1: the chance that any of the true null hypotheses is rejected stays below the level.
    NaN is no comparison: it stays and is not counted. Holm, A simple sequentially rejective
    multiple test procedure (1979).
    """
    flat = p.ravel()
    order = np.argsort(flat)[: np.count_nonzero(~np.isnan(flat))]  # NaN is sorted last
    adjusted = np.full(flat.shape, np.nan)
    factors = np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(factors * flat[order]), 1)
    return adjusted.reshape(p.shape)


def told_apart(
    values: Floats, *, clusters: Codes | None = None, tasks: Codes | None = None
) -> npt.NDArray[np.bool_]:
    """Return which methods' means differ significantly, (N, N), symmetric.

    `values` is (Q, N), a column for each method; a query counts where it counts for all. The test
    is that of `paired` in its limit for many clusters: of signs that flip, the sum of the clusters'
    differences d_c is normal with variance Σ d_c², so p = erfc(|Σ d_c| / √(2 Σ d_c²)), without a
    draw. At 5 % after Holm, over all pairs.
    """
    counted = ~np.isnan(values).any(axis=1)
    cluster, count = _numbered(clusters, len(values))
    task = None if tasks is None else tasks[counted]
    shares = _shares(values[counted], cluster[counted], count, task)
    products = shares.T @ shares
    squares = np.diag(products)
    variance = squares[:, None] + squares - 2 * products
    variance[variance < 1e-12 * (squares[:, None] + squares)] = 0  # equal but for rounding
    totals = shares.sum(axis=0)
    first, second = np.triu_indices(len(totals), 1)
    apart, spread = np.abs(totals[first] - totals[second]), variance[first, second]
    pairs = zip(apart.tolist(), spread.tolist(), strict=True)  # numbers of numpy are slower here
    p = np.array([math.erfc(d / math.sqrt(2 * s)) if s > 0 else 1.0 for d, s in pairs])
    found = np.zeros(products.shape, np.bool_)
    found[first, second] = holm(p) < 1 - LEVEL
    return found | found.T


def tie_groups(different: npt.NDArray[np.bool_]) -> list[tuple[int, ...]]:
    """Return the largest groups of methods that cannot be told apart, each ascending, in order.

    `different` (N, N) is symmetric: whether two methods differ significantly. Two methods share a
    group if and only if they do not differ; a method may be in several groups. Insert and absorb:
    Piepho, An algorithm for a letter-based representation of all-pairwise comparisons (2004).
    """
    groups = {frozenset(range(len(different)))}
    for pair in zip(*(found.tolist() for found in np.nonzero(np.triu(different))), strict=True):
        split = set()
        for group in groups:
            split |= {group - {method} for method in pair} if group >= {*pair} else {group}
        groups = {group for group in split if not any(group < larger for larger in split)}
    return sorted(tuple(sorted(group)) for group in groups)


def letters(groups: Sequence[Sequence[int]], methods: int) -> list[str]:
    """Return each method's letters: one for each group it is in, `a` for the first group."""
    return [
        "".join(letter(number) for number, group in enumerate(groups) if method in group)
        for method in range(methods)
    ]


def letter(number: int) -> str:
    """Return `a` for 0, `b` for 1 and, so that letters can stand together, `a1` after `z`."""
    return chr(ord("a") + number % 26) + (str(number // 26) if number >= 26 else "")


@dataclass(frozen=True)
class Seeds:
    """How results vary over seeds, per metric; nothing of it is an interval over queries.

    `means` (S, M) is each seed's mean, `deviation` (M,) their standard deviation (divisor S - 1).
    """

    means: Floats
    deviation: Floats


def over_seeds(values: Floats, tasks: Codes | None = None) -> tuple[Floats, Seeds]:
    """Return the values averaged over seeds, (Q, M), and how the seeds' means vary.

    `values` is (S, Q, M), two seeds or more. A query counts where it counts with every seed.
    """
    of_each = np.stack([means(of_seed, tasks) for of_seed in values])
    return values.mean(axis=0), Seeds(of_each, of_each.std(axis=0, ddof=1))


@dataclass(frozen=True)
class _Part:
    """A task's rows, summed per cluster: sums (C', M) and counts (C', M) of the C' `members`."""

    members: Codes
    sums: Floats
    counts: Floats

    def means(self, weights: Floats) -> Floats:
        """Return the task's means where each of C clusters counts `weights` (R, C) times, (R, M).

        Columns in which the same queries count, as nearly always, share one product of counts.
        """
        if len(self.members) < weights.shape[1]:
            weights = weights[:, self.members]
        with np.errstate(invalid="ignore"):
            return np.asarray((weights @ self.sums) / (weights @ self.counts))


def _numbered(codes: Codes | None, rows: int) -> tuple[Codes, int]:
    """Return codes as 0 … C - 1 in ascending order, and C; each row its own for None."""
    if codes is None:
        return np.arange(rows), rows
    names, numbered = np.unique(codes, return_inverse=True)
    return numbered, len(names)


def _per_task(values: Floats, cluster: Codes, tasks: Codes | None) -> list[_Part]:
    """Return the parts of the tasks, in the order of their codes."""
    known = ~np.isnan(values)
    filled = np.where(known, values, 0)
    task, count = (np.zeros(len(values), np.int64), 1) if tasks is None else _numbered(tasks, 0)
    order = np.lexsort((cluster, task))  # stable: the rows of a cluster are added as they stand
    ends = np.searchsorted(task[order], np.arange(count + 1))
    parts = []
    for rows in (order[start:end] for start, end in pairwise(ends)):
        members, starts = np.unique(cluster[rows], return_index=True)
        sums = np.add.reduceat(filled[rows], starts)
        counts = np.add.reduceat(known[rows].astype(np.float64), starts)
        if (counts == counts[:, :1]).all():
            counts = counts[:, :1]
        parts.append(_Part(members, sums, counts))
    return parts


def _plain_mean(of_tasks: Floats) -> Floats:
    """Return the mean over tasks (T, R, M) → (R, M), NaN left out; NaN where there is none."""
    known = ~np.isnan(of_tasks)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.where(known, of_tasks, 0).sum(axis=0) / known.sum(axis=0))


def _in_blocks(
    function: Callable[[np.random.Generator, int], Floats], *, rows: int, size: int, seed: int
) -> Floats:
    """Return the results of `function(generator, size)` for blocks of `size` rows, stacked.

    Each block has a random stream of its own, so it does not matter which thread takes it.
    """

    def block(start: int) -> Floats:
        return function(np.random.default_rng([seed, start]), min(size, rows - start))

    with ThreadPoolExecutor(os.cpu_count()) as threads:
        return np.concatenate(list(threads.map(block, range(0, rows, size))))
