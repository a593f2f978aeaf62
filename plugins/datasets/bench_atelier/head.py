"""The head as a rounded surface that turns: places on it, smooth curves over it, soft shades."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from bench_atelier.colours import format_colour, luminance, parse_colour, shade
from bench_atelier.faces import Face
from bench_atelier.outline import Point, closed_path

# pixels of a portrait and the place of the middle between the pupils, as in aligned collections
WIDTH, HEIGHT = 178, 218
MIDDLE = (88.5, 111.0)
# half the distance of the pupils
PUPIL = 19.5

# across, down, and towards the viewer; with two numbers the place lies on the skin
Place = tuple[float, float] | tuple[float, float, float]


@dataclass(frozen=True)
class HeadPose:
    """How a head is held: degrees of turn (to the right as seen), nod (down) and tilt.

    `zoom`, `shift_x` and `shift_y` (pixels) are what is left of an imperfect alignment; `light` is
    the side from which the light comes, -1 (left as seen) to 1.
    """

    yaw: float = 0
    pitch: float = 0
    roll: float = 0
    zoom: float = 1
    shift_x: float = 0
    shift_y: float = 0
    light: float = 0


class Head:
    """A face in a pose: turns places in the units of `Face` into pixels of the portrait."""

    def __init__(self, face: Face, pose: HeadPose) -> None:
        self.face = face
        self.pose = pose
        self.shadow = mix(shade(face.skin, 0.5), "#5a2418", 0.25)
        self.half_neck = 31.0 if face.gender == "male" else 24.5
        self._yaw = _turn(pose.yaw)
        self._pitch = _turn(pose.pitch)
        self._roll = _turn(pose.roll)

    def place(self, place: Place) -> Point:
        """Return the pixel (x, y) at which a place of the head is seen."""
        x, y = place[0], place[1]
        z = place[2] if len(place) == 3 else _depth(x, y)
        cosine, sine = self._yaw
        x, z = x * cosine + z * sine, z * cosine - x * sine
        cosine, sine = self._pitch
        y, z = y * cosine + z * sine, z * cosine - y * sine
        near = self.pose.zoom * (1 + z / 500)
        cosine, sine = self._roll
        return (
            MIDDLE[0] + self.pose.shift_x + (x * cosine - y * sine) * near,
            MIDDLE[1] + self.pose.shift_y + (x * sine + y * cosine) * near,
        )

    def curve(self, places: Sequence[Place], *, closed: bool = False) -> str:
        """Return path data of a smooth curve through the places (Catmull-Rom splines)."""
        return smooth([self.place(place) for place in places], closed=closed)

    def polygon(self, places: Sequence[Place]) -> str:
        """Return path data of straight lines between the places, closed."""
        return closed_path(self.place(places[0]), [(self.place(place),) for place in places[1:]])

    def both(self, places: Sequence[Place]) -> str:
        """Return the closed curve through the places of the right half and back up the left one.

        The first and the last place lie on the middle line and are not doubled.
        """
        return self.curve([*places, *(mirror(place) for place in places[-2:0:-1])], closed=True)

    def soft(self, place: Place, across: float, down: float, tone: str, opacity: float) -> str:
        """Return a patch that fades to nothing; `tone` is an identifier of `definitions`."""
        x, y = self.place(place)
        turned = f' transform="rotate({self.pose.roll:.1f} {x:.1f} {y:.1f})"'
        zoom = self.pose.zoom
        return (
            f'<ellipse cx="{x:.1f}" cy="{y:.1f}" rx="{across * zoom:.1f}" ry="{down * zoom:.1f}" '
            f'fill="url(#{tone})" fill-opacity="{opacity:.2f}"{turned if self.pose.roll else ""}/>'
        )

    def definitions(self) -> str:
        """Return the gradients that the parts share."""
        face = self.face
        tones = {
            "shadow": self.shadow,
            "light": mix(face.skin, "#fff4e6", 0.16 + 0.34 * luminance(face.skin)),
            "blush": mix(face.skin, "#d2415a", 0.6),
            "bruise": mix(self.shadow, "#5b3a5e", 0.5),
            "makeup": mix(face.skin, "#3d2436", 0.75),
            "gloss": mix(face.hair_tone, "#ffffff", 0.4),
            "dark": "#000000",
        }
        markup = "".join(
            f'<radialGradient id="{name}"><stop offset="0" stop-color="{tone}"/>'
            f'<stop offset="0.5" stop-color="{tone}" stop-opacity="0.55"/>'
            f'<stop offset="1" stop-color="{tone}" stop-opacity="0"/></radialGradient>'
            for name, tone in tones.items()
        )
        x, y = self.place((12 * self.pose.light, 2))
        return markup + (
            f'<radialGradient id="skin" gradientUnits="userSpaceOnUse" cx="{x:.1f}" cy="{y:.1f}" '
            f'r="{84 * self.pose.zoom:.1f}"><stop offset="0" stop-color="{shade(face.skin, 1.1)}"/>'
            f'<stop offset="0.42" stop-color="{face.skin}"/>'
            f'<stop offset="1" stop-color="{mix(face.skin, self.shadow, 0.8)}"/></radialGradient>'
        )


def mirror(place: Place) -> Place:
    """Return the place on the other side of the face."""
    if len(place) == 3:
        return -place[0], place[1], place[2]
    return -place[0], place[1]


def across(places: Sequence[Place]) -> list[Place]:
    """Return places from the left to the right, of those from the middle line to the right."""
    return [*(mirror(place) for place in places[:0:-1]), *places]


def smooth(points: Sequence[Point], *, closed: bool = False) -> str:
    """Return path data of a smooth curve through the points (Catmull-Rom splines)."""
    count = len(points)
    data = [f"M{points[0][0]:.2f} {points[0][1]:.2f}"]
    for index in range(count if closed else count - 1):
        if closed:
            before, after = points[index - 1], points[(index + 2) % count]
        else:
            before, after = points[max(0, index - 1)], points[min(count - 1, index + 2)]
        first, second = points[index], points[(index + 1) % count]
        data.append(
            f"C{first[0] + (second[0] - before[0]) / 6:.2f} "
            f"{first[1] + (second[1] - before[1]) / 6:.2f} "
            f"{second[0] - (after[0] - first[0]) / 6:.2f} "
            f"{second[1] - (after[1] - first[1]) / 6:.2f} {second[0]:.2f} {second[1]:.2f}"
        )
    return "".join(data) + ("Z" if closed else "")


def mix(first: str, second: str, share: float) -> str:
    """Return the colour between two, `share` (0 to 1) of the way to the second."""
    pairs = zip(parse_colour(first), parse_colour(second), strict=True)
    return format_colour(*(one + (two - one) * share for one, two in pairs))


def _turn(degrees: float) -> tuple[float, float]:
    # rounded: the last bit of a cosine may differ between machines
    return round(math.cos(math.radians(degrees)), 9), round(math.sin(math.radians(degrees)), 9)


def _depth(x: float, y: float) -> float:
    """Return how far the skin stands before (or, negative, behind) the bridge of the nose."""
    forehead = max(0.0, -30 - y)
    return -(x * x) / 85 - forehead * forehead / 70
