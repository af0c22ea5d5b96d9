"""``teacher_embeddings`` -> ``projection_mlp``, ``projection_pca``, ``projection_metrics``, ``projection_history``."""

from kedro.pipeline import Node, Pipeline

from cross_modal_kd.pipelines.projection.nodes import fit_projections
from cross_modal_kd.pipelines.stage import bound, stage


def create_pipeline(**_: object) -> Pipeline:
    """Fit the trainable projection and the fixed one.

    Args:
        **_: what Kedro may pass; none is read.

    Returns:
        The stage, tagged ``projection``.
    """
    return stage(
        "projection",
        [
            Node(
                fit_projections,
                bound(
                    *("samples", "teacher_embeddings", "teacher_model"), params=["task", "projection", "distillation"]
                ),
                ["projection_mlp", "projection_pca", "projection_metrics", "projection_history"],
                name="fit_projections",
            )
        ],
    )
