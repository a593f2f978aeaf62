"""The numbers that a paper reports of its method: `reported.csv` beside the plugin's module.

One line for each number, under the names that the harness has for variant, dataset, protocol, task
and metric, so that it can stand beside a measured one; `dimension` is that of the features.
`source` is where in the paper it stands.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from bench.errors import UnknownNameError, UserError
from bench.interfaces import MethodSpec
from bench.plugins import Registry
from bench.records import Record

FILE = "reported.csv"


class Reported(BaseModel):
    """One number; `queries` and `gallery` are None where the paper does not tell them.

    `task` is empty for a protocol of one task, and for the mean over several.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    variant: str
    dataset: str
    protocol: str
    task: str
    metric: str
    value: float = Field(allow_inf_nan=False)
    queries: int | None
    gallery: int | None
    source: str = Field(min_length=1)

    @field_validator("queries", "gallery", mode="before")
    @classmethod
    def _or_none(cls, text: str) -> str | None:
        return text or None


def reported_of(registry: Registry, method: MethodSpec) -> tuple[Reported, ...]:
    """Return the numbers of a method; none where its plugin has no file.

    Raises `UserError` for a line that is malformed or names what does not exist.
    """
    file = registry.beside("methods", method.name, FILE)
    if not file.is_file():
        return ()
    found = []
    with file.open(encoding="utf-8", newline="") as lines:
        reader = csv.DictReader(lines, restkey="more")
        for line in reader:
            try:
                number = Reported.model_validate(line)
                _require_names(number, method, registry)
            except ValidationError as error:
                first = error.errors(include_url=False)[0]
                where = f"{file}:{reader.line_num}: {'.'.join(map(str, first['loc']))}"
                raise UserError(f"{where}: {first['msg']}") from None
            except UserError as error:
                raise UserError(f"{file}:{reader.line_num}: {error}") from None
            found.append(number)
    return tuple(found)


def _require_names(number: Reported, method: MethodSpec, registry: Registry) -> None:
    if number.variant not in method.variants:
        raise UnknownNameError(f"variant of {method.name}", number.variant, method.variants)
    dataset = registry.dataset(number.dataset)
    if number.protocol not in dataset.protocols:
        raise UnknownNameError(f"protocol of {number.dataset}", number.protocol, dataset.protocols)
    if number.metric != "dimension":
        registry.metric(number.metric)


def beside(numbers: Sequence[Reported], record: Record) -> dict[str, list[Reported]]:
    """Return what was reported of a record's variant and protocol, by dataset.

    It is that of the record's own dataset or, where nothing was reported of it, of others that have
    a protocol with the same first word: the paper's numbers on other photographs.
    """
    found: dict[str, list[Reported]] = {}
    task = record.protocol.partition("/")[0]
    own = {number.dataset for number in numbers} & {record.dataset.name}
    for number in numbers:
        same = number.protocol == record.protocol if own else (
            number.protocol.partition("/")[0] == task
        )  # fmt: skip
        same &= number.dataset == record.dataset.name or not own
        if same and number.variant == record.variant and number.metric in record.tasks[0].metrics:
            found.setdefault(number.dataset, []).append(number)
    return found
