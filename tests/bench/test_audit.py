from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from bench.audit import ABSENT, Audit, Count, Finding, audit
from bench.catalog import Attribute, AttributeSchema, Catalog
from bench.interfaces import DatasetSpec
from bench.protocols import Protocol, by_code
from bench.tasks import AnyTask, Condition, RecognitionTask, TripletTask

MakeImages = Callable[[Path, Iterable[str]], list[Path]]
NAMES = [f"{number}.jpg" for number in range(6)]
WIDTH, HEIGHT = 32, 48  # of what make_images writes


def integers(*values: int) -> npt.NDArray[np.int64]:
    return np.array(values, np.int64)


@pytest.fixture
def root(tmp_path: Path, make_images: MakeImages) -> Path:
    """Return a folder of six small JPEGs, 0.jpg to 5.jpg."""
    make_images(tmp_path, NAMES)
    return tmp_path


def catalog_of(root: Path, paths: list[str] = NAMES, **columns: Any) -> Catalog:
    given = {"category": ["dress"] * len(paths)} | columns
    return Catalog.from_columns("toy", root, {"path": paths} | given)


def spec_of(**facts: Any) -> DatasetSpec:
    def build(name: str) -> Any:
        raise AssertionError("an audit reads nothing by itself")

    return DatasetSpec("toy", "one line", build, licence="CC0-1.0", obtain="draw it", **facts)


def protocol_of(
    *tasks: AnyTask, training: npt.NDArray[np.int64] | None = None, name: str = "street"
) -> Protocol:
    trained = integers() if training is None else training
    return Protocol(name, "one line", tasks, ("hit@1",), "hit@1", trained)


def retrieval(
    catalog: Catalog, queries: Iterable[int], gallery: Iterable[int], name: str = "all"
) -> AnyTask:
    return by_code(name, catalog.codes("category"), integers(*queries), integers(*gallery))


def triplets(*anchors: int) -> TripletTask:
    rows = integers(*anchors)
    return TripletTask("colour", rows, rows + 1, rows + 2, Condition("colour"))


def recognition() -> RecognitionTask:
    values = ("red", "blue")
    return RecognitionTask("colour", integers(2, 3), integers(0, 1), integers(0, 1),
                           integers(0, 1), values, Condition("colour"))  # fmt: skip


def audited(
    catalog: Catalog, *protocols: Protocol, images: bool = True, spec: DatasetSpec | None = None
) -> Audit:
    rows = range(len(catalog))
    every = protocols or (protocol_of(retrieval(catalog, rows, rows)),)
    return audit(
        spec or spec_of(), catalog, every, images=images, progress=lambda done, total: None
    )


def finding(result: Audit, what: str) -> Finding:
    (found,) = [found for found in result.findings if found.what == what]
    return found


def counts(result: Audit) -> dict[str, tuple[int, int | None]]:
    return {count.what: (count.here, count.published) for count in result.counts}


def test_a_sound_dataset_has_no_findings_and_says_what_was_looked_for(root: Path) -> None:
    catalog = catalog_of(root, item=list("aabbcc"), x1=0, y1=0, x2=WIDTH, y2=HEIGHT)
    result = audited(catalog)
    assert {found.what: found.number for found in result.findings} == dict.fromkeys(
        [ABSENT, "image files that cannot be read",
         "image files that repeat the content of another",
         "street: pictures that training and queries share",
         "street: pictures that training and gallery share",
         "street: pictures that queries and gallery share",
         "boxes that reach beyond their image", "boxes that lie outside their image",
         "street: queries with nothing relevant", "street: items that training and queries share"],
        0,
    )  # fmt: skip
    assert not any(found.examples for found in result.findings)
    assert result.holds
    assert result.checked_images
    assert (result.dataset, result.root) == ("toy@full", str(root))


def test_absent_files_are_named_once_and_the_audit_does_not_hold(root: Path) -> None:
    paths = [*NAMES, "gone/a.jpg", "gone/a.jpg", "gone/b.jpg", "gone/c.jpg", "gone/d.jpg"]
    catalog = catalog_of(root, paths, id=[str(number) for number in range(len(paths))])
    sides = protocol_of(retrieval(catalog, [0, 6], [1, 8]), training=integers(2, 9))
    result = audited(catalog, sides)
    expected = Finding(ABSENT, 4, ("gone/a.jpg", "gone/b.jpg", "gone/c.jpg"))
    assert finding(result, ABSENT) == expected
    assert not result.holds
    # what is absent is neither damaged nor a picture that two sides share
    assert sum(found.number for found in result.findings) == 4


