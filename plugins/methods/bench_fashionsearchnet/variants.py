"""The variants of `fashionsearchnet` and its budgets, as changes of the recipe."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_UNMERGED = {"merging": False, "updating": False}
VARIANTS: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "full": ("Full: regions, triplets, merged representations, a memory that is learnt", {}),
    "full-ff": ("Full w/ FF: each attribute also sees the whole image", {"fusion": True}),
    "rank-lg": ("Rank-LG: as Full, but the memory stays as it was built", {"updating": False}),
    "rank-l": ("Rank-L: regions and triplets, representations end to end", _UNMERGED),
    "rank": ("Rank: triplets, of the whole image", {**_UNMERGED, "localisation": False}),
    "no-rank": (
        "w/o Rank: classification alone, of the whole image",
        {**_UNMERGED, "localisation": False, "ranking": False},
    ),
}

_SMALL = {
    "backbone": "efficientnet-lite0", "stage": "", "size": 128, "conv5": 128, "conv7": 256,
    "fc": 256, "dimension": 64, "merged": 256,
}  # fmt: skip
_STAGE = {"batch_size": 32, "optimiser": "adam", "weight_decay": 0.0, "learning_rate": 1e-4,
          "new_layers": 10.0}  # fmt: skip
# of a few hundred images small batches teach more: with 32, maps of attributes stayed spread over
# the image and a third of the colours was recognised
_FEW = {**_STAGE, "learning_rate": 5e-5, "new_layers": 20.0, "epochs": 6, "schedule": "cosine"}
BUDGETS: Mapping[str, Mapping[str, Any]] = {
    "mini": {
        **_SMALL,
        "classification": {**_FEW, "batch_size": 8},
        "joint": {**_FEW, "batch_size": 16},
        "fusing": {**_STAGE, "batch_size": 16, "learning_rate": 1e-3, "new_layers": 1.0},
    },
    "small": {
        **_SMALL,
        "classification": {**_STAGE, "epochs": 2, "schedule": "cosine"},
        "joint": {**_STAGE, "epochs": 2, "schedule": "cosine"},
        "fusing": {**_STAGE, "epochs": 1, "learning_rate": 1e-3, "new_layers": 1.0},
    },
}
