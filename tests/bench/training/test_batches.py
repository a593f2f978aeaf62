from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from bench import images
from bench.catalog import BOX, Catalog
from bench.errors import DamagedImageError
from bench.images import READ_AHEAD, read_image
from bench.interfaces import Preprocessing
from bench.training import batches
from bench.training.augmentation import Variations
from bench.training.batches import Reader, normalised
from bench.training.recipe import Augmentation
from bench.training.samplers import Groups

COUNT = 24
SMALL = Preprocessing(16, 0.875, "bilinear", (0.4, 0.5, 0.6), (0.2, 0.25, 0.3))
Part = tuple[Groups, Variations | None]


@pytest.fixture
def catalog(tmp_path: Path, make_images: Callable[..., list[Path]]) -> Catalog:
    names = [f"{number:02}.jpg" for number in range(COUNT)]
    make_images(tmp_path, names)
    box = {"x1": 3, "y1": 4, "x2": 20, "y2": 30}
    columns = {k: [v if row == 5 else np.nan for row in range(COUNT)] for k, v in box.items()}
    return Catalog.from_columns("toy", tmp_path, {"path": names} | columns)


@pytest.fixture
def groups() -> Groups:
    """Return eight groups of three in no order, with one image twice."""
    rows = np.random.default_rng(0).permutation(COUNT)
    rows[-1] = rows[0]
    return Groups(rows.reshape(8, 3), np.arange(8) % 2)


def reader(catalog: Catalog, *, workers: int = 2) -> Reader:
    return Reader(catalog, SMALL, workers)


def expected(catalog: Catalog, rows: Iterable[int]) -> Tensor:
    """Return the images of rows, read one after another."""
    boxes = catalog.images[list(BOX)].to_numpy(np.float32)
    paths = catalog.images["path"]
    return torch.stack(
        [read_image(catalog.root / paths.iloc[row], boxes[row], SMALL) for row in rows]
    )


def spoil(catalog: Catalog, *rows: int) -> None:
    for row in rows:
        (catalog.root / catalog.images["path"].iloc[row]).write_bytes(b"no image")


def parts_of(groups: Groups, size: int = 2) -> Iterator[Part]:
    """Yield the batches of an epoch, each varied by a generator of its own."""
    for start in range(0, len(groups), size):
        part = groups[start : start + size]
        augmentation = Augmentation(crop=0.5, colour=0.3)
        generator = np.random.default_rng(start)
        yield part, Variations.draw(augmentation, part.rows.size, generator)


# One batch


def test_pixels_are_those_of_read_image_group_after_group(catalog: Catalog, groups: Groups) -> None:
    pixels = reader(catalog).read(groups)
    assert pixels.dtype == torch.uint8
    assert pixels.shape == (24, 3, SMALL.size, SMALL.size)
    assert torch.equal(pixels, expected(catalog, groups.rows.reshape(-1)))
    whole = Catalog.from_columns("toy", catalog.root, {"path": list(catalog.images["path"])})
    changed = (pixels != reader(whole).read(groups)).any(dim=(1, 2, 3))
    assert groups.rows.reshape(-1)[changed].tolist() == [5], "the one with a box is cut to it"


def test_each_image_has_its_own_variation(catalog: Catalog, groups: Groups) -> None:
    variations = Variations.draw(Augmentation(crop=0.5), 24, np.random.default_rng(0))
    pixels = reader(catalog).read(groups, variations)
    plain = expected(catalog, groups.rows.reshape(-1))
    varied = [variations.apply(image, place, SMALL) for place, image in enumerate(plain)]
    assert torch.equal(pixels, torch.stack(varied))
    assert not torch.equal(pixels, plain)


def test_a_damaged_image_is_refused_with_its_path_and_the_way_out(
    catalog: Catalog, groups: Groups
) -> None:
    spoil(catalog, int(groups.rows[4, 1]))
    with pytest.raises(DamagedImageError) as refused:
        reader(catalog).read(groups)
    message = str(refused.value)
    assert message.startswith(f"{catalog.root / catalog.images['path'].iloc[groups.rows[4, 1]]} ")
    assert message.endswith("--skip-damaged")
    assert "\n" not in message


@pytest.mark.parametrize("workers", [1, 3])
def test_images_that_cannot_be_read_are_found(
    catalog: Catalog, workers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "TRIED", 5)
    rows = np.arange(COUNT)
    assert reader(catalog, workers=workers).unreadable(rows).tolist() == []
    spoil(catalog, 3, 11, 17, 18, 23)
    found = reader(catalog, workers=workers).unreadable(rows[::-1])
    assert found.dtype == np.int64
    assert found.tolist() == [3, 11, 17, 18, 23]
    assert reader(catalog, workers=workers).unreadable(np.array([11, 4])).tolist() == [11]
    assert reader(catalog, workers=workers).unreadable(rows[:0]).tolist() == []


def test_a_box_that_is_not_in_its_image_makes_it_unreadable(catalog: Catalog) -> None:
    catalog.images.loc[7, list(BOX)] = (900, 900, 901, 901)
    assert reader(catalog).unreadable(np.arange(COUNT)).tolist() == [7]


