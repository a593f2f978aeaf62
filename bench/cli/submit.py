"""`bench submit`: a finished run as one file for a pull request, and the check of such files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli.options import DataRoot, PluginFiles, load_registry
from bench.cli.tables import show
from bench.errors import UserError

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from bench.bundles import Checked
    from bench.records import MetricValue

FOLDER = Path("submissions")


def command(
    paths: Annotated[
        list[Path], typer.Argument(metavar="RUN...", help="Run folders; with --check, bundles.")
    ],
    to: Annotated[
        Path | None, typer.Option(help="The folder for bundles; submissions if left out.")
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Check bundles: score their rankings again.")
    ] = False,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="With --check, also write what was found here.")
    ] = None,
    leaderboards: Annotated[
        Path | None, typer.Option(help="With --comment, the folder of records and tables.")
    ] = None,
    comment: Annotated[
        Path | None,
        typer.Option(help="With --check, write what was found here, for a pull request."),
    ] = None,
    data_root: DataRoot = None,
    plugin: PluginFiles = [],  # noqa: B006 (typer reads the default and never changes it)
) -> None:
    """Bundle finished runs for a pull request, or check such bundles.

    A check ends with status 1 where a bundle does not hold.
    """
    if not check:
        if json_file or leaderboards or comment or data_root:
            raise UserError("--json, --leaderboards, --comment and --data-root go with --check")
        _bundle(paths, to or FOLDER)
        return
    if to:
        raise UserError("--to names where bundles are written; --check writes none")
    if (leaderboards is None) != (comment is None):
        raise UserError("--leaderboards FOLDER and --comment FILE belong together; give both")
    registry = load_registry(plugin)
    from rich.console import Console
    from rich.markup import escape

    from bench import bundles
    from bench.bundle_comment import comment as written
    from bench.reproduction import once
    from bench.storage import write_text

    messages = Console(stderr=True, soft_wrap=True, highlight=False)
    notice = once(lambda text: messages.print(f"[bold yellow]{escape(text)}[/bold yellow]"))
    console = Console(soft_wrap=True, highlight=False)
    found = []
    for path in paths:
        checked = bundles.check(path, registry, data_root=data_root, notice=notice)
        _show(checked, console)
        found.append(checked)
    if json_file is not None:
        content = [checked.to_json() for checked in found]
        write_text(json_file, json.dumps(content, indent=2, allow_nan=False) + "\n")
    if comment is not None and leaderboards is not None:
        write_text(comment, written(found, leaderboards))
    if any(checked.problems for checked in found):
        raise typer.Exit(1)


def _bundle(runs: list[Path], folder: Path) -> None:
    from bench.bundles import write_bundle

    for run in runs:
        bundle = write_bundle(run, folder)
        typer.echo(f"wrote {bundle}, {bundle.stat().st_size / 2**20:.2f} MiB")
    typer.echo(
        f"next: git add {folder}, commit, and open a pull request; it is checked there as "
        "`bench submit --check` checks it here"
    )


def _show(checked: Checked, console: Console) -> None:
    """Print the table of a bundle, what is wrong with it, and what nobody could tell."""
    from rich.markup import escape

    if checked.values:
        show(_table(checked), console)
    for text in checked.problems:
        console.print(f"[bold red]wrong:[/bold red] {escape(text)}")
    for text in checked.unchecked:
        console.print(f"[bold yellow]{escape(text)}[/bold yellow]")
    console.print(f"{escape(str(checked.bundle))}: [bold]{checked.outcome}[/bold]\n")


def _table(checked: Checked) -> Table:
    """Return the table of values; of several tasks, the means over them and what differs."""
    from rich.markup import escape
    from rich.table import Table

    several = len({value.task for value in checked.values}) > 1
    table = Table(title=escape(checked.bundle.name), caption_justify="left")
    headers = [*(["task"] if several else []), "metric", "recorded", "re-scored", ""]
    for header in headers:
        table.add_column(header, justify="left" if header in {"task", "metric", ""} else "right")
    for value in checked.leading:
        table.add_row(
            *([escape(value.task)] if several else []), escape(value.metric),
            _cell(value.recorded), _cell(value.now) if value.now else "not re-scored",
            escape(f"it {value.why_not}") if value.now is None
            else "same" if value.agrees else "[bold red]differs[/bold red]",
        )  # fmt: skip
    table.caption = (
        f"{len(checked.leading):,} of {len(checked.values):,} numbers" if several else None
    )
    return table


def _cell(value: MetricValue) -> str:
    return f"{value.mean:.4f}  {value.low:.4f} – {value.high:.4f}"
