"""What is printed of finished runs: their tables, what a paper reports beside them, and places."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from bench.cli.tables import show

if TYPE_CHECKING:
    from rich.table import Table

    from bench.records import MetricValue, Record, TaskResult
    from bench.reported import Reported
    from bench.run import Outcome


def show_outcomes(outcomes: list[Outcome], reported: Sequence[Reported] = ()) -> None:
    """Print the table of each record, with the numbers that its paper reports, and where it is."""
    from rich.console import Console
    from rich.markup import escape

    from bench.report import FILE

    console = Console(soft_wrap=True, highlight=False)
    for outcome in outcomes:
        record = outcome.record
        show(_table(record, reported), console)
        if record.dataset.damaged:
            console.print(f"images that cannot be read, left out: {record.dataset.damaged:,}")
        state = "finished before, not run again" if outcome.was_finished else "record"
        console.print(f"{state}: {escape(str(outcome.folder / 'record.json'))}")
        if (outcome.folder / FILE).is_file():
            console.print(f"report: {escape(str(outcome.folder / FILE))}")
        console.print()
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


def _table(record: Record, reported: Sequence[Reported] = ()) -> Table:
    """Return the table of a record: its metrics, or with several tasks one row for each."""
    from rich.markup import escape
    from rich.table import Table

    from bench.reported import beside

    first = record.tasks[0]
    made_by = f"{record.backbone.name}, {record.backbone.source}"
    name = record.method if record.variant == "default" else f"{record.method} {record.variant}"
    label = f"{name} ({made_by if record.origin == 'run' else 'rankings from a file'})"
    table = Table(
        title=escape(f"{record.edition_name}  {record.protocol}\n{label}"), caption_justify="left"
    )
    if len(record.tasks) > 1:
        _fill_with_tasks(table, record, beside(reported, record))
        return table
    table.caption = _sizes(first)
    by_category = any(value.category_mean is not None for value in first.metrics.values())
    papers = beside(reported, record)
    headers = ["mean", "95 % interval", *([_BY_CATEGORY] if by_category else [])]
    table.add_column("metric")
    for header in [*headers, *(f"reported on {dataset}" for dataset in papers)]:
        table.add_column(escape(header), justify="right")
    for name, value in first.metrics.items():
        cells = [f"{value.mean:.4f}", f"{value.low:.4f} – {value.high:.4f}", _category_mean(value)]
        cells = cells[: len(headers)] + [_reported(found, name) for found in papers.values()]
        table.add_row(escape(name), *cells)
    return table


_BY_CATEGORY = "mean over categories"


def _fill_with_tasks(
    table: Table, record: Record, papers: Mapping[str, Sequence[Reported]]
) -> None:
    """Fill in one row for each task, each mean over them, and each dataset of a paper."""
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
    of_tasks = {name: found for name, found in papers.items() if any(n.task for n in found)}
    for header in [*headers, *(f"{headline} reported on {name}" for name in of_tasks)]:
        table.add_column(escape(header), justify="left" if header == "task" else "right")

    def add(
        label: str, sizes: list[str], metrics: dict[str, MetricValue], task: str | None = None
    ) -> None:
        values = [f"{metrics[name].mean:.4f}" for name in names]
        cells = [escape(label), *sizes, *values, _category_mean(metrics[headline])]
        of_papers = [_reported(found, headline, task) for found in of_tasks.values()]
        table.add_row(*cells[: len(headers)], *of_papers)

    for task in record.tasks:
        add(task.task, [f"{task.queries:,}", f"{task.gallery:,}"], task.metrics, task.task)
    table.add_section()
    add("plain mean over tasks", ["", ""], record.mean, "")
    if record.pooled:
        queries = sum(task.queries for task in record.tasks)
        add("mean over all queries", [f"{queries:,}", ""], record.pooled)
    for dataset, found in papers.items():
        if dataset in of_tasks:
            continue
        table.add_section()
        cells = [_reported(found, name) for name in names]
        table.add_row(escape(f"reported on {dataset}"), "", "", *cells, style="italic")


def _reported(numbers: Sequence[Reported], metric: str, task: str | None = "") -> str:
    """Return the first number of a metric on a task, "" being all tasks; "" for none."""
    return next((f"{n.value:.3f}" for n in numbers if (n.metric, n.task) == (metric, task)), "")


def _category_mean(value: MetricValue) -> str:
    return "" if value.category_mean is None else f"{value.category_mean:.4f}"


def _sizes(task: TaskResult) -> str:
    left_out = f", {task.uncounted:,} queries with none left out" if task.uncounted else ""
    return (
        f"{task.queries:,} queries, {task.gallery:,} gallery images, "
        f"{task.relevant_per_query:.1f} relevant a query{left_out}"
    )
