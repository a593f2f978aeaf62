from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from bench_mtl_csn import losses
from bench_mtl_csn.model import MTLCSN, Embedded
from bench_mtl_csn.networks import Network
from bench_mtl_csn.training import BuiltTriplets, one_each
from bench_mtl_csn.variants import VARIANTS
from command_line import bench
from torch.nn import functional as F
from toy_attributes import TinyParts, catalog

from bench.attribute_protocols import recognition
from bench.catalog import Catalog
from bench.errors import DataError, IncompatibleError, UnknownNameError, UserError
from bench.interfaces import Recogniser
from bench.plugins import Registry
from bench.ranking import candidate_names, rank
from bench.recipes import make_recipe
from bench.tasks import Condition, Rows
from bench.training.learning import freeze, make_optimiser, set_mode
from bench.training.samplers import Plain
from bench.training.stages import Batch, TrainingStage

SPEC = Registry.load().method("mtl-csn")
SMALL = {"stage": "conv4", "size": 32, "embedding": 6}
# each image is labelled in one of three attributes, as in FashionAI
ONE = [[value if number == attribute else -1 for number in range(3)]
       for attribute, size in enumerate((3, 2, 4)) for value in range(size)] * 4  # fmt: skip
SIZES = (3, 2, 4)


def method_of(variant: str = "mtl", data: Catalog | None = None, **changes: Any) -> MTLCSN:
    data = catalog(ONE, SIZES) if data is None else data
    recipe = make_recipe(SPEC, variant, SMALL | changes)
    built = SPEC.build(recipe, data, TinyParts(), 0, np.arange(len(data)))
    assert isinstance(built, MTLCSN)
    return built


def network_of(method: MTLCSN) -> Network:
    assert isinstance(method.model, Network)
    return method.model


def batch_of(rows: Rows, attribute: Rows | None = None) -> Batch:
    generator = torch.Generator().manual_seed(1)
    images = torch.randn(rows.size, 3, 32, 32, generator=generator)
    return Batch(images, torch.from_numpy(rows),
                 None if attribute is None else torch.from_numpy(attribute))  # fmt: skip


def batch_for(stage: TrainingStage) -> Batch:
    groups = stage.sampler.epoch(np.random.default_rng(0))[slice(0, 6)]
    return batch_of(groups.rows, groups.attribute)


def learnt(stage: TrainingStage, method: MTLCSN, batch: Batch) -> set[str]:
    """Return the names of the parameters that one step of a stage changes."""
    names = freeze(method.model, stage)
    before = {name: value.clone() for name, value in method.model.state_dict().items()}
    optimiser = make_optimiser(method.model, stage, names)
    set_mode(method.model, stage, names)
    terms = stage.terms(batch)
    sum(values.sum() * stage.weights.get(name, 1.0) for name, values in terms.items()).backward()  # type: ignore[union-attr]
    optimiser.step()
    after = method.model.state_dict()
    return {name for name in before if not torch.equal(before[name], after[name])}


# Masks


@pytest.mark.parametrize("positive", ["relu", "softmax"])
def test_masks_are_positive_and_sum_to_one(positive: str) -> None:
    network = network_of(method_of(positive=positive, embedding=64))
    masks = network.attention()
    assert masks.shape == (3, 64)
    assert (masks >= 0).all()
    assert torch.allclose(masks.sum(dim=1), torch.ones(3), atol=1e-6)
    values = network.masks.detach()
    assert float(values.mean()) == pytest.approx(0.9, abs=0.2)
    assert float(values.std()) == pytest.approx(0.7, abs=0.15)
    if positive == "relu":  # about a tenth begins at zero
        assert 0.02 < float((masks == 0).float().mean()) < 0.25


def test_under_a_one_hot_mask_one_dimension_alone_is_compared() -> None:
    method = method_of()
    with torch.no_grad():
        network_of(method).masks.copy_(torch.eye(6)[[4, 0, 2]])
    [extractor] = method.extractors.values()
    features = np.random.default_rng(0).normal(size=(5, 6)).astype(np.float32)
    found = extractor.for_gallery(features, Condition("a"))
    # of unit length, one dimension is its sign
    assert np.allclose(found[:, 4], np.sign(features[:, 4]), atol=1e-6)
    assert not np.delete(found, 4, axis=1).any()
    assert np.allclose(found @ found.T, np.sign(np.outer(features[:, 4], features[:, 4])))


