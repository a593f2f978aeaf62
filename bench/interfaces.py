"""The parts that plug into `bench`: protocols for behaviour, frozen dataclasses for facts.

A plugin's hooks return the `...Spec` classes; their builders return objects that behave as the
protocols say. Shapes: B images in a batch, N images in a catalog, D feature dimensions, Q queries.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, runtime_checkable

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import torch
    from torch import Tensor

    from bench.catalog import Catalog
    from bench.detection.boxes import Found, Photograph
    from bench.metrics import Ranking
    from bench.protocols import Protocol as RetrievalProtocol
    from bench.recipes import Recipe
    from bench.tasks import Condition, Kind, Rows
    from bench.training.stages import TrainingStage

Distance = Literal["euclidean", "cosine", "inner-product", "intersection"]
Interpolation = Literal["bilinear", "bicubic"]
Fit = Literal["crop", "squash"]
Need = Literal["items", "categories", "attributes", "single-valued attributes", "boxes",
               "street and shop images"]  # fmt: skip
WHOLE_GALLERY = sys.maxsize  # the depth of a metric that must see every rank


@dataclass(frozen=True)
class Preprocessing:
    """How pixels become a backbone's input; it belongs to the weights, never to the dataset.

    With fit "crop" the shorter side is resized to `size / crop` and the middle `size` x `size` is
    kept: the picture keeps its shape and loses its rim. With "squash" all of it is resized to
    `size` x `size`, whatever its shape, and `crop` plays no part. Then each channel, scaled to
    0…1, becomes `(value - mean) / std`.
    """

    size: int
    crop: float
    interpolation: Interpolation
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    fit: Fit = "crop"


@dataclass(frozen=True)
class Weights:
    """A backbone's weights: where from, a hash of their bytes, what they were trained on."""

    source: str
    digest: str
    trained_on: str
    path: Path | None = field(default=None, compare=False)  # absent: drawn from `seed`
    seed: int = 0


@dataclass(frozen=True)
class BackboneSource:
    """All that determines a backbone, known before the network is built and without torch."""

    name: str
    weights: Weights
    preprocessing: Preprocessing


@dataclass(frozen=True)
class Stage:
    """One named output of a backbone; `stride` is None where the map is a single vector, 1 x 1."""

    channels: int
    stride: int | None


class Backbone(Protocol):
    """A `torch.nn.Module` from images to named feature maps."""

    source: BackboneSource
    stages: Mapping[str, Stage]

    def __call__(self, images: Tensor, stages: Sequence[str]) -> dict[str, Tensor]:
        """Return `{stage: (B, C, h, w)}` for normalised `(B, 3, H, W)` float32 images."""


