"""`bench list`: what there is, by name."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from bench.cli.options import PluginFiles, load_registry
from bench.errors import UnknownNameError
from bench.plugins import KINDS


def command(
    kind: Annotated[str, typer.Argument(help=f"{', '.join(KINDS)}; all of them if left out.")] = "",
    plugin: PluginFiles = [],  # noqa: B006 (typer reads the default and never changes it)
) -> None:
    """List methods, datasets, backbones, heads, losses, metrics and detectors."""
    if kind and kind not in KINDS:
        raise UnknownNameError("kind", kind, KINDS)
    registry = load_registry(plugin)
    table = Table(box=None, pad_edge=False, show_header=False)
    for name in [kind] if kind else KINDS:
        table.add_row(f"[bold]{name}[/bold]" if not kind else "")
        for spec in registry.all(name).values():
            shown = f"{spec.name}:…" if getattr(spec, "family", False) else spec.name
            table.add_row(f"  {escape(shown)}", escape(spec.summary))
    Console(soft_wrap=True).print(table)
