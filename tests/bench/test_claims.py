from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from claim_plugin import write_plugin, write_toy_run
from hypothesis import given
from hypothesis import strategies as st

from bench.claim_checks import Comparison
from bench.claim_files import claims_of
from bench.claim_runs import in_folder
from bench.claims import PRECEDENCE, Decision, Verdicts, evaluate
from bench.errors import RecordError, UserError
from bench.plugins import Registry
from bench.records import Record
from bench.statistics import bootstrap_intervals, paired

IN_SHOP = {"dataset": "inshop", "protocol": "dress/dress-gallery"}
BIRDS = {"dataset": "cub200", "protocol": "fine"}
BETTER = {"kind": "better", **IN_SHOP, "these": ["good"], "than": ["base"], "metrics": ["hit@1"]}
QUERIES = 40
ONES, ZEROS = np.ones(QUERIES), np.zeros(QUERIES)
# of 40 queries a side that has these is better for every second one and else worse
MIXED = np.arange(QUERIES) % 2.0

Write = Callable[..., Path]
Check = Callable[..., Decision]


@pytest.fixture
def write(tmp_path: Path, make_record: Callable[..., Record]) -> Write:
    def write_below(values: Mapping[str, Any], **changes: Any) -> Path:
        return write_toy_run(make_record, tmp_path / "runs", values, **changes)

    return write_below


def verdicts(folder: Path, *claims: Sequence[Mapping[str, Any]], dataset: str = "") -> Any:
    registry = Registry.load([write_plugin(folder / "plugin", *claims)])
    method = registry.method("toy")
    of_method = claims_of(registry, method)
    return evaluate(method, of_method, registry, in_folder(folder / "runs"), dataset)


@pytest.fixture
def check(tmp_path: Path) -> Check:
    """Return a function that decides one claim with these checks in the only setting there is."""

    def decide(*checks: Mapping[str, Any]) -> Decision:
        [found] = verdicts(tmp_path, checks)
        [decision] = found.decisions
        assert isinstance(decision, Decision)
        return decision

    return decide


@pytest.mark.parametrize(
    ("good", "base", "changes", "verdict", "found"),
    [
        (ONES, ZEROS, {}, "held", "+1.0000 [+1.0000, +1.0000]"),
        (ZEROS, ONES, {}, "reversed", "-1.0000 [-1.0000, -1.0000]"),
        (ONES, ONES, {}, "undecided", "+0.0000 [+0.0000, +0.0000]"),
        (ONES, ONES, {"at_least_equal": True}, "held", "+0.0000 [+0.0000, +0.0000]"),
        (ZEROS, ONES, {"at_least_equal": True}, "reversed", "-1.0000 [-1.0000, -1.0000]"),
        (ONES * np.nan, ONES, {}, "not checkable", "no query counts in both"),
    ],
)
def test_better_by_hand(
    write: Write, check: Check, good: Any, base: Any, changes: Any, verdict: str, found: str
) -> None:
    write({"hit@1": good}, variant="good")
    write({"hit@1": base})
    decision = check(BETTER | changes)
    [comparison] = decision.comparisons
    assert (decision.verdict, comparison.verdict, comparison.found) == (verdict, verdict, found)
    assert decision.datasets == ["inshop@full"]
    assert comparison.what == "hit@1 in dress/dress-gallery: good − base"


def test_better_has_the_interval_of_compare_and_may_be_undecided(
    write: Write, check: Check
) -> None:
    folders = [write({"hit@1": MIXED}, variant="good"), write({"hit@1": MIXED[::-1]})]
    decision = check(BETTER)
    [found] = decision.comparisons
    expected = paired(MIXED[::-1, None], MIXED[:, None])
    assert (found.low, found.high) == (expected.low[0], expected.high[0])
    assert found.low is not None
    assert found.low < 0
    assert (decision.verdict, found.queries, found.value) == ("undecided", 40, 0)
    assert found.runs == [str(folder) for folder in folders]


def test_better_knows_that_lower_may_be_better(write: Write, check: Check) -> None:
    for variant, rank in (("good", 1.0), ("base", 3.0)):
        values = {"toy-rank": ONES * rank}
        write(values, variant=variant, lower_is_better=["toy-rank"])
    decision = check(BETTER | {"metrics": ["toy-rank"]})
    assert (decision.verdict, decision.decisive.value) == ("held", 2)


def test_values_are_averaged_over_seeds(write: Write, check: Check) -> None:
    write({"hit@1": MIXED}, variant="good", seed=0)
    write({"hit@1": 1 - MIXED}, variant="good", seed=1)
    write({"hit@1": ONES * 0.25})
    [found] = check(BETTER).comparisons
    assert (found.value, found.low, found.high) == (0.25, 0.25, 0.25)
    assert len(found.runs) == 3


