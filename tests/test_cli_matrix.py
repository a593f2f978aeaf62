"""`bench matrix` with real processes: a toy network of two stages on 48 small pictures."""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest
from command_line import BENCH, Done, bench
from toy_training import PLUGIN, draw

from bench.records import Record

KILLS = 2  # one of the whole group, one of the matrix alone


class Place:
    """A folder with pictures, a matrix file of them, a cache, and the runs that come of it."""

    def __init__(
        self, folder: Path, *, variants: str = "all", cells: str = "", damaged: int | None = None
    ) -> None:
        self.folder = folder
        self.manifest = draw(folder / "pictures", damaged=damaged)
        self.file = folder / "toys.toml"
        self.file.write_text(
            f"""
            [[cells]]
            methods = ["toy-net"]
            datasets = ["manifest:{self.manifest}"]
            variants = "{variants}"
            {cells}
            """,
            encoding="utf-8",
        )
        # no git: somebody may work in the checkout meanwhile, and its state is in the record
        self.variables = {
            "BENCH_CACHE": str(folder / "cache"), "GIT_DIR": str(folder / "none"), "COLUMNS": "200"
        }  # fmt: skip
        self.arguments = [str(self.file), "--plugin", str(PLUGIN), "--workers", "2"]

    def matrix(self, *arguments: str) -> Done:
        """Run the command in this process; its jobs are processes of their own."""
        return bench("matrix", *self.arguments, *arguments, folder=self.folder,
                     GIT_DIR=self.variables["GIT_DIR"])  # fmt: skip

    def start(self) -> subprocess.Popen[bytes]:
        """Start the command as the first of a group of processes."""
        # a shell starts what it leaves in the background with this ignored, which is inherited
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            with (self.folder / "output.txt").open("a") as output:
                return subprocess.Popen(
                    [BENCH, "matrix", *self.arguments], cwd=self.folder, start_new_session=True,
                    env=os.environ | self.variables, stdout=output, stderr=subprocess.STDOUT,
                )  # fmt: skip
        finally:
            signal.signal(signal.SIGINT, before)

    def clear(self) -> None:
        """Remove what runs left, for the next to have something to do."""
        for name in ("runs", "cache"):
            shutil.rmtree(self.folder / name, ignore_errors=True)

    def digests(self) -> dict[str, str]:
        """Return the digest of each finished run by its folder."""
        found = {}
        for done in self.folder.glob("runs/*@*/toy-net--*/*/DONE"):
            digest = Record.read(done.with_name("record.json")).digest
            assert done.read_text().strip() == digest
            found[str(done.parent.relative_to(self.folder))] = digest
        return found


def counts(done: Done) -> str:
    return done.stdout.splitlines()[-1]


@pytest.mark.slow
def test_a_matrix_is_planned_run_and_not_run_again(tmp_path: Path) -> None:
    place = Place(tmp_path)
    planned = place.matrix("--dry-run")
    assert planned.returncode == 0, planned.stderr
    assert planned.stdout.count("to run") == 4  # a row for each of two jobs, and two sums
    assert "2 jobs to run, 2 at once: 2 of unknown time" in planned.stdout
    assert not (tmp_path / "runs").exists()

    done = place.matrix()
    assert done.returncode == 0, done.stdout + done.stderr
    assert counts(done) == "cells: 0 finished before, 0 recorded, 4 run, 0 failed, 0 n/a"
    assert done.stdout.count("hit@1 ") == 4
    made = place.digests()
    assert len(made) == 4
    # both variants train the same two stages: each was trained once, by whoever came first
    stages = {path.name.split("--")[1] for path in tmp_path.glob("runs/*@*/training/*")}
    assert stages == {"classes", "triplets"}
    logs = [log.read_text() for log in tmp_path.glob("runs/matrix/*.log")]
    assert all(log.startswith("$ bench run --method toy-net ") for log in logs)
    assert not list(tmp_path.glob("runs/matrix/*.failed.json"))

    again = place.matrix()
    assert again.returncode == 0
    assert counts(again) == "cells: 4 finished before, 0 recorded, 0 run, 0 failed, 0 n/a"
    assert place.digests() == made
    assert "0 jobs to run, 2 at once: nothing" in place.matrix("--dry-run").stdout

    for number, record in enumerate(tmp_path.glob("runs/*@*/toy-net--*/*/record.json")):
        copy = tmp_path / "leaderboards/records/toys@full/query-vs-gallery" / f"{number}.json"
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(record.read_text())
        copy.with_suffix(".parquet").touch()
    elsewhere = place.matrix("--runs", "others", "--dry-run")
    assert "cells: 4 recorded" in elsewhere.stdout
    estimated = place.matrix("--runs", "others", "--dry-run", "--again")
    assert "cells: 4 to run" in estimated.stdout
    assert "≈" in estimated.stdout


