"""Construction lines of garments for the upper body, as a pattern cutter draws them first."""

from __future__ import annotations

from bench_atelier.garments import Top
from bench_atelier.outline import Point, Segment, between, closed_path, open_path, symmetric_path

# the upper edge of a bodice that leaves the shoulders bare, below the shoulders
_BODICE_EDGE = 34.0
BODICES = ("straps", "strapless", "sweetheart", "straight", "off-shoulder")


class TopLines:
    """The construction lines of a top: named points of the right half, y downwards."""

    def __init__(self, top: Top) -> None:
        self.y = 0.0
        self.hem_y = self.y + top.length
        self.bare = top.neckline in BODICES
        self.strapped = top.neckline in ("straps", "straight")
        top_edge = self.y + _BODICE_EDGE if self.bare else self.y
        self.neck_side: Point = (top.neck_width, top_edge)
        self.neck_low: Point = (0, top_edge + (8 if self.bare else top.neck_depth))
        self.shoulder: Point = (top.shoulder, self.y + 9)
        self.armpit: Point = (top.chest, self.y + 20 + top.sleeve_width)
        # where the upper edge of the sleeve begins: on the arm where the shoulder is bare
        self.sleeve_top: Point = (top.chest + 4, top_edge - 6) if self.bare else self.shoulder
        if top.neckline == "halter":
            self.neck_side = (9, self.y - 3)
        elif top.neckline == "straight":
            self.neck_side, self.neck_low = (top.chest * 0.72, top_edge - 2), (0, top_edge - 2)
        elif top.neckline in ("strapless", "sweetheart"):
            self.neck_side = (top.chest - 3, top_edge + 1)
        elif top.neckline == "off-shoulder":
            self.neck_side, self.neck_low = self.sleeve_top, (0, top_edge)
        # a cropped top ends little below the armpit
        waist_y = self.y + (top.waist or max(min(96.0, top.length * 0.6), self.armpit[1] + 14))
        self.waist: Point = (top.waist_width, waist_y)
        self.hem: Point = (top.chest + top.flare, self.hem_y)
        dips = {"curved": -9.0, "ruffle": 2.0}
        self.hem_dip = dips.get(top.hem, 2.0 if top.flare < 12 else 5.0)
        self.neckline = self._neckline(top)
        self._below: list[Segment] = [
            ((top.chest + 1, (self.armpit[1] + waist_y) / 2), self.waist),
            *self._side(top),
            ((self.hem[0] * 0.5, self.hem_y + self.hem_dip), (0, self.hem_y + self.hem_dip)),
        ]
        self._armhole = self._shoulder(top)
        self.one_shoulder = top.neckline == "one-shoulder"
        # the diagonal edge from the left armpit to the right side of the neck
        self.diagonal: list[Segment] = [((-top.chest * 0.2, self.y + 38), self.neck_side)]

    @property
    def body(self) -> str:
        """Return the outline of the body as path data."""
        right = [*self.neckline, *self._armhole, *self._below]
        if not self.one_shoulder:
            return symmetric_path(self.neck_low, right)
        nodes = [self.armpit, *(segment[-1] for segment in self._below)]
        left = [
            tuple((-x, y) for x, y in (*reversed(segment[:-1]), node))
            for segment, node in zip(reversed(self._below), reversed(nodes[:-1]), strict=True)
        ]
        right = [*self.diagonal, *self._armhole, *self._below]
        return closed_path((-self.armpit[0], self.armpit[1]), [*right, *left])

    @property
    def neck_edge(self) -> str:
        """Return the open edge around the neck as path data."""
        if self.one_shoulder:
            return open_path((-self.armpit[0], self.armpit[1]), self.diagonal)
        return symmetric_path(self.neck_low, self.neckline, closed=False)

    def _neckline(self, top: Top) -> list[Segment]:
        """Return the edge of the neck from the middle to its side."""
        side, low = self.neck_side, self.neck_low
        bent_inwards: list[Segment] = [
            ((side[0] * 0.62, low[1] - (low[1] - side[1]) * 0.5), side),
        ]
        edges: dict[str, list[Segment]] = {
            "straps": [((side[0] * 0.7, low[1] - 16), side)],  # bent like a heart
            "sweetheart": [
                ((top.chest * 0.08, low[1] - 14), (top.chest * 0.48, low[1] - 15)),
                ((top.chest * 0.8, low[1] - 16), side),
            ],
            "straight": [(side,)],
            "strapless": [(side,)],
            "halter": [(side,)],
            "off-shoulder": [((side[0] * 0.7, low[1]), side)],
            "v-neck": bent_inwards,
            "deep-v": bent_inwards,
            "wrap": bent_inwards,
            "square": [((side[0] - 1, low[1]),), (side,)],
        }
        above = (side[0] - 1, low[1] - (low[1] - side[1]) * 0.4)
        return edges.get(top.neckline, [((side[0] * 0.62, low[1]), above, side)])

    def _shoulder(self, top: Top) -> list[Segment]:
        """Return the edge from the side of the neck over the shoulder to the armpit."""
        armpit = self.armpit
        bare: dict[str, list[Segment]] = {
            "straps": [((top.neck_width + 6, armpit[1] - 4), armpit)],
            "straight": [((top.chest * 0.75, armpit[1] - 2), armpit)],
            "halter": [((14, self.y - 3),), ((17, armpit[1] - 6), armpit)],
        }
        if self.bare or top.neckline == "halter":
            return bare.get(top.neckline, [(armpit,)])
        if top.sleeve_length == "sleeveless":
            inner = (self.shoulder[0] - 5, armpit[1] - 14)
            return [(self.shoulder,), (inner, (armpit[0] - 6, armpit[1] - 1), armpit)]
        inner = (self.shoulder[0] - 1, (self.shoulder[1] + armpit[1]) / 2)
        return [(self.shoulder,), (inner, armpit)]

    def _side(self, top: Top) -> list[Segment]:
        (waist_x, waist_y), (hem_x, hem_y) = self.waist, self.hem
        height = hem_y - waist_y
        if top.hem == "curved":
            return [((waist_x, waist_y + height * 0.6), (hem_x, hem_y - 12))]
        bulge = (hem_x + waist_x) / 2 + max(0.0, top.flare) * 0.12
        return [((bulge, waist_y + height * 0.45), (hem_x, hem_y))]

    def width_at(self, y: float) -> float:
        """Return the half width of the body at a height, along straight sides."""
        if y < self.waist[1]:
            span = self.waist[1] - self.armpit[1]
            return between(self.armpit, self.waist, (y - self.armpit[1]) / span)[0]
        return between(self.waist, self.hem, (y - self.waist[1]) / (self.hem_y - self.waist[1]))[0]
