"""`bench run`: run a method on a dataset and print what came out."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from bench.cli.options import DataRoot, DatasetOptions, EditionName, PluginFiles, load_registry
from bench.cli.tables import show

if TYPE_CHECKING:
    from rich.table import Table

    from bench.records import MetricValue, Record, TaskResult
    from bench.run import Outcome


def command(
    method: Annotated[str, typer.Option(help="A method; `bench list methods` shows all.")],
    dataset: Annotated[str, typer.Option(help="A dataset; `bench list datasets` shows all.")],
    variant: Annotated[
        str, typer.Option(help="A variant of the method; its first if left out.")
    ] = "",
    protocol: Annotated[
        list[str], typer.Option(help="A protocol; all of the dataset's if left out; repeatable.")
    ] = [],  # noqa: B006 (typer reads the default and never changes it)
    metric: Annotated[
        list[str], typer.Option(help="A metric besides the protocol's own, as hit@3; repeatable.")
    ] = [],  # noqa: B006
    data_root: DataRoot = None,
    edition: EditionName = "auto",
    backbone: Annotated[str, typer.Option(help="Short for --set backbone=NAME.")] = "",
    weights: Annotated[
        str, typer.Option(help="pretrained, none, or a .safetensors file; for --set weights=.")
    ] = "",
    budget: Annotated[
        str,
        typer.Option(
            help="full, or a budget of the method, as small or mini; auto: mini on drawn data, "
            "where there is one."
        ),
    ] = "auto",
    recipe: Annotated[
        Path | None, typer.Option(help="A TOML file of recipe fields; --set goes before it.")
    ] = None,
    settings: Annotated[
        list[str],
        typer.Option("--set", help="FIELD=VALUE of the recipe; `bench show METHOD` lists them."),
    ] = [],  # noqa: B006
    options: DatasetOptions = [],  # noqa: B006
    attributes: Annotated[
        Path | None, typer.Option(help="Short for --option attributes=FILE.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of all that is drawn at random.")] = 0,
    device: Annotated[
        Literal["auto", "cpu", "cuda"], typer.Option(help="Where networks run.")
    ] = "auto",
    engine: Annotated[
        Literal["auto", "torch", "openvino"],
        typer.Option(help="auto: openvino on a CPU, torch on a GPU."),
    ] = "auto",
    precision: Annotated[
        Literal["fp32", "bf16"], typer.Option(help="Number format of training and extraction.")
    ] = "fp32",
    batch_size: Annotated[
        int | None,
        typer.Option(min=1, help="Images a batch in extraction; no effect on results."),
    ] = None,
    workers: Annotated[
        int, typer.Option(min=1, help="Threads that decode images; no effect on results.")
    ] = os.cpu_count() or 1,
    skip_damaged: Annotated[
        bool, typer.Option("--skip-damaged", help="Leave unreadable images out, and count them.")
    ] = False,
    checkpoint_minutes: Annotated[
        float, typer.Option(min=0, help="Minutes of training between checkpoints.")
    ] = 10.0,
    tensorboard: Annotated[
        bool, typer.Option("--tensorboard", help="Write losses for TensorBoard, too.")
    ] = False,
    runs: Annotated[Path, typer.Option(help="The folder of run folders.")] = Path("runs"),
    plugin: PluginFiles = [],  # noqa: B006
) -> None:
    """Run a method on a dataset: train, extract, rank, score, keep the record, print a table."""
    registry = load_registry(plugin)
    from rich.console import Console
    from rich.markup import escape

    from bench import run as flow
    from bench.cli.progress import Bar
    from bench.engines import choose_execution
    from bench.recipes import parse_settings

    short = [f"backbone={backbone}"] if backbone else []
    short += [f"weights={weights}"] if weights else []
    data_options = [f"attributes={attributes}"] if attributes else []
    execution = choose_execution(
        device=device, engine=engine, precision=precision, batch_size=batch_size, workers=workers
    )
    request = flow.Request(
        method=method,
        dataset=dataset,
        execution=execution,
        variant=variant,
        budget=budget,
        recipe_file=recipe,
        protocols=protocol,
        metrics=metric,
        settings=dict(parse_settings([*short, *settings])),
        edition=edition,
        options=dict(parse_settings([*data_options, *options], "--option")),
        data_root=data_root,
        runs=runs,
        seed=seed,
        skip_damaged=skip_damaged,
        checkpoint_minutes=checkpoint_minutes,
        tensorboard=tensorboard,
        command=shlex.join(["bench", *sys.argv[1:]]),
    )
    messages = Console(stderr=True, soft_wrap=True, highlight=False)
    with Bar("extracting features", messages) as bar:
        listener = flow.Listener(
            notice=lambda text: messages.print(f"[bold yellow]{escape(text)}[/bold yellow]"),
            progress=bar.update,
            training=bar.train,
        )
        outcomes = flow.run(request, registry, listener)
    if outcomes:  # of several processes, the first one has them
        show_outcomes(outcomes)


def show_outcomes(outcomes: list[Outcome]) -> None:
    """Print the table of each record and where it is."""
    from rich.console import Console
    from rich.markup import escape

    console = Console(soft_wrap=True, highlight=False)
    for outcome in outcomes:
        record = outcome.record
        show(_table(record), console)
        if record.dataset.damaged:
            console.print(f"images that cannot be read, left out: {record.dataset.damaged:,}")
        state = "finished before, not run again" if outcome.was_finished else "record"
        console.print(f"{state}: {escape(str(outcome.folder / 'record.json'))}\n")
    fresh = [outcome.record for outcome in outcomes if not outcome.was_finished]
    if fresh and fresh[-1].origin == "run":
        cost = fresh[-1].cost
        made = fresh[-1].provenance
        memory = cost.peak_memory_mib
        console.print(
            f"features at {cost.images_per_second:,.0f} images a second "
            f"({made.engine}, {made.precision}, {made.device})"
            + (f", peak memory {memory:,.0f} MiB" if memory else "")
        )
    if outcomes[0].record.dataset.edition == "mini":
        console.print("[bold yellow]drawn pictures: these numbers say nothing about real "
                      "photographs[/bold yellow]")  # fmt: skip


def _table(record: Record) -> Table:
    """Return the table of a record: its metrics, or with several tasks one row for each."""
    from rich.markup import escape
    from rich.table import Table

    first = record.tasks[0]
    made_by = f"{record.backbone.name}, {record.backbone.source}"
    name = record.method if record.variant == "default" else f"{record.method} {record.variant}"
    label = f"{name} ({made_by if record.origin == 'run' else 'rankings from a file'})"
    table = Table(
        title=escape(f"{record.edition_name}  {record.protocol}\n{label}"), caption_justify="left"
    )
    if len(record.tasks) > 1:
        _fill_with_tasks(table, record)
        return table
    table.caption = _sizes(first)
    by_category = any(value.category_mean is not None for value in first.metrics.values())
    headers = ["mean", "95 % interval", *([_BY_CATEGORY] if by_category else [])]
    table.add_column("metric")
    for header in headers:
        table.add_column(header, justify="right")
    for name, value in first.metrics.items():
        cells = [f"{value.mean:.4f}", f"{value.low:.4f} – {value.high:.4f}", _category_mean(value)]
        table.add_row(escape(name), *cells[: len(headers)])
    return table


_BY_CATEGORY = "mean over categories"


def _fill_with_tasks(table: Table, record: Record) -> None:
    """Fill in one row for each task, and one for each of the means over them."""
    from rich.markup import escape

    names, headline = list(record.tasks[0].metrics), record.headline
    mean = record.mean[headline]
    table.caption = (
        f"{len(record.tasks)} tasks; {escape(headline)} of the plain mean over them: "
        f"{mean.low:.4f} – {mean.high:.4f} (95 % interval)"
    )
    leading = [task.metrics[headline] for task in record.tasks]
    by_category = any(value.category_mean is not None for value in leading)
    headers = ["task", "queries", "candidates", *names]
    headers += [f"{headline}, {_BY_CATEGORY}"] if by_category else []
    for header in headers:
        table.add_column(escape(header), justify="left" if header == "task" else "right")

    def add(label: str, sizes: list[str], metrics: dict[str, MetricValue]) -> None:
        values = [f"{metrics[name].mean:.4f}" for name in names]
        cells = [escape(label), *sizes, *values, _category_mean(metrics[headline])]
        table.add_row(*cells[: len(headers)])

    for task in record.tasks:
        add(task.task, [f"{task.queries:,}", f"{task.gallery:,}"], task.metrics)
    table.add_section()
    add("plain mean over tasks", ["", ""], record.mean)
    if record.pooled:
        queries = sum(task.queries for task in record.tasks)
        add("mean over all queries", [f"{queries:,}", ""], record.pooled)


def _category_mean(value: MetricValue) -> str:
    return "" if value.category_mean is None else f"{value.category_mean:.4f}"


def _sizes(task: TaskResult) -> str:
    left_out = f", {task.uncounted:,} queries with none left out" if task.uncounted else ""
    return (
        f"{task.queries:,} queries, {task.gallery:,} gallery images, "
        f"{task.relevant_per_query:.1f} relevant a query{left_out}"
    )
