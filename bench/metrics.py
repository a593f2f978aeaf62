"""Metrics: pure functions from a ranking to one value per query.

They see which ranks are relevant and which attributes are shared, never scores. Common to all:

Ties: ranks count from 1 and leave out the query's own image; equal scores stand in gallery order
(`bench.search` sees to that), so a metric meets no tie. trec_eval orders ties by document id,
scikit-learn averages over their orders.

Nothing to find: a query with nothing relevant in the gallery does not count, its value is NaN, and
the record says how many there are. pytorch-metric-learning leaves it out as well; trec_eval, ranx
and torchmetrics count it 0. A metric of attributes leaves out the queries without any attribute
instead.

Empty ranks: k may be larger than the gallery; the ranks that it cannot fill hold nothing relevant
and no attribute, and divisors are what they would be otherwise.

A metric with a cut-off is written once for any number of them, `ranks` (n,), ascending, and then
has two forms: `hit(ranking, k)` is the value at k, (Q,), and `hit.curve(ranking, k)` the values at
1 to k, (Q, k), whose columns are the same numbers to the last bit.

In the formulas, rel_i is 1 where rank i is relevant and 0 elsewhere, R is the number of relevant
images in the gallery, A_q and A_i are the attribute values of the query and of the image at rank i,
log is to base 2. Values are float64. All raise `ValueError` for a ranking that is not deep enough.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float64]
Sizes = npt.NDArray[np.uint16]
Ranks = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Overlap:
    """How many attribute values each query shares with its first K' images.

    query_size  (Q,)    |A_q|
    shared      (Q, K') |A_q ∩ A_i|; 0 at an empty rank
    size        (Q, K') |A_i|; 0 at an empty rank
    best        (Q, K') the largest |A_q ∩ A_g| of all gallery images g but the query's own,
                        descending, 0 beyond the gallery. None where it was not asked for.
    """

    query_size: Sizes
    shared: Sizes
    size: Sizes
    best: Sizes | None = None

    def __post_init__(self) -> None:
        shape = self.shared.shape
        if len(shape) != 2 or self.size.shape != shape or self.query_size.shape != shape[:1]:
            raise ValueError("an overlap needs shared and size of one shape (Q, K), and (Q,)")
        if (self.shared > self.size).any() or (self.shared > self.query_size[:, None]).any():
            raise ValueError("an overlap holds more shared values than an image has")
        if self.best is not None and (
            self.best.shape != shape or (self.best[:, 1:] > self.best[:, :-1]).any()
        ):
            raise ValueError("the best overlaps need the shape of the others, and to descend")


@dataclass(frozen=True)
class Found:
    """The relevant images of all rankings in one list, by query, then by rank; (n,) each.

    `rank` counts from 1, `order` is how many relevant images stand there or above.
    """

    query: Ranks
    rank: Ranks
    order: Ranks


@dataclass(frozen=True)
class Ranking:
    """The first K gallery images of each query, best first; an invalid one cannot be built.

    positions       (Q, K) gallery positions, -1 where the gallery has no more images
    relevant        (Q, K) whether the image at that rank is relevant
    relevant_count  (Q,)   relevant images in the whole gallery
    first_relevant  (Q,)   rank of the first relevant image at whatever depth, from 1; 0 if none
                           exists. None where it was not asked for.
    overlap                shared attribute values of the first K' ≤ K images. None where they were
                           not asked for.
    """

    positions: npt.NDArray[np.int32]
    relevant: npt.NDArray[np.bool_]
    relevant_count: npt.NDArray[np.int64]
    first_relevant: npt.NDArray[np.int64] | None = None
    overlap: Overlap | None = None

    def __post_init__(self) -> None:
        if self.positions.shape != self.relevant.shape or self.positions.ndim != 2:
            raise ValueError("a ranking needs positions and relevance of one shape (Q, K)")
        if self.relevant_count.shape != self.positions.shape[:1]:
            raise ValueError("a ranking needs one relevant count per query")
        ordered = np.sort(self.positions, axis=1)
        if ((ordered[:, 1:] == ordered[:, :-1]) & (ordered[:, 1:] >= 0)).any():
            raise ValueError("a ranking holds a gallery position twice for one query")
        if (self.relevant.sum(axis=1) > self.relevant_count).any():
            raise ValueError("a ranking holds more relevant images than the gallery has")
        if (self.relevant & (self.positions < 0)).any():
            raise ValueError("a ranking marks an empty rank as relevant")
        if self.overlap is not None:
            queries, depth = self.overlap.shared.shape
            if queries != len(self.positions) or depth > self.positions.shape[1]:
                raise ValueError("a ranking's overlap needs its queries and no more ranks than it")
            if self.overlap.size[self.positions[:, :depth] < 0].any():
                raise ValueError("a ranking's overlap gives attributes to an empty rank")

    @functools.cached_property
    def found(self) -> Found:
        """The relevant images: few, where ranks are many."""
        query, place = np.nonzero(self.relevant)
        first = np.searchsorted(query, np.arange(len(self.relevant)))
        return Found(query, place + 1, np.arange(1, len(query) + 1) - first[query])

    def counted(self, values: npt.ArrayLike) -> Values:
        """Return values (Q,) or (Q, n) as float64, NaN for queries that have nothing relevant."""
        return _where(self.relevant_count > 0, values)

    def require_depth(self, depth: int) -> None:
        """Refuse a ranking too shallow to be cut at `depth`."""
        if self.positions.shape[1] < depth:
            raise ValueError(
                f"a ranking of depth {self.positions.shape[1]} cannot be cut at {depth}"
            )


class Cut:
    """A metric with a cut-off, made of the function that gives its values at several, (Q, n)."""

    def __init__(self, values: Callable[[Ranking, Ranks], Values]) -> None:
        self._values = values
        functools.update_wrapper(self, values)

    def __call__(self, ranking: Ranking, k: int) -> Values:
        """Return the value of each query at cut-off k, (Q,)."""
        ranking.require_depth(k)
        return self._values(ranking, np.array([k]))[:, 0]

    def curve(self, ranking: Ranking, k: int) -> Values:
        """Return the values at every cut-off from 1 to k, (Q, k)."""
        ranking.require_depth(k)
        return self._values(ranking, np.arange(1, k + 1))


@Cut
def hit(ranking: Ranking, ranks: Ranks) -> Values:
    """Return 1 where at least one of the first k images is relevant, else 0.

    This is the "top-k retrieval accuracy" of street-to-shop papers and the "Recall@K" of
    metric-learning papers; it is not `recall`, the share of the relevant images that is found.
    """
    return ranking.counted(_summed(ranking, ranks) > 0)


@Cut
def precision(ranking: Ranking, ranks: Ranks) -> Values:
    """Return the share of the first k ranks that is relevant: Σ_{i≤k} rel_i / k.

    The divisor is k also where the gallery holds fewer images, as in trec_eval and ranx. (open-
    metric-learning divides by min(k, R) instead.) Zakizadeh et al., Instance Retrieval at
    Fine-grained Level Using Multi-Attribute Recognition (2018), call this "mAP".
    """
    return ranking.counted(_summed(ranking, ranks) / ranks)


@Cut
def recall(ranking: Ranking, ranks: Ranks) -> Values:
    """Return the share of the relevant images that is among the first k: Σ_{i≤k} rel_i / R.

    The value cannot reach 1 where k < R.
    """
    return ranking.counted(_summed(ranking, ranks) / _at_least_1(ranking.relevant_count))


@Cut
def mean_average_precision_at_k(ranking: Ranking, ranks: Ranks) -> Values:
    """Return (1 / min(R, k)) Σ_{i≤k} rel_i · precision@i.

    The divisor is what can be found in k ranks, so that a perfect ranking has 1 at every k, as in
    open-metric-learning. trec_eval's map_cut and ranx divide by R, so that 1 is out of reach where
    k < R; torchmetrics and pytorch-metric-learning divide by what was found, so that finding one
    image at rank 1 and no other gives 1.
    """
    sums = _summed(ranking, ranks, _precisions(ranking.found))
    return ranking.counted(sums / np.minimum(ranks, _at_least_1(ranking.relevant_count)))


def mean_average_precision(ranking: Ranking, k: int) -> Values:
    """Return (1/R) Σ_i rel_i · precision@i over the whole gallery. `k` is unused.

    The average precision of trec_eval (`map`) and ranx; the area under the precision-recall curve
    that is not interpolated (scikit-learn's `average_precision_score`, but for ties). Where the
    list itself ends before the gallery does, what it leaves out counts as never found; a ranking
    that was cut before the last relevant image is refused.
    """
    del k
    found = ranking.found
    missing = np.bincount(found.query, minlength=len(ranking.relevant)) < ranking.relevant_count
    if ranking.positions.shape[1] and (missing & (ranking.positions[:, -1] >= 0)).any():
        raise ValueError("average precision needs a ranking of the whole gallery")
    return _mean_over_relevant(ranking, _precisions(found))


def mean_average_precision_at_r(ranking: Ranking, k: int) -> Values:
    """Return (1/R) Σ_{i≤R} rel_i · precision@i, R being the query's number of relevant images.

    Musgrave, Belongie, Lim: A Metric Learning Reality Check (2020), section 3.2. It differs from
    average precision in ending at rank R, so what stands below R counts nothing. `k` is unused.
    """
    del k
    found = ranking.found
    ranking.require_depth(int(ranking.relevant_count.max(initial=0)))
    above = found.rank <= ranking.relevant_count[found.query]
    return _mean_over_relevant(ranking, np.where(above, _precisions(found), 0))


def reciprocal_rank(ranking: Ranking, k: int) -> Values:
    """Return 1 / rank of the first relevant image, at whatever depth it stands. `k` is unused.

    Not cut at the depth of the stored ranking; libraries that see only the first K images of a run
    (trec_eval, ranx) give 0 for a first relevant image below K.
    """
    del k
    if ranking.first_relevant is None:
        raise ValueError("the reciprocal rank needs a ranking with first_relevant")
    return ranking.counted(1 / np.maximum(ranking.first_relevant, 1))


@Cut
def ndcg_of_relevance(ranking: Ranking, ranks: Ranks) -> Values:
    """Return Σ_{i≤k} rel_i / log(i+1), divided by the same sum with the relevant images first.

    The ideal has min(k, R) relevant images, those of the whole gallery, as in trec_eval's ndcg_cut,
    ranx and scikit-learn. Järvelin, Kekäläinen: Cumulated Gain-Based Evaluation of IR Techniques
    (2002), with the discount that is common today, which lowers rank 2 as well.
    """
    discounts = _discounts(ranking.relevant.shape[1])
    sums = _summed(ranking, ranks, discounts[ranking.found.rank - 1])
    filled = np.minimum(ranks, _at_least_1(ranking.relevant_count))
    return ranking.counted(sums / np.cumsum(discounts)[filled - 1])


@Cut
def ndcg_of_attributes(ranking: Ranking, ranks: Ranks) -> Values:
    """Return (1/Z) Σ_{i≤k} (2^s_i - 1) / log(i+1), where s_i = |A_q ∩ A_i| / |A_q|.

    Z = Σ_{i≤k} 1/log(i+1), the sum for k images that have every value of the query: one constant
    for all queries and methods. A value that is missing in the image does not match, one that is
    missing in the query does not count; where attributes are single-valued, s_i is the share of
    the query's attributes whose value matches.

    Huang et al., Cross-domain Image Retrieval with a Dual Attribute-aware Ranking Network (2015),
    section on evaluation. The paper leaves Z open; values as low as its own need an absolute one.
    The two other readings stand below. Other libraries know the gallery's ideal only, and most
    (trec_eval, scikit-learn, ranx's `ndcg`) take s_i itself as the gain.
    """
    overlap = _overlap(ranking, ranks[-1])
    ideal = np.cumsum(_discounts(ranks[-1]))[ranks - 1]
    return _described(overlap, _gained(overlap.shared, overlap, ranks) / ideal)


def ndcg_of_attributes_list_ideal(ranking: Ranking, k: int) -> Values:
    """Return `ndcg_of_attributes` with Z of the first k images themselves, sorted by their gain.

    It says how well the list is ordered, not how good it is; a list without any gain has 0.
    """
    overlap, ranks = _overlap(ranking, k), np.array([k])
    ordered = np.sort(overlap.shared[:, :k], axis=1)[:, ::-1]
    ideal = _gained(ordered, overlap, ranks)[:, 0]
    reached = _gained(overlap.shared, overlap, ranks)[:, 0]
    return _described(overlap, np.divide(reached, ideal, out=np.zeros(len(ideal)), where=ideal > 0))


@Cut
def ndcg_of_attributes_gallery_ideal(ranking: Ranking, ranks: Ranks) -> Values:
    """Return `ndcg_of_attributes` with Z of the k images of the whole gallery that gain most.

    Z differs from query to query; a query that shares no value with any image does not count.
    """
    overlap = _overlap(ranking, ranks[-1])
    if overlap.best is None:
        raise ValueError("the gallery's ideal needs an overlap with the best of the gallery")
    with np.errstate(invalid="ignore"):
        values = _gained(overlap.shared, overlap, ranks) / _gained(overlap.best, overlap, ranks)
    return _where(overlap.best[:, 0] > 0, values)


@Cut
def iou(ranking: Ranking, ranks: Ranks) -> Values:
    """Return (1/k) Σ_{i≤k} |A_q ∩ A_i| / |A_q ∪ A_i|: the mean likeness of attribute sets.

    The Jaccard index of each pair; 0 at an empty rank, so that the divisor is that of `precision`
    and iou@k ≥ precision@k where all images of an item have its attributes. Two empty sets have no
    index; that pair needs a query without attributes, and such a query does not count.

    Zakizadeh et al., Instance Retrieval at Fine-grained Level Using Multi-Attribute Recognition
    (2018), "attribute similarity". None of the libraries named here has it for rankings.
    """  # noqa: RUF002 (the sign of a union)
    overlap = _overlap(ranking, ranks[-1])
    shared, size = overlap.shared[:, : ranks[-1]], overlap.size[:, : ranks[-1]]
    union = np.maximum(size + overlap.query_size[:, None] - shared, 1)
    return _described(overlap, _cumulated(shared / union, ranks) / ranks)


def first_is_right(ranking: Ranking, k: int) -> Values:
    """Return 1 where the first candidate is the right one, else 0. `k` is unused.

    Two metrics are this, by what is ranked. `triplet-accuracy`: the positive is strictly nearer to
    the anchor than the negative (a tie is wrong). `attribute-accuracy`: the value with the highest
    score is the image's own (of equal scores, the value that stands first).
    """
    del k
    return ranking.counted(ranking.relevant[:, 0])


def _where(counts: npt.NDArray[np.bool_], values: npt.ArrayLike) -> Values:
    """Return values (Q,) or (Q, n) as float64 with NaN for the queries that do not count."""
    values = np.asarray(values, np.float64)
    return np.where(counts.reshape(-1, *[1] * (values.ndim - 1)), values, np.nan)


def _described(overlap: Overlap, values: Values) -> Values:
    return _where(overlap.query_size > 0, values)


def _at_least_1(counts: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return counts (Q,) as divisors (Q, 1); where there is nothing, the value is NaN anyway."""
    return np.maximum(counts, 1)[:, None]


def _summed(ranking: Ranking, ranks: Ranks, gains: Values | None = None) -> npt.NDArray[Any]:
    """Return the sums of what relevant images gain, down to each cut-off, (Q, n).

    `gains` are those of `ranking.found`; without them, the images are counted.
    """
    found = ranking.found
    above = found.rank <= ranks[-1]
    cell = found.query[above] * len(ranks) + np.searchsorted(ranks, found.rank[above])
    sums = np.bincount(
        cell, None if gains is None else gains[above], len(ranking.relevant) * len(ranks)
    ).reshape(-1, len(ranks))
    return np.cumsum(sums, axis=1, out=sums)


def _precisions(found: Found) -> Values:
    return found.order / found.rank


def _mean_over_relevant(ranking: Ranking, gains: Values) -> Values:
    sums = np.bincount(ranking.found.query, gains, len(ranking.relevant))
    return ranking.counted(sums / np.maximum(ranking.relevant_count, 1))


def _overlap(ranking: Ranking, k: int) -> Overlap:
    if ranking.overlap is None or ranking.overlap.shared.shape[1] < k:
        raise ValueError(f"a metric of attributes needs a ranking with the overlap of {k} ranks")
    return ranking.overlap


def _discounts(k: int) -> Values:
    return np.asarray(1 / np.log2(np.arange(2, k + 2)))


def _gained(shared: Sizes, overlap: Overlap, ranks: Ranks) -> Values:
    """Return the discounted cumulated gain of images that share so many values, (Q, n)."""
    gains = shared[:, : ranks[-1]] / np.maximum(overlap.query_size, 1)[:, None]
    np.exp2(gains, out=gains)
    gains -= 1
    gains *= _discounts(ranks[-1])
    return _cumulated(gains, ranks)


def _cumulated(gains: Values, ranks: Ranks) -> Values:
    """Return the sums of gains (Q, k) down to each cut-off, (Q, n); the gains are overwritten."""
    return np.cumsum(gains, axis=1, out=gains)[:, ranks - 1]
