"""Rankings that a file names by ids, as positions in the galleries of a protocol.

Every query of every task must be there, and nothing that the protocol does not know. Where rows
have ranks, these must be 1, 2, 3 … for each query; where they have scores alone, the order is by
score, and equal scores stand in gallery order. The query's own image is left out wherever it
stands, and counted. Ranks below the last one given are unknown, so a metric that needs one is not
computed (`GivenRanking.lacks`). Memory: about 50 bytes a row of the file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np
import numpy.typing as npt
import pandas as pd

from bench.annotations import shown
from bench.catalog import Catalog
from bench.errors import DataError, IncompatibleError
from bench.interfaces import MetricSpec
from bench.metrics import Ranking
from bench.protocols import Protocol
from bench.ranking_files import Names, Part, RankingFile
from bench.tasks import AnyTask, RecognitionTask, Rows, Task, TripletTask

_QUERIES = 1024  # ranked at once

Notice = Callable[[str], None]
Name = Callable[[int], str]  # what a query is called in messages, by its row in the task


@dataclass(frozen=True, eq=False)
class GivenRanking:
    """The ranking of one task: (n,) positions, query after query, best first; `listed` (Q,) each.

    It is not a matrix, since one query may be ranked a thousand times deeper than the others.
    """

    task: AnyTask
    positions: npt.NDArray[np.int32]
    listed: Rows

    def rank(self, *, depth: int, first_relevant: bool) -> Iterator[tuple[slice, Ranking]]:
        """Yield the ranking of each block of queries, `depth` deep; see `bench.ranking.rank`.

        Ranks that are not given are empty; the first relevant image is the first of those given.
        """
        counts = self.task.relevant_counts()
        for start in range(0, len(counts), _QUERIES):
            rows = slice(start, min(start + _QUERIES, len(counts)))
            query, rank, given = self._block(rows)
            positions = np.full((rows.stop - start, depth), -1, np.int32)
            within = rank < depth
            positions[query[within] - start, rank[within]] = given[within]
            relevant = _relevant(self.task, np.arange(start, rows.stop)[:, None], positions)
            first = self._first_relevant[rows] if first_relevant else None
            yield rows, Ranking(positions, relevant, counts[rows], first)

    def _block(self, rows: slice) -> tuple[Rows, Rows, npt.NDArray[np.int32]]:
        """Return query, rank from 0 and position of what a block of queries ranks, (n,) each."""
        listed = self.listed[rows]
        start = int(self.listed[: rows.start].sum())
        query = np.repeat(np.arange(rows.start, rows.start + len(listed)), listed)
        rank = np.arange(len(query)) - np.repeat(np.cumsum(listed) - listed, listed)
        return query, rank, self.positions[start : start + len(query)]

    @cached_property
    def depth(self) -> int:
        """How many ranks of every query are known: all, where the whole gallery is ranked."""
        shallow = self.listed < self._reachable
        return int(self.listed[shallow].min()) if shallow.any() else self.task.candidates()

    def lacks(self, metric: MetricSpec, k: int) -> str:
        """Return which ranks the metric needs and the file has not, or "" if it has all."""
        counts = self.task.relevant_counts()
        most, of_count = np.unique(counts, return_inverse=True)
        depths = np.array([metric.depth(k, count) for count in most.tolist()], np.int64)
        needed = np.minimum(depths[of_count.reshape(-1)], self._reachable)
        short = np.flatnonzero(self.listed < needed)
        if len(short):
            worst = short[np.argmax(needed[short] - self.listed[short])]
            return (
                f"needs {needed[worst]:,} ranks of a query for which {self.listed[worst]:,} "
                "are known"
            )
        if metric.needs_first_relevant:
            unknown = (self._first_relevant == 0) & (counts > 0) & (self.listed < self._reachable)
            if unknown.any():
                return (
                    f"needs the first relevant image, which is not among the known ranks of "
                    f"{unknown.sum():,} of {len(unknown):,} queries"
                )
        return ""

    @cached_property
    def _reachable(self) -> Rows:
        """How many candidates each query can rank, its own image left out, (Q,)."""
        return self.task.candidates() - (_own(self.task) >= 0)

    @cached_property
    def _first_relevant(self) -> Rows:
        """The rank of the first relevant candidate among those given, (Q,), from 1; 0 if none."""
        first = np.zeros(len(self.listed), np.int64)
        for start in range(0, len(first), _QUERIES):
            query, rank, given = self._block(slice(start, start + _QUERIES))
            relevant = np.flatnonzero(_relevant(self.task, query, given))[::-1]
            first[query[relevant]] = rank[relevant] + 1  # of several, the last one written stays
        return first


def read_rankings(
    file: RankingFile, protocol: Protocol, catalog: Catalog, notice: Notice
) -> list[GivenRanking]:
    """Return the file's ranking of each task of the protocol.

    Raises `DataError`, with the line where there is one, for names that the protocol does not know,
    queries that are absent, ranks that are not 1, 2, 3 …, and an image that stands twice.
    """
    names = _Names(file, protocol, catalog)
    gathered: list[list[_Rows]] = [[] for _ in protocol.tasks]
    for part in file.parts(notice):
        for task, rows in names.resolve(part):
            gathered[task].append(rows)
    return [
        _in_order(file, protocol.tasks[number], partial(names.query, number), rows, notice)
        for number, rows in enumerate(map(_Rows.joined, gathered))
    ]


@dataclass(frozen=True)
class _Rows:
    """Rows of a file that belong to one task, (n,) each: line, query, position, order."""

    numbers: Rows
    query: Rows
    position: Rows
    rank: Rows | None
    score: npt.NDArray[np.float64] | None

    @classmethod
    def joined(cls, rows: list[_Rows]) -> _Rows:
        none = np.zeros(0, np.int64)
        if not rows:
            return cls(none, none, none, none, None)
        first = rows[0]
        return cls(
            np.concatenate([part.numbers for part in rows]),
            np.concatenate([part.query for part in rows]),
            np.concatenate([part.position for part in rows]),
            None if first.rank is None else np.concatenate([part.rank for part in rows]),
            None if first.score is None else np.concatenate([part.score for part in rows]),
        )


class _Names:
    """The names of a protocol's tasks, queries, targets and candidates, as numbers."""

    def __init__(self, file: RankingFile, protocol: Protocol, catalog: Catalog) -> None:
        self._file = file
        self._tasks = protocol.tasks
        self._ids = catalog.images["id"].to_numpy(dtype=object)
        self._images = pd.Index(self._ids, dtype=object)
        self._task_names = pd.Index([task.name for task in protocol.tasks], dtype=object)
        self._wanted = [targets(task, catalog) for task in protocol.tasks]
        every = dict.fromkeys(value for wanted in self._wanted for value in wanted)
        self._targets = pd.Index(list(every), dtype=object)
        keys = [
            self._key(number, task.queries, self._targets.get_indexer(pd.Index(wanted)))
            for number, (task, wanted) in enumerate(zip(protocol.tasks, self._wanted, strict=True))
        ]
        self._keys = np.concatenate(keys)
        self._order = np.argsort(self._keys, kind="stable")
        self._sorted = self._keys[self._order]
        self._starts = np.cumsum([0, *(len(task.queries) for task in protocol.tasks)])
        twice = np.flatnonzero(self._sorted[1:] == self._sorted[:-1])
        if len(twice):
            place = int(self._order[twice[0]])
            task = protocol.tasks[int(np.searchsorted(self._starts, place, side="right")) - 1]
            raise IncompatibleError(
                f"{file.path}: task {task.name} of {protocol.name} asks with one image several "
                "times, which a file of rankings cannot tell apart; run a method instead"
            )

    def query(self, number: int, row: int) -> str:
        """Return what a query of a task, given by its number, is called in messages."""
        name, target = shown(self._ids[self._tasks[number].queries[row]]), self._wanted[number][row]
        return f"{name} with target {shown(target)}" if target else name

    def resolve(self, part: Part) -> Iterator[tuple[int, _Rows]]:
        """Yield, for each task that a part names, its number and rows."""
        tasks = self._task_names.get_indexer(pd.Index(part.task.texts, dtype=object))
        if len(self._tasks) == 1:  # whose name may be left out
            tasks = np.where(part.task.texts == "", 0, tasks)
        task = self._known(part, part.task, tasks, "task", self._task_names)
        images = self._images.get_indexer(pd.Index(part.query.texts, dtype=object))
        image = self._known(part, part.query, images, "query", self._images)
        targets = self._targets.get_indexer(pd.Index(part.target.texts, dtype=object))
        target = self._known(part, part.target, targets, "target", self._targets)
        key = self._key(task, image, target)
        at = np.minimum(np.searchsorted(self._sorted, key), len(self._sorted) - 1)
        strange = np.flatnonzero(self._sorted[at] != key)
        if len(strange):
            raise self._no_query(part, int(strange[0]), int(task[strange[0]]))
        place = self._order[at]
        for number in np.unique(task).tolist():
            chosen = np.flatnonzero(task == number)
            query = place[chosen] - self._starts[number]
            position = self._positions(part, chosen, query, self._tasks[number])
            yield (
                number,
                _Rows(
                    part.numbers[chosen],
                    query,
                    position,
                    None if part.rank is None else part.rank[chosen],
                    None if part.score is None else part.score[chosen],
                ),
            )

    def _key(self, task: int | Rows, image: Rows, target: Rows) -> Rows:
        return (task * len(self._images) + image) * len(self._targets) + target

    def _known(
        self, part: Part, names: Names, found: Rows, what: str, known: pd.Index[str]
    ) -> Rows:
        """Return the number of each row's name; the first name that is none is refused."""
        numbers = np.asarray(found, np.int64)[names.codes]
        wrong = np.flatnonzero(numbers < 0)
        if len(wrong):
            text = str(names.texts[names.codes[wrong[0]]])
            few = ", ".join(map(str, known[:6])) + (", …" if len(known) > 6 else "")
            expected = "an image's id, as in " if what == "query" else ""
            raise self._file.error(
                int(part.numbers[wrong[0]]), f"unknown {what} {shown(text)}", f"{expected}{few}"
            )
        return numbers

    def _no_query(self, part: Part, row: int, number: int) -> DataError:
        task = self._tasks[number]
        text = str(part.query.texts[part.query.codes[row]])
        target = str(part.target.texts[part.target.codes[row]])
        given = f" with target {shown(target)}" if target else ""
        expected = f"one of its {len(task.queries):,} queries, as {self.query(number, 0)}"
        return self._file.error(
            int(part.numbers[row]), f"{shown(text)}{given} is no query of task {task.name}",
            expected,
        )  # fmt: skip

    def _positions(self, part: Part, chosen: Rows, query: Rows, task: AnyTask) -> Rows:
        """Return the position of each chosen row's candidate among those of its query."""
        names = Names(part.gallery.texts, part.gallery.codes[chosen])
        texts = pd.Index(names.texts, dtype=object)
        if isinstance(task, RecognitionTask):
            values = pd.Index(task.values, dtype=object)
            position = values.get_indexer(texts)[names.codes]
            offered = f"one of the values {', '.join(task.values[:6])}"
        else:
            image = self._images.get_indexer(texts)[names.codes]
            position = np.full(len(image), -1)
            if isinstance(task, TripletTask):
                position[image == task.negatives[query]] = 0
                position[image == task.positives[query]] = 1
                offered = "the positive or the negative of this triplet"
            elif isinstance(task, Task):
                place = np.full(len(self._images) + 1, -1)  # the last one is for unknown ids, -1
                place[task.gallery] = np.arange(len(task.gallery))
                position = place[image]
                offered = f"one of its {len(task.gallery):,} gallery images"
            else:
                raise TypeError(f"a task of kind {task.kind!r}")
        wrong = np.flatnonzero(position < 0)
        if len(wrong):
            text = str(names.texts[names.codes[wrong[0]]])
            raise self._file.error(
                int(part.numbers[chosen[wrong[0]]]),
                f"{shown(text)} in the gallery of task {task.name}",
                offered,
            )
        return np.asarray(position, np.int64)


