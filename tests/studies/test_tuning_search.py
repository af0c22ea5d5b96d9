"""The search: a fixed number of trials, the configured arm first, resumable."""

import optuna
import pytest

from cross_modal_kd.config.objective import ArmConfig
from cross_modal_kd.studies.tuning.config import SearchRange, TuningConfig
from cross_modal_kd.studies.tuning.search import configured, search_arm, summary, with_value

ARM = ArmConfig(constraints={"feature": {"kind": "cosine", "weight": 3.0, "margin": 0.2}}, quality={"gamma": 1.0})
KEY = "constraints.feature.weight"
SPACE = {
    KEY: SearchRange(low=1.0, high=10.0),
    "constraints.feature.reducer": SearchRange(choices=["mean", "active_mean"]),
}


class Bowl:
    """The dev value is the distance of the weight from 7; counts, and stops where it is told."""

    def __init__(self, stop_at: int | None = None) -> None:
        self.tried, self.stop_at = [], stop_at

    def __call__(self, arm, seed, report):
        if len(self.tried) == self.stop_at:
            raise KeyboardInterrupt
        self.tried.append(arm.constraints["feature"].weight)
        report(abs(self.tried[-1] - 7), 1)
        return abs(self.tried[-1] - 7)


def search(folder, measure, trials=6, larger=False, **options):
    tuning = TuningConfig(trials=trials, space={"a": SPACE}, **options)
    return search_arm("a", ARM, SPACE, tuning, measure, folder / "s.db", "a-1", larger_is_better=larger)


def test_the_configured_arm_is_tried_first_and_every_trial_counts(tmp_path):
    bowl = Bowl()
    study = search(tmp_path, bowl)
    assert bowl.tried[0] == 3.0 and len(bowl.tried) == len(study.trials) == 6
    assert study.best_value == min(abs(weight - 7) for weight in bowl.tried)
    table = summary("a", study, False)
    assert table["best"].sum() == 1 and table.loc[table["best"], KEY].item() == study.best_params[KEY]


def test_a_search_goes_on_with_values_that_it_has_not_tried(tmp_path):
    first, second = Bowl(stop_at=3), Bowl()
    with pytest.raises(KeyboardInterrupt):
        search(tmp_path, first)
    study = search(tmp_path, second)
    assert len(first.tried) == 3 and len(second.tried) == 3
    assert len(set(first.tried + second.tried)) == 6
    counted = study.get_trials(states=[optuna.trial.TrialState.COMPLETE, optuna.trial.TrialState.PRUNED])
    assert len(counted) == 6
    third = Bowl()
    search(tmp_path, third)
    assert not third.tried


def test_a_search_that_was_stopped_in_its_first_trial_tries_the_configured_arm_again(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        search(tmp_path, Bowl(stop_at=0))
    bowl = Bowl()
    search(tmp_path, bowl)
    assert bowl.tried[0] == 3.0


def test_repeats_are_averaged_over_seeds(tmp_path):
    seeds = []

    def measure(arm, seed, report):
        seeds.append(seed)
        return float(seed)

    assert search(tmp_path, measure, trials=1, repeats=3, seed=5).best_value == 6
    assert seeds == [5, 6, 7]


def test_what_is_better_depends_on_the_metric(tmp_path):
    bowl = Bowl()
    assert search(tmp_path, bowl, larger=True).best_value == max(abs(weight - 7) for weight in bowl.tried)


def test_the_same_seed_searches_alike(tmp_path):
    bowls = [Bowl(), Bowl(), Bowl()]
    for number, (bowl, seed) in enumerate(zip(bowls, (0, 0, 1), strict=True)):
        (tmp_path / str(number)).mkdir()
        search(tmp_path / str(number), bowl, seed=seed)
    assert bowls[0].tried == bowls[1].tried != bowls[2].tried


def test_one_key_is_set():
    changed = with_value(ARM, KEY, 5.0)
    assert changed.constraints["feature"].weight == 5 and changed.constraints["feature"].margin == 0.2
    assert with_value(ARM, "quality.gamma", 2.0).quality.gamma == 2
    assert ARM.constraints["feature"].weight == 3


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("constraints.classifier.weight", "leads nowhere, there is no block 'classifier' among .*'feature'"),
        ("constraints.feature.weigth", "names no key of the arm; expected one of: kind, margin"),
    ],
)
def test_a_key_that_the_arm_does_not_have_is_told(key, message):
    for call in (lambda: with_value(ARM, key, 1.0), lambda: configured(ARM, {key: SearchRange(low=0, high=1)})):
        with pytest.raises(ValueError, match=message):
            call()


def test_the_configured_values_are_drawn_into_their_ranges():
    space = {KEY: SearchRange(low=4, high=5), "constraints.feature.margin": SearchRange(low=0, high=0.1)}
    space["constraints.feature.reducer"] = SearchRange(choices=["active_mean"])
    assert list(configured(ARM, space).values()) == [4, 0.1, "active_mean"]
