"""The command line: one small file per command; torch is imported inside commands only."""

from __future__ import annotations

import sys
from importlib import metadata
from typing import Annotated

import typer

from bench.cli import leaderboard, listing, plugins, run, show
from bench.errors import UserError
from bench.plugins import DISTRIBUTION

app = typer.Typer(
    name="bench",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


@app.callback(invoke_without_command=True)
def options(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and end.", is_eager=True)
    ] = False,
) -> None:
    """Benchmark image retrieval: run a method on a dataset, rank, score, keep the record."""
    if version:
        typer.echo(metadata.version(DISTRIBUTION))
        raise typer.Exit


app.command("run")(run.command)
app.command("list")(listing.command)
app.command("show")(show.command)
app.command("plugins")(plugins.command)
app.add_typer(leaderboard.app, name="leaderboard")


def main() -> None:
    """Run the command line; a user's mistake ends in one line and exit status 2."""
    try:
        app()
    except UserError as error:
        print(f"error: {' '.join(str(error).split())}", file=sys.stderr)  # noqa: T201
        sys.exit(2)
    except KeyboardInterrupt:
        print("\ninterrupted; the same command goes on where this stopped", file=sys.stderr)  # noqa: T201
        sys.exit(130)