def _in_order(
    file: RankingFile, task: AnyTask, name: Name, rows: _Rows, notice: Notice
) -> GivenRanking:
    """Return a task's rows as a ranking, once nothing is absent, out of place or twice."""
    there = np.bincount(rows.query, minlength=len(task.queries))
    absent = np.flatnonzero(there == 0)
    if len(absent):
        raise DataError(
            f"{file.path}: {len(absent):,} of {len(there):,} queries of task {task.name} are not "
            f"there, the first is {name(int(absent[0]))}; expected every query"
        )
    _require_once(file, task, name, rows)
    if rows.rank is not None:
        order = np.lexsort((rows.rank, rows.query))
        _require_ranks(file, task, name, rows, order)
        _tell_rising_scores(file, rows, order, notice)
    else:
        assert rows.score is not None  # noqa: S101 (a file has either)
        order = np.lexsort((rows.position, -rows.score, rows.query))
        same = (np.diff(rows.query[order]) == 0) & (np.diff(rows.score[order]) == 0)
        if same.any():
            notice(f"{file.path}: {same.sum():,} images have the score of the one before them; "
                   "equal scores stand in gallery order")  # fmt: skip
    query, position = rows.query[order], rows.position[order]
    own = _own(task)[query] == position
    if own.any():
        notice(f"{file.path}: the query's own image left out of {own.sum():,} rankings of "
               f"task {task.name}")  # fmt: skip
        query, position = query[~own], position[~own]
    listed = np.bincount(query, minlength=len(task.queries))
    return GivenRanking(task, position.astype(np.int32), listed)


