from __future__ import annotations

from typing import Any, cast

import numpy as np
import pytest
import torch
from bench_fashionsearchnet.localisation import boxes_of, components, crop_and_resize
from bench_fashionsearchnet.losses import (
    classification,
    soft_triplet,
    triplets_of,
    triplets_of_regions,
)
from bench_fashionsearchnet.model import FashionSearchNetMethod, Representations
from bench_fashionsearchnet.networks import FashionSearchNet, Towers
from bench_fashionsearchnet.recipe import FashionSearchNetRecipe
from bench_fashionsearchnet.training import build_memory
from bench_fashionsearchnet.variants import VARIANTS
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from scipy import ndimage
from torch import Tensor, nn
from torch.nn import functional as F
from toy_attributes import Tiny, TinyParts, catalog

from bench.attribute_protocols import manipulation
from bench.catalog import Catalog
from bench.engines import choose_execution, make_engine
from bench.errors import DataError, IncompatibleError, UnknownNameError, UserError
from bench.plugins import Registry
from bench.ranking import rank
from bench.recipes import make_recipe
from bench.tasks import Condition, Rows
from bench.training.samplers import Manipulations, Plain
from bench.training.stages import Batch, TrainingStage

REGISTRY = Registry.load()
SPEC = REGISTRY.method("fashionsearchnet")
SMALL = {"size": 32, "conv5": 6, "conv7": 8, "fc": 10, "dimension": 5, "merged": 7, "grid": 2}


ALL = [[a, b] for a in range(3) for b in range(2)] * 4  # every combination, four times


def method_of(variant: str = "full", data: Catalog | None = None, **changes: Any) -> (
    FashionSearchNetMethod
):  # fmt: skip
    data = catalog(ALL) if data is None else data
    recipe = make_recipe(SPEC, variant, SMALL | changes)
    built = SPEC.build(recipe, data, TinyParts(), 0, np.arange(len(data)))
    assert isinstance(built, FashionSearchNetMethod)
    return built


def network_of(method: FashionSearchNetMethod) -> FashionSearchNet:
    assert isinstance(method.model, FashionSearchNet)
    return method.model


@settings(max_examples=60, deadline=None)
@given(npst.arrays(np.float32, (5, 7), elements=st.floats(-1, 1, width=32)))
def test_boxes_go_around_the_largest_part_as_scipy_finds_it(values: Any) -> None:
    [found] = boxes_of(torch.from_numpy(values)[None]).numpy()
    mask = (values > np.float32(0.2) * values.max()) & (values.max() > 0)
    labels, count = ndimage.label(mask, np.ones((3, 3)))
    if not count:
        assert found.tolist() == [0, 0, 1, 1]
        return
    sizes = np.bincount(labels.ravel())[1:]
    rows, columns = ndimage.find_objects(labels)[int(sizes.argmax())]
    expected = [columns.start / 7, rows.start / 5, columns.stop / 7, rows.stop / 5]
    assert found == pytest.approx(expected)


def test_a_part_is_found_however_it_winds() -> None:
    mask = torch.zeros(1, 13, 13, dtype=torch.bool)
    mask[0, ::2] = True
    for row in range(1, 13, 2):  # a snake of 97 cells
        mask[0, row, 12 if row % 4 == 1 else 0] = True
    labels = components(mask)
    assert labels[mask].unique().tolist() == [169]
    assert not labels[~mask].any()
    # corners touch
    assert components(torch.eye(6)[None] > 0)[0].diagonal().unique().tolist() == [36]


