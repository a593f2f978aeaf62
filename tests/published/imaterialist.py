"""Annotation files of iMaterialist at full size: one line of JSON each, generated labels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from bench_imaterialist.categories import GROUP_OF

SIZES = {"train": 1_012_947, "validation": 9_897, "test": 39_706}
TASKS = {  # name -> published number, number of labels, share of images that have one, several
    "category": (1, 105, 0.97, 0.10),
    "color": (2, 21, 0.95, 0.25),
    "gender": (3, 3, 0.98, 0.02),
    "material": (4, 34, 0.70, 0.15),
    "neckline": (5, 11, 0.40, 0.02),
    "pattern": (6, 28, 0.55, 0.10),
    "sleeve": (8, 5, 0.45, 0.02),
    "style": (9, 21, 0.45, 0.15),
}
CATEGORIES = sorted(GROUP_OF)


def label_map() -> str:
    """Return a label map of 228 labels in the published grammar."""
    names = [
        (f"{task} {number:03d}" if task != "category" else CATEGORIES[number], code, task)
        for task, (code, count, _, _) in TASKS.items()
        for number in range(count)
    ]
    rows = ["labelId,taskId,labelName,taskName"]
    for label, (name, code, task) in enumerate(sorted(names), start=1):
        quoted = f'"{name}"' if "," in name else name
        rows.append(f"{label},{code},{quoted},{task}")
    return "\r\n".join(rows)  # as published, no line end after the last row


def write_published(root: Path) -> None:
    """Write train.json, validation.json, test.json and the label map below `root`."""
    root.mkdir(parents=True, exist_ok=True)
    text = label_map()
    file = root / "iMat_fashion_2018_label_map_228.csv"
    file.write_bytes(text.encode())
    ids: dict[str, list[int]] = {task: [] for task in TASKS}
    for row in text.split("\r\n")[1:]:
        ids[row.rpartition(",")[2]].append(int(row.partition(",")[0]))
    for seed, (split, count) in enumerate(SIZES.items()):
        _write(root / f"{split}.json", count, ids, np.random.default_rng(seed), split != "test")


def _write(
    file: Path, count: int, ids: dict[str, list[int]], generator: np.random.Generator, full: bool
) -> None:
    images = ",".join(
        f'{{"url": "https://contestimg.wish.com/api/webimage/{0x5A1B2C3D4E5F + 7919 * n:024x}'
        f'-large.jpg", "imageId": "{n}"}}'
        for n in range(1, count + 1)
    )
    with file.open("w") as opened:
        opened.write(f'{{"images": [{images}]')
        if full:
            labels = [""] * count
            for task, (_, _, some, several) in TASKS.items():
                words = np.array([f'"{label}",' for label in ids[task]])
                drawn = generator.choice(words, count)
                drawn[generator.random(count) >= some] = ""
                again = generator.choice(words, count)
                again[(drawn == "") | (generator.random(count) >= several)] = ""
                labels = list(
                    map("".join, zip(labels, drawn.tolist(), again.tolist(), strict=True))
                )
            annotations = ",".join(
                f'{{"labelId": [{found[:-1]}], "imageId": "{n}"}}'
                for n, found in enumerate(labels, start=1)
            )
            opened.write(f', "annotations": [{annotations}]')
        opened.write(', "info": {"year": 2018}}')
