from __future__ import annotations

import functools
import hashlib
import http.server
import json
import shutil
import threading
from collections.abc import Callable, Iterable
from pathlib import Path

import command_line
import pytest
from command_line import Done
from PIL import Image

CLASSES = 10  # of clothing
DRAWN = 50  # images of clothing with --items 1: 3 for training, 1, and 1 for test, of each class

# a dataset with options, a free download and a mini edition that takes no time to draw
TOY = '''
import numpy as np
from PIL import Image

from bench import hookimpl
from bench.catalog import Catalog
from bench.interfaces import DatasetSpec, Download
from bench.protocols import Protocol, by_code
from bench.recipes import Recipe


class Options(Recipe):
    """Which images are left out."""

    least: int = 0


class Toy:
    def __init__(self, name, options):
        self.name, self.options = name, options

    def find(self, data_root):
        root = data_root / "toys"
        return root if root.is_dir() else None

    def sources(self, root):
        return [root]

    def load(self, root):
        paths = sorted(path.name for path in root.glob("*.png"))[self.options.least :]
        categories = [path.partition("-")[0] for path in paths]
        return Catalog.from_columns(self.name, root, {"path": paths, "category": categories})

    def protocols(self, catalog):
        rows = catalog.rows()
        task = by_code("all", catalog.codes("category"), rows, rows)
        return [Protocol("leave-one-out", "one line", (task,), ("hit@1",), "hit@1")]

    def draw_mini(self, root, *, seed, items=None):
        generator = np.random.default_rng(seed)
        root.mkdir(parents=True)
        for category in ("ball", "kite"):
            for number in range(items or 3):
                pixels = generator.integers(0, 256, (8, 8, 3), dtype=np.uint8)
                Image.fromarray(pixels).save(root / f"{category}-{number}.png")


@hookimpl
def register_datasets():
    return [
        DatasetSpec(
            "toy", "balls and kites", Toy, licence="CC0-1.0 [free]", obtain="ask the makers",
            folders=("toys",), layout="*.png\\nlist.txt", options=lambda: Options,
            counts={"images": 4}, protocol_counts={"leave-one-out": (4, 4)},
            downloads=(Download("URL", "md5:CHECKSUM", 1234, unpack=True),),
        )
    ]
'''


def bench(*arguments: str | Path, folder: Path, **variables: str) -> Done:
    """Run `bench data` in `folder`, where its cache and its data are too."""
    return command_line.bench("data", *arguments, folder=folder, **variables)


@pytest.fixture(scope="module")
def workplace(
    tmp_path_factory: pytest.TempPathFactory,
    make_images: Callable[[Path, Iterable[str]], list[Path]],
) -> Path:
    """Return a folder with few drawn images as clothing's data, a manifest, and the plugin."""
    folder = tmp_path_factory.mktemp("workplace")
    names = [f"images/{number}.jpg" for number in range(4)]
    make_images(folder, names)
    rows = "".join(f"{name},item {number % 2}\n" for number, name in enumerate(names))
    (folder / "manifest.csv").write_text(f"path,item\n{rows}")
    (folder / "lost.csv").write_text(f"path,item\n{rows}images/gone.jpg,item 0\n")
    (folder / "toy.py").write_text(TOY)
    (folder / "folder.md").mkdir()
    drawn = bench(
        "draw", "clothing", "data/clothing", "--items", "1", "--sheet", "sheets/clothing.png",
        folder=folder,
    )  # fmt: skip
    assert drawn.returncode == 0, drawn.stderr
    assert drawn.stdout.splitlines() == [
        f"{DRAWN} images of clothing@mini at data/clothing", "contact sheet: sheets/clothing.png"
    ]  # fmt: skip
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def line_of(text: str, start: str) -> str:
    (line,) = [line for line in text.splitlines() if line.startswith(start)]
    return line


def cells(text: str, count: str) -> list[str]:
    """Return the cells of one count's row: here, published, whether it holds."""
    return [cell.strip() for cell in line_of(text, f"| {count} ").split("|")[2:-1]]


