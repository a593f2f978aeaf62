from __future__ import annotations

import importlib.util
import json
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from bench_street2shop import CATEGORIES, COUNTS, FOLDERS, PROTOCOLS, register_datasets
from bench_street2shop.goods import ATTRIBUTES, Product, describe, sample_product
from bench_street2shop.mini import LARGE, STREET_SIZE, draw_picture, plan_mini
from bench_street2shop.options import Street2ShopOptions
from bench_street2shop.photographs import canonical, find_images, read_attributes
from bench_street2shop.reader import KINDS, METRICS, OF_ATTRIBUTES, Street2Shop
from bench_street2shop.records import read_photos, read_shop, read_street
from fuzzing import anything, mutated, read_or_refuse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from bench.catalog import Catalog
from bench.errors import DataError, IncompatibleError, UserError
from bench.gallery_sizes import METRICS as SIZE_METRICS

MakeImages = Callable[[Path, Iterable[str]], list[Path]]
Row = dict[str, Any]

PUBLISHED = Path(__file__).parents[1] / "published" / "street2shop.py"
BOX = {"width": 30, "top": 5, "left": 10, "height": 20.5}
IDS = np.arange(1, 31)
# street photos are 1 to 9, shop photos from 11 on
FILES: dict[str, list[Row]] = {
    "test_pairs_dresses": [
        {"photo": 1, "product": 7, "bbox": BOX},
        {"bbox": BOX | {"left": 50}, "product": 7, "photo": 1},
        {"photo": 2, "product": 8, "bbox": BOX},
    ],
    "test_pairs_bags": [{"photo": 2, "product": 7, "bbox": BOX}],
    "train_pairs_dresses": [
        {"photo": 3, "product": 9, "bbox": BOX},
        {"photo": 1, "product": 9, "bbox": BOX},  # which queries too
        {"photo": 4, "product": 8, "bbox": BOX},  # of a product that is queried
    ],
    "retrieval_dresses": [
        {"photo": 11, "product": 7},
        {"photo": 12, "product": 7},
        {"product": 9, "photo": 13},
        {"photo": 14, "product": 10},
    ],
    "retrieval_bags": [{"photo": 11, "product": 7}, {"photo": 15, "product": 1}],
}


def reader_of(attributes: str = "") -> Street2Shop:
    return Street2Shop("street2shop", Street2ShopOptions(attributes=attributes))


def write(root: Path, files: dict[str, list[Row]]) -> None:
    (root / "photos").mkdir(parents=True, exist_ok=True)
    (root / "meta" / "json").mkdir(parents=True, exist_ok=True)
    photos = [f"{photo:09d},http://example.com/{photo},2.jpg\n" for photo in IDS]
    (root / "photos" / "photos.txt").write_text("".join(photos))
    for kind in KINDS:
        for category in CATEGORIES:
            name = f"{kind}_{category}"
            content = json.dumps(files.get(name, []))
            (root / "meta" / "json" / f"{name}.json").write_text(content)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / FOLDERS[0]
    write(folder, FILES)
    return folder


def load(root: Path) -> Catalog:
    return reader_of().load(root)


def by_id(catalog: Catalog) -> dict[str, Row]:
    rows = catalog.images.to_dict("records")
    return {row["id"]: {str(name): value for name, value in row.items()} for row in rows}


def values(row: Row, names: str) -> list[Any]:
    return [row[name] for name in names.split()]


def json_file(root: Path, name: str) -> Path:
    return root / "meta" / "json" / f"{name}.json"


def error_of(root: Path) -> str:
    with pytest.raises(DataError) as raised:
        load(root)
    return str(raised.value).replace(f"{root}/", "")


