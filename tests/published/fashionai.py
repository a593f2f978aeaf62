"""`base/Annotations/label.csv` of FashionAI at its published size; labels are made up."""

from __future__ import annotations

from pathlib import Path

import numpy as np

DIMENSIONS = {  # images, values
    "coat_length": (11_320, 8),
    "collar_design": (8_393, 5),
    "lapel_design": (7_034, 5),
    "neck_design": (5_696, 5),
    "neckline_design": (17_148, 10),
    "pant_length": (7_460, 6),
    "skirt_length": (9_223, 6),
    "sleeve_length": (13_299, 9),
}


def write_published(root: Path) -> None:
    """Write base/Annotations/label.csv below `root`; every value has some images."""
    generator = np.random.default_rng(0)
    lines = []
    for dimension, (count, size) in DIMENSIONS.items():
        folder = f"Images/{dimension}_labels"
        names = generator.bytes(16 * count).hex()
        weights = generator.dirichlet(np.full(size, 4.0)) * 0.9 + 0.1 / size
        drawn = generator.choice(size, count, p=weights).tolist()
        maybe = generator.choice(size, count).tolist()
        letters = {
            (yes, other): "".join(
                "y" if n == yes else "m" if n == other and other % 2 else "n" for n in range(size)
            )
            for yes in range(size)
            for other in range(size)
        }
        lines += [
            f"{folder}/{names[32 * n : 32 * n + 32]}.jpg,{dimension}_labels,{letters[pair]}\n"
            for n, pair in enumerate(zip(drawn, maybe, strict=True))
        ]
    file = root / "base/Annotations/label.csv"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(lines))
