"""From records to tables: the same bytes each time, on every machine.

    leaderboards/
      records/<dataset>@<edition>/<protocol>/<method>--<variant>--<backbone>--seed<n>-….json
      <dataset>@<edition>/<protocol>.md and .csv      made from the records of that folder
      README.md                                       the list of tables

Nothing but `build` writes a table. Records of two protocol fingerprints never share one.
"""

from __future__ import annotations

import csv
import html
import io
from collections.abc import Callable, Iterable, Sequence
from math import isnan, nan
from pathlib import Path

from tabulate import tabulate

from bench import row_names
from bench.errors import RecordError
from bench.records import MetricValue, Record, TaskResult, as_folder, finished
from bench.reported import Reported
from bench.storage import write_text

MINI_WARNING = (
    "**Drawn pictures.** This table is of a mini edition, drawn by the program itself to show that "
    "an implementation works. It says nothing about real photographs."
)
MEAN = "plain mean"
ReportedOf = Callable[[str], Sequence[Reported]]
COLUMNS = (  # of the CSV files, one row per record, task and metric
    "dataset edition protocol protocol_fingerprint origin method variant budget settings "
    "backbone substitute_for weights "
    "seed task queries gallery uncounted metric mean low high category_mean dimension "
    "parameters flops_per_image engine precision images_per_second git_commit git_clean "
    "digest"
).split()


def record_place(folder: Path, record: Record) -> Path:
    """Return where a record stands below `folder`, by its content alone."""
    parts = (record.method, record.variant, record.backbone.name, f"seed{record.seed}")
    name = as_folder("--".join(parts)) + f"-{record.digest[:8]}.json"
    return folder / "records" / as_folder(record.edition_name) / as_folder(record.protocol) / name


def add(folder: Path, source: Path, *, replace: bool) -> Path:
    """Copy the record of a run (its folder or record.json) below `folder` and return its place.

    Raises `RecordError` for a record that was altered, that has another protocol fingerprint than
    those it would stand beside, or whose setting has a record already (unless `replace`).
    """
    run = source if source.is_dir() else source.parent
    record = finished(run)
    if record is None:
        raise RecordError(
            f"{source} is not a finished run; expected a folder with record.json and DONE"
        )
    place = record_place(folder, record)
    superseded = []
    for path, other in _read_all(place.parent):
        if other.protocol_fingerprint != record.protocol_fingerprint:
            raise RecordError(
                f"{source} has protocol fingerprint {record.protocol_fingerprint[:8]}, "
                f"{path.name} has {other.protocol_fingerprint[:8]}: other queries, gallery or "
                "relevance under one name; they cannot share a table"
            )
        if _setting(other) == _setting(record) and path != place:
            superseded.append(path)
    if superseded and not replace:
        raise RecordError(
            f"{superseded[0]} is a record of the same setting; put this one in its place "
            "with --replace"
        )
    write_text(place, record.to_json())
    for path in superseded:
        path.unlink()
    return place


def build(folder: Path, reported: ReportedOf) -> dict[Path, str]:
    """Return the text of every file that the records below `folder` determine.

    `reported(method)` are the numbers that the method's paper reports; where a table has a record
    of the method, those of the same data and protocol stand below it.
    """
    files: dict[Path, str] = {}
    index = []
    records = folder / "records"
    for protocol in sorted(path for path in records.glob("*/*") if path.is_dir()):
        found = [record for _, record in _read_all(protocol)]
        if not found:
            continue
        if len({record.protocol_fingerprint for record in found}) > 1:
            raise RecordError(f"{protocol} holds records of several protocol fingerprints")
        place = folder / protocol.parent.name / protocol.name
        ordered = sorted(found, key=_rank)
        files[place.with_name(f"{place.name}.md")] = _markdown(ordered, reported)
        files[place.with_name(f"{place.name}.csv")] = _csv(ordered)
        index.append((ordered[0], len(ordered), place.relative_to(folder).as_posix()))
    files[folder / "README.md"] = _index(index)
    return files


def check(folder: Path, reported: ReportedOf) -> list[str]:
    """Return what does not hold between the records and the tables; nothing if all does.

    `reported` is as for `build`.
    """
    problems = []
    for path, record in _read_all(folder / "records"):
        place = record_place(folder, record)
        if path != place:
            problems.append(f"{path}: its content belongs at {place}; was it edited?")
    expected = build(folder, reported)
    for path, text in expected.items():
        if not path.is_file():
            problems.append(f"{path}: missing; run `bench leaderboard build`")
        elif path.read_bytes() != text.encode():
            problems.append(f"{path}: differs from its records; run `bench leaderboard build`")
    problems += [
        f"{path}: no record stands behind this table"
        for path in sorted(tables(folder) - {*expected})
    ]
    return problems


