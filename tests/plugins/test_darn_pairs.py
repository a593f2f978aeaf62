from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from bench_darn_pairs import ASEN_PROTOCOLS, COUNTS, FOLDERS, PROTOCOLS, register_datasets
from bench_darn_pairs.mapping import KINDS, sample_item, sample_look, tags_of
from bench_darn_pairs.mini import annotate, draw_mini, draw_picture, item_tags, plan_mini
from bench_darn_pairs.pairs import FILES, read_mentions, read_pairs
from bench_darn_pairs.protocols import METRICS, OF_ATTRIBUTES
from bench_darn_pairs.reader import Darn
from bench_darn_pairs.urls import read_labels, read_names, read_urls
from bench_darn_pairs.vocabulary import ASEN_SIZES, PAIR_SIZES
from fuzzing import anything, mutated, read_or_refuse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from bench.catalog import Catalog
from bench.errors import DataError, IncompatibleError, UserError
from bench.gallery_sizes import GALLERY_SIZES
from bench.gallery_sizes import METRICS as SIZE_METRICS
from bench.protocols import Protocol
from bench.region_files import read_truth
from bench.tasks import Condition, Task

MakeImages = Callable[[Path, Iterable[str]], list[Path]]

PUBLISHED = Path(__file__).parents[1] / "published" / "darn.py"
A, B, C = "0 55 9 24 26 15 6 11 5", "0 1 2 3 4 5 6 7 -1", "-1 -1 -1 -1 -1 -1 -1 -1 -1"
PAIR_FORM = {
    "train_pair.txt": f"street/1.jpg shop/1.jpg 11 {A}\nstreet/2.jpg shop/1.jpg 11 {A}\n",
    "validation_pair.txt": f"street/3.jpg shop/3.jpg x-12 {B}\nstreet/3.jpg shop/4.jpg x-12 {B}\n",
    "train_shop.txt": f"shop/1.jpg 11 {A}\nshop/2.jpg 13 {C}\n",
    "validation_shop.txt": f"shop/3.jpg x-12 {B}\nshop/5.jpg 14 {A}\n",
}
SHOP = [f"shop/{number}.jpg" for number in (1, 2, 3, 4, 5)]
STREET = [f"street/{number}.jpg" for number in (1, 2, 3)]
SPLITS = {
    "street/1.jpg": "train", "street/2.jpg": "train", "street/3.jpg": "query",
    "shop/1.jpg": "train", "shop/2.jpg": "train",
    "shop/3.jpg": "gallery", "shop/4.jpg": "gallery", "shop/5.jpg": "gallery",
}  # fmt: skip

ASEN_FORM = {
    "darn_url.txt": "".join(f"{n // 4}/{n}.jpg http://a.b/{n}.jpg_!!x\n" for n in range(1, 9)),
    "filenames_train.txt": "pic/0/1.jpg\npic/0/2.jpg\n",
    "label_train.txt": "0 0 19 8 16\n1 1 12\n",
    "filenames_test.txt": "0/3.jpg\n1/4.jpg\n1/5.jpg\n1/6.jpg\n",
    "query_test.txt": "0 0 3\n1 2 54\n",
    "candidate_test.txt": "1 0 3\n2 0 4\n0 2 7\n3 2 54\n",
}


def write(root: Path, files: Mapping[str, str]) -> Path:
    root.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (root / name).write_text(content)
    return root


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write(tmp_path / FOLDERS[0], PAIR_FORM)


@pytest.fixture
def asen(tmp_path: Path) -> Path:
    return write(tmp_path / FOLDERS[0], ASEN_FORM)


def load(root: Path) -> Catalog:
    return Darn("darn").load(root)


def error_of(root: Path) -> str:
    with pytest.raises(DataError) as raised:
        load(root)
    return str(raised.value).replace(f"{root}/", "")


def column(catalog: Catalog, name: str) -> dict[str, str]:
    return dict(zip(catalog.images["id"], catalog.images[name], strict=True))


def protocols(catalog: Catalog) -> dict[str, Protocol]:
    return {protocol.name: protocol for protocol in Darn("darn").protocols(catalog)}


