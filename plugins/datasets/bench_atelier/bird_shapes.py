"""Bodies of birds: the measures of fourteen shapes.

A body faces right and is some 100 units long. Its spine runs through eight nodes from the base of
the bill to the base of the tail: `bird_surface` says how places on it are named.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bench_atelier.outline import Point

# x, y, then how far the upper and the lower contour lie from the spine
Node = tuple[float, float, float, float]


@dataclass(frozen=True)
class Body:
    """The build of a bird; all lengths in drawing units.

    `eye` is a place on the surface, `head` the length that a bill is compared with, `bill` the
    half height of the bill at its base, `wing` and `tail` are length and width, `leg` the length
    of what shows of the leg, `feet` toes or webs, `frontal` whether the face looks at the viewer.
    """

    spine: tuple[Node, ...]
    eye: Point
    eye_radius: float
    head: float
    bill: float
    wing: tuple[float, float]
    tail: tuple[float, float]
    leg: float
    leg_width: float
    feet: str = "toes"
    frontal: bool = False
    tail_angle: float = 0  # degrees by which the tail is cocked


BODIES: Mapping[str, Body] = {
    "upright-perching_water-like": Body(
        spine=(
            (40, -62, 3.6, 3.6),
            (34, -64, 6.6, 6.4),
            (26, -61, 7.4, 6.8),
            (17, -46, 7, 8),
            (9, -22, 12, 14),
            (-4, 4, 16, 17),
            (-17, 28, 11, 11),
            (-24, 42, 6, 6),
        ),
        eye=(1.3, 0.38),
        eye_radius=2.1,
        head=21,
        bill=2.6,
        wing=(58, 24),
        tail=(30, 15),
        leg=9,
        leg_width=3.4,
        feet="webs",
    ),
    "chicken-like-marsh": Body(
        spine=(
            (44, -30, 3.5, 4),
            (38, -33, 8, 8),
            (30, -32, 9.5, 9),
            (21, -22, 10, 12),
            (7, -9, 16, 19),
            (-12, -4, 18, 19),
            (-30, -8, 10, 10),
            (-38, -13, 5, 5),
        ),
        eye=(1.3, 0.38),
        eye_radius=2.5,
        head=21,
        bill=3.4,
        wing=(48, 26),
        tail=(15, 12),
        leg=28,
        leg_width=2.8,
        tail_angle=22,
    ),
    "long-legged-like": Body(
        spine=(
            (49, -74, 2.8, 2.8),
            (43, -76, 5.6, 5.4),
            (35, -74, 6.4, 5.8),
            (29, -50, 4.6, 5.6),
            (17, -20, 11, 13),
            (-7, -4, 15, 17),
            (-27, 8, 10, 9),
            (-37, 14, 5, 5),
        ),
        eye=(1.2, 0.4),
        eye_radius=2,
        head=19,
        bill=2.6,
        wing=(56, 25),
        tail=(16, 12),
        leg=56,
        leg_width=2.6,
    ),
    "duck-like": Body(
        spine=(
            (47, -30, 4, 4.6),
            (40, -33, 9.5, 9),
            (31, -32, 11.5, 10.5),
            (24, -19, 9.5, 11),
            (10, -4, 14, 18),
            (-14, -1, 17, 19),
            (-34, -4, 11, 12),
            (-46, -9, 5, 5),
        ),
        eye=(1.35, 0.38),
        eye_radius=2.3,
        head=23,
        bill=4.4,
        wing=(58, 24),
        tail=(17, 13),
        leg=12,
        leg_width=3.4,
        feet="webs",
        tail_angle=8,
    ),
    "owl-like": Body(
        spine=(
            (3, -64, 5, 5),
            (3, -57, 18.5, 18.5),
            (2, -42, 23, 23),
            (1, -29, 20, 20),
            (-1, -12, 21, 22),
            (-5, 8, 18, 19),
            (-11, 27, 12, 12),
            (-15, 38, 7, 7),
        ),
        eye=(1.75, 0.5),
        eye_radius=5.6,
        head=24,
        bill=4,
        wing=(58, 25),
        tail=(22, 17),
        leg=7,
        leg_width=5,
        frontal=True,
    ),
    "gull-like": Body(
        spine=(
            (48, -24, 4, 4.5),
            (42, -27, 9, 8.5),
            (33, -26, 11, 10),
            (23, -18, 11, 13),
            (8, -8, 14, 18),
            (-12, -2, 15, 16),
            (-32, 2, 9, 9),
            (-43, 4, 4.5, 4.5),
        ),
        eye=(1.3, 0.38),
        eye_radius=2.2,
        head=23,
        bill=3.6,
        wing=(74, 21),
        tail=(22, 13),
        leg=20,
        leg_width=2.6,
        feet="webs",
    ),
    "hummingbird-like": Body(
        spine=(
            (27, -31, 2.5, 2.5),
            (21, -34, 8.2, 8),
            (14, -32, 10, 9.5),
            (7, -24, 8.5, 11),
            (-1, -10, 10, 13),
            (-9, 5, 9.5, 10.5),
            (-17, 20, 6, 6),
            (-22, 29, 3.8, 3.8),
        ),
        eye=(1.3, 0.42),
        eye_radius=2.7,
        head=19,
        bill=1.7,
        wing=(52, 14),
        tail=(22, 11),
        leg=4,
        leg_width=1.5,
    ),
    "pigeon-like": Body(
        spine=(
            (42, -38, 2.6, 3),
            (37, -40, 7, 7),
            (30, -39, 8.5, 8),
            (23, -28, 9, 12),
            (8, -10, 16, 21),
            (-12, 2, 16, 17),
            (-30, 13, 9, 9),
            (-41, 20, 5.5, 5.5),
        ),
        eye=(1.35, 0.4),
        eye_radius=2.2,
        head=18,
        bill=2,
        wing=(60, 24),
        tail=(38, 14),
        leg=10,
        leg_width=2.8,
    ),
    "tree-clinging-like": Body(
        spine=(
            (26, -46, 3.6, 4),
            (20, -48, 8.5, 8),
            (11, -46, 10.5, 9.5),
            (4, -35, 9.5, 11),
            (-3, -16, 12, 15),
            (-9, 4, 12.5, 14),
            (-15, 24, 8, 8),
            (-19, 36, 4.5, 4.5),
        ),
        eye=(1.3, 0.4),
        eye_radius=2.4,
        head=21,
        bill=2.8,
        wing=(54, 19),
        tail=(28, 10),
        leg=9,
        leg_width=2.2,
    ),
    "hawk-like": Body(
        spine=(
            (27, -44, 4, 4.4),
            (21, -47, 10, 9),
            (12, -45, 12.5, 11.5),
            (5, -34, 13, 15),
            (-2, -14, 17, 20),
            (-11, 8, 16, 17),
            (-21, 29, 10, 10),
            (-27, 42, 6, 6),
        ),
        eye=(1.2, 0.4),
        eye_radius=2.8,
        head=24,
        bill=4.4,
        wing=(64, 25),
        tail=(34, 15),
        leg=9,
        leg_width=3.6,
    ),
    "sandpiper-like": Body(
        spine=(
            (44, -29, 2.5, 2.6),
            (39, -31, 7, 7),
            (32, -30, 8, 7.5),
            (23, -20, 8, 11),
            (8, -9, 13, 16),
            (-10, -3, 13.5, 14),
            (-27, 1, 7.5, 7.5),
            (-36, 3, 4, 4),
        ),
        eye=(1.35, 0.4),
        eye_radius=2.1,
        head=18,
        bill=1.7,
        wing=(56, 19),
        tail=(16, 10),
        leg=34,
        leg_width=1.9,
    ),
    "upland-ground-like": Body(
        spine=(
            (38, -42, 3, 3.5),
            (32, -44, 7.5, 7.5),
            (25, -42, 9, 8.5),
            (17, -29, 10, 13),
            (4, -10, 19, 22),
            (-14, 0, 20, 20),
            (-31, 1, 13, 12),
            (-41, -2, 7, 7),
        ),
        eye=(1.35, 0.4),
        eye_radius=2.3,
        head=19,
        bill=2.8,
        wing=(50, 28),
        tail=(32, 24),
        leg=15,
        leg_width=3.6,
        tail_angle=20,
    ),
    "swallow-like": Body(
        spine=(
            (40, -18, 2.5, 2.8),
            (35, -21, 8.5, 8),
            (27, -20, 11, 10),
            (18, -15, 11, 12),
            (5, -6, 12, 14),
            (-10, 3, 10.5, 11.5),
            (-24, 11, 6.5, 6.5),
            (-33, 16, 4, 4),
        ),
        eye=(1.3, 0.4),
        eye_radius=2.3,
        head=19,
        bill=2,
        wing=(70, 15),
        tail=(34, 13),
        leg=5,
        leg_width=1.8,
    ),
    "perching-like": Body(
        spine=(
            (42, -25, 3.6, 4),
            (36, -29, 10, 9.5),
            (27, -29, 12.6, 12),
            (18, -21, 12.5, 15),
            (6, -8, 14.5, 19),
            (-10, 5, 13.5, 17),
            (-24, 17, 8.5, 9),
            (-33, 25, 4.8, 4.6),
        ),
        eye=(1.4, 0.42),
        eye_radius=2.6,
        head=23,
        bill=3,
        wing=(49, 21),
        tail=(38, 12),
        leg=13,
        leg_width=2,
    ),
}
BODY_SHAPES = tuple(BODIES)
