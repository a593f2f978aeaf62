"""Heads without parameters of their own."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn


class Pool(nn.Module):
    """Each map as one vector, the stages end to end: `{stage: (B, C, h, w)} → (B, ΣC)`."""

    def __init__(self, stages: tuple[str, ...], kind: str) -> None:
        super().__init__()
        self.stages = stages
        self.kind = kind

    def forward(self, maps: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return `{"features": (B, D)}`."""
        vectors = []
        for stage in self.stages:
            if self.kind == "average":
                vectors.append(maps[stage].mean(dim=(2, 3)))
            elif self.kind == "max":
                vectors.append(maps[stage].amax(dim=(2, 3)))
            else:
                vectors.append(maps[stage].flatten(1))
        return {"features": torch.cat(vectors, dim=1)}
