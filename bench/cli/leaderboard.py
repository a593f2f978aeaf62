"""`bench leaderboard add | remove | build | check | site`: tables from records."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli.options import load_registry

if TYPE_CHECKING:
    from bench.leaderboard.papers import Papers

app = typer.Typer(help="Make tables from records.", no_args_is_help=True, rich_markup_mode=None)
Folder = Annotated[Path, typer.Option("--folder", help="The folder of records and tables.")]
DEFAULT = Path("leaderboards")


@app.command()
def add(
    run: Annotated[
        list[Path],
        typer.Argument(
            help="Run folders, folders of them, record.json, or bundles of submissions."
        ),
    ],
    folder: Folder = DEFAULT,
    replace: Annotated[
        bool, typer.Option("--replace", help="Put it in the place of a record of the same setting.")
    ] = False,
) -> None:
    """Add the records of finished runs; then `build` makes the tables."""
    import tempfile

    from bench import claim_facts, leaderboard
    from bench.bundles import unpack
    from bench.records import Record

    registry = load_registry([])
    with tempfile.TemporaryDirectory() as name:
        for number, source in enumerate(run):
            below = source
            if source.suffix == ".zip":
                below = Path(name, str(number))
                below.mkdir()
                unpack(source, below)
            for one in leaderboard.runs_below(below):
                place = leaderboard.add(folder, one, replace=replace)
                claim_facts.keep(place, claim_facts.ask(one, Record.read(place), registry))
                typer.echo(f"added {place}")


@app.command()
def remove(
    record: Annotated[Path, typer.Argument(help="The file of a record.")],
    why: Annotated[str, typer.Option(help="The reason, for those who had seen it.")],
    folder: Folder = DEFAULT,
) -> None:
    """Take a record away; the ledger keeps its name and the reason."""
    from bench import leaderboard

    leaderboard.remove(folder, record, why)
    typer.echo(f"removed {record}; `bench leaderboard build` makes the tables without it")


@app.command()
def build(folder: Folder = DEFAULT) -> None:
    """Write every table that the records determine, and remove those without a record."""
    from bench import leaderboard
    from bench.storage import write_texts

    files = leaderboard.build(folder, _papers())
    write_texts(files)
    for path in leaderboard.tables_below(folder) - {*files}:
        path.unlink()
    typer.echo(f"wrote {len(files)} files below {folder}")


@app.command()
def check(folder: Folder = DEFAULT) -> None:
    """Fail, naming each file, where values, records, ledger and tables do not fit each other."""
    from bench import leaderboard

    problems = leaderboard.check(folder, _papers(), typer.echo)
    for problem in problems:
        typer.echo(problem, err=True)
    if problems:
        raise typer.Exit(1)
    typer.echo(f"every table below {folder} follows from its records")


@app.command()
def site(
    folder: Folder = DEFAULT,
    to: Annotated[Path, typer.Option(help="The folder of the pages.")] = Path("site"),
) -> None:
    """Write the tables as HTML pages that open from a disk, with columns that sort."""
    from bench import leaderboard
    from bench.leaderboard.site import pages
    from bench.storage import write_texts

    found = pages(folder, leaderboard.build(folder, _papers()))
    write_texts({to / name: text for name, text in found.items()})
    typer.echo(f"wrote {len(found)} files; open {to / 'index.html'}")


def _papers() -> Papers:
    from bench.leaderboard.papers import Papers

    return Papers(load_registry([]))