def test_cropping_is_bilinear_sampling_at_the_middles_of_the_grid() -> None:
    generator = torch.Generator().manual_seed(0)
    features = torch.rand(2, 3, 7, 9, generator=generator, dtype=torch.float64)
    corners = torch.rand(2, 4, 2, 2, generator=generator, dtype=torch.float64).sort(dim=3).values
    boxes = torch.stack([corners[..., 0, 0], corners[..., 1, 0], corners[..., 0, 1],
                         corners[..., 1, 1]], dim=-1)  # fmt: skip
    found = crop_and_resize(features, boxes, 4)
    assert found.shape == (2, 4, 3, 4, 4)
    steps = (torch.arange(4, dtype=torch.float64) + 0.5) / 4
    for image in range(2):
        for attribute in range(4):
            left, top, right, bottom = boxes[image, attribute]
            x, y = left + (right - left) * steps, top + (bottom - top) * steps
            at = torch.stack(torch.meshgrid(y, x, indexing="ij")[::-1], dim=-1) * 2 - 1
            expected = F.grid_sample(features[image : image + 1], at[None], align_corners=False,
                                     padding_mode="border")[0]  # fmt: skip
            assert torch.allclose(found[image, attribute], expected)


def test_gradients_reach_features_and_not_boxes() -> None:
    features = torch.rand(1, 2, 5, 5, requires_grad=True)
    boxes = torch.tensor([[[0.1, 0.2, 0.7, 0.9]]], requires_grad=True)
    crop_and_resize(features, boxes, 2).sum().backward()
    assert features.grad is not None
    assert features.grad.any()
    assert boxes.grad is None


def test_a_soft_triplet_is_the_ratio_of_exponentials_and_never_overflows() -> None:
    generator = torch.Generator().manual_seed(0)
    a, p, n = torch.rand(3, 20, 6, generator=generator, dtype=torch.float64)
    near, far = (a - p).norm(dim=1).exp(), (a - n).norm(dim=1).exp()
    assert torch.allclose(soft_triplet(a, p, n), near / (near + far), atol=1e-9)
    assert torch.allclose(soft_triplet(a, p, n, squared=True), (near / (near + far)) ** 2)
    hinge = (0.3 + (a - p).norm(dim=1) - (a - n).norm(dim=1)).clamp(min=0)
    assert torch.allclose(soft_triplet(a, p, n, margin=0.3), hinge, atol=1e-9)
    loss = REGISTRY.loss("soft-triplet")
    assert torch.equal(loss(a, p, n), soft_triplet(a, p, n))
    far_off = torch.tensor([[1e6, 0.0]], requires_grad=True)
    value = soft_triplet(far_off, torch.zeros(1, 2), far_off.detach())
    value.sum().backward()
    assert value.item() == 1
    assert torch.isfinite(cast(Tensor, far_off.grad)).all()
    same = torch.zeros(1, 2, requires_grad=True)
    soft_triplet(same, torch.zeros(1, 2), torch.ones(1, 2)).sum().backward()
    assert torch.isfinite(cast(Tensor, same.grad)).all()


def test_unknown_values_give_no_loss_and_no_gradient() -> None:
    logits = [torch.randn(3, 4, requires_grad=True), torch.randn(3, 2, requires_grad=True)]
    labels = torch.tensor([[1, -1], [-1, -1], [2, 0]])
    found = classification(logits, labels)
    first = F.cross_entropy(logits[0][[0, 2]], labels[[0, 2], 0], reduction="none")
    assert found[0] == first[0]
    assert found[1] == 0
    assert found[2] == first[1] + F.cross_entropy(logits[1][2:], labels[2:, 1])
    found.sum().backward()
    assert not cast(Tensor, logits[0].grad)[1].any()
    assert not cast(Tensor, logits[1].grad)[:2].any()


def test_triplets_share_a_value_with_the_second_and_not_with_the_third() -> None:
    labels = torch.tensor([0, 0, 1, 1, 1, 2, -1, -1])
    for _ in range(20):
        places = triplets_of(labels)
        assert places[:, 0].tolist() == [0, 1, 2, 3, 4]  # 2 stands alone, two are unknown
        anchor, same, other = labels[places].unbind(1)
        assert (anchor == same).all()
        assert (places[:, 0] != places[:, 1]).all()
        assert (anchor != other).all()
        assert (other >= 0).all()
    assert triplets_of(torch.tensor([0, 0, 0])).shape == (0, 3)
    assert triplets_of(torch.tensor([0, 1, 2])).shape == (0, 3)
    representations = torch.randn(8, 2, 3)
    both = torch.stack([labels, torch.full((8,), -1)], dim=1)
    found = triplets_of_regions(representations, both)
    assert (found[:5] > 0).all()
    assert not found[5:].any()


