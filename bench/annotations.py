"""Annotation files: what is malformed ends in `FILE:LINE: what was found; expected what`.

Tolerated, since published files have it: a byte order mark, Windows line ends, blanks in any number
between fields and at a line's end, blank lines at the end of the file.
"""

from __future__ import annotations

import csv
import io
import json
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

from bench.errors import DataError

Value = TypeVar("Value")
_SHOWN = 80  # characters of a malformed text that a message repeats


@dataclass(frozen=True, slots=True)
class Line:
    """One line of an annotation file, numbered from 1, without its line end."""

    file: Path
    number: int
    text: str

    def error(self, found: str, expected: str) -> DataError:
        """Return the error of this line, to be raised."""
        return DataError(f"{self.file}:{self.number}: {found}; expected {expected}")

    def fields(self, *counts: int, expected: str, separator: str | None = None) -> list[str]:
        """Return the line's fields, split at blanks or at `separator`.

        Raises `DataError` unless their number is among `counts`; `expected` shows the grammar.
        """
        found = self.text.split(separator)
        if len(found) not in counts:
            raise self.error(f"{len(found)} fields in {shown(self.text)}", expected)
        return found

    def choice(self, text: str, what: str, known: Sequence[str]) -> str:
        """Return `text` if it is among `known`."""
        if text not in known:
            raise self.error(f"{what} {shown(text)}", " or ".join(known))
        return text

    def integer(self, text: str, what: str, low: int, high: int) -> int:
        """Return the integer that `text` writes in ASCII digits, if it is in low…high."""
        digits = text.removeprefix("-")
        # the length first: int() of a million digits takes minutes or raises
        if not (digits.isascii() and digits.isdigit() and len(digits) <= 18) or not (
            low <= int(text) <= high
        ):
            raise self.error(f"{what} {shown(text)}", f"an integer from {low} to {high}")
        return int(text)

    def real(self, text: str, what: str) -> float:
        """Return the finite number that `text` writes."""
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not math.isfinite(value) or "_" in text:
            raise self.error(f"{what} {shown(text)}", "a number")
        return value

    def corners(self, texts: Sequence[str]) -> tuple[float, float, float, float]:
        """Return the box x1 y1 x2 y2 that four texts write; it must have an area."""
        x1, y1, x2, y2 = (self.real(text, "box corner") for text in texts)
        if not (x1 < x2 and y1 < y2):
            raise self.error(f"box {shown(' '.join(texts))}", "x1 y1 x2 y2 with x1 < x2, y1 < y2")
        return x1, y1, x2, y2

    def path(self, text: str) -> str:
        """Return `text` if it is a path that stays below the folder it is relative to."""
        if not is_inside(text):
            raise self.error(f"path {shown(text)}", "a path below the data's folder")
        return text


def shown(text: str) -> str:
    """Return a text in quotes, its middle left out where it is long."""
    if len(text) > _SHOWN:
        text = f"{text[: _SHOWN // 2]}…{text[-_SHOWN // 4 :]}"
    return repr(text)


def is_inside(path: str) -> bool:
    """Return whether a relative path with either kind of slash stays below its folder."""
    parts = PurePosixPath(path.replace("\\", "/")).parts
    return bool(parts) and not (
        path[0] in "/\\" or path[1:2] == ":" or ".." in parts or "\0" in path
    )


def read_text(file: Path) -> str:
    """Return the text of a UTF-8 file with line ends as newlines, without byte order mark."""
    try:
        content = file.read_bytes()
    except FileNotFoundError:
        raise DataError(f"{file}: no such file; the published data have it") from None
    except OSError as error:
        raise DataError(f"{file}: {error.strerror}; expected a readable file") from None
    content = content.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    nul = content.find(b"\0")
    if nul >= 0:
        raise DataError(f"{file}:{_line_at(content, nul)}: a NUL byte; expected text")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = _line_at(content, error.start)
        raise DataError(f"{file}:{line}: bytes that are not UTF-8; expected UTF-8 text") from None


