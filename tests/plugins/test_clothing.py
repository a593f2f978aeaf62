from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pytest
from bench_clothing import CLASSES, COUNTS, FOLDERS, PROTOCOLS, register_datasets
from bench_clothing.reader import METRICS, SPLITS, Clothing

from bench.errors import DataError

MakeImages = Callable[[Path, Iterable[str]], list[Path]]

NAMES = (
    "train/dress/b.jpg",
    "train/dress/a.JPG",
    "train/hat/c.jpeg",
    "validation/hat/d.png",
    "test/dress/e.jpg",
    "test/t-shirt/f.jpg",
)


@pytest.fixture
def root(tmp_path: Path, make_images: MakeImages) -> Path:
    folder = tmp_path / FOLDERS[0]
    make_images(folder, NAMES)
    return folder


def test_every_image_gets_the_class_and_split_of_its_folders(root: Path) -> None:
    catalog = Clothing("clothing").load(root)
    images = catalog.images
    assert sorted(images["path"]) == sorted(NAMES)
    for path, category, split in zip(
        images["path"], images["category"], images["split"], strict=True
    ):
        assert path.startswith(f"{split}/{category}/")
    assert catalog.counts() == {
        "images": 6,
        "train": 3,
        "validation": 1,
        "test": 2,
        "categories": 3,
    }
    assert catalog.dataset == "clothing"
    assert len(set(catalog.image_digests())) == 6


def test_the_order_of_the_catalog_is_by_split_class_and_name(root: Path) -> None:
    expected = sorted(NAMES, key=lambda name: (SPLITS.index(name.split("/")[0]), name))
    assert Clothing("clothing").load(root).images["path"].tolist() == expected


def test_hidden_files_and_folders_are_passed_over(root: Path) -> None:
    (root / "train" / ".DS_Store").write_bytes(b"")
    (root / "train" / "hat" / "._c.jpeg").write_bytes(b"")
    (root / "test" / ".cache").mkdir()
    assert len(Clothing("clothing").load(root)) == 6


@pytest.mark.parametrize("name", ["train/gown/a.jpg", "test/Dress/a.jpg", "validation/a.jpg"])
def test_an_unexpected_class_or_stray_file_is_named(
    name: str, root: Path, make_images: MakeImages
) -> None:
    make_images(root, [name])
    expected = root.joinpath(*Path(name).parts[:2])
    with pytest.raises(DataError) as raised:
        Clothing("clothing").load(root)
    assert str(raised.value).startswith(f"{expected}: expected one of the folders dress, hat, ")


@pytest.mark.parametrize("name", ["notes.txt", "a.gif", "folder.jpg/", "no-ending"])
def test_an_unexpected_file_is_named(name: str, root: Path) -> None:
    path = root / "validation" / "hat" / name.rstrip("/")
    path.mkdir() if name.endswith("/") else path.write_bytes(b"")
    with pytest.raises(DataError) as raised:
        Clothing("clothing").load(root)
    assert str(raised.value) == f"{path}: expected an image (.jpeg, .jpg, .png)"


def test_a_class_that_is_a_file_is_named(root: Path) -> None:
    path = root / "test" / "skirt"
    path.write_bytes(b"")
    with pytest.raises(DataError, match="expected one of the folders"):
        Clothing("clothing").load(root)


def test_the_folder_is_found_below_the_data_root_or_as_the_root_itself(
    root: Path, tmp_path: Path
) -> None:
    reader = Clothing("clothing")
    assert reader.find(tmp_path) == root
    assert reader.find(root) == root
    for folder in FOLDERS[1:]:
        root = root.rename(tmp_path / folder)
        assert reader.find(tmp_path) == root
    (root / "validation").rename(root / "elsewhere")
    assert reader.find(tmp_path) is None
    assert reader.find(tmp_path / "absent") is None


def test_the_listing_of_the_three_splits_is_the_annotation(root: Path) -> None:
    assert list(Clothing("clothing").sources(root)) == [root / split for split in SPLITS]


def test_test_photographs_query_the_training_ones_and_all_query_all_others(root: Path) -> None:
    reader = Clothing("clothing")
    catalog = reader.load(root)
    by_name = {protocol.name: protocol for protocol in reader.protocols(catalog)}
    paths = catalog.images["path"].to_numpy()
    [task] = by_name["test-vs-train"].tasks
    assert paths[task.queries].tolist() == ["test/dress/e.jpg", "test/t-shirt/f.jpg"]
    assert sorted(paths[task.gallery]) == sorted(n for n in NAMES if n.startswith("train"))
    assert task.relevant_counts().tolist() == [2, 0]
    [task] = by_name["leave-one-out"].tasks
    assert task.queries.tolist() == task.gallery.tolist() == list(range(6))
    # three dresses, two hats, one t-shirt: as many others each
    counts = dict(zip(paths, task.relevant_counts().tolist(), strict=True))
    assert [counts[name] for name in NAMES] == [2, 2, 1, 1, 2, 0]


def test_protocols_and_facts_are_those_of_the_spec(root: Path) -> None:
    [spec] = register_datasets()
    reader = spec.build(spec.name)
    found = reader.protocols(reader.load(root))
    assert {protocol.name: protocol.summary for protocol in found} == spec.protocols == PROTOCOLS
    assert spec.counts == COUNTS
    assert spec.folders == FOLDERS
    assert COUNTS["images"] == sum(COUNTS[split] for split in SPLITS)
    for protocol in found:
        assert protocol.metrics == METRICS
        assert protocol.headline in protocol.metrics


@pytest.mark.photographs
def test_the_real_photographs_are_all_there(photographs: Path) -> None:
    reader = Clothing("clothing")
    root = reader.find(photographs)
    assert root is not None
    catalog = reader.load(root)
    assert catalog.counts() == COUNTS | {"categories": 10}
    assert COUNTS == {"images": 3781, "train": 3068, "validation": 341, "test": 372}
    assert set(catalog.images["category"]) == set(CLASSES)
    by_name = {protocol.name: protocol for protocol in reader.protocols(catalog)}
    [task] = by_name["test-vs-train"].tasks
    assert (len(task.queries), len(task.gallery)) == (372, 3068)
    assert (task.relevant_counts() > 0).all()
    assert (task.own() == -1).all()
    [task] = by_name["leave-one-out"].tasks
    assert (len(task.queries), len(task.gallery)) == (3781, 3781)
    assert (task.own() == np.arange(3781)).all()
