from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from toy_training import PLUGIN, Toy, draw

from bench import records
from bench.engines import Execution
from bench.errors import UserError
from bench.matrix import files, plan
from bench.matrix.files import Job, expand
from bench.matrix.plan import Cell, Estimate, History, Planned, Setup, make_plan, total_seconds
from bench.matrix.running import Command, Ended, Failure, LocalExecutor, Places, run_all
from bench.plugins import Registry
from bench.records import Record
from bench.storage import write_text

REGISTRY = Registry.load([PLUGIN])
MATRICES = sorted((Path(__file__).parents[2] / "matrices").glob("*.toml"))
TOY = Job("toy-net", "default", "toys", "full", 0, protocols=("one", "two"))


def jobs(folder: Path, text: str) -> list[Job]:
    file = folder / "own.toml"
    file.write_text(text, encoding="utf-8")
    return expand(files.read(file), REGISTRY)


def test_a_file_is_the_product_of_its_lists(tmp_path: Path) -> None:
    found = jobs(
        tmp_path,
        """
        edition = "mini"
        [[cells]]
        methods = ["darn", "multiattrib"]
        datasets = ["darn", "inshop"]
        seeds = [0, 1]
        budget = "full"
        settings = { training.epochs = 2, squared = true, layers = ["fc1", "conv5"] }
        options = { colour = false }
        protocols = ["b", "a"]
        """,
    )
    assert [(j.dataset, j.method, j.variant, j.seed) for j in found] == [
        ("darn", "darn", "conv4-5", 0), ("darn", "darn", "conv4-5", 1),
        ("darn", "multiattrib", "vgg16-fc6", 0), ("darn", "multiattrib", "vgg16-fc6", 1),
        ("inshop", "darn", "conv4-5", 0), ("inshop", "darn", "conv4-5", 1),
        ("inshop", "multiattrib", "vgg16-fc6", 0), ("inshop", "multiattrib", "vgg16-fc6", 1),
    ]  # fmt: skip
    assert found[0].settings == (("layers", "fc1,conv5"), ("squared", "true"),
                                 ("training.epochs", "2"))  # fmt: skip
    assert {(j.edition, j.budget, j.options, j.protocols) for j in found} == {
        ("mini", "full", (("colour", "false"),), ("b", "a"))
    }
    assert len({job.name for job in found}) == len(found)


def test_cells_that_stand_in_two_blocks_are_one(tmp_path: Path) -> None:
    block = '[[cells]]\nmethods = ["darn"]\ndatasets = ["darn"]\n'
    named = [block + f"protocols = {names}\n" for names in ('["a", "b"]', '["b", "c"]')]
    (job,) = jobs(tmp_path, "".join(named))
    assert job.protocols == ("a", "b", "c")
    for text in (named[0] + block, block + named[0]):  # all that there are, and two of them
        (job,) = jobs(tmp_path, text)
        assert job.protocols == ()
    assert len(jobs(tmp_path, block + block + "settings = { margin = 0.2 }\n")) == 2


def test_what_is_not_named_is_all_that_is_installed(tmp_path: Path) -> None:
    found = jobs(tmp_path, "[[cells]]\n")
    datasets = {name for name, spec in REGISTRY.all("datasets").items() if not spec.family}
    assert {(job.method, job.dataset) for job in found} == {
        (method, dataset) for method in REGISTRY.all("methods") for dataset in datasets
    }
    every = jobs(tmp_path, '[[cells]]\nmethods = ["darn"]\ndatasets = ["darn"]\nvariants = "all"\n')
    assert [job.variant for job in every] == list(REGISTRY.method("darn").variants)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "cells: missing; expected one [[cells]] block or more"),
        ("cells = []", "cells: []: list should have at least 1 item"),
        ("[[cells]]\n[[cells]]\nmethod = ['darn']", "cells.2.method: unknown key; there are: met"),
        ("workers = 2\n[[cells]]", "workers: unknown key; there are: edition, threads, cells"),
        ("threads = 0\n[[cells]]", "threads: 0: input should be greater than or equal to 1"),
        ("threads = '2'\n[[cells]]", "threads: '2': input should be a valid integer"),
        ("edition = 'tiny'\n[[cells]]", "edition: 'tiny': input should be 'auto', 'full' or"),
        ("[[cells]]\nvariants = 'conv5'", "cells.1.variants: 'conv5': input should be 'default'"),
        ("[[cells]]\nseeds = [0, -1]", "cells.1.seeds.2: -1: input should be greater than"),
        ("[[cells]]\nmethods = 'darn'", "cells.1.methods: 'darn': input should be a valid list"),
        ("[[cells", "(at end of document); expected TOML"),
        ("\xff", "bytes that are not UTF-8; expected TOML"),
    ],
)
def test_a_file_that_is_amiss_is_refused_in_one_line(
    tmp_path: Path, text: str, message: str
) -> None:
    file = tmp_path / "own.toml"
    file.write_bytes(text.encode("latin-1"))
    with pytest.raises(UserError) as error:
        files.read(file)
    assert str(error.value).startswith(f"{file}: ")
    assert message in str(error.value)
    assert len(str(error.value).splitlines()) == 1


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"none\.toml: No such file or directory; expected a mat"):
        files.read(tmp_path / "none.toml")


