"""The method: f of an image, and what is compared of it under each attribute."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import numpy.typing as npt

from bench.attributes import Attributes
from bench.catalog import Catalog
from bench.errors import IncompatibleError
from bench.interfaces import BackboneSource, Distance, FeatureExtractor, Parts
from bench.tasks import Condition, Rows
from bench_mtl_csn.recipe import MTLCSNRecipe
from bench_mtl_csn.training import one_each, stages

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from bench.training.stages import TrainingStage
    from bench_mtl_csn.networks import Network

Floats = npt.NDArray[np.float32]


class Embedded(FeatureExtractor):
    """f; under an attribute f ⊙ m of unit length, or that attribute's own f.

    Without an attribute, f itself is compared.
    """

    distance: Distance = "inner-product"

    def __init__(self, method: MTLCSN) -> None:
        self._method = method
        self.preprocessing = method.backbone.preprocessing

    def identity(self) -> Mapping[str, Any]:
        """Return backbone, preprocessing and recipe; training is the harness's to add."""
        source, recipe = self._method.backbone, self._method.recipe
        return {
            "backbone": source.name,
            "weights": source.weights.digest,
            "preprocessing": asdict(source.preprocessing),
            "recipe": recipe.model_dump(mode="json", exclude={"training", "weights"}),
        }

    def extract(self, images: Tensor, domain: str) -> Tensor:
        """Return f `(B, E)`, or `(B, A · E)`, for normalised `(B, 3, H, W)` images."""
        del domain
        found: Tensor = self._method.model(images)
        return found

    def require(self, condition: Condition | None) -> None:
        """Refuse an attribute that is not learnt, and to change one."""
        if condition is not None:
            if condition.targets is not None:
                raise IncompatibleError(
                    "mtl-csn compares images in an attribute and changes none; choose another "
                    "--protocol"
                )
            self._attribute(condition)

    def for_gallery(self, features: Floats, condition: Condition | None) -> Floats:
        """Return what is compared, of unit length, (B, E)."""
        self.require(condition)
        if condition is not None:
            features = self._under(features, self._attribute(condition))
        return np.asarray(
            features / np.maximum(np.linalg.norm(features, axis=1, keepdims=True), 1e-12)
        )

    def for_query(self, features: Floats, condition: Condition | None) -> Floats:
        """Return what is compared, of unit length, (B, E)."""
        return self.for_gallery(features, condition)

    def _under(self, features: Floats, attribute: int) -> Floats:
        """Return f ⊙ m of an attribute, or the f of its own network, (B, E)."""
        recipe = self._method.recipe
        if recipe.separate:
            width = recipe.embedding
            return features[:, attribute * width :][:, :width]
        return np.asarray(features * self._masks[attribute]) if recipe.masks else features

    def _attribute(self, condition: Condition) -> int:
        return self._method.attributes.number(condition.attribute, method="mtl-csn")

    @property
    def _network(self) -> Network:
        return cast("Network", self._method.model)

    @cached_property
    def _masks(self) -> Floats:
        return self._network.attention().detach().cpu().numpy()


class Recognising(Embedded):
    """The same, of a network that recognises values."""

    def recognise(self, features: Floats, condition: Condition) -> Floats:
        """Return the logits of an attribute's values, (B, V).

        Of a single softmax there is one more: the largest logit of all values of other attributes,
        since it predicts one of these where that is the largest (choice T10).
        """
        recipe, network = self._method.recipe, self._network
        attribute = self._attribute(condition)
        import torch

        with torch.no_grad():
            # after an extraction on a GPU the network is there
            f = torch.from_numpy(features).to(next(network.parameters()).device)
            logits = [found.cpu().numpy() for found in network.logits(f)]
        if recipe.recognition == "multiple":
            return np.asarray(logits[attribute])
        start = sum(network.values[:attribute])
        own = np.zeros(sum(network.values), np.bool_)
        own[start : start + network.values[attribute]] = True
        others = logits[0][:, ~own].max(axis=1, initial=-np.inf)
        return np.concatenate([logits[0][:, own], others[:, None]], axis=1)


class MTLCSN:
    """One embedding of an image, masks of it, and its values recognised."""

    notices = ()

    def __init__(
        self, recipe: MTLCSNRecipe, catalog: Catalog, parts: Parts, seed: int, training: Rows
    ) -> None:
        self.recipe = recipe
        self.attributes = Attributes.of(
            catalog, training, method="mtl-csn", wanted=recipe.attributes
        )
        self.learnt = self.attributes.values
        if recipe.labels == "one":
            self.learnt = one_each(self.learnt, seed)
        source = parts.backbone_source(recipe.backbone, recipe.weights, seed)
        preprocessing = replace(source.preprocessing, size=recipe.size, fit=recipe.fit)
        self.backbone: BackboneSource = replace(source, preprocessing=preprocessing)
        kind = Embedded if recipe.recognition == "none" else Recognising
        self.extractors = {"f": kind(self)}
        self.stages: Sequence[TrainingStage] = stages(self, training, seed)
        self._parts, self._seed = parts, seed

    @cached_property
    def model(self) -> torch.nn.Module:
        """The network, built on first use."""
        from bench_mtl_csn.networks import build_network

        return build_network(
            self.recipe, lambda: self._parts.backbone(self.backbone), self.attributes.sizes,
            self._seed,
        )  # fmt: skip
