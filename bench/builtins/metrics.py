"""The facts of the metrics of `bench.metrics`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from bench import hookimpl, metrics
from bench.interfaces import WHOLE_GALLERY, MetricSpec


def _at_k(k: int, most_relevant: int) -> int:
    del most_relevant
    return k


def _first(k: int, most_relevant: int) -> int:
    del k, most_relevant
    return 1


def _cut(name: str, summary: str, formula: str, function: metrics.Cut, **needs: Any) -> MetricSpec:
    """Return the spec of a metric with a cut-off, which has a curve."""
    return MetricSpec(name, summary, formula, function, _at_k, curve=function.curve, **needs)


@hookimpl
def register_metrics() -> Iterable[MetricSpec]:
    """Return the metrics of `bench.metrics`."""
    gain = "Σ_{i≤k} (2^(|A_q ∩ A_i| / |A_q|) - 1) / log2(i+1)"
    return [
        _cut("hit@k", "at least one relevant image among the first k",
             "1 if Σ_{i≤k} rel_i > 0, else 0", metrics.hit),
        _cut("precision@k", "share of the first k images that is relevant",
             "Σ_{i≤k} rel_i / k", metrics.precision),
        _cut("recall@k", "share of the relevant images that is among the first k",
             "Σ_{i≤k} rel_i / R", metrics.recall),
        _cut("map@k", "mean precision at the ranks of relevant images down to rank k",
             "(1 / min(R, k)) Σ_{i≤k} rel_i · precision@i", metrics.mean_average_precision_at_k),
        MetricSpec("map", "mean precision at the ranks of relevant images in the whole gallery",
                   "(1/R) Σ_i rel_i · precision@i", metrics.mean_average_precision,
                   lambda k, most_relevant: WHOLE_GALLERY),
        MetricSpec("map@r", "mean precision at the ranks of relevant images down to rank R",
                   "(1/R) Σ_{i≤R} rel_i · precision@i", metrics.mean_average_precision_at_r,
                   lambda k, most_relevant: most_relevant),
        MetricSpec("mrr", "reciprocal rank of the first relevant image, at any depth",
                   "1 / rank of the first relevant image", metrics.reciprocal_rank, _first,
                   needs_first_relevant=True),
        _cut("ndcg@k[relevance]", "discounted gain of relevant images, of the most there could be",
             "Σ_{i≤k} rel_i / log2(i+1), divided by Σ_{i≤min(k,R)} 1 / log2(i+1)",
             metrics.ndcg_of_relevance),
        _cut("ndcg@k[attributes]", "discounted gain of shared attributes, of k full matches",
             f"{gain}, divided by Σ_{{i≤k}} 1 / log2(i+1)",
             metrics.ndcg_of_attributes, needs_overlap=True),
        MetricSpec("ndcg@k[attributes:list-ideal]",
                   "discounted gain of shared attributes, of the same k images well ordered",
                   f"{gain}, divided by the same sum with the first k images sorted by gain",
                   metrics.ndcg_of_attributes_list_ideal, _at_k, needs_overlap=True),
        _cut("ndcg@k[attributes:gallery-ideal]",
             "discounted gain of shared attributes, of the best k images of the gallery",
             f"{gain}, divided by the same sum for the k images of the gallery that gain most",
             metrics.ndcg_of_attributes_gallery_ideal, needs_overlap=True,
             needs_best_overlap=True),
        _cut("iou@k", "likeness of attribute sets, mean over the first k images",
             "(1/k) Σ_{i≤k} |A_q ∩ A_i| / |A_q ∪ A_i|", metrics.iou, needs_overlap=True),
        MetricSpec("triplet-accuracy", "the positive is nearer to the anchor than the negative",
                   "1 if S(anchor, positive) > S(anchor, negative), else 0",
                   metrics.first_is_right, _first, kind="triplets"),
        MetricSpec("attribute-accuracy", "the value that is recognised is the image's own",
                   "1 if argmax_v score(v) = value, else 0",
                   metrics.first_is_right, _first, kind="recognition"),
    ]  # fmt: skip
