"""Small figures that patterns repeat and that prints show large: flowers, blobs, hearts, words."""

from __future__ import annotations

import math

import numpy as np

from bench_atelier.colours import shade

# polylines on a grid 2 wide and 3 high; drawn as strokes, since fonts differ between machines
_LETTERS = {
    "A": ((0, 3, 0, 1, 1, 0, 2, 1, 2, 3), (0, 2, 2, 2)),
    "C": ((2, 0, 0, 0, 0, 3, 2, 3),),
    "E": ((2, 0, 0, 0, 0, 3, 2, 3), (0, 1.5, 1.5, 1.5)),
    "I": ((1, 0, 1, 3),),
    "L": ((0, 0, 0, 3, 2, 3),),
    "M": ((0, 3, 0, 0, 1, 1.5, 2, 0, 2, 3),),
    "N": ((0, 3, 0, 0, 2, 3, 2, 0),),
    "O": ((0, 0, 2, 0, 2, 3, 0, 3, 0, 0),),
    "R": ((0, 3, 0, 0, 2, 0, 2, 1.5, 0, 1.5, 2, 3),),
    "S": ((2, 0, 0, 0, 0, 1.5, 2, 1.5, 2, 3, 0, 3),),
    "T": ((0, 0, 2, 0), (1, 0, 1, 3)),
    "U": ((0, 0, 0, 3, 2, 3, 2, 0),),
    "V": ((0, 0, 1, 3, 2, 0),),
    "W": ((0, 0, 0.5, 3, 1, 1.5, 1.5, 3, 2, 0),),
}
WORDS = ("OCEAN", "LOVE", "MILANO", "TEAM", "SUMMER", "NOVA", "TOUR", "WILLOW", "CREW", "ALTO")


_LEAF_GREEN = "#4d7a4a"


def flower(radius: float, colour: str, *, petals: int, leaves: str = _LEAF_GREEN) -> str:
    """Return a flower around the origin with a centre and two leaves of another colour."""
    # all petals are one path: a floral tile holds dozens of flowers
    size, data = radius * 0.43, ""
    for index in range(petals):
        angle = index * math.tau / petals
        x, y = math.sin(angle) * radius * 0.6, -math.cos(angle) * radius * 0.6
        data += f"M{x - size:.2f} {y:.2f}a{size:.2f} {size:.2f} 0 1 0 {2 * size:.2f} 0"
        data += f"a{size:.2f} {size:.2f} 0 1 0 {-2 * size:.2f} 0"
    leaf_pair = (
        f'<path d="M0 0Q{radius:.2f} {radius * 0.6:.2f} {radius * 1.5:.2f} {radius * 0.2:.2f}'
        f"Q{radius * 0.8:.2f} {-radius * 0.3:.2f} 0 0M0 0Q{-radius * 0.6:.2f} {radius:.2f} "
        f'{-radius * 0.2:.2f} {radius * 1.5:.2f}Q{radius * 0.3:.2f} {radius * 0.8:.2f} 0 0" '
        f'fill="{leaves}"/>'
    )
    crown = f'<path d="{data}" fill="{colour}"/>'
    return leaf_pair + crown + f'<circle r="{radius * 0.28:.2f}" fill="{shade(colour, 0.6)}"/>'


def blob(generator: np.random.Generator, radius: float, colour: str, *, stretch: float = 1) -> str:
    """Return an irregular closed shape around the origin."""
    count = 7
    lengths = radius * generator.uniform(0.6, 1.25, size=count)
    points = [
        (
            lengths[index] * stretch * math.cos(index * math.tau / count),
            lengths[index] * math.sin(index * math.tau / count),
        )
        for index in range(count)
    ]
    middles = [
        ((x + points[(index + 1) % count][0]) / 2, (y + points[(index + 1) % count][1]) / 2)
        for index, (x, y) in enumerate(points)
    ]
    data = f"M{middles[-1][0]:.1f} {middles[-1][1]:.1f}"
    for (x, y), (middle_x, middle_y) in zip(points, middles, strict=True):
        data += f"Q{x:.1f} {y:.1f} {middle_x:.1f} {middle_y:.1f}"
    return f'<path d="{data}Z" fill="{colour}"/>'


def star(radius: float, colour: str) -> str:
    """Return a five-pointed star around the origin."""
    points = []
    for index in range(10):
        length = radius if index % 2 == 0 else radius * 0.42
        angle = index * math.pi / 5 - math.pi / 2
        points.append(f"{length * math.cos(angle):.2f},{length * math.sin(angle):.2f}")
    return f'<polygon points="{" ".join(points)}" fill="{colour}"/>'


