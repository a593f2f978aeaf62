"""Which of the published rounds are to be read."""

from __future__ import annotations

from typing import Literal

from bench.recipes import Recipe


class FashionAIOptions(Recipe):
    """`rounds`: the training images of round 1, or all labelled images that are there."""

    rounds: Literal["base", "all"] = "base"
