"""The runs by which claims are decided, found by what they were made with.

They come from a folder of finished runs, or from the records of leaderboards.

Runs are compared only within one *setting*: the same kind of edition, budget, precision, options of
the data, and the same recipe but for what the sides of a claim name.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from bench.claim_files import Check, Place, Side, places, sides
from bench.entries import Queries, Run, require_comparable
from bench.errors import RecordError, UserError
from bench.interfaces import MethodSpec
from bench.plugins import Registry
from bench.recipes import FULL, fields, flatten, make_options, make_recipe
from bench.records import Record, as_folder, finished
from bench.statistics import Floats


@dataclass(frozen=True)
class Setting:
    """What all runs of a comparison share; `recipe` are changes of variant and budget.

    `options` are those of the data that are not the default.
    """

    edition: Literal["full", "mini"] = "full"
    budget: str = FULL
    precision: str = "fp32"
    recipe: Mapping[str, Any] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)

    def of(self, other: MethodSpec) -> Setting:
        """Return the setting in which another method's runs compare: its own recipe, unchanged."""
        return replace(
            self, budget=self.budget if self.budget in other.budgets else FULL, recipe={}
        )


@dataclass(frozen=True)
class Finished:
    """A run: its folder, or the file of its record in a leaderboards folder, and its record."""

    folder: Path
    record: Record


# of a method, by its name, the runs that there are
Source = Callable[[str], Iterable[Finished]]


def in_folder(runs: Path) -> Source:
    """Return the finished runs of a folder that `bench run` has made.

    It raises `RecordError` for a record that was altered.
    """

    def of_method(method: str) -> Iterator[Finished]:
        for done in sorted(runs.glob(f"*/{as_folder(method)}--*/*/DONE")):
            record = finished(done.parent)
            if record is not None:
                yield Finished(done.parent, record)

    return of_method


def among(every: Sequence[Finished]) -> Source:
    """Return runs that are known already."""
    return lambda method: (run for run in every if run.record.method == method)


@dataclass(frozen=True)
class Measured:
    """The runs of one side, with their values (Q, M) of some metrics averaged over seeds."""

    runs: list[Run]
    values: Floats
    asked: Queries

    @property
    def folders(self) -> list[str]:
        """Where the runs are."""
        return [str(run.folder) for run in self.runs]


def find_runs(
    method: MethodSpec, checks: Sequence[Check], registry: Registry, runs: Source
) -> list[Evidence]:
    """Return the runs that checks ask for, gathered by setting, in order.

    A run is left out if its variant, budget or recipe fields are none that the method has now.
    """
    asked = {place for check in checks for place in places(check)}
    named = [side for check in checks for side in sides(check)]
    found: dict[str, tuple[Setting, list[Finished]]] = {}
    for run in _finished(method, asked, runs):
        setting = _setting(run.record, method, registry, [s for s in named if not s.method])
        if setting is not None:
            found.setdefault(json.dumps(asdict(setting)), (setting, []))[1].append(run)
    for name in dict.fromkeys(side.method for side in named if side.method):
        other = registry.method(name)
        for run in _finished(other, asked, runs):
            theirs = _setting(run.record, other, registry, [s for s in named if s.method == name])
            for setting, shared in found.values():
                if theirs == setting.of(other):
                    shared.append(run)
    return [Evidence(method, registry, *found[key]) for key in sorted(found)]


def _finished(method: MethodSpec, asked: Container[Place], runs: Source) -> Iterator[Finished]:
    """Yield the runs of a method at the places asked for."""
    for run in runs(method.name):
        record = run.record
        if (record.origin, record.method) != ("run", method.name):
            continue
        if Place(dataset=record.dataset.name, protocol=record.protocol) in asked:
            yield run


