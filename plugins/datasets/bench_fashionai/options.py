"""Which of the published rounds are to be read."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from bench.recipes import Recipe


class FashionAIOptions(Recipe):
    """Which of the published rounds are to be read."""

    rounds: Literal["base", "all"] = Field(
        "base",
        description="the training images of round 1, or the labelled images of all rounds that "
        "are there",
    )
