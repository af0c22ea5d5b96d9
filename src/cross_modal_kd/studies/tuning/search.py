"""The search itself: one persistent Optuna study an arm, the same number of trials for all, dev split only."""

import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import optuna
import pandas as pd

from cross_modal_kd.config import ArmConfig
from cross_modal_kd.studies.arm_keys import block_of, content_of, with_value
from cross_modal_kd.studies.tuning.config import SearchRange, TuningConfig
from cross_modal_kd.training import derive_seed

logger = logging.getLogger(__name__)

# (arm under trial, seed, report(value, epoch)) -> best dev value; ``report`` raises TrialPruned in a hopeless trial.
Measure = Callable[[ArmConfig, int, Callable[[float, int], None]], float]


def make_storage(file: Path) -> None:
    """Make the file of all studies where it is missing, before several arms are searched at once.

    Args:
        file: SQLite.
    """
    optuna.storages.RDBStorage(f"sqlite:///{file}")


def suggest(trial: optuna.Trial, key: str, bounds: SearchRange) -> Any:
    """A value for one key.

    Args:
        trial: that is to try it; it notes the value under ``key``.
        key: dotted, inside the arm.
        bounds: the range, or the choices.

    Returns:
        A float in the range, or one of the choices.
    """
    if bounds.choices is not None:
        return trial.suggest_categorical(key, bounds.choices)
    return trial.suggest_float(key, *bounds.ends, log=bounds.log)


def search_arm(
    name: str,
    arm: ArmConfig,
    space: Mapping[str, SearchRange],
    tuning: TuningConfig,
    measure: Measure,
    storage: Path,
    study_name: str,
    larger_is_better: bool,
) -> optuna.Study:
    """The study of one arm, brought up to ``tuning.trials`` finished trials; what an earlier call finished counts.

    The first trial is the arm as configured, so that a search never ends behind it. A trial that is interrupted is not
    counted; one that is pruned is.

    Args:
        name: of the arm, for the log.
        arm: as configured.
        space: range of each dotted key inside the arm.
        tuning: how many trials and repeats, and the seed.
        measure: (arm under trial, seed, report) -> its best dev value.
        storage: SQLite file of all studies, made where it is missing (for several arms at once by ``make_storage``).
        study_name: of this one, under which it is taken up again.
        larger_is_better: whether dev values are to be large.

    Returns:
        The study, with the trials of all calls.

    Raises:
        ValueError: a key of ``space`` that the arm does not have.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(
        study_name=study_name,
        storage=f"sqlite:///{storage}",
        direction="maximize" if larger_is_better else "minimize",
        pruner=optuna.pruners.MedianPruner(n_startup_trials=3, n_warmup_steps=0),
        load_if_exists=True,
    )
    counted = (optuna.trial.TrialState.COMPLETE, optuna.trial.TrialState.PRUNED)
    finished = len(study.get_trials(states=counted))
    seed = derive_seed("tuning", tuning.seed, finished) % 2**32
    study.sampler = optuna.samplers.TPESampler(seed=seed, n_startup_trials=max(2, tuning.trials // 2))
    if not study.get_trials(states=(*counted, optuna.trial.TrialState.WAITING)):
        study.enqueue_trial(configured(arm, space))

    def objective(trial: optuna.Trial) -> float:
        return _dev_value(trial, arm, space, tuning, measure)

    study.optimize(objective, n_trials=max(0, tuning.trials - finished))
    logger.info("%s: best on dev %.4f with %s", name, study.best_value, study.best_params)
    return study


def _dev_value(
    trial: optuna.Trial, arm: ArmConfig, space: Mapping[str, SearchRange], tuning: TuningConfig, measure: Measure
) -> float:
    """The mean best dev value over ``tuning.repeats`` trainings of the arm with the trial's values."""
    tried = arm
    for key, bounds in space.items():
        tried = with_value(tried, key, suggest(trial, key, bounds))
    values = []
    for repeat in range(tuning.repeats):

        def report(value: float, epoch: int, repeat: int = repeat) -> None:
            trial.report(value, repeat * 10_000 + epoch)
            if trial.should_prune():
                raise optuna.TrialPruned

        values.append(measure(tried, tuning.seed + repeat, report))
    return sum(values) / len(values)


def configured(arm: ArmConfig, space: Mapping[str, SearchRange]) -> dict[str, Any]:
    """The arm's own values of the keys, drawn into the range where they lie outside it.

    Args:
        arm: as configured.
        space: range of each dotted key inside the arm.

    Returns:
        By key, a float in the range (its low end for null) or one of the choices (the first for a value that is none).

    Raises:
        ValueError: a key that the arm does not have; the message names those it has.
    """
    values: dict[str, Any] = {}
    for key, bounds in space.items():
        block, last = block_of(content_of(arm), key)
        values[key] = _nearest(bounds, block[last])
    return values


def _nearest(bounds: SearchRange, value: Any) -> Any:
    if bounds.choices is not None:
        return value if value in bounds.choices else bounds.choices[0]
    low, high = bounds.ends
    return low if value is None else min(max(float(value), low), high)


def summary(name: str, study: optuna.Study, larger_is_better: bool) -> pd.DataFrame:
    """One row a trial, in the order in which they began.

    Args:
        name: of the arm.
        study: of ``search_arm``.
        larger_is_better: of its dev values.

    Returns:
        Columns ``arm``, ``trial`` (from 0), ``state`` (complete, pruned, fail ...), ``dev`` (a share; of a pruned trial
        the last that it reported), ``larger_is_better``, ``best``, and the value of every key that was tried.
    """
    best = study.best_trial.number
    return pd.DataFrame(
        {
            "arm": name,
            "trial": trial.number,
            "state": trial.state.name.lower(),
            "dev": trial.value,
            "larger_is_better": larger_is_better,
            "best": trial.number == best,
            **trial.params,
        }
        for trial in study.trials
    )
