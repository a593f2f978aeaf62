"""From features to numbers, on six images whose every ranking can be worked out by hand."""

from __future__ import annotations

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
from bench.scoring import KEPT, score

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


def run(protocol: Protocol, catalog: Catalog, folder: Path, features: np.ndarray = PLACES) -> list:
    registry = Registry.load()
    metrics = {name: registry.metric(name) for name in protocol.metrics}
    of_features = partial(rank, features=features, extractor=OnALine(), device="cpu")
    found = score(protocol, metrics, of_features, catalog=catalog, folder=folder)
    return found.tasks


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
    from dataclasses import replace

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
