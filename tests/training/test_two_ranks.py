"""Two processes on the CPU train what one trains: the same samples, the same means, the same errors, one writer."""

import logging
import os
import re
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import psutil
import pytest
import torch
from click.testing import CliRunner
from torch import nn

from cross_modal_kd import cli
from cross_modal_kd.config import ConfigError, ProjectionConfig
from cross_modal_kd.config.training import DECIDES, TrainingConfig
from cross_modal_kd.losses import LinearClassifier
from cross_modal_kd.models import Projection
from cross_modal_kd.training.checkpoint import load_state
from cross_modal_kd.training.data import TrainingData
from cross_modal_kd.training.launched import join
from cross_modal_kd.training.module import DistillationModule, Mixed
from cross_modal_kd.training.plan import DevMetric, Plan
from cross_modal_kd.training.ranks import free_port, leaves_unused, train
from cross_modal_kd.training.reader import BatchReader
from cross_modal_kd.training.sampler import Cut, EpochSampler
from cross_modal_kd.training.seeds import derive_seed
from training_toys import (
    CLASSES,
    CONFIG,
    COUNT,
    DIM,
    FEATURES,
    TEACHER_DIM,
    ArrayInputs,
    data,
    objective,
    projection,
    weights_of,
)
from training_toys import without_seconds as timeless

TOLERANCE = 1e-5
"""Between one process and two: of weights of about 1 after 16 steps; 3e-8 was seen."""
TERMS = {
    "feature": ("cosine", {"margin": 0.2}),
    "active": ("cosine", {"margin": 0.5, "reducer": "active_mean"}),
    "classifier": ("classifier_kl", {"weight": 0.5}),
    "relational": ("relational", {}),
    "contrast": ("contrastive", {}),
    "bank": ("contrastive_bank", {}),
    "rkd": ("rkd", {}),
}


class Norm:
    """A dev metric that depends on the weights alone, and that only one process is asked for."""

    def __init__(self, note: Path | None = None, wait_s: float = 0.0) -> None:
        self.note, self.wait_s = note, wait_s

    def __call__(self, student: nn.Module) -> float:
        if self.note is not None:
            with self.note.open("a") as file:
                file.write(f"{os.getpid()}\n")
        time.sleep(self.wait_s)
        return float(student[0].weight.norm())  # type: ignore[index]