def test_every_pair_of_sides_and_each_metric_counts(write: Write, check: Check) -> None:
    write({"hit@1": ONES, "map@r": ONES}, variant="good")
    write({"hit@1": ZEROS, "map@r": ZEROS})
    write({"hit@1": ZEROS + 0.5, "map@r": ONES * 2}, variant="wide")
    decision = check(BETTER | {"than": ["base", "wide"], "metrics": ["hit@1", "map@r"]})
    assert [found.verdict for found in decision.comparisons] == ["held", "held", "held", "reversed"]
    assert decision.verdict == "reversed"
    assert decision.decisive.what == "map@r in dress/dress-gallery: good − wide"


RATIO = BETTER | {"kind": "ratio", "at_least": 1.5}


@pytest.mark.parametrize(
    ("at_least", "verdict"), [(1.5, "held"), (1.9999, "held"), (2.5, "reversed")]
)
def test_a_ratio_is_of_paired_means(
    write: Write, check: Check, at_least: float, verdict: str
) -> None:
    # twice as good for each query: whichever queries are drawn, the ratio is 2
    values = np.random.default_rng(0).random(QUERIES)
    write({"hit@1": 2 * values}, variant="good")
    write({"hit@1": values})
    decision = check(RATIO | {"at_least": at_least})
    found = decision.decisive
    assert (found.value, found.low, found.high) == pytest.approx((2, 2, 2), abs=1e-12)
    assert (decision.verdict, found.threshold, found.queries) == (verdict, at_least, QUERIES)
    assert found.found == f"2.00 [2.00, 2.00], to exceed {at_least:g}"


def test_a_ratio_may_be_undecided_and_needs_a_divisor(write: Write, check: Check) -> None:
    write({"hit@1": MIXED + 1}, variant="good")
    write({"hit@1": ONES})
    undecided = check(RATIO)  # 1.5, and half of the queries above it
    assert (undecided.verdict, undecided.decisive.value) == ("undecided", 1.5)
    write({"hit@1": ZEROS}, finished="2025-02-01T00:00:00+00:00", folder="later")
    decision = check(RATIO)
    assert decision.verdict == "not checkable"
    assert decision.decisive.found == "the mean of base is 0 or near it: nothing to divide by"


def test_a_ratio_counts_queries_that_count_in_both(write: Write, check: Check) -> None:
    write({"hit@1": [0.8, 0.8, np.nan, 0.8]}, variant="good")
    write({"hit@1": [0.4, 0.4, 0.1, np.nan]})
    found = check(RATIO).decisive
    assert (found.value, found.queries) == (2, 2)


def test_a_ratio_draws_photographs_and_averages_over_tasks(write: Write, check: Check) -> None:
    # 30 photographs; the first task asks about 20 of them, twice each, the second about all
    tasks = ["sleeve"] * 40 + ["collar"] * 30
    photographs = [*np.repeat(np.arange(20), 2), *range(30)]
    values = np.random.default_rng(1).random(70) + np.array(photographs) / 30
    values[[3, 50]] = np.nan
    names = {"task": tasks, "query": [f"{n}.jpg" for n in photographs],
             "target": [str(n % 2) for n in range(70)]}  # fmt: skip
    write({"hit@1": values}, variant="good", names=names)
    write({"hit@1": np.ones(70)}, names=names)
    found = check(RATIO).decisive
    assert found.value == pytest.approx((np.nanmean(values[:40]) + np.nanmean(values[40:])) / 2)
    of_tasks = np.unique(tasks, return_inverse=True)[1]
    [expected] = bootstrap_intervals(
        values[:, None], clusters=np.array(photographs, np.int64), tasks=of_tasks, seed=9
    )
    assert [found.low, found.high] == pytest.approx(expected, abs=0.02)
    assert found.queries == 68


CLOSE = BETTER | {"kind": "close", "within": 0.1}


@pytest.mark.parametrize(
    ("good", "base", "verdict"),
    [(0.55, 0.5, "held"), (0.5, 0.55, "held"), (0.75, 0.5, "reversed"), (0.5, 0.75, "reversed")],
)
def test_means_are_close_on_either_side(
    write: Write, check: Check, good: float, base: float, verdict: str
) -> None:
    write({"hit@1": ONES * good}, variant="good")
    write({"hit@1": ONES * base})
    decision = check(CLOSE)
    assert (decision.verdict, decision.decisive.value) == (verdict, pytest.approx(good - base))
    assert decision.decisive.found.endswith("], to lie within ±0.1")


