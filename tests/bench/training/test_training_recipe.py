from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from bench.training.recipe import Augmentation, StageRecipe

shares = st.floats(0, 1)


@given(shares, st.floats(1e-9, 10))
def test_a_constant_rate_stays(progress: float, rate: float) -> None:
    assert StageRecipe(learning_rate=rate).rate(progress) == rate


@pytest.mark.parametrize(
    ("progress", "factor"), [(0, 1), (0.25, (2 + 2**0.5) / 4), (1 / 3, 0.75), (0.5, 0.5), (1, 0)]
)
def test_cosine_falls_from_the_rate_to_0(progress: float, factor: float) -> None:
    recipe = StageRecipe(schedule="cosine", learning_rate=0.02)
    assert math.isclose(recipe.rate(progress), 0.02 * factor, rel_tol=1e-12, abs_tol=1e-15)


@given(shares, shares)
def test_cosine_never_rises(first: float, second: float) -> None:
    recipe = StageRecipe(schedule="cosine", learning_rate=1)
    assert recipe.rate(min(first, second)) >= recipe.rate(max(first, second)) >= 0


def test_steps_fall_where_they_are_asked_to() -> None:
    recipe = StageRecipe(schedule="steps", learning_rate=1, decay=0.5, decay_at=(0.25, 0.75, 0.8))
    for progress, rate in (
        (0, 1), (0.2499, 1), (0.25, 0.5), (0.7, 0.5), (0.75, 0.25), (0.8, 0.125), (1, 0.125)
    ):  # fmt: skip
        assert recipe.rate(progress) == rate


@given(st.lists(st.floats(0.01, 0.99), max_size=5), shares)
def test_steps_count_those_that_are_past_in_any_order(at: list[float], progress: float) -> None:
    recipe = StageRecipe(schedule="steps", learning_rate=1, decay=0.1, decay_at=tuple(at))
    past = len([step for step in at if step <= progress])
    assert math.isclose(recipe.rate(progress), 0.1**past)


def test_the_defaults_are_the_paper_s() -> None:
    """MultiAttrib's: 14 epochs of 16 images, Adam at 1e-5, nothing else."""
    recipe = StageRecipe()
    assert (recipe.epochs, recipe.batch_size) == (14, 16)
    assert (recipe.optimiser, recipe.learning_rate, recipe.schedule) == ("adam", 1e-5, "constant")
    assert (recipe.weight_decay, recipe.new_layers) == (0, 1)
    assert recipe.augmentation == Augmentation(flip=True, crop=1, colour=0)


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("epochs", [-1, 1.5, "many"]),
        ("batch_size", [0, -16]),
        ("optimiser", ["lion", ""]),
        ("learning_rate", [0, -1e-3, math.nan]),
        ("new_layers", [0, -1]),
        ("momentum", [1, -0.1]),
        ("weight_decay", [-1e-4]),
        ("schedule", ["linear"]),
        ("decay", [0, 1, 2]),
        ("decay_at", [0.5, ("late",), (0.5, 1.5), (-0.1,), (0,), (1,)]),
        ("batch_norm", ["thawed"]),
        ("selection", ["first"]),
        ("validation", [0, 1, -0.5]),
        ("augmentation", [{"flip": "sometimes"}, {"crop": 0}, {"crop": 1.1}, {"colour": 1},
                          {"colour": -0.1}, {"blur": 1}]),
        ("epoch", [1]),
    ],
)  # fmt: skip
def test_values_that_make_no_sense_are_refused(field: str, values: list[Any]) -> None:
    for value in values:
        with pytest.raises(ValidationError) as refused:
            StageRecipe(**{field: value})
        assert refused.value.errors()[0]["loc"][0] == field


def test_values_at_the_edge_are_taken() -> None:
    recipe = StageRecipe(
        epochs=1, batch_size=1, momentum=0, weight_decay=0, decay_at=(), validation=0.999,
        augmentation=Augmentation(crop=1e-9, colour=0.999),
    )  # fmt: skip
    assert recipe.decay_at == ()
    assert StageRecipe.model_validate(recipe.model_dump(mode="json")) == recipe


def test_every_field_says_what_it_is_for() -> None:
    for kind in (StageRecipe, Augmentation):
        for name, field in kind.model_fields.items():
            assert field.description, name
