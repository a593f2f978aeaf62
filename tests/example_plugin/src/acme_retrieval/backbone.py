"""A backbone: named feature maps, their facts, and the preprocessing that belongs to them."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from bench.interfaces import BackboneSource, Preprocessing, Stage, Weights

SOURCE = BackboneSource(
    "acme-mosaic",
    Weights("none", "no weights", "nothing"),
    Preprocessing(32, 1.0, "bilinear", mean=(0.5,) * 3, std=(0.5,) * 3),
)


class Mosaic(nn.Module):
    """The mean colour of each tile of 8 x 8 pixels."""

    def __init__(self, source: BackboneSource) -> None:
        super().__init__()
        self.source = source
        self.stages = {"tiles": Stage(3, 8), "pooled": Stage(3, None)}
        self.tiles = nn.AvgPool2d(8)

    def forward(self, images: Tensor, stages: Sequence[str]) -> dict[str, Tensor]:
        """Return `{stage: (B, 3, h, w)}`."""
        tiles = self.tiles(images)
        maps = {"tiles": tiles, "pooled": tiles.mean(dim=(2, 3), keepdim=True)}
        return {stage: maps[stage] for stage in stages}
