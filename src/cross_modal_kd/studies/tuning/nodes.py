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


def tune_arms(context: Context, tuning: TuningConfig, store: Path) -> Tuned:
    """All trials of all arms, and the arms with their best values as a configuration file to commit.

    The studies lie in ``store`` and are taken up where they were left. The test split is not read.

    Args:
        context: of all studies.
        tuning: what is searched, and for how long.
        store: folder of the Optuna studies.

    Returns:
        A row a trial, in the columns of ``search.summary``, and YAML text of the block ``arms``.
    """
    from cross_modal_kd.studies.headline import log_values
    from cross_modal_kd.studies.tuning.trials import search_every_arm, tuned_arms_file

    trials, tuned = search_every_arm(context, tuning, store)
    best = trials[trials["best"].astype(bool)]
    log_values({f"{kind_of(context.task).dev_metric}.{row['arm']}": row["dev"] for row in best.to_dict("records")})
    return Tuned(trials, tuned_arms=tuned_arms_file(tuned, context.task, tuning))
