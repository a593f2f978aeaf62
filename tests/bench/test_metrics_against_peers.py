"""The metrics against independent implementations, on generated rankings.

The libraries sort by score, so they are given strictly decreasing scores in our order, above zero
or below it. Each example is a batch of queries, whose images stand at random places in the gallery.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log2
from types import ModuleType

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from bench.metrics import (
    Overlap,
    Ranking,
    Values,
    hit,
    iou,
    mean_average_precision,
    mean_average_precision_at_k,
    mean_average_precision_at_r,
    ndcg_of_attributes,
    ndcg_of_attributes_gallery_ideal,
    ndcg_of_attributes_list_ideal,
    ndcg_of_relevance,
    precision,
    recall,
    reciprocal_rank,
)

Truth = npt.NDArray[np.bool_]

batches = st.tuples(st.integers(1, 80), st.integers(1, 12)).flatmap(lambda s: arrays(np.bool_, s))
CORNERS = [
    np.ones((1, 1), np.bool_),  # one query, one gallery image
    np.zeros((1, 1), np.bool_),
    np.ones((3, 7), np.bool_),  # everything relevant
    np.zeros((3, 7), np.bool_),  # nothing relevant
]


def cornered(test):  # type: ignore[no-untyped-def]
    for corner in CORNERS:
        for below_zero in (False, True):
            test = example(truth=corner, below_zero=below_zero)(test)
    return test


def ranking_of(truth: Truth, deeper: int = 0) -> Ranking:
    """Return rankings of the whole gallery, and of `deeper` ranks that it cannot fill."""
    count, size = truth.shape
    places = np.stack([np.random.default_rng(q).permutation(size) for q in range(count)])
    empty = ((0, 0), (0, deeper))
    first = np.where(truth.any(axis=1), truth.argmax(axis=1) + 1, 0)
    return Ranking(
        np.pad(places.astype(np.int32), empty, constant_values=-1),
        np.pad(truth, empty),
        truth.sum(axis=1),
        first.astype(np.int64),
    )


def cut_offs(size: int) -> list[int]:
    """Return the first, a middle, the last and a cut-off beyond the gallery."""
    return sorted({1, (size + 1) // 2, size, size + 3})


def require_equal(ours: Values, theirs: npt.ArrayLike, truth: Truth) -> None:
    """Compare the queries that count; the others are NaN here and 0 there."""
    counted = truth.any(axis=1)
    theirs = np.asarray(theirs, np.float64)
    np.testing.assert_allclose(ours[counted], theirs[counted], rtol=1e-12, atol=1e-15)
    assert np.isnan(ours[~counted]).all()
    assert (theirs[~counted] == 0).all()


@cornered
@given(truth=batches, below_zero=st.booleans())
@settings(max_examples=100)
def test_trec_eval_agrees(truth: Truth, below_zero: bool) -> None:
    import pytrec_eval

    count, size = truth.shape
    cuts = cut_offs(size)
    ranking = ranking_of(truth, 3)
    named = {
        f"q{q}": {f"d{place}": rank for rank, place in enumerate(ranking.positions[q, :size])}
        for q in range(count)
    }
    judged = {
        q: {image: int(truth[row, rank]) for image, rank in images.items()}
        for row, (q, images) in enumerate(named.items())
    }
    highest = -1.0 if below_zero else size + 0.5
    run = {q: {d: highest - rank for d, rank in images.items()} for q, images in named.items()}
    several = ",".join(map(str, cuts))
    measures = {f"{m}.{several}" for m in ("P", "recall", "success", "ndcg_cut", "map_cut")}
    evaluator = pytrec_eval.RelevanceEvaluator(judged, measures | {"map", "recip_rank"})
    found = evaluator.evaluate(run)

    def theirs(measure: str) -> Values:
        return np.array([found[f"q{q}"][measure] for q in range(count)])

    relevant = np.maximum(truth.sum(axis=1), 1)
    for k in cuts:
        require_equal(hit(ranking, k), theirs(f"success_{k}"), truth)
        require_equal(precision(ranking, k), theirs(f"P_{k}"), truth)
        require_equal(recall(ranking, k), theirs(f"recall_{k}"), truth)
        require_equal(ndcg_of_relevance(ranking, k), theirs(f"ndcg_cut_{k}"), truth)
        # theirs is divided by all relevant images, ours by those that k ranks can hold
        at_k = theirs(f"map_cut_{k}") * relevant / np.minimum(relevant, k)
        require_equal(mean_average_precision_at_k(ranking, k), at_k, truth)
    require_equal(mean_average_precision(ranking, 0), theirs("map"), truth)
    require_equal(reciprocal_rank(ranking, 0), theirs("recip_rank"), truth)


@pytest.fixture(scope="module")
def ranx() -> ModuleType:
    """Return ranx's metrics uncompiled, since to compile them takes longer than to run them."""
    from numba import config

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(config, "DISABLE_JIT", True)
        from ranx import metrics
    return metrics


@cornered
@given(truth=batches, below_zero=st.booleans())
@settings(max_examples=100)
def test_ranx_agrees(ranx: ModuleType, truth: Truth, below_zero: bool) -> None:
    count, size = truth.shape
    ranking = ranking_of(truth, 3)
    names = ranking.positions[:, :size] + 1.0
    highest = -1.0 if below_zero else size + 0.5
    run = np.stack([names, np.tile(highest - np.arange(size), (count, 1))], axis=2)
    judged = np.stack([names, truth.astype(np.float64)], axis=2)
    order = np.argsort(~truth, axis=1)  # the ideal is taken from the order of the judged images
    judged = np.take_along_axis(judged, order[:, :, None], axis=1)
    relevant = np.maximum(truth.sum(axis=1), 1)
    for k in cut_offs(size):
        require_equal(precision(ranking, k), ranx.precision(judged, run, k, 1), truth)
        require_equal(ndcg_of_relevance(ranking, k), ranx.ndcg(judged, run, k, 1), truth)
        at_k = ranx.average_precision(judged, run, k, 1) * relevant / np.minimum(relevant, k)
        require_equal(mean_average_precision_at_k(ranking, k), at_k, truth)
    whole = ranx.average_precision(judged, run, 0, 1)
    require_equal(mean_average_precision(ranking, 0), whole, truth)
    require_equal(reciprocal_rank(ranking, 0), ranx.reciprocal_rank(judged, run, 0, 1), truth)


