from __future__ import annotations

import os
import runpy
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from bench_celeba import COUNTS, FOLDERS, PROTOCOLS, register_datasets
from bench_celeba.files import read_attributes, read_identities, read_partition
from bench_celeba.mini import draw_mini
from bench_celeba.reader import SCHEMA, CelebA
from bench_celeba.vocabulary import BINARY
from fuzzing import anything, mutated, read_or_refuse
from hypothesis import given, settings

from bench.catalog import Catalog
from bench.errors import DataError
from bench.splits import divide

PUBLISHED = Path(__file__).parents[1] / "published" / "celeba.py"
NAMES = [f"{number:06d}.jpg" for number in range(1, 6)]
# what each picture has of the forty
HAVE = [
    {"Black_Hair", "Male", "Smiling", "Young"},
    {"Blond_Hair", "Male", "Smiling", "Young"},
    {"Blond_Hair", "Male", "Smiling", "Young", "Attractive"},
    {"Black_Hair", "Brown_Hair", "Goatee", "Mustache", "Male", "Eyeglasses", "Straight_Hair"},
    {"Bald", "Wearing_Hat", "Sideburns", "No_Beard"},
]
GROUPED = [
    "black no-beard wavy-or-other smiling no-eyeglasses male no-hat young",
    "blond no-beard wavy-or-other smiling no-eyeglasses male no-hat young",
    "blond no-beard wavy-or-other smiling no-eyeglasses male no-hat young",
    "black goatee straight not-smiling eyeglasses male no-hat old",
    "other stubble wavy-or-other not-smiling no-eyeglasses female hat old",
]


def attribute_file(order: Sequence[str] = BINARY, *, have: Sequence[set[str]] = HAVE) -> str:
    rows = [
        name + "".join("  1" if attribute in found else " -1" for attribute in order) + "\n"
        for name, found in zip(NAMES, have, strict=True)
    ]
    return f"{len(rows)}\n{''.join(f'{name} ' for name in order)}\n{''.join(rows)}"


FILES = {
    "Anno/list_attr_celeba.txt": attribute_file(),
    "Anno/identity_CelebA.txt": "".join(f"{name} {28 + n // 2}\n" for n, name in enumerate(NAMES)),
    "Eval/list_eval_partition.txt": "".join(
        f"{name} {part}\n" for name, part in zip(NAMES, "00012", strict=True)
    ),
}
ATTRIBUTES, IDENTITIES, PARTITION = FILES


def write(root: Path, **changed: str | None) -> Path:
    """Write the files; a keyword names one by its first letters, its text, or None to omit it."""
    for name, text in FILES.items():
        key = next((key for key in changed if Path(name).name.startswith(key)), None)
        content = changed[key] if key else text
        if content is not None:
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(content)
    return root


def load(root: Path) -> Catalog:
    return CelebA("celeba").load(root)


def grouped(catalog: Catalog) -> list[str]:
    names = [[*attribute.values, "?"] for attribute in SCHEMA.attributes]
    return [
        " ".join(values[label] for values, label in zip(names, row, strict=True))
        for row in catalog.labels()
    ]


def test_the_files_become_the_catalog(tmp_path: Path) -> None:
    catalog = load(write(tmp_path))
    assert catalog.images["id"].tolist() == NAMES
    assert catalog.images["path"].tolist() == [f"Img/img_align_celeba/{name}" for name in NAMES]
    assert catalog.images["item"].tolist() == ["28", "28", "29", "29", "30"]
    assert set(catalog.images["category"]) == set(catalog.images["domain"]) == {""}
    assert grouped(catalog) == GROUPED
    assert catalog.known.all()
    assert (catalog.present.sum(axis=1) == 8).all()
    assert catalog.notes == (
        "Eval/list_eval_partition.txt has 3 train, 1 validation, 1 test; the protocol divides them "
        "otherwise",
        "queries, gallery and training images are divided by the hash of their names",
    )


def test_the_attributes_may_stand_in_any_order(tmp_path: Path) -> None:
    assert grouped(load(write(tmp_path, list_attr=attribute_file(BINARY[::-1])))) == GROUPED


