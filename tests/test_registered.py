from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from bench.interfaces import WHOLE_GALLERY, Stage
from bench.metrics import Overlap, Ranking
from bench.plugins import KINDS, Registry
from bench.recipes import Recipe, make_recipe

REGISTRY = Registry.load()
NAMES = {kind: list(REGISTRY.all(kind)) for kind in KINDS}
VARIANTS = [(n, v) for n in NAMES["methods"] for v in REGISTRY.all("methods")[n].variants]

MAPS = {"first": Stage(5, 8), "second": Stage(3, 16)}
INTEGERS = {"values", "labels", "targets"}  # what a loss calls its arguments of classes
FLAGS = {"present"}  # and those that are true or not


def options_of(build: Any, given: int) -> dict[str, float]:
    """Return a number for each option that has no default, after the `given` arguments."""
    parameters = list(inspect.signature(build).parameters.values())[given:]
    return {p.name: 0.4 for p in parameters if p.default is p.empty}


def test_no_plugin_of_this_distribution_is_set_aside() -> None:
    assert [(plugin.name, plugin.error) for plugin in REGISTRY.errors] == []


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind in KINDS for name in NAMES[kind]])
def test_every_part_has_a_name_and_a_summary_of_one_line(kind: str, name: str) -> None:
    spec = REGISTRY.all(kind)[name]
    assert spec.name == name == name.strip().lower()
    assert 10 <= len(spec.summary) <= 100
    assert "\n" not in spec.summary
    assert not spec.summary.endswith(".")


@pytest.mark.parametrize("name", NAMES["datasets"])
def test_every_dataset_says_its_licence_and_how_to_obtain_it(name: str) -> None:
    spec = REGISTRY.all("datasets")[name]
    assert spec.licence
    assert len(spec.obtain) > 20
    assert spec.protocols
    assert bool(spec.folders) != spec.family, "a folder to look for, or an argument that names it"
    assert spec.family or spec.layout, "which files go where"
    assert set(spec.protocol_counts) <= set(spec.protocols)
    for option, facts in (spec.options().model_fields if spec.options else {}).items():
        assert facts.description, f"{option} says what it is"
        assert not facts.is_required(), f"{option} has a default"


@pytest.mark.parametrize(("name", "variant"), VARIANTS)
def test_every_variant_builds_its_recipe(name: str, variant: str) -> None:
    spec = REGISTRY.all("methods")[name]
    recipe = make_recipe(spec, variant, {})
    assert isinstance(recipe, Recipe)
    assert type(recipe).model_validate(recipe.model_dump(mode="json")) == recipe
    assert spec.variants[variant][0], "it says what it is"
    for field, facts in type(recipe).model_fields.items():
        assert facts.description, f"{field} says what it is"


@pytest.fixture(scope="module")
def toy_ranking() -> Ranking:
    """Return a ranking of 6 queries over 12 images, the last query without anything relevant."""
    generator = np.random.default_rng(0)
    positions = np.stack([generator.permutation(12) for _ in range(6)]).astype(np.int32)
    truth = generator.random((6, 12)) < 0.3
    truth[:, 0], truth[5] = True, False
    relevant = np.take_along_axis(truth, positions.astype(np.int64), axis=1)
    first = np.where(relevant.any(axis=1), relevant.argmax(axis=1) + 1, 0)
    size = generator.integers(1, 4, (6, 12)).astype(np.uint16)
    shared = np.minimum(size, generator.integers(0, 4, (6, 12)).astype(np.uint16))
    shared[5] = 0
    described = np.array([3, 3, 3, 3, 3, 0], np.uint16)
    overlap = Overlap(described, shared, size, -np.sort(-shared.astype(np.int64)).astype(np.uint16))
    return Ranking(positions, relevant, truth.sum(axis=1), first.astype(np.int64), overlap)


@pytest.mark.parametrize("name", NAMES["metrics"])
def test_every_metric_gives_one_value_per_query(name: str, toy_ranking: Ranking) -> None:
    spec, cut = REGISTRY.metric(name.replace("@k", "@3"))
    assert spec.name == name
    assert spec.formula
    most = int(toy_ranking.relevant_count.max())
    depth = spec.depth(cut, most)
    assert 1 <= depth <= 12 or depth == WHOLE_GALLERY
    values = spec.function(toy_ranking, cut)
    assert values.shape == (6,)
    assert values.dtype == np.float64
    assert np.isnan(values[5])
    assert np.isfinite(values[:5]).all()
    overlap = toy_ranking.overlap
    assert overlap is not None
    assert overlap.best is not None
    shallow = Ranking(
        toy_ranking.positions[:, :depth], toy_ranking.relevant[:, :depth],
        toy_ranking.relevant_count,
        toy_ranking.first_relevant if spec.needs_first_relevant else None,
        Overlap(
            overlap.query_size, overlap.shared[:, :depth], overlap.size[:, :depth],
            overlap.best[:, :depth] if spec.needs_best_overlap else None,
        ) if spec.needs_overlap else None,
    )  # fmt: skip
    np.testing.assert_array_equal(spec.function(shallow, cut), values)
    if spec.curve:
        np.testing.assert_array_equal(spec.curve(toy_ranking, 12)[:, 2], values)


