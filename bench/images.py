"""From image files to batches of pixels.

JPEG files are decoded by torchvision's libjpeg-turbo, which gives the same pixels as Pillow in
less time (tested); all else, and what it refuses, by Pillow. Every image becomes 8-bit RGB as it is
meant to be seen: turned as its EXIF orientation says, grey, palette and CMYK converted, 16 bits
scaled to 8, transparency laid on white.
"""

from __future__ import annotations

import io
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image, ImageOps, UnidentifiedImageError
from threadpoolctl import ThreadpoolController
from torch import Tensor
from torchvision.io import ImageReadMode, decode_jpeg
from torchvision.transforms import InterpolationMode
from torchvision.transforms.v2 import functional as F

from bench.errors import DamagedImageError, DataError
from bench.interfaces import Preprocessing

Box = tuple[float, float, float, float]
_JPEG = b"\xff\xd8\xff"
LONGEST = 8  # sides longer than this many times the shorter one are cut first
WAYS_OUT = "repair it, or leave such images out with --skip-damaged"
READ_AHEAD = 4  # batches beyond one a worker: with none, extraction was a tenth slower


def decode(path: Path) -> Tensor:
    """Return an image file as uint8 `(3, H, W)` RGB, as it is meant to be seen.

    Raises `DamagedImageError` naming the file where neither decoder can read all of it.
    """
    data = path.read_bytes()
    if data.startswith(_JPEG):
        try:
            encoded = torch.frombuffer(bytearray(data), dtype=torch.uint8)
            image = decode_jpeg(encoded, mode=ImageReadMode.RGB, apply_exif_orientation=True)
        except RuntimeError:
            pass  # Pillow reads some files that libjpeg-turbo refuses, and says what is wrong
        else:
            return cast(Tensor, image)
    try:
        with Image.open(io.BytesIO(data)) as opened:
            rgb = _as_rgb(ImageOps.exif_transpose(opened))
    except Exception as error:
        reason = " ".join(str(error).split())[:120]
        if isinstance(error, UnidentifiedImageError):  # its text is the address of an object
            reason = "its content is of no known image format" if data else "it is empty"
        raise DamagedImageError(f"{path} is not a readable image: {reason}") from None
    return torch.from_numpy(np.array(rgb)).permute(2, 0, 1)


def _as_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I;16") or image.mode == "I":
        scaled = np.asarray(image).astype(np.float64) / 257
        return Image.fromarray(scaled.round().clip(0, 255).astype(np.uint8)).convert("RGB")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(white, image).convert("RGB")
    return image.convert("RGB")


def crop_to_box(image: Tensor, box: Box) -> Tensor:
    """Return the part of `(3, H, W)` inside a box (x1, y1, x2, y2), clipped to the image.

    Raises `DataError` for a box that has no area inside the image.
    """
    height, width = image.shape[1:]
    left, top = max(0, int(box[0])), max(0, int(box[1]))
    right, bottom = min(width, int(np.ceil(box[2]))), min(height, int(np.ceil(box[3])))
    if left >= right or top >= bottom:
        raise DataError(f"box {tuple(map(float, box))} lies outside the {width} x {height} image")
    return image[:, top:bottom, left:right]


def resize_and_crop(image: Tensor, preprocessing: Preprocessing) -> Tensor:
    """Return uint8 `(3, S, S)`, resized with antialiasing as `preprocessing.fit` says.

    "crop": the shorter side to S / crop, and the middle kept. "squash": all of it to S x S. It
    agrees with torchvision's `Resize` and `CenterCrop` on a tensor, and with Pillow to within a
    grey level or two of rounding.
    """
    size = preprocessing.size
    # of a very long image only the middle is kept: resizing all of it could take gigabytes
    longest = LONGEST * min(image.shape[1:])
    if max(image.shape[1:]) > longest:
        image = F.center_crop(image, [min(side, longest) for side in image.shape[1:]])
    mode = InterpolationMode(preprocessing.interpolation)
    if preprocessing.fit == "squash":
        return cast(Tensor, F.resize(image, [size, size], interpolation=mode, antialias=True))
    shorter = int(size / preprocessing.crop)
    resized = F.resize(image, [shorter], interpolation=mode, antialias=True)
    return cast(Tensor, F.center_crop(resized, [size]))


