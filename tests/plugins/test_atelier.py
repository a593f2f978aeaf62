"""The drawing kit and the mini edition of `clothing` that is made with it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bench_atelier import edition
from bench_atelier.garments import HEIGHT, WIDTH, Pose, draw_garment
from bench_atelier.patterns import PATTERNS, pattern_definition, sample_pattern
from bench_atelier.photograph import Camera, take_photograph
from bench_atelier.render import render_svg
from bench_atelier.wardrobe import CATEGORIES, sample_garment, sample_pose
from bench_clothing import CLASSES
from bench_clothing.mini import IMAGES_PER_CLASS, draw_image, draw_mini, plan_mini
from PIL import Image

from bench.errors import UserError

ITEMS = 2  # test images of each class; tests/test_datasets.py draws the whole edition


@pytest.fixture(scope="module")
def mini(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data") / "clothing"
    draw_mini(root, items=ITEMS)
    return root


def test_the_whole_mini_edition_has_so_many_images_of_each_class() -> None:
    counts = Counter((image.split, image.category) for image in plan_mini())
    assert counts == {
        (split, category): count
        for split, count in IMAGES_PER_CLASS.items()
        for category in CLASSES
    }
    assert len({image.name for image in plan_mini()}) == 360


def test_mini_has_the_published_layout_and_the_counts_asked_for(mini: Path) -> None:
    files = [path for path in mini.rglob("*") if path.is_file()]
    counts = Counter(path.relative_to(mini).parts[:-1] for path in files)
    assert counts == {
        (split, category): -(-count * ITEMS // IMAGES_PER_CLASS["test"])
        for split, count in IMAGES_PER_CLASS.items()
        for category in CLASSES
    }
    assert {path.suffix for path in files} == {".jpg"}
    assert len({path.name for path in files}) == len(files) == 90


def test_mini_images_are_small_photographs(mini: Path) -> None:
    for path in sorted(mini.glob("test/*/*.jpg")):
        with Image.open(path) as image:
            assert (image.format, image.mode, image.size) == ("JPEG", "RGB", (240, 320))
            assert np.asarray(image).std() > 5, f"{path.name} is blank"


def test_an_image_drawn_alone_is_the_same_as_in_the_whole_set(mini: Path) -> None:
    for image in plan_mini(items=ITEMS)[::15][::-1]:
        assert (mini / image.path).read_bytes() == draw_image(image)


def test_no_two_images_are_alike(mini: Path) -> None:
    contents = {path.read_bytes() for path in mini.rglob("*.jpg")}
    assert len(contents) == 90


def test_nothing_is_left_beside_the_edition(mini: Path) -> None:
    assert [path.name for path in mini.parent.iterdir()] == ["clothing"]


def test_another_seed_gives_other_names_and_pictures() -> None:
    first, second = plan_mini(seed=0), plan_mini(seed=1)
    assert not {image.name for image in first} & {image.name for image in second}
    assert draw_image(first[0], seed=0) != draw_image(first[0], seed=1)
    assert draw_image(second[5], seed=1) == draw_image(second[5], seed=1)


def test_drawing_does_not_touch_the_global_generator() -> None:
    image = plan_mini()[3]
    np.random.seed(1)  # noqa: NPY002
    before = draw_image(image)
    np.random.seed(2)  # noqa: NPY002
    assert draw_image(image) == before


def test_order_of_names_tells_nothing_of_the_class() -> None:
    order = [image.category for image in plan_mini()]
    changes = sum(first != second for first, second in pairwise(order))
    assert changes > 280  # 324 expected of a shuffled order, 29 of a sorted one


@pytest.mark.parametrize("category", CATEGORIES)
def test_every_category_is_drawn_in_every_pattern(category: str) -> None:
    for pattern in PATTERNS:
        generator = np.random.default_rng([7, len(pattern)])
        garment = sample_garment(generator, category, pattern=pattern)
        assert garment.category == category
        assert garment.fabric.pattern.name == pattern
        svg = draw_garment(garment, sample_pose(generator, garment), fill=0.4)
        drawing = render_svg(svg)
        assert drawing.shape == (HEIGHT, WIDTH, 4)
        assert drawing.dtype == np.uint8
        covered = drawing[:, :, 3] > 0
        assert 0.01 < covered.mean() < 0.25
        assert not covered[[0, -1]].any(), "cut off at the top or bottom"
        assert not covered[:, [0, -1]].any(), "cut off at a side"


@pytest.mark.parametrize("category", CATEGORIES)
def test_garments_stay_within_the_drawing(category: str) -> None:
    for number in range(5):
        generator = np.random.default_rng([11, number])
        garment = sample_garment(generator, category, pattern="plain")
        covered = render_svg(draw_garment(garment, sample_pose(generator, garment)))[:, :, 3] > 0
        border = np.concatenate(
            [covered[0], covered[-1], covered[:, 0], covered[:, -1]], dtype=np.bool_
        )
        assert not border.any(), f"{garment} is cut off"


def test_garments_of_one_pattern_and_colour_still_differ() -> None:
    drawings = {
        draw_garment(
            sample_garment(np.random.default_rng(number), "dress", pattern="stripes-horizontal"),
            Pose(hanging=False),
        )
        for number in range(20)
    }
    assert len(drawings) == 20


@pytest.mark.parametrize("name", PATTERNS)
def test_pattern_shows_its_ground_and_parameters_change_it(name: str) -> None:
    def tile(seed: int) -> str:
        pattern = sample_pattern(np.random.default_rng(seed), name, ground="#304060")
        assert pattern.ground in pattern_definition(pattern, "tile")
        return pattern_definition(pattern, "tile")

    assert tile(1) == tile(1)
    assert tile(1) != tile(2)


def test_a_studio_camera_leaves_the_garment_where_it_is() -> None:
    generator = np.random.default_rng(0)
    garment = sample_garment(generator, "t-shirt", pattern="plain")
    drawing = render_svg(draw_garment(garment, Pose(hanging=False)))
    still = Camera(
        rotation=0, zoom=(1, 1), shift=0, tilt=0, wobble=0, lighting=0, blur=(0, 0), noise=0
    )
    picture = take_photograph(drawing, generator, hanging=False, camera=still)
    assert picture.shape == (HEIGHT, WIDTH, 3)
    assert picture.dtype == np.uint8
    middle = picture[150:170, 110:130].mean(axis=(0, 1))
    assert np.abs(middle - drawing[150:170, 110:130, :3].mean(axis=(0, 1))).max() < 60


def test_a_root_that_holds_something_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(UserError, match="is not empty") as refusal:
        draw_mini(tmp_path)
    assert "\n" not in str(refusal.value)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_a_root_that_is_a_file_is_refused(tmp_path: Path) -> None:
    root = tmp_path / "clothing"
    root.write_text("mine")
    with pytest.raises(UserError, match="is a file"):
        draw_mini(root)


@pytest.mark.parametrize(("processors", "started"), [(1, 0), (2, 1)])
def test_many_pictures_are_shared_out_over_processes_and_come_in_order(
    processors: int, started: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    pools, pool = [], edition.ProcessPoolExecutor

    def start(processes: int, **options: Any) -> Any:
        pools.append(processes)
        return pool(processes, **options)

    monkeypatch.setattr(edition, "ProcessPoolExecutor", start)
    monkeypatch.setattr("os.cpu_count", lambda: processors)
    pictures = {str(number): number for number in range(2 * edition.PICTURES_FOR_A_PROCESS)}
    assert [*edition._drawn(pictures, str)] == [*pictures]
    assert len(pools) == started


def test_a_stopped_drawing_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*arguments: object) -> Iterator[bytes]:
        yield from (b"first file", b"second file")
        raise KeyboardInterrupt

    monkeypatch.setattr("bench_atelier.edition._drawn", stop)
    with pytest.raises(KeyboardInterrupt):
        draw_mini(tmp_path / "clothing")
    assert list(tmp_path.iterdir()) == []
