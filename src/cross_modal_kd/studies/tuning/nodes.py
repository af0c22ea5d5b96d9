"""Each arm's few hyper-parameters, searched on the dev split with the same number of trials."""

from pathlib import Path
from typing import NamedTuple

import pandas as pd

from cross_modal_kd.studies.context import Context
from cross_modal_kd.studies.tuning.config import TuningConfig
from cross_modal_kd.tasks import kind_of


class Tuned(NamedTuple):
    """A row a trial, and the text of a configuration file."""

    tuning_trials: pd.DataFrame
    tuned_arms: str


def tune_arms(tuning_folds: list[Context], tuning: TuningConfig, store: Path) -> Tuned:
    """All trials of all arms, and the arms with their best values as a configuration file to commit.

    The studies lie in ``store`` and are taken up where they were left. The test split is not read.

    Args:
        tuning_folds: of ``gathering.prepare_folds``.
        tuning: what is searched, and for how long.
        store: folder of the Optuna studies.

    Returns:
        A row a trial, in the columns of ``search.summary``, and YAML text of the block ``arms``; of several shares of
        the labels, with a column ``labelled`` and as ``regimes.labels.tuned``; over folds, with a column ``fold``
        (from 1) too, and the values of an arm as a list, one of each fold.
    """
    from cross_modal_kd.studies.headline import log_values
    from cross_modal_kd.studies.tuning.trials import search_every_arm, tuned_arms_file, tuned_shares_file

    trials, tuned = search_every_arm(tuning_folds, tuning, store)
    best = trials[trials["best"].astype(bool)]
    names, task = best["arm"], tuning_folds[0].task
    for column, before in {"labelled": ".", "fold": ".fold-"}.items():
        names = names + before + best[column].astype(str) if column in best else names
    log_values({f"{kind_of(task).dev_metric}.{name}": dev for name, dev in zip(names, best["dev"], strict=True)})
    several = tuning.labelled is not None and bool(tuning.labelled.shares)
    write = tuned_shares_file if several else tuned_arms_file
    return Tuned(trials, tuned_arms=write(tuned, task, tuning))
