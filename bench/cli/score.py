"""`bench score`: make a record of somebody's rankings, without running a model."""

from __future__ import annotations

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
    ranking: Annotated[
        Path, typer.Option(help="Rankings: .csv, .parquet, or a TREC run (.trec, .run, .txt).")
    ],
    dataset: Annotated[str, typer.Option(help="A dataset; `bench list datasets` shows all.")],
    method: Annotated[str, typer.Option(help="The name of what made the rankings.")],
    protocol: Annotated[
        str, typer.Option(help="The protocol; may be left out where the dataset has one.")
    ] = "",
    variant: Annotated[str, typer.Option(help="Its variant, for tables.")] = "default",
    backbone: Annotated[str, typer.Option(help="Its backbone, in words.")] = "not stated",
    trained_on: Annotated[
        str, typer.Option(help="What it was trained on, in words.")
    ] = "not stated",
    seed: Annotated[int, typer.Option(min=0, help="The seed it was trained with.")] = 0,
    metric: Annotated[
        list[str], typer.Option(help="A metric besides the protocol's own, as hit@3; repeatable.")
    ] = [],  # noqa: B006 (typer reads the default and never changes it)
    data_root: DataRoot = None,
    edition: EditionName = "auto",
    options: DatasetOptions = [],  # noqa: B006
    runs: Annotated[Path, typer.Option(help="The folder of run folders.")] = Path("runs"),
    plugin: PluginFiles = [],  # noqa: B006
) -> None:
    """Score rankings from a file: check them, keep the record, print a table."""
    registry = load_registry(plugin)
    from rich.console import Console
    from rich.markup import escape

    from bench import submissions
    from bench.cli.outcomes import show_outcomes
    from bench.ranking_files import RankingFile
    from bench.recipes import parse_settings

    submission = submissions.Submission(
        file=RankingFile(ranking),
        method=method,
        variant=variant,
        backbone=backbone,
        trained_on=trained_on,
        dataset=dataset,
        protocols=[protocol] if protocol else [],
        metrics=metric,
        options=dict(parse_settings(options, "--option")),
        edition=edition,
        data_root=data_root,
        runs=runs,
        seed=seed,
        command=command_to_record(),
    )
    messages = Console(stderr=True, soft_wrap=True, highlight=False)
    outcome = submissions.score(
        submission, registry,
        lambda text: messages.print(f"[bold yellow]{escape(text)}[/bold yellow]"),
    )  # fmt: skip
    show_outcomes([outcome])