class Noise:
    """An augmentation that takes numbers for every row."""

    def __call__(self, inputs: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        return inputs + 0.1 * torch.randn(inputs.shape, generator=generator)


class Broken(ArrayInputs):
    """Of which one row cannot be read: one rank meets it in the first epoch, the other does not."""

    def __getitems__(self, items):
        if any(item.row == 5 and item.draw is not None and item.draw[1] == 1 for item in items):
            raise ValueError("row 5 is broken")
        return super().__getitems__(items)


def module(terms: dict | None = TERMS, joint: bool = False) -> DistillationModule:
    """Without dropout, which is other dropout on each rank, and without batch norm."""
    torch.manual_seed(0)
    student = nn.Sequential(nn.Linear(FEATURES, DIM), nn.Tanh(), nn.Linear(DIM, DIM))
    classifier = LinearClassifier(CLASSES, DIM, 0.1)
    return DistillationModule(student, classifier, objective(terms), projection(0.0) if terms else None, joint)  # type: ignore[arg-type]


def some_labels() -> torch.Tensor:
    return torch.where(torch.arange(COUNT) % 3 == 0, -1, torch.arange(COUNT) % CLASSES)


def config(devices: int = 1, **update) -> TrainingConfig:
    return TrainingConfig(**{**CONFIG.model_dump(), "compute": {"accelerator": "cpu", "devices": devices}, **update})


def trained(given: TrainingData, how: TrainingConfig, joint: bool = False, dev: Norm | None = None, **plan):
    """(weights, history) of one training."""
    made = module(joint=joint)
    history = train(made, given, Plan(how, DevMetric("score", dev or Norm(), True), **plan))
    return weights_of(made), timeless(history)


def near(one, other, tolerance: float = TOLERANCE) -> None:
    for name in one[0]:
        torch.testing.assert_close(one[0][name], other[0][name], atol=tolerance, rtol=0)
    assert [row.keys() for row in one[1]] == [row.keys() for row in other[1]]
    for ours, theirs in zip(one[1], other[1], strict=True):
        assert ours == pytest.approx(theirs, rel=10 * tolerance, abs=10 * tolerance)


@pytest.mark.parametrize("joint", [False, True])
def test_two_ranks_train_what_one_trains(tmp_path, joint, caplog):
    """A batch of an odd size, some labels, weights, an augmentation, every constraint over a batch, an average."""
    rows, note = [], tmp_path / "asked"
    given, update = data(some_labels(), share=0.4), {"batch_size": 9, "ema": 0.9, "accumulate": 1 + joint}
    one = trained(given, config(1, **update), joint, augment=Noise())
    caplog.clear()
    with caplog.at_level(logging.INFO):
        two = trained(
            given,
            config(2, **update),
            joint,
            Norm(note),
            augment=Noise(),
            on_epoch=lambda row, epoch: rows.append(epoch),
        )
    near(one, two)
    assert rows == [1, 2, 3, 4]
    asked = note.read_text().split()
    assert len(asked) == 4 and len(set(asked)) == 1 and asked[0] != str(os.getpid())
    said = [record.getMessage() for record in caplog.records if record.name.startswith("cross_modal_kd.training")]
    assert said == ["training: on 2 processes that share every batch", "training: 36 inputs: kept in memory"]
    assert not running()


@pytest.mark.parametrize("joint", [False, True])
def test_two_ranks_mix_as_one_does_that_mixes_the_rows_of_each_apart(monkeypatch, joint):
    """Each mixes what it has read, which is every second row of a part, by the share of all."""

    def mixed_apart(reader, batch, own, alpha, place):
        seed, order = derive_seed("mixup", CONFIG.seed, *place), torch.arange(len(own))
        for rank in range(2):
            rows = order[rank::2].numpy().copy()
            seeds = [seed, derive_seed("order", *place, rank)]
            order[rank::2] = torch.from_numpy(rows[np.random.default_rng(seeds).permutation(len(rows))])
        labelled = torch.nonzero(given.labels[own[order]] >= 0)[:, 0]
        return Mixed(float(np.random.default_rng(seed).beta(alpha, alpha)), batch.in_order(order, labelled))

    given, update = data(some_labels(), share=0.4), {"batch_size": 9, "accumulate": 1 + joint}
    plain = trained(given, config(1, **update), joint, augment=Noise(), mixup=0.4)
    two = trained(given, config(2, **update), joint, augment=Noise(), mixup=0.4)
    monkeypatch.setattr(BatchReader, "_mixed", mixed_apart)
    one = trained(given, config(1, **update), joint, augment=Noise(), mixup=0.4)
    near(one, two)
    with pytest.raises(AssertionError):  # one process mixes any two rows of a batch: other pairs, another training
        near(plain, two)


def test_a_network_of_many_tensors_is_sent_too():
    """A process can be handed some 250 files, and a tensor that is shared is one: a ResNet-50 has 318."""
    found = []
    for devices in (1, 2):
        torch.manual_seed(0)
        student = nn.Sequential(nn.Linear(FEATURES, DIM), *(nn.Linear(DIM, DIM) for _ in range(160)))
        made = DistillationModule(student, LinearClassifier(CLASSES, DIM), objective(None), None)  # type: ignore[arg-type]
        history = train(made, data(teacher=False), Plan(config(devices, epochs=1), DevMetric("score", Norm(), True)))
        found.append((weights_of(made), timeless(history)))
    assert len(found[0][0]) > 300
    near(*found)


def test_a_projection_whose_linear_term_has_no_part_goes_on_learning_on_two_ranks():
    made = []
    for devices in (1, 2):
        bound = Projection(TEACHER_DIM, CLASSES, ProjectionConfig(dim=DIM, hidden=12, dropout=0, residual=False))
        bound.load_state_dict(projection(0.0).state_dict())
        plain = module({"feature": TERMS["feature"]})
        joint = DistillationModule(plain.student, plain.classifier, plain.objective, bound, True)
        before = weights_of(joint)
        history = train(joint, data(), Plan(config(devices, epochs=2), DevMetric("score", Norm(), True)))
        made.append((weights_of(joint), timeless(history)))
        assert torch.equal(before["projection.head.linear.weight"], made[-1][0]["projection.head.linear.weight"])
        assert not torch.equal(before["projection.head.mlp.1.weight"], made[-1][0]["projection.head.mlp.1.weight"])
    near(*made)


def test_a_network_that_a_training_before_has_left_on_a_gpu_is_sent_from_the_cpu(monkeypatch):
    """The first rank of a launcher trains in its own process, and a large-margin stage goes on from there."""
    made, done = module(), []
    monkeypatch.setattr(made, "cpu", lambda: done.append("cpu"))
    monkeypatch.setattr("cross_modal_kd.training.ranks.launcher", lambda: ("torchrun", 2))
    monkeypatch.setattr("cross_modal_kd.training.ranks.leaves_unused", lambda *_: done.append("looked at"))
    monkeypatch.setattr("cross_modal_kd.training.ranks.share", lambda job: done.append("sent") or [])
    train(made, data(), Plan(config(2), DevMetric("score", Norm(), True)))
    assert done == ["cpu", "looked at", "sent"]


class OfTheFirst(type(Path())):  # type: ignore[misc]
    """A file that only the first rank finds, as on a disk of its own."""

    def exists(self, **options) -> bool:
        return os.environ.get("LOCAL_RANK", "0") == "0" and super().exists(**options)


def test_ranks_that_do_not_read_the_same_checkpoint_are_an_error(tmp_path):
    """Else each would go on from weights of its own, and the mean of their gradients would be that of neither."""

    class Killed(Exception):
        pass

    def kill(row, epoch):
        if epoch == 2:
            raise Killed

    checkpoint = OfTheFirst(tmp_path / "c.safetensors")
    with pytest.raises(Killed):
        trained(data(), config(2), checkpoint=checkpoint, on_epoch=kill)
    with pytest.raises(ValueError, match=r"rank 1 goes on after epoch 0 and the first rank after [1-3] .*data_root"):
        trained(data(), config(2), checkpoint=checkpoint)


def running() -> list[psutil.Process]:
    """Ranks: the server that they come from stays, a child of this process."""
    return [each for each in psutil.Process().children(recursive=True) if each.ppid() != os.getpid()]


def test_a_failing_rank_ends_the_training_with_its_own_error_and_leaves_no_process(tmp_path):
    """All 36 rows are in the 4 batches of an epoch, row 5 on one of the ranks; what was whole is gone on with."""
    given, checkpoint = data(), tmp_path / "c.safetensors"
    broken = replace(given, inputs=Broken(given.inputs.values))  # type: ignore[attr-defined]
    with pytest.raises(ValueError, match="row 5 is broken") as raised:
        trained(broken, config(2, batch_size=9), checkpoint=checkpoint)
    assert "of 2:\nTraceback" in raised.value.__notes__[0]
    assert not running()
    assert load_state(checkpoint)["progress"]["epoch"] == 1
    near(trained(given, config(1, batch_size=9)), trained(given, config(2, batch_size=9), checkpoint=checkpoint))
    assert not list(tmp_path.iterdir())


def test_the_command_ends_with_exit_code_1_and_the_traceback_of_the_rank(tmp_path, monkeypatch):
    monkeypatch.setattr("cross_modal_kd.cli.errors.find_kedro_project", lambda _: tmp_path)
    given = data()
    broken = replace(given, inputs=Broken(given.inputs.values))  # type: ignore[attr-defined]
    command = cli.Run("run", callback=lambda: trained(broken, config(2, batch_size=9)))
    result = CliRunner().invoke(command, [])
    (log,) = (tmp_path / "logs").iterdir()
    of_rank = log.read_text().partition("of 2:\n")[2]
    assert result.exit_code == 1 and str(log) in result.output
    assert re.search(r"Traceback(?s:.*)__getitems__(?s:.*)row 5 is broken", of_rank) and not running()


class Stopped(SystemExit):
    pass


def test_a_signal_that_this_process_hears_ends_the_ranks():
    """As ``hooks.ends`` does it: an exception wherever the main thread is."""

    def stop(*_):
        raise Stopped

    before = signal.signal(signal.SIGUSR1, stop)
    timer = threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGUSR1))
    try:
        with pytest.raises(Stopped):
            trained(data(), config(2, epochs=1000), dev=Norm(wait_s=0.2), on_epoch=lambda *_: once(timer))
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert not running()


