from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.metrics import (
    Ranking,
    hit,
    mean_average_precision_at_r,
    precision,
    recall,
    reciprocal_rank,
)

METRICS = [hit, precision, recall, mean_average_precision_at_r, reciprocal_rank]


def ranking_of(
    relevance: list[list[int]], *, depth: int | None = None, missed: list[int] | None = None
) -> Ranking:
    """Return the ranking in which gallery image i stands at rank i + 1 of every query.

    `relevance` says for each query which ranks are relevant, down to the last of the gallery.
    The ranking is cut or filled up to `depth`. `missed` more images are relevant but not ranked.
    """
    full = np.array(relevance, np.bool_)
    size = full.shape[1]
    depth = size if depth is None else depth
    relevant = np.zeros((len(full), depth), np.bool_)
    relevant[:, :size] = full[:, :depth]
    places = np.where(np.arange(depth) < size, np.arange(depth), -1).astype(np.int32)
    first = np.where(full.any(axis=1), full.argmax(axis=1) + 1, 0)
    counts = full.sum(axis=1) + np.array(missed or [0] * len(full))
    return Ranking(np.tile(places, (len(full), 1)), relevant, counts, first)


# Relevant are ranks 2, 3 and 6 of eight; no other image is. R = 3.
WORKED = ranking_of([[0, 1, 1, 0, 0, 1, 0, 0]])


@pytest.mark.parametrize(("k", "expected"), [(1, 0.0), (2, 1.0), (3, 1.0), (8, 1.0)])
def test_hit_is_one_from_the_first_relevant_rank_on(k: int, expected: float) -> None:
    assert hit(WORKED, k).tolist() == [expected]


@pytest.mark.parametrize(
    ("k", "expected"), [(1, 0 / 1), (2, 1 / 2), (3, 2 / 3), (5, 2 / 5), (6, 3 / 6), (8, 3 / 8)]
)
def test_precision_divides_the_relevant_ranks_by_k(k: int, expected: float) -> None:
    assert precision(WORKED, k).tolist() == [expected]


@pytest.mark.parametrize(
    ("k", "expected"), [(1, 0 / 3), (2, 1 / 3), (3, 2 / 3), (5, 2 / 3), (6, 3 / 3), (8, 3 / 3)]
)
def test_recall_divides_the_relevant_ranks_by_all_relevant_images(k: int, expected: float) -> None:
    assert recall(WORKED, k).tolist() == [expected]


def test_map_at_r_ends_at_rank_r() -> None:
    # ranks 1 to 3 hold: no, yes (precision 1/2), yes (precision 2/3); rank 6 stands below R = 3
    assert mean_average_precision_at_r(WORKED, 0) == pytest.approx((1 / 2 + 2 / 3) / 3)


def test_map_at_r_of_queries_with_different_r_is_cut_for_each() -> None:
    # first query: R = 1, rank 1 is right. second: R = 3, ranks 1 and 3: (1 + 2/3) / 3
    both = ranking_of([[1, 0, 0, 0], [1, 0, 1, 1]])
    assert mean_average_precision_at_r(both, 0) == pytest.approx([1, (1 + 2 / 3) / 3])


def test_mrr_is_one_over_the_first_relevant_rank() -> None:
    three = ranking_of([[1, 0, 0, 0], [0, 0, 0, 1], [0, 1, 1, 0]])
    assert reciprocal_rank(three, 0).tolist() == [1, 1 / 4, 1 / 2]


def test_mrr_counts_a_first_relevant_image_below_the_depth() -> None:
    shallow = ranking_of([[0, 0, 0, 0, 1]], depth=2)
    assert reciprocal_rank(shallow, 0).tolist() == [1 / 5]
    assert hit(shallow, 2).tolist() == [0]


def test_recall_counts_relevant_images_below_the_depth() -> None:
    assert recall(ranking_of([[1, 0]], missed=[3]), 2).tolist() == [1 / 4]


@pytest.mark.parametrize("metric", METRICS)
def test_a_query_with_nothing_relevant_is_nan_and_others_are_untouched(
    metric: Callable[[Ranking, int], npt.NDArray[np.float64]],
) -> None:
    values = metric(ranking_of([[0, 0, 0], [1, 1, 1]]), 2)
    assert np.isnan(values[0])
    assert values[1] == (2 / 3 if metric is recall else 1)


@pytest.mark.parametrize("metric", METRICS)
def test_everything_relevant_is_one(metric: Callable[..., npt.NDArray[np.float64]]) -> None:
    assert metric(ranking_of([[1, 1, 1, 1]]), 4).tolist() == [1]


@pytest.mark.parametrize("metric", METRICS)
def test_no_query_of_all_has_anything_relevant(
    metric: Callable[..., npt.NDArray[np.float64]],
) -> None:
    assert np.isnan(metric(ranking_of([[0, 0], [0, 0]]), 1)).tolist() == [True, True]


@pytest.mark.parametrize("metric", METRICS)
def test_one_query_and_one_gallery_image(metric: Callable[..., npt.NDArray[np.float64]]) -> None:
    assert metric(ranking_of([[1]]), 1).tolist() == [1]


def test_k_beyond_the_gallery_divides_precision_by_k_all_the_same() -> None:
    small = ranking_of([[0, 1, 1]], depth=10)
    assert hit(small, 10).tolist() == [1]
    assert precision(small, 10).tolist() == [2 / 10]
    assert recall(small, 10).tolist() == [1]
    assert mean_average_precision_at_r(small, 10).tolist() == [(1 / 2) / 2]