CLOTHING = ["clothing"]
TOYS = ["toy", "--plugin", "toy.py"]
MISTAKES = {
    "an unknown command": (["chek", "clothing"], "check"),
    "no dataset": (["check"], "name"),
    "an unknown dataset to check": (["check", "clothng"], "did you mean clothing"),
    "an unknown dataset to draw": (["draw", "clothng"], "did you mean clothing"),
    "a family without its argument": (["check", "manifest"], "needs an argument"),
    "a missing manifest": (["check", "manifest:absent.csv"], "absent.csv: no such file"),
    "a plugin file that is not there": (["list", "--plugin", "absent.py"], "absent.py"),
    "data that are not here": (
        ["check", "clothing", "--data-root", "nowhere"],
        "clothing is not below nowhere (looked for clothing-dataset-small or clothing-small or "
        "clothing); to obtain it: git clone"),
    "an edition that there is not": (["check", *CLOTHING, "--edition", "maxi"], "'mini'"),
    "a report of another kind": (
        ["check", *CLOTHING, "--report", "report.html"],
        "--report report.html: expected a file that ends in .json or .md"),
    "a report that is a folder": (
        ["check", *CLOTHING, "--report", "folder.md"], "--report folder.md: expected a file"),
    "an option of a dataset without any": (
        ["check", *CLOTHING, "--option", "certainty=3"],
        "unknown option of clothing 'certainty'; there is none"),
    "an option that there is not": (
        ["check", *TOYS, "--option", "leest=3"],
        "unknown option of toy 'leest'; did you mean least?"),
    "an option without a value": (
        ["check", *TOYS, "--option", "least"], "--option 'least': expected NAME=VALUE"),
    "an option given twice": (
        ["draw", *TOYS, "--option", "least=1", "--option", "least=2"],
        "--option least is given twice"),
    "an option of another type": (
        ["draw", *TOYS, "--option", "least=few"], "option least of toy is 'few': input should be"),
    "a mini edition where there is none": (
        ["draw", "manifest:manifest.csv"], "manifest:manifest.csv has no mini edition"),
    "a folder that is not empty": (
        ["draw", *CLOTHING, "images", "--items", "1"],
        "images is not empty; give an empty or new folder"),
    "a folder that is a file": (
        ["draw", *CLOTHING, "manifest.csv", "--items", "1"], "manifest.csv is a file; give a"),
    "a seed without a folder": (
        ["draw", *CLOTHING, "--seed", "1"], "--seed and --items need a FOLDER"),
    "a size without a folder": (
        ["draw", *CLOTHING, "--items", "1"], "--seed and --items need a FOLDER"),
    "a size of none": (["draw", *CLOTHING, "new", "--items", "0"], "--items"),
    "a seed below none": (["draw", *CLOTHING, "new", "--seed", "-1"], "--seed"),
    "a sheet of another kind": (
        ["draw", *CLOTHING, "new", "--sheet", "sheet.jpg"],
        "--sheet sheet.jpg: expected a file that ends in .png"),
}  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_ends_in_one_line_and_status_2(workplace: Path, mistake: str) -> None:
    command, expected = MISTAKES[mistake]
    done = bench(*command, folder=workplace)
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: ")
    assert expected in line
    assert not (workplace / "new").exists()


def test_without_a_command_the_help_is_shown(workplace: Path) -> None:
    done = bench(folder=workplace)
    assert done.returncode == 2
    for command in ("list", "obtain", "check", "draw"):
        assert f"\n  {command} " in done.stdout + done.stderr


def test_list_shows_which_datasets_are_here(workplace: Path) -> None:
    done = bench("list", "--plugin", "toy.py", folder=workplace)
    assert (done.returncode, done.stderr) == (0, "")
    here = line_of(done.stdout, "clothing ").split()
    assert here == ["clothing", "3,781", "CC0-1.0", str(workplace / "data/clothing")]
    toy = " ".join(line_of(done.stdout, "toy ").split())
    assert toy == "toy 4 CC0-1.0 [free] no (mini edition only)"
    assert line_of(done.stdout, "manifest:… ").rstrip().endswith("by its file")


def test_list_looks_below_another_data_root_and_cuts_no_path(workplace: Path) -> None:
    root = workplace / ("long" * 40)
    shutil.copytree(workplace / "images", root / "toys")
    done = bench("list", "--data-root", root, "--plugin", "toy.py", folder=workplace, COLUMNS="80")
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    column = lines[0].index("here")
    toy = next(number for number, line in enumerate(lines) if line.startswith("toy "))
    assert "".join(line[column:].rstrip() for line in lines[toy:]) == str(root / "toys")
    assert "no (mini edition only)" in line_of(done.stdout, "clothing ")


