"""What decides claims of the paper beside comparisons of runs: records, rankings, gradients."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow.parquet as pq

from bench.errors import RecordError
from bench.records import Record

Verdict = tuple[Literal["held", "reversed"], str]
NEIGHBOURS = 10


def below_ninety(run: Path, record: Record) -> Verdict:
    """Return whether the mean of hit@20 over the attributes is below 0.9."""
    del run
    found = record.mean["hit@20"].mean
    return ("held" if found < 0.9 else "reversed", f"hit@20 {found:.3f}")


def masks_change_neighbours(run: Path, record: Record) -> Verdict:
    """Return whether images that are asked about in two attributes have other neighbours in each.

    A picture that stands under two names, as in FashionAI, is not seen as one here.
    """
    del record
    table = pq.read_table(run / "rankings.parquet", filters=[("rank", "<=", NEIGHBOURS)])
    found = table.to_pandas().groupby(["query", "task"])["gallery"].agg(frozenset)
    shares = [
        len(first & second) / NEIGHBOURS
        for _, of_query in found.groupby(level="query")
        for first, second in combinations(of_query, 2)
    ]
    if not shares:
        raise RecordError("no image is asked about in two attributes; these data cannot tell")
    mean = float(np.mean(shares))
    text = (
        f"of {NEIGHBOURS} neighbours {mean:.0%} are the same, over {len(shares):,} pairs of masks"
    )
    return ("held" if mean < 1 else "reversed", text)


def unlabelled_heads_rest() -> Verdict:
    """Return whether the heads of attributes without a label get exactly no gradient."""
    import torch

    from bench_mtl_csn.losses import recognition

    heads = [torch.nn.Linear(8, 3) for _ in range(8)]
    labels = torch.full((4, 8), -1)
    labels[:, 2] = torch.tensor([0, 1, 2, 0])
    f = torch.randn(4, 8, generator=torch.Generator().manual_seed(0))
    loss = recognition([head(f) for head in heads], labels, [3] * 8).sum()
    torch.autograd.backward(loss)
    moved = [
        number for number, head in enumerate(heads)
        if head.weight.grad is not None and bool(head.weight.grad.any())
    ]  # fmt: skip
    text = f"labels of attribute 2: gradients in the heads of {', '.join(map(str, moved))}"
    return ("held" if moved == [2] else "reversed", text)
