"""The paper's detector: region proposals, judged by what the attribute network sees (section 4.2).

Selective search proposes regions. Conv4 and Conv5, pooled inside each region, tell by a support
vector machine how good it is, as its IoU with the garment (`svr`) or as garment or not (`svm`), and
by ridge regression how to move its sides. The paper runs the network on each region cut out of the
image; here it runs once on the whole image, as in Fast R-CNN.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np
import numpy.typing as npt
import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.ops import nms, roi_align

from bench.detection.boxes import Boxes, Found, Photograph, overlap
from bench.errors import IncompatibleError, UserError
from bench.images import decode
from bench.interfaces import Backbone, Parts, Preprocessing
from bench.recipes import Recipe

BEST = 20  # boxes of an image that are kept
Floats = npt.NDArray[np.float64]


class ProposalsRecipe(Recipe):
    """Whose features judge which regions, and how."""

    backbone: str = Field("nin", description="the paper's, or another one in its place")
    weights: str = Field("pretrained", description="pretrained, none, or a .safetensors file")
    network: str = Field(
        "", description="weights.safetensors of a training of darn an, whose features judge"
    )
    size: int = Field(448, ge=64, description="longer side of the network's input in pixels")
    side: int = Field(256, ge=32, description="longer side for selective search in pixels")
    smallest: float = Field(0.02, ge=0, lt=1, description="share of the image that a region has")
    narrowest: float = Field(0.2, gt=0, le=1, description="shorter side of a region over longer")
    grid: int = Field(3, ge=1, description="maps are pooled to so many places squared in a region")
    judge: Literal["svr", "svm"] = Field("svr", description="regression of the IoU, or a class")
    regions: int = Field(60, ge=2, description="of a photograph, to learn from")
    mining: int = Field(1, ge=0, description="rounds in which what was judged worst is added")
    cost: float = Field(1.0, gt=0, description="C of the support vector machine")
    ridge: float = Field(1.0, gt=0, description="of the regression of the sides")
    overlapping: float = Field(0.3, gt=0, le=1, description="IoU at which the best stays alone")


class _Judge(nn.Module):
    """The backbone, and what is fitted: a score (1, D), four sides (4, D), their biases."""

    def __init__(self, backbone: nn.Module, width: int) -> None:
        super().__init__()
        self.backbone = backbone
        self.score, self.sides = nn.Linear(width, 1), nn.Linear(width, 4)


class ProposalsDetector:
    """Regions of selective search, judged on the maps of a network that stays as it is."""

    def __init__(self, recipe: ProposalsRecipe, parts: Parts, seed: int) -> None:
        self.recipe, self._parts, self._seed = recipe, parts, seed
        self._source = parts.backbone_source(recipe.backbone, recipe.weights, seed)

    @cached_property
    def model(self) -> nn.Module:
        """The network; with `network` it has that one's weights."""
        backbone = self._parts.backbone(self._source)
        if self.recipe.network:
            _load_backbone(Path(self.recipe.network), backbone)
        stages = cast(Backbone, backbone).stages
        spatial = [name for name, facts in stages.items() if facts.stride is not None]
        self._maps = spatial[-2:]  # Conv4 and Conv5
        width = sum(stages[name].channels for name in self._maps) * self.recipe.grid**2
        return _Judge(backbone, width).eval()

    def learn(
        self, photographs: Sequence[Photograph], progress: Callable[[int, int], None]
    ) -> None:
        """Fit score and sides on proposals of photographs; what is drawn hangs on the seed."""
        generator = np.random.default_rng(self._seed)
        rounds = 1 + self.recipe.mining
        kept: list[tuple[npt.NDArray[np.float32], Floats, Floats]] = []
        total = rounds * len(photographs)
        for turn in range(rounds):
            for place, photograph in enumerate(photographs):
                image = decode(photograph.file)
                boxes = np.concatenate([photograph.boxes, self._proposals(image)])
                of_each = overlap(boxes, photograph.boxes)
                truth = of_each.max(axis=1)
                features = self._features(image, boxes)
                if turn:
                    wrong = np.abs(self._scores(features) - self._targets(truth))
                    chosen = np.argsort(-wrong, kind="stable")[: self.recipe.regions // 2]
                else:
                    chosen = _spread(truth, self.recipe.regions, generator)
                nearest = photograph.boxes[of_each[chosen].argmax(axis=1)]
                kept.append((features[chosen], truth[chosen], _moves(boxes[chosen], nearest)))
                progress(turn * len(photographs) + place + 1, total)
            self._fit(*(np.concatenate(part) for part in zip(*kept, strict=True)))

    def find(self, image: Tensor) -> Found:
        """Return the boxes in an image, uint8 (3, H, W), the best one first."""
        boxes = self._proposals(image)
        if not len(boxes):
            return Found(boxes, np.zeros(0, np.float32))
        features = self._features(image, boxes)
        scores = torch.from_numpy(self._scores(features)).float()
        best = nms(torch.from_numpy(boxes), scores, self.recipe.overlapping)[:BEST].numpy()
        with torch.no_grad():
            moves = cast(nn.Linear, self.model.sides)(torch.from_numpy(features[best])).numpy()
        height, width = image.shape[1:]
        moved = _moved(boxes[best], moves)
        moved[:, 0::2] = moved[:, 0::2].clip(0, width)
        moved[:, 1::2] = moved[:, 1::2].clip(0, height)
        whole = (moved[:, 2:] - moved[:, :2] >= 1).all(axis=1)
        return Found(moved[whole], scores.numpy()[best][whole])

    def _proposals(self, image: Tensor) -> Boxes:
        """Return the regions (n, 4) of selective search that are of a garment's size and shape."""
        try:
            import cv2
        except ImportError:
            raise IncompatibleError(
                "detector darn-proposals needs OpenCV with its contributed modules; pip install "
                "'fashion-retrieval-bench[detector]'"
            ) from None
        height, width = image.shape[1:]
        scale = min(1.0, self.recipe.side / max(height, width))
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        pixels = np.ascontiguousarray(image.permute(1, 2, 0).numpy()[..., ::-1])
        search = cv2.ximgproc.segmentation.createSelectiveSearchSegmentation()
        search.setBaseImage(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA))
        search.switchToSelectiveSearchFast()
        found = np.asarray(search.process(), np.float32).reshape(-1, 4) / np.float32(scale)
        boxes: Boxes = np.concatenate([found[:, :2], found[:, :2] + found[:, 2:]], axis=1)
        sides = boxes[:, 2:] - boxes[:, :2]
        wanted = sides.prod(axis=1) >= self.recipe.smallest * height * width
        wanted &= sides.min(axis=1) >= self.recipe.narrowest * sides.max(axis=1)
        # in an order of their own: OpenCV's is random, and follows no seed
        kept: Boxes = np.unique(boxes[wanted], axis=0)
        return kept

    def _features(self, image: Tensor, boxes: Boxes) -> npt.NDArray[np.float32]:
        """Return each map pooled inside each box, of length 1, end to end: (n, D)."""
        facts: Preprocessing = self._source.preprocessing
        height, width = image.shape[1:]
        scale = self.recipe.size / max(height, width)
        size = [max(32, round(side * scale)) for side in (height, width)]
        pixels = F.interpolate(image[None].float() / 255, size, mode="bilinear", antialias=True)
        mean, std = (torch.tensor(of).reshape(1, 3, 1, 1) for of in (facts.mean, facts.std))
        with torch.no_grad():
            maps = cast(Any, self.model.backbone)((pixels - mean) / std, self._maps)
            parts = []
            for name in self._maps:
                ratios = [maps[name].shape[3] / width, maps[name].shape[2] / height]
                places = torch.from_numpy(boxes) * torch.tensor(ratios * 2, dtype=torch.float32)
                pooled = roi_align(
                    maps[name], [places], self.recipe.grid, sampling_ratio=2, aligned=True
                )
                parts.append(F.normalize(pooled.flatten(1)))
        return np.asarray(torch.cat(parts, dim=1).numpy())

    def _targets(self, truth: Floats) -> Floats:
        """Return what a judge should say of regions with these IoUs."""
        return truth if self.recipe.judge == "svr" else np.where(truth >= 0.5, 1.0, -1.0)

    def _scores(self, features: npt.NDArray[np.float32]) -> Floats:
        with torch.no_grad():
            found = cast(nn.Linear, self.model.score)(torch.from_numpy(features))[:, 0]
        return np.asarray(found.numpy().astype(np.float64))

    def _fit(self, features: npt.NDArray[np.float32], truth: Floats, moves: Floats) -> None:
        from sklearn.linear_model import Ridge
        from sklearn.svm import LinearSVC, LinearSVR

        recipe = self.recipe
        judge: Any
        if recipe.judge == "svr":
            judge = LinearSVR(
                loss="squared_epsilon_insensitive", dual=False, C=recipe.cost,
                random_state=self._seed,
            )  # fmt: skip
        else:
            judge = LinearSVC(dual=False, C=recipe.cost, random_state=self._seed)
        judge.fit(features, self._targets(truth))
        near = truth >= 0.5
        sides: Any = Ridge(recipe.ridge).fit(features[near], moves[near])
        for layer, fitted in ((self.model.score, judge), (self.model.sides, sides)):
            linear = cast(nn.Linear, layer)
            with torch.no_grad():
                linear.weight.copy_(torch.from_numpy(np.atleast_2d(fitted.coef_)))
                linear.bias.copy_(torch.from_numpy(np.atleast_1d(fitted.intercept_)))


