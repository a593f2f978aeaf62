"""Dataset `imaterialist`: a million shop photographs with labels of eight attributes."""

from __future__ import annotations

from collections.abc import Iterable

from bench import hookimpl
from bench.interfaces import Dataset, DatasetSpec

FOLDERS = ("imaterialist", "iMaterialist", "imat_fashion", "imaterialist-fashion-2018")
LAYOUT = """\
train.json, validation.json (or val.json)   images and their labels
test.json                                   images without labels; optional
iMat_fashion_2018_label_map_228.csv         what the label ids mean
train/ID.jpg, validation/ID.jpg, test/ID.jpg, or images_train/012/0123456.jpeg and so on
splits/query.txt, splits/gallery.txt        image ids of train.json; optional"""
# train.json holds 1,012,947 images, which the reader divides
COUNTS = {
    "images": 1_062_550,
    "validation": 9_897,
    "test": 39_706,
    "attributes": 8,
    "values": 147,
}
PROTOCOLS = {
    "manipulation": "a query with one attribute changed; relevant = all attributes as wanted",
}


@hookimpl
def register_datasets() -> Iterable[DatasetSpec]:
    """Return the one dataset of this plugin."""

    def build(name: str) -> Dataset:
        from bench_imaterialist.reader import IMaterialist

        return IMaterialist(name)

    return [
        DatasetSpec(
            "imaterialist",
            "1,062,550 shop photographs with 228 labels of eight attributes, 2018",
            build,
            licence="non-commercial research (rules of the Kaggle competition)",
            obtain="get the JSON files and the label map that github.com/visipedia/"
            "imat_fashion_comp links to, then fetch the photographs from the URLs in them",
            folders=FOLDERS,
            layout=LAYOUT,
            counts=COUNTS,
            protocols=PROTOCOLS,
            drawn_with=("bench_atelier",),
        )
    ]
