from __future__ import annotations

import json
import math
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from bench import records
from bench.errors import RecordError
from bench.records import Record

MakeRecord = Callable[..., Record]


def test_a_record_is_read_as_it_was_written(make_record: MakeRecord, tmp_path: Path) -> None:
    record = make_record(recipe={"stage": "blocks.5", "scales": [1.0, 0.5], "whiten": None})
    file = tmp_path / "record.json"
    file.write_text(record.to_json())
    read = Record.read(file)
    assert read == record
    assert read.to_json() == record.to_json()
    assert read.digest == record.digest
    assert record.to_json().endswith("}\n")


def test_a_task_in_which_no_query_counts_survives_the_file(
    make_record: MakeRecord, tmp_path: Path
) -> None:
    nothing = {"mean": math.nan, "low": math.nan, "high": math.nan}
    task = {"task": "fur", "queries": 3, "gallery": 9, "uncounted": 3, "relevant_per_query": 0.0}
    record = make_record(tasks=[task | {"metrics": {"hit@1": nothing}}])
    records.finish(tmp_path, record)
    read = records.finished(tmp_path)
    assert read is not None
    assert math.isnan(read.tasks[0].metrics["hit@1"].mean)
    assert '"mean": "NaN"' in (tmp_path / "record.json").read_text()


def test_no_digit_of_a_mean_is_lost(make_record: MakeRecord, tmp_path: Path) -> None:
    record = make_record(cost={"images_per_second": 1 / 3})
    records.finish(tmp_path, record)
    read = records.finished(tmp_path)
    assert read is not None
    assert read.cost.images_per_second == 1 / 3


@pytest.mark.parametrize(
    "changes",
    [
        {"cost": {"seconds": {"extract": 1.0}}},
        {"cost": {"images_per_second": 1.0, "peak_memory_mib": 1.0, "finished": "later"}},
        {"provenance": {"command": "bench run --data-root elsewhere"}},
    ],
)
def test_the_digest_leaves_out_cost_and_command(
    changes: dict[str, Any], make_record: MakeRecord
) -> None:
    changed = make_record(**changes)
    assert changed != make_record()
    assert changed.digest == make_record().digest


