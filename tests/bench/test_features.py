from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch

from bench import images
from bench.catalog import Catalog
from bench.engines import Execution
from bench.errors import DamagedImageError, UserError
from bench.features import Extraction, Plan, extract
from bench.images import decode, resize_and_crop
from bench.interfaces import MethodSpec
from bench.plugins import Registry
from bench.recipes import make_recipe

SMALL = "timm:mobilenetv3_small_050"
COUNT = 11
Rows = npt.NDArray[np.int64]
EVERY: Rows = np.arange(COUNT)


@pytest.fixture(scope="module")
def registry() -> Registry:
    return Registry.load()


@pytest.fixture
def catalog(tmp_path: Path, make_images: Callable[..., list[Path]]) -> Catalog:
    names = [f"{number:02}.jpg" for number in range(COUNT)]
    make_images(tmp_path, names)
    return Catalog.from_columns("toy", tmp_path, {"path": names})


def make_plan(
    registry: Registry,
    catalog: Catalog,
    *,
    engine: str = "torch",
    precision: str = "fp32",
    batch_size: int = 4,
    workers: int = 2,
    seed: int = 0,
    code: str = "",
    **settings: str,
) -> Plan:
    spec: MethodSpec = registry.method("pretrained")
    recipe = make_recipe(spec, "default", {"backbone": SMALL, "weights": "none"} | settings)
    method = spec.build(recipe, catalog, registry, seed, np.arange(0))
    execution: Any = Execution("cpu", engine, precision, batch_size, workers)  # type: ignore[arg-type]
    return Plan(method, "features", method.extractors["features"], catalog, execution, code)


def run(plan: Plan, rows: Rows = EVERY, *, skip_damaged: bool = False) -> tuple[Extraction, list]:
    steps: list[tuple[int, int]] = []
    extraction = extract(
        plan,
        rows,
        skip_damaged=skip_damaged,
        progress=lambda *step: steps.append(step),
        notice=print,
    )
    return extraction, steps


def plain_loop(plan: Plan) -> npt.NDArray[np.float32]:
    """Return the features of every image, one after another, with nothing in between."""
    preprocessing = plan.extractor.preprocessing
    mean, std = (torch.tensor(v).view(3, 1, 1) for v in (preprocessing.mean, preprocessing.std))
    features = []
    with torch.no_grad():
        for path in plan.catalog.images["path"]:
            pixels = resize_and_crop(decode(plan.catalog.root / path), preprocessing)
            images = ((pixels.float() / 255 - mean) / std)[None]
            features.append(plan.method.model(images)[0].numpy())
    return np.stack(features)


@pytest.mark.parametrize("engine", ["torch", "openvino"])
@pytest.mark.parametrize("stage", ["pooled", "blocks.3"])
def test_features_are_those_of_a_plain_loop(
    registry: Registry, catalog: Catalog, engine: str, stage: str
) -> None:
    plan = make_plan(registry, catalog, engine=engine, stage=stage)
    expected = plain_loop(plan)
    extraction, steps = run(plan)
    assert extraction.features.dtype == np.float32
    assert extraction.features.shape == expected.shape
    assert abs(extraction.features - expected).max() <= 2e-5 * abs(expected).max()
    assert expected.std(axis=0).max() > 1e-3 * abs(expected).max(), "the images must differ"
    assert steps == [(4, COUNT), (8, COUNT), (COUNT, COUNT)]
    assert extraction.images == COUNT
    assert extraction.seconds > 0
    assert extraction.facts["dimension"] == expected.shape[1]
    assert extraction.facts["parameters"] == sum(p.numel() for p in plan.method.model.parameters())


def test_a_row_of_features_belongs_to_the_row_of_the_catalog_whatever_is_asked_for(
    registry: Registry, catalog: Catalog
) -> None:
    expected = plain_loop(make_plan(registry, catalog))
    plan = make_plan(registry, catalog)
    extraction, steps = run(plan, np.array([9, 2, 5]))
    assert steps == [(3, 3)]
    for row in (9, 2, 5):
        difference = abs(extraction.features[row] - expected[row]).max()
        assert difference <= 2e-5 * abs(expected).max()
    assert not extraction.features[[0, 1, 3, 4, 6, 7, 8, 10]].any()
    extraction, steps = run(plan)
    assert steps == [(4, 8), (8, 8)], "only the missing rows are extracted"
    assert abs(extraction.features - expected).max() <= 2e-5 * abs(expected).max()
    assert run(plan)[1] == []


