"""Ask a finished run with a photograph of one's own for what is most like it in its gallery.

The run is opened again from its record: the same data, code and weights, or an error that says what
has changed. Nothing is trained; features that the run stored are used as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import cast

import numpy as np
import numpy.typing as npt

from bench import features, search
from bench import run as flow
from bench.catalog import BOX, Catalog
from bench.errors import IncompatibleError, RecordError, UnknownNameError, UserError
from bench.features import Plan
from bench.interfaces import Changer, Recogniser
from bench.plugins import Registry
from bench.protocols import Protocol
from bench.records import Record, finished
from bench.reproduction import request_of, runs_of
from bench.tasks import Condition, Rows, Task


@dataclass(frozen=True)
class Opened:
    """A run with its data and its method, whose weights are those that it had."""

    record: Record
    plan: Plan
    protocol: Protocol

    @property
    def catalog(self) -> Catalog:
        """The images of the run."""
        return self.plan.catalog

    def gallery(self) -> Rows:
        """Return every catalog row that some task of the protocol searches, ascending."""
        tasks = [task for task in self.protocol.tasks if isinstance(task, Task)]
        if not tasks:
            raise IncompatibleError(
                f"protocol {self.protocol.name} has no gallery to search; choose a run of one that "
                "has"
            )
        return np.unique(np.concatenate([task.gallery for task in tasks]))


@dataclass(frozen=True, eq=False)
class Question:
    """An image file, cut to a box (4,) unless that is NaN; `row` where it is of the catalog."""

    file: Path
    box: npt.NDArray[np.float32]
    row: int | None = None

    @classmethod
    def of(cls, opened: Opened, named: str) -> Question:
        """Return what is asked by the id of an image of the data, or by the path of a file.

        Raises `UserError` for what is neither.
        """
        images = opened.catalog.images
        rows = np.flatnonzero(images["id"] == named)
        if len(rows):
            facts = images.iloc[rows[0]]
            file = opened.catalog.root / str(facts["path"])
            return cls(file, facts[list(BOX)].to_numpy(np.float32), int(rows[0]))
        if not Path(named).is_file():
            raise UserError(
                f"{named} is neither a file nor the id of an image of {opened.catalog.name}"
            )
        return cls(Path(named), np.full(4, np.nan, np.float32))


@dataclass(frozen=True)
class Answer:
    """One image that was found, its score (higher is nearer), and its attributes by name."""

    rank: int
    row: int
    id: str
    score: float
    attributes: dict[str, str]


@dataclass(frozen=True)
class Answers:
    """What was found, and what was looked for: `wanted` are values of attributes, where known.

    `seen` are those that the method recognises in the photograph, before any is changed.
    """

    found: list[Answer]
    wanted: dict[str, str]
    seen: dict[str, str]


def open_run(
    run: Path, registry: Registry, *, data_root: Path | None, listener: flow.Listener
) -> Opened:
    """Return a finished run, opened again.

    Raises `RecordError` for a folder that is none, `UserError` where data, code or recipe are no
    longer those of the run.
    """
    folder = run.parent if run.name == "record.json" else run
    record = finished(folder)
    if record is None or record.origin != "run":
        raise RecordError(
            f"{run} is no finished run of a method; expected a folder that `bench run` has made"
        )
    request = request_of(record, run, registry, data_root=data_root, runs=runs_of(folder))
    prepared = flow.prepare(request, registry, listener)
    [work] = prepared.works
    if prepared.place(work, work.protocols[0]).folder.resolve() != folder.resolve():
        raise UserError(
            f"{run} was made with other data, code or versions than these; run again: "
            f"{record.provenance.command}"
        )
    return Opened(record, work.plan, work.protocols[0])


def ask(
    opened: Opened, question: Question, *, changes: Mapping[str, str], like: Sequence[str],
    keep: int, count: int, notice: Callable[[str], None], progress: Callable[[int, int], None],
) -> Answers:  # fmt: skip
    """Return the `count` gallery images most like a photograph with the values of `changes`.

    An image of the gallery is not its own answer. With `like` they are like it in these attributes
    alone, step by step: of the `keep` images that are most like it in one, those most like it in
    the next. Raises `UnknownNameError` for an attribute or value that the data do not have,
    `IncompatibleError` for what the method cannot do.
    """
    plan, catalog = opened.plan, opened.catalog
    conditions = [_condition(catalog, name, value) for name, value in changes.items()]
    for name in like:
        _require_attribute(catalog, name)
    if like and conditions:
        raise UserError("--like and --set: what is like in some attributes has no other to set")
    extractor = plan.extractor
    if conditions and not isinstance(extractor, Changer):
        raise IncompatibleError(
            f"{opened.record.method} compares images as they are; --set needs a method that "
            "changes attributes, as fashionsearchnet"
        )
    rows = opened.gallery()
    stored = features.extract(
        plan, rows, skip_damaged=opened.record.dataset.damaged > 0, progress=progress,
        notice=notice,
    )  # fmt: skip
    rows = np.setdiff1d(rows, stored.damaged)
    rows = rows[rows != question.row]
    domains = catalog.images["domain"].iloc[opened.protocol.tasks[0].queries].astype("str")
    asked = features.of_photograph(plan, question.file, question.box, domains.mode().iloc[0])
    seen = recognised(opened, asked)
    own = seen if question.row is None else catalog.values_of(question.row)
    for change in conditions:
        asked = cast(Changer, extractor).change(asked, change)
    compared = extractor.for_gallery if conditions else extractor.for_query
    steps: list[Condition | None] = [Condition(name) for name in like]
    steps = steps or [None]
    for number, condition in enumerate(steps, 1):
        query = compared(asked, condition)
        gallery = search.Gallery.transformed(
            stored.features, rows, partial(extractor.for_gallery, condition=condition)
        )
        depth = count if number == len(steps) else keep
        [places] = search.search(query, gallery, distance=extractor.distance, depth=depth)
        places = places[places >= 0]
        if number < len(steps):
            rows = np.sort(rows[places])
    scores = search.pair_scores(
        np.repeat(query, len(places), axis=0),
        gallery.features[gallery.rows[places]],
        extractor.distance,
    )
    ids = catalog.images["id"]
    found = [
        Answer(rank, int(rows[place]), str(ids.iloc[rows[place]]), float(score),
               catalog.values_of(int(rows[place])))
        for rank, (place, score) in enumerate(zip(places, scores, strict=True), 1)
    ]  # fmt: skip
    wanted = {**own, **changes}
    if like:
        wanted = {name: value for name, value in own.items() if name in like}
    return Answers(found, wanted, seen)


def recognised(opened: Opened, asked: npt.NDArray[np.float32]) -> dict[str, str]:
    """Return the value of each attribute that the method recognises in features (1, D)."""
    extractor = opened.plan.extractor
    if not isinstance(extractor, Recogniser):
        return {}
    found = {}
    for attribute in opened.catalog.schema.attributes:
        try:
            scores = extractor.recognise(asked, Condition(attribute.name))
        except IncompatibleError:  # it has not learnt this one
            continue
        found[attribute.name] = attribute.values[int(scores[0, : len(attribute.values)].argmax())]
    return found


def _condition(catalog: Catalog, name: str, value: str) -> Condition:
    """Return the condition that an attribute becomes a value."""
    attribute = _require_attribute(catalog, name)
    if value not in attribute:
        raise UnknownNameError(f"value of {name}", value, attribute)
    return Condition(name, np.array([attribute.index(value)]))


def _require_attribute(catalog: Catalog, name: str) -> Sequence[str]:
    """Return the values of an attribute of the data."""
    known = {attribute.name: attribute.values for attribute in catalog.schema.attributes}
    if name not in known:
        raise UnknownNameError(f"attribute of {catalog.dataset}", name, known)
    return known[name]
