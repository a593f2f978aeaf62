from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from run_folders import write_run

from bench.comparison import Changed, Comparison, Part, compare
from bench.errors import RecordError, UnknownNameError
from bench.records import Record
from bench.statistics import bootstrap_intervals, holm, paired

WriteRun = Callable[..., Path]
NONE = {"backbone": {"source": "none", "weights": "random, seed 0"}}


@pytest.fixture
def write(tmp_path: Path, make_record: Callable[..., Record]) -> WriteRun:
    """Return a function that writes a run folder of a name, with values and changed facts."""

    def write_below(name: str, values: Any, **changes: Any) -> Path:
        return write_run(make_record, tmp_path / name, values, **changes)

    return write_below


def hits(*wrong: int, queries: int = 20) -> dict[str, np.ndarray]:
    """Return hit@1 of queries that all find what they look for, these aside."""
    return {"hit@1": np.where(np.isin(np.arange(queries), wrong), 0.0, 1.0)}


def test_two_runs_by_hand(write: WriteRun) -> None:
    # 20 queries; the second run loses queries 3, 4, 5 and wins query 0: 19/20 → 17/20
    first = write("a", hits(0), **NONE)
    second = write("b", hits(3, 4, 5))
    found = compare([first, second])
    assert (found.edition, found.protocol, found.queries) == ("clothing@full", "test-vs-train", 20)
    assert found.leading == "hit@1"
    one, other = found.entries
    assert (one.name, other.name) == ("pretrained, weights none", "pretrained, weights pretrained")
    assert (one.runs, one.seeds) == ([str(first)], [0])
    assert one.scores["hit@1"].mean == pytest.approx(0.95)
    [difference] = found.differences
    assert (difference.first, difference.second) == (one.name, other.name)
    assert difference.difference == pytest.approx(-0.1)
    # four queries differ: of 2^4 choices of signs, |sum| ≥ 2 in all but the 6 whose sum is 0
    assert difference.p == pytest.approx(10 / 16)
    assert difference.p_holm == difference.p
    assert {one.scores["hit@1"].groups, other.scores["hit@1"].groups} == {"a"}
    [changes] = found.changes
    assert changes.queries == [
        Changed("all", "q0", "", 0, 1),
        *(Changed("all", f"q{number}", "", 1, 0) for number in (3, 4, 5)),
    ]
    assert changes.tasks == changes.categories == []


def test_intervals_of_a_single_run_are_those_of_its_record(write: WriteRun) -> None:
    folder = write("a", hits(0, 1))
    found = compare([folder, write("b", hits(2), variant="wide")])
    stated = Record.read(folder / "record.json").tasks[0].metrics["hit@1"]
    score = found.entries[0].scores["hit@1"]
    assert (score.mean, score.low, score.high) == (stated.mean, stated.low, stated.high)
    assert score.seeds is None


def test_the_headline_comes_first_and_what_not_all_have_is_left_out(write: WriteRun) -> None:
    values = {"mrr": np.linspace(0, 1, 9), "hit@1": np.ones(9), "map@r": np.zeros(9)}
    folders = [
        write("a", values, headline="hit@1"),
        write("b", {n: values[n] for n in ("mrr", "hit@1")} | {"hit@5": np.ones(9)}, variant="b"),
    ]
    found = compare(folders)
    assert [*found.higher_is_better] == ["hit@1", "mrr"]
    assert found.left_out == ["map@r", "hit@5"]
    named = compare(folders, metrics=["mrr"])
    assert [*named.higher_is_better] == ["mrr"]
    assert {difference.metric for difference in named.differences} == {"mrr"}
    with pytest.raises(UnknownNameError, match=r"unknown metric of all these runs 'map@r'"):
        compare(folders, metrics=["map@r"])


def test_p_values_are_those_of_all_pairs_and_metrics_together(write: WriteRun) -> None:
    generator = np.random.default_rng(1)
    values = [
        {"hit@1": generator.integers(0, 2, 60) * 1.0, "mrr": generator.random(60) + 0.1 * shift}
        for shift in range(3)
    ]
    found = compare(
        [write(f"{number}", of_one, variant=f"v{number}") for number, of_one in enumerate(values)]
    )
    matrices = [np.column_stack([*of_one.values()]) for of_one in values]
    results = [paired(matrices[i], matrices[j]) for i, j in ((0, 1), (0, 2), (1, 2))]
    assert [d.p for d in found.differences] == [p for result in results for p in result.p]
    assert [d.low for d in found.differences] == [low for r in results for low in r.low]
    adjusted = holm(np.array([result.p for result in results])).ravel()
    assert [d.p_holm for d in found.differences] == adjusted.tolist()


