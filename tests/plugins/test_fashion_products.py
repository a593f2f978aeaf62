"""Dataset fashion-products: its reader, split and protocols, and its mini edition."""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from bench_atelier.colours import parse_colour
from bench_fashion_products import COUNTS, FOLDERS, PROTOCOLS, register_datasets
from bench_fashion_products.assortment import LINES, PARENTS
from bench_fashion_products.mini import (
    ABSENT,
    describe,
    draw_mini,
    draw_picture,
    make_item,
    plan_mini,
)
from bench_fashion_products.options import FashionProductsOptions
from bench_fashion_products.reader import FashionProducts
from bench_fashion_products.styles import HEADER, read_styles
from fuzzing import anything, mutated, read_or_refuse
from hypothesis import given, settings
from PIL import Image

from bench.catalog import Catalog
from bench.errors import DataError, UserError
from bench.recipes import make_options

MakeImages = Callable[[Path, Iterable[str]], list[Path]]
PUBLISHED = Path(__file__).parents[1] / "published" / "fashion_products.py"

ROWS = (
    "11,Men,Apparel,Topwear,Shirts,Blue,Fall,2011,Casual,A shirt",
    "3,Women,Apparel,Topwear,Shirts,Blue,Fall,2011,Casual,A shirt, long, of wool",
    "7,Men,Apparel,Topwear,Tshirts,NA,Summer,NA,NA,NA",
    "20,Women,Apparel,Topwear,Tshirts,Red,,2012,Casual,",
)


def write(root: Path, rows: Iterable[str] = ROWS) -> Path:
    root.mkdir(parents=True, exist_ok=True)
    (root / "styles.csv").write_text("\n".join([HEADER, *rows, ""]))
    return root


def reader(minimum: int = 1) -> FashionProducts:
    return FashionProducts("fashion-products", FashionProductsOptions(minimum=minimum))


def label_names(catalog: Catalog) -> list[dict[str, str]]:
    """Return the known labels of each image by attribute."""
    labels = catalog.labels()
    return [
        {a.name: a.values[label] for a, label in zip(catalog.schema.attributes, row, strict=True)
         if label >= 0}
        for row in labels
    ]  # fmt: skip


def test_fields_are_read_and_what_is_missing_is_unknown(tmp_path: Path) -> None:
    catalog = reader().load(write(tmp_path))
    images = catalog.images
    assert images["id"].tolist() == ["11", "3", "7", "20"]
    assert images["path"].tolist() == [f"images/{n}.jpg" for n in (11, 3, 7, 20)]
    assert images["category"].tolist() == ["Shirts", "Shirts", "Tshirts", "Tshirts"]
    assert set(images["item"]) == {""}
    assert set(images["domain"]) == {"shop"}
    assert images["picture"].tolist() == images["id"].tolist()
    assert [a.name for a in catalog.schema.attributes] == [
        "gender", "articleType", "baseColour", "season", "usage"
    ]  # fmt: skip
    assert catalog.schema.attribute("baseColour").values == ("Blue", "Red")
    assert label_names(catalog)[2:] == [
        {"gender": "Men", "articleType": "Tshirts", "season": "Summer"},
        {"gender": "Women", "articleType": "Tshirts", "baseColour": "Red", "usage": "Casual"},
    ]
    assert (catalog.known == (catalog.labels() >= 0)).all()
    assert catalog.notes == ()


def test_the_name_is_all_that_follows_the_ninth_comma(tmp_path: Path) -> None:
    names = read_styles(write(tmp_path) / "styles.csv")["productDisplayName"]
    assert names.tolist() == ["A shirt", "A shirt, long, of wool", "", ""]


