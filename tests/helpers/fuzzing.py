"""What the tests of parsers share: files that are anything, and what may come of them."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from hypothesis import strategies as st

from bench.errors import DataError

anything = st.binary(max_size=60) | st.text(st.characters(codec="utf-8")).map(str.encode)


def mutated(text: str, *pieces: bytes) -> st.SearchStrategy[bytes]:
    """Return a good file with up to twelve bytes of it replaced, often by one of the pieces."""
    content = text.encode()
    common = (b"", b"\n", b"\r", b"\n\n", b"\xff", b"\0", b"-1", b"9" * 30)
    piece = st.sampled_from([*common, *pieces]) | st.binary()
    places = st.tuples(st.integers(0, len(content)), st.integers(0, 12), piece)
    return places.map(lambda p: content[: p[0]] + p[2] + content[p[0] + p[1] :])


def read_or_refuse(
    name: str, content: bytes, read: Callable[[Path], object], *, beside: bool = False
) -> None:
    """Read a file of this content; nothing but one line that names it may come out.

    With `beside`, the line may name another file of the folder, which does not fit this one.
    """
    file = Path(os.environ["BENCH_CACHE"]).parent / name  # each test has a cache folder of its own
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    refusal = f"{file}:"
    try:
        read(file)
    except DataError as error:
        refusal = str(error)
    assert refusal.startswith(str(file.parent if beside else file))
    assert len(refusal.splitlines()) == 1
