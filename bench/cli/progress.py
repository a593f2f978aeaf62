"""A progress bar that appears with the first step and stays silent where nothing is done."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    Task,
    TextColumn,
    TimeRemainingColumn,
)

if TYPE_CHECKING:
    from bench.run import Listener
    from bench.training.plan import Progress as Training


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
        task = self._task(self._label, total)
        size, unit = (1e6, "MB") if self._unit == "bytes" else (1, self._unit)
        rate = f"{done / task.elapsed / size:,.0f} {unit}/s" if task.elapsed else ""
        self._progress.update(task.id, completed=done, rate=rate)

    def detect(self, done: int, total: int) -> None:
        """Show in how many images a detector has looked for garments."""
        task = self._task("finding garments", total)
        rate = f"{done / task.elapsed:,.1f} images/s" if task.elapsed else ""
        self._progress.update(task.id, completed=done, rate=rate)

    def train(self, now: Training) -> None:
        """Show how far a stage of training is, its losses and its speed."""
        task = self._task(f"training {escape(now.stage)}", now.steps)
        losses = ", ".join(f"{name} {value:.4g}" for name, value in now.losses.items())
        self._progress.update(
            task.id, completed=now.step,
            rate=f"epoch {now.epoch}/{now.epochs}  {escape(losses)}  "
            f"{now.images_per_second:,.0f} images/s",
        )  # fmt: skip

    def _task(self, label: str, total: int) -> Task:
        """Return the line of what is under way, a new one where there is none."""
        tasks = self._progress.tasks
        if not tasks or tasks[-1].description != label or tasks[-1].finished:
            if not tasks:
                self._progress.start()
            self._progress.add_task(label, total=total, rate="")
        return self._progress.tasks[-1]

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._progress.task_ids:
            self._progress.stop()


@contextmanager
def shown_progress() -> Iterator[Listener]:
    """Yield what tells of a run under way on stderr: notices, and bars of what takes long."""
    from bench.run import Listener

    messages = Console(stderr=True, soft_wrap=True, highlight=False)
    with Bar("extracting features", messages) as bar:
        yield Listener(
            notice=lambda text: messages.print(f"[bold yellow]{escape(text)}[/bold yellow]"),
            progress=bar.update,
            training=bar.train,
            detection=bar.detect,
        )
