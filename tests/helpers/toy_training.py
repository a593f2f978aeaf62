"""Trainings of the method `toy-net` on 48 small pictures of four items."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from bench.engines import Execution
from bench.plugins import Registry
from bench.records import Record
from bench.run import Listener, Outcome, Request, run
from bench.training.plan import Progress

PLUGIN = Path(__file__).with_name("toy_method.py")
COLOURS = [[200, 60, 60], [60, 200, 60], [60, 60, 200], [160, 160, 40]]


def draw(folder: Path, *, damaged: int | None = None) -> Path:
    """Write pictures and their manifest, half of them to learn from; return the manifest."""
    generator = np.random.default_rng(0)
    rows = ["path,item,split"]
    (folder / "images").mkdir(parents=True)
    for number in range(48):
        noise = generator.normal(0, 60, (6, 4, 3))
        picture = np.clip(COLOURS[number % 4] + noise, 0, 255).astype(np.uint8)
        file = folder / f"images/{number:02}.png"
        Image.fromarray(picture).resize((32, 48)).save(file)
        if number == damaged:
            file.write_bytes(b"no picture")
        split = "train" if number < 24 else "query" if number < 32 else "gallery"
        rows.append(f"images/{number:02}.png,item {number % 4},{split}")
    (folder / "manifest.csv").write_text("\n".join(rows) + "\n")
    return folder / "manifest.csv"


@dataclass
class Toy:
    """Where trainings go, on which pictures."""

    folder: Path
    manifest: Path
    registry: Registry

    @property
    def trainings(self) -> Path:
        """The folder of trained stages."""
        (found,) = (self.folder / "runs").glob("*/training")
        return found

    def stage(self, name: str) -> Path:
        """Return the folder of the one training of a stage."""
        (found,) = self.trainings.glob(f"toy-net--{name}--*")
        return found

    def train(self, *settings: str, **changes: Any) -> Record:
        """Run the method with `--set` settings; return the record of its first protocol."""
        return self.outcomes(*settings, **changes)[0].record

    def request(self, *settings: str, seed: int = 0, runs: str = "runs", **changes: Any) -> Request:
        """Return what asks for a run of the method with `--set` settings."""
        return Request(
            method="toy-net", dataset=f"manifest:{self.manifest}", seed=seed,
            execution=Execution("cpu", "torch", "fp32", 16, 2), runs=self.folder / runs,
            settings=dict(text.split("=", 1) for text in settings), **changes,
        )  # fmt: skip

    def outcomes(self, *settings: str, progress: Any = None, **changes: Any) -> list[Outcome]:
        """Return the outcome of each protocol."""

        def told(now: Progress) -> None:
            if progress:
                progress(now)

        listener = Listener(lambda _: None, lambda *_: None, told)
        return run(self.request(*settings, **changes), self.registry, listener)
