"""samples -> teacher_model -> teacher_embeddings -> teacher_metrics."""

from kedro.pipeline import Node, Pipeline

from cross_modal_kd.pipelines.teacher.nodes import embed_with_teacher, measure_on_dev, prepare_teacher


def create_pipeline(**_: object) -> Pipeline:
    shared = ["samples", "params:task", "params:sources", "params:inputs"]
    return Pipeline(
        [
            Node(
                prepare_teacher,
                [*shared, "params:teacher", "checkpoints"],
                "teacher_model",
                name="prepare_teacher_encoder",
            ),
            Node(
                embed_with_teacher,
                [*shared, "teacher_model", "embedding_cache"],
                "teacher_embeddings",
                name="embed_with_teacher",
            ),
            Node(
                measure_on_dev,
                ["samples", "params:task", "teacher_embeddings"],
                "teacher_metrics",
                name="measure_teacher_on_dev",
            ),
        ],
        tags="teacher",
    )
