"""The recipe of `amnet`; the README says how it was pieced together."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from bench.recipes import Recipe
from bench.training.recipe import StageRecipe


class AMNetRecipe(Recipe):
    """Which representation is learnt and fused, and how."""

    backbone: str = Field("alexnet", description="any backbone")
    weights: str = Field("pretrained", description="pretrained, none, or a .safetensors file")
    feature: str = Field("fc7", description="the backbone's vector that represents an image")
    size: int = Field(227, ge=32, description="side of the network's input in pixels")
    fit: Literal["squash", "crop"] = Field(
        "squash", description="squash the whole image to the input's square, or crop its middle"
    )
    classification: StageRecipe = Field(
        StageRecipe(epochs=12, batch_size=64, optimiser="sgd", learning_rate=0.01,
                    weight_decay=5e-4),
        description="the first stage: which values an image has",
    )  # fmt: skip
    manipulation: StageRecipe = Field(
        StageRecipe(epochs=12, batch_size=64, optimiser="sgd", learning_rate=0.01,
                    weight_decay=5e-4),
        description="the second: images with one value changed",
    )  # fmt: skip
