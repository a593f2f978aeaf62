"""`bench submit` as a user and as a workflow meet it."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
from command_line import bench, process

PLUGIN = Path(__file__).parent / "helpers" / "toy_dataset.py"
CHECK = ["submit", "--check", "--plugin", PLUGIN, "--data-root", "."]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with one run, of rankings in alphabetical order, and its bundle."""
    folder = tmp_path_factory.mktemp("submit")
    names = [f"no {row}; {('round', 'v neck')[row // 3 % 2]} 100%" for row in range(24)]
    rows = [
        f"{query},{name},{rank}"
        for query in names
        for rank, name in enumerate((n for n in names if n != query), start=1)
    ]
    (folder / "given.csv").write_text("\n".join(["query,gallery,rank", *rows]) + "\n")
    scored = process("score", "--ranking", "given.csv", "--dataset", "toy", "--protocol",
                     "leave-one-out", "--method", "the [old] one", "--data-root", ".",
                     "--plugin", PLUGIN, folder=folder)  # fmt: skip
    assert scored.returncode == 0, scored.stderr
    return folder


@pytest.fixture
def bundle(place: Path) -> Path:
    (run,) = place.glob("runs/*/*/*")
    done = bench("submit", run, folder=place)
    assert (done.returncode, done.stderr) == (0, "")
    (file,) = place.glob("submissions/*.zip")
    return file.relative_to(place)


def test_a_run_is_bundled_and_the_next_step_is_said(place: Path) -> None:
    (run,) = place.glob("runs/*/*/*")
    done = process("submit", run, "--to", "mine", folder=place)
    assert (done.returncode, done.stderr) == (0, "")
    (file,) = place.glob("mine/*.zip")
    assert file.name.startswith("toy@full--leave-one-out--the--old--one--default--seed0-")
    assert f"wrote mine/{file.name}, 0.0" in done.stdout
    assert "git add mine, commit, and open a pull request" in done.stdout


def test_a_check_scores_again_in_another_process(place: Path, bundle: Path) -> None:
    done = process(*CHECK, bundle, "--json", "found.json", folder=place)
    assert done.returncode == 0, done.stderr
    assert f"{bundle}: holds" in done.stdout
    (row,) = [line for line in done.stdout.splitlines() if " map@r " in line]
    assert "same" in row
    (found,) = json.loads((place / "found.json").read_text())
    assert (found["outcome"], found["problems"]) == ("holds", [])
    assert all(value["agrees"] for value in found["values"])


def test_one_of_several_that_does_not_hold_ends_with_status_1(place: Path, bundle: Path) -> None:
    broken = place / "broken.zip"
    broken.write_bytes((place / bundle).read_bytes()[:-30])
    tables = place / "leaderboards"
    (run,) = place.glob("runs/*/*/*")
    assert bench("leaderboard", "add", run, "--folder", tables).returncode == 0
    joined = bench("leaderboard", "add", bundle, "--folder", "others", folder=place)
    assert joined.returncode == 0, joined.stderr
    assert [path.name for path in (place / "others").rglob("*.parquet")] == [
        path.name for path in tables.rglob("*.parquet")
    ]
    done = bench(*CHECK, "broken.zip", bundle, "--leaderboards", "leaderboards", "--comment",
                 "comment.md", folder=place)  # fmt: skip
    assert done.returncode == 1
    assert "broken.zip: does not hold" in done.stdout
    assert "wrong: broken.zip: " in done.stdout
    assert f"{bundle}: holds" in done.stdout
    text = (place / "comment.md").read_text()
    assert "does not hold" in text
    assert re.search(r"^\| 1: .*\| 1: .*\| ", text, re.MULTILINE)
    shutil.rmtree(tables)


MISTAKES = {
    "no run": (["submit", "absent"], "absent is not a finished run"),
    "no bundle": ([*CHECK, "absent.zip"], "absent.zip: no such file; expected a bundle"),
    "nothing": (["submit"], "Missing argument 'RUN...'"),
    "two minds": ([*CHECK, "a.zip", "--to", "b"], "--check writes none"),
    "no check": (["submit", "a", "--comment", "b.md"], "go with --check"),
    "half a comment": ([*CHECK, "a.zip", "--comment", "b.md"], "belong together; give both"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_ends_in_one_line_and_status_2(mistake: str, tmp_path: Path) -> None:
    command, expected = MISTAKES[mistake]
    done = bench(*command, folder=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: ")
    assert expected in line
