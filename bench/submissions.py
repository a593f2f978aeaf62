"""Somebody's rankings become a record, without running a model: what `bench score` does.

The record is as a run's, with origin "ranking". What only a run knows (parameters, cost of
extraction, dimension) is 0 or "not stated" in it; what the user says of the method is written down
as said. Metrics that need deeper ranks than the file has are left out and named, never guessed.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from bench import fingerprints, records, scoring
from bench.data import Data, DataRequest, read_data
from bench.errors import IncompatibleError, UserError
from bench.given_rankings import GivenRanking, read_rankings
from bench.plugins import Registry
from bench.protocols import Protocol
from bench.ranking_files import RankingFile
from bench.records import Record, TaskResult
from bench.run import Outcome, Place, find_place, now, provenance, scoring_code
from bench.search import Blocks
from bench.tasks import AnyTask

NOT_STATED = "not stated"


@dataclass(frozen=True, kw_only=True)
class Submission(DataRequest):
    """Rankings in a file, and what their maker says of them."""

    file: RankingFile
    method: str
    variant: str = "default"
    backbone: str = NOT_STATED
    trained_on: str = NOT_STATED


def score(submission: Submission, registry: Registry, notice: Callable[[str], None]) -> Outcome:
    """Return the record of a file of rankings under one protocol, and where it is.

    Raises `UserError` where the protocol is not named and the dataset has several, and where the
    rankings are not deep enough for the protocol's headline or for a metric that was asked for.
    """
    clock = time.perf_counter()
    for option in ("method", "variant"):
        if not getattr(submission, option).strip():
            raise UserError(f"--{option} is empty; expected the name that tables will show")
    data = read_data(submission, registry, notice)
    if len(data.protocols) > 1:
        raise UserError(
            "rankings answer one protocol; choose it with --protocol "
            f"{' or '.join(protocol.name for protocol in data.protocols)}"
        )
    protocol = data.protocols[0]
    given = read_rankings(submission.file, protocol, data.catalog, notice)
    protocol = _computable(submission, protocol, data.metrics, given, notice)
    digest = fingerprints.of_file(submission.file.path)
    modules = ("bench.ranking_files", "bench.given_rankings", "bench.submissions")
    code = fingerprints.of_json([scoring_code(protocol, registry), fingerprints.of_code(*modules)])
    place = find_place(
        submission, data, protocol, method=submission.method, variant=submission.variant,
        code=code, determined=["ranking", digest, submission.backbone, submission.trained_on],
    )  # fmt: skip
    finished = records.finished(place.folder)
    if finished:
        return Outcome(finished, place.folder, True)
    seconds = {"load": time.perf_counter() - clock}
    clock = time.perf_counter()
    scores = score_given(protocol, data, given, place.folder)
    seconds["score"] = time.perf_counter() - clock
    record = _record(submission, data, place, digest, given, scores, seconds, registry)
    records.finish(place.folder, record)
    return Outcome(record, place.folder, False)


def _computable(
    submission: Submission,
    protocol: Protocol,
    metrics: scoring.Metrics,
    given: list[GivenRanking],
    notice: Callable[[str], None],
) -> Protocol:
    """Return the protocol with those of its metrics for which the rankings are deep enough."""
    reasons = too_shallow(protocol, metrics, given)
    file = submission.file.path
    for name in (protocol.headline, *submission.metrics):
        if name in reasons:
            why = "leads the protocol and" if name == protocol.headline else "was asked for and"
            raise IncompatibleError(f"{file}: metric {name} {why} {reasons[name]}; rank deeper")
    for name, reason in reasons.items():
        notice(f"{file}: metric {name} is left out: it {reason}")
    return replace(protocol, metrics=tuple(n for n in protocol.metrics if n not in reasons))


def too_shallow(
    protocol: Protocol, metrics: scoring.Metrics, given: list[GivenRanking]
) -> dict[str, str]:
    """Return the metrics for which rankings are not deep enough, each with the reason."""
    reasons = {}
    for name in protocol.metrics:
        lacking = [reason for ranking in given if (reason := ranking.lacks(*metrics[name]))]
        if lacking:
            reasons[name] = lacking[0]
    return reasons


def score_given(
    protocol: Protocol, data: Data, given: list[GivenRanking], folder: Path
) -> scoring.Scores:
    """Return what the protocol's metrics say of rankings, and write what a run would."""
    return scoring.score(
        protocol, data.metrics, _Rank(protocol, given), catalog=data.catalog, folder=folder
    )


class _Rank:
    """Where scoring gets the ranking of a task from."""

    def __init__(self, protocol: Protocol, given: list[GivenRanking]) -> None:
        self._given = {id(task): g for task, g in zip(protocol.tasks, given, strict=True)}

    def __call__(self, task: AnyTask, *, depth: int, first_relevant: bool) -> Blocks:
        return self._given[id(task)].rank(depth=depth, first_relevant=first_relevant)


def _record(
    submission: Submission,
    data: Data,
    place: Place,
    digest: str,
    given: list[GivenRanking],
    scores: scoring.Scores,
    seconds: dict[str, float],
    registry: Registry,
) -> Record:
    protocol = place.protocol
    return Record(
        origin="ranking", method=submission.method, variant=submission.variant,
        recipe={"ranks": min(ranking.depth for ranking in given)},
        backbone=records.BackboneFacts(
            name=submission.backbone, source=NOT_STATED, weights=digest,
            trained_on=submission.trained_on, preprocessing={},
        ),
        parameters=0, flops_per_image=0, dimension=0, dataset=data.facts(damaged=0),
        protocol=protocol.name, protocol_fingerprint=protocol.fingerprint(data.catalog),
        headline=protocol.headline, seed=submission.seed,
        tasks=[_curves_cut(task, g) for task, g in zip(scores.tasks, given, strict=True)],
        mean=scores.mean,
        pooled=scores.pooled, run_key=place.key,
        cost=records.Cost(
            seconds=seconds, images_per_second=0.0, peak_memory_mib=records.peak_memory_mib(),
            finished=now(),
        ),
        provenance=provenance(
            submission, [registry.owner("datasets", submission.dataset)[0]], place.code,
            device=NOT_STATED, device_name=NOT_STATED, engine="ranking file",
            precision=NOT_STATED, batch_size=0,
        ),
    )  # fmt: skip


def _curves_cut(result: TaskResult, given: GivenRanking) -> TaskResult:
    """Return a task's result with its curves as deep as every query's ranking is known."""
    if given.depth == given.task.candidates():
        return result
    curves = {name: curve[: given.depth] for name, curve in result.curves.items()}
    return result.model_copy(update={"curves": curves})
