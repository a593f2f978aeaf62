from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from bench.errors import DataError
from bench.splits import divide, files_of, has_split_files

NAMES = [f"{number:06}.jpg" for number in range(80)]


def files(root: Path, query: str, gallery: str) -> None:
    (root / "splits").mkdir()
    (root / "splits" / "query.txt").write_text(query)
    (root / "splits" / "gallery.txt").write_text(gallery)


def test_the_paper_s_numbers_are_taken_of_enough_images(tmp_path: Path) -> None:
    for count, queries, gallery in ((40_000, 2_000, 18_000), (39_999, 4_999, 14_999), (80, 10, 30)):
        counts = Counter(divide(tmp_path, [str(number) for number in range(count)]))
        assert (counts["query"], counts["gallery"]) == (queries, gallery)
        assert counts["train"] == count - queries - gallery


def test_the_order_of_the_names_makes_no_difference(tmp_path: Path) -> None:
    forward, backward = divide(tmp_path, NAMES), divide(tmp_path, NAMES[::-1])
    np.testing.assert_array_equal(forward, backward[::-1])


def test_index_files_take_precedence(tmp_path: Path) -> None:
    files(tmp_path, "000003.jpg\r\n 000001.jpg \n", "000000.jpg\n\n")
    assert has_split_files(tmp_path)
    splits = divide(tmp_path, NAMES)
    assert splits[:4].tolist() == ["gallery", "query", "train", "query"]
    assert set(splits[4:]) == {"train"}


@pytest.mark.parametrize(
    ("query", "gallery", "message"),
    [("000003.jpg\nx.jpg", "000000.jpg", "query.txt:2: image 'x.jpg'; expected an image that may"),
     ("000003.jpg", "000003.jpg", "gallery.txt:1: image '000003.jpg' again; expected each image"),
     ("000003.jpg\n\n000004.jpg", "000000.jpg", "query.txt:2: image ''"),
     ("", "000000.jpg", "query.txt:1: an empty file")],
)  # fmt: skip
def test_malformed_index_files_are_refused(
    query: str, gallery: str, message: str, tmp_path: Path
) -> None:
    files(tmp_path, query, gallery)
    with pytest.raises(DataError) as raised:
        divide(tmp_path, NAMES)
    assert str(raised.value).startswith(f"{tmp_path}/splits/{message}")


def test_one_file_without_the_other_is_refused(tmp_path: Path) -> None:
    files(tmp_path, "000003.jpg", "000000.jpg")
    (tmp_path / "splits" / "gallery.txt").unlink()
    with pytest.raises(DataError, match=r"gallery\.txt: no such file"):
        divide(tmp_path, NAMES)


def test_index_files_of_a_drawn_edition_are_read_as_they_were_meant(tmp_path: Path) -> None:
    given = files_of(NAMES)
    files(tmp_path, given["splits/query.txt"], given["splits/gallery.txt"])
    counts = Counter(divide(tmp_path, NAMES))
    assert counts == {"query": 10, "gallery": 50, "train": 20}
    assert files_of(NAMES[::-1]) == given
