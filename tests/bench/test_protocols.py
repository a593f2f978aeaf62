from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.catalog import Attribute, AttributeSchema, Catalog
from bench.errors import IncompatibleError, UnknownNameError
from bench.interfaces import MethodSpec
from bench.protocols import Condition, Protocol, Task, by_code, require_compatible, select
from bench.recipes import Recipe


def integers(*values: int) -> npt.NDArray[np.int64]:
    return np.array(values, np.int64)


def catalog_of(count: int, **columns: Any) -> Catalog:
    paths = [f"image-{number:02}.jpg" for number in range(count)]
    return Catalog.from_columns("toy", Path("toy"), {"path": paths} | columns)


def protocol_of(*tasks: Task, name: str = "test-vs-train") -> Protocol:
    return Protocol(name, "one line", tasks, ("hit@1",), "hit@1")


def method_needing(*needs: Any) -> MethodSpec:
    def build(*_: Any) -> Any:
        raise AssertionError("must be refused before it is built")

    return MethodSpec("darn", "one line", lambda: Recipe, build, needs=needs)


@st.composite
def tasks(draw: st.DrawFn) -> Task:
    """Draw a task over 12 rows: queries may repeat, gallery rows may not, codes may be negative."""
    codes = np.array(draw(st.lists(st.integers(-2, 3), min_size=12, max_size=12)), np.int64)
    queries = draw(st.lists(st.integers(0, 11), min_size=1, max_size=8))
    gallery = draw(st.lists(st.integers(0, 11), min_size=1, max_size=12, unique=True))
    return by_code("all", codes, np.array(queries), np.array(gallery))


@given(tasks())
@settings(max_examples=200)
def test_own_and_relevant_counts_are_those_of_a_loop(task: Task) -> None:
    gallery = task.gallery.tolist()
    own, counts = task.own(), task.relevant_counts()
    for number, (query, code) in enumerate(zip(task.queries, task.query_codes, strict=True)):
        assert own[number] == (gallery.index(query) if query in gallery else -1)
        relevant = [
            code >= 0 and code == other and row != query
            for row, other in zip(gallery, task.gallery_codes, strict=True)
        ]
        assert counts[number] == sum(relevant)


def test_negative_codes_match_nothing_not_even_each_other() -> None:
    task = Task("all", integers(0, 1), integers(2, 3), integers(-1, 4), integers(-1, 4))
    assert task.relevant_counts().tolist() == [0, 1]


def test_own_image_is_found_by_row_and_not_by_place() -> None:
    task = Task("all", integers(7, 2, 5), integers(5, 9, 7), integers(0, 0, 0), integers(0, 0, 0))
    assert task.own().tolist() == [2, -1, 0]
    assert task.relevant_counts().tolist() == [2, 3, 2]


def test_own_image_that_carries_another_code_is_not_taken_from_the_count() -> None:
    # one photograph may ask for another garment than the one it stands for in the gallery
    task = Task("all", integers(0), integers(0, 1), integers(3), integers(8, 3))
    assert task.relevant_counts().tolist() == [1]


def test_without_leaves_rows_out_of_queries_and_gallery_with_their_codes() -> None:
    codes = integers(10, 11, 12, 13)
    task = by_code("all", codes, integers(0, 1, 2), integers(1, 2, 3))
    left = protocol_of(task, task).without(integers(1, 3)).tasks[1]
    assert left.queries.tolist() == [0, 2]
    assert left.query_codes.tolist() == [10, 12]
    assert left.gallery.tolist() == [2]
    assert left.gallery_codes.tolist() == [12]


def test_without_refuses_to_leave_nothing() -> None:
    task = by_code("sleeve", integers(0, 0), integers(0), integers(1))
    with pytest.raises(IncompatibleError, match="task 'sleeve' has 0 queries and 1 gallery images"):
        task.without(integers(0))


def test_rows_are_all_that_some_task_needs_once() -> None:
    codes = np.zeros(9, np.int64)
    first = by_code("a", codes, integers(5, 1), integers(3))
    second = by_code("b", codes, integers(1), integers(8, 5))
    assert protocol_of(first, second).rows().tolist() == [1, 3, 5, 8]


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (([0], [1, 1], [0], [0, 0]), ValueError, "a gallery row stands twice"),
        (([0], [1], [0, 0], [0]), ValueError, "one code per query"),
        (([0], [1], [0], [0, 0]), ValueError, "one code per query"),
        (([], [1], [], [0]), IncompatibleError, "0 queries and 1 gallery images"),
        (([0], [], [0], []), IncompatibleError, "1 queries and 0 gallery images"),
    ],
)
def test_an_invalid_task_cannot_be_built(
    arguments: tuple[list[int], ...], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message) as raised:
        Task("all", *(integers(*part) for part in arguments))
    assert "task 'all'" in str(raised.value)


CODES = integers(0, 0, 1, 1, 2, -1)
TASK = by_code("all", CODES, integers(0, 2, 5), integers(1, 3, 4))


@pytest.mark.parametrize(
    "codes", [[7, 7, 3, 3, 5, -1], [2, 2, 1, 1, 0, -9], [10**12, 10**12, 0, 0, 4, -1]]
)
def test_fingerprint_is_the_same_under_any_numbering_of_the_codes(codes: list[int]) -> None:
    catalog = catalog_of(6)
    renumbered = by_code("all", integers(*codes), TASK.queries, TASK.gallery)
    assert protocol_of(renumbered).fingerprint(catalog) == protocol_of(TASK).fingerprint(catalog)


