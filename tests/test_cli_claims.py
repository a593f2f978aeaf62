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
from claim_plugin import write_plugin, write_toy_run

from bench.records import Record

BENCH = Path(sys.executable).with_name("bench")
IN_SHOP = {"dataset": "inshop", "protocol": "dress/dress-gallery"}
BETTER = {"kind": "better", **IN_SHOP, "these": ["good"], "than": ["base"], "metrics": ["hit@1"]}
Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path, make_record: Callable[..., Record]) -> Write:
    def write_below(values: Any, **changes: Any) -> Path:
        return write_toy_run(make_record, tmp_path / "runs", values, **changes)

    return write_below


def bench(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [BENCH, "claims", *arguments, "--plugin", folder / "plugin" / "toy_claims.py"], cwd=folder,
        env=os.environ | {"COLUMNS": "140"}, capture_output=True, text=True, timeout=100,
        check=False,
    )  # fmt: skip


def test_all_is_printed_and_written(write: Write, tmp_path: Path) -> None:
    mini = {"edition": "mini", "budget": "mini"}
    for edition in ({}, mini):
        write({"hit@1": np.ones(9)}, variant="good", **edition)
        write({"hit@1": np.zeros(9)}, **edition)
    backbone = {"name": "[red]small", "substitute_for": "vgg16"}
    write({"hit@1": np.ones(9)}, variant="wide", backbone=backbone, **mini)
    fact = {"kind": "fact", "function": "bench_plugin_toy_claims:holds"}
    figure = {"kind": "not-checkable", "why": "a figure without values"}
    both = BETTER | {"these": ["good", "wide"]}
    write_plugin(tmp_path / "plugin", [both], [BETTER | {"these": ["base"], "than": ["good"]}],
                 [fact], [figure])  # fmt: skip

    done = bench(tmp_path, "toy", "--json", "claims.json")
    assert (done.returncode, done.stderr) == (0, "")
    lines = [" ".join(line.replace("│", " ").split()) for line in done.stdout.splitlines()]
    full, drawn = (n for n, line in enumerate(lines) if line.startswith("toy: "))
    assert lines[full].startswith("toy: full editions, budget full, fp32")
    assert lines[drawn].startswith("toy: mini editions, budget mini, fp32")
    assert "backbone [red]small in the place of vgg16" in lines[drawn]
    warning = "drawn pictures: these verdicts say nothing about real photographs"
    assert lines[drawn + 1] == warning
    assert lines.count(warning) == 1
    assert "C-1 not checkable the [1] claim" in lines[:drawn]
    assert (
        "inshop@full: no run of variant wide on inshop@full, protocol dress/dress-gallery (1 of 2 "
        "comparisons not checkable)"
    ) in " ".join(lines[:drawn])
    assert "C-1 held the [1] claim" in lines[drawn:]
    found = "inshop@mini: hit@1 in dress/dress-gallery: good − base: +1.0000 [+1.0000, +1.0000]"
    assert f"{found} (2 of 2 comparisons held)" in " ".join(lines[drawn:])
    assert "C-2 reversed the [2] claim" in lines
    assert "C-3 held the [3] claim" in lines
    assert "39.3 [times] smaller" in lines
    assert "C-4 not checkable the [4] claim" in lines
    assert "a figure without values" in lines
    assert lines[drawn - 2] == "2 not checkable, 1 reversed, 1 held"

    _, of_mini = json.loads((tmp_path / "claims.json").read_text())
    assert of_mini["setting"] == {
        "edition": "mini", "budget": "mini", "precision": "fp32", "recipe": {}, "options": {},
    }  # fmt: skip
    assert [claim["verdict"] for claim in of_mini["decisions"]] == [
        "held", "reversed", "held", "not checkable",
    ]  # fmt: skip
    first, _ = of_mini["decisions"][0]["comparisons"]
    assert first["runs"] == [
        f"runs/inshop@mini/toy--{variant}/dress--dress-gallery--seed0"
        for variant in ("good", "base")
    ]
    assert (first["value"], first["low"], first["high"], first["queries"]) == (1, 1, 1, 9)


def test_without_a_method_those_with_claims_are_checked(write: Write, tmp_path: Path) -> None:
    write({"hit@1": np.ones(9)}, variant="good")
    write_plugin(tmp_path / "plugin", [BETTER])
    done = bench(tmp_path, "--dataset", "cub200")
    assert (done.returncode, done.stderr) == (0, "")
    assert "multiattrib: no finished run that a claim is about" in done.stdout
    assert "M-5" in done.stdout
    assert "M-1 " not in done.stdout
    assert "C-1" not in done.stdout


def test_mistakes_end_in_one_line_and_status_2(write: Write, tmp_path: Path) -> None:
    write({"hit@1": np.ones(9)}, variant="good")
    plugin = write_plugin(tmp_path / "plugin", [BETTER])
    for arguments, expected in (
        (["to"], "unknown method 'to'; did you mean toy?"),
        (["pretrained"], "method pretrained has no claims; expected claims.toml beside"),
        (["toy", "--dataset", "cub200"], "unknown dataset of these claims 'cub200'; "),
        (["toy", "--runs", "nowhere"], "--runs nowhere: no such folder"),
    ):
        done = bench(tmp_path, *arguments)
        assert (done.returncode, done.stdout) == (2, "")
        assert expected in done.stderr
        assert len(done.stderr.splitlines()) == 1
    write_plugin(plugin.parent, [BETTER | {"than": ["bse"]}])
    done = bench(tmp_path, "toy")
    assert (done.returncode, done.stdout) == (2, "")
    assert "claims.toml: claim C-1, check 1: unknown variant of toy 'bse'" in done.stderr


def test_checking_claims_needs_neither_torch_nor_pandas() -> None:
    program = "import sys, bench.claims; print({'torch', 'pandas'} & {*sys.modules})"
    loaded = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert loaded.stdout == "set()\n"
