"""Students and test samples -> robustness.csv and its pictures."""

from kedro.pipeline import Node, Pipeline

from cross_modal_kd.studies.robustness.nodes import choose_students, draw_robustness, measure_robustness


def create_pipeline(**_: object) -> Pipeline:
    """Needs what ``distill`` leaves in the catalog, or also ``comparison`` (``robustness.from_comparison``)."""
    data = [
        "samples", "teacher_embeddings", "projection_mlp", "projection_pca", "sample_weights", "comparison_store",
    ]  # fmt: skip
    blocks = ["task", "inputs", "student", "training", "arms", "distillation", "comparison", "robustness"]
    students = {arm: f"{arm}.student" for arm in ("student_alone", "distilled")}
    measured = ["task", "sources", "evaluation", "robustness"]
    return Pipeline(
        [
            Node(
                choose_students,
                {name: name for name in data} | {name: f"params:{name}" for name in blocks} | students,
                "robustness_students",
                name="choose_students",
            ),
            Node(
                measure_robustness,
                ["samples", *(f"params:{name}" for name in measured), "robustness_students"],
                "robustness",
                name="measure_robustness",
            ),
            Node(
                draw_robustness,
                ["robustness", "params:task"],
                ["robustness_plot", "robustness_by_arm"],
                name="draw_robustness",
            ),
        ],
        tags="robustness",
    )
