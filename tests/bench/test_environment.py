from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def test_a_torchvision_that_does_not_fit_torch_ends_in_one_line(tmp_path: Path) -> None:
    package = tmp_path / "torchvision"
    package.mkdir()
    (package / "__init__.py").write_text(
        "raise RuntimeError('operator torchvision::nms does not exist')"
    )
    (tmp_path / "photo.csv").write_text("path,item\na.jpg,1\nb.jpg,1\n")
    for name in ("a", "b"):
        (tmp_path / f"{name}.jpg").write_bytes(b"not decoded before torchvision is imported")
    done = subprocess.run(
        [sys.executable, "-c", "from bench.cli import main; main()", "run", "--method",
         "pretrained", "--dataset", f"manifest:{tmp_path}/photo.csv"],
        env={**os.environ, "PYTHONPATH": str(tmp_path)}, cwd=tmp_path,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert "do not fit together" in line
    assert "torchvision::nms" in line
    assert "pip install --force-reinstall torch==" in line
