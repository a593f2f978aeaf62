from __future__ import annotations

import math
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch
from bench_dsift_fv.descriptors import STAGE, STRIDE, DenseSift
from bench_dsift_fv.fisher import FisherVectors
from bench_dsift_fv.model import FisherMethod
from bench_dsift_fv.recipe import FisherRecipe
from sklearn.mixture import GaussianMixture
from torch import Tensor
from toy_training import draw

from bench.engines import choose_execution
from bench.errors import DataError, IncompatibleError, UnknownNameError, UserError
from bench.plugins import Registry
from bench.run import Listener, Outcome, Request, run

REGISTRY = Registry.load()
SMALL = {"size": 64, "components": 8, "centres": 4, "descriptors": 1000}


def backbone() -> DenseSift:
    return DenseSift(REGISTRY.backbone_source("dense-sift", "none", 0))


def described(image: Tensor) -> Tensor:
    found: Tensor = backbone()(image[None], [STAGE])[STAGE][0].detach()
    return found


def test_a_descriptor_stands_every_four_pixels_and_lies_in_the_image() -> None:
    found = described(torch.rand(3, 224, 100))
    assert found.shape == (128, 51, 20)
    assert torch.allclose(found.norm(dim=0), torch.ones(51, 20), atol=1e-4)
    # a picture that is moved by one step has the same descriptors at the next place
    wide = torch.rand(3, 96, 96 + STRIDE)
    left, right = described(wide[:, :, STRIDE:]), described(wide[:, :, :-STRIDE])
    assert torch.allclose(left[:, 2:-2, 2:-3], right[:, 2:-2, 3:-2], atol=1e-5)


def test_a_flat_place_has_no_descriptor_and_a_ramp_one_direction() -> None:
    assert not described(torch.full((3, 64, 64), 0.5)).any()
    ramp = described(torch.linspace(0, 1, 96).expand(3, 96, 96))
    middle = ramp[:, 8, 8].reshape(8, 16)  # direction, place
    strength = middle.square().sum(dim=1)
    assert strength.max() / strength.sum() > 0.99


def test_green_counts_most_of_the_three_colours() -> None:
    edge = torch.zeros(3, 64, 64)
    edge[0, :, 32:] = 0.5  # red rises where green falls by as much
    edge[1, :, :32] = 0.5
    turned = edge.clone()
    turned[[0, 1]] = edge[[1, 0]]
    assert not torch.allclose(described(edge), described(turned), atol=0.1)


def fitted() -> tuple[FisherVectors, Any]:
    """Return Fisher vectors of a mixture fitted on noise, and the mixture."""
    generator = np.random.default_rng(0)
    points = generator.normal(size=(400, 6)) + generator.integers(0, 3, (400, 1))
    mixture: Any = GaussianMixture(3, covariance_type="diag", random_state=0).fit(points)
    model = FisherVectors(FisherRecipe(components=6, centres=3, improved=False), backbone())
    values = {
        "mean": np.zeros(128), "projection": np.eye(6, 128), "weights": mixture.weights_,
        "means": mixture.means_, "variances": mixture.covariances_,
    }  # fmt: skip
    for name, value in values.items():
        getattr(model, name).copy_(torch.from_numpy(value))
    return model.double(), mixture


