"""A plugin-based benchmark harness for fashion and fine-grained image retrieval.

`hookimpl` marks the functions by which a plugin registers its parts; `bench.hookspecs` lists
them and `bench.interfaces` says what each part must do. Importing `bench` imports no torch.
"""

from __future__ import annotations

import pluggy

hookimpl = pluggy.HookimplMarker("bench")

__all__ = ["hookimpl"]
