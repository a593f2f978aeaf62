"""From features to the ranking of a task of any kind, one block of queries after another."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from bench import search
from bench.interfaces import FeatureExtractor, Recogniser
from bench.metrics import Ranking
from bench.search import Blocks, Features
from bench.tasks import AnyTask, Condition, RecognitionTask, Rows, Task, TripletTask

ELSEWHERE = "(a value of another attribute)"  # what a classifier of all values may say
BLOCK = 1024  # triplets or images to recognise that are looked at together

Names = npt.NDArray[np.object_]
CandidateNames = Callable[[Rows, npt.NDArray[np.int32]], Names]


def rank(
    task: AnyTask,
    *,
    depth: int,
    first_relevant: bool,
    features: Features,
    extractor: FeatureExtractor,
    device: str,
) -> Blocks:
    """Yield the ranking of each block of a task's queries, with the rows of the task it covers.

    `features` (N, D) has one row per image of the catalog. `depth` is how deep a gallery is ranked;
    the two images of a triplet and the values of an attribute are always ranked whole.
    """
    if isinstance(task, Task):
        return search.rank(
            task,
            lambda rows: _asking(task, rows, features, extractor),
            search.Gallery.transformed(
                features, task.gallery, lambda block: extractor.for_gallery(block, task.condition)
            ),
            distance=extractor.distance,
            depth=depth,
            first_relevant=first_relevant,
            device=device,
        )
    if isinstance(task, TripletTask):
        return _triplets(task, features, extractor)
    if isinstance(task, RecognitionTask):
        return _recognised(task, features, extractor, device)
    raise TypeError(f"a task of kind {task.kind!r}")


def candidate_names(task: AnyTask, ids: Names) -> CandidateNames:
    """Return a function from queries (n,), as rows of the task, and positions (n,) to names (n,).

    `ids` (N,) are those of the catalog's images.
    """
    if isinstance(task, TripletTask):
        pairs = np.stack([task.negatives, task.positives], axis=1)
        return lambda rows, positions: ids[pairs[rows, positions]]
    if isinstance(task, RecognitionTask):
        values = np.array([*task.values, ELSEWHERE], dtype=object)
        return lambda rows, positions: values[positions]
    assert isinstance(task, Task)  # noqa: S101 (there are three kinds)
    gallery = ids[task.gallery]
    return lambda rows, positions: gallery[positions]


def _asking(
    task: AnyTask, rows: slice, features: Features, extractor: FeatureExtractor
) -> Features:
    condition = task.condition.of(rows) if task.condition else None
    return extractor.for_query(features[task.queries[rows]], condition)


def _blocks(count: int) -> list[slice]:
    return [slice(at, min(at + BLOCK, count)) for at in range(0, count, BLOCK)]


def _triplets(task: TripletTask, features: Features, extractor: FeatureExtractor) -> Blocks:
    """Rank the negative (position 0) and the positive (1); equal scores leave the negative first.

    So a triplet counts as right only where S(anchor, positive) > S(anchor, negative).
    """
    for rows in _blocks(len(task.queries)):
        anchors = _asking(task, rows, features, extractor)
        condition: Condition | None = task.condition.of(rows) if task.condition else None
        scores = [
            search.pair_scores(
                anchors,
                extractor.for_gallery(features[others[rows]], condition),
                extractor.distance,
            )
            for others in (task.negatives, task.positives)
        ]
        right = scores[1] > scores[0]
        positions = np.where(right[:, None], [1, 0], [0, 1]).astype(np.int32)
        yield rows, Ranking(positions, positions == 1, np.ones(len(anchors), np.int64))


def _recognised(
    task: RecognitionTask, features: Features, extractor: FeatureExtractor, device: str
) -> Blocks:
    """Rank the values of the attribute: by the method's own classifier, or else by class means."""
    if isinstance(extractor, Recogniser):
        means, here = np.zeros((0, 0), np.float32), np.arange(len(task.values))
    else:
        means, here = _class_means(task, features, extractor)
    for rows in _blocks(len(task.queries)):
        if isinstance(extractor, Recogniser):
            scores = extractor.recognise(features[task.queries[rows]], task.condition)
            positions = np.argsort(-scores, axis=1, kind="stable").astype(np.int32)
        else:
            nearest = search.search(
                _asking(task, rows, features, extractor), means,
                distance=extractor.distance, depth=len(here), device=device,
            )  # fmt: skip
            positions = here[nearest].astype(np.int32)
        relevant = positions == task.labels[rows][:, None]
        yield rows, Ranking(positions, relevant, np.ones(len(positions), np.int64))


def _class_means(
    task: RecognitionTask, features: Features, extractor: FeatureExtractor
) -> tuple[Features, Rows]:
    """Return the mean training feature of each value that has one, (n, D), and these values (n,).

    For the cosine, features are made of length one before the mean is taken.
    """
    here = np.unique(task.training_labels)
    means = []
    for value in here:
        members = task.training[task.training_labels == value]
        total = np.zeros(1)
        for rows in _blocks(len(members)):
            found = extractor.for_gallery(features[members[rows]], task.condition)
            total = total + search.prepare(found, extractor.distance).sum(axis=0)
        means.append(total / len(members))
    return np.stack(means).astype(np.float32), here
