"""Annotation files of CelebA at their published size; what they say is made up."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from bench_celeba.vocabulary import BINARY

IMAGES, IDENTITIES = 202_599, 10_177
# train, validation, test
PARTS = (162_770, 19_867, 19_962)


def write_published(root: Path) -> None:
    """Write Anno/list_attr_celeba.txt and the files of identities and of the partition."""
    generator = np.random.default_rng(0)
    names = [f"{number:06d}.jpg" for number in range(1, IMAGES + 1)]
    signs = np.where(generator.random((IMAGES, len(BINARY))) < 0.25, 1, -1)
    # each row as its 120 characters: three per value
    cells = np.where(signs[:, :, None] == 1, np.frombuffer(b"  1", np.uint8),
                     np.frombuffer(b" -1", np.uint8)).reshape(IMAGES, -1)  # fmt: skip
    heads = np.array([name.encode() for name in names]).view(np.uint8).reshape(IMAGES, -1)
    ends = np.full((IMAGES, 1), ord("\n"), np.uint8)
    rows = np.concatenate([heads, cells.astype(np.uint8), ends], axis=1)
    (root / "Anno").mkdir(parents=True)
    (root / "Eval").mkdir()
    head = f"{IMAGES}\n{''.join(f'{name} ' for name in BINARY)}\n"
    (root / "Anno" / "list_attr_celeba.txt").write_bytes(head.encode() + rows.tobytes())
    identities = generator.permutation(np.arange(IMAGES) % IDENTITIES) + 1
    parts = np.repeat(np.arange(len(PARTS)), PARTS)
    for file, numbers in (
        ("Anno/identity_CelebA", identities),
        ("Eval/list_eval_partition", parts),
    ):
        lines = map("{} {}\n".format, names, numbers.tolist())
        (root / f"{file}.txt").write_text("".join(lines))
