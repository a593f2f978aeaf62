"""The backbone `alexnet` against torchvision's network of the same weights.

The network has a quarter of a gigabyte of parameters: it is made as few times as can be.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from urllib.error import URLError

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torchvision.models import AlexNet_Weights, alexnet

from bench import fingerprints
from bench.builtins import backbone_sources
from bench.builtins.alexnet import AlexNetBackbone
from bench.builtins.backbone_sources import resolve
from bench.errors import UnknownNameError, WeightsError
from bench.interfaces import Stage
from bench.plugins import Registry
from bench.storage import cache_folder

STAGES = {
    "conv1": Stage(64, 4), "conv2": Stage(192, 8), "conv3": Stage(384, 16),
    "conv4": Stage(256, 16), "conv5": Stage(256, 16), "pool5": Stage(256, 32),
    "fc6": Stage(4096, None), "fc7": Stage(4096, None), "pooled": Stage(4096, None),
}  # fmt: skip
# (side + 2 · padding - kernel) / stride + 1, rounded down: 55 = (224 + 4 - 11) / 4 + 1
SIDES = {
    "conv1": 55, "conv2": 27, "conv3": 13, "conv4": 13, "conv5": 13, "pool5": 6,
    "fc6": 1, "fc7": 1, "pooled": 1,
}  # fmt: skip
# kernel · kernel · channels before · channels + biases
CONVOLUTIONS = (
    (11 * 11 * 3 * 64 + 64)
    + (5 * 5 * 64 * 192 + 192)
    + (3 * 3 * 192 * 384 + 384)
    + (3 * 3 * 384 * 256 + 256)
    + (3 * 3 * 256 * 256 + 256)
)
FULLY_CONNECTED = (6 * 6 * 256 * 4096 + 4096) + (4096 * 4096 + 4096)
FILE = "alexnet-owt-7be5be79.pth"
SEED = 5
State = dict[str, Tensor]


def random_images(count: int, size: int) -> Tensor:
    return torch.randn((count, 3, size, size), generator=torch.Generator().manual_seed(1))


@pytest.fixture(scope="module")
def network() -> AlexNetBackbone:
    """Return the backbone with weights drawn from `SEED`; torch's own numbers are at 7."""
    torch.manual_seed(7)
    module = Registry.load().backbone(resolve("alexnet", "none", SEED))
    assert isinstance(module, AlexNetBackbone)
    expected = torch.rand(4, generator=torch.Generator().manual_seed(7))
    assert torch.equal(torch.rand(4), expected), "building leaves torch's random numbers alone"
    return module


@pytest.fixture(scope="module")
def published(network: AlexNetBackbone) -> State:
    """Return other values for every tensor, by torchvision's names, with its classifier's."""
    generator = torch.Generator().manual_seed(SEED + 1)
    values = {
        name: tensor.flip(0).neg()
        if tensor.ndim > 1
        else 0.1 * torch.randn(tensor.shape, generator=generator)
        for name, tensor in network.state_dict().items()
    }
    classifier = {
        "classifier.6.weight": torch.ones(1000, 4096),
        "classifier.6.bias": torch.ones(1000),
    }
    return values | classifier


@pytest.fixture(scope="module")
def of_torchvision(published: State) -> nn.Module:
    """Return torchvision's network of the published values."""
    with torch.device("meta"):
        model = alexnet(weights=None)
    model.to_empty(device="cpu").load_state_dict(published)
    return model.eval()  # type: ignore[no-any-return]


def outputs(module: nn.Module, images: Tensor, layers: dict[str, str]) -> State:
    """Return what layers of a network give for the images, by the stages they belong to."""
    found: State = {}
    # a copy: the layer after it may work in place
    handles = [
        module.get_submodule(layer).register_forward_hook(
            lambda _, __, out, stage=stage: found.update({stage: out.clone()})
        )
        for stage, layer in layers.items()
    ]
    with torch.inference_mode():
        module(images)
    for handle in handles:
        handle.remove()
    return found


def test_every_stage_has_the_channels_and_the_side_it_states(network: AlexNetBackbone) -> None:
    assert network.stages == STAGES
    with torch.inference_mode():
        maps = network(random_images(2, 224), list(STAGES))
    assert list(maps) == list(STAGES)
    for stage, facts in STAGES.items():
        assert maps[stage].shape == (2, facts.channels, SIDES[stage], SIDES[stage]), stage
        if facts.stride:  # kernels of 3 and 11 leave a rim: a map is one position short at most
            assert SIDES[stage] == 224 // facts.stride - 1, stage
        assert maps[stage].min() == 0, f"{stage} stands after a ReLU"
        assert maps[stage].max() > 0


