"""Shoes and hats: soles, laces, straps and heels; crowns, brims, panels and ribbons."""

from __future__ import annotations

from dataclasses import replace

from bench_atelier.colours import contrast_of, shade
from bench_atelier.fabric import Fabric, band, cloth, fabric_definitions, ribs
from bench_atelier.footwear import FOOTWEAR
from bench_atelier.garments import Drawing, Hat, Pose, Shoes
from bench_atelier.hats import HATS
from bench_atelier.motifs import graphic
from bench_atelier.outline import both_sides, disc, filled, line

_SEEN_FROM_ABOVE = ("oxford", "ballerina", "flip-flop", "sandal")


def draw_shoes(shoes: Shoes, pose: Pose) -> Drawing:
    """Return the drawing of a pair: side by side from above, or one behind the other."""
    one = _ONE_SHOE[shoes.kind](shoes)
    markup = f"<defs>{fabric_definitions(shoes.fabric, {'body': 0.0})}</defs>"
    turned = pose.turned
    if shoes.kind in _SEEN_FROM_ABOVE:
        left = f'<g transform="translate(-43 0) rotate({-turned / 3:.1f}) scale(-1 1)">{one}</g>'
        right = f'<g transform="translate(43 0) rotate({turned:.1f})">{one}</g>'
        return Drawing(markup + left + right, half_width=88 + turned, top=-100, bottom=100)
    tall = shoes.kind == "boot"
    behind = f"translate(15 {-66 if tall else -76}) scale(0.94)"
    if turned > 6 and not tall:  # the second shoe points the other way
        behind = "translate(6 -82) scale(-0.94 0.94)"
    for place in (
        f"{behind} rotate({-turned * 0.7:.1f})",
        f"translate(-8 0) rotate({turned * 0.4:.1f})",
    ):
        markup += f'<g transform="{place}">{one}</g>'
    height = {"boot": 120 + 70 * shoes.shape, "high-top": 160, "pump": 120}.get(shoes.kind, 128)
    if shoes.kind in FOOTWEAR:
        height = FOOTWEAR[shoes.kind][1]
    return Drawing(markup, half_width=108, top=-height, bottom=66)


def _sneaker(shoes: Shoes) -> str:
    """Return one sneaker from the side, toe to the right, about 180 units long."""
    fabric, thick = shoes.fabric, 9 + 8 * shoes.shape
    high = 30 if shoes.kind == "high-top" else 0
    upper = (
        f"M-84 38C-90 18 -88 0 -84 {-22 - high}Q-78 {-34 - high} -64 {-28 - high}"
        f"Q-52 {-14 - high} -36 {-22 - high}L-18 {-34 - high}Q-8 {-30 - high / 2} 2 -16"
        "Q14 -2 42 3Q86 8 92 38Z"
    )
    collar = (
        f"M-84 {-22 - high}Q-78 {-34 - high} -64 {-28 - high}Q-52 {-14 - high} -36 {-22 - high}"
    )
    markup = line(collar, shade(fabric.dark, 0.7), 7) + cloth(fabric, upper)
    tongue = f"M-40 {-22 - high}L-22 {-44 - high}Q-12 {-44 - high} -8 {-32 - high / 2}L-20 -18Z"
    markup += band(tongue, shade(fabric.pattern.ground, 0.85))
    markup += band("M58 5Q88 10 92 38H64Q54 24 58 5Z", shoes.sole)
    markup += band("M-84 38C-89 22 -88 8 -86 -8Q-72 4 -66 38Z", shoes.accent)
    markup += line("M-52 34Q-30 30 -16 -4M-36 36Q-14 32 0 2M-20 37Q2 34 14 10", shoes.accent, 5)
    markup += line(f"M-36 {-16 - high}L-12 6L20 10L56 10", fabric.thread, 0.9, dashes="2.4 1.6")
    laces = ""
    steps = 5 + high // 8
    for index in range(steps):
        share = index / (steps - 1)
        x, y = -26 + 44 * share, (-28 - high) * (1 - share) + 2 * share
        laces += f"M{x - 8:.1f} {y + 8:.1f}L{x + 6:.1f} {y - 3:.1f}"
    markup += line(laces, "#efede7", 3.2) + line(laces, "#77767a", 0.5, opacity=0.6)
    sole = (
        f"M-88 32Q-92 {36 + thick} -80 {38 + thick}H80Q98 {38 + thick} 94 32Q60 40 10 38"
        "Q-50 38 -88 32Z"
    )
    tread = f"M-84 {36 + thick / 2:.1f}H90"
    return markup + band(sole, shoes.sole) + line(tread, shade(shoes.sole, 0.7), 1.3)