def test_what_is_compared_is_what_was_learnt() -> None:
    method = method_of()
    network = network_of(method)
    [extractor] = method.extractors.values()
    f = torch.randn(7, 6, generator=torch.Generator().manual_seed(0))
    for number, name in enumerate("abc"):
        expected = network.compared(f, torch.full((7,), number)).detach().numpy()
        assert np.allclose(extractor.for_query(f.numpy(), Condition(name)), expected, atol=1e-6)
    plain = F.normalize(f).numpy()
    assert np.allclose(extractor.for_query(f.numpy(), None), plain, atol=1e-6)
    other = method_of("trinet").extractors["f"]
    assert np.allclose(other.for_query(f.numpy(), Condition("b")), plain, atol=1e-6)
    with pytest.raises(IncompatibleError, match="has learnt a, b, c, not d"):
        extractor.for_query(f.numpy(), Condition("d"))
    with pytest.raises(IncompatibleError, match="changes none"):
        extractor.for_query(f.numpy(), Condition("a", np.zeros(7, np.int64)))


def test_what_it_cannot_be_asked_is_refused_before_anything_is_learnt(shared_cache: Path) -> None:
    done = bench("run", "--method", "mtl-csn", "--dataset", "fashion-products", "--edition", "mini",
                 "--protocol", "manipulation", BENCH_CACHE=str(shared_cache))  # fmt: skip
    assert done.returncode == 2
    assert done.stderr.endswith(
        "error: mtl-csn compares images in an attribute and changes none; choose another "
        "--protocol\n"
    )


def test_separate_networks_are_compared_each_in_its_own_attribute() -> None:
    method = method_of("att-trinet")
    network = network_of(method)
    images = torch.randn(4, 3, 32, 32)
    features = network(images).detach()
    assert features.shape == (4, 18)
    extractor = method.extractors["f"]
    assert isinstance(extractor, Embedded)
    own = F.normalize(network.embeddings[1](images)).detach().numpy()
    found = extractor.for_gallery(features.numpy(), Condition("b"))
    assert np.allclose(found, own, atol=1e-6)


# Losses


def test_the_other_heads_get_exactly_no_gradient() -> None:
    network = network_of(method_of())
    anchors = np.flatnonzero(np.array(ONE)[:, 1] >= 0)[:3]
    labels = torch.tensor(np.array(ONE)[anchors])
    logits = network.logits(network(torch.randn(3, 3, 32, 32)))
    losses.recognition(logits, labels, network.values).sum().backward()
    for number, head in enumerate(network.heads):
        for parameter in head.parameters():
            gradient = parameter.grad
            if number == 1:
                assert gradient is not None
                assert gradient.abs().sum() > 0
            else:
                assert gradient is None or not gradient.any()


def test_recognition_is_the_cross_entropy_of_the_known_label() -> None:
    labels = torch.tensor([[2, -1, -1], [-1, 1, -1], [-1, -1, -1]])
    logits = [torch.randn(3, size) for size in SIZES]
    found = losses.recognition(logits, labels, SIZES)
    assert found.tolist() == pytest.approx([
        -float(logits[0][0].log_softmax(0)[2]), -float(logits[1][1].log_softmax(0)[1])
    ])  # fmt: skip
    single = torch.randn(3, 9)
    found = losses.recognition([single], labels, SIZES)
    assert found.tolist() == pytest.approx([
        -float(single[0].log_softmax(0)[2]), -float(single[1].log_softmax(0)[3 + 1])
    ])  # fmt: skip


def test_triplets_are_a_hinge_of_products() -> None:
    a, b = torch.tensor([[1.0, 0]]), torch.tensor([[0.6, 0.8]])
    assert float(losses.triplet(a, b, a, 0.3)) == pytest.approx(1 - 0.6 + 0.3)
    assert float(losses.triplet(a, a, b, 0.3)) == 0
    # |x - y|² = 2 - 2 S for unit vectors
    assert float(losses.pair(a, b)) == pytest.approx(2 - 2 * 0.6)
    distance = (2 - 2 * 0.6) ** 0.5
    assert float(losses.apart(a, b, 1.0)) == pytest.approx((1 - distance) ** 2, abs=1e-5)


