from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bench.catalog import Catalog
from bench.interfaces import FeatureExtractor
from bench.records import Record
from bench.report import write_report
from bench.report.examples import ANSWERS, QUERIES
from bench.reported import Reported


class Plain(FeatureExtractor):
    pass


PLAIN = Plain()
ODD = "<script>alert(1)</script>&"


class Page(HTMLParser):
    """The elements of a page that the tests look at."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def figures(self, kind: str) -> int:
        return sum(tag == "figure" and facts.get("class") == kind for tag, facts in self.tags)


@pytest.fixture
def catalog(tmp_path: Path, make_images: Callable[..., list[Path]]) -> Catalog:
    names = [f"{number}.jpg" for number in range(30)]
    make_images(tmp_path / "data", names)
    ids = [f"{ODD}{number}" for number in range(30)]
    return Catalog.from_columns("toy", tmp_path / "data", {"path": names, "id": ids})


def rank(folder: Path, catalog: Catalog, *, tasks: list[str], queries: int, depth: int) -> None:
    """Write rankings in which the second answer of every query is right."""
    ids = catalog.images["id"].tolist()
    rows = [
        {"task": task, "query": ids[query], "target": "", "rank": place, "relevant": place == 2,
         "gallery": ids[(query + place) % len(ids)]}
        for task in tasks for query in range(queries) for place in range(1, depth + 1)
    ]  # fmt: skip
    folder.mkdir(exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows), folder / "rankings.parquet")


def test_a_page_shows_numbers_curves_and_answers(
    tmp_path: Path, catalog: Catalog, make_record: Callable[..., Record]
) -> None:
    made = make_record(protocol="dress/dress-gallery", variant=ODD)
    tasks = [
        made.tasks[0].model_copy(update={"task": name, "curves": {"hit": [0.5, 0.6, 0.75]}})
        for name in (f"one{ODD}", "two $x$")
    ]
    metrics = made.tasks[0].metrics
    record = made.model_copy(update={"tasks": tasks, "mean": metrics, "pooled": metrics})
    reported = Reported(variant=ODD, dataset="paper's", protocol="dress/dress-gallery", task="",
                        metric="map@r", value=0.125, queries=1717, gallery=None,
                        source=f"Table {ODD}")  # fmt: skip
    rank(tmp_path / "run", catalog, tasks=[f"one{ODD}"], queries=20, depth=9)
    (catalog.root / "3.jpg").write_bytes(b"no picture")
    file = write_report(tmp_path / "run", record, catalog, [reported], PLAIN)
    text = file.read_text()
    page = Page(text)
    assert "script" not in {tag for tag, _ in page.tags}
    assert f"reported on paper's (Table {ODD})" in page.text
    assert "1,717" in page.text
    assert "0.125" in page.text
    assert "0.3750 – 0.6250" in page.text
    assert page.text.count("mean over all queries") == 1
    assert "Drawn pictures" not in page.text
    assert (page.figures("query"), page.figures("right")) == (QUERIES, QUERIES)
    assert page.figures("wrong") == QUERIES * (ANSWERS - 1)
    assert "not readable" in page.text
    assert len(re.findall("<svg", text)) == 1
    again = write_report(tmp_path / "run", record, catalog, [reported], PLAIN).read_text()
    assert again == text, "the same bytes each time"
    # nothing is fetched from anywhere
    sources = [facts["src"] or "" for tag, facts in page.tags if tag == "img"]
    assert all(source.startswith("data:image/jpeg;base64,") for source in sources)
    assert not [facts for tag, facts in page.tags if tag in {"link", "iframe"}]


def test_a_page_of_drawn_pictures_says_so_and_of_values_has_no_pictures(
    tmp_path: Path, catalog: Catalog, make_record: Callable[..., Record]
) -> None:
    record = make_record(dataset={"edition": "mini"})
    rank(tmp_path / "run", catalog, tasks=["colour"], queries=2, depth=2)
    table = pq.read_table(tmp_path / "run" / "rankings.parquet").to_pandas()
    table["gallery"] = "red"  # a value that was recognised
    pq.write_table(pa.Table.from_pandas(table), tmp_path / "run" / "rankings.parquet")
    page = Page(write_report(tmp_path / "run", record, catalog, [], PLAIN).read_text())
    assert "It says nothing about real photographs" in page.text
    assert not page.figures("query")
    assert "svg" not in {tag for tag, _ in page.tags}  # the record has no curve


@pytest.mark.skipif(not shutil.which("chromium"), reason="no browser (chromium) is installed")
def test_a_browser_shows_the_page(
    tmp_path: Path, catalog: Catalog, make_record: Callable[..., Record]
) -> None:
    rank(tmp_path / "run", catalog, tasks=["all"], queries=20, depth=9)
    file = write_report(tmp_path / "run", make_record(), catalog, [], PLAIN)
    done = subprocess.run(
        ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync",
         f"--user-data-dir={tmp_path / 'browser'}", f"--screenshot={tmp_path / 'page.png'}",
         "--window-size=1000,1400", file.as_uri()],
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    from PIL import Image

    with Image.open(tmp_path / "page.png") as shot:
        colours = shot.convert("RGB").getcolors(1 << 24)
    assert colours is not None, done.stderr
    assert (26, 127, 55) in {colour for _, colour in colours}, "the frame of what is right"
