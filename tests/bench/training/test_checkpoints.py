from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from bench.errors import UserError
from bench.training import checkpoints
from bench.training.checkpoints import (
    Position,
    load_progress,
    load_weights,
    save_progress,
    save_weights,
)

OPTIMISERS: dict[str, Callable[[list[dict]], torch.optim.Optimizer]] = {
    "adam": lambda groups: torch.optim.Adam(groups, 1e-2),
    "adamw": lambda groups: torch.optim.AdamW(groups, 1e-2, weight_decay=0.1),
    "sgd": lambda groups: torch.optim.SGD(groups, 1e-3, momentum=0.9, weight_decay=1e-3),
    "sgd without momentum": lambda groups: torch.optim.SGD(groups, 1e-3),
}


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """The networks are so small that threads would only wait for each other."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def network(seed: int = 0, width: int = 19) -> nn.Sequential:
    torch.manual_seed(seed)
    model = nn.Sequential(
        nn.Conv2d(3, 13, 3), nn.BatchNorm2d(13), nn.ReLU(), nn.Conv2d(13, width, 3),
        nn.Dropout(0.3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, 7),
    )  # fmt: skip
    return model.to(memory_format=torch.channels_last)


def optimiser_of(name: str, model: nn.Sequential) -> torch.optim.Optimizer:
    """Return an optimiser with two groups, the second without the frozen first layer's bias."""
    model[0].bias.requires_grad_(False)
    last = [*model[7].parameters()]
    others = [p for p in model.parameters() if p.requires_grad and all(p is not q for q in last)]
    return OPTIMISERS[name]([{"params": others}, {"params": last, "lr": 2e-3}])


def go_on(model: nn.Module, optimiser: torch.optim.Optimizer, first: int, last: int) -> None:
    """Train some steps; each hangs on its number alone."""
    model.train()
    for step in range(first, last):
        torch.manual_seed(step)
        images = torch.randn(6, 3, 9, 9).to(memory_format=torch.channels_last)
        optimiser.zero_grad()
        model(images).square().mean().backward()
        optimiser.step()


def bits(state: dict[str, Tensor]) -> dict[str, bytes]:
    return {name: tensor.detach().contiguous().numpy().tobytes() for name, tensor in state.items()}


def one_line(refused: pytest.ExceptionInfo[UserError], path: Path) -> str:
    message = str(refused.value)
    assert message.startswith(f"{path} ")
    assert message.endswith("remove it to train again")
    assert "\n" not in message
    assert len(message) < 300 + len(str(path))
    return message


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """Return a checkpoint of five steps of Adam."""
    model = network()
    optimiser = optimiser_of("adam", model)
    go_on(model, optimiser, 0, 5)
    save_progress(tmp_path / "resume.safetensors", Position(), model, optimiser, None)
    return tmp_path / "resume.safetensors"


@pytest.mark.parametrize("name", OPTIMISERS)
@pytest.mark.parametrize("stopped", [0, 1, 4])
def test_a_training_that_goes_on_ends_in_the_weights_of_one_that_was_not_stopped(
    name: str, stopped: int, tmp_path: Path
) -> None:
    model = network()
    optimiser = optimiser_of(name, model)
    go_on(model, optimiser, 0, stopped)
    path = tmp_path / "new folder" / "resume.safetensors"
    save_progress(path, Position(), model, optimiser, None)
    content = path.read_bytes()
    go_on(model, optimiser, stopped, 8)
    assert path.read_bytes() == content

    fresh = network(seed=99)
    other = optimiser_of(name, fresh)
    assert load_progress(path, fresh, other) == (Position(), None)
    go_on(fresh, other, stopped, 8)
    assert bits(fresh.state_dict()) == bits(model.state_dict())
    assert path.read_bytes() == content, "what was loaded is no part of the file"
    assert bits(network().state_dict()) != bits(model.state_dict()), "the steps changed something"


def test_without_the_optimiser_s_state_it_would_end_otherwise(saved: Path) -> None:
    """The test above sees a state that is lost."""
    ends = []
    for keep in (True, False):
        model = network(seed=99)
        optimiser = optimiser_of("adam", model)
        load_progress(saved, model, optimiser if keep else optimiser_of("adam", model))
        go_on(model, optimiser, 5, 8)
        ends.append(bits(model.state_dict()))
    assert ends[0] != ends[1]


def test_the_optimiser_s_state_is_laid_out_as_its_parameters(saved: Path) -> None:
    model = network()
    optimiser = optimiser_of("adam", model)
    load_progress(saved, model, optimiser)
    weight = model[3].weight
    assert not weight.is_contiguous()
    for name in ("exp_avg", "exp_avg_sq"):
        assert optimiser.state[weight][name].stride() == weight.stride()


def test_learning_rates_are_those_of_the_new_optimiser(saved: Path) -> None:
    model = network()
    optimiser = optimiser_of("adam", model)
    for group, rate in zip(optimiser.param_groups, (0.5, 0.25), strict=True):
        group["lr"] = rate
    load_progress(saved, model, optimiser)
    assert [group["lr"] for group in optimiser.param_groups] == [0.5, 0.25]


