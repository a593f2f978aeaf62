"""The scan of codes by torch, for a device that has no compiled scan: a GPU.

The same codes and the same bounds; what they keep is scored exactly on the CPU, so the ranking is
the same as everywhere. Integer products are exact on tensor cores too. A float32 product is asked
for in full precision, never TF32.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from bench.search.codes import LOW, Asking, Codes, gallery_sides
from bench.search.exact import Positions
from bench.search.products import integer_products
from bench.search.scan import CAUTION, Kept

TILE = 1 << 25  # products that the device holds at once


def scan(
    kept: Kept, asking: Asking, codes: Codes, device: str,
    *, first: int, own: Positions, depth: int,
) -> None:  # fmt: skip
    """Take in the gallery rows of `codes`, which begin at row `first`."""
    import torch

    def there(array: Any) -> Any:
        return torch.from_numpy(np.ascontiguousarray(array)).to(device)

    queries, values = there(asking.codes.values), there(codes.values)
    sides = there(gallery_sides(asking.coding, codes))
    tilt, along, off = (there(s)[:, None] for s in (asking.tilt, asking.along, asking.off))
    ignored, count = there(own), len(asking)
    best = there(kept.guess)[:, None]
    step = max(32, TILE // len(queries) // 32 * 32)
    for at in range(0, len(codes), step):
        scale, gallery_tilt, residual, length = sides[:, at : at + step]
        width = len(scale)
        about = _products(asking, queries, values[at : at + step])[:count, :width]
        about = about * scale + gallery_tilt * tilt
        reach = residual * along + length * off
        upper, about = about + reach, about - float(CAUTION) * reach
        unknown = ~torch.isfinite(upper)
        upper = upper.masked_fill(unknown, torch.inf)
        columns = torch.arange(first + at, first + at + width, device=device)
        mine = columns == ignored[:, None]
        about = about.masked_fill(unknown | mine, -torch.inf)
        best = torch.cat([best, about], dim=1)
        best = best.topk(min(depth, best.shape[1]), dim=1).values
        if best.shape[1] == depth:
            np.maximum(kept.guess, best[:, -1].cpu().numpy(), out=kept.guess)
        # where a bar is not a number, nothing is below it
        rows, places = (~(upper < there(kept.bars())[:, None]) & ~mine).nonzero(as_tuple=True)
        kept.add(
            rows.cpu().numpy(), (places + first + at).cpu().numpy(),
            upper[rows, places].cpu().numpy(), about[rows, places].cpu().numpy(), depth,
        )  # fmt: skip


def _products(asking: Asking, queries: Any, gallery: Any) -> Any:
    """Return the products of codes (q', W) and (g', W), float32, both digits taken together."""
    import torch

    coding = asking.coding
    if coding.distance == "intersection":  # Σ min(x, y) = (|x|₁ + |y|₁ − |x − y|₁) / 2
        sums = queries.sum(dim=1)[:, None] + gallery.sum(dim=1)
        return (sums - torch.cdist(queries, gallery, p=1)) / 2
    if not coding.digits:
        asked = torch.get_float32_matmul_precision()
        torch.set_float32_matmul_precision("highest")
        try:
            return queries @ gallery.T
        finally:
            torch.set_float32_matmul_precision(asked)
    shape = (len(queries), len(gallery))
    room = {"dtype": torch.int32, "device": queries.device}
    out = [torch.empty(shape, **room) for _ in range(coding.digits)]
    integer_products(queries, gallery, out)
    first = out[0].to(torch.float32)
    return first if coding.digits == 1 else first + float(LOW) * out[1].to(torch.float32)
