from __future__ import annotations

import importlib.util
import math
import os
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bench_atelier.vocabulary import check_fixed
from bench_shopping100k import COUNTS, FOLDERS, PROTOCOLS, register_datasets
from bench_shopping100k.adde import (
    CATALOG_FILES,
    QUERY_FILES,
    find_adde,
    read_images,
    read_labels,
    read_manipulations,
    require_known_sizes,
)
from bench_shopping100k.attributes import read_attributes, read_label_file, read_names
from bench_shopping100k.mini import FAMILIES, annotation_files, draw_image, draw_mini, plan_mini
from bench_shopping100k.reader import Shopping100k
from bench_shopping100k.vocabulary import FILES, SCHEMA, SIZES
from fuzzing import anything, mutated, read_or_refuse
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from bench.catalog import Catalog
from bench.errors import DataError, UserError
from bench.protocols import Protocol
from bench.region_files import read_truth
from bench.splits import divide

MakeImages = Callable[[Path, Iterable[str]], list[Path]]
Labels = Mapping[str, int]

PUBLISHED = Path(__file__).parents[1] / "published" / "shopping100k.py"
STARTS = np.cumsum((0, *SIZES))
# shirts in black (1), white (2) and navy (5)
IMAGES: dict[str, Labels] = {
    "A/3_Shirts/c.jpg": {"category": 3, "color": 1, "gender": 0},
    "A/3_Shirts/a.jpg": {"category": 3, "color": 2, "gender": 0},
    "A/3_Shirts/b 2.jpg": {"category": 3, "color": 5, "collar": 4, "sleeve length": 8},
    "B/15_Dresses/d.jpg": {"category": 15, "color": 1, "neckline": 9},
    "B/15_Dresses/e.jpg": {"category": 15, "color": 2, "sport": 14},
    "B/x.jpg": {"color": 18},
}


def write(
    root: Path, images: Mapping[str, Labels] = IMAGES, *, plain: bool = False, prefix: str = ""
) -> Path:
    """Write one file per attribute, in the one grammar or the other."""
    (root / "Attributes").mkdir(parents=True, exist_ok=True)
    for name, file in FILES.items():
        lines = [
            f"{'' if plain else f'{prefix}{path} '}{labels.get(name, -1)}\n"
            for path, labels in images.items()
        ]
        (root / file).write_text("".join(lines))
    return root


def vector(labels: Labels, *, minus: Labels | None = None) -> str:
    values = np.zeros(SCHEMA.width, np.int64)
    for sign, found in ((1, labels), (-1, minus or {})):
        for name, label in found.items():
            values[SCHEMA.columns(name).start + label] = sign
    return " ".join(map(str, values))


def write_adde(
    folder: Path,
    *,
    train: Mapping[str, Labels],
    test: Mapping[str, Labels],
    queries: Sequence[tuple[int, str, int]],
) -> Path:
    """Write ADDE's files; a query is (test image, attribute, the value that it becomes)."""
    folder.mkdir(parents=True, exist_ok=True)
    files: dict[str, list[Any]] = {"attr_num": list(SIZES)}
    for split, images in (("train", train), ("test", test)):
        files[f"imgs_{split}"] = list(images)
        files[f"labels_{split}"] = [vector(labels) for labels in images.values()]
    labels = list(test.values())
    files["ref_test"] = [image for image, _, _ in queries]
    files["gt_test"] = [vector({**labels[i], name: value}) for i, name, value in queries]
    files["indfull_test"] = [
        vector({name: value}, minus={name: labels[i][name]} if name in labels[i] else {})
        for i, name, value in queries
    ]
    for name, rows in files.items():
        (folder / f"{name}.txt").write_text("".join(f"{row}\n" for row in rows))
    return folder


TRAIN = dict(list(IMAGES.items())[3:])
TEST = dict(list(IMAGES.items())[:3])
QUERIES = [(0, "color", 2), (1, "color", 1), (0, "gender", 1), (2, "fabric", 0)]


def load(root: Path) -> Catalog:
    return Shopping100k("shopping100k").load(root)


def labels_of(catalog: Catalog) -> dict[str, dict[str, int]]:
    found = {}
    names = [attribute.name for attribute in SCHEMA.attributes]
    for path, labels in zip(catalog.images["path"], catalog.labels().tolist(), strict=True):
        pairs = zip(names, labels, strict=True)
        found[path.removeprefix("Images/")] = {name: n for name, n in pairs if n >= 0}
    assert (catalog.known == (catalog.labels() >= 0)).all()
    return found