def test_images_of_another_size_give_maps_and_vectors(network: AlexNetBackbone) -> None:
    with torch.inference_mode():
        maps = network(random_images(1, 96), list(STAGES))
    sides = [23, 11, 5, 5, 5, 2, 1, 1, 1]
    for (stage, facts), side in zip(STAGES.items(), sides, strict=True):
        assert maps[stage].shape == (1, facts.channels, side, side), stage


def test_the_parameters_are_as_many_as_the_layers_make(network: AlexNetBackbone) -> None:
    convolutions, every = (
        sum(p.numel() for p in part.parameters()) for part in (network.features, network)
    )
    assert convolutions == CONVOLUTIONS
    assert every == CONVOLUTIONS + FULLY_CONNECTED
    assert (convolutions, every) == (2_469_696, 57_003_840)
    stated = AlexNet_Weights.IMAGENET1K_V1.meta["num_params"]
    assert every + 4096 * 1000 + 1000 == stated, "with the classifier"


def test_random_weights_are_drawn_from_the_seed_as_torchvision_draws_them(
    network: AlexNetBackbone,
) -> None:
    torch.manual_seed(SEED)
    drawn = alexnet(weights=None).state_dict()
    for name, tensor in network.state_dict().items():
        assert torch.equal(tensor, drawn[name]), name


def test_another_seed_gives_other_weights_and_the_same_seed_the_same(
    network: AlexNetBackbone,
) -> None:
    again, other = (AlexNetBackbone(resolve("alexnet", "none", s)) for s in (SEED, SEED + 1))
    drawn = network.state_dict()
    assert all(torch.equal(tensor, drawn[name]) for name, tensor in again.state_dict().items())
    assert not any(torch.equal(tensor, drawn[name]) for name, tensor in other.state_dict().items())


def test_weights_with_the_names_of_torchvision_give_the_numbers_of_torchvision(
    network: AlexNetBackbone, published: State, of_torchvision: nn.Module, tmp_path: Path
) -> None:
    file = tmp_path / "published.safetensors"
    save_file({name: tensor.contiguous() for name, tensor in published.items()}, file)
    loaded = AlexNetBackbone(resolve("alexnet", str(file), 0))
    file.unlink()
    layers = {
        "conv1": "features.1", "conv2": "features.4", "conv3": "features.7", "conv4": "features.9",
        "conv5": "features.11", "pool5": "features.12", "fc6": "classifier.2",
        "fc7": "classifier.5",
    }  # fmt: skip
    for size in (224, 96):
        images = random_images(2, size)
        expected = outputs(of_torchvision, images, layers)
        with torch.inference_mode():
            found = loaded(images, list(STAGES))
            before = network(images, list(STAGES))
        for stage in STAGES:
            values = expected["fc7" if stage == "pooled" else stage]
            assert torch.equal(found[stage].flatten(1), values.flatten(1)), stage
            assert values.std() > 0
            assert not torch.equal(found[stage], before[stage]), stage
    assert not loaded.training
    assert all(parameter.requires_grad for parameter in loaded.parameters())


def ran(network: AlexNetBackbone, stages: Sequence[str]) -> list[str]:
    """Return the layers that run for these stages, in order."""
    names: list[str] = []
    handles = [
        layer.register_forward_hook(lambda *_, name=name: names.append(name))
        for name, layer in network.named_modules()
        if not list(layer.children())
    ]
    with torch.inference_mode():
        network(random_images(1, 64), stages)
    for handle in handles:
        handle.remove()
    return names


@pytest.mark.parametrize(
    ("stages", "layers"),
    [
        (["conv1"], 2), (["conv2"], 5), (["conv3"], 8), (["conv4"], 10), (["conv5"], 12),
        (["conv5", "conv1"], 12), (["pool5"], 13), (["fc6"], 13 + 1 + 3), (["fc7"], 13 + 1 + 6),
        (["pooled", "fc7", "fc6"], 13 + 1 + 6),
    ],
)  # fmt: skip
def test_only_the_layers_that_a_stage_needs_are_run(
    network: AlexNetBackbone, stages: list[str], layers: int
) -> None:
    every = [f"features.{n}" for n in range(13)] + ["avgpool"]
    every += [f"classifier.{n}" for n in range(6)]
    assert ran(network, stages) == every[:layers]


