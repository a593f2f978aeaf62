"""Jobs as processes, as many at once as the machine has room for.

A process for each job, so that one that crashes or is killed for its memory takes nothing else with
it. What runs them stands behind `Executor`, whose jobs are futures: one for many machines can take
the place of `LocalExecutor` without a change elsewhere.
"""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, ThreadPoolExecutor, wait
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol

from bench import records
from bench.matrix.files import ALL, Job
from bench.matrix.plan import Planned, Setup
from bench.records import Record
from bench.run import now
from bench.storage import write_text

GRACE = 10.0  # seconds that a process has to end when it is asked to
NOT_STARTED = 127  # the exit status that a shell gives to what it cannot start
TICK = 0.5  # seconds between two looks at what runs


@dataclass(frozen=True)
class Command:
    """A job's process: what starts it, with which further environment, and where it prints."""

    arguments: tuple[str, ...]
    environment: Mapping[str, str]
    log: Path

    def __str__(self) -> str:
        return shlex.join(["bench", *self.arguments])


@dataclass(frozen=True)
class Ended:
    """How a process ended: its exit status (−9 where SIGKILL ended it), last line and seconds."""

    status: int
    last_line: str
    seconds: float


class Executor(Protocol):
    """What runs commands; a future that runs already is shown as such."""

    def submit(self, command: Command) -> Future[Ended]:
        """Take a command to be run as soon as there is room."""
        ...

    def stop(self) -> None:
        """End what runs and start nothing more."""
        ...


class LocalExecutor:
    """Processes on this machine, `workers` at once."""

    def __init__(self, workers: int) -> None:
        self._pool = ThreadPoolExecutor(workers)
        self._lock = threading.Lock()
        self._processes: set[subprocess.Popen[bytes]] = set()
        self._stopped = False

    def submit(self, command: Command) -> Future[Ended]:
        """Take a command to be run as soon as a worker is free."""
        return self._pool.submit(self._run, command)

    def stop(self) -> None:
        """End the processes, with force those that do not end by themselves, and wait for them."""
        with self._lock:
            self._stopped = True
            running = list(self._processes)
        for process in running:
            process.terminate()
        deadline = time.monotonic() + GRACE
        for process in running:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(max(0.0, deadline - time.monotonic()))
            process.kill()
        self._pool.shutdown(cancel_futures=True)

    def _run(self, command: Command) -> Ended:
        clock = time.perf_counter()
        command.log.parent.mkdir(parents=True, exist_ok=True)
        # appended to: a process of a killed matrix may still write there
        with command.log.open("ab") as log:
            log.write(f"$ {command}\n".encode())
            log.flush()
            start = log.tell()
            with self._lock:
                if self._stopped:
                    raise CancelledError
                try:
                    process = subprocess.Popen(  # noqa: S603
                        [sys.executable, "-m", "bench", *command.arguments],
                        stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
                        env=os.environ | dict(command.environment),
                    )  # fmt: skip
                except OSError as error:  # no memory for one more process, perhaps
                    return Ended(NOT_STARTED, f"not started: {error.strerror}", 0.0)
                self._processes.add(process)
            status = process.wait()
            with self._lock:
                self._processes.discard(process)
        return Ended(status, _last_line(command.log, start), time.perf_counter() - clock)


@dataclass(frozen=True)
class Failure:
    """Why a job failed last: `<job>.failed.json` beside its log."""

    command: str
    status: int
    error: str
    when: str  # UTC, ISO 8601

    @classmethod
    def read(cls, file: Path) -> Failure | None:
        """Return the failure in a file; None where there is none that can be read."""
        try:
            return cls(**json.loads(file.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None


@dataclass(frozen=True)
class Outcome:
    """What a job came to: the records of its cells that were to run, and why others have none."""

    planned: Planned
    records: list[Record]
    seconds: float
    error: str


@dataclass(frozen=True)
class Places:
    """Where the files of jobs lie."""

    folder: Path

    def log(self, job: Job) -> Path:
        """Return the file of all that the job printed."""
        return self.folder / f"{job.name}.log"

    def failed(self, job: Job) -> Path:
        """Return the file of the job's failure."""
        return self.folder / f"{job.name}.failed.json"


def command_of(
    planned: Planned, setup: Setup, places: Places, *, threads: int, plugins: Sequence[Path]
) -> Command:
    """Return the `bench run` of a job's cells that are to run, on so many threads."""
    job = planned.job
    given = [("--method", job.method), ("--variant", job.variant), ("--dataset", job.dataset)]
    given += [("--protocol", cell.protocol) for cell in planned.waiting if cell.protocol != ALL]
    given += [("--set", f"{name}={value}") for name, value in job.settings]
    given += [("--option", f"{name}={value}") for name, value in job.options]
    given += [("--seed", str(job.seed)), ("--edition", job.edition), ("--budget", job.budget)]
    given += [("--data-root", str(setup.data_root))] if setup.data_root else []
    given += [("--plugin", str(file)) for file in plugins]
    given += [("--workers", str(threads)), ("--runs", str(setup.runs))]
    arguments = ("run", *(text for pair in given for text in pair))
    return Command(arguments, {"OMP_NUM_THREADS": str(threads)}, places.log(job))


def run_all(
    commands: Sequence[tuple[Planned, Command]],
    executor: Executor,
    places: Places,
    tick: Callable[[list[Planned], int], None],
) -> Generator[Outcome]:
    """Run every command and yield what came of each as it ends.

    `tick` is told twice a second which jobs run and how many wait. However this ends, also by
    Ctrl-C, no process of it is left.
    """
    try:
        futures = {executor.submit(command): (planned, command) for planned, command in commands}
        waiting = set(futures)
        while waiting:
            ended, waiting = wait(waiting, timeout=TICK, return_when=FIRST_COMPLETED)
            for future in ended:
                yield _settle(*futures[future], future.result(), places)
            running = [futures[future][0] for future in futures if future in waiting
                       and future.running()]  # fmt: skip
            tick(running, len(waiting) - len(running))
    finally:
        executor.stop()


def _settle(planned: Planned, command: Command, ended: Ended, places: Places) -> Outcome:
    """Return what a job left, and note its failure or that it failed no more."""
    found = [records.finished(cell.folder) if cell.folder else None for cell in planned.waiting]
    done = [record for record in found if record]
    error = ""
    if ended.status < 0:
        error = f"ended by {signal.Signals(-ended.status).name}"
        error += ", perhaps for want of memory" if ended.status == -signal.SIGKILL else ""
    elif ended.status:
        error = ended.last_line or f"exit status {ended.status}"
    elif len(done) < len(found):
        error = "ended well, but not where the plan looks; were sources or data edited meanwhile?"
    file = places.failed(planned.job)
    if error:
        failure = Failure(str(command), ended.status, error, now())
        write_text(file, json.dumps(asdict(failure), indent=2) + "\n")
    else:
        file.unlink(missing_ok=True)
    return Outcome(planned, done, ended.seconds, error)


def _last_line(log: Path, start: int) -> str:
    """Return the last line with a word in it that was printed after `start`, a place in bytes."""
    with log.open("rb") as file:
        file.seek(start)
        lines = file.read().decode(errors="replace").splitlines()
    return next((line.strip() for line in reversed(lines) if line.strip()), "")