@given(batches.filter(lambda truth: truth.shape[1] > 1), st.booleans())
@settings(max_examples=50)
def test_scikit_learn_agrees(truth: Truth, below_zero: bool) -> None:
    """Compare means over queries, which is all that it returns; it refuses a gallery of one."""
    from sklearn.metrics import average_precision_score, ndcg_score

    size = truth.shape[1]
    truth[:, -1] |= ~truth.any(axis=1)  # it would count a query with nothing relevant 0
    ranking = ranking_of(truth, 3)
    scores = np.tile((-1.0 if below_zero else size + 0.5) - np.arange(size), (len(truth), 1))
    ours = mean_average_precision(ranking, 0).mean()
    assert ours == pytest.approx(average_precision_score(truth, scores, average="samples"))
    for k in cut_offs(size):
        assert ndcg_of_relevance(ranking, k).mean() == pytest.approx(ndcg_score(truth, scores, k=k))


@given(batches)
@settings(max_examples=50)
def test_map_at_r_agrees_with_a_loop(truth: Truth) -> None:
    expected = []
    for relevance in truth.tolist():
        total, found, summed = sum(relevance), 0, 0.0
        for rank, relevant in enumerate(relevance[:total], start=1):
            found += relevant
            summed += relevant * found / rank
        expected.append(summed / total if total else 0)
    require_equal(mean_average_precision_at_r(ranking_of(truth), 0), expected, truth)


@dataclass(frozen=True)
class Described:
    """One query and a whole gallery, best first, as sets of attribute values."""

    query: frozenset[int]
    images: list[frozenset[int]]

    def gain(self, image: frozenset[int]) -> float:
        """Return 2^(share of the query's values) - 1."""
        return float(2 ** (len(self.query & image) / len(self.query)) - 1)

    def ranking(self, deeper: int) -> Ranking:
        """Return the ranking with its overlap, and with `deeper` ranks that it cannot fill."""
        shared = [len(self.query & image) for image in self.images]
        empty = [0] * deeper
        relevant = np.zeros((1, len(self.images) + deeper), np.bool_)
        overlap = Overlap(
            np.array([len(self.query)], np.uint16),
            np.array([shared + empty], np.uint16),
            np.array([[len(image) for image in self.images] + empty], np.uint16),
            np.array([sorted(shared, reverse=True) + empty], np.uint16),
        )
        positions = np.array([[*range(len(self.images)), *[-1] * deeper]])
        return Ranking(positions, relevant, np.zeros(1, np.int64), overlap=overlap)


sets = st.frozensets(st.integers(0, 7))
descriptions = st.builds(
    Described, st.frozensets(st.integers(0, 7), min_size=1), st.lists(sets, min_size=1, max_size=12)
)


@given(descriptions)
@settings(max_examples=150)
def test_metrics_of_attributes_agree_with_sets(described: Described) -> None:
    query, images = described.query, described.images
    ranking = described.ranking(3)

    def gained(gains: list[float]) -> float:
        return sum(gain / log2(rank + 1) for rank, gain in enumerate(gains, start=1))

    for k in cut_offs(len(images)):
        gains = [described.gain(image) for image in images[:k]]
        absolute = gained([1.0] * k)
        assert ndcg_of_attributes(ranking, k) == pytest.approx(gained(gains) / absolute)
        ideal = gained(sorted(gains, reverse=True))
        expected = gained(gains) / ideal if ideal else 0
        assert ndcg_of_attributes_list_ideal(ranking, k) == pytest.approx(expected)
        ideal = gained(sorted(map(described.gain, images), reverse=True)[:k])
        expected = gained(gains) / ideal if ideal else np.nan
        found = ndcg_of_attributes_gallery_ideal(ranking, k)
        assert found == pytest.approx(expected, nan_ok=True)
        shared = [len(query & image) / len(query | image) for image in images[:k]]
        assert iou(ranking, k) == pytest.approx(sum(shared) / k)


@given(st.lists(descriptions.filter(lambda d: len(d.images) > 1), min_size=1, max_size=4))
@settings(max_examples=10)
def test_scikit_learn_agrees_on_attributes(many: list[Described]) -> None:
    from sklearn.metrics import jaccard_score, ndcg_score

    for described in many:
        ranking, size = described.ranking(0), len(described.images)
        gains = np.array([[described.gain(image) for image in described.images]])
        scores = -np.arange(1.0, size + 1)[None]
        for k in cut_offs(size)[:-1]:
            if gains.any():
                expected = ndcg_score(gains, scores, k=k)
                found = ndcg_of_attributes_gallery_ideal(ranking, k)
                assert found == pytest.approx(expected)
        if gains.any():  # where the list is the whole gallery, both ideals are one
            found = ndcg_of_attributes_list_ideal(ranking, size)
            assert found == pytest.approx(ndcg_score(gains, scores))
        present = [[value in image for value in range(8)] for image in described.images]
        asked = [[value in described.query for value in range(8)]] * size
        expected = jaccard_score(asked, present, average="samples", zero_division=0)
        assert iou(ranking, size) == pytest.approx(expected)
