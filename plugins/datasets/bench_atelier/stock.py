"""Sampling of cloth: which patterns, colours and textures a kind of garment is made of."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from bench_atelier.colours import PALETTE, sample_shade
from bench_atelier.fabric import Fabric
from bench_atelier.patterns import PATTERNS, sample_pattern

Weights = Mapping[str, float]

# drawn only where one of them is asked for, or belongs to the garment as pinstripes do to a suit
_RARE_PATTERNS = ("pinstripe", "gradient", "paisley", "marl", "burnout", "photo")
_COMMON_PATTERNS = tuple(name for name in PATTERNS if name not in _RARE_PATTERNS)
PLAIN_OFTEN: Weights = {**dict.fromkeys(_COMMON_PATTERNS, 1), "plain": 8}
SHIRT_PATTERNS: Weights = {
    **PLAIN_OFTEN,
    "plain": 4,
    "graphic": 0,
    "stripes-vertical": 4,
    "checks": 3,
    "plaid": 4,
}
KNIT_PATTERNS: Weights = {
    **PLAIN_OFTEN,
    "stripes-horizontal": 4,
    "graphic": 3,
    "argyle": 2,
    "plaid": 0,
    "checks": 0,
}
TEE_PATTERNS: Weights = {**PLAIN_OFTEN, "graphic": 8, "stripes-horizontal": 3}
COAT_PATTERNS: Weights = {
    "plain": 12,
    "herringbone": 2,
    "plaid": 2,
    "camouflage": 1.5,
    "floral": 0.6,
    "motifs": 0.6,
}
TROUSER_PATTERNS: Weights = {
    "plain": 14,
    "stripes-vertical": 1.5,
    "plaid": 1.5,
    "herringbone": 1,
    "camouflage": 1.5,
    "floral": 1,
    "checks": 0.6,
    "leopard": 0.5,
    "polka-dots": 0.5,
}
SHOE_PATTERNS: Weights = {
    "plain": 14,
    "floral": 0.7,
    "leopard": 0.8,
    "camouflage": 0.6,
    "checks": 0.7,
    "polka-dots": 0.6,
}
HAT_PATTERNS: Weights = {**PLAIN_OFTEN, "graphic": 5, "plain": 8}

# dark and undyed cloth is commoner than bright
_COLOUR_WEIGHTS: Weights = {
    **dict.fromkeys(PALETTE, 1.0),
    "black": 3.5,
    "navy": 3,
    "white": 2.6,
    "grey": 2.6,
    "charcoal": 2,
    "denim": 1.5,
    "red": 1.5,
}
_DENIM = ("denim", "navy", "sky", "charcoal", "black", "silver")


def draw_between(generator: np.random.Generator, low: float, high: float) -> float:
    """Return a number between two bounds, to one decimal."""
    return round(float(generator.uniform(low, high)), 1)


def choose(generator: np.random.Generator, weights: Weights) -> str:
    """Return one of the names, drawn in proportion to its weight."""
    names = list(weights)
    shares = np.cumsum([weights[name] for name in names])
    return names[int(np.searchsorted(shares, generator.random() * shares[-1], side="right"))]


def sample_fabric(
    generator: np.random.Generator,
    patterns: Weights,
    textures: Weights,
    *,
    pattern: str | None = None,
) -> Fabric:
    """Return a cloth; the pattern is the named one, or drawn by the weights."""
    texture = choose(generator, textures)
    name = pattern or choose(generator, patterns)
    ground = sample_shade(generator, choose(generator, _COLOUR_WEIGHTS))
    if texture == "denim":
        ground = sample_shade(generator, _DENIM[int(generator.integers(len(_DENIM)))])
        name = pattern or "plain"
    return Fabric(pattern=sample_pattern(generator, name, ground=ground), texture=texture)
