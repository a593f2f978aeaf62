"""A progress bar that appears with the first step and stays silent where nothing is done."""

from __future__ import annotations

from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn


class Bar:
    """A bar on `console`; `update(done, total)` starts and moves it."""

    def __init__(self, label: str, console: Console) -> None:
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(),
            console=console,
        )
        self._label = label

    def __enter__(self) -> Bar:
        return self

    def update(self, done: int, total: int) -> None:
        """Show that `done` of `total` images are done."""
        if not self._progress.task_ids:
            self._progress.add_task(self._label, total=total, rate="")
            self._progress.start()
        task = self._progress.tasks[0]
        rate = f"{done / task.elapsed:,.0f} images/s" if task.elapsed else ""
        self._progress.update(task.id, completed=done, rate=rate)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._progress.task_ids:
            self._progress.stop()
