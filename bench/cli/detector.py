"""`bench train-detector`: learn to find garments from a dataset's boxes, and test it on others."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from bench.cli.options import (
    DataRoot,
    DatasetOptions,
    EditionName,
    PluginFiles,
    command_to_record,
    load_registry,
)


def command(
    detector: Annotated[str, typer.Argument(help="A detector; `bench list detectors` shows all.")],
    dataset: Annotated[str, typer.Option(help="A dataset whose images have boxes.")],
    variant: Annotated[
        str, typer.Option(help="A variant of the detector; its first if left out.")
    ] = "",
    data_root: DataRoot = None,
    edition: EditionName = "auto",
    budget: Annotated[
        str, typer.Option(help="full, or a budget of the detector; auto: mini on drawn data.")
    ] = "auto",
    settings: Annotated[
        list[str],
        typer.Option("--set", help="FIELD=VALUE of the recipe; `bench show DETECTOR` lists them."),
    ] = [],  # noqa: B006 (typer reads the default and never changes it)
    options: DatasetOptions = [],  # noqa: B006
    seed: Annotated[int, typer.Option(min=0, help="Seed of all that is drawn at random.")] = 0,
    workers: Annotated[int, typer.Option(min=1, help="Threads that look for garments.")] = (
        os.cpu_count() or 1
    ),
    runs: Annotated[Path, typer.Option(help="The folder of run folders.")] = Path("runs"),
    plugin: PluginFiles = [],  # noqa: B006
) -> None:
    """Train a detector, test it by average precision at an IoU of 0.7, and say where it is."""
    registry = load_registry(plugin)
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from bench.cli.progress import Bar
    from bench.cli.tables import show
    from bench.data import DataRequest
    from bench.detection.trained import train_detector
    from bench.recipes import parse_settings

    request = DataRequest(
        dataset=dataset,
        options=dict(parse_settings(options, "--option")),
        edition=edition,
        data_root=data_root,
        runs=runs,
        seed=seed,
        command=command_to_record(),
    )
    messages = Console(stderr=True, soft_wrap=True, highlight=False)
    with Bar(f"training {detector}", messages, "steps") as bar:
        trained = train_detector(
            request, registry, detector=detector, variant=variant, budget=budget,
            settings=dict(parse_settings(settings)), workers=workers,
            learning=bar.update, testing=bar.detect,
            notice=lambda text: messages.print(f"[bold yellow]{escape(text)}[/bold yellow]"),
        )  # fmt: skip
    facts = trained.facts
    table = Table(title=escape(f"{facts['dataset']}  detection\n{detector} {facts['variant']}"))
    for header in ("photographs of", "photographs", "garments", "AP at IoU 0.7", "95 % interval",
                   "AP at IoU 0.5"):  # fmt: skip
        table.add_column(header, justify="left" if header == "photographs of" else "right")
    for domain, found in trained.precision.items():
        strict, loose = found["0.7"], found["0.5"]
        table.add_row(
            escape(domain or "all"), f"{strict.photographs:,}", f"{strict.garments:,}",
            f"{strict.mean:.4f}", f"{strict.low:.4f} – {strict.high:.4f}", f"{loose.mean:.4f}",
        )  # fmt: skip
    console = Console(soft_wrap=True, highlight=False)
    show(table, console)
    console.print(f"detector: {escape(str(trained.folder))}")
    console.print("use it with: bench run … --crop detector --detector "
                  f"{escape(str(trained.folder))}")  # fmt: skip
    if facts["dataset"].endswith("@mini"):
        console.print("[bold yellow]drawn pictures: these numbers say nothing about real "
                      "photographs[/bold yellow]")  # fmt: skip
