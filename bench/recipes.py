"""Recipes: what a method or a dataset can be told, typed, validated and recorded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from bench.errors import UnknownNameError, UserError
from bench.interfaces import DatasetSpec, MethodSpec


class Recipe(BaseModel):
    """The base of recipes and of options; a subclass declares fields, their types and defaults."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def make_recipe(method: MethodSpec, variant: str, settings: Mapping[str, Any]) -> Recipe:
    """Return the variant's recipe with `settings` over it, each one checked.

    Raises `UnknownNameError` for a variant or field that does not exist, `UserError` for a value
    that is not of the field's type.
    """
    if variant not in method.variants:
        raise UnknownNameError(f"variant of {method.name}", variant, method.variants)
    overrides = method.variants[variant][1]
    return _checked(method.recipe(), f"recipe field of {method.name}", overrides, settings)


def make_options(dataset: DatasetSpec, settings: Mapping[str, Any]) -> Recipe | None:
    """Return the dataset's options with `settings` over its defaults; None if it has none."""
    if dataset.options is None:
        for name in settings:
            raise UnknownNameError(f"option of {dataset.name}", name, [])
        return None
    return _checked(dataset.options(), f"option of {dataset.name}", {}, settings)


def _checked(
    kind: type[Recipe], what: str, overrides: Mapping[str, Any], settings: Mapping[str, Any]
) -> Recipe:
    for name in settings:
        if name not in kind.model_fields:
            raise UnknownNameError(what, name, kind.model_fields)
    try:
        return kind(**{**overrides, **settings})
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        name = ".".join(str(part) for part in first["loc"])
        head, _, owner = what.partition(" of ")
        raise UserError(
            f"{head} {name} of {owner} is {first['input']!r}: {first['msg'].lower()}"
        ) from None


def parse_settings(texts: Sequence[str], option: str = "--set") -> dict[str, str]:
    """Return `{"field": "value"}` for texts of the form `field=value`, given with `option`."""
    settings: dict[str, str] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name.strip():
            raise UserError(
                f"{option} {text!r}: expected NAME=VALUE, as in {option} stage=blocks.5"
            )
        if name.strip() in settings:
            raise UserError(f"{option} {name.strip()} is given twice; give it one value")
        settings[name.strip()] = value.strip()
    return settings
