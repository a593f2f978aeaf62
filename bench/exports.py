"""What a finished run leaves, in other programs' formats: rankings as TREC, features as arrays.

    DIR/TASK.run       QUERY Q0 GALLERY RANK SCORE TAG, the ranks that the run kept
    DIR/TASK.qrels     QUERY 0 GALLERY 1, every relevant gallery image of each query
    FILE.parquet       id, features (a list of float32)
    FILE.npy           (n, D) float32, and FILE.ids.txt, one id a line

The data are read again, and what is no longer as it was in the run is refused: another protocol
fingerprint, or other code, weights or images where features are asked for.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import TextIO

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from bench import records
from bench.catalog import Catalog
from bench.data import Data, read_data
from bench.errors import RecordError, UserError
from bench.features import Extraction, extract
from bench.given_rankings import targets
from bench.plugins import Registry
from bench.protocols import Protocol
from bench.ranking import candidate_names
from bench.ranking_files import trec_name
from bench.records import Record
from bench.reproduction import data_request, request_of, runs_of
from bench.run import Listener, Prepared, prepare
from bench.scoring import KEPT
from bench.storage import replacing, write_text
from bench.tasks import AnyTask, RecognitionTask, Rows, Task, TripletTask

Names = npt.NDArray[np.object_]

_BLOCK = 4096  # images whose features are written at once


@dataclass(frozen=True)
class FinishedRun:
    """A run that ended, its record unaltered."""

    folder: Path
    record: Record

    @classmethod
    def open(cls, source: Path) -> FinishedRun:
        """Return the run of a run folder or of its record.json."""
        folder = source if source.is_dir() else source.parent
        record = records.finished(folder)
        if record is None:
            raise RecordError(
                f"{source} is not a finished run; expected a folder with record.json and DONE"
            )
        return cls(folder, record)


@dataclass(frozen=True)
class Exporter:
    """What exports of one run share: the run, and where its data are found again."""

    run: FinishedRun
    registry: Registry
    listener: Listener
    data_root: Path | None = None
    replace: bool = False  # files that are there already

    def rankings(self, folder: Path) -> list[Path]:
        """Write a TREC run and its qrels for each task; return the files."""
        record = self.run.record
        stems = _stems([task.task for task in record.tasks])
        files = [folder / f"{stem}.{ending}" for stem in stems for ending in ("run", "qrels")]
        self._require_absent(files)
        data, protocol = self._data()
        tag = trec_name(f"{record.method}--{record.variant}")
        for task, stem in zip(protocol.tasks, stems, strict=True):
            name = partial(_query_name, task.name, several=len(protocol.tasks) > 1)
            queries = [
                name(query, target)
                for query, target in zip(
                    _ids(data.catalog)[task.queries], targets(task, data.catalog), strict=True
                )
            ]
            if len(set(queries)) < len(queries):
                raise UserError(
                    f"{self.run.folder}: task {task.name} asks with one image several times, "
                    "which a TREC file cannot tell apart"
                )
            with _writing(folder / f"{stem}.qrels") as file:
                file.writelines(_qrels(task, queries, data.catalog))
            with _writing(folder / f"{stem}.run") as file:
                file.writelines(_run(self.run.folder / "rankings.parquet", task.name, name, tag))
        return files

    def features(self, file: Path) -> list[Path]:
        """Write the features of the run's images, .parquet or .npy with ids; return the files.

        They come from the feature store, or are extracted again, to the same digits.
        """
        ending = file.suffix.lower()
        if ending not in {".parquet", ".npy"}:
            raise UserError(f"--features {file}: expected a name that ends in .parquet or .npy")
        beside = file.with_suffix(".ids.txt")
        files = [file, beside] if ending == ".npy" else [file]
        self._require_absent(files)
        prepared = self._prepared()
        extraction, rows = self._extracted(prepared)
        ids = _ids(prepared.data.catalog)[rows]
        if ending == ".parquet":
            _write_parquet(file, ids, extraction.features, rows)
            return files
        if any(len(name.splitlines()) != 1 for name in ids):
            raise UserError(f"{beside}: an id has line breaks; write a .parquet file instead")
        _write_array(file, extraction.features, rows)
        write_text(beside, "".join(f"{name}\n" for name in ids))
        return files

    def _require_absent(self, files: Sequence[Path]) -> None:
        there = [file for file in files if file.exists()]
        if there and not self.replace:
            raise UserError(f"{there[0]} is there already; write over it with --replace")

    def _prepared(self) -> Prepared:
        """Return the run as it was before extraction; refuse what would extract otherwise now."""
        record = self.run.record
        if record.origin != "run":
            raise RecordError(
                f"{self.run.folder} was scored from a file of rankings; it has no features"
            )
        request = request_of(
            record, self.run.folder, self.registry, data_root=self.data_root,
            runs=runs_of(self.run.folder),
        )  # fmt: skip
        for skip in (False, True):
            prepared = prepare(replace(request, skip_damaged=skip), self.registry, self.listener)
            (work,) = prepared.works
            place = prepared.place(work, work.protocols[0])
            if place.key == record.run_key:
                break
        else:
            raise RecordError(
                f"{self.run.folder}: code, weights, images or metrics have changed since "
                f"this run, and its features with them; run it again: {record.provenance.command}"
            )
        return prepared

    def _extracted(self, prepared: Prepared) -> tuple[Extraction, Rows]:
        """Return the run's features and the rows of its images that can be read."""
        rows = prepared.data.protocols[0].rows()
        extraction = extract(
            prepared.works[0].plan, rows, skip_damaged=self.run.record.dataset.damaged > 0,
            progress=self.listener.progress, notice=self.listener.notice,
        )  # fmt: skip
        return extraction, np.setdiff1d(rows, extraction.damaged)

    def _data(self) -> tuple[Data, Protocol]:
        """Return the data of the run and its protocol, damaged images left out as in the run."""
        record = self.run.record
        damaged = np.zeros(0, np.int64)
        if record.dataset.damaged:  # which ones they are is known to the feature store alone
            prepared = self._prepared()
            data, damaged = prepared.data, self._extracted(prepared)[0].damaged
        else:
            request = data_request(record, self.registry, data_root=self.data_root)
            data = read_data(request, self.registry, self.listener.notice)
        protocol = data.protocols[0].without(damaged)
        found = protocol.fingerprint(data.catalog)
        if found != record.protocol_fingerprint:
            raise RecordError(
                f"{self.run.folder}: protocol {record.protocol} has fingerprint "
                f"{record.protocol_fingerprint[:8]} in the record and {found[:8]} on these data; "
                "give the data of the run with --data-root, or run again"
            )
        return data, protocol


