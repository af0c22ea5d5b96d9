"""Samples and their quality to the evidence: ordering of known damage, error versus discard, a gallery."""

from kedro.pipeline import Node, Pipeline

from cross_modal_kd.pipelines import bound, stage
from cross_modal_kd.studies.quality.nodes import (
    discard_worst_samples,
    measure_degraded_samples,
    plot_ordering,
    rank_measures,
    show_best_and_worst,
)


def create_pipeline(**_: object) -> Pipeline:
    """Needs what ``distill`` leaves in the catalog.

    Args:
        **_: ignored; Kedro may pass some.

    Returns:
        The nodes of the study, tagged ``quality_study``.
    """
    nodes = [
        Node(
            measure_degraded_samples,
            bound("samples", "quality_measures", params=["sources", "quality", "quality_study"]),
            "degraded_measures",
            name="measure_degraded_samples",
        ),
        Node(
            rank_measures,
            bound("degraded_measures", params=["quality_study", "evaluation"]),
            "quality_ordering",
            name="rank_measures",
        ),
        Node(plot_ordering, bound("quality_ordering"), "quality_ordering_plot", name="plot_ordering"),
        Node(
            show_best_and_worst,
            bound("samples", "quality_measures", "quality_scores", params=["sources", "quality_study"]),
            "quality_gallery",
            name="show_best_and_worst",
        ),
        Node(
            discard_worst_samples,
            bound(
                *("samples", "quality_measures", "quality_scores", "trials"),
                params=["quality_study"],
                embeddings="distilled.embeddings",
            ),
            ["error_versus_discard", "error_versus_discard_plot"],
            name="discard_worst_samples",
        ),
    ]
    return stage("quality_study", nodes)
