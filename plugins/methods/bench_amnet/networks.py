"""The network of `amnet`: a backbone, classifiers, the memory and the layer that fuses."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import cast

import torch
from torch import Tensor, nn

from bench.errors import UnknownNameError
from bench.interfaces import Backbone
from bench_amnet.recipe import AMNetRecipe


class AMNet(nn.Module):
    """f (B, D) of an image; with a value, h = W [f ; memory of the value].

    `memory` (C, D) has a row for each value of each attribute.
    """

    def __init__(self, recipe: AMNetRecipe, backbone: nn.Module, values: Sequence[int]) -> None:
        super().__init__()
        stages = cast(Backbone, backbone).stages
        vectors = [name for name, stage in stages.items() if stage.stride is None]
        if recipe.feature not in vectors:
            raise UnknownNameError(f"vector of {recipe.backbone}", recipe.feature, vectors)
        width = stages[recipe.feature].channels
        self.backbone, self.feature, self.values = backbone, recipe.feature, tuple(values)
        self.classifiers = nn.ModuleList(nn.Linear(width, count) for count in values)
        self.memory = nn.Parameter(torch.zeros(sum(values), width))
        self.fuse = nn.Linear(2 * width, width)
        with torch.no_grad():  # h is near f at first, and has the neighbours of the image
            self.fuse.weight[:, :width] = torch.eye(width)

    def forward(self, images: Tensor) -> Tensor:
        """Return f (B, D) of images (B, 3, H, W)."""
        found: Tensor = self.backbone(images, [self.feature])[self.feature]
        return found.flatten(1)

    def logits(self, features: Tensor) -> list[Tensor]:
        """Return for each attribute the logits (B, V) of f or h (B, D)."""
        return [classifier(features) for classifier in self.classifiers]

    def changed(self, features: Tensor, rows: Tensor) -> Tensor:
        """Return h (B, D) of f (B, D) and rows (B,) of the memory."""
        found: Tensor = self.fuse(torch.cat([features, self.memory[rows]], dim=1))
        return found


def build_network(
    recipe: AMNetRecipe, backbone: Callable[[], nn.Module], values: Sequence[int], seed: int
) -> AMNet:
    """Return the recipe's network; layers that are not the backbone's are drawn from the seed."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        return AMNet(recipe, backbone(), values).eval()
