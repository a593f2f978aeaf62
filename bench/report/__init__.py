"""The page of one run: its numbers beside the reported ones, its curves, some of its answers.

One HTML file that opens from a disk: pictures and plot are inside, and there are no scripts. It
stands in the run's folder and is for those who made the run; a dataset's licence decides whether
its pictures may go further.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, PackageLoader

from bench.catalog import Catalog
from bench.interfaces import FeatureExtractor
from bench.leaderboard import MINI_WARNING
from bench.records import MetricValue, Record
from bench.reported import Reported, beside
from bench.storage import write_text

FILE = "report.html"


@dataclass(frozen=True)
class Line:
    """A line of a table: measured values of metrics, or reported ones, without intervals."""

    name: str
    queries: str
    gallery: str
    values: dict[str, MetricValue | float | None]


def write_report(
    folder: Path, record: Record, catalog: Catalog, reported: Sequence[Reported],
    extractor: FeatureExtractor,
) -> Path:  # fmt: skip
    """Write the page of a run into its folder, which has its rankings, and return its path.

    Of an `extractor` that says where it sees attributes the page shows that too.
    """
    from bench.report.examples import examples  # torchvision, which must be asked after first

    environment = Environment(loader=PackageLoader("bench", "report"), autoescape=True)
    page = environment.get_template("page.html").render(
        record=record,
        warning=MINI_WARNING.replace("*", "") if record.dataset.edition == "mini" else "",
        metrics=list(record.tasks[0].metrics),
        lines=[*_measured(record), *_reported(record, reported)],
        curves=_curves(record),
        examples=examples(folder, catalog, extractor),
    )
    write_text(folder / FILE, page)
    return folder / FILE


def _measured(record: Record) -> list[Line]:
    lines = [
        Line(task.task, f"{task.queries:,}", f"{task.gallery:,}", {**task.metrics})
        for task in record.tasks
    ]
    if len(lines) > 1:
        lines.append(Line("plain mean over tasks", "", "", {**record.mean}))
        every = f"{sum(task.queries for task in record.tasks):,}"
        lines.append(Line("mean over all queries", every, "", {**record.pooled}))
    return lines


def _reported(record: Record, numbers: Sequence[Reported]) -> list[Line]:
    """Return a line for each dataset and task of what the paper reports."""
    found: dict[tuple[str, str], list[Reported]] = {}
    for dataset, of_one in beside(numbers, record).items():
        for number in of_one:
            found.setdefault((dataset, number.task), []).append(number)
    return [
        Line(
            f"reported on {' '.join(filter(None, (dataset, task)))} "
            f"({', '.join(dict.fromkeys(number.source for number in of_one))})",
            "" if of_one[0].queries is None else f"{of_one[0].queries:,}",
            "" if of_one[0].gallery is None else f"{of_one[0].gallery:,}",
            {number.metric: number.value for number in of_one},
        )
        for (dataset, task), of_one in found.items()
    ]


def _curves(record: Record) -> str:
    """Return a plot of the headline's values at every cut-off as SVG; "" where it has none."""
    name = record.headline.partition("@")[0]
    of_tasks = {task.task: task.curves[name] for task in record.tasks if name in task.curves}
    if not of_tasks:
        return ""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 3.2), layout="constrained")
    axes = figure.add_subplot(xlabel="k", ylabel=f"{name}@k", ylim=(0, 1))
    for task, values in of_tasks.items():
        axes.plot(range(1, len(values) + 1), values, label=task.replace("$", r"\$"), linewidth=1)
    if len(of_tasks) > 1:
        axes.legend(fontsize="x-small", ncols=2)
    axes.grid(alpha=0.3)
    drawn = io.StringIO()
    # the same bytes each time: no date, no random names
    with rc_context({"svg.hashsalt": "bench"}):
        figure.savefig(drawn, format="svg", metadata={"Date": None})
    text = drawn.getvalue()
    return text[text.index("<svg") :]