@pytest.mark.parametrize("variant", VARIANTS)
def test_each_variant_moves_what_it_has(variant: str) -> None:
    method = method_of(variant)
    first = method.stages[0]
    changed = learnt(first, method, batch_for(first))
    recipe = method.recipe
    if recipe.separate:
        assert len(method.stages) == 3
        expected = {"embeddings.0."} | ({"heads.0."} if recipe.recognition != "none" else set())
        assert {".".join(name.split(".")[:2]) + "." for name in changed} == expected
        return
    assert len(method.stages) == 1
    assert any(name.startswith("embeddings.0.backbone") for name in changed)
    assert any(name.startswith("heads") for name in changed) == (recipe.recognition != "none")
    assert ("masks" in changed) == recipe.masks


def test_terms_and_weights_are_those_of_the_paper() -> None:
    stage = method_of().stages[0]
    terms = stage.terms(batch_for(stage))
    assert terms.keys() == {"norm", "recognition", "triplets", "sparsity"}
    assert [len(terms[name]) for name in ("norm", "recognition", "triplets", "sparsity")] == [
        18, 6, 6, 6
    ]  # fmt: skip
    assert stage.weights["recognition"] == 0.3
    assert stage.weights["triplets"] == 0.7
    assert stage.weights["norm"] == pytest.approx(0.7 * 5e-3)
    assert stage.weights["sparsity"] == pytest.approx(0.7 * 5e-4)
    alone = method_of("csn").stages[0]
    assert alone.weights["triplets"] == 1
    assert isinstance(method_of("mc").stages[0].sampler, Plain)
    pairs = method_of("sianet", contrastive=True).stages[0]
    assert pairs.terms(batch_for(pairs)).keys() == {"norm", "pairs", "apart"}


# Triplets


def test_triplets_are_built_once_and_dealt_in_equal_proportion() -> None:
    labels = np.array(ONE)
    sampler = BuiltTriplets(np.arange(len(labels)), labels, seed=0)
    built = {column: len(drawn) for column, drawn in sampler.built.items()}
    assert built == {0: 12, 1: 8, 2: 16}  # each image is an anchor once
    groups = sampler.epoch(np.random.default_rng(0))
    assert len(groups) == 36
    assert groups.attribute is not None
    for start in range(0, 36, 3):
        assert set(groups.attribute[start : start + 3]) == {0, 1, 2}
    anchor, same, other = labels[groups.rows].transpose(1, 0, 2)[
        :, np.arange(36), groups.attribute
    ]  # fmt: skip
    assert (anchor == same).all()
    assert (anchor != other).all()
    assert (groups.rows[:, 0] != groups.rows[:, 1]).all()
    # what is dealt is what was built, in another order each epoch
    known = {tuple(row) for drawn in sampler.built.values() for row in drawn.tolist()}
    again = sampler.epoch(np.random.default_rng(1))
    for dealt in (groups, again):
        assert {tuple(row) for row in dealt.rows.tolist()} <= known
    assert (again.rows != groups.rows).any()
    assert set(sampler.rows) == set(range(36))
    few = BuiltTriplets(np.arange(len(labels)), labels, seed=0, anchors=10)
    short = few.epoch(np.random.default_rng(0))
    assert short.attribute is not None
    assert np.bincount(short.attribute).tolist() == [4, 4, 4], "rounded up to whole runs"


def test_nothing_to_build_triplets_of_is_refused() -> None:
    [stage] = method_of(data=catalog([[0, 0], [0, 0]])).stages
    with pytest.raises(DataError, match="there are no triplets to learn from"):
        stage.rows  # noqa: B018 (asked for before anything is trained)


