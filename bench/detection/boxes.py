"""Boxes: true ones, found ones, and how well the second fit the first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bench.catalog import BOX, Catalog
from bench.statistics import LEVEL, RESAMPLES
from bench.tasks import Rows

Boxes = npt.NDArray[np.float32]  # (n, 4): left, top, right, bottom in pixels


@dataclass(frozen=True, eq=False)
class Photograph:
    """A photograph with its true boxes (m, 4); `domain` is "" where the data have none."""

    file: Path
    boxes: Boxes
    domain: str


@dataclass(frozen=True, eq=False)
class Found:
    """What a detector found: boxes (n, 4), the best one first, with their scores (n,)."""

    boxes: Boxes
    scores: npt.NDArray[np.float32]


@dataclass(frozen=True)
class Precision:
    """Average precision with its 95 % interval, over so many photographs and true boxes."""

    mean: float
    low: float
    high: float
    photographs: int
    garments: int


def photographs(catalog: Catalog, rows: Rows) -> list[Photograph]:
    """Return the photographs of those rows that have a box, each once, with the boxes of all."""
    images = catalog.images.iloc[rows]
    images = images[images["x1"].notna()]
    return [
        Photograph(
            catalog.root / str(path),
            np.unique(of_one[list(BOX)].to_numpy(np.float32), axis=0),
            str(of_one["domain"].iloc[0]),
        )
        for path, of_one in images.groupby(images["path"].astype(str))
    ]


def overlap(boxes: Boxes, others: Boxes) -> npt.NDArray[np.float64]:
    """Return the intersection over union of each box with each other one, (n, m)."""
    return iou(boxes[:, None], others[None])


def iou(boxes: Boxes, others: Boxes) -> npt.NDArray[np.float64]:
    """Return the intersection over union of boxes (…, 4) with others (…, 4), (…)."""
    a, b = boxes.astype(np.float64), others.astype(np.float64)
    sides = np.minimum(a[..., 2:], b[..., 2:]) - np.maximum(a[..., :2], b[..., :2])
    shared = sides.clip(0).prod(axis=-1)
    areas = [(of[..., 2:] - of[..., :2]).clip(0).prod(axis=-1) for of in (a, b)]
    return np.asarray(shared / np.maximum(areas[0] + areas[1] - shared, 1e-12))


def average_precision(
    truth: Sequence[Boxes], found: Sequence[Found], *, threshold: float = 0.7, seed: int = 0
) -> Precision:
    """Return the average precision of what was found in photographs, with a bootstrap interval.

    A found box is right if the true box that it overlaps most has an IoU of at least `threshold`
    with it, and no better one found that already. All found boxes stand in one order of falling
    scores; AP = Σ_i (R_i - R_{i-1}) max_{j≥i} P_j, precision P made to fall with recall R (PASCAL
    VOC since 2010). The interval is of resamples of the photographs.
    """
    counts = np.array([len(boxes) for boxes in truth], np.int64)
    where = np.repeat(np.arange(len(found)), [len(of_one.scores) for of_one in found])
    right = np.concatenate(
        [np.zeros(0, bool), *map(_right, truth, found, [threshold] * len(truth))]
    )
    scores = np.concatenate([np.zeros(0, np.float32), *(of_one.scores for of_one in found)])
    order = np.argsort(-scores, kind="stable")
    where, right = where[order], right[order]
    generator = np.random.default_rng(seed)
    shares = np.full(len(truth), 1 / max(len(truth), 1))
    drawn = [
        _area(generator.multinomial(len(truth), shares), counts, where, right)
        for _ in range(RESAMPLES if len(truth) else 0)
    ]
    outer = (1 - LEVEL) / 2
    known = np.array(drawn)[~np.isnan(drawn)] if drawn else np.zeros(0)
    low, high = np.quantile(known, [outer, 1 - outer]) if len(known) else (np.nan, np.nan)
    mean = _area(np.ones(len(truth), np.int64), counts, where, right)
    return Precision(mean, float(low), float(high), len(truth), int(counts.sum()))


def _right(truth: Boxes, found: Found, threshold: float) -> npt.NDArray[np.bool_]:
    """Return which found boxes of one photograph are right."""
    right = np.zeros(len(found.boxes), np.bool_)
    if not len(truth):
        return right
    of_each = overlap(found.boxes, truth)
    taken: set[int] = set()
    for place in range(len(found.boxes)):
        best = int(of_each[place].argmax())
        if of_each[place, best] >= threshold and best not in taken:
            right[place] = True
            taken.add(best)
    return right


def _area(
    times: npt.NDArray[np.int64], counts: npt.NDArray[np.int64], where: npt.NDArray[np.int64],
    right: npt.NDArray[np.bool_],
) -> float:  # fmt: skip
    """Return the area under precision over recall, each photograph counted so many times."""
    garments = int((times * counts).sum())
    if not garments:
        return float("nan")
    weights = times[where]
    hits, all_found = np.cumsum(weights * right), np.cumsum(weights)
    precision = hits / np.maximum(all_found, 1)
    falling = np.maximum.accumulate(precision[::-1])[::-1]
    return float((np.diff(hits, prepend=0) / garments * falling).sum())
