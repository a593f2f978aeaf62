"""Reads DARN: pair files with tags, or where these are not there the list of addresses of ASEN."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from bench.catalog import Catalog
from bench.errors import IncompatibleError
from bench.protocols import Protocol
from bench_darn_pairs import FOLDERS, pairs, urls
from bench_darn_pairs.photographs import find_photographs
from bench_darn_pairs.protocols import (
    attribute_protocol,
    gallery_sizes,
    manipulation_protocol,
    street_to_shop,
)
from bench_darn_pairs.vocabulary import Flags, Images, numbered_schema, present_values

_PAIR_PROTOCOLS = (street_to_shop, gallery_sizes, manipulation_protocol)
_ASEN_PROTOCOLS = (manipulation_protocol, attribute_protocol)


class Darn:
    """The reader of both editions and of both forms of the full one."""

    def __init__(self, name: str) -> None:
        self.name = name

    def find(self, data_root: Path) -> Path | None:
        """Return the folder with the pair files or `darn_url.txt`: below `data_root`, or itself."""
        for root in (*(data_root / folder for folder in FOLDERS), data_root):
            if pairs.has_pairs(root) or (root / urls.URLS).is_file():
                return root
        return None

    def sources(self, root: Path) -> Sequence[Path]:
        """Return the annotation files, and the folder of photographs: absent ones are left out."""
        names = (*pairs.FILES, urls.URLS) if pairs.has_pairs(root) else urls.FILES
        photographs = root / _image_folder(root)
        files = [root / name for name in names if (root / name).is_file()]
        return [*files, photographs if photographs.is_dir() else root]

    def load(self, root: Path) -> Catalog:
        """Return the catalog: one row per image whose photograph is there, or of all if none is."""
        images = pairs.read_pairs(root) if pairs.has_pairs(root) else urls.read_images(root)
        notes = list(images.notes)
        if pairs.has_pairs(root) and (root / urls.URLS).is_file():
            notes.append(f"{urls.URLS} is not read, since the pair files are here")
        prefix, here = find_photographs(root, _image_folder(root), images.names)
        if here is None:
            notes.append(f"there are no photographs: all {len(images.names):,} images are listed")
            here = np.ones(len(images.names), np.bool_)
        else:
            notes += _coverage(images, here)
        schema = numbered_schema(images.sizes)
        categories = np.array([*schema.attribute("category").values, ""], dtype=object)
        number = list(images.sizes).index("category")
        names = np.array(images.names, dtype=object)[here]
        labels = images.labels[here]
        columns = {
            "id": names,
            "path": prefix + names,
            "item": images.items[here],
            "domain": images.domains[here],
            "split": images.splits[here],
            "category": categories[labels[:, number]],  # the last one for -1, a missing tag
        }
        return Catalog.from_columns(
            self.name,
            root,
            columns,
            schema=schema,
            present=present_values(labels, images.sizes),
            known=labels >= 0,
            notes=notes,
        )

    def protocols(self, catalog: Catalog) -> Sequence[Protocol]:
        """Return those of the form that was read, as far as the photographs here allow."""
        has_domains = bool((catalog.codes("domain") >= 0).all())
        found, reasons = [], []
        for build in _PAIR_PROTOCOLS if has_domains else _ASEN_PROTOCOLS:
            try:
                found.append(build(catalog))
            except IncompatibleError as error:
                reasons.append(str(error))
        if not found:
            raise IncompatibleError("; ".join(dict.fromkeys(reasons)))
        return found

    def draw_mini(self, root: Path, *, seed: int, items: int | None = None) -> None:
        """Draw the mini edition as the new folder `root`; `items` counts the validation pairs'."""
        from bench_darn_pairs.mini import ITEMS, draw_mini

        draw_mini(root, seed=seed, items=ITEMS if items is None else items)


def _image_folder(root: Path) -> str:
    return "images" if pairs.has_pairs(root) else urls.FOLDER


def _coverage(images: Images, here: Flags) -> list[str]:
    """Return how many photographs of each split are here, and how many queries lack an answer."""
    notes = []
    for split in dict.fromkeys(images.splits):
        of_split = images.splits == split
        count, total = int((of_split & here).sum()), int(of_split.sum())
        notes.append(f"{split or 'no split'}: {count:,} of {total:,} photographs are here")
    queries = here & (images.splits == "query")
    offered = images.items[here & (images.splits == "gallery")]
    alone = int((~np.isin(images.items[queries].astype(str), offered.astype(str))).sum())
    if alone:
        notes.append(
            f"{alone:,} of {int(queries.sum()):,} queries here have no shop photograph of their "
            "item here"
        )
    return notes
