"""Dataset `celeba`: CelebA, faces of celebrities, with eight attributes made of its forty."""

from __future__ import annotations

from collections.abc import Iterable

from bench import hookimpl
from bench.interfaces import Dataset, DatasetSpec

FOLDERS = ("CelebA", "celeba", "CelebFaces")
LAYOUT = """\
Anno/list_attr_celeba.txt          the forty attributes of each picture
Anno/identity_CelebA.txt           who it shows; optional, handed out on request
Eval/list_eval_partition.txt       train, validation or test; optional
Img/img_align_celeba/000001.jpg …  the aligned pictures
splits/query.txt, splits/gallery.txt   file names; optional
or the four of them directly in the folder, as torchvision has them"""
COUNTS = {"images": 202_599, "items": 10_177, "attributes": 8, "values": 21}
PROTOCOLS = {
    "manipulation": "a query with one attribute changed; relevant = all attributes as wanted",
}


@hookimpl
def register_datasets() -> Iterable[DatasetSpec]:
    """Return the one dataset of this plugin."""

    def build(name: str) -> Dataset:
        from bench_celeba.reader import CelebA

        return CelebA(name)

    return [
        DatasetSpec(
            "celeba",
            "202,599 faces of 10,177 celebrities with 21 values of eight attributes",
            build,
            licence="non-commercial research only; no redistribution",
            obtain="get Anno, Eval and Img/img_align_celeba.zip at "
            "https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html and unpack them into a folder named "
            "celeba",
            folders=FOLDERS,
            layout=LAYOUT,
            counts=COUNTS,
            protocols=PROTOCOLS,
            drawn_with=("bench_atelier",),
        )
    ]
