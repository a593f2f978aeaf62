"""The recipe of `multiattrib`; the README says why each default is what it is."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from bench.interfaces import Distance
from bench.recipes import Recipe
from bench.training.recipe import StageRecipe

VGG16 = "vgg16"  # the paper's backbone
Network = Literal["vgg16", "bilinear", "imagenet"]
Layer = Literal["fc6", "fc7", "fc8", "bilinear", "prob"]
LAYERS: dict[Network, tuple[Layer, ...]] = {
    "vgg16": ("fc6", "fc7", "fc8"),
    "bilinear": ("bilinear", "prob"),
    "imagenet": ("fc6", "fc7"),
}


class MultiAttribRecipe(Recipe):
    """Which network learns how, which of its layers is compared, and how."""

    backbone: str = Field(VGG16, description="the paper's, or another one in its place")
    weights: str = Field("pretrained", description="pretrained, none, or a .safetensors file")
    network: Network = Field(
        "vgg16", description="vgg16 or bilinear, which are trained, or imagenet, which is not"
    )
    layer: Layer = Field(
        "fc6",
        description="what is compared: fc6, fc7, fc8 of vgg16; bilinear, prob of bilinear; "
        "fc6, fc7 of imagenet",
    )
    distance: Distance = Field(
        "euclidean", description="euclidean, cosine, inner-product or intersection"
    )
    size: int = Field(224, ge=32, description="side of the network's input in pixels")
    fit: Literal["squash", "crop"] = Field(
        "squash", description="squash the whole image to the input's square, or crop its middle"
    )
    relu: bool = Field(True, description="compare fc6 and fc7 after their ReLU, not before")
    prob: Literal["sigmoid", "softmax", "raw"] = Field(
        "sigmoid", description="what makes the layer prob of the scores"
    )
    signed_square_root: bool = Field(
        True, description="signed square root and L2 norm within the bilinear layer"
    )
    stage: str = Field(
        "", description="map that the bilinear layer takes; empty: conv5_3, or a substitute's last"
    )
    attributes: tuple[str, ...] = Field(
        (), description="names of the attributes that are learnt; all of the data's if empty"
    )
    components: int = Field(20, ge=1, description="of the ICA in the bilinear layer")
    ica_samples: int = Field(
        200_000, ge=2, description="positions of training images that the ICA is fitted on"
    )
    ica_seed: int = Field(0, ge=0, description="of the choice of positions and of the ICA")
    fc_width: int = Field(4096, ge=1, description="of the new fc7 of a backbone in VGG16's place")
    training: StageRecipe = Field(
        StageRecipe(epochs=14, batch_size=16, optimiser="adam", learning_rate=1e-5),
        description="how the network is trained on attributes",
    )

    @property
    def is_substitute(self) -> bool:
        """Whether another backbone stands in VGG16's place."""
        return self.backbone != VGG16

    @property
    def is_pooled(self) -> bool:
        """Whether what is compared is the pooled output of a substitute, its fc6."""
        return self.layer == "fc6" and self.is_substitute

    @model_validator(mode="after")
    def _fits(self) -> Self:
        alone = self.network == "imagenet" and self.is_substitute
        layers = ("fc6",) if alone else LAYERS[self.network]
        if self.layer not in layers:
            pooled = f" of {self.backbone}, whose pooled output stands in for fc6," * alone
            raise ValueError(
                f"layer is {self.layer}; the network {self.network}{pooled} has "
                f"{' and '.join(layers)}"
            )
        if self.layer == "prob":
            non_negative, given = self.prob != "raw", f"prob={self.prob}"
        else:
            non_negative = self.layer in {"fc6", "fc7"} and self.relu and not self.is_pooled
            given = f"{self.layer} of {self.backbone}"
        if self.distance == "intersection" and not non_negative:
            raise ValueError(
                f"distance is intersection, for values that are not negative, and {given} may be; "
                "choose another distance, or the layer prob as sigmoid or softmax"
            )
        return self