def once(timer: threading.Timer) -> None:
    if not timer.ident:
        timer.start()


PROGRAM = """
import sys
from pathlib import Path
from test_two_ranks import Norm, config, data, trained

if __name__ == "__main__":
    trained(data(), config(2, epochs=1000), dev=Norm(Path(sys.argv[1]), 0.2))
"""


@pytest.mark.slow
def test_a_training_that_is_killed_takes_its_ranks_with_it(tmp_path):
    program, note = tmp_path / "program.py", tmp_path / "asked"
    program.write_text(PROGRAM)
    paths = os.pathsep.join([str(Path(__file__).parent), *sys.path])
    parent = subprocess.Popen([sys.executable, program, note], env=os.environ | {"PYTHONPATH": paths})
    until = time.monotonic() + 100
    while not note.exists():
        assert time.monotonic() < until and parent.poll() is None
        time.sleep(0.1)
    family = psutil.Process(parent.pid).children(recursive=True)
    parent.kill()
    parent.wait(20)
    _, alive = psutil.wait_procs(family, timeout=20)
    assert not alive


def test_a_script_that_every_rank_would_do_again_is_told_so(tmp_path):
    program = tmp_path / "program.py"
    program.write_text("from test_two_ranks import config, data, trained\ntrained(data(), config(2))\n")
    paths = os.pathsep.join([str(Path(__file__).parent), *sys.path])
    done = subprocess.run(
        [sys.executable, program], env=os.environ | {"PYTHONPATH": paths}, capture_output=True, text=True, timeout=100
    )
    assert done.returncode == 1 and "of 2) has ended before it began" in done.stderr
    assert f"reads {program}" in done.stderr.splitlines()[-1] and 'if __name__ == "__main__":' in done.stderr


