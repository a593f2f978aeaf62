from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from bench_amnet.model import AMNetFeatures, AMNetMethod
from bench_amnet.networks import AMNet
from bench_amnet.training import build_memory
from torch import Tensor, nn
from torch.nn import functional as F

from bench.catalog import Attribute, AttributeSchema, Catalog
from bench.errors import IncompatibleError, UnknownNameError
from bench.interfaces import BackboneSource, Preprocessing, Stage, Weights
from bench.plugins import Registry
from bench.recipes import make_recipe
from bench.tasks import Condition
from bench.training.learning import freeze, make_optimiser, set_mode
from bench.training.stages import Batch, TrainingStage

REGISTRY = Registry.load()
SPEC = REGISTRY.method("amnet")
PREPROCESSING = Preprocessing(32, 1.0, "bilinear", (0.5,) * 3, (0.5,) * 3)
WIDTH = 6


class Tiny(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.stages = {"map": Stage(4, 4), "fc7": Stage(WIDTH, None)}
        self.layer = nn.Conv2d(3, WIDTH, 4, 4)

    def forward(self, images: Tensor, stages: Sequence[str]) -> dict[str, Tensor]:
        return {stage: self.layer(images).mean(dim=(2, 3), keepdim=True) for stage in stages}


class TinyParts:
    def backbone_source(self, name: str, weights: str, seed: int) -> BackboneSource:
        del weights, seed
        return BackboneSource(name, Weights("none", "random", "nothing"), PREPROCESSING)

    def backbone(self, found: BackboneSource) -> nn.Module:
        del found
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            return Tiny()

    def head(self, name: str, stages: Mapping[str, Stage], **options: Any) -> nn.Module:
        raise NotImplementedError

    def loss(self, name: str, **options: Any) -> nn.Module:
        return REGISTRY.loss(name, **options)


def method_of(labels: Sequence[Sequence[int]], **changes: Any) -> AMNetMethod:
    """Return the method on images with these values of a (three) and b (two); -1 is unknown."""
    values = np.array(labels)
    schema = AttributeSchema((Attribute("a", ("a0", "a1", "a2")), Attribute("b", ("b0", "b1"))))
    present = np.zeros((len(values), 5), np.uint8)
    for number, start in enumerate((0, 3)):
        known = np.flatnonzero(values[:, number] >= 0)
        present[known, start + values[known, number]] = 1
    data = Catalog.from_columns(
        "toy", Path("nowhere"), {"path": [f"{row}.jpg" for row in range(len(values))]},
        schema=schema, present=present, known=values >= 0,
    )  # fmt: skip
    recipe = make_recipe(SPEC, "default", {"size": 32} | changes)
    built = SPEC.build(recipe, data, TinyParts(), 0, np.arange(len(values)))
    assert isinstance(built, AMNetMethod)
    return built


ALL = [[a, b] for a in range(3) for b in range(2)] * 2


def network_of(method: AMNetMethod) -> AMNet:
    assert isinstance(method.model, AMNet)
    return method.model


def batch_of(rows: Any, attribute: Any = None) -> Batch:
    images = torch.randn(rows.size, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    return Batch(images, torch.from_numpy(rows),
                 None if attribute is None else torch.from_numpy(attribute))  # fmt: skip


def test_memory_rows_are_means_of_the_images_with_the_value() -> None:
    method = method_of([[0, 0], [0, 1], [1, -1], [1, 1]])
    batch = batch_of(np.arange(4)[:, None])
    with torch.no_grad():
        found = network_of(method)(batch.images)
    build_memory(method, lambda rows: iter([batch]), np.arange(4))
    expected = torch.stack([found[:2].mean(0), found[2:].mean(0), torch.zeros(WIDTH), found[0],
                            found[[1, 3]].mean(0)])  # fmt: skip
    assert torch.allclose(network_of(method).memory, expected, atol=1e-6)


def moved(stage: TrainingStage, method: AMNetMethod, batch: Batch) -> set[str]:
    names = freeze(method.model, stage)
    before = {name: value.clone() for name, value in method.model.state_dict().items()}
    optimiser = make_optimiser(method.model, stage, names)
    set_mode(method.model, stage, names)
    torch.stack([values.sum() for values in stage.terms(batch).values()]).sum().backward()
    optimiser.step()
    after = method.model.state_dict()
    return {n.split(".")[0] for n in before if not torch.equal(before[n], after[n])}


def test_each_stage_moves_its_own_parameters() -> None:
    method = method_of(ALL)
    first, second = method.stages
    assert moved(first, method, batch_of(np.arange(12)[:, None])) == {"backbone", "classifiers"}
    with torch.no_grad():
        network_of(method).memory.normal_(generator=torch.Generator().manual_seed(0))
    groups = second.sampler.epoch(np.random.default_rng(0))
    everything = {"backbone", "classifiers", "memory", "fuse"}
    assert moved(second, method, batch_of(groups.rows, groups.attribute)) == everything


def test_the_terms_of_manipulations() -> None:
    method = method_of(ALL)
    network = network_of(method)
    with torch.no_grad():
        network.memory.normal_()
    rows, attribute = np.array([[0, 2, 5], [0, 1, 4]]), np.array([0, 1])
    batch = batch_of(rows, attribute)
    terms = method.stages[1].terms(batch)
    f = network(batch.images).reshape(2, 3, WIDTH)
    # image 2 has a1 and b0, image 1 has a0 and b1
    h = network.fuse(torch.cat([f[:, 0], network.memory[[1, 4]]], dim=1))
    near, far = (h - f[:, 1]).norm(dim=1).exp(), (h - f[:, 2]).norm(dim=1).exp()
    assert torch.allclose(terms["triplet"], near / (near + far), atol=1e-5)
    of_h = sum(
        F.cross_entropy(classifier(h), torch.tensor(wanted), reduction="none")
        for classifier, wanted in zip(network.classifiers, ([1, 0], [0, 1]), strict=True)
    )
    assert torch.allclose(terms["changed"], torch.as_tensor(of_h), atol=1e-5)
    assert set(terms) == {"triplet", "changed", "classification"}


def test_a_query_that_changes_is_fused_with_the_memorys_row() -> None:
    method = method_of(ALL)
    network = network_of(method)
    with torch.no_grad():
        network.memory.normal_()
    [extractor] = method.extractors.values()
    assert isinstance(extractor, AMNetFeatures)
    features = np.random.default_rng(0).normal(size=(2, WIDTH)).astype(np.float32)
    found = extractor.for_query(features, Condition("b", np.array([1, 0])))
    rows = torch.tensor([4, 3])
    expected = network.changed(torch.from_numpy(features), rows).detach().numpy()
    assert np.allclose(found, expected, atol=1e-5)
    assert extractor.for_query(features, None) is features
    assert extractor.for_gallery(features, Condition("b", np.array([1, 0]))) is features
    with pytest.raises(IncompatibleError, match="amnet has learnt a, b, not c"):
        extractor.for_query(features, Condition("c", np.array([1, 0])))


def test_what_it_cannot_learn_from_is_refused() -> None:
    with pytest.raises(IncompatibleError, match="have no single-valued one"):
        method_of([[-1, -1]] * 3)
    with pytest.raises(UnknownNameError, match="vector of alexnet 'map'"):
        network_of(method_of(ALL, feature="map"))
