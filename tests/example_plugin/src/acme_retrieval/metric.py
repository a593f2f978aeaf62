"""A metric: a pure function of a ranking."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from bench.metrics import Ranking


def miss(ranking: Ranking, k: int) -> npt.NDArray[np.float64]:
    """Return 1 where none of the first k images is relevant, else 0."""
    ranking.require_depth(k)
    return ranking.counted(~ranking.relevant[:, :k].any(axis=1))