def _ids(catalog: Catalog) -> Names:
    return catalog.images["id"].to_numpy(dtype=object)


def _stems(names: Sequence[str]) -> list[str]:
    """Return a file name for each task; two that come to the same get their numbers."""
    stems = [records.as_folder(name) for name in names]
    return [
        stem if stems.count(stem) == 1 else f"{stem}-{number}"
        for number, stem in enumerate(stems, start=1)
    ]


def _query_name(task: str, query: str, target: str, *, several: bool) -> str:
    if target:
        return trec_name(task, query, target)
    return trec_name(task, query) if several else trec_name(query)


@contextlib.contextmanager
def _writing(path: Path) -> Iterator[TextIO]:
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8", newline="\n") as file:
        yield file


def _qrels(task: AnyTask, queries: Sequence[str], catalog: Catalog) -> Iterator[str]:
    """Yield the lines of each query's relevant candidates; none where nothing is relevant."""
    candidate = candidate_names(task, _ids(catalog))
    written = cache(trec_name)
    for row, positions in enumerate(_relevant_positions(task)):
        names = candidate(np.full(len(positions), row), positions.astype(np.int32))
        yield "".join(f"{queries[row]} 0 {written(name)} 1\n" for name in names)


def _relevant_positions(task: AnyTask) -> Iterator[Rows]:
    """Yield the positions of the relevant candidates of one query after another, (n,) each."""
    if isinstance(task, Task):
        order = np.argsort(task.gallery_codes, kind="stable")
        codes = task.gallery_codes[order]
        first = np.searchsorted(codes, task.query_codes)
        last = np.where(
            task.query_codes < 0, first, np.searchsorted(codes, task.query_codes, side="right")
        )
        for start, end, own in zip(first.tolist(), last.tolist(), task.own().tolist(), strict=True):
            found = order[start:end]
            yield found[found != own]
    elif isinstance(task, RecognitionTask):
        yield from task.labels[:, None]
    else:
        assert isinstance(task, TripletTask)  # noqa: S101 (there are three kinds)
        yield from np.ones((len(task.queries), 1), np.int64)  # the positive stands at position 1


def _run(rankings: Path, task: str, name: Callable[[str, str], str], tag: str) -> Iterator[str]:
    """Yield the lines of the kept ranks, in chunks; the score falls by one with each rank."""
    try:
        table = pq.read_table(rankings, filters=[("task", "==", task)])
    except (OSError, pa.ArrowException) as error:
        reason = " ".join(str(error).split())
        raise RecordError(f"{rankings}: {reason}; remove the run's folder and run again") from None
    written, named = cache(trec_name), cache(name)
    for batch in table.to_batches(max_chunksize=1 << 16):
        rows = zip(
            *(batch[column].to_pylist() for column in ("query", "target", "gallery", "rank")),
            strict=True,
        )
        yield "".join(
            f"{named(query, target)} Q0 {written(image)} {rank} {KEPT + 1 - rank} {tag}\n"
            for query, target, image, rank in rows
        )


def _write_parquet(file: Path, ids: Names, values: npt.NDArray[np.float32], rows: Rows) -> None:
    width = values.shape[1]
    schema = pa.schema([("id", pa.string()), ("features", pa.list_(pa.float32(), width))])
    with replacing(file) as temporary, pq.ParquetWriter(temporary, schema) as writer:
        for start in range(0, len(rows), _BLOCK):
            block = slice(start, start + _BLOCK)
            flat = pa.array(np.ascontiguousarray(values[rows[block]]).reshape(-1))
            arrays = [pa.array(ids[block], pa.string()),
                      pa.FixedSizeListArray.from_arrays(flat, width)]  # fmt: skip
            writer.write_table(pa.table(arrays, schema=schema))


def _write_array(file: Path, values: npt.NDArray[np.float32], rows: Rows) -> None:
    with replacing(file) as temporary:
        shape = (len(rows), values.shape[1])
        array = np.lib.format.open_memmap(temporary, "w+", np.float32, shape)
        for start in range(0, len(rows), _BLOCK):
            array[start : start + _BLOCK] = values[rows[start : start + _BLOCK]]
        array.flush()