def test_of_several_labels_one_is_kept_at_random() -> None:
    labels = np.array([[0, 1, -1], [1, 1, 3], [-1, -1, -1], [-1, 0, -1]] * 50)
    kept = one_each(labels, seed=0)
    assert ((kept >= 0).sum(axis=1) == np.minimum((labels >= 0).sum(axis=1), 1)).all()
    assert (kept[kept >= 0] == labels[kept >= 0]).all()
    chosen = (kept[1::4] >= 0).sum(axis=0)
    assert (chosen > 5).all(), "each attribute has its turn"
    assert (one_each(labels, seed=0) == kept).all()
    assert (one_each(labels, seed=1) != kept).any()
    method = method_of(data=catalog([[0, 1], [1, 0], [0, 0], [1, 1], [2, 1]] * 4), labels="one")
    assert ((method.learnt >= 0).sum(axis=1) == 1).all()


# Recognition


def test_one_softmax_over_all_may_say_a_value_of_another_attribute() -> None:
    data = catalog(ONE, SIZES)
    method = method_of("sc", data)
    network = network_of(method)
    rows = np.arange(len(data))
    features = np.random.default_rng(0).normal(size=(len(data), 6)).astype(np.float32)
    logits = network.logits(torch.from_numpy(features))[0].detach().numpy()
    [extractor] = method.extractors.values()
    protocol = recognition("recognition", "", data, queries=rows, training=rows)
    starts = (0, 3, 5)
    seen = set()
    for number, task in enumerate(protocol.tasks):
        names = candidate_names(task, data.images["id"].to_numpy(object))
        for at, ranked in rank(task, depth=10, first_relevant=False, features=features,
                               extractor=extractor, device="cpu"):  # fmt: skip
            for place, row in enumerate(task.queries[at]):
                best = int(logits[row].argmax())
                inside = starts[number] <= best < starts[number] + SIZES[number]
                first = int(ranked.positions[place, 0])
                assert first == (best - starts[number] if inside else SIZES[number])
                right = inside and best - starts[number] == data.labels()[row, number]
                assert bool(ranked.relevant[place, 0]) == right
                seen.add(str(names(np.array([place]), ranked.positions[place, :1])[0]))
    assert "(a value of another attribute)" in seen


def test_a_network_without_recognition_is_judged_by_class_means() -> None:
    assert not isinstance(method_of("csn").extractors["f"], Recogniser)
    assert isinstance(method_of("mtl").extractors["f"], Recogniser)
    method = method_of("att-trinet-rec")
    f = torch.randn(4, 18)
    own = network_of(method).heads[2](f[:, 12:]).detach().numpy()
    extractor = method.extractors["f"]
    assert isinstance(extractor, Recogniser)
    assert np.allclose(extractor.recognise(f.numpy(), Condition("c")), own, atol=1e-6)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="torch sees no CUDA device")
def test_a_network_on_a_gpu_recognises_features_that_are_not() -> None:
    method = method_of()
    extractor = method.extractors["f"]
    assert isinstance(extractor, Recogniser)
    features = np.random.default_rng(0).normal(size=(4, 6)).astype(np.float32)
    expected = extractor.recognise(features, Condition("c"))
    network_of(method).cuda()
    assert np.allclose(extractor.recognise(features, Condition("c")), expected, atol=1e-4)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"recognition": "none", "retrieval": "none", "masks": False}, "there is nothing to learn"),
        ({"retrieval": "pairs"}, "masks are learnt from triplets"),
        ({"separate": True}, "separate networks learn triplets, each without a mask"),
        ({"separate": True, "masks": False, "recognition": "single"}, "no softmax over all values"),
    ],
)
def test_recipes_that_make_no_sense_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        make_recipe(SPEC, "mtl", changes)


def test_what_it_cannot_learn_from_is_refused() -> None:
    with pytest.raises(IncompatibleError, match="have no single-valued one"):
        method_of(data=catalog([[-1, -1]] * 4))
    with pytest.raises(UnknownNameError, match="single-valued attribute of toy 'z'"):
        method_of(attributes=("z",))
    with pytest.raises(UnknownNameError, match="map of vgg16 'conv9'"):
        network_of(method_of(stage="conv9"))
    assert network_of(method_of(stage="")).embeddings[0].stage == "coarse"
    recipe = make_recipe(SPEC, "mtl", SMALL)
    with pytest.raises(IncompatibleError, match="has none, choose another --protocol"):
        SPEC.build(recipe, catalog(ONE, SIZES), TinyParts(), 0, np.zeros(0, np.int64))