def heart(radius: float, colour: str) -> str:
    """Return a heart around the origin."""
    r = radius
    return (
        f'<path d="M0 {r:.2f}C{-1.5 * r:.2f} {-0.1 * r:.2f} {-0.8 * r:.2f} {-1.3 * r:.2f} '
        f"0 {-0.4 * r:.2f}C{0.8 * r:.2f} {-1.3 * r:.2f} {1.5 * r:.2f} {-0.1 * r:.2f} "
        f'0 {r:.2f}Z" fill="{colour}"/>'
    )


def leaf(radius: float, colour: str) -> str:
    """Return a leaf with its vein around the origin."""
    r = radius
    return (
        f'<path d="M0 {-r:.2f}Q{0.9 * r:.2f} 0 0 {r:.2f}Q{-0.9 * r:.2f} 0 0 {-r:.2f}" '
        f'fill="{colour}"/><path d="M0 {-0.7 * r:.2f}V{1.4 * r:.2f}" stroke="{shade(colour, 0.6)}" '
        f'stroke-width="{0.14 * r:.2f}"/>'
    )


def cherries(radius: float, colour: str) -> str:
    """Return a pair of cherries on their stalks around the origin."""
    r = radius
    return (
        f'<path d="M{-0.5 * r:.2f} {0.5 * r:.2f}Q{-0.3 * r:.2f} {-0.6 * r:.2f} {0.3 * r:.2f} '
        f'{-r:.2f}Q{0.5 * r:.2f} {-0.3 * r:.2f} {0.5 * r:.2f} {0.4 * r:.2f}" fill="none" '
        f'stroke="#4d7a4a" stroke-width="{0.16 * r:.2f}"/>'
        f'<circle cx="{-0.5 * r:.2f}" cy="{0.6 * r:.2f}" r="{0.45 * r:.2f}" fill="{colour}"/>'
        f'<circle cx="{0.5 * r:.2f}" cy="{0.5 * r:.2f}" r="{0.45 * r:.2f}" fill="{colour}"/>'
    )


def paisley(radius: float, first: str, second: str) -> str:
    """Return a bent drop with a rim, a smaller drop and dots inside, around the origin."""
    r = radius
    drop = (
        f"M{0.75 * r:.2f} {-1.15 * r:.2f}C{0.2 * r:.2f} {-1.3 * r:.2f} {-0.9 * r:.2f} "
        f"{-0.5 * r:.2f} {-0.85 * r:.2f} {0.3 * r:.2f}C{-0.8 * r:.2f} {1.2 * r:.2f} {0.75 * r:.2f} "
        f"{1.2 * r:.2f} {0.8 * r:.2f} {0.3 * r:.2f}C{0.85 * r:.2f} {-0.4 * r:.2f} {0.0 * r:.2f} "
        f"{-0.6 * r:.2f} {0.75 * r:.2f} {-1.15 * r:.2f}Z"
    )
    dots = "".join(
        f"M{1.13 * r * math.cos(angle):.2f} {0.3 * r + 1.13 * r * math.sin(angle):.2f}h0.01"
        for angle in (0.1, 0.6, 1.1, 1.6, 2.1, 2.6, 3.1)
    )
    return (
        f'<path d="{drop}" fill="{first}"/>'
        f'<g transform="translate(0 {0.16 * r:.2f}) scale(0.62)"><path d="{drop}" '
        f'fill="{second}"/></g><circle cy="{0.4 * r:.2f}" r="{0.25 * r:.2f}" fill="{first}"/>'
        f'<path d="{dots}" stroke="{first}" stroke-width="{0.22 * r:.2f}" stroke-linecap="round"/>'
    )


# sky, its lower part, the sun, the ridge behind, the ridge before: noon, dusk, sea, forest
_SCENES = (
    ("#7fb4e6", "#cfe6f7", "#fff3c0", "#8a93b8", "#4d6b4a"),
    ("#4b3a78", "#f08a4b", "#ffd36b", "#8c3f63", "#2b1f3d"),
    ("#9fd3e6", "#f6dcc0", "#ffffff", "#2f7fa8", "#e6cf9a"),
    ("#c8d8dc", "#e8efe9", "#f6f6ea", "#6d8f84", "#23443c"),
)