def test_obtain_says_where_from_under_which_licence_and_where_to(workplace: Path) -> None:
    done = bench("obtain", "clothing", folder=workplace)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[:2] == [
        "clothing: 3,781 photographs of clothes in ten classes",
        "licence: CC0-1.0",
    ]
    assert lines[2].startswith("obtain: git clone https://")
    assert lines[3] == f"folder: {workplace / 'data' / 'clothing-dataset-small'}"
    assert not any("download" in line for line in lines)


def test_obtain_names_no_folder_for_data_that_lie_where_their_file_is(workplace: Path) -> None:
    done = bench("obtain", "manifest:manifest.csv", folder=workplace)
    assert (done.returncode, done.stderr) == (0, "")
    assert "licence: your own\n" in done.stdout
    assert "folder:" not in done.stdout


def test_obtain_shows_the_layout_and_what_is_free_but_downloads_nothing_unasked(
    workplace: Path,
) -> None:
    done = bench("obtain", *TOYS, folder=workplace)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[3:] == [
        f"folder: {workplace / 'data' / 'toys'}", "  *.png", "  list.txt",
        "free to download: URL (0 MB, md5:CHECKSUM)",
        "to download: bench data obtain toy --download",
    ]  # fmt: skip
    assert not (workplace / "data" / "toys").exists()


def test_what_is_not_free_is_not_downloaded(workplace: Path) -> None:
    done = bench("obtain", "clothing", "--download", folder=workplace)
    assert done.returncode == 2
    assert done.stderr == (
        "error: nothing of clothing may be downloaded by this program; see above\n"
    )
    assert "obtain: git clone" in done.stdout, "the way to obtain it is what stands above"


@pytest.mark.parametrize("whole", [True, False])
def test_what_is_free_is_downloaded_checked_and_unpacked(whole: bool, tmp_path: Path) -> None:
    for name in ("ball-0", "ball-1", "kite-0", "kite-1"):
        file = tmp_path / "published" / f"{name}.png"
        file.parent.mkdir(exist_ok=True)
        Image.new("RGB", (8, 8), (len(name), 0, ord(name[-1]))).save(file)
    archive = Path(shutil.make_archive(str(tmp_path / "toys"), "zip", tmp_path / "published"))
    checksum = hashlib.md5(archive.read_bytes()).hexdigest()  # noqa: S324
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=tmp_path)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        url = f"http://127.0.0.1:{server.server_port}/toys.zip"
        plugin = TOY.replace("URL", url).replace("1234", str(archive.stat().st_size))
        plugin = plugin.replace("CHECKSUM", checksum if whole else "0" * 32)
        (tmp_path / "toy.py").write_text(plugin)
        done = bench("obtain", *TOYS, "--download", folder=tmp_path)
        server.shutdown()
        thread.join()
    (error,) = [line for line in done.stderr.splitlines() if line.startswith("error: ")] or [""]
    if not whole:
        assert done.returncode == 2
        assert error.startswith(f"error: {url} has checksum md5:{checksum}; expected md5:000")
        assert "downloaded; to check" not in done.stdout
        return
    assert (done.returncode, error) == (0, "")
    assert done.stdout.splitlines()[-1] == "downloaded; to check: bench data check toy"
    found = contents(tmp_path / "data/toys")
    assert {f"{name}.png" for name in ("ball-0", "ball-1", "kite-0", "kite-1")} < set(found)
    checked = bench("check", *TOYS, "--no-images", folder=tmp_path)
    assert checked.returncode == 0, checked.stdout
    assert cells(checked.stdout, "images") == ["4", "4", "holds"]


def test_published_counts_that_do_not_hold_are_named_and_end_in_status_1(workplace: Path) -> None:
    # the few drawn images stand where the published ones should
    done = bench("check", "clothing", "--report", "reports/clothing.json", folder=workplace)
    assert done.returncode == 1
    assert done.stdout.startswith("# clothing@full at ")
    assert cells(done.stdout, "images") == [f"{DRAWN}", "3,781", "DIFFERS"]
    assert cells(done.stdout, "test") == [f"{CLASSES}", "372", "DIFFERS"]
    assert cells(done.stdout, "categories") == [f"{CLASSES}", "", ""]
    assert cells(done.stdout, "test-vs-train: queries") == [f"{CLASSES}", "", ""]
    assert "no image files that are absent" in line_of(done.stdout, "- found no ")
    assert "of 3,781 published images" in done.stderr
    report = json.loads((workplace / "reports/clothing.json").read_text())
    assert report["holds"] is False
    assert report["checked_images"] is True
    assert report["dataset"] == "clothing@full"
    assert {"what": "images", "here": DRAWN, "published": 3781} in report["counts"]
    assert all(found["number"] == 0 == len(found["examples"]) for found in report["findings"])


