"""The twelve attributes of Shopping100k and their 151 values; a value's place is its class id.

The names of the values of gender and sport are in no source that could be checked: they are
numbered.
"""

from __future__ import annotations

from bench.catalog import Attribute, AttributeSchema

_VALUES = {
    "category": "coat, jacket, suit, shirt, t-shirt, jumper, shorts, trouser, jean, swimming, "
    "jumpsuit, pyjamas, tracksuit bottoms, tracksuit, skirt, dress",
    "collar": "buttondown, cutaway, high, hood, kent, lapel, lined, mandarin, polo, round, shawl, "
    "turndown, v-neck, peter pan, volant, shirt, chin",
    "color": "maroon, black, white, charcoal, indigo, navy, pink, light blue, blue, beige, orange, "
    "yellow, red, purple, brown, olive, green, gray, multi",
    "fabric": "canvas, crocheted, denim, fleece, hardshell, jersey, jersey lace, lace, mesh, "
    "mesh jersey, rib, softshell, sweat, leather",
    "fastening": "zip, back closure, belt, button, covered, hook, laces, no closure, front, others",
    "fit": "bootcut, flared, high waist, jeggings, large, loose, low, oversize, regular, skinny, "
    "slim, small, straight, tailered, tapered",  # "tailered" as published
    "gender": ", ".join(f"gender-{number}" for number in range(2)),
    "neckline": "boat, backless, cache-coeur, henley, low v-neck, low round, off-the-shoulder, "
    "round, square, v-neck, envelope",
    "pattern": "animal, burnout, camouflage, checked, colour gradient, colourful, floral, "
    "herringbone, marl, paisley, photo, pinstriped, plain, polka dot, print, striped",
    "pocket": "side, cargo, flap, napoleon, belt, sleeve, zip",
    "sleeve length": "3/4, spaghetti, sleeveless, elbow, extra long, extra short, long, short, "
    "strapless",
    "sport": ", ".join(f"sport-{number}" for number in range(15)),
}
SCHEMA = AttributeSchema(
    tuple(Attribute(name, tuple(values.split(", "))) for name, values in _VALUES.items())
)
SIZES = tuple(len(attribute.values) for attribute in SCHEMA.attributes)

# the file of each attribute; the names of the last two are not confirmed, so they may be absent
FILES = {
    attribute.name: f"Attributes/{attribute.name.replace('sleeve length', 'sleevelen')}.txt"
    for attribute in SCHEMA.attributes
}
OPTIONAL = ("gender", "sport")
