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
    the epoch so far; `best_loss` and `best_epoch` are those of the selection `best`.
    """

    epoch: int = 0
    step: int = 0
    sums: dict[str, float] = field(default_factory=dict)
    best_loss: float | None = None
    best_epoch: int | None = None
    seconds: float = 0.0
    waited: float = 0.0  # of the seconds, for images
    images: int = 0
    damaged: int = 0  # groups left out because an image cannot be read, in the last epoch


def save_progress(
    path: Path, position: Position, model: nn.Module, optimiser: torch.optim.Optimizer,
    best: Mapping[str, Tensor] | None,
) -> None:  # fmt: skip
    """Write all that a training needs to go on as if it had not been stopped."""
    tensors = {_MODEL + name: tensor for name, tensor in model.state_dict().items()}
    for number, state in optimiser.state_dict()["state"].items():
        for name, value in state.items():
            if value is not None:
                tensors[f"{_OPTIMISER}{number}.{name}"] = torch.as_tensor(value)
    tensors |= {_BEST + name: tensor for name, tensor in (best or {}).items()}
    _save(path, tensors, asdict(position))


def load_progress(
    path: Path, model: nn.Module, optimiser: torch.optim.Optimizer
) -> tuple[Position, dict[str, Tensor] | None]:
    """Put model and optimiser as they were; return the position and the best weights so far."""
    tensors, facts = _load(path)
    parts = {
        prefix: {n.removeprefix(prefix): t for n, t in tensors.items() if n.startswith(prefix)}
        for prefix in (_MODEL, _BEST, _OPTIMISER)
    }
    model.load_state_dict(parts[_MODEL])
    state: dict[int, dict[str, Tensor]] = {}
    for name, tensor in parts[_OPTIMISER].items():
        number, _, key = name.partition(".")
        state.setdefault(int(number), {})[key] = tensor
    groups = optimiser.state_dict()["param_groups"]
    optimiser.load_state_dict({"state": state, "param_groups": groups})
    return Position(**facts), parts[_BEST] or None


def save_weights(path: Path, state: Mapping[str, Tensor]) -> None:
    """Write a model's weights."""
    _save(path, state, {})


def load_weights(path: Path, model: nn.Module) -> None:
    """Load a model's weights; raises `UserError` where the file is not one of them."""
    tensors, _ = _load(path)
    try:
        model.load_state_dict(tensors)
    except RuntimeError as error:
        raise UserError(f"{path} does not fit the network: {_one_line(error)}") from None


def _save(path: Path, tensors: Mapping[str, Tensor], facts: Mapping[str, Any]) -> None:
    with replacing(path) as temporary:
        whole = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
        save_file(whole, temporary, metadata={"bench": json.dumps(facts)})


def _load(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    try:
        with safe_open(path, framework="pt") as file:
            facts = json.loads((file.metadata() or {}).get("bench", "{}"))
            return {name: file.get_tensor(name) for name in file.keys()}, facts  # noqa: SIM118
    except (SafetensorError, OSError, ValueError) as error:
        raise UserError(
            f"{path} cannot be read as a checkpoint ({_one_line(error)}); remove it to train again"
        ) from None


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:160]
