from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bench.catalog import Catalog
from bench.editions import MINI_SEED, Edition, coverage
from bench.errors import DataError
from bench.interfaces import DatasetSpec
from bench.protocols import Protocol
from bench.recipes import Recipe


class Options(Recipe):
    certainty: int = 0


class Toy:
    """A dataset whose folder holds `list.txt`: one split per line, each of one image."""

    parsed: list[str]
    drawn: list[tuple[str, int]]

    def __init__(self, name: str, options: Options | None = None) -> None:
        self.name, self.options, self.parsed, self.drawn = name, options, [], []

    def find(self, data_root: Path) -> Path | None:
        root = data_root / "toy"
        return root if root.is_dir() else None

    def sources(self, root: Path) -> Sequence[Path]:
        return [root / "list.txt"]

    def load(self, root: Path) -> Catalog:
        self.parsed.append(str(root))
        splits = (root / "list.txt").read_text().split()
        paths = [f"{number}.jpg" for number in range(len(splits))]
        columns = {"path": paths, "split": splits}
        return Catalog.from_columns(self.name, root, columns, notes=["1 row left out"])

    def protocols(self, catalog: Catalog) -> Sequence[Protocol]:
        return []

    def draw_mini(self, root: Path, *, seed: int, items: int | None = None) -> None:
        self.drawn.append((str(root), seed))
        root.mkdir(parents=True)
        (root / "list.txt").write_text("train test")


class Noticed(list[str]):
    """What a user was told."""

    def about(self, text: str) -> list[str]:
        return [line for line in self if text in line]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Return a data root that holds toy: two of three published training images, one for test."""
    (tmp_path / "toy").mkdir()
    (tmp_path / "toy/list.txt").write_text("train train test")
    return tmp_path


def edition(**facts: Any) -> tuple[Edition, Noticed]:
    given: dict[str, Any] = {"licence": "CC0-1.0", "obtain": "ask the makers", "folders": ("toy",)}
    noticed = Noticed()
    spec = DatasetSpec("toy", "one line", Toy, **given | facts)
    return Edition(spec, "toy", None, "code", noticed.append), noticed


def toy(asked: Edition) -> Toy:
    assert isinstance(asked.dataset, Toy)
    return asked.dataset


@pytest.mark.parametrize("name", ["auto", "full"])
def test_the_published_data_are_taken_where_they_are(name: str, data: Path) -> None:
    asked, noticed = edition()
    catalog = asked.load(name, data)
    assert (catalog.name, catalog.root, len(catalog)) == ("toy@full", data / "toy", 3)
    assert toy(asked).drawn == []
    assert noticed == ["toy: 1 row left out"]


def test_a_published_count_that_is_not_met_is_told_and_one_that_is_met_is_not(data: Path) -> None:
    asked, noticed = edition(counts={"images": 1004, "test": 1, "query": 7})
    catalog = asked.load("full", data)
    assert noticed.about("published") == [
        f"toy: 3 of 1,004 published images are at {data / 'toy'}",
        f"toy: 0 of 7 published query are at {data / 'toy'}",
    ]
    assert coverage(asked.spec, catalog) == {"images": (3, 1004), "test": (1, 1), "query": (0, 7)}


@pytest.mark.parametrize(
    ("name", "reason"), [("auto", "toy is not below "), ("mini", "as asked with --edition mini")]
)
def test_a_mini_edition_is_drawn_and_called_so(name: str, reason: str, tmp_path: Path) -> None:
    asked, noticed = edition(counts={"images": 3})
    catalog = asked.load(name, tmp_path)
    assert catalog.name == "toy@mini"
    assert catalog.root.is_relative_to(os.environ["BENCH_CACHE"])
    assert toy(asked).drawn == [(str(catalog.root), MINI_SEED)]
    [told] = noticed.about("MINI EDITION")
    assert "running on toy@mini, 2 pictures drawn by this program" in told
    assert reason in told
    assert "For the real data: ask the makers" in told
    assert "\n" not in told
    assert coverage(asked.spec, catalog) == {}, "drawn pictures cover nothing published"


def test_the_mini_edition_may_be_asked_for_where_the_data_are(data: Path) -> None:
    asked, _ = edition()
    assert asked.load("mini", data).name == "toy@mini"


def test_a_mini_edition_is_drawn_once_for_all_runs(tmp_path: Path) -> None:
    first, noticed = edition()
    root = first.load("mini", tmp_path).root
    assert len(noticed.about("drawing the mini edition of toy, once")) == 1
    second, noticed = edition()
    assert second.load("auto", tmp_path).root == root
    assert toy(second).drawn == []
    assert noticed.about("drawing") == []


def test_another_code_or_renderer_draws_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    asked, _ = edition()
    roots = {asked.draw(), replace(asked, code="other").draw()}
    monkeypatch.setattr("bench.fingerprints.versions", lambda *names: {"pillow": "0.1"})
    roots.add(edition()[0].draw())
    assert len(roots) == 3
    assert {root.name for root in roots} == {"toy"}


def test_two_threads_draw_a_mini_edition_once() -> None:
    asked, noticed = edition()
    entered, go_on = threading.Event(), threading.Event()
    draw = toy(asked).draw_mini

    def slowly(root: Path, *, seed: int, items: int | None = None) -> None:
        entered.set()
        assert go_on.wait(30)
        draw(root, seed=seed, items=items)

    toy(asked).draw_mini = slowly  # type: ignore[method-assign]
    first, second = (threading.Thread(target=asked.draw) for _ in range(2))
    first.start()
    assert entered.wait(30)
    second.start()
    while not noticed.about("waiting for another run"):
        second.join(0.01)
        assert second.is_alive()
    go_on.set()
    first.join()
    second.join()
    assert len(toy(asked).drawn) == 1


def test_the_full_edition_without_the_data_says_where_it_looked_and_what_to_do(
    tmp_path: Path,
) -> None:
    asked, _ = edition(folders=("toy", "toy-small"))
    expected = f"toy is not below {tmp_path} (looked for toy or toy-small); to obtain it: ask the"
    with pytest.raises(DataError) as raised:
        asked.load("full", tmp_path)
    assert str(raised.value).startswith(expected)
    assert toy(asked).drawn == []


def test_without_a_mini_edition_the_data_are_needed(tmp_path: Path) -> None:
    asked, _ = edition(has_mini=False, folders=())
    with pytest.raises(DataError, match=f"^toy is not below {tmp_path}; to obtain it: ask the"):
        asked.load("auto", tmp_path)
    assert toy(asked).drawn == []


def test_an_unchanged_annotation_is_parsed_once(data: Path) -> None:
    asked, noticed = edition()
    asked.load("full", data)
    asked.load("full", data)
    assert len(toy(asked).parsed) == 1
    assert noticed == ["toy: 1 row left out"] * 2, "what was left out is told each time"
    (data / "toy/list.txt").write_text("train")
    assert len(asked.load("full", data)) == 1
    assert len(toy(asked).parsed) == 2
    other = replace(asked, code="of a changed reader")
    other.load("full", data)
    assert len(toy(other).parsed) == 1


def test_options_are_given_to_the_reader_and_kept_with_the_catalog(data: Path) -> None:
    plain, _ = edition(options=lambda: Options)
    for certainty in (0, 3):
        asked = replace(plain, options=Options(certainty=certainty))
        assert asked.load("full", data).options == {"certainty": certainty}
        assert toy(asked).options == Options(certainty=certainty)
        assert len(toy(asked).parsed) == 1, "other options are another catalog"
    assert plain.load("full", data).options == {}
