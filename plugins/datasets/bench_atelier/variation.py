"""Different items that are easily confused: the same named attributes, other fine details."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from bench_atelier.attributes import join_parts
from bench_atelier.colours import format_colour, parse_colour, sample_contrasting
from bench_atelier.fabric import Fabric
from bench_atelier.garments import Bottom, Garment, Outfit, Top
from bench_atelier.patterns import PATTERNS

_SINGLE_COLOUR = ("plain", "herringbone", "marl", "burnout", "leopard", "camouflage")


def vary_garment(garment: Garment, generator: np.random.Generator) -> Garment:
    """Return another item of the same category and named attributes, finely different.

    The dye lot, the second colour, the parameters of the pattern and the proportions change.
    """
    fabric = _vary_fabric(garment.fabric, generator)
    if isinstance(garment, Outfit):
        return join_parts(
            replace(
                garment,
                top=_vary_top(garment.top, fabric, generator),
                bottom=_vary_bottom(garment.bottom, fabric, generator),
            )
        )
    if isinstance(garment, Top):
        return _vary_top(garment, fabric, generator)
    if isinstance(garment, Bottom):
        return _vary_bottom(garment, fabric, generator)
    shape = round((garment.shape + float(generator.uniform(0.3, 0.7))) % 1, 1)
    return replace(garment, fabric=fabric, shape=shape)


def _scaled(generator: np.random.Generator, value: float, reach: float) -> float:
    """Return the value made smaller or larger by between half the reach and the whole of it."""
    change = float(generator.uniform(reach / 2, reach)) * (1 if generator.random() < 0.5 else -1)
    return round(value * (1 + change), 2)


def _vary_fabric(fabric: Fabric, generator: np.random.Generator) -> Fabric:
    pattern = fabric.pattern
    form = PATTERNS[pattern.name]
    shift = int(generator.integers(7, 13)) * (1 if generator.random() < 0.5 else -1)
    ground = format_colour(*(channel + shift for channel in parse_colour(pattern.ground)))
    second, third = pattern.second, pattern.third
    if pattern.name not in _SINGLE_COLOUR:
        second = sample_contrasting(generator, ground)
    low, high = form.weight
    weight = low + (pattern.weight - low + (high - low) * float(generator.uniform(0.3, 0.6))) % (
        high - low
    )
    turn = float(generator.uniform(3, 7)) if form.angle[0] != form.angle[1] else 0.0
    angle = pattern.angle - turn if pattern.angle > 0 else pattern.angle + turn
    varied = replace(
        pattern,
        ground=ground,
        second=second,
        third=third,
        size=_scaled(generator, pattern.size, 0.25),
        weight=round(weight, 3),
        angle=round(angle, 1),
        arrangement=int(generator.integers(1 << 31)),
    )
    return replace(fabric, pattern=varied)


def _vary_top(top: Top, fabric: Fabric, generator: np.random.Generator) -> Top:
    return replace(
        top,
        fabric=fabric,
        neck_width=_scaled(generator, top.neck_width, 0.08),
        neck_depth=_scaled(generator, top.neck_depth, 0.08),
        sleeve_width=_scaled(generator, top.sleeve_width, 0.08),
        length=_scaled(generator, top.length, 0.03),
        waist=_scaled(generator, top.waist, 0.05),
        waist_width=_scaled(generator, top.waist_width, 0.04),
        flare=_scaled(generator, top.flare, 0.12),
    )


def _vary_bottom(bottom: Bottom, fabric: Fabric, generator: np.random.Generator) -> Bottom:
    hem_width = _scaled(generator, bottom.hem_width, 0.06)
    return replace(
        bottom,
        fabric=fabric,
        hip=max(bottom.waist + 2, _scaled(generator, bottom.hip, 0.03)),
        length=_scaled(generator, bottom.length, 0.03),
        hem_width=hem_width,
        spread=round(bottom.spread * hem_width / bottom.hem_width, 2),
        band=_scaled(generator, bottom.band, 0.15),
    )