def maps(*, grad: bool = False) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(0)
    return {
        "first": torch.randn((4, 5, 6, 6), generator=generator).requires_grad_(grad),
        "second": torch.randn((4, 3, 3, 3), generator=generator).requires_grad_(grad),
    }


@pytest.mark.parametrize("name", NAMES["heads"])
def test_every_head_builds_gives_vectors_and_back_propagates(name: str) -> None:
    build = REGISTRY.all("heads")[name].build
    module = REGISTRY.head(name, MAPS, **options_of(build, given=1))
    given = maps(grad=True)
    outputs = module(given)
    assert outputs
    for vectors in outputs.values():
        assert vectors.ndim == 2
        assert len(vectors) == 4
    sum(vectors.square().sum() for vectors in outputs.values()).backward()
    assert all(tensor.grad is not None and tensor.grad.abs().sum() > 0 for tensor in given.values())


@pytest.mark.parametrize(
    ("name", "function"),
    [
        ("average-pool", lambda tensor: F.adaptive_avg_pool2d(tensor, 1).flatten(1)),
        ("max-pool", lambda tensor: F.adaptive_max_pool2d(tensor, 1).flatten(1)),
        ("flatten", lambda tensor: torch.flatten(tensor, 1)),
    ],
)
def test_a_pooling_head_agrees_with_torch(name: str, function: Any) -> None:
    expected = torch.cat([function(tensor) for tensor in maps().values()], dim=1)
    torch.testing.assert_close(REGISTRY.head(name, MAPS)(maps())["features"], expected)


def arguments_of(loss: torch.nn.Module) -> tuple[Tensor, ...]:
    generator = torch.Generator().manual_seed(0)

    def drawn(name: str) -> Tensor:
        if name in INTEGERS:
            return torch.tensor([0, 3, -1, 2, -1, 1])
        values = torch.randn((6, 4), generator=generator)
        return values > 0 if name in FLAGS else values.requires_grad_()

    return tuple(map(drawn, inspect.signature(loss.forward).parameters))


@pytest.mark.parametrize("name", NAMES["losses"])
def test_every_loss_gives_a_value_for_each_example_and_back_propagates(name: str) -> None:
    loss = REGISTRY.loss(name, **options_of(REGISTRY.all("losses")[name].build, given=0))
    arguments = arguments_of(loss)
    values = loss(*arguments)
    assert values.ndim == 1
    assert 0 < len(values) <= 6
    assert (values >= 0).all()
    values.mean().backward()
    learning = [tensor for tensor in arguments if tensor.requires_grad]
    assert learning
    assert all(tensor.grad is not None and tensor.grad.abs().sum() > 0 for tensor in learning)


@pytest.mark.parametrize("margin", [0.01, 0.4, 30.0])
def test_the_triplet_loss_agrees_with_torch_given_its_distance(margin: float) -> None:
    def squared(first: Tensor, second: Tensor) -> Tensor:
        return F.pairwise_distance(first, second, eps=0.0).square()

    loss = REGISTRY.loss("triplet", margin=margin)
    arguments = arguments_of(loss)
    expected = F.triplet_margin_with_distance_loss(
        *arguments, distance_function=squared, margin=margin
    )
    torch.testing.assert_close(loss(*arguments).mean(), expected)


def test_the_cross_entropy_agrees_with_torch_and_leaves_missing_values_out() -> None:
    loss = REGISTRY.loss("cross-entropy")
    logits, values = arguments_of(loss)
    expected = F.cross_entropy(logits, values, ignore_index=-1)
    torch.testing.assert_close(loss(logits, values).mean(), expected)
    loss(logits, values).sum().backward()
    assert logits.grad is not None
    assert (logits.grad.abs().sum(dim=1) > 0).tolist() == (values >= 0).tolist()


def test_the_cross_entropy_of_no_known_value_has_no_example() -> None:
    loss = REGISTRY.loss("cross-entropy")
    logits, _ = arguments_of(loss)
    values = loss(logits, torch.full((6,), -1))
    assert values.shape == (0,)
    values.sum().backward()
    assert logits.grad is not None
    assert not logits.grad.any()
