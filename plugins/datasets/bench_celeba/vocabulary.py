"""The 40 binary attributes of CelebA, and the eight groups of values that are made of them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

# in the order of the published file
BINARY = (
    "5_o_Clock_Shadow", "Arched_Eyebrows", "Attractive", "Bags_Under_Eyes", "Bald", "Bangs",
    "Big_Lips", "Big_Nose", "Black_Hair", "Blond_Hair", "Blurry", "Brown_Hair", "Bushy_Eyebrows",
    "Chubby", "Double_Chin", "Eyeglasses", "Goatee", "Gray_Hair", "Heavy_Makeup",
    "High_Cheekbones", "Male", "Mouth_Slightly_Open", "Mustache", "Narrow_Eyes", "No_Beard",
    "Oval_Face", "Pale_Skin", "Pointy_Nose", "Receding_Hairline", "Rosy_Cheeks", "Sideburns",
    "Smiling", "Straight_Hair", "Wavy_Hair", "Wearing_Earrings", "Wearing_Hat",
    "Wearing_Lipstick", "Wearing_Necklace", "Wearing_Necktie", "Young",
)  # fmt: skip

# the paper that groups them gives the names of the groups and the number of values (21), no list;
# the last value of hair-color and of hair-type, and the first one of beard, need no attribute
GROUPS: Mapping[str, tuple[str, ...]] = {
    "hair-color": ("black", "blond", "brown", "gray", "other"),
    "beard": ("no-beard", "goatee", "mustache", "stubble"),
    "hair-type": ("straight", "wavy-or-other"),
    "smiling": ("smiling", "not-smiling"),
    "eyeglasses": ("eyeglasses", "no-eyeglasses"),
    "gender": ("male", "female"),
    "hat": ("hat", "no-hat"),
    "age": ("young", "old"),
}

# for each group, the attributes that stand for a value, in the order of precedence, and the value
# where none of them is set
_RULES: Mapping[str, tuple[tuple[tuple[str, str], ...], str]] = {
    "hair-color": (
        (
            ("Black_Hair", "black"),
            ("Blond_Hair", "blond"),
            ("Brown_Hair", "brown"),
            ("Gray_Hair", "gray"),
        ),
        "other",
    ),
    "beard": (
        (
            ("Goatee", "goatee"),
            ("Mustache", "mustache"),
            ("5_o_Clock_Shadow", "stubble"),
            ("Sideburns", "stubble"),
        ),
        "no-beard",
    ),
    "hair-type": ((("Straight_Hair", "straight"),), "wavy-or-other"),
    "smiling": ((("Smiling", "smiling"),), "not-smiling"),
    "eyeglasses": ((("Eyeglasses", "eyeglasses"),), "no-eyeglasses"),
    "gender": ((("Male", "male"),), "female"),
    "hat": ((("Wearing_Hat", "hat"),), "no-hat"),
    "age": ((("Young", "young"),), "old"),
}


def group_values(binary: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return the value of each of the `GROUPS` (N, 8) int64, counted from 0 within its group.

    `binary` (N, 40) bool has its columns in the order of `BINARY`. Of several hair colours, or of
    several kinds of beard, that are set, the first in the order of the group counts. A face is
    without a beard where no kind of beard is set: `No_Beard` adds nothing to that, and where it
    contradicts a kind of beard, the kind counts.

    Raises:
        ValueError: binary has another shape.

    """
    if binary.ndim != 2 or binary.shape[1] != len(BINARY):
        raise ValueError(f"expected attributes (N, {len(BINARY)}), got {binary.shape}")
    values = np.empty((len(binary), len(GROUPS)), dtype=np.int64)
    for column, (group, names) in enumerate(GROUPS.items()):
        rules, otherwise = _RULES[group]
        values[:, column] = names.index(otherwise)
        # the first rule is applied last, so that it wins
        for attribute, value in reversed(rules):
            values[binary[:, BINARY.index(attribute)], column] = names.index(value)
    return values
