"""The command line in this process: a process of its own takes seconds to import torch, each time.

`process` starts one, for tests of what only a real one shows.
"""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import sys
from pathlib import Path
from unittest import mock

from bench.cli import main

Done = subprocess.CompletedProcess[str]
BENCH = Path(sys.executable).with_name("bench")


def process(*arguments: str | Path, folder: Path) -> Done:
    """Run `bench` in `folder`, where its cache and its data are too, in a process of its own."""
    environment = os.environ | {
        "COLUMNS": "160", "BENCH_CACHE": str(folder / "cache"), "BENCH_DATA": str(folder / "data")
    }  # fmt: skip
    return subprocess.run(
        [BENCH, *arguments], cwd=folder, env=environment, capture_output=True, text=True,
        timeout=200, check=False,
    )  # fmt: skip


def bench(*arguments: str | Path, folder: Path | None = None, **variables: str) -> Done:
    """Run `bench` in `folder`, where its cache and its data are too, and return what it left."""
    command = ["bench", *map(str, arguments)]
    environment = {"COLUMNS": "160"} | variables
    if folder:
        environment |= {"BENCH_CACHE": str(folder / "cache"), "BENCH_DATA": str(folder / "data")}
    output, errors, status = io.StringIO(), io.StringIO(), 0
    with (
        mock.patch.dict(os.environ, environment),
        mock.patch.object(sys, "argv", command),
        contextlib.chdir(folder or Path.cwd()),
        contextlib.redirect_stdout(output),
        contextlib.redirect_stderr(errors),
    ):
        try:
            main()
        except SystemExit as end:
            status = int(end.code or 0)
    return Done(command, status, output.getvalue(), errors.getvalue())
