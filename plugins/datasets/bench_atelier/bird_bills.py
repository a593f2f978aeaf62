"""Bills of birds: nine shapes, each in three lengths."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench_atelier.bird_colours import Tint, dye
from bench_atelier.bird_shapes import Body
from bench_atelier.birds import Bird
from bench_atelier.colours import shade
from bench_atelier.outline import Point, Segment, closed_path, disc, line, open_path

# in lengths of the head
_LENGTHS = {"shorter_than_head": 0.5, "about_the_same_as_head": 0.95, "longer_than_head": 1.65}


@dataclass(frozen=True)
class _Form:
    """The outline of a bill, x in its lengths and y in its half heights.

    `upper` runs from the upper end of the base around the upper half, `lower` from the lower end
    around the lower half, `gape` from the middle of the base between them. `depth` makes it
    higher, `droop` bends its tip down, in lengths.
    """

    upper: tuple[Segment, ...]
    lower: tuple[Segment, ...]
    gape: tuple[Segment, ...]
    depth: float = 1
    droop: float = 0


_FORMS: Mapping[str, _Form] = {
    "curved_(up_or_down)": _Form(
        upper=(((0.55, -0.95), (1, 0)), ((0.5, 0.15), (0, 0))),
        lower=(((0.55, 0.9), (1, 0)), ((0.5, 0.1), (0, 0))),
        gape=(((0.5, 0.1), (1, 0)),),
        droop=0.34,
    ),
    "dagger": _Form(
        upper=(((0.7, -0.75), (1, 0)), ((0, 0.2),)),
        lower=(((0.7, 0.7), (1, 0)), ((0, 0),)),
        gape=(((1, 0),),),
        depth=1.25,
    ),
    "hooked": _Form(
        upper=(
            ((0.5, -1.35), (0.95, -0.5)),
            ((1.06, 0.2), (0.96, 1.15)),
            ((0.8, 0.3), (0, 0.3)),
        ),
        lower=(((0.6, 1.1), (0.82, 0.4)), ((0, 0),)),
        gape=(((0.5, 0.1), (0.84, 0.4)),),
    ),
    "needle": _Form(
        upper=(((0.2, -0.4), (0.3, -0.36)), ((1, 0),), ((0, 0.2),)),
        lower=(((0.2, 0.4), (0.3, 0.36)), ((1, 0),), ((0, 0),)),
        gape=(((1, 0),),),
    ),
    "hooked_seabird": _Form(  # the lower edge has its angle near the tip
        upper=(
            ((0.4, -0.75), (0.78, -0.62)),
            ((1.04, -0.5), (0.99, 0.95)),
            ((0.9, 0.2), (0.8, 0.15)),
            ((0, 0.1),),
        ),
        lower=(((0.7, 0.85),), ((0.93, 0.3),), ((0, 0),)),
        gape=(((0.9, 0.1),),),
    ),
    "spatulate": _Form(
        upper=(
            ((0.35, -0.25), (0.62, -0.22)),
            ((0.9, -0.75), (1.02, -0.1)),
            ((1, 0.25),),
            ((0.6, 0.5), (0, 0.25)),
        ),
        lower=(((0.5, 0.7), (0.7, 0.75)), ((0.95, 0.95), (1, 0.25)), ((0, 0),)),
        gape=(((0.6, 0.5), (0.97, 0.25)),),
    ),
    "all-purpose": _Form(
        upper=(((0.65, -0.8), (1, 0.35)), ((0, 0.3),)),
        lower=(((0.6, 0.75), (1, 0.35)), ((0, 0),)),
        gape=(((0.5, 0.1), (1, 0.35)),),
        depth=0.85,
    ),
    "cone": _Form(
        upper=(((0.5, -1.02), (1, 0.1)), ((0, 0.2),)),
        lower=(((0.5, 0.85), (1, 0.1)), ((0, 0),)),
        gape=(((0.4, 0.35), (1, 0.1)),),
        depth=1.5,
    ),
    "specialized": _Form(  # crossed tips
        upper=(((0.7, -1.3), (1.02, 1.1)), ((0.6, 0.2), (0, 0.2))),
        lower=(((0.6, 1.5), (0.95, -0.8)), ((0.7, 0.3), (0, 0))),
        gape=(((0.4, 0.25), (0.7, 0.25)),),
    ),
}


def draw_bill(bird: Bird, body: Body, tint: Tint) -> tuple[str, Point]:
    """Return a bill that points along the x axis from the origin, and the point in its middle."""
    colour = dye(bird.bill, tint)
    form = _FORMS[bird.bill_shape]
    length, h = body.head * _LENGTHS[bird.bill_length], body.bill * form.depth

    def scaled(segments: Sequence[Segment]) -> list[Segment]:
        return [
            tuple((x * length, y * h + form.droop * length * x * x) for x, y in points)
            for points in segments
        ]

    upper = closed_path((0, -h), scaled(form.upper))
    lower = closed_path((0, h), scaled(form.lower))
    gape = open_path((0, 0), scaled(form.gape))
    markup = ""
    for data, tone in ((lower, 0.82), (upper, 1.0)):
        markup += (
            f'<path d="{data}" fill="{shade(colour, tone)}" stroke="{shade(colour, 0.45)}" '
            'stroke-width="0.5" stroke-linejoin="round"/>'
        )
    markup += line(
        open_path((0, -h * 0.62), [((length * 0.45, -h * 0.3),)]), "#ffffff", 0.7, opacity=0.3
    )
    markup += line(gape, shade(colour, 0.35), 0.7)
    markup += disc((length * 0.2 + 0.6, -h * 0.32), min(0.7, h * 0.2), shade(colour, 0.25))
    return markup, (length * 0.5, 0)