def retrieval(protocol: Protocol) -> dict[str, Task]:
    tasks = {task.name: task for task in protocol.tasks if isinstance(task, Task)}
    assert len(tasks) == len(protocol.tasks)
    return tasks


def test_every_image_of_the_pair_files_is_one_row(root: Path) -> None:
    catalog = load(root)
    assert column(catalog, "split") == SPLITS
    assert column(catalog, "path") == {name: f"images/{name}" for name in SPLITS}
    assert column(catalog, "domain") == {name: name.partition("/")[0] for name in SPLITS}
    assert column(catalog, "item") == {
        "street/1.jpg": "11", "street/2.jpg": "11", "street/3.jpg": "x-12", "shop/1.jpg": "11",
        "shop/2.jpg": "13", "shop/3.jpg": "x-12", "shop/4.jpg": "x-12", "shop/5.jpg": "14",
    }  # fmt: skip
    assert column(catalog, "category")["shop/1.jpg"] == "category-0"
    assert column(catalog, "category")["shop/2.jpg"] == ""
    assert catalog.counts()["values"] == 179
    assert catalog.counts()["attributes"] == COUNTS["attributes"]
    assert catalog.notes[0] == "12 mentions in the four files are of 8 images"


def test_tags_are_values_of_the_nine_attributes(root: Path) -> None:
    catalog = load(root)
    labels = dict(zip(catalog.images["id"], catalog.labels().tolist(), strict=True))
    assert labels["street/1.jpg"] == labels["shop/5.jpg"] == [int(tag) for tag in A.split()]
    assert labels["street/3.jpg"] == [0, 1, 2, 3, 4, 5, 6, 7, -1]
    assert labels["shop/2.jpg"] == [-1] * 9
    assert (catalog.known == (catalog.labels() >= 0)).all()
    colour = catalog.schema.attribute("color")
    assert (colour.values[55], len(colour.values), colour.multiple) == ("color-55", 56, False)
    assert [len(a.values) for a in catalog.schema.attributes] == list(PAIR_SIZES.values())


@pytest.mark.parametrize("blank", ["\t", "   "])
def test_blanks_line_ends_and_leading_zeros_are_tolerated(blank: str, root: Path) -> None:
    before = load(root)
    for name, content in PAIR_FORM.items():
        odd = content.replace(" ", blank).replace("\n", f"{blank}\r\n")
        (root / name).write_bytes(b"\xef\xbb\xbf" + odd.encode() + b"\r\n")
    after = load(root)
    assert after.images.equals(before.images)
    assert (after.present == before.present).all()
    (root / "train_shop.txt").write_text(f"shop/1.jpg 11 {A.replace('55', '055')}\n")
    assert load(root).labels()[0].tolist() == before.labels()[0].tolist()


@pytest.mark.parametrize(
    ("name", "line", "message"),
    [
        ("train_pair.txt", f"shop/9.jpg 11 {A}", "11 fields in 'shop/9.jpg 11 "),
        ("train_shop.txt", f"street/9.jpg shop/9.jpg 11 {A}", "12 fields in "),
        ("validation_shop.txt", "", "0 fields in ''; expected SHOP-IMAGE ITEM and 9 tags"),
        ("train_shop.txt", f"shop/9.jpg 15 {A[:-1]}6", "tag length '6'; expected an integer from"),
        ("train_shop.txt", f"shop/9.jpg 15 -2{A[1:]}", "tag category '-2'; expected an integer"),
        ("validation_pair.txt", f"a b 15 {A[:-1]}x", "tag length 'x'; expected an integer"),
        ("train_shop.txt", f"../9.jpg 15 {A}", "path '../9.jpg'; expected a path below"),
        ("train_shop.txt", f"shop/../../9.jpg 15 {A}", "path 'shop/../../9.jpg'; expected"),
        ("train_pair.txt", f"street/9.jpg /9.jpg 15 {A}", "path '/9.jpg'; expected a path below"),
        ("train_pair.txt", f"c:9.jpg shop/9.jpg 15 {A}", "path 'c:9.jpg'; expected a path below"),
    ],
)
def test_a_malformed_line_is_named(name: str, line: str, message: str, root: Path) -> None:
    (root / name).write_text(f"{PAIR_FORM[name]}{line}\n{PAIR_FORM[name]}")
    assert error_of(root).startswith(f"{name}:3: {message}")


