"""Training and validation images; the published data name none."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from bench.pictures import hash_order

TRAINING_SHARE = 0.7


def divide(
    ids: Sequence[str], pictures: Sequence[str], strata: npt.NDArray[np.int64]
) -> npt.NDArray[np.object_]:
    """Return "train" or "validation" for each row, (N,): 70 % of the pictures of each stratum.

    Rows of one picture go together. It counts in the stratum of its row with the smallest id, and
    its place in the stratum's order is the hash of that id.
    """
    rows = pd.DataFrame({"id": ids, "picture": pictures, "stratum": strata})
    first = rows.sort_values("id").drop_duplicates("picture")
    first = first.iloc[hash_order(first["id"].tolist(), salt="fashionai")]
    strata_of_first = first.groupby("stratum")["id"]
    wanted = (strata_of_first.transform("size") * TRAINING_SHARE).round()
    trained = first["picture"][strata_of_first.cumcount() < wanted]
    return np.where(rows["picture"].isin(trained), "train", "validation").astype(object)
