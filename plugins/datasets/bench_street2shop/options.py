"""How the published data are to be read."""

from __future__ import annotations

from pydantic import Field

from bench.recipes import Recipe


class Street2ShopOptions(Recipe):
    """What is joined to the published files, which have no attributes."""

    attributes: str = Field(
        "", description="a CSV file of attributes by photo; meta/attributes.csv where it is there"
    )
