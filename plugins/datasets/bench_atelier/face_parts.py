"""What a face is made of: skull, ears, eyes, brows, nose, mouth, and the marks of age."""

from __future__ import annotations

from bench_atelier.colours import shade
from bench_atelier.head import PUPIL, Head, Place, across, mix
from bench_atelier.outline import filled, line

SIDES = (-1, 1)
# by how much a smile draws each corner of the mouth upwards and outwards
SMILE_LIFT, SMILE_WIDENING = 4.6, 4.2


def outline(head: Head) -> list[tuple[float, float, float]]:
    """Return the right half of the face's outline, from the crown to the chin."""
    face = head.face
    wide = 1.0 if face.face_shape == "oval" else 1.03
    jaw = face.jaw * {"oval": 0.97, "round": 1.06, "square": 1.09}[face.face_shape]
    chin = {"oval": 0.36, "round": 0.44, "square": 0.5}[face.face_shape]
    if face.gender == "male":
        jaw, chin = jaw * 1.03, chin * 1.1
    if face.chubby:
        wide, jaw, chin = wide * 1.06, jaw * 1.13, chin * 1.16
    width, length = face.width * wide, face.length
    return [
        (0, -66, -20),
        (24, -62, -22),
        (width * 0.92, -42, -24),
        (width, -16, -24),
        (width * 0.99, 8, -21),
        (width * 0.94, 26, -19),
        (width * jaw, 45, -17),
        (width * (jaw + chin) * 0.5, length * 0.84, -10),
        (width * chin * 0.7, length * 0.955, -4),
        (0, length, -2),
    ]


def draw_ears(head: Head) -> str:
    """Return the ears, behind the face."""
    inside = mix(head.face.skin, head.shadow, 0.6)
    markup = ""
    for side in SIDES:
        x = side * (head.face.width - 1)
        shell: list[Place] = [
            (x, -8, -24),
            (x + side * 5, -11, -28),
            (x + side * 8, -5, -29),
            (x + side * 7, 8, -28),
            (x + side * 4, 20, -26),
            (x, 21, -24),
        ]
        fold: list[Place] = [
            (x + side * 3, -6, -27),
            (x + side * 6, -2, -28),
            (x + side * 4, 10, -27),
        ]
        markup += filled(head.curve(shell, closed=True), mix(head.face.skin, head.shadow, 0.18))
        markup += line(head.curve(fold), inside, 1.6, opacity=0.7)
    return markup


def draw_skull(head: Head) -> str:
    """Return the skin of the face with its rounding: temples, sockets, cheeks, chin."""
    face, light = head.face, head.pose.light
    markup = filled(head.both(outline(head)), "url(#skin)")
    jaw = across(outline(head)[:4:-1])
    markup += line(head.curve(jaw), head.shadow, 1.5, opacity=0.5)
    markup += head.soft((-light * 30, 10), 26, 62, "shadow", 0.42 * abs(light))
    markup += head.soft((light * 7, -30), 27, 15, "light", 0.42)
    cheek = 0.85 if face.high_cheekbones else 0.45
    for side in SIDES:
        markup += head.soft((side * 37, -12), 12, 22, "shadow", 0.3)
        markup += head.soft((side * PUPIL, -5), 17, 10, "shadow", 0.42)
        markup += head.soft((side * 9, -4), 6, 9, "shadow", 0.34)
        hollow = 0.0 if face.chubby else 0.55 if face.high_cheekbones else 0.22
        markup += head.soft((side * 31, 36), 12, 13, "shadow", hollow)
        markup += head.soft((side * 24, 17), 13, 9, "light", cheek)
        if face.rosy_cheeks or face.makeup == "heavy":
            markup += head.soft((side * 27, 20), 17, 12, "blush", 0.8 if face.rosy_cheeks else 0.35)
        if face.chubby:
            markup += head.soft((side * 25, 32), 15, 14, "light", 0.5)
    below = face.mouth_height + 10
    markup += head.soft((0, below), 10, 4.5, "shadow", 0.55)
    markup += head.soft((light * 3, below + 9), 10, 6, "light", 0.5)
    markup += head.soft((0, face.length - 1), 22, 5, "shadow", 0.2)
    return markup


def draw_eyes(head: Head) -> str:
    """Return both eyes with lids and lashes, and the brows over them."""
    return "".join(_eye(head, side) + _brow(head, side) for side in SIDES)


