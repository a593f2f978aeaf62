"""Tasks of the three kinds and the protocols about attributes, on catalogs small enough to read."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.attribute_protocols import (
    draw_triplets,
    manipulation,
    recognition,
    similar_in_attribute,
    triplets,
)
from bench.catalog import Attribute, AttributeSchema, Catalog
from bench.errors import DataError, IncompatibleError
from bench.plugins import Registry
from bench.protocols import Protocol, by_code, require_fitting
from bench.tasks import Condition, RecognitionTask, Task, TripletTask

SCHEMA = AttributeSchema((Attribute("colour", ("red", "blue", "green")),
                          Attribute("sleeve", ("short", "long"))))  # fmt: skip
Labels = list[tuple[int, ...]]


def integers(*values: int) -> npt.NDArray[np.int64]:
    return np.array(values, np.int64)


def catalog_of(labels: Labels, pictures: list[str] | None = None) -> Catalog:
    """Return a catalog whose images have these (colour, sleeve) values, -1 for none."""
    present = np.zeros((len(labels), SCHEMA.width), np.uint8)
    for row, (colour, sleeve) in enumerate(labels):
        if colour >= 0:
            present[row, colour] = 1
        if sleeve >= 0:
            present[row, 3 + sleeve] = 1
    columns = {"path": [f"{row}.jpg" for row in range(len(labels))], "picture": pictures or ""}
    known = np.array(labels) >= 0
    return Catalog.from_columns(
        "toy", Path("toy"), columns, schema=SCHEMA, present=present, known=known
    )


def manipulated(catalog: Catalog, queries: int) -> Protocol:
    rows = catalog.rows()
    return manipulation(
        "manipulation", "", catalog, queries=rows[:queries], gallery=rows[queries:],
        training=integers(),
    )  # fmt: skip


def test_a_manipulation_asks_for_what_the_gallery_has_exactly() -> None:
    # queries: a short red one, a long blue one, one of unknown sleeve
    catalog = catalog_of([(0, 0), (1, 1), (0, -1), (1, 0), (2, 0), (0, 1), (1, 1), (2, -1), (1, 0)])
    colour, sleeve = manipulated(catalog, 3).tasks
    assert isinstance(colour, Task)
    assert isinstance(sleeve, Task)
    assert colour.condition is not None
    assert colour.condition.attribute == "colour"
    # red short becomes blue (images 3, 8) or green (4), blue long becomes red (5), and what has no
    # sleeve becomes green (7): a missing value must be missing in both
    assert colour.queries.tolist() == [0, 0, 1, 2]
    assert colour.condition.targets is not None
    assert colour.condition.targets.tolist() == [1, 2, 0, 2]
    assert colour.relevant_counts().tolist() == [2, 1, 1, 1]
    # red short becomes long (5), blue long becomes short (3, 8); an unknown sleeve cannot change
    assert sleeve.queries.tolist() == [0, 1]
    assert sleeve.relevant_counts().tolist() == [1, 2]
    relevant = sleeve.gallery[sleeve.gallery_codes == sleeve.query_codes[1]]
    assert relevant.tolist() == [3, 8]


labels_strategy = st.lists(
    st.tuples(st.integers(-1, 2), st.integers(-1, 1)), min_size=4, max_size=30
)


@given(labels=labels_strategy, share=st.integers(1, 3))
def test_manipulations_are_those_of_a_plain_double_loop(labels: Labels, share: int) -> None:
    catalog, queries = catalog_of(labels), max(1, len(labels) * share // 4)
    expected = {
        (attribute, query, value): {
            image
            for image in range(queries, len(labels))
            if labels[image] == (*labels[query][:at], value, *labels[query][at + 1 :])
        }
        for at, attribute in enumerate(("colour", "sleeve"))
        for query in range(queries)
        for value in range((3, 2)[at])
        if labels[query][at] not in {-1, value}
    }
    expected = {pair: images for pair, images in expected.items() if images}
    if not expected:
        with pytest.raises(IncompatibleError, match="no image has an attribute"):
            manipulated(catalog, queries)
        return
    found = {}
    for task in manipulated(catalog, queries).tasks:
        assert isinstance(task, Task)
        assert task.condition is not None
        assert task.condition.targets is not None
        for query, value, code in zip(
            task.queries.tolist(), task.condition.targets.tolist(), task.query_codes, strict=True
        ):
            images = set(task.gallery[task.gallery_codes == code].tolist())
            found[task.condition.attribute, query, value] = images
    assert found == expected


def test_an_image_with_two_values_cannot_be_manipulated() -> None:
    catalog = catalog_of([(0, 0), (1, 0)])
    catalog.present[1, 0] = 1
    with pytest.raises(DataError, match=r"image 1\.jpg has several values of colour"):
        manipulated(catalog, 1)


def similar(catalog: Catalog, *, joint: bool = True) -> tuple[Task, ...]:
    rows = catalog.rows()
    protocol = similar_in_attribute(
        "attribute", "", catalog, queries=rows, gallery=rows, training=integers(), joint=joint
    )
    assert all(isinstance(task, Task) for task in protocol.tasks)
    return protocol.tasks  # type: ignore[return-value]


def test_the_joint_gallery_holds_what_is_not_labelled_and_the_other_does_not() -> None:
    catalog = catalog_of([(0, -1), (0, -1), (1, -1), (-1, 0), (-1, 0), (-1, 1)])
    colour, sleeve = similar(catalog)
    assert colour.queries.tolist() == [0, 1, 2]
    assert colour.gallery.tolist() == [0, 1, 2, 3, 4, 5]
    assert colour.relevant_counts().tolist() == [1, 1, 0]
    assert sleeve.queries.tolist() == [3, 4, 5]
    alone, _ = similar(catalog, joint=False)
    assert alone.gallery.tolist() == [0, 1, 2]
    assert alone.relevant_counts().tolist() == [1, 1, 0]


def test_a_picture_under_two_names_stands_once_with_both_labels_and_is_ignored() -> None:
    # images 0 and 3 are one picture, labelled in colour here and in sleeve there
    catalog = catalog_of([(0, -1), (0, -1), (1, -1), (-1, 1), (-1, 1)], ["p", "q", "r", "p", "s"])
    colour, sleeve = similar(catalog)
    assert colour.gallery.tolist() == sleeve.gallery.tolist() == [0, 1, 2, 4]
    assert sleeve.queries.tolist() == [3, 4]
    assert sleeve.own().tolist() == [0, 3]
    assert sleeve.relevant_counts().tolist() == [1, 1]
    assert sleeve.gallery_codes.tolist() == [1, -1, -1, 1]


def test_recognition_takes_images_and_training_images_that_are_labelled() -> None:
    catalog = catalog_of([(0, 1), (-1, 0), (1, -1), (0, 0)])
    protocol = recognition(
        "recognition", "", catalog, queries=integers(0, 1), training=integers(2, 3)
    )
    colour, sleeve = protocol.tasks
    assert isinstance(colour, RecognitionTask)
    assert (colour.queries.tolist(), colour.labels.tolist()) == ([0], [0])
    assert (colour.training.tolist(), colour.training_labels.tolist()) == ([2, 3], [1, 0])
    assert sleeve.queries.tolist() == [0, 1]
    assert colour.candidates() == 3
    assert colour.without(integers(2)).training.tolist() == [3]  # type: ignore[attr-defined]


@given(labels=st.lists(st.integers(-1, 3), min_size=1, max_size=40), seed=st.integers(0, 9))
@settings(max_examples=200)
def test_each_labelled_image_is_an_anchor_once(labels: list[int], seed: int) -> None:
    given_labels = np.array(labels)
    drawn = draw_triplets(given_labels, np.random.default_rng(seed))
    anchors, positives, negatives = drawn.T
    counts = Counter(label for label in labels if label >= 0)
    several = len(counts) > 1
    expected = [i for i, label in enumerate(labels) if several and counts[label] > 1]
    assert sorted(anchors.tolist()) == expected
    assert (given_labels[anchors] == given_labels[positives]).all()
    assert (anchors != positives).all()
    assert (given_labels[anchors] != given_labels[negatives]).all()
    assert (given_labels[negatives] >= 0).all()
    for value in counts:  # without replacement, as long as there are enough
        of_value = negatives[given_labels[anchors] == value].tolist()
        others = sum(count for other, count in counts.items() if other != value)
        assert max(Counter(of_value).values(), default=0) <= -(-len(of_value) // max(others, 1))


def test_a_positive_comes_from_those_that_have_not_been_anchors() -> None:
    drawn = draw_triplets(np.repeat([0, 1], 50), np.random.default_rng(0))
    for block in (drawn[:50], drawn[50:]):
        place = {anchor: order for order, anchor in enumerate(block[:, 0].tolist())}
        later = [place[p] > order for order, p in enumerate(block[:-1, 1].tolist())]
        assert all(later)


def test_triplets_have_a_task_per_attribute_and_their_fingerprint_has_the_images() -> None:
    catalog = catalog_of([(0, 0), (0, 1), (1, 0), (1, 1), (1, 1)])
    protocol = triplets("triplets", "", catalog, queries=catalog.rows(), training=integers())
    assert [task.name for task in protocol.tasks] == ["colour", "sleeve"]
    again = triplets("triplets", "", catalog, queries=catalog.rows(), training=integers())
    other = triplets("triplets", "", catalog, queries=catalog.rows(), training=integers(), seed=1)
    assert protocol.fingerprint(catalog) == again.fingerprint(catalog)
    assert protocol.fingerprint(catalog) != other.fingerprint(catalog)
    (first, _) = protocol.tasks
    assert isinstance(first, TripletTask)
    left = first.without(first.queries[:1])
    assert len(left.queries) < len(first.queries)
    assert not np.isin(first.queries[:1], left.rows()).any()


def test_a_condition_of_a_block_has_the_targets_of_the_block() -> None:
    condition = Condition("colour", integers(2, 0, 1))
    assert condition.of(slice(1, 3)).targets.tolist() == [0, 1]  # type: ignore[union-attr]
    assert Condition("colour").of(slice(1, 3)).targets is None


def test_leaving_queries_out_leaves_their_targets_out() -> None:
    catalog = catalog_of([(0, 0), (1, 0), (1, 0), (0, 0)])
    (task,) = manipulated(catalog, 2).tasks
    assert isinstance(task, Task)
    left = task.without(integers(0))
    assert left.condition is not None
    assert left.condition.targets is not None
    assert (left.queries.tolist(), left.condition.targets.tolist()) == ([1], [0])


def test_a_metric_of_another_kind_of_task_is_refused() -> None:
    registry = Registry.load()
    rows, codes = np.arange(4), integers(0, 0, 1, 1)
    protocol = Protocol("plain", "", (by_code("all", codes, rows, rows),), ("hit@1",), "hit@1")
    for wrong in ("triplet-accuracy", "attribute-accuracy"):
        asked = protocol.with_metrics([wrong])
        metrics = {name: registry.metric(name) for name in asked.metrics}
        with pytest.raises(IncompatibleError, match=f"metric {wrong} is one of"):
            require_fitting(asked, metrics)
    require_fitting(protocol, {"hit@1": registry.metric("hit@1")})


def test_tasks_without_queries_are_refused() -> None:
    none = integers()
    with pytest.raises(IncompatibleError, match="has no triplets"):
        TripletTask("t", none, none, none)
    with pytest.raises(IncompatibleError, match="0 images to recognise and 0 for training"):
        RecognitionTask("t", none, none, none, none, ("a",), Condition("colour"))
