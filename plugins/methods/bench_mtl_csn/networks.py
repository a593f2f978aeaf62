"""The network of `mtl-csn`: the shared embedding f, masks, and layers that recognise values."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from bench.errors import UnknownNameError
from bench.interfaces import Backbone
from bench_mtl_csn.recipe import MTLCSNRecipe

SMALLEST = 1e-8  # of a sum that is divided by


class Embedding(nn.Module):
    """f (B, E): a backbone's map, averaged over its places, and a fully connected layer."""

    def __init__(self, recipe: MTLCSNRecipe, backbone: nn.Module) -> None:
        super().__init__()
        maps = {
            name: stage for name, stage in cast(Backbone, backbone).stages.items()
            if stage.stride is not None
        }  # fmt: skip
        if recipe.stage and recipe.stage not in maps:
            raise UnknownNameError(f"map of {recipe.backbone}", recipe.stage, maps)
        self.backbone, self.stage = backbone, recipe.stage or list(maps)[-1]
        self.fc = nn.Linear(maps[self.stage].channels, recipe.embedding)

    def forward(self, images: Tensor) -> Tensor:
        """Return f of images (B, 3, H, W)."""
        found: Tensor = self.fc(self.backbone(images, [self.stage])[self.stage].mean(dim=(2, 3)))
        return found


class Network(nn.Module):
    """One embedding, or one for each attribute; masks (A, E); heads that recognise values.

    With a single softmax there is one head over the values of all attributes, in their order.
    """

    def __init__(
        self, recipe: MTLCSNRecipe, backbone: Callable[[], nn.Module], values: Sequence[int]
    ) -> None:
        super().__init__()
        self.recipe, self.values = recipe, tuple(values)
        count = len(values) if recipe.separate else 1
        self.embeddings = nn.ModuleList(Embedding(recipe, backbone()) for _ in range(count))
        outputs = {"multiple": list(values), "single": [sum(values)], "none": []}
        self.heads = nn.ModuleList(_head(recipe, output) for output in outputs[recipe.recognition])
        if recipe.masks:
            drawn = torch.randn(len(values), recipe.embedding)
            self.masks = nn.Parameter(recipe.mask_mean + recipe.mask_deviation * drawn)

    def forward(self, images: Tensor) -> Tensor:
        """Return f (B, E) of images (B, 3, H, W), those of separate networks end to end."""
        return torch.cat([embedding(images) for embedding in self.embeddings], dim=1)

    def rectified_masks(self) -> Tensor:
        """Return the masks (A, E) as positive numbers that are not scaled yet."""
        return self.masks.exp() if self.recipe.positive == "softmax" else F.relu(self.masks)

    def attention(self) -> Tensor:
        """Return the masks m_t (A, E): positive, each with the sum one."""
        if self.recipe.positive == "softmax":
            return self.masks.softmax(dim=1)
        positive = self.rectified_masks()
        return positive / (positive.sum(dim=1, keepdim=True) + SMALLEST)

    def compared(self, f: Tensor, attribute: Tensor | None) -> Tensor:
        """Return f ⊙ m of unit length, (B, E), m being the mask of each attribute (B,), if any."""
        if attribute is not None and self.recipe.masks:
            f = f * self.attention()[attribute]
        return F.normalize(f)

    def logits(self, f: Tensor) -> list[Tensor]:
        """Return the logits of each head, (B, V), for f (B, E), or (B, A · E) of separate ones."""
        parts = f.chunk(len(self.embeddings), dim=1)
        return [head(parts[n if self.recipe.separate else 0]) for n, head in enumerate(self.heads)]


def _head(recipe: MTLCSNRecipe, values: int) -> nn.Module:
    width = recipe.embedding
    last = nn.Linear(width, values)
    return nn.Sequential(nn.Linear(width, width), nn.ReLU(), last) if recipe.hidden else last


def build_network(
    recipe: MTLCSNRecipe, backbone: Callable[[], nn.Module], values: Sequence[int], seed: int
) -> Network:
    """Return the recipe's network; layers that are not the backbone's are drawn from the seed."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        return Network(recipe, backbone, values).eval()