def _boot(shoes: Shoes) -> str:
    """Return one boot from the side; `shape` makes it an ankle boot or a tall one."""
    fabric = shoes.fabric
    top = -40 - 70 * shoes.shape
    shaft = (
        f"M-72 46C-80 20 -70 0 -72 {top:.0f}Q-46 {top + 7:.0f} -14 {top:.0f}L-12 -14"
        "Q-4 6 26 12Q70 20 72 46Z"
    )
    markup = filled(
        f"M-72 {top:.0f}Q-44 {top - 9:.0f} -14 {top:.0f}Q-44 {top + 9:.0f} -72 {top:.0f}Z",
        shade(fabric.dark, 0.6),
    )
    markup += cloth(fabric, shaft)
    markup += line("M-74 8Q-50 0 -30 12Q-18 26 -16 46", fabric.dark, 1.4)
    markup += line("M26 13Q34 26 32 46", fabric.dark, 1.3)
    if shoes.shape < 0.35:  # elastic at the ankle
        elastic = f"M-52 {top + 5:.0f}L-30 {top + 6:.0f}L-38 6Q-46 6 -52 0Z"
        markup += band(elastic, shade(fabric.pattern.ground, 0.6))
    elif shoes.shape < 0.75:  # laced
        for index in range(7):
            y = top + 8 + index * (6 - top) / 7
            x = -14 + (16 if y > -10 else 0) * (y + 10) / 16
            markup += line(f"M{x - 13:.1f} {y + 5:.1f}L{x + 2:.1f} {y:.1f}", shoes.accent, 2.4)
            markup += disc((x - 14, y + 6), 1.6, "#b9a36f")
    else:
        zipper = f"M-44 {top + 4:.0f}Q-40 -20 -46 30"
        markup += line(zipper, "#c9c9cc", 2, dashes="1.4 1") + line("M-74 -6H-14", fabric.dark, 5)
    sole = "M-76 42H74Q78 52 72 54H-20L-22 50H-34L-36 60H-74Z"
    return markup + band(sole, shoes.sole)


def _pump(shoes: Shoes) -> str:
    """Return one court shoe from the side; `shape` is the height of the heel."""
    fabric, rise = shoes.fabric, round(16 - 36 * shoes.shape)
    topline = f"Q8 40 -24 {rise + 22}Q-58 {rise + 4} -82 {rise - 24}"
    inside = f"M-82 {rise - 24}Q-36 {rise - 8} 40 14{topline}Z"
    upper = (
        f"M-82 {rise - 24}C-90 {rise - 6} -88 {rise + 8} -80 {rise + 18}"
        f"Q-54 {rise + 24} -22 50Q26 58 82 53Q96 48 86 39Q64 22 40 14{topline}Z"
    )
    stiletto = f"M-84 {rise + 6}Q-78 {rise + 30} -77 56H-70Q-68 {rise + 36} -48 {rise + 28}Z"
    if fabric.pattern.arrangement % 3 == 0:  # a block heel
        stiletto = f"M-85 {rise + 8}Q-82 {rise + 30} -84 56H-58Q-58 {rise + 36} -44 {rise + 32}Z"
    markup = band(stiletto, shade(fabric.pattern.ground, 0.75))
    markup += filled(inside, "#d8bf9c") + cloth(fabric, upper)
    markup += line(f"M-80 {rise + 18}Q-54 {rise + 25} -22 51Q26 60 84 54", shoes.sole, 2)
    shine = f"M-78 {rise - 8}Q-56 {rise + 12} -34 {rise + 24}M44 24Q62 30 76 42"
    markup += line(shine, "#ffffff", 2.4, opacity=0.4)
    if fabric.pattern.arrangement % 4 == 1:  # a strap at the ankle
        strap = f"M-80 {rise - 20}Q-58 {rise - 40} -30 {rise - 22}Q-26 {rise} -34 {rise + 16}"
        markup += line(strap, fabric.pattern.ground, 4) + disc((-30, rise - 20), 2.6, "#c7ad6a")
    return markup