def test_two_entries_share_a_letter_unless_they_differ_significantly(write: WriteRun) -> None:
    generator = np.random.default_rng(2)
    easy = generator.random(200)
    runs = {"good": easy + 0.3, "same": easy + 0.3 + generator.normal(0, 0.01, 200), "bad": easy}
    found = compare([write(name, {"mrr": values}, variant=name) for name, values in runs.items()])
    groups = {entry.name: entry.scores["mrr"].groups for entry in found.entries}
    assert groups == {
        "pretrained, variant good": "a",
        "pretrained, variant same": "a",
        "pretrained, variant bad": "b",
    }


def test_the_best_of_a_metric_where_lower_is_better_is_the_lowest(write: WriteRun) -> None:
    values = np.random.default_rng(3).random(50)
    folders = [
        write("a", {"rank": values + 1}, lower_is_better=["rank"]),
        write("b", {"rank": values}, lower_is_better=["rank"], variant="b"),
    ]
    found = compare(folders)
    assert [entry.scores["rank"].groups for entry in found.entries] == ["b", "a"]
    assert found.worse(["rank"], 0) == []
    assert compare(folders[::-1]).worse(["rank"], 0.5) != []


def test_runs_that_differ_only_by_seed_are_one_entry_with_both_spreads(write: WriteRun) -> None:
    generator = np.random.default_rng(4)
    queries = generator.random(40)
    seeds = [queries + shift for shift in (0.0, 0.1, 0.2)]
    folders = [
        write(f"a{n}", {"mrr": values}, seed=n, backbone={"weights": f"random, seed {n}"})
        for n, values in enumerate(seeds)
    ]
    found = compare([*folders, write("b", {"mrr": queries}, variant="b")])
    entry = found.entries[0]
    assert (entry.name, entry.seeds) == ("pretrained, variant default", [0, 1, 2])
    score = entry.scores["mrr"]
    assert score.mean == pytest.approx(queries.mean() + 0.1)
    # over queries: of the values averaged over seeds, which are as wide as those of one seed
    [(low, high)] = bootstrap_intervals(np.mean(seeds, axis=0)[:, None])
    assert (score.low, score.high) == (low, high)
    # over seeds: 0, 0.1, 0.2 above the first
    assert score.seeds is not None
    assert score.seeds.deviation == pytest.approx(0.1)
    assert score.seeds.highest - score.seeds.lowest == pytest.approx(0.2)
    assert score.seeds.means == pytest.approx([queries.mean() + shift for shift in (0, 0.1, 0.2)])
    assert found.differences[0].difference == pytest.approx(-0.1)
    assert found.entries[1].scores["mrr"].seeds is None


def test_seeds_of_one_setting_alone_are_one_entry_without_differences(write: WriteRun) -> None:
    found = compare([write("a", hits(0)), write("b", hits(1), seed=1)])
    assert len(found.entries) == 1
    assert found.differences == found.changes == []
    assert found.worse(["hit@1"], 0) == []


def test_the_same_seed_again_is_another_entry(write: WriteRun) -> None:
    found = compare([write(name, hits(0), seed=seed) for name, seed in
                     (("a0", 0), ("a1", 1), ("b0", 0), ("b1", 1))])  # fmt: skip
    assert [(entry.name, entry.seeds) for entry in found.entries] == [
        ("pretrained, run a0", [0, 1]),
        ("pretrained, run b0", [0, 1]),
    ]
    assert found.differences[0].difference == 0
    assert found.differences[0].p == 1


@pytest.mark.parametrize(
    ("changes", "ending"),
    [
        ({"recipe": {"stage": "blocks.5"}}, "stage=blocks.5"),
        ({"dataset": {"options": {"size": 3}}}, "option size=3"),
        ({"provenance": {"precision": "bf16"}}, "precision bf16"),
        ({"provenance": {"git_commit": "9" * 40}}, "commit 99999999"),
        ({"provenance": {"git_clean": False}}, "commit 55555555 with changes"),
        ({"provenance": {"versions": {"torch": "3.0"}}}, "version of torch 3.0"),
        ({"backbone": {"weights": "8" * 32}}, "digest of the weights " + "8" * 32),
    ],
)
def test_what_differs_beside_the_seed_makes_another_entry_and_names_it(
    changes: dict[str, Any], ending: str, write: WriteRun
) -> None:
    found = compare([write("a", hits(0)), write("b", hits(1), seed=1, **changes)])
    assert [entry.name.partition(", ")[2] == ending for entry in found.entries] == [False, True]