def test_box_crops_reach_the_features(registry: Registry, catalog: Catalog) -> None:
    whole, _ = run(make_plan(registry, catalog))
    columns = {"path": list(catalog.images["path"])}
    box = {"x1": 4, "y1": 4, "x2": 20, "y2": 30}
    columns |= {k: [v if row == 3 else np.nan for row in range(COUNT)] for k, v in box.items()}
    cut, _ = run(make_plan(registry, Catalog.from_columns("toy", catalog.root, columns)))
    changed = [row for row in range(COUNT) if (cut.features[row] != whole.features[row]).any()]
    assert changed == [3]


@pytest.mark.parametrize("engine", ["torch", "openvino"])
def test_an_interrupted_extraction_goes_on_and_ends_with_the_same_bits(
    registry: Registry,
    catalog: Catalog,
    engine: str,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    undisturbed, _ = run(make_plan(registry, catalog, engine=engine))
    expected = np.array(undisturbed.features)
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path_factory.mktemp("another-cache")))

    def interrupt(done: int, total: int) -> None:
        assert total == COUNT
        if done == 8:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        extract(
            make_plan(registry, catalog, engine=engine), EVERY, skip_damaged=False,
            progress=interrupt, notice=print,
        )  # fmt: skip
    read: list[Path] = []

    def recording(path: Path) -> torch.Tensor:
        read.append(path)
        return decode(path)

    monkeypatch.setattr(images, "decode", recording)
    resumed, steps = run(make_plan(registry, catalog, engine=engine))
    assert steps == [(3, 3)]
    assert sorted(path.name for path in read) == ["08.jpg", "09.jpg", "10.jpg"]
    np.testing.assert_array_equal(resumed.features, expected)
    assert resumed.images == COUNT, "the cost is that of both sittings"


def test_rows_that_were_not_saved_are_extracted_again(registry: Registry, catalog: Catalog) -> None:
    from bench.features import MISSING
    from bench.storage import cache_folder

    plan = make_plan(registry, catalog)
    expected = np.array(run(plan)[0].features)
    folder = cache_folder() / "features" / plan.key
    # as after a power cut: features not on the disk, and so not marked either
    state = np.load(folder / "state.npy", mmap_mode="r+")
    state[[2, 7]] = MISSING
    state.flush()
    features = np.load(folder / "features.npy", mmap_mode="r+")
    features[[2, 7]] = np.nan
    features.flush()
    again, steps = run(plan)
    assert steps == [(2, 2)]
    np.testing.assert_array_equal(again.features, expected)


