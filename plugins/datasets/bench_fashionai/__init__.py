"""Dataset `fashionai`: photographs of clothes, each labelled in one of eight dimensions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from bench import hookimpl
from bench.interfaces import Dataset, DatasetSpec

if TYPE_CHECKING:
    from bench.recipes import Recipe

FOLDERS = ("FashionAI", "fashionAI", "fashionai", "fashionAI_attributes")
LAYOUT = """\
base/Annotations/label.csv           image, dimension, letters; round 1
base/Images/<dimension>_labels/…     the photographs of round 1
web/, train/, rank/, z_rank/         the other rounds; optional, for the option rounds=all
data/FashionAI/filenames_test.txt …  the split files of ASEN; optional, or in ASEN/
data/meta.json                       the order of ASEN's attributes; optional"""
COUNTS = {"images": 79_573, "categories": 8, "attributes": 8, "values": 54}
PROTOCOLS = {
    "attribute": "validation images against all others; relevant = same value of the dimension",
    "attribute/same-dimension": "the same against images that are labelled in the dimension",
    "recognition": "the value of its dimension in each validation image",
    "triplets": "of two validation images of a dimension, the one with the query's value",
    "attribute/asen": "the test queries of ASEN against its candidates of the dimension",
}


@hookimpl
def register_datasets() -> Iterable[DatasetSpec]:
    """Return the one dataset of this plugin."""

    def build(name: str, options: Recipe) -> Dataset:
        from bench_fashionai.reader import FashionAI

        return FashionAI(name, options)

    def recipe() -> type[Recipe]:
        from bench_fashionai.options import FashionAIOptions

        return FashionAIOptions

    return [
        DatasetSpec(
            "fashionai",
            "79,573 photographs of clothes, each labelled in one of eight dimensions",
            build,
            licence="research use, by agreement",
            obtain="sign the agreement of the FashionAI attribute challenge at "
            "tianchi.aliyun.com (competition 231671) and unpack round 1 below the data root as "
            "FashionAI/base; the split files of ASEN are in github.com/Maryeon/asenpp",
            folders=FOLDERS,
            layout=LAYOUT,
            counts=COUNTS,
            protocols=PROTOCOLS,
            options=recipe,
            drawn_with=("bench_atelier",),
        )
    ]
