"""What arithmetic says of the paper's claims, without runs."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Literal

ROUNDING = 0.0005 + 0.0005  # of an average, and of the columns that it is of


def averages() -> tuple[Literal["held", "reversed"], str]:
    """Return whether each average of Table 1 is the plain mean of its columns."""
    found: dict[tuple[str, str], list[float]] = {}
    stated: dict[tuple[str, str], float] = {}
    with Path(__file__).with_name("reported.csv").open(encoding="utf-8", newline="") as lines:
        for line in csv.DictReader(lines):
            place = line["variant"], line["dataset"]
            if line["task"]:
                found.setdefault(place, []).append(float(line["value"]))
            else:
                stated[place] = float(line["value"])
    off = [abs(sum(found[place]) / len(found[place]) - mean) for place, mean in stated.items()]
    right = sum(value <= ROUNDING for value in off)
    text = f"{right} of {len(off)} averages here; the largest difference is {max(off):.4f}"
    return ("held" if right == len(off) else "reversed", text)
