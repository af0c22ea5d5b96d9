"""One template, stamped for the student alone and for the distilled one: -> <arm>.student, <arm>.history."""

from kedro.pipeline import Node, Pipeline

from cross_modal_kd.pipelines.distillation.nodes import train_student

ROLES = {"student_alone": "params:distillation.baseline", "distilled": "params:distillation.arm"}


def create_pipeline(**_: object) -> Pipeline:
    data = ["samples", "teacher_embeddings", "projection_mlp", "projection_pca", "sample_weights", "checkpoints"]
    blocks = ["task", "sources", "inputs", "student", "training", "arms", "distillation"]
    template = Pipeline(
        [
            Node(
                train_student,
                {name: name for name in data} | {name: f"params:{name}" for name in blocks} | {"arm": "params:arm"},
                ["student", "history"],
                name="train_student",
            )
        ]
    )
    return sum(
        (
            Pipeline(
                template,
                namespace=role,
                inputs=set(data),
                parameters={f"params:{name}": f"params:{name}" for name in blocks} | {"params:arm": arm},
                tags="distillation",
            )
            for role, arm in ROLES.items()
        ),
        Pipeline([]),
    )
