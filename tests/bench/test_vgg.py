"""The backbone `vgg16` against torchvision's and timm's networks of the same weights.

The network has half a gigabyte of parameters: it is made as few times as can be.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
import timm
import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torchvision.models import vgg16

from bench import fingerprints
from bench.builtins.backbone_sources import resolve
from bench.builtins.vgg import VGG16Backbone
from bench.errors import UnknownNameError, WeightsError
from bench.interfaces import Stage
from bench.plugins import Registry

STAGES = {
    "conv1_2": Stage(64, 1), "conv2_2": Stage(128, 2), "conv3_3": Stage(256, 4),
    "conv4_3": Stage(512, 8), "conv5_3": Stage(512, 16), "pool5": Stage(512, 32),
    "fc6": Stage(4096, None), "fc7": Stage(4096, None), "pooled": Stage(4096, None),
}  # fmt: skip
SEED = 5
State = dict[str, Tensor]


def random_images(count: int, size: int) -> Tensor:
    return torch.randn((count, 3, size, size), generator=torch.Generator().manual_seed(1))


@pytest.fixture(scope="module")
def network() -> VGG16Backbone:
    """Return the backbone with weights drawn from `SEED`; torch's own numbers are at 7."""
    torch.manual_seed(7)
    module = Registry.load().backbone(resolve("vgg16", "none", SEED))
    assert isinstance(module, VGG16Backbone)
    expected = torch.rand(4, generator=torch.Generator().manual_seed(7))
    assert torch.equal(torch.rand(4), expected), "building leaves torch's random numbers alone"
    return module


@pytest.fixture(scope="module")
def published(network: VGG16Backbone) -> State:
    """Return other values for every tensor, by torchvision's names; no bias is zero."""
    torch.manual_seed(SEED + 1)
    values = {
        name: tensor.flip(0).neg() if tensor.ndim > 1 else 0.1 * torch.randn(tensor.shape)
        for name, tensor in network.state_dict().items()
    }
    classifier = {"classifier.6.weight": torch.ones(1000, 4096), "classifier.6.bias": torch.ones(1)}
    return values | {name: part.expand(1000, *part.shape[1:]) for name, part in classifier.items()}


@pytest.fixture
def weights(tmp_path: Path) -> Iterator[Callable[[State], str]]:
    """Return a function that saves half a gigabyte of weights; they are removed after the test."""
    file = tmp_path / "published.safetensors"

    def save(state: State) -> str:
        save_file({name: tensor.contiguous() for name, tensor in state.items()}, file)
        return str(file)

    yield save
    file.unlink(missing_ok=True)


def outputs(module: nn.Module, images: Tensor, layers: dict[str, nn.Module]) -> State:
    """Return what `layers` of a network give for the images, by the names given."""
    found: State = {}
    # a copy: the layer after it may work in place
    handles = [
        layer.register_forward_hook(lambda _, __, out, name=name: found.update({name: out.clone()}))
        for name, layer in layers.items()
    ]
    with torch.inference_mode():
        module(images)
    for handle in handles:
        handle.remove()
    return found


def test_every_stage_has_the_channels_and_the_stride_it_states(network: VGG16Backbone) -> None:
    assert network.stages == STAGES
    with torch.inference_mode():
        maps = network(random_images(2, 224), list(STAGES))
    assert list(maps) == list(STAGES)
    for stage, facts in STAGES.items():
        side = 1 if facts.stride is None else 224 // facts.stride
        assert maps[stage].shape == (2, facts.channels, side, side), stage
        assert maps[stage].min() == 0, f"{stage} stands after a ReLU"
        assert maps[stage].max() > 0


def test_images_of_another_size_give_maps_and_vectors(network: VGG16Backbone) -> None:
    with torch.inference_mode():
        maps = network(random_images(1, 96), list(STAGES))
    for stage, facts in STAGES.items():
        side = 1 if facts.stride is None else 96 // facts.stride
        assert maps[stage].shape == (1, facts.channels, side, side), stage