def test_every_row_of_the_json_files_is_a_row(root: Path) -> None:
    catalog = load(root)
    assert len(catalog) == sum(map(len, FILES.values()))
    assert catalog.counts() == {
        "images": 13, "query": 4, "train": 3, "gallery": 6, "items": 6, "categories": 2
    }  # fmt: skip
    images = by_id(catalog)
    second = images["test_pairs_dresses/1"]
    assert values(second, "path item category domain split") == [
        "images/000000001.jpg", "dresses/7", "dresses", "street", "query"
    ]  # fmt: skip
    assert values(second, "x1 y1 x2 y2") == [50, 5, 80, 25.5]
    shop = images["retrieval_dresses/13"]
    assert values(shop, "path item category domain split") == [
        "images/000000013.jpg", "dresses/9", "dresses", "shop", "gallery"
    ]  # fmt: skip
    assert np.isnan(values(shop, "x1 y1 x2 y2")).all()
    # one photograph and one product number in two categories are two rows and two products
    bag = images["retrieval_bags/11"]
    assert values(bag, "path item") == [images["retrieval_dresses/11"]["path"], "bags/7"]


def test_without_the_folder_of_images_all_rows_are_listed_and_that_is_noted(root: Path) -> None:
    [both, absent] = load(root).notes
    assert both.startswith("1 street rows of train_pairs show a photo of test_pairs")
    assert absent.startswith("there is no folder images: all 13 rows are listed")


def test_images_are_found_by_their_number_and_the_absent_ones_are_counted(
    root: Path, make_images: MakeImages
) -> None:
    names = ["1.JPEG", "000000003.png", "sub/00011.gif", "12.jpg", "14.webp", "15.tif"]
    others = ["notes.txt", "99.jpg", "photo-2.jpg", "13.html", "2.jpg.part", "a/b/2.jpg"]
    make_images(root / "images", names)
    for name in [*others, ".2.jpg", "sub/.DS_Store"]:
        (root / "images" / name).parent.mkdir(parents=True, exist_ok=True)
        (root / "images" / name).write_bytes(b"")
    catalog = load(root)
    paths = dict(zip(catalog.images["id"], catalog.images["path"], strict=True))
    assert paths == {
        "test_pairs_dresses/0": "images/1.JPEG",
        "test_pairs_dresses/1": "images/1.JPEG",
        "train_pairs_dresses/0": "images/000000003.png",
        "train_pairs_dresses/1": "images/1.JPEG",
        "retrieval_bags/11": "images/sub/00011.gif",
        "retrieval_bags/15": "images/15.tif",
        "retrieval_dresses/11": "images/sub/00011.gif",
        "retrieval_dresses/12": "images/12.jpg",
        "retrieval_dresses/14": "images/14.webp",
    }
    assert catalog.notes[1:] == (
        "query: the photographs of 2 of 4 annotated boxes are here",
        "train: the photographs of 2 of 3 annotated boxes are here",
        "gallery: the photographs of 5 of 6 annotated shop photos are here",
        "5 files in images are of no photo in photos.txt",
    )
    assert len(set(catalog.image_digests())) == len(set(paths.values()))


def test_two_images_of_one_photograph_are_refused(root: Path, make_images: MakeImages) -> None:
    make_images(root / "images", ["1.jpg", "more/000000001.png"])
    assert error_of(root) == (
        "images/1.jpg and images/more/000000001.png are both of photo 1; expected one image of it"
    )


def test_a_folder_without_any_image_is_refused(root: Path) -> None:
    (root / "images").mkdir()
    assert error_of(root) == (
        "images holds none of the 30 photos; expected images named by their ids, "
        "as images/000000001.jpg"
    )


@pytest.mark.parametrize("folder", ["meta/meta/json", "json"])
def test_the_json_files_are_found_where_others_unpack_them(folder: str, root: Path) -> None:
    (root / folder).parent.mkdir(exist_ok=True, parents=True)
    (root / "meta" / "json").rename(root / folder)
    reader = reader_of()
    assert reader.find(root.parent) == reader.find(root) == root
    assert len(reader.load(root)) == 13
    assert len(reader.sources(root)) == 34


def test_the_folder_is_found_by_its_list_or_by_its_json_files(root: Path, tmp_path: Path) -> None:
    reader = reader_of()
    (root / "photos" / "photos.txt").rename(root / "elsewhere")
    assert reader.find(tmp_path) == root
    assert error_of(root).startswith("photos/photos.txt: no such file")
    json_file(root, "test_pairs_bags").unlink()
    assert reader.find(tmp_path) is None


