"""The method: f of an image, and h of an image with one value changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import numpy.typing as npt

from bench.attributes import Attributes
from bench.catalog import Catalog
from bench.interfaces import BackboneSource, Distance, FeatureExtractor, Parts
from bench.tasks import Condition, Rows
from bench_amnet.recipe import AMNetRecipe
from bench_amnet.training import stages

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from bench.training.stages import TrainingStage
    from bench_amnet.networks import AMNet

Floats = npt.NDArray[np.float32]


class AMNetFeatures(FeatureExtractor):
    """f, and in the place of a query that is to have another value, h."""

    distance: Distance = "euclidean"

    def __init__(self, method: AMNetMethod) -> None:
        self._method = method
        self.preprocessing = method.backbone.preprocessing

    def identity(self) -> Mapping[str, Any]:
        """Return backbone, preprocessing and feature; training is the harness's to add."""
        source = self._method.backbone
        return {
            "backbone": source.name,
            "weights": source.weights.digest,
            "preprocessing": asdict(source.preprocessing),
            "feature": self._method.recipe.feature,
        }

    def extract(self, images: Tensor, domain: str) -> Tensor:
        """Return `(B, D)` for normalised `(B, 3, H, W)` images."""
        del domain
        found: Tensor = self._method.model(images)
        return found

    def for_query(self, features: Floats, condition: Condition | None) -> Floats:
        """Return h (B, D) where a value is to change, else f."""
        if condition is None or condition.targets is None:
            return features
        return self.change(features, condition)

    def change(self, features: Floats, condition: Condition) -> Floats:
        """Return h (B, D) of f (B, D), fused with the memory's rows of the wanted values."""
        attributes = self._method.attributes
        attributes.number(condition.attribute, method="amnet")
        start = attributes.start(condition.attribute)
        memory, weight, bias = self._fusing
        both = np.concatenate([features, memory[start + cast(Rows, condition.targets)]], axis=1)
        return np.asarray(both @ weight.T + bias)

    @cached_property
    def _fusing(self) -> tuple[Floats, Floats, Floats]:
        """The memory, and weight and bias of the layer that fuses."""
        network = cast("AMNet", self._method.model)
        memory, weight, bias = (
            part.detach().cpu().numpy()
            for part in (network.memory, network.fuse.weight, network.fuse.bias)
        )
        return memory, weight, bias


class AMNetMethod:
    """One representation of an image, a memory of the values of its attributes."""

    notices = ()

    def __init__(
        self, recipe: AMNetRecipe, catalog: Catalog, parts: Parts, seed: int, training: Rows
    ) -> None:
        self.recipe = recipe
        self.attributes = Attributes.of(catalog, training, method="amnet")
        source = parts.backbone_source(recipe.backbone, recipe.weights, seed)
        preprocessing = replace(source.preprocessing, size=recipe.size, fit=recipe.fit)
        self.backbone: BackboneSource = replace(source, preprocessing=preprocessing)
        self.extractors = {"feature": AMNetFeatures(self)}
        self.stages: Sequence[TrainingStage] = stages(self, training)
        self._parts, self._seed = parts, seed

    @cached_property
    def model(self) -> torch.nn.Module:
        """The network, built on first use."""
        from bench_amnet.networks import build_network

        return build_network(
            self.recipe,
            lambda: self._parts.backbone(self.backbone),
            self.attributes.sizes,
            self._seed,
        )

    @cached_property
    def triplet(self) -> torch.nn.Module:
        """The soft triplet loss, the same as FashionSearchNet's."""
        return self._parts.loss("soft-triplet")
