"""The split files of ASEN: lists of images, and labels that number them, one split at a time.

    filenames_{train,valid,test}.txt            an image path a line
    label_train.txt                             IMAGE ATTRIBUTE VALUE [ATTRIBUTE VALUE …]
    {query,candidate}_{valid,test}.txt          IMAGE ATTRIBUTE VALUE

All are numbers from 0; meta.json says which attribute has which.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt
import pandas as pd

from bench.annotations import Line, read_json, read_lines, shown
from bench.catalog import Catalog
from bench.errors import IncompatibleError
from bench.protocols import Protocol
from bench.tasks import Condition, Rows, Task
from bench_fashionai.rounds import FOLDERS as ROUNDS
from bench_fashionai.vocabulary import DIMENSIONS, SUFFIX

FOLDERS = ("data/FashionAI", "ASEN/FashionAI", "ASEN", "")
# label file → the split whose images it numbers
PARTS = {
    "label_train": "train",
    "query_valid": "valid",
    "candidate_valid": "valid",
    "query_test": "test",
    "candidate_test": "test",
}
METRICS = ("hit@1", "precision@10", "map@r")
_IMAGES = "Images/"

Names = npt.NDArray[np.object_]


class _Dataset(msgspec.Struct):
    attributes: list[str] = msgspec.field(name="ATTRIBUTES")
    sizes: dict[str, int] = msgspec.field(name="ATTRIBUTES_NUM")


class _Meta(msgspec.Struct):
    dataset: _Dataset = msgspec.field(name="FashionAI")


def find_asen(root: Path) -> Path | None:
    """Return the folder of the split files below `root`, if there is one."""
    folders = (root / folder for folder in FOLDERS)
    return next((folder for folder in folders if (folder / "filenames_test.txt").is_file()), None)


def asen_files(root: Path, folder: Path) -> list[Path]:
    """Return the files that are there, of those that are read."""
    names = [*(f"filenames_{split}" for split in dict.fromkeys(PARTS.values())), *PARTS]
    files = [file for name in names if (file := folder / f"{name}.txt").is_file()]
    meta = _meta_file(root, folder)
    return [*files, *([meta] if meta else [])]


def read_asen(root: Path, folder: Path) -> pd.DataFrame:
    """Return one row per labelled image and dimension.

    Columns: `part` (a key of `PARTS`), `line` of its file, `path` as written, `image` (the path
    from Images/ on, as label files have it), `dimension`, `value` (counted from 0).

    Raises:
        DataError: a malformed line, a number out of range, attributes other than FashionAI's, an
            image that stands twice in a file for one dimension, or has two values of it.

    """
    meta = _meta_file(root, folder)
    dimensions = _read_order(meta) if meta else list(DIMENSIONS)
    names = {
        split: _read_names(folder / f"filenames_{split}.txt")
        for split in dict.fromkeys(PARTS.values())
    }
    rows = []
    for part, split in PARTS.items():
        for line in read_lines(folder / f"{part}.txt"):
            for image, dimension, value in _triples(line, len(names[split]), dimensions):
                path = names[split][image]
                rows.append((part, line.number, path, _from_images(path), dimension, value))
    labels = pd.DataFrame(rows, columns=["part", "line", "path", "image", "dimension", "value"])
    _require_consistent(folder, labels)
    return labels


def rows_of(ids: pd.Index[str], dimensions: Names, labels: pd.DataFrame) -> Rows:
    """Return the catalog row of each of ASEN's labels, (L,); -1 where there is none.

    `ids` and `dimensions` (N,) are those of the catalog's rows: of a round, or added for ASEN.
    """
    wanted = labels["dimension"].to_numpy(object)
    rows = np.full(len(labels), -1, np.int64)
    for prefix in ROUNDS:
        found = ids.get_indexer(pd.Index(f"{prefix}/" + labels["image"]))
        fits = (found >= 0) & (rows < 0)
        fits[fits] = dimensions[found[fits]] == wanted[fits]
        rows[fits] = found[fits]
    return np.where(rows < 0, ids.get_indexer(pd.Index(added_ids(labels))), rows)


def added_ids(labels: pd.DataFrame) -> pd.Series[str]:
    """Return the ids that ASEN's labels have where no round has their image."""
    return "asen/" + labels["dimension"] + "/" + labels["image"]


def picture_paths(root: Path, folder: Path, paths: Sequence[str]) -> list[str]:
    """Return where below `root` ASEN's images are: in its folder, or in that of a round."""
    own = folder.relative_to(root).as_posix()
    places = [name for names in ROUNDS.values() for name in names if (root / name).is_dir()]
    found = []
    for path in paths:
        expected = path if own == "." else f"{own}/{path}"
        image = _from_images(path)
        candidates = [expected, *(f"{place}/{image}" for place in places)]
        # strings, as a hundred thousand of them take their time
        here = (name for name in candidates if os.path.isfile(f"{root}/{name}"))  # noqa: PTH113
        found.append(next(here, expected))
    return found