def test_sources_are_the_annotation_files_and_the_listing_of_images(
    root: Path, make_images: MakeImages
) -> None:
    reader = reader_of()
    assert len(reader.sources(root)) == 34
    make_images(root / "images", ["1.jpg"])
    (root / "meta" / "attributes.csv").write_text("photo,colour\n1,red\n")
    assert [file.name for file in reader.sources(root)[-2:]] == ["images", "attributes.csv"]
    json_file(root, "retrieval_tops").unlink()
    assert len(reader.sources(root)) == 35
    assert error_of(root).startswith("meta/json/retrieval_tops.json: no such file")


@pytest.mark.parametrize(
    "box",
    [
        {"top": 1, "left": 1},
        {"top": 1, "left": 1, "width": None, "height": ""},
        BOX | {"width": 0},
        BOX | {"height": -3.5},
        BOX | {"left": -30},  # ends where the photograph begins
        BOX | {"left": 1e300},
        BOX | {"left": 2**26, "width": 1},  # vanishes when rounded to float32
        None,
    ],
)
def test_a_box_without_an_area_is_left_out_and_noted(box: Row | None, root: Path) -> None:
    rows = [*FILES["train_pairs_dresses"], {"photo": 5, "product": 9, "bbox": box}]
    write(root, FILES | {"train_pairs_dresses": rows})
    catalog = load(root)
    assert len(catalog) == 13
    assert catalog.notes[0] == (
        "1 street rows are left out, since their boxes have no area; the first is "
        "train_pairs_dresses/3, of photo 5"
    )


def test_a_box_that_leaves_the_photograph_on_the_left_stays(root: Path) -> None:
    rows = [{"photo": 5, "product": 9, "bbox": BOX | {"left": -29}}]
    write(root, FILES | {"train_pairs_dresses": rows})
    assert values(by_id(load(root))["train_pairs_dresses/0"], "x1 x2") == [-29, 1]


def test_a_repeated_shop_photograph_is_kept_once_and_noted(root: Path) -> None:
    rows = [*FILES["retrieval_dresses"], {"photo": 12, "product": 7}]
    write(root, FILES | {"retrieval_dresses": rows})
    catalog = load(root)
    assert len(catalog) == 13
    assert catalog.notes[0] == "1 shop rows repeat an earlier one and are left out"


def test_a_shop_photograph_of_two_products_is_refused(root: Path) -> None:
    rows = [*FILES["retrieval_dresses"], {"photo": 12, "product": 8}]
    text = json.dumps(rows).replace("}, {", "},\n {")
    json_file(root, "retrieval_dresses").write_text(text)
    assert error_of(root) == (
        "meta/json/retrieval_dresses.json:5: $[4]: photo 12 of product 8; expected product 7, "
        "of which a row before has it"
    )


