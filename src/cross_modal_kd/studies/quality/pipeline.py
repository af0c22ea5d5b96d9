"""The quality study."""

from kedro.pipeline import Node, Pipeline

from cross_modal_kd.studies.quality.nodes import (
    discard_worst_samples,
    measure_degraded_samples,
    plot_ordering,
    rank_measures,
    show_best_and_worst,
)


def create_pipeline(**_: object) -> Pipeline:
    """Samples and their quality to the evidence: ordering of known damage, error versus discard, a gallery."""
    return Pipeline(
        [
            Node(
                measure_degraded_samples,
                inputs=["samples", "quality_measures", "params:sources", "params:quality", "params:quality_study"],
                outputs="degraded_measures",
                name="measure_degraded_samples",
                tags="quality_study",
            ),
            Node(
                rank_measures,
                inputs=["degraded_measures", "params:quality_study"],
                outputs="quality_ordering",
                name="rank_measures",
                tags="quality_study",
            ),
            Node(
                plot_ordering,
                inputs="quality_ordering",
                outputs="quality_ordering_plot",
                name="plot_ordering",
                tags="quality_study",
            ),
            Node(
                show_best_and_worst,
                inputs=["samples", "quality_measures", "quality_scores", "params:sources", "params:quality_study"],
                outputs="quality_gallery",
                name="show_best_and_worst",
                tags="quality_study",
            ),
            Node(
                discard_worst_samples,
                inputs=[
                    "samples",
                    "quality_measures",
                    "quality_scores",
                    "trials",
                    "distilled.embeddings",
                    "params:quality_study",
                ],
                outputs=["error_versus_discard", "error_versus_discard_plot"],
                name="discard_worst_samples",
                tags="quality_study",
            ),
        ]
    )
