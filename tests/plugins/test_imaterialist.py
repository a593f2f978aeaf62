from __future__ import annotations

import importlib.util
import json
import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bench_imaterialist import COUNTS, FOLDERS, PROTOCOLS, register_datasets
from bench_imaterialist.annotations import read_annotations
from bench_imaterialist.categories import CATEGORIES, GROUP_OF, GROUPS
from bench_imaterialist.labels import ATTRIBUTES, read_label_map
from bench_imaterialist.labels import FILE as LABEL_MAP
from bench_imaterialist.mini import annotation_files, draw_image, draw_mini, plan_mini
from bench_imaterialist.reader import IMaterialist
from bench_imaterialist.splits import divide, eligible_images
from fuzzing import anything, mutated, read_or_refuse
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from bench.catalog import Catalog
from bench.errors import DataError, UserError

MakeImages = Callable[[Path, Iterable[str]], list[Path]]
Labels = dict[int, Sequence[int]]

PUBLISHED = Path(__file__).parents[1] / "published" / "imaterialist.py"
ROWS = (
    "labelId,taskId,labelName,taskName",
    "1,2,Red,color",
    "2,2,Blue,color",
    '3,1,"Hosiery, Stockings, Tights",category',
    "4,1,Casual Dresses,category",
    "5,1,Dresses,category",
    "6,1,Jackets,category",
    "7,5,V-Necks,neckline",
    "8,5,Round Necks,neckline",
    "9,8,Sleeveless,sleeve",
)
RED, BLUE, TIGHTS, DRESS, OTHER_DRESS, JACKET, V_NECK, ROUND, SLEEVELESS = range(1, 10)


def document(labels: Labels, *, snake: bool = False, numbers: bool = False) -> dict[str, Any]:
    image_id, label_id = ("image_id", "label_id") if snake else ("imageId", "labelId")

    def written(number: int) -> int | str:
        return number if numbers else str(number)

    return {
        "info": {"year": 2018},
        "images": [
            {"url": ["http://a/b.jpg"] if snake else "http://a/b.jpg", image_id: written(image)}
            for image in labels
        ],
        "annotations": [
            {label_id: [written(label) for label in found], image_id: written(image)}
            for image, found in reversed(labels.items())
        ],
        "license": None,
    }


def write(root: Path, train: Labels, validation: Labels | None = None, **spelling: bool) -> Path:
    root.mkdir(parents=True, exist_ok=True)
    (root / LABEL_MAP).write_bytes("\r\n".join(ROWS).encode())
    (root / "train.json").write_text(json.dumps(document(train, **spelling)))
    found = document({1: [RED, DRESS]} if validation is None else validation, **spelling)
    (root / "validation.json").write_text(json.dumps(found))
    return root


def load(root: Path) -> Catalog:
    return IMaterialist("imaterialist").load(root)


def values_of(catalog: Catalog, path: str) -> dict[str, list[str]]:
    row = catalog.images["path"].tolist().index(path)
    found = {}
    for number, attribute in enumerate(catalog.schema.attributes):
        columns = catalog.present[row, catalog.schema.columns(attribute.name)]
        found[attribute.name] = [attribute.values[place] for place in np.flatnonzero(columns)]
        assert catalog.known[row, number] == bool(found[attribute.name])
    return {name: values for name, values in found.items() if values}


SIX: Labels = {
    5: [RED, DRESS, V_NECK],
    2: [BLUE, DRESS, V_NECK],
    9: [RED, DRESS, OTHER_DRESS],  # which are both dresses
    4: [RED, BLUE, JACKET],
    7: [RED],
    1: [BLUE, TIGHTS, SLEEVELESS],
}