_LAST = (
    "M-2 -92C18 -92 32 -66 32 -38C32 -14 24 8 24 38C24 70 16 92 0 92C-17 92 -25 70 -25 38"
    "C-25 8 -34 -8 -32 -38C-30 -66 -20 -92 -2 -92Z"
)
_OPENING = "M-1 10C14 10 19 26 18 44C17 66 10 82 0 82C-11 82 -18 66 -19 44C-20 26 -15 10 -1 10Z"


def _insole(fabric: Fabric) -> str:
    return filled(_OPENING, "#b99b74") + line(_OPENING, shade(fabric.dark, 0.8), 3)


def _oxford(shoes: Shoes) -> str:
    """Return one laced shoe from above, toe upwards."""
    fabric = shoes.fabric
    markup = f'<g transform="scale(1.07 1.03)">{band(_LAST, shoes.sole)}</g>'
    markup += cloth(fabric, _LAST) + line("M-27 -58Q0 -44 27 -58", fabric.dark, 1.6)
    markup += line("M-25 -55Q0 -41 25 -55", fabric.thread, 1, dashes="1 1.8")
    markup += band("M-10 -22Q0 -32 10 -22L16 22Q0 6 -16 22Z", shade(fabric.pattern.ground, 0.82))
    markup += _insole(fabric)
    markup += line("M-14 -24Q-26 0 -26 30M14 -24Q26 0 25 30", fabric.dark, 1.4)
    laces = "".join(f"M-13 {y}L13 {y + 3}M13 {y - 2}L-13 {y + 5}" for y in (-22, -11, 0))
    bow = "M0 8q-16 -6 -15 4q6 5 15 -4q16 -6 15 4q-6 5 -15 -4l-9 15m9 -15l10 14"
    markup += line(laces, shoes.accent, 2.2) + line(bow, shoes.accent, 1.8)
    return markup + line("M-16 -74Q-24 -58 -26 -40", "#ffffff", 4, opacity=0.3)


def _ballerina(shoes: Shoes) -> str:
    """Return one flat shoe from above: a wide opening, a bow or a strap."""
    fabric = shoes.fabric
    opening = (
        "M-1 -40C18 -40 22 -16 19 20C18 60 12 82 0 82C-13 82 -18 60 -19 20C-22 -16 -18 -40 -1 -40Z"
    )
    markup = cloth(fabric, _LAST) + filled(opening, "#c9ad86") + line(opening, fabric.dark, 2.6)
    markup += line("M-10 30Q0 38 10 30M-9 40h18", "#8a6f4d", 1.4, opacity=0.7)
    markup += line("M-18 -72Q-25 -56 -26 -40", "#ffffff", 3.4, opacity=0.35)
    if shoes.shape > 0.5:
        return markup + line("M-23 4Q0 -10 23 4", fabric.pattern.ground, 6)
    bow = "M0 -44L-15 -53V-36L0 -44L15 -53V-36Z"
    return markup + band(bow, shoes.accent) + disc((0, -44), 3.4, shade(shoes.accent, 0.75))


