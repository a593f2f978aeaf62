"""`bench data`: which datasets there are, how to get them, whether they are whole."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli.options import DataRoot, DatasetOptions, EditionName, PluginFiles, load_registry
from bench.errors import DataError, UserError

if TYPE_CHECKING:
    from bench.audit import Audit
    from bench.editions import Edition

app = typer.Typer(help="Obtain, check and draw datasets.", no_args_is_help=True)
Name = Annotated[str, typer.Argument(help="A dataset; `bench data list` shows all.")]


@app.command("list")
def list_datasets(data_root: DataRoot = None, plugin: PluginFiles = []) -> None:  # noqa: B006
    """List datasets: published size, licence, and whether they are here."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from bench.storage import default_data_root

    registry = load_registry(plugin)
    root = data_root or default_data_root()
    table = Table(box=None, pad_edge=False)
    table.add_column("dataset", no_wrap=True)
    table.add_column("images", justify="right", no_wrap=True)
    table.add_column("licence")
    table.add_column("here", overflow="fold")  # a path that is cut cannot be gone to
    for spec in registry.all("datasets").values():
        images = f"{spec.counts['images']:,}" if "images" in spec.counts else ""
        if spec.family:
            table.add_row(escape(f"{spec.name}:…"), images, escape(spec.licence), "by its file")
            continue
        options = () if spec.options is None else (spec.options()(),)
        found = spec.build(spec.name, *options).find(root)
        here = str(found) if found else "no" + (" (mini edition only)" if spec.has_mini else "")
        table.add_row(escape(spec.name), images, escape(spec.licence), escape(here))
    Console(soft_wrap=True).print(table)


@app.command()
def obtain(
    name: Name,
    data_root: DataRoot = None,
    download: Annotated[
        bool, typer.Option("--download", help="Download what anybody may download.")
    ] = False,
    plugin: PluginFiles = [],  # noqa: B006
) -> None:
    """Say where a dataset is, under which licence, and which files go where; download if free."""
    from bench.cli.progress import Bar
    from bench.download import fetch
    from bench.storage import default_data_root

    spec = load_registry(plugin).dataset(name)
    folder = (data_root or default_data_root()) / (spec.folders[0] if spec.folders else spec.name)
    typer.echo(f"{spec.name}: {spec.summary}\nlicence: {spec.licence}\nobtain: {spec.obtain}")
    if not spec.family:  # those lie where their file is
        typer.echo(f"folder: {folder}")
    for line in spec.layout.splitlines():
        typer.echo(f"  {line}")
    if not spec.downloads:
        if download:
            raise UserError(f"nothing of {spec.name} may be downloaded by this program; see above")
        return
    for file in spec.downloads:
        typer.echo(f"free to download: {file.url} ({file.size / 1e6:,.0f} MB, {file.checksum})")
    if not download:
        typer.echo(f"to download: bench data obtain {spec.name} --download")
        return
    for file in spec.downloads:
        with Bar("downloading", unit="bytes") as bar:
            fetch(file, folder, progress=bar.update)
    typer.echo(f"downloaded; to check: bench data check {spec.name}")


@app.command()
def check(
    name: Name,
    data_root: DataRoot = None,
    edition: EditionName = "full",
    options: DatasetOptions = [],  # noqa: B006
    images: Annotated[bool, typer.Option(help="Read and decode every image file as well.")] = True,
    report: Annotated[
        Path | None, typer.Option(help="Write the report to this file too: .json or .md.")
    ] = None,
    plugin: PluginFiles = [],  # noqa: B006
) -> None:
    """Audit a dataset; exit status 1 where a published count does not hold."""
    from bench.audit import audit
    from bench.cli.progress import Bar
    from bench.storage import default_data_root, write_text

    _require_file("--report", report, ".json", ".md")
    asked = _edition(name, options, plugin)
    catalog = asked.load(edition, data_root or default_data_root())
    protocols = asked.dataset.protocols(catalog)
    with Bar("reading images") as bar:
        result = audit(asked.spec, catalog, protocols, images=images, progress=bar.update)
    text = _markdown(result)
    typer.echo(text)
    if report is not None:
        as_json = json.dumps(asdict(result) | {"holds": result.holds}, indent=2) + "\n"
        write_text(report, as_json if report.suffix == ".json" else text)
    if not result.holds:
        raise typer.Exit(1)


@app.command()
def draw(
    name: Name,
    folder: Annotated[
        Path | None, typer.Argument(help="A new or empty folder; else the cache's.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the drawing.")] = 0,
    items: Annotated[
        int | None, typer.Option(min=1, help="Another size than the mini edition's own.")
    ] = None,
    sheet: Annotated[
        Path | None, typer.Option(help="Also write a contact sheet of its pictures, as .png.")
    ] = None,
    options: DatasetOptions = [],  # noqa: B006
    plugin: PluginFiles = [],  # noqa: B006
) -> None:
    """Draw the mini edition of a dataset, in its published layout."""
    from bench.contact_sheet import write_sheet

    _require_file("--sheet", sheet, ".png")
    asked = _edition(name, options, plugin)
    if not asked.spec.has_mini:
        raise DataError(f"{name} has no mini edition")
    if folder is None and (seed or items):
        raise UserError("--seed and --items need a FOLDER: the cache holds the one mini edition")
    if folder is None:
        root = asked.draw()
    else:
        root = folder
        asked.dataset.draw_mini(root, seed=seed, items=items)
    catalog = asked.dataset.load(root)
    typer.echo(f"{len(catalog):,} images of {name}@mini at {root}")
    if sheet is not None:
        write_sheet(catalog, sheet)
        typer.echo(f"contact sheet: {sheet}")


def _require_file(option: str, path: Path | None, *endings: str) -> None:
    """Refuse, before any work, a name that no report or sheet can be written to."""
    if path is not None and (path.suffix not in endings or path.is_dir()):
        raise UserError(f"{option} {path}: expected a file that ends in {' or '.join(endings)}")


def _edition(name: str, options: list[str], plugin: list[Path]) -> Edition:
    import sys

    from bench.editions import Edition
    from bench.recipes import make_options, parse_settings

    registry = load_registry(plugin)
    spec = registry.dataset(name)
    return Edition(
        spec, name, make_options(spec, parse_settings(options, "--option")),
        registry.code("datasets", [name], *spec.drawn_with),
        lambda text: print(text, file=sys.stderr),  # noqa: T201
    )  # fmt: skip


def _markdown(result: Audit) -> str:
    from tabulate import tabulate

    counts = [
        [count.what, f"{count.here:,}",
         "" if count.published is None else f"{count.published:,}",
         "" if count.published is None else "holds" if count.holds else "DIFFERS"]
        for count in result.counts
    ]  # fmt: skip
    alignment = ("left", "right", "right", "left")
    table = tabulate(counts, ["count", "here", "published", ""], tablefmt="github",
                     disable_numparse=True, colalign=alignment)  # fmt: skip
    lines = [f"# {result.dataset} at {result.root}", "", table, ""]
    lines += [f"- note: {note}" for note in result.notes]
    lines += [
        f"- FOUND {finding.number:,} {finding.what}, as {'; '.join(finding.examples)}"
        for finding in result.findings
        if finding.number
    ]
    none = [finding.what for finding in result.findings if not finding.number]
    if none:
        lines.append(f"- found no {', no '.join(none)}")
    if not result.checked_images:
        lines.append("- image files were not looked at (--no-images)")
    return "\n".join(lines) + "\n"
