"""Dataset `shopping100k`: shop photographs of clothes with labels of twelve attributes."""

from __future__ import annotations

from collections.abc import Iterable

from bench import hookimpl
from bench.interfaces import Dataset, DatasetSpec

FOLDERS = ("Shopping100k", "shopping100k", "Shopping100K")
LAYOUT = """\
Images/…/NAME.jpg                the photographs
Attributes/category.txt and so on   labels, a file for each attribute
splits/Shopping100k/             the split files of ADDE; optional, or instead of Attributes
splits/query.txt, splits/gallery.txt   image paths; optional"""
# of the archive; the paper says 101,021
COUNTS = {"images": 100_586, "attributes": 12, "values": 151}
PROTOCOLS = {
    "manipulation": "a query with one attribute changed; relevant = all attributes as wanted",
    "manipulation/adde": "the same with the queries and the gallery that ADDE published",
}


@hookimpl
def register_datasets() -> Iterable[DatasetSpec]:
    """Return the one dataset of this plugin."""

    def build(name: str) -> Dataset:
        from bench_shopping100k.reader import Shopping100k

        return Shopping100k(name)

    return [
        DatasetSpec(
            "shopping100k",
            "100,586 shop photographs of clothes with 151 values of twelve attributes",
            build,
            licence="non-commercial research and education",
            obtain="ask the author at sites.google.com/view/kenanemirak, or get Shopping100k.zip "
            "from the Hugging Face data set kenanea/Shopping100k; the split files of ADDE are in "
            "github.com/amzn/fashion-attribute-disentanglement",
            folders=FOLDERS,
            layout=LAYOUT,
            counts=COUNTS,
            protocols=PROTOCOLS,
            drawn_with=("bench_atelier",),
        )
    ]