def test_a_damaged_file_is_named_with_what_is_wrong(root: Path) -> None:
    file = root / "3.jpg"
    file.write_bytes(file.read_bytes()[:300])
    (root / "4.jpg").write_bytes(b"")
    (root / "5.jpg").write_text("no picture\n")
    result = audited(catalog_of(root))
    found = finding(result, "image files that cannot be read")
    assert found.number == 3
    truncated, empty, other = found.examples
    assert str(file) in truncated
    assert "4.jpg" in empty
    assert "empty" in empty
    assert "5.jpg" in other
    assert result.holds, "no published count is amiss"


def test_repeated_contents_are_grouped_and_counted_without_the_first(root: Path) -> None:
    for copy in ("1.jpg", "2.jpg"):
        shutil.copy(root / "0.jpg", root / copy)
    shutil.copy(root / "4.jpg", root / "5.jpg")
    result = audited(catalog_of(root))
    found = finding(result, "image files that repeat the content of another")
    assert found.number == 3
    assert set(found.examples) == {"0.jpg = 1.jpg = 2.jpg", "4.jpg = 5.jpg"}


def test_one_file_of_several_rows_repeats_nothing(root: Path) -> None:
    catalog = catalog_of(root, ["0.jpg", "0.jpg"], id=["left", "right"])
    found = finding(audited(catalog), "image files that repeat the content of another")
    assert found.number == 0


def test_pictures_on_two_sides_are_found_by_content_and_by_row(root: Path) -> None:
    shutil.copy(root / "0.jpg", root / "2.jpg")  # training 0 1, queries 2 3, gallery 4 5
    shutil.copy(root / "3.jpg", root / "5.jpg")
    catalog = catalog_of(root)
    protocol = protocol_of(retrieval(catalog, [2, 3], [4, 5]), training=integers(0, 1))
    result = audited(catalog, protocol)
    pictures = "street: pictures that {} share"
    asked = finding(result, pictures.format("training and queries"))
    assert (asked.number, asked.examples) == (1, ("0.jpg",))
    assert finding(result, pictures.format("training and gallery")).number == 0
    both = finding(result, pictures.format("queries and gallery"))
    assert (both.number, both.examples) == (1, ("3.jpg",))
    assert result.holds, "a finding is for a person to judge"

    trained = protocol_of(retrieval(catalog, [2, 3], [4, 5]), training=integers(4))
    again = audited(catalog, trained)
    assert finding(again, pictures.format("training and gallery")).examples == ("4.jpg",)


def test_a_picture_that_queries_itself_is_not_shared(root: Path) -> None:
    # each image of a leave-one-out protocol stands on both sides and is ignored there
    shutil.copy(root / "0.jpg", root / "5.jpg")
    catalog = catalog_of(root)
    shared = "street: pictures that queries and gallery share"
    assert finding(audited(catalog), shared).number == 0
    half = protocol_of(retrieval(catalog, [0, 1], range(6)))
    assert finding(audited(catalog, half), shared).number == 1, "0.jpg asks and 5.jpg stands there"


def test_items_on_both_sides_of_a_split_are_found_without_looking_at_images(root: Path) -> None:
    catalog = catalog_of(root, item=["a", "b", "b", "c", "", ""])
    protocol = protocol_of(retrieval(catalog, [2, 3, 5], [4]), training=integers(0, 1, 4))
    found = finding(
        audited(catalog, protocol, images=False), "street: items that training and queries share"
    )
    assert (found.number, found.examples) == (1, ("b",)), "no item is no shared item"


def test_without_items_nothing_is_said_of_them(root: Path) -> None:
    assert not any("items" in found.what for found in audited(catalog_of(root)).findings)


def test_queries_that_nothing_answers_are_named_over_all_tasks(root: Path) -> None:
    catalog = catalog_of(root, category=["dress", "hat", "dress", "skirt", "", "dress"])
    protocol = protocol_of(
        retrieval(catalog, [0, 1], [2, 3], "first"), retrieval(catalog, [4, 5], [2, 4], "second")
    )
    found = finding(
        audited(catalog, protocol, images=False), "street: queries with nothing relevant"
    )
    assert (found.number, found.examples) == (2, ("1.jpg", "4.jpg"))


