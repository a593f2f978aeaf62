from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench import fingerprints
from bench.catalog import BOX, CODED, Attribute, AttributeSchema, Catalog, load_catalog
from bench.errors import DataError

MakeImages = Callable[[Path, Iterable[str]], list[Path]]


def catalog_of(root: Path, paths: list[str], **columns: Any) -> Catalog:
    return Catalog.from_columns("toy", root, {"path": paths} | columns)


def assert_same(one: Catalog, other: Catalog) -> None:
    assert (one.dataset, one.schema) == (other.dataset, other.schema)
    assert list(one.images.columns) == list(other.images.columns) == ["id", "path", *CODED, *BOX]
    for column in ("id", "path", *CODED):
        assert one.images[column].astype("str").tolist() == other.images[column].tolist()
    for column in CODED:
        assert one.codes(column).tolist() == other.codes(column).tolist()
    for column in BOX:
        np.testing.assert_array_equal(one.images[column], other.images[column])
        assert other.images[column].dtype == np.float32
    np.testing.assert_array_equal(one.present, other.present)
    np.testing.assert_array_equal(one.known, other.known)
    assert (other.present.dtype, other.known.dtype) == (np.uint8, np.bool_)


text = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)


@st.composite
def catalogs(draw: st.DrawFn) -> Catalog:
    """Draw a catalog of 1 to 20 images with 0 to 4 attributes of 0 to 19 values each."""
    count = draw(st.integers(1, 20))
    widths = draw(st.lists(st.integers(0, 19), max_size=4))
    schema = AttributeSchema(
        tuple(
            Attribute(
                f"attribute {number}", tuple(map(str, range(width))), multiple=number % 2 == 1
            )
            for number, width in enumerate(widths)
        )
    )
    column = st.lists(text, min_size=count, max_size=count)
    columns = {name: draw(column) for name in CODED}
    box = st.lists(st.floats(width=32), min_size=count, max_size=count)
    columns |= {name: draw(box) for name in BOX}
    generator = np.random.default_rng(draw(st.integers(0, 99)))
    return Catalog.from_columns(
        "toy",
        Path("toy"),
        {"path": [f"ö {number}.jpg" for number in range(count)]} | columns,
        schema=schema,
        present=generator.integers(0, 2, (count, schema.width), dtype=np.uint8),
        known=generator.integers(0, 2, (count, len(widths))).astype(np.bool_),
    )


@given(catalogs())
@settings(max_examples=60)
def test_a_saved_catalog_is_read_as_it_was(catalog: Catalog) -> None:
    file = Path(os.environ["BENCH_CACHE"]) / "catalog.parquet"
    catalog.save(file)
    assert_same(catalog, Catalog.read(file, Path("toy")))


def test_attribute_values_lie_end_to_end() -> None:
    schema = AttributeSchema((Attribute("sleeve", ("long", "short")), Attribute("fur", ("yes",))))
    assert schema.width == 3
    assert schema.columns("sleeve") == slice(0, 2)
    assert schema.columns("fur") == slice(2, 3)
    with pytest.raises(KeyError, match="collar"):
        schema.columns("collar")


def test_missing_columns_are_filled_and_the_path_is_the_id(tmp_path: Path) -> None:
    catalog = catalog_of(tmp_path, ["b.jpg", "a.jpg"])
    assert catalog.images["id"].tolist() == ["b.jpg", "a.jpg"]
    assert all((catalog.codes(name) == -1).all() for name in CODED)
    assert catalog.images[list(BOX)].isna().to_numpy().all()
    assert (catalog.present.shape, catalog.known.shape) == ((2, 0), (2, 0))


def test_codes_are_equal_where_values_are_and_negative_where_empty(tmp_path: Path) -> None:
    catalog = catalog_of(tmp_path, ["1", "2", "3", "4"], item=["b", "", "a", "b"])
    first, second, third, fourth = catalog.codes("item")
    assert first == fourth != third
    assert second == -1
    assert min(first, third) >= 0


def test_rows_meet_every_condition(tmp_path: Path) -> None:
    catalog = catalog_of(
        tmp_path,
        ["1", "2", "3", "4"],
        split=["train", "test", "query", "test"],
        domain=["shop", "shop", "street", "street"],
    )
    assert catalog.rows().tolist() == [0, 1, 2, 3]
    assert catalog.rows(split=["test", "query"], domain="street").tolist() == [2, 3]
    assert catalog.rows(split="validation").tolist() == []


def test_counts_are_of_all_images_and_of_each_split(tmp_path: Path) -> None:
    catalog = catalog_of(tmp_path, ["1", "2", "3", "4"], split=["test", "train", "", "test"])
    assert catalog.counts() == {"images": 4, "test": 2, "train": 1}


@pytest.mark.parametrize(
    "path",
    ["/etc/passwd", "\\server\\a.jpg", "../a.jpg", "a/../../b.jpg", "a\\..\\b.jpg", "a/..", "..",
     "C:/a.jpg", "c:\\a.jpg", "c:a.jpg", "a\0.jpg", "\0", ""],
)  # fmt: skip
def test_a_path_that_can_leave_the_folder_is_refused_and_quoted(path: str, tmp_path: Path) -> None:
    with pytest.raises(DataError) as raised:
        catalog_of(tmp_path, ["fine.jpg", path])
    assert repr(path) in str(raised.value)
    assert f"expected a path below {tmp_path}" in str(raised.value)