def read_lines(file: Path) -> list[Line]:
    """Return the lines of a file, blank ones at its end left out; a file without any is refused."""
    texts = read_text(file).rstrip().split("\n")
    if texts == [""]:
        raise DataError(f"{file}:1: an empty file; expected annotations")
    return [Line(file, number, text) for number, text in enumerate(texts, start=1)]


def read_counted(file: Path, *, names: bool = True) -> tuple[list[str], list[Line]]:
    """Return the column names and the rows of a file whose first line says how many rows follow.

    With `names`, the second line names the columns. A count that the rows do not bear out is
    refused: it is how a file that was cut short shows.
    """
    lines = read_lines(file)
    head = lines[0]
    count = head.integer(head.text.strip(), "number of rows", 0, 10**9)
    if names and len(lines) < 2:
        raise head.error("nothing after it", "a line with the names of the columns")
    rows = lines[2 if names else 1 :]
    if len(rows) != count:
        raise head.error(f"the number {count:,} but {len(rows):,} rows", "as many rows as it says")
    return (lines[1].text.split() if names else []), rows


def read_csv(file: Path, *, separator: str = ",") -> Iterator[tuple[Line, list[str]]]:
    """Yield each record of a file with quoted fields, with the line it ends on."""
    text = read_text(file)
    reader = csv.reader(io.StringIO(text, newline="\n"), delimiter=separator, strict=True)
    while True:
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise DataError(
                f"{file}:{reader.line_num}: {error}; expected fields between {separator!r}"
            ) from None
        if fields:
            yield Line(file, reader.line_num, separator.join(fields)), fields


def read_json(file: Path, kind: type[Value]) -> Value:
    """Return the value of a JSON file, decoded as a type of msgspec's; other fields are skipped.

    Raises `DataError` with the line and the place in the document, as in `$[3].bbox.width`.
    """
    import msgspec

    text = read_text(file)
    try:
        return msgspec.json.decode(text, type=kind)
    except msgspec.ValidationError as error:
        message, _, place = str(error).partition(" - at `")
        place = place.rstrip("`") or "$"
        line = 1 + text.count("\n", 0, _offset(text, place))
        raise DataError(f"{file}:{line}: {place}: {message[0].lower()}{message[1:]}") from None
    except msgspec.DecodeError as error:
        at = re.search(r"byte (\d+)", str(error))
        start = int(at[1]) if at else len(text)
        line = _line_at(text.encode(), start)
        raise DataError(f"{file}:{line}: {error}; expected JSON") from None
    except RecursionError:
        raise DataError(f"{file}:1: nested too deeply; expected JSON") from None


def _line_at(content: bytes, offset: int) -> int:
    return 1 + content.count(b"\n", 0, offset)


def _offset(text: str, place: str) -> int:
    """Return where in a JSON document the array element stands that a place names, else 0."""
    found = re.match(r"\$(?:\.(\w+))?\[(\d+)\]", place)
    if not found:
        return 0
    decoder, blank = json.JSONDecoder(), re.compile(r"[\s,]*")
    at = 0
    if found[1]:
        key = re.search(rf'"{found[1]}"\s*:\s*', text)
        at = key.end() if key else 0
    at = text.find("[", at) + 1
    try:
        for _ in range(int(found[2])):
            at = decoder.raw_decode(text, _end(blank, text, at))[1]
    except ValueError:  # the key stood inside a string before
        return 0
    return _end(blank, text, at)


def _end(pattern: re.Pattern[str], text: str, at: int) -> int:
    match = pattern.match(text, at)
    return match.end() if match else at


def find_below(root: Path, *names: str) -> Path:
    """Return the first of these files or folders that is there, else the first name's path."""
    return next((root / name for name in names if (root / name).exists()), root / names[0])


def duplicates(values: Sequence[Any]) -> Iterator[tuple[int, int]]:
    """Yield (position, position of the first) for each value that stood before."""
    first: dict[Any, int] = {}
    for position, value in enumerate(values):
        earlier = first.setdefault(value, position)
        if earlier != position:
            yield position, earlier
