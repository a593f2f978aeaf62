"""Networks that are one sequence of layers, of which any stage can be asked for."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence

from torch import Tensor, nn

from bench.builtins.backbones import POOLED
from bench.errors import UnknownNameError
from bench.interfaces import BackboneSource, Stage


class SequenceBackbone(nn.Module, ABC):
    """A backbone whose stages follow one another; `pooled` is the last one.

    Only the layers that the stages asked for need are run.
    """

    source: BackboneSource
    stages: Mapping[str, Stage]

    @abstractmethod
    def blocks(self) -> Iterator[tuple[str, Iterable[nn.Module]]]:
        """Yield each stage with the layers that lead to it from the one before."""

    def forward(self, images: Tensor, stages: Sequence[str]) -> dict[str, Tensor]:
        """Return `{stage: (B, C, h, w)}` for normalised `(B, 3, H, W)` images."""
        for stage in stages:
            if stage not in self.stages:
                raise UnknownNameError(f"stage of {self.source.name}", stage, self.stages)
        last = [stage for stage in self.stages if stage != POOLED][-1]
        wanted = {last if stage == POOLED else stage for stage in stages}
        found: dict[str, Tensor] = {}
        values = images
        for stage, layers in self.blocks():
            for layer in layers:
                values = layer(values)
            if stage in wanted:
                found[stage] = values if values.ndim == 4 else values[:, :, None, None]
            if len(found) == len(wanted):
                break
        return {stage: found[last if stage == POOLED else stage] for stage in stages}
