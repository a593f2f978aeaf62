"""Varying images for training: mirrored, cut, and with other colours, by torchvision.

What happens to each image is drawn for the whole batch first, from the batch's own generator. It
depends neither on the thread that varies it nor on how many processes share the batch.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from torch import Tensor
from torchvision.transforms import InterpolationMode
from torchvision.transforms.v2 import functional as F

from bench.interfaces import Preprocessing
from bench.training.recipe import Augmentation

Values = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Variations:
    """What is done to each of B images.

    flip    (B,) bool, mirrored left and right
    window  (B, 3) top, left (as shares of what is left over) and side (as a share) of the cut-out
    colour  (B, 3) factors of brightness, contrast and saturation
    """

    flip: npt.NDArray[np.bool_]
    window: Values
    colour: Values

    @classmethod
    def draw(cls, augmentation: Augmentation, count: int, generator: np.random.Generator) -> (
        Variations
    ):  # fmt: skip
        """Return the variations of `count` images; each kind is drawn whether it is used or not."""
        flip = generator.random(count) < 0.5
        window = generator.random((count, 3))
        window[:, 2] = augmentation.crop + (1 - augmentation.crop) * window[:, 2]
        colour = 1 + augmentation.colour * (2 * generator.random((count, 3)) - 1)
        return cls(flip & augmentation.flip, window, colour)

    def __getitem__(self, part: slice) -> Variations:
        return Variations(self.flip[part], self.window[part], self.colour[part])

    def apply(self, image: Tensor, place: int, preprocessing: Preprocessing) -> Tensor:
        """Return the `place`-th image, uint8 (3, S, S), as it is varied; the size stays."""
        size = image.shape[-1]
        side = max(1, round(size * self.window[place, 2]))
        if side < size:
            top, left = (int(share * (size - side + 1)) for share in self.window[place, :2])
            mode = InterpolationMode(preprocessing.interpolation)
            image = F.resized_crop(
                image, top, left, side, side, [size, size], interpolation=mode, antialias=True
            )
        if self.flip[place]:
            image = F.horizontal_flip(image)
        brightness, contrast, saturation = self.colour[place].tolist()
        if brightness != 1:
            image = F.adjust_brightness(image, brightness)
        if contrast != 1:
            image = F.adjust_contrast(image, contrast)
        return F.adjust_saturation(image, saturation) if saturation != 1 else image
