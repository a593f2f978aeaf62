"""`bench regions`: where a method sees each attribute, compared with where it is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli.options import DataRoot, PluginFiles, load_registry

if TYPE_CHECKING:
    from bench.regions import Measured


def command(
    run: Annotated[Path, typer.Argument(help="The folder of a finished run, or its record.json.")],
    data_root: DataRoot = None,
    plugin: PluginFiles = [],  # noqa: B006 (typer reads the default and never changes it)
) -> None:
    """Measure where a run's method sees attributes: size, overlap, IoU with where they are."""
    registry = load_registry(plugin)
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from bench import asking, regions
    from bench.cli.progress import Bar
    from bench.cli.tables import show
    from bench.run import Listener

    messages = Console(stderr=True, soft_wrap=True, highlight=False)
    with Bar("looking for regions", messages) as bar:

        def notice(text: str) -> None:
            messages.print(f"[bold yellow]{escape(text)}[/bold yellow]")

        opened = asking.open_run(
            run, registry, data_root=data_root, listener=Listener(notice, bar.update)
        )
        found = regions.measure(run, opened, bar.update)
    record = opened.record
    table = Table(title=f"{record.edition_name}  {record.method} {record.variant}")
    table.add_column("attribute")
    for header in ("share of the image", "images", "IoU with the true region",
                   "of a centred box of that size", "difference"):  # fmt: skip
        table.add_column(header, justify="right")
    for one in found.attributes:
        cells = [_cell(of) for of in (one.iou, one.centred, one.gain)]
        table.add_row(escape(one.attribute), f"{one.area:.2f}", f"{one.images:,}", *cells)
    console = Console(soft_wrap=True, highlight=False)
    show(table, console)
    console.print(f"{found.images:,} images")
    if found.between is not None:
        console.print(f"mean IoU of the regions of two attributes: {found.between:.2f}")
    if not any(one.images for one in found.attributes):
        console.print(f"{record.edition_name} does not say where attributes are")


def _cell(value: Measured | None) -> str:
    return "" if value is None else f"{value.mean:.3f} [{value.low:.3f}, {value.high:.3f}]"
