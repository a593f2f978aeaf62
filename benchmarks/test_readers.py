"""A million rows of iMaterialist: ours against the json module and pandas, and from the cache."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from bench_imaterialist.reader import IMaterialist
from pytest_benchmark.fixture import BenchmarkFixture

from bench.catalog import load_catalog

PUBLISHED = Path(__file__).parents[1] / "tests" / "published" / "imaterialist.py"
LABEL_MAP = "iMat_fashion_2018_label_map_228.csv"
ROWS = 1_012_947 + 9_897 + 39_706


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with annotation files of published size."""
    spec = importlib.util.spec_from_file_location("published_imaterialist", PUBLISHED)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    folder = tmp_path_factory.mktemp("data") / "imaterialist"
    module.write_published(folder)
    return folder


def read_with_pandas(root: Path) -> pd.DataFrame:
    """Return one row per image with a column of presence per label: what one would write first."""
    labels = pd.read_csv(root / LABEL_MAP)
    frames = []
    for split in ("train", "validation", "test"):
        with (root / f"{split}.json").open() as file:
            document = json.load(file)
        images = pd.DataFrame(document["images"]).set_index("imageId")
        annotations = pd.DataFrame(document.get("annotations", []), columns=["imageId", "labelId"])
        found = images.join(annotations.set_index("imageId")).assign(split=split)
        frames.append(found.reset_index())
    images = pd.concat(frames, ignore_index=True)
    pairs = images["labelId"].explode().dropna().astype(np.int64)
    present = np.zeros((len(images), int(labels["labelId"].max()) + 1), np.uint8)
    present[pairs.index, pairs] = 1
    values = pd.DataFrame(present[:, labels["labelId"]], columns=labels["labelName"])
    return pd.concat([images[["imageId", "split"]], values], axis=1)


@pytest.mark.parametrize("way", ["ours", "json and pandas", "ours, cached"])
def test_a_million_rows(
    benchmark: BenchmarkFixture,
    root: Path,
    way: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path))
    reader = IMaterialist("imaterialist")

    def cached() -> int:
        return len(
            load_catalog(
                "imaterialist",
                root,
                sources=reader.sources(root),
                parse=reader.load,
                options={},
                code="benchmark",
            )
        )

    ways = {
        "ours": lambda: len(reader.load(root)),
        "json and pandas": lambda: len(read_with_pandas(root)),
        "ours, cached": cached,
    }
    benchmark.group = "annotations of iMaterialist: 1,062,550 images, 187 MB of JSON"
    # the cached way reads JSON and writes the cache in its warm-up
    rounds = {"rounds": 3, "warmup_rounds": 1} if way == "ours, cached" else {"rounds": 1}
    assert benchmark.pedantic(ways[way], **rounds) == ROWS