def _require_once(file: RankingFile, task: AnyTask, name: Name, rows: _Rows) -> None:
    key = rows.query * task.candidates() + rows.position
    in_order = np.sort(key)
    if (in_order[1:] == in_order[:-1]).any():
        row = int(np.flatnonzero(pd.Series(key).duplicated())[0])
        raise file.error(
            int(rows.numbers[row]),
            f"a candidate of {name(int(rows.query[row]))} a second time",
            "each once in a query's ranking",
        )


def _require_ranks(file: RankingFile, task: AnyTask, name: Name, rows: _Rows, order: Rows) -> None:
    assert rows.rank is not None  # noqa: S101 (asked for only then)
    query, rank = rows.query[order], rows.rank[order]
    counts = np.bincount(query, minlength=len(task.queries))
    expected = np.arange(1, len(query) + 1) - (np.cumsum(counts) - counts)[query]
    wrong = np.flatnonzero(rank != expected)
    if len(wrong):
        at = int(wrong[0])
        raise file.error(
            int(rows.numbers[order[at]]),
            f"rank {rank[at]} of {name(int(query[at]))} in place of {expected[at]}",
            "ranks 1, 2, 3 … of each query, without gaps and none twice",
        )


def _tell_rising_scores(file: RankingFile, rows: _Rows, order: Rows, notice: Notice) -> None:
    """Say where ranks and scores disagree: other programs follow the scores of a TREC run."""
    if rows.score is None or file.kind not in {".trec", ".run", ".txt"}:
        return
    query, score = rows.query[order], rows.score[order]
    rising = (np.diff(query) == 0) & (np.diff(score) > 0)
    if rising.any():
        queries = len(np.unique(query[1:][rising]))
        notice(f"{file.path}: in {queries:,} rankings a score is higher than that of the rank "
               "before; the ranks are followed, trec_eval would follow the scores")  # fmt: skip


def _own(task: AnyTask) -> Rows:
    """Return the gallery position that each query ignores, (Q,); -1 where it has none."""
    return task.own() if isinstance(task, Task) else np.full(len(task.queries), -1)


def targets(task: AnyTask, catalog: Catalog) -> npt.NDArray[np.object_]:
    """Return the value that each query's attribute becomes, (Q,); "" where none is changed."""
    if task.condition is None or task.condition.targets is None:
        return np.full(len(task.queries), "", dtype=object)
    values = catalog.schema.attribute(task.condition.attribute).values
    return np.array(values, dtype=object)[task.condition.targets]


def _relevant(task: AnyTask, query: Rows, position: npt.NDArray[np.int32]) -> npt.NDArray[np.bool_]:
    """Return which candidates are relevant to which queries; an empty rank (-1) never is."""
    if isinstance(task, TripletTask):
        relevant = position == 1
    elif isinstance(task, RecognitionTask):
        relevant = position == task.labels[query]
    else:
        assert isinstance(task, Task)  # noqa: S101 (there are three kinds)
        codes = task.query_codes[query]
        relevant = (task.gallery_codes[position] == codes) & (codes >= 0) & (position >= 0)
    return np.asarray(relevant, np.bool_)
