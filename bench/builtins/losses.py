"""Losses that more than one paper uses; the loop of training takes their means."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F


class Triplet(nn.Module):
    """max(0, margin + |a - p|² - |a - n|²) of each triplet."""

    def __init__(self, margin: float) -> None:
        super().__init__()
        self.margin = margin

    def forward(self, anchor: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
        """Return `(B,)` for three `(B, D)` tensors."""
        near = (anchor - positive).square().sum(dim=1)
        far = (anchor - negative).square().sum(dim=1)
        return F.relu(self.margin + near - far)


class KnownCrossEntropy(nn.Module):
    """Softmax cross-entropy of each image whose value is known; a missing one is -1."""

    def forward(self, logits: Tensor, values: Tensor) -> Tensor:
        """Return `(m,)`, m ≤ B, for `(B, V)` logits and `(B,)` int64 values."""
        known = values >= 0
        return F.cross_entropy(logits[known], values[known], reduction="none")
