from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from bench.catalog import BOX, Catalog
from bench.contact_sheet import CELL, COLUMNS, ROWS, write_sheet

Pixels = npt.NDArray[np.uint8]
WHITE = (255, 255, 255)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "images"


def catalog_of(root: Path, colours: Sequence[tuple[int, int, int]], **columns: Any) -> Catalog:
    """Return a catalog of pictures of 60 x 90, each of one colour."""
    root.mkdir()
    paths = [f"{number:03}.png" for number in range(len(colours))]
    for path, colour in zip(paths, colours, strict=True):
        Image.new("RGB", (60, 90), colour).save(root / path)
    return Catalog.from_columns("toy", root, {"path": paths} | columns)


def sheet_of(catalog: Catalog, folder: Path) -> Pixels:
    file = folder / "new" / "sheet.png"
    write_sheet(catalog, file)
    assert [path.name for path in file.parent.iterdir()] == ["sheet.png"]
    with Image.open(file) as opened:
        assert (opened.format, opened.mode) == ("PNG", "RGB")
        return np.asarray(opened)


def middles(sheet: Pixels) -> list[list[tuple[int, ...]]]:
    """Return the colour in the middle of each cell, row by row, without white ones."""
    centres = sheet[CELL // 2 :: CELL, CELL // 2 :: CELL].tolist()
    return [[tuple(colour) for colour in row if tuple(colour) != WHITE] for row in centres]


def test_a_row_shows_one_item(root: Path, tmp_path: Path) -> None:
    colours = [(40 * number, 0, 99) for number in range(6)]
    items = ["b", "a", "b", "a", "b", "a"]
    catalog = catalog_of(root, colours, item=items, category="dress")
    sheet = sheet_of(catalog, tmp_path)
    assert sheet.shape == (2 * CELL, 3 * CELL, 3)
    assert middles(sheet) == [colours[1::2], colours[0::2]]


def test_without_items_a_row_shows_one_category(root: Path, tmp_path: Path) -> None:
    colours = [(0, 60 * number, 0) for number in range(4)]
    catalog = catalog_of(root, colours, category=["hat", "dress", "hat", "dress"])
    assert middles(sheet_of(catalog, tmp_path)) == [colours[1::2], colours[0::2]]


def test_with_neither_all_stand_in_one_row(root: Path, tmp_path: Path) -> None:
    colours = [(0, 0, 80), (0, 0, 160), (0, 0, 240)]
    assert middles(sheet_of(catalog_of(root, colours), tmp_path)) == [colours]


def test_a_row_of_fewer_images_than_another_ends_in_white(root: Path, tmp_path: Path) -> None:
    sheet = sheet_of(catalog_of(root, [(0, 0, 0)] * 9, category=[*"aaaabbbbb"]), tmp_path)
    assert sheet.shape == (2 * CELL, 5 * CELL, 3)
    assert (sheet[:CELL, 4 * CELL :] == 255).all()
    assert (sheet[CELL:, 4 * CELL :] == 0).any()


def test_more_images_than_cells_are_spread_from_the_first_to_the_last(
    root: Path, tmp_path: Path
) -> None:
    colours = [(number, 0, 0) for number in range(25)]
    [row] = middles(sheet_of(catalog_of(root, colours, item="a"), tmp_path))
    assert len(row) == COLUMNS
    assert (row[0], row[-1]) == (colours[0], colours[-1])
    assert row == sorted(set(row))


def test_more_items_than_rows_are_spread_and_small_ones_left_out(
    root: Path, tmp_path: Path
) -> None:
    # 20 items of four pictures; between them 20 of one picture, which would waste a row each
    items = [f"{number:02}" for number in range(40) for _ in range(1 if number % 2 else 4)]
    colours = [(int(item), 0, 0) for item in items]
    sheet = sheet_of(catalog_of(root, colours, item=items), tmp_path)
    assert sheet.shape == (ROWS * CELL, 4 * CELL, 3)
    rows = middles(sheet)
    assert [len(row) for row in rows] == [4] * ROWS
    shown = [row[0][0] for row in rows]
    assert (shown[0], shown[-1]) == (0, 38)
    assert len(set(shown)) == ROWS


def test_images_without_an_item_are_not_shown_beside_those_with_one(
    root: Path, tmp_path: Path
) -> None:
    colours = [(10, 0, 0), (20, 0, 0), (30, 0, 0)]
    catalog = catalog_of(root, colours, item=["", "a", ""])
    assert middles(sheet_of(catalog, tmp_path)) == [[(20, 0, 0)]]


def outline(sheet: Pixels) -> tuple[int, int, int, int]:
    """Return the first and last column and row that hold red."""
    red = (sheet[..., 0] > 200) & (sheet[..., 1] < 90) & (sheet[..., 2] < 90)
    rows, columns = np.nonzero(red)
    return columns.min(), rows.min(), columns.max(), rows.max()


def box_of(*box: float) -> dict[str, Any]:
    return {name: [value] for name, value in zip(BOX, box, strict=True)}


def test_a_box_is_drawn_where_it_is(root: Path, tmp_path: Path) -> None:
    catalog = catalog_of(root, [(0, 0, 0)], **box_of(10, 20, 50, 80))
    # the picture of 60 x 90 stands in the middle of its square of 112
    assert outline(sheet_of(catalog, tmp_path)) == (26 + 10, 11 + 20, 26 + 50, 11 + 80)


def test_a_box_of_a_large_picture_is_shrunk_with_it_and_its_line_is_not(
    root: Path, tmp_path: Path
) -> None:
    root.mkdir()
    Image.new("RGB", (2160, 1080), "black").save(root / "a.png")
    columns = {"path": ["a.png"]} | box_of(200, 400, 1800, 1000)
    sheet = sheet_of(Catalog.from_columns("toy", root, columns), tmp_path)
    assert outline(sheet) == (2 + 10, 29 + 20, 2 + 90, 29 + 50)


def test_a_picture_is_shown_as_it_is_turned_and_its_box_with_it(root: Path, tmp_path: Path) -> None:
    root.mkdir()
    turned = Image.Exif()
    turned[0x0112] = 6  # a quarter: 90 x 60 is shown as 60 x 90
    Image.new("RGB", (90, 60)).save(root / "a.jpg", exif=turned, quality=95)
    columns = {"path": ["a.jpg"]} | box_of(10, 20, 50, 80)
    sheet = sheet_of(Catalog.from_columns("toy", root, columns), tmp_path)
    assert outline(sheet) == (26 + 10, 11 + 20, 26 + 50, 11 + 80)


def test_without_a_box_nothing_is_drawn(root: Path, tmp_path: Path) -> None:
    sheet = sheet_of(catalog_of(root, [(0, 0, 0)]), tmp_path)
    assert set(np.unique(sheet)) == {0, 255}


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "CMYK"])
def test_pictures_of_every_mode_are_shown(mode: str, root: Path, tmp_path: Path) -> None:
    root.mkdir()
    name = "a.tif" if mode == "CMYK" else "a.png"
    Image.new("RGB", (40, 40), (90, 90, 90)).convert(mode).save(root / name)
    sheet = sheet_of(Catalog.from_columns("toy", root, {"path": [name]}), tmp_path)
    [[(middle, *_)]] = middles(sheet)
    assert abs(middle - 90) < 16


def test_a_sheet_is_replaced_whole(root: Path, tmp_path: Path) -> None:
    catalog = catalog_of(root, [(7, 7, 7)])
    first = sheet_of(catalog, tmp_path)
    second = sheet_of(catalog, tmp_path)
    np.testing.assert_array_equal(first, second)
