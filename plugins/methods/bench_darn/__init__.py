"""Method `darn`: street-to-shop retrieval by a dual attribute-aware ranking network."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from bench import hookimpl
from bench.interfaces import Detector, DetectorSpec, LossSpec, Method, MethodSpec, Parts
from bench_darn.variants import BUDGETS, DETECTOR_BUDGETS, DETECTOR_VARIANTS, VARIANTS

if TYPE_CHECKING:
    import torch

    from bench.catalog import Catalog
    from bench.recipes import Recipe
    from bench.tasks import Rows

PAPER = ("Huang, Feris, Chen, Yan: Cross-domain Image Retrieval with a Dual Attribute-aware "
         "Ranking Network, ICCV 2015")  # fmt: skip


@hookimpl
def register_methods() -> Iterable[MethodSpec]:
    """Return the one method of this plugin."""

    def recipe() -> type[Recipe]:
        from bench_darn.recipe import DarnRecipe

        return DarnRecipe

    def build(recipe: Recipe, catalog: Catalog, parts: Parts, seed: int, training: Rows) -> Method:
        from bench_darn.model import DarnMethod

        return DarnMethod(recipe, catalog, parts, seed, training)  # type: ignore[arg-type]

    summary = "street photographs find shop photographs, by networks of attributes and triplets"
    return [
        MethodSpec("darn", summary, recipe, build, paper=PAPER, backbone="nin", variants=VARIANTS,
                   budgets=BUDGETS)
    ]  # fmt: skip


@hookimpl
def register_losses() -> Iterable[LossSpec]:
    """Return the triplet loss of this plugin."""

    def triplet_ranking(margin: float = 0.3) -> torch.nn.Module:
        from bench_darn.loss import TripletRanking

        return TripletRanking(margin)

    summary = "hinge on Euclidean distances (street, the same in a shop, another in a shop)"
    return [LossSpec("triplet-ranking", summary, triplet_ranking)]


@hookimpl
def register_detectors() -> Iterable[DetectorSpec]:
    """Return the paper's detector."""

    def recipe() -> type[Recipe]:
        from bench_darn.proposals import ProposalsRecipe

        return ProposalsRecipe

    def build(recipe: Recipe, parts: Parts, seed: int) -> Detector:
        from bench_darn.proposals import ProposalsDetector

        return ProposalsDetector(recipe, parts, seed)  # type: ignore[arg-type]

    summary = "regions of selective search, judged on the maps of a network that learnt attributes"
    return [
        DetectorSpec("darn-proposals", summary, recipe, build, DETECTOR_VARIANTS, DETECTOR_BUDGETS)
    ]
