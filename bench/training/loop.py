"""The loop: one stage from its first step to its last. `train_stage` reads top to bottom.

Each draw of chance, from the order of images to dropout, hangs on seed, stage, epoch and step, and
on nothing that came before. A training that was stopped therefore needs no state of generators.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import cache

import numpy as np
import torch
from accelerate import Accelerator, DistributedDataParallelKwargs
from torch import Tensor, nn

from bench.engines import Execution
from bench.errors import DamagedImageError, UserError
from bench.records import StageFacts
from bench.tasks import Rows
from bench.training import checkpoints
from bench.training.augmentation import Variations
from bench.training.batches import Reader, normalised
from bench.training.checkpoints import Position
from bench.training.learning import freeze, make_optimiser, set_mode
from bench.training.log import Log
from bench.training.plan import Place, Progress, Setting, Trained
from bench.training.samplers import Groups
from bench.training.stages import Batch, TrainingStage

PREPARING = 64  # images at once where a stage prepares


def train_stage(  # noqa: PLR0912, PLR0915 (one page that reads from top to bottom)
    place: Place, model: nn.Module, setting: Setting
) -> Trained:
    """Train one stage of `model`, in place, from its start or its last checkpoint to its end."""
    stage, recipe = place.stage, place.stage.recipe
    accelerator = accelerator_of(setting.execution.device, setting.execution.precision)
    device = accelerator.device
    model.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    learning = freeze(model, stage)
    optimiser = make_optimiser(model, stage, learning)
    reader = Reader(setting.catalog, stage.preprocessing, setting.execution.workers)
    damaged = reader.unreadable(stage.rows) if setting.skip_damaged else np.zeros(0, np.int64)

    def images(rows: Rows) -> Iterator[Batch]:
        return _images(reader, np.setdiff1d(rows, damaged), stage, device)

    resume = place.folder / "resume.safetensors"
    position, best = Position(), None
    if resume.is_file():
        position, best = checkpoints.load_progress(resume, model, optimiser)
    elif stage.prepare is not None and accelerator.is_main_process:
        model.eval()
        stage.prepare(images)
        checkpoints.save_progress(resume, position, model, optimiser, best)
    accelerator.wait_for_everyone()
    # among several processes, all begin with the parameters and buffers of the first
    terms = accelerator.prepare(_Terms(model, stage))
    clock = _Clock(position)

    def save() -> None:
        clock.saved()
        if accelerator.is_main_process:
            checkpoints.save_progress(resume, position, model, optimiser, best)

    log = Log(place.folder, position, tensorboard=setting.tensorboard) if (
        accelerator.is_main_process) else None  # fmt: skip
    for epoch in range(position.epoch, recipe.epochs):
        groups = stage.sampler.epoch(stage.generator(setting.seed, epoch)).without(damaged)
        steps = _steps(groups, stage, accelerator)
        set_mode(model, stage, learning)
        parts = _parts(groups, range(position.step, steps), epoch, stage, setting, accelerator)
        for pixels, part in clock.waiting(reader.ahead(parts)):
            rate = recipe.rate((epoch + position.step / steps) / recipe.epochs)
            for group in optimiser.param_groups:
                group["lr"] = rate * group["factor"]
            _seed(stage, setting.seed, epoch, position.step, accelerator.process_index)
            optimiser.zero_grad()  # their memory is free for the forward pass
            values = terms(_batch(pixels, part, stage, device))
            loss, losses = weigh(values, stage.weights, accelerator)
            if not all(map(math.isfinite, losses.values())):
                raise _not_finite(losses, setting, stage, epoch, position.step, steps, groups)
            accelerator.backward(loss)
            optimiser.step()
            position.add(losses, len(pixels) * accelerator.num_processes)
            if log:
                log.step(epoch, position.step, losses, rate)
                setting.progress(
                    Progress(stage.name, epoch + 1, recipe.epochs, epoch * steps + position.step,
                             recipe.epochs * steps, position.means(), clock.images_per_second)
                )  # fmt: skip
            if clock.minutes >= setting.checkpoint_minutes:
                save()
        validation = None
        if stage.validation is not None and recipe.selection == "best":
            validation = validate(stage, model, reader, setting, damaged)
            if position.best_loss is None or validation < position.best_loss:
                position.best_loss, position.best_epoch = validation, epoch + 1
                best = {name: value.detach().clone() for name, value in model.state_dict().items()}
        position.end_epoch()
        if log:
            log.epoch(epoch, position.losses, validation=validation, **clock.facts())
        if position.epoch < recipe.epochs:
            save()
    if log:
        log.close()
    facts = StageFacts(
        name=stage.name, key=place.key, epochs=recipe.epochs, steps=position.steps,
        selection=recipe.selection, chosen_epoch=position.best_epoch or recipe.epochs,
        losses=position.losses, validation_loss=position.best_loss, damaged=len(damaged),
        parameters=sum(p.numel() for p in model.parameters() if p.requires_grad),
    )  # fmt: skip
    result = Trained(facts, position.seconds, position.waited, position.images)
    if accelerator.is_main_process:
        if best:
            model.load_state_dict(best)
        if stage.finish is not None:
            model.eval()
            stage.finish(images)
        place.finish(result, lambda path: checkpoints.save_weights(path, model.state_dict()))
        resume.unlink(missing_ok=True)
    accelerator.wait_for_everyone()
    return result


def fit_stage(place: Place, model: nn.Module, setting: Setting) -> Trained:
    """Run what a stage without epochs has to fit; the first of several processes does."""
    stage, started = place.stage, time.perf_counter()
    accelerator = accelerator_of(setting.execution.device, setting.execution.precision)
    model.to(accelerator.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    reader = Reader(setting.catalog, stage.preprocessing, setting.execution.workers)
    damaged = reader.unreadable(stage.rows) if setting.skip_damaged else np.zeros(0, np.int64)
    model.eval()
    if accelerator.is_main_process:
        for fit in filter(None, (stage.prepare, stage.finish)):
            fit(
                lambda rows: _images(reader, np.setdiff1d(rows, damaged), stage, accelerator.device)
            )
    facts = StageFacts(
        name=stage.name, key=place.key, epochs=0, steps=0, selection="last", chosen_epoch=0,
        losses={}, validation_loss=None, damaged=len(damaged), parameters=0,
    )  # fmt: skip
    result = Trained(facts, time.perf_counter() - started, waited=0.0, images=len(stage.rows))
    if accelerator.is_main_process:
        place.finish(result, lambda path: checkpoints.save_weights(path, model.state_dict()))
    accelerator.wait_for_everyone()
    return result


class _Terms(nn.Module):
    """A stage's terms as a module: what accelerate lays its wrappers around."""

    def __init__(self, model: nn.Module, stage: TrainingStage) -> None:
        super().__init__()
        self.model = model
        self._terms = stage.terms

    def forward(self, batch: Batch) -> Mapping[str, Tensor]:
        return self._terms(batch)


