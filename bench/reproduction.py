"""A record made again, from the record alone, and what came out beside what it states.

A run is found by a hash of all that determines it, and so are its features; here neither is looked
for where it was left. Two processors sum in other orders: what learns nothing comes out nearly the
same, what is trained differs as two seeds do, and `tolerance_of` says by how much it may.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from math import isnan
from pathlib import Path
from typing import Literal, cast

from threadpoolctl import threadpool_limits

from bench import fingerprints
from bench.data import DataRequest
from bench.engines import Execution, choose_execution
from bench.errors import IncompatibleError, RecordError
from bench.leaderboard import runs_below, stored_below
from bench.plugins import Registry
from bench.recipes import fields, flatten
from bench.records import MetricValue, Provenance, Record, finished
from bench.run import Listener, Outcome, Request, prepare, run
from bench.storage import cache_folder

UNTRAINED = 0.002  # what the digits of features can change in a mean
TRAINED = 0.02  # what another order of sums can change in a training
MEAN, POOLED = "plain mean over tasks", "mean over all queries"
_ROUNDING = 1e-12  # of the difference of two means
# what is said of an environment, but changes no number by itself
_WITHOUT_EFFECT = {"commit", "batch size"}
_OPENMP = "OMP_NUM_THREADS"


class OtherQuestionsError(RecordError):
    """Data or a protocol that are not those of the record: its numbers answer other questions."""


def runs_of(folder: Path) -> Path:
    """Return the folder of runs that a run folder lies below."""
    return folder.resolve().parents[2]


def data_request(record: Record, registry: Registry, *, data_root: Path | None) -> DataRequest:
    """Return what asks for the data of a record, under its protocol with its metrics."""
    options = dict(record.dataset.options)
    if not _is_own_option("crop", record, registry):
        options.pop("crop", None)
    return DataRequest(
        dataset=record.dataset.name, protocols=[record.protocol],
        metrics=list(record.tasks[0].metrics), options=options, edition=record.dataset.edition,
        data_root=data_root, seed=record.seed,
    )  # fmt: skip


def request_of(
    record: Record, source: Path, registry: Registry, *, data_root: Path | None, runs: Path,
    execution: Execution | None = None,
) -> Request:  # fmt: skip
    """Return the request that makes the run of a record again; `source` is named in errors.

    `execution` is the record's, if not given. Raises `IncompatibleError` where the boxes came from
    a detector, which a record names but does not hold.
    """
    crop = record.dataset.options.get("crop", "box")
    if crop not in {"box", "full"}:
        raise IncompatibleError(
            f"{source} compares boxes of a {crop}, which a record does not hold; choose a run with "
            "another --crop"
        )
    if _is_own_option("crop", record, registry):  # then the data come with such boxes
        crop = "box"
    known = fields(registry.method(record.method).recipe())
    data = data_request(record, registry, data_root=data_root)
    return Request(
        **vars(data) | {"runs": runs},
        method=record.method, variant=record.variant, budget=record.budget,
        settings=flatten(record.recipe, known), crop=cast(Literal["box", "full"], crop),
        skip_damaged=record.dataset.damaged > 0, execution=execution or _execution(record),
    )  # fmt: skip


def _is_own_option(name: str, record: Record, registry: Registry) -> bool:
    """Return whether the record's dataset has such an option itself."""
    options = registry.dataset(record.dataset.name).options
    return options is not None and name in fields(options())


def _execution(record: Record, device: str = "") -> Execution:
    """Return how the record says that it was made, on its device if no other is given."""
    made = record.provenance
    return choose_execution(
        device=device or made.device, engine=made.engine,
        precision=cast(Literal["fp32", "bf16"], made.precision),
        batch_size=made.batch_size, workers=os.cpu_count() or 1,
    )  # fmt: skip


def tolerance_of(record: Record, value: MetricValue, queries: int) -> float:
    """Return by how much a mean of the record over so many queries may come out differently.

    0.002 where nothing is learnt. Where there is training, half the width of the value's 95 %
    interval and no less than 0.02: on another processor sums round otherwise, the training goes
    another way from there, and ends as another seed would. Of few queries one may come out
    otherwise in the one case, two in the other.
    """
    one = 1 / max(queries, 1)
    if not record.training:
        return max(UNTRAINED, one)
    return max(TRAINED, 2 * one, (value.high - value.low) / 2)  # an interval may be NaN: it is last


@dataclass(frozen=True)
class Value:
    """A mean as recorded and as it came out now, and by how much they may differ."""

    task: str
    metric: str
    recorded: float
    now: float
    tolerance: float

    @property
    def difference(self) -> float:
        """Now minus recorded; 0 where both are the same, NaN too."""
        both = isnan(self.now) and isnan(self.recorded)
        return 0.0 if both else self.now - self.recorded

    @property
    def within(self) -> bool:
        """Whether the difference is within the tolerance."""
        return abs(self.difference) <= self.tolerance + _ROUNDING


