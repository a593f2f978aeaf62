"""What of each image is compared: the box that the data give, one that a detector finds, or all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from bench import fingerprints
from bench.catalog import BOX, Catalog
from bench.detection.trained import find_all, open_trained
from bench.plugins import Registry
from bench.storage import cache_folder, only_one, replacing
from bench.tasks import Rows

Crop = Literal["box", "detector", "full"]


def cropped(
    catalog: Catalog, rows: Rows, crop: Crop, detector: Path | None, registry: Registry, *,
    workers: int, skip_damaged: bool, progress: Callable[[int, int], None],
    notice: Callable[[str], None],
) -> Catalog:  # fmt: skip
    """Return the catalog with the boxes as asked for; its options say so unless they are its own.

    `detector` is a folder of `bench train-detector`, for the crop "detector" alone. It looks at the
    photographs of `rows`, each once, and the best box of each counts. Where it finds none the whole
    photograph does; a note says how often.
    """
    if detector is None:
        if crop == "box":
            return catalog
        images = catalog.images.assign(**dict.fromkeys(BOX, np.float32("nan")))
        return replace(catalog, images=images, options={**catalog.options, "crop": "full"})
    trained = open_trained(detector)
    paths = catalog.images["path"].astype(str)
    wanted = sorted(paths.iloc[rows].unique())
    contents = dict(zip(paths, catalog.image_digests(), strict=True))
    code = registry.code(
        "detectors", [trained.facts["detector"]], "bench.detection", "bench.images"
    )
    store = cache_folder() / "boxes" / f"{fingerprints.of_json([trained.digest, code])}.parquet"
    other = f"waiting for another run that looks for the same boxes, in {store}"
    with only_one(store.with_suffix(".lock"), lambda: notice(other)):
        known = pd.read_parquet(store) if store.is_file() else pd.DataFrame(columns=list(BOX))
        missing = [path for path in wanted if contents[path] not in known.index]
        if missing:
            boxes: list[npt.NDArray[np.float32]] = []
            found = find_all(
                trained.load(registry), [catalog.root / path for path in missing], workers=workers,
                skip_damaged=skip_damaged, progress=progress,
            )  # fmt: skip
            try:
                for of_one in found:
                    best = of_one.boxes[:1] if len(of_one.boxes) else np.full((1, 4), np.nan)
                    boxes.append(best.astype(np.float32))
            finally:  # what was found before an interruption is not looked for again
                names = [contents[path] for path in missing[: len(boxes)]]
                of_these = pd.DataFrame(np.reshape(boxes, (-1, 4)), names, list(BOX), np.float32)
                known = pd.concat([known, of_these[~of_these.index.duplicated()]])
                with replacing(store) as temporary:
                    known.astype(np.float32).to_parquet(temporary)
    boxes_of = known.reindex([contents[path] for path in paths]).to_numpy(np.float32, copy=True)
    asked = np.zeros(len(catalog), np.bool_)
    asked[rows] = True
    boxes_of[~asked] = np.nan
    empty = int(known.loc[[contents[path] for path in wanted], "x1"].isna().sum())
    images = catalog.images.assign(**dict(zip(BOX, boxes_of.T, strict=True)))
    notes = list(catalog.notes)
    if empty:
        notes.append(f"no garment was found in {empty:,} of {len(wanted):,} photographs; the whole "
                     "photograph is compared")  # fmt: skip
        notice(f"{catalog.dataset}: {notes[-1]}")
    chosen = f"detector {trained.facts['detector']} {trained.facts['variant']} {trained.digest[:8]}"
    return replace(
        catalog, images=images, notes=tuple(notes), options={**catalog.options, "crop": chosen}
    )