def test_rare_values_count_as_missing_and_are_counted(tmp_path: Path) -> None:
    catalog = reader(minimum=2).load(write(tmp_path))
    assert {a.name: a.values for a in catalog.schema.attributes} == {
        "gender": ("Men", "Women"), "articleType": ("Shirts", "Tshirts"), "baseColour": ("Blue",),
        "season": ("Fall",), "usage": ("Casual",),
    }  # fmt: skip
    assert "baseColour" not in label_names(catalog)[3]
    assert catalog.notes == (
        "baseColour: 1 values have fewer than 2 images; they count as missing in 1 images",
        "season: 1 values have fewer than 2 images; they count as missing in 1 images",
    )
    catalog = reader(minimum=3).load(tmp_path)
    assert [(a.name, a.values) for a in catalog.schema.attributes] == [("usage", ("Casual",))]
    assert reader(minimum=9).load(tmp_path).counts() == {"images": 4, "categories": 2} | {
        split: int(number) for split, number in catalog.images["split"].value_counts().items()
    }


def test_the_least_number_of_images_is_an_option() -> None:
    [spec] = register_datasets()
    options = make_options(spec, {"minimum": "5"})
    assert options is not None
    assert spec.build(spec.name, options).minimum == 5  # type: ignore[attr-defined]
    assert FashionProductsOptions().minimum == 20
    for wrong in ("0", "few"):
        with pytest.raises(UserError, match="option minimum of fashion-products"):
            make_options(spec, {"minimum": wrong})


def test_products_without_a_photograph_are_left_out_where_there_are_any(
    tmp_path: Path, make_images: MakeImages
) -> None:
    root = write(tmp_path)
    assert list(reader().sources(root)) == [root / "styles.csv"]
    make_images(root, ["images/11.jpg", "images/20.jpg"])
    (root / "images" / "3.jpg").mkdir()
    catalog = reader().load(root)
    assert catalog.images["id"].tolist() == ["11", "20"]
    assert catalog.notes == ("2 of 4 products have no photograph; left out",)
    assert catalog.schema.attribute("baseColour").values == ("Blue", "Red")
    assert list(reader().sources(root)) == [root / "styles.csv", root / "images"]


def test_copies_of_a_picture_are_on_one_side_of_the_split(
    tmp_path: Path, make_images: MakeImages
) -> None:
    numbers = range(100, 300)
    root = write(tmp_path, [f"{n},Men,A,B,Shirts,Blue,Fall,2011,Casual,x" for n in numbers])
    files = make_images(root, (f"images/{n}.jpg" for n in numbers))
    for one, other in zip(files[:100], files[100:], strict=True):
        shutil.copyfile(one, other)
    catalog = reader().load(root)
    images = catalog.images
    assert images["picture"].nunique() == 100
    splits = images.set_index("id")["split"].astype("str")
    assert [splits[str(n + 100)] for n in range(100, 200)] == splits[:100].tolist()
    assert set(splits) == {"train", "gallery", "query"}
    assert catalog.notes == (
        "100 pictures stand under 200 ids; the copies of one are on one side of the split",
    )
    # what each id of its own would get, the smallest of each pair gets
    shutil.rmtree(root / "images")
    alone = reader().load(root).images.set_index("id")["split"].astype("str")
    assert alone[:100].tolist() == splits[:100].tolist()
    assert alone[100:].tolist() != splits[100:].tolist()


def test_the_split_does_not_depend_on_the_order_of_the_lines(tmp_path: Path) -> None:
    rows = [f"{n},Men,A,B,Shirts,Blue,Fall,2011,Casual,x" for n in range(50)]
    one = reader().load(write(tmp_path / "one", rows)).images
    other = reader().load(write(tmp_path / "other", reversed(rows))).images
    first, second = (
        images.set_index("id")["split"].astype("str").sort_index() for images in (one, other)
    )
    pd.testing.assert_series_equal(first, second)