def test_towers_are_linear_layers_of_each_attribute() -> None:
    torch.manual_seed(0)
    towers = Towers(2, (6, 4, 3)).eval()
    regions = torch.randn(5, 2, 6)
    found = towers(regions)
    for attribute in range(2):
        one = regions[:, attribute] @ towers.weights[0][attribute] + towers.biases[0][attribute]
        two = one.relu() @ towers.weights[1][attribute] + towers.biases[1][attribute]
        assert torch.allclose(found[:, attribute], two, atol=1e-6)


def test_the_papers_sizes() -> None:
    # 12 attributes: fc10 of 341, conv5 of 384 on 4 x 4 places
    network = FashionSearchNet(FashionSearchNetRecipe(), Tiny("alexnet"), [16] * 12)
    assert [tuple(w.shape) for w in network.towers.weights] == [
        (12, 6144, 512), (12, 512, 512), (12, 512, 341)
    ]  # fmt: skip
    assert network.memory.shape == (192, 341)
    assert network.merge.shape == (12 * 341, 512)
    assert torch.allclose(network.merge.T @ network.merge, torch.eye(512), atol=1e-4)


def test_an_activation_map_is_that_of_the_likeliest_value() -> None:
    network = network_of(method_of())
    _, conv7 = network.maps(torch.randn(3, 3, 32, 32))
    maps = network.activation_maps(conv7)
    for number, classifier in enumerate(network.classifiers):
        weight = cast(nn.Linear, classifier).weight
        chosen = (conv7.mean(dim=(2, 3)) @ weight.T).argmax(dim=1)
        for image in range(3):
            expected = (weight[chosen[image]][:, None, None] * conv7[image]).sum(dim=0)
            assert torch.allclose(maps[image, number], expected, atol=1e-5)


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ([[0, 0], [1, 0], [1, 1]], {(0, 1, 0), (1, 0, 0), (1, 2, 1), (2, 1, 1)}),
        ([[0, 0], [1, 1], [2, 0]], {(0, 2, 0), (2, 0, 0)}),
        # an unknown value is a state of its own, and is not changed
        ([[0, -1], [1, -1], [1, 0]], {(0, 1, 0), (1, 0, 0)}),
    ],
)
def test_merging_learns_from_images_that_differ_in_one_attribute(
    labels: list[list[int]], expected: set[tuple[int, int, int]]
) -> None:
    sampler = Manipulations(np.arange(10, 10 + len(labels)), np.array(labels))
    drawn = set()
    for seed in range(40):
        groups = sampler.epoch(np.random.default_rng(seed))
        assert groups.attribute is not None
        drawn |= {(a - 10, p - 10, k) for (a, p, _), k in
                  zip(groups.rows.tolist(), groups.attribute.tolist(), strict=True)}  # fmt: skip
        for _, changed, other in groups.rows - 10:
            assert labels[changed] != labels[other]
    assert drawn == expected


def test_images_that_differ_in_more_teach_no_merging() -> None:
    with pytest.raises(DataError, match="no two training images differ in one attribute alone"):
        Manipulations(np.arange(2), np.array([[0, 0], [1, 1]])).epoch(np.random.default_rng(0))


def test_manipulations_of_many_images_are_right() -> None:
    generator = np.random.default_rng(0)
    labels = generator.integers(-1, 4, (3000, 4))
    groups = Manipulations(np.arange(3000), labels).epoch(generator)
    asked, changed, other = labels[groups.rows].transpose(1, 0, 2)
    differ = asked != changed
    assert (differ.sum(axis=1) == 1).all()
    assert (differ.argmax(axis=1) == groups.attribute).all()
    at = np.arange(len(groups))
    assert (asked[at, groups.attribute] >= 0).all()
    assert (changed[at, groups.attribute] >= 0).all()
    assert (changed != other).any(axis=1).all()


