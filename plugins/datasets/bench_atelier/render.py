"""SVG text to pixels."""

from __future__ import annotations

import io

import numpy as np
import resvg_py
from numpy.typing import NDArray
from PIL import Image


def render_svg(svg: str) -> NDArray[np.uint8]:
    """Return the drawing as (H, W, 4) uint8, red, green, blue, alpha, not premultiplied."""
    # system fonts differ between machines; no drawing of ours uses text
    data = resvg_py.svg_to_bytes(svg_string=svg, skip_system_fonts=True)
    with Image.open(io.BytesIO(data)) as image:
        return np.array(image.convert("RGBA"))