@pytest.mark.parametrize("change", ["  1", "\t1", "\r\n", " \n", "bom"])
def test_blanks_and_line_ends_are_of_no_account(change: str, tmp_path: Path) -> None:
    text = attribute_file()
    changed = {
        "  1": text.replace("  1", " 1"),
        "\t1": text.replace("  1", "\t1"),
        "\r\n": text.replace("\n", "\r\n"),
        " \n": text.replace("\n", "  \n") + "\n\n",
        "bom": "\ufeff" + text,
    }
    write(tmp_path)
    (tmp_path / ATTRIBUTES).write_bytes(changed[change].encode())
    assert grouped(load(tmp_path)) == GROUPED


def test_rows_of_the_other_files_may_stand_in_any_order(tmp_path: Path) -> None:
    backwards = "".join(FILES[IDENTITIES].splitlines(keepends=True)[::-1])
    catalog = load(write(tmp_path, identity=backwards))
    assert catalog.images["item"].tolist() == ["28", "28", "29", "29", "30"]


def test_identities_and_partition_are_optional(tmp_path: Path) -> None:
    root = write(tmp_path, identity=None, list_eval=None)
    catalog = load(root)
    assert set(catalog.images["item"]) == {""}
    assert catalog.notes[:2] == (
        "no Anno/identity_CelebA.txt: no picture has an identity",
        "no Eval/list_eval_partition.txt: it is only checked and counted, not used",
    )
    assert CelebA("celeba").sources(root) == [root / ATTRIBUTES]


def test_all_may_lie_in_one_folder(tmp_path: Path) -> None:
    for name, text in FILES.items():
        (tmp_path / Path(name).name).write_text(text)
    reader = CelebA("celeba")
    assert reader.find(tmp_path) == tmp_path
    catalog = load(tmp_path)
    assert catalog.images["path"].iloc[0] == "img_align_celeba/000001.jpg"
    assert catalog.images["item"].iloc[0] == "28"
    assert reader.sources(tmp_path) == [tmp_path / Path(name).name for name in FILES]


def test_pictures_may_lie_in_the_other_place_and_are_then_a_source(tmp_path: Path) -> None:
    root = write(tmp_path)
    (root / "img_align_celeba").mkdir()
    assert load(root).images["path"].iloc[0] == "img_align_celeba/000001.jpg"
    assert root / "img_align_celeba" in CelebA("celeba").sources(root)
    (root / "Img" / "img_align_celeba").mkdir(parents=True)
    assert load(root).images["path"].iloc[0] == "Img/img_align_celeba/000001.jpg"
    assert root / "img_align_celeba" not in CelebA("celeba").sources(root)


def test_the_folder_is_found_below_the_data_root_or_as_the_root_itself(tmp_path: Path) -> None:
    reader = CelebA("celeba")
    assert reader.find(tmp_path) is None
    for folder in FOLDERS:
        root = write(tmp_path / folder / "x").rename(tmp_path / f"{folder}-")
        (tmp_path / folder).rmdir()
        root = root.rename(tmp_path / folder)
        assert reader.find(tmp_path) == reader.find(root) == root
        (root / ATTRIBUTES).unlink()


def test_the_release_as_tables_is_refused_as_such(tmp_path: Path) -> None:
    table = tmp_path / "list_attr_celeba.csv"
    table.write_text(f"image_id,{','.join(BINARY)}\n")
    assert CelebA("celeba").find(tmp_path) == tmp_path
    for file in (table, table.rename(table.with_suffix(".txt"))):
        with pytest.raises(
            DataError, match="comma-separated tables is of another format"
        ) as raised:
            load(tmp_path)
        if file.exists():
            assert str(raised.value).startswith(f"{file}:1: ")