def test_the_parameters_are_as_many_as_the_papers_count(network: VGG16Backbone) -> None:
    assert sum(p.numel() for p in network.features.parameters()) == 14_714_688
    assert sum(p.numel() for p in network.parameters()) == 134_260_544


def test_random_weights_are_drawn_from_the_seed_as_torchvision_draws_them(
    network: VGG16Backbone,
) -> None:
    torch.manual_seed(SEED)
    drawn = vgg16(weights=None).state_dict()
    for name, tensor in network.state_dict().items():
        assert torch.equal(tensor, drawn[name]), name


def ran(network: VGG16Backbone, stages: Sequence[str]) -> list[str]:
    """Return the layers that run for these stages, in order."""
    names: list[str] = []
    handles = [
        layer.register_forward_hook(lambda *_, name=name: names.append(name))
        for name, layer in network.named_modules()
        if not list(layer.children())
    ]
    with torch.inference_mode():
        network(random_images(1, 32), stages)
    for handle in handles:
        handle.remove()
    return names


@pytest.mark.parametrize(
    ("stages", "layers"),
    [
        (["conv1_2"], 4), (["conv2_2"], 9), (["conv3_3"], 16), (["conv4_3"], 23),
        (["conv5_3"], 30), (["conv5_3", "conv1_2"], 30), (["pool5"], 31),
        (["fc6"], 31 + 1 + 3), (["fc7"], 31 + 1 + 6), (["pooled", "fc7", "fc6"], 31 + 1 + 6),
    ],
)  # fmt: skip
def test_only_the_layers_that_the_stages_need_are_run_and_each_once(
    network: VGG16Backbone, stages: list[str], layers: int
) -> None:
    every = [f"features.{n}" for n in range(31)] + ["avgpool"]
    every += [f"classifier.{n}" for n in range(6)]
    assert ran(network, stages) == every[:layers]


def test_the_order_and_choice_of_stages_does_not_change_a_map(network: VGG16Backbone) -> None:
    images = random_images(1, 32)
    with torch.inference_mode():
        every = network(images, list(STAGES))
        backwards = network(images, list(STAGES)[::-1])
        alone = {stage: network(images, [stage])[stage] for stage in ("conv1_2", "conv5_3", "fc6")}
    assert list(backwards) == list(STAGES)[::-1]
    assert all(torch.equal(backwards[stage], every[stage]) for stage in STAGES)
    assert all(torch.equal(alone[stage], every[stage]) for stage in alone)
    assert torch.equal(every["pooled"], every["fc7"])
    assert network(images, []) == {}


def test_dropout_is_active_in_training_mode_alone(network: VGG16Backbone) -> None:
    images = random_images(1, 32)
    assert not network.training
    with torch.inference_mode():
        quiet = network(images, ["conv5_3", "fc6"])
        network.train()
        torch.manual_seed(0)
        noisy = network(images, ["conv5_3", "fc6", "fc7"])
        network.eval()
    assert torch.equal(noisy["conv5_3"], quiet["conv5_3"])
    kept = noisy["fc6"] != 0
    torch.testing.assert_close(noisy["fc6"][kept], 2 * quiet["fc6"][kept])
    for stage in ("fc6", "fc7"):  # half of a ReLU's values are above 0, and half of them are kept
        assert (noisy[stage] != 0).float().mean() == pytest.approx(0.25, abs=0.05), stage
    assert (quiet["fc6"] != 0).float().mean() == pytest.approx(0.5, abs=0.05)


def test_every_parameter_up_to_a_stage_gets_a_gradient(network: VGG16Backbone) -> None:
    network(random_images(1, 32), ["fc7"])["fc7"].square().sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in network.parameters())
    network.zero_grad()


def test_a_network_of_the_convolutions_alone_needs_no_classifier() -> None:
    with torch.device("meta"):
        network = VGG16Backbone(resolve("vgg16", "none", 0))
        del network.classifier
        assert network(torch.empty(1, 3, 64, 64), ["conv5_3"])["conv5_3"].shape == (1, 512, 4, 4)
    assert sum(p.numel() for p in network.parameters()) == 14_714_688


