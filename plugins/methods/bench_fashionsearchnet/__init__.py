"""Method `fashionsearchnet`: "the same, but with a v-neck", by representations of attributes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from bench import hookimpl
from bench.interfaces import LossSpec, Method, MethodSpec, Parts
from bench_fashionsearchnet.variants import BUDGETS, VARIANTS

if TYPE_CHECKING:
    import torch

    from bench.catalog import Catalog
    from bench.recipes import Recipe
    from bench.tasks import Rows

PAPER = ("Ak, Lim, Sun, Tham, Kassim: Learning Attribute Representations with Localization for "
         "Image Retrieval with Attribute Manipulation, 2021")  # fmt: skip


@hookimpl
def register_methods() -> Iterable[MethodSpec]:
    """Return the one method of this plugin."""

    def recipe() -> type[Recipe]:
        from bench_fashionsearchnet.recipe import FashionSearchNetRecipe

        return FashionSearchNetRecipe

    def build(recipe: Recipe, catalog: Catalog, parts: Parts, seed: int, training: Rows) -> Method:
        from bench_fashionsearchnet.model import FashionSearchNetMethod

        return FashionSearchNetMethod(recipe, catalog, parts, seed, training)  # type: ignore[arg-type]

    summary = "a representation of each attribute, of its own region, and a memory of their values"
    return [
        MethodSpec("fashionsearchnet", summary, recipe, build, needs=("single-valued attributes",),
                   paper=PAPER, backbone="alexnet", variants=VARIANTS, budgets=BUDGETS)
    ]  # fmt: skip


@hookimpl
def register_losses() -> Iterable[LossSpec]:
    """Return the soft triplet loss."""

    def build(squared: bool = False, margin: float = 0.0) -> torch.nn.Module:
        from bench_fashionsearchnet.losses import SoftTriplet

        return SoftTriplet(squared=squared, margin=margin)

    summary = "share of the nearer distance, as exponentials (image, like it, unlike it)"
    return [LossSpec("soft-triplet", summary, build)]
