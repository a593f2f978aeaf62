"""The recipe of `darn`; the README says why each default is what it is."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from bench.recipes import Recipe
from bench.training.recipe import StageRecipe

NIN = ("nin", "nin-two")  # the paper's backbone, and the reading with two MLPConv layers everywhere
Layer = Literal["fc1", "conv4", "conv5"]
Learnt = Literal["attributes", "triplets"]


class DarnRecipe(Recipe):
    """Which networks learn how, which of their layers are compared, and how."""

    backbone: str = Field("nin", description="the paper's, or another one in its place")
    weights: str = Field("pretrained", description="pretrained, none, or a .safetensors file")
    networks: Literal["two", "one"] = Field(
        "two", description="one network each for street and shop photographs, or one for both"
    )
    losses: tuple[Learnt, ...] = Field(
        ("attributes", "triplets"), description="what is learnt: attributes, triplets; or nothing"
    )
    layers: tuple[Layer, ...] = Field(
        ("fc1", "conv4", "conv5"), description="what is compared, and what triplets are of"
    )
    size: int = Field(224, ge=32, description="side of the network's input in pixels")
    fit: Literal["squash", "crop"] = Field(
        "squash", description="squash the whole garment to the input's square, or crop its middle"
    )
    conv4: str = Field("", description="the map of a substitute that is Conv4; its last but one")
    conv5: str = Field("", description="the map of a substitute that is Conv5; its last")
    grid: int = Field(3, ge=1, description="Conv4 and Conv5 are max-pooled to so many squared")
    fc2: int = Field(4096, ge=1, description="width of FC2 of a substitute")
    branch: int = Field(256, ge=1, description="width of the hidden layer of a branch")
    branch_layers: Literal[1, 2] = Field(2, description="fully connected layers of a branch")
    attributes: tuple[str, ...] = Field(
        (), description="names of the attributes that have a branch; all of the data's if empty"
    )
    normalise: Literal["layers", "whole", "none"] = Field(
        "layers", description="length 1 for each layer, for all of them together, or for none"
    )
    squared: bool = Field(False, description="triplets of squared Euclidean distances")
    margin: float = Field(0.3, ge=0, description="of the triplet loss")
    negative_attributes: bool = Field(
        True, description="the third image of a triplet teaches its attributes too"
    )
    start: Literal["imagenet", "attributes"] = Field(
        "imagenet",
        description="triplets begin with the backbone's weights, or with those of the variant an",
    )
    learn_from: Literal["both", "shop"] = Field(
        "both", description="whose photographs teach attributes where no triplets are learnt"
    )
    components: int = Field(4096, ge=0, description="of the PCA of longer features; 0 for no PCA")
    pca_fit: Literal["both", "shop"] = Field(
        "both", description="whose training photographs the PCA is fitted on"
    )
    pca_samples: int = Field(20_000, ge=2, description="training images of the PCA at most")
    normalise_after_pca: bool = Field(False, description="length 1 again after the PCA")
    training: StageRecipe = Field(
        StageRecipe(epochs=20, batch_size=32, optimiser="sgd", learning_rate=1e-3, new_layers=10,
                    weight_decay=5e-4, schedule="steps", decay_at=(2 / 3,)),
        description="how the networks are trained",
    )  # fmt: skip

    @property
    def is_substitute(self) -> bool:
        """Whether another backbone stands in the place of the paper's."""
        return self.backbone not in NIN

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if not self.layers or len(set(self.layers)) < len(self.layers):
            raise ValueError("layers must name each of fc1, conv4, conv5 once at most, and one")
        if self.networks == "two" and "triplets" not in self.losses:
            raise ValueError(
                "networks is two and losses has no triplets; nothing would link the two networks, "
                "so that their features could not be compared"
            )
        if (self.conv4 or self.conv5) and not self.is_substitute:
            raise ValueError(f"conv4 and conv5 of {self.backbone} are its own; leave them empty")
        if self.start == "attributes" and set(self.losses) != {"attributes", "triplets"}:
            raise ValueError("start is attributes; that is for losses of attributes and triplets")
        return self
