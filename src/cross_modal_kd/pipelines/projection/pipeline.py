"""teacher_embeddings -> projection_mlp, projection_pca, projection_metrics, projection_history."""

from kedro.pipeline import Node, Pipeline

from cross_modal_kd.pipelines.projection.nodes import fit_heads


def create_pipeline(**_: object) -> Pipeline:
    return Pipeline(
        [
            Node(
                fit_heads,
                ["samples", "params:task", "teacher_embeddings", "params:projection"],
                ["projection_mlp", "projection_pca", "projection_metrics", "projection_history"],
                name="fit_projection_heads",
            )
        ],
        tags="projection",
    )
