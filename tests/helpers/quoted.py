"""Tables of measured numbers in Markdown pages: made from the CSV files of the leaderboards.

A page says in a comment what it wants, in TOML; what stands between this and the end is made:

    <!-- measured
    metric = "hit@20"
    columns = ["celeba@mini/manipulation", "darn@mini/manipulation"]
    rows = ["pretrained", "fashionsearchnet rank-lg"]
    -->
    …
    <!-- end -->

A row is a method and its variant, a column a protocol with the `metric`, `PROTOCOL METRIC`, or
`PROTOCOL METRIC TASK`; without a task it is the first of the CSV file, the mean over several. With
`seeds` a column is made for each seed. `settings` are those of the rows, as a leaderboard names
them where runs of one variant differ. Cells are means over seeds, with `intervals` the means of the
ends of their intervals besides.
`python tests/helpers/quoted.py` writes every such table anew.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from tabulate import tabulate

REPOSITORY = Path(__file__).resolve().parents[2]
BLOCK = re.compile(r"(<!-- measured\n(.*?)-->\n).*?(<!-- end -->)", re.DOTALL)


def pages() -> list[Path]:
    """Return every Markdown page but those of the leaderboards themselves."""
    found = [*REPOSITORY.glob("*.md"), *(REPOSITORY / "docs").glob("*.md")]
    return sorted([*found, *(REPOSITORY / "plugins").rglob("*.md")])


def made(text: str) -> str:
    """Return a page with every table made from the leaderboards."""
    return BLOCK.sub(lambda m: f"{m[1]}{_table(tomllib.loads(m[2]))}\n{m[3]}", text)


def _table(wanted: dict[str, Any]) -> str:
    metric = [wanted["metric"]] if "metric" in wanted else []
    columns = [[*column.split(), *metric] for column in wanted["columns"]]
    seeds = [[seed] for seed in wanted.get("seeds", [])] or [None]
    header = ["", *(
        " ".join([f"`{column[0]}`", *column[1 : None if not metric else 1],
                  *([f"seed {of[0]}"] if of else [])])
        for column in columns for of in seeds
    )]  # fmt: skip
    rows = [
        [f"`{name}`", *(_cell(name, column, of, wanted) for column in columns for of in seeds)]
        for name in wanted["rows"]
    ]
    return tabulate(rows, header, tablefmt="github", disable_numparse=True)


def _cell(
    name: str, column: Sequence[str], seeds: Iterable[int] | None, wanted: dict[str, Any]
) -> str:
    method, _, variant = name.partition(" ")
    protocol, metric, *of_task = column
    table = pd.read_csv(REPOSITORY / "leaderboards" / f"{protocol}.csv", keep_default_na=False)
    task = of_task[0] if of_task else table["task"].iloc[0]
    rows = table[(table["method"] == method) & (table["variant"] == (variant or "default"))
                 & (table["metric"] == metric) & (table["task"] == task)]  # fmt: skip
    if (rows["weights"] != "none").any():  # networks of random weights are for comparison
        rows = rows[rows["weights"] != "none"]
    rows = rows[rows["settings"].isin(["", *wanted.get("settings", [])])]
    if seeds is not None:
        rows = rows[rows["seed"].isin(list(seeds))]
    if rows.empty:
        return "–"
    if rows["budget"].nunique() > 1 or rows["seed"].duplicated().any():
        raise ValueError(f"{name} in {protocol}: rows of several settings; say which")
    numbers = rows[["mean", "low", "high"]].astype(float).mean()
    mean = f"{numbers['mean']:.3f}"
    interval = f" [{numbers['low']:.3f}, {numbers['high']:.3f}]"
    return mean + (interval if wanted.get("intervals") else "")


if __name__ == "__main__":
    for page in pages():
        text = page.read_text(encoding="utf-8")
        page.write_text(made(text), encoding="utf-8")
