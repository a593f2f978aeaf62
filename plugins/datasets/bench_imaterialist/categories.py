"""The merge of the published category names into 24 groups.

FashionSearchNet-v2 uses 24 categories but does not list them, so this merge is our own. It is by
rules and not by a table of the 105 published names, so that a spelling which differs from the one
we know ("T-Shirts", "Tshirts", "Tees") still meets its group.
"""

from __future__ import annotations

import re

OTHER = "other"

# the first rule one of whose words stands in a name decides; "dress" must not claim a dress shirt
_RULES = (
    ("costumes", "costume, cosplay, uniform, scrubs, dance wear, dancewear, leotard, unitard, "
     "tutu, kimono, sari, cheongsam, hanbok"),
    ("swimwear", "swim, swimwear, swimsuit, bikini, tankini, monokini, board short, boardshort, "
     "rash guard, rashguard, sarong, cover up, coverup, beachwear, wetsuit"),
    ("underwear", "underwear, undershirt, lingerie, intimate, bra, bralette, brief, boxer, thong, "
     "g string, panty, panties, corset, bustier, garter, garter belt, chemise, babydoll, "
     "baby doll, teddy, teddies, shapewear, shaper, girdle, binder, bloomer, petticoat, "
     "long john, thermal"),
    ("sleepwear", "sleepwear, pajama, pyjama, nightgown, nightshirt, nightwear, night dress, robe, "
     "bathrobe, dressing gown, loungewear"),
    ("hosiery", "hosiery, stocking, tights, sock, pantyhose, leg warmer, legwarmer"),
    ("shoes", "shoe, boot, bootie, sandal, sneaker, flat, heel, pump, loafer, slipper, slip on, "
     "oxford, clog, moccasin, wedge, platform, mule, espadrille, flip flop, footwear"),
    ("shirts", "dress shirt"),
    ("trousers", "dress pants"),
    ("formal dresses", "formal dress, evening dress, cocktail dress, prom dress, wedding dress, "
     "bridal dress, bridesmaid dress, party dress, clubbing dress, club dress, "
     "special occasion dress, gown"),
    ("dresses", "dress, sundress"),
    ("skirts", "skirt, skort, miniskirt"),
    ("jumpsuits", "jumpsuit, romper, playsuit, overall, coverall, bodysuit, onesie"),
    ("sweatshirts", "hoodie, sweatshirt, tracksuit, track suit, sweatsuit"),
    ("vests", "vest, waistcoat, gilet"),
    ("suits", "suit, pantsuit, tuxedo, blazer, sport coat"),
    ("sweaters", "sweater, cardigan, pullover, jumper, knitwear, turtleneck"),
    ("coats", "coat, trench, trench coat, parka, peacoat, overcoat, raincoat, cape, capelet, "
     "poncho, cloak"),
    ("jackets", "jacket, windbreaker, bomber, anorak, outerwear, fleece"),
    ("t-shirts", "t shirt, tshirt, tee"),
    ("tank tops", "tank, camisole, crop top, halter, tube top"),
    ("shirts", "shirt, blouse, polo, tunic, top, henley, jersey"),
    ("shorts", "short"),
    ("jeans", "jean, denim"),
    ("leggings", "legging, jegging, yoga pants"),
    ("trousers", "pants, pant, trouser, chino, slacks, khaki, capri, sweatpants, jogger"),
)  # fmt: skip

CATEGORIES = (*dict.fromkeys(group for group, _ in _RULES), OTHER)

_PATTERNS = tuple(
    (group, re.compile(rf"\b(?:{'|'.join(words.split(', '))})(?:s|es)?\b"))
    for group, words in _RULES
)


def merged_category(name: str) -> str:
    """Return the group, one of `CATEGORIES`, of a published category name; "other" for none."""
    plain = re.sub(r"[^a-z0-9]+", " ", name.lower())
    return next((group for group, pattern in _PATTERNS if pattern.search(plain)), OTHER)
