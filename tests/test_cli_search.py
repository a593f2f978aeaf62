from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bench_fashionsearchnet.claims import regions_differ, weights_differ
from PIL import Image
from typer.testing import CliRunner

from bench import regions
from bench.asking import open_run
from bench.cli import app
from bench.errors import RecordError, UserError
from bench.plugins import Registry
from bench.records import Record
from bench.run import Listener

COLOURS = {"red": (200, 50, 50), "green": (50, 180, 60), "blue": (50, 60, 200)}
SMALL = {"backbone": "efficientnet-lite0", "stage": "", "size": 64, "conv5": 8, "conv7": 16,
         "fc": 16, "dimension": 8, "merged": 16, "grid": 2}  # fmt: skip
HEADER = "path,attribute,left,top,right,bottom"
STAGES = ("classification", "joint", "fusing")


def bench(*arguments: str, fails: bool = False) -> str:
    done = CliRunner().invoke(app, [*arguments])
    if fails:
        assert isinstance(done.exception, UserError), done.exception
        return str(done.exception)
    assert done.exception is None, done.exception
    return done.stdout


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with pictures of two attributes and a run each of two methods on them."""
    folder = tmp_path_factory.mktemp("search")
    generator = np.random.default_rng(0)
    rows = ["path,item,split,attribute:colour,attribute:mark"]
    (folder / "images").mkdir()
    names = [(colour, mark) for colour in COLOURS for mark in ("dot", "none")]
    for number in range(36):
        colour, mark = names[number % 6]
        pixels = np.clip(np.array(COLOURS[colour]) + generator.normal(0, 12, (64, 48, 3)), 0, 255)
        if mark == "dot":
            pixels[10:22, 10:22] = 255
        Image.fromarray(pixels.astype(np.uint8)).save(folder / f"images/{number:02}.png")
        split = "train" if number < 18 else "query" if number < 24 else "gallery"
        rows.append(f"images/{number:02}.png,{colour} {mark},{split},{colour},{mark}")
    (folder / "manifest.csv").write_text("\n".join(rows) + "\n")
    dots = [row.partition(",")[0] for row in rows if row.endswith("dot")]
    truth = [HEADER, *(f"{path},mark,10,10,22,22" for path in dots)]
    (folder / "regions.csv").write_text("\n".join(truth) + "\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("BENCH_CACHE", str(folder / "cache"))
        data = ("--dataset", "manifest:manifest.csv", "--protocol", "query-vs-gallery")
        settings = [f"--set={name}={value}" for name, value in SMALL.items()]
        settings += [f"--set={stage}.epochs=1" for stage in STAGES]
        bench("run", "--method", "fashionsearchnet", *data, *settings)
        bench("run", "--method", "pretrained", *data)
    return folder


@pytest.fixture
def here(place: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(place)
    monkeypatch.setenv("BENCH_CACHE", str(place / "cache"))
    return place


def run_of(place: Path, method: str) -> str:
    [done] = place.glob(f"runs/*/{method}--*/*/DONE")
    return str(done.parent.relative_to(place))


def found(*arguments: str) -> dict[str, Any]:
    bench("search", *arguments, "--json", "found.json")
    content: dict[str, Any] = json.loads(Path("found.json").read_text())
    return content


def test_a_photograph_of_ones_own_is_answered_from_the_gallery(here: Path) -> None:
    run = run_of(here, "pretrained")
    (here / "mine.png").write_bytes((here / "images" / "24.png").read_bytes())
    output = bench("search", run, "mine.png", "--count", "5", "--json", "found.json")
    content = json.loads((here / "found.json").read_text())
    assert [answer["rank"] for answer in content["found"]] == [1, 2, 3, 4, 5]
    # the same picture is in the gallery, and nearest
    assert content["found"][0]["id"] == "images/24.png"
    assert content["found"][0]["attributes"] == {"colour": "red", "mark": "dot"}
    scores = [answer["score"] for answer in content["found"]]
    assert scores == sorted(scores, reverse=True)
    assert content["seen"] == {}  # it recognises nothing
    assert "picture: search.png" in output
    with Image.open(here / "search.png") as picture:
        assert picture.size[0] > 600
        assert len(picture.convert("RGB").getcolors(1 << 24) or []) > 100


def test_an_image_of_the_data_is_asked_by_its_id_and_is_not_its_own_answer(here: Path) -> None:
    run = run_of(here, "pretrained")
    content = found(run, "images/24.png", "--count", "50")
    ids = [answer["id"] for answer in content["found"]]
    assert len(ids) == 11  # all others of the gallery
    assert "images/24.png" not in ids
    # the answer of the run itself, for a query
    asked = found(run, "images/18.png", "--count", "12")
    import pyarrow.parquet as pq

    table = pq.read_table(Path(run) / "rankings.parquet").to_pandas()
    expected = table[table["query"] == "images/18.png"].sort_values("rank")["gallery"].tolist()
    assert [answer["id"] for answer in asked["found"]] == expected


def test_an_attribute_is_changed_and_compared_alone(here: Path) -> None:
    run = run_of(here, "fashionsearchnet")
    plain = found(run, "images/18.png")
    changed = found(run, "images/18.png", "--set", "colour=green")
    both = found(run, "images/18.png", "--set", "colour=green", "--set", "mark=none")
    alone = found(run, "images/18.png", "--like", "mark")
    steps = found(run, "images/18.png", "--like", "mark", "--like", "colour", "--keep", "4")
    first = [answer["id"] for answer in found(run, "images/18.png", "--like", "mark",
                                              "--count", "4")["found"]]  # fmt: skip
    assert {answer["id"] for answer in steps["found"]} == set(first)
    assert steps["like"] == ["mark", "colour"]
    by_colour = found(run, "images/18.png", "--like", "colour", "--count", "50")["found"]
    order = [answer["id"] for answer in by_colour if answer["id"] in first]
    assert [answer["id"] for answer in steps["found"]] == order
    orders = [[answer["id"] for answer in one["found"]] for one in (plain, changed, both, alone)]
    assert len({tuple(order) for order in orders}) == 4
    assert plain["seen"].keys() == {"colour", "mark"}
    assert both["set"] == {"colour": "green", "mark": "none"}


def test_explain_shows_where_each_attribute_is_seen(here: Path) -> None:
    run = run_of(here, "fashionsearchnet")
    output = bench("explain", run, "--query", "images/18.png", "--set", "colour=green")
    assert "picture: explain.png" in output
    with Image.open(here / "explain.png") as picture:
        colours = {colour for _, colour in picture.convert("RGB").getcolors(1 << 24) or []}
    assert (255, 255, 0) in colours, "the boxes of attributes"
    assert (180, 35, 24) in colours, "attributes that do not fit"


def test_regions_are_measured_against_where_attributes_are(here: Path) -> None:
    run = run_of(here, "fashionsearchnet")
    output = bench("regions", run)
    assert "18 images" in output  # those that are ranked
    measured = regions.read(Path(run))
    colour, mark = measured.attributes
    assert (colour.attribute, colour.images, colour.iou) == ("colour", 0, None)
    assert (mark.attribute, mark.images) == ("mark", 9)
    assert mark.iou is not None
    assert mark.centred is not None
    assert mark.gain is not None
    assert mark.gain.mean == pytest.approx(mark.iou.mean - mark.centred.mean)
    assert f"{mark.iou.mean:.3f} [{mark.iou.low:.3f}, {mark.iou.high:.3f}]" in output
    opened = open_run(Path(run), Registry.load(), data_root=None,
                      listener=Listener(lambda _: None, lambda *_: None))  # fmt: skip
    opened.plan.model.eval()  # with the weights that training left
    rows, seen = opened.protocol.rows(), []
    for row in rows:
        nowhere = np.full(4, np.nan, np.float32)
        file = opened.catalog.root / opened.catalog.images["path"].iloc[row]
        where = regions.where_seen(opened.plan.extractor, file, nowhere)
        assert where is not None
        left, top, right, bottom = where.of_each["mark"][1]
        seen.append((right - left) * (bottom - top))
    assert mark.area == pytest.approx(np.mean(seen), abs=1e-6)
    # claims read what was written
    verdict, text = regions_differ(Path(run), Record.read(Path(run) / "record.json"))
    assert verdict in {"held", "reversed"}
    assert text.startswith("mean area 0.") or text.startswith("mean area 1.")
    verdict, text = weights_differ(Path(run), Record.read(Path(run) / "record.json"))
    assert verdict == "held"
    assert text.startswith("2 λ from ")


def test_regions_need_a_method_that_tells_them(here: Path) -> None:
    run = run_of(here, "pretrained")
    assert "does not say where it sees an attribute" in bench("regions", run, fails=True)
    with pytest.raises(RecordError, match="make it with `bench regions"):
        regions.read(Path(run))
    for content in ("[1", "{}", '{"images": 3, "between": null, "attributes": [{}]}'):
        (Path(run) / "regions.json").write_text(content)
        with pytest.raises(RecordError, match="was altered; make it again"):
            regions.read(Path(run))
    (Path(run) / "regions.json").unlink()


def test_the_page_of_a_run_shows_where_attributes_are_seen(here: Path) -> None:
    page = (here / run_of(here, "fashionsearchnet") / "report.html").read_text()
    assert page.count('<figure class="seen">') == 2 * page.count('<figure class="query">')
    other = (here / run_of(here, "pretrained") / "report.html").read_text()
    assert '<figure class="query">' in other
    assert '<figure class="seen">' not in other


@pytest.mark.parametrize(
    ("method", "arguments", "message"),
    [
        ("pretrained", ("none.png",), "none.png is neither a file nor the id of an image"),
        ("pretrained", ("images/18.png", "--set", "colour=green"), "--set needs a method that"),
        ("fashionsearchnet", ("images/18.png", "--set", "colour=gren"), "unknown value of colour"),
        ("fashionsearchnet", ("images/18.png", "--set", "shape=round"), "unknown attribute of"),
        ("fashionsearchnet", ("images/18.png", "--like", "shape"), "unknown attribute of"),
        ("fashionsearchnet", ("images/18.png", "--like", "mark", "--set", "colour=red"),
         "--like and --set"),
    ],
)  # fmt: skip
def test_a_mistake_ends_in_one_line(
    here: Path, method: str, arguments: tuple[str, ...], message: str
) -> None:
    assert message in bench("search", run_of(here, method), *arguments, fails=True)


def test_a_run_that_is_none_or_of_other_data_is_refused(here: Path) -> None:
    assert "is no finished run of a method" in bench("search", "runs", "mine.png", fails=True)
    run = run_of(here, "pretrained")
    manifest = here / "manifest.csv"
    content = manifest.read_text()
    manifest.write_text(content.replace("images/35.png,blue none", "images/35.png,red dot"))
    message = bench("search", run, "images/18.png", fails=True)
    manifest.write_text(content)
    assert "was made with other data, code or versions than these; run again: bench" in message