TOGETHER = """
import logging, sys
from test_two_ranks import config, data, module, some_labels, Norm
from cross_modal_kd.training.checkpoint import save_state
from cross_modal_kd.training.launched import dismiss, join
from cross_modal_kd.training.plan import DevMetric, Plan
from cross_modal_kd.training.ranks import train
from pathlib import Path

if __name__ == "__main__":
    folder = Path(sys.argv[1])
    if join(config(2)):
        (folder / "waited").touch()
        sys.exit(0)
    for number in (1, 2):
        made, rows = module(), []
        plan = Plan(config(2, batch_size=9, epochs=number), DevMetric("score", Norm(folder / "asked"), True),
                    on_epoch=lambda row, epoch: rows.append(row))
        history = train(made, data(some_labels()), plan)
        assert rows == history
    save_state(folder / "weights.safetensors", dict(made.state_dict()))
    dismiss()
"""


@pytest.mark.slow
def test_ranks_that_a_launcher_has_started_share_every_training_of_the_first(tmp_path):
    """Two trainings, by two processes that torchrun would start like this; the one that waits ends with the other."""
    program = tmp_path / "program.py"
    program.write_text(TOGETHER)
    paths = os.pathsep.join([str(Path(__file__).parent), *sys.path])
    common = {"PYTHONPATH": paths, "TORCHELASTIC_RUN_ID": "test", "WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2"}
    common |= {**free_port(), "GROUP_RANK": "0"}
    both = [
        subprocess.Popen(
            [sys.executable, program, tmp_path], env=os.environ | common | {"RANK": rank, "LOCAL_RANK": rank}
        )
        for rank in ("0", "1")
    ]
    assert [each.wait(120) for each in both] == [0, 0]
    assert (tmp_path / "waited").exists()
    assert set((tmp_path / "asked").read_text().split()) == {str(both[0].pid)}
    alone, _ = trained(data(some_labels()), config(1, batch_size=9, epochs=2))
    for name, value in load_state(tmp_path / "weights.safetensors").items():
        torch.testing.assert_close(value, alone[name], atol=TOLERANCE, rtol=0)


