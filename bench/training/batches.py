"""From an epoch's groups to batches of pixels, read ahead of the steps that need them."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from bench.catalog import BOX, Catalog
from bench.errors import DamagedImageError
from bench.images import READ_AHEAD, WAYS_OUT, read_image, reading_threads
from bench.interfaces import Preprocessing
from bench.tasks import Rows
from bench.training.augmentation import Variations
from bench.training.samplers import Groups

TRIED = 64  # images that a thread tries at once: a million tasks would take a gigabyte


@dataclass(frozen=True)
class Reader:
    """Reads the images of a catalog as a network wants them, with `workers` threads."""

    catalog: Catalog
    preprocessing: Preprocessing
    workers: int

    def image(self, row: int) -> Tensor:
        """Return one image, uint8 (3, S, S); raises `DamagedImageError` naming its file."""
        file = self.catalog.root / self.catalog.images["path"].iloc[row]
        return read_image(file, self._boxes[row], self.preprocessing)

    @cached_property
    def _boxes(self) -> npt.NDArray[np.float32]:
        # taken once: a million rows of the frame are copied each time
        return self.catalog.images[list(BOX)].to_numpy(np.float32)

    def read(self, groups: Groups, varied: Variations | None = None) -> Tensor:
        """Return the pixels of n groups of g images, uint8 (n * g, 3, S, S).

        Raises `DamagedImageError` for an image that cannot be read.
        """
        size, rows = self.preprocessing.size, groups.rows.reshape(-1)
        pixels = torch.empty((len(rows), 3, size, size), dtype=torch.uint8)
        for place, row in enumerate(rows.tolist()):
            try:
                image = self.image(row)
            except DamagedImageError as error:
                raise DamagedImageError(f"{error}; {WAYS_OUT}") from None
            if varied is not None:
                image = varied.apply(image, place, self.preprocessing)
            pixels[place] = image
        return pixels

    def ahead(
        self, parts: Iterator[tuple[Groups, Variations | None]]
    ) -> Iterator[tuple[Tensor, Groups]]:
        """Yield the pixels of each part with its groups, in order, read before they are asked for.

        At most `workers + READ_AHEAD + 2` batches are in memory.
        """
        with reading_threads(self.workers) as pool:
            waiting: deque[tuple[Future[Tensor], Groups]] = deque()
            try:
                for groups, varied in parts:
                    if len(waiting) > self.workers + READ_AHEAD:
                        future, read = waiting.popleft()
                        yield future.result(), read
                    waiting.append((pool.submit(self.read, groups, varied), groups))
                while waiting:
                    future, read = waiting.popleft()
                    yield future.result(), read
            finally:
                for future, _ in waiting:
                    future.cancel()

    def unreadable(self, rows: Rows) -> Rows:
        """Return those of the rows whose image cannot be read, ascending; each is tried."""

        def fails(row: int) -> bool:
            try:
                self.image(row)
            except DamagedImageError:
                return True
            return False

        def failing(part: Rows) -> list[int]:
            return [row for row in part.tolist() if fails(row)]

        parts = [rows[start : start + TRIED] for start in range(0, len(rows), TRIED)]
        with reading_threads(self.workers) as pool:
            found = [row for part in pool.map(failing, parts) for row in part]
        return np.array(sorted(found), np.int64)


def normalised(pixels: Tensor, preprocessing: Preprocessing, device: str | torch.device) -> Tensor:
    """Return uint8 (B, 3, S, S) as the network's float32 input, on the device."""
    mean = torch.tensor(preprocessing.mean, device=device).view(1, 3, 1, 1)
    std = torch.tensor(preprocessing.std, device=device).view(1, 3, 1, 1)
    images = pixels.to(device, non_blocking=True).float().div_(255).sub_(mean).div_(std)
    return images.contiguous(memory_format=torch.channels_last)
