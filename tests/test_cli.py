from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from command_line import BENCH, Done, bench, process

from bench.plugins import KINDS, Registry
from bench.records import Record

SMALL = ("--method", "pretrained", "--backbone", "timm:mobilenetv3_small_050", "--weights", "none")
COMMAND = ("run", *SMALL, "--dataset", "manifest:manifest.csv", "--protocol", "leave-one-out")


@pytest.fixture(scope="module")
def workplace(
    tmp_path_factory: pytest.TempPathFactory,
    make_images: Callable[[Path, Iterable[str]], list[Path]],
) -> Path:
    """Return a folder with a manifest of 12 images of 4 items, two queries and a gallery."""
    folder = tmp_path_factory.mktemp("workplace")
    names = [f"images/{number:02}.jpg" for number in range(12)]
    make_images(folder, names)
    splits = ["query"] * 2 + ["gallery"] * 10
    rows = "".join(
        f"{n},item {i % 4},{s}\n" for i, (n, s) in enumerate(zip(names, splits, strict=True))
    )
    (folder / "manifest.csv").write_text(f"path,item,split\n{rows}")
    (folder / "notes.txt").write_text("no manifest\n")
    return folder


@dataclass
class Finished:
    folder: Path  # of the run
    workplace: Path
    done: Done

    def record(self) -> Record:
        return Record.read(self.folder / "record.json")


@pytest.fixture(scope="module")
def finished(workplace: Path) -> Finished:
    done = process(*COMMAND, folder=workplace)
    assert done.returncode == 0, done.stderr
    (record,) = workplace.glob("runs/**/record.json")
    return Finished(record.parent, workplace, done)


@pytest.mark.parametrize(
    "command",
    [
        ["--help"],
        ["list"],
        ["plugins"],
        ["show", "clothing"],
        ["run", "--help"],
        ["data", "--help"],
        ["compare", "--help"],
        ["score", "--help"],
        ["export", "--help"],
        ["reproduce", "--help"],
        ["submit", "--help"],
        ["data", "obtain", "cub200"],
    ],
)
def test_what_only_informs_imports_nothing_heavy(command: list[str]) -> None:
    program = (
        f"import sys\nsys.argv = ['bench', *{command!r}]\nfrom bench.cli import main\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code, end.code\n"
        "print('loaded:', *sorted(sys.modules), file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    loaded = set(done.stderr.split())
    assert "bench.cli.run" in loaded
    heavy = {"torch", "torchvision", "timm", "pandas", "pyarrow", "openvino", "huggingface_hub",
             "PIL", "scipy", "numba"}  # fmt: skip
    assert not loaded & heavy
    assert done.stdout


def test_help_names_every_command() -> None:
    done = bench("--help")
    assert done.returncode == 0
    for command in ("run", "list", "show", "plugins", "data", "leaderboard"):
        assert f"\n  {command} " in done.stdout
        assert bench(command, "--help").returncode == 0


def test_list_shows_every_part_with_its_summary() -> None:
    registry = Registry.load()
    done = bench("list")
    assert (done.returncode, done.stderr) == (0, "")
    lines = [line.strip() for line in done.stdout.splitlines()]
    starts = [*(lines.index(kind) for kind in KINDS), len(lines)]
    for kind, start, end in zip(KINDS, starts, starts[1:], strict=False):
        for spec in registry.all(kind).values():
            (line,) = [
                line for line in lines[start + 1 : end]
                if line.split()[:1] in ([spec.name], [f"{spec.name}:…"])
            ]  # fmt: skip
            assert spec.summary in line


@pytest.mark.parametrize("kind", KINDS)
def test_list_of_one_kind_shows_that_kind_alone(kind: str) -> None:
    registry = Registry.load()
    done = bench("list", kind)
    assert done.returncode == 0
    shown = {
        line.split()[0].removesuffix(":…") for line in done.stdout.splitlines() if line.strip()
    }
    assert shown == set(registry.all(kind))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("clothing", ["dataset: ", "3,781 images", "CC0-1.0", "test-vs-train: ", "git clone"]),
        ("manifest:mine.csv", ["manifest  dataset: ", "leave-one-out: "]),
        ("pretrained", ["method: ", "backbone = efficientnet-lite0", "default: "]),
        ("efficientnet-lite0", ["backbone: "]),
        ("timm:resnet50", ["timm  backbone: "]),
        ("average-pool", ["head: "]),
        ("triplet", ["loss: "]),
        ("hit@20", ["hit@k  metric: ", "1 if Σ", "higher is better"]),
        ("mrr", ["mrr  metric: "]),
        ("ndcg@20[attributes]", ["ndcg@k[attributes]  metric: ", "|A_q ∩ A_i|"]),
    ],
)
def test_show_says_what_a_part_is_and_whose(name: str, expected: list[str]) -> None:
    done = bench("show", name)
    assert (done.returncode, done.stderr) == (0, "")
    for text in (*expected, "fashion-retrieval-bench"):
        assert text in done.stdout


