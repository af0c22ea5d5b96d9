"""The quality pipeline."""

from kedro.pipeline import Node, Pipeline

from cross_modal_kd.pipelines.quality.nodes import measure_quality, plot_quality, score_quality, weigh_samples


def create_pipeline(**_kwargs) -> Pipeline:
    """``samples`` to ``quality_measures``, ``quality_scores``, ``sample_weights`` and ``quality_histogram``."""
    return Pipeline(
        [
            Node(
                measure_quality,
                inputs=["samples", "params:sources", "params:quality"],
                outputs="quality_measures",
                name="measure_quality",
                tags="quality",
            ),
            Node(
                score_quality,
                inputs=["samples", "quality_measures", "params:quality"],
                outputs="quality_scores",
                name="score_quality",
                tags="quality",
            ),
            Node(
                weigh_samples,
                inputs=["samples", "quality_scores", "params:task", "params:arms", "params:distillation"],
                outputs="sample_weights",
                name="weigh_samples",
                tags="quality",
            ),
            Node(
                plot_quality,
                inputs=["samples", "quality_measures", "quality_scores"],
                outputs="quality_histogram",
                name="plot_quality",
                tags="quality",
            ),
        ]
    )
