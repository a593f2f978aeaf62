from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bench_manifest import PROTOCOLS, register_datasets
from bench_manifest.reader import Manifest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.catalog import Attribute, Catalog, load_catalog
from bench.errors import DataError, UserError
from bench.protocols import Protocol

Load = Callable[..., Catalog]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Return a function that writes a manifest and loads it."""

    def write_and_load(content: str | bytes, name: str = "list.csv") -> Catalog:
        file = tmp_path / name
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        return load_file(file)

    return write_and_load


def load_file(file: Path) -> Catalog:
    manifest = Manifest(f"manifest:{file}")
    root = manifest.find(Path("elsewhere"))
    assert root == file.parent
    return manifest.load(root)


def lines(*rows: Any) -> str:
    return "".join(f"{json.dumps(row)}\n" for row in rows)


def test_csv_columns_become_the_catalog(load: Load) -> None:
    catalog = load(
        "path,id,item,category,domain,split,box,attribute:sleeve\n"
        "a/1.jpg,one,i1,dress,shop,train,0 0.5 30 40,long\n"
        '"b,2.jpg", ,i2,hat,street,query,,\n'
    )
    images = catalog.images
    assert images["path"].tolist() == ["a/1.jpg", "b,2.jpg"]
    assert images["id"].tolist() == ["one", "b,2.jpg"]
    assert images["item"].tolist() == ["i1", "i2"]
    assert images["category"].tolist() == ["dress", "hat"]
    assert images["domain"].tolist() == ["shop", "street"]
    assert images["split"].tolist() == ["train", "query"]
    boxes = images[["x1", "y1", "x2", "y2"]].to_numpy()
    np.testing.assert_array_equal(boxes, [[0, 0.5, 30, 40], [np.nan] * 4])
    assert catalog.schema.attributes == (Attribute("sleeve", ("long",)),)
    assert catalog.present.tolist() == [[1], [0]]
    assert catalog.known.tolist() == [[True], [False]]


def test_json_lines_say_the_same_as_csv(load: Load) -> None:
    from_csv = load(
        "path,item,split,box,attribute:colour,attribute:sleeve\n"
        "1.jpg,7,test,1 2 3 4,red|blue,long\n"
        "2.jpg,8,,,red,\n"
    )
    from_json = load(
        lines(
            {"path": "1.jpg", "item": 7, "split": "test", "box": [1, 2, 3, 4],
             "attributes": {"sleeve": "long", "colour": ["red", "blue"]}},
            {"attributes": {"colour": "red", "sleeve": None}, "path": "2.jpg", "item": "8",
             "split": None, "box": None},
        ),
        "list.jsonl",
    )  # fmt: skip
    assert from_csv.images.equals(from_json.images)
    assert from_csv.schema == from_json.schema
    assert from_csv.present.tolist() == from_json.present.tolist() == [[1, 1, 1], [0, 1, 0]]
    assert from_csv.known.tolist() == from_json.known.tolist() == [[True, True], [True, False]]


def test_an_attribute_is_multiple_only_where_some_image_has_several_values(load: Load) -> None:
    catalog = load("path,attribute:a,attribute:b\n1,x|y,x\n2,y,y | y\n3,,z\n")
    assert catalog.schema.attributes == (
        Attribute("a", ("x", "y"), multiple=True),
        Attribute("b", ("x", "y", "z"), multiple=False),
    )
    assert catalog.present.tolist() == [[1, 1, 1, 0, 0], [0, 1, 0, 1, 0], [0, 0, 0, 0, 1]]
    assert catalog.known.tolist() == [[True, True], [True, True], [False, True]]


@pytest.mark.parametrize("blank", ["", " ", "|", " | "])
def test_a_blank_attribute_is_missing_and_no_value(blank: str, load: Load) -> None:
    catalog = load(f"path,attribute:a\n1,{blank}\n2,x|{blank}\n")
    assert catalog.schema.attributes == (Attribute("a", ("x",)),)
    assert catalog.known.tolist() == [[False], [True]]


def test_a_mark_carriage_returns_and_empty_lines_are_no_content(load: Load) -> None:
    table = "path,item\n1.jpg,a\n\n2.jpg,b\n"
    objects = lines({"path": "1.jpg", "item": "a"}) + "\n" + lines({"path": "2.jpg", "item": "b"})
    plain = load(table).images
    assert plain["path"].tolist() == ["1.jpg", "2.jpg"]
    for text, name in ((table, "list.csv"), (objects, "list.jsonl"), (objects, "LIST.NDJSON")):
        for end in ("\n", "\r\n", "\r"):
            content = b"\xef\xbb\xbf" + text.replace("\n", end).encode()
            assert load(content, name).images.equals(plain)


def test_a_separator_of_unicode_ends_no_line(load: Load) -> None:
    odd = "a\u2028b\x0bc\x0cd\x1ce\x85f"
    assert load(f"path,item\n1.jpg,{odd}\n").images["item"].tolist() == [odd]
    objects = '{"path": "1.jpg", "item": "a\u2028b"}'
    assert load(objects, "list.jsonl").images["item"].tolist() == ["a\u2028b"]


def csv_line(**cells: str) -> str:
    buffer = io.StringIO()
    csv.writer(buffer).writerows([["path", *cells], ["1.jpg", *cells.values()]])
    return buffer.getvalue()


MALFORMED = [
    # name, content, line, what the message must hold
    ("list.csv", "item\na\n", 1, "no field `path`; found 'item'"),
    ("list.csv", "\n", 1, "no field `path`; found nothing"),
    ("list.csv", '"a\nb",item\n', 2, "no field `path`; found 'a\\nb', 'item'"),
    ("list.csv", "path,catgory\n", 1, "unknown field 'catgory'; did you mean category?"),
    ("list.csv", "path,sleeve\n", 1, "attributes are named attribute:NAME"),
    ("list.csv", "path,attribute:\n", 1, "unknown field 'attribute:'"),
    ("list.csv", "path,item,item\n", 1, "the field 'item' stands twice"),
    ("list.csv", "path,attribute:\0\n", 1, "without NUL"),
    ("list.csv", "path,item\n1.jpg,a\n2.jpg\n", 3, "1 fields; expected 2 as in line 1"),
    ("list.csv", "path,item\n1.jpg,a,b\n", 2, "3 fields; expected 2 as in line 1"),
    ("list.csv", 'path,item\n1.jpg,"a\n', 2, "unexpected end of data"),
    ("list.csv", 'path,item\n1.jpg,"a"b\n', 2, "expected comma-separated fields"),
    ("list.csv", "path,item\n1.jpg," + "x" * 200_000, 2, "field larger than field limit"),
    ("list.csv", b"path,item\n1.jpg,a\n2.jpg,\xe9t\xe9\n", 3, "not UTF-8; save the file as UTF-8"),
    ("list.csv", "path\n1.jpg\n".encode("utf-16"), 1, "not UTF-8"),
    ("list.csv", "path\n1.jpg\n2.jpg\n1.jpg\n", 4, "id '1.jpg' stands twice"),
    ("list.csv", "path,id\n1.jpg,a\n2.jpg,a\n", 3, "id 'a' stands twice"),
    ("list.csv", csv_line(id="a\0b"), 2, "id is 'a\\x00b'; expected text without NUL"),
    ("list.csv", csv_line(item="\0"), 2, "item is '\\x00'"),
    ("list.csv", csv_line(domain="Shop"), 2, "domain 'Shop'; expected shop, street or nothing"),
    ("list.csv", csv_line(**{"attribute:a": "x|\0"}), 2, "'attribute:a' is '\\x00'"),
    *(
        ("list.csv", f'path\n"{path}"\n', 2, f"path {path.strip()!r}; expected a path below")
        for path in ("/a.jpg", "\\a.jpg", "../a.jpg", "a/../../b", "a\\..\\b", "C:/a.jpg", "c:a",
                     "..", " ")
    ),
    ("list.csv", "path\na\0.jpg\n", 2, "path is 'a\\x00.jpg'"),
    *(
        ("list.csv", csv_line(box=box), 2, f"box {box!r}; expected x1 y1 x2 y2 in pixels")
        for box in ("1 2 3", "1 2 3 4 5", "1,2,3,4", "a b c d", "3 0 1 4", "0 4 3 1", "1 1 1 2",
                    "-1 0 3 4", "nan 0 3 4", "0 0 inf 4", "0 0 1e300 4", "0 0 1e-60 4",
                    "1 0 1.00000001 4")
    ),
    *(
        ("list.jsonl", f'{{"path": "1.jpg", "box": {box}}}', 1, "expected x1 y1 x2 y2 in pixels")
        for box in ("[1, 2, 3]", "[NaN, 0, 3, 4]", "[0, 0, Infinity, 1]", '["a", 0, 1, 2]', "true",
                    "7", "{}", '{"0": 1, "1": 2, "5": 3, "6": 4}', "[null, 0, 1, 2]", "[]",
                    f"[0, 0, 1{'0' * 400}, 4]", "[[0], [0], [3], [4]]")
    ),
    ("list.jsonl", '{"path": "1.jpg"}\n{"path": \n', 2, "not JSON"),
    ("list.jsonl", '{"path": "1.jpg"} {"path": "2.jpg"}\n', 1, "not JSON"),
    ("list.jsonl", "[" * 100_000, 1, "not JSON"),
    ("list.jsonl", '{"path": 1' + "0" * 5000 + "}", 1, "not JSON"),
    ("list.jsonl", '\n\n["1.jpg"]\n', 3, "list; expected a JSON object"),
    ("list.jsonl", "null", 1, "NoneType; expected a JSON object"),
    ("list.jsonl", '{"item": "a"}', 1, "no field `path`; found 'item'"),
    ("list.jsonl", "{}", 1, "no field `path`; found nothing"),
    ("list.jsonl", '{"path": "1.jpg", "Item": "a"}', 1, "unknown field 'Item'"),
    ("list.jsonl", '{"path": "1.jpg", "path": "2.jpg"}', 1, "the field 'path' stands twice"),
    ("list.jsonl", '{"path": "1", "attributes": {"a": "x", "a": "y"}}', 1, "'a' stands twice"),
    ("list.jsonl", '{"path": "1", "attribute:a": "x", "attributes": {"a": "y"}}', 1,
     "the field 'attribute:a' stands twice"),
    ("list.jsonl", '{"path": "1", "attributes": {"": "y"}}', 1, "unknown field 'attribute:'"),
    *(
        ("list.jsonl", f'{{"path": "1.jpg", "attributes": {value}}}', 1, "expected an object")
        for value in ("[]", '"red"', "0", "false")
    ),
    *(
        ("list.jsonl", f'{{"path": "1.jpg", "item": {value}}}', 1, "expected text")
        for value in ("1.5", "true", "[]", "{}", '"\\ud800"', '"\\u0000"')
    ),
    *(
        ("list.jsonl", f'{{"path": "1", "attributes": {{"a": {value}}}}}', 1, "'attribute:a' is ")
        for value in ("1.5", "true", "{}", "[[]]", '["x", null]', '"\\udfff"')
    ),
    ("list.jsonl", '{"path": null}', 1, "path ''; expected a path below"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "content", "line", "expected"), MALFORMED)
def test_a_malformed_row_is_named_by_file_and_line(
    name: str, content: str | bytes, line: int, expected: str, load: Load, tmp_path: Path
) -> None:
    with pytest.raises(DataError) as raised:
        load(content, name)
    message = str(raised.value)
    assert message.startswith(f"{tmp_path / name}:{line}: ")
    assert expected in message
    assert len(message.splitlines()) == 1


@pytest.mark.parametrize("name", ["list.csv", "list.jsonl"])
@pytest.mark.parametrize("content", ["", "\ufeff"])
def test_an_empty_file_is_refused(name: str, content: str, load: Load) -> None:
    with pytest.raises(DataError, match=f"{name}: holds no rows; expected one per image"):
        load(content, name)


def test_a_header_alone_is_refused(load: Load) -> None:
    with pytest.raises(DataError, match="holds no rows"):
        load("path,item\n")


def test_a_file_of_another_kind_is_refused(load: Load) -> None:
    with pytest.raises(DataError, match=r"expected a name that ends in \.csv, \.jsonl or \.ndjson"):
        load("path\n1.jpg\n", "list.xlsx")


@pytest.mark.parametrize("name", ["manifest:absent.csv", "manifest:", "manifest:a\0.csv"])
def test_an_absent_file_is_named_with_where_it_was_sought(name: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=f"no such file, here or below {tmp_path}"):
        Manifest(name).find(tmp_path)


def test_a_file_is_sought_here_and_then_below_the_data_root(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    below = tmp_path / "data" / "mine" / "list.csv"
    below.parent.mkdir(parents=True)
    below.write_text("path\nbelow.jpg\n")
    manifest = Manifest("manifest:mine/list.csv")
    assert manifest.find(tmp_path / "data") == below.parent
    assert list(manifest.sources(below.parent)) == [below]
    assert manifest.load(below.parent).images["path"].tolist() == ["below.jpg"]
    here = tmp_path / "here"
    (here / "mine").mkdir(parents=True)
    (here / "mine" / "list.csv").write_text("path\nhere.jpg\n")
    monkeypatch.chdir(here)
    assert Manifest("manifest:mine/list.csv").find(tmp_path / "data") == Path("mine")


def test_an_edited_file_is_read_anew(tmp_path: Path) -> None:
    file = tmp_path / "list.csv"
    for category in ("hat", "cap"):
        file.write_text(f"path,category\n1.jpg,{category}\n")
        manifest = Manifest(f"manifest:{file}")
        root = manifest.find(tmp_path)
        assert root is not None
        catalog = load_catalog("manifest", root, sources=manifest.sources(root),
                               parse=manifest.load, options={}, code="1")  # fmt: skip
        assert catalog.images["category"].tolist() == [category]


def protocols_of(catalog: Catalog) -> dict[str, Protocol]:
    found = Manifest("manifest:list.csv").protocols(catalog)
    assert [protocol.summary for protocol in found] == [PROTOCOLS[p.name] for p in found]
    return {protocol.name: protocol for protocol in found}


def test_every_protocol_takes_the_images_that_the_readme_says(load: Load) -> None:
    catalog = load(
        "path,category,split,domain\n"
        "0,x,query,street\n1,x,gallery,shop\n2,y,test,\n3,y,train,shop\n4,y,train,street\n"
        "5,y,,shop\n6,x,,street\n"
    )
    found = protocols_of(catalog)
    images = {
        name: (protocol.tasks[0].queries.tolist(), protocol.tasks[0].gallery.tolist())
        for name, protocol in found.items()
    }
    assert images == {
        "query-vs-gallery": ([0], [1]),
        "test-vs-train": ([2], [3, 4]),
        "street-to-shop": ([0, 6], [1, 5]),
        "leave-one-out": ([0, 1, 2, 5, 6], [0, 1, 2, 5, 6]),
    }
    counts = {name: p.tasks[0].relevant_counts().tolist() for name, p in found.items()}
    assert counts["query-vs-gallery"] == [1]
    assert counts["test-vs-train"] == [2]
    assert counts["street-to-shop"] == [1, 1]
    assert counts["leave-one-out"] == [2, 2, 1, 1, 2]


@pytest.mark.parametrize(
    ("columns", "names"),
    [
        ("split\n1,a,query\n2,a,\n", ["leave-one-out"]),
        ("split\n1,a,query\n2,a,gallery\n", ["query-vs-gallery", "leave-one-out"]),
        ("split\n1,a,test\n2,a,train\n", ["test-vs-train", "leave-one-out"]),
        ("domain\n1,a,street\n2,a,shop\n", ["street-to-shop", "leave-one-out"]),
        ("domain\n1,a,shop\n2,a,shop\n", ["leave-one-out"]),
    ],
)
def test_a_protocol_is_there_only_where_the_file_has_its_images(
    columns: str, names: list[str], load: Load
) -> None:
    assert list(protocols_of(load(f"path,item,{columns}"))) == names


def test_street_to_shop_needs_shop_images_beside_the_training_ones(load: Load) -> None:
    rows = "1,a,street,\n2,a,shop,train\n"
    assert list(protocols_of(load(f"path,item,domain,split\n{rows}"))) == ["leave-one-out"]


def test_relevant_is_the_item_where_any_row_has_one_else_the_category(load: Load) -> None:
    by_item = load("path,item,category\n1,a,hat\n2,a,cap\n3,,hat\n4,,hat\n")
    by_category = load("path,item,category\n1,,hat\n2,,cap\n3,,hat\n4,,hat\n")
    counts = [
        protocols_of(catalog)["leave-one-out"].tasks[0].relevant_counts().tolist()
        for catalog in (by_item, by_category)
    ]
    assert counts == [[1, 1, 0, 0], [2, 0, 2, 2]]


def test_a_file_that_does_not_say_what_is_relevant_has_no_protocols(load: Load) -> None:
    with pytest.raises(DataError, match="neither `item` nor `category`; one says what is relevant"):
        protocols_of(load("path,split\n1,query\n2,gallery\n"))


def test_a_file_of_training_images_alone_has_no_protocols(load: Load) -> None:
    with pytest.raises(DataError, match="every row is of split `train`; none is left to query"):
        protocols_of(load("path,item,split\n1,a,train\n2,a,train\n"))


def test_the_plugin_has_no_mini_edition(tmp_path: Path) -> None:
    [spec] = register_datasets()
    assert spec.family
    assert not spec.has_mini
    with pytest.raises(DataError, match=r"manifest:a\.csv has no mini edition"):
        spec.build("manifest:a.csv").draw_mini(tmp_path / "mini", seed=0)


def load_or_refuse(content: bytes, name: str) -> None:
    """Load a manifest of arbitrary content; nothing but one line for the user may come out."""
    file = Path(os.environ["BENCH_CACHE"]).parent / name
    file.write_bytes(content)
    try:
        catalog = load_file(file)
        Manifest(f"manifest:{file}").protocols(catalog)
        catalog.save(file.with_name("catalog.parquet"))
    except UserError as error:
        message = str(error)
        assert message.startswith(str(file))
        assert len(message.splitlines()) == 1


anything = st.text(max_size=12)  # with lone surrogates, control characters and quotes
fields = st.sampled_from(
    ["path", "id", "item", "category", "domain", "split", "box", "attributes", "attribute:a"]
)


@given(st.one_of(st.binary(max_size=60), st.text(st.characters(codec="utf-8")).map(str.encode)))
@settings(max_examples=100)
def test_arbitrary_text_is_read_or_refused_in_one_line(content: bytes) -> None:
    for name in ("fuzz.csv", "fuzz.jsonl"):
        load_or_refuse(content, name)


cell = st.one_of(
    st.text(st.characters(codec="utf-8"), max_size=6),
    st.sampled_from(["", "shop", "street", "train", "test", "0 0 3 4", "a|b", "x", '"', "1.jpg"]),
)


@given(
    st.lists(fields, max_size=4).map(lambda names: ["path", *names]),
    st.lists(st.lists(cell, min_size=1, max_size=5), max_size=5),
)
@settings(max_examples=150)
def test_arbitrary_tables_are_read_or_refused_in_one_line(
    header: list[str], rows: list[list[str]]
) -> None:
    buffer = io.StringIO()
    fitting = [[f"{n}", *row, "", "", ""][: len(header)] for n, row in enumerate(rows)]
    csv.writer(buffer).writerows([header, *fitting])
    load_or_refuse(buffer.getvalue().encode(), "fuzz.csv")


values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), anything,
              st.just(10**400), st.lists(st.floats(0, 50), min_size=4, max_size=4)),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(anything, inner, max_size=3),
    max_leaves=6,
)  # fmt: skip


@given(st.lists(st.dictionaries(fields | anything, values, max_size=5), min_size=1, max_size=4))
@settings(max_examples=100)
def test_arbitrary_objects_are_read_or_refused_in_one_line(rows: list[dict[str, Any]]) -> None:
    named = [{"path": f"{number}.jpg", "item": "a"} | row for number, row in enumerate(rows)]
    load_or_refuse(lines(*named).encode(), "fuzz.jsonl")
    known = [{k: v for k, v in row.items() if k in {"path", "box", "attributes"}} for row in named]
    load_or_refuse(lines(*known).encode(), "fuzz.jsonl")
