"""Method `dsift-fv`: Fisher vectors of dense SIFT, what came before networks."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from bench import hookimpl
from bench.interfaces import BackboneSource, BackboneSpec, Method, MethodSpec, Parts

if TYPE_CHECKING:
    import torch

    from bench.catalog import Catalog
    from bench.recipes import Recipe
    from bench.tasks import Rows

PAPER = ("Huang, Feris, Chen, Yan: Cross-domain Image Retrieval with a Dual Attribute-aware "
         "Ranking Network, ICCV 2015, section 5.1")  # fmt: skip
BACKBONE = "dense-sift"
VARIANTS = {
    "fv-64": ("a mixture of 64 Gaussians, 8,192 values", {"centres": 64}),
    "fv-128": ("a mixture of 128 Gaussians, 16,384 values", {"centres": 128}),
}


@hookimpl
def register_methods() -> Iterable[MethodSpec]:
    """Return the one method of this plugin."""

    def recipe() -> type[Recipe]:
        from bench_dsift_fv.recipe import FisherRecipe

        return FisherRecipe

    def build(recipe: Recipe, catalog: Catalog, parts: Parts, seed: int, training: Rows) -> Method:
        from bench_dsift_fv.model import FisherMethod

        return FisherMethod(recipe, catalog, parts, seed, training)  # type: ignore[arg-type]

    summary = "Fisher vectors of dense SIFT descriptors, without a network: a baseline"
    return [
        MethodSpec("dsift-fv", summary, recipe, build, paper=PAPER, backbone=BACKBONE,
                   variants=VARIANTS)
    ]  # fmt: skip


@hookimpl
def register_backbones() -> Iterable[BackboneSpec]:
    """Return dense SIFT, as a backbone whose one map are the descriptors."""

    def resolve(name: str, weights: str, seed: int) -> BackboneSource:
        from bench_dsift_fv.descriptors import source

        return source(name, weights, seed)

    def build(source: BackboneSource) -> torch.nn.Module:
        from bench_dsift_fv.descriptors import DenseSift

        return DenseSift(source)

    summary = "SIFT descriptors of 4 x 4 bins of 8 pixels, every 4 pixels; nothing is learnt"
    return [BackboneSpec(BACKBONE, summary, resolve, build)]
