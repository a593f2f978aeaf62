"""One run, from a command's choices to records. This page is the whole flow.

catalog → method → (training) → features → for each protocol: rank, score, summarise, save.
"""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from bench import editions, features, fingerprints, ranking, records, scoring
from bench.catalog import Catalog
from bench.engines import Execution
from bench.interfaces import DatasetSpec, Method, MethodSpec
from bench.plugins import Plugin, Registry
from bench.protocols import Protocol, require_compatible, require_fitting, select
from bench.recipes import Recipe, make_options, make_recipe
from bench.records import Record
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


@dataclass(frozen=True, kw_only=True)
class Request(DataRequest):
    """What a user asked to run, on what."""

    method: str
    execution: Execution
    variant: str = ""  # the method's first, if empty
    settings: Mapping[str, Any] = field(default_factory=dict)  # recipe fields
    skip_damaged: bool = False


@dataclass(frozen=True)
class Outcome:
    """A record, where it is, and whether it had been there before."""

    record: Record
    folder: Path
    was_finished: bool


@dataclass(frozen=True)
class Listener:
    """What is told of a run under way; the command line prints it."""

    notice: Callable[[str], None]
    progress: Callable[[int, int], None]


def run(request: Request, registry: Registry, listener: Listener) -> list[Outcome]:
    """Return one outcome per protocol, running those that are not finished yet."""
    started = time.perf_counter()
    prepared = prepare(request, registry, listener.notice)
    data, recipe = prepared.data, prepared.recipe.model_dump(mode="json")
    places = [prepared.place(request, protocol, registry) for protocol in data.protocols]
    outcomes = {
        place.protocol.name: Outcome(record, place.folder, True)
        for place in places
        if (record := records.finished(place.folder))
    }
    waiting = [place for place in places if place.protocol.name not in outcomes]
    if not waiting:
        return list(outcomes.values())
    seconds = {"load": time.perf_counter() - started}

    rows = np.unique(np.concatenate([place.protocol.rows() for place in waiting]))
    extraction = features.extract(
        prepared.plan, rows, skip_damaged=request.skip_damaged,
        progress=listener.progress, notice=listener.notice,
    )  # fmt: skip
    seconds["extract"] = extraction.seconds

    for place in waiting:
        clock = time.perf_counter()
        protocol = place.protocol.without(extraction.damaged)
        scores = scoring.score(
            protocol, data.metrics,
            partial(ranking.rank, features=extraction.features, extractor=prepared.plan.extractor,
                    device=request.execution.device),
            catalog=data.catalog, folder=place.folder,
        )  # fmt: skip
        cost = records.Cost(
            seconds=seconds | {"rank and score": time.perf_counter() - clock},
            images_per_second=extraction.images / max(extraction.seconds, 1e-9),
            peak_memory_mib=records.peak_memory_mib(),
            finished=now(),
        )
        record = Record(
            origin="run", method=prepared.method.name, variant=prepared.variant, recipe=recipe,
            backbone=_backbone_facts(prepared.plan.method),
            parameters=extraction.facts["parameters"], flops_per_image=extraction.facts["flops"],
            dimension=extraction.facts["dimension"],
            dataset=data.facts(damaged=len(extraction.damaged)), protocol=protocol.name,
            protocol_fingerprint=protocol.fingerprint(data.catalog), headline=protocol.headline,
            seed=request.seed, tasks=scores.tasks, mean=scores.mean, pooled=scores.pooled,
            run_key=place.key, cost=cost, provenance=_provenance(request, registry, place.code),
        )  # fmt: skip
        records.finish(place.folder, record)
        outcomes[protocol.name] = Outcome(record, place.folder, False)
    return [outcomes[protocol.name] for protocol in data.protocols]


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


def read_data(request: DataRequest, registry: Registry, notice: Callable[[str], None]) -> Data:
    """Return the data of a request; annotations are read, images are not."""
    spec = registry.dataset(request.dataset)
    edition = editions.Edition(
        spec, request.dataset, make_options(spec, request.options),
        registry.code("datasets", [request.dataset], *spec.drawn_with), notice,
    )  # fmt: skip
    dataset = edition.dataset
    catalog = edition.load(request.edition, request.data_root or default_data_root())
    protocols = select(dataset.protocols(catalog), request.protocols, catalog.dataset)
    protocols = [protocol.with_metrics(request.metrics) for protocol in protocols]
    metrics = {name: registry.metric(name) for p in protocols for name in p.metrics}
    for protocol in protocols:
        require_fitting(protocol, metrics)
        scoring.require_measurable(protocol, metrics, catalog)
    return Data(spec, catalog, protocols, metrics)


