"""Metrics: pure functions from a ranking to one value per query.

They see which ranks are relevant and how many relevant images there are, never scores. Common to
all: ranks count from 1 and leave out the query's own image; equal scores stand in gallery order
(`bench.search` sees to that); a query with nothing relevant in the gallery does not count, its
value is NaN, and the record says how many there are. Elsewhere such a query counts 0 (torchmetrics,
trec_eval) or is left out as here (pytorch-metric-learning).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Ranking:
    """The first K gallery images of each query, best first; an invalid one cannot be built.

    positions       (Q, K) gallery positions, -1 where the gallery has no more images
    relevant        (Q, K) whether the image at that rank is relevant
    relevant_count  (Q,)   relevant images in the whole gallery
    first_relevant  (Q,)   rank of the first relevant image at whatever depth, from 1; 0 if none
                           exists. None where it was not asked for.
    """

    positions: npt.NDArray[np.int32]
    relevant: npt.NDArray[np.bool_]
    relevant_count: npt.NDArray[np.int64]
    first_relevant: npt.NDArray[np.int64] | None = None

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

    def counted(self, values: npt.ArrayLike) -> Values:
        """Return values as float64 with NaN for queries that have nothing relevant, (Q,)."""
        return np.where(self.relevant_count > 0, np.asarray(values, np.float64), np.nan)

    def require_depth(self, depth: int) -> None:
        """Refuse a ranking too shallow to be cut at `depth`."""
        if self.positions.shape[1] < depth:
            raise ValueError(
                f"a ranking of depth {self.positions.shape[1]} cannot be cut at {depth}"
            )


def hit(ranking: Ranking, k: int) -> Values:
    """Return 1 where at least one of the first k images is relevant, else 0.

    This is the "top-k retrieval accuracy" of street-to-shop papers and the "Recall@K" of
    metric-learning papers; it is not `recall`, the share of the relevant images that is found.
    """
    ranking.require_depth(k)
    return ranking.counted(np.any(ranking.relevant[:, :k], axis=1))


def precision(ranking: Ranking, k: int) -> Values:
    """Return the share of the first k ranks that is relevant: Σ_{i≤k} rel_i / k.

    The divisor is k also where the gallery holds fewer images, as in trec_eval. (open-metric-
    learning divides by min(k, relevant images) instead.)
    """
    ranking.require_depth(k)
    return ranking.counted(ranking.relevant[:, :k].sum(axis=1) / k)


def recall(ranking: Ranking, k: int) -> Values:
    """Return the share of the relevant images that is among the first k: Σ_{i≤k} rel_i / R.

    R is the number of relevant images in the gallery; the value cannot reach 1 where k < R.
    """
    ranking.require_depth(k)
    found = ranking.relevant[:, :k].sum(axis=1)
    return ranking.counted(found / np.maximum(ranking.relevant_count, 1))


def mean_average_precision_at_r(ranking: Ranking, k: int) -> Values:
    """Return (1/R) Σ_{i≤R} rel_i · precision@i, R being the query's number of relevant images.

    Musgrave, Belongie, Lim: A Metric Learning Reality Check (2020), section 3.2. It differs from
    average precision in ending at rank R, so what stands below R counts nothing. `k` is unused.
    """
    del k
    most = int(ranking.relevant_count.max(initial=0))
    ranking.require_depth(most)
    ranks = np.arange(1, most + 1)
    relevant = ranking.relevant[:, :most] & (ranks <= ranking.relevant_count[:, None])
    precisions = np.cumsum(relevant, axis=1, dtype=np.int32) / ranks
    total = np.where(relevant, precisions, 0.0).sum(axis=1)
    return ranking.counted(total / np.maximum(ranking.relevant_count, 1))


def reciprocal_rank(ranking: Ranking, k: int) -> Values:
    """Return 1 / rank of the first relevant image, at whatever depth it stands. `k` is unused.

    Not cut at the depth of the stored ranking; libraries that see only the first K images of a run
    (trec_eval, ranx) give 0 for a first relevant image below K.
    """
    del k
    if ranking.first_relevant is None:
        raise ValueError("the reciprocal rank needs a ranking with first_relevant")
    return ranking.counted(1 / np.maximum(ranking.first_relevant, 1))


def first_is_right(ranking: Ranking, k: int) -> Values:
    """Return 1 where the first candidate is the right one, else 0. `k` is unused.

    Two metrics are this, by what is ranked. `triplet-accuracy`: the positive is strictly nearer to
    the anchor than the negative (a tie is wrong). `attribute-accuracy`: the value with the highest
    score is the image's own (of equal scores, the value that stands first).
    """
    del k
    return ranking.counted(ranking.relevant[:, 0])