def test_the_vocabulary_has_the_published_sizes() -> None:
    assert SIZES == (16, 17, 19, 14, 10, 15, 2, 11, 16, 7, 9, 15)
    assert (len(SIZES), sum(SIZES)) == (COUNTS["attributes"], COUNTS["values"])
    assert FILES["sleeve length"] == "Attributes/sleevelen.txt"
    for attribute in SCHEMA.attributes:
        assert len(set(attribute.values)) == len(attribute.values)
        assert not attribute.multiple
    assert SCHEMA.attribute("collar").values[13] == "peter pan"
    assert SCHEMA.attribute("sport").values[-1] == "sport-14"


@pytest.mark.parametrize("prefix", ["", "Images/"])
def test_lines_of_path_and_label_become_the_catalog(prefix: str, tmp_path: Path) -> None:
    catalog = load(write(tmp_path, prefix=prefix))
    assert catalog.images["path"].tolist() == [f"Images/{path}" for path in IMAGES]
    assert labels_of(catalog) == IMAGES
    assert catalog.images["category"].tolist() == ["shirt"] * 3 + ["dress"] * 2 + [""]
    assert (catalog.schema, set(catalog.images["domain"])) == (SCHEMA, {"shop"})
    (tmp_path / "Images").mkdir()  # whose listing says nothing here
    sources = Shopping100k("shopping100k").sources(tmp_path)
    assert list(sources) == [tmp_path / file for file in FILES.values()]


@pytest.mark.parametrize("listed", ["Attributes/names.txt", "names.txt", "images.txt"])
def test_plain_labels_are_aligned_with_the_file_that_lists_the_images(
    listed: str, tmp_path: Path
) -> None:
    root = write(tmp_path, plain=True)
    (root / listed).write_text("\r\n".join(IMAGES))
    assert labels_of(load(root)) == IMAGES
    assert root / listed in Shopping100k("shopping100k").sources(root)


def test_plain_labels_are_else_aligned_with_the_sorted_images(
    tmp_path: Path, make_images: MakeImages
) -> None:
    root = write(tmp_path, dict(sorted(IMAGES.items())), plain=True)
    with pytest.raises(DataError, match="labels without paths; expected PATH CATEGORY"):
        load(root)
    make_images(root / "Images", IMAGES)
    catalog = load(root)
    assert labels_of(catalog) == IMAGES
    assert catalog.notes[0].startswith("no file names the images of the plain labels")
    assert root / "Images" in Shopping100k("shopping100k").sources(root)
    (root / "Images" / next(iter(IMAGES))).unlink()
    with pytest.raises(DataError, match=r"category\.txt:6: 6 labels for 5 images of Images"):
        load(root)


def test_files_of_both_grammars_and_orders_go_together(tmp_path: Path) -> None:
    root = write(tmp_path)
    color = (root / FILES["color"]).read_text().splitlines(keepends=True)
    (root / FILES["color"]).write_text("".join(color[::-1]))
    (root / FILES["gender"]).write_text("00\n0\n-1\n-1\n-1\n-1\n")
    assert labels_of(load(root)) == IMAGES


def test_gender_and_sport_may_be_absent(tmp_path: Path) -> None:
    root = write(tmp_path)
    for name in ("gender", "sport"):
        (root / FILES[name]).unlink()
    catalog = load(root)
    assert catalog.schema == SCHEMA
    assert catalog.notes[:2] == (
        "no Attributes/gender.txt: the gender of every image is missing",
        "no Attributes/sport.txt: the sport of every image is missing",
    )
    for labels in labels_of(catalog).values():
        assert not {"gender", "sport"} & set(labels)
    (root / FILES["fit"]).unlink()
    assert all(source.is_file() for source in Shopping100k("shopping100k").sources(root))
    with pytest.raises(DataError, match=r"fit\.txt: no such file"):
        load(root)


