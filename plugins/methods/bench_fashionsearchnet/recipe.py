"""The recipe of `fashionsearchnet`; the README says why each default is what it is."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from bench.recipes import Recipe
from bench.training.recipe import StageRecipe

STRIDE = 16  # of the map that conv5 stands on, at most: localisation needs resolution


class FashionSearchNetRecipe(Recipe):
    """Which parts the network has, how each is trained, and what is compared."""

    backbone: str = Field("alexnet", description="the paper's, or another one in its place")
    weights: str = Field("pretrained", description="pretrained, none, or a .safetensors file")
    stage: str = Field(
        "conv4",
        description="the map that conv5 is laid on; empty for the last of stride 16 or less",
    )
    size: int = Field(227, ge=32, description="side of the network's input in pixels")
    fit: Literal["squash", "crop"] = Field(
        "squash", description="squash the whole image to the input's square, or crop its middle"
    )
    ranking: bool = Field(True, description="triplets of regions are learnt, L_T")
    localisation: bool = Field(True, description="each attribute sees its own region of conv5")
    fusion: bool = Field(False, description="each attribute sees all of conv5 besides its region")
    merging: bool = Field(True, description="one representation of all attributes is learnt, L_G")
    updating: bool = Field(True, description="the memory is learnt together with it")
    conv5: int = Field(384, ge=1, description="channels of conv5")
    conv7: int = Field(512, ge=1, description="channels of conv6 and conv7")
    fc: int = Field(512, ge=1, description="width of fc8 and fc9 of each attribute")
    dimension: int = Field(
        0, ge=0, description="of a representation, fc10; 0 for 4096 divided by the attributes"
    )
    merged: int = Field(512, ge=1, description="dimension r of the merged representation")
    grid: int = Field(4, ge=1, description="regions are resized to so many places squared")
    gap: Literal["mean", "sum"] = Field("mean", description="how conv7 is pooled for classifiers")
    threshold: float = Field(0.2, gt=0, lt=1, description="of the activation map, of its maximum")
    squared: bool = Field(False, description="soft triplets of the squared share of the distance")
    normalise: bool = Field(
        False, description="representations of length 1 where they are compared unmerged"
    )
    triplets: float = Field(1.5, ge=0, description="weight of L_T, beside 1 of L_C")
    relearning: float = Field(1.0, ge=0, description="weight of L_TC, beside 1 of L_C")
    margin: float = Field(
        0.0, ge=0, description="triplets by a hinge with this margin; 0 for soft triplets"
    )
    attributes: tuple[str, ...] = Field(
        (), description="names of the attributes; all single-valued ones of the data if empty"
    )
    classification: StageRecipe = Field(
        StageRecipe(epochs=12, batch_size=64, optimiser="sgd", learning_rate=0.01,
                    weight_decay=5e-4),
        description="the first stage: which values an image has",
    )  # fmt: skip
    joint: StageRecipe = Field(
        StageRecipe(epochs=12, batch_size=64, optimiser="sgd", learning_rate=0.01,
                    weight_decay=5e-4),
        description="the second: the same, and representations of regions",
    )  # fmt: skip
    fusing: StageRecipe = Field(
        StageRecipe(epochs=2, batch_size=64, optimiser="sgd", learning_rate=0.01,
                    weight_decay=5e-4),
        description="the third: how representations are merged, all else frozen",
    )  # fmt: skip

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.merging and not (self.ranking and self.localisation):
            raise ValueError("merging is for representations with ranking and localisation")
        if self.updating and not self.merging:
            raise ValueError("updating is of the memory that merging learns with; set merging too")
        if self.fusion and not self.localisation:
            raise ValueError("fusion is of regions and the whole; set localisation too")
        return self