@pytest.mark.parametrize("metric", [hit, precision, recall])
def test_a_ranking_too_shallow_for_k_is_refused(
    metric: Callable[..., npt.NDArray[np.float64]],
) -> None:
    with pytest.raises(ValueError, match="depth 8 cannot be cut at 9"):
        metric(WORKED, 9)


def test_a_ranking_too_shallow_for_r_is_refused() -> None:
    with pytest.raises(ValueError, match="depth 2 cannot be cut at 3"):
        mean_average_precision_at_r(ranking_of([[1, 1, 1]], depth=2), 0)


def test_mrr_without_first_relevant_is_refused() -> None:
    bare = Ranking(WORKED.positions, WORKED.relevant, WORKED.relevant_count)
    with pytest.raises(ValueError, match="first_relevant"):
        reciprocal_rank(bare, 0)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"positions": [[0, 0]]}, "position twice"),
        ({"positions": [0, 1], "relevant": [True, False]}, "one shape"),
        ({"positions": [[0, 1, 2]]}, "one shape"),
        ({"relevant_count": [1, 1]}, "one relevant count per query"),
        ({"relevant_count": [0]}, "more relevant images than the gallery"),
        ({"positions": [[-1, 1]]}, "empty rank as relevant"),
    ],
)
def test_an_invalid_ranking_cannot_be_built(changes: dict[str, Any], message: str) -> None:
    parts: dict[str, Any] = {"positions": [[0, 1]], "relevant": [[True, False]]}
    parts = {"relevant_count": [1]} | parts
    Ranking(**{name: np.array(part) for name, part in parts.items()})
    with pytest.raises(ValueError, match=message):
        Ranking(**{name: np.array(part) for name, part in (parts | changes).items()})


def test_several_empty_ranks_are_no_repetition() -> None:
    ranking = Ranking(np.array([[0, -1, -1]]), np.array([[True, False, False]]), np.array([1]))
    assert precision(ranking, 3).tolist() == [1 / 3]


relevances = st.integers(1, 12).flatmap(
    lambda size: st.lists(
        st.lists(st.integers(0, 1), min_size=size, max_size=size), min_size=1, max_size=6
    )
)


@given(relevances, st.data())
@settings(max_examples=60)
def test_hit_precision_recall_and_mrr_agree_with_ranx(
    relevance: list[list[int]], data: st.DataObject
) -> None:
    from ranx import metrics as ranx

    ranking = ranking_of(relevance)
    queries, size = ranking.positions.shape
    k = data.draw(st.integers(1, size))
    # the images are called otherwise for each query, and the scores are negative
    names = np.stack([np.random.default_rng(q).permutation(size) + 1.0 for q in range(queries)])
    scores = np.tile(-np.arange(1.0, size + 1), (queries, 1))
    run = np.stack([names, scores], axis=2)
    # ranx expects the judged images in the order of their names
    order = np.argsort(names, axis=1)
    judged = np.stack([names, np.array(relevance, np.float64)], axis=2)
    judged = np.take_along_axis(judged, order[:, :, None], axis=1)
    counted = ranking.relevant_count > 0
    for ours, theirs in (
        (hit(ranking, k), ranx.hit_rate(judged, run, k, 1)),
        (precision(ranking, k), ranx.precision(judged, run, k, 1)),
        (recall(ranking, k), ranx.recall(judged, run, k, 1)),
        (reciprocal_rank(ranking, k), ranx.reciprocal_rank(judged, run, 0, 1)),
    ):
        np.testing.assert_allclose(ours[counted], theirs[counted], rtol=1e-12)
        assert np.isnan(ours[~counted]).all()


def slow_map_at_r(relevance: list[int]) -> float:
    total = sum(relevance)
    if total == 0:
        return float("nan")
    found, summed = 0, 0.0
    for rank, relevant in enumerate(relevance[:total], start=1):
        if relevant:
            found += 1
            summed += found / rank
    return summed / total


@given(relevances)
@settings(max_examples=100)
def test_map_at_r_agrees_with_a_loop(relevance: list[list[int]]) -> None:
    ours = mean_average_precision_at_r(ranking_of(relevance), 0)
    np.testing.assert_allclose(ours, [slow_map_at_r(row) for row in relevance], rtol=1e-12)


@given(relevances)
@settings(max_examples=100)
def test_metrics_keep_their_bounds_at_every_k(relevance: list[list[int]]) -> None:
    ranking = ranking_of(relevance)
    counted = ranking.relevant_count > 0
    size = ranking.positions.shape[1]
    for metric in (hit, precision, recall):
        by_k = np.stack([metric(ranking, k)[counted] for k in range(1, size + 1)])
        assert ((by_k >= 0) & (by_k <= 1)).all()
        if metric is not precision:
            assert (np.diff(by_k, axis=0) >= 0).all()  # looking deeper finds no less
            assert (by_k[-1] == 1).all()  # the whole gallery holds all that is relevant
    assert (hit(ranking, 1)[counted] == precision(ranking, 1)[counted]).all()
    r_precision = [precision(ranking, int(r))[q] for q, r in enumerate(ranking.relevant_count) if r]
    assert (mean_average_precision_at_r(ranking, 0)[counted] <= np.array(r_precision) + 1e-12).all()
