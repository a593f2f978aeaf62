"""The network of `pretrained`: backbone, one stage, head."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from functools import cached_property
from typing import Any

from bench.errors import UnknownNameError
from bench.interfaces import BackboneSource, FeatureExtractor, Parts
from bench_pretrained.recipe import PretrainedRecipe

TYPE_CHECKING = False
if TYPE_CHECKING:
    import torch
    from torch import Tensor


class StageFeatures(FeatureExtractor):
    """The stage's map through the head, compared as it is."""

    def __init__(self, method: Pretrained) -> None:
        self._method = method
        self.distance = method.recipe.distance
        self.preprocessing = method.backbone.preprocessing

    def identity(self) -> Mapping[str, Any]:
        """Return backbone, weights, preprocessing, stage and head."""
        recipe, source = self._method.recipe, self._method.backbone
        return {
            "backbone": source.name,
            "weights": source.weights.digest,
            "preprocessing": asdict(source.preprocessing),
            "stage": recipe.stage,
            "head": recipe.head,
        }

    def extract(self, images: Tensor, domain: str) -> Tensor:
        """Return `(B, D)` for normalised `(B, 3, H, W)` images; the domain makes no difference."""
        del domain
        return self._method.model(images)  # type: ignore[no-any-return]


class Pretrained:
    """A backbone with published weights; nothing is trained."""

    stages = ()
    notices = ()

    def __init__(self, recipe: PretrainedRecipe, parts: Parts, seed: int) -> None:
        self.recipe = recipe
        self.backbone: BackboneSource = parts.backbone_source(recipe.backbone, recipe.weights, seed)
        self._parts = parts
        self.extractors = {"features": StageFeatures(self)}

    @cached_property
    def model(self) -> torch.nn.Module:
        """The network, `(B, 3, H, W) → (B, D)`, built on first use."""
        from torch import nn

        backbone = self._parts.backbone(self.backbone)
        stages: Mapping[str, Any] = backbone.stages  # type: ignore[assignment]
        stage = self.recipe.stage
        if stage not in stages:
            raise UnknownNameError(f"stage of {self.backbone.name}", stage, stages)
        head = self._parts.head(self.recipe.head, {stage: stages[stage]})

        class StageModel(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.backbone = backbone
                self.head = head

            def forward(self, images: Tensor) -> Tensor:
                return self.head(self.backbone(images, [stage]))["features"]  # type: ignore[no-any-return]

        return StageModel().eval()
