"""Recipes: what a method or a dataset can be told, typed, validated and recorded.

A recipe may hold recipes. A field of one inside has a dotted name, as in `training.epochs`, and
whoever changes a field changes no other.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from operator import attrgetter
from pathlib import Path
from typing import Any, get_origin

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails, PydanticUndefined

from bench.errors import UnknownNameError, UserError
from bench.interfaces import DatasetSpec, DetectorSpec, MethodSpec

FULL = "full"  # the budget that every method has: the recipe as it stands


class Recipe(BaseModel):
    """The base of recipes and of options; a subclass declares fields, their types and defaults."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)  # JSON has neither


@dataclass(frozen=True)
class RecipeField:
    """What is known of one field: its default, one line, whether it holds several values."""

    default: Any
    description: str
    several: bool


def make_recipe(
    method: MethodSpec | DetectorSpec,
    variant: str,
    settings: Mapping[str, Any],
    *,
    budget: str = FULL,
    file: Path | None = None,
) -> Recipe:
    """Return the variant's recipe under a budget, changed by a recipe file and by `settings`.

    Where several set one field, the later wins: defaults, variant, budget, file, settings.
    `settings` has dotted names; text in it becomes the field's type. `budget` is one that the
    method has (see `choose_budget`).

    Raises `UnknownNameError` for a variant, budget or field that does not exist, `UserError` for a
    value that is not of the field's type and for a file that is not TOML.
    """
    if variant not in method.variants:
        raise UnknownNameError(f"variant of {method.name}", variant, method.variants)
    _require_budget(method, budget)
    sources = [
        _Source(method.variants[variant][1], f"variant {variant}"),
        _Source({} if budget == FULL else method.budgets[budget], f"budget {budget}"),
        _Source(_read_toml(file) if file else {}, str(file)),
        _Source(settings),
    ]
    return _checked(method.recipe(), "recipe field", method.name, sources)


def choose_budget(method: MethodSpec | DetectorSpec, asked: str, edition: str) -> str:
    """Return the name of the budget to run with; a record says it.

    "auto" is the method's "mini" on a mini edition where it has one, and else "full". Raises
    `UnknownNameError` for a budget that the method does not have.
    """
    if asked == "auto":
        return "mini" if edition == "mini" and "mini" in method.budgets else FULL
    _require_budget(method, asked, "auto")
    return asked


def make_options(dataset: DatasetSpec, settings: Mapping[str, Any]) -> Recipe | None:
    """Return the dataset's options with `settings` over its defaults; None if it has none."""
    if dataset.options is None:
        for name in settings:
            raise UnknownNameError(f"option of {dataset.name}", name, [])
        return None
    return _checked(dataset.options(), "option", dataset.name, [_Source(settings)])


def fields(kind: type[Recipe]) -> dict[str, RecipeField]:
    """Return the fields of a recipe by their dotted names, in the order of their declaration.

    A recipe inside is not listed itself. The defaults of its fields are those that the recipe
    around it gives.
    """
    found = {}
    for name, info in kind.model_fields.items():
        default = info.get_default(call_default_factory=True)
        inner = info.annotation
        if isinstance(inner, type) and issubclass(inner, Recipe):
            for path, field in fields(inner).items():
                start = attrgetter(path)(default) if isinstance(default, Recipe) else field.default
                found[f"{name}.{path}"] = replace(field, default=start)
        else:
            several = (get_origin(inner) or inner) in (list, tuple)
            found[name] = RecipeField(default, info.description or "", several)
    return found


def flatten(values: Mapping[str, Any], known: Mapping[str, RecipeField]) -> dict[str, Any]:
    """Return nested values by dotted names; `known` are the fields of the recipe."""
    return dict(_flatten(values, _tables(known), ""))


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


@dataclass(frozen=True)
class _Source:
    """Values that somebody sets, nested or by dotted names; `place` is empty for the command."""

    values: Mapping[str, Any]
    place: str = ""


def _checked(kind: type[Recipe], noun: str, owner: str, sources: Sequence[_Source]) -> Recipe:
    """Return the recipe with the values of all sources; `noun` and `owner` are for messages."""
    known = fields(kind)
    # pydantic takes the defaults of `kind` itself, but not those that `kind` gives to a recipe
    # inside, once one field of that is set
    values = {
        name: field.default
        for name, field in known.items()
        if "." in name and field.default is not PydanticUndefined
    }
    places: dict[str, str] = {}
    for source in sources:
        for name, value in flatten(source.values, known).items():
            if name not in known:
                raise _wrong_name(name, known, noun, owner, source.place)
            # a file can write a list; the command line has text alone
            as_list = known[name].several and isinstance(value, str) and not source.place
            values[name] = _split(value) if as_list else value
            places[name] = source.place
    try:
        return kind.model_validate(_nest(values))
    except ValidationError as error:
        raise _wrong_value(error.errors(include_url=False)[0], places, noun, owner) from None


