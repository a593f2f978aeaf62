"""What decides claims of the paper beside comparisons of runs: arithmetic, weights, regions."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Literal

from bench.errors import RecordError
from bench.records import Record

ROUNDING = 0.0005 + 0.0005  # of an average, and of the columns that it is of


Verdict = tuple[Literal["held", "reversed"], str]


def averages() -> Verdict:
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


def weights_differ(run: Path, record: Record) -> Verdict:
    """Return whether the learnt λ of a run's attributes differ; each is 1 before the last stage."""
    from safetensors import safe_open

    learnt = record.training[-1]
    found = [*run.parents[1].glob(f"training/*--{learnt.name}--*-{learnt.key[:8]}")]
    if not found:
        raise RecordError(f"{run}: its training folder is gone; run again")
    with safe_open(found[0] / "weights.safetensors", "numpy") as weights:
        lambdas = weights.get_tensor("lambdas")
    text = f"{len(lambdas)} λ from {lambdas.min():.3f} to {lambdas.max():.3f}"
    return ("held" if lambdas.max() > lambdas.min() else "reversed", text)


def regions_differ(run: Path, record: Record) -> Verdict:
    """Return whether a run's regions are smaller than the image and not those of each other."""
    from bench import regions  # torchvision, which the other checks do without

    del record
    found = regions.read(run)
    area = sum(one.area for one in found.attributes) / len(found.attributes)
    between = 1.0 if found.between is None else found.between
    text = f"mean area {area:.2f} of the image, mean IoU of two attributes {between:.2f}"
    return ("held" if area < 1 and between < 1 else "reversed", text)
