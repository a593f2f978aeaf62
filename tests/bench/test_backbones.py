from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import timm
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from bench import fingerprints
from bench.builtins.backbone_sources import LITE0, resolve
from bench.builtins.backbones import POOLED, TimmBackbone, load_weights
from bench.errors import UnknownNameError, UserError, WeightsError
from bench.images import decode, resize_and_crop
from bench.plugins import Registry

NAMES = ["resnet18", "mobilenetv3_small_050", "vgg11", "vit_tiny_patch16_224",
         "tf_efficientnet_lite0"]  # fmt: skip
TINY = "timm:mobilenetv3_small_050"


def backbone(name: str, weights: str = "none", seed: int = 0) -> TimmBackbone:
    return TimmBackbone(resolve(name, weights, seed))


@cache
def randomly_weighted(name: str) -> TimmBackbone:
    """Return a backbone that no test may change: the large ones take long to build."""
    return backbone(f"timm:{name}")


def random_images(count: int, size: int = 224) -> Tensor:
    return torch.randn((count, 3, size, size), generator=torch.Generator().manual_seed(1))


def same_weights(first: torch.nn.Module, second: torch.nn.Module) -> bool:
    pairs = zip(first.state_dict().values(), second.state_dict().values(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


@pytest.mark.parametrize("name", NAMES)
def test_every_stage_has_the_channels_and_the_stride_it_states(name: str) -> None:
    network = randomly_weighted(name)
    names = list(network.stages)
    assert len(names) > 2
    with torch.inference_mode():
        maps = network(random_images(2), names)
    assert sorted(maps) == sorted(names)
    for stage, facts in network.stages.items():
        side = 1 if facts.stride is None else 224 // facts.stride
        assert maps[stage].shape == (2, facts.channels, side, side), stage


@pytest.mark.parametrize("name", NAMES)
def test_the_order_and_choice_of_stages_does_not_change_a_map(name: str) -> None:
    network = randomly_weighted(name)
    names = [stage for stage in network.stages if stage != POOLED]
    first, last = names[0], names[-1]
    images = random_images(1)
    with torch.inference_mode():
        every = network(images, names)
        assert torch.equal(network(images, [last])[last], every[last])
        backwards = network(images, [POOLED, last, first])
    assert torch.equal(backwards[first], every[first])
    assert torch.equal(backwards[last], every[last])


@pytest.mark.parametrize("name", NAMES)
def test_pooled_is_what_the_classifier_of_timm_sees(name: str) -> None:
    network = randomly_weighted(name)
    torch.manual_seed(5)
    model = timm.create_model(name, pretrained=False)
    model.load_state_dict(network.model.state_dict())
    model.eval()
    images = random_images(2)
    with torch.inference_mode():
        expected = model.forward_head(model.forward_features(images), pre_logits=True)
        pooled = network(images, [POOLED])[POOLED]
        logits = network.classify(images)
        assert torch.equal(pooled[:, :, 0, 0], expected)
        # maps beside it cost nothing more: all comes of one pass
        *_, last, _ = network.stages
        passes = []
        first = next(layer for layer in network.model.modules() if isinstance(layer, nn.Conv2d))
        handle = first.register_forward_hook(lambda *_: passes.append(1))
        beside = network(images, [last, POOLED])
        handle.remove()
        assert torch.equal(beside[POOLED], pooled)
        assert torch.equal(beside[last], network(images, [last])[last])
        assert len(passes) == 1
        assert torch.equal(logits, model(images))
    assert expected.std() > 0


@pytest.mark.parametrize("name", NAMES)
def test_the_preprocessing_is_the_one_that_timm_states(name: str) -> None:
    stated = timm.data.resolve_data_config(pretrained_cfg=timm.get_pretrained_cfg(name).to_dict())
    found = resolve(f"timm:{name}", "none", 0).preprocessing
    assert (3, found.size, found.size) == stated["input_size"]
    assert found.crop == stated["crop_pct"]
    assert found.interpolation == stated["interpolation"]
    assert (found.mean, found.std) == (stated["mean"], stated["std"])


def test_random_weights_depend_on_the_seed_alone() -> None:
    torch.manual_seed(123)
    first = backbone(TINY, seed=3)
    torch.manual_seed(456)
    assert same_weights(first, backbone(TINY, seed=3))
    assert not same_weights(first, backbone(TINY, seed=4))


def test_building_a_backbone_leaves_the_random_numbers_of_torch_alone() -> None:
    torch.manual_seed(7)
    expected = torch.rand(4)
    torch.manual_seed(7)
    backbone(TINY, seed=3)
    assert torch.equal(torch.rand(4), expected)


# Photographs that show one garment clearly, and the ImageNet classes that name it.
PHOTOGRAPHS = {
    "shoes/2174d585": {774},  # sandal
    "shoes/16fd381e": {514},  # cowboy boot
    "shoes/132e5fa5": {514, 630},  # cowboy boot, loafer
    "shoes/20209905": {770, 630},  # running shoe, loafer
    "t-shirt/259f2358": {610},  # jersey, T-shirt
    "t-shirt/0af4203f": {610},
    "t-shirt/39262aa5": {610},
    "pants/122f0c94": {608},  # jean
    "pants/2884d941": {608},
    "pants/046d0a65": {608, 834},  # jean, suit
    "skirt/491982c3": {655, 608},  # miniskirt, jean (it is of denim)
    "skirt/0558b2c5": {655},
    "skirt/32b99302": {655},
    "hat/ff62e59f": {808, 515},  # sombrero, cowboy hat
    "dress/35f157d0": {578},  # gown
    "dress/4ceed2f1": {578, 689},  # gown, overskirt
}


@pytest.fixture(scope="module")
def photograph_pixels(photographs: Path) -> Tensor:
    from bench_clothing.reader import Clothing

    root = Clothing("clothing").find(photographs)
    assert root is not None
    preprocessing = resolve(LITE0, "pretrained", 0).preprocessing
    pixels = []
    for name in PHOTOGRAPHS:
        (path,) = root.glob(f"test/{name}*.jpg")
        pixels.append(resize_and_crop(decode(path), preprocessing))
    mean, std = (torch.tensor(v).view(3, 1, 1) for v in (preprocessing.mean, preprocessing.std))
    return (torch.stack(pixels).float() / 255 - mean) / std


def require_plausible(network: TimmBackbone, images: Tensor) -> None:
    """Assert that the classifier knows the garments; a swap of two layers is not let through.

    Measured with the right weights: all 16 among the first five, 14 first, and 0.66 of the
    probability on the classes above. With the mildest of all swaps of two convolutions of one shape
    it is 16, 13 and 0.57.
    """
    with torch.inference_mode():
        probability = network.classify(images).softmax(dim=1)
    best = dict(zip(PHOTOGRAPHS, probability.topk(5).indices.tolist(), strict=True))
    among_five = [bool({*best[name]} & classes) for name, classes in PHOTOGRAPHS.items()]
    first = [best[name][0] in classes for name, classes in PHOTOGRAPHS.items()]
    rows = zip(probability, PHOTOGRAPHS.values(), strict=True)
    mass = [float(row[sorted(classes)].sum()) for row, classes in rows]
    assert all(among_five), best
    assert sum(first) >= 13, best
    assert np.mean(mass) > 0.63


@pytest.mark.photographs
def test_the_packaged_weights_classify_photographs_of_clothes(photograph_pixels: Tensor) -> None:
    require_plausible(backbone(LITE0, "pretrained"), photograph_pixels)


@pytest.mark.photographs
@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("blocks.3.1.conv_pw.weight", "blocks.3.2.conv_pw.weight"),
        ("blocks.3.1.conv_pwl.weight", "blocks.3.2.conv_pwl.weight"),
        ("blocks.4.1.conv_dw.weight", "blocks.4.2.conv_dw.weight"),
        ("blocks.5.1.conv_pw.weight", "blocks.5.2.conv_pw.weight"),
        ("blocks.2.1.bn3.bias", "blocks.2.1.bn3.running_mean"),
    ],
)
def test_a_swap_of_two_tensors_of_one_shape_would_be_noticed(
    photograph_pixels: Tensor, first: str, second: str
) -> None:
    network = backbone(LITE0, "pretrained")
    state = network.model.state_dict()
    assert state[first].shape == state[second].shape
    network.model.load_state_dict(state | {first: state[second].clone(),
                                           second: state[first].clone()})  # fmt: skip
    with pytest.raises(AssertionError):
        require_plausible(network, photograph_pixels)


