"""The method: the network on a backbone, and what is compared with and without a manipulation."""

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
from bench_fashionsearchnet.recipe import FashionSearchNetRecipe
from bench_fashionsearchnet.training import stages

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from bench.training.stages import TrainingStage
    from bench_fashionsearchnet.networks import FashionSearchNet

Floats = npt.NDArray[np.float32]


class Representations(FeatureExtractor):
    """fc10 of every attribute, end to end; what is compared is made of it for each task.

    A manipulation puts the memory's row in the place of one attribute's representation. Without one
    a condition compares the representations of its attribute alone.
    """

    distance: Distance = "euclidean"

    def __init__(self, method: FashionSearchNetMethod) -> None:
        self._method = method
        self.preprocessing = method.backbone.preprocessing

    def identity(self) -> Mapping[str, Any]:
        """Return backbone, preprocessing and recipe; training is the harness's to add."""
        source, recipe = self._method.backbone, self._method.recipe
        training = {"classification", "joint", "fusing", "weights"}
        return {
            "backbone": source.name,
            "weights": source.weights.digest,
            "preprocessing": asdict(source.preprocessing),
            "recipe": recipe.model_dump(mode="json", exclude=training),
        }

    def extract(self, images: Tensor, domain: str) -> Tensor:
        """Return `(B, A · D)` for normalised `(B, 3, H, W)` images."""
        del domain
        return self._network.represent(images).flatten(1)

    def for_gallery(self, features: Floats, condition: Condition | None) -> Floats:
        """Return what is compared of images as they are, (B, r), or (B, A · D) unmerged."""
        return self._compared(features, condition)

    def for_query(self, features: Floats, condition: Condition | None) -> Floats:
        """Return what is compared of images with one value of each changed."""
        if condition is not None and condition.targets is not None:
            features = self.change(features, condition)
        return self._compared(features, condition)

    def change(self, features: Floats, condition: Condition) -> Floats:
        """Return representations (B, A · D), those of one attribute being the memory's rows."""
        attribute = self._attribute(condition)
        dimension = features.shape[1] // len(self._method.attributes.names)
        rows = self._method.attributes.start(condition.attribute) + cast(Rows, condition.targets)
        changed = features.copy()
        changed[:, attribute * dimension :][:, :dimension] = self._memory[rows]
        return changed

    def explain(self, images: Tensor) -> dict[str, tuple[Floats, Floats]]:
        """Return each attribute's activation maps (B, h, w) and boxes (B, 4) in (B, 3, S, S)."""
        import torch

        # after an extraction on a GPU the network is there
        images = images.to(self._network.merge.device)
        with torch.no_grad():
            _, conv7 = self._network.maps(images)
            maps, boxes = self._network.activation_maps(conv7), self._network.boxes(conv7)
        return {
            name: (maps[:, number].cpu().numpy(), boxes[:, number].cpu().numpy())
            for number, name in enumerate(self._method.attributes.names)
        }

    def recognise(self, features: Floats, condition: Condition) -> Floats:
        """Return the logits of an attribute's values, (B, V), by its classifier on fc10."""
        attribute = self._attribute(condition)
        head = cast("torch.nn.Linear", self._network.heads[attribute])
        weight, bias = (part.detach().cpu().numpy() for part in (head.weight, head.bias))
        return np.asarray(self._of(features, attribute) @ weight.T + bias)

    def _compared(self, features: Floats, condition: Condition | None) -> Floats:
        if condition is not None and condition.targets is None:
            return np.ascontiguousarray(self._of(features, self._attribute(condition)))
        if self._method.recipe.merging:
            return np.asarray((features * self._scale) @ self._merge)
        if self._method.recipe.normalise:
            parts = features.reshape(len(features), len(self._method.attributes.names), -1)
            lengths = np.linalg.norm(parts, axis=2, keepdims=True)
            return np.asarray((parts / np.maximum(lengths, 1e-12)).reshape(features.shape))
        return features

    def _of(self, features: Floats, attribute: int) -> Floats:
        parts = features.reshape(len(features), len(self._method.attributes.names), -1)
        return np.asarray(parts[:, attribute])

    def _attribute(self, condition: Condition) -> int:
        return self._method.attributes.number(condition.attribute, method="fashionsearchnet")

    @property
    def _network(self) -> FashionSearchNet:
        return cast("FashionSearchNet", self._method.model)

    @cached_property
    def _memory(self) -> Floats:
        return self._network.memory.detach().cpu().numpy()

    @cached_property
    def _merge(self) -> Floats:
        return self._network.merge.detach().cpu().numpy()

    @cached_property
    def _scale(self) -> Floats:
        lambdas = self._network.lambdas.detach().cpu().numpy()
        return np.repeat(lambdas, len(self._merge) // len(lambdas))


class FashionSearchNetMethod:
    """A representation of each attribute, a memory of their values, and how they are merged."""

    notices = ()

    def __init__(
        self,
        recipe: FashionSearchNetRecipe,
        catalog: Catalog,
        parts: Parts,
        seed: int,
        training: Rows,
    ) -> None:
        self.recipe = recipe
        self.attributes = Attributes.of(
            catalog, training, method="fashionsearchnet", wanted=recipe.attributes
        )
        source = parts.backbone_source(recipe.backbone, recipe.weights, seed)
        preprocessing = replace(source.preprocessing, size=recipe.size, fit=recipe.fit)
        self.backbone: BackboneSource = replace(source, preprocessing=preprocessing)
        self.extractors = {"representations": Representations(self)}
        self._parts, self._seed = parts, seed
        self.stages: Sequence[TrainingStage] = stages(self, training, seed)

    @cached_property
    def model(self) -> torch.nn.Module:
        """The network, built on first use."""
        from bench_fashionsearchnet.networks import build_network

        return build_network(
            self.recipe, lambda: self._parts.backbone(self.backbone), self.attributes.sizes,
            self._seed,
        )  # fmt: skip
