"""What several test files share."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import settings
from PIL import Image

if TYPE_CHECKING:
    from bench.records import Record

REPOSITORY = Path(__file__).resolve().parents[1]

# a deadline would make tests fail by what else the machine does
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Start with what takes long, so that no worker ends with it while the others wait."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


@pytest.fixture(autouse=True)
def own_folders(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give each test a cache and a data folder of its own, so that no test meets another's."""
    folder = tmp_path_factory.mktemp("bench")
    monkeypatch.setenv("BENCH_CACHE", str(folder / "cache"))
    monkeypatch.setenv("BENCH_DATA", str(folder / "data"))


@pytest.fixture(scope="session")
def shared_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return one cache for tests that need whole mini editions, drawn and extracted once.

    `tox` names one for all workers and environments; what lies there is addressed by content.
    """
    named = os.environ.get("BENCH_TEST_CACHE")
    return Path(named) if named else tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="session")
def photographs() -> Path:
    """Return the folder of the real photographs; a test that needs them is skipped without."""
    named = os.environ.get("BENCH_TEST_PHOTOGRAPHS")
    folder = Path(named) if named else REPOSITORY.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(
            f"no real photographs at {folder}; set BENCH_TEST_PHOTOGRAPHS to the folder that holds "
            "clothing-dataset-small"
        )
    return folder


@pytest.fixture(scope="session")
def make_images() -> Callable[[Path, Iterable[str]], list[Path]]:
    """Return a function that writes small real JPEGs, each of its own colours, below a folder."""

    def make(folder: Path, names: Iterable[str]) -> list[Path]:
        files = []
        for number, name in enumerate(names):
            file = folder / name
            file.parent.mkdir(parents=True, exist_ok=True)
            coarse = np.random.default_rng(number).integers(0, 256, (6, 4, 3), dtype=np.uint8)
            Image.fromarray(coarse).resize((32, 48)).save(file, "JPEG", quality=90)
            files.append(file)
        return files

    return make


@pytest.fixture
def make_record() -> Callable[..., Record]:
    """Return a function that makes a record; a dict given for a part changes that part's fields."""
    from bench.records import Record

    values = {"hit@1": 0.5, "map@r": 0.25}
    metrics = {n: {"mean": m, "low": m - 0.125, "high": m + 0.125} for n, m in values.items()}
    content: dict[str, Any] = {
        "origin": "run",
        "method": "pretrained",
        "variant": "default",
        "recipe": {"stage": "pooled"},
        "backbone": {"name": "timm:resnet50", "source": "pretrained", "weights": "0" * 32,
                     "trained_on": "ImageNet-1k", "preprocessing": {"size": 224}},
        "parameters": 25_000_000,
        "flops_per_image": 4_100_000_000,
        "dimension": 2048,
        "dataset": {"name": "clothing", "edition": "full", "licence": "CC0-1.0",
                    "annotations": "1" * 32, "coverage": {"test": (372, 372)}, "damaged": 0,
                    "options": {}, "notes": []},
        "protocol": "test-vs-train",
        "protocol_fingerprint": "2" * 32,
        "headline": "hit@1",
        "seed": 0,
        "tasks": [{"task": "all", "queries": 372, "gallery": 3068, "uncounted": 0,
                   "relevant_per_query": 306.75, "metrics": metrics}],
        "mean": {},
        "pooled": {},
        "run_key": "3" * 32,
        "cost": {"seconds": {"extract": 20.5}, "images_per_second": 170.25,
                 "peak_memory_mib": 900.0, "finished": "2025-01-31T12:00:00+00:00"},
        "provenance": {"command": "bench run", "versions": {"torch": "2.15.0"},
                       "plugins": {"pretrained": "fashion-retrieval-bench 0.1.0"}, "code": "4" * 32,
                       "git_commit": "5" * 40, "git_clean": True, "python": "3.11.7",
                       "machine": "Linux x86_64", "device": "cpu", "device_name": "a processor",
                       "engine": "openvino", "precision": "fp32", "batch_size": 32, "threads": 2},
    }  # fmt: skip

    def make(**changes: Any) -> Record:
        parts = {
            name: content[name] | change if isinstance(change, dict) else change
            for name, change in changes.items()
        }
        return Record.model_validate(content | parts)

    return make
