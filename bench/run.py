"""One run, from a command's choices to records. This page is the whole flow.

catalog → method → (training) → features → for each protocol: rank, score, summarise, save.
"""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from bench import editions, features, fingerprints, ranking, records, scoring
from bench.engines import Execution
from bench.interfaces import Method
from bench.plugins import Registry
from bench.protocols import require_compatible, require_fitting, select
from bench.recipes import make_options, make_recipe
from bench.records import Record
from bench.storage import default_data_root


@dataclass(frozen=True)
class Request:
    """What a user asked for."""

    method: str
    dataset: str
    execution: Execution
    variant: str = ""  # the method's first, if empty
    protocols: Sequence[str] = ()  # all of the dataset's, if empty
    metrics: Sequence[str] = ()  # besides those of the protocols
    settings: dict[str, Any] = field(default_factory=dict)  # recipe fields
    options: dict[str, Any] = field(default_factory=dict)  # of the dataset
    edition: str = "auto"
    data_root: Path | None = None
    runs: Path = Path("runs")
    seed: int = 0
    skip_damaged: bool = False
    command: str = ""


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
    execution = request.execution
    spec = registry.method(request.method)
    variant = request.variant or next(iter(spec.variants))
    recipe = make_recipe(spec, variant, request.settings)
    dataset_spec = registry.dataset(request.dataset)
    edition = editions.Edition(
        dataset_spec, request.dataset, make_options(dataset_spec, request.options),
        registry.code("datasets", [request.dataset], *dataset_spec.drawn_with),
        listener.notice,
    )  # fmt: skip
    dataset = edition.dataset
    catalog = edition.load(request.edition, request.data_root or default_data_root())
    protocols = select(dataset.protocols(catalog), request.protocols, catalog.dataset)
    require_compatible(spec, catalog, protocols)
    protocols = [protocol.with_metrics(request.metrics) for protocol in protocols]
    metrics = {name: registry.metric(name) for p in protocols for name in p.metrics}
    for protocol in protocols:
        require_fitting(protocol, metrics)
    method = spec.build(recipe, catalog, registry, request.seed)
    name, extractor = next(iter(method.extractors.items()))
    plan = features.Plan(
        method, name, extractor, catalog, execution, _extraction_code(method, spec.name, registry)
    )
    code = fingerprints.of_json([plan.key, registry.code("metrics", list(metrics), *_SCORING)])

    determined = [
        records.SCHEMA_VERSION, spec.name, variant, recipe.model_dump(mode="json"), catalog.name,
        dict(catalog.options), request.seed, request.skip_damaged, code,
    ]  # fmt: skip
    places = []
    for protocol in protocols:
        key = fingerprints.of_json(
            [*determined, protocol.fingerprint(catalog), protocol.metrics, protocol.headline]
        )
        folder = records.run_folder(
            request.runs, dataset=catalog.name, method=spec.name, variant=variant,
            protocol=protocol.name, seed=request.seed, key=key,
        )  # fmt: skip
        places.append((protocol, folder, key))
    outcomes = {p.name: Outcome(r, f, True) for p, f, _ in places if (r := records.finished(f))}
    waiting = [place for place in places if place[0].name not in outcomes]
    if not waiting:
        return list(outcomes.values())
    seconds = {"load": time.perf_counter() - started}

    rows = np.unique(np.concatenate([protocol.rows() for protocol, _, _ in waiting]))
    extraction = features.extract(
        plan, rows, skip_damaged=request.skip_damaged,
        progress=listener.progress, notice=listener.notice,
    )  # fmt: skip
    seconds["extract"] = extraction.seconds

    for published, folder, key in waiting:
        clock = time.perf_counter()
        protocol = published.without(extraction.damaged)
        scores = scoring.score(
            protocol, metrics,
            partial(ranking.rank, features=extraction.features, extractor=extractor,
                    device=execution.device),
            catalog=catalog, folder=folder,
        )  # fmt: skip
        cost = records.Cost(
            seconds=seconds | {"rank and score": time.perf_counter() - clock},
            images_per_second=extraction.images / max(extraction.seconds, 1e-9),
            peak_memory_mib=records.peak_memory_mib(),
            finished=datetime.now(UTC).isoformat(timespec="seconds"),
        )
        record = Record(
            origin="run", method=spec.name, variant=variant, recipe=recipe.model_dump(mode="json"),
            backbone=_backbone_facts(method), parameters=extraction.facts["parameters"],
            flops_per_image=extraction.facts["flops"], dimension=extraction.facts["dimension"],
            dataset=records.DatasetFacts(
                name=catalog.dataset, edition=catalog.edition, licence=dataset_spec.licence,
                annotations=catalog.fingerprint, coverage=editions.coverage(dataset_spec, catalog),
                options=dict(catalog.options), notes=list(catalog.notes),
                damaged=len(extraction.damaged),
            ),
            protocol=protocol.name, protocol_fingerprint=protocol.fingerprint(catalog),
            headline=protocol.headline, seed=request.seed, tasks=scores.tasks,
            mean=scores.mean, run_key=key, cost=cost,
            provenance=_provenance(request, registry, code),
        )  # fmt: skip
        records.finish(folder, record)
        outcomes[protocol.name] = Outcome(record, folder, False)
    return [outcomes[protocol.name] for protocol in protocols]


# The modules whose sources decide what features and what numbers come out.
_EXTRACTION = ("bench.engines", "bench.features", "bench.images")
_SCORING = ("bench.attribute_protocols", "bench.catalog", "bench.metrics", "bench.pictures",
            "bench.protocols", "bench.ranking", "bench.scoring", "bench.search",
            "bench.statistics", "bench.tasks")  # fmt: skip


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


def _provenance(request: Request, registry: Registry, code: str) -> records.Provenance:
    execution = request.execution
    owners = [
        registry.owner("methods", request.method),
        registry.owner("datasets", request.dataset),
    ]
    commit, clean = records.git_state(Path(__file__).parent)
    return records.Provenance(
        command=request.command,
        versions=fingerprints.versions(
            "fashion-retrieval-bench", "torch", "torchvision", "timm", "openvino", "numpy", "pillow"
        ),
        plugins={plugin.name: plugin.origin for plugin, _ in owners},
        code=code,
        git_commit=commit,
        git_clean=clean,
        python=platform.python_version(),
        machine=records.machine_name(),
        device=execution.device,
        device_name=_device_name(execution.device),
        engine=execution.engine,
        precision=execution.precision,
        batch_size=execution.batch_size,
        threads=os.cpu_count() or 1,
    )


def _device_name(device: str) -> str:
    if device == "cpu":
        return "cpu"
    import torch

    return torch.cuda.get_device_name()
