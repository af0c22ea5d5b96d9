"""The pairs of the training split -> ``student_alone.student``, ``distilled.student`` and their histories."""

from kedro.pipeline import Node, Pipeline

from cross_modal_kd.pipelines.distillation.nodes import gather_pairs, train_as
from cross_modal_kd.pipelines.stage import bound, stage

ROLES = {"student_alone": "params:distillation.baseline", "distilled": "params:distillation.arm"}
SHARED = ("training_pairs", "projection_mlp", "projection_pca", "checkpoints")
BLOCKS = ("student", "training", "arms")


def create_pipeline(**_: object) -> Pipeline:
    """The pairs are read once; the training is one template, stamped for the student alone and the distilled one.

    Args:
        **_: what Kedro may pass; none is read.

    Returns:
        The stage, tagged ``distillation``.
    """
    gather = Node(
        gather_pairs,
        bound(
            *("samples", "teacher_embeddings", "sample_weights"),
            params=["task", "sources", "inputs", "arms", "distillation"],
        ),
        "training_pairs",
        name="gather_pairs",
    )
    return stage("distillation", [gather, *(_training(role, arm) for role, arm in ROLES.items())])


def _training(role: str, arm: str) -> Pipeline:
    template = Node(
        train_as(role),
        bound(*SHARED, params=[*BLOCKS, "arm"]),
        ["student", "history"],
        name="train_student",
    )
    parameters = {f"params:{name}": f"params:{name}" for name in BLOCKS} | {"params:arm": arm}
    return Pipeline([template], namespace=role, inputs=set(SHARED), parameters=parameters)
