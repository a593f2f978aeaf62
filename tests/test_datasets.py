"""Every dataset that has a mini edition: drawn, checked, loaded, and run with `pretrained`.

And two datasets of the published size, without images, through `bench data check --no-images`; the
tests of each plugin read all of them.
"""

from __future__ import annotations

import math
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.audit import audit
from bench.catalog import Catalog
from bench.editions import Edition
from bench.engines import choose_execution
from bench.plugins import Registry
from bench.protocols import Protocol
from bench.recipes import make_options
from bench.run import Listener, Request, run
from bench.tasks import Task

REGISTRY = Registry.load()
SPECS = REGISTRY.all("datasets")
WITH_MINI = [name for name, spec in SPECS.items() if spec.has_mini]
# How much of an edition is drawn here, as `bench data draw --items` takes it: a sixth to a half,
# little enough to be quick and enough for every check below. The others are drawn whole: clothing
# and cub200, which the documentation's commands need too, and fashion-products, of which a part
# has too few pairs of one type and colour.
ITEMS = {"celeba": 150, "darn": 12, "fashionai": 8, "imaterialist": 160, "inshop": 240,
         "shopping100k": 160, "street2shop": 8}  # fmt: skip
PUBLISHED = [Path(__file__).parent / "published" / f"{name}.py" for name in ("inshop", "cub200")]


def edition_of(name: str) -> Edition:
    spec = SPECS[name]
    code = REGISTRY.code("datasets", [name], *spec.drawn_with)
    return Edition(spec, name, make_options(spec, {}), code, print)


def check_catalog(name: str, catalog: Catalog) -> None:
    spec, dataset = SPECS[name], edition_of(name).dataset
    assert catalog.name == f"{name}@mini"
    assert catalog.root.name == name
    assert len(catalog) >= 100
    assert all(source.exists() for source in dataset.sources(catalog.root))
    splits = set(catalog.images["split"].cat.categories) - {""}
    published = set(spec.counts) - {"images", "items", "categories", "attributes", "values"}
    assert published <= splits, "every published split has images"


def check_protocols(name: str, catalog: Catalog, protocols: list[Protocol]) -> None:
    assert [protocol.name for protocol in protocols] == list(SPECS[name].protocols)
    for protocol in protocols:
        assert protocol.headline in protocol.metrics
        evaluated = np.concatenate([task.queries for task in protocol.tasks])
        assert not np.isin(protocol.training, evaluated).any(), "no query is trained on"
        for task in protocol.tasks:
            counts = task.relevant_counts()
            assert (counts > 0).mean() > 0.5, "most queries have something to find"
            if isinstance(task, Task):
                assert (counts < len(task.gallery)).all(), "and none finds only relevant images"


def draw_fewer(reader: type[Any], items: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a reader's mini edition have so many items; the test's own cache holds what is drawn."""
    draw = reader.draw_mini

    def draw_mini(self: Any, root: Path, *, seed: int) -> None:
        draw(self, root, seed=seed, items=items)

    monkeypatch.setattr(reader, "draw_mini", draw_mini)


@pytest.mark.slow
@pytest.mark.parametrize("name", WITH_MINI)
def test_mini_edition_is_drawn_checked_loaded_and_run(
    name: str, shared_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    edition = edition_of(name)
    if name in ITEMS:
        draw_fewer(type(edition.dataset), ITEMS[name], monkeypatch)
    else:
        monkeypatch.setenv("BENCH_CACHE", str(shared_cache))
    catalog = edition.load("mini", tmp_path)
    check_catalog(name, catalog)
    protocols = list(edition.dataset.protocols(catalog))
    check_protocols(name, catalog, protocols)

    report = audit(edition.spec, catalog, protocols, images=True, progress=lambda *_: None)
    found = {finding.what: finding.number for finding in report.findings}
    assert report.holds
    assert found["image files that cannot be read"] == 0
    assert found["boxes that lie outside their image"] == 0
    for protocol in protocols:
        assert not found[f"{protocol.name}: pictures that training and queries share"]
        if "manipulation" not in protocol.name:  # there, one person's portraits are divided
            assert not found.get(f"{protocol.name}: items that training and queries share")

    execution = choose_execution(
        device="cpu", engine="auto", precision="fp32", batch_size=None, workers=2
    )
    request = Request(
        method="pretrained", dataset=name, execution=execution, edition="mini",
        data_root=tmp_path, runs=tmp_path,
    )  # fmt: skip
    outcomes = run(request, REGISTRY, Listener(print, lambda *_: None))
    assert [outcome.record.protocol for outcome in outcomes] == [p.name for p in protocols]
    for outcome in outcomes:
        for task in outcome.record.tasks:
            for metric, value in task.metrics.items():
                assert 0 <= value.low <= value.mean <= value.high <= 1, metric
        values = outcome.record.mean or outcome.record.tasks[0].metrics
        headline = values[outcome.record.headline].mean
        assert math.isfinite(headline)
        assert 0 < headline < 1, "neither hopeless nor solved without learning"


@pytest.mark.slow
@pytest.mark.parametrize("file", PUBLISHED, ids=lambda file: file.stem)
def test_published_counts_are_found_in_files_of_the_published_size(
    file: Path, tmp_path: Path
) -> None:
    name = file.stem.replace("_", "-")
    spec = SPECS[name]
    runpy.run_path(str(file))["write_published"](tmp_path / spec.folders[0])
    done = subprocess.run(
        [Path(sys.executable).with_name("bench"), "data", "check", name, "--no-images",
         "--data-root", tmp_path],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in done.stdout.splitlines()]
    counts = {row[0]: row[1] for row in cells if len(row) == 4}
    for what, number in spec.counts.items():
        assert counts[what] == f"{number:,}"
    for protocol, (queries, gallery) in spec.protocol_counts.items():
        assert counts[f"{protocol}: queries"] == f"{queries:,}"
        assert counts[f"{protocol}: gallery"] == f"{gallery:,}"
    assert "DIFFERS" not in done.stdout
