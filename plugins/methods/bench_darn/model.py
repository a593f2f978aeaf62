"""The method: sub-networks on a backbone, and the features that street and shop are compared by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from bench.catalog import Catalog
from bench.errors import IncompatibleError
from bench.interfaces import BackboneSource, Distance, FeatureExtractor, Parts
from bench.tasks import Rows
from bench_darn.recipe import DarnRecipe
from bench_darn.training import Branches, pca_rows, stages

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from bench.training.stages import TrainingStage
    from bench_darn.networks import Darn


class DarnFeatures(FeatureExtractor):
    """FC1 and the pooled maps, each of length 1, end to end, after the PCA (section 4.3)."""

    distance: Distance = "euclidean"

    def __init__(self, method: DarnMethod) -> None:
        self._method = method
        self.preprocessing = method.backbone.preprocessing

    def identity(self) -> Mapping[str, Any]:
        """Return backbone, preprocessing and recipe; training is the harness's to add."""
        source = self._method.backbone
        return {
            "backbone": source.name,
            "weights": source.weights.digest,
            "preprocessing": asdict(source.preprocessing),
            "recipe": self._method.recipe.model_dump(mode="json", exclude={"training", "weights"}),
        }

    def extract(self, images: Tensor, domain: str) -> Tensor:
        """Return `(B, K)` for normalised `(B, 3, H, W)` images, by the network of their domain."""
        network = cast("Darn", self._method.model)
        return network.projected(network.of(domain).features(images))


class DarnMethod:
    """A network for each domain, or one for both, that learns attributes and triplets.

    Its branches are of the attributes that some of the images to learn from, `training`, have.
    """

    def __init__(
        self,
        recipe: DarnRecipe,
        catalog: Catalog,
        parts: Parts,
        seed: int,
        training: Rows,
    ) -> None:
        _require_data(recipe, catalog, training)
        self.recipe = recipe
        self.branches = Branches.none(catalog)
        if "attributes" in recipe.losses:
            self.branches = Branches.of(catalog, training, recipe.attributes)
        self.notices = self.branches.notices(catalog)
        self.is_street = np.array(catalog.images["domain"] == "street")
        self.images_of_pca = len(pca_rows(recipe, catalog, training))
        source = parts.backbone_source(recipe.backbone, recipe.weights, seed)
        preprocessing = replace(source.preprocessing, size=recipe.size, fit=recipe.fit)
        self.backbone: BackboneSource = replace(source, preprocessing=preprocessing)
        self.extractors = {"features": DarnFeatures(self)}
        self.stages: Sequence[TrainingStage] = stages(self, catalog, training, seed)
        self._parts, self._seed = parts, seed

    @cached_property
    def model(self) -> torch.nn.Module:
        """The networks, built on first use."""
        from bench_darn.networks import build_network

        return build_network(
            self.recipe,
            lambda: self._parts.backbone(self.backbone),
            self.branches.sizes,
            min(self.images_of_pca, self.recipe.pca_samples),
            self._seed,
        )


def _require_data(recipe: DarnRecipe, catalog: Catalog, training: Rows) -> None:
    """Refuse in words the data that the recipe's networks cannot learn from."""
    if not recipe.losses:
        return
    if not len(training):
        raise IncompatibleError(
            f"darn learns from the training images of a protocol; that of {catalog.dataset} has "
            "none, choose another --protocol, or --variant imagenet, which learns nothing"
        )
    domains = catalog.images["domain"].iloc[training]
    street = (domains == "street").to_numpy()
    if recipe.networks == "two" and (street.all() or not street.any()):
        raise IncompatibleError(
            "darn has a network each for street and shop photographs; the training images of "
            f"{catalog.dataset} are not of both kinds, take --variant arn or an, one network for "
            "all images"
        )
    if "triplets" in recipe.losses:
        items = catalog.codes("item")[training]
        pairs = (
            np.isin(items[street], items[~street]) & (items[street] >= 0) if street.any()
            else np.unique(items[items >= 0], return_counts=True)[1] > 1
        )  # fmt: skip
        if not pairs.any():
            raise IncompatibleError(
                f"darn learns by triplets of items, and no item of the {len(training):,} training "
                f"images of {catalog.dataset} has two; take --variant an, which learns attributes"
            )
