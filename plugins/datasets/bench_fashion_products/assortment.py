"""What the drawn shop sells: lines of products whose attributes show in the drawing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from bench_atelier.attributes import fix_fabric
from bench_atelier.carried import Carried, sample_carried
from bench_atelier.garments import Bottom, Garment, Hat, Shoes, Top
from bench_atelier.stock import choose
from bench_atelier.wardrobe import sample_garment

# colour that is drawn → its published name
COLOURS: Mapping[str, str] = {
    "black": "Black",
    "blue": "Blue",
    "denim": "Blue",
    "white": "White",
    "grey": "Grey",
    "navy": "Navy Blue",
    "brown": "Brown",
    "red": "Red",
    "green": "Green",
    "purple": "Purple",
    "pink": "Pink",
    "beige": "Beige",
    "olive": "Olive",
    "burgundy": "Maroon",
    "yellow": "Yellow",
    "orange": "Orange",
    "teal": "Teal",
    "mustard": "Mustard",
    "cream": "Cream",
}
_RARE_COLOURS = ("teal", "mustard", "cream")
_WEIGHTS = {
    **dict.fromkeys(COLOURS, 1.0),
    **dict.fromkeys(("black", "blue", "white", "grey", "navy", "brown"), 2.0),
    **dict.fromkeys(_RARE_COLOURS, 0.2),
    "denim": 0.0,  # of jeans alone
}

# article → masterCategory, subCategory
PARENTS: Mapping[str, tuple[str, str]] = {
    **dict.fromkeys("Tshirts Shirts Tops Kurtas Sweaters Sweatshirts Jackets Tunics".split(),
                    ("Apparel", "Topwear")),
    **dict.fromkeys(("Jeans", "Trousers", "Track Pants", "Shorts", "Skirts", "Capris"),
                    ("Apparel", "Bottomwear")),
    "Dresses": ("Apparel", "Dress"),
    **dict.fromkeys(("Casual Shoes", "Sports Shoes", "Formal Shoes", "Heels", "Flats"),
                    ("Footwear", "Shoes")),
    "Sandals": ("Footwear", "Sandal"),
    "Flip Flops": ("Footwear", "Flip Flops"),
    **dict.fromkeys(("Handbags", "Backpacks", "Clutches", "Duffel Bag"), ("Accessories", "Bags")),
    "Belts": ("Accessories", "Belts"),
    "Sunglasses": ("Accessories", "Eyewear"),
    "Caps": ("Accessories", "Headwear"),
}  # fmt: skip


@dataclass(frozen=True)
class Line:
    """Products of one article for one gender and use.

    `drawn` is a category of the drawing kit; `cut` maps its attributes to what they may be, several
    values between blanks; `kinds` are those of shoes, hats and carried things; `share` is the
    number of products over the mini edition's `items`.
    """

    article: str
    gender: str
    usage: str
    drawn: str
    share: float
    cut: Mapping[str, str] = field(default_factory=dict)
    kinds: tuple[str, ...] = ()
    colours: tuple[str, ...] = ()


_MENS, _WOMENS = {"fit": "regular loose"}, {"fit": "slim flared"}
_DENIM = ("denim", "navy", "black", "grey")
LINES = (
    Line("Tshirts", "Men", "Casual", "t-shirt", 1.2, {**_MENS, "neckline": "crew henley"}),
    Line("Tshirts", "Men", "Sports", "t-shirt", 0.8,
         {**_MENS, "collar": "polo", "texture": "mesh"}),
    Line("Tshirts", "Women", "Casual", "t-shirt", 1,
         {**_WOMENS, "neckline": "scoop v-neck", "sleeve_length": "cap short"}),
    Line("Tshirts", "Women", "Sports", "t-shirt", 0.5,
         {**_WOMENS, "neckline": "scoop", "sleeve_length": "sleeveless", "texture": "mesh"}),
    Line("Tshirts", "Boys", "Casual", "t-shirt", 0.3, {"pattern": "graphic", "length": "cropped"}),
    Line("Tshirts", "Girls", "Casual", "t-shirt", 0.3,
         {"pattern": "motifs", "length": "cropped", "sleeve_shape": "puff ruffled"}),
    Line("Shirts", "Men", "Casual", "shirt", 1.2,
         {**_MENS, "pattern": "plaid checks stripes-vertical", "collar": "button-down"}),
    Line("Shirts", "Men", "Formal", "shirt", 1,
         {**_MENS, "pattern": "plain pinstripe", "collar": "shirt", "sleeve_length": "long"}),
    Line("Shirts", "Women", "Casual", "shirt", 0.5, {**_WOMENS, "collar": "peter-pan ruffle"}),
    Line("Tops", "Women", "Casual", "t-shirt", 1,
         {**_WOMENS, "neckline": "straps halter off-shoulder square draped one-shoulder"}),
    Line("Kurtas", "Women", "Ethnic", "shirt", 0.7,
         {"length": "long", "fit": "flared", "collar": "stand", "fastening": "half-buttons",
          "pattern": "paisley floral motifs"}),
    Line("Kurtas", "Men", "Ethnic", "shirt", 0.6,
         {"length": "long", "fit": "loose", "collar": "stand", "fastening": "half-buttons",
          "pattern": "plain stripes-vertical"}),
    Line("Tunics", "Women", "Casual", "longsleeve", 0.3,
         {"length": "long", "fit": "loose", "neckline": "boat"}),
    Line("Sweaters", "Men", "Casual", "longsleeve", 0.6,
         {**_MENS, "texture": "knit cable-knit rib"}),
    Line("Sweaters", "Women", "Casual", "longsleeve", 0.5,
         {**_WOMENS, "texture": "knit cable-knit crochet", "neckline": "boat v-neck"}),
    Line("Sweatshirts", "Men", "Casual", "longsleeve", 0.5,
         {**_MENS, "texture": "fleece", "collar": "hood", "pockets": "kangaroo"}),
    Line("Sweatshirts", "Women", "Sports", "longsleeve", 0.5,
         {**_WOMENS, "texture": "fleece", "collar": "hood", "fastening": "zip"}),
    Line("Jackets", "Men", "Casual", "outwear", 0.8, {**_MENS, "length": "regular"}),
    Line("Jackets", "Women", "Casual", "outwear", 0.4, {**_WOMENS, "length": "high-waist"}),
    Line("Dresses", "Women", "Casual", "dress", 0.8, {"length": "short knee"}),
    Line("Dresses", "Women", "Formal", "dress", 0.5,
         {"length": "ankle floor", "texture": "satin", "neckline": "sweetheart strapless deep-v"}),
    Line("Jeans", "Men", "Casual", "pants", 0.7, {"texture": "denim", "fit": "regular loose"},
         colours=_DENIM),
    Line("Jeans", "Women", "Casual", "pants", 0.6, {"texture": "denim", "fit": "slim flared"},
         colours=_DENIM),
    Line("Trousers", "Men", "Formal", "pants", 0.9,
         {"texture": "smooth", "fit": "regular tapered", "pattern": "plain pinstripe"}),
    Line("Track Pants", "Men", "Sports", "pants", 0.9,
         {"texture": "fleece mesh", "fastening": "drawstring", "fit": "tapered loose"}),
    Line("Shorts", "Men", "Casual", "shorts", 0.6, {"pockets": "cargo side"}),
    Line("Shorts", "Women", "Sports", "shorts", 0.4, {"fit": "slim", "fastening": "drawstring"}),
    Line("Skirts", "Women", "Casual", "skirt", 1),
    Line("Capris", "Women", "Casual", "pants", 0.3, {"length": "three-quarter", "fit": "slim"}),
    Line("Casual Shoes", "Men", "Casual", "shoes", 0.7, kinds=("sneaker", "loafer")),
    Line("Casual Shoes", "Women", "Casual", "shoes", 0.4, kinds=("high-top", "mule")),
    Line("Sports Shoes", "Men", "Sports", "shoes", 0.9, kinds=("runner",)),
    Line("Formal Shoes", "Men", "Formal", "shoes", 0.9, kinds=("oxford",),
         colours=("black", "brown", "burgundy")),
    Line("Heels", "Women", "Casual", "shoes", 0.9, kinds=("pump", "heel", "wedge")),
    Line("Flats", "Women", "Casual", "shoes", 0.9, kinds=("ballerina",)),
    Line("Sandals", "Women", "Casual", "shoes", 0.9, kinds=("sandal",)),
    Line("Flip Flops", "Unisex", "Casual", "shoes", 0.9, kinds=("flip-flop",)),
    Line("Handbags", "Women", "Casual", "bag", 1, kinds=("tote", "shoulder", "satchel", "bucket")),
    Line("Backpacks", "Unisex", "Casual", "bag", 0.9, kinds=("backpack",)),
    Line("Duffel Bag", "Unisex", "Travel", "bag", 0.3, kinds=("duffel",)),
    Line("Clutches", "Women", "Casual", "bag", 0.9, kinds=("clutch",)),
    Line("Belts", "Men", "Formal", "belt", 0.5, kinds=("plain",), colours=("black", "brown")),
    Line("Belts", "Women", "Casual", "belt", 0.5, kinds=("chain", "wide", "braided")),
    Line("Sunglasses", "Women", "Casual", "eyewear", 0.5, kinds=("cat-eye", "oversized")),
    Line("Sunglasses", "Men", "Sports", "eyewear", 0.5, kinds=("sport", "half-rim")),
    Line("Caps", "Unisex", "Casual", "hat", 0.9, kinds=("cap", "cap-side", "snapback")),
)  # fmt: skip
_SUMMERLY = ("Sandals", "Flip Flops", "Sunglasses", "Shorts", "Capris")
_WARM = ("knit", "cable-knit", "crochet", "fleece", "fur", "corduroy", "quilted")
_SHORT_SLEEVES = ("sleeveless", "cap", "short")


def sample_colour(generator: np.random.Generator, line: Line) -> str:
    """Return a key of `COLOURS` that the line comes in."""
    if line.colours:
        return line.colours[int(generator.integers(len(line.colours)))]
    return choose(generator, _WEIGHTS)


def sample_item(generator: np.random.Generator, line: Line, colour: str) -> Garment | Carried:
    """Return a product of the line whose main colour is a dye lot of `colour`."""
    kind = line.kinds[int(generator.integers(len(line.kinds)))] if line.kinds else ""
    if line.drawn in ("bag", "belt", "eyewear"):
        thing = sample_carried(generator, line.drawn, kind=kind)
        return replace(thing, fabric=fix_fabric(thing.fabric, {"colour": colour}, generator))
    cut = {name: choose(generator, dict.fromkeys(values.split(), 1))
           for name, values in line.cut.items()}  # fmt: skip
    garment = sample_garment(generator, line.drawn, fixed={**cut, "colour": colour})
    return replace(garment, kind=kind) if isinstance(garment, Shoes | Hat) else garment


def season_of(item: Garment | Carried, line: Line) -> str:
    """Return the season that an item is for, by its cloth and its sleeves."""
    if line.article in _SUMMERLY:
        return "Summer"
    if item.fabric.texture in _WARM or line.drawn == "outwear":
        return "Winter"
    if isinstance(item, Top) and item.fabric.pattern.name in ("floral", "polka-dots", "paisley"):
        return "Spring"
    if isinstance(item, Top) and item.sleeve_length in _SHORT_SLEEVES:
        return "Summer"
    if isinstance(item, Bottom) and line.article == "Skirts":
        return "Spring"
    return "Fall"
