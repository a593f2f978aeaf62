"""What tells the rows of a table apart: method, variant, budget, and settings where they differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bench.records import Record


def common_options(records: Sequence[Record]) -> dict[str, object]:
    """Return the options of the data with which all records were made."""
    every = [_options(record) for record in records]
    return {n: v for n, v in every[0].items() if all(o.get(n) == v for o in every)}


def settings(records: Sequence[Record]) -> list[str]:
    """Return, for each record, the recipe fields in which it differs from others of its kind.

    Of its kind are those with the same method, variant, budget and backbone. A field that not all
    of them have, since it was added later, is no difference.
    """
    kinds = [(r.method, r.variant, r.budget, r.backbone.name, r.backbone.source) for r in records]
    of_kind: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for kind, record in zip(kinds, records, strict=True):
        of_kind.setdefault(kind, []).append(record.recipe)
    differing = {kind: _differing(same) for kind, same in of_kind.items()}
    found = []
    for kind, record in zip(kinds, records, strict=True):
        recipe = dict(_flat(record.recipe, "")) if differing[kind] else {}
        found.append(in_words({name: recipe[name] for name in differing[kind]}))
    return found


def _differing(recipes: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the fields that all recipes have, and not all with one value."""
    if all(recipe == recipes[0] for recipe in recipes):
        return []
    first, *_ = recipes = [dict(_flat(recipe, "")) for recipe in recipes]
    return [
        name for name in first
        if all(name in other for other in recipes)
        and any(other[name] != first[name] for other in recipes)
    ]  # fmt: skip


def names(records: Sequence[Record]) -> list[str]:
    """Return the name of each record's row.

    Named besides are the budget, if it is not the paper's recipe, a precision that is not fp32,
    and options of the data and settings that not all share.
    """
    common = common_options(records)
    found = []
    for record, setting in zip(records, settings(records), strict=True):
        own = {name: v for name, v in _options(record).items() if name not in common}
        budget = f"budget {record.budget}" if record.budget != "full" else ""
        precision = record.provenance.precision
        other = precision if record.origin == "run" and precision != "fp32" else ""
        notes = ", ".join(filter(None, [budget, other, in_words(own), setting]))
        variant = "" if record.variant == "default" else f" {record.variant}"
        found.append(record.method + variant + (f" ({notes})" if notes else ""))
    return found


def in_words(values: Mapping[str, object]) -> str:
    """Return `name=value` of each, in the order of the names."""
    return ", ".join(f"{name}={_word(value)}" for name, value in sorted(values.items()))


def _word(value: object) -> str:
    return "+".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _options(record: Record) -> dict[str, object]:
    """Return the options of the data, but for those that name nothing."""
    return {name: value for name, value in record.dataset.options.items() if value != ""}


def _flat(values: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value
