"""Losses that more than one paper uses."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F


class Triplet(nn.Module):
    """Mean of max(0, margin + |a - p|² - |a - n|²) over the batch's triplets."""

    def __init__(self, margin: float) -> None:
        super().__init__()
        self.margin = margin

    def forward(self, anchor: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
        """Return a scalar for three `(B, D)` tensors."""
        near = (anchor - positive).square().sum(dim=1)
        far = (anchor - negative).square().sum(dim=1)
        return F.relu(self.margin + near - far).mean()


class KnownCrossEntropy(nn.Module):
    """Softmax cross-entropy, averaged over the images whose value is known.

    A missing value is -1 and gives no gradient; a batch without any known value has loss 0.
    """

    def forward(self, logits: Tensor, values: Tensor) -> Tensor:
        """Return a scalar for `(B, V)` logits and `(B,)` int64 values."""
        total = F.cross_entropy(logits, values, ignore_index=-1, reduction="sum")
        return total / (values >= 0).sum().clamp(min=1)