def test_position_and_best_weights_come_back_whole(tmp_path: Path) -> None:
    model = network()
    optimiser = optimiser_of("adam", model)
    go_on(model, optimiser, 0, 2)
    best = {name: value.clone() for name, value in network(seed=3).state_dict().items()}
    position = Position(
        epoch=3, step=17, sums={"ranking": 0.1 + 0.2, "größe": -1e-300}, best_loss=1 / 3,
        best_epoch=2, seconds=12.5, waited=0.25, images=4096,
    )  # fmt: skip
    path = tmp_path / "resume.safetensors"
    save_progress(path, position, model, optimiser, best)
    fresh = network(seed=1)
    found, weights = load_progress(path, fresh, optimiser_of("adam", fresh))
    assert found == position
    assert weights is not None
    assert bits(weights) == bits(best)
    assert {name: value.dtype for name, value in weights.items()} == {
        name: value.dtype for name, value in best.items()
    }
    assert bits(fresh.state_dict()) == bits(model.state_dict())
    save_progress(path, found, fresh, optimiser, weights)
    assert load_progress(path, fresh, optimiser)[0] == position, "saved from what was loaded"


def test_a_position_counts_steps_and_epochs() -> None:
    position = Position()
    position.add({"ranking": 1.0, "value": 4.0}, 16)
    position.add({"ranking": 2.0, "value": 0.0}, 16)
    assert (position.epoch, position.step, position.images) == (0, 2, 32)
    assert position.means() == {"ranking": 1.5, "value": 2.0}
    position.end_epoch()
    last = {"ranking": 1.5, "value": 2.0}
    assert position == Position(epoch=1, images=32, losses=last, steps=2)
    assert position.means() == {}


def test_weights_come_back_whole(tmp_path: Path) -> None:
    model = network()
    go_on(model, optimiser_of("adam", model), 0, 2)
    save_weights(tmp_path / "weights.safetensors", model.state_dict())
    fresh = network(seed=1)
    load_weights(tmp_path / "weights.safetensors", fresh)
    assert bits(fresh.state_dict()) == bits(model.state_dict())
    assert fresh[1].num_batches_tracked.dtype == torch.int64
    assert fresh[3].weight.is_contiguous(memory_format=torch.channels_last)


# What is refused


def load_both(path: Path, model: nn.Sequential) -> list[str]:
    messages = []
    for load in (
        lambda: load_progress(path, model, optimiser_of("adam", model)),
        lambda: load_weights(path, model),
    ):
        with pytest.raises(UserError) as refused:
            load()
        messages.append(one_line(refused, path))
    return messages


@pytest.mark.parametrize("left", [0, 4, 100, -1, -1000])
def test_a_truncated_file_is_refused(saved: Path, left: int) -> None:
    saved.write_bytes(saved.read_bytes()[:left])
    for message in load_both(saved, network()):
        assert "cannot be read as a checkpoint" in message


def test_other_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    for message in load_both(path, network()):
        assert "cannot be read as a checkpoint (No such file" in message
    path.write_text("no tensors at all, and much longer than a header would be")
    for message in load_both(path, network()):
        assert "cannot be read as a checkpoint" in message
    rows_first = {name: value.contiguous() for name, value in network().state_dict().items()}
    for metadata in (None, {"format": "pt"}):
        save_file(rows_first, path, metadata)
        for message in load_both(path, network()):
            assert "cannot be read as a checkpoint (bench did not write it)" in message
    save_file(rows_first, path, {"bench": "{no JSON"})
    for message in load_both(path, network()):
        assert "cannot be read as a checkpoint (Expecting" in message


def test_another_network_s_checkpoint_is_refused(saved: Path, tmp_path: Path) -> None:
    for wrong in (network(width=20), nn.Sequential(nn.Linear(2, 2))):
        with pytest.raises(UserError) as refused:
            load_progress(saved, wrong, torch.optim.Adam(wrong.parameters()))
        assert "does not fit the network" in one_line(refused, saved)
    path = tmp_path / "weights.safetensors"
    save_weights(path, network(width=20).state_dict())
    for message in load_both(path, network()):
        assert "does not fit the network" in message
    save_weights(path, network().state_dict())
    model = network()
    with pytest.raises(UserError) as refused:  # weights alone are no progress
        load_progress(path, model, optimiser_of("adam", model))
    assert "does not fit the network" in one_line(refused, path)


# Whole or not at all


def test_a_save_that_fails_leaves_the_file_before_it(
    saved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = hashlib.sha256(saved.read_bytes()).hexdigest()
    model = network(seed=5)

    def half(tensors: dict[str, Tensor], path: Path, metadata: dict[str, str]) -> None:
        save_file(tensors, path, metadata)
        path.write_bytes(path.read_bytes()[:1000])
        raise OSError("no space left on device")

    monkeypatch.setattr(checkpoints, "save_file", half)
    with pytest.raises(OSError, match="no space"):
        save_progress(saved, Position(epoch=1), model, optimiser_of("adam", model), None)
    with pytest.raises(OSError, match="no space"):
        save_weights(saved, model.state_dict())
    assert hashlib.sha256(saved.read_bytes()).hexdigest() == before
    assert list(saved.parent.iterdir()) == [saved], "and nothing beside it"


def test_the_file_before_is_whole_until_the_new_one_is(
    saved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, seen = saved.read_bytes(), []

    def watched(tensors: dict[str, Tensor], path: Path, metadata: dict[str, str]) -> None:
        save_file(tensors, path, metadata)
        seen.append((path.parent, path == saved, saved.read_bytes() == before))

    monkeypatch.setattr(checkpoints, "save_file", watched)
    save_weights(saved, network().state_dict())
    assert seen == [(saved.parent, False, True)]
    assert saved.read_bytes() != before
