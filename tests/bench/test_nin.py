"""The backbones `nin` and `nin-two` against arithmetic and a second computation of their layers.

`nin` has 0.7 GB of parameters: the whole network is made once. Other tests take one whose fully
connected layers are narrow; the convolutions are the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from types import MappingProxyType

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor
from torch.nn import functional as F

from bench.builtins import nin
from bench.builtins.backbone_sources import resolve
from bench.builtins.nin import NINBackbone
from bench.errors import UnknownNameError, WeightsError
from bench.interfaces import Stage
from bench.plugins import Registry

STAGES = {
    "conv1": Stage(96, 4), "conv2": Stage(256, 8), "conv3": Stage(384, 16),
    "conv4": Stage(512, 16), "conv5": Stage(1024, 16), "pool5": Stage(1024, 32),
    "fc1": Stage(4096, None), "fc2": Stage(4096, None), "pooled": Stage(4096, None),
}  # fmt: skip
# of 224 pixels: 54 = (224 - 11) / 4 + 1 rounded down; 27 = (54 - 3) / 2 + 1 rounded up
SIDES = {
    "conv1": 54, "conv2": 27, "conv3": 13, "conv4": 13, "conv5": 13, "pool5": 6,
    "fc1": 1, "fc2": 1, "pooled": 1,
}  # fmt: skip
# kernel · kernel · channels before · channels + biases
CONVOLUTIONS = (
    (11 * 11 * 3 * 96 + 96)
    + (5 * 5 * 96 * 256 + 256)
    + (3 * 3 * 256 * 384 + 384)
    + (3 * 3 * 384 * 512 + 512)
    + (3 * 3 * 512 * 1024 + 1024)
)
# one MLPConv layer of each convolution: 1 · 1 · channels · channels + biases
MLPCONV = (
    96 * 96 + 96, 256 * 256 + 256, 384 * 384 + 384, 512 * 512 + 512, 1024 * 1024 + 1024,
)  # fmt: skip
FULLY_CONNECTED = (6 * 6 * 1024 * 4096 + 4096) + (4096 * 4096 + 4096)
# MLPConv layers behind each convolution
LAYERS = {"nin": (1, 1, 1, 2, 1), "nin-two": (2, 2, 2, 2, 2)}
NARROW = 8  # in the place of 4,096
SEED = 5
State = dict[str, Tensor]
Build = Callable[..., NINBackbone]


def random_images(count: int, size: int) -> Tensor:
    return torch.randn((count, 3, size, size), generator=torch.Generator().manual_seed(1))


@pytest.fixture(scope="module")
def network() -> NINBackbone:
    """Return the whole of `nin` with weights drawn from `SEED`; torch's own numbers are at 7."""
    torch.manual_seed(7)
    module = Registry.load().backbone(resolve("nin", "none", SEED))
    assert isinstance(module, NINBackbone)
    expected = torch.rand(4, generator=torch.Generator().manual_seed(7))
    assert torch.equal(torch.rand(4), expected), "building leaves torch's random numbers alone"
    return module


@pytest.fixture
def build(monkeypatch: pytest.MonkeyPatch) -> Build:
    """Return a builder of networks with narrow fully connected layers."""
    monkeypatch.setattr(nin, "WIDTH", NARROW)
    return lambda name, weights="none", seed=SEED: NINBackbone(resolve(name, str(weights), seed))


def test_every_stage_has_the_channels_and_the_side_it_states(network: NINBackbone) -> None:
    assert network.stages == STAGES
    with torch.inference_mode():
        maps = network(random_images(1, 224), list(STAGES))
    assert list(maps) == list(STAGES)
    for stage, facts in STAGES.items():
        assert maps[stage].shape == (1, facts.channels, SIDES[stage], SIDES[stage]), stage
        if facts.stride:  # conv1 has no padding: a map is two positions short at most
            assert 0 < 224 // facts.stride - SIDES[stage] <= 2, stage
        assert maps[stage].min() == 0, f"{stage} stands after a ReLU"
        assert maps[stage].max() > 0
    assert torch.equal(maps["pooled"], maps["fc2"])
    assert torch.equal(maps["pool5"], F.max_pool2d(maps["conv5"], 3, 2)), "6 windows fit in 13"


def test_the_vector_of_the_paper_has_the_dimensions_it_states(network: NINBackbone) -> None:
    channels = {stage: facts.channels for stage, facts in network.stages.items()}
    # FC1, and Conv4 and Conv5 pooled to 3 x 3
    assert channels["fc1"] + 9 * (channels["conv4"] + channels["conv5"]) == 17_920


