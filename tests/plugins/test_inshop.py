from __future__ import annotations

import json
import runpy
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from bench_inshop import COUNTS, FOLDERS, PROTOCOL_COUNTS, PROTOCOLS, register_datasets
from bench_inshop.files import (
    read_attributes,
    read_boxes,
    read_colours,
    read_items,
    read_partition,
)
from bench_inshop.mini import CATEGORIES, draw_image, draw_mini, make_garment, plan_mini
from bench_inshop.mini_attributes import NAMES, attributes_of
from bench_inshop.options import InshopOptions
from bench_inshop.protocols import METRICS, OF_ATTRIBUTES
from bench_inshop.reader import Inshop
from bench_inshop.resolution import clip, enlarge, picture_sizes
from bench_inshop.vocabulary import DRESSES, dress_vocabulary
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from bench.catalog import BOX, Catalog
from bench.errors import DataError, UserError
from bench.fingerprints import of_sources
from bench.protocols import Protocol

MakeImages = Callable[[Path, Sequence[str]], list[Path]]

PUBLISHED = Path(__file__).parents[1] / "published" / "inshop.py"

NAMES_IN_ORDER = [
    "img/WOMEN/Dresses/id_00000002/02_1_front.jpg",
    "img/WOMEN/Dresses/id_00000002/02_2_side.jpg",
    "img/MEN/Denim/id_00000004/01_1_front.jpg",
    "img/WOMEN/Dresses/id_00000001/01_1_front.jpg",
    "img/WOMEN/Dresses/id_00000001/01_3_back.jpg",
    "img/WOMEN/Tees_Tanks/id_00000001/04_1_front.jpg",
    "img/WOMEN/Tees_Tanks/id_00000003/01_1_front.jpg",
    "img/WOMEN/Tees_Tanks/id_00000003/01_2_side.jpg",
]
SPLITS = ["train", "train", "train", "query", "gallery", "gallery", "query", "gallery"]
PARTITION = "8\nimage_name item_id evaluation_status\n" + "".join(
    f"{name:<71}{name.split('/')[3]} {split:<11}\n"
    for name, split in zip(NAMES_IN_ORDER, SPLITS, strict=True)
)
BOXES = "8\nimage_name  clothes_type  pose_type  x_1  y_1  x_2  y_2\n" + "".join(
    f"{name}  3  1  0{60 + place}  045  200  2{50 + place}\n"
    for place, name in enumerate(NAMES_IN_ORDER)
)
ITEMS = "4\nid_00000001\nid_00000002\nid_00000003\nid_00000004\n"
ATTRIBUTES = "4\nattribute_name\na-line\ncrew neck\nlong-sleeve\nslim fit\n"
VALUES = """\
3
item_id attribute_labels
id_00000001  1 -1  0 -1
id_00000002 -1  1 -1 -1
id_00000003 -1 -1  1 -1
"""
COLOURS = "8\nimage_name  color\n" + "".join(
    f"{name}   {colour}\n"
    for name, colour in zip(
        NAMES_IN_ORDER,
        ["Red", "Red", "Heather  grey", "Red/black", "Red/black", "Cream", "Red", "Red"],
        strict=True,
    )
)
FILES = {
    "Eval/list_eval_partition.txt": PARTITION,
    "Anno/list_bbox_inshop.txt": BOXES,
    "Anno/list_item_inshop.txt": ITEMS,
    "Anno/attributes/list_attr_cloth.txt": ATTRIBUTES,
    "Anno/attributes/list_attr_items.txt": VALUES,
    "Anno/attributes/list_color_cloth.txt": COLOURS,
}
REQUIRED = list(FILES)[:2]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / FOLDERS[0]
    for name, content in FILES.items():
        write(folder / name, content)
    return folder


