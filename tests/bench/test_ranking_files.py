"""Files of rankings: each form is read into the same columns, and what is malformed has a line."""

from __future__ import annotations

import gzip
import io
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pandas as pd
import pytest
from fuzzing import anything, mutated, read_or_refuse
from hypothesis import given, settings
from hypothesis import strategies as st

from bench import ranking_files
from bench.errors import DataError
from bench.ranking_files import KEY, Part, RankingFile, trec_name

LONG = "query,gallery,rank\nq 1,a,1\nq 1,b,2\nq 2,b,1\n"
WIDE = "query,1,2\nq 1,a,b\nq 2,b,\n"
TREC = "q%201 Q0 a 1 9.5 me\nq%201\tQ0   b 2 9 me \r\nq%202 Q0 b 1 -1e3 me\n"
ROWS = [("", "q 1", "", "a", 1), ("", "q 1", "", "b", 2), ("", "q 2", "", "b", 1)]


def rows(part: Part) -> list[tuple[str, str, str, str, int]]:
    names = [column.texts[column.codes] for column in (part.task, part.query, part.target)]
    gallery = part.gallery.texts[part.gallery.codes]
    order = part.rank if part.rank is not None else part.score
    return list(zip(*names, gallery, order.tolist(), strict=True))


def read(file: Path, notices: list[str] | None = None) -> list[tuple[str, str, str, str, int]]:
    parts = RankingFile(file).parts([].append if notices is None else notices.append)
    return sorted(row for part in parts for row in rows(part))


def write(folder: Path, name: str, text: str) -> Path:
    file = folder / name
    content = text.encode()
    file.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    return file


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("long.csv", LONG),
        ("long.CSV", LONG.replace("\n", "\r\n")),
        ("long.csv.gz", "\ufeff" + LONG + "\n\n"),
        ("quoted.csv", LONG.replace("q 1", '"q 1"')),
        ("wide.csv", WIDE),
        ("run.trec", TREC),
        ("run.run", TREC),
        ("run.txt.gz", TREC),
    ],
)
def test_every_form_is_read_into_the_same_rows(name: str, text: str, tmp_path: Path) -> None:
    assert read(write(tmp_path, name, text)) == ROWS


def test_parquet_is_read_like_csv_with_names_of_any_type(tmp_path: Path) -> None:
    frame = pd.read_csv(io.StringIO(LONG))
    frame["query"] = frame["query"].astype("category")
    frame.to_parquet(tmp_path / "a.parquet")
    assert read(tmp_path / "a.parquet") == ROWS
    pd.DataFrame({"query": [7], "gallery": [12], "score": [1]}).to_parquet(tmp_path / "b.parquet")
    assert read(tmp_path / "b.parquet") == [("", "7", "", "12", 1.0)]


def test_task_and_target_stand_in_columns_or_in_the_query_of_a_trec_run(tmp_path: Path) -> None:
    long = "task,target,score,gallery,query\ncollar,v-neck,0.5,a,q;1\nsleeve,,0.25,a,q;1\n"
    wide = "task,query,target,1\ncollar,q;1,v-neck,a\nsleeve,q;1,,a\n"
    trec = "collar;q%3B1;v-neck Q0 a 1 0.5 me\nsleeve;q%3B1 Q0 a 1 0.25 me\n"
    expected = [("collar", "q;1", "v-neck", "a"), ("sleeve", "q;1", "", "a")]
    for name, text in (("a.csv", long), ("b.csv", wide), ("c.trec", trec)):
        assert [row[:-1] for row in read(write(tmp_path, name, text))] == expected


def test_columns_that_nobody_reads_are_named(tmp_path: Path) -> None:
    notices: list[str] = []
    text = "query,gallery,rank,relevant,model\nq,a,1,True,me\n"
    assert read(write(tmp_path, "a.csv", text), notices) == [("", "q", "", "a", 1)]
    assert notices == [f"{tmp_path / 'a.csv'}: columns that are not read: 'model'"]


