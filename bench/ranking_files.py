"""Files of rankings: CSV, Parquet and TREC runs, read a part at a time into columns.

    long     one row per query and rank: query, gallery, rank or score (and task, target)
    wide     one row per query: query (and task, target), then 1, 2, 3 … with gallery ids
    TREC     QUERY Q0 GALLERY RANK SCORE TAG, between blanks; CSV and Parquet are long or (CSV) wide

A TREC file has neither tasks nor blanks inside a name, so a query is written `QUERY`, `TASK;QUERY`
or `TASK;QUERY;TARGET` (`trec_name`), and in each name `%`, `;`, blanks and control characters are
percent-encoded, as in a URL. What a name means is not known here; see `bench.given_rankings`.
"""

from __future__ import annotations

import csv
import gzip
import io
import re
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import quote, unquote

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

from bench.annotations import shown
from bench.errors import DataError

ENDINGS = (".csv", ".parquet", ".trec", ".run", ".txt")  # all but Parquet also with .gz
KEY = ("task", "query", "target")
NUMBERS = ("rank", "score")
COLUMNS = (*KEY, "gallery", *NUMBERS)
_TREC = ("query", "Q0", "gallery", "rank", "score", "tag")
_EXPECTED = "the columns query, gallery and rank or score, or the columns query, 1, 2, 3 …"
_BLOCK = 1 << 24  # bytes of text that are parsed at once
_ROWS = 1 << 18  # rows of Parquet that are read at once
_RESERVED = re.compile(r"[%;\s\x00-\x1f\x7f]")


@dataclass(frozen=True)
class Names:
    """A column of names: each different one once, (U,), and which one each row has, (n,)."""

    texts: npt.NDArray[np.object_]
    codes: npt.NDArray[np.int64]

    @classmethod
    def of(cls, column: pa.Array) -> Names:
        """Return the names in a column of text."""
        encoded = column.dictionary_encode()
        texts = encoded.dictionary.to_numpy(zero_copy_only=False).astype(object)
        return cls(texts, encoded.indices.to_numpy().astype(np.int64))

    @classmethod
    def empty(cls, count: int) -> Names:
        """Return the column of a file that has none: "" in each row."""
        return cls(np.array([""], dtype=object), np.zeros(count, np.int64))


@dataclass(frozen=True)
class Part:
    """Some rows of a file, as columns (n,); `numbers` are their lines (Parquet: rows), from 1.

    A task or target that the file does not name is "". Either `rank` or `score` is there.
    """

    numbers: npt.NDArray[np.int64]
    task: Names
    query: Names
    target: Names
    gallery: Names
    rank: npt.NDArray[np.int64] | None
    score: npt.NDArray[np.float64] | None


@dataclass(frozen=True)
class RankingFile:
    """One file of rankings."""

    path: Path

    @property
    def kind(self) -> str:
        """The ending that says how the file is written, without .gz."""
        name = self.path.name.lower()
        ending = Path(name.removesuffix(".gz")).suffix
        if ending not in ENDINGS or (ending == ".parquet" and name.endswith(".gz")):
            raise DataError(
                f"{self.path}: expected a name that ends in {', '.join(ENDINGS)} "
                "(.gz after it where it is compressed text)"
            )
        return ending

    def error(self, number: int, found: str, expected: str) -> DataError:
        """Return the error of one line, or of one row of Parquet, to be raised."""
        place = f" row {number}" if self.kind == ".parquet" else f"{number}"
        return DataError(f"{self.path}:{place}: {found}; expected {expected}")

    def parts(self, notice: Callable[[str], None]) -> Iterator[Part]:
        """Yield the file's rows; `notice` is told of columns that nobody reads.

        Raises `DataError` with the line for what is malformed.
        """
        kind = self.kind
        try:
            if kind == ".parquet":
                yield from _parquet(self, notice)
                return
            opened = gzip.open if self.path.name.lower().endswith(".gz") else open
            with opened(self.path, "rb") as stream:
                blocks = _blocks(self, stream)  # type: ignore[arg-type]
                yield from _trec(self, blocks) if kind != ".csv" else _csv(self, blocks, notice)
        except FileNotFoundError:
            raise DataError(f"{self.path}: no such file; expected a file of rankings") from None
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise DataError(f"{self.path}: {error}; expected a whole gzip file") from None
        except OSError as error:
            reason = error.strerror or " ".join(str(error).split())
            raise DataError(f"{self.path}: {reason}; expected a readable file") from None


