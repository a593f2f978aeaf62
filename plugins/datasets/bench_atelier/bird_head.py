"""Heads of birds: bill and eyes, and the marks that bird guides name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise

from bench_atelier.bird_bills import draw_bill
from bench_atelier.bird_colours import Tint, dye
from bench_atelier.bird_parts import draw_eye, offset, place
from bench_atelier.bird_shapes import Body
from bench_atelier.bird_surface import Surface
from bench_atelier.birds import Bird
from bench_atelier.colours import shade
from bench_atelier.outline import Point, between, closed_path, disc, filled, line, open_path

# of the feathers about an owl's eye
_RAYS = (
    (1.0, 0.0),
    (0.87, 0.5),
    (0.5, 0.87),
    (0.0, 1.0),
    (-0.5, 0.87),
    (-0.87, 0.5),
    (-1.0, 0.0),
    (-0.87, -0.5),
    (-0.5, -0.87),
    (0.0, -1.0),
    (0.5, -0.87),
    (0.87, -0.5),
)
_FRONTAL_EYES = ((1.75, 0.27), (1.75, 0.75))


def eye_places(body: Body, surface: Surface) -> tuple[Point, ...]:
    """Return the middle of each eye that is seen: the near one, or both of a frontal face."""
    if body.frontal:
        return tuple(surface.at(*at) for at in _FRONTAL_EYES)
    return (surface.at(*body.eye),)


def draw_face(bird: Bird, body: Body, surface: Surface, tint: Tint) -> tuple[str, dict[str, Point]]:
    """Return eyes and bill, and the points of the parts they are."""
    eyes = eye_places(body, surface)
    bill, middle = draw_bill(bird, body, tint)
    if body.frontal:
        at, turn = surface.at(2.05, 0.51), 84.0
    else:
        at = surface.at(0.12, 0.5)
        # towards the tail and back again; halved, since a head held high still looks ahead
        turn = (surface.direction(0.5, 0.5) % 360 - 180) * 0.5
    markup = _discs(bird, eyes, body, tint) if body.frontal else ""
    markup += place(bill, at, turn)
    markup += "".join(draw_eye(bird, eye, body.eye_radius, tint) for eye in eyes)
    parts = {"beak": offset(at, turn, middle)}
    names = ("left eye", "right eye") if body.frontal else ("right eye",)
    parts.update(zip(names, eyes, strict=True))
    return markup, parts


def _discs(bird: Bird, eyes: tuple[Point, ...], body: Body, tint: Tint) -> str:
    """Return the round discs of short feathers about the eyes of an owl."""
    colour = shade(dye(bird.throat, tint), 0.94)
    markup = ""
    for x, y in eyes:
        radius = body.eye_radius * 1.75
        markup += disc((x, y), radius * 1.1, shade(colour, 0.55)) + disc((x, y), radius, colour)
        rays = "".join(
            open_path(
                (x + dx * radius * 0.62, y + dy * radius * 0.62),
                [((x + dx * radius * 0.95, y + dy * radius * 0.95),)],
            )
            for dx, dy in _RAYS
        )
        markup += line(rays, shade(colour, 0.6), 0.5, opacity=0.7)
    return markup


def _stripe(surface: Surface, places: tuple[Point, ...], colour: str, width: float) -> str:
    """Return a smooth stripe along places of the surface, from the first to the last."""
    first, *inner, last = (surface.at(*at) for at in places)
    ends = [between(point, after, 0.5) for point, after in pairwise(inner)] + [last]
    data = open_path(first, list(zip(inner, ends, strict=True)))
    return (
        f'<path d="{data}" fill="none" stroke="{colour}" stroke-width="{width:.1f}" '
        'stroke-linecap="round" stroke-linejoin="round"/>'
    )


def _spotted(surface: Surface, body: Body, colour: str) -> str:
    size = body.head * 0.05
    return "".join(
        disc(surface.at(0.8 + 0.42 * column + 0.2 * (row % 2), 0.1 + 0.14 * row), size, colour)
        for row in range(5)
        for column in range(5)
    )


def _malar(surface: Surface, body: Body, colour: str) -> str:
    return _stripe(
        surface, ((0.35, 0.72), (1.2, 0.76), (1.9, 0.78), (2.4, 0.75)), colour, body.head * 0.13
    )


def _crested(surface: Surface, body: Body, colour: str) -> str:
    first, last = surface.at(0.75, 0.12), surface.at(2.4, 0.22)
    x, y = surface.at(2.3, 0)
    reach = body.head * 0.5
    tip = (x - reach * 1.0, y - reach * 0.75)
    data = closed_path(
        first,
        [
            (surface.at(1.3, -0.3), tip),
            ((x - reach * 0.2, y - reach * 0.1), (x - reach * 0.85, y - reach * 0.2)),
            ((x - reach * 0.1, y + reach * 0.1), last),
        ],
    )
    return filled(data, colour) + line(
        open_path(surface.at(1.2, 0.05), [(surface.at(1.6, -0.12), tip)]),
        "#000000",
        0.7,
        opacity=0.3,
    )


def _masked(surface: Surface, body: Body, colour: str) -> str:
    eye = body.eye[1]
    return filled(surface.patch((0.0, 2.6), (eye - 0.17, eye + 0.22)), colour)


def _unique_pattern(surface: Surface, body: Body, colour: str) -> str:
    # a pale drop before the eye, a large ear patch and half a collar
    ear = filled(surface.patch((1.75, 2.5), (0.36, 0.72)), colour)
    collar = filled(surface.patch((3.0, 3.35), (0.12, 0.98)), colour)
    return ear + collar + disc(surface.at(0.7, 0.36), body.head * 0.09, colour)


def _eyebrow(surface: Surface, body: Body, colour: str) -> str:
    eye = body.eye[1]
    return _stripe(
        surface,
        ((0.25, eye - 0.1), (1.0, eye - 0.2), (1.7, eye - 0.2), (2.3, eye - 0.12)),
        colour,
        body.head * 0.12,
    )


def _eyering(surface: Surface, body: Body, colour: str) -> str:
    return "".join(disc(eye, body.eye_radius * 2.0, colour) for eye in eye_places(body, surface))


def _eyeline(surface: Surface, body: Body, colour: str) -> str:
    eye = body.eye[1]
    return _stripe(
        surface,
        ((0.2, eye + 0.08), body.eye, (1.8, eye + 0.03), (2.3, eye + 0.07)),
        colour,
        body.head * 0.1,
    )


def _striped(surface: Surface, body: Body, colour: str) -> str:
    return "".join(
        _stripe(
            surface, ((0.5, level), (1.4, level * 0.9), (2.6, level)), colour, body.head * 0.085
        )
        for level in (0.06, 0.22, 0.38 if body.eye[1] > 0.45 else 0.2)
    ) + _stripe(surface, ((0.6, 0.56), (1.5, 0.6), (2.6, 0.56)), colour, body.head * 0.085)


def _bare(surface: Surface, body: Body, colour: str) -> str:
    return ""


# the cap of a capped bird is its crown, drawn on a face of another colour: `bird_drawing`
_MARKS: Mapping[str, Callable[[Surface, Body, str], str]] = {
    "spotted": _spotted,
    "malar": _malar,
    "crested": _crested,
    "masked": _masked,
    "unique_pattern": _unique_pattern,
    "eyebrow": _eyebrow,
    "eyering": _eyering,
    "plain": _bare,
    "eyeline": _eyeline,
    "striped": _striped,
    "capped": _bare,
}


def draw_head_pattern(bird: Bird, body: Body, surface: Surface, tint: Tint) -> str:
    """Return the marks of the head."""
    colour = bird.crown if bird.head_pattern == "crested" else bird.head_mark
    return _MARKS[bird.head_pattern](surface, body, dye(colour, tint))
