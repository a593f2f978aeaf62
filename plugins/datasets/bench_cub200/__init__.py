"""Dataset `cub200`: CUB-200-2011, photographs of birds of 200 species."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from bench import hookimpl
from bench.interfaces import Dataset, DatasetSpec, Download

if TYPE_CHECKING:
    from bench.recipes import Recipe

FOLDERS = ("CUB_200_2011", "cub200", "CUB-200-2011")
LAYOUT = """\
CUB_200_2011/images/001.Black_footed_Albatross/…   the photographs
CUB_200_2011/{images,classes,image_class_labels,train_test_split,bounding_boxes}.txt
CUB_200_2011/attributes/{certainties,image_attribute_labels}.txt
attributes.txt   beside CUB_200_2011 as in the archive, or in it, or in CUB_200_2011/attributes"""
COUNTS = {"images": 11_788, "train": 5_994, "test": 5_794, "categories": 200, "attributes": 28,
          "values": 312}  # fmt: skip
PROTOCOLS = {
    "fine": "every test image queries all other test images; relevant = same species",
    "coarse": "the same; relevant = same last word of the species' name, as in Woodpecker",
    "coarse/families": "the same; relevant = same taxonomic family",
    "unseen-classes": "every image of the second half of the classes queries all others of it; "
    "relevant = same species",
}
PROTOCOL_COUNTS = {
    "fine": (5_794, 5_794),
    "coarse": (5_794, 5_794),
    "coarse/families": (5_794, 5_794),
    "unseen-classes": (5_924, 5_924),
}
ARCHIVE = Download(
    "https://data.caltech.edu/records/65de6-vp158/files/CUB_200_2011.tgz",
    "md5:97eceeb196236b17998738112f37df78",
    1_150_585_339,
    unpack=True,
)


@hookimpl
def register_datasets() -> Iterable[DatasetSpec]:
    """Return the one dataset of this plugin."""

    def build(name: str, options: Recipe) -> Dataset:
        from bench_cub200.reader import Cub200

        return Cub200(name, options)

    def recipe() -> type[Recipe]:
        from bench_cub200.options import Cub200Options

        return Cub200Options

    return [
        DatasetSpec(
            "cub200",
            "11,788 photographs of birds of 200 species, with 312 values of 28 attributes",
            build,
            licence="none stated; photographs belong to their makers, by custom for research only",
            obtain="download CUB_200_2011.tgz at https://data.caltech.edu/records/65de6-vp158 and "
            "unpack it into a folder named cub200",
            folders=FOLDERS,
            layout=LAYOUT,
            downloads=(ARCHIVE,),
            counts=COUNTS,
            protocols=PROTOCOLS,
            protocol_counts=PROTOCOL_COUNTS,
            options=recipe,
            drawn_with=("bench_atelier",),
        )
    ]
