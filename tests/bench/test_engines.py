from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch import Tensor, nn

from bench import engines
from bench.builtins.backbone_sources import LITE0, resolve
from bench.builtins.backbones import POOLED, TimmBackbone
from bench.engines import Engine, Execution, choose_execution, make_engine
from bench.errors import IncompatibleError, UserError
from bench.images import decode, resize_and_crop

Pixels = npt.NDArray[np.uint8]
BACKBONES = {LITE0: "pretrained", "timm:resnet18": "none", "timm:vgg11": "none"}
# VGG is here for its large fully connected layers, whose long sums OpenVINO may cut in any way;
# it takes long, and eager torch does with it what it does with the plain module
WITH_KINDS = [(name, kind) for kind in ("torch", "openvino") for name in BACKBONES
              if (name, kind) != ("timm:vgg11", "torch")]  # fmt: skip
COUNT = 8


class Network(nn.Module):
    """Bytes to pooled features, as extraction runs it."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.backbone = TimmBackbone(resolve(name, BACKBONES[name], 0))
        preprocessing = self.backbone.source.preprocessing
        self.register_buffer("mean", torch.tensor(preprocessing.mean).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor(preprocessing.std).view(1, 3, 1, 1))

    def forward(self, pixels: Tensor) -> Tensor:
        images = (pixels.float() / 255 - self.mean) / self.std
        return self.backbone(images, [POOLED])[POOLED].flatten(1)


@cache
def network(name: str) -> nn.Module:
    return Network(name).eval()


def drawn(count: int = COUNT, size: int = 224) -> Pixels:
    """Return pictures of gradients, shapes and noise, (count, 3, S, S)."""
    generator = np.random.default_rng(0)
    rows, columns = np.mgrid[0:size, 0:size] / size
    pictures = []
    for _ in range(count):
        slopes = generator.uniform(-1, 1, (3, 2))
        base = generator.uniform(60, 200, 3)
        image = base[:, None, None] + 90 * (slopes @ np.stack([rows, columns]).reshape(2, -1)
                                            ).reshape(3, size, size)  # fmt: skip
        for _ in range(4):
            y, x, radius = generator.uniform(0.1, 0.9, 3) * (1, 1, 0.4)
            inside = (rows - y) ** 2 + (columns - x) ** 2 < radius**2
            stripes = 30 * np.sin(columns * generator.uniform(20, 120))
            image[:, inside] = generator.uniform(0, 255, (3, 1)) + stripes[inside]
        image += generator.normal(0, 6, image.shape)
        pictures.append(image.clip(0, 255).astype(np.uint8))
    return np.stack(pictures)


@pytest.fixture(scope="module")
def photographed(photographs: Path) -> Pixels:
    from bench_clothing.reader import Clothing

    root = Clothing("clothing").find(photographs)
    assert root is not None
    files = sorted(root.glob("test/*/*.jpg"))[:: 372 // COUNT][:COUNT]
    preprocessing = resolve(LITE0, "pretrained", 0).preprocessing
    return np.stack([resize_and_crop(decode(file), preprocessing).numpy() for file in files])


def execution(engine: str, *, precision: str = "fp32", batch_size: int = COUNT) -> Execution:
    return choose_execution(
        device="cpu", engine=engine, precision=precision,  # type: ignore[arg-type]
        batch_size=batch_size, workers=1,
    )  # fmt: skip


@cache
def engine(name: str, kind: str, precision: str = "fp32") -> Engine:
    return make_engine(network(name), execution(kind, precision=precision), size=224)


@cache
def expected_of(name: str) -> npt.NDArray[np.float32]:
    with torch.inference_mode():
        return network(name)(torch.from_numpy(drawn())).numpy()


def cosines(first: npt.NDArray[np.float32], second: npt.NDArray[np.float32]) -> list[float]:
    a, b = first.astype(np.float64), second.astype(np.float64)
    return (a * b).sum(1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)


def require_equal_to_rounding(
    found: npt.NDArray[np.float32], expected: npt.NDArray[np.float32]
) -> None:
    assert found.dtype == np.float32
    assert found.shape == expected.shape
    assert expected.std(axis=0).max() > 0, "images that all have the same features prove nothing"
    assert abs(found - expected).max() <= 1e-5 * abs(expected).max()


@pytest.mark.parametrize(("name", "kind"), WITH_KINDS)
def test_an_engine_in_fp32_agrees_with_the_plain_module(name: str, kind: str) -> None:
    require_equal_to_rounding(engine(name, kind)(drawn()), expected_of(name))


@pytest.mark.photographs
def test_openvino_agrees_with_the_plain_module_on_photographs(photographed: Pixels) -> None:
    with torch.inference_mode():
        expected = network(LITE0)(torch.from_numpy(photographed)).numpy()
    require_equal_to_rounding(engine(LITE0, "openvino")(photographed), expected)


# Measured on a processor with bf16 of its own (lowest, median of the cosine to float32):
#   efficientnet-lite0   openvino 0.9960, 0.9986   torch 0.9981, 0.9993   (0.994, 0.999 elsewhere)
#   timm:resnet18        openvino 0.999996         torch 0.999994
#   timm:vgg11           openvino 0.99998
# EfficientNet-Lite0 loses more than the others: its trained depthwise layers have channels of very
# different scale, and the rounding to 8 bits of mantissa adds up over 16 blocks.
BF16_FLOORS = {
    LITE0: (0.99, 0.997),
    "timm:resnet18": (0.9999, 0.9999),
    "timm:vgg11": (0.9999, 0.9999),
}


def require_bf16(kind: str) -> None:
    import openvino

    if kind == "openvino" and "BF16" not in openvino.Core().get_property(
        "CPU", "OPTIMIZATION_CAPABILITIES"
    ):
        with pytest.raises(IncompatibleError, match="this processor has no bf16 arithmetic"):
            execution("openvino", precision="bf16")
        pytest.skip("this processor has no bf16 arithmetic")


@pytest.mark.parametrize(("name", "kind"), WITH_KINDS)
def test_bf16_stays_near_float32_by_cosine(name: str, kind: str) -> None:
    require_bf16(kind)
    found = cosines(engine(name, kind, "bf16")(drawn()), expected_of(name))
    lowest, median = BF16_FLOORS[name]
    assert min(found) >= lowest
    assert np.median(found) >= median


@pytest.mark.photographs
def test_bf16_stays_near_float32_on_photographs(photographed: Pixels) -> None:
    require_bf16("openvino")
    expected = engine(LITE0, "openvino")(photographed)
    found = cosines(engine(LITE0, "openvino", "bf16")(photographed), expected)
    lowest, median = BF16_FLOORS[LITE0]  # measured: 0.9976 and 0.9991
    assert min(found) >= lowest
    assert np.median(found) >= median


@pytest.mark.parametrize(("name", "batch_size"), [(LITE0, 1), (LITE0, 20), ("timm:resnet18", 3)])
def test_openvino_gives_the_same_bits_for_every_batch_size(name: str, batch_size: int) -> None:
    pixels = np.concatenate([drawn(), drawn()[:5], drawn()])[:20]
    run = engine(name, "openvino")
    found = np.concatenate([run(pixels[i : i + batch_size]) for i in range(0, 20, batch_size)])
    np.testing.assert_array_equal(found[:8], run(drawn()))
    np.testing.assert_array_equal(found[8:], found[[*range(5), *range(7)]])


@pytest.mark.parametrize("name", BACKBONES)
def test_openvino_gives_the_same_bits_at_every_place_in_the_batch(name: str) -> None:
    pixels = drawn()
    run = engine(name, "openvino")
    order = np.random.default_rng(1).permutation(COUNT)
    np.testing.assert_array_equal(run(pixels[order]), run(pixels)[order])
    padded = pixels.copy()
    padded[3:] = 0  # the padding of a last batch
    np.testing.assert_array_equal(run(padded)[:3], run(pixels)[:3])


@pytest.fixture
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.mark.parametrize("name", BACKBONES)
def test_openvino_gives_the_same_bits_for_every_number_of_threads(
    name: str, one_thread: None
) -> None:
    alone = make_engine(network(name), execution("openvino"), size=224)(drawn())
    torch.set_num_threads(3)
    several = make_engine(network(name), execution("openvino"), size=224)(drawn())
    np.testing.assert_array_equal(alone, several)


class Unconvertible(nn.Module):
    """What OpenVINO has no operation for."""

    def forward(self, pixels: Tensor) -> Tensor:
        return torch.linalg.svdvals(pixels.float()).flatten(1)


class Untraceable(nn.Module):
    """What cannot even be traced."""

    def forward(self, pixels: Tensor) -> Tensor:
        if type(pixels.shape[0]) is not int:  # while it is traced, sizes are tensors
            raise TypeError("only plain sizes")
        return pixels.float().flatten(1)


@pytest.mark.parametrize("module", [Unconvertible(), Untraceable()], ids=lambda m: type(m).__name__)
def test_a_network_that_openvino_cannot_run_ends_in_one_line(module: nn.Module) -> None:
    pixels = drawn(2, 16)
    chosen = execution("openvino", batch_size=2)
    with pytest.raises(UserError, match="OpenVINO cannot run this network") as caught:
        make_engine(module, chosen, size=16)
    assert "--engine torch" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 350
    assert make_engine(module, execution("torch", batch_size=2), size=16)(pixels).shape[0] == 2


def choose(*, device: str = "auto", engine: str = "auto", **options: int) -> Execution:
    return choose_execution(
        device=device, engine=engine, precision="fp32",
        batch_size=options.get("batch_size"), workers=2,
    )  # fmt: skip


def test_without_a_gpu_auto_is_openvino_on_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "_cuda_is_available", lambda: False)
    assert choose() == Execution("cpu", "openvino", "fp32", 16, 2)
    assert choose(engine="torch").engine == "torch"
    assert choose(batch_size=3).batch_size == 3


def test_with_a_gpu_auto_is_torch_on_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "_cuda_is_available", lambda: True)
    assert choose() == Execution("cuda", "torch", "fp32", 128, 2)
    assert choose(device="cpu").engine == "openvino"
    with pytest.raises(IncompatibleError, match="openvino runs on a CPU, not on cuda"):
        choose(engine="openvino")


def test_without_openvino_auto_is_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines.fingerprints, "versions", lambda *names: {})
    assert choose(device="cpu").engine == "torch"
    with pytest.raises(IncompatibleError, match="pip install openvino"):
        choose(device="cpu", engine="openvino")


def test_bf16_that_openvino_would_compute_in_float32_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class OlderProcessor:
        def get_property(self, device: str, name: str) -> list[str]:
            assert (device, name) == ("CPU", "OPTIMIZATION_CAPABILITIES")
            return ["FP32", "INT8"]

    monkeypatch.setattr("openvino.Core", OlderProcessor)
    options = {"device": "cpu", "precision": "bf16", "batch_size": None, "workers": 1}
    with pytest.raises(IncompatibleError, match="no bf16 arithmetic"):
        choose_execution(engine="auto", **options)  # type: ignore[arg-type]
    assert choose_execution(engine="torch", **options).precision == "bf16"  # type: ignore[arg-type]
    assert choose(device="cpu").precision == "fp32"


def test_cuda_without_a_gpu_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "_cuda_is_available", lambda: False)
    with pytest.raises(IncompatibleError, match="sees no CUDA device here; use --device cpu"):
        choose(device="cuda")


def test_the_identity_names_what_can_change_digits_and_nothing_else() -> None:
    first = Execution("cpu", "openvino", "fp32", 16, 2)
    assert first.identity() == Execution("cpu", "openvino", "fp32", 3, 9).identity()
    others = [
        Execution("cuda", "openvino", "fp32", 16, 2), Execution("cpu", "torch", "fp32", 16, 2),
        Execution("cpu", "openvino", "bf16", 16, 2),
    ]  # fmt: skip
    assert all(other.identity() != first.identity() for other in others)
    assert {"torch", "torchvision", "timm", "openvino"} <= set(first.identity())


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("name", BACKBONES)
def test_torch_on_a_gpu_agrees_with_the_cpu(name: str) -> None:
    chosen = Execution("cuda", "torch", "fp32", COUNT, 1)
    try:
        found = make_engine(network(name), chosen, size=224)(drawn())
        reduced = make_engine(
            network(name), Execution("cuda", "torch", "bf16", COUNT, 1), size=224
        )(drawn())
    finally:
        network(name).cpu()
    expected = expected_of(name)
    # convolutions on a GPU may round to 10 bits of mantissa (TF32), unless told otherwise
    assert abs(found - expected).max() <= 5e-3 * abs(expected).max()
    assert min(cosines(found, expected)) > 0.99999
    assert min(cosines(reduced, expected)) >= BF16_FLOORS[name][0]
