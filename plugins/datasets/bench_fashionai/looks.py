"""How each value of each dimension is drawn: a garment, and the part of it that is shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from bench_atelier.composition import Photograph
from bench_atelier.garments import Garment, Top
from bench_atelier.shop import take_shop_photograph
from bench_atelier.street import StreetCamera, take_street_photograph
from bench_atelier.wardrobe import sample_garment
from numpy.typing import NDArray
from PIL import Image

from bench_fashionai.vocabulary import DIMENSIONS

SIZE = (224, 299)  # width, height
STREET = 0.5  # share of the pictures that are taken in the street
# nearer and straighter than usual, so that hems and collars are in the picture
CAMERA = StreetCamera(distance=0.2, closeness=0.2, shift=0.06, occlusion=0.25)
_LARGER = 2  # a picture of which a part is shown is drawn so much larger


@dataclass(frozen=True)
class Look:
    """Categories of the drawing kit, each as often, with attributes that `fixed` names.

    `part` is whole, upper or lower: a half of the garment where the value cannot be seen.
    """

    categories: tuple[str, ...]
    fixed: Mapping[str, str] = field(default_factory=dict)
    part: str = "whole"


def _looks(
    categories: tuple[str, ...], attribute: str, values: str, invisible: Look
) -> tuple[Look, ...]:
    """Return a look per value of a dimension: invisible, then those of one attribute."""
    return (invisible, *(Look(categories, {attribute: value}) for value in values.split()))


_TOPS = ("t-shirt", "longsleeve", "dress")
_LOWER_HALF = Look(("t-shirt", "shirt", "longsleeve", "dress"), part="lower")
# a dimension's looks stand in the order of its values
LOOKS: Mapping[str, tuple[Look, ...]] = {
    "skirt_length": _looks(("skirt",), "length", "short knee midi ankle floor",
                           Look(("skirt",), part="upper")),
    "sleeve_length": _looks(
        ("t-shirt", "shirt", "dress"), "sleeve_length",
        "sleeveless cap short elbow three-quarter wrist long extra-long",
        Look(("skirt", "pants"), part="lower"),
    ),
    "coat_length": _looks(("outwear",), "length", "high-waist regular long micro knee midi ankle",
                          Look(("outwear",), part="upper")),
    "pant_length": _looks(("pants",), "length", "short knee three-quarter cropped full",
                          Look(("pants",), part="upper")),
    "collar_design": _looks(("shirt", "longsleeve"), "collar", "shirt peter-pan puritan rib",
                            _LOWER_HALF),
    "lapel_design": _looks(("outwear",), "collar", "notched-lapel collarless shawl shawl-wide",
                           Look(("outwear",), part="lower")),
    "neckline_design": _looks(
        _TOPS, "neckline",
        "strapless deep-v straight v-neck square off-shoulder crew sweetheart one-shoulder",
        _LOWER_HALF,
    ),
    "neck_design": (
        *_looks(_TOPS, "collar", "turtleneck ruffle low-turtleneck", _LOWER_HALF),
        Look(_TOPS, {"neckline": "draped"}),
    ),
}  # fmt: skip
_SLEEVES = {
    look.fixed["sleeve_length"]: value
    for value, look in enumerate(LOOKS["sleeve_length"])
    if look.fixed
}


@dataclass(frozen=True)
class Scene:
    """What one picture shows: the `number`-th one of a value, which counts from 0."""

    dimension: str
    value: int
    number: int
    seed: int

    @property
    def look(self) -> Look:
        """Return how the value is drawn."""
        return LOOKS[self.dimension][self.value]


def sample_scene(scene: Scene) -> tuple[Garment, np.random.Generator]:
    """Return the garment, and the generator from which its photograph is to be drawn."""
    place = list(DIMENSIONS).index(scene.dimension)
    generator = np.random.default_rng([scene.seed, place, scene.value, scene.number])
    look = scene.look
    category = look.categories[scene.number % len(look.categories)]
    fixed = dict(look.fixed)
    if category == "dress" and "length" not in fixed and look.part == "whole":
        fixed["length"] = "short"  # a longer one would make sleeves and collars small
    return sample_garment(generator, category, fixed=fixed), generator


def draw_scene(scene: Scene) -> NDArray[np.uint8]:
    """Return the picture of a scene, (H, W, 3) for `SIZE`; it depends on nothing but the scene."""
    garment, generator = sample_scene(scene)
    part = scene.look.part
    factor = 1 if part == "whole" else _LARGER
    size = (SIZE[0] * factor, SIZE[1] * factor)
    if generator.random() < STREET:
        photograph = take_street_photograph(garment, generator, size=size, camera=CAMERA)
    else:
        photograph = take_shop_photograph(garment, generator, size=size)
    return photograph.pixels if part == "whole" else _half(photograph, part)


def sleeve_value(scene: Scene) -> int | None:
    """Return the value of sleeve_length that a scene shows as well, if its whole top is seen."""
    garment, _ = sample_scene(scene)
    if not isinstance(garment, Top) or scene.look.part != "whole":
        return None
    return _SLEEVES.get(garment.sleeve_length)


def _half(photograph: Photograph, part: str) -> NDArray[np.uint8]:
    """Return the upper or the lower half of the garment as a picture of the usual size."""
    picture = Image.fromarray(photograph.pixels)
    left, top, right, bottom = photograph.box
    middle, margin = (top + bottom) / 2, (bottom - top) / 10
    start, end = (top - margin, middle) if part == "upper" else (middle, bottom + margin)
    start, end = max(0.0, start), min(float(picture.height), end)
    width = (end - start) * SIZE[0] / SIZE[1]
    x = min(max(0.0, (left + right - width) / 2), picture.width - width)
    window = picture.resize(SIZE, Image.Resampling.LANCZOS, box=(x, start, x + width, end))
    return np.asarray(window)