FIRST, SECOND = list(IMAGES)[:2]
MALFORMED = [
    ("color", "", 1, "0 fields in ''; expected COLOR"),
    ("color", f"{FIRST} 1\n{SECOND}\n", 2, f"1 fields in '{SECOND}'; expected PATH COLOR"),
    ("color", f"1\n{SECOND} 2\n", 2, f"2 fields in '{SECOND} 2'; expected COLOR, as in line 1"),
    ("color", f"{FIRST} 19\n", 1, "label of color '19'; expected an integer from -1 to 18"),
    ("color", f"{FIRST} -2\n", 1, "label of color '-2'"),
    ("color", f"{FIRST} 1.0\n", 1, "label of color '1.0'"),
    ("color", f"../{FIRST} 1\n", 1, f"path '../{FIRST}'; expected a path below"),
    ("category", f"{FIRST} 1\nImages//etc/x.jpg 1\n", 2, "path '/etc/x.jpg'"),
    ("color", f"{FIRST} 1\n{SECOND} 1\n{FIRST} 2\n", 3, f"image Images/{FIRST} again, after line"),
    ("color", f"{FIRST} 1\nC/new.jpg 1\n", 2, "image Images/C/new.jpg; expected an image that"),
    ("color", f"{FIRST} 1\n", 1, f"no label of image Images/{SECOND}; expected a label of each"),
    ("color", "1\n2\n5\n1\n2\n", 5, "5 labels for 6 images of Attributes/category.txt"),
]


@pytest.mark.parametrize(("attribute", "content", "line", "message"), MALFORMED)
def test_malformed_attribute_files_are_named(
    attribute: str, content: str, line: int, message: str, tmp_path: Path
) -> None:
    root = write(tmp_path)
    (root / FILES[attribute]).write_text(content)
    with pytest.raises(DataError) as raised:
        load(root)
    assert str(raised.value).startswith(f"{root / FILES[attribute]}:{line}: {message}")


def test_the_division_is_by_hash_and_of_published_size_where_there_are_enough() -> None:
    paths = [f"Images/{n}.jpg" for n in range(40_000)]
    splits = divide(Path("none"), paths)
    assert [(splits == s).sum() for s in ("query", "gallery", "train")] == [2000, 18_000, 20_000]
    assert (divide(Path("none"), paths[::-1]) == splits[::-1]).all()
    fewer = divide(Path("none"), paths[1:])
    assert [(fewer == s).sum() for s in ("query", "gallery", "train")] == [4999, 14_999, 20_001]


def split_files(root: Path, query: str, gallery: str) -> None:
    (root / "splits").mkdir(exist_ok=True)
    (root / "splits" / "query.txt").write_text(query)
    (root / "splits" / "gallery.txt").write_text(gallery)


def test_split_files_take_precedence(tmp_path: Path) -> None:
    root = write(tmp_path)
    split_files(root, f"{FIRST}\n", f"Images/{SECOND}\nB/x.jpg\n")
    splits = load(root).images["split"].tolist()
    assert splits == ["query", "gallery", "train", "train", "train", "gallery"]
    assert root / "splits" / "query.txt" in Shopping100k("shopping100k").sources(root)


@pytest.mark.parametrize(
    ("query", "gallery", "message"),
    [
        (f"{FIRST}\n{FIRST}\n", "B/x.jpg\n", f"query.txt:2: image 'Images/{FIRST}' again"),
        (f"{FIRST}\n", f"B/x.jpg\n{FIRST}\n", f"gallery.txt:2: image 'Images/{FIRST}' again"),
        ("C/y.jpg\n", "B/x.jpg\n", "query.txt:1: image 'Images/C/y.jpg'; expected an image that"),
        ("/B/x.jpg\n", "", "query.txt:1: path '/B/x.jpg'"),
    ],
)
def test_malformed_split_files_are_named(
    query: str, gallery: str, message: str, tmp_path: Path
) -> None:
    root = write(tmp_path)
    split_files(root, query, gallery)
    with pytest.raises(DataError) as raised:
        load(root)
    assert str(raised.value).startswith(str(root / "splits" / message))


def protocols_of(root: Path) -> dict[str, Protocol]:
    reader = Shopping100k("shopping100k")
    return {protocol.name: protocol for protocol in reader.protocols(reader.load(root))}


def test_manipulation_wants_all_attributes_as_they_were_but_one(tmp_path: Path) -> None:
    root = write(tmp_path)
    split_files(root, f"{FIRST}\nB/15_Dresses/d.jpg\n", "\n".join(list(IMAGES)[1:3]))
    protocols = protocols_of(root)
    assert list(protocols) == ["manipulation"]
    [task] = protocols["manipulation"].tasks
    assert (task.name, task.queries.tolist()) == ("color", [0])
    assert task.relevant_counts().tolist() == [1]
    assert protocols["manipulation"].training.tolist() == [4, 5]


