"""The data that a user asked for: an edition of a dataset, its protocols, and their metrics."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench import editions, records, scoring
from bench.catalog import Catalog
from bench.interfaces import DatasetSpec
from bench.plugins import Registry
from bench.protocols import Protocol, require_fitting, select
from bench.recipes import make_options
from bench.storage import default_data_root


@dataclass(frozen=True, kw_only=True)
class DataRequest:
    """What a user asked to evaluate on, and where records go."""

    dataset: str
    protocols: Sequence[str] = ()  # all of the dataset's, if empty
    metrics: Sequence[str] = ()  # besides those of the protocols
    options: Mapping[str, Any] = field(default_factory=dict)  # of the dataset
    edition: str = "auto"
    data_root: Path | None = None
    runs: Path = Path("runs")
    seed: int = 0
    command: str = ""


@dataclass(frozen=True)
class Data:
    """What a request evaluates on: a catalog, the protocols asked for, and all their metrics."""

    spec: DatasetSpec
    catalog: Catalog
    protocols: list[Protocol]
    metrics: scoring.Metrics

    def facts(self, *, damaged: int) -> records.DatasetFacts:
        """Return what a record says of the data."""
        catalog = self.catalog
        return records.DatasetFacts(
            name=catalog.dataset, edition=catalog.edition, licence=self.spec.licence,
            annotations=catalog.fingerprint, coverage=editions.coverage(self.spec, catalog),
            options=dict(catalog.options), notes=list(catalog.notes), damaged=damaged,
        )  # fmt: skip


@dataclass(frozen=True)
class Opened:
    """An edition of a dataset as it was read: its catalog and all its protocols."""

    spec: DatasetSpec
    catalog: Catalog
    protocols: Sequence[Protocol]


def open_dataset(request: DataRequest, registry: Registry, notice: Callable[[str], None]) -> Opened:
    """Return the edition that a request is on; annotations are read, images are not."""
    spec = registry.dataset(request.dataset)
    edition = editions.Edition(
        spec, request.dataset, make_options(spec, request.options),
        registry.code("datasets", [request.dataset], *spec.drawn_with), notice,
    )  # fmt: skip
    catalog = edition.load(request.edition, request.data_root or default_data_root())
    return Opened(spec, catalog, edition.dataset.protocols(catalog))


def read_data(
    request: DataRequest,
    registry: Registry,
    notice: Callable[[str], None],
    opened: Opened | None = None,
) -> Data:
    """Return the data of a request, of the edition that is `opened` already, if given."""
    opened = opened or open_dataset(request, registry, notice)
    catalog = opened.catalog
    protocols = select(opened.protocols, request.protocols, catalog.dataset)
    protocols = [protocol.with_metrics(request.metrics) for protocol in protocols]
    metrics = {name: registry.metric(name) for p in protocols for name in p.metrics}
    for protocol in protocols:
        require_fitting(protocol, metrics)
        scoring.require_measurable(protocol, metrics, catalog)
    return Data(opened.spec, catalog, protocols, metrics)
