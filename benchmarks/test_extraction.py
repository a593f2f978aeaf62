"""From image files to features: ours against a plain loop of timm, Pillow and DataLoader."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch
from PIL import Image
from pytest_benchmark.fixture import BenchmarkFixture
from timm.data import create_transform
from torch import nn
from torch.utils.data import DataLoader, Dataset

from bench.builtins.backbones import TimmBackbone
from bench.engines import Precision, choose_execution, make_engine
from bench.images import pixel_batches
from bench.interfaces import BackboneSource, Preprocessing, Weights

Features = npt.NDArray[np.float32]
THREADS = os.cpu_count() or 1
PREPROCESSING = Preprocessing(224, 0.875, "bicubic", (0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
IMAGES = {"efficientnet-lite0": 512, "timm:resnet18": 256, "timm:vgg16": 64}


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The first photographs of `clothing`, or drawn pictures in their place."""
    beside = Path(__file__).parents[2] / "shared" / "data"
    root = Path(os.environ.get("BENCH_TEST_PHOTOGRAPHS") or beside) / "clothing-small"
    if not root.is_dir():
        from bench_clothing.mini import draw_mini

        root = tmp_path_factory.mktemp("mini") / "clothing"
        draw_mini(root)
    found = sorted(root.glob("train/*/*.jpg"))
    return found * (512 // len(found) + 1)


class Pictures(Dataset[torch.Tensor]):
    """Image files through timm's own transform, by Pillow."""

    def __init__(self, files: list[Path], transform: Callable[[Image.Image], torch.Tensor]) -> None:
        self.files = files
        self.transform = transform

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: int) -> torch.Tensor:
        with Image.open(self.files[index]) as image:
            return self.transform(image.convert("RGB"))


def network(name: str) -> TimmBackbone:
    """Return the network with random weights, the same for the same name."""
    return TimmBackbone(BackboneSource(name, Weights("none", "", "nothing"), PREPROCESSING))


def loop(name: str, files: list[Path]) -> Callable[[], Features]:
    """Return the plain way: Pillow in DataLoader workers, eager float32."""
    torch.set_num_threads(THREADS)
    model = network(name).model
    transform = create_transform(
        input_size=224, interpolation="bicubic", crop_pct=0.875, mean=(0.5,) * 3, std=(0.5,) * 3
    )

    def run() -> Features:
        loader = DataLoader(Pictures(files, transform), batch_size=32, num_workers=THREADS)
        with torch.inference_mode():
            rows = [model.forward_head(model.forward_features(x), pre_logits=True) for x in loader]
        return torch.cat(rows).numpy()

    return run


def ours(name: str, files: list[Path], precision: Precision) -> Callable[[], Features]:
    """Return the way of `bench run`: threads that decode, an engine that runs the network."""
    torch.set_num_threads(THREADS)
    backbone = network(name)
    execution = choose_execution(
        device="cpu", engine="auto", precision=precision, batch_size=None, workers=THREADS
    )

    class Pooled(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.backbone = backbone

        def forward(self, pixels: torch.Tensor) -> torch.Tensor:
            images = (pixels.float() / 255 - 0.5) / 0.5
            return self.backbone(images, ["pooled"])["pooled"].flatten(1)

    engine = make_engine(Pooled(), execution, size=224)
    boxes = np.full((len(files), 4), np.nan, np.float32)

    def run() -> Features:
        batches = pixel_batches(
            files, boxes, np.arange(len(files)), preprocessing=PREPROCESSING,
            batch_size=execution.batch_size, workers=THREADS, skip_damaged=False,
        )  # fmt: skip
        return np.concatenate([engine(batch.pixels)[: len(batch.rows)] for batch in batches])

    return run


@pytest.mark.parametrize("way", ["loop", "fp32", "bf16"])
@pytest.mark.parametrize("name", IMAGES)
def test_extraction(benchmark: BenchmarkFixture, files: list[Path], name: str, way: str) -> None:
    chosen = files[: IMAGES[name]]
    run = loop(name, chosen) if way == "loop" else ours(name, chosen, way)  # type: ignore[arg-type]
    benchmark.group = f"extraction, {name}, {len(chosen)} files, {THREADS} threads"
    assert len(benchmark.pedantic(run, rounds=3, warmup_rounds=1)) == len(chosen)


def test_what_is_timed_gives_the_same_features(files: list[Path]) -> None:
    """Pillow's resize and the tensors' differ by rounding; nothing else may."""
    a, b = loop("timm:resnet18", files[:16])(), ours("timm:resnet18", files[:16], "fp32")()
    cosine = (a * b).sum(1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)
    assert cosine.min() > 0.999
