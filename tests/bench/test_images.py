from __future__ import annotations

import io
import math
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from PIL import Image, ImageOps

from bench import images
from bench.errors import DamagedImageError, DataError
from bench.images import PixelBatch, crop_to_box, decode, pixel_batches, resize_and_crop
from bench.interfaces import Interpolation, Preprocessing

ORIENTATION = 0x0112  # the EXIF tag
SMALL = Preprocessing(24, 0.875, "bilinear", (0.5,) * 3, (0.5,) * 3)


def picture(height: int, width: int, seed: int = 0) -> npt.NDArray[np.uint8]:
    """Return smooth colours with edges and a little noise, as photographs have, (H, W, 3)."""
    generator = np.random.default_rng(seed)
    rows, columns = np.mgrid[0:height, 0:width]
    channels = [
        128 + 90 * np.sin(rows / (7 + 3 * c) + seed) * np.cos(columns / (9 - 2 * c))
        for c in range(3)
    ]
    smooth = np.stack(channels, axis=2)
    smooth[height // 3 : height // 2, width // 4 : width // 2] = generator.integers(0, 256, 3)
    noisy = smooth + generator.normal(0, 3, smooth.shape)
    return noisy.clip(0, 255).astype(np.uint8)


def saved(folder: Path, image: Image.Image, kind: str, **options: object) -> Path:
    path = folder / f"picture.{kind.lower()}"
    image.save(path, kind, **options)
    return path


def by_pillow(path: Path) -> npt.NDArray[np.uint8]:
    with Image.open(path) as opened:
        return np.asarray(ImageOps.exif_transpose(opened).convert("RGB"))


def pixels(path: Path) -> npt.NDArray[np.uint8]:
    image = decode(path)
    assert image.dtype == torch.uint8
    return image.permute(1, 2, 0).numpy()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_jpeg_of_every_exif_orientation_has_the_pixels_that_pillow_shows(
    tmp_path: Path, orientation: int
) -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    path = saved(tmp_path, Image.fromarray(picture(40, 64)), "JPEG", quality=90, exif=exif)
    expected = by_pillow(path)
    assert expected.shape == ((64, 40, 3) if orientation >= 5 else (40, 64, 3))
    np.testing.assert_array_equal(pixels(path), expected)


@pytest.mark.parametrize("subsampling", [0, 1, 2])
def test_a_jpeg_of_odd_size_and_any_subsampling_has_the_pixels_of_pillow(
    tmp_path: Path, subsampling: int
) -> None:
    image = Image.fromarray(picture(53, 71))
    path = saved(tmp_path, image, "JPEG", quality=85, subsampling=subsampling, progressive=True)
    np.testing.assert_array_equal(pixels(path), by_pillow(path))


def test_a_grey_jpeg_becomes_three_equal_channels(tmp_path: Path) -> None:
    path = saved(tmp_path, Image.fromarray(picture(40, 64)).convert("L"), "JPEG")
    found = pixels(path)
    np.testing.assert_array_equal(found, by_pillow(path))
    assert (found == found[..., :1]).all()


def test_a_cmyk_jpeg_has_the_colours_that_pillow_shows(tmp_path: Path) -> None:
    path = saved(tmp_path, Image.fromarray(picture(40, 64)).convert("CMYK"), "JPEG", quality=95)
    found, expected = pixels(path).astype(int), by_pillow(path).astype(int)
    # two decoders round the product of two bytes differently, by one level
    assert abs(found - expected).max() <= 1
    assert abs(found - picture(40, 64)).mean() < 10  # and it is no negative


def test_a_png_of_16_bit_grey_is_scaled_and_not_clipped(tmp_path: Path) -> None:
    ramp = np.linspace(0, 65535, 256).round().astype(np.uint16)
    path = saved(tmp_path, Image.fromarray(np.tile(ramp, (8, 1))), "PNG")
    found = pixels(path)
    np.testing.assert_array_equal(found[3, :, 0], np.arange(256))
    assert (found == found[..., :1]).all()


def test_a_palette_image_has_its_colours(tmp_path: Path) -> None:
    path = saved(tmp_path, Image.fromarray(picture(20, 30)).quantize(16), "PNG")
    np.testing.assert_array_equal(pixels(path), by_pillow(path))
    assert len(np.unique(pixels(path).reshape(-1, 3), axis=0)) == 16


def test_a_transparent_palette_entry_becomes_white(tmp_path: Path) -> None:
    image = Image.fromarray(np.array([[0, 1], [2, 1]], np.uint8), "P")
    image.putpalette([200, 10, 10, 0, 0, 0, 10, 10, 200])
    path = saved(tmp_path, image, "PNG", transparency=1)
    expected = [[[200, 10, 10], [255, 255, 255]], [[10, 10, 200], [255, 255, 255]]]
    np.testing.assert_array_equal(pixels(path), expected)


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_transparency_is_laid_on_white(tmp_path: Path, kind: str) -> None:
    colours = np.zeros((4, 6, 4), np.uint8)
    colours[:, :2] = (200, 100, 50, 255)
    colours[:, 2:4] = (200, 100, 50, 0)
    colours[:, 4:] = (200, 100, 50, 128)
    options = {"lossless": True, "exact": True} if kind == "WEBP" else {}
    found = pixels(saved(tmp_path, Image.fromarray(colours, "RGBA"), kind, **options))
    np.testing.assert_array_equal(found[0, 0], [200, 100, 50])
    np.testing.assert_array_equal(found[0, 2], [255, 255, 255])
    half = np.array([200, 100, 50]) * 128 / 255 + 255 * 127 / 255
    np.testing.assert_allclose(found[0, 4], half, atol=1)


def test_grey_with_transparency_is_laid_on_white(tmp_path: Path) -> None:
    grey = np.array([[[0, 255], [0, 0], [0, 51]]], np.uint8)
    found = pixels(saved(tmp_path, Image.fromarray(grey, "LA"), "PNG"))
    np.testing.assert_array_equal(found[0, :, 0], [0, 255, 204])


def test_a_1_bit_image_is_black_and_white(tmp_path: Path) -> None:
    bits = np.array([[True, False, True], [False, False, True]])
    found = pixels(saved(tmp_path, Image.fromarray(bits), "PNG"))
    np.testing.assert_array_equal(found[..., 0], bits * 255)


@pytest.mark.parametrize(
    ("kind", "options"),
    [("WEBP", {"quality": 80}), ("GIF", {}), ("BMP", {}), ("TIFF", {}), ("PNG", {})],
)
def test_other_formats_have_the_pixels_of_pillow(
    tmp_path: Path, kind: str, options: dict[str, object]
) -> None:
    path = saved(tmp_path, Image.fromarray(picture(31, 45)), kind, **options)
    np.testing.assert_array_equal(pixels(path), by_pillow(path))


def test_the_name_of_a_file_does_not_say_what_it_holds(tmp_path: Path) -> None:
    path = tmp_path / "named-like-a-photograph.jpg"
    Image.fromarray(picture(20, 30)).save(path, "PNG")
    np.testing.assert_array_equal(pixels(path), picture(20, 30))


def _encoded(kind: str) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(picture(120, 160)).save(buffer, kind)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(lambda: _encoded("JPEG")[: len(_encoded("JPEG")) // 2], id="half a JPEG"),
        pytest.param(lambda: _encoded("JPEG")[:-200], id="a JPEG without its end"),
        pytest.param(lambda: _encoded("JPEG")[:20], id="the first bytes of a JPEG"),
        pytest.param(lambda: _encoded("PNG")[: len(_encoded("PNG")) // 2], id="half a PNG"),
        pytest.param(lambda: _encoded("WEBP")[:60], id="the first bytes of a WebP"),
        pytest.param(lambda: b"", id="an empty file"),
        pytest.param(lambda: b"<html>\n404 not found\n</html>\n", id="a text file"),
        pytest.param(lambda: bytes(range(256)) * 9, id="any bytes"),
    ],
)
def test_a_damaged_file_is_named_in_one_line(tmp_path: Path, content: Callable[[], bytes]) -> None:
    path = tmp_path / "damaged.jpg"
    path.write_bytes(content())
    with pytest.raises(DamagedImageError) as caught:
        decode(path)
    message = str(caught.value)
    assert str(path) in message
    assert "\n" not in message
    assert len(message) < len(str(path)) + 200
    assert "0x" not in message, "an object's address says nothing"


def test_a_box_is_cut_out_to_whole_pixels_and_clipped_to_the_image() -> None:
    image = torch.arange(3 * 10 * 20, dtype=torch.int32).reshape(3, 10, 20)
    assert torch.equal(crop_to_box(image, (2, 3, 7, 9)), image[:, 3:9, 2:7])
    assert torch.equal(crop_to_box(image, (2.6, 3.6, 6.2, 8.2)), image[:, 3:9, 2:7])
    assert torch.equal(crop_to_box(image, (-5, 0, 7, 900)), image[:, :, :7])
    assert torch.equal(crop_to_box(image, (19.5, 9.5, 30, 30)), image[:, 9:, 19:])


@pytest.mark.parametrize("box", [(20, 0, 25, 5), (0, 10, 5, 12), (-9, 0, 0, 5), (0, -9, 5, -1)])
def test_a_box_outside_the_image_is_refused(box: tuple[float, float, float, float]) -> None:
    with pytest.raises(DataError, match=r"lies outside the 20 x 10 image"):
        crop_to_box(torch.zeros((3, 10, 20)), box)


def _resized_by_pillow(
    image: npt.NDArray[np.uint8], preprocessing: Preprocessing
) -> npt.NDArray[np.uint8]:
    """Resize the shorter side and keep the middle, all by Pillow."""
    height, width = image.shape[:2]
    shorter = int(preprocessing.size / preprocessing.crop)
    if height < width:
        size = (int(shorter * width / height), shorter)
    else:
        size = (shorter, int(shorter * height / width))
    filters = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC}
    resized = Image.fromarray(image).resize(size, filters[preprocessing.interpolation])
    left = round((size[0] - preprocessing.size) / 2)
    top = round((size[1] - preprocessing.size) / 2)
    side = preprocessing.size
    return np.asarray(resized.crop((left, top, left + side, top + side)))


@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic"])
@pytest.mark.parametrize(
    ("height", "width", "size", "crop"),
    [
        pytest.param(534, 400, 224, 0.875, id="portrait"),
        pytest.param(301, 455, 224, 0.9, id="odd landscape"),
        pytest.param(256, 256, 224, 1.0, id="square"),
        pytest.param(50, 37, 224, 0.875, id="smaller than the target"),
        pytest.param(1, 1, 32, 0.875, id="one pixel"),
        pytest.param(16, 900, 64, 0.95, id="56 times as wide as high"),
        pytest.param(700, 9, 32, 0.875, id="78 times as high as wide"),
    ],
)
def test_resizing_agrees_with_pillow_to_two_grey_levels(
    height: int, width: int, size: int, crop: float, interpolation: Interpolation
) -> None:
    preprocessing = Preprocessing(size, crop, interpolation, (0.5,) * 3, (0.5,) * 3)
    image = picture(height, width)
    found = resize_and_crop(torch.from_numpy(image).permute(2, 0, 1), preprocessing)
    assert found.shape == (3, size, size)
    assert found.dtype == torch.uint8
    difference = found.permute(1, 2, 0).numpy().astype(int) - _resized_by_pillow(
        image, preprocessing
    ).astype(int)
    assert abs(difference).max() <= 2


@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic"])
@pytest.mark.parametrize(
    ("height", "width", "size"),
    [
        pytest.param(534, 400, 224, id="portrait"),
        pytest.param(301, 455, 224, id="odd landscape"),
        pytest.param(224, 224, 224, id="as it is"),
        pytest.param(50, 37, 224, id="smaller than the target"),
        pytest.param(1, 1, 32, id="one pixel"),
        pytest.param(40, 320, 64, id="8 times as wide as high"),
    ],
)
def test_squashing_agrees_with_pillow_to_two_grey_levels(
    height: int, width: int, size: int, interpolation: Interpolation
) -> None:
    preprocessing = Preprocessing(size, 0.875, interpolation, (0.5,) * 3, (0.5,) * 3, "squash")
    image = picture(height, width)
    found = resize_and_crop(torch.from_numpy(image).permute(2, 0, 1), preprocessing)
    assert found.shape == (3, size, size)
    assert found.dtype == torch.uint8
    filters = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC}
    expected = np.asarray(Image.fromarray(image).resize((size, size), filters[interpolation]))
    difference = found.permute(1, 2, 0).numpy().astype(int) - expected.astype(int)
    assert abs(difference).max() <= 2


def test_squashing_keeps_the_rim_that_cropping_loses() -> None:
    image = torch.zeros((3, 200, 50), dtype=torch.uint8)
    image[:, :20], image[:, -20:] = 250, 200  # a hem and a collar: a tenth of the height each
    squashed = resize_and_crop(image, replace(SMALL, size=40, fit="squash"))
    assert (squashed[:, :3] == 250).all()
    assert (squashed[:, -3:] == 200).all()
    assert (squashed[:, 6:-6] == 0).all()
    assert not resize_and_crop(image, replace(SMALL, size=40)).any()


def test_squashing_does_not_depend_on_the_crop() -> None:
    image = torch.from_numpy(picture(60, 90)).permute(2, 0, 1)
    first, second = (
        resize_and_crop(image, replace(SMALL, fit="squash", crop=crop)) for crop in (0.5, 1.0)
    )
    assert torch.equal(first, second)


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    paths = []
    for number in range(20):
        path = tmp_path / f"{number:02}.jpg"
        Image.fromarray(picture(30 + number, 50 - number, number)).save(path, "JPEG")
        paths.append(path)
    return paths


def batches(
    files: list[Path],
    *,
    workers: int = 2,
    batch_size: int = 3,
    skip_damaged: bool = False,
    boxes: npt.NDArray[np.float32] | None = None,
) -> Iterator[PixelBatch]:
    if boxes is None:
        boxes = np.full((len(files), 4), np.nan, np.float32)
    rows = np.arange(len(files)) + 100
    return pixel_batches(
        files, boxes, rows, preprocessing=SMALL, batch_size=batch_size, workers=workers,
        skip_damaged=skip_damaged,
    )  # fmt: skip


@pytest.mark.parametrize("workers", [1, 2, 5])
@pytest.mark.parametrize("batch_size", [1, 3, 16])
def test_pixels_and_their_order_depend_on_neither_workers_nor_batch_size(
    files: list[Path], workers: int, batch_size: int
) -> None:
    expected = np.stack([resize_and_crop(decode(path), SMALL).numpy() for path in files])
    found = list(batches(files, workers=workers, batch_size=batch_size))
    assert len(found) == math.ceil(len(files) / batch_size)
    assert all(batch.pixels.shape == (batch_size, 3, 24, 24) for batch in found)
    np.testing.assert_array_equal(
        np.concatenate([b.rows for b in found]), np.arange(len(files)) + 100
    )
    filled = np.concatenate([b.pixels[: len(b.rows)] for b in found])
    np.testing.assert_array_equal(filled, expected)


def test_the_last_batch_is_padded_with_zeros(files: list[Path]) -> None:
    last = list(batches(files, batch_size=16))[-1]
    assert len(last.rows) == 4
    assert last.pixels.shape[0] == 16
    assert last.pixels[:4].any(axis=(1, 2, 3)).all()
    assert not last.pixels[4:].any()


def test_no_files_give_no_batches() -> None:
    assert list(batches([])) == []


def test_each_image_is_cropped_to_its_own_box(files: list[Path]) -> None:
    boxes = np.full((len(files), 4), np.nan, np.float32)
    boxes[5] = (3, 4, 20, 22)
    (batch,) = batches(files, batch_size=20, boxes=boxes)
    whole, cut = decode(files[5]), crop_to_box(decode(files[5]), (3, 4, 20, 22))
    np.testing.assert_array_equal(batch.pixels[5], resize_and_crop(cut, SMALL).numpy())
    assert (batch.pixels[5] != resize_and_crop(whole, SMALL).numpy()).any()
    np.testing.assert_array_equal(batch.pixels[6], resize_and_crop(decode(files[6]), SMALL).numpy())


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_the_number_of_batches_in_memory_is_bounded(
    files: list[Path], workers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    alive: weakref.WeakSet[PixelBatch] = weakref.WeakSet()
    most = []

    class Counted(PixelBatch):
        __hash__ = object.__hash__

        def __init__(self, *facts: Any) -> None:
            super().__init__(*facts)
            alive.add(self)
            most.append(len(alive))

    monkeypatch.setattr(images, "PixelBatch", Counted)
    for _ in batches(files, workers=workers, batch_size=1):
        time.sleep(0.02)  # a slow consumer lets the threads run ahead
    assert len(most) == len(files)
    assert workers < max(most) <= workers + images.READ_AHEAD + 2


@pytest.mark.parametrize("workers", [1, 3])
def test_a_damaged_file_stops_the_batches_and_is_named_with_the_way_out(
    files: list[Path], workers: int
) -> None:
    files[7].write_bytes(files[7].read_bytes()[:300])
    with pytest.raises(DamagedImageError) as caught:
        list(batches(files, workers=workers))
    assert str(files[7]) in str(caught.value)
    assert "--skip-damaged" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_skipped_damaged_files_are_named_and_leave_the_others_as_they_are(
    files: list[Path],
) -> None:
    clean = np.concatenate([batch.pixels for batch in batches(files, batch_size=5)])
    files[7].write_bytes(b"")
    files[11].write_bytes(b"no image")
    boxes = np.full((len(files), 4), np.nan, np.float32)
    boxes[13] = (900, 900, 901, 901)
    found = list(batches(files, batch_size=5, skip_damaged=True, boxes=boxes))
    damaged = {int(b.rows[place]): reason for b in found for place, reason in b.damaged.items()}
    assert set(damaged) == {107, 111, 113}
    assert all(str(files[row - 100]) in reason for row, reason in damaged.items())
    clean[[7, 11, 13]] = 0
    np.testing.assert_array_equal(np.concatenate([batch.pixels for batch in found]), clean)


def test_closing_the_batches_early_ends_their_threads(files: list[Path]) -> None:
    before = set(threading.enumerate())
    stream = batches(files * 10, workers=3, batch_size=1)
    next(stream)
    assert set(threading.enumerate()) - before, "the threads that this test is about"
    stream.close()
    assert not set(threading.enumerate()) - before


def test_threads_that_read_have_one_thread_each_and_others_keep_theirs() -> None:
    found: list[int] = []
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        with images.reading_threads(2) as pool:
            found += pool.map(lambda _: torch.get_num_threads(), range(8))
        other = threading.Thread(target=lambda: found.append(torch.get_num_threads()))
        other.start()
        other.join()
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(before)
    assert found == [1] * 8 + [3]


def test_a_very_long_image_is_cut_before_it_is_resized_and_keeps_its_middle() -> None:
    image = torch.zeros((3, 4, 4000), dtype=torch.uint8)
    image[:, :, 1990:2010] = 200
    with_middle = resize_and_crop(image, SMALL)
    assert with_middle.shape == (3, SMALL.size, SMALL.size)
    middle = SMALL.size // 2
    assert (with_middle[:, :, middle - 2 : middle + 2] == 200).all()
    # the whole of it, resized, would be 4,000 / 4 times the shorter side
    assert torch.equal(with_middle, resize_and_crop(image[:, :, 1800:2200], SMALL))


@pytest.mark.parametrize("shape", [(3, 4, 4000), (3, 4000, 4)])
def test_of_a_very_long_image_the_middle_is_squashed(shape: tuple[int, ...]) -> None:
    image = torch.randint(0, 256, shape, generator=torch.Generator().manual_seed(0)).byte()
    middle = slice(2000 - 16, 2000 + 16)  # 8 times the shorter side
    kept = image[:, :, middle] if shape[2] == 4000 else image[:, middle]
    squash = replace(SMALL, fit="squash")
    assert torch.equal(resize_and_crop(image, squash), resize_and_crop(kept, squash))
