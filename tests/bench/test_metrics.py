from __future__ import annotations

from collections.abc import Callable
from dataclasses import FrozenInstanceError, replace
from math import log2
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.metrics import (
    Cut,
    Found,
    Overlap,
    Ranking,
    first_is_right,
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

# NaN is meant where it stands: no metric may warn of how it came about
pytestmark = pytest.mark.filterwarnings("error::RuntimeWarning")

CUT = [hit, precision, recall, mean_average_precision_at_k, ndcg_of_relevance]
METRICS = [*CUT, mean_average_precision, mean_average_precision_at_r, reciprocal_rank]
OF_ATTRIBUTES = [ndcg_of_attributes, ndcg_of_attributes_list_ideal,
                 ndcg_of_attributes_gallery_ideal, iou]  # fmt: skip


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


@pytest.mark.parametrize(
    ("k", "expected"),
    [
        (1, 0),
        (2, (1 / 2) / 2),  # two ranks can hold two of the three relevant images
        (3, (1 / 2 + 2 / 3) / 3),
        (5, (1 / 2 + 2 / 3) / 3),
        (6, (1 / 2 + 2 / 3 + 3 / 6) / 3),
        (8, (1 / 2 + 2 / 3 + 3 / 6) / 3),
    ],
)
def test_map_at_k_divides_by_what_k_ranks_can_hold(k: int, expected: float) -> None:
    assert mean_average_precision_at_k(WORKED, k) == pytest.approx(expected, rel=1e-15)


def test_map_is_that_of_the_whole_gallery() -> None:
    assert mean_average_precision(WORKED, 0) == pytest.approx((1 / 2 + 2 / 3 + 3 / 6) / 3)


def test_map_of_a_list_that_ends_early_counts_what_is_missing_as_never_found() -> None:
    # ranks 1 and 3 of three are relevant, a third relevant image is not in the list: R = 3
    positions = np.array([[5, 2, 4, -1]])
    short = Ranking(positions, np.array([[True, False, True, False]]), np.array([3]))
    assert mean_average_precision(short, 0) == pytest.approx((1 + 2 / 3) / 3)


def test_a_list_without_any_rank_finds_nothing() -> None:
    positions, relevant = np.zeros((2, 0), np.int32), np.zeros((2, 0), np.bool_)
    empty = Ranking(positions, relevant, np.array([3, 0]))
    np.testing.assert_array_equal(mean_average_precision(empty, 0), [0, np.nan])
    nothing = Ranking(positions, relevant, np.array([0, 0]))
    assert np.isnan(mean_average_precision_at_r(nothing, 0)).all()


def test_map_refuses_a_ranking_that_was_cut() -> None:
    with pytest.raises(ValueError, match="ranking of the whole gallery"):
        mean_average_precision(ranking_of([[1, 0, 1]], depth=2), 0)
    # one such query of several is enough, also where its last rank holds gallery image 0
    relevant = np.array([[True, False], [True, False]])
    both = Ranking(np.array([[0, 1], [1, 0]]), relevant, np.array([1, 2]))
    with pytest.raises(ValueError, match="ranking of the whole gallery"):
        mean_average_precision(both, 0)
    # where everything relevant stands above the cut, nothing is missing
    assert mean_average_precision(ranking_of([[1, 0, 0]], depth=2), 0).tolist() == [1]


@pytest.mark.parametrize(
    ("k", "expected"),
    [
        # the discounts of ranks 1 to 6 are 1, 1/log2(3), 1/2, 1/log2(5), 1/log2(6), 1/log2(7)
        (1, 0),
        (2, (1 / log2(3)) / (1 + 1 / log2(3))),
        (3, (1 / log2(3) + 1 / 2) / (1 + 1 / log2(3) + 1 / 2)),
        (6, (1 / log2(3) + 1 / 2 + 1 / log2(7)) / (1 + 1 / log2(3) + 1 / 2)),
    ],
)
def test_ndcg_of_relevance_divides_by_the_relevant_images_at_the_top(
    k: int, expected: float
) -> None:
    assert ndcg_of_relevance(WORKED, k) == pytest.approx(expected)


# A query of four values and its images: rank 1 has them all, rank 2 two of them and no other, rank
# 3 none but two others, rank 4 one of them and one other; another image of the gallery has three.
QUERY = {"red", "long", "v-neck", "plain"}
RANKED = [QUERY, {"red", "long"}, {"blue", "short"}, {"plain", "blue"}]
REST = [{"red", "long", "v-neck", "striped"}]
# gains 2^s - 1 for the shares 1, 1/2, 0, 1/4, and 3/4 in the rest of the gallery
G = {share: 2**share - 1 for share in (1, 3 / 4, 1 / 2, 1 / 4)}


def described(
    query: set[str], ranked: list[set[str]], rest: list[set[str]], *, depth: int | None = None
) -> Ranking:
    """Return the ranking of one query, nothing of it relevant, filled up to `depth`."""
    depth = depth or len(ranked)
    sets = ranked + [set()] * (depth - len(ranked))
    best = sorted((len(query & image) for image in ranked + rest), reverse=True)
    best = (best + [0] * depth)[:depth]
    return Ranking(
        np.where(np.arange(depth) < len(ranked), np.arange(depth), -1)[None],
        np.zeros((1, depth), np.bool_),
        np.zeros(1, np.int64),
        overlap=Overlap(
            np.array([len(query)], np.uint16),
            np.array([[len(query & image) for image in sets]], np.uint16),
            np.array([[len(image) for image in sets]], np.uint16),
            np.array([best], np.uint16),
        ),
    )


DESCRIBED = described(QUERY, RANKED, REST)


@pytest.mark.parametrize(
    ("k", "expected"),
    [
        (1, G[1] / 1),
        (2, (G[1] + G[1 / 2] / log2(3)) / (1 + 1 / log2(3))),
        (3, (G[1] + G[1 / 2] / log2(3) + 0) / (1 + 1 / log2(3) + 1 / 2)),
        (4, (G[1] + G[1 / 2] / log2(3) + 0 + G[1 / 4] / log2(5))
            / (1 + 1 / log2(3) + 1 / 2 + 1 / log2(5))),
    ],
)  # fmt: skip
def test_ndcg_of_attributes_divides_by_k_full_matches(k: int, expected: float) -> None:
    assert ndcg_of_attributes(DESCRIBED, k) == pytest.approx(expected)
    assert expected == pytest.approx({1: 1, 2: 0.7734, 3: 0.5920, 4: 0.5242}[k], abs=1e-4)


@pytest.mark.parametrize(
    ("k", "ideal"),
    [
        (1, G[1]),
        (3, G[1] + G[1 / 2] / log2(3)),  # the first three are in their best order
        (4, G[1] + G[1 / 2] / log2(3) + G[1 / 4] / 2),  # the fourth should stand third
    ],
)
def test_the_list_ideal_is_the_same_images_in_their_best_order(k: int, ideal: float) -> None:
    gained = [G[1], G[1 / 2] / log2(3), 0, G[1 / 4] / log2(5)]
    assert ndcg_of_attributes_list_ideal(DESCRIBED, k) == pytest.approx(sum(gained[:k]) / ideal)


@pytest.mark.parametrize(
    ("k", "ideal"),
    [
        (1, G[1]),
        (2, G[1] + G[3 / 4] / log2(3)),
        (4, G[1] + G[3 / 4] / log2(3) + G[1 / 2] / 2 + G[1 / 4] / log2(5)),
    ],
)
def test_the_gallery_ideal_is_the_best_that_the_gallery_has(k: int, ideal: float) -> None:
    gained = [G[1], G[1 / 2] / log2(3), 0, G[1 / 4] / log2(5)]
    assert ndcg_of_attributes_gallery_ideal(DESCRIBED, k) == pytest.approx(sum(gained[:k]) / ideal)


@pytest.mark.parametrize(
    ("k", "expected"),
    [(1, 4 / 4), (2, (4 / 4 + 2 / 4) / 2), (3, (1 + 1 / 2 + 0 / 6) / 3),
     (4, (1 + 1 / 2 + 0 + 1 / 5) / 4)],
)  # fmt: skip
def test_iou_is_the_mean_share_of_common_values(k: int, expected: float) -> None:
    assert iou(DESCRIBED, k) == pytest.approx(expected)


def test_a_query_of_one_value_shares_all_or_nothing() -> None:
    single = described({"red"}, [{"blue"}, {"red", "long"}], [])
    discount = 1 / log2(3)
    assert ndcg_of_attributes(single, 2) == pytest.approx(discount / (1 + discount))
    assert ndcg_of_attributes_list_ideal(single, 2) == pytest.approx(discount)
    assert ndcg_of_attributes_gallery_ideal(single, 2) == pytest.approx(discount)
    assert iou(single, 2) == pytest.approx((0 + 1 / 2) / 2)


def test_ranks_that_the_gallery_cannot_fill_share_nothing() -> None:
    small = described(QUERY, RANKED[:1], [], depth=3)
    assert iou(small, 3) == pytest.approx(1 / 3)
    assert ndcg_of_attributes(small, 3) == pytest.approx(1 / (1 + 1 / log2(3) + 1 / 2))
    assert ndcg_of_attributes_list_ideal(small, 3).tolist() == [1]
    assert ndcg_of_attributes_gallery_ideal(small, 3).tolist() == [1]


@pytest.mark.parametrize("metric", OF_ATTRIBUTES)
def test_a_query_without_attributes_does_not_count(
    metric: Callable[[Ranking, int], npt.NDArray[np.float64]],
) -> None:
    assert np.isnan(metric(described(set(), [*RANKED, set()], REST), 5)).all()


def test_a_query_that_shares_nothing_has_0_or_no_ideal() -> None:
    apart = described({"green"}, RANKED, REST)
    for metric in (ndcg_of_attributes, ndcg_of_attributes_list_ideal, iou):
        assert metric(apart, 4).tolist() == [0]
    assert np.isnan(ndcg_of_attributes_gallery_ideal(apart, 4)).all()


@pytest.mark.parametrize("metric", OF_ATTRIBUTES)
def test_a_ranking_without_overlap_deep_enough_is_refused(
    metric: Callable[[Ranking, int], npt.NDArray[np.float64]],
) -> None:
    with pytest.raises(ValueError, match="overlap of 3 ranks"):
        metric(WORKED, 3)
    deeper = replace(
        DESCRIBED,
        positions=np.arange(5)[None],
        relevant=np.zeros((1, 5), np.bool_),
    )
    with pytest.raises(ValueError, match="overlap of 5 ranks"):
        metric(deeper, 5)
    if isinstance(metric, Cut):
        with pytest.raises(ValueError, match="overlap of 5 ranks"):
            metric.curve(deeper, 5)


def test_the_gallery_ideal_needs_the_best_of_the_gallery() -> None:
    overlap = replace(DESCRIBED.overlap, best=None)
    with pytest.raises(ValueError, match="best of the gallery"):
        ndcg_of_attributes_gallery_ideal(replace(DESCRIBED, overlap=overlap), 1)


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


def test_a_triplet_or_a_recognition_is_decided_by_the_first_candidate() -> None:
    four = ranking_of([[1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, 0]])
    np.testing.assert_array_equal(first_is_right(four, 0), [1, 0, 0, np.nan])


def test_recall_counts_relevant_images_below_the_depth() -> None:
    assert recall(ranking_of([[1, 0]], missed=[3]), 2).tolist() == [1 / 4]


@pytest.mark.parametrize("metric", METRICS)
def test_a_query_with_nothing_relevant_is_nan_and_others_are_untouched(
    metric: Callable[[Ranking, int], npt.NDArray[np.float64]],
) -> None:
    values = metric(ranking_of([[0, 0, 0], [1, 1, 1]]), 2)
    assert np.isnan(values[0])
    assert values[1] == pytest.approx(2 / 3 if metric is recall else 1)


@pytest.mark.parametrize("metric", METRICS)
def test_everything_relevant_is_one(metric: Callable[..., npt.NDArray[np.float64]]) -> None:
    assert metric(ranking_of([[1, 1, 1, 1]]), 4) == pytest.approx(1, rel=1e-15)


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
    assert mean_average_precision(small, 10) == pytest.approx((1 / 2 + 2 / 3) / 2)
    assert mean_average_precision_at_k(small, 10) == pytest.approx((1 / 2 + 2 / 3) / 2)
    assert ndcg_of_relevance(small, 10) == pytest.approx((1 / log2(3) + 1 / 2) / (1 + 1 / log2(3)))


@pytest.mark.parametrize("metric", CUT)
def test_a_ranking_too_shallow_for_k_is_refused(metric: Cut) -> None:
    for of_worked in (metric, metric.curve):
        with pytest.raises(ValueError, match="depth 8 cannot be cut at 9"):
            of_worked(WORKED, 9)


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
        ({"positions": [[2, 0, 2]], "relevant": [[True, False, False]]}, "position twice"),
        ({"positions": [[2, 1, 2]], "relevant": [[True, False, False]]}, "position twice"),
        ({"positions": [0, 1], "relevant": [True, False]}, "one shape"),
        ({"positions": [[0, 1, 2]]}, "one shape"),
        ({"positions": [[0]]}, "one shape"),
        ({"positions": [[[0, 1]]], "relevant": [[[True, False]]]}, "one shape"),
        ({"relevant_count": [1, 1]}, "one relevant count per query"),
        ({"relevant_count": []}, "one relevant count per query"),
        ({"relevant_count": [0]}, "more relevant images than the gallery"),
        ({"relevant": [[True, True]]}, "more relevant images than the gallery"),
        (
            {"positions": [[0, 1]] * 2, "relevant": [[True, False]] * 2, "relevant_count": [1, 0]},
            "more relevant images than the gallery",
        ),
        ({"positions": [[-1, 1]]}, "empty rank as relevant"),
    ],
)
def test_an_invalid_ranking_cannot_be_built(changes: dict[str, Any], message: str) -> None:
    parts: dict[str, Any] = {"positions": [[0, 1]], "relevant": [[True, False]]}
    parts = {"relevant_count": [1]} | parts
    Ranking(**{name: np.array(part) for name, part in parts.items()})
    with pytest.raises(ValueError, match=message):
        Ranking(**{name: np.array(part) for name, part in (parts | changes).items()})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"shared": [[1, 1, 3]]}, "more shared values than an image has"),
        ({"shared": [[2, 2, 0]]}, "more shared values than an image has"),
        ({"query_size": [1]}, "more shared values than an image has"),
        ({"shared": [[2, 1]]}, "one shape"),
        ({"size": [[3, 1]]}, "one shape"),
        ({"shared": [2], "size": [3]}, "one shape"),
        ({"shared": [[[2, 1, 0]]], "size": [[[3, 1, 0]]]}, "one shape"),
        ({"query_size": [2, 2]}, "one shape"),
        ({"shared": [[2, 1, 0]] * 2, "size": [[3, 1, 0]] * 2}, "one shape"),
        ({"best": [[1, 2, 2]]}, "to descend"),
        ({"best": [[2, 0, 1]]}, "to descend"),
        ({"best": [[2, 1]]}, "shape of the others"),
        ({"best": [[2, 1, 0, 0]]}, "shape of the others"),
    ],
)
def test_an_invalid_overlap_cannot_be_built(changes: dict[str, Any], message: str) -> None:
    parts: dict[str, Any] = {"query_size": [2], "shared": [[2, 1, 0]], "size": [[3, 1, 0]]}
    Overlap(**{name: np.array(part, np.uint16) for name, part in parts.items()})
    with pytest.raises(ValueError, match=message):
        Overlap(**{name: np.array(part, np.uint16) for name, part in (parts | changes).items()})


