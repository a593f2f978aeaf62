"""Fisher vectors: a PCA and a mixture of Gaussians fitted on descriptors, and what they make."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from bench.catalog import Catalog
from bench.errors import DataError, IncompatibleError
from bench.interfaces import Distance, FeatureExtractor, Parts
from bench.tasks import Rows
from bench.training.recipe import StageRecipe
from bench.training.samplers import Plain
from bench.training.stages import Images, TrainingStage
from bench_dsift_fv import BACKBONE
from bench_dsift_fv.recipe import FisherRecipe

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from bench_dsift_fv.fisher import FisherVectors


class FisherFeatures(FeatureExtractor):
    """The Fisher vector of an image's descriptors."""

    distance: Distance = "euclidean"

    def __init__(self, method: FisherMethod) -> None:
        self._method = method
        self.preprocessing = method.backbone.preprocessing

    def identity(self) -> Mapping[str, Any]:
        """Return preprocessing and recipe; the fit is the harness's to add."""
        return {
            "preprocessing": asdict(self.preprocessing),
            "recipe": self._method.recipe.model_dump(mode="json"),
        }

    def extract(self, images: Tensor, domain: str) -> Tensor:
        """Return `(B, 2 · components · centres)` for `(B, 3, H, W)` images in 0 … 1."""
        del domain
        found: Tensor = self._method.model(images)
        return found


class FisherMethod:
    """Fisher vectors whose PCA and mixture are fitted on images that may be learnt from."""

    notices = ()

    def __init__(
        self, recipe: FisherRecipe, catalog: Catalog, parts: Parts, seed: int, training: Rows
    ) -> None:
        if not len(training):
            raise IncompatibleError(
                f"dsift-fv is fitted on the training images of a protocol; that of "
                f"{catalog.dataset} has none, choose another --protocol"
            )
        self.recipe, self._parts, self._seed = recipe, parts, seed
        found = parts.backbone_source(BACKBONE, "none", seed)
        self.backbone = replace(found, preprocessing=replace(found.preprocessing, size=recipe.size))
        self.extractors = {"fisher": FisherFeatures(self)}
        self.stages: Sequence[TrainingStage] = (self._stage(training),)

    @cached_property
    def model(self) -> torch.nn.Module:
        """The backbone and the buffers that are fitted, built on first use."""
        from bench_dsift_fv.fisher import FisherVectors

        return FisherVectors(self.recipe, self._parts.backbone(self.backbone)).eval()

    def _stage(self, training: Rows) -> TrainingStage:
        """Return the stage that fits: no steps, some of the training images."""
        chosen = training
        if len(training) > self.recipe.images:
            generator = np.random.default_rng(self._seed)
            chosen = np.sort(generator.choice(training, self.recipe.images, replace=False))

        def fit(images: Images) -> None:
            _fit(self.model, images, chosen, self.recipe, self._seed)  # type: ignore[arg-type]

        return TrainingStage(
            name="mixture",
            recipe=StageRecipe(epochs=0),
            sampler=Plain(chosen),
            preprocessing=self.backbone.preprocessing,
            identity=self.recipe.model_dump(mode="json", exclude={"improved"}),
            terms=lambda batch: {},
            trains=(),
            finish=fit,
        )


def _fit(model: FisherVectors, images: Images, rows: Rows, recipe: FisherRecipe, seed: int) -> None:
    """Fit the PCA and the mixture on as many descriptors of each image.

    Raises `DataError` where the images have fewer descriptors than the mixture has centres.
    """
    import torch
    from sklearn.decomposition import PCA
    from sklearn.mixture import GaussianMixture

    generator = np.random.default_rng(seed)
    each = -(-recipe.descriptors // len(rows))
    parts = []
    with torch.no_grad():
        for batch in images(rows):
            for found in model.descriptors(batch.images).cpu().numpy():
                places = generator.permutation(len(found))[:each]
                parts.append(found[np.sort(places)])
    descriptors = np.concatenate(parts)[: recipe.descriptors]
    if len(descriptors) < max(recipe.centres, recipe.components):
        raise DataError(
            f"{len(descriptors):,} descriptors of {len(rows):,} training images are too few for "
            f"{recipe.centres} centres; set centres lower"
        )
    pca: Any = PCA(recipe.components, random_state=seed).fit(descriptors)
    mixture: Any = GaussianMixture(
        recipe.centres, covariance_type="diag", random_state=seed, reg_covar=1e-6
    ).fit(pca.transform(descriptors))
    for buffer, values in (
        (model.mean, pca.mean_), (model.projection, pca.components_),
        (model.weights, mixture.weights_), (model.means, mixture.means_),
        (model.variances, mixture.covariances_),
    ):  # fmt: skip
        buffer.copy_(torch.from_numpy(values))