def _require_budget(method: MethodSpec | DetectorSpec, budget: str, *also: str) -> None:
    if budget != FULL and budget not in method.budgets:
        known = {FULL, *method.budgets, *also}
        raise UnknownNameError(f"budget of {method.name}", budget, known)


def _wrong_name(
    name: str, known: Mapping[str, RecipeField], noun: str, owner: str, place: str
) -> UserError:
    """Return the error for a name that is not that of a field."""
    start = f"{place}: " if place else ""
    if name in _tables(known):
        example = next(path for path in known if path.startswith(f"{name}."))
        return UserError(
            f"{start}{noun} {name} of {owner} has fields of its own; set those, as in {example}"
        )
    whole = next((path for path in known if name.startswith(f"{path}.")), "")
    if whole:
        return UserError(
            f"{start}{noun} {name} of {owner}: {whole} is one value and has no fields; "
            f"set {whole} itself"
        )
    # compared by the last part alone: siblings share so much that all would seem near
    last = {path: path.rpartition(".")[2] for path in {*known, *_tables(known)}}
    outer, _, own = name.rpartition(".")
    near = difflib.get_close_matches(own, set(last.values()), n=3, cutoff=0.5)
    anywhere = [path for path in last if last[path] in near]
    siblings = [path for path in anywhere if path.rpartition(".")[0] == outer]
    candidates = siblings or anywhere or known
    hint = f"in {place}" if place else ""
    return UnknownNameError(f"{noun} of {owner}", name, candidates, hint)


def _wrong_value(
    error: ErrorDetails, places: Mapping[str, str], noun: str, owner: str
) -> UserError:
    """Return the error for what pydantic refused; `places` says who set which field."""
    path = [str(part) for part in error["loc"]]
    # what follows the field's name is a position in a list, or which type was tried
    names = [".".join(path[:length]) for length in range(len(path), 0, -1)]
    name = next((name for name in names if name in places), names[0] if names else "")
    start = f"{places[name]}: " if places.get(name) else ""
    subject = f"{noun} {name}" if name else f"{noun}s"
    # of a whole recipe, its values would be a page
    given = "" if isinstance(error["input"], Mapping) else f" is {error['input']!r}"
    message = error["msg"].removeprefix("Value error, ")
    return UserError(f"{start}{subject} of {owner}{given}: {message[:1].lower()}{message[1:]}")


def _read_toml(file: Path) -> dict[str, Any]:
    """Return what a recipe file sets; an error names the file and the line."""
    if not file.is_file():
        raise UserError(f"--recipe {file}: no such file; expected a TOML file of recipe fields")
    content = file.read_bytes()
    try:
        text = content.decode("utf-8-sig")
        return tomllib.loads(text)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise UserError(f"{file}:{line}: bytes that are not UTF-8; expected TOML") from None
    except tomllib.TOMLDecodeError as error:
        # the parser writes the place into its message: "(at line 3, column 5)"
        message, _, place = str(error).rpartition(" (at ")
        found = re.match(r"line (\d+)", place)
        line = int(found[1]) if found else len(text.splitlines())
        raise UserError(
            f"{file}:{line}: {message[:1].lower()}{message[1:]}; expected TOML, as in "
            "stage = 'pooled'"
        ) from None


def _flatten(values: Mapping[str, Any], tables: set[str], prefix: str) -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        path = prefix + name
        if path in tables and isinstance(value, Mapping):
            yield from _flatten(value, tables, f"{path}.")
        else:
            yield path, value


def _nest(values: Mapping[str, Any]) -> dict[str, Any]:
    nested: dict[str, Any] = {}
    for path, value in values.items():
        *outer, name = path.split(".")
        table = nested
        for part in outer:
            table = table.setdefault(part, {})
        table[name] = value
    return nested


def _tables(known: Mapping[str, RecipeField]) -> set[str]:
    """Return the dotted names of the recipes inside, of which `known` are the fields."""
    parts = [path.split(".") for path in known]
    return {".".join(path[:length]) for path in parts for length in range(1, len(path))}


def _split(text: str) -> list[str]:
    return [part.strip() for part in text.split(",")] if text else []