def write(file: Path, content: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(content, encoding="utf-8")


def reader(resolution: str = "low", *, colour: bool = False) -> Inshop:
    return Inshop("inshop", InshopOptions(resolution=resolution, colour=colour))  # type: ignore[arg-type]


def boxes_of(catalog: Catalog) -> list[list[float]]:
    found: list[list[float]] = catalog.images[list(BOX)].to_numpy().tolist()
    return found


def present(catalog: Catalog, attribute: str) -> list[list[str]]:
    values = catalog.schema.attribute(attribute).values
    rows = catalog.present[:, catalog.schema.columns(attribute)]
    return [[values[place] for place in np.flatnonzero(row)] for row in rows]


def by_name(catalog: Catalog) -> dict[str, Protocol]:
    return {protocol.name: protocol for protocol in reader().protocols(catalog)}


def test_the_annotation_files_become_the_catalog(root: Path) -> None:
    catalog = reader().load(root)
    images = catalog.images
    assert images["id"].tolist() == NAMES_IN_ORDER
    assert images["path"].tolist() == [f"Img/{name}" for name in NAMES_IN_ORDER]
    assert images["item"].tolist() == [f"id_0000000{n}" for n in (2, 2, 4, 1, 1, 1, 3, 3)]
    assert images["split"].tolist() == SPLITS
    assert set(images["domain"]) == {""}
    # a box corner of 060 is sixty: never an octal number
    assert boxes_of(catalog)[0] == [60, 45, 200, 250]
    assert catalog.counts() == {"images": 8, "train": 3, "query": 2, "gallery": 3, "items": 4,
                                "categories": 3, "attributes": 1, "values": 4}  # fmt: skip
    coloured = reader(colour=True).load(root)
    assert coloured.counts() == catalog.counts() | {"attributes": 2, "values": 8}


def test_the_category_is_that_of_the_path_and_not_of_the_item(root: Path) -> None:
    images = reader().load(root).images
    of_first = images[images["item"] == "id_00000001"]
    assert of_first["category"].tolist() == [DRESSES, DRESSES, "WOMEN/Tees_Tanks"]
    assert "MEN/Denim" in set(images["category"])


def test_one_is_present_and_minus_one_and_zero_are_not(root: Path) -> None:
    catalog = reader().load(root)
    attribute = catalog.schema.attribute("attribute")
    assert attribute.multiple
    assert attribute.values == ("a-line", "crew neck", "long-sleeve", "slim fit")
    of_items = {"1": ["a-line"], "2": ["crew neck"], "3": ["long-sleeve"], "4": []}
    assert present(catalog, "attribute") == [of_items[n] for n in "22411133"]
    # item 4 has no row
    assert catalog.known[:, 0].tolist() == [True, True, False, True, True, True, True, True]
    assert "1 images have no row with attributes" in catalog.notes


def test_colours_are_of_images_and_hold_blanks(root: Path) -> None:
    catalog = reader(colour=True).load(root)
    colour = catalog.schema.attribute("colour")
    assert not colour.multiple
    assert colour.values == ("Cream", "Heather grey", "Red", "Red/black")
    assert present(catalog, "colour")[2:6] == [
        ["Heather grey"], ["Red/black"], ["Red/black"], ["Cream"],
    ]  # fmt: skip
    assert catalog.known[:, 1].all()


def test_an_image_without_a_colour_is_unlabelled_and_noted(root: Path) -> None:
    rows = COLOURS.splitlines(keepends=True)
    write(root / "Anno/attributes/list_color_cloth.txt", "".join(["7\n", *rows[1:-1]]))
    catalog = reader(colour=True).load(root)
    assert catalog.known[:, 1].tolist() == [True] * 7 + [False]
    assert present(catalog, "colour")[7] == []
    assert "1 images have no row with a colour" in catalog.notes


def test_attributes_may_stand_directly_in_anno(root: Path) -> None:
    expected = reader().load(root)
    for file in list((root / "Anno/attributes").iterdir()):
        file.rename(root / "Anno" / file.name)
    moved = reader().load(root)
    assert moved.schema == expected.schema
    assert (moved.present == expected.present).all()
    assert len(reader().sources(root)) == len(FILES)


def test_releases_without_the_optional_files_are_read_and_say_so(root: Path) -> None:
    for name in FILES:
        if name not in REQUIRED:
            (root / name).unlink()
    catalog = reader().load(root)
    assert catalog.counts()["items"] == 4
    assert catalog.schema.attributes == ()
    assert dress_vocabulary(catalog) == ()
    for name in FILES:
        assert any(name in note for note in catalog.notes) == (name not in REQUIRED)
    assert [file.relative_to(root).as_posix() for file in reader().sources(root)] == REQUIRED
    assert set(by_name(catalog)) == set(PROTOCOLS)


@pytest.mark.parametrize("name", REQUIRED)
def test_a_release_without_a_required_file_is_refused(name: str, root: Path) -> None:
    (root / name).unlink()
    with pytest.raises(DataError, match="no such file") as raised:
        reader().load(root)
    assert str(raised.value).startswith(str(root / name))


@pytest.mark.parametrize("name", ["list_attr_cloth.txt", "list_attr_items.txt"])
def test_one_attribute_file_without_the_other_is_refused(name: str, root: Path) -> None:
    (root / "Anno/attributes" / name).unlink()
    with pytest.raises(DataError, match=f"{name}: no such file"):
        reader().load(root)


def test_repeated_attribute_rows_must_be_equal(root: Path) -> None:
    file = root / "Anno/attributes/list_attr_items.txt"
    expected = reader().load(root)
    for count in (3, 4):  # the file may count items or rows
        write(file, VALUES.replace("3\n", f"{count}\n", 1) + "id_00000002 -1 1 -1 -1\n")
        catalog = reader().load(root)
        assert (catalog.present == expected.present).all()
        assert "1 attribute rows repeat an equal row of the same item" in catalog.notes
    write(file, VALUES.replace("3\n", "4\n", 1) + "id_00000002 -1 1 -1 1\n")
    with pytest.raises(DataError) as raised:
        reader().load(root)
    assert str(raised.value) == (
        f"{file}:6: id_00000002 again, with other values; expected those of line 4"
    )


def test_boxes_without_area_take_the_whole_picture_and_are_counted(root: Path) -> None:
    broken = BOXES.replace("060  045  200  250", "200  045  200  250")
    broken = broken.replace("061  045  200  251", "256  045  300  251")
    broken = broken.replace("062  045  200  252", "-05  045  300  252")
    write(root / "Anno/list_bbox_inshop.txt", broken)
    catalog = reader().load(root)
    boxes = boxes_of(catalog)
    assert np.isnan(boxes[:2]).all()
    assert boxes[2] == [0, 45, 256, 252]
    assert "2 boxes have no area inside their picture, which is taken whole" in catalog.notes


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        ("Eval/list_eval_partition.txt", "8\n", "9\n", ":1: the number 9 but 8 rows; expected "),
        ("Eval/list_eval_partition.txt", "train", "training", ":3: evaluation status 'training'"),
        ("Eval/list_eval_partition.txt", " id_00000004", "", ":5: 2 fields in 'img/MEN/Denim"),
        ("Eval/list_eval_partition.txt", " id_00000004", " id_00000001",
         ":5: item 'id_00000001' of 'img/MEN/Denim/id_00000004/01_1_front.jpg'; expected the item"),
        ("Eval/list_eval_partition.txt", "img/MEN/Denim", "img/../Denim", ":5: image 'img/../Den"),
        ("Eval/list_eval_partition.txt", "img/MEN/Denim", "/MEN/Denim", ":5: image '/MEN/Denim"),
        ("Eval/list_eval_partition.txt", "02_2_side", "02_1_front", ":4: 'img/WOMEN/Dresses/id_0"),
        ("Eval/list_eval_partition.txt", "query", "train", ":7: id_00000001 in gallery, which is "),
        ("Anno/list_bbox_inshop.txt", "060", "0x3", ":3: box corner '0x3'; expected an integer"),
        ("Anno/list_bbox_inshop.txt", "060", "1000", ":3: box corner '1000'; expected an integer"),
        ("Anno/list_bbox_inshop.txt", "  060", "", ":3: 6 fields in "),
        ("Anno/list_bbox_inshop.txt", "3  1", "4  1", ":3: clothes type '4'; expected"),
        ("Anno/list_bbox_inshop.txt", "3  1", "3  7", ":3: pose type '7'; expected"),
        ("Anno/list_bbox_inshop.txt", "Denim/id_00000004", "Denim/id_00000005",
         ":5: image 'img/MEN/Denim/id_00000005/01_1_front.jpg'; expected an image of list_eval"),
        ("Anno/list_bbox_inshop.txt", "02_2_side", "02_1_front", ":4: 'img/WOMEN/Dresses/id_000"),
        ("Anno/list_item_inshop.txt", "3\n", "9\n", ":1: id_00000003 is not in the file; expected"),
        ("Anno/list_item_inshop.txt", "id_00000002", "2", ":3: item '2'; expected an id, as in"),
        ("Anno/list_item_inshop.txt", "_00000004", "_00000001", ":5: 'id_00000001' again, as in "),
        ("Anno/attributes/list_attr_cloth.txt", "slim fit", "a-line", ":6: 'a-line' again, as in "),
        ("Anno/attributes/list_attr_cloth.txt", "a-line", " ", ":3: an empty line; expected the "),
        ("Anno/attributes/list_attr_cloth.txt", "4\n", "5\n", ":1: the number 5 but 4 rows"),
        ("Anno/attributes/list_attr_items.txt", "3\n", "2\n", ":1: the number 2 but 3 rows"),
        ("Anno/attributes/list_attr_items.txt", " 0", " 2", ":3: value '2' of 'id_00000001'; exp"),
        ("Anno/attributes/list_attr_items.txt", " 0", "", ":3: 4 fields in 'id_00000001"),
        ("Anno/attributes/list_attr_items.txt", "_00000003", "_00000009", ":5: item 'id_00000009"),
        ("Anno/attributes/list_color_cloth.txt", "   Red\n", "\n", ":3: 'img/WOMEN/Dresses/id_0"),
        ("Anno/attributes/list_color_cloth.txt", "02_2_side", "02_9_side", ":4: image 'img/WOMEN"),
        ("Anno/attributes/list_color_cloth.txt", "02_2_side", "02_1_front", ":4: 'img/WOMEN/Dres"),
    ],
)  # fmt: skip
def test_what_is_malformed_is_named_with_file_and_line(
    file: str, old: str, new: str, message: str, root: Path
) -> None:
    assert old in FILES[file]
    write(root / file, FILES[file].replace(old, new, 1))
    with pytest.raises(DataError) as raised:
        reader(colour=True).load(root)
    assert str(raised.value).startswith(f"{root / file}{message}")
    assert "\n" not in str(raised.value)