def test_close_is_undecided_where_the_interval_reaches_beyond(write: Write, check: Check) -> None:
    write({"hit@1": MIXED}, variant="good")
    write({"hit@1": MIXED[::-1]})
    assert check(CLOSE).verdict == "undecided"


SIZES = {"task": ["1/2"] * 20 + ["1"] * 20, "query": [f"{n}.jpg" for n in range(20)] * 2,
         "target": [""] * 40}  # fmt: skip
GROWTH = BETTER | {"kind": "growth"}


def of_sizes(small: float, large: float) -> Any:
    """Return values of 20 queries with these means on the small and on the large gallery."""
    return np.r_[np.arange(20) < 20 * small, np.arange(20) < 20 * large].astype(np.float64)


@pytest.mark.parametrize(("small", "verdict"), [(0.5, "held"), (1.0, "reversed")])
def test_growth_is_a_share_of_the_value_on_the_last_task(
    write: Write, check: Check, small: float, verdict: str
) -> None:
    write({"hit@1": of_sizes(small, 0.5)}, variant="good", names=SIZES)
    write({"hit@1": of_sizes(0.75, 0.5)}, names=SIZES)  # half as much again
    decision = check(GROWTH)
    found = decision.decisive
    assert (decision.verdict, found.queries) == (verdict, 20)
    assert found.value == pytest.approx(0.5 - (small / 0.5 - 1))
    assert found.what == "growth of hit@1 in dress/dress-gallery: base − good"
    # by itself: the same photographs drawn for all four means
    generator, drawn = np.random.default_rng(3), []
    for _ in range(4000):
        rows = generator.integers(20, size=20)
        base, good = of_sizes(0.75, 0.5), of_sizes(small, 0.5)
        last = base[20:][rows].mean()
        if last:
            drawn.append((base[rows].mean() - good[rows].mean()) / last)
    assert [found.low, found.high] == pytest.approx(np.quantile(drawn, [0.025, 0.975]), abs=0.1)


def test_two_growths_may_be_claimed_to_be_close(write: Write, check: Check) -> None:
    write({"hit@1": of_sizes(0.75, 0.5)}, variant="good", names=SIZES)
    write({"hit@1": of_sizes(0.75, 0.5)}, names=SIZES)
    assert check(GROWTH | {"within": 0.1}).verdict == "held"
    assert check(GROWTH).verdict == "undecided"


def test_growth_needs_two_galleries_and_a_value_on_the_last(write: Write, check: Check) -> None:
    write({"hit@1": of_sizes(0.5, 0.0)}, variant="good", names=SIZES)
    write({"hit@1": of_sizes(0.5, 0.5)}, names=SIZES)
    decision = check(GROWTH)
    assert decision.verdict == "not checkable"
    assert "good or base on the last task is 0" in decision.decisive.found
    birds = GROWTH | BIRDS
    for variant in ("good", "base"):
        write({"hit@1": ONES}, variant=variant, **BIRDS)
    assert "expected a protocol with several galleries" in check(birds).decisive.found


def test_a_side_may_be_of_another_method_in_its_own_recipe(write: Write, tmp_path: Path) -> None:
    rival = {"method": "rival", "variant": "old"}
    write({"hit@1": ONES}, variant="good", edition="mini", budget="mini")
    # the rival has no budget mini
    write({"hit@1": ZEROS}, method="rival", variant="old", edition="mini")
    write({"hit@1": ONES}, method="rival", variant="old")  # of the full edition
    write({"hit@1": ONES}, method="rival", variant="old", edition="mini", folder="changed",
          recipe={"stage": "wide"})  # fmt: skip
    [found] = verdicts(tmp_path, [BETTER | {"than": [rival]}])
    [decision] = found.decisions
    assert (decision.verdict, found.runs) == ("held", 2)
    assert decision.decisive.what.endswith("good − rival old")
    with pytest.raises(UserError, match="unknown variant of rival 'new'"):
        verdicts(tmp_path, [BETTER | {"than": [rival | {"variant": "new"}]}])


def quantity(place: Mapping[str, str], **sides: Any) -> dict[str, Any]:
    return {**sides, **place}


@pytest.mark.parametrize(("dress", "bird", "verdict"), [(0.9, 0.3, "held"), (0.3, 0.9, "reversed")])
def test_larger_compares_two_places(
    write: Write, check: Check, dress: float, bird: float, verdict: str
) -> None:
    write({"hit@1": [dress] * 30}, variant="good")
    write({"hit@1": [bird] * 20}, variant="good", **BIRDS, protocol_fingerprint="7" * 32)
    decision = check(
        {"kind": "larger", "metrics": ["hit@1"], "this": quantity(IN_SHOP, of="good"),
         "than": quantity(BIRDS, of="good")}
    )  # fmt: skip
    found = decision.decisive
    assert (found.value, found.low, found.high) == pytest.approx([dress - bird] * 3)
    assert (decision.verdict, found.queries) == (verdict, 50)
    assert decision.datasets == ["inshop@full", "cub200@full"]