@pytest.mark.parametrize("folder", ["splits/Shopping100k", "splits", ""])
def test_the_files_of_adde_alone_are_a_catalog(folder: str, tmp_path: Path) -> None:
    adde = write_adde(tmp_path / folder, train=TRAIN, test=TEST, queries=QUERIES)
    split_files(tmp_path, FIRST, SECOND)
    reader = Shopping100k("shopping100k")
    assert reader.find(tmp_path) == tmp_path
    assert set(reader.sources(tmp_path)) >= {adde / n for n in (*CATALOG_FILES, *QUERY_FILES)}
    catalog = load(tmp_path)
    assert labels_of(catalog) == {**TRAIN, **TEST}
    assert catalog.notes[0].startswith("no Attributes: images and labels are those of the split")


def test_adde_asks_one_task_per_changed_attribute(tmp_path: Path) -> None:
    root = write(tmp_path)
    split_files(root, FIRST, SECOND)
    write_adde(root / "splits", train=TRAIN, test=TEST, queries=QUERIES)
    protocol = protocols_of(root)["manipulation/adde"]
    tasks = {task.name: task for task in protocol.tasks}
    assert list(tasks) == ["color", "fabric", "gender"]
    assert tasks["color"].queries.tolist() == [0, 1]
    assert tasks["color"].relevant_counts().tolist() == [1, 1]  # each becomes the other
    assert tasks["gender"].relevant_counts().tolist() == [0]
    condition = tasks["color"].condition
    assert condition is not None
    assert condition.targets is not None
    assert condition.targets.tolist() == [2, 1]
    for task in protocol.tasks:
        assert task.candidates() == 3
        assert set(task.rows()) <= {0, 1, 2}
    assert protocol.training.tolist() == [3, 4, 5]
    assert protocol.headline in protocol.metrics


def test_labels_that_adde_has_otherwise_are_counted(tmp_path: Path) -> None:
    root = write(tmp_path)
    changed = {**TRAIN, "B/x.jpg": {"color": 17}}
    write_adde(root / "splits", train=changed, test=TEST, queries=QUERIES)
    assert load(root).notes[0].startswith("1 images have other labels in the files of ADDE")
    write_adde(root / "splits", train={"new.jpg": {}}, test=TEST, queries=QUERIES)
    with pytest.raises(DataError, match=r"imgs_train\.txt:1: image Images/new\.jpg; expected an"):
        load(root)


ONE, ALSO = vector(IMAGES[FIRST]), vector(IMAGES[SECOND])
FIT_FOR_SPORT = vector({"fit": 1}, minus={"sport": 1})
MALFORMED_ADDE = [
    # the file that is changed, its content, where and how the error is reported
    ("attr_num", "16\n17\n", "attr_num.txt:1: the numbers (16, 17); expected (16, 17, 19"),
    ("attr_num", "sixteen\n", "attr_num.txt:1: number of values 'sixteen'"),
    ("imgs_train", f"{FIRST}\nx.jpg\ny.jpg\n", f"imgs_test.txt:1: image Images/{FIRST} of imgs_tr"),
    ("imgs_test", f"{FIRST}\n{SECOND}\n{FIRST}\n", f"imgs_test.txt:3: image Images/{FIRST} again"),
    ("imgs_test", f"{FIRST}\n../x.jpg\nz.jpg\n", "imgs_test.txt:2: path '../x.jpg'"),
    ("labels_test", f"{ONE}\n{ALSO}\n", "labels_test.txt:2: 2 lines; expected 3, as imgs_test.txt"),
    ("labels_test", f"{ONE}\n0 1\n{ONE}\n", "labels_test.txt:2: 2 fields in '0 1'; expected 151"),
    (
        "labels_test",
        f"{ONE.replace('0', '2')}\n" * 3,
        "labels_test.txt:1: value '2'; expected 0",
    ),
    (
        "labels_test",
        f"1 1 {ONE[4:]}\n" * 3,
        "labels_test.txt:1: 3 values of category; exp",
    ),
    ("ref_test", "0\n1\n3\n0\n", "ref_test.txt:3: test image '3'; expected an integer from 0 to 2"),
    ("ref_test", "0\n1\n2\n", "indfull_test.txt:4: 4 lines; expected 3, as ref_test.txt has"),
    ("gt_test", f"{ONE}\n", "gt_test.txt:1: 1 lines; expected 4, as ref_test.txt has"),
    ("indfull_test", f"{ONE}\n" * 4, "indfull_test.txt:1: 3 values added, 0 removed; expected one"),
    ("indfull_test", f"{FIT_FOR_SPORT}\n" * 4, "indfull_test.txt:1: 1 values added, 1 removed"),
    ("gt_test", f"{ALSO}\n" * 4, "gt_test.txt:2: another color or none; expected color black"),
]