@pytest.mark.parametrize("file", MATRICES, ids=lambda file: file.stem)
def test_the_matrices_of_the_project_name_what_there_is(file: Path) -> None:
    found = expand(files.read(file), REGISTRY)
    assert found
    for job in found:
        assert job.variant in REGISTRY.method(job.method).variants
        assert {*job.protocols} <= {*REGISTRY.dataset(job.dataset).protocols}


@pytest.fixture
def toy(tmp_path: Path) -> Toy:
    return Toy(tmp_path, draw(tmp_path / "data"), REGISTRY)


def setup(toy: Toy, runs: str = "runs") -> Setup:
    return Setup(REGISTRY, Execution("cpu", "torch", "fp32", 16, 2), toy.folder / runs, None)


def states(found: list[Planned]) -> list[list[tuple[str, str]]]:
    return [[(cell.protocol, cell.state) for cell in planned.cells] for planned in found]


def test_cells_are_finished_recorded_or_to_run(toy: Toy) -> None:
    (outcome,) = toy.outcomes(protocols=["leave-one-out"])
    name = "leave-one-out"
    job = Job("toy-net", "default", f"manifest:{toy.manifest}", "full", 0, protocols=(name,))
    asked = [job, replace(job, variant="early"), replace(job, seed=1),
             replace(job, budget="mini")]  # fmt: skip
    board = toy.folder / "board"

    def planned(runs: str, *, again: bool = False) -> list[Planned]:
        place = setup(toy, runs)
        history = History(board, place.runs)
        return make_plan(asked, place, history, lambda _: None, again=again)

    to_run = [[(name, "to run")]]
    found = planned("runs")
    assert states(found) == [[(name, "finished")], *to_run * 3]
    assert found[0].cells[0].folder == outcome.folder
    assert found[0].estimate is None
    estimates = [one.estimate for one in found[1:]]
    assert [one and one.exact for one in estimates] == [False, True, False]

    assert states(planned("others")) == to_run * 4
    write_text(board / "records/a@full/b/one.json", outcome.record.to_json())
    assert states(planned("others")) == to_run * 4  # without the values of its queries
    write_text(board / "records/a@full/b/one.parquet", "")
    assert states(planned("others")) == [[(name, "recorded")], *to_run * 3]
    assert states(planned("others", again=True)) == to_run * 4
    assert states(planned("runs", again=True))[0] == [(name, "finished")]

    other = outcome.record.model_copy(update={"protocol_fingerprint": "0" * 32})
    write_text(board / "records/a@full/b/one.json", other.to_json())
    assert states(planned("others")) == to_run * 4


def test_what_cannot_be_had_says_why_and_ends_nothing_else(toy: Toy) -> None:
    data = f"manifest:{toy.manifest}"
    name = "leave-one-out"
    good = Job("toy-net", "default", data, "full", 0, protocols=(name,))
    asked = [
        replace(good, protocols=("nonsense", name)), replace(good, method="toy-nets"),
        replace(good, variant="late"), replace(good, settings=(("dropout", "much"),)),
        replace(good, method="darn", variant="an"), replace(good, dataset="toys"),
        replace(good, dataset="clothing"), replace(good, edition="auto"),
    ]  # fmt: skip
    found = make_plan(asked, setup(toy), History(toy.folder, toy.folder), lambda _: None)
    whys = [cell.why for one in found for cell in one.cells if cell.state == "n/a"]
    starts = [
        f"unknown protocol of {data} 'nonsense'; there are: ", "unknown method 'toy-nets'; did you",
        "unknown variant of toy-net 'late'; ", "recipe field dropout of toy-net is 'much': input",
        "darn learns attributes; ", "unknown dataset 'toys'; ", "clothing is not below ",
    ]  # fmt: skip
    for why, start in zip(whys, starts, strict=True):
        assert why.startswith(start)
    # the last is the first in other words, so it is not there twice
    assert [cell.state for cell in found[0].cells] == ["n/a", "to run"]
    assert len(found) == len(asked) - 1


