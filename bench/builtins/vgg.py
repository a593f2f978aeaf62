"""VGG16 with the stages that papers name, from conv1_2 to fc7."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import nullcontext
from pathlib import Path

import torch
from torch import Tensor, nn
from torchvision.models import vgg16

from bench.builtins.backbones import POOLED, read_weights, require_fit
from bench.builtins.sequence import SequenceBackbone
from bench.interfaces import BackboneSource, Stage

# The classifier of ImageNet's 1,000 classes, as torchvision and as timm name it.
CLASSIFIER = {"classifier.6.weight", "classifier.6.bias", "head.fc.weight", "head.fc.bias"}


class VGG16Backbone(SequenceBackbone):
    """Configuration D of Simonyan and Zisserman (2015), with torchvision's layers and their names.

    A stage of the convolutions is what stands after the ReLU and, but for `pool5`, before the
    pooling. `fc6` and `fc7` are vectors as maps of 1 x 1, after the ReLU and, in training mode,
    after the dropout of 0.5: what the next layer sees. They need a map of 7 x 7, which 224 pixels
    give; maps of other images are averaged to it, as torchvision does. `pooled` is `fc7`, what the
    classifier sees. Only the layers that the stages asked for need are run, so a network of the
    convolutions alone may delete `classifier`.

    The convolutions have 14,714,688 parameters, with fc6 and fc7 they are 134,260,544. The
    classifier of ImageNet's 1,000 classes belongs to the published weights but not to any stage:
    it is no part of this module, and where a file of weights has it, it is passed over.
    """

    def __init__(self, source: BackboneSource) -> None:
        super().__init__()
        self.source = source
        self.stages: Mapping[str, Stage] = {
            "conv1_2": Stage(64, 1),
            "conv2_2": Stage(128, 2),
            "conv3_3": Stage(256, 4),
            "conv4_3": Stage(512, 8),
            "conv5_3": Stage(512, 16),
            "pool5": Stage(512, 32),
            "fc6": Stage(4096, None),
            "fc7": Stage(4096, None),
            POOLED: Stage(4096, None),
        }
        path = source.weights.path
        # where a file gives the values none are drawn: that would take seconds
        with torch.random.fork_rng(devices=[]), torch.device("meta") if path else nullcontext():
            torch.default_generator.manual_seed(source.weights.seed)
            network = vgg16(weights=None)
        self.features = network.features
        self.avgpool = network.avgpool
        self.classifier = network.classifier[:6]
        if path:
            self._load(path)
        self.eval()

    def blocks(self) -> Iterator[tuple[str, Iterable[nn.Module]]]:
        """Yield each stage with the layers that lead to it from the one before."""
        yield "conv1_2", self.features[:4]
        yield "conv2_2", self.features[4:9]
        yield "conv3_3", self.features[9:16]
        yield "conv4_3", self.features[16:23]
        yield "conv5_3", self.features[23:30]
        yield "pool5", self.features[30:]
        yield "fc6", [self.avgpool, nn.Flatten(), *self.classifier[:3]]
        yield "fc7", self.classifier[3:]

    def _load(self, path: Path) -> None:
        """Take the values of a file with torchvision's or timm's names and shapes.

        Raises `WeightsError` in one line where it has neither. The classifier is passed over.
        """
        own = self.state_dict()
        state = {n: value for n, value in read_weights(path).items() if n not in CLASSIFIER}
        expected = max(own, _as_timm(own), key=lambda known: len(known.keys() & state.keys()))
        require_fit(path, state, expected)
        self.to_empty(device="cpu")
        self.load_state_dict(
            {
                name: state[theirs].reshape(own[name].shape)
                for name, theirs in zip(own, expected, strict=True)
            }
        )


def _as_timm(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the same tensors, in the same order, with timm's names and shapes.

    In timm fc6 and fc7 are convolutions; their weights have the same values in the same order.
    """
    named = {name: tensor for name, tensor in state.items() if name.startswith("features.")}
    for ours, theirs, shape in (
        ("classifier.0", "pre_logits.fc1", (4096, 512, 7, 7)),
        ("classifier.3", "pre_logits.fc2", (4096, 4096, 1, 1)),
    ):
        named[f"{theirs}.weight"] = state[f"{ours}.weight"].reshape(shape)
        named[f"{theirs}.bias"] = state[f"{ours}.bias"]
    return named
