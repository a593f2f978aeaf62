"""How the published data are to be read."""

from __future__ import annotations

from typing import Literal

from bench.recipes import Recipe


class InshopOptions(Recipe):
    """`resolution`: the pictures of 256 x 256 pixels, or those that they were made from."""

    resolution: Literal["low", "high"] = "low"
