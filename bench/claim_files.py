"""A plugin's `claims.toml`: what a paper says of its method, and how runs decide it.

The file lies beside the plugin's module and names the method. A claim has checks of a few kinds,
each a class below; docs/claims.md shows them. Names of variants, recipe fields, datasets, protocols
and metrics are looked up when the file is read, so a misspelt one is never a run that is missing.
"""

from __future__ import annotations

import importlib
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeAlias, Union

from pydantic import (
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    StringConstraints,
    ValidationError,
    field_validator,
    model_validator,
)

from bench.errors import UnknownNameError, UserError
from bench.interfaces import MethodSpec
from bench.plugins import Registry
from bench.recipes import make_recipe

FILE = "claims.toml"
OneLine = Annotated[str, StringConstraints(min_length=1, pattern=r"^[^\n]*$")]


class Part(BaseModel):
    """The base of all parts of a file: fixed once made, no field unknown."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Side(Part):
    """A variant, and recipe fields that are set besides; in a file also the variant's name alone.

    A run stands on a side if its recipe is that of the variant with these fields set, whatever
    else all runs of the comparison share (see `bench.claims.Setting`). With `method` it is one of
    another method, in its own recipe for the same budget, or in full where it has no such budget.
    """

    method: str = ""
    variant: str
    settings: dict[str, Any] = Field(default={}, alias="set")

    @model_validator(mode="before")
    @classmethod
    def _named(cls, given: Any) -> Any:
        return {"variant": given} if isinstance(given, str) else given

    @field_validator("settings")
    @classmethod
    def _with_dots(cls, given: dict[str, Any]) -> dict[str, Any]:
        """TOML reads `training.epochs = 3` as a table in a table."""
        return dict(_dotted(given))

    def __str__(self) -> str:
        changes = ", ".join(f"{name}={value}" for name, value in self.settings.items())
        name = f"{self.method} {self.variant}".strip()
        return name + (f" with {changes}" if changes else "")


class Place(Part):
    """A protocol of a dataset."""

    dataset: str
    protocol: str


class Quantity(Place):
    """A mean of one side or, with `over`, how much better it is than that of another side."""

    of: Side
    over: Side | None = None


Sides = Annotated[tuple[Side, ...], Field(min_length=1)]
Metrics = Annotated[tuple[str, ...], Field(min_length=1)]


class Better(Place):
    """Each of `these` is better than each of `than` in each metric: paired intervals."""

    kind: Literal["better"]
    these: Sides
    than: Sides
    metrics: Metrics
    at_least_equal: bool = False


class Ratio(Place):
    """The mean of each of `these` is at least so many times that of each of `than`."""

    kind: Literal["ratio"]
    these: Sides
    than: Sides
    metrics: Metrics
    at_least: float = Field(gt=0, allow_inf_nan=False)


class Close(Place):
    """The means of each of `these` and each of `than` differ by no more than `within`."""

    kind: Literal["close"]
    these: Sides
    than: Sides
    metrics: Metrics
    within: float = Field(gt=0, allow_inf_nan=False)


class Growth(Place):
    """A metric gains less from the last gallery to the first with `these` than with `than`.

    What it gains is a share of its value on the last of the protocol's tasks: (first - last) /
    last. With `within` the claim is that the two shares differ by no more than that.
    """

    kind: Literal["growth"]
    these: Sides
    than: Sides
    metrics: Metrics
    within: float | None = Field(default=None, gt=0, allow_inf_nan=False)


class Larger(Part):
    """One quantity is larger than another: a mean elsewhere, or a gain elsewhere or of others.

    Quantities of one place are compared query by query, those of two by independent resamples.
    """

    kind: Literal["larger"]
    metrics: Metrics
    this: Quantity
    than: Quantity

    @model_validator(mode="after")
    def _alike(self) -> Self:
        if (self.this.over is None) != (self.than.over is None):
            raise ValueError("this and than must both have `over`, or neither")
        return self


class EveryQuery(Place):
    """For every query, each metric is at least the one at its place in `at_least`.

    With `in_protocol` the latter are those of the same queries in that protocol.
    """

    kind: Literal["every-query"]
    these: Sides
    metrics: Metrics
    at_least: Metrics
    in_protocol: str = ""

    @property
    def other(self) -> Place:
        """Where the metrics of `at_least` are measured."""
        return Place(dataset=self.dataset, protocol=self.in_protocol or self.protocol)

    @model_validator(mode="after")
    def _in_pairs(self) -> Self:
        if len(self.metrics) != len(self.at_least):
            raise ValueError(
                f"{len(self.metrics)} metrics and {len(self.at_least)} in at_least; expected pairs"
            )
        return self


class Curve(Place):
    """The mean of a metric from cut-off 1 to its own falls, rises, or is nowhere below another's.

    Curves of a record are means alone: what is counted are cut-offs, without intervals.
    """

    kind: Literal["curve"]
    these: Sides
    metric: str
    shape: Literal["falls", "rises", "leads"]
    than: tuple[Side, ...] = ()

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if (self.shape == "leads") != bool(self.than):
            raise ValueError("`than` belongs to the shape leads, and that needs it")
        return self


class Coded(Part):
    """What a function decides: `MODULE:FUNCTION`, which returns a verdict and one line."""

    function: str = Field(pattern=r"^[\w.]+:\w+$")

    def load(self) -> Callable[..., tuple[Any, str]]:
        """Return the function; raises `UserError` if there is none of that name."""
        module, _, name = self.function.partition(":")
        try:
            found: Callable[..., tuple[Any, str]] = getattr(importlib.import_module(module), name)
        except (ImportError, AttributeError) as error:
            raise UserError(
                f"function {self.function}: {error}; expected MODULE:FUNCTION"
            ) from None
        return found


class Fact(Coded):
    """What code decides without runs; the function takes nothing."""

    kind: Literal["fact"]


class RunFact(Coded, Place):
    """What code decides of each run of `these`; the function takes the run's folder and record.

    It raises `UserError` where the run does not tell.
    """

    kind: Literal["run-fact"]
    these: Sides


class NotCheckable(Part):
    """A claim that no run can decide."""

    kind: Literal["not-checkable"]
    why: OneLine


Check: TypeAlias = Annotated[
    Union[Better, Ratio, Close, Growth, Larger, EveryQuery, Curve, Fact, RunFact, NotCheckable],  # noqa: UP007 (pydantic)
    Discriminator("kind"),
]


class Claim(Part):
    """One claim: its own words, where it is from, what the paper's numbers say, its checks."""

    id: OneLine
    text: OneLine
    source: OneLine
    reported: OneLine
    checks: Annotated[tuple[Check, ...], Field(min_length=1)] = Field(alias="check")


