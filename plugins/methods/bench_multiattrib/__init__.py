"""Method `multiattrib`: retrieval by the features of a network that recognises attributes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from bench import hookimpl
from bench.interfaces import LossSpec, Method, MethodSpec, Parts
from bench_multiattrib.variants import BUDGETS, VARIANTS

if TYPE_CHECKING:
    import torch

    from bench.catalog import Catalog
    from bench.recipes import Recipe
    from bench.tasks import Rows

PAPER = ("Zakizadeh, Qian, Sasdelli, Vazquez: Instance Retrieval at Fine-grained Level Using "
         "Multi-Attribute Recognition")  # fmt: skip


@hookimpl
def register_methods() -> Iterable[MethodSpec]:
    """Return the one method of this plugin."""

    def recipe() -> type[Recipe]:
        from bench_multiattrib.recipe import MultiAttribRecipe

        return MultiAttribRecipe

    def build(recipe: Recipe, catalog: Catalog, parts: Parts, seed: int, training: Rows) -> Method:
        from bench_multiattrib.model import MultiAttrib

        return MultiAttrib(recipe, catalog, parts, seed, training)  # type: ignore[arg-type]

    def facts() -> Sequence[tuple[str, str]]:
        from bench_multiattrib import parameters

        return parameters.facts()

    summary = "features of a network that learns to rank the attributes of an image"
    return [
        MethodSpec("multiattrib", summary, recipe, build, needs=("attributes",), paper=PAPER,
                   backbone="vgg16", variants=VARIANTS, budgets=BUDGETS, facts=facts)
    ]  # fmt: skip


@hookimpl
def register_losses() -> Iterable[LossSpec]:
    """Return the loss of this plugin."""

    def pairwise_ranking() -> torch.nn.Module:
        from bench_multiattrib.loss import PairwiseRanking

        return PairwiseRanking()

    summary = "smooth ranking (scores, present): every present value above every absent one"
    return [LossSpec("pairwise-ranking", summary, pairwise_ranking)]
