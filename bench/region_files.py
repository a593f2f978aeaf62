"""Where attributes are in images: `regions.csv`, beside the annotations of a dataset that has it.

One line for each image and attribute: `path,attribute,left,top,right,bottom`, in pixels of the
image, right and bottom exclusive. Drawn editions have it.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from bench.annotations import Line, is_inside, read_csv, shown
from bench.catalog import Catalog

TRUTH = "regions.csv"
HEADER = ["path", "attribute", "left", "top", "right", "bottom"]

Boxes = npt.NDArray[np.float32]  # (…, 4): left, top, right, bottom


def read_truth(catalog: Catalog) -> dict[str, dict[str, Boxes]]:
    """Return the boxes in pixels by path and attribute.

    Raises `DataError` with file and line for what is malformed or names no image or attribute.
    """
    file = catalog.root / TRUTH
    paths = {*catalog.images["path"]}
    attributes = [attribute.name for attribute in catalog.schema.attributes]
    lines = read_csv(file)
    head, names = next(lines, (Line(file, 1, ""), []))
    if names != HEADER:
        raise head.error(shown(head.text), ",".join(HEADER))
    known: dict[str, dict[str, Boxes]] = {}
    for line, fields in lines:
        if len(fields) != len(HEADER):
            raise line.error(f"{len(fields)} fields in {shown(line.text)}", ",".join(HEADER))
        path, attribute, *ends = fields
        if not is_inside(path):
            raise line.error(f"path {shown(path)}", "a path below the data root")
        if path not in paths:
            continue  # of an image that this edition or split leaves out
        line.choice(attribute, "attribute", attributes)
        box = np.array([line.integer(end, "end of a box", 0, 10**6) for end in ends], np.float32)
        if (box[2:] <= box[:2]).any():
            raise line.error(f"box {','.join(ends)}", "left below right and top below bottom")
        known.setdefault(path, {})[attribute] = box
    return known