def test_fingerprint_takes_all_negative_codes_for_the_same_nothing() -> None:
    catalog = catalog_of(4)
    found = [
        protocol_of(by_code("all", codes, integers(0, 1), integers(2, 3))).fingerprint(catalog)
        for codes in (integers(-1, 0, -1, 0), integers(-1, 0, -2, 0), integers(1, 0, 1, 0))
    ]
    assert found[0] == found[1] != found[2]


def test_fingerprint_follows_ids_and_not_rows() -> None:
    turned = catalog_of(6, id=[f"image-{number:02}.jpg" for number in reversed(range(6))])
    reversed_task = by_code("all", CODES[::-1], 5 - TASK.queries, 5 - TASK.gallery)
    expected = protocol_of(TASK).fingerprint(catalog_of(6))
    assert protocol_of(reversed_task).fingerprint(turned) == expected
    assert protocol_of(TASK).fingerprint(turned) != expected


@pytest.mark.parametrize(
    "other",
    [
        by_code("all", CODES, integers(0, 2), integers(1, 3, 4)),
        by_code("all", CODES, integers(2, 0, 5), integers(1, 3, 4)),
        by_code("all", CODES, integers(1, 2, 5), integers(0, 3, 4)),
        by_code("all", CODES, integers(0, 2, 5), integers(1, 3)),
        by_code("all", CODES, integers(0, 2, 5), integers(3, 1, 4)),
        by_code("all", CODES, integers(0, 2), integers(5, 1, 3, 4)),
        by_code("all", integers(0, 0, 0, 1, 2, -1), integers(0, 2, 5), integers(1, 3, 4)),
        by_code("all", integers(0, 0, 1, 1, 2, 2), integers(0, 2, 5), integers(1, 3, 4)),
        by_code("sleeve", CODES, TASK.queries, TASK.gallery),
        Task("all", TASK.queries, TASK.gallery, TASK.query_codes, TASK.gallery_codes,
             Condition("sleeve")),
    ],
)  # fmt: skip
def test_another_query_gallery_relevance_name_or_condition_is_another_fingerprint(
    other: Task,
) -> None:
    catalog = catalog_of(6)
    assert protocol_of(other).fingerprint(catalog) != protocol_of(TASK).fingerprint(catalog)


def test_another_name_order_or_number_of_tasks_is_another_fingerprint() -> None:
    catalog = catalog_of(6)
    second = by_code("b", CODES, integers(1), integers(0))
    found = {
        protocol_of(TASK).fingerprint(catalog),
        protocol_of(TASK, name="leave-one-out").fingerprint(catalog),
        protocol_of(TASK, second).fingerprint(catalog),
        protocol_of(second, TASK).fingerprint(catalog),
    }
    assert len(found) == 4


def test_conditions_with_another_attribute_or_value_are_told_apart() -> None:
    schema = AttributeSchema((Attribute("sleeve", ("short", "long")), Attribute("collar", ("v",))))
    catalog = replace(catalog_of(6), schema=schema)
    targets = np.zeros_like(TASK.queries)
    conditions = [
        None,
        Condition("sleeve"),
        Condition("collar"),
        Condition("sleeve", targets),
        Condition("sleeve", targets + 1),
    ]
    parts = (TASK.queries, TASK.gallery, TASK.query_codes, TASK.gallery_codes)
    made = [protocol_of(Task("all", *parts, one)).fingerprint(catalog) for one in conditions]
    assert len(set(made)) == 5


PROTOCOLS = [protocol_of(TASK, name=name) for name in ("test-vs-train", "leave-one-out")]


def test_select_without_names_gives_all() -> None:
    assert select(PROTOCOLS, [], "clothing") == PROTOCOLS


def test_select_keeps_the_order_of_the_dataset() -> None:
    assert select(PROTOCOLS, ["leave-one-out", "test-vs-train"], "clothing") == PROTOCOLS
    assert select(PROTOCOLS, ["leave-one-out"], "clothing") == PROTOCOLS[1:]


def test_select_offers_the_nearest_name() -> None:
    with pytest.raises(UnknownNameError) as raised:
        select(PROTOCOLS, ["leave-one-ot"], "clothing")
    assert str(raised.value) == (
        "unknown protocol of clothing 'leave-one-ot'; did you mean leave-one-out?"
    )


def test_a_method_that_misses_something_is_refused_in_one_line_that_names_it() -> None:
    with pytest.raises(IncompatibleError) as raised:
        require_compatible(method_needing("single-valued attributes", "items"), catalog_of(2))
    assert str(raised.value) == "darn needs single-valued attributes and items; toy has none"


@pytest.mark.parametrize(
    ("need", "columns"),
    [
        ("items", {"item": ["a", ""]}),
        ("categories", {"category": ["", "dress"]}),
        ("boxes", {name: [1.0, np.nan] for name in ("x1", "y1", "x2", "y2")}),
        ("street and shop images", {"domain": ["street", "shop"]}),
    ],
)
def test_a_need_is_met_by_its_column_alone(need: str, columns: dict[str, Any]) -> None:
    require_compatible(method_needing(need), catalog_of(2, **columns))
    with pytest.raises(IncompatibleError, match=f"darn needs {need}; toy has none"):
        require_compatible(method_needing(need), catalog_of(2, split=["train", "test"]))


def test_multi_valued_attributes_are_attributes_but_not_single_valued_ones() -> None:
    schema = AttributeSchema((Attribute("colour", ("blue", "red"), multiple=True),))
    catalog = Catalog.from_columns("toy", Path("toy"), {"path": ["a.jpg"]}, schema=schema)
    require_compatible(method_needing("attributes"), catalog)
    with pytest.raises(IncompatibleError, match="needs single-valued attributes"):
        require_compatible(method_needing("single-valued attributes"), catalog)
