"""Reads {train,validation,test}/<class>/<name>.jpg."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bench.catalog import Catalog
from bench.errors import DataError
from bench.protocols import Protocol, by_code
from bench_clothing import CLASSES, FOLDERS, PROTOCOLS

SPLITS = ("train", "validation", "test")
ENDINGS = {".jpg", ".jpeg", ".png"}
METRICS = ("hit@1", "hit@5", "precision@5", "precision@10", "recall@100", "map@r", "mrr")


class Clothing:
    """The reader of both editions, which have one layout."""

    def __init__(self, name: str) -> None:
        self.name = name

    def find(self, data_root: Path) -> Path | None:
        """Return the folder that holds the three splits: below `data_root`, or itself."""
        candidates = [*(data_root / folder for folder in FOLDERS), data_root]
        for root in candidates:
            if all((root / split).is_dir() for split in SPLITS):
                return root
        return None

    def sources(self, root: Path) -> Sequence[Path]:
        """Return the three folders: what is in them is all the annotation there is."""
        return [root / split for split in SPLITS]

    def load(self, root: Path) -> Catalog:
        """Return the catalog; a class or a file that does not belong is an error."""
        paths, categories, splits = [], [], []
        for split in SPLITS:
            for folder in sorted((root / split).iterdir()):
                if folder.name.startswith("."):
                    continue
                if folder.name not in CLASSES or not folder.is_dir():
                    raise DataError(f"{folder}: expected one of the folders {', '.join(CLASSES)}")
                for file in sorted(folder.iterdir()):
                    if file.name.startswith("."):
                        continue
                    if file.suffix.lower() not in ENDINGS or not file.is_file():
                        raise DataError(f"{file}: expected an image ({', '.join(sorted(ENDINGS))})")
                    paths.append(f"{split}/{folder.name}/{file.name}")
                    categories.append(folder.name)
                    splits.append(split)
        columns = {"path": paths, "category": categories, "split": splits}
        return Catalog.from_columns(self.name, root, columns)

    def protocols(self, catalog: Catalog) -> Sequence[Protocol]:
        """Return `test-vs-train` and `leave-one-out`."""
        codes = catalog.codes("category")
        test, train = catalog.rows(split="test"), catalog.rows(split="train")
        every = catalog.rows()
        tasks = {
            "test-vs-train": by_code("all", codes, test, train),
            "leave-one-out": by_code("all", codes, every, every),
        }
        return [
            Protocol(name, summary, (tasks[name],), METRICS, headline="hit@1")
            for name, summary in PROTOCOLS.items()
        ]

    def draw_mini(self, root: Path, *, seed: int, items: int | None = None) -> None:
        """Draw the mini edition as the new folder `root`; `items` counts test images a class."""
        from bench_clothing.mini import draw_mini

        draw_mini(root, seed=seed, items=items)
