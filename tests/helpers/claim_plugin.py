"""A plugin file with the method `toy` and its claims, for tests that make its runs up."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from run_folders import Columns, write_run

from bench.records import Record

PLUGIN = """
from bench import hookimpl
from bench.interfaces import MethodSpec, MetricSpec
from bench.recipes import Recipe

class Inner(Recipe):
    epochs: int = 14

class Toy(Recipe):
    stage: str = "pooled"
    distance: str = "cosine"
    inner: Inner = Inner()

def build(*_):
    raise AssertionError("claims are checked without building anything")

def holds():
    return "held", "39.3 [times] smaller"

def seed_is_even(run, record):
    assert (run / "record.json").is_file()
    return ("reversed" if record.seed % 2 else "held"), f"seed {record.seed}"

@hookimpl
def register_methods():
    return [MethodSpec(
        "toy", "a method of which only records exist", lambda: Toy, build,
        variants={"base": ("", {}), "good": ("", {"distance": "euclidean"}), "wide": ("", {})},
        budgets={"mini": {"inner": {"epochs": 2}}},
    ), MethodSpec("rival", "another paper's", lambda: Toy, build, variants={"old": ("", {})})]

@hookimpl
def register_metrics():
    return [MetricSpec("toy-rank", "", "", build, lambda k, most: 1, higher_is_better=False)]
"""


def write_plugin(folder: Path, *claims: Sequence[Mapping[str, Any]]) -> Path:
    """Write the plugin and its claims C-1, C-2 …, each with these checks; return the plugin."""
    folder.mkdir(exist_ok=True)
    lines = ['method = "toy"']
    for number, checks in enumerate(claims, 1):
        lines += ["[[claim]]", f'id = "C-{number}"', f'text = "the [{number}] claim"']
        lines += ['source = "Table I"', 'reported = "0.5 against 0.4"']
        for check in checks:
            lines += ["[[claim.check]]", *(f"{n} = {_toml(value)}" for n, value in check.items())]
    (folder / "claims.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")
    plugin = folder / "toy_claims.py"
    plugin.write_text(PLUGIN, encoding="utf-8")
    return plugin


def _toml(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f'"{name}" = {_toml(part)}' for name, part in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_toml(part) for part in value) + "]"
    return json.dumps(value)


def write_toy_run(
    make_record: Callable[..., Record],
    runs: Path,
    values: Columns,
    *,
    variant: str = "base",
    method: str = "toy",
    dataset: str = "inshop",
    edition: str = "full",
    protocol: str = "dress/dress-gallery",
    seed: int = 0,
    recipe: Mapping[str, Any] | None = None,
    curves: Mapping[str, Sequence[float]] | None = None,
    folder: str = "",
    finished: str = "2025-01-31T12:00:00+00:00",
    **changes: Any,
) -> Path:
    """Write a finished run of the toy, its recipe that of the variant but for `recipe`."""
    from bench import records

    place = runs / f"{dataset}@{edition}" / f"{method}--{variant}" / (
        folder or f"{protocol.replace('/', '--')}--seed{seed}"
    )  # fmt: skip
    made = {"stage": "pooled", "distance": "euclidean" if variant == "good" else "cosine",
            "inner": {"epochs": 2 if changes.get("budget") == "mini" else 14}}  # fmt: skip
    write_run(
        make_record, place, values, method=method, variant=variant, seed=seed, protocol=protocol,
        dataset={"name": dataset, "edition": edition} | changes.pop("data", {}),
        recipe=made | dict(recipe or {}), cost={"finished": finished}, **changes,
    )  # fmt: skip
    if curves is not None:
        record = records.Record.read(place / "record.json")
        tasks = [task.model_copy(update={"curves": dict(curves)}) for task in record.tasks]
        records.finish(place, record.model_copy(update={"tasks": tasks}))
    return place