@dataclass(frozen=True)
class Prepared:
    """All that a run needs before its features are extracted."""

    data: Data
    method: MethodSpec
    variant: str
    recipe: Recipe
    plan: features.Plan

    def place(self, request: Request, protocol: Protocol, registry: Registry) -> Place:
        """Return where the record of a protocol goes."""
        return find_place(
            request, self.data, protocol, method=self.method.name, variant=self.variant,
            code=fingerprints.of_json([self.plan.code, scoring_code(protocol, registry)]),
            determined=[self.recipe.model_dump(mode="json"), request.skip_damaged, self.plan.key],
        )  # fmt: skip


def prepare(request: Request, registry: Registry, notice: Callable[[str], None]) -> Prepared:
    """Return what a request names, found and built; whatever does not fit is refused here."""
    spec = registry.method(request.method)
    variant = request.variant or next(iter(spec.variants))
    recipe = make_recipe(spec, variant, request.settings)
    data = read_data(request, registry, notice)
    require_compatible(spec, data.catalog, data.protocols)
    method = spec.build(recipe, data.catalog, registry, request.seed)
    name, extractor = next(iter(method.extractors.items()))
    code = _extraction_code(method, spec.name, registry)
    plan = features.Plan(method, name, extractor, data.catalog, request.execution, code)
    return Prepared(data, spec, variant, recipe, plan)


@dataclass(frozen=True)
class Place:
    """Where the record of one protocol goes, and the hashes that it is found by."""

    protocol: Protocol
    code: str
    key: str
    folder: Path


def find_place(
    request: DataRequest,
    data: Data,
    protocol: Protocol,
    *,
    method: str,
    variant: str,
    code: str,
    determined: Sequence[Any],
) -> Place:
    """Return the place of a protocol's record; `determined` is what else the result hangs on."""
    catalog = data.catalog
    key = fingerprints.of_json(
        [records.SCHEMA_VERSION, method, variant, *determined, catalog.name, dict(catalog.options),
         request.seed, code, protocol.fingerprint(catalog), protocol.metrics, protocol.headline]
    )  # fmt: skip
    folder = records.run_folder(
        request.runs, dataset=catalog.name, method=method, variant=variant,
        protocol=protocol.name, seed=request.seed, key=key,
    )  # fmt: skip
    return Place(protocol, code, key, folder)


# The modules whose sources decide what features and what numbers come out.
_EXTRACTION = ("bench.engines", "bench.features", "bench.images")
_SCORING = ("bench.attribute_protocols", "bench.catalog", "bench.metrics", "bench.overlap",
            "bench.pictures", "bench.protocols", "bench.ranking", "bench.scoring", "bench.search",
            "bench.statistics", "bench.tasks")  # fmt: skip


def scoring_code(protocol: Protocol, registry: Registry) -> str:
    """Return the hash of the sources that make numbers of rankings."""
    return registry.code("metrics", protocol.metrics, *_SCORING)


def _extraction_code(method: Method, name: str, registry: Registry) -> str:
    """Return the hash of the sources of extraction, of the method and of its backbone."""
    backbone = registry.code("backbones", [method.backbone.name])
    return fingerprints.of_json([backbone, registry.code("methods", [name], *_EXTRACTION)])


def _backbone_facts(method: Method) -> records.BackboneFacts:
    source = method.backbone
    return records.BackboneFacts(
        name=source.name,
        source=source.weights.source,
        weights=source.weights.digest,
        trained_on=source.weights.trained_on,
        preprocessing=asdict(source.preprocessing),
    )


def provenance(
    request: DataRequest, owners: Sequence[Plugin], code: str, **execution: Any
) -> records.Provenance:
    """Return where numbers come from: this command, these plugins, versions and machine.

    `execution` fills the fields that say how features were extracted.
    """
    commit, clean = records.git_state(Path(__file__).parent)
    return records.Provenance(
        command=request.command,
        versions=fingerprints.versions(
            "fashion-retrieval-bench", "torch", "torchvision", "timm", "openvino", "numba", "numpy",
            "pillow",
        ),
        plugins={plugin.name: plugin.origin for plugin in owners},
        code=code, git_commit=commit, git_clean=clean, python=platform.python_version(),
        machine=records.machine_name(), threads=os.cpu_count() or 1, **execution,
    )  # fmt: skip


def now() -> str:
    """Return the time as records write it: UTC, ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def _provenance(request: Request, registry: Registry, code: str) -> records.Provenance:
    execution = request.execution
    owners = [
        registry.owner("methods", request.method)[0],
        registry.owner("datasets", request.dataset)[0],
    ]
    return provenance(
        request, owners, code, device=execution.device, device_name=_device_name(execution.device),
        engine=execution.engine, precision=execution.precision, batch_size=execution.batch_size,
    )  # fmt: skip


def _device_name(device: str) -> str:
    if device == "cpu":
        return "cpu"
    import torch

    return torch.cuda.get_device_name()
