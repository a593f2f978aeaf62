from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bench.annotations import (
    Line,
    duplicates,
    find_below,
    is_inside,
    read_counted,
    read_csv,
    read_json,
    read_lines,
    read_text,
    shown,
)
from bench.errors import DataError

LINE = Line(Path("labels.txt"), 7, "a b  c ")
PER_EXAMPLE = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


class Box(msgspec.Struct):
    width: float


class Pair(msgspec.Struct):
    photo: int
    bbox: Box


class Document(msgspec.Struct):
    annotations: list[Pair]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "labels.txt"


def refused(function: Any, *arguments: Any, **options: Any) -> str:
    """Return the message of the DataError that a call raises."""
    with pytest.raises(DataError) as raised:
        function(*arguments, **options)
    return str(raised.value)


def test_fields_are_split_at_any_blanks_and_counted() -> None:
    assert LINE.fields(3, expected="NAME NAME NAME") == ["a", "b", "c"]
    assert LINE.fields(2, 3, expected="NAME NAME [NAME]") == ["a", "b", "c"]
    message = refused(LINE.fields, 2, expected="NAME NAME")
    assert message == "labels.txt:7: 3 fields in 'a b  c '; expected NAME NAME"
    assert LINE.fields(1, expected="one", separator=",") == ["a b  c "]


@pytest.mark.parametrize(
    ("text", "value"), [("0", 0), ("007", 7), ("-1", -1), ("065", 65), ("100", 100)]
)
def test_integers_are_read_in_decimal(text: str, value: int) -> None:
    assert LINE.integer(text, "id", -1, 100) == value


@pytest.mark.parametrize(
    "text", ["", "-", "1.0", "1e2", "0x10", " 1", "+1", "1_0", "٣", "101", "-2", "9" * 50, "--1"]
)
def test_what_is_no_integer_in_range_is_refused(text: str) -> None:
    message = refused(LINE.integer, text, "id", -1, 100)
    assert message.startswith("labels.txt:7: id ")
    assert message.endswith("; expected an integer from -1 to 100")


@pytest.mark.parametrize("text", ["", "x", "nan", "inf", "-inf", "1_0", "1,5"])
def test_what_is_no_finite_number_is_refused(text: str) -> None:
    assert "expected a number" in refused(LINE.real, text, "width")
    assert LINE.real("-1.5e1", "width") == -15


def test_a_box_has_an_area() -> None:
    assert LINE.corners(["065", "045", "233", "252"]) == (65, 45, 233, 252)
    for corners in (["5", "0", "5", "9"], ["0", "9", "5", "3"]):
        assert "x1 < x2, y1 < y2" in refused(LINE.corners, corners)


@pytest.mark.parametrize("path", ["img/a.jpg", "a", "a b/ü.jpg", "..a/b..", "a/..."])
def test_paths_below_the_root_are_taken(path: str) -> None:
    assert LINE.path(path) == path


@pytest.mark.parametrize(
    "path", ["", "/etc/passwd", "\\\\server\\x", "C:/x", "c:x", "../x", "a/../../x", "a\\..\\x",
             "\0", "a/.."]
)  # fmt: skip
def test_paths_that_leave_the_root_are_refused(path: str) -> None:
    assert not is_inside(path)
    assert "expected a path below the data's folder" in refused(LINE.path, path)


def test_a_choice_is_among_the_known() -> None:
    assert LINE.choice("train", "status", ("train", "query")) == "train"
    assert refused(LINE.choice, "Train", "status", ("train", "query")).endswith("train or query")


def test_long_texts_are_shown_shortened() -> None:
    assert shown("a" * 80) == repr("a" * 80)
    assert len(shown("a" * 10_000)) < 80


@given(text=st.text(st.characters(exclude_characters="\0\r", codec="utf-8"), max_size=60))
@PER_EXAMPLE
def test_text_is_read_whatever_its_line_ends(text: str, file: Path) -> None:
    for mark in (b"", b"\xef\xbb\xbf"):
        file.write_bytes(mark + text.replace("\n", "\r\n").encode())
        assert read_text(file) == text.removeprefix("\ufeff" if not mark else "")


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"a\nb\0c", ":2: a NUL byte; expected text"),
     (b"a\n\nb\xff", ":3: bytes that are not UTF-8; expected UTF-8 text")],
)  # fmt: skip
def test_what_is_no_text_is_refused_with_its_line(content: bytes, message: str, file: Path) -> None:
    file.write_bytes(content)
    assert refused(read_text, file) == f"{file}{message}"


def test_an_absent_an_empty_and_a_folder_are_refused(file: Path, tmp_path: Path) -> None:
    assert refused(read_text, file).startswith(f"{file}: no such file")
    file.write_text(" \n\n")
    assert refused(read_lines, file) == f"{file}:1: an empty file; expected annotations"
    assert refused(read_text, tmp_path).startswith(f"{tmp_path}: ")


