"""Extraction of features, each image once, into a store addressed by content.

A store is a folder with `features.npy` (N, D) float32 and `state.npy` (N,) uint8, one row per image
of the catalog, both memory-mapped, and `facts.json`. Its name is the hash of all that determines
the features: weights, preprocessing, code, engine and precision, and the bytes of the images. A row
counts only once its features are on the disk, so a killed extraction goes on where it stopped.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from bench import fingerprints
from bench.catalog import BOX, Catalog
from bench.engines import Execution
from bench.environment import require_torchvision
from bench.errors import DamagedImageError, UserError
from bench.interfaces import FeatureExtractor, Method
from bench.storage import cache_folder, only_one, replacing, write_text

if TYPE_CHECKING:
    from torch import Tensor, nn

    from bench.images import PixelBatch

MISSING, DONE, DAMAGED = 0, 1, 2
SAVE_EVERY = 0.5  # seconds between two savings: what a kill can cost


@dataclass(frozen=True)
class Plan:
    """What is extracted from which images, and how; `code` hashes the sources that do it.

    `training` is the key of the last stage that trained the method and `weights` the file that it
    left; "" and None where nothing is learnt. `stores` is the folder of stores, if not the cache's.
    """

    method: Method
    name: str  # of the extractor, among the method's
    extractor: FeatureExtractor
    catalog: Catalog
    execution: Execution
    code: str
    training: str = ""
    weights: Path | None = None
    stores: Path | None = None

    @cached_property
    def model(self) -> nn.Module:
        """The method's network with the weights that training left."""
        model = self.method.model
        if self.weights is not None:
            from bench.training.checkpoints import load_weights

            load_weights(self.weights, model)
        return model.cpu().eval()

    @cached_property
    def key(self) -> str:
        """The hash that addresses the store: all that determines its features."""
        images = self.catalog.images
        content = fingerprints.of_bytes(
            "".join(self.catalog.image_digests()).encode(),
            np.ascontiguousarray(images[list(BOX)].to_numpy(np.float32)).tobytes(),
            "\0".join(images["domain"].astype("str")).encode(),
        )
        identity = dict(self.extractor.identity())
        return fingerprints.of_json(
            [self.name, identity, self.training, self.execution.identity(), content, self.code]
        )


@dataclass(frozen=True)
class Extraction:
    """Features of the rows asked for, and what they cost.

    `features` is the memory-mapped (N, D) matrix of the whole catalog, of which only rows asked for
    (here or earlier) are filled; `damaged` are rows whose image cannot be read. `seconds` and
    `images` are sums over all sittings; `facts` has parameters, FLOPs per image and dimension.
    """

    features: npt.NDArray[np.float32]
    damaged: npt.NDArray[np.int64]
    seconds: float
    images: int
    facts: dict[str, int]


def extract(
    plan: Plan,
    rows: npt.NDArray[np.int64],
    *,
    skip_damaged: bool,
    progress: Callable[[int, int], None],
    notice: Callable[[str], None],
) -> Extraction:
    """Return the features of the catalog rows `rows`, extracting those that the store lacks.

    `progress(done, total)` is called after each batch, `notice` with a line where another process
    is filling the same store and has to end first. Raises `DamagedImageError` for an image that
    cannot be read, unless `skip_damaged`; `UserError` for features that are not finite.
    """
    folder = (plan.stores or cache_folder() / "features") / plan.key
    other = f"waiting for another run that extracts the same features, in {folder}"
    with only_one(folder.with_suffix(".lock"), lambda: notice(other)):
        store = _Store.open(folder, plan)
        missing = rows[store.state[rows] == MISSING]
        if len(missing):
            _fill(store, plan, missing, skip_damaged=skip_damaged, progress=progress)
    state = store.state[rows]
    damaged = rows[state == DAMAGED]
    if len(damaged) and not skip_damaged:
        path = plan.catalog.root / plan.catalog.images["path"].iloc[damaged[0]]
        raise DamagedImageError(
            f"{len(damaged):,} of {len(rows):,} images cannot be read, the first is {path}; "
            "repair such images, or leave them out with --skip-damaged"
        )
    if (state == MISSING).any():
        raise AssertionError("extraction left rows without features")
    facts = json.loads((store.folder / "facts.json").read_text())
    features = np.load(store.folder / "features.npy", mmap_mode="r")
    return Extraction(features, damaged, store.cost["seconds"], int(store.cost["images"]), facts)


def of_photograph(
    plan: Plan, file: Path, box: npt.NDArray[np.float32], domain: str
) -> npt.NDArray[np.float32]:
    """Return the features (1, D) of any image file, cut to a box (4,) unless that is NaN.

    Raises `DamagedImageError` naming the file where it cannot be read.
    """
    import torch

    from bench.images import read_image

    pixels = read_image(file, box, plan.extractor.preprocessing)
    with torch.inference_mode():
        found = _network(plan, domain)(pixels[None])
    return np.asarray(found.float().numpy())