@pytest.mark.parametrize(
    ("name", "line", "message"),
    [
        (
            "train_shop.txt",
            f"shop/1.jpg 99 {A}",
            f"train_shop.txt:3: 'shop/1.jpg' is a shop image of item '99', tags {A}; "
            f"expected a shop image of item '11', tags {A}, as train_pair.txt:1 has it",
        ),
        (
            "validation_shop.txt",
            f"shop/5.jpg 14 {B}",
            f"validation_shop.txt:3: 'shop/5.jpg' is a shop image of item '14', tags {B}; "
            f"expected a shop image of item '14', tags {A}, as validation_shop.txt:2 has it",
        ),
        (
            "validation_pair.txt",
            f"street/9.jpg street/2.jpg 11 {A}",
            f"validation_pair.txt:3: 'street/2.jpg' is a shop image of item '11', tags {A}; "
            f"expected a street image of item '11', tags {A}, as train_pair.txt:2 has it",
        ),
    ],
)
def test_an_image_that_contradicts_itself_is_named_with_both_lines(
    name: str, line: str, message: str, root: Path
) -> None:
    (root / name).write_text(f"{PAIR_FORM[name]}{line}\n")
    assert error_of(root) == message


@pytest.mark.parametrize("name", FILES)
def test_all_four_files_are_needed(name: str, root: Path) -> None:
    (root / name).unlink()
    assert error_of(root).startswith(f"{name}: no such file")
    (root / name).write_text("\n")
    assert error_of(root).startswith(f"{name}:1: an empty file")


def test_an_image_of_both_sides_is_evaluated_and_noted(root: Path) -> None:
    for name in ("train_pair.txt", "train_shop.txt"):
        other = PAIR_FORM[name.replace("train", "validation")]
        (root / name).write_text(PAIR_FORM[name] + other.splitlines()[0] + "\n")
    with (root / "train_shop.txt").open("a") as file:
        file.write(f"shop/9.jpg x-12 {B}\n")
    catalog = load(root)
    assert column(catalog, "split") == SPLITS | {"shop/9.jpg": "train"}
    assert catalog.notes[1] == (
        "2 images are in files of validation and of train; they are evaluated, and nothing learns "
        "from them"
    )
    assert catalog.notes[2] == "1 items of validation pairs have images in the training too"


@pytest.mark.parametrize("folder", ["images", "."])
def test_absent_photographs_are_left_out_and_counted(
    folder: str, root: Path, make_images: MakeImages
) -> None:
    make_images(root / folder, ["street/1.jpg", "shop/1.jpg", "shop/3.jpg", "shop/5.jpg"])
    catalog = load(root)
    prefix = "" if folder == "." else "images/"
    assert list(catalog.images["path"]) == [
        f"{prefix}{name}" for name in ("street/1.jpg", "shop/1.jpg", "shop/3.jpg", "shop/5.jpg")
    ]
    assert catalog.notes[1:] == (
        "train: 2 of 4 photographs are here",
        "query: 0 of 1 photographs are here",
        "gallery: 2 of 3 photographs are here",
    )
    assert len(catalog.image_digests()) == 4
    make_images(root / folder, ["street/3.jpg"])
    assert len(protocols(load(root))["street-to-shop"].tasks[0].queries) == 1
    (root / folder / "shop" / "3.jpg").unlink()
    catalog = load(root)
    assert catalog.notes[-1] == ("1 of 1 queries here have no shop photograph of their item here")
    with pytest.raises(IncompatibleError, match="none of 1 street photographs here shows an item"):
        Darn("darn").protocols(catalog)


def test_names_may_have_the_folder_of_images_in_them(root: Path, make_images: MakeImages) -> None:
    for name, content in PAIR_FORM.items():
        longer = content.replace("street/", "images/street/").replace("shop/", "images/shop/")
        (root / name).write_text(longer)
    make_images(root / "images", [*SHOP, *STREET])
    assert sorted(load(root).images["path"]) == sorted(f"images/{n}" for n in [*SHOP, *STREET])