@pytest.mark.parametrize(("name", "text"), [("a.csv", LONG), ("b.csv", WIDE), ("c.trec", TREC)])
def test_lines_keep_their_numbers_however_the_file_is_cut(
    name: str, text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write(tmp_path, name, text + "\n\n")
    numbers = []
    for size in (1 << 20, 20, 3):
        monkeypatch.setattr(ranking_files, "_BLOCK", size)
        parts = list(RankingFile(file).parts(print))
        found = [pair for part in parts for pair in zip(rows(part), part.numbers, strict=True)]
        numbers.append(sorted(found))
    assert numbers[0] == numbers[1] == numbers[2]
    assert sorted(row for row, _ in numbers[0]) == ROWS


MALFORMED = {
    "nothing": ("a.csv", "", ":1: an empty file"),
    "line ends alone": ("a.trec", "\n\n", ":1: an empty file"),
    "a header alone": ("a.csv", "query,gallery,rank\n", ":1: nothing after"),
    "other columns": ("a.csv", "image,gallery,rank\nq,a,1\n", ":1: the columns 'image, gallery"),
    "neither rank nor score": ("a.csv", "query,gallery\nq,a\n", ":1: the columns"),
    "a column twice": ("a.csv", "query,gallery,rank,rank\nq,a,1,1\n", "the column 'rank' twice"),
    "ranks in another order": ("a.csv", "query,2,1\nq,a,b\n", ":1: the column '2'; expected"),
    "a header that is not text": ("a.csv", "query,\udcff\n", ":1: bytes that are not UTF-8"),
    "a name that is not text": ("a.csv", LONG + "q,\udcff,1\n", ":5: invalid UTF8 data"),
    "too few fields": ("a.csv", LONG + "q,a\n", ":5: Expected 3 columns, got 2"),
    "too many fields": ("a.csv", LONG + "q,a,1,2\n", ":5: Expected 3 columns, got 4"),
    "too few fields of TREC": ("a.trec", TREC + "q Q0 a 1 9\n", ":4: Expected 6 columns, got 5"),
    "a blank line": ("a.csv", "query,gallery,rank\nq,a,1\n\nq,b,2\n", ":3: a blank line"),
    "a blank line of TREC": ("a.trec", "q Q0 a 1 9 me\n \nq Q0 b 2 8 me\n", ":2: a blank line"),
    "a line break in quotes": ("a.csv", LONG + '"q\n",a,1\n', ":5: a line break inside quotes"),
    "a rank in words": ("a.csv", LONG + "q,a,first\n", ":5: rank 'first'; expected an integer"),
    "a rank too long": ("a.csv", LONG + f"q,a,{'9' * 99}\n", ":5: rank '999"),
    "a score in words": ("a.trec", TREC + "q Q0 a 1 best me\n", ":4: score 'best'; expected"),
    "an endless score": ("a.trec", TREC + "q Q0 a 1 inf me\n", ":4: score inf; expected a finite"),
    "four parts": ("a.trec", TREC + "a;b;c;d Q0 a 1 1 me\n", ":4: the query 'a;b;c;d'; expected"),
    "another ending": ("a.json", "{}", ": expected a name that ends in .csv, .parquet"),
    "no gzip": ("a.csv.gz", "query", ": expected"),
}


@pytest.mark.parametrize("case", MALFORMED)
def test_what_is_malformed_ends_in_one_line_with_its_place(case: str, tmp_path: Path) -> None:
    name, text, expected = MALFORMED[case]
    file = tmp_path / name
    file.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(DataError) as raised:
        read(file)
    message = str(raised.value)
    assert message.startswith(str(file))
    assert expected in message or case == "no gzip"
    assert len(message.splitlines()) == 1


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({"query": ["q"], "1": ["a"]}, "row 1: the wide form"),
        ({"query": ["q", None], "gallery": ["a", "b"], "rank": [1, 2]}, "row 2: no value of query"),
        ({"query": ["q"] * 2, "gallery": ["a", "b"], "rank": [1, 2.5]}, "row 2: rank '2.5'"),
        ({"query": ["q"], "gallery": ["a"], "score": [np.inf]}, "row 1: score inf"),
        ({"query": ["q"], "gallery": ["a"]}, "row 1: the columns 'query, gallery'"),
        ({"query": [["q"]], "gallery": ["a"], "rank": [1]}, "expected a Parquet file"),
        ({"query": [], "gallery": [], "rank": []}, "row 1: no rows"),
    ],
)
def test_malformed_parquet_names_the_row(
    columns: dict[str, list[object]], expected: str, tmp_path: Path
) -> None:
    file = tmp_path / "a.parquet"
    pd.DataFrame(columns).to_parquet(file)
    with pytest.raises(DataError) as raised:
        read(file)
    assert str(raised.value).startswith(f"{file}: ")
    assert expected in str(raised.value)


def test_what_is_not_there_or_cut_short_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"absent\.csv: no such file; expected"):
        read(tmp_path / "absent.csv")
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(DataError, match=r"folder\.csv: Is a directory"):
        read(tmp_path / "folder.csv")
    cut = tmp_path / "cut.csv.gz"
    cut.write_bytes(gzip.compress(LONG.encode() * 50)[:-12])
    with pytest.raises(DataError, match=r"cut\.csv\.gz: .*expected a whole gzip file"):
        read(cut)


@given(st.lists(st.text(), min_size=1, max_size=len(KEY)))
@settings(max_examples=50)
def test_any_name_can_be_written_without_blanks_and_read_back(names: list[str]) -> None:
    written = trec_name(*names)
    assert len(f"x{written}x".split()) == 1
    assert [unquote(name) for name in written.split(";")] == names


@given(mutated(LONG, b'"', b",", b"query"))
@settings(max_examples=60)
def test_any_long_csv_is_read_or_refused(content: bytes) -> None:
    read_or_refuse("fuzz.csv", content, read)


@given(mutated(WIDE, b'"', b",", b"3"))
@settings(max_examples=60)
def test_any_wide_csv_is_read_or_refused(content: bytes) -> None:
    read_or_refuse("fuzz.csv", content, read)


@given(mutated(TREC, b";", b"%", b" "))
@settings(max_examples=60)
def test_any_trec_run_is_read_or_refused(content: bytes) -> None:
    read_or_refuse("fuzz.trec", content, read)


@given(anything, st.sampled_from(["fuzz.csv", "fuzz.csv.gz", "fuzz.trec", "fuzz.parquet"]))
@settings(max_examples=60)
def test_any_bytes_are_read_or_refused(content: bytes, name: str) -> None:
    read_or_refuse(name, content, read)