@dataclass(frozen=True)
class Reproduction:
    """A record, the one that came out now, and what they differ in.

    `changed` maps what is said of the environment to (recorded, now), where these differ.
    """

    recorded: Record
    outcome: Outcome
    values: list[Value]
    changed: dict[str, tuple[str, str]]

    @property
    def beyond(self) -> list[Value]:
        """What differs by more than its tolerance."""
        return [value for value in self.values if not value.within]

    @property
    def farthest(self) -> Value:
        """What differs most, as a share of its tolerance; NaN against a number above all."""

        def share(value: Value) -> float:
            difference = abs(value.difference)
            if isnan(difference) or not value.tolerance:
                return float("inf") if difference else 0.0
            return difference / value.tolerance

        return max(self.values, key=share)

    @property
    def identical(self) -> bool:
        """Whether every number is the same, bit for bit, intervals and curves too."""
        parts = {"tasks", "mean", "pooled"}
        return self.recorded.model_dump_json(include=parts) == self.outcome.record.model_dump_json(
            include=parts
        )

    @property
    def same_environment(self) -> bool:
        """Whether nothing that could change a digit is different."""
        return not self.changed.keys() - _WITHOUT_EFFECT


def reproduce(
    source: Path, registry: Registry, *, data_root: Path | None, runs: Path | None,
    tolerance: float | None, command: str, listener: Listener,
) -> Reproduction:  # fmt: skip
    """Return what a record's run, made again, comes to.

    `source` is a record or a run folder. The run goes into a folder of its own, below `runs` where
    that is given; else it is removed. `tolerance` replaces `tolerance_of`.

    Raises `OtherQuestionsError` where data or protocol are not the record's, `RecordError` for a
    record of rankings, of which no run is known.
    """
    file = source / "record.json" if source.is_dir() else source
    record = Record.read(file)
    if record.origin != "run":
        raise RecordError(
            f"{file} was made of rankings, which no record holds; score them again with `bench "
            "score`, or check a bundle of them with `bench submit --check`"
        )
    with _place(record, runs) as folder, _threads(record.provenance.threads):
        request = request_of(
            record, file, registry, data_root=data_root, runs=folder,
            execution=_execution_here(record, listener),
        )  # fmt: skip
        with tempfile.TemporaryDirectory(dir=folder, prefix="features-") as stores:
            request = replace(request, command=command, stores=Path(stores))
            listener = replace(listener, notice=once(listener.notice))  # of two preparations
            _require_same_questions(file, record, request, registry, listener)
            (outcome,) = run(request, registry, listener)
    if outcome.was_finished:
        raise RecordError(
            f"{outcome.folder} is this record's run made again, finished before; remove it, or "
            "name another folder with --runs"
        )
    return _beside(file, record, outcome, tolerance)


def pairs(leaderboards: Path, runs: Path) -> list[tuple[Path, Path]]:
    """Return the records of leaderboards that finished runs below a folder are of, with the run.

    They are of one experiment: the same method, recipe, data, options, seed and protocol. Raises
    `RecordError` where there is no such pair: then nothing would have been compared.
    """
    places = {_experiment(one.record): one.place for one in stored_below(leaderboards)}
    found = []
    for folder in runs_below(runs):
        record = finished(folder)
        if record is not None and _experiment(record) in places:
            found.append((places[_experiment(record)], folder))
    if not found:
        raise RecordError(f"no run below {runs} has a record of the same experiment below "
                          f"{leaderboards}")  # fmt: skip
    return found


def beside(source: Path, run: Path, tolerance: float | None) -> Reproduction:
    """Return what a run that is finished comes to, beside a record of the same experiment."""
    record, now = Record.read(source), finished(run)
    if now is None or _experiment(record) != _experiment(now):
        raise RecordError(f"{run} is no finished run of the experiment of {source}")
    return _beside(source, record, Outcome(now, run, True), tolerance)


def _experiment(record: Record) -> str:
    """Return what two records share if one is the other made again, wherever that was."""
    return fingerprints.of_json(
        [record.method, record.variant, record.budget, record.recipe, record.edition_name,
         record.dataset.options, record.protocol, record.protocol_fingerprint, record.seed,
         record.provenance.precision]
    )  # fmt: skip


def _beside(file: Path, record: Record, outcome: Outcome, tolerance: float | None) -> Reproduction:
    now = outcome.record
    _require_protocol(file, record, now.protocol_fingerprint)
    before, after = _environment(record), _environment(now)
    changed = {
        name: (before.get(name, "none"), after.get(name, "none"))
        for name in dict.fromkeys([*before, *after])
        if before.get(name) != after.get(name)
    }
    return Reproduction(record, outcome, _values(record, now, tolerance), changed)