@pytest.mark.parametrize(("name", "content", "message"), MALFORMED_ADDE)
def test_malformed_files_of_adde_are_named(
    name: str, content: str, message: str, tmp_path: Path
) -> None:
    root = write(tmp_path)
    split_files(root, FIRST, SECOND)
    adde = write_adde(root / "splits", train=TRAIN, test=TEST, queries=QUERIES)
    assert set(protocols_of(root)) == set(PROTOCOLS)
    (adde / f"{name}.txt").write_text(content)
    with pytest.raises(DataError) as raised:
        protocols_of(root)
    assert str(raised.value).startswith(f"{adde / message}")


def test_vectors_are_read_alike_whatever_their_blanks(tmp_path: Path) -> None:
    file = tmp_path / "labels.txt"
    found = []
    for separator, end in ((" ", "\n"), ("  ", "\n"), (" ", " \r\n"), ("\t", "\n")):
        rows = [vector(labels).replace(" ", separator) + end for labels in IMAGES.values()]
        file.write_bytes("".join(rows).encode())
        found.append(read_labels(file).tolist())
    assert found[0][0][:4] == [3, -1, 1, -1]
    assert all(labels == found[0] for labels in found)


def test_the_folder_is_found_below_the_data_root_or_as_the_root_itself(tmp_path: Path) -> None:
    reader = Shopping100k("shopping100k")
    root = write(tmp_path / FOLDERS[0])
    assert reader.find(tmp_path) == reader.find(root) == root
    for folder in FOLDERS[1:]:
        root = root.rename(tmp_path / folder)
        assert reader.find(tmp_path) == root
    (root / FILES["category"]).unlink()
    assert reader.find(tmp_path) is None


def test_the_facts_are_those_of_the_spec() -> None:
    [spec] = register_datasets()
    assert (spec.counts, spec.folders, spec.protocols) == (COUNTS, FOLDERS, PROTOCOLS)


def test_annotations_of_the_published_size_are_read_whole(tmp_path: Path) -> None:
    spec = importlib.util.spec_from_file_location("published_shopping100k", PUBLISHED)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.write_published(tmp_path)
    reader = Shopping100k("shopping100k")
    catalog = reader.load(tmp_path)
    counts = catalog.counts()
    assert {name: counts[name] for name in COUNTS} == COUNTS
    assert [counts[s] for s in ("query", "gallery", "train")] == [2000, 18_000, 80_586]
    assert len(catalog.notes) == 1  # ADDE's labels are the same
    protocols = {protocol.name: protocol for protocol in reader.protocols(catalog)}
    assert set(protocols) == set(PROTOCOLS)
    adde = protocols["manipulation/adde"]
    assert sum(len(task.queries) for task in adde.tasks) == 14_361
    for task in adde.tasks:
        assert task.candidates() == 20_000
        assert (task.relevant_counts() > 0).all()
    assert len(adde.training) == 80_586