def test_labels_are_joined_by_image_id_and_mean_what_the_label_map_says(tmp_path: Path) -> None:
    catalog = load(write(tmp_path, SIX))
    assert catalog.images["path"].tolist()[:3] == ["train/5.jpg", "train/2.jpg", "train/9.jpg"]
    assert values_of(catalog, "train/5.jpg") == {
        "category": ["dresses"], "color": ["Red"], "neckline": ["V-Necks"]
    }  # fmt: skip
    assert values_of(catalog, "train/1.jpg") == {
        "category": ["hosiery"], "color": ["Blue"], "sleeve": ["Sleeveless"]
    }  # fmt: skip
    assert values_of(catalog, "train/4.jpg")["color"] == ["Red", "Blue"]
    assert values_of(catalog, "validation/1.jpg") == {"category": ["dresses"], "color": ["Red"]}
    assert catalog.images["category"].tolist()[2:5] == ["dresses", "jackets", ""]
    assert [a.name for a in catalog.schema.attributes] == [
        "category", "color", "neckline", "sleeve"
    ]  # fmt: skip
    assert catalog.schema.attribute("category").values == CATEGORIES
    assert catalog.schema.attribute("color").values == ("Red", "Blue")


def test_both_spellings_and_both_types_of_ids_say_the_same(tmp_path: Path) -> None:
    plain = load(write(tmp_path, SIX))
    for snake in (False, True):
        for numbers in (False, True):
            other = load(write(tmp_path, SIX, snake=snake, numbers=numbers))
            assert other.images.equals(plain.images)
            assert (other.present == plain.present).all()
    text = (tmp_path / "train.json").read_text().replace('": 5}', '": "005"}')  # slow path
    (tmp_path / "train.json").write_text("\ufeff" + text)
    assert '"005"' in text
    assert load(tmp_path).images.equals(plain.images)


def test_an_attribute_is_multiple_where_an_image_has_several_of_its_merged_values(
    tmp_path: Path,
) -> None:
    schema = load(write(tmp_path, SIX)).schema
    assert [a.name for a in schema.attributes if a.multiple] == ["color"]


def test_images_with_several_values_of_an_attribute_or_of_one_attribute_are_noisy(
    tmp_path: Path,
) -> None:
    catalog = load(write(tmp_path, SIX))
    noisy = catalog.images["path"][catalog.images["split"] == "noisy"]
    assert sorted(noisy) == ["train/4.jpg", "train/7.jpg"]
    assert catalog.notes[0].startswith("2 of 6 published training images are split noisy")


def test_the_division_is_by_hash_and_of_published_size_where_there_are_enough() -> None:
    ids = np.arange(1, 41_001)
    counts = np.ones((len(ids), 3), np.int64)
    counts[:1000] = 2
    splits = divide(Path("none"), ids, counts)
    assert {s: int((splits == s).sum()) for s in set(splits)} == {
        "query": 2000, "gallery": 18_000, "train": 20_000, "noisy": 1000
    }  # fmt: skip
    order = np.random.default_rng(0).permutation(len(ids))
    assert (divide(Path("none"), ids[order], counts[order]) == splits[order]).all()
    fewer = divide(Path("none"), ids[:40_999], counts[:40_999])  # 39,999 eligible ones
    assert [(fewer == s).sum() for s in ("query", "gallery", "noisy")] == [4999, 14_999, 1000]


def test_eligible_are_images_with_single_values_of_two_attributes() -> None:
    counts = np.array([[1, 1, 0], [1, 0, 0], [2, 1, 1], [1, 1, 1], [0, 0, 0]])
    assert eligible_images(counts).tolist() == [True, False, False, True, False]


def test_split_files_take_precedence(tmp_path: Path) -> None:
    root = write(tmp_path, SIX)
    (root / "splits").mkdir()
    (root / "splits" / "query.txt").write_text("7\n1\n")
    (root / "splits" / "gallery.txt").write_text("5\r\n")
    images = load(root).images
    splits = dict(zip(images["path"], images["split"], strict=True))
    assert [splits[f"train/{n}.jpg"] for n in SIX] == [
        "gallery", "train", "train", "noisy", "query", "query"
    ]  # fmt: skip
    assert root / "splits" / "query.txt" in IMaterialist("imaterialist").sources(root)