@pytest.mark.parametrize(
    ("positions", "message"),
    [
        ([[0, -1, 1, 2]], "attributes to an empty rank"),
        ([[0, 1]], "no more ranks than it"),
        ([[0, 1, 2], [0, 1, 2]], "its queries"),
        (np.zeros((0, 3), np.int32), "its queries"),
    ],
)
def test_an_overlap_must_fit_its_ranking(positions: npt.ArrayLike, message: str) -> None:
    overlap = Overlap(*(np.array(part, np.uint16) for part in ([2], [[2, 1, 0]], [[3, 1, 1]])))
    empty = np.zeros_like(positions, np.bool_)
    with pytest.raises(ValueError, match=message):
        Ranking(np.array(positions), empty, empty.sum(axis=1), overlap=overlap)


def test_what_was_checked_stays_as_it_was_checked() -> None:
    overlap, found = DESCRIBED.overlap, WORKED.found
    assert isinstance(overlap, Overlap)
    assert isinstance(found, Found)
    for checked, field in ((WORKED, "relevant"), (overlap, "shared"), (found, "rank")):
        with pytest.raises(FrozenInstanceError):
            setattr(checked, field, np.zeros(3))


@pytest.mark.parametrize("metric", METRICS)
def test_no_query_at_all_has_no_value(metric: Callable[..., npt.NDArray[np.float64]]) -> None:
    ranks, none = np.zeros((0, 3), np.int32), np.zeros(0, np.int64)
    assert metric(Ranking(ranks, ranks > 0, none, none), 3).shape == (0,)


