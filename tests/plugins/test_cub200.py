from __future__ import annotations

import os
import runpy
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bench_cub200 import COUNTS, FOLDERS, PROTOCOL_COUNTS, PROTOCOLS, register_datasets
from bench_cub200.families import FAMILY_OF, family_of, last_word
from bench_cub200.files import (
    check_certainties,
    read_attributes,
    read_boxes,
    read_class_labels,
    read_classes,
    read_images,
    read_numbered,
    read_splits,
)
from bench_cub200.labels import read_labels
from bench_cub200.mini import draw_mini
from bench_cub200.options import Cub200Options
from bench_cub200.protocols import METRICS, OF_ATTRIBUTES
from bench_cub200.reader import Cub200
from bench_cub200.vocabulary import GROUPS
from fuzzing import anything, mutated, read_or_refuse
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from bench.catalog import BOX, Catalog
from bench.errors import DataError
from bench.protocols import Protocol

PUBLISHED = Path(__file__).parents[1] / "published" / "cub200.py"
CLASSES = [
    "001.Laysan_Albatross",
    "002.Northern_Flicker",
    "003.Downy_Woodpecker",
    "004.Azure_breasted_Woodpecker",  # which is in no table
]
IMAGES = [f"{name}/{name[4:]}_000{n}_{n}7.jpg" for name in CLASSES for n in (1, 2, 3)]
# of each image and each of five attributes: present, certainty
LABELS = {
    1: "0 4, 1 4, 1 3, 0 3, 1 2",
    2: "1 2, 0 1, 0 1, 0 1, 0 1",  # of the second group nothing is visible
    3: "1 1, 0 1, 0 4, 0 1, 0 1",  # a guess at what is not visible
    **dict.fromkeys(range(4, 13), "0 4, 1 4, 0 4, 1 4, 0 4"),
}


def label_rows(labels: Mapping[int, str] = LABELS) -> list[str]:
    return [
        f"{image} {attribute} {label} 1{attribute}.50{image}"
        for image, row in labels.items()
        for attribute, label in enumerate(row.split(", "), start=1)
    ]


def numbered(*rows: object) -> str:
    return "".join(f"{number} {row}\n" for number, row in enumerate(rows, start=1))