def _spread(truth: Floats, count: int, generator: np.random.Generator) -> npt.NDArray[np.int64]:
    """Return places whose IoUs are spread over five steps of 0.2, as evenly as there are any."""
    steps = np.minimum((truth * 5).astype(np.int64), 4)
    turns = np.zeros(len(truth))
    for step in np.unique(steps):
        at = generator.permutation(np.flatnonzero(steps == step))
        turns[at] = np.arange(len(at))
    return np.asarray(np.argsort(turns, kind="stable")[:count])


def _moves(boxes: Boxes, onto: Boxes) -> Floats:
    """Return how centres and, as logarithms, sides change: (n, 4), as shares of the sides."""
    (centres, sides), (others, lengths) = (_centred(of) for of in (boxes, onto))
    return np.concatenate([(others - centres) / sides, np.log(lengths / sides)], axis=1)


def _moved(boxes: Boxes, moves: npt.NDArray[np.float32]) -> Boxes:
    centres, sides = _centred(boxes)
    centres = centres + moves[:, :2] * sides
    half = sides * np.exp(moves[:, 2:].clip(-2, 2)) / 2
    return np.concatenate([centres - half, centres + half], axis=1).astype(np.float32)


def _centred(boxes: Boxes) -> tuple[Floats, Floats]:
    given = boxes.astype(np.float64)
    sides = np.maximum(given[:, 2:] - given[:, :2], 1.0)
    return given[:, :2] + sides / 2, sides


def _load_backbone(path: Path, backbone: nn.Module) -> None:
    """Load the backbone of a training of `darn` with one network for both domains."""
    from bench.builtins.backbones import read_weights, require_fit

    if not path.is_file():
        raise UserError(f"network {path}: no such file; expected weights.safetensors of darn an")
    start = "networks.both.backbone."
    state = {
        name.removeprefix(start): values
        for name, values in read_weights(path).items()
        if name.startswith(start)
    }
    require_fit(path, state, backbone.state_dict())
    backbone.load_state_dict(state)