class Evidence:
    """The runs of one setting, found by side, place and metrics.

    Runs of other methods that sides name are among them: they share edition, precision and options.
    """

    def __init__(
        self,
        method: MethodSpec,
        registry: Registry,
        setting: Setting,
        found: Sequence[Finished],
    ) -> None:
        self.method, self.registry, self.setting, self.found = method, registry, setting, found
        self._read: dict[Path, Run] = {}

    @property
    def backbones(self) -> list[str]:
        """The backbones of the runs, and which one of the paper's they stand in for."""
        return sorted({_backbone(record) for record in self._own})

    @property
    def data(self) -> list[str]:
        """The dataset editions on which the method was run."""
        return sorted({record.edition_name for record in self._own})

    @property
    def _own(self) -> list[Record]:
        return [run.record for run in self.found if run.record.method == self.method.name]

    def of(self, side: Side, place: Place, metrics: Sequence[str] = ()) -> Measured:
        """Return what a side's runs measured, averaged over their seeds.

        Of several runs with one seed the last one finished counts. Raises `UserError` where the
        setting has no such run, or cannot have one.
        """
        where = f"{place.dataset}@{self.setting.edition}, protocol {place.protocol}"
        matching = [
            run
            for run in self.found
            if (run.record.method, run.record.variant)
            == (side.method or self.method.name, side.variant)
            and (run.record.dataset.name, run.record.protocol) == (place.dataset, place.protocol)
            and self._stands_on(side, run.record)
        ]
        if not matching:
            raise RecordError(f"no run of variant {side} on {where}")
        by_seed: dict[int, Path] = {}
        for run in sorted(matching, key=lambda run: run.record.cost.finished):
            if {*metrics} <= {*run.record.tasks[0].metrics}:
                by_seed[run.record.seed] = run.folder
        if not by_seed:
            names = " ".join(f"--metric {name}" for name in metrics)
            raise RecordError(
                f"no run of variant {side} on {where} has {' and '.join(metrics)}; "
                f"run again with {names}"
            )
        runs = [self._run(by_seed[seed]) for seed in sorted(by_seed)]
        values = np.zeros((runs[0].table.num_rows, 0))
        if metrics:
            require_same_queries(runs)
            values = np.mean([run.values(metrics) for run in runs], axis=0)
        return Measured(runs, values, Queries.of(runs[0]))

    def _stands_on(self, side: Side, record: Record) -> bool:
        """Return whether a run's recipe is a side's, in this setting."""
        method, wanted = self.method, {**self.setting.recipe, **side.settings}
        if side.method:
            method, wanted = self.registry.method(side.method), side.settings
        recipe = _recipe(method, side.variant, record.budget, wanted)
        return flatten(record.recipe, fields(method.recipe())) == recipe

    def _run(self, folder: Path) -> Run:
        if folder not in self._read:
            self._read[folder] = Run.read(folder)
        return self._read[folder]


def require_same_queries(runs: Sequence[Run]) -> None:
    """Refuse runs that answer other queries, or under another protocol; one run may stand twice."""
    different = list({run.folder: run for run in runs}.values())
    if len(different) > 1:
        require_comparable(different)


def _setting(
    record: Record, method: MethodSpec, registry: Registry, named: Sequence[Side]
) -> Setting | None:
    """Return the setting of a run, or None for one that the method can no longer make."""
    known = fields(method.recipe())
    recipe = flatten(record.recipe, known)
    try:
        unchanged = _recipe(method, record.variant, record.budget, {})
    except UserError:  # a variant or budget that is gone
        return None
    if recipe.keys() != unchanged.keys():
        return None
    changes = {name: value for name, value in recipe.items() if value != unchanged[name]}
    # what a side of a claim sets makes another side, not another setting
    for side in named:
        if side.variant == record.variant and side.settings.items() <= changes.items():
            changes = {name: v for name, v in changes.items() if name not in side.settings}
    standard = make_options(registry.dataset(record.dataset.name), {})
    values = standard.model_dump(mode="json") if standard else {}
    options = {n: v for n, v in record.dataset.options.items() if v != values.get(n)}
    precision = record.provenance.precision
    return Setting(record.dataset.edition, record.budget, precision, changes, options)


def _recipe(
    method: MethodSpec, variant: str, budget: str, settings: Mapping[str, Any]
) -> dict[str, Any]:
    """Return a recipe as a record has it, by dotted names."""
    recipe = make_recipe(method, variant, settings, budget=budget)
    return flatten(recipe.model_dump(mode="json"), fields(method.recipe()))


def _backbone(record: Record) -> str:
    paper = record.backbone.substitute_for
    return record.backbone.name + (f" in the place of {paper}" if paper else "")