def weigh(
    values: Mapping[str, Tensor], weights: Mapping[str, float], accelerator: Accelerator
) -> tuple[Tensor, dict[str, float]]:
    """Return the loss to differentiate, and the mean of each term over all processes.

    Processes may hold different numbers of examples. Their gradients are averaged, so each
    process's sum is divided by the mean number of examples of a process, not by its own.
    """
    sums = torch.stack([value.float().sum() for value in values.values()])
    counts = torch.tensor([float(value.numel()) for value in values.values()], device=sums.device)
    total = accelerator.reduce(torch.stack([sums.detach(), counts]), "sum")
    weight = torch.tensor([weights.get(name, 1.0) for name in values], device=sums.device)
    examples = total[1].clamp(min=1)
    loss = (sums * weight * accelerator.num_processes / examples).sum()
    return loss, dict(zip(values, (total[0] / examples).tolist(), strict=True))


def validate(
    stage: TrainingStage, model: nn.Module, reader: Reader, setting: Setting, damaged: Rows
) -> float:
    """Return the loss of the stage's validation images; each process computes all of it."""
    if stage.validation is None:
        raise ValueError(f"stage {stage.name} has no validation images")
    recipe = stage.recipe
    groups = stage.validation.epoch(stage.generator(setting.seed, recipe.epochs)).without(damaged)
    if not len(groups):
        raise DamagedImageError(f"every validation image of stage {stage.name} is damaged")
    size = recipe.batch_size
    parts = ((groups[start : start + size], None) for start in range(0, len(groups), size))
    sums: dict[str, float] = {}
    counts: dict[str, int] = {}
    model.eval()
    device = next(model.parameters()).device
    with torch.no_grad():
        for pixels, part in reader.ahead(parts):
            for name, values in stage.terms(_batch(pixels, part, stage, device)).items():
                sums[name] = sums.get(name, 0.0) + float(values.float().sum())
                counts[name] = counts.get(name, 0) + values.numel()
    return sum(stage.weights.get(name, 1.0) * sums[name] / max(counts[name], 1) for name in sums)


def _steps(groups: Groups, stage: TrainingStage, accelerator: Accelerator) -> int:
    """Return how many steps an epoch has; groups that do not fill a last batch are left out."""
    size = min(stage.recipe.batch_size, len(groups))
    if not size:
        raise DamagedImageError(
            f"stage {stage.name} has nothing to train on: every group holds a damaged image"
        )
    if size < accelerator.num_processes:
        raise UserError(
            f"stage {stage.name} has batches of {size} for {accelerator.num_processes} processes; "
            "give each process one at least"
        )
    return len(groups) // size


