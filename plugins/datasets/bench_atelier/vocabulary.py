"""The vocabulary of the named attributes: which values a category can have, and their numbers."""

from __future__ import annotations

from collections.abc import Mapping

from bench_atelier.colours import PALETTE
from bench_atelier.fabric import TEXTURES
from bench_atelier.patterns import PATTERNS
from bench_atelier.sleeves import SLEEVE_LENGTHS
from bench_atelier.top_lines import BODICES

Fixed = Mapping[str, str]
Range = tuple[float, float]

# half width and depth of the neck; a bodice has an edge of its own
NECK_SIZES: Mapping[str, tuple[Range, Range]] = {
    "crew": ((17, 20), (11, 15)),
    "scoop": ((22, 26), (28, 34)),
    "v-neck": ((18, 22), (32, 38)),
    "deep-v": ((20, 24), (58, 66)),
    "square": ((19, 21), (26, 29)),
    "boat": ((33, 37), (6, 9)),
    "henley": ((17, 20), (12, 15)),
    "wrap": ((18, 22), (42, 50)),
    "draped": ((24, 28), (25, 30)),
    "backless": ((24, 27), (50, 58)),
    "halter": ((17, 20), (24, 32)),
    "one-shoulder": ((16, 19), (12, 15)),
    "straps": ((18, 22), (10, 14)),
    "strapless": ((18, 22), (10, 14)),
    "sweetheart": ((18, 22), (10, 14)),
    "straight": ((18, 22), (10, 14)),
    "off-shoulder": ((18, 22), (10, 14)),
}
NECKLINES = tuple(NECK_SIZES)
SLEEVELESS_NECKLINES = ("straps", "strapless", "sweetheart", "straight", "halter", "backless")
# a front that these occupy is not fastened as well
WHOLE_FRONTS = (*BODICES, "halter", "one-shoulder", "henley", "wrap", "draped", "backless")

LAPELS = ("lapel", "notched-lapel", "shawl", "shawl-wide")
BUTTONED_COLLARS = (*LAPELS, "shirt", "button-down")
# the depth of the neck that a collar needs
COLLAR_DEPTHS: Mapping[str, Range] = {
    **dict.fromkeys(LAPELS, (54, 64)),
    "none": (12, 16),
    "shirt": (16, 20),
    "button-down": (16, 20),
    "polo": (16, 20),
    "peter-pan": (13, 17),
    "puritan": (13, 17),
    "rib": (13, 16),
    "stand": (13, 17),
    "turtleneck": (12, 14),
    "low-turtleneck": (12, 14),
    "high": (12, 14),
    "ruffle": (12, 14),
    "volant": (13, 17),
    "collarless": (13, 17),
    "v-collar": (34, 40),
    "hood": (14, 18),
}
COLLARS = tuple(COLLAR_DEPTHS)
SLEEVE_SHAPES = ("plain", "puff", "bell", "batwing", "ruffled", "rolled")
TOP_FASTENINGS = (
    "none buttons half-buttons zip double-breasted hooks laces belt back covered".split()
)
TOP_POCKETS = ("none", "chest", "patch", "flap", "welt", "cargo", "kangaroo", "zip", "sleeve")
_JUMPSUIT_POCKETS = tuple(name for name in TOP_POCKETS if name != "kangaroo")
TOP_HEMS = ("straight", "curved", "ribbed", "ruffle")
TOP_FITS = ("slim", "regular", "loose", "flared")
BOTTOM_FASTENINGS = "none fly buttons zip drawstring hooks laces belt side-zip".split()
BOTTOM_POCKETS = ("none", "side", "patch", "flap", "welt", "cargo", "zip")
OUTFIT_FITS = ("slim", "regular", "loose", "flared", "tapered")
LEG_FITS = (*OUTFIT_FITS, "high-waist")
SKIRT_FITS = ("slim", "regular", "loose", "flared", "high-waist")

