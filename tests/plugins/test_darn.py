from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from bench_darn.loss import TripletRanking, attribute_loss, distance
from bench_darn.model import DarnMethod
from bench_darn.networks import Darn, SubNetwork
from bench_darn.recipe import DarnRecipe
from bench_darn.training import fit_pca
from torch import Tensor, nn
from torch.nn import functional as F

from bench.builtins.backbone_sources import resolve
from bench.builtins.nin import NINBackbone
from bench.catalog import Attribute, AttributeSchema, Catalog
from bench.errors import DataError, IncompatibleError, UnknownNameError, UserError
from bench.interfaces import BackboneSource, Preprocessing, Stage, Weights
from bench.plugins import Registry
from bench.recipes import make_recipe
from bench.tasks import Rows
from bench.training.samplers import AcrossDomains, Plain, Triplets
from bench.training.stages import Batch, TrainingStage

REGISTRY = Registry.load()
SPEC = REGISTRY.method("darn")
PREPROCESSING = Preprocessing(32, 1.0, "bilinear", (0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
WIDTH, VALUES = 12, 3


class Tiny(nn.Module):
    """A backbone with the names of `nin`, or another one, whose FC1 is its pooled output."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.source = BackboneSource(name, Weights("none", "random", "nothing"), PREPROCESSING)
        self.stages = {"conv3": Stage(3, 4), "conv4": Stage(4, 4), "conv5": Stage(5, 8),
                       "fc1": Stage(WIDTH, None), "fc2": Stage(WIDTH, None),
                       "pooled": Stage(WIDTH, None)}  # fmt: skip
        self.conv4 = nn.Sequential(nn.Conv2d(3, 4, 4, 4), nn.ReLU())
        self.conv5 = nn.Sequential(nn.Conv2d(4, 5, 2, 2), nn.ReLU())
        self.fc1 = nn.Sequential(nn.Linear(5, WIDTH), nn.ReLU())
        self.fc2 = nn.Sequential(nn.Linear(WIDTH, WIDTH), nn.ReLU())

    def forward(self, images: Tensor, stages: Sequence[str]) -> dict[str, Tensor]:
        conv4 = self.conv4(images)
        conv5 = self.conv5(conv4)
        fc1 = self.fc1(conv5.mean(dim=(2, 3)))
        maps = {"conv4": conv4, "conv5": conv5, "fc1": fc1[:, :, None, None],
                "fc2": self.fc2(fc1)[:, :, None, None]}  # fmt: skip
        return {stage: maps["fc1" if stage == "pooled" else stage] for stage in stages}


class TinyParts:
    def backbone_source(self, name: str, weights: str, seed: int) -> BackboneSource:
        del weights, seed
        return BackboneSource(name, Weights("none", "random", "nothing"), PREPROCESSING)

    def backbone(self, found: BackboneSource) -> nn.Module:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            return Tiny(found.name)

    def head(self, name: str, stages: Mapping[str, Stage], **options: Any) -> nn.Module:
        raise NotImplementedError

    def loss(self, name: str, **options: Any) -> nn.Module:
        raise NotImplementedError


def catalog(domains: str = "street shop shop", *, attributes: bool = True) -> Catalog:
    """Return eight garments with a photograph of each of the domains; half the values are known."""
    kinds = domains.split()
    count = 8 * len(kinds)
    items = np.repeat(np.arange(8), len(kinds))
    schema = AttributeSchema((Attribute("collar", ("a", "b", "c")), Attribute("cut", ("d", "e")),
                              Attribute("prints", ("f", "g"), multiple=True)))  # fmt: skip
    present = np.zeros((count, schema.width), np.uint8)
    known = np.zeros((count, 3), np.bool_)
    if attributes:
        present[np.arange(count), items % 3] = 1
        known[:, 0] = True
        cut = np.flatnonzero(items % 2 == 0)
        present[cut, 3 + items[cut] % 4 // 2], known[cut, 1] = 1, True
        present[:, 5:] = 1
        known[:, 2] = True
    return Catalog.from_columns(
        "toy", Path("nowhere"),
        {"path": [f"{row}.jpg" for row in range(count)], "item": items.astype(str),
         "domain": ["" if kind == "none" else kind for kind in kinds * 8],
         "category": [f"kind {item % 2}" for item in items]},
        schema=schema if attributes else None, present=present if attributes else None,
        known=known if attributes else None,
    )  # fmt: skip


def recipe_of(variant: str = "conv4-5", **changes: Any) -> DarnRecipe:
    recipe = make_recipe(SPEC, variant, {"size": 32, "branch": 6} | changes)
    assert isinstance(recipe, DarnRecipe)
    return recipe


def method_of(
    variant: str = "conv4-5", data: Catalog | None = None, *, training: Rows | None = None,
    seed: int = 0, **changes: Any,
) -> DarnMethod:  # fmt: skip
    data = catalog() if data is None else data
    rows = np.arange(len(data)) if training is None else training
    built = SPEC.build(recipe_of(variant, **changes), data, TinyParts(), seed, rows)
    assert isinstance(built, DarnMethod)
    return built


def network_of(method: DarnMethod) -> Darn:
    assert isinstance(method.model, Darn)
    return method.model


def batch(rows: Rows, seed: int = 0) -> Batch:
    generator = torch.Generator().manual_seed(seed)
    images = torch.randn((rows.size, 3, 32, 32), generator=generator)
    return Batch(images, torch.from_numpy(rows))


TRIPLETS = np.array([[0, 1, 5], [3, 4, 8], [6, 7, 2]])  # street, shop of its item, shop of another


def gradients(module: nn.Module) -> float:
    return sum(float(p.grad.abs().sum()) for p in module.parameters() if p.grad is not None)


# The losses


def test_the_attribute_loss_is_the_sum_over_known_attributes() -> None:
    logits = [torch.tensor([[2.0, 0.0], [0.0, 1.0]]), torch.tensor([[1.0, 2.0, 3.0]] * 2)]
    found = attribute_loss(logits, torch.tensor([[0, 2], [1, -1]]))
    first = math.log(1 + math.exp(-2)) + math.log(math.exp(-2) + math.exp(-1) + 1)
    assert found.tolist() == pytest.approx([first, math.log(1 + math.exp(-1))])


def test_a_missing_value_gives_its_branch_no_gradient() -> None:
    logits = [torch.randn(3, 4, requires_grad=True), torch.randn(3, 2, requires_grad=True)]
    loss = attribute_loss(logits, torch.tensor([[1, -1], [-1, 0], [-1, -1]])).sum()
    loss.backward()  # type: ignore[no-untyped-call]
    rows = [each.grad.abs().sum(dim=1) > 0 for each in logits if each.grad is not None]
    assert [row.tolist() for row in rows] == [[True, False, False], [False, True, False]]


def test_the_triplet_loss_is_equation_1() -> None:
    street, same, other = torch.tensor([[0.0, 0.0]]), torch.tensor([[3.0, 4.0]]), torch.zeros(1, 2)
    assert TripletRanking(0.3)(street, same, other).item() == pytest.approx(5.3)
    assert TripletRanking(0.3, squared=True)(street, same, other).item() == pytest.approx(25.3)
    assert TripletRanking(0.3)(street, other, same).item() == 0
    assert REGISTRY.loss("triplet-ranking")(street, same, other).item() == pytest.approx(5.3)


def test_the_distance_of_equal_vectors_has_a_finite_gradient() -> None:
    vector = torch.ones(2, 3, requires_grad=True)
    distance(vector, torch.ones(2, 3)).sum().backward()  # type: ignore[no-untyped-call]
    assert vector.grad is not None
    assert torch.equal(vector.grad, torch.zeros(2, 3))


# The networks


def test_the_paper_s_features_have_17920_dimensions() -> None:
    recipe = make_recipe(SPEC, "conv4-5", {})
    assert isinstance(recipe, DarnRecipe)
    with torch.device("meta"):
        backbone = NINBackbone(resolve("nin", "none", 0))
        network = SubNetwork(backbone, recipe, (12, 20, 56, 6, 27, 10, 25, 7, 16))
    assert network.widths == {"fc1": 4096, "conv4": 9 * 512, "conv5": 9 * 1024}
    assert sum(network.widths.values()) == 17_920 == 4096 + 9 * 1536
    features, logits = network(torch.zeros(2, 3, 224, 224, device="meta"))
    assert features.shape == (2, 17_920)
    assert [branch.shape[1] for branch in logits] == [12, 20, 56, 6, 27, 10, 25, 7, 16]
    branches = sum(
        4096 * 256 + 256 + 256 * count + count for count in (12, 20, 56, 6, 27, 10, 25, 7, 16)
    )
    assert sum(p.numel() for p in network.branches.parameters()) == branches


@pytest.mark.parametrize("backbone", ["nin", "tiny"])
def test_layers_are_pooled_scaled_and_laid_end_to_end(backbone: str) -> None:
    network = network_of(method_of(backbone=backbone, components=0)).of("shop")
    images = batch(TRIPLETS).images
    maps = network.backbone(images, ["conv4", "conv5", "fc1"])
    pooled = [F.adaptive_max_pool2d(maps[name], 3).flatten(1) for name in ("conv4", "conv5")]
    layers = [maps["fc1"].flatten(1), *pooled]
    expected = torch.cat([layer / layer.norm(dim=1, keepdim=True) for layer in layers], dim=1)
    found, logits = network(images)
    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(network.features(images), expected)
    assert [tuple(branch.shape) for branch in logits] == [(9, 3), (9, 2), (9, 2)]
    whole = network_of(method_of(backbone=backbone, components=0, normalise="whole")).of("shop")
    torch.testing.assert_close(whole(images)[0], F.normalize(torch.cat(layers, dim=1)))
    bare = network_of(method_of(backbone=backbone, components=0, normalise="none")).of("shop")
    torch.testing.assert_close(bare(images)[0], torch.cat(layers, dim=1))


def test_both_networks_begin_alike_and_share_nothing() -> None:
    network = network_of(method_of())
    street, shop = network.of("street").state_dict(), network.of("shop").state_dict()
    assert all(torch.equal(street[name], shop[name]) for name in shop)
    assert not {p.data_ptr() for p in network.of("street").parameters()} & {
        p.data_ptr() for p in network.of("shop").parameters()
    }
    assert network.of("") is network.of("shop")
    one = network_of(method_of("arn"))
    assert one.of("street") is one.of("shop")


def test_new_layers_are_drawn_from_the_seed() -> None:
    first, again, other = (
        network_of(method_of("an", seed=seed)).state_dict()["networks.both.branches.0.0.weight"]
        for seed in (1, 1, 2)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_a_substitute_s_maps_can_be_named() -> None:
    network = network_of(method_of(backbone="tiny", conv4="conv3")).of("shop")
    assert (network.names["conv4"], network.names["conv5"]) == ("conv3", "conv5")
    with pytest.raises(UnknownNameError, match="conv9"):
        network_of(method_of(backbone="tiny", conv5="conv9"))


# What learns from what


def stage_of(method: DarnMethod) -> TrainingStage:
    return method.stages[-1]


def test_street_and_shop_reach_their_own_network_alone() -> None:
    method = method_of()
    network, terms = network_of(method), stage_of(method).terms(batch(TRIPLETS))
    street, shop = network.of("street"), network.of("shop")
    terms["attributes"].sum().backward()  # type: ignore[no-untyped-call]
    both = gradients(street), gradients(shop)
    assert min(both) > 0
    network.zero_grad()
    method = method_of("dual", negative_attributes=True)
    features, _, _ = _of_domain(method, "street")
    features.sum().backward()  # type: ignore[no-untyped-call]
    assert gradients(network_of(method).of("street")) > 0
    assert gradients(network_of(method).of("shop")) == 0
    method = method_of("dual")
    features, _, _ = _of_domain(method, "shop")
    features.sum().backward()  # type: ignore[no-untyped-call]
    assert gradients(network_of(method).of("street")) == 0
    assert gradients(network_of(method).of("shop")) > 0


def _of_domain(method: DarnMethod, domain: str) -> tuple[Tensor, list[Tensor], Tensor]:
    from bench_darn.training import _of_each

    rows = np.array([[0], [3]]) if domain == "street" else np.array([[1], [5]])
    return _of_each(method, batch(rows))


def test_images_come_back_in_the_order_of_the_batch() -> None:
    method = method_of()
    given = batch(TRIPLETS)
    terms = stage_of(method).terms(given)
    network = network_of(method)
    images = given.images.unflatten(0, (3, 3))  # type: ignore[no-untyped-call]
    street = network.of("street")(images[:, 0])[0]
    same, other = (network.of("shop")(images[:, place])[0] for place in (1, 2))
    torch.testing.assert_close(terms["near"], (street - same).norm(dim=1))
    torch.testing.assert_close(terms["far"], (street - other).norm(dim=1))
    torch.testing.assert_close(terms["triplet"], (0.3 + terms["near"] - terms["far"]).relu())
    assert stage_of(method).weights == {"near": 0, "far": 0}


def test_the_attributes_of_the_third_image_count_unless_they_are_left_out() -> None:
    given = batch(TRIPLETS)
    both = stage_of(method_of()).terms(given)["attributes"]
    two = stage_of(method_of(negative_attributes=False)).terms(given)["attributes"]
    assert (both > two).all()


def test_the_third_image_is_never_of_the_same_item_and_changes_with_the_epoch() -> None:
    method = method_of()
    stage = stage_of(method)
    items = catalog().codes("item")
    epochs = [stage.sampler.epoch(stage.generator(0, epoch)).rows for epoch in range(3)]
    for rows in epochs:
        assert len(rows) == 8, "every street photograph once"
        assert method.is_street[rows[:, 0]].all()
        assert not method.is_street[rows[:, 1:]].any()
        assert (items[rows[:, 0]] == items[rows[:, 1]]).all()
        assert (items[rows[:, 0]] != items[rows[:, 2]]).all()
    thirds = [dict(zip(rows[:, 0], rows[:, 2], strict=True)) for rows in epochs]
    assert thirds[0] != thirds[1] != thirds[2]


def test_samplers_follow_the_recipe_and_the_data() -> None:
    assert isinstance(stage_of(method_of()).sampler, AcrossDomains)
    assert isinstance(stage_of(method_of("an")).sampler, Plain)
    assert isinstance(stage_of(method_of("arn", catalog("none none"))).sampler, Triplets)
    shop = stage_of(method_of("an", learn_from="shop")).sampler.rows
    assert len(shop) == 16
    assert not np.isin(shop, catalog().rows(domain="street")).any()


def test_stages_are_one_or_begin_with_attributes() -> None:
    assert [stage.name for stage in method_of().stages] == ["triplets"]
    assert [stage.name for stage in method_of("an").stages] == ["attributes"]
    both = method_of(start="attributes").stages
    assert [stage.name for stage in both] == ["attributes", "triplets"]
    assert [stage.finish is not None for stage in both] == [False, True]


def test_branches_are_of_single_valued_attributes_and_of_the_category() -> None:
    branches = method_of().branches
    assert branches.names == ("collar", "cut", "category")
    assert branches.sizes == (3, 2, 2)
    assert (branches.values[:, 1] == -1).sum() == 12
    assert method_of(data=catalog(attributes=False)).branches.names == ("category",)
    assert method_of(attributes=("cut",)).branches.names == ("cut",)
    with pytest.raises(UnknownNameError, match="prints"):
        method_of(attributes=("prints",))


def test_what_is_learnt_is_in_the_stage_s_identity() -> None:
    plain = stage_of(method_of()).identity
    assert plain == stage_of(method_of()).identity
    for changes in ({"margin": 0.5}, {"layers": ("fc1",)}, {"normalise": "whole"},
                    {"attributes": ("cut",)}, {"components": 5}):  # fmt: skip
        assert stage_of(method_of(**changes)).identity != plain


# The PCA


@pytest.mark.parametrize("fit", ["both", "shop"])
def test_the_pca_is_that_of_the_training_features_up_to_sign(fit: str) -> None:
    data = catalog()
    method = method_of(data=data, components=4, pca_fit=fit)
    network = network_of(method)
    generator = torch.Generator().manual_seed(3)
    pictures = torch.randn((len(data), 3, 32, 32), generator=generator)

    def images(rows: Rows) -> Any:
        for part in np.array_split(rows, 3):
            yield Batch(pictures[part], torch.from_numpy(part[:, None]))

    fit_pca(method, data, images, np.arange(len(data)), 0)
    with torch.no_grad():
        features = torch.cat([
            network.of(domain).features(pictures[row : row + 1])
            for row, domain in enumerate(data.images["domain"])
        ])  # fmt: skip
        found = network.projected(features).double().numpy()
    used = features.double().numpy()
    fitted = used if fit == "both" else used[~method.is_street]
    centred = used - fitted.mean(axis=0)
    directions = np.linalg.svd(fitted - fitted.mean(axis=0), full_matrices=False)[2][:4]
    expected = centred @ directions.T
    signs = np.sign((found * expected).sum(axis=0))
    np.testing.assert_allclose(found * signs, expected, atol=1e-4)


def test_features_that_are_short_enough_stay_as_they_are() -> None:
    method = method_of("dual", components=WIDTH)
    assert len(network_of(method).projection) == 0
    stage = stage_of(method)
    assert stage.finish is not None
    stage.finish(lambda _: iter(()))  # reads nothing
    features = torch.randn(2, WIDTH)
    assert network_of(method).projected(features) is features


def test_fewer_images_than_components_give_as_many_as_there_can_be() -> None:
    method = method_of(training=np.arange(9), components=50)
    assert network_of(method).projection.shape == (8, WIDTH + 9 * (4 + 5))
    with pytest.raises(DataError, match="set components lower"):
        fit_pca(method, catalog(), lambda _: iter([batch(np.array([[0]]))]), np.arange(9), 0)


def test_features_are_of_length_1_after_the_pca_where_asked_for() -> None:
    network = network_of(method_of(components=4, normalise_after_pca=True))
    network.projection.normal_()
    found = network.projected(torch.randn(3, network.projection.shape[1]))
    torch.testing.assert_close(found.norm(dim=1), torch.ones(3))


def test_each_image_goes_through_the_network_of_its_domain() -> None:
    method = method_of(components=0)
    network = network_of(method)
    with torch.no_grad():
        network.of("street").backbone.conv4[0].weight.mul_(-1)  # type: ignore[index, union-attr]
    images = batch(TRIPLETS).images
    extractor = method.extractors["features"]
    street, shop = (extractor.extract(images, domain) for domain in ("street", "shop"))
    assert not torch.allclose(street, shop)
    torch.testing.assert_close(street, network.of("street").features(images))
    torch.testing.assert_close(extractor.extract(images, ""), shop)


# What is refused


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"layers": ()}, "layers must name"),
        ({"layers": ("fc1", "fc1")}, "layers must name"),
        ({"losses": ("attributes",)}, "nothing would link the two networks"),
        ({"conv4": "conv3"}, "leave them empty"),
        ({"losses": ("triplets",), "start": "attributes"}, "start is attributes"),
    ],
)
def test_recipes_that_make_no_sense_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        recipe_of(**changes)


@pytest.mark.parametrize(
    ("variant", "domains", "message"),
    [
        ("conv4-5", "none none", "take --variant arn or an"),
        ("dual", "street street", "take --variant arn or an"),
        ("arn", "none", "take --variant an"),
        ("arn", "street street", "take --variant an"),
    ],
)
def test_data_that_the_networks_cannot_learn_from_are_refused_in_words(
    variant: str, domains: str, message: str
) -> None:
    with pytest.raises(IncompatibleError, match=message):
        method_of(variant, catalog(domains))


def test_no_training_images_and_nothing_to_learn_are_refused() -> None:
    with pytest.raises(IncompatibleError, match="choose another --protocol"):
        method_of(training=np.zeros(0, np.int64))
    bare = Catalog.from_columns(
        "toy", Path("nowhere"), {"path": [f"{row}.jpg" for row in range(4)], "item": list("aabb")}
    )
    with pytest.raises(IncompatibleError, match="neither a single-valued one nor a category"):
        method_of("an", bare)


def test_a_user_is_told_where_the_category_is_all_there_is_to_learn() -> None:
    assert method_of().notices == ()
    [text] = method_of(data=catalog(attributes=False)).notices
    assert text.startswith("toy has no attributes here; the only branch is of the category")
    assert method_of("imagenet", catalog(attributes=False)).notices == ()


def test_triplets_alone_have_no_branches() -> None:
    method = method_of(losses=("triplets",), backbone="tiny", data=catalog(attributes=False))
    network = network_of(method).of("shop")
    assert not network.branches
    assert not hasattr(network, "fc2")
    assert stage_of(method).terms(batch(TRIPLETS)).keys() == {"triplet", "near", "far"}


def test_the_baseline_learns_nothing_from_anything() -> None:
    method = method_of("imagenet", catalog("none", attributes=False), training=np.arange(0))
    assert not method.stages
    images = batch(np.array([[0]])).images
    fc1 = network_of(method).of("").backbone(images, ["fc1"])["fc1"].flatten(1)
    torch.testing.assert_close(method.extractors["features"].extract(images, ""), F.normalize(fc1))


@pytest.mark.parametrize("variant", [name for name in SPEC.variants if name != "imagenet"])
@pytest.mark.parametrize("backbone", ["nin", "tiny"])
def test_every_variant_learns(variant: str, backbone: str) -> None:
    method = method_of(variant, backbone=backbone)
    stage, network = stage_of(method), network_of(method)
    rows = TRIPLETS if "triplets" in method.recipe.losses else TRIPLETS.reshape(-1, 1)
    given = batch(rows)
    optimiser = torch.optim.Adam(network.parameters(), 0.01)
    losses = []
    for _ in range(60):
        terms = stage.terms(given)
        loss = sum(
            (stage.weights.get(name, 1.0) * term.mean() for name, term in terms.items()),
            torch.zeros(()),
        )
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.8 * losses[0]
