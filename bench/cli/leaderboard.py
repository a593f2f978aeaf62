"""`bench leaderboard add | build | check`: tables from records."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli.options import load_registry

if TYPE_CHECKING:
    from bench.leaderboard import ReportedOf

app = typer.Typer(help="Make tables from records.", no_args_is_help=True, rich_markup_mode=None)
Folder = Annotated[Path, typer.Option("--folder", help="The folder of records and tables.")]
DEFAULT = Path("leaderboards")


@app.command()
def add(
    record: Annotated[list[Path], typer.Argument(help="Run folders, or their record.json.")],
    folder: Folder = DEFAULT,
    replace: Annotated[
        bool, typer.Option("--replace", help="Put it in the place of a record of the same setting.")
    ] = False,
) -> None:
    """Add the records of finished runs; then `build` makes the tables."""
    from bench import leaderboard

    for source in record:
        typer.echo(f"added {leaderboard.add(folder, source, replace=replace)}")


@app.command()
def build(folder: Folder = DEFAULT) -> None:
    """Write every table that the records determine, and remove those without a record."""
    from bench import leaderboard
    from bench.storage import write_text

    files = leaderboard.build(folder, _reported())
    for path, text in files.items():
        write_text(path, text)
    for path in leaderboard.tables(folder) - {*files}:
        path.unlink()
    typer.echo(f"wrote {len(files)} files below {folder}")


@app.command()
def check(folder: Folder = DEFAULT) -> None:
    """Fail, naming each file, where a table differs from its records."""
    from bench import leaderboard

    problems = leaderboard.check(folder, _reported())
    for problem in problems:
        typer.echo(problem, err=True)
    if problems:
        raise typer.Exit(1)
    typer.echo(f"every table below {folder} follows from its records")


def _reported() -> ReportedOf:
    """Return what looks up a method's reported numbers; a method that is not installed has none."""
    from bench.reported import reported_of

    registry = load_registry([])
    return lambda name: (
        reported_of(registry, registry.method(name)) if name in registry.all("methods") else ()
    )
