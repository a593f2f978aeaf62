"""Dataset `inshop`: DeepFashion In-shop Clothes Retrieval, shop photographs of 7,982 items."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from bench import hookimpl
from bench.interfaces import Dataset, DatasetSpec

if TYPE_CHECKING:
    from bench_inshop.options import InshopOptions

FOLDERS = ("In-shop Clothes Retrieval Benchmark", "In-shop", "inshop")
COUNTS = {"images": 52_712, "train": 25_882, "query": 14_218, "gallery": 12_612, "items": 7_982,
          "categories": 23}  # fmt: skip
PROTOCOLS = {
    "dress/dress-gallery": "dress queries against dress gallery images; relevant = same item",
    "dress/all-gallery": "dress queries against the whole gallery; relevant = same item",
    "all/all-gallery": "all queries against the whole gallery; relevant = same item",
    "category": "each category's queries against its gallery images; relevant = same item",
}
PROTOCOL_COUNTS = {"dress/dress-gallery": (1_901, 1_647), "dress/all-gallery": (1_901, 12_612),
                   "all/all-gallery": (14_218, 12_612)}  # fmt: skip
LAYOUT = """\
Eval/list_eval_partition.txt, Anno/list_bbox_inshop.txt: required
Anno/list_item_inshop.txt: optional
Anno/attributes/list_attr_cloth.txt, list_attr_items.txt, list_color_cloth.txt: optional, or in Anno
Img/img/WOMEN/Dresses/id_…/…: the pictures of 256 x 256 pixels of img.zip
Img/img_highres/WOMEN/Dresses/id_…/…: those of img_highres.zip, for the option resolution=high"""


@hookimpl
def register_datasets() -> Iterable[DatasetSpec]:
    """Return the one dataset of this plugin."""

    def options() -> type[InshopOptions]:
        from bench_inshop.options import InshopOptions

        return InshopOptions

    def build(name: str, options: InshopOptions) -> Dataset:
        from bench_inshop.reader import Inshop

        return Inshop(name, options)

    return [
        DatasetSpec(
            "inshop", "52,712 shop photographs of 7,982 garments, each from several sides", build,
            licence="non-commercial research and education only; no redistribution",
            obtain="sign the agreement at https://mmlab.ie.cuhk.edu.hk/projects/DeepFashion/"
            "InShopRetrieval.html for the password, unpack Anno, Eval and Img below one folder",
            folders=FOLDERS, layout=LAYOUT, counts=COUNTS, protocols=PROTOCOLS,
            protocol_counts=PROTOCOL_COUNTS, options=options, drawn_with=("bench_atelier",),
        )
    ]  # fmt: skip
