"""The networks of `darn`: sub-networks with an attribute tree, one for each domain or for both."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from bench.errors import IncompatibleError, UnknownNameError
from bench.interfaces import Backbone
from bench_darn.recipe import DarnRecipe, Layer

BOTH, STREET, SHOP = "both", "street", "shop"


class SubNetwork(nn.Module):
    """A backbone, FC1 and FC2, and a branch of its own for each attribute (section 4.1).

    Of `nin` they are its own FC1 and FC2. The pooled output of another backbone stands in for FC1,
    as what it learnt from ImageNet before; FC2 is new.
    """

    def __init__(self, backbone: nn.Module, recipe: DarnRecipe, values: Sequence[int]) -> None:
        super().__init__()
        stages = cast(Backbone, backbone).stages
        self.backbone, self.recipe = backbone, recipe
        self.names: dict[Layer, str] = {"fc1": "pooled" if recipe.is_substitute else "fc1"}
        spatial = [name for name, stage in stages.items() if stage.stride is not None]
        maps = spatial[-2:] if recipe.is_substitute else ["conv4", "conv5"]
        for layer, given, usual in (
            ("conv4", recipe.conv4, maps[0]), ("conv5", recipe.conv5, maps[-1])
        ):  # fmt: skip
            if given and given not in spatial:
                raise UnknownNameError(f"map of {recipe.backbone}", given, spatial)
            self.names[layer] = given or usual  # type: ignore[index]
        self.widths: dict[Layer, int] = {
            layer: stages[name].channels * (1 if layer == "fc1" else recipe.grid**2)
            for layer, name in self.names.items()
        }
        width = stages[self.names["fc1"]].channels
        if recipe.is_substitute and values:
            self.fc2 = nn.Sequential(
                nn.Dropout(), nn.Linear(width, recipe.fc2), nn.ReLU(), nn.Dropout()
            )
            width = recipe.fc2
        elif values:
            width = stages["fc2"].channels
        self.branches = nn.ModuleList(_branch(width, recipe, count) for count in values)

    def forward(self, images: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Return the features (B, D), and a tensor (B, V) of logits for each attribute.

        `images` are normalised, (B, 3, H, W).
        """
        if not self.branches:
            return self.features(images), []
        fc2 = "fc1" if self.recipe.is_substitute else "fc2"
        names = [self.names.get(layer, layer) for layer in (fc2, *self.recipe.layers)]  # type: ignore[call-overload]
        maps = self.backbone(images, list(dict.fromkeys(names)))
        shared = maps[names[0]].flatten(1)
        if self.recipe.is_substitute:
            shared = self.fc2(shared)
        return self._features(maps), [branch(shared) for branch in self.branches]

    def features(self, images: Tensor) -> Tensor:
        """Return the features (B, D) alone: the layers that are compared, end to end."""
        return self._features(
            self.backbone(images, [self.names[layer] for layer in self.recipe.layers])
        )

    def _features(self, maps: Mapping[str, Tensor]) -> Tensor:
        parts = []
        for layer in self.recipe.layers:
            values = maps[self.names[layer]].float()
            if layer != "fc1":
                values = F.adaptive_max_pool2d(values, self.recipe.grid)
            parts.append(values.flatten(1))
        if self.recipe.normalise == "layers":
            parts = [F.normalize(part) for part in parts]
        whole = torch.cat(parts, dim=1)
        return F.normalize(whole) if self.recipe.normalise == "whole" else whole


class Darn(nn.Module):
    """One sub-network for street and one for shop photographs, or one for both; and a PCA.

    The PCA's mean (D,) and projection (K, D) are buffers, fitted after the training; K is 0 where
    features stay as long as they are, as those of networks that learn nothing do.
    """

    mean: Tensor
    projection: Tensor

    def __init__(
        self, recipe: DarnRecipe, backbone: Callable[[], nn.Module], values: Sequence[int],
        images: int,
    ) -> None:  # fmt: skip
        super().__init__()
        domains = (STREET, SHOP) if recipe.networks == "two" else (BOTH,)
        self.recipe = recipe
        self.networks = nn.ModuleDict(
            {domain: SubNetwork(backbone(), recipe, values) for domain in domains}
        )
        dimension = sum(self.of(SHOP).widths[layer] for layer in recipe.layers)
        count = 0
        if recipe.losses and 0 < recipe.components < dimension:
            count = min(recipe.components, images - 1)
            if count < 1:
                raise IncompatibleError("the PCA of darn's features needs two images to learn from")
        self.register_buffer("mean", torch.zeros(dimension if count else 0))
        self.register_buffer("projection", torch.zeros(count, dimension if count else 0))

    def of(self, domain: str) -> SubNetwork:
        """Return the network of a domain; that of the shop for images of none."""
        name = BOTH if self.recipe.networks == "one" else (STREET if domain == STREET else SHOP)
        return cast(SubNetwork, self.networks[name])

    def projected(self, features: Tensor) -> Tensor:
        """Return features (B, D) after the PCA, (B, K)."""
        if not len(self.projection):
            return features
        found = F.linear(features - self.mean, self.projection)
        return F.normalize(found) if self.recipe.normalise_after_pca else found


def _branch(width: int, recipe: DarnRecipe, values: int) -> nn.Module:
    if recipe.branch_layers == 1:
        return nn.Linear(width, values)
    return nn.Sequential(
        nn.Linear(width, recipe.branch), nn.ReLU(), nn.Linear(recipe.branch, values)
    )


def build_network(
    recipe: DarnRecipe, backbone: Callable[[], nn.Module], values: Sequence[int], images: int,
    seed: int,
) -> Darn:  # fmt: skip
    """Return the recipe's networks; layers that are not the backbone's are drawn from the seed."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        network = Darn(recipe, backbone, values, images)
        if recipe.networks == "two":  # they differ by what they learn, not by how they begin
            network.of(STREET).load_state_dict(network.of(SHOP).state_dict())
    return network.eval()
