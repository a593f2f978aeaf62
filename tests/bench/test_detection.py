from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.metrics import average_precision_score
from torchvision.ops import box_iou
from typer.testing import CliRunner

from bench.catalog import Catalog
from bench.cli import app
from bench.detection.boxes import Boxes, Found, average_precision, overlap, photographs
from bench.detection.trained import open_trained
from bench.errors import IncompatibleError, RecordError, UserError
from bench.plugins import Registry

HERE = np.array([[0, 0, 10, 10]], np.float32)
# finds the one bright rectangle, in an eighth of all photographs nothing
PLUGIN = """
from bench import hookimpl
from bench.interfaces import DetectorSpec
from bench.recipes import Recipe

class BrightRecipe(Recipe):
    least: float = 0.5
    grow: int = 0

class Bright:
    def __init__(self, recipe, parts, seed):
        import torch
        self.recipe, self.model = recipe, torch.nn.Linear(1, 1)

    def learn(self, photographs, progress):
        import torch
        with torch.no_grad():
            self.model.weight.fill_(len(photographs))
        progress(1, 1)

    def find(self, image):
        import numpy as np
        from bench.detection.boxes import Found
        assert self.model.weight.item() > 1  # what was learnt has been read again
        bright = (image.float().mean(dim=0) > 255 * self.recipe.least).numpy()
        if not bright.any():
            return Found(np.zeros((0, 4), np.float32), np.zeros(0, np.float32))
        rows, columns = np.nonzero(bright)
        box = [columns.min(), rows.min(), columns.max() + 1 + self.recipe.grow, rows.max() + 1]
        return Found(np.array([box], np.float32), np.array([0.5], np.float32))

@hookimpl
def register_detectors():
    return [DetectorSpec("bright", "finds what is bright", lambda: BrightRecipe, Bright,
                         {"exact": ("", {}), "large": ("", {"grow": 20})},
                         {"mini": {"least": 0.4}})]
"""


def found(*boxes: tuple[list[float], float]) -> Found:
    return Found(np.array([box for box, _ in boxes], np.float32).reshape(-1, 4),
                 np.array([score for _, score in boxes], np.float32))  # fmt: skip


def test_overlap_is_that_of_torchvision() -> None:
    generator = np.random.default_rng(0)
    corners = generator.uniform(0, 50, (40, 4)).astype(np.float32)
    boxes = np.concatenate([np.minimum(corners[:, :2], corners[:, 2:]),
                            np.maximum(corners[:, :2], corners[:, 2:])], axis=1)  # fmt: skip
    expected = box_iou(torch.from_numpy(boxes[:15]), torch.from_numpy(boxes[15:])).numpy()
    assert np.allclose(overlap(boxes[:15], boxes[15:]), expected, atol=1e-6)
    assert overlap(HERE, HERE[:, [0, 1, 0, 1]]).item() == 0  # a box without area


def test_precision_by_hand() -> None:
    truth = [HERE, HERE, HERE]
    answers = [
        found(([0, 0, 10, 10], 0.9)),  # right
        found(([0, 0, 10, 5], 0.8)),  # half of it: wrong at 0.7, right at 0.5
        found(([0, 0, 10, 9], 0.7), ([0, 0, 10, 10], 0.6)),  # right, then the same again
    ]
    strict = average_precision(truth, answers)
    # recall 1/3 at precision 1, 2/3 at 2/3
    assert strict.mean == pytest.approx(1 / 3 + 1 / 3 * 2 / 3)
    assert (strict.photographs, strict.garments) == (3, 3)
    assert average_precision(truth, answers, threshold=0.5).mean == pytest.approx(1)
    assert strict.low <= strict.mean <= strict.high
    # a true box that another found already stays found by the better one alone
    assert (
        average_precision([HERE], [found(([0, 0, 10, 10], 0.9), ([0, 0, 10, 10], 0.8))]).mean == 1
    )
    # precision is made to fall with recall, so a wrong box before the last right one costs
    late = [found(([50, 50, 60, 60], 0.9), ([0, 0, 10, 10], 0.8))]
    assert average_precision([HERE], late).mean == pytest.approx(0.5)


def test_precision_of_nothing() -> None:
    assert average_precision([HERE], [found()]).mean == 0
    nothing = average_precision([], [])
    assert np.isnan([nothing.mean, nothing.low, nothing.high]).all()
    assert np.isnan(average_precision([HERE[:0]], [found(([0, 0, 1, 1], 0.5))]).mean)


def test_precision_where_each_photograph_has_one_box_is_that_of_scikit_learn() -> None:
    # scikit-learn does not make precision fall with recall; where right boxes stand first it does
    generator = np.random.default_rng(1)
    scores = np.sort(generator.random(60))[::-1]
    right = np.arange(60) < 25
    answers = [found((([0, 0, 10, 10] if hit else [0, 0, 2, 2]), score))
               for hit, score in zip(right, scores, strict=True)]  # fmt: skip
    ours = average_precision([HERE] * 60, answers).mean
    recall = right.sum() / 60
    assert ours == pytest.approx(average_precision_score(right, scores) * recall)


