"""The mini edition of CelebA: drawn faces with the published folders and annotation files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from bench_atelier.colours import luminance
from bench_atelier.edition import write_edition
from bench_atelier.faces import Face, sample_identity, vary_face
from bench_atelier.head import HeadPose
from bench_atelier.photograph import encode_jpeg
from bench_atelier.portraits import LANDMARKS, face_landmarks, sample_head_pose, take_portrait

from bench_celeba.vocabulary import BINARY

# enough for 120 queries, a gallery of 400 and a training set
IMAGES = 1100
# train, validation, test: about the published shares
SHARES = (0.8, 0.1, 0.1)
BLURRY = 0.04
# skin that is brighter counts as pale: between the first two tones of bench_atelier.faces
PALE = 0.835

# what a generator is for, next to the seed
_PLAN, _PERSON, _SITTING, _PICTURE = range(4)


@dataclass(frozen=True)
class MiniImage:
    """One picture to draw: its number (from 1), its person (from 1), its split (0, 1 or 2)."""

    number: int
    person: int
    split: int
    seed: int

    @property
    def name(self) -> str:
        """Return the file name, by which the annotation files call the picture."""
        return f"{self.number:06d}.jpg"


@dataclass(frozen=True)
class Sitting:
    """What a picture shows, and where the face was in the uncropped photograph.

    The `box` is x, y, width, height in pixels of that photograph, which does not exist here.
    """

    face: Face
    pose: HeadPose
    blurry: bool
    box: tuple[int, int, int, int]


def plan_mini(*, seed: int, items: int | None = None) -> list[MiniImage]:
    """Return the pictures in the order of their numbers: training, validation, test.

    There are `items` of them (`IMAGES` if None), two to four of each person, all in one split;
    persons and the pictures of a split are in random order, as they are in the published files.
    """
    generator = np.random.default_rng([seed, _PLAN])
    count = IMAGES if items is None else items
    sizes: list[int] = []
    while sum(sizes) < count:
        sizes.append(min(int(generator.integers(2, 5)), count - sum(sizes)))
    persons = generator.permutation(len(sizes)) + 1
    # a person belongs to the split in which the first of the pictures falls
    firsts = np.cumsum([0, *sizes[:-1]]) / max(1, count)
    splits = np.searchsorted(np.cumsum(SHARES[:-1]), firsts, side="right")
    owner = np.repeat(np.arange(len(sizes)), sizes)
    shuffled = generator.permutation(count)
    order = shuffled[np.argsort(splits[owner[shuffled]], kind="stable")]
    return [
        MiniImage(number, int(persons[owner[place]]), int(splits[owner[place]]), seed)
        for number, place in enumerate(order, start=1)
    ]


def describe(image: MiniImage) -> Sitting:
    """Return what the picture shows; it depends on nothing but the image."""
    person = sample_identity(np.random.default_rng([image.seed, _PERSON, image.person]))
    generator = np.random.default_rng([image.seed, _SITTING, image.number])
    face = vary_face(person, generator)
    pose = sample_head_pose(generator)
    blurry = bool(generator.random() < BLURRY)
    x, y = generator.integers(1, 250, size=2)
    width = int(generator.integers(70, 400))
    return Sitting(face, pose, blurry, (int(x), int(y), width, round(width * 1.385)))


def binary_attributes(sitting: Sitting) -> dict[str, bool]:
    """Return the attributes of a picture by their published names, in the published order.

    `Attractive` is an opinion that no drawing settles, so it is never set.
    """
    face = sitting.face
    haired = face.hairline != "bald"
    holds = {
        "5_o_Clock_Shadow": face.beard == "stubble",
        "Arched_Eyebrows": face.arched_brows,
        "Attractive": False,
        "Bags_Under_Eyes": face.eye_bags,
        "Bald": not haired,
        "Bangs": face.bangs,
        "Big_Lips": face.big_lips,
        "Big_Nose": face.nose == "big",
        "Black_Hair": face.hair_colour == "black",
        "Blond_Hair": face.hair_colour == "blond",
        "Blurry": sitting.blurry,
        "Brown_Hair": face.hair_colour == "brown",
        "Bushy_Eyebrows": face.bushy_brows,
        "Chubby": face.chubby,
        "Double_Chin": face.double_chin,
        "Eyeglasses": face.glasses != "none",
        "Goatee": face.beard in ("goatee", "circle"),
        "Gray_Hair": face.hair_colour == "gray",
        "Heavy_Makeup": face.makeup == "heavy",
        "High_Cheekbones": face.high_cheekbones,
        "Male": face.gender == "male",
        "Mouth_Slightly_Open": face.mouth_open,
        "Mustache": face.beard in ("mustache", "circle"),
        "Narrow_Eyes": face.narrow_eyes,
        "No_Beard": face.beard == "none",
        "Oval_Face": face.face_shape == "oval",
        "Pale_Skin": luminance(face.skin) > PALE,
        "Pointy_Nose": face.nose == "pointy",
        "Receding_Hairline": face.hairline == "receding",
        "Rosy_Cheeks": face.rosy_cheeks,
        "Sideburns": face.beard == "sideburns",
        "Smiling": face.smiling,
        "Straight_Hair": haired and face.hair_type == "straight",
        "Wavy_Hair": haired and face.hair_type == "wavy",
        "Wearing_Earrings": face.earrings != "none",
        "Wearing_Hat": face.hat != "none",
        "Wearing_Lipstick": face.makeup != "none",
        "Wearing_Necklace": face.necklace,
        "Wearing_Necktie": face.necktie,
        "Young": face.age == "young",
    }
    return {name: holds[name] for name in BINARY}


def draw_image(image: MiniImage) -> bytes:
    """Return the JPEG file of one picture, 178 x 218; it depends on nothing but the image."""
    sitting = describe(image)
    generator = np.random.default_rng([image.seed, _PICTURE, image.number])
    pixels = take_portrait(sitting.face, sitting.pose, generator, blurry=sitting.blurry)
    return encode_jpeg(pixels, quality=int(generator.integers(85, 95)))


def draw_mini(root: Path, *, seed: int, items: int | None = None) -> None:
    """Write the mini edition of CelebA below root: Anno, Eval and Img/img_align_celeba.

    `items` is the number of pictures, `IMAGES` if None.

    Raises:
        UserError: root is a file or a folder that holds something.

    """
    images = plan_mini(seed=seed, items=items)
    write_edition(
        root,
        {f"Img/img_align_celeba/{image.name}": image for image in images},
        draw_image,
        annotation_files(images),
    )


def annotation_files(images: Sequence[MiniImage]) -> Mapping[str, str]:
    """Return the text of each annotation file, by its path below the root."""
    sittings = [describe(image) for image in images]
    attributes, boxes, landmarks = [], [], []
    for image, sitting in zip(images, sittings, strict=True):
        signs = (1 if holds else -1 for holds in binary_attributes(sitting).values())
        attributes.append(image.name + "".join(f"{sign:3d}" for sign in signs))
        x, y, width, height = sitting.box
        boxes.append(f"{image.name} {x:5d} {y:3d} {width:3d} {height:3d}")
        first, *others = face_landmarks(sitting.face, sitting.pose).ravel().tolist()
        landmarks.append(f"{image.name} {first}" + "".join(f"{value:5d}" for value in others))
    corners = " ".join(f"{landmark}_{axis}" for landmark in LANDMARKS for axis in "xy")
    # the published list of attributes ends in a space
    names = "".join(f"{name} " for name in BINARY)
    count = str(len(images))
    return {
        "Anno/identity_CelebA.txt": _lines(f"{image.name} {image.person}" for image in images),
        "Anno/list_attr_celeba.txt": _lines([count, names, *attributes]),
        "Anno/list_bbox_celeba.txt": _lines([count, "image_id x_1 y_1 width height", *boxes]),
        "Anno/list_landmarks_align_celeba.txt": _lines([count, corners, *landmarks]),
        "Eval/list_eval_partition.txt": _lines(f"{image.name} {image.split}" for image in images),
    }


def _lines(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)