def leaves(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Return the place of every plain value in a JSON document."""
    if isinstance(value, dict):
        return [leaf for name, part in value.items() for leaf in leaves(part, (*path, name))]
    if isinstance(value, list):
        return [leaf for place, part in enumerate(value) for leaf in leaves(part, (*path, place))]
    return [path]


def another(value: Any) -> Any:
    if isinstance(value, bool):
        return not value
    if value in {"full", "mini"}:
        return "mini"
    if value == "run":
        return "ranking"
    if value is None:
        return 0.5
    return value + "x" if isinstance(value, str) else value + 1


def test_the_digest_covers_everything_else(make_record: MakeRecord) -> None:
    record = make_record()
    left_out = set()
    for leaf in leaves(json.loads(record.to_json())):
        if leaf == ("schema_version",):
            continue
        document = part = json.loads(record.to_json())
        for name in leaf[:-1]:
            part = part[name]
        part[leaf[-1]] = another(part[leaf[-1]])
        if Record.model_validate(document).digest == record.digest:
            left_out.add(leaf[: 2 if leaf[0] == "provenance" else 1])
    assert left_out == {("cost",), ("provenance", "command")}


def test_a_finished_run_is_found_and_an_unfinished_one_is_not(
    make_record: MakeRecord, tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    assert records.finished(folder) is None
    records.finish(folder, make_record())
    assert records.finished(folder) == make_record()
    assert sorted(path.name for path in folder.iterdir()) == ["DONE", "record.json"]
    (folder / "DONE").unlink()
    assert records.finished(folder) is None


def test_done_is_written_after_the_record(
    make_record: MakeRecord, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = []
    monkeypatch.setattr(records, "write_text", lambda path, text: written.append(path.name))
    records.finish(tmp_path, make_record())
    assert written == ["record.json", "DONE"]


def test_an_altered_record_is_refused(make_record: MakeRecord, tmp_path: Path) -> None:
    records.finish(tmp_path, make_record())
    file = tmp_path / "record.json"
    file.write_text(file.read_text().replace('"mean": 0.5', '"mean": 0.6'))
    with pytest.raises(RecordError) as raised:
        records.finished(tmp_path)
    assert str(raised.value) == (
        f"{file} was altered after the run; remove the folder to run again"
    )


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "the file: invalid json"),
        (b"not json", "the file: invalid json"),
        (b"\xff\xfe", "the file: invalid json"),
        (b"[]", "the file: "),
        (b"{}", "origin: field required"),
        (b'{"schema_version": 1}', "schema_version: input should be 4"),
    ],
)
def test_what_is_no_record_is_refused_in_one_line(
    content: bytes, expected: str, tmp_path: Path
) -> None:
    file = tmp_path / "record.json"
    file.write_bytes(content)
    with pytest.raises(RecordError) as raised:
        Record.read(file)
    message = str(raised.value)
    assert message.startswith(f"{file} is not a record of schema 4: {expected}")
    assert len(message.splitlines()) == 1


@pytest.mark.parametrize(
    ("place", "value", "expected"),
    [
        (("seed",), "x", "seed: input should be a valid integer"),
        (("tasks", 0, "queries"), None, "tasks.0.queries: input should be a valid integer"),
        (("dataset", "edition"), "medium", "dataset.edition: input should be 'full' or 'mini'"),
        (("cost", "surplus"), 1, "cost.surplus: extra inputs are not permitted"),
        (("two\nlines",), 1, "two\\nlines: extra inputs are not permitted"),
    ],
)
def test_a_wrong_or_surplus_field_is_named_with_its_place(
    place: tuple[str | int, ...], value: Any, expected: str, make_record: MakeRecord, tmp_path: Path
) -> None:
    document = part = json.loads(make_record().to_json())
    for name in place[:-1]:
        part = part[name]
    part[place[-1]] = value
    file = tmp_path / "record.json"
    file.write_text(json.dumps(document))
    with pytest.raises(RecordError) as raised:
        Record.read(file)
    assert expected in str(raised.value)
    assert len(str(raised.value).splitlines()) == 1


def test_an_absent_record_or_a_folder_is_refused_in_one_line(tmp_path: Path) -> None:
    for path in (tmp_path / "absent.json", tmp_path):
        with pytest.raises(RecordError, match=r": .*; expected a record\.json$"):
            Record.read(path)


def test_a_record_cannot_be_changed(make_record: MakeRecord) -> None:
    with pytest.raises(ValidationError, match="frozen"):
        make_record().seed = 1


def test_the_edition_is_part_of_the_name(make_record: MakeRecord) -> None:
    assert make_record().edition_name == "clothing@full"
    assert make_record(dataset={"edition": "mini"}).edition_name == "clothing@mini"


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        ("clothing@mini", "clothing@mini"),
        ("dress/all-gallery", "dress--all-gallery"),
        ("timm:vit_small.dino", "timm-vit_small.dino"),
        ("a b|c\\d\0", "a-b-c-d-"),
        ("größe", "größe"),
    ],
)
def test_a_name_becomes_one_folder(name: str, folder: str) -> None:
    assert records.as_folder(name) == folder


def test_a_run_folder_is_addressed_by_its_key(tmp_path: Path) -> None:
    folder = records.run_folder(
        tmp_path, dataset="manifest:shoes.csv@full", method="darn", variant="an",
        protocol="dress/all", seed=3, key="0123456789abcdef",
    )  # fmt: skip
    expected = "manifest-shoes.csv@full/darn--an/dress--all--seed3-01234567"
    assert folder.relative_to(tmp_path).as_posix() == expected


def test_git_state_of_a_folder_outside_a_checkout_is_empty(tmp_path: Path) -> None:
    assert records.git_state(tmp_path) == ("", None)


def test_git_state_is_the_commit_and_whether_all_is_committed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):  # set where a git hook runs tests
        monkeypatch.delenv(name, raising=False)

    def git(*arguments: str) -> str:
        made = subprocess.run(
            ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@b", *arguments],
            check=True, capture_output=True, text=True,
        )  # fmt: skip
        return made.stdout.strip()

    git("init", "--quiet")
    package = tmp_path / "bench"
    package.mkdir()
    (tmp_path / "theirs.txt").write_text("")
    git("add", ".")
    git("commit", "--quiet", "--no-verify", "--message", "theirs")
    (package / "records.py").write_text("")
    # as a wheel installed into somebody's own checkout: not a file of theirs
    assert records.git_state(package) == ("", None)
    git("add", ".")
    git("commit", "--quiet", "--no-verify", "--message", "ours")
    assert records.git_state(package) == (git("rev-parse", "HEAD"), True)
    (tmp_path / "stray").write_text("")
    assert records.git_state(package) == (git("rev-parse", "HEAD"), False)


def test_peak_memory_is_of_this_process_in_mebibytes() -> None:
    pytest.importorskip("resource")
    before = records.peak_memory_mib()
    block = bytearray(200 * 2**20)
    block[::4096] = bytes(len(block[::4096])).replace(b"\0", b"\1")
    after = records.peak_memory_mib()
    assert before is not None
    assert after is not None
    assert 10 < before < 64_000
    assert after >= max(before, 200)


def test_the_machine_is_named_without_its_host() -> None:
    import platform

    name = records.machine_name()
    assert platform.machine() in name
    assert name.endswith(" cores")
    assert platform.node() not in name
