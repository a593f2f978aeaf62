"""How a table is printed on a terminal."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table


def show(table: Table, console: Console) -> None:
    """Print a table and an empty line. Wider than the terminal it wraps there: no cell is ever cut.

    Its title stands above it on lines of its own, since rich would break it where the table ends.
    """
    from rich.console import Console

    untitled = copy(table)
    untitled.title = None
    wide = console.measure(untitled, options=console.options.update(width=1000)).maximum
    if table.title:
        console.print(table.title, style="table.title")
    Console(width=max(console.width, wide), highlight=False).print(untitled)
    console.print()
