"""Rankings by ids become positions: the same from every form of file; what is strange is named."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench import given_rankings
from bench.catalog import Attribute, AttributeSchema, Catalog
from bench.errors import DataError, IncompatibleError
from bench.given_rankings import GivenRanking, read_rankings
from bench.plugins import Registry
from bench.protocols import Condition, Protocol, by_code
from bench.ranking_files import RankingFile, trec_name
from bench.tasks import AnyTask, RecognitionTask, Task, TripletTask

METRIC = Registry.load().metric
IDS = ["q 0", "q;1", "g0", "g1", "g2", "g%3"]
QUERIES, GALLERY = np.arange(2), np.arange(1, 6)  # q;1 stands in the gallery too
CODES = np.array([0, 1, 0, 1, 0, 2])


def catalog() -> Catalog:
    schema = AttributeSchema((Attribute("collar", ("round", "v-neck")),))
    present = np.zeros((len(IDS), 2), np.uint8)
    known = np.zeros((len(IDS), 1), np.bool_)
    columns = {"path": [f"{n}.jpg" for n in range(len(IDS))], "id": IDS}
    return Catalog.from_columns(
        "toy", Path("nowhere"), columns, schema=schema, present=present, known=known
    )


def protocol(*tasks: AnyTask) -> Protocol:
    plain = by_code("all", CODES, QUERIES, GALLERY)
    return Protocol("p", "", tasks or (plain,), ("hit@1",), "hit@1")


def read(
    text: str, *tasks: AnyTask, name: str = "a.csv", notices: list[str] | None = None
) -> list[GivenRanking]:
    file = Path(os.environ["BENCH_CACHE"]).parent / name
    file.write_text(text)
    notice = [].append if notices is None else notices.append
    return read_rankings(RankingFile(file), protocol(*tasks), catalog(), notice)


def matrix(ranking: GivenRanking) -> list[list[int]]:
    """Return the positions of each query, -1 where the file has no more."""
    blocks = ranking.rank(depth=max(ranking.listed), first_relevant=False)
    return [row for _, block in blocks for row in block.positions.tolist()]


FULL = "query,gallery,rank\nq 0,g0,1\nq 0,g1,2\nq;1,g2,1\nq;1,g1,2\n"


def test_ids_become_gallery_positions_with_relevance_and_first_relevant() -> None:
    (ranking,) = read(FULL + "q;1,g%3,3\n")
    assert matrix(ranking) == [[1, 2, -1], [3, 2, 4]]
    assert ranking.listed.tolist() == [2, 3]
    assert ranking.depth == 2
    ((rows, block),) = ranking.rank(depth=4, first_relevant=True)
    assert rows == slice(0, 2)
    assert block.positions.tolist() == [[1, 2, -1, -1], [3, 2, 4, -1]]
    assert block.relevant.tolist() == [[True, False, False, False], [False, True, False, False]]
    assert block.relevant_count.tolist() == [2, 1]
    assert block.first_relevant is not None
    assert block.first_relevant.tolist() == [1, 2]


def test_the_query_s_own_image_is_left_out_and_counted() -> None:
    notices: list[str] = []
    text = "query,gallery,rank\nq 0,g0,1\nq;1,q;1,1\nq;1,g1,2\n"
    (ranking,) = read(text, notices=notices)
    assert matrix(ranking) == [[1], [2]]
    (notice,) = notices
    assert notice.endswith("own image left out of 1 rankings of task all")


def test_scores_order_and_equal_ones_stand_in_gallery_order() -> None:
    notices: list[str] = []
    scores = "query,gallery,score\nq 0,g2,0.5\nq 0,g0,-1\nq 0,g1,0.5\nq;1,g0,7\n"
    (ranking,) = read(scores, notices=notices)
    assert matrix(ranking) == [[2, 3, 1], [1, -1, -1]]
    (notice,) = notices
    assert "1 images have the score of the one before" in notice


def test_ranks_count_before_scores_and_a_trec_run_that_disagrees_is_named() -> None:
    trec = "q%200 Q0 g0 1 1 me\nq%200 Q0 g1 2 2 me\nq%3B1 Q0 g0 1 1 me\n"
    notices: list[str] = []
    (ranking,) = read(trec, name="a.run", notices=notices)
    assert matrix(ranking) == [[1, 2], [1, -1]]
    (notice,) = notices
    assert "in 1 rankings a score is higher than that of the rank before" in notice


REFUSED = {
    "an unknown query": (FULL + "q 2,g0,1\n", ":6: unknown query 'q 2'; expected an image's id"),
    "an image that is no query": (FULL + "g1,g0,1\n", ":6: 'g1' is no query of task all; expected"),
    "an unknown image": (FULL + "q 0,g9,3\n", ":6: 'g9' in the gallery of task all; expected one"),
    "an image beside the gallery": (FULL + "q;1,q 0,3\n", ":6: 'q 0' in the gallery of task all"),
    "an image twice": (FULL + "q 0,g0,3\n", ":6: a candidate of 'q 0' a second time"),
    "a rank twice": (FULL + "q 0,g2,2\n", ":6: rank 2 of 'q 0' in place of 3"),
    "a gap": (FULL + "q 0,g2,4\n", ":6: rank 4 of 'q 0' in place of 3"),
    "ranks from 0": (FULL.replace("g0,1", "g0,0"), ":2: rank 0 of 'q 0' in place of 1"),
    "a rank below 0": (FULL + "q 0,g2,-1\n", ":6: rank -1 of 'q 0' in place of 1"),
    "an unknown task": (
        "task,query,gallery,rank\nsome,q 0,g0,1\n", ":2: unknown task 'some'; expected all"),
    "a target where none is": (
        "query,target,gallery,rank\nq 0,red,g0,1\n", ":2: unknown target 'red'"),
    "no ranking of a query": (
        "query,gallery,rank\nq 0,g0,1\n",
        ": 1 of 2 queries of task all are not there, the first is 'q;1'; expected every query"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_the_protocol_does_not_know_is_refused_with_its_line(case: str) -> None:
    text, expected = REFUSED[case]
    with pytest.raises(DataError) as raised:
        read(text)
    assert expected in str(raised.value)
    assert len(str(raised.value).splitlines()) == 1


def manipulation(name: str = "collar") -> Task:
    queries, targets = np.array([0, 0]), np.array([0, 1])
    codes = np.array([3, 4])
    condition = Condition("collar", targets)
    return Task(name, queries, GALLERY, codes, np.array([9, 3, 4, 3, 9]), condition)


def test_a_query_is_told_apart_by_its_task_and_target() -> None:
    plain = by_code("all", CODES, QUERIES, GALLERY)
    text = "q;1,all,,g0,1\nq 0,collar,v-neck,g1,1\nq 0,all,,g2,1\nq 0,collar,round,g0,1\n"
    first, second = read(f"query,task,target,gallery,rank\n{text}", plain, manipulation())
    assert matrix(first) == [[3], [1]]
    assert matrix(second) == [[1], [2]]
    ((_, block),) = second.rank(depth=1, first_relevant=False)
    assert block.relevant.tolist() == [[True], [True]]
    with pytest.raises(DataError, match=r"'q 0' is no query of task collar; .* as 'q 0' with"):
        read("query,task,gallery,rank\nq 0,collar,g0,1\n", plain, manipulation())
    with pytest.raises(DataError, match="unknown task ''; expected all, collar"):
        read("query,gallery,rank\nq 0,g0,1\n", plain, manipulation())
    with pytest.raises(DataError, match="the first is 'q 0' with target 'v-neck'"):
        read("query,target,gallery,rank\nq 0,round,g0,1\n", manipulation())


def test_triplets_and_values_are_ranked_by_files_too() -> None:
    condition = Condition("collar")
    triplets = TripletTask("t", np.array([0, 1]), np.array([2, 3]), np.array([4, 5]), condition)
    text = "q 0,t,g2,1\nq 0,t,g0,2\nq;1,t,g1,1\n"
    values = RecognitionTask("r", QUERIES, np.array([1, 0]), GALLERY, CODES[GALLERY] % 2,
                             ("round", "v-neck"), condition)  # fmt: skip
    text += "q 0,r,v-neck,1\nq 0,r,round,2\nq;1,r,v-neck,1\nq;1,r,round,2\n"
    of_triplets, of_values = read(f"query,task,gallery,rank\n{text}", triplets, values)
    assert matrix(of_triplets) == [[0, 1], [1, -1]]
    assert matrix(of_values) == [[1, 0], [1, 0]]
    ((_, block),) = of_triplets.rank(depth=1, first_relevant=False)
    assert block.relevant.tolist() == [[False], [True]]
    ((_, block),) = of_values.rank(depth=1, first_relevant=False)
    assert block.relevant.tolist() == [[True], [False]]
    assert of_triplets.lacks(*METRIC("triplet-accuracy")) == ""
    for bad, expected in (
        ("q 0,t,g1,3\n", "'g1' in the gallery of task t; expected the positive"),
        ("q 0,r,g1,3\n", "'g1' in the gallery of task r; expected one of the v"),
    ):
        with pytest.raises(DataError, match=expected):
            read(f"query,task,gallery,rank\n{text}{bad}", triplets, values)


def test_one_image_that_asks_twice_cannot_be_told_apart() -> None:
    twice = TripletTask("t", np.array([0, 0]), np.array([2, 3]), np.array([4, 5]))
    with pytest.raises(IncompatibleError, match="asks with one image several times"):
        read(FULL, twice)


def test_a_metric_lacks_ranks_that_are_not_known() -> None:
    (ranking,) = read(FULL)  # 2 ranks of each; q 0 has 2 relevant of 5, q;1 has 1 of 4
    for name in ("hit@1", "precision@2", "map@r", "mrr"):
        assert ranking.lacks(*METRIC(name)) == "", name
    assert ranking.lacks(*METRIC("hit@3")) == ("needs 3 ranks of a query for which 2 are known")
    assert "needs 5 ranks" in ranking.lacks(*METRIC("recall@50"))
    (ranking,) = read("query,gallery,rank\nq 0,g1,1\nq 0,g%3,2\nq;1,g2,1\nq;1,g1,2\n")
    assert ranking.lacks(*METRIC("hit@2")) == ""
    assert "not among the known ranks of 1 of 2 queries" in ranking.lacks(*METRIC("mrr"))


def test_a_ranking_of_the_whole_gallery_lacks_nothing() -> None:
    rows = [f"q 0,{name},{rank}" for rank, name in enumerate(IDS[1:], start=1)]
    rows += [f"q;1,{name},{rank}" for rank, name in enumerate(IDS[2:], start=1)]
    (ranking,) = read("query,gallery,rank\n" + "\n".join(rows) + "\n")
    assert ranking.depth == 5
    for name in ("hit@50", "recall@5", "map@r", "mrr"):
        assert ranking.lacks(*METRIC(name)) == "", name


def as_long(frame: pd.DataFrame) -> str:
    return frame.sample(frac=1, random_state=0).to_csv(index=False)


def as_scores(frame: pd.DataFrame) -> str:
    return frame.assign(score=-frame["rank"] / 7).drop(columns="rank").to_csv(index=False)


def as_wide(frame: pd.DataFrame) -> str:
    wide = frame.pivot(index="query", columns="rank", values="gallery").reset_index()
    return wide.to_csv(index=False)


def as_trec(frame: pd.DataFrame) -> str:
    return "".join(
        f"{trec_name(query)} Q0 {trec_name(gallery)} {rank} {100 - rank} me\n"
        for query, gallery, rank in frame.itertuples(index=False)
    )


@pytest.mark.parametrize(
    ("name", "written"),
    [("a.csv", as_long), ("b.csv", as_scores), ("c.csv", as_wide), ("d.trec", as_trec)],
)
@given(data=st.data())
@settings(max_examples=15)
def test_any_rankings_come_back_from_every_form(
    name: str, written: Callable[[pd.DataFrame], str], data: st.DataObject
) -> None:
    rows, expected = [], []
    for query, query_row in (("q 0", 0), ("q;1", 1)):
        others = [row for row in range(1, 6) if row != query_row]
        chosen = data.draw(st.permutations(others))[: data.draw(st.integers(1, len(others)))]
        expected.append([row - 1 for row in chosen])
        rows += [(query, IDS[row], rank) for rank, row in enumerate(chosen, start=1)]
    frame = pd.DataFrame(rows, columns=["query", "gallery", "rank"])
    (ranking,) = read(written(frame), name=name)
    assert ranking.listed.tolist() == [len(positions) for positions in expected]
    assert matrix(ranking) == [
        [*positions, *[-1] * (max(ranking.listed) - len(positions))] for positions in expected
    ]


def test_rankings_are_the_same_however_many_queries_a_block_has(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (ranking,) = read(FULL + "q;1,g%3,3\n")
    expected = matrix(ranking)
    monkeypatch.setattr(given_rankings, "_QUERIES", 1)
    (again,) = read(FULL + "q;1,g%3,3\n")
    blocks = list(again.rank(depth=3, first_relevant=True))
    assert [rows for rows, _ in blocks] == [slice(0, 1), slice(1, 2)]
    assert [block.first_relevant.tolist() for _, block in blocks] == [[1], [2]]
    assert matrix(again) == expected