def _parts(
    groups: Groups, steps: range, epoch: int, stage: TrainingStage, setting: Setting,
    accelerator: Accelerator,
) -> Iterator[tuple[Groups, Variations]]:  # fmt: skip
    """Yield this process's part of each batch, and how its images are varied."""
    size, width = min(stage.recipe.batch_size, len(groups)), groups.rows.shape[1]
    edges = np.linspace(0, size, accelerator.num_processes + 1).astype(int)
    first, last = edges[accelerator.process_index : accelerator.process_index + 2]
    for step in steps:
        batch = groups[step * size : (step + 1) * size]
        varied = Variations.draw(
            stage.recipe.augmentation, size * width, stage.generator(setting.seed, epoch, step)
        )
        yield batch[first:last], varied[first * width : last * width]


def _batch(pixels: Tensor, groups: Groups, stage: TrainingStage, device: torch.device) -> Batch:
    attribute = groups.attribute
    return Batch(
        normalised(pixels, stage.preprocessing, device),
        torch.from_numpy(groups.rows).to(device),
        None if attribute is None else torch.from_numpy(attribute).to(device),
    )


def _images(reader: Reader, rows: Rows, stage: TrainingStage, device: torch.device) -> (
    Iterator[Batch]
):  # fmt: skip
    """Yield the images of rows as they are, a batch at a time."""
    groups = Groups(rows[:, None])
    parts = ((groups[start : start + PREPARING], None) for start in range(0, len(rows), PREPARING))
    for pixels, part in reader.ahead(parts):
        yield _batch(pixels, part, stage, device)


def _seed(stage: TrainingStage, seed: int, epoch: int, step: int, process: int) -> None:
    """Seed what draws in a network, as dropout does, for one step of one process."""
    generator = stage.generator(seed, epoch, step, 1 + process)
    torch.manual_seed(int(generator.integers(2**63)))


def _not_finite(
    losses: Mapping[str, float], setting: Setting, stage: TrainingStage, epoch: int, step: int,
    steps: int, groups: Groups,
) -> UserError:  # fmt: skip
    size = min(stage.recipe.batch_size, len(groups))
    rows = np.unique(groups.rows[step * size : (step + 1) * size])
    paths = setting.catalog.images["path"].iloc[rows].tolist()
    return UserError(
        f"the loss is not finite in stage {stage.name}, epoch {epoch + 1}, batch {step + 1} of "
        f"{steps}: {', '.join(f'{name} {value:g}' for name, value in losses.items())}; a lower "
        f"learning rate or --precision fp32 may help; its images: {', '.join(paths)}"
    )


class _Clock:
    """The seconds of a training over all sittings, and how many of them it waited for images."""

    def __init__(self, position: Position) -> None:
        self._position = position
        self._mark = self._saved = time.perf_counter()

    def waiting(self, batches: Iterator[tuple[Tensor, Groups]]) -> Iterator[tuple[Tensor, Groups]]:
        """Yield the batches, noting the time that each was waited for."""
        while True:
            start = time.perf_counter()
            batch = next(batches, None)
            if batch is None:
                return
            self._position.waited += time.perf_counter() - start
            yield batch

    def _count(self) -> None:
        now = time.perf_counter()
        self._position.seconds += now - self._mark
        self._mark = now

    def saved(self) -> None:
        """Note that a checkpoint is written now."""
        self._count()
        self._saved = self._mark

    @property
    def minutes(self) -> float:
        """Minutes since the last checkpoint."""
        return (time.perf_counter() - self._saved) / 60

    @property
    def images_per_second(self) -> float:
        """Images a second since the stage began, over all sittings."""
        self._count()
        return self._position.images / max(self._position.seconds, 1e-9)

    def facts(self) -> dict[str, float]:
        """Return what a log says of time."""
        rate, seconds = self.images_per_second, max(self._position.seconds, 1e-9)
        return {"images_per_second": rate, "waited": self._position.waited / seconds}


@cache
def accelerator_of(device: str, precision: str) -> Accelerator:
    """Return what places tensors and joins processes; a process can have one kind only."""
    # a backbone may have layers beyond those that a method uses
    unused = DistributedDataParallelKwargs(find_unused_parameters=True)
    return Accelerator(
        cpu=device == "cpu", mixed_precision="bf16" if precision == "bf16" else "no",
        kwargs_handlers=[unused],
    )  # fmt: skip


@contextmanager
def alone(lock: Callable[[], AbstractContextManager[None]], execution: Execution) -> Iterator[None]:
    """Run the block under a lock that the first of several processes takes for all of them."""
    accelerator = accelerator_of(execution.device, execution.precision)
    with ExitStack() as held:
        if accelerator.is_main_process:
            held.enter_context(lock())
        accelerator.wait_for_everyone()
        yield
        accelerator.wait_for_everyone()