def test_two_places_are_drawn_independently(write: Write, check: Check) -> None:
    write({"hit@1": MIXED}, variant="good")
    write({"hit@1": MIXED}, variant="good", **BIRDS)
    found = check(
        {"kind": "larger", "metrics": ["hit@1"], "this": quantity(IN_SHOP, of="good"),
         "than": quantity(BIRDS, of="good")}
    ).decisive  # fmt: skip
    # the variances of two means add up: 2 · 0.25 / 40; drawn together, the interval would be empty
    assert found.low is not None
    assert found.high is not None
    width = 2 * 1.96 * np.sqrt(2 * 0.25 / QUERIES)
    assert found.high - found.low == pytest.approx(width, rel=0.1)
    assert found.verdict == "undecided"


def test_larger_compares_gains_also_of_one_place(write: Write, check: Check) -> None:
    for variant, value in (("good", MIXED + 0.5), ("wide", MIXED + 0.2), ("base", MIXED)):
        write({"hit@1": value}, variant=variant)
    decision = check(
        {"kind": "larger", "metrics": ["hit@1"], "this": quantity(IN_SHOP, of="good", over="base"),
         "than": quantity(IN_SHOP, of="wide", over="base")}
    )  # fmt: skip
    found = decision.decisive
    # paired: each query's gains differ by 0.3
    assert (found.value, found.low, found.high) == pytest.approx((0.3, 0.3, 0.3))
    assert found.what == (
        "hit@1: good − base in inshop dress/dress-gallery against wide − base in inshop "
        "dress/dress-gallery"
    )


def test_where_no_query_of_one_place_counts_nothing_is_larger(write: Write, check: Check) -> None:
    write({"hit@1": ONES}, variant="good")
    write({"hit@1": ONES * np.nan}, variant="good", **BIRDS)
    decision = check(
        {"kind": "larger", "metrics": ["hit@1"], "this": quantity(IN_SHOP, of="good"),
         "than": quantity(BIRDS, of="good")}
    )  # fmt: skip
    assert decision.verdict == "not checkable"


EVERY = {"kind": "every-query", **IN_SHOP, "these": ["good"], "metrics": ["iou@1"],
         "at_least": ["precision@1"]}  # fmt: skip
COARSE = {"kind": "every-query", "dataset": "cub200", "protocol": "coarse", "in_protocol": "fine",
          "these": ["good"], "metrics": ["hit@1"], "at_least": ["hit@1"]}  # fmt: skip


def test_every_query_is_counted(write: Write, check: Check) -> None:
    write({"iou@1": [0.5, 1, 0, np.nan], "precision@1": [0, 1, 0, 1]}, variant="good")
    decision = check(EVERY)
    assert (decision.verdict, decision.decisive.found) == ("held", "all 3 queries")
    write({"iou@1": [0.5, 1, 0.9, 0], "precision@1": [0, 1, 1, 1]}, variant="good", seed=1)
    decision = check(EVERY)  # with the other seed it fails, whatever the mean over both says
    assert (decision.verdict, decision.decisive.found) == ("reversed", "below for 1 of 3 queries")
    assert (decision.decisive.value, decision.decisive.queries) == (1, 3)


def test_every_query_finds_the_same_queries_in_another_protocol(write: Write, check: Check) -> None:
    coarse = {"task": ["coarse"] * 3, "query": ["a", "b", "c"]}
    fine = {"task": ["fine"] * 3, "query": ["c", "a", "b"]}
    birds = {"variant": "good", "dataset": "cub200"}
    write({"hit@1": [1, 0, 1]}, names=coarse, protocol="coarse", **birds)
    write({"hit@1": [0, 1, 0]}, names=fine, protocol="fine", **birds)
    decision = check(COARSE)
    assert (decision.verdict, decision.decisive.found) == ("held", "all 3 queries")
    assert len(decision.decisive.runs) == 2
    write({"hit@1": [0, 0, 1]}, names=fine, protocol="fine", folder="later", **birds,
          finished="2025-02-01T00:00:00+00:00")  # fmt: skip
    decision = check(COARSE)
    assert (decision.verdict, decision.decisive.found) == ("reversed", "below for 1 of 3 queries")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"names": {"query": ["a", "b", "z"]}}, "do not ask the same queries, each once"),
        ({"names": {"query": ["a", "b", "b"]}}, "do not ask the same queries, each once"),
        ({"names": {"query": ["a", "b", "c"]}, "seed": 3}, "have no seed in common in coarse and"),
    ],
)
def test_other_queries_or_seeds_are_not_compared(
    write: Write, check: Check, changes: Any, message: str
) -> None:
    birds = {"variant": "good", "dataset": "cub200"}
    write({"hit@1": [1, 0, 1]}, names={"query": ["a", "b", "c"]}, protocol="coarse", **birds)
    write({"hit@1": [1, 0, 1]}, protocol="fine", **birds, **changes)
    decision = check(COARSE)
    assert decision.verdict == "not checkable"
    assert message in decision.decisive.found


