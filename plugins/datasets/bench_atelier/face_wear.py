"""What is worn below the face: clothes with collar and tie, necklaces, earrings."""

from __future__ import annotations

from bench_atelier.colours import luminance, shade
from bench_atelier.fabric import band
from bench_atelier.face_parts import SIDES
from bench_atelier.head import Head, Place, across, mix
from bench_atelier.outline import disc, filled, line


def draw_body(head: Head) -> str:
    """Return neck and shoulders in their clothes, with necktie and necklace."""
    face, half, chin = head.face, head.half_neck, head.face.length
    broad = 88.0 if face.gender == "male" else 74.0
    colour = "#e8e9ec" if face.clothing == "suit" else face.clothing_colour
    front: list[Place] = [
        *_neckline(head),
        (half + 2, chin + 9, -16),
        (half + 16, chin + 17, -17),
        (broad, chin + 29, -20),
        (broad + 8, 140, -20),
        (0, 140, -6),
    ]
    markup = _neck(head) + filled(head.both(front), colour)
    markup += head.soft((0, chin + 40, -4), 60, 16, "dark", 0.16)
    if face.clothing == "crew":
        edge = across([*_neckline(head), (half + 2, chin + 9, -16)])
        markup += line(head.curve(edge), shade(colour, 0.7), 1.6)
    if face.clothing in ("shirt", "suit"):
        markup += (_tie(head) if face.necktie else "") + _collar(head, colour)
    if face.clothing == "suit":
        markup += _jacket(head, broad)
    return markup


def _neck(head: Head) -> str:
    face, half, chin = head.face, head.half_neck, head.face.length
    skin: list[Place] = [
        (0, 20, -24),
        (half, 30, -24),
        (half - 1, chin - 2, -20),
        (half + 2, chin + 14, -16),
        (half + 26, chin + 26, -16),
        (half + 26, 130, -12),
        (0, 130, -6),
    ]
    markup = filled(head.both(skin), mix(face.skin, head.shadow, 0.3))
    markup += head.soft((0, chin - 1, -10), half * 1.08, 24, "shadow", 1)
    markup += head.soft((0, chin - 1, -10), half * 0.95, 12, "shadow", 0.9)
    for side in SIDES:
        sinew: list[Place] = [(side * (half - 5), chin, -14), (side * 9, chin + 26, -6)]
        markup += line(head.curve(sinew), head.shadow, 2.2, opacity=0.2)
        if face.age == "old":
            crease: list[Place] = [(side * 7, chin + 5, -6), (side * 9, chin + 22, -6)]
            markup += line(head.curve(crease), head.shadow, 1.3, opacity=0.5)
    if face.double_chin:
        fold = across([(0, chin + 8, -4), (22, chin - 3, -8)])
        markup += head.soft((0, chin + 2, -4), 24, 9, "light", 0.8)
        markup += line(head.curve(fold), head.shadow, 1.8, opacity=0.7)
    if face.necklace:
        around = across([(0, chin + 31, -4), (16, chin + 26, -6), (half + 1, chin + 13, -14)])
        chain = head.curve(around)
        markup += line(chain, "#7a5a1e", 2.6) + line(chain, "#f0d98a", 1.5, dashes="0.1 2.2")
        markup += disc(head.place((0, chin + 33, -3)), 3 * head.pose.zoom, "#f3ead2")
    return markup


def _neckline(head: Head) -> list[Place]:
    """Return the edge of the cloth from the middle towards the side of the neck."""
    half, chin = head.half_neck, head.face.length
    if head.face.clothing == "crew":
        return [(0, chin + 24, -4), (half * 0.66, chin + 20, -8)]
    depth = 38 if head.face.clothing == "v-neck" else 24
    # near to one another at the ends, so that the curve between is straight
    return [
        (half * share, chin + depth + (9 - depth) * share, -4 - 12 * share)
        for share in (0, 0.04, 0.5, 0.98)
    ]


def _tie(head: Head) -> str:
    face, chin = head.face, head.face.length
    tone = face.accent_colour if face.clothing == "suit" else shade(face.clothing_colour, 0.5)
    if luminance(tone) > 0.6:
        tone = shade(tone, 0.45)
    strip: list[Place] = [
        (-5, chin + 20, 0),
        (5, chin + 20, 0),
        (3.4, chin + 29, 1),
        (9, 140, 2),
        (-9, 140, 2),
        (-3.4, chin + 29, 1),
    ]
    markup = band(head.polygon(strip), tone)
    for drop in (32, 39, 46):
        stripe: list[Place] = [(-5, chin + drop, 2), (6, chin + drop + 4, 2)]
        markup += line(head.curve(stripe), shade(tone, 1.4), 1.3, opacity=0.7)
    knot = across([(0, chin + 29, 1), (3.4, chin + 29, 1)])
    return markup + line(head.curve(knot), shade(tone, 0.45), 1.2)


def _collar(head: Head, colour: str) -> str:
    half, chin = head.half_neck, head.face.length
    markup = ""
    for side in SIDES:
        wing: list[Place] = [
            (side * (half + 3), chin + 6, -14),
            (side * 2, chin + 22, 0),
            (side * 14, chin + 37, 1),
            (side * (half + 9), chin + 15, -12),
        ]
        markup += band(head.polygon(wing), shade(colour, 1.12))
    return markup


def _jacket(head: Head, broad: float) -> str:
    half, chin = head.half_neck, head.face.length
    colour = shade(head.face.clothing_colour, 0.62)
    markup = ""
    for side in SIDES:
        panel: list[Place] = [
            (side * (half + 7), chin + 10, -16),
            (side * 24, 140, 0),
            (side * (broad + 10), 140, -20),
            (side * (broad + 1), chin + 28, -20),
            (side * (half + 18), chin + 16, -17),
        ]
        lapel: list[Place] = [
            (side * (half + 7), chin + 10, -16),
            (side * 22, 140, 1),
            (side * 40, chin + 36, -4),
            (side * (half + 17), chin + 22, -10),
        ]
        markup += band(head.polygon(panel), colour)
        markup += band(head.polygon(lapel), shade(colour, 1.07))
    return markup


def draw_earrings(head: Head) -> str:
    """Return the earrings at both lobes."""
    kind, zoom, gold = head.face.earrings, head.pose.zoom, "#d9b250"
    markup = ""
    for side in SIDES if kind != "none" else ():
        x, y = head.place((side * (head.face.width + 3.5), 20, -22))
        if kind == "hoops":
            hoop = f"M{x:.1f} {y:.1f}a{6 * zoom:.1f} {9 * zoom:.1f} 0 1 0 0.1 0Z"
            markup += line(hoop, "#8a6420", 2.4) + line(hoop, gold, 1.5)
        elif kind == "drops":
            markup += line(f"M{x:.1f} {y:.1f}v{9 * zoom:.1f}", gold, 1.4)
            markup += disc((x, y + 12 * zoom), 3.4 * zoom, "#7fb4c4")
            markup += disc((x - 1, y + 11 * zoom), 1.2, "#ffffff")
        markup += disc((x, y), 2.4 * zoom, "#f4ecd8" if kind == "studs" else gold)
    return markup