def _sandal(shoes: Shoes) -> str:
    """Return one sandal or flip-flop from above: the sole with its straps."""
    fabric, ground = shoes.fabric, shoes.fabric.pattern.ground
    markup = f'<g transform="scale(1.06 1.03)">{band(_LAST, shade(shoes.sole, 0.6))}</g>'
    markup += band(_LAST, shoes.sole)
    print_of_foot = (
        "M-14 -58Q0 -74 14 -58Q16 -30 6 -4Q4 40 12 62Q0 84 -12 62Q-10 30 -14 0Q-22 -34 -14 -58Z"
    )
    markup += filled(print_of_foot, "#000000", opacity=0.12)
    if shoes.kind == "flip-flop":
        straps = "M-3 -52Q-26 -34 -31 -2M-3 -52Q20 -36 29 -2"
        markup += line(straps, fabric.dark, 9.5) + line(straps, ground, 8)
        return markup + disc((-3, -54), 5, shoes.accent)
    front = "M-35 -50Q0 -66 35 -50L33 -22Q0 -38 -35 -22Z"
    ankle = "M-30 14Q0 2 28 14L27 30Q0 18 -28 30Z"
    markup += cloth(fabric, front) + cloth(fabric, ankle)
    buckle = (
        '<rect x="14" y="9" width="9" height="14" fill="none" stroke="#c9b26e" stroke-width="2"/>'
    )
    return markup + buckle + line("M0 -34L0 10", ground, 5 if shoes.shape > 0.5 else 0.1)


_ONE_SHOE = {
    "sneaker": _sneaker,
    "high-top": _sneaker,
    "boot": _boot,
    "pump": _pump,
    "oxford": _oxford,
    "ballerina": _ballerina,
    "flip-flop": _sandal,
    "sandal": _sandal,
    **{kind: drawer for kind, (drawer, _) in FOOTWEAR.items()},
}


def draw_hat(hat: Hat) -> Drawing:
    """Return the drawing of a hat; the crown ends near y = 0."""
    definitions = f"<defs>{fabric_definitions(hat.fabric, {'body': 0.0})}</defs>"
    if hat.kind in HATS:
        drawing = HATS[hat.kind](hat)
        return replace(drawing, markup=definitions + drawing.markup)
    markup = definitions + _ONE_HAT[hat.kind](hat)
    half_width = {"cap": 84, "beanie": 84, "brimmed": 86 + 28 * hat.brim}.get(hat.kind, 114)
    top = {"beanie": -160, "bucket": -108}.get(hat.kind, -114)
    return Drawing(markup, half_width=half_width, top=top, bottom=48 if "side" in hat.kind else 90)


def _hat_print(hat: Hat, y: float) -> str:
    pattern = hat.fabric.pattern
    if pattern.name != "graphic":
        return ""
    figure = graphic(pattern.style, 19, pattern.second, pattern.third, choice=pattern.arrangement)
    return f'<g transform="translate(0 {y:.0f})">{figure}</g>'