def test_an_image_without_a_box_is_named(root: Path) -> None:
    file = root / "Anno/list_bbox_inshop.txt"
    rows = BOXES.splitlines(keepends=True)
    write(file, "".join(["6\n", rows[1], *rows[2:6], *rows[8:]]))
    with pytest.raises(DataError) as raised:
        reader().load(root)
    assert str(raised.value) == (
        f"{file}:8: the end, and no box for 2 images, the first is {NAMES_IN_ORDER[4]}; "
        "expected a box for every image"
    )
    write(file, "0\nnames\n")
    with pytest.raises(DataError, match="no box for 8 images"):
        reader().load(root)


def test_items_without_images_are_counted(root: Path) -> None:
    write(root / "Anno/list_item_inshop.txt", ITEMS.replace("4\n", "5\n", 1) + "id_00000005\n")
    assert "1 of 5 items have no image" in reader().load(root).notes


def test_the_folder_is_found_below_the_data_root_or_as_the_root_itself(
    root: Path, tmp_path: Path
) -> None:
    assert reader().find(tmp_path) == root
    assert reader().find(root) == root
    for folder in FOLDERS[1:]:
        root = root.rename(tmp_path / folder)
        assert reader().find(tmp_path) == root
    for name in ("list_bbox_inshop.txt", "list_item_inshop.txt"):
        (root / "Anno" / name).unlink()
    assert reader().find(tmp_path) is None, "other parts of DeepFashion have a partition file too"


