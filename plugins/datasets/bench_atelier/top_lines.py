"""Construction lines of garments for the upper body, as a pattern cutter draws them first."""

from __future__ import annotations

from bench_atelier.garments import Top
from bench_atelier.outline import Point, Segment, between


class TopLines:
    """The construction lines of a top: named points of the right half, y downwards."""

    def __init__(self, top: Top) -> None:
        self.y = 0.0
        self.hem_y = self.y + top.length
        self.strapped = top.neckline == "straps"
        top_edge = self.y + 34 if self.strapped else self.y
        self.neck_side: Point = (top.neck_width, top_edge)
        self.neck_low: Point = (0, top_edge + (8 if self.strapped else top.neck_depth))
        self.shoulder: Point = (top.shoulder, self.y + 9)
        self.armpit: Point = (top.chest, self.y + 20 + top.sleeve_width)
        waist_y = self.y + (top.waist or min(96.0, top.length * 0.6))
        self.waist: Point = (top.waist_width, waist_y)
        self.hem: Point = (top.chest + top.flare, self.hem_y)
        dips = {"curved": -9.0, "ruffle": 2.0}
        self.hem_dip = dips.get(top.hem, 2.0 if top.flare < 12 else 5.0)
        self.neckline = self._neckline(top)
        self.body: list[Segment] = [
            *self.neckline,
            *self._shoulder(top),
            ((top.chest + 1, (self.armpit[1] + waist_y) / 2), self.waist),
            *self._side(top),
            ((self.hem[0] * 0.5, self.hem_y + self.hem_dip), (0, self.hem_y + self.hem_dip)),
        ]

    def _neckline(self, top: Top) -> list[Segment]:
        side, low = self.neck_side, self.neck_low
        if self.strapped:  # a sweetheart edge
            return [((side[0] * 0.7, low[1] - 16), side)]
        if top.neckline == "v-neck":
            return [((side[0] * 0.62, low[1] - (low[1] - side[1]) * 0.5), side)]
        if top.neckline == "square":
            return [((side[0] - 1, low[1]),), (side,)]
        return [((side[0] * 0.62, low[1]), (side[0] - 1, low[1] - (low[1] - side[1]) * 0.4), side)]

    def _shoulder(self, top: Top) -> list[Segment]:
        armpit = self.armpit
        if self.strapped:
            return [((top.neck_width + 6, armpit[1] - 4), armpit)]
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