def test_a_metric_with_a_cut_off_has_the_name_and_the_page_of_its_function() -> None:
    assert hit.__name__ == "hit"
    assert "at least one of the first k images" in (hit.__doc__ or "")


def test_values_that_count_may_be_given_as_any_sequence() -> None:
    np.testing.assert_array_equal(ranking_of([[1], [0]]).counted([1, 2]), [1, np.nan])


def test_several_empty_ranks_are_no_repetition() -> None:
    ranking = Ranking(np.array([[0, -1, -1]]), np.array([[True, False, False]]), np.array([1]))
    assert precision(ranking, 3).tolist() == [1 / 3]


relevances = st.integers(1, 12).flatmap(
    lambda size: st.lists(
        st.lists(st.integers(0, 1), min_size=size, max_size=size), min_size=1, max_size=6
    )
)


@given(relevances)
@settings(max_examples=50)
def test_metrics_keep_their_bounds_at_every_k(relevance: list[list[int]]) -> None:
    ranking = ranking_of(relevance)
    counted = ranking.relevant_count > 0
    size = ranking.positions.shape[1]
    for metric in CUT:
        by_k = np.stack([metric(ranking, k)[counted] for k in range(1, size + 1)])
        assert ((by_k >= 0) & (by_k <= 1 + 1e-15)).all()
        if metric in {hit, recall}:
            assert (np.diff(by_k, axis=0) >= 0).all()  # looking deeper finds no less
            assert (by_k[-1] == 1).all()  # the whole gallery holds all that is relevant
    assert (hit(ranking, 1)[counted] == precision(ranking, 1)[counted]).all()
    r_precision = [precision(ranking, int(r))[q] for q, r in enumerate(ranking.relevant_count) if r]
    at_r = mean_average_precision_at_r(ranking, 0)[counted]
    assert (at_r <= np.array(r_precision) + 1e-12).all()
    assert (at_r <= mean_average_precision(ranking, 0)[counted] + 1e-12).all()