def landscape(generator: np.random.Generator, size: float, scene: int, foliage: str) -> str:
    """Return a square picture of a landscape, its upper left corner at the origin."""
    sky, haze, sun, far, near = _SCENES[scene]
    markup = "".join(
        f'<rect y="{share * size:.1f}" width="{size:.1f}" height="{size * (1 - share):.1f}" '
        f'fill="{tone}" fill-opacity="{opacity}"/>'
        for share, tone, opacity in (
            (0.0, sky, 1),
            (0.18, haze, 0.35),
            (0.3, haze, 0.45),
            (0.42, haze, 0.6),
        )
    )
    x = generator.uniform(0.25, 0.75) * size
    markup += f'<circle cx="{x:.1f}" cy="{0.3 * size:.1f}" r="{0.1 * size:.1f}" fill="{sun}"/>'
    for level, rough, tone in ((0.52, 0.16, far), (0.72, 0.07, near)):
        steps = [generator.uniform(-rough, rough) for _ in range(7)]
        steps.append(steps[0])  # the ridge continues in the next tile
        ridge = "L".join(
            f"{index / 7 * size:.1f} {(level + step) * size:.1f}"
            for index, step in enumerate(steps)
        )
        markup += f'<path d="M{ridge}V{size:.1f}H0Z" fill="{tone}"/>'
    for _ in range(5):
        x, y = generator.uniform(0.1, 0.9) * size, generator.uniform(0.76, 0.98) * size
        height = size * 0.17
        markup += (
            f'<path d="M{x:.1f} {y - height:.1f}l{height * 0.3:.1f} {height:.1f}'
            f'h{-height * 0.6:.1f}Z" fill="{shade(foliage, 0.8)}"/>'
        )
    return markup


def motif_shape(style: int, radius: float, colour: str) -> str:
    """Return the small figure of a style: star, heart, leaf or cherries."""
    return (star, heart, leaf, cherries)[style % 4](radius, colour)


def lettering(word: str, width: float, colour: str) -> str:
    """Return the word in block letters, centred on the origin and as wide as asked."""
    unit = width / (len(word) * 2.9 - 0.9)
    data = ""
    for index, letter in enumerate(word):
        left = -width / 2 + index * 2.9 * unit
        for stroke in _LETTERS[letter]:
            points = [
                f"{left + x * unit:.2f} {(y - 1.5) * unit:.2f}"
                for x, y in zip(stroke[::2], stroke[1::2], strict=True)
            ]
            data += "M" + "L".join(points)
    return f'<path d="{data}" fill="none" stroke="{colour}" stroke-width="{unit * 0.6:.2f}"/>'


def badge(radius: float, first: str, second: str) -> str:
    """Return a round picture of two mountains under a sun."""
    r = radius
    return (
        f'<circle r="{r:.1f}" fill="{second}"/>'
        f'<circle cx="{0.3 * r:.1f}" cy="{-0.35 * r:.1f}" r="{0.26 * r:.1f}" fill="#e9b949"/>'
        f'<path d="M{-0.85 * r:.1f} {0.5 * r:.1f}L{-0.3 * r:.1f} {-0.35 * r:.1f}L{0.1 * r:.1f} '
        f'{0.2 * r:.1f}L{0.4 * r:.1f} {-0.1 * r:.1f}L{0.85 * r:.1f} {0.5 * r:.1f}Z" '
        f'fill="{first}"/><circle r="{0.97 * r:.1f}" fill="none" stroke="{first}" '
        f'stroke-width="{0.07 * r:.1f}"/>'
    )


def sunset(radius: float, first: str, second: str) -> str:
    """Return a half sun of stripes: the print of many holiday shirts."""
    r = radius
    markup = f'<path d="M{-r:.1f} 0A{r:.1f} {r:.1f} 0 0 1 {r:.1f} 0Z" fill="{first}"/>'
    for index in range(4):
        half = r * (0.95 - 0.2 * index)
        markup += (
            f'<rect x="{-half:.1f}" y="{r * (0.1 + 0.2 * index):.1f}" width="{2 * half:.1f}" '
            f'height="{0.11 * r:.1f}" fill="{(first, second)[index % 2]}"/>'
        )
    return markup


def graphic(style: int, radius: float, first: str, second: str, *, choice: int) -> str:
    """Return a large print around the origin; `choice` picks the word of a lettering."""
    word = WORDS[choice % len(WORDS)]
    small_word = lettering(word, radius * 1.7, first)
    below = f'<g transform="translate(0 {radius * 1.05:.1f})">{small_word}</g>'
    if style == 0:
        return lettering(word, radius * 2.6, first)
    if style == 1:
        return badge(radius, first, second) + f'<g transform="translate(0 6)">{below}</g>'
    if style == 2:
        return sunset(radius, first, second)
    if style == 3:
        return heart(radius * 0.8, first) + f'<g transform="translate(0 4)">{below}</g>'
    if style == 4:
        return flower(radius * 0.95, first, petals=6)
    return star(radius * 0.95, first) + f'<g transform="translate(0 3)">{below}</g>'