def test_boxes_are_held_against_the_sizes_of_their_images(root: Path) -> None:
    boxes = np.array(
        [
            (0, 0, 32, 48),
            (-1, 0, 9, 9),
            (0, 0, 33, 48),
            (40, 0, 50, 9),
            (0, -9, 9, 0),
            (9, 9, 9, 49),
        ]
    )
    catalog = catalog_of(root, **dict(zip(("x1", "y1", "x2", "y2"), boxes.T, strict=True)))
    result = audited(catalog)
    beyond = finding(result, "boxes that reach beyond their image")
    assert (beyond.number, beyond.examples) == (3, ("1.jpg", "2.jpg", "5.jpg"))
    outside = finding(result, "boxes that lie outside their image")
    assert (outside.number, outside.examples) == (2, ("3.jpg", "4.jpg"))


def test_a_box_is_held_against_the_image_as_it_is_shown(root: Path) -> None:
    turned = Image.Exif()
    turned[0x0112] = 6  # a quarter: 32 x 48 is shown as 48 x 32
    with Image.open(root / "0.jpg") as opened:
        opened.save(root / "0.jpg", exif=turned)
    columns = dict(zip(("x1", "y1", "x2", "y2"), (0, 0, HEIGHT, WIDTH), strict=True))
    result = audited(catalog_of(root, ["0.jpg", "1.jpg"], **columns))
    assert finding(result, "boxes that reach beyond their image").examples == ("1.jpg",)


def test_a_box_of_an_absent_or_damaged_image_is_held_against_nothing(root: Path) -> None:
    (root / "0.jpg").unlink()
    (root / "1.jpg").write_bytes(b"\xff\xd8\xff")
    catalog = catalog_of(root, ["0.jpg", "1.jpg"], x1=0, y1=0, x2=9999, y2=9999)
    result = audited(catalog)
    assert finding(result, "boxes that reach beyond their image").number == 0


def test_without_images_no_file_is_looked_at(tmp_path: Path) -> None:
    catalog = catalog_of(tmp_path / "nowhere", item=list("aabbcc"))
    shown: list[tuple[int, int]] = []
    result = audit(
        spec_of(counts={"images": 6}), catalog, [protocol_of(retrieval(catalog, [0], [1]))],
        images=False, progress=lambda done, total: shown.append((done, total)),
    )  # fmt: skip
    assert result.holds
    assert not result.checked_images
    assert not shown
    assert not any("image" in found.what for found in result.findings)


def test_progress_counts_each_file_that_is_here_once(root: Path) -> None:
    paths = ["0.jpg", "1.jpg", "1.jpg", "gone.jpg"]
    catalog = catalog_of(root, paths, id=list("abcd"))
    shown: list[tuple[int, int]] = []
    audit(
        spec_of(), catalog, [protocol_of(retrieval(catalog, [0], [1]))],
        images=True, progress=lambda done, total: shown.append((done, total)),
    )  # fmt: skip
    assert shown == [(1, 2), (2, 2)]


SPLITS = {"split": ["train"] * 4 + ["test"] * 2}


def test_published_counts_that_hold(root: Path) -> None:
    spec = spec_of(counts={"images": 6, "train": 4, "test": 2})
    result = audited(catalog_of(root, **SPLITS), images=False, spec=spec)
    found = counts(result)
    assert found["images"] == (6, 6)
    assert found["train"] == (4, 4)
    assert found["categories"] == (1, None), "nothing is published of it"
    assert result.holds


@pytest.mark.parametrize(
    ("published", "what", "expected"),
    [
        ({"images": 7}, "images", (6, 7)),
        ({"images": 6, "train": 3}, "train", (4, 3)),
        ({"validation": 1}, "validation", (0, 1)),
        ({"items": 2}, "items", (0, 2)),
    ],
)
def test_a_published_count_that_differs_does_not_hold(
    root: Path, published: dict[str, int], what: str, expected: tuple[int, int]
) -> None:
    result = audited(catalog_of(root, **SPLITS), images=False, spec=spec_of(counts=published))
    assert counts(result)[what] == expected
    assert [count.what for count in result.counts if not count.holds] == [what]
    assert not result.holds


