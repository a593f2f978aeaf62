from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from fuzzing import anything, mutated, read_or_refuse
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.catalog import Attribute, AttributeSchema, Catalog
from bench.detection.boxes import iou, overlap
from bench.errors import DataError
from bench.images import resize_and_crop, seen_part
from bench.interfaces import FeatureExtractor, Preprocessing
from bench.region_files import read_truth
from bench.regions import where_seen

HEADER = "path,attribute,left,top,right,bottom"
GOOD = f"{HEADER}\na.jpg,collar,1,2,30,40\nb.jpg,sleeve,0,0,5,5\n"


def catalog(root: Path) -> Catalog:
    schema = AttributeSchema((Attribute("collar", ("v", "round")), Attribute("sleeve", ("long",))))
    return Catalog.from_columns(
        "toy", root, {"path": ["a.jpg", "b.jpg"]}, schema=schema,
        present=np.zeros((2, 3), np.uint8), known=np.zeros((2, 2), bool),
    )  # fmt: skip


def read(root: Path, content: str) -> Any:
    (root / "regions.csv").write_text(content)
    return read_truth(catalog(root))


def test_true_regions_are_read_by_path_and_attribute(tmp_path: Path) -> None:
    found = read(tmp_path, GOOD + "of-another-split.jpg,collar,0,0,1,1\n")
    assert {path: {name: box.tolist() for name, box in of_one.items()}
            for path, of_one in found.items()} == {
        "a.jpg": {"collar": [1, 2, 30, 40]}, "b.jpg": {"sleeve": [0, 0, 5, 5]},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "regions.csv:1: ''; expected path,attribute"),
        ("path,left\n", "regions.csv:1: 'path,left'; expected path,attribute"),
        (f"{HEADER}\na.jpg,collar,1,2,3\n", "regions.csv:2: 5 fields"),
        (f"{HEADER}\na.jpg,colar,1,2,3,4\n", "regions.csv:2: attribute 'colar'; expected collar"),
        (f"{HEADER}\na.jpg,collar,1,2,x,4\n", "regions.csv:2: end of a box 'x'"),
        (f"{HEADER}\na.jpg,collar,3,2,3,4\n", "regions.csv:2: box 3,2,3,4; expected left below"),
        (f"{HEADER}\n../a.jpg,collar,1,2,3,4\n", "regions.csv:2: path '../a.jpg'; expected a path"),
    ],
)  # fmt: skip
def test_malformed_regions_are_refused_with_their_line(
    content: str, message: str, tmp_path: Path
) -> None:
    with pytest.raises(DataError) as raised:
        read(tmp_path, content)
    assert message in str(raised.value)


@given(anything | mutated(GOOD, b",", b"../", b"-1", b'"', b"collar"))
@settings(max_examples=150)
def test_arbitrary_files_are_read_or_refused_in_one_line(content: bytes) -> None:
    read_or_refuse("regions.csv", content, lambda file: read_truth(catalog(file.parent)))


def preprocessing(fit: Any, size: int = 32, crop: float = 0.875) -> Preprocessing:
    return Preprocessing(size, crop, "bilinear", (0.5,) * 3, (0.5,) * 3, fit)


@given(st.integers(20, 400), st.integers(20, 400), st.sampled_from(["squash", "crop"]))
@settings(max_examples=60, deadline=None)
def test_what_the_network_sees_of_an_image_is_known(height: int, width: int, fit: Any) -> None:
    """The brightness of a ramp at the ends of the input tells where in the image these lie."""
    across = torch.linspace(0, 255, width).round().to(torch.uint8).expand(3, height, width)
    pixels = resize_and_crop(across, preprocessing(fit))[0, 16].float() / 255
    left, _, right, _ = seen_part(preprocessing(fit), height, width)
    assert (left, right) == (pytest.approx(1 - right), pytest.approx(1 - left))
    cell = (right - left) / 32
    slack = 1.5 * cell + 2 / min(width, 255)  # the middle is cut at whole pixels
    assert float(pixels[0]) == pytest.approx(left + cell / 2, abs=slack)
    assert float(pixels[-1]) == pytest.approx(right - cell / 2, abs=slack)


def test_iou_of_pairs_is_the_diagonal_of_all_overlaps() -> None:
    generator = np.random.default_rng(0)
    corners = generator.uniform(0, 1, (2, 20, 2, 2)).astype(np.float32)
    first, second = np.concatenate([corners.min(axis=2), corners.max(axis=2)], axis=-1)
    assert np.allclose(iou(first, second), np.diag(overlap(first, second)))
    assert iou(np.array([0, 0, 2, 2.0]), np.array([1, 1, 3, 3.0])) == pytest.approx(1 / 7)


class Middle(FeatureExtractor):
    """It sees an attribute in the middle half of what it is shown."""

    preprocessing = preprocessing("crop", size=8, crop=0.5)

    def explain(self, images: torch.Tensor) -> Any:
        box = np.array([[0.25, 0.25, 0.75, 0.75]], np.float32)
        return {"collar": (images[:, 0].numpy(), box)}


def test_a_picture_is_shown_as_far_as_the_network_sees_it(tmp_path: Path, make_images: Any) -> None:
    class Plain(FeatureExtractor):
        pass

    [file] = make_images(tmp_path, ["a.png"])
    nowhere = np.full(4, np.nan, np.float32)
    seen = where_seen(Middle(), file, nowhere)
    assert seen is not None
    heat, box = seen.of_each["collar"]
    assert heat.shape == (8, 8)
    assert box.tolist() == [0.25, 0.25, 0.75, 0.75]
    whole = where_seen(Middle(), file, np.array([0, 0, 12, 12], np.float32))
    assert whole is not None
    assert whole.picture.shape == (3, 6, 6)
    assert where_seen(Plain(), file, nowhere) is None
