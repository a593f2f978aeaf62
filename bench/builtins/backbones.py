"""Any timm model as a backbone with named stages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import timm
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from bench.builtins.backbone_sources import LITE0, timm_name
from bench.errors import UnknownNameError, WeightsError
from bench.interfaces import BackboneSource, Stage

POOLED = "pooled"


class TimmBackbone(nn.Module):
    """A timm model whose stages are timm's feature levels by their module names, and `pooled`.

    `pooled` is what timm's classifier sees: all layers before it and the model's own pooling, as a
    map of 1 x 1. Only the layers that the stages asked for need are run.
    """

    def __init__(self, source: BackboneSource) -> None:
        super().__init__()
        self.source = source
        self.model: Any
        with torch.random.fork_rng(devices=[]):  # layers draw their values when they are made
            torch.default_generator.manual_seed(source.weights.seed)
            self.model = timm.create_model(timm_name(source.name), pretrained=False)
        if source.weights.path is not None:
            load_weights(self.model, source.weights.path, in_order=source.name == LITE0)
        self.model.eval()
        self.stages = {
            level["module"]: Stage(level["num_chs"], level["reduction"])
            for level in self.model.feature_info
        }
        width = getattr(self.model, "head_hidden_size", None) or self.model.num_features
        self.stages[POOLED] = Stage(width, None)
        self._levels = {name: level for level, name in enumerate(self.stages) if name != POOLED}

    def forward(self, images: Tensor, stages: Sequence[str]) -> dict[str, Tensor]:
        """Return `{stage: (B, C, h, w)}` for normalised `(B, 3, H, W)` images."""
        for stage in stages:
            if stage not in self.stages:
                raise UnknownNameError(f"stage of {self.source.name}", stage, self.stages)
        wanted = [stage for stage in stages if stage != POOLED]
        maps: dict[str, Tensor] = {}
        last = None
        if wanted:
            levels = [self._levels[stage] for stage in wanted]
            alone = POOLED not in stages
            found = self.model.forward_intermediates(
                images, indices=levels, stop_early=alone, intermediates_only=alone
            )
            if not alone:  # one pass for maps and pooled output
                last, found = found
            # timm returns them from the first level to the last, whatever the order asked for
            maps = dict(zip(sorted(wanted, key=self._levels.__getitem__), found, strict=True))
        if POOLED in stages:
            last = self.model.forward_features(images) if last is None else last
            maps[POOLED] = self.model.forward_head(last, pre_logits=True)[:, :, None, None]
        return maps

    def classify(self, images: Tensor) -> Tensor:
        """Return the logits of the classifier that came with the weights, `(B, classes)`."""
        return self.model(images)  # type: ignore[no-any-return]


def load_weights(model: nn.Module, path: Path, *, in_order: bool = False) -> None:
    """Load a checkpoint: safetensors, or a PyTorch file of tensors alone (`weights_only=True`).

    With `in_order` a checkpoint whose tensors have other names, but the model's order and shapes,
    fits too. Raises `WeightsError` where names or shapes do not fit; nothing is left out silently.
    """
    state, expected = read_weights(path), model.state_dict()
    if in_order and state.keys() != expected.keys() and len(state) == len(expected):
        state = dict(zip(expected, state.values(), strict=True))
    require_fit(path, state, expected)
    model.load_state_dict(state)


def read_weights(path: Path) -> Mapping[str, Any]:
    """Return what a checkpoint holds by name: tensors, or what else a PyTorch file may have.

    Raises `WeightsError` for what is neither safetensors nor a PyTorch file of plain values.
    """
    try:
        if path.suffix == ".safetensors":
            state = load_file(path)
        else:
            state = torch.load(path, map_location="cpu", weights_only=True)
            state = state.get("state_dict", state)
    except (SafetensorError, OSError, RuntimeError, ValueError, AttributeError, EOFError) as error:
        raise WeightsError(f"{path} cannot be read as weights: {_one_line(error)}") from None
    except Exception as error:  # pickle errors are of many kinds; none may be loaded another way
        raise WeightsError(
            f"{path} holds more than tensors and is not loaded, since that could run code "
            f"({type(error).__name__}); save it as safetensors"
        ) from None
    if not isinstance(state, Mapping):
        raise WeightsError(f"{path} cannot be read as weights: it holds no tensors by name")
    return state


def require_fit(path: Path, state: Mapping[str, Any], expected: Mapping[str, Tensor]) -> None:
    """Raise `WeightsError` unless `state`, read from `path`, has the names and shapes expected."""
    missing = [name for name in expected if name not in state]
    surplus = [name for name in state if name not in expected]
    if missing or surplus:
        raise WeightsError(
            f"{path} does not fit: {len(missing)} tensors are missing"
            + (f" ({missing[0]} …)" if missing else "")
            + f", {len(surplus)} are not the model's"
            + (f" ({surplus[0]} …)" if surplus else "")
        )
    for name, tensor in expected.items():
        shape = getattr(state[name], "shape", None)
        if shape is None:
            raise WeightsError(f"{path} does not fit: {name} is {state[name]!r:.40}, not a tensor")
        if shape != tensor.shape:
            raise WeightsError(
                f"{path} does not fit: {name} has shape {tuple(shape)}, "
                f"expected {tuple(tensor.shape)}"
            )


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:160] or type(error).__name__