GOOD = attribute_file()
ROW = GOOD.splitlines()[2]
FULL = "".join(f"{name} 1\n" for name in NAMES)
MALFORMED = [
    # the file that is changed, its content, the line, what is found and expected
    ("list_attr", "", 2, "0 names; expected the 40 published attributes, each once"),
    ("list_attr", GOOD.replace("5\n", "6\n", 1), 1, "the number 6 but 5 rows"),
    ("list_attr", GOOD.replace("5\n", "five\n", 1), 1, "number of rows 'five'"),
    ("list_attr", GOOD.replace("5\n", "0\n", 1).split("0000", 1)[0], 1, "no pictures; expected"),
    ("list_attr", GOOD.replace("Bald ", "Balding "), 2, "attribute 'Balding'; expected the 40"),
    ("list_attr", GOOD.replace("Bald ", ""), 2, "39 names; expected the 40 published"),
    ("list_attr", GOOD.replace("Bald ", "Bangs "), 2, "40 names; expected the 40 published"),
    ("list_attr", GOOD.replace(ROW, ROW[:-3]), 3, "40 fields in '000001.jpg"),
    ("list_attr", GOOD.replace(ROW, f"{ROW} 1"), 3, "42 fields in '000001.jpg"),
    ("list_attr", GOOD.replace(ROW, f"{ROW[:-1]}0"), 3, "value '0' of 000001.jpg; expected 1 or"),
    ("list_attr", GOOD.replace(ROW, f"{ROW[:-2]}257"), 3, "value '257' of 000001.jpg"),
    ("list_attr", GOOD.replace(ROW, f"{ROW[:-2]}1.0"), 3, "value '1.0' of 000001.jpg"),
    ("list_attr", GOOD.replace("000003", "000002"), 5, "000002.jpg again, as in line 4"),
    ("list_attr", GOOD.replace("000003", "../x"), 5, "picture '../x.jpg'; expected the name of a"),
    ("list_attr", GOOD.replace("000003.jpg", "/x"), 5, "picture '/x'; expected the name of a file"),
    ("identity", FULL.replace(" 1", " 0", 1), 1, "identity '0'; expected an integer from 1"),
    ("identity", FULL.replace(" 1", "", 1), 1, "1 fields in '000001.jpg'; expected PICTURE IDENT"),
    ("identity", FULL.replace("000003", "000009"), 3, "picture '000009.jpg'; expected a picture"),
    ("identity", FULL.replace("000003", "000002"), 3, "000002.jpg again; expected each picture"),
    (
        "identity",
        FULL.replace("000002.jpg 1\n", ""),
        4,
        "the end, and no identity of 1 pictures, the first is 000002.jpg; expected a row",
    ),
    ("list_eval", FULL.replace(" 1", " 3", 1), 1, "part '3'; expected an integer from 0 to 2"),
    ("list_eval", "", 1, "an empty file"),
]


@pytest.mark.parametrize(("name", "content", "line", "message"), MALFORMED)
def test_malformed_files_are_named(
    name: str, content: str, line: int, message: str, tmp_path: Path
) -> None:
    root = write(tmp_path, **{name: content})
    [file] = [root / path for path in FILES if Path(path).name.startswith(name)]
    with pytest.raises(DataError) as raised:
        load(root)
    assert str(raised.value).startswith(f"{file}:{line}: {message}")


def test_the_division_is_by_hash_and_of_published_size_where_there_are_enough() -> None:
    names = [f"{number:06d}.jpg" for number in range(40_000)]
    splits = divide(Path("none"), names)
    assert [(splits == s).sum() for s in ("query", "gallery", "train")] == [2000, 18_000, 20_000]
    assert (divide(Path("none"), names[::-1]) == splits[::-1]).all()
    fewer = divide(Path("none"), names[:1000])
    assert [(fewer == s).sum() for s in ("query", "gallery", "train")] == [125, 375, 500]


def split_files(root: Path, query: str, gallery: str) -> Path:
    (root / "splits").mkdir()
    (root / "splits" / "query.txt").write_text(query)
    (root / "splits" / "gallery.txt").write_text(gallery)
    return root


def test_split_files_take_precedence_and_manipulation_asks_for_one_change(tmp_path: Path) -> None:
    root = split_files(write(tmp_path), f"{NAMES[0]}\n", f"{NAMES[1]}\r\n{NAMES[3]}\n{NAMES[2]}\n")
    reader = CelebA("celeba")
    assert {root / "splits" / "query.txt", root / "splits" / "gallery.txt"} < {
        *reader.sources(root)
    }
    catalog = reader.load(root)
    assert catalog.images["split"].tolist() == ["query", "gallery", "gallery", "gallery", "train"]
    assert catalog.notes[-1].endswith("divided by split files")
    [protocol] = reader.protocols(catalog)
    assert protocol.name == "manipulation"
    [task] = protocol.tasks
    assert (task.name, task.queries.tolist(), task.candidates()) == ("hair-color", [0], 3)
    assert task.condition is not None
    assert task.condition.targets is not None
    assert task.condition.targets.tolist() == [1]  # blond
    assert task.relevant_counts().tolist() == [2]  # that one is attractive does not matter
    assert protocol.training.tolist() == [4]


