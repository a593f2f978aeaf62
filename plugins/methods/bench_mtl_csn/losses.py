"""The losses of the paper (its equations 1 to 6, reconstructed), each as values of examples."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F


def recognition(logits: Sequence[Tensor], labels: Tensor, values: Sequence[int]) -> Tensor:
    """Return the cross-entropy of each known label, (m,) (Eqs. 1 and 2).

    `logits` are (B, V) for each attribute, or one (B, ΣV) for all; `labels` (B, A) is -1 where a
    value is not known: the attribute's head then gets neither loss nor gradient.
    """
    found = []
    start = 0
    for number, count in enumerate(values):
        known = labels[:, number] >= 0
        own = logits[number] if len(logits) > 1 or len(values) == 1 else logits[0]
        shift = start if own.shape[1] != count else 0
        found.append(F.cross_entropy(own[known], labels[known, number] + shift, reduction="none"))
        start += count
    return torch.cat(found)


def triplet(anchor: Tensor, same: Tensor, other: Tensor, margin: float) -> Tensor:
    """Return max(0, S(a, -) - S(a, +) + h) (n,) of unit vectors (n, E), S their product (Eq. 4)."""
    near, far = (anchor * same).sum(dim=1), (anchor * other).sum(dim=1)
    return F.relu(far - near + margin)


def pair(anchor: Tensor, same: Tensor) -> Tensor:
    """Return the squared distance (n,) of unit vectors (n, E)."""
    return (anchor - same).square().sum(dim=1)


def apart(anchor: Tensor, other: Tensor, margin: float) -> Tensor:
    """Return max(0, h - |a - n|)² (n,) of unit vectors (n, E): contrastive, for unlike pairs."""
    distance = (pair(anchor, other) + 1e-12).sqrt()
    return F.relu(margin - distance).square()
