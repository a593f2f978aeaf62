"""Records: the JSON result of one variant on one dataset edition, one protocol, one seed.

A run folder is addressed by a hash of everything that determines its result (`run_key`), so a
finished run is found and not repeated:

    runs/clothing@full/pretrained--default/test-vs-train--seed0-1f3a9c2e/
      record.json  rankings.parquet  per_query.parquet  breakdown.csv  DONE

`DONE` is written last and holds the digest of the record.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bench import fingerprints
from bench.errors import RecordError
from bench.storage import write_text

SCHEMA_VERSION = 4  # raise it, and the literal in `Record`, when a field changes


class Part(BaseModel):
    """The base of all parts of a record: fixed once made, no field unknown."""

    # a metric may be NaN for every query; JSON has no number for their mean
    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="strings")


class BackboneFacts(Part):
    """The backbone and its weights; `weights` is the hash of the file or how they were drawn."""

    name: str
    source: str
    weights: str
    trained_on: str
    preprocessing: dict[str, Any]
    substitute_for: str = ""  # the paper's backbone, where this is another


class DatasetFacts(Part):
    """The data: `coverage` maps a published count's name to (present here, published)."""

    name: str
    edition: Literal["full", "mini"]
    licence: str
    annotations: str  # hash of the annotation files or folder listing
    coverage: dict[str, tuple[int, int]]
    options: dict[str, Any]  # with which the data were read
    notes: list[str]  # what the reader left out or put right
    damaged: int  # images left out because they cannot be read


class MetricValue(Part):
    """A mean over the queries that count, with its 95 % bootstrap interval over queries.

    `category_mean` is the plain mean over the categories of these queries, each category counting
    the same; None where they have fewer than two.
    """

    mean: float
    low: float
    high: float
    higher_is_better: bool = True
    category_mean: float | None = None


class TaskResult(Part):
    """One task's counts and metrics; `uncounted` queries have nothing relevant in the gallery.

    `curves` maps a metric without its cut-off, as "hit" or "ndcg[attributes]", to its mean at the
    cut-offs 1, 2, 3 … over the queries that count.
    """

    task: str
    queries: int
    gallery: int
    uncounted: int
    relevant_per_query: float
    metrics: dict[str, MetricValue]
    curves: dict[str, list[float]] = Field(default_factory=dict)


class StageFacts(Part):
    """One stage of a training, and how its weights were selected.

    `losses` are the means of the terms over the last epoch. `chosen_epoch` is the one whose weights
    are kept, counted from 1; with the selection "best" that of the least loss on validation images.
    """

    name: str
    key: str
    epochs: int
    steps: int
    parameters: int  # that learn
    selection: Literal["last", "best"]
    chosen_epoch: int
    losses: dict[str, float]
    validation_loss: float | None
    damaged: int  # training images left out because they cannot be read


class Cost(Part):
    """What the run took here; the only part of a record that two equal runs do not share."""

    seconds: dict[str, float]  # per phase; extraction over all sittings
    images_per_second: float
    peak_memory_mib: float | None
    finished: str  # UTC, ISO 8601


class Provenance(Part):
    """Where the numbers come from."""

    command: str
    versions: dict[str, str]
    plugins: dict[str, str]  # plugin → distribution and version, of the method and the dataset
    code: str  # hash of the sources of harness, method and dataset
    git_commit: str
    git_clean: bool | None
    python: str
    machine: str
    device: str
    device_name: str
    engine: str
    precision: str
    batch_size: int
    threads: int  # with which networks were trained and run; once, those of the machine