@pytest.mark.parametrize("path", ["a..b.jpg", "..a.jpg", "a/b../c.jpg", "a/.hidden", "é:a", "a b"])
def test_a_path_that_only_looks_odd_is_accepted(path: str, tmp_path: Path) -> None:
    assert catalog_of(tmp_path, [path]).images["path"].tolist() == [path]


def test_an_id_that_stands_twice_is_refused_and_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=f"toy at {tmp_path} names the image id 'b' more than once"):
        catalog_of(tmp_path, ["1", "2", "3"], id=["a", "b", "b"])


def test_one_photograph_may_stand_in_two_rows_of_two_ids(tmp_path: Path) -> None:
    assert len(catalog_of(tmp_path, ["1", "1"], id=["a", "b"])) == 2


def test_a_catalog_without_images_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="has no images; expected at least one"):
        catalog_of(tmp_path, [])


def test_text_that_no_file_can_hold_is_refused_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="not valid Unicode"):
        catalog_of(tmp_path, ["\udcff.jpg"])


def test_attribute_matrices_of_another_shape_are_refused(tmp_path: Path) -> None:
    schema = AttributeSchema((Attribute("fur", ("yes", "no")),))
    with pytest.raises(ValueError, match=r"attribute matrices \(1, 3\)"):
        Catalog.from_columns("toy", tmp_path, {"path": ["1"]}, schema=schema,
                             present=np.zeros((1, 3), np.uint8))  # fmt: skip


class Reader:
    """A reader that counts how often it is asked."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, root: Path) -> Catalog:
        self.calls += 1
        return catalog_of(root, (root / "list.txt").read_text().split())


@pytest.fixture
def listing(tmp_path: Path) -> Path:
    file = tmp_path / "list.txt"
    file.write_text("a.jpg b.jpg")
    return file


def load(listing: Path, reader: Reader, **changes: Any) -> Catalog:
    arguments: dict[str, Any] = {"sources": [listing], "options": {}, "code": "1"}
    return load_catalog("toy", listing.parent, parse=reader, **arguments | changes)


def test_an_unchanged_source_is_parsed_once(listing: Path) -> None:
    reader = Reader()
    first, second = load(listing, reader), load(listing, reader)
    assert reader.calls == 1
    assert first.fingerprint == second.fingerprint == fingerprints.of_sources([listing])
    assert_same(first, second)


def test_a_changed_source_is_parsed_anew_though_size_and_time_are_the_same(listing: Path) -> None:
    reader = Reader()
    first, time = load(listing, reader), listing.stat().st_mtime_ns
    listing.write_text("a.jpg c.jpg")
    os.utime(listing, ns=(time, time))
    second = load(listing, reader)
    assert reader.calls == 2
    assert second.images["path"].tolist() == ["a.jpg", "c.jpg"]
    assert first.fingerprint != second.fingerprint


def test_a_changed_reader_parses_anew(listing: Path) -> None:
    reader = Reader()
    load(listing, reader)
    load(listing, reader, code="2")
    assert reader.calls == 2


def test_other_options_parse_anew_and_are_kept(listing: Path) -> None:
    reader = Reader()
    load(listing, reader)
    for _ in range(2):
        assert load(listing, reader, options={"certainty": 3}).options == {"certainty": 3}
    assert reader.calls == 2


def test_image_digests_are_those_of_the_files_in_the_order_of_the_rows(
    tmp_path: Path, make_images: MakeImages
) -> None:
    files = make_images(tmp_path, ["b.jpg", "a/a.jpg"])
    catalog = catalog_of(tmp_path, ["b.jpg", "a/a.jpg", "b.jpg"], id=["1", "2", "3"])
    first, second = map(fingerprints.of_file, files)
    assert first != second
    assert catalog.image_digests() == [first, second, first]


def test_absent_images_are_counted_and_the_first_is_named(
    tmp_path: Path, make_images: MakeImages
) -> None:
    make_images(tmp_path, ["here.jpg"])
    (tmp_path / "folder").mkdir()
    long = "x" * 300  # longer than any file's name may be
    paths = ["here.jpg", "gone.jpg", "here.jpg/inside.jpg", "folder", long]
    with pytest.raises(DataError) as raised:
        catalog_of(tmp_path, paths).image_digests()
    message = str(raised.value)
    assert message.startswith(f"4 of 5 image files are absent below {tmp_path}, ")
    assert "the first is gone.jpg;" in message
    assert "\n" not in message


@pytest.mark.parametrize("path", ["folder", "."])
def test_a_folder_is_no_image_file(path: str, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(DataError, match=f"1 of 1 image files are absent .* the first is {path};"):
        catalog_of(tmp_path, [path]).image_digests()


def test_a_million_rows_need_no_object_per_attribute(tmp_path: Path) -> None:
    # 100,000 rows of 64 values must stay one matrix of bytes, on the disk an eighth of that at most
    schema = AttributeSchema((Attribute("a", tuple(map(str, range(64))), multiple=True),))
    paths = pd.Series(np.arange(100_000)).astype("str").tolist()
    present = np.eye(64, dtype=np.uint8)[np.arange(100_000) % 64]
    catalog = Catalog.from_columns(
        "toy", tmp_path, {"path": paths}, schema=schema, present=present,
        known=np.ones((100_000, 1), np.bool_),
    )  # fmt: skip
    catalog.save(tmp_path / "catalog.parquet")
    assert (tmp_path / "catalog.parquet").stat().st_size < 100_000 * 64 / 4
    read = Catalog.read(tmp_path / "catalog.parquet", tmp_path)
    np.testing.assert_array_equal(read.present, present)
    assert read.known.all()
