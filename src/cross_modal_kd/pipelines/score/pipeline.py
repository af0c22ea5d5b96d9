"""``distilled.packaged`` and files -> ``predictions``."""

from kedro.pipeline import Node, Pipeline

from cross_modal_kd.pipelines.score.nodes import score_files
from cross_modal_kd.pipelines.stage import bound, stage


def create_pipeline(**_: object) -> Pipeline:
    """The distilled student at work; no part of ``distill``.

    Args:
        **_: what Kedro may pass; none is read.

    Returns:
        The stage, tagged ``score``.
    """
    inputs = bound(params=["score"], packaged="distilled.packaged")
    return stage("score", [Node(score_files, inputs, "predictions", name="score_files")])
