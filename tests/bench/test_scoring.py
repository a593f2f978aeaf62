"""From features to numbers, on six images whose every ranking can be worked out by hand."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bench.catalog import Attribute, AttributeSchema, Catalog
from bench.errors import IncompatibleError
from bench.plugins import Registry
from bench.protocols import Condition, Protocol, by_code
from bench.ranking import rank
from bench.scoring import CURVE, KEPT, Scores, score
from bench.search import Blocks
from bench.tasks import Task

# on a line: a-images at 0, 1 and 10, b-images at 2, 9 and 11
PLACES = np.array([[0], [1], [10], [2], [9], [11]], np.float32)
ITEMS = ["a", "a", "a", "b", "b", "b"]
METRICS = ("hit@1", "precision@2", "recall@2", "map@r", "mrr")


class OnALine:
    """Features compared by Euclidean distance; a condition moves the queries."""

    distance = "euclidean"

    def for_gallery(self, features: np.ndarray, condition: Condition | None) -> np.ndarray:
        del condition
        return features

    def for_query(self, features: np.ndarray, condition: Condition | None) -> np.ndarray:
        return features + (
            0 if condition is None else condition.targets[:, None].astype(np.float32)
        )


@pytest.fixture
def catalog(tmp_path: Path) -> Catalog:
    columns = {"path": [f"{i}.jpg" for i in range(6)], "item": ITEMS}
    schema = AttributeSchema((Attribute("place", tuple(map(str, range(12)))),))
    return Catalog.from_columns("line", tmp_path, columns, schema=schema)


def scores_of(
    protocol: Protocol, catalog: Catalog, folder: Path, features: np.ndarray = PLACES
) -> Scores:
    registry = Registry.load()
    metrics = {name: registry.metric(name) for name in protocol.metrics}
    of_features = partial(rank, features=features, extractor=OnALine(), device="cpu")
    return score(protocol, metrics, of_features, catalog=catalog, folder=folder)


def run(protocol: Protocol, catalog: Catalog, folder: Path, features: np.ndarray = PLACES) -> list:
    return scores_of(protocol, catalog, folder, features).tasks


def test_values_are_those_worked_out_by_hand(catalog: Catalog, tmp_path: Path) -> None:
    rows = catalog.rows()
    task = by_code("all", catalog.codes("item"), rows, rows)
    (result,) = run(Protocol("p", "", (task,), METRICS, "hit@1"), catalog, tmp_path)
    values = pd.read_parquet(tmp_path / "per_query.parquet").set_index("query")
    # image 0 at place 0 sees 1 (a), 3 (b), 4 (b), 2 (a), 5 (b); two of its item exist
    assert values.loc["0.jpg", list(METRICS)].tolist() == [1, 0.5, 0.5, 0.5, 1]
    # image 2 at place 10 sees 4 and 5 (b, both at distance 1, in gallery order), 3 (b), 1, 0 (a)
    assert values.loc["2.jpg", list(METRICS)].tolist() == [0, 0, 0, 0, 1 / 4]
    # image 4 at place 9 sees 2 (a), 5 (b), 3 (b): precision at rank 2 is 1/2, R is 2
    assert values.loc["4.jpg", list(METRICS)].tolist() == [0, 0.5, 0.5, 0.25, 0.5]
    for name in METRICS:
        assert result.metrics[name].mean == pytest.approx(values[name].mean())
        assert result.metrics[name].low <= result.metrics[name].mean <= result.metrics[name].high
    assert (result.queries, result.gallery, result.uncounted) == (6, 6, 0)
    assert result.relevant_per_query == 2


def test_rankings_hold_ids_best_first_and_never_the_query(catalog: Catalog, tmp_path: Path) -> None:
    rows = catalog.rows()
    task = by_code("all", catalog.codes("item"), rows, rows)
    run(Protocol("p", "", (task,), ("hit@1",), "hit@1"), catalog, tmp_path)
    rankings = pd.read_parquet(tmp_path / "rankings.parquet")
    of_two = rankings[rankings["query"] == "2.jpg"]
    assert of_two["gallery"].tolist() == ["4.jpg", "5.jpg", "3.jpg", "1.jpg", "0.jpg"]
    assert of_two["rank"].tolist() == [1, 2, 3, 4, 5]
    assert of_two["relevant"].tolist() == [False, False, False, True, True]
    assert not (rankings["query"] == rankings["gallery"]).any()


def test_no_more_than_the_first_ranks_are_kept(tmp_path: Path) -> None:
    count = KEPT + 30
    columns = {"path": [f"{i}.jpg" for i in range(count)], "item": ["a"] * count}
    catalog = Catalog.from_columns("line", tmp_path, columns)
    rows = catalog.rows()
    task = by_code("all", catalog.codes("item"), rows[:1], rows)
    places = np.arange(count, dtype=np.float32)[:, None]
    run(Protocol("p", "", (task,), ("map@r",), "map@r"), catalog, tmp_path, places)
    assert len(pd.read_parquet(tmp_path / "rankings.parquet")) == KEPT
    assert pd.read_parquet(tmp_path / "per_query.parquet")["map@r"].tolist() == [1]


def test_a_query_with_nothing_relevant_does_not_count(catalog: Catalog, tmp_path: Path) -> None:
    codes = np.array([0, 0, 0, 1, 2, 2])
    rows = catalog.rows()
    task = by_code("all", codes, rows, rows)
    (result,) = run(Protocol("p", "", (task,), ("hit@1",), "hit@1"), catalog, tmp_path)
    assert result.uncounted == 1
    values = pd.read_parquet(tmp_path / "per_query.parquet")["hit@1"]
    assert values.isna().tolist() == [False, False, False, True, False, False]
    assert result.metrics["hit@1"].mean == values.mean()


def test_tasks_are_scored_apart_each_under_its_condition(catalog: Catalog, tmp_path: Path) -> None:
    codes, rows = catalog.codes("item"), catalog.rows()
    plain = by_code("plain", codes, rows[:1], rows)
    # moved by 10 the query of place 0 stands at place 10, beside images 2, 4 and 5
    moved = replace(plain, name="moved", condition=Condition("place", np.array([10])))
    protocol = Protocol("p", "", (plain, moved), ("hit@1", "mrr"), "hit@1")
    results = run(protocol, catalog, tmp_path)
    assert [result.task for result in results] == ["plain", "moved"]
    rankings = pd.read_parquet(tmp_path / "rankings.parquet")
    first = rankings[rankings["rank"] == 1].set_index("task")["gallery"]
    assert (first["plain"], first["moved"]) == ("1.jpg", "2.jpg")


def test_a_task_in_which_nothing_can_be_found_is_refused(catalog: Catalog, tmp_path: Path) -> None:
    rows = catalog.rows()
    task = by_code("all", np.arange(6), rows, rows)
    with pytest.raises(IncompatibleError, match="none of 6 queries has a relevant image"):
        run(Protocol("p", "", (task,), ("hit@1",), "hit@1"), catalog, tmp_path)
    assert not list(tmp_path.iterdir())


# what the six images show; image 3 shows nothing, image 4 no colour
SHOWN = [{"red", "long"}, {"red", "short"}, {"blue", "long"}, set(), {"long"}, {"red", "long"}]
VALUES = ("red", "blue", "long", "short")
OF_ATTRIBUTES = ("ndcg@2[attributes]", "ndcg@2[attributes:list-ideal]",
                 "ndcg@2[attributes:gallery-ideal]", "iou@2")  # fmt: skip
HALF = 2**0.5 - 1  # the gain of an image that has one of the query's two values
SECOND = 1 / np.log2(3)  # the discount of rank 2


@pytest.fixture
def described(tmp_path: Path) -> Catalog:
    columns = {"path": [f"{i}.jpg" for i in range(6)], "item": ITEMS,
               "category": ["coat", "coat", "dress", "dress", "dress", ""]}  # fmt: skip
    schema = AttributeSchema(
        (Attribute("colour", ("red", "blue")), Attribute("length", ("long", "short")))
    )
    present = np.array([[value in shown for value in VALUES] for shown in SHOWN], np.uint8)
    return Catalog.from_columns("line", tmp_path, columns, schema=schema, present=present)


def test_values_of_attributes_are_those_worked_out_by_hand(
    described: Catalog, tmp_path: Path
) -> None:
    rows = described.rows()
    task = by_code("all", described.codes("item"), rows, rows)
    run(Protocol("p", "", (task,), OF_ATTRIBUTES, "iou@2"), described, tmp_path)
    values = pd.read_parquet(tmp_path / "per_query.parquet").set_index("query")
    # image 0 (red, long) sees 1 (red, short) and 3 (nothing); image 5 is the only full match left,
    # then come 1, 2 and 4 with one value each
    assert values.loc["0.jpg", list(OF_ATTRIBUTES)].tolist() == pytest.approx(
        [HALF / (1 + SECOND), 1, HALF / (1 + HALF * SECOND), (1 / 3 + 0) / 2]
    )
    # image 4 (long) sees 2 (blue, long), then 5 (red, long): all of its one value, twice
    assert values.loc["4.jpg", list(OF_ATTRIBUTES)].tolist() == pytest.approx(
        [1, 1, 1, (1 / 2 + 1 / 2) / 2]
    )
    assert values.loc["3.jpg", list(OF_ATTRIBUTES)].isna().all(), "nothing to compare"


def test_a_manipulated_query_is_compared_as_it_would_be(described: Catalog, tmp_path: Path) -> None:
    rows = described.rows()
    plain = by_code("colour", described.codes("item"), rows[:1], rows)
    # image 0 with its colour turned blue: (blue, long), one place to the right, sees 1, then 3
    task = replace(plain, condition=Condition("colour", np.array([1])))
    run(Protocol("p", "", (task,), ("iou@1", "iou@3"), "iou@1"), described, tmp_path)
    values = pd.read_parquet(tmp_path / "per_query.parquet")
    assert values[["iou@1", "iou@3"]].to_numpy().tolist() == [[0, pytest.approx(1 / 2 / 3)]]


def test_curves_are_the_means_at_every_cut_off(described: Catalog, tmp_path: Path) -> None:
    names = ("hit@1", "hit@3", "precision@4", "ndcg@2[attributes]", "iou@5", "map", "map@r")
    rows = described.rows()
    task = by_code("all", described.codes("item"), rows, rows)
    (result,) = run(Protocol("p", "", (task,), names, "hit@1"), described, tmp_path)
    assert list(result.curves) == ["hit", "precision", "ndcg[attributes]", "iou"]
    for curve in result.curves.values():
        assert len(curve) == CURVE
    for name, k in (("hit", 1), ("hit", 3), ("precision", 4), ("iou", 5)):
        mean = result.metrics[f"{name}@{k}"].mean
        assert result.curves[name][k - 1] == pytest.approx(mean, rel=1e-12)
    assert result.curves["precision"][49] == pytest.approx(2 / 50)


def test_curves_do_not_depend_on_the_blocks(catalog: Catalog, tmp_path: Path) -> None:
    rows = catalog.rows()
    protocol = Protocol(
        "p", "", (by_code("all", catalog.codes("item"), rows, rows),), ("ndcg@3[relevance]",), ""
    )
    metrics = {name: Registry.load().metric(name) for name in protocol.metrics}

    def one_by_one(task: Task, *, depth: int, first_relevant: bool) -> Blocks:
        given = {"depth": depth, "first_relevant": first_relevant, "features": PLACES,
                 "extractor": OnALine(), "device": "cpu"}  # fmt: skip
        for at in task.queries:
            alone = replace(task, queries=rows[at : at + 1], query_codes=task.query_codes[[at]])
            ((_, ranked),) = rank(alone, **given)
            yield slice(at, at + 1), ranked

    apart = score(protocol, metrics, one_by_one, catalog=catalog, folder=tmp_path / "apart")
    assert apart.tasks == run(protocol, catalog, tmp_path)


def test_the_breakdown_has_a_row_per_category(described: Catalog, tmp_path: Path) -> None:
    rows = described.rows()
    task = by_code("all", described.codes("item"), rows, rows)
    names = ("hit@1", "iou@2")
    (result,) = run(Protocol("p", "", (task,), names, "hit@1"), described, tmp_path)
    values = pd.read_parquet(tmp_path / "per_query.parquet")
    assert values["category"].tolist() == ["coat", "coat", "dress", "dress", "dress", ""]
    table = pd.read_csv(tmp_path / "breakdown.csv", keep_default_na=False)
    assert table.columns.tolist() == ["task", "category", "queries", *names]
    assert table["category"].tolist() == ["", "coat", "dress"]
    assert table["queries"].tolist() == [1, 2, 3]
    for name in names:
        means = values.groupby("category")[name].mean()
        assert table[name].tolist() == pytest.approx(means.tolist())
        # images without a category count in the mean, and are no category
        expected = (means["coat"] + means["dress"]) / 2
        assert result.metrics[name].category_mean == pytest.approx(expected)
        assert result.metrics[name].mean == pytest.approx(values[name].mean())


def test_one_category_has_no_mean_over_categories(described: Catalog, tmp_path: Path) -> None:
    rows = described.rows()
    task = by_code("all", described.codes("item"), rows[:2], rows)
    (result,) = run(Protocol("p", "", (task,), ("hit@1",), "hit@1"), described, tmp_path)
    assert result.metrics["hit@1"].category_mean is None


def test_two_means_over_tasks_weigh_tasks_or_queries(described: Catalog, tmp_path: Path) -> None:
    rows = described.rows()
    codes = described.codes("item")
    first, second = by_code("few", codes, rows[2:3], rows), by_code("many", codes, rows[:2], rows)
    found = scores_of(Protocol("p", "", (first, second), ("hit@1",), ""), described, tmp_path)
    few, many = (task.metrics["hit@1"].mean for task in found.tasks)
    assert (few, many) == (0, 1)
    assert found.mean["hit@1"].mean == (0 + 1) / 2
    assert found.pooled["hit@1"].mean == pytest.approx((0 + 1 + 1) / 3)
    assert found.pooled["hit@1"].category_mean == (0 + 1) / 2  # of the dress and of the coats
    assert found.mean["hit@1"].category_mean is None
    low, high = found.pooled["hit@1"].low, found.pooled["hit@1"].high
    assert low <= found.pooled["hit@1"].mean <= high


def test_one_task_has_no_means_over_tasks(catalog: Catalog, tmp_path: Path) -> None:
    rows = catalog.rows()
    task = by_code("all", catalog.codes("item"), rows, rows)
    found = scores_of(Protocol("p", "", (task,), ("hit@1",), ""), catalog, tmp_path)
    assert (found.mean, found.pooled) == ({}, {})


def test_map_sees_the_whole_gallery(tmp_path: Path) -> None:
    count = 2 * KEPT
    items = ["a", *["b"] * (count - 2), "a"]
    columns = {"path": [f"{i}.jpg" for i in range(count)], "item": items}
    catalog = Catalog.from_columns("line", tmp_path, columns)
    rows = catalog.rows()
    task = by_code("all", catalog.codes("item"), rows[:1], rows)
    places = np.arange(count, dtype=np.float32)[:, None]
    run(Protocol("p", "", (task,), ("map",), "map"), catalog, tmp_path, places)
    values = pd.read_parquet(tmp_path / "per_query.parquet")
    assert values["map"].tolist() == [1 / (count - 1)]  # the only other "a" stands last


def test_metrics_of_attributes_are_refused_where_there_are_none(
    catalog: Catalog, tmp_path: Path
) -> None:
    rows = catalog.rows()
    task = by_code("all", catalog.codes("item"), rows, rows)
    with pytest.raises(
        IncompatibleError, match="iou@3 compares attributes; p, task all: none of 6"
    ):
        run(Protocol("p", "", (task,), ("hit@1", "iou@3"), ""), catalog, tmp_path)
    assert not list(tmp_path.iterdir())


def test_the_order_of_the_gallery_changes_no_value(described: Catalog, tmp_path: Path) -> None:
    names = (*METRICS, "map", "map@2", "ndcg@2[relevance]", *OF_ATTRIBUTES)
    generator = np.random.default_rng(0)
    features = generator.standard_normal((6, 5), dtype=np.float32)  # no two distances are equal
    codes, rows = described.codes("item"), described.rows()
    tables = []
    for gallery in (rows, generator.permutation(rows), rows[::-1]):
        task = by_code("all", codes, rows, gallery)
        run(Protocol("p", "", (task,), names, ""), described, tmp_path, features)
        tables.append(pd.read_parquet(tmp_path / "per_query.parquet"))
    for other in tables[1:]:
        pd.testing.assert_frame_equal(tables[0], other)
