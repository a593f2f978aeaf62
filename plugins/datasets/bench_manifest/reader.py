"""Reads a CSV or JSON-lines file with one row per image; the README lists the fields."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from bench.catalog import BOX, Attribute, AttributeSchema, Catalog
from bench.errors import DataError, UnknownNameError
from bench.protocols import Protocol, by_code
from bench_manifest import PROTOCOLS

FIELDS = ("path", "id", "item", "category", "domain", "split", "box")
PREFIX = "attribute:"
DOMAINS = ("", "shop", "street")
METRICS = ("hit@1", "hit@5", "hit@20", "precision@5", "recall@20", "map@r", "mrr")
Row = dict[str, Any]


class Manifest:
    """The reader of one manifest file; paths in it are relative to its folder."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.file = Path(name.partition(":")[2])

    def find(self, data_root: Path) -> Path | None:
        """Return the manifest's folder; a relative file is sought here, then below `data_root`."""
        for file in (self.file, data_root / self.file):
            if file.is_file():
                self.file = file
                return file.parent
        raise DataError(f"{self.file}: no such file, here or below {data_root}")

    def sources(self, root: Path) -> Sequence[Path]:
        """Return the manifest itself."""
        return [root / self.file.name]

    def load(self, root: Path) -> Catalog:
        """Return the catalog; raises `DataError` naming file and line for a malformed row."""
        columns: dict[str, list[Any]] = {name: [] for name in (*FIELDS[:-1], *BOX)}
        labels: list[dict[str, list[str]]] = []
        seen: set[str] = set()
        for where, row in _rows(self.file):
            path = _text(where, row, "path")
            _check_path(where, path)
            identity = _text(where, row, "id") or path
            if identity in seen:
                raise DataError(
                    f"{where}: id {identity!r} stands twice; give each row its own `id`"
                )
            seen.add(identity)
            domain = _text(where, row, "domain")
            if domain not in DOMAINS:
                raise DataError(f"{where}: domain {domain!r}; expected shop, street or nothing")
            for name, value in zip(BOX, _box(where, row), strict=True):
                columns[name].append(value)
            columns["path"].append(path)
            columns["id"].append(identity)
            columns["domain"].append(domain)
            for name in ("item", "category", "split"):
                columns[name].append(_text(where, row, name))
            labels.append(_attributes(where, row))
        if not labels:
            raise DataError(f"{self.file}: holds no rows; expected one per image")
        schema, present, known = _matrices(labels)
        return Catalog.from_columns(
            self.name, root, columns, schema=schema, present=present, known=known
        )

    def protocols(self, catalog: Catalog) -> Sequence[Protocol]:
        """Return the protocols that the splits and domains of the file allow."""
        codes = catalog.codes("item" if catalog.has("items") else "category")
        if (codes < 0).all():
            raise DataError(
                f"{self.file}: has neither `item` nor `category`; one says what is relevant"
            )
        train = catalog.rows(split="train")
        rest = np.setdiff1d(catalog.rows(), train)
        pairs = {
            "query-vs-gallery": (catalog.rows(split="query"), catalog.rows(split="gallery")),
            "test-vs-train": (catalog.rows(split="test"), train),
            "street-to-shop": (
                np.setdiff1d(catalog.rows(domain="street"), train),
                np.setdiff1d(catalog.rows(domain="shop"), train),
            ),
            "leave-one-out": (rest, rest),
        }
        if not len(rest):
            raise DataError(f"{self.file}: every row is of split `train`; none is left to query")
        return [
            Protocol(name, summary, (by_code("all", codes, *pairs[name]),), METRICS, "hit@1", train)
            for name, summary in PROTOCOLS.items()
            if all(map(len, pairs[name]))
        ]

    def draw_mini(self, root: Path, *, seed: int, items: int | None = None) -> None:
        """Refuse: a user's own data has no mini edition (`DatasetSpec.has_mini` is False)."""
        raise DataError(f"{self.name} has no mini edition")


def _rows(file: Path) -> Iterator[tuple[str, Row]]:
    """Yield (FILE:LINE, fields) per row of a CSV or JSON-lines file; unknown fields are refused."""
    content = file.read_bytes().replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = 1 + content.count(b"\n", 0, error.start)
        raise DataError(f"{file}:{line}: not UTF-8; save the file as UTF-8") from None
    if file.suffix.lower() in {".jsonl", ".ndjson"}:
        yield from _json_rows(file, text)
    elif file.suffix.lower() == ".csv":
        yield from _csv_rows(file, text)
    else:
        raise DataError(f"{file}: expected a name that ends in .csv, .jsonl or .ndjson")


def _csv_rows(file: Path, text: str) -> Iterator[tuple[str, Row]]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    header: list[str] = []
    try:
        for cells in reader:
            where = f"{file}:{reader.line_num}"
            if not header:
                header = [cell.strip() for cell in cells]
                _check_fields(where, header)
                continue
            if not cells:
                continue
            if len(cells) != len(header):
                raise DataError(
                    f"{where}: {len(cells)} fields; expected {len(header)} as in line 1"
                )
            yield where, dict(zip(header, cells, strict=True))
    except csv.Error as error:
        raise DataError(
            f"{file}:{reader.line_num}: {error}; expected comma-separated fields"
        ) from None


