"""Recipes: every hyper-parameter of a method's variant, typed, validated and recorded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from bench.errors import UnknownNameError, UserError
from bench.interfaces import MethodSpec


class Recipe(BaseModel):
    """The base of a method's recipe; a subclass declares the fields, their types and defaults."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def make_recipe(method: MethodSpec, variant: str, settings: Mapping[str, Any]) -> Recipe:
    """Return the variant's recipe with `settings` over it, each one checked.

    Raises `UnknownNameError` for a variant or field that does not exist, `UserError` for a value
    that is not of the field's type.
    """
    if variant not in method.variants:
        raise UnknownNameError(f"variant of {method.name}", variant, method.variants)
    kind = method.recipe()
    for name in settings:
        if name not in kind.model_fields:
            raise UnknownNameError(f"recipe field of {method.name}", name, kind.model_fields)
    try:
        return kind(**{**method.variants[variant][1], **settings})
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        name = ".".join(str(part) for part in first["loc"])
        raise UserError(
            f"recipe field {name} of {method.name} is {first['input']!r}: {first['msg'].lower()}"
        ) from None


def parse_settings(texts: Sequence[str]) -> dict[str, str]:
    """Return `{"field": "value"}` for texts of the form `field=value`."""
    settings: dict[str, str] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name.strip():
            raise UserError(f"--set {text!r}: expected FIELD=VALUE, as in --set stage=blocks.5")
        if name.strip() in settings:
            raise UserError(f"the recipe field {name.strip()} is set twice; give it one value")
        settings[name.strip()] = value.strip()
    return settings