def test_counts_of_attributes_are_held_against_the_published_ones(root: Path) -> None:
    schema = AttributeSchema((Attribute("colour", ("red", "blue")), Attribute("fur", ("yes",))))
    catalog = Catalog.from_columns("toy", root, {"path": NAMES}, schema=schema)
    spec = spec_of(counts={"attributes": 2, "values": 4})
    result = audited(catalog, images=False, spec=spec)
    assert counts(result)["attributes"] == (2, 2)
    assert counts(result)["values"] == (3, 4)


@pytest.mark.parametrize(("published", "holds"), [((2, 4), True), ((3, 4), False), ((2, 5), False)])
def test_a_protocol_is_held_against_its_published_queries_and_gallery(
    root: Path, published: tuple[int, int], holds: bool
) -> None:
    catalog = catalog_of(root, category=["hat", "", "hat", "dress", "hat", "dress"])
    protocol = protocol_of(retrieval(catalog, [0, 5], [1, 2, 3, 4]))
    spec = spec_of(protocol_counts={"street": published})
    result = audited(catalog, protocol, images=False, spec=spec)
    asked, offered = published
    found = counts(result)
    assert found["street: queries"] == (2, asked)
    assert found["street: gallery"] == (4, offered)
    assert found["street: groups of relevant images"] == (2, None), "no code is no group"
    assert result.holds is holds


def test_several_tasks_count_their_images_once_and_their_queries_all(root: Path) -> None:
    catalog = catalog_of(root)
    tasks = (retrieval(catalog, [0, 1], [3, 4], "first"),
             retrieval(catalog, [1, 2], [4, 5], "second"))  # fmt: skip
    spec = spec_of(protocol_counts={"street": (3, 3)})
    result = audited(catalog, protocol_of(*tasks), images=False, spec=spec)
    found = counts(result)
    assert found["street: queries"] == (3, 3)
    assert found["street: gallery"] == (3, 3)
    assert found["street: tasks"] == (2, None)
    assert found["street: queries of all tasks"] == (4, None)
    assert "street: groups of relevant images" not in found
    assert result.holds


def test_a_mini_edition_is_held_against_no_published_count(root: Path) -> None:
    catalog = replace(catalog_of(root, **SPLITS), edition="mini")
    spec = spec_of(counts={"images": 9999, "query": 7}, protocol_counts={"street": (9, 9)})
    result = audited(catalog, images=False, spec=spec)
    assert result.dataset == "toy@mini"
    assert result.holds
    assert all(count.published is None for count in result.counts)
    assert "query" not in counts(result)


def test_triplets_have_queries_but_no_gallery(root: Path) -> None:
    shutil.copy(root / "5.jpg", root / "0.jpg")
    protocol = protocol_of(triplets(0, 1, 1), training=integers(5))
    spec = spec_of(protocol_counts={"street": (2, 0)})
    result = audited(catalog_of(root), protocol, spec=spec)
    found = counts(result)
    assert found["street: queries"] == (2, 2), "an anchor of two triplets is one picture"
    assert not any("gallery" in what or "groups" in what for what in found)
    assert finding(result, "street: queries with nothing relevant").number == 0
    shared = finding(result, "street: pictures that training and queries share")
    assert (shared.number, shared.examples) == (1, ("5.jpg",))


def test_recognition_has_queries_but_no_gallery(root: Path) -> None:
    catalog = catalog_of(root, item=["a", "b", "a", "c", "d", "e"])
    protocol = protocol_of(recognition(), training=integers(0, 1))
    result = audited(catalog, protocol)
    assert counts(result)["street: queries"] == (2, None)
    assert "street: gallery" not in counts(result)
    assert finding(result, "street: queries with nothing relevant").number == 0
    items = finding(result, "street: items that training and queries share")
    assert (items.number, items.examples) == (1, ("a",))


def test_notes_of_the_reader_are_handed_on(root: Path) -> None:
    catalog = Catalog.from_columns("toy", root, {"path": NAMES}, notes=["2 rows left out"])
    assert audited(catalog, images=False).notes == ["2 rows left out"]


def test_a_count_without_a_published_one_holds() -> None:
    assert Count("images", 3).holds
    assert Count("images", 3, 3).holds
    assert not Count("images", 3, 0).holds