def test_a_name_in_brackets_is_shown_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "idea.py"
    file.write_text(
        "from bench import hookimpl\nfrom bench.interfaces import HeadSpec\n@hookimpl\n"
        "def register_heads():\n"
        "    return [HeadSpec('head[bold]', 'a head [of red]', lambda stages: None)]\n"
    )
    done = bench("list", "heads", "--plugin", file)
    assert "head[bold]" in done.stdout
    assert "a head [of red]" in done.stdout


RUN = ["run", "--method", "pretrained", "--dataset", "manifest:manifest.csv", "--weights", "none"]
CLOTHING = ["run", "--method", "pretrained", "--dataset", "clothing"]
MISTAKES = {
    "an unknown command": (["rnu"], "rnu"),
    "an unknown option": (["list", "--kind", "heads"], "--kind"),
    "a missing option": (["run", "--method", "pretrained"], "--dataset"),
    "a value that is no choice": ([*RUN, "--engine", "onnx"], "openvino"),
    "a value out of range": ([*RUN, "--batch-size", "0"], "--batch-size"),
    "a value of another type": ([*RUN, "--seed", "one"], "--seed"),
    "an unknown kind": (["list", "metods"], "did you mean methods"),
    "an unknown name": (["show", "pretraned"], "did you mean pretrained"),
    "a metric without its cut": (["show", "recal"], "did you mean recall@k"),
    "an unknown method": (["run", "--method", "pretraned", "--dataset", "clothing"], "pretrained"),
    "an unknown dataset": (["run", "--method", "pretrained", "--dataset", "cloth"], "clothing"),
    "a family without its argument": (
        ["run", "--method", "pretrained", "--dataset", "manifest"], "needs an argument"),
    "an unknown variant": ([*RUN, "--variant", "defualt"], "did you mean default"),
    "an unknown recipe field": ([*RUN, "--set", "stge=pooled"], "did you mean stage"),
    "a bad recipe value": ([*RUN, "--set", "distance=l2"], "'euclidean', 'cosine'"),
    "a --set without a value": ([*RUN, "--set", "stage"], "expected NAME=VALUE"),
    "an unknown protocol": ([*RUN, "--protocol", "leave-one"], "did you mean leave-one-out"),
    "an unknown backbone": ([*RUN, "--backbone", "efficientnet"], "efficientnet-lite0"),
    "an unknown timm model": ([*RUN, "--backbone", "timm:resnet81"], "resnet18"),
    "an unknown stage": (
        [*RUN, "--backbone", "timm:mobilenetv3_small_050", "--set", "stage=blocks.99"], "blocks.9"),
    "an unknown head": (
        [*RUN, "--backbone", "timm:mobilenetv3_small_050", "--set", "head=average"],
        "average-pool"),
    "absent weights": (
        ["run", "--method", "pretrained", "--dataset", "manifest:manifest.csv", "--weights",
         "absent.safetensors"], "absent.safetensors: no such file"),
    "the full edition without the data": ([*CLOTHING, "--edition", "full"], "to obtain it: git"),
    "a data root that is not there": (
        [*CLOTHING, "--edition", "full", "--data-root", "nowhere"], "nowhere"),
    "a missing manifest": (
        ["run", "--method", "pretrained", "--dataset", "manifest:absent.csv"], "absent.csv"),
    "a manifest of another kind": (
        ["run", "--method", "pretrained", "--dataset", "manifest:notes.txt"], ".jsonl"),
    "openvino on a GPU": ([*RUN, "--device", "cuda"], "--device cpu"),
    "a plugin file that is not there": (["list", "--plugin", "absent.py"], "absent.py"),
    "a record that is not there": (["leaderboard", "add", "nowhere/record.json"], "nowhere"),
}  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_ends_in_one_line_and_status_2(workplace: Path, mistake: str) -> None:
    command, expected = MISTAKES[mistake]
    if "cuda" in command and any(Path(f"/dev/{n}").exists() for n in ("nvidiactl", "kfd", "dxg")):
        pytest.skip("there is a GPU here")
    done = bench(*command, folder=workplace)
    assert done.returncode == 2
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: ")
    assert expected in line