def asen_protocol(name: str, summary: str, catalog: Catalog, labels: pd.DataFrame) -> Protocol:
    """Return ASEN's test, one task per dimension: its queries against its candidates.

    What is relevant, ASEN's own values say. Training images whose picture is evaluated, under
    another name or in another dimension, are left out.

    Raises:
        IncompatibleError: no dimension has both queries and candidates.

    """
    ids = pd.Index(catalog.images["id"])
    rows = rows_of(ids, catalog.images["category"].to_numpy(object), labels)
    values = labels["value"].to_numpy(np.int64)
    tasks = []
    for dimension in DIMENSIONS:
        asked, offered = (
            ((labels["part"] == part) & (labels["dimension"] == dimension)).to_numpy()
            for part in ("query_test", "candidate_test")
        )
        if asked.any() and offered.any():
            task = Task(
                dimension,
                rows[asked],
                rows[offered],
                values[asked],
                values[offered],
                Condition(dimension),
            )
            tasks.append(task)
    if not tasks:
        raise IncompatibleError(f"protocol {name}: no dimension has both queries and candidates")
    pictures = catalog.codes("picture")
    evaluated = np.unique(np.concatenate([task.rows() for task in tasks]))
    training = np.unique(rows[(labels["part"] == "label_train").to_numpy()])
    training = training[~np.isin(pictures[training], pictures[evaluated])]
    return Protocol(name, summary, tuple(tasks), METRICS, "map@r", training)


def _from_images(path: str) -> str:
    """Return a path from its folder Images on, if it has one."""
    start = path.rfind(_IMAGES)
    return path[start:] if start >= 0 else path


def _meta_file(root: Path, folder: Path) -> Path | None:
    """Return meta.json of the folder or, below `root`, of the one that holds it."""
    folders = (folder,) if folder == root else (folder, folder.parent)
    return next((f / "meta.json" for f in folders if (f / "meta.json").is_file()), None)


def _read_order(file: Path) -> list[str]:
    """Return the dimensions in the order of ASEN's attribute numbers."""
    found = read_json(file, _Meta).dataset
    order = [name.removesuffix(SUFFIX) for name in found.attributes]
    sizes = {name.removesuffix(SUFFIX): size for name, size in found.sizes.items()}
    expected = {name: len(values) for name, values in DIMENSIONS.items()}
    if sorted(order) != sorted(expected) or sizes != expected:
        found_sizes = ", ".join(f"{name} {sizes.get(name)}" for name in order)
        raise Line(file, 1, "").error(
            f"attributes {shown(found_sizes)}",
            ", ".join(f"{name} {size}" for name, size in expected.items()),
        )
    return order


def _read_names(file: Path) -> list[str]:
    return [line.path(line.text.strip()) for line in read_lines(file)]


def _triples(line: Line, images: int, dimensions: Sequence[str]) -> Iterator[tuple[int, str, int]]:
    """Yield (image, dimension, value) for each pair of numbers after a line's first one."""
    image, *pairs = line.text.split() or [""]
    one = not line.file.name.startswith("label")
    if not pairs or len(pairs) % 2 or (one and len(pairs) > 2):
        grammar = "IMAGE ATTRIBUTE VALUE" + ("" if one else " [ATTRIBUTE VALUE …]")
        raise line.error(f"{len(line.text.split())} fields in {shown(line.text)}", grammar)
    number = line.integer(image, "image number", 0, images - 1)
    for attribute, value in zip(pairs[::2], pairs[1::2], strict=True):
        dimension = dimensions[line.integer(attribute, "attribute", 0, len(dimensions) - 1)]
        most = len(DIMENSIONS[dimension]) - 1
        yield number, dimension, line.integer(value, f"value of {dimension}", 0, most)


def _require_consistent(folder: Path, labels: pd.DataFrame) -> None:
    """Refuse an image that stands twice in a file for one dimension, or has two values of it."""
    again = labels.duplicated(["part", "image", "dimension"])
    first = labels.groupby(["image", "dimension"], sort=False)["value"].transform("first")
    unlike = labels["value"] != first
    bad = np.flatnonzero(again | unlike)
    if not len(bad):
        return
    row = labels.iloc[bad[0]]
    line = Line(folder / f"{row['part']}.txt", int(row["line"]), "")
    what = f"image {shown(row['image'])} for {row['dimension']}"
    if unlike.iloc[bad[0]]:
        raise line.error(
            f"{what} with the value {row['value']}", f"the value {first.iloc[bad[0]]} as before"
        )
    raise line.error(f"{what} again", "each image once for a dimension")
