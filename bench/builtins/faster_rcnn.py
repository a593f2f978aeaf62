"""Faster R-CNN, torchvision's, with one kind of thing to find: a garment."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import cast

import numpy as np
import torch
from pydantic import Field
from torch import Tensor, nn
from torchvision.models.detection import FasterRCNN
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.ops import MultiScaleRoIAlign

from bench.detection.boxes import Found, Photograph
from bench.errors import UnknownNameError
from bench.images import decode
from bench.interfaces import Backbone, Parts
from bench.recipes import Recipe

BEST = 20  # boxes of an image that are kept


class FasterRCNNRecipe(Recipe):
    """Which map things are found on, and how that is learnt."""

    backbone: str = Field("timm:resnet50", description="any backbone")
    weights: str = Field("pretrained", description="pretrained, none, or a .safetensors file")
    stage: str = Field("layer3", description="the map of the backbone that is looked at")
    size: int = Field(480, ge=64, description="shorter side of an image in pixels")
    hidden: int = Field(512, ge=1, description="width of the two layers that judge a region")
    epochs: int = Field(12, ge=1, description="how often all photographs are seen")
    batch_size: int = Field(4, ge=1, description="photographs a step")
    learning_rate: float = Field(5e-3, gt=0, description="of SGD, falling to 0 by a cosine")
    weight_decay: float = Field(5e-4, ge=0, description="of SGD")


class _Trunk(nn.Module):
    """One map of a backbone, as torchvision wants it."""

    def __init__(self, backbone: nn.Module, stage: str, name: str) -> None:
        super().__init__()
        stages = cast(Backbone, backbone).stages
        spatial = [known for known, facts in stages.items() if facts.stride is not None]
        if stage not in spatial:
            raise UnknownNameError(f"map of {name}", stage, spatial)
        self.backbone, self.stage = backbone, stage
        self.out_channels = stages[stage].channels

    def forward(self, images: Tensor) -> Tensor:
        maps: Mapping[str, Tensor] = self.backbone(images, [self.stage])
        return maps[self.stage]


class FasterRCNNDetector:
    """Faster R-CNN with the statistics of batch normalisation as the backbone has them."""

    def __init__(self, recipe: FasterRCNNRecipe, parts: Parts, seed: int) -> None:
        self.recipe, self._parts, self._seed = recipe, parts, seed

    @cached_property
    def model(self) -> FasterRCNN:
        """The network; layers that are not the backbone's are drawn from the seed."""
        from torchvision.models.detection.faster_rcnn import FastRCNNPredictor, TwoMLPHead

        recipe = self.recipe
        source = self._parts.backbone_source(recipe.backbone, recipe.weights, self._seed)
        facts = source.preprocessing
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(self._seed)
            trunk = _Trunk(self._parts.backbone(source), recipe.stage, recipe.backbone)
            found = FasterRCNN(
                trunk,
                rpn_anchor_generator=AnchorGenerator(
                    ((recipe.size / 8, recipe.size / 4, recipe.size / 2, recipe.size),),
                    ((0.5, 1.0, 2.0),),
                ),
                box_roi_pool=MultiScaleRoIAlign(["0"], output_size=7, sampling_ratio=2),
                box_head=TwoMLPHead(trunk.out_channels * 49, recipe.hidden),
                box_predictor=FastRCNNPredictor(recipe.hidden, 2),
                min_size=recipe.size, max_size=recipe.size * 2,
                image_mean=list(facts.mean), image_std=list(facts.std),
                box_detections_per_img=BEST, box_batch_size_per_image=128,
                rpn_pre_nms_top_n_test=300, rpn_post_nms_top_n_test=100,
                rpn_pre_nms_top_n_train=600, rpn_post_nms_top_n_train=200,
            )  # fmt: skip
        return cast(FasterRCNN, found.eval())

    def learn(
        self, photographs: Sequence[Photograph], progress: Callable[[int, int], None]
    ) -> None:
        """Learn by SGD, photographs mirrored at random; what is drawn hangs on the seed."""
        recipe, model = self.recipe, self.model
        device = next(model.parameters()).device
        generator = np.random.default_rng(self._seed)
        optimiser = torch.optim.SGD(
            model.parameters(), recipe.learning_rate, 0.9, weight_decay=recipe.weight_decay
        )
        each = -(-len(photographs) // recipe.batch_size)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, recipe.epochs * each)
        model.train()
        for module in model.modules():
            if isinstance(module, nn.modules.batchnorm._BatchNorm):
                module.eval()
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(self._seed)  # it samples anchors and regions
            for epoch in range(recipe.epochs):
                order = generator.permutation(len(photographs))
                for step in range(each):
                    chosen = order[step * recipe.batch_size : (step + 1) * recipe.batch_size]
                    read = [_read(photographs[place], bool(generator.integers(2)), device)
                            for place in chosen]  # fmt: skip
                    losses: Mapping[str, Tensor] = model(
                        [image for image, _ in read], [target for _, target in read]
                    )
                    optimiser.zero_grad()
                    torch.stack(list(losses.values())).sum().backward()  # type: ignore[no-untyped-call]
                    optimiser.step()
                    schedule.step()
                    progress(epoch * each + step + 1, recipe.epochs * each)
        model.eval()

    def find(self, image: Tensor) -> Found:
        """Return the boxes in an image, uint8 (3, H, W), the best one first."""
        device = next(self.model.parameters()).device
        with torch.inference_mode():
            [found] = self.model([image.to(device).float() / 255])
        return Found(found["boxes"].cpu().numpy(), found["scores"].cpu().numpy())


def _read(
    photograph: Photograph, mirrored: bool, device: torch.device
) -> tuple[Tensor, dict[str, Tensor]]:
    """Return an image in 0 … 1, (3, H, W), and what torchvision wants to know of its boxes."""
    image = decode(photograph.file).to(device).float() / 255
    boxes = torch.from_numpy(photograph.boxes).clone()
    height, width = image.shape[1:]
    boxes[:, 0::2] = boxes[:, 0::2].clamp(0, width)
    boxes[:, 1::2] = boxes[:, 1::2].clamp(0, height)
    if mirrored:
        image = image.flip(2)
        boxes[:, [0, 2]] = width - boxes[:, [2, 0]]
    boxes = boxes[(boxes[:, 2] > boxes[:, 0]) & (boxes[:, 3] > boxes[:, 1])]
    labels = torch.ones(len(boxes), dtype=torch.int64)
    return image, {"boxes": boxes.to(device), "labels": labels.to(device)}