@pytest.fixture(scope="module")
def mini(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("mini") / "shopping100k"
    Shopping100k("shopping100k").draw_mini(root, seed=3, items=20)
    return root


def test_the_mini_edition_has_the_published_layout(mini: Path) -> None:
    catalog = load(mini)
    assert len(catalog) == 20
    for path in catalog.images["path"]:
        with Image.open(mini / path) as image:
            assert image.format == "JPEG"
            assert 128 <= image.width <= 160
            assert 168 <= image.height <= 200
    assert {file.name for file in (mini / "Attributes").iterdir()} == {
        Path(file).name for file in FILES.values()
    }
    truth = read_truth(catalog)
    for row, path in enumerate(catalog.images["path"]):
        # of a garment for the upper body, whatever is labelled
        assert ("neckline" in truth.get(path, {})) == ("sleeve length" in truth.get(path, {}))
        if "sleeve length" in catalog.values_of(row):
            left, top, right, bottom = truth[path]["sleeve length"]
            assert right - left > 40
            assert top < bottom <= 200


def test_a_picture_depends_on_its_name_and_the_seed_alone(mini: Path) -> None:
    image = plan_mini(seed=3, count=20)[7]
    assert (mini / "Images" / image.path).read_bytes() == draw_image(image, seed=3)[0]
    assert draw_image(image, seed=4)[0] != draw_image(image, seed=3)[0]
    with pytest.raises(UserError, match="not empty"):
        draw_mini(mini, seed=3)


def test_every_combination_is_drawn_as_often_as_the_others() -> None:
    counts = Counter(tuple(image.product.labels.items()) for image in plan_mini(seed=0))
    combinations = [math.prod(map(len, family.values())) for family in FAMILIES]
    assert combinations == [192, 96, 96]
    assert (len(counts), set(counts.values())) == (384, {4, 5})
    for image in plan_mini(seed=0, count=30):  # of names that the drawing kit knows
        drawing = dict(image.product.drawing)
        check_fixed(drawing.pop("category"), drawing)


def test_the_whole_mini_edition_has_many_pairs_to_ask_in_both_protocols(tmp_path: Path) -> None:
    for name, content in annotation_files(plan_mini(seed=0), seed=0).items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content)
    reader = Shopping100k("shopping100k")
    catalog = reader.load(tmp_path)
    assert len(catalog) == 1800
    assert [catalog.counts()[split] for split in ("query", "gallery", "train")] == [225, 1125, 450]
    assert len(catalog.notes) == 1  # ADDE's labels are the same
    protocols = reader.protocols(catalog)
    assert [protocol.name for protocol in protocols] == list(PROTOCOLS)
    for protocol in protocols:
        assert len(protocol.tasks) >= 6
        assert sum(len(task.queries) for task in protocol.tasks) >= 300
        for task in protocol.tasks:
            assert (task.relevant_counts() > 0).all()
            assert not set(protocol.training) & set(task.rows())


colors = "".join(f"{path} {labels['color']}\n" for path, labels in IMAGES.items())


PIECES = (b" ", b"1", b"2", b"../", b"/", b"0 1")


@given(anything | mutated(colors, *PIECES) | mutated("1\n2\n5\n1\n2\n18\n", *PIECES))
@settings(max_examples=150)
def test_arbitrary_attribute_files_are_read_or_refused_in_one_line(content: bytes) -> None:
    read_or_refuse("color.txt", content, lambda file: read_label_file(file, "color"))
    root = Path(os.environ["BENCH_CACHE"]).parent / "data"
    if not root.is_dir():
        write(root)
    read_or_refuse(
        "data/Attributes/color.txt", content, lambda _: read_attributes(root), beside=True
    )


@given(anything | mutated("\n".join(IMAGES), *PIECES))
@settings(max_examples=100)
def test_arbitrary_lists_of_images_are_read_or_refused_in_one_line(content: bytes) -> None:
    read_or_refuse("names.txt", content, read_names)


def read_adde(folder: Path) -> None:
    require_known_sizes(folder)
    read_images(folder, "train")
    read_manipulations(folder, read_images(folder, "test"))


@pytest.mark.parametrize("name", [*CATALOG_FILES, *QUERY_FILES])
@given(data=st.data())
@settings(max_examples=60)
def test_arbitrary_files_of_adde_are_read_or_refused_in_one_line(
    name: str, data: st.DataObject
) -> None:
    folder = Path(os.environ["BENCH_CACHE"]).parent / "adde"
    write_adde(folder, train=TRAIN, test=TEST, queries=QUERIES)
    read_adde(folder)
    content = data.draw(anything | mutated((folder / name).read_text(), *PIECES))
    read_or_refuse(f"adde/{name}", content, lambda file: read_adde(file.parent), beside=True)


def test_adde_is_found_only_when_it_is_whole(tmp_path: Path) -> None:
    adde = write_adde(tmp_path / "splits", train=TRAIN, test=TEST, queries=QUERIES)
    assert find_adde(tmp_path) == adde
    (adde / "gt_test.txt").unlink()
    assert find_adde(tmp_path) is None