TOP_LENGTHS: Mapping[str, Range] = {"cropped": (84, 94), "regular": (132, 142), "long": (182, 194)}
COAT_LENGTHS: Mapping[str, Range] = {
    "high-waist": (88, 94),
    "micro": (114, 120),
    "regular": (140, 148),
    "long": (172, 180),
    "knee": (206, 214),
    "midi": (246, 254),
    "ankle": (290, 298),
    "floor": (326, 336),
}
DRESS_LENGTHS: Mapping[str, Range] = {
    "short": (158, 168),
    "knee": (204, 212),
    "midi": (246, 256),
    "ankle": (290, 298),
    "floor": (326, 336),
}
SKIRT_LENGTHS: Mapping[str, Range] = {
    "short": (82, 90),
    "knee": (126, 134),
    "midi": (166, 176),
    "ankle": (206, 216),
    "floor": (246, 256),
}
LEG_LENGTHS: Mapping[str, Range] = {
    "short": (80, 88),
    "knee": (130, 138),
    "three-quarter": (168, 176),
    "cropped": (204, 212),
    "full": (246, 256),
}
# shorts are cut wider than trousers
SHORTS_LENGTHS: Mapping[str, Range] = {"short": (88, 98), "knee": (150, 162)}

_CLOTH: Mapping[str, tuple[str, ...]] = {
    "pattern": tuple(PATTERNS),
    "colour": tuple(PALETTE),
    "texture": TEXTURES,
}
# quilting is drawn on the body of a top alone
_UNQUILTED = {**_CLOTH, "texture": tuple(name for name in TEXTURES if name != "quilted")}
_UPPER: Mapping[str, tuple[str, ...]] = {
    "neckline": NECKLINES,
    "collar": COLLARS,
    "sleeve_length": ("sleeveless", *SLEEVE_LENGTHS),
    "sleeve_shape": SLEEVE_SHAPES,
    "fastening": tuple(TOP_FASTENINGS),
    "pockets": TOP_POCKETS,
}
_WHOLE_TOP = {**_UPPER, "hem": TOP_HEMS, "fit": TOP_FITS, **_CLOTH}
_LOWER = {"fastening": tuple(BOTTOM_FASTENINGS), "pockets": BOTTOM_POCKETS, **_UNQUILTED}

LENGTHS: Mapping[str, Mapping[str, Range]] = {
    "t-shirt": TOP_LENGTHS,
    "longsleeve": TOP_LENGTHS,
    "shirt": TOP_LENGTHS,
    "outwear": COAT_LENGTHS,
    "dress": DRESS_LENGTHS,
    "skirt": SKIRT_LENGTHS,
    "pants": LEG_LENGTHS,
    "shorts": SHORTS_LENGTHS,
    "jumpsuit": LEG_LENGTHS,
    "suit": LEG_LENGTHS,
    "tracksuit": LEG_LENGTHS,
    "pyjamas": LEG_LENGTHS,
}
_ATTRIBUTES: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "t-shirt": _WHOLE_TOP,
    "longsleeve": _WHOLE_TOP,
    "shirt": _WHOLE_TOP,
    "outwear": _WHOLE_TOP,
    "dress": _WHOLE_TOP,
    "skirt": {"fit": SKIRT_FITS, **_LOWER},
    "pants": {"fit": LEG_FITS, **_LOWER},
    "shorts": {"fit": LEG_FITS, **_LOWER},
    "jumpsuit": {**_UPPER, "pockets": _JUMPSUIT_POCKETS, "fit": OUTFIT_FITS, **_CLOTH},
    "suit": {**_UPPER, "fit": OUTFIT_FITS, **_CLOTH},
    "tracksuit": {**_UPPER, "fit": OUTFIT_FITS, **_CLOTH},
    "pyjamas": {**_UPPER, "fit": OUTFIT_FITS, **_CLOTH},
    "swimsuit": {"neckline": NECKLINES, **_CLOTH},
    "bikini": {"neckline": SLEEVELESS_NECKLINES, **_CLOTH},
    "shoes": _UNQUILTED,
    "hat": _UNQUILTED,
}
VOCABULARY: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    category: {
        **attributes,
        **({"length": tuple(LENGTHS[category])} if category in LENGTHS else {}),
    }
    for category, attributes in sorted(_ATTRIBUTES.items())
}


def check_fixed(category: str, fixed: Fixed) -> None:
    """Refuse attributes and values that a category cannot have.

    Raises:
        ValueError: the category, an attribute or a value is not in `VOCABULARY`.

    """
    if category not in VOCABULARY:
        raise ValueError(f"no category {category!r}; known are {', '.join(VOCABULARY)}")
    for attribute, value in fixed.items():
        known = VOCABULARY[category]
        if attribute not in known:
            raise ValueError(f"a {category} has no {attribute!r}; it has {', '.join(known)}")
        if value not in known[attribute]:
            raise ValueError(
                f"a {category} cannot have the {attribute} {value!r}; "
                f"known are {', '.join(known[attribute])}"
            )
