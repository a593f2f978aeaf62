"""What a training leaves to look at: a line of JSON per step and per epoch, and TensorBoard."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from bench.errors import UserError
from bench.storage import write_text
from bench.training.checkpoints import Position


class Log:
    """`log.jsonl` in a stage's folder, and with `tensorboard` a folder of events beside it.

    Lines of steps that a stopped training did after its last checkpoint, and now does again, are
    taken out first.
    """

    def __init__(self, folder: Path, position: Position, *, tensorboard: bool) -> None:
        self._writer: Any = None
        if tensorboard:
            try:
                from torch.utils.tensorboard import SummaryWriter
            except ImportError:
                raise UserError(
                    "--tensorboard: it is not installed; pip install tensorboard"
                ) from None
            self._writer = SummaryWriter(str(folder / "tensorboard"))
        path = folder / "log.jsonl"
        old = path.read_text(encoding="utf-8").splitlines(keepends=True) if path.is_file() else []
        kept = [line for line in old if _is_before(line, position)]
        write_text(path, "".join(kept))
        self._file: IO[str] = path.open("a", encoding="utf-8", newline="\n")
        self._steps = sum("step" in json.loads(line) for line in kept)

    def step(self, epoch: int, step: int, losses: Mapping[str, float], rate: float) -> None:
        """Write the losses of one step; epochs and steps are counted from 1."""
        self._write({"epoch": epoch + 1, "step": step, "losses": losses, "learning_rate": rate})
        self._steps += 1
        if self._writer:
            for name, value in losses.items():
                self._writer.add_scalar(f"loss/{name}", value, self._steps)
            self._writer.add_scalar("learning rate", rate, self._steps)

    def epoch(self, epoch: int, losses: Mapping[str, float], **facts: float | None) -> None:
        """Write the means of an epoch, and what else is known of it."""
        given = {name: value for name, value in facts.items() if value is not None}
        self._write({"epoch": epoch + 1, "losses": losses} | given)
        self._file.flush()
        if self._writer:
            for name, value in given.items():
                self._writer.add_scalar(name.replace("_", " "), value, epoch + 1)
            self._writer.flush()

    def close(self) -> None:
        """Bring all of it to the disk."""
        self._file.close()
        if self._writer:
            self._writer.close()

    def _write(self, line: Mapping[str, Any]) -> None:
        self._file.write(json.dumps(line) + "\n")


def _is_before(line: str, position: Position) -> bool:
    """Return whether a line is whole, and of a step or epoch that a checkpoint has behind it."""
    try:
        facts = json.loads(line)
        epoch, step = facts["epoch"] - 1, facts.get("step")
    except (ValueError, KeyError, TypeError):
        return False  # cut off by a kill
    if step is None:
        return bool(epoch < position.epoch)
    return bool((epoch, step) <= (position.epoch, position.step))
