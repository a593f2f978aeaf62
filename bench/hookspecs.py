"""Every hook that a plugin may implement: the whole contract between `bench` and its plugins.

A plugin is a module (or a package's `__init__`) with some of these functions, each marked
`@bench.hookimpl`, and named by an entry point in the group `bench`. Each hook is called once, when
the plugins are loaded, and returns specs: frozen dataclasses of facts and builders
(`bench.interfaces`). A plugin must not import torch at its top; its builders may.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from bench.interfaces import (
        BackboneSpec,
        DatasetSpec,
        DetectorSpec,
        HeadSpec,
        LossSpec,
        MethodSpec,
        MetricSpec,
    )

hookspec = pluggy.HookspecMarker("bench")


@hookspec
def register_datasets() -> Iterable[DatasetSpec]:  # type: ignore[empty-body]
    """Return the datasets of this plugin: where their files are, and how they become a catalog."""


@hookspec
def register_methods() -> Iterable[MethodSpec]:  # type: ignore[empty-body]
    """Return the methods of this plugin: a paper's networks, with their variants and recipes."""


@hookspec
def register_backbones() -> Iterable[BackboneSpec]:  # type: ignore[empty-body]
    """Return backbones: images in, named feature maps out, with weights and preprocessing."""


@hookspec
def register_heads() -> Iterable[HeadSpec]:  # type: ignore[empty-body]
    """Return heads: named feature maps in, vectors or logits out."""


@hookspec
def register_losses() -> Iterable[LossSpec]:  # type: ignore[empty-body]
    """Return losses: outputs and targets in, a value for each example out."""


@hookspec
def register_metrics() -> Iterable[MetricSpec]:  # type: ignore[empty-body]
    """Return metrics: a ranking in, one value per query out."""


@hookspec
def register_detectors() -> Iterable[DetectorSpec]:  # type: ignore[empty-body]
    """Return detectors: a photograph in, boxes of garments out."""