FILES = {
    "images.txt": numbered(*IMAGES),
    "classes.txt": numbered(*CLASSES),
    "image_class_labels.txt": numbered(*(n // 3 + 1 for n in range(12))),
    "train_test_split.txt": numbered(*[1, 0, 0] * 4),
    "bounding_boxes.txt": numbered(*(f"{n}.0 20.0 100.0 {50 + n}.0" for n in range(12))),
    "attributes/certainties.txt": numbered("not visible", "guessing", "probably", "definitely"),
    "attributes/image_attribute_labels.txt": "\n".join(label_rows()) + "\n",
    "../attributes.txt": numbered(
        "has_bill_shape::curved_(up_or_down)",
        "has_bill_shape::all-purpose",
        "has_wing_color::blue",
        "has_wing_color::red",
        "has_wing_color::buff",
    ),
}
LABEL_FILE = "attributes/image_attribute_labels.txt"


def write(root: Path, changed: Mapping[str, str] | None = None) -> Path:
    """Write all files below `root`, some with another content."""
    for name, text in {**FILES, **(changed or {})}.items():
        file = root / "CUB_200_2011" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return root


def reader(**options: Any) -> Cub200:
    return Cub200("cub200", Cub200Options(**options))


def load(root: Path, **options: Any) -> Catalog:
    return reader(**options).load(root)


def protocols_of(root: Path) -> dict[str, Protocol]:
    return {protocol.name: protocol for protocol in reader().protocols(load(root))}


def test_the_files_become_the_catalog(tmp_path: Path) -> None:
    catalog = load(write(tmp_path))
    images = catalog.images
    assert images["id"].tolist() == IMAGES
    assert images["path"].tolist() == [f"CUB_200_2011/images/{name}" for name in IMAGES]
    assert images["category"].tolist() == [name[4:] for name in CLASSES for _ in range(3)]
    assert images["split"].tolist() == ["train", "test", "test"] * 4
    assert set(images["item"]) == set(images["domain"]) == {""}
    assert images[list(BOX)].isna().all(axis=None)
    shape, color = catalog.schema.attributes
    assert (shape.name, shape.values) == ("bill_shape", ("curved_(up_or_down)", "all-purpose"))
    assert (color.name, color.values) == ("wing_color", ("blue", "red", "buff"))
    assert shape.multiple
    assert color.multiple
    assert catalog.present[0].tolist() == [0, 1, 1, 0, 1]
    assert catalog.present[2].tolist() == [1, 0, 0, 0, 0]
    assert catalog.known[:4].tolist() == [[True, True], [True, False], [True, True], [True, True]]
    assert catalog.notes == ("1 of 24 attributes of images are not visible",)


@pytest.mark.parametrize(
    ("certainty", "present", "known", "left_out"),
    [
        (2, [[0, 1, 1, 0, 1], [1, 0, 0, 0, 0], [0, 0, 0, 0, 0]], [True, True, False], 1),
        (3, [[0, 1, 1, 0, 0], [0, 0, 0, 0, 0], [0, 0, 0, 0, 0]], [True, True, False], 3),
        (4, [[0, 1, 0, 0, 0], [0, 0, 0, 0, 0], [0, 0, 0, 0, 0]], [True, True, False], 4),
    ],
)
def test_labels_that_are_less_sure_than_asked_for_are_left_out_and_counted(
    certainty: int, present: list[list[int]], known: list[bool], left_out: int, tmp_path: Path
) -> None:
    catalog = load(write(tmp_path), certainty=certainty)
    assert catalog.present[:3].tolist() == present
    assert catalog.known[:3, 0].tolist() == known
    assert catalog.known[:3, 1].tolist() == [True, False, True]
    assert catalog.notes[-1].startswith(f"{left_out} of 23 labels that say present are less sure")


def test_options_are_checked() -> None:
    for wrong in ({"certainty": 0}, {"certainty": 5}, {"crop": "bird"}):
        with pytest.raises(ValidationError):
            Cub200Options(**wrong)


def test_boxes_become_corners_with_crop_box(tmp_path: Path) -> None:
    catalog = load(write(tmp_path), crop="box")
    assert catalog.images[list(BOX)].iloc[3].tolist() == [3, 20, 103, 73]
    assert catalog.images["id"].tolist() == IMAGES


@pytest.mark.parametrize("place", ["attributes/attributes.txt", "attributes.txt"])
def test_attributes_may_lie_in_three_places(place: str, tmp_path: Path) -> None:
    root = write(tmp_path)
    assert root / "attributes.txt" in reader().sources(root)
    (root / "attributes.txt").rename(root / "CUB_200_2011" / place)
    assert root / "CUB_200_2011" / place in reader().sources(root)
    assert load(root).schema.width == 5
    (root / "CUB_200_2011" / place).unlink()
    with pytest.raises(DataError, match=r"attributes\.txt: no such file; the published data have"):
        load(root)


@pytest.mark.parametrize("folder", FOLDERS)
def test_the_folder_is_found_with_its_content_or_around_it(folder: str, tmp_path: Path) -> None:
    assert reader().find(tmp_path) is None
    around = write(tmp_path / "data" / folder)
    assert reader().find(tmp_path / "data") == around
    # as the archive unpacks, or with the lists in the folder that was asked for
    inner = around / "CUB_200_2011"
    assert reader().find(around) == reader().find(inner) == inner
    catalog = load(inner)
    assert catalog.images["path"].iloc[0] == f"images/{IMAGES[0]}"
    first, second = (protocols_of(root)["fine"].fingerprint(load(root)) for root in (around, inner))
    assert first == second


def test_lines_may_stand_in_any_order(tmp_path: Path) -> None:
    expected = load(write(tmp_path / "a"))
    backwards = {
        name: "".join(text.splitlines(keepends=True)[::-1]) for name, text in FILES.items()
    }
    catalog = load(write(tmp_path / "b", backwards))
    assert catalog.images.equals(expected.images)
    assert (catalog.present == expected.present).all()
    assert (catalog.known == expected.known).all()


@pytest.mark.parametrize("change", ["windows", "trailing", "double", "tabs", "bom", "blank end"])
def test_blanks_and_line_ends_are_of_no_account(change: str, tmp_path: Path) -> None:
    expected = load(write(tmp_path / "a"))

    def changed(text: str) -> str:
        return {
            "windows": text.replace("\n", "\r\n"),
            "trailing": text.replace("\n", " \n"),
            "double": text.replace(" ", "  ").replace("not  visible", "not visible"),
            "tabs": text.replace(" ", "\t").replace("not\tvisible", "not visible"),
            "bom": "\ufeff" + text,
            "blank end": text + "\n \n",
        }[change]

    root = tmp_path / "b"
    for name, text in FILES.items():
        file = root / "CUB_200_2011" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(changed(text).encode())
    catalog = load(root)
    assert catalog.images.equals(expected.images)
    assert (catalog.present == expected.present).all()
    assert catalog.notes == expected.notes


@pytest.mark.parametrize("separator", [" ", "  "])
def test_a_needless_zero_before_the_time_is_passed_over(separator: str, tmp_path: Path) -> None:
    rows = label_rows()
    rows[7:10] = [" 0 ".join(row.rsplit(" ", 1)) for row in rows[7:10]]
    text = "\n".join(rows).replace(" ", separator)
    catalog = load(write(tmp_path, {LABEL_FILE: text}))
    assert (catalog.present == load(write(tmp_path)).present).all()
    assert catalog.notes[0].startswith("3 attribute labels have a needless 0")


FIRST, *_, LAST = label_rows()
GOOD = FILES[LABEL_FILE]
MALFORMED = [
    # the file that is changed, its content, the line, what is found and expected
    ("images.txt", "", 1, "an empty file"),
    ("images.txt", numbered(*IMAGES[:11]), None, ""),
    ("images.txt", FILES["images.txt"].replace("2 ", "1 ", 1), 2, "id 1 again, as in line 1"),
    ("images.txt", FILES["images.txt"].replace("2 ", "13 ", 1), 2, "id '13'; expected an integer"),
    ("images.txt", FILES["images.txt"].replace("2 ", "2", 1), 2, "1 fields in '2001.Lay"),
    ("images.txt", numbered(*IMAGES[:11], "../x.jpg"), 12, "path '../x.jpg'; expected a path"),
    ("images.txt", numbered(*IMAGES[:11], IMAGES[0]), 12, f"'{IMAGES[0]}' again, as image 1"),
    ("classes.txt", numbered("001.A", "003.B"), 2, "class '003.B'; expected 002.NAME"),
    ("classes.txt", numbered("001.A", "B"), 2, "class 'B'; expected 002.NAME without blanks"),
    ("classes.txt", numbered("001.A b"), 1, "class '001.A b'"),
    ("classes.txt", numbered("001.A", "002.A"), 2, "class A again, as class 1"),
    (
        "image_class_labels.txt",
        numbered(*[1] * 11),
        11,
        "11 rows; expected 12, one per image",
    ),
    ("image_class_labels.txt", numbered(*[5] * 12), 1, "class id '5'; expected an integer from 1"),
    (
        "image_class_labels.txt",
        numbered(*[1] * 12),
        4,
        "class 001.Laysan_Albatross of '002.Northern_Flicker/",
    ),
    ("train_test_split.txt", numbered(*[0] * 11, 2), 12, "whether it is a training image '2'"),
    ("train_test_split.txt", numbered(*[0] * 13), 13, "13 rows; expected 12"),
    ("bounding_boxes.txt", numbered(*["1 2 3 4"] * 11, "1 2 3"), 12, "3 numbers in '1 2 3'"),
    ("bounding_boxes.txt", numbered(*["1 2 3 4"] * 11, "1 2 0 4"), 12, "box '1 2 0 4'; expected x"),
    ("bounding_boxes.txt", numbered(*["1 2 3 nan"] * 12), 1, "side of a box 'nan'"),
    ("bounding_boxes.txt", numbered(*["1 2 3 1e300"] * 12), 1, "box '1 2 3 1e300'"),
    ("attributes/certainties.txt", numbered("guessing", "b", "c", "d"), 1, "certainty 'guessing'"),
    ("attributes/certainties.txt", numbered("not visible"), 1, "1 rows; expected 4"),
    ("../attributes.txt", numbered("has_a::b c"), 1, "attribute 'has_a::b c'"),
    ("../attributes.txt", numbered("has_a:b"), 1, "attribute 'has_a:b'; expected has_GROUP::VALUE"),
    ("../attributes.txt", numbered("a::x", "a::x"), 2, "'a::x' again; expected each attribute"),
    ("../attributes.txt", numbered("a::x", "b::x", "a::y"), 3, "group 'a' after 'b'"),
    (LABEL_FILE, "", 1, "0 fields in ''; expected IMAGE ATTRIBUTE PRESENT CERTAINTY TIME"),
    (LABEL_FILE, GOOD.replace(LAST, ""), 59, "59 rows; expected 60, one for each of 12 images"),
    (LABEL_FILE, f"{GOOD}{FIRST}", 61, "image 1, attribute 1 again; expected each pair once"),
    (LABEL_FILE, GOOD.replace(LAST, FIRST), 60, "image 1, attribute 1 again"),
    (LABEL_FILE, GOOD.replace(FIRST, "1 1 0 4"), 1, "4 fields in '1 1 0 4'"),
    (LABEL_FILE, GOOD.replace(FIRST, "1 1 0 4 0 0 1.5"), 1, "7 fields in '1 1 0 4 0 0 1.5'"),
    (LABEL_FILE, GOOD.replace("\n", " 0 0\n"), 1, "7 fields in"),
    (LABEL_FILE, GOOD.replace(FIRST, "1 1 0 4 1 1.5"), 1, "fifth of six fields '1'; expected 0"),
    (LABEL_FILE, GOOD.replace(FIRST, "1 1 0 4 x 1.5"), 1, "fifth of six fields 'x'; expected a"),
    (LABEL_FILE, GOOD.replace(FIRST, "1 1 0 4 0 x"), 1, "time 'x'; expected a number"),
    (LABEL_FILE, GOOD.replace(FIRST, "0 1 0 4 1.5"), 1, "image id '0'; expected an integer from 1"),
    (LABEL_FILE, GOOD.replace(FIRST, "13 1 0 4 1.5"), 1, "image id '13'"),
    (LABEL_FILE, GOOD.replace(FIRST, "1 6 0 4 1.5"), 1, "attribute id '6'; expected an integer"),
    (LABEL_FILE, GOOD.replace(FIRST, "1 1 2 4 1.5"), 1, "whether it is present '2'"),
    (LABEL_FILE, GOOD.replace(FIRST, "1 1 0 5 1.5"), 1, "certainty '5'; expected an integer from"),
    (LABEL_FILE, GOOD.replace(FIRST, "1 1 0.0 4 1.5"), 1, "whether it is present '0.0'"),
    (LABEL_FILE, GOOD.replace(FIRST, "1 1 0 4 inf"), 1, "time 'inf'; expected a number"),
    (LABEL_FILE, GOOD.replace("\n", "\n\n", 1), 2, "0 fields in ''"),
]


@pytest.mark.parametrize(("name", "content", "line", "message"), MALFORMED)
def test_malformed_files_are_named(
    name: str, content: str, line: int | None, message: str, tmp_path: Path
) -> None:
    root = write(tmp_path, {name: content})
    base = root / "CUB_200_2011"
    file = root / "attributes.txt" if name.startswith("..") else base / name
    expected = f"{file}:{line}: {message}"
    if line is None:  # where an image is missing, the next list has one too many
        expected = f"{base / 'image_class_labels.txt'}:12: 12 rows; expected 11, one per image"
    with pytest.raises(DataError) as raised:
        load(root)
    assert str(raised.value).startswith(expected)


def test_protocols_ask_each_image_of_a_part_for_all_others(tmp_path: Path) -> None:
    root = write(tmp_path)
    found = protocols_of(root)
    assert list(found) == list(PROTOCOLS)
    test, train = [1, 2, 4, 5, 7, 8, 10, 11], [0, 3, 6, 9]
    expected = {
        # queries, training, how many are relevant to each query
        "fine": (test, train, [1, 1, 1, 1, 1, 1, 1, 1]),
        "coarse": (test, train, [1, 1, 1, 1, 3, 3, 3, 3]),  # a flicker is a word of its own
        "coarse/families": (test, train, [1, 1, 3, 3, 3, 3, 1, 1]),  # and a woodpecker
        "unseen-classes": ([6, 7, 8, 9, 10, 11], [0, 1, 2, 3, 4, 5], [2] * 6),
    }
    for name, (rows, training, relevant) in expected.items():
        protocol = found[name]
        [task] = protocol.tasks
        assert task.name == name
        assert task.queries.tolist() == task.rows().tolist() == rows
        assert task.candidates() == len(rows)
        assert task.relevant_counts().tolist() == relevant
        assert protocol.training.tolist() == training
        assert protocol.metrics == METRICS + OF_ATTRIBUTES
    headlines = {protocol.headline for protocol in found.values() if protocol.name != "unseen"}
    assert headlines == {"precision@1", "hit@1"}
    assert found["unseen-classes"].headline == "hit@1"


def test_unseen_classes_are_those_of_the_higher_numbers_whatever_their_order(
    tmp_path: Path,
) -> None:
    classes = [f"{n:03d}.Bird_{n}" for n in (1, 2, 3)]
    images = [f"{classes[n]}/{n}.jpg" for n in (2, 0, 1)]
    changed = {
        "images.txt": numbered(*images),
        "classes.txt": numbered(*classes),
        "image_class_labels.txt": numbered(3, 1, 2),
        "train_test_split.txt": numbered(1, 1, 1),
        "bounding_boxes.txt": numbered(*["1 2 3 4"] * 3),
        LABEL_FILE: "\n".join(label_rows(dict.fromkeys((1, 2, 3), LABELS[1]))),
    }
    found = protocols_of(write(tmp_path, changed))
    assert list(found) == ["unseen-classes"]  # no image is a test image
    assert found["unseen-classes"].rows().tolist() == [0, 2]
    assert found["unseen-classes"].training.tolist() == [1]


def test_the_class_names_make_the_published_groups() -> None:
    assert len(FAMILY_OF) == 200
    words = Counter(last_word(name) for name in FAMILY_OF)
    assert len(words) == 70
    assert sum(count == 1 for count in words.values()) == 33
    assert words.most_common(3) == [("Warbler", 25), ("Sparrow", 21), ("Gull", 8)]
    assert words["Woodpecker"] == 6
    assert len(set(FAMILY_OF.values())) == 37
    assert all(family.endswith("idae") for family in FAMILY_OF.values())
    woodpeckers = [n for n, family in enumerate(FAMILY_OF.values(), 1) if family == "Picidae"]
    assert woodpeckers == [36, *range(187, 193)]
    assert list(FAMILY_OF)[::199] == ["Black_footed_Albatross", "Common_Yellowthroat"]
    assert family_of("Azure_breasted_Woodpecker") == "Woodpecker"


def test_the_facts_are_those_of_the_spec() -> None:
    [spec] = register_datasets()
    assert (spec.counts, spec.folders, spec.protocols) == (COUNTS, FOLDERS, PROTOCOLS)
    assert set(spec.protocol_counts) == set(spec.protocols)
    assert spec.options is not None
    assert spec.options() is Cub200Options
    assert (len(GROUPS), sum(map(len, GROUPS.values()))) == (COUNTS["attributes"], COUNTS["values"])
    [archive] = spec.downloads
    assert archive.unpack
    assert archive.url.endswith(".tgz")


def test_annotations_of_the_published_size_are_read_whole(tmp_path: Path) -> None:
    runpy.run_path(str(PUBLISHED))["write_published"](tmp_path)
    catalog = load(tmp_path)
    assert catalog.counts() == COUNTS
    assert {a.name: a.values for a in catalog.schema.attributes} == dict(GROUPS)
    assert catalog.notes[0].startswith("606 attribute labels have a needless 0")
    protocols = reader().protocols(catalog)
    for protocol in protocols:
        [task] = protocol.tasks
        assert (len(task.queries), task.candidates()) == PROTOCOL_COUNTS[protocol.name]
        assert not np.isin(protocol.training, protocol.rows()).any()
        assert (task.relevant_counts() > 0).all()
    assert [len(protocol.training) for protocol in protocols] == [5994, 5994, 5994, 5864]


def test_the_mini_edition_is_read_by_the_same_reader(tmp_path: Path) -> None:
    draw_mini(tmp_path / "cub200", seed=0, items=3)
    assert reader().find(tmp_path) == tmp_path / "cub200"
    catalog = load(tmp_path / "cub200", crop="box")
    assert catalog.counts() == {
        "images": 66,
        "train": 48,
        "test": 18,
        "categories": 3,
        "attributes": 28,
        "values": 312,
    }
    assert len(catalog.image_digests()) == 66
    assert catalog.images["x1"].notna().all()
    assert "needless 0" in catalog.notes[0]
    assert [protocol.name for protocol in reader().protocols(catalog)] == list(PROTOCOLS)


PIECES = (b" ", b"1", b"0", b"1.0", b"../", b"\xe2\x80\x83", b"1e9", b" 0 1", b"::", b"001.")
PARSERS: dict[str, Callable[[Path], Any]] = {
    "images.txt": read_images,
    "classes.txt": read_classes,
    "image_class_labels.txt": lambda file: read_class_labels(file, IMAGES, CLASSES),
    "train_test_split.txt": lambda file: read_splits(file, images=12),
    "bounding_boxes.txt": lambda file: read_boxes(file, images=12),
    "attributes/certainties.txt": check_certainties,
    "../attributes.txt": read_attributes,
}


@pytest.mark.parametrize("name", PARSERS)
@given(data=st.data())
@settings(max_examples=80)
def test_arbitrary_lists_are_read_or_refused_in_one_line(name: str, data: st.DataObject) -> None:
    PARSERS[name](write(Path(os.environ["BENCH_CACHE"]).parent / "good") / "CUB_200_2011" / name)
    content = data.draw(anything | mutated(FILES[name], *PIECES))
    read_or_refuse("annotations.txt", content, PARSERS[name])
    read_or_refuse("annotations.txt", content, read_numbered)


@given(anything | mutated(GOOD, *PIECES))
@settings(max_examples=100)
def test_arbitrary_labels_are_read_or_refused_in_one_line(content: bytes) -> None:
    def read(file: Path) -> None:
        labels = read_labels(file, images=12, attributes=5)
        assert labels.present.shape == labels.certainty.shape == (12, 5)
        assert labels.certainty.min() >= 1
        assert labels.certainty.max() <= 4

    read_or_refuse("annotations.txt", content, read)


@given(mutated(GOOD, *PIECES))
@settings(max_examples=100)
def test_labels_are_the_same_however_they_are_read(content: bytes) -> None:
    """A tab keeps a file from being read at once, so that it is read line by line."""
    file = Path(os.environ["BENCH_CACHE"]).parent / "labels.txt"
    results = []
    for text in (content, content.replace(b" ", b"\t")):
        file.write_bytes(text)
        try:
            labels = read_labels(file, images=12, attributes=5)
            found = labels.present.tolist(), labels.certainty.tolist(), labels.surplus
            results.append(repr(found))
        except DataError as error:
            results.append(str(error).split(": ")[0])  # FILE:LINE
    assert results[0] == results[1]
