"""Method `pretrained`: a backbone as it was published, not trained; the baseline of every table."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from bench import hookimpl
from bench.interfaces import Method, MethodSpec, Parts

if TYPE_CHECKING:
    from bench.catalog import Catalog
    from bench.recipes import Recipe
    from bench.tasks import Rows


@hookimpl
def register_methods() -> Iterable[MethodSpec]:
    """Return the one method of this plugin."""

    def recipe() -> type[Recipe]:
        from bench_pretrained.recipe import PretrainedRecipe

        return PretrainedRecipe

    def build(recipe: Recipe, catalog: Catalog, parts: Parts, seed: int, training: Rows) -> Method:
        from bench_pretrained.model import Pretrained
        from bench_pretrained.recipe import PretrainedRecipe

        assert isinstance(recipe, PretrainedRecipe)  # noqa: S101 (it comes from recipe() above)
        return Pretrained(recipe, parts, seed)

    return [
        MethodSpec(
            "pretrained",
            "any backbone, any stage or its pooled output, not trained",
            recipe,
            build,
        )
    ]
