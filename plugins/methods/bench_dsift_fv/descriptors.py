"""Dense SIFT as a backbone: one map of descriptors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn

from bench.errors import IncompatibleError, UnknownNameError, UserError
from bench.interfaces import BackboneSource, Preprocessing, Stage, Weights

STAGE = "descriptors"
BIN, STRIDE = 8, 4  # pixels (section 5.1)
GREY = (0.299, 0.587, 0.114)  # of red, green and blue (ITU-R BT.601)


def source(name: str, weights: str, seed: int) -> BackboneSource:
    """Return the facts; there are no weights to choose."""
    del seed
    if weights not in {"pretrained", "none"}:
        raise UserError(f"weights {weights}: {name} has none; leave the field out")
    preprocessing = Preprocessing(
        size=224, crop=1.0, interpolation="bilinear", mean=(0.0,) * 3, std=(1.0,) * 3, fit="squash"
    )
    return BackboneSource(name, Weights("none", "", "nothing"), preprocessing)


class DenseSift(nn.Module):
    """Grey images to SIFT descriptors, by kornia; the centres of all bins lie in the image."""

    def __init__(self, source: BackboneSource) -> None:
        super().__init__()
        try:
            from kornia.feature import DenseSIFTDescriptor
        except ImportError:
            raise IncompatibleError(
                "dense-sift needs kornia; pip install 'fashion-retrieval-bench[dsift-fv]'"
            ) from None
        self.source = source
        self.stages = {STAGE: Stage(128, STRIDE)}
        self.sift = DenseSIFTDescriptor(
            spatial_bin_size=BIN, stride=STRIDE, padding=0, rootsift=False
        )
        self.register_buffer("grey", torch.tensor(GREY).reshape(1, 3, 1, 1), persistent=False)

    def forward(self, images: Tensor, stages: Sequence[str]) -> dict[str, Tensor]:
        """Return `{"descriptors": (B, 128, h, w)}` for images (B, 3, H, W), each of length 1.

        A descriptor of a place without any gradient is zero.
        """
        for name in stages:
            if name not in self.stages:
                raise UnknownNameError("stage of dense-sift", name, self.stages)
        grey = (images * cast(Tensor, self.grey)).sum(dim=1, keepdim=True)
        return {STAGE: self.sift(grey)}