def _cap(hat: Hat) -> str:
    """Return a baseball cap from the front: six panels, eyelets, button, curved peak."""
    fabric, height = hat.fabric, round(84 + 22 * hat.shape)
    dome = (
        f"M-72 24C-76 {-height * 0.75:.0f} -40 {-height} 0 {-height}"
        f"C40 {-height} 76 {-height * 0.75:.0f} 72 24"
        "Q0 -6 -72 24Z"
    )
    reach = 46 + 34 * hat.brim
    peak = (
        f"M-74 20Q0 -16 74 20Q84 {reach * 0.7:.0f} 52 {reach}Q0 {reach + 22:.0f} -52 {reach}"
        f"Q-84 {reach * 0.7:.0f} -74 20Z"
    )
    markup = cloth(fabric, dome)
    seams = (
        f"M0 {-height}V4M0 {-height}C-34 {-height * 0.8:.0f} -46 -30 -44 10"
        f"M0 {-height}C34 {-height * 0.8:.0f} 46 -30 44 10"
    )
    markup += line(seams, fabric.dark, 1.4) + line(seams, fabric.thread, 0.8, dashes="2.4 1.6")
    for x in (-26, 26):
        markup += disc((x, -height * 0.62), 3, fabric.dark)
    markup += disc((0, -height), 5, hat.accent) + _hat_print(hat, -28)
    colour = hat.accent if fabric.pattern.arrangement % 2 else fabric.pattern.ground
    markup += cloth(fabric, peak) if colour != hat.accent else band(peak, colour)
    rows = ""
    for inset in (8, 14, 20, 26):
        edge, y, low = 66 - inset * 0.6, 28 + inset * 0.2, reach - inset * 0.7
        rows += (
            f"M{-edge:.0f} {y:.0f}Q{inset - 56} {low:.0f} 0 {reach + 10 - inset:.0f}"
            f"Q{56 - inset} {low:.0f} {edge:.0f} {y:.0f}"
        )
    markup += line(rows, contrast_of(colour), 0.9, dashes="2.4 1.6", opacity=0.8)
    return markup + line("M-72 22Q0 -12 72 22", fabric.dark, 2.4, opacity=0.6)


def _cap_side(hat: Hat) -> str:
    """Return a cap from the side, the peak to the right."""
    fabric, height = hat.fabric, round(82 + 20 * hat.shape)
    reach = 104 + 12 * hat.brim
    dome = (
        f"M-78 30C-86 {-height * 0.7:.0f} -48 {-height} -8 {-height}C40 {-height} 58 -40 56 26"
        "Q-10 40 -78 30Z"
    )
    peak = f"M52 8Q92 10 {reach} 36Q{reach + 4} 44 {reach - 8} 44Q66 30 14 38Q30 16 52 8Z"
    markup = cloth(fabric, dome)
    seams = f"M-8 {-height}C-30 -50 -30 0 -26 34M-8 {-height}C22 -60 30 -20 28 30"
    markup += line(seams, fabric.dark, 1.4) + line(seams, fabric.thread, 0.8, dashes="2.4 1.6")
    markup += disc((-8, -height), 5, hat.accent) + disc((-46, -height * 0.55), 3, fabric.dark)
    markup += band(peak, hat.accent) + line("M62 14Q88 18 102 36", "#ffffff", 2, opacity=0.25)
    strap = '<rect x="-80" y="16" width="18" height="9" rx="2" fill="#3a3a3d"/>'
    return markup + strap + _hat_print(hat, -24)


def _beanie(hat: Hat) -> str:
    """Return a knitted cap with a turned-up rib and, at times, a pompom."""
    fabric, height = hat.fabric, round(92 + 30 * hat.shape)
    crown = (
        f"M-70 36C-76 {-height * 0.7:.0f} -44 {-height} 0 {-height}"
        f"C44 {-height} 76 {-height * 0.7:.0f} 70 36Z"
    )
    markup = ""
    if hat.brim > 0.45:
        fluff = "".join(
            f"M0 {-height - 12}l{x} {y}"
            for x, y in (
                (22, 0),
                (-22, 2),
                (15, 15),
                (-15, 16),
                (0, 22),
                (14, -17),
                (-14, -17),
                (0, -23),
            )
        )
        markup += disc((0, -height - 12), 21, hat.accent)
        markup += line(fluff, shade(hat.accent, 0.75), 3, opacity=0.7)
    markup += cloth(fabric, crown)
    wales = "".join(
        f"M{x} 10Q{x * 1.06:.0f} {-height * 0.6:.0f} {x * 0.25:.0f} {-height + 4}"
        for x in (-56, -42, -28, -14, 0, 14, 28, 42, 56)
    )
    markup += line(wales, fabric.dark, 1.6, opacity=0.4) + _hat_print(hat, -40)
    cuff = "M-74 16Q0 4 74 16L76 56Q0 70 -76 56Z"
    plain = fabric.pattern.arrangement % 2
    markup += band(cuff, hat.accent) if plain else cloth(fabric, cuff)
    return markup + ribs(((-74, 16), (74, 16)), ((-76, 58), (76, 58)), 26)


