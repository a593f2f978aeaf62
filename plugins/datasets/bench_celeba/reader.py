"""Reads the annotation files of CelebA into a catalog."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bench.annotations import find_below
from bench.attribute_protocols import manipulation
from bench.catalog import Attribute, AttributeSchema, Catalog
from bench.errors import DataError
from bench.protocols import Protocol
from bench.splits import FILES as SPLIT_FILES
from bench.splits import divide, has_split_files
from bench_celeba import FOLDERS, PROTOCOLS
from bench_celeba.files import COMMAS, PARTS, read_attributes, read_identities, read_partition
from bench_celeba.vocabulary import GROUPS, group_values

# as published, and as torchvision wants them: all in one folder
ATTRIBUTES = ("Anno/list_attr_celeba.txt", "list_attr_celeba.txt")
IDENTITIES = ("Anno/identity_CelebA.txt", "identity_CelebA.txt")
PARTITION = ("Eval/list_eval_partition.txt", "list_eval_partition.txt")
PICTURES = ("Img/img_align_celeba", "img_align_celeba")
# the release as comma-separated tables, found so that the error can say what it is
TABLE = "list_attr_celeba.csv"
SCHEMA = AttributeSchema(tuple(Attribute(group, values) for group, values in GROUPS.items()))


class CelebA:
    """The reader of both editions, which have one layout."""

    def __init__(self, name: str) -> None:
        self.name = name

    def find(self, data_root: Path) -> Path | None:
        """Return the folder with the file of attributes: below `data_root`, or itself."""
        candidates = [*(data_root / folder for folder in FOLDERS), data_root]
        for root in candidates:
            if any((root / name).is_file() for name in (*ATTRIBUTES, TABLE)):
                return root
        return None

    def sources(self, root: Path) -> Sequence[Path]:
        """Return the annotation files that are there, and the pictures if in an odd place."""
        kinds = [ATTRIBUTES, IDENTITIES, PARTITION, *((name,) for name in SPLIT_FILES.values())]
        files = [file for kind in kinds if (file := find_below(root, *kind)).is_file()]
        usual, pictures = root / _usual_place(root), root / _pictures(root)
        return [*files, pictures] if pictures != usual else files

    def load(self, root: Path) -> Catalog:
        """Return the catalog; its ids are the names of the files."""
        file, table = find_below(root, *ATTRIBUTES), root / TABLE
        if table.is_file() and not file.is_file():
            raise DataError(f"{table}:1: {COMMAS}; expected {file.name} of the published data")
        names, binary = read_attributes(file)
        identities, notes = self._read_optional(root, names)
        origin = "split files" if has_split_files(root) else "the hash of their names"
        notes.append(f"queries, gallery and training images are divided by {origin}")
        folder = _pictures(root)
        columns = {
            "id": names,
            "path": [f"{folder}/{name}" for name in names],
            "item": identities,
            "split": divide(root, names),
        }
        return Catalog.from_columns(
            self.name,
            root,
            columns,
            schema=SCHEMA,
            present=_present(group_values(binary)),
            known=np.ones((len(names), len(GROUPS)), np.bool_),
            notes=notes,
        )

    def protocols(self, catalog: Catalog) -> Sequence[Protocol]:
        """Return the one protocol, `manipulation`."""
        return [
            manipulation(
                "manipulation",
                PROTOCOLS["manipulation"],
                catalog,
                queries=catalog.rows(split="query"),
                gallery=catalog.rows(split="gallery"),
                training=catalog.rows(split="train"),
            )
        ]

    def draw_mini(self, root: Path, *, seed: int, items: int | None = None) -> None:
        """Draw the mini edition as the new folder `root`; `items` asks for so many pictures."""
        from bench_celeba.mini import draw_mini

        draw_mini(root, seed=seed, items=items)

    def _read_optional(self, root: Path, names: Sequence[str]) -> tuple[Sequence[str], list[str]]:
        """Return the identity of each picture, "" where there are none, and notes."""
        file, notes = find_below(root, *IDENTITIES), []
        if file.is_file():
            identities = read_identities(file, names)
        else:
            identities = [""] * len(names)
            notes.append(f"no {IDENTITIES[0]}: no picture has an identity")
        file = find_below(root, *PARTITION)
        if file.is_file():
            counts = Counter(read_partition(file, names))
            found = ", ".join(f"{counts[part]:,} {part}" for part in PARTS)
            notes.append(f"{PARTITION[0]} has {found}; the protocol divides them otherwise")
        else:
            notes.append(f"no {PARTITION[0]}: it is only checked and counted, not used")
        return identities, notes


def _usual_place(root: Path) -> str:
    """Return where the pictures belong, by where the attributes are."""
    return PICTURES[find_below(root, *ATTRIBUTES) == root / ATTRIBUTES[1]]


def _pictures(root: Path) -> str:
    """Return the folder of the pictures: the usual place, or the other where only that is there."""
    usual = _usual_place(root)
    there = [place for place in PICTURES if (root / place).is_dir()]
    return usual if usual in there or not there else there[0]


def _present(values: npt.NDArray[np.int64]) -> npt.NDArray[np.uint8]:
    """Return values (N, A), counted from 0 within their attribute, as a matrix (N, V)."""
    present = np.zeros((len(values), SCHEMA.width), np.uint8)
    starts = [SCHEMA.columns(group).start for group in GROUPS]
    np.put_along_axis(present, values + np.array(starts), 1, axis=1)
    return present
