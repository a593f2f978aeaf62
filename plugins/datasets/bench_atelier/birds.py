"""Birds as frozen attribute values: how a species looks, and how species of a family differ.

`bird_traits` has the values, `bird_drawing` draws a bird, `bird_photograph` takes its picture.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

import numpy as np

from bench_atelier.bird_colours import COLOURS, stands_out
from bench_atelier.bird_shapes import BODY_SHAPES
from bench_atelier.bird_traits import HABITS, HEAD_PATTERNS, PLUMAGE_PATTERNS

_BILLS = "black grey yellow orange red brown pink".split()
_EYES = "black black brown yellow red orange white".split()
_BRIGHT = "yellow red orange white black rufous blue".split()
_MARKS = "white buff black brown rufous yellow grey".split()
# conspicuous traits first: every sister species differs in at least one of these
_CONSPICUOUS = ("throat", "breast", "crown", "head_pattern", "wing_pattern", "back", "belly")
_SUBTLE = ("breast_pattern", "belly_pattern", "wing", "upper_tail", "bill", "leg", "eye", "nape")


@dataclass(frozen=True)
class Bird:
    """The traits of a species; colours are names of `bird_colours.PLUMAGE`.

    A pattern other than solid is drawn in a second colour: `upper_mark` on back, wing and tail,
    `lower_mark` on breast and belly, `head_mark` on the head.
    """

    shape: str
    size: str
    bill_shape: str
    bill_length: str
    wing_shape: str
    tail_shape: str
    head_pattern: str
    wing_pattern: str
    back_pattern: str
    tail_pattern: str
    breast_pattern: str
    belly_pattern: str
    wing: str
    back: str
    upper_tail: str
    under_tail: str
    breast: str
    belly: str
    throat: str
    forehead: str
    crown: str
    nape: str
    eye: str
    leg: str
    bill: str
    upper_mark: str
    lower_mark: str
    head_mark: str


def sample_species(
    generator: np.random.Generator,
    shape: str | None = None,
    *,
    traits: Mapping[str, str] | None = None,
) -> Bird:
    """Return a species of the body shape, one of `bird_shapes.BODY_SHAPES` or a random one.

    `traits` are values of `Bird` that are given instead of sampled.
    """
    shape = shape or _pick(generator, BODY_SHAPES)
    habit = HABITS[shape]
    upper, under = _pick(generator, habit.uppers.split()), _pick(generator, habit.unders.split())
    capped = generator.random() < 0.4
    crown = _pick(generator, [*_BRIGHT, "black", "grey"]) if capped else upper
    patterns = {
        part: _pick(generator, (*[first] * often, *PLUMAGE_PATTERNS))
        for part, first, often in (
            ("wing", "striped", 2),
            ("back", "solid", 4),
            ("tail", "solid", 4),
            ("breast", "solid", 3),
            ("belly", "solid", 5),
        )
    }
    bird = Bird(
        shape=shape,
        size=_pick(generator, habit.sizes),
        bill_shape=_pick(generator, habit.bills),
        bill_length=_pick(generator, habit.lengths),
        wing_shape=_pick(generator, habit.wings),
        tail_shape=_pick(generator, habit.tails),
        head_pattern=_pick(generator, HEAD_PATTERNS),
        **{f"{part}_pattern": pattern for part, pattern in patterns.items()},
        wing=_pick(generator, [upper, upper, *habit.uppers.split()]),
        back=upper,
        upper_tail=_pick(generator, [upper, upper, "black", "brown"]),
        under_tail=_pick(generator, [under, "white", "buff"]),
        breast=under,
        belly=_pick(generator, [under, "white", "buff"]),
        throat=_pick(generator, [*[under] * 4, "white", "white", *_BRIGHT]),
        forehead=crown if generator.random() < 0.8 else _pick(generator, _BRIGHT),
        crown=crown,
        nape=_pick(generator, [upper, upper, "grey", "white"]),
        eye=_pick(generator, _EYES),
        leg=_pick(generator, habit.legs.split()),
        bill=_pick(generator, _BILLS),
        upper_mark=_pick(generator, _MARKS),
        lower_mark=_pick(generator, _MARKS),
        head_mark=_pick(generator, _MARKS),
    )
    return _made_visible(replace(bird, **(traits or {})), generator)


def vary_species(bird: Bird, generator: np.random.Generator) -> Bird:
    """Return a sister species: of the same build, but with two or three other parts."""
    conspicuous = int(generator.integers(1, 3))
    traits = [str(trait) for trait in generator.permutation(_CONSPICUOUS)[:conspicuous]]
    traits += [str(trait) for trait in generator.permutation(_SUBTLE)[: 3 - conspicuous]]
    sister = bird
    for trait in traits:
        sister = replace(sister, **{trait: _another(generator, bird, trait)})
        if trait == "crown":
            sister = replace(sister, forehead=sister.crown)
    return _made_visible(sister, generator)


def attributes_of(bird: Bird) -> dict[str, tuple[str, ...]]:
    """Return the values of a bird by attribute group, without the prefix `has_`.

    A patterned part has its own colour and that of its marks.
    """
    wing = _colours(bird.wing, bird.upper_mark, bird.wing_pattern)
    back = _colours(bird.back, bird.upper_mark, bird.back_pattern)
    tail = _colours(bird.upper_tail, bird.upper_mark, bird.tail_pattern)
    breast = _colours(bird.breast, bird.lower_mark, bird.breast_pattern)
    belly = _colours(bird.belly, bird.lower_mark, bird.belly_pattern)
    values = {
        "wing_color": wing,
        "upperparts_color": _distinct(back + wing),
        "underparts_color": _distinct(breast + belly),
        "back_color": back,
        "upper_tail_color": tail,
        "breast_color": breast,
        "belly_color": belly,
        "primary_color": _distinct((bird.back, bird.wing, bird.breast)),
    }
    for part in ("throat", "eye", "forehead", "under_tail", "nape", "leg", "bill", "crown"):
        values[f"{part}_color"] = (getattr(bird, part),)
    for field in fields(bird)[:12]:  # shapes, size and patterns have one value each
        values[field.name] = (getattr(bird, field.name),)
    return values


def _colours(ground: str, mark: str, pattern: str) -> tuple[str, ...]:
    return (ground,) if pattern == "solid" else (ground, mark)


def _distinct(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))


def _pick(generator: np.random.Generator, values: tuple[str, ...] | list[str]) -> str:
    return values[int(generator.integers(len(values)))]


def _another(generator: np.random.Generator, bird: Bird, trait: str) -> str:
    """Return another value of a trait, from what species of the shape have."""
    habit, present = HABITS[bird.shape], getattr(bird, trait)
    values: Mapping[str, list[str]] = {
        "head_pattern": list(HEAD_PATTERNS),
        "throat": [*_BRIGHT, *habit.unders.split()],
        "crown": [*_BRIGHT, *habit.uppers.split()],
        "nape": [*habit.uppers.split(), "grey", "white"],
        "bill": _BILLS,
        "leg": [*habit.legs.split(), "grey", "yellow"],
        "eye": _EYES,
        "back": habit.uppers.split(),
        "wing": habit.uppers.split(),
        "upper_tail": [*habit.uppers.split(), "black", "white"],
        "breast": [*habit.unders.split(), "yellow", "rufous"],
        "belly": [*habit.unders.split(), "white", "yellow"],
    }
    choices = values.get(trait, list(PLUMAGE_PATTERNS))
    if trait == "eye" or trait.endswith("pattern"):
        return _pick(generator, [value for value in choices if value != present])
    others = [value for value in choices if stands_out(value, present)]
    return _pick(generator, others or [name for name in COLOURS if stands_out(name, present)])


def _made_visible(bird: Bird, generator: np.random.Generator) -> Bird:
    """Return the bird with marks that stand out from what they are drawn on."""
    upper = [
        ground
        for ground, pattern in (
            (bird.wing, bird.wing_pattern),
            (bird.back, bird.back_pattern),
            (bird.upper_tail, bird.tail_pattern),
        )
        if pattern != "solid"
    ]
    lower = [
        ground
        for ground, pattern in (
            (bird.breast, bird.breast_pattern),
            (bird.belly, bird.belly_pattern),
        )
        if pattern != "solid"
    ]
    head = {
        "plain": (),
        "crested": (),
        "capped": (bird.crown,),
        "malar": (bird.throat, bird.nape),
        "striped": (bird.crown,),
    }.get(bird.head_pattern, (bird.nape,))
    return replace(
        bird,
        upper_mark=_visible(generator, bird.upper_mark, upper),
        lower_mark=_visible(generator, bird.lower_mark, lower),
        head_mark=_visible(generator, bird.head_mark, list(head)),
    )


def _visible(generator: np.random.Generator, mark: str, grounds: list[str]) -> str:
    """Return the mark, or another colour if it is lost on one of the grounds."""
    if all(stands_out(mark, ground) for ground in grounds):
        return mark
    clear = [name for name in COLOURS if all(stands_out(name, ground) for ground in grounds)]
    plain = [name for name in clear if name in _MARKS]
    return _pick(generator, plain or clear or ["white"])
