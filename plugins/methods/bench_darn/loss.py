"""The losses of section 4.1: of the attribute tree, and of triplets (equation 1)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

GUARD = 1e-12  # under the root, whose slope is infinite at 0


def attribute_loss(logits: Sequence[Tensor], values: Tensor) -> Tensor:
    """Return -Σ_a log p_a(y_a) of each image, (B,), over the attributes a whose value is known.

    `logits` has a tensor (B, V_a) for each of A branches, `values` is (B, A) int64, -1 where the
    value is missing: such an image gives that branch no gradient.
    """
    losses = [
        F.cross_entropy(scores.float(), value, ignore_index=-1, reduction="none")
        for scores, value in zip(logits, values.unbind(1), strict=True)
    ]
    return torch.stack(losses).sum(dim=0)


def distance(first: Tensor, second: Tensor, *, squared: bool = False) -> Tensor:
    """Return the Euclidean distances of the rows of two (B, D) tensors, (B,)."""
    squares = (first - second).square().sum(dim=1)
    return squares if squared else (squares + GUARD).sqrt()


class TripletRanking(nn.Module):
    """max(0, m + dist(a, b) - dist(a, c)) of each triplet, dist being Euclidean (equation 1)."""

    def __init__(self, margin: float = 0.3, *, squared: bool = False) -> None:
        super().__init__()
        self.margin, self.squared = margin, squared

    def forward(self, street: Tensor, same: Tensor, other: Tensor) -> Tensor:
        """Return `(B,)` for `(B, D)` tensors a of street, b of the same item, c of another."""
        near = distance(street, same, squared=self.squared)
        return F.relu(self.margin + near - distance(street, other, squared=self.squared))
