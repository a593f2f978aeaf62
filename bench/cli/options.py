"""Options that several commands share, and the registry they load."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bench.plugins import Registry, warn_about_broken

PluginFiles = Annotated[
    list[Path],
    typer.Option("--plugin", help="Also load this Python file as a plugin; may be repeated."),
]


def load_registry(files: list[Path]) -> Registry:
    """Return the registry of all plugins, with one warning for each that is set aside."""
    registry = Registry.load(files)
    warn_about_broken(registry)
    return registry
