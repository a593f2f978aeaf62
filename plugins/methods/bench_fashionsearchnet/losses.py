"""The losses of the paper, each as values of examples."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

SMALLEST = 1e-12  # under the root of a distance, whose gradient at 0 is not a number


def classification(logits: Sequence[Tensor], labels: Tensor) -> Tensor:
    """Return each image's sum of cross-entropies over the attributes it has, (B,) (Eq. 2).

    `logits` are (B, V) for each attribute, `labels` (B, A) is -1 where a value is not known: such
    an attribute gives no loss and no gradient.
    """
    of_each = [
        F.cross_entropy(found, labels[:, number], ignore_index=-1, reduction="none")
        for number, found in enumerate(logits)
    ]
    return torch.stack(of_each, dim=1).sum(dim=1)


def soft_triplet(
    anchor: Tensor, same: Tensor, other: Tensor, *, squared: bool = False, margin: float = 0.0
) -> Tensor:
    """Return d+ (n,) for representations (n, D) each (Eqs. 4 to 6).

    With e the exponentials of the Euclidean distances, d+ = e+ / (e+ + e-), which is the logistic
    function of their difference: so it is computed, since e would overflow. `squared`: (d+)². With
    a margin the hinge max(0, margin + near - far), which the paper could not train with, instead.
    """
    near, far = distance(anchor, same), distance(anchor, other)
    if margin:
        return torch.relu(margin + near - far)
    share = torch.sigmoid(near - far)
    return share.square() if squared else share


def distance(first: Tensor, second: Tensor) -> Tensor:
    """Return Euclidean distances (n,) of representations (n, D)."""
    return ((first - second).square().sum(dim=1) + SMALLEST).sqrt()


def triplets_of(labels: Tensor) -> Tensor:
    """Return triplets (n, 3) of places in a batch with labels (B,), drawn at random.

    Each image with a known value that another one shares is the anchor once, with one of those that
    share it, and one with another known value. Without any, n is 0.
    """
    known = labels >= 0
    same = (labels[:, None] == labels[None]) & known[:, None]
    same.fill_diagonal_(False)
    other = (labels[:, None] != labels[None]) & known[:, None] & known[None]
    anchors = torch.nonzero(same.any(dim=1) & other.any(dim=1))[:, 0]
    if not len(anchors):
        return torch.zeros(0, 3, dtype=torch.int64, device=labels.device)
    drawn = [torch.multinomial(of[anchors].float(), 1)[:, 0] for of in (same, other)]
    return torch.stack([anchors, *drawn], dim=1)


def triplets_of_regions(representations: Tensor, labels: Tensor, **how: Any) -> Tensor:
    """Return each image's sum of d+ over the attributes it is an anchor of, (B,) (L_T, Eq. 6).

    `how` is passed on to `soft_triplet`.
    """
    total = representations.new_zeros(len(representations))
    for attribute in range(labels.shape[1]):
        places = triplets_of(labels[:, attribute])
        if len(places):
            of_each = representations[:, attribute][places]  # (n, 3, D)
            total = total.index_add(0, places[:, 0], soft_triplet(*of_each.unbind(1), **how))
    return total


class SoftTriplet(nn.Module):
    """`soft_triplet` as a registered loss."""

    def __init__(self, *, squared: bool, margin: float) -> None:
        super().__init__()
        self.squared, self.margin = squared, margin

    def forward(self, anchor: Tensor, same: Tensor, other: Tensor) -> Tensor:
        """Return (n,) for representations (n, D) each."""
        return soft_triplet(anchor, same, other, squared=self.squared, margin=self.margin)