def test_other_ranks_than_were_asked_for_are_an_error(monkeypatch):
    for name, value in {"SLURM_PROCID": "1", "SLURM_STEP_NUM_TASKS": "4"}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError, match=r"srun has started 4 processes, but compute.devices 2 on .* are 2"):
        join(config(2))
    assert not join(config(1))


def test_several_machines_need_a_launcher():
    how = TrainingConfig(**{**CONFIG.model_dump(), "compute": {"accelerator": "cpu", "num_nodes": 2}})
    with pytest.raises(ConfigError, match="compute.num_nodes is 2: start the command on every machine by torchrun"):
        trained(data(), how)


def test_what_cannot_be_sent_is_said():
    plan = Plan(config(2), DevMetric("score", lambda student: 0.0, True))
    with pytest.raises(ValueError, match=r"compute.devices: the training cannot be sent .*picklable"):
        train(module(None), data(teacher=False), plan)


@pytest.mark.parametrize(("accumulate", "ranks", "size"), [(1, 2, 9), (2, 2, 9), (3, 1, 8), (2, 3, 12)])
def test_the_parts_of_a_batch_are_the_batch(accumulate, ranks, size):
    labels = some_labels()
    whole = list(EpochSampler(labels, size, 0, 0.5).batches())
    cuts = [Cut(accumulate, ranks, rank) for rank in range(ranks)]
    parts = [[[item.row for item in own] for own in EpochSampler(labels, size, 0, 0.5, cut)] for cut in cuts]
    for step, rows in enumerate(whole):
        for number in range(accumulate):
            dealt = [each[step * accumulate + number] for each in parts]
            expected = rows[number::accumulate].tolist()
            assert sorted(sum(dealt, [])) == sorted(expected)
            assert [len(own) for own in dealt] == list(cuts[0].counts(len(expected)))
            assert max(map(len, dealt)) - min(map(len, dealt)) <= 1


def test_a_batch_that_is_too_small_for_its_parts_is_an_error():
    with pytest.raises(
        ValueError, match=r"batch_size: 8 samples .* for 3 device\(s\) and training.accumulate 2; .* 12"
    ):
        EpochSampler(torch.zeros(COUNT), 8, 0, cut=Cut(2, 3))


def test_accumulation_is_the_whole_batch_for_constraints_of_single_samples():
    alone = {name: TERMS[name] for name in ("feature", "classifier", "bank")}
    given = data(some_labels())
    found = []
    for accumulate in (1, 3):
        made = module(alone)
        plan = Plan(config(1, batch_size=9, accumulate=accumulate), DevMetric("score", Norm(), True))
        history = timeless(train(made, given, plan))
        found.append((weights_of(made), history))
    near(*found)