@pytest.mark.parametrize("number", ["12", "12.0", "1.2e1"])
def test_a_whole_number_may_be_written_in_any_way(number: str, tmp_path: Path) -> None:
    file = tmp_path / "retrieval_hats.json"
    file.write_text(f'[{{"product": {number}, "photo": {number}, "shop": "x"}}]')
    assert read_shop(file, IDS)[["photo", "product"]].to_numpy().tolist() == [[12, 12]]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[{"photo": 1, "product": 1},\n{"photo": 1.5, "product": 1}]', ":2: $[1].photo: expected"),
        ('[{"photo": 1, "product": -1}]', ":1: $[0].product: expected"),
        ('[{"photo": 1, "product": 1000000000}]', ":1: $[0].product: expected"),
        ('[{"photo": "1", "product": 1}]', ":1: $[0].photo: expected"),
        ('[{"photo": 1}]', ":1: $[0]: object missing required field `product`"),
        ('{"photo": 1, "product": 1}', ":1: $: expected `array`"),
        ('[\n\n{"photo": 31, "product": 1}]', ":3: $[0]: photo 31; expected an id that photos.txt"),
        ('[{"photo": 1, "product": 1}', ":1: Input data was truncated; expected JSON"),
        ("", ":1: Input data was truncated; expected JSON"),
    ],
)
def test_a_malformed_row_is_named_with_its_line(text: str, message: str, root: Path) -> None:
    json_file(root, "retrieval_hats").write_text(text)
    assert error_of(root).startswith(f"meta/json/retrieval_hats.json{message}")
    # a file of pairs is read by the same rules
    write(root, FILES)
    json_file(root, "train_pairs_tops").write_text(text)
    assert error_of(root).startswith(f"meta/json/train_pairs_tops.json{message}")


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("000000031", "'000000031'"),
        ("000000031,", "'000000031,'"),
        ("x31,http://a", "'x31,http://a'"),
        (" 31,http://a", "' 31,http://a'"),
        ("-31,http://a", "'-31,http://a'"),
        ("1234567890,http://a", "'1234567890,http://a'"),
        ("٣١,http://a", "'٣١,http://a'"),
        ("", "''"),
        ("2,http://a", "photo 2 again, first on line 2"),
    ],
)
def test_a_malformed_line_of_photos_is_named(line: str, found: str, root: Path) -> None:
    file = root / "photos" / "photos.txt"
    lines = file.read_text().split("\n")
    file.write_text("\n".join([*lines[:30], line, "32,http://a"]))
    assert error_of(root).startswith(f"photos/photos.txt:31: {found}; expected ")


def test_photos_are_read_with_any_line_ends_zeros_and_commas(tmp_path: Path) -> None:
    file = tmp_path / "photos.txt"
    file.write_bytes(b"\xef\xbb\xbf000000007,http://a/b,c.jpg\r\n3,http://d \r\n0,e\r\n\r\n")
    assert read_photos(file).tolist() == [0, 3, 7]


def test_each_category_asks_its_own_shop_photographs(root: Path) -> None:
    reader = reader_of()
    catalog = reader.load(root)
    ids = catalog.images["id"].to_numpy(object)
    categories, everything, _ = reader.protocols(catalog)
    tasks = {task.name: task for task in categories.tasks}
    assert list(tasks) == ["bags", "dresses"]
    dresses = tasks["dresses"]
    assert ids[dresses.queries].tolist() == [f"test_pairs_dresses/{n}" for n in range(3)]
    assert ids[dresses.rows()].tolist() == [
        *(f"test_pairs_dresses/{n}" for n in range(3)),
        *(f"retrieval_dresses/{n}" for n in (11, 12, 13, 14)),
    ]
    # product 8 has no shop photograph: its query stays, and finds nothing
    assert dresses.relevant_counts().tolist() == [2, 2, 0]
    [task] = everything.tasks
    assert task.candidates() == 6
    counts = dict(zip(ids[task.queries], task.relevant_counts().tolist(), strict=True))
    assert counts == {
        "test_pairs_bags/0": 1,  # not the photographs of dress 7
        "test_pairs_dresses/0": 2,
        "test_pairs_dresses/1": 2,
        "test_pairs_dresses/2": 0,
    }


def test_methods_learn_from_train_pairs_and_the_shop_photographs_of_their_products(
    root: Path,
) -> None:
    reader = reader_of()
    catalog = reader.load(root)
    ids = catalog.images["id"].to_numpy(object)
    for protocol in reader.protocols(catalog):
        # not row 1, whose photograph queries; no shop photograph of 8, which is queried
        assert sorted(ids[protocol.training]) == [
            "retrieval_dresses/13", "train_pairs_dresses/0", "train_pairs_dresses/2"
        ]  # fmt: skip


def test_a_category_that_nothing_can_be_found_in_is_left_out(
    root: Path, make_images: MakeImages
) -> None:
    make_images(root / "images", ["1.jpg", "2.jpg", "12.jpg", "15.jpg"])
    reader = reader_of()
    categories, everything, _ = reader.protocols(reader.load(root))
    assert [task.name for task in categories.tasks] == ["dresses"]
    assert everything.tasks[0].relevant_counts().tolist() == [0, 1, 1, 0]
    (root / "images" / "12.jpg").unlink()
    with pytest.raises(IncompatibleError, match="none of 4 street photographs here shows"):
        reader.protocols(reader.load(root))


