"""Images with attributes a, b …, without files, and a backbone of one convolution to learn them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from bench.catalog import Attribute, AttributeSchema, Catalog
from bench.interfaces import BackboneSource, Preprocessing, Stage, Weights

PREPROCESSING = Preprocessing(32, 1.0, "bilinear", (0.5, 0.5, 0.5), (0.5, 0.5, 0.5))


class Tiny(nn.Module):
    """A backbone of one convolution, with a map of stride 4 and one that is too coarse."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.source = BackboneSource(name, Weights("none", "random", "nothing"), PREPROCESSING)
        self.stages = {"conv4": Stage(4, 4), "coarse": Stage(4, 32), "pooled": Stage(4, None)}
        self.conv4 = nn.Sequential(nn.Conv2d(3, 4, 4, 4), nn.ReLU())

    def forward(self, images: Tensor, stages: Sequence[str]) -> dict[str, Tensor]:
        return {stage: self.conv4(images) for stage in stages}


class TinyParts:
    def backbone_source(self, name: str, weights: str, seed: int) -> BackboneSource:
        del weights, seed
        return BackboneSource(name, Weights("none", "random", "nothing"), PREPROCESSING)

    def backbone(self, found: BackboneSource) -> nn.Module:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            return Tiny(found.name)

    def head(self, name: str, stages: Mapping[str, Stage], **options: Any) -> nn.Module:
        raise NotImplementedError

    def loss(self, name: str, **options: Any) -> nn.Module:
        raise NotImplementedError


def catalog(labels: Sequence[Sequence[int]], sizes: Sequence[int] = (3, 2)) -> Catalog:
    """Return images with these values of the attributes a, b …; -1 for unknown."""
    values = np.array(labels)
    schema = AttributeSchema(
        tuple(
            Attribute("abcdefgh"[n], tuple(f"{'abcdefgh'[n]}{v}" for v in range(size)))
            for n, size in enumerate(sizes)
        )
    )
    present = np.zeros((len(values), schema.width), np.uint8)
    for number, start in enumerate(np.cumsum([0, *sizes[:-1]])):
        known = np.flatnonzero(values[:, number] >= 0)
        present[known, start + values[known, number]] = 1
    return Catalog.from_columns(
        "toy", Path("nowhere"), {"path": [f"{row}.jpg" for row in range(len(values))]},
        schema=schema, present=present, known=values >= 0,
    )  # fmt: skip
