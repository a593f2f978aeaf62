"""`bench claims`: what finished runs say of a paper's claims."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli.options import PluginFiles, load_registry

if TYPE_CHECKING:
    from rich.console import Console

    from bench.claims import Decision, Verdicts

COLOURS = {"held": "green", "reversed": "red", "undecided": "yellow", "not checkable": "dim"}


def command(
    method: Annotated[str, typer.Argument(help="A method; all that have claims if left out.")] = "",
    dataset: Annotated[str, typer.Option(help="Only claims about this dataset.")] = "",
    runs: Annotated[
        Path, typer.Option(help="The folder of run folders, or one of leaderboards.")
    ] = Path("runs"),
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Also write every comparison to this JSON file.")
    ] = None,
    plugin: PluginFiles = [],  # noqa: B006 (typer reads the default and never changes it)
) -> None:
    """Check the claims of papers on finished runs: held, reversed, undecided or not checkable.

    Only runs that share edition, budget, precision and recipe are compared.
    """
    registry = load_registry(plugin)
    from rich.console import Console

    from bench.claim_files import claims_of, datasets
    from bench.claim_runs import Finished, among, in_folder
    from bench.claims import evaluate
    from bench.errors import UnknownNameError, UserError
    from bench.leaderboard import stored_below
    from bench.storage import write_text

    asked = [registry.method(method)] if method else registry.all("methods").values()
    claims = {spec.name: of_one for spec in asked if (of_one := claims_of(registry, spec))}
    if not claims:
        whose = f"method {method} has no" if method else "no method has"
        raise UserError(f"{whose} claims; expected claims.toml beside the module of its plugin")
    known = {
        name
        for of_one in claims.values()
        for claim in of_one
        for check in claim.checks
        for name in datasets(check)
    }
    if dataset and dataset not in known:
        raise UnknownNameError("dataset of these claims", dataset, known)
    if not runs.is_dir():
        raise UserError(f"--runs {runs}: no such folder; expected one that `bench run` has made")
    source = in_folder(runs)
    if (runs / "records").is_dir():
        source = among([Finished(one.place, one.record) for one in stored_below(runs)])
    found = [
        verdicts
        for name, of_one in claims.items()
        for verdicts in evaluate(registry.method(name), of_one, registry, source, dataset)
    ]
    if json_file is not None:
        text = json.dumps([asdict(verdicts) for verdicts in found], indent=2, allow_nan=False)
        write_text(json_file, text + "\n")
    console = Console(soft_wrap=True, highlight=False)
    for verdicts in found:
        _print(verdicts, console)


def _print(verdicts: Verdicts, console: Console) -> None:
    """Print a setting's verdicts; drawn data are named in the heading and in each row."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    setting = verdicts.setting
    made = [f"{setting.edition} editions", f"budget {setting.budget}", setting.precision]
    made += [f"{name}={value}" for name, value in setting.recipe.items()]
    made += [f"option {name}={value}" for name, value in setting.options.items()]
    made += [f"backbone {name}" for name in verdicts.backbones]
    heading = ", ".join(made) if verdicts.runs else "no finished run that a claim is about"
    console.print(f"[bold]{escape(verdicts.method)}[/bold]: {escape(heading)}")
    if setting.edition == "mini":
        console.print("[bold yellow]drawn pictures: these verdicts say nothing about real "
                      "photographs[/bold yellow]")  # fmt: skip
    table = Table(show_lines=True)
    for name in ("claim", "verdict", "what is claimed, and what was found"):
        table.add_column(name)
    for decision in verdicts.decisions:
        where = ", ".join(decision.datasets)
        colour = COLOURS[decision.verdict]
        table.add_row(
            escape(decision.claim), f"[{colour}]{decision.verdict}[/{colour}]",
            f"{escape(decision.text)}\n{escape(f'{where}: ' if where else '')}"
            f"{escape(_found(decision))}",
        )  # fmt: skip
    # narrower, a table is hard to read; what a file or a pipe gets has no width of its own
    Console(width=max(console.width, 120), highlight=False).print(table)
    verdict_counts = Counter(decision.verdict for decision in verdicts.decisions)
    console.print(", ".join(f"{n} {verdict}" for verdict, n in verdict_counts.items()) + "\n")


def _found(decision: Decision) -> str:
    """Return the decisive comparison and, where there are several, how many agree with it."""
    decisive = decision.decisive
    text = f"{decisive.what}: {decisive.found}" if decisive.what else decisive.found
    several = len(decision.comparisons)
    if several == 1:
        return text
    same = sum(found.verdict == decision.verdict for found in decision.comparisons)
    return f"{text} ({same} of {several} comparisons {decision.verdict})"
