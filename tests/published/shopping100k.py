"""Annotation files of Shopping100k and of ADDE at their published size; labels are made up."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

IMAGES, TRAIN, QUERIES = 100_586, 80_586, 14_361
ATTRIBUTES = {  # file -> number of values, share of images that are labelled
    "category": (16, 1.0),
    "collar": (17, 0.2),
    "color": (19, 1.0),
    "fabric": (14, 0.6),
    "fastening": (10, 0.5),
    "fit": (15, 0.6),
    "gender": (2, 1.0),
    "neckline": (11, 0.4),
    "pattern": (16, 0.95),
    "pocket": (7, 0.2),
    "sleevelen": (9, 0.7),
    "sport": (15, 0.1),
}
SIZES = [size for size, _ in ATTRIBUTES.values()]
STARTS = np.cumsum([0, *SIZES])


def write_published(root: Path) -> None:
    """Write Attributes/*.txt (PATH LABEL lines) and splits/Shopping100k/*.txt below `root`."""
    generator = np.random.default_rng(0)
    labels = np.full((IMAGES, len(ATTRIBUTES)), -1)
    for number, (size, share) in enumerate(ATTRIBUTES.values()):
        here = generator.random(IMAGES) < share
        # some values are common, as in the published labels
        drawn = np.minimum(generator.geometric(0.35, IMAGES) - 1, size - 1)
        labels[here, number] = drawn[here]
    # images in pairs that differ in one attribute, so that every query of ADDE has an answer
    changed = np.array([0, 2, 6])[np.arange(IMAGES // 2) % 3]  # attributes that all images have
    pairs = np.arange(IMAGES // 2)
    labels[1::2] = labels[::2]
    labels[2 * pairs + 1, changed] += 1
    labels[2 * pairs + 1, changed] %= np.array(SIZES)[changed]
    paths = [f"{n % 7}/{n % 16}_Clothes/{n:07d}-photograph.jpg" for n in range(IMAGES)]
    (root / "Attributes").mkdir(parents=True, exist_ok=True)
    for name, column in zip(ATTRIBUTES, labels.T.tolist(), strict=True):
        lines = map("{} {}\n".format, paths, column)
        (root / "Attributes" / f"{name}.txt").write_text("".join(lines))
    _write_adde(root / "splits" / "Shopping100k", paths, labels, generator)


def _write_adde(
    folder: Path, paths: list[str], labels: npt.NDArray[np.int64], generator: np.random.Generator
) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "attr_num.txt").write_text("".join(f"{size}\n" for size in SIZES))
    order = (2 * generator.permutation(IMAGES // 2)[:, None] + (0, 1)).reshape(-1)
    for split, rows in (("train", order[:TRAIN]), ("test", order[TRAIN:])):
        names = "".join(f"{paths[row]}\n" for row in rows)
        (folder / f"imgs_{split}.txt").write_text(names)
        _write_vectors(folder / f"labels_{split}.txt", _one_hot(labels[rows]))
    references = generator.permutation(IMAGES - TRAIN)[:QUERIES]
    (folder / "ref_test.txt").write_text("".join(f"{n}\n" for n in references))
    before, after = labels[order[TRAIN:]][references], labels[order[TRAIN:]][references ^ 1]
    _write_vectors(folder / "gt_test.txt", _one_hot(after))
    _write_vectors(folder / "indfull_test.txt", _one_hot(after) - _one_hot(before))


def _one_hot(labels: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    vectors = np.zeros((len(labels), STARTS[-1]), np.int64)
    rows, numbers = np.nonzero(labels >= 0)
    vectors[rows, STARTS[numbers] + labels[rows, numbers]] = 1
    return vectors


def _write_vectors(file: Path, vectors: npt.NDArray[np.int64]) -> None:
    words = np.array(["0", "1", "-1"])
    file.write_text("".join(f"{' '.join(row)}\n" for row in words[vectors].tolist()))
