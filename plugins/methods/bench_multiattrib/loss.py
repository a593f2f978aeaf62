"""The smooth pairwise ranking loss (section III.A, equation 1)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def pairwise_ranking(scores: Tensor, present: Tensor) -> Tensor:
    """Return the loss of each image that has some values and lacks others, (m,) with m ≤ B.

    For the scores f of an image, of which the values Y are present,

        log(1 + Σ_{v ∉ Y} Σ_{u ∈ Y} exp(f_v - f_u))  =  softplus(a + b),
        a = log Σ_{v ∉ Y} exp(f_v),    b = log Σ_{u ∈ Y} exp(-f_u),

    whose right side takes linear time and does not overflow. `scores` is (B, N); `present` is
    (B, N), true or non-zero where the image has the value. Where Y is empty or everything there is
    no pair to rank and the image is left out.
    """
    present = present.bool()
    ranked = present.any(dim=1) & ~present.all(dim=1)
    scores, present = scores[ranked], present[ranked]
    # only differences count; around 0, wherever training has brought the scores, they round least
    scores = scores - scores.detach().amax(dim=1, keepdim=True)
    absent = scores.masked_fill(present, -torch.inf).logsumexp(dim=1)
    found = (-scores).masked_fill(~present, -torch.inf).logsumexp(dim=1)
    return F.softplus(absent + found)


class PairwiseRanking(nn.Module):
    """`pairwise_ranking` as a module."""

    def forward(self, scores: Tensor, present: Tensor) -> Tensor:
        """Return `(m,)`, m ≤ B, for `(B, N)` scores and `(B, N)` values that are present or not."""
        return pairwise_ranking(scores, present)