def batch_of(rows: Rows, attribute: Rows | None = None) -> Batch:
    generator = torch.Generator().manual_seed(1)
    images = torch.randn(rows.size, 3, 32, 32, generator=generator)
    return Batch(images, torch.from_numpy(rows),
                 None if attribute is None else torch.from_numpy(attribute))  # fmt: skip


def test_memory_rows_are_means_of_the_images_with_the_value() -> None:
    labels = [[0, 0], [0, 1], [1, -1], [1, 1]]  # no image has a2
    method = method_of(data=catalog(labels))
    network = network_of(method)
    batch = batch_of(np.arange(4)[:, None])
    with torch.no_grad():
        found = network.represent(batch.images)
    build_memory(method, lambda rows: iter([batch]), np.arange(4))
    expected = torch.stack([found[:2, 0].mean(0), found[2:, 0].mean(0), torch.zeros(5),
                            found[0, 1], found[[1, 3], 1].mean(0)])  # fmt: skip
    assert torch.allclose(network.memory, expected, atol=1e-6)


def test_merging_begins_from_principal_axes() -> None:
    rows = np.arange(24)
    for merged in (10, 3, 12):  # as wide as all representations, narrower, wider
        method = method_of(merged=merged)
        network = network_of(method)
        batch = batch_of(rows[:, None])
        build_memory(method, lambda rows, of=batch: iter([of]), rows)
        with torch.no_grad():
            found = network.represent(batch.images)
            joined, apart = found.flatten(1), torch.pdist(network.merged(found))
        if merged >= 10:  # nothing is lost
            assert torch.allclose(apart, torch.pdist(joined), atol=1e-4)
        _, _, axes = np.linalg.svd(joined.numpy() - joined.numpy().mean(axis=0))
        shares = (axes[: min(merged, 10)] @ network.merge.detach().numpy()) ** 2
        assert np.allclose(shares.sum(axis=1), 1, atol=1e-3)


def learnt(stage: TrainingStage, method: FashionSearchNetMethod, batch: Batch) -> set[str]:
    """Return the names of the parameters that one step of a stage changes."""
    from bench.training.learning import freeze, make_optimiser, set_mode

    names = freeze(method.model, stage)
    before = {name: value.clone() for name, value in method.model.state_dict().items()}
    optimiser = make_optimiser(method.model, stage, names)
    set_mode(method.model, stage, names)
    torch.manual_seed(0)
    terms = stage.terms(batch)
    sum(values.sum() for values in terms.values()).backward()  # type: ignore[union-attr]
    optimiser.step()
    after = method.model.state_dict()
    return {name for name in before if not torch.equal(before[name], after[name])}


@pytest.mark.parametrize("variant", VARIANTS)
def test_each_stage_moves_its_own_parameters(variant: str) -> None:
    method = method_of(variant, **{"joint.weight_decay": 0, "classification.weight_decay": 0})
    rows = np.arange(24)
    first, joint, *merging = method.stages
    trunk = {"backbone", "conv5", "conv6", "conv7", "classifiers"}
    assert {name.split(".")[0] for name in learnt(first, method, batch_of(rows[:, None]))} == trunk
    moved = {name.split(".")[0] for name in learnt(joint, method, batch_of(rows[:, None]))}
    assert moved == trunk | {"towers", "heads"}
    assert bool(merging) == variant.startswith(("full", "rank-lg"))
    if merging:
        with torch.no_grad():
            network_of(method).memory.normal_(generator=torch.Generator().manual_seed(0))
        groups = merging[0].sampler.epoch(np.random.default_rng(0))
        moved = learnt(merging[0], method, batch_of(groups.rows, groups.attribute))
        assert moved == {"lambdas", "merge"} | ({"memory"} if variant != "rank-lg" else set())


def test_terms_of_the_joint_stage() -> None:
    method = method_of("rank-l")
    batch = batch_of(np.arange(24)[:, None])
    torch.manual_seed(0)
    terms = method.stages[1].terms(batch)
    assert set(terms) == {"classification", "of regions", "regions"}
    assert method.stages[1].weights == {"regions": 1.5, "of regions": 1.0}
    assert all(values.shape == (24,) for values in terms.values())
    assert set(method_of("no-rank").stages[1].terms(batch)) == {"classification", "of regions"}


