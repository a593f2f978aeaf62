from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from bench.storage import (
    cache_folder,
    default_data_root,
    only_one,
    replacing,
    write_text,
    write_texts,
)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_appears_whole_at_the_end_of_the_block(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "a.txt"
    with replacing(path) as temporary:
        assert temporary.parent == path.parent
        temporary.write_text("half")
        assert not path.exists()
        temporary.write_text("whole")
    assert path.read_text() == "whole"
    assert names(path.parent) == ["a.txt"]


def test_a_block_that_fails_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")

    def fail() -> None:
        with replacing(path) as temporary:
            temporary.write_text("half")
            raise RuntimeError("killed")

    with pytest.raises(RuntimeError, match="killed"):
        fail()
    assert path.read_text() == "old"
    assert names(tmp_path) == ["a.txt"]


def test_a_folder_is_put_in_place_or_cleared_away_like_a_file(tmp_path: Path) -> None:
    path = tmp_path / "edition"

    def write(name: str) -> None:
        with replacing(path) as temporary:
            temporary.mkdir()
            (temporary / name).write_text("")

    write("a.jpg")
    assert names(path) == ["a.jpg"]
    with pytest.raises(OSError, match="edition"):  # a folder that holds something is not replaced
        write("b.jpg")
    assert names(path) == ["a.jpg"]
    assert names(tmp_path) == ["edition"]


def test_two_writers_of_one_file_do_not_meet(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    with replacing(path) as first, replacing(path) as second:
        assert first != second
        first.write_text("first")
        second.write_text("second")
    assert path.read_text() == "first"  # which ended last
    assert names(tmp_path) == ["a.txt"]


def test_text_is_utf_8_with_unix_line_ends(tmp_path: Path) -> None:
    write_text(tmp_path / "a.txt", "größe\nb\n")
    assert (tmp_path / "a.txt").read_bytes() == b"gr\xc3\xb6\xc3\x9fe\nb\n"


def test_of_many_files_those_that_hold_their_text_stay(tmp_path: Path) -> None:
    files = {tmp_path / f"{number}.md": "größer\n" for number in range(20)}
    write_texts(files)
    assert {path: path.read_text(encoding="utf-8") for path in tmp_path.iterdir()} == files
    before = {path: path.stat().st_mtime_ns for path in files}
    changed = tmp_path / "7.md"
    write_texts(files | {changed: "other\n"})
    assert changed.read_bytes() == b"other\n"
    assert {path for path in files if path.stat().st_mtime_ns != before[path]} == {changed}


def test_folders_are_those_of_the_environment_or_the_user(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("BENCH_DATA", str(tmp_path / "data"))
    assert cache_folder() == tmp_path / "cache"
    assert default_data_root() == tmp_path / "data"
    for value in (None, ""):  # an empty variable must not mean the current folder
        for name in ("BENCH_CACHE", "BENCH_DATA"):
            if value is None:
                monkeypatch.delenv(name)
            else:
                monkeypatch.setenv(name, value)
        assert cache_folder().name == default_data_root().name == "fashion-bench"
        assert cache_folder().is_absolute()
        assert cache_folder() != default_data_root()


def test_only_one_process_holds_a_lock_and_a_killed_one_lets_it_go(tmp_path: Path) -> None:
    lock = tmp_path / "folder" / "work.lock"
    holding = (
        "import sys, time; from pathlib import Path; from bench.storage import only_one\n"
        "with only_one(Path(sys.argv[1]), lambda: None): print('held', flush=True); time.sleep(60)"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", holding, str(lock)], stdout=subprocess.PIPE, text=True
    )
    assert other.stdout is not None
    assert other.stdout.readline() == "held\n"
    waited: list[str] = []

    def waiting() -> None:
        waited.append("waiting")
        other.kill()

    with only_one(lock, waiting):
        assert other.wait() != 0
        assert waited == ["waiting"]
    with only_one(lock, waiting):
        assert waited == ["waiting"], "a lock that was let go is had at once"
    other.stdout.close()