def seen_part(preprocessing: Preprocessing, height: int, width: int) -> Box:
    """Return what the network sees of an image, as shares of its sides; see `resize_and_crop`."""
    longest = LONGEST * min(height, width)
    sides = np.array([min(width, longest), min(height, longest)])
    if preprocessing.fit == "crop":
        kept = preprocessing.size / int(preprocessing.size / preprocessing.crop)
        sides = np.minimum(sides, min(height, width) * kept)
    half = sides / (width, height) / 2
    return (*(0.5 - half).tolist(), *(0.5 + half).tolist())


def decode_inside(file: Path, box: npt.NDArray[np.float32]) -> Tensor:
    """Return an image file as uint8 `(3, h, w)`: decoded, and cut to its box unless that is NaN.

    Raises `DamagedImageError` naming the file where it cannot be read, or has nothing in the box.
    """
    image = decode(file)
    if np.isnan(box[0]):
        return image
    try:
        return crop_to_box(image, tuple(box))
    except DataError as error:
        raise DamagedImageError(f"{file}: {error}") from None


def read_image(file: Path, box: npt.NDArray[np.float32], preprocessing: Preprocessing) -> Tensor:
    """Return an image file as uint8 `(3, S, S)`: decoded, cut to its box unless NaN, resized.

    Raises `DamagedImageError` as `decode_inside` does.
    """
    return resize_and_crop(decode_inside(file, box), preprocessing)


def reading_threads(workers: int) -> ThreadPoolExecutor:
    """Return threads for reading images, none of which has a team of OpenMP threads of its own.

    Torch gives each thread such a team. Once GNU's OpenMP counts more threads than processors, it
    puts those that wait to sleep, and the network then pays a wake-up for each of its loops.
    """
    libraries = ThreadpoolController()

    def stay_alone() -> None:
        torch.get_num_threads()  # torch sets a new thread's number when it is first asked
        libraries.limit(limits=1, user_api="openmp")

    return ThreadPoolExecutor(workers, initializer=stay_alone)


@dataclass(frozen=True)
class PixelBatch:
    """Pixels of one batch, uint8 `(batch_size, 3, S, S)`; rows beyond `len(rows)` are padding.

    `damaged` maps places in the batch to why they could not be read; their pixels are zero.
    """

    rows: npt.NDArray[np.int64]
    pixels: npt.NDArray[np.uint8]
    damaged: dict[int, str] = field(default_factory=dict)


def pixel_batches(
    files: Sequence[Path],
    boxes: npt.NDArray[np.float32],
    rows: npt.NDArray[np.int64],
    *,
    preprocessing: Preprocessing,
    batch_size: int,
    workers: int,
    skip_damaged: bool,
) -> Iterator[PixelBatch]:
    """Yield the pixels of `files`, in order, decoded ahead of use by `workers` threads.

    `boxes` (n, 4) crops first, where not NaN; `rows` (n,) are passed on in the batches. At most
    `workers + READ_AHEAD + 2` batches are in memory. All batches have one shape, so that an engine
    compiled for it treats every image alike. Raises `DamagedImageError` unless `skip_damaged`.
    """
    size = preprocessing.size

    def read(start: int) -> PixelBatch:
        chosen = range(start, min(start + batch_size, len(files)))
        batch = PixelBatch(
            rows[start : start + batch_size], np.zeros((batch_size, 3, size, size), np.uint8)
        )
        for place, index in enumerate(chosen):
            try:
                image = read_image(files[index], boxes[index], preprocessing)
            except DamagedImageError as error:
                if not skip_damaged:
                    raise DamagedImageError(f"{error}; {WAYS_OUT}") from None
                batch.damaged[place] = str(error)
                continue
            batch.pixels[place] = image.numpy()
        return batch

    with reading_threads(workers) as pool:
        starts = iter(range(0, len(files), batch_size))
        ahead: deque[Future[PixelBatch]] = deque()
        try:
            for start in starts:
                # before the next one is begun: the consumer still holds the last one it was given
                if len(ahead) > workers + READ_AHEAD:
                    yield ahead.popleft().result()
                ahead.append(pool.submit(read, start))
            while ahead:
                yield ahead.popleft().result()
        finally:
            for future in ahead:
                future.cancel()
