"""Bags, belts and eyewear of the drawing kit, and the shoes and hats drawn when asked for."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from bench_atelier.accessories import HAT_KINDS, SHOE_KINDS, draw_hat, draw_shoes
from bench_atelier.carried import KINDS, draw_carried, sample_carried, vary_carried
from bench_atelier.footwear import FOOTWEAR
from bench_atelier.garments import Drawing, Hat, Pose, Shoes, as_svg
from bench_atelier.hats import HATS
from bench_atelier.render import render_svg
from bench_atelier.wardrobe import sample_garment

ALL_KINDS = [(category, kind) for category, kinds in KINDS.items() for kind in kinds]


def assert_box_holds_all_ink(drawing: Drawing) -> None:
    # the box takes 0.6 of one side: what is drawn beyond it shows, and is still in the picture
    size, fill = 200, 0.6
    covered = render_svg(as_svg(drawing, fill=fill, size=(size, size)))[:, :, 3] > 0
    scale = max(2 * drawing.half_width, drawing.bottom - drawing.top) / size / fill
    rows, columns = np.flatnonzero(covered.any(axis=1)), np.flatnonzero(covered.any(axis=0))
    assert covered.mean() > 0.01, "nearly nothing is drawn"
    half_across, half_down = drawing.half_width / scale, (drawing.bottom - drawing.top) / scale / 2
    # a pixel that the edge of the box cuts may hold ink
    assert columns[0] >= np.floor(size / 2 - half_across)
    assert columns[-1] <= np.ceil(size / 2 + half_across)
    assert rows[0] >= np.floor(size / 2 - half_down)
    assert rows[-1] <= np.ceil(size / 2 + half_down)
    filled = max(np.ptp(columns) / half_across / 2, np.ptp(rows) / half_down / 2)
    assert filled > 0.75, "the box is much too large"


@pytest.mark.parametrize(("category", "kind"), ALL_KINDS)
@pytest.mark.parametrize("variant", range(3))
def test_the_box_holds_all_ink(category: str, kind: str, variant: int) -> None:
    for seed in range(4):
        thing = sample_carried(np.random.default_rng(seed), category, kind=kind)
        assert (thing.category, thing.kind) == (category, kind)
        assert_box_holds_all_ink(draw_carried(thing, variant=variant))


@pytest.mark.parametrize(("category", "kind"), ALL_KINDS)
def test_same_generator_same_drawing_another_one_another(category: str, kind: str) -> None:
    def draw(seed: int) -> Drawing:
        return draw_carried(sample_carried(np.random.default_rng(seed), category, kind=kind))

    assert draw(3) == draw(3)
    assert len({draw(seed).markup for seed in range(10)}) == 10


@pytest.mark.parametrize("category", KINDS)
def test_kinds_differ_though_all_else_is_sampled_alike(category: str) -> None:
    markups = {
        draw_carried(sample_carried(np.random.default_rng(1), category, kind=kind)).markup
        for kind in KINDS[category]
    }
    assert len(markups) == len(KINDS[category])


@pytest.mark.parametrize("category", KINDS)
def test_without_a_kind_all_kinds_are_sampled(category: str) -> None:
    generator = np.random.default_rng(0)
    kinds = {sample_carried(generator, category).kind for _ in range(120)}
    assert kinds == set(KINDS[category])


@pytest.mark.parametrize(("category", "kind"), ALL_KINDS)
def test_a_near_double_keeps_the_kind_and_looks_different(category: str, kind: str) -> None:
    for seed in range(6):
        generator = np.random.default_rng(seed)
        thing = sample_carried(generator, category, kind=kind)
        double = vary_carried(thing, generator)
        assert (double.category, double.kind) == (category, kind)
        assert double.fabric.texture == thing.fabric.texture
        assert double.fabric.pattern.name == thing.fabric.pattern.name
        first, second = (
            render_svg(as_svg(draw_carried(one), fill=0.9)).astype(np.int16)
            for one in (thing, double)
        )
        assert (np.abs(first - second).max(axis=2) > 12).sum() > 100


@pytest.mark.parametrize(("category", "kind"), ALL_KINDS)
def test_variants_present_the_same_item_differently(category: str, kind: str) -> None:
    for seed in range(6):
        thing = sample_carried(np.random.default_rng(seed), category, kind=kind)
        markups = [draw_carried(thing, variant=variant).markup for variant in range(4)]
        assert len(set(markups[:3])) == 3
        assert markups[3] == markups[0]


def test_an_unknown_category_is_named() -> None:
    with pytest.raises(ValueError, match=r"'umbrella' is unknown; expected one of bag, belt"):
        sample_carried(np.random.default_rng(0), "umbrella")


def test_a_kind_of_another_category_is_refused() -> None:
    with pytest.raises(ValueError, match=r"'aviator' is unknown for 'bag'; expected one of tote"):
        sample_carried(np.random.default_rng(0), "bag", kind="aviator")


def test_sampling_does_not_depend_on_the_global_generator() -> None:
    np.random.seed(1)  # noqa: NPY002
    first = sample_carried(np.random.default_rng(2), "bag")
    np.random.seed(2)  # noqa: NPY002
    assert sample_carried(np.random.default_rng(2), "bag") == first


@pytest.mark.parametrize("kind", FOOTWEAR)
@pytest.mark.parametrize("turned", [0, 5, 14])
def test_shoes_asked_for_by_kind_stay_within_their_box(kind: str, turned: float) -> None:
    for seed in range(4):
        shoes = sample_garment(np.random.default_rng(seed), "shoes")
        assert isinstance(shoes, Shoes)
        pose = Pose(hanging=False, turned=turned)
        assert_box_holds_all_ink(draw_shoes(replace(shoes, kind=kind), pose))


@pytest.mark.parametrize("kind", HATS)
def test_hats_asked_for_by_kind_stay_within_their_box(kind: str) -> None:
    for seed in range(4):
        hat = sample_garment(np.random.default_rng(seed), "hat")
        assert isinstance(hat, Hat)
        assert_box_holds_all_ink(draw_hat(replace(hat, kind=kind)))


def test_the_kinds_of_shoes_and_hats_hold_what_is_sampled_and_more() -> None:
    generator = np.random.default_rng(0)
    for category, kinds, more in (("shoes", SHOE_KINDS, FOOTWEAR), ("hat", HAT_KINDS, HATS)):
        sampled = set()
        for _ in range(150):
            garment = sample_garment(generator, category)
            assert isinstance(garment, Shoes | Hat)
            sampled.add(garment.kind)
        assert sampled == set(kinds) - set(more)
        assert len(kinds) == len(set(kinds))


@pytest.mark.parametrize(("category", "kind"), ALL_KINDS)
def test_markup_holds_nothing_slow_or_bound_to_fonts(category: str, kind: str) -> None:
    thing = sample_carried(np.random.default_rng(4), category, kind=kind)
    markup = draw_carried(thing).markup
    assert not re.search(r"<text|clipPath|<filter|nan|inf\b", markup)