@pytest.fixture(scope="module")
def state() -> dict[str, Tensor]:
    """Return right tensors for `TINY`, of another seed than the tests use."""
    return {n: t.contiguous() for n, t in backbone(TINY, seed=99).model.state_dict().items()}


def test_a_safetensors_file_is_loaded_and_changes_the_output(
    tmp_path: Path, state: dict[str, Tensor]
) -> None:
    file = tmp_path / "mine.safetensors"
    save_file(state, file)
    source = resolve(TINY, str(file), 0)
    assert source.weights.digest == fingerprints.of_file(file)
    loaded, random = TimmBackbone(source), backbone(TINY)
    images = random_images(1)
    with torch.inference_mode():
        assert same_weights(loaded, backbone(TINY, seed=99))
        assert not torch.equal(loaded(images, [POOLED])[POOLED], random(images, [POOLED])[POOLED])


@pytest.mark.parametrize("wrapped", [False, True])
def test_a_pytorch_file_of_tensors_alone_is_loaded(
    tmp_path: Path, state: dict[str, Tensor], wrapped: bool
) -> None:
    file = tmp_path / "mine.pth"
    torch.save({"state_dict": state} if wrapped else state, file)
    assert same_weights(backbone(TINY, str(file)), backbone(TINY, seed=99))


