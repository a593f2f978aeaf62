"""The attributes of the dataset, and those of them that a dress can have."""

from __future__ import annotations

import numpy as np

from bench.catalog import Catalog

ATTRIBUTE = "attribute"  # in the catalog, all attributes are values of this one
COLOUR = "colour"
DRESSES = "WOMEN/Dresses"


def dress_vocabulary(catalog: Catalog) -> tuple[str, ...]:
    """Return the attributes that one dress at least has, in the file's order.

    Dresses of all splits count: 336 of the 463 attributes in the count of the multi-attribute
    paper. Empty for a release without attributes.
    """
    if not any(attribute.name == ATTRIBUTE for attribute in catalog.schema.attributes):
        return ()
    values = catalog.schema.attribute(ATTRIBUTE).values
    columns = catalog.schema.columns(ATTRIBUTE)
    on_dresses = catalog.present[catalog.rows(category=DRESSES), columns].any(axis=0)
    return tuple(values[place] for place in np.flatnonzero(on_dresses))