def test_a_stride_is_by_how_much_an_image_moves_when_its_map_moves_by_one(build: Build) -> None:
    images = random_images(1, 352)
    network = build("nin")
    stages = [stage for stage, facts in STAGES.items() if facts.stride]
    with torch.inference_mode():
        maps = network(images, stages)
        for stage in stages:
            stride = STAGES[stage].stride
            assert stride is not None
            moved = network(images[..., stride:], [stage])[stage]
            middle = maps[stage].shape[-1] // 2  # out of sight of the rims, which padding changes
            expected = maps[stage][..., middle + 1]
            torch.testing.assert_close(moved[..., middle], expected, rtol=1e-4, atol=1e-6)
            assert not torch.allclose(maps[stage][..., middle], expected, rtol=1e-2), stage


@pytest.mark.parametrize("name", LAYERS)
def test_the_parameters_are_as_many_as_the_layers_make(name: str, network: NINBackbone) -> None:
    if name == "nin":
        built = network
    else:
        with torch.device("meta"):  # without values
            built = NINBackbone(resolve(name, "none", 0))
    mlpconv = sum(count * one for count, one in zip(LAYERS[name], MLPCONV, strict=True))
    stated = {"nin": 177_602_528, "nin-two": 178_875_072}[name]
    assert CONVOLUTIONS + mlpconv + FULLY_CONNECTED == stated
    assert sum(p.numel() for p in built.parameters()) == stated
    assert sum(p.numel() for p in built.classifier.parameters()) == FULLY_CONNECTED


@pytest.mark.parametrize("name", LAYERS)
def test_the_same_seed_gives_the_same_weights_and_another_gives_others(
    build: Build, name: str
) -> None:
    torch.manual_seed(7)
    before = torch.get_rng_state()
    first, again, other = (build(name, seed=seed).state_dict() for seed in (3, 3, 4))
    assert torch.equal(torch.get_rng_state(), before)
    assert all(torch.equal(tensor, again[key]) for key, tensor in first.items())
    assert not any(torch.equal(tensor, other[key]) for key, tensor in first.items())


def computed(state: State, images: Tensor, layers: Sequence[int]) -> State:
    """Return every stage, computed from the weights by torch's functions alone."""
    found: State = {}
    values = images
    for number, (count, (stride, padding)) in enumerate(
        zip(layers, [(4, 0), (1, 2), (1, 1), (1, 1), (1, 1)], strict=True), start=1
    ):
        if number in (2, 3):
            values = F.max_pool2d(values, 3, 2, ceil_mode=True)
        for layer in ("conv", *(f"mlpconv{index + 1}" for index in range(count))):
            name = f"conv{number}.{layer}"
            outer = (stride, padding) if layer == "conv" else (1, 0)
            values = F.conv2d(values, state[f"{name}.weight"], state[f"{name}.bias"], *outer)
            values = values.relu()
        found[f"conv{number}"] = values
    found["pool5"] = F.max_pool2d(values, 3, 2, ceil_mode=True)
    values = F.adaptive_avg_pool2d(found["pool5"], 6).flatten(1)
    for stage, place in (("fc1", 0), ("fc2", 3)):
        weight, bias = state[f"classifier.{place}.weight"], state[f"classifier.{place}.bias"]
        values = F.linear(values, weight, bias).relu()
        found[stage] = values[:, :, None, None]
    return found


@pytest.mark.parametrize(("name", "side"), [("nin", 64), ("nin-two", 64), ("nin", 97)])
def test_a_stage_is_what_its_layers_give(build: Build, name: str, side: int) -> None:
    network = build(name)
    images = random_images(2, side)
    with torch.inference_mode():
        found = network(images, list(STAGES))
        expected = computed(network.state_dict(), images, LAYERS[name])
    assert expected.keys() == STAGES.keys() - {"pooled"}
    for stage, values in expected.items():
        assert torch.equal(found[stage], values), stage
        assert values.std() > 0, stage
    assert torch.equal(found["pooled"], expected["fc2"])


def test_pooling_rounds_up() -> None:
    with torch.device("meta"):
        network = NINBackbone(resolve("nin", "none", 0))
        del network.classifier  # the convolutions alone need none
        maps = network(torch.empty(1, 3, 64, 64), ["conv1", "conv2", "conv3", "pool5"])
    assert [maps[stage].shape[-1] for stage in maps] == [14, 7, 3, 1], "7, not 6, of 14"


def ran(network: NINBackbone, stages: Sequence[str]) -> list[str]:
    """Return the layers with weights that run for these stages, in order."""
    names: list[str] = []
    handles = [
        layer.register_forward_hook(lambda *_, name=name: names.append(name))
        for name, layer in network.named_modules()
        if hasattr(layer, "weight")
    ]
    with torch.inference_mode():
        network(random_images(1, 64), stages)
    for handle in handles:
        handle.remove()
    return names