def trec_name(*names: str) -> str:
    """Return what stands for a query (its id; task and id; task, id and target) or for an image."""
    return ";".join(_RESERVED.sub(lambda found: quote(found[0]), name) for name in names)


@dataclass(frozen=True)
class _Block:
    """Whole lines of a text file with Unix line ends; `first` is the number of the first one."""

    first: int
    text: bytes

    @cached_property
    def lines(self) -> int:
        """How many lines these are."""
        return self.text.count(b"\n")


def _blocks(file: RankingFile, stream: BinaryIO) -> Iterator[_Block]:
    """Yield a file's lines, many at once; blank lines at its end are left out."""
    number, blank = 1, 0  # the next line; the first of the blank lines before it
    while text := stream.read(_BLOCK):
        text += stream.readline()
        if number == 1:
            text = text.removeprefix(b"\xef\xbb\xbf")
        if b"\r" in text:
            text = text.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        if file.kind != ".csv":
            text = _single_blanks(text)
        body = text.rstrip(b"\n")
        if body and blank:
            raise _blank(file, blank)
        if body:
            block = _Block(number, body + b"\n")
            yield block
            number += block.lines
        empty = len(text) - len(body) - bool(body)
        if empty > 0:
            blank = blank or number
            number += empty
    if number == 1 or blank == 1:
        raise file.error(1, "an empty file", "rankings")


def _blank(file: RankingFile, line: int) -> DataError:
    return file.error(line, "a blank line", "a line of the ranking")


def _single_blanks(block: bytes) -> bytes:
    """Return lines of fields between blanks with one space between fields and none around them."""
    block = block.replace(b"\t", b" ")
    while b"  " in block:
        block = block.replace(b"  ", b" ")
    return block.replace(b" \n", b"\n").replace(b"\n ", b"\n").removeprefix(b" ")


def _table(
    file: RankingFile, block: _Block, names: Sequence[str], wanted: Sequence[str], delimiter: str
) -> dict[str, pa.Array]:
    """Return the columns `wanted` of a block as text, checked to be one row a line."""
    try:
        table = pyarrow.csv.read_csv(
            pa.BufferReader(block.text),
            read_options=pyarrow.csv.ReadOptions(
                column_names=names, use_threads=False, block_size=max(len(block.text), 1)
            ),
            parse_options=pyarrow.csv.ParseOptions(
                delimiter=delimiter, quote_char='"' if delimiter == "," else False
            ),
            convert_options=pyarrow.csv.ConvertOptions(
                column_types=dict.fromkeys(wanted, pa.string()), include_columns=wanted
            ),
        )
    except pa.ArrowInvalid as error:
        _require_no_blank_line(file, block)
        message = " ".join(str(error).split())
        row = re.search(r"Row #(\d+): (?:CSV conversion error to string: )?(.*)", message)
        found = row[2].partition(": ")[0] if row else message
        line = block.first + int(row[1]) - 1 if row else block.first
        raise file.error(line, found, f"fields {delimiter.join(names[:8])}") from None
    if len(table) != block.lines:
        _require_no_blank_line(file, block)
        raise _broken_in_quotes(file, block)
    return {name: table[name].combine_chunks() for name in wanted}


def _require_no_blank_line(file: RankingFile, block: _Block) -> None:
    blank = (b"\n" + block.text).find(b"\n\n")
    if blank >= 0:
        raise _blank(file, block.first + block.text.count(b"\n", 0, blank))


def _broken_in_quotes(file: RankingFile, block: _Block) -> DataError:
    text = io.StringIO(block.text.decode(errors="replace"), newline="\n")
    reader, before = csv.reader(text), 0
    for _ in reader:
        if reader.line_num > before + 1:
            break
        before = reader.line_num
    line = block.first + before
    return file.error(line, "a line break inside quotes", "one row on one line")


