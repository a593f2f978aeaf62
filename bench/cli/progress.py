"""A progress bar that appears with the first step and stays silent where nothing is done."""

from __future__ import annotations

from types import TracebackType

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
)


class Bar:
    """A bar on `console` (stderr if not given); `update(done, total)` starts and moves it.

    What it counts is named by `unit`; bytes are shown in megabytes.
    """

    def __init__(self, label: str, console: Console | None = None, unit: str = "images") -> None:
        self._unit = unit
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            DownloadColumn() if unit == "bytes" else MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(),
            console=console or Console(stderr=True),
        )
        self._label = label

    def __enter__(self) -> Bar:
        return self

    def update(self, done: int, total: int) -> None:
        """Show that `done` of `total` are done."""
        if not self._progress.task_ids:
            self._progress.add_task(self._label, total=total, rate="")
            self._progress.start()
        task = self._progress.tasks[0]
        size, unit = (1e6, "MB") if self._unit == "bytes" else (1, self._unit)
        rate = f"{done / task.elapsed / size:,.0f} {unit}/s" if task.elapsed else ""
        self._progress.update(task.id, completed=done, rate=rate)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._progress.task_ids:
            self._progress.stop()
