from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from command_line import Done, process

from bench.plugins import Registry
from bench.recipes import make_recipe, parse_settings

METHOD_FILE = """
from pydantic import Field
from bench import hookimpl
from bench.errors import UserError
from bench.interfaces import MethodSpec
from bench.recipes import Recipe

class Colour(Recipe):
    crop: float = Field(1.0, gt=0, le=1, description="smallest share of a side")

class Training(Recipe):
    epochs: int = Field(14, ge=1, description="how often all images are seen")
    decay_at: tuple[float, ...] = Field((0.5, 0.75), description="shares of [all] epochs")
    colour: Colour = Field(Colour(crop=0.8), description="how images are varied")

class Ours(Recipe):
    backbone: str = Field("efficientnet-lite0", description="a backbone's name")
    training: Training = Field(Training(epochs=30), description="of the network")

def build(recipe, *others):
    raise UserError(f"the recipe is {recipe.model_dump_json()}")

@hookimpl
def register_methods():
    return [MethodSpec(
        "ours", "a method with a recipe inside its recipe", lambda: Ours, build,
        budgets={"mini": {"backbone": "tiny", "training": {"epochs": 2, "decay_at": (0.5,)}},
                 "small": {"training": {"epochs": 5}}},
        facts=lambda: [("parameters", "134,260,544 [whole]"), ("note", "made by arithmetic")],
    )]
"""


@pytest.fixture(scope="module")
def workplace(
    tmp_path_factory: pytest.TempPathFactory,
    make_images: Callable[[Path, Iterable[str]], list[Path]],
) -> Path:
    """Return a folder with the method's plugin file, some recipe files, and images of two items."""
    folder = tmp_path_factory.mktemp("workplace")
    names = [f"{number}.jpg" for number in range(4)]
    make_images(folder, names)
    rows = "".join(f"{name},item {number % 2}\n" for number, name in enumerate(names))
    (folder / "manifest.csv").write_text(f"path,item\n{rows}")
    (folder / "ours.py").write_text(METHOD_FILE)
    (folder / "unknown.toml").write_text("[training]\nepoch = 3\n")
    (folder / "fine.toml").write_text("[training]\nepochs = 7\ndecay_at = [0.25]\n")
    (folder / "broken.toml").write_text("[training]\n\nepochs 3\n")
    return folder


def bench(folder: Path, *arguments: str) -> Done:
    """Run a real process in `folder`, with the method's plugin."""
    return process(*arguments, "--plugin", "ours.py", folder=folder)


Lines = list[tuple[str, str]]


@pytest.fixture(scope="module")
def shown(workplace: Path) -> Lines:
    """Return the lines of `bench show ours`: label and text."""
    done = bench(workplace, "show", "ours")
    assert (done.returncode, done.stderr) == (0, "")
    first, *lines = done.stdout.splitlines()
    assert first == "ours  method: a method with a recipe inside its recipe"
    return [(line[2:14].strip(), line[14:]) for line in lines]


def test_show_lists_the_fields_of_recipes_inside_with_dots(shown: Lines) -> None:
    assert [text for label, text in shown if label == "recipe"] == [
        "backbone = efficientnet-lite0  (a backbone's name)",
        "training.epochs = 30  (how often all images are seen)",
        "training.decay_at = 0.5,0.75  (shares of [all] epochs)",
        "training.colour.crop = 0.8  (smallest share of a side)",
    ]


def test_show_lists_what_each_budget_changes(shown: Lines) -> None:
    assert [text for label, text in shown if label == "budget"] == [
        "full: the recipe as it stands",
        "mini: backbone = tiny, training.epochs = 2, training.decay_at = 0.5",
        "small: training.epochs = 5",
    ]


def test_show_ends_with_the_facts_of_the_method(shown: Lines) -> None:
    assert shown[-3:-1] == [("parameters", "134,260,544 [whole]"), ("note", "made by arithmetic")]


def test_what_show_prints_is_what_set_takes(workplace: Path, shown: Lines) -> None:
    spec = Registry.load([workplace / "ours.py"]).method("ours")
    texts = [text.partition("  (")[0] for label, text in shown if label == "recipe"]
    settings = parse_settings([text.replace(" = ", "=") for text in texts])
    assert len(settings) == 4
    assert make_recipe(spec, "default", settings) == make_recipe(spec, "default", {})


def test_a_method_without_budgets_shows_none(workplace: Path) -> None:
    done = bench(workplace, "show", "pretrained")
    assert done.returncode == 0
    assert "budget" not in done.stdout


def test_show_imports_no_torch(workplace: Path) -> None:
    program = (
        "import sys\nsys.argv = ['bench', 'show', 'ours', '--plugin', 'ours.py']\n"
        "from bench.cli import main\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code, end.code\n"
        "print('loaded:', *sorted(sys.modules), file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=workplace, capture_output=True, text=True, check=True,
        timeout=60,
    )  # fmt: skip
    assert "134,260,544" in done.stdout
    loaded = set(done.stderr.split())
    assert "bench.recipes" in loaded
    assert not loaded & {"torch", "torchvision", "timm", "pandas", "scipy", "openvino"}


def run(workplace: Path, *options: str, dataset: str) -> str:
    """Return the error in which a run ends."""
    done = bench(workplace, "run", "--method", "ours", "--dataset", dataset, *options)
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: ")
    return line.removeprefix("error: ")


def test_the_method_gets_what_budget_file_and_settings_make(workplace: Path) -> None:
    options = ["--budget", "mini", "--recipe", "fine.toml", "--set", "training.decay_at=0.5,0.75",
               "--backbone", "other"]  # fmt: skip
    line = run(workplace, *options, dataset="manifest:manifest.csv")
    assert json.loads(line.removeprefix("the recipe is ")) == {
        "backbone": "other",
        "training": {"epochs": 7, "decay_at": [0.5, 0.75], "colour": {"crop": 0.8}},
    }


MISTAKES = {
    "an unknown field inside": (
        ["--set", "training.epoch=3"],
        "unknown recipe field of ours 'training.epoch'; did you mean training.epochs?"),
    "a recipe file that is not TOML": (
        ["--recipe", "broken.toml"],
        "broken.toml:3: expected '=' after a key in a key/value pair; expected TOML, as in "
        "stage = 'pooled'"),
    "an unknown field in a file": (
        ["--recipe", "unknown.toml"],
        "unknown recipe field of ours 'training.epoch'; did you mean training.epochs? (in "
        "unknown.toml)"),
    "an unknown budget": (
        ["--budget", "smal"], "unknown budget of ours 'smal'; did you mean small?"),
}  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_ends_before_any_work(workplace: Path, mistake: str) -> None:
    options, message = MISTAKES[mistake]
    assert run(workplace, *options, dataset="clothing") == message
    assert not (workplace / "cache" / "mini").exists(), "nothing is drawn"