def _brimmed(hat: Hat) -> str:
    """Return a fedora or sun hat: a pinched crown, a ribbon and a wide brim."""
    fabric, height = hat.fabric, round(66 + 26 * hat.shape)
    half = 84 + 28 * hat.brim
    brim = (
        f"M{-half:.0f} 30Q{-half * 0.8:.0f} 4 -48 4H48Q{half * 0.8:.0f} 4 {half:.0f} 30"
        f"Q{half * 0.6:.0f} 56 0 58Q{-half * 0.6:.0f} 56 {-half:.0f} 30Z"
    )
    crown = (
        f"M-54 26C-52 -20 -48 {-height} -26 {-height}Q0 {-height + 16} 26 {-height}"
        f"C48 {-height} 52 -20 54 26Q0 42 -54 26Z"
    )
    ribbon = "M-54 24L-51 2Q0 18 51 2L54 24Q0 42 -54 24Z"
    markup = cloth(fabric, brim) + cloth(fabric, crown)
    rings = "".join(
        f"M{-half * share:.0f} 31Q0 {40 + 16 * share:.0f} {half * share:.0f} 31"
        for share in (0.75, 0.88)
    )
    markup += line(rings, fabric.dark, 1.1, opacity=0.5) + band(ribbon, hat.accent)
    dent = f"M-14 {-height + 10}Q0 {-height + 30} 14 {-height + 10}"
    markup += line(dent, fabric.dark, 4, opacity=0.35) + _hat_print(hat, -26)
    return markup + band("M40 5l14 -6v24l-14 4Z", shade(hat.accent, 0.8))


def _bucket(hat: Hat) -> str:
    """Return a bucket hat: a straight crown and a sloping stitched brim."""
    fabric, height = hat.fabric, round(68 + 22 * hat.shape)
    half, low = 84 + 18 * hat.brim, 52 + 10 * hat.brim
    crown = f"M-58 14L-46 {-height}Q0 {-height - 14} 46 {-height}L58 14Q0 28 -58 14Z"
    brim = f"M-58 12Q0 28 58 12L{half:.0f} {low:.0f}Q0 {low + 26:.0f} {-half:.0f} {low:.0f}Z"
    markup = cloth(fabric, crown) + cloth(fabric, brim)
    rows = ""
    for share in (0.25, 0.5, 0.75, 0.92):
        x, y = 58 + (half - 58) * share, 12 + (low - 12) * share
        rows += f"M{-x:.0f} {y:.0f}Q0 {28 + (low - 2) * share:.0f} {x:.0f} {y:.0f}"
    top_seam = f"M-46 {-height}Q0 {-height + 16} 46 {-height}"
    markup += line(rows, fabric.thread, 0.9, dashes="2.4 1.6") + line(top_seam, fabric.dark, 1.4)
    if fabric.pattern.arrangement % 2:
        markup += band("M-58 14L-55 -6Q0 8 55 -6L58 14Q0 28 -58 14Z", hat.accent)
    eyelets = both_sides(disc((44, -30), 2.6, fabric.dark) + disc((40, -42), 2.6, fabric.dark))
    return markup + eyelets + _hat_print(hat, -28)


_ONE_HAT = {
    "cap": _cap,
    "cap-side": _cap_side,
    "beanie": _beanie,
    "brimmed": _brimmed,
    "bucket": _bucket,
}

# `wardrobe` samples the kinds drawn in this module; the others are drawn when asked for
SHOE_KINDS = tuple(_ONE_SHOE)
HAT_KINDS = (*_ONE_HAT, *HATS)