def test_tensors_are_matched_by_name_in_a_file_of_another_order(tmp_path: Path) -> None:
    # a safetensors file keeps no order, so nothing may rest on it
    right = backbone(LITE0, "pretrained")
    file = tmp_path / "reversed.safetensors"
    save_file(dict(reversed(right.model.state_dict().items())), file)
    assert same_weights(backbone(LITE0, str(file)), right)
    renamed = {f"module.{n}": t for n, t in right.model.state_dict().items()}
    save_file(renamed, file)
    with pytest.raises(WeightsError, match="does not fit"):
        backbone(LITE0, str(file))


def _without_one(state: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor for name, tensor in state.items() if name != "conv_stem.weight"}


def _wrong_shape(state: dict[str, Tensor]) -> dict[str, Tensor]:
    return state | {"conv_stem.weight": state["conv_stem.weight"][:, :2].contiguous()}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (_without_one, r"1 tensors are missing \(conv_stem.weight"),
        (_wrong_shape, r"conv_stem.weight has shape \(16, 2, 3, 3\), expected \(16, 3, 3, 3\)"),
        (lambda state: state | {"extra.weight": torch.ones(2)}, "1 are not the model's"),
        (lambda state: {}, "tensors are missing"),
    ],
)
@pytest.mark.parametrize("kind", ["safetensors", "pth"])
def test_tensors_that_do_not_fit_are_refused_in_one_line(
    tmp_path: Path,
    state: dict[str, Tensor],
    kind: str,
    change: Callable[[dict[str, Tensor]], dict[str, Tensor]],
    expected: str,
) -> None:
    file = tmp_path / f"wrong.{kind}"
    if kind == "safetensors":
        save_file(change(state), file)
    else:
        torch.save(change(state), file)
    with pytest.raises(WeightsError, match=expected) as caught:
        backbone(TINY, str(file))
    assert str(file) in str(caught.value)
    assert "\n" not in str(caught.value)


class Payload:
    """A pickle that creates a file when it is loaded."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.file,)


def test_a_pickle_with_code_is_refused_and_its_code_is_not_run(tmp_path: Path) -> None:
    proof = tmp_path / "executed"
    plain = tmp_path / "plain.pkl"
    plain.write_bytes(pickle.dumps(Payload(proof)))
    pickle.loads(plain.read_bytes())  # noqa: S301 (proves that the payload works)
    assert proof.exists()
    proof.unlink()

    saved = tmp_path / "saved.pth"
    torch.save({"conv_stem.weight": Payload(proof)}, saved)
    for file in (plain, saved):
        with pytest.raises(WeightsError, match="more than tensors") as caught:
            backbone(TINY, str(file))
        assert "\n" not in str(caught.value)
        assert not proof.exists()


@pytest.mark.parametrize("name", ["wrong.safetensors", "wrong.pth"])
@pytest.mark.parametrize("content", [b"", b"not weights at all", b"\x00" * 4096])
def test_a_file_that_holds_no_weights_is_refused_in_one_line(
    tmp_path: Path, name: str, content: bytes
) -> None:
    file = tmp_path / name
    file.write_bytes(content)
    with pytest.raises(WeightsError) as caught:
        backbone(TINY, str(file))
    assert str(file) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_values_that_are_no_tensors_are_refused(tmp_path: Path, state: dict[str, Tensor]) -> None:
    file = tmp_path / "numbers.pth"
    torch.save(dict.fromkeys(state, 3), file)
    with pytest.raises(WeightsError, match=r"conv_stem.weight"):
        backbone(TINY, str(file))


def test_an_absent_file_is_named_with_what_was_expected(tmp_path: Path) -> None:
    file = tmp_path / "absent.safetensors"
    with pytest.raises(WeightsError, match="no such file; expected pretrained, none, or") as caught:
        resolve(TINY, str(file), 0)
    assert str(file) in str(caught.value)


RESOLVE = """
import time
from bench.builtins.backbone_sources import resolve
from bench.errors import WeightsError
from huggingface_hub import constants
time.sleep = lambda seconds: None  # the hub's library waits between its attempts
for constants.HF_HUB_OFFLINE in (False, True):
    try:
        resolve("timm:resnet18", "pretrained", 0)
    except WeightsError as error:
        print(error)
