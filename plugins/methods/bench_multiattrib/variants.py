"""The variants of `multiattrib` and its budgets, as changes of the recipe."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

VARIANTS: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "vgg16-fc6": ("VGG16 trained on attributes, its first fully connected layer", {}),
    "vgg16-fc7": ("the same network, its second fully connected layer", {"layer": "fc7"}),
    "vgg16-fc8": ("the same network, its scores of the attributes", {"layer": "fc8"}),
    "bilinear": (
        "convolutions of VGG16 and a bilinear layer, trained on attributes; that layer",
        {"network": "bilinear", "layer": "bilinear"},
    ),
    "bilinear-prob": (
        "the same network, its scores as probabilities, by histogram intersection",
        {"network": "bilinear", "layer": "prob", "distance": "intersection"},
    ),
    "imagenet-fc6": (
        "the baseline: VGG16 as published, its first fully connected layer",
        {"network": "imagenet"},
    ),
}

# A small backbone and image; so few epochs that layers that start from random values learn faster.
_SMALL = {"backbone": "efficientnet-lite0", "size": 128, "fc_width": 2048, "ica_samples": 20_000}
BUDGETS: Mapping[str, Mapping[str, Any]] = {
    "mini": {
        **_SMALL,
        "training": {
            "epochs": 6, "learning_rate": 1e-4, "new_layers": 20.0, "schedule": "cosine",
        },
    },
    "small": {
        **_SMALL,
        "training": {
            "epochs": 5, "learning_rate": 2e-4, "new_layers": 5.0, "schedule": "cosine",
            "augmentation": {"crop": 0.85},
        },
    },
}  # fmt: skip
