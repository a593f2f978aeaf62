"""Outfits of two parts: jumpsuits, suits, tracksuits, pyjamas and swimwear."""

from __future__ import annotations

from dataclasses import replace

from bench_atelier.bottoms import draw_bottom
from bench_atelier.garments import Drawing, Outfit, Pose
from bench_atelier.tops import draw_top


def draw_outfit(outfit: Outfit, pose: Pose) -> Drawing:
    """Return the drawing of an outfit, the upper part over the lower; the shoulders are at y = 0.

    A graphic print stands on the upper part alone. The waistband of a joined outfit lies under the
    hem of its upper part, which is its seam.
    """
    upper = draw_top(outfit.top, pose)
    bottom, pattern = outfit.bottom, outfit.fabric.pattern
    if pattern.name == "graphic":
        plain = replace(outfit.fabric, pattern=replace(pattern, name="plain"))
        bottom = replace(bottom, fabric=plain)
    lower = draw_bottom(bottom, replace(pose, hanging=False))
    below = f'<g transform="translate(0 {outfit.waist:.1f})">{lower.markup}</g>'
    return Drawing(
        below + upper.markup,
        half_width=max(upper.half_width, lower.half_width),
        top=upper.top,
        bottom=max(upper.bottom, outfit.waist + lower.bottom),
    )
