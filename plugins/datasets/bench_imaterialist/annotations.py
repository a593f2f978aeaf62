"""The JSON files: images, and the labels of each, a million of them on one line.

Both spellings of the keys are read (`imageId`, `labelId` as Kaggle served them, `image_id`,
`label_id` as the documentation has them), and ids as numbers or as strings of digits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Annotated, Any, Generic, Literal, TypeVar

import msgspec
import numpy as np
import numpy.typing as npt

from bench.annotations import Line, read_json, read_text
from bench.errors import DataError
from bench_imaterialist.labels import LabelMap

_Number = Annotated[int, msgspec.Meta(ge=0, le=10**9)]
_Digits = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{1,9}$")]
_Id = TypeVar("_Id", bound=int | str)
_List = Literal["images", "annotations"]


class _Image(msgspec.Struct, Generic[_Id], gc=False):
    imageId: _Id | None = None  # noqa: N815 (a published key)
    image_id: _Id | None = None


class _Annotation(msgspec.Struct, Generic[_Id]):
    imageId: _Id | None = None  # noqa: N815
    image_id: _Id | None = None
    labelId: list[_Id] | None = None  # noqa: N815
    label_id: list[_Id] | None = None


_HasImage = _Image[Any] | _Annotation[Any]


class _Document(msgspec.Struct, Generic[_Id]):
    images: list[_Image[_Id]]
    annotations: list[_Annotation[_Id]] = []


class _RawDocument(msgspec.Struct):
    """The same, its elements not looked into."""

    images: list[msgspec.Raw] = []
    annotations: list[msgspec.Raw] = []


@dataclass(frozen=True)
class Annotations:
    """The images of one file and their labels.

    `ids` (N,) are the image ids in the file's order. Label l is the value in column `columns[l]` of
    the label map and belongs to image `owners[l]`, a position in `ids`; both are (L,).
    """

    ids: npt.NDArray[np.int64]
    owners: npt.NDArray[np.int64]
    columns: npt.NDArray[np.int64]
    unlabelled: int  # images without an annotation


def read_annotations(file: Path, label_map: LabelMap) -> Annotations:
    """Return the images and labels of a file, joined by image id; int64 throughout.

    Raises:
        DataError: malformed JSON, an id that is absent or stands twice, an annotation whose image
            or label is unknown.

    """
    document = _decode(file)
    if not document.images:
        raise Line(file, 1, "").error("no image", "images")
    ids = _image_ids(file, "images", document.images)
    owners = _positions(file, _image_ids(file, "annotations", document.annotations), ids)
    lists = [a.labelId if a.labelId is not None else a.label_id for a in document.annotations]
    if None in lists:
        raise _error(file, "annotations", lists.index(None), "neither labelId nor label_id", "one")
    given = [labels for labels in lists if labels is not None]
    counts = np.fromiter(map(len, given), np.int64, len(given))
    labels = np.fromiter(map(int, chain.from_iterable(given)), np.int64, int(counts.sum()))
    inside = labels < len(label_map.columns)
    columns = np.where(inside, label_map.columns[np.where(inside, labels, 0)], -1)
    unknown = np.flatnonzero(columns < 0)
    if len(unknown):
        at = int(np.searchsorted(np.cumsum(counts), unknown[0], side="right"))
        found = f"label {labels[unknown[0]]}"
        raise _error(file, "annotations", at, found, "the label ids of the label map")
    return Annotations(ids, np.repeat(owners, counts), columns, len(ids) - len(owners))


def _decode(file: Path) -> _Document[Any]:
    try:
        # not strict: numbers in quotes become numbers at once, without a million strings
        return msgspec.json.decode(file.read_bytes(), type=_Document[_Number], strict=False)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return read_json(file, _Document[_Number | _Digits])  # says where, or can read it


def _image_ids(file: Path, name: _List, elements: Sequence[_HasImage]) -> npt.NDArray[np.int64]:
    """Return the image id of each element of a list, (N,); each must have one of its own."""
    found = [e.imageId if e.imageId is not None else e.image_id for e in elements]
    if None in found:
        raise _error(file, name, found.index(None), "neither imageId nor image_id", "one of them")
    ids = np.fromiter((int(i) for i in found if i is not None), np.int64, len(found))
    order = np.argsort(ids, kind="stable")
    again = order[1:][ids[order[1:]] == ids[order[:-1]]]
    if len(again):
        at = int(again.min())
        raise _error(file, name, at, f"image id {ids[at]} again", "each image id once")
    return ids


def _positions(
    file: Path, wanted: npt.NDArray[np.int64], ids: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """Return where each annotation's image id stands in `ids`."""
    order = np.argsort(ids)
    at = np.minimum(np.searchsorted(ids, wanted, sorter=order), len(ids) - 1)
    positions = order[at]
    absent = np.flatnonzero(ids[positions] != wanted)
    if len(absent):
        found = f"image id {wanted[absent[0]]}"
        raise _error(file, "annotations", int(absent[0]), found, "the id of one of the images")
    return positions


def _error(file: Path, name: _List, position: int, found: str, expected: str) -> DataError:
    """Return the error of one element of a list, with the line that it starts on."""
    text = read_text(file)
    document = read_json(file, _RawDocument)
    at = 0
    for element in (document.images if name == "images" else document.annotations)[: position + 1]:
        start = text.find(bytes(element).decode(), at)
        at = start + 1
    line = Line(file, 1 + text.count("\n", 0, at), "")
    return line.error(f"$.{name}[{position}]: {found}", expected)