def once(notice: Callable[[str], None]) -> Callable[[str], None]:
    """Return what tells of everything the first time only."""
    told: set[str] = set()

    def tell(text: str) -> None:
        if text not in told:
            told.add(text)
            notice(text)

    return tell


@contextmanager
def _place(record: Record, runs: Path | None) -> Iterator[Path]:
    """Yield the folder for the run: one of this record alone, or one that is removed."""
    if runs is not None:
        folder = runs / f"reproduction-{record.digest[:8]}"
        folder.mkdir(parents=True, exist_ok=True)
        yield folder
        return
    cache_folder().mkdir(parents=True, exist_ok=True)  # where there is room for a run
    with tempfile.TemporaryDirectory(dir=cache_folder(), prefix="reproduction-") as name:
        yield Path(name)


@contextmanager
def _threads(count: int) -> Iterator[None]:
    """Compute with so many threads: sums of training hang on their number."""
    import torch

    before, variable = torch.get_num_threads(), os.environ.get(_OPENMP)
    os.environ[_OPENMP] = str(count)  # for what is imported from here on
    try:
        with threadpool_limits(count):  # for what is there
            torch.set_num_threads(count)
            yield
    finally:
        torch.set_num_threads(before)
        os.environ.pop(_OPENMP)
        if variable is not None:
            os.environ[_OPENMP] = variable


def _execution_here(record: Record, listener: Listener) -> Execution:
    """Return how the record was made, on another device where its own is not here."""
    try:
        return _execution(record)
    except IncompatibleError:
        if record.provenance.device == "cpu":
            raise
    found = _execution(record, "auto")
    listener.notice(
        f"the record was made on {record.provenance.device}, which is not here; running on "
        f"{found.device}"
    )
    return found


def _require_same_questions(
    file: Path, record: Record, request: Request, registry: Registry, listener: Listener
) -> None:
    """Refuse data and a protocol that are not the record's, before anything is trained."""
    data = prepare(request, registry, listener).data
    if data.catalog.fingerprint != record.dataset.annotations:
        raise _other(file, record, "annotations", record.dataset.annotations,
                     data.catalog.fingerprint)  # fmt: skip
    found = data.protocols[0].fingerprint(data.catalog)
    if not record.dataset.damaged:  # which images these were, extraction has to find
        _require_protocol(file, record, found)


def _require_protocol(file: Path, record: Record, found: str) -> None:
    if found != record.protocol_fingerprint:
        raise _other(file, record, "protocol fingerprint", record.protocol_fingerprint, found)


def _other(file: Path, record: Record, what: str, stated: str, found: str) -> OtherQuestionsError:
    advice = "give the data of the record with --data-root"
    if record.dataset.edition == "mini":
        advice = "this version, or its libraries, draw another mini edition"
    return OtherQuestionsError(
        f"{file} has {what} {stated[:8]}, the data here have {found[:8]}: other questions would be "
        f"asked; {advice}"
    )


def _environment(record: Record) -> dict[str, str]:
    """Return what could explain a difference, in words."""
    made: Provenance = record.provenance
    return {
        "machine": made.machine, "device": f"{made.device}, {made.device_name}",
        "engine": made.engine, "precision": made.precision, "threads": str(made.threads),
        "batch size": str(made.batch_size), "Python": made.python,
        **{f"version of {name}": version for name, version in sorted(made.versions.items())},
        **{f"plugin {name}": origin for name, origin in sorted(made.plugins.items())},
        "sources": made.code,
        "commit": (made.git_commit or "unknown") + " with changes" * (made.git_clean is False),
        "data": record.dataset.annotations, "weights": record.backbone.weights,
        "protocol": record.protocol_fingerprint,
    }  # fmt: skip


def _values(record: Record, now: Record, tolerance: float | None) -> list[Value]:
    """Return each mean of the record beside the same of now: means over tasks come first."""
    asked = {task.task: task.queries - task.uncounted for task in record.tasks}
    every = sum(asked.values())
    return [
        Value(name, metric, value.mean, found[metric].mean,
              tolerance_of(record, value, asked.get(name, every)) if tolerance is None
              else tolerance)
        for (name, stated), (_, found) in zip(means_of(record), means_of(now), strict=True)
        for metric, value in stated.items()
    ]  # fmt: skip


def means_of(record: Record) -> list[tuple[str, dict[str, MetricValue]]]:
    """Return every mean of a record by task; where there are several, those over them go first."""
    over_tasks = [(MEAN, record.mean), (POOLED, record.pooled)]
    return over_tasks + [(task.task, task.metrics) for task in record.tasks]