class _Store:
    """The files of one store, open for writing."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.features: np.memmap[Any, np.dtype[np.float32]]
        self.state: np.memmap[Any, np.dtype[np.uint8]]
        self.features = np.load(folder / "features.npy", mmap_mode="r+")
        self.state = np.load(folder / "state.npy", mmap_mode="r+")
        self.cost: dict[str, float] = json.loads((folder / "cost.json").read_text())
        self._pending: list[tuple[int, int]] = []  # (row, state) computed and not yet on the disk
        self.restart_clock()

    @classmethod
    def open(cls, folder: Path, plan: Plan) -> _Store:
        """Return the store of a plan, made first if it is not there."""
        if not (folder / "facts.json").is_file():
            _create(folder, plan)
        return cls(folder)

    def restart_clock(self) -> None:
        """Count the seconds of extraction from now on."""
        self._clock = time.perf_counter()

    def write(self, batch: PixelBatch, values: npt.NDArray[np.float32], catalog: Catalog) -> None:
        """Write one batch's rows; they count from the next `save` on."""
        marks = np.full(len(batch.rows), DONE)
        marks[list(batch.damaged)] = DAMAGED
        read = marks == DONE
        wrong = batch.rows[read][~np.isfinite(values[read]).all(axis=1)]
        if len(wrong):
            image = catalog.images["path"].iloc[wrong[0]]
            raise UserError(f"the features of {image} are not finite; try --precision fp32")
        self.features[batch.rows[read]] = values[read]
        self._pending += zip(batch.rows.tolist(), marks.tolist(), strict=True)
        if time.perf_counter() - self._clock > SAVE_EVERY:
            self.save()

    def save(self) -> None:
        """Bring the written rows to the disk, and only then mark them."""
        self.features.flush()
        for row, mark in self._pending:
            self.state[row] = mark
        self.state.flush()
        self.cost["seconds"] += time.perf_counter() - self._clock
        self.cost["images"] += len(self._pending)
        write_text(self.folder / "cost.json", json.dumps(self.cost))
        self._pending.clear()
        self.restart_clock()


def _create(folder: Path, plan: Plan) -> None:
    require_torchvision()
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    network = _network(plan, "")
    size = plan.extractor.preprocessing.size
    counter = FlopCounterMode(display=False)
    with torch.no_grad(), counter:
        dimension = network(torch.zeros((1, 3, size, size), dtype=torch.uint8)).shape[1]
    facts = {
        "dimension": dimension,
        "parameters": sum(p.numel() for p in plan.model.parameters()),
        "flops": counter.get_total_flops(),
    }
    count = len(plan.catalog)
    with replacing(folder / "features.npy") as temporary:
        np.lib.format.open_memmap(temporary, "w+", np.float32, (count, dimension)).flush()
    with replacing(folder / "state.npy") as temporary, temporary.open("wb") as file:
        np.save(file, np.zeros(count, np.uint8))
    write_text(folder / "cost.json", json.dumps({"seconds": 0.0, "images": 0}))
    write_text(folder / "facts.json", json.dumps(facts))


def _network(plan: Plan, domain: str) -> nn.Module:
    """Return the module from uint8 pixels `(B, 3, S, S)` to features that an engine runs."""
    import torch
    from torch import nn

    preprocessing = plan.extractor.preprocessing

    class Extract(nn.Module):
        mean: Tensor
        std: Tensor

        def __init__(self) -> None:
            super().__init__()
            self.model = plan.model  # named here so that it moves to the device with this
            self.register_buffer("mean", torch.tensor(preprocessing.mean).view(1, 3, 1, 1))
            self.register_buffer("std", torch.tensor(preprocessing.std).view(1, 3, 1, 1))

        def forward(self, pixels: Tensor) -> Tensor:
            images = (pixels.float() / 255 - self.mean) / self.std
            return plan.extractor.extract(images, domain)

    return Extract().eval()


def _fill(
    store: _Store,
    plan: Plan,
    missing: npt.NDArray[np.int64],
    *,
    skip_damaged: bool,
    progress: Callable[[int, int], None],
) -> None:
    require_torchvision()
    from bench.engines import make_engine
    from bench.images import pixel_batches

    images, preprocessing = plan.catalog.images, plan.extractor.preprocessing
    domains = images["domain"].astype("str").to_numpy()
    boxes = images[list(BOX)].to_numpy(np.float32)
    done = 0
    for domain in dict.fromkeys(domains[missing]):
        rows = missing[domains[missing] == domain]
        engine = make_engine(_network(plan, domain), plan.execution, size=preprocessing.size)
        store.restart_clock()  # the cost is that of images, not of compiling the network
        batches = pixel_batches(
            [plan.catalog.root / path for path in images["path"].iloc[rows]],
            boxes[rows],
            rows,
            preprocessing=preprocessing,
            batch_size=plan.execution.batch_size,
            workers=plan.execution.workers,
            skip_damaged=skip_damaged,
        )
        try:
            for batch in batches:
                store.write(batch, engine(batch.pixels)[: len(batch.rows)], plan.catalog)
                done += len(batch.rows)
                progress(done, len(missing))
        finally:
            store.save()  # an error or Ctrl-C keeps what is done