def _eye(head: Head, side: int) -> str:
    face = head.face
    half = 9.6 * face.eye_size
    opening = (3.3 if face.narrow_eyes else 5.0) * face.eye_size
    opening *= 0.84 if face.smiling else 1.0

    def at(x: float, y: float) -> Place:
        """Return a place by its distance outwards and down from the pupil."""
        return side * (PUPIL + x), y - face.eye_slant * x / half

    inner, outer = at(-half, 1.2), at(half, 0.0)
    upper = [
        inner,
        at(-half * 0.5, -opening * 0.72),
        at(0, -opening),
        at(half * 0.55, -opening * 0.8),
        outer,
    ]
    lower = [
        outer,
        at(half * 0.5, opening * 0.62),
        at(0, opening * 0.8),
        at(-half * 0.55, opening * 0.6),
        inner,
    ]
    crease = [
        at(-half * 1.02, -1.6),
        at(-half * 0.4, -opening - 2.9),
        at(half * 0.3, -opening - 3.3),
        at(half * 1.12, -2.6),
    ]
    markup = filled(head.curve([*upper, *lower[1:-1]], closed=True), "#e9e4e0")
    x, y = head.place(at(0, -0.4))
    zoom, iris = head.pose.zoom, 4.9 * min(face.eye_size, 1.03)
    markup += _circle(x, y, iris * zoom, shade(face.eye_colour, 0.5))
    markup += _circle(x, y, iris * 0.84 * zoom, face.eye_colour)
    markup += _circle(x, y + 0.9, iris * 0.55 * zoom, shade(face.eye_colour, 1.22))
    markup += _circle(x, y, iris * 0.45 * zoom, "#0d0a0b")
    markup += _circle(x + head.pose.light * 1.6, y - 1.7, 1.05 * zoom, "#ffffff")
    # the lids are skin laid over the round iris
    lid = mix(face.skin, head.shadow, 0.16)
    markup += filled(
        head.curve(
            [*upper, at(half * 0.6, -opening - 3.4), at(-half * 0.5, -opening - 3.2)], closed=True
        ),
        lid,
    )
    markup += filled(
        head.curve(
            [*lower, at(-half * 0.3, opening + 2.6), at(half * 0.4, opening + 2.4)], closed=True
        ),
        lid,
    )
    markup += head.soft(at(0, -opening * 0.6), half, 2.6, "dark", 0.35)
    if face.makeup == "heavy":
        markup += head.soft(at(1.5, -opening - 2.2), half + 4.5, 6, "makeup", 1.0)
        markup += line(head.curve(lower), "#1a1216", 0.9, opacity=0.75)
    markup += line(head.curve(crease), head.shadow, 1.1, opacity=0.7)
    markup += line(head.curve(lower), head.shadow, 0.7, opacity=0.55)
    female = face.gender == "female"
    lashes = (2.6 if face.makeup == "heavy" else 1.9) if female else 1.3
    edge = upper if not female else [*upper[:-1], outer, at(half + 2.4, -1.8)]
    markup += line(head.curve(edge), "#170f10", lashes, opacity=0.92)
    corner = filled(
        head.curve([at(-half, 1.2), at(-half + 2, 0), at(-half + 1.8, 1.8)], closed=True),
        mix(face.skin, "#b5443f", 0.5),
    )
    return markup + corner + _bag(head, side)


def _bag(head: Head, side: int) -> str:
    if not head.face.eye_bags:
        return ""
    fold: list[Place] = [(side * 9, 5), (side * 15, 10.5), (side * 24, 10.5), (side * 30, 5)]
    markup = head.soft((side * PUPIL, 8), 12, 4.6, "bruise", 0.55)
    return markup + line(head.curve(fold), head.shadow, 1.0, opacity=0.55)


def brow_colour(head: Head) -> str:
    """Return the colour of brows and beard: darker than fair hair, lighter than black hair."""
    face = head.face
    if face.hair_colour in ("blond", "other"):
        return mix(face.hair_tone, "#4a3018", 0.5)
    if face.hair_colour == "gray":
        return mix(face.hair_tone, "#5c5a58", 0.35)
    return mix(face.hair_tone, face.skin, 0.1)