@pytest.mark.parametrize(
    ("query", "gallery", "message"),
    [
        ("1\n1\n", "5\n", "query.txt:2: image '1' again"),
        ("1\n", "5\n1\n", "gallery.txt:2: image '1' again"),
        ("1\n3\n", "5\n", "query.txt:2: image '3'; expected an image that may take part"),
        ("4\n", "5\n", "query.txt:1: image '4'; expected an image that may"),
        ("one\n", "5\n", "query.txt:1: image id 'one'; expected an integer"),
        ("", "5\n", "query.txt:1: an empty file"),
        ("1\n", None, "gallery.txt: no such file"),
    ],
)
def test_malformed_split_files_are_named(
    query: str, gallery: str | None, message: str, tmp_path: Path
) -> None:
    root = write(tmp_path, SIX)
    (root / "splits").mkdir()
    (root / "splits" / "query.txt").write_text(query)
    if gallery is not None:
        (root / "splits" / "gallery.txt").write_text(gallery)
    with pytest.raises(DataError) as raised:
        load(root)
    assert str(raised.value).startswith(str(root / "splits" / message))


def test_without_image_folders_all_are_listed_and_with_one_those_that_are_there(
    tmp_path: Path, make_images: MakeImages
) -> None:
    root = write(tmp_path, SIX)
    everything = load(root).images
    assert len(everything) == 7
    make_images(root, ["train/9.jpg", "train/77.jpg", "train/5.JPEG", "train/.DS_Store"])
    catalog = load(root)
    assert catalog.images["path"].tolist() == ["train/5.JPEG", "train/9.jpg"]
    splits = dict(zip(everything["path"], everything["split"], strict=True))
    assert catalog.images["split"].tolist() == [splits["train/5.jpg"], splits["train/9.jpg"]]
    assert catalog.notes[2:] == (
        "4 of 6 train photographs are absent; left out",
        "1 train photographs are not annotated; left out",
        "1 of 1 validation photographs are absent; left out",
    )
    assert root / "train" in IMaterialist("imaterialist").sources(root)


def test_photographs_are_found_in_the_other_layout_too(
    tmp_path: Path, make_images: MakeImages
) -> None:
    root = write(tmp_path, SIX)
    names = ["images_train/000/0000004.jpeg", "images_validation/000/0000001.jpeg"]
    make_images(root, names)
    assert load(root).images["path"].tolist() == names
    make_images(root, ["images_train/4.png"])
    with pytest.raises(DataError, match="are both image 4; expected one file for each image"):
        load(root)


def test_the_other_name_of_validation_and_the_unlabelled_test_images(tmp_path: Path) -> None:
    root = write(tmp_path, SIX | {3: []})
    (root / "validation.json").rename(root / "val.json")
    assert load(root).counts()["validation"] == 1
    (root / "test.json").write_text('{"images": [{"imageId": "1", "url": "u"}, {"imageId": 2}]}')
    catalog = load(root)
    assert catalog.counts()["test"] == 2
    assert not catalog.known[catalog.rows(split="test")].any()
    assert list(IMaterialist("imaterialist").sources(root)) == [
        root / LABEL_MAP, root / "train.json", root / "val.json", root / "test.json"
    ]  # fmt: skip
    train = document(SIX)
    train["annotations"].pop()
    (root / "train.json").write_text(json.dumps(train))
    assert "1 images of train and validation have no annotation" in load(root).notes
    (root / "val.json").unlink()
    assert all(source.is_file() for source in IMaterialist("imaterialist").sources(root))
    with pytest.raises(DataError, match=r"validation\.json: no such file"):
        load(root)


