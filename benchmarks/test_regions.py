"""Finding and cutting out the regions of attributes, at the size of FashionSearchNet-v2.

12 activation maps and conv5 of 384 channels on 13 x 13 cells, 32 images a batch. `ours` works on
the whole batch at once; `one by one` is what one writes with scipy and torchvision: `ndimage.label`
of each map, then `roi_align` with one sample in each place. Milliseconds an image are in the JSON,
under `extra_info`, and those of the trunk, AlexNet, beside them. (The paper: regions 2 ms an image
on a TITAN X.)
"""

from __future__ import annotations

import os
from collections.abc import Callable

import numpy as np
import pytest
import torch
from bench_fashionsearchnet.localisation import boxes_of, crop_and_resize
from bench_fashionsearchnet.networks import FashionSearchNet
from bench_fashionsearchnet.recipe import FashionSearchNetRecipe
from pytest_benchmark.fixture import BenchmarkFixture
from scipy import ndimage
from torch import Tensor
from torch.nn import functional as F
from torchvision.ops import roi_align

from bench.plugins import Registry

IMAGES, ATTRIBUTES, CELLS, GRID = 32, 12, 13, 4
THREADS = os.cpu_count() or 1
GROUP = f"regions of {ATTRIBUTES} attributes, {CELLS} x {CELLS} cells, {THREADS} threads"
JOINED = np.ones((3, 3))  # cells that touch by sides or corners


def ours(maps: Tensor, conv5: Tensor) -> Tensor:
    boxes = boxes_of(maps.flatten(0, 1)).reshape(len(maps), ATTRIBUTES, 4)
    return crop_and_resize(conv5, boxes, GRID)


def one_by_one(maps: Tensor, conv5: Tensor) -> Tensor:
    boxes = []
    for image, of_image in enumerate(maps.numpy()):
        for single in of_image:
            labels, count = ndimage.label(single > 0.2 * single.max(), JOINED)
            sizes = ndimage.sum_labels(labels > 0, labels, range(1, count + 1))
            rows, columns = ndimage.find_objects(labels)[int(np.argmax(sizes))]
            boxes.append([image, columns.start, rows.start, columns.stop, rows.stop])
    found = roi_align(conv5, torch.tensor(boxes, dtype=torch.float32), GRID, sampling_ratio=1,
                      aligned=True)  # fmt: skip
    return found.reshape(len(maps), ATTRIBUTES, *found.shape[1:])


@pytest.fixture(scope="module")
def seen() -> tuple[Tensor, Tensor]:
    """Smooth maps, as sums over channels of conv7 are, with a positive peak each; and conv5."""
    torch.set_num_threads(THREADS)
    torch.manual_seed(0)
    noise = torch.randn(IMAGES * ATTRIBUTES, 1, CELLS + 4, CELLS + 4)
    maps = F.avg_pool2d(noise, 5, 1).reshape(IMAGES, ATTRIBUTES, CELLS, CELLS)
    return maps, torch.randn(IMAGES, 384, CELLS, CELLS)


def note(benchmark: BenchmarkFixture) -> None:
    if benchmark.stats is not None:
        milliseconds = benchmark.stats.stats.median * 1000 / IMAGES
        benchmark.extra_info["milliseconds an image"] = round(milliseconds, 3)


@pytest.mark.benchmark(group=GROUP)
def test_ours(
    benchmark: BenchmarkFixture, in_turn: Callable[..., Tensor], seen: tuple[Tensor, Tensor]
) -> None:
    maps, conv5 = seen
    stored = conv5.contiguous(memory_format=torch.channels_last)  # as the loop has it
    found = in_turn(benchmark, lambda: ours(maps, stored), lambda: one_by_one(maps, conv5), 15)
    assert torch.allclose(found, one_by_one(maps, conv5), atol=1e-4)
    note(benchmark)


@pytest.mark.benchmark(group=GROUP)
def test_one_by_one(benchmark: BenchmarkFixture, seen: tuple[Tensor, Tensor]) -> None:
    benchmark.pedantic(one_by_one, seen, rounds=5, warmup_rounds=1)
    note(benchmark)


@pytest.mark.benchmark(group=GROUP)
def test_trunk(benchmark: BenchmarkFixture) -> None:
    torch.set_num_threads(THREADS)
    registry = Registry.load()
    alexnet = registry.backbone(registry.backbone_source("alexnet", "none", 0))
    network = FashionSearchNet(FashionSearchNetRecipe(), alexnet, [13] * ATTRIBUTES).eval()
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    images = torch.randn(IMAGES, 3, 227, 227).contiguous(memory_format=torch.channels_last)
    with torch.no_grad():
        benchmark.pedantic(network.maps, (images,), rounds=5, warmup_rounds=1)
    note(benchmark)