def _brow(head: Head, side: int) -> str:
    face = head.face
    y = -face.brow_height - (0.8 if face.gender == "female" else -1.2)
    arch = 4.2 if face.arched_brows else 1.6
    weight = 2.5 if face.bushy_brows else 1.0 if face.gender == "female" else 1.55
    top: list[Place] = [
        (side * 8.5, y + 0.8 - weight),
        (side * 17, y - arch * 0.7 - weight),
        (side * 25, y - arch - weight * 0.8),
        (side * 33.5, y + 2.4),
    ]
    under: list[Place] = [
        (side * 25, y - arch + 1.4 + weight * 0.5),
        (side * 16, y - arch * 0.4 + weight),
        (side * 8, y + 2.4 + weight),
    ]
    colour = brow_colour(head)
    markup = filled(head.curve([*top, *under], closed=True), colour, opacity=0.8)
    hairs = ""
    for index in range(11):
        x = 8.5 + index * 2.2
        rise = arch * min(1.0, index / 7) - max(0, index - 7) * (arch + 2.5) / 4
        low = y - rise + 1.2 + weight * 0.8
        hairs += head.curve(
            [
                (side * x, low),
                (side * (x + 2.4), low - 2.4 - weight * (1.6 if face.bushy_brows else 1.1)),
            ]
        )
    return markup + line(hairs, shade(colour, 0.8), 0.7, opacity=0.7)


def draw_nose(head: Head) -> str:
    """Return the nose: the shade beside its bridge, tip, wings and nostrils."""
    face = head.face
    half = face.nose_width * {"plain": 1.0, "big": 1.33, "pointy": 0.78}[face.nose]
    base = face.nose_length + (2.5 if face.nose == "pointy" else 0)
    tip = {"plain": 13.0, "big": 15.0, "pointy": 18.0}[face.nose]
    dim, light = (1 if head.pose.light < 0 else -1), head.pose.light
    markup = head.soft((dim * 6.5, 8, 4), 5, 19, "shadow", 0.5)
    markup += head.soft((-dim * 6.5, 10, 4), 4, 17, "shadow", 0.2)
    markup += head.soft((light, 6, 8), 2.8, 19, "light", 0.6)
    markup += head.soft((0, base + 3, 4), half * 1.5, 5.5, "shadow", 0.6)
    markup += head.soft((light * 2, base - 6, tip), half * 0.6, 5, "light", 0.85)
    if face.nose != "pointy":
        markup += head.soft((0, base - 3, tip), half * 0.85, 6.5, "blush", 0.14)
    for side in SIDES:
        wing: list[Place] = [
            (side * half * 0.82, base - 8, 4),
            (side * half * 1.06, base - 3.5, 3),
            (side * half * 0.92, base + 0.6, 4),
            (side * half * 0.62, base + 0.4, 6),
        ]
        nostril: list[Place] = [
            (side * half * 0.66, base + 0.6, 6),
            (side * half * 0.46, base - 1.0, 8),
            (side * half * 0.2, base + 0.9, 9),
            (side * half * 0.44, base + 1.5, 8),
        ]
        markup += line(head.curve(wing), head.shadow, 1.3, opacity=0.7)
        markup += filled(
            head.curve(nostril, closed=True), mix(head.shadow, "#1d0a08", 0.6), opacity=0.9
        )
    below = across([(0, base + 2.4, tip - 3), (half * 0.3, base + 1.4, tip - 3)])
    markup += line(head.curve(below), head.shadow, 1.1, opacity=0.6)
    if face.nose == "pointy":
        point = across([(0, base - 0.5, tip), (3.4, base - 4, tip)])
        markup += line(head.curve(point), head.shadow, 1.0, opacity=0.5)
    return markup


def draw_mouth(head: Head) -> str:
    """Return the lips, the teeth between them, and the folds of a smile."""
    face = head.face
    y, smile = face.mouth_height, face.smiling
    half = face.mouth_width + (SMILE_WIDENING if smile else 0)
    full = 1.45 if face.big_lips else 1.0 if face.gender == "female" else 0.78
    gap = (7.2 if smile else 4.4) if face.mouth_open else 0.0
    corner = y - (SMILE_LIFT if smile else -0.8)
    sag = 3.2 if smile else 0.0
    top, low = y - gap * 0.3 + sag * 0.35, y + gap * 0.8 + sag
    end: Place = (half, corner, -3)
    # where the lips part, and their outer edges
    over = across(
        [(0, y - gap * 0.32 + sag * 0.7, 3), (half * 0.5, y - gap * 0.3 + sag * 0.3), end]
    )
    under = across([(0, low, 3), (half * 0.52, y + gap * 0.62 + sag * 0.5), end])
    bow = across(
        [
            (0, top - 3.6 * full, 4),
            (half * 0.2, top - 4.6 * full, 4),
            (half * 0.55, top - 2.6 * full),
        ]
    )
    bottom = across([(0, low + 5.8 * full, 4), (half * 0.55, low + 3.6 * full - sag * 0.4)])
    lips = _lip_colour(head)
    markup = head.soft((0, y + sag), half * 1.25, 9 * full + gap * 0.5, "shadow", 0.14)
    if gap:
        markup += filled(head.curve([*over, *under[-2:0:-1]], closed=True), "#3c1416")
        markup += _teeth(head, over, gap)
    markup += filled(head.curve([*over, *reversed(bow)], closed=True), shade(lips, 0.86))
    markup += filled(head.curve([*under, *reversed(bottom)], closed=True), lips)
    markup += head.soft(
        (head.pose.light * 3, low + 2.9 * full, 4), half * 0.42, 1.7 * full, "light", 0.65
    )
    markup += line(head.curve(over), mix(head.shadow, "#2a0a0c", 0.6), 1.1, opacity=0.85)
    for side in SIDES:
        markup += head.soft((side * half, corner, -3), 3.2, 3.2, "shadow", 0.75)
        groove: list[Place] = [(side * 1.6, y - 11), (side * 1.9, top - 5.4 * full)]
        markup += line(head.curve(groove), head.shadow, 1.2, opacity=0.2)
    return markup + _smile_folds(head, half)