def test_lines_are_numbered_and_blank_ones_at_the_end_left_out(file: Path) -> None:
    file.write_bytes(b"a\r\n\r\nb \r\n\r\n")
    assert [(line.number, line.text.strip()) for line in read_lines(file)] == [
        (1, "a"), (2, ""), (3, "b"),
    ]  # fmt: skip


def test_a_counted_file_has_as_many_rows_as_it_says(file: Path) -> None:
    file.write_text("2\nimage item\na 1\nb 2\n")
    names, rows = read_counted(file)
    assert names == ["image", "item"]
    assert [(row.number, row.text) for row in rows] == [(3, "a 1"), (4, "b 2")]
    file.write_text("2\na\nb\n")
    assert [row.number for row in read_counted(file, names=False)[1]] == [2, 3]


@pytest.mark.parametrize(
    ("text", "message"),
    [("3\nimage\na\nb", ":1: the number 3 but 2 rows"),
     ("1\nimage\na\nb", ":1: the number 1 but 2 rows"),
     ("image\na", ":1: number of rows 'image'"),
     ("3", ":1: nothing after it"),
     ("-1\nimage\n", ":1: number of rows '-1'")],
)  # fmt: skip
def test_a_count_that_lies_is_refused(text: str, message: str, file: Path) -> None:
    file.write_text(text)
    assert refused(read_counted, file).startswith(f"{file}{message}")


ROWS = st.lists(
    st.lists(st.text(st.characters(exclude_characters="\0\r", codec="utf-8")), min_size=2),
    min_size=1,
)


@given(rows=ROWS)
@PER_EXAMPLE
def test_quoted_fields_come_back_as_they_were_written(rows: list[list[str]], file: Path) -> None:
    buffer = io.StringIO(newline="")
    csv.writer(buffer, lineterminator="\n").writerows(rows)
    file.write_bytes(("x,y\n" + buffer.getvalue()).encode())
    found = list(read_csv(file))
    assert [fields for _, fields in found] == [["x", "y"], *rows]
    assert found[0][0].number == 1


def test_a_quote_that_does_not_end_is_refused(file: Path) -> None:
    file.write_text('1,"Hosiery, Stockings\n2,b\n')
    assert refused(lambda: list(read_csv(file))).startswith(f"{file}:")


def test_json_is_decoded_as_the_type_asked_for(file: Path) -> None:
    file.write_text('[{"bbox": {"width": 2, "top": 1}, "photo": 3, "product": 9}]')
    assert read_json(file, list[Pair]) == [Pair(3, Box(2))]


@pytest.mark.parametrize(
    ("text", "message"),
    [('[{"photo": 1, "bbox": {"width": 2}},\n {"photo": 1,\n"bbox": {"width": "x"}}]',
      ":2: $[1].bbox.width: expected `float`"),
     ('[\n{"photo": true, "bbox": {"width": 2}}]', ":2: $[0].photo: expected `int`"),
     ("{}", ":1: $: expected `array`"),
     ("[1,\n2", ":2: $[1]: expected `object`"),
     ("", ":1: Input data was truncated"),
     ('[\n\n{"photo" 1}]', ":3: JSON is malformed")],
)  # fmt: skip
def test_json_of_another_shape_is_refused_with_line_and_place(
    text: str, message: str, file: Path
) -> None:
    file.write_text(text)
    if text == "[1,\n2":  # the first element is wrong already
        message = ":1: $[0]: expected `object`"
    assert refused(read_json, file, list[Pair]).startswith(f"{file}{message}")


def test_the_line_of_an_element_is_found_below_a_key(file: Path) -> None:
    good = {"photo": 1, "bbox": {"width": 2.5}}
    document = {"info": {"annotations": "not these"}, "annotations": [good, good, {"photo": "1"}]}
    file.write_text(json.dumps(document, indent=1))
    message = refused(read_json, file, Document)
    line = next(n for n, t in enumerate(file.read_text().split("\n"), 1) if '"photo": "1"' in t)
    assert message.startswith(f"{file}:{line - 1}: $.annotations[2].photo") or message.startswith(
        f"{file}:1: "
    )


@given(content=st.binary(max_size=80))
@PER_EXAMPLE
def test_no_content_escapes_as_another_error(content: bytes, file: Path) -> None:
    file.write_bytes(content)
    for read in (read_lines, read_counted, lambda f: list(read_csv(f)),
                 lambda f: read_json(f, list[Pair]), lambda f: read_json(f, Document)):  # fmt: skip
        message = ""
        try:
            read(file)
        except DataError as error:
            message = str(error)
        assert not message or (message.startswith(str(file)) and "\n" not in message)


def test_the_first_that_is_there_is_found(tmp_path: Path) -> None:
    (tmp_path / "Anno").mkdir()
    assert find_below(tmp_path, "Anno/attributes", "Anno") == tmp_path / "Anno"
    assert find_below(tmp_path, "b", "c") == tmp_path / "b"


def test_duplicates_name_the_first_place() -> None:
    assert list(duplicates(["a", "b", "a", "c", "a"])) == [(2, 0), (4, 0)]
