"""The 312 attributes of CUB-200-2011 and its 15 parts, in the order of their published ids."""

from __future__ import annotations

from collections.abc import Mapping

_COLOURS = (
    "blue brown iridescent purple rufous grey yellow olive green pink orange black white red buff"
)
_EYE_COLOURS = _COLOURS.replace("iridescent ", "")
_PATTERNS = "solid spotted striped multi-colored"

# group -> its values, both in published order
GROUPS: Mapping[str, tuple[str, ...]] = {
    group: tuple(values.split())
    for group, values in {
        "bill_shape": "curved_(up_or_down) dagger hooked needle hooked_seabird spatulate "
        "all-purpose cone specialized",
        "wing_color": _COLOURS,
        "upperparts_color": _COLOURS,
        "underparts_color": _COLOURS,
        "breast_pattern": _PATTERNS,
        "back_color": _COLOURS,
        "tail_shape": "forked_tail rounded_tail notched_tail fan-shaped_tail pointed_tail "
        "squared_tail",
        "upper_tail_color": _COLOURS,
        "head_pattern": "spotted malar crested masked unique_pattern eyebrow eyering plain eyeline "
        "striped capped",
        "breast_color": _COLOURS,
        "throat_color": _COLOURS,
        "eye_color": _EYE_COLOURS,
        "bill_length": "about_the_same_as_head longer_than_head shorter_than_head",
        "forehead_color": _COLOURS,
        "under_tail_color": _COLOURS,
        "nape_color": _COLOURS,
        "belly_color": _COLOURS,
        "wing_shape": "rounded-wings pointed-wings broad-wings tapered-wings long-wings",
        "size": "large_(16_-_32_in) small_(5_-_9_in) very_large_(32_-_72_in) medium_(9_-_16_in) "
        "very_small_(3_-_5_in)",
        "shape": "upright-perching_water-like chicken-like-marsh long-legged-like duck-like "
        "owl-like gull-like hummingbird-like pigeon-like tree-clinging-like hawk-like "
        "sandpiper-like upland-ground-like swallow-like perching-like",
        "back_pattern": _PATTERNS,
        "tail_pattern": _PATTERNS,
        "belly_pattern": _PATTERNS,
        "primary_color": _COLOURS,
        "leg_color": _COLOURS,
        "bill_color": _COLOURS,
        "crown_color": _COLOURS,
        "wing_pattern": _PATTERNS,
    }.items()
}

# the name of attribute id n stands at n - 1
ATTRIBUTES = tuple(f"has_{group}::{value}" for group, values in GROUPS.items() for value in values)

PARTS = (
    "back",
    "beak",
    "belly",
    "breast",
    "crown",
    "forehead",
    "left eye",
    "left leg",
    "left wing",
    "nape",
    "right eye",
    "right leg",
    "right wing",
    "tail",
    "throat",
)

CERTAINTIES = ("not visible", "guessing", "probably", "definitely")
