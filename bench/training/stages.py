"""A stage of training, as a method states it: facts first, torch only where it computes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from bench.interfaces import Preprocessing
from bench.tasks import Rows
from bench.training.recipe import StageRecipe
from bench.training.samplers import Sampler

if TYPE_CHECKING:
    from torch import Tensor

Images = Callable[[Rows], Iterator["Batch"]]  # the images of rows, not varied, in order


@dataclass(frozen=True)
class Batch:
    """What a step sees: n groups of g images.

    images     float32 (n * g, 3, S, S), normalised; group after group
    rows       int64 (n, g), their catalog rows: where targets are looked up
    attribute  int64 (n,), the attribute of each group, where the sampler has one
    """

    images: Tensor
    rows: Tensor
    attribute: Tensor | None = None


@dataclass(frozen=True, kw_only=True)
class TrainingStage:
    """One stage of a method's training.

    `terms(batch)` returns the loss terms by name, each as the values of the examples that count,
    (m,), for any m: the loss is the sum over terms of `weights[name]` (1 if not given) times the
    mean of the values, taken over the batch of all processes together. It is called in training
    mode, and without gradients for validation.

    `trains` and `new` are patterns (`fnmatch`) of names of the method's model's parameters: those
    that learn, all others being frozen with the statistics of their batch normalisation, and among
    them those that start from random values and learn with `new_layers` times the rate.

    `prepare(images)` runs once before the first step and changes the model's buffers or parameters
    (a projection that is fitted, a memory that is built); `finish(images)` does so once after the
    last step, on the weights that are kept. A stage of no epochs has these alone. `identity` is all
    that determines the trained weights beside images, backbone, recipe, seed, code and the stages
    before.
    """

    name: str
    recipe: StageRecipe
    sampler: Sampler
    validation: Sampler | None = None  # of images held out; needed for the selection `best`
    preprocessing: Preprocessing
    identity: Mapping[str, Any]
    terms: Callable[[Batch], Mapping[str, Tensor]]
    weights: Mapping[str, float] = field(default_factory=dict)
    trains: Sequence[str] = ("*",)
    new: Sequence[str] = ()
    prepare: Callable[[Images], None] | None = None
    finish: Callable[[Images], None] | None = None

    @property
    def samplers(self) -> list[Sampler]:
        """The samplers of training and, where there is one, of validation."""
        return [self.sampler, *([self.validation] if self.validation else [])]

    @property
    def rows(self) -> Rows:
        """Every catalog row that the stage sees, ascending."""
        return np.unique(np.concatenate([sampler.rows for sampler in self.samplers]))

    def generator(self, seed: int, epoch: int, *position: int) -> np.random.Generator:
        """Return the generator of an epoch or of one batch: a function of where training stands.

        A training that goes on after a kill therefore draws what the whole one would have drawn.
        """
        name = list(self.name.encode())
        return np.random.default_rng([seed, len(name), *name, epoch, *position])
