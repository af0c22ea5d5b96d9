"""Schedules of rate and margin against their formulas, the mean of the last epochs, and the large-margin stage."""

import math
from dataclasses import replace

import pytest
import torch
from pydantic import ValidationError

from cross_modal_kd.compute import make_fabric
from cross_modal_kd.config.training import LargeMargin, MarginSchedule, TrainingConfig
from cross_modal_kd.losses.aam import AAMSoftmaxClassifier
from cross_modal_kd.training.loop import set_up
from cross_modal_kd.training.module import DistillationModule
from cross_modal_kd.training.plan import DevMetric, Plan
from cross_modal_kd.training.schedule import rate_of
from cross_modal_kd.training.stages import train_stages
from training_toys import (
    CLASSES,
    CONFIG,
    COUNT,
    DIM,
    ArrayInputs,
    TinyStudent,
    data,
    module,
    norm_metric,
    objective,
    projection,
    same,
    train,
    weights_of,
    without_seconds,
)

STEPS = COUNT // CONFIG.batch_size


def changed(**update) -> TrainingConfig:
    return TrainingConfig(**(CONFIG.model_dump() | update))


def aam(classes: int = CLASSES, margin: float = 0.2, terms: dict | None = None) -> DistillationModule:
    torch.manual_seed(0)
    classifier = AAMSoftmaxClassifier(classes, DIM, margin)
    return DistillationModule(TinyStudent(), classifier, objective(terms), projection() if terms else None)


def test_a_configuration_that_says_nothing_new_dumps_as_before():
    assert set(TrainingConfig().model_dump()) == {
        *("epochs", "min_steps", "batch_size", "lr", "weight_decay", "warmup", "grad_clip", "patience"),
        *("eval_every", "seed", "augment", "keep", "compute"),
    }


@pytest.mark.parametrize("growth", ["exponential", "linear"])
def test_the_margin_rises_between_two_epochs(growth):
    schedule = MarginSchedule(start_epoch=20, end_epoch=40, growth=growth)
    assert schedule.at(0, 0.2) == schedule.at(19, 0.2) == 0
    assert schedule.at(39, 0.2) == schedule.at(150, 0.2) == 0.2
    half = 1 - 0.001**0.5 if growth == "exponential" else 0.5
    assert schedule.at(29, 0.2) == pytest.approx(0.2 * half)


def test_every_step_of_a_training_has_the_margin_of_its_moment():
    made, seen = aam(margin=0.3), []
    made.classifier.register_forward_pre_hook(lambda classifier, _: seen.append(classifier.margin))
    schedule = MarginSchedule(start_epoch=2, end_epoch=4, growth="linear", initial=0.1)
    train(made, data(teacher=False), changed(margin_schedule=schedule.model_dump()))
    expected = [0.1] * STEPS + [0.1 + 0.2 * step / (2 * STEPS) for step in range(2 * STEPS)] + [0.3] * STEPS
    assert seen == pytest.approx(expected)


def test_a_margin_schedule_without_a_margin_is_refused():
    with pytest.raises(ValueError, match="training.margin_schedule .* LinearClassifier has not"):
        train(config=changed(margin_schedule={}))


@pytest.mark.parametrize("optimizer", ["adamw", "adam", "sgd"])
@pytest.mark.parametrize("schedule", ["exponential", "cosine"])
def test_the_learning_rate_of_every_step_is_its_formula(schedule, optimizer):
    config = changed(schedule=schedule, optimizer=optimizer, lr=0.1, final_lr=1e-3, warmup_epochs=1)
    plan = Plan(config, norm_metric())
    running = set_up(module(), data(), plan, make_fabric(config))
    total, rates = 4 * STEPS, []
    for _ in range(total + 1):
        rates.append(running.schedule.get_last_lr()[0])
        running.optimizer.step()
        running.schedule.step()
    for step, rate in enumerate(rates):
        warm = min(1, step / STEPS)
        falling = 0.1 * math.exp(step / total * math.log(1e-3 / 0.1))
        place = (step - STEPS) / (total - STEPS)
        turning = 1e-3 + (0.1 - 1e-3) * (1 + math.cos(math.pi * place)) / 2
        expected = warm * falling if schedule == "exponential" else 0.1 * warm if step < STEPS else turning
        assert rate == pytest.approx(expected)
    assert rates[-1] == pytest.approx(1e-3)


