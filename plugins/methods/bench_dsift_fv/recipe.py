"""The recipe of `dsift-fv`; the README says what the paper leaves open."""

from __future__ import annotations

from pydantic import Field

from bench.recipes import Recipe


class FisherRecipe(Recipe):
    """From which descriptors the mixture is fitted, and what is made of them."""

    size: int = Field(224, ge=32, description="side of the image in pixels, squashed to a square")
    components: int = Field(64, ge=1, le=128, description="of the PCA of the descriptors")
    centres: int = Field(64, ge=1, description="Gaussians of the mixture")
    descriptors: int = Field(
        100_000, ge=1000, description="descriptors that PCA and mixture are fitted on"
    )
    images: int = Field(2000, ge=1, description="training images that these are of, at most")
    improved: bool = Field(
        True, description="signed square root and length 1, as improved Fisher vectors have it"
    )
