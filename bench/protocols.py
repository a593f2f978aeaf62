"""Protocols: named evaluations of one task or several, their metrics, and what may be learnt from.

How a task is made is in `bench.tasks`; the protocols about attributes, which many datasets share,
are built by `bench.attribute_protocols`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from bench import fingerprints
from bench.catalog import Catalog
from bench.errors import IncompatibleError, UnknownNameError
from bench.interfaces import MethodSpec, MetricSpec
from bench.tasks import AnyTask, Condition, Rows, Task, by_code

__all__ = ["Condition", "Protocol", "Rows", "Task", "by_code", "require_compatible",
           "require_fitting", "select"]  # fmt: skip

# Part of every fingerprint: a protocol that ignores or orders otherwise is another protocol.
RULES = "the query's own image is ignored by id; equal scores stand in gallery order"


@dataclass(frozen=True)
class Protocol:
    """A named evaluation: one task or several, its metrics, and the one that leads a table.

    `training` are the catalog rows that a method may learn from. No query is among them; gallery
    images may be, where the published protocol has it so.
    """

    name: str
    summary: str
    tasks: tuple[AnyTask, ...]
    metrics: tuple[str, ...]
    headline: str
    training: Rows = field(default_factory=lambda: np.zeros(0, np.int64))

    def rows(self) -> Rows:
        """Return every catalog row that some task needs, ascending."""
        return np.unique(np.concatenate([task.rows() for task in self.tasks]))

    def without(self, rows: Rows) -> Protocol:
        """Return the protocol with these rows left out of every task and of training."""
        tasks = tuple(task.without(rows) for task in self.tasks)
        return replace(self, tasks=tasks, training=np.setdiff1d(self.training, rows))

    def with_metrics(self, names: Sequence[str]) -> Protocol:
        """Return the protocol with these metrics after its own."""
        return replace(self, metrics=tuple(dict.fromkeys([*self.metrics, *names])))

    def fingerprint(self, catalog: Catalog) -> str:
        """Return the hash of query ids, gallery ids, relevance, conditions and rules.

        It names images by id and relevance by the partition that the codes make, so that the same
        protocol has the same fingerprint whatever the order in which a reader numbers its classes.
        """
        parts = [fingerprints.of_bytes(text.encode()) for text in (self.name, RULES)]
        parts += [task.content(catalog) for task in self.tasks]
        return fingerprints.of_bytes("".join(parts).encode())


def select(protocols: Sequence[Protocol], names: Sequence[str], dataset: str) -> list[Protocol]:
    """Return the protocols with these names, in the dataset's order; all of them for no names."""
    known = [protocol.name for protocol in protocols]
    for name in names:
        if name not in known:
            raise UnknownNameError(f"protocol of {dataset}", name, known)
    return [protocol for protocol in protocols if not names or protocol.name in names]


def require_compatible(
    method: MethodSpec, catalog: Catalog, protocols: Sequence[Protocol] = ()
) -> None:
    """Refuse, in one line that says what is missing, a method that cannot run on a catalog.

    Where protocols are given, what counts are the images that these evaluate or train on.
    """
    rows = None
    if protocols:
        rows = np.unique(np.concatenate([np.r_[p.rows(), p.training] for p in protocols]))
    missing = [need for need in method.needs if not catalog.has(need, rows)]
    if missing:
        raise IncompatibleError(
            f"{method.name} needs {' and '.join(missing)}; {catalog.dataset} has none"
        )


def require_fitting(protocol: Protocol, metrics: Mapping[str, tuple[MetricSpec, int]]) -> None:
    """Refuse a metric made for another kind of task: its name would say something untrue."""
    for name in protocol.metrics:
        for task in protocol.tasks:
            if metrics[name][0].kind != task.kind:
                raise IncompatibleError(
                    f"metric {name} is one of {metrics[name][0].kind}, protocol {protocol.name} "
                    f"has tasks of {task.kind}; choose protocols with --protocol"
                )