def test_a_mistake_ends_the_process_with_status_2(workplace: Path) -> None:
    done = process("show", "pretraned", folder=workplace)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: ")
    assert "did you mean pretrained" in done.stderr


def test_without_a_command_the_help_is_shown() -> None:
    done = bench()
    assert done.returncode == 2
    assert "Commands:" in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_a_run_prints_a_table_and_leaves_its_files(finished: Finished) -> None:
    output = finished.done.stdout
    assert "manifest:manifest.csv@full  leave-one-out" in output
    assert "pretrained (timm:mobilenetv3_small_050, none)" in output
    record = finished.record()
    (task,) = record.tasks
    for name, value in task.metrics.items():
        (line,) = [line for line in output.splitlines() if f" {name} " in line]
        assert f"{value.mean:.4f}" in line
        assert f"{value.low:.4f} – {value.high:.4f}" in line
    assert str(finished.folder.relative_to(finished.workplace) / "record.json") in output
    names = {path.name for path in finished.folder.iterdir()}
    assert names == {
        "record.json", "rankings.parquet", "per_query.parquet", "breakdown.csv", "report.html",
        "DONE"
    }  # fmt: skip
    assert str(finished.folder.relative_to(finished.workplace) / "report.html") in output
    assert (task.queries, task.gallery) == (12, 12)
    assert record.dataset.damaged == 0
    assert record.provenance.command == f"bench {' '.join(COMMAND)}"
    assert (finished.folder / "DONE").read_text().strip() == record.digest


def shown(record: Record, *reported: Any) -> str:
    """Return the table of a record as it is printed."""
    from rich.console import Console

    from bench.cli.outcomes import _table

    console = Console(width=300)
    with console.capture() as capture:
        console.print(_table(record, reported))
    return capture.get()


def row(output: str, label: str) -> list[str]:
    """Return the cells of the one row with this label."""
    (line,) = [line for line in output.splitlines() if f"│ {label} " in line]
    return [cell.strip() for cell in line.strip("│").split("│")]


def test_a_metric_with_a_reading_is_shown_with_it(make_record: Callable[..., Record]) -> None:
    task = make_record().tasks[0].model_dump()
    value = {"mean": 0.25, "low": 0.2, "high": 0.3, "category_mean": 0.125}
    plain = value | {"category_mean": None}
    task["metrics"] = {"ndcg@20[attributes]": value, "hit@1": plain}
    output = shown(make_record(tasks=[task]))
    assert "mean over categories" in output
    label = "ndcg@20[attributes]"
    assert row(output, label) == [label, "0.2500", "0.2000 – 0.3000", "0.1250"]
    assert row(output, "hit@1")[-1] == ""
    task["metrics"] = {"hit@1": plain}
    assert "mean over categories" not in shown(make_record(tasks=[task]))


def test_both_means_over_tasks_are_shown_by_their_names(make_record: Callable[..., Record]) -> None:
    task = make_record().tasks[0].model_dump()
    metrics = task["metrics"]

    def mean(number: float) -> dict[str, object]:
        return {name: value | {"mean": number} for name, value in metrics.items()}

    record = make_record(
        tasks=[task | {"task": name} for name in ("[collar]", "sleeve")],
        mean=mean(0.75), pooled=mean(0.625),
    )  # fmt: skip
    output = shown(record)
    assert row(output, "[collar]") == ["[collar]", "372", "3,068", "0.5000", "0.2500"]
    assert row(output, "plain mean over tasks")[1:] == ["", "", "0.7500", "0.7500"]
    assert row(output, "mean over all queries")[1:] == ["744", "", "0.6250", "0.6250"]
    assert "hit@1 of the plain mean over them" in output


