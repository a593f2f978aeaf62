"""The Markdown of a leaderboard: a page per protocol, the protocols of a dataset, the index."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import inf

from bench.leaderboard import row_names
from bench.leaderboard.rows import Row, Value, setting
from bench.records import Record
from bench.reported import Reported

MINI_WARNING = (
    "**Drawn pictures.** This page is of a mini edition, drawn by the program itself to show that "
    "an implementation works. It says nothing about real photographs."
)
MEAN = "plain mean"
RANKED = (
    "*rank*: the places that a row can have by {headline}. The first is 1 and how many rows are "
    "better beyond chance, the last leaves out how many are worse; a difference is beyond chance "
    "where the paired test of its queries gives p < 0.05 after Holm."
)
CELLS = (
    "Each measured value is the mean over queries with its 95 % bootstrap interval; of several "
    "seeds, the means of these, and after ± the standard deviation over the seeds. The best mean "
    "is bold; by {headline}, so is what may be as good (rank 1). Made from the records by "
    "`bench leaderboard build`; do not edit."
)
ByMethod = Mapping[str, Sequence[Reported]]


@dataclass(frozen=True)
class Table:
    """The rows of one protocol on one dataset edition, best first; `name` is that of its files."""

    name: str
    rows: list[Row]

    @property
    def first(self) -> Record:
        """The record of the best row; the rows share data, protocol and tasks."""
        return self.rows[0].first

    @property
    def records(self) -> list[Record]:
        """Every record, in the order of the rows and of their seeds."""
        return [one.record for row in self.rows for one in row.stored]

    @cached_property
    def names(self) -> list[str]:
        """The name of each row."""
        return row_names.names([row.first for row in self.rows])

    @property
    def partial(self) -> list[str]:
        """How much of the published data was there, for what was not there whole."""
        return [
            f"{here:,} of {published:,} {escaped(what)}"
            for what, (here, published) in self.first.dataset.coverage.items()
            if here != published
        ]


def page(table: Table, reported: ByMethod) -> str:
    """Return the page of a protocol."""
    first, headline = table.first, table.first.headline
    lines = [f"# {escaped(first.edition_name)}: {escaped(first.protocol)}", ""]
    if first.dataset.edition == "mini":
        lines += [MINI_WARNING, ""]
    if table.partial:
        lines += [f"Not all of the published data: {', '.join(table.partial)}.", ""]
    common = row_names.common_options([row.first for row in table.rows])
    if common:
        lines += [f"Read with {escaped(row_names.in_words(common))}.", ""]
    lines += [f"{_asked(first)} Protocol fingerprint `{first.protocol_fingerprint[:8]}`.", ""]
    lines += _metrics_table(table)
    if len(first.tasks) > 1:
        lines += [f"## {headline} of each task", "", *_tasks_table(table)]
    lines += _reported_table(table, reported)
    ranked = sum(row.rank is not None for row in table.rows)
    if ranked:
        lines += [RANKED.format(headline=headline), ""]
    if ranked < len(table.rows):
        lines += [f"*rank* – : values of queries are not kept ({len(table.rows) - ranked} of "
                  f"{len(table.rows)} rows); ranks are among the others.", ""]  # fmt: skip
    return "\n".join([*lines, CELLS.format(headline=headline), ""])


def _asked(record: Record) -> str:
    """Return how many queries and images a protocol has."""
    if len(record.tasks) > 1:
        queries = sum(task.queries for task in record.tasks)
        return (
            f"{len(record.tasks)} tasks, {queries:,} queries in all; each value is the plain mean "
            "over the tasks."
        )
    task = record.tasks[0]
    return (
        f"{task.queries:,} queries, {task.gallery:,} gallery images, {task.relevant_per_query:.1f} "
        f"relevant a query; {task.uncounted:,} queries without any relevant image are left out."
    )


def _metrics_table(table: Table) -> list[str]:
    """Return a table with a row per row and a column per metric."""
    values = [row.metrics for row in table.rows]
    names = list(dict.fromkeys(name for metrics in values for name in metrics))
    columns = {
        name: _cells([metrics.get(name) for metrics in values],
                     table.rows if name == table.first.headline else [])
        for name in names
    }  # fmt: skip
    rows = [
        [_rank(row), *method, *(columns[name][n] for name in names), *_cost_cells(row.first),
         ", ".join(map(str, row.seeds))]
        for n, (row, method) in enumerate(zip(table.rows, _method_cells(table), strict=True))
    ]  # fmt: skip
    header = ["rank", "method", "backbone", "weights", *map(escaped, names)]
    header += ["dimension", "parameters (M)", "GFLOP/image", "images/s", "seed"]
    return [markdown(rows, header), ""]


def _rank(row: Row) -> str:
    if row.rank is None:
        return "–"
    first, last = row.rank
    return f"{first}" if first == last else f"{first}–{last}"


def _cost_cells(record: Record) -> list[str]:
    """Return dimension, parameters, FLOPs and speed; a file of rankings tells none of them."""
    if record.origin == "ranking":
        return ["not stated"] * 3 + ["rankings from a file"]
    made = record.provenance
    return [
        f"{record.dimension:,}", f"{record.parameters / 1e6:.1f}",
        f"{record.flops_per_image / 1e9:.2f}",
        f"{record.cost.images_per_second:,.0f} ({made.engine} {made.precision}, {made.device})",
    ]  # fmt: skip


def _tasks_table(table: Table) -> list[str]:
    """Return a table of the headline metric with a row per row and a column per task."""
    first, headline = table.first, table.first.headline
    rows = [
        ["queries", "", *(f"{task.queries:,}" for task in first.tasks), ""],
        ["candidates", "", *(f"{task.gallery:,}" for task in first.tasks), ""],
    ]
    columns = [
        _cells([row.of_task(number, headline) for row in table.rows], [])
        for number in range(len(first.tasks))
    ]
    columns.append(_cells([row.leading for row in table.rows], table.rows))
    for n, (method, backbone, weights) in enumerate(_method_cells(table)):
        rows.append([method, f"{backbone}, {weights}", *(column[n] for column in columns)])
    header = ["method", "backbone", *(escaped(task.task) for task in first.tasks), MEAN]
    return [markdown(rows, header), ""]


def _reported_table(table: Table, reported: ByMethod) -> list[str]:
    """Return what papers report of these methods on these data: a row per variant.

    Its columns are tasks, for the headline metric, or metrics where there is one task. Beside a
    number of the same data stands how much more was measured here.
    """
    first = table.first
    several, known = len(first.tasks) > 1, {*first.tasks[0].metrics}
    numbers = [
        (method, number)
        for method in sorted({row.first.method for row in table.rows})
        for number in reported.get(method, ())
        if (number.dataset, number.protocol) == (first.dataset.name, first.protocol)
        and (number.metric == first.headline if several else number.metric in known)
    ]
    if not numbers:
        return []
    own = [task.task for task in first.tasks] if several else list(first.tasks[0].metrics)
    found: dict[tuple[str, str], dict[str, str]] = {}
    for method, number in numbers:
        name = " ".join([method, *([number.variant] if number.variant != "default" else [])])
        column = (number.task or MEAN) if several else number.metric
        text = f"{number.value:.3f}"
        if first.dataset.edition == "full":
            here = measured(table, method, number)
            text += " (not measured)" if here is None else f" ({here - number.value:+.3f} here)"
        found.setdefault((name, number.source), {})[column] = text
    given = dict.fromkeys(column for cells in found.values() for column in cells)
    columns = [column for column in own if column in given]
    columns += [column for column in given if column not in columns and column != MEAN]
    columns += [MEAN] if MEAN in given else []
    rows = [
        [escaped(name), *(cells.get(column, "") for column in columns), escaped(source)]
        for (name, source), cells in found.items()
    ]
    sizes = sorted({(number.queries, number.gallery) for _, number in numbers}, key=str)
    asked = "; ".join(
        f"{'an unknown number of' if queries is None else f'{queries:,}'} queries, "
        f"{'an unknown number of' if gallery is None else f'{gallery:,}'} gallery images"
        for queries, gallery in sizes
    )
    return [
        f"## {first.headline if several else 'Numbers'} as papers report "
        f"{'it' if several else 'them'}",
        "",
        f"By the papers themselves, on the published data: {asked}."
        + (" Other images than above, so these rows compare with each other alone." if (
            first.dataset.edition == "mini" or table.partial) else ""),
        "",
        markdown(rows, ["method", *map(escaped, columns), "source"]),
        "",
    ]  # fmt: skip


def measured(table: Table, method: str, number: Reported) -> float | None:
    """Return what the method's best row measured of a reported number; None where none did.

    A row of the paper's own recipe goes before one of a budget.
    """
    own = [row for row in table.rows
           if (row.first.method, row.first.variant) == (method, number.variant)]  # fmt: skip
    for row in sorted(own, key=lambda row: row.first.budget != "full"):
        if number.metric == "dimension":
            return row.first.dimension
        tasks = [task.task for task in row.first.tasks]
        found = row.metrics.get(number.metric)
        if number.task:
            known = number.task in tasks
            found = row.of_task(tasks.index(number.task), number.metric) if known else None
        if found is not None:
            return found.mean
    return None


def _method_cells(table: Table) -> list[list[str]]:
    """Return method, backbone, with the paper's where this is another, and weights of each row."""
    cells = []
    for row, name in zip(table.rows, table.names, strict=True):
        backbone = row.first.backbone
        published = backbone.substitute_for
        shown = backbone.name + (f" (substitute for {published})" if published else "")
        cells.append([escaped(name), escaped(shown), escaped(backbone.source)])
    return cells