def test_stages_are_shared_as_far_as_variants_are_alike() -> None:
    def facts(variant: str) -> list[Any]:
        return [[stage.name, dict(stage.identity), list(stage.trains)] for stage in
                method_of(variant).stages]  # fmt: skip

    full, lg, local, whole, ff = map(facts, ("full", "rank-lg", "rank-l", "rank", "full-ff"))
    assert full[:2] == lg[:2] == local
    assert full[2] != lg[2]
    assert whole[0] == full[0]
    assert whole[1] != full[1]
    assert ff[0] != full[0]  # its towers are of another size


def test_localisation_and_fusion_decide_what_a_tower_sees() -> None:
    images = torch.randn(2, 3, 32, 32)
    for variant, parts in (("rank", 1), ("rank-l", 1), ("full-ff", 2)):
        network = network_of(method_of(variant))
        assert network.towers.weights[0].shape[1] == 6 * 4 * parts
        assert network.represent(images).shape == (2, 2, 5)
    whole, local = network_of(method_of("rank")), network_of(method_of("rank-l"))
    local.load_state_dict(whole.state_dict())
    conv5, conv7 = whole.maps(images)
    full = torch.tensor([0.0, 0.0, 1.0, 1.0]).expand(2, 1, 4)
    seen = crop_and_resize(conv5, full, 2).flatten(2).expand(-1, 2, -1)
    assert torch.allclose(whole.representations(conv5, conv7), whole.towers(seen), atol=1e-6)
    expected = local.towers(crop_and_resize(conv5, local.boxes(conv7), 2).flatten(2))
    assert torch.allclose(local.representations(conv5, conv7), expected, atol=1e-6)


def extractor_of(method: FashionSearchNetMethod) -> Representations:
    [found] = method.extractors.values()
    assert isinstance(found, Representations)
    return found


def test_a_query_has_the_memorys_row_in_one_place_and_is_merged_like_the_gallery() -> None:
    method = method_of()
    network = network_of(method)
    with torch.no_grad():
        network.memory.normal_()
        network.lambdas.uniform_(0.5, 2)
    extractor = extractor_of(method)
    features = np.random.default_rng(0).normal(size=(4, 10)).astype(np.float32)
    before = features.copy()
    condition = Condition("b", np.array([0, 1, 1, 0]))
    found = extractor.for_query(features, condition)
    swapped = torch.from_numpy(features).reshape(4, 2, 5).clone()
    swapped[:, 1] = network.memory[3 + torch.tensor([0, 1, 1, 0])].detach()
    assert np.allclose(found, network.merged(swapped).detach().numpy(), atol=1e-5)
    plain = network.merged(torch.from_numpy(features).reshape(4, 2, 5)).detach().numpy()
    assert np.allclose(extractor.for_gallery(features, condition), plain, atol=1e-5)
    assert np.allclose(extractor.for_query(features, None), plain, atol=1e-5)
    assert (features == before).all()
    # without a value to change to, an attribute is compared by itself
    assert (extractor.for_gallery(features, Condition("b")) == features[:, 5:]).all()
    scores = extractor.recognise(features, Condition("a"))
    expected = network.heads[0](torch.from_numpy(features[:, :5]))
    assert np.allclose(scores, expected.detach().numpy(), atol=1e-5)
    with pytest.raises(IncompatibleError, match="has learnt a, b, not c"):
        extractor.for_query(features, Condition("c"))


def test_unmerged_representations_stand_end_to_end() -> None:
    method = method_of("rank-l")
    extractor = extractor_of(method)
    features = np.random.default_rng(0).normal(size=(4, 10)).astype(np.float32)
    assert (extractor.for_gallery(features, None) == features).all()
    scaled = extractor_of(method_of("rank-l", normalise=True)).for_gallery(features, None)
    assert np.allclose(np.linalg.norm(scaled.reshape(4, 2, 5), axis=2), 1, atol=1e-6)


