"""What of a matrix is done already, what cannot be, and how long the rest may take.

A cell is asked for exactly as its `bench run` would ask, so the plan finds the run folders that the
runs will use, and says what cannot run in the words that the run would end with. The data of a
dataset are read once for all of its cells.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Literal

from bench import fingerprints, records
from bench import run as flow
from bench.data import Opened, open_dataset
from bench.engines import Execution
from bench.errors import RecordError, UserError
from bench.leaderboard import stored_below
from bench.matrix.files import ALL, Job
from bench.plugins import Registry
from bench.records import Record

State = Literal["finished", "recorded", "to run", "n/a"]
RANKING = "rank and score"  # the one phase of a run's cost that each protocol has for itself


@dataclass(frozen=True)
class Cell:
    """One protocol of a job; `why` says why it cannot be had, `folder` is that of its run."""

    protocol: str
    state: State
    why: str = ""
    folder: Path | None = None


@dataclass(frozen=True)
class Estimate:
    """How many seconds a job may take; not `exact` where no run was of the same variant."""

    seconds: float
    exact: bool


@dataclass(frozen=True)
class Planned:
    """A job, on which edition, and its cells; no estimate where nothing like it ever ran."""

    job: Job
    data: str  # as in darn@mini; the bare name where the data cannot be had
    cells: tuple[Cell, ...]
    estimate: Estimate | None

    @property
    def waiting(self) -> list[Cell]:
        """The cells that are to run."""
        return [cell for cell in self.cells if cell.state == "to run"]


@dataclass(frozen=True)
class Setup:
    """What all jobs share: where their runs go, and what computes them."""

    registry: Registry
    execution: Execution
    runs: Path
    data_root: Path | None

    def request(self, job: Job, *protocols: str) -> flow.Request:
        """Return what `bench run` makes of the job's command."""
        return flow.Request(
            method=job.method, dataset=job.dataset, variant=job.variant, edition=job.edition,
            seed=job.seed, budget=job.budget, settings=dict(job.settings),
            options=dict(job.options), protocols=protocols, execution=self.execution,
            runs=self.runs, data_root=self.data_root,
        )  # fmt: skip


class History:
    """Earlier records: those of leaderboards stand for runs; all say how long runs take."""

    def __init__(self, leaderboards: Path, runs: Path) -> None:
        stored = stored_below(leaderboards)
        recorded = [one.record for one in stored]
        # a record without the values of its queries has no rank and decides no claim
        self._settings = {_setting(one.record) for one in stored if one.values.is_file()}
        own = [found for path in sorted(runs.glob("*@*/*/*")) if (found := _finished(path))]
        self._records = [record for record in (*recorded, *own) if record.origin == "run"]

    def has(self, prepared: flow.Prepared, work: flow.Work) -> bool:
        """Return whether a record of the one protocol that was prepared stands in leaderboards."""
        data, execution = prepared.data, prepared.request.execution
        (protocol,) = work.protocols
        return (
            prepared.method.name, prepared.variant, prepared.budget,
            fingerprints.of_json(prepared.recipe.model_dump(mode="json")),
            fingerprints.of_json(dict(data.catalog.options)), data.catalog.name,
            protocol.fingerprint(data.catalog), prepared.request.seed,
            work.plan.method.backbone.weights.digest,
            execution.engine, execution.precision, execution.device,
        ) in self._settings  # fmt: skip

    def estimate(
        self, job: Job, data: str, budget: str, protocols: Sequence[str]
    ) -> Estimate | None:
        """Return how long these protocols of a job may take, by the medians of earlier records.

        Training and extraction count in full, though stages and features may be there already.
        """
        on_data = [
            record for record in self._records
            if (record.method, record.dataset.name) == (job.method, job.dataset)
        ]  # fmt: skip
        same = [
            record for record in on_data
            if (record.variant, record.edition_name, record.budget) == (job.variant, data, budget)
        ]  # fmt: skip
        found = same or on_data
        if not found:
            return None
        seconds = median(map(_shared, found))
        for protocol in protocols:
            of_it = [record for record in found if record.protocol == protocol] or found
            seconds += median(record.cost.seconds.get(RANKING, 0.0) for record in of_it)
        return Estimate(seconds, exact=bool(same))


