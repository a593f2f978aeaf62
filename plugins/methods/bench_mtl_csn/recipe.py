"""The recipe of `mtl-csn`; the README says why each default is what it is."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from bench.recipes import Recipe
from bench.training.recipe import StageRecipe


class MTLCSNRecipe(Recipe):
    """Which branches the network has, how each is trained, and on which labels."""

    backbone: str = Field("vgg16", description="the paper's, or any other one")
    weights: str = Field("pretrained", description="pretrained, none, or a .safetensors file")
    stage: str = Field(
        "conv5_3", description="the map that is pooled to f; empty for the backbone's last map"
    )
    size: int = Field(224, ge=32, description="side of the network's input in pixels")
    fit: Literal["squash", "crop"] = Field(
        "squash", description="squash the whole image to the input's square, or crop its middle"
    )
    embedding: int = Field(64, ge=1, description="dimension of f")
    recognition: Literal["multiple", "single", "none"] = Field(
        "multiple", description="a softmax for each attribute, one over all values, or none"
    )
    retrieval: Literal["triplets", "pairs", "none"] = Field(
        "triplets", description="what the retrieval branch learns from"
    )
    masks: bool = Field(True, description="each attribute is compared under a mask of its own")
    separate: bool = Field(False, description="a network for each attribute, by itself")
    positive: Literal["relu", "softmax"] = Field(
        "relu", description="what makes masks positive before their sum is made one"
    )
    mask_mean: float = Field(0.9, description="of the mask's first values")
    mask_deviation: float = Field(0.7, ge=0, description="standard deviation of these")
    hidden: bool = Field(True, description="a rectified layer of f's size before each softmax")
    margin: float = Field(0.3, ge=0, description="h of the triplet loss")
    contrastive: bool = Field(False, description="pairs of unlike images are pushed apart too")
    norm: float = Field(5e-3, ge=0, description="λ1, of the squared length of f")
    sparsity: float = Field(5e-4, ge=0, description="λ2, of the sum of a mask")
    alpha: float = Field(0.3, ge=0, description="weight of recognition beside retrieval")
    beta: float = Field(0.7, ge=0, description="weight of retrieval beside recognition")
    labels: Literal["all", "one"] = Field(
        "all", description="learn all labels of an image, or one attribute's drawn at random"
    )
    anchors: int = Field(
        0, ge=0, description="triplets an epoch; 0 for all, each image once for each of its labels"
    )
    attributes: tuple[str, ...] = Field(
        (), description="names of the attributes; all single-valued ones of the data if empty"
    )
    training: StageRecipe = Field(
        StageRecipe(epochs=200, batch_size=32, optimiser="adam", learning_rate=1e-5,
                    schedule="steps", decay=0.1, decay_at=(0.5, 0.75)),
        description="of the whole network",
    )  # fmt: skip

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.recognition == "none" and self.retrieval == "none":
            raise ValueError("without recognition and retrieval there is nothing to learn")
        if self.masks and self.retrieval != "triplets":
            raise ValueError("masks are learnt from triplets; set retrieval to triplets")
        if self.separate and (self.masks or self.retrieval != "triplets"):
            raise ValueError("separate networks learn triplets, each without a mask")
        if self.separate and self.recognition == "single":
            raise ValueError("separate networks have no softmax over all values")
        return self