def test_pictures_may_lie_below_img_or_beside_it(root: Path, make_images: MakeImages) -> None:
    catalogs, sources = [], []

    def read_again() -> list[str]:
        catalogs.append(reader().load(root))
        sources.append(of_sources(reader().sources(root)))
        paths: list[str] = catalogs[-1].images["path"].tolist()
        return paths

    below = [f"Img/{name}" for name in NAMES_IN_ORDER]
    assert read_again() == below
    make_images(root, NAMES_IN_ORDER)
    assert read_again() == NAMES_IN_ORDER
    assert len(catalogs[-1].image_digests()) == 8
    (root / "Img").mkdir()
    (root / "img").rename(root / "Img/img")
    assert read_again() == below
    assert len(catalogs[-1].image_digests()) == 8
    # a catalog kept from before the pictures were moved would look for them in the wrong place
    assert sources[0] == sources[2] != sources[1]
    assert len({by_name(c)["all/all-gallery"].fingerprint(c) for c in catalogs}) == 1


def shrink(picture: Image.Image) -> Image.Image:
    """Return the picture as the published small ones were made."""
    scale = 256 / max(picture.size)
    size = round(picture.width * scale), round(picture.height * scale)
    small = Image.new("RGB", (256, 256), "white")
    small.paste(picture.resize(size), ((256 - size[0]) // 2, (256 - size[1]) // 2))
    return small


@given(
    st.tuples(st.integers(80, 1200), st.integers(80, 1200)),
    st.tuples(*[st.floats(0, 0.4), st.floats(0, 0.4), st.floats(0.6, 1), st.floats(0.6, 1)]),
)
@settings(max_examples=25)
def test_a_box_encloses_in_the_large_picture_what_it_encloses_in_the_small_one(
    size: tuple[int, int], shares: tuple[float, float, float, float]
) -> None:
    corners = np.round(np.array(shares) * np.tile(size, 2)).astype(int)
    x1, y1, x2, y2 = corners.tolist()
    large = Image.new("RGB", size, "white")
    large.paste("black", (x1, y1, x2, y2))
    dark = np.asarray(shrink(large))[:, :, 0] < 128
    rows, columns = np.flatnonzero(dark.any(axis=1)), np.flatnonzero(dark.any(axis=0))
    small = [columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]
    sizes = np.array([size])
    [box] = enlarge(np.array([small], np.float64), sizes)
    pixel = max(size) / 256  # of the small picture, and half of one that rounding its size costs
    assert np.abs(box - corners).max() <= 1.5 * pixel + 1
    [clipped], empty = clip(np.array([box]), sizes)
    assert empty == 0
    assert (clipped >= 0).all()
    assert (clipped <= np.tile(size, 2)).all()


@pytest.mark.parametrize("folder", ["Img/img_highres", "Img/img_highres/img_highres"])
def test_the_option_for_high_resolution_takes_the_large_pictures(folder: str, root: Path) -> None:
    for name in NAMES_IN_ORDER:
        file = root / folder / name.removeprefix("img/")
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (512, 1024)).save(file)
    turned = Image.Exif()
    turned[0x0112] = 6  # shown a quarter turned: 512 wide, 1,024 high
    last = root / folder / NAMES_IN_ORDER[-1].removeprefix("img/")
    Image.new("RGB", (1024, 512)).save(last, exif=turned)
    inshop = reader("high")
    catalog = inshop.load(root)
    assert catalog.images["path"].tolist() == [
        f"{folder}/{name.removeprefix('img/')}" for name in NAMES_IN_ORDER
    ]
    # a quarter of the side, and 64 pixels of padding on the left
    assert boxes_of(catalog)[0] == [0, 180, 512, 1000]
    assert boxes_of(catalog)[4] == [0, 180, 512, 1016]
    assert boxes_of(catalog)[7] == [(67 - 64) * 4, 180, 512, 1024]
    assert root / folder in inshop.sources(root), "the boxes depend on the sizes of the pictures"
    low = reader().load(root)
    assert by_name(catalog)["category"].fingerprint(catalog) == (
        by_name(low)["category"].fingerprint(low)
    )


def test_an_absent_or_unreadable_large_picture_is_named(
    root: Path, make_images: MakeImages
) -> None:
    with pytest.raises(DataError, match=r"Img/img_highres/\S*: no such picture; expected it"):
        reader("high").load(root)
    names = [name.removeprefix("img/") for name in NAMES_IN_ORDER]
    files = make_images(root / "Img/img_highres", names)
    assert picture_sizes(root / "Img/img_highres", names).tolist() == [[32, 48]] * 8
    files[3].write_bytes(b"not a picture")
    with pytest.raises(DataError) as raised:
        reader("high").load(root)
    assert str(raised.value).startswith(f"{files[3]} is not a readable image: ")


def test_protocols_ask_for_the_same_item(root: Path) -> None:
    catalog = reader().load(root)
    found = by_name(catalog)
    names = catalog.images["id"].to_numpy()

    [task] = found["dress/dress-gallery"].tasks
    assert (task.queries.tolist(), task.relevant_counts().tolist()) == ([3], [1])
    [task] = found["dress/all-gallery"].tasks
    # the item is in two categories, and stays one item
    assert (task.queries.tolist(), task.relevant_counts().tolist()) == ([3], [2])
    [task] = found["all/all-gallery"].tasks
    assert (task.queries.tolist(), task.relevant_counts().tolist()) == ([3, 6], [2, 1])
    assert task.candidates() == 3
    # no training image is evaluated, and MEN/Denim has neither query nor gallery image
    assert {task.name: task.rows().tolist() for task in found["category"].tasks} == {
        DRESSES: [3, 4],
        "WOMEN/Tees_Tanks": [5, 6, 7],
    }
    training = {name: names[protocol.training].tolist() for name, protocol in found.items()}
    assert training["dress/dress-gallery"] == training["dress/all-gallery"] == NAMES_IN_ORDER[:2]
    assert training["all/all-gallery"] == training["category"] == NAMES_IN_ORDER[:3]


def test_protocols_without_images_are_left_out(root: Path) -> None:
    kept = [line for line in PARTITION.splitlines()[2:] if "Dresses" not in line]
    write(root / REQUIRED[0], "\n".join([str(len(kept)), "names", *kept]))
    kept = [line for line in BOXES.splitlines()[2:] if "Dresses" not in line]
    write(root / REQUIRED[1], "\n".join([str(len(kept)), "names", *kept]))
    for file in ("list_attr_cloth.txt", "list_attr_items.txt", "list_color_cloth.txt"):
        (root / "Anno/attributes" / file).unlink()
    assert set(by_name(reader().load(root))) == {"all/all-gallery", "category"}


def test_the_vocabulary_of_dresses_is_what_some_dress_of_any_split_has(root: Path) -> None:
    catalog = reader().load(root)
    # "crew neck" of a training dress, "a-line" of a test dress, "long-sleeve" of a tee alone
    assert dress_vocabulary(catalog) == ("a-line", "crew neck")
    assert "2 of 4 attributes occur on dresses" in catalog.notes


def test_protocols_and_facts_are_those_of_the_spec(root: Path) -> None:
    [spec] = register_datasets()
    assert spec.options is not None
    assert spec.options() is InshopOptions
    inshop = spec.build(spec.name, InshopOptions())
    catalog = inshop.load(root)
    found = inshop.protocols(catalog)
    assert {protocol.name: protocol.summary for protocol in found} == spec.protocols == PROTOCOLS
    assert {protocol.name: protocol.headline for protocol in found} == {
        "dress/dress-gallery": "precision@1",
        "dress/all-gallery": "precision@1",
        "all/all-gallery": "hit@20",
        "category": "hit@1",
    }
    assert all(protocol.metrics == METRICS + OF_ATTRIBUTES for protocol in found)
    assert set(spec.counts) <= set(catalog.counts())
    assert set(spec.protocol_counts) < set(PROTOCOLS)
    for name in FILES:
        assert Path(name).name in spec.layout


def test_full_size_files_have_the_published_counts(tmp_path: Path) -> None:
    published = runpy.run_path(str(PUBLISHED))
    published["write_published"](tmp_path / "inshop")
    root = reader().find(tmp_path)
    assert root == tmp_path / "inshop"
    catalog = reader().load(root)
    counts = catalog.counts()
    assert {name: counts[name] for name in COUNTS} == dict(COUNTS)
    assert COUNTS == {"images": 52712, "train": 25882, "query": 14218, "gallery": 12612,
                      "items": 7982, "categories": 23}  # fmt: skip
    images = catalog.images
    by_split = images.groupby(["category", "split"], observed=True).size()
    for category, numbers in published["IMAGES"].items():
        for split, number in zip(("query", "gallery", "train"), numbers, strict=True):
            assert by_split[category, split] == number
    items = {split: set(images["item"][images["split"] == split]) for split in set(SPLITS)}
    assert (len(items["train"]), len(items["query"])) == (3997, 3985)
    assert items["query"] == items["gallery"]
    assert not items["query"] & items["train"]
    two = images.groupby("item", observed=True)["category"].nunique() == 2
    assert two.sum() == 99
    found = by_name(catalog)
    for name, (queries, gallery) in PROTOCOL_COUNTS.items():
        [task] = found[name].tasks
        assert (len(task.queries), task.candidates()) == (queries, gallery)
        assert (task.relevant_counts() > 0).all()
    assert PROTOCOL_COUNTS["dress/dress-gallery"] == (1901, 1647)
    assert len(found["dress/dress-gallery"].training) == 3451
    assert len(found["category"].tasks) == 23
    assert len(catalog.schema.attribute("attribute").values) == 463
    assert len(dress_vocabulary(catalog)) == 336
    assert catalog.notes == ("336 of 463 attributes occur on dresses",)


def read_each(folder: Path) -> None:
    """Read each file on its own, as far as the others are needed from those that are sound."""
    partition = read_partition(folder / "partition")
    read_boxes(folder / "boxes", partition.names)
    read_items(folder / "items", partition)
    read_attributes(folder / "attributes", folder / "values", set(partition.items))
    read_colours(folder / "colours", partition.names)


SOUND = {
    "partition": PARTITION,
    "boxes": BOXES,
    "items": ITEMS,
    "attributes": ATTRIBUTES,
    "values": VALUES,
    "colours": COLOURS,
}


# where an image, an item or an attribute is gone, a file that names it is refused
AFFECTED: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(SOUND, ()),
    "partition": tuple(SOUND),
    "attributes": ("values",),
}