"""


def test_weights_that_cannot_be_downloaded_end_in_one_line_with_both_ways_out(
    tmp_path: Path,
) -> None:
    # a process of its own: the hub's library reads its address once, at its import
    environment = os.environ | {
        "HF_HOME": str(tmp_path), "HF_HUB_CACHE": str(tmp_path), "HF_HUB_OFFLINE": "0",
        "HF_ENDPOINT": "http://127.0.0.1:9",
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", RESOLVE], env=environment, capture_output=True, text=True,
        timeout=100, check=True,
    )  # fmt: skip
    lines = done.stdout.splitlines()
    assert len(lines) == 2, "where nobody answers, and offline"
    for line in lines:
        assert "timm:resnet18 cannot be downloaded from timm/resnet18.a1_in1k" in line
        assert "--weights FILE" in line
        assert "another --backbone" in line


def test_weights_in_the_cache_of_the_hub_are_loaded_without_a_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = tmp_path / "models--timm--resnet18.a1_in1k"
    file = repository / "snapshots" / ("0" * 40) / "model.safetensors"
    file.parent.mkdir(parents=True)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text("0" * 40)
    published = backbone("timm:resnet18", seed=11)
    save_file(published.model.state_dict(), file)

    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    source = resolve("timm:resnet18", "pretrained", 0)
    assert source.weights.source == "timm/resnet18.a1_in1k"
    assert source.weights.digest == fingerprints.of_file(file)
    assert same_weights(TimmBackbone(source), published)


def test_an_unknown_timm_model_or_tag_gets_the_nearest_name() -> None:
    with pytest.raises(UnknownNameError, match=r"unknown timm model 'resnet81'.*resnet18"):
        resolve("timm:resnet81", "none", 0)
    with pytest.raises(UnknownNameError, match=r"resnet18.a1_in1k"):
        resolve("timm:resnet18.a1_in2k", "pretrained", 0)


def test_a_timm_model_without_its_prefix_is_no_backbone() -> None:
    with pytest.raises(UserError, match="unknown backbone 'resnet18'"):
        Registry.load().backbone_source("resnet18", "none", 0)


def test_an_unknown_stage_gets_the_nearest_name() -> None:
    network = backbone("timm:resnet18")
    with pytest.raises(UnknownNameError, match=r"stage of timm:resnet18 'layer9'.*layer4"):
        network(random_images(1, 64), ["layer9"])


def test_the_name_of_a_file_does_not_decide_whose_weights_they_are(tmp_path: Path) -> None:
    packaged = resolve(LITE0, "pretrained", 0).weights.path
    assert packaged is not None
    copy = tmp_path / "copied.pth"
    copy.write_bytes(packaged.read_bytes())
    source = resolve(LITE0, str(copy), 0)
    assert same_weights(TimmBackbone(source), backbone(LITE0, "pretrained"))
    renamed = replace(source, name="timm:tf_efficientnet_lite0")
    with pytest.raises(WeightsError, match="does not fit"):  # its names are another library's
        TimmBackbone(renamed)


def test_loading_replaces_every_tensor(tmp_path: Path, state: dict[str, Tensor]) -> None:
    file = tmp_path / "all.safetensors"
    save_file({name: torch.full_like(tensor, 3) for name, tensor in state.items()}, file)
    network = timm.create_model("mobilenetv3_small_050", pretrained=False)
    load_weights(network, file)
    assert all(bool((tensor == 3).all()) for tensor in network.state_dict().values())
    assert load_file(file).keys() == network.state_dict().keys()