def test_a_defect_in_a_plugin_is_left_to_its_job(toy: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("of the plugin")

    monkeypatch.setattr(plan.flow, "prepare", broken)
    job = Job("toy-net", "default", f"manifest:{toy.manifest}", "full", 0)
    (found,) = make_plan([job], setup(toy), History(toy.folder, toy.folder), lambda _: None)
    assert found.waiting == list(found.cells)
    assert found.cells[0].why == "ZeroDivisionError: of the plugin"


def test_estimates_are_medians_of_the_nearest_records(
    tmp_path: Path, make_record: Callable[..., Record]
) -> None:
    def cost(train: float, rank: float) -> dict[str, object]:
        return {"seconds": {"load": 1.0, "train a": train, "train a, waiting for images": 0.5,
                            "rank and score": rank}}  # fmt: skip

    def add(train: float, rank: float, **changes: object) -> None:
        record = make_record(
            **{"method": "toy-net", "variant": "default", "protocol": "one",
               "dataset": {"name": "toys", "edition": "full"}, "cost": cost(train, rank)} | changes
        )  # fmt: skip
        write_text(
            tmp_path / f"board/records/a@full/b/{record.digest}-{train}.json", record.to_json()
        )

    def estimate(job: Job = TOY, data: str = "toys@full") -> Estimate | None:
        return History(tmp_path / "board", tmp_path / "runs").estimate(
            job, data, "full", job.protocols
        )

    assert estimate() is None
    add(1000.0, 5.0, variant="early", budget="mini")
    assert estimate() == Estimate(1001.0 + 2 * 5.0, exact=False)
    add(10.0, 1.0)
    add(12.0, 2.0, seed=1)
    add(14.0, 40.0, protocol="two")
    assert estimate() == Estimate(13.0 + 1.5 + 40.0, exact=True)
    assert estimate(replace(TOY, protocols=("three",))) == Estimate(13.0 + 2.0, exact=True)
    assert "exact=False" in str(estimate(data="toys@mini"))
    assert estimate(replace(TOY, method="darn")) is None
    assert estimate(replace(TOY, dataset="other")) is None

    # those of runs count as well
    facts = {"method": "toy-net", "dataset": {"name": "toys"}, "protocol": "one"}
    record = make_record(**facts, variant="default", cost=cost(100.0, 1.0))
    records.finish(tmp_path / "runs/toys@full/toy-net--default/one", record)
    assert estimate(replace(TOY, protocols=("one",))) == Estimate(14.0 + 1.0, exact=True)


@pytest.mark.parametrize(("workers", "seconds"), [(1, 60.0), (2, 40.0), (3, 30.0), (9, 30.0)])
def test_the_total_is_of_jobs_side_by_side(workers: int, seconds: float) -> None:
    cell = (Cell("one", "to run"),)
    planned = [Planned(TOY, "", cell, Estimate(time, exact=True)) for time in (10.0, 20.0, 30.0)]
    done = Planned(TOY, "", (Cell("one", "finished"),), Estimate(99.0, exact=True))
    assert total_seconds([*planned, done, Planned(TOY, "", cell, None)], workers) == seconds


def command(folder: Path, *arguments: str) -> Command:
    return Command(arguments, {}, folder / "job.log")


@pytest.mark.parametrize(
    ("ended", "error"),
    [
        (Ended(-9, "", 1.0), "ended by SIGKILL, perhaps for want of memory"),
        (Ended(-15, "", 1.0), "ended by SIGTERM"),
        (Ended(2, "error: no such thing", 1.0), "error: no such thing"),
        (Ended(3, "", 1.0), "exit status 3"),
        (Ended(0, "all is well", 1.0), "ended well, but not where the plan looks; were sources or "
                                       "data edited meanwhile?"),
    ],
)  # fmt: skip
def test_every_bad_end_is_noted(tmp_path: Path, ended: Ended, error: str) -> None:
    from concurrent.futures import Future

    class Elsewhere:
        stopped = False

        def submit(self, command: Command) -> Future[Ended]:
            assert not command.log.exists()
            future: Future[Ended] = Future()
            future.set_result(ended)
            return future

        def stop(self) -> None:
            self.stopped = True

    executor, places = Elsewhere(), Places(tmp_path)
    planned = Planned(TOY, "toys@full", (Cell("one", "to run", folder=tmp_path / "run"),), None)
    pair = (planned, command(tmp_path, "run", "a b"))
    (outcome,) = run_all([pair], executor, places, lambda *_: None)
    failure = Failure.read(places.failed(TOY))
    assert outcome.error == error
    assert failure
    assert (failure.command, failure.status, failure.error) == (
        "bench run 'a b'", ended.status, error
    )  # fmt: skip
    assert executor.stopped


def test_a_process_says_how_it_ended_and_where_it_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    executor = LocalExecutor(2)
    bad = executor.submit(command(tmp_path, "show", "darns"))
    good = executor.submit(command(tmp_path / "b", "list", "methods"))
    assert (bad.result().status, good.result().status) == (2, 0)
    assert bad.result().last_line.startswith("error: ")
    assert (tmp_path / "job.log").read_text().startswith("$ bench show darns\nerror: ")
    with monkeypatch.context() as patched:
        patched.setattr("sys.executable", str(tmp_path / "nowhere"))
        absent = executor.submit(command(tmp_path)).result()
    assert (absent.status, absent.last_line) == (127, "not started: No such file or directory")
    executor.stop()
