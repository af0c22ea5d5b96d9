"""The distilled student -> ``distilled.exported`` and ``distilled.export_report``."""

from kedro.pipeline import Node, Pipeline

from cross_modal_kd.pipelines.deployment.nodes import export_student
from cross_modal_kd.pipelines.stage import bound, stage


def create_pipeline(**_: object) -> Pipeline:
    """Export the student, held against PyTorch on dev samples; no part of ``distill``.

    Args:
        **_: what Kedro may pass; none is read.

    Returns:
        The stage, tagged ``deployment``.
    """
    return stage(
        "deployment",
        [
            Node(
                export_student,
                bound(
                    "samples",
                    params=["task", "sources", "export"],
                    student="distilled.student",
                    exported="distilled.exported",
                ),
                "distilled.export_report",
                name="export_student",
            )
        ],
    )
