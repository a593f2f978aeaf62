"""Dataset family `manifest:FILE`: a user's own images, listed in one file, without any code."""

from __future__ import annotations

from collections.abc import Iterable

from bench import hookimpl
from bench.interfaces import Dataset, DatasetSpec

PROTOCOLS = {
    "query-vs-gallery": "split `query` against split `gallery`",
    "test-vs-train": "split `test` against split `train`",
    "street-to-shop": "domain `street` against domain `shop`, training images left out",
    "leave-one-out": "every image that is not for training queries all others",
}


@hookimpl
def register_datasets() -> Iterable[DatasetSpec]:
    """Return the one family of this plugin."""

    def build(name: str) -> Dataset:
        from bench_manifest.reader import Manifest

        return Manifest(name)

    return [
        DatasetSpec(
            "manifest",
            "your own images: manifest:FILE.csv or manifest:FILE.jsonl",
            build,
            licence="your own",
            obtain="write a file with a column `path` and `item` or `category`; see "
            "plugins/datasets/bench_manifest/README.md",
            protocols=PROTOCOLS,
            has_mini=False,
            family=True,
        )
    ]
