"""Annotation files of DARN, in the form with pairs, at the size of the paper; no images.

The paper counts pairs and shop images. Which pairs share an item or a photograph is not known; here
each street photograph has an item of its own, the shop files have the pairs' shop images too, and
one tag in ten is missing.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

PAIRS = {"train": 91_390 - 1_717, "validation": 1_717}
SHOP_ROWS = {"train": 230_000, "validation": 200_000}
SIZES = (20, 56, 10, 25, 27, 16, 7, 12, 6)  # values of each tag
MISSING = 0.1


def write_published(root: Path) -> None:
    """Write the four files below `root`."""
    root.mkdir(parents=True)
    generator = np.random.default_rng(0)
    first = 1
    for split, count in SHOP_ROWS.items():
        items = range(first, first + count)
        tags = _tags(generator, count)
        shop = [f"shop/{item // 1000}/{item}.jpg {item}" for item in items]
        _write(root / f"{split}_shop.txt", shop, tags)
        pairs = PAIRS[split]
        street = [
            f"street/{item // 1000}/{item}.jpg {of}" for item, of in zip(items, shop, strict=True)
        ]
        _write(root / f"{split}_pair.txt", street[:pairs], tags[:pairs])
        first += count


def _tags(generator: np.random.Generator, count: int) -> list[str]:
    # the first values are common, so that images differ in one tag, as `manipulation` needs it
    tags = (generator.random((count, len(SIZES))) ** 6 * SIZES).astype(np.int64)
    tags[generator.random(tags.shape) < MISSING] = -1
    return [" ".join(map(str, row)) for row in tags.tolist()]


def _write(file: Path, starts: Sequence[str], tags: Sequence[str]) -> None:
    rows = (f"{start} {of}\n" for start, of in zip(starts, tags, strict=True))
    file.write_text("".join(rows))
