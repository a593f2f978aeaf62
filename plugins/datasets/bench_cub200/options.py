"""How the published data are to be read."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from bench.recipes import Recipe


class Cub200Options(Recipe):
    """What counts as an attribute that is present, and what is shown of a photograph."""

    certainty: int = Field(
        1,
        ge=1,
        le=4,
        description="least certainty of a label that counts as present: 1 not visible (all count), "
        "2 guessing, 3 probably, 4 definitely",
    )
    crop: Literal["full", "box"] = Field(
        "full", description="the whole photograph, or the bird's bounding box"
    )