def test_the_order_and_choice_of_stages_does_not_change_a_map(network: AlexNetBackbone) -> None:
    images = random_images(1, 64)
    with torch.inference_mode():
        every = network(images, list(STAGES))
        backwards = network(images, list(STAGES)[::-1])
        alone = {stage: network(images, [stage])[stage] for stage in STAGES}
    assert list(backwards) == list(STAGES)[::-1]
    assert all(torch.equal(backwards[stage], every[stage]) for stage in STAGES)
    assert all(torch.equal(alone[stage], every[stage]) for stage in STAGES)
    assert torch.equal(every["pooled"], every["fc7"])
    assert network(images, []) == {}


def test_dropout_in_training_mode_stands_before_the_linear_layers(network: AlexNetBackbone) -> None:
    images = random_images(1, 64)
    assert not network.training
    with torch.inference_mode():
        quiet = network(images, ["pool5", "fc6"])
        network.train()
        torch.manual_seed(0)
        noisy = network(images, ["pool5", "fc6", "fc7"])
        network.eval()
    assert torch.equal(noisy["pool5"], quiet["pool5"])
    assert not torch.equal(noisy["fc6"], quiet["fc6"])
    for stage in ("fc6", "fc7"):  # half of a ReLU's values are above 0, and all of them are kept
        assert (noisy[stage] != 0).float().mean() == pytest.approx(0.5, abs=0.1), stage


def test_every_parameter_up_to_a_stage_gets_a_gradient(network: AlexNetBackbone) -> None:
    network(random_images(1, 64), ["fc7"])["fc7"].square().sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in network.parameters())
    network.zero_grad()


def test_a_network_of_the_convolutions_alone_needs_no_classifier() -> None:
    with torch.device("meta"):
        network = AlexNetBackbone(resolve("alexnet", "none", 0))
        del network.classifier
        assert network(torch.empty(1, 3, 224, 224), ["conv5"])["conv5"].shape == (1, 256, 13, 13)
    assert sum(p.numel() for p in network.parameters()) == CONVOLUTIONS


def light(*shape: int) -> Tensor:
    """Return a tensor of a shape that takes no place in a file."""
    return torch.zeros(1).expand(shape)


@pytest.fixture(scope="module")
def names() -> State:
    """Return torchvision's names and shapes."""
    with torch.device("meta"):
        return {n: light(*t.shape) for n, t in alexnet(weights=None).state_dict().items()}


