"""Shoes that are drawn when asked for by kind: each from the side, toe to the right."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from bench_atelier.colours import contrast_of, shade
from bench_atelier.fabric import band, cloth
from bench_atelier.garments import Shoes
from bench_atelier.outline import disc, filled, line

_INSOLE = "#c9ad86"
_GOLD = "#c7ad6a"


def _heel(shoes: Shoes) -> str:
    """Return one high-heeled sandal; `shape` is the height of the heel."""
    fabric, ground, seat = shoes.fabric, shoes.fabric.pattern.ground, round(22 - 40 * shoes.shape)
    stiletto = f"M-85 {seat + 4}Q-78 {seat + 26} -77 56h6Q-68 {seat + 32} -54 {seat + 12}Z"
    if fabric.pattern.arrangement % 2:  # a flared block
        stiletto = f"M-85 {seat + 4}Q-82 {seat + 26} -88 56h32Q-60 {seat + 32} -50 {seat + 14}Z"
    bed = (
        f"M-86 {seat}C-52 {seat + 2} -28 46 14 49L82 46Q94 48 88 54H8"
        f"C-36 54 -52 {seat + 16} -84 {seat + 10}Z"
    )
    markup = line(f"M-80 {seat - 42}Q-58 {seat - 54} -40 {seat - 44}", fabric.dark, 6)
    markup += band(stiletto, shade(ground, 0.75)) + band(bed, shoes.sole)
    markup += line(f"M-82 {seat + 1}C-52 {seat + 4} -28 47 14 50L82 47", _INSOLE, 3)
    counter = (
        f"M-87 {seat + 6}C-94 {seat - 16} -90 {seat - 36} -84 {seat - 48}L-73 {seat - 46}"
        f"C-78 {seat - 26} -72 {seat - 6} -58 {seat + 8}Z"
    )
    ankle = (
        f"M-85 {seat - 47}Q-60 {seat - 34} -38 {seat - 50}L-37 {seat - 41}"
        f"Q-60 {seat - 25} -83 {seat - 37}Z"
    )
    toes = "M14 52C20 18 62 14 84 48L62 51C52 32 38 32 36 52Z"
    markup += cloth(fabric, counter) + cloth(fabric, ankle) + cloth(fabric, toes)
    if fabric.pattern.arrangement % 3 == 0:  # a second strap over the instep
        instep = f"M-22 {seat // 3 + 34}C-12 {seat // 3 + 2} 8 10 22 24L28 34C12 26 2 30 -2 48Z"
        markup += cloth(fabric, instep)
    buckle = f"M-52 {seat - 45}h9v9h-9Z"
    return markup + line(buckle, _GOLD, 2) + disc((-66, seat - 36), 1.3, fabric.dark)


def _loafer(shoes: Shoes) -> str:
    """Return one loafer: an apron, and over the instep a saddle, a bit or tassels."""
    fabric, ground = shoes.fabric, shoes.fabric.pattern.ground
    inside = "M-84 -8Q-54 -20 -14 -18L-4 -4Q-44 12 -84 -8Z"
    upper = (
        "M-86 42C-92 20 -92 2 -84 -12Q-58 8 -22 -4Q-16 -20 -4 -20Q22 -20 36 2Q58 8 76 16"
        "Q92 26 90 42Z"
    )
    markup = filled(inside, shade(_INSOLE, 0.7)) + cloth(fabric, upper)
    apron = "M-6 8Q16 16 36 12Q60 12 76 22Q82 28 76 33"
    markup += line(apron, fabric.dark, 2.4) + line(apron, fabric.thread, 1, dashes="2 1.8")
    markup += line("M-64 0Q-58 22 -62 42", fabric.dark, 1.4)
    saddle = "M-14 42Q-8 12 -4 -14L18 -15Q26 8 20 42Z"
    style = fabric.pattern.arrangement % 3
    if style == 0:
        markup += band(saddle, shade(ground, 0.82)) + filled("M2 2q7 -6 14 0l-3 7h-8Z", fabric.dark)
    elif style == 1:
        markup += line("M-10 4Q8 -6 30 4", shade(_GOLD, 0.6), 5) + line(
            "M-10 4Q8 -6 30 4", _GOLD, 3.4, dashes="6 1.5"
        )
        markup += disc((-10, 4), 4.4, _GOLD) + disc((30, 4), 4.4, _GOLD)
    else:
        fringe = "M10 4l-5 22M12 4l0 23M14 4l6 21M22 3l2 21M24 3l7 18"
        markup += line("M-14 2Q6 -6 22 3", shoes.accent, 3) + line(fringe, shoes.accent, 3.4)
        markup += disc((14, 4), 4, shade(shoes.accent, 0.8))
    thick = round(4 + 8 * shoes.shape)
    sole = f"M-90 40H92Q98 {42 + thick} 86 {43 + thick}H-40L-42 {46 + thick}V56H-88Z"
    markup += line("M-72 12Q-44 22 -26 14M50 14Q68 20 78 30", "#ffffff", 3, opacity=0.25)
    return markup + band(sole, shoes.sole)


def _mule(shoes: Shoes) -> str:
    """Return one shoe without a back: flat as a slipper or, with much `shape`, on a block heel."""
    fabric = shoes.fabric
    raised = round(26 * shoes.shape) if shoes.shape > 0.4 else 0
    bed = (
        f"M-88 {36 - raised}C-50 {38 - raised} -24 44 12 44H86Q96 46 90 54H4"
        f"C-30 54 -52 {48 - raised} -88 {48 - raised}Z"
    )
    markup = ""
    if raised:
        heel = f"M-87 {44 - raised}L-84 56H-52Q-54 50 -48 {50 - raised}Z"
        markup += band(heel, shade(shoes.sole, 0.7))
    markup += band(bed, shoes.sole)
    markup += line(f"M-84 {37 - raised}C-50 {39 - raised} -24 45 12 45", _INSOLE, 5)
    upper = "M-14 46C-20 6 14 -20 40 -6Q66 4 86 24Q96 36 90 47Z"
    opening = "M-14 46C-20 6 14 -20 40 -6C18 -10 -4 10 4 46Z"
    markup += cloth(fabric, upper) + filled(opening, shade(fabric.dark, 0.7))
    rim = "M4 46C-4 10 18 -10 40 -6"
    style = fabric.pattern.arrangement % 3
    if style == 0:  # a fluffy edge
        markup += line(rim, shoes.accent, 11) + line(rim, shade(shoes.accent, 0.8), 6, dashes="1 5")
    elif style == 1:
        markup += line(rim, fabric.dark, 3) + line("M22 22Q46 12 60 44", shoes.accent, 8)
        markup += line("M35 14h12v12h-12Z", _GOLD, 2.4)
    else:
        bow = "M44 8L28 -2V20L44 8L62 2V22Z"
        markup += line(rim, fabric.dark, 3) + band(bow, shoes.accent)
        markup += disc((44, 9), 4.4, shade(shoes.accent, 0.75))
    return markup


def _ankle_boot(shoes: Shoes) -> str:
    """Return one boot that ends above the ankle, on a heel whose height is `shape`."""
    fabric, ground, lift = shoes.fabric, shoes.fabric.pattern.ground, round(8 + 18 * shoes.shape)
    floor = 50 - lift
    mouth = "M-72 -62Q-46 -72 -18 -62Q-46 -53 -72 -62Z"
    shaft = (
        f"M-74 {floor}C-84 {floor - 18} -70 -26 -72 -62Q-46 -53 -18 -62L-16 -24"
        f"Q-8 2 26 16Q66 26 92 50H24Q-8 50 -34 {floor + 4}Z"
    )
    heel = f"M-77 {floor - 4}L-72 56H-42Q-44 50 -32 {floor + 2}Z"
    markup = filled(mouth, shade(fabric.dark, 0.6)) + band(heel, shoes.sole)
    markup += cloth(fabric, shaft)
    style = fabric.pattern.arrangement % 4
    if style == 0:
        gore = f"M-56 -58H-30L-38 {floor - 34}Q-46 {floor - 26} -52 {floor - 34}Z"
        ribs = "".join(f"M{x} -56V{floor - 36}" for x in (-50, -46, -42, -38, -34))
        markup += band(gore, shade(ground, 0.6)) + line(ribs, "#000000", 0.8, opacity=0.4)
        markup += line("M-72 -62q-5 -12 4 -13q6 1 2 13", shoes.accent, 3)
    elif style == 1:
        markup += line(f"M-44 -57V{floor}", fabric.dark, 4.4)
        markup += line(f"M-44 -57V{floor}", "#c9c9cc", 2, dashes="1.4 1.2")
    elif style == 2:
        strap = "M-78 -18Q-44 -6 -12 -20L-8 -10Q-44 6 -78 -6Z"
        markup += band(strap, shoes.accent) + line("M-40 -12h12v12h-12Z", _GOLD, 2.6)
    else:
        laces = "".join(f"M-32 {y}L-15 {y - 6}" for y in range(-48, 0, 10))
        markup += line("M-34 -58Q-34 -20 -10 8", fabric.dark, 1.6)
        markup += line(laces, shoes.accent, 2.8)
    markup += line("M30 18Q34 34 28 50", fabric.dark, 1.2, opacity=0.6)
    markup += line("M-62 -40Q-60 -20 -62 0M44 28Q64 34 76 44", "#ffffff", 3, opacity=0.25)
    edge = f"M-76 {floor + 1}L-34 {floor + 4}Q-8 50 24 50H94Q96 56 90 56H22Q-10 56 -36 {floor + 9}Z"
    return markup + band(edge, shoes.sole)


def _wedge(shoes: Shoes) -> str:
    """Return one wedge: cork or rope rising to the heel by `shape`, straps above."""
    fabric, seat = shoes.fabric, round(12 - 26 * shoes.shape)
    sole = (
        f"M-86 {seat}C-50 {seat + 2} -24 40 20 42L84 40Q96 44 90 54Q60 58 -84 56Q-76 30 -86 {seat}Z"
    )
    cork = "#c9a878"
    rope = fabric.pattern.arrangement % 2
    markup = line(f"M-82 {seat - 46}Q-60 {seat - 62} -38 {seat - 53}", shade(shoes.accent, 0.5), 5)
    markup += band(sole, cork if rope else shoes.sole)
    rows = ""
    for share in (0.25, 0.5, 0.75):
        y = seat + (56 - seat) * share
        rows += f"M-80 {y:.0f}C-40 {y + 2:.0f} -20 {42 + 12 * share:.0f} 20 {43 + 12 * share:.0f}"
        rows += f"L88 {43 + 11 * share:.0f}"
    if rope:
        markup += line(rows, shade(cork, 0.66), 1.6, dashes="4 2")
    else:
        markup += line(rows, shade(shoes.sole, 0.7), 1.2, opacity=0.7)
    bed = f"M-84 {seat}C-50 {seat + 2} -24 40 20 42L84 40"
    markup += line(bed, shade(_INSOLE, 0.8), 3.6)
    toes = "M-6 42C-4 0 46 -14 84 34L66 42C54 30 44 32 40 43Z"
    counter = (
        f"M-86 {seat + 1}C-92 {seat - 20} -90 {seat - 36} -84 {seat - 46}Q-66 {seat - 40} -50 "
        f"{seat - 14}L-44 {seat + 10}Z"
    )
    markup += cloth(fabric, counter) + cloth(fabric, toes)
    markup += line("M2 36C6 8 46 0 72 28", fabric.thread, 1, dashes="2.4 1.8")
    tie = f"M-84 {seat - 42}Q-58 {seat - 36} -36 {seat - 52}"
    markup += line(tie, shade(shoes.accent, 0.6), 6.4) + line(tie, shoes.accent, 5)
    return markup + line(f"M-60 {seat - 46}h9v10h-9Z", _GOLD, 2)


def _runner(shoes: Shoes) -> str:
    """Return one running shoe: mesh, overlays, a wave on the side, a thick rocking sole."""
    fabric, thick = shoes.fabric, round(12 + 8 * shoes.shape)
    top = 40 - thick // 2
    upper = (
        f"M-80 {top}C-92 4 -88 -24 -82 -34Q-74 -38 -66 -26Q-50 -12 -30 -26L-16 -36Q-6 -34 6 -16"
        f"Q24 2 56 8Q84 14 92 {top}Z"
    )
    markup = line("M-84 -34Q-74 -38 -66 -26Q-50 -12 -30 -26", shade(fabric.dark, 0.7), 7)
    markup += cloth(fabric, upper)
    holes = "".join(f"M{x} {y}h0.1" for y in (14, 19, 24) for x in range(24, 78, 6))
    markup += line(holes, fabric.dark, 1.8, opacity=0.6)
    wave = f"M-70 {top - 4}Q-40 22 -18 -10L-6 -14Q-10 16 26 14Q-20 34 -70 {top - 4}Z"
    markup += band(wave, shoes.accent)
    toe_cap = f"M64 10Q88 14 94 {top}H70Q60 24 64 10Z"
    markup += band(toe_cap, shade(fabric.pattern.ground, 0.75))
    markup += band(f"M-82 {top}C-92 8 -88 -14 -85 -24L-74 -20Q-76 6 -60 {top}Z", shoes.accent)
    markup += line("M-83 -36q-8 -4 -6 8", shoes.accent, 3.4)
    markup += band("M-30 -24L-18 -42Q-8 -44 -4 -34L-16 -18Z", shade(fabric.pattern.ground, 0.85))
    laces = "".join(
        f"M{-26 + 9 * at} {-20 + 6 * at}L{-12 + 9 * at} {-27 + 6 * at}" for at in range(5)
    )
    markup += line(laces, contrast_of(fabric.pattern.ground), 3)
    foam = (
        f"M-92 {top - 6}Q-60 {top + 4} -20 {top + 1}Q30 {top - 4} 97 {top - 4}"
        f"Q100 {top + 8} 84 {top + thick}H-20L-34 {top + thick - 4}L-46 {top + thick + 2}H-86"
        f"Q-99 {top + thick - 2} -92 {top - 6}Z"
    )
    groove = f"M-92 {top + thick * 0.45:.0f}Q-30 {top + thick * 0.8:.0f} 90 {top + thick * 0.3:.0f}"
    tread = f"M-84 {top + thick + 1}H-46M-20 {top + thick - 1}H80"
    markup += band(foam, shoes.sole) + line(groove, shade(shoes.sole, 0.7), 1.6)
    return markup + line(tread, shade(shoes.accent, 0.7), 3.4)


# the drawing of one shoe, and how high a pair of them rises above y = 0
FOOTWEAR: Mapping[str, tuple[Callable[[Shoes], str], float]] = {
    "heel": (_heel, 150),
    "loafer": (_loafer, 116),
    "mule": (_mule, 112),
    "ankle-boot": (_ankle_boot, 158),
    "wedge": (_wedge, 146),
    "runner": (_runner, 130),
}