@given(relevances, st.integers(0, 3))
@settings(max_examples=50)
def test_a_column_of_the_curve_is_the_metric_at_that_cut_off(
    relevance: list[list[int]], more: int
) -> None:
    ranking = ranking_of(relevance, depth=len(relevance[0]) + more)
    depth = ranking.positions.shape[1]
    for metric in CUT:
        curve = metric.curve(ranking, depth)
        assert curve.shape == ranking.positions.shape
        for k in range(1, depth + 1):
            np.testing.assert_array_equal(curve[:, k - 1], metric(ranking, k))
    # where k holds everything, the mean precision is the same number, not only nearly so
    whole = mean_average_precision_at_k(ranking, depth)
    np.testing.assert_array_equal(whole, mean_average_precision(ranking, 0))


@pytest.mark.parametrize("metric", [m for m in OF_ATTRIBUTES if isinstance(m, Cut)])
def test_a_column_of_an_attribute_curve_is_the_metric_at_that_cut_off(metric: Cut) -> None:
    curve = metric.curve(DESCRIBED, 4)
    assert [metric(DESCRIBED, k)[0] for k in range(1, 5)] == curve[0].tolist()


@given(st.data())
@settings(max_examples=50)
def test_iou_is_no_less_than_precision_where_attributes_are_per_item(data: st.DataObject) -> None:
    values = st.frozensets(st.integers(0, 5), min_size=1)
    items = data.draw(st.lists(values, min_size=1, max_size=4))
    shown = data.draw(st.lists(st.integers(0, len(items) - 1), min_size=1, max_size=10))
    query, depth = items[0], len(shown) + data.draw(st.integers(0, 2))
    ranking = described(query, [items[item] for item in shown], [], depth=depth)
    relevant = np.zeros((1, depth), np.bool_)
    relevant[0, : len(shown)] = np.array(shown) == 0
    ranking = replace(ranking, relevant=relevant, relevant_count=relevant.sum(axis=1) + 1)
    assert (iou.curve(ranking, depth) >= precision.curve(ranking, depth) - 1e-12).all()
