"""The matrix file and the jobs that it stands for.

A file names lists, because a paper's tables are products of lists; jobs are what comes out, because
protocols of one method, dataset and seed share a training and should share a process. Data are not
read here, so a file can be checked in a second: that a name exists is found out by the plan.
"""

from __future__ import annotations

import itertools
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bench import fingerprints
from bench.errors import UserError
from bench.plugins import Registry
from bench.records import as_folder

ALL, DEFAULT = "all", "default"
EditionName = Literal["auto", "full", "mini"]
Names = Annotated[list[str], Field(min_length=1)]


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Block(_Table):
    """One `[[cells]]`: the product of its lists.

    `variants` and `protocols` are names, or "all"; "default" is the first variant of a method. No
    methods or datasets are all that are installed. `settings` are recipe fields and `options` those
    of the datasets, as `--set` and `--option` of `bench run` take them.
    """

    methods: list[str] = []
    datasets: list[str] = []
    variants: Literal["default", "all"] | Names = "default"
    protocols: Literal["all"] | Names = "all"
    seeds: Annotated[list[Annotated[int, Field(ge=0)]], Field(min_length=1)] = [0]
    budget: str = "auto"
    settings: dict[str, Any] = {}
    options: dict[str, Any] = {}
    edition: EditionName | None = None  # that of the file


class Matrix(_Table):
    """A matrix file; `threads` of networks in each job, since sums of training hang on them."""

    edition: EditionName = "auto"
    threads: Annotated[int, Field(ge=1)] = 1
    cells: Annotated[list[Block], Field(min_length=1)]


@dataclass(frozen=True)
class Job:
    """What one `bench run` does: a variant on a dataset with a seed, under some protocols.

    Without protocols, all that the dataset has. Settings and options are texts by dotted name.
    """

    method: str
    variant: str
    dataset: str
    edition: str
    seed: int
    budget: str = "auto"
    settings: tuple[tuple[str, str], ...] = ()
    options: tuple[tuple[str, str], ...] = ()
    protocols: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The name of the job's files: readable, and unique by a hash of all but the protocols."""
        facts = [self.dataset, self.edition, self.budget, self.settings, self.options]
        tail = f"--seed{self.seed}-{fingerprints.of_json(facts)[:8]}"
        return as_folder(f"{self.dataset}--{self.method}--{self.variant}") + tail

    @property
    def title(self) -> str:
        """The job in words, without its protocols."""
        given = [f"{name}={value}" for name, value in (*self.settings, *self.options)]
        given += [f"budget {self.budget}"] if self.budget != "auto" else []
        return " ".join([self.method, self.variant, "on", self.dataset, "seed", str(self.seed),
                         *given])  # fmt: skip


def read(file: Path) -> Matrix:
    """Return a matrix file; raises `UserError` in one line that names the file and the place."""
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8-sig"))
        return Matrix.model_validate(content)
    except OSError as error:
        raise UserError(f"{file}: {error.strerror}; expected a matrix file (TOML)") from None
    except UnicodeDecodeError:
        raise UserError(f"{file}: bytes that are not UTF-8; expected TOML") from None
    except tomllib.TOMLDecodeError as error:
        raise UserError(f"{file}: {error}; expected TOML") from None
    except ValidationError as error:
        raise UserError(f"{file}: {_first(error)}") from None


def expand(matrix: Matrix, registry: Registry) -> list[Job]:
    """Return the jobs of a matrix in its order, each once, with the protocols of all its cells."""
    found: dict[Job, Job] = {}
    for job in (job for block in matrix.cells for job in _of_block(block, matrix, registry)):
        key = replace(job, protocols=())
        before = found.get(key, job).protocols
        # without names it is all of them, whatever names another block has
        both = (*before, *job.protocols) if before and job.protocols else ()
        found[key] = replace(key, protocols=tuple(dict.fromkeys(both)))
    return list(found.values())


def _of_block(block: Block, matrix: Matrix, registry: Registry) -> Iterator[Job]:
    specs = registry.all("datasets")
    datasets = block.datasets or [name for name in specs if not specs[name].family]
    methods = block.methods or list(registry.all("methods"))
    protocols = () if block.protocols == ALL else tuple(block.protocols)
    for dataset, method, seed in itertools.product(datasets, methods, block.seeds):
        for variant in _variants(block.variants, method, registry):
            yield Job(
                method, variant, dataset, block.edition or matrix.edition, seed, block.budget,
                _texts(block.settings), _texts(block.options), protocols,
            )  # fmt: skip


def _variants(asked: str | Sequence[str], method: str, registry: Registry) -> list[str]:
    """Return the names of variants; a method that does not exist has one, to be refused later."""
    if not isinstance(asked, str):
        return list(asked)
    spec = registry.all("methods").get(method)
    known = list(spec.variants) if spec else [DEFAULT]
    return known if asked == ALL else known[:1]


def _texts(values: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Return values as a command gives them, by dotted name: 1e-05, true, a,b."""

    def flat(table: Mapping[str, Any], start: str) -> Iterator[tuple[str, str]]:
        for name, value in table.items():
            if isinstance(value, Mapping):
                yield from flat(value, f"{start}{name}.")
            else:
                yield start + name, _text(value)

    return tuple(sorted(flat(values, "")))


def _text(value: Any) -> str:
    if isinstance(value, list):
        return ",".join(map(_text, value))
    return str(value).lower() if isinstance(value, bool) else str(value)


def _first(error: ValidationError) -> str:
    """Return the first thing that is wrong, and where; cells are counted from 1."""
    first = error.errors(include_url=False)[0]
    # what follows a field's name says which of several types was tried
    parts = [part for part in first["loc"] if isinstance(part, int) or part.isidentifier()]
    where = ".".join(str(part + 1) if isinstance(part, int) else part for part in parts)
    message = first["msg"][:1].lower() + first["msg"][1:]
    if first["type"] == "extra_forbidden":
        owner = Block if "cells" in first["loc"] else Matrix
        message = f"unknown key; there are: {', '.join(owner.model_fields)}"
    elif first["type"] == "missing":
        message = "missing; expected one [[cells]] block or more"
    elif not isinstance(first["input"], Mapping):
        message = f"{first['input']!r}: {message}"
    return f"{where}: {message}"
