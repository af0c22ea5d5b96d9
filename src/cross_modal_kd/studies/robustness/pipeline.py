"""Students and test samples -> robustness.csv and its plots."""

from kedro.pipeline import Node, Pipeline

from cross_modal_kd.pipelines import stage
from cross_modal_kd.studies import gathering
from cross_modal_kd.studies.robustness.nodes import choose_students, draw_robustness, measure_robustness


def create_pipeline(**_: object) -> Pipeline:
    """Needs what ``distill`` leaves in the catalog, or also ``comparison`` (``robustness.from_comparison``).

    Args:
        **_: ignored; Kedro may pass some.

    Returns:
        The nodes that gather the context, and three of the study, tagged ``robustness``.
    """
    context = {"context": "study_context"}
    blocks = {name: f"params:{name}" for name in ("distillation", "comparison", "robustness")}
    students = {arm: f"{arm}.student" for arm in ("student_alone", "distilled")}
    study = stage(
        "robustness",
        [
            Node(
                choose_students,
                context | blocks | {"comparison_store": "comparison_store"} | students,
                "robustness_students",
                name="choose_students",
            ),
            Node(
                measure_robustness,
                context | {"robustness": "params:robustness", "students": "robustness_students"},
                "robustness",
                name="measure_robustness",
            ),
            Node(
                draw_robustness,
                {"table": "robustness", "task": "params:task", "students": "robustness_students"},
                ["robustness_plot", "robustness_image", "robustness_by_arm"],
                name="draw_robustness",
            ),
        ],
    )
    return gathering.create_pipeline() + study