def _lip_colour(head: Head) -> str:
    face = head.face
    if face.makeup == "heavy":
        return mix(face.skin, "#b0122c", 0.85)
    if face.makeup == "lipstick":
        return mix(face.skin, "#c8375f", 0.72)
    return mix(face.skin, "#a8434a", 0.5 if face.gender == "female" else 0.36)


def _teeth(head: Head, over: list[Place], gap: float) -> str:
    depth = gap * (0.82 if head.face.smiling else 0.45)
    shares = (0.84, 1.0, 1.0, 1.0, 0.84)
    edge: list[Place] = [
        (place[0] * share, place[1] + depth * (0.35 if share < 1 else 1.0))
        for place, share in zip(over, shares, strict=True)
    ]
    above: list[Place] = [
        (place[0] * share, place[1]) for place, share in zip(over, shares, strict=True)
    ]
    markup = filled(head.curve([*above, *edge[::-1]], closed=True), "#f1ece4")
    gaps = ""
    for index in range(-3, 4):
        x = index * 4.1
        gaps += head.curve(
            [(x, over[2][1] - 0.5), (x, over[2][1] + depth * (1 - abs(index) * 0.16))]
        )
    return markup + line(gaps, "#b9aca0", 0.5, opacity=0.8)


def _smile_folds(head: Head, half: float) -> str:
    face, markup = head.face, ""
    strength = (0.5 if face.smiling else 0.0) + (0.4 if face.age == "old" else 0.0)
    for side in SIDES if strength else ():
        top = face.nose_length - 3
        fold: list[Place] = [
            (side * 12, top),
            (side * (half * 0.5 + 10), top + 8),
            (side * (half + 4.5), face.mouth_height + 1),
        ]
        markup += line(head.curve(fold), head.shadow, 2.6, opacity=strength * 0.3)
        markup += line(head.curve(fold), head.shadow, 1.1, opacity=strength * 0.9)
        if face.smiling:
            markup += head.soft((side * 25, 19), 11, 8, "light", 0.5)
            markup += head.soft((side * 24, 28), 9, 4, "shadow", 0.3)
    return markup


def draw_wrinkles(head: Head) -> str:
    """Return the lines of age on brow, temples and cheeks; nothing on a young face."""
    face = head.face
    if face.age != "old":
        return ""
    data = ""
    for index, y in enumerate((-25.0, -31.0, -37.0)):
        reach = 24 - index * 3
        data += head.curve([(-reach, y + 1.5), (-9, y - 0.8), (4, y + 0.6), (reach, y + 1.2)])
    for side in SIDES:
        for drop in (-3.5, 0.5, 4.5):
            data += head.curve(
                [(side * 31.5, drop * 0.5), (side * 36, drop), (side * 39, drop * 1.9)]
            )
        data += head.curve([(side * 2.4, -18), (side * 2, -11)])
        mouth = face.mouth_height
        data += head.curve(
            [(side * 17, mouth + 4), (side * 18.5, mouth + 10), (side * 17, mouth + 16)]
        )
        data += head.curve([(side * 32, 24), (side * 31, 33), (side * 27, 41)])
        data += head.curve([(side * 12, 8.5), (side * 20, 12.5), (side * 28, 9.5)])
    return line(data, head.shadow, 2.2, opacity=0.22) + line(data, head.shadow, 0.9, opacity=0.55)


def _circle(x: float, y: float, radius: float, fill: str) -> str:
    return f'<circle cx="{x:.2f}" cy="{y:.2f}" r="{radius:.2f}" fill="{fill}"/>'
