"""The images of a dataset as one table, columnar from the file to the last step.

`Catalog.images` is a frame with one row per image:

    id        unique name of the row; the path unless one photograph stands for several queries
    path      image file, relative to the catalog's root, with forward slashes
    item      identity that instance retrieval must find; "" where there is none
    category  class of the garment, bird or face; "" where there is none
    domain    "shop", "street" or ""
    split     "train", "validation", "test", "query", "gallery" … as published; "" where none
    picture   equal where files are copies of one picture under several names; "" where unknown
    x1 y1 x2 y2   box in pixels of the image as it is shown (after its EXIF rotation); NaN: none

Attributes stand beside it as a matrix of present values, so that a million images cost megabytes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from bench import fingerprints
from bench.errors import DataError
from bench.pictures import digests
from bench.storage import cache_folder, replacing

CODED = ("item", "category", "domain", "split", "picture")
BOX = ("x1", "y1", "x2", "y2")
_FORMAT = 2  # part of a cached catalog's name: raise it when the columns below change


@dataclass(frozen=True)
class Attribute:
    """One attribute and its values; single-valued (one or missing) unless `multiple`."""

    name: str
    values: tuple[str, ...]
    multiple: bool = False


@dataclass(frozen=True)
class AttributeSchema:
    """The attributes of a dataset, in order; their values, laid end to end, are V columns."""

    attributes: tuple[Attribute, ...] = ()

    @property
    def width(self) -> int:
        """V, the number of values of all attributes together."""
        return sum(len(attribute.values) for attribute in self.attributes)

    def columns(self, name: str) -> slice:
        """Return the columns of one attribute's values in the attribute matrix."""
        start = 0
        for attribute in self.attributes:
            if attribute.name == name:
                return slice(start, start + len(attribute.values))
            start += len(attribute.values)
        raise KeyError(name)

    def attribute(self, name: str) -> Attribute:
        """Return one attribute by name."""
        return next(attribute for attribute in self.attributes if attribute.name == name)