def test_only_the_layers_that_a_stage_needs_are_run(build: Build) -> None:
    network = build("nin")
    every = [name for name, layer in network.named_modules() if hasattr(layer, "weight")]
    assert len(every) == 5 + 6 + 2
    for stages, layers in (
        (["conv1"], 2), (["conv2"], 4), (["conv3", "conv1"], 6), (["conv4"], 9), (["conv5"], 11),
        (["pool5"], 11), (["fc1"], 12), (["fc2"], 13), (["pooled", "fc1"], 13),
    ):  # fmt: skip
        assert ran(network, stages) == every[:layers], stages
    assert network(random_images(1, 64), []) == {}


def test_dropout_is_active_in_training_mode_alone(network: NINBackbone) -> None:
    images = random_images(1, 64)
    assert not network.training
    with torch.inference_mode():
        quiet = network(images, ["pool5", "fc1"])
        network.train()
        torch.manual_seed(0)
        noisy = network(images, ["pool5", "fc1"])
        network.eval()
    assert torch.equal(noisy["pool5"], quiet["pool5"])
    kept = noisy["fc1"] != 0
    torch.testing.assert_close(noisy["fc1"][kept], 2 * quiet["fc1"][kept])
    assert kept.sum() / (quiet["fc1"] != 0).sum() == pytest.approx(0.5, abs=0.05)


def test_every_parameter_up_to_a_stage_gets_a_gradient(build: Build) -> None:
    network = build("nin-two")
    network(random_images(1, 64), ["fc2"])["fc2"].square().sum().backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().sum() > 0, name


def test_an_unknown_stage_gets_the_nearest_name(build: Build) -> None:
    with pytest.raises(UnknownNameError, match=r"stage of nin 'conv-5'.*conv5"):
        build("nin")(random_images(1, 64), ["conv-5"])


def test_a_file_with_our_names_gives_its_values(build: Build, tmp_path: Path) -> None:
    file = tmp_path / "ours.safetensors"
    given = build("nin", seed=SEED + 1).state_dict()
    save_file(given, file)
    loaded = build("nin", file)
    assert list(loaded.state_dict()) == list(given)
    assert all(torch.equal(tensor, given[key]) for key, tensor in loaded.state_dict().items())
    assert not loaded.training
    assert all(parameter.requires_grad for parameter in loaded.parameters())
    images = random_images(1, 64)
    with torch.inference_mode():
        expected = computed(given, images, LAYERS["nin"])
        assert torch.equal(loaded(images, ["fc2"])["fc2"], expected["fc2"])


PUBLIC = MappingProxyType({
    "conv1": (96, 3, 11, 11), "cccp1": (96, 96, 1, 1), "cccp2": (96, 96, 1, 1),
    "conv2": (256, 96, 5, 5), "cccp3": (256, 256, 1, 1), "cccp4": (256, 256, 1, 1),
    "conv3": (384, 256, 3, 3), "cccp5": (384, 384, 1, 1), "cccp6": (384, 384, 1, 1),
    "conv4-1024": (1024, 384, 3, 3), "cccp7-1024": (1024, 1024, 1, 1),
    "cccp8-1024": (1000, 1024, 1, 1),
})  # fmt: skip
OURS = {
    "conv1.conv": "conv1", "conv1.mlpconv1": "cccp1", "conv1.mlpconv2": "cccp2",
    "conv2.conv": "conv2", "conv2.mlpconv1": "cccp3", "conv2.mlpconv2": "cccp4",
    "conv3.conv": "conv3", "conv3.mlpconv1": "cccp5", "conv3.mlpconv2": "cccp6",
}  # fmt: skip


@pytest.fixture(scope="module")
def public() -> State:
    """Return values for every tensor of the public network, by its names."""
    generator = torch.Generator().manual_seed(11)
    state: State = {}
    for name, shape in PUBLIC.items():
        state[f"{name}.weight"] = torch.randn(shape, generator=generator)
        state[f"{name}.bias"] = torch.randn(shape[0], generator=generator)
    return state


@pytest.mark.parametrize("whole", [True, False])
def test_the_public_network_gives_its_first_three_convolutions(
    build: Build, tmp_path: Path, public: State, whole: bool
) -> None:
    """The others keep what the seed draws, whether the file has the public network's or not."""
    file = tmp_path / "public.safetensors"
    save_file({n: tensor for n, tensor in public.items() if whole or "-1024" not in n}, file)
    torch.manual_seed(7)
    before = torch.get_rng_state()
    loaded = build("nin-two", file)
    assert torch.equal(torch.get_rng_state(), before)
    # a file has no seed of its own
    drawn = build("nin-two", seed=0).state_dict()
    taken = 0
    for name, tensor in loaded.state_dict().items():
        layer, _, kind = name.rpartition(".")
        theirs = OURS.get(layer)
        taken += theirs is not None
        assert torch.equal(tensor, public[f"{theirs}.{kind}"] if theirs else drawn[name]), name
    assert taken == 18
    assert not loaded.training