def _cells(values: Sequence[Value | None], tied: Sequence[Row]) -> list[str]:
    """Return the cells of a column; bold are the best mean and the `tied` rows that tie with it."""
    best = max((value.score for value in values if value), default=-inf)
    with_best = [row.rank is not None and row.rank[0] == 1 for row in tied] or [False] * len(values)
    return [
        _cell(value, bold=value is not None and -inf < value.score
              and (value.score == best or ties))
        for value, ties in zip(values, with_best, strict=True)
    ]  # fmt: skip


def _cell(value: Value | None, *, bold: bool) -> str:
    if value is None:
        return "not measured"
    mean = f"**{value.mean:.3f}**" if bold else f"{value.mean:.3f}"
    over_seeds = "" if value.deviation is None else f" ± {value.deviation:.3f}"
    return f"{mean}{over_seeds} [{value.low:.3f}, {value.high:.3f}]"


def side_by_side(of_dataset: Sequence[Table]) -> str:
    """Return the page of a dataset edition: the headline of each of its protocols, side by side."""
    first = of_dataset[0].first
    lines = [f"# {escaped(first.edition_name)}", ""]
    if first.dataset.edition == "mini":
        lines += [MINI_WARNING, ""]
    sizes: list[list[str]] = [["queries", "", ""], ["gallery images", "", ""]]
    named: dict[tuple[object, ...], list[str]] = {}
    found: dict[tuple[object, ...], list[str]] = {}
    for number, table in enumerate(of_dataset):
        tasks = table.first.tasks
        ends = dict.fromkeys(pick(task.gallery for task in tasks) for pick in (min, max))
        sizes[0].append(f"{sum(task.queries for task in tasks):,}")
        sizes[1].append("–".join(f"{size:,}" for size in ends))
        cells = _cells([row.leading for row in table.rows], table.rows)
        for row, method, cell in zip(table.rows, _method_cells(table), cells, strict=True):
            # not by name: random weights and another precision have the same one
            key = setting(row.first)
            named.setdefault(key, method)
            found.setdefault(key, [""] * len(of_dataset))[number] = f"{_rank(row)}: {cell}"
    header = ["method", "backbone", "weights"]
    header += [f"[{escaped(table.first.protocol)}]({table.name}.md): "
               f"{escaped(table.first.headline)}" for table in of_dataset]  # fmt: skip
    rows = sizes + sorted([*named[key], *cells] for key, cells in found.items())
    lines += [
        "Each protocol's headline after its rank; queries and galleries differ, so numbers compare "
        "within a column alone. Of several tasks, the queries are those of all, the galleries from "
        "the smallest to the largest.",
        "",
    ]
    return "\n".join([*lines, markdown(rows, header), ""])


