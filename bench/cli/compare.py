"""`bench compare`: which run is better, by how much, how surely and where."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bench.cli.tables import show

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from bench.comparison import Changed, Comparison, Difference, Part

SHOWN = 10  # categories and tasks of a table; the JSON file has all


def command(
    runs: Annotated[list[Path], typer.Argument(help="Run folders, or their record.json.")],
    metric: Annotated[
        list[str], typer.Option(help="A metric to compare; all in common if left out; repeatable.")
    ] = [],  # noqa: B006 (typer reads the default and never changes it)
    queries: Annotated[
        int, typer.Option(min=0, help="How many of the queries that changed most are shown.")
    ] = 10,
    fail_if_worse: Annotated[
        float | None,
        typer.Option(
            min=0,
            help="End with status 1 where a later run is worse than the first by more than this, "
            "in the headline metric or in each --metric.",
        ),
    ] = None,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Also write all of it to this JSON file.")
    ] = None,
) -> None:
    """Compare runs on the same queries: differences, how sure they are, and where they are.

    Runs that differ in nothing but the seed count as one, averaged over its seeds.
    """
    from rich.console import Console
    from rich.markup import escape

    from bench.comparison import compare
    from bench.storage import write_text

    found = compare(runs, metrics=metric, queries=queries)
    if json_file is not None:
        write_text(json_file, json.dumps(_plain(asdict(found)), indent=2) + "\n")
    console = Console(soft_wrap=True, highlight=False)
    _print(found, console)
    if fail_if_worse is not None:
        lost = found.worse(metric or [found.leading], fail_if_worse)
        messages = Console(stderr=True, soft_wrap=True, highlight=False)
        for difference in lost:
            messages.print(escape(_lost(difference, fail_if_worse)))
        if lost:
            raise typer.Exit(1)


def _lost(difference: Difference, threshold: float) -> str:
    return (
        f"{difference.metric} of {difference.second} is worse than that of {difference.first} by "
        f"more than {threshold:g}: {difference.difference:+.4f} "
        f"[{difference.low:+.4f}, {difference.high:+.4f}], p {_p(difference.p)}, "
        f"{_p(difference.p_holm)} after Holm"
    )


def _plain(value: Any) -> Any:
    """Return a JSON document with null for NaN, which JSON has no number for."""
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_plain(part) for part in value]
    return None if isinstance(value, float) and math.isnan(value) else value


def _print(found: Comparison, console: Console) -> None:
    """Print all of it; runs have capital letters, groups of runs small ones."""
    from rich.markup import escape

    from bench.statistics import letter

    names = {entry.name: letter(n).upper() for n, entry in enumerate(found.entries)}
    show(_scores(found, names), console)
    if found.left_out:
        left_out = ", ".join(found.left_out)
        console.print(escape(f"left out, since not all runs have them: {left_out}\n"))
    if found.differences:
        show(_differences(found, names), console)
    for changes in found.changes:
        pair = names[changes.first], names[changes.second]
        for what, parts in (("category", changes.categories), ("task", changes.tasks)):
            if parts:
                show(_parts(found.leading, pair, what, parts), console)
        if changes.queries:
            show(_queries(found.leading, pair, changes.queries), console)
    if found.edition.endswith("@mini"):
        console.print("[bold yellow]drawn pictures: these numbers say nothing about real "
                      "photographs[/bold yellow]")  # fmt: skip


def _table(title: str, caption: str, *columns: str) -> Table:
    """Return a table without rows; columns but the first two stand right, as numbers do."""
    from rich.markup import escape
    from rich.table import Table

    table = Table(title=escape(title), caption=escape(caption), caption_justify="left")
    for number, name in enumerate(columns):
        table.add_column(escape(name), justify="left" if number < 2 else "right")
    return table


def _scores(found: Comparison, names: Mapping[str, str]) -> Table:
    from rich.markup import escape

    several = any(len(entry.seeds) > 1 for entry in found.entries)
    table = _table(
        f"{found.edition}  {found.protocol}",
        f"{found.queries:,} queries. Runs that share a small letter do not differ significantly "
        "(0.05, permutation test, Holm).",
        "metric", "run", "mean", "95 % interval",
        *(["seeds", "deviation over seeds", "range over seeds"] if several else []), "group",
    )  # fmt: skip
    for metric, higher in found.higher_is_better.items():
        sign = -1 if higher else 1
        label = metric + ("" if higher else " (lower is better)")
        for entry in sorted(found.entries, key=lambda entry: sign * entry.scores[metric].mean):
            score = entry.scores[metric]
            seeds = [str(len(entry.seeds)), "", ""]
            if spread := score.seeds:
                seeds[1] = f"{spread.deviation:.4f}"
                seeds[2] = f"{spread.lowest:.4f} – {spread.highest:.4f}"
            table.add_row(
                escape(label), escape(f"{names[entry.name]}  {entry.name}"), f"{score.mean:.4f}",
                f"{score.low:.4f} – {score.high:.4f}", *(seeds if several else []), score.groups,
            )  # fmt: skip
            label = ""
        table.add_section()
    return table


def _differences(found: Comparison, names: Mapping[str, str]) -> Table:
    from rich.markup import escape

    table = _table(
        "differences",
        f"95 % paired bootstrap interval; two-sided p of a permutation test, alone and after "
        f"Holm's correction for {len(found.differences):,} comparisons",
        "metric", "runs", "difference", "95 % interval", "p", "p (Holm)",
    )  # fmt: skip
    for metric in found.higher_is_better:
        for difference in found.differences:
            if difference.metric == metric:
                table.add_row(
                    escape(metric), f"{names[difference.second]} - {names[difference.first]}",
                    f"{difference.difference:+.4f}",
                    f"{difference.low:+.4f} – {difference.high:+.4f}",
                    _p(difference.p), _p(difference.p_holm),
                )  # fmt: skip
        table.add_section()
    return table


def _p(p: float) -> str:
    return "<0.0001" if p < 0.0001 else f"{p:.4f}"


def _parts(metric: str, pair: tuple[str, str], what: str, parts: Sequence[Part]) -> Table:
    """Return the table of the categories or tasks in which two entries differ most."""
    from rich.markup import escape

    first, second = pair
    outcomes = Counter(part.second_is for part in parts)
    table = _table(
        f"{metric} by {what}: {second} against {first}",
        f"{second} is better in {outcomes['better']}, worse in {outcomes['worse']}, equal in "
        f"{outcomes['equal']}; no single {what} is tested"
        + (f"; the {SHOWN} largest differences" if len(parts) > SHOWN else ""),
        what, f"{second} is", "queries", first, second, "difference",
    )  # fmt: skip
    for part in parts[:SHOWN]:
        table.add_row(
            escape(part.name), part.second_is, f"{part.queries:,}", f"{part.first:.4f}",
            f"{part.second:.4f}", f"{part.second - part.first:+.4f}",
        )  # fmt: skip
    return table


def _queries(metric: str, pair: tuple[str, str], queries: Sequence[Changed]) -> Table:
    """Return the table of the queries that changed most."""
    from rich.markup import escape

    first, second = pair
    targets = any(query.target for query in queries)
    table = _table(
        f"queries that changed most in {metric}: {second} against {first}",
        "",
        "query", "task", *(["target"] if targets else []), first, second, "difference",
    )  # fmt: skip
    for query in queries:
        table.add_row(
            escape(query.query), escape(query.task), *([escape(query.target)] if targets else []),
            f"{query.first:.4f}", f"{query.second:.4f}", f"{query.second - query.first:+.4f}",
        )  # fmt: skip
    return table
