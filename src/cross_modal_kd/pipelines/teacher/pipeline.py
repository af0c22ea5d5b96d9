"""``samples`` -> ``teacher_model`` -> ``teacher_views`` -> ``teacher_embeddings`` -> ``teacher_metrics``."""

from kedro.pipeline import Node, Pipeline

from cross_modal_kd.pipelines.stage import bound, stage
from cross_modal_kd.pipelines.teacher.nodes import average_views, embed_with_teacher, measure_on_dev, prepare_teacher


def create_pipeline(**_: object) -> Pipeline:
    """Prepare the teacher, embed with it once, measure it.

    Args:
        **_: what Kedro may pass; none is read.

    Returns:
        The stage, tagged ``teacher``.
    """
    return stage(
        "teacher",
        [
            Node(
                prepare_teacher,
                bound("samples", "checkpoints", params=["task", "sources", "inputs", "teacher"]),
                "teacher_model",
                name="prepare_teacher_encoder",
            ),
            Node(
                embed_with_teacher,
                bound(
                    *("samples", "teacher_model", "embedding_cache"),
                    params=["task", "sources", "inputs", "training", "compute"],
                ),
                "teacher_views",
                name="embed_with_teacher",
            ),
            Node(
                average_views,
                bound("teacher_views", "samples", "quality_scores", params=["teacher"]),
                "teacher_embeddings",
                name="average_views",
            ),
            Node(
                measure_on_dev,
                bound("samples", "teacher_embeddings", params=["task"]),
                "teacher_metrics",
                name="measure_teacher_on_dev",
            ),
        ],
    )
