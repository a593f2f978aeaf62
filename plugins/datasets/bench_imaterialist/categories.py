"""The merge of the 105 published categories into 24 groups.

FashionSearchNet-v2 uses 24 categories but does not list them, so this merge is our own: garments
that a shop would put on one page. Shoes and what belongs to them are one group, boots another.
"""

from __future__ import annotations

GROUPS: dict[str, tuple[str, ...]] = {
    "t-shirts": ("T-Shirts",),
    "shirts": ("Athletic Shirts", "Casual Shirts", "Dress Shirts", "Jerseys", "Polos"),
    "tops": ("Batwing Tops", "Blouses", "Crop Tops", "Halter Tops", "Sheer Tops", "Tank Tops",
             "Tube Tops"),
    "sweaters": ("Cardigans", "Pullover Sweaters"),
    "sweatshirts": ("Hoodies & Sweatshirts",),
    "jackets": ("Jackets",),
    "coats": ("Bubble Coats", "Capes & Capelets", "Peacoats", "Raincoats", "Trench Coats"),
    "suits": ("Suits & Blazers", "Three Piece Suits"),
    "vests": ("Vests",),
    "dresses": ("Casual Dresses", "Dresses"),
    "formal dresses": ("Clubbing Dresses", "Cocktail Dresses", "Formal Dresses", "Party Dresses",
                       "Prom Dresses", "Wedding Dresses"),
    "skirts": ("Pencil Skirts", "Petticoats", "Skirts", "Tutus"),
    "jeans": ("Baggy Jeans", "Jeans", "Skinny Jeans"),
    "trousers": ("Athletic Pants", "Capri Pants", "Cargo Pants", "Casual Pants",
                 "Drawstring Pants", "Harem Pants", "Sweatpants", "Trousers"),
    "leggings": ("Leggings", "Yoga Pants"),
    "shorts": ("Athletic Shorts", "Cargo Shorts", "Casual Shorts", "Shorts"),
    "jumpsuits": ("Bodysuits", "Jumpsuits Overalls & Rompers"),
    "swimwear": ("Beach & Swim Wear", "Bikinis", "Swim Trunks", "Swimsuit Cover-ups", "Swimsuits"),
    "underwear": ("Binders", "Bra Straps", "Corsets", "Lingerie Sleepwear & Underwear",
                  "Padded Bras", "Pasties", "Sports Bras", "Thermal Underwear", "Thongs",
                  "Undershirts", "Underwear"),
    "sleepwear": ("Nightgowns", "Pajamas", "Robes"),
    "hosiery": ("Hosiery, Stockings, Tights", "Thigh Highs"),
    "boots": ("Boots", "Hiking Boots", "Rain Boots", "Winter Boots"),
    "shoes": ("Business Shoes", "Casual Shoes", "Cleats", "Flats", "Heels",
              "Loafers & Slip-on Shoes", "Running Shoes", "Sandals", "Shoe Accessories",
              "Shoe Inserts", "Shoelaces", "Slippers", "Sneakers", "Stilettos",
              "Wedges & Platforms"),
    "other": ("Athletic Sets", "Costumes & Cosplay", "Custom Made Clothing", "Dance Wear",
              "Fashion Sets", "Jilbaab", "Kimonos", "Maternity", "Uniforms"),
}  # fmt: skip

CATEGORIES = tuple(GROUPS)
GROUP_OF = {name: group for group, names in GROUPS.items() for name in names}
