from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from run_folders import write_run

from bench.records import Record

BENCH = Path(sys.executable).with_name("bench")
Done = subprocess.CompletedProcess[str]
WriteRun = Callable[..., Path]


def bench(*arguments: str | Path, **variables: str) -> Done:
    return subprocess.run(
        [BENCH, *arguments], env=os.environ | {"COLUMNS": "120"} | variables,
        capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip


@pytest.fixture
def write(tmp_path: Path, make_record: Callable[..., Record]) -> WriteRun:
    def write_below(name: str, values: Any, **changes: Any) -> Path:
        return write_run(make_record, tmp_path / name, values, **changes)

    return write_below


@pytest.fixture
def pair(write: WriteRun) -> list[Path]:
    """Return two runs: of 24 queries the first answers 22, the second, lower by 0.25, 16."""
    numbers = np.arange(24)
    names = {"category": ["dress", "[red]hat"] * 12, "query": [f"[b]{n}.jpg" for n in numbers]}
    chosen: dict[str, Any] = {"names": names, "dataset": {"edition": "mini"}}
    first = {"hit@1": np.where(numbers < 2, 0, 1), "ndcg@5[attributes]": numbers / 24}
    second = {"hit@1": np.where(numbers < 8, 0, 1), "ndcg@5[attributes]": numbers / 24 + 0.01}
    return [write("a", first, **chosen), write("b", second | {"mrr": numbers / 24}, variant="wide",
                                               **chosen)]  # fmt: skip


def test_all_is_printed_and_written(pair: list[Path], tmp_path: Path) -> None:
    done = bench("compare", *pair, "--json", tmp_path / "out.json", "--queries", "1")
    assert (done.returncode, done.stderr) == (0, "")
    lines = [" ".join(line.replace("│", " ").split()) for line in done.stdout.splitlines()]
    assert "clothing@mini test-vs-train" in lines
    # hit@1: six queries of 24 lost; of 2^6 choices of signs, 2 are as large
    p = f"{2 / 2**6:.4f}"
    [difference] = [line for line in lines if line.startswith("hit@1 B - A")]
    assert difference.startswith("hit@1 B - A -0.2500 -0.4")
    assert difference.endswith(p + " " + p)
    [better] = [line for line in lines if line.startswith("ndcg@5[attributes] B - A")]
    assert better.startswith("ndcg@5[attributes] B - A +0.0100 +0.0100 – +0.0100 0.0001 0.0002")
    [row] = [line for line in lines if line.startswith("hit@1 A pretrained, variant default")]
    assert row.startswith("hit@1 A pretrained, variant default 0.9167")
    assert row.endswith("a")
    assert "left out, since not all runs have them: mrr" in lines
    assert "[red]hat worse 12 0.9167 0.6667 -0.2500" in lines
    assert "dress worse 12 0.9167 0.6667 -0.2500" in lines
    assert "[b]2.jpg all 1.0000 0.0000 -1.0000" in lines
    assert not any(line.startswith("[b]3.jpg") for line in lines)
    assert "drawn pictures: these numbers say nothing about real photographs" in lines

    written = json.loads((tmp_path / "out.json").read_text())
    assert written["higher_is_better"] == {"hit@1": True, "ndcg@5[attributes]": True}
    assert written["left_out"] == ["mrr"]
    assert [entry["runs"] for entry in written["entries"]] == [[str(folder)] for folder in pair]
    assert written["differences"][0]["p"] == 2 / 2**6
    assert written["changes"][0]["queries"] == [
        {"task": "all", "query": "[b]2.jpg", "target": "", "first": 1.0, "second": 0.0}
    ]
    assert [part["second_is"] for part in written["changes"][0]["categories"]] == ["worse"] * 2


def test_a_run_that_is_worse_ends_with_status_1_and_says_what_p_is(pair: list[Path]) -> None:
    done = bench("compare", *pair, "--fail-if-worse", "0.01")
    assert done.returncode == 1
    assert done.stderr.startswith(
        "hit@1 of pretrained, variant wide is worse than that of pretrained, variant default by "
        "more than 0.01: -0.2500 [-0.4"
    )
    assert "p 0.0312" in done.stderr
    assert done.stdout
    # the metric that is named is the one that counts
    done = bench("compare", *pair, "--fail-if-worse", "0", "--metric", "ndcg@5[attributes]")
    assert (done.returncode, done.stderr) == (0, "")


def test_seeds_have_a_spread_of_their_own(write: WriteRun, tmp_path: Path) -> None:
    runs = [write(f"{seed}", {"mrr": [0.25 * seed, 0.5, np.nan]}, seed=seed) for seed in range(3)]
    done = bench("compare", *runs, "--json", tmp_path / "out.json")
    assert (done.returncode, done.stderr) == (0, "")
    [row] = [line for line in done.stdout.splitlines() if "│ mrr" in line]
    cells = [cell.strip() for cell in row.split("│")[1:-1]]
    # means 0.25, 0.375, 0.5; over queries of the averages 0.25 and 0.5
    assert cells == ["mrr", "A  pretrained", "0.3750", "0.2500 – 0.5000", "3", "0.1250",
                     "0.2500 – 0.5000", "a"]  # fmt: skip
    [entry] = json.loads((tmp_path / "out.json").read_text())["entries"]
    assert entry["scores"]["mrr"]["seeds"]["means"] == [0.25, 0.375, 0.5]


def test_what_has_no_number_is_null_in_the_file(write: WriteRun, tmp_path: Path) -> None:
    values = {"hit@1": [1.0, 0.0], "mrr": [np.nan, np.nan]}
    runs = [write(name, values, variant=name) for name in "ab"]
    done = bench("compare", *runs, "--json", tmp_path / "out.json", "--metric", "mrr",
                 "--fail-if-worse", "0.5")  # fmt: skip
    assert done.returncode == 1  # whether it is worse cannot be told
    [difference] = json.loads((tmp_path / "out.json").read_text())["differences"]
    assert difference["p"] is None
    assert difference["queries"] == 0


def test_mistakes_end_in_one_line_and_status_2(pair: list[Path], write: WriteRun) -> None:
    other = write("c", {"hit@1": [1.0]}, protocol_fingerprint="7" * 32)
    for arguments, expected in (
        ((pair[0], other), "only runs of one fingerprint can be compared"),
        ((*pair, "--fail-if-worse", "-1"), "Invalid value for '--fail-if-worse'"),
    ):
        done = bench("compare", *arguments)
        assert (done.returncode, done.stdout) == (2, "")
        assert expected in done.stderr
        assert len(done.stderr.splitlines()) == 1


def test_comparing_needs_neither_torch_nor_pandas() -> None:
    program = "import sys, bench.comparison; print({'torch', 'pandas'} & {*sys.modules})"
    loaded = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert loaded.stdout == "set()\n"
