"""A list of trials, scored from saved embeddings."""

from typing import Any, NamedTuple

import pandas as pd

from cross_modal_kd.config import ScoreTrialsConfig, TaskConfig


class Scored(NamedTuple):
    """Scores of a list, and what they are worth. trial_det_plot: a figure of matplotlib."""

    trial_scores: pd.DataFrame
    trial_metrics: dict
    trial_det: pd.DataFrame
    trial_det_plot: Any


def score_list(score_trials: ScoreTrialsConfig, task: TaskConfig) -> Scored:
    """Score every trial of a list, and measure the errors.

    Args:
        score_trials: the list, the embeddings, and what is asked of them.
        task: which modalities a list across two of them compares.

    Returns:
        A row a trial; EER, minDCF and thresholds; points of the error trade-off, and their plot.
    """
    from cross_modal_kd.evaluation import measure_trials
    from cross_modal_kd.evaluation import score_trials as scores_of

    scored = scores_of(score_trials, task)
    found = measure_trials(scored, score_trials)
    return Scored(scored.table(), found.metrics, found.det, found.plot())
