from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from slow_search import each_coding, photographs_like, set_to

from bench.interfaces import Distance
from bench.search import device, products
from bench.search.codes import LOW, Asking, Coding, encode


def coded_rows(distance: Distance, digits: int, width: int) -> tuple[Coding, Asking, Any]:
    gallery, queries = photographs_like(40, width, 1), photographs_like(5, width, 2)
    mean = np.zeros(width) if distance == "intersection" else gallery.mean(axis=0, dtype=float)
    coding = Coding(distance, digits, mean, 64.0)
    asking = Asking.of(coding, queries)
    return coding, asking, encode(coding, gallery, np.arange(40), of_queries=False)


@each_coding
@pytest.mark.parametrize("width", [3, 64, 100])
def test_products_are_those_of_the_codes_on_either_way(
    distance: Distance, digits: int, width: int
) -> None:
    coding, asking, others = coded_rows(distance, digits, width)
    queries, gallery = asking.codes.values, others.values
    ((first, mixed),) = products.Products(coding, [gallery]).each(queries)
    assert first.shape == mixed.shape == (32, 64)
    asked, given = queries.astype(np.float64), gallery.astype(np.float64)
    half = asked.shape[1] // 2
    if distance == "intersection":
        expected = np.minimum(asked[:, None], given).sum(axis=2)
    elif digits == 2:
        expected = asked[:, :half] @ given[:, half:].T
        np.testing.assert_array_equal(mixed, asked @ given.T)
    else:
        expected = asked @ given.T
        assert mixed is first
    if digits:
        assert first.dtype == mixed.dtype == np.int32
        np.testing.assert_array_equal(first, expected)
    else:
        sizes = np.abs(asked).sum(axis=1)[:, None] + np.abs(given).sum(axis=1)
        assert (np.abs(first - expected) <= coding.product_error * (sizes + 1)).all()
    whole = expected + (float(LOW) * (asked @ given.T) if digits == 2 else 0)
    import torch

    by_torch = device._products(asking, torch.from_numpy(queries), torch.from_numpy(gallery))
    assert by_torch.dtype == torch.float32
    np.testing.assert_allclose(by_torch.numpy(), whole, rtol=1e-5, atol=1e-5 * np.abs(whole).max())


@pytest.mark.parametrize("digits", [1, 2])
def test_products_come_tile_by_tile_and_those_of_one_are_written_over_by_the_next(
    digits: int,
) -> None:
    coding, asking, others = coded_rows("euclidean", digits, 9)
    queries, gallery = asking.codes.values, others.values
    whole = [part.copy() for part in next(products.Products(coding, [gallery]).each(queries))]
    tiles = [slice(0, 30), slice(30, 38), slice(38, len(gallery))]
    multiply = products.Products(coding, [gallery[tile] for tile in tiles])
    for rows in (slice(3, 4), slice(0, 9)):
        last: Any = None
        for tile, found in zip(tiles, multiply.each(queries[rows]), strict=True):
            for part, expected in zip(found, whole, strict=True):
                np.testing.assert_array_equal(part, expected[rows, tile])
            assert last is None or np.shares_memory(last, found[0])
            last = found[0]


def test_float32_products_by_torch_are_asked_for_in_full_and_the_setting_is_put_back() -> None:
    import torch

    _, asking, others = coded_rows("inner-product", 0, 9)
    asked = []
    before = torch.get_float32_matmul_precision()

    class Watched:
        shape = asking.codes.values.shape

        def __matmul__(self, other: object) -> object:
            asked.append(torch.get_float32_matmul_precision())
            raise RuntimeError("no room")

    torch.set_float32_matmul_precision("medium")
    try:
        with pytest.raises(RuntimeError, match="no room"):
            device._products(asking, Watched(), torch.from_numpy(others.values))
        assert asked == ["highest"]
        assert torch.get_float32_matmul_precision() == "medium"
    finally:
        torch.set_float32_matmul_precision(before)


def test_whether_integers_pay_is_measured_and_no_torch_means_no() -> None:
    assert products.integers_pay("cpu") in (True, False)
    import torch

    def fail(*_: Any, **__: Any) -> Any:
        raise RuntimeError("not on this processor")

    with set_to((torch, "_int_mm", fail)):
        assert products.integers_pay.__wrapped__("cpu") is False
        assert products.integers_pay.__wrapped__("cpu:0") is False
    assert products.integers_pay.__wrapped__("cpu:0") is True


@pytest.mark.parametrize(("integers", "floats", "pay"), [(1.0, 2.1, True), (1.0, 1.9, False)])
def test_integers_pay_where_they_take_less_than_half_the_time(
    integers: float, floats: float, pay: bool
) -> None:
    now = [0.0]
    calls = iter([integers] * 10 + [floats] * 10)
    ticks = iter(range(1000))

    def clock() -> float:
        if next(ticks) % 2:
            now[0] += next(calls)
        return now[0]

    with set_to((products.time, "perf_counter", clock)):
        assert products.integers_pay.__wrapped__("cpu") is pay