def test_a_folder_without_any_of_the_photographs_is_refused(
    root: Path, make_images: MakeImages
) -> None:
    make_images(root / "images", ["shop/77.jpg"])
    assert error_of(root) == (
        "images holds none of the 8 photographs; expected files named as street/1.jpg"
    )


def test_sources_are_the_files_and_the_listing_of_the_photographs(
    root: Path, make_images: MakeImages
) -> None:
    reader = Darn("darn")
    write(root, ASEN_FORM)
    names = [*FILES, "darn_url.txt"]
    assert list(reader.sources(root)) == [*(root / name for name in names), root]
    make_images(root / "images", SHOP)
    assert reader.sources(root)[-1] == root / "images"


def test_the_folder_is_found_by_either_form(tmp_path: Path) -> None:
    reader = Darn("darn")
    assert reader.find(tmp_path) is None
    form = write(tmp_path / FOLDERS[-1], {"darn_url.txt": ""})
    assert reader.find(tmp_path) == reader.find(form) == form
    other = write(tmp_path / FOLDERS[0], {"validation_pair.txt": ""})
    assert reader.find(tmp_path) == other


def test_the_pair_files_go_before_the_list_of_addresses(root: Path) -> None:
    write(root, ASEN_FORM)
    catalog = load(root)
    assert column(catalog, "split") == SPLITS
    assert "darn_url.txt is not read, since the pair files are here" in catalog.notes


def test_validation_street_images_query_all_validation_shop_images(root: Path) -> None:
    catalog = load(root)
    protocol = protocols(catalog)["street-to-shop"]
    [task] = retrieval(protocol).values()
    ids = catalog.images["id"].to_numpy(object)
    assert ids[task.queries].tolist() == ["street/3.jpg"]
    assert sorted(ids[task.gallery]) == ["shop/3.jpg", "shop/4.jpg", "shop/5.jpg"]
    assert task.relevant_counts().tolist() == [2]
    assert sorted(ids[protocol.training]) == [
        "shop/1.jpg", "shop/2.jpg", "street/1.jpg", "street/2.jpg"
    ]  # fmt: skip


def with_distractors(root: Path, count: int) -> Catalog:
    rows = [f"shop/{number}.jpg {number} {A}\n" for number in range(100, 100 + count)]
    (root / "validation_shop.txt").write_text(PAIR_FORM["validation_shop.txt"] + "".join(rows))
    return load(root)


def test_galleries_are_nested_and_hold_every_counterpart(root: Path) -> None:
    catalog = with_distractors(root, 198)  # with shop images 3, 4 and 5: 201
    protocol = protocols(catalog)["street-to-shop/gallery-sizes"]
    tasks = retrieval(protocol)
    assert list(tasks) == list(GALLERY_SIZES)
    assert [task.candidates() for task in tasks.values()] == [6, 11, 21, 51, 101, 201]
    galleries = [set(task.gallery.tolist()) for task in tasks.values()]
    assert all(small < large for small, large in pairwise(galleries))
    assert [task.relevant_counts().tolist() for task in tasks.values()] == [[2]] * 6
    assert protocol.metrics == SIZE_METRICS
    # which distractors a gallery has depends on their names, not on the order of the lines
    lines = (root / "validation_shop.txt").read_text().splitlines(keepends=True)
    (root / "validation_shop.txt").write_text("".join(reversed(lines)))
    again = load(root)
    other = protocols(again)["street-to-shop/gallery-sizes"]
    assert other.tasks[0].rows().tolist() != protocol.tasks[0].rows().tolist()
    for one, two in zip(protocol.tasks, other.tasks, strict=True):
        assert set(catalog.images["id"].iloc[one.rows()]) == set(
            again.images["id"].iloc[two.rows()]
        )


def test_shares_that_make_no_larger_gallery_are_left_out(root: Path) -> None:
    tasks = retrieval(protocols(with_distractors(root, 10))["street-to-shop/gallery-sizes"])
    assert {name: task.candidates() for name, task in tasks.items()} == {
        "1/40": 2, "1/4": 4, "1/2": 7, "1": 13
    }  # fmt: skip


