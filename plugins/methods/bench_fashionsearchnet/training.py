"""The three stages: classification, regions and their triplets, merging with the memory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from bench import fingerprints
from bench.tasks import Rows
from bench.training.recipe import StageRecipe
from bench.training.samplers import Manipulations, Plain, Sampler, hold_out
from bench.training.stages import Batch, Images, TrainingStage

if TYPE_CHECKING:
    from torch import Tensor

    from bench_fashionsearchnet.model import FashionSearchNetMethod
    from bench_fashionsearchnet.networks import FashionSearchNet


def stages(method: FashionSearchNetMethod, training: Rows, seed: int) -> tuple[TrainingStage, ...]:
    """Return classification, the joint stage and, where representations are merged, the third."""
    recipe, attributes = method.recipe, method.attributes
    trunk = ("backbone.*", "conv5.*", "conv6.*", "conv7.*", "classifiers.*")
    new = trunk[1:]
    # what shapes the network; other fields are of later stages, which share these
    built = recipe.model_dump(
        mode="json",
        include={"stage", "fusion", "conv5", "conv7", "fc", "dimension", "merged", "grid", "gap"},
    )
    identity: dict[str, Any] = {
        **built,
        "attributes": list(zip(attributes.names, attributes.sizes, strict=True)),
        "values": fingerprints.of_bytes(attributes.values[training].tobytes()),
    }
    seen = {name: getattr(recipe, name) for name in ("localisation", "threshold")}

    def stage(name: str, of: StageRecipe, sampler: Sampler | None = None, **more: Any) -> (
        TrainingStage
    ):  # fmt: skip
        learnt, held = training, None
        if of.selection == "best":
            learnt, held = hold_out(training, of.validation, seed)
        return TrainingStage(
            name=name, recipe=of, sampler=sampler or Plain(learnt),
            validation=None if held is None or sampler else Plain(held),
            preprocessing=method.backbone.preprocessing, **more,
        )  # fmt: skip

    first = stage(
        "classification", recipe.classification, identity=identity, trains=trunk, new=new,
        terms=lambda batch: _classify(method, batch),
    )  # fmt: skip
    joint = stage(
        "joint", recipe.joint, trains=(*trunk, "towers.*", "heads.*"),
        new=(*new, "towers.*", "heads.*"),
        weights={"regions": recipe.triplets, "of regions": recipe.relearning},
        identity={**seen, "ranking": recipe.ranking, **_how(method)},
        terms=lambda batch: _learn_regions(method, batch),
        finish=lambda images: build_memory(method, images, training),
    )  # fmt: skip
    if not recipe.merging:
        return (first, joint)
    merging = stage(
        "merging", recipe.fusing,
        Manipulations(training, attributes.values[training]),
        trains=("lambdas", "merge", *(["memory"] if recipe.updating else [])),
        identity={"updating": recipe.updating, **_how(method)},
        terms=lambda batch: _merge(method, batch),
    )  # fmt: skip
    return (first, joint, merging)


def _how(method: FashionSearchNetMethod) -> dict[str, Any]:
    """Return how triplets are compared."""
    return {"squared": method.recipe.squared, "margin": method.recipe.margin}


def _labels(method: FashionSearchNetMethod, batch: Batch) -> Tensor:
    """Return the values (n · g, A) of a batch's images."""
    import torch

    rows = batch.rows.reshape(-1)
    return torch.from_numpy(method.attributes.values)[rows.cpu()].to(rows.device)


def _classify(method: FashionSearchNetMethod, batch: Batch) -> Mapping[str, Tensor]:
    """Return L_C (Eq. 2)."""
    from bench_fashionsearchnet.losses import classification

    network: FashionSearchNet = method.model  # type: ignore[assignment]
    _, conv7 = network.maps(batch.images)
    return {"classification": classification(network.logits(conv7), _labels(method, batch))}


def _learn_regions(method: FashionSearchNetMethod, batch: Batch) -> Mapping[str, Tensor]:
    """Return L_C, L_TC and, with ranking, L_T (Eq. 9, the second stage)."""
    from bench_fashionsearchnet.losses import classification, triplets_of_regions

    network: FashionSearchNet = method.model  # type: ignore[assignment]
    labels = _labels(method, batch)
    conv5, conv7 = network.maps(batch.images)
    found = network.representations(conv5, conv7)
    heads = [head(found[:, number]) for number, head in enumerate(network.heads)]
    terms = {
        "classification": classification(network.logits(conv7), labels),
        "of regions": classification(heads, labels),
    }
    if method.recipe.ranking:
        terms["regions"] = triplets_of_regions(found, labels, **_how(method))
    return terms


def _merge(method: FashionSearchNetMethod, batch: Batch) -> Mapping[str, Tensor]:
    """Return L_G of (image with one value changed, one that has them, any other) (Eq. 8)."""
    import torch

    from bench_fashionsearchnet.losses import soft_triplet

    network: FashionSearchNet = method.model  # type: ignore[assignment]
    with torch.no_grad():
        found = network.represent(batch.images)
    found = found.reshape(-1, 3, *found.shape[1:])
    if batch.attribute is None:
        raise ValueError("the sampler of merging says which attribute changes")
    wanted = _labels(method, batch).reshape(-1, 3, found.shape[2])[:, 1]
    starts = np.cumsum([0, *network.values[:-1]])
    at = torch.arange(len(found), device=found.device)
    rows = torch.from_numpy(starts).to(found.device)[batch.attribute] + wanted[at, batch.attribute]
    own = torch.nn.functional.one_hot(batch.attribute, found.shape[2]).bool()[..., None]
    changed = torch.where(own, network.memory[rows][:, None], found[:, 0])
    merged = [network.merged(of) for of in (changed, found[:, 1], found[:, 2])]
    return {"merged": soft_triplet(*merged, **_how(method))}


def build_memory(method: FashionSearchNetMethod, images: Images, training: Rows) -> None:
    """Make each row of the memory the mean representation of the training images with its value.

    A value that no image has keeps a row of zeros (section 3.4). The matrix that merges becomes the
    principal axes of the training images' representations, end to end: distances are then nearly
    those of all of them, and merging begins from there.
    """
    import torch

    network: FashionSearchNet = method.model  # type: ignore[assignment]
    starts = torch.from_numpy(np.cumsum([0, *network.values[:-1]]))
    total = torch.zeros_like(network.memory)
    count = torch.zeros(len(total), 1, device=total.device)
    width = len(network.merge)
    summed = torch.zeros(width, dtype=torch.float64, device=total.device)
    products = torch.zeros(width, width, dtype=torch.float64, device=total.device)
    with torch.no_grad():
        for batch in images(training):
            found, labels = network.represent(batch.images), _labels(method, batch)
            image, attribute = torch.nonzero(labels >= 0).unbind(1)
            rows = starts.to(labels.device)[attribute] + labels[image, attribute]
            total.index_add_(0, rows, found[image, attribute])
            count.index_add_(0, rows, count.new_ones(len(rows), 1))
            joined = found.flatten(1).double()
            summed += joined.sum(dim=0)
            products += joined.T @ joined
        network.memory.copy_(total / count.clamp(min=1))
        _, axes = torch.linalg.eigh(products - summed.outer(summed) / len(training))
        kept = min(width, network.merge.shape[1])
        network.merge.zero_()
        network.merge[:, :kept] = axes[:, width - kept :].flip(1)
