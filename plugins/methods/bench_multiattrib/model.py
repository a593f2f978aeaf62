"""The method: a network on a backbone, and the features of one of its layers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from bench.catalog import Catalog
from bench.errors import IncompatibleError
from bench.interfaces import BackboneSource, FeatureExtractor, Parts
from bench.tasks import Rows
from bench_multiattrib.recipe import MultiAttribRecipe
from bench_multiattrib.training import attribute_stage, learnable

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from bench.training.stages import TrainingStage
    from bench_multiattrib.networks import Network


class LayerFeatures(FeatureExtractor):
    """One layer of the network, of unit length (section III.B)."""

    def __init__(self, method: MultiAttrib) -> None:
        self._method = method
        self.distance = method.recipe.distance
        self.preprocessing = method.backbone.preprocessing

    def identity(self) -> Mapping[str, Any]:
        """Return backbone, preprocessing, network and layer; training is the harness's to add."""
        recipe, source = self._method.recipe, self._method.backbone
        return {
            "backbone": source.name,
            "weights": source.weights.digest,
            "preprocessing": asdict(source.preprocessing),
            "network": recipe.network,
            "layer": recipe.layer,
            "relu": recipe.relu,
            "prob": recipe.prob,
            "labels": len(self._method.columns),
        }

    def extract(self, images: Tensor, domain: str) -> Tensor:
        """Return `(B, D)` of length 1 for normalised `(B, 3, H, W)` images of any domain."""
        from torch.nn import functional as F

        del domain
        recipe = self._method.recipe
        features = cast("Network", self._method.model).features(images, recipe.layer)
        if recipe.layer == "prob" and recipe.prob == "sigmoid":
            features = features.sigmoid()
        elif recipe.layer == "prob" and recipe.prob == "softmax":
            features = features.softmax(dim=1)
        return F.normalize(features)


class MultiAttrib:
    """A network that learns which attribute values an image has, and one of its layers.

    Its scores are of `columns`, those of the catalog's attribute matrix that some of the images to
    learn from, `training`, have. The variant `imagenet-fc6` learns nothing and has none.
    """

    notices = ()

    def __init__(
        self,
        recipe: MultiAttribRecipe,
        catalog: Catalog,
        parts: Parts,
        seed: int,
        training: Rows,
    ) -> None:
        self.recipe = recipe
        learns = recipe.network != "imagenet"
        self.columns = np.zeros(0, np.int64)
        if learns:
            self.columns = learnable(catalog, training, recipe.attributes)
            _require_labels(catalog, training, self.columns)
        source = parts.backbone_source(recipe.backbone, recipe.weights, seed)
        preprocessing = replace(source.preprocessing, size=recipe.size, fit=recipe.fit)
        self.backbone: BackboneSource = replace(source, preprocessing=preprocessing)
        self.extractors = {"features": LayerFeatures(self)}
        self.stages: Sequence[TrainingStage] = (
            (attribute_stage(self, catalog, training, seed),) if learns else ()
        )
        self._parts, self._seed = parts, seed

    @cached_property
    def model(self) -> torch.nn.Module:
        """The network, built on first use: `(B, 3, H, W)` to scores `(B, N)`."""
        from bench_multiattrib.networks import build_network

        backbone = self._parts.backbone(self.backbone)
        return build_network(self.recipe, backbone, len(self.columns), self._seed)


def _require_labels(catalog: Catalog, training: Rows, columns: Rows) -> None:
    if not len(training):
        raise IncompatibleError(
            f"multiattrib learns from the training images of a protocol; that of {catalog.dataset} "
            "has none, choose another --protocol, or --variant imagenet-fc6, which learns nothing"
        )
    if len(columns) < 2:
        raise IncompatibleError(
            f"multiattrib ranks attribute values and needs two at least; the {len(training):,} "
            f"training images of {catalog.dataset} have {len(columns)}"
        )