def test_weights_with_the_names_of_torchvision_give_the_numbers_of_torchvision(
    network: VGG16Backbone, published: State, weights: Callable[[State], str]
) -> None:
    loaded = VGG16Backbone(resolve("vgg16", weights(published), 0))
    with torch.device("meta"):
        model = vgg16(weights=None)
    model.to_empty(device="cpu").load_state_dict(published)
    layers = {
        "conv1_2": model.features[3], "conv2_2": model.features[8],
        "conv3_3": model.features[15], "conv4_3": model.features[22],
        "conv5_3": model.features[29], "pool5": model.features[30],
        "fc6": model.classifier[1], "fc7": model.classifier[4],
    }  # fmt: skip
    images = random_images(1, 224)
    expected = outputs(model.eval(), images, layers)
    with torch.inference_mode():
        found = loaded(images, list(STAGES))
        before = network(images, ["conv1_2"])
    for stage, values in expected.items():
        assert torch.equal(found[stage].flatten(1), values.flatten(1)), stage
        assert values.std() > 0
    assert not torch.equal(found["conv1_2"], before["conv1_2"])
    assert not loaded.training
    assert all(parameter.requires_grad for parameter in loaded.parameters())


def test_weights_with_the_names_of_timm_give_the_numbers_of_timm(
    published: State, weights: Callable[[State], str]
) -> None:
    with torch.device("meta"):
        model = timm.create_model("vgg16", pretrained=False)
    state = model.to_empty(device="cpu").eval().state_dict()
    # any values will do: the tensors stand in the order of torchvision's
    for tensor, values in zip(state.values(), published.values(), strict=True):
        tensor.copy_(values.reshape(tensor.shape))
    loaded = VGG16Backbone(resolve("vgg16", weights(state), 0))
    images = random_images(1, 224)
    layers = {"conv5_3": model.features[29], "fc6": model.pre_logits.act1, "fc7": model.pre_logits}
    expected = outputs(model, images, layers)
    with torch.inference_mode():
        found = loaded(images, list(expected))
    assert torch.equal(found["conv5_3"], expected["conv5_3"])
    for stage in ("fc6", "fc7"):  # products by another routine: rounding differs
        torch.testing.assert_close(found[stage], expected[stage], rtol=1e-4, atol=1e-4)
        assert expected[stage].std() > 0.1, "more than the tolerance"


def light(*shape: int) -> Tensor:
    """Return a tensor of a shape that takes no place in a file."""
    return torch.zeros(1).expand(shape)


@pytest.fixture(scope="module")
def torchvision_names() -> State:
    with torch.device("meta"):
        return {n: light(*t.shape) for n, t in vgg16(weights=None).state_dict().items()}


@pytest.fixture(scope="module")
def timm_names() -> State:
    with torch.device("meta"):
        model = timm.create_model("vgg16", pretrained=False)
    return {n: light(*t.shape) for n, t in model.state_dict().items()}


def without(*names: str) -> Callable[[State], State]:
    return lambda state: {name: tensor for name, tensor in state.items() if name not in names}