class Head(Protocol):
    """A `torch.nn.Module` from named feature maps to named vectors or logits."""

    def __call__(self, maps: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return `{name: (B, D)}` for `{stage: (B, C, h, w)}`."""


class Loss(Protocol):
    """A `torch.nn.Module` from outputs and targets to a value for each example that counts."""

    def __call__(self, *tensors: Tensor) -> Tensor:
        """Return `(m,)`, for m ≤ B or one for each pair or triplet; the summary names arguments.

        The loop takes the mean, over the examples of all processes that train together.
        """


class Metric(Protocol):
    """A pure function of a ranking."""

    def __call__(self, ranking: Ranking, k: int) -> npt.NDArray[np.float64]:
        """Return one value per query, `(Q,)`; NaN where the query does not count."""


class FeatureExtractor(Protocol):
    """From images to the vectors that are compared.

    `extract` runs once per image and its result is stored; `for_gallery` and `for_query` are cheap
    and make of it what one task compares (a mask for a condition, a replaced attribute). A class
    that names this one as its base has them as they are here.
    """

    distance: Distance
    preprocessing: Preprocessing

    def identity(self) -> Mapping[str, Any]:
        """Return, without building the network, all that determines `extract` beside the pixels."""

    def extract(self, images: Tensor, domain: str) -> Tensor:
        """Return `(B, D)` for normalised `(B, 3, H, W)` images, all of one domain ("" for none)."""

    def for_gallery(
        self, features: npt.NDArray[np.float32], condition: Condition | None
    ) -> npt.NDArray[np.float32]:
        """Return what stands in the gallery under `condition`: here the features themselves."""
        del condition
        return features

    def for_query(
        self, features: npt.NDArray[np.float32], condition: Condition | None
    ) -> npt.NDArray[np.float32]:
        """Return what asks under `condition`: here the features themselves."""
        del condition
        return features


@runtime_checkable
class Recogniser(Protocol):
    """A feature extractor that also has classifiers of attributes.

    For one without, an image has the value whose training images' mean feature is the nearest.
    """

    def recognise(
        self, features: npt.NDArray[np.float32], condition: Condition
    ) -> npt.NDArray[np.float32]:
        """Return a score per value of the condition's attribute, (B, V), for features (B, D).

        One more column, (B, V + 1), is for what is none of them: a classifier of all attributes'
        values may say so.
        """


@runtime_checkable
class Explainer(Protocol):
    """A feature extractor that can say where in an image it sees each attribute."""

    def explain(
        self, images: Tensor
    ) -> Mapping[str, tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]]:
        """Return, by attribute, maps (B, h, w) and boxes (B, 4) of images (B, 3, S, S).

        A box is left, top, right, bottom as shares of the image's sides.
        """


@runtime_checkable
class Choosy(Protocol):
    """A feature extractor that cannot be asked everything, and says so before anything is learnt.

    One without is asked whatever a protocol has.
    """

    def require(self, condition: Condition | None) -> None:
        """Raise `IncompatibleError` for a task's condition that it has no answer to."""


@runtime_checkable
class Changer(Protocol):
    """A feature extractor that can give an image another value of an attribute."""

    def change(
        self, features: npt.NDArray[np.float32], condition: Condition
    ) -> npt.NDArray[np.float32]:
        """Return features (B, D) as `extract` makes them, of images with the targets' values.

        One attribute after another may be changed; `for_gallery` then makes what is compared.
        """


class Method(Protocol):
    """A paper's method with one recipe, on one catalog."""

    @property
    def model(self) -> torch.nn.Module:
        """The network, built on first use; every parameter that an extractor uses is in it."""

    @property
    def backbone(self) -> BackboneSource:
        """The backbone's name, weights and preprocessing."""

    @property
    def stages(self) -> Sequence[TrainingStage]:
        """The stages of its training, in order, made without torch; none if it does not learn."""

    @property
    def notices(self) -> Sequence[str]:
        """What a user must know of how it took to the data, a line each; often none."""

    @property
    def extractors(self) -> Mapping[str, FeatureExtractor]:
        """The feature extractors by name; the first one is the default."""


class Dataset(Protocol):
    """One dataset's reader."""

    def find(self, data_root: Path) -> Path | None:
        """Return the folder below `data_root` that holds the published files, or None."""

    def sources(self, root: Path) -> Sequence[Path]:
        """Return the annotation files, and the folders whose listing, determine the catalog."""

    def load(self, root: Path) -> Catalog:
        """Return the catalog; raises `DataError` naming file and line for what is malformed."""

    def protocols(self, catalog: Catalog) -> Sequence[RetrievalProtocol]:
        """Return the protocols that this catalog allows."""

    def draw_mini(self, root: Path, *, seed: int, items: int | None = None) -> None:
        """Draw the mini edition, in the published layout, as the new folder `root`.

        `items` asks for another size than the mini edition's own; what it counts is the dataset's
        affair (garments, species, persons).
        """


class Detector(Protocol):
    """Finds garments in photographs, for methods that compare garments alone."""

    @property
    def model(self) -> torch.nn.Module:
        """The network, with all that `learn` changes as parameters or buffers."""

    def learn(
        self, photographs: Sequence[Photograph], progress: Callable[[int, int], None]
    ) -> None:
        """Learn from photographs with true boxes, one at least; draws hang on the seed alone."""

    def find(self, image: Tensor) -> Found:
        """Return the boxes in an image, uint8 (3, H, W), the best one first; maybe none."""


class Parts(Protocol):
    """Where a method finds what other plugins registered, by name."""

    def backbone_source(self, name: str, weights: str, seed: int) -> BackboneSource:
        """Return the facts of a backbone, its weights found or downloaded."""

    def backbone(self, source: BackboneSource) -> torch.nn.Module:
        """Return the network with its weights."""

    def head(self, name: str, stages: Mapping[str, Stage], **options: Any) -> torch.nn.Module:
        """Return a head for feature maps of these stages."""

    def loss(self, name: str, **options: Any) -> torch.nn.Module:
        """Return a loss."""


@dataclass(frozen=True)
class Download:
    """One file that anybody may download, with the checksum that its makers publish.

    `checksum` is ALGORITHM:HEX, as in `md5:…`; `unpack` says that it is a tar or zip archive.
    """

    url: str
    checksum: str
    size: int  # bytes
    unpack: bool = False


@dataclass(frozen=True)
class DatasetSpec:
    """The facts of a dataset. With `family`, it is asked for as `NAME:ARGUMENT`.

    `build` is given the name as asked for and, where the dataset has `options` (fields of a
    `Recipe`), these as its second argument.
    """

    name: str
    summary: str
    build: Callable[..., Dataset]
    licence: str
    obtain: str
    folders: tuple[str, ...] = ()  # what its folder below the data root may be called
    layout: str = ""  # which files go where below that folder, a line each
    downloads: tuple[Download, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)  # published; see Catalog.counts
    protocols: Mapping[str, str] = field(default_factory=dict)  # name → one line
    protocol_counts: Mapping[str, tuple[int, int]] = field(
        default_factory=dict
    )  # protocol → published queries and gallery images
    options: Callable[[], type[Recipe]] | None = None
    has_mini: bool = True
    family: bool = False
    drawn_with: tuple[str, ...] = ()  # modules of other packages that the mini edition is drawn by


@dataclass(frozen=True)
class MethodSpec:
    """The facts of a method; `variants` maps a name to (one line, recipe overrides).

    `budgets` maps a name to recipe overrides for less computing: "mini" is taken by itself on mini
    editions. "full", the recipe as it stands, always exists and is not among them. Overrides of
    recipes inside the recipe are nested, as in `{"training": {"epochs": 3}}`. `facts` gives further
    lines of `bench show`, (label, text), made without torch.
    """

    name: str
    summary: str
    recipe: Callable[[], type[Recipe]]
    # recipe, catalog, parts, seed, and the catalog rows that it may learn from
    build: Callable[[Recipe, Catalog, Parts, int, Rows], Method]
    needs: tuple[Need, ...] = ()
    paper: str = ""
    backbone: str = ""  # the paper's; another one is recorded as its substitute
    variants: Mapping[str, tuple[str, Mapping[str, Any]]] = field(
        default_factory=lambda: {"default": ("the recipe as it stands", {})}
    )
    budgets: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    facts: Callable[[], Sequence[tuple[str, str]]] | None = None


@dataclass(frozen=True)
class BackboneSpec:
    """A backbone, or with `family` all those asked for as `NAME:ARGUMENT`.

    `resolve(name, weights, seed)` finds or downloads weights ("pretrained", "none" or a file).
    """

    name: str
    summary: str
    resolve: Callable[[str, str, int], BackboneSource]
    build: Callable[[BackboneSource], torch.nn.Module]
    family: bool = False


@dataclass(frozen=True)
class DetectorSpec:
    """A detector of garments; `build(recipe, parts, seed)` returns it before it has learnt.

    `variants` and `budgets` are as those of a `MethodSpec`.
    """

    name: str
    summary: str
    recipe: Callable[[], type[Recipe]]
    build: Callable[[Recipe, Parts, int], Detector]
    variants: Mapping[str, tuple[str, Mapping[str, Any]]] = field(
        default_factory=lambda: {"default": ("the recipe as it stands", {})}
    )
    budgets: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class HeadSpec:
    """A head; `build(stages, **options)` returns the module."""

    name: str
    summary: str
    build: Callable[..., torch.nn.Module]


@dataclass(frozen=True)
class LossSpec:
    """A loss; `build(**options)` returns the module."""

    name: str
    summary: str
    build: Callable[..., torch.nn.Module]


@dataclass(frozen=True)
class MetricSpec:
    """A metric; a name that has `@k` takes a cut-off, as in `hit@20`.

    What can be read in several ways says which in brackets: `ndcg@k[attributes]`. `depth(k,
    most_relevant)` is how deep a ranking it must see, `most_relevant` being the largest number of
    relevant images that a query has, or `WHOLE_GALLERY`. `curve(ranking, k)` gives the values at
    all cut-offs from 1 to k at once, (Q, k), for a metric that can.
    """

    name: str
    summary: str
    formula: str
    function: Metric
    depth: Callable[[int, int], int]
    needs_first_relevant: bool = False
    kind: Kind = "retrieval"
    higher_is_better: bool = True
    curve: Callable[[Ranking, int], npt.NDArray[np.float64]] | None = None
    needs_overlap: bool = False  # shared attribute values; see `bench.metrics.Overlap`
    needs_best_overlap: bool = False  # and the largest of the whole gallery
