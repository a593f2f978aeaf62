"""Rankings of the three kinds of tasks, on features on a line."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

from bench.attribute_protocols import manipulation, recognition, triplets
from bench.catalog import Attribute, AttributeSchema, Catalog
from bench.metrics import Ranking
from bench.plugins import Registry
from bench.protocols import Protocol
from bench.ranking import rank
from bench.scoring import Scores, score
from bench.tasks import AnyTask, Condition, RecognitionTask, TripletTask

Features = npt.NDArray[np.float32]
COLOUR = AttributeSchema((Attribute("colour", ("red", "blue", "green")),))
# one feature an image: red ones near 0, blue ones near 10
PLACES = np.array([[0], [1], [10], [11], [2], [9]], np.float32)
LABELS = np.array([0, 0, 1, 1, 0, 1])


class OnALine:
    """Compared by Euclidean distance; a target moves the query by ten times its number."""

    distance = "euclidean"

    def for_gallery(self, features: Features, condition: Condition | None) -> Features:
        del condition
        return features

    def for_query(self, features: Features, condition: Condition | None) -> Features:
        if condition is None or condition.targets is None:
            return features
        assert len(condition.targets) == len(features)
        return (10 * condition.targets[:, None]).astype(np.float32)


class Classifier(OnALine):
    """One that recognises by a rule of its own: always the last value, then the first."""

    def recognise(self, features: Features, condition: Condition) -> Features:
        assert condition.attribute == "colour"
        return np.tile(np.array([2, 1, 3], np.float32), (len(features), 1))


@pytest.fixture
def catalog(tmp_path: Path) -> Catalog:
    present = np.eye(3, dtype=np.uint8)[LABELS]
    return Catalog.from_columns(
        "line", tmp_path, {"path": [f"{i}.jpg" for i in range(6)]},
        schema=COLOUR, present=present, known=np.ones((6, 1), bool),
    )  # fmt: skip


def ranked(task: AnyTask, extractor: OnALine, features: Features = PLACES) -> Ranking:
    ((_, found),) = rank(
        task, depth=5, first_relevant=False, features=features, extractor=extractor,  # type: ignore[arg-type]
        device="cpu",
    )  # fmt: skip
    return found


def scored(protocol: Protocol, catalog: Catalog, folder: Path) -> Scores:
    registry = Registry.load()
    metrics = {name: registry.metric(name) for name in protocol.metrics}
    of_features = partial(rank, features=PLACES, extractor=OnALine(), device="cpu")  # type: ignore[arg-type]
    return score(protocol, metrics, of_features, catalog=catalog, folder=folder)


def test_a_triplet_is_right_only_where_the_positive_is_strictly_nearer() -> None:
    rows = np.array([0, 0, 4])
    task = TripletTask("t", rows, np.array([1, 3, 1]), np.array([2, 1, 1]))
    found = ranked(task, OnALine())
    # at 0: 1 is nearer than 10; 11 is not nearer than 1; and what is equally near is not nearer
    assert found.relevant[:, 0].tolist() == [True, False, False]
    assert found.positions.tolist() == [[1, 0], [0, 1], [0, 1]]


def test_without_a_classifier_the_nearest_class_mean_is_recognised() -> None:
    task = RecognitionTask(
        "colour", np.array([4, 5]), np.array([0, 1]), np.array([0, 1, 2, 3]),
        np.array([0, 0, 1, 1]), ("red", "blue", "green"), Condition("colour"),
    )  # fmt: skip
    found = ranked(task, OnALine())
    # means 0.5 and 10.5; nothing trains green, which is therefore never recognised
    assert found.positions.tolist() == [[0, 1], [1, 0]]
    assert found.relevant[:, 0].tolist() == [True, True]


def test_class_means_of_the_cosine_are_of_directions() -> None:
    class Cosine(OnALine):
        distance = "cosine"

    # red: directions (1, 0) and (0, 1), the second a thousand times as long; mean direction 45°
    features = np.array([[1, 0], [0, 1000], [1, 0.2], [0.5, 1.1], [1, 0.9]], np.float32)
    task = RecognitionTask(
        "colour", np.array([4]), np.array([0]), np.array([0, 1, 2]), np.array([0, 0, 1]),
        ("red", "blue"), Condition("colour"),
    )  # fmt: skip
    assert ranked(task, Cosine(), features).positions.tolist() == [[0, 1]]


def test_a_method_with_a_classifier_recognises_itself() -> None:
    task = RecognitionTask(
        "colour", np.array([4, 5]), np.array([2, 0]), np.array([0]), np.array([0]),
        ("red", "blue", "green"), Condition("colour"),
    )  # fmt: skip
    found = ranked(task, Classifier())
    assert found.positions.tolist() == [[2, 0, 1]] * 2
    assert found.relevant.tolist() == [[True, False, False], [False, True, False]]


def test_files_of_a_manipulation_name_query_and_target(catalog: Catalog, tmp_path: Path) -> None:
    rows = catalog.rows()
    protocol = manipulation(
        "manipulation", "", catalog, queries=rows[:2], gallery=rows[2:], training=rows[:0],
        metrics=("hit@1", "hit@3"),
    )  # fmt: skip
    scores = scored(protocol, catalog, tmp_path)
    # both queries are red and become blue: they move to 10, where image 2 stands
    assert scores.tasks[0].metrics["hit@1"].mean == 1
    assert scores.mean == {}
    values = pd.read_parquet(tmp_path / "per_query.parquet")
    assert values[["query", "target"]].values.tolist() == [["0.jpg", "blue"], ["1.jpg", "blue"]]
    rankings = pd.read_parquet(tmp_path / "rankings.parquet")
    assert rankings[rankings["query"] == "1.jpg"]["gallery"].tolist()[0] == "2.jpg"
    assert (rankings["target"] == "blue").all()


def test_files_of_triplets_and_recognition_name_what_was_ranked(
    catalog: Catalog, tmp_path: Path
) -> None:
    rows = catalog.rows()
    protocol = triplets("triplets", "", catalog, queries=rows, training=rows[:0])
    assert scored(protocol, catalog, tmp_path / "t").tasks[0].metrics[
        "triplet-accuracy"
    ].mean == pytest.approx(1)
    rankings = pd.read_parquet(tmp_path / "t" / "rankings.parquet")
    assert len(rankings) == 12
    best = rankings[rankings["rank"] == 1]
    colour = {f"{i}.jpg": label for i, label in enumerate(LABELS.tolist())}
    assert (best["query"].map(colour) == best["gallery"].map(colour)).all()

    protocol = recognition("recognition", "", catalog, queries=rows[4:], training=rows[:4])
    result = scored(protocol, catalog, tmp_path / "r").tasks[0]
    assert (result.queries, result.gallery) == (2, 3)
    assert result.metrics["attribute-accuracy"].mean == 1
    rankings = pd.read_parquet(tmp_path / "r" / "rankings.parquet")
    assert rankings[rankings["rank"] == 1]["gallery"].tolist() == ["red", "blue"]


def test_the_mean_over_tasks_counts_each_task_the_same(catalog: Catalog, tmp_path: Path) -> None:
    from bench.protocols import by_code

    codes, rows = LABELS.astype(np.int64), catalog.rows()
    wrong = np.array([0, 1, 0, 1, 0, 1])
    tasks = (by_code("good", codes, rows, rows), by_code("bad", wrong, rows[:1], rows))
    scores = scored(Protocol("p", "", tasks, ("hit@1",), "hit@1"), catalog, tmp_path)
    good, bad = (task.metrics["hit@1"].mean for task in scores.tasks)
    assert (good, bad) == (1, 0)
    assert scores.mean["hit@1"].mean == 0.5
    assert scores.mean["hit@1"].low <= 0.5 <= scores.mean["hit@1"].high
