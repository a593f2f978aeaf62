"""Dataset `clothing`: photographs of clothes in ten classes, free for any use."""

from __future__ import annotations

from collections.abc import Iterable

from bench import hookimpl
from bench.interfaces import Dataset, DatasetSpec

CLASSES = ("dress", "hat", "longsleeve", "outwear", "pants", "shirt", "shoes", "shorts", "skirt",
           "t-shirt")  # fmt: skip
FOLDERS = ("clothing-dataset-small", "clothing-small", "clothing")
COUNTS = {"images": 3781, "train": 3068, "validation": 341, "test": 372}
PROTOCOLS = {
    "test-vs-train": "test photographs query the training ones; relevant = same class",
    "leave-one-out": "every photograph queries all others; relevant = same class",
}


@hookimpl
def register_datasets() -> Iterable[DatasetSpec]:
    """Return the one dataset of this plugin."""

    def build(name: str) -> Dataset:
        from bench_clothing.reader import Clothing

        return Clothing(name)

    return [
        DatasetSpec(
            "clothing",
            "3,781 photographs of clothes in ten classes",
            build,
            licence="CC0-1.0",
            obtain="git clone https://github.com/alexeygrigorev/clothing-dataset-small below the "
            "data root, then run with --data-root FOLDER",
            folders=FOLDERS,
            layout="train/<class>/*.jpg, validation/<class>/*.jpg, test/<class>/*.jpg",
            counts=COUNTS,
            protocols=PROTOCOLS,
            drawn_with=("bench_atelier",),
        )
    ]
