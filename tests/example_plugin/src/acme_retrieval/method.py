"""Colour histograms: features without training and without weights."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import torch
from pydantic import Field
from torch import Tensor, nn

from bench.interfaces import BackboneSource, Preprocessing, Weights
from bench.recipes import Recipe


class HistogramRecipe(Recipe):
    """How fine the histogram is."""

    bins: int = Field(4, ge=2, le=16, description="bins of each channel")


class Histogram(nn.Module):
    """The share of pixels in each of `bins` bins of each channel."""

    def __init__(self, bins: int) -> None:
        super().__init__()
        self.register_buffer("centres", (torch.arange(bins) + 0.5) / bins)
        self.width = 1 / bins

    def forward(self, images: Tensor) -> Tensor:
        """Return `(B, 3 * bins)` for images of 0…1, `(B, 3, H, W)`."""
        distance = (images.flatten(2)[:, :, None] - self.centres[:, None]).abs() / self.width
        return (1 - distance).clamp(min=0).mean(dim=3).flatten(1)  # a pixel is shared by two bins


class ColourHistogram:
    """The method, and its only feature extractor."""

    distance = "euclidean"
    preprocessing = Preprocessing(32, 1.0, "bilinear", mean=(0.0,) * 3, std=(1.0,) * 3)
    stages = ()  # nothing is trained
    notices = ()  # and nothing has to be said about it

    def __init__(self, recipe: HistogramRecipe) -> None:
        self.recipe = recipe
        weights = Weights("none", "no weights", "nothing")
        self.backbone = BackboneSource("acme-mosaic", weights, self.preprocessing)
        self.extractors = {"histogram": self}

    @cached_property
    def model(self) -> nn.Module:
        """The network, built on first use."""
        return Histogram(self.recipe.bins)

    def identity(self) -> Mapping[str, Any]:
        """Return all that determines the features beside the pixels."""
        return {"histogram": self.recipe.bins}

    def extract(self, images: Tensor, domain: str) -> Tensor:
        """Return `(B, D)` for `(B, 3, H, W)` images."""
        return self.model(images)

    def for_gallery(self, features: Any, condition: Any) -> Any:
        """Return the features themselves."""
        return features

    def for_query(self, features: Any, condition: Any) -> Any:
        """Return the features themselves."""
        return features
