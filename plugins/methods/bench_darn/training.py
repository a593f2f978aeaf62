"""How the networks of `darn` learn: attributes, triplets across domains, and the PCA at the end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from bench import fingerprints
from bench.catalog import Catalog
from bench.errors import DataError, IncompatibleError, UnknownNameError
from bench.tasks import Rows
from bench.training.samplers import AcrossDomains, Plain, Sampler, Triplets, hold_out
from bench.training.stages import Batch, Images, TrainingStage
from bench_darn.recipe import DarnRecipe

if TYPE_CHECKING:
    from torch import Tensor

    from bench_darn.model import DarnMethod
    from bench_darn.networks import Darn

CATEGORY = "category"  # the branch of the catalog's own categories, where no attribute is called so


@dataclass(frozen=True)
class Branches:
    """The attributes that have a branch, how many values each has, and every image's values.

    `values` is int64 (N, A), -1 where the value is not known.
    """

    names: tuple[str, ...]
    sizes: tuple[int, ...]
    values: npt.NDArray[np.int64]

    @classmethod
    def none(cls, catalog: Catalog) -> Branches:
        """Return no branches, for networks that learn no attributes."""
        return cls((), (), np.zeros((len(catalog), 0), np.int64))

    @classmethod
    def of(cls, catalog: Catalog, training: Rows, wanted: tuple[str, ...]) -> Branches:
        """Return the single-valued attributes, and the category, that training images have.

        Raises `UnknownNameError` for a wanted name that the data do not have, `IncompatibleError`
        where nothing is left that could be learnt.
        """
        single, schema = catalog.single_valued(training), catalog.schema
        labels = {name: catalog.labels()[:, number] for name, number in single.items()}
        sizes = {name: len(schema.attributes[number].values) for name, number in single.items()}
        codes = catalog.codes("category")
        if CATEGORY not in labels and (codes[training] >= 0).any():
            labels[CATEGORY], sizes[CATEGORY] = (
                codes,
                len(catalog.images["category"].cat.categories),
            )
        for name in wanted:
            if name not in labels:
                raise UnknownNameError(
                    f"single-valued attribute of {catalog.dataset}", name, labels
                )
        names = tuple(name for name in labels if not wanted or name in wanted)
        if not names:
            raise IncompatibleError(
                f"darn learns attributes; the {len(training):,} training images of "
                f"{catalog.dataset} have neither a single-valued one nor a category"
            )
        values = np.stack([labels[name] for name in names], axis=1)
        return cls(names, tuple(sizes[name] for name in names), values)

    def notices(self, catalog: Catalog) -> tuple[str, ...]:
        """Return, in words, that the category is all there is to learn of attributes, if so."""
        if self.names != (CATEGORY,) or catalog.has("attributes"):
            return ()
        return (
            f"{catalog.dataset} has no attributes here; the only branch is of the category, which "
            "is not what the paper trains",
        )


def stages(
    method: DarnMethod, catalog: Catalog, training: Rows, seed: int
) -> tuple[TrainingStage, ...]:
    """Return the stages: what the recipe's losses say, or attributes first and then both."""
    recipe = method.recipe

    def stage(name: str, *, triplets: bool, last: bool) -> TrainingStage:
        return _stage(method, catalog, training, seed, name, triplets=triplets, last=last)

    if not recipe.losses:
        return ()
    if "triplets" not in recipe.losses:
        return (stage("attributes", triplets=False, last=True),)
    whole = stage("triplets", triplets=True, last=True)
    if recipe.start == "imagenet":
        return (whole,)
    return (stage("attributes", triplets=False, last=False), whole)


def _stage(
    method: DarnMethod, catalog: Catalog, training: Rows, seed: int, name: str,
    *, triplets: bool, last: bool,
) -> TrainingStage:  # fmt: skip
    recipe, held_out = method.recipe, None
    learnt = training
    if recipe.training.selection == "best":
        learnt, held_out = hold_out(training, recipe.training.validation, seed)

    def sampler(rows: Rows) -> Sampler:
        return _triplets(catalog, rows) if triplets else Plain(_shown(recipe, catalog, rows))

    def terms(batch: Batch) -> Mapping[str, Tensor]:
        return _triplet_terms(method, batch) if triplets else _attribute_terms(method, batch)

    def finish(images: Images) -> None:
        fit_pca(method, catalog, images, training, seed)

    values = method.branches.values[training]
    return TrainingStage(
        name=name,
        recipe=recipe.training,
        sampler=sampler(learnt),
        validation=None if held_out is None else sampler(held_out),
        preprocessing=method.backbone.preprocessing,
        identity={
            **recipe.model_dump(
                mode="json",
                exclude={"training", "weights", "attributes", "learn_from", "start"},
            ),
            "branches": list(zip(method.branches.names, method.branches.sizes, strict=True)),
            "values": fingerprints.of_bytes(values.tobytes()),
            "pca": last,
        },
        terms=terms,
        weights={"near": 0.0, "far": 0.0},  # watched, not learnt: the margin hangs on them
        new=("networks.*.branches.*", *(["networks.*.fc2.*"] if recipe.is_substitute else [])),
        finish=finish if last else None,
    )


