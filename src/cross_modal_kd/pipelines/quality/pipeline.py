"""``samples`` to ``quality_measures``, ``quality_scores``, ``sample_weights`` and ``quality_histogram``."""

from kedro.pipeline import Node, Pipeline

from cross_modal_kd.pipelines.quality.nodes import measure_quality, plot_quality, score_quality, weigh_samples
from cross_modal_kd.pipelines.stage import bound, stage


def create_pipeline(**_: object) -> Pipeline:
    """Measure, rank, weigh, show.

    Args:
        **_: what Kedro may pass; none is read.

    Returns:
        The stage, tagged ``quality``.
    """
    return stage(
        "quality",
        [
            Node(
                measure_quality,
                bound("samples", "quality_cache", params=["sources", "quality", "compute"]),
                "quality_measures",
                name="measure_quality",
            ),
            Node(
                score_quality,
                bound("samples", "quality_measures", params=["quality"]),
                "quality_scores",
                name="score_quality",
            ),
            Node(
                weigh_samples,
                bound("samples", "quality_scores", params=["task", "arms", "distillation"]),
                "sample_weights",
                name="weigh_samples",
            ),
            Node(
                plot_quality,
                bound("samples", "quality_measures", "quality_scores"),
                "quality_histogram",
                name="plot_quality",
            ),
        ],
    )
