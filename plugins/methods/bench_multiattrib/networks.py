"""The networks of `multiattrib`: fully connected layers, or a bilinear layer, on a backbone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from bench.errors import IncompatibleError, UnknownNameError
from bench.interfaces import Backbone, Stage
from bench_multiattrib.recipe import VGG16, Layer, MultiAttribRecipe

FLAT = 7  # VGG16's fc6 sees a map of 7 x 7
SMOOTHING = 1e-6  # the slope of the square root would be infinite at 0


class Network(Protocol):
    """A `torch.nn.Module` from images to attribute scores, and to the layers before them."""

    def __call__(self, images: Tensor) -> Tensor:
        """Return `(B, N)` scores for normalised `(B, 3, H, W)` images."""

    def features(self, images: Tensor, layer: Layer) -> Tensor:
        """Return `(B, D)` of one layer; `prob` and `fc8` are the scores."""


class FullyConnected(nn.Module):
    """fc6, fc7 and, with labels, fc8 on a backbone's last map (section III.A, figure 1).

    Of VGG16 they are its own fc6 and fc7. The pooled output of another backbone stands in for fc6,
    trained or not; its fc7 is new, and is there only with labels.
    """

    def __init__(self, backbone: nn.Module, width: int, labels: int, *, relu: bool) -> None:
        super().__init__()
        self.relu = relu
        self.fc6: nn.Module | None = None
        if _is_vgg16(backbone):
            layers = _without_classifier(backbone)
            self.fc6, self.fc7 = layers[0], layers[3]
            width = cast(int, layers[3].out_features)
        elif labels:
            self.fc7 = nn.Linear(_stages(backbone)["pooled"].channels, width)
            nn.init.kaiming_normal_(self.fc7.weight, nonlinearity="relu")  # He et al. 2015
            nn.init.zeros_(self.fc7.bias)
        self.backbone = backbone
        self.dropout = nn.Dropout(0.5)
        if labels:
            self.fc8 = nn.Linear(width, labels)

    def forward(self, images: Tensor) -> Tensor:
        """Return `(B, N)` scores."""
        return self.features(images, "fc8")

    def features(self, images: Tensor, layer: Layer) -> Tensor:
        """Return `(B, D)` of fc6, fc7 or fc8."""
        fc6: Tensor
        if self.fc6 is None:
            fc6 = after = self.backbone(images, ["pooled"])["pooled"].flatten(1)
        else:
            last = self.backbone(images, ["pool5"])["pool5"]
            fc6 = self.fc6(F.adaptive_avg_pool2d(last, FLAT).flatten(1))
            after = fc6.relu()
        if layer == "fc6":
            return after if self.relu else fc6
        fc7: Tensor = self.fc7(self.dropout(after))
        after = fc7.relu()
        if layer == "fc7":
            return after if self.relu else fc7
        return self.fc8(self.dropout(after))  # type: ignore[no-any-return]


class Bilinear(nn.Module):
    """Outer products of a map and its projection, summed over positions (section III.A, figure 2).

    With alpha(l), (C,), the map at position l, and beta(l) = P (alpha(l) - mu), (K,), the layer is
    Σ_l alpha(l) beta(l)ᵀ as a vector of C · K. The projection P and mu are buffers: they are fitted
    before the training (`bench_multiattrib.training`) and then stay. The layer's signed square root
    and L2 norm are those of bilinear CNNs (Lin, RoyChowdhury, Maji 2015).
    """

    projection: Tensor
    mean: Tensor

    def __init__(
        self, backbone: nn.Module, stage: str, components: int, labels: int, *, signed_root: bool
    ) -> None:
        super().__init__()
        stages = _stages(backbone)
        spatial = [name for name, facts in stages.items() if facts.stride is not None]
        if _is_vgg16(backbone):
            _without_classifier(backbone)
        self.stage = stage or ("conv5_3" if _is_vgg16(backbone) else spatial[-1])
        if self.stage not in spatial:
            raise UnknownNameError("map of the backbone", self.stage, spatial)
        channels = stages[self.stage].channels
        if components > channels:
            raise IncompatibleError(
                f"components={components}: {self.stage} has {channels} channels; "
                "the ICA can have as many components at most"
            )
        self.backbone = backbone
        self.signed_root = signed_root
        self.register_buffer("projection", torch.zeros(components, channels))
        self.register_buffer("mean", torch.zeros(channels))
        self.fc = nn.Linear(channels * components, labels)

    def forward(self, images: Tensor) -> Tensor:
        """Return `(B, N)` scores."""
        return self.fc(self.bilinear(images))  # type: ignore[no-any-return]

    def features(self, images: Tensor, layer: Layer) -> Tensor:
        """Return `(B, D)` of the bilinear layer, or the scores."""
        return self.bilinear(images) if layer == "bilinear" else self(images)

    def positions(self, images: Tensor) -> Tensor:
        """Return the map at each position, `(B, L, C)`."""
        maps: Tensor = self.backbone(images, [self.stage])[self.stage]
        return maps.flatten(2).transpose(1, 2)

    def bilinear(self, images: Tensor) -> Tensor:
        """Return the bilinear layer, `(B, C · K)`."""
        alpha = self.positions(images)
        beta = F.linear(alpha - self.mean, self.projection)
        summed = (alpha.transpose(1, 2) @ beta).flatten(1)
        return F.normalize(signed_square_root(summed)) if self.signed_root else summed


def signed_square_root(values: Tensor) -> Tensor:
    """Return sign(x) √|x|, within a ten-thousandth where |x| > 0.01, with a finite slope at 0."""
    return values / (values.abs() + SMOOTHING).sqrt()


def build_network(
    recipe: MultiAttribRecipe, backbone: nn.Module, labels: int, seed: int
) -> nn.Module:
    """Return the recipe's network for so many labels; its new layers are drawn from the seed."""
    with torch.random.fork_rng(devices=[]):  # layers draw their values when they are made
        torch.default_generator.manual_seed(seed)
        if recipe.network == "bilinear":
            network: nn.Module = Bilinear(
                backbone, recipe.stage, recipe.components, labels,
                signed_root=recipe.signed_square_root,
            )  # fmt: skip
        else:
            labels = 0 if recipe.network == "imagenet" else labels
            network = FullyConnected(backbone, recipe.fc_width, labels, relu=recipe.relu)
    return network.eval()


def _is_vgg16(backbone: nn.Module) -> bool:
    return cast(Backbone, backbone).source.name == VGG16


def _stages(backbone: nn.Module) -> Mapping[str, Stage]:
    return cast(Backbone, backbone).stages


def _without_classifier(backbone: nn.Module) -> Any:
    """Return VGG16's own fully connected layers, torchvision's `classifier`, taken out of it.

    What stays are its convolutions, so that no parameter is counted or trained that no layer uses.
    """
    layers = backbone.classifier
    del backbone.classifier
    return layers
