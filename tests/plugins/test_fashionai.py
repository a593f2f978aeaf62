"""Dataset fashionai: its label files, split, protocols and ASEN's files, and its mini edition."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest
from bench_fashionai import COUNTS, FOLDERS, PROTOCOLS, register_datasets
from bench_fashionai.asen import METRICS, PARTS, find_asen, read_asen
from bench_fashionai.looks import LOOKS, SIZE, Scene, sample_scene
from bench_fashionai.mini import draw_image, draw_mini, letters, plan_mini
from bench_fashionai.options import FashionAIOptions
from bench_fashionai.reader import FashionAI
from bench_fashionai.rounds import read_labels
from bench_fashionai.splits import divide
from bench_fashionai.vocabulary import DIMENSIONS, SCHEMA
from fuzzing import anything, mutated, read_or_refuse
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from bench.attribute_protocols import draw_triplets
from bench.catalog import Catalog
from bench.errors import DataError
from bench.interfaces import FeatureExtractor
from bench.plugins import Registry
from bench.ranking import rank
from bench.recipes import make_options
from bench.scoring import score
from bench.tasks import AnyTask, Task

MakeImages = Callable[[Path, Iterable[str]], list[Path]]
PUBLISHED = Path(__file__).parents[1] / "published" / "fashionai.py"
COLLAR = "Images/collar_design_labels/"
LABELS = (
    f"{COLLAR}a.jpg,collar_design_labels,nnynn",
    f"{COLLAR}b.jpg,collar_design_labels,ymnnn",
    "Images/sleeve_length_labels/a.jpg,sleeve_length_labels,nnnnnnnmy",
)


def write(
    root: Path, lines: Iterable[str] = LABELS, file: str = "base/Annotations/label.csv"
) -> Path:
    path = root / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines))
    return root


def reader(rounds: Any = "base") -> FashionAI:
    return FashionAI("fashionai", FashionAIOptions(rounds=rounds))


def values_of(catalog: Catalog) -> dict[str, tuple[str, str]]:
    """Return the dimension and the value of each row by its id."""
    labels, found = catalog.labels(), {}
    for row, name in enumerate(catalog.images["id"]):
        [number] = np.flatnonzero(catalog.known[row])
        attribute = catalog.schema.attributes[number]
        assert catalog.images["category"].iloc[row] == attribute.name
        assert catalog.present[row].sum() == 1
        found[name] = (attribute.name, attribute.values[labels[row, number]])
    return found


def test_a_row_is_labelled_in_its_dimension_alone(tmp_path: Path) -> None:
    catalog = reader().load(write(tmp_path))
    assert values_of(catalog) == {
        f"base/{COLLAR}a.jpg": ("collar_design", "Peter Pan"),
        f"base/{COLLAR}b.jpg": ("collar_design", "Invisible"),
        "base/Images/sleeve_length_labels/a.jpg": ("sleeve_length", "Extra Long Sleeves"),
    }
    assert catalog.images["path"].tolist() == catalog.images["id"].tolist()
    assert catalog.images["picture"].tolist() == ["a", "b", "a"]  # there are no files
    assert catalog.schema == SCHEMA
    assert catalog.notes == ()


def test_a_header_is_skipped_and_the_later_packing_is_found(tmp_path: Path) -> None:
    folder = "fashionAI_attributes_train1"
    root = write(
        tmp_path, ["ImageName,AttrKey,AttrValues", *LABELS], f"{folder}/Annotations/label.csv"
    )
    images = reader().load(root).images
    assert images["id"].iloc[0] == f"base/{COLLAR}a.jpg"
    assert images["path"].iloc[0] == f"{folder}/{COLLAR}a.jpg"


def test_the_vocabulary_is_the_published_one() -> None:
    assert {name: len(values) for name, values in DIMENSIONS.items()} == {
        "coat_length": 8, "collar_design": 5, "lapel_design": 5, "neck_design": 5,
        "neckline_design": 10, "pant_length": 6, "skirt_length": 6, "sleeve_length": 9,
    }  # fmt: skip
    assert SCHEMA.width == COUNTS["values"] == 54
    assert all(values[0] == "Invisible" for values in DIMENSIONS.values())
    assert all(len(set(values)) == len(values) for values in DIMENSIONS.values())
    [spec] = register_datasets()
    assert (spec.counts, spec.folders, spec.protocols) == (COUNTS, FOLDERS, PROTOCOLS)


MALFORMED = [
    ([""], 1, "an empty file"),
    (["image,key,value"], 1, "no line after the header; expected IMAGE,DIMENSION_labels,LETTERS"),
    (["junk"], 1, "1 fields in 'junk'; expected IMAGE,DIMENSION_labels,LETTERS"),
    ([LABELS[0], "image,key,value"], 2, "dimension 'key'; expected skirt_length_labels or "),
    ([LABELS[0], f"{COLLAR}x.jpg,collar_design_labels"], 2, "2 fields in "),
    ([f"{COLLAR}x.jpg,colour_labels,ynn"], 1, "dimension 'colour_labels'; expected skirt_length"),
    ([f"{COLLAR}x.jpg,collar_design_labels,nnyn"], 1, "letters 'nnyn'; expected 5 letters"),
    ([f"{COLLAR}x.jpg,collar_design_labels,nnYnn"], 1, "letters 'nnYnn'; expected 5 letters"),
    ([f"{COLLAR}x.jpg,collar_design_labels,0.1"], 1, "letters '0.1'; expected 5 letters"),
    ([LABELS[0], f"{COLLAR}x.jpg,collar_design_labels,nmnnn"], 2, "0 letters y in 'nmnnn'"),
    ([f"{COLLAR}x.jpg,collar_design_labels,nynyn"], 1, "2 letters y in 'nynyn'; expected exactly"),
    (["../x.jpg,collar_design_labels,nynnn"], 1, "path '../x.jpg'; expected a path below"),
    (["/x.jpg,collar_design_labels,nynnn"], 1, "path '/x.jpg'; expected a path below"),
    ([LABELS[0], LABELS[1], LABELS[0]], 3, f"image '{COLLAR}a.jpg' again, after line 1"),
    (["a,b,c", LABELS[0], LABELS[0]], 3, f"image '{COLLAR}a.jpg' again, after line 2"),
]  # fmt: skip


@pytest.mark.parametrize(("lines", "number", "message"), MALFORMED)
def test_malformed_labels_are_named(
    lines: list[str], number: int, message: str, tmp_path: Path
) -> None:
    file = write(tmp_path, lines) / "base/Annotations/label.csv"
    with pytest.raises(DataError) as raised:
        reader().load(tmp_path)
    assert str(raised.value).startswith(f"{file}:{number}: {message}")


def test_without_any_labels_the_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"label\.csv: no such file"):
        reader().load(tmp_path)


def other_rounds(root: Path) -> Path:
    """Write all rounds, the second test with the images of the first one."""
    write(root)
    skirt = "Images/skirt_length_labels/s.jpg,skirt_length_labels,nynnnn"
    write(root, [skirt], "web/Annotations/skirt_length_labels.csv")
    write(
        root, ["id,key,value", LABELS[0].replace("a.jpg", "z.jpg")], "train/Annotations/label.csv"
    )
    tested = [f"{COLLAR}{n}.jpg,collar_design_labels,{text}" for n, text in
              enumerate(("nynnn", "nyynn", "nmnnn"))]  # fmt: skip
    write(root, tested, "rank/Tests/fashionAI_attributes_answer_a_20180428.csv")
    later = f"{COLLAR}7.jpg,collar_design_labels,nnnny"
    write(root, [*tested, later], "Tests/round1_fashionAI_attributes_answer_b.csv")
    return root


def test_all_rounds_are_read_on_demand(tmp_path: Path) -> None:
    root = other_rounds(tmp_path)
    assert reader().load(root).counts()["images"] == 3
    catalog = reader("all").load(root)
    found = values_of(catalog)
    assert list(found)[3:] == [
        "web/Images/skirt_length_labels/s.jpg", f"train/{COLLAR}z.jpg", f"rank/{COLLAR}0.jpg",
        f"z_rank/{COLLAR}7.jpg",
    ]  # fmt: skip
    assert found[f"z_rank/{COLLAR}7.jpg"] == ("collar_design", "Rib Collar")
    assert catalog.notes == (
        "images of several rounds: base 3, web 1, train 1, rank 1, z_rank 1",
        "rank: 2 test images without one certain value; left out",
        "z_rank: 3 test images of the first test again; left out",
    )
    assert len(reader().sources(root)) == 1
    assert len(reader("all").sources(root)) == 5
    [spec] = register_datasets()
    assert make_options(spec, {"rounds": "all"}) == FashionAIOptions(rounds="all")


def test_copies_of_a_picture_are_on_one_side(tmp_path: Path, make_images: MakeImages) -> None:
    names = [f"{n:032x}" for n in range(60)]
    rows = [f"{COLLAR}{n}.jpg,collar_design_labels,nynnn" for n in names]
    rows += [f"Images/neck_design_labels/x{n}.jpg,neck_design_labels,nnynn" for n in names]
    root = write(tmp_path, rows)
    assert reader().load(root).images["picture"].nunique() == 120
    files = make_images(root / "base", [row.partition(",")[0] for row in rows])
    for one, other in zip(files[:60], files[60:], strict=True):
        shutil.copyfile(one, other)
    assert root / "base/Images" in reader().sources(root)
    images = reader().load(root).images
    assert images["picture"].nunique() == 60
    splits = images["split"].astype("str").tolist()
    assert splits[:60] == splits[60:]
    assert splits[:60].count("train") == 42


@given(st.data())
@settings(max_examples=50)
def test_each_stratum_is_divided_and_no_picture_is_on_both_sides(data: st.DataObject) -> None:
    count = data.draw(st.integers(1, 60))
    whole = st.lists(st.integers(0, 30), min_size=count, max_size=count)
    pictures = [str(n) for n in data.draw(whole)]
    strata = np.array(data.draw(whole)) % 3
    ids = [f"{n}" for n in range(count)]
    split = divide(ids, pictures, strata)
    rows = pd.DataFrame({"id": ids, "picture": pictures, "stratum": strata, "split": split})
    assert (rows.groupby("picture")["split"].nunique() == 1).all()
    first = rows.sort_values("id").drop_duplicates("picture")
    for _, stratum in first.groupby("stratum"):
        assert (stratum["split"] == "train").sum() == round(0.7 * len(stratum))
    order = np.array(data.draw(st.permutations(range(count))))
    again = divide([ids[n] for n in order], [pictures[n] for n in order], strata[order])
    assert (again == split[order]).all()


# of six images in two dimensions, as ASEN numbers them
ASEN: Mapping[str, str] = {
    "filenames_train": f"{COLLAR}t.jpg\n{COLLAR}u.jpg\n",
    "filenames_valid": f"{COLLAR}v.jpg\n{COLLAR}w.jpg\n",
    "filenames_test": f"{COLLAR}q.jpg\n{COLLAR}c.jpg\n{COLLAR}d.jpg\n",
    "label_train": "0 4 1 1 2\n1 4 2\n",  # the first one has a sleeve length too
    "query_valid": "0 4 1\n",
    "candidate_valid": "1 4 1\n",
    "query_test": "0 4 1\n",
    "candidate_test": "1 4 1\n2 4 2\n",
}


def write_asen(root: Path, folder: str = "data/FashionAI", **changes: str) -> Path:
    for name, content in {**ASEN, **changes}.items():
        file = root / folder / f"{name}.txt"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
    return root


def test_asens_files_alone_make_a_catalog(tmp_path: Path) -> None:
    root = write_asen(tmp_path)
    assert reader().find(tmp_path) == root
    catalog = reader().load(root)
    found = values_of(catalog)
    assert len(found) == 8
    assert found[f"asen/collar_design/{COLLAR}q.jpg"] == ("collar_design", "Shirt Collar")
    assert found[f"asen/sleeve_length/{COLLAR}t.jpg"] == ("sleeve_length", "Cup Sleeves")
    assert catalog.images["path"].iloc[0] == f"data/FashionAI/{COLLAR}t.jpg"
    assert set(catalog.images["split"]) == {"train", "validation"}
    assert catalog.notes == ("no label file of a round: images and labels are those of ASEN",)
    protocol = {p.name: p for p in reader().protocols(catalog)}["attribute/asen"]
    assert (protocol.metrics, protocol.headline) == (METRICS, "map@r")
    [task] = protocol.tasks
    ids = catalog.images["id"].to_numpy(object)
    assert [name[-5] for name in ids[task.rows()]] == ["q", "c", "d"]
    assert task.relevant_counts().tolist() == [1]
    assert {name[-5] for name in ids[protocol.training]} == {"t", "u"}


def test_asens_images_are_the_rows_of_the_rounds_where_these_have_them(
    tmp_path: Path, make_images: MakeImages
) -> None:
    rows = [f"{COLLAR}{name}.jpg,collar_design_labels,nynnn" for name in "tqcdx"]
    root = write_asen(write(tmp_path, rows))
    make_images(root / "base", [f"{COLLAR}{name}.jpg" for name in "tqcdx"])
    alone = reader().load(write(tmp_path / "alone", rows)).images.set_index("id")["split"]
    assert root / "base/Images" in reader().sources(root)
    catalog = reader().load(root)
    images = catalog.images.set_index("id")
    added = images.index[images["split"] == "asen"].tolist()
    assert added == [
        f"asen/sleeve_length/{COLLAR}t.jpg",
        *(f"asen/collar_design/{COLLAR}{name}.jpg" for name in "uvw"),
    ]
    assert images["path"].loc[added[0]] == f"base/{COLLAR}t.jpg"  # where its file is
    assert images["split"].astype("str")[:5].tolist() == alone.astype("str").tolist()
    assert catalog.notes == (
        "4 labels are of ASEN alone; their images are split asen",
        "1 labels of ASEN differ from those of the rounds; each protocol uses its own",
    )
    protocols = {p.name: p for p in reader().protocols(catalog)}
    [task] = protocols["attribute/asen"].tasks
    assert set(task.rows().tolist()) == {1, 2, 3}
    assert task.relevant_counts().tolist() == [1]  # d is a Peter Pan collar to ASEN
    others = [p for name, p in protocols.items() if name != "attribute/asen"]
    assert others
    outside = set(catalog.rows(split="asen").tolist())
    assert not outside & {int(row) for p in others for row in (*p.rows(), *p.training)}


def test_a_training_image_that_is_a_copy_of_a_test_image_is_not_learnt_from(
    tmp_path: Path, make_images: MakeImages
) -> None:
    root = write_asen(tmp_path, folder="ASEN")
    names = [line for name in ("train", "valid", "test")
             for line in ASEN[f"filenames_{name}"].split()]  # fmt: skip
    make_images(root / "ASEN", names)
    shutil.copyfile(root / "ASEN" / f"{COLLAR}c.jpg", root / "ASEN" / f"{COLLAR}u.jpg")
    catalog = reader().load(root)
    protocol = {p.name: p for p in reader().protocols(catalog)}["attribute/asen"]
    ids = catalog.images["id"].to_numpy(object)
    assert {name[-5] for name in ids[protocol.training]} == {"t"}
    assert root / "ASEN/Images" in reader().sources(root)


def meta(order: Iterable[str], **sizes: int) -> str:
    known = {name: len(values) for name, values in DIMENSIONS.items()}
    content = {"ATTRIBUTES": list(order), "ATTRIBUTES_NUM": {**known, **sizes}}
    return json.dumps({"FashionAI": content, "DARN": {"ATTRIBUTES": 5}})


def test_the_order_of_attributes_is_that_of_meta_json(tmp_path: Path) -> None:
    root = write_asen(tmp_path)
    folder = find_asen(root)
    assert folder is not None
    (root / "data" / "meta.json").write_text(meta(list(DIMENSIONS)[::-1]))
    dimensions = read_asen(root, folder)["dimension"]
    assert set(dimensions) == {list(DIMENSIONS)[3], list(DIMENSIONS)[6]}
    assert root / "data" / "meta.json" in reader().sources(root)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (meta(list(DIMENSIONS)[1:]), "attributes 'sleeve_length 9, "),
        (meta(DIMENSIONS, skirt_length=7), "attributes 'skirt_length 7, "),
        ('{"DARN": {}}', "$: object missing required field `FashionAI`"),
        ('{"FashionAI": []}', "$.FashionAI: expected `object`, got `array`"),
        ("{", "Input data was truncated"),
    ],
)
def test_another_meta_json_is_refused(content: str, message: str, tmp_path: Path) -> None:
    root = write_asen(tmp_path, folder="ASEN")
    file = root / "ASEN" / "meta.json"
    file.write_text(content)
    with pytest.raises(DataError) as raised:
        reader().load(root)
    assert str(raised.value).startswith(f"{file}:1: {message}")


MALFORMED_ASEN = [
    ("filenames_train", "\n/x.jpg\n", 1, "path ''; expected a path below"),
    ("filenames_valid", "", 1, "an empty file"),
    ("label_train", "0 4\n", 1, "2 fields in '0 4'; expected IMAGE ATTRIBUTE VALUE [ATTRIBUTE"),
    ("label_train", "0 4 1\n0\n", 2, "1 fields in '0'; expected IMAGE ATTRIBUTE VALUE [ATTRIBUTE"),
    ("query_test", "0 4 1 1 2\n", 1, "5 fields in '0 4 1 1 2'; expected IMAGE ATTRIBUTE VALUE"),
    ("query_test", "3 4 1\n", 1, "image number '3'; expected an integer from 0 to 2"),
    ("query_test", "0 8 1\n", 1, "attribute '8'; expected an integer from 0 to 7"),
    ("query_test", "0 4 5\n", 1, "value of collar_design '5'; expected an integer from 0 to 4"),
    ("candidate_test", "1 4 1\n1 4 1\n", 2, f"image '{COLLAR}c.jpg' for collar_design again"),
    ("candidate_test", "1 4 1\n0 4 2\n", 2, f"image '{COLLAR}q.jpg' for collar_design with the "
     "value 2; expected the value 1 as before"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "content", "number", "message"), MALFORMED_ASEN)
def test_malformed_files_of_asen_are_named(
    name: str, content: str, number: int, message: str, tmp_path: Path
) -> None:
    root = write_asen(tmp_path, **{name: content})
    with pytest.raises(DataError) as raised:
        reader().load(root)
    file = root / "data/FashionAI" / f"{name}.txt"
    assert str(raised.value).startswith(f"{file}:{number}: {message}")


def test_a_missing_file_of_asen_is_named(tmp_path: Path) -> None:
    root = write_asen(tmp_path)
    (root / "data/FashionAI/query_valid.txt").unlink()
    assert all(file.exists() for file in reader().sources(root))
    with pytest.raises(DataError, match=r"query_valid\.txt: no such file"):
        reader().load(root)


PIECES = (b",", b"y", b" ", b"{}", b"null", b"/", b"\x85")


def refusal_of(read: Callable[[], object]) -> str:
    """Return the refusal, "" for none; no other error may come out."""
    try:
        read()
    except DataError as error:
        return str(error)
    return ""


@given(
    anything
    | mutated("\r\n".join(LABELS), *PIECES)
    | mutated("a,b,c\n" + "\n".join(LABELS), *PIECES),
    st.booleans(),
)
@settings(max_examples=150)
def test_arbitrary_labels_are_read_or_refused_in_one_line(content: bytes, test: bool) -> None:
    read_or_refuse("label.csv", content, lambda file: read_labels(file, test=test))


@given(st.sampled_from([*ASEN, "meta"]), st.data())
@settings(max_examples=150)
def test_arbitrary_files_of_asen_are_read_or_refused_in_one_line(
    name: str, data: st.DataObject
) -> None:
    root = Path(os.environ["BENCH_CACHE"]).parent / "fuzz"
    write_asen(root, folder="")
    good = meta(DIMENSIONS) if name == "meta" else ASEN[name]
    (root / "meta.json").write_text(meta(DIMENSIONS))
    file = root / ("meta.json" if name == "meta" else f"{name}.txt")
    file.write_bytes(data.draw(anything | mutated(good, *PIECES)))
    catalogs = []
    refusal = refusal_of(lambda: catalogs.append(reader().load(root)))
    # what is wrong with one file may show in another, as a number of too few names does
    assert not refusal or refusal.startswith(f"{root}/")
    assert len(refusal.splitlines()) <= 1
    for catalog in catalogs:
        reader().protocols(catalog)


def test_the_folder_is_found_below_the_data_root_or_as_the_root_itself(tmp_path: Path) -> None:
    root = write(tmp_path / "first")
    assert reader().find(tmp_path) is None
    assert reader().find(root) == root
    for folder in FOLDERS:
        root = root.rename(tmp_path / folder)
        assert reader().find(tmp_path) == root


@pytest.fixture(scope="module")
def mini(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("mini") / "FashionAI"
    draw_mini(root, seed=0, items=2)
    return root


def test_the_mini_edition_shows_every_value(mini: Path) -> None:
    images = plan_mini(items=2)
    catalog = reader().load(mini)
    assert len(catalog) == len(images)
    assert catalog.counts() == {
        "images": len(images), "categories": 8, "attributes": 8, "values": 54,
    } | {split: len(catalog.rows(split=split)) for split in ("train", "validation")}  # fmt: skip
    assert catalog.present.any(axis=0).all()
    expected = {image.name: DIMENSIONS[image.dimension][image.value] for image in images}
    assert {name: value for name, (_, value) in values_of(catalog).items()} == {
        f"base/{name}": value for name, value in expected.items()
    }
    pictures = catalog.images.groupby("picture", observed=True)
    assert (pictures["category"].nunique() == 2).any()
    assert (pictures["split"].nunique() == 1).all()
    assert "m" in {letter for image in images for letter in letters(image)}
    with Image.open(mini / catalog.images["path"].iloc[0]) as image:
        assert (image.size, image.format) == (SIZE, "JPEG")


def test_the_protocols_of_the_mini_edition(mini: Path) -> None:
    catalog = reader().load(mini)
    protocols = {p.name: p for p in reader().protocols(catalog)}
    assert set(PROTOCOLS) - {"triplets"} <= set(protocols)
    assert catalog.notes == ()  # all that ASEN's files name is in the label file
    pictures = catalog.codes("picture")
    for name, protocol in protocols.items():
        assert protocol.summary == PROTOCOLS[name]
        evaluated = np.unique(np.concatenate([task.queries for task in protocol.tasks]))
        assert not set(pictures[evaluated]) & set(pictures[protocol.training])
    asked = protocols["attribute"].tasks[0]
    within = protocols["attribute/same-dimension"].tasks[0]
    assert asked.candidates() == len(np.unique(pictures[catalog.rows(split="validation")]))
    assert within.candidates() < asked.candidates()
    assert [task.name for task in protocols["attribute/asen"].tasks] == list(DIMENSIONS)


def test_the_drawn_garment_has_the_value_of_its_label() -> None:
    assert {name: len(looks) for name, looks in LOOKS.items()} == {
        name: len(values) for name, values in DIMENSIONS.items()
    }
    for dimension, looks in LOOKS.items():
        for value, look in enumerate(looks):
            assert (look.part != "whole") == (value == 0)
            garment, _ = sample_scene(Scene(dimension, value, 0, 0))
            for attribute, wanted in look.fixed.items():
                if attribute != "length":
                    assert getattr(garment, attribute) == wanted


def test_longer_values_are_drawn_longer() -> None:
    order = {
        "skirt_length": (1, 2, 3, 4, 5),
        "pant_length": (1, 2, 3, 4, 5),
        "coat_length": (1, 4, 2, 3, 5, 6, 7),  # a micro coat is the second shortest
    }
    for dimension, values in order.items():
        scenes = [sample_scene(Scene(dimension, value, 0, 0))[0] for value in values]
        lengths = [garment.length for garment in scenes]  # type: ignore[union-attr]
        assert lengths == sorted(lengths)


def test_the_same_seed_draws_the_same_bytes_and_another_seed_others(mini: Path) -> None:
    images = plan_mini(items=2)
    for image in (images[0], images[-1]):
        assert (mini / "base" / image.name).read_bytes() == draw_image(image)
    other = plan_mini(seed=1, items=2)
    assert draw_image(other[0]) != draw_image(images[0])
    assert not {image.name for image in other} & {image.name for image in images}
    assert len(plan_mini()) >= 980


def load_published() -> ModuleType:
    spec = importlib.util.spec_from_file_location("published_fashionai", PUBLISHED)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def as_published(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    root = tmp_path_factory.mktemp("published")
    load_published().write_published(root)
    return reader().load(root)


class Plain(FeatureExtractor):
    distance = "cosine"


def every_fourth(task: AnyTask) -> Task:
    assert isinstance(task, Task)
    assert task.ignored is not None
    return replace(task, queries=task.queries[::4], query_codes=task.query_codes[::4],
                   ignored=task.ignored[::4])  # fmt: skip


@pytest.mark.slow
def test_random_features_find_what_the_frequencies_of_the_values_say(
    as_published: Catalog, tmp_path: Path
) -> None:
    protocols = {p.name: p for p in reader().protocols(as_published)}
    features = np.random.default_rng(0).standard_normal((len(as_published), 64), np.float32)
    registry = Registry.load()
    depths = (5, 10, 20)
    # what the paper's summary gives for labels as frequent as the published ones
    for name, published in [
        ("attribute", (0.09, 0.18, 0.32)),
        ("attribute/same-dimension", (0.59, 0.81, 0.95)),
    ]:
        tasks = [every_fourth(task) for task in protocols[name].tasks]
        protocol = replace(protocols[name], tasks=tasks)
        chance = np.zeros((len(protocol.tasks), 3))
        for number, task in enumerate(tasks):
            labelled = task.gallery_codes[task.gallery_codes >= 0]
            same = np.bincount(labelled)[task.query_codes] - 1
            share = same / (task.candidates() - 1)
            chance[number] = [(1 - (1 - share) ** depth).mean() for depth in depths]
        scores = score(
            protocol, {metric: registry.metric(metric) for metric in protocol.metrics},
            partial(rank, features=features, extractor=Plain(), device="cpu"),
            catalog=as_published, folder=tmp_path,
        )  # fmt: skip
        found = [scores.mean[f"hit@{depth}"].mean for depth in depths]
        assert found == pytest.approx(chance.mean(axis=0), abs=0.015)
        assert found == pytest.approx(published, abs=0.03)


@pytest.mark.slow
def test_the_published_number_of_rows_is_read_and_each_is_an_anchor_once(
    as_published: Catalog,
) -> None:
    catalog, published = as_published, load_published()
    counts = catalog.counts()
    assert {name: counts[name] for name in COUNTS} == COUNTS
    by_dimension = catalog.images["category"].value_counts().to_dict()
    assert by_dimension == {name: count for name, (count, _) in published.DIMENSIONS.items()}
    assert abs(counts["train"] - 55_701) <= 27  # half an image a value
    labels = catalog.labels()
    anchors = [
        draw_triplets(labels[:, number], np.random.default_rng(number))[:, 0]
        for number in range(len(DIMENSIONS))
    ]
    assert len(np.unique(np.concatenate(anchors))) == sum(map(len, anchors)) == 79_573
    protocols = {p.name: p for p in reader().protocols(catalog)}
    assert set(protocols) == set(PROTOCOLS) - {"attribute/asen"}
    assert set(PARTS.values()) == {"train", "valid", "test"}
