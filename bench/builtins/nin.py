"""The sub-network of DARN: five convolutions with MLPConv layers, two fully connected layers."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import torch
from torch import nn

from bench.builtins.backbones import POOLED, read_weights, require_fit
from bench.builtins.sequence import SequenceBackbone
from bench.errors import WeightsError
from bench.interfaces import BackboneSource, Stage

NIN, NIN_TWO = "nin", "nin-two"
# MLPConv layers behind each convolution: as DARN's text has them, and two everywhere as in NIN.
MLPCONV = {NIN: (1, 1, 1, 2, 1), NIN_TWO: (2, 2, 2, 2, 2)}
FILTERS = (96, 256, 384, 512, 1024)
FLAT = 6  # fc1 sees a map of 6 x 6, which 224 pixels give
WIDTH = 4096
# What the public network of four convolutions (Lin, Chen, Yan 2014) calls the layers that are also
# ours: its fourth convolution has 1,024 filters where DARN's has 512.
PUBLIC = {
    f"conv{number}.{layer}": name
    for number, names in enumerate((("conv1", "cccp1", "cccp2"), ("conv2", "cccp3", "cccp4"),
                                    ("conv3", "cccp5", "cccp6")), start=1)
    for layer, name in zip(("conv", "mlpconv1", "mlpconv2"), names, strict=True)
}  # fmt: skip
PUBLIC_ONLY = {
    f"{name}.{kind}"
    for name in ("conv4-1024", "cccp7-1024", "cccp8-1024")
    for kind in ("weight", "bias")
}


class NINBackbone(SequenceBackbone):
    """Network-in-Network with a fifth convolution and two fully connected layers (DARN, 4.1).

    The paper leaves the numbers of filters to a figure. Its 17,920 dimensions of FC1, Conv4 and
    Conv5, the last two pooled to 3 x 3, are 4096 + 9 · (512 + 1024). A stage `conv1` … `conv5` is
    what stands after the ReLU of its last MLPConv layer, a convolution of 1 x 1; `pool5` is
    `conv5` after max-pooling; `fc1` and `fc2` are vectors as maps of 1 x 1, after the ReLU and, in
    training mode, after the dropout of 0.5; `pooled` is `fc2`. Maps of other images than 224 pixels
    are averaged to the 6 x 6 that fc1 sees. A network of the convolutions alone may delete
    `classifier`.

    Pooling rounds sizes up, as in Caffe, where both networks come from: 224 pixels give maps of 54,
    27, 13, 13, 13 and, for `pool5`, 6.
    """

    conv1: nn.Sequential
    conv2: nn.Sequential
    conv3: nn.Sequential
    conv4: nn.Sequential
    conv5: nn.Sequential

    def __init__(self, source: BackboneSource) -> None:
        super().__init__()
        self.source = source
        widths = dict(zip((f"conv{number}" for number in range(1, 6)), FILTERS, strict=True))
        strides = (4, 8, 16, 16, 16)
        self.stages: Mapping[str, Stage] = {
            **{
                name: Stage(width, stride)
                for (name, width), stride in zip(widths.items(), strides, strict=True)
            },
            "pool5": Stage(FILTERS[-1], 32),
            **{name: Stage(WIDTH, None) for name in ("fc1", "fc2", POOLED)},
        }
        path = source.weights.path
        state = read_weights(path) if path else {}
        public = "cccp1.weight" in state
        if public and source.name != NIN_TWO:
            raise WeightsError(
                f"{path} has two MLPConv layers after each convolution, {source.name} has not; "
                f"take --backbone {NIN_TWO}"
            )
        # where a file gives all values none are drawn: that would take seconds
        nowhere = torch.device("meta") if path and not public else nullcontext()
        with torch.random.fork_rng(devices=[]), nowhere:
            torch.default_generator.manual_seed(source.weights.seed)
            before = 3
            for number, (name, width) in enumerate(widths.items()):
                kernel, stride, padding = ((11, 4, 0), (5, 1, 2), *[(3, 1, 1)] * 3)[number]
                first = nn.Conv2d(before, width, kernel, stride, padding)
                setattr(self, name, _block(first, MLPCONV[source.name][number]))
                before = width
            self.pool = nn.MaxPool2d(3, 2, ceil_mode=True)
            self.average = nn.AdaptiveAvgPool2d(FLAT)
            self.classifier = nn.Sequential(
                nn.Linear(FILTERS[-1] * FLAT**2, WIDTH), nn.ReLU(), nn.Dropout(),
                nn.Linear(WIDTH, WIDTH), nn.ReLU(), nn.Dropout(),
            )  # fmt: skip
        if path:
            self._load(path, state, public=public)
        self.eval()

    def blocks(self) -> Iterator[tuple[str, Iterable[Any]]]:
        """Yield each stage with the layers that lead to it from the one before."""
        yield "conv1", self.conv1
        yield "conv2", [self.pool, *self.conv2]
        yield "conv3", [self.pool, *self.conv3]
        yield "conv4", self.conv4
        yield "conv5", self.conv5
        yield "pool5", [self.pool]
        yield "fc1", [self.average, nn.Flatten(), *self.classifier[:3]]
        yield "fc2", self.classifier[3:]

    def _load(self, path: Path, state: Mapping[str, Any], *, public: bool) -> None:
        """Take the values of a file with our names, or with those of the public network.

        Of the public one, `nin-two` takes the first three convolutions with their MLPConv layers
        and keeps what was drawn for the others. Raises `WeightsError` for anything else.
        """
        own = self.state_dict()
        if public:
            ours = {
                f"{name}.{kind}": f"{theirs}.{kind}"
                for name, theirs in PUBLIC.items()
                for kind in ("weight", "bias")
            }
            state = {name: value for name, value in state.items() if name not in PUBLIC_ONLY}
            expected = {theirs: own[name] for name, theirs in ours.items()}
            require_fit(path, state, expected)
            self.load_state_dict(own | {name: state[theirs] for name, theirs in ours.items()})
            return
        require_fit(path, state, own)
        self.to_empty(device="cpu")
        self.load_state_dict(state)


def _block(first: nn.Conv2d, count: int) -> nn.Sequential:
    """Return a convolution and so many MLPConv layers, each with its ReLU."""
    width = first.out_channels
    layers: OrderedDict[str, nn.Module] = OrderedDict(conv=first, relu=nn.ReLU())
    for number in range(1, count + 1):
        layers[f"mlpconv{number}"] = nn.Conv2d(width, width, 1)
        layers[f"relu{number}"] = nn.ReLU()
    return nn.Sequential(layers)
