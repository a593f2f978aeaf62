"""The annotation files of the mini edition, in the published grammar."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence

from bench_atelier.composition import PixelBox

from bench_inshop.mini import CATEGORIES, MiniImage, make_garment
from bench_inshop.mini_attributes import NAMES, attributes_of

CLOTHES_TYPES = {"skirt": 2, "pants": 2, "dress": 3, "jumpsuit": 3}  # all others 1, upper body
POSE_TYPES = {"1_front": 1, "2_side": 2, "3_back": 3, "4_full": 4, "6_flat": 6, "7_additional": 5}
# where each clothes type's landmarks are put, as shares of the box
LANDMARKS: Mapping[int, Sequence[tuple[float, float]]] = {
    1: ((0.4, 0), (0.6, 0), (0.05, 0.6), (0.95, 0.6), (0.25, 1), (0.75, 1)),
    2: ((0.25, 0), (0.75, 0), (0.1, 1), (0.9, 1)),
    3: (
        (0.4, 0), (0.6, 0), (0.1, 0.2), (0.9, 0.2),
        (0.25, 0.4), (0.75, 0.4), (0.1, 1), (0.9, 1),
    ),
}  # fmt: skip


def annotation_files(images: Sequence[MiniImage], boxes: Sequence[PixelBox]) -> Mapping[str, str]:
    """Return the text of each annotation file by its path; `boxes` are x1 y1 x2 y2 of the images.

    Landmarks stand at fixed shares of the box: the drawing does not say where they are.
    """
    items = sorted({image.item for image in images}, key=lambda item: item.number)
    garments = {item: make_garment(item, 0, seed=images[0].seed) for item in items}
    attributes = {item: attributes_of(garment) for item, garment in garments.items()}
    names = [name for name in NAMES if any(name in found for found in attributes.values())]
    types = {item: CLOTHES_TYPES.get(CATEGORIES[item.category][0], 1) for item in items}
    descriptions = [
        {"item": item.name, "color": colour.capitalize(), "description": sorted(attributes[item])}
        for item in items
        for colour in item.colours
    ]
    return {
        "Eval/list_eval_partition.txt": _table(
            "image_name item_id evaluation_status",
            (f"{image.name:<71}{image.item.name} {image.split:<11}" for image in images),
        ),
        "Anno/list_bbox_inshop.txt": _table(
            "image_name  clothes_type  pose_type  x_1  y_1  x_2  y_2",
            (
                f"{image.name:<71}{types[image.item]}  {POSE_TYPES[image.view]}  "
                + "  ".join(f"{corner:03}" for corner in box)
                for image, box in zip(images, boxes, strict=True)
            ),
        ),
        "Anno/list_landmarks_inshop.txt": _table(
            "image_name clothes_type variation_type landmark_visibility_1 landmark_location_x_1 "
            "landmark_location_y_1",
            (
                _landmark_row(image, types[image.item], box)
                for image, box in zip(images, boxes, strict=True)
            ),
        ),
        "Anno/list_item_inshop.txt": _table(None, (item.name for item in items)),
        "Anno/list_description_inshop.json": json.dumps(descriptions, indent=1) + "\n",
        "Anno/attributes/list_attr_cloth.txt": _table("attribute_name", names),
        "Anno/attributes/list_attr_items.txt": _table(
            "item_id attribute_labels",
            (
                item.name + "".join(f"{1 if name in found else -1:3}" for name in names)
                for item, found in attributes.items()
            ),
        ),
        "Anno/attributes/list_color_cloth.txt": _table(
            "image_name  color",
            (
                f"{image.name:<71}{image.item.colours[image.series].capitalize()}"
                for image in images
            ),
        ),
    }


def _landmark_row(image: MiniImage, clothes_type: int, box: PixelBox) -> str:
    """Return the row of an image; in a close view no landmark is inside the picture."""
    close = image.view == "7_additional"
    x1, y1, x2, y2 = box
    points = (
        (2, 0, 0) if close else (0, round(x1 + x * (x2 - x1)), round(y1 + y * (y2 - y1)))
        for x, y in LANDMARKS[clothes_type]
    )
    texts = " ".join(f"{visibility} {x:03} {y:03}" for visibility, x, y in points)
    return f"{image.name:<71}{clothes_type} {5 if close else 1} {texts}"


def _table(names: str | None, rows: Iterable[str]) -> str:
    lines = list(rows)
    head = [str(len(lines))] if names is None else [str(len(lines)), names]
    return "\n".join([*head, *lines, ""])