def tables(folder: Path) -> set[Path]:
    """Return the tables that lie below `folder`."""
    return {
        path
        for path in folder.glob("*@*/*")
        if path.suffix in {".md", ".csv"} and path.parent.parent == folder
    }


def _read_all(folder: Path) -> Iterable[tuple[Path, Record]]:
    for path in sorted(folder.rglob("*.json")):
        yield path, Record.read(path)


def _setting(record: Record) -> tuple[object, ...]:
    """Return what makes two records results of one experiment."""
    made = record.provenance
    recipe = repr(sorted(record.recipe.items()))
    options = repr(sorted(record.dataset.options.items()))
    setting = (record.method, record.variant, recipe, record.backbone.weights, record.seed, options)
    return (*setting, made.engine, made.precision, made.device)


def _rank(record: Record) -> tuple[object, ...]:
    leading = _with_means(record)[0].metrics.get(record.headline)
    score = _score(leading) if leading and not isnan(leading.mean) else float("-inf")
    return (-score, record.method, record.variant, record.backbone.name, record.seed, record.digest)


def _score(value: MetricValue) -> float:
    """Return the mean such that higher is better."""
    return value.mean if value.higher_is_better else -value.mean


def _escape(text: str) -> str:
    return html.escape(text).replace("|", "\\|")


def _markdown(records: list[Record], reported: ReportedOf) -> str:
    first = records[0]
    lines = [f"# {_escape(first.edition_name)}: {_escape(first.protocol)}", ""]
    if first.dataset.edition == "mini":
        lines += [MINI_WARNING, ""]
    partial = _partial(first)
    if partial:
        lines += [f"Not all of the published data: {', '.join(partial)}.", ""]
    common = row_names.common_options(records)
    if common:
        lines += [f"Read with {_escape(row_names.in_words(common))}.", ""]
    if len(first.tasks) == 1:
        task = first.tasks[0]
        lines += [
            f"{task.queries:,} queries, {task.gallery:,} gallery images, "
            f"{task.relevant_per_query:.1f} relevant a query; {task.uncounted:,} queries without "
            "any relevant image are left out. "
            f"Protocol fingerprint `{first.protocol_fingerprint[:8]}`.",
            "",
            *_metrics_table(records, [record.tasks[0].metrics for record in records]),
        ]
    else:
        lines += [
            f"{len(first.tasks)} tasks; each value is the plain mean over them. "
            f"Protocol fingerprint `{first.protocol_fingerprint[:8]}`.",
            "",
            *_metrics_table(records, [record.mean for record in records]),
            f"## {first.headline} of each task",
            "",
            *_tasks_table(records),
        ]
    lines += _reported_table(records, reported)
    lines += [
        "Each measured value is the mean over queries with its 95 % bootstrap interval; best mean "
        "in bold. Made from the records by `bench leaderboard build`; do not edit.",
        "",
    ]
    return "\n".join(lines)


def _partial(record: Record) -> list[str]:
    """Return how much of the published data was there, for what was not there whole."""
    return [
        f"{here:,} of {published:,} {_escape(what)}"
        for what, (here, published) in record.dataset.coverage.items()
        if here != published
    ]


def _metrics_table(records: list[Record], values: list[dict[str, MetricValue]]) -> list[str]:
    """Return a table with a row per record and a column per metric."""
    names = list(dict.fromkeys(name for metrics in values for name in metrics))
    best = {name: _best([metrics.get(name) for metrics in values]) for name in names}
    rows = []
    for record, method, metrics in zip(records, _method_cells(records), values, strict=True):
        rows.append(
            [*method, *(_cell(metrics.get(n), best[n]) for n in names),
             *_cost_cells(record), record.seed]
        )  # fmt: skip
    header = ["method", "backbone", "weights", *names]
    header += ["dimension", "parameters (M)", "GFLOP/image", "extraction", "seed"]
    return [tabulate(rows, header, tablefmt="github", disable_numparse=True), ""]


def _cost_cells(record: Record) -> list[str]:
    """Return dimension, parameters, FLOPs and extraction; a file of rankings tells none of them."""
    if record.origin == "ranking":
        return ["not stated"] * 3 + ["rankings from a file"]
    made = record.provenance
    return [
        f"{record.dimension:,}", f"{record.parameters / 1e6:.1f}",
        f"{record.flops_per_image / 1e9:.2f}", f"{made.engine} {made.precision}",
    ]  # fmt: skip


def _tasks_table(records: list[Record]) -> list[str]:
    """Return a table of the headline metric with a row per record and a column per task."""
    first, headline = records[0], records[0].headline
    rows = [
        ["queries", "", *(f"{task.queries:,}" for task in first.tasks), ""],
        ["candidates", "", *(f"{task.gallery:,}" for task in first.tasks), ""],
    ]
    of_each = [
        [*(task.metrics.get(headline) for task in record.tasks), record.mean.get(headline)]
        for record in records
    ]
    best = [_best(values) for values in zip(*of_each, strict=True)]
    methods = _method_cells(records)
    for record, (method, backbone, weights), values in zip(records, methods, of_each, strict=True):
        cells = [_cell(*pair) for pair in zip(values, best, strict=True)]
        rows.append([f"{method}, seed {record.seed}", f"{backbone}, {weights}", *cells])
    header = ["method", "backbone", *(_escape(task.task) for task in first.tasks), MEAN]
    return [tabulate(rows, header, tablefmt="github", disable_numparse=True), ""]