def test_a_papers_numbers_stand_beside_those_of_a_run(make_record: Callable[..., Record]) -> None:
    from bench.reported import Reported

    def reported(task: str, value: float) -> Reported:
        return Reported(
            variant="default",
            dataset="clothing",
            protocol="test-vs-train",
            task=task,
            metric="hit@1",
            value=value,
            queries=None,
            gallery=None,
            source="Table 1",
        )

    plain = make_record()
    output = shown(plain, reported("", 0.57))
    assert "reported on clothing" in output
    assert row(output, "hit@1")[-1] == "0.570"
    assert row(output, "map@r")[-1] == ""
    task = plain.tasks[0].model_dump()
    tasks = [task | {"task": name} for name in ("collar", "sleeve")]
    both = make_record(tasks=tasks, mean=task["metrics"], pooled=task["metrics"])
    # of all tasks together: one row below; of each: a column of the headline
    assert row(shown(both, reported("", 0.57)), "reported on clothing")[3:] == ["0.570", ""]
    output = shown(both, reported("", 0.57), reported("sleeve", 0.25))
    assert "hit@1 reported on clothing" in output
    assert [row(output, name)[-1] for name in ("collar", "sleeve")] == ["", "0.250"]
    assert row(output, "plain mean over tasks")[-1] == "0.570"


def test_the_files_of_a_run_say_what_the_record_says(finished: Finished) -> None:
    values = pq.read_table(finished.folder / "per_query.parquet").to_pandas()
    (task,) = finished.record().tasks
    assert len(values) == 12
    for name, value in task.metrics.items():
        assert values[name].mean() == pytest.approx(value.mean)
    rankings = pq.read_table(finished.folder / "rankings.parquet").to_pandas()
    assert len(rankings) == 12 * 11, "each image ranks all others"
    assert (rankings["query"] != rankings["gallery"]).all()
    first = rankings[rankings["rank"] == 1]
    assert first["relevant"].mean() == pytest.approx(task.metrics["hit@1"].mean)


def test_the_same_command_again_answers_from_the_finished_run(finished: Finished) -> None:
    def state() -> dict[str, tuple[int, bytes]]:
        return {
            path.name: (path.stat().st_mtime_ns, path.read_bytes())
            for path in finished.folder.iterdir()
        }

    before = state()
    again = bench(*COMMAND, folder=finished.workplace)
    assert again.returncode == 0
    assert "finished before, not run again" in again.stdout
    table = finished.done.stdout.partition("record:")[0]
    assert again.stdout.startswith(table)
    assert again.stderr == "", "nothing is extracted"
    assert state() == before


def test_another_protocol_and_distance_reuse_the_features(finished: Finished) -> None:
    (cost,) = finished.workplace.glob("cache/features/*/cost.json")
    before = cost.read_bytes()
    other = bench(
        "run", *SMALL, "--dataset", "manifest:manifest.csv", "--protocol", "query-vs-gallery",
        "--set", "distance=euclidean", "--runs", "other-runs", folder=finished.workplace,
    )  # fmt: skip
    assert other.returncode == 0, other.stderr
    assert "extracting" not in other.stderr
    assert "finished before" not in other.stdout
    assert "2 queries, 10 gallery images" in other.stdout
    assert list(finished.workplace.glob("cache/features/*/cost.json")) == [cost]
    assert cost.read_bytes() == before


def test_a_damaged_image_is_refused_or_counted_in_the_record(
    tmp_path: Path, make_images: Callable[[Path, Iterable[str]], list[Path]]
) -> None:
    files = make_images(tmp_path, [f"{number}.jpg" for number in range(8)])
    files[3].write_bytes(files[3].read_bytes()[:400])
    rows = "".join(f"{file.name},class {number % 2}\n" for number, file in enumerate(files))
    (tmp_path / "all.csv").write_text(f"path,category\n{rows}")
    command = ["run", *SMALL, "--dataset", "manifest:all.csv"]
    refused = bench(*command, folder=tmp_path)
    assert refused.returncode == 2
    (line,) = [line for line in refused.stderr.splitlines() if line.startswith("error: ")]
    assert "3.jpg" in line
    assert "--skip-damaged" in line
    assert "Traceback" not in refused.stderr
    assert not list(tmp_path.glob("runs/**/DONE"))
    counted = bench(*command, "--skip-damaged", folder=tmp_path)
    assert counted.returncode == 0, counted.stderr
    assert "images that cannot be read, left out: 1" in counted.stdout
    (file,) = tmp_path.glob("runs/**/record.json")
    record = Record.read(file)
    assert record.dataset.damaged == 1
    assert (record.tasks[0].queries, record.tasks[0].gallery) == (7, 7)


