"""Traits of birds: the values they have, and which of them go with which shape of the body.

Values are spelled as in the attribute vocabulary of CUB-200-2011, which bird photographs of other
sources use too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

BILL_SHAPES = (
    "curved_(up_or_down)",
    "dagger",
    "hooked",
    "needle",
    "hooked_seabird",
    "spatulate",
    "all-purpose",
    "cone",
    "specialized",
)
BILL_LENGTHS = ("about_the_same_as_head", "longer_than_head", "shorter_than_head")
HEAD_PATTERNS = (
    "spotted",
    "malar",
    "crested",
    "masked",
    "unique_pattern",
    "eyebrow",
    "eyering",
    "plain",
    "eyeline",
    "striped",
    "capped",
)
TAIL_SHAPES = (
    "forked_tail",
    "rounded_tail",
    "notched_tail",
    "fan-shaped_tail",
    "pointed_tail",
    "squared_tail",
)
WING_SHAPES = ("rounded-wings", "pointed-wings", "broad-wings", "tapered-wings", "long-wings")
PLUMAGE_PATTERNS = ("solid", "spotted", "striped", "multi-colored")
VERY_SMALL, SMALL, MEDIUM, LARGE, VERY_LARGE = SIZES = (
    "very_small_(3_-_5_in)",
    "small_(5_-_9_in)",
    "medium_(9_-_16_in)",
    "large_(16_-_32_in)",
    "very_large_(32_-_72_in)",
)


@dataclass(frozen=True)
class Habit:
    """What species of a body shape have in common: the values each trait is drawn from."""

    sizes: tuple[str, ...]
    bills: tuple[str, ...]
    lengths: tuple[str, ...]
    wings: tuple[str, ...]
    tails: tuple[str, ...]
    uppers: str
    unders: str
    legs: str


_SAME, _LONGER, _SHORTER = BILL_LENGTHS
HABITS: Mapping[str, Habit] = {
    "upright-perching_water-like": Habit(
        (LARGE,),
        ("hooked_seabird",),
        (_SAME, _LONGER),
        ("long-wings", "broad-wings"),
        ("rounded_tail", "pointed_tail"),
        "black brown iridescent",
        "black white brown grey",
        "black grey orange",
    ),
    "chicken-like-marsh": Habit(
        (MEDIUM,),
        ("all-purpose", "cone", "dagger"),
        (_SAME, _SHORTER),
        ("rounded-wings",),
        ("rounded_tail", "pointed_tail"),
        "brown olive black grey rufous",
        "grey rufous buff black",
        "green yellow olive red",
    ),
    "long-legged-like": Habit(
        (VERY_LARGE, LARGE),
        ("dagger", "curved_(up_or_down)", "spatulate"),
        (_LONGER,),
        ("broad-wings", "long-wings"),
        ("squared_tail", "rounded_tail"),
        "grey blue white brown purple",
        "white grey buff rufous",
        "black yellow pink grey",
    ),
    "duck-like": Habit(
        (LARGE, MEDIUM),
        ("spatulate",),
        (_SAME,),
        ("pointed-wings", "tapered-wings"),
        ("pointed_tail", "rounded_tail", "squared_tail"),
        "grey brown black rufous",
        "white buff rufous grey brown",
        "orange grey yellow red",
    ),
    "owl-like": Habit(
        (MEDIUM, LARGE),
        ("hooked",),
        (_SHORTER,),
        ("broad-wings", "rounded-wings"),
        ("rounded_tail", "squared_tail"),
        "brown grey rufous buff",
        "white buff grey",
        "buff grey yellow",
    ),
    "gull-like": Habit(
        (LARGE, MEDIUM),
        ("hooked_seabird", "all-purpose"),
        (_SAME, _SHORTER),
        ("long-wings", "pointed-wings"),
        ("squared_tail", "rounded_tail", "notched_tail"),
        "grey black brown",
        "white grey",
        "pink yellow red black",
    ),
    "hummingbird-like": Habit(
        (VERY_SMALL,),
        ("needle", "curved_(up_or_down)"),
        (_LONGER, _SAME),
        ("tapered-wings", "pointed-wings"),
        ("forked_tail", "notched_tail", "rounded_tail"),
        "iridescent green purple",
        "white buff grey green",
        "black",
    ),
    "pigeon-like": Habit(
        (MEDIUM,),
        ("all-purpose",),
        (_SHORTER,),
        ("pointed-wings", "broad-wings"),
        ("pointed_tail", "squared_tail", "fan-shaped_tail"),
        "grey brown buff purple",
        "grey pink buff white",
        "red pink",
    ),
    "tree-clinging-like": Habit(
        (SMALL, MEDIUM),
        ("dagger",),
        (_SAME,),
        ("rounded-wings", "broad-wings"),
        ("pointed_tail",),
        "black brown olive grey",
        "white buff grey yellow",
        "grey black",
    ),
    "hawk-like": Habit(
        (LARGE,),
        ("hooked",),
        (_SHORTER,),
        ("broad-wings", "long-wings"),
        ("fan-shaped_tail", "squared_tail", "rounded_tail"),
        "brown grey black rufous",
        "white buff rufous",
        "yellow",
    ),
    "sandpiper-like": Habit(
        (SMALL, MEDIUM),
        ("needle", "curved_(up_or_down)", "all-purpose"),
        (_LONGER, _SAME),
        ("pointed-wings", "tapered-wings"),
        ("squared_tail", "rounded_tail"),
        "brown grey rufous buff black",
        "white buff grey",
        "yellow green black orange red",
    ),
    "upland-ground-like": Habit(
        (MEDIUM, LARGE),
        ("cone",),
        (_SHORTER,),
        ("rounded-wings",),
        ("fan-shaped_tail", "rounded_tail"),
        "brown grey rufous buff",
        "buff white brown grey",
        "brown grey buff",
    ),
    "swallow-like": Habit(
        (SMALL,),
        ("all-purpose",),
        (_SHORTER,),
        ("long-wings", "tapered-wings"),
        ("forked_tail", "notched_tail"),
        "blue brown iridescent green purple black",
        "white buff orange rufous",
        "black brown",
    ),
    "perching-like": Habit(
        (SMALL, VERY_SMALL),
        ("all-purpose", "cone", "needle", "hooked", "specialized"),
        (_SHORTER, _SAME),
        ("rounded-wings", "tapered-wings"),
        ("notched_tail", "squared_tail", "rounded_tail"),
        "olive brown grey blue black green rufous red yellow",
        "yellow white grey buff orange red rufous",
        "black brown pink grey",
    ),
}
