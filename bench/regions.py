"""Where a method sees each attribute, compared with where it is.

The boxes of a method that explains itself (`Explainer`) are measured by their area and by how much
those of two attributes overlap and, where the data say where attributes are (`region_files`), by
their IoU with that.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch

from bench.catalog import BOX
from bench.detection.boxes import iou
from bench.errors import IncompatibleError, RecordError
from bench.images import decode_inside, resize_and_crop, seen_part
from bench.interfaces import Explainer, FeatureExtractor
from bench.region_files import TRUTH, Boxes, read_truth
from bench.statistics import bootstrap_intervals, means
from bench.storage import write_text
from bench.tasks import Rows
from bench.training.batches import normalised

if TYPE_CHECKING:
    from bench.asking import Opened

FILE = "regions.json"
BATCH = 32


@dataclass(frozen=True)
class Measured:
    """A mean over images with the ends of its 95 % interval."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class OfAttribute:
    """The boxes of one attribute.

    `area` is a share of the image, over all images. `iou` is that with the true regions of the
    `images` that have one, `centred` that of boxes of the same size in the image's middle, `gain`
    the difference of the two; None where no image has one.
    """

    attribute: str
    area: float
    images: int
    iou: Measured | None
    centred: Measured | None
    gain: Measured | None


@dataclass(frozen=True)
class Regions:
    """What is known of a run's boxes; `between` is the mean IoU of two attributes of one image."""

    images: int
    between: float | None
    attributes: list[OfAttribute]


def measure(run: Path, opened: Opened, progress: Callable[[int, int], None]) -> Regions:
    """Measure the boxes of a run's method on all images that it ranked, and write `FILE` there.

    Raises `IncompatibleError` for a method that does not say where it sees attributes.
    """
    rows = opened.protocol.rows()
    names, boxes = _seen(opened, rows, progress)
    truth = _truth(opened, rows, names)
    area = (boxes[..., 2] - boxes[..., 0]) * (boxes[..., 3] - boxes[..., 1])
    pairs = [iou(boxes[:, a], boxes[:, b]) for a, b in combinations(range(len(names)), 2)]
    found = Regions(
        images=len(rows),
        between=float(np.mean(pairs)) if pairs else None,
        attributes=[
            _of_attribute(name, boxes[:, number], truth[:, number], float(area[:, number].mean()))
            for number, name in enumerate(names)
        ],
    )
    folder = run.parent if run.name == "record.json" else run
    write_text(folder / FILE, json.dumps(asdict(found), indent=2, allow_nan=False) + "\n")
    return found


def read(run: Path) -> Regions:
    """Return what `measure` has written into a run's folder; raises `RecordError` without it."""
    if not (run / FILE).is_file():
        raise RecordError(f"{run} has no {FILE}; make it with `bench regions {run}`")
    try:
        content = json.loads((run / FILE).read_text(encoding="utf-8"))
        for one in content["attributes"]:
            for name in ("iou", "centred", "gain"):
                one[name] = None if one[name] is None else Measured(**one[name])
        content["attributes"] = [OfAttribute(**one) for one in content["attributes"]]
        return Regions(**content)
    except (ValueError, TypeError, KeyError):
        raise RecordError(
            f"{run / FILE} was altered; make it again with `bench regions {run}`"
        ) from None


@dataclass(frozen=True, eq=False)
class Seen:
    """What the network sees of a picture, uint8 (3, h, w), and where in it each attribute.

    `of_each` has a map (h, w) and a box (4,), as shares of the picture's sides, by attribute.
    """

    picture: torch.Tensor
    of_each: Mapping[str, tuple[npt.NDArray[np.float32], Boxes]]


def where_seen(extractor: FeatureExtractor, file: Path, box: Boxes) -> Seen | None:
    """Return where a method sees attributes in an image file, None if it cannot tell.

    Raises `DamagedImageError` for a file that cannot be read.
    """
    if not isinstance(extractor, Explainer):
        return None
    picture = decode_inside(file, box)
    found = extractor.explain(_input(extractor, [picture]))
    height, width = picture.shape[1:]
    left, top, right, bottom = seen_part(extractor.preprocessing, height, width)
    part = picture[
        :, round(top * height) : round(bottom * height), round(left * width) : round(right * width)
    ]
    return Seen(part, {name: (maps[0], boxes[0]) for name, (maps, boxes) in found.items()})


