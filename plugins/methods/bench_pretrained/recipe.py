"""The recipe of `pretrained`."""

from __future__ import annotations

from pydantic import Field

from bench.interfaces import Distance
from bench.recipes import Recipe


class PretrainedRecipe(Recipe):
    """Which backbone, which of its outputs, and how vectors are compared."""

    backbone: str = Field("efficientnet-lite0", description="a backbone's name, or timm:NAME")
    weights: str = Field("pretrained", description="pretrained, none, or a .safetensors file")
    stage: str = Field("pooled", description="a stage of the backbone, or pooled")
    head: str = Field("average-pool", description="how the stage's map becomes a vector")
    distance: Distance = Field("cosine", description="cosine, euclidean or inner-product")
