"""What somebody else's distribution can do, and what it cannot break."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow
EXAMPLE = Path(__file__).parent / "example_plugin"
BENCH = "import sys; sys.argv[0] = 'bench'; from bench.cli import main; main()"
Done = subprocess.CompletedProcess[str]


def run(*command: str | Path, folder: Path, **variables: str) -> Done:
    environment = os.environ | {"BENCH_CACHE": str(folder / "cache"), "COLUMNS": "200"} | variables
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300,
        check=False,
    )  # fmt: skip


class Environment:
    """A virtual environment that also sees all packages of the running one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        venv.create(folder / "environment", with_pip=True, symlinks=os.name != "nt")
        scripts = "Scripts" if os.name == "nt" else "bin"
        self.python = folder / "environment" / scripts / "python"
        show = "import sysconfig; print(sysconfig.get_path('purelib'))"
        site = Path(run(self.python, "-c", show, folder=folder).stdout.strip())
        for outdated in site.glob("setuptools*"):  # up to Python 3.11 it comes with pip
            shutil.rmtree(outdated)
        # addsitedir and not a bare path, so that the .pth file of an editable install counts too
        shared = {sysconfig.get_path(kind) for kind in ("purelib", "platlib")}
        lines = [f"import site; site.addsitedir({path!r})" for path in sorted(shared)]
        (site / "shared.pth").write_text("\n".join(lines) + "\n")

    def pip(self, *arguments: str | Path) -> None:
        done = run(self.python, "-m", "pip", *arguments, folder=self.folder)
        assert done.returncode == 0, done.stderr

    def bench(self, *arguments: str | Path) -> Done:
        return run(self.python, "-c", BENCH, *arguments, folder=self.folder)


@pytest.fixture(scope="module")
def images(
    tmp_path_factory: pytest.TempPathFactory,
    make_images: Callable[[Path, Iterable[str]], list[Path]],
) -> Path:
    """Return a folder of two classes in two times three images, each pair of one content."""
    folder = tmp_path_factory.mktemp("images")
    names = [f"{category}/{number}.jpg" for category in ("red", "blue") for number in range(3)]
    for file in make_images(folder, names):
        shutil.copy(file, file.with_name(f"twin-{file.name}"))
    return folder


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """Return an environment into which the example distribution is built and installed."""
    environment = Environment(tmp_path_factory.mktemp("outsider"))
    source = environment.folder / "source"  # building leaves files beside what it builds
    shutil.copytree(EXAMPLE, source)
    environment.pip("install", "--quiet", "--no-index", "--no-deps", "--no-build-isolation", source)
    return environment


def test_an_installed_distribution_is_shown_with_version_and_origin(
    installed: Environment,
) -> None:
    done = installed.bench("plugins")
    lines = done.stdout.splitlines()
    assert (done.returncode, done.stderr) == (0, "")
    start = lines.index("acme  acme-retrieval 1.2.3")
    assert lines[start + 1 : start + 5] == [
        "    datasets: acme",
        "    methods: colour-histogram",
        "    backbones: acme-mosaic",
        "    metrics: miss@k",
    ]
    assert "clothing  fashion-retrieval-bench" in done.stdout


def test_its_parts_are_listed_and_shown_among_all_others(installed: Environment) -> None:
    done = installed.bench("list")
    assert (done.returncode, done.stderr) == (0, "")
    for name in ("acme:…", "colour-histogram", "acme-mosaic", "miss@k", "pretrained", "hit@k"):
        assert name in done.stdout
    shown = installed.bench("show", "colour-histogram").stdout
    assert "bins = 4" in shown
    assert "acme, acme-retrieval 1.2.3" in shown


def test_its_method_runs_on_its_dataset_under_its_metric(
    installed: Environment, images: Path
) -> None:
    done = installed.bench(
        "run", "--method", "colour-histogram", "--dataset", f"acme:{images}", "--set", "bins=8"
    )
    assert done.returncode == 0, done.stderr
    assert "miss@1" in done.stdout
    (file,) = installed.folder.glob("runs/**/record.json")
    record = json.loads(file.read_text())
    assert record["recipe"] == {"bins": 8}
    assert record["dimension"] == 24
    assert record["provenance"]["plugins"] == {"acme": "acme-retrieval 1.2.3"}
    (task,) = record["tasks"]
    assert task["queries"] == 12
    assert task["metrics"]["hit@1"]["mean"] == 1  # each image's twin stands first
    assert task["metrics"]["miss@1"]["mean"] == 0


