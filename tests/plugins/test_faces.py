"""Drawn faces, and the mini edition of CelebA that is made of them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import fields, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bench_atelier.faces import BEARDS, GLASSES, HAIR_TONES, HATS, Face, sample_identity, vary_face
from bench_atelier.head import HEIGHT, WIDTH, HeadPose
from bench_atelier.portraits import draw_face, face_landmarks, sample_head_pose, take_portrait
from bench_atelier.render import render_svg
from bench_celeba.mini import (
    MiniImage,
    binary_attributes,
    describe,
    draw_image,
    draw_mini,
    plan_mini,
)
from bench_celeba.vocabulary import BINARY, GROUPS, group_values
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from bench.errors import UserError

ITEMS = 24
PLAIN = replace(
    sample_identity(np.random.default_rng(4)),
    gender="male", age="young", skin="#dfb08a", face_shape="round", chubby=False,
    double_chin=False, high_cheekbones=False, rosy_cheeks=False, hair_colour="brown",
    hair_tone=HAIR_TONES["brown"][0], hair_type="straight", hair_length="short", hairline="full",
    bangs=False, beard="none", arched_brows=False, bushy_brows=False, narrow_eyes=False,
    eye_bags=False, nose="plain", big_lips=False, makeup="none", glasses="none", clothing="shirt",
)  # fmt: skip

# one change of the plain face for each value of each group that it does not have already
GROUP_CHANGES: Mapping[tuple[str, str], Mapping[str, Any]] = {
    ("hair-color", "black"): {"hair_colour": "black", "hair_tone": HAIR_TONES["black"][0]},
    ("hair-color", "blond"): {"hair_colour": "blond", "hair_tone": HAIR_TONES["blond"][0]},
    ("hair-color", "gray"): {"hair_colour": "gray", "hair_tone": HAIR_TONES["gray"][0]},
    ("hair-color", "other"): {"hair_colour": "other", "hair_tone": HAIR_TONES["other"][0]},
    ("beard", "goatee"): {"beard": "goatee"},
    ("beard", "mustache"): {"beard": "mustache"},
    ("beard", "stubble"): {"beard": "stubble"},
    ("hair-type", "wavy-or-other"): {"hair_type": "wavy"},
    ("smiling", "smiling"): {"smiling": True},
    ("eyeglasses", "eyeglasses"): {"glasses": "round"},
    ("gender", "female"): {"gender": "female"},
    ("hat", "hat"): {"hat": "cap"},
    ("age", "old"): {"age": "old"},
}
OTHER_CHANGES: Mapping[str, Mapping[str, Any]] = {
    "5_o_Clock_Shadow": {"beard": "stubble"},
    "Arched_Eyebrows": {"arched_brows": True},
    "Bags_Under_Eyes": {"eye_bags": True},
    "Bald": {"hairline": "bald", "hair_colour": "other"},
    "Bangs": {"bangs": True},
    "Big_Lips": {"big_lips": True},
    "Big_Nose": {"nose": "big"},
    "Bushy_Eyebrows": {"bushy_brows": True},
    "Chubby": {"chubby": True},
    "Double_Chin": {"double_chin": True},
    "Heavy_Makeup": {"makeup": "heavy"},
    "High_Cheekbones": {"high_cheekbones": True},
    "Mouth_Slightly_Open": {"mouth_open": True},
    "Narrow_Eyes": {"narrow_eyes": True},
    "Oval_Face": {"face_shape": "oval"},
    "Pale_Skin": {"skin": "#f3d9c8"},
    "Pointy_Nose": {"nose": "pointy"},
    "Receding_Hairline": {"hairline": "receding"},
    "Rosy_Cheeks": {"rosy_cheeks": True},
    "Sideburns": {"beard": "sideburns"},
    "Wavy_Hair": {"hair_type": "wavy"},
    "Wearing_Earrings": {"earrings": "hoops"},
    "Wearing_Lipstick": {"makeup": "lipstick"},
    "Wearing_Necklace": {"necklace": True, "clothing": "v-neck"},
    "Wearing_Necktie": {"necktie": True},
}


@pytest.fixture(scope="module")
def mini(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data") / "celeba"
    draw_mini(root, seed=0, items=ITEMS)
    return root


def person(number: int) -> tuple[Face, HeadPose]:
    """Return some face on some day, and a pose."""
    generator = np.random.default_rng([7, number])
    face = vary_face(sample_identity(generator), generator)
    return face, sample_head_pose(generator)


def drawn(face: Face, pose: HeadPose | None = None) -> np.ndarray:
    """Return the drawing laid on grey, (H, W, 3) float."""
    pixels = render_svg(draw_face(face, pose or HeadPose())).astype(float)
    alpha = pixels[..., 3:] / 255
    return pixels[..., :3] * alpha + 128 * (1 - alpha)


def changed_pixels(first: Face, second: Face) -> int:
    """Return how many pixels differ by more than the eye overlooks."""
    return int((np.abs(drawn(first) - drawn(second)).max(axis=2) > 20).sum())


def described(face: Face) -> dict[str, bool]:
    """Return the binary attributes of a face on some picture."""
    return binary_attributes(replace(describe(plan_mini(seed=0, items=1)[0]), face=face))


def values_of(face: Face) -> dict[str, str]:
    """Return the value of each group of a face."""
    row = group_values(np.array([list(described(face).values())]))[0]
    return {group: names[value] for (group, names), value in zip(GROUPS.items(), row, strict=True)}


# --- the vocabulary


def test_there_are_forty_attributes_and_eight_groups_of_21_values() -> None:
    assert len(set(BINARY)) == len(BINARY) == 40
    # as published: alphabetical
    assert list(BINARY) == sorted(BINARY)
    assert [len(names) for names in GROUPS.values()] == [5, 4, 2, 2, 2, 2, 2, 2]
    values = [name for names in GROUPS.values() for name in names]
    assert len(set(values)) == 21


def reference_groups(row: Mapping[str, bool]) -> list[str]:
    """Return the eight values of one face, decided one `if` after the other."""
    colour = "other"
    for name in ("Black", "Blond", "Brown", "Gray"):
        if row[f"{name}_Hair"]:
            colour = name.lower()
            break
    if row["Goatee"]:
        beard = "goatee"
    elif row["Mustache"]:
        beard = "mustache"
    elif row["5_o_Clock_Shadow"] or row["Sideburns"]:
        beard = "stubble"
    else:
        beard = "no-beard"
    return [
        colour,
        beard,
        "straight" if row["Straight_Hair"] else "wavy-or-other",
        "smiling" if row["Smiling"] else "not-smiling",
        "eyeglasses" if row["Eyeglasses"] else "no-eyeglasses",
        "male" if row["Male"] else "female",
        "hat" if row["Wearing_Hat"] else "no-hat",
        "young" if row["Young"] else "old",
    ]


@settings(max_examples=60)
@given(st.lists(st.lists(st.booleans(), min_size=40, max_size=40), max_size=5))
def test_groups_agree_with_a_plain_reference(rows: list[list[bool]]) -> None:
    values = group_values(np.array(rows, dtype=bool).reshape(-1, 40))
    assert values.shape == (len(rows), 8)
    for row, got in zip(rows, values, strict=True):
        expected = reference_groups(dict(zip(BINARY, row, strict=True)))
        named = [names[value] for names, value in zip(GROUPS.values(), got, strict=True)]
        assert named == expected


@pytest.mark.parametrize("shape", [(40,), (3, 39), (3, 41)])
def test_groups_of_another_shape_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="expected attributes"):
        group_values(np.zeros(shape, dtype=bool))


# --- the faces


def test_same_generator_draws_the_same_portrait() -> None:
    face, pose = person(0)
    first, second = (take_portrait(face, pose, np.random.default_rng(3)) for _ in range(2))
    assert np.array_equal(first, second)
    other = take_portrait(face, pose, np.random.default_rng(4))
    assert not np.array_equal(first, other)


def test_portraits_have_the_asked_size_and_content() -> None:
    face, pose = person(1)
    for size in ((WIDTH, HEIGHT), (89, 109)):
        picture = take_portrait(face, pose, np.random.default_rng(0), size=size)
        assert (picture.shape, picture.dtype) == ((size[1], size[0], 3), np.uint8)
        assert picture.std() > 15


def test_a_blurry_portrait_has_weaker_edges() -> None:
    face, pose = person(2)
    sharp, blurry = (
        take_portrait(face, pose, np.random.default_rng(0), blurry=blurry).astype(float)
        for blurry in (False, True)
    )
    assert np.abs(np.diff(blurry, axis=1)).mean() < 0.9 * np.abs(np.diff(sharp, axis=1)).mean()


def test_another_photograph_keeps_what_a_person_keeps() -> None:
    changing = {
        "smiling", "mouth_open", "glasses", "hat", "accent_colour", "earrings", "necklace",
        "clothing", "clothing_colour", "necktie", "strands",
    }  # fmt: skip
    for number in range(20):
        generator = np.random.default_rng(number)
        face = sample_identity(generator)
        other = vary_face(face, generator)
        kept = {field.name for field in fields(Face)} - changing
        assert {name: getattr(face, name) for name in kept} == {
            name: getattr(other, name) for name in kept
        }


def test_every_kind_is_sampled() -> None:
    faces = [person(number)[0] for number in range(400)]
    assert {face.beard for face in faces} == set(BEARDS)
    assert {face.hat for face in faces} == set(HATS)
    assert {face.glasses for face in faces} == set(GLASSES)
    assert {face.hair_colour for face in faces} == set(HAIR_TONES)
    assert {face.hairline for face in faces} == {"full", "receding", "bald"}
    assert all(face.beard == "none" for face in faces if face.gender == "female")


def test_the_changes_cover_every_value_of_every_group() -> None:
    plain = set(values_of(PLAIN).items())
    every = {(group, name) for group, names in GROUPS.items() for name in names}
    assert set(GROUP_CHANGES) == every - plain


@pytest.mark.parametrize("gender", ["male", "female"])
@pytest.mark.parametrize("change", GROUP_CHANGES, ids=":".join)
def test_each_value_of_each_group_shows(change: tuple[str, str], gender: str) -> None:
    plain = replace(PLAIN, gender=gender)
    changes = GROUP_CHANGES[change]
    if change[0] == "gender":
        changes = {"gender": "female" if gender == "male" else "male"}
    other = replace(plain, **changes)
    assert changed_pixels(plain, other) > 150
    # and nothing but its own group changes
    before, after = values_of(plain), values_of(other)
    assert {group for group in GROUPS if before[group] != after[group]} == {change[0]}


@pytest.mark.parametrize("name", OTHER_CHANGES)
def test_each_other_attribute_shows(name: str) -> None:
    other = replace(PLAIN, **OTHER_CHANGES[name])
    assert not described(PLAIN)[name]
    assert described(other)[name]
    assert changed_pixels(PLAIN, other) > 25


@pytest.mark.parametrize(
    ("field", "kinds"), [("hat", HATS), ("glasses", GLASSES), ("beard", BEARDS)]
)
def test_kinds_differ_from_one_another(field: str, kinds: tuple[str, ...]) -> None:
    for first, second in pairwise(kinds):
        changes: list[dict[str, Any]] = [{field: first}, {field: second}]
        assert changed_pixels(*(replace(PLAIN, **change) for change in changes)) > 150


@pytest.mark.parametrize("number", range(6))
def test_landmarks_lie_on_eyes_and_mouth(number: int) -> None:
    pose = person(number)[1]
    picture = drawn(PLAIN, pose).mean(axis=2)
    eyes, mouth = face_landmarks(PLAIN, pose)[:2], face_landmarks(PLAIN, pose)[3:]
    for x, y in eyes:  # a pupil within the light face
        assert picture[y - 2 : y + 3, x - 2 : x + 3].min() < 60
        assert picture[y + 16, x] > 100
    x, y = mouth.mean(axis=0).round().astype(int)  # dark between the lips, light on the chin
    assert picture[y - 3 : y + 4, x].min() < picture[y + 16, x] - 30


def test_landmarks_are_about_where_aligned_pictures_have_them() -> None:
    marks = np.array([face_landmarks(*person(number)) for number in range(60)])
    expected = [(69, 111), (108, 111), (88, 135), (71, 152), (105, 152)]
    assert np.abs(marks.mean(axis=0) - expected).max() < 4
    assert np.abs(marks - expected).max() < 22
    assert (marks[:, 0, 0] < marks[:, 1, 0]).all()


def test_drawings_use_neither_text_nor_clip_paths_nor_filters() -> None:
    for number in range(12):
        svg = draw_face(*person(number))
        assert not re.search(r"<text|clip-?path|<filter|<mask|nan|inf", svg, re.IGNORECASE)


# --- the mini edition


def test_layout_is_complete_and_in_the_published_grammar(mini: Path) -> None:
    files = {path.relative_to(mini).as_posix() for path in mini.rglob("*") if path.is_file()}
    names = [f"{number:06d}.jpg" for number in range(1, ITEMS + 1)]
    grammar = {
        "Anno/identity_CelebA.txt": ([], r"\d{6}\.jpg \d+"),
        "Anno/list_attr_celeba.txt": (
            [str(ITEMS), " ".join(BINARY) + " "],
            r"\d{6}\.jpg(?: -1|  1){40}",
        ),
        "Anno/list_bbox_celeba.txt": (
            [str(ITEMS), "image_id x_1 y_1 width height"],
            r"\d{6}\.jpg(?: +\d+){4}",
        ),
        "Anno/list_landmarks_align_celeba.txt": (
            [
                str(ITEMS),
                "lefteye_x lefteye_y righteye_x righteye_y nose_x nose_y "
                "leftmouth_x leftmouth_y rightmouth_x rightmouth_y",
            ],
            r"\d{6}\.jpg(?: +\d+){10}",
        ),
        "Eval/list_eval_partition.txt": ([], r"\d{6}\.jpg [012]"),
    }
    assert files == {*grammar, *(f"Img/img_align_celeba/{name}" for name in names)}
    for name, (header, row) in grammar.items():
        lines = (mini / name).read_text().removesuffix("\n").split("\n")
        assert lines[: len(header)] == header
        rows = lines[len(header) :]
        assert [line.split()[0] for line in rows] == names
        assert all(re.fullmatch(row, line) for line in rows), name


def test_pictures_have_the_published_size(mini: Path) -> None:
    for path in sorted(mini.rglob("*.jpg")):
        with Image.open(path) as image:
            assert (image.format, image.mode, image.size) == ("JPEG", "RGB", (178, 218))


def test_a_picture_drawn_alone_is_the_same_as_in_the_whole_set(mini: Path) -> None:
    for image in plan_mini(seed=0, items=ITEMS)[::-7]:
        assert (mini / "Img/img_align_celeba" / image.name).read_bytes() == draw_image(image)


def test_another_seed_draws_other_persons() -> None:
    first, second = (MiniImage(number=1, person=1, split=0, seed=seed) for seed in (0, 1))
    assert describe(first).face != describe(second).face


def test_written_attributes_are_those_of_the_drawn_faces(mini: Path) -> None:
    lines = (mini / "Anno/list_attr_celeba.txt").read_text().splitlines()[2:]
    signs = np.array([[int(value) for value in line.split()[1:]] for line in lines])
    values = group_values(signs == 1)
    for image, row in zip(plan_mini(seed=0, items=ITEMS), values, strict=True):
        face = describe(image).face
        beard = {"none": "no-beard", "sideburns": "stubble", "circle": "goatee"}
        straight = face.hair_type == "straight" and face.hairline != "bald"
        expected = [
            face.hair_colour,
            beard.get(face.beard, face.beard),
            "straight" if straight else "wavy-or-other",
            "smiling" if face.smiling else "not-smiling",
            "no-eyeglasses" if face.glasses == "none" else "eyeglasses",
            face.gender,
            "no-hat" if face.hat == "none" else "hat",
            face.age,
        ]
        named = [names[value] for names, value in zip(GROUPS.values(), row, strict=True)]
        assert named == expected


@settings(max_examples=40)
@given(st.integers(1, 60), st.integers(0, 5))
def test_a_plan_has_the_asked_number_and_keeps_persons_in_one_split(count: int, seed: int) -> None:
    images = plan_mini(seed=seed, items=count)
    assert [image.number for image in images] == list(range(1, count + 1))
    splits = [image.split for image in images]
    assert splits == sorted(splits)
    assert len({image.person for image in images}) == len(
        {(image.person, image.split) for image in images}
    )
    assert max(Counter(image.person for image in images).values()) <= 4


def test_changing_one_attribute_often_leads_to_another_picture() -> None:
    faces = [describe(image) for image in plan_mini(seed=0)]
    binary = np.array([list(binary_attributes(face).values()) for face in faces])
    values = group_values(binary)[np.random.default_rng(0).permutation(len(faces))]
    gallery = {tuple(row) for row in values[120:520].tolist()}
    pairs: Counter[str] = Counter()
    for row in values[:120].tolist():
        for place, (group, names) in enumerate(GROUPS.items()):
            for value in set(range(len(names))) - {row[place]}:
                pairs[group] += (*row[:place], value, *row[place + 1 :]) in gallery
    assert pairs.total() >= 400
    assert min(pairs[group] for group in GROUPS) >= 20


def test_a_folder_that_holds_something_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(UserError, match="not empty"):
        draw_mini(tmp_path, seed=0, items=1)
