"""What a user can get wrong. The command line prints one line and no traceback.

    UserError
    ├── UnknownNameError     no plugin, option or field has that name
    ├── IncompatibleError    a method, dataset, protocol or device that do not fit together
    ├── DataError            a dataset that is absent, incomplete or malformed
    │   └── DamagedImageError
    ├── WeightsError         weights that are absent, cannot be downloaded or do not fit
    └── RecordError          a record or table that does not hold together

Every message says what was given, what was expected and what to do. Any other exception is a
defect of the harness or of a plugin and keeps its traceback.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class UserError(Exception):
    """Something that the user can put right; `str(error)` is one line."""


class UnknownNameError(UserError):
    """A name that nothing has; the message offers the nearest ones."""

    def __init__(self, kind: str, name: str, known: Iterable[str], hint: str = "") -> None:
        names = sorted(known)
        near = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
        if near:
            advice = f"did you mean {' or '.join(near)}?"
        elif names:
            shown = ", ".join(names[:12]) + (", …" if len(names) > 12 else "")
            advice = f"there are: {shown}"
        else:
            advice = "there is none"
        super().__init__(f"unknown {kind} {name!r}; {advice}" + (f" ({hint})" if hint else ""))


class IncompatibleError(UserError):
    """Parts that cannot work together, refused before any work."""


class DataError(UserError):
    """Data that is absent, incomplete or malformed."""


class DamagedImageError(DataError):
    """An image file that cannot be decoded."""


class WeightsError(UserError):
    """Weights that are absent, cannot be downloaded or do not fit the network."""


class RecordError(UserError):
    """A record or a leaderboard that does not hold together."""