def _csv(
    file: RankingFile, blocks: Iterator[_Block], notice: Callable[[str], None]
) -> Iterator[Part]:
    names: list[str] = []
    empty = True
    for block in blocks:
        rows = block
        if not names:
            names = _header(file, block.text.partition(b"\n")[0])
            wide = _is_wide(file, names)
            wanted = names if wide else [name for name in names if name in COLUMNS]
            if not wide:
                _tell_unread(file, names, notice)
            rows = _Block(2, block.text.partition(b"\n")[2])
        if rows.text:
            columns = _table(file, rows, names, wanted, ",")
            numbers = np.arange(rows.first, rows.first + rows.lines)
            yield _wide(names, columns, numbers) if wide else _long(file, columns, numbers)
            empty = False
    if empty:
        raise file.error(1, "nothing after the names of the columns", "rankings")


def _header(file: RankingFile, line: bytes) -> list[str]:
    try:
        names = [name.strip() for name in next(csv.reader([line.decode()], strict=True))]
    except (UnicodeDecodeError, csv.Error) as error:
        reason = "bytes that are not UTF-8" if isinstance(error, UnicodeError) else str(error)
        raise file.error(1, reason, _EXPECTED) from None
    _require_columns(file, names)
    return names


def _require_columns(file: RankingFile, names: Sequence[str]) -> None:
    """Refuse columns that are neither the long form's nor the wide form's."""
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise file.error(1, f"the column {shown(twice)} twice", "each column once")
    long = "gallery" in names and not {"rank", "score"}.isdisjoint(names)
    if "query" not in names or not (long or "1" in names):
        raise file.error(1, f"the columns {shown(', '.join(names))}", _EXPECTED)


def _is_wide(file: RankingFile, names: Sequence[str]) -> bool:
    """Return whether the columns are those of the wide form, which must then be in order."""
    if "gallery" in names:
        return False
    ranks = [name for name in names if name not in KEY]
    if ranks != [str(rank) for rank in range(1, len(ranks) + 1)]:
        wrong = next(n for rank, n in enumerate(ranks, start=1) if n != str(rank))
        raise file.error(1, f"the column {shown(wrong)}", "query, 1, 2, 3 … in this order")
    return True


def _tell_unread(file: RankingFile, names: Sequence[str], notice: Callable[[str], None]) -> None:
    # `relevant` stands in our own rankings; what is relevant is the protocol's affair
    unread = [name for name in names if name not in {*COLUMNS, "relevant"}]
    if unread:
        notice(f"{file.path}: columns that are not read: {', '.join(map(shown, unread))}")


def _wide(
    names: Sequence[str], columns: dict[str, pa.Array], numbers: npt.NDArray[np.int64]
) -> Part:
    """Return the rows of the wide form, rank by rank; an empty cell is no rank."""
    ranks = [name for name in names if name not in KEY]
    gallery = pa.concat_arrays([columns[name] for name in ranks])
    filled = pc.not_equal(gallery, "").to_numpy(zero_copy_only=False)

    def repeated(name: str) -> Names:
        once = Names.of(columns[name]) if name in columns else Names.empty(len(numbers))
        return Names(once.texts, np.tile(once.codes, len(ranks))[filled])

    return Part(
        numbers=np.tile(numbers, len(ranks))[filled],
        task=repeated("task"),
        query=repeated("query"),
        target=repeated("target"),
        gallery=Names.of(gallery.filter(pa.array(filled))),
        rank=np.repeat(np.arange(1, len(ranks) + 1), len(numbers))[filled],
        score=None,
    )


def _long(file: RankingFile, columns: dict[str, pa.Array], numbers: npt.NDArray[np.int64]) -> Part:
    def named(name: str) -> Names:
        return Names.of(columns[name]) if name in columns else Names.empty(len(numbers))

    rank = columns.get("rank")
    score = columns.get("score")
    return Part(
        numbers=numbers,
        task=named("task"),
        query=named("query"),
        target=named("target"),
        gallery=named("gallery"),
        rank=None if rank is None else _integers(file, rank, numbers),
        score=None if score is None else _reals(file, score, numbers),
    )


