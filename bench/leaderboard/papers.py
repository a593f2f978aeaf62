"""Pages about papers: each number that they report beside ours, and what becomes of their claims.

A number measured on drawn pictures is never set against a reported one: of those the pages say only
that there is one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cached_property

from bench.claim_files import claims_of
from bench.claim_runs import Finished, Setting, among
from bench.claims import PRECEDENCE, Decision, Verdicts, evaluate
from bench.leaderboard.frames import written
from bench.leaderboard.parts import Measured
from bench.leaderboard.stored import Stored
from bench.leaderboard.tables import escaped, markdown
from bench.plugins import Registry
from bench.reported import Reported, reported_of

REPORTED = (
    "method variant dataset protocol task metric reported queries gallery source measured "
    "difference why_not"
).split()
CLAIMS = (
    "method edition budget precision recipe options claim data verdict found comparisons text "
    "reported source"
).split()


class Papers:
    """What the papers of the installed methods report and claim; nothing without a registry."""

    def __init__(self, registry: Registry | None) -> None:
        self._registry = registry

    @property
    def methods(self) -> Sequence[str]:
        """The methods that are installed, in order."""
        return sorted(self._registry.all("methods")) if self._registry else []

    @cached_property
    def reported(self) -> Mapping[str, Sequence[Reported]]:
        """The numbers of each method."""
        registry = self._registry
        if registry is None:
            return {}
        return {name: reported_of(registry, registry.method(name)) for name in self.methods}

    def pages(self, stored: Sequence[Stored], measured: Measured) -> dict[str, str]:
        """Return the pages and CSV files by their names.

        `stored` are the records of installed methods, `measured` is what was measured of the
        numbers of papers.
        """
        numbers = [
            (method, number, *_beside(method, number, measured))
            for method, of_method in self.reported.items()
            for number in of_method
        ]
        verdicts = self._verdicts(stored)
        files: dict[str, str] = {}
        if numbers:
            files["reported.md"] = _reported_page(numbers)
            files["reported.csv"] = _reported_csv(numbers)
        if verdicts:
            files["claims.md"] = _claims_page(verdicts)
            files["claims.csv"] = _claims_csv(verdicts)
        return files

    def _verdicts(self, stored: Sequence[Stored]) -> list[Verdicts]:
        """Return what the records say of every claim, by method and setting."""
        registry = self._registry
        if registry is None:
            return []
        runs = among([Finished(one.place, one.record) for one in stored])
        found = []
        for name in sorted({one.record.method for one in stored} & {*self.methods}):
            spec = registry.method(name)
            claims = claims_of(registry, spec)
            of_method = evaluate(spec, claims, registry, runs) if claims else []
            found += [verdicts for verdicts in of_method if verdicts.runs]
        return found


Beside = tuple[str, Reported, float | None, str]  # method, number, measured, why not


def _beside(method: str, number: Reported, measured: Measured) -> tuple[float | None, str]:
    """Return what was measured of a reported number on the published data, or why nothing was."""
    if (method, number, "full") in measured:
        return measured[method, number, "full"], ""
    why = f"no record of this variant on {number.dataset}@full"
    drawn = (method, number, "mini") in measured
    return None, why + ("; there is one of drawn pictures" if drawn else "")


def _reported_page(numbers: Sequence[Beside]) -> str:
    lines = [
        "# Numbers of papers",
        "",
        "Every number that the papers report, and what was measured here on the same data. The "
        "difference is measured − reported. A number of drawn pictures is no measurement of these "
        "data, so none stands here.",
        "",
    ]
    for method in dict.fromkeys(method for method, *_ in numbers):
        own = [found for found in numbers if found[0] == method]
        here = sum(value is not None for _, _, value, _ in own)
        lines += [f"## {escaped(method)}", "", f"{here} of {len(own)} numbers were measured.", ""]
        header = ["variant", "data", "protocol", "task", "metric", "reported", "measured",
                  "difference", "source"]  # fmt: skip
        rows = [
            [*map(escaped, (number.variant, number.dataset, number.protocol, number.task,
                            number.metric)), f"{number.value:g}",
             why if value is None else f"{value:.3f}",
             "" if value is None else f"{value - number.value:+.3f}", escaped(number.source)]
            for _, number, value, why in own
        ]  # fmt: skip
        lines += [markdown(rows, header), ""]
    return "\n".join(lines)


def _reported_csv(numbers: Sequence[Beside]) -> str:
    return written(
        REPORTED,
        [
            [method, number.variant, number.dataset, number.protocol, number.task, number.metric,
             number.value, *("" if n is None else n for n in (number.queries, number.gallery)),
             number.source, "" if value is None else value,
             "" if value is None else value - number.value, why]
            for method, number, value, why in numbers
        ],
    )  # fmt: skip


def _claims_page(every: Sequence[Verdicts]) -> str:
    lines = [
        "# Claims of papers",
        "",
        "What the records say of each paper's claims, by the rules of "
        "[docs/claims.md](../docs/claims.md). A claim is *held* or *reversed* where the 95 % "
        "interval of a paired comparison lies on one side, *undecided* where it does not. Runs "
        "compare only within one setting, which is asked about the data that it has runs of.",
        "",
    ]
    for verdicts in every:
        shown = _shown(verdicts)
        if not shown:
            continue
        counts = Counter(decision.verdict for decision in shown)
        lines += [f"## {escaped(verdicts.method)}: {escaped(_in_words(verdicts.setting))}", ""]
        if verdicts.setting.edition == "mini":
            lines += ["**Drawn pictures.** These verdicts say nothing about real photographs.", ""]
        in_all = ", ".join(f"{counts[verdict]} {verdict}" for verdict in PRECEDENCE[::-1])
        backbones = escaped(", ".join(verdicts.backbones))
        lines += [f"{verdicts.runs} records on {backbones}: {in_all}.", ""]
        rows = [
            [escaped(decision.claim), escaped(", ".join(decision.datasets)), decision.verdict,
             escaped(f"{decision.text} ({decision.reported}; {decision.source})"),
             escaped(_found(decision))]
            for decision in shown
        ]  # fmt: skip
        header = ["claim", "data", "verdict", "what is claimed", "what was found"]
        lines += [markdown(rows, header), ""]
    return "\n".join(lines)


def _shown(verdicts: Verdicts) -> list[Decision]:
    """Return the decisions about data of which a setting has runs, and those about none.

    Where its recipe is changed, only those that runs decide.
    """
    found = [one for one in verdicts.decisions
             if not one.datasets or {*one.datasets} & {*verdicts.data}]  # fmt: skip
    if not verdicts.setting.recipe and not verdicts.setting.options:
        return found
    return [one for one in found if one.verdict != "not checkable" and one.datasets]


def _claims_csv(every: Sequence[Verdicts]) -> str:
    rows = []
    for verdicts in every:
        setting = verdicts.setting
        facts = [verdicts.method, setting.edition, setting.budget, setting.precision,
                 _fields(setting.recipe), _fields(setting.options)]  # fmt: skip
        rows += [
            [*facts, found.claim, " ".join(found.datasets), found.verdict, _found(found),
             len(found.comparisons), found.text, found.reported, found.source]
            for found in _shown(verdicts)
        ]  # fmt: skip
    return written(CLAIMS, rows)


def _in_words(setting: Setting) -> str:
    made = [f"{setting.edition} editions", f"budget {setting.budget}", setting.precision]
    return ", ".join(filter(None, [*made, _fields(setting.recipe), _fields(setting.options)]))


def _fields(values: Mapping[str, object]) -> str:
    return ", ".join(f"{name}={value}" for name, value in values.items())


def _found(decision: Decision) -> str:
    decisive = decision.decisive
    return f"{decisive.what}: {decisive.found}" if decisive.what else decisive.found