MALFORMED_MAPS = [
    ("", 1, "columns ''; expected labelId,taskId,labelName,taskName"),
    ("labelId,taskId\n1,2\n", 1, "columns 'labelId,taskId'"),
    (f"{ROWS[0]}\n", 1, "no label"),
    (f"{ROWS[0]}\n1,2,Red\n", 2, "3 fields in '1,2,Red'"),
    (f"{ROWS[0]}\n1,1,Bracelets,category\n", 2, "category 'Bracelets'; expected one of the 105"),
    (f"{ROWS[0]}\n1,2,Red,colour\n", 2, "task 'colour'; expected category or color"),
    (f"{ROWS[0]}\nx,2,Red,color\n", 2, "label id 'x'; expected an integer"),
    (f"{ROWS[0]}\n9999999,2,Red,color\n", 2, "label id '9999999'; expected an integer"),
    (f"{ROWS[0]}\n1,two,Red,color\n", 2, "task id 'two'; expected an integer"),
    (f"{ROWS[0]}\n1,2,Red,color\n1,2,Blue,color\n", 3, "label 1 'Blue'; expected each id and"),
    (f"{ROWS[0]}\n1,2,Red,color\n2,2,Red,color\n", 3, "label 2 'Red'; expected each id and each"),
    (f"{ROWS[0]}\n1,2,,color\n", 2, "label 1 ''; expected each id and each name once"),
    (f"{ROWS[0]}\n1,2,Red,color\n3,2,Wool,material\n", 3, "task 2 named material; expected color"),
    (f'{ROWS[0]}\n1,2,"Red,color\n', 2, "unexpected end of data"),
]


@pytest.mark.parametrize(("content", "line", "message"), MALFORMED_MAPS)
def test_malformed_label_maps_are_named(
    content: str, line: int, message: str, tmp_path: Path
) -> None:
    file = tmp_path / LABEL_MAP
    file.write_text(content)
    with pytest.raises(DataError) as raised:
        read_label_map(file)
    assert str(raised.value).startswith(f"{file}:{line}: {message}")


IMAGE = '{"imageId": "1"}'
MALFORMED_JSON = [
    ("", 1, "Input data was truncated"),
    ("[]", 1, "$: expected `object`, got `array`"),
    ('{"images": []}', 1, "no image; expected images"),
    ('{"annotations": []}', 1, "$: object missing required field `images`"),
    ('{"images": [\n{"imageId": "1"},\n{"url": 5}]}', 3, "$.images[1]: neither imageId nor"),
    ('{"images": [\n{"imageId": "1"},\n{"image_id": 1}\n]}', 3, "$.images[1]: image id 1 again"),
    ('{"images": [\n{"imageId": "1"},\n{"imageId": "x"}]}', 3, "$.images[1].imageId: expected"),
    ('{"images": [{"imageId": -1}]}', 1, "$.images[0].imageId: expected `int` >= 0"),
    ('{"images": [{"imageId": 12345678901}]}', 1, "$.images[0].imageId: expected `int` <="),
    ('{"images": [{"imageId": "12345678901"}]}', 1, "$.images[0].imageId: expected `str` matching"),
    (f'{{"images": [{IMAGE}], "annotations": [\n{{"imageId": 2, "labelId": []}}]}}', 2,
     "$.annotations[0]: image id 2; expected the id of one of the images"),
    (f'{{"images": [{IMAGE}], "annotations": [\n\n{{"imageId": 1}}]}}', 3,
     "$.annotations[0]: neither labelId nor label_id; expected one"),
    (f'{{"images": [{IMAGE}], "annotations": [\n{{"imageId": 1, "labelId": ["1", 10]}}]}}', 2,
     "$.annotations[0]: label 10; expected the label ids of the label map"),
    (f'{{"images": [{IMAGE}], "annotations": [{{"imageId": 1, "labelId": 3}}]}}', 1,
     "$.annotations[0].labelId: expected `array"),
    (f'{{"images": [{IMAGE}], "annotations": [{{"imageId": 1, "labelId": ["red"]}}]}}', 1,
     "$.annotations[0].labelId[0]: expected `str` matching"),
]  # fmt: skip


@pytest.mark.parametrize(("content", "line", "message"), MALFORMED_JSON)
def test_malformed_annotations_are_named(
    content: str, line: int, message: str, tmp_path: Path
) -> None:
    write(tmp_path, SIX)
    file = tmp_path / "train.json"
    file.write_text(content)
    with pytest.raises(DataError) as raised:
        load(tmp_path)
    assert str(raised.value).startswith(f"{file}:{line}: {message}")


