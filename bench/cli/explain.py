"""`bench explain`: where a method sees each attribute of an image, and what it then finds."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bench.cli import search
from bench.cli.options import DataRoot, PluginFiles


def command(
    run: Annotated[Path, typer.Argument(help="The folder of a finished run, or its record.json.")],
    query: Annotated[str, typer.Option(help="The id of an image of the data, or an image file.")],
    changes: Annotated[
        list[str],
        typer.Option("--set", help="ATTRIBUTE=VALUE that it shall have instead; repeatable."),
    ] = [],  # noqa: B006 (typer reads the default and never changes it)
    count: Annotated[int, typer.Option(min=1, help="How many answers are shown.")] = 12,
    picture: Annotated[Path, typer.Option(help="Where the picture goes.")] = Path("explain.png"),
    data_root: DataRoot = None,
    plugin: PluginFiles = [],  # noqa: B006
) -> None:
    """Draw a query with its attributes' maps and regions, and its answers with what fits."""
    search.command(
        run, query, changes=changes, count=count, picture=picture, data_root=data_root,
        plugin=plugin,
    )  # fmt: skip
