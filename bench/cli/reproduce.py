"""`bench reproduce`: run a record again and say whether its numbers come out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli.options import DataRoot, PluginFiles, command_to_record, load_registry
from bench.cli.tables import show

if TYPE_CHECKING:
    from rich.table import Table

    from bench.reproduction import Reproduction, Value


def command(
    record: Annotated[
        Path,
        typer.Argument(
            help="A record, as one of leaderboards/records; with --beside, their folder."
        ),
    ],
    tolerance: Annotated[
        float | None,
        typer.Option(
            min=0, help="How far a mean may be off; if left out, as docs/reproduce.md says."
        ),
    ] = None,
    data_root: DataRoot = None,
    runs: Annotated[
        Path | None, typer.Option(help="Keep the run below this folder; else it is removed.")
    ] = None,
    beside: Annotated[
        Path | None,
        typer.Option(help="Run nothing: compare finished runs below this folder with records."),
    ] = None,
    plugin: PluginFiles = [],  # noqa: B006 (typer reads the default and never changes it)
) -> None:
    """Make the run of a record again, from the record alone, and compare the numbers.

    Ends with status 1 where one differs by more than its tolerance, or where the data are others.
    """
    registry = load_registry(plugin)
    from bench.cli.progress import shown_progress
    from bench.reproduction import OtherQuestionsError, pairs, reproduce
    from bench.reproduction import beside as compare

    if beside is not None:
        found = [compare(*pair, tolerance) for pair in pairs(record, beside)]
        for one in found:
            _show(one, kept=True)
            typer.echo()
        raise typer.Exit(int(any(one.beyond for one in found)))
    try:
        with shown_progress() as listener:
            made = reproduce(
                record, registry, data_root=data_root, runs=runs, tolerance=tolerance,
                command=command_to_record(), listener=listener,
            )  # fmt: skip
    except OtherQuestionsError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(1) from None
    _show(made, kept=runs is not None)
    if made.beyond:
        raise typer.Exit(1)


def _show(found: Reproduction, *, kept: bool) -> None:
    """Print what is different about the environment, the numbers and the verdict."""
    from rich.console import Console
    from rich.markup import escape

    console = Console(soft_wrap=True, highlight=False)
    if found.changed:
        show(_environment(found), console)
    else:
        console.print("environment: the same\n")
    show(_values(found), console)
    if kept:
        console.print(f"record: {escape(str(found.outcome.folder / 'record.json'))}")
    console.print(escape(_verdict(found)))


def _environment(found: Reproduction) -> Table:
    """Return what is different about the environment."""
    from rich.markup import escape
    from rich.table import Table

    table = Table(title="environment: what is different", caption_justify="left")
    for header in ("", "recorded", "now"):
        table.add_column(header)
    for name, (before, after) in found.changed.items():
        table.add_row(escape(name), escape(before), escape(after))
    return table


def _values(found: Reproduction) -> Table:
    """Return the table of numbers; of several tasks the plain mean, the headline, and what is off.

    The largest difference is among them whatever it is of.
    """
    from rich.markup import escape
    from rich.table import Table

    from bench.reproduction import MEAN

    record, several = found.recorded, len(found.recorded.tasks) > 1
    title = f"{record.edition_name}  {record.protocol}\n{record.method} {record.variant}"
    table = Table(title=escape(title), caption_justify="left")
    farthest = found.farthest
    of_task = f" of {farthest.task}" if several else ""
    table.caption = escape(
        f"{len(found.values):,} numbers; the largest difference for its tolerance: "
        f"{farthest.metric}{of_task}, {farthest.difference:+.4f}"
    )
    headers = [*(["task"] if several else []), "metric", "recorded", "now", "difference",
               "tolerance", ""]  # fmt: skip
    for header in headers:
        table.add_column(header, justify="left" if header in {"task", "metric", ""} else "right")

    def is_shown(value: Value) -> bool:
        leads = value.task == MEAN or value.metric == record.headline
        return not several or leads or not value.within or value == farthest

    for value in filter(is_shown, found.values):
        table.add_row(
            *([escape(value.task)] if several else []), escape(value.metric),
            f"{value.recorded:.4f}", f"{value.now:.4f}", f"{value.difference:+.4f}",
            f"{value.tolerance:.4f}", "within" if value.within else "[bold red]beyond[/bold red]",
        )  # fmt: skip
    return table


def _verdict(found: Reproduction) -> str:
    """Return in one line whether the record was reproduced."""
    count = len(found.values)
    if found.beyond:
        verdict = f"not reproduced: {len(found.beyond):,} of {count:,} numbers are beyond tolerance"
    elif found.identical:
        verdict = f"reproduced: all {count:,} numbers are identical, bit for bit"
    else:
        verdict = f"reproduced: all {count:,} numbers are within tolerance"
    if found.same_environment and not found.identical:
        verdict += "; not bit for bit, though processor, versions, threads and sources are the same"
    return verdict
