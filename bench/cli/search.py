"""`bench search`: one's own photograph against the gallery of a finished run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli.options import DataRoot, PluginFiles, load_registry

if TYPE_CHECKING:
    from bench.asking import Answers, Opened, Question
    from bench.panel import Shown


def command(
    run: Annotated[Path, typer.Argument(help="The folder of a finished run, or its record.json.")],
    photograph: Annotated[
        str, typer.Argument(help="An image file, or the id of an image of the data.")
    ],
    changes: Annotated[
        list[str],
        typer.Option("--set", help="ATTRIBUTE=VALUE that it shall have instead; repeatable."),
    ] = [],  # noqa: B006 (typer reads the default and never changes it)
    like: Annotated[
        list[str],
        typer.Option(help="Like it in this attribute alone; repeatable, step by step."),
    ] = [],  # noqa: B006
    keep: Annotated[
        int, typer.Option(min=1, help="So many of each step of --like go on to the next.")
    ] = 100,
    count: Annotated[int, typer.Option(min=1, help="How many are shown.")] = 12,
    picture: Annotated[Path, typer.Option(help="Where the picture goes.")] = Path("search.png"),
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Also write what was found to this JSON file.")
    ] = None,
    data_root: DataRoot = None,
    plugin: PluginFiles = [],  # noqa: B006
) -> None:
    """Search a run's gallery by a photograph, as it is or with other values of attributes."""
    registry = load_registry(plugin)
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from bench import asking
    from bench.cli.progress import Bar
    from bench.cli.tables import show
    from bench.panel import write_panel
    from bench.recipes import parse_settings
    from bench.run import Listener
    from bench.storage import write_text

    wanted = dict(parse_settings(changes))
    messages = Console(stderr=True, soft_wrap=True, highlight=False)
    with Bar("extracting features", messages) as bar:

        def notice(text: str) -> None:
            messages.print(f"[bold yellow]{escape(text)}[/bold yellow]")

        opened = asking.open_run(
            run, registry, data_root=data_root, listener=Listener(notice, bar.update)
        )
        question = asking.Question.of(opened, photograph)
        answers = asking.ask(
            opened, question, changes=wanted, like=like, keep=keep, count=count,
            notice=notice, progress=bar.update,
        )  # fmt: skip
    write_panel(picture, {
        _heading(photograph, wanted, like): asked(opened, question, answers),
        f"found in {opened.catalog.name}": found(opened, answers),
    })  # fmt: skip
    if json_file is not None:
        content = {
            "photograph": photograph, "set": wanted, "like": like, "seen": answers.seen,
            "found": [vars(answer) for answer in answers.found],
        }  # fmt: skip
        write_text(json_file, json.dumps(content, indent=2, allow_nan=False) + "\n")
    table = Table()
    for header in ("rank", "image", "score", "attributes"):
        table.add_column(header, justify="right" if header in {"rank", "score"} else "left")
    for answer in answers.found:
        attributes = ", ".join(f"{name} {value}" for name, value in answer.attributes.items())
        table.add_row(
            str(answer.rank), escape(answer.id), f"{answer.score:.4f}", escape(attributes)
        )
    console = Console(soft_wrap=True, highlight=False)
    show(table, console)
    console.print(f"picture: {escape(str(picture))}")


def _heading(photograph: str, changes: dict[str, str], like: list[str]) -> str:
    """Return what is asked, in words."""
    if changes:
        listed = ", ".join(f"{name} {value}" for name, value in changes.items())
        return f"as {photograph}, but with {listed}"
    return f"like {photograph}" + (f" in {', then in '.join(like)}" if like else "")


def asked(opened: Opened, question: Question, answers: Answers) -> list[Shown]:
    """Return the photograph, and where the method sees each attribute in it, if it can tell."""
    from bench.images import decode_inside
    from bench.panel import Shown
    from bench.regions import where_seen

    picture = decode_inside(question.file, question.box)
    seen = where_seen(opened.plan.extractor, question.file, question.box)
    if seen is None:
        return [
            Shown(picture, [(f"{name}: {value}", None) for name, value in answers.seen.items()])
        ]
    parts = [
        Shown(seen.picture, [(name, None), (answers.seen.get(name, ""), None)], heat, box)
        for name, (heat, box) in seen.of_each.items()
    ]
    return [Shown(picture, []), *parts]


def found(opened: Opened, answers: Answers) -> list[Shown]:
    """Return the pictures that were found; attributes that an answer needs are marked."""
    import numpy as np

    from bench.catalog import BOX
    from bench.images import decode_inside
    from bench.panel import Shown

    pictures = []
    for answer in answers.found:
        facts = opened.catalog.images.iloc[answer.row]
        box = facts[list(BOX)].to_numpy(np.float32)
        marks: list[tuple[str, bool | None]] = [(f"{answer.rank}. {answer.id}", None)]
        for name, value in answers.wanted.items():
            marks.append((f"{name}: {answer.attributes.get(name, 'unknown')}",
                          answer.attributes.get(name) == value))  # fmt: skip
        right = all(mark for _, mark in marks[1:]) if answers.wanted else None
        picture = decode_inside(opened.catalog.root / str(facts["path"]), box)
        pictures.append(Shown(picture, marks, frame=right))
    return pictures
