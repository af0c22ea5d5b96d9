"""The loop: seeds, the best weights, patience, interruption, errors, and what is on disk meanwhile."""

import pickletools

import pytest
import torch
from safetensors import safe_open

from cross_modal_kd.config import ComputeConfig
from cross_modal_kd.config.training import LENGTHENED_PATIENCE, TrainingConfig
from cross_modal_kd.storage import NotReadableError
from cross_modal_kd.training import checkpoint as training_checkpoint
from cross_modal_kd.training.plan import DevMetric
from refused import refuse
from training_toys import (
    BOTH,
    CONFIG,
    COUNT,
    data,
    module,
    same,
    scripted,
    weights_of,
)
from training_toys import train as fit


def train(config: TrainingConfig = CONFIG, made=None, dev=None, given=None, **options):
    """(weights, history) of one training."""
    made = made or module()
    history = fit(made, given, config, dev, **options)
    return weights_of(made), history


def changed(**update) -> TrainingConfig:
    return TrainingConfig(**(CONFIG.model_dump() | update))


class Killed(Exception):
    pass


def killer(at: int):
    def on_epoch(row, epoch):
        if epoch == at:
            raise Killed

    return on_epoch


@pytest.mark.parametrize("joint", [False, True])
@pytest.mark.parametrize("killed_at", [1, 2, 3, 4])
def test_an_interrupted_training_ends_as_an_uninterrupted_one(tmp_path, joint, killed_at):
    checkpoint = tmp_path / "deep" / "checkpoint.safetensors"
    noise = lambda inputs, generator: inputs + 0.1 * torch.randn(inputs.shape, generator=generator)  # noqa: E731
    whole = train(made=module(joint=joint), augment=noise)
    with pytest.raises(Killed):
        train(made=module(joint=joint), augment=noise, checkpoint=checkpoint, on_epoch=killer(killed_at))
    assert checkpoint.exists() == (killed_at > 1)
    torch.manual_seed(99)
    torch.rand(5)
    resumed = train(made=module(joint=joint, seed=5 if killed_at > 1 else 0), augment=noise, checkpoint=checkpoint)
    assert same(whole[0], resumed[0])
    assert whole[1] == resumed[1]
    assert not checkpoint.exists()


def test_only_the_epochs_that_were_left_are_trained(tmp_path):
    checkpoint, seen = tmp_path / "c.safetensors", []
    with pytest.raises(Killed):
        train(checkpoint=checkpoint, on_epoch=killer(3))
    _, history = train(checkpoint=checkpoint, on_epoch=lambda row, epoch: seen.append(epoch))
    assert seen == [3, 4]
    assert [row["epoch"] for row in history] == [1, 2, 3, 4]


def test_patience_counts_on_after_an_interruption(tmp_path):
    checkpoint, config = tmp_path / "c.safetensors", changed(epochs=8, patience=2)
    with pytest.raises(Killed):
        train(config, dev=scripted([1, 0, 0]), checkpoint=checkpoint, on_epoch=killer(3))
    _, history = train(config, dev=scripted([0, 0, 0]), checkpoint=checkpoint)
    assert [row["dev_score"] for row in history] == [1, 0, 0]


def test_the_same_seed_gives_the_same_training_and_another_seed_another():
    one, again, other = train(), train(), train(changed(seed=1))
    assert same(one[0], again[0]) and one[1] == again[1]
    assert not same(one[0], other[0]) and one[1] != other[1]


@pytest.mark.parametrize("larger", [True, False])
def test_the_weights_that_are_best_on_dev_are_restored(larger):
    made, kept = module(), []
    values = [0.1, 0.9, 0.3, 0.5] if larger else [0.9, 0.1, 0.3, 0.5]
    dev = scripted(values, larger)
    told = iter(values)

    def remember(row, epoch):
        assert row["dev_score"] == next(told)
        kept.append(weights_of(made))

    fit(made, dev=dev, on_epoch=remember)
    assert same(weights_of(made), kept[1])
    assert not same(kept[1], kept[3])
    assert not made.training


def test_of_equal_values_the_first_is_kept_and_keep_last_keeps_the_last():
    for keep, place in (("best", 0), ("last", 3)):
        made, kept = module(), []
        fit(
            made,
            config=changed(keep=keep),
            dev=scripted([1.0] * 4),
            on_epoch=lambda *_: kept.append(weights_of(made)),  # noqa: B023
        )
        assert same(weights_of(made), kept[place])


def test_patience_stops_and_the_best_is_kept():
    _, history = train(changed(epochs=10, patience=2), dev=scripted([1, 3, 2, 2, 9]))
    assert [row["dev_score"] for row in history] == [1, 3, 2, 2]


def test_patience_counts_looks_at_dev_not_epochs():
    _, history = train(changed(epochs=12, patience=2, eval_every=2), dev=scripted([3, 2, 2, 9]))
    assert [row["epoch"] for row in history if "dev_score" in row] == [2, 4, 6]
    assert len(history) == 6


def test_the_last_epoch_is_always_looked_at():
    _, history = train(changed(epochs=5, eval_every=3))
    assert [row["epoch"] for row in history if "dev_score" in row] == [3, 5]