def test_attributes_are_joined_by_photograph(root: Path) -> None:
    file = root / "meta" / "attributes.csv"
    file.write_text("photo,colour,length\r\n13,red,\n000000001,navy blue,long\n14,blue,short\n30,,")
    catalog = load(root)
    colour, length = catalog.schema.attributes
    assert (colour.name, colour.values) == ("colour", ("blue", "navy blue", "red"))
    assert (length.name, length.values, length.multiple) == ("length", ("long", "short"), False)
    rows = {name: place for place, name in enumerate(catalog.images["id"])}
    labels = catalog.labels()
    assert labels[rows["test_pairs_dresses/0"]].tolist() == [1, 0]
    assert labels[rows["test_pairs_dresses/1"]].tolist() == [1, 0]
    assert labels[rows["retrieval_dresses/13"]].tolist() == [2, -1]
    assert labels[rows["retrieval_dresses/12"]].tolist() == [-1, -1]
    assert (catalog.known == (labels >= 0)).all()
    assert catalog.counts()["values"] == 5


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", ":1: ''; expected photo,ATTRIBUTE"),
        ("photo\n1\n", ":1: 'photo'; expected photo,ATTRIBUTE"),
        ("id,colour\n", ":1: 'id,colour'; expected photo,ATTRIBUTE"),
        ("photo,colour,colour\n", ":1: 'photo,colour,colour'; expected"),
        ("photo,colour\n1,red,long\n", ":2: 3 fields in '1,red,long'; expected PHOTO,VALUE"),
        ("photo,colour\nx,red\n", ":2: photo 'x'; expected an integer"),
        ("photo,colour\n1,red\n001,red\n", ":3: photo 1 again; expected each photo once"),
        ("photo,colour\n31,red\n", ":2: photo 31; expected an id that photos.txt lists"),
        ('photo,colour\n1,"red\n', ":2: unexpected end of data; expected fields"),
    ],
)
def test_a_malformed_line_of_attributes_is_named(text: str, message: str, root: Path) -> None:
    (root / "meta" / "attributes.csv").write_text(text)
    assert error_of(root).startswith(f"meta/attributes.csv{message}")


PARSERS: dict[str, tuple[Callable[[Path], object], str]] = {
    "photos.txt": (read_photos, "000000007,http://a/b,c.jpg\n000000008,http://d\n3,e\n"),
    "test_pairs_hats.json": (
        lambda file: read_street(file, IDS),
        json.dumps(FILES["test_pairs_dresses"]),
    ),
    "retrieval_hats.json": (
        lambda file: read_shop(file, IDS),
        json.dumps(FILES["retrieval_dresses"]),
    ),
    "attributes.csv": (
        lambda file: read_attributes(file, IDS),
        'photo,colour\n1,red\n2,"dark, blue"\n3,\n',
    ),
}
fuzzed = settings(max_examples=120, suppress_health_check=[HealthCheck.function_scoped_fixture])


PIECES = (b"null", b"1e400", b"1e30", b"NaN", b"[]", b"{}", b'"', b",")


@pytest.mark.parametrize("name", PARSERS)
@fuzzed
@given(data=st.data())
def test_any_content_is_read_or_refused_by_name(name: str, data: st.DataObject) -> None:
    read, good = PARSERS[name]
    read_or_refuse(name, data.draw(anything | mutated(good, *PIECES)), read)


