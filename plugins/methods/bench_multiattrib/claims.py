"""What arithmetic says of the paper's claims, without runs."""

from __future__ import annotations

from typing import Literal

from bench_multiattrib.parameters import LABELS, counts

CLAIMED = 40.0  # times smaller, for about 300 labels (section III.A)


def sizes() -> tuple[Literal["held", "reversed"], str]:
    """Return whether the bilinear network is about 40 times smaller, and of which part that is so.

    The claim is taken to be of the layers after the convolutions, which the bilinear one replaces.
    """
    after = "after the convolutions"
    times = []
    for labels in LABELS:
        found = counts(labels)
        times.append(found[f"VGG16 {after}"] / found[f"bilinear {after}"])
    found = counts(LABELS[0])
    whole = found["VGG16 whole"] / found["bilinear whole"]
    of_each = ", ".join(f"{n:.1f} for {labels}" for n, labels in zip(times, LABELS, strict=True))
    close = abs(times[0] / CLAIMED - 1) < 0.05
    return (
        "held" if close else "reversed",
        f"{after}, times smaller: {of_each} labels; whole networks {whole:.1f} for {LABELS[0]}",
    )