@pytest.mark.parametrize("size", [3, 7])
def test_cyclic_rates_are_speechbrains(size):
    from speechbrain.nnet.schedulers import CyclicLRScheduler

    config = changed(schedule="cyclic", lr=0.1, final_lr=1e-3, step_size=size)
    made = module(joint=True)
    running = set_up(made, data(), Plan(config, norm_metric()), make_fabric(config))
    theirs, rates = CyclicLRScheduler(base_lr=1e-3, max_lr=0.1, step_size=size), []
    shares = [group["initial_lr"] / 0.1 for group in running.optimizer.param_groups]
    for step in range(4 * STEPS):
        expected = theirs.clr(step)
        assert running.schedule.get_last_lr() == pytest.approx([share * expected for share in shares])
        rates.append(running.schedule.get_last_lr()[0] / shares[0])
        running.optimizer.step()
        running.schedule.step()
    assert rates[0] == pytest.approx(1e-3) and rates[size] == pytest.approx(0.1)
    assert sorted(set(shares)) == pytest.approx([0.1, 1.0])  # the projection's rate is a tenth


def test_a_training_that_ends_before_the_first_peak_says_so(caplog):
    train(config=changed(schedule="cyclic", final_lr=1e-4, step_size=4 * STEPS))
    assert "step_size" not in caplog.text
    train(config=changed(schedule="cyclic", final_lr=1e-4))
    assert f"its {4 * STEPS} steps are fewer than training.step_size = 65000" in caplog.text


def test_sgd_takes_the_steps_of_nesterov():
    config = changed(optimizer="sgd", momentum=0.8, schedule="exponential", lr=0.1, final_lr=0.1, weight_decay=0)
    running = set_up(aam(), data(teacher=False), Plan(config, norm_metric()), make_fabric(config))
    weight = running.module.student[1].weight
    value, moved = weight.detach().clone(), torch.zeros_like(weight)
    for _ in range(3):
        gradient = torch.randn_like(weight)
        weight.grad = gradient.clone()
        running.optimizer.step()
        moved = 0.8 * moved + gradient
        value -= 0.1 * (gradient + 0.8 * moved)
        torch.testing.assert_close(weight.detach(), value)


@pytest.mark.parametrize("optimizer", ["adam", "adamw"])
def test_adam_adds_the_decay_to_the_gradient_and_adamw_takes_it_off_the_weights(optimizer):
    decay, rate = 0.3, 0.01
    config = changed(optimizer=optimizer, schedule="exponential", lr=rate, final_lr=rate, weight_decay=decay)
    running = set_up(aam(), data(teacher=False), Plan(config, norm_metric()), make_fabric(config))
    layer = running.module.student[1]
    values = {name: [value.detach().clone(), 0.0, 0.0] for name, value in layer.named_parameters()}
    for step in range(1, 4):
        for name, weight in layer.named_parameters():
            gradient = torch.randn_like(weight)
            weight.grad = gradient.clone()
            value, first, second = values[name]
            own = decay if weight.ndim > 1 else 0.0
            if optimizer == "adam":
                gradient = gradient + own * value
            else:
                value = value * (1 - rate * own)
            first, second = 0.9 * first + 0.1 * gradient, 0.999 * second + 0.001 * gradient**2
            moved = rate * (first / (1 - 0.9**step)) / ((second / (1 - 0.999**step)).sqrt() + 1e-8)
            values[name] = [value - moved, first, second]
        running.optimizer.step()
        for name, weight in layer.named_parameters():
            torch.testing.assert_close(weight.detach(), values[name][0])


def test_adam_has_a_run_key_of_its_own_and_the_others_keep_theirs():
    said = TrainingConfig(optimizer="adamw").model_dump()
    assert said == TrainingConfig().model_dump() and "optimizer" not in said
    assert TrainingConfig(optimizer="adam").model_dump() == said | {"optimizer": "adam"}


def test_no_schedule_changes_the_rate_before_the_end_of_the_one_cycle():
    assert rate_of(changed(schedule="exponential", lr=0.1, final_lr=0.1), 10, 5)(7) == 1


@pytest.mark.parametrize("last", [3, 9])
def test_the_average_is_the_mean_of_the_last_epochs(last):
    seen, made = [], module()

    def note(row, epoch):
        seen.append(weights_of(made))

    train(made, config=changed(keep="last"), on_epoch=note)
    averaged = module()
    train(averaged, config=changed(keep="average", average_epochs=last))
    for name, value in weights_of(averaged).items():
        if value.is_floating_point():
            torch.testing.assert_close(value, torch.stack([state[name] for state in seen[-last:]]).mean(dim=0))


class Killed(Exception):
    pass


