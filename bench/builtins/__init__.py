"""The harness's own parts, registered through the same hooks as everybody's.

Facts only; the networks are in the modules beside this one and are imported when they are built.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from bench import hookimpl
from bench.builtins.metrics import register_metrics as register_metrics
from bench.interfaces import (
    BackboneSource,
    BackboneSpec,
    Detector,
    DetectorSpec,
    HeadSpec,
    LossSpec,
    Parts,
    Stage,
)

if TYPE_CHECKING:
    import torch

    from bench.recipes import Recipe


@hookimpl
def register_backbones() -> Iterable[BackboneSpec]:
    """Return the offline default, networks by the names of their papers, and every timm model."""

    def resolve(name: str, weights: str, seed: int) -> BackboneSource:
        from bench.builtins import backbone_sources

        return backbone_sources.resolve(name, weights, seed)

    def build(source: BackboneSource) -> torch.nn.Module:
        from bench.builtins.backbones import TimmBackbone

        return TimmBackbone(source)

    def build_vgg16(source: BackboneSource) -> torch.nn.Module:
        from bench.builtins.vgg import VGG16Backbone

        return VGG16Backbone(source)

    def build_alexnet(source: BackboneSource) -> torch.nn.Module:
        from bench.builtins.alexnet import AlexNetBackbone

        return AlexNetBackbone(source)

    def build_nin(source: BackboneSource) -> torch.nn.Module:
        from bench.builtins.nin import NINBackbone

        return NINBackbone(source)

    return [
        BackboneSpec(
            "efficientnet-lite0",
            "EfficientNet-Lite0 at 224 px; its ImageNet weights come with the installation",
            resolve,
            build,
        ),
        BackboneSpec(
            "vgg16",
            "VGG16 at 224 px, its stages named as papers name them: conv5_3, pool5, fc6, fc7",
            resolve,
            build_vgg16,
        ),
        BackboneSpec(
            "alexnet",
            "AlexNet at 224 px, its stages named as papers name them: conv5, pool5, fc6, fc7",
            resolve,
            build_alexnet,
        ),
        BackboneSpec(
            "nin",
            "DARN's network at 224 px: five convolutions with MLPConv layers, fc1, fc2",
            resolve,
            build_nin,
        ),
        BackboneSpec(
            "nin-two",
            "the same with two MLPConv layers after each; the public NIN's first three fit",
            resolve,
            build_nin,
        ),
        BackboneSpec(
            "timm",
            "any model of timm by its name, as in timm:resnet50",
            resolve,
            build,
            family=True,
        ),
    ]


@hookimpl
def register_heads() -> Iterable[HeadSpec]:
    """Return the heads without parameters of their own."""

    def pooled(kind: str) -> Any:
        def build(stages: Mapping[str, Stage]) -> torch.nn.Module:
            from bench.builtins.heads import Pool

            return Pool(tuple(stages), kind)

        return build

    return [
        HeadSpec("average-pool", "mean over all positions of each map", pooled("average")),
        HeadSpec("max-pool", "maximum over all positions of each map", pooled("max")),
        HeadSpec("flatten", "every position of each map, end to end", pooled("flatten")),
    ]


@hookimpl
def register_losses() -> Iterable[LossSpec]:
    """Return losses that more than one paper uses."""

    def triplet(margin: float) -> torch.nn.Module:
        from bench.builtins.losses import Triplet

        return Triplet(margin)

    def cross_entropy() -> torch.nn.Module:
        from bench.builtins.losses import KnownCrossEntropy

        return KnownCrossEntropy()

    return [
        LossSpec("triplet", "hinge on squared Euclidean distances (anchor, positive, negative)",
                 triplet),
        LossSpec("cross-entropy", "softmax cross-entropy (logits, value), missing values left out",
                 cross_entropy),
    ]  # fmt: skip


@hookimpl
def register_detectors() -> Iterable[DetectorSpec]:
    """Return Faster R-CNN on any backbone."""

    def recipe() -> type[Recipe]:
        from bench.builtins.faster_rcnn import FasterRCNNRecipe

        return FasterRCNNRecipe

    def build(recipe: Recipe, parts: Parts, seed: int) -> Detector:
        from bench.builtins.faster_rcnn import FasterRCNNDetector

        return FasterRCNNDetector(recipe, parts, seed)  # type: ignore[arg-type]

    small = {"backbone": "efficientnet-lite0", "stage": "blocks.4", "size": 256}
    return [
        DetectorSpec(
            "faster-rcnn", "torchvision's Faster R-CNN on a map of any backbone", recipe, build,
            budgets={"mini": {**small, "epochs": 4}, "small": {**small, "epochs": 4}},
        )
    ]  # fmt: skip
