"""Options that several commands share, and the registry they load."""

from __future__ import annotations

import shlex
import sys
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Literal

import typer

from bench.plugins import Registry, warn_about_broken

PluginFiles = Annotated[
    list[Path],
    typer.Option("--plugin", help="Also load this Python file as a plugin; may be repeated."),
]

DataRoot = Annotated[
    Path | None,
    typer.Option(help="The folder of datasets; else BENCH_DATA or the user's data folder."),
]
EditionName = Annotated[
    Literal["auto", "full", "mini"],
    typer.Option(help="auto: the published data where they are, else the drawn ones."),
]
DatasetOptions = Annotated[
    list[str],
    typer.Option("--option", help="NAME=VALUE of the dataset; `bench show DATASET` lists them."),
]


def command_to_record() -> str:
    """Return the command of this process for a record, which names no folder of this machine.

    Where the runs and the data are is left out; of another whole path, its name stays.
    """
    kept = ["bench"]
    for before, argument in pairwise(sys.argv):
        option, equals, value = argument.rpartition("=")
        if {before, argument, option} & {"--runs", "--data-root"}:
            continue
        kept.append(option + equals + (Path(value).name if Path(value).is_absolute() else value))
    return shlex.join(kept)


def load_registry(files: list[Path]) -> Registry:
    """Return the registry of all plugins, with one warning for each that is set aside."""
    registry = Registry.load(files)
    warn_about_broken(registry)
    return registry
