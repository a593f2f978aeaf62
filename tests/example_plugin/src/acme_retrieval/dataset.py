"""Reads FOLDER/<class>/<image>."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bench.catalog import Catalog
from bench.errors import DataError
from bench.protocols import Protocol, by_code


class ImageFolder:
    """The reader; `name` is acme:FOLDER."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.folder = Path(name.partition(":")[2])

    def find(self, data_root: Path) -> Path | None:
        """Return the folder, which may be relative to here or to `data_root`."""
        found = [folder for folder in (self.folder, data_root / self.folder) if folder.is_dir()]
        return found[0] if found else None

    def sources(self, root: Path) -> Sequence[Path]:
        """Return the folder: its listing determines the catalog."""
        return [root]

    def load(self, root: Path) -> Catalog:
        """Return the catalog; the class of an image is its folder's name."""
        files = sorted(file for file in root.glob("*/*") if file.is_file())
        if not files:
            raise DataError(f"{root} holds no images; expected {root}/CLASS/IMAGE")
        columns = {
            "path": [file.relative_to(root).as_posix() for file in files],
            "category": [file.parent.name for file in files],
        }
        return Catalog.from_columns(self.name, root, columns)

    def protocols(self, catalog: Catalog) -> Sequence[Protocol]:
        """Return `leave-one-out`, scored by a metric of `bench` and one of this plugin."""
        every = catalog.rows()
        task = by_code("all", catalog.codes("category"), every, every)
        summary = "every image queries all others; relevant = same class"
        return [Protocol("leave-one-out", summary, (task,), ("hit@1", "miss@1"), "hit@1")]

    def draw_mini(self, root: Path, *, seed: int, items: int | None = None) -> None:
        """Refuse: a user's own folder has no mini edition."""
        raise DataError(f"{self.name} has no mini edition")