def test_photographs_stand_once_with_all_their_boxes() -> None:
    catalog = Catalog.from_columns(
        "toy", Path("root"),
        {"path": ["a.jpg", "a.jpg", "b.jpg", "a.jpg"], "id": list("wxyz"),
         "x1": [0, 5, np.nan, 0], "y1": [0, 5, np.nan, 0], "x2": [9, 9, np.nan, 9],
         "y2": [9, 9, np.nan, 9]},
    )  # fmt: skip
    [one] = photographs(catalog, np.arange(4))
    assert (one.file, one.domain) == (Path("root/a.jpg"), "")
    assert one.boxes.tolist() == [[0, 0, 9, 9], [5, 5, 9, 9]]
    assert photographs(catalog, np.array([2])) == []


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with a manifest of 24 dark pictures, each with a bright box, and a plugin."""
    rows = ["path,item,split,box"]
    generator = np.random.default_rng(0)
    (tmp_path / "images").mkdir()
    for number in range(24):
        pixels = generator.integers(0, 40, (48, 40, 3), dtype=np.uint8)
        left, top = generator.integers(0, 15, 2)
        if number % 8:  # in the others there is nothing to find
            pixels[top : top + 25, left : left + 20] = 200 + number
        Image.fromarray(pixels).save(tmp_path / f"images/{number}.png")
        split = "train" if number < 8 else "query" if number < 16 else "gallery"
        rows.append(f"images/{number}.png,{number % 4},{split},{left} {top} {left + 20} {top + 25}")
    (tmp_path / "manifest.csv").write_text("\n".join(rows) + "\n")
    (tmp_path / "bright.py").write_text(PLUGIN)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def bench(*arguments: str, fails: bool = False) -> str:
    done = CliRunner().invoke(app, [*arguments, "--plugin", "bright.py"])
    if fails:
        assert isinstance(done.exception, UserError)
        return str(done.exception)
    assert done.exception is None, done.exception
    return done.stdout


TRAIN = ("train-detector", "bright", "--dataset", "manifest:manifest.csv")
RUN = ("run", "--method", "pretrained", "--dataset", "manifest:manifest.csv", "--backbone",
       "timm:test_resnet", "--weights", "none", "--engine", "torch")  # fmt: skip


def trained(output: str) -> Path:
    [line] = [line for line in output.splitlines() if line.startswith("detector: ")]
    return Path(line.removeprefix("detector: "))


def test_a_detector_is_trained_tested_and_found_again(workplace: Path) -> None:
    output = bench(*TRAIN)
    folder = trained(output)
    # 14 of 16 boxes are found; they all have one score
    [row] = [line for line in output.splitlines() if line.startswith("│ all")]
    cells = [cell.strip() for cell in row.strip("│").split("│")]
    assert cells[1:4] == ["16", "16", "0.8750"]
    facts = json.loads((folder / "detector.json").read_text())
    assert facts["learnt"] == {"photographs": 8, "garments": 8}
    assert facts["provenance"]["command"]
    before = (folder / "weights.safetensors").stat().st_mtime_ns
    assert trained(bench(*TRAIN)) == folder
    assert (folder / "weights.safetensors").stat().st_mtime_ns == before
    large = bench(*TRAIN, "--variant", "large")
    assert trained(large) != folder
    assert "0.0000" in large  # too wide for 0.7
    other = bench(*TRAIN, "--set", "least=0.6", "--seed", "1")
    assert "--seed1-" in str(trained(other))


def record_of(output: str) -> dict[str, Any]:
    [line] = [line for line in output.splitlines() if "/record.json" in line][:1]
    content: dict[str, Any] = json.loads(Path(line.partition(": ")[2]).read_text())
    return content


def test_what_is_compared_is_the_box_the_detectors_or_the_whole(workplace: Path) -> None:
    folder = trained(bench(*TRAIN))
    given = record_of(bench(*RUN))
    whole = record_of(bench(*RUN, "--crop", "full"))
    detected = record_of(bench(*RUN, "--crop", "detector", "--detector", str(folder)))
    digest = open_trained(folder).digest
    assert [r["dataset"]["options"] for r in (given, whole, detected)] == [
        {}, {"crop": "full"}, {"crop": f"detector bright exact {digest[:8]}"}
    ]  # fmt: skip
    assert len({r["protocol_fingerprint"] for r in (given, whole, detected)}) == 1
    assert len({r["run_key"] for r in (given, whole, detected)}) == 3
    [note] = detected["dataset"]["notes"]
    assert note == "no garment was found in 3 of 24 photographs; the whole photograph is compared"


def test_boxes_that_were_found_are_kept(workplace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = trained(bench(*TRAIN))
    asked: list[Path] = []
    from bench.detection import crops

    real = crops.find_all

    def counted(detector: Any, files: Any, **more: Any) -> Any:
        asked.extend(files)
        return real(detector, files, **more)

    monkeypatch.setattr(crops, "find_all", counted)
    command = (*RUN, "--crop", "detector", "--detector", str(folder))
    bench(*command)
    assert len(asked) == 24
    (workplace / "images" / "20.png").write_bytes((workplace / "images" / "21.png").read_bytes())
    Image.new("RGB", (40, 48), "grey").save(workplace / "images" / "22.png")
    bench(*command)
    # the copy is a picture whose box is known, by its content
    assert [path.name for path in asked[24:]] == ["22.png"]


def test_an_interruption_keeps_what_was_found(workplace: Path) -> None:
    folder = trained(bench(*TRAIN))
    broken = workplace / "images" / "9.png"
    content = broken.read_bytes()
    broken.write_bytes(b"no picture")
    command = (*RUN, "--crop", "detector", "--detector", str(folder), "--workers", "1")
    assert "9.png is not a readable image" in bench(*command, fails=True)
    skipped = record_of(bench(*command, "--skip-damaged"))
    assert skipped["dataset"]["damaged"] == 1
    broken.write_bytes(content)
    assert record_of(bench(*command))["dataset"]["damaged"] == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((*RUN, "--crop", "detector"), "--crop detector and --detector FOLDER belong together"),
        ((*RUN, "--detector", "x"), "--crop detector and --detector FOLDER belong together"),
        ((*RUN, "--crop", "detector", "--detector", "x"), "--detector x is not a trained detector"),
        (("train-detector", "sharp", *TRAIN[2:]), "unknown detector 'sharp'"),
        ((*TRAIN, "--set", "most=1"), "most"),
        ((*TRAIN, "--variant", "small"), "unknown variant of bright 'small'"),
    ],
)
def test_a_mistake_ends_in_one_line(
    workplace: Path, arguments: tuple[str, ...], message: str
) -> None:
    assert message in bench(*arguments, fails=True)


def test_data_without_boxes_teach_no_detector(workplace: Path) -> None:
    lines = (workplace / "manifest.csv").read_text().splitlines()
    (workplace / "manifest.csv").write_text(
        "\n".join(",".join(line.split(",")[:3]) for line in lines) + "\n"
    )
    message = bench(*TRAIN, fails=True)
    assert "has 0 photographs with boxes to learn from and 0 to test with" in message


def test_a_folder_that_was_altered_is_refused(workplace: Path) -> None:
    folder = trained(bench(*TRAIN))
    (folder / "detector.json").write_text('{"format": 9}')
    with pytest.raises(RecordError, match="format 9"):
        open_trained(folder)
    assert issubclass(IncompatibleError, UserError)


def draw_squares(folder: Path, count: int) -> list[tuple[Path, Boxes]]:
    """Write photographs of noise with one plain square each, and return where it is."""
    generator = np.random.default_rng(2)
    drawn = []
    for number in range(count):
        pixels = np.full((96, 96, 3), 128, np.uint8) + generator.integers(
            0, 9, (96, 96, 3), np.uint8
        )
        left, top, side = (int(generator.integers(5, 40)), int(generator.integers(5, 40)),
                           int(generator.integers(35, 50)))  # fmt: skip
        pixels[top : top + side, left : left + side] = generator.integers(0, 256, 3)
        file = folder / f"{number}.png"
        Image.fromarray(pixels).save(file)
        drawn.append((file, np.array([[left, top, left + side, top + side]], np.float32)))
    return drawn


@pytest.mark.parametrize(
    ("name", "settings", "least"),
    [
        ("faster-rcnn", {"stage": "blocks.2", "size": 64, "hidden": 64, "epochs": 4}, 0.4),
        ("darn-proposals", {"size": 96, "side": 64, "regions": 20}, 0.7),
    ],
)
def test_a_detector_learns_to_find_squares(
    tmp_path: Path, name: str, settings: dict[str, Any], least: float
) -> None:
    from bench.detection.boxes import Photograph
    from bench.images import decode

    registry = Registry.load()
    spec = registry.detector(name)
    recipe = spec.recipe().model_validate({"backbone": "efficientnet-lite0", **settings})
    drawn = [Photograph(file, boxes, "") for file, boxes in draw_squares(tmp_path, 16)]
    steps: list[tuple[int, int]] = []

    def learnt() -> Any:
        detector = spec.build(recipe, registry, 0)
        detector.learn(drawn[:12], lambda done, total: steps.append((done, total)))
        return detector

    detector = learnt()
    assert steps[-1][0] == steps[-1][1]
    answers = [detector.find(decode(photograph.file)) for photograph in drawn[12:]]
    best = [float(overlap(answer.boxes[:1], photograph.boxes)[0, 0])
            for answer, photograph in zip(answers, drawn[12:], strict=True)]  # fmt: skip
    assert np.median(best) > least
    for answer in answers:
        assert (np.diff(answer.scores) <= 0).all() or name == "darn-proposals"
        assert (answer.boxes >= 0).all()
        assert (answer.boxes <= 96).all()
    if name == "faster-rcnn":
        return  # its training is torch's own; once is enough
    again = learnt().find(decode(drawn[12].file))
    assert np.array_equal(again.boxes, answers[0].boxes), "the same seed gives the same bits"