@dataclass(frozen=True)
class Catalog:
    """All images of one edition of a dataset; see the module's text for the columns of `images`.

    `present` is uint8 `(N, V)`, 1 where the image has the value; `known` is bool `(N, A)`, False
    where the attribute was not labelled (then its values are 0 in `present`).
    """

    dataset: str
    root: Path
    images: pd.DataFrame
    schema: AttributeSchema = field(default_factory=AttributeSchema)
    present: npt.NDArray[np.uint8] = field(default_factory=lambda: np.zeros((0, 0), np.uint8))
    known: npt.NDArray[np.bool_] = field(default_factory=lambda: np.zeros((0, 0), np.bool_))
    notes: tuple[str, ...] = ()  # what the reader left out or put right, with numbers
    options: Mapping[str, Any] = field(default_factory=dict)  # of the dataset, as it was read
    edition: Literal["full", "mini"] = "full"
    fingerprint: str = ""

    @classmethod
    def from_columns(
        cls,
        dataset: str,
        root: Path,
        columns: dict[str, Any],
        *,
        schema: AttributeSchema | None = None,
        present: npt.NDArray[np.uint8] | None = None,
        known: npt.NDArray[np.bool_] | None = None,
        notes: Sequence[str] = (),
    ) -> Catalog:
        """Return a validated catalog; only `path` is required, missing columns are filled."""
        try:
            frame = pd.DataFrame({"path": pd.Series(columns["path"], dtype="str")})
            frame.insert(0, "id", pd.Series(columns.get("id", frame["path"]), dtype="str"))
            for name in CODED:
                values = columns.get(name, "")
                frame[name] = pd.Series(values, index=frame.index, dtype="str").astype("category")
        except UnicodeEncodeError as error:  # a file name of bytes that are not UTF-8
            raise DataError(
                f"{dataset} at {root} holds {error.object!r}, which is not valid Unicode; rename it"
            ) from None
        for name in BOX:
            frame[name] = np.asarray(columns.get(name, np.nan), dtype=np.float32)
        schema = schema or AttributeSchema()
        count = len(frame)
        present = np.zeros((count, schema.width), np.uint8) if present is None else present
        if known is None:
            known = np.zeros((count, len(schema.attributes)), np.bool_)
        catalog = cls(dataset, root, frame, schema, present, known, tuple(notes))
        catalog._validate()
        return catalog

    def __len__(self) -> int:
        return len(self.images)

    @property
    def name(self) -> str:
        """Dataset and edition, as every record, table and plot must call it."""
        return f"{self.dataset}@{self.edition}"

    def codes(self, column: str) -> npt.NDArray[np.int64]:
        """Return one integer per image, equal where `column` is equal; -1 where it is empty."""
        values = self.images[column].cat
        codes = np.array(values.codes, dtype=np.int64)
        if "" in values.categories:
            codes[codes == values.categories.get_loc("")] = -1
        return codes

    def labels(self) -> npt.NDArray[np.int64]:
        """Return the first value of each attribute, counted from 0 within it, (N, A); -1: none."""
        labels = np.full((len(self), len(self.schema.attributes)), -1, np.int64)
        for number, attribute in enumerate(self.schema.attributes):
            values = self.present[:, self.schema.columns(attribute.name)]
            if values.shape[1]:
                labels[:, number] = np.where(values.any(axis=1), values.argmax(axis=1), -1)
        return labels

    def values_of(self, row: int) -> dict[str, str]:
        """Return the values that an image has, by attribute; several are joined by commas."""
        found = {}
        for attribute in self.schema.attributes:
            shown = self.present[row, self.schema.columns(attribute.name)]
            names = [name for name, has in zip(attribute.values, shown, strict=True) if has]
            if names:
                found[attribute.name] = ", ".join(names)
        return found

    def rows(self, **conditions: str | Sequence[str]) -> npt.NDArray[np.int64]:
        """Return the rows where each named column equals a value or is among several."""
        mask = np.ones(len(self), np.bool_)
        for column, values in conditions.items():
            accepted = [values] if isinstance(values, str) else list(values)
            mask &= self.images[column].isin(accepted).to_numpy()
        return np.flatnonzero(mask).astype(np.int64)

    def counts(self) -> dict[str, int]:
        """Return the numbers that a published count can be compared with.

        "images", one per split by its name, and where there are any "items", "categories",
        "attributes" and "values" (of all attributes together).
        """
        counts = {"images": len(self)}
        counts |= {str(k): int(v) for k, v in self.images["split"].value_counts().items() if k}
        for plural, column in (("items", "item"), ("categories", "category")):
            counts[plural] = len(set(self.images[column].cat.categories) - {""})
        counts |= {"attributes": len(self.schema.attributes), "values": self.schema.width}
        return {name: number for name, number in counts.items() if number}

    def has(self, need: str, rows: npt.NDArray[np.int64] | None = None) -> bool:
        """Return whether a method's need (`bench.interfaces.Need`) is met here.

        An attribute is single-valued where none of `rows` (all rows, if not given) has two values.
        """
        if need in {"items", "categories"}:
            return bool((self.codes({"items": "item"}.get(need, "category")) >= 0).any())
        if need == "boxes":
            return bool(self.images["x1"].notna().any())
        if need == "street and shop images":
            return {"street", "shop"} <= set(self.images["domain"].cat.categories)
        if need == "attributes":
            return bool(self.schema.attributes)
        return bool(self.single_valued(rows))

    def single_valued(self, rows: npt.NDArray[np.int64] | None = None) -> dict[str, int]:
        """Return the attributes that some of `rows` have a value of and none has two, by name.

        Each has its number in the schema, which is its column of `labels()`. All rows count, if not
        given.
        """
        chosen = self.present if rows is None else self.present[rows]
        return {
            attribute.name: number
            for number, attribute in enumerate(self.schema.attributes)
            if chosen[:, self.schema.columns(attribute.name)]
            .sum(axis=1, dtype=np.int64)
            .max(initial=0)
            == 1
        }

    def image_digests(self) -> list[str]:
        """Return the content hash of each row's image file (`bench.pictures.digests`).

        Raises `DataError` naming the first file that is absent.
        """
        paths = list(self.images["path"])
        found = digests(self.root, paths)
        absent = {path: None for path, digest in zip(paths, found, strict=True) if digest is None}
        if absent:
            raise DataError(
                f"{len(absent):,} of {len(set(paths)):,} image files are absent below {self.root}, "
                f"the first is {next(iter(absent))}; complete the data or remove the rows that "
                "name them"
            )
        return [digest for digest in found if digest is not None]

    def _validate(self) -> None:
        frame, where = self.images, f"{self.dataset} at {self.root}"
        if not len(frame):
            raise DataError(f"{where} has no images; expected at least one")
        if frame["id"].duplicated().any():
            twice = frame["id"][frame["id"].duplicated()].iloc[0]
            raise DataError(f"{where} names the image id {twice!r} more than once")
        path = frame["path"]
        outside = path.str.contains(r"^[/\\]|^[A-Za-z]:|(?:^|[/\\])\.\.(?:[/\\]|$)|\x00") | (
            path == ""
        )
        if outside.any():
            raise DataError(
                f"{where} names the image path {path[outside].iloc[0]!r}; "
                f"expected a path below {self.root}"
            )
        shapes = (len(frame), self.schema.width), (len(frame), len(self.schema.attributes))
        if (self.present.shape, self.known.shape) != shapes:
            raise ValueError(f"attribute matrices {self.present.shape}, {self.known.shape}: "
                             f"expected {shapes}")  # fmt: skip

    def save(self, path: Path) -> None:
        """Write the catalog as one Parquet file, attributes as packed bits."""
        columns = {
            name: pa.array(self.images[name].astype("str") if name in CODED else self.images[name])
            for name in self.images.columns
        }
        for name in CODED:
            columns[name] = columns[name].dictionary_encode()
        for name, matrix in (("present", self.present), ("known", self.known)):
            packed = np.packbits(matrix.astype(np.bool_), axis=1)
            if packed.shape[1]:
                kind = pa.binary(packed.shape[1])
                columns[name] = pa.FixedSizeBinaryArray.from_buffers(
                    kind, len(self), [None, pa.py_buffer(np.ascontiguousarray(packed))]
                )
        schema = [[a.name, list(a.values), a.multiple] for a in self.schema.attributes]
        facts = json.dumps({"dataset": self.dataset, "attributes": schema, "notes": self.notes})
        table = pa.table(columns).replace_schema_metadata({"bench": facts})
        with replacing(path) as temporary:
            pq.write_table(table, temporary, compression="zstd")

    @classmethod
    def read(cls, path: Path, root: Path) -> Catalog:
        """Return a catalog that `save` wrote, its images below `root`."""
        table = pq.read_table(path)
        facts = json.loads(table.schema.metadata[b"bench"])
        schema = AttributeSchema(
            tuple(
                Attribute(name, tuple(values), many) for name, values, many in facts["attributes"]
            )
        )
        matrices = []
        for name, width in (("present", schema.width), ("known", len(schema.attributes))):
            if not width:
                matrices.append(np.zeros((len(table), 0), np.uint8))
                continue
            column = table[name].combine_chunks()
            bits = np.frombuffer(column.buffers()[1], np.uint8).reshape(len(table), -1)
            matrices.append(np.unpackbits(bits, axis=1, count=width))
            table = table.drop_columns([name])
        frame = table.to_pandas()
        frame = frame.astype({"id": "str", "path": "str"} | dict.fromkeys(CODED, "category"))
        for name in CODED:  # numbered as `from_columns` does, and not as the file names them first
            values = frame[name].cat
            frame[name] = values.reorder_categories(sorted(values.categories))
        present, known = matrices[0], matrices[1].astype(np.bool_)
        return cls(facts["dataset"], root, frame, schema, present, known, tuple(facts["notes"]))


def load_catalog(
    name: str,
    root: Path,
    *,
    sources: Sequence[Path],
    parse: Callable[[Path], Catalog],
    options: Mapping[str, Any],
    code: str,
) -> Catalog:
    """Return the catalog at `root`: from the cache if the sources are unchanged, else parsed.

    `options` are those with which it is read, `code` is the hash of the reader's source: another
    one means a new parse too.
    """
    fingerprint = fingerprints.of_sources(sources)
    key = fingerprints.of_json(
        [_FORMAT, name, str(root.resolve()), fingerprint, dict(options), code]
    )
    path = cache_folder() / "catalogs" / f"{key}.parquet"
    if path.is_file():
        catalog = Catalog.read(path, root)
    else:
        catalog = parse(root)
        catalog.save(path)
    return replace(catalog, fingerprint=fingerprint, options=dict(options))
