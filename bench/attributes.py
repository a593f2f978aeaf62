"""The single-valued attributes of a catalog that a method learns: names, sizes, labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bench.catalog import Catalog
from bench.errors import IncompatibleError, UnknownNameError
from bench.tasks import Rows


@dataclass(frozen=True)
class Attributes:
    """The attributes, how many values each has, and every image's: int64 (N, A), -1 unknown."""

    names: tuple[str, ...]
    sizes: tuple[int, ...]
    values: npt.NDArray[np.int64]

    @classmethod
    def of(
        cls, catalog: Catalog, training: Rows, *, method: str, wanted: Sequence[str] = ()
    ) -> Attributes:
        """Return those that training images have values of, all or the wanted ones.

        Raises `UnknownNameError` for a wanted name that is none, `IncompatibleError`, which names
        the method, where there is nothing to learn.
        """
        if not len(training):
            raise IncompatibleError(
                f"{method} learns from the training images of a protocol; that of "
                f"{catalog.dataset} has none, choose another --protocol"
            )
        found = catalog.single_valued(training)
        for name in wanted:
            if name not in found:
                raise UnknownNameError(f"single-valued attribute of {catalog.dataset}", name, found)
        names = tuple(name for name in found if not wanted or name in wanted)
        if not names:
            raise IncompatibleError(
                f"{method} learns attributes; the {len(training):,} training images of "
                f"{catalog.dataset} have no single-valued one"
            )
        columns = [found[name] for name in names]
        sizes = tuple(len(catalog.schema.attributes[column].values) for column in columns)
        return cls(names, sizes, catalog.labels()[:, columns])

    def number(self, name: str, *, method: str) -> int:
        """Return the place of an attribute; raises `IncompatibleError` if it is none of these."""
        if name not in self.names:
            raise IncompatibleError(f"{method} has learnt {', '.join(self.names)}, not {name}")
        return self.names.index(name)

    def start(self, name: str) -> int:
        """Return the place of an attribute's first value among the values of all."""
        return sum(self.sizes[: self.names.index(name)])
