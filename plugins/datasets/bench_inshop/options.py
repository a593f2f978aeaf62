"""How the published data are to be read."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from bench.recipes import Recipe


class InshopOptions(Recipe):
    """The options of the dataset."""

    resolution: Literal["low", "high"] = Field(
        default="low",
        description="the pictures of 256 x 256 pixels, or those that they were made from",
    )
    colour: bool = Field(
        default=False,
        description="count the colour of an image among its attributes; papers count items' alone",
    )