@pytest.mark.parametrize(
    ("names", "change", "expected"),
    [
        ("torchvision_names", without("features.10.bias"),
         "1 tensors are missing (features.10.bias …), 0 are not the model's"),
        ("torchvision_names", without("classifier.3.bias", "classifier.0.weight"),
         "2 tensors are missing (classifier.0.weight …), 0 are not the model's"),
        ("torchvision_names", lambda state: state | {"features.1.weight": light(64)},
         "0 tensors are missing, 1 are not the model's (features.1.weight …)"),
        ("torchvision_names", lambda state: state | {"features.5.weight": light(128, 64, 5, 5)},
         "features.5.weight has shape (128, 64, 5, 5), expected (128, 64, 3, 3)"),
        ("torchvision_names", lambda state: state | {"classifier.0.weight": light(4096, 512, 7, 7)},
         "classifier.0.weight has shape (4096, 512, 7, 7), expected (4096, 25088)"),
        ("timm_names", without("pre_logits.fc1.weight"),
         "1 tensors are missing (pre_logits.fc1.weight …), 0 are not the model's"),
        ("timm_names", lambda state: state | {"pre_logits.fc1.weight": light(4096, 25088)},
         "pre_logits.fc1.weight has shape (4096, 25088), expected (4096, 512, 7, 7)"),
        ("timm_names", lambda state: state | {"pre_logits.fc2.weight": light(4096, 4096)},
         "pre_logits.fc2.weight has shape (4096, 4096), expected (4096, 4096, 1, 1)"),
        ("timm_names", lambda state: state | {"classifier.3.bias": light(4096)},
         "0 tensors are missing, 1 are not the model's (classifier.3.bias …)"),
        ("timm_names", lambda state: {f"module.{n}": t for n, t in state.items()},
         "30 tensors are missing (features.0.weight …), 32 are not the model's (module.features.0"),
        ("timm_names", lambda state: state | {"features.0.bias": 3},
         "features.0.bias is 3, not a tensor"),
        ("timm_names", lambda _: {}, "30 tensors are missing"),
        ("timm_names", lambda _: {"state_dict": 3}, "holds no tensors by name"),
    ],
)  # fmt: skip
def test_a_file_that_does_not_fit_is_refused_in_one_line_by_its_own_names(
    tmp_path: Path,
    request: pytest.FixtureRequest,
    names: str,
    change: Callable[[State], State],
    expected: str,
) -> None:
    file = tmp_path / "wrong.pth"
    torch.save(change(request.getfixturevalue(names)), file)
    with pytest.raises(WeightsError) as caught:
        VGG16Backbone(resolve("vgg16", str(file), 0))
    assert str(caught.value).startswith(str(file))
    assert expected in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("names", ["torchvision_names", "timm_names"])
def test_the_classifier_may_be_there_or_not(
    tmp_path: Path, request: pytest.FixtureRequest, names: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = request.getfixturevalue(names)
    # what is loaded is seen on the way in, without half a gigabyte for each
    loaded: list[State] = []
    monkeypatch.setattr(VGG16Backbone, "to_empty", lambda self, **_: self)
    monkeypatch.setattr(VGG16Backbone, "load_state_dict", lambda _, state: loaded.append(state))
    classifier = [name for name in given if name.startswith(("classifier.6", "head."))]
    assert len(classifier) == 2
    for state in (given, without(*classifier)(given)):
        file = tmp_path / "weights.pth"
        torch.save(state, file)
        network = VGG16Backbone(resolve("vgg16", str(file), 0))
        expected = {name: tensor.shape for name, tensor in network.state_dict().items()}
        assert {name: tensor.shape for name, tensor in loaded.pop().items()} == expected


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty cache of the hub, which cannot be asked."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    return tmp_path


def test_the_published_weights_are_those_that_timm_publishes(hub: Path) -> None:
    repository = hub / "models--timm--vgg16.tv_in1k"
    file = repository / "snapshots" / ("0" * 40) / "model.safetensors"
    file.parent.mkdir(parents=True)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text("0" * 40)
    file.write_bytes(b"read when the network is built")
    found = resolve("vgg16", "pretrained", 0).weights
    assert (found.source, found.path) == ("timm/vgg16.tv_in1k", file)
    assert found.digest == fingerprints.of_file(file)
    assert found.trained_on == "ImageNet-1k, supervised"


def test_published_weights_out_of_reach_end_in_one_line_with_both_ways_out(hub: Path) -> None:
    with pytest.raises(WeightsError, match=r"vgg16 cannot be .* timm/vgg16.tv_in1k") as caught:
        resolve("vgg16", "pretrained", 0)
    assert "--weights FILE" in str(caught.value)
    assert "another --backbone" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not list(hub.iterdir())


def test_the_preprocessing_is_the_one_that_timm_states() -> None:
    stated = resolve("timm:vgg16.tv_in1k", "none", 0).preprocessing
    assert resolve("vgg16", "none", 0).preprocessing == stated
    assert stated.fit == "crop"


def test_an_unknown_stage_gets_the_nearest_name(network: VGG16Backbone) -> None:
    with pytest.raises(UnknownNameError, match=r"stage of vgg16 'conv5-3'.*conv5_3"):
        network(random_images(1, 32), ["conv5-3"])