CATEGORIES = ["dress"] * 4 + ["shoes"] * 4 + ["hat"] * 4 + [""] * 2


def test_rankings_of_two_seeds_are_one_entry_though_their_files_differ(write: WriteRun) -> None:
    files = [{"backbone": {"weights": digit * 32}, "origin": "ranking"} for digit in "89"]
    found = compare(
        [write(f"{seed}", hits(seed), seed=seed, **facts) for seed, facts in enumerate(files)]
    )
    assert [entry.seeds for entry in found.entries] == [[0, 1]]


def test_wins_and_losses_by_category(write: WriteRun) -> None:
    names = {"category": CATEGORIES}
    found = compare(
        [
            write("a", hits(4, 5, 8, queries=14), names=names),
            # dress 4/4 → 1/4, shoes 2/4 → 4/4, hat 3/4 → 3/4 by another query
            write("b", hits(0, 1, 2, 9, 12, 13, queries=14), names=names, variant="b"),
        ]
    )
    assert found.changes[0].categories == [
        Part("dress", 4, 1.0, 0.25, "worse"),
        Part("shoes", 4, 0.5, 1.0, "better"),
        Part("hat", 4, 0.75, 0.75, "equal"),
    ]


def test_each_task_counts_the_same_and_photographs_are_drawn_whole(write: WriteRun) -> None:
    # two photographs that ask three times in one task and once in the other
    names = {"task": ["collar"] * 6 + ["sleeve"] * 2, "query": ["p"] * 3 + ["q"] * 3 + ["p", "q"],
             "target": ["a", "b", "c"] * 2 + ["", ""]}  # fmt: skip
    found = compare(
        [
            write("a", {"hit@1": [0, 0, 0, 0, 0, 0, 1, 1]}, names=names),
            write("b", {"hit@1": [1, 1, 1, 0, 0, 0, 1, 0]}, names=names, variant="b"),
        ]
    )
    [difference] = found.differences
    # collar 0 → 1/2, sleeve 1 → 1/2: the plain mean does not move
    assert difference.difference == 0
    assert difference.p == 1
    [changes] = found.changes
    assert changes.tasks == [
        Part("collar", 6, 0.0, 0.5, "better"),
        Part("sleeve", 2, 1.0, 0.5, "worse"),
    ]
    assert changes.queries[0] == Changed("collar", "p", "a", 0, 1)


def test_queries_that_changed_equally_are_ordered_by_the_other_metrics(write: WriteRun) -> None:
    first = {"hit@1": [1, 1, 0, 1], "mrr": [0.0, 0.0, 0.0, 0.0]}
    second = {"hit@1": [0, 0, 1, 1], "mrr": [0.1, 0.3, 0.2, 0.9]}
    folders = [write("a", first), write("b", second, variant="b")]
    [changes] = compare(folders).changes
    assert [query.query for query in changes.queries] == ["q1", "q2", "q0"]
    [changes] = compare(folders, queries=1).changes
    assert [query.query for query in changes.queries] == ["q1"]


def test_a_query_counts_where_it_counts_in_both(write: WriteRun) -> None:
    folders = [
        write("a", {"hit@1": [1, 0, np.nan, 1]}),
        write("b", {"hit@1": [0, 0, np.nan, np.nan]}, variant="b"),
    ]
    found = compare(folders)
    assert found.differences[0].queries == 2
    assert found.differences[0].difference == pytest.approx(-0.5)
    assert found.entries[1].scores["hit@1"].mean == 0


@pytest.mark.parametrize(
    ("threshold", "fails"), [(0.0, True), (0.09, True), (0.1, False), (0.2, False)]
)
def test_worse_is_a_difference_larger_than_the_threshold(
    threshold: float, fails: bool, write: WriteRun
) -> None:
    # 20 → 18 of 20: by 0.1, which in binary is a little more
    folders = [write("a", hits()), write("b", hits(1, 2), variant="b")]
    assert [found.second for found in compare(folders).worse(["hit@1"], threshold)] == (
        ["pretrained, variant b"] if fails else []
    )
    assert compare(folders[::-1]).worse(["hit@1"], threshold) == []


