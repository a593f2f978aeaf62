"""A detector's folder: trained once on a dataset's boxes, tested on others, read again by runs.

    runs/<dataset>@<edition>/detectors/<name>--<variant>--seed<n>-<hash>/
        weights.safetensors  detector.json  DONE

The test is the protocol `detection`: average precision at an IoU of 0.7, and of 0.5, by domain, on
the photographs that the dataset's protocols query or search and nothing learns from.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bench import fingerprints
from bench.data import DataRequest, read_data
from bench.detection.boxes import Found, Photograph, Precision, average_precision, photographs
from bench.errors import DamagedImageError, IncompatibleError, RecordError, UserError
from bench.interfaces import Detector, DetectorSpec
from bench.pictures import digests
from bench.plugins import Registry
from bench.recipes import Recipe, choose_budget, make_recipe
from bench.records import as_folder
from bench.run import now, provenance
from bench.storage import only_one, write_text
from bench.tasks import Rows

FILE, WEIGHTS, DONE = "detector.json", "weights.safetensors", "DONE"
THRESHOLDS = (0.7, 0.5)  # IoU; the first leads (Huang et al., DARN, section 5.2)
_FORMAT = 1
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class TrainedDetector:
    """A finished folder: what was trained how, and the average precision by domain and IoU."""

    folder: Path
    facts: Mapping[str, Any]

    @property
    def digest(self) -> str:
        """The hash of weights and recipe: all that what it finds hangs on, beside the code."""
        kept = {name: self.facts[name] for name in ("detector", "recipe", "seed")}
        return fingerprints.of_json([kept, fingerprints.of_file(self.folder / WEIGHTS)])

    @property
    def precision(self) -> dict[str, dict[str, Precision]]:
        """Domain → "0.7" and "0.5" → average precision."""
        return {
            domain: {iou: Precision(**found) for iou, found in of_one.items()}
            for domain, of_one in self.facts["precision"].items()
        }

    def load(self, registry: Registry) -> Detector:
        """Return the detector with its weights."""
        from bench.training.checkpoints import load_weights

        spec = registry.detector(self.facts["detector"])
        recipe = spec.recipe().model_validate(self.facts["recipe"])
        detector = spec.build(recipe, registry, self.facts["seed"])
        load_weights(self.folder / WEIGHTS, detector.model)
        detector.model.eval()
        return detector


def open_trained(folder: Path) -> TrainedDetector:
    """Return a trained detector; raises `UserError` for a folder that is none."""
    if not (folder / DONE).is_file():
        raise UserError(
            f"--detector {folder} is not a trained detector; expected a folder that "
            "`bench train-detector` has made"
        )
    try:
        facts = json.loads((folder / FILE).read_text(encoding="utf-8"))
        if facts["format"] != _FORMAT:
            raise ValueError(f"format {facts['format']}")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RecordError(f"{folder / FILE} cannot be read ({error}); train again") from None
    return TrainedDetector(folder, facts)


def train_detector(
    request: DataRequest, registry: Registry, *, detector: str, variant: str, budget: str,
    settings: Mapping[str, Any], workers: int, learning: Progress, testing: Progress,
    notice: Callable[[str], None],
) -> TrainedDetector:  # fmt: skip
    """Return a detector trained and tested as asked for, or the one that was before.

    Raises `IncompatibleError` for a dataset without boxes among its training images.
    """
    spec = registry.detector(detector)
    variant = variant or next(iter(spec.variants))
    # before the data, which may have to be drawn first
    make_recipe(spec, variant, settings, budget=choose_budget(spec, budget, "full"))
    data = read_data(request, registry, notice)
    catalog = data.catalog
    budget = choose_budget(spec, budget, catalog.edition)
    recipe = make_recipe(spec, variant, settings, budget=budget)
    learnt = photographs(catalog, _union(protocol.training for protocol in data.protocols))
    asked = photographs(catalog, _union(protocol.rows() for protocol in data.protocols))
    seen = {photograph.file for photograph in learnt}
    test = [photograph for photograph in asked if photograph.file not in seen]
    if not learnt or not test:
        raise IncompatibleError(
            f"{catalog.dataset} has {len(learnt):,} photographs with boxes to learn from and "
            f"{len(test):,} to test with; a detector needs both"
        )
    code = registry.code("detectors", [spec.name], "bench.detection", "bench.images")
    key = fingerprints.of_json(
        [spec.name, variant, recipe.model_dump(mode="json"), request.seed, code,
         _content(catalog.root, learnt), _content(catalog.root, test), _files(recipe),
         fingerprints.versions("torch", "torchvision", "timm", "scikit-learn",
                               "opencv-contrib-python-headless")]
    )  # fmt: skip
    name = as_folder(f"{spec.name}--{variant}--seed{request.seed}-{key[:8]}")
    folder = request.runs / as_folder(catalog.name) / "detectors" / name
    other = f"waiting for another run that trains the same detector, in {folder}"
    with only_one(folder / ".lock", lambda: notice(other)):
        if not (folder / DONE).is_file():
            made = spec.build(recipe, registry, request.seed)
            made.learn(learnt, learning)
            _test_and_write(made, test, folder, workers, testing, {
                "format": _FORMAT, "detector": spec.name, "variant": variant, "budget": budget,
                "recipe": recipe.model_dump(mode="json"), "seed": request.seed,
                "dataset": catalog.name,
                "learnt": {"photographs": len(learnt), "garments": _garments(learnt)},
                "provenance": _provenance(request, registry, spec, code), "finished": now(),
            })  # fmt: skip
    return open_trained(folder)


def find_all(
    detector: Detector, files: Sequence[Path], *, workers: int, skip_damaged: bool,
    progress: Progress,
) -> Iterator[Found]:  # fmt: skip
    """Yield what a detector finds in each file, in order; nothing in a damaged one, if skipped."""
    from bench.images import WAYS_OUT, decode, reading_threads

    def find(file: Path) -> Found:
        try:
            return detector.find(decode(file))
        except DamagedImageError as error:
            if not skip_damaged:
                raise DamagedImageError(f"{error}; {WAYS_OUT}") from None
            return Found(np.zeros((0, 4), np.float32), np.zeros(0, np.float32))

    with reading_threads(workers) as pool:
        pending = [pool.submit(find, file) for file in files]
        try:
            for done, future in enumerate(pending, 1):
                yield future.result()
                progress(done, len(files))
        finally:
            for future in pending:
                future.cancel()


def _test_and_write(
    detector: Detector, test: Sequence[Photograph], folder: Path, workers: int,
    progress: Progress, facts: dict[str, Any],
) -> None:  # fmt: skip
    from bench.training.checkpoints import save_weights

    detector.model.eval()
    save_weights(folder / WEIGHTS, detector.model.state_dict())
    files = [photograph.file for photograph in test]
    found = list(find_all(detector, files, workers=workers, skip_damaged=False, progress=progress))
    facts["precision"] = {}
    for domain in sorted({photograph.domain for photograph in test}):
        rows = [row for row, photograph in enumerate(test) if photograph.domain == domain]
        truth = [test[row].boxes for row in rows]
        facts["precision"][domain] = {
            f"{iou:g}": asdict(average_precision(truth, [found[row] for row in rows],
                                                 threshold=iou))
            for iou in THRESHOLDS
        }  # fmt: skip
    write_text(folder / FILE, json.dumps(facts, indent=2, allow_nan=False) + "\n")
    write_text(folder / DONE, "")


def _union(rows: Iterator[Rows]) -> Rows:
    return np.unique(np.concatenate([np.zeros(0, np.int64), *rows]))


def _garments(of: Sequence[Photograph]) -> int:
    return sum(len(photograph.boxes) for photograph in of)


def _content(root: Path, of: Sequence[Photograph]) -> str:
    """Return the hash of photographs and their boxes; raises `DataError` for an absent file."""
    names = [photograph.file.relative_to(root).as_posix() for photograph in of]
    found = digests(root, names)
    for name, digest in zip(names, found, strict=True):
        if digest is None:
            raise IncompatibleError(f"{root / name}: no such photograph; a detector needs them")
    boxes = b"".join(photograph.boxes.tobytes() for photograph in of)
    return fingerprints.of_bytes("".join(map(str, found)).encode(), boxes)


def _files(recipe: Recipe) -> list[str]:
    """Return the hashes of the files that a recipe names: weights may change under one name."""
    named = [Path(value) for value in recipe.model_dump().values() if isinstance(value, str)]
    return [fingerprints.of_file(file) for file in named if file.is_file()]


def _provenance(
    request: DataRequest, registry: Registry, spec: DetectorSpec, code: str
) -> dict[str, Any]:
    owners = [
        registry.owner("detectors", spec.name)[0],
        registry.owner("datasets", request.dataset)[0],
    ]
    made = provenance(
        request, owners, code, device="cpu", device_name="cpu", engine="torch", precision="fp32",
        batch_size=1,
    )  # fmt: skip
    return made.model_dump(mode="json")
