"""Dataset `darn`: find in shops the upper-body garment that a photograph from the street shows."""

from __future__ import annotations

from collections.abc import Iterable

from bench import hookimpl
from bench.interfaces import Dataset, DatasetSpec

FOLDERS = ("DARN", "darn", "DARN_dataset")
LAYOUT = """\
train_pair.txt, validation_pair.txt   STREET SHOP ITEM and 9 tags a line
train_shop.txt, validation_shop.txt   SHOP ITEM and 9 tags a line
images/…                              the photographs that these name, here or in the folder itself
or, without street photographs, as ASEN has them:
darn_url.txt                          IMAGE ADDRESS a line
filenames_{train,valid,test}.txt, label_train.txt, {query,candidate}_{valid,test}.txt
pic/…                                 the photographs, here or in the folder itself"""
# images and pairs are counted in the paper alone: nobody has its files
COUNTS = {"attributes": 9}
PROTOCOLS = {
    "street-to-shop": "street photographs of validation query all shop photographs of validation; "
    "relevant = same item",
    "street-to-shop/gallery-sizes": "the same with 1/40 to all of the gallery; what the queries "
    "look for is always in it",
    "manipulation": "a shop photograph with one attribute changed queries others; relevant = all "
    "attributes as wanted",
}
# only where the files of ASEN are, which the mini edition does not have
ASEN_PROTOCOLS = {
    "attribute": "the queries of ASEN's test split, one attribute at a time; relevant = same value",
}


@hookimpl
def register_datasets() -> Iterable[DatasetSpec]:
    """Return the one dataset of this plugin."""

    def build(name: str) -> Dataset:
        from bench_darn_pairs.reader import Darn

        return Darn(name)

    return [
        DatasetSpec(
            "darn",
            "upper-body garments in the street and in shops with 179 values of nine attributes",
            build,
            licence="none stated; research use",
            obtain="ask the authors of the ICCV 2015 paper for the pairs; the list of addresses "
            "that ASEN used is linked at github.com/Maryeon/asen",
            folders=FOLDERS,
            layout=LAYOUT,
            counts=COUNTS,
            protocols=PROTOCOLS,
            drawn_with=("bench_atelier",),
        )
    ]
