"""The audit of a dataset before anybody trusts a number measured on it.

Counts against the published ones, images that are absent or damaged, pictures that stand under
several names and on both sides of a split, queries that nothing can answer, boxes that leave their
image, items on both sides of a split.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from bench import pictures
from bench.catalog import BOX, Catalog
from bench.environment import require_torchvision
from bench.errors import DamagedImageError
from bench.interfaces import DatasetSpec
from bench.protocols import Protocol
from bench.tasks import Rows, Task

EXAMPLES = 3  # of each finding
Listener = Callable[[int, int], None]


@dataclass(frozen=True)
class Count:
    """A number found here and, where there is one, the published number."""

    what: str
    here: int
    published: int | None = None

    @property
    def holds(self) -> bool:
        """Whether the published number, if any, is found."""
        return self.published in {None, self.here}


@dataclass(frozen=True)
class Finding:
    """Something that may be wrong, how often, and the first examples of it."""

    what: str
    number: int
    examples: tuple[str, ...] = ()


@dataclass(frozen=True)
class Audit:
    """What an audit found; `checked_images` says whether image files were looked at."""

    dataset: str
    root: str
    counts: list[Count]
    findings: list[Finding]
    notes: list[str]
    checked_images: bool

    @property
    def holds(self) -> bool:
        """Whether every published count holds and, where images were looked at, none is absent."""
        lost = any(f.number for f in self.findings if f.what == ABSENT)
        return all(count.holds for count in self.counts) and not lost


ABSENT = "image files that are absent"


def audit(
    spec: DatasetSpec,
    catalog: Catalog,
    protocols: Sequence[Protocol],
    *,
    images: bool,
    progress: Listener,
) -> Audit:
    """Return the audit of a catalog; `images` reads and decodes every image file as well.

    `progress(done, total)` is called while images are decoded. Mini editions have no published
    counts to be held against.
    """
    findings = [*_unanswerable(protocols, catalog), *_shared_items(protocols, catalog)]
    if images:
        require_torchvision()
        findings = [*_of_images(catalog, protocols, progress), *findings]
    return Audit(
        dataset=catalog.name,
        root=str(catalog.root),
        counts=_counts(spec, catalog, protocols),
        findings=findings,
        notes=list(catalog.notes),
        checked_images=images,
    )


def _counts(spec: DatasetSpec, catalog: Catalog, protocols: Sequence[Protocol]) -> list[Count]:
    full = catalog.edition == "full"
    published = dict(spec.counts) if full else {}
    here = catalog.counts()
    counts = [
        Count(name, here.get(name, 0), published.get(name))
        for name in dict.fromkeys([*here, *published])
    ]
    for protocol in protocols:
        tasks = protocol.tasks
        queries = np.unique(np.concatenate([task.queries for task in tasks]))
        gallery = _roles(protocol)[2]
        known = spec.protocol_counts.get(protocol.name) if full else None
        asked, offered = known or (None, None)
        counts.append(Count(f"{protocol.name}: queries", len(queries), asked))
        if len(gallery):
            counts.append(Count(f"{protocol.name}: gallery", len(gallery), offered))
        if isinstance(tasks[0], Task) and len(tasks) == 1:
            codes = tasks[0].gallery_codes
            groups = len(np.unique(codes[codes >= 0]))
            counts.append(Count(f"{protocol.name}: groups of relevant images", groups))
        if len(tasks) > 1:
            every = sum(len(task.queries) for task in tasks)
            counts.append(Count(f"{protocol.name}: tasks", len(tasks)))
            counts.append(Count(f"{protocol.name}: queries of all tasks", every))
    offered_here = {protocol.name for protocol in protocols}
    for name, (asked, _) in spec.protocol_counts.items():
        if full and name not in offered_here:
            counts.append(Count(f"{name}: queries", 0, asked))
    return counts


def _of_images(
    catalog: Catalog, protocols: Sequence[Protocol], progress: Listener
) -> Iterator[Finding]:
    paths = pd.Index(catalog.images["path"])
    unique = paths.unique()
    digests = np.array(pictures.digests(catalog.root, list(unique)), dtype=object)
    absent = pd.isna(digests)
    yield _finding(ABSENT, unique[absent])
    sizes = np.full((len(unique), 2), np.nan)
    damaged = []
    here = np.flatnonzero(~absent)
    for done, (place, size, error) in enumerate(_decoded(catalog, unique, here), start=1):
        sizes[place] = size
        if error:
            damaged.append(error)
        progress(done, len(here))
    yield _finding("image files that cannot be read", damaged)

    groups = pd.Series(unique[here]).groupby(digests[here])
    several = [sorted(names) for _, names in groups if len(names) > 1]
    surplus = sum(len(names) - 1 for names in several)
    yield Finding(
        "image files that repeat the content of another",
        surplus,
        tuple(" = ".join(names) for names in several[:EXAMPLES]),
    )
    of_row = unique.get_indexer(paths)
    codes = np.where(absent, -1, pd.factorize(digests)[0])[of_row]
    for protocol in protocols:
        training, queries, gallery = _roles(protocol)
        for what, first, second in (
            ("training and queries", training, queries),
            ("training and gallery", training, gallery),
            ("queries and gallery", queries, np.setdiff1d(gallery, queries)),
        ):
            name = f"{protocol.name}: pictures that {what} share"
            yield _shared(catalog, codes, name, "path", first, second)

    x1, y1, x2, y2 = (catalog.images[column].to_numpy(np.float64) for column in BOX)
    width, height = sizes[of_row].T
    ids = catalog.images["id"]
    beyond = (x1 < 0) | (y1 < 0) | (x2 > width) | (y2 > height)
    outside = (x2 <= 0) | (y2 <= 0) | (x1 >= width) | (y1 >= height)
    yield _finding("boxes that reach beyond their image", ids[beyond & ~outside])
    yield _finding("boxes that lie outside their image", ids[outside])


def _decoded(
    catalog: Catalog, paths: pd.Index[str], places: npt.NDArray[np.int64]
) -> Iterator[tuple[int, tuple[float, float], str]]:
    """Yield place, (width, height) and what is wrong for each image file."""
    from bench.images import decode

    def look(place: int) -> tuple[int, tuple[float, float], str]:
        try:
            image = decode(catalog.root / str(paths[place]))
        except DamagedImageError as error:
            return place, (np.nan, np.nan), str(error)
        return place, (image.shape[2], image.shape[1]), ""

    with ThreadPoolExecutor() as pool:
        yield from pool.map(look, places.tolist())


def _unanswerable(protocols: Sequence[Protocol], catalog: Catalog) -> Iterator[Finding]:
    ids = catalog.images["id"]
    for protocol in protocols:
        lost = [ids.iloc[t.queries[t.relevant_counts() == 0]] for t in protocol.tasks]
        yield _finding(f"{protocol.name}: queries with nothing relevant", pd.concat(lost))


def _shared_items(protocols: Sequence[Protocol], catalog: Catalog) -> Iterator[Finding]:
    if not catalog.has("items"):
        return
    codes = catalog.codes("item")
    for protocol in protocols:
        training, queries, _ = _roles(protocol)
        name = f"{protocol.name}: items that training and queries share"
        yield _shared(catalog, codes, name, "item", training, queries)


def _roles(protocol: Protocol) -> tuple[Rows, Rows, Rows]:
    """Return the rows of training, of what is asked and of galleries, each one once."""
    galleries = [task.gallery for task in protocol.tasks if isinstance(task, Task)]
    # a triplet's other two images are evaluated as its anchor is
    asked = [t.rows() if t.kind == "triplets" else t.queries for t in protocol.tasks]
    return (
        protocol.training,
        np.unique(np.concatenate(asked)),
        np.unique(np.concatenate([np.zeros(0, np.int64), *galleries])),
    )


def _shared(
    catalog: Catalog, codes: Rows, what: str, column: str, first: Rows, second: Rows
) -> Finding:
    shared = np.intersect1d(codes[first], codes[second])
    shared = shared[shared >= 0]
    rows = first[np.isin(codes[first], shared)]
    names = catalog.images[column].iloc[rows].astype("str").unique()
    return Finding(what, len(shared), tuple(names[:EXAMPLES]))


def _finding(what: str, names: Sequence[str] | pd.Index[str] | pd.Series[str]) -> Finding:
    return Finding(what, len(names), tuple(str(name) for name in list(names)[:EXAMPLES]))