def test_records_become_tables_that_check_holds_to(finished: Finished, tmp_path: Path) -> None:
    folder = ["--folder", str(tmp_path / "tables")]
    added = bench("leaderboard", "add", finished.folder, *folder)
    assert added.returncode == 0, added.stderr
    unbuilt = bench("leaderboard", "check", *folder)
    assert unbuilt.returncode == 1
    assert "run `bench leaderboard build`" in unbuilt.stderr
    assert bench("leaderboard", "build", *folder).returncode == 0
    checked = bench("leaderboard", "check", *folder)
    assert (checked.returncode, checked.stderr) == (0, "")
    table, comma = (sorted((tmp_path / "tables").glob(f"*@full/*.{e}"))[-1] for e in ("md", "csv"))
    assert "timm:mobilenetv3_small_050" in table.read_text()
    assert f"{finished.record().tasks[0].metrics['hit@1'].mean:.3f}" in table.read_text()
    assert finished.record().digest[:8] in comma.read_text()
    site = tmp_path / "site"
    assert bench("leaderboard", "site", *folder, "--to", site).returncode == 0
    assert "timm:mobilenetv3_small_050" in (site / table.relative_to(tmp_path / "tables")
                                            ).with_suffix(".html").read_text()  # fmt: skip
    [record] = (tmp_path / "tables/records").rglob("*.json")
    removed = bench("leaderboard", "remove", record, *folder)
    assert removed.returncode == 2
    assert "Missing option '--why'" in removed.stderr
    table.write_text(table.read_text().replace("0", "1", 1))
    edited = bench("leaderboard", "check", *folder)
    assert edited.returncode == 1
    assert str(table) in edited.stderr


def test_an_altered_record_is_refused(finished: Finished, tmp_path: Path) -> None:
    facts = json.loads((finished.folder / "record.json").read_text())
    facts["tasks"][0]["metrics"]["hit@1"]["mean"] = 1.0
    (tmp_path / "record.json").write_text(json.dumps(facts))
    (tmp_path / "DONE").write_text((finished.folder / "DONE").read_text())
    done = bench("leaderboard", "add", tmp_path, "--folder", tmp_path / "tables")
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: ")
    assert "altered" in line


@pytest.mark.skipif(os.name == "nt", reason="there is no such signal")
def test_ctrl_c_ends_in_one_line_that_says_how_to_go_on(workplace: Path) -> None:
    slow = "import pathlib, time\npathlib.Path('begun').touch()\ntime.sleep(60)\n"
    (workplace / "slow.py").write_text(slow)
    # who ignores the signal, as a job in the background does, hands that down to its children
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        process = subprocess.Popen(
            [BENCH, "list", "--plugin", "slow.py"], cwd=workplace, stderr=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
    finally:
        signal.signal(signal.SIGINT, before)
    while not (workplace / "begun").exists():
        assert process.poll() is None, "it ended before the plugin began"
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 130
    assert errors.strip() == "interrupted; the same command goes on where this stopped"


def test_two_runs_at_once_end_with_the_same_record(
    tmp_path: Path, make_images: Callable[[Path, Iterable[str]], list[Path]]
) -> None:
    names = [f"{number:02}.jpg" for number in range(40)]
    make_images(tmp_path, names)
    rows = "".join(f"{name},class {number % 3}\n" for number, name in enumerate(names))
    (tmp_path / "all.csv").write_text(f"path,category\n{rows}")
    command = [BENCH, "run", "--dataset", "manifest:all.csv", *SMALL]
    both = [
        subprocess.Popen([*command, "--runs", name], cwd=tmp_path, stdout=subprocess.DEVNULL)
        for name in ("first", "second")
    ]
    assert [process.wait(timeout=120) for process in both] == [0, 0]
    first, second = (
        Record.read(next((tmp_path / name).glob("**/record.json"))) for name in ("first", "second")
    )
    assert first.digest == second.digest
    assert len(list(Path(os.environ["BENCH_CACHE"]).glob("features/*/facts.json"))) == 1