def test_a_loss_that_is_not_finite_stops_with_what_to_do():
    given = data()
    given.inputs.values[:] = float("nan")
    with pytest.raises(ValueError, match=r"(?s)mine: the loss is nan in epoch 1; lower training.lr \(0.01\)"):
        train(given=given, description="mine")


def test_a_dev_metric_that_is_no_number_cannot_choose():
    with pytest.raises(ValueError, match=r"dev score is not a number in epoch 1.*training.keep to 'last'"):
        train(dev=scripted([float("nan")] * 4))
    _, history = train(changed(keep="last"), dev=scripted([float("nan")] * 4))
    assert len(history) == 4


def test_a_checkpoint_is_one_safetensors_file_without_pickles(tmp_path):
    checkpoint = tmp_path / "c.safetensors"
    with pytest.raises(Killed):
        train(checkpoint=checkpoint, on_epoch=killer(3))
    assert [file.suffix for file in tmp_path.iterdir()] == [".safetensors"] * 2
    with safe_open(checkpoint, framework="pt") as file:
        assert sorted(file.metadata()) == ["sha256", "tree"]
        assert len(file.keys()) > 10
    with pytest.raises(ValueError):
        list(pickletools.genops(checkpoint.read_bytes()))


def test_the_best_weights_are_written_only_when_they_change(tmp_path):
    checkpoint, written = tmp_path / "c.safetensors", []

    def look(row, epoch):
        written.append({file.name: file.stat().st_mtime_ns for file in tmp_path.glob("c.best*")})

    with pytest.raises(Killed):
        train(
            changed(epochs=6), dev=scripted([1, 5, 4, 3, 9, 8]), checkpoint=checkpoint,
            on_epoch=lambda row, epoch: look(row, epoch) or killer(6)(row, epoch),
        )  # fmt: skip
    assert [list(each) for each in written] == [
        [],
        ["c.best-1.safetensors"],
        *[["c.best-2.safetensors"]] * 3,
        ["c.best-5.safetensors"],
    ]
    assert written[2] == written[3] == written[4]


def test_a_process_that_is_killed_while_it_saves_goes_on_from_the_epoch_before(tmp_path, monkeypatch, caplog):
    checkpoint, values = tmp_path / "c.safetensors", [1, 2, 3, 4]
    whole = train(dev=scripted(values))
    original, saved = training_checkpoint.save_state, []

    def save_state(path, state):
        saved.append(path.name)
        if saved.count("c.safetensors") == 3:
            raise Killed
        original(path, state)

    monkeypatch.setattr(training_checkpoint, "save_state", save_state)
    with pytest.raises(Killed):
        train(dev=scripted(values), checkpoint=checkpoint)
    assert {file.name for file in tmp_path.glob("c*.safetensors")} == {
        "c.safetensors",
        "c.best-2.safetensors",
        "c.best-3.safetensors",
    }
    monkeypatch.undo()
    with caplog.at_level("INFO"):
        resumed = train(made=module(seed=5), dev=scripted(values[2:]), checkpoint=checkpoint)
    assert f"the training goes on after its epoch 2, from {checkpoint}" in caplog.text
    assert same(whole[0], resumed[0]) and whole[1] == resumed[1]
    assert not list(tmp_path.iterdir())


def test_a_label_without_class_stops_before_the_first_step():
    labels = torch.arange(COUNT) % 5
    with pytest.raises(ValueError, match=r"labels: expected -1 \(no label\) to 3, found 0 to 4"):
        train(given=data(labels))


def cut(content):
    return content[:-20]


def flipped(content):
    return content[:-20] + bytes([content[-20] ^ 1]) + content[-19:]


def test_a_checkpoint_that_cannot_be_read_stays_and_ends_the_run(tmp_path, monkeypatch):
    checkpoint = tmp_path / "c.safetensors"
    with pytest.raises(Killed):
        train(checkpoint=checkpoint, on_epoch=killer(3))
    there = sorted(tmp_path.iterdir())
    refuse(monkeypatch, tmp_path)
    with pytest.raises(NotReadableError, match=r"c\.safetensors cannot be read \(Permission denied\)"):
        train(checkpoint=checkpoint)
    assert sorted(tmp_path.iterdir()) == there


@pytest.mark.parametrize("damage", [cut, flipped])
@pytest.mark.parametrize("which", ["c.safetensors", "c.best*"])
def test_a_damaged_checkpoint_is_passed_over_with_a_warning_and_the_training_starts_afresh(
    tmp_path, caplog, damage, which
):
    checkpoint, whole = tmp_path / "c.safetensors", train()
    with pytest.raises(Killed):
        train(checkpoint=checkpoint, on_epoch=killer(3))
    (file,) = tmp_path.glob(which)
    file.write_bytes(damage(file.read_bytes()))
    again = train(checkpoint=checkpoint)
    assert "c.safetensors" in caplog.text and "starts afresh" in caplog.text
    assert same(whole[0], again[0]) and whole[1] == again[1]
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("options", "what"),
    [
        ({"config": changed(lr=0.02)}, "training.lr differ"),
        ({"config": changed(epochs=9)}, "training.epochs differ"),
        ({"config": changed(compute=ComputeConfig(precision="bf16-mixed"))}, "compute.precision differ"),
        ({"made": module(None)}, "size|key"),
        ({"made": module(free_dim=3)}, "size"),
    ],
)
def test_the_checkpoint_of_another_training_is_refused(tmp_path, options, what):
    checkpoint = tmp_path / "c.safetensors"
    with pytest.raises(Killed):
        train(checkpoint=checkpoint, on_epoch=killer(3))
    with pytest.raises(ValueError, match=f"(?s)c.safetensors belongs to another training .*({what}).*delete it"):
        train(checkpoint=checkpoint, **options)