@pytest.mark.parametrize(
    ("query", "gallery", "message"),
    [
        (f"{NAMES[0]}\n{NAMES[0]}\n", NAMES[1], "query.txt:2: image '000001.jpg' again"),
        (NAMES[0], f"{NAMES[1]}\n{NAMES[0]}\n", "gallery.txt:2: image '000001.jpg' again"),
        ("000009.jpg", NAMES[1], "query.txt:1: image '000009.jpg'; expected an image that may"),
        ("", NAMES[1], "query.txt:1: an empty file"),
    ],
)
def test_malformed_split_files_are_named(
    query: str, gallery: str, message: str, tmp_path: Path
) -> None:
    root = split_files(write(tmp_path), query, gallery)
    with pytest.raises(DataError) as raised:
        load(root)
    assert str(raised.value).startswith(str(root / "splits" / message))


def test_one_split_file_without_the_other_is_refused(tmp_path: Path) -> None:
    root = split_files(write(tmp_path), NAMES[0], NAMES[1])
    (root / "splits" / "gallery.txt").unlink()
    with pytest.raises(DataError, match=r"gallery\.txt: no such file"):
        load(root)


def test_the_facts_are_those_of_the_spec() -> None:
    [spec] = register_datasets()
    assert (spec.counts, spec.folders, spec.protocols) == (COUNTS, FOLDERS, PROTOCOLS)
    assert isinstance(spec.build("celeba"), CelebA)
    assert sum(len(attribute.values) for attribute in SCHEMA.attributes) == COUNTS["values"]


def test_annotations_of_the_published_size_are_read_whole(tmp_path: Path) -> None:
    runpy.run_path(str(PUBLISHED))["write_published"](tmp_path)
    reader = CelebA("celeba")
    catalog = reader.load(tmp_path)
    counts = catalog.counts()
    assert {name: counts[name] for name in COUNTS} == COUNTS
    assert [counts[s] for s in ("query", "gallery", "train")] == [2000, 18_000, 182_599]
    assert "162,770 train, 19,867 validation, 19,962 test" in catalog.notes[0]
    [protocol] = reader.protocols(catalog)
    assert [task.name for task in protocol.tasks] == [a.name for a in SCHEMA.attributes]
    assert {task.candidates() for task in protocol.tasks} == {18_000}
    assert not np.isin(protocol.training, protocol.rows()).any()


def test_the_mini_edition_is_read_by_the_same_reader(tmp_path: Path) -> None:
    draw_mini(tmp_path / "celeba", seed=0, items=24)
    reader = CelebA("celeba")
    root = reader.find(tmp_path)
    assert root == tmp_path / "celeba"
    catalog = reader.load(root)
    assert len(catalog.image_digests()) == len(catalog) == 24
    assert [len(catalog.rows(split=s)) for s in ("query", "gallery", "train")] == [3, 9, 12]
    people = catalog.images["item"].value_counts()
    assert people.between(1, 4).all()
    assert all(note.startswith(("Eval/", "queries")) for note in catalog.notes)


PIECES = (b" ", b"1", b" -1", b"2", b"../", b'"', b",", b"\xe2\x80\x83", b"nan", b"1.0", b"+1")


@given(anything | mutated(GOOD, *PIECES))
@settings(max_examples=100)
def test_arbitrary_attribute_files_are_read_or_refused_in_one_line(content: bytes) -> None:
    def read(file: Path) -> None:
        names, binary = read_attributes(file)
        assert binary.shape == (len(set(names)), 40)
        assert binary.dtype == np.bool_

    read_or_refuse("annotations.txt", content, read)


@given(anything | mutated(FULL, *PIECES))
@settings(max_examples=100)
def test_arbitrary_files_of_numbers_are_read_or_refused_in_one_line(content: bytes) -> None:
    read_or_refuse("annotations.txt", content, lambda file: read_partition(file, NAMES))
    read_or_refuse("annotations.txt", content, lambda file: read_identities(file, NAMES))


@given(anything | mutated("".join(f"{name}\n" for name in NAMES[:3]), *PIECES))
@settings(max_examples=100)
def test_arbitrary_split_files_are_read_or_refused_in_one_line(content: bytes) -> None:
    folder = Path(os.environ["BENCH_CACHE"]).parent / "splits"
    folder.mkdir(exist_ok=True)
    (folder / "query.txt").write_text(NAMES[4])
    (folder / "gallery.txt").write_bytes(content)
    try:
        assert len(divide(folder.parent, NAMES)) == len(NAMES)
    except DataError as error:
        message = str(error)
        assert message.startswith(str(folder / "gallery.txt"))
