"""`bench show NAME`: all that is known of one part."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from bench.cli.options import PluginFiles, load_registry
from bench.errors import UnknownNameError
from bench.interfaces import BackboneSpec, DatasetSpec, DetectorSpec, MethodSpec, MetricSpec
from bench.plugins import KINDS, SINGULAR, Registry

if TYPE_CHECKING:
    from bench.recipes import Recipe


def command(
    name: Annotated[
        str, typer.Argument(help="A method, dataset, backbone, head, loss, metric or detector.")
    ],
    plugin: PluginFiles = [],  # noqa: B006 (typer reads the default and never changes it)
) -> None:
    """Show facts, recipe, protocols, licence and how to obtain."""
    registry = load_registry(plugin)
    console = Console(soft_wrap=True, highlight=False)
    for index, (kind, spec) in enumerate(_find(registry, name)):
        if index:
            console.print()
        owner = registry.owner(kind, spec.name)[0]
        console.print(f"[bold]{escape(spec.name)}[/bold]  {SINGULAR[kind]}: {escape(spec.summary)}")
        facts = [*_facts(spec), ("plugin", f"{owner.name}, {owner.origin}")]
        for label, text in facts:
            console.print(f"  {label:<10}  {escape(text)}")


def _find(registry: Registry, name: str) -> list[tuple[str, Any]]:
    found = []
    for kind in KINDS:
        specs = registry.all(kind)
        spec = specs.get(name) or specs.get(name.partition(":")[0])
        if spec is not None and (spec.name == name or getattr(spec, "family", False)):
            found.append((kind, spec))
    if not found:
        try:
            return [("metrics", registry.metric(name)[0])]
        except UnknownNameError:
            known = [spec for kind in KINDS for spec in registry.all(kind)]
            raise UnknownNameError("name", name, known, "`bench list` shows all") from None
    return found


def _facts(spec: Any) -> list[tuple[str, str]]:
    if isinstance(spec, DatasetSpec):
        counts = ", ".join(f"{number:,} {name}" for name, number in spec.counts.items())
        return [
            *([("published", counts)] if counts else []),
            *(("protocol", f"{name}: {text}") for name, text in spec.protocols.items()),
            *_fields("option", spec.options() if spec.options else None),
            ("editions", "full, and mini (drawn by this program)" if spec.has_mini else "full"),
            ("licence", spec.licence),
            ("obtain", spec.obtain),
        ]
    if isinstance(spec, DetectorSpec):
        return _choices(spec)
    if isinstance(spec, MethodSpec):
        return [
            *([("paper", spec.paper)] if spec.paper else []),
            *_choices(spec),
            ("needs", ", ".join(spec.needs) or "images only"),
            *(spec.facts() if spec.facts else ()),
        ]
    if isinstance(spec, BackboneSpec):
        name = f"{spec.name}:…" if spec.family else spec.name
        return [("use", f"--backbone {name} --weights pretrained | none | FILE.safetensors")]
    if isinstance(spec, MetricSpec):
        better = "higher is better" if spec.higher_is_better else "lower is better"
        return [("formula", spec.formula), ("order", better)]
    return []


def _choices(spec: MethodSpec | DetectorSpec) -> list[tuple[str, str]]:
    return [
        *(("variant", f"{name}: {text}") for name, (text, _) in spec.variants.items()),
        *_fields("recipe", spec.recipe()),
        *(("budget", text) for text in _budgets(spec)),
    ]


def _fields(label: str, kind: type[Recipe] | None) -> list[tuple[str, str]]:
    from bench.recipes import fields

    known = fields(kind) if kind else {}
    return [
        (label, f"{name} = {_as_set(field.default)}  ({field.description})")
        for name, field in known.items()
    ]


def _budgets(spec: MethodSpec | DetectorSpec) -> list[str]:
    """Return a line for each budget with the fields that it changes."""
    from bench.recipes import FULL, fields, flatten

    known = fields(spec.recipe())
    lines = [f"{FULL}: the recipe as it stands"] if spec.budgets else []
    for name, overrides in spec.budgets.items():
        changes = flatten(overrides, known).items()
        lines.append(f"{name}: " + ", ".join(f"{k} = {_as_set(value)}" for k, value in changes))
    return lines


def _as_set(value: Any) -> str:
    """Return a value as `--set` takes it."""
    return ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