def test_a_fisher_vector_is_the_scaled_gradient_of_the_likelihood(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model, mixture = fitted()
    points = torch.from_numpy(np.random.default_rng(1).normal(size=(1, 50, 128))) * 2
    monkeypatch.setattr(model, "descriptors", lambda images: points)
    found = model(torch.zeros(1)).reshape(2, 3, 6)
    # by itself: automatic derivatives of the mean log likelihood
    means = torch.from_numpy(mixture.means_).requires_grad_()
    deviations = torch.from_numpy(np.sqrt(mixture.covariances_)).requires_grad_()
    weights = torch.from_numpy(mixture.weights_)
    gaussians = torch.distributions.Normal(means, deviations)
    x = points[0, :, None, :6]
    likelihood = torch.logsumexp(weights.log() + gaussians.log_prob(x).sum(dim=2), dim=1).mean()
    by_mean, by_deviation = torch.autograd.grad(likelihood, (means, deviations))
    scale = deviations.detach() / weights[:, None].sqrt()
    assert torch.allclose(found[0], by_mean * scale, atol=1e-9)
    assert torch.allclose(found[1], by_deviation * scale / math.sqrt(2), atol=1e-9)
    posterior = mixture.predict_proba(points[0, :, :6].numpy())
    ours = cast(Any, model)._posterior(points[:, :, :6])[0].numpy()
    assert np.allclose(ours, posterior, atol=1e-9)


def test_improved_vectors_have_roots_and_length_one(monkeypatch: pytest.MonkeyPatch) -> None:
    model, _ = fitted()
    points = torch.from_numpy(np.random.default_rng(1).normal(size=(2, 50, 128)))
    monkeypatch.setattr(model, "descriptors", lambda images: points)
    plain = model(torch.zeros(1))
    model.improved = True
    improved = model(torch.zeros(1))
    assert torch.allclose(improved.norm(dim=1), torch.ones(2, dtype=torch.float64))
    rooted = plain.sign() * plain.abs().sqrt()
    assert torch.allclose(improved, rooted / rooted.norm(dim=1, keepdim=True))


def outcomes(folder: Path, engine: str = "auto", **changes: Any) -> list[Outcome]:
    manifest = folder / "manifest.csv"
    execution = choose_execution(
        device="cpu", engine=engine, precision="fp32", batch_size=None, workers=1
    )
    return run(
        Request(method="dsift-fv", dataset=f"manifest:{manifest}", execution=execution,
                runs=folder / "runs", settings=SMALL | changes),
        REGISTRY, Listener(lambda _: None, lambda *_: None),
    )  # fmt: skip


def test_a_run_fits_once_and_both_engines_agree(tmp_path: Path) -> None:
    draw(tmp_path)
    found, *_ = outcomes(tmp_path)
    record = found.record
    assert (record.dimension, record.variant, record.backbone.name) == (64, "fv-64", "dense-sift")
    [stage] = record.training
    assert (stage.name, stage.epochs, stage.steps, stage.losses) == ("mixture", 0, 0, {})
    [place] = (tmp_path / "runs").glob("*/training/dsift-fv--mixture--*/weights.safetensors")
    written = place.stat().st_mtime_ns
    other, *_ = outcomes(tmp_path, engine="torch")
    assert place.stat().st_mtime_ns == written
    hits = [one.record.tasks[0].metrics["map@r"].mean for one in (found, other)]
    assert hits[0] == pytest.approx(hits[1], abs=1e-6)
    # the other choice of what is compared needs no other mixture
    outcomes(tmp_path, improved="no")
    assert len(list((tmp_path / "runs").glob("*/training/dsift-fv--*"))) == 1


def method(training: int, **changes: Any) -> FisherMethod:
    from bench.catalog import Catalog

    catalog = Catalog.from_columns("toy", Path(), {"path": [f"{n}.jpg" for n in range(20)]})
    recipe = FisherRecipe.model_validate(SMALL | changes)
    built = REGISTRY.method("dsift-fv").build(recipe, catalog, REGISTRY, 0, np.arange(training))
    assert isinstance(built, FisherMethod)
    return built


def test_what_it_is_fitted_on_is_a_sample_of_the_training_images() -> None:
    with pytest.raises(IncompatibleError, match="has none, choose another --protocol"):
        method(0)
    rows = method(20, images=5).stages[0].rows
    assert len(rows) == 5
    assert rows.tolist() == method(20, images=5).stages[0].rows.tolist()


def test_too_few_descriptors_are_refused(tmp_path: Path) -> None:
    draw(tmp_path)
    with pytest.raises(DataError, match=r"descriptors of 1 training images are too few for 999"):
        outcomes(tmp_path, images=1, centres=999)


def test_dense_sift_has_no_weights_and_one_stage() -> None:
    with pytest.raises(UserError, match=r"weights mine\.safetensors: dense-sift has none"):
        REGISTRY.backbone_source("dense-sift", "mine.safetensors", 0)
    with pytest.raises(UnknownNameError, match="there are: descriptors"):
        backbone()(torch.zeros(1, 3, 64, 64), ["conv5"])
