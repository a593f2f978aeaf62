"""`bench run`: run a method on a dataset and print what came out."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Literal

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
    crop: Annotated[
        Literal["box", "detector", "full"],
        typer.Option(help="What of an image is compared: the data's box, a detector's, or all."),
    ] = "box",
    detector: Annotated[
        Path | None, typer.Option(help="The folder of `bench train-detector`, for that crop.")
    ] = None,
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
    from bench import run as flow
    from bench.cli.outcomes import show_outcomes
    from bench.cli.progress import shown_progress
    from bench.engines import choose_execution
    from bench.recipes import parse_settings
    from bench.reported import reported_of

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
        crop=crop,
        detector=detector,
        skip_damaged=skip_damaged,
        checkpoint_minutes=checkpoint_minutes,
        tensorboard=tensorboard,
        command=command_to_record(),
    )
    with shown_progress() as listener:
        outcomes = flow.run(request, registry, listener)
    if outcomes:  # of several processes, the first one has them
        show_outcomes(outcomes, reported_of(registry, registry.method(method)))
