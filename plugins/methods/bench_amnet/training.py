"""The two stages: classification, then images with one value changed; the memory between them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from bench import fingerprints
from bench.tasks import Rows
from bench.training.samplers import Manipulations, Plain
from bench.training.stages import Batch, Images, TrainingStage

if TYPE_CHECKING:
    from torch import Tensor

    from bench_amnet.model import AMNetMethod
    from bench_amnet.networks import AMNet


def stages(method: AMNetMethod, training: Rows) -> tuple[TrainingStage, ...]:
    """Return the two stages; the first one ends with the memory."""
    recipe, labels = method.recipe, method.attributes.values[training]
    preprocessing = method.backbone.preprocessing
    identity = {
        "feature": recipe.feature,
        "attributes": list(zip(method.attributes.names, method.attributes.sizes, strict=True)),
        "values": fingerprints.of_bytes(labels.tobytes()),
    }
    first = TrainingStage(
        name="classification", recipe=recipe.classification, sampler=Plain(training),
        preprocessing=preprocessing, identity=identity, new=("classifiers.*",),
        trains=("backbone.*", "classifiers.*"), terms=lambda batch: _classify(method, batch),
        finish=lambda images: build_memory(method, images, training),
    )  # fmt: skip
    second = TrainingStage(
        name="manipulation", recipe=recipe.manipulation, sampler=Manipulations(training, labels),
        preprocessing=preprocessing, identity={}, new=("fuse.*",),
        terms=lambda batch: _manipulate(method, batch),
    )  # fmt: skip
    return (first, second)


def _labels(method: AMNetMethod, rows: Tensor) -> Tensor:
    import torch

    return torch.from_numpy(method.attributes.values)[rows.cpu()].to(rows.device)


def _loss(network: AMNet, features: Tensor, labels: Tensor) -> Tensor:
    """Return each image's sum of cross-entropies over the attributes it has, (B,)."""
    import torch
    from torch.nn import functional as F

    of_each = [
        F.cross_entropy(logits, labels[:, number], ignore_index=-1, reduction="none")
        for number, logits in enumerate(network.logits(features))
    ]
    return torch.stack(of_each, dim=1).sum(dim=1)


def _classify(method: AMNetMethod, batch: Batch) -> Mapping[str, Tensor]:
    network: AMNet = method.model  # type: ignore[assignment]
    labels = _labels(method, batch.rows[:, 0])
    return {"classification": _loss(network, network(batch.images), labels)}


def _manipulate(method: AMNetMethod, batch: Batch) -> Mapping[str, Tensor]:
    """Return triplets of (h, f of an image that is so, f of another), both classifications."""
    import torch

    network: AMNet = method.model  # type: ignore[assignment]
    features = network(batch.images).reshape(*batch.rows.shape, -1)
    own, wanted = _labels(method, batch.rows[:, 0]), _labels(method, batch.rows[:, 1])
    if batch.attribute is None:
        raise ValueError("the sampler of manipulations says which attribute changes")
    starts = torch.from_numpy(np.cumsum([0, *network.values[:-1]])).to(batch.attribute.device)
    at = torch.arange(len(own), device=batch.attribute.device)
    changed = network.changed(features[:, 0], starts[batch.attribute] + wanted[at, batch.attribute])
    return {
        "triplet": method.triplet(changed, features[:, 1], features[:, 2]),
        "classification": _loss(network, features[:, 0], own),
        "changed": _loss(network, changed, wanted),
    }


def build_memory(method: AMNetMethod, images: Images, training: Rows) -> None:
    """Make each row of the memory the mean f of the training images that have its value.

    A value that no image has keeps a row of zeros.
    """
    import torch

    network: AMNet = method.model  # type: ignore[assignment]
    starts = torch.from_numpy(np.cumsum([0, *network.values[:-1]]))
    total = torch.zeros_like(network.memory)
    count = torch.zeros(len(total), 1, device=total.device)
    with torch.no_grad():
        for batch in images(training):
            found, labels = network(batch.images), _labels(method, batch.rows[:, 0])
            image, attribute = torch.nonzero(labels >= 0).unbind(1)
            rows = starts.to(labels.device)[attribute] + labels[image, attribute]
            total.index_add_(0, rows, found[image])
            count.index_add_(0, rows, count.new_ones(len(rows), 1))
        network.memory.copy_(total / count.clamp(min=1))
