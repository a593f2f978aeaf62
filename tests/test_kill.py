from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bench.features import DONE
from bench.records import Record

IMAGES, KILLS = 60, 2
# features are saved after each batch: a fast machine has all of them within one interval
BENCH = """
import sys
from bench import features
from bench.cli import main
features.SAVE_EVERY = 0
sys.argv[0] = "bench"
main()
"""


class Place:
    """A cache and a folder of runs, and the one command that fills them."""

    def __init__(self, folder: Path, manifest: Path) -> None:
        self.folder = folder
        folder.mkdir()
        self.command = [
            sys.executable, "-c", BENCH, "run", "--method", "pretrained",
            "--dataset", f"manifest:{manifest}", "--backbone", "timm:resnet18",
            "--weights", "none", "--engine", "torch", "--batch-size", "4",
            "--runs", str(folder / "runs"),
        ]  # fmt: skip
        # no git: somebody may work in the checkout meanwhile, and its state is in the record
        self.environment = os.environ | {
            "BENCH_CACHE": str(folder / "cache"), "GIT_DIR": str(folder / "none"),
        }  # fmt: skip

    def start(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            self.command, env=self.environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )

    def finish(self) -> float:
        """Run to the end and return the seconds."""
        clock = time.perf_counter()
        process = self.start()
        _, errors = process.communicate(timeout=300)
        assert process.returncode == 0, errors.decode()
        return time.perf_counter() - clock

    def kill_after(self, seconds: float) -> bool:
        """Start the command, kill it, and return True; False if it came to its end before."""
        process = self.start()
        try:
            process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            return True
        assert process.returncode == 0
        return False

    def kill_halfway(self) -> None:
        """Start the command and kill it when some images have their features, and not all."""
        process = self.start()
        while not 0 < self.stored() < IMAGES:
            assert process.poll() is None, "the features of all images were stored at once"
            time.sleep(0.001)
        process.kill()
        process.communicate()

    def result(self) -> tuple[str, pa.Table, pa.Table]:
        """Return the record's digest, the rankings and the values per query."""
        (done,) = self.folder.glob("runs/**/DONE")
        digest = Record.read(done.with_name("record.json")).digest
        assert done.read_text().strip() == digest
        left = {path.name for path in done.parent.iterdir()}
        assert left >= {"record.json", "rankings.parquet", "per_query.parquet", "DONE"}
        return (
            digest,
            pq.read_table(done.with_name("rankings.parquet")),
            pq.read_table(done.with_name("per_query.parquet")),
        )

    def stored(self) -> int:
        """Return how many images have their features on the disk."""
        return sum(
            int((np.load(state) == DONE).sum())
            for state in self.folder.glob("cache/features/*/state.npy")
        )

    def clear(self) -> None:
        shutil.rmtree(self.folder)
        self.folder.mkdir()


def require_equal(
    found: tuple[str, pa.Table, pa.Table], expected: tuple[str, pa.Table, pa.Table]
) -> None:
    assert found[1].equals(expected[1])
    assert found[2].equals(expected[2])
    assert found[0] == expected[0]


@pytest.mark.slow
def test_a_run_killed_at_random_moments_ends_with_the_same_record(
    tmp_path: Path, make_images: Callable[[Path, Iterable[str]], list[Path]]
) -> None:
    names = [f"{number:03}.jpg" for number in range(IMAGES)]
    make_images(tmp_path / "images", names)
    rows = "".join(f"{name},class {number % 7}\n" for number, name in enumerate(names))
    manifest = tmp_path / "images" / "all.csv"
    manifest.write_text(f"path,category\n{rows}")

    undisturbed = Place(tmp_path / "undisturbed", manifest)
    seconds = undisturbed.finish()
    expected = undisturbed.result()
    assert expected[2].num_rows == IMAGES

    disturbed = Place(tmp_path / "disturbed", manifest)
    generator = random.Random(0)
    # up to 0.9 of it: another run may be a little faster than the one measured
    moments = [0.9 * seconds * (n + generator.random()) / KILLS for n in range(KILLS)]
    generator.shuffle(moments)
    for moment in moments:
        while not disturbed.kill_after(moment):
            require_equal(disturbed.result(), expected)  # what was left needed less than that
            disturbed.clear()
    disturbed.clear()
    disturbed.kill_halfway()  # which no moment chosen beforehand is sure to do
    assert 0 < disturbed.stored() < IMAGES
    disturbed.finish()
    require_equal(disturbed.result(), expected)
