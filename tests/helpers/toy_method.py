"""A plugin with the method `toy-net`: a small network that learns items in two stages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from bench import hookimpl
from bench.catalog import Catalog
from bench.interfaces import (
    BackboneSource,
    BackboneSpec,
    Method,
    MethodSpec,
    Parts,
    Preprocessing,
    Weights,
)
from bench.recipes import Recipe
from bench.tasks import Condition, Rows
from bench.training.recipe import Augmentation, StageRecipe
from bench.training.samplers import Plain, Triplets, hold_out
from bench.training.stages import Batch, TrainingStage

if TYPE_CHECKING:
    import torch
    from torch import Tensor

PREPROCESSING = Preprocessing(16, 1.0, "bilinear", mean=(0.5,) * 3, std=(0.5,) * 3)
SHORT = StageRecipe(epochs=2, batch_size=4, learning_rate=0.05, optimiser="sgd",
                    augmentation=Augmentation(flip=True, crop=0.8, colour=0.2))  # fmt: skip
SLOW = SHORT.model_copy(update={"learning_rate": 0.002})


class ToyRecipe(Recipe):
    """What the toy can be told."""

    classes: StageRecipe = Field(default=SHORT, description="classification of items")
    triplets: StageRecipe = Field(default=SLOW, description="triplets of items")
    dropout: float = Field(default=0.2, description="share of units")
    layer: Literal["first", "last"] = Field(default="last", description="what is compared")
    spoil: int = Field(default=-1, description="the row whose loss is not a number")


class ToyNet:
    """The method and its one extractor."""

    distance = "euclidean"
    preprocessing = PREPROCESSING
    notices = ()

    def __init__(self, recipe: ToyRecipe, catalog: Catalog, seed: int, training: Rows) -> None:
        self.recipe, self.seed = recipe, seed
        self.items = catalog.codes("item")
        self.backbone = BackboneSource("toy", Weights("none", f"seed {seed}", "nothing"),
                                       PREPROCESSING)  # fmt: skip
        self.training = training
        self.extractors = {"toy": self}

    @property
    def stages(self) -> Sequence[TrainingStage]:
        recipe, rows, held = self.recipe, self.training, None
        if recipe.classes.selection == "best":
            rows, held_out = hold_out(rows, recipe.classes.validation, self.seed)
            held = Plain(held_out)
        common: dict[str, Any] = {"preprocessing": PREPROCESSING}
        return [
            TrainingStage(
                name="classes", recipe=recipe.classes, sampler=Plain(rows), validation=held,
                identity={"dropout": recipe.dropout, "spoil": recipe.spoil,
                          "items": self.items[rows].tolist()},
                terms=self._classify, prepare=self._centre, finish=self._close, new=("last.*",),
                **common,
            ),
            TrainingStage(
                name="triplets", recipe=recipe.triplets, identity={}, weights={"spread": 0.1},
                sampler=Triplets(self.training, self.items[self.training]),
                terms=self._compare, trains=("last.*",), finish=self._close, **common,
            ),
        ]  # fmt: skip

    @cached_property
    def model(self) -> torch.nn.Module:
        import torch
        from torch import nn

        class Net(nn.Module):
            def __init__(self, dropout: float) -> None:
                super().__init__()
                self.first = nn.Sequential(nn.Conv2d(3, 8, 4, 4), nn.BatchNorm2d(8), nn.ReLU())
                self.dropout = nn.Dropout(dropout)
                self.last = nn.Linear(8, 4)
                self.register_buffer("centre", torch.zeros(8))
                self.register_buffer("end", torch.zeros(4))

            def forward(self, images: Tensor, layer: str = "last") -> Tensor:
                pooled = self.first(images).mean(dim=(2, 3)) - self.centre
                return self.last(self.dropout(pooled)) if layer == "last" else pooled

        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            return Net(self.recipe.dropout)

    def _centre(self, images: Any) -> None:
        import torch

        with torch.no_grad():
            means = [
                self.model(batch.images, "first").mean(dim=0) for batch in images(self.training)
            ]
            self.model.centre.copy_(torch.stack(means).mean(dim=0))

    def _close(self, images: Any) -> None:
        """Note the mean of the outputs, in the order of the training images."""
        import torch

        with torch.no_grad():
            outputs = torch.cat([self.model(batch.images) for batch in images(self.training)])
            self.model.end.copy_(outputs.mean(dim=0))

    def _classify(self, batch: Batch) -> Mapping[str, Tensor]:
        import torch
        from torch.nn import functional as F

        rows = batch.rows[:, 0]
        items = torch.from_numpy(self.items)[rows.cpu()].to(rows.device)
        known = items >= 0
        losses = F.cross_entropy(self.model(batch.images)[known], items[known], reduction="none")
        return {"items": torch.where(rows[known] == self.recipe.spoil, torch.nan, losses)}

    def _compare(self, batch: Batch) -> Mapping[str, Tensor]:
        anchor, positive, negative = self.model(batch.images).unflatten(0, (-1, 3)).unbind(1)
        near, far = ((anchor - other).square().sum(dim=1) for other in (positive, negative))
        return {"triplet": (0.3 + near - far).relu(), "spread": anchor.abs().mean(dim=1)}

    def identity(self) -> Mapping[str, Any]:
        return {"layer": self.recipe.layer}

    def extract(self, images: Tensor, domain: str) -> Tensor:
        del domain
        return self.model(images, self.recipe.layer)  # type: ignore[no-any-return]

    def for_gallery(self, features: Any, condition: Condition | None) -> Any:
        del condition
        return features

    for_query = for_gallery


@hookimpl
def register_backbones() -> Iterable[BackboneSpec]:
    def none(*_: Any) -> Any:
        raise NotImplementedError("the toy has its network in itself")

    yield BackboneSpec("toy", "the network of toy-net", none, none)


@hookimpl
def register_methods() -> Iterable[MethodSpec]:
    def build(recipe: Recipe, catalog: Catalog, parts: Parts, seed: int, rows: Rows) -> Method:
        del parts
        assert isinstance(recipe, ToyRecipe)
        return ToyNet(recipe, catalog, seed, rows)

    yield MethodSpec(
        "toy-net",
        "learns items",
        lambda: ToyRecipe,
        build,
        needs=("items",),
        backbone="nin",
        budgets={"mini": {"triplets": {"epochs": 1}}},
        variants={"default": ("both stages", {}), "early": ("the first layer", {"layer": "first"})},
    )
