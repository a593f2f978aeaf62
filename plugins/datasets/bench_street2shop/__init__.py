"""Dataset `street2shop`: find in shops what a photograph from the street shows."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from bench import hookimpl
from bench.interfaces import Dataset, DatasetSpec

if TYPE_CHECKING:
    from bench.recipes import Recipe

CATEGORIES = ("bags", "belts", "dresses", "eyewear", "footwear", "hats", "leggings", "outerwear",
              "pants", "skirts", "tops")  # fmt: skip
FOLDERS = ("street2shop", "Street2Shop", "exact-street2shop", "Exact-Street2Shop")
LAYOUT = """\
photos/photos.txt                                   ID,ADDRESS of every photograph
meta/json/{test_pairs,train_pairs,retrieval}_*.json 33 files, three per category
images/000000001.jpg …                              the photographs, named by their ids"""
COUNTS = {"query": 8637, "train": 30629, "gallery": 404683}
PROTOCOLS = {
    "street-to-shop": "boxes in street photographs query the shop photographs of their category; "
    "relevant = same product; one task per category",
    "street-to-shop/all": "boxes in street photographs query the shop photographs of all "
    "categories; relevant = same product",
    "street-to-shop/gallery-sizes": "the same with 1/40 to all of the gallery; what the queries "
    "look for is always in it",
}


@hookimpl
def register_datasets() -> Iterable[DatasetSpec]:
    """Return the one dataset of this plugin."""

    def build(name: str, options: Recipe) -> Dataset:
        from bench_street2shop.reader import Street2Shop

        return Street2Shop(name, options)

    def options() -> type[Recipe]:
        from bench_street2shop.options import Street2ShopOptions

        return Street2ShopOptions

    return [
        DatasetSpec(
            "street2shop",
            "404,683 shop photographs in eleven categories, queried by 8,637 street photographs",
            build,
            licence="none stated; photographs belong to the shops and people who published them",
            obtain="unpack http://www.tamaraberg.com/street2shop/wheretobuyit/photos.tar and "
            "http://www.tamaraberg.com/street2shop/wheretobuyit/meta.zip into the folder "
            "street2shop below the data root, and fetch the addresses of photos/photos.txt into "
            "images/ there, each named by its id as in 000000001.jpg",
            folders=FOLDERS,
            layout=LAYOUT,
            counts=COUNTS,
            protocols=PROTOCOLS,
            protocol_counts=dict.fromkeys(PROTOCOLS, (COUNTS["query"], COUNTS["gallery"])),
            options=options,
            drawn_with=("bench_atelier",),
        )
    ]
