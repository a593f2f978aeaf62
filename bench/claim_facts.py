"""What only the folder of a run can tell of a claim, kept beside its record in leaderboards.

Rankings and weights do not go into leaderboards. So a check that looks at them is asked when the
record is added, and its answer is kept in `<record>.facts.json`.
"""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

from bench.claim_files import Place as At
from bench.claim_files import RunFact, claims_of, place
from bench.errors import RecordError
from bench.plugins import Registry
from bench.records import Record
from bench.storage import write_text

SUFFIX = ".facts.json"
Facts = dict[str, tuple[str, str]]  # of each function: the verdict, and what was found


def ask(run: Path, record: Record, registry: Registry) -> Facts:
    """Return what every check of a run's folder answers that is about this record's runs.

    One that its runs cannot decide answers "not checkable" and why; one whose files are not there,
    as regions that were not measured, is left out.
    """
    if record.method not in registry.all("methods"):
        return {}
    here = At(dataset=record.dataset.name, protocol=record.protocol)
    found: Facts = {}
    for claim in claims_of(registry, registry.method(record.method)):
        for check in claim.checks:
            if not isinstance(check, RunFact) or place(check) != here:
                continue
            if record.variant in {side.variant for side in check.these}:
                with contextlib.suppress(FileNotFoundError):
                    found[check.function] = _answer(check, run, record)
    return found


def _answer(check: RunFact, run: Path, record: Record) -> tuple[str, str]:
    try:
        return check.load()(run, record)
    except RecordError as error:
        return "not checkable", str(error).replace(str(run), run.name)


def keep(stored: Path, facts: Facts) -> None:
    """Write the facts of the record at `stored`, where there are any."""
    if facts:
        text = json.dumps(facts, indent=2, ensure_ascii=False, sort_keys=True)
        write_text(stored.with_suffix(SUFFIX), text + "\n")


def kept(stored: Path, function: str) -> tuple[str, str]:
    """Return the answer that was kept of a function; raises `RecordError` where there is none."""
    file = stored.with_suffix(SUFFIX)
    facts = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    if function not in facts:
        raise RecordError(
            f"{stored.stem}: what {function.partition(':')[2]} needs of the run's folder was not "
            "there when its record was added"
        )
    verdict, text = facts[function]
    return verdict, text
