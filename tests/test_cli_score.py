"""`bench score` and `bench export` as a user meets them, after one real run."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pyarrow.parquet as pq
import pytest

from bench.cli import main
from bench.records import Record

DATA = ["--dataset", "manifest:manifest.csv", "--protocol", "leave-one-out"]
RUN = ["run", "--method", "pretrained", *DATA, "--backbone", "timm:mobilenetv3_small_050",
       "--weights", "none", "--engine", "torch"]  # fmt: skip


@dataclass
class Workplace:
    """A folder with a manifest of 12 images, and one run of a small network on them."""

    folder: Path
    run: Path

    @property
    def record(self) -> Record:
        return Record.read(self.folder / self.run / "record.json")


def at_work(patch: pytest.MonkeyPatch, folder: Path, command: Sequence[str]) -> None:
    """Make this process one that was started in `folder` with the command."""
    patch.chdir(folder)
    patch.setenv("BENCH_CACHE", str(folder / "cache"))
    patch.setenv("BENCH_DATA", str(folder))
    patch.setenv("COLUMNS", "160")
    patch.setattr(sys, "argv", ["bench", *command])


@pytest.fixture(scope="module")
def workplace(
    tmp_path_factory: pytest.TempPathFactory,
    make_images: Callable[[Path, Iterable[str]], list[Path]],
) -> Workplace:
    folder = tmp_path_factory.mktemp("workplace")
    names = [f"images/{number:02} [red].jpg" for number in range(12)]
    make_images(folder, names)
    rows = "".join(f"{name},item {number % 4}\n" for number, name in enumerate(names))
    (folder / "manifest.csv").write_text(f"path,item\n{rows}")
    with pytest.MonkeyPatch.context() as patch:
        at_work(patch, folder, RUN)
        with pytest.raises(SystemExit) as ended:
            main()
    assert not ended.value.code
    (record,) = folder.glob("runs/**/record.json")
    return Workplace(folder, record.parent.relative_to(folder))


@dataclass
class Done:
    status: int
    out: str
    err: str


@pytest.fixture
def bench(
    workplace: Workplace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Done]:
    """Return the command in this process, at work in the folder of the run."""

    def run(*arguments: str | Path, folder: Path = workplace.folder) -> Done:
        at_work(monkeypatch, folder, [*map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        captured = capsys.readouterr()
        return Done(ended.value.code or 0, captured.out, captured.err)  # type: ignore[arg-type]

    return run


def test_an_exported_run_scores_to_the_same_numbers_in_the_same_table(
    workplace: Workplace, bench: Callable[..., Done], tmp_path: Path
) -> None:
    exported = bench("export", workplace.run, "--rankings", tmp_path)
    assert (exported.status, exported.err) == (0, "")
    assert exported.out == f"wrote {tmp_path}/all.run\nwrote {tmp_path}/all.qrels\n"
    command = ["score", "--ranking", tmp_path / "all.run", *DATA, "--method", "the [old] one",
               "--runs", tmp_path / "runs"]  # fmt: skip
    scored = bench(*command)
    assert (scored.status, scored.err) == (0, "")
    (file,) = tmp_path.glob("runs/**/record.json")
    record, expected = Record.read(file), workplace.record
    assert record.tasks == expected.tasks
    assert record.protocol_fingerprint == expected.protocol_fingerprint
    assert (record.origin, record.method) == ("ranking", "the [old] one")
    typed = record.provenance.command
    assert typed.startswith("bench score --ranking ")
    assert "--runs" not in typed
    assert str(tmp_path) not in typed
    for name in ("rankings.parquet", "per_query.parquet"):
        ours = pq.read_table(workplace.folder / workplace.run / name)
        assert pq.read_table(file.with_name(name)).equals(ours)
    assert "the [old] one" in scored.out
    for name, value in record.tasks[0].metrics.items():
        (line,) = [line for line in scored.out.splitlines() if f" {name} " in line]
        assert f"{value.mean:.4f}" in line
    again = bench(*command)
    assert "finished before" in again.out


def test_a_ranking_needs_annotations_and_no_image(
    workplace: Workplace, bench: Callable[..., Done], tmp_path: Path
) -> None:
    (tmp_path / "manifest.csv").write_bytes((workplace.folder / "manifest.csv").read_bytes())
    rankings = workplace.folder / workplace.run / "rankings.parquet"
    scored = bench("score", "--ranking", rankings, *DATA, "--method", "theirs", folder=tmp_path)
    assert scored.status == 0
    (file,) = tmp_path.glob("runs/**/record.json")
    assert Record.read(file).tasks == workplace.record.tasks


def test_features_are_those_of_the_store_by_id(
    workplace: Workplace, bench: Callable[..., Done], tmp_path: Path
) -> None:
    (store,) = workplace.folder.glob("cache/features/*/features.npy")
    expected = np.load(store)
    for name in ("a.npy", "a.parquet"):
        done = bench("export", workplace.run, "--features", tmp_path / name)
        assert (done.status, done.err) == (0, "")
        assert f"wrote {tmp_path / name}\n" in done.out
    assert np.array_equal(np.load(tmp_path / "a.npy"), expected)
    ids = (tmp_path / "a.ids.txt").read_text().splitlines()
    assert ids == [f"images/{number:02} [red].jpg" for number in range(12)]
    table = pq.read_table(tmp_path / "a.parquet")
    assert table["id"].to_pylist() == ids
    assert table.schema.field("features").type.list_size == expected.shape[1]
    assert np.array_equal(np.stack(table["features"].to_numpy()), expected)
    refused = bench("export", workplace.run, "--features", tmp_path / "a.npy")
    assert refused.status == 2
    assert "write over it with --replace" in refused.err
    assert bench("export", workplace.run, "--features", tmp_path / "a.npy", "--replace").status == 0


def test_features_are_extracted_again_where_the_store_was_emptied(
    workplace: Workplace, bench: Callable[..., Done], tmp_path: Path
) -> None:
    (store,) = workplace.folder.glob("cache/features/*/features.npy")
    expected = np.load(store)
    shutil.rmtree(store.parent)
    done = bench("export", workplace.run, "--features", tmp_path / "a.npy")
    assert done.status == 0
    assert np.array_equal(np.load(tmp_path / "a.npy"), expected)


def test_damaged_images_are_left_out_of_exports_as_they_were_of_the_run(
    workplace: Workplace, bench: Callable[..., Done], tmp_path: Path
) -> None:
    shutil.copytree(workplace.folder / "images", tmp_path / "images")
    shutil.copy(workplace.folder / "manifest.csv", tmp_path)
    damaged = tmp_path / "images" / "03 [red].jpg"
    damaged.write_bytes(damaged.read_bytes()[:100])
    ran = bench(*RUN, "--skip-damaged", folder=tmp_path)
    assert ran.status == 0, ran.err
    (file,) = tmp_path.glob("runs/**/record.json")
    assert Record.read(file).dataset.damaged == 1
    done = bench("export", file, "--rankings", "out", "--features", "a.npy", folder=tmp_path)
    assert done.status == 0, done.err
    left = {f"images/{number:02} [red].jpg" for number in range(12) if number != 3}
    assert set((tmp_path / "a.ids.txt").read_text().splitlines()) == left
    judged = [line.split() for line in (tmp_path / "out" / "all.qrels").read_text().splitlines()]
    assert {unquote(fields[0]) for fields in judged} == left
    assert {unquote(fields[2]) for fields in judged} == left


def test_features_of_images_that_changed_since_are_refused(
    workplace: Workplace, bench: Callable[..., Done], tmp_path: Path
) -> None:
    (image, *_) = sorted((workplace.folder / "images").iterdir())
    content = image.read_bytes()
    try:
        image.write_bytes(content + b"\0")
        done = bench("export", workplace.run, "--features", tmp_path / "a.npy")
    finally:
        image.write_bytes(content)
    assert done.status == 2
    assert "have changed since this run" in done.err
    assert "run it again: bench run --method pretrained" in done.err
    assert not list(tmp_path.iterdir())


MISTAKES = {
    "no such file": (["score", "--ranking", "absent.csv", *DATA, "--method", "m"],
                     "absent.csv: no such file"),
    "no format": (["score", "--ranking", "manifest.jsonl", *DATA, "--method", "m"],
                  "expected a name that ends in .csv"),
    "no ranking": (["score", "--ranking", "manifest.csv", *DATA, "--method", "m"],
                   "manifest.csv:1: the columns 'path, item'; expected the columns query, gallery"),
    "no protocol": (["score", "--ranking", "a.csv", *DATA[:2], "--protocol", "leave-one",
                     "--method", "m"], "did you mean leave-one-out"),
    "no method": (["score", "--ranking", "a.csv", *DATA], "--method"),
    "no metric": (["score", "--ranking", "a.csv", *DATA, "--method", "m", "--metric", "recall"],
                  "recall@"),
    "nothing to export": (["export", "runs"], "nothing to export; give --rankings DIR"),
    "no run": (["export", "runs", "--rankings", "out"], "runs is not a finished run"),
}  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_ends_in_one_line_and_status_2(mistake: str, bench: Callable[..., Done]) -> None:
    command, expected = MISTAKES[mistake]
    done = bench(*command)
    assert (done.status, done.out) == (2, "")
    (line,) = done.err.splitlines()
    assert line.startswith("error: ")
    assert expected in line


@pytest.mark.parametrize("command", ["score", "export"])
def test_help_imports_nothing_heavy(command: str) -> None:
    program = (
        f"import sys\nsys.argv = ['bench', {command!r}, '--help']\nfrom bench.cli import main\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code, end.code\n"
        "print('loaded:', *sorted(sys.modules), file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert f"bench {command} [OPTIONS]" in done.stdout
    assert not set(done.stderr.split()) & {"torch", "pandas", "pyarrow", "numba", "openvino"}
