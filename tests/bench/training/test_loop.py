"""The loop, by the toy network: it learns, repeats itself, goes on after a kill, and says stop."""

from __future__ import annotations

import json
import math
import os
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from toy_training import PLUGIN, Toy, draw

from bench.cli.outcomes import show_outcomes
from bench.errors import DamagedImageError, UserError
from bench.plugins import Registry
from bench.records import Record
from bench.run import Listener, prepare
from bench.training import checkpoints
from bench.training.batches import Reader, normalised
from bench.training.loop import accelerator_of, weigh
from bench.training.plan import Place, Progress
from bench.training.samplers import Groups

REGISTRY = Registry.load([PLUGIN])


@pytest.fixture
def toy(tmp_path: Path) -> Toy:
    return Toy(tmp_path, draw(tmp_path / "data"), REGISTRY)


def weights(stage: Path) -> dict[str, torch.Tensor]:
    return load_file(stage / "weights.safetensors")


def same(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> bool:
    return first.keys() == second.keys() and all(
        torch.equal(first[name], second[name]) for name in first
    )


def content(record: Record) -> dict[str, Any]:
    """Return what two equal runs share of a record."""
    return record.model_dump(exclude={"cost": True, "provenance": {"command"}})


def lines(stage: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (stage / "log.jsonl").read_text().splitlines()]


def test_a_training_lowers_its_loss_and_the_record_says_how(toy: Toy) -> None:
    told: list[Progress] = []
    record = toy.train("classes.epochs=8", progress=told.append)
    first, second = record.training
    assert (first.name, second.name) == ("classes", "triplets")
    assert (first.epochs, first.steps, first.selection, first.chosen_epoch) == (8, 48, "last", 8)
    assert (second.epochs, second.steps) == (2, 12)
    assert first.parameters == (8 * 3 * 4 * 4 + 8) + (8 + 8) + (8 * 4 + 4)
    assert second.parameters == 8 * 4 + 4, "only the last layer learns in the second stage"
    epochs = [line for line in lines(toy.stage("classes")) if "step" not in line]
    assert [line["epoch"] for line in epochs] == list(range(1, 9))
    assert epochs[-1]["losses"]["items"] < 0.7 * epochs[0]["losses"]["items"]
    assert epochs[-1]["losses"] == first.losses
    assert all(0 <= line["waited"] <= 1 and line["images_per_second"] > 0 for line in epochs)
    assert [(now.stage, now.epoch, now.step, now.steps) for now in told[:7]] == [
        ("classes", 1 + (step > 6), step, 48) for step in range(1, 8)
    ]
    assert {"train classes", "train classes, waiting for images", "train triplets"} <= set(
        record.cost.seconds
    )
    assert record.backbone.substitute_for == "nin"
    assert record.tasks[0].metrics["hit@1"].mean > 0.9


def test_the_logged_loss_is_that_of_the_steps(toy: Toy) -> None:
    toy.train()
    found = lines(toy.stage("triplets"))
    for epoch in (1, 2):
        steps = [line for line in found if line["epoch"] == epoch and "step" in line]
        (mean,) = [line["losses"] for line in found
                   if line["epoch"] == epoch and "step" not in line]  # fmt: skip
        assert [line["step"] for line in steps] == [1, 2, 3, 4, 5, 6]
        for term in ("triplet", "spread"):
            assert mean[term] == pytest.approx(np.mean([line["losses"][term] for line in steps]))


def test_the_same_seed_gives_the_same_bits_and_another_one_others(toy: Toy) -> None:
    record = toy.train()
    before = weights(toy.stage("triplets"))
    again = toy.train(runs="again")
    (stage,) = (toy.folder / "again").glob("*/training/toy-net--triplets--*")
    assert same(before, weights(stage))
    assert content(again) == content(record)
    other = toy.train(seed=1)
    assert other.training[0].losses != record.training[0].losses


def test_variants_seeds_and_settings_train_only_what_differs(toy: Toy) -> None:
    made = []

    def note(now: Progress) -> None:
        if now.step == 1:
            made.append(now.stage)

    toy.train(progress=note)
    assert made == ["classes", "triplets"]
    early = toy.train(variant="early", progress=note)
    assert made == ["classes", "triplets"], "the same stages: nothing is trained"
    assert early.dimension == 8
    toy.train("triplets.learning_rate=0.01", progress=note)
    assert made[2:] == ["triplets"], "its first stage is the other's"
    toy.train("classes.augmentation.flip=false", progress=note)
    assert made[3:] == ["classes", "triplets"]
    toy.train(seed=3, progress=note)
    assert made[5:] == ["classes", "triplets"]
    assert len(list(toy.trainings.iterdir())) == 7


def test_the_table_of_a_run_names_its_variant(toy: Toy, capsys: pytest.CaptureFixture[str]) -> None:
    show_outcomes(toy.outcomes(variant="early"))
    assert "toy-net early (" in capsys.readouterr().out


def test_what_is_frozen_stays_as_it_was(toy: Toy) -> None:
    toy.train("classes.batch_norm=trained")
    first, second = weights(toy.stage("classes")), weights(toy.stage("triplets"))
    assert set(first) == set(second)
    changed = {name for name in first if not torch.equal(first[name], second[name])}
    assert changed == {"last.weight", "last.bias", "end"}
    assert first["first.1.num_batches_tracked"] == 12
    toy.train("classes.batch_norm=frozen", runs="frozen")
    (stage,) = (toy.folder / "frozen").glob("*/training/toy-net--classes--*")
    frozen = weights(stage)
    assert frozen["first.1.num_batches_tracked"] == 0
    assert torch.equal(frozen["first.1.running_mean"], torch.zeros(8))
    assert not torch.equal(frozen["first.1.weight"], torch.ones(8)), "what is no statistic learns"


def test_preparation_is_done_once_and_is_part_of_the_weights(toy: Toy) -> None:
    toy.train()
    assert weights(toy.stage("classes"))["centre"].abs().sum() > 0


@pytest.mark.parametrize("selection", ["last", "best"])
def test_what_is_done_at_the_end_is_done_on_the_weights_that_are_kept(
    toy: Toy, selection: str
) -> None:
    settings = (f"classes.selection={selection}", "classes.epochs=6", "classes.validation=0.3",
                "classes.learning_rate=0.2")  # fmt: skip
    chosen = toy.train(*settings).training[0].chosen_epoch
    assert (chosen == 6) == (selection == "last")
    prepared = prepare(toy.request(*settings), REGISTRY, Listener(print, print))
    (work,) = prepared.works
    method: Any = work.plan.method
    checkpoints.load_weights(work.stages[0].weights, method.model)
    reader = Reader(prepared.data.catalog, method.preprocessing, 1)
    images = normalised(reader.read(Groups(method.training[:, None])), method.preprocessing, "cpu")
    with torch.no_grad():
        expected = method.model.eval()(images).mean(dim=0)
    assert expected.abs().sum() > 0
    torch.testing.assert_close(method.model.end, expected)


def test_a_stage_of_no_epochs_is_fitted_alone(toy: Toy) -> None:
    record = toy.train("classes.epochs=0", "triplets.epochs=0")
    [classes, _] = record.training
    assert (classes.epochs, classes.steps, classes.losses, classes.chosen_epoch) == (0, 0, {}, 0)
    assert not list(toy.trainings.glob("*/resume.safetensors"))
    assert not list(toy.trainings.glob("*/log.jsonl"))
    fitted = load_file(toy.stage("classes") / "weights.safetensors")
    last = load_file(toy.stage("triplets") / "weights.safetensors")
    # what is prepared and what is done at the end are the same as of networks that learn
    assert fitted["centre"].any()
    assert fitted["end"].any()
    assert all(torch.equal(fitted[name], last[name]) for name in fitted)
    trained = toy.train("classes.epochs=1", "triplets.epochs=0").training
    assert [stage.epochs for stage in trained] == [1, 0]


def test_the_best_epoch_is_kept_where_the_recipe_asks_for_it(toy: Toy) -> None:
    record = toy.train("classes.selection=best", "classes.epochs=6", "classes.learning_rate=0.2",
                       "classes.validation=0.3")  # fmt: skip
    stage = record.training[0]
    losses = [line["validation"] for line in lines(toy.stage("classes")) if "validation" in line]
    assert len(losses) == 6
    assert stage.selection == "best"
    assert stage.chosen_epoch == 1 + int(np.argmin(losses))
    assert stage.validation_loss == min(losses)
    assert stage.chosen_epoch < 6, "the rate is so high that the last epoch is not the best"


def test_a_loss_that_is_no_number_stops_at_once_and_says_where(toy: Toy) -> None:
    steps = []
    with pytest.raises(UserError) as error:
        toy.train("spoil=7", progress=lambda now: steps.append(now.step))
    (line,) = str(error.value).splitlines()
    assert "stage classes, epoch 1, batch " in line
    assert "images/07.png" in line
    assert "items nan" in line
    batch = int(line.split("batch ")[1].split()[0])
    assert len(steps) == batch - 1, "no step was done with it"
    assert not list(toy.folder.glob("runs/*/*/*/DONE"))


def test_damaged_training_images_are_refused_or_left_out_and_counted(tmp_path: Path) -> None:
    toy = Toy(tmp_path, draw(tmp_path / "data", damaged=5), REGISTRY)
    with pytest.raises(DamagedImageError, match=r"images/05\.png"):
        toy.train()
    record = toy.train(skip_damaged=True)
    assert [stage.damaged for stage in record.training] == [1, 1]
    assert record.training[0].steps == 2 * (23 // 4)


def test_a_batch_larger_than_the_data_is_the_data(toy: Toy) -> None:
    assert toy.train("classes.batch_size=500").training[0].steps == 2


def test_steps_that_are_done_again_are_logged_once(toy: Toy) -> None:
    def stop(now: Progress) -> None:
        if now.stage == "classes" and now.step == 9:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        toy.train(progress=stop)
    stage = toy.stage("classes")
    with (stage / "log.jsonl").open("a") as file:
        file.write('{"epoch": 2, "st')  # cut off
    assert (stage / "resume.safetensors").is_file()
    toy.train()
    found = [(line["epoch"], line["step"]) for line in lines(stage) if "step" in line]
    assert found == [(epoch, step) for epoch in (1, 2) for step in range(1, 7)]
    assert not (stage / "resume.safetensors").exists()


@pytest.mark.parametrize("minutes", [0.0, 1.0])
def test_a_training_stopped_anywhere_ends_with_the_same_bits(toy: Toy, minutes: float) -> None:
    whole = toy.train(runs="whole")
    (expected,) = (toy.folder / "whole").glob("*/training/toy-net--triplets--*")
    stops = iter([2, 5, 6, 7, 12])
    stopped = True
    while stopped:
        stopped = False
        at = next(stops, None)

        def stop(now: Progress, at: int | None = at) -> None:
            if now.step == at:
                raise KeyboardInterrupt

        try:
            record = toy.train(progress=stop, checkpoint_minutes=minutes)
        except KeyboardInterrupt:
            stopped = True
    assert next(stops, None) is None
    assert same(weights(toy.stage("triplets")), weights(expected))
    assert content(record) == content(whole)


def test_a_training_killed_before_it_is_done_but_after_its_last_epoch_ends_the_same(
    toy: Toy, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = toy.train(runs="whole")

    def kill(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as killed:
        killed.setattr(Place, "finish", kill)
        with pytest.raises(KeyboardInterrupt):
            toy.train()
    assert content(toy.train()) == content(whole)


def test_terms_are_means_over_the_examples_that_count(monkeypatch: pytest.MonkeyPatch) -> None:
    values = {"few": torch.tensor([1.0, 3.0], requires_grad=True),
              "none": torch.zeros(0, requires_grad=True)}  # fmt: skip
    accelerator = accelerator_of("cpu", "fp32")
    loss, means = weigh(values, {"few": 0.5}, accelerator)
    assert loss.item() == 1.0
    assert means == {"few": 2.0, "none": 0.0}
    loss.backward()
    assert values["few"].grad is not None
    assert values["few"].grad.tolist() == [0.25, 0.25]

    class Two:
        """This process of two; the other one has three more examples, with the sum 9."""

        num_processes = 2

        def reduce(self, totals: torch.Tensor, _: str) -> torch.Tensor:
            return totals + torch.tensor([[9.0, 0.0], [3.0, 0.0]])

    one: Any = Two()
    values = {"few": torch.tensor([1.0, 3.0], requires_grad=True), "none": torch.zeros(0)}
    loss, means = weigh(values, {}, one)
    assert means["few"] == pytest.approx(13 / 5)
    loss.backward()
    # gradients are averaged over processes: half of 2/5 is the share of one example of five
    assert values["few"].grad is not None
    assert values["few"].grad.tolist() == pytest.approx([2 / 5, 2 / 5])


COMMAND = "import sys; sys.argv[0] = 'bench'; from bench.cli import main; main()"


def command(toy: Toy, runs: str, *settings: str) -> list[str]:
    return ["run", "--plugin", str(PLUGIN), "--method", "toy-net", "--engine", "torch",
            "--dataset", f"manifest:{toy.manifest}", "--runs", str(toy.folder / runs),
            *(part for text in settings for part in ("--set", text))]  # fmt: skip


def environment(toy: Toy, cache: str) -> dict[str, str]:
    return os.environ | {
        "BENCH_CACHE": str(toy.folder / cache),
        "GIT_DIR": str(toy.folder / "none"),
    }


def records(folder: Path) -> list[str]:
    return sorted(Record.read(path).digest for path in folder.glob("*/*/*/record.json"))


@pytest.mark.slow
def test_a_training_killed_at_random_moments_ends_with_the_same_record(toy: Toy) -> None:
    long = ("classes.epochs=10", "triplets.epochs=10")

    def start(runs: str) -> subprocess.Popen[bytes]:
        line = [sys.executable, "-c", COMMAND, *command(toy, runs, *long),
                "--checkpoint-minutes", "0.001"]  # fmt: skip
        return subprocess.Popen(line, env=environment(toy, f"{runs}-cache"),
                                stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)  # fmt: skip

    clock = time.perf_counter()
    process = start("whole")
    _, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors.decode()
    whole = time.perf_counter() - clock

    moments, kills = random.Random(5), 0
    while kills < 2:
        process = start("killed")
        try:
            process.communicate(timeout=whole * moments.uniform(0.4, 0.9))
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            kills += 1
        else:  # it came to its end before: begin again
            assert process.returncode == 0
            shutil.rmtree(toy.folder / "killed")
    process = start("killed")
    _, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors.decode()
    assert records(toy.folder / "killed") == records(toy.folder / "whole")
    assert len(records(toy.folder / "killed")) == 2


@pytest.mark.slow
def test_two_processes_give_the_losses_of_one(toy: Toy) -> None:
    plain = ("dropout=0", "classes.epochs=3", "triplets.epochs=3")
    toy.train(*plain)
    done = subprocess.run(
        [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2",
         # the machine may not know its own name
         "--local-addr", "127.0.0.1", "-m", "bench", *command(toy, "two", *plain)],
        env=environment(toy, "two-cache") | {"OMP_NUM_THREADS": "1"},
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (two,) = (toy.folder / "two").glob("*/training")
    for stage in ("classes", "triplets"):
        (joint,) = two.glob(f"toy-net--{stage}--*")
        alone = [line for line in lines(toy.stage(stage)) if "step" in line]
        together = [line for line in lines(joint) if "step" in line]
        assert len(alone) == len(together) == 18
        for one, other in zip(alone, together, strict=True):
            for term, value in one["losses"].items():
                assert math.isclose(value, other["losses"][term], rel_tol=1e-4, abs_tol=1e-6)
        for name, tensor in weights(toy.stage(stage)).items():
            torch.testing.assert_close(weights(joint)[name], tensor, rtol=1e-3, atol=1e-5)
    assert len(records(toy.folder / "two")) == 2
    assert done.stdout.count("record: ") == 2, "the first process alone prints"


def test_a_checkpoint_of_another_network_is_refused_in_one_line(toy: Toy) -> None:
    toy.train()
    file = toy.stage("triplets") / "weights.safetensors"
    with pytest.raises(UserError, match="does not fit the network"):
        checkpoints.load_weights(file, torch.nn.Linear(2, 2))