def test_the_average_of_the_weights_is_measured_and_kept_and_goes_on_where_it_stood(tmp_path):
    class Killed(Exception):
        pass

    def kill(row, epoch):
        if epoch == 3:
            raise Killed

    given, decay, seen = data(), 0.5, []
    how = config(1, ema=decay, keep="last", epochs=4)
    plain = module()

    class Watch:
        def __call__(self, student):
            seen.append(weights_of(student))
            return 0.0

    made = module()
    train(made, given, Plan(how, DevMetric("score", Watch(), True)))
    # by hand: the same training without an average, step by step, gives the weights that are averaged
    history: list[dict[str, torch.Tensor]] = []
    step = torch.optim.AdamW.step

    def noting(self, *args, **options):
        result = step(self, *args, **options)
        history.append(weights_of(plain.student))
        return result

    start = weights_of(plain.student)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.optim.AdamW, "step", noting)
        train(plain, given, Plan(config(1, keep="last", epochs=4), DevMetric("score", Norm(), True)))
    average = start
    for number, weights in enumerate(history):
        d = min(decay, (1 + number) / (10 + number))
        average = {name: d * average[name] + (1 - d) * weights[name] for name in average}
    for name, value in average.items():
        torch.testing.assert_close(seen[-1][name], value, atol=1e-6, rtol=0)
        torch.testing.assert_close(made.student.state_dict()[name], value, atol=1e-6, rtol=0)
    checkpoint, again = tmp_path / "c.safetensors", module()
    with pytest.raises(Killed):
        train(module(), given, Plan(how, DevMetric("score", Norm(), True), checkpoint=checkpoint, on_epoch=kill))
    train(again, given, Plan(how, DevMetric("score", Norm(), True), checkpoint=checkpoint))
    assert all(torch.equal(value, again.state_dict()[name]) for name, value in weights_of(made).items())


def test_steps_are_the_budget_whatever_the_epochs():
    given = data()  # 4 steps an epoch
    made, seen = module(), []
    plan = Plan(
        config(1, steps=10, min_steps=400, epochs=1, eval_every=2),
        DevMetric("score", Norm(), True),
        on_epoch=lambda row, epoch: seen.append(row),
    )
    assert isinstance(given.inputs, ArrayInputs)
    train(made, given, plan)
    assert len(given.inputs.batches) == 10
    assert [row["epoch"] for row in seen] == [1, 2, 3]
    assert ["dev_score" in row for row in seen] == [False, True, True]
    assert seen[-1]["lr"] == pytest.approx(CONFIG.lr / 25 / 1e4, rel=20)
    assert np.isfinite([row["loss"] for row in seen]).all()


def test_layers_that_are_passed_over_are_found():
    class Over(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.used, self.spare = nn.Linear(FEATURES, DIM), nn.Linear(2, 2)

        def forward(self, inputs):
            return self.used(inputs)

    assert not leaves_unused(nn.Linear(FEATURES, DIM), data())
    assert leaves_unused(Over(), data())


def test_run_keys_and_checkpoints_know_of_devices_only_where_there_are_several(monkeypatch):
    def decides(**compute):
        return TrainingConfig(compute=compute).model_dump(context=DECIDES)

    assert decides() == decides(strategy="ddp")
    assert {"accelerator": "auto", "precision": "auto"}.items() <= decides().items()
    assert not {"compute", "devices", "steps", "accumulate", "ema"} & decides().keys()
    assert decides(devices=2, num_nodes=3).items() - decides().items() == {("devices", 2), ("num_nodes", 3)}
    for gpus in (0, 1, 4):  # all of them are a number: a checkpoint of eight is not one of four
        monkeypatch.setattr(torch.cuda, "device_count", lambda gpus=gpus: gpus)
        assert decides(devices="all") == decides(devices=max(1, gpus))
        assert decides(devices="all", accelerator="cpu") == decides(accelerator="cpu")