def test_its_backbone_serves_a_method_of_the_harness(installed: Environment, images: Path) -> None:
    done = installed.bench(
        "run", "--method", "pretrained", "--dataset", f"acme:{images}", "--backbone", "acme-mosaic",
        "--set", "stage=tiles", "--set", "head=flatten", "--runs", "with-backbone",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (file,) = installed.folder.glob("with-backbone/**/record.json")
    record = json.loads(file.read_text())
    assert record["backbone"]["name"] == "acme-mosaic"
    assert record["dimension"] == 3 * 4 * 4
    assert record["tasks"][0]["metrics"]["hit@1"]["mean"] == 1


def test_once_uninstalled_nothing_of_it_is_left(tmp_path: Path) -> None:
    environment = Environment(tmp_path)
    shutil.copytree(EXAMPLE, tmp_path / "source")
    environment.pip("install", "--quiet", "--no-index", "--no-deps", "--no-build-isolation",
                    tmp_path / "source")  # fmt: skip
    assert "colour-histogram" in environment.bench("list", "methods").stdout
    environment.pip("uninstall", "--quiet", "--yes", "acme-retrieval")
    done = environment.bench("list")
    assert (done.returncode, done.stderr) == (0, "")
    assert "acme" not in done.stdout
    assert "colour-histogram" not in done.stdout
    refused = environment.bench("run", "--method", "colour-histogram", "--dataset", "clothing")
    assert refused.returncode == 2
    assert "unknown method 'colour-histogram'" in refused.stderr


IMPORTS = "from bench import hookimpl\nfrom bench.interfaces import HeadSpec\n"
WORKING = (
    IMPORTS
    + """
@hookimpl
def register_heads():
    return [HeadSpec("working-head", "a head that works", lambda stages: None)]
"""
)
BROKEN = {
    "import_error": ("import a_package_that_is_not_there", "ModuleNotFoundError"),
    "misspelt_hook": (IMPORTS + "@hookimpl\ndef register_headz():\n    return []\n",
                      "register_headz"),
    "wrong_type": (IMPORTS + "@hookimpl\ndef register_heads():\n    return ['a name']\n",
                   "expected a HeadSpec"),
    "duplicate_name": (
        IMPORTS + "@hookimpl\ndef register_heads():\n"
        "    return [HeadSpec('flatten', 'another', lambda stages: None)]\n",
        "'flatten', which plugin 'builtins'",
    ),
    "unmarked_function": (IMPORTS + "def register_heads():\n    return []\n", "not marked"),
    "ends_the_process": ("raise SystemExit(0)", "SystemExit"),
}  # fmt: skip


def write_distribution(folder: Path, name: str, text: str) -> None:
    """Write what an installed distribution of one module and one entry point looks like."""
    (folder / f"{name}.py").write_text(text)
    facts = folder / f"{name}-0.1.dist-info"
    facts.mkdir()
    (facts / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 0.1\n")
    (facts / "entry_points.txt").write_text(f"[bench]\n{name} = {name}\n")


def test_broken_distributions_are_each_named_once_and_everything_else_works(
    tmp_path: Path,
) -> None:
    site = tmp_path / "site"
    site.mkdir()
    for name, (text, _) in BROKEN.items():
        write_distribution(site, name, text)
    write_distribution(site, "working", WORKING)
    done = run(sys.executable, "-c", BENCH, "list", folder=tmp_path, PYTHONPATH=str(site))
    assert done.returncode == 0
    lines = done.stderr.splitlines()
    assert len(lines) == len(BROKEN)
    for name, (_, expected) in BROKEN.items():
        (line,) = [line for line in lines if line.startswith(f"warning: plugin {name} ")]
        assert f"({name} 0.1) is set aside" in line
        assert expected in line
    for name in ("working-head", "flatten", "pretrained", "clothing"):
        assert name in done.stdout
    shown = run(sys.executable, "-c", BENCH, "plugins", folder=tmp_path, PYTHONPATH=str(site))
    assert shown.stdout.count("set aside") == len(BROKEN)


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_is_named_once_and_everything_else_works(tmp_path: Path, name: str) -> None:
    text, expected = BROKEN[name]
    file = tmp_path / f"{name}.py"
    file.write_text(text)
    done = run(sys.executable, "-c", BENCH, "list", "--plugin", file, folder=tmp_path)
    assert done.returncode == 0
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"warning: plugin {name} ({file}) is set aside: ")
    assert expected in line
    assert "pretrained" in done.stdout


BACKBONE_FILE = """
from bench import hookimpl
from bench.interfaces import BackboneSource, BackboneSpec, Preprocessing, Stage, Weights

SOURCE = BackboneSource("mean-colour", Weights("none", "none", "nothing"),
                        Preprocessing(16, 1.0, "bilinear", (0.5,) * 3, (0.5,) * 3))

def build(source):
    from torch import nn

    class MeanColour(nn.Module):
        stages = {"pooled": Stage(3, None)}

        def forward(self, images, stages):
            return {"pooled": images.mean(dim=(2, 3), keepdim=True)}

    return MeanColour()

@hookimpl
def register_backbones():
    return [BackboneSpec("mean-colour", "the mean colour of the image",
                         lambda name, weights, seed: SOURCE, build)]
"""


def test_a_file_given_to_run_serves_that_run(tmp_path: Path, images: Path) -> None:
    file = tmp_path / "idea.py"
    file.write_text(BACKBONE_FILE)
    paths = sorted(images.glob("*/*.jpg"))
    rows = "".join(f"{path.relative_to(images).as_posix()},{path.parent.name}\n" for path in paths)
    manifest = images / "all.csv"
    manifest.write_text(f"path,category\n{rows}")
    command = ["run", "--method", "pretrained", "--dataset", f"manifest:{manifest}",
               "--backbone", "mean-colour"]  # fmt: skip
    done = run(sys.executable, "-c", BENCH, *command, "--plugin", file, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    (record,) = tmp_path.glob("runs/**/record.json")
    facts = json.loads(record.read_text())
    assert facts["backbone"]["name"] == "mean-colour"
    assert facts["tasks"][0]["metrics"]["hit@1"]["mean"] == 1
    without = run(sys.executable, "-c", BENCH, *command, folder=tmp_path)
    assert without.returncode == 2
    assert without.stderr.startswith("error: unknown backbone 'mean-colour'")