def test_batch_size_and_workers_change_neither_key_nor_bits_on_openvino(
    registry: Registry, catalog: Catalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = []
    for batch_size, workers in ((4, 2), (1, 1), (16, 3)):
        monkeypatch.setenv("BENCH_CACHE", str(tmp_path / f"cache{batch_size}"))
        plan = make_plan(
            registry, catalog, engine="openvino", batch_size=batch_size, workers=workers
        )
        found.append((plan.key, np.array(run(plan)[0].features).tobytes()))
    assert found[0] == found[1] == found[2]


def test_whatever_changes_features_changes_the_key(
    registry: Registry, catalog: Catalog, tmp_path: Path
) -> None:
    plan = make_plan(registry, catalog)
    assert make_plan(registry, catalog).key == plan.key
    assert make_plan(registry, catalog, distance="euclidean").key == plan.key
    extractor = make_plan(registry, catalog).extractor
    extractor.preprocessing = replace(extractor.preprocessing, size=96)
    facts = plan.extractor.identity()
    keys = {
        "as it is": plan.key,
        "precision": make_plan(registry, catalog, precision="bf16").key,
        "engine": make_plan(registry, catalog, engine="openvino").key,
        "stage": make_plan(registry, catalog, stage="blocks.3").key,
        "head": make_plan(registry, catalog, stage="blocks.3", head="max-pool").key,
        "seed of random weights": make_plan(registry, catalog, seed=1).key,
        "backbone": make_plan(registry, catalog, backbone="timm:resnet18").key,
        "code": make_plan(registry, catalog, code="another").key,
    }
    assert "preprocessing" in facts

    class Resized:
        def __getattr__(self, name: str) -> object:
            return getattr(plan.extractor, name)

        def identity(self) -> dict[str, object]:
            return {**facts, "preprocessing": {**facts["preprocessing"], "size": 96}}

    keys["preprocessing"] = replace(plan, extractor=Resized()).key  # type: ignore[arg-type]
    names = list(catalog.images["path"])
    reversed_ = Catalog.from_columns("toy", catalog.root, {"path": names[::-1]})
    keys["order of the images"] = make_plan(registry, reversed_).key
    boxed = {"path": names, "x1": [1.0] * COUNT, "y1": [1.0] * COUNT, "x2": [9.0] * COUNT,
             "y2": [9.0] * COUNT}  # fmt: skip
    keys["boxes"] = make_plan(registry, Catalog.from_columns("toy", catalog.root, boxed)).key
    first = catalog.root / names[0]
    first.write_bytes((catalog.root / names[1]).read_bytes())
    keys["bytes of an image"] = make_plan(registry, catalog).key
    assert len(set(keys.values())) == len(keys), keys


def test_another_folder_with_the_same_images_shares_the_features(
    registry: Registry, catalog: Catalog, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    for path in catalog.images["path"]:
        (elsewhere / path).write_bytes((catalog.root / path).read_bytes())
    moved = replace(catalog, root=elsewhere)
    assert make_plan(registry, moved).key == make_plan(registry, catalog).key


def test_a_damaged_image_is_an_error_naming_it_now_and_later(
    registry: Registry, catalog: Catalog
) -> None:
    (catalog.root / "06.jpg").write_bytes(b"damaged")
    for _ in range(2):
        with pytest.raises(DamagedImageError, match=r"06\.jpg.*--skip-damaged"):
            run(make_plan(registry, catalog))
    extraction, _ = run(make_plan(registry, catalog), skip_damaged=True)
    np.testing.assert_array_equal(extraction.damaged, [6])
    with pytest.raises(DamagedImageError, match=r"06\.jpg.*--skip-damaged"):
        run(make_plan(registry, catalog))  # the store is complete, and still says so


def test_skipped_damaged_images_are_counted_now_and_from_the_store(
    registry: Registry, catalog: Catalog
) -> None:
    expected = np.array(run(make_plan(registry, catalog))[0].features)
    (catalog.root / "01.jpg").write_bytes((catalog.root / "01.jpg").read_bytes()[:200])
    (catalog.root / "10.jpg").write_bytes(b"")
    first, steps = run(make_plan(registry, catalog), skip_damaged=True)
    assert steps[-1] == (COUNT, COUNT)
    again, steps = run(make_plan(registry, catalog), skip_damaged=True)
    assert steps == []
    rest = np.setdiff1d(EVERY, [1, 10])
    for extraction in (first, again):
        np.testing.assert_array_equal(extraction.damaged, [1, 10])
        np.testing.assert_array_equal(extraction.features[rest], expected[rest])
    some, _ = run(make_plan(registry, catalog), np.array([0, 10]), skip_damaged=True)
    np.testing.assert_array_equal(some.damaged, [10])


def test_features_that_are_not_finite_are_refused_naming_the_image(
    registry: Registry, catalog: Catalog
) -> None:
    plan = make_plan(registry, catalog)

    class Overflowing:
        def __getattr__(self, name: str) -> object:
            return getattr(plan.extractor, name)

        def identity(self) -> dict[str, object]:
            return {"extractor": "overflowing"}

        def extract(self, pixels: torch.Tensor, domain: str) -> torch.Tensor:
            features = plan.extractor.extract(pixels, domain)
            features[1:2] = torch.inf
            return features

    broken = replace(plan, extractor=Overflowing())  # type: ignore[arg-type]
    with pytest.raises(UserError, match=r"features of 01\.jpg are not finite"):
        run(broken)


def test_each_domain_goes_through_the_extractor_by_its_name(
    registry: Registry, catalog: Catalog
) -> None:
    domains = ["street" if row % 3 == 0 else "shop" for row in range(COUNT)]
    columns = {"path": list(catalog.images["path"]), "domain": domains}
    plan = make_plan(registry, Catalog.from_columns("toy", catalog.root, columns))
    value = {"street": 1.0, "shop": 2.0}

    class ByDomain:
        def __getattr__(self, name: str) -> object:
            return getattr(plan.extractor, name)

        def identity(self) -> dict[str, object]:
            return {"extractor": "by domain"}

        def extract(self, pixels: torch.Tensor, domain: str) -> torch.Tensor:
            return pixels.mean(dim=(2, 3)) * 0 + value.get(domain, torch.ones(1).item())

    extraction, _ = run(replace(plan, extractor=ByDomain()))  # type: ignore[arg-type]
    np.testing.assert_array_equal(extraction.features[:, 0], [value[name] for name in domains])
