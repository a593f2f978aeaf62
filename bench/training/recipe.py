"""What the training of one stage can be told: a part of every method's recipe."""

from __future__ import annotations

import math
from typing import Annotated, Literal

from pydantic import Field

from bench.recipes import Recipe


class Augmentation(Recipe):
    """How images are varied in training; each image of each batch draws its own variation."""

    flip: bool = Field(default=True, description="mirror left and right with probability 1/2")
    crop: float = Field(
        default=1.0, gt=0, le=1, description="smallest share of a side that is cut out"
    )
    colour: float = Field(
        default=0.0,
        ge=0,
        lt=1,
        description="brightness, contrast and saturation times 1 ± this at most",
    )


class StageRecipe(Recipe):
    """How long, how fast and on what batches a stage trains."""

    epochs: int = Field(
        default=14, ge=0, description="how often the sampler is gone through; 0 only fits"
    )
    batch_size: int = Field(default=16, ge=1, description="groups a step, over all processes")
    optimiser: Literal["adam", "adamw", "sgd"] = Field(
        default="adam", description="adam, adamw or sgd"
    )
    learning_rate: float = Field(default=1e-5, gt=0, description="at the start")
    new_layers: float = Field(
        default=1.0,
        gt=0,
        description="learning rate of layers that start from random values, times this",
    )
    momentum: float = Field(default=0.9, ge=0, lt=1, description="of sgd; beta1 of adam")
    weight_decay: float = Field(default=0.0, ge=0, description="of the optimiser")
    schedule: Literal["constant", "cosine", "steps"] = Field(
        default="constant",
        description="constant, cosine (to 0), or steps (times `decay` at `decay_at`)",
    )
    decay: float = Field(default=0.1, gt=0, lt=1, description="the factor of `steps`")
    decay_at: tuple[Annotated[float, Field(gt=0, lt=1)], ...] = Field(
        default=(0.5, 0.75), description="where, as shares of all epochs"
    )
    batch_norm: Literal["frozen", "trained"] = Field(
        default="frozen",
        description="statistics of batch normalisation: as they were, or of the batches",
    )
    selection: Literal["last", "best"] = Field(
        default="last",
        description="keep the last epoch, or the one with the least loss on validation",
    )
    validation: float = Field(
        default=0.1, gt=0, lt=1, description="share of the training images held out for `best`"
    )
    augmentation: Augmentation = Field(default=Augmentation(), description="of images")

    def rate(self, progress: float) -> float:
        """Return the learning rate after this share (0…1) of all epochs."""
        if self.schedule == "cosine":
            return self.learning_rate * (1 + math.cos(math.pi * progress)) / 2
        if self.schedule == "steps":
            return self.learning_rate * self.decay ** sum(progress >= at for at in self.decay_at)
        return self.learning_rate
