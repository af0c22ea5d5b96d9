"""Students and teacher -> ``{role}.packaged``; ``distilled.exported`` and its report."""

from kedro.pipeline import Node, Pipeline

from cross_modal_kd.pipelines.chosen import choose_projection
from cross_modal_kd.pipelines.deployment.export_nodes import export_student
from cross_modal_kd.pipelines.deployment.nodes import (
    gather_equipment,
    gather_teacher_side,
    package_as,
    rank_quality,
    write_card,
)
from cross_modal_kd.pipelines.stage import bound, stage

ROLES = {"student_alone": "params:distillation.baseline", "distilled": "params:distillation.arm"}
BLOCKS = ("deployment", "training", "sources", "ingestion", "arms")
SHARED = {"samples", "equipment", "metrics", "split_summary", "reporting_folder"}


def create_pipeline(**_: object) -> Pipeline:
    """All that is made for use outside of the project.

    Args:
        **_: what Kedro may pass; none is read.

    Returns:
        The stage, tagged ``deployment``.
    """
    return packaging() + stage("deployment", [_exported()])


def packaging() -> Pipeline:
    """The part of it that is cheap, and belongs to every ``distill``: both students in one folder each.

    Returns:
        Its nodes, tagged ``deployment``.
    """
    return stage("deployment", [*_shared(), *(_student(role, arm) for role, arm in ROLES.items())])


def _shared() -> list[Node]:
    return [
        Node(
            choose_projection,
            bound("projection_mlp", "projection_pca", params=["arms", "distillation"], distilled="distilled.student"),
            "deployed_projection",
            name="choose_deployed_projection",
        ),
        Node(
            gather_teacher_side,
            bound(
                *("samples", "teacher_model", "teacher_embeddings"),
                params=["task", "deployment"],
                projection="deployed_projection",
            ),
            "teacher_side",
            name="gather_teacher_side",
        ),
        Node(
            rank_quality,
            bound("samples", "quality_measures", params=["task", "quality", "deployment"]),
            "quality_reference",
            name="rank_quality",
        ),
        Node(
            gather_equipment,
            bound(
                *("samples", "teacher_side", "quality_reference"),
                params=["task", "sources", "deployment"],
            ),
            "equipment",
            name="gather_equipment",
        ),
    ]


def _student(role: str, arm: str) -> Pipeline:
    nodes = [
        Node(
            package_as(role),
            bound(
                *("samples", "student", "embeddings", "operating", "equipment"),
                params=["deployment", "training", "arm"],
            ),
            "assembled",
            name="package_student",
        ),
        Node(
            write_card,
            bound(
                *("assembled", "metrics", "split_summary", "reporting_folder"),
                params=["sources", "ingestion", "arms"],
            ),
            "packaged",
            name="write_card",
        ),
    ]
    parameters = {f"params:{name}": f"params:{name}" for name in BLOCKS} | {"params:arm": arm}
    return Pipeline(nodes, namespace=role, inputs=SHARED, parameters=parameters)


def _exported() -> Node:
    return Node(
        export_student,
        bound(
            "samples",
            params=["task", "sources", "export"],
            student="distilled.student",
            operating="distilled.operating",
            exported="distilled.exported",
        ),
        "distilled.export_report",
        name="export_student",
    )