def test_a_mini_edition_holds_and_its_report_is_what_is_printed(workplace: Path) -> None:
    done = bench("check", *TOYS, "--edition", "mini", "--report", "reports/toy.md",
                 folder=workplace)  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "MINI EDITION: running on toy@mini, 6 pictures" in done.stderr
    report = (workplace / "reports/toy.md").read_text()
    assert done.stdout == report + "\n"
    assert report.startswith("# toy@mini at ")
    assert cells(report, "images") == ["6", "", ""]
    assert cells(report, "leave-one-out: queries") == ["6", "", ""]
    assert "no image files that cannot be read" in line_of(report, "- found no ")
    assert "FOUND" not in report
    assert "--no-images" not in report


def test_options_of_a_dataset_change_what_is_checked(workplace: Path) -> None:
    done = bench("check", *TOYS, "--edition", "mini", "--no-images", "--option", "least=4",
                 folder=workplace)  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert cells(done.stdout, "images") == ["2", "", ""]


def test_absent_and_repeated_images_of_a_manifest_are_found(workplace: Path) -> None:
    lost = [*["check", "manifest:lost.csv"], "--report", "reports/lost.md"]
    done = bench(*lost, folder=workplace)
    assert done.returncode == 1, "an image is absent"
    assert line_of(done.stdout, "- FOUND 1 image files that are absent").endswith(
        ", as images/gone.jpg"
    )
    assert (workplace / "reports/lost.md").read_text() in done.stdout
    unseen = bench(*lost, "--no-images", folder=workplace)
    assert unseen.returncode == 0
    assert "absent" not in unseen.stdout
    assert "- image files were not looked at (--no-images)" in unseen.stdout
    assert unseen.stderr == ""


def test_a_sound_manifest_holds_though_nothing_is_published_of_it(workplace: Path) -> None:
    done = bench("check", "manifest:manifest.csv", "--no-images", folder=workplace)
    assert done.returncode == 0, done.stderr
    assert cells(done.stdout, "items") == ["2", "", ""]
    assert "holds" not in done.stdout
    assert "FOUND" not in done.stdout


def test_one_seed_draws_the_same_bytes_and_another_others(workplace: Path) -> None:
    drawn = contents(workplace / "data/clothing")
    assert len(drawn) == DRAWN
    (workplace / "again").mkdir()  # an empty folder is as good as a new one
    done = bench("draw", "clothing", "again", "--items", "1", "--seed", "0", folder=workplace)
    assert done.returncode == 0, done.stderr
    assert contents(workplace / "again") == drawn
    for seed in ("0", "5"):
        done = bench("draw", *TOYS, f"seed-{seed}", "--seed", seed, folder=workplace)
        assert done.returncode == 0, done.stderr
    first, other = (contents(workplace / f"seed-{seed}") for seed in ("0", "5"))
    assert set(first) == set(other)
    assert not set(first.values()) & set(other.values())


def test_a_sheet_shows_the_drawn_pictures_a_class_a_row(workplace: Path) -> None:
    with Image.open(workplace / "sheets/clothing.png") as sheet:
        assert (sheet.format, sheet.size) == ("PNG", (5 * 112, CLASSES * 112))
        assert len(set(sheet.convert("L").tobytes())) > 100, "grey levels"


def test_items_change_how_much_is_drawn(workplace: Path) -> None:
    for items in (1, 4):
        done = bench("draw", *TOYS, f"toys-{items}", "--items", f"{items}", folder=workplace)
        assert done.stdout == f"{2 * items} images of toy@mini at toys-{items}\n"
        assert len(contents(workplace / f"toys-{items}")) == 2 * items


def test_without_a_folder_the_cache_holds_the_mini_edition(workplace: Path) -> None:
    for _ in range(2):
        done = bench("draw", *TOYS, "--sheet", "toys.png", folder=workplace)
        assert done.returncode == 0, done.stderr
        [root] = (workplace / "cache/mini").glob("*/toy")
        assert done.stdout.splitlines() == [
            f"6 images of toy@mini at {root}", "contact sheet: toys.png"
        ]  # fmt: skip
    assert done.stderr == "", "drawn once"
    with Image.open(workplace / "toys.png") as sheet:
        assert sheet.size == (3 * 112, 2 * 112)