@pytest.mark.slow
def test_a_job_that_fails_is_noted_and_tried_again(tmp_path: Path) -> None:
    place = Place(tmp_path, damaged=3, variants="default", cells="""
            [[cells]]
            methods = ["toy-net"]
            datasets = ["clothing"]
            edition = "full"
    """)  # fmt: skip
    done = place.matrix()
    assert done.returncode == 1, done.stdout + done.stderr
    assert counts(done) == "cells: 0 finished before, 0 recorded, 0 run, 2 failed, 1 n/a"
    assert "n/a     toy-net default on clothing seed 0: all: clothing is not below" in done.stdout
    (file,) = tmp_path.glob("runs/matrix/*.failed.json")
    failure = json.loads(file.read_text())
    assert failure["status"] == 2
    assert failure["command"].startswith("bench run --method toy-net --variant default ")
    assert failure["error"].startswith("error: ")
    assert "03.png" in failure["error"]
    assert failure["when"].endswith("+00:00")
    assert "failed at 2" in place.matrix("--dry-run").stdout

    good = tmp_path / "pictures" / "images" / "07.png"
    (tmp_path / "pictures" / "images" / "03.png").write_bytes(good.read_bytes())
    repaired = place.matrix()
    assert repaired.returncode == 0, repaired.stdout + repaired.stderr
    assert counts(repaired) == "cells: 0 finished before, 0 recorded, 2 run, 0 failed, 1 n/a"
    assert not list(tmp_path.glob("runs/matrix/*.failed.json"))


def test_options_can_say_what_to_run(tmp_path: Path) -> None:
    draw(tmp_path / "pictures")
    data = ["--dataset", "manifest:pictures/manifest.csv", "--plugin", str(PLUGIN)]
    named = ["--method", "toy-net", "--variant", "all", "--seed", "0", "--seed", "1"]
    planned = bench("matrix", *data, *named, "--dry-run", folder=tmp_path)
    assert planned.returncode == 0, planned.stderr
    assert "4 jobs to run" in planned.stdout

    refused = bench("matrix", *data, "--method", "darn", folder=tmp_path)
    assert refused.returncode == 2
    assert refused.stderr.startswith("error: no cell can be had; the first: darn has a network ")
    file = tmp_path / "own.toml"
    file.write_text("[[cells]]\n")
    both = bench("matrix", str(file), *named, folder=tmp_path)
    assert both.returncode == 2
    assert "says what to run; give a matrix file, or options that say it" in both.stderr


def test_ctrl_c_ends_the_jobs_and_says_how_to_go_on(tmp_path: Path) -> None:
    place = Place(tmp_path)
    process = place.start()
    until = time.monotonic() + 60
    while not list(tmp_path.glob("runs/matrix/*.log")):
        assert time.monotonic() < until
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGINT)
    assert process.wait(60) == 130
    assert (
        (tmp_path / "output.txt")
        .read_text()
        .endswith("interrupted; the same command goes on where this stopped\n")
    )
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)


@pytest.mark.slow
def test_a_matrix_killed_at_random_moments_ends_with_the_same_records(tmp_path: Path) -> None:
    place = Place(tmp_path)
    clock = time.perf_counter()
    assert place.start().wait(300) == 0
    seconds = time.perf_counter() - clock
    expected = place.digests()
    assert len(expected) == 4

    place.clear()
    generator = random.Random(0)
    for number in range(KILLS):
        process = place.start()
        if number == 0:  # amid the jobs, which no moment chosen beforehand is sure to be
            while not any(tmp_path.glob("runs/matrix/*.log")):
                assert process.poll() is None
                time.sleep(0.01)
        else:
            time.sleep(generator.uniform(0.2, 0.9) * seconds)
        if number % 2:
            os.killpg(process.pid, signal.SIGKILL)
        else:  # the jobs under way go on, beside those of the next matrix
            process.kill()
        process.wait()
        assert expected.items() >= place.digests().items()
        if place.digests() == expected:  # what was left needed less than that
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            place.clear()
    assert place.start().wait(300) == 0
    assert place.digests() == expected
    assert not list(tmp_path.glob("runs/matrix/*.failed.json"))
