"""Photographs as shops show them: one item before a pale ground, evenly lit and sharp."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal, get_args

import numpy as np
from PIL import Image, ImageFilter

from bench.errors import DataError
from bench_atelier.carried import Bag, Carried
from bench_atelier.composition import (
    Layers,
    Photograph,
    Placement,
    darken,
    frame_width,
    part_boxes,
    paste_layers,
    place_in,
    render_layers,
    shifted,
    tight_box,
    visible_parts,
)
from bench_atelier.garments import (
    HEIGHT,
    WIDTH,
    Bottom,
    Garment,
    Hat,
    Outfit,
    Pose,
    Top,
)
from bench_atelier.people import Stance, sample_person
from bench_atelier.worn import Box, Worn, can_bend_arms, show_alone, wear

View = Literal["front", "side", "back", "full", "detail"]
VIEWS: tuple[str, ...] = get_args(View)

# what is cut high at the back however low the front is, and collars that go round the neck
_HIGH_BACKS = tuple("crew v-neck deep-v scoop boat square henley wrap draped".split())
_ROUND_COLLARS = tuple("none hood stand rib turtleneck low-turtleneck high ruffle".split())

_GROUNDS = (
    (255, 255, 255),
    (250, 250, 250),
    (244, 243, 241),
    (238, 238, 240),
    (241, 237, 231),
    (232, 233, 235),
)


def take_shop_photograph(
    garment: Garment | Carried,
    generator: np.random.Generator,
    *,
    size: tuple[int, int] = (WIDTH, HEIGHT),
    view: str = "front",
    parts: bool = False,
) -> Photograph:
    """Return a shop's photograph of a garment, `size` is width and height in pixels.

    The garment lies flat, stands as on an invisible mannequin or is worn by a model without a
    face. `view` is one of `VIEWS`: the side is narrow, the back has neither fastening nor print,
    full is the model from head to shoes, detail a part of the garment. With `parts` the boxes of
    collar, sleeves and hem are found too.

    Raises:
        DataError: there is no such view.

    """
    if view not in VIEWS:
        msg = f"view is {view!r}, expected one of {', '.join(VIEWS)}"
        raise DataError(msg)
    shown = _from_behind(garment) if view == "back" else garment
    worn = _present(shown, generator, view)
    placement = _frame(shown, worn, generator, size, view).with_whole_tiles(worn, size)
    layers = render_layers(worn, placement, size, detail=0.8)
    if layers.visible.getbbox() is None:  # a detail between the parts of a thin thing
        layers = render_layers(worn, place_in(worn.box, size, share=0.9), size)
    photograph = _expose(layers, generator, size, worn=worn)
    if not parts:
        return photograph
    masks = visible_parts(worn, placement, size, layers.front)
    return replace(photograph, parts=part_boxes(masks))


def _present(garment: Garment | Carried, generator: np.random.Generator, view: str) -> Worn:
    """Return the garment flat, on no visible body, or on a model."""
    wearable = isinstance(garment, Top | Bottom | Outfit | Hat)
    on_model = float(generator.random()) < 0.45
    lean = round(float(generator.uniform(70, 79)), 1), round(float(generator.uniform(70, 79)), 1)
    turned = view == "back" and not isinstance(garment, Hat)
    if wearable and (view == "full" or ((view == "front" or turned) and on_model)):
        bent = can_bend_arms(garment) and generator.random() < 0.4
        stance = Stance(
            arms=lean,
            gestures=("hip", "down") if bent else ("down", "down"),
            facing="back" if view == "back" else "front",
        )
        return wear(garment, sample_person(generator), stance, generator)
    spread = round(float(generator.uniform(0, 14)), 1) if generator.random() < 0.5 else 0.0
    pose = Pose(hanging=False, arms=(lean[0] - spread, lean[1] - spread))
    return show_alone(garment, pose, variant={"side": 2, "back": 1}.get(view, 0))


def _from_behind(garment: Garment | Carried) -> Garment | Carried:
    """Return the garment without what only its front has."""
    if isinstance(garment, Outfit):
        top, bottom = _from_behind(garment.top), _from_behind(garment.bottom)
        if isinstance(top, Top) and isinstance(bottom, Bottom):
            return replace(garment, top=top, bottom=bottom)
    if not isinstance(garment, Top | Bottom):
        return garment
    fabric = garment.fabric
    if fabric.pattern.name == "graphic":
        fabric = replace(fabric, pattern=replace(fabric.pattern, name="plain"))
    if isinstance(garment, Bottom):
        return replace(garment, fabric=fabric, closure="side-zip")
    high = garment.neckline in _HIGH_BACKS
    return replace(
        garment,
        fabric=fabric,
        fastening="none",
        pockets="none",
        collar=garment.collar if garment.collar in _ROUND_COLLARS else "none",
        neckline="crew" if high else garment.neckline,
        neck_depth=7.0 if high else garment.neck_depth,
    )


def _frame(
    garment: Garment | Carried,
    worn: Worn,
    generator: np.random.Generator,
    size: tuple[int, int],
    view: str,
) -> Placement:
    """Return the place of the figure: the item fills the picture, a face stays outside."""
    # a print with letters is never mirrored; of shoes and bags the drawing is a side already
    reads_one_way = garment.fabric.pattern.name == "graphic"
    narrows = isinstance(garment, Top | Bottom | Outfit)
    share = round(float(generator.uniform(0.84, 0.94)), 3)
    left, top, right, bottom = worn.box
    if view == "detail":
        height = (bottom - top) * 0.45
        # the neckline of a top, the body of a bag below its strap, the middle of the rest
        part = (0.0, 0.3) if isinstance(garment, Top | Outfit) else (0.2, 0.35)
        part = (0.42, 0.55) if isinstance(garment, Bag) else part
        start = top + (bottom - top) * round(float(generator.uniform(*part)), 3)
        middle = (left + right) / 2
        half = height * frame_width(size) / 640
        return place_in((middle - half, start, middle + half, start + height), size, share=1.0)
    mirrored = view in ("side", "back")
    if not worn.behind:
        across = {"side": -0.7 if narrows else -0.94, "back": -1.0}.get(view, 1.0)
        if reads_one_way:
            across = abs(across)
        placement = place_in(worn.box, size, share=share)
        x = frame_width(size) / 2 - placement.scale * across * (left + right) / 2
        return replace(placement, x=x, across=across)
    if view == "full":
        return place_in(worn.figure, size, share=share + 0.04)
    chin = -30.0
    if top < chin:  # a hat needs its head
        return place_in((left - 14, top - 8, right + 14, bottom + 40), size, share=share)
    # the upper edge of the picture runs below the eyes
    window: Box = (min(left, -66.0), min(top, chin) if top < 40 else top - 30, max(right, 66.0), 0)
    window = (*window[:3], bottom + 14)
    placement = place_in(window, size, share=1.0)
    return replace(
        placement,
        y=-window[1] * placement.scale,
        across=-1.0 if mirrored else 1.0,
    )


def _expose(
    layers: Layers, generator: np.random.Generator, size: tuple[int, int], *, worn: Worn
) -> Photograph:
    tone = _GROUNDS[int(generator.integers(len(_GROUNDS)))]
    picture = Image.new("RGB", size, tone)
    figure = Image.alpha_composite(layers.behind, layers.garment)
    outline = Image.alpha_composite(figure, layers.front).getchannel("A")
    for reach, share in ((size[1] // 32, 0.2), (size[1] // 100, 0.16)):
        soft = outline.filter(ImageFilter.BoxBlur(reach)).filter(ImageFilter.BoxBlur(reach // 2))
        darken(picture, shifted(soft, 0, reach // 2), share)
    depth = 0.3 if worn.stiff else 0.55  # ironed
    paste_layers(picture, layers, generator, hanging=bool(worn.behind), depth=depth)
    return Photograph(np.array(picture), tight_box(layers.visible))