def test_arms_of_one_seed_see_the_same_batches_augmented_alike():
    seen = {}
    for name, terms in {"none": None, "both": BOTH}.items():
        batches = seen[name] = []

        def noise(inputs, generator, batches=batches):
            inputs = inputs + torch.randn(inputs.shape, generator=generator)
            batches.append(inputs)
            return inputs

        given = data(teacher=terms is not None)
        train(made=module(terms), given=given, augment=noise)
        batches.append(given.inputs.batches)
    assert seen["none"][-1] == seen["both"][-1]
    assert all(torch.equal(one, other) for one, other in zip(seen["none"][:-1], seen["both"][:-1], strict=True))


def test_samples_without_label_train_and_leave_the_task_loss_alone():
    labels = torch.where(torch.arange(COUNT) % 2 == 0, torch.arange(COUNT) // 2 % 4, -1)
    _, history = train(given=data(labels))
    assert all(row["task"] > 0 and row["feature"] > 0 for row in history)
    _, nothing = train(given=data(torch.full((COUNT,), -1)))
    assert all(row["task"] == 0 and row["feature"] > 0 for row in nothing)


def test_a_row_of_the_history_has_every_term_with_its_active_share():
    _, history = train()
    expected = {"epoch", "loss", "task", "lr", "dev_score"}
    for name in BOTH:
        expected |= {name, f"{name}_active", f"{name}_raw"}
    assert set(history[-1]) == expected


def test_a_dev_metric_knows_which_way_is_better():
    assert DevMetric("x", len, True).better(2, 1) and not DevMetric("x", len, True).better(1, 1)
    assert DevMetric("x", len, False).better(0, 1) and DevMetric("x", len, False).better(5, None)


def test_half_precision_rounds_nothing_before_the_first_layer(monkeypatch):
    made, seen = module(), set()
    forward = type(made).forward

    def watching(self, batch):
        seen.update(getattr(batch, name).dtype for name in ("inputs", "teacher", "task_weights", "kd_weights"))
        return forward(self, batch)

    monkeypatch.setattr(type(made), "forward", watching)
    train(changed(compute={"accelerator": "cpu", "precision": "bf16-mixed"}, epochs=1), made=made)
    assert seen == {torch.float32}


def test_a_small_split_gets_its_least_number_of_steps():
    steps = COUNT // CONFIG.batch_size
    least = 7 * steps - 1
    rising = scripted([float(n) for n in range(1, 30)])
    _, history = train(changed(min_steps=least), dev=rising)
    assert len(history) == 7  # CONFIG asks for 4
    assert history[-1]["lr"] == pytest.approx(train(changed(epochs=7), dev=rising)[1][-1]["lr"])  # schedule: over all
    _, history = train(changed(min_steps=4 * steps))
    assert len(history) == 4


def test_a_training_that_was_made_longer_stops_where_dev_gets_no_better():
    steps = COUNT // CONFIG.batch_size
    best_second = [0.5, 0.9] + [0.1] * 40
    _, history = train(changed(min_steps=30 * steps), dev=scripted(best_second))
    assert len(history) == 2 + LENGTHENED_PATIENCE
    _, history = train(changed(min_steps=30 * steps, patience=3), dev=scripted(best_second))
    assert len(history) == 2 + 3
    _, history = train(changed(min_steps=30 * steps, keep="last"), dev=scripted(best_second))
    assert len(history) == 30
    _, history = train(changed(epochs=30), dev=scripted(best_second))  # as long as was asked for
    assert len(history) == 30


def test_a_training_that_was_made_longer_goes_on_from_its_checkpoint(tmp_path):
    config = changed(min_steps=7 * (COUNT // CONFIG.batch_size))
    whole, history = train(config)
    with pytest.raises(Killed):
        train(config, checkpoint=tmp_path / "c.safetensors", on_epoch=killer(5))
    resumed, again = train(config, checkpoint=tmp_path / "c.safetensors")
    assert len(history) == len(again)
    assert same(whole, resumed)


def test_a_short_training_says_nothing_of_its_progress_where_there_is_no_terminal(caplog):
    """Each epoch tells the bar its numbers: that alone is no reason for a line."""
    with caplog.at_level("INFO", logger="cross_modal_kd.compute"):
        train(description="mine")
    assert not [record for record in caplog.records if record.name.startswith("cross_modal_kd.compute")]
