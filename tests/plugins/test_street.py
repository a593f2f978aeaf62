"""Photographs of drawn garments in shops and in the street, and the boxes of the garments."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from bench_atelier.carried import KINDS, Carried, sample_carried
from bench_atelier.composition import Photograph, tight_box
from bench_atelier.garments import Garment, Outfit, Top
from bench_atelier.scenes import GROUNDS, SCENES, draw_ground, draw_scene
from bench_atelier.shop import VIEWS, take_shop_photograph
from bench_atelier.street import StreetCamera, take_street_photograph
from bench_atelier.wardrobe import CATEGORIES, sample_garment
from numpy.typing import NDArray
from PIL import Image

from bench.errors import DataError

STILL = StreetCamera(
    pose=0,
    lean=0,
    rotation=0,
    tilt=0,
    wobble=0,
    distance=0,
    closeness=0,
    shift=0,
    occlusion=0,
    shadow=0,
    motion=0,
    lighting=0,
    blur=0,
    noise=0,
)
SHARP = replace(StreetCamera(), blur=0, motion=0, noise=0)
SMALL = (90, 120)


def _plain(category: str, *, seed: int = 5) -> Garment:
    return sample_garment(np.random.default_rng(seed), category, pattern="plain")


def _dyed(garment: Garment, colour: str) -> Garment:
    pattern = replace(garment.fabric.pattern, ground=colour)
    fabric = replace(garment.fabric, pattern=pattern)
    if isinstance(garment, Outfit):
        top, bottom = replace(garment.top, fabric=fabric), replace(garment.bottom, fabric=fabric)
        return replace(garment, top=top, bottom=bottom)
    return replace(garment, fabric=fabric)


def _anything(category: str, seed: int) -> Garment | Carried:
    generator = np.random.default_rng([3, seed])
    if category in KINDS:
        return sample_carried(generator, category)
    return sample_garment(generator, category)


def _is_valid(photograph: Photograph, size: tuple[int, int]) -> bool:
    left, top, right, bottom = photograph.box
    return 0 <= left < right <= size[0] and 0 <= top < bottom <= size[1]


def _changed(first: Photograph, second: Photograph) -> NDArray[np.bool_]:
    """Return where two photographs (H, W) differ so much that it cannot be a soft edge."""
    difference = np.abs(first.pixels.astype(np.int16) - second.pixels.astype(np.int16))
    changed: NDArray[np.bool_] = difference.max(axis=2) > 80
    return changed


@pytest.mark.parametrize("category", CATEGORIES)
def test_the_box_holds_the_pixels_that_change_with_the_colour_of_the_cloth(category: str) -> None:
    garment = _plain(category)
    for seed in range(5):
        red, blue = (
            take_street_photograph(
                _dyed(garment, colour), np.random.default_rng(seed), size=(120, 160), camera=SHARP
            )
            for colour in ("#d02020", "#2020d0")
        )
        assert red.box == blue.box
        rows, columns = np.nonzero(_changed(red, blue))
        left, top, right, bottom = red.box
        assert columns.min() >= left - 1
        assert columns.max() <= right
        assert rows.min() >= top - 1
        assert rows.max() <= bottom
        # soles, ribbons and hands' shadows keep their colour, so an edge may lie further inwards
        assert columns.max() - columns.min() > 0.6 * (right - left)
        assert rows.max() - rows.min() > 0.5 * (bottom - top)


@pytest.mark.parametrize("view", VIEWS)
def test_the_box_of_a_shop_photograph_holds_the_cloth(view: str) -> None:
    garment = _plain("t-shirt")
    for seed in range(4):
        red, blue = (
            take_shop_photograph(_dyed(garment, colour), np.random.default_rng(seed), view=view)
            for colour in ("#d02020", "#2020d0")
        )
        rows, columns = np.nonzero(_changed(red, blue))
        box = columns.min(), rows.min(), columns.max() + 1, rows.max() + 1
        np.testing.assert_allclose(red.box, box, atol=3)


@pytest.mark.parametrize("category", [*CATEGORIES, *KINDS])
def test_everything_is_photographed_from_every_side(category: str) -> None:
    garment = _anything(category, 1)
    for view in VIEWS:
        shop = take_shop_photograph(garment, np.random.default_rng(2), size=SMALL, view=view)
        assert shop.pixels.shape == (SMALL[1], SMALL[0], 3)
        assert shop.pixels.dtype == np.uint8
        assert _is_valid(shop, SMALL)
    street = take_street_photograph(garment, np.random.default_rng(2), size=SMALL)
    assert street.pixels.shape == (SMALL[1], SMALL[0], 3)
    assert _is_valid(street, SMALL)


def test_boxes_are_valid_however_small_the_picture() -> None:
    sizes = ((24, 32), (40, 40), (48, 30))
    harsh = StreetCamera(
        pose=1, lean=25, rotation=15, tilt=0.2, closeness=1, shift=0.4, occlusion=1, motion=1
    )
    categories = [*CATEGORIES, *KINDS]
    for seed in range(500):
        garment = _anything(categories[seed % len(categories)], seed)
        size = sizes[seed % len(sizes)]
        photograph = take_street_photograph(
            garment, np.random.default_rng(seed), size=size, camera=harsh
        )
        assert _is_valid(photograph, size), f"seed {seed}: {photograph.box}"


def test_same_seed_same_photograph_in_any_order() -> None:
    garments = [_anything(category, 4) for category in ("dress", "shoes", "bag")]

    def draw(number: int) -> tuple[bytes, bytes]:
        street = take_street_photograph(garments[number], np.random.default_rng(number), size=SMALL)
        shop = take_shop_photograph(garments[number], np.random.default_rng(number), size=SMALL)
        return street.pixels.tobytes(), shop.pixels.tobytes()

    forwards = [draw(number) for number in (0, 1, 2)]
    assert [draw(number) for number in (2, 1, 0)][::-1] == forwards
    assert len({picture for pair in forwards for picture in pair}) == 6


def test_no_two_photographs_of_an_item_are_alike() -> None:
    garment = _plain("outwear")
    pictures = {
        take_street_photograph(garment, np.random.default_rng(seed), size=SMALL).pixels.tobytes()
        for seed in range(20)
    }
    assert len(pictures) == 20


def test_a_camera_of_zeros_stands_still() -> None:
    garment = _plain("pants")
    boxes = {
        take_street_photograph(garment, np.random.default_rng(seed), camera=STILL).box
        for seed in range(8)
    }
    assert len(boxes) == 1, "upright, in one place, covered by nothing"
    left, top, right, bottom = boxes.pop()
    assert abs(left + right - 240) <= 4
    assert abs(top + bottom - 320) <= 8
    moved = {take_street_photograph(garment, np.random.default_rng(seed)).box for seed in range(8)}
    assert len(moved) == 8


def test_a_camera_of_zeros_adds_no_light_and_no_noise() -> None:
    bright = replace(STILL, lighting=0.9)
    for seed in range(6):
        garment = _plain("skirt")
        still, lit = (
            take_street_photograph(garment, np.random.default_rng(seed), camera=camera)
            for camera in (STILL, bright)
        )
        assert still.box == lit.box
        assert (still.pixels != lit.pixels).mean() > 0.5


def test_what_passes_before_a_garment_leaves_most_of_it_visible() -> None:
    garment = _plain("longsleeve")
    covered = 0
    for seed in range(16):
        areas = []
        for occlusion in (0.0, 1.0):
            camera = replace(STILL, occlusion=occlusion)
            red, blue = (
                take_street_photograph(
                    _dyed(garment, colour), np.random.default_rng(seed), size=SMALL, camera=camera
                )
                for colour in ("#d02020", "#2020d0")
            )
            areas.append(_changed(red, blue).sum())
        assert areas[1] > 0.35 * areas[0]
        covered += areas[1] < 0.97 * areas[0]
    assert covered > 4


def test_the_side_is_narrower_than_the_front() -> None:
    garment = _plain("skirt")
    shapes = {}
    for view in ("front", "side"):
        box = take_shop_photograph(garment, np.random.default_rng(1), view=view).box
        shapes[view] = (box[2] - box[0]) / (box[3] - box[1])
    assert shapes["side"] < 0.85 * shapes["front"]


def test_the_back_has_no_print_and_no_buttons() -> None:
    printed = sample_garment(np.random.default_rng(8), "t-shirt", pattern="graphic")
    pattern = replace(printed.fabric.pattern, name="plain")
    buttoned = _plain("shirt")
    assert isinstance(printed, Top)
    assert isinstance(buttoned, Top)
    unprinted = replace(printed, fabric=replace(printed.fabric, pattern=pattern))
    unbuttoned = replace(buttoned, fastening="none")
    for one, other in ((printed, unprinted), (buttoned, unbuttoned)):
        for view, alike in (("front", False), ("back", True)):
            first, second = (
                take_shop_photograph(garment, np.random.default_rng(0), view=view)
                for garment in (one, other)
            )
            assert first.box == second.box
            assert np.array_equal(first.pixels, second.pixels) == alike


def test_a_shop_has_a_pale_ground_and_a_street_has_not() -> None:
    garment = _plain("dress")
    for seed in range(6):
        shop = take_shop_photograph(garment, np.random.default_rng(seed)).pixels
        street = take_street_photograph(garment, np.random.default_rng(seed)).pixels
        assert np.concatenate([shop[:, 0], shop[:, -1]]).min() > 150
        assert np.concatenate([street[:, 0], street[:, -1]]).std() > 8


def test_an_unknown_view_is_refused() -> None:
    with pytest.raises(DataError, match="view is 'top', expected one of front, side"):
        take_shop_photograph(_plain("hat"), np.random.default_rng(0), view="top")


@pytest.mark.parametrize("name", SCENES)
def test_scenes_fill_the_picture_and_differ(name: str) -> None:
    pictures = set()
    for seed in range(4):
        scene = draw_scene(np.random.default_rng(seed), name, (60, 80))
        assert (scene.size, scene.mode) == ((60, 80), "RGB")
        pixels = np.asarray(scene)
        assert pixels.std() > 8
        assert pixels.max(axis=2).min() > 0, "a hole in the scene is black"
        pictures.add(pixels.tobytes())
    assert len(pictures) == 4


@pytest.mark.parametrize("name", GROUNDS)
def test_grounds_have_the_size_asked_for(name: str) -> None:
    for size in ((240, 320), (31, 77)):
        ground = draw_ground(np.random.default_rng(1), name, size)
        assert (ground.size, ground.mode) == (size, "RGB")


def test_the_tight_box_ignores_traces_beside_a_solid_part() -> None:
    mask = np.zeros((20, 30), dtype=np.uint8)
    with pytest.raises(ValueError, match="no part of the garment"):
        tight_box(Image.fromarray(mask))
    mask[2, 3] = 20
    assert tight_box(Image.fromarray(mask)) == (3, 2, 4, 3)
    mask[10:15, 12:20] = 255
    assert tight_box(Image.fromarray(mask)) == (12, 10, 20, 15)
