"""Method `amnet`: a memory of attribute values that is fused with an image's one representation."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from bench import hookimpl
from bench.interfaces import Method, MethodSpec, Parts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bench.catalog import Catalog
    from bench.recipes import Recipe
    from bench.tasks import Rows

PAPER = "Zhao, Feng, Wu, Yan: Memory-Augmented Attribute Manipulation Networks, CVPR 2017"
_SMALL = {"backbone": "efficientnet-lite0", "feature": "pooled", "size": 128}
_STAGE = {"batch_size": 32, "optimiser": "adam", "weight_decay": 0.0, "learning_rate": 1e-4,
          "new_layers": 10.0, "schedule": "cosine"}  # fmt: skip
_FEW = {"batch_size": 8, "learning_rate": 5e-5, "new_layers": 20.0}  # as of fashionsearchnet
BUDGETS: Mapping[str, Mapping[str, Any]] = {
    # the second stage sees three images where the first sees one
    "mini": {
        **_SMALL,
        "classification": {**_STAGE, **_FEW, "epochs": 6},
        "manipulation": {**_STAGE, **_FEW, "epochs": 3},
    },
    "small": {
        **_SMALL,
        "classification": {**_STAGE, "epochs": 2},
        "manipulation": {**_STAGE, "epochs": 1},
    },
}


@hookimpl
def register_methods() -> Iterable[MethodSpec]:
    """Return the one method of this plugin."""

    def recipe() -> type[Recipe]:
        from bench_amnet.recipe import AMNetRecipe

        return AMNetRecipe

    def build(recipe: Recipe, catalog: Catalog, parts: Parts, seed: int, training: Rows) -> Method:
        from bench_amnet.model import AMNetMethod

        return AMNetMethod(recipe, catalog, parts, seed, training)  # type: ignore[arg-type]

    summary = "one representation of an image, fused with the memory of the value it shall have"
    return [
        MethodSpec("amnet", summary, recipe, build, needs=("single-valued attributes",),
                   paper=PAPER, backbone="alexnet", budgets=BUDGETS)
    ]  # fmt: skip
