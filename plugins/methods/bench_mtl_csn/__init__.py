"""Method `mtl-csn`: attributes recognised and compared by one network, under a mask of each."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from bench import hookimpl
from bench.interfaces import Method, MethodSpec, Parts
from bench_mtl_csn.variants import BUDGETS, VARIANTS

if TYPE_CHECKING:
    from bench.catalog import Catalog
    from bench.recipes import Recipe
    from bench.tasks import Rows

PAPER = ("multi-task fashion attribute recognition and retrieval with a modified Conditional "
         "Similarity Network, AATCC Journal of Research 8(S1), 10.14504/ajr.8.S1.14")  # fmt: skip


@hookimpl
def register_methods() -> Iterable[MethodSpec]:
    """Return the one method of this plugin."""

    def recipe() -> type[Recipe]:
        from bench_mtl_csn.recipe import MTLCSNRecipe

        return MTLCSNRecipe

    def build(recipe: Recipe, catalog: Catalog, parts: Parts, seed: int, training: Rows) -> Method:
        from bench_mtl_csn.model import MTLCSN

        return MTLCSN(recipe, catalog, parts, seed, training)  # type: ignore[arg-type]

    summary = "one embedding, a mask of it for each attribute, and its values recognised"
    return [
        MethodSpec("mtl-csn", summary, recipe, build, needs=("single-valued attributes",),
                   paper=PAPER, backbone="vgg16", variants=VARIANTS, budgets=BUDGETS)
    ]  # fmt: skip