CURVE = {"kind": "curve", **IN_SHOP, "these": ["good"], "metric": "precision@4"}


@pytest.mark.parametrize(
    ("shape", "curve", "verdict", "found"),
    [
        ("falls", [0.9, 0.5, 0.5, 0.1, 0.8], "held", "all 3 k"),
        ("falls", [0.9, 0.5, 0.6, 0.1], "undecided", "rises at 1 of 3 k: 3"),
        ("falls", [0.1, 0.2, 0.3, 0.4], "reversed", "rises at 3 of 3 k: 2, 3, 4"),
        ("rises", [0.1, 0.2, 0.2, 0.4], "held", "all 3 k"),
        ("rises", [0.1, 0.2, 0.1, 0.4], "undecided", "falls at 1 of 3 k: 3"),
        ("falls", [0.9, 0.5, 0.4], "not checkable", "has no curve of precision from 1 to 4"),
        ("falls", [np.nan] * 4, "not checkable", "has no curve of precision from 1 to 4"),
    ],
)
def test_a_curve_falls_or_rises(
    write: Write, check: Check, shape: str, curve: Any, verdict: str, found: str
) -> None:
    write({"hit@1": ONES}, variant="good", curves={"precision": curve})
    decision = check(CURVE | {"shape": shape})
    assert decision.verdict == verdict
    assert found in decision.decisive.found


@pytest.mark.parametrize(
    ("good", "verdict", "found"),
    [
        ([0.5, 0.6, 0.7, 0.8], "held", "all 4 k"),
        ([0.4, 0.7, 0.8, 0.9], "undecided", "behind at 1 of 4 k: 1"),
        ([0.4, 0.5, 0.6, 0.7], "reversed", "behind at 4 of 4 k: 1, 2, 3, 4"),
    ],
)
def test_a_curve_leads_another(
    write: Write, check: Check, good: Any, verdict: str, found: str
) -> None:
    write({"hit@1": ONES}, variant="good", curves={"precision": good})
    write({"hit@1": ONES}, curves={"precision": [0.5, 0.6, 0.7, 0.8]})
    decision = check(CURVE | {"shape": "leads", "than": ["base"]})
    assert (decision.verdict, decision.decisive.found) == (verdict, found)


def test_a_fact_of_runs_is_decided_of_each_seed(write: Write, check: Check) -> None:
    of_runs = {"kind": "run-fact", "dataset": "inshop", "protocol": "dress/dress-gallery",
               "these": ["good"], "function": "bench_plugin_toy_claims:seed_is_even"}  # fmt: skip
    assert check(of_runs).verdict == "not checkable"
    for seed in (0, 2):
        write({"hit@1": ONES}, variant="good", seed=seed)
    decision = check(of_runs)
    assert decision.verdict == "held"
    assert {one.found for one in decision.comparisons} == {"seed 0", "seed 2"}
    write({"hit@1": ONES}, variant="good", seed=1)
    decision = check(of_runs)
    assert (decision.verdict, decision.decisive.found) == ("reversed", "seed 1")


def test_facts_and_claims_that_no_run_decides_need_no_run(tmp_path: Path) -> None:
    fact = {"kind": "fact", "function": "bench_plugin_toy_claims:holds"}
    never = {"kind": "not-checkable", "why": "a figure without values"}
    (tmp_path / "runs").mkdir()
    [found] = verdicts(tmp_path, [fact], [never], [BETTER])
    assert found.runs == 0
    held, not_checkable, lacking = found.decisions
    assert (held.verdict, held.decisive.found) == ("held", "39.3 [times] smaller")
    assert (not_checkable.verdict, not_checkable.decisive.found) == (
        "not checkable", "a figure without values",
    )  # fmt: skip
    assert (held.datasets, not_checkable.datasets) == ([], [])
    assert lacking.decisive.found == (
        "no run of variant good on inshop@full, protocol dress/dress-gallery"
    )


