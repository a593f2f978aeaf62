"""Which photographs are there: the data are published as URLs, and many of them are dead."""

from __future__ import annotations

import os
from pathlib import Path

from bench.errors import DataError

SPLITS = ("train", "validation", "test")
ENDINGS = {".jpg", ".jpeg", ".png"}


def photograph_folders(root: Path) -> dict[str, Path]:
    """Return the image folder of each split that has one: `train` or `images_train`, and so on."""
    folders = {}
    for split in SPLITS:
        found = [folder for folder in (root / split, root / f"images_{split}") if folder.is_dir()]
        if found:
            folders[split] = found[0]
    return folders


def default_path(split: str, image_id: int) -> str:
    """Return where a photograph is looked for when there are no photographs at all."""
    return f"{split}/{image_id}.jpg"


def list_photographs(root: Path, folder: Path) -> dict[int, str]:
    """Return the path below `root` of each photograph in a split's folder, by image id.

    The id is the file's name as a number, so that `train/17.jpg` and
    `images_train/000/0000017.jpeg` are both image 17; other files are no photographs.
    """
    found: dict[int, str] = {}
    for parent, _, names in os.walk(folder):
        below = Path(parent).relative_to(root).as_posix()
        for name in names:
            stem, ending = os.path.splitext(name)  # noqa: PTH122 (a million of them)
            if not (stem.isascii() and stem.isdigit() and ending.lower() in ENDINGS):
                continue
            path = f"{below}/{name}"
            if found.setdefault(int(stem), path) != path:
                raise DataError(
                    f"{root}: {found[int(stem)]} and {path} are both image {int(stem)}; "
                    "expected one file for each image"
                )
    return found
