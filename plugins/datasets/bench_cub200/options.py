"""How the published data are to be read."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from bench.recipes import Recipe


class Cub200Options(Recipe):
    """`certainty`: the least certainty, 1 to 4, of a label that counts as present.

    1 is "not visible", so that every label that says present counts; 2 is "guessing", 3 "probably",
    4 "definitely". `crop`: the whole photograph, or the bird's bounding box.
    """

    certainty: Annotated[int, Field(ge=1, le=4)] = 1
    crop: Literal["full", "box"] = "full"