MALFORMED = [
    ("", 1, "an empty file"),
    ("id,gender\n1,Men\n", 1, "columns 'id,gender'; expected id,gender,masterCategory"),
    (f"{HEADER}\n", 1, "no line after it; expected a line for each product"),
    (f"{HEADER}\n{ROWS[0]}\n12,Men,Apparel\n", 3, "3 fields in '12,Men,Apparel'"),
    (f"{HEADER}\n{ROWS[0]}\n\n{ROWS[1]}\n", 3, "1 fields in ''"),
    (f"{HEADER}\nx{ROWS[0]}\n", 2, "id 'x11'; expected an integer"),
    (f"{HEADER}\n-{ROWS[0]}\n", 2, "id '-11'; expected an integer"),
    (f"{HEADER}\n{ROWS[0]}\n{ROWS[1]}\n0{ROWS[0]}\n", 4, "id 11 again, after line 2"),
    (f"{HEADER}\n{ROWS[0].replace('Blue', 'Blue, dark')}\n", 2, "year 'Fall'; expected an integer"),
]  # fmt: skip


@pytest.mark.parametrize(("content", "line", "message"), MALFORMED)
def test_malformed_lines_are_named(content: str, line: int, message: str, tmp_path: Path) -> None:
    file = tmp_path / "styles.csv"
    file.write_text(content)
    with pytest.raises(DataError) as raised:
        reader().load(tmp_path)
    assert str(raised.value).startswith(f"{file}:{line}: {message}")


PIECES = (b",", b'"', b"NA", b"\x85", b" ")


@given(
    anything
    | mutated("\r\n".join([HEADER, *ROWS]), *PIECES)
    | anything.map(f"{HEADER}\n".encode().__add__)
)
@settings(max_examples=150)
def test_arbitrary_annotations_are_read_or_refused_in_one_line(content: bytes) -> None:
    def read(file: Path) -> None:
        catalog = reader(minimum=2).load(file.parent)
        assert (catalog.present.sum(axis=1) == catalog.known.sum(axis=1)).all()

    read_or_refuse("styles.csv", content, read)


def test_the_folder_is_found_below_the_data_root_or_as_the_root_itself(tmp_path: Path) -> None:
    root = write(tmp_path / "first")
    assert reader().find(tmp_path) is None
    assert reader().find(root) == root
    for folder in FOLDERS:
        root = root.rename(tmp_path / folder)
        assert reader().find(tmp_path) == root


