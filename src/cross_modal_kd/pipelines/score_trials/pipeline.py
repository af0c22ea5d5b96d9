"""A list of trials and saved embeddings -> ``trial_scores``, ``trial_metrics``, ``trial_det``."""

from kedro.pipeline import Node, Pipeline

from cross_modal_kd.pipelines.score_trials.nodes import score_list
from cross_modal_kd.pipelines.stage import bound, stage

OUTPUTS = ["trial_scores", "trial_metrics", "trial_det", "trial_det_plot"]


def create_pipeline(**_: object) -> Pipeline:
    """A published list of trials; no part of ``distill``.

    Args:
        **_: what Kedro may pass; none is read.

    Returns:
        The stage, tagged ``score_trials``.
    """
    return stage("score_trials", [Node(score_list, bound(params=["score_trials", "task"]), OUTPUTS, name="score_list")])
