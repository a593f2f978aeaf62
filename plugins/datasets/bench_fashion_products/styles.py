"""Parses `styles.csv`, whose last field, the product's name, may hold unquoted commas."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from bench.annotations import Line, duplicates, read_lines, shown

COLUMNS = tuple(
    "id gender masterCategory subCategory articleType baseColour season year usage "
    "productDisplayName".split()
)
HEADER = ",".join(COLUMNS)
_MISSING = ("", "NA")
_LARGEST_ID = 10**9


def read_styles(file: Path) -> pd.DataFrame:
    """Return the products in the file's order: `COLUMNS` as str, "" where a field is missing.

    Raises:
        DataError: another header, a line of too few fields, an id or a year that is not a number,
            an id that stands twice, no product.

    """
    head, *lines = read_lines(file)
    if head.text.strip() != HEADER:
        raise head.error(f"columns {shown(head.text)}", HEADER)
    if not lines:
        raise head.error("no line after it", "a line for each product")
    rows = [_fields(line) for line in lines]
    for again, first in duplicates([row[0] for row in rows]):
        # the header is line 1
        raise lines[again].error(f"id {rows[again][0]} again, after line {first + 2}", "each once")
    return pd.DataFrame(rows, columns=list(COLUMNS), dtype="str")


def _fields(line: Line) -> list[str]:
    """Return a line's ten fields; commas after the ninth belong to the name."""
    fields = line.text.split(",", len(COLUMNS) - 1)
    if len(fields) < len(COLUMNS):
        raise line.error(f"{len(fields)} fields in {shown(line.text)}", HEADER)
    fields = [field.strip() for field in fields]
    fields[0] = str(line.integer(fields[0], "id", 0, _LARGEST_ID))
    year = COLUMNS.index("year")
    if fields[year] not in _MISSING:
        # a comma too many in a field before would shift the columns without notice
        line.integer(fields[year], "year", 1900, 2100)
    return ["" if field in _MISSING else field for field in fields]
