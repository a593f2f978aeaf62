from __future__ import annotations

import csv
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import bench_multiattrib
import numpy as np
import pytest
import sklearn.decomposition
import torch
from bench_multiattrib.loss import pairwise_ranking
from bench_multiattrib.model import MultiAttrib
from bench_multiattrib.networks import (
    Bilinear,
    FullyConnected,
    build_network,
    signed_square_root,
)
from bench_multiattrib.parameters import counts, facts
from bench_multiattrib.recipe import LAYERS, MultiAttribRecipe
from bench_multiattrib.training import fit_projection
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional as F

from bench.builtins.vgg import VGG16Backbone
from bench.catalog import Attribute, AttributeSchema, Catalog
from bench.errors import DataError, IncompatibleError, UnknownNameError, UserError
from bench.interfaces import BackboneSource, Preprocessing, Stage, Weights
from bench.plugins import Registry
from bench.recipes import make_recipe
from bench.tasks import Rows
from bench.training.stages import Batch, TrainingStage

REGISTRY = Registry.load()
SPEC = REGISTRY.method("multiattrib")
PREPROCESSING = Preprocessing(64, 0.875, "bilinear", (0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
CHANNELS, WIDTH = 6, 16


def source(name: str) -> BackboneSource:
    return BackboneSource(name, Weights("none", "random", "nothing"), PREPROCESSING)


class TinyVGG(nn.Module):
    """VGG16's names with a fraction of its channels."""

    def __init__(self) -> None:
        super().__init__()
        self.source = source("vgg16")
        self.stages = {"conv4_3": Stage(4, 8), "conv5_3": Stage(CHANNELS, 16),
                       "pool5": Stage(CHANNELS, 32), "fc6": Stage(WIDTH, None),
                       "fc7": Stage(WIDTH, None), "pooled": Stage(WIDTH, None)}  # fmt: skip
        self.conv4_3 = nn.Sequential(nn.Conv2d(3, 4, 8, 8), nn.ReLU())
        self.conv5_3 = nn.Sequential(nn.Conv2d(4, CHANNELS, 2, 2), nn.ReLU())
        self.classifier = nn.Sequential(
            nn.Linear(CHANNELS * 49, WIDTH), nn.ReLU(), nn.Dropout(),
            nn.Linear(WIDTH, WIDTH), nn.ReLU(), nn.Dropout(),
        )  # fmt: skip

    def forward(self, images: Tensor, stages: Sequence[str]) -> dict[str, Tensor]:
        conv4_3 = self.conv4_3(images)
        conv5_3 = self.conv5_3(conv4_3)
        maps = {"conv4_3": conv4_3, "conv5_3": conv5_3, "pool5": F.max_pool2d(conv5_3, 2)}
        return {stage: maps[stage] for stage in stages}


class Tiny(nn.Module):
    """Another backbone; its last map is not its last stage."""

    def __init__(self) -> None:
        super().__init__()
        self.source = source("tiny")
        self.stages = {"first": Stage(4, 8), "last": Stage(CHANNELS, 16),
                       "pooled": Stage(CHANNELS, None)}  # fmt: skip
        self.first = nn.Conv2d(3, 4, 8, 8)
        self.last = nn.Conv2d(4, CHANNELS, 2, 2)

    def forward(self, images: Tensor, stages: Sequence[str]) -> dict[str, Tensor]:
        first = self.first(images)
        last = self.last(first.relu())
        maps = {"first": first, "last": last, "pooled": last.mean(dim=(2, 3), keepdim=True)}
        return {stage: maps[stage] for stage in stages}


class TinyParts:
    """Finds the two backbones above."""

    def backbone_source(self, name: str, weights: str, seed: int) -> BackboneSource:
        del weights, seed
        return source(name)

    def backbone(self, found: BackboneSource) -> nn.Module:
        torch.manual_seed(0)
        return TinyVGG() if found.name == "vgg16" else Tiny()

    def head(self, name: str, stages: Mapping[str, Stage], **options: Any) -> nn.Module:
        raise NotImplementedError

    def loss(self, name: str, **options: Any) -> nn.Module:
        raise NotImplementedError


PRESENT = np.array([[1, 0, 0, 1, 0], [0, 1, 0, 0, 0], [1, 0, 0, 0, 0], [0, 1, 0, 1, 0],
                    [0, 0, 1, 0, 0], [1, 0, 0, 0, 1]], np.uint8)  # fmt: skip
TRAINING: Rows = np.array([0, 1, 2, 3])  # their images have the values 0, 1 and 3


def catalog(present: Any = PRESENT) -> Catalog:
    schema = AttributeSchema(
        (Attribute("collar", ("a", "b", "c")), Attribute("print", ("d", "e"), multiple=True))
    )
    return Catalog.from_columns(
        "toy", Path("nowhere"), {"path": [f"{row}.jpg" for row in range(len(present))]},
        schema=schema, present=np.asarray(present, np.uint8),
        known=np.zeros((len(present), 2), np.bool_),
    )  # fmt: skip


def recipe_of(variant: str, **changes: Any) -> MultiAttribRecipe:
    small = {"size": 32, "components": 3, "fc_width": WIDTH, "ica_samples": 100} | changes
    recipe = make_recipe(SPEC, variant, small)
    assert isinstance(recipe, MultiAttribRecipe)
    return recipe


def method_of(variant: str, *, training: Rows = TRAINING, present: Any = PRESENT, seed: int = 0,
              **changes: Any) -> MultiAttrib:  # fmt: skip
    built = SPEC.build(recipe_of(variant, **changes), catalog(present), TinyParts(), seed, training)
    assert isinstance(built, MultiAttrib)
    return built


def stage_of(method: MultiAttrib) -> TrainingStage:
    (stage,) = method.stages
    return stage


def images(count: int, seed: int = 1, size: int = 32) -> Tensor:
    return torch.randn((count, 3, size, size), generator=torch.Generator().manual_seed(seed))


def given_images(batch_size: int) -> Callable[[Rows], Iterator[Batch]]:
    """Return what reads images: each row's own noise, `batch_size` at a time."""

    def read(rows: Rows) -> Iterator[Batch]:
        for start in range(0, len(rows), batch_size):
            part = rows[start : start + batch_size]
            pixels = torch.cat([images(1, seed=int(row)) for row in part])
            yield Batch(pixels, torch.from_numpy(part[:, None]))

    return read


def batch_of(rows: Rows) -> Batch:
    return next(given_images(len(rows))(rows))


# --- the loss ---------------------------------------------------------------------------------


def double_sum(scores: Tensor, present: Tensor) -> list[float]:
    """Return the loss as equation 1 has it, pair by pair."""
    found = []
    for f, has in zip(scores.tolist(), present.tolist(), strict=True):
        pairs = [math.exp(f[v] - f[u]) for v in range(len(f)) for u in range(len(f))
                 if has[u] and not has[v]]  # fmt: skip
        if pairs:
            found.append(math.log(1 + math.fsum(pairs)))
    return found


@st.composite
def scored(draw: st.DrawFn, largest: float = 30) -> tuple[Tensor, Tensor]:
    shape = draw(st.integers(1, 4)), draw(st.integers(1, 7))
    number = st.floats(-largest, largest, width=32)
    flat = shape[0] * shape[1]
    scores = draw(st.lists(number, min_size=flat, max_size=flat))
    present = draw(st.lists(st.booleans(), min_size=flat, max_size=flat))
    return torch.tensor(scores, dtype=torch.float64).reshape(shape), torch.tensor(present).reshape(
        shape
    )


@given(scored())
def test_the_loss_is_the_sum_over_all_pairs(case: tuple[Tensor, Tensor]) -> None:
    losses = pairwise_ranking(*case)
    assert losses.tolist() == pytest.approx(double_sum(*case), abs=1e-6, rel=1e-6)


@given(scored(), st.floats(-100, 100))
def test_the_loss_does_not_change_where_all_scores_rise_alike(
    case: tuple[Tensor, Tensor], rise: float
) -> None:
    scores, present = case
    torch.testing.assert_close(
        pairwise_ranking(scores + rise, present), pairwise_ranking(scores, present)
    )


@given(scored())
def test_the_gradient_of_each_image_sums_to_zero_and_has_the_right_signs(
    case: tuple[Tensor, Tensor],
) -> None:
    scores, present = case
    scores.requires_grad_()
    pairwise_ranking(scores, present).sum().backward()
    gradient = scores.grad
    assert gradient is not None
    assert gradient.sum(dim=1).abs().max() < 1e-9
    assert (gradient[present] <= 0).all()
    assert (gradient[~present] >= 0).all()


def test_the_gradient_agrees_with_differences() -> None:
    scores = torch.randn((5, 6), dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    present = torch.tensor([[1, 0, 1, 0, 0, 0], [0] * 6, [1] * 6, [1, 1, 1, 1, 1, 0],
                            [0, 0, 0, 0, 0, 1]])  # fmt: skip
    assert torch.autograd.gradcheck(
        lambda values: pairwise_ranking(values, present), scores.requires_grad_()
    )


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_loss_is_stable_at_large_scores(dtype: torch.dtype) -> None:
    scores = torch.tensor([[1e4, -1e4, 1e4], [-1e4, 1e4, 0.0], [1e4, 1e4, 1e4]], dtype=dtype)
    scores.requires_grad_()
    losses = pairwise_ranking(scores, torch.tensor([[0, 1, 0], [0, 1, 0], [1, 0, 0]]))
    assert losses.tolist() == pytest.approx([2e4 + math.log(2), 0, math.log(3)])
    losses.sum().backward()
    assert scores.grad is not None
    assert torch.isfinite(scores.grad).all()
    assert scores.grad[0].tolist() == pytest.approx([0.5, -1, 0.5])


def test_images_with_no_value_or_all_values_are_left_out() -> None:
    scores = torch.randn((4, 3)).requires_grad_()
    present = torch.tensor([[0, 0, 0], [1, 0, 0], [1, 1, 1], [0, 1, 1]])
    losses = pairwise_ranking(scores, present)
    assert losses.shape == (2,)
    losses.sum().backward()
    assert scores.grad is not None
    assert (scores.grad.abs().sum(dim=1) > 0).tolist() == [False, True, False, True]
    nothing = pairwise_ranking(scores[:1], present[:1])
    assert nothing.shape == (0,)
    nothing.sum().backward()


def test_the_loss_is_registered() -> None:
    scores, present = torch.randn((3, 4)), torch.tensor([[0] * 4, [1, 0, 0, 1], [0, 0, 1, 0]])
    found = REGISTRY.loss("pairwise-ranking")(scores, present)
    assert torch.equal(found, pairwise_ranking(scores, present))


# --- the networks -----------------------------------------------------------------------------


def test_fc_layers_are_those_of_vgg16_with_a_new_one_for_the_labels() -> None:
    backbone = TinyVGG()
    fc6, fc7 = backbone.classifier[0], backbone.classifier[3]
    network = build_network(recipe_of("vgg16-fc6"), backbone, 5, seed=0)
    assert isinstance(network, FullyConnected)
    assert (network.fc6, network.fc7) == (fc6, fc7)
    assert network.fc8.weight.shape == (5, WIDTH)
    assert not any("classifier" in name for name in network.state_dict())
    given = images(3)
    pooled = F.adaptive_avg_pool2d(backbone(given, ["pool5"])["pool5"], 7).flatten(1)
    first = fc6(pooled).relu()
    second = fc7(first).relu()
    torch.testing.assert_close(network.features(given, "fc6"), first)
    torch.testing.assert_close(network.features(given, "fc7"), second)
    torch.testing.assert_close(network.features(given, "fc8"), network.fc8(second))
    torch.testing.assert_close(network(given), network.fc8(second))


def test_features_can_be_taken_before_the_relu() -> None:
    after, before = (method_of("vgg16-fc6", relu=relu).model for relu in (True, False))
    for layer in ("fc6", "fc7"):
        values = before.features(images(3), layer)
        assert values.min() < 0
        torch.testing.assert_close(after.features(images(3), layer), values.relu())
    torch.testing.assert_close(after(images(3)), before(images(3)))


def test_dropout_falls_on_fc6_and_fc7_in_training_alone() -> None:
    network = method_of("vgg16-fc6").model
    assert torch.equal(network(images(2)), network(images(2)))
    network.train()
    kept: list[float] = []
    network.dropout.register_forward_hook(
        lambda layer, given, found: kept.append(
            float(found.count_nonzero() / max(1, given[0].count_nonzero()))
        )
    )
    for layer, times in (("fc6", 0), ("fc7", 1), ("fc8", 2)):
        kept.clear()
        network.features(images(64), layer)
        assert kept == pytest.approx([0.5] * times, abs=0.1), layer


def test_another_backbones_pooled_output_is_its_fc6_and_the_other_layers_are_new() -> None:
    network = method_of("vgg16-fc6", backbone="tiny", fc_width=7).model
    shapes = {name: tuple(value.shape) for name, value in network.named_parameters()}
    assert not any(name.startswith("fc6") for name in shapes)
    assert [shapes[f"{name}.weight"] for name in ("fc7", "fc8")] == [(7, CHANNELS), (3, 7)]
    pooled = network.get_submodule("backbone")(images(2), ["pooled"])["pooled"][:, :, 0, 0]
    torch.testing.assert_close(network.features(images(2), "fc6"), pooled)
    second = network.get_submodule("fc7")(pooled).relu()
    torch.testing.assert_close(network.features(images(2), "fc7"), second)
    torch.testing.assert_close(network(images(2)), network.get_submodule("fc8")(second))


def by_positions(alpha: np.ndarray, projection: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """Return the bilinear layer of maps (B, C, h, w) as the paper says it, position by position."""
    found = []
    for image in alpha.astype(np.float64):
        total = np.zeros((len(image), len(projection)))
        for y in range(image.shape[1]):
            for x in range(image.shape[2]):
                here = image[:, y, x]
                total += np.outer(here, projection @ (here - mean))
        found.append(total.reshape(-1))
    return np.stack(found)


@pytest.mark.parametrize("backbone", ["vgg16", "tiny"])
@pytest.mark.parametrize("signed_root", [True, False])
def test_the_bilinear_layer_is_the_sum_of_outer_products(backbone: str, signed_root: bool) -> None:
    network = method_of("bilinear", backbone=backbone, signed_square_root=signed_root).model
    assert isinstance(network, Bilinear)
    generator = torch.Generator().manual_seed(2)
    network.projection.copy_(torch.randn((3, CHANNELS), generator=generator))
    network.mean.copy_(torch.randn(CHANNELS, generator=generator))
    stage = "conv5_3" if backbone == "vgg16" else "last"
    alpha = network.backbone(images(2), [stage])[stage].detach().numpy()
    expected = by_positions(alpha, network.projection.numpy(), network.mean.numpy())
    if signed_root:
        expected = np.sign(expected) * np.sqrt(np.abs(expected))
        expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    found = network.features(images(2), "bilinear").detach()
    assert found.shape == (2, CHANNELS * 3)
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-3, atol=1e-4)
    torch.testing.assert_close(network.features(images(2), "prob"), network.fc(found))
    torch.testing.assert_close(network(images(2)), network.fc(found))


def test_the_bilinear_network_takes_the_map_that_the_recipe_names() -> None:
    network = method_of("bilinear", stage="conv4_3").model
    assert network.fc.in_features == 4 * 3
    for backbone, stage in (("vgg16", "conv4_4"), ("tiny", "pooled")):
        with pytest.raises(UnknownNameError, match="map of the backbone"):
            _ = method_of("bilinear", backbone=backbone, stage=stage).model
    with pytest.raises(IncompatibleError, match="components=7: last has 6 channels"):
        _ = method_of("bilinear", backbone="tiny", components=7).model


@given(st.floats(0.01, 1e6), st.booleans())
def test_the_signed_square_root_keeps_the_sign(value: float, negative: bool) -> None:
    sign = -1 if negative else 1
    root = signed_square_root(torch.tensor([sign * value], dtype=torch.float64))
    assert float(root) == pytest.approx(sign * math.sqrt(value), rel=1e-4)


def test_the_signed_square_root_has_a_finite_slope_at_zero() -> None:
    value = torch.zeros(1, requires_grad=True)
    signed_square_root(value).backward()
    assert value.grad is not None
    assert 0 < float(value.grad) <= 1000


@pytest.mark.parametrize("backbone", ["vgg16", "tiny"])
@pytest.mark.parametrize("variant", ["vgg16-fc6", "bilinear"])
def test_every_network_learns(variant: str, backbone: str) -> None:
    method = method_of(variant, backbone=backbone, fc_width=32)
    stage, network, batch = stage_of(method), method.model, batch_of(TRAINING)
    if stage.prepare is not None:
        stage.prepare(given_images(2))
    buffers = {name: value.clone() for name, value in network.named_buffers()}
    before = stage.terms(batch)["ranking"]
    assert before.shape == (4,)
    before.sum().backward()
    assert [n for n, p in network.named_parameters() if p.grad is None or not p.grad.any()] == []
    optimiser = torch.optim.Adam(network.parameters(), 1e-2)
    network.train()
    torch.manual_seed(0)
    for _ in range(30):
        optimiser.zero_grad()
        stage.terms(batch)["ranking"].mean().backward()
        optimiser.step()
    network.eval()
    assert stage.terms(batch)["ranking"].mean() < before.mean() / 2
    for name, value in network.named_buffers():
        assert torch.equal(value, buffers[name]), f"{name} is fitted and stays"


def test_new_layers_are_drawn_from_the_seed() -> None:
    first, again, other = (method_of("vgg16-fc8", seed=seed).model for seed in (3, 3, 4))
    same = [torch.equal(first.fc8.weight, network.fc8.weight) for network in (again, other)]
    assert same == [True, False]
    backbone, state = Tiny(), torch.get_rng_state()
    build_network(recipe_of("bilinear"), backbone, 3, seed=0)
    assert torch.equal(torch.get_rng_state(), state), "the global generator is left alone"


# --- the projection ---------------------------------------------------------------------------


class Sources(nn.Module):
    """A backbone whose map mixes three independent sources into six channels."""

    def __init__(self) -> None:
        super().__init__()
        self.source = source("sources")
        self.stages = {"map": Stage(6, 4)}
        self.mixing = torch.randn((6, 3), generator=torch.Generator().manual_seed(5))
        self.learns = nn.Parameter(torch.zeros(()))

    def forward(self, given: Tensor, stages: Sequence[str]) -> dict[str, Tensor]:
        return dict.fromkeys(stages, torch.einsum("ck,bkhw->bchw", self.mixing, given) + 2)


def laplacian(rows: Rows) -> Tensor:
    drawn = np.stack([np.random.default_rng(int(row)).laplace(size=(3, 8, 8)) for row in rows])
    return torch.from_numpy(drawn.astype(np.float32))


def reading(batch_size: int, seen: list[int] | None = None) -> Callable[[Rows], Iterator[Batch]]:
    def read(rows: Rows) -> Iterator[Batch]:
        for start in range(0, len(rows), batch_size):
            part = rows[start : start + batch_size]
            if seen is not None:
                seen.extend(part.tolist())
            yield Batch(laplacian(part), torch.from_numpy(part[:, None]))

    return read


def fitted(batch_size: int, *, rows: int = 60, samples: int = 60 * 64, seed: int = 0,
           seen: list[int] | None = None) -> Bilinear:  # fmt: skip
    network = Bilinear(Sources(), "", 3, 4, signed_root=True)
    fit_projection(network, reading(batch_size, seen), np.arange(rows), samples=samples, seed=seed)
    return network


def test_the_projection_finds_independent_sources() -> None:
    network = fitted(16)
    given = laplacian(np.arange(60, 80))
    beta = F.linear(network.positions(given) - network.mean, network.projection).reshape(-1, 3)
    truth = given.flatten(2).transpose(1, 2).reshape(-1, 3)
    likeness = np.abs(np.corrcoef(beta.numpy().T, truth.numpy().T)[:3, 3:])
    assert sorted(likeness.argmax(axis=1).tolist()) == [0, 1, 2]
    assert likeness.max(axis=1).min() > 0.99
    assert beta.var(dim=0).tolist() == pytest.approx([1, 1, 1], abs=0.15)
    assert beta.mean(dim=0).abs().max() < 0.1


def test_the_projection_is_that_of_scikit_learn(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[tuple[Any, Any]] = []

    class Noted(sklearn.decomposition.FastICA):
        def fit(self, values: Any, y: Any = None) -> Any:
            made.append((super().fit(values, y), values))
            return self

    monkeypatch.setattr(sklearn.decomposition, "FastICA", Noted)
    network = fitted(16, samples=60 * 10)
    ((ica, values),) = made
    assert values.shape == (600, 6)
    assert (ica.fun, ica.whiten, ica.random_state) == ("logcosh", "unit-variance", 0)
    beta = F.linear(torch.from_numpy(values) - network.mean, network.projection)
    np.testing.assert_allclose(beta.numpy(), ica.transform(values), rtol=1e-3, atol=1e-4)
    # ten different positions of each of the sixty images
    maps = network.positions(laplacian(np.arange(60))).numpy()
    for image, drawn in zip(maps, values.reshape(60, 10, 6), strict=True):
        places = [int(np.abs(image - value).sum(axis=1).argmin()) for value in drawn]
        assert len(set(places)) == 10
        np.testing.assert_array_equal(image[places], drawn)


def test_the_projection_hangs_on_its_seed_and_not_on_the_batches() -> None:
    first, batches, seed = fitted(16), fitted(7), fitted(16, seed=1)
    assert torch.equal(first.projection, batches.projection)
    assert torch.equal(first.mean, batches.mean)
    assert not torch.equal(first.projection, seed.projection)
    few = [fitted(16, samples=600, seed=seed).mean for seed in (0, 0, 1)]
    assert [torch.equal(few[0], other) for other in few[1:]] == [True, False]


def test_of_more_images_than_samples_only_so_many_are_read() -> None:
    seen: list[int] = []
    fitted(16, rows=300, samples=80, seen=seen)
    assert len(seen) == len(set(seen)) == 80
    assert seen == sorted(seen)
    assert max(seen) > 200
    few: list[int] = []
    fitted(16, rows=10, samples=10_000, seen=few)  # no more than there are
    assert few == list(range(10))


def test_too_few_positions_or_channels_for_the_components_are_refused() -> None:
    with pytest.raises(DataError, match="more positions of training images, found 3,"):
        fitted(16, rows=3, samples=3)
    network = Bilinear(Sources(), "", 3, 4, signed_root=True)
    network.backbone.mixing[2:] = 0
    with pytest.raises(DataError, match="channels that vary, found 2"):
        fit_projection(network, reading(16), np.arange(60), samples=4000, seed=0)


@pytest.mark.parametrize("dead", [[0, 1], [3], [5]])
def test_channels_that_are_always_zero_do_not_spoil_the_projection(dead: list[int]) -> None:
    network = Bilinear(Sources(), "", 3, 4, signed_root=True)
    network.backbone.mixing[dead] = 0
    fit_projection(network, reading(16), np.arange(60), samples=4000, seed=0)
    assert torch.isfinite(network.projection).all()
    zero = (network.projection == 0).all(dim=0)
    assert zero.nonzero()[:, 0].tolist() == dead


# --- features ---------------------------------------------------------------------------------


def extracted(method: MultiAttrib, count: int = 3) -> Tensor:
    with torch.inference_mode():
        return method.extractors["features"].extract(images(count), "")


@pytest.mark.parametrize("backbone", ["vgg16", "tiny"])
@pytest.mark.parametrize("variant", list(SPEC.variants))
def test_features_have_length_one_and_the_size_of_their_layer(variant: str, backbone: str) -> None:
    method = method_of(variant, backbone=backbone)
    if method.stages and stage_of(method).prepare:
        stage_of(method).prepare(given_images(2))  # type: ignore[misc]
    features = extracted(method)
    size = {"fc6": WIDTH, "fc7": WIDTH, "fc8": 3, "prob": 3, "bilinear": 3 * CHANNELS}
    if backbone == "tiny":
        size["fc6"] = CHANNELS
    assert features.shape == (3, size[method.recipe.layer])
    assert features.dtype == torch.float32
    torch.testing.assert_close(features.norm(dim=1), torch.ones(3))
    extractor = method.extractors["features"]
    assert extractor.distance == ("intersection" if variant == "bilinear-prob" else "euclidean")
    stored = features.numpy()
    assert extractor.for_query(stored, None) is stored
    assert extractor.for_gallery(stored, None) is stored


@pytest.mark.parametrize(
    ("prob", "of_scores"),
    [("sigmoid", torch.sigmoid), ("softmax", lambda s: s.softmax(1)), ("raw", lambda s: s)],
)
def test_prob_is_what_the_recipe_makes_of_the_scores(prob: str, of_scores: Any) -> None:
    method = method_of("bilinear-prob", prob=prob, distance="euclidean")
    with torch.inference_mode():
        expected = F.normalize(of_scores(method.model(images(3))))
    torch.testing.assert_close(extracted(method), expected)


def test_the_baseline_learns_nothing_and_has_no_layer_for_labels() -> None:
    method = method_of("imagenet-fc6", training=np.zeros(0, np.int64))
    assert list(method.stages) == []
    assert not hasattr(method.model, "fc8")
    torch.testing.assert_close(
        extracted(method), F.normalize(method.model.features(images(3), "fc6"))
    )
    substitute = method_of("imagenet-fc6", backbone="tiny", training=np.zeros(0, np.int64))
    assert not hasattr(substitute.model, "fc7")
    pooled = substitute.model.get_submodule("backbone")(images(3), ["pooled"])["pooled"][:, :, 0, 0]
    torch.testing.assert_close(extracted(substitute), F.normalize(pooled).detach())


def test_the_input_is_the_whole_image_squashed_unless_the_recipe_says_otherwise() -> None:
    recipe = make_recipe(SPEC, "vgg16-fc6", {})
    built = SPEC.build(recipe, catalog(), TinyParts(), 0, TRAINING)
    assert (built.backbone.preprocessing.size, built.backbone.preprocessing.fit) == (224, "squash")
    method = method_of("vgg16-fc6", size=96, fit="crop")
    for preprocessing in (method.backbone.preprocessing, stage_of(method).preprocessing,
                          method.extractors["features"].preprocessing):  # fmt: skip
        assert (preprocessing.size, preprocessing.fit) == (96, "crop")
        assert preprocessing.mean == PREPROCESSING.mean


# --- what is learnt, and what determines it ---------------------------------------------------


def test_labels_are_the_values_that_some_training_image_has() -> None:
    method = method_of("vgg16-fc6")
    assert method.columns.tolist() == [0, 1, 3]
    assert method.extractors["features"].identity()["labels"] == 3
    assert stage_of(method).identity["labels"] == 3
    assert method_of("vgg16-fc6", training=np.arange(6)).columns.tolist() == [0, 1, 2, 3, 4]
    assert method.model(images(2)).shape == (2, 3)


def test_attributes_can_be_chosen_by_name() -> None:
    rows = np.arange(6)
    chosen = method_of("vgg16-fc6", training=rows, attributes=("collar",))
    assert chosen.columns.tolist() == [0, 1, 2]
    both = method_of("vgg16-fc6", training=rows, attributes=("print", "collar"))
    assert both.columns.tolist() == [0, 1, 2, 3, 4]
    with pytest.raises(UnknownNameError, match="attribute of toy 'colar'; did you mean collar"):
        method_of("vgg16-fc6", attributes=("colar",))


def test_the_targets_are_the_images_values_and_what_is_unknown_is_absent() -> None:
    method = method_of("vgg16-fc8")
    rows = np.array([3, 0])
    with torch.inference_mode():
        scores = method.model(batch_of(rows).images)
        found = stage_of(method).terms(batch_of(rows))["ranking"]
    expected = double_sum(scores, torch.from_numpy(PRESENT[rows][:, [0, 1, 3]]))
    assert found.tolist() == pytest.approx(expected, rel=1e-5)


def test_variants_of_one_network_share_their_training() -> None:
    identities = {variant: stage_of(method_of(variant)).identity for variant in SPEC.variants
                  if variant != "imagenet-fc6"}  # fmt: skip
    assert identities["vgg16-fc6"] == identities["vgg16-fc7"] == identities["vgg16-fc8"]
    assert identities["bilinear"] == identities["bilinear-prob"]
    assert identities["vgg16-fc6"] != identities["bilinear"]
    changed = stage_of(
        method_of("bilinear-prob", prob="softmax", distance="cosine", relu=False)
    ).identity
    assert changed == identities["bilinear"]


def test_variants_of_one_network_are_different_features() -> None:
    identities = [
        str(method_of(variant).extractors["features"].identity()) for variant in SPEC.variants
    ]
    assert len(set(identities)) == len(identities)
    softmax = method_of("bilinear-prob", prob="softmax").extractors["features"].identity()
    assert str(softmax) not in identities


@pytest.mark.parametrize(
    ("variant", "change"),
    [
        ("bilinear", {"components": 4}),
        ("bilinear", {"ica_samples": 200}),
        ("bilinear", {"ica_seed": 1}),
        ("bilinear", {"signed_square_root": False}),
        ("bilinear", {"stage": "conv4_3"}),
        ("vgg16-fc6", {"fc_width": 9}),
    ],
)
def test_what_changes_the_trained_network_is_in_the_stages_identity(
    variant: str, change: dict[str, Any]
) -> None:
    assert stage_of(method_of(variant, **change)).identity != stage_of(method_of(variant)).identity


def test_other_labels_are_another_training() -> None:
    other = PRESENT.copy()
    other[2, 3] = 1
    found = stage_of(method_of("vgg16-fc6", present=other)).identity
    assert found["labels"] == 3
    assert found != stage_of(method_of("vgg16-fc6")).identity


def test_the_stage_is_the_papers() -> None:
    stage = stage_of(method_of("vgg16-fc6"))
    recipe = stage.recipe
    assert (recipe.epochs, recipe.batch_size, recipe.optimiser) == (14, 16, "adam")
    assert (recipe.learning_rate, recipe.schedule, recipe.weight_decay) == (1e-5, "constant", 0)
    assert (recipe.momentum, recipe.new_layers, recipe.augmentation.flip) == (0.9, 1, True)
    assert stage.sampler.rows.tolist() == TRAINING.tolist()
    assert stage.validation is None
    assert list(stage.trains) == ["*"]


@pytest.mark.parametrize(
    ("variant", "backbone", "new"),
    [
        ("vgg16-fc6", "vgg16", {"fc8"}),
        ("vgg16-fc6", "tiny", {"fc7", "fc8"}),
        ("bilinear", "vgg16", {"fc"}),
        ("bilinear", "tiny", {"fc"}),
    ],
)
def test_the_stage_names_the_layers_that_are_new(
    variant: str, backbone: str, new: set[str]
) -> None:
    method = method_of(variant, backbone=backbone)
    assert {pattern.removesuffix(".*") for pattern in stage_of(method).new} == new
    names = {name.partition(".")[0] for name, _ in method.model.named_parameters()}
    assert new <= names


def test_for_the_best_epoch_images_are_held_out() -> None:
    stage = stage_of(
        method_of("vgg16-fc6", **{"training.selection": "best", "training.validation": 0.25})
    )
    assert stage.validation is not None
    held_out, learnt = stage.validation.rows.tolist(), stage.sampler.rows.tolist()
    assert len(held_out) == 1
    assert sorted(held_out + learnt) == TRAINING.tolist()


@pytest.mark.parametrize(
    ("variant", "change", "message"),
    [
        (
            "vgg16-fc6",
            {"layer": "prob"},
            "layer is prob; the network vgg16 has fc6 and fc7 and fc8",
        ),
        ("bilinear", {"layer": "fc6"}, "the network bilinear has bilinear and prob"),
        ("imagenet-fc6", {"layer": "fc7", "backbone": "tiny"}, "of tiny, whose pooled output"),
        ("bilinear-prob", {"prob": "raw"}, "prob=raw may be"),
        ("bilinear", {"distance": "intersection"}, "bilinear of vgg16 may be"),
        ("vgg16-fc8", {"distance": "intersection"}, "fc8 of vgg16 may be"),
        ("vgg16-fc6", {"distance": "intersection", "relu": False}, "fc6 of vgg16 may be"),
        ("imagenet-fc6", {"distance": "intersection", "backbone": "tiny"}, "fc6 of tiny may be"),
        ("vgg16-fc6", {"distance": "intersection", "backbone": "tiny"}, "fc6 of tiny may be"),
    ],
)
def test_recipes_that_make_no_sense_are_refused_in_one_line(
    variant: str, change: dict[str, Any], message: str
) -> None:
    with pytest.raises(UserError) as refused:
        recipe_of(variant, **change)
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("network", list(LAYERS))
def test_every_layer_of_a_network_can_be_compared(network: Any) -> None:
    for layer in LAYERS[network]:
        method = method_of("vgg16-fc6", network=network, layer=layer)
        assert extracted(method).isfinite().all()


def test_training_images_and_two_values_are_needed() -> None:
    with pytest.raises(IncompatibleError, match="that of toy has none") as refused:
        method_of("vgg16-fc6", training=np.zeros(0, np.int64))
    assert "imagenet-fc6" in str(refused.value)
    with pytest.raises(IncompatibleError, match="the 1 training images of toy have 1"):
        method_of("bilinear", training=np.array([2]))


# --- the paper's sizes and numbers ------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("variant", ["vgg16-fc6", "bilinear"])
def test_the_real_networks_run_forward_and_backward_at_224(variant: str) -> None:
    recipe = make_recipe(SPEC, variant, {})
    assert isinstance(recipe, MultiAttribRecipe)
    with torch.device("meta"):
        network = build_network(recipe, VGG16Backbone(source("vgg16")), 336, seed=0)
    network.to_empty(device="cpu")
    torch.manual_seed(0)
    for value in [*network.parameters(), *network.buffers()]:
        nn.init.uniform_(value, *((-0.05, 0.05) if value.ndim == 1 else [
            side * math.sqrt(6 / value[0].numel()) for side in (-1, 1)]))  # fmt: skip
    scores = network(images(2, size=224))
    assert scores.shape == (2, 336)
    pairwise_ranking(scores, torch.rand(2, 336) < 0.1).sum().backward()
    still = [n for n, p in network.named_parameters() if p.grad is None or not p.grad.any()]
    assert still == []


@pytest.mark.parametrize("labels", [312, 336])
def test_the_real_networks_have_the_parameters_of_the_paper(labels: int) -> None:
    found = {}
    for name, variant in (("VGG16", "vgg16-fc6"), ("bilinear", "bilinear")):
        recipe = make_recipe(SPEC, variant, {})
        assert isinstance(recipe, MultiAttribRecipe)
        with torch.device("meta"):
            network = build_network(recipe, VGG16Backbone(source("vgg16")), labels, seed=0)
        sizes = {n: p.numel() for n, p in network.named_parameters()}
        found[f"{name} whole"] = sum(sizes.values())
        found[f"{name} after the convolutions"] = sum(
            size for n, size in sizes.items() if not n.startswith("backbone.features.")
        )
    assert found == counts(labels)


def test_the_bilinear_network_is_smaller_by_what_the_specification_says() -> None:
    found = counts(300)
    assert found["VGG16 after the convolutions"] == 120_774_956
    assert found["bilinear after the convolutions"] == 3_072_300
    assert found["VGG16 whole"] - found["VGG16 after the convolutions"] == 14_714_688
    ratios = {labels: round(counts(labels)["VGG16 after the convolutions"]
                            / counts(labels)["bilinear after the convolutions"], 1)
              for labels in (300, 312, 336)}  # fmt: skip
    assert ratios == {300: 39.3, 312: 37.8, 336: 35.1}
    assert round(found["VGG16 whole"] / found["bilinear whole"], 1) == 7.6
    lines = [text for label, text in facts() if label == "parameters"]
    assert any("300 labels, after the convolutions" in t and "39.3 times" in t for t in lines)
    assert any("300 labels, whole" in t and "7.6 times" in t for t in lines)


def test_reported_numbers_name_what_the_harness_has() -> None:
    file = Path(bench_multiattrib.__file__).with_name("reported.csv")
    with file.open(encoding="utf-8", newline="") as opened:
        rows = list(csv.DictReader(opened))
    assert len(rows) == 68
    for row in rows:
        assert row["variant"] in SPEC.variants
        assert row["protocol"] in REGISTRY.dataset(row["dataset"]).protocols
        if row["metric"] != "dimension":
            REGISTRY.metric(row["metric"])
            assert 0 < float(row["value"]) < 1
    keys = [tuple(row[n] for n in ("variant", "dataset", "protocol", "metric")) for row in rows]
    assert len(set(keys)) == len(keys)
    value = dict(zip(keys, (row["value"] for row in rows), strict=True))
    assert value["vgg16-fc6", "inshop", "dress/dress-gallery", "precision@1"] == "0.74"
    assert value["bilinear", "cub200", "coarse", "precision@10"] == "0.54"
    assert value["bilinear-prob", "inshop", "dress/dress-gallery", "iou@10"] == "0.45"


@pytest.mark.parametrize("budget", list(SPEC.budgets))
@pytest.mark.parametrize("variant", ["vgg16-fc6", "bilinear", "imagenet-fc6"])
def test_budgets_build_small_networks_of_the_same_kind(variant: str, budget: str) -> None:
    recipe = make_recipe(SPEC, variant, {"weights": "none"}, budget=budget)
    full = make_recipe(SPEC, variant, {})
    assert isinstance(recipe, MultiAttribRecipe)
    assert isinstance(full, MultiAttribRecipe)
    assert (recipe.network, recipe.layer) == (full.network, full.layer)
    assert recipe.training.epochs < full.training.epochs
    assert recipe.backbone == "efficientnet-lite0"
    built = SPEC.build(recipe, catalog(), REGISTRY, 0, TRAINING)
    assert isinstance(built, MultiAttrib)
    given = images(2, size=recipe.size)
    with torch.inference_mode():
        features = built.extractors["features"].extract(given, "")
    assert features.isfinite().all()
    assert len(features) == 2