def _shown(recipe: DarnRecipe, catalog: Catalog, rows: Rows) -> Rows:
    """Return the rows whose photographs teach attributes, where there are no triplets."""
    if recipe.learn_from == "both":
        return rows
    return np.setdiff1d(rows, catalog.rows(domain="street"))


def _triplets(catalog: Catalog, rows: Rows) -> Sampler:
    """Return triplets from street to shop, or of items alone where photographs are of one kind."""
    items = catalog.codes("item")[rows]
    street = np.isin(rows, catalog.rows(domain="street"))
    if not street.any():
        return Triplets(rows, items)
    return AcrossDomains(rows[street], items[street], rows[~street], items[~street])


def _attribute_terms(method: DarnMethod, batch: Batch) -> dict[str, Tensor]:
    """Return the loss of each image's attributes; each goes through the network of its domain."""
    from bench_darn.loss import attribute_loss

    return {"attributes": attribute_loss(*_of_each(method, batch)[1:])}


def _triplet_terms(method: DarnMethod, batch: Batch) -> dict[str, Tensor]:
    """Return L_attr(a) + L_attr(b) + L_attr(c) and Loss(a, b, c) of each triplet (section 4.3)."""
    from bench_darn.loss import TripletRanking, attribute_loss, distance

    recipe = method.recipe
    features, logits, values = _of_each(method, batch)
    street, same, other = features.reshape(-1, 3, features.shape[1]).unbind(1)
    terms = {
        "triplet": TripletRanking(recipe.margin, squared=recipe.squared)(street, same, other),
        "near": distance(street, same, squared=recipe.squared).detach(),
        "far": distance(street, other, squared=recipe.squared).detach(),
    }
    if logits:
        attributes = attribute_loss(logits, values).reshape(-1, 3)
        taught = attributes if recipe.negative_attributes else attributes[:, :2]
        terms["attributes"] = taught.sum(dim=1)
    return terms


def _of_each(method: DarnMethod, batch: Batch) -> tuple[Tensor, list[Tensor], Tensor]:
    """Return features (n, D), logits [(n, V) …] and values (n, A) of a batch's n images in order.

    Street photographs go through the network of the street and get its gradient, all others through
    that of the shop.
    """
    import torch

    network: Darn = method.model  # type: ignore[assignment]
    rows = batch.rows.reshape(-1)
    values = torch.from_numpy(method.branches.values)[rows.cpu()].to(rows.device)
    if method.recipe.networks == "one":
        return *network.of("")(batch.images), values
    street = torch.from_numpy(method.is_street)[rows.cpu()].to(rows.device)
    parts = {"street": torch.nonzero(street)[:, 0], "shop": torch.nonzero(~street)[:, 0]}
    found = [network.of(domain)(batch.images[at]) for domain, at in parts.items() if len(at)]
    order = torch.cat([at for at in parts.values() if len(at)]).argsort()
    features = torch.cat([features for features, _ in found])[order]
    logits = [torch.cat(branch)[order] for branch in zip(*(ls for _, ls in found), strict=True)]
    return features, logits, values


def fit_pca(
    method: DarnMethod, catalog: Catalog, images: Images, training: Rows, seed: int
) -> None:
    """Fit the PCA, if there is one, on training images, each by the network of its domain.

    At most `pca_samples` are drawn. Raises `DataError` where fewer can be read than it has
    components.
    """
    import torch
    from sklearn.decomposition import PCA

    network: Darn = method.model  # type: ignore[assignment]
    count = len(network.projection)
    if not count:
        return
    rows = pca_rows(method.recipe, catalog, training)
    if len(rows) > method.recipe.pca_samples:
        rows = np.sort(np.random.default_rng(seed).choice(rows, method.recipe.pca_samples, False))
    found: list[npt.NDArray[np.float32]] = []
    with torch.no_grad():
        for domain, part in _by_domain(method, rows):
            found += [network.of(domain).features(b.images).cpu().numpy() for b in images(part)]
    features = np.concatenate(found)
    if len(features) <= count:
        raise DataError(
            f"the PCA of {count:,} components needs more than as many training images, and "
            f"{len(features):,} could be read; set components lower"
        )
    pca: Any = PCA(count, random_state=seed).fit(features)
    network.mean.copy_(torch.from_numpy(pca.mean_))
    network.projection.copy_(torch.from_numpy(pca.components_))


def pca_rows(recipe: DarnRecipe, catalog: Catalog, training: Rows) -> Rows:
    """Return the training images that the PCA may be fitted on."""
    if recipe.pca_fit == "both":
        return training
    return np.setdiff1d(training, catalog.rows(domain="street"))


def _by_domain(method: DarnMethod, rows: Rows) -> list[tuple[str, Rows]]:
    street = method.is_street[rows]
    parts = {"street": rows[street], "shop": rows[~street]}
    return [(domain, part) for domain, part in parts.items() if len(part)]
