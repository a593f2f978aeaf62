"""How the published data are to be read."""

from __future__ import annotations

from pydantic import Field

from bench.recipes import Recipe


class FashionProductsOptions(Recipe):
    """`minimum`: an attribute's value that fewer images have counts as missing."""

    minimum: int = Field(default=20, ge=1)
