"""`bench matrix`: many methods on many datasets, each cell once, whatever ends in between."""

from __future__ import annotations

import contextlib
import os
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli.options import DataRoot, EditionName, PluginFiles, load_registry

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from bench.matrix.files import Job
    from bench.matrix.plan import Planned
    from bench.matrix.running import Outcome, Places

SHOWN = 20  # running jobs of the live table, which must fit on a screen


def command(
    file: Annotated[
        Path | None, typer.Argument(help="A matrix file; if left out, the options say what to run.")
    ] = None,
    method: Annotated[list[str], typer.Option(help="A method; all if left out; repeatable.")] = [],  # noqa: B006 (typer reads the default and never changes it)
    dataset: Annotated[
        list[str], typer.Option(help="A dataset; all if left out; repeatable.")
    ] = [],  # noqa: B006
    variant: Annotated[
        list[str], typer.Option(help="A variant, or all; the first if left out; repeatable.")
    ] = [],  # noqa: B006
    protocol: Annotated[
        list[str], typer.Option(help="A protocol; all of a dataset's if left out; repeatable.")
    ] = [],  # noqa: B006
    seed: Annotated[list[int], typer.Option(min=0, help="A seed; 0 if left out; repeatable.")] = [],  # noqa: B006
    edition: EditionName = "auto",
    threads: Annotated[int, typer.Option(min=1, help="Threads of networks in each job.")] = 1,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the plan and run nothing.")
    ] = False,
    again: Annotated[
        bool, typer.Option("--again", help="Also run what leaderboards have records of.")
    ] = False,
    workers: Annotated[
        int | None,
        typer.Option(min=1, help="Jobs at once; cores / threads if left out, one on a GPU."),
    ] = None,
    data_root: DataRoot = None,
    runs: Annotated[Path, typer.Option(help="The folder of run folders.")] = Path("runs"),
    leaderboards: Annotated[
        Path, typer.Option(help="The folder of records that need no run.")
    ] = Path("leaderboards"),
    plugin: PluginFiles = [],  # noqa: B006
) -> None:
    """Run a matrix: methods x variants x datasets x protocols x seeds, a process for each job.

    What is finished is not run again, so the same command goes on where one was stopped.
    """
    registry = load_registry(plugin)
    from rich.console import Console
    from rich.markup import escape

    from bench.engines import choose_execution
    from bench.errors import UserError
    from bench.matrix import files
    from bench.matrix.plan import History, Setup, make_plan
    from bench.matrix.running import LocalExecutor, Places, command_of, run_all

    block = {"methods": method, "datasets": dataset, "protocols": protocol, "seeds": seed,
             "variants": variant[0] if variant in (["all"], ["default"]) else variant}  # fmt: skip
    given = {name: values for name, values in block.items() if values}
    if file and (given or edition != "auto" or threads != 1):
        raise UserError(f"{file} says what to run; give a matrix file, or options that say it")
    matrix = files.read(file) if file else files.Matrix(
        edition=edition, threads=threads, cells=[files.Block.model_validate(given)]
    )  # fmt: skip
    jobs = files.expand(matrix, registry)

    threads = matrix.threads
    execution = choose_execution(
        device="auto", engine="auto", precision="fp32", batch_size=None, workers=threads
    )
    if workers is None:
        cores = os.cpu_count() or 1
        workers = max(1, cores // threads) if execution.device == "cpu" else 1
    messages = Console(stderr=True, soft_wrap=True, highlight=False)
    setup, places = Setup(registry, execution, runs, data_root), Places(runs / "matrix")
    plan = make_plan(
        jobs, setup, History(leaderboards, runs), again=again,
        notice=lambda text: messages.print(f"[bold yellow]{escape(text)}[/bold yellow]"),
    )  # fmt: skip
    if all(cell.state == "n/a" for planned in plan for cell in planned.cells):
        raise UserError(f"no cell can be had; the first: {plan[0].cells[0].why}")
    if dry_run:
        _print_plan(plan, workers, places)
        return

    waiting = [planned for planned in plan if planned.waiting]
    commands = [
        (planned, command_of(planned, setup, places, threads=threads, plugins=plugin))
        for planned in waiting
    ]
    counts = Counter(cell.state for planned in plan for cell in planned.cells)
    console = Console(soft_wrap=True, highlight=False)
    for planned in plan:
        for why, names in _refusals(planned).items():
            console.print(f"[dim]n/a     {_title(planned)}: {names}: {escape(why)}[/dim]")
    table = _LiveTable(console)
    ran = failed = errors = 0
    with (
        table,
        contextlib.closing(
            run_all(commands, LocalExecutor(workers), places, table.update)
        ) as outcomes,
    ):
        for number, outcome in enumerate(outcomes, 1):
            console.print(f"[dim]{number}/{len(commands)}[/dim] {_ended(outcome, places)}")
            ran += len(outcome.records)
            failed += len(outcome.planned.waiting) - len(outcome.records)
            errors += bool(outcome.error)
    console.print(f"cells: {counts['finished']} finished before, {counts['recorded']} recorded, "
                  f"{ran} run, {failed} failed, {counts['n/a']} n/a")  # fmt: skip
    if errors:
        raise typer.Exit(1)


def _print_plan(plan: Sequence[Planned], workers: int, places: Places) -> None:
    """Print each job with the states of its cells and how long it may take."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from bench.cli.tables import show
    from bench.matrix.plan import total_seconds
    from bench.matrix.running import Failure

    table = Table("job", "state", "protocols", "time", box=None)
    for planned in plan:
        title, states = _title(planned), dict.fromkeys(cell.state for cell in planned.cells)
        for state in states:
            if state == "n/a":
                continue
            names = ", ".join(c.protocol for c in planned.cells if c.state == state)
            failure = Failure.read(places.failed(planned.job)) if state == "to run" else None
            note = f"; failed at {failure.when}: {failure.error}" if failure else ""
            time_ = _estimate(planned) if state == "to run" else ""
            table.add_row(title, state, escape(names + note), time_)
        for why, names in _refusals(planned).items():
            table.add_row(title, "n/a", f"{names}: {escape(why)}", "")
    console = Console(soft_wrap=True, highlight=False)
    show(table, console)
    waiting = [planned for planned in plan if planned.waiting]
    counts = Counter(cell.state for planned in plan for cell in planned.cells)
    console.print("cells: " + ", ".join(f"{n} {state}" for state, n in counts.items()))
    unknown = sum(planned.estimate is None for planned in waiting)
    known = [f"≈{_duration(total_seconds(waiting, workers))}"] if unknown < len(waiting) else []
    known += [f"{unknown} of unknown time"] if unknown else []
    console.print(f"{len(waiting)} jobs to run, {workers} at once: {', '.join(known) or 'nothing'}")


class _LiveTable:
    """The jobs that run, redrawn while they do; nothing where the output is no terminal."""

    def __init__(self, console: Console) -> None:
        from rich.live import Live

        self._live = Live(console=console, transient=True, refresh_per_second=2)
        self._since: dict[Job, float] = {}

    def __enter__(self) -> None:
        if self._live.console.is_terminal:
            self._live.start()

    def update(self, running: list[Planned], waiting: int) -> None:
        """Show what runs, for how long, and how many jobs wait."""
        self._live.update(self._table(running, waiting))

    def _table(self, running: list[Planned], waiting: int) -> Table:
        from rich.table import Table

        now = time.monotonic()
        self._since = {job.job: self._since.get(job.job, now) for job in running}
        table = Table("job", "state", "elapsed", "expected", box=None)
        for planned in running[:SHOWN]:
            elapsed = _duration(now - self._since[planned.job])
            table.add_row(_title(planned), "running", elapsed, _estimate(planned))
        table.add_row(f"{waiting} more", "waiting")
        return table

    def __exit__(self, *_: object) -> None:
        self._live.stop()


def _title(planned: Planned) -> str:
    """Return the job in words, on the edition that it found."""
    from dataclasses import replace

    from rich.markup import escape

    return escape(replace(planned.job, dataset=planned.data).title)


def _refusals(planned: Planned) -> dict[str, str]:
    """Return the protocols that cannot be had, by why."""
    from rich.markup import escape

    found: dict[str, str] = {}
    for cell in planned.cells:
        if cell.state == "n/a":
            before = f"{found[cell.why]}, " if cell.why in found else ""
            found[cell.why] = before + escape(cell.protocol)
    return found


def _ended(outcome: Outcome, places: Places) -> str:
    """Return the line of a job that ended: its headline numbers, or why it failed."""
    from rich.markup import escape

    title, seconds = _title(outcome.planned), _duration(outcome.seconds)
    if outcome.error:
        log = places.log(outcome.planned.job)
        return f"[red]failed[/red]  {title}  {seconds}: {escape(f'{outcome.error} (see {log})')}"
    numbers = []
    for record in outcome.records:
        means = record.mean if len(record.tasks) > 1 else record.tasks[0].metrics
        numbers.append(f"{record.protocol} {record.headline} {means[record.headline].mean:.3f}")
    return f"[green]run[/green]     {title}  {seconds}  {escape(', '.join(numbers))}"


def _estimate(planned: Planned) -> str:
    if planned.estimate is None:
        return "unknown"
    return ("" if planned.estimate.exact else "≈") + _duration(planned.estimate.seconds)


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes}:{rest:02} min"
