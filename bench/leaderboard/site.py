"""The leaderboards as a site: each Markdown page as HTML, with columns that sort, beside its CSV.

Pages open from a disk as well as from a server; nothing is fetched from elsewhere. Text of records
is escaped in the Markdown already, and Markdown's own HTML is not let through.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from jinja2 import Environment, PackageLoader
from markdown_it import MarkdownIt
from markdown_it.token import Token


def pages(folder: Path, files: Mapping[Path, str]) -> dict[PurePosixPath, str]:
    """Return the files of the site by their paths, from those that `build` returns for `folder`.

    `README.md` becomes `index.html`; a CSV file stays what it is.
    """
    template = Environment(loader=PackageLoader("bench", "leaderboard"), autoescape=True)
    page = template.get_template("page.html")
    found = {}
    for path, text in files.items():
        name = PurePosixPath(path.relative_to(folder).as_posix())
        if name.suffix == ".csv":
            found[name] = text
            continue
        place = _html(name)
        title = text.splitlines()[0].removeprefix("# ")
        top = os.path.relpath("index.html", place.parent)
        found[place] = page.render(title=title, body=_body(text, name), top=top)
    return found


def _html(name: PurePosixPath) -> PurePosixPath:
    return name.with_name("index.html") if name.name == "README.md" else name.with_suffix(".html")


def _body(text: str, name: PurePosixPath) -> str:
    """Return the HTML of a page; links to pages of the site lead there, others are left out."""
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = markdown.parse(text)
    for token in tokens:
        _lead(token, name)
    return str(markdown.renderer.render(tokens, markdown.options, {}))


def _lead(token: Token, name: PurePosixPath) -> None:
    for child in token.children or ():
        target = child.attrs.get("href")
        if not isinstance(target, str):
            continue
        if ".." in PurePosixPath(os.path.normpath(name.parent / target)).parts:
            del child.attrs["href"]  # a page of the repository, which the site does not hold
        elif target.endswith(".md"):
            child.attrs["href"] = _html(PurePosixPath(target)).as_posix()