class ClaimFile(Part):
    """All claims of one method."""

    method: str
    claims: Annotated[tuple[Claim, ...], Field(min_length=1)] = Field(alias="claim")

    @model_validator(mode="after")
    def _named_once(self) -> Self:
        names = [claim.id for claim in self.claims]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice:
            raise ValueError(f"claim {twice} stands twice")
        return self


def claims_of(registry: Registry, method: MethodSpec) -> tuple[Claim, ...]:
    """Return the claims of a method; none where its plugin has no file, or one of another method.

    Raises `UserError` for a file that is malformed or names what does not exist.
    """
    file = registry.beside("methods", method.name, FILE)
    if not file.is_file():
        return ()
    found = read(file)
    if registry.method(found.method).name != method.name:
        return ()
    for claim in found.claims:
        for number, check in enumerate(claim.checks, 1):
            try:
                _require_names(check, method, registry)
            except UserError as error:
                raise UserError(f"{file}: claim {claim.id}, check {number}: {error}") from None
    return found.claims


def read(file: Path) -> ClaimFile:
    """Return the claims in a file; raises `UserError` in one line that says where it is wrong."""
    content: dict[str, Any] = {}
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
        return ClaimFile.model_validate(content)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"{file}: {error}; expected TOML in UTF-8") from None
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        message = first["msg"].removeprefix("Value error, ")
        where = _in_words(first["loc"], content)
        raise UserError(f"{file}: {where}{message[:1].lower()}{message[1:]}") from None


def place(of: Place) -> Place:
    """Return the place alone of what has a place and more."""
    return Place(dataset=of.dataset, protocol=of.protocol)


def places(check: Check) -> list[Place]:
    """Return the protocols whose runs a check needs, each once."""
    found: list[Place] = []
    if isinstance(check, Larger):
        found = [place(check.this), place(check.than)]
    elif isinstance(check, EveryQuery):
        found = [place(check), check.other]
    elif isinstance(check, Place):
        found = [place(check)]
    return list(dict.fromkeys(found))


def datasets(check: Check) -> tuple[str, ...]:
    """Return the datasets whose runs a check needs, each once."""
    return tuple(dict.fromkeys(of.dataset for of in places(check)))


def sides(check: Check) -> Iterator[Side]:
    """Yield every side that a check names."""
    if isinstance(check, Larger):
        for quantity in (check.this, check.than):
            yield quantity.of
            if quantity.over is not None:
                yield quantity.over
    elif isinstance(check, Better | Ratio | Close | Growth | Curve):
        yield from (*check.these, *check.than)
    elif isinstance(check, EveryQuery | RunFact):
        yield from check.these


def _metrics(check: Check) -> tuple[str, ...]:
    if isinstance(check, Curve):
        return (check.metric,)
    if isinstance(check, EveryQuery):
        return (*check.metrics, *check.at_least)
    return () if isinstance(check, Coded | NotCheckable) else check.metrics


def _require_names(check: Check, method: MethodSpec, registry: Registry) -> None:
    """Refuse what nothing is called; a family of datasets has protocols that only data tell."""
    for of in places(check):
        dataset = registry.dataset(of.dataset)
        if of.protocol not in dataset.protocols and not dataset.family:
            raise UnknownNameError(f"protocol of {of.dataset}", of.protocol, dataset.protocols)
    for side in sides(check):
        whose = registry.method(side.method) if side.method else method
        make_recipe(whose, side.variant, side.settings)
    if isinstance(check, Coded):
        check.load()
    for name in _metrics(check):
        spec, cut = registry.metric(name)
        if isinstance(check, Curve) and (spec.curve is None or cut < 2):
            raise UserError(f"metric {name} has no curve to compare; expected one as hit@50")


def _dotted(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _dotted(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value


def _in_words(path: Sequence[int | str], content: dict[str, Any]) -> str:
    """Return where in a file an error is, as "claim M-3, check 2, metrics: "."""
    words: list[str] = []
    for depth, part in enumerate(path):
        if isinstance(part, str) and depth != 4:  # there, pydantic names the check's kind
            words.append(part)
        elif isinstance(part, int):
            claim = content["claim"][part] if depth == 1 else None
            words[-1] += (
                f" {claim['id']}" if isinstance(claim, dict) and "id" in claim else (f" {part + 1}")
            )
    return ", ".join(words) + ": " if words else ""
