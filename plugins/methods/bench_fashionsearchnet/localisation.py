"""Where an attribute is: its activation map, the largest part of it, and what is seen there.

All is batched over images and attributes. A traced network takes a number of operations that hangs
on the size of the map alone.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def boxes_of(maps: Tensor, threshold: float = 0.2) -> Tensor:
    """Return a box for each map (N, h, w), as shares of its sides: left, top, right, bottom (N, 4).

    It goes around the largest part, joined along sides or corners, of the cells that have more than
    `threshold` of the map's maximum; of two equally large ones, around that with the first cell. A
    map without a positive value gives the whole (section 3.2, the threshold of Zhou et al., CAM).
    """
    count, height, width = maps.shape
    peak = maps.amax(dim=(1, 2), keepdim=True)
    mask = (maps > threshold * peak) & (peak > 0)
    labels = components(mask).reshape(count, -1).long()
    # cells of each part, (N, h·w + 1); those outside of all parts count for nothing
    sizes = labels.new_zeros(count, height * width + 1)
    sizes = sizes.scatter_add(1, labels, (labels > 0).long())
    largest = sizes.gather(1, labels).argmax(dim=1, keepdim=True)
    chosen = (labels == labels.gather(1, largest)) & (labels > 0)
    chosen = chosen.reshape(count, height, width)
    chosen = chosen | ~chosen.any(dim=2, keepdim=True).any(dim=1, keepdim=True)
    left, right = _ends(chosen.any(dim=1))
    top, bottom = _ends(chosen.any(dim=2))
    return torch.stack([left / width, top / height, right / width, bottom / height], dim=1)


def components(mask: Tensor) -> Tensor:
    """Return the part that each cell of a mask (N, h, w) belongs to, as float (N, h, w).

    Cells that touch by sides or corners have one number, the largest among theirs, counted down
    from h·w in reading order; others than those of the mask have 0.
    """
    height, width = mask.shape[1:]
    cells = height * width
    numbers = torch.arange(cells, 0, -1, device=mask.device, dtype=torch.float32)
    # masks as channels, the last in memory: then one instruction compares cells of many masks
    shown = mask[None].float().contiguous(memory_format=torch.channels_last)
    labels = numbers.reshape(1, 1, height, width) * shown
    # a traced network cannot look whether anything still changes
    traced = torch.jit.is_tracing()  # type: ignore[attr-defined, no-untyped-call]
    # a number walks one cell a step; no path through a mask is longer than half of the cells, but
    # for the corners that a winding one cuts
    for _ in range((cells + 1) // 2 + 1):
        before, labels = labels, F.max_pool2d(labels, 3, 1, 1) * shown
        if not traced and torch.equal(labels, before):
            break
    return labels[0]


def _ends(shown: Tensor) -> tuple[Tensor, Tensor]:
    """Return the first and one past the last place that is true in (N, n), as float (N,)."""
    length = shown.shape[1]
    places = torch.arange(length, device=shown.device, dtype=torch.float32)
    first = torch.where(shown, places, float(length)).amin(dim=1)
    last = torch.where(shown, places + 1, 0.0).amax(dim=1)
    return first, last


def crop_and_resize(features: Tensor, boxes: Tensor, grid: int) -> Tensor:
    """Return features (B, C, h, w) inside boxes (B, A, 4), resized to (B, A, C, grid, grid).

    Bilinear, at the middles of the grid's cells, as shares of the map's sides; beyond the middle of
    the outermost cells of the map these are repeated. Gradients reach the features alone.
    """
    height, width = features.shape[2:]
    boxes = boxes.detach()
    across = _weights(boxes[..., 0], boxes[..., 2], width, grid)  # (B, A, grid, w)
    down = _weights(boxes[..., 1], boxes[..., 3], height, grid)
    # how much each cell of the map counts for each place of the grid, (B, A · grid², h · w)
    weights = (down[..., :, None, :, None] * across[..., None, :, None, :]).flatten(4).flatten(1, 3)
    places = torch.bmm(weights, features.permute(0, 2, 3, 1).flatten(1, 2))
    split = places.reshape(len(places), -1, grid, grid, places.shape[2])
    return split.permute(0, 1, 4, 2, 3)


def _weights(start: Tensor, end: Tensor, length: int, grid: int) -> Tensor:
    """Return how much each of the cells counts for each place, (…, grid, length)."""
    steps = (torch.arange(grid, device=start.device, dtype=start.dtype) + 0.5) / grid
    at = (start[..., None] + (end - start)[..., None] * steps) * length - 0.5
    at = at.clamp(0, length - 1)
    cells = torch.arange(length, device=start.device, dtype=start.dtype)
    return (1 - (at[..., None] - cells).abs()).clamp(min=0)
