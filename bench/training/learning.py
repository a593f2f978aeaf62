"""What learns in a stage, in which mode the network runs, and by which optimiser."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from bench.training.stages import TrainingStage


def freeze(model: nn.Module, stage: TrainingStage) -> set[str]:
    """Let the stage's parameters learn and no others; return their names.

    Raises `ValueError`, a fault of the method, where a pattern fits no parameter.
    """
    learning = set()
    names = [name for name, _ in model.named_parameters()]
    for pattern in (*stage.trains, *stage.new):
        if not any(fnmatchcase(name, pattern) for name in names):
            raise ValueError(f"stage {stage.name}: no parameter is called {pattern!r}")
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(_fits(name, stage.trains))
        if parameter.requires_grad:
            learning.add(name)
    return learning


def set_mode(model: nn.Module, stage: TrainingStage, learning: set[str]) -> None:
    """Put what learns into training mode, and all else into evaluation mode.

    A part is frozen where none of its parameters learns: its dropout and the statistics of its
    batch normalisation rest too. Those of parts that learn rest where the recipe says so.
    """
    model.train()
    for prefix, module in model.named_modules():
        own = [f"{prefix}.{name}" if prefix else name for name, _ in module.named_parameters()]
        frozen = own and not any(name in learning for name in own)
        if frozen or (isinstance(module, _BatchNorm) and stage.recipe.batch_norm == "frozen"):
            module.eval()


def make_optimiser(
    model: nn.Module, stage: TrainingStage, learning: set[str]
) -> torch.optim.Optimizer:
    """Return the optimiser; each of its groups has the `factor` of the learning rate."""
    recipe = stage.recipe
    old: list[nn.Parameter] = []
    new: list[nn.Parameter] = []
    for name, parameter in model.named_parameters():
        if name in learning:
            (new if _fits(name, stage.new) else old).append(parameter)
    groups = [
        {"params": parameters, "factor": factor}
        for parameters, factor in ((old, 1.0), (new, recipe.new_layers))
        if parameters
    ]
    decay = recipe.weight_decay
    if recipe.optimiser == "sgd":
        return torch.optim.SGD(groups, recipe.learning_rate, recipe.momentum, weight_decay=decay)
    kind = torch.optim.Adam if recipe.optimiser == "adam" else torch.optim.AdamW
    return kind(groups, recipe.learning_rate, (recipe.momentum, 0.999), weight_decay=decay)


def _fits(name: str, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)
