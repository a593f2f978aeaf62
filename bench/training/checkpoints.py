"""Checkpoints: safetensors with their position as JSON in the header, so that one file is whole.

A stage's folder is addressed by everything that determines its weights:

    runs/inshop@mini/training/multiattrib--attributes--seed0-1f3a9c2e/
      resume.safetensors   model, optimiser, position: there while the stage is under way
      weights.safetensors  the model in the end
      log.jsonl            one line per step, and one per epoch
      DONE                 what came out, as JSON; written last
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from bench.errors import UserError
from bench.storage import replacing

_MODEL, _BEST, _OPTIMISER = "model.", "best.", "optimiser."


@dataclass
class Position:
    """Where a stage's training stands, beside its tensors.

    `epoch` and `step` are the next ones to do; `sums` are the sums of each term over the steps of
    the epoch so far, `losses` their means over the last whole epoch, and `steps` how many steps all
    whole epochs had; `best_loss` and `best_epoch` are those of the selection `best`.
    """

    epoch: int = 0
    step: int = 0
    sums: dict[str, float] = field(default_factory=dict)
    losses: dict[str, float] = field(default_factory=dict)
    steps: int = 0
    best_loss: float | None = None
    best_epoch: int | None = None
    seconds: float = 0.0
    waited: float = 0.0  # of the seconds, for images
    images: int = 0

    def add(self, losses: Mapping[str, float], images: int) -> None:
        """Count a step that is done."""
        self.step += 1
        self.images += images
        for name, value in losses.items():
            self.sums[name] = self.sums.get(name, 0.0) + value

    def means(self) -> dict[str, float]:
        """Return the mean of each term over the steps of the epoch so far."""
        return {name: value / self.step for name, value in self.sums.items()}

    def end_epoch(self) -> None:
        """Note what the epoch was, and go on to the next."""
        self.losses, self.steps = self.means(), self.steps + self.step
        self.epoch, self.step, self.sums = self.epoch + 1, 0, {}


def save_progress(
    path: Path, position: Position, model: nn.Module, optimiser: torch.optim.Optimizer,
    best: Mapping[str, Tensor] | None,
) -> None:  # fmt: skip
    """Write all that a training needs to go on as if it had not been stopped."""
    tensors = {_MODEL + name: tensor for name, tensor in model.state_dict().items()}
    for number, state in optimiser.state_dict()["state"].items():
        for name, value in state.items():
            tensors[f"{_OPTIMISER}{number}.{name}"] = torch.as_tensor(value)
    tensors |= {_BEST + name: tensor for name, tensor in (best or {}).items()}
    _save(path, tensors, asdict(position))


def load_progress(
    path: Path, model: nn.Module, optimiser: torch.optim.Optimizer
) -> tuple[Position, dict[str, Tensor] | None]:
    """Put model and optimiser as they were; return the position and the best weights so far.

    Raises `UserError` where the file is no checkpoint of this network.
    """
    tensors, facts = _load(path)
    parts = {
        prefix: {n.removeprefix(prefix): t for n, t in tensors.items() if n.startswith(prefix)}
        for prefix in (_MODEL, _BEST, _OPTIMISER)
    }
    _fill(path, model, parts[_MODEL])
    parameters = [each for group in optimiser.param_groups for each in group["params"]]
    state: dict[int, dict[str, Tensor]] = {}
    for name, tensor in parts[_OPTIMISER].items():
        number, _, key = name.partition(".")
        # the file has rows first; laid out as their parameter is, they are as quick as before
        like = parameters[int(number)]
        laid_out = torch.empty_like(like).copy_(tensor) if tensor.shape == like.shape else tensor
        state.setdefault(int(number), {})[key] = laid_out
    settings = optimiser.state_dict()["param_groups"]
    optimiser.load_state_dict({"state": state, "param_groups": settings})
    return Position(**facts), parts[_BEST] or None


def save_weights(path: Path, state: Mapping[str, Tensor]) -> None:
    """Write a model's weights."""
    _save(path, state, {})


def load_weights(path: Path, model: nn.Module) -> None:
    """Load a model's weights; raises `UserError` where the file is not one of them."""
    _fill(path, model, _load(path)[0])


def _fill(path: Path, model: nn.Module, tensors: Mapping[str, Tensor]) -> None:
    try:
        model.load_state_dict(tensors)
    except RuntimeError as error:
        raise UserError(
            f"{path} does not fit the network ({_one_line(error)}); remove it to train again"
        ) from None


def _save(path: Path, tensors: Mapping[str, Tensor], facts: Mapping[str, Any]) -> None:
    with replacing(path) as temporary:
        whole = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
        save_file(whole, temporary, metadata={"bench": json.dumps(facts)})


def _load(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            if "bench" not in metadata:
                raise ValueError("bench did not write it")
            facts = json.loads(metadata["bench"])
            return {name: file.get_tensor(name) for name in file.keys()}, facts  # noqa: SIM118
    except (SafetensorError, OSError, ValueError) as error:
        raise UserError(
            f"{path} cannot be read as a checkpoint ({_one_line(error)}); remove it to train again"
        ) from None


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:160]