@st.composite
def mutated(draw: st.DrawFn, content: bytes) -> bytes:
    """Return the content with a few stretches replaced: by bytes, by blanks, or by itself."""
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(content)))
        end = min(len(content), start + draw(st.integers(0, 30)))
        inserted = draw(
            st.one_of(
                st.binary(max_size=6),
                st.sampled_from([b"", b"\n", b" ", b"\t", b"\n\n", b"-1", b"0", b"9" * 40]),
                st.just(content[start : end + 40]),
            )
        )
        content = content[:start] + inserted + content[end:]
    return content


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz")


@pytest.mark.parametrize("name", SOUND)
@given(data=st.data())
@settings(max_examples=150)
def test_any_content_is_read_or_refused_in_one_line(
    name: str, fuzzed: Path, data: st.DataObject
) -> None:
    sound = SOUND[name].encode()
    content = data.draw(
        st.one_of(
            st.binary(max_size=80),
            st.text(st.characters(codec="utf-8"), max_size=80).map(str.encode),
            mutated(sound),
        )
    )
    for other, text in SOUND.items():
        (fuzzed / other).write_bytes(content if other == name else text.encode())
    message = ""
    try:
        read_each(fuzzed)
    except DataError as error:
        message = str(error)
    if message:
        assert message.startswith(tuple(str(fuzzed / file) for file in (name, *AFFECTED[name])))
        assert "\n" not in message


