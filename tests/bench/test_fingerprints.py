from __future__ import annotations

import hashlib
import sys
from pathlib import Path

import pytest

from bench import fingerprints


def test_a_hash_is_the_first_half_of_sha_256(tmp_path: Path) -> None:
    expected = hashlib.sha256(b"bench").hexdigest()[:32]
    (tmp_path / "file").write_bytes(b"bench")
    assert fingerprints.of_bytes(b"ben", b"ch") == expected
    assert fingerprints.of_file(tmp_path / "file") == expected


def test_json_is_hashed_by_value_and_not_by_order_of_its_keys() -> None:
    assert fingerprints.of_json({"a": 1, "b": [2, None]}) == fingerprints.of_json(
        {"b": [2, None], "a": 1}
    )
    values = [{"a": 1}, {"a": "1"}, {"a": 1.5}, {"a": None}, {"a": True}, ["a", 1], {}, [], ""]
    assert len({fingerprints.of_json(value) for value in values}) == len(values)


def test_a_file_counts_by_name_and_content(tmp_path: Path) -> None:
    file, other = tmp_path / "a.csv", tmp_path / "b.csv"
    found = []
    for content in (b"one", b"two"):
        for path in (file, other):
            path.write_bytes(content)
            found.append(fingerprints.of_sources([path]))
    assert len(set(found)) == 4
    assert fingerprints.of_sources([file, other]) != fingerprints.of_sources([other, file])


def test_a_file_counts_wherever_its_folder_stands(tmp_path: Path) -> None:
    for name in ("here", "there"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.csv").write_bytes(b"one")
    here, there = (fingerprints.of_sources([tmp_path / n / "a.csv"]) for n in ("here", "there"))
    assert here == there


def test_a_folder_counts_by_the_names_and_sizes_below_it(tmp_path: Path) -> None:
    folder = tmp_path / "train"
    (folder / "hat").mkdir(parents=True)
    image = folder / "hat" / "a.jpg"
    image.write_bytes(b"123")
    first = fingerprints.of_sources([folder])
    (folder / "empty").mkdir()
    image.write_bytes(b"456")
    assert fingerprints.of_sources([folder]) == first
    image.write_bytes(b"4567")
    grown = fingerprints.of_sources([folder])
    image.rename(image.with_name("b.jpg"))
    renamed = fingerprints.of_sources([folder])
    (folder / "c.jpg").write_bytes(b"")
    added = fingerprints.of_sources([folder])
    assert len({first, grown, renamed, added}) == 4


def test_code_counts_with_every_module_of_a_package_and_without_an_import(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "toy_package_of_code"
    package.mkdir()
    (package / "__init__.py").write_text("raise RuntimeError('must not be imported')\n")
    (package / "part.py").write_text("a = 1\n")
    (tmp_path / "toy_module_of_code.py").write_text("b = 1\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    names = ("toy_package_of_code", "toy_module_of_code")
    first = fingerprints.of_code(*names)
    assert fingerprints.of_code(*names[::-1], names[0]) == first
    (package / "part.py").write_text("a = 2\n")
    second = fingerprints.of_code(*names)
    (tmp_path / "toy_module_of_code.py").write_text("b = 2\n")
    third = fingerprints.of_code(*names)
    assert len({first, second, third, fingerprints.of_code(names[0])}) == 4
    assert not set(names) & set(sys.modules)


def test_versions_leave_out_what_is_not_installed() -> None:
    import numpy as np

    found = fingerprints.versions("numpy", "a-distribution-that-does-not-exist")
    assert found == {"numpy": np.__version__}