def make_plan(
    jobs: Sequence[Job],
    setup: Setup,
    history: History,
    notice: Callable[[str], None],
    *,
    again: bool = False,
) -> list[Planned]:
    """Return the jobs with the states of their cells; with `again`, none counts as recorded.

    Cells that are one run, though asked for in two ways, are kept once. `notice` is told what a
    user must know of the data.
    """
    of_data: dict[tuple[object, ...], list[int]] = {}
    for number, job in enumerate(jobs):
        of_data.setdefault((job.dataset, job.edition, job.options), []).append(number)
    found: dict[int, Planned] = {}
    taken: set[Path] = set()
    for numbers in of_data.values():
        first = jobs[numbers[0]]
        opened: Opened | Cell
        try:
            opened = open_dataset(setup.request(first), setup.registry, notice)
        except Exception as error:  # see _refused
            opened = _refused(ALL, error)
        for number in numbers:
            planned = _planned(jobs[number], opened, setup, history, again=again)
            new = tuple(cell for cell in planned.cells if cell.folder not in taken)
            taken |= {cell.folder for cell in new if cell.folder}
            if new:
                found[number] = replace(planned, cells=new)
    return [found[number] for number in sorted(found)]


def total_seconds(planned: Iterable[Planned], workers: int) -> float:
    """Return when the last of the jobs with an estimate ends, `workers` of them at once."""
    free = [0.0] * workers
    for one in planned:
        if one.waiting and one.estimate:
            heapq.heapreplace(free, free[0] + one.estimate.seconds)
    return max(free)


def _planned(
    job: Job, opened: Opened | Cell, setup: Setup, history: History, *, again: bool
) -> Planned:
    """Return a job with its cells, on data that were opened, or of which nothing can be had."""
    if isinstance(opened, Cell):
        names = job.protocols or [ALL]
        cells = [Cell(name, opened.state, opened.why) for name in names]
        return Planned(job, job.dataset, tuple(cells), None)
    cells, budget = [], ""
    for name in job.protocols or [protocol.name for protocol in opened.protocols]:
        try:
            prepared = flow.prepare(setup.request(job, name), setup.registry, _SILENT, opened)
            (work,) = prepared.works
            (protocol,) = work.protocols
            folder, budget = prepared.place(work, protocol).folder, prepared.budget
            state: State = "to run"
            if records.finished(folder):
                state = "finished"
            elif not again and history.has(prepared, work):
                state = "recorded"
            cells.append(Cell(name, state, folder=folder))
        except Exception as error:  # see _refused
            cells.append(_refused(name, error))
    data = opened.catalog.name
    waiting = [cell.protocol for cell in cells if cell.state == "to run"]
    estimate = history.estimate(job, data, budget, waiting) if waiting else None
    return Planned(job, data, tuple(cells), estimate)


def _refused(protocol: str, error: Exception) -> Cell:
    """Return the cell that an error is about.

    Anything but a `UserError` is a defect of a plugin, which must not end the other cells; its job
    is to run, to end with the traceback in its log.
    """
    if isinstance(error, UserError):
        return Cell(protocol, "n/a", " ".join(str(error).split()))
    return Cell(protocol, "to run", f"{type(error).__name__}: {' '.join(str(error).split())}")


def _setting(record: Record) -> tuple[object, ...]:
    """Return what a record is of, in the order of `History.has`."""
    made = record.provenance
    return (
        record.method, record.variant, record.budget, fingerprints.of_json(record.recipe),
        fingerprints.of_json(record.dataset.options), record.edition_name,
        record.protocol_fingerprint, record.seed, record.backbone.weights,
        made.engine, made.precision, made.device,
    )  # fmt: skip


def _finished(folder: Path) -> Record | None:
    """Return the record of a run; None where it is none that can be read: only its cost counts."""
    try:
        return records.finished(folder)
    except RecordError:
        return None


def _shared(record: Record) -> float:
    """Return the seconds of all that a job does once for all of its protocols."""
    seconds: Mapping[str, float] = record.cost.seconds
    return sum(
        value for phase, value in seconds.items()
        if phase != RANKING and not phase.endswith(", waiting for images")  # a part of another
    )  # fmt: skip


_SILENT = flow.Listener(notice=lambda _: None, progress=lambda *_: None)