def _input(extractor: FeatureExtractor, pictures: Sequence[torch.Tensor]) -> torch.Tensor:
    """Return pictures (3, h, w) as the network's input."""
    pixels = torch.stack([resize_and_crop(of, extractor.preprocessing) for of in pictures])
    return normalised(pixels, extractor.preprocessing, torch.device("cpu"))


def _seen(
    opened: Opened, rows: Rows, progress: Callable[[int, int], None]
) -> tuple[list[str], Boxes]:
    """Return the attributes' names and the boxes that the method gives them, (n, A, 4)."""
    extractor = opened.plan.extractor
    if not isinstance(extractor, Explainer):
        raise IncompatibleError(
            f"{opened.record.method} does not say where it sees an attribute; fashionsearchnet does"
        )
    opened.plan.model.eval()  # it has the weights of the run only once it was asked for
    images, parts, names = opened.catalog.images, [], [""]
    for start in range(0, len(rows), BATCH):
        facts = images.iloc[rows[start : start + BATCH]]
        pictures = [
            decode_inside(opened.catalog.root / path, box)
            for path, box in zip(facts["path"], facts[list(BOX)].to_numpy(np.float32), strict=True)
        ]
        found = extractor.explain(_input(opened.plan.extractor, pictures))
        names = list(found)
        parts.append(np.stack([boxes for _, boxes in found.values()], axis=1))
        progress(min(start + BATCH, len(rows)), len(rows))
    return names, np.concatenate(parts)


def _truth(opened: Opened, rows: Rows, names: list[str]) -> Boxes:
    """Return the true regions as shares of what the network sees, (n, A, 4), NaN if unknown.

    What an image is not labelled in has none, as the collar of what has no collar.
    """
    catalog, extractor = opened.catalog, opened.plan.extractor
    truth = np.full((len(rows), len(names), 4), np.nan, np.float32)
    if not (catalog.root / TRUTH).is_file():
        return truth
    known = read_truth(catalog)
    labelled = catalog.labels() >= 0
    columns = {attribute.name: n for n, attribute in enumerate(catalog.schema.attributes)}
    paths = catalog.images["path"]
    boxes = catalog.images[list(BOX)].to_numpy(np.float32)
    for place, row in enumerate(rows):
        of_image = known.get(str(paths.iloc[row]), {})
        if not of_image:
            continue
        picture = decode_inside(catalog.root / str(paths.iloc[row]), boxes[row])
        height, width = picture.shape[1:]
        corner = np.zeros(2) if np.isnan(boxes[row, 0]) else np.maximum(np.floor(boxes[row, :2]), 0)
        left, top, right, bottom = seen_part(extractor.preprocessing, height, width)
        for number, name in enumerate(names):
            if name in of_image and labelled[row, columns[name]]:
                box = (of_image[name].reshape(2, 2) - corner) / (width, height)
                box = (box - (left, top)) / (right - left, bottom - top)
                clipped = np.clip(box, 0, 1).reshape(4)
                if (clipped[2:] > clipped[:2]).all():
                    truth[place, number] = clipped
    return truth


def _of_attribute(name: str, boxes: Boxes, truth: Boxes, area: float) -> OfAttribute:
    has = ~np.isnan(truth[:, 0])
    if not has.any():
        return OfAttribute(name, area, 0, None, None, None)
    boxes, truth = boxes[has], truth[has]
    half = (boxes[:, 2:] - boxes[:, :2]) / 2
    shares = [iou(of, truth) for of in (boxes, np.concatenate([0.5 - half, 0.5 + half], axis=1))]
    values = np.stack([*shares, shares[0] - shares[1]], axis=1)
    found = [
        Measured(float(mean), float(low), float(high))
        for mean, (low, high) in zip(means(values), bootstrap_intervals(values), strict=True)
    ]
    return OfAttribute(name, area, int(has.sum()), *found)
