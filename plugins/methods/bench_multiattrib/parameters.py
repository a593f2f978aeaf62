"""How many parameters the paper's two networks learn (section III.A), by arithmetic."""

from __future__ import annotations

from collections.abc import Sequence

CHANNELS = (64, 64, 128, 128, 256, 256, 256, 512, 512, 512, 512, 512, 512)  # of conv1_1 … conv5_3
POOLED = 512 * 7 * 7  # what fc6 sees of an image of 224 x 224
WIDTH = 4096  # of fc6 and fc7
COMPONENTS = 20  # of the ICA
LABELS = (300, 312, 336)  # the paper's round number, CUB-200-2011, dresses of In-shop


def counts(labels: int) -> dict[str, int]:
    """Return the parameters of both networks for so many labels, after the convolutions and whole.

    The projection of the bilinear layer is fitted, not learnt, and does not count: 20 x 512.
    """
    convolutions = sum(
        3 * 3 * before * after + after
        for before, after in zip((3, *CHANNELS), CHANNELS, strict=False)
    )
    vgg16 = (POOLED + 1) * WIDTH + (WIDTH + 1) * WIDTH + (WIDTH + 1) * labels
    bilinear = (CHANNELS[-1] * COMPONENTS + 1) * labels
    return {
        "VGG16 after the convolutions": vgg16,
        "VGG16 whole": convolutions + vgg16,
        "bilinear after the convolutions": bilinear,
        "bilinear whole": convolutions + bilinear,
    }


def facts() -> Sequence[tuple[str, str]]:
    """Return lines of `bench show`: the counts, and how many times smaller the bilinear one is."""
    lines = []
    for labels in LABELS:
        found = counts(labels)
        for part in ("after the convolutions", "whole"):
            vgg16, bilinear = found[f"VGG16 {part}"], found[f"bilinear {part}"]
            sizes = f"VGG16 {vgg16:,}, bilinear {bilinear:,}, {vgg16 / bilinear:.1f} times fewer"
            lines.append(("parameters", f"{labels} labels, {part}: {sizes}"))
    return lines