def test_every_manipulation_of_six_images_finds_its_answer() -> None:
    """Representations that say the value exactly, and a memory of them: all hits are first."""
    data = catalog([[a, b] for a in range(3) for b in range(2)])
    method = method_of("rank-l", data=data)
    codes = np.random.default_rng(0).normal(size=(5, 5)).astype(np.float32) * 3
    with torch.no_grad():
        network_of(method).memory.copy_(torch.from_numpy(codes))
    labels = data.labels()
    features = np.concatenate([codes[labels[:, 0]], codes[3 + labels[:, 1]]], axis=1)
    rows = np.arange(6)
    protocol = manipulation("manipulation", "", data, queries=rows, gallery=rows, training=rows)
    found = {}
    for task in protocol.tasks:
        for at, ranked in rank(task, depth=6, first_relevant=False, features=features,
                               extractor=extractor_of(method), device="cpu"):  # fmt: skip
            targets = cast(Condition, task.condition).targets
            assert targets is not None
            for query, target, order in zip(task.queries[at], targets[at], ranked.positions,
                                            strict=True):  # fmt: skip
                found[task.name, int(query), int(target)] = int(order[0])
    # image 2 a + b has the values a and b
    expected = {("a", 2 * a + b, t): 2 * t + b for a in range(3) for b in range(2)
                for t in range(3) if t != a}  # fmt: skip
    expected |= {("b", 2 * a + b, 1 - b): 2 * a + 1 - b for a in range(3) for b in range(2)}
    assert found == expected


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="torch sees no CUDA device")
def test_a_network_on_a_gpu_explains_images_that_are_not() -> None:
    method = method_of()
    images = torch.randn(3, 3, 32, 32)
    expected = extractor_of(method).explain(images)
    network_of(method).cuda()
    for name, (maps, boxes) in extractor_of(method).explain(images).items():
        assert np.allclose(maps, expected[name][0], atol=1e-3)
        assert boxes.shape == (3, 4)


@pytest.mark.parametrize("variant", ["full-ff", "rank"])
def test_openvino_computes_what_torch_does(variant: str) -> None:
    network = network_of(method_of(variant))

    class Extraction(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.network = network

        def forward(self, pixels: Tensor) -> Tensor:
            return self.network.represent(pixels.float() / 255 - 0.5).flatten(1)

    execution = choose_execution(device="cpu", engine="openvino", precision="fp32", batch_size=4,
                                 workers=1)  # fmt: skip
    pixels = np.random.default_rng(0).integers(0, 256, (4, 3, 32, 32), dtype=np.uint8)
    with torch.no_grad():
        expected = Extraction()(torch.from_numpy(pixels)).numpy()
    found = make_engine(Extraction(), execution, size=32)(pixels)
    assert np.allclose(found, expected, atol=1e-4 * np.abs(expected).max())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"localisation": False}, "merging is for representations with ranking and localisation"),
        ({"merging": False}, "updating is of the memory that merging learns with"),
        ({"merging": False, "updating": False, "localisation": False, "fusion": True},
         "fusion is of regions and the whole"),
    ],
)  # fmt: skip
def test_recipes_that_make_no_sense_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        make_recipe(SPEC, "full", changes)


def test_what_it_cannot_learn_from_is_refused() -> None:
    with pytest.raises(IncompatibleError, match="have no single-valued one"):
        method_of(data=catalog([[-1, -1]] * 4))
    with pytest.raises(UnknownNameError, match="single-valued attribute of toy 'c'"):
        method_of(attributes=("c",))
    with pytest.raises(UnknownNameError, match="map of alexnet of stride 16 or less 'coarse'"):
        network_of(method_of(stage="coarse"))
    assert network_of(method_of(stage="")).stage == "conv4"
    assert method_of(attributes=("b",)).attributes.sizes == (2,)
    recipe = make_recipe(SPEC, "full", SMALL)
    with pytest.raises(IncompatibleError, match="has none, choose another --protocol"):
        SPEC.build(recipe, catalog(ALL), TinyParts(), 0, np.zeros(0, np.int64))
    assert isinstance(method_of().stages[0].sampler, Plain)