def test_manipulation_divides_the_labelled_shop_images(root: Path) -> None:
    rows = [f"shop/{n}.jpg {n} 0 {n % 2} 2 3 4 5 6 7 -1\n" for n in range(100, 195)]
    (root / "validation_shop.txt").write_text(PAIR_FORM["validation_shop.txt"] + "".join(rows))
    catalog = load(root)
    protocol = protocols(catalog)["manipulation"]
    [task] = retrieval(protocol).values()
    assert task.name == "color"
    gallery = set(task.gallery.tolist())
    queries = set(task.queries.tolist())
    training = set(protocol.training.tolist())
    # 99 shop images, since nothing is known of shop/2.jpg: an eighth, three eighths, the rest
    assert (len(gallery), len(training)) == (37, 50)
    assert 0 < len(queries) <= 12
    assert not gallery & queries
    assert not training & (gallery | queries)
    assert set(catalog.images["domain"].iloc[[*gallery, *queries, *training]]) == {"shop"}
    assert isinstance(task.condition, Condition)
    assert task.condition.targets is not None
    labels = catalog.labels()
    assert (task.condition.targets != labels[task.queries, 1]).all()


def test_the_list_of_addresses_with_the_labels_of_asen(asen: Path) -> None:
    catalog = load(asen)
    assert list(catalog.images["id"]) == [f"{n // 4}/{n}.jpg" for n in range(1, 9)]
    assert list(catalog.images["path"]) == [f"pic/{n // 4}/{n}.jpg" for n in range(1, 9)]
    assert list(catalog.images["split"]) == ["train"] * 2 + ["test"] * 4 + [""] * 2
    assert set(catalog.images["domain"]) == set(catalog.images["item"]) == {""}
    labels = catalog.labels()
    assert labels[0].tolist() == [19, -1, -1, -1, -1, -1, -1, -1, 16]
    assert labels[1].tolist() == [-1, 12, -1, -1, -1, -1, -1, -1, -1]
    assert labels[2].tolist() == [3, -1, 7, -1, -1, -1, -1, -1, -1]
    assert labels[3].tolist() == [3, -1, 54, -1, -1, -1, -1, -1, -1]
    assert (labels[6:] == -1).all()
    assert catalog.counts()["values"] == sum(ASEN_SIZES.values()) == 185
    assert "2 images of darn_url.txt are in no split and have no labels" in catalog.notes


def test_images_of_the_splits_that_have_no_address_are_noted(asen: Path) -> None:
    lines = ASEN_FORM["darn_url.txt"].splitlines(keepends=True)
    (asen / "darn_url.txt").write_text("".join(lines[1:]))
    catalog = load(asen)
    assert sorted(catalog.images["id"]) == [f"{n // 4}/{n}.jpg" for n in range(1, 9)]
    assert "1 images of the splits are not in darn_url.txt" in catalog.notes


@pytest.mark.parametrize("folder", ["pic", "."])
def test_photographs_of_asen_may_be_absent(
    folder: str, asen: Path, make_images: MakeImages
) -> None:
    make_images(asen / folder, ["0/3.jpg", "1/4.jpg", "1/6.jpg"])
    catalog = load(asen)
    assert list(catalog.images["id"]) == ["0/3.jpg", "1/4.jpg", "1/6.jpg"]
    assert catalog.notes[-3:] == (
        "train: 0 of 2 photographs are here",
        "test: 3 of 4 photographs are here",
        "no split: 0 of 2 photographs are here",
    )
    tasks = retrieval(protocols(catalog)["attribute"])
    assert [task.candidates() for task in tasks.values()] == [1, 2]


def test_attribute_has_the_queries_and_candidates_of_the_files(asen: Path) -> None:
    catalog = load(asen)
    found = protocols(catalog)
    assert set(found) == set(ASEN_PROTOCOLS)
    protocol = found["attribute"]
    assert protocol.summary == ASEN_PROTOCOLS["attribute"]
    tasks = retrieval(protocol)
    assert list(tasks) == ["category", "color"]
    ids = catalog.images["id"].to_numpy(object)
    colour = tasks["color"]
    assert ids[colour.queries].tolist() == ["1/4.jpg"]
    assert ids[colour.gallery].tolist() == ["0/3.jpg", "1/6.jpg"]
    assert colour.relevant_counts().tolist() == [1]
    assert colour.condition is not None
    assert colour.condition.attribute == "color"
    assert ids[protocol.training].tolist() == ["0/1.jpg", "0/2.jpg"]


