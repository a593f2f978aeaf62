"""How `mtl-csn` learns: labels, triplets as the paper builds them, and the loss of a batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from bench import fingerprints
from bench.attribute_protocols import draw_triplets
from bench.errors import DataError
from bench.tasks import Rows
from bench.training.samplers import Groups, Plain, Sampler
from bench.training.stages import Batch, TrainingStage

if TYPE_CHECKING:
    from torch import Tensor

    from bench_mtl_csn.model import MTLCSN
    from bench_mtl_csn.networks import Network

Labels = npt.NDArray[np.int64]


def one_each(labels: Labels, seed: int) -> Labels:
    """Return labels (n, A) of which each image keeps one known one, drawn at random."""
    drawn = np.random.default_rng([seed, 0]).random(labels.shape) * (labels >= 0)
    kept = np.zeros(labels.shape, np.bool_)
    kept[np.arange(len(labels)), drawn.argmax(axis=1)] = True
    return np.where(kept, labels, -1)


@dataclass(frozen=True, eq=False)
class BuiltTriplets:
    """The triplets that section 3 builds, once for a training, dealt in equal proportion.

    Each image is the anchor once for each of its labels (see `draw_triplets`). In every run of A
    groups each attribute stands once. An epoch has as many groups as there are triplets, rounded up
    to whole runs: those of an attribute with few come several times, all equally often within one,
    and of one with many only some. `anchors` shortens an epoch to so many groups, drawn anew for
    each, where it is not 0. `labels` is (n, A), -1 for unknown; `attributes` are those of its
    columns that there are triplets of, all if None.
    """

    images: Rows
    labels: Labels
    seed: int
    attributes: Sequence[int] | None = None
    anchors: int = 0

    @cached_property
    def rows(self) -> Rows:
        """Every image that stands in a triplet, ascending."""
        return np.unique(np.concatenate([drawn.reshape(-1) for drawn in self.built.values()]))

    @cached_property
    def built(self) -> dict[int, Rows]:
        """The triplets (n, 3) of each attribute that has any, by its column."""
        found = {}
        for column in range(self.labels.shape[1]) if self.attributes is None else self.attributes:
            generator = np.random.default_rng([self.seed, 1, column])
            drawn = draw_triplets(self.labels[:, column], generator)
            if len(drawn):
                found[column] = self.images[drawn]
        if not found:
            raise DataError(
                "no attribute of which two training images share a value and one has another; "
                "there are no triplets to learn from"
            )
        return found

    def epoch(self, generator: np.random.Generator) -> Groups:
        """Return (n, 3) groups with their attributes, numbers of columns of `labels`."""
        columns = np.array(list(self.built))
        whole = sum(map(len, self.built.values()))
        runs = -(-min(whole, self.anchors or whole) // len(columns))
        dealt = []
        for triplets in self.built.values():
            times = -(-runs // len(triplets))
            order = np.concatenate([generator.permutation(len(triplets)) for _ in range(times)])
            dealt.append(triplets[order[:runs]])
        order = generator.random((runs, len(columns))).argsort(axis=1)
        rows = np.stack(dealt)[order, np.arange(runs)[:, None]].reshape(-1, 3)
        return Groups(rows, columns[order].reshape(-1))


def stages(method: MTLCSN, training: Rows, seed: int) -> tuple[TrainingStage, ...]:
    """Return the one stage, or one for each attribute that has a network of its own."""
    recipe, labels = method.recipe, method.learnt[training]
    identity: dict[str, Any] = {
        **recipe.model_dump(
            mode="json", exclude={"backbone", "weights", "size", "fit", "training", "attributes"}
        ),
        "attributes": list(zip(method.attributes.names, method.attributes.sizes, strict=True)),
        "labels": fingerprints.of_bytes(labels.tobytes()),
    }

    def stage(name: str, sampler: Sampler, **more: Any) -> TrainingStage:
        return TrainingStage(
            name=name, recipe=recipe.training, sampler=sampler,
            preprocessing=method.backbone.preprocessing, identity=identity,
            weights=_weights(method), terms=lambda batch: _terms(method, batch), **more,
        )  # fmt: skip

    new = ["embeddings.*.fc.*", *(["heads.*"] if recipe.recognition != "none" else [])]
    if not recipe.separate:
        sampler: Sampler = BuiltTriplets(training, labels, seed, anchors=recipe.anchors)
        if recipe.retrieval == "none":
            sampler = Plain(training[(labels >= 0).any(axis=1)])
        return (stage("joint", sampler, new=[*new, *(["masks"] if recipe.masks else [])]),)
    found = []
    built = BuiltTriplets(training, labels, seed).built
    anchors = -(-recipe.anchors // len(built))
    for column in built:
        own = [f"heads.{column}.*"] if recipe.recognition != "none" else []
        of_one = BuiltTriplets(training, labels, seed, (column,), anchors)
        trains = [f"embeddings.{column}.*", *own]
        new = [f"embeddings.{column}.fc.*", *own]
        found.append(stage(f"attribute {column}", of_one, trains=trains, new=new))
    return tuple(found)


def _weights(method: MTLCSN) -> dict[str, float]:
    """Return α and β of the losses (Eq. 6); a branch alone counts whole."""
    recipe = method.recipe
    if recipe.retrieval == "none":
        return {}
    beta = recipe.beta if recipe.recognition != "none" else 1.0
    return {
        "recognition": recipe.alpha, "triplets": beta, "pairs": beta, "apart": beta,
        "norm": beta * recipe.norm, "sparsity": beta * recipe.sparsity,
    }  # fmt: skip


def _terms(method: MTLCSN, batch: Batch) -> Mapping[str, Tensor]:
    """Return the loss terms of groups of one image, or of triplets."""
    import torch

    from bench_mtl_csn import losses

    network: Network = method.model  # type: ignore[assignment]
    recipe, attribute = method.recipe, batch.attribute
    labels = torch.from_numpy(method.learnt)[batch.rows[:, 0].cpu()].to(batch.rows.device)
    if attribute is None:
        found = network.logits(network(batch.images))
        return {"recognition": losses.recognition(found, labels, network.values)}
    if recipe.separate:
        number = int(attribute[0])
        f = network.embeddings[number](batch.images)
    else:
        f = network(batch.images)
    anchor, same, other = f.reshape(*batch.rows.shape, -1).unbind(1)
    terms = {"norm": f.square().sum(dim=1)}
    if recipe.recognition != "none" and recipe.separate:
        own, count = labels[:, number, None], network.values[number]
        terms["recognition"] = losses.recognition([network.heads[number](anchor)], own, (count,))
    elif recipe.recognition != "none":
        logits = network.logits(anchor)
        terms["recognition"] = losses.recognition(logits, labels, network.values)
    asked, near, far = (network.compared(one, attribute) for one in (anchor, same, other))
    if recipe.retrieval == "triplets":
        terms["triplets"] = losses.triplet(asked, near, far, recipe.margin)
    else:
        terms["pairs"] = losses.pair(asked, near)
        if recipe.contrastive:
            terms["apart"] = losses.apart(asked, far, recipe.margin)
    if recipe.masks:
        terms["sparsity"] = network.rectified_masks()[attribute].sum(dim=1)
    return terms
