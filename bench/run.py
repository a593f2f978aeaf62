"""One run, from a command's choices to records. This page is the whole flow.

catalog → method → training → features → for each protocol: rank, score, summarise, save.
"""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np

from bench import features, fingerprints, ranking, records, scoring
from bench.data import Data, DataRequest, Opened, read_data
from bench.engines import Execution
from bench.errors import UserError
from bench.interfaces import Choosy, Method, MethodSpec
from bench.plugins import Plugin, Registry
from bench.protocols import Protocol, require_compatible
from bench.recipes import Recipe, choose_budget, make_recipe
from bench.records import Record
from bench.report import write_report
from bench.reported import Reported, reported_of
from bench.training import plan as training


@dataclass(frozen=True, kw_only=True)
class Request(DataRequest):
    """What a user asked to run, on what."""

    method: str
    execution: Execution
    variant: str = ""  # the method's first, if empty
    budget: str = "auto"  # which of the method's recipes
    recipe_file: Path | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)  # recipe fields
    crop: Literal["box", "detector", "full"] = "box"  # what of an image is compared
    detector: Path | None = None  # the folder of the one that finds it
    skip_damaged: bool = False
    checkpoint_minutes: float = 10.0
    tensorboard: bool = False
    stores: Path | None = None  # of features; those of the cache, if left out


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
    training: Callable[[training.Progress], None] = lambda _: None
    detection: Callable[[int, int], None] = lambda *_: None


def run(request: Request, registry: Registry, listener: Listener) -> list[Outcome]:
    """Return one outcome per protocol, running those that are not finished yet.

    Of several processes (`torchrun`, `accelerate launch`) all train, and the first does the rest;
    the others return nothing.
    """
    started = time.perf_counter()
    prepared = prepare(request, registry, listener)
    outcomes: dict[str, Outcome] = {}
    for work in prepared.works:
        places = [prepared.place(work, protocol) for protocol in work.protocols]
        finished = {place.protocol.name: records.finished(place.folder) for place in places}
        outcomes |= {
            place.protocol.name: Outcome(record, place.folder, True)
            for place in places
            if (record := finished[place.protocol.name])
        }
        waiting = [place for place in places if not finished[place.protocol.name]]
        if not waiting:
            continue
        seconds = {"load": time.perf_counter() - started}

        trained = training.train(work.plan.method, work.stages, prepared.setting)
        for stage in trained:
            seconds[f"train {stage.facts.name}"] = stage.seconds
            seconds[f"train {stage.facts.name}, waiting for images"] = stage.waited
        if not training.is_first_process():
            continue

        rows = np.unique(np.concatenate([place.protocol.rows() for place in waiting]))
        extraction = features.extract(
            work.plan, rows, skip_damaged=request.skip_damaged,
            progress=listener.progress, notice=listener.notice,
        )  # fmt: skip
        seconds["extract"] = extraction.seconds

        if work.stages:  # what is asked may hang on what was learnt, though features were stored
            work.plan.model.eval()
        for place in waiting:
            clock = time.perf_counter()
            protocol = place.protocol.without(extraction.damaged)
            scores = scoring.score(
                protocol, prepared.data.metrics,
                partial(ranking.rank, features=extraction.features, extractor=work.plan.extractor,
                        device=request.execution.device),
                catalog=prepared.data.catalog, folder=place.folder,
            )  # fmt: skip
            cost = records.Cost(
                seconds=seconds | {"rank and score": time.perf_counter() - clock},
                images_per_second=extraction.images / max(extraction.seconds, 1e-9),
                peak_memory_mib=records.peak_memory_mib(),
                finished=now(),
            )
            facts = [stage.facts for stage in trained]
            record = _record(prepared, work, place, extraction, scores, facts, cost)
            write_report(
                place.folder, record, prepared.data.catalog, prepared.reported, work.plan.extractor
            )
            records.finish(place.folder, record)
            outcomes[protocol.name] = Outcome(record, place.folder, False)
        started = time.perf_counter()
    names = [protocol.name for protocol in prepared.data.protocols]
    return [outcomes[name] for name in names if name in outcomes]


@dataclass(frozen=True)
class Work:
    """Protocols that share their features: the method is trained once for all of them."""

    plan: features.Plan
    stages: list[training.Place]
    protocols: list[Protocol]


@dataclass(frozen=True)
class Prepared:
    """All that a run needs before it trains and extracts."""

    request: Request
    registry: Registry
    data: Data
    method: MethodSpec
    variant: str
    budget: str
    recipe: Recipe
    setting: training.Setting
    works: list[Work]
    reported: tuple[Reported, ...]
    threads: int  # of networks

    def place(self, work: Work, protocol: Protocol) -> Place:
        """Return where the record of a protocol goes."""
        return find_place(
            self.request, self.data, protocol, method=self.method.name, variant=self.variant,
            code=fingerprints.of_json([work.plan.code, scoring_code(protocol, self.registry)]),
            determined=[self.recipe.model_dump(mode="json"), self.budget, self.request.skip_damaged,
                        work.plan.key],
        )  # fmt: skip