@pytest.fixture(scope="module")
def mini(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("mini") / "fashion-products"
    draw_mini(root, seed=0, items=3)
    return root


def test_the_mini_edition_has_what_its_plan_has(mini: Path) -> None:
    products = plan_mini(items=3)
    catalog = reader(minimum=1).load(mini)
    assert len(catalog) == len(products) - ABSENT
    assert catalog.notes[0] == f"2 of {len(products)} products have no photograph; left out"
    assert set(catalog.images["category"]) == set(PARENTS)
    copies = sum(product.original != product.number for product in products)
    assert catalog.images["picture"].nunique() == len(products) - ABSENT - copies
    assert {"Men", "Women", "Unisex"} < set(catalog.schema.attribute("gender").values)
    text = (mini / "styles.csv").read_text()
    assert ",NA," in text
    assert any(line.count(",") > HEADER.count(",") for line in text.splitlines())
    with Image.open(mini / catalog.images["path"].iloc[0]) as image:
        assert (image.size, image.format) == ((180, 240), "JPEG")


def test_the_main_colour_of_a_drawing_is_the_one_that_is_named() -> None:
    for product in plan_mini(items=1):
        ground = make_item(product, seed=0).fabric.pattern.ground
        distance = np.abs(np.subtract(parse_colour(ground), parse_colour(product.colour)))
        assert distance.max() <= 25  # a dye lot


def test_the_same_seed_draws_the_same_bytes_and_another_seed_others(mini: Path) -> None:
    product = next(p for p in plan_mini(items=3) if (mini / p.path).is_file())
    assert (mini / product.path).read_bytes() == draw_picture(product, seed=0)
    assert draw_picture(product, seed=1) != draw_picture(product, seed=0)
    assert describe(product, seed=0) in (mini / "styles.csv").read_text()
    assert plan_mini(seed=1, items=3) != plan_mini(items=3)


def test_the_whole_mini_edition_has_twenty_images_of_most_values() -> None:
    products = plan_mini()
    articles = pd.Series([LINES[product.line].article for product in products]).value_counts()
    assert (articles >= 20).sum() >= 25
    assert 3 <= (articles < 20).sum() <= 5
    assert 650 <= len(products) <= 800
    assert 10 <= sum(p.original != p.number for p in products) <= 25


def test_protocols_ask_about_the_held_out_images_alone(mini: Path) -> None:
    [spec] = register_datasets()
    assert (spec.counts, spec.folders, spec.protocols) == (COUNTS, FOLDERS, PROTOCOLS)
    catalog = reader(minimum=3).load(mini)
    protocols = {protocol.name: protocol for protocol in reader().protocols(catalog)}
    assert {p.name: p.summary for p in protocols.values()} == PROTOCOLS
    train = set(catalog.rows(split="train").tolist())
    for name, protocol in protocols.items():
        assert set(protocol.training.tolist()) == train
        if name != "recognition":  # whose tasks hold their training images
            assert not train & set(protocol.rows().tolist())
    [first, *_] = protocols["manipulation"].tasks
    assert set(first.rows()) <= set(catalog.rows(split=("query", "gallery")))


def test_the_same_type_and_colour_are_relevant_where_both_are_known(tmp_path: Path) -> None:
    kinds = [("Tops", "Red"), ("Tops", "Blue"), ("Jeans", "Red"), ("", "Red"), ("Tops", "")]
    rows = [
        f"{number},Women,Apparel,Topwear,{kinds[number % 5][0]},{kinds[number % 5][1]},Summer,2011,"
        "Casual,name" for number in range(100)
    ]  # fmt: skip
    catalog = reader().load(write(tmp_path, rows))
    protocol = reader().protocols(catalog)[0]
    assert protocol.name == "type-and-colour"
    [task] = protocol.tasks
    splits = catalog.images["split"].astype("str").to_numpy()
    assert set(splits[task.queries]) == {"query"}
    assert set(splits[task.gallery]) == {"gallery"}
    assert set(splits[protocol.training]) == {"train"}
    relevant = (task.query_codes[:, None] == task.gallery_codes) & (task.query_codes >= 0)[:, None]
    kind = np.arange(100) % 5
    known = kind < 3
    same = (kind[task.queries][:, None] == kind[task.gallery]) & known[task.queries][:, None]
    np.testing.assert_array_equal(relevant, same)


def test_protocols_that_an_excerpt_has_no_pair_for_are_left_out(tmp_path: Path) -> None:
    assert reader().protocols(reader(minimum=9).load(write(tmp_path))) == []


@pytest.mark.slow
def test_the_published_number_of_rows_is_read(tmp_path: Path) -> None:
    spec = importlib.util.spec_from_file_location("published_fashion_products", PUBLISHED)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.write_published(tmp_path)
    catalog = reader(minimum=20).load(tmp_path)
    counts = catalog.counts()
    assert counts["images"] == COUNTS["images"]
    assert "5 of 44,446 products have no photograph; left out" in catalog.notes
    shares = [counts[split] / counts["images"] for split in ("train", "gallery", "query")]
    assert np.allclose(shares, (0.5, 0.4, 0.1), atol=0.01)
    assert len(reader().protocols(catalog)) == len(PROTOCOLS)


@pytest.mark.photographs
def test_the_real_photographs_have_the_known_copies(photographs: Path) -> None:
    root = reader().find(photographs)
    if root is None:
        pytest.skip(f"no folder {FOLDERS[0]} below {photographs}")
    catalog = reader(minimum=20).load(root)
    images = catalog.images
    assert len(catalog) == 9_332
    copies = images["picture"].value_counts()
    assert ((copies > 1).sum(), (copies[copies > 1] - 1).sum()) == (120, 121)
    assert (images.groupby("picture", observed=True)["split"].nunique() == 1).all()
    assert catalog.counts()["attributes"] == 5
    protocols = reader().protocols(catalog)
    assert [protocol.name for protocol in protocols] == list(PROTOCOLS)
    assert [len(protocol.tasks) for protocol in protocols] == [1, 5, 5, 5, 5]
