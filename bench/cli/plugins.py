"""`bench plugins`: every plugin, its origin, what it registers, or why it does not load."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape

from bench.cli.options import PluginFiles
from bench.plugins import Registry


def command(
    plugin: PluginFiles = [],  # noqa: B006 (typer reads the default and never changes it)
) -> None:
    """Show every plugin with its version, its origin, what it registers and its load error."""
    console = Console(soft_wrap=True, highlight=False)
    for found in Registry.load(plugin).plugins:
        console.print(f"[bold]{escape(found.name)}[/bold]  {escape(found.origin)}")
        for kind, names in found.registered.items():
            console.print(f"    {kind}: {escape(', '.join(names))}")
        if found.error:
            console.print(f"    [red]set aside[/red]: {escape(found.error)}")