def in_index(table: Table, folder: str) -> list[object]:
    """Return a table's line of the index; `folder` is that of its edition."""
    return [
        f"[{escaped(table.first.edition_name)}]({folder}/README.md)",
        f"[{escaped(table.first.protocol)}]({folder}/{table.name}.md)",
        f"[csv]({folder}/{table.name}.csv)",
        sum(len(row.stored) for row in table.rows),
    ]


def index(rows: Sequence[Sequence[object]], papers: Sequence[str]) -> str:
    """Return the list of tables of these lines; `papers` are the pages about papers there are."""
    lines = [
        "# Leaderboards",
        "",
        "Tables made from the records beside them by `bench leaderboard build`; "
        "`bench leaderboard check` fails when one differs. Tables of a mini edition are of drawn "
        "pictures and say nothing about real photographs.",
        "",
    ]
    about = {"reported": "numbers of papers, beside what was measured here",
             "claims": "what papers claim, and what the records say of it"}  # fmt: skip
    lines += [f"- [{about[name]}]({name}.md), [csv]({name}.csv)" for name in papers]
    lines += ["- [the records](records.csv), of which the other CSV files name `record`", ""]
    return "\n".join([*lines, markdown(rows, ["data", "protocol", "", "records"]), ""])


def escaped(text: str) -> str:
    """Return text that can make no HTML, no link or picture, and no column or line of a table."""
    one_line = " ".join(text.split())
    return html.escape(one_line, quote=False).replace("](", "]\\(").replace("|", "\\|")


def markdown(rows: Sequence[Sequence[object]], header: Sequence[str]) -> str:
    """Return a table in Markdown; cells are text already.

    They are not padded: one longer cell would change every line and hide what else changed.
    """
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(map(str, cells))} |" for cells in lines)