def test_manipulation_needs_neither_domains_nor_items(tmp_path: Path) -> None:
    count = 100
    root = write(
        tmp_path / FOLDERS[0],
        {
            "darn_url.txt": "".join(f"a/{n}.jpg https://a.b/{n}\n" for n in range(count)),
            "filenames_train.txt": "".join(f"pic/a/{n}.jpg\n" for n in range(count)),
            "label_train.txt": "".join(f"{n} 0 5 1 {n % 3}\n" for n in range(count)),
        },
    )
    catalog = load(root)
    found = protocols(catalog)
    assert list(found) == ["manipulation"]  # without a test split, nothing is asked by attribute
    [task] = retrieval(found["manipulation"]).values()
    assert task.name == "button"
    assert (task.candidates(), len(found["manipulation"].training)) == (37, 51)
    assert len(task.queries) == 12 * 2


def test_addresses_alone_are_refused(asen: Path) -> None:
    for name in ASEN_FORM:
        if name != "darn_url.txt":
            (asen / name).unlink()
    message = error_of(asen)
    assert message.startswith("darn_url.txt has images without labels; expected the files of ASEN")
    assert "filenames_train.txt" in message
    assert "label_train.txt" in message


@pytest.mark.parametrize("name", sorted(set(ASEN_FORM) - {"darn_url.txt"}))
def test_a_split_has_all_its_files(name: str, asen: Path) -> None:
    (asen / name).unlink()
    assert error_of(asen).startswith(f"{name}: no such file")


@pytest.mark.parametrize(
    ("name", "line", "message"),
    [
        ("darn_url.txt", "1/9.jpg", "1 fields in '1/9.jpg'; expected FOLDER/NAME ADDRESS"),
        ("darn_url.txt", "1/9.jpg http://a b", "3 fields in "),
        ("darn_url.txt", "1/9.jpg a.b/c.jpg", "address 'a.b/c.jpg'; expected an address"),
        ("darn_url.txt", "../9.jpg http://a.b", "path '../9.jpg'; expected a path below"),
        ("darn_url.txt", "0/1.jpg http://c.d", "image '0/1.jpg' again, first on line 1; expected"),
        ("filenames_train.txt", "pic/0/ 9.jpg", "2 fields in 'pic/0/ 9.jpg'; expected one image"),
        ("filenames_train.txt", "0/2.jpg", "image '0/2.jpg' again, first on line 2; expected"),
        ("filenames_train.txt", "0/3.jpg", ""),
        ("label_train.txt", "0 0 1 1", "4 fields in '0 0 1 1'; expected IMAGE ATTRIBUTE VALUE"),
        ("label_train.txt", "2 0 1", "image '2'; expected an integer from 0 to 1"),
        ("label_train.txt", "0 9 1", "attribute '9'; expected an integer from 0 to 8"),
        ("label_train.txt", "0 1 13", "value '13'; expected an integer from 0 to 12"),
        ("label_train.txt", "0 1 -1", "number '-1'; expected an integer from 0"),
        ("label_train.txt", "0 x 1", "number 'x'; expected an integer from 0"),
        ("label_train.txt", "1 1 11", "value 11 of button; expected 12, as label_train.txt:2 has"),
        ("query_test.txt", "0 0 3 1 2", "5 fields in '0 0 3 1 2'; expected IMAGE ATTRIBUTE VALUE"),
        ("candidate_test.txt", "0 0 5", "value 5 of category; expected 3, as query_test.txt:1 has"),
    ],
)
def test_a_malformed_line_of_asen_is_named(name: str, line: str, message: str, asen: Path) -> None:
    content = f"{ASEN_FORM[name]}{line}\n"
    (asen / name).write_text(content)
    if not message:
        name, message = "filenames_test.txt:1", "image '0/3.jpg', which filenames_train.txt:3 has"
        assert error_of(asen).startswith(f"{name}: {message}")
        return
    assert error_of(asen).startswith(f"{name}:{content.count(chr(10))}: {message}")