@given(st.lists(st.sampled_from(PRECEDENCE), min_size=1))
def test_one_rule_makes_a_verdict_of_comparisons(found: list[Any]) -> None:
    verdict = min(found, key=PRECEDENCE.index)
    if "reversed" in found:
        assert verdict == "reversed"
    elif "not checkable" in found:
        assert verdict == "not checkable"
    else:
        assert verdict == ("held" if {*found} == {"held"} else "undecided")
    comparisons = [
        Comparison(str(n), one, "", value=0, low=-n / 7, high=1, threshold=0)
        for n, one in enumerate(found)
    ]
    decision = Decision("C-1", "", "", "", [], verdict, comparisons)
    last = max(n for n, one in enumerate(found) if one == verdict)
    assert decision.decisive.what == str(last)  # the one whose interval reaches lowest


def test_what_lacks_its_runs_is_not_checkable_unless_another_is_reversed(
    write: Write, check: Check
) -> None:
    write({"hit@1": ONES}, variant="good")
    write({"hit@1": ZEROS})
    both = BETTER | {"than": ["base", "wide"]}
    decision = check(both)
    assert [found.verdict for found in decision.comparisons] == ["held", "not checkable"]
    assert decision.verdict == "not checkable"
    assert decision.decisive.found == (
        "no run of variant wide on inshop@full, protocol dress/dress-gallery"
    )
    assert check(both | {"these": ["base"], "than": ["good", "wide"]}).verdict == "reversed"


def test_a_claim_about_two_datasets_has_a_verdict_for_each(write: Write, tmp_path: Path) -> None:
    for place, better in ((IN_SHOP, ONES), (BIRDS, ZEROS)):
        write({"hit@1": better}, variant="good", **place)
        write({"hit@1": 1 - better}, **place)
    claim = [BETTER, BETTER | BIRDS, BETTER | {"metrics": ["hit@1"]}]
    [found] = verdicts(tmp_path, claim)
    assert [(one.datasets, one.verdict, len(one.comparisons)) for one in found.decisions] == [
        (["inshop@full"], "held", 2), (["cub200@full"], "reversed", 1),
    ]  # fmt: skip
    [found] = verdicts(tmp_path, claim, dataset="cub200")
    assert [one.datasets for one in found.decisions] == [["cub200@full"]]
    assert found.runs == 2


def test_runs_of_different_settings_are_never_compared(write: Write, tmp_path: Path) -> None:
    write({"hit@1": ONES}, variant="good")
    write({"hit@1": ZEROS}, recipe={"inner": {"epochs": 3}})
    write({"hit@1": ZEROS}, folder="mini", edition="mini", budget="mini")
    write({"hit@1": ZEROS}, folder="bf16", provenance={"precision": "bf16"})
    write({"hit@1": ZEROS}, folder="high", data={"options": {"resolution": "high"}})
    found: list[Verdicts] = verdicts(tmp_path, [BETTER])
    shown = [
        (one.setting.edition, one.setting.budget, one.setting.precision, one.setting.recipe,
         one.setting.options, one.runs, one.decisions[0].verdict) for one in found
    ]  # fmt: skip
    lacking = "not checkable"
    assert shown == [
        ("full", "full", "bf16", {}, {}, 1, lacking),
        ("full", "full", "fp32", {"inner.epochs": 3}, {}, 1, lacking),
        ("full", "full", "fp32", {}, {"resolution": "high"}, 1, lacking),
        ("full", "full", "fp32", {}, {}, 1, lacking),
        ("mini", "mini", "fp32", {}, {}, 1, lacking),
    ]


def test_a_side_may_set_fields_of_the_recipe(write: Write, check: Check) -> None:
    write({"hit@1": ONES}, variant="good", recipe={"stage": "wide"})
    changed = {"variant": "good", "set": {"inner": {"epochs": 3}}}
    write({"hit@1": ZEROS}, variant="good", folder="b",
          recipe={"stage": "wide", "inner": {"epochs": 3}})  # fmt: skip
    decision = check(BETTER | {"than": [changed]})
    assert decision.verdict == "held"  # in the setting stage=wide, which both share
    assert decision.decisive.what.endswith("good − good with inner.epochs=3")


def test_options_that_are_the_defaults_make_no_setting(write: Write, check: Check) -> None:
    write({"hit@1": ONES}, variant="good", data={"options": {"resolution": "low"}})
    write({"hit@1": ZEROS})
    assert check(BETTER).verdict == "held"


