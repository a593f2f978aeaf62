"""The files below `Attributes/`, one for each attribute, in either of two grammars.

Which one the published files have is not confirmed, so both are read: `PATH LABEL` lines, or plain
labels aligned with a list of image paths. A label is a class id from 0, or -1 where it is missing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bench.annotations import Line, duplicates, read_lines, read_text, shown
from bench.errors import DataError
from bench_shopping100k.vocabulary import FILES, OPTIONAL, SCHEMA

IMAGES = "Images"
NAMES = ("Attributes/names.txt", "names.txt", "images.txt")
_ENDINGS = {".jpg", ".jpeg", ".png"}

Labels = npt.NDArray[np.int64]


@dataclass(frozen=True)
class LabelFile:
    """One attribute's labels, in the order of the file, with image names where it has them."""

    file: Path
    names: list[str] | None  # as written; `image_paths` makes paths of them
    labels: Labels


@dataclass(frozen=True)
class _Reference:
    """The images in the catalog's order, and the file or folder that lists them."""

    origin: str
    paths: list[str]
    names: list[str] | None = None  # as that file writes them


def attribute_files(root: Path) -> dict[str, Path]:
    """Return the file of each attribute that has one; only optional ones may be absent."""
    files = {name: root / file for name, file in FILES.items()}
    return {name: file for name, file in files.items() if name not in OPTIONAL or file.is_file()}


def image_list(root: Path) -> list[Path]:
    """Return the file or folder that says whose labels plain ones are; none where they say it."""
    for file in attribute_files(root).values():
        if file.is_file():
            with file.open("rb") as opened:
                if len(opened.readline().split()) > 1:
                    return []
    return [_names_file(root) or root / IMAGES]


def _names_file(root: Path) -> Path | None:
    return next((root / name for name in NAMES if (root / name).is_file()), None)


def read_attributes(root: Path) -> tuple[list[str], Labels, list[str]]:
    """Return image paths (N,), their labels (N, A), -1 for missing, and notes.

    Raises:
        DataError: a malformed line, a label out of range, an image that is listed twice or is not
            in all files, a number of labels that is not that of the images.

    """
    files = {name: read_label_file(file, name) for name, file in attribute_files(root).items()}
    notes = [
        f"no {FILES[name]}: the {name} of every image is missing"
        for name in OPTIONAL
        if name not in files
    ]
    reference = _reference(root, files)
    if reference.origin == IMAGES:
        notes.append(
            "no file names the images of the plain labels: they are taken to be in the order of "
            f"the sorted paths below {IMAGES}"
        )
    labels = np.full((len(reference.paths), len(SCHEMA.attributes)), -1, np.int64)
    for number, attribute in enumerate(SCHEMA.attributes):
        if attribute.name in files:
            labels[:, number] = _aligned(files[attribute.name], reference)
    return reference.paths, labels, notes


def read_label_file(file: Path, attribute: str) -> LabelFile:
    """Return the labels of one file; its first line decides which grammar it must have."""
    count = len(SCHEMA.attribute(attribute).values)
    label_of = {str(label): label for label in range(-1, count)}
    # no Line for each of a million lines: only for those that need a second look
    texts = read_text(file).rstrip().split("\n")
    paired = len(texts[0].split()) > 1
    grammar = f"PATH {attribute.upper()}" if paired else attribute.upper()
    names: list[str] = []
    labels = np.empty(len(texts), np.int64)
    for place, text in enumerate(texts):
        fields = text.rsplit(maxsplit=1)
        if len(fields) != 1 + paired:
            found = f"{len(text.split())} fields in {shown(text)}"
            raise Line(file, place + 1, text).error(found, f"{grammar}, as in line 1")
        label = label_of.get(fields[-1])
        if label is None:  # no such label, or written as in 03
            line = Line(file, place + 1, text)
            label = line.integer(fields[-1], f"label of {attribute}", -1, count - 1)
        labels[place] = label
        if paired:
            names.append(fields[0])
    return LabelFile(file, names if paired else None, labels)


def read_names(file: Path) -> list[str]:
    """Return the image paths, below the root, that a file lists one a line."""
    return image_paths(file, [line.text for line in read_lines(file)])


def image_paths(file: Path, names: Sequence[str]) -> list[str]:
    """Return the paths below the root of the images that a file names, one a line, each once."""
    paths = [image_path(Line(file, n, name), name) for n, name in enumerate(names, start=1)]
    for again, first in duplicates(paths):
        line = Line(file, again + 1, names[again])
        raise line.error(f"image {paths[again]} again, after line {first + 1}", "each image once")
    return paths


def image_path(line: Line, name: str) -> str:
    """Return an image's path below the root; the files may write it relative to `Images/`."""
    path = name.strip().replace("\\", "/").removeprefix(f"{IMAGES}/")
    return f"{IMAGES}/{line.path(path)}"


def _reference(root: Path, files: Mapping[str, LabelFile]) -> _Reference:
    """Return the images in the catalog's order: of a label file, a list, or the folder."""
    for name, file in files.items():
        if file.names is not None:
            return _Reference(FILES[name], image_paths(file.file, file.names), file.names)
    listed = _names_file(root)
    if listed:
        return _Reference(listed.relative_to(root).as_posix(), read_names(listed))
    folder = root / IMAGES
    if not folder.is_dir():
        raise DataError(
            f"{root / FILES['category']}:1: labels without paths; expected PATH CATEGORY, or the "
            f"images below {folder} or listed in {' or '.join(NAMES)}"
        )
    found = (path for path in folder.rglob("*") if path.suffix.lower() in _ENDINGS)
    return _Reference(IMAGES, sorted(path.relative_to(root).as_posix() for path in found))


def _aligned(file: LabelFile, reference: _Reference) -> Labels:
    """Return a file's labels in the order of the reference's images."""
    origin, paths, count = reference.origin, reference.paths, len(file.labels)
    last = Line(file.file, count, "")
    if file.names is None or file.names == reference.names:
        if count != len(paths):
            raise last.error(f"{count:,} labels for {len(paths):,} images of {origin}", "as many")
        return file.labels
    own = image_paths(file.file, file.names)
    place_of = {path: place for place, path in enumerate(paths)}
    for place, path in enumerate(own):
        if path not in place_of:
            line = Line(file.file, place + 1, path)
            raise line.error(f"image {path}", f"an image that {origin} has")
    if count < len(paths):
        absent = min(set(paths) - set(own))
        raise last.error(f"no label of image {absent}", f"a label of each image of {origin}")
    labels = np.empty(count, np.int64)
    labels[[place_of[path] for path in own]] = file.labels
    return labels
