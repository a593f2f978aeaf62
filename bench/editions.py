"""Which edition of a dataset a run is on: the published data, or the drawn mini edition."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from bench import fingerprints
from bench.catalog import Catalog, load_catalog
from bench.errors import DataError
from bench.interfaces import Dataset, DatasetSpec
from bench.storage import cache_folder, only_one

MINI_SEED = 0  # of the drawing; one seed, so that every mini edition of a version is the same


def load(
    spec: DatasetSpec,
    dataset: Dataset,
    name: str,
    *,
    edition: str,
    data_root: Path,
    code: str,
    notice: Callable[[str], None],
) -> Catalog:
    """Return the catalog of an edition; `auto` is `full` where the data are, else `mini`.

    `code` is the hash of the plugin's sources: what it reads or draws is cached under it. Raises
    `DataError`, with the way to obtain the data, where the edition cannot be had.
    """
    root = dataset.find(data_root) if edition != "mini" else None
    if root is not None:
        catalog = load_catalog(
            name, root, sources=dataset.sources(root), parse=dataset.load, edition="full", code=code
        )
        for split, (here, published) in coverage(spec, catalog).items():
            if here != published:
                notice(f"{name}: {here:,} of {published:,} published {split} are at {root}")
        return catalog
    looked = " or ".join(spec.folders)
    absent = f"{name} is not below {data_root}" + (f" (looked for {looked})" if looked else "")
    if edition == "full" or not spec.has_mini:
        raise DataError(f"{absent}; to obtain it: {spec.obtain}")
    root = draw(spec, dataset, code, notice)
    catalog = load_catalog(
        name, root, sources=dataset.sources(root), parse=dataset.load, edition="mini", code=code
    )
    reason = "as asked with --edition mini" if edition == "mini" else absent
    notice(
        f"MINI EDITION: running on {catalog.name}, {len(catalog):,} pictures drawn by this "
        f"program ({reason}). Its numbers show that the harness works; they say nothing about "
        f"real photographs. For the real data: {spec.obtain}"
    )
    return catalog


def draw(spec: DatasetSpec, dataset: Dataset, code: str, notice: Callable[[str], None]) -> Path:
    """Return the folder of the drawn mini edition, drawing it first if it is not there."""
    # the renderer's and the encoder's versions can change bytes
    tools = fingerprints.versions("resvg-py", "pillow", "numpy")
    key = fingerprints.of_json([code, tools, MINI_SEED])
    root = cache_folder() / "mini" / key / spec.name
    other = f"waiting for another run that draws the mini edition of {spec.name}"
    with only_one(root.with_suffix(".lock"), lambda: notice(other)):
        if not root.is_dir():
            notice(f"drawing the mini edition of {spec.name}, once, at {root}")
            dataset.draw_mini(root, seed=MINI_SEED)
    return root


def coverage(spec: DatasetSpec, catalog: Catalog) -> dict[str, tuple[int, int]]:
    """Return (images here, images published) per published count; empty for mini editions."""
    if catalog.edition != "full":
        return {}
    counts = catalog.counts()
    return {name: (counts.get(name, 0), number) for name, number in spec.counts.items()}
