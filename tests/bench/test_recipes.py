from __future__ import annotations

from typing import Any, Literal

import pytest
from pydantic import Field, ValidationError

from bench.errors import UnknownNameError, UserError
from bench.interfaces import MethodSpec
from bench.recipes import Recipe, make_recipe, parse_settings


class Toy(Recipe):
    stage: str = "pooled"
    margin: float = Field(0.5, gt=0)
    epochs: int = 10
    mining: Literal["hard", "random"] = "random"
    whiten: bool = False


def build(*_: Any) -> Any:
    raise AssertionError("a recipe is made before anything is built")


METHOD = MethodSpec(
    "toy", "one line", lambda: Toy, build,
    variants={"default": ("as it stands", {}), "hard": ("hard", {"mining": "hard", "epochs": 3})},
)  # fmt: skip


def test_a_variant_is_the_recipe_with_its_overrides() -> None:
    assert make_recipe(METHOD, "default", {}) == Toy()
    assert make_recipe(METHOD, "hard", {}) == Toy(mining="hard", epochs=3)


def test_settings_stand_over_the_variant_and_take_their_types() -> None:
    texts = {"epochs": "7", "margin": "0.25", "whiten": "true"}
    expected = Toy(mining="hard", epochs=7, margin=0.25, whiten=True)
    assert make_recipe(METHOD, "hard", texts) == expected


@pytest.mark.parametrize(
    ("variant", "settings", "message"),
    [
        ("hrad", {}, "unknown variant of toy 'hrad'; did you mean hard?"),
        ("default", {"epoch": "3"}, "unknown recipe field of toy 'epoch'; did you mean epochs?"),
        ("default", {"q": "3"},
         "unknown recipe field of toy 'q'; there are: epochs, margin, mining, stage, whiten"),
    ],
)  # fmt: skip
def test_an_unknown_variant_or_field_gets_the_nearest_name(
    variant: str, settings: dict[str, str], message: str
) -> None:
    with pytest.raises(UnknownNameError) as raised:
        make_recipe(METHOD, variant, settings)
    assert str(raised.value) == message


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("epochs", "three", "recipe field epochs of toy is 'three': input should be a valid"),
        ("epochs", "1.5", "recipe field epochs of toy is '1.5': input should be a valid integer"),
        ("margin", "-1", "recipe field margin of toy is '-1': input should be greater than 0"),
        ("mining", "soft", "recipe field mining of toy is 'soft': input should be 'hard' or"),
        ("whiten", "a\nb", "recipe field whiten of toy is 'a\\nb': input should be a valid bool"),
    ],
)
def test_a_value_of_another_type_is_refused_in_one_line(
    name: str, value: str, message: str
) -> None:
    with pytest.raises(UserError) as raised:
        make_recipe(METHOD, "default", {name: value})
    assert str(raised.value).startswith(message)
    assert len(str(raised.value).splitlines()) == 1


def test_a_recipe_is_fixed_once_made() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        make_recipe(METHOD, "default", {}).stage = "other"  # type: ignore[attr-defined]


def test_settings_are_parsed_at_the_first_equals_sign() -> None:
    assert parse_settings(["stage=blocks.5", " margin = 0.5 ", "query=a=b", "empty="]) == {
        "stage": "blocks.5",
        "margin": "0.5",
        "query": "a=b",
        "empty": "",
    }
    assert parse_settings([]) == {}


@pytest.mark.parametrize("text", ["stage", "=3", "", " = 3"])
def test_a_setting_without_name_or_equals_sign_is_refused(text: str) -> None:
    with pytest.raises(UserError) as raised:
        parse_settings([text])
    assert str(raised.value) == (f"--set {text!r}: expected NAME=VALUE, as in --set stage=blocks.5")


def test_a_field_that_is_set_twice_is_refused() -> None:
    with pytest.raises(UserError, match="--set stage is given twice"):
        parse_settings(["stage=blocks.1", "head=flatten", "stage = blocks.2"])
