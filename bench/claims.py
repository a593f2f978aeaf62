"""What runs say of a paper's claims: held, reversed, undecided or not checkable.

A claim has a verdict in each setting (`bench.claim_runs`) and for each dataset that its checks are
about. Their comparisons (`bench.claim_checks`) decide it by one rule: it is reversed if one of them
is, else not checkable if one cannot be made, held if all are held, and undecided otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf

from bench.claim_checks import Comparison, Verdict, compare
from bench.claim_files import Check, Claim, datasets
from bench.claim_runs import Evidence, Setting, Source, find_runs
from bench.interfaces import MethodSpec
from bench.plugins import Registry

PRECEDENCE: tuple[Verdict, ...] = ("reversed", "not checkable", "undecided", "held")


@dataclass(frozen=True)
class Decision:
    """A claim, the dataset editions that its checks are about, and what the runs say of it."""

    claim: str
    text: str
    source: str
    reported: str
    datasets: list[str]
    verdict: Verdict
    comparisons: list[Comparison]

    @property
    def decisive(self) -> Comparison:
        """The comparison that the verdict hangs on: of those with it, the least favourable."""
        same = [found for found in self.comparisons if found.verdict == self.verdict]
        return min(same, key=_margin)


@dataclass(frozen=True)
class Verdicts:
    """All decisions about a method in one setting, in which so many finished runs were made.

    `data` are the dataset editions on which the method was run.
    """

    method: str
    setting: Setting
    backbones: list[str]
    data: list[str]
    runs: int
    decisions: list[Decision]


def evaluate(
    method: MethodSpec, claims: Sequence[Claim], registry: Registry, runs: Source, dataset: str = ""
) -> list[Verdicts]:
    """Return the verdicts in each setting that `runs` were made in.

    Where there is none, a setting without runs has the verdicts that need none. With `dataset`,
    claims about other datasets are left out.
    """
    parts = [
        (claim, checks)
        for claim in claims
        for about, checks in _by_datasets(claim).items()
        if not dataset or dataset in about
    ]
    every = [check for _, checks in parts for check in checks]
    settings = find_runs(method, every, registry, runs)
    return [
        Verdicts(
            method=method.name,
            setting=evidence.setting,
            backbones=evidence.backbones,
            data=evidence.data,
            runs=len(evidence.found),
            decisions=[_decide(claim, checks, evidence) for claim, checks in parts],
        )
        for evidence in settings or [Evidence(method, registry, Setting(), [])]
    ]


def _by_datasets(claim: Claim) -> dict[tuple[str, ...], list[Check]]:
    """Return a claim's checks by the datasets that they are about."""
    found: dict[tuple[str, ...], list[Check]] = {}
    for check in claim.checks:
        found.setdefault(datasets(check), []).append(check)
    return found


def _decide(claim: Claim, checks: Sequence[Check], evidence: Evidence) -> Decision:
    comparisons = [found for check in checks for found in compare(check, evidence)]
    edition = evidence.setting.edition
    return Decision(
        claim=claim.id, text=claim.text, source=claim.source, reported=claim.reported,
        datasets=[f"{name}@{edition}" for name in datasets(checks[0])],
        verdict=min((found.verdict for found in comparisons), key=PRECEDENCE.index),
        comparisons=comparisons,
    )  # fmt: skip


def _margin(found: Comparison) -> tuple[float, float]:
    """Return how far a comparison is from failing: by its interval, then by what was counted."""
    if found.low is None or found.threshold is None:
        return inf, -(found.value or 0)
    return found.low - found.threshold, 0