def _json_rows(file: Path, text: str) -> Iterator[tuple[str, Row]]:
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        where = f"{file}:{number}"
        try:
            row = json.loads(line, object_pairs_hook=_fields)
        except (ValueError, RecursionError) as error:
            raise DataError(f"{where}: not JSON ({error}); expected one object a line") from None
        if not isinstance(row, dict):
            raise DataError(f"{where}: {type(row).__name__}; expected a JSON object")
        attributes = row.pop("attributes", None)
        if not isinstance(attributes, dict | None):
            raise DataError(
                f"{where}: attributes is {attributes!r}; expected an object, NAME: VALUE"
            )
        named = {f"{PREFIX}{name}": value for name, value in (attributes or {}).items()}
        _check_fields(where, [*row, *named])
        yield where, row | named


def _fields(pairs: list[tuple[str, Any]]) -> Row:
    """Return a JSON object's fields; json itself would keep the last of two with one name."""
    row = dict(pairs)
    if len(row) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the field {twice!r} stands twice")
    return row


def _check_fields(where: str, names: list[str]) -> None:
    if "path" not in names:
        found = ", ".join(map(repr, names)) or "nothing"
        raise DataError(f"{where}: no field `path`; found {found}")
    for name in names:
        if names.count(name) > 1:
            raise DataError(f"{where}: the field {name!r} stands twice")
        if name not in FIELDS and not (name.startswith(PREFIX) and name != PREFIX):
            hint = f"attributes are named {PREFIX}NAME"
            raise DataError(f"{where}: {UnknownNameError('field', name, FIELDS, hint)}")
        _check_characters(where, "a field's name", name)


def _text(where: str, row: Row, name: str) -> str:
    value = row.get(name)
    if value is None:
        return ""
    if not isinstance(value, str | int) or isinstance(value, bool):
        raise DataError(f"{where}: {name} is {value!r}; expected text")
    return _check_characters(where, name, str(value).strip())


def _check_characters(where: str, name: str, text: str) -> str:
    """Return the text unless it holds what no file and no table can: NUL, half a character."""
    if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise DataError(
            f"{where}: {name} is {text!r}; expected text without NUL or lone surrogates"
        )
    return text


def _check_path(where: str, path: str) -> None:
    parts = PurePosixPath(path.replace("\\", "/")).parts
    if not path or path[0] in "/\\" or ".." in parts or path[1:2] == ":":
        raise DataError(f"{where}: path {path!r}; expected a path below the file's folder")


def _box(where: str, row: Row) -> tuple[float, ...]:
    value = row.get("box")
    if value in (None, ""):
        return (math.nan,) * 4
    given = value.split() if isinstance(value, str) else value
    try:
        with np.errstate(over="ignore"):  # the catalog holds float32: what it cannot is refused
            numbers = [float(np.float32(float(v))) for v in given if isinstance(given, list)]
    except (TypeError, ValueError, OverflowError):
        numbers = []
    # not (a < b) also refuses what is not a number
    if len(numbers) != 4 or not (0 <= numbers[0] < numbers[2] < math.inf
                                 and 0 <= numbers[1] < numbers[3] < math.inf):  # fmt: skip
        raise DataError(f"{where}: box {value!r}; expected x1 y1 x2 y2 in pixels, x1 < x2, y1 < y2")
    return tuple(numbers)


def _attributes(where: str, row: Row) -> dict[str, list[str]]:
    found = {}
    for field, value in row.items():
        if not field.startswith(PREFIX) or value in (None, "", []):
            continue
        values = value.split("|") if isinstance(value, str) else value
        values = values if isinstance(values, list) else [values]
        if not all(isinstance(v, str | int) and not isinstance(v, bool) for v in values):
            raise DataError(
                f"{where}: {field!r} is {value!r}; expected a value or a list of values"
            )
        texts = [_check_characters(where, repr(field), str(v).strip()) for v in values]
        if any(texts):
            found[field.removeprefix(PREFIX)] = [text for text in texts if text]
    return found


def _matrices(labels: list[dict[str, list[str]]]) -> tuple[AttributeSchema, Any, Any]:
    """Return the schema of all labels, `present` (N, V) and `known` (N, A)."""
    values: dict[str, set[str]] = {}
    multiple: set[str] = set()
    for label in labels:
        for name, chosen in label.items():
            values.setdefault(name, set()).update(chosen)
            if len(set(chosen)) > 1:
                multiple.add(name)
    schema = AttributeSchema(
        tuple(Attribute(n, tuple(sorted(values[n])), n in multiple) for n in sorted(values))
    )
    present = np.zeros((len(labels), schema.width), np.uint8)
    known = np.zeros((len(labels), len(schema.attributes)), np.bool_)
    places = {
        (attribute.name, value): schema.columns(attribute.name).start + place
        for attribute in schema.attributes
        for place, value in enumerate(attribute.values)
    }
    numbers = {attribute.name: number for number, attribute in enumerate(schema.attributes)}
    for row, label in enumerate(labels):
        for name, chosen in label.items():
            known[row, numbers[name]] = True
            for value in chosen:
                present[row, places[name, value]] = 1
    return schema, present, known
