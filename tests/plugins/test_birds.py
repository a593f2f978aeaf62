"""Birds as drawings and photographs, and the mini edition of CUB-200-2011 made of them."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import fields, replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from bench_atelier import bird_traits
from bench_atelier.bird_colours import COLOURS, stands_out
from bench_atelier.bird_drawing import BirdPose, draw_bird
from bench_atelier.bird_photograph import PART_NAMES, take_bird_photograph
from bench_atelier.bird_shapes import BODY_SHAPES
from bench_atelier.birds import Bird, attributes_of, sample_species, vary_species
from bench_atelier.render import render_svg
from bench_cub200.mini import (
    FAMILIES,
    IMAGES_PER_SPECIES,
    SPECIES,
    draw_image,
    draw_mini,
    plan_mini,
    plan_species,
)
from bench_cub200.vocabulary import ATTRIBUTES, CERTAINTIES, GROUPS, PARTS
from PIL import Image

from bench.errors import UserError

# the published order, with the number of values of each group
GROUP_SIZES = {
    "bill_shape": 9,
    "wing_color": 15,
    "upperparts_color": 15,
    "underparts_color": 15,
    "breast_pattern": 4,
    "back_color": 15,
    "tail_shape": 6,
    "upper_tail_color": 15,
    "head_pattern": 11,
    "breast_color": 15,
    "throat_color": 15,
    "eye_color": 14,
    "bill_length": 3,
    "forehead_color": 15,
    "under_tail_color": 15,
    "nape_color": 15,
    "belly_color": 15,
    "wing_shape": 5,
    "size": 5,
    "shape": 14,
    "back_pattern": 4,
    "tail_pattern": 4,
    "belly_pattern": 4,
    "primary_color": 15,
    "leg_color": 15,
    "bill_color": 15,
    "crown_color": 15,
    "wing_pattern": 4,
}
PERCHED = BirdPose("perched")
ITEMS = 4


def species(number: int, shape: str | None = "perching-like") -> Bird:
    return sample_species(np.random.default_rng(number), shape)


def render(bird: Bird, pose: BirdPose = PERCHED) -> np.ndarray:
    left, top, right, bottom = draw_bird(bird, pose).extent
    return render_svg(
        '<svg xmlns="http://www.w3.org/2000/svg" width="160" height="160" '
        f'viewBox="{left - 30} {top - 30} {right - left + 60} {bottom - top + 60}">'
        f"{draw_bird(bird, pose).markup}</svg>"
    )


def test_the_vocabulary_has_the_published_groups_and_counts() -> None:
    assert {group: len(values) for group, values in GROUPS.items()} == GROUP_SIZES
    assert list(GROUPS) == list(GROUP_SIZES)
    assert len(GROUPS) == 28
    assert len(set(ATTRIBUTES)) == len(ATTRIBUTES) == 312
    assert ATTRIBUTES[0] == "has_bill_shape::curved_(up_or_down)"
    assert ATTRIBUTES[9] == "has_wing_color::blue"
    assert ATTRIBUTES[311] == "has_wing_pattern::multi-colored"
    assert not [name for name in ATTRIBUTES if " " in name]


def test_the_kit_speaks_the_vocabulary() -> None:
    assert set(bird_traits.BILL_SHAPES) == set(GROUPS["bill_shape"])
    assert set(bird_traits.BILL_LENGTHS) == set(GROUPS["bill_length"])
    assert set(bird_traits.HEAD_PATTERNS) == set(GROUPS["head_pattern"])
    assert set(bird_traits.TAIL_SHAPES) == set(GROUPS["tail_shape"])
    assert set(bird_traits.WING_SHAPES) == set(GROUPS["wing_shape"])
    assert set(bird_traits.SIZES) == set(GROUPS["size"])
    assert set(BODY_SHAPES) == set(GROUPS["shape"])
    assert GROUPS["wing_color"] == COLOURS
    assert set(PART_NAMES) == set(PARTS)
    assert len(CERTAINTIES) == 4


@pytest.mark.parametrize("shape", BODY_SHAPES)
def test_every_species_has_a_known_value_of_every_group(shape: str) -> None:
    generator = np.random.default_rng(3)
    for _ in range(10):
        bird = sample_species(generator, shape)
        for bird_or_sister in (bird, vary_species(bird, generator)):
            attributes = attributes_of(bird_or_sister)
            assert set(attributes) == set(GROUPS)
            for group, values in attributes.items():
                assert values
                assert len(set(values)) == len(values)
                assert set(values) <= set(GROUPS[group]), group
            assert attributes["shape"] == (shape,)


def test_attributes_are_those_of_the_parts() -> None:
    bird = replace(
        species(1),
        **{"wing": "black", "upper_mark": "white", "wing_pattern": "striped", "back": "olive"},
        **{"back_pattern": "solid", "breast": "yellow", "breast_pattern": "solid"},
        **{"belly": "white", "belly_pattern": "spotted", "lower_mark": "black", "eye": "red"},
    )
    attributes = attributes_of(bird)
    assert attributes["wing_color"] == ("black", "white")
    assert attributes["wing_pattern"] == ("striped",)
    assert attributes["upperparts_color"] == ("olive", "black", "white")
    assert attributes["breast_color"] == ("yellow",)
    assert attributes["underparts_color"] == ("yellow", "white", "black")
    assert attributes["eye_color"] == ("red",)


def test_given_traits_are_kept_and_marks_stand_out_from_them() -> None:
    for number in range(30):
        bird = sample_species(
            np.random.default_rng(number),
            "perching-like",
            traits={"back": "brown", "back_pattern": "striped", "bill_shape": "cone"},
        )
        assert (bird.back, bird.back_pattern, bird.bill_shape) == ("brown", "striped", "cone")
        assert stands_out(bird.upper_mark, "brown")


def test_a_sister_species_differs_in_few_traits_and_never_in_build() -> None:
    build = ("shape", "size", "bill_shape", "bill_length", "wing_shape", "tail_shape")
    for number in range(40):
        bird = species(number, None)
        sister = vary_species(bird, np.random.default_rng(number))
        changed = [
            field.name
            for field in fields(Bird)
            if getattr(bird, field.name) != getattr(sister, field.name)
        ]
        assert not set(changed) & set(build)
        # three at most, and marks or a forehead that follow them
        follow = {"forehead", "upper_mark", "lower_mark", "head_mark"}
        assert 2 <= len([name for name in changed if name not in follow]) <= 3


@pytest.mark.parametrize(
    ("trait", "values", "action"),
    [
        ("bill_shape", bird_traits.BILL_SHAPES, "perched"),
        ("bill_length", bird_traits.BILL_LENGTHS, "perched"),
        ("head_pattern", bird_traits.HEAD_PATTERNS, "perched"),
        ("tail_shape", bird_traits.TAIL_SHAPES, "perched"),
        ("wing_shape", bird_traits.WING_SHAPES, "perched"),
        ("wing_shape", bird_traits.WING_SHAPES, "flying"),
        ("wing_pattern", bird_traits.PLUMAGE_PATTERNS, "perched"),
        ("wing_pattern", bird_traits.PLUMAGE_PATTERNS, "flying"),
        ("back_pattern", bird_traits.PLUMAGE_PATTERNS, "perched"),
        ("tail_pattern", bird_traits.PLUMAGE_PATTERNS, "perched"),
        ("breast_pattern", bird_traits.PLUMAGE_PATTERNS, "perched"),
        ("belly_pattern", bird_traits.PLUMAGE_PATTERNS, "perched"),
        ("shape", BODY_SHAPES, "perched"),
        ("throat", COLOURS, "perched"),
        ("under_tail", COLOURS, "perched"),
    ],
)
def test_each_value_is_seen(trait: str, values: tuple[str, ...], action: str) -> None:
    bird = replace(
        species(4), back="olive", breast="yellow", belly="white", wing="grey", upper_tail="brown"
    )
    bird = replace(bird, upper_mark="black", lower_mark="red", head_mark="blue", crown="buff")
    pictures = [render(replace(bird, **{trait: value}), BirdPose(action)) for value in values]
    for first, second in combinations(range(len(values)), 2):
        differing = (np.abs(pictures[first].astype(int) - pictures[second]) > 16).any(axis=2)
        assert differing.sum() >= 12, f"{values[first]} looks like {values[second]}"


@pytest.mark.parametrize("part", ["wing", "back", "breast", "belly", "throat", "crown", "nape"])
def test_a_colour_is_drawn_on_its_part(part: str) -> None:
    plain = dict.fromkeys(
        [f"{name}_pattern" for name in ("wing", "back", "tail", "breast", "belly")], "solid"
    )
    bird = replace(species(2), head_pattern="plain", **plain)
    red, blue = (render(replace(bird, **{part: colour})) for colour in ("red", "blue"))
    left, top, right, bottom = draw_bird(bird, PERCHED).extent
    name = "right wing" if part == "wing" else part
    x, y = draw_bird(bird, PERCHED).parts[name]
    scale = 160 / max(right - left + 60, bottom - top + 60)
    column = round(80 + (x - (left + right) / 2) * scale)
    row = round(80 + (y - (top + bottom) / 2) * scale)
    near = (slice(row - 1, row + 2), slice(column - 1, column + 2))
    assert (red[near][..., 0].mean() - red[near][..., 2].mean()) > 40
    assert (blue[near][..., 2].mean() - blue[near][..., 0].mean()) > 40


@pytest.mark.parametrize("action", ["perched", "standing", "swimming", "flying"])
@pytest.mark.parametrize("shape", BODY_SHAPES)
def test_parts_and_extent_belong_to_the_drawing(shape: str, action: str) -> None:
    drawing = draw_bird(species(5, shape), BirdPose(action))
    left, top, right, bottom = drawing.extent
    assert set(drawing.parts) <= set(PART_NAMES)
    assert ("right leg" in drawing.parts) == (action in ("perched", "standing"))
    assert ("left wing" in drawing.parts) == (action == "flying")
    for name, (x, y) in drawing.parts.items():
        assert left - 12 <= x <= right + 12, name
        assert top - 12 <= y <= bottom + 12, name


@pytest.mark.parametrize("shape", BODY_SHAPES)
@pytest.mark.parametrize("size", [(240, 180), (180, 240)])
def test_photographs_show_the_bird_in_its_box(shape: str, size: tuple[int, int]) -> None:
    width, height = size
    for number in range(3):
        picture, (x, y, across, down), parts = take_bird_photograph(
            species(6, shape), np.random.default_rng([8, number]), size=size
        )
        assert picture.shape == (height, width, 3)
        assert picture.dtype == np.uint8
        assert 0 <= x < x + across <= width
        assert 0 <= y < y + down <= height
        assert across * down > 0.04 * width * height, "too small to be seen"
        assert tuple(parts) == PART_NAMES
        points = [point for point in parts.values() if point is not None]
        assert len(points) >= 4
        inside = [x - 3 <= px < x + across + 3 and y - 3 <= py < y + down + 3 for px, py in points]
        assert all(inside)


def test_a_photograph_depends_on_its_generator_alone() -> None:
    bird = species(7)
    first = take_bird_photograph(bird, np.random.default_rng(1))
    other = take_bird_photograph(bird, np.random.default_rng(2))
    np.random.seed(3)  # noqa: NPY002
    again = take_bird_photograph(bird, np.random.default_rng(1))
    assert first[0].tobytes() == again[0].tobytes()
    assert first[1:] == again[1:]
    assert first[0].tobytes() != other[0].tobytes()


def test_one_side_of_a_bird_is_seen_and_it_faces_either_way() -> None:
    seen = Counter()
    for number in range(40):
        _, _, parts = take_bird_photograph(species(7), np.random.default_rng(number), size=(90, 70))
        eyes = [side for side in ("left", "right") if parts[f"{side} eye"] is not None]
        assert len(eyes) <= 1
        seen.update(eyes)
        if eyes and parts["beak"] is not None and parts["tail"] is not None:
            faces_right = parts["beak"][0] > parts["tail"][0]
            assert faces_right == (eyes == ["right"])
    assert min(seen["left"], seen["right"]) > 5


def test_the_whole_plan_has_forty_one_species_in_sixteen_families() -> None:
    planned = plan_species(seed=0)
    assert len(planned) == SPECIES == 41
    assert len({one.name for one in planned}) == 41
    families = Counter(one.name.rsplit("_", 1)[-1] for one in planned)
    assert families == {family.name: family.species for family in FAMILIES}
    assert len({repr(sorted(attributes_of(one.bird).items())) for one in planned}) == 41
    for one in planned:
        colour = one.name.split("_")[0].lower()
        assert colour in {getattr(one.bird, field.name) for field in fields(Bird)}


def test_few_species_still_have_relatives() -> None:
    names = [one.name for one in plan_species(seed=0, items=6)]
    assert set(Counter(name.rsplit("_", 1)[-1] for name in names).values()) == {2}
    assert set(names) <= {one.name for one in plan_species(seed=0)}


@pytest.mark.parametrize("items", [0, -1, 42])
def test_a_number_of_species_out_of_range_is_named(items: int, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=f"items is {items}; expected 1 to 41"):
        draw_mini(tmp_path / "cub", seed=0, items=items)
    assert not (tmp_path / "cub").exists()


@pytest.fixture(scope="module")
def mini(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data") / "cub200"
    draw_mini(root, seed=0, items=ITEMS)
    return root


def rows(mini: Path, name: str) -> list[list[str]]:
    return [line.split() for line in (mini / "CUB_200_2011" / name).read_text().splitlines()]


def test_mini_has_the_published_layout(mini: Path) -> None:
    files = {path.relative_to(mini).as_posix() for path in mini.rglob("*") if path.is_file()}
    folder = "CUB_200_2011"
    texts = {name for name in files if not name.endswith(".jpg")}
    assert texts == {
        "attributes.txt",
        f"{folder}/README",
        *(f"{folder}/{name}.txt" for name in ("images", "classes", "image_class_labels")),
        *(f"{folder}/{name}.txt" for name in ("train_test_split", "bounding_boxes")),
        *(f"{folder}/parts/{name}.txt" for name in ("parts", "part_locs", "part_click_locs")),
        f"{folder}/attributes/certainties.txt",
        f"{folder}/attributes/image_attribute_labels.txt",
        f"{folder}/attributes/class_attribute_labels_continuous.txt",
    }
    images = {f"{folder}/images/{row[1]}" for row in rows(mini, "images.txt")}
    assert files - texts == images
    assert len(images) == ITEMS * sum(IMAGES_PER_SPECIES.values())
    assert (mini / "attributes.txt").read_text().splitlines() == [
        f"{number} {name}" for number, name in enumerate(ATTRIBUTES, start=1)
    ]
    for name in images:
        with Image.open(mini / name) as image:
            assert image.format == "JPEG"
            assert image.size in {(240, 180), (180, 240)}


def test_classes_and_splits_of_mini_agree(mini: Path) -> None:
    classes = dict(rows(mini, "classes.txt"))
    assert list(classes) == [str(number) for number in range(1, ITEMS + 1)]
    labels, training = dict(rows(mini, "image_class_labels.txt")), defaultdict(Counter)
    split = dict(rows(mini, "train_test_split.txt"))
    for number, path in rows(mini, "images.txt"):
        folder, name = path.split("/")
        assert folder == classes[labels[number]]
        assert name.lower().startswith(folder[4:].lower())
        training[folder][split[number]] += 1
    expected = {"1": IMAGES_PER_SPECIES["train"], "0": IMAGES_PER_SPECIES["test"]}
    assert all(counts == expected for counts in training.values())


def test_boxes_and_parts_of_mini_lie_within_the_pictures(mini: Path) -> None:
    sizes = {}
    for number, path in rows(mini, "images.txt"):
        with Image.open(mini / "CUB_200_2011" / "images" / path) as image:
            sizes[number] = image.size
    for number, *values in rows(mini, "bounding_boxes.txt"):
        x, y, width, height = map(float, values)
        assert 0 <= x < x + width <= sizes[number][0]
        assert 0 <= y < y + height <= sizes[number][1]
    parts = rows(mini, "parts/part_locs.txt")
    assert len(parts) == len(sizes) * len(PARTS)
    for number, _, x, y, visible in parts:
        assert 0 <= float(x) < sizes[number][0]
        assert 0 <= float(y) < sizes[number][1]
        assert visible == "1" or (x, y) == ("0.0", "0.0")
    assert Counter(row[4] for row in parts)["0"] >= len(sizes)  # the far eye at least
    assert len(rows(mini, "parts/part_click_locs.txt")) == 5 * len(parts)


def test_labels_of_mini_are_the_attributes_of_the_drawn_birds(mini: Path) -> None:
    images = plan_mini(seed=0, items=ITEMS)
    labels = defaultdict(dict)
    for number, attribute, present, certainty, *rest in rows(
        mini, "attributes/image_attribute_labels.txt"
    ):
        labels[int(number)][int(attribute)] = (present, certainty, rest)
    assert len(labels) == len(images)
    for number, image in enumerate(images, start=1):
        assert list(labels[number]) == list(range(1, 313))
        attributes = attributes_of(image.bird)
        for attribute, (present, certainty, _) in labels[number].items():
            group, value = ATTRIBUTES[attribute - 1].removeprefix("has_").split("::")
            expected = certainty != "1" and value in attributes[group]
            assert present == str(int(expected)), ATTRIBUTES[attribute - 1]
    certainties = Counter(label[1] for image in labels.values() for label in image.values())
    assert set(certainties) == {"1", "2", "3", "4"}
    assert certainties["4"] > certainties["2"]


def test_what_a_pose_hides_is_not_visible(mini: Path) -> None:
    seen = defaultdict(set)
    for number, part, _, _, visible in rows(mini, "parts/part_locs.txt"):
        if visible == "1":
            seen[number].add(PARTS[int(part) - 1])
    first, last = (ATTRIBUTES.index(f"has_leg_color::{name}") + 1 for name in ("blue", "buff"))
    hidden = 0
    for number, attribute, present, certainty, *_ in rows(
        mini, "attributes/image_attribute_labels.txt"
    ):
        if first <= int(attribute) <= last:
            legs = seen[number] & {"left leg", "right leg"}
            assert (certainty == "1") == (not legs)
            if not legs:
                assert present == "0"
                hidden += 1
    assert hidden > 0


def test_one_image_of_mini_has_the_malformed_rows_of_the_published_file(mini: Path) -> None:
    odd = [row for row in rows(mini, "attributes/image_attribute_labels.txt") if len(row) != 5]
    assert len(odd) == 303
    assert {(row[0], row[4], len(row)) for row in odd} == {("5", "0", 6)}
    assert [int(row[1]) for row in odd] == list(range(10, 313))


def test_class_percentages_of_mini_follow_the_labels(mini: Path) -> None:
    table = np.array(
        [
            [float(value) for value in row]
            for row in rows(mini, "attributes/class_attribute_labels_continuous.txt")
        ]
    )
    assert table.shape == (ITEMS, 312)
    counts = np.zeros_like(table)
    classes = dict(rows(mini, "image_class_labels.txt"))
    for number, attribute, present, *_ in rows(mini, "attributes/image_attribute_labels.txt"):
        counts[int(classes[number]) - 1, int(attribute) - 1] += int(present)
    np.testing.assert_allclose(table, counts * 100 / sum(IMAGES_PER_SPECIES.values()), atol=1e-5)


def test_an_image_drawn_alone_is_the_same_as_in_the_whole_set(mini: Path) -> None:
    for image in plan_mini(seed=0, items=ITEMS)[::13][::-1]:
        written = mini / "CUB_200_2011" / "images" / image.path
        assert written.read_bytes() == draw_image(image, seed=0).jpeg


def test_another_seed_gives_other_birds() -> None:
    first, second = plan_mini(seed=0, items=2), plan_mini(seed=1, items=2)
    assert [image.path for image in first] != [image.path for image in second]
    assert first == plan_mini(seed=0, items=2)
    assert draw_image(first[0], seed=0).jpeg != draw_image(first[0], seed=1).jpeg


def test_nothing_is_left_beside_the_edition(mini: Path) -> None:
    assert [path.name for path in mini.parent.iterdir()] == ["cub200"]
