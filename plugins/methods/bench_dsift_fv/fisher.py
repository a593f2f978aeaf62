"""The Fisher vector of an image's descriptors under a mixture of Gaussians."""

from __future__ import annotations

import math
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from bench.interfaces import Backbone
from bench_dsift_fv.descriptors import STAGE
from bench_dsift_fv.recipe import FisherRecipe


class FisherVectors(nn.Module):
    """Descriptors, their PCA, and the gradients of a mixture's means and deviations.

    Buffers, fitted by the method's one stage: the PCA's `mean` (128,) and `projection` (D, 128),
    the mixture's `weights` (C,), `means` (C, D) and `variances` (C, D).
    """

    mean: Tensor
    projection: Tensor
    weights: Tensor
    means: Tensor
    variances: Tensor

    def __init__(self, recipe: FisherRecipe, backbone: nn.Module) -> None:
        super().__init__()
        self.backbone, self.improved = backbone, recipe.improved
        width = cast(Backbone, backbone).stages[STAGE].channels
        shape = (recipe.centres, recipe.components)
        self.register_buffer("mean", torch.zeros(width))
        self.register_buffer("projection", torch.zeros(recipe.components, width))
        self.register_buffer("weights", torch.full(shape[:1], 1 / recipe.centres))
        self.register_buffer("means", torch.zeros(shape))
        self.register_buffer("variances", torch.ones(shape))

    def descriptors(self, images: Tensor) -> Tensor:
        """Return the descriptors (B, T, 128) of images (B, 3, H, W)."""
        maps: Tensor = self.backbone(images, [STAGE])[STAGE]
        return maps.flatten(2).transpose(1, 2)

    def forward(self, images: Tensor) -> Tensor:
        """Return the Fisher vectors (B, 2 C D): of the means, then of the deviations.

        With γ the posterior of a Gaussian for each of T descriptors x, and w, μ, σ² those of the
        mixture, G_μ = Σ γ (x - μ) / σ / (T √w) and G_σ = Σ γ ((x - μ)² / σ² - 1) / (T √(2 w)).
        `improved`: √|g| with the sign of g, then length 1 (Perronnin et al., ECCV 2010).
        """
        found = F.linear(self.descriptors(images) - self.mean, self.projection)  # (B, T, D)
        posterior = self._posterior(found)  # (B, T, C)
        count = found.shape[1]
        zeroth = posterior.sum(dim=1)[..., None]  # (B, C, 1)
        first = posterior.transpose(1, 2) @ found  # (B, C, D)
        second = posterior.transpose(1, 2) @ found.square()
        deviation, weight = self.variances.sqrt(), self.weights[:, None].sqrt()
        of_means = (first - zeroth * self.means) / deviation / (count * weight)
        squares = second - 2 * first * self.means + zeroth * self.means.square()
        of_deviations = (squares / self.variances - zeroth) / (count * math.sqrt(2) * weight)
        whole = torch.cat([of_means.flatten(1), of_deviations.flatten(1)], dim=1)
        if not self.improved:
            return whole
        return F.normalize(whole.sign() * whole.abs().sqrt())

    def _posterior(self, found: Tensor) -> Tensor:
        """Return the share of each Gaussian in each descriptor, (B, T, C)."""
        precision = 1 / self.variances
        # |x - μ|² / σ², multiplied out: nothing of the size descriptors x centres x dimensions
        distance = (
            found.square() @ precision.T
            - 2 * found @ (self.means * precision).T
            + (self.means.square() * precision).sum(dim=1)
        )
        logarithm = self.weights.log() - 0.5 * self.variances.log().sum(dim=1)
        return torch.softmax(logarithm - 0.5 * distance, dim=-1)
