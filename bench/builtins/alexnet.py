"""AlexNet with the stages that papers name, from conv1 to fc7."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import nullcontext
from pathlib import Path

import torch
from torch import nn
from torchvision.models import alexnet

from bench.builtins.backbones import POOLED, read_weights, require_fit
from bench.builtins.sequence import SequenceBackbone
from bench.interfaces import BackboneSource, Stage

# The classifier of ImageNet's 1,000 classes, as torchvision names it.
CLASSIFIER = {"classifier.6.weight", "classifier.6.bias"}


class AlexNetBackbone(SequenceBackbone):
    """AlexNet of one column (Krizhevsky, 2014), with torchvision's layers and their names.

    A stage of the convolutions is what stands after the ReLU and, but for `pool5`, before the
    pooling. `fc6` and `fc7` are vectors as maps of 1 x 1, after the ReLU: in torchvision's network
    the dropouts of training mode stand before each linear layer, so they leave a stage whole and
    thin out what the next one sees. fc6 needs a map of 6 x 6, which 224 pixels give; maps of other
    images are averaged to it, as torchvision does. `pooled` is `fc7`, what the classifier sees.
    Only the layers that the stages asked for need are run, so a network of the convolutions alone
    may delete `classifier`.

    Sides are rounded down: 224 pixels give maps of 55, 27, 13, 13, 13 and, for `pool5`, 6. The
    convolutions have 2,469,696 parameters, with fc6 and fc7 they are 57,003,840. The classifier of
    ImageNet's 1,000 classes belongs to the published weights but not to any stage: it is no part of
    this module, and where a file of weights has it, it is passed over.
    """

    def __init__(self, source: BackboneSource) -> None:
        super().__init__()
        self.source = source
        self.stages: Mapping[str, Stage] = {
            "conv1": Stage(64, 4),
            "conv2": Stage(192, 8),
            "conv3": Stage(384, 16),
            "conv4": Stage(256, 16),
            "conv5": Stage(256, 16),
            "pool5": Stage(256, 32),
            "fc6": Stage(4096, None),
            "fc7": Stage(4096, None),
            POOLED: Stage(4096, None),
        }
        path = source.weights.path
        # where a file gives the values none are drawn: that would take a second
        with torch.random.fork_rng(devices=[]), torch.device("meta") if path else nullcontext():
            torch.default_generator.manual_seed(source.weights.seed)
            network = alexnet(weights=None)
        self.features = network.features
        self.avgpool = network.avgpool
        self.classifier = network.classifier[:6]
        if path:
            self._load(path)
        self.eval()

    def blocks(self) -> Iterator[tuple[str, Iterable[nn.Module]]]:
        """Yield each stage with the layers that lead to it from the one before."""
        yield "conv1", self.features[:2]
        yield "conv2", self.features[2:5]
        yield "conv3", self.features[5:8]
        yield "conv4", self.features[8:10]
        yield "conv5", self.features[10:12]
        yield "pool5", self.features[12:]
        yield "fc6", [self.avgpool, nn.Flatten(), *self.classifier[:3]]
        yield "fc7", self.classifier[3:]

    def _load(self, path: Path) -> None:
        """Take the values of a file with torchvision's names and shapes.

        Raises `WeightsError` in one line where it has not. The classifier is passed over.
        """
        state = {n: value for n, value in read_weights(path).items() if n not in CLASSIFIER}
        require_fit(path, state, self.state_dict())
        self.to_empty(device="cpu")
        self.load_state_dict(state)
