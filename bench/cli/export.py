"""`bench export`: a run's rankings as TREC files, its features as Parquet or .npy."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bench.cli.options import DataRoot, PluginFiles, load_registry
from bench.errors import UserError


def command(
    run: Annotated[Path, typer.Argument(help="A run folder, or its record.json.")],
    rankings: Annotated[
        Path | None,
        typer.Option(help="A folder for TASK.run and TASK.qrels, as trec_eval reads them."),
    ] = None,
    features: Annotated[
        Path | None,
        typer.Option(help="A .parquet file, or an .npy file that gets its ids in .ids.txt."),
    ] = None,
    data_root: DataRoot = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Write over files that are there already.")
    ] = False,
    plugin: PluginFiles = [],  # noqa: B006 (typer reads the default and never changes it)
) -> None:
    """Write a run's rankings or features for other programs."""
    if rankings is None and features is None:
        raise UserError("nothing to export; give --rankings DIR, --features FILE, or both")
    registry = load_registry(plugin)
    from rich.console import Console
    from rich.markup import escape

    from bench.cli.progress import Bar
    from bench.exports import Exporter, FinishedRun
    from bench.run import Listener

    messages = Console(stderr=True, soft_wrap=True, highlight=False)
    with Bar("extracting features", messages) as bar:
        listener = Listener(
            notice=lambda text: messages.print(f"[bold yellow]{escape(text)}[/bold yellow]"),
            progress=bar.update,
        )
        exporter = Exporter(FinishedRun.open(run), registry, listener, data_root, replace)
        files = exporter.rankings(rankings) if rankings else []
        files += exporter.features(features) if features else []
    for file in files:
        typer.echo(f"wrote {file}")
