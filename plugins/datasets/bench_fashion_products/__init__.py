"""Dataset `fashion-products`: catalogue photographs with five labelled attributes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from bench import hookimpl
from bench.interfaces import Dataset, DatasetSpec

if TYPE_CHECKING:
    from bench.recipes import Recipe

FOLDERS = (
    "fashion-products",
    "fashion-product-images",
    "fashion-product-images-small",
    "myntradataset",
)
LAYOUT = """\
styles.csv         id, gender, masterCategory, subCategory, articleType, … a line for each product
images/<id>.jpg    the photograph of each product"""
COUNTS = {"images": 44_441}
PROTOCOLS = {
    "type-and-colour": "queries against the gallery; relevant = same articleType and baseColour",
    "manipulation": "a query with one attribute changed; relevant = all attributes as wanted",
    "attribute": "held-out images against all of them; relevant = same value of one attribute",
    "recognition": "the value of each attribute in the held-out images",
    "triplets": "of two held-out images, the one that shares the query's value",
}


@hookimpl
def register_datasets() -> Iterable[DatasetSpec]:
    """Return the one dataset of this plugin."""

    def build(name: str, options: Recipe) -> Dataset:
        from bench_fashion_products.reader import FashionProducts

        return FashionProducts(name, options)

    def recipe() -> type[Recipe]:
        from bench_fashion_products.options import FashionProductsOptions

        return FashionProductsOptions

    return [
        DatasetSpec(
            "fashion-products",
            "44,441 catalogue photographs of clothes, shoes and accessories, one for each item",
            build,
            licence="unconfirmed (the set's page is said to state MIT)",
            obtain="download Fashion Product Images, or its small edition, by P. Aggarwal from "
            "Kaggle and unpack it below the data root as fashion-products",
            folders=FOLDERS,
            layout=LAYOUT,
            counts=COUNTS,
            protocols=PROTOCOLS,
            options=recipe,
            drawn_with=("bench_atelier",),
        )
    ]