def _trec(file: RankingFile, blocks: Iterator[_Block]) -> Iterator[Part]:
    for block in blocks:
        columns = _table(file, block, _TREC, ("query", "gallery", *NUMBERS), " ")
        numbers = np.arange(block.first, block.first + block.lines)
        queries, gallery = Names.of(columns["query"]), Names.of(columns["gallery"])
        keys = []
        for code, text in enumerate(queries.texts):
            parts = [unquote(name) for name in text.split(";")]
            if len(parts) > len(KEY):
                line = int(numbers[np.flatnonzero(queries.codes == code)[0]])
                raise file.error(
                    line, f"the query {shown(text)}",
                    "QUERY, TASK;QUERY or TASK;QUERY;TARGET, a semicolon in a name written %3B",
                )  # fmt: skip
            keys.append(["", *parts, ""] if len(parts) == 1 else [*parts, ""][: len(KEY)])
        task, query, target = (np.array(column, dtype=object) for column in zip(*keys, strict=True))
        yield Part(
            numbers=numbers,
            task=Names(task, queries.codes),
            query=Names(query, queries.codes),
            target=Names(target, queries.codes),
            gallery=Names(
                np.array([unquote(text) for text in gallery.texts], dtype=object), gallery.codes
            ),
            rank=_integers(file, columns["rank"], numbers),
            score=_reals(file, columns["score"], numbers),
        )


def _parquet(file: RankingFile, notice: Callable[[str], None]) -> Iterator[Part]:
    try:
        content = pq.ParquetFile(file.path)
        names = content.schema_arrow.names
        _require_columns(file, names)
        if "gallery" not in names:
            raise file.error(1, "the wide form", "in Parquet the columns query, gallery, rank")
        _tell_unread(file, names, notice)
        number = 1
        wanted = [name for name in names if name in COLUMNS]
        for batch in content.iter_batches(batch_size=_ROWS, columns=wanted):
            numbers = np.arange(number, number + batch.num_rows)
            columns = {name: _as_text(file, name, batch.column(name), numbers) for name in wanted}
            yield _long(file, columns, numbers)
            number += batch.num_rows
    except (pa.ArrowException, OverflowError) as error:
        reason = " ".join(str(error).split())
        raise DataError(f"{file.path}: {shown(reason)}; expected a Parquet file") from None
    if number == 1:
        raise file.error(1, "no rows", "rankings")


def _as_text(
    file: RankingFile, name: str, column: pa.Array, numbers: npt.NDArray[np.int64]
) -> pa.Array:
    """Return a column without missing values, its names as text; ids may be written as integers."""
    if column.null_count:
        missing = int(numbers[column.is_null().to_numpy(zero_copy_only=False)][0])
        raise file.error(missing, f"no value of {name}", "one in each row")
    return column if name in NUMBERS else pc.cast(column, pa.string())


def _integers(
    file: RankingFile, column: pa.Array, numbers: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    return _cast(file, column, numbers, pa.int64(), "rank", "an integer from 1")


def _reals(
    file: RankingFile, column: pa.Array, numbers: npt.NDArray[np.int64]
) -> npt.NDArray[np.float64]:
    values = _cast(file, column, numbers, pa.float64(), "score", "a finite number")
    infinite = np.flatnonzero(~np.isfinite(values))
    if len(infinite):
        found = f"score {values[infinite[0]]}"
        raise file.error(int(numbers[infinite[0]]), found, "a finite number")
    return values


def _cast(
    file: RankingFile,
    column: pa.Array,
    numbers: npt.NDArray[np.int64],
    kind: pa.DataType,
    what: str,
    expected: str,
) -> npt.NDArray[Any]:
    """Return a column as numbers; the first value that is none is named."""
    try:
        return np.asarray(pc.cast(column, kind).to_numpy(zero_copy_only=False))
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        for number, value in zip(numbers.tolist(), column.to_pylist(), strict=True):
            try:
                pc.cast(pa.scalar(value, column.type), kind)
            except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
                raise file.error(number, f"{what} {shown(str(value))}", expected) from None
        raise
