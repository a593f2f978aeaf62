"""The mini edition of CUB-200-2011: drawn birds in the layout and grammar of the published one."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import numpy as np
from bench_atelier.bird_photograph import Box, Parts, take_bird_photograph
from bench_atelier.birds import Bird, attributes_of, sample_species, vary_species
from bench_atelier.edition import write_described_edition
from bench_atelier.photograph import encode_jpeg

from bench.errors import UserError
from bench_cub200.vocabulary import ATTRIBUTES, CERTAINTIES, GROUPS, PARTS

IMAGES_PER_SPECIES = {"train": 16, "test": 6}
LANDSCAPE, PORTRAIT = (240, 180), (180, 240)


@dataclass(frozen=True)
class Family:
    """Species that share the last word of their names, a body shape and some further traits."""

    name: str
    shape: str
    species: int
    traits: Mapping[str, str]


_SHORT, _SAME = "shorter_than_head", "about_the_same_as_head"
FAMILIES = (
    Family(
        "Warbler",
        "perching-like",
        5,
        {"bill_shape": "all-purpose", "size": "very_small_(3_-_5_in)"},
    ),
    Family(
        "Sparrow",
        "perching-like",
        5,
        {"bill_shape": "cone", "bill_length": _SHORT, "back": "brown", "back_pattern": "striped"},
    ),
    Family(
        "Gull",
        "gull-like",
        4,
        {
            **{"back": "grey", "breast": "white", "belly": "white", "nape": "white"},
            **{"throat": "white", "breast_pattern": "solid", "bill": "yellow"},
        },
    ),
    Family("Woodpecker", "tree-clinging-like", 4, {}),
    Family("Teal", "duck-like", 4, {}),
    Family("Hummingbird", "hummingbird-like", 3, {}),
    Family("Swallow", "swallow-like", 3, {}),
    Family("Hawk", "hawk-like", 3, {}),
    Family("Sandpiper", "sandpiper-like", 2, {}),
    Family("Heron", "long-legged-like", 2, {"bill_shape": "dagger"}),
    Family("Crossbill", "perching-like", 1, {"bill_shape": "specialized", "bill_length": _SAME}),
    Family("Cormorant", "upright-perching_water-like", 1, {}),
    Family("Dove", "pigeon-like", 1, {}),
    Family("Grouse", "upland-ground-like", 1, {}),
    Family("Owl", "owl-like", 1, {}),
    Family("Rail", "chicken-like-marsh", 1, {}),
)
SPECIES = sum(family.species for family in FAMILIES)

# how a name speaks of a part, the most telling part first
_NAMED_PARTS = {
    "throat": "throated",
    "crown": "crowned",
    "breast": "breasted",
    "belly": "bellied",
    "back": "backed",
    "wing": "winged",
    "nape": "naped",
    "bill": "billed",
    "upper_tail": "tailed",
    "leg": "legged",
    "eye": "eyed",
    "forehead": "fronted",
}

# the parts of which at least one must show for a group of attributes to be judged
_SEEN_BY: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(("bill_shape", "bill_length", "bill_color"), ("beak",)),
    **dict.fromkeys(("wing_color", "wing_shape", "wing_pattern"), ("left wing", "right wing")),
    "upperparts_color": ("back", "left wing", "right wing"),
    "underparts_color": ("breast", "belly"),
    **dict.fromkeys(("breast_pattern", "breast_color"), ("breast",)),
    **dict.fromkeys(("back_color", "back_pattern"), ("back",)),
    **dict.fromkeys(
        ("tail_shape", "upper_tail_color", "under_tail_color", "tail_pattern"), ("tail",)
    ),
    **dict.fromkeys(("belly_color", "belly_pattern"), ("belly",)),
    **dict.fromkeys(("head_pattern", "eye_color"), ("left eye", "right eye")),
    "throat_color": ("throat",),
    "forehead_color": ("forehead",),
    "nape_color": ("nape",),
    "crown_color": ("crown",),
    "leg_color": ("left leg", "right leg"),
    **dict.fromkeys(("size", "shape", "primary_color"), PARTS),
}


@dataclass(frozen=True)
class Species:
    """A class of the edition: its name, for instance Red_throated_Warbler, and its looks."""

    name: str
    bird: Bird


@dataclass(frozen=True)
class MiniImage:
    """One image to draw: its path below `images`, its class id, whether it is for training."""

    path: str
    class_id: int
    bird: Bird
    train: bool


@dataclass(frozen=True)
class Shot:
    """A drawn image and what is known of it: a JPEG file, the box and the parts in pixels."""

    jpeg: bytes
    box: Box
    parts: Parts


def plan_species(*, seed: int, items: int | None = None) -> list[Species]:
    """Return the species in order of family and name, all 41 or the first `items` planned.

    Families come in turn, two species each, so that a few species still have relatives.

    Raises:
        UserError: items is not between 1 and the number of species.

    """
    count = SPECIES if items is None else items
    if not 1 <= count <= SPECIES:
        raise UserError(f"items is {count}; expected 1 to {SPECIES}, the number of species")
    places = sorted(
        (index // 2, rank, index)
        for rank, family in enumerate(FAMILIES)
        for index in range(family.species)
    )
    chosen = {(rank, index) for _, rank, index in places[:count]}
    species = [
        one
        for rank, family in enumerate(FAMILIES)
        for index, one in enumerate(_family(family, seed))
        if (rank, index) in chosen
    ]
    return sorted(species, key=lambda one: (one.name.rsplit("_", 1)[-1], one.name))


def _family(family: Family, seed: int) -> list[Species]:
    """Return the species of a family: one that is sampled, and its sisters."""
    generator = np.random.default_rng([seed, _number(f"family/{family.name}")])
    first = sample_species(generator, family.shape, traits=family.traits)
    species = [Species(_name_of(first, first, family.name, []), first)]
    while len(species) < family.species:
        sister = vary_species(first, generator)
        if all(attributes_of(sister) != attributes_of(other.bird) for other in species):
            names = [other.name for other in species]
            species.append(Species(_name_of(sister, first, family.name, names), sister))
    return species


def _name_of(bird: Bird, first: Bird, family: str, taken: Sequence[str]) -> str:
    """Return a free name after a part, one that sets the bird apart from the first if it can."""
    traits = asdict(bird)
    telling = sorted(_NAMED_PARTS, key=lambda part: traits[part] == getattr(first, part))
    names = [f"{traits[part].capitalize()}_{_NAMED_PARTS[part]}_{family}" for part in telling]
    return next(name for name in names if name not in taken)


def plan_mini(*, seed: int, items: int | None = None) -> list[MiniImage]:
    """Return the images in the order of their ids."""
    images = []
    for class_id, species in enumerate(plan_species(seed=seed, items=items), start=1):
        total = sum(IMAGES_PER_SPECIES.values())
        generator = np.random.default_rng([seed, _number(f"split/{species.name}")])
        train = set(generator.permutation(total)[: IMAGES_PER_SPECIES["train"]].tolist())
        title = "_".join(word.capitalize() for word in species.name.split("_"))
        for index in range(total):
            serial = _number(f"{seed}/{species.name}/{index}") % 180_000
            name = f"{title}_{index + 1:04d}_{serial}.jpg"
            path = f"{class_id:03d}.{species.name}/{name}"
            images.append(MiniImage(path, class_id, species.bird, index in train))
    return images


def draw_image(image: MiniImage, *, seed: int) -> Shot:
    """Return one image; it depends on nothing but its bird, the name of its file and the seed."""
    generator = np.random.default_rng([seed, _number(Path(image.path).name)])
    size = PORTRAIT if generator.random() < 0.2 else LANDSCAPE
    pixels, box, parts = take_bird_photograph(image.bird, generator, size=size)
    return Shot(encode_jpeg(pixels, quality=int(generator.integers(80, 94))), box, parts)


def draw_mini(root: Path, *, seed: int, items: int | None = None) -> None:
    """Write the mini edition below root: attributes.txt and the folder CUB_200_2011.

    Args:
        root: An empty folder, or one that does not exist.
        seed: Decides on species, photographs and annotations.
        items: The number of species; all 41 if None. Each has 8 training and 6 test images.

    Raises:
        UserError: root holds something, or items is not between 1 and 41.

    """
    images = plan_mini(seed=seed, items=items)

    def describe(shots: Mapping[str, Shot]) -> Mapping[str, str]:
        return annotate(images, list(shots.values()), seed=seed)

    pictures = {f"CUB_200_2011/images/{image.path}": image for image in images}
    write_described_edition(root, pictures, partial(_draw, seed=seed), describe)


def _draw(image: MiniImage, *, seed: int) -> tuple[bytes, Shot]:
    shot = draw_image(image, seed=seed)
    return shot.jpeg, shot


def annotate(images: Sequence[MiniImage], shots: Sequence[Shot], *, seed: int) -> dict[str, str]:
    """Return the annotation files by their paths below the root."""
    classes = list(dict.fromkeys(image.path.split("/")[0] for image in images))
    labels, present = _label_attributes(images, shots, seed)
    percentages = [
        present[[image.class_id == class_id for image in images]].mean(axis=0) * 100
        for class_id in range(1, len(classes) + 1)
    ]
    files = {
        "README": _README,
        "images.txt": _numbered(image.path for image in images),
        "classes.txt": _numbered(classes),
        "image_class_labels.txt": _numbered(image.class_id for image in images),
        "train_test_split.txt": _numbered(int(image.train) for image in images),
        "bounding_boxes.txt": _numbered(
            " ".join(f"{value:.1f}" for value in shot.box) for shot in shots
        ),
        "parts/parts.txt": _numbered(PARTS),
        "parts/part_locs.txt": _locate_parts(shots),
        "parts/part_click_locs.txt": _click_parts(images, shots, seed),
        "attributes/certainties.txt": _numbered(CERTAINTIES),
        "attributes/image_attribute_labels.txt": labels,
        "attributes/class_attribute_labels_continuous.txt": "".join(
            " ".join(f"{value:.6f}" for value in row) + "\n" for row in percentages
        ),
    }
    # beside the folder, as in the published archive
    return {
        "attributes.txt": _numbered(ATTRIBUTES),
        **{f"CUB_200_2011/{name}": content for name, content in files.items()},
    }


def _numbered(values: Iterable[object]) -> str:
    return "".join(f"{number} {value}\n" for number, value in enumerate(values, start=1))


# the image whose rows have a sixth field from the second group on, as two published ones have
_MALFORMED_IMAGE = 5


def _label_attributes(
    images: Sequence[MiniImage], shots: Sequence[Shot], seed: int
) -> tuple[str, np.ndarray[tuple[int, int], np.dtype[np.bool_]]]:
    """Return the rows of labels, and which attributes are present, (images, 312) bool."""
    rows = []
    present = np.zeros((len(images), len(ATTRIBUTES)), dtype=np.bool_)
    for number, (image, shot) in enumerate(zip(images, shots, strict=True), start=1):
        generator = np.random.default_rng([seed, _number(f"labels/{Path(image.path).name}")])
        attributes = attributes_of(image.bird)
        attribute = 0
        for group, values in GROUPS.items():
            seen = any(shot.parts[part] is not None for part in _SEEN_BY[group])
            # one worker judged a group at a time, mostly sure of it
            sure = int(generator.choice([2, 3, 4], p=[0.08, 0.22, 0.7]))
            doubts = generator.random(len(values))
            time = f"{generator.uniform(0.8, 30):.3f}"
            for value, doubt in zip(values, doubts, strict=True):
                there = seen and value in attributes[group]
                present[number - 1, attribute] = there
                attribute += 1
                certainty = 1 if not seen else 3 if doubt < 0.06 else sure
                odd = "0 " if number == _MALFORMED_IMAGE and group != "bill_shape" else ""
                rows.append(f"{number} {attribute} {int(there)} {certainty} {odd}{time}\n")
    return "".join(rows), present


def _locate_parts(shots: Sequence[Shot]) -> str:
    rows = []
    for number, shot in enumerate(shots, start=1):
        for part, name in enumerate(PARTS, start=1):
            point = shot.parts[name]
            place = "0.0 0.0 0" if point is None else f"{int(point[0])}.0 {int(point[1])}.0 1"
            rows.append(f"{number} {part} {place}\n")
    return "".join(rows)


def _click_parts(images: Sequence[MiniImage], shots: Sequence[Shot], seed: int) -> str:
    """Return where five people clicked, a few pixels off; part_locs has what they agree on."""
    rows = []
    for number, (image, shot) in enumerate(zip(images, shots, strict=True), start=1):
        generator = np.random.default_rng([seed, _number(f"clicks/{Path(image.path).name}")])
        for part, name in enumerate(PARTS, start=1):
            point = shot.parts[name]
            offsets = generator.integers(-3, 4, size=(5, 2)).tolist()
            times = generator.uniform(0.7, 9, size=5).tolist()
            for (dx, dy), time in zip(offsets, times, strict=True):
                place = "0.0 0.0 0"
                if point is not None:
                    place = f"{max(0, int(point[0]) + dx)}.0 {max(0, int(point[1]) + dy)}.0 1"
                rows.append(f"{number} {part} {place} {time:.3f}\n")
    return "".join(rows)


def _number(text: str) -> int:
    """Return a random-looking number that is the same for the same text everywhere."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")


_README = """\
Drawn birds in the layout of CUB-200-2011. No bird here exists, and numbers measured on these
pictures say nothing about photographs of birds.

images.txt               <image_id> <path below images>
classes.txt              <class_id> <class_name>
image_class_labels.txt   <image_id> <class_id>
train_test_split.txt     <image_id> <1 in the training set, 0 in the test set>
bounding_boxes.txt       <image_id> <x> <y> <width> <height>, in pixels
parts/parts.txt          <part_id> <part_name>
parts/part_locs.txt      <image_id> <part_id> <x> <y> <visible>
parts/part_click_locs.txt
                         <image_id> <part_id> <x> <y> <visible> <time>
attributes/certainties.txt
                         <certainty_id> <certainty_name>
attributes/image_attribute_labels.txt
                         <image_id> <attribute_id> <is_present> <certainty_id> <time>
attributes/class_attribute_labels_continuous.txt
                         a class per line, in per cent of its images an attribute per column

The names of the attributes are in attributes.txt beside this folder.
"""