def test_normalised_is_what_the_network_was_trained_with() -> None:
    pixels = torch.from_numpy(
        np.random.default_rng(0).integers(0, 256, (4, 3, 8, 8), dtype=np.uint8)
    )
    found = normalised(pixels, SMALL, "cpu")
    assert found.dtype == torch.float32
    assert found.is_contiguous(memory_format=torch.channels_last)
    mean, std = np.array(SMALL.mean), np.array(SMALL.std)
    wanted = (pixels.numpy() / 255 - mean[:, None, None]) / std[:, None, None]
    np.testing.assert_allclose(found.numpy(), wanted, atol=1e-6)


# Read ahead


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_batches_come_in_order_and_hang_on_no_worker(
    catalog: Catalog, groups: Groups, workers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = [(reader(catalog).read(*part), part[0]) for part in parts_of(groups)]
    waits = iter(np.random.default_rng(workers).permutation(COUNT) / 500)
    lock = threading.Lock()

    def slow(*given: object) -> Tensor:
        with lock:
            wait = next(waits)
        threading.Event().wait(wait)
        return read_image(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(batches, "read_image", slow)
    found = list(reader(catalog, workers=workers).ahead(parts_of(groups)))
    assert len(found) == len(wanted) == 4
    for (pixels, read), (others, wanted_groups) in zip(found, wanted, strict=True):
        assert torch.equal(pixels, others)
        np.testing.assert_array_equal(read.rows, wanted_groups.rows)


def test_nothing_gives_no_batches(catalog: Catalog) -> None:
    assert list(reader(catalog).ahead(iter([]))) == []


def counted(stream: Iterable[Part], asked: list[int]) -> Iterator[Part]:
    """Yield the parts, and keep how many were asked for."""
    for part in stream:
        asked[0] += 1
        yield part


@pytest.mark.parametrize("workers", [1, 3])
def test_what_is_read_ahead_is_bounded(catalog: Catalog, workers: int) -> None:
    asked, taken = [0], 0
    single = Groups(np.arange(COUNT)[:, None])
    for _ in reader(catalog, workers=workers).ahead(counted(parts_of(single, 1), asked)):
        taken += 1
        ahead = asked[0] - (taken - 1)  # the one in the consumer's hands is among them
        assert ahead <= workers + READ_AHEAD + 2
        if taken <= COUNT - (workers + READ_AHEAD + 1):
            assert ahead == workers + READ_AHEAD + 2
    assert taken == asked[0] == COUNT


def test_an_error_of_a_worker_reaches_the_consumer_in_its_turn(
    catalog: Catalog, groups: Groups
) -> None:
    spoil(catalog, int(groups.rows[5, 1]))
    before = set(threading.enumerate())
    stream = reader(catalog).ahead(parts_of(groups))
    assert len(next(stream)[1]) == 2
    assert len(next(stream)[1]) == 2
    with pytest.raises(DamagedImageError, match="--skip-damaged"):
        next(stream)
    assert not set(threading.enumerate()) - before


def test_an_error_of_the_parts_reaches_the_consumer(catalog: Catalog, groups: Groups) -> None:
    def broken() -> Iterator[Part]:
        yield from parts_of(groups)
        raise RuntimeError("the sampler is broken")

    before = set(threading.enumerate())
    with pytest.raises(RuntimeError, match="the sampler is broken"):
        list(reader(catalog).ahead(broken()))
    assert not set(threading.enumerate()) - before


def test_closing_early_cancels_what_is_not_begun(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, closing = threading.Event(), threading.Event()
    read = []

    class Pool(ThreadPoolExecutor):
        def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
            closing.set()
            super().shutdown(wait, cancel_futures=cancel_futures)

    def waiting(path: Path, *given: object) -> Tensor:
        if path.name != "00.jpg":
            begun.set()
            closing.wait(60)
        read.append(path.name)
        return read_image(path, *given)  # type: ignore[arg-type]

    monkeypatch.setattr(batches, "reading_threads", Pool)
    monkeypatch.setattr(batches, "read_image", waiting)
    before = set(threading.enumerate())
    stream = reader(catalog, workers=1).ahead(parts_of(Groups(np.arange(COUNT)[:, None]), 1))
    next(stream)
    assert begun.wait(60)
    assert set(threading.enumerate()) - before, "the threads that this test is about"
    stream.close()  # type: ignore[attr-defined]
    assert not set(threading.enumerate()) - before
    assert read == ["00.jpg", "01.jpg"], "the one under way ends; the others waited"


def test_the_preprocessing_is_the_stage_s_own(catalog: Catalog, groups: Groups) -> None:
    larger = replace(SMALL, size=20)
    pixels = Reader(catalog, larger, 1).read(groups[:1])
    assert pixels.shape == (3, 3, 20, 20)
    path = catalog.root / catalog.images["path"].iloc[groups.rows[0, 2]]
    box = catalog.images[list(BOX)].to_numpy(np.float32)[groups.rows[0, 2]]
    assert torch.equal(pixels[2], images.read_image(path, box, larger))
