"""Garments with fixed attributes: every value can be drawn and be told from the others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from bench_atelier.colours import PALETTE, parse_colour
from bench_atelier.composition import Photograph
from bench_atelier.garments import Bottom, Garment, Outfit, Pose, Top, draw_garment
from bench_atelier.render import render_svg
from bench_atelier.shop import take_shop_photograph
from bench_atelier.street import take_street_photograph
from bench_atelier.wardrobe import (
    CATEGORIES,
    VOCABULARY,
    sample_garment,
    sample_pose,
    vary_garment,
)
from numpy.typing import NDArray
from PIL import Image

CLOTH = ("pattern", "colour", "texture")
# the other categories are cut like one of these
CUTS = [
    (category, attribute)
    for category in ("dress outwear shirt skirt pants shorts jumpsuit suit swimsuit bikini".split())
    for attribute in VOCABULARY[category]
    if attribute not in CLOTH
]
POSE = Pose(hanging=False, arms=(58, 58))


def sample(category: str, fixed: dict[str, str], *, seed: int = 0) -> Garment:
    return sample_garment(np.random.default_rng([seed, 3]), category, fixed=fixed)


def thumbnail(garment: Garment) -> NDArray[np.int16]:
    """Return the drawing (128, 96, 4) int16 made as small as many networks see it."""
    image = Image.fromarray(render_svg(draw_garment(garment, POSE)))
    return np.asarray(image.resize((96, 128), Image.Resampling.BOX), dtype=np.int16)


def upper(garment: Garment) -> Top:
    part = garment.top if isinstance(garment, Outfit) else garment
    assert isinstance(part, Top)
    return part


def test_every_category_has_a_vocabulary() -> None:
    assert set(VOCABULARY) == set(CATEGORIES)
    for attributes in VOCABULARY.values():
        assert set(CLOTH) <= set(attributes)
        for values in attributes.values():
            assert len(set(values)) == len(values) > 1


@pytest.mark.parametrize(("category", "attribute"), CUTS)
def test_values_of_an_attribute_can_be_told_apart_in_a_small_picture(
    category: str, attribute: str
) -> None:
    context = {"pattern": "plain", "texture": "smooth", "colour": "teal"}
    if attribute == "sleeve_shape":
        context["sleeve_length"] = "long"
    pictures = {
        value: thumbnail(sample(category, {**context, attribute: value}))
        for value in VOCABULARY[category][attribute]
    }
    for value, picture in pictures.items():
        assert (picture[:, :, 3] > 128).mean() > 0.03, f"{value} is hardly drawn"
    for first, second in combinations(pictures, 2):
        changed = np.abs(pictures[first] - pictures[second]).max(axis=2) > 20
        assert changed.sum() >= 10, f"{first} looks like {second}"


@pytest.mark.parametrize("category", ["t-shirt", "longsleeve", "tracksuit", "pyjamas"])
def test_every_value_of_the_other_categories_has_a_drawing_of_its_own(category: str) -> None:
    for attribute, values in VOCABULARY[category].items():
        context = {"sleeve_length": "long"} if attribute == "sleeve_shape" else {}
        drawings = {
            draw_garment(sample(category, {**context, attribute: value}, seed=2), POSE)
            for value in values
        }
        assert len(drawings) == len(values), attribute


@pytest.mark.parametrize("category", sorted(VOCABULARY))
@pytest.mark.parametrize("attribute", CLOTH)
def test_cloths_can_be_told_apart(category: str, attribute: str) -> None:
    context = {"pattern": "plain", "texture": "smooth", "colour": "teal"}
    del context[attribute]
    drawings = {
        value: draw_garment(sample(category, {**context, attribute: value}), POSE)
        for value in VOCABULARY[category][attribute]
    }
    alike = [
        (first, second)
        for first, second in combinations(drawings, 2)
        if drawings[first] == drawings[second]
    ]
    assert not alike


@pytest.mark.parametrize("attribute", ["pattern", "texture"])
def test_cloths_differ_in_a_small_picture_of_a_dress(attribute: str) -> None:
    context = {"pattern": "plain", "texture": "smooth", "colour": "navy"}
    del context[attribute]
    pictures = {
        value: thumbnail(sample("dress", {**context, attribute: value}, seed=1))
        for value in VOCABULARY["dress"][attribute]
    }
    for first, second in combinations(pictures, 2):
        changed = np.abs(pictures[first] - pictures[second]).max(axis=2) > 12
        assert changed.mean() > 0.01, f"{first} looks like {second}"


@pytest.mark.parametrize("category", sorted(VOCABULARY))
def test_nothing_is_cut_off_whatever_is_fixed(category: str) -> None:
    for seed in range(12):
        generator = np.random.default_rng([seed, 8])
        fixed = {
            attribute: values[int(generator.integers(len(values)))]
            for attribute, values in VOCABULARY[category].items()
        }
        garment = sample_garment(generator, category, fixed=fixed)
        covered = render_svg(draw_garment(garment, sample_pose(generator, garment)))[:, :, 3] > 0
        border = np.concatenate([covered[0], covered[-1], covered[:, 0], covered[:, -1]])
        assert not border.any(), f"cut off: {fixed}"


@pytest.mark.parametrize("category", sorted(VOCABULARY))
def test_the_same_generator_gives_the_same_drawing(category: str) -> None:
    fixed = {attribute: values[-1] for attribute, values in VOCABULARY[category].items()}
    first, second = (draw_garment(sample(category, fixed), POSE) for _ in range(2))
    assert first == second
    assert draw_garment(sample(category, fixed, seed=1), POSE) != first


@pytest.mark.parametrize("category", sorted(VOCABULARY))
def test_fixing_nothing_changes_nothing(category: str) -> None:
    bare = sample_garment(np.random.default_rng([0, 3]), category)
    assert sample(category, {}) == bare


@pytest.mark.parametrize("colour", PALETTE)
def test_a_fixed_colour_is_the_ground_of_every_pattern(colour: str) -> None:
    for pattern in VOCABULARY["dress"]["pattern"]:
        garment = sample("dress", {"colour": colour, "pattern": pattern})
        assert garment.fabric.pattern.name == pattern
        ground = parse_colour(garment.fabric.pattern.ground)
        assert np.abs(np.subtract(ground, parse_colour(colour))).max() <= 25


def test_lengths_follow_their_names() -> None:
    for category, names in (
        ("dress", ("short", "knee", "midi", "ankle", "floor")),
        ("skirt", ("short", "knee", "midi", "ankle", "floor")),
        ("outwear", ("high-waist", "micro", "regular", "long", "knee", "midi", "ankle", "floor")),
        ("pants", ("short", "knee", "three-quarter", "cropped", "full")),
    ):
        lengths = []
        for seed, name in enumerate(names):
            garment = sample(category, {"length": name}, seed=seed)
            assert isinstance(garment, Top | Bottom)
            lengths.append(garment.length)
        assert lengths == sorted(lengths)
        assert VOCABULARY[category]["length"] == names


def test_what_contradicts_the_fixed_value_gives_way() -> None:
    for seed in range(20):
        long = upper(sample("dress", {"sleeve_length": "long"}, seed=seed))
        assert long.sleeve_length == "long"
        assert long.neckline != "straps"
        puffed = upper(sample("dress", {"sleeve_shape": "puff"}, seed=seed))
        assert puffed.sleeve_length != "sleeveless"
        deep = upper(sample("shirt", {"neckline": "deep-v"}, seed=seed))
        assert (deep.collar, deep.neckline) == ("none", "deep-v")
        assert deep.neck_depth > upper(sample("shirt", {"neckline": "crew"}, seed=seed)).neck_depth
        lapel = upper(sample("t-shirt", {"collar": "notched-lapel"}, seed=seed))
        assert (lapel.neckline, lapel.fastening) == ("v-neck", "buttons")


def test_both_of_two_contradicting_values_are_kept_when_both_are_fixed() -> None:
    fixed = {"neckline": "strapless", "sleeve_length": "long", "collar": "shirt"}
    top = upper(sample("dress", fixed))
    assert (top.neckline, top.sleeve_length, top.collar) == ("strapless", "long", "shirt")
    assert (thumbnail(top)[:, :, 3] > 128).mean() > 0.05


def test_a_joined_outfit_is_as_wide_at_the_seam_as_its_trousers() -> None:
    outfit = sample("jumpsuit", {"fit": "loose"})
    assert isinstance(outfit, Outfit)
    assert outfit.joined
    assert outfit.top.chest + outfit.top.flare == pytest.approx(outfit.bottom.waist + 1, abs=0.1)
    assert outfit.fabric == outfit.top.fabric == outfit.bottom.fabric


@pytest.mark.parametrize("category", CATEGORIES)
def test_a_variation_is_another_item_with_the_same_named_attributes(category: str) -> None:
    def names(garment: Garment) -> list[str]:
        if isinstance(garment, Outfit):
            return [*names(garment.top), *names(garment.bottom)]
        words = [value for value in vars(garment).values() if isinstance(value, str)]
        return [*words[:1], garment.fabric.texture, garment.fabric.pattern.name, *words[1:]]

    for seed in range(6):
        garment = sample(category, {}, seed=seed)
        varied = vary_garment(garment, np.random.default_rng(seed))
        assert names(varied) == names(garment)
        assert varied == vary_garment(garment, np.random.default_rng(seed))
        first, second = draw_garment(garment, POSE), draw_garment(varied, POSE)
        assert first != second
        ground = parse_colour(garment.fabric.pattern.ground)
        dye_lot = parse_colour(varied.fabric.pattern.ground)
        assert 0 < np.abs(np.subtract(ground, dye_lot)).max() <= 12


def test_a_variation_keeps_the_length_recognisable() -> None:
    for seed in range(30):
        garment = upper(sample("dress", {"length": "knee"}, seed=seed))
        varied = upper(vary_garment(garment, np.random.default_rng(seed)))
        assert 190 < varied.length < 225
        assert replace(varied, fabric=garment.fabric) != garment


def test_unknown_categories_attributes_and_values_are_named() -> None:
    with pytest.raises(ValueError, match=r"no category 'toga'; known are .*dress") as refusal:
        sample("toga", {})
    assert "\n" not in str(refusal.value)
    with pytest.raises(ValueError, match=r"a skirt has no 'neckline'; it has .*length"):
        sample("skirt", {"neckline": "crew"})
    with pytest.raises(
        ValueError, match=r"a dress cannot have the length 'cropped'; known are short, knee"
    ):
        sample("dress", {"length": "cropped"})


@pytest.mark.parametrize("take", [take_shop_photograph, take_street_photograph])
def test_parts_of_a_garment_are_told_without_changing_the_picture(
    take: Callable[..., Photograph],
) -> None:
    small = (150, 200)
    for seed in range(6):
        kind = ("shirt", "dress", "outwear")[seed % 3]
        garment = sample_garment(np.random.default_rng(seed), kind, fixed={"sleeve_length": "long"})
        assert isinstance(garment, Top)
        plain = take(garment, np.random.default_rng(seed), size=small)
        found = take(garment, np.random.default_rng(seed), size=small, parts=True)
        assert (found.pixels == plain.pixels).all()
        assert (found.box, plain.parts) == (plain.box, {})
        neck, sleeves, hem = (found.parts.get(name) for name in ("neck", "sleeves", "hem"))
        assert sleeves is not None
        # long sleeves are as wide as the whole garment and hang below its neck
        assert sleeves[2] - sleeves[0] > 0.6 * (found.box[2] - found.box[0])
        if neck is not None:
            assert neck[1] < sleeves[3]
            assert neck[2] - neck[0] < sleeves[2] - sleeves[0]
        if neck is not None and hem is not None:
            assert (neck[1] + neck[3]) / 2 < (hem[1] + hem[3]) / 2


def test_what_a_garment_does_not_have_has_no_place() -> None:
    bare = {"sleeve_length": "sleeveless"}
    for kind, fixed, expected in (("dress", bare, {"neck", "hem"}), ("skirt", {}, set())):
        garment = sample_garment(np.random.default_rng(1), kind, fixed=fixed)
        found = take_shop_photograph(garment, np.random.default_rng(1), parts=True)
        assert found.parts.keys() == expected
