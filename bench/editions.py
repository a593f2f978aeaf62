"""Which edition of a dataset a run is on: the published data, or the drawn mini edition."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from bench import fingerprints
from bench.catalog import Catalog, load_catalog
from bench.errors import DataError
from bench.interfaces import Dataset, DatasetSpec
from bench.recipes import Recipe
from bench.storage import cache_folder, only_one

MINI_SEED = 0  # of the drawing; one seed, so that every mini edition of a version is the same


@dataclass(frozen=True)
class Edition:
    """A dataset as asked for, by name and options.

    `code` is the hash of the plugin's sources: what it reads or draws is cached under it. `notice`
    is told what a user must know.
    """

    spec: DatasetSpec
    name: str
    options: Recipe | None
    code: str
    notice: Callable[[str], None]

    @cached_property
    def dataset(self) -> Dataset:
        """The dataset's reader."""
        given = () if self.options is None else (self.options,)
        return self.spec.build(self.name, *given)

    def load(self, edition: str, data_root: Path) -> Catalog:
        """Return the catalog of an edition; `auto` is `full` where the data are, else `mini`.

        Raises `DataError`, with the way to obtain the data, where the edition cannot be had.
        """
        spec = self.spec
        root = self.dataset.find(data_root) if edition != "mini" else None
        if root is not None:
            catalog = self._read(root)
            for split, (here, published) in coverage(spec, catalog).items():
                if here != published:
                    self.notice(f"{self.name}: {here:,} of {published:,} published {split} "
                                f"are at {root}")  # fmt: skip
            for note in catalog.notes:
                self.notice(f"{self.name}: {note}")
            return catalog
        if edition == "mini" and not spec.has_mini:
            raise DataError(f"{self.name} has no mini edition; choose --edition full")
        looked = " or ".join(spec.folders)
        absent = f"{self.name} is not below {data_root}" + (
            f" (looked for {looked})" if looked else ""
        )
        if edition == "full" or not spec.has_mini:
            raise DataError(f"{absent}; to obtain it: {spec.obtain}")
        catalog = replace(self._read(self.draw()), edition="mini")
        reason = "as asked with --edition mini" if edition == "mini" else absent
        self.notice(
            f"MINI EDITION: running on {catalog.name}, {len(catalog):,} pictures drawn by this "
            f"program ({reason}). Its numbers show that the harness works; they say nothing about "
            f"real photographs. For the real data: {spec.obtain}"
        )
        return catalog

    def draw(self) -> Path:
        """Return the folder of the drawn mini edition, drawing it first if it is not there."""
        # the renderer's and the encoder's versions can change bytes
        tools = fingerprints.versions("resvg-py", "pillow", "numpy")
        key = fingerprints.of_json([self.code, tools, MINI_SEED])
        root = cache_folder() / "mini" / key / self.spec.name
        other = f"waiting for another run that draws the mini edition of {self.spec.name}"
        with only_one(root.with_suffix(".lock"), lambda: self.notice(other)):
            if not root.is_dir():
                self.notice(f"drawing the mini edition of {self.spec.name}, once, at {root}")
                self.dataset.draw_mini(root, seed=MINI_SEED)
        return root

    def _read(self, root: Path) -> Catalog:
        options = self.options.model_dump(mode="json") if self.options else {}
        return load_catalog(
            self.name, root, sources=self.dataset.sources(root), parse=self.dataset.load,
            options=options, code=self.code,
        )  # fmt: skip


def coverage(spec: DatasetSpec, catalog: Catalog) -> dict[str, tuple[int, int]]:
    """Return (number here, number published) per published count; empty for mini editions."""
    if catalog.edition != "full":
        return {}
    counts = catalog.counts()
    return {name: (counts.get(name, 0), number) for name, number in spec.counts.items()}