def _reported_table(records: list[Record], reported: ReportedOf) -> list[str]:
    """Return what papers report of these methods on these data: a row per variant.

    Its columns are tasks, for the headline metric, or metrics where there is one task.
    """
    first = records[0]
    several, known = len(first.tasks) > 1, {*first.tasks[0].metrics}
    numbers = [
        (method, number)
        for method in sorted({record.method for record in records})
        for number in reported(method)
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
        found.setdefault((name, number.source), {})[column] = f"{number.value:.3f}"
    given = dict.fromkeys(column for cells in found.values() for column in cells)
    columns = [column for column in own if column in given]
    columns += [column for column in given if column not in columns and column != MEAN]
    columns += [MEAN] if MEAN in given else []
    rows = [
        [_escape(name), *(cells.get(column, "") for column in columns), _escape(source)]
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
            first.dataset.edition == "mini" or _partial(first)) else ""),
        "",
        tabulate(rows, ["method", *map(_escape, columns), "source"], tablefmt="github",
                 disable_numparse=True),
        "",
    ]  # fmt: skip


def _method_cells(records: list[Record]) -> list[list[str]]:
    """Return method, backbone, with the paper's where this is another, and weights of each."""
    cells = []
    for record, name in zip(records, row_names.names(records), strict=True):
        published = record.backbone.substitute_for
        backbone = record.backbone.name + (f", for {published}" if published else "")
        cells.append([_escape(name), _escape(backbone), _escape(record.backbone.source)])
    return cells


def _best(values: Sequence[MetricValue | None]) -> float:
    """Return the best mean of a column; NaN if there is none."""
    known = [value for value in values if value and not isnan(value.mean)]
    return max(known, key=_score).mean if known else nan


def _cell(value: MetricValue | None, best: float) -> str:
    if value is None:
        return "not measured"
    mean = f"{value.mean:.3f}"
    mean = f"**{mean}**" if value.mean == best else mean
    return f"{mean} [{value.low:.3f}, {value.high:.3f}]"


def _csv(records: list[Record]) -> str:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(COLUMNS)
    for record, setting in zip(records, row_names.settings(records), strict=True):
        made, digest = record.provenance, record.digest
        cost: list[object] = [""] * 6
        if record.origin == "run":
            cost = [record.dimension, record.parameters, record.flops_per_image, made.engine,
                    made.precision, round(record.cost.images_per_second, 1)]  # fmt: skip
        for task in _with_means(record):
            for name, value in task.metrics.items():
                by_category = "" if value.category_mean is None else value.category_mean
                writer.writerow(
                    [record.dataset.name, record.dataset.edition, record.protocol,
                     record.protocol_fingerprint, record.origin, record.method, record.variant,
                     record.budget, setting, record.backbone.name, record.backbone.substitute_for,
                     record.backbone.source, record.seed, task.task, task.queries, task.gallery,
                     task.uncounted, name, value.mean, value.low, value.high, by_category,
                     *cost, made.git_commit, made.git_clean, digest]
                )  # fmt: skip
    return buffer.getvalue()


def _with_means(record: Record) -> list[TaskResult]:
    """Return the tasks and, where there are several, the two means over them as two more."""
    if len(record.tasks) == 1:
        return record.tasks
    means = {"plain mean over tasks": record.mean, "mean over all queries": record.pooled}
    over_all = [
        TaskResult(
            task=name, queries=sum(task.queries for task in record.tasks), gallery=0,
            uncounted=sum(task.uncounted for task in record.tasks), relevant_per_query=nan,
            metrics=metrics, curves={},
        )
        for name, metrics in means.items()
    ]  # fmt: skip
    return [*over_all, *record.tasks]


def _index(entries: list[tuple[Record, int, str]]) -> str:
    lines = [
        "# Leaderboards",
        "",
        "Tables made from the records beside them by `bench leaderboard build`; "
        "`bench leaderboard check` fails when one differs. Tables of a mini edition are of drawn "
        "pictures and say nothing about real photographs.",
        "",
    ]
    rows = [
        [_escape(record.edition_name), f"[{_escape(record.protocol)}]({place}.md)",
         f"[csv]({place}.csv)", count]
        for record, count, place in entries
    ]  # fmt: skip
    lines += [tabulate(rows, ["data", "protocol", "", "records"], tablefmt="github"), ""]
    return "\n".join(lines)
