"""Garments as frozen attribute values, and their drawing as one SVG each."""

from __future__ import annotations

from dataclasses import dataclass

from bench_atelier.fabric import Fabric

# pixels of every drawing: 3:4 like most photographs of clothes
WIDTH, HEIGHT = 240, 320


@dataclass(frozen=True)
class Top:
    """What is worn on the upper body, dresses and coats included.

    Widths are half widths and lengths are measured from the shoulder, in drawing units. A
    `waist` of 0 means no seam there; `flare` is what the hem is wider than the chest. A `bold`
    one has its pockets outlined and larger buttons, so that a small picture shows them. The values
    that the named attributes take stand in `vocabulary`.
    """

    category: str
    fabric: Fabric
    neckline: str
    collar: str
    sleeve_length: str
    fastening: str
    pockets: str
    hem: str
    chest: float
    shoulder: float
    neck_width: float
    neck_depth: float
    sleeve_width: float
    length: float
    waist: float
    waist_width: float
    flare: float
    sleeve_shape: str = "plain"
    bold: bool = False


@dataclass(frozen=True)
class Bottom:
    """Trousers, shorts, skirts and briefs; lengths from the waist, widths are half widths.

    `rise` is the height of the trousers above the crotch, `band` that of the waistband. Pockets
    "of-kind" are those that the kind is commonly cut with.
    """

    category: str
    fabric: Fabric
    # jeans, chinos, joggers, wide-leg, leggings; pencil, a-line, pleated, tiered, denim; brief
    kind: str
    waist: float
    hip: float
    length: float
    hem_width: float  # of one leg, or of half the skirt
    spread: float  # distance of a leg's hem from the middle
    closure: str  # fly, drawstring, side-zip; none, buttons, zip, hooks, laces, belt
    detail: str  # none, side-stripe, crease, ripped, cargo, slit, button-front
    pockets: str = "of-kind"  # of-kind, none, side, patch, flap, welt, cargo, zip
    rise: float = 62
    band: float = 9


@dataclass(frozen=True)
class Shoes:
    """A pair of shoes; `shape` (0 to 1) makes the sole, shaft or heel low or high."""

    category: str
    fabric: Fabric
    kind: str  # sneaker, high-top, boot, pump, oxford, ballerina, flip-flop, sandal
    accent: str
    sole: str
    shape: float


@dataclass(frozen=True)
class Hat:
    """A hat; `shape` (0 to 1) makes the crown low or high, `brim` the brim narrow or wide."""

    category: str
    fabric: Fabric
    kind: str  # cap, cap-side, beanie, brimmed, bucket
    accent: str
    shape: float
    brim: float


@dataclass(frozen=True)
class Outfit:
    """What covers body and legs: a jumpsuit, a suit, a tracksuit, pyjamas, a swimsuit.

    Both parts are cut from the same fabric. The waist of `bottom` lies `waist` below the shoulders;
    a `joined` outfit is one piece, sewn together there.
    """

    category: str
    top: Top
    bottom: Bottom
    waist: float
    joined: bool

    @property
    def fabric(self) -> Fabric:
        """Return the cloth of both parts."""
        return self.top.fabric


Garment = Top | Bottom | Outfit | Shoes | Hat


@dataclass(frozen=True)
class Pose:
    """How the garment lies or hangs when the picture is taken.

    Angles of the arms are in degrees from the horizontal, left and right as seen; bends are the
    distance of the elbow from the straight line, in drawing units.
    """

    hanging: bool
    arms: tuple[float, float] = (60, 60)
    bends: tuple[float, float] = (0, 0)
    turned: float = 0  # of the second shoe against the first, degrees


@dataclass(frozen=True)
class Drawing:
    """Markup around the axis x = 0 and the box it fills: a half width, a top and a bottom."""

    markup: str
    half_width: float
    top: float
    bottom: float


def drawing_of(garment: Garment, pose: Pose) -> Drawing:
    """Return the drawing of any garment."""
    # imported here since the parts need the classes above
    from bench_atelier.accessories import draw_hat, draw_shoes
    from bench_atelier.bottoms import draw_bottom
    from bench_atelier.outfits import draw_outfit
    from bench_atelier.tops import draw_top

    if isinstance(garment, Top):
        return draw_top(garment, pose)
    if isinstance(garment, Bottom):
        return draw_bottom(garment, pose)
    if isinstance(garment, Outfit):
        return draw_outfit(garment, pose)
    if isinstance(garment, Shoes):
        return draw_shoes(garment, pose)
    return draw_hat(garment)


def draw_garment(garment: Garment, pose: Pose, *, fill: float = 0.95) -> str:
    """Return an SVG of the garment, 240 x 320 pixels, on a transparent ground.

    The garment takes the share `fill` of the width or of the height, whichever it fills first.
    """
    return as_svg(drawing_of(garment, pose), fill=fill)


def as_svg(drawing: Drawing, *, fill: float, size: tuple[int, int] = (WIDTH, HEIGHT)) -> str:
    """Return a drawing as an SVG of `size` (width, height) pixels on a transparent ground.

    The box of the drawing takes the share `fill` of the width or of the height, whichever it fills
    first.
    """
    across, down = size
    scale = max(2 * drawing.half_width / across, (drawing.bottom - drawing.top) / down) / fill
    width, height = across * scale, down * scale
    top = (drawing.top + drawing.bottom - height) / 2
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{across}" height="{down}" '
        f'viewBox="{-width / 2:.2f} {top:.2f} {width:.2f} {height:.2f}">{drawing.markup}</svg>'
    )
