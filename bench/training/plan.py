"""Where each stage of a training goes, and which stages still have to be trained.

A stage is addressed by everything that determines its weights, the stages before it included. So
variants that share their first stages, and runs of several protocols, train them once.
"""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bench import fingerprints
from bench.catalog import BOX, Catalog
from bench.engines import Execution
from bench.errors import RecordError
from bench.interfaces import BackboneSource, Method
from bench.records import StageFacts, as_folder
from bench.storage import only_one, write_text
from bench.training.samplers import Sampler
from bench.training.stages import TrainingStage

DONE = "DONE"


@dataclass(frozen=True)
class Progress:
    """How far a stage is: what its progress bar shows."""

    stage: str
    epoch: int  # counted from 1
    epochs: int
    step: int  # of the whole stage
    steps: int
    losses: Mapping[str, float]  # means over the epoch so far
    images_per_second: float


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What a training hangs on beside its stages, and whom it tells how far it is."""

    catalog: Catalog
    seed: int
    execution: Execution
    skip_damaged: bool
    folder: Path  # of this dataset's trainings
    code: str  # hash of the sources that train
    checkpoint_minutes: float
    tensorboard: bool
    notice: Callable[[str], None]
    progress: Callable[[Progress], None]


@dataclass(frozen=True)
class Trained:
    """What came out of a stage: facts of the record, and what it cost."""

    facts: StageFacts
    seconds: float
    waited: float  # of the seconds, for images
    images: int


@dataclass(frozen=True)
class Place:
    """A stage and the folder that it is found in."""

    stage: TrainingStage
    key: str
    folder: Path

    @property
    def weights(self) -> Path:
        """The file of the weights that the stage leaves."""
        return self.folder / "weights.safetensors"

    def finished(self) -> Trained | None:
        """Return what came out of the stage, or None where it is not finished."""
        done = self.folder / DONE
        if not done.is_file():
            return None
        try:
            content = json.loads(done.read_text(encoding="utf-8"))
            return Trained(StageFacts.model_validate(content.pop("facts")), **content)
        except (ValueError, TypeError, AttributeError, KeyError):
            raise RecordError(
                f"{done} was altered after the training; remove the folder to train again"
            ) from None

    def finish(self, result: Trained, save_weights: Callable[[Path], None]) -> None:
        """Write what came out of the stage; `DONE` is last."""
        save_weights(self.weights)
        content = asdict(result) | {"facts": result.facts.model_dump(mode="json")}
        write_text(self.folder / DONE, json.dumps(content, indent=2) + "\n")


def places(method: Method, name: str, setting: Setting) -> list[Place]:
    """Return the place of each stage of a method, in order; torch is not needed."""
    found: list[Place] = []
    before = ""
    for stage in method.stages:
        before = _key(stage, method.backbone, setting, before)
        folder = as_folder(f"{name}--{stage.name}--seed{setting.seed}-{before[:8]}")
        found.append(Place(stage, before, setting.folder / folder))
    return found


def train(method: Method, found: Sequence[Place], setting: Setting) -> list[Trained]:
    """Train the stages that are not finished, one after another, and return what came of all.

    A stage that was stopped goes on from its last checkpoint.
    """
    results = [place.finished() for place in found]
    for number, place in enumerate(found):
        if results[number] is None:
            results[number] = _one(method, found[number - 1] if number else None, place, setting)
    return [result for result in results if result is not None]


def is_first_process() -> bool:
    """Return whether this is the first of the processes that train together, or the only one."""
    return os.environ.get("RANK", "0") == "0"


def _one(method: Method, before: Place | None, place: Place, setting: Setting) -> Trained:
    from bench.training import checkpoints, loop

    other = f"waiting for another run that trains the same stage, in {place.folder}"
    with loop.alone(
        lambda: only_one(place.folder / ".lock", lambda: setting.notice(other)),
        setting.execution,
    ):
        if result := place.finished():
            return result
        if before is not None:
            checkpoints.load_weights(before.weights, method.model)
        stage = loop.train_stage if place.stage.recipe.epochs else loop.fit_stage
        return stage(place, method.model, setting)


def _key(stage: TrainingStage, backbone: BackboneSource, setting: Setting, before: str) -> str:
    images = setting.catalog.images
    rows, digests = stage.rows, setting.catalog.image_digests()
    content = fingerprints.of_bytes(
        "".join(digests[row] for row in rows).encode(),
        np.ascontiguousarray(images[list(BOX)].to_numpy(np.float32)[rows]).tobytes(),
    )
    execution = setting.execution
    return fingerprints.of_json(
        [before, stage.name, stage.recipe.model_dump(mode="json"), dict(stage.identity),
         dict(stage.weights), list(stage.trains), list(stage.new), asdict(stage.preprocessing),
         backbone.name, backbone.weights.digest, [_facts(sampler) for sampler in stage.samplers],
         content, setting.seed, setting.skip_damaged, setting.code, execution.device,
         execution.precision,
         fingerprints.versions("torch", "torchvision", "timm")]
    )  # fmt: skip


def _facts(sampler: Sampler) -> list[Any]:
    """Return the kind of a sampler and all that it was given."""
    assert dataclasses.is_dataclass(sampler)  # noqa: S101 (all of them are)
    given: dict[str, Any] = {
        field.name: getattr(sampler, field.name) for field in dataclasses.fields(sampler)
    }
    return [type(sampler).__name__] + [
        [name, fingerprints.of_bytes(value.astype(np.int64).tobytes()), list(value.shape)]
        if isinstance(value, np.ndarray) else [name, value]
        for name, value in given.items()
    ]  # fmt: skip
