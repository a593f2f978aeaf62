"""The loop of training: ours against bare forward, backward and step; and how long it waits.

`bare` has its batches in memory. `ours` has the same network, optimiser, loss and number of steps
and its images in memory too, and rounds of both take turns, so that the ratio is what the loop
itself costs: drawing, normalising, weighing terms, logging, progress, the weights in the end.
`from files` reads and varies photographs while it trains: the share of its time that it waited for
them is in the JSON, under `extra_info`.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pytest_benchmark.fixture import BenchmarkFixture
from torch import Tensor, nn
from torch.nn import functional as F

from bench.catalog import Catalog
from bench.engines import Execution
from bench.interfaces import BackboneSource, Preprocessing, Weights
from bench.plugins import Registry
from bench.training import loop
from bench.training.batches import Reader, normalised
from bench.training.learning import freeze, make_optimiser, set_mode
from bench.training.plan import Place, Setting, places
from bench.training.recipe import Augmentation, StageRecipe
from bench.training.samplers import Plain
from bench.training.stages import Batch, TrainingStage

REGISTRY = Registry.load()
THREADS = os.cpu_count() or 1
# images, batch size and side of each network: seven seconds and a minute a round on two cores
SIZES = {"efficientnet-lite0": (512, 16, 128), "vgg16": (128, 8, 224)}
ROUNDS = {"efficientnet-lite0": 15, "vgg16": 3}
CLASSES = 20


@dataclass
class Classifier:
    """A backbone with a new last layer, as a method of one stage."""

    name: str
    catalog: Catalog
    augmentation: Augmentation = field(default_factory=lambda: Augmentation(flip=False))

    @property
    def backbone(self) -> BackboneSource:
        side = SIZES[self.name][2]
        preprocessing = Preprocessing(side, 1.0, "bilinear", (0.5,) * 3, (0.5,) * 3)
        return BackboneSource(self.name, Weights("none", "seed 0", "nothing"), preprocessing)

    @cached_property
    def model(self) -> nn.Module:
        backbone: Any = REGISTRY.backbone(self.backbone)
        width = backbone.stages["pooled"].channels

        class Net(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.backbone = backbone
                self.last = nn.Linear(width, CLASSES)

            def forward(self, images: Tensor) -> Tensor:
                return self.last(self.backbone(images, ["pooled"])["pooled"].flatten(1))  # type: ignore[no-any-return]

        return Net()

    @property
    def stages(self) -> tuple[TrainingStage, ...]:
        def terms(batch: Batch) -> Mapping[str, Tensor]:
            targets = batch.rows[:, 0] % CLASSES
            return {"class": F.cross_entropy(self.model(batch.images), targets, reduction="none")}

        # the networks stay as they began: with random weights they would soon compute with numbers
        # next to zero, several times as slowly, ours and the bare one not in the same round
        recipe = StageRecipe(epochs=1, batch_size=SIZES[self.name][1], learning_rate=1e-12,
                             augmentation=self.augmentation)  # fmt: skip
        return (
            TrainingStage(
                name="classes", recipe=recipe, sampler=Plain(np.arange(len(self.catalog))),
                preprocessing=self.backbone.preprocessing, identity={}, terms=terms,
            ),
        )  # fmt: skip


@pytest.fixture(scope="module")
def photographs(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The first photographs of `clothing`, or drawn pictures in their place."""
    beside = Path(__file__).parents[2] / "shared" / "data"
    root = Path(os.environ.get("BENCH_TEST_PHOTOGRAPHS") or beside) / "clothing-small"
    if not root.is_dir():
        from bench_clothing.mini import draw_mini

        root = tmp_path_factory.mktemp("mini") / "clothing"
        draw_mini(root)
    return sorted(root.glob("train/*/*.jpg"))


@pytest.fixture(params=list(SIZES))
def method(request: pytest.FixtureRequest, photographs: list[Path], tmp_path: Path) -> Classifier:
    chosen = photographs[: SIZES[request.param][0]]
    for number, file in enumerate(chosen):
        shutil.copyfile(file, tmp_path / f"{number}.jpg")
    columns = {"path": [f"{number}.jpg" for number in range(len(chosen))]}
    return Classifier(request.param, Catalog.from_columns("few", tmp_path, columns))


def setting(method: Classifier, folder: Path) -> Setting:
    return Setting(
        catalog=method.catalog, seed=0, execution=Execution("cpu", "torch", "fp32", 16, THREADS),
        skip_damaged=False, folder=folder, code="", checkpoint_minutes=60, tensorboard=False,
        notice=print, progress=lambda _: None,
    )  # fmt: skip


def bare(method: Classifier) -> Callable[[], None]:
    """Return forward, backward and step over batches that are held in memory."""
    (stage,), model = method.stages, method.model
    model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    learning = freeze(model, stage)
    optimiser = make_optimiser(model, stage, learning)
    set_mode(model, stage, learning)
    size, reader = stage.recipe.batch_size, Reader(method.catalog, stage.preprocessing, THREADS)
    groups = stage.sampler.epoch(np.random.default_rng(0))
    batches = [
        (normalised(reader.read(groups[at : at + size]), stage.preprocessing, "cpu"),
         torch.from_numpy(groups.rows[at : at + size, 0]) % CLASSES)
        for at in range(0, len(groups), size)
    ]  # fmt: skip

    def run() -> None:
        for images, targets in batches:
            optimiser.zero_grad()
            F.cross_entropy(model(images), targets).backward()
            optimiser.step()

    return run


@pytest.mark.parametrize("way", ["ours", "from files"])
def test_loop(
    benchmark: BenchmarkFixture, in_turn: Callable[..., Any], method: Classifier, way: str,
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    waited: list[float] = []
    peer = bare(Classifier(method.name, method.catalog))
    if way == "from files":
        method.augmentation = Augmentation(crop=0.8, colour=0.2)
    else:
        held = {row: Reader(method.catalog, method.backbone.preprocessing, 1).image(row)
                for row in range(len(method.catalog))}  # fmt: skip
        monkeypatch.setattr(Reader, "image", lambda _, row: held[row])
    place: list[Place] = []

    def run() -> None:
        given = setting(method, tmp_path / f"runs-{len(waited)}")
        place[:] = places(method, "classifier", given)  # type: ignore[arg-type]
        trained = loop.train_stage(place[0], method.model, given)
        waited.append(trained.waited / trained.seconds)

    run()  # warms up
    benchmark.group, benchmark.name = f"training of {method.name}", way
    in_turn(benchmark, run, peer, rounds=ROUNDS[method.name])
    benchmark.extra_info["share of time waiting for images"] = min(waited[1:])
