"""What the tags of the mini edition mean: kinds of drawn garments, and a number for each value.

The published numbers have no known meaning, so these are the mini edition's own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from bench_atelier.colours import PALETTE
from bench_atelier.garments import Garment
from bench_atelier.patterns import PATTERNS
from bench_atelier.stock import Weights, choose
from bench_atelier.wardrobe import sample_garment

from bench_darn_pairs.vocabulary import PAIR_SIZES

Look = Mapping[str, str]  # attribute of `PAIR_SIZES` → value, by name

# without a collar, the neckline is the shape
_NECKLINES = ("crew", "scoop", "v-neck", "deep-v", "square", "boat")
_COLLARS = ("shirt", "button-down", "polo", "peter-pan", "puritan", "rib", "stand", "turtleneck",
            "low-turtleneck", "high", "ruffle", "volant", "collarless", "v-collar", "hood", "lapel",
            "notched-lapel", "shawl", "shawl-wide")  # fmt: skip


@dataclass(frozen=True)
class Kind:
    """A kind of garment: the category and texture it is drawn as, and its looks.

    `values` are those of each attribute after the category, the usual one first. Usual patterns are
    those that differ most from garment to garment: items of one look must be told apart.
    """

    drawn: str
    texture: str
    values: tuple[str, ...]

    def usual(self) -> list[str]:
        """Return the usual value of each attribute after the category."""
        return [text.split()[0] for text in self.values]

    def changes(self) -> list[tuple[int, str]]:
        """Return every other value, with the place of its attribute in `values`."""
        return [(place, v) for place, text in enumerate(self.values) for v in text.split()[1:]]


_CHANGES: Weights = {"0": 0.5, "1": 0.46, "2": 0.04}  # how many values of a garment are not usual
KINDS: Mapping[str, Kind] = {
    "t-shirt": Kind(
        "t-shirt",
        "smooth",
        (
            "white black red navy mint mustard pink grey",
            "regular slim loose",
            "crew v-neck scoop",
            "graphic stripes-horizontal floral plain",
            "plain rolled",
            "short elbow sleeveless",
            "none",
            "regular cropped long",
        ),
    ),
    "shirt": Kind(
        "shirt",
        "smooth",
        (
            "sky white pink navy red olive teal charcoal",
            "regular slim loose",
            "shirt button-down stand",
            "plaid stripes-vertical checks plain",
            "plain rolled",
            "long short three-quarter",
            "buttons covered",
            "regular long",
        ),
    ),
    "blouse": Kind(
        "shirt",
        "smooth",
        (
            "cream lilac teal burgundy black yellow pink green",
            "regular flared loose",
            "peter-pan ruffle volant",
            "floral polka-dots paisley plain",
            "puff bell plain",
            "elbow long short",
            "buttons laces",
            "regular cropped",
        ),
    ),
    "jumper": Kind(
        "longsleeve",
        "knit",
        (
            "grey navy mustard burgundy green white black orange",
            "loose regular slim",
            "crew turtleneck v-neck",
            "motifs argyle stripes-horizontal plain",
            "plain batwing bell",
            "long three-quarter extra-long",
            "none buttons",
            "regular cropped long",
        ),
    ),
    "outerwear": Kind(
        "outwear",
        "smooth",
        (
            "charcoal beige navy olive burgundy brown black cream",
            "regular slim loose",
            "notched-lapel shawl stand hood",
            "plaid herringbone checks plain",
            "plain",
            "long three-quarter",
            "buttons double-breasted belt zip",
            "regular cropped knee",
        ),
    ),
}

# the value's place is its tag
_TAGS: Mapping[str, tuple[str, ...]] = {
    "category": tuple(KINDS),
    "color": tuple(PALETTE),
    "shape": ("slim", "regular", "loose", "flared"),
    "collar shape": (*_NECKLINES, *_COLLARS),
    "pattern": tuple(PATTERNS),
    "sleeve shape": ("plain", "puff", "bell", "batwing", "ruffled", "rolled"),
    "sleeve length": ("sleeveless", "cap", "short", "elbow", "three-quarter", "long", "extra-long"),
    "button": ("none", "buttons", "half-buttons", "zip", "double-breasted", "hooks", "laces",
               "belt", "back", "covered"),
    "length": ("cropped", "regular", "long", "knee", "midi", "ankle"),
}  # fmt: skip


def sample_look(generator: np.random.Generator) -> Look:
    """Return the values of all nine attributes of a garment."""
    category = tuple(KINDS)[int(generator.integers(len(KINDS)))]
    kind = KINDS[category]
    values, changes = kind.usual(), kind.changes()
    for _ in range(int(choose(generator, _CHANGES))):
        place, value = changes[int(generator.integers(len(changes)))]
        values[place] = value
    look = dict(zip(PAIR_SIZES, (category, *values), strict=True))
    if look["sleeve length"] == "sleeveless":  # there is nothing to have a shape
        look["sleeve shape"] = "plain"
    return look


def tags_of(look: Look) -> tuple[int, ...]:
    """Return the tag of each attribute, in the order of a line of the pair files."""
    return tuple(_TAGS[name].index(look[name]) for name in PAIR_SIZES)


def sample_item(look: Look, generator: np.random.Generator) -> Garment:
    """Return a garment that looks so; what the nine attributes leave open is sampled."""
    kind = KINDS[look["category"]]
    edge = look["collar shape"]
    length = look["length"]
    if kind.drawn == "outwear" and length == "cropped":
        length = "high-waist"
    fixed = {
        "colour": look["color"],
        "pattern": look["pattern"],
        "fit": look["shape"],
        "collar" if edge in _COLLARS else "neckline": edge,
        "sleeve_length": look["sleeve length"],
        "sleeve_shape": look["sleeve shape"],
        "fastening": look["button"],
        "length": length,
        "texture": kind.texture,
    }
    if look["pattern"] == "graphic":
        fixed["pockets"] = "none"  # it would cover the print
    return sample_garment(generator, kind.drawn, fixed=fixed)
