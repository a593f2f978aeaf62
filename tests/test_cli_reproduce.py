"""`bench reproduce` as a user meets it: processes with other threads than the record's."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
from command_line import bench, process
from toy_training import PLUGIN, draw

RUN = ["run", "--method", "toy-net", "--dataset", "manifest:manifest.csv", "--protocol",
       "query-vs-gallery", "--engine", "torch", "--plugin", PLUGIN]  # fmt: skip


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a manifest and one training on it, made with one thread."""
    folder = tmp_path_factory.mktemp("reproduce")
    draw(folder)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    done = bench(*RUN, folder=folder)
    torch.set_num_threads(threads)
    assert done.returncode == 0, done.stderr
    (run,) = folder.glob("runs/*/*/query-vs-gallery*")
    shutil.copy(run / "record.json", folder / "record.json")
    return folder


def edited(folder: Path, name: str, text: str, by: str) -> Path:
    content = (folder / "record.json").read_text()
    assert text in content
    file = folder / name
    file.write_text(content.replace(text, by))
    return file


def test_a_training_comes_out_bit_for_bit_in_another_process(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    done = process("reproduce", "record.json", "--plugin", PLUGIN, folder=place)
    assert done.returncode == 0, done.stderr
    assert "environment: the same\n" in done.stdout
    assert "identical, bit for bit" in done.stdout.splitlines()[-1]
    (row,) = [line for line in done.stdout.splitlines() if " hit@1 " in line and "within" in line]
    assert "+0.0000" in row
    assert not list(place.glob("cache/reproduction-*"))


def test_a_difference_beyond_the_tolerance_ends_with_status_1(place: Path) -> None:
    record = json.loads((place / "record.json").read_text())
    record["tasks"][0]["metrics"]["hit@1"]["mean"] -= 0.9
    (place / "off.json").write_text(json.dumps(record))
    done = bench("reproduce", "off.json", "--plugin", PLUGIN, folder=place)
    assert done.returncode == 1, done.stderr
    assert "beyond" in next(line for line in done.stdout.splitlines() if " hit@1 " in line)
    assert "not reproduced: 1 of" in done.stdout
    kept = bench("reproduce", "off.json", "--plugin", PLUGIN, "--tolerance", "1", "--runs", "kept",
                 folder=place)  # fmt: skip
    assert kept.returncode == 0, kept.stderr
    assert "are within tolerance; not bit for bit, though processor" in kept.stdout
    (file,) = place.glob("kept/*/*/*/*/record.json")
    assert f"record: {file.relative_to(place)}" in kept.stdout


def test_what_asks_other_questions_ends_with_status_1_and_no_numbers(place: Path) -> None:
    fingerprint = json.loads((place / "record.json").read_text())["protocol_fingerprint"]
    file = edited(place, "other.json", fingerprint, "2" * 32)
    done = bench("reproduce", file, "--plugin", PLUGIN, folder=place)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"error: {file} has protocol fingerprint 22222222")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("text", "by", "expected"),
    [
        ("manifest:manifest.csv", "manifest:absent.csv", "absent.csv: no such file, here or below"),
        ('"origin": "run"', '"origin": "ranking"', "score them again with `bench score`"),
        ('"method": "toy-net"', '"method": "gone"', "unknown method 'gone'"),
        ('"schema_version": 4', '"schema_version": 3', "is not a record of schema 4"),
        ('"dropout"', '"drop"', "drop"),
    ],
)
def test_a_mistake_ends_in_one_line_and_status_2(
    text: str, by: str, expected: str, place: Path
) -> None:
    file = edited(place, "mistake.json", text, by)
    done = bench("reproduce", file, "--plugin", PLUGIN, folder=place)
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: ")
    assert expected in line
