"""The variants of `mtl-csn` and its budgets, as changes of the recipe."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_NO_MASKS = {"masks": False, "recognition": "none"}
VARIANTS: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "mtl": ("MTL Ret + Reg, MC-Rec + Ret: masks, triplets and eight softmaxes, jointly", {}),
    "csn": ("new CSN: masks and triplets, no recognition", {"recognition": "none"}),
    "trinet": ("TriNet: triplets in one space, no masks", _NO_MASKS),
    "sianet": ("SiaNet: pairs alone, in one space", {**_NO_MASKS, "retrieval": "pairs"}),
    "att-trinet": ("Att-TriNet: a TriNet for each attribute", {**_NO_MASKS, "separate": True}),
    "att-trinet-rec": (
        "Att-TriNet + Reg: each also learns to recognise its attribute",
        {"masks": False, "separate": True},
    ),
    "mc": ("MC: a softmax for each attribute, no retrieval", {"masks": False, "retrieval": "none"}),
    "sc": (
        "SC: one softmax over all values, no retrieval",
        {"masks": False, "retrieval": "none", "recognition": "single"},
    ),
    "sc-ret": ("SC-Rec + Ret: as mtl, with one softmax over all values", {"recognition": "single"}),
}

_SMALL = {"backbone": "efficientnet-lite0", "stage": "", "size": 128}
_TRAINING = {"batch_size": 8, "learning_rate": 1e-4, "new_layers": 10.0, "schedule": "cosine"}
BUDGETS: Mapping[str, Mapping[str, Any]] = {
    "mini": {**_SMALL, "training": {**_TRAINING, "epochs": 4}},
    # an epoch of the photographs' labels in five attributes would be 27,000 triplets
    "small": {**_SMALL, "anchors": 2000, "training": {**_TRAINING, "epochs": 2}},
}
