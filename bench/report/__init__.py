"""The page of one run: its numbers beside the reported ones, its curves, some of its answers.

One HTML file that opens from a disk: pictures and plot are inside, and there are no scripts. It
stands in the run's folder and is for those who made the run; a dataset's licence decides whether
its pictures may go further.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from jinja2 import Environment, PackageLoader

from bench.catalog import BOX, Catalog
from bench.errors import DamagedImageError
from bench.leaderboard import MINI_WARNING
from bench.pictures import hash_order
from bench.records import MetricValue, Record
from bench.reported import Reported, beside
from bench.storage import write_text

FILE = "report.html"
QUERIES, ANSWERS = 12, 7  # of the page's examples
SIDE = 112  # pixels of the longer side of a picture


@dataclass(frozen=True)
class Picture:
    """A picture on the page; `relevant` is None for a query's own."""

    name: str
    data: str  # of a JPEG, base64
    relevant: bool | None


@dataclass(frozen=True)
class Line:
    """A line of a table: measured values of metrics, or reported ones, without intervals."""

    name: str
    queries: str
    gallery: str
    values: dict[str, MetricValue | float | None]


def write_report(
    folder: Path, record: Record, catalog: Catalog, reported: Sequence[Reported]
) -> Path:
    """Write the page of a run into its folder, which has its rankings, and return its path."""
    environment = Environment(loader=PackageLoader("bench", "report"), autoescape=True)
    page = environment.get_template("page.html").render(
        record=record,
        warning=MINI_WARNING.replace("*", "") if record.dataset.edition == "mini" else "",
        metrics=list(record.tasks[0].metrics),
        lines=[*_measured(record), *_reported(record, reported)],
        curves=_curves(record),
        examples=_examples(folder, record, catalog),
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


def _examples(folder: Path, record: Record, catalog: Catalog) -> list[list[Picture]]:
    """Return some queries, each with its first answers: the first in the order of their hashes.

    Nobody has chosen them, and they are the same for every method.
    """
    rows = {str(name): row for row, name in enumerate(catalog.images["id"])}
    table = pq.read_table(folder / "rankings.parquet", filters=[("rank", "<=", ANSWERS)])
    answers = table.to_pandas()
    asked = answers[["task", "query", "target"]].drop_duplicates()
    known = asked["query"].isin(rows) & asked["task"].isin(
        answers["task"][answers["gallery"].isin(rows)]  # where values are ranked there are none
    )
    asked = asked[known]
    names = [f"{task} {query} {target}" for task, query, target in asked.itertuples(index=False)]
    chosen = asked.iloc[hash_order(names)[:QUERIES]]
    found = []
    for task, query, target in chosen.itertuples(index=False):
        same = (answers["task"] == task) & (answers["query"] == query)
        same &= (answers["target"] == target) | (answers["target"].isna() & (target is None))
        ranked = answers[same].sort_values("rank")
        label = f"{query}: {task} = {target}" if target else str(query)
        of_one = [Picture(label, _thumbnail(catalog, rows[query]), None)]
        of_one += [
            Picture(str(name), _thumbnail(catalog, rows[name]), bool(relevant))
            for name, relevant in zip(ranked["gallery"], ranked["relevant"], strict=True)
        ]
        found.append(of_one)
    return found


def _thumbnail(catalog: Catalog, row: int) -> str:
    """Return a small picture of a row, cut to its box, as base64; "" where it cannot be read."""
    from torchvision.transforms.v2.functional import to_pil_image

    from bench.images import decode_inside

    facts = catalog.images.iloc[row]
    try:
        image = decode_inside(catalog.root / facts["path"], facts[list(BOX)].to_numpy(np.float32))
    except (DamagedImageError, OSError):
        return ""
    picture = to_pil_image(image)
    picture.thumbnail((SIDE, SIDE))
    with io.BytesIO() as encoded:
        picture.save(encoded, format="JPEG", quality=80)
        return base64.b64encode(encoded.getvalue()).decode()