def test_manipulation_changes_one_attribute_among_images_of_single_values(tmp_path: Path) -> None:
    train: Labels = {
        1: [RED, DRESS, V_NECK],  # the query
        2: [BLUE, DRESS, V_NECK],  # color changed
        3: [BLUE, OTHER_DRESS, V_NECK],  # the same, once categories are merged
        4: [RED, DRESS, ROUND],  # neckline changed
        5: [BLUE, DRESS, ROUND],  # two changed
        6: [RED, DRESS],  # neckline missing: no wanted value
        7: [RED, BLUE, JACKET],  # noisy
        8: [RED, JACKET, V_NECK],  # left for training
    }
    root = write(tmp_path, train)
    (root / "splits").mkdir()
    (root / "splits" / "query.txt").write_text("1\n")
    (root / "splits" / "gallery.txt").write_text("2\n3\n4\n5\n6\n")
    catalog = load(root)
    assert catalog.schema.attribute("color").multiple
    [protocol] = IMaterialist("imaterialist").protocols(catalog)
    found = {task.name: task.relevant_counts().tolist() for task in protocol.tasks}
    assert found == {"color": [2], "neckline": [1]}
    assert catalog.images["path"][protocol.training].tolist() == ["train/8.jpg"]
    assert {protocol.name: protocol.summary} == PROTOCOLS


def test_the_published_facts_hold_together() -> None:
    [spec] = register_datasets()
    assert COUNTS["images"] == 1_012_947 + COUNTS["validation"] + COUNTS["test"]
    assert (spec.counts, spec.folders, spec.protocols) == (COUNTS, FOLDERS, PROTOCOLS)
    assert COUNTS["attributes"] == len(ATTRIBUTES)


def test_the_folder_is_found_below_the_data_root_or_as_the_root_itself(tmp_path: Path) -> None:
    reader = IMaterialist("imaterialist")
    root = write(tmp_path / FOLDERS[0], SIX)
    assert reader.find(tmp_path) == reader.find(root) == root
    for folder in FOLDERS[1:]:
        root = root.rename(tmp_path / folder)
        assert reader.find(tmp_path) == root
    (root / LABEL_MAP).unlink()
    assert reader.find(tmp_path) is None


def test_each_of_the_105_categories_is_in_one_of_24_groups() -> None:
    names = [name for group in GROUPS.values() for name in group]
    assert len(names) == len(set(names)) == len(GROUP_OF) == 105
    assert len(CATEGORIES) == len(set(CATEGORIES)) == 24
    assert GROUP_OF["Hosiery, Stockings, Tights"] == "hosiery"
    assert GROUP_OF["Prom Dresses"] == "formal dresses"


def read_any_annotations(file: Path) -> None:
    label_map = file.with_name("map.csv")
    label_map.write_text("\n".join(ROWS))
    found = read_annotations(file, read_label_map(label_map))
    assert len(found.owners) == len(found.columns)
    assert len(np.unique(found.ids)) == len(found.ids)


PIECES = (b",", b'"', b"1.5", b"null", b"{}", b"[", b"color")


@given(anything | mutated("\r\n".join(ROWS), *PIECES))
@settings(max_examples=150)
def test_arbitrary_label_maps_are_read_or_refused_in_one_line(content: bytes) -> None:
    read_or_refuse("map.csv", content, read_label_map)


@given(
    anything
    | mutated(json.dumps(document(SIX)), *PIECES)
    | mutated(json.dumps(document(SIX), indent=1), *PIECES)
)
@settings(max_examples=150)
def test_arbitrary_annotations_are_read_or_refused_in_one_line(content: bytes) -> None:
    read_or_refuse("fuzz.json", content, read_any_annotations)


ids = st.integers(-2, 12) | st.integers(0, 12).map(str) | st.none() | st.just(10**30) | st.floats()
keyed = st.fixed_dictionaries(
    {}, optional={"imageId": ids, "image_id": ids, "labelId": st.lists(ids, max_size=3),
                  "label_id": st.lists(ids, max_size=2) | ids}
)  # fmt: skip