def without(*names: str) -> Callable[[State], State]:
    return lambda state: {name: tensor for name, tensor in state.items() if name not in names}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (without("features.10.bias"),
         "1 tensors are missing (features.10.bias …), 0 are not the model's"),
        (lambda state: state | {"features.1.weight": light(64)},
         "0 tensors are missing, 1 are not the model's (features.1.weight …)"),
        (lambda state: state | {"features.0.weight": light(96, 3, 11, 11)},
         "features.0.weight has shape (96, 3, 11, 11), expected (64, 3, 11, 11)"),
        (lambda state: {f"module.{n}": t for n, t in state.items()},
         "14 tensors are missing (features.0.weight …), 16 are not the model's (module.features.0"),
        (lambda state: state | {"features.0.bias": 3}, "features.0.bias is 3, not a tensor"),
        (lambda _: {}, "14 tensors are missing"),
        (lambda _: {"state_dict": 3}, "holds no tensors by name"),
    ],
)  # fmt: skip
def test_a_file_that_does_not_fit_is_refused_in_one_line(
    tmp_path: Path, names: State, change: Callable[[State], State], expected: str
) -> None:
    file = tmp_path / "wrong.pth"
    torch.save(change(names), file)
    with pytest.raises(WeightsError) as caught:
        AlexNetBackbone(resolve("alexnet", str(file), 0))
    assert str(caught.value).startswith(str(file))
    assert expected in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_classifier_may_be_there_or_not(
    tmp_path: Path, names: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    # what is loaded is seen on the way in, without a quarter of a gigabyte for each
    loaded: list[State] = []
    monkeypatch.setattr(AlexNetBackbone, "to_empty", lambda self, **_: self)
    monkeypatch.setattr(AlexNetBackbone, "load_state_dict", lambda _, state: loaded.append(state))
    for state in (names, without("classifier.6.weight", "classifier.6.bias")(names)):
        file = tmp_path / "weights.pth"
        torch.save(state, file)
        network = AlexNetBackbone(resolve("alexnet", str(file), 0))
        expected = {name: tensor.shape for name, tensor in network.state_dict().items()}
        assert len(expected) == 14
        assert {name: tensor.shape for name, tensor in loaded.pop().items()} == expected


def test_an_unknown_stage_gets_the_nearest_name(network: AlexNetBackbone) -> None:
    with pytest.raises(UnknownNameError, match=r"stage of alexnet 'conv-5'.*conv5"):
        network(random_images(1, 64), ["conv-5"])


def test_the_facts_are_those_that_torchvision_states() -> None:
    stated = AlexNet_Weights.IMAGENET1K_V1
    assert stated.url == backbone_sources.ALEXNET_URL
    assert f"-{backbone_sources.ALEXNET_SHA256}.pth" in stated.url
    found, expected = resolve("alexnet", "none", 0).preprocessing, stated.transforms()
    assert ([found.size], [round(found.size / found.crop)]) == (
        expected.crop_size, expected.resize_size,
    )  # fmt: skip
    assert (list(found.mean), list(found.std)) == (expected.mean, expected.std)
    assert (found.interpolation, found.fit) == (expected.interpolation.value, "crop")


def fail(error: Exception) -> Callable[..., None]:
    def download(*_: object, **__: object) -> None:
        raise error

    return download


@pytest.mark.parametrize(
    "error",
    [URLError("Name or service\nnot known"), TimeoutError("timed out"), PermissionError(13)],
)
def test_published_weights_out_of_reach_end_in_one_line_with_both_ways_out(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    monkeypatch.setattr(torch.hub, "download_url_to_file", fail(error))
    with pytest.raises(WeightsError) as caught:
        resolve("alexnet", "pretrained", 0)
    assert str(caught.value) == (
        "the weights of alexnet cannot be downloaded from "
        f"https://download.pytorch.org/models/{FILE} ({type(error).__name__}); "
        "give a file with --weights FILE.safetensors, or take another --backbone"
    )


def test_weights_in_the_cache_are_loaded_without_a_network(
    published: State, of_torchvision: nn.Module, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path))
    monkeypatch.setattr(torch.hub, "download_url_to_file", fail(AssertionError("asked")))
    file = tmp_path / "weights" / FILE
    file.parent.mkdir()
    torch.save(published, file)
    source = resolve("alexnet", "pretrained", 0)
    assert (source.weights.source, source.weights.path) == (f"torchvision/{file.stem}", file)
    assert source.weights.digest == fingerprints.of_file(file)
    assert source.weights.trained_on == "ImageNet-1k, supervised"
    images = random_images(1, 64)
    with torch.inference_mode():
        found = AlexNetBackbone(source)(images, ["fc7"])["fc7"].flatten(1)
    file.unlink()
    assert torch.equal(found, outputs(of_torchvision, images, {"fc7": "classifier.5"})["fc7"])


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a file in the place of the published one, at an address that needs no network."""
    file = tmp_path / FILE
    file.write_bytes(b"read when the network is built")
    monkeypatch.setattr(backbone_sources, "ALEXNET_URL", file.as_uri())
    return file


def test_a_download_lies_in_the_cache_and_is_asked_for_once(
    served: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    content = served.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    monkeypatch.setattr(backbone_sources, "ALEXNET_SHA256", digest[:8])
    found = resolve("alexnet", "pretrained", 0).weights
    assert found.path == cache_folder() / "weights" / FILE
    assert found.path.read_bytes() == content
    assert list(found.path.parent.iterdir()) == [found.path]
    served.unlink()
    assert resolve("alexnet", "pretrained", 0).weights == found
    assert capfd.readouterr() == ("", "")


def test_a_download_of_other_bytes_is_refused_and_leaves_nothing(served: Path) -> None:
    with pytest.raises(WeightsError, match=r"downloaded from file:.*\(RuntimeError\); give a file"):
        resolve("alexnet", "pretrained", 0)
    assert not list((cache_folder() / "weights").iterdir())


def test_the_facts_need_no_torch() -> None:
    code = (
        "import sys; from bench.builtins.backbone_sources import resolve; "
        "resolve('alexnet', 'none', 0); print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