def killer(at: int):
    def on_epoch(row, epoch):
        if epoch == at:
            raise Killed

    return on_epoch


RECIPE = {
    "optimizer": "sgd",
    "schedule": "exponential",
    "lr": 0.05,
    "final_lr": 1e-3,
    "warmup_epochs": 1,
    "margin_schedule": {"start_epoch": 2, "end_epoch": 4},
    "keep": "average",
    "average_epochs": 2,
    "large_margin": {"epochs": 2, "crop_s": None, "margin": 0.5, "lr": 1e-2, "final_lr": 1e-3, "batch_size": 6},
}


def staged(given=None, **plan):
    made = aam(2 * CLASSES)
    history = train_stages(made, given or spoken(), Plan(changed(**RECIPE), norm_metric(), **plan))
    return weights_of(made), without_seconds(history)


class TwoSpeeds(ArrayInputs):
    """Numbers, of which the second variant is the negative."""

    variants = 2

    def __getitems__(self, items):
        rows, values = super().__getitems__(items)
        return rows, values * torch.tensor([1.0 - 2 * item.variant for item in items])[:, None]


def spoken():
    plain = data(teacher=False)
    return replace(plain, inputs=TwoSpeeds(plain.inputs.values), apart=CLASSES)


def test_the_large_margin_stage_goes_on_from_the_first():
    margins, sizes = [], []
    made = aam(2 * CLASSES)

    def note(classifier, given):
        margins.append(classifier.margin)
        sizes.append(len(given[0]))

    made.classifier.register_forward_pre_hook(note)
    history = train_stages(made, spoken(), Plan(changed(**RECIPE), norm_metric()))
    assert [row["epoch"] for row in history] == [1, 2, 3, 4, 5, 6]
    assert margins[4 * STEPS - 1] == pytest.approx(0.2) and set(margins[4 * STEPS :]) == {0.5}
    assert set(sizes[4 * STEPS :]) == {6} and len(sizes) == 4 * STEPS + 2 * (COUNT // 6)


@pytest.mark.parametrize("killed_at", [2, 3])
def test_cyclic_rates_go_on_where_they_were_interrupted(tmp_path, killed_at):
    size = 2 * STEPS + 1  # every epoch ends elsewhere on the triangle
    config = changed(schedule="cyclic", lr=0.05, final_lr=1e-4, step_size=size, keep="last")

    def trained(**plan):
        made = module()
        return weights_of(made), without_seconds(train(made, config=config, **plan))

    weights, history = trained()
    assert len({row["lr"] for row in history}) == len(history) == 4
    checkpoint = tmp_path / "c.safetensors"
    with pytest.raises(Killed):
        trained(checkpoint=checkpoint, on_epoch=killer(killed_at))
    resumed, rows = trained(checkpoint=checkpoint)
    assert rows == history and same(weights, resumed)


@pytest.mark.parametrize("killed_at", [2, 4, 5, 6])
def test_an_interrupted_recipe_ends_as_an_uninterrupted_one(tmp_path, killed_at):
    checkpoint = tmp_path / "c.safetensors"
    whole = staged()
    with pytest.raises(Killed):
        staged(checkpoint=checkpoint, on_epoch=killer(killed_at))
    seen = []
    resumed = staged(checkpoint=checkpoint, on_epoch=lambda row, epoch: seen.append(epoch))
    assert same(whole[0], resumed[0])
    assert whole[1] == resumed[1]
    assert seen[-1] == 6 and (killed_at < 5 or seen[:4] == [1, 2, 3, 4])
    assert not list(tmp_path.iterdir())


def test_a_first_stage_that_was_finished_is_not_trained_again(tmp_path):
    plan = Plan(changed(**RECIPE), norm_metric(), checkpoint=tmp_path / "c.safetensors")
    with pytest.raises(Killed):
        train_stages(aam(2 * CLASSES), spoken(), replace(plan, on_epoch=killer(6)))
    made, margins = aam(2 * CLASSES), []

    def note(classifier, _):
        margins.append(classifier.margin)

    made.classifier.register_forward_pre_hook(note)
    train_stages(made, spoken(), plan)
    assert margins == [0.5] * (COUNT // 6)  # of the second stage the last of two epochs


@pytest.mark.parametrize(
    ("values", "kept"), [([0.4, 0.9, 0.5, 0.5], 2), ([0.4, 0.9, 0.8, 0.95], 4), ([0.4, 0.9, math.nan, math.nan], None)]
)
def test_the_first_trainings_best_is_kept_where_the_large_margin_is_no_better(values, kept, tmp_path):
    if kept is None:  # what is no number cannot be chosen by
        with pytest.raises(ValueError, match="not a number"):
            best_of_both(values, tmp_path)
        return
    made, seen = best_of_both(values, tmp_path)
    assert same(weights_of(made), seen[kept])
    assert made.classifier.margin == pytest.approx(0.2 if kept <= 2 else 0.5)
    other, seen = best_of_both(values, tmp_path, only_if_better=False)
    assert same(weights_of(other), seen[max((3, 4), key=lambda epoch: values[epoch - 1])])


def best_of_both(values, folder, only_if_better=True):
    """The module after two epochs and two of the large margin, and its weights after each."""
    left, seen = iter(values), {}
    made = aam()

    def look(_):
        seen[len(seen) + 1] = weights_of(made)
        return next(left)

    stage = {**RECIPE["large_margin"], "only_if_better": only_if_better}
    config = changed(epochs=2, large_margin=stage)
    train_stages(made, data(teacher=False), Plan(config, DevMetric("score", look, True), checkpoint=folder / "c"))
    return made, seen


def test_a_large_margin_that_says_nothing_new_has_the_key_that_it_had():
    assert "only_if_better" not in LargeMargin().model_dump()
    assert LargeMargin(only_if_better=True).model_dump()["only_if_better"]


def test_a_large_margin_without_crops_is_refused_before_the_first_stage():
    seen = []
    config = changed(large_margin={"crop_s": 6.0})
    with pytest.raises(ValueError, match="large_margin.crop_s is 6.0, and inputs of this modality have no length"):
        train_stages(aam(), data(teacher=False), Plan(config, norm_metric(), on_epoch=lambda *row: seen.append(row)))
    assert not seen


def test_variants_are_classes_of_their_own_without_a_partner():
    made = aam(2 * CLASSES, terms={"feature": ("cosine", {})})
    met, weights = [], []
    made.classifier.register_forward_pre_hook(lambda _, given: met.append(given[1]))
    made.register_forward_pre_hook(lambda _, given: weights.append((given[0].kd_weights, given[0].labels)))
    plain = data()
    train(made, replace(plain, inputs=TwoSpeeds(plain.inputs.values), apart=CLASSES))
    classes, own = torch.cat(met), torch.cat([labels for _, labels in weights])
    assert torch.equal(classes % CLASSES, own) and classes.max() >= CLASSES
    share = (classes >= CLASSES).float().mean()
    assert 0.35 < share < 0.65
    assert torch.equal(torch.cat([each for each, _ in weights]) == 0, classes >= CLASSES)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"schedule": "cosine", "lr": 1e-5}, "training.final_lr: expected at most"),
        ({"schedule": "cyclic", "lr": 1e-5}, "training.final_lr: expected at most"),
        ({"warmup_epochs": 2}, "training.warmup_epochs is of schedule exponential or cosine; one_cycle takes `warmup`"),
        ({"schedule": "cyclic", "warmup_epochs": 2}, "cyclic rises by itself, over `step_size` steps"),
        ({"keep": "average", "ema": 0.9}, "two averages"),
        ({"keep": "average", "patience": 2}, "training.keep must then be 'best'"),
        ({"margin_schedule": {"start_epoch": 5, "end_epoch": 5}}, "end_epoch: expected more than start_epoch"),
        ({"large_margin": {"lr": 1e-6}}, "final_lr: expected at most lr"),
        ({"large_margin": {"only_if_better": True}, "keep": "last"}, "training.keep must be 'best'"),
        ({"augmentation": {"text": {}}}, "unknown block of training.augmentation 'text'"),
        ({"augmentation": {"speech": {"speeds": [0.9, 1.0]}}}, "speeds: expected 1 and then others"),
    ],
)
def test_settings_that_do_not_fit_are_refused(given, said):
    with pytest.raises(ValidationError, match=said):
        changed(**given)


def test_the_second_training_is_the_first_but_for_what_it_says():
    first = changed(**RECIPE, seed=3)
    second = first.for_large_margin()
    assert (second.seed, second.optimizer, second.schedule) == (3, "sgd", "exponential")
    assert (second.keep, second.margin_schedule, second.large_margin) == ("last", None, None)
    assert LargeMargin().margin == 0.5 and CONFIG.for_large_margin() is None
    cyclic = changed(schedule="cyclic", lr=0.1, step_size=7, large_margin={}).for_large_margin()
    assert (cyclic.step_size, cyclic.warmup_epochs, cyclic.lr) == (7, 0, 1e-4)