def test_only_the_first_run_is_what_others_are_held_against(write: WriteRun) -> None:
    runs = [write(name, hits(*wrong), variant=name)
            for name, wrong in (("a", [0, 1]), ("b", []), ("c", [5]))]  # fmt: skip
    found = compare(runs)
    assert found.worse(["hit@1"], 0) == []
    assert len(found.changes) == 2
    assert [changes.first for changes in found.changes] == [found.entries[0].name] * 2


def refused(*folders: Path) -> str:
    with pytest.raises(RecordError) as raised:
        compare(folders)
    message = str(raised.value)
    assert len(message.splitlines()) == 1
    return message


def test_runs_of_different_fingerprints_are_refused(write: WriteRun) -> None:
    other = write("b", hits(), protocol_fingerprint="7" * 32, protocol="leave-one-out")
    message = refused(write("a", hits()), other)
    assert "clothing@full test-vs-train, fingerprint 22222222" in message
    assert "clothing@full leave-one-out, fingerprint 77777777" in message


def test_an_altered_record_is_refused(write: WriteRun) -> None:
    folder = write("a", hits(0))
    file = folder / "record.json"
    file.write_text(file.read_text().replace("0.95", "0.96"))
    assert "was altered after the run" in refused(folder, write("b", hits()))


def test_values_that_are_not_the_records_are_refused(write: WriteRun) -> None:
    good, other = write("a", hits(0)), write("b", hits(0, 1))
    (good / "per_query.parquet").write_bytes((other / "per_query.parquet").read_bytes())
    assert "does not hold the queries and means" in refused(good, other)
    fewer = write("c", hits(queries=10))
    (fewer / "per_query.parquet").write_bytes(
        (write("d", hits()) / "per_query.parquet").read_bytes()
    )
    assert "does not hold the queries and means" in refused(fewer, other)


@pytest.mark.parametrize("content", [None, b"", b"PAR1 no table PAR1"])
def test_values_that_cannot_be_read_are_refused(content: bytes | None, write: WriteRun) -> None:
    folder = write("a", hits(0))
    (folder / "per_query.parquet").unlink()
    if content is not None:
        (folder / "per_query.parquet").write_bytes(content)
    assert "per_query.parquet cannot be read" in refused(folder, write("b", hits()))


def test_a_column_that_is_missing_or_no_number_is_refused(write: WriteRun) -> None:
    import pandas as pd

    folder, other = write("a", hits(0)), write("b", hits())
    table = pd.read_parquet(folder / "per_query.parquet")
    for broken in (table.drop(columns="hit@1"), table.assign(**{"hit@1": "x"})):
        broken.to_parquet(folder / "per_query.parquet")
        assert "per_query.parquet cannot be read" in refused(folder, other)


def test_other_queries_are_refused(write: WriteRun) -> None:
    names = {"query": [f"r{number}" for number in range(20)]}
    assert "are of other queries" in refused(write("a", hits()), write("b", hits(), names=names))


def test_one_run_or_one_run_twice_is_refused(write: WriteRun) -> None:
    folder = write("a", hits())
    assert refused(folder) == "1 run given; expected two or more to compare"
    assert "is given twice" in refused(folder, folder / "record.json")


def test_what_is_no_finished_run_is_refused(write: WriteRun, tmp_path: Path) -> None:
    folder = write("a", hits())
    (folder / "DONE").unlink()
    for place in (folder, tmp_path / "absent"):
        assert "is not a finished run" in refused(place, write("b", hits()))


def test_runs_without_a_metric_in_common_are_refused(write: WriteRun) -> None:
    message = refused(write("a", {"mrr": [1.0, 0]}), write("b", {"hit@1": [1.0, 0]}))
    assert message == "the runs have none of mrr, hit@1 in common; run each with the same --metric"


def test_the_same_runs_give_the_same_comparison(write: WriteRun) -> None:
    generator = np.random.default_rng(5)
    folders = [write(name, {"mrr": generator.random(300)}, variant=name) for name in "abc"]

    def once() -> Comparison:
        return compare(folders)

    assert once() == once()
    assert json.dumps([d.p for d in once().differences])
