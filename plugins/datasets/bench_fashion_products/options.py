"""How the published data are to be read."""

from __future__ import annotations

from pydantic import Field

from bench.recipes import Recipe


class FashionProductsOptions(Recipe):
    """Which values of the attributes are kept."""

    minimum: int = Field(
        20, ge=1, description="a value of an attribute that fewer images have counts as missing"
    )