PARSERS: dict[str, tuple[Callable[[Path], object], str]] = {
    "train_pair.txt": (read_mentions, PAIR_FORM["train_pair.txt"]),
    "train_shop.txt": (read_mentions, PAIR_FORM["train_shop.txt"]),
    "darn_url.txt": (read_urls, ASEN_FORM["darn_url.txt"]),
    "filenames_test.txt": (read_names, ASEN_FORM["filenames_test.txt"]),
    "label_train.txt": (lambda file: read_labels(file, 2), ASEN_FORM["label_train.txt"]),
    "query_test.txt": (lambda file: read_labels(file, 4), ASEN_FORM["query_test.txt"]),
}
fuzzed = settings(max_examples=120, suppress_health_check=[HealthCheck.function_scoped_fixture])


PIECES = (b" ", b"007", b"1e3", b"..", b"/", b"\\", "٣".encode(), "\u2028".encode())


@pytest.mark.parametrize("name", PARSERS)
@fuzzed
@given(data=st.data())
def test_any_content_is_read_or_refused_by_name(name: str, data: st.DataObject) -> None:
    read, good = PARSERS[name]
    read_or_refuse(name, data.draw(anything | mutated(good, *PIECES)), read)


@fuzzed
@given(data=st.data())
def test_damaged_folders_are_read_or_refused_with_the_file_at_fault(
    data: st.DataObject, tmp_path: Path
) -> None:
    files = data.draw(st.sampled_from([PAIR_FORM, ASEN_FORM]))
    root = tmp_path / f"form{len(files)}"
    write(root, files)
    name = data.draw(st.sampled_from(sorted(files)))
    lines = files[name].splitlines(keepends=True)
    other = data.draw(st.sampled_from(sorted(files)))
    line = data.draw(st.sampled_from([*lines, *files[other].splitlines(keepends=True)]))
    place = data.draw(st.integers(0, len(lines)))
    (root / name).write_text("".join([*lines[:place], line, *lines[place:]]))
    message = f"{root}/"
    try:
        assert not load(root).images["id"].duplicated().any()
    except DataError as error:
        message = str(error)
    assert message.startswith(f"{root}/")
    assert "\n" not in message


def test_facts_are_those_of_the_document(root: Path) -> None:
    [spec] = register_datasets()
    rows = [f"shop/{n}.jpg {n} 0 {n % 2} 2 3 4 5 6 7 -1\n" for n in range(100, 195)]
    (root / "validation_shop.txt").write_text(PAIR_FORM["validation_shop.txt"] + "".join(rows))
    reader = spec.build(spec.name)
    found = reader.protocols(reader.load(root))
    assert {protocol.name: protocol.summary for protocol in found} == spec.protocols == PROTOCOLS
    assert found[0].metrics == METRICS + OF_ATTRIBUTES
    assert all(protocol.headline == "hit@20" for protocol in found)
    assert spec.counts == {"attributes": 9}  # of a package that nobody has, no more can be held
    assert spec.folders == FOLDERS
    assert not spec.downloads


@pytest.fixture(scope="module")
def published() -> ModuleType:
    spec = importlib.util.spec_from_file_location("published_darn", PUBLISHED)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_annotations_of_the_published_size_are_read_whole(
    published: ModuleType, tmp_path: Path
) -> None:
    published.write_published(tmp_path / "DARN")
    reader = Darn("darn")
    root = reader.find(tmp_path)
    assert root is not None
    catalog = reader.load(root)
    pairs = published.PAIRS
    assert pairs["train"] + pairs["validation"] == 91_390
    assert catalog.counts() == {
        "images": 91_390 + 430_000,
        "train": 230_000 + pairs["train"],
        "gallery": 200_000,
        "query": 1_717,
        "items": 430_000,
        "categories": 20,
        "attributes": 9,
        "values": 179,
    }
    found = protocols(catalog)
    assert [task.candidates() for task in found["street-to-shop/gallery-sizes"].tasks] == [
        5_000, 10_000, 20_000, 50_000, 100_000, 200_000
    ]  # fmt: skip
    manipulation = found["manipulation"]
    assert all(task.candidates() == 18_000 for task in manipulation.tasks)
    assert len(manipulation.training) == 410_000
    assert len(np.unique(np.concatenate([task.queries for task in manipulation.tasks]))) <= 2_000


