"""From an epoch's groups to batches of pixels, read ahead of the steps that need them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from bench.catalog import BOX, Catalog
from bench.errors import DamagedImageError
from bench.images import READ_AHEAD, WAYS_OUT, read_image
from bench.interfaces import Preprocessing
from bench.training.augmentation import Variations
from bench.training.samplers import Groups


@dataclass(frozen=True)
class Reader:
    """Reads the images of a catalog as a network wants them.

    With `skip_damaged`, a group with an image that cannot be read is left out of its batch;
    else `DamagedImageError` is raised.
    """

    catalog: Catalog
    preprocessing: Preprocessing
    workers: int
    skip_damaged: bool

    def read(
        self, groups: Groups, varied: Callable[[], Variations] | None = None
    ) -> tuple[Tensor, Groups]:
        """Return uint8 (n * g, 3, S, S) of the groups that can be read, and these groups."""
        images, size = self.catalog.images, self.preprocessing.size
        variations = varied() if varied else None
        rows = groups.rows.reshape(-1)
        paths = images["path"].iloc[rows]
        boxes = images[list(BOX)].iloc[rows].to_numpy(np.float32)
        pixels = torch.empty((len(rows), 3, size, size), dtype=torch.uint8)
        whole = np.ones(len(rows), np.bool_)
        for place, (path, box) in enumerate(zip(paths, boxes, strict=True)):
            try:
                image = read_image(self.catalog.root / path, box, self.preprocessing)
            except DamagedImageError as error:
                if not self.skip_damaged:
                    raise DamagedImageError(f"{error}; {WAYS_OUT}") from None
                whole[place] = False
                continue
            if variations is not None:
                image = variations.apply(image, place, self.preprocessing)
            pixels[place] = image
        readable = whole.reshape(groups.rows.shape).all(axis=1)
        if readable.all():
            return pixels, groups
        kept = np.flatnonzero(readable)
        if not len(kept):
            raise DamagedImageError(
                f"none of the {len(groups)} groups of a batch can be read, the first is "
                f"{self.catalog.root / paths.iloc[0]}; repair the images"
            )
        of_kept = torch.from_numpy(np.repeat(readable, groups.rows.shape[1]))
        return pixels[of_kept], groups[kept]

    def ahead(
        self, parts: Iterator[tuple[Groups, Callable[[], Variations] | None]]
    ) -> Iterator[tuple[Tensor, Groups]]:
        """Yield what `read` returns for each of the parts, in order, read ahead by threads.

        At most `workers + READ_AHEAD + 2` batches are in memory.
        """
        with ThreadPoolExecutor(self.workers) as pool:
            waiting: deque[Future[tuple[Tensor, Groups]]] = deque()
            try:
                for part in parts:
                    if len(waiting) > self.workers + READ_AHEAD:
                        yield waiting.popleft().result()
                    waiting.append(pool.submit(self.read, *part))
                while waiting:
                    yield waiting.popleft().result()
            finally:
                for future in waiting:
                    future.cancel()


def normalised(pixels: Tensor, preprocessing: Preprocessing, device: str | torch.device) -> Tensor:
    """Return uint8 (B, 3, S, S) as the network's float32 input, on the device."""
    mean = torch.tensor(preprocessing.mean, device=device).view(1, 3, 1, 1)
    std = torch.tensor(preprocessing.std, device=device).view(1, 3, 1, 1)
    images = (pixels.to(device, non_blocking=True).float() / 255 - mean) / std
    return images.contiguous(memory_format=torch.channels_last)