class Record(Part):
    """One result, with all that is needed to trust it and to make it again."""

    schema_version: Literal[4] = 4
    origin: Literal["run", "ranking"]  # a model was run, or somebody's rankings were scored
    method: str
    variant: str
    budget: str = "full"  # which of the method's recipes: as published, or for less computing
    recipe: dict[str, Any]
    backbone: BackboneFacts
    parameters: int
    flops_per_image: int
    dimension: int
    dataset: DatasetFacts
    protocol: str
    protocol_fingerprint: str
    headline: str
    seed: int
    tasks: list[TaskResult]
    mean: dict[str, MetricValue]  # plain mean over tasks, where there are several
    # mean over all queries of all tasks, where there are several
    pooled: dict[str, MetricValue] = Field(default_factory=dict)
    training: list[StageFacts] = Field(default_factory=list)  # empty where nothing is learnt
    run_key: str
    cost: Cost
    provenance: Provenance

    @property
    def edition_name(self) -> str:
        """Dataset and edition, as in `clothing@mini`."""
        return f"{self.dataset.name}@{self.dataset.edition}"

    @property
    def digest(self) -> str:
        """The hash of the record without cost and command: equal for two equal runs."""
        content = self.model_dump(mode="json", exclude={"cost": True, "provenance": {"command"}})
        return fingerprints.of_json(content)

    def to_json(self) -> str:
        """Return the record as indented JSON with a line end."""
        return self.model_dump_json(indent=2) + "\n"

    @classmethod
    def read(cls, path: Path) -> Record:
        """Return the record in a JSON file; raises `RecordError` in one line if it is not one."""
        try:
            return cls.model_validate_json(path.read_bytes())
        except OSError as error:
            raise RecordError(f"{path}: {error.strerror}; expected a record.json") from None
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            where = repr(".".join(map(str, first["loc"])))[1:-1] or "the file"
            raise RecordError(
                f"{path} is not a record of schema {SCHEMA_VERSION}: "
                f"{where}: {first['msg'].lower()}"
            ) from None


def run_folder(
    runs: Path, *, dataset: str, method: str, variant: str, protocol: str, seed: int, key: str
) -> Path:
    """Return the folder of one run below `runs`."""
    tail = f"--seed{seed}-{key[:8]}"
    parts = (dataset, f"{method}--{variant}", protocol + tail)
    return runs.joinpath(*map(as_folder, parts))


def as_folder(name: str) -> str:
    """Return a name that is one folder: `dress/all-gallery` becomes `dress--all-gallery`."""
    return "".join(c if c.isalnum() or c in "@-_." else "-" for c in name.replace("/", "--"))


def finished(folder: Path) -> Record | None:
    """Return the record of a finished run, or None; raises `RecordError` if it was altered."""
    if not (folder / "DONE").is_file():
        return None
    record = Record.read(folder / "record.json")
    if record.digest != (folder / "DONE").read_text().strip():
        raise RecordError(
            f"{folder}/record.json was altered after the run; remove the folder to run again"
        )
    return record


def finish(folder: Path, record: Record) -> None:
    """Write the record and then `DONE`."""
    write_text(folder / "record.json", record.to_json())
    write_text(folder / "DONE", record.digest + "\n")


def git_state(folder: Path) -> tuple[str, bool | None]:
    """Return the commit of the checkout that holds `folder`, and whether it was clean.

    ("", None) where it is not a checkout, as for an installed wheel.
    """

    def git(*arguments: str) -> str:
        return subprocess.run(  # noqa: S603
            ["git", "-C", os.fspath(folder), *arguments],  # noqa: S607
            capture_output=True, text=True, check=True, timeout=10,
        ).stdout.strip()  # fmt: skip

    try:
        # a wheel inside somebody's own checkout must not take that checkout's commit for ours
        if git("ls-files", "--error-unmatch", "records.py") != "records.py":
            return "", None
        return git("rev-parse", "HEAD"), not git("status", "--porcelain", "--", ":/")
    except (OSError, subprocess.SubprocessError):
        return "", None


def peak_memory_mib() -> float | None:
    """Return the largest resident size of this process so far, in MiB; None where unknown."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (1024 * 1024 if sys.platform == "darwin" else 1024), 1)


def machine_name() -> str:
    """Return operating system, processor and number of cores, without the host's name."""
    processor = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                processor = line.partition(":")[2].strip()
                break
    return f"{platform.system()} {platform.machine()}, {processor}, {os.cpu_count()} cores"