@pytest.fixture(scope="module")
def mini(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("mini") / "inshop"
    reader().draw_mini(root, seed=3, items=9)
    return root


def test_the_mini_edition_has_the_published_layout(mini: Path) -> None:
    catalog = reader().load(mini)
    counts = catalog.counts()
    assert counts["items"] == 9
    assert {"train", "query", "gallery"} <= set(counts)
    assert set(catalog.images["category"]) <= set(CATEGORIES)
    assert len(set(catalog.image_digests())) == len(catalog)
    assert not [note for note in catalog.notes if "absent" in note or "area" in note]
    assert catalog.known.all()
    for path in catalog.images["path"][::7]:
        with Image.open(mini / path) as image:
            assert image.size == (256, 256)
            beside = np.asarray(image)[:, [*range(24), *range(232, 256)]]
            assert (beside > 250).all(), "white stands beside the picture"
    for file in ("list_landmarks_inshop.txt", "list_description_inshop.json"):
        assert (mini / "Anno" / file).is_file()
    described = json.loads((mini / "Anno/list_description_inshop.json").read_text())
    assert {entry["item"] for entry in described} == set(catalog.images["item"])
    assert set(described[0]) == {"item", "color", "description"}


def test_boxes_of_the_mini_edition_lie_where_the_picture_is_not_ground(mini: Path) -> None:
    catalog = reader().load(mini)
    alone = catalog.images["id"].str.contains("_2_side|_6_flat").to_numpy()  # no model wears it
    for row in np.flatnonzero(alone)[:6]:
        facts = catalog.images.iloc[row]
        top, bottom = int(facts["y1"]), int(facts["y2"])
        left, right = int(facts["x1"]) - 33, int(facts["x2"]) - 33
        with Image.open(mini / facts["path"]) as image:
            pixels = np.asarray(image.convert("RGB"), dtype=int)[:, 33:223]
        ground = pixels[:3].reshape(-1, 3).mean(axis=0)
        differs = np.abs(pixels - ground).max(axis=2)
        inside = np.zeros(differs.shape, bool)
        inside[top:bottom, left:right] = True
        # a soft shadow is all that there is around the garment
        assert np.percentile(differs[~inside], 95) < 60
        assert differs[inside].mean() > 2 * differs[~inside].mean()


def test_a_picture_depends_on_its_name_and_the_seed_alone(mini: Path) -> None:
    images = plan_mini(seed=3, items=9)
    for image in images[5:20:7]:
        file, _ = draw_image(image)
        assert (mini / "Img" / image.name).read_bytes() == file
    first = replace(images[0], seed=4)
    assert draw_image(first) != draw_image(images[0])


def test_the_whole_mini_edition_is_large_enough_to_tell_methods_apart() -> None:
    images = plan_mini(seed=0)
    items = {image.item for image in images}
    assert len(items) == 1200
    assert 3000 <= len(images) <= 3250
    assert {image.item.category for image in images} == set(CATEGORIES)
    queries = [image for image in images if image.split == "query"]
    gallery = {image.item for image in images if image.split == "gallery"}
    dresses = [image for image in queries if image.item.category == DRESSES]
    assert len(dresses) > 270
    asking = {(image.item, image.series) for image in queries}
    answering = {(image.item, image.series) for image in images if image.split == "gallery"}
    assert len(asking & answering) < len(asking) / 2, "few find their own colour"
    assert {image.item for image in queries} == gallery == {i for i in items if i.split == "test"}
    copies = [item for item in items if item.original != item.number]
    assert len(copies) >= 5
    assert all(item.split == "test" for item in copies)
    assert all(len(item.colours) == (2 if item.split == "test" else 1) for item in items)
    learnt = [image for image in images if image.split == "train"]
    assert len({image.item for image in learnt}) * 2 == len(learnt)


def test_attributes_of_drawn_garments_are_what_is_drawn() -> None:
    images = plan_mini(seed=0)
    items = {image.item.number: image.item for image in images}
    found = {number: attributes_of(make_garment(item, 0, seed=0)) for number, item in items.items()}
    assert set().union(*found.values()) <= set(NAMES)
    assert len(set().union(*found.values())) >= 12
    for number, item in items.items():
        of_kind = found[number]
        if CATEGORIES[item.category][0] == "skirt":
            assert not any("sleeve" in name for name in of_kind)
            assert len(of_kind & {"mini", "midi", "maxi"}) == 1
        if CATEGORIES[item.category][0] == "t-shirt":
            assert len([name for name in of_kind if "sleeve" in name]) == 1
        series = attributes_of(make_garment(item, len(item.colours) - 1, seed=0))
        assert series == of_kind, "another colour is no other garment"
    copies = [item for item in items.values() if item.original != item.number]
    assert all(items[item.original].category == item.category for item in copies)


def test_the_mini_edition_is_not_drawn_over_something(tmp_path: Path) -> None:
    (tmp_path / "kept").write_text("kept")
    with pytest.raises(UserError, match="not empty"):
        draw_mini(tmp_path, seed=0, items=1)
    assert [file.name for file in tmp_path.iterdir()] == ["kept"]
