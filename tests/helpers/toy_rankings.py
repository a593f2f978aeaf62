"""Random rankings of the toy dataset, scored as `bench score` scores somebody's."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from bench.given_rankings import targets
from bench.plugins import Registry
from bench.ranking import candidate_names
from bench.ranking_files import RankingFile
from bench.run import Outcome
from bench.submissions import Submission, score
from bench.tasks import Task

REGISTRY = Registry.load([Path(__file__).with_name("toy_dataset.py")])
TOY = REGISTRY.dataset("toy").build("toy")
CATALOG = TOY.load(Path("nowhere"))
PROTOCOLS = {protocol.name: protocol for protocol in TOY.protocols(CATALOG)}
IDS = CATALOG.images["id"].to_numpy(dtype=object)


def score_random(
    folder: Path, protocol: str, *, method: str = "the method", metrics: tuple[str, ...] = ()
) -> Outcome:
    """Score random rankings of everything that each query can rank."""
    generator, rows = np.random.default_rng(0), []
    for task in PROTOCOLS[protocol].tasks:
        name = candidate_names(task, IDS)
        own = task.own() if isinstance(task, Task) else np.full(len(task.queries), -1)
        for query, target in enumerate(targets(task, CATALOG)):
            order = generator.permutation(task.candidates())
            order = order[order != own[query]]
            names = name(np.full(len(order), query), order)
            rows += [(task.name, IDS[task.queries[query]], target, image, rank)
                     for rank, image in enumerate(names, start=1)]  # fmt: skip
    file = folder / "given.parquet"
    columns = ["task", "query", "target", "gallery", "rank"]
    pd.DataFrame(rows, columns=columns).to_parquet(file)
    submission = Submission(
        file=RankingFile(file), method=method, dataset="toy", protocols=[protocol],
        metrics=metrics, data_root=folder, runs=folder / "runs",
    )  # fmt: skip
    return score(submission, REGISTRY, [].append)
