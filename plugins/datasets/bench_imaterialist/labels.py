"""The label map: which label id is which value of which attribute."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bench.annotations import Line, read_csv, shown
from bench.catalog import Attribute, AttributeSchema
from bench.errors import DataError
from bench_imaterialist.categories import CATEGORIES, GROUP_OF

FILE = "iMat_fashion_2018_label_map_228.csv"
ATTRIBUTES = (
    "category",
    "color",
    "gender",
    "material",
    "neckline",
    "pattern",
    "sleeve",
    "style",
)
_HEADER = ["labelId", "taskId", "labelName", "taskName"]
_MOST = 10**6  # ids beyond it are a damaged file: the table below would fill the memory


@dataclass(frozen=True)
class LabelMap:
    """The attributes and, for label id n, the column of its value: `columns[n]`, -1 for none."""

    schema: AttributeSchema
    columns: npt.NDArray[np.int64]


def read_label_map(file: Path) -> LabelMap:
    """Return the label map, its categories merged; attributes without any label are left out.

    Raises:
        DataError: a malformed line, an unknown task, a category that is not published,
            a label or a task's number that stands twice.

    """
    records = read_csv(file)
    line, header = next(records, (Line(file, 1, ""), []))
    if [field.strip() for field in header] != _HEADER:
        raise line.error(f"columns {shown(line.text)}", ",".join(_HEADER))
    values: dict[str, dict[str, None]] = {name: {} for name in ATTRIBUTES}
    labels: dict[int, tuple[str, str]] = {}
    tasks: dict[str, str] = {}
    names: set[tuple[str, str]] = set()
    for line, fields in records:
        if len(fields) != len(_HEADER):
            raise line.error(f"{len(fields)} fields in {shown(line.text)}", ",".join(_HEADER))
        label_id, task_id, name, task = (field.strip() for field in fields)
        label = line.integer(label_id, "label id", 0, _MOST)
        line.integer(task_id, "task id", 0, _MOST)
        line.choice(task, "task", ATTRIBUTES)
        if tasks.setdefault(task_id, task) != task:
            raise line.error(f"task {task_id} named {task}", f"{tasks[task_id]}, as above")
        if not name or label in labels or (task, name) in names:
            raise line.error(f"label {label} {shown(name)}", "each id and each name once")
        names.add((task, name))
        if task == "category" and name not in GROUP_OF:
            raise line.error(f"category {shown(name)}", "one of the 105 published categories")
        labels[label] = task, GROUP_OF[name] if task == "category" else name
        values[task][labels[label][1]] = None
    if not labels:
        raise DataError(f"{file}:1: no label; expected a label a line")
    if values["category"]:
        values["category"] = dict.fromkeys(CATEGORIES)
    return _label_map(values, labels)


def _label_map(values: dict[str, dict[str, None]], labels: dict[int, tuple[str, str]]) -> LabelMap:
    schema = AttributeSchema(
        tuple(Attribute(name, tuple(known)) for name, known in values.items() if known)
    )
    places = [(a.name, value) for a in schema.attributes for value in a.values]
    column_of = {place: column for column, place in enumerate(places)}
    columns = np.full(max(labels) + 1, -1, np.int64)
    for label, place in labels.items():
        columns[label] = column_of[place]
    return LabelMap(schema, columns)
