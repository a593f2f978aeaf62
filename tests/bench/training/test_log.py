from __future__ import annotations

import json
import sys
import types
from pathlib import Path
from typing import Any

import pytest

from bench.errors import UserError
from bench.training.checkpoints import Position
from bench.training.log import Log


def test_a_log_is_a_line_per_step_and_per_epoch(tmp_path: Path) -> None:
    log = Log(tmp_path, Position(), tensorboard=False)
    log.step(0, 1, {"items": 2.0}, 0.1)
    log.epoch(0, {"items": 2.0}, validation=None, waited=0.25)
    log.close()
    assert [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()] == [
        {"epoch": 1, "step": 1, "losses": {"items": 2.0}, "learning_rate": 0.1},
        {"epoch": 1, "losses": {"items": 2.0}, "waited": 0.25},
    ]


@pytest.mark.parametrize(
    ("epoch", "step", "kept"), [(0, 0, 0), (0, 1, 1), (0, 2, 2), (1, 0, 3), (1, 1, 4), (2, 0, 6)]
)
def test_what_a_checkpoint_has_not_behind_it_is_taken_out(
    tmp_path: Path, epoch: int, step: int, kept: int
) -> None:
    lines = []
    for number in (1, 2):
        lines += [json.dumps({"epoch": number, "step": s}) for s in (1, 2)]
        lines += [json.dumps({"epoch": number, "losses": {}})]
    (tmp_path / "log.jsonl").write_text("\n".join([*lines, '{"epoch": 3, "st']))
    Log(tmp_path, Position(epoch=epoch, step=step), tensorboard=False).close()
    assert (tmp_path / "log.jsonl").read_text().splitlines() == lines[:kept]


def test_without_tensorboard_its_option_is_refused_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(UserError, match="pip install tensorboard"):
        Log(tmp_path, Position(), tensorboard=True)


def test_tensorboard_gets_losses_rates_and_epochs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[tuple[Any, ...]] = []

    class Writer:
        def __init__(self, folder: str) -> None:
            written.append((folder,))

        def add_scalar(self, *values: Any) -> None:
            written.append(values)

        def flush(self) -> None:
            pass

        def close(self) -> None:
            written.append(("closed",))

    module: Any = types.ModuleType("torch.utils.tensorboard")
    module.SummaryWriter = Writer
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", module)
    log = Log(tmp_path, Position(), tensorboard=True)
    log.step(0, 1, {"items": 2.0}, 0.1)
    log.close()
    log = Log(tmp_path, Position(step=1), tensorboard=True)  # it goes on
    log.step(0, 2, {"items": 1.0}, 0.1)
    log.epoch(0, {"items": 1.5}, images_per_second=7.0)
    log.close()
    begun = (str(tmp_path / "tensorboard"),)
    assert written == [
        begun, ("loss/items", 2.0, 1), ("learning rate", 0.1, 1), ("closed",),
        begun, ("loss/items", 1.0, 2), ("learning rate", 0.1, 2), ("images per second", 7.0, 1),
        ("closed",),
    ]  # fmt: skip