@given(st.lists(keyed, max_size=4), st.lists(keyed, max_size=4))
@settings(max_examples=150)
def test_arbitrary_documents_are_read_or_refused_in_one_line(
    images: list[Any], annotations: list[Any]
) -> None:
    content = json.dumps({"images": images, "annotations": annotations}).encode()
    read_or_refuse("fuzz.json", content, read_any_annotations)


@given(anything | mutated("1\n5\n9\n", *PIECES))
@settings(max_examples=100)
def test_arbitrary_split_files_are_read_or_refused_in_one_line(content: bytes) -> None:
    root = Path(os.environ["BENCH_CACHE"]).parent
    (root / "splits").mkdir(exist_ok=True)
    (root / "splits" / "gallery.txt").write_text("2\n")
    counts = np.ones((len(SIX), 2), np.int64)
    read_or_refuse(
        "splits/query.txt", content, lambda file: divide(root, np.array(list(SIX)), counts)
    )


@pytest.fixture(scope="module")
def mini(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("mini") / "imaterialist"
    IMaterialist("imaterialist").draw_mini(root, seed=3, items=20)
    return root


def test_the_mini_edition_has_the_published_layout(mini: Path) -> None:
    catalog = load(mini)
    counts = catalog.counts()
    assert (counts["images"], counts["validation"]) == (20, 2)
    for path in catalog.images["path"]:
        with Image.open(mini / path) as image:
            assert image.format == "JPEG"
            assert 128 <= image.width <= 160
            assert 168 <= image.height <= 200
    assert (mini / LABEL_MAP).read_bytes().startswith(b"labelId,taskId,labelName,taskName\r\n")
    document = json.loads((mini / "train.json").read_text())
    assert document["images"][0]["imageId"] == "1"


def test_a_picture_depends_on_its_name_and_the_seed_alone(mini: Path) -> None:
    image = plan_mini(seed=3, count=20)[7]
    assert (mini / image.path).read_bytes() == draw_image(image, seed=3)[0]
    assert draw_image(image, seed=4)[0] != draw_image(image, seed=3)[0]
    with pytest.raises(UserError, match="not empty"):
        draw_mini(mini, seed=3)


def test_the_whole_mini_edition_has_many_pairs_to_ask_and_some_noise(tmp_path: Path) -> None:
    (tmp_path / "splits").mkdir()
    for name, content in annotation_files(plan_mini(seed=0)).items():
        (tmp_path / name).write_bytes(content.encode())
    catalog = load(tmp_path)
    counts = catalog.counts()
    assert counts["images"] == 1800
    assert 60 <= counts["noisy"] <= 200
    divided = counts["query"] + counts["gallery"] + counts["train"]
    assert divided == 1800 - counts["noisy"] - counts["validation"] - counts["test"]
    assert counts["query"] == divided // 8
    assert counts["gallery"] == 5 * divided // 8
    several = {a.name for a in catalog.schema.attributes if a.multiple}
    assert several == {"category", "color", "pattern"}
    [protocol] = IMaterialist("imaterialist").protocols(catalog)
    assert len(protocol.tasks) >= 4
    assert sum(len(task.queries) for task in protocol.tasks) >= 200
    assert len(protocol.training) >= 300


@pytest.mark.slow
def test_a_million_published_rows_are_read(tmp_path: Path) -> None:
    spec = importlib.util.spec_from_file_location("published_imaterialist", PUBLISHED)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.write_published(tmp_path)
    catalog = load(tmp_path)
    counts = catalog.counts()
    assert {name: counts[name] for name in COUNTS} == COUNTS
    trained = sum(counts[split] for split in ("train", "query", "gallery", "noisy"))
    assert trained == 1_012_947
    assert (counts["query"], counts["gallery"]) == (2_000, 18_000)
    [protocol] = IMaterialist("imaterialist").protocols(catalog)
    assert len(protocol.tasks) >= 4
