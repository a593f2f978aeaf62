"""Fashion Product Images at its published size: made-up labels, and files that are no pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np

PRODUCTS = 44_446
WITHOUT_PHOTOGRAPH = 5
HEADER = ("id,gender,masterCategory,subCategory,articleType,baseColour,season,year,usage,"
          "productDisplayName")  # fmt: skip
VALUES = {  # published column -> number of values; a few of them are rare
    "gender": 5,
    "articleType": 143,
    "baseColour": 46,
    "season": 4,
    "usage": 8,
}


def write_published(root: Path) -> None:
    """Write styles.csv and a file for each product but five; each thirtieth name holds commas."""
    generator = np.random.default_rng(0)
    drawn = {
        name: [f"{name} {n}" for n in np.minimum(generator.geometric(4 / size, PRODUCTS), size)]
        for name, size in VALUES.items()
    }
    ids = (1163 + generator.choice(59_000, PRODUCTS, replace=False)).tolist()
    years = generator.integers(2007, 2020, PRODUCTS).tolist()
    names = [f"Product {n}{', red, of wool' * (n % 30 == 0)}" for n in range(PRODUCTS)]
    gender, article, colour, season, usage = (drawn[name] for name in VALUES)
    rows = zip(ids, gender, article, colour, season, years, usage, names, strict=True)
    lines = map(
        "{0},{1},Apparel,Topwear,{2},{3},{4},{5},{6},{7}\n".format, *zip(*rows, strict=True)
    )
    (root / "images").mkdir(parents=True)
    for number in ids[WITHOUT_PHOTOGRAPH:]:
        (root / "images" / f"{number}.jpg").write_text(str(number))
    (root / "styles.csv").write_text(f"{HEADER}\n{''.join(lines)}")
