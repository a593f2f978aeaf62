"""Drawing of a bird: plumage laid on its body, marks on its head, wings, tail, bill and legs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from bench_atelier.bird_colours import IRIDESCENCE, Tint, dye, paint
from bench_atelier.bird_head import draw_face, draw_head_pattern
from bench_atelier.bird_parts import (
    draw_leg,
    draw_tail,
    offset,
    place,
)
from bench_atelier.bird_shapes import BODIES, Body
from bench_atelier.bird_surface import Surface
from bench_atelier.bird_wings import draw_folded_wing, draw_spread_wing
from bench_atelier.birds import Bird
from bench_atelier.colours import shade
from bench_atelier.outline import Point, between, filled, line


@dataclass(frozen=True)
class BirdPose:
    """What a bird is doing; angles in degrees.

    `pitch` raises the body and `nod` the head, `flap` is the angle of the open wings over the
    horizontal, `spread` (0 to 1) opens the tail. `tint` and `arrangement` are the individual's:
    how its colours differ from its kind's, and where its spots and streaks fall.
    """

    action: str  # perched, standing, swimming, flying
    pitch: float = 0
    nod: float = 0
    flap: float = 90
    spread: float = 0.2
    tint: Tint = (0, 0, 0)
    arrangement: int = 0


@dataclass(frozen=True)
class BirdDrawing:
    """Markup of a bird that faces right, and the points of its visible parts.

    `foot` is the point that rests on a branch or the ground, or the middle of a bird without one;
    `extent` is left, top, right and bottom of the drawing, within a few units.
    """

    markup: str
    parts: Mapping[str, Point]
    foot: Point
    extent: tuple[float, float, float, float]


_PLACES: Mapping[str, Point] = {
    "back": (4.9, 0.07),
    "belly": (5.3, 0.88),
    "breast": (3.9, 0.84),
    "crown": (1.6, 0.07),
    "forehead": (0.6, 0.16),
    "nape": (2.9, 0.12),
    "throat": (2.0, 0.9),
}

# light from above on a round body: bands across the body, since it may be bent
_SHADES = (
    (0.0, 0.1, "#ffffff", 0.1),
    (0.05, 0.3, "#ffffff", 0.1),
    (0.72, 1.0, "#000000", 0.09),
    (0.84, 1.0, "#000000", 0.12),
    (0.93, 1.0, "#000000", 0.16),
)


def draw_bird(bird: Bird, pose: BirdPose) -> BirdDrawing:
    """Return the drawing of a bird; its right side is the near one."""
    body = BODIES[bird.shape]
    surface = Surface(body, pitch=pose.pitch, nod=pose.nod)
    parts = {name: surface.at(*at) for name, at in _PLACES.items()}
    far_wing, near_wing = _wings(bird, body, surface, pose, parts)
    far_leg = near_leg = ""
    foot = surface.at(5, 0.5)
    if pose.action in ("perched", "standing"):
        far_leg, near_leg, foot = _legs(bird, body, surface, pose, parts)
    tail, middle = draw_tail(bird, body, pose.spread, pose.tint)
    tail_at = surface.at(6.7, 0.5)
    tail_turn = surface.direction(6.8, 0.5) + body.tail_angle
    parts["tail"] = offset(tail_at, tail_turn, middle)
    face, places = draw_face(bird, body, surface, pose.tint)
    parts.update(places)
    markup = (
        f"<defs>{IRIDESCENCE}</defs>{far_wing}{far_leg}"
        f"{place(tail, tail_at, tail_turn)}{_plumage(bird, surface, pose)}"
        f"{draw_head_pattern(bird, body, surface, pose.tint)}{face}{near_leg}{near_wing}"
    )
    tips = [foot, parts["beak"], offset(tail_at, tail_turn, (body.tail[0] * 1.15, 0))]
    tips += [surface.at(place / 2, side) for place in range(15) for side in (0, 1)]
    for name in ("left wing", "right wing") if pose.action == "flying" else ():
        tips.append(between(surface.at(3.75, 0.42), parts[name], 2.1))
    columns, rows = zip(*tips, strict=True)
    return BirdDrawing(markup, parts, foot, (min(columns), min(rows), max(columns), max(rows)))


def _plumage(bird: Bird, surface: Surface, pose: BirdPose) -> str:
    """Return the body in its colours, with its patterns, its feathers and its shading."""
    tint = pose.tint
    face = bird.head_mark if bird.head_pattern == "capped" else bird.nape
    layers = [
        (bird.back, (2.4, 7.0), (0.0, 1.0), 0.0),
        (face, (0.0, 3.0), (0.0, 1.0), 0.0),
        (bird.belly, (4.2, 6.5), (0.48, 1.0), 0.0),
        (bird.under_tail, (6.05, 7.0), (0.5, 1.0), 0.0),
    ]
    if BODIES[bird.shape].frontal:
        layers += [
            (bird.breast, (2.6, 4.6), (0.28, 1.0), 0.0),
            (bird.nape, (2.0, 3.2), (0.0, 0.3), 0.0),
            (bird.throat, (2.3, 3.1), (0.26, 0.84), 0.0),
            (bird.crown, (0.0, 1.35), (0.0, 1.0), 0.0),
            (bird.forehead, (0.75, 1.9), (0.4, 0.62), 0.0),
        ]
    else:
        layers += [
            (bird.breast, (2.7, 4.6), (0.44, 1.0), 0.0),
            (bird.throat, (0.0, 3.0), (0.62, 1.0), -0.08),
            (bird.nape, (2.1, 3.5), (0.0, 0.5), 0.0),
            (bird.crown, (0.5, 2.5), (0.0, 0.3), -0.04),
            (bird.forehead, (0.0, 0.95), (0.0, 0.42), -0.14),
        ]
    markup = ""
    for colour, along, across, slant in layers:
        markup += filled(surface.patch(along, across, slant=slant), paint(colour, tint))
    markup += _feathers(surface)
    for pattern, along, across, mark in (
        (bird.back_pattern, (3.5, 6.6), (0.02, 0.44), bird.upper_mark),
        (bird.breast_pattern, (3.0, 4.45), (0.5, 0.97), bird.lower_mark),
        (bird.belly_pattern, (4.6, 6.1), (0.55, 0.97), bird.lower_mark),
    ):
        markup += _pattern(surface, pattern, along, across, dye(mark, tint), pose.arrangement)

    for first, second, colour, opacity in _SHADES:
        markup += filled(surface.patch((0, 7), (first, second)), colour, opacity=opacity)
    return markup


def _feathers(surface: Surface) -> str:
    """Return the fine lines of small feathers all over the body, and its downy edge."""
    dark = light = ""
    for row in range(13):
        for column in range(26):
            along = 0.3 + column * 0.25 + 0.12 * (row % 2)
            across = 0.04 + row * 0.077
            start, end = surface.at(along, across), surface.at(along + 0.11, across + 0.012)
            data = f"M{start[0]:.1f} {start[1]:.1f}L{end[0]:.1f} {end[1]:.1f}"
            if (row + column) % 2:
                dark += data
            else:
                light += data
    return "".join(
        # blunt ends: hundreds of round ones take as long to draw as the rest of the bird
        f'<path d="{data}" fill="none" stroke="{colour}" stroke-width="0.8" '
        f'stroke-opacity="{opacity}"/>'
        for data, colour, opacity in ((dark, "#000000", 0.13), (light, "#ffffff", 0.12))
    )


def _pattern(
    surface: Surface,
    pattern: str,
    along: tuple[float, float],
    across: tuple[float, float],
    mark: str,
    arrangement: int,
) -> str:
    """Return spots, streaks or a large patch on a part of the body."""
    if pattern == "solid":
        return ""
    (start, end), (first, second) = along, across
    if pattern == "multi-colored":
        middle = start + (end - start) * 0.42
        return filled(surface.patch((start, middle), (first, second)), mark)
    generator = np.random.default_rng(arrangement)
    rows = max(3, round((second - first) * 12))
    columns = round((end - start) * 4)
    data = ""
    for row in range(rows):
        for column in range(columns):
            shift_along, shift_across = generator.uniform(-0.2, 0.2, size=2)
            share = (column + 0.5 + shift_along + 0.4 * (row % 2)) / columns
            at = start + (end - start) * min(share, 1)
            level = first + (second - first) * (row + 0.5 + shift_across) / rows
            reach = 0.012 if pattern == "spotted" else 0.2
            begin, finish = surface.at(at, level), surface.at(at + reach, level)
            data += f"M{begin[0]:.1f} {begin[1]:.1f}L{finish[0]:.1f} {finish[1]:.1f}"
    return line(data, mark, 2.3 if pattern == "spotted" else 1.35)


def _wings(
    bird: Bird, body: Body, surface: Surface, pose: BirdPose, parts: dict[str, Point]
) -> tuple[str, str]:
    """Return the far and the near wing, and note where they are."""
    shoulder = surface.at(3.75, 0.42)
    if pose.action != "flying":
        wing, (x, y) = draw_folded_wing(bird, body, pose.tint)
        end = surface.at(6.6, 0.34)
        turn = math.degrees(math.atan2(end[1] - shoulder[1], end[0] - shoulder[0]))
        parts["right wing"] = offset(shoulder, turn, (x, -y))
        return "", place(wing, shoulder, turn, flip=True)
    near, (x, y) = draw_spread_wing(bird, body, pose.tint, near=True)
    far, _ = draw_spread_wing(bird, body, pose.tint, near=False)
    raised = pose.flap > 0  # feathers trail towards the tail, so a lowered wing is a mirrored one
    parts["right wing"] = offset(shoulder, -pose.flap, (x, -y if raised else y))
    back = surface.at(3.7, 0.12)
    far_turn = 32 - abs(pose.flap)
    parts["left wing"] = offset(back, far_turn, (x, -y))
    return (
        place(far, back, far_turn, flip=True),
        place(near, shoulder, -pose.flap, flip=raised),
    )


def _legs(
    bird: Bird, body: Body, surface: Surface, pose: BirdPose, parts: dict[str, Point]
) -> tuple[str, str, Point]:
    """Return the far leg, the near leg with its thigh, and the foot; note where they are."""
    clinging = pose.action == "perched" and bird.shape == "tree-clinging-like"
    legs = []
    hips = (
        (surface.at(5.1, 0.9), surface.at(4.85, 0.9))
        if clinging
        else (surface.at(5.35, 0.88), surface.at(4.95, 0.88))
    )
    feet = []
    for hip, (dx, dy) in zip(hips, ((0.0, 0.0), (8.0, -2.0)), strict=True):
        if clinging:
            foot = (hip[0] + body.leg + 4, hip[1] - 3 - dx * 1.6)
        else:
            foot = (hip[0] + 1 + dx * 0.4, surface.at(5.3, 1)[1] + body.leg + dy)
        feet.append(foot)
        grip = pose.action == "perched" and not clinging
        legs.append(draw_leg(bird, body, hip, foot, pose.tint, grip=grip))
    parts["right leg"] = ((hips[0][0] + feet[0][0]) / 2, feet[0][1] - body.leg * 0.4)
    parts["left leg"] = ((hips[1][0] + feet[1][0]) / 2, feet[1][1] - body.leg * 0.4)
    thigh = _thigh(hips[0], feet[0], body, dye(bird.belly, pose.tint))
    return legs[1], legs[0] + thigh, feet[0]


def _thigh(hip: Point, foot: Point, body: Body, colour: str) -> str:
    """Return the feathers about the upper leg, which hide where it leaves the body."""
    length = math.dist(hip, foot)
    x, y = (foot[0] - hip[0]) / length, (foot[1] - hip[1]) / length
    data = ""
    for index in range(-3, 4):
        reach = body.leg_width * 1.1 + 5 - abs(index)
        start = (hip[0] - y * index * 0.9 - x * 4, hip[1] + x * index * 0.9 - y * 4)
        end = (hip[0] - y * index * 0.55 + x * reach, hip[1] + x * index * 0.55 + y * reach)
        data += f"M{start[0]:.1f} {start[1]:.1f}L{end[0]:.1f} {end[1]:.1f}"
    width = body.leg_width * 0.5 + 0.8
    return line(data, shade(colour, 0.88), width + 0.6) + line(data, colour, width)