def annotated(root: Path, *, seed: int = 0) -> Catalog:
    """Return the catalog of the mini edition's files, without its pictures."""
    return load(write(root, annotate(plan_mini(seed=seed), seed=seed)))


def test_the_mini_edition_has_pairs_distractors_and_enough_manipulations(tmp_path: Path) -> None:
    plan = plan_mini()
    assert {split: len({p.item for p in part.street}) for split, part in plan.items()} == {
        "train": 110, "validation": 60
    }  # fmt: skip
    assert {split: len(part.shop) for split, part in plan.items()} == {
        "train": 110 + 200, "validation": 60 + 300
    }  # fmt: skip
    catalog = annotated(tmp_path / "mini")
    assert 850 <= len(catalog) <= 950
    assert 0.95 < catalog.known.mean() < 1
    found = protocols(catalog)
    assert list(found) == list(PROTOCOLS)
    [task] = found["street-to-shop"].tasks
    assert (task.relevant_counts() == 1).all()
    tasks = found["manipulation"].tasks
    assert sum(len(task.queries) for task in tasks) >= 200
    assert len(tasks) >= 5
    assert len(found["street-to-shop/gallery-sizes"].tasks) >= 3


def test_a_near_copy_is_another_item_with_the_look_of_its_model() -> None:
    copies = [
        picture.item
        for picture in plan_mini()["validation"].shop
        if picture.item.number != picture.item.model
    ]
    assert 60 <= len(copies) <= 120
    for item in copies[:20]:
        pair = zip(item_tags(item, seed=0), item_tags_of_model(item.model), strict=True)
        assert all(one == other or -1 in (one, other) for one, other in pair)


def item_tags_of_model(number: int) -> Sequence[int]:
    [item] = {
        picture.item
        for picture in plan_mini()["validation"].street
        if picture.item.number == number
    }
    return item_tags(item, seed=0)


def test_garments_look_as_their_tags_say() -> None:
    seen = set()
    for number in range(60):
        generator = np.random.default_rng(number)
        look = sample_look(generator)
        seen.add(look["category"])
        garment = sample_item(look, generator)
        assert garment.fabric.pattern.name == look["pattern"]
        shown = {getattr(garment, name) for name in ("collar", "neckline")}
        assert look["collar shape"] in shown
        for attribute, field in (
            ("sleeve length", "sleeve_length"),
            ("sleeve shape", "sleeve_shape"),
            ("button", "fastening"),
        ):
            assert getattr(garment, field) == look[attribute]
        sizes = PAIR_SIZES.values()
        assert all(0 <= tag < size for tag, size in zip(tags_of(look), sizes, strict=True))
    assert seen == set(KINDS)


def test_the_drawn_edition_is_read_and_is_the_same_for_one_seed(tmp_path: Path) -> None:
    root = tmp_path / "darn"
    draw_mini(root, seed=3, items=4)
    catalog = load(root)
    assert len(catalog) == sum(
        len(p.street) + len(p.shop) for p in plan_mini(seed=3, items=4).values()
    )
    assert len(set(catalog.image_digests())) == len(catalog)
    assert {p.name for p in root.iterdir()} == {*FILES, "images", "regions.csv"}
    pictures = plan_mini(seed=3, items=4)["validation"]
    truth = read_truth(catalog)
    assert truth
    for picture, size in ((pictures.shop[-1], (210, 280)), (pictures.street[0], (240, 320))):
        file = root / "images" / picture.name
        content, parts = draw_picture(picture, seed=3)
        assert file.read_bytes() == content
        assert draw_picture(picture, seed=4)[0] != content
        shown = {"collar shape": "neck", "sleeve shape": "sleeves", "length": "hem"}
        for attribute, part in shown.items():
            box = truth.get(f"images/{picture.name}", {}).get(attribute)
            assert (None if box is None else tuple(box.tolist())) == parts.get(part)
        with Image.open(file) as image:
            assert image.size == size
    assert set(read_pairs(root).names) == set(catalog.images["id"])


def test_too_few_items_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="3 items in pairs; expected at least 4"):
        draw_mini(tmp_path / "darn", items=3)
