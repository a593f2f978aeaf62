"""What is known of each image's garment: attributes by item, a colour by image."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bench.annotations import find_below
from bench.catalog import Attribute
from bench_inshop.files import Partition, read_attributes, read_colours, read_items
from bench_inshop.vocabulary import ATTRIBUTE, COLOUR

ITEMS = ("Anno/list_item_inshop.txt",)
ATTRIBUTE_NAMES = ("Anno/attributes/list_attr_cloth.txt", "Anno/list_attr_cloth.txt")
ITEM_ATTRIBUTES = ("Anno/attributes/list_attr_items.txt", "Anno/list_attr_items.txt")
COLOURS = ("Anno/attributes/list_color_cloth.txt", "Anno/list_color_cloth.txt")
OPTIONAL = (ITEMS, ATTRIBUTE_NAMES, ITEM_ATTRIBUTES, COLOURS)  # releases of 2016 lack some


@dataclass(frozen=True)
class Label:
    """One attribute of the catalog: `present` (N, values) uint8, `known` (N,) bool."""

    attribute: Attribute
    present: npt.NDArray[np.uint8]
    known: npt.NDArray[np.bool_]


def read_labels(root: Path, partition: Partition, *, colour: bool) -> tuple[list[Label], list[str]]:
    """Return the labels that this release has, and notes on what it has not; colours if asked for.

    Raises `DataError` for what is malformed, and for one attribute file without the other.
    """
    files = {kind: find_below(root, *kind) for kind in OPTIONAL}
    notes = [
        f"absent, as from early releases: {kind[0]}"
        for kind, file in files.items()
        if not file.is_file()
    ]
    items = set(partition.items)
    if files[ITEMS].is_file():
        listed = read_items(files[ITEMS], partition)
        if len(listed) > len(items):
            notes.append(f"{len(listed) - len(items):,} of {len(listed):,} items have no image")
        items = listed
    labels = []
    if files[ATTRIBUTE_NAMES].is_file() or files[ITEM_ATTRIBUTES].is_file():
        label, more = _read_attributes(
            files[ATTRIBUTE_NAMES], files[ITEM_ATTRIBUTES], items, partition
        )
        labels.append(label)
        notes += more
    if colour and files[COLOURS].is_file():
        labels.append(_read_colours(files[COLOURS], partition))
        notes += _unlabelled("a colour", labels[-1])
    return labels, notes


def _read_attributes(
    names_file: Path, items_file: Path, items: set[str], partition: Partition
) -> tuple[Label, list[str]]:
    table = read_attributes(names_file, items_file, items)
    rows = np.array([table.rows.get(item, -1) for item in partition.items])
    known = rows >= 0
    present = np.zeros((len(rows), len(table.names)), np.uint8)
    present[known] = table.present[rows[known]]
    label = Label(Attribute(ATTRIBUTE, table.names, multiple=True), present, known)
    notes = _unlabelled("attributes", label)
    if table.repeated:
        notes.append(f"{table.repeated:,} attribute rows repeat an equal row of the same item")
    return label, notes


def _read_colours(file: Path, partition: Partition) -> Label:
    colours = np.array(read_colours(file, partition.names))
    known = colours != ""
    values, codes = np.unique(colours[known], return_inverse=True)
    present = np.zeros((len(colours), len(values)), np.uint8)
    present[np.flatnonzero(known), codes] = 1
    return Label(Attribute(COLOUR, tuple(values.tolist())), present, known)


def _unlabelled(what: str, label: Label) -> list[str]:
    count = int((~label.known).sum())
    return [f"{count:,} images have no row with {what}"] if count else []
