"""Tables of 10,000 records: ours against pandas, which reads the same files and writes a part.

The records are copies of one of this repository, with 8 tasks and the values of 2,553 queries, in
100 tables of 50 rows and two seeds each. pandas has one process and reads one table of the hundred:
records by the json module, the headline's values by `read_parquet`; it writes the values of all
tasks as CSV and means over seeds as Markdown. It has no ranks, no checks and no intervals.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

SOURCE = Path(__file__).parents[1] / "leaderboards/records/shopping100k@mini/manipulation"
EDITIONS, PROTOCOLS, VARIANTS, SEEDS = 20, 5, 50, 2
CASE = f"{EDITIONS * PROTOCOLS * VARIANTS * SEEDS} records"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    below = tmp_path_factory.mktemp("leaderboards")
    values_file = next(SOURCE.glob("fashionsearchnet--rank-lg--*seed0-*.parquet"))
    record = json.loads(values_file.with_suffix(".json").read_text())
    values, generator = pq.read_table(values_file), np.random.default_rng(0)
    column = values.column_names.index(record["headline"])
    record["method"] = "toy"
    for place in range(EDITIONS * PROTOCOLS):
        edition, protocol = f"toy{place // PROTOCOLS}", f"manipulation{place % PROTOCOLS}"
        record["dataset"]["name"], record["protocol"] = edition, protocol
        records = below / "records" / f"{edition}@mini" / protocol
        records.mkdir(parents=True)
        for variant in range(VARIANTS):
            for seed in range(SEEDS):
                record["variant"], record["seed"] = f"v{variant}", seed
                file = records / f"toy--v{variant}--efficientnet-lite0--seed{seed}-0.json"
                file.write_text(json.dumps(record, indent=2))
                hits = (generator.random(len(values)) < 0.5 + variant / 200).astype(float)
                pq.write_table(
                    values.set_column(column, record["headline"], pa.array(hits)),
                    file.with_suffix(".parquet"), compression="zstd",
                )  # fmt: skip
    return below


@pytest.mark.benchmark(group=f"tables of {CASE}")
def test_ours(benchmark: BenchmarkFixture, folder: Path) -> None:
    command = [sys.executable, "-m", "bench", "leaderboard", "build", "--folder", str(folder)]
    benchmark.pedantic(subprocess.run, (command,), {"check": True}, rounds=1)
    assert len(list(folder.glob("*@mini/*.csv"))) == EDITIONS * PROTOCOLS


@pytest.mark.benchmark(group=f"tables of {CASE}")
def test_pandas_a_hundredth(benchmark: BenchmarkFixture, folder: Path) -> None:
    def tables() -> tuple[str, str]:
        lines = []
        for file in sorted((folder / "records/toy0@mini/manipulation0").glob("*.json")):
            record = json.loads(file.read_text())
            hits = pd.read_parquet(file.with_suffix(".parquet"), columns=[record["headline"]])
            facts = {name: record[name] for name in ("method", "variant", "seed")}
            facts["mean over all queries"] = hits[record["headline"]].mean()
            lines += [
                facts | {"task": task["task"], "metric": name, **value}
                for task in record["tasks"] for name, value in task["metrics"].items()
            ]  # fmt: skip
        every = pd.DataFrame(lines)
        seeds = every.groupby(["variant", "metric"])[["mean", "low", "high"]].mean()
        return every.to_csv(), seeds.to_markdown()

    benchmark(tables)
