from __future__ import annotations

import threading
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torchvision.transforms import InterpolationMode
from torchvision.transforms.v2 import functional as F

from bench.interfaces import Preprocessing
from bench.training.augmentation import Variations
from bench.training.recipe import Augmentation

SIZE = 24
PREPROCESSING = Preprocessing(SIZE, 0.875, "bilinear", (0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
NOTHING = Augmentation(flip=False, crop=1, colour=0)
ALL = Augmentation(flip=True, crop=0.3, colour=0.5)

augmentations = st.builds(
    Augmentation,
    flip=st.booleans(),
    crop=st.floats(0, 1, exclude_min=True),
    colour=st.floats(0, 1, exclude_max=True),
)


def noise(size: int = SIZE) -> Tensor:
    drawn = np.random.default_rng(1).integers(0, 256, (3, size, size), dtype=np.uint8)
    return torch.from_numpy(drawn)


def draw(augmentation: Augmentation, count: int = 50, seed: int = 0) -> Variations:
    return Variations.draw(augmentation, count, np.random.default_rng(seed))


def varied(variations: Variations, image: Tensor, preprocessing: Preprocessing = PREPROCESSING) -> (
    list[Tensor]
):  # fmt: skip
    return [variations.apply(image, place, preprocessing) for place in range(len(variations.flip))]


def by(flip: bool = False, window: tuple[float, float, float] = (0, 0, 1),
       colour: tuple[float, float, float] = (1, 1, 1)) -> Variations:  # fmt: skip
    """Return one variation, said in full."""
    return Variations(np.array([flip]), np.array([window], float), np.array([colour], float))


def test_without_variation_an_image_is_itself() -> None:
    image = noise()
    for result in varied(draw(NOTHING), image):
        assert torch.equal(result, image)


@settings(max_examples=50)
@given(augmentations, st.integers(1, 20), st.integers(0, 2**32))
def test_what_is_drawn_stays_in_range_and_the_size_stays(
    augmentation: Augmentation, count: int, seed: int
) -> None:
    variations = draw(augmentation, count, seed)
    assert variations.flip.shape == (count,)
    assert variations.flip.dtype == np.bool_
    assert augmentation.flip or not variations.flip.any()
    assert variations.window.shape == (count, 3)
    assert ((variations.window[:, :2] >= 0) & (variations.window[:, :2] < 1)).all()
    side = variations.window[:, 2]
    assert ((side >= augmentation.crop) & (side <= 1)).all()
    assert variations.colour.shape == (count, 3)
    assert (abs(variations.colour - 1) <= augmentation.colour * (1 + 1e-15) + 1e-15).all()
    assert (variations.colour > 0).all()
    image = noise()
    before = image.clone()
    for result in varied(variations, image):
        assert result.shape == image.shape
        assert result.dtype == torch.uint8
    assert torch.equal(image, before), "the image that was read is left alone"


@settings(max_examples=300)
@given(
    st.integers(1, 40),
    st.floats(0, 1, exclude_max=True),
    st.floats(0, 1, exclude_max=True),
    st.floats(0, 1, exclude_min=True),
)
def test_a_window_lies_inside_the_image(size: int, top: float, left: float, side: float) -> None:
    drawn: list[list[int]] = []

    def cut(image: Tensor, *window: int, **options: object) -> Tensor:
        drawn.append([*window[:4]])
        return image

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(F, "resized_crop", cut)
        by(window=(top, left, side)).apply(noise(size), 0, replace(PREPROCESSING, size=size))
    if not drawn:
        assert max(1, round(side * size)) == size, "only the whole image is not cut"
        return
    ((first_row, first_column, height, width),) = drawn
    assert height == width == max(1, round(side * size)) < size
    assert 0 <= first_row <= size - height
    assert 0 <= first_column <= size - width


def test_all_places_of_a_window_come_up_evenly() -> None:
    """A window of half the side has 13 places in each direction."""
    window = draw(Augmentation(crop=0.5), 13_000).window
    for share in (window[:, 0], window[:, 1]):
        counts = np.bincount((share * 13).astype(int), minlength=13)
        assert ((counts - 1000) ** 2 / 1000).sum() < 12 + 6 * 24**0.5
    sides = np.histogram(window[:, 2], bins=10, range=(0.5, 1))[0]
    assert ((sides - 1300) ** 2 / 1300).sum() < 9 + 6 * 18**0.5


def test_half_of_the_images_are_mirrored_and_colours_go_both_ways() -> None:
    variations = draw(ALL, 10_000)
    assert abs(variations.flip.mean() - 0.5) < 0.03
    for factor in variations.colour.T:
        assert 0.5 <= factor.min() < 0.51
        assert 1.49 < factor.max() <= 1.5
        assert abs(factor.mean() - 1) < 0.02
    together = np.corrcoef(
        np.column_stack([variations.flip, variations.window, variations.colour]).T
    )
    assert abs(together - np.eye(7)).max() < 0.05, "each is drawn by itself"


def test_a_mirrored_image_is_mirrored_left_and_right() -> None:
    image = noise()
    assert torch.equal(by(flip=True).apply(image, 0, PREPROCESSING), image.flip(-1))


@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic"])
def test_all_kinds_together_are_torchvision_s_one_after_another(interpolation: str) -> None:
    image = noise()
    preprocessing = replace(PREPROCESSING, interpolation=interpolation)
    result = by(True, (0.5, 0.99, 0.5), (1.2, 0.7, 1.4)).apply(image, 0, preprocessing)
    cut = image[:, 6:18, 12:24]  # of 13 places each: the seventh row, the last column
    expected = F.resize(
        cut, [SIZE, SIZE], interpolation=InterpolationMode(interpolation), antialias=True
    )
    expected = F.horizontal_flip(expected)
    expected = F.adjust_brightness(expected, 1.2)
    expected = F.adjust_contrast(expected, 0.7)
    expected = F.adjust_saturation(expected, 1.4)
    assert torch.equal(result, expected)


@pytest.mark.parametrize(
    ("place", "change"),
    [(0, F.adjust_brightness), (1, F.adjust_contrast), (2, F.adjust_saturation)],
)
def test_each_factor_of_colour_is_its_own(place: int, change: object) -> None:
    factors = [1.0, 1.0, 1.0]
    factors[place] = 0.6
    image = noise()
    result = by(colour=tuple(factors)).apply(image, 0, PREPROCESSING)  # type: ignore[arg-type]
    assert torch.equal(result, change(image, 0.6))  # type: ignore[operator]
    assert not torch.equal(result, image)


def test_batches_differ_and_the_same_generator_gives_the_same() -> None:
    image = noise()
    first, again, other = (torch.stack(varied(draw(ALL, 8, seed), image)) for seed in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert len({result.numpy().tobytes() for result in first}) == 8, "and so do images of a batch"
    generator = np.random.default_rng(0)
    batches = [Variations.draw(ALL, 8, generator) for _ in range(2)]
    assert (batches[0].window != batches[1].window).all()


def test_one_kind_does_not_change_what_is_drawn_for_the_others() -> None:
    whole, uncut = draw(ALL), draw(ALL.model_copy(update={"crop": 1.0, "colour": 0.0}))
    np.testing.assert_array_equal(whole.flip, uncut.flip)
    np.testing.assert_array_equal(whole.window[:, :2], uncut.window[:, :2])
    unflipped = draw(ALL.model_copy(update={"flip": False}))
    np.testing.assert_array_equal(whole.window, unflipped.window)
    np.testing.assert_array_equal(whole.colour, unflipped.colour)


@settings(max_examples=30)
@given(st.integers(0, 20), st.integers(0, 20))
def test_a_part_of_the_variations_is_that_part_of_the_whole(start: int, stop: int) -> None:
    whole = draw(ALL, 20)
    part = whole[start:stop]
    image = noise(8)
    preprocessing = replace(PREPROCESSING, size=8)
    expected = varied(whole, image, preprocessing)[start:stop]
    found = varied(part, image, preprocessing)
    assert len(found) == len(expected) == max(0, stop - start)
    for result, other in zip(found, expected, strict=True):
        assert torch.equal(result, other)


def test_threads_make_no_difference() -> None:
    variations, image = draw(ALL, 24), noise(96)
    preprocessing = replace(PREPROCESSING, size=96)
    expected = varied(variations, image, preprocessing)
    found: dict[int, Tensor] = {}

    def work(places: range) -> None:
        for place in places:
            found[place] = variations.apply(image, place, preprocessing)

    workers = [threading.Thread(target=work, args=(range(n, 24, 3),)) for n in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert all(torch.equal(found[place], expected[place]) for place in range(24))
