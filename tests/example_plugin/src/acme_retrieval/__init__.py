"""What this plugin adds to `bench`: facts only, so that listing them imports nothing heavy."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from bench import hookimpl
from bench.interfaces import (
    BackboneSource,
    BackboneSpec,
    Dataset,
    DatasetSpec,
    Method,
    MethodSpec,
    MetricSpec,
    Parts,
)

if TYPE_CHECKING:
    import torch

    from bench.catalog import Catalog
    from bench.recipes import Recipe
    from bench.tasks import Rows


@hookimpl
def register_datasets() -> Iterable[DatasetSpec]:
    """Return the family `acme:FOLDER`."""

    def build(name: str) -> Dataset:
        from acme_retrieval.dataset import ImageFolder

        return ImageFolder(name)

    return [
        DatasetSpec(
            "acme",
            "a folder of images per class, as acme:FOLDER",
            build,
            licence="your own",
            obtain="put the images of each class into a folder of its own",
            protocols={"leave-one-out": "every image queries all others; relevant = same class"},
            has_mini=False,
            family=True,
        )
    ]


@hookimpl
def register_methods() -> Iterable[MethodSpec]:
    """Return the method `colour-histogram`."""

    def recipe() -> type[Recipe]:
        from acme_retrieval.method import HistogramRecipe

        return HistogramRecipe

    def build(recipe: Recipe, catalog: Catalog, parts: Parts, seed: int, training: Rows) -> Method:
        from acme_retrieval.method import ColourHistogram

        return ColourHistogram(recipe)

    return [MethodSpec("colour-histogram", "share of pixels in each bin of colour", recipe, build)]


@hookimpl
def register_metrics() -> Iterable[MetricSpec]:
    """Return the metric `miss@k`."""
    from acme_retrieval.metric import miss

    return [
        MetricSpec(
            "miss@k",
            "nothing relevant among the first k",
            "1 if Σ_{i≤k} rel_i = 0, else 0",
            miss,
            depth=lambda k, most_relevant: k,
            higher_is_better=False,
        )
    ]


@hookimpl
def register_backbones() -> Iterable[BackboneSpec]:
    """Return the backbone `acme-mosaic`."""

    def resolve(name: str, weights: str, seed: int) -> BackboneSource:
        from acme_retrieval.backbone import SOURCE

        return SOURCE

    def build(source: BackboneSource) -> torch.nn.Module:
        from acme_retrieval.backbone import Mosaic

        return Mosaic(source)

    return [BackboneSpec("acme-mosaic", "mean colours of 4 x 4 tiles, no weights", resolve, build)]