def prepare(
    request: Request, registry: Registry, listener: Listener, opened: Opened | None = None
) -> Prepared:
    """Return what a request names, found and built; whatever does not fit is refused here.

    Of several requests for one edition, each can be given what the first one `opened`.
    """
    spec = registry.method(request.method)
    variant = request.variant or next(iter(spec.variants))
    # before the data, which may have to be drawn first; until then, auto counts as full
    asked = choose_budget(spec, request.budget, "full")
    if (request.crop == "detector") != (request.detector is not None):
        raise UserError("--crop detector and --detector FOLDER belong together; give both")
    make_recipe(spec, variant, request.settings, budget=asked, file=request.recipe_file)
    data = read_data(request, registry, listener.notice, opened)
    data = _cropped(data, request, registry, listener)
    budget = choose_budget(spec, request.budget, data.catalog.edition)
    recipe = make_recipe(spec, variant, request.settings, budget=budget, file=request.recipe_file)
    require_compatible(spec, data.catalog, data.protocols)
    setting = training.Setting(
        catalog=data.catalog, seed=request.seed, execution=request.execution,
        skip_damaged=request.skip_damaged,
        folder=request.runs / records.as_folder(data.catalog.name) / "training",
        code=registry.code("methods", [spec.name], "bench.training", "bench.images"),
        checkpoint_minutes=request.checkpoint_minutes, tensorboard=request.tensorboard,
        notice=listener.notice, progress=listener.training,
    )  # fmt: skip
    works: dict[str, Work] = {}
    notices: dict[str, None] = {}  # each once, though protocols may share it
    for protocol in data.protocols:
        method = spec.build(recipe, data.catalog, registry, request.seed, protocol.training)
        stages = training.places(method, spec.name, setting)
        name, extractor = next(iter(method.extractors.items()))
        if isinstance(extractor, Choosy):
            for task in protocol.tasks:
                extractor.require(task.condition)
        key, weights = (stages[-1].key, stages[-1].weights) if stages else ("", None)
        plan = features.Plan(
            method, name, extractor, data.catalog, request.execution,
            _extraction_code(method, spec.name, registry), key, weights, request.stores,
        )  # fmt: skip
        # protocols that may learn from the same images share the method, and all do if none learns
        works.setdefault(plan.key, Work(plan, stages, [])).protocols.append(protocol)
        notices |= dict.fromkeys(method.notices)
    for text in notices:
        listener.notice(f"{spec.name}: {text}")
    return Prepared(
        request,
        registry,
        data,
        spec,
        variant,
        budget,
        recipe,
        setting,
        list(works.values()),
        reported_of(registry, spec),
        _threads(),
    )


def _cropped(data: Data, request: Request, registry: Registry, listener: Listener) -> Data:
    """Return the data with the boxes that the request asks for."""
    from bench.detection.crops import cropped

    every = [rows for p in data.protocols for rows in (p.rows(), p.training)]
    catalog = cropped(
        data.catalog, np.unique(np.concatenate(every)), request.crop, request.detector, registry,
        workers=request.execution.workers, skip_damaged=request.skip_damaged,
        progress=listener.detection, notice=listener.notice,
    )  # fmt: skip
    return replace(data, catalog=catalog)


def _record(
    prepared: Prepared, work: Work, place: Place, extraction: features.Extraction,
    scores: scoring.Scores, trained: list[records.StageFacts], cost: records.Cost,
) -> Record:  # fmt: skip
    data, request = prepared.data, prepared.request
    protocol = place.protocol.without(extraction.damaged)
    return Record(
        origin="run", method=prepared.method.name, variant=prepared.variant,
        budget=prepared.budget, recipe=prepared.recipe.model_dump(mode="json"),
        backbone=_backbone_facts(work.plan.method, prepared.method.backbone),
        parameters=extraction.facts["parameters"], flops_per_image=extraction.facts["flops"],
        dimension=extraction.facts["dimension"],
        dataset=data.facts(damaged=len(extraction.damaged)), protocol=protocol.name,
        protocol_fingerprint=protocol.fingerprint(data.catalog), headline=protocol.headline,
        seed=request.seed, tasks=scores.tasks, mean=scores.mean, pooled=scores.pooled,
        training=trained, run_key=place.key, cost=cost,
        provenance=_provenance(request, prepared.registry, place.code, prepared.threads),
    )  # fmt: skip


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
_SCORING = ("bench.attribute_protocols", "bench.catalog", "bench.gallery_sizes", "bench.metrics",
            "bench.overlap", "bench.pictures", "bench.protocols", "bench.ranking", "bench.scoring",
            "bench.search", "bench.statistics", "bench.tasks")  # fmt: skip


def scoring_code(protocol: Protocol, registry: Registry) -> str:
    """Return the hash of the sources that make numbers of rankings."""
    return registry.code("metrics", protocol.metrics, *_SCORING)


def _extraction_code(method: Method, name: str, registry: Registry) -> str:
    """Return the hash of the sources of extraction, of the method and of its backbone."""
    backbone = registry.code("backbones", [method.backbone.name])
    return fingerprints.of_json([backbone, registry.code("methods", [name], *_EXTRACTION)])


def _backbone_facts(method: Method, published: str) -> records.BackboneFacts:
    source = method.backbone
    return records.BackboneFacts(
        name=source.name,
        source=source.weights.source,
        weights=source.weights.digest,
        trained_on=source.weights.trained_on,
        preprocessing=asdict(source.preprocessing),
        substitute_for="" if source.name == published else published,
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
        machine=records.machine_name(), **({"threads": os.cpu_count() or 1} | execution),
    )  # fmt: skip


def now() -> str:
    """Return the time as records write it: UTC, ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def _provenance(
    request: Request, registry: Registry, code: str, threads: int
) -> records.Provenance:
    execution = request.execution
    owners = [
        registry.owner("methods", request.method)[0],
        registry.owner("datasets", request.dataset)[0],
    ]
    return provenance(
        request, owners, code, device=execution.device, device_name=_device_name(execution.device),
        engine=execution.engine, precision=execution.precision, batch_size=execution.batch_size,
        threads=threads,
    )  # fmt: skip


def _threads() -> int:
    """Return with how many threads networks compute: sums of training hang on it.

    Asked before the search, which changes the number for itself.
    """
    import torch

    return torch.get_num_threads()


def _device_name(device: str) -> str:
    if device == "cpu":
        return "cpu"
    import torch

    return torch.cuda.get_device_name()
