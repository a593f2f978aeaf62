"""How the networks of `multiattrib` learn: one stage, and the ICA before it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from bench import fingerprints
from bench.catalog import Catalog
from bench.errors import DataError, UnknownNameError
from bench.tasks import Rows
from bench.training.samplers import Plain, hold_out
from bench.training.stages import Batch, Images, TrainingStage

if TYPE_CHECKING:
    from torch import Tensor

    from bench_multiattrib.model import MultiAttrib
    from bench_multiattrib.networks import Bilinear

# What each network has of its own among the recipe's fields. Which layer is compared, and how, is
# not among them: such variants share one training.
OWN = {
    "vgg16": ("fc_width",),
    "bilinear": ("signed_square_root", "stage", "components", "ica_samples", "ica_seed"),
}
ITERATIONS = 1000  # of the ICA; it takes tens


def learnable(catalog: Catalog, training: Rows, attributes: Sequence[str] = ()) -> Rows:
    """Return the columns of `catalog.present` that some training image has, (N,).

    They are of the named attributes, or of all. Raises `UnknownNameError` for an attribute that the
    data do not have.
    """
    if not len(training):
        return np.zeros(0, np.int64)
    known = [attribute.name for attribute in catalog.schema.attributes]
    wanted = np.zeros(catalog.schema.width, np.bool_)
    for name in attributes or known:
        if name not in known:
            raise UnknownNameError(f"attribute of {catalog.dataset}", name, known)
        wanted[catalog.schema.columns(name)] = True
    return np.flatnonzero(wanted & catalog.present[training].any(axis=0)).astype(np.int64)


def attribute_stage(
    method: MultiAttrib, catalog: Catalog, training: Rows, seed: int
) -> TrainingStage:
    """Return the one stage: every parameter learns, by the pairwise ranking loss.

    Values that are not known to be present count as absent.
    """
    recipe, columns = method.recipe, method.columns
    learnt, validation = training, None
    if recipe.training.selection == "best":
        learnt, held_out = hold_out(training, recipe.training.validation, seed)
        validation = Plain(held_out)
    present = np.ascontiguousarray(catalog.present[training][:, columns])

    def terms(batch: Batch) -> Mapping[str, Tensor]:
        import torch

        from bench_multiattrib.loss import pairwise_ranking

        rows = batch.rows[:, 0].cpu().numpy()
        targets = torch.from_numpy(catalog.present[np.ix_(rows, columns)])
        scores = method.model(batch.images).float()
        return {"ranking": pairwise_ranking(scores, targets.to(scores.device))}

    def prepare(images: Images) -> None:
        fit_projection(
            method.model,  # type: ignore[arg-type]
            images, learnt, samples=recipe.ica_samples, seed=recipe.ica_seed,
        )  # fmt: skip

    if recipe.network == "bilinear":
        new = ["fc.*"]
    else:
        new = ["fc7.*", "fc8.*"] if recipe.is_substitute else ["fc8.*"]
    return TrainingStage(
        name="attributes",
        recipe=recipe.training,
        sampler=Plain(learnt),
        validation=validation,
        preprocessing=method.backbone.preprocessing,
        identity={
            "network": recipe.network,
            **{field: getattr(recipe, field) for field in OWN[recipe.network]},
            "labels": len(columns),
            "targets": fingerprints.of_bytes(present.tobytes()),
        },
        terms=terms,
        new=new,
        prepare=prepare if recipe.network == "bilinear" else None,
    )


def fit_projection(
    network: Bilinear, images: Images, rows: Rows, *, samples: int, seed: int
) -> None:
    """Fit the network's projection by ICA on positions of its map (section III.A).

    About `samples` positions, (n, C), are drawn from the images of `rows`, as many of each; of more
    images than `samples` only so many are read. Raises `DataError` where there are fewer positions
    than components.
    """
    import torch

    generator = np.random.default_rng(seed)
    if len(rows) > samples:
        rows = np.sort(generator.choice(rows, samples, replace=False))
    each = -(-samples // len(rows))
    found = []
    with torch.no_grad():
        for batch in images(rows):
            maps = network.positions(batch.images).float().cpu().numpy()
            chosen = generator.random(maps.shape[:2]).argsort(axis=1)[:, :each, None]
            found.append(np.take_along_axis(maps, chosen, axis=1).reshape(-1, maps.shape[2]))
    projection, mean = _ica(np.concatenate(found), len(network.projection), seed)
    network.projection.copy_(torch.from_numpy(projection))
    network.mean.copy_(torch.from_numpy(mean))


def _ica(
    values: npt.NDArray[np.float32], components: int, seed: int
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Return the projection (K, C) and the mean (C,) of values (n, C).

    Channels that do not vary have no part in it: scikit-learn fails where the first one is such.
    Raises `DataError` where fewer than K channels vary, or there are no more than K values.
    """
    import warnings

    from sklearn.decomposition import FastICA
    from sklearn.exceptions import ConvergenceWarning

    varying = np.ptp(values, axis=0) > 0
    if len(values) <= components or varying.sum() < components:
        raise DataError(
            f"the ICA of {components} components needs more positions of training images, found "
            f"{len(values)}, and as many channels that vary, found {varying.sum()}; train on more "
            "images or set components lower"
        )
    ica = FastICA(
        components, fun="logcosh", whiten="unit-variance", whiten_solver="eigh",
        max_iter=ITERATIONS, random_state=seed,
    )  # fmt: skip
    with warnings.catch_warnings():
        # any rotation of the white directions can be learnt on; directions without variance, of
        # which the second warning is, come after those that are taken
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.filterwarnings("ignore", "There are some small singular values")
        ica.fit(values[:, varying])
    projection = np.zeros((components, len(varying)), np.float32)
    projection[:, varying] = ica.components_
    return projection, values.mean(axis=0, dtype=np.float64).astype(np.float32)