@fuzzed
@given(name=st.text(st.characters(exclude_characters="/\\"), min_size=1, max_size=20))
def test_any_file_name_below_images_is_taken_or_counted(
    name: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    root = tmp_path_factory.mktemp("named")
    (root / "images").mkdir()
    try:
        (root / "images" / name).write_bytes(b"")
    except (OSError, ValueError):  # no name that a file can have
        return
    images = find_images(root, IDS)
    assert len(images.paths) + images.others == (0 if name.startswith(".") else 1)


def test_attributes_come_from_the_file_that_is_asked_for(root: Path, tmp_path: Path) -> None:
    (root / "meta" / "attributes.csv").write_text("photo,colour\n1,red\n")
    (tmp_path / "mine.csv").write_text("photo,shape\n1,long\n2,short\n11,long\n")
    reader = reader_of(str(tmp_path / "mine.csv"))
    assert reader.sources(root)[-1] == tmp_path / "mine.csv"
    catalog = reader.load(root)
    assert [attribute.name for attribute in catalog.schema.attributes] == ["shape"]
    # every category's queries have some, so that likeness of attributes can be measured
    metrics = [protocol.metrics for protocol in reader.protocols(catalog)]
    assert metrics == [METRICS + OF_ATTRIBUTES] * 2 + [SIZE_METRICS]
    with pytest.raises(DataError, match=r"attributes none\.csv: no such file; expected a CSV"):
        reader_of("none.csv").sources(root)


def test_the_largest_of_the_nested_galleries_is_the_whole_one(root: Path) -> None:
    reader = reader_of()
    _, everything, sizes = reader.protocols(reader.load(root))
    assert sizes.tasks[-1].rows().tolist() == everything.tasks[0].rows().tolist()
    # dress 7 and bag 7 have three photographs, which are in the smallest gallery
    assert [task.candidates() for task in sizes.tasks] == [3, 6]


def test_facts_are_those_of_the_document(root: Path) -> None:
    [spec] = register_datasets()
    reader = spec.build(spec.name, Street2ShopOptions())
    found = reader.protocols(reader.load(root))
    assert {protocol.name: protocol.summary for protocol in found} == spec.protocols == PROTOCOLS
    assert [protocol.metrics for protocol in found] == [METRICS, METRICS, SIZE_METRICS]
    assert all(protocol.headline == "hit@20" for protocol in found)
    assert spec.counts == COUNTS == {"query": 8637, "train": 30629, "gallery": 404683}
    assert set(spec.protocol_counts.values()) == {(8637, 404683)}
    assert spec.folders == FOLDERS
    assert not spec.downloads


@pytest.fixture(scope="module")
def mini(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("mini") / "street2shop"
    reader_of().draw_mini(root, seed=3, items=4)
    return root


def test_the_mini_edition_is_complete_and_in_the_published_layout(mini: Path) -> None:
    reader = reader_of()
    assert len(reader.sources(mini)) == 36
    catalog = reader.load(mini)
    # nothing is noted but that no photograph is absent
    coverage = [re.findall(r"\d+", note) for note in catalog.notes if "annotated" in note]
    assert len(coverage) == len(catalog.notes) == 3
    assert all(here == annotated for here, annotated in coverage)
    categories, everything, _ = reader.protocols(catalog)
    assert [task.name for task in categories.tasks] == list(CATEGORIES)
    assert (everything.tasks[0].relevant_counts() > 0).all()
    images = catalog.images
    for column in ("item", "path"):
        queried = set(images[column][images["split"] == "query"])
        assert not queried & set(images[column][images["split"] == "train"])
    street = images[images["domain"] == "street"]
    # some photographs show two products, some products are boxed twice
    assert (street.groupby("path")["item"].nunique() == 2).any()
    assert len(set(images["item"])) > len(set(street["item"]))  # near copies stand in shops alone
    for name, split in (("query", "test_pairs"), ("train", "train_pairs")):
        assert images["id"][images["split"] == name].str.startswith(f"{split}_").all()


def test_the_boxes_of_the_mini_edition_lie_in_their_photographs(mini: Path) -> None:
    images = load(mini).images
    for row in images[images["domain"] == "street"].to_dict("records"):
        with Image.open(mini / row["path"]) as picture:
            width, height = picture.size
        assert 0 <= row["x1"] < row["x2"] <= width
        assert 0 <= row["y1"] < row["y2"] <= height
        assert width in {STREET_SIZE[0], 2 * STREET_SIZE[0]}


def test_attributes_of_the_mini_edition_are_those_of_its_products(mini: Path) -> None:
    catalog = load(mini)
    assert tuple(attribute.name for attribute in catalog.schema.attributes) == ATTRIBUTES
    labels = catalog.labels()
    described = labels[:, 0] >= 0
    assert described[catalog.rows(domain="shop")].all()
    items = catalog.images["item"].to_numpy(object)
    for item in set(items[described]):
        assert len(np.unique(labels[described & (items == item)], axis=0)) == 1
    # what shows two products has no attributes of one
    paths = catalog.images["path"]
    several = catalog.images.groupby("path")["item"].nunique()
    assert not described[paths.map(several).to_numpy() > 1].any()


def test_a_picture_of_the_mini_edition_depends_on_itself_and_the_seed_alone(mini: Path) -> None:
    plan = plan_mini(seed=3, products=4)
    for picture in (plan.shop[5], plan.test[-1], plan.train[0]):
        drawn = draw_picture(picture, seed=3)
        assert (mini / canonical(picture.photo)).read_bytes() == drawn.jpeg
        assert draw_picture(picture, seed=4).jpeg != drawn.jpeg


@pytest.mark.parametrize("seed", range(3))
def test_the_plan_of_the_mini_edition_has_the_size_that_its_readme_says(seed: int) -> None:
    plan = plan_mini(seed=seed)
    pictures = [*plan.test, *plan.train, *plan.shop]
    assert sorted(picture.photo for picture in pictures) == list(range(1, len(pictures) + 1))
    assert len(pictures) < 1300
    rows = [sum(len(p.products) * p.boxes for p in of) for of in (plan.test, plan.train)]
    assert 190 <= rows[0] <= 230
    assert 245 <= rows[1] <= 290
    assert any(picture.boxes == 2 for picture in plan.test)
    products = {(p.products[0].category, p.products[0].model) for p in plan.shop}
    for category in CATEGORIES:
        count = sum(name == category for name, _ in products)
        assert count == (30 if category in LARGE else 16)


def test_near_copies_differ_from_their_models_and_leggings_are_no_pants() -> None:
    for category in CATEGORIES:
        model = sample_product(Product(category, 1, 1), seed=0)
        assert sample_product(Product(category, 2, 1), seed=0) != model
        assert sample_product(Product(category, 1, 1), seed=0) == model
    pants = [sample_product(Product("pants", n, n), seed=0) for n in range(40)]
    assert all(getattr(item, "kind", "") != "leggings" for item in pants)
    leggings = sample_product(Product("leggings", 1, 1), seed=0)
    assert describe(leggings)["category"] == describe(leggings)["kind"] == "leggings"


def test_a_mini_edition_of_too_few_products_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="3 products per large category; expected at least 4"):
        reader_of().draw_mini(tmp_path / "mini", seed=0, items=3)


@pytest.fixture(scope="module")
def published() -> ModuleType:
    spec = importlib.util.spec_from_file_location("published_street2shop", PUBLISHED)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_annotations_of_the_published_size_are_read_whole(
    published: ModuleType, tmp_path: Path
) -> None:
    published.write_published(tmp_path / "street2shop")
    reader = reader_of()
    root = reader.find(tmp_path)
    assert root is not None
    catalog = reader.load(root)
    counts = catalog.counts()
    assert {split: counts[split] for split in COUNTS} == COUNTS
    images = catalog.images
    by_split = images.groupby(["split", "category"], observed=True).size()
    for category, (test, train) in published.PAIRS.items():
        assert by_split["query", category] == test
        assert by_split["train", category] == train
        assert by_split["gallery", category] == published.shop_counts()[category]
    assert counts["categories"] == len(CATEGORIES) == len(published.PAIRS)
    assert images["path"].nunique() == published.STREET_PHOTOS + published.SHOP_PHOTOS
    categories, everything, _ = reader.protocols(catalog)
    assert [task.name for task in categories.tasks] == list(CATEGORIES)
    assert sum(len(task.queries) for task in categories.tasks) == COUNTS["query"]
    assert sum(task.candidates() for task in categories.tasks) == COUNTS["gallery"]
    [task] = everything.tasks
    assert (len(task.queries), task.candidates()) == (COUNTS["query"], COUNTS["gallery"])
    assert task.relevant_counts().min() == published.PHOTOS_OF_A_PRODUCT
    assert not np.isin(everything.training, task.queries).any()
