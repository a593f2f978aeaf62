"""The variants of `darn` and its budgets, as changes of the recipe."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

VARIANTS: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "conv4-5": ("DARN with Conv4-5: two networks; FC1, Conv4 and Conv5 are compared", {}),
    "conv5": ("DARN with Conv5: two networks; FC1 and Conv5", {"layers": ("fc1", "conv5")}),
    "conv4": ("DARN with Conv4: two networks; FC1 and Conv4", {"layers": ("fc1", "conv4")}),
    "dual": ("DARN: two networks that learn attributes and triplets; FC1", {"layers": ("fc1",)}),
    "arn": (
        "one network for street and shop that learns attributes and triplets; FC1",
        {"layers": ("fc1",), "networks": "one"},
    ),
    "an": (
        "one network for street and shop that learns attributes; FC1",
        {"layers": ("fc1",), "networks": "one", "losses": ("attributes",)},
    ),
    "imagenet": (
        "the baseline: the backbone as published; FC1",
        {"layers": ("fc1",), "networks": "one", "losses": ()},
    ),
}

# A small backbone and image; layers that start from random values learn faster. `mini` has as many
# epochs as a few minutes on two cores allow.
_SMALL = {"backbone": "efficientnet-lite0", "size": 128, "fc2": 1024}
BUDGETS: Mapping[str, Mapping[str, Any]] = {
    "mini": {
        **_SMALL,
        "training": {
            "epochs": 10, "batch_size": 16, "optimiser": "adam", "learning_rate": 1e-4,
            "weight_decay": 0.0, "new_layers": 10.0, "schedule": "cosine",
        },
    },
    "small": {
        **_SMALL,
        "training": {
            "epochs": 5, "batch_size": 16, "optimiser": "adam", "learning_rate": 2e-4,
            "weight_decay": 0.0, "new_layers": 5.0, "schedule": "cosine",
            "augmentation": {"crop": 0.85},
        },
    },
}  # fmt: skip

DETECTOR_VARIANTS: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "svr": ("a region's IoU with the garment, by support vector regression", {}),
    "svm": ("garment or not, by a support vector machine", {"judge": "svm"}),
}
_SMALL_DETECTOR = {"backbone": "efficientnet-lite0", "size": 256}
DETECTOR_BUDGETS: Mapping[str, Mapping[str, Any]] = {
    "mini": {**_SMALL_DETECTOR, "side": 200},
    "small": _SMALL_DETECTOR,
}