def test_the_last_run_of_a_seed_counts(write: Write, check: Check) -> None:
    write({"hit@1": ONES}, variant="good", folder="b", finished="2025-03-01T00:00:00+00:00")
    write({"hit@1": ZEROS}, variant="good", folder="a", finished="2025-03-02T00:00:00+00:00")
    write({"hit@1": ONES * 0.5})
    decision = check(BETTER)
    assert decision.verdict == "reversed"
    assert [Path(run).name for run in decision.decisive.runs] == [
        "a",
        "dress--dress-gallery--seed0",
    ]


def test_a_metric_may_be_in_an_earlier_run_or_in_none(write: Write, check: Check) -> None:
    write({"hit@1": ONES, "hit@3": ONES}, variant="good", folder="a")
    write({"hit@1": ZEROS}, variant="good", folder="b", finished="2025-03-02T00:00:00+00:00")
    write({"hit@1": ZEROS, "hit@3": ZEROS})
    assert check(BETTER | {"metrics": ["hit@3"]}).verdict == "held"
    decision = check(BETTER | {"metrics": ["hit@4"]})
    assert decision.decisive.found == (
        "no run of variant good on inshop@full, protocol dress/dress-gallery has hit@4; "
        "run again with --metric hit@4"
    )


def test_runs_of_another_fingerprint_are_not_compared(write: Write, check: Check) -> None:
    write({"hit@1": ONES}, variant="good", protocol_fingerprint="7" * 32)
    write({"hit@1": ZEROS})
    decision = check(BETTER)
    assert decision.verdict == "not checkable"
    assert "only runs of one fingerprint can be compared" in decision.decisive.found


def test_what_is_no_run_of_the_method_is_left_out(write: Write, tmp_path: Path) -> None:
    write({"hit@1": ONES}, variant="good")
    write({"hit@1": ZEROS}, variant="gone")
    write({"hit@1": ZEROS}, folder="ranking", origin="ranking")
    write({"hit@1": ZEROS}, folder="fields", recipe={"removed": 1})
    write({"hit@1": ZEROS}, folder="elsewhere", protocol="all/all-gallery")
    unfinished = write({"hit@1": ZEROS}, folder="unfinished")
    (unfinished / "DONE").unlink()
    [found] = verdicts(tmp_path, [BETTER])
    assert found.runs == 1
    assert found.decisions[0].decisive.found.startswith("no run of variant base")


def test_values_that_were_altered_are_not_believed(write: Write, tmp_path: Path) -> None:
    import pandas as pd

    folder = write({"hit@1": ONES}, variant="good")
    write({"hit@1": ZEROS})
    table = pd.read_parquet(folder / "per_query.parquet")
    table["hit@1"] = 0.5
    table.to_parquet(folder / "per_query.parquet")
    [found] = verdicts(tmp_path, [BETTER])
    assert found.decisions[0].verdict == "not checkable"
    assert "does not hold the queries and means" in found.decisions[0].decisive.found
    record = folder / "record.json"
    record.write_text(record.read_text().replace("Linux x86_64", "another"))
    with pytest.raises(RecordError, match="was altered after the run"):
        verdicts(tmp_path, [BETTER])


def test_a_substitute_of_the_backbone_is_named(write: Write, tmp_path: Path) -> None:
    write({"hit@1": ONES}, variant="good", backbone={"name": "small", "substitute_for": "vgg16"})
    [found] = verdicts(tmp_path, [BETTER])
    assert found.backbones == ["small in the place of vgg16"]


