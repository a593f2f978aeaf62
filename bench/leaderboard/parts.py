"""What the records of one dataset edition give: its files, and what pages of all editions need.

Ten thousand records are read in some thirty seconds of one processor, so editions are shared out
over processes; a record stays in the process that read it.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from threadpoolctl import threadpool_limits

from bench.errors import RecordError
from bench.leaderboard import frames, tables
from bench.leaderboard.rows import rows_of
from bench.leaderboard.stored import files, protocols, stored_in
from bench.leaderboard.tables import ByMethod, Table
from bench.reported import Reported

# a process starts in the time in which another reads some 600 records
RECORDS_FOR_A_PROCESS = 1000
# (method, number of its paper, kind of edition) → what the method's best row measured of it
Measured = dict[tuple[str, Reported, str], float]


@dataclass(frozen=True)
class Part:
    """The texts of an edition's files, its rows of the index and of `records.csv`."""

    files: dict[Path, str]
    index: list[list[object]]
    records: list[list[object]]
    measured: Measured


def read_parts(folder: Path, reported: ByMethod) -> Iterator[Part]:
    """Yield what each edition's records give, in the order of their folders.

    `reported` are the numbers of each method's paper. Raises `RecordError` as `read_part` does.
    """
    counts: dict[str, int] = {}
    for protocol in protocols(folder):
        name = protocol.parent.name
        counts[name] = counts.get(name, 0) + len(files(protocol))
    of_one = partial(read_part, folder, reported)
    processes = min(os.cpu_count() or 1, sum(counts.values()) // RECORDS_FOR_A_PROCESS, len(counts))
    if processes < 2:
        yield from map(of_one, counts)
        return
    # spawned, not forked: the caller may have threads, and a fork would copy their locks
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, mp_context=context, initializer=_start) as pool:
        yield from pool.map(of_one, counts)


def _start() -> None:
    """Set a process up to do nothing beside its records."""
    gc.disable()  # a million parts of records make no cycle, and are looked through in vain
    threadpool_limits(1)  # each has a processor; threads of a product would wait for each other


def read_part(folder: Path, reported: ByMethod, name: str) -> Part:
    """Return what the records of the edition in the folder `name` give.

    Raises `RecordError` for a file that is no record, and for protocols of several fingerprints.
    """
    found = Part({}, [], [], {})
    of_protocols = []
    for protocol in protocols(folder, name):
        stored = list(stored_in(protocol))
        if len({one.record.protocol_fingerprint for one in stored}) > 1:
            raise RecordError(f"{protocol} holds records of several protocol fingerprints")
        table = Table(protocol.name, rows_of(stored))
        place = folder / name / protocol.name
        found.files[place.with_name(f"{place.name}.md")] = tables.page(table, reported)
        found.files[place.with_name(f"{place.name}.csv")] = frames.values(table)
        found.index.append(tables.in_index(table, name))
        found.records.extend(map(frames.facts, stored))
        found.measured.update(_measured(table, reported))
        of_protocols.append(table)
    found.files[folder / name / "README.md"] = tables.side_by_side(of_protocols)
    return found


def _measured(table: Table, reported: ByMethod) -> Measured:
    dataset = table.first.dataset
    found: Measured = {}
    for method in dict.fromkeys(row.first.method for row in table.rows):
        for number in reported.get(method, ()):
            if (number.dataset, number.protocol) == (dataset.name, table.first.protocol):
                value = tables.measured(table, method, number)
                if value is not None:
                    found[method, number, dataset.edition] = value
    return found
