"""The network of `fashionsearchnet`: trunk, a tower for each attribute, memory and merging."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from bench.errors import IncompatibleError, UnknownNameError
from bench.interfaces import Backbone
from bench_fashionsearchnet.localisation import boxes_of, crop_and_resize
from bench_fashionsearchnet.recipe import STRIDE, FashionSearchNetRecipe

DIMENSIONS = 4096  # of all representations together, if the recipe gives none


class Towers(nn.Module):
    """fc8, fc9 and fc10 of every attribute, all attributes at once; dropout before each layer.

    Weights and biases begin as those of `torch.nn.Linear`. Larger ones, as suit layers with ReLU
    and no dropout, gave logits so far off at first that their gradient undid the first stage.
    """

    def __init__(self, count: int, widths: Sequence[int]) -> None:
        super().__init__()
        pairs = list(pairwise(widths))
        self.weights = nn.ParameterList(
            nn.Parameter((2 * torch.rand(count, into, out) - 1) / into**0.5) for into, out in pairs
        )
        self.biases = nn.ParameterList(
            nn.Parameter((2 * torch.rand(count, 1, out) - 1) / into**0.5) for into, out in pairs
        )

    def forward(self, regions: Tensor) -> Tensor:
        """Return the representations (B, A, D) of regions (B, A, K)."""
        found = regions.transpose(0, 1)
        for number, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            found = F.dropout(found, 0.5, self.training)
            found = torch.baddbmm(bias, found, weight)
            if number + 1 < len(self.weights):
                found = F.relu(found)
        return found.transpose(0, 1)


class FashionSearchNet(nn.Module):
    """AlexNet's first layers, conv5 to conv7, a classifier and a tower for each attribute.

    `memory` (C, D) has a row for each value of each attribute, `lambdas` (A,) say how much each
    attribute counts, `merge` (A · D, r) makes one representation of all (Eq. 7).
    """

    def __init__(
        self, recipe: FashionSearchNetRecipe, backbone: nn.Module, values: Sequence[int]
    ) -> None:
        super().__init__()
        self.recipe, self.values = recipe, tuple(values)
        self.backbone, self.stage = backbone, _stage(recipe, cast(Backbone, backbone))
        width = cast(Backbone, backbone).stages[self.stage].channels
        self.conv5 = _convolution(width, recipe.conv5)
        self.conv6 = _convolution(recipe.conv5, recipe.conv7)
        self.conv7 = _convolution(recipe.conv7, recipe.conv7)
        self.classifiers = nn.ModuleList(
            nn.Linear(recipe.conv7, count, bias=False) for count in values
        )
        attributes = len(values)
        dimension = recipe.dimension or DIMENSIONS // attributes
        seen = recipe.conv5 * recipe.grid**2 * (2 if recipe.fusion else 1)
        self.towers = Towers(attributes, (seen, recipe.fc, recipe.fc, dimension))
        self.heads = nn.ModuleList(nn.Linear(dimension, count) for count in values)
        self.memory = nn.Parameter(torch.zeros(sum(values), dimension))
        self.lambdas = nn.Parameter(torch.ones(attributes))
        self.merge = nn.Parameter(torch.empty(attributes * dimension, recipe.merged))
        nn.init.orthogonal_(self.merge)

    def maps(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return conv5 (B, C5, h, w) and conv7 (B, C7, h, w) of images (B, 3, H, W)."""
        first = self.conv5(self.backbone(images, [self.stage])[self.stage])
        return first, self.conv7(self.conv6(first))

    def logits(self, conv7: Tensor) -> list[Tensor]:
        """Return x_I w_a (B, V) of each attribute, x_I being conv7 pooled over cells (Eq. 1)."""
        pooled = conv7.sum(dim=(2, 3)) if self.recipe.gap == "sum" else conv7.mean(dim=(2, 3))
        return [classifier(pooled) for classifier in self.classifiers]

    def activation_maps(self, conv7: Tensor) -> Tensor:
        """Return the map of each attribute's likeliest value, (B, A, h, w) (Eq. 3)."""
        chosen = [
            cast(nn.Linear, classifier).weight[logits.argmax(dim=1)]
            for classifier, logits in zip(self.classifiers, self.logits(conv7), strict=True)
        ]
        return torch.einsum("bak,bkhw->bahw", torch.stack(chosen, dim=1), conv7)

    def boxes(self, conv7: Tensor) -> Tensor:
        """Return each attribute's region as shares of the image's sides, (B, A, 4)."""
        maps = self.activation_maps(conv7.detach())
        found = boxes_of(maps.flatten(0, 1).detach(), self.recipe.threshold)
        return found.reshape(*maps.shape[:2], 4)

    def represent(self, images: Tensor) -> Tensor:
        """Return fc10 of each attribute, (B, A, D)."""
        return self.representations(*self.maps(images))

    def representations(self, conv5: Tensor, conv7: Tensor) -> Tensor:
        """Return fc10 of each attribute, (B, A, D), for the maps of images."""
        count, grid = len(self.values), self.recipe.grid
        whole = torch.tensor([0.0, 0.0, 1.0, 1.0], device=conv5.device, dtype=conv5.dtype)
        whole = whole.expand(len(conv5), 1, 4)
        parts = []
        if self.recipe.localisation:
            parts.append(crop_and_resize(conv5, self.boxes(conv7).to(conv5.dtype), grid).flatten(2))
        if self.recipe.fusion or not self.recipe.localisation:
            seen = crop_and_resize(conv5, whole, grid).flatten(2)
            parts.append(seen.expand(-1, count, -1))
        found: Tensor = self.towers(torch.cat(parts, dim=2))
        return found

    def merged(self, representations: Tensor) -> Tensor:
        """Return F_I (B, r) of representations (B, A, D), each times its lambda (Eq. 7)."""
        return (representations * self.lambdas[:, None]).flatten(1) @ self.merge


def _convolution(into: int, out: int) -> nn.Sequential:
    layer = nn.Conv2d(into, out, 3, padding=1)
    nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
    return nn.Sequential(layer, nn.ReLU())


def _stage(recipe: FashionSearchNetRecipe, backbone: Backbone) -> str:
    """Return the name of the map that conv5 is laid on."""
    fine = {
        name: stage for name, stage in backbone.stages.items()
        if stage.stride is not None and stage.stride <= STRIDE
    }  # fmt: skip
    if recipe.stage and recipe.stage not in fine:
        raise UnknownNameError(
            f"map of {recipe.backbone} of stride {STRIDE} or less", recipe.stage, fine
        )
    if not fine:
        raise IncompatibleError(
            f"fashionsearchnet needs a map of stride {STRIDE} or less; {recipe.backbone} has none"
        )
    return recipe.stage or list(fine)[-1]


def build_network(
    recipe: FashionSearchNetRecipe, backbone: Callable[[], nn.Module], values: Sequence[int],
    seed: int,
) -> FashionSearchNet:  # fmt: skip
    """Return the recipe's network; layers that are not the backbone's are drawn from the seed."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        return FashionSearchNet(recipe, backbone(), values).eval()