@pytest.mark.parametrize(
    ("check", "message"),
    [
        (BETTER | {"these": ["god"]}, "claim C-1, check 1: unknown variant of toy 'god'; did you "
                                      "mean good?"),
        (BETTER | {"than": [{"variant": "base", "set": {"inner.epoch": 1}}]},
         "unknown recipe field of toy 'inner.epoch'; did you mean inner.epochs"),
        (BETTER | {"than": [{"variant": "base", "set": {"inner": {"epochs": "many"}}}]},
         "recipe field inner.epochs of toy is 'many'"),
        (BETTER | {"dataset": "inshopp"}, "unknown dataset 'inshopp'; did you mean inshop"),
        (BETTER | {"protocol": "dress/dres-gallery"},
         "unknown protocol of inshop 'dress/dres-gallery'; did you mean dress/dress-gallery"),
        (BETTER | {"metrics": ["hitt@1"]}, "unknown metric 'hitt@1'; did you mean hit@1"),
        (BETTER | {"metrics": []}, "claim C-1, check 1, metrics: "),
        (BETTER | {"metrix": ["hit@1"]}, "claim C-1, check 1, metrix: extra inputs are not perm"),
        (BETTER | {"kind": "bettr"}, "claim C-1, check 1: input tag 'bettr' found using 'kind' "),
        (BETTER | {"these": [{"set": {"stage": "x"}}]},
         "claim C-1, check 1, these 1, variant: field required"),
        (RATIO | {"at_least": 0}, "claim C-1, check 1, at_least: input should be greater than 0"),
        (CURVE | {"shape": "leads"}, "claim C-1, check 1: `than` belongs to the shape leads"),
        (CURVE | {"shape": "falls", "metric": "mrr"}, "metric mrr has no curve to compare"),
        (EVERY | {"at_least": ["hit@1", "hit@5"]}, "1 metrics and 2 in at_least; expected pairs"),
        ({"kind": "larger", "metrics": ["hit@1"], "than": quantity(IN_SHOP, of="base"),
          "this": quantity(BIRDS, of="good", over="base")}, "must both have `over`, or neither"),
        ({"kind": "fact", "function": "bench_plugin_toy_claims:gone"},
         "function bench_plugin_toy_claims:gone: module 'bench_plugin_toy_claims' has no attrib"),
        ({"kind": "fact", "function": "no_such_module:f"}, "No module named 'no_such_module'"),
        ({"kind": "not-checkable", "why": "one line\nand another"}, "check 1, why: string should"),
    ],
)  # fmt: skip
def test_a_wrong_claim_ends_in_one_line(tmp_path: Path, check: Any, message: str) -> None:
    registry = Registry.load([write_plugin(tmp_path, [check])])
    with pytest.raises(UserError) as raised:
        claims_of(registry, registry.method("toy"))
    assert message in str(raised.value)
    assert str(raised.value).startswith(f"{tmp_path}/claims.toml: claim C-1, check 1")
    assert len(str(raised.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("pattern", "replacement", "message"),
    [
        ('"C-2"', '"C-1"', "claims.toml: claim C-1 stands twice"),
        (r"\[\[claim\]\]", "[[claim]", r"claims.toml: Expected ']]' at the end of an array decl"),
        ('text = "the .1. claim"', "", "claims.toml: claim C-1, text: field required"),
        ('id = "C-2"', "", "claims.toml: claim 2, id: field required"),
        ('method = "toy"', "", "claims.toml: method: field required"),
        ('method = "toy"', 'method = "tyo"', "unknown method 'tyo'; did you mean toy?"),
        ('source = "Table I"', 'source = "Table\\\\nI"', "claim C-1, source: string should match"),
        ('"Table I"', '"Tabl\udce9 I"', "claims.toml: 'utf-8' codec can't decode byte 0xe9"),
    ],
)
def test_a_broken_file_ends_in_one_line(
    tmp_path: Path, pattern: str, replacement: str, message: str
) -> None:
    registry = Registry.load([write_plugin(tmp_path, [BETTER], [BETTER])])
    file = tmp_path / "claims.toml"
    broken = re.sub(pattern, replacement, file.read_text(), count=1)
    file.write_text(broken, errors="surrogateescape")
    with pytest.raises(UserError) as raised:
        claims_of(registry, registry.method("toy"))
    assert message in str(raised.value)
    assert len(str(raised.value).splitlines()) == 1


def test_a_method_without_a_file_or_beside_anothers_has_no_claims(tmp_path: Path) -> None:
    registry = Registry.load([write_plugin(tmp_path, [BETTER])])
    assert claims_of(registry, registry.method("pretrained")) == ()
    file = tmp_path / "claims.toml"
    file.write_text(file.read_text().replace('method = "toy"', 'method = "pretrained"'))
    assert claims_of(registry, registry.method("toy")) == ()


def test_the_claims_of_every_method_are_well_formed() -> None:
    registry = Registry.load()
    found = {name: claims_of(registry, spec) for name, spec in registry.all("methods").items()}
    for name, start, count in (
        ("multiattrib", "M", 16), ("darn", "D", 18), ("fashionsearchnet", "F", 20)
    ):  # fmt: skip
        assert [claim.id for claim in found[name]] == [f"{start}-{n}" for n in range(1, count + 1)]
    expected = [*(f"T-{n}" for n in range(1, 17)), "X-1", "X-2", "X-3"]
    assert [claim.id for claim in found["mtl-csn"]] == expected
    [fact] = [check for claim in found["mtl-csn"] for check in claim.checks
              if check.kind == "fact"]  # fmt: skip
    assert fact.load()() == ("held", "labels of attribute 2: gradients in the heads of 2")
    [fact] = [check for claim in found["fashionsearchnet"] for check in claim.checks
              if check.kind == "fact"]  # fmt: skip
    assert fact.load()()[0] == "held"
    for claim in found["multiattrib"]:
        for check in claim.checks:
            if check.kind == "fact":
                verdict, text = check.load()()
                assert verdict in PRECEDENCE
                assert "39.3 for 300" in text
                assert "7.6" in text