def test_the_public_network_is_refused_by_nin_which_names_the_one_it_fits(
    build: Build, tmp_path: Path, public: State
) -> None:
    file = tmp_path / "public.safetensors"
    save_file(public, file)
    with pytest.raises(WeightsError) as caught:
        build("nin", file)
    assert str(caught.value) == (
        f"{file} has two MLPConv layers after each convolution, nin has not; "
        "take --backbone nin-two"
    )


def light(*shape: int) -> Tensor:
    """Return a tensor of a shape that takes no place in a file."""
    return torch.zeros(1).expand(shape)


def names_of(name: str) -> State:
    if name == "public":
        return {
            f"{layer}.{kind}": light(*(shape if kind == "weight" else shape[:1]))
            for layer, shape in PUBLIC.items()
            for kind in ("weight", "bias")
        }
    with torch.device("meta"):
        state = NINBackbone(resolve(name, "none", 0)).state_dict()
    return {key: light(*tensor.shape) for key, tensor in state.items()}


def without(*names: str) -> Callable[[State], State]:
    return lambda state: {name: tensor for name, tensor in state.items() if name not in names}


@pytest.mark.parametrize(
    ("name", "names", "change", "expected"),
    [
        ("nin", "nin", without("conv4.mlpconv2.bias"),
         "1 tensors are missing (conv4.mlpconv2.bias …), 0 are not the model's"),
        ("nin", "nin-two", without(),
         "0 tensors are missing, 8 are not the model's (conv1.mlpconv2.weight …)"),
        ("nin-two", "nin", without(),
         "8 tensors are missing (conv1.mlpconv2.weight …), 0 are not the model's"),
        ("nin", "nin", lambda state: state | {"conv1.conv.weight": light(64, 3, 11, 11)},
         "conv1.conv.weight has shape (64, 3, 11, 11), expected (96, 3, 11, 11)"),
        ("nin", "nin", lambda state: state | {"conv1.conv.bias": 3},
         "conv1.conv.bias is 3, not a tensor"),
        ("nin", "nin", lambda _: {"features.0.weight": light(64, 3, 11, 11)},
         "26 tensors are missing (conv1.conv.weight …), 1 are not the model's (features.0.weight"),
        ("nin-two", "nin", lambda _: {}, "34 tensors are missing"),
        ("nin", "nin", lambda _: {"state_dict": 3}, "holds no tensors by name"),
        ("nin-two", "public", without("cccp6.bias"),
         "1 tensors are missing (cccp6.bias …), 0 are not the model's"),
        ("nin-two", "public", lambda state: state | {"cccp9.bias": light(10)},
         "0 tensors are missing, 1 are not the model's (cccp9.bias …)"),
        ("nin-two", "public", lambda state: state | {"conv2.weight": light(192, 96, 5, 5)},
         "conv2.weight has shape (192, 96, 5, 5), expected (256, 96, 5, 5)"),
        ("nin-two", "public", lambda state: state | {7: light(1)},
         "0 tensors are missing, 1 are not the model's (7 …)"),
    ],
)  # fmt: skip
def test_a_file_that_does_not_fit_is_refused_in_one_line(
    build: Build,
    tmp_path: Path,
    name: str,
    names: str,
    change: Callable[[State], State],
    expected: str,
) -> None:
    file = tmp_path / "wrong.pth"
    torch.save(change(names_of(names)), file)
    with pytest.raises(WeightsError) as caught:
        build(name, file)
    assert str(caught.value).startswith(str(file))
    assert expected in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", LAYERS)
def test_there_is_nothing_to_download_and_one_line_says_so(name: str) -> None:
    with pytest.raises(WeightsError, match=f"^{name} cannot be downloaded: ") as caught:
        resolve(name, "pretrained", 0)
    assert "--weights FILE" in str(caught.value)
    assert "another --backbone" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_preprocessing_takes_means_of_values_up_to_255() -> None:
    found = resolve("nin", "none", 0).preprocessing
    assert (found.size, found.fit) == (224, "crop")
    # a difference of one in 255 is one, as in Caffe
    assert found.std == (1 / 255, 1 / 255, 1 / 255)
    assert resolve("nin-two", "none", 0).preprocessing == found
