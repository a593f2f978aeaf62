"""The command line: one small file per command; torch is imported inside commands only."""

from __future__ import annotations

import sys
from importlib import metadata
from typing import Annotated, Any, NoReturn

import typer

from bench.cli import (
    claims,
    compare,
    data,
    detector,
    explain,
    export,
    leaderboard,
    listing,
    matrix,
    plugins,
    regions,
    reproduce,
    run,
    score,
    search,
    show,
    submit,
)
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
app.command("matrix")(matrix.command)
app.command("train-detector")(detector.command)
app.command("score")(score.command)
app.command("reproduce")(reproduce.command)
app.command("search")(search.command)
app.command("explain")(explain.command)
app.command("regions")(regions.command)
app.command("export")(export.command)
app.command("submit")(submit.command)
app.command("compare")(compare.command)
app.command("claims")(claims.command)
app.command("list")(listing.command)
app.command("show")(show.command)
app.command("plugins")(plugins.command)
app.add_typer(data.app, name="data")
app.add_typer(leaderboard.app, name="leaderboard")


# the base of all usage errors; where it lives differs between versions of typer
_USAGE_ERROR: Any = typer.BadParameter.__mro__[1]
_INTERRUPTED = 130  # what typer makes of Ctrl-C, without a word


def main() -> None:
    """Run the command line; a user's mistake ends in one line and exit status 2."""
    try:
        status = app(standalone_mode=False)
    except UserError as error:
        _fail(str(error))
    except _USAGE_ERROR as error:  # an option or a command that does not exist, a value amiss
        if error.__class__.__name__ == "NoArgsIsHelpError":
            print(error.format_message(), file=sys.stderr)  # noqa: T201
            sys.exit(2)
        context = error.ctx
        advice = f"; see `{context.command_path} --help`" if context else ""
        _fail(f"{error.format_message().removesuffix('.')}{advice}")
    except (FileExistsError, IsADirectoryError, NotADirectoryError, PermissionError) as error:
        # a path of the user's that cannot be written or read; all else is a defect
        _fail(f"{error.filename}: {(error.strerror or str(error)).lower()}")
    except typer.Abort:
        status = _INTERRUPTED
    if status == _INTERRUPTED:
        print("\ninterrupted; the same command goes on where this stopped", file=sys.stderr)  # noqa: T201
    sys.exit(status)


def _fail(message: str) -> NoReturn:
    print(f"error: {' '.join(message.split())}", file=sys.stderr)  # noqa: T201
    sys.exit(2)
